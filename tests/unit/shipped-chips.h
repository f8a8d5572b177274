/* SPDX-License-Identifier: MIT */
/* shipped-chips.h - the chip table that is installed, read once for a group of tests. Include after
 * cmocka.h. */
#pragma once

#include "base/util.h"
#include "chip/chips.h"
#include "chip/family.h"

#define CHIPS_INI "config/chips.ini"

static struct chip_table shipped;

static inline int load_shipped(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	char line[512];

	(void)state;
	if (chip_table_load(chip_families, CHIPS_INI, NULL, &shipped, &problems) == 0)
		return 0;
	for (size_t i = 0; i < problems.n_items; i++)
		print_error("%s\n", ini_problem_format(&problems.items[i], line, sizeof(line)));
	return -1;
}

static inline int drop_shipped(void **state)
{
	(void)state;
	chip_table_done(&shipped);
	return 0;
}

static inline const struct chip *shipped_chip(uint16_t product_id)
{
	const struct chip *chip = chip_table_find(&shipped, "stm32", product_id);

	if (!chip)
		fail_msg("0x%03X is not in the table", product_id);
	return chip;
}
