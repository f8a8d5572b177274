/* SPDX-License-Identifier: MIT */
/* How far a job has got, how fast it is, and when it ends, by lines of progress and their times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "service/pace.h"

#define START_MS INT64_C(1700000000000)

/* A line of progress, at so many milliseconds from the beginning. */
static void take(struct pace *pace, uint64_t at_ms, enum phase phase, uint64_t done, uint64_t total)
{
	const struct progress progress = {.phase = phase, .done = done, .total = total};

	pace_take(pace, &progress, USEC_PER_SEC + at_ms * USEC_PER_MSEC, START_MS + (int64_t)at_ms);
}

/* Milliseconds from the beginning to the end that is expected; -1 none is. */
static int64_t end_of(const struct pace *pace)
{
	return pace->expected_end_ms > 0 ? pace->expected_end_ms - START_MS : -1;
}

static void nothing_is_known_before_bytes_move(void **state)
{
	struct pace pace = {0};

	(void)state;
	take(&pace, 0, PHASE_OPEN, 0, 0);
	take(&pace, 100, PHASE_ENTER, 0, 0);
	take(&pace, 900, PHASE_IDENTIFY, 0, 0);
	take(&pace, 2000, PHASE_ERASE, 0, 16);
	assert_int_equal(pace.rate, 0);
	assert_int_equal(end_of(&pace), -1);
	assert_true(pace.progress > 0 && pace.progress < 0.2);
}

static void a_rate_is_known_once_it_was_measured_for_a_while(void **state)
{
	struct pace pace = {0};

	(void)state;
	take(&pace, 0, PHASE_WRITE, 0, 100000);
	take(&pace, 499, PHASE_WRITE, 4990, 100000);
	assert_int_equal(pace.rate, 0);
	assert_int_equal(end_of(&pace), -1);
	take(&pace, 1000, PHASE_WRITE, 10000, 100000);
	assert_int_equal(pace.rate, 10000);
	/* 90000 to write, and all of it to read at the same rate. */
	assert_int_equal(end_of(&pace), 1000 + 9000 + 10000);
}

/* A comparison that came before says how fast the flash is read. */
static void verify_is_expected_at_the_rate_of_the_comparison(void **state)
{
	struct pace pace = {0};

	(void)state;
	take(&pace, 0, PHASE_COMPARE, 0, 100000);
	take(&pace, 1000, PHASE_COMPARE, 20000, 100000);
	assert_int_equal(pace.rate, 20000);
	take(&pace, 1100, PHASE_ERASE, 0, 10);
	assert_int_equal(pace.rate, 0);
	take(&pace, 2000, PHASE_WRITE, 0, 100000);
	take(&pace, 3000, PHASE_WRITE, 10000, 100000);
	assert_int_equal(pace.rate, 10000);
	assert_int_equal(end_of(&pace), 3000 + 9000 + 5000);
	take(&pace, 12000, PHASE_VERIFY, 0, 100000);
	assert_int_equal(end_of(&pace), 12000 + 5000);
	take(&pace, 14000, PHASE_VERIFY, 50000, 100000);
	assert_int_equal(end_of(&pace), 14000 + 2000);
}

/* It may be current in a moment, or be written in full. */
static void a_flash_that_is_compared_has_no_end_yet_and_a_verify_has(void **state)
{
	struct pace flash = {0}, verify = {.is_check = true};

	(void)state;
	for (uint64_t ms = 0; ms <= 2000; ms += 250) {
		take(&flash, ms, PHASE_COMPARE, 10 * ms, 40000);
		take(&verify, ms, PHASE_COMPARE, 10 * ms, 40000);
	}
	assert_int_equal(end_of(&flash), -1);
	assert_int_equal(end_of(&verify), 2000 + 2000);
	assert_true(flash.progress < 0.1);
	assert_true(verify.progress > 0.4 && verify.progress < 0.6);
}

/* Signs of life of a worker that does not get on. */
static void a_rate_falls_where_nothing_moves(void **state)
{
	struct pace pace = {0};

	(void)state;
	take(&pace, 0, PHASE_WRITE, 0, 100000);
	take(&pace, 1000, PHASE_WRITE, 10000, 100000);
	take(&pace, 5000, PHASE_WRITE, 10000, 100000);
	assert_int_equal(pace.rate, 2000);
	assert_true(end_of(&pace) > 50000);
	take(&pace, 6000, PHASE_VERIFY, 0, 0);
	assert_int_equal(pace.rate, 0);
}

/* A whole job, as the worker tells it, with the start of the flash last. */
static void the_share_grows_through_a_whole_job(void **state)
{
	static const struct {
		enum phase phase;
		uint64_t done, total;
	} lines[] = {{PHASE_IMAGE, 0, 0}, {PHASE_OPEN, 0, 0}, {PHASE_ENTER, 0, 0},
		{PHASE_SYNC, 0, 0}, {PHASE_ENTER, 2, 4}, {PHASE_SYNC, 0, 0}, {PHASE_IDENTIFY, 0, 0},
		{PHASE_COMPARE, 0, 65536}, {PHASE_COMPARE, 256, 65536}, {PHASE_ERASE, 0, 64},
		{PHASE_ERASE, 64, 64}, {PHASE_WRITE, 0, 0}, {PHASE_WRITE, 30000, 65536},
		{PHASE_WRITE, 65280, 65536}, {PHASE_VERIFY, 0, 0}, {PHASE_VERIFY, 30000, 65536},
		{PHASE_VERIFY, 65280, 65536}, {PHASE_WRITE, 0, 0}, {PHASE_WRITE, 256, 65536},
		{PHASE_VERIFY, 0, 0}, {PHASE_VERIFY, 256, 65536}, {PHASE_PROTECT, 0, 0},
		{PHASE_ENTER, 0, 0}, {PHASE_SYNC, 0, 0}, {PHASE_IDENTIFY, 0, 0},
		{PHASE_LEAVE, 0, 0}, {PHASE_CONFIRM, 0, 0}};
	struct pace pace = {0};
	double before = 0;
	int64_t expected = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		take(&pace, 1000 * i, lines[i].phase, lines[i].done, lines[i].total);
		assert_true(pace.progress >= before);
		assert_true(pace.progress <= 1);
		before = pace.progress;
		/* What was expected when the first verification ended. */
		if (i == 16)
			expected = pace.expected_end_ms;
		if (i > 16)
			assert_int_equal(pace.expected_end_ms, expected);
	}
	assert_true(expected > 0);
	assert_true(before > 0.95);
}

static void another_pass_begins_anew(void **state)
{
	struct pace pace = {0};
	double before;

	(void)state;
	take(&pace, 0, PHASE_WRITE, 0, 65536);
	take(&pace, 1000, PHASE_WRITE, 60000, 65536);
	before = pace.progress;
	assert_true(end_of(&pace) > 0);
	take(&pace, 2000, PHASE_ENTER, 0, 0);
	assert_true(pace.progress < before);
	assert_int_equal(end_of(&pace), -1);
	/* A flash that was wiped to take its protection away is still the same pass. */
	take(&pace, 3000, PHASE_ERASE, 0, 0);
	before = pace.progress;
	take(&pace, 4000, PHASE_ENTER, 0, 0);
	assert_true(pace.progress == before);
}

/* A worker that was taken over may say anything. */
static void hostile_numbers_stay_numbers(void **state)
{
	static const uint64_t numbers[] = {0, 1, 4096, INT64_MAX, UINT64_MAX - 1, UINT64_MAX};
	static const uint64_t times[] = {0, 1, 600, 86400000};
	uint64_t at = 0;

	(void)state;
	for (enum phase first = 0; first < PHASE_MAX; first++)
		for (enum phase second = 0; second < PHASE_MAX; second++) {
			struct pace pace = {.is_check = first % 2};

			for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
				for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) {
					at += times[(i + k) % ARRAY_SIZE(times)];
					take(&pace, at, i % 2 ? first : second, numbers[k],
						numbers[i]);
					assert_true(pace.progress >= 0 && pace.progress <= 1);
					assert_true(
						pace.expected_end_ms == 0 ||
						(pace.expected_end_ms >= START_MS &&
							pace.expected_end_ms <=
								START_MS + (int64_t)at + 86400000));
				}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_before_bytes_move),
		cmocka_unit_test(a_rate_is_known_once_it_was_measured_for_a_while),
		cmocka_unit_test(verify_is_expected_at_the_rate_of_the_comparison),
		cmocka_unit_test(a_flash_that_is_compared_has_no_end_yet_and_a_verify_has),
		cmocka_unit_test(a_rate_falls_where_nothing_moves),
		cmocka_unit_test(the_share_grows_through_a_whole_job),
		cmocka_unit_test(another_pass_begins_anew),
		cmocka_unit_test(hostile_numbers_stay_numbers),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
