/* SPDX-License-Identifier: MIT */
/* A host that is asked to wait while boards are flashed, and boards that wait while it goes down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/logind.h"
#include "bed/scene.h"

#define NOT_ASKED "the host does not wait with "

/* What the chip took of erase commands for one update of the old firmware. */
static struct bed_unit *erase_one(struct bed *bed)
{
	struct bed_unit *unit = bed_plug(bed, GATE_PACED);

	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 1));
	return unit;
}

static unsigned count_told(struct bed *bed, const char *part)
{
	unsigned n = 0;

	bed_count_journal(bed, BED_MATCH("MESSAGE"));
	for (size_t i = 0; i < journal_reader_count(bed_journal(bed)); i++) {
		const char *text =
			journal_entry_get(journal_reader_entry(bed_journal(bed), i), "MESSAGE");

		n += text && strstr(text, part);
	}
	return n;
}

static void the_host_waits_from_before_the_erase_to_the_end(void **state)
{
	struct logind *logind = logind_new(*state, true);
	struct bed_unit *unit;

	scene_start(*state);
	assert_int_equal(logind_asked(logind), 0);
	unit = erase_one(*state);
	/* One each for sleep and for shutdown. */
	assert_int_equal(logind_held(logind), 2);
	assert_string_equal(
		logind_last(logind), "shutdown:plugflash:boards are being flashed:delay");
	/* Without anything else that happens: at once. */
	assert_true(logind_wait_held(logind, BED_LONG, 0));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_true(bed_is_closed(unit));
	expect_outcome(unit, "updated");
	assert_int_equal(logind_asked(logind), 2);
	bed_unplug(unit);
	bed_replug(unit, GATE);
	expect_outcome(unit, "current");
	assert_true(logind_wait_held(logind, BED_LONG, 0));
	assert_int_equal(logind_asked(logind), 4);
	assert_int_equal(count_told(*state, NOT_ASKED), 0);
	expect_good_stop(*state);
	logind_free(logind);
}

/* Nobody here wrote it: it knows what was asked for, and that it was given back. */
static void the_logind_of_systemd_takes_it_for_a_lock(void **state)
{
	struct logind *logind = logind_new_real(*state);
	struct bed_unit *unit;

	if (!logind) {
		print_message("# systemd-logind does not come up here\n");
		skip();
	}
	scene_start(*state);
	assert_int_equal(logind_listed(logind), 0);
	unit = erase_one(*state);
	assert_int_equal(logind_listed(logind), 2);
	expect_outcome(unit, "updated");
	/* It looks at its ends of the locks when it comes to it. */
	for (unsigned i = 0; logind_listed(logind) > 0 && i < 1000; i++)
		bed_run(*state, 10);
	assert_int_equal(logind_listed(logind), 0);
	assert_int_equal(count_told(*state, NOT_ASKED), 0);
	expect_good_stop(*state);
	logind_free(logind);
}

static void boards_at_once_share_their_locks_until_the_last_is_finished(void **state)
{
	struct logind *logind = logind_new(*state, true);
	struct bed_unit *units[3];

	scene_start(*state);
	for (size_t i = 0; i < 3; i++)
		units[i] = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(units[2], BED_LONG, ERASE, 1));
	assert_int_equal(logind_held(logind), 2);
	assert_true(logind_wait_held(logind, BED_LONG, 0));
	for (size_t i = 0; i < 3; i++)
		assert_true(bed_flash_is(units[i], FIRMWARE_OLD_BIN));
	logind_free(logind);
}

static void what_was_erased_is_finished_and_nothing_else_begun(void **state)
{
	struct logind *logind = logind_new(*state, true);
	struct bed_unit *first, *second;

	scene_start(*state);
	first = erase_one(*state);
	logind_prepare(logind, "PrepareForSleep", true);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_GOING_DOWN)));
	second = bed_plug(*state, GATE);
	assert_true(logind_wait_held(logind, BED_LONG, 0));
	assert_true(bed_flash_is(first, FIRMWARE_OLD_BIN));
	expect_outcome(first, "updated");
	expect_stranger_told(*state);
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_STARTED)), 1);
	assert_int_equal(bed_opens(second), 0);
	assert_int_equal(logind_asked(logind), 2);
	logind_prepare(logind, "PrepareForSleep", false);
	expect_outcome(second, "updated");
	assert_true(logind_wait_held(logind, BED_LONG, 0));
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_STAYING_UP)), 1);
	logind_free(logind);
}

/* It is on its way to the erase when the host is. */
static void a_board_that_was_not_erased_yet_is_put_off(void **state)
{
	struct logind *logind = logind_new(*state, true);
	struct bed_unit *unit;

	scene_start(*state);
	/* A whole flash that has to be compared first. */
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	bed_replug(unit, GATE_PACED);
	assert_true(bed_wait_opened(unit, BED_LONG));
	bed_mark(*state);
	logind_prepare(logind, "PrepareForShutdown", true);
	expect_text(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=cancelled")),
		"MESSAGE", "the host is about to sleep or shut down, and nothing was erased");
	assert_true(logind_wait_held(logind, BED_LONG, 0));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	/* Somebody called it off. */
	logind_prepare(logind, "PrepareForShutdown", false);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_begins(unit, FIRMWARE_NEW_BIN));
	logind_free(logind);
}

static void a_board_plugged_in_on_the_way_down_waits_for_the_way_up(void **state)
{
	struct logind *logind = logind_new(*state, true);
	struct bed_unit *unit;

	scene_start(*state);
	/* Nobody was connected when that was told. */
	logind_be_going_down(logind);
	unit = bed_plug(*state, GATE);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_GOING_DOWN)));
	expect_stranger_told(*state);
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_STARTED)), 0);
	assert_int_equal(bed_opens(unit), 0);
	logind_prepare(logind, "PrepareForSleep", false);
	expect_outcome(unit, "updated");
	logind_free(logind);
}

/* The host takes the power from its ports while it sleeps; then they are plugged in anew. */
static void fault_13_a_unit_cut_by_a_suspend_is_repaired_after_it(void **state)
{
	struct logind *logind = logind_new(*state, true);
	struct bed_unit *unit;

	scene_start(*state);
	unit = erase_one(*state);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 5));
	logind_prepare(logind, "PrepareForSleep", true);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_GOING_DOWN)));
	/* The longest that it waits is over. */
	bed_unplug(unit);
	expect_outcome(unit, "port-gone");
	assert_true(logind_wait_held(logind, BED_LONG, 0));
	bed_replug(unit, GATE);
	logind_prepare(logind, "PrepareForSleep", false);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_TORN)), 1);
	logind_free(logind);
}

/* A plug-in each, and boards are flashed all the same. */
static void expect_two_updates_and_one_word(struct bed *bed, const char *word)
{
	struct bed_unit *first, *second;

	scene_start(bed);
	first = bed_plug(bed, GATE);
	expect_outcome(first, "updated");
	second = bed_plug(bed, GATE);
	expect_outcome(second, "updated");
	assert_int_equal(count_told(bed, NOT_ASKED), 1);
	assert_int_equal(count_told(bed, word), 1);
	assert_true(bed_is_running(bed));
}

/* The other one is held all the same. */
static void what_is_refused_alone_is_said_once_as_a_warning(void **state)
{
	static const char *const refused[] = {"sleep", "shutdown"};
	static const char *const told[] = {NOT_ASKED "sleep while", NOT_ASKED "shutdown while"};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct logind *logind = logind_new(*state, true);
		struct bed_unit *unit;

		bed_mark(*state);
		logind_refuse(logind, refused[i]);
		scene_start(*state);
		unit = bed_plug(*state, GATE_PACED);
		assert_true(bed_wait_command(unit, BED_LONG, ERASE, 1));
		assert_int_equal(logind_held(logind), 1);
		expect_outcome(unit, "updated");
		assert_true(logind_wait_held(logind, BED_LONG, 0));
		expect_outcome(bed_plug(*state, GATE), "updated");
		assert_int_equal(count_told(*state, NOT_ASKED), i + 1);
		assert_int_equal(count_told(*state, told[i]), 1);
		assert_int_equal(bed_count_journal(*state,
					 BED_MATCH("MESSAGE_ID=" MESSAGE_NO_DELAY, "PRIORITY=4")),
			1);
		expect_good_stop(*state);
		logind_free(logind);
	}
}

static void without_a_bus_it_is_said_once(void **state)
{
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/nowhere/bus", 1);
	expect_two_updates_and_one_word(*state, "No such file or directory");
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

static void without_a_logind_it_is_said_once(void **state)
{
	struct logind *logind = logind_new(*state, false);

	expect_two_updates_and_one_word(*state, "org.freedesktop.login1");
	logind_free(logind);
}

static void a_logind_that_does_not_answer_holds_nobody_up(void **state)
{
	struct logind *logind = logind_new(*state, true);

	logind_be_mute(logind);
	expect_two_updates_and_one_word(*state, "it does not answer");
	logind_free(logind);
}

static void a_bus_that_ends_in_mid_update_harms_nobody(void **state)
{
	struct logind *logind = logind_new(*state, true);
	struct bed_unit *unit;

	scene_start(*state);
	unit = erase_one(*state);
	logind_prepare(logind, "PrepareForSleep", true);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_GOING_DOWN)));
	logind_end_bus(logind);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(count_told(*state, "the connection to the bus was lost"), 1);
	/* Nobody can say any more that the host is up: it is. */
	expect_outcome(bed_plug(*state, GATE), "updated");
	expect_good_stop(*state);
	logind_free(logind);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(the_host_waits_from_before_the_erase_to_the_end),
	SCENE_TEST(the_logind_of_systemd_takes_it_for_a_lock),
	SCENE_TEST(boards_at_once_share_their_locks_until_the_last_is_finished),
	SCENE_TEST(what_was_erased_is_finished_and_nothing_else_begun),
	SCENE_TEST(a_board_that_was_not_erased_yet_is_put_off),
	SCENE_TEST(a_board_plugged_in_on_the_way_down_waits_for_the_way_up),
	SCENE_TEST(fault_13_a_unit_cut_by_a_suspend_is_repaired_after_it),
	SCENE_TEST(what_is_refused_alone_is_said_once_as_a_warning),
	SCENE_TEST(without_a_bus_it_is_said_once),
	SCENE_TEST(without_a_logind_it_is_said_once),
	SCENE_TEST(a_logind_that_does_not_answer_holds_nobody_up),
	SCENE_TEST(a_bus_that_ends_in_mid_update_harms_nobody),
};

SCENE_MAIN(tests)
