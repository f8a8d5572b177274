/* SPDX-License-Identifier: MIT */
/*
 * steering-bench.h - the dispatcher's bench with somebody who asks: for work, for the end of a job,
 * for a pause. Include after cmocka.h.
 */
#pragma once

#include "service/steering.h"
#include "unit/dispatcher-bench.h"

#define IDENTIFY "identify = dtr=1 1s dtr=0 1s\n"

static const char rule_update[] =
	"[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n" IDENTIFY;

/* With a store, for what needs one. */
static struct records records;

static inline int set_up_store(void **state)
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

static inline int tear_down_store(void **state)
{
	int r = tear_down(state);

	records_close(&records);
	(void)unlink(in_folder("state/plugflash.db"));
	return r;
}

/* ------------------------------------------------------------------------------- asking */

static char job[33];
static struct reason reason;

static inline struct bridge *bridge_at(struct bench *bench, unsigned number)
{
	struct bridge *bridge = NULL;

	while ((bridge = dispatcher_next(bench->dispatcher, bridge)))
		if (bridge->state != BRIDGE_GONE &&
			strcmp(bridge->facts.port, sockets[number].port) == 0)
			return bridge;
	fail_msg("no bridge at %u", number);
	return NULL;
}

static inline int ask_with(struct bench *bench, unsigned number, struct ask ask)
{
	int r;

	reason = (struct reason){0};
	r = dispatcher_ask(bench->dispatcher, bridge_at(bench, number), &ask, job, &reason);
	/* Somebody learns why not, and only then. */
	assert_int_equal(r == ASK_BUSY || r == ASK_IMPOSSIBLE, *reason.text != '\0');
	return r;
}

static inline int ask(struct bench *bench, unsigned number, enum attempt_operation operation)
{
	return ask_with(bench, number, (struct ask){.operation = operation});
}

static inline int cancel(struct bench *bench, const char *id)
{
	reason = (struct reason){0};
	return dispatcher_cancel(bench->dispatcher, id, &reason);
}

/* The last entry of that job. */
static inline const struct entry *end_of(const char *id)
{
	for (size_t i = n_entries; i > 0; i--)
		if (strcmp(entries[i - 1].job, id) == 0)
			return &entries[i - 1];
	fail_msg("no entry of the job %s", id);
	return NULL;
}

/* Entries by which the job says that it has begun, and that it has ended. */
static inline void assert_ended_once(const char *id, const char *text)
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

static inline size_t count_started(void)
{
	return count_entries(MESSAGE_JOB_STARTED);
}

/* So many rounds, in which nothing is waited for. */
static inline void run_rounds(struct bench *bench)
{
	for (unsigned i = 0; i < 20; i++)
		run_once(bench, false);
}

/* Until the worker of the first bridge may erase. */
static inline void run_until_may_erase(struct bench *bench)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;

	while (!bridge_at(bench, 0)->claim.may_erase) {
		assert_true(real_usec() < deadline);
		run_once(bench, true);
	}
}
