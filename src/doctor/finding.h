/* SPDX-License-Identifier: MIT */
/*
 * finding.h - what the doctor has found: for each thing that was looked at what is the matter, why
 * that matters, and the commands that mend it.
 *
 * A list grows finding by finding; nobody checks a result before its end. Where memory is short,
 * `is_short` is set, and the list is not to be believed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* From the best to the worst. */
enum finding_level {
	FINDING_GOOD,	 /* was looked at, and is as it should be */
	FINDING_NOTE,	 /* worth knowing; nothing need be done */
	FINDING_WARNING, /* boards may be flashed, and something will go wrong one day */
	FINDING_ERROR,	 /* boards, or some of them, are not flashed as it is */
	FINDING_LEVEL_MAX,
};

/* "good", "note", "warning", "error". */
const char *finding_level_to_string(enum finding_level level);

#define FINDING_MENDS 3

struct finding {
	enum finding_level level;
	const char *about; /* one word for what was looked at: "driver", "store"; static */
	char *what;
	char *why;		   /* NULL: the first sentence says it all */
	char *mend[FINDING_MENDS]; /* commands, in their order */
	size_t n_mend;
};

struct findings {
	struct finding *items;
	size_t n_items;
	bool is_short;
};

/* A finding and what was found. Text from outside is an argument, and the caller escapes it. */
void finding_add(struct findings *to, enum finding_level level, const char *about,
	const char *format, ...) PRINTF_LIKE(4, 5);

/* Why the newest one matters, and one more command that mends it. */
void finding_why(struct findings *to, const char *format, ...) PRINTF_LIKE(2, 3);
void finding_mend(struct findings *to, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds the good news, unless something worse than a note was found about it. */
void finding_good(struct findings *to, const char *about, const char *what);

size_t findings_count(const struct findings *findings, enum finding_level level);

/* FINDING_GOOD where there are none. */
enum finding_level findings_worst(const struct findings *findings);

/* The worst first; those of one level stay in their order. */
void findings_sort(struct findings *findings);

void findings_done(struct findings *findings);
