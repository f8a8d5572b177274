/* SPDX-License-Identifier: MIT */
/* The bridge goes, the board loses its power, or the service is stopped, at every stage of a job.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* Comes again without the fault; the next job makes everything good. */
static void expect_recovery(struct bed_unit *unit)
{
	const struct sim_faults none = {0};

	bed_set_faults(unit, &none);
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_at_rest(unit);
}

/* Plugs in a board that vanishes as the faults say, and waits for the end of its job. */
static struct bed_unit *plug_until_gone(
	struct bed *bed, const struct sim_faults *faults, const char *phase)
{
	struct bed_unit *unit;

	scene_start(bed);
	unit = bed_plug(bed, &(struct bed_board){.serial = "A1", .faults = *faults});
	assert_true(bed_wait_unplugged(unit, BED_LONG));
	/* A time-out of the protocol would have another outcome. */
	expect_field(expect_outcome(unit, "port-gone"), FIELD_PHASE, phase);
	return unit;
}

static void fault_15_unplugged_while_synchronising(void **state)
{
	const struct sim_faults faults = {.vanish_received = 1};
	struct bed_unit *unit = plug_until_gone(*state, &faults, "sync");

	expect_untouched(unit);
	expect_recovery(unit);
}

static void fault_16_unplugged_while_erasing(void **state)
{
	const struct sim_faults faults = {.vanish_code = ERASE, .vanish_nth = 1};

	expect_recovery(plug_until_gone(*state, &faults, "erase"));
}

static void fault_16_unplugged_while_writing(void **state)
{
	const struct sim_faults faults = {.vanish_code = WRITE, .vanish_nth = 5};

	expect_recovery(plug_until_gone(*state, &faults, "write"));
}

/* The image has 11 blocks; before the erase only a few are read of an empty flash. */
static void fault_16_unplugged_while_verifying(void **state)
{
	const struct sim_faults faults = {.vanish_code = READ, .vanish_nth = 12};
	struct bed_unit *unit = plug_until_gone(*state, &faults, "verify");

	assert_true(bed_counters(unit).blocks_written > 0);
	expect_recovery(unit);
}

/* Plugs it in so often, and each time its port goes in mid-write. */
static void drop(struct bed_unit *unit, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!bed_is_plugged(unit))
			bed_replug(unit, NULL);
		bed_set_faults(unit, &(struct sim_faults){.vanish_code = WRITE, .vanish_nth = 3});
		assert_true(bed_wait_unplugged(unit, BED_LONG));
		expect_field(expect_outcome(unit, "port-gone"), FIELD_PHASE, "write");
	}
}

static size_t count_drops(struct bed *bed)
{
	return bed_count_journal(bed, BED_MATCH("MESSAGE_ID=" MESSAGE_DROPS));
}

static void fault_16_a_bridge_that_goes_in_every_update_is_slowed_down_and_told(void **state)
{
	const struct sim_faults none = {0};
	struct bed_unit *unit;
	unsigned n_erases;

	scene_start(*state);
	unit = bed_plug(*state, GATE);
	drop(unit, 3);
	assert_int_equal(count_drops(*state), 0);
	drop(unit, 1);
	expect_text(bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_DROPS)),
		"MESSAGE", "in the middle of every update: 4 times, one after the other");
	n_erases = scene_erases(unit);
	expect_good_stop(*state);
	scene_start(*state);
	bed_replug(unit, NULL);
	bed_set_faults(unit, &none);
	expect_text(expect_outcome(unit, "quarantined"), "MESSAGE",
		"went in the middle of the last 4 updates, one after the other: check cable");
	assert_int_equal(scene_erases(unit), n_erases);
	expect_at_rest(unit);

	bed_mark(*state);
	assert_int_equal(command_run(*state, "retry"), 0);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void fault_16_a_unit_whose_bridge_went_is_tried_again_by_itself(void **state)
{
	const struct sim_faults none = {0};
	struct bed_unit *unit;

	scene_configure(*state, "", "again-after = 4s\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	drop(unit, 4);
	/* It comes after the outcome, and is not to be counted below. */
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_DROPS)));
	bed_mark(*state);
	bed_replug(unit, NULL);
	bed_set_faults(unit, &none);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	/* What was held against it is forgotten. */
	bed_unplug(unit);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	drop(unit, 3);
	bed_replug(unit, NULL);
	bed_set_faults(unit, &none);
	expect_outcome(unit, "updated");
	assert_int_equal(count_drops(*state), 0);
}

static void fault_16_another_unit_does_not_wait_for_the_one_whose_bridge_went(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .path = "1-3"});
	drop(unit, 4);
	unit = bed_plug(
		*state, &(struct bed_board){.serial = "A1", .path = "1-3", .faults = {.seed = 2}});
	expect_outcome(unit, "updated");
}

static void fault_13_all_boards_go_in_mid_flash_and_come_again(void **state)
{
	struct bed_unit *units[3];
	static const char *const serial[] = {"A1", "A2", "A3"}; /* borrowed by the bed */

	scene_start(*state);
	for (size_t i = 0; i < 3; i++)
		units[i] = bed_plug(
			*state, &(struct bed_board){.serial = serial[i], .is_paced = true});
	assert_true(bed_wait_command(units[2], BED_LONG, WRITE, 2));
	/* As a hub that loses its power at suspend, and gets it back at resume. */
	bed_signal(*state, SIGSTOP);
	for (size_t i = 0; i < 3; i++)
		bed_unplug(units[i]);
	bed_run(*state, 200);
	bed_signal(*state, SIGCONT);
	for (size_t i = 0; i < 3; i++)
		expect_outcome(units[i], "port-gone");
	for (size_t i = 0; i < 3; i++)
		bed_replug(units[i], NULL);
	for (size_t i = 0; i < 3; i++) {
		expect_outcome(units[i], "updated");
		assert_true(bed_flash_is(units[i], FIRMWARE_OLD_BIN));
	}
}

/* A process of that name is all it takes to be suspected. */
static pid_t run_brltty(struct bed *bed)
{
	char program[128];
	int status = -1;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/brltty", bed_directory(bed));
	pid = bed_spawn(bed, BED_MATCH("cp", "/bin/sleep", program));
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
	return bed_spawn(bed, BED_MATCH(program, "60"));
}

static void fault_10_a_port_that_is_taken_before_its_job_began_is_told_as_well(void **state)
{
	struct bed_unit *unit;
	char text[256];
	int status;
	pid_t thief;

	snprintf(text, sizeof(text), "[service]\nimage-dir = %s/images\nsettle = 20s\n",
		bed_directory(*state));
	bed_write_config(*state, "plugflash.conf", text);
	scene_start(*state);
	thief = run_brltty(*state);
	unit = bed_plug(*state, GATE);
	bed_run(*state, 500);
	bed_unplug(unit);
	expect_text(expect_outcome(unit, "port-gone"), "MESSAGE", "brltty");
	assert_int_equal(bed_opens(unit), 0);
	kill(thief, SIGKILL);
	assert_true(bed_wait_child(*state, BED_LONG, thief, &status));
}

static void fault_10_a_port_that_brltty_takes_away_is_told_by_name(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;
	int status;
	pid_t thief;

	scene_start(*state);
	thief = run_brltty(*state);
	unit = bed_plug(*state, GATE_PACED);
	bed_run(*state, 500);
	bed_unplug(unit);
	entry = expect_outcome(unit, "port-gone");
	expect_text(entry, "MESSAGE", "brltty");
	kill(thief, SIGKILL);
	assert_true(bed_wait_child(*state, BED_LONG, thief, &status));
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
}

static void fault_20_a_board_without_power_behind_a_live_bridge_fails_in_time(void **state)
{
	const struct sim_faults none = {0};
	struct bed_unit *unit;
	const char *outcome;

	scene_configure(*state, "", "retries = 1\nretry-delay = 100ms\n");
	scene_start(*state);
	unit = bed_plug(
		*state, &(struct bed_board){.serial = "A1", .faults.power_cut_received = 1500});
	assert_non_null(bed_wait_outcome(unit, BED_LONG));
	outcome = journal_entry_get(bed_wait_outcome(unit, 0), FIELD_OUTCOME);
	assert_true(strcmp(outcome, "no-sync") == 0 || strcmp(outcome, "write-failed") == 0);
	assert_true(bed_wait_closed(unit, BED_LONG));
	bed_set_faults(unit, &none);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void fault_21_sigterm_before_the_erase_cancels(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_opened(unit, BED_LONG));
	expect_good_stop(*state);
	expect_outcome(unit, "cancelled");
	expect_untouched(unit);
	expect_at_rest(unit);
}

static void fault_21_sigterm_in_mid_write_lets_it_end(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 2));
	expect_good_stop(*state);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_at_rest(unit);
}

static void fault_21_no_new_job_begins_while_the_service_stops(void **state)
{
	struct bed_unit *running, *waiting;

	scene_configure(*state, "max-jobs = 1\n", "");
	scene_start(*state);
	running = bed_plug(*state, GATE_PACED);
	waiting = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	assert_true(bed_wait_command(running, BED_LONG, WRITE, 2));
	expect_good_stop(*state);
	expect_outcome(running, "updated");
	assert_int_equal(bed_opens(waiting), 0);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(fault_15_unplugged_while_synchronising),
	SCENE_TEST(fault_16_unplugged_while_erasing),
	SCENE_TEST(fault_16_unplugged_while_writing),
	SCENE_TEST(fault_16_unplugged_while_verifying),
	COMMAND_TEST(fault_16_a_bridge_that_goes_in_every_update_is_slowed_down_and_told),
	SCENE_TEST(fault_16_a_unit_whose_bridge_went_is_tried_again_by_itself),
	SCENE_TEST(fault_16_another_unit_does_not_wait_for_the_one_whose_bridge_went),
	SCENE_TEST(fault_13_all_boards_go_in_mid_flash_and_come_again),
	SCENE_TEST(fault_10_a_port_that_brltty_takes_away_is_told_by_name),
	SCENE_TEST(fault_10_a_port_that_is_taken_before_its_job_began_is_told_as_well),
	SCENE_TEST(fault_20_a_board_without_power_behind_a_live_bridge_fails_in_time),
	SCENE_TEST(fault_21_sigterm_before_the_erase_cancels),
	SCENE_TEST(fault_21_sigterm_in_mid_write_lets_it_end),
	SCENE_TEST(fault_21_no_new_job_begins_while_the_service_stops),
};

SCENE_MAIN(tests)
