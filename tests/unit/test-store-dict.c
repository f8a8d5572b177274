/* SPDX-License-Identifier: MIT */
/* Rows of the store as named values: under the names of `history --json`, times in milliseconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "records/store-dict.h"
#include "unit/store-bench.h"

static void an_attempt_is_told_with_its_report(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0};
	struct store_attempt attempt = make_attempt(7, 5, true);

	(void)state;
	attempt.id = INT64_C(5000000000);
	attempt.started_ms = INT64_C(1793491200001);
	snprintf(attempt.serial, sizeof(attempt.serial), "00\x01\xff");
	assert_int_equal(attempt_to_dict(&attempt, &dict), 0);
	assert_int_equal(dict_long(&dict, "id"), INT64_C(5000000000));
	assert_int_equal(dict_long(&dict, "started"), INT64_C(1793491200001));
	assert_int_equal(dict_long(&dict, "ended"), 52);
	assert_string_equal(dict_text(&dict, "job"), attempt.job);
	assert_string_equal(dict_text(&dict, "port"), "ttyUSB0");
	assert_string_equal(dict_text(&dict, "usb_serial"), "00\\x01\\xff");
	assert_string_equal(dict_text(&dict, "operation"), "flash");
	assert_string_equal(dict_text(&dict, "outcome"), "updated");
	assert_string_equal(dict_text(&dict, "reason"), "reason 5");
	assert_int_equal(dict_long(dict_counts(&dict, "phase_ms"), "write"), 5 + PHASE_WRITE);
	assert_null(dict_find(&dict, "key"));
}

static void what_is_not_known_is_left_out(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0}, unit_dict = {0};
	struct store_attempt attempt = {.started_ms = 1, .board = "gate"};
	struct store_unit unit = {.seen_ms = 2};

	(void)state;
	assert_int_equal(attempt_to_dict(&attempt, &dict), 0);
	assert_string_equal(dict_text(&dict, "board"), "gate");
	assert_null(dict_find(&dict, "ended"));
	assert_null(dict_find(&dict, "outcome"));
	assert_null(dict_find(&dict, "slot"));
	assert_int_equal(unit_to_dict(&unit, &unit_dict), 0);
	assert_null(dict_find(&unit_dict, "state"));
	assert_null(dict_find(&unit_dict, "failed_with"));
	assert_null(dict_find(&unit_dict, "again"));
	assert_int_equal(dict_number(&unit_dict, "failures"), 0);
	assert_non_null(dict_find(&unit_dict, "failures"));
}

static void a_unit_is_told_with_its_state(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0};
	struct store_unit unit = make_unit(7, 3, UNIT_FAILED);

	(void)state;
	unit.id = 12;
	unit.rollback = ROLLBACK_DONE;
	text_copy(unit.previous_version, sizeof(unit.previous_version), "1.1");
	text_copy(unit.failed_sha256, sizeof(unit.failed_sha256), "ab12");
	assert_int_equal(unit_to_dict(&unit, &dict), 0);
	assert_int_equal(dict_long(&dict, "id"), 12);
	assert_string_equal(dict_text(&dict, "unit"), "000000000000000000000007");
	assert_string_equal(dict_text(&dict, "state"), "failed");
	assert_int_equal(dict_number(&dict, "failures"), 3);
	assert_string_equal(dict_text(&dict, "failed_with"), "write-failed");
	assert_string_equal(dict_text(&dict, "failed_sha256"), "ab12");
	assert_string_equal(dict_text(&dict, "previous_version"), "1.1");
	assert_string_equal(dict_text(&dict, "rollback"), "done");
	assert_int_equal(dict_long(&dict, "again"), 3000);
}

static void a_cell_of_the_counts_is_told(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0};
	const struct count_cell cell = {
		.counts = {.day = "2026-11-28",
			.first_pass = 999,
			.retried = 1,
			.outcomes = {[OUTCOME_UPDATED] = 998, [OUTCOME_CURRENT] = 2}},
		.board = "gate",
		.slot = "A1",
		.usb_path = "pci-0",
		.last_ms = 77,
	};

	(void)state;
	assert_int_equal(count_cell_to_dict(&cell, &dict), 0);
	assert_string_equal(dict_text(&dict, "day"), "2026-11-28");
	assert_string_equal(dict_text(&dict, "slot"), "A1");
	assert_int_equal(dict_number(&dict, "first_pass"), 999);
	assert_int_equal(dict_number(&dict, "retried"), 1);
	assert_int_equal(dict_number(&dict, "bad"), 0);
	assert_int_equal(dict_number(&dict, "yield_percent"), 99);
	assert_int_equal(dict_long(dict_counts(&dict, "outcomes"), "updated"), 998);
	assert_null(dict_find(dict_counts(&dict, "outcomes"), "no-sync"));
	assert_int_equal(dict_long(&dict, "last"), 77);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_is_told_with_its_report),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(a_unit_is_told_with_its_state),
		cmocka_unit_test(a_cell_of_the_counts_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
