/* SPDX-License-Identifier: MIT */
/* What manifest, rule and chip table say together of an image, before any port is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chip/chips.h"
#include "chip/family.h"
#include "flash/job-image.h"
#include "tools/esp-make.h"
#include "unit/folder.h"

#define CHIPS "config/chips.ini"

static const char *const raw_files[] = {"gate-1.0.0.bin", "tests/firmware/firmware-1.0.0.bin"};
static const char *const hex_files[] = {"gate-1.0.0.hex", "tests/firmware/firmware-1.0.0.hex"};

static void put_file(const char *name, const char *from)
{
	static char bytes[65536];
	CLEANUP(fclosep) FILE *f = fopen(from, "r");

	assert_non_null(f);
	put_bytes(name, bytes, fread(bytes, 1, sizeof(bytes), f));
}

static void rule_from(const char *keys, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	char text[300];

	snprintf(text, sizeof(text), "[board gate]\nimage = gate-*\n%s\n", keys);
	assert_int_equal(ini_load_text(&ini, "test", text, strlen(text), &problems), 0);
	assert_int_equal(config_read_board(&ini, ret, &problems), 0);
}

static const struct {
	const char *name;
	const char *const *file;
	const char *rule;
	const char *manifest; /* NULL: none */
	enum outcome outcome;
	const char *expected; /* part of the reason, or the chips that are left */
	uint32_t start;	      /* of the image */
} rows[] = {
	{"no manifest", raw_files, "chip = 0x410", NULL, OUTCOME_MAX, "0x410", 0x08000000},
	{"a manifest that says nothing", raw_files, "chip = 0x410", "", OUTCOME_MAX, "0x410",
		0x08000000},
	{"the chip of the rule", raw_files, "chip = 0x410", "chip = 0x410", OUTCOME_MAX, "0x410",
		0x08000000},
	{"the same chip by another name", raw_files, "chip = F103xB", "chip = 0x410", OUTCOME_MAX,
		"0x410", 0x08000000},
	{"one chip of two", raw_files, "chip = 0x410, 0x414", "chip = 0x414", OUTCOME_MAX, "0x414",
		0x08000000},
	{"two of three", raw_files, "chip = 0x410 0x414 0x412", "chip = 0x412 0x413 0x410",
		OUTCOME_MAX, "0x410 0x412", 0x08000000},
	{"another chip", raw_files, "chip = 0x410", "chip = 0x414", OUTCOME_BAD_IMAGE,
		"gate-1.0.0.bin.ini:2: [image] chip: none of these is a chip of board 'gate'", 0},
	{"a chip that nobody knows", raw_files, "chip = 0x410", "chip = 0x410, F999",
		OUTCOME_BAD_IMAGE,
		"gate-1.0.0.bin.ini:2: [image] chip: expected a product id like 0x414, or a name "
		"of "
		"the chip table like F103xC, got 'F999'; `plugflash probe` tells the id of a chip",
		0},
	{"where a raw image belongs", raw_files, "chip = 0x410\nvector-table = ignore",
		"address = 0x08002000", OUTCOME_MAX, "0x410", 0x08002000},
	{"the same as the rule says", raw_files,
		"chip = 0x410\nvector-table = ignore\naddress = 0x08002000", "address = 0x08002000",
		OUTCOME_MAX, "0x410", 0x08002000},
	{"not as the rule says", raw_files, "chip = 0x410\naddress = 0x08001000",
		"address = 0x08002000", OUTCOME_BAD_IMAGE,
		"[image] address: 0x08002000, but the rule 'gate' says 0x08001000", 0},
	{"outside the flash", raw_files, "chip = 0x410", "address = 0x20000000", OUTCOME_BAD_IMAGE,
		"0x20000000", 0},
	{"where a HEX file begins", hex_files, "chip = 0x410", "address = 0x08000000", OUTCOME_MAX,
		"0x410", 0x08000000},
	{"not where a HEX file begins", hex_files, "chip = 0x410", "address = 0x08002000",
		OUTCOME_BAD_IMAGE,
		"gate-1.0.0.hex.ini:2: [image] address: 0x08002000, but the first byte of the "
		"image belongs to 0x08000000",
		0},
	{"another board", raw_files, "chip = 0x410", "board = door", OUTCOME_BAD_IMAGE,
		"the image is not for board 'gate'", 0},
};

static enum outcome load_chosen(size_t i, const char *known, const char *stamp,
	struct job_image *job_image, struct report *report)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table chips = {0};
	CLEANUP(freep) char *manifest = NULL;
	struct assignment assignment = {
		.image_dir = folder,
		.image = (char *)rows[i].file[0],
		.stamp = (char *)stamp,
		.known_sha256 = (char *)known,
	};
	enum outcome outcome;
	char name[64];

	snprintf(name, sizeof(name), "%s.ini", rows[i].file[0]);
	put_file(rows[i].file[0], rows[i].file[1]);
	unlink(in_folder(name));
	if (rows[i].manifest) {
		assert_true(asprintf(&manifest, "[image]\n%s\n", rows[i].manifest) > 0);
		put_text(name, manifest);
	}
	assert_int_equal(chip_table_load(chip_families, CHIPS, NULL, &chips, &problems), 0);
	rule_from(rows[i].rule, &assignment.board);
	outcome = job_image_load(&assignment, &chips, job_image, report);
	/* The list is the assignment's, where it was not narrowed: nobody looks at it later. */
	if (outcome == OUTCOME_MAX && !job_image->chip)
		job_image->board.n_chip = 0;
	board_done(&assignment.board);
	return outcome;
}

static enum outcome load(
	size_t i, const char *known, struct job_image *job_image, struct report *report)
{
	return load_chosen(i, known, NULL, job_image, report);
}

static void chips_and_address_are_what_all_agree_upon(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct report report = {0};
		struct job_image job_image = {0};
		enum outcome outcome = load(i, NULL, &job_image, &report);
		char chips[64] = "";

		for (size_t j = 0; job_image.chip && job_image.chip[j]; j++)
			snprintf(chips + strlen(chips), sizeof(chips) - strlen(chips), "%s%s",
				j ? " " : "", job_image.chip[j]);
		if (outcome != rows[i].outcome ||
			(outcome != OUTCOME_MAX && !strstr(report.reason.text, rows[i].expected)))
			fail_msg("%s: got '%s', '%s'", rows[i].name,
				outcome == OUTCOME_MAX ? "good" : outcome_to_string(outcome),
				report.reason.text);
		if (job_image.chip)
			assert_string_equal(chips, rows[i].expected);
		if (outcome == OUTCOME_MAX) {
			assert_int_equal(job_image.image.segments[0].address, rows[i].start);
			assert_string_equal(report.version, "1.0.0");
		} else {
			assert_int_equal(report.phase, PHASE_IMAGE);
		}
		job_image_done(&job_image);
	}
}

static void the_image_that_a_unit_holds_already_ends_the_job(void **state)
{
	struct report report = {0}, again = {0}, moved = {0}, other = {0};
	struct job_image job_image = {0};
	(void)state;

	assert_int_equal(load(0, NULL, &job_image, &report), OUTCOME_MAX);
	job_image_done(&job_image);
	assert_int_equal(load(0, report.sha256, &job_image, &again), OUTCOME_CURRENT);
	assert_int_equal(again.outcome, OUTCOME_CURRENT);
	assert_string_equal(again.sha256, report.sha256);

	/* The same bytes elsewhere are another image. */
	assert_int_equal(load(8, report.sha256, &job_image, &moved), OUTCOME_MAX);
	job_image_done(&job_image);
	report.sha256[0] ^= 1;
	assert_int_equal(load(0, report.sha256, &job_image, &other), OUTCOME_MAX);
	job_image_done(&job_image);
}

/* What it would have been refused for, as another board's, counts no more than what is good. */
static void fault_26_files_that_are_not_those_that_were_chosen_are_no_failure(void **state)
{
	static const size_t some[] = {0, 3, ARRAY_SIZE(rows) - 1};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		struct report report = {0};
		struct job_image job_image = {0};

		assert_int_equal(load_chosen(some[i], NULL, "those of before", &job_image, &report),
			OUTCOME_BAD_IMAGE);
		assert_int_equal(report.error, ESTALE);
		assert_int_equal(report.phase, PHASE_IMAGE);
		assert_non_null(strstr(report.reason.text, "changed after it was chosen"));
	}
}

/* ------------------------------------------------------------------ several files */

#define BUILD_NAME "gate-1.2.0/flasher_args.json"

static enum outcome load_build(
	const char *rule, const char *known, struct job_image *job_image, struct report *report)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table chips = {0};
	struct assignment assignment = {
		.image_dir = folder, .image = (char *)BUILD_NAME, .known_sha256 = (char *)known};
	enum outcome outcome;

	assert_int_equal(chip_table_load(chip_families, CHIPS, NULL, &chips, &problems), 0);
	rule_from(rule, &assignment.board);
	outcome = job_image_load(&assignment, &chips, job_image, report);
	if (outcome == OUTCOME_MAX)
		job_image->board.n_chip = 0; /* as above */
	board_done(&assignment.board);
	return outcome;
}

static void a_build_of_esp_idf_is_one_image(void **state)
{
	static const struct {
		const char *rule, *expected; /* NULL: it is good */
	} builds[] = {
		{"protocol = esp\nchip = esp32", NULL},
		{"protocol = esp\nchip = esp32c3", "esp32"},
		{"chip = 0x410", "outside the flash"},
	};
	struct esp_make_project project = esp_make_project("esp32", "1.2.0", 20000, true);
	char known[DIGEST_HEX_SIZE] = "";
	(void)state;

	assert_int_equal(mkdir(in_folder("gate-1.2.0"), 0755), 0);
	esp_make_project_write(&project, in_folder("gate-1.2.0"));
	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		struct report report = {0}, again = {0};
		struct job_image job_image = {0};
		enum outcome outcome = load_build(builds[i].rule, NULL, &job_image, &report);

		if (outcome != (builds[i].expected ? OUTCOME_BAD_IMAGE : OUTCOME_MAX) ||
			(builds[i].expected && !strstr(report.reason.text, builds[i].expected)))
			fail_msg("%s: got %d, '%s'", builds[i].rule, outcome, report.reason.text);
		if (builds[i].expected)
			continue;
		assert_string_equal(report.version, "1.2.0");
		assert_string_equal(report.image, BUILD_NAME);
		assert_string_equal(job_image.image.chip, "esp32");
		assert_int_equal(job_image.image.n_parts, project.n_parts);
		for (size_t j = 0; j < project.n_parts; j++) {
			const struct esp_make_part *part = &project.parts[j];
			CLEANUP(freep) uint8_t *bytes = malloc(part->bytes.n);

			assert_non_null(bytes);
			assert_int_equal(job_image.image.parts[j].address, part->offset);
			assert_int_equal(job_image.image.parts[j].size, part->bytes.n);
			assert_true(
				image_copy(&job_image.image, part->offset, bytes, part->bytes.n));
			assert_memory_equal(bytes, part->bytes.data, part->bytes.n);
		}
		job_image_done(&job_image);
		memcpy(known, report.sha256, sizeof(known));
		assert_int_equal(
			load_build(builds[i].rule, known, &job_image, &again), OUTCOME_CURRENT);
	}
	esp_make_project_done(&project);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chips_and_address_are_what_all_agree_upon),
		cmocka_unit_test(the_image_that_a_unit_holds_already_ends_the_job),
		cmocka_unit_test(fault_26_files_that_are_not_those_that_were_chosen_are_no_failure),
		cmocka_unit_test(a_build_of_esp_idf_is_one_image),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
