/* SPDX-License-Identifier: MIT */
/* More events than anybody can take: none is missed for good, and none flashes a board twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed/enclosure.h"
#include "bed/scene.h"
#include "service/flap.h"

/* Stops the service and sends events about the unit until one finds no room. */
static void overflow(struct bed *bed, struct bed_unit *unit)
{
	unsigned n_missed = 0;

	bed_signal(bed, SIGSTOP);
	for (unsigned i = 0; i < 20000 && n_missed == 0; i++)
		n_missed = bed_event(unit, "change", UEVENT_DROP);
	assert_int_equal(n_missed, 1);
}

/* Processor time of the service so far, in ticks of 10 ms. */
static long ticks(const struct bed *bed)
{
	long user_ticks = -1, system_ticks = -1;
	char path[64], line[1024] = "";
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)bed_service_pid(bed));
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	/* utime and stime are the 12th and 13th behind the name, see proc(5). */
	at = strrchr(line, ')');
	assert_non_null(at);
	assert_int_equal(sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
				 &user_ticks, &system_ticks),
		2);
	return user_ticks + system_ticks;
}

static void fault_01_a_board_whose_event_was_lost_is_found_and_no_other_flashed_again(void **state)
{
	struct bed_unit *one, *two;

	scene_start(*state);
	one = bed_plug(*state, GATE);
	expect_outcome(one, "updated");
	overflow(*state, one);
	two = bed_plug(*state, &(struct bed_board){.serial = "A2", .is_silent = true});
	assert_int_equal(bed_event(two, "add", UEVENT_DROP), 1);
	bed_mark(*state);
	bed_signal(*state, SIGCONT);
	expect_outcome(two, "updated");
	assert_true(bed_flash_is(two, FIRMWARE_OLD_BIN));
	bed_run(*state, 300);
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_EVENTS_LOST)), 1);
	assert_int_equal(bed_count_outcomes(one), 1);
	assert_int_equal(bed_opens(one), 1);
	assert_int_equal(bed_count_outcomes(two), 1);
	assert_int_equal(bed_opens(two), 1);
}

static void fault_01_a_bridge_whose_departure_was_lost_is_forgotten(void **state)
{
	struct bed_unit *one;

	scene_start(*state);
	one = bed_plug(*state, GATE);
	expect_outcome(one, "updated");
	overflow(*state, one);
	/* Its "remove" and "add" are lost, too: another board in the same place, for all it knows.
	 */
	bed_unplug(one);
	bed_replug(one, &(struct bed_board){.serial = "A9", .is_silent = true});
	bed_signal(*state, SIGCONT);
	expect_field(expect_outcome(one, "current"), FIELD_USB_SERIAL, "A9");
}

/* The error of the socket is netlink's own; what must not be is a loop that spins on it. */
static void fault_02_losses_again_and_again_leave_the_loop_idle(void **state)
{
	struct bed_unit *stranger, *one, *two;
	long before;

	scene_start(*state);
	one = bed_plug(*state, GATE);
	expect_outcome(one, "updated");
	for (unsigned i = 0; i < 10; i++) {
		overflow(*state, one);
		bed_signal(*state, SIGCONT);
		bed_run(*state, 50);
	}
	/* The first may be found by looking everything up; the second waits behind all events. */
	stranger = bed_plug(*state, &(struct bed_board){.serial = "X1"});
	expect_outcome(stranger, "no-match");
	bed_unplug(stranger);
	bed_replug(stranger, NULL);
	expect_outcome(stranger, "no-match");
	before = ticks(*state);
	bed_run(*state, 2000);
	assert_in_range(ticks(*state) - before, 0, 2);
	two = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	expect_outcome(two, "updated");
	assert_int_equal(bed_opens(one), 1);
}

/* As `udevadm trigger` in a loop, which stopped other services for good. */
static void fault_03_a_storm_of_triggers_flashes_nothing_again(void **state)
{
	struct bed_unit *stranger, *one, *two = NULL;
	uint64_t n_events = 0;

	scene_start(*state);
	stranger = bed_plug(*state, &(struct bed_board){.serial = "X1"});
	one = bed_plug(*state, GATE);
	expect_outcome(one, "updated");
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned j = 0; j < 25; j++) {
			bed_event(one, j % 5 ? "change" : "add", UEVENT_WAIT);
			bed_event(stranger, j % 5 ? "change" : "add", UEVENT_WAIT);
			n_events += 2;
		}
		bed_run(*state, 10);
		/* In the midst of it somebody plugs in a board. */
		if (i == 150)
			two = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	}
	print_message("# %llu events\n", (unsigned long long)n_events);
	expect_outcome(two, "updated");
	assert_int_equal(bed_count_outcomes(one), 1);
	assert_int_equal(bed_count_outcomes(two), 1);
	assert_int_equal(bed_count_outcomes(stranger), 1);
	assert_int_equal(bed_opens(one), 1);
	assert_int_equal(bed_opens(two), 1);
	assert_int_equal(bed_opens(stranger), 0);
	expect_good_stop(*state);
}

/* The end of a production line: one slot, bridges with one number, another chip each time. */
static void boards_one_after_the_other_in_one_slot_are_all_told_and_none_waits(void **state)
{
	const unsigned n_boards = FLAP_TOLERATED + 4;
	struct bed_unit *unit = NULL;

	scene_start(*state);
	for (unsigned i = 0; i < n_boards; i++) {
		if (unit)
			bed_unplug(unit);
		unit = bed_plug(
			*state, &(struct bed_board){
					.serial = "A1", .path = "1-3", .faults = {.seed = i + 1}});
		expect_outcome(unit, "updated");
	}
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_STARTED)), n_boards);
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_FLAPPING)), 0);
	/* The last one has a loose contact. */
	for (unsigned i = 0; i < FLAP_TOLERATED; i++) {
		bed_unplug(unit);
		bed_replug(unit, NULL);
		expect_outcome(unit, "current");
	}
	bed_unplug(unit);
	bed_replug(unit, NULL);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_FLAPPING)));
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(fault_01_a_board_whose_event_was_lost_is_found_and_no_other_flashed_again),
	SCENE_TEST(fault_01_a_bridge_whose_departure_was_lost_is_forgotten),
	SCENE_TEST(fault_02_losses_again_and_again_leave_the_loop_idle),
	SCENE_TEST(fault_03_a_storm_of_triggers_flashes_nothing_again),
	SCENE_TEST(boards_one_after_the_other_in_one_slot_are_all_told_and_none_waits),
};

SCENE_MAIN(tests)
