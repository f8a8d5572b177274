/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what the service remembers of the units behind its bridges, and the answers to its
 * workers that follow from it.
 *
 * Owns the store, and the entries about it. Without one that can be written the chips are asked, as
 * if each were seen for the first time; that is said once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/attempt.h"
#include "rules/facts.h"

/* Ends that the store did not take yet. A failed disk must not fill the memory: the oldest go. */
#define MEMORY_PENDING_MOST 32

struct memory_pending; /* memory-store.c's */

struct memory {
	char *directory;
	struct store *store; /* NULL while there is none */
	bool is_required;    /* nothing is erased that cannot be remembered */
	bool is_newer;	     /* of a later version: left as it is */
	bool is_trouble_told;
	struct memory_pending *pending; /* the oldest first; NULL: none */
	size_t n_pending;
	char last_job[33]; /* of the attempt that was saved last: a store without it is another one
			    */
	int64_t trusted_since_ms; /* what rows of before say to be whole is not believed, 0: it is
				   */
	unsigned n_lost;       /* attempts whose end had no room there, since that was last said */
	uint64_t retried_usec; /* when the last attempt to save them failed, 0: none did */
};

/*
 * Opens the store of the directory. 0, also where there can be none; STORE_HELD when another
 * service has it: an entry says who, and this one is to end. -ENOMEM.
 */
int memory_open(struct memory *memory, const char *directory);

void memory_close(struct memory *memory);

/* The mark of a rule of this text, as the policy has it. */
void memory_mark_rule(const char *rule, char to[17]);

/*
 * An attempt is about to be told of: it has a row from here on, also if the service is killed. The
 * row may be lost with the power of the host, as the journal's last entries may.
 */
void memory_keep_begin(struct memory *memory, struct attempt *attempt, const struct facts *facts);

/*
 * The end of a job that erased a unit is about that unit, whatever answered later: its id, and a
 * word that does not say that the unit was left alone, or is not to be tried again.
 */
void memory_attribute(const struct attempt *attempt, struct report *report);

/* Whether the unit was read back whole before its port went: then it is neither torn nor a drop. */
bool memory_was_verified(const struct attempt *attempt, const struct report *report);

/* The answer to a question of the job's worker; the marks that it asks for are durable by then. */
void memory_answer(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	enum question question, const struct report *so_far, struct answer *ret);

/*
 * Keeps the end of a job, and sets its rollback where the unit is to go back. Returns how long to
 * wait before the service tries the unit again by itself, 0: it does not.
 */
uint64_t memory_end(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *report);

/*
 * The job's unit cannot go back after all: it counts as tried. Whether it is left alone from now
 * on.
 */
bool memory_end_rollback(struct memory *memory, struct attempt *attempt, unsigned *ret_failures);

/* Saves what waits, in case the store takes it now; seldom enough that a full disk costs nothing.
 */
void memory_retry(struct memory *memory);

/* Tries units again that failed too often: those of the filter. The number of them, or -errno. */
int memory_forgive(struct memory *memory, const struct store_filter *filter);
