/* SPDX-License-Identifier: MIT */
/*
 * family-esp.c - the ESP32 and its relatives: flash on SPI, from which a ROM starts a boot loader.
 *
 * The ROM looks for the header of a boot loader at one offset, which the row has, and starts
 * nothing where there is none. The boot loader looks for a partition table, and by that for an
 * application. So an update that brings a boot loader blanks its first sector first and writes it
 * last; one of an application alone does so with the first sector of the application. Until then
 * the chip starts nothing, or an older application of another slot.
 *
 * What lies where in an image is for esp-layout.c, and what the chip's own flash says of it for
 * esp-fit.c. Addresses are offsets in the flash.
 */
#include "chip/family-esp.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "chip/chips.h"
#include "chip/esp-fit.h"
#include "chip/esp-image.h"
#include "chip/esp-layout.h"
#include "chip/esp-wrap.h"
#include "chip/family.h"

static bool is_8266(const struct chip *chip)
{
	return esp_row(chip)->spi_layout == ESP_SPI_8266;
}

/* ------------------------------------------------------------------ a merged file */

/* The sectors of a file, and which of them are flashed. */
struct cut {
	const struct segment *file;
	bool *keep;
	size_t n_sectors;
};

static bool is_blank(const struct segment *file, size_t sector)
{
	size_t end = (sector + 1) * ESP_FLASH_SECTOR;

	end = end < file->size ? end : file->size;
	for (size_t i = sector * ESP_FLASH_SECTOR; i < end; i++)
		if (file->data[i] != 0xFF)
			return false;
	return true;
}

/*
 * Blank sectors between two that hold something belong to the same program or file system, and are
 * to be blank; those behind the last one are as well, where the range is one of data.
 */
static void keep_together(struct cut *cut, uint64_t from, uint64_t end, bool is_data)
{
	uint64_t start = cut->file->address;
	size_t first, last, n = 0;

	if (end <= start || from < start)
		return;
	first = (size_t)((from - start) / ESP_FLASH_SECTOR);
	last = (size_t)((end - start) / ESP_FLASH_SECTOR);
	last = last < cut->n_sectors ? last : cut->n_sectors;
	for (size_t i = first; i < last; i++)
		n = cut->keep[i] ? i + 1 : n;
	if (n > 0 && is_data)
		n = last;
	for (size_t i = first; i < n; i++)
		cut->keep[i] = true;
}

static int copy_kept(const struct cut *cut, struct image *ret, struct reason *reason)
{
	int r = IMAGE_OK;

	for (size_t i = 0, n; r == IMAGE_OK && i < cut->n_sectors; i += n) {
		size_t from = i * ESP_FLASH_SECTOR, end;

		for (n = 1; i + n < cut->n_sectors && cut->keep[i + n] == cut->keep[i]; n++)
			;
		end = (i + n) * ESP_FLASH_SECTOR;
		end = end < cut->file->size ? end : cut->file->size;
		if (cut->keep[i])
			r = image_add(ret, cut->file->address + (uint32_t)from,
				cut->file->data + from, end - from, UINT32_MAX, reason);
	}
	return r;
}

static int cut_file(const struct chip *chip, const struct esp_partitions *table, uint32_t table_at,
	struct cut *cut, struct image *ret, struct reason *reason)
{
	for (size_t i = 0; i < cut->n_sectors; i++)
		cut->keep[i] = !is_blank(cut->file, i);
	keep_together(cut, esp_row(chip)->bootloader, table_at, false);
	for (size_t i = 0; i < table->n_items; i++) {
		const struct esp_partition *partition = &table->items[i];

		keep_together(cut, partition->offset, (uint64_t)partition->offset + partition->size,
			partition->type != ESP_PARTITION_APP);
	}
	return copy_kept(cut, ret, reason);
}

/*
 * merge_bin fills what no part names with 0xFF. Written as it is, such a file would wipe nvs,
 * otadata and all else that the unit has for itself; so what is blank in it is left alone.
 */
static int esp_shape_image(const struct board *board, const struct chip *chip, struct image *image,
	struct reason *reason)
{
	const struct segment *file = &image->segments[0];
	CLEANUP(image_done) struct image shaped = {0};
	CLEANUP(freep) bool *keep = NULL;
	struct esp_partitions table;
	struct reason ignored;
	uint32_t table_at = 0;
	struct cut cut = {.file = file};
	int r;

	/* check_image() has the words for what is wrong with it. */
	if (!image->is_raw || image->n_parts > 0 || board->partition || is_8266(chip) ||
		file->address % ESP_FLASH_SECTOR != 0 ||
		esp_layout_find_table(image, &table, &table_at, &ignored) != IMAGE_OK ||
		table_at == 0)
		return IMAGE_OK;
	cut.n_sectors = (file->size + (size_t)ESP_FLASH_SECTOR - 1) / ESP_FLASH_SECTOR;
	cut.keep = keep = calloc(cut.n_sectors, sizeof(*keep));
	if (!keep)
		return -ENOMEM;
	r = cut_file(chip, &table, table_at, &cut, &shaped, reason);
	if (r == IMAGE_OK)
		esp_layout_take(image, &shaped);
	return r;
}

/* ------------------------------------------------------------------ checks */

/* The file of a rule with `partition`, before the chip was asked where that is. */
static int check_for_partition(const struct board *board, const struct chip *chip,
	const struct image *image, struct reason *reason)
{
	struct esp_partitions table;
	struct esp_image program;
	uint32_t table_at;
	char name[TEXT_MAX];
	int r;

	text_escape(board->partition, name, sizeof(name));
	if (!image->is_raw)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is %s, which says itself where it belongs, and the rule says `partition = %s`: leave that out, or take the .bin of the application",
			image->n_parts > 0 ? "an image of several files" : image->format, name);
	r = esp_layout_find_table(image, &table, &table_at, reason);
	if (r != IMAGE_OK)
		return r;
	if (table_at != 0 || esp_layout_misplaced_table(chip, image) != 0)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is a merged file with a partition table of its own, and the rule says `partition = %s`: leave that out, or take the .bin of the application",
			name);
	switch (esp_layout_file(chip, &image->segments[0], &program, reason)) {
	case ESP_FILE_DATA:
		return IMAGE_OK;
	case ESP_FILE_DAMAGED:
		return IMAGE_REFUSED;
	case ESP_FILE_APPLICATION:
		return esp_layout_check_chip(chip, &program, reason);
	case ESP_FILE_BOOTLOADER:
		break;
	}
	return reason_refuse(IMAGE_REFUSED, reason,
		"it is a boot loader, and the rule says `partition = %s`: take the .bin of the application",
		name);
}

/* A raw file without a partition table, of which the rule does not say where it belongs. */
static int check_without_place(
	const struct chip *chip, const struct image *image, struct reason *reason)
{
	char shown[ESP_IMAGE_SHOWN_MAX];
	struct esp_image program;
	struct segment file = image->segments[0];

	switch (esp_layout_file(chip, &file, &program, reason)) {
	case ESP_FILE_DAMAGED:
		return IMAGE_REFUSED;
	case ESP_FILE_APPLICATION:
		if (esp_layout_check_chip(chip, &program, reason) != IMAGE_OK)
			return IMAGE_REFUSED;
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is an application alone%s, and a file without a place is written from 0x0 on, where it would never be started: give the rule `partition = app0` (or factory, ota_0: as the chip's partition table has it), or flash the merged file",
			esp_image_show(&program, shown));
	case ESP_FILE_BOOTLOADER:
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is a boot loader alone, without a partition table at 0x%x: flash the merged file, or give the rule `address = 0x%x` if that is meant",
			ESP_TABLE_ADDRESS, esp_row(chip)->bootloader);
	case ESP_FILE_DATA:
		break;
	}
	return reason_refuse(IMAGE_REFUSED, reason,
		"it has no partition table at 0x%x, so it is no merged file, and begins with 0x%02x, so it is no program: data need `partition` or `address` in the rule",
		ESP_TABLE_ADDRESS, file.data[0]);
}

static int check_raw(const struct board *board, const struct chip *chip, const struct image *image,
	struct reason *reason)
{
	uint32_t address = image->segments[0].address;
	uint32_t place = esp_layout_misplaced_table(chip, image);

	if (place == ESP_TABLE_ADDRESS)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is a merged file from 0x0 on, by its partition table, and the rule says `address = 0x%x`: take that out of the rule",
			address);
	if (place != 0)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is a merged file that begins with the boot loader, by its partition table, and it would be written from 0x%x on: give the rule `address = 0x%x`",
			address, ESP_TABLE_ADDRESS - place);
	return board->has_address || board->partition ? IMAGE_OK
						      : check_without_place(chip, image, reason);
}

static int check_8266_program(const struct segment *segment, struct reason *reason)
{
	struct esp_image program;
	struct reason ignored;
	int r = esp_image_read(segment->data, segment->size, ESP_IMAGE_8266, &program, reason);

	if (r != IMAGE_OK && esp_image_read(segment->data, segment->size, ESP_IMAGE_32, &program,
				     &ignored) == IMAGE_OK)
		reason_set(reason,
			"it is a program for an ESP32 or one of its relatives (chip id %u, %s), and the chip is an ESP8266",
			program.chip_id, esp_image_chip_name(program.chip_id));
	return r;
}

/*
 * The ROM starts what lies at 0x0. All else has no structure that is known here, but for what
 * begins as a program does.
 */
static int check_8266(const struct esp_layout *layout, struct reason *reason)
{
	const struct image *image = layout->image;
	int r = esp_layout_check_files(layout, reason);

	for (size_t i = 0; r == IMAGE_OK && i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];

		if (segment->address == 0 || segment->data[0] == ESP_IMAGE_MAGIC)
			r = check_8266_program(segment, reason);
	}
	return r;
}

static int esp_check_image(const struct board *board, const struct chip *chip, uint32_t flash_bytes,
	const struct image *image, struct reason *reason)
{
	struct esp_layout layout = {.chip = chip, .flash_bytes = flash_bytes, .image = image};
	struct esp_partitions table;
	char shown[TEXT_MAX];
	int r;

	if (image->chip && !chip_is_named(chip, image->chip))
		return reason_refuse(IMAGE_REFUSED, reason,
			"its files were built for '%s', and the chip is an %s",
			text_escape(image->chip, shown, sizeof(shown)), chip->name);
	if (is_8266(chip))
		return check_8266(&layout, reason);
	if (board->partition && board->has_address)
		return reason_refuse(IMAGE_REFUSED, reason,
			"its manifest says `address = 0x%x`, and the rule `partition = %s`: take one of them away",
			board->address, text_escape(board->partition, shown, sizeof(shown)));
	/* No partition begins at 0: fit() has not moved it yet. */
	if (board->partition && image->segments[0].address == 0)
		return check_for_partition(board, chip, image, reason);
	r = esp_layout_find_table(image, &table, &layout.table_at, reason);
	if (r != IMAGE_OK)
		return r;
	if (layout.table_at != 0)
		layout.table = &table;
	else if (image->is_raw && image->n_parts == 0)
		r = check_raw(board, chip, image, reason);
	if (r == IMAGE_OK)
		r = esp_layout_check(&layout, reason);
	if (r == IMAGE_OK && layout.table && image->is_raw &&
		!image_touches(image, esp_row(chip)->bootloader, 1))
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is a merged file, and has nothing at 0x%x, where the ROM of the %s looks for the boot loader: is it for this chip?",
			esp_row(chip)->bootloader, chip->name);
	return r;
}

/* ------------------------------------------------------------------ what starts it */

/* The first application in the image: of its partition table, else the first file that is one. */
static uint32_t find_application(const struct image *image)
{
	struct esp_partitions table;
	struct reason ignored;
	uint32_t table_at = 0, first = UINT32_MAX;

	if (esp_layout_find_table(image, &table, &table_at, &ignored) == IMAGE_OK && table_at != 0)
		for (size_t i = 0; i < table.n_items; i++)
			if (table.items[i].type == ESP_PARTITION_APP &&
				table.items[i].offset < first &&
				image_touches(image, table.items[i].offset, 1))
				first = table.items[i].offset;
	for (size_t i = 0; first == UINT32_MAX && i < image->n_parts; i++)
		if (image->parts[i].size >= ESP_IMAGE_SHORTEST &&
			image_byte(image, image->parts[i].address) == ESP_IMAGE_MAGIC)
			first = image->parts[i].address;
	for (size_t i = 0; first == UINT32_MAX && i < image->n_segments; i++)
		if (esp_image_begins(image->segments[i].data, image->segments[i].size))
			first = image->segments[i].address;
	return first == UINT32_MAX ? image->segments[0].address : first;
}

static struct chip_range esp_find_start(const struct chip *chip, const struct image *image)
{
	uint32_t bootloader = esp_row(chip)->bootloader;

	if (image_touches(image, bootloader, 1))
		return (struct chip_range){bootloader, ESP_FLASH_SECTOR};
	return (struct chip_range){find_application(image), ESP_FLASH_SECTOR};
}

/* ------------------------------------------------------------------ addresses and cells */

/* The linker's files have addresses of the CPU, and elf2image makes of them what is flashed. */
static const char *esp_name_address(const struct chip *chip, uint32_t address)
{
	if (chip->flash.size > 0 && address - chip->flash.start < chip->flash.size)
		return "";
	return " (an address of the CPU, as the .elf has them: the .bin is what is flashed)";
}

static uint8_t esp_erased_byte(const struct chip *chip)
{
	(void)chip;
	return 0xFF;
}

const struct family family_esp = {
	.rows = &family_esp_rows,
	.shape_image = esp_shape_image,
	.check_image = esp_check_image,
	.fit = esp_fit,
	.check_end = esp_wrap_check,
	.find_start = esp_find_start,
	.name_address = esp_name_address,
	.erased_byte = esp_erased_byte,
};
