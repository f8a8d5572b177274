/* SPDX-License-Identifier: MIT */
/* Counts of the day and a batch over the bus, with real boards: what a kill of the service leaves,
 * and what wakes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/stage.h"

static const struct bed_board gate_2 = {.serial = "A2"}, gate_3 = {.serial = "A3"};

static sd_bus_message *start_batch(struct stage *stage, const char *board, unsigned count)
{
	return peer_call(stage->peer, BUS_PATH, NULL, "StartBatch", "sua{sv}", board, count, 0);
}

static void expect_manager(struct stage *stage, const char *name, const char *value)
{
	expect_property(stage, BUS_PATH, BUS_MANAGER, name, value);
}

static void kill_service(struct bed *bed)
{
	bed_signal(bed, SIGKILL);
	while (bed_is_running(bed))
		bed_run(bed, 10);
}

static void a_batch_outlives_its_service_and_ends_with_a_pause(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;

	stage_start(stage);
	expect_good(start_batch(stage, "gate", 2));
	expect_manager(stage, "BatchBoard", "gate");
	unit = bed_plug(stage->bed, GATE);
	expect_field(expect_outcome(unit, "updated"), FIELD_BATCH, "1/2");
	expect_manager(stage, "BatchDone", "1");
	bed_unplug(unit);
	kill_service(stage->bed);
	stage_start(stage);
	expect_manager(stage, "BatchBoard", "gate");
	expect_manager(stage, "BatchCount", "2");
	expect_manager(stage, "BatchDone", "1");
	/* The board that was counted comes again, and counts no second time. */
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "current"), FIELD_BATCH, "1/2");
	unit = bed_plug(stage->bed, &gate_2);
	expect_field(expect_outcome(unit, "updated"), FIELD_BATCH, "2/2");
	expect_manager(stage, "State", "paused");
	expect_manager(stage, "PauseReason", "batch gate: 2 of 2 done");
	expect_manager(stage, "BatchBoard", "");
	/* The next board waits, also over a restart, until somebody resumes. */
	unit = bed_plug(stage->bed, &gate_3);
	kill_service(stage->bed);
	stage_start(stage);
	expect_manager(stage, "State", "paused");
	expect_untouched(unit);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Resume", "a{sv}", 0));
	expect_outcome(unit, "updated");
	assert_int_equal(command_run(stage->bed, "history --counts"), 0);
	assert_int_equal(command_lines(stage->bed, " 100.0 % "), 4);
	expect_manager(stage, "State", "running");
}

static void a_batch_that_makes_no_sense_is_refused_in_words(void **state)
{
	struct stage *stage = *state;

	stage_start(stage);
	expect_error(start_batch(stage, "gat", 5), BUS_ERROR_INVALID, "'gat'");
	expect_error(start_batch(stage, "gate", 0), BUS_ERROR_INVALID, "1 to 50000");
	expect_good(start_batch(stage, "gate", 5));
	expect_error(start_batch(stage, "gate", 5), BUS_ERROR_BUSY, "0 of 5 done");
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "StopBatch", "a{sv}", 0));
	expect_manager(stage, "BatchBoard", "");
	expect_manager(stage, "State", "running");
	expect_error(peer_call(stage->peer, BUS_PATH, NULL, "StopBatch", "a{sv}", 0),
		BUS_ERROR_NOT_FOUND, "no batch");
}

static uint64_t counter(struct stage *stage, const char *wanted)
{
	sd_bus_message *answer =
		peer_call(stage->peer, BUS_PATH, PROPERTIES, "Get", "ss", BUS_MANAGER, "Counters");
	uint64_t value = 0, found = 0;
	const char *name;

	assert_true(sd_bus_message_enter_container(answer, 'v', "a{st}") > 0);
	assert_true(sd_bus_message_enter_container(answer, 'a', "{st}") > 0);
	while (sd_bus_message_read(answer, "{st}", &name, &value) > 0)
		found = strcmp(name, wanted) == 0 ? value : found;
	sd_bus_message_unref(answer);
	return found;
}

struct counter_wait {
	struct stage *stage;
	const char *name;
	uint64_t value;
};

static bool is_counted(void *userdata)
{
	struct counter_wait *wait = userdata;

	return counter(wait->stage, wait->name) == wait->value;
}

static void expect_counter(struct stage *stage, const char *name, uint64_t value)
{
	struct counter_wait wait = {stage, name, value};

	if (!bed_wait(stage->bed, BED_LONG, is_counted, &wait))
		fail_msg("%s is %d", name, (int)counter(stage, name));
}

/* Seconds until the timer of the wall clock is due that a set clock cancels, 0: it is off; -1:
 * there is none. */
static long seconds_to_midnight(struct bed *bed)
{
	char pattern[64];
	glob_t found;
	long due = -1;

	snprintf(pattern, sizeof(pattern), "/proc/%d/fdinfo/*", (int)bed_service_pid(bed));
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *from = fopen(found.gl_pathv[i], "re");
		char text[512] = "";
		const char *value;

		if (!from)
			continue;
		text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
		(void)fclose(from);
		value = strstr(text, "it_value: (");
		/* CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET */
		if (value && strstr(text, "clockid: 0\n") &&
			(strstr(text, "settime flags: 03") || due < 0))
			due = strtol(value + strlen("it_value: ("), NULL, 10);
	}
	globfree(&found);
	return due;
}

static void midnight_wakes_only_where_there_is_something_to_forget(void **state)
{
	struct stage *stage = *state;
	long due;

	stage_start(stage);
	assert_int_equal(seconds_to_midnight(stage->bed), 0);
	expect_outcome(bed_plug(stage->bed, GATE), "updated");
	expect_counter(stage, "updated", 1);
	expect_counter(stage, "first-pass", 1);
	due = seconds_to_midnight(stage->bed);
	assert_in_range(due, 1, 25 * 3600);
	/* The counts of the day are there after a kill, and the timer is. */
	kill_service(stage->bed);
	stage_start(stage);
	expect_counter(stage, "first-pass", 1);
	due = seconds_to_midnight(stage->bed);
	assert_in_range(due, 1, 25 * 3600);
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(midnight_wakes_only_where_there_is_something_to_forget),
	STAGE_TEST(a_batch_outlives_its_service_and_ends_with_a_pause),
	STAGE_TEST(a_batch_that_makes_no_sense_is_refused_in_words),
};

SCENE_MAIN(tests)
