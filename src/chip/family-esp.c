/* SPDX-License-Identifier: MIT */
/*
 * family-esp.c - the ESP32 and its relatives: flash on SPI, from which a ROM starts a boot loader.
 *
 * The ROM looks for the header of a boot loader at one offset, which the row has, and starts
 * nothing where there is none. That is the part which is erased first and written last.
 */
#include "chip/family-esp.h"
#include "chip/family.h"

static int esp_check_image(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason)
{
	(void)board;
	(void)flash_bytes;
	(void)image;
	reason_set(reason, "images for the %s cannot be checked yet", chip->name);
	return IMAGE_REFUSED;
}

static struct chip_range esp_find_start(const struct chip *chip, const struct image *image)
{
	(void)chip;
	return (struct chip_range){image->segments[0].address, 4};
}

/* Every address is an offset in the flash. */
static const char *esp_name_address(const struct chip *chip, uint32_t address)
{
	(void)chip;
	(void)address;
	return "";
}

static uint8_t esp_erased_byte(const struct chip *chip)
{
	(void)chip;
	return 0xFF;
}

const struct family family_esp = {
	.rows = &family_esp_rows,
	.check_image = esp_check_image,
	.find_start = esp_find_start,
	.name_address = esp_name_address,
	.erased_byte = esp_erased_byte,
};
