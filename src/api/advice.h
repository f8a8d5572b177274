/* SPDX-License-Identifier: MIT */
/*
 * advice.h - what to do next, and the one light of a slot: the words that every surface shares
 * (command, status, monitor, page). Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/outcome.h"

enum advice_reader {
	ADVICE_COMMAND, /* who has just run a command that ended so, at a shell */
	ADVICE_SCREEN,	/* who stands at the board, and may have no shell */
	ADVICE_READER_MAX,
};

/* The next thing to do after that outcome, beside the reason; NULL: nothing, or the reason has it.
 */
const char *advice_after(enum outcome outcome, enum advice_reader reader);

/* A slot at a glance. Shown by colour, sign and word, never by colour alone. */
enum light {
	LIGHT_IDLE,	   /* empty, or nothing is to be done */
	LIGHT_WAITING,	   /* it settles, or waits for its turn */
	LIGHT_WORKING,	   /* a worker has it */
	LIGHT_GOOD,	   /* it holds its image */
	LIGHT_BAD,	   /* it ended in any other way */
	LIGHT_WRONG_BOARD, /* another chip, no rule, or more than one */
	LIGHT_HELD,	   /* nothing happens until somebody or some time lets it */
	LIGHT_MAX,
};

/* "idle", "waiting", "working", "good", "bad", "wrong-board", "held". */
const char *light_to_string(enum light light);

/* The same for people, and a sign of one ASCII character. */
const char *light_to_word(enum light light);
char light_sign(enum light light);

/* What is known of a slot, in the words of the bus; "" for what is not known. */
struct light_facts {
	const char *state;   /* of the bridge; "" or "empty": there is none */
	const char *match;   /* one, none, ambiguous */
	const char *outcome; /* of its last attempt */
	bool is_paused;	     /* the service begins nothing */
	bool has_held_until; /* the time of the next try is known */
};

/* A word that nobody knows, of a later version, counts as not known. */
enum light light_of(const struct light_facts *facts);

/* What to do next at that slot, or NULL. */
const char *light_advice(const struct light_facts *facts);
