/* SPDX-License-Identifier: MIT */
/* test-fleet-budget.c - so many at once, and one more each so often, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/budget.h"

#include "virtual-clock.h"

static const struct budget_rate rate = {3, 10 * USEC_PER_SEC};

/* How many may be done now. */
static unsigned take_all(struct budget *budget)
{
	unsigned n = 0;

	while (n < 100 && budget_take(budget, rate, monotonic_usec()))
		n++;
	return n;
}

static void so_many_at_once_and_then_one_by_one(void **state)
{
	struct budget budget = {0};

	(void)state;
	assert_int_equal(take_all(&budget), 3);
	assert_int_equal(budget_wait_usec(&budget, rate, monotonic_usec()), 10 * USEC_PER_SEC);
	clock_move(10 * USEC_PER_SEC - 1);
	assert_int_equal(budget_wait_usec(&budget, rate, monotonic_usec()), 1);
	assert_int_equal(take_all(&budget), 0);
	clock_move(1);
	assert_int_equal(take_all(&budget), 1);
	clock_move(25 * USEC_PER_SEC);
	assert_int_equal(take_all(&budget), 2);
	clock_move(5 * USEC_PER_SEC);
	assert_int_equal(take_all(&budget), 1);
}

/* Asking costs nothing, and a long pause saves no more than that. */
static void a_pause_makes_it_as_at_first(void **state)
{
	struct budget budget = {0};

	(void)state;
	assert_int_equal(take_all(&budget), 3);
	for (unsigned i = 0; i < 1000; i++)
		assert_false(budget_take(&budget, rate, monotonic_usec()));
	clock_move(30 * USEC_PER_SEC);
	assert_int_equal(take_all(&budget), 3);
	clock_move(3600 * USEC_PER_SEC);
	assert_int_equal(take_all(&budget), 3);
}

static void one_at_once_is_one_each_so_often(void **state)
{
	static const struct budget_rate seldom = {1, 60 * USEC_PER_SEC};
	struct budget budget = {0};
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		n += budget_take(&budget, seldom, monotonic_usec());
		clock_move(USEC_PER_SEC);
	}
	assert_int_equal(n, 10);
}

/* What cannot be put off is paid for later. */
static void what_was_done_beyond_is_waited_for(void **state)
{
	struct budget budget = {0};

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		budget_spend(&budget, rate, monotonic_usec());
	assert_int_equal(budget_wait_usec(&budget, rate, monotonic_usec()), 30 * USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_at_once_and_then_one_by_one),
		cmocka_unit_test(a_pause_makes_it_as_at_first),
		cmocka_unit_test(one_at_once_is_one_each_so_often),
		cmocka_unit_test(what_was_done_beyond_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
