/* SPDX-License-Identifier: MIT */
/*
 * trust.h - what a host has learnt of the faster ways of writing (api/trust.h): one row of the
 * store for each way and kind of chip. Pure.
 *
 * A kind is a product id and the version of a boot loader; of the program in the RAM also its own
 * version, so that another one is on trial again. Its first updates are proved twice; after so many
 * without a fault it is trusted, and after one fault it is off, for good on this host, until
 * somebody allows it again.
 */
#pragma once

#include "api/report.h"
#include "records/store.h"

/* Updates of a kind that are proved twice before it is trusted. */
#define TRUST_PROOFS 5

enum trust_way {
	TRUST_STUB,
	TRUST_BURSTS,
	TRUST_WAY_MAX,
};

/* "stub", "bursts": the keys of a rule, too. */
const char *trust_way_to_string(enum trust_way way);

/*
 * The row of the kind that the report is about, with nothing learnt yet. False, and `ret` is empty,
 * where the report does not say which kind that is, or no such way is known for it.
 */
bool trust_row(enum trust_way way, const struct report *report, struct store_trust *ret);

/* How far a way is trusted by its row; an empty one is of a kind that nobody knows. */
enum trust trust_of(const struct store_trust *row);

enum trust_news {
	TRUST_NO_NEWS,	  /* the row is as it was */
	TRUST_COUNTED,	  /* one proof more */
	TRUST_TURNED_OFF, /* just now */
};

/* Takes in what the job has found out. `now_ms` is of the wall clock. Returns an enum trust_news.
 */
int trust_learn(
	struct store_trust *row, enum trust_way way, const struct report *report, int64_t now_ms);
