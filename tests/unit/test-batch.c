/* SPDX-License-Identifier: MIT */
/*
 * test-batch.c - a batch from its begin to its end, with workers of the test's own: how many
 * attempts begin, what ends it, and what of it a restart leaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/batch.h"
#include "service/steering.h"
#include "unit/dispatcher-bench.h"

static const char two_rules[] = "[board gate]\nserial = G*\nchip = 0x414\nimage = finish-*.bin\n"
				"[board door]\nserial = D*\nchip = 0x414\nimage = update-*.bin\n";

static struct records records;

/* Another store for each test; the configuration is that of two rules. */
static int set_up_batch(void **state)
{
	static unsigned number;
	struct bench *bench;
	char name[32];

	assert_int_equal(set_up(state), 0);
	bench = *state;
	snprintf(name, sizeof(name), "state-%u", number++);
	assert_int_equal(mkdir(in_folder(name), 0700), 0);
	records = (struct records){.directory = NULL};
	assert_int_equal(records_open(&records, in_folder(name)), 0);
	bench->parts.records = &records;
	renew_dispatcher(bench);
	set_config(bench, two_rules);
	return 0;
}

static int tear_down_batch(void **state)
{
	struct bench *bench = *state;

	bench->parts.records = NULL;
	assert_int_equal(tear_down(state), 0);
	records_close(&records);
	return 0;
}

/* As the manager does. */
static void turn(struct bench *bench)
{
	batch_review(bench->dispatcher);
	run_once(bench, false);
}

static void run_until(struct bench *bench, const char *message_id, size_t n)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;

	while (count_entries(message_id) < n) {
		if (real_usec() > deadline)
			fail_msg("only %zu of %zu entries", count_entries(message_id), n);
		turn(bench);
		if (!bench->is_turn_due && dispatcher_count(bench->dispatcher).running == 0)
			run_once(bench, true);
	}
}

/* Until nothing is due: what may begin has begun. */
static void run_until_quiet(struct bench *bench)
{
	for (unsigned n_quiet = 0; n_quiet < 50; n_quiet++) {
		if (bench->is_turn_due)
			n_quiet = 0;
		turn(bench);
		(void)poll(NULL, 0, 2);
	}
}

static void start(struct bench *bench, uint32_t count)
{
	struct reason reason = {0};

	if (batch_start(bench->dispatcher, "gate", count, &reason) != 0)
		fail_msg("%s", reason.text);
}

static void plug_in(struct bench *bench, unsigned number, const char *serial)
{
	dispatcher_add_bridge(bench->dispatcher, plug(number, serial));
}

/* A worker of `finish` writes until it is told to stop, and is done then. */
static void finish_one(struct bench *bench)
{
	struct bridge *bridge = NULL;

	while ((bridge = dispatcher_next(bench->dispatcher, bridge)))
		if (bridge->worker && bridge->attempt.has_begun_erase)
			break;
	assert_non_null(bridge);
	worker_cancel(bridge->worker);
}

static size_t count_erasing(struct bench *bench)
{
	struct bridge *bridge = NULL;
	size_t n = 0;

	while ((bridge = dispatcher_next(bench->dispatcher, bridge)))
		n += bridge->worker && bridge->attempt.has_begun_erase;
	return n;
}

static void run_until_erasing(struct bench *bench, size_t n)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;

	while (count_erasing(bench) < n) {
		assert_true(real_usec() < deadline);
		turn(bench);
		if (!has_child())
			run_once(bench, true);
	}
}

/* ------------------------------------------------------------------------------------- tests */

static void what_makes_no_sense_is_refused_with_the_reason(void **state)
{
	struct bench *bench = *state;
	struct reason reason = {0};

	assert_int_equal(batch_stop(bench->dispatcher, &reason), BATCH_NONE);
	assert_int_equal(batch_start(bench->dispatcher, "gat", 5, &reason), BATCH_NO_RULE);
	assert_non_null(strstr(reason.text, "'gat'"));
	assert_int_equal(batch_start(bench->dispatcher, "gate", 0, &reason), BATCH_NO_COUNT);
	assert_int_equal(
		batch_start(bench->dispatcher, "gate", BATCH_MOST + 1, &reason), BATCH_NO_COUNT);
	assert_string_equal(batch_of(bench->dispatcher)->board, "");
	start(bench, 500);
	assert_int_equal(batch_start(bench->dispatcher, "door", 5, &reason), BATCH_RUNS);
	assert_non_null(strstr(reason.text, "'gate' runs, 0 of 500 done"));
	assert_string_equal(batch_of(bench->dispatcher)->board, "gate");
	assert_int_equal(count_entries(MESSAGE_BATCH_BEGUN), 1);
}

static void without_a_store_there_is_no_batch(void **state)
{
	struct bench *bench = *state;
	struct reason reason = {0};

	bench->parts.records = NULL;
	renew_dispatcher(bench);
	set_config(bench, two_rules);
	assert_int_equal(batch_start(bench->dispatcher, "gate", 5, &reason), BATCH_NO_STORE);
	assert_non_null(strstr(reason.text, "cannot be written"));
	assert_string_equal(batch_of(bench->dispatcher)->board, "");
	batch_recall(bench->dispatcher);
	batch_review(bench->dispatcher);
}

static void no_more_begin_than_are_missing_and_then_it_pauses(void **state)
{
	struct bench *bench = *state;

	start(bench, 2);
	for (unsigned i = 0; i < 4; i++)
		plug_in(bench, i, "G1");
	run_until_erasing(bench, 2);
	run_until_quiet(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 2);
	finish_one(bench);
	run_until(bench, MESSAGE_UPDATED, 1);
	run_until_quiet(bench);
	assert_int_equal(batch_of(bench->dispatcher)->done, 1);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 2);
	assert_int_equal(count_entries(MESSAGE_PAUSED), 0);
	finish_one(bench);
	run_until(bench, MESSAGE_PAUSED, 1);
	run_until_quiet(bench);
	/* Each end says how far the batch is, with it. */
	assert_string_equal(find_entry(MESSAGE_UPDATED, 0)->batch, "1/2");
	assert_string_equal(find_entry(MESSAGE_UPDATED, 1)->batch, "2/2");
	assert_string_equal(find_entry(MESSAGE_JOB_STARTED, 0)->batch, "");
	assert_says(find_entry(MESSAGE_BATCH_DONE, 0), "2 of 2 done");
	assert_says(find_entry(MESSAGE_PAUSED, 0), "batch gate: 2 of 2 done");
	assert_string_equal(batch_of(bench->dispatcher)->board, "");
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 2);
	/* The batch is over, and the next two are none of it. */
	assert_true(dispatcher_resume(bench->dispatcher));
	run_until_erasing(bench, 2);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 4);
	assert_int_equal(count_entries(MESSAGE_BATCH_DONE), 1);
}

static void boards_of_another_rule_take_their_turns(void **state)
{
	struct bench *bench = *state;

	start(bench, 1);
	plug_in(bench, 0, "G1");
	plug_in(bench, 1, "G2");
	plug_in(bench, 2, "D1");
	plug_in(bench, 3, "D2");
	run_until(bench, MESSAGE_UPDATED, 2);
	run_until_erasing(bench, 1);
	run_until_quiet(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 3);
	assert_int_equal(batch_of(bench->dispatcher)->done, 0);
	assert_string_equal(find_entry(MESSAGE_UPDATED, 0)->batch, "");
}

static void a_batch_whose_rule_is_gone_is_told(void **state)
{
	struct bench *bench = *state;
	size_t n_before;

	start(bench, 5);
	n_before = n_entries;
	batch_check_rule(bench->dispatcher);
	assert_int_equal(n_entries, n_before);
	set_config(bench, "[board door]\nserial = D*\nchip = 0x414\nimage = update-*.bin\n");
	batch_check_rule(bench->dispatcher);
	assert_int_equal(n_entries, n_before + 1);
	assert_says(&entries[n_before], "no rule has its name");
	assert_string_equal(batch_of(bench->dispatcher)->board, "gate");
}

/* Its place is free again, for itself and for others. */
static void a_board_that_fails_does_not_count(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = torn-*.bin\n");
	start(bench, 1);
	plug_in(bench, 0, "G1");
	plug_in(bench, 1, "G2");
	run_until(bench, MESSAGE_JOB_FAILED, 2);
	run_until_quiet(bench);
	assert_int_equal(batch_of(bench->dispatcher)->done, 0);
	assert_int_equal(count_entries(MESSAGE_BATCH_DONE), 0);
	assert_int_equal(count_entries(MESSAGE_PAUSED), 0);
}

/* Killed before it could pause: the store has all that is needed to do it then. */
static void a_batch_that_filled_before_a_power_cut_ends_after_it(void **state)
{
	struct bench *bench = *state;
	char directory[400];

	snprintf(directory, sizeof(directory), "%s", records.directory);
	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n");
	start(bench, 1);
	plug_in(bench, 0, "G1");
	run_until_entries(bench, MESSAGE_UPDATED, 1);
	assert_int_equal(count_entries(MESSAGE_PAUSED), 0);
	records_close(&records);
	records = (struct records){.directory = NULL};
	assert_int_equal(records_open(&records, directory), 0);
	renew_dispatcher(bench);
	set_config(bench, two_rules);
	batch_recall(bench->dispatcher);
	assert_int_equal(batch_of(bench->dispatcher)->done, 1);
	assert_says(find_entry(MESSAGE_BATCH_BEGUN, 1), "1 of 1 done: it goes on");
	plug_in(bench, 1, "G2");
	run_until(bench, MESSAGE_PAUSED, 1);
	run_until_quiet(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 1);
	/* And that is kept, too. */
	renew_dispatcher(bench);
	set_config(bench, two_rules);
	batch_recall(bench->dispatcher);
	dispatcher_recall_pause(bench->dispatcher);
	assert_int_equal(count_entries(MESSAGE_PAUSED), 2);
	assert_string_equal(batch_of(bench->dispatcher)->board, "");
}

static void a_batch_that_is_stopped_pauses_nothing(void **state)
{
	struct bench *bench = *state;
	struct reason reason = {0};

	start(bench, 1);
	plug_in(bench, 0, "G1");
	plug_in(bench, 1, "G2");
	run_until_erasing(bench, 1);
	assert_int_equal(batch_stop(bench->dispatcher, &reason), 0);
	assert_says(find_entry(MESSAGE_BATCH_STOPPED, 0), "0 of 1 done");
	run_until_erasing(bench, 2);
	assert_int_equal(count_entries(MESSAGE_PAUSED), 0);
	/* A restart does not bring it back. */
	renew_dispatcher(bench);
	batch_recall(bench->dispatcher);
	assert_string_equal(batch_of(bench->dispatcher)->board, "");
}

/* The service ends and is started again; the reason why it is paused then, "" where it is not. */
static const char *pause_after_restart(struct bench *bench, const char *directory)
{
	records_close(&records);
	records = (struct records){.directory = NULL};
	assert_int_equal(records_open(&records, directory), 0);
	renew_dispatcher(bench);
	dispatcher_recall_pause(bench->dispatcher);
	return dispatcher_holds(bench->dispatcher)->is_paused
		       ? dispatcher_holds(bench->dispatcher)->reason
		       : "";
}

static void pause_service(struct bench *bench)
{
	struct reason reason = {0};

	assert_int_equal(dispatcher_pause(bench->dispatcher, "wrong image", &reason), 0);
}

/* Whoever stopped the line finds it stopped. */
static void a_pause_goes_on_in_another_store(void **state)
{
	struct bench *bench = *state;
	char directory[256];

	snprintf(directory, sizeof(directory), "%s", records.directory);
	pause_service(bench);
	assert_int_equal(rename(directory, in_folder("taken-away")), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_true(records_open_store(&records));
	assert_string_equal(pause_after_restart(bench, directory), "wrong image");

	/* The one who has it from a store that he only read keeps it as well. */
	assert_int_equal(rename(directory, in_folder("taken-away-too")), 0);
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_true(records_open_store(&records));
	assert_string_equal(pause_after_restart(bench, directory), "wrong image");
	assert_true(dispatcher_resume(bench->dispatcher));
	assert_string_equal(pause_after_restart(bench, directory), "");
}

static void a_pause_without_a_store_is_in_the_store_that_comes(void **state)
{
	struct bench *bench = *state;
	char directory[256];

	snprintf(directory, sizeof(directory), "%s", in_folder("comes-late"));
	assert_string_equal(pause_after_restart(bench, directory), "");
	pause_service(bench);
	assert_int_equal(mkdir(directory, 0700), 0);
	assert_true(records_open_store(&records));
	assert_string_equal(pause_after_restart(bench, directory), "wrong image");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_batch, tear_down_batch)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_makes_no_sense_is_refused_with_the_reason),
		TEST(without_a_store_there_is_no_batch),
		TEST(no_more_begin_than_are_missing_and_then_it_pauses),
		TEST(boards_of_another_rule_take_their_turns),
		TEST(a_batch_whose_rule_is_gone_is_told),
		TEST(a_board_that_fails_does_not_count),
		TEST(a_batch_that_filled_before_a_power_cut_ends_after_it),
		TEST(a_batch_that_is_stopped_pauses_nothing),
		TEST(a_pause_goes_on_in_another_store),
		TEST(a_pause_without_a_store_is_in_the_store_that_comes),
	};

	self = fake_worker_main();
	return cmocka_run_group_tests_name("batch", tests, bench_make_images, folder_remove);
}
