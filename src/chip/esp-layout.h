/* SPDX-License-Identifier: MIT */
/*
 * esp-layout.h - what lies where in an image for an ESP chip: boot loader, partition table,
 * applications, data; and whether each of them can be what it is to be there. Pure.
 */
#pragma once

#include "chip/chip.h"
#include "chip/esp-partitions.h"
#include "image/image.h"

/* What is known of image and chip; all of it is borrowed. */
struct esp_layout {
	const struct chip *chip;
	uint32_t flash_bytes;
	const struct image *image;
	/* The partition table that is in force once the image is in the flash; NULL: not known. */
	const struct esp_partitions *table;
	uint32_t table_at; /* where the image has it; 0: it is the chip's own */
	bool has_revision;
	uint32_t revision; /* of the chip, 100 * major + minor */
};

/*
 * Finds the partition table in the image, of which `ret_at` is the address, or 0 where it has none.
 * IMAGE_OK; IMAGE_REFUSED with the reason where the table is damaged.
 */
int esp_layout_find_table(const struct image *image, struct esp_partitions *ret, uint32_t *ret_at,
	struct reason *reason);

/*
 * The place in a raw image, from its start, at which a merged file would have its table, if there
 * is one; or 0.
 */
uint32_t esp_layout_misplaced_table(const struct chip *chip, const struct image *image);

/* Checks the image region by region. IMAGE_OK, or IMAGE_REFUSED with the reason. */
int esp_layout_check(const struct esp_layout *layout, struct reason *reason);

/* Checks alone that files begin with a sector, and end where another partition begins. */
int esp_layout_check_files(const struct esp_layout *layout, struct reason *reason);

/* What a file is that has no place of its own. */
enum esp_file {
	ESP_FILE_DATA,
	ESP_FILE_APPLICATION,
	ESP_FILE_BOOTLOADER,
	ESP_FILE_DAMAGED, /* it begins like a program, and is none */
};

/* Looks at the program at the start of the image's segment; `ret` is set where there is one. */
struct esp_image;
enum esp_file esp_layout_file(const struct chip *chip, const struct segment *segment,
	struct esp_image *ret, struct reason *reason);

/* Whether the program is for this chip. IMAGE_OK, or IMAGE_REFUSED with the reason. */
int esp_layout_check_chip(
	const struct chip *chip, const struct esp_image *program, struct reason *reason);

/* Gives the image the segments of `from`, which is left without any; frees those that it had. */
void esp_layout_take(struct image *image, struct image *from);
