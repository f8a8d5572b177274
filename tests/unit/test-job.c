/* SPDX-License-Identifier: MIT */
/* What jobs decide by themselves: states, retries, limits, and what counts as flapping. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "service/flap.h"
#include "service/job.h"
#include "service/worker.h"
#include "unit/rows.h"

#define MS USEC_PER_MSEC
#define S  USEC_PER_SEC

static void states_have_names(void **state)
{
	(void)state;
	for (enum job_state i = 0; i < JOB_STATE_MAX; i++)
		assert_non_null(job_state_to_string(i));
}

static void every_bridge_may_be_pulled_out_at_any_time(void **state)
{
	(void)state;
	for (enum job_state i = 0; i < JOB_GONE; i++)
		assert_true(job_state_may_follow(i, JOB_GONE));
}

static void nothing_follows_gone(void **state)
{
	(void)state;
	for (enum job_state i = 0; i < JOB_STATE_MAX; i++)
		assert_false(job_state_may_follow(JOB_GONE, i));
}

static void only_a_queued_job_may_run(void **state)
{
	(void)state;
	for (enum job_state i = 0; i < JOB_STATE_MAX; i++)
		assert_int_equal(job_state_may_follow(i, JOB_RUNNING), i == JOB_QUEUED);
}

static const struct retry_row {
	const char *name;
	struct report report;
	unsigned n_retries;
	uint64_t elapsed;
	uint64_t delay;
} retries[] = {
	{"fault 11: a port that is held is tried again", {.outcome = OUTCOME_PORT_BUSY}, 0, 0,
		500 * MS},
	{"fault 11: the delay doubles", {.outcome = OUTCOME_PORT_BUSY}, 2, 2 * S, 2 * S},
	{"fault 11: up to a bound", {.outcome = OUTCOME_PORT_BUSY}, 9, 10 * S, 4 * S},
	{"fault 11: and ends", {.outcome = OUTCOME_PORT_BUSY}, 9, 17 * S, 0},
	{"fault 9: no permission yet",
		{.outcome = OUTCOME_FAILED, .phase = PHASE_OPEN, .error = EACCES}, 0, 0, 250 * MS},
	{"fault 9: no node yet",
		{.outcome = OUTCOME_PORT_GONE, .phase = PHASE_OPEN, .error = ENOENT}, 1, 300 * MS,
		500 * MS},
	{"fault 9: for five seconds",
		{.outcome = OUTCOME_FAILED, .phase = PHASE_OPEN, .error = EACCES}, 6, 4100 * MS, 0},
	{"the worker's own retries are not repeated", {.outcome = OUTCOME_NO_SYNC}, 0, 0, 0},
	{"an unreadable image is no matter of time",
		{.outcome = OUTCOME_FAILED, .phase = PHASE_IMAGE, .error = EACCES}, 0, 0, 0},
	{"fault 26: the image was changed after it was chosen",
		{.outcome = OUTCOME_BAD_IMAGE, .phase = PHASE_IMAGE, .error = ESTALE}, 0, 0, S},
	{"fault 26: and changes all the time",
		{.outcome = OUTCOME_BAD_IMAGE, .phase = PHASE_IMAGE, .error = ESTALE}, 4, 4100 * MS,
		0},
	{"a wrong chip stays wrong", {.outcome = OUTCOME_WRONG_CHIP}, 0, 0, 0},
	{"success", {.outcome = OUTCOME_UPDATED}, 0, 0, 0},
};

static void retry_follows_the_row(void **state)
{
	const struct retry_row *row = *state;

	assert_int_equal(job_retry_delay(&row->report, row->n_retries, row->elapsed), row->delay);
}

static void retries_end(void **state)
{
	const struct report busy = {.outcome = OUTCOME_PORT_BUSY};
	uint64_t elapsed = 0, delay;
	unsigned n = 0;

	(void)state;
	while ((delay = job_retry_delay(&busy, n, elapsed)) > 0) {
		elapsed += delay;
		n++;
		assert_true(n < 100);
	}
	assert_true(elapsed >= 15 * S && elapsed <= 20 * S);
}

static void fault_53_a_worker_is_never_waited_for_without_end(void **state)
{
	uint32_t fast = 921600, slow = 9600, one = 1;
	struct board board = {.baud = {&fast, 1}, .retries = 3, .retry_delay_usec = 2 * S};
	struct worker_limits limits = worker_limits_for(&board);

	(void)state;
	assert_true(limits.silence_usec == 300 * S + 16 * S);
	assert_true(limits.total_usec == 1800 * S + 16 * S);
	board.baud.items = &slow;
	limits = worker_limits_for(&board);
	assert_true(limits.total_usec == 12 * 1800 * S + 16 * S);
	board.baud.items = &one;
	board.retries = UINT32_MAX;
	board.retry_delay_usec = UINT64_MAX;
	limits = worker_limits_for(&board);
	assert_true(limits.silence_usec <= 25 * 3600 * S);
	assert_true(limits.total_usec <= 49 * 3600 * S);
}

/* -------------------------------------------------------------------------------- flapping */

static struct facts bridge_at(char *path)
{
	return (struct facts){
		.vendor_id = 0x10c4, .product_id = 0xea60, .path = path, .sysfs = "/sys/x"};
}

static void a_person_with_a_cable_is_not_flapping(void **state)
{
	static struct flap_table table;
	struct facts facts = bridge_at("pci-0");

	(void)state;
	for (uint64_t i = 0; i < 30; i++) {
		struct flap_verdict verdict = flap_count(&table, &facts, (1 + i * 11) * S);

		assert_false(verdict.is_flapping);
		assert_true(verdict.delay_usec == 0);
	}
}

static void fault_22_hundred_plugs_a_minute_make_an_entry_a_minute(void **state)
{
	static struct flap_table table;
	struct facts facts = bridge_at("pci-0");
	unsigned n_entries = 0, n_told = 0;
	struct flap_verdict verdict = {0};

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		verdict = flap_count(&table, &facts, 1 * S + i * 600 * MS);
		assert_int_equal(verdict.is_flapping, i >= FLAP_TOLERATED);
		n_entries += verdict.is_entry_due;
		if (verdict.is_entry_due)
			n_told += verdict.n_comings;
	}
	assert_int_equal(n_entries, 1);
	assert_int_equal(n_told, FLAP_TOLERATED + 1);
	assert_true(verdict.delay_usec == FLAP_DELAY_MAX_USEC);
	verdict = flap_count(&table, &facts, 1 * S + 110 * 600 * MS);
	assert_true(verdict.is_entry_due);
	assert_int_equal(verdict.n_comings, 100 - FLAP_TOLERATED);
}

static void fault_22_the_delay_grows_and_is_forgotten(void **state)
{
	static struct flap_table table;
	struct facts facts = bridge_at("pci-0");
	uint64_t now = S, last = 0;

	(void)state;
	for (unsigned i = 0; i < 12; i++, now += 100 * MS) {
		struct flap_verdict verdict = flap_count(&table, &facts, now);

		assert_true(verdict.delay_usec >= last);
		last = verdict.delay_usec;
	}
	assert_true(last > FLAP_DELAY_USEC);
	assert_false(flap_count(&table, &facts, now + 120 * S).is_flapping);
}

static void fault_22_one_slot_does_not_slow_another(void **state)
{
	static struct flap_table table;
	struct facts bad = bridge_at("pci-0"), good = bridge_at("pci-1");

	(void)state;
	for (uint64_t i = 0; i < 50; i++)
		flap_count(&table, &bad, S + i * 100 * MS);
	assert_true(flap_count(&table, &bad, 7 * S).is_flapping);
	assert_false(flap_count(&table, &good, 7 * S).is_flapping);
}

static void fault_22_the_table_is_bounded_and_keeps_the_flapping_slot(void **state)
{
	static struct flap_table table;
	struct facts bad = bridge_at("bad");
	uint64_t now = S;

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		char path[600];
		struct facts other = bridge_at(path);

		snprintf(path, sizeof(path), "%0500d", (int)i);
		flap_count(&table, &other, now += MS);
		flap_count(&table, &bad, now += MS);
	}
	assert_true(flap_count(&table, &bad, now + MS).is_flapping);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n = 0;

	ADD_TEST(tests, n, states_have_names);
	ADD_TEST(tests, n, every_bridge_may_be_pulled_out_at_any_time);
	ADD_TEST(tests, n, nothing_follows_gone);
	ADD_TEST(tests, n, only_a_queued_job_may_run);
	ADD_ROWS(tests, n, retries, retry_follows_the_row);
	ADD_TEST(tests, n, retries_end);
	ADD_TEST(tests, n, fault_53_a_worker_is_never_waited_for_without_end);
	ADD_TEST(tests, n, a_person_with_a_cable_is_not_flapping);
	ADD_TEST(tests, n, fault_22_hundred_plugs_a_minute_make_an_entry_a_minute);
	ADD_TEST(tests, n, fault_22_the_delay_grows_and_is_forgotten);
	ADD_TEST(tests, n, fault_22_one_slot_does_not_slow_another);
	ADD_TEST(tests, n, fault_22_the_table_is_bounded_and_keeps_the_flapping_slot);
	return RUN_TESTS("job", tests, n);
}
