/* SPDX-License-Identifier: MIT */
/*
 * Images that must not be flashed: refused before the board is touched, its port never opened. And
 * some that are odd and good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define HEX_MAX 65536

/* The good file, to be spoilt. */
struct hex {
	char text[HEX_MAX];
	size_t n;
};

static void load(struct hex *hex)
{
	CLEANUP(fclosep) FILE *f = fopen(FIRMWARE_OLD ".hex", "re");

	assert_non_null(f);
	hex->n = fread(hex->text, 1, sizeof(hex->text) - 1024, f);
	hex->text[hex->n] = '\0';
	assert_true(hex->n > 1000);
}

/* One record with its sum; `data` as hexadecimal digits. */
static void append(struct hex *hex, unsigned address, unsigned type, const char *data)
{
	size_t n_data = strlen(data) / 2;
	unsigned sum = (unsigned)n_data + (address >> 8) + address + type;

	for (size_t i = 0; i < n_data; i++) {
		char byte[3] = {data[2 * i], data[2 * i + 1]};

		sum += (unsigned)strtoul(byte, NULL, 16);
	}
	hex->n += (size_t)snprintf(hex->text + hex->n, sizeof(hex->text) - hex->n,
		":%02zX%04X%02X%s%02X\n", n_data, address & 0xFFFF, type, data, -sum & 0xFF);
}

static void cut_end(struct hex *hex)
{
	char *end = strstr(hex->text, ":00000001FF");

	assert_non_null(end);
	*end = '\0';
	hex->n = (size_t)(end - hex->text);
}

static void close_file(struct hex *hex)
{
	append(hex, 0, 1, "");
}

static char *third_line(struct hex *hex)
{
	char *line = hex->text;

	for (unsigned i = 0; i < 2; i++)
		line = strchr(line, '\n') + 1;
	return line;
}

static void spoil_nothing(struct hex *hex)
{
	(void)hex;
}

static void spoil_to_nothing(struct hex *hex)
{
	hex->n = 0;
}

static void spoil_to_one_byte(struct hex *hex)
{
	hex->n = 1;
}

static void spoil_by_half(struct hex *hex)
{
	hex->n /= 2;
}

static void spoil_sum(struct hex *hex)
{
	char *digit = third_line(hex) + 12;

	*digit = *digit == '0' ? '1' : '0';
}

static void spoil_digit(struct hex *hex)
{
	third_line(hex)[12] = 'g';
}

static void spoil_type(struct hex *hex)
{
	cut_end(hex);
	append(hex, 0, 7, "00");
	close_file(hex);
}

static void spoil_by_junk(struct hex *hex)
{
	third_line(hex)[0] = ';';
}

static void spoil_by_no_end(struct hex *hex)
{
	cut_end(hex);
}

static void spoil_by_data_after_the_end(struct hex *hex)
{
	append(hex, 0x8000, 0, "00112233");
}

static void spoil_by_overlap(struct hex *hex)
{
	cut_end(hex);
	append(hex, 0x0010, 0, "00112233");
	close_file(hex);
}

static void spoil_by_option_bytes(struct hex *hex)
{
	cut_end(hex);
	append(hex, 0, 4, "1FFF");
	append(hex, 0xF800, 0, "A55AFF00");
	close_file(hex);
}

static void spoil_by_data_beyond_the_flash(struct hex *hex)
{
	cut_end(hex);
	append(hex, 0, 4, "0810");
	append(hex, 0, 0, "00112233");
	close_file(hex);
}

static void spoil_by_a_gap_of_128_megabytes(struct hex *hex)
{
	cut_end(hex);
	append(hex, 0, 4, "0FFF");
	append(hex, 0xFFF0, 0, "00112233");
	close_file(hex);
}

/* A stack pointer in the flash, a reset vector in the RAM. */
static void spoil_vectors(struct hex *hex)
{
	hex->n = 0;
	append(hex, 0, 4, "0800");
	append(hex, 0, 0, "0000000801000020");
	close_file(hex);
}

static void odden_to_lower_case_and_blank_lines(struct hex *hex)
{
	for (size_t i = 0; i < hex->n; i++)
		if (hex->text[i] >= 'A' && hex->text[i] <= 'F')
			hex->text[i] = (char)(hex->text[i] + 'a' - 'A');
	hex->text[hex->n++] = '\n';
	hex->text[hex->n++] = '\n';
}

static const struct {
	const char *name;
	void (*change)(struct hex *hex);
	const char *outcome;
} rows[] = {
	{"the file as it is", spoil_nothing, "updated"},
	{"fault 28: an empty file", spoil_to_nothing, "bad-image"},
	{"fault 28: one byte", spoil_to_one_byte, "bad-image"},
	{"fault 28: half of the file", spoil_by_half, "bad-image"},
	{"fault 29: data beyond the flash", spoil_by_data_beyond_the_flash, "bad-image"},
	{"fault 36: bad checksum", spoil_sum, "bad-image"},
	{"fault 36: a character that is no digit", spoil_digit, "bad-image"},
	{"fault 36: unknown record type", spoil_type, "bad-image"},
	{"fault 36: a line of junk", spoil_by_junk, "bad-image"},
	{"fault 37: no end record", spoil_by_no_end, "bad-image"},
	{"fault 38: data after the end record", spoil_by_data_after_the_end, "bad-image"},
	{"fault 39: overlapping records", spoil_by_overlap, "bad-image"},
	{"fault 40: lower case and blank lines", odden_to_lower_case_and_blank_lines, "current"},
	{"fault 41: option bytes", spoil_by_option_bytes, "bad-image"},
	{"fault 43: a gap of 128 megabytes", spoil_by_a_gap_of_128_megabytes, "bad-image"},
	{"fault 44: a vector table that cannot be one", spoil_vectors, "bad-image"},
};

static void faults_28_to_44_bad_files_are_refused_before_the_port_is_opened(void **state)
{
	static char serials[ARRAY_SIZE(rows)][8], places[ARRAY_SIZE(rows)][8];
	struct bed_unit *unit = NULL;
	struct hex *hex = calloc(1, sizeof(*hex));

	assert_non_null(hex);
	scene_start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].name);
		load(hex);
		rows[i].change(hex);
		bed_put_bytes(*state, "gate-1.0.0.hex", hex->text, hex->n);
		snprintf(serials[i], sizeof(serials[i]), "A%zu", i);
		snprintf(places[i], sizeof(places[i]), "1-%zu", i + 1);
		unit = bed_plug(
			*state, &(struct bed_board){.serial = serials[i], .path = places[i]});
		/* The one that is to be found current holds the firmware already. */
		if (strcmp(rows[i].outcome, "current") == 0)
			bed_load_flash(unit, FIRMWARE_OLD_BIN);
		expect_outcome(unit, rows[i].outcome);
		if (strcmp(rows[i].outcome, "bad-image") == 0) {
			assert_int_equal(bed_opens(unit), 0);
			expect_field(bed_wait_outcome(unit, 0), FIELD_IMAGE, "gate-1.0.0.hex");
			expect_text(
				bed_wait_outcome(unit, 0), "MESSAGE", "image 'gate-1.0.0.hex': ");
		}
		bed_unplug(unit);
	}
	free(hex);
	expect_good_stop(*state);
}

/* Raw bytes at the start of the flash; the first two words are a good vector table. */
static void put_raw(struct bed *bed, size_t n_bytes)
{
	uint8_t *bytes = calloc(1, n_bytes);
	const uint32_t stack = 0x20000400, reset = 0x08000009;

	assert_non_null(bytes);
	memcpy(bytes, &stack, sizeof(stack));
	memcpy(bytes + 4, &reset, sizeof(reset));
	for (size_t i = 8; i < n_bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8));
	bed_remove_image(bed, "gate-1.0.0.hex");
	bed_put_bytes(bed, "gate-2.bin", bytes, n_bytes);
	free(bytes);
}

static void fault_29_a_raw_image_larger_than_any_chip_of_the_rule_is_refused(void **state)
{
	struct bed_unit *unit;

	put_raw(*state, 2 * 1024 * 1024);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "bad-image");
	assert_int_equal(bed_opens(unit), 0);
}

/* The id says 128 KiB at most, the chip's own register 64: known only once it was read. */
static void fault_29_an_image_larger_than_this_very_chip_is_refused_before_the_erase(void **state)
{
	struct bed_unit *unit;

	put_raw(*state, 100 * 1024);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "image 'gate-2.bin': ");
	expect_untouched(unit);
	expect_at_rest(unit);
}

static void fault_30_a_length_that_is_no_multiple_of_four_is_padded(void **state)
{
	const uint8_t *flash;
	uint32_t size;
	struct bed_unit *unit;

	put_raw(*state, 1021);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	flash = bed_flash(unit, &size);
	assert_int_equal(flash[1020], (uint8_t)(1020 * 7 + (1020 >> 8)));
	for (uint32_t i = 1021; i < size; i++)
		assert_int_equal(flash[i], 0xFF);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
}

static void an_image_directory_that_is_not_there_is_no_image(void **state)
{
	struct bed_unit *unit;

	bed_write_config(*state, "plugflash.conf", "[service]\nimage-dir = /run/bed/nowhere\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	assert_non_null(bed_wait_outcome(unit, BED_LONG));
	expect_text(bed_wait_outcome(unit, 0), "MESSAGE", "/run/bed/nowhere");
	expect_outcome(unit, "no-image");
	assert_int_equal(bed_opens(unit), 0);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(faults_28_to_44_bad_files_are_refused_before_the_port_is_opened),
	SCENE_TEST(fault_29_a_raw_image_larger_than_any_chip_of_the_rule_is_refused),
	SCENE_TEST(fault_29_an_image_larger_than_this_very_chip_is_refused_before_the_erase),
	SCENE_TEST(fault_30_a_length_that_is_no_multiple_of_four_is_padded),
	SCENE_TEST(an_image_directory_that_is_not_there_is_no_image),
};

SCENE_MAIN(tests)
