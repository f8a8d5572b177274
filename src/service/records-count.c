/* SPDX-License-Identifier: MIT */
/*
 * records-count.c - the counts of the day that it is, and the batch that runs, in memory.
 *
 * Counts of the day are made of the store once, when they are first asked for, and when the day is
 * another one: by the clock as it is then, so that one that was set is followed in both directions.
 * From then on the end of an attempt changes them by its own unit alone: by what all attempts of
 * that unit come to with it and without it. Nothing is kept of units, of which a station may see
 * thousands a day.
 *
 * Without a store each attempt is one of a unit that was never seen before.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "service/records.h"

static int add_attempt(void *userdata, const struct store_attempt *attempt)
{
	return tally_add(userdata, attempt);
}

/* Ends that the store did not take yet. */
static int add_pending(const struct records *records, struct tally *tally)
{
	int r = 0;

	for (size_t i = 0; i < records->n_pending && r == 0; i++)
		if (records->pending[i].has_attempt) {
			struct store_attempt attempt = records->pending[i].attempt;

			attempt.id = INT64_MAX;
			r = tally_add(tally, &attempt);
		}
	return r;
}

static int count_in(void *userdata, const struct counted *counted)
{
	struct day_counts *day = userdata;

	if (counted->ended_ms >= day->from_ms && counted->ended_ms < day->until_ms)
		day_counts_add(day, counted);
	return 0;
}

/* Where it fails, the day begins with none: that is said by what keeps it from being read. */
static void recount(struct records *records, int64_t now_ms)
{
	struct day_counts *today = &records->today;
	struct tally tally = {0};
	struct reason reason = {0};
	int r = 0;

	day_counts_begin(today, now_ms);
	records->is_today_counted = records->store != NULL;
	if (records->store)
		r = store_list_counted(records->store, today->from_ms, today->until_ms, add_attempt,
			&tally, &reason);
	if (r == 0)
		r = add_pending(records, &tally);
	if (r == 0)
		(void)tally_each(&tally, count_in, today);
	else if (*reason.text)
		records_tell_trouble(records, &reason);
	tally_done(&tally);
	/* Once a day: what the search took of memory is given back. */
	(void)malloc_trim(0);
}

const struct day_counts *records_today(struct records *records)
{
	int64_t now_ms = wall_clock_msec();

	if (!*records->today.day || now_ms < records->today.from_ms ||
		now_ms >= records->today.until_ms)
		recount(records, now_ms);
	return &records->today;
}

/* An attempt that the store has not yet is a late one. */
static int64_t id_of(struct records *records, const char *job)
{
	struct reason reason;
	int64_t id = 0;

	if (records->store)
		(void)store_find_attempt_id(records->store, job, &id, &reason);
	return id > 0 ? id : INT64_MAX;
}

void records_count_end(struct records *records, const struct store_attempt *row)
{
	struct day_counts before, after;
	struct tally tally = {.batch = records->batch.board[0] ? &records->batch : NULL};
	struct store_attempt own = *row;
	struct reason reason = {0};
	uint32_t n_batch = 0;
	int r = 0;

	(void)records_today(records);
	/* The store came, or came back, in the meantime. */
	if (!records->is_today_counted && records->store)
		recount(records, wall_clock_msec());
	before = after = (struct day_counts){
		.from_ms = records->today.from_ms, .until_ms = records->today.until_ms};
	if (records->store)
		r = store_list_counted_unit(
			records->store, row->key, row->plug, add_attempt, &tally, &reason);
	if (r == 0)
		r = add_pending(records, &tally);
	/* Other units that were met in these plug-ins are in both, and come out even. */
	if (r == 0)
		r = tally_each(&tally, count_in, &before);
	n_batch = tally.n_batch;
	own.id = id_of(records, row->job);
	if (r == 0)
		r = tally_add(&tally, &own);
	if (r == 0)
		r = tally_each(&tally, count_in, &after);
	if (r == 0)
		day_counts_replace(&records->today, &before, &after);
	else
		records->is_today_counted = false;
	if (r == 0)
		records->batch.done += tally.n_batch - n_batch;
	tally_done(&tally);
}

/* ------------------------------------------------------------------------------------ batch */

#define SETTING_BATCH "batch"

/* From the newest attempt on: those that run already do not count. */
static int keep_batch(struct records *records, struct batch *batch)
{
	struct reason reason = {0};
	char text[200];
	int r = records_open_store(records)
			? store_find_last_id(records->store, &batch->after_id, &reason)
			: -ENODEV;

	if (r < 0)
		return r;
	batch_to_text(batch, text);
	return records_set_setting(records, SETTING_BATCH, text);
}

int records_begin_batch(struct records *records, const struct batch *batch)
{
	struct batch begun = *batch;
	int r = records ? keep_batch(records, &begun) : -ENODEV;

	if (r == 0)
		records->batch = begun;
	return r;
}

void records_end_batch(struct records *records)
{
	if (!records)
		return;
	records->batch = (struct batch){.count = 0};
	(void)records_set_setting(records, SETTING_BATCH, NULL);
}

int records_recall_batch(struct records *records)
{
	struct reason reason = {0};
	struct tally tally = {0};
	struct batch batch;
	char text[STORE_SETTING_MAX];
	int r = records_get_setting(records, SETTING_BATCH, text);

	if (r == 0)
		r = batch_from_text(text, &batch);
	if (r != 0)
		return r;
	tally.batch = &batch;
	r = store_list_counted_batch(
		records->store, batch.after_id, batch.board, add_attempt, &tally, &reason);
	if (r == 0) {
		batch.done = batch.done_before + tally.n_batch;
		records->batch = batch;
	} else {
		records_tell_trouble(records, &reason);
	}
	tally_done(&tally);
	return r;
}

void records_move_batch(struct records *records)
{
	struct reason reason = {0};
	struct batch *batch = &records->batch;
	char text[200];

	if (!*batch->board || store_find_last_id(records->store, &batch->after_id, &reason) < 0)
		return;
	batch->done_before = batch->done;
	batch_to_text(batch, text);
	/* Where it fails the batch is forgotten with the service: the store is in trouble then, and
	 * said so. */
	(void)store_set_setting(records->store, SETTING_BATCH, text, &reason);
}
