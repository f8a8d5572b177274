/* SPDX-License-Identifier: MIT */
/*
 * cc13xx-own.h - the record at the end of an image for a chip of TI, the one that the chip has, and
 * what of that belongs to the stick: operations of family-cc13xx.c.
 */
#pragma once

#include "chip/ccfg.h"
#include "chip/family.h"

/* The end of an image: that of the flash for which it was built. */
uint64_t cc13xx_end(const struct image *image);

/* The place of its record there, and its bytes; 0xFF where the image has none. */
struct chip_range cc13xx_find_start(const struct chip *chip, const struct image *image);
struct ccfg cc13xx_ccfg(const struct chip *chip, const struct image *image);

/* Operations of struct family, as they are there. */
int cc13xx_own_fit(const struct board *board, const struct chip *chip,
	const struct family_flash *flash, struct image *image, struct reason *reason);
bool cc13xx_own_restore(const struct board *board, const struct chip *chip, const char *kept,
	struct image *image, struct reason *remark);
int cc13xx_own_check_guard(const struct chip *chip, const struct family_flash *flash,
	const struct image *image, struct reason *reason);
