/* SPDX-License-Identifier: MIT */
/*
 * What somebody may ask for while the service runs: flash, verify and probe in every state of a
 * bridge, the end of a job, and that nothing begins; and what the service does by itself meanwhile.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "service/steering.h"
#include "unit/dispatcher-bench.h"
#include "unit/rows.h"

static const char rule_update[] = "[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n";

/* With a store, for what needs one. */
static struct records records;

static int set_up_store(void **state)
{
	struct bench *bench;

	if (set_up(state) != 0)
		return -1;
	bench = *state;
	records = (struct records){0};
	if (access(in_folder("state"), F_OK) < 0)
		assert_int_equal(mkdir(in_folder("state"), 0755), 0);
	assert_int_equal(records_open(&records, in_folder("state")), 0);
	bench->parts.records = &records;
	renew_dispatcher(bench);
	return 0;
}

static int tear_down_store(void **state)
{
	int r = tear_down(state);

	records_close(&records);
	(void)unlink(in_folder("state/plugflash.db"));
	return r;
}

/* ------------------------------------------------------------------------------- asking */

static char job[33];
static struct reason reason;

static struct bridge *bridge_at(struct bench *bench, unsigned number)
{
	struct bridge *bridge = NULL;

	while ((bridge = dispatcher_next(bench->dispatcher, bridge)))
		if (bridge->state != BRIDGE_GONE &&
			strcmp(bridge->facts.port, sockets[number].port) == 0)
			return bridge;
	fail_msg("no bridge at %u", number);
	return NULL;
}

static int ask_with(struct bench *bench, unsigned number, struct ask ask)
{
	int r;

	reason = (struct reason){0};
	r = dispatcher_ask(bench->dispatcher, bridge_at(bench, number), &ask, job, &reason);
	/* Somebody learns why not, and only then. */
	assert_int_equal(r == ASK_BUSY || r == ASK_IMPOSSIBLE, *reason.text != '\0');
	return r;
}

static int ask(struct bench *bench, unsigned number, enum attempt_operation operation)
{
	return ask_with(bench, number, (struct ask){.operation = operation});
}

static int cancel(struct bench *bench, const char *id)
{
	reason = (struct reason){0};
	return dispatcher_cancel(bench->dispatcher, id, &reason);
}

/* The last entry of that job. */
static const struct entry *end_of(const char *id)
{
	for (size_t i = n_entries; i > 0; i--)
		if (strcmp(entries[i - 1].job, id) == 0)
			return &entries[i - 1];
	fail_msg("no entry of the job %s", id);
	return NULL;
}

/* Entries by which the job says that it has begun, and that it has ended. */
static void assert_ended_once(const char *id, const char *text)
{
	unsigned n_ends = 0;

	for (size_t i = 0; i < n_entries; i++)
		if (strcmp(entries[i].job, id) == 0)
			n_ends += strcmp(entries[i].message_id, MESSAGE_UPDATED) == 0 ||
				  strcmp(entries[i].message_id, MESSAGE_CURRENT) == 0 ||
				  strcmp(entries[i].message_id, MESSAGE_CHECKED) == 0 ||
				  strcmp(entries[i].message_id, MESSAGE_JOB_FAILED) == 0;
	assert_int_equal(n_ends, 1);
	assert_says(end_of(id), text);
}

static size_t count_started(void)
{
	return count_entries(MESSAGE_JOB_STARTED);
}

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
		[PLACE_QUEUED] = "max-jobs = 1\n"
				 "[board other]\nserial = X*\nchip = 0x414\nimage = polite-*.bin\n"
				 "[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n",
		[PLACE_RUNNING] = "[board gate]\nchip = 0x414\nimage = polite-*.bin\n",
		[PLACE_BETWEEN_TRIES] = "[board gate]\nchip = 0x414\nimage = busy-*.bin\n",
		[PLACE_RESTING] = "[board gate]\nchip = 0x414\nimage = torn-*.bin\n",
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
	{"queued, flash", PLACE_QUEUED, OPERATION_FLASH, 0, "updated", 1},
	{"queued, verify", PLACE_QUEUED, OPERATION_VERIFY, 0, "verified: it holds", 2},
	{"queued, probe", PLACE_QUEUED, OPERATION_PROBE, 0, "probed: STM32F103xE", 2},
	{"running, flash", PLACE_RUNNING, OPERATION_FLASH, ASK_SAME, NULL, 0},
	{"running, verify", PLACE_RUNNING, OPERATION_VERIFY, ASK_BUSY, NULL, 0},
	{"running, probe", PLACE_RUNNING, OPERATION_PROBE, ASK_BUSY, NULL, 0},
	{"between tries, flash", PLACE_BETWEEN_TRIES, OPERATION_FLASH, ASK_SAME, "port-busy", 0},
	{"between tries, verify", PLACE_BETWEEN_TRIES, OPERATION_VERIFY, ASK_BUSY, NULL, 0},
	{"between tries, probe", PLACE_BETWEEN_TRIES, OPERATION_PROBE, ASK_BUSY, NULL, 0},
	{"resting, flash", PLACE_RESTING, OPERATION_FLASH, 0, "write-failed", 2},
	{"resting, verify", PLACE_RESTING, OPERATION_VERIFY, 0, "verified: it holds", 3},
	{"resting, probe", PLACE_RESTING, OPERATION_PROBE, 0, "probed: STM32F103xE", 3},
	{"done, flash", PLACE_DONE, OPERATION_FLASH, 0, "updated", 1},
	{"done, verify", PLACE_DONE, OPERATION_VERIFY, 0, "verified: it holds", 1},
	{"done, probe", PLACE_DONE, OPERATION_PROBE, 0, "probed: STM32F103xE", 1},
	{"paused, flash", PLACE_PAUSED, OPERATION_FLASH, 0, "updated", 1},
	{"paused, verify", PLACE_PAUSED, OPERATION_VERIFY, 0, "verified: it holds", 2},
	{"paused, probe", PLACE_PAUSED, OPERATION_PROBE, 0, "probed: STM32F103xE", 2},
	{"no rule, flash", PLACE_NO_RULE, OPERATION_FLASH, ASK_IMPOSSIBLE, NULL, 0},
	{"no rule, verify", PLACE_NO_RULE, OPERATION_VERIFY, ASK_IMPOSSIBLE, NULL, 0},
	{"no rule, probe", PLACE_NO_RULE, OPERATION_PROBE, ASK_IMPOSSIBLE, NULL, 0},
	{"two rules, flash", PLACE_TWO_RULES, OPERATION_FLASH, ASK_IMPOSSIBLE, NULL, 0},
	{"two rules, verify", PLACE_TWO_RULES, OPERATION_VERIFY, ASK_IMPOSSIBLE, NULL, 0},
	{"two rules, probe", PLACE_TWO_RULES, OPERATION_PROBE, ASK_IMPOSSIBLE, NULL, 0},
	{"goes back, flash", PLACE_GOES_BACK, OPERATION_FLASH, ASK_BUSY, NULL, 0},
	{"goes back, verify", PLACE_GOES_BACK, OPERATION_VERIFY, ASK_BUSY, NULL, 0},
	{"goes back, probe", PLACE_GOES_BACK, OPERATION_PROBE, ASK_BUSY, NULL, 0},
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

/* ------------------------------------------------------------------------------- cancelling */

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
	run_until_idle(bench);
	assert_int_equal(count_started(), 0);
	assert_int_equal(bridge_at(bench, 0)->state, BRIDGE_DONE);
}

#define TEST(name)	 cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_store, tear_down_store)

int main(void)
{
	static const struct CMUnitTest others[] = {
		TEST(a_job_that_waits_is_cancelled_at_once),
	};
	struct CMUnitTest tests[ARRAY_SIZE(others) + ARRAY_SIZE(asks)];
	size_t n = ARRAY_SIZE(others);

	memcpy(tests, others, sizeof(others));
	ADD_ROWS(tests, n, asks, an_ask_follows_the_row);
	self = fake_worker_main();
	return _cmocka_run_group_tests(
		"dispatcher-asks", tests, n, bench_make_images, folder_remove);
}
