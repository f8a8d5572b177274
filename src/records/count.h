/* SPDX-License-Identifier: MIT */
/*
 * count.h - how many units were made good, at the first attempt or after others, and how many are
 * not. Pure: attempts in, counts out. plugflash-units(7), COUNTS, has the definition for people.
 *
 * A unit counts once for each image that a rule brought it to, by the attempt that brought it
 * there, and once as bad while it is not there. What an attempt counts for may so change with a
 * later one: a unit that failed yesterday and is good today counts today alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/outcome.h"
#include "records/batch.h"
#include "records/store.h"

/* ------------------------------------------------------------------------------- one unit */

enum count_kind {
	COUNT_FIRST_PASS, /* good, and no attempt to bring it there has failed */
	COUNT_RETRIED,	  /* good, after attempts that failed */
	COUNT_BAD,	  /* not good yet: its last attempt failed */
	COUNT_KIND_MAX,
};

enum count_verdict {
	COUNTS_NOTHING, /* it says nothing of the unit: cancelled, no image, another operation ...
			 */
	COUNTS_GOOD,
	COUNTS_FAILED,
};

/* What one attempt says of its unit. */
enum count_verdict count_verdict(const struct store_attempt *attempt);

/* Whether the chip said its id; else its plug-in tells the unit from others. */
bool count_is_identified(const struct store_attempt *attempt);

/* A unit as it counts, by the attempt that made it what it is; texts are the tally's. */
struct counted {
	enum count_kind kind;
	enum outcome outcome;
	int64_t attempt_id;
	int64_t ended_ms;
	const struct counted_place *place;
	const char *key; /* of the unit in the store, "" not known */
};

struct counted_place {
	char board[TEXT_MAX];
	char slot[TEXT_MAX];
	char usb_path[TEXT_MAX];
	char port[TEXT_MAX];
};

/* Begins as all zero, but for the batch whose units are to be counted. */
struct tally {
	const struct batch *batch; /* NULL: none */
	uint32_t n_batch;	   /* its units that became good */
	void *units;		   /* trees of search.h */
	void *places;
	SLIST_HEAD(, tally_unit) list;
	SLIST_HEAD(, tally_past) past; /* goods that a later image followed */
};

/* Attempts of one unit come in the order in which they began. 0 or -ENOMEM. */
int tally_add(struct tally *tally, const struct store_attempt *attempt);

/* Each unit that counts, in no order. A callback that returns something else than 0 ends it. */
int tally_each(const struct tally *tally,
	int (*callback)(void *userdata, const struct counted *counted), void *userdata);

void tally_done(struct tally *tally);

/* --------------------------------------------------------------------------------- a day */

/* Units that count on one day, of the local time at which their attempt ended. */
struct day_counts {
	char day[11];	 /* "2026-11-28"; "" none */
	int64_t from_ms; /* its begin, and that of the next day */
	int64_t until_ms;
	uint32_t first_pass;
	uint32_t retried;
	uint32_t bad;
	uint32_t outcomes[OUTCOME_MAX]; /* the same units by the outcome of that attempt */
};

/* The day of that time, with nothing counted. */
void day_counts_begin(struct day_counts *counts, int64_t time_ms);

/* One unit more. */
void day_counts_add(struct day_counts *counts, const struct counted *counted);

/* Those of another one more. */
void day_counts_join(struct day_counts *counts, const struct day_counts *more);

/* Takes away what was counted before and adds what is after; of less than none is none. */
void day_counts_replace(
	struct day_counts *counts, const struct day_counts *before, const struct day_counts *after);

bool day_counts_are_zero(const struct day_counts *counts);

/* First-pass yield in tenths of a percent of all that count, rounded down: 1000 only where all are.
 * -1: none counts. */
int day_counts_yield(const struct day_counts *counts);

/* The same for people, "98.4 %"; "" where none counts. */
char *day_counts_format_yield(const struct day_counts *counts, char *to, size_t size);

/* ------------------------------------------------------------- by day, rule and slot */

struct count_cell {
	struct day_counts counts;
	char board[TEXT_MAX];
	char slot[TEXT_MAX];
	char usb_path[TEXT_MAX];
	int64_t last_ms;
};

struct count_cells {
	struct count_cell *items; /* the newest day first, then by rule and slot */
	size_t n_items;
};

/*
 * The units of the tally that fit the filter, whose times are those of the end, and whose limit is
 * one of cells. 0 or -ENOMEM.
 */
int count_cells_make(
	const struct tally *tally, const struct store_filter *filter, struct count_cells *ret);

void count_cells_done(struct count_cells *cells);
