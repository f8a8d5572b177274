/* SPDX-License-Identifier: MIT */
/*
 * What is kept of the jobs that somebody asked for: rows with their operation, quarantine, and what
 * is known of the unit. With a real store.
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

/* The newest row of attempts, and of the board at the socket 0. */
static struct store_attempt row;
static struct store_unit unit;

static int take_row(void *userdata, const struct store_attempt *attempt)
{
	(void)userdata;
	row = *attempt;
	return 1;
}

static void read_store(struct bench *bench)
{
	const struct bridge *bridge = bridge_at(bench, 0);
	struct reason why;

	(void)store_list_attempts(
		records.store, &(struct store_filter){.limit = 1}, take_row, NULL, &why);
	(void)records_find(&records, bridge->attempt.key, &unit);
}

/* A board whose image of that name ends each job in the way of its name. */
static void put_board(struct bench *bench, const char *name)
{
	char config[200];

	snprintf(config, sizeof(config),
		"[board %s]\nchip = 0x414\nimage = %s-*.bin\nquarantine-after = 2\n" IDENTIFY, name,
		name);
	set_config(bench, config);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	n_entries = 0;
}

static void each_row_has_its_operation(void **state)
{
	struct bench *bench = *state;

	put_board(bench, "update");
	for (enum attempt_operation i = OPERATION_FLASH; i <= OPERATION_IDENTIFY; i++) {
		assert_int_equal(ask(bench, 0, i), 0);
		run_until_idle(bench);
		read_store(bench);
		assert_string_equal(row.job, job);
		assert_string_equal(row.operation, attempt_operation_to_string(i));
		assert_true(row.ended_ms > 0);
		assert_int_equal(row.report.outcome,
			i == OPERATION_FLASH ? OUTCOME_UPDATED : OUTCOME_CURRENT);
		assert_string_equal(row.report.image, i >= OPERATION_PROBE ? "" : "update-1.2.bin");
	}
}

/* One that ended before it began has a row as well. */
static void a_cancelled_job_has_a_row(void **state)
{
	struct bench *bench = *state;

	put_board(bench, "update");
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	assert_int_equal(cancel(bench, job), 0);
	read_store(bench);
	assert_string_equal(row.job, job);
	assert_int_equal(row.report.outcome, OUTCOME_CANCELLED);
	assert_string_equal(row.board, "update");
	assert_string_equal(row.report.image, "");
	assert_int_equal(unit.state, UNIT_WHOLE);
}

static void checks_that_find_something_are_no_failures(void **state)
{
	static const char *const boards[] = {"differs", "dumb"};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_SIZE(boards); i++) {
		enum attempt_operation operation = i == 0 ? OPERATION_VERIFY : OPERATION_PROBE;
		struct bridge *bridge;
		struct store_unit before;
		struct bridge_end last;

		put_board(bench, boards[i]);
		bridge = bridge_at(bench, 0);
		last = bridge->last;
		read_store(bench);
		before = unit;
		for (unsigned n = 0; n < 5; n++) {
			assert_int_equal(ask(bench, 0, operation), 0);
			run_until_idle(bench);
			assert_ended_once(job, i == 0 ? "verify: verify-differs: as asked"
						      : "probe: no-sync: as asked");
		}
		read_store(bench);
		assert_int_equal(unit.failures, before.failures);
		assert_int_equal(unit.failed_outcome, before.failed_outcome);
		assert_int_equal(unit.not_before_ms, before.not_before_ms);
		assert_int_equal(unit.state, before.state);
		assert_int_equal(unit.seen_ms, before.seen_ms);
		/* Nor is any of it tried again, or seen as the board's last outcome. */
		assert_int_equal(count_started(), 5);
		assert_int_equal(count_entries(MESSAGE_QUARANTINED), 0);
		assert_int_equal(bridge->last.ended_ms, last.ended_ms);
		assert_int_equal(bridge->last.outcome, last.outcome);
		dispatcher_remove_bridge(bench->dispatcher, pull(0));
		run_until_idle(bench);
	}
}

static void a_check_that_asks_for_an_erase_is_ended(void **state)
{
	struct bench *bench = *state;

	put_board(bench, "liar");
	read_store(bench);
	for (enum attempt_operation i = OPERATION_VERIFY; i <= OPERATION_IDENTIFY; i++) {
		struct store_unit before = unit;

		assert_int_equal(ask(bench, 0, i), 0);
		run_until_idle(bench);
		assert_ended_once(job, "asked whether it may");
		read_store(bench);
		assert_int_equal(row.report.outcome, OUTCOME_FAILED);
		assert_false(row.report.has_erased);
		assert_int_equal(unit.failures, before.failures);
	}
	assert_int_equal(count_entries(MESSAGE_DISBELIEVED), 3);
}

/* What it is on record to hold, it does not: nobody relies on the record any more. */
static void a_record_that_a_verify_disproves_is_not_believed(void **state)
{
	struct bench *bench = *state;

	put_board(bench, "denies");
	read_store(bench);
	assert_string_equal(unit.unit, "0123456789abcdef01234567");
	assert_true(unit.has_state);
	assert_int_equal(ask(bench, 0, OPERATION_VERIFY), 0);
	run_until_idle(bench);
	read_store(bench);
	assert_string_equal(unit.unit, "0123456789abcdef01234567");
	assert_false(unit.has_state);
	assert_int_equal(unit.failures, 0);
}

/* Somebody takes the bridge, and is about to change the flash behind it. */
static void a_record_that_somebody_else_makes_void_is_not_believed(void **state)
{
	struct bench *bench = *state;
	struct bridge *bridge;

	put_board(bench, "update");
	bridge = bridge_at(bench, 0);
	read_store(bench);
	assert_true(unit.has_state && unit.state == UNIT_WHOLE);
	assert_string_not_equal(bridge->image.held_sha256, "");
	dispatcher_distrust(bench->dispatcher, bridge->number);
	read_store(bench);
	assert_false(unit.has_state);
	assert_string_equal(unit.image, "update-1.2.bin");
	assert_string_equal(bridge->image.held_sha256, "");
	/* One that is gone meanwhile is nobody's. */
	dispatcher_distrust(bench->dispatcher, 12345);

	/* A service that has not seen the unit yet knows it by its place. */
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	run_until_idle(bench);
	read_store(bench);
	assert_true(unit.has_state);
	records_distrust(&records, &bridge->facts, "");
	read_store(bench);
	assert_false(unit.has_state);
}

/* ------------------------------------------------------------------------------ quarantine */

/* Twice it failed, by itself. */
static void put_in_quarantine(struct bench *bench)
{
	set_config(bench,
		"[board torn]\nchip = 0x414\nimage = torn-*.bin\nquarantine-after = 2\n" IDENTIFY);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_QUARANTINED), 1);
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(bridge_at(bench, 0)->last.outcome, OUTCOME_QUARANTINED);
	read_store(bench);
	assert_int_equal(unit.failures, 2);
	n_entries = 0;
}

static void a_check_leaves_the_quarantine(void **state)
{
	static const char *const ends[OPERATION_MAX] = {
		[OPERATION_VERIFY] = "verified: it holds",
		[OPERATION_PROBE] = "probed",
		[OPERATION_IDENTIFY] = "has shown which one it is",
	};
	struct bench *bench = *state;

	put_in_quarantine(bench);
	for (enum attempt_operation i = OPERATION_VERIFY; i <= OPERATION_IDENTIFY; i++) {
		assert_int_equal(ask(bench, 0, i), 0);
		run_until_idle(bench);
		assert_ended_once(job, ends[i]);
		read_store(bench);
		assert_int_equal(unit.failures, 2);
		assert_int_equal(bridge_at(bench, 0)->last.outcome, OUTCOME_QUARANTINED);
	}
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(bridge_at(bench, 0)->last.outcome, OUTCOME_QUARANTINED);
}

static void a_flash_that_is_asked_for_is_tried_once_in_spite_of_it(void **state)
{
	struct bench *bench = *state;

	put_in_quarantine(bench);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	run_until_idle(bench);
	assert_ended_once(job, "write-failed");
	/* It failed as before: the service leaves it alone as before. */
	assert_int_equal(count_started(), 1);
	read_store(bench);
	assert_int_equal(unit.failures, 3);
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(bridge_at(bench, 0)->last.outcome, OUTCOME_QUARANTINED);
}

static void a_flash_that_is_asked_for_and_ends_well_ends_it(void **state)
{
	struct bench *bench = *state;

	put_in_quarantine(bench);
	/* The same file and rule, mended: it is the worker that does otherwise now. */
	setenv(FAKE_WORKER_MENDED, "1", 1);
	assert_int_equal(ask(bench, 0, OPERATION_FLASH), 0);
	run_until_idle(bench);
	unsetenv(FAKE_WORKER_MENDED);
	assert_ended_once(job, "updated");
	read_store(bench);
	assert_int_equal(unit.failures, 0);
	assert_int_equal(unit.state, UNIT_WHOLE);
}

/* ------------------------------------------------------------------------------- on-outcome */

static void labels_and_lamps_are_for_flashes(void **state)
{
	CLEANUP(fclosep) FILE *from = NULL;
	struct bench *bench = *state;
	char config[300], log[100];

	put_text("hook", "#!/bin/sh\necho \"$PLUGFLASH_OPERATION\" >>\"$0.log\"\n");
	assert_int_equal(chmod(in_folder("hook"), 0755), 0);
	snprintf(config, sizeof(config),
		"on-outcome = %s\n[board gate]\nchip = 0x414\nimage = update-*.bin\n" IDENTIFY,
		in_folder("hook"));
	set_config(bench, config);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	for (enum attempt_operation i = OPERATION_FLASH; i <= OPERATION_IDENTIFY; i++) {
		assert_int_equal(ask(bench, 0, i), 0);
		run_until_idle(bench);
	}
	while (!hooks_are_idle(&bench->hooks))
		run_once(bench, true);
	from = fopen(in_folder("hook.log"), "re");
	assert_non_null(from);
	log[fread(log, 1, sizeof(log) - 1, from)] = '\0';
	assert_string_equal(log, "flash\nflash\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_row_has_its_operation),
		TEST(a_cancelled_job_has_a_row),
		TEST(checks_that_find_something_are_no_failures),
		TEST(a_check_that_asks_for_an_erase_is_ended),
		TEST(a_record_that_a_verify_disproves_is_not_believed),
		TEST(a_record_that_somebody_else_makes_void_is_not_believed),
		TEST(a_check_leaves_the_quarantine),
		TEST(a_flash_that_is_asked_for_is_tried_once_in_spite_of_it),
		TEST(a_flash_that_is_asked_for_and_ends_well_ends_it),
		TEST(labels_and_lamps_are_for_flashes),
	};

	self = fake_worker_main();
	return cmocka_run_group_tests_name(
		"dispatcher-records", tests, bench_make_images, folder_remove);
}
