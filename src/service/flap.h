/* SPDX-License-Identifier: MIT */
/*
 * flap.h - which slots see a bridge come far more often than a person plugs, how long to wait, and
 * which entries are still made.
 *
 * A loose contact or a board that resets its own bridge must neither fill the journal nor be
 * flashed on each of its comings. Boards that come one after the other in one slot, as at the end
 * of a production line, are none of that. Pure: time is an argument, nothing is logged.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "rules/facts.h"

/* Comings within a window that are still a person with a cable. */
#define FLAP_TOLERATED 6

/* Boards in a minute that a person puts into one slot, one after the other: a fast jig takes 3 s.
 */
#define FLAP_SWAPS	    24

#define FLAP_FAST_USEC	    (60 * UINT64_C(1000000))	  /* attempts are delayed, too */
#define FLAP_SLOW_USEC	    (15 * 60 * UINT64_C(1000000)) /* they are not */

#define FLAP_DELAY_USEC	    (1 * UINT64_C(1000000)) /* the first; doubles with each coming */
#define FLAP_DELAY_MAX_USEC (60 * UINT64_C(1000000))

/* While a slot flaps: one entry of each kind in so much time. */
#define FLAP_ENTRY_USEC (60 * UINT64_C(1000000))

#define FLAP_SLOTS	64
#define FLAP_KEY	256
#define FLAP_UNIT	25

enum flap_window {
	FLAP_FAST,
	FLAP_SLOW,
	FLAP_WINDOW_MAX,
};

/* Kinds of entries that each coming may bring. */
enum flap_entry {
	FLAP_NO_MATCH,
	FLAP_AMBIGUOUS,
	FLAP_MISSED, /* it was gone when its turn came */
	FLAP_STARTED,
	FLAP_RETRIED,
	FLAP_TORN,
	FLAP_OWNERS, /* units were stopped for the port */
	FLAP_ENDED,  /* with the first outcome; the others follow */
	FLAP_ENTRY_MAX = FLAP_ENDED + OUTCOME_MAX,
};

struct flap_slot {
	char key[FLAP_KEY];		  /* ids and place; "" unused */
	char serial[FLAP_KEY];		  /* of the bridge that came last and has one */
	char unit[FLAP_UNIT];		  /* chip that answered last and has an id */
	char written[FLAP_UNIT];	  /* the last that ended the counting by being written */
	uint64_t comings[FLAP_TOLERATED]; /* a ring of their times, 0 none */
	unsigned next;
	uint64_t swaps[FLAP_SWAPS]; /* as well, of those that ended the counting */
	unsigned next_swap;
	uint64_t since[FLAP_WINDOW_MAX]; /* comings before that do not count any more */
	uint64_t delay_usec;
	bool is_flapping;
	uint64_t entry_usec;		    /* when it was last said that it flaps, 0 never */
	unsigned n_unsaid;		    /* comings since that entry */
	uint64_t made_usec[FLAP_ENTRY_MAX]; /* when an entry of the kind was last made, 0 never */
};

/* Bounded: where all slots are in use, the one that was quiet longest is forgotten. */
struct flap_table {
	struct flap_slot slots[FLAP_SLOTS];
};

struct flap_verdict {
	bool is_flapping;
	uint64_t delay_usec; /* to wait beyond the settle time; 0 where it does not flap fast */
	bool is_entry_due;
	unsigned n_comings; /* what the entry stands for */
};

/* Counts one coming of the bridge at `now`, µs, not 0. */
struct flap_verdict flap_count(struct flap_table *table, const struct facts *facts, uint64_t now);

/*
 * An attempt behind the bridge has ended: the chip's id, "" where it is not known, and how. A unit
 * that was written and another unit than before end the counting, as long as they are no more in a
 * minute than a person plugs in: a board may say another id at each of its comings.
 */
void flap_note_end(struct flap_table *table, const struct facts *facts, const char *unit,
	enum outcome outcome, uint64_t now);

/* Takes the right to make an entry of this kind now, where there is one: then it counts as made. */
bool flap_take_entry(
	struct flap_table *table, const struct facts *facts, unsigned entry, uint64_t now);
