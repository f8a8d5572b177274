/* SPDX-License-Identifier: MIT */
/* What bridges decide by themselves: states, retries and limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "service/bridge.h"
#include "service/tries.h"
#include "service/worker.h"
#include "unit/rows.h"
#include "unit/virtual-clock.h"

#define MS USEC_PER_MSEC
#define S  USEC_PER_SEC

static void states_have_names(void **state)
{
	(void)state;
	for (enum bridge_state i = 0; i < BRIDGE_STATE_MAX; i++)
		assert_non_null(bridge_state_to_string(i));
}

static void every_bridge_may_be_pulled_out_at_any_time(void **state)
{
	(void)state;
	for (enum bridge_state i = 0; i < BRIDGE_GONE; i++)
		assert_true(bridge_state_may_follow(i, BRIDGE_GONE));
}

static void nothing_follows_gone(void **state)
{
	(void)state;
	for (enum bridge_state i = 0; i < BRIDGE_STATE_MAX; i++)
		assert_false(bridge_state_may_follow(BRIDGE_GONE, i));
}

static void only_a_queued_job_may_run(void **state)
{
	(void)state;
	for (enum bridge_state i = 0; i < BRIDGE_STATE_MAX; i++)
		assert_int_equal(bridge_state_may_follow(i, BRIDGE_RUNNING), i == BRIDGE_QUEUED);
}

/* ------------------------------------------------------------------------------ the schedule */

static unsigned n_changes;

static void on_change(void *userdata, struct bridge *bridge)
{
	(void)userdata;
	(void)bridge;
	n_changes++;
}

static const struct bridge_callbacks callbacks = {.on_change = on_change};

static struct bridge *new_bridge(sd_event **ret_event)
{
	const struct facts facts = {.port = (char *)"/dev/ttyUSB0", .sysfs = (char *)"/nowhere"};
	struct bridge *bridge;

	n_changes = 0;
	assert_true(sd_event_new(ret_event) >= 0);
	assert_int_equal(bridge_new(*ret_event, &facts, &callbacks, NULL, &bridge), 0);
	return bridge;
}

static void free_bridge(struct bridge *bridge, sd_event *event)
{
	bridge_free(bridge);
	sd_event_unref(event);
}

static void what_is_due_at_once_is_queued(void **state)
{
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);

	(void)state;
	bridge_schedule(bridge, SCHEDULE_IMAGE, 0);
	assert_int_equal(bridge->state, BRIDGE_QUEUED);
	assert_int_equal(bridge->schedule.reason, SCHEDULE_IMAGE);
	assert_int_equal(n_changes, 1);
	free_bridge(bridge, event);
}

static void what_is_due_later_waits_for_its_time(void **state)
{
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);

	(void)state;
	bridge_schedule(bridge, SCHEDULE_REST, 5 * S);
	assert_int_equal(bridge->state, BRIDGE_WAITING);
	clock_move(5 * S - 1);
	bridge_end_wait(bridge, monotonic_usec());
	assert_int_equal(bridge->state, BRIDGE_WAITING);
	clock_move(1);
	assert_true(sd_event_run(event, 0) >= 0);
	assert_int_equal(bridge->state, BRIDGE_QUEUED);
	free_bridge(bridge, event);
}

static void what_has_no_time_waits_for_another_schedule(void **state)
{
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);

	(void)state;
	bridge_schedule(bridge, SCHEDULE_HOST, SCHEDULE_NEVER);
	clock_move(24 * 3600 * S);
	assert_true(sd_event_run(event, 0) >= 0);
	bridge_end_wait(bridge, monotonic_usec());
	assert_int_equal(bridge->state, BRIDGE_WAITING);
	assert_int_equal(bridge->schedule.due_ms, 0);
	bridge_schedule(bridge, SCHEDULE_HOST, 0);
	assert_int_equal(bridge->state, BRIDGE_QUEUED);
	free_bridge(bridge, event);
}

/* The service may not get the processor between two looks at the clock. */
static void a_time_that_passes_while_it_is_scheduled_is_waited_for(void **state)
{
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);

	(void)state;
	bridge_schedule(bridge, SCHEDULE_SETTLE, 0);
	assert_int_equal(bridge->state, BRIDGE_QUEUED);
	clock_pace = 2 * MS;
	bridge_schedule(bridge, SCHEDULE_REST, MS);
	clock_pace = 0;
	assert_int_equal(bridge->state, BRIDGE_WAITING);
	clock_move(MS);
	assert_true(sd_event_run(event, 0) >= 0);
	assert_int_equal(bridge->state, BRIDGE_QUEUED);
	free_bridge(bridge, event);
}

static void a_schedule_takes_the_place_of_the_one_before(void **state)
{
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);

	(void)state;
	bridge_schedule(bridge, SCHEDULE_REST, S);
	bridge_schedule(bridge, SCHEDULE_FLAP, 60 * S);
	clock_move(2 * S);
	assert_true(sd_event_run(event, 0) >= 0);
	assert_int_equal(bridge->state, BRIDGE_WAITING);
	assert_int_equal(bridge->schedule.reason, SCHEDULE_FLAP);
	free_bridge(bridge, event);
}

static void what_is_scheduled_beside_a_worker_follows_its_end(void **state)
{
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);
	char worker;

	(void)state;
	bridge_schedule(bridge, SCHEDULE_SETTLE, 0);
	bridge_enter_state(bridge, BRIDGE_RUNNING);
	assert_int_equal(bridge->schedule.reason, SCHEDULE_NONE);
	bridge->worker = (struct worker *)&worker;
	bridge_schedule(bridge, SCHEDULE_HOST, SCHEDULE_NEVER);
	assert_int_equal(bridge->state, BRIDGE_RUNNING);
	bridge->worker = NULL;
	bridge_follow_schedule(bridge);
	assert_int_equal(bridge->state, BRIDGE_WAITING);
	free_bridge(bridge, event);
}

static void where_nothing_was_scheduled_it_is_done(void **state)
{
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);

	(void)state;
	bridge_schedule(bridge, SCHEDULE_SETTLE, 0);
	bridge_enter_state(bridge, BRIDGE_RUNNING);
	bridge_follow_schedule(bridge);
	assert_int_equal(bridge->state, BRIDGE_DONE);
	free_bridge(bridge, event);
}

/* ----------------------------------------------------------------------------------- the tries */

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
	{"the host has no descriptor",
		{.outcome = OUTCOME_FAILED, .phase = PHASE_NONE, .error = EMFILE}, 0, 0, S},
	{"nor has it the next day",
		{.outcome = OUTCOME_FAILED, .phase = PHASE_OPEN, .error = ENOMEM}, 1000,
		24 * 3600 * S, 60 * S},
	{"what was erased is another matter",
		{.outcome = OUTCOME_FAILED, .phase = PHASE_WRITE, .error = ENOMEM}, 0, 0, 0},
	{"a wrong chip stays wrong", {.outcome = OUTCOME_WRONG_CHIP}, 0, 0, 0},
	{"success", {.outcome = OUTCOME_UPDATED}, 0, 0, 0},
};

static void retry_follows_the_row(void **state)
{
	const struct retry_row *row = *state;

	assert_int_equal(tries_delay(&row->report, row->n_retries, row->elapsed), row->delay);
}

static void retries_end(void **state)
{
	const struct report busy = {.outcome = OUTCOME_PORT_BUSY};
	uint64_t elapsed = 0, delay;
	unsigned n = 0;

	(void)state;
	while ((delay = tries_delay(&busy, n, elapsed)) > 0) {
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

/* ------------------------------------------------------------------------------ since when */

/* Files and states have the wall clock, which runs on. */
static void assert_changed_since(const struct bridge *bridge, int64_t before_ms)
{
	assert_true(bridge->since_ms >= before_ms);
	assert_true(bridge->since_ms <= wall_clock_msec());
}

static void the_time_of_a_state_is_that_of_its_last_change(void **state)
{
	int64_t before_ms = wall_clock_msec(), waits_since;
	sd_event *event;
	struct bridge *bridge = new_bridge(&event);

	(void)state;
	assert_changed_since(bridge, before_ms);
	clock_move(5 * S);
	before_ms = wall_clock_msec();
	bridge_schedule(bridge, SCHEDULE_SETTLE, S);
	assert_changed_since(bridge, before_ms);
	waits_since = bridge->since_ms;
	clock_move(S);
	assert_int_equal(bridge->since_ms, waits_since);
	before_ms = wall_clock_msec();
	bridge_end_wait(bridge, monotonic_usec());
	assert_changed_since(bridge, before_ms);
	free_bridge(bridge, event);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n = 0;

	ADD_TEST(tests, n, states_have_names);
	ADD_TEST(tests, n, every_bridge_may_be_pulled_out_at_any_time);
	ADD_TEST(tests, n, nothing_follows_gone);
	ADD_TEST(tests, n, only_a_queued_job_may_run);
	ADD_TEST(tests, n, what_is_due_at_once_is_queued);
	ADD_TEST(tests, n, what_is_due_later_waits_for_its_time);
	ADD_TEST(tests, n, what_has_no_time_waits_for_another_schedule);
	ADD_TEST(tests, n, a_time_that_passes_while_it_is_scheduled_is_waited_for);
	ADD_TEST(tests, n, a_schedule_takes_the_place_of_the_one_before);
	ADD_TEST(tests, n, what_is_scheduled_beside_a_worker_follows_its_end);
	ADD_TEST(tests, n, where_nothing_was_scheduled_it_is_done);
	ADD_TEST(tests, n, the_time_of_a_state_is_that_of_its_last_change);
	ADD_ROWS(tests, n, retries, retry_follows_the_row);
	ADD_TEST(tests, n, retries_end);
	ADD_TEST(tests, n, fault_53_a_worker_is_never_waited_for_without_end);
	return RUN_TESTS("bridge", tests, n);
}
