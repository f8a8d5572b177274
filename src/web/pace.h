/* SPDX-License-Identifier: MIT */
/*
 * pace.h - when a change may be told next; pure.
 *
 * A page that is told of each change at once costs a processor; one that is told each quarter of a
 * second is late at the moment that counts, when a board is plugged in. So the first change after a
 * quiet time goes out at once, and the one after it soon: a board settles, waits for its turn and
 * is worked on within some tens of milliseconds. In no second are there more than PACE_MOST.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PACE_MOST 4

struct pace {
	uint64_t told_usec[PACE_MOST]; /* the last ones, a ring; 0: none */
	size_t next;
};

/* The time from which on the next one may be told; 0: at once. */
uint64_t pace_next(const struct pace *pace);

/* One is told now. */
void pace_tell(struct pace *pace, uint64_t now_usec);
