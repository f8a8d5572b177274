/* SPDX-License-Identifier: MIT */
/*
 * esp-fit.c - fits an image to the flash of the chip that answered, before anything of it is
 * erased.
 *
 * An application that was written and verified is still not started where the otadata of the chip
 * selects another one: the field knows units that were "updated" for months and ran the old
 * program. So whoever writes an application is told here which one the boot loader would start.
 *
 * The partition table that counts is the image's, where it brings one, else the chip's. It costs
 * about half a second to read at 115200 baud, so only as much of it is read as there is.
 *
 * otadata of the image itself stay out of the job where the chip selects the same application
 * already. The boot loader and the application write to otadata whenever they like; a comparison
 * by bytes would find another flash at each plug-in, and erase what an application has confirmed.
 */
#include "chip/esp-fit.h"

#include <string.h>

#include "base/util.h"
#include "chip/esp-image.h"
#include "chip/esp-layout.h"
#include "chip/esp-row.h"

#define ANY_BYTES UINT32_MAX

struct fit {
	const struct board *board;
	const struct chip *chip;
	const struct family_flash *flash;
	struct image *image;
	struct esp_partitions table;
	uint32_t table_at; /* as in struct esp_layout */
	struct reason *reason;
};

/* ------------------------------------------------------------------ the table of the chip */

/*
 * Data with an `address` may be for a flash that has no partitions at all, as other systems leave
 * it; all others are nothing without a table.
 */
static bool needs_table(const struct fit *fit)
{
	const struct image *image = fit->image;
	bool has_program = false;

	for (size_t i = 0; i < image->n_segments; i++)
		has_program = has_program ||
			      esp_image_begins(image->segments[i].data, image->segments[i].size);
	for (size_t i = 0; i < image->n_parts; i++)
		has_program = has_program ||
			      image_byte(image, image->parts[i].address) == ESP_IMAGE_MAGIC;
	return fit->board->partition || has_program;
}

/* `ret_has_table` is false where the chip has none, and the image needs none. */
static int read_chip_table(struct fit *fit, bool *ret_has_table)
{
	const struct family_flash *flash = fit->flash;
	uint8_t bytes[ESP_TABLE_BYTES] = {0};
	struct reason why = {""};
	size_t n = 0, want;
	int r = 0;

	while (r == 0 && (want = esp_partitions_want(bytes, n)) > n) {
		r = flash->read(
			flash->userdata, ESP_TABLE_ADDRESS + (uint32_t)n, bytes + n, want - n);
		n = want;
	}
	if (r != 0)
		return r;
	*ret_has_table = esp_partitions_begin(bytes, n) || needs_table(fit);
	if (!*ret_has_table || esp_partitions_read(bytes, n, &fit->table, &why) == IMAGE_OK)
		return IMAGE_OK;
	if (!esp_partitions_begin(bytes, n))
		reason_set(&why, "it begins with 0x%02x 0x%02x", bytes[0], bytes[1]);
	return reason_refuse(IMAGE_REFUSED, fit->reason,
		"the chip has no partition table at 0x%x (%s), so nothing would start what is written beside it: flash the whole image first, with boot loader and partition table",
		ESP_TABLE_ADDRESS, why.text);
}

/* Whether the image has nothing but what is started without a table. */
static bool is_bootloader_alone(const struct fit *fit)
{
	const struct image *image = fit->image;
	uint32_t bootloader = esp_row(fit->chip)->bootloader;

	return !fit->board->partition && image->n_segments == 1 &&
	       image->segments[0].address == bootloader &&
	       segment_end(&image->segments[0]) <= ESP_TABLE_ADDRESS;
}

/* ------------------------------------------------------------------ its place by name */

/* The bytes of the file: all else in the image are otadata that an earlier pass has added. */
static struct segment *find_file(struct fit *fit)
{
	const struct esp_partition *otadata = esp_partitions_otadata(&fit->table);
	struct image *image = fit->image;

	for (size_t i = 0; i < image->n_segments; i++)
		if (image->n_segments == 1 || !otadata ||
			image->segments[i].address < otadata->offset ||
			image->segments[i].address - otadata->offset >= otadata->size)
			return &image->segments[i];
	return NULL;
}

/* Made anew, since segments are in order and those that touch are one. */
static int move(struct fit *fit, const struct segment *file, uint32_t to)
{
	struct image moved = {0};
	int r = IMAGE_OK;

	for (size_t i = 0; r == IMAGE_OK && i < fit->image->n_segments; i++) {
		const struct segment *segment = &fit->image->segments[i];

		r = image_add(&moved, segment == file ? to : segment->address, segment->data,
			segment->size, ANY_BYTES, fit->reason);
	}
	if (r == IMAGE_OK)
		esp_layout_take(fit->image, &moved);
	image_done(&moved);
	return r;
}

static int place(struct fit *fit)
{
	const char *name = fit->board->partition;
	const struct esp_partition *partition = esp_partitions_find(&fit->table, name);
	char wanted[TEXT_MAX], names[TEXT_MAX];
	struct segment *file = find_file(fit);

	if (!file)
		return IMAGE_OK;
	if (!partition)
		return reason_refuse(FAMILY_FIT_RULE, fit->reason,
			"the rule wants it in the partition '%s', and the chip's partition table has %s: name one of these",
			text_escape(name, wanted, sizeof(wanted)),
			esp_partitions_show(&fit->table, names, sizeof(names)));
	if (partition == esp_partitions_otadata(&fit->table))
		return reason_refuse(FAMILY_FIT_RULE, fit->reason,
			"the partition %s selects what is started, and `otadata = select` writes it: name the partition of the application",
			esp_partition_show(partition, wanted, sizeof(wanted)));
	if (file->size > partition->size)
		return reason_refuse(IMAGE_REFUSED, fit->reason,
			"its %u bytes are more than the chip's partition %s has room for, which has %u",
			file->size, esp_partition_show(partition, wanted, sizeof(wanted)),
			partition->size);
	return move(fit, file, partition->offset);
}

/* ------------------------------------------------------------------ which one is started */

/* An application for tests is started by a pin, and not by what otadata say. */
static bool is_written(const struct fit *fit, const struct esp_partition *partition)
{
	return partition && partition->type == ESP_PARTITION_APP &&
	       partition->subtype != ESP_APP_TEST &&
	       image_touches(fit->image, partition->offset, 1);
}

/* The first application that the image writes, or NULL. */
static const struct esp_partition *find_written(const struct fit *fit)
{
	const struct esp_partition *found = NULL;

	for (size_t i = 0; i < fit->table.n_items; i++) {
		const struct esp_partition *partition = &fit->table.items[i];

		if (is_written(fit, partition) && (!found || partition->subtype < found->subtype))
			found = partition;
	}
	return found;
}

static int read_otadata(
	const struct fit *fit, const struct esp_partition *partition, struct esp_otadata *ret)
{
	const struct family_flash *flash = fit->flash;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < ESP_OTADATA_ENTRIES; i++)
		r = flash->read(flash->userdata, partition->offset + i * ESP_FLASH_SECTOR,
			ret->entries[i], ESP_OTADATA_BYTES);
	return r;
}

/* As they will be: a sector of which the image has a byte is erased, and has its bytes alone. */
static void overlay(
	const struct fit *fit, const struct esp_partition *partition, struct esp_otadata *otadata)
{
	for (uint32_t i = 0; i < ESP_OTADATA_ENTRIES; i++) {
		uint32_t address = partition->offset + i * ESP_FLASH_SECTOR;

		if (image_touches(fit->image, address, ESP_FLASH_SECTOR))
			(void)image_copy(
				fit->image, address, otadata->entries[i], ESP_OTADATA_BYTES);
	}
}

static int refuse_selection(const struct fit *fit, enum family_fit refusal,
	const struct esp_partition *written, const struct esp_partition *started, const char *where,
	const char *advice)
{
	char one[TEXT_MAX], other[TEXT_MAX];

	esp_partition_show(written, one, sizeof(one));
	if (!started)
		return reason_refuse((int)refusal, fit->reason,
			"it is for the application partition %s, and %s an update that was not confirmed, or nothing, so that nobody can say what would be started%s",
			one, where, advice);
	return reason_refuse((int)refusal, fit->reason,
		"it is for the application partition %s, and %s %s, so that %s would be started and not the image%s",
		one, where, esp_partition_show(started, other, sizeof(other)), other, advice);
}

/* Takes out of the image what it has in the range. */
static int leave_out(struct image *image, uint32_t from, uint64_t end, struct reason *reason)
{
	struct image rest = {0};
	int r = IMAGE_OK;

	for (size_t i = 0; r == IMAGE_OK && i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t own_end = segment_end(segment);
		uint64_t before = own_end < from ? own_end : from;
		uint64_t behind = segment->address > end ? segment->address : end;

		if (segment->address < before)
			r = image_add(&rest, segment->address, segment->data,
				(size_t)(before - segment->address), ANY_BYTES, reason);
		if (r == IMAGE_OK && behind < own_end)
			r = image_add(&rest, (uint32_t)behind,
				segment->data + (behind - segment->address),
				(size_t)(own_end - behind), ANY_BYTES, reason);
	}
	if (r == IMAGE_OK && rest.n_segments > 0)
		esp_layout_take(image, &rest);
	image_done(&rest);
	return r;
}

static int add_selection(struct fit *fit, const struct esp_partition *partition,
	const struct esp_otadata *otadata, const struct esp_partition *written)
{
	bool is_new[ESP_OTADATA_ENTRIES] = {false};
	struct esp_otadata changed;
	char shown[TEXT_MAX];
	int r = IMAGE_OK;

	if (!esp_otadata_select(&fit->table, otadata, written, &changed, is_new))
		return reason_refuse(IMAGE_REFUSED, fit->reason,
			"the chip's otadata cannot select the partition %s: flash the whole image",
			esp_partition_show(written, shown, sizeof(shown)));
	for (uint32_t i = 0; r == IMAGE_OK && i < ESP_OTADATA_ENTRIES; i++)
		if (is_new[i])
			r = image_add(fit->image, partition->offset + i * ESP_FLASH_SECTOR,
				changed.entries[i], ESP_OTADATA_BYTES, ANY_BYTES, fit->reason);
	return r;
}

/* The otadata partition, where the table has one. */
static int check_otadata(
	struct fit *fit, const struct esp_partition *partition, const struct esp_partition *written)
{
	bool has_own = image_touches(fit->image, partition->offset, partition->size);
	const struct esp_partition *by_chip, *by_image;
	struct esp_otadata otadata, after;
	int r = read_otadata(fit, partition, &otadata);

	if (r != 0)
		return r;
	after = otadata;
	overlay(fit, partition, &after);
	by_chip = esp_otadata_selected(&fit->table, &otadata);
	by_image = esp_otadata_selected(&fit->table, &after);
	if (has_own && !is_written(fit, by_image))
		return refuse_selection(fit, FAMILY_FIT_IMAGE, written, by_image,
			"its own otadata select", ": take an image whose parts agree");
	if (has_own && by_chip == by_image)
		return leave_out(fit->image, partition->offset,
			(uint64_t)partition->offset + partition->size, fit->reason);
	if (has_own || is_written(fit, by_chip))
		return IMAGE_OK;
	if (fit->board->otadata == BOARD_OTADATA_SELECT)
		return add_selection(fit, partition, &otadata, written);
	return refuse_selection(fit, FAMILY_FIT_RULE, written, by_chip, "the chip's otadata select",
		": `otadata = select` in the rule has the job select it, or the rule names the other partition");
}

/* Without a boot loader, as an update that was cut off has left it, nothing is started. */
static int check_bootloader(const struct fit *fit, const struct esp_partition *written)
{
	const struct family_flash *flash = fit->flash;
	uint32_t bootloader = esp_row(fit->chip)->bootloader;
	uint8_t first = ESP_IMAGE_MAGIC;
	char shown[TEXT_MAX];
	int r = 0;

	if (!image_touches(fit->image, bootloader, 1))
		r = flash->read(flash->userdata, bootloader, &first, 1);
	if (r != 0 || first == ESP_IMAGE_MAGIC)
		return r;
	return reason_refuse(IMAGE_REFUSED, fit->reason,
		"it is for the application partition %s, and the chip has no boot loader at 0x%x that would start it (0x%02x is there): flash the whole image, with boot loader and partition table",
		esp_partition_show(written, shown, sizeof(shown)), bootloader, first);
}

static int check_started(struct fit *fit)
{
	const struct esp_partition *written = find_written(fit);
	const struct esp_partition *partition = esp_partitions_otadata(&fit->table), *started;
	int r = written ? check_bootloader(fit, written) : IMAGE_OK;

	if (!written || r != IMAGE_OK)
		return r;
	if (partition)
		return check_otadata(fit, partition, written);
	started = esp_otadata_selected(&fit->table, NULL);
	if (is_written(fit, started))
		return IMAGE_OK;
	return refuse_selection(fit, FAMILY_FIT_RULE, written, started,
		"without an otadata partition the boot loader starts",
		": name that partition in the rule");
}

/* ------------------------------------------------------------------ */

int esp_fit(const struct board *board, const struct chip *chip, const struct family_flash *flash,
	struct image *image, struct reason *reason)
{
	struct fit fit = {board, chip, flash, image, {.n_items = 0}, 0, reason};
	struct esp_layout now = {
		.chip = chip,
		.flash_bytes = flash->flash_bytes,
		.image = image,
		.table = &fit.table,
		.has_revision = flash->has_revision,
		.revision = flash->revision,
	};
	bool has_table = true;
	int r;

	/* The ESP8266 has no partitions, and nobody could read them (esp-rom.md 4.9). */
	if (esp_row(chip)->spi_layout == ESP_SPI_8266 || !flash->read)
		return IMAGE_OK;
	r = esp_layout_find_table(image, &fit.table, &fit.table_at, reason);
	now.table_at = fit.table_at;
	if (r == IMAGE_OK && fit.table_at == 0 && is_bootloader_alone(&fit))
		has_table = false;
	else if (r == IMAGE_OK && fit.table_at == 0)
		r = read_chip_table(&fit, &has_table);
	if (!has_table)
		now.table = NULL;
	if (r == IMAGE_OK && board->partition)
		r = place(&fit);
	if (r == IMAGE_OK)
		r = esp_layout_check(&now, reason);
	return r == IMAGE_OK && has_table ? check_started(&fit) : r;
}
