/* SPDX-License-Identifier: MIT */
/* What the chip's own flash says of an image: where it belongs, and whether it would be started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/esp-stand.h"

/* ------------------------------------------------------------------ what the chip says */

static void check_09_a_chip_of_another_revision_is_refused(void **state)
{
	static const struct {
		uint16_t min, max;
		bool has_revision;
		uint32_t revision;
		const char *expected;
	} rows[] = {
		{300, 399, true, 301, NULL},
		{300, 399, true, 300, NULL},
		{300, 399, true, 399, NULL},
		{300, 399, false, 0, NULL},
		{300, 399, true, 101,
			"it wants a chip of revision 3.0 or later, and this ESP32 is of revision 1.1"},
		{0, 199, true, 301,
			"it wants a chip of revision 1.99 or earlier, and this ESP32 is of revision 3.1"},
		{0, ESP_ANY_REVISION, true, 9999, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand *stand = stand_of_two_slots("esp32", 1, 0);
		uint8_t description[ESP_DESCRIPTION];
		const struct esp_make_segment segment = {
			0x3F400020, description, sizeof(description)};
		struct esp_bytes bytes;

		esp_make_description(description, "blink", "2");
		bytes = esp_make_image(&(struct esp_make_image){.min_revision = rows[i].min,
			.max_revision = rows[i].max,
			.segments = &segment,
			.n_segments = 1});
		stand->access.has_revision = rows[i].has_revision;
		stand->access.revision = rows[i].revision;
		stand->board.partition = "app0";
		take_raw(stand, &bytes);
		assert_int_equal(check_file(stand), IMAGE_OK);
		assert_int_equal(fit(stand), rows[i].expected ? IMAGE_REFUSED : IMAGE_OK);
		if (rows[i].expected)
			expect_reason(stand, rows[i].expected);
		esp_bytes_done(&bytes);
		stand_free(stand);
	}
}

static void a_named_partition_is_found_in_the_chip(void **state)
{
	static const struct {
		const char *partition;
		uint32_t sequence, offset;
	} rows[] = {{"app0", 1, 0x10000}, {"ota_0", 1, 0x10000}, {"app1", 2, 0x150000},
		{"ota_1", 2, 0x150000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stand *stand = stand_of_two_slots("esp32c3", rows[i].sequence, 0);

		stand->board.partition = (char *)rows[i].partition;
		take_application(stand, "2.0.0", 50000);
		assert_int_equal(check_file(stand), IMAGE_OK);
		/* Again, as in a later pass of the job. */
		for (unsigned pass = 0; pass < 3; pass++) {
			assert_int_equal(fit(stand), IMAGE_OK);
			assert_int_equal(stand->image.n_segments, 1);
			assert_int_equal(stand->image.segments[0].address, rows[i].offset);
			assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start,
				rows[i].offset);
		}
		/* Table and otadata alone were read, and little of them. */
		assert_in_range(stand->n_reads, 1, 3 * 8);
		stand_free(stand);
	}
}

static const struct place_row {
	const char *name;
	const char *partition; /* or NULL: */
	uint32_t address;
	bool is_data;
	size_t size;
	int result;
	const char *expected; /* NULL: taken */
} place_rows[] = {
	{"an application", "app0", 0, false, 5000, IMAGE_OK, NULL},
	{"by its address", NULL, 0x10000, false, 5000, IMAGE_OK, NULL},
	{"no such partition", "factory", 0, false, 5000, FAMILY_FIT_RULE,
		"the rule wants it in the partition 'factory', and the chip's partition table has 'nvs', 'otadata', 'app0' (ota_0), 'app1' (ota_1), 'spiffs', 'coredump'"},
	{"otadata", "otadata", 0, true, 5000, FAMILY_FIT_RULE,
		"the partition 'otadata' selects what is started"},
	{"too large", "app0", 0, false, 0x150000, FAMILY_FIT_IMAGE,
		"bytes are more than the chip's partition 'app0' (ota_0) has room for"},
	{"too large by its address", NULL, 0x10000, false, 0x150000, FAMILY_FIT_IMAGE,
		"bytes are more than the partition 'app0' (ota_0) has room for"},
	{"data as an application", "app0", 0, true, 5000, FAMILY_FIT_IMAGE,
		"partition 'app0' (ota_0) at 0x10000: it begins with 0x11"},
	{"data by its address as an application", NULL, 0x10000, true, 5000, FAMILY_FIT_IMAGE,
		"partition 'app0' (ota_0) at 0x10000: it begins with 0x11"},
	{"data", "spiffs", 0, true, 5000, IMAGE_OK, NULL},
	{"data by its address", NULL, 0x290000, true, 5000, IMAGE_OK, NULL},
	{"data in the middle of its partition", NULL, 0x2A0000, true, 5000, IMAGE_OK, NULL},
	{"an application as data", "spiffs", 0, false, 5000, FAMILY_FIT_IMAGE,
		"partition 'spiffs' at 0x290000: it is a program, and the chip has its partition 'spiffs' for data"},
	{"in the middle", NULL, 0x20000, false, 5000, FAMILY_FIT_IMAGE,
		"it is in the middle of the application partition 'app0' (ota_0), which begins at 0x10000"},
	{"beside all partitions", NULL, 0x7000, false, 3000, FAMILY_FIT_IMAGE,
		"it is an application, and no partition begins there; the partition table of the chip has 'nvs'"},
	{"into a partition", NULL, 0x8000, true, 0x2000, FAMILY_FIT_IMAGE,
		"bytes reach into the partition 'nvs' at 0x9000"},
};

static void a_place_is_checked_by_the_chips_table(void **state)
{
	const struct place_row *row = *state;
	struct stand *stand = stand_of_two_slots("esp32", 0, 0);

	stand->board.partition = (char *)row->partition;
	stand->board.has_address = !row->partition;
	stand->board.address = row->address;
	if (row->is_data)
		take_data(stand, row->size);
	else
		take_application(stand, "2.0.0", row->size);
	assert_int_equal(check_file(stand), IMAGE_OK);
	assert_int_equal(fit(stand), row->result);
	if (row->expected)
		expect_reason(stand, row->expected);
	stand_free(stand);
}

static void without_a_table_nothing_would_start_an_application(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_bytes own = esp_make_bootloader(stand->made, 0, 1);

	(void)state;
	stand->board.partition = "app0";
	take_application(stand, "2.0.0", 5000);
	assert_int_equal(check_file(stand), IMAGE_OK);
	REFUSED(stand, fit, "the chip has no partition table at 0x8000 (it begins with 0xff 0xff)");
	/* A boot loader alone needs none. */
	stand->board.partition = NULL;
	stand->board.has_address = true;
	stand->board.address = 0x1000;
	take_raw(stand, &own);
	assert_int_equal(check_file(stand), IMAGE_OK);
	assert_int_equal(fit(stand), IMAGE_OK);
	/* Nor do data, where the rule says the address. */
	stand->board.address = 0x20000;
	take_data(stand, 5000);
	assert_int_equal(check_file(stand), IMAGE_OK);
	assert_int_equal(fit(stand), IMAGE_OK);
	/* A table that is damaged is not none. */
	put(stand, 0x8000, esp_make_table(esp_make_two_slots, 6, true));
	stand->flash[0x8010] ^= 1;
	REFUSED(stand, fit, "the chip has no partition table at 0x8000 (its MD5");
	/* A read that failed is not an empty flash. */
	stand->board.address = 0x10000;
	take_application(stand, "2.0.0", 5000);
	stand->read_result = -EIO;
	assert_int_equal(fit(stand), -EIO);
	esp_bytes_done(&own);
	stand_free(stand);
}

/* ------------------------------------------------------------------ what is started */

static void check_22_another_slot_that_is_started_is_seen(void **state)
{
	struct stand *stand = stand_of_two_slots("esp32", 1, 2);
	uint8_t nvs[0x5000], first[4096];

	(void)state;
	memcpy(nvs, stand->flash + 0x9000, sizeof(nvs));
	memcpy(first, stand->flash + 0xE000, sizeof(first));
	stand->board.partition = "app0";
	take_application(stand, "2.0.0", 50000);
	assert_int_equal(check_file(stand), IMAGE_OK);
	REFUSED_BY_RULE(stand,
		"it is for the application partition 'app0' (ota_0), and the chip's otadata select 'app1' (ota_1), so that 'app1' (ota_1) would be started and not the image: `otadata = select` in the rule");
	/* The same by its address, and with a whole image that has no otadata. */
	stand->board.partition = NULL;
	stand->board.has_address = true;
	stand->board.address = 0x10000;
	take_application(stand, "2.0.0", 50000);
	REFUSED_BY_RULE(stand, "the chip's otadata select 'app1' (ota_1)");
	stand->board.has_address = false;
	take_merged(stand, false, 0);
	assert_int_equal(check_file(stand), IMAGE_OK);
	REFUSED_BY_RULE(stand, "the chip's otadata select 'app1' (ota_1)");
	/* By the key the selection comes into the image, in the sector that does not count. */
	stand->board.otadata = BOARD_OTADATA_SELECT;
	stand->board.partition = "app0";
	take_application(stand, "2.0.0", 50000);
	for (unsigned pass = 0; pass < 2; pass++) {
		assert_int_equal(fit(stand), IMAGE_OK);
		assert_int_equal(stand->image.n_segments, 2);
		assert_int_equal(stand->image.segments[0].address, 0xE000);
		assert_int_equal(stand->image.segments[0].size, 32);
		assert_int_equal(stand->image.segments[1].address, 0x10000);
		assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start, 0x10000);
	}
	write_image(stand);
	assert_memory_equal(stand->flash + 0x9000, nvs, sizeof(nvs));
	assert_int_equal(stand->flash[0xE000], 3);
	assert_int_equal(stand->flash[0xF000], 2);
	/* At the next plug-in it is selected, and nothing but the application is compared. */
	stand->board.otadata = BOARD_OTADATA_KEEP;
	take_application(stand, "2.0.0", 50000);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 1);
	stand_free(stand);
}

/* The entry of sequence 489 begins as a program of one segment does. */
static void a_selection_is_not_taken_for_a_program(void **state)
{
	struct stand *stand = stand_of_two_slots("esp32c3", 487, 488);

	(void)state;
	stand->board.otadata = BOARD_OTADATA_SELECT;
	stand->board.partition = "app0";
	take_application(stand, "2.0.0", 50000);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.segments[0].data[0], ESP_FIRST_BYTE);
	assert_int_equal(stand->image.segments[0].data[1], 1);
	assert_int_equal(family_esp.find_start(&stand->chip, &stand->image).start, 0x10000);
	assert_int_equal(fit(stand), IMAGE_OK);
	stand_free(stand);
}

/* A pass after the selection was written, in the same job. */
static void a_selection_that_was_written_is_left_alone(void **state)
{
	struct stand *stand = stand_of_two_slots("esp32", 1, 2);

	(void)state;
	stand->board.otadata = BOARD_OTADATA_SELECT;
	stand->board.partition = "app0";
	take_application(stand, "2.0.0", 50000);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 2);
	(void)image_copy(&stand->image, 0xE000, stand->flash + 0xE000, 4096);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 1);
	assert_int_equal(stand->image.segments[0].address, 0x10000);
	assert_int_equal(fit(stand), IMAGE_OK);
	stand_free(stand);
}

/* Torn in the erase of that sector, the next pass or plug-in brings it again. */
static void a_torn_selection_is_made_again(void **state)
{
	struct stand *stand = stand_of_two_slots("esp32", 1, 2);

	(void)state;
	stand->board.otadata = BOARD_OTADATA_SELECT;
	stand->board.partition = "app0";
	memset(stand->flash + 0xE000, 0xFF, 4096);
	take_application(stand, "2.0.0", 50000);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 2);
	assert_int_equal(image_byte(&stand->image, 0xE000), 3);
	stand_free(stand);
}

/* The boot loader and the application write into otadata as they like. */
static void otadata_of_the_image_are_no_difference(void **state)
{
	struct stand *stand = stand_of_two_slots("esp32", 7, 6);
	uint8_t as_it_was[0x2000];

	(void)state;
	memcpy(as_it_was, stand->flash + 0xE000, sizeof(as_it_was));
	take_project(stand, true);
	assert_int_equal(check_file(stand), IMAGE_OK);
	for (unsigned pass = 0; pass < 2; pass++) {
		assert_int_equal(fit(stand), IMAGE_OK);
		assert_false(image_touches(&stand->image, 0xE000, 0x2000));
		assert_true(image_touches(&stand->image, 0x10000, 1));
		assert_int_equal(stand->image.n_parts, 4);
	}
	write_image(stand);
	assert_memory_equal(stand->flash + 0xE000, as_it_was, sizeof(as_it_was));
	/* Where the chip selects another application, they are written. */
	put(stand, 0xE000, esp_make_otadata(7, 8));
	take_project(stand, true);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_true(image_touches(&stand->image, 0xE000, 1));
	write_image(stand);
	take_project(stand, true);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_false(image_touches(&stand->image, 0xE000, 0x2000));
	stand_free(stand);
}

static void an_image_that_selects_what_it_has_not_is_refused(void **state)
{
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 60000, true);

	(void)state;
	esp_bytes_done(&project.parts[2].bytes);
	project.parts[2].bytes = esp_make_otadata(2, 0);
	take_parts(stand, project.parts, project.n_parts);
	REFUSED(stand, fit,
		"it is for the application partition 'app0' (ota_0), and its own otadata select 'app1' (ota_1)");
	stand->board.otadata = BOARD_OTADATA_SELECT;
	REFUSED(stand, fit, "take an image whose parts agree");
	esp_make_project_done(&project);
	stand_free(stand);
}

/* With a factory application blank otadata start that, and not the slot that was written. */
static void the_factory_application_goes_first(void **state)
{
	static const struct esp_make_partition partitions[] = {
		{"otadata", 1, 0, 0xD000, 0x2000, 0},
		{"factory", 0, 0, 0x10000, 0x100000, 0},
		{"ota_0", 0, 0x10, 0x110000, 0x100000, 0},
	};
	struct stand *stand = stand_new("esp32");

	(void)state;
	put(stand, 0x1000, esp_make_bootloader(stand->made, 0, 1));
	put(stand, 0x8000, esp_make_table(partitions, ARRAY_SIZE(partitions), true));
	stand->board.partition = "ota_0";
	take_application(stand, "2.0.0", 5000);
	REFUSED_BY_RULE(stand, "the chip's otadata select 'factory'");
	stand->board.otadata = BOARD_OTADATA_SELECT;
	assert_int_equal(fit(stand), IMAGE_OK);
	write_image(stand);
	/* And back: both entries are blanked. */
	stand->board.partition = "factory";
	take_application(stand, "3.0.0", 5000);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 3);
	assert_int_equal(fit(stand), IMAGE_OK);
	write_image(stand);
	take_application(stand, "3.0.0", 5000);
	stand->board.otadata = BOARD_OTADATA_KEEP;
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 1);
	stand_free(stand);
}

static void an_update_that_waits_for_its_confirmation_is_not_believed(void **state)
{
	struct stand *stand = stand_of_two_slots("esp32", 2, 3);

	(void)state;
	esp_put32(stand->flash + 0xF000 + 24, 1);
	stand->board.partition = "app0";
	take_application(stand, "2.0.0", 5000);
	REFUSED_BY_RULE(stand, "nobody can say what would be started");
	stand->board.otadata = BOARD_OTADATA_SELECT;
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.n_segments, 2);
	stand_free(stand);
}

/* An application for tests is started by a pin, whatever otadata select. */
static void an_application_for_tests_needs_no_selection(void **state)
{
	static const struct esp_make_partition partitions[] = {
		{"otadata", 1, 0, 0xD000, 0x2000, 0},
		{"factory", 0, 0, 0x10000, 0x100000, 0},
		{"selftest", 0, 0x20, 0x110000, 0x100000, 0},
	};
	struct stand *stand = stand_new("esp32");

	(void)state;
	put(stand, 0x1000, esp_make_bootloader(stand->made, 0, 1));
	put(stand, 0x8000, esp_make_table(partitions, ARRAY_SIZE(partitions), true));
	stand->board.partition = "test";
	take_application(stand, "2.0.0", 5000);
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(stand->image.segments[0].address, 0x110000);
	stand_free(stand);
}

/* Where an image has both, the first is the one that is selected. */
static void of_two_applications_the_first_is_selected(void **state)
{
	static const struct esp_make_partition partitions[] = {
		{"otadata", 1, 0, 0xD000, 0x2000, 0},
		{"b", 0, 0x11, 0x110000, 0x100000, 0},
		{"a", 0, 0x10, 0x10000, 0x100000, 0},
	};
	struct stand *stand = stand_new("esp32");
	struct esp_make_project project = esp_make_project("esp32", "1.0.0", 60000, false);
	struct esp_make_part parts[] = {project.parts[0], project.parts[1], project.parts[2],
		{0x110000, "b", "b.bin", project.parts[2].bytes}};

	(void)state;
	esp_bytes_done(&parts[1].bytes);
	parts[1].bytes = project.parts[1].bytes =
		esp_make_table(partitions, ARRAY_SIZE(partitions), true);
	put(stand, 0xD000, esp_make_otadata(3, 4));
	esp_put32(stand->flash + 0xE000 + 24, 1); /* not confirmed */
	take_parts(stand, parts, ARRAY_SIZE(parts));
	REFUSED_BY_RULE(stand, "it is for the application partition 'a' (ota_0)");
	stand->board.otadata = BOARD_OTADATA_SELECT;
	assert_int_equal(fit(stand), IMAGE_OK);
	assert_int_equal(image_byte(&stand->image, 0xE000), 5);
	esp_make_project_done(&project);
	stand_free(stand);
}

/* An update that was cut off has left none, and a rule for the application alone comes next. */
static void without_a_boot_loader_no_application_is_written(void **state)
{
	struct stand *stand = stand_of_two_slots("esp32", 1, 0);

	(void)state;
	memset(stand->flash + 0x1000, 0xFF, 4096);
	stand->board.partition = "app0";
	take_application(stand, "2.0.0", 5000);
	REFUSED(stand, fit,
		"the chip has no boot loader at 0x1000 that would start it (0xff is there): flash the whole image");
	stand->board.partition = "spiffs";
	take_data(stand, 5000);
	assert_int_equal(fit(stand), IMAGE_OK);
	stand->board.partition = NULL;
	take_project(stand, false);
	assert_int_equal(fit(stand), IMAGE_OK);
	stand_free(stand);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, check_09_a_chip_of_another_revision_is_refused);
	ADD_TEST(tests, n_tests, a_named_partition_is_found_in_the_chip);
	ADD_ROWS(tests, n_tests, place_rows, a_place_is_checked_by_the_chips_table);
	ADD_TEST(tests, n_tests, without_a_table_nothing_would_start_an_application);
	ADD_TEST(tests, n_tests, check_22_another_slot_that_is_started_is_seen);
	ADD_TEST(tests, n_tests, a_selection_is_not_taken_for_a_program);
	ADD_TEST(tests, n_tests, a_selection_that_was_written_is_left_alone);
	ADD_TEST(tests, n_tests, a_torn_selection_is_made_again);
	ADD_TEST(tests, n_tests, otadata_of_the_image_are_no_difference);
	ADD_TEST(tests, n_tests, an_image_that_selects_what_it_has_not_is_refused);
	ADD_TEST(tests, n_tests, the_factory_application_goes_first);
	ADD_TEST(tests, n_tests, an_update_that_waits_for_its_confirmation_is_not_believed);
	ADD_TEST(tests, n_tests, an_application_for_tests_needs_no_selection);
	ADD_TEST(tests, n_tests, of_two_applications_the_first_is_selected);
	ADD_TEST(tests, n_tests, without_a_boot_loader_no_application_is_written);
	return RUN_TESTS("esp-fit", tests, n_tests);
}
