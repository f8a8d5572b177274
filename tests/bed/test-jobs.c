/* SPDX-License-Identifier: MIT */
/* What a plugged-in board ends as, by rule, image and chip: real service, workers and journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bed/enclosure.h"
#include "bed/scene.h"

static void a_plugged_in_board_is_updated_and_the_journal_holds_the_story(void **state)
{
	static const char *const fields[] = {"MESSAGE", "PRIORITY", FIELD_CHIP, FIELD_UNIT,
		FIELD_SHA256, FIELD_PHASE, FIELD_BYTES, FIELD_BAUD, FIELD_DURATION_MS};
	const struct journal_entry *started, *entry;
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE);
	entry = expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_at_rest(unit);
	assert_int_equal(bed_counters(unit).bad_writes, 0);
	assert_int_equal(bed_counters(unit).bad_addresses, 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_non_null(journal_entry_get(entry, fields[i]));
	expect_field(entry, "MESSAGE_ID", MESSAGE_UPDATED);
	expect_field(entry, "SYSLOG_IDENTIFIER", "plugflashd");
	expect_field(entry, FIELD_BOARD, "gate");
	expect_field(entry, FIELD_PORT, bed_port(unit));
	expect_field(entry, FIELD_USB_SERIAL, "A1");
	expect_field(entry, FIELD_USB_PATH, bed_id_path(unit));
	expect_field(entry, FIELD_IMAGE, "gate-1.0.0.hex");
	expect_field(entry, FIELD_VERSION, "1.0.0");
	started = bed_wait_journal(*state, 0, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_STARTED));
	assert_non_null(started);
	assert_string_equal(
		journal_entry_get(started, FIELD_JOB), journal_entry_get(entry, FIELD_JOB));
}

static void a_board_that_holds_the_image_is_current_and_nothing_is_erased(void **state)
{
	struct bed_unit *unit;
	unsigned n_erases;

	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	n_erases = scene_erases(unit);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "current"), "MESSAGE_ID", MESSAGE_CURRENT);
	assert_int_equal(scene_erases(unit), n_erases);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_at_rest(unit);
}

static void a_newer_image_is_taken_at_the_next_plug(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "updated"), FIELD_VERSION, "1.1.0");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	expect_at_rest(unit);
}

static void fault_59_66_a_wrong_chip_is_told_before_a_byte_is_sent(void **state)
{
	struct bed_unit *unit;
	const struct journal_entry *entry;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .chip = "f103xc"});
	entry = expect_outcome(unit, "wrong-chip");
	expect_field(entry, "MESSAGE_ID", MESSAGE_WRONG_CHIP);
	expect_field(entry, FIELD_PHASE, "identify");
	expect_untouched(unit);
	expect_at_rest(unit);
}

/* F2, F4 and F7 are told their supply range by a write to 0xFFFF0000: not before they are known. */
static void fault_66_no_write_of_any_kind_reaches_a_wrong_chip(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .chip = "f405"});
	expect_outcome(unit, "wrong-chip");
	expect_untouched(unit);
}

static void two_kinds_of_board_get_each_its_own_image(void **state)
{
	struct bed_unit *gate, *door;

	bed_configure(*state, "",
		"[board gate]\nserial = A*\nchip = 0x410\nimage = gate-*.hex\n"
		"[board door]\nserial = D*\nchip = 0x414\nimage = door/*.bin\n"
		"wiring = one-key\n");
	bed_put_image(*state, "gate-1.0.0.hex", FIRMWARE_OLD ".hex");
	bed_put_image(*state, "door/door-7.bin", FIRMWARE_NEW_BIN);
	scene_start(*state);
	gate = bed_plug(*state, GATE);
	door = bed_plug(
		*state, &(struct bed_board){
				.serial = "D7", .chip = "f103xc", .circuit = SIM_CIRCUIT_ONE_KEY});
	expect_field(expect_outcome(gate, "updated"), FIELD_BOARD, "gate");
	expect_field(expect_outcome(door, "updated"), FIELD_BOARD, "door");
	assert_true(bed_flash_is(gate, FIRMWARE_OLD_BIN));
	assert_true(bed_flash_is(door, FIRMWARE_NEW_BIN));
}

static void fault_49_two_rules_that_fit_equally_are_ambiguous_and_the_port_stays_shut(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "",
		"[board gate]\nserial = A*\nchip = 0x410\nimage = gate-*.hex\n"
		"[board door]\nserial = *1\nchip = 0x410\nimage = gate-*.hex\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_field(expect_outcome(unit, "ambiguous"), "MESSAGE_ID", MESSAGE_AMBIGUOUS);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(unit), 0);
	assert_int_equal(bed_requests(unit), 0);
}

static void a_bridge_without_a_rule_is_never_opened(void **state)
{
	struct bed_unit *stranger, *unit;
	size_t n_changes;

	scene_start(*state);
	stranger = bed_plug(*state, &(struct bed_board){.serial = "X1"});
	expect_field(expect_outcome(stranger, "no-match"), "MESSAGE_ID", MESSAGE_NO_MATCH);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_event(stranger, "change", UEVENT_WAIT);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(stranger), 0);
	assert_int_equal(bed_requests(stranger), 0);
	bed_lines(stranger, &n_changes);
	assert_int_equal(n_changes, 0);
}

static void a_rule_without_a_file_is_no_image_and_the_port_stays_shut(void **state)
{
	struct bed_unit *unit;

	bed_remove_image(*state, "gate-1.0.0.hex");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "no-image");
	assert_int_equal(bed_opens(unit), 0);
}

static void fault_64_a_protected_chip_is_left_protected(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults.protect = true});
	expect_outcome(unit, "protected");
	expect_untouched(unit);
	expect_at_rest(unit);
}

static void fault_53_a_silent_chip_is_no_sync_and_other_boards_go_on(void **state)
{
	struct bed_unit *silent, *unit;

	scene_configure(*state, "", "retries = 1\nretry-delay = 100ms\n");
	scene_start(*state);
	silent = bed_plug(*state, &(struct bed_board){.serial = "A2", .faults.silent = true});
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	expect_outcome(silent, "no-sync");
	expect_untouched(silent);
}

static void fault_55_endless_garbage_ends_in_an_outcome(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "retries = 1\nretry-delay = 100ms\n");
	scene_start(*state);
	unit = bed_plug(*state,
		&(struct bed_board){.serial = "A1", .faults.garbage = true, .is_paced = true});
	expect_outcome(unit, "no-sync");
	expect_untouched(unit);
	assert_true(bed_wait_closed(unit, BED_LONG));
}

static void chatter_of_the_application_does_no_harm(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state,
		&(struct bed_board){.serial = "A1", .chatter = "\x79\x1f\x7f status: open\r\n"});
	bed_unplug(unit);
	bed_load_flash(unit, FIRMWARE_NEW_BIN);
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
}

static void fault_60_a_flash_that_takes_no_bytes_is_told_by_the_verification(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "retries = 0\n");
	scene_start(*state);
	unit = bed_plug(
		*state, &(struct bed_board){.serial = "A1", .faults.write_protected = true});
	expect_field(expect_outcome(unit, "verify-differs"), FIELD_PHASE, "verify");
	assert_true(bed_wait_closed(unit, BED_LONG));
}

/* ------------------------------------------------------------------ sixteen at once */

struct crowd {
	struct bed_unit *units[16];
	size_t most_open;
};

static bool is_crowd_done(void *userdata)
{
	struct crowd *crowd = userdata;
	size_t n_open = 0, n_done = 0;

	for (size_t i = 0; i < 16; i++) {
		n_open += !bed_is_closed(crowd->units[i]);
		n_done += bed_count_outcomes(crowd->units[i]) > 0;
	}
	if (n_open > crowd->most_open)
		crowd->most_open = n_open;
	return n_done == 16;
}

static void expect_order_of_plugging(struct bed *bed, const struct crowd *crowd)
{
	const struct journal_reader *journal = bed_journal(bed);
	size_t next = 0;

	for (size_t i = 0; i < journal_reader_count(journal); i++) {
		const struct journal_entry *entry = journal_reader_entry(journal, i);

		if (journal_entry_fits(entry, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_STARTED)))
			expect_field(entry, FIELD_PORT, bed_port(crowd->units[next++]));
	}
	assert_int_equal(next, 16);
}

static void fault_12_sixteen_boards_at_once_obey_the_limit_in_their_order(void **state)
{
	struct crowd crowd = {0};

	scene_configure(*state, "max-jobs = 4\n", "");
	scene_start(*state);
	for (size_t i = 0; i < 16; i++)
		crowd.units[i] = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait(*state, 2 * BED_LONG, is_crowd_done, &crowd));
	for (size_t i = 0; i < 16; i++) {
		expect_outcome(crowd.units[i], "updated");
		assert_true(bed_flash_is(crowd.units[i], FIRMWARE_OLD_BIN));
		assert_int_equal(bed_count_outcomes(crowd.units[i]), 1);
	}
	assert_int_equal(crowd.most_open, 4);
	expect_order_of_plugging(*state, &crowd);
}

/* The worker in front of which this script stands is told that its service is an older build. */
static void a_worker_of_another_build_puts_the_job_off(void **state)
{
	char path[400], script[700];
	const struct journal_entry *entry;
	struct bed_unit *unit;
	FILE *to;

	snprintf(path, sizeof(path), "%s/worker", bed_directory(*state));
	snprintf(script, sizeof(script),
		"#!/bin/sh\n" ENV_BUILD "=0.0 exec %s/plugflash-worker \"$@\"\n",
		enclosure_build());
	to = fopen(path, "we");
	assert_non_null(to);
	assert_true(fputs(script, to) >= 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(path, 0755), 0);
	setenv(ENV_WORKER, path, 1);
	scene_start(*state);
	unsetenv(ENV_WORKER);
	unit = bed_plug(*state, GATE);
	entry = expect_outcome(unit, "cancelled");
	expect_text(entry, "MESSAGE", "plugflash was upgraded");
	expect_text(entry, "MESSAGE", "systemctl restart plugflashd");
	assert_int_equal(bed_opens(unit), 0);
	expect_good_stop(*state);
	bed_mark(*state);
	scene_start(*state);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_worker_of_another_build_puts_the_job_off),
	SCENE_TEST(a_plugged_in_board_is_updated_and_the_journal_holds_the_story),
	SCENE_TEST(a_board_that_holds_the_image_is_current_and_nothing_is_erased),
	SCENE_TEST(a_newer_image_is_taken_at_the_next_plug),
	SCENE_TEST(fault_59_66_a_wrong_chip_is_told_before_a_byte_is_sent),
	SCENE_TEST(fault_66_no_write_of_any_kind_reaches_a_wrong_chip),
	SCENE_TEST(two_kinds_of_board_get_each_its_own_image),
	SCENE_TEST(fault_49_two_rules_that_fit_equally_are_ambiguous_and_the_port_stays_shut),
	SCENE_TEST(a_bridge_without_a_rule_is_never_opened),
	SCENE_TEST(a_rule_without_a_file_is_no_image_and_the_port_stays_shut),
	SCENE_TEST(fault_64_a_protected_chip_is_left_protected),
	SCENE_TEST(fault_53_a_silent_chip_is_no_sync_and_other_boards_go_on),
	SCENE_TEST(fault_55_endless_garbage_ends_in_an_outcome),
	SCENE_TEST(chatter_of_the_application_does_no_harm),
	SCENE_TEST(fault_60_a_flash_that_takes_no_bytes_is_told_by_the_verification),
	SCENE_TEST(fault_12_sixteen_boards_at_once_obey_the_limit_in_their_order),
};

SCENE_MAIN(tests)
