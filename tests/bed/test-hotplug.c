/* SPDX-License-Identifier: MIT */
/* Events: what comes when, twice, too early, too late or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* The board was handled once, and nothing more comes of it for a while. */
static void expect_once(struct bed *bed, struct bed_unit *unit, const char *outcome)
{
	expect_outcome(unit, outcome);
	assert_true(bed_wait_closed(unit, BED_LONG));
	expect_another_updated(bed);
	assert_int_equal(bed_count_outcomes(unit), 1);
	assert_int_equal(bed_opens(unit), 1);
}

static void fault_04_a_board_that_is_there_at_start_is_handled_once(void **state)
{
	struct bed_unit *unit = bed_plug(*state, GATE);

	scene_start(*state);
	expect_once(*state, unit, "updated");
}

static void what_is_told_of_a_bridge_that_is_there_at_start_follows_ready(void **state)
{
	const char *const ready[] = {"MESSAGE_ID=" MESSAGE_READY, NULL};
	struct bed_unit *unit = bed_plug(*state, &(struct bed_board){.serial = "X1"});
	const struct journal_entry *entry;
	const struct journal_reader *journal = bed_journal(*state);
	size_t i = 0;

	bed_mark(*state);
	bed_start_service(*state, 0);
	expect_outcome(unit, "no-match");
	entry = bed_wait_journal(*state, BED_LONG, ready);
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "bridges: 1");
	while (!journal_entry_fits(journal_reader_entry(journal, i), ready))
		i++;
	for (; i > 0; i--)
		assert_false(journal_entry_fits(journal_reader_entry(journal, i - 1),
			BED_MATCH("MESSAGE_ID=" MESSAGE_NO_MATCH)));
}

/*
 * From before the monitor is armed to after the enumeration: a plug each 2 ms later than the one
 * before, each in a place of its own, so that none of them is taken for a loose contact.
 */
static void fault_05_a_board_that_comes_while_the_service_starts_is_handled_once(void **state)
{
	static char places[16][16];

	for (unsigned i = 0; i < 16; i++) {
		struct bed_unit *unit;

		snprintf(places[i], sizeof(places[i]), "1-%u", i + 1);
		bed_start_service(*state, 0);
		bed_run(*state, 2 * i);
		unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .path = places[i]});
		assert_true(bed_wait_ready(*state, BED_LONG));
		expect_once(*state, unit, "updated");
		expect_good_stop(*state);
		bed_unplug(unit);
	}
}

static void fault_06_change_and_bind_events_are_not_a_new_plug(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_opened(unit, BED_LONG));
	/* In the middle of the job, and after it. */
	bed_event(unit, "change", UEVENT_WAIT);
	bed_event(unit, "bind", UEVENT_WAIT);
	expect_outcome(unit, "updated");
	bed_event(unit, "change", UEVENT_WAIT);
	bed_event(unit, "bind", UEVENT_WAIT);
	bed_event(unit, "add", UEVENT_WAIT);
	expect_once(*state, unit, "updated");
}

static void fault_07_remove_and_add_within_ten_milliseconds_begin_a_new_job(void **state)
{
	const struct journal_entry *gone, *updated;
	struct bed_unit *unit;
	uint64_t ended;

	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	bed_mark(*state);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 3));
	ended = bed_counters(unit).received;
	bed_unplug(unit);
	bed_replug(unit, NULL);
	gone = bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=port-gone"));
	assert_non_null(gone);
	updated = bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated"));
	assert_non_null(updated);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_true(bed_counters(unit).received > ended);
	/* The new one opened the new port, once, and the old one nothing of it. */
	assert_int_equal(bed_opens(unit), 1);
	assert_string_not_equal(
		journal_entry_get(gone, FIELD_JOB), journal_entry_get(updated, FIELD_JOB));
}

static void fault_08_a_node_that_another_board_took_while_the_job_waited_is_not_opened(void **state)
{
	struct bed_unit *first, *second, *stranger;

	scene_configure(*state, "max-jobs = 1\n", "");
	scene_start(*state);
	first = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_opened(first, BED_LONG));
	second = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	bed_run(*state, 50);
	bed_unplug(second);
	stranger = bed_plug(*state, &(struct bed_board){.serial = "X1", .path = "1-2"});
	assert_string_equal(bed_port(stranger), bed_port(second));
	expect_outcome(first, "updated");
	expect_outcome(stranger, "no-match");
	expect_another_updated(*state);
	assert_int_equal(bed_opens(second), 0);
	assert_int_equal(bed_opens(stranger), 0);
	assert_int_equal(bed_requests(stranger), 0);
}

static void fault_09_an_event_before_the_node_is_tried_again(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .is_node_late = true});
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED)));
	bed_make_node(unit);
	expect_once(*state, unit, "updated");
}

static void fault_09_a_node_that_may_not_be_opened_yet_is_tried_again(void **state)
{
	struct bed_unit *unit;
	const struct journal_entry *entry;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .is_silent = true});
	bed_set_node_mode(unit, 0);
	bed_event(unit, "add", UEVENT_WAIT);
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "may not be opened");
	bed_set_node_mode(unit, 0660);
	expect_once(*state, unit, "updated");
}

static void fault_09_a_node_that_never_comes_ends_in_an_error(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .is_node_late = true});
	assert_non_null(bed_wait_outcome(unit, BED_LONG));
	expect_outcome(unit, "port-gone");
	expect_untouched(unit);
}

static void fault_14_udevd_that_starts_anew_makes_no_second_job(void **state)
{
	struct bed_unit *one, *two;

	scene_start(*state);
	one = bed_plug(*state, GATE);
	expect_outcome(one, "updated");
	/* `udevadm trigger` after its start tells of every device again. */
	bed_event(one, "change", UEVENT_WAIT);
	bed_event(one, "add", UEVENT_WAIT);
	two = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	expect_once(*state, two, "updated");
	expect_once(*state, one, "updated");
}

/* A board of a rule stays away from the journal for a minute once its contact is loose. */
static void fault_22_a_loose_contact_does_not_fill_the_journal(void **state)
{
	struct bed_unit *loose, *unit;
	size_t n_entries;

	scene_start(*state);
	bed_mark(*state);
	loose = bed_plug(*state, GATE);
	for (unsigned i = 0; i < 100; i++) {
		bed_run(*state, 20);
		bed_unplug(loose);
		bed_replug(loose, NULL);
	}
	n_entries = bed_count_journal(*state, BED_MATCH(FIELD_PORT));
	print_message("# %zu entries for 100 cycles\n", n_entries);
	assert_true(n_entries <= 30);
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_FLAPPING)), 1);
	/* Others are served at once. */
	unit = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	expect_once(*state, unit, "updated");
	expect_good_stop(*state);
}

static int compare_usec(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

/* From udev's event to the open, which is the first change of the lines; each step by itself. */
static void without_settling_the_port_is_opened_at_once(void **state)
{
	static char paths[5][16], serials[5][16]; /* borrowed by the bed */
	uint64_t usec[ARRAY_SIZE(paths)];
	char text[256];

	snprintf(text, sizeof(text), "[service]\nimage-dir = %s/images\nsettle = 0ms\n",
		bed_directory(*state));
	bed_write_config(*state, "plugflash.conf", text);
	scene_start(*state);
	for (unsigned i = 0; i < ARRAY_SIZE(usec); i++) {
		struct bed_unit *unit;

		snprintf(paths[i], sizeof(paths[i]), "1-%u", i + 1);
		snprintf(serials[i], sizeof(serials[i]), "A%u", i + 1);
		usec[i] = monotonic_usec();
		unit = bed_plug(
			*state, &(struct bed_board){.serial = serials[i], .path = paths[i]});
		assert_true(bed_wait_opened(unit, BED_LONG));
		usec[i] = monotonic_usec() - usec[i];
		expect_outcome(unit, "updated");
	}
	qsort(usec, ARRAY_SIZE(usec), sizeof(usec[0]), compare_usec);
	print_message(
		"# figure: plug-in to the open port, settle = 0: %.1f ms in the middle, %.1f at "
		"best, %.1f at worst\n",
		(double)usec[2] / 1000, (double)usec[0] / 1000, (double)usec[4] / 1000);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(fault_04_a_board_that_is_there_at_start_is_handled_once),
	SCENE_TEST(what_is_told_of_a_bridge_that_is_there_at_start_follows_ready),
	SCENE_TEST(fault_05_a_board_that_comes_while_the_service_starts_is_handled_once),
	SCENE_TEST(fault_06_change_and_bind_events_are_not_a_new_plug),
	SCENE_TEST(fault_07_remove_and_add_within_ten_milliseconds_begin_a_new_job),
	SCENE_TEST(fault_08_a_node_that_another_board_took_while_the_job_waited_is_not_opened),
	SCENE_TEST(fault_09_an_event_before_the_node_is_tried_again),
	SCENE_TEST(fault_09_a_node_that_may_not_be_opened_yet_is_tried_again),
	SCENE_TEST(fault_09_a_node_that_never_comes_ends_in_an_error),
	SCENE_TEST(fault_14_udevd_that_starts_anew_makes_no_second_job),
	SCENE_TEST(fault_22_a_loose_contact_does_not_fill_the_journal),
	SCENE_TEST(without_settling_the_port_is_opened_at_once),
};

SCENE_MAIN(tests)
