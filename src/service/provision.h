/* SPDX-License-Identifier: MIT */
/*
 * provision.h - what each unit has for itself: given once, before its first erase, and kept for
 * ever.
 *
 * A value is given durably before the worker hears of it, so that two boards never get the same
 * one, whatever ends when. A unit that fails keeps its own; none is given without a store.
 */
#pragma once

#include "service/memory.h"

/*
 * What the unit of that key was given goes into the answer, as the rule wants it now; nothing where
 * it was given none yet. False: the job is to end, and the answer says why.
 */
bool serial_find(
	struct memory *memory, const struct attempt *attempt, const char *key, struct answer *ret);

/*
 * The same, but one that has none is given the next. With `key` NULL, not known yet, nothing is
 * given; it is only made sure that there is something to give.
 */
bool provision_give(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const char *key, struct answer *ret);

/* It is in the flash of the unit, and verified. */
void provision_confirm(struct memory *memory, const struct attempt *attempt, const char *key);
