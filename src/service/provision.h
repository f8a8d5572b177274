/* SPDX-License-Identifier: MIT */
/*
 * provision.h - what each unit has for itself (`serialize`): given once, before its first erase,
 * and kept for ever.
 *
 * A value is on the disk before the worker hears of it, so that two boards never get the same one,
 * whatever ends when. A unit that fails keeps its own; none is given without a store. Where a
 * function returns false, the attempt is to end, and the answer says why.
 */
#pragma once

#include "service/records.h"

/* The value of the unit of that key goes into the answer, as the rule wants it now; nothing where
 * it has none yet. */
bool provision_add(struct records *records, const struct attempt *attempt, const char *key,
	struct answer *ret);

/*
 * A unit that has none yet gets the next: it goes into the answer, and its row into `rows`, which
 * the caller saves before it answers; it refuses where it cannot. With `key` NULL, not known yet,
 * nothing is given; it is only made sure that there is something to give.
 */
bool provision_give(struct records *records, struct attempt *attempt, const struct facts *facts,
	const char *key, struct store_rows *rows, struct answer *ret);

/* The answer where the store does not take what is given, and `why`, NULL where that was told.
 * Returns false. */
bool provision_refuse(struct records *records, const struct reason *why, struct answer *ret);
