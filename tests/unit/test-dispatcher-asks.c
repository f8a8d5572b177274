/* SPDX-License-Identifier: MIT */
/*
 * What somebody may ask for while the service runs: flash, verify, probe, identify in every state
 * of a bridge, the end of a job, and that nothing begins; and what the service does by itself
 * meanwhile.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "service/retry.h"
#include "unit/rows.h"
#include "unit/steering-bench.h"

/* --------------------------------------------------------------- every operation in every state */

enum place {
	PLACE_SETTLING,
	PLACE_QUEUED,
	PLACE_RUNNING,
	PLACE_BETWEEN_TRIES,
	PLACE_RESTING,
	PLACE_DONE,
	PLACE_PAUSED,
	PLACE_NO_RULE,
	PLACE_TWO_RULES,
	PLACE_GOES_BACK,
	PLACE_MAX,
};

/* One board in that state, at the socket 0. Returns how many jobs have begun. */
static size_t bring_to(struct bench *bench, enum place place)
{
	static const char *const configs[PLACE_MAX] = {
		[PLACE_SETTLING] = rule_update,
		[PLACE_QUEUED] =
			"max-jobs = 1\n"
			"[board other]\nserial = X*\nchip = 0x414\nimage = polite-*.bin\n"
			"[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n" IDENTIFY,
		[PLACE_RUNNING] = "[board gate]\nchip = 0x414\nimage = polite-*.bin\n" IDENTIFY,
		[PLACE_BETWEEN_TRIES] = "[board gate]\nchip = 0x414\nimage = busy-*.bin\n" IDENTIFY,
		[PLACE_RESTING] = "[board gate]\nchip = 0x414\nimage = torn-*.bin\n" IDENTIFY,
		[PLACE_DONE] = rule_update,
		[PLACE_PAUSED] = rule_update,
		[PLACE_NO_RULE] = "[board gate]\nserial = Z*\nchip = 0x414\nimage = update-*.bin\n",
		[PLACE_TWO_RULES] = "[board a]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n"
				    "[board b]\nserial = *1\nchip = 0x414\nimage = update-*.bin\n",
		[PLACE_GOES_BACK] = rule_update,
	};

	set_config(bench, configs[place]);
	if (place == PLACE_QUEUED) {
		dispatcher_add_bridge(bench->dispatcher, plug(1, "X1"));
		run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	}
	if (place == PLACE_PAUSED)
		assert_int_equal(dispatcher_pause(bench->dispatcher, "lunch", &reason), 0);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	switch (place) {
	case PLACE_SETTLING:
		break;
	case PLACE_QUEUED:
	case PLACE_PAUSED:
		clock_move(10 * USEC_PER_MSEC);
		for (unsigned i = 0; i < 10; i++)
			run_once(bench, false);
		assert_int_equal(bridge_at(bench, 0)->state, BRIDGE_QUEUED);
		break;
	case PLACE_RUNNING:
		run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
		break;
	case PLACE_BETWEEN_TRIES:
		run_until_entries(bench, MESSAGE_JOB_RETRIED, 1);
		break;
	case PLACE_RESTING:
		run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
		assert_int_equal(bridge_at(bench, 0)->schedule.reason, SCHEDULE_REST);
		break;
	case PLACE_GOES_BACK:
		run_until_idle(bench);
		bridge_at(bench, 0)->attempt.rollback.state = ROLLBACK_WANTED;
		break;
	case PLACE_DONE:
	case PLACE_NO_RULE:
	case PLACE_TWO_RULES:
		run_until_idle(bench);
		break;
	case PLACE_MAX:
		fail();
	}
	return count_started();
}

static const struct ask_row {
	const char *name;
	enum place place;
	enum attempt_operation operation;
	int result;
	/* The end of that job; NULL: it is not waited for. */
	const char *end;
	/* Jobs that begin from the ask on, with those that the service itself begins. */
	size_t n_begin;
} asks[] = {
	/* The plug-in's own flash is the one that was asked for; a check comes before it. */
	{"settling, flash", PLACE_SETTLING, OPERATION_FLASH, 0, "updated", 1},
	{"settling, verify", PLACE_SETTLING, OPERATION_VERIFY, 0, "verified: it holds", 2},
	{"settling, probe", PLACE_SETTLING, OPERATION_PROBE, 0, "probed: STM32F103xE", 2},
	{"settling, identify", PLACE_SETTLING, OPERATION_IDENTIFY, 0, "has shown which one it is",
		2},
	{"queued, flash", PLACE_QUEUED, OPERATION_FLASH, 0, "updated", 1},
	{"queued, verify", PLACE_QUEUED, OPERATION_VERIFY, 0, "verified: it holds", 2},
	{"queued, probe", PLACE_QUEUED, OPERATION_PROBE, 0, "probed: STM32F103xE", 2},
	{"queued, identify", PLACE_QUEUED, OPERATION_IDENTIFY, 0, "has shown which one it is", 2},
	{"running, flash", PLACE_RUNNING, OPERATION_FLASH, ASK_SAME, NULL, 0},
	{"running, verify", PLACE_RUNNING, OPERATION_VERIFY, ASK_BUSY, NULL, 0},
	{"running, probe", PLACE_RUNNING, OPERATION_PROBE, ASK_BUSY, NULL, 0},
	{"running, identify", PLACE_RUNNING, OPERATION_IDENTIFY, ASK_BUSY, NULL, 0},
	{"between tries, flash", PLACE_BETWEEN_TRIES, OPERATION_FLASH, ASK_SAME, "port-busy", 0},
	{"between tries, verify", PLACE_BETWEEN_TRIES, OPERATION_VERIFY, ASK_BUSY, NULL, 0},
	{"between tries, probe", PLACE_BETWEEN_TRIES, OPERATION_PROBE, ASK_BUSY, NULL, 0},
	{"between tries, identify", PLACE_BETWEEN_TRIES, OPERATION_IDENTIFY, ASK_BUSY, NULL, 0},
	{"resting, flash", PLACE_RESTING, OPERATION_FLASH, 0, "write-failed", 2},
	{"resting, verify", PLACE_RESTING, OPERATION_VERIFY, 0, "verified: it holds", 3},
	{"resting, probe", PLACE_RESTING, OPERATION_PROBE, 0, "probed: STM32F103xE", 3},
	{"resting, identify", PLACE_RESTING, OPERATION_IDENTIFY, 0, "has shown which one it is", 3},
	{"done, flash", PLACE_DONE, OPERATION_FLASH, 0, "updated", 1},
	{"done, verify", PLACE_DONE, OPERATION_VERIFY, 0, "verified: it holds", 1},
	{"done, probe", PLACE_DONE, OPERATION_PROBE, 0, "probed: STM32F103xE", 1},
	{"done, identify", PLACE_DONE, OPERATION_IDENTIFY, 0, "has shown which one it is", 1},
	{"paused, flash", PLACE_PAUSED, OPERATION_FLASH, 0, "updated", 1},
	{"paused, verify", PLACE_PAUSED, OPERATION_VERIFY, 0, "verified: it holds", 2},
	{"paused, probe", PLACE_PAUSED, OPERATION_PROBE, 0, "probed: STM32F103xE", 2},
	{"paused, identify", PLACE_PAUSED, OPERATION_IDENTIFY, 0, "has shown which one it is", 2},
	{"no rule, flash", PLACE_NO_RULE, OPERATION_FLASH, ASK_IMPOSSIBLE, NULL, 0},
	{"no rule, verify", PLACE_NO_RULE, OPERATION_VERIFY, ASK_IMPOSSIBLE, NULL, 0},
	{"no rule, probe", PLACE_NO_RULE, OPERATION_PROBE, ASK_IMPOSSIBLE, NULL, 0},
	{"no rule, identify", PLACE_NO_RULE, OPERATION_IDENTIFY, ASK_IMPOSSIBLE, NULL, 0},
	{"two rules, flash", PLACE_TWO_RULES, OPERATION_FLASH, ASK_IMPOSSIBLE, NULL, 0},
	{"two rules, verify", PLACE_TWO_RULES, OPERATION_VERIFY, ASK_IMPOSSIBLE, NULL, 0},
	{"two rules, probe", PLACE_TWO_RULES, OPERATION_PROBE, ASK_IMPOSSIBLE, NULL, 0},
	{"two rules, identify", PLACE_TWO_RULES, OPERATION_IDENTIFY, ASK_IMPOSSIBLE, NULL, 0},
	{"goes back, flash", PLACE_GOES_BACK, OPERATION_FLASH, ASK_BUSY, NULL, 0},
	{"goes back, verify", PLACE_GOES_BACK, OPERATION_VERIFY, ASK_BUSY, NULL, 0},
	{"goes back, probe", PLACE_GOES_BACK, OPERATION_PROBE, ASK_BUSY, NULL, 0},
	{"goes back, identify", PLACE_GOES_BACK, OPERATION_IDENTIFY, ASK_BUSY, NULL, 0},
};

static void let_go_on(struct bench *bench, enum place place)
{
	if (place == PLACE_PAUSED) {
		/* It is visible as a job, and nothing of it begins. */
		for (unsigned i = 0; i < 10; i++)
			run_once(bench, false);
		assert_int_equal(count_started(), 0);
		assert_true(bridge_at(bench, 0)->is_held);
		assert_true(dispatcher_resume(bench->dispatcher));
	}
	if (place == PLACE_QUEUED)
		assert_int_equal(cancel(bench, bridge_at(bench, 1)->attempt.id), 0);
	run_until_idle(bench);
}

static void an_ask_follows_the_row(void **state)
{
	const struct ask_row *row = *state;
	struct bench *bench;
	size_t n_before;

	assert_int_equal(set_up_store((void **)&bench), 0);
	n_before = bring_to(bench, row->place);

	assert_int_equal(ask(bench, 0, row->operation), row->result);
	if (row->result == 0)
		assert_string_equal(bridge_at(bench, 0)->ask.id, job);
	if (row->end) {
		let_go_on(bench, row->place);
		assert_ended_once(job, row->end);
		assert_int_equal(count_started() - n_before, row->n_begin);
		assert_string_equal(bridge_at(bench, 0)->ask.id, "");
		assert_null(bridge_at(bench, 0)->kept);
	}
	assert_int_equal(tear_down_store((void **)&bench), 0);
}

/* ------------------------------------------------------------------ what is asked for, and how */

static void whoever_asks_for_the_same_gets_the_same_job(void **state)
{
	struct bench *bench = *state;
	char first[33];

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	text_copy(first, sizeof(first), job);
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), ASK_SAME);
	assert_string_equal(job, first);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), ASK_BUSY);
	assert_non_null(strstr(reason.text, first));
	run_until_idle(bench);
	assert_ended_once(first, "verified");
	/* By then it is over, and another one begins. */
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	assert_string_not_equal(job, first);
}

static void a_flash_that_is_not_forced_is_not_the_one_that_is(void **state)
{
	const struct ask forced = {.operation = OPERATION_FLASH, .force = true};
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	assert_int_equal(ask_with(bench, 0, forced), ASK_BUSY);
	assert_int_equal(cancel(bench, job), 0);
	assert_int_equal(ask_with(bench, 0, forced), 0);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), ASK_SAME);
}

/* Boards are changed behind a bridge that stays. */
static void a_flash_that_is_asked_for_looks_at_the_chip(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = trusts-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	/* By itself the service relies on what it saw since the plug-in. */
	put_text("images/trusts-1.3.bin", "image");
	dispatcher_images_changed(bench->dispatcher);
	run_until_entries(bench, MESSAGE_CURRENT, 1);
	run_until_idle(bench);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	run_until_idle(bench);
	assert_int_equal(unlink(in_folder("images/trusts-1.3.bin")), 0);
	assert_ended_once(job, "updated");
}

static void a_forced_flash_is_written_whatever_the_unit_holds(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = obeys-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_CURRENT), 1);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	run_until_idle(bench);
	assert_ended_once(job, "holds obeys-1.2.bin already");
	assert_int_equal(
		ask_with(bench, 0, (struct ask){.operation = OPERATION_FLASH, .force = true}), 0);
	run_until_idle(bench);
	assert_ended_once(job, "updated to obeys-1.2.bin");
	/* Only that one. */
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	run_until_idle(bench);
	assert_ended_once(job, "already");
}

static void of_two_rules_the_one_that_is_named_is_taken(void **state)
{
	struct bench *bench = *state;
	struct ask named = {.operation = OPERATION_FLASH, .board = "b"};

	set_config(bench, "[board a]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n"
			  "[board b]\nserial = *1\nchip = 0x414\nimage = current-*.bin\n"
			  "[board c]\nserial = Z*\nchip = 0x414\nimage = update-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(ask_with(bench, 0, named), 0);
	run_until_idle(bench);
	assert_ended_once(job, "board 'b' holds current-1.2.bin already");
	named.operation = OPERATION_VERIFY;
	text_copy(named.board, sizeof(named.board), "a");
	assert_int_equal(ask_with(bench, 0, named), 0);
	run_until_idle(bench);
	assert_ended_once(job, "board 'a' verified: it holds update-1.2.bin");
	text_copy(named.board, sizeof(named.board), "c");
	assert_int_equal(ask_with(bench, 0, named), ASK_IMPOSSIBLE);
	text_copy(named.board, sizeof(named.board), "nobody's");
	assert_int_equal(ask_with(bench, 0, named), ASK_IMPOSSIBLE);
	/* By itself the service does nothing there, as before. */
	assert_int_equal(bridge_at(bench, 0)->match.result, MATCH_AMBIGUOUS);
	assert_int_equal(count_started(), 2);
}

static void a_rule_that_is_named_must_be_the_one_that_fits(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n"
			  "[board door]\nserial = D*\nchip = 0x414\nimage = update-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(
		ask_with(bench, 0, (struct ask){.operation = OPERATION_FLASH, .board = "door"}),
		ASK_IMPOSSIBLE);
	assert_int_equal(
		ask_with(bench, 0, (struct ask){.operation = OPERATION_FLASH, .board = "gate"}), 0);
	run_until_idle(bench);
	assert_ended_once(job, "updated");
}

/* In one of the two rules that fit as well, and in the rule as it is when its turn comes. */
static void a_board_shows_itself_where_its_rule_says_how(void **state)
{
	struct bench *bench = *state;
	struct ask named = {.operation = OPERATION_IDENTIFY, .board = "b"};

	set_config(bench, "[board a]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n"
			  "[board b]\nserial = *1\nchip = 0x414\nimage = update-*.bin\n" IDENTIFY);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(ask_with(bench, 0, named), 0);
	run_until_idle(bench);
	assert_ended_once(job, "board 'b' has shown which one it is");
	text_copy(named.board, sizeof(named.board), "a");
	assert_int_equal(ask_with(bench, 0, named), ASK_IMPOSSIBLE);
	assert_non_null(strstr(reason.text,
		"the rule 'a' does not say how its board shows which one it is: add `identify`"));
	assert_int_equal(count_started(), 1);
}

/* ------------------------------------------------------------------------ ends from outside */

static void a_job_that_waits_ends_when_its_board_is_unplugged(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	for (enum attempt_operation i = OPERATION_FLASH; i <= OPERATION_IDENTIFY; i++) {
		dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
		assert_int_equal(ask(bench, 0, i), 0);
		dispatcher_remove_bridge(bench->dispatcher, pull(0));
		run_until_idle(bench);
		assert_ended_once(job, "port-gone");
	}
	assert_int_equal(count_started(), 0);
}

static void a_job_that_runs_ends_when_its_board_is_unplugged(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = polite-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	run_until_idle(bench);
	assert_ended_once(job, "port-gone");
	assert_int_equal(dispatcher_count(bench->dispatcher).bridges, 0);
}

static void a_job_ends_once_when_another_board_is_in_its_place(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	/* Nobody told of it: it is found at its turn, and is flashed as the new one that it is. */
	plug(0, "G2");
	run_until_idle(bench);
	assert_ended_once(job, "port-gone");
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
}

static void the_end_of_the_service_ends_what_waits(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	assert_int_equal(ask(bench, 0, OPERATION_PROBE), 0);
	dispatcher_stop(bench->dispatcher);
	assert_int_equal(ask(bench, 0, OPERATION_PROBE), ASK_IMPOSSIBLE);
	run_until_idle(bench);
	assert_ended_once(job, "cancelled");
	assert_null(dispatcher_next(bench->dispatcher, NULL));
}

static void a_reload_loses_no_job(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	/* Its job is done by the rule as it is then, and the news of it with that. */
	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = current-*.bin\n");
	run_until_idle(bench);
	assert_ended_once(job, "holds current-1.2.bin already");
	assert_int_equal(count_started(), 2);
}

static void a_job_whose_rule_is_gone_ends_with_that(void **state)
{
	struct bench *bench = *state;

	for (enum attempt_operation i = OPERATION_FLASH; i <= OPERATION_IDENTIFY; i++) {
		set_config(bench, rule_update);
		dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
		assert_int_equal(ask(bench, 0, i), 0);
		set_config(bench, "");
		run_until_idle(bench);
		assert_ended_once(job, "no-match: by the configuration");
		assert_int_equal(bridge_at(bench, 0)->state, BRIDGE_DONE);
		dispatcher_remove_bridge(bench->dispatcher, pull(0));
		run_until_idle(bench);
	}
	assert_int_equal(count_started(), 0);
}

/* ------------------------------------------------------ what the service does by itself meanwhile
 */

static void a_rule_that_changes_before_a_check_is_followed_after_it(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	/* The same image: it is the rule alone that is news. */
	set_config(bench,
		"[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\nretries = 2\n");
	run_until_idle(bench);
	assert_ended_once(job, "verified: it holds update-1.2.bin");
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
}

static void a_rule_that_changes_during_a_check_is_followed_after_it(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = heeds-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = polite-*.bin\n");
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	run_until_entries(bench, MESSAGE_JOB_STARTED, 2);
	set_config(bench, rule_update);
	assert_int_equal(cancel(bench, job), 0);
	run_until_idle(bench);
	assert_ended_once(job, "', verify: cancelled");
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
}

static void an_image_that_comes_during_a_check_is_given_after_it(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	put_text("images/update-1.3.bin", "another image");
	dispatcher_images_changed(bench->dispatcher);
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	run_until_idle(bench);
	assert_int_equal(unlink(in_folder("images/update-1.3.bin")), 0);
	assert_ended_once(job, "verified: it holds update-1.3.bin");
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
	assert_says(find_entry(MESSAGE_UPDATED, 1), "update-1.3.bin");
}

static void a_wait_for_the_next_attempt_is_as_long_as_before(void **state)
{
	struct bench *bench = *state;
	uint64_t due;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = torn-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
	due = bridge_at(bench, 0)->schedule.due_usec;
	clock_move(5 * USEC_PER_SEC);
	assert_int_equal(ask(bench, 0, OPERATION_PROBE), 0);
	run_until_entries(bench, MESSAGE_CHECKED, 1);
	assert_int_equal(bridge_at(bench, 0)->state, BRIDGE_WAITING);
	assert_int_equal(bridge_at(bench, 0)->schedule.reason, SCHEDULE_REST);
	assert_int_equal(bridge_at(bench, 0)->schedule.due_usec, due);
	assert_true(bridge_at(bench, 0)->attempt.has_failed);
	run_until_entries(bench, MESSAGE_JOB_STARTED, 3);
	assert_true(monotonic_usec() >= due);
}

/* The second of two bridges whose chips say one id is refused until it is alone with it. */
static void a_check_of_a_twin_changes_neither(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "max-jobs = 1\n[board gate]\nchip = 0x414\nimage = named-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 1);
	assert_int_equal(ask(bench, 1, OPERATION_PROBE), 0);
	run_until_idle(bench);
	assert_ended_once(job, "unit 0123456789abcdef01234567");
	/* The first keeps its id, and what was refused stays refused. */
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	run_until_idle(bench);
	assert_ended_once(job, "updated");
	assert_int_equal(ask(bench, 1, OPERATION_FLASH), 0);
	run_until_idle(bench);
	assert_ended_once(job, "nothing was erased");
	/* And is done once the other one goes, also while it is being checked. */
	assert_int_equal(ask(bench, 1, OPERATION_PROBE), 0);
	run_until_entries(bench, MESSAGE_JOB_STARTED, 6);
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 3);
	assert_string_equal(find_entry(MESSAGE_UPDATED, 2)->port, "/dev/ttyUSB1");
}

/* The same where the check has not begun. */
static void a_twin_that_goes_before_the_check_of_the_other_is_noticed(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "max-jobs = 1\n[board gate]\nchip = 0x414\nimage = named-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_until_idle(bench);
	assert_int_equal(ask(bench, 1, OPERATION_PROBE), 0);
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	run_until_idle(bench);
	assert_ended_once(job, "probed");
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
}

/* Before the check has begun, while it runs, and where nothing failed. */
static void a_retry_beside_a_check_comes_after_it(void **state)
{
	static const struct retry_filter all = {0};
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = torn-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t begin = monotonic_usec();

		n_entries = 0;
		assert_int_equal(bridge_at(bench, 0)->schedule.reason, SCHEDULE_REST);
		assert_int_equal(ask(bench, 0, OPERATION_PROBE), 0);
		if (i == 1)
			run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
		assert_int_equal(retry_units(bench->dispatcher, &records, &all), 1);
		run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
		assert_ended_once(job, "probed");
		/* At once, and not when the unit was due by itself. */
		assert_true(monotonic_usec() - begin < 30 * USEC_PER_SEC);
	}
}

#define TEST(name)	 cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down_store)

int main(void)
{
	static const struct CMUnitTest others[] = {
		TEST(whoever_asks_for_the_same_gets_the_same_job),
		TEST(a_flash_that_is_not_forced_is_not_the_one_that_is),
		TEST(a_flash_that_is_asked_for_looks_at_the_chip),
		TEST(a_forced_flash_is_written_whatever_the_unit_holds),
		TEST(of_two_rules_the_one_that_is_named_is_taken),
		TEST(a_rule_that_is_named_must_be_the_one_that_fits),
		TEST(a_board_shows_itself_where_its_rule_says_how),
		TEST(a_job_that_waits_ends_when_its_board_is_unplugged),
		TEST(a_job_that_runs_ends_when_its_board_is_unplugged),
		TEST(a_job_ends_once_when_another_board_is_in_its_place),
		TEST(the_end_of_the_service_ends_what_waits),
		TEST(a_reload_loses_no_job),
		TEST(a_job_whose_rule_is_gone_ends_with_that),
		TEST(a_rule_that_changes_before_a_check_is_followed_after_it),
		TEST(a_rule_that_changes_during_a_check_is_followed_after_it),
		TEST(an_image_that_comes_during_a_check_is_given_after_it),
		STORE_TEST(a_wait_for_the_next_attempt_is_as_long_as_before),
		TEST(a_check_of_a_twin_changes_neither),
		TEST(a_twin_that_goes_before_the_check_of_the_other_is_noticed),
		STORE_TEST(a_retry_beside_a_check_comes_after_it),
	};
	struct CMUnitTest tests[ARRAY_SIZE(others) + ARRAY_SIZE(asks)];
	size_t n = ARRAY_SIZE(others);

	memcpy(tests, others, sizeof(others));
	ADD_ROWS(tests, n, asks, an_ask_follows_the_row);
	self = fake_worker_main();
	return _cmocka_run_group_tests(
		"dispatcher-asks", tests, n, bench_make_images, folder_remove);
}
