/* SPDX-License-Identifier: MIT */
#include "sim/shipped.h"

#include "base/util.h"
#include "chip/family.h"

int shipped_chips_load(struct chip_table *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};

	return chip_table_load(chip_families, "config/chips.ini", NULL, ret, &problems);
}

const struct chip_table *shipped_chips(void)
{
	static struct chip_table table;

	if (table.n_items == 0 && shipped_chips_load(&table) != 0)
		return NULL;
	return &table;
}
