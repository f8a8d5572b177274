/* SPDX-License-Identifier: MIT */
/*
 * redact.h - what tells one board or bridge from another is replaced in a text, the same thing by
 * the same word each time, so that a report can be read and a transcript in it be played.
 *
 * A unit's id becomes made-up hexadecimal digits of the same length, any other name a word with a
 * number. Names are replaced in any case, also as text.h and JSON escape them, and a MAC as people
 * write it; a short one only where it stands alone. The events of a transcript are bytes: between
 * `begin unit` and `end` those of the id are replaced, in their order or in the reverse, also in
 * parts, and everywhere a name in letters, as an application may tell it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "cli/redact-spell.h"

/* More than these are not told apart, and none of them may stay. */
#define REDACT_MOST	256
#define REDACT_ID_BYTES 12

enum redact_kind { REDACT_UNIT, REDACT_SERIAL, REDACT_UNIT_DATA, REDACT_KIND_MAX };

struct redact_name {
	enum redact_kind kind;
	char *spellings[REDACT_SPELLINGS]; /* the first is the name itself; NULL behind the last */
	char replacement[40];
	/* Of a unit's id. */
	uint8_t bytes[REDACT_ID_BYTES], made_up[REDACT_ID_BYTES];
	size_t n_bytes;
};

struct redact {
	struct redact_name names[REDACT_MOST];
	size_t n_names;
	unsigned n_replaced; /* so far */
};

void redact_done(struct redact *redact);

/* Adds a name; NULL, "" and one that is known do nothing. 0, -ENOMEM, or -E2BIG. */
int redact_add(struct redact *redact, enum redact_kind kind, const char *text);

/* Adds the units and the serial number that a transcript names. As redact_add(). */
int redact_add_names_of(struct redact *redact, const char *transcript);

/* The text with all of them replaced, the caller's to free; NULL without memory. */
char *redact_text(struct redact *redact, const char *text);
