/* SPDX-License-Identifier: MIT */
/*
 * flap.h - which slots see a bridge come far more often than a person plugs, and how long to wait.
 *
 * A loose contact or a board that resets its own bridge must neither fill the journal nor be
 * flashed on each of its comings. Pure: time is an argument, nothing is logged.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rules/facts.h"

/* Comings within the window that are still a person with a cable. */
#define FLAP_TOLERATED	    6
#define FLAP_WINDOW_USEC    (60 * UINT64_C(1000000))

#define FLAP_DELAY_USEC	    (1 * UINT64_C(1000000)) /* the first; doubles with each coming */
#define FLAP_DELAY_MAX_USEC (60 * UINT64_C(1000000))

/* One entry in so much time for each slot. */
#define FLAP_ENTRY_USEC (60 * UINT64_C(1000000))

#define FLAP_SLOTS	64
#define FLAP_KEY	256

struct flap_slot {
	char key[FLAP_KEY];		  /* ids and place; "" unused */
	uint64_t comings[FLAP_TOLERATED]; /* a ring of their times, 0 none */
	unsigned next;
	uint64_t delay_usec;
	uint64_t entry_usec; /* when the last entry was made, 0 never */
	unsigned n_unsaid;   /* comings since that entry */
};

/* Bounded: where all slots are in use, the one that was quiet longest is forgotten. */
struct flap_table {
	struct flap_slot slots[FLAP_SLOTS];
};

struct flap_verdict {
	bool is_flapping;
	uint64_t delay_usec; /* to wait beyond the settle time; 0 where it is not flapping */
	bool is_entry_due;
	unsigned n_comings; /* what the entry stands for */
};

/* Counts one coming of the bridge at `now`, µs, not 0. */
struct flap_verdict flap_count(struct flap_table *table, const struct facts *facts, uint64_t now);
