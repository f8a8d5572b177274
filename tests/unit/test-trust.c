/* SPDX-License-Identifier: MIT */
/*
 * test-trust.c - what a host learns of faster ways of writing: which row a report is about, what an
 * end makes of it, and that the store keeps it, within bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "records/settle.h"
#include "records/trust.h"
#include "unit/store-bench.h"

#define NOW INT64_C(1700000000000)

static struct report report_of(uint8_t stub_trial, uint8_t bursts_trial)
{
	return (struct report){
		.outcome = OUTCOME_UPDATED,
		.phase = PHASE_LEAVE,
		.proof = PROOF_READ_BACK,
		.has_product_id = true,
		.family = "stm32",
		.product_id = 0x414,
		.bootloader_version = 0x22,
		.stub_version = 1,
		.chip = "STM32F10xxx High-density",
		.unit = "001122334455667788990011",
		.stub = "given up after the erase: it did not answer",
		.stub_trial = stub_trial,
		.bursts_trial = bursts_trial,
	};
}

static void a_kind_is_told_from_others(void **state)
{
	struct report report = report_of(TRIAL_NONE, TRIAL_NONE);
	struct store_trust row, other;

	(void)state;
	assert_true(trust_row(TRUST_STUB, &report, &row));
	assert_string_equal(row.kind, "stub stm32:0x414 2.2 1");
	assert_string_equal(
		row.name, "stub of STM32F10xxx High-density (0x414), boot loader 2.2, program 1");
	assert_int_equal(trust_of(&row), TRUST_ON_TRIAL);
	assert_true(trust_row(TRUST_BURSTS, &report, &other));
	assert_string_equal(other.kind, "bursts stm32:0x414 2.2");
	/* Another program is on trial again; the ROM's bursts do not depend on it. */
	report.stub_version = 2;
	assert_true(trust_row(TRUST_STUB, &report, &other));
	assert_string_not_equal(other.kind, row.kind);
	report.stub_version = 0;
	assert_false(trust_row(TRUST_STUB, &report, &other));
	assert_string_equal(other.kind, "");
	assert_true(trust_row(TRUST_BURSTS, &report, &other));
	report.bootloader_version = 0x31;
	assert_true(trust_row(TRUST_BURSTS, &report, &other));
	assert_string_equal(other.kind, "bursts stm32:0x414 3.1");
	report.has_product_id = false;
	assert_false(trust_row(TRUST_BURSTS, &report, &other));
}

static void an_end_makes_something_of_a_row(void **state)
{
	static const struct {
		const char *name;
		uint32_t proved;
		bool is_off;
		uint8_t trial;
		int news;
		enum trust trust;
	} rows[] = {
		{"nothing was used", 0, false, TRIAL_NONE, TRUST_NO_NEWS, TRUST_ON_TRIAL},
		{"used without a second proof", 0, false, TRIAL_USED, TRUST_NO_NEWS,
			TRUST_ON_TRIAL},
		{"the first proof", 0, false, TRIAL_PASSED, TRUST_COUNTED, TRUST_ON_TRIAL},
		{"the last but one", TRUST_PROOFS - 2, false, TRIAL_PASSED, TRUST_COUNTED,
			TRUST_ON_TRIAL},
		{"the last", TRUST_PROOFS - 1, false, TRIAL_PASSED, TRUST_COUNTED, TRUST_FULL},
		{"one more is not counted", TRUST_PROOFS, false, TRIAL_PASSED, TRUST_NO_NEWS,
			TRUST_FULL},
		{"a failure at first", 0, false, TRIAL_FAILED, TRUST_TURNED_OFF, TRUST_OFF},
		{"a failure on trial", 3, false, TRIAL_FAILED, TRUST_TURNED_OFF, TRUST_OFF},
		{"a failure of what was trusted", TRUST_PROOFS, false, TRIAL_FAILED,
			TRUST_TURNED_OFF, TRUST_OFF},
		{"off: a second failure is no news", 0, true, TRIAL_FAILED, TRUST_NO_NEWS,
			TRUST_OFF},
		/* Of a job that was under way when another one turned it off. */
		{"off: a proof does not help", 0, true, TRIAL_PASSED, TRUST_NO_NEWS, TRUST_OFF},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		enum trust_way way = i % 2 ? TRUST_STUB : TRUST_BURSTS;
		uint8_t trial = rows[i / 2].trial;
		struct report report = report_of(way == TRUST_STUB ? trial : TRIAL_NONE,
			way == TRUST_BURSTS ? trial : TRIAL_NONE);
		struct store_trust row;

		print_message("# %s: %s\n", trust_way_to_string(way), rows[i / 2].name);
		assert_true(trust_row(way, &report, &row));
		row.proved = rows[i / 2].proved;
		row.off_ms = rows[i / 2].is_off ? 1 : 0;
		assert_int_equal(trust_learn(&row, way, &report, NOW), rows[i / 2].news);
		assert_int_equal(trust_of(&row), rows[i / 2].trust);
		if (rows[i / 2].news != TRUST_NO_NEWS)
			assert_int_equal(row.seen_ms, NOW);
		if (rows[i / 2].news != TRUST_TURNED_OFF)
			continue;
		assert_int_equal(row.off_ms, NOW);
		assert_string_equal(row.reason,
			way == TRUST_STUB
				? "given up after the erase: it did not answer"
				: "a block was refused or lost, or was not in the flash as it was sent");
	}
}

/* A clock that was never set must not make "off" mean "not off". */
static void off_is_off_at_any_time(void **state)
{
	const struct report report = report_of(TRIAL_FAILED, TRIAL_NONE);
	struct store_trust row;

	(void)state;
	assert_true(trust_row(TRUST_STUB, &report, &row));
	assert_int_equal(trust_learn(&row, TRUST_STUB, &report, 0), TRUST_TURNED_OFF);
	assert_int_equal(trust_of(&row), TRUST_OFF);
}

/* ------------------------------------------------------------------------------- an attempt */

static struct settle_input input_of(
	const struct attempt *attempt, const struct facts *facts, const struct report *report)
{
	struct settle_input input = {
		.attempt = attempt,
		.facts = facts,
		.report = report,
		.has_store = true,
		.now_ms = NOW,
	};

	assert_true(trust_row(TRUST_STUB, report, &input.trusts[TRUST_STUB]));
	assert_true(trust_row(TRUST_BURSTS, report, &input.trusts[TRUST_BURSTS]));
	return input;
}

static void an_attempt_leaves_the_rows_that_changed(void **state)
{
	static const struct {
		const char *name;
		enum attempt_operation operation;
		uint8_t stub, bursts;
		enum outcome outcome;
		unsigned n_rows;
		bool stub_is_off, bursts_are_off;
	} rows[] = {
		{"neither", OPERATION_FLASH, TRIAL_NONE, TRIAL_NONE, OUTCOME_UPDATED, 0, false,
			false},
		{"both passed", OPERATION_FLASH, TRIAL_PASSED, TRIAL_PASSED, OUTCOME_UPDATED, 2,
			false, false},
		{"the program failed, and the unit did not", OPERATION_FLASH, TRIAL_FAILED,
			TRIAL_PASSED, OUTCOME_UPDATED, 2, true, false},
		{"bursts failed, and the unit too", OPERATION_FLASH, TRIAL_NONE, TRIAL_FAILED,
			OUTCOME_VERIFY_DIFFERS, 1, false, true},
		{"its port went after that", OPERATION_FLASH, TRIAL_FAILED, TRIAL_FAILED,
			OUTCOME_PORT_GONE, 2, true, true},
		{"a check learns nothing", OPERATION_VERIFY, TRIAL_FAILED, TRIAL_PASSED,
			OUTCOME_CURRENT, 0, false, false},
	};
	const struct facts facts = {.port = (char *)"/dev/ttyUSB0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct attempt attempt = {.id = "1", .operation = rows[i].operation};
		struct report report = report_of(rows[i].stub, rows[i].bursts);
		struct settle_input input;
		struct settled settled;

		print_message("# %s\n", rows[i].name);
		report.outcome = rows[i].outcome;
		input = input_of(&attempt, &facts, &report);
		settle(&input, &settled);
		assert_int_equal(settled.rows.n_trusts, rows[i].n_rows);
		assert_int_equal(settled.turned_off[TRUST_STUB], rows[i].stub_is_off);
		assert_int_equal(settled.turned_off[TRUST_BURSTS], rows[i].bursts_are_off);
	}
}

/* The rule says `yes` or `no`: nothing is looked up, and nothing is learnt. */
static void a_rule_that_knows_teaches_nothing(void **state)
{
	const struct attempt attempt = {.id = "1"};
	const struct facts facts = {.port = (char *)"/dev/ttyUSB0"};
	const struct report report = report_of(TRIAL_FAILED, TRIAL_FAILED);
	struct settle_input input = input_of(&attempt, &facts, &report);
	struct settled settled;

	(void)state;
	memset(input.trusts, 0, sizeof(input.trusts));
	settle(&input, &settled);
	assert_int_equal(settled.rows.n_trusts, 0);
	assert_false(settled.turned_off[TRUST_STUB]);
}

/* The worker of a later try knows nothing of the one before. */
static void a_failure_of_an_earlier_try_counts(void **state)
{
	struct report failed = report_of(TRIAL_FAILED, TRIAL_FAILED), last, other;
	struct attempt attempt = {.id = "1"};

	(void)state;
	other = last = report_of(TRIAL_NONE, TRIAL_PASSED);
	attempt_note_try(&attempt, &failed);
	attempt_note_try(&attempt, &last);
	assert_int_equal(attempt.n_retries, 2);
	text_copy(last.stub, sizeof(last.stub), "used, version 1");
	settle_report(&attempt, &last);
	assert_int_equal(last.stub_trial, TRIAL_FAILED);
	assert_int_equal(last.bursts_trial, TRIAL_FAILED);
	assert_string_equal(last.stub, failed.stub);
	/* Another chip answers now. */
	other.product_id = 0x410;
	settle_report(&attempt, &other);
	assert_int_equal(other.stub_trial, TRIAL_NONE);
	assert_int_equal(other.bursts_trial, TRIAL_PASSED);
}

/* -------------------------------------------------------------------------------- the store */

static struct store_trust row_of(unsigned number, bool is_off)
{
	struct store_trust row = {
		.proved = number % TRUST_PROOFS,
		.off_ms = is_off ? NOW + number : 0,
		.seen_ms = number,
	};

	snprintf(row.kind, sizeof(row.kind), "stub stm32:0x%03x 2.2 1", number);
	snprintf(row.name, sizeof(row.name), "stub of chip %u", number);
	snprintf(row.reason, sizeof(row.reason), "%s", is_off ? "it did not answer" : "");
	return row;
}

static void put(struct store *store, const struct store_trust *row)
{
	struct store_rows rows = {.n_trusts = 1};
	struct reason reason = {0};

	rows.trusts[0] = *row;
	if (store_save(store, &rows, &reason) != 0)
		fail_msg("%s", reason.text);
}

static int count(void *userdata, const struct store_trust *row)
{
	unsigned *counts = userdata;

	counts[trust_of(row) == TRUST_OFF]++;
	return 0;
}

static void the_store_keeps_rows(void **state)
{
	const struct store_trust on = row_of(1, false), off = row_of(2, true);
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);
	struct reason reason = {0};
	struct store_trust found;
	uint32_t n_kinds = 9;
	unsigned counts[2] = {0};

	(void)state;
	assert_int_equal(store_find_trust(store, on.kind, &found, &reason), -ENOENT);
	put(store, &on);
	put(store, &off);
	put(store, &on);
	store_close(store);
	store = open_store(directory);
	assert_int_equal(store_find_trust(store, off.kind, &found, &reason), 0);
	assert_string_equal(found.name, off.name);
	assert_string_equal(found.reason, off.reason);
	assert_int_equal(found.off_ms, off.off_ms);
	assert_int_equal(found.seen_ms, off.seen_ms);
	assert_int_equal(found.proved, off.proved);
	assert_int_equal(store_list_trusts(store, count, counts, &reason), 0);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 1);
	assert_int_equal(store_allow_again(store, &n_kinds, &reason), 0);
	assert_int_equal(n_kinds, 1);
	assert_int_equal(store_find_trust(store, off.kind, &found, &reason), -ENOENT);
	assert_int_equal(store_find_trust(store, on.kind, &found, &reason), 0);
	store_close(store);
}

/* What was learnt while the store could not be read knows nothing of what is in it. */
static void a_row_learnt_blindly_turns_nothing_on(void **state)
{
	const struct store_trust off = row_of(2, true);
	struct store_trust blind = row_of(2, false), counted = row_of(3, false);
	struct store *store = open_store(fresh_directory());
	struct reason reason = {0};
	struct store_trust found;

	(void)state;
	put(store, &off);
	put(store, &blind);
	assert_int_equal(store_find_trust(store, off.kind, &found, &reason), 0);
	assert_int_equal(trust_of(&found), TRUST_OFF);
	assert_string_equal(found.reason, off.reason);
	counted.proved = TRUST_PROOFS;
	put(store, &counted);
	counted.proved = 1;
	put(store, &counted);
	assert_int_equal(store_find_trust(store, counted.kind, &found, &reason), 0);
	assert_int_equal(trust_of(&found), TRUST_FULL);
	store_close(store);
}

/* A board may name another kind each time: what is off is not forgotten for that. */
static void the_store_is_bounded(void **state)
{
	const struct store_trust off = row_of(0, true);
	struct store *store = open_store(fresh_directory());
	struct reason reason = {0};
	struct store_trust found;
	unsigned counts[2] = {0};

	(void)state;
	put(store, &off);
	for (unsigned i = 1; i <= STORE_TRUST_MOST + 20; i++) {
		const struct store_trust row = row_of(i, false);

		put(store, &row);
	}
	assert_int_equal(store_list_trusts(store, count, counts, &reason), 0);
	assert_int_equal(counts[0], STORE_TRUST_MOST - 1);
	assert_int_equal(counts[1], 1);
	assert_int_equal(store_find_trust(store, off.kind, &found, &reason), 0);
	assert_int_equal(
		store_find_trust(store, "stub stm32:0x001 2.2 1", &found, &reason), -ENOENT);
	store_close(store);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_kind_is_told_from_others),
	cmocka_unit_test(an_end_makes_something_of_a_row),
	cmocka_unit_test(off_is_off_at_any_time),
	cmocka_unit_test(an_attempt_leaves_the_rows_that_changed),
	cmocka_unit_test(a_rule_that_knows_teaches_nothing),
	cmocka_unit_test(a_failure_of_an_earlier_try_counts),
	cmocka_unit_test(the_store_keeps_rows),
	cmocka_unit_test(a_row_learnt_blindly_turns_nothing_on),
	cmocka_unit_test(the_store_is_bounded),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
