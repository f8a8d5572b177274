/* SPDX-License-Identifier: MIT */
/* Units that were erased and did not end well, and what is remembered of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* A bit that does not program: each attempt ends in verify-differs. */
#define STUCK_ADDRESS UINT32_C(0x08000400)

#define GET_ID	      0x02

static const struct sim_faults none;

/* A unit with 1.0.0 that is in the middle of its first attempt at 1.1.0, which will fail. */
static struct bed_unit *begin_bad_update(struct bed *bed, const char *more_rule)
{
	struct bed_unit *unit;
	unsigned n_writes;

	scene_configure(bed, "", more_rule);
	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_put_image(bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	n_writes = bed_counters(unit).commands[WRITE];
	bed_replug(unit, GATE_PACED);
	bed_set_faults(unit, &(struct sim_faults){.stuck_address = STUCK_ADDRESS});
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, n_writes + 3));
	return unit;
}

/* The wish to stop waits where the worker asks; it is no answer for a board that was erased. */
static void fault_21_a_stop_between_two_attempts_leaves_no_blank_board_for_whole(void **state)
{
	struct bed_unit *unit = begin_bad_update(
		*state, "update = newer\nretries = 1\nretry-delay = 1s\nagain-after = 0\n");

	assert_int_equal(bed_stop_service(*state, BED_LONG), 0);
	expect_outcome(unit, "verify-differs");
	assert_int_equal(command_run(*state, "history --units --csv"), 0);
	assert_int_equal(command_lines(*state, ",failed,"), 1);
	bed_unplug(unit);

	/* What is left is older than what it was said to hold, and is written all the same. */
	bed_remove_image(*state, "gate-1.1.0.hex");
	bed_remove_image(*state, "gate-1.0.0.hex");
	bed_put_image(*state, "gate-0.9.0.bin", FIRMWARE_OLD_BIN);
	bed_mark(*state);
	scene_start(*state);
	bed_replug(unit, GATE);
	bed_set_faults(unit, &none);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
}

static void fault_21_a_stop_between_two_attempts_lets_the_next_one_end(void **state)
{
	struct bed_unit *unit = begin_bad_update(*state, "retries = 2\nretry-delay = 2s\n");

	bed_signal(*state, SIGTERM);
	/* The second attempt begins while the service waits for the worker. */
	assert_true(
		bed_wait_command(unit, BED_LONG, ERASE, bed_counters(unit).commands[ERASE] + 1));
	bed_set_faults(unit, &none);
	assert_int_equal(bed_stop_service(*state, BED_LONG), 0);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_begins(unit, FIRMWARE_NEW_BIN));
}

/* What it held went with the protection; there is nothing left that could be kept. */
static void a_unit_that_was_wiped_to_be_read_is_written_whatever_is_remembered(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "readout-protection = clear\nupdate = newer\n");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_remove_image(*state, "gate-1.1.0.hex");
	bed_replug(unit, GATE);
	bed_set_faults(unit, &(struct sim_faults){.protect = true});
	expect_outcome(unit, "updated");
	assert_int_equal(bed_counters(unit).unprotects, 1);
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
	/* Nothing is left in the middle, at its bridge neither. */
	assert_int_equal(command_run(*state, "history --units --csv"), 0);
	assert_int_equal(command_lines(*state, "in-progress"), 0);
}

/*
 * Cut off after the wipe and before the chip said who it is: its bridge alone knows, and by its own
 * record it holds something newer.
 */
static void fault_18_a_wipe_that_was_cut_off_is_known_by_its_bridge(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "readout-protection = clear\nupdate = newer\n");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_remove_image(*state, "gate-1.1.0.hex");
	bed_replug(unit, GATE);
	bed_set_faults(unit,
		&(struct sim_faults){.protect = true, .vanish_code = GET_ID, .vanish_nth = 3});
	assert_true(bed_wait_unplugged(unit, BED_LONG));
	expect_outcome(unit, "port-gone");
	assert_int_equal(bed_counters(unit).unprotects, 1);
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_TORN)), 0);

	bed_replug(unit, GATE);
	expect_outcome(unit, "updated");
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_TORN)), 1);
	assert_int_equal(bed_counters(unit).unprotects, 1);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(command_run(*state, "history --units --csv"), 0);
	assert_int_equal(command_lines(*state, "in-progress"), 0);
}

static void a_protected_unit_is_known_after_it_was_silent(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "readout-protection = set\nretries = 0\nagain-after = 0\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_replug(unit, GATE);
	bed_set_faults(unit, &(struct sim_faults){.silent = true});
	expect_outcome(unit, "no-sync");
	bed_unplug(unit);
	bed_replug(unit, GATE);
	bed_set_faults(unit, &none);
	expect_outcome(unit, "current");
	assert_int_equal(bed_counters(unit).unprotects, 0);
}

static void a_protected_unit_with_a_number_stays_current(void **state)
{
	struct bed_unit *unit;

	scene_configure(
		*state, "", "readout-protection = set\nserialize = 0x08008000+8 decimal 41\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	for (unsigned i = 0; i < 4; i++) {
		bed_unplug(unit);
		bed_replug(unit, GATE);
		expect_outcome(unit, "current");
	}
	assert_int_equal(bed_counters(unit).unprotects, 0);
}

static void a_unit_that_did_not_confirm_is_not_told_to_be_cut_off(void **state)
{
	const struct journal_entry *torn;
	struct bed_unit *unit;

	scene_configure(*state, "",
		"confirm = never\nconfirm-within = 300ms\nretries = 0\nagain-after = 100ms\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "not-confirmed");
	torn = bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_TORN));
	assert_non_null(torn);
	expect_text(torn, "MESSAGE",
		"did not end its last update well, to gate-1.0.0.hex: not-confirmed");
}

/* A jig, or bridges that all have one serial number: nobody knows who is behind them. */
static void silent_boards_do_not_close_their_slot_to_the_next_one(void **state)
{
	const struct bed_board dead = {.serial = "A1", .path = "1-3", .faults = {.silent = true}};
	struct bed_unit *unit;

	scene_configure(*state, "", "retries = 0\nagain-after = 0\n");
	scene_start(*state);
	for (unsigned i = 0; i < 4; i++) {
		unit = bed_plug(*state, &dead);
		expect_outcome(unit, "no-sync");
		bed_unplug(unit);
		assert_true(bed_wait_unplugged(unit, BED_LONG));
	}
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .path = "1-3"});
	expect_outcome(unit, "updated");
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(fault_21_a_stop_between_two_attempts_leaves_no_blank_board_for_whole),
	SCENE_TEST(fault_21_a_stop_between_two_attempts_lets_the_next_one_end),
	SCENE_TEST(a_unit_that_was_wiped_to_be_read_is_written_whatever_is_remembered),
	SCENE_TEST(fault_18_a_wipe_that_was_cut_off_is_known_by_its_bridge),
	SCENE_TEST(a_protected_unit_is_known_after_it_was_silent),
	SCENE_TEST(a_protected_unit_with_a_number_stays_current),
	SCENE_TEST(a_unit_that_did_not_confirm_is_not_told_to_be_cut_off),
	SCENE_TEST(silent_boards_do_not_close_their_slot_to_the_next_one),
};

SCENE_MAIN(tests)
