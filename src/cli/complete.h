/* SPDX-License-Identifier: MIT */
/*
 * complete.h - what may stand at a place of the command line. The scripts in config/completion ask
 * for it through a verb that no list of verbs names, so that they know nothing of verbs and
 * options.
 */
#pragma once

#include "cli/cli.h"

/* ------------------------------------------------------------------------------ the place */

enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_VERB,
	COMPLETE_OPTION, /* a name of one */
	COMPLETE_VALUE,	 /* of an option */
	COMPLETE_WORD,	 /* behind the verb, of no option */
};

struct complete_place {
	enum complete_kind kind;
	const struct verb *verb;	 /* of all but the first two */
	const struct option_row *option; /* COMPLETE_VALUE */
	size_t n_words;	       /* those of no option that stand before it, without the verb */
	const char *typed;     /* the last word; what is taken begins with all of it */
	size_t n_stays;	       /* bytes of it that stand before the value: "--port=", "0x410," */
	struct options before; /* the options that stand before it */
};

/*
 * Finds what the last word is to become. `words` are those behind `plugflash`, without quotes; the
 * place points into them.
 */
void complete_find_place(const struct verb *table, size_t n_table, const char *const *words,
	size_t n_words, struct complete_place *ret);

/* ---------------------------------------------------------------------------- the answers */

/* In place of a word: the shell has files of its own to offer, or folders. */
#define COMPLETE_FILES	     ":files"
#define COMPLETE_DIRECTORIES ":directories"

struct complete_answers {
	const struct complete_place *place;
	struct complete_answer {
		char *word;
		char *what; /* for people, fit to be shown; may be empty */
	} * items;
	size_t n_items;
};

/*
 * Adds the value, with what stands before it in its word, where it begins as it was typed and can
 * be typed: text of UTF-8 without control characters, once each. `what` is from outside, and may be
 * NULL. What is too much for a person is left out.
 */
void complete_add(struct complete_answers *answers, const char *value, const char *what);

void complete_answers_done(struct complete_answers *answers);

/* Adds the values for COMPLETE_VALUE and COMPLETE_WORD; false: nothing is known of that place. */
bool complete_add_values(struct complete_answers *answers);
