/* SPDX-License-Identifier: MIT */
/*
 * What somebody asks of the service, down to the bytes on the line of a board: a verify erases
 * nothing, a cancel comes before the erase or not at all, a pause outlives the service, and the
 * progress of a job is what it does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/stage.h"

/* Asks for it at the first bridge; the object of the job. */
static void ask(struct stage *stage, const char *method, char to[1024])
{
	sd_bus_message *answer =
		peer_call(stage->peer, BUS_PATH, NULL, method, "oa{sv}", BRIDGE_1, 0);
	const char *path;

	if (sd_bus_message_is_method_error(answer, NULL))
		fail_msg("%s", sd_bus_message_get_error(answer)->message);
	assert_true(sd_bus_message_read(answer, "o", &path) > 0);
	snprintf(to, 1024, "%s", path);
	sd_bus_message_unref(answer);
}

/* The entry by which the job of this object ends, once it has this outcome. */
static const struct journal_entry *expect_end_of(
	struct stage *stage, const char *job, const char *outcome)
{
	const struct journal_entry *entry;
	char id[80], word[80];

	snprintf(id, sizeof(id), FIELD_JOB "=%s", strrchr(job, '/') + 1);
	snprintf(word, sizeof(word), FIELD_OUTCOME "=%s", outcome);
	entry = bed_wait_journal(stage->bed, BED_LONG, BED_MATCH(id, word));
	if (!entry)
		fail_msg("%s: no such end: %s", job, outcome);
	return entry;
}

/* The n-th board of the rule that the service itself has updated. */
static const struct journal_entry *expect_updated(struct stage *stage, const char *version)
{
	char word[80];
	const struct journal_entry *entry;

	snprintf(word, sizeof(word), FIELD_VERSION "=%s", version);
	entry = bed_wait_journal(
		stage->bed, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_UPDATED, word));
	assert_non_null(entry);
	return entry;
}

/* An image that keeps the line busy for some seconds at the real rate. */
static void put_large_image(struct stage *stage)
{
	static uint8_t data[24 * 1024];
	CLEANUP(fclosep) FILE *from = fopen(FIRMWARE_OLD_BIN, "re");
	size_t n;

	assert_non_null(from);
	n = fread(data, 1, sizeof(data), from);
	for (size_t i = n; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	bed_put_bytes(stage->bed, "gate-1.2.0.bin", data, sizeof(data));
}

/* By a rule that puts nothing older on it, so that no flash follows. */
static void a_verify_of_another_image_says_so_and_touches_nothing(void **state)
{
	const struct journal_entry *entry;
	struct stage *stage = *state;
	struct bed_unit *unit;
	unsigned n_erases;
	char job[1024];

	scene_configure(stage->bed, "", "update = newer\n");
	bed_put_image(stage->bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_outcome(unit, "updated");
	n_erases = scene_erases(unit);
	bed_remove_image(stage->bed, "gate-1.1.0.hex");
	assert_non_null(
		bed_wait_journal(stage->bed, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_CURRENT)));
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "done");
	ask(stage, "Verify", job);
	entry = expect_end_of(stage, job, "verify-differs");
	expect_field(entry, "MESSAGE_ID", MESSAGE_CHECKED);
	expect_field(entry, FIELD_OPERATION, "verify");
	expect_field(entry, FIELD_VERSION, "1.0.0");
	assert_int_equal(scene_erases(unit), n_erases);
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	expect_at_rest(unit);
}

static void what_the_service_was_to_do_follows_a_verify(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	char job[1024];

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_outcome(unit, "updated");
	/* So that the new image is not put on it before somebody asks. */
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "a look first", 0));
	bed_put_image(stage->bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	ask(stage, "Verify", job);
	expect_property(stage, job, BUS_JOB, "Phase", "waiting");
	expect_property(stage, job, BUS_JOB, "Operation", "verify");
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Resume", "a{sv}", 0));
	expect_field(expect_end_of(stage, job, "verify-differs"), FIELD_VERSION, "1.1.0");
	expect_field(expect_updated(stage, "1.1.0"), FIELD_OPERATION, "flash");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	expect_at_rest(unit);
}

static void a_probe_names_the_chip(void **state)
{
	const struct journal_entry *entry;
	struct stage *stage = *state;
	char job[1024];

	stage_start(stage);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "a look first", 0));
	bed_plug(stage->bed, GATE);
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "held");
	ask(stage, "Probe", job);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Resume", "a{sv}", 0));
	entry = expect_end_of(stage, job, "current");
	assert_non_null(journal_entry_get(entry, FIELD_CHIP));
	assert_non_null(journal_entry_get(entry, FIELD_UNIT));
	expect_text(entry, "MESSAGE", "probed: ");
	/* The plug-in's own job follows, and is not the probe's. */
	expect_field(expect_updated(stage, "1.0.0"), FIELD_OPERATION, "flash");
}

/* How often RTS was asserted since the plug-in. Each open raises it, too: Linux does that. */
static unsigned count_rises(struct bed_unit *unit)
{
	unsigned n = 0;
	size_t n_changes;
	const struct tty_change *changes = bed_lines(unit, &n_changes);

	for (size_t i = 1; i < n_changes; i++)
		n += changes[i].cause == TTY_SET && changes[i].lines & LINE_RTS &&
		     !(changes[i - 1].lines & LINE_RTS);
	return n;
}

static void a_board_shows_itself_by_the_lines_of_its_rule(void **state)
{
	const struct journal_entry *entry;
	struct stage *stage = *state;
	struct bed_unit *unit;
	unsigned n_erases, n_rises;
	char job[1024];

	scene_configure(stage->bed, "", "identify = rts=1 1s rts=0 1s\n");
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_outcome(unit, "updated");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "done");
	n_erases = scene_erases(unit);
	n_rises = count_rises(unit);
	ask(stage, "Identify", job);
	expect_property(stage, job, BUS_JOB, "Operation", "identify");
	expect_property(stage, job, BUS_JOB, "Phase", "identify");
	expect_error(peer_call(stage->peer, BUS_PATH, NULL, "Verify", "oa{sv}", BRIDGE_1, 0),
		BUS_ERROR_BUSY, "(identify) is under way");
	entry = expect_end_of(stage, job, "current");
	expect_field(entry, "MESSAGE_ID", MESSAGE_CHECKED);
	expect_field(entry, FIELD_OPERATION, "identify");
	expect_text(entry, "MESSAGE", "has shown which one it is");
	assert_int_equal(count_rises(unit), n_rises + 5);
	assert_int_equal(scene_erases(unit), n_erases);
	assert_int_equal(bed_state(unit), SIM_APPLICATION);
	expect_at_rest(unit);
	/* In the middle of a step. */
	ask(stage, "Identify", job);
	expect_property(stage, job, BUS_JOB, "Phase", "identify");
	expect_good(peer_call(stage->peer, job, BUS_JOB, "Cancel", "a{sv}", 0));
	expect_end_of(stage, job, "cancelled");
	expect_at_rest(unit);
}

/* It is not begun beside the work of another job, nor where no rule says how. */
static void a_board_that_cannot_show_itself_says_why(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 1));
	expect_error(peer_call(stage->peer, BUS_PATH, NULL, "Identify", "oa{sv}", BRIDGE_1, 0),
		BUS_ERROR_NOT_POSSIBLE, "add `identify`, the steps of a line");
	scene_configure(stage->bed, "", "identify = rts=1 1s rts=0 1s\n");
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Reload", "a{sv}", 0));
	expect_error(peer_call(stage->peer, BUS_PATH, NULL, "Identify", "oa{sv}", BRIDGE_1, 0),
		BUS_ERROR_BUSY, "(flash) is under way");
	expect_outcome(unit, "updated");
}

/* In the middle of a comparison, which takes its time on a line at the real rate. */
static void a_verify_that_runs_is_cancelled(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	unsigned n_erases;
	char job[1024];

	put_large_image(stage);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	expect_outcome(unit, "updated");
	n_erases = scene_erases(unit);
	ask(stage, "Verify", job);
	expect_property(stage, job, BUS_JOB, "Phase", "compare");
	expect_good(peer_call(stage->peer, job, BUS_JOB, "Cancel", "a{sv}", 0));
	expect_field(expect_end_of(stage, job, "cancelled"), "MESSAGE_ID", MESSAGE_CHECKED);
	assert_int_equal(scene_erases(unit), n_erases);
	expect_at_rest(unit);
}

/* Of a job at the real rate: what its properties told, one after the other. */
static void the_progress_of_a_job_is_what_it_does(void **state)
{
	struct stage *stage = *state;
	double before = 0;
	unsigned n_shares = 0, n_rates = 0;
	char told[256], job[1024];
	uint64_t most_rate = 0;

	put_large_image(stage);
	stage_start(stage);
	bed_plug(stage->bed, GATE_PACED);
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "working");
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Job", job);
	expect_property(stage, job, BUS_JOB, "Baud", "115200");
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", NULL, 1));
	for (size_t i = 0; i < peer_signals(stage->peer); i++) {
		sd_bus_message *signal = peer_signal(stage->peer, i);
		const char *path = sd_bus_message_get_path(signal);

		if (strcmp(path, job) != 0)
			continue;
		if (told_by(signal, BUS_JOB, "Progress", told)) {
			double share = strtod(told, NULL);

			assert_true(share >= before && share <= 1);
			before = share;
			n_shares++;
		}
		if (told_by(signal, BUS_JOB, "Rate", told) && strtoull(told, NULL, 10) > 0) {
			n_rates++;
			if (strtoull(told, NULL, 10) > most_rate)
				most_rate = strtoull(told, NULL, 10);
		}
	}
	assert_true(n_shares >= 3);
	assert_true(before > 0.6);
	/* Ten bits a byte: no line is faster than that. */
	assert_true(n_rates >= 1);
	assert_true(most_rate <= 115200 / 10);
}

static void a_pause_outlives_the_service(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;

	stage_start(stage);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "shift change", 0));
	assert_int_equal(bed_stop_service(stage->bed, BED_LONG), 0);
	assert_true(peer_wait_name(stage->peer, BED_LONG, BUS_NAME, false));
	unit = bed_plug(stage->bed, GATE);
	stage_start(stage);
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "paused");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "PauseReason", "shift change");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "held");
	assert_int_equal(bed_opens(unit), 0);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Resume", "a{sv}", 0));
	expect_outcome(unit, "updated");
}

/* Its image has no bytes yet: the job waits for them, and is a job meanwhile. */
static void a_job_waits_for_the_copy_of_its_image(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	char job[1024];

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_outcome(unit, "updated");
	bed_put_bytes(stage->bed, "gate-1.1.0.hex", "", 0);
	expect_stranger_told(stage->bed);
	ask(stage, "Verify", job);
	expect_property(stage, job, BUS_JOB, "Phase", "waiting");
	expect_stranger_told(stage->bed);
	expect_property(stage, job, BUS_JOB, "Phase", "waiting");
	bed_put_image(stage->bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_field(expect_end_of(stage, job, "verify-differs"), FIELD_VERSION, "1.1.0");
	(void)expect_updated(stage, "1.1.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(a_verify_of_another_image_says_so_and_touches_nothing),
		STAGE_TEST(what_the_service_was_to_do_follows_a_verify),
		STAGE_TEST(a_probe_names_the_chip),
		STAGE_TEST(a_board_shows_itself_by_the_lines_of_its_rule),
		STAGE_TEST(a_board_that_cannot_show_itself_says_why),
		STAGE_TEST(a_verify_that_runs_is_cancelled),
		STAGE_TEST(the_progress_of_a_job_is_what_it_does),
		STAGE_TEST(a_pause_outlives_the_service),
		STAGE_TEST(a_job_waits_for_the_copy_of_its_image),
	};

	enclosure_enter();
	return cmocka_run_group_tests_name("steering", tests, NULL, NULL);
}
