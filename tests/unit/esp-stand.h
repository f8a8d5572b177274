/* SPDX-License-Identifier: MIT */
/*
 * esp-stand.h - a rule, an ESP chip with its flash, and an image, for tests of the ESP family. The
 * files are those of esp-make.h, which was made from Espressif's pages and knows nothing of what is
 * tested. For a file that includes cmocka.h before.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chip/chips.h"
#include "chip/esp-row.h"
#include "chip/family.h"
#include "tools/esp-make.h"
#include "unit/rows.h"

#define ESP_FIRST_BYTE 0xE9
#define FLASH_BYTES    (4u << 20)

/* A rule, a chip and its flash, and an image. */
struct stand {
	const struct esp_make_chip *made;
	struct esp_row row;
	struct chip chip;
	struct board board;
	struct image image;
	uint8_t *flash;
	struct family_flash access;
	unsigned n_reads;
	int read_result;
	struct reason reason;
};

static inline int read_flash(void *userdata, uint32_t address, uint8_t *to, size_t n)
{
	struct stand *stand = userdata;

	assert_in_range(address, 0, FLASH_BYTES - n);
	stand->n_reads++;
	memcpy(to, stand->flash + address, n);
	return stand->read_result;
}

static inline struct stand *stand_new(const char *chip)
{
	static char *aliases[] = {"esp32", "esp32c3", "esp8266"};
	struct stand *stand = calloc(1, sizeof(*stand));
	bool is_c3 = strcmp(chip, "esp32c3") == 0, is_8266 = strcmp(chip, "esp8266") == 0;

	assert_non_null(stand);
	stand->made = esp_make_chip(chip);
	stand->row = (struct esp_row){
		.bootloader = stand->made->bootloader,
		.spi_layout = is_8266 ? ESP_SPI_8266
			      : is_c3 ? ESP_SPI_LATER
				      : ESP_SPI_32,
		.mapped = {{is_c3 ? 0x3C000000 : 0x3F400000, is_c3 ? 0x800000 : 0x400000},
			{is_c3 ? 0x42000000 : 0x400D0000, is_c3 ? 0x800000 : 0x330000}},
		.n_mapped = 2,
	};
	stand->chip = (struct chip){
		.family = &family_esp,
		.product_id = is_8266 ? 0x8266 : stand->made->id,
		.name = is_8266 ? "ESP8266"
			: is_c3 ? "ESP32-C3"
				: "ESP32",
		.aliases = &aliases[is_8266 ? 2 : is_c3],
		.n_aliases = 1,
		.flash = {0, 16 << 20},
		.pages = {.runs = {{.size = 4096}}, .n_runs = 1},
		.write_align = 4,
		.own = &stand->row,
	};
	stand->flash = malloc(FLASH_BYTES);
	assert_non_null(stand->flash);
	memset(stand->flash, 0xFF, FLASH_BYTES);
	stand->access = (struct family_flash){
		.read = read_flash, .userdata = stand, .flash_bytes = FLASH_BYTES};
	return stand;
}

static inline void stand_free(struct stand *stand)
{
	image_done(&stand->image);
	free(stand->flash);
	free(stand);
}

/* A file of the image directory that has no addresses. */
static inline void take_raw(struct stand *stand, const struct esp_bytes *bytes)
{
	const struct image_options options = {
		.address = stand->board.has_address ? stand->board.address : 0,
		.max_bytes = 16 << 20,
	};

	image_done(&stand->image);
	assert_int_equal(image_read("test.bin", bytes->data, bytes->n, &options, &stand->image,
				 &stand->reason),
		IMAGE_OK);
}

static inline void take_application(struct stand *stand, const char *version, size_t size)
{
	struct esp_bytes bytes =
		esp_make_application(stand->made, "blink", version, size, (uint32_t)version[0]);

	take_raw(stand, &bytes);
	esp_bytes_done(&bytes);
}

/* What is no program. */
static inline void take_data(struct stand *stand, size_t size)
{
	struct esp_bytes bytes = esp_bytes_new(size, 0x22);

	bytes.data[0] = 0x11;
	take_raw(stand, &bytes);
	esp_bytes_done(&bytes);
}

/* Several files, as flasher_args.json names them. */
static inline void take_parts(struct stand *stand, const struct esp_make_part *parts, size_t n)
{
	struct image *image = &stand->image;

	image_done(image);
	image->parts = calloc(n, sizeof(*image->parts));
	assert_non_null(image->parts);
	for (size_t i = 0; i < n; i++) {
		image->parts[image->n_parts++] = (struct image_part){
			parts[i].offset, (uint32_t)parts[i].bytes.n, strdup(parts[i].file)};
		assert_int_equal(image_add(image, parts[i].offset, parts[i].bytes.data,
					 parts[i].bytes.n, UINT32_MAX, &stand->reason),
			IMAGE_OK);
	}
}

static inline void take_project(struct stand *stand, bool has_otadata)
{
	struct esp_make_project project =
		esp_make_project(stand->made->name, "1.0.0", 60000, has_otadata);

	take_parts(stand, project.parts, project.n_parts);
	esp_make_project_done(&project);
}

static inline void take_merged(struct stand *stand, bool has_otadata, uint32_t from)
{
	struct esp_make_project project =
		esp_make_project(stand->made->name, "1.0.0", 60000, has_otadata);
	struct esp_bytes merged = esp_make_merged(project.parts, project.n_parts, from);

	take_raw(stand, &merged);
	esp_bytes_done(&merged);
	esp_make_project_done(&project);
}

/* ------------------------------------------------------------------ the operations */

static inline int shape(struct stand *stand)
{
	return family_esp.shape_image(&stand->board, &stand->chip, &stand->image, &stand->reason);
}

static inline int check(struct stand *stand, uint32_t flash_bytes)
{
	return family_esp.check_image(
		&stand->board, &stand->chip, flash_bytes, &stand->image, &stand->reason);
}

/* As before a job: shaped, and checked for the largest chip of its kind. */
static inline int check_file(struct stand *stand)
{
	int r = shape(stand);

	return r == IMAGE_OK ? check(stand, stand->chip.flash.size) : r;
}

/* As in a job, with the check behind it. */
static inline int fit(struct stand *stand)
{
	int r = family_esp.fit(
		&stand->board, &stand->chip, &stand->access, &stand->image, &stand->reason);

	return r == IMAGE_OK ? check(stand, stand->access.flash_bytes) : r;
}

static inline void put(struct stand *stand, uint32_t offset, struct esp_bytes bytes)
{
	memcpy(stand->flash + offset, bytes.data, bytes.n);
	esp_bytes_done(&bytes);
}

/* As a job leaves it: sectors that the image touches have its bytes alone. */
static inline void write_image(struct stand *stand)
{
	for (uint32_t at = 0; at < FLASH_BYTES; at += 4096)
		if (image_touches(&stand->image, at, 4096))
			(void)image_copy(&stand->image, at, stand->flash + at, 4096);
}

/* A chip that runs a project of two slots; both sectors of otadata by their sequence numbers. */
static inline struct stand *stand_of_two_slots(const char *chip, uint32_t first, uint32_t second)
{
	struct stand *stand = stand_new(chip);

	take_project(stand, false);
	write_image(stand);
	put(stand, 0xE000, esp_make_otadata(first, second));
	memset(stand->flash + 0x9000, 0x5A, 0x5000); /* nvs */
	image_done(&stand->image);
	return stand;
}

static inline void expect_reason(const struct stand *stand, const char *expected)
{
	if (!strstr(stand->reason.text, expected))
		fail_msg("'%s' is not in: %s", expected, stand->reason.text);
}

#define REFUSED(stand_, call_, expected_)                       \
	do {                                                    \
		assert_int_equal(call_(stand_), IMAGE_REFUSED); \
		expect_reason((stand_), (expected_));           \
	} while (0)

#define REFUSED_BY_RULE(stand_, expected_)                      \
	do {                                                    \
		assert_int_equal(fit(stand_), FAMILY_FIT_RULE); \
		expect_reason((stand_), (expected_));           \
	} while (0)
