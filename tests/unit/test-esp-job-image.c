/* SPDX-License-Identifier: MIT */
/*
 * The files that people have for an ESP, from the image directory to the image of a job: which of
 * them are taken by which rule, and what is left of them when the port is opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "chip/chips.h"
#include "chip/family.h"
#include "flash/job-image.h"
#include "tools/esp-make.h"
#include "unit/folder.h"

#define VERSION	  "1.0.0"
#define APP_BYTES 60000

static void put_made(const char *name, struct esp_bytes bytes)
{
	put_bytes(name, bytes.data, bytes.n);
	esp_bytes_done(&bytes);
}

/* One build of each chip, in the forms in which people have it. */
static int fill_folder(void **state)
{
	static const char *const chips[] = {"esp32", "esp32c3"};

	if (folder_make(state) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct esp_make_project project =
			esp_make_project(chips[i], VERSION, APP_BYTES, false);
		char name[100];

		snprintf(name, sizeof(name), "%s-" VERSION, chips[i]);
		assert_int_equal(mkdir(in_folder(name), 0755), 0);
		esp_make_project_write(&project, in_folder(name));
		snprintf(name, sizeof(name), "%s-merged-" VERSION ".bin", chips[i]);
		put_made(name, esp_make_merged(project.parts, project.n_parts, 0));
		snprintf(name, sizeof(name), "%s-app-" VERSION ".bin", chips[i]);
		put_bytes(name, project.parts[2].bytes.data, project.parts[2].bytes.n);
		esp_make_project_done(&project);
	}
	return 0;
}

static const struct {
	const char *name, *file, *rule;
	const char *expected; /* part of the reason; NULL: the image is good, and: */
	size_t n_segments, n_parts;
	uint32_t start;
} rows[] = {
	{"a build", "esp32-1.0.0/flasher_args.json", "chip = esp32", NULL, 3, 3, 0x1000},
	{"a build for the C3", "esp32c3-1.0.0/flasher_args.json", "chip = esp32c3", NULL, 3, 3, 0},
	{"a build, for one chip of two", "esp32c3-1.0.0/flasher_args.json", "chip = esp32, esp32c3",
		NULL, 3, 3, 0},
	{"a build for another chip", "esp32c3-1.0.0/flasher_args.json", "chip = esp32",
		"image 'esp32c3-1.0.0/flasher_args.json': its files were built for 'esp32c3', and the chip is an ESP32",
		0, 0, 0},
	{"a merged file", "esp32-merged-1.0.0.bin", "chip = esp32", NULL, 3, 0, 0x1000},
	{"a merged file for the C3", "esp32c3-merged-1.0.0.bin", "chip = esp32c3", NULL, 3, 0, 0},
	{"a merged file for another chip", "esp32c3-merged-1.0.0.bin", "chip = esp32",
		"image 'esp32c3-merged-1.0.0.bin': the program at 0x0: its header says chip id 5 (ESP32-C3)",
		0, 0, 0},
	{"a merged file at an address", "esp32-merged-1.0.0.bin", "chip = esp32\naddress = 0x10000",
		"it is a merged file from 0x0 on, by its partition table, and the rule says `address = 0x10000`",
		0, 0, 0},
	{"an application alone", "esp32-app-1.0.0.bin", "chip = esp32",
		"image 'esp32-app-1.0.0.bin': it is an application alone 'plugflash-test' 1.0.0", 0,
		0, 0},
	{"an application at its address", "esp32-app-1.0.0.bin", "chip = esp32\naddress = 0x10000",
		NULL, 1, 0, 0x10000},
	{"an application for another chip", "esp32c3-app-1.0.0.bin",
		"chip = esp32\naddress = 0x10000",
		"image 'esp32c3-app-1.0.0.bin': the program at 0x10000: its header says chip id 5",
		0, 0, 0},
};

static void read_rule(const char *keys, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	char text[300], line[400];

	snprintf(text, sizeof(text), "[board gate]\nprotocol = esp\nimage = *\n%s\n", keys);
	assert_int_equal(ini_load_text(&ini, "test", text, strlen(text), &problems), 0);
	if (config_read_board(&ini, ret, &problems) != 0)
		fail_msg("%s", ini_problem_format(&problems.items[0], line, sizeof(line)));
}

static void each_form_is_taken_by_the_rule_that_means_it(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table chips = {0};

	(void)state;
	assert_int_equal(
		chip_table_load(chip_families, "config/chips.ini", NULL, &chips, &problems), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct assignment assignment = {
			.image_dir = folder, .image = (char *)rows[i].file, .any_owner = true};
		struct report report = {0};
		struct job_image job_image = {0};
		enum outcome outcome;

		read_rule(rows[i].rule, &assignment.board);
		outcome = job_image_load(&assignment, &chips, &job_image, &report);
		if (outcome != (rows[i].expected ? OUTCOME_BAD_IMAGE : OUTCOME_MAX) ||
			(rows[i].expected && !strstr(report.reason.text, rows[i].expected)))
			fail_msg("%s: %s", rows[i].name, report.reason.text);
		if (!rows[i].expected) {
			const struct image *image = &job_image.image;

			assert_int_equal(image->n_segments, rows[i].n_segments);
			assert_int_equal(image->n_parts, rows[i].n_parts);
			assert_int_equal(image->segments[0].address, rows[i].start);
			assert_false(image_touches(image, 0x9000, 0x7000));
		}
		job_image_done(&job_image);
		board_done(&assignment.board);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_is_taken_by_the_rule_that_means_it),
	};

	return cmocka_run_group_tests_name("esp-job-image", tests, fill_folder, folder_remove);
}
