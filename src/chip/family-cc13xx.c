/* SPDX-License-Identifier: MIT */
/*
 * family-cc13xx.c - images for a CC2538, CC13xx or CC26xx. None is let through: the CCFG of an
 * image decides whether the chip can ever be reached again, and nothing here reads it so far.
 */
#include "chip/family-cc13xx.h"
#include "base/outcome.h"
#include "chip/family.h"

static int check_image(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason)
{
	(void)board;
	(void)flash_bytes;
	(void)image;
	reason_set(reason, "is not flashed: images for a %s cannot be checked so far", chip->name);
	return IMAGE_REFUSED;
}

static struct chip_range find_start(const struct chip *chip, const struct image *image)
{
	uint32_t bytes = cc13xx_row(chip)->ccfg_bytes;

	(void)image;
	return (struct chip_range){chip->flash.start + chip->flash.size - bytes, bytes};
}

static const char *name_address(const struct chip *chip, uint32_t address)
{
	(void)chip;
	(void)address;
	return "";
}

static uint8_t erased_byte(const struct chip *chip)
{
	(void)chip;
	return 0xFF;
}

const struct family family_cc13xx = {
	.rows = &family_cc13xx_rows,
	.check_image = check_image,
	.find_start = find_start,
	.name_address = name_address,
	.erased_byte = erased_byte,
};
