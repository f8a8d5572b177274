/* SPDX-License-Identifier: MIT */
/*
 * chip-row.h - one section of the chip table into one row, for chips.c alone.
 */
#pragma once

#include "chip/chips.h"

/* The id of [chip ID]. 0, or -EINVAL with a problem added where the heading is none of that kind.
 */
int chip_section_id(
	const struct ini_section *section, struct ini_problems *problems, uint16_t *ret);

/*
 * Reads and checks the section; what it does not say gets a careful default. 0, also when problems
 * were added, or -ENOMEM.
 */
int chip_read(const struct ini_section *section, const struct family *family, uint16_t product_id,
	struct ini_problems *problems, struct chip *ret);

void chip_done(struct chip *chip);
