/* SPDX-License-Identifier: MIT */
/*
 * esp-wrap.c - finds a flash that is smaller than its id says.
 *
 * Parts that are sold as larger ones ignore the address lines that they do not have: an address
 * behind their end is one at their start (esp-rom.md 3.5). A write there takes what is there, and
 * its digest is right all the same. So whoever writes beyond a power of two looks first whether the
 * partition table is seen once more at that distance, and the start of each partition with it: a
 * copy of the table alone may be a backup. A chip without a table says nothing; it is looked at
 * again once the image has brought one, and before the chip could start.
 */
#include "chip/esp-wrap.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "chip/esp-layout.h"
#include "chip/esp-row.h"

/* No chip that has partitions was sold with less. */
#define LEAST_FLASH UINT32_C(0x100000)

/* What the ROM sends at once. */
#define LOOK_BYTES 64

static int is_repeated(
	const struct family_flash *flash, uint32_t address, uint32_t distance, bool *ret)
{
	uint8_t here[LOOK_BYTES], there[LOOK_BYTES];
	int r = flash->read(flash->userdata, address, here, sizeof(here));

	if (r == 0)
		r = flash->read(flash->userdata, address + distance, there, sizeof(there));
	*ret = r == 0 && memcmp(here, there, sizeof(here)) == 0;
	return r;
}

/* Whether all that the table names is seen again; with a table that cannot be read, `if_none`. */
static int are_repeated(const struct family_flash *flash, uint32_t table_at, uint32_t distance,
	bool if_none, bool *ret)
{
	struct esp_partitions table;
	uint8_t bytes[ESP_TABLE_BYTES];
	struct reason ignored;
	int r = flash->read(flash->userdata, table_at, bytes, sizeof(bytes));

	if (r != 0)
		return r;
	*ret = esp_partitions_read(bytes, sizeof(bytes), &table, &ignored) == IMAGE_OK || if_none;
	if (!*ret || !esp_partitions_begin(bytes, sizeof(bytes)))
		return 0;
	for (size_t i = 0; r == 0 && *ret && i < table.n_items; i++)
		if (table.items[i].offset < distance)
			r = is_repeated(flash, table.items[i].offset, distance, ret);
	return r;
}

int esp_wrap_check(const struct chip *chip, const struct family_flash *flash,
	const struct image *image, bool is_written, struct reason *reason)
{
	uint64_t end = segment_end(&image->segments[image->n_segments - 1]);
	struct esp_partitions table;
	struct reason ignored;
	uint32_t table_at = 0;
	int r = 0;

	if (esp_row(chip)->spi_layout == ESP_SPI_8266 || !flash->read)
		return IMAGE_OK;
	(void)esp_layout_find_table(image, &table, &table_at, &ignored);
	is_written = is_written && table_at != 0;
	table_at = table_at != 0 ? table_at : ESP_TABLE_ADDRESS;
	for (uint64_t distance = LEAST_FLASH; r == 0 && distance < end; distance *= 2) {
		bool is_again = false;

		r = is_repeated(flash, table_at, (uint32_t)distance, &is_again);
		if (r == 0 && is_again)
			r = are_repeated(
				flash, table_at, (uint32_t)distance, is_written, &is_again);
		if (r == 0 && is_again)
			return reason_refuse(IMAGE_REFUSED, reason,
				"the flash of this %s is smaller than the %u KiB that its id says: it begins anew at 0x%" PRIx64
				", so that what is written there takes what is at its start; replace the flash, or take an image that ends before",
				chip->name, flash->flash_bytes / 1024, distance);
	}
	return r;
}
