/* SPDX-License-Identifier: MIT */
/*
 * records-today.c - the counts of the day that it is, in memory.
 *
 * They are made of the store once, when they are first asked for, and when the day is another one:
 * by the clock as it is then, so that one that was set is followed in both directions. From then on
 * the end of an attempt changes them by its own unit alone: by what all attempts of that unit come
 * to with it and without it. Nothing is kept of units, of which a station may see thousands a day.
 *
 * Without a store each attempt is one of a unit that was never seen before.
 */
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
		if (records->pending[i].has_attempt)
			r = tally_add(tally, &records->pending[i].attempt);
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
}

const struct day_counts *records_today(struct records *records)
{
	int64_t now_ms = wall_clock_msec();

	if (!*records->today.day || now_ms < records->today.from_ms ||
		now_ms >= records->today.until_ms)
		recount(records, now_ms);
	return &records->today;
}

void records_count_end(struct records *records, const struct store_attempt *row)
{
	struct day_counts before, after;
	struct tally tally = {0};
	struct reason reason = {0};
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
	if (r == 0)
		r = tally_add(&tally, row);
	if (r == 0)
		r = tally_each(&tally, count_in, &after);
	if (r == 0)
		day_counts_replace(&records->today, &before, &after);
	else
		records->is_today_counted = false;
	tally_done(&tally);
}
