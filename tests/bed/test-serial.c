/* SPDX-License-Identifier: MIT */
/* What each unit has for itself, given by the real service to real workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define PLACE	0x8000 /* in the flash, behind the firmware */
#define NUMBERS "serialize = 0x08008000+8 decimal 41\n"

static bool has_number(struct bed_unit *unit, const char *number)
{
	uint32_t size;

	return memcmp(bed_flash(unit, &size) + PLACE, number, 8) == 0;
}

static bool begins_with_new_firmware(struct bed_unit *unit)
{
	return bed_flash_begins(unit, FIRMWARE_NEW_BIN);
}

static void two_boards_at_once_get_two_numbers(void **state)
{
	struct bed_unit *a, *b;

	scene_configure(*state, "", NUMBERS);
	scene_start(*state);
	a = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = {.seed = 1}});
	b = bed_plug(*state, &(struct bed_board){.serial = "A2", .faults = {.seed = 2}});
	expect_outcome(a, "updated");
	expect_outcome(b, "updated");
	assert_true((has_number(a, "00000041") && has_number(b, "00000042")) ||
		    (has_number(a, "00000042") && has_number(b, "00000041")));
}

static void a_number_stays_at_a_replug_and_with_a_new_image(void **state)
{
	struct bed_unit *unit;
	unsigned n_erases;

	scene_configure(*state, "", NUMBERS);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_field(expect_outcome(unit, "updated"), FIELD_UNIT_DATA, "00000041");
	expect_text(expect_outcome(unit, "updated"), "MESSAGE", "with its own '00000041'");
	expect_at_rest(unit);
	n_erases = scene_erases(unit);
	expect_good_stop(*state);
	bed_unplug(unit);

	scene_start(*state);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "current"), FIELD_UNIT_DATA, "00000041");
	assert_int_equal(scene_erases(unit), n_erases);
	bed_unplug(unit);

	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "updated"), FIELD_UNIT_DATA, "00000041");
	assert_true(has_number(unit, "00000041"));
	assert_true(begins_with_new_firmware(unit));
}

static void a_unit_that_failed_keeps_its_number(void **state)
{
	const struct bed_board stuck = {
		.serial = "A1", .faults = {.seed = 1, .stuck_address = 0x08000400}};
	const struct bed_board other = {.serial = "A2", .faults = {.seed = 2}};
	const struct sim_faults none = {0};
	struct bed_unit *a, *b;

	scene_configure(*state, "", NUMBERS "retries = 0\n");
	scene_start(*state);
	a = bed_plug(*state, &stuck);
	expect_field(expect_outcome(a, "verify-differs"), FIELD_UNIT_DATA, "00000041");
	b = bed_plug(*state, &other);
	expect_outcome(b, "updated");
	assert_true(has_number(b, "00000042"));
	bed_unplug(a);
	bed_set_faults(a, &none);
	bed_replug(a, NULL);
	bed_set_faults(a, &none);
	expect_outcome(a, "updated");
	assert_true(has_number(a, "00000041"));
}

static void write_lines(const char *path, const char *lines)
{
	CLEANUP(fclosep) FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_true(fputs(lines, to) >= 0);
}

static void when_the_lines_are_given_nothing_is_erased(void **state)
{
	char path[400], key[500];
	struct bed_unit *a, *b;

	snprintf(path, sizeof(path), "%s/lines.csv", bed_directory(*state));
	write_lines(path, "# serial\nSN-00001,x\n");
	snprintf(key, sizeof(key), "serialize = 0x08008000+8 text %s\n", path);
	scene_configure(*state, "", key);
	scene_start(*state);
	a = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = {.seed = 1}});
	expect_outcome(a, "updated");
	assert_true(has_number(a, "SN-00001"));
	b = bed_plug(*state, &(struct bed_board){.serial = "A2", .faults = {.seed = 2}});
	expect_text(expect_outcome(b, "failed"), "MESSAGE", "every line of");
	expect_untouched(b);
	expect_at_rest(b);
	bed_unplug(b);
	write_lines(path, "SN-00001,x\nSN-00002,y\nSN-00003,z\n");
	bed_replug(b, NULL);
	expect_outcome(b, "updated");
	assert_true(has_number(b, "SN-00002"));
}

/* The digits of the key are the same bytes in any case. */
static void bytes_that_were_given_in_another_case_are_not_given_again(void **state)
{
	struct bed_unit *a, *b;
	char path[400], key[500];

	snprintf(path, sizeof(path), "%s/lines.csv", bed_directory(*state));
	write_lines(path, "30303030303034aa\n");
	snprintf(key, sizeof(key), "serialize = 0x08008000+8 bytes %s\n", path);
	scene_configure(*state, "", key);
	scene_start(*state);
	a = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = {.seed = 1}});
	expect_field(expect_outcome(a, "updated"), FIELD_UNIT_DATA, "0x30303030303034aa");
	write_lines(path, "30303030303034AA\n30303030303034BB\n");
	b = bed_plug(*state, &(struct bed_board){.serial = "A2", .faults = {.seed = 2}});
	expect_field(expect_outcome(b, "updated"), FIELD_UNIT_DATA, "0x30303030303034bb");
}

static void a_list_that_may_be_read_in_two_ways_gives_no_value(void **state)
{
	struct bed_unit *unit;
	char path[400], key[500];

	snprintf(path, sizeof(path), "%s/lines.csv", bed_directory(*state));
	write_lines(path, "SN-00001,x\n\"SN-0\"0002,y\n");
	snprintf(key, sizeof(key), "serialize = 0x08008000+8 text %s\n", path);
	scene_configure(*state, "", key);
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = {.seed = 1}});
	expect_text(
		expect_outcome(unit, "failed"), "MESSAGE", "lines.csv:2: text behind a closing");
	expect_untouched(unit);
}

static void damage_store(struct bed *bed)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(fclosep) FILE *file = NULL;

	assert_true(asprintf(&path, "%s/state/plugflash.db", bed_directory(bed)) > 0);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_true(fputs("damaged", file) >= 0);
}

/* Which numbers were given nobody knows then, so none is. */
static void fault_24_after_the_store_was_damaged_no_number_is_given_twice(void **state)
{
	const struct journal_entry *entry;
	CLEANUP(freep) char *move = NULL;
	struct bed_unit *a, *b;

	scene_configure(*state, "", NUMBERS);
	scene_start(*state);
	a = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = {.seed = 1}});
	expect_field(expect_outcome(a, "updated"), FIELD_UNIT_DATA, "00000041");
	bed_unplug(a);
	expect_good_stop(*state);
	damage_store(*state);
	scene_start(*state);
	b = bed_plug(*state, &(struct bed_board){.serial = "A2", .faults = {.seed = 2}});
	entry = expect_outcome(b, "failed");
	expect_text(entry, "MESSAGE", "which numbers the rule 'gate' has given was lost");
	expect_text(entry, "MESSAGE", "for all rules");
	expect_text(entry, "MESSAGE", "state/plugflash.db.damaged-");
	expect_untouched(b);
	bed_unplug(b);
	/* As the entry says. */
	assert_true(asprintf(&move, "mv %1$s/state/plugflash.db.damaged-* %1$s/",
			    bed_directory(*state)) > 0);
	assert_int_equal(system(move), 0);
	scene_configure(*state, "", "serialize = 0x08008000+8 decimal 42\n");
	bed_mark(*state);
	bed_signal(*state, SIGHUP);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_CONFIG_LOADED)));
	bed_replug(b, NULL);
	expect_field(expect_outcome(b, "updated"), FIELD_UNIT_DATA, "00000042");
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(two_boards_at_once_get_two_numbers),
	SCENE_TEST(a_number_stays_at_a_replug_and_with_a_new_image),
	SCENE_TEST(a_unit_that_failed_keeps_its_number),
	SCENE_TEST(when_the_lines_are_given_nothing_is_erased),
	SCENE_TEST(bytes_that_were_given_in_another_case_are_not_given_again),
	SCENE_TEST(a_list_that_may_be_read_in_two_ways_gives_no_value),
	SCENE_TEST(fault_24_after_the_store_was_damaged_no_number_is_given_twice),
};

SCENE_MAIN(tests)
