/* SPDX-License-Identifier: MIT */
/*
 * esp-layout.c - checks an image region by region, before a board is reset for it.
 *
 * Nothing in the file of an application says where it belongs, and one that was written to a wrong
 * place is taken and verified by the chip as well as a right one; it is only never started. So each
 * region is looked at by what belongs there: at the offset where the ROM looks, a boot loader for
 * this chip; at the start of an application partition, an application. Regions begin with a file of
 * the image, with a partition, or where the bytes begin after a gap.
 */
#include "chip/esp-layout.h"

#include <inttypes.h>

#include "base/util.h"
#include "chip/esp-image.h"
#include "chip/esp-row.h"

/* The places where projects have their table, and where it is looked for in a raw image. */
#define TABLE_LAST UINT32_C(0x10000)

/* A place in the image: from here up to `end` no other region begins. */
struct region {
	uint32_t start;
	uint64_t end;
	const struct image_part *part; /* the file that begins here, or NULL */
	bool is_first;		       /* bytes begin here, of a file or after a gap */
};

/* ------------------------------------------------------------------ bytes and files */

/* The bytes from the address on that are in one piece, at most up to `end`; NULL: none. */
static const uint8_t *bytes_at(
	const struct image *image, uint32_t address, uint64_t end, size_t *ret_n)
{
	size_t i = image_find(image, address);
	const struct segment *segment = &image->segments[i];

	if (i == image->n_segments || segment->address > address)
		return NULL;
	end = segment_end(segment) < end ? segment_end(segment) : end;
	*ret_n = (size_t)(end - address);
	return segment->data + (address - segment->address);
}

static const struct image_part *part_at(const struct image *image, uint32_t address)
{
	for (size_t i = 0; i < image->n_parts; i++)
		if (image->parts[i].address == address)
			return &image->parts[i];
	return NULL;
}

void esp_layout_take(struct image *image, struct image *from)
{
	struct image old = {
		.segments = image->segments,
		.n_segments = image->n_segments,
	};

	image->segments = from->segments;
	image->n_segments = from->n_segments;
	image->n_bytes = from->n_bytes;
	*from = (struct image){0};
	image_done(&old);
}

/* ------------------------------------------------------------------ the table */

static int read_table(const struct image *image, uint32_t at, struct esp_partitions *ret,
	uint32_t *ret_at, struct reason *reason)
{
	struct reason why = {""};
	size_t n = 0;
	const uint8_t *data = bytes_at(image, at, (uint64_t)at + ESP_TABLE_BYTES, &n);
	int r;

	if (!data || !esp_partitions_begin(data, n))
		return IMAGE_OK;
	r = esp_partitions_read(data, n, ret, &why);
	if (r != IMAGE_OK)
		return reason_refuse(r, reason, "the partition table at 0x%x: %s", at, why.text);
	*ret_at = at;
	return IMAGE_OK;
}

int esp_layout_find_table(const struct image *image, struct esp_partitions *ret, uint32_t *ret_at,
	struct reason *reason)
{
	uint32_t at = 0;
	int r = read_table(image, ESP_TABLE_ADDRESS, ret, &at, reason);

	for (size_t i = 0; r == IMAGE_OK && at == 0 && i < image->n_parts; i++)
		r = read_table(image, image->parts[i].address, ret, &at, reason);
	for (uint32_t try = ESP_TABLE_ADDRESS + ESP_FLASH_SECTOR;
		r == IMAGE_OK && at == 0 && image->n_parts == 0 && try < TABLE_LAST;
		try += ESP_FLASH_SECTOR)
		r = read_table(image, try, ret, &at, reason);
	*ret_at = r == IMAGE_OK ? at : 0;
	return r;
}

uint32_t esp_layout_misplaced_table(const struct chip *chip, const struct image *image)
{
	/* Merged from 0 on, or from the boot loader on. */
	const uint32_t places[] = {
		ESP_TABLE_ADDRESS, ESP_TABLE_ADDRESS - esp_row(chip)->bootloader};
	const struct segment *segment = &image->segments[0];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct esp_partitions table;
		struct reason ignored;

		if (segment->size > places[i] &&
			segment->address + (uint64_t)places[i] != ESP_TABLE_ADDRESS &&
			esp_partitions_read(segment->data + places[i], segment->size - places[i],
				&table, &ignored) == IMAGE_OK &&
			table.n_items > 1)
			return places[i];
	}
	return 0;
}

/* The ROM's addresses have 24 bits: a larger flash is used up to there alone (esp-rom.md 3.5). */
static const char *size_advice(const struct esp_layout *layout)
{
	return layout->flash_bytes < layout->chip->flash.size
		       ? "take the image for a flash of that size"
		       : "if it has more, the boot loader in its ROM does not reach that: build it for so much, or flash it another way";
}

static int check_table(const struct esp_layout *layout, struct reason *reason)
{
	uint64_t end = esp_partitions_end(layout->table);

	if (end <= layout->flash_bytes)
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"the partition table at 0x%x: its partitions go on up to 0x%" PRIx64
		", and the flash of this %s ends at 0x%x: %s",
		layout->table_at, end - 1, layout->chip->name, layout->flash_bytes - 1,
		size_advice(layout));
}

/* ------------------------------------------------------------------ programs */

enum esp_file esp_layout_file(const struct chip *chip, const struct segment *segment,
	struct esp_image *ret, struct reason *reason)
{
	const struct esp_row *row = esp_row(chip);

	if (segment->data[0] != ESP_IMAGE_MAGIC)
		return ESP_FILE_DATA;
	if (esp_image_read(segment->data, segment->size, ESP_IMAGE_32, ret, reason) != IMAGE_OK) {
		struct esp_image other;
		struct reason ignored;

		if (esp_image_read(segment->data, segment->size, ESP_IMAGE_8266, &other,
			    &ignored) == IMAGE_OK)
			reason_set(reason, "it is a program for the ESP8266, and the chip is an %s",
				chip->name);
		return ESP_FILE_DAMAGED;
	}
	return esp_image_is_application(ret, row->mapped, row->n_mapped) ? ESP_FILE_APPLICATION
									 : ESP_FILE_BOOTLOADER;
}

int esp_layout_check_chip(
	const struct chip *chip, const struct esp_image *program, struct reason *reason)
{
	if (program->chip_id == chip->product_id)
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"its header says chip id %u (%s), and the chip is an %s (%u): take the image that was built for it, or correct `chip` in the rule",
		program->chip_id, esp_image_chip_name(program->chip_id), chip->name,
		chip->product_id);
}

static int check_revision(
	const struct esp_layout *layout, const struct esp_image *program, struct reason *reason)
{
	uint32_t own = layout->revision;
	bool is_older = own < program->min_revision;
	uint32_t wanted = is_older ? program->min_revision : program->max_revision;

	if (!layout->has_revision || (!is_older && own <= program->max_revision))
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"it wants a chip of revision %u.%u or %s, and this %s is of revision %u.%u: build it for that revision",
		wanted / 100, wanted % 100, is_older ? "later" : "earlier", layout->chip->name,
		own / 100, own % 100);
}

/*
 * ESP-IDF takes the size of the flash from the header of the boot loader. An application does not
 * go on where the chip has less, and the boot loader takes no table that needs more.
 */
static int check_flash_size(
	const struct esp_layout *layout, const struct esp_image *program, struct reason *reason)
{
	uint32_t bytes = program->flash.bytes;
	uint64_t end = layout->table && layout->table_at ? esp_partitions_end(layout->table) : 0;

	if (bytes > layout->flash_bytes)
		return reason_refuse(IMAGE_REFUSED, reason,
			"its header is for a flash of %u KiB, and this %s has %u KiB: %s",
			bytes / 1024, layout->chip->name, layout->flash_bytes / 1024,
			size_advice(layout));
	if (bytes > 0 && end > bytes)
		return reason_refuse(IMAGE_REFUSED, reason,
			"its header is for a flash of %u KiB, and the partition table at 0x%x goes on up to 0x%" PRIx64
			": it would refuse the table",
			bytes / 1024, layout->table_at, end - 1);
	return IMAGE_OK;
}

/* A program in a region, where an application or a boot loader is expected. */
static int check_program(const struct esp_layout *layout, const struct region *region,
	enum esp_file expected, struct reason *reason)
{
	const struct chip *chip = layout->chip;
	struct esp_image program;
	struct segment bytes = {.address = region->start};
	size_t n = 0;
	enum esp_file found;
	int r;

	bytes.data = (uint8_t *)bytes_at(layout->image, region->start, region->end, &n);
	bytes.size = (uint32_t)n;
	found = esp_layout_file(chip, &bytes, &program, reason);
	if (found == ESP_FILE_DATA)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it begins with 0x%02x, and a program for this chip begins with 0x%02x: was the file made for this chip, and to be written from this address on?",
			bytes.data[0], ESP_IMAGE_MAGIC);
	if (found == ESP_FILE_DAMAGED)
		return IMAGE_REFUSED;
	r = esp_layout_check_chip(chip, &program, reason);
	if (r != IMAGE_OK)
		return r;
	if (found != expected && expected == ESP_FILE_BOOTLOADER) {
		char shown[ESP_IMAGE_SHOWN_MAX];

		return reason_refuse(IMAGE_REFUSED, reason,
			"it is an application%s, and the ROM of the %s looks there for a boot loader: give the rule `partition`, or flash the merged file",
			esp_image_show(&program, shown), chip->name);
	}
	if (found != expected)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is a boot loader, and the ROM of the %s looks for that at 0x%x",
			chip->name, esp_row(chip)->bootloader);
	r = check_revision(layout, &program, reason);
	if (r == IMAGE_OK && expected == ESP_FILE_BOOTLOADER)
		r = check_flash_size(layout, &program, reason);
	return r;
}

/* ------------------------------------------------------------------ regions */

static uint64_t least(uint64_t end, uint64_t candidate, uint32_t above)
{
	return candidate > above && candidate < end ? candidate : end;
}

/* Where the region that begins at `start` ends: with its segment, or where the next one begins. */
static uint64_t region_end(const struct esp_layout *layout, uint32_t start, uint64_t end)
{
	const struct image *image = layout->image;

	end = least(end, esp_row(layout->chip)->bootloader, start);
	if (layout->table_at)
		end = least(end, layout->table_at, start);
	for (size_t i = 0; i < image->n_parts; i++)
		end = least(end, image->parts[i].address, start);
	for (size_t i = 0; layout->table && i < layout->table->n_items; i++) {
		const struct esp_partition *partition = &layout->table->items[i];

		end = least(end, partition->offset, start);
		end = least(end, (uint64_t)partition->offset + partition->size, start);
	}
	return end;
}

/* Puts the name of the region before the reason. */
static int refuse_region(const struct region *region, const char *what, struct reason *reason)
{
	const struct reason why = *reason;
	char name[TEXT_MAX];

	if (region->part)
		return reason_refuse(IMAGE_REFUSED, reason, "'%s' at 0x%x: %s",
			text_escape(region->part->name, name, sizeof(name)), region->start,
			why.text);
	return reason_refuse(
		IMAGE_REFUSED, reason, "%s at 0x%x: %s", what, region->start, why.text);
}

static int check_in_partition(const struct esp_layout *layout, const struct region *region,
	const struct esp_partition *partition, struct reason *reason)
{
	char shown[TEXT_MAX];
	struct esp_image program;
	struct reason ignored;
	size_t n = 0;
	const uint8_t *data = bytes_at(layout->image, region->start, region->end, &n);

	esp_partition_show(partition, shown, sizeof(shown));
	if (partition->type == ESP_PARTITION_APP && region->start == partition->offset)
		return check_program(layout, region, ESP_FILE_APPLICATION, reason);
	if (partition->type == ESP_PARTITION_APP && region->is_first)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is in the middle of the application partition %s, which begins at 0x%x",
			shown, partition->offset);
	/* A table of the image itself may say that a program is data: for another processor. */
	if (partition->type == ESP_PARTITION_DATA && region->is_first && !layout->table_at &&
		esp_image_read(data, n, ESP_IMAGE_32, &program, &ignored) == IMAGE_OK)
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is a program, and the chip has its partition %s for data there", shown);
	return IMAGE_OK;
}

/* Bytes in no partition that is known. */
static int check_elsewhere(
	const struct esp_layout *layout, const struct region *region, struct reason *reason)
{
	uint32_t bootloader = esp_row(layout->chip)->bootloader;
	struct segment bytes = {.address = region->start};
	struct region whole = *region;
	struct esp_image program;
	char names[TEXT_MAX];
	size_t n = 0;
	enum esp_file found;

	if (!region->is_first)
		return IMAGE_OK;
	/* That of another chip, which has it at 0x0, goes on over the place of this one's. */
	if (whole.end == bootloader)
		whole.end = region_end(layout, bootloader, UINT32_MAX);
	bytes.data = (uint8_t *)bytes_at(layout->image, whole.start, whole.end, &n);
	bytes.size = (uint32_t)n;
	if (!esp_image_begins(bytes.data, bytes.size))
		return IMAGE_OK;
	found = esp_layout_file(layout->chip, &bytes, &program, reason);
	if (found == ESP_FILE_DATA || (found == ESP_FILE_DAMAGED && layout->table))
		return IMAGE_OK;
	if (found == ESP_FILE_APPLICATION && layout->table) {
		if (esp_layout_check_chip(layout->chip, &program, reason) != IMAGE_OK)
			return IMAGE_REFUSED;
		return reason_refuse(IMAGE_REFUSED, reason,
			"it is an application, and no partition begins there; the partition table%s has %s",
			layout->table_at ? "" : " of the chip",
			esp_partitions_show(layout->table, names, sizeof(names)));
	}
	return check_program(layout, &whole, ESP_FILE_APPLICATION, reason);
}

static int check_region(
	const struct esp_layout *layout, const struct region *region, struct reason *reason)
{
	uint32_t bootloader = esp_row(layout->chip)->bootloader;
	const struct esp_partition *partition =
		layout->table ? esp_partitions_at(layout->table, region->start) : NULL;
	char what[TEXT_MAX + 32], shown[TEXT_MAX];
	int r;

	if (region->start == bootloader) {
		r = check_program(layout, region, ESP_FILE_BOOTLOADER, reason);
		return r == IMAGE_OK ? r : refuse_region(region, "the boot loader", reason);
	}
	if (layout->table_at && region->start == layout->table_at)
		return IMAGE_OK;
	if (!partition) {
		r = check_elsewhere(layout, region, reason);
		return r == IMAGE_OK ? r : refuse_region(region, "the program", reason);
	}
	r = check_in_partition(layout, region, partition, reason);
	if (r == IMAGE_OK)
		return r;
	snprintf(what, sizeof(what), "partition %s",
		esp_partition_show(partition, shown, sizeof(shown)));
	return refuse_region(region, what, reason);
}

/* ------------------------------------------------------------------ files and sectors */

/* Whether a file ends in the partition where it begins, or before the next one begins. */
static int check_room(const struct esp_layout *layout, const struct image_part *file,
	const char *name, struct reason *reason)
{
	uint64_t end = (uint64_t)file->address + file->size;
	const struct esp_partition *own = esp_partitions_at(layout->table, file->address);
	char shown[TEXT_MAX];

	if (own && end > (uint64_t)own->offset + own->size)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%x: its %u bytes are more than the partition %s has room for, which ends at 0x%x",
			name, file->address, file->size,
			esp_partition_show(own, shown, sizeof(shown)), own->offset + own->size - 1);
	for (size_t i = 0; !own && i < layout->table->n_items; i++) {
		const struct esp_partition *other = &layout->table->items[i];

		if (other->offset >= file->address && other->offset < end)
			return reason_refuse(IMAGE_REFUSED, reason,
				"%s at 0x%x: its %u bytes reach into the partition %s at 0x%x",
				name, file->address, file->size,
				esp_partition_show(other, shown, sizeof(shown)), other->offset);
	}
	return IMAGE_OK;
}

/*
 * An erase takes whole sectors: what begins in the middle of one would wipe what is before it, and
 * two files in one sector would wipe one another.
 */
static int check_file(const struct esp_layout *layout, const struct image_part *file,
	const struct image_part *before, struct reason *reason)
{
	char name[TEXT_MAX], other[TEXT_MAX];
	char quoted[TEXT_MAX + 4];

	if (file->name)
		snprintf(quoted, sizeof(quoted), "'%s'",
			text_escape(file->name, name, sizeof(name)));
	else
		snprintf(quoted, sizeof(quoted), "%s",
			layout->image->is_raw ? "the file" : "the segment");
	if (before && before->name &&
		file->address / ESP_FLASH_SECTOR ==
			(before->address + before->size - 1) / ESP_FLASH_SECTOR)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%x: it shares the sector at 0x%x with '%s', and a sector is erased as a whole",
			quoted, file->address, file->address / ESP_FLASH_SECTOR * ESP_FLASH_SECTOR,
			text_escape(before->name, other, sizeof(other)));
	if (file->address % ESP_FLASH_SECTOR != 0)
		return reason_refuse(IMAGE_REFUSED, reason,
			"%s at 0x%x: it begins in the middle of the sector at 0x%x, which is erased as a whole: expected a multiple of 0x%x",
			quoted, file->address, file->address / ESP_FLASH_SECTOR * ESP_FLASH_SECTOR,
			ESP_FLASH_SECTOR);
	/* A merged file goes on from one partition into the next, as its own table has them. */
	if (layout->table && (file->name || !layout->table_at))
		return check_room(layout, file, quoted, reason);
	return IMAGE_OK;
}

int esp_layout_check_files(const struct esp_layout *layout, struct reason *reason)
{
	const struct image *image = layout->image;
	int r = IMAGE_OK;

	for (size_t i = 0; r == IMAGE_OK && i < image->n_parts; i++)
		r = check_file(
			layout, &image->parts[i], i > 0 ? &image->parts[i - 1] : NULL, reason);
	for (size_t i = 0; r == IMAGE_OK && image->n_parts == 0 && i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];
		const struct image_part file = {segment->address, segment->size, NULL};

		r = check_file(layout, &file, NULL, reason);
	}
	return r;
}

/* ------------------------------------------------------------------ what must be there to start */

/*
 * Bytes that are no table do not go where the chip's own one is, nor a file of a build to the place
 * of it: a table that was lost in a build would leave nothing that starts.
 */
static int check_table_place(const struct esp_layout *layout, struct reason *reason)
{
	const struct image *image = layout->image;
	const struct image_part *part = part_at(image, ESP_TABLE_ADDRESS);
	char name[TEXT_MAX];

	if (layout->table_at)
		return IMAGE_OK;
	if (part)
		return reason_refuse(IMAGE_REFUSED, reason,
			"'%s' at 0x%x: it is not the partition table that belongs there, since it begins with 0x%02x: build or copy it again",
			text_escape(part->name, name, sizeof(name)), part->address,
			image_byte(image, part->address));
	if (!layout->table || !image_touches(image, ESP_TABLE_ADDRESS, ESP_FLASH_SECTOR))
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"it reaches into the sector of the partition table at 0x%x and brings no table, so that nothing would be started: correct the address, or flash the whole image",
		ESP_TABLE_ADDRESS);
}

/* Of an image without a boot loader: that of the chip is in front of the table. */
static int check_bootloader_place(const struct esp_layout *layout, struct reason *reason)
{
	uint32_t bootloader = esp_row(layout->chip)->bootloader;
	uint32_t table_at = layout->table_at ? layout->table_at : ESP_TABLE_ADDRESS;

	if (!layout->table || image_touches(layout->image, bootloader, 1) ||
		!image_touches(layout->image, bootloader, table_at - bootloader))
		return IMAGE_OK;
	return reason_refuse(IMAGE_REFUSED, reason,
		"it reaches into the place of the boot loader, 0x%x to 0x%x, and brings none: correct the address, or flash the whole image",
		bootloader, table_at - 1);
}

int esp_layout_check(const struct esp_layout *layout, struct reason *reason)
{
	const struct image *image = layout->image;
	int r = esp_layout_check_files(layout, reason);

	if (r == IMAGE_OK && layout->table_at)
		r = check_table(layout, reason);
	for (size_t i = 0; r == IMAGE_OK && i < image->n_segments; i++) {
		uint64_t end = segment_end(&image->segments[i]);
		struct region region = {image->segments[i].address, 0, NULL, true};

		for (uint64_t at = region.start; r == IMAGE_OK && at < end; at = region.end) {
			region.start = (uint32_t)at;
			region.end = region_end(layout, region.start, end);
			region.part = part_at(image, region.start);
			region.is_first =
				region.start == image->segments[i].address || region.part != NULL;
			r = check_region(layout, &region, reason);
		}
	}
	if (r == IMAGE_OK)
		r = check_table_place(layout, reason);
	if (r == IMAGE_OK)
		r = check_bootloader_place(layout, reason);
	return r;
}
