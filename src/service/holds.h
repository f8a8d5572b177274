/* SPDX-License-Identifier: MIT */
/*
 * holds.h - why nothing begins: somebody has paused the service, or inhibits it or one bridge for a
 * while. Pure: it starts and stops nothing, and the dispatcher asks it before a worker begins.
 *
 * A pause is a state, which ends when somebody ends it. An inhibitor belongs to somebody and ends
 * with him: whoever has added it removes it. The two, a host that goes down, and the end of the
 * service know nothing of one another. Numbers of bridges are those of struct bridge; 0 is all of
 * them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define HOLDS_MOST 64
#define HOLDS_TEXT 256 /* of one reason, with its end */

enum hold {
	HOLD_NONE,
	HOLD_PAUSE,	/* no attempt begins; one that has erased its unit goes on */
	HOLD_INHIBITOR, /* no worker begins at all: somebody else uses the port */
	HOLD_MAX,
};

/* One who inhibits. */
struct holder {
	unsigned id;
	uint64_t bridge;
	bool has_owners; /* the units that own its port are down for it */
	char who[HOLDS_TEXT];
	char why[HOLDS_TEXT];
};

/* Begins as all zero. */
struct holds {
	bool is_paused;
	char reason[HOLDS_TEXT]; /* of the pause; "" none was given */
	struct holder items[HOLDS_MOST];
	size_t n_items; /* the oldest first */
	unsigned last_id;
};

enum holds_result {
	HOLDS_TOO_LONG = 1, /* a text has no room: it is not cut, since bytes of one letter may be
			       more than one */
	HOLDS_FULL,	    /* so many inhibit already */
	HOLDS_NO_NAME,	    /* an inhibitor says who it is */
};

/* A pause takes the place of the one before. 0, HOLDS_TOO_LONG. */
int holds_pause(struct holds *holds, const char *reason);

/* Whether there was a pause. */
bool holds_resume(struct holds *holds);

/* 0 and the id, never used again; or an enum holds_result. */
int holds_inhibit(
	struct holds *holds, uint64_t bridge, const char *who, const char *why, unsigned *ret_id);

/* Whether there was one of this id. */
bool holds_release(struct holds *holds, unsigned id);

/* The units that own the port of its bridge are down for this one; whether that is so for anybody.
 */
void holds_note_owners(struct holds *holds, unsigned id);
bool holds_have_owners(const struct holds *holds, uint64_t bridge);

/* What keeps this bridge from beginning; the stronger of two. */
enum hold holds_blocks(const struct holds *holds, uint64_t bridge);

/*
 * The reasons as one text: that of the pause, then "WHO: WHY" of each that inhibits this bridge,
 * joined by "; ". With 0 those that inhibit all bridges. Text that has no room ends in "...", and
 * is never cut within a letter. "" where nothing holds, "paused" where a pause has no reason.
 */
void holds_reason(const struct holds *holds, uint64_t bridge, char *to, size_t size);
