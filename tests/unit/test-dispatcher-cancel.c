/* SPDX-License-Identifier: MIT */
/*
 * The end of a job that somebody asks for, at each moment of it; and boards that are held back, and
 * go on in their order.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/steering-bench.h"

static void a_job_that_waits_is_cancelled_at_once(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	assert_int_equal(cancel(bench, job), 0);
	assert_ended_once(job, "cancelled");
	assert_int_equal(cancel(bench, job), CANCEL_NO_JOB);
	/* Nor by itself, though it was not looked at yet. */
	do
		run_once(bench, true);
	while (bridge_at(bench, 0)->image.is_noted_only || has_child());
	run_until_idle(bench);
	assert_int_equal(count_started(), 0);
	assert_int_equal(bridge_at(bench, 0)->state, BRIDGE_DONE);
	/* But with the next image. */
	put_text("images/update-1.3.bin", "another image");
	dispatcher_images_changed(bench->dispatcher);
	run_until_entries(bench, MESSAGE_UPDATED, 1);
	assert_int_equal(unlink(in_folder("images/update-1.3.bin")), 0);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	assert_says(find_entry(MESSAGE_UPDATED, 0), "update-1.3.bin");
}

static void after_a_check_that_is_cancelled_the_service_goes_on(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	assert_int_equal(cancel(bench, job), 0);
	assert_ended_once(job, "', verify: cancelled");
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	/* Twice, and each of them is another job. */
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	assert_int_equal(cancel(bench, job), 0);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	assert_int_equal(cancel(bench, job), 0);
	assert_ended_once(job, "cancelled");
	run_until_idle(bench);
	assert_int_equal(count_started(), 1);
}

static void a_job_that_runs_is_cancelled_before_its_erase(void **state)
{
	struct bench *bench = *state;
	char id[33];

	set_config(bench, "[board gate]\nchip = 0x414\nimage = polite-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	text_copy(id, sizeof(id), bridge_at(bench, 0)->attempt.id);
	assert_int_equal(cancel(bench, id), 0);
	assert_int_equal(cancel(bench, id), 0);
	/* It is under way to its end: nobody who asks now gets that end. */
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), ASK_BUSY);
	run_until_idle(bench);
	assert_ended_once(id, "cancelled: as asked");
	assert_int_equal(count_started(), 1);
	assert_int_equal(bridge_at(bench, 0)->last.outcome, OUTCOME_CANCELLED);
}

static void a_job_between_two_tries_is_cancelled_at_once(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = busy-*.bin\n");
	for (enum attempt_operation i = OPERATION_FLASH; i <= OPERATION_PROBE; i++) {
		dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
		n_entries = 0;
		assert_int_equal(ask(bench, 0, i), 0);
		if (i == OPERATION_PROBE) {
			assert_int_equal(cancel(bench, job), 0);
			break;
		}
		run_until_entries(bench, MESSAGE_JOB_RETRIED, 1);
		assert_int_equal(cancel(bench, job), 0);
		assert_ended_once(job,
			"cancelled: it was cancelled between two tries, the last of which ended as port-busy");
		dispatcher_remove_bridge(bench->dispatcher, pull(0));
		run_until_idle(bench);
		assert_int_equal(count_entries(MESSAGE_JOB_RETRIED), 1);
	}
}

static void a_unit_that_may_be_erased_is_finished(void **state)
{
	struct bench *bench = *state;
	char id[33];

	set_config(bench, "[board gate]\nchip = 0x414\nimage = finish-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_may_erase(bench);
	text_copy(id, sizeof(id), bridge_at(bench, 0)->attempt.id);
	assert_int_equal(cancel(bench, id), CANCEL_TOO_LATE);
	assert_non_null(strstr(reason.text, "is being written"));
	assert_false(bridge_at(bench, 0)->attempt.is_cancelled);
	dispatcher_stop(bench->dispatcher);
	run_until_idle(bench);
	assert_ended_once(id, "updated");
}

/* Its first try erased it and lost the port: the second one finishes it. */
static void a_unit_that_an_earlier_try_has_erased_is_finished(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = lost-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	while (bridge_at(bench, 0)->state != BRIDGE_WAITING)
		run_once(bench, true);
	assert_int_equal(cancel(bench, bridge_at(bench, 0)->attempt.id), CANCEL_TOO_LATE);
	set_config(bench, rule_update);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
}

/*
 * The worker's question lies in the pipe, and somebody cancels before the service reads it: the
 * answer is what decides, and none is given.
 */
static void a_cancel_that_meets_the_question_of_the_erase_wins(void **state)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;
	struct bench *bench = *state;
	const struct claim *claim;
	char id[33];

	set_config(bench, "[board gate]\nchip = 0x414\nimage = gated-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	claim = &bridge_at(bench, 0)->claim;
	while (!claim->has_asked[QUESTION_DECIDE]) {
		assert_true(real_usec() < deadline);
		run_once(bench, true);
	}
	assert_false(claim->has_asked[QUESTION_ERASE]);
	/* The next that it says is that question. */
	put_text("images/go", "");
	if (sd_event_prepare(bench->event) == 0)
		assert_true(sd_event_wait(bench->event, PATIENCE_USEC) > 0);
	text_copy(id, sizeof(id), bridge_at(bench, 0)->attempt.id);
	assert_int_equal(cancel(bench, id), 0);
	assert_true(sd_event_dispatch(bench->event) >= 0);
	assert_false(claim->has_asked[QUESTION_ERASE]);
	run_until_idle(bench);
	assert_int_equal(unlink(in_folder("images/go")), 0);
	assert_ended_once(id, "cancelled: as asked");
	assert_int_equal(count_entries(MESSAGE_UPDATED), 0);
	assert_int_equal(count_entries(MESSAGE_DISBELIEVED), 0);
}

/* The other way round: it was answered, and the worker has not read that yet. */
static void a_cancel_that_comes_behind_the_answer_is_too_late(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = heeds-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_may_erase(bench);
	assert_int_equal(cancel(bench, bridge_at(bench, 0)->attempt.id), CANCEL_TOO_LATE);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
}

/* It had failed before: neither its failures nor its next time are any more than they were. */
static void a_cancelled_unit_is_not_blamed(void **state)
{
	struct bench *bench = *state;
	struct store_unit before, after;
	char key[STORE_KEY_MAX];

	set_config(bench, "[board gate]\nchip = 0x414\nimage = torn-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
	attempt_bridge_key(&bridge_at(bench, 0)->facts, key);
	assert_true(records_find(&records, key, &before));
	assert_int_equal(before.failures, 1);
	set_config(bench, "[board gate]\nchip = 0x414\nimage = polite-*.bin\n");
	run_until_entries(bench, MESSAGE_JOB_STARTED, 2);
	assert_int_equal(cancel(bench, bridge_at(bench, 0)->attempt.id), 0);
	run_until_idle(bench);
	assert_true(records_find(&records, key, &after));
	assert_int_equal(after.failures, 1);
	assert_int_equal(after.failed_outcome, before.failed_outcome);
	assert_int_equal(after.state, before.state);
	assert_int_equal(count_started(), 2);
}

static void a_job_that_is_not_there_is_not_cancelled(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	assert_int_equal(cancel(bench, ""), CANCEL_NO_JOB);
	assert_int_equal(cancel(bench, "0123456789abcdef0123456789abcdef"), CANCEL_NO_JOB);
	run_until_idle(bench);
	assert_int_equal(cancel(bench, bridge_at(bench, 0)->attempt.id), CANCEL_NO_JOB);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
}

/* -------------------------------------------------------------------------------- held back */

static void boards_that_waited_take_their_turns_in_order_once_each(void **state)
{
	struct bench *bench = *state;

	set_config(bench,
		"max-jobs = 2\n[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n");
	assert_int_equal(dispatcher_pause(bench->dispatcher, "a new order", &reason), 0);
	for (unsigned i = 0; i < N_SLOTS; i++)
		dispatcher_add_bridge(bench->dispatcher, plug(i, "G1"));
	run_rounds(bench);
	clock_move(USEC_PER_SEC);
	run_rounds(bench);
	assert_int_equal(count_started(), 0);
	for (unsigned i = 0; i < N_SLOTS; i++) {
		assert_int_equal(bridge_at(bench, i)->state, BRIDGE_QUEUED);
		assert_true(bridge_at(bench, i)->is_held);
	}
	/* Twice is once. */
	assert_true(dispatcher_resume(bench->dispatcher));
	assert_false(dispatcher_resume(bench->dispatcher));
	run_until_idle(bench);
	assert_int_equal(count_started(), N_SLOTS);
	assert_true(bench->most_running <= 2);
	for (unsigned i = 0; i < N_SLOTS; i++)
		assert_string_equal(find_entry(MESSAGE_JOB_STARTED, i)->port, sockets[i].port);
}

static void what_runs_goes_on_in_a_pause(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = finish-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	assert_int_equal(dispatcher_pause(bench->dispatcher, "", &reason), 0);
	run_until_may_erase(bench);
	assert_true(dispatcher_has_worker(bench->dispatcher, bridge_at(bench, 0)->number));
	assert_false(dispatcher_has_worker(bench->dispatcher, bridge_at(bench, 0)->number + 1));
	/* And the end of the service is another matter: it waits for no resume. */
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_rounds(bench);
	dispatcher_stop(bench->dispatcher);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	assert_int_equal(count_started(), 1);
	assert_null(dispatcher_next(bench->dispatcher, NULL));
}

/* The second try of a unit that the first has erased is no new job; but a port that somebody else
 * uses is his. */
static void a_torn_unit_is_finished_in_a_pause_and_not_under_an_inhibitor(void **state)
{
	struct bench *bench = *state;
	unsigned id;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = lost-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	while (bridge_at(bench, 0)->state != BRIDGE_WAITING)
		run_once(bench, true);
	set_config(bench, rule_update);
	assert_int_equal(dispatcher_pause(bench->dispatcher, "", &reason), 0);
	assert_int_equal(dispatcher_inhibit(bench->dispatcher, bridge_at(bench, 0)->number, "lab",
				 "minicom", &id, &reason),
		0);
	clock_move(USEC_PER_SEC);
	run_rounds(bench);
	assert_int_equal(bridge_at(bench, 0)->state, BRIDGE_QUEUED);
	assert_true(bridge_at(bench, 0)->is_held);
	assert_false(dispatcher_has_worker(bench->dispatcher, 0));
	dispatcher_release(bench->dispatcher, id);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	assert_int_equal(count_started(), 1);
}

static void an_inhibitor_of_one_bridge_leaves_the_others_alone(void **state)
{
	struct bench *bench = *state;
	unsigned id;

	set_config(bench, rule_update);
	for (unsigned i = 0; i < 3; i++)
		dispatcher_add_bridge(bench->dispatcher, plug(i, "G1"));
	assert_int_equal(dispatcher_inhibit(bench->dispatcher, bridge_at(bench, 1)->number, "lab",
				 "minicom", &id, &reason),
		0);
	run_until_entries(bench, MESSAGE_UPDATED, 2);
	run_rounds(bench);
	assert_int_equal(count_started(), 2);
	assert_true(bridge_at(bench, 1)->is_held);
	/* What is asked for waits as well, is seen, and can be cancelled. */
	assert_int_equal(ask(bench, 1, OPERATION_VERIFY), 0);
	run_rounds(bench);
	assert_int_equal(count_started(), 2);
	assert_int_equal(cancel(bench, job), 0);
	dispatcher_release(bench->dispatcher, id);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 3);
}

static void a_pause_and_an_inhibitor_end_each_by_itself(void **state)
{
	struct bench *bench = *state;
	unsigned id;

	set_config(bench, rule_update);
	assert_int_equal(dispatcher_pause(bench->dispatcher, "", &reason), 0);
	assert_int_equal(dispatcher_inhibit(bench->dispatcher, 0, "mes", "order", &id, &reason), 0);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	clock_move(USEC_PER_SEC);
	assert_true(dispatcher_resume(bench->dispatcher));
	run_rounds(bench);
	assert_int_equal(count_started(), 0);
	assert_int_equal(dispatcher_pause(bench->dispatcher, "", &reason), 0);
	dispatcher_release(bench->dispatcher, id);
	run_rounds(bench);
	assert_int_equal(count_started(), 0);
	assert_true(dispatcher_resume(bench->dispatcher));
	run_until_idle(bench);
	assert_int_equal(count_started(), 1);
}

static void since_when_a_board_is_held_back_is_known(void **state)
{
	struct bench *bench = *state;
	int64_t before_ms;

	set_config(bench, rule_update);
	assert_int_equal(dispatcher_pause(bench->dispatcher, "", &reason), 0);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	clock_move(USEC_PER_SEC);
	before_ms = wall_clock_msec();
	run_rounds(bench);
	assert_true(bridge_at(bench, 0)->is_held);
	assert_true(bridge_at(bench, 0)->since_ms >= before_ms);
	clock_move(5 * USEC_PER_SEC);
	run_rounds(bench);
	assert_true(bridge_at(bench, 0)->since_ms < before_ms + 5000);
}

static void a_pause_is_there_again_after_a_restart(void **state)
{
	struct bench *bench = *state;
	char text[100];

	for (unsigned i = 0; i < 2; i++) {
		const char *why = i == 0 ? "the jig is changed" : "";

		assert_int_equal(dispatcher_pause(bench->dispatcher, why, &reason), 0);
		renew_dispatcher(bench);
		set_config(bench, rule_update);
		assert_false(dispatcher_holds(bench->dispatcher)->is_paused);
		dispatcher_recall_pause(bench->dispatcher);
		assert_true(dispatcher_holds(bench->dispatcher)->is_paused);
		holds_reason(dispatcher_holds(bench->dispatcher), 0, text, sizeof(text));
		assert_string_equal(text, i == 0 ? why : "paused");
		assert_true(dispatcher_resume(bench->dispatcher));
		renew_dispatcher(bench);
		dispatcher_recall_pause(bench->dispatcher);
		assert_false(dispatcher_holds(bench->dispatcher)->is_paused);
	}
	assert_int_equal(count_entries(MESSAGE_PAUSED), 4);
	assert_int_equal(count_entries(MESSAGE_RESUMED), 2);
}

static void what_cannot_be_held_is_refused_with_the_reason(void **state)
{
	struct bench *bench = *state;
	char text[2 * HOLDS_TEXT];
	unsigned id;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	reason = (struct reason){0};
	assert_int_equal(dispatcher_pause(bench->dispatcher, text, &reason), HOLDS_TOO_LONG);
	assert_non_null(strstr(reason.text, "too long"));
	assert_false(dispatcher_holds(bench->dispatcher)->is_paused);
	assert_int_equal(
		dispatcher_inhibit(bench->dispatcher, 0, "", "", &id, &reason), HOLDS_NO_NAME);
	for (unsigned i = 0; i < HOLDS_MOST; i++)
		assert_int_equal(
			dispatcher_inhibit(bench->dispatcher, 0, "a", "", &id, &reason), 0);
	assert_int_equal(
		dispatcher_inhibit(bench->dispatcher, 0, "a", "", &id, &reason), HOLDS_FULL);
	assert_non_null(strstr(reason.text, "already"));
}

#define TEST(name)	 cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_that_waits_is_cancelled_at_once),
		TEST(after_a_check_that_is_cancelled_the_service_goes_on),
		TEST(a_job_that_runs_is_cancelled_before_its_erase),
		TEST(a_job_between_two_tries_is_cancelled_at_once),
		TEST(a_unit_that_may_be_erased_is_finished),
		TEST(a_unit_that_an_earlier_try_has_erased_is_finished),
		TEST(a_cancel_that_meets_the_question_of_the_erase_wins),
		TEST(a_cancel_that_comes_behind_the_answer_is_too_late),
		STORE_TEST(a_cancelled_unit_is_not_blamed),
		TEST(a_job_that_is_not_there_is_not_cancelled),
		TEST(boards_that_waited_take_their_turns_in_order_once_each),
		TEST(what_runs_goes_on_in_a_pause),
		TEST(a_torn_unit_is_finished_in_a_pause_and_not_under_an_inhibitor),
		TEST(an_inhibitor_of_one_bridge_leaves_the_others_alone),
		TEST(a_pause_and_an_inhibitor_end_each_by_itself),
		TEST(since_when_a_board_is_held_back_is_known),
		STORE_TEST(a_pause_is_there_again_after_a_restart),
		TEST(what_cannot_be_held_is_refused_with_the_reason),
	};

	self = fake_worker_main();
	return cmocka_run_group_tests_name(
		"dispatcher-cancel", tests, bench_make_images, folder_remove);
}
