/* SPDX-License-Identifier: MIT */
/*
 * expect.h - a conversation over the port as a person would have it at a terminal: say something,
 * wait until the other side has said what fits a pattern.
 *
 * One buffer holds all that was heard and not yet used, so that nothing is lost between a menu, a
 * transfer and an application's greeting. It is bounded: when it is full, its oldest half is
 * dropped.
 */
#pragma once

#include "device/port.h"
#include "rules/dialogue.h"

#define EXPECT_BYTES 2048

/*
 * `said` holds all that came since expect_mark(), used or not, since the last words of a loader
 * decide: a transfer may have read them already, as noise between two answers. When it is full, its
 * oldest half is dropped.
 */
struct expect {
	struct port *port; /* borrowed */
	uint8_t heard[EXPECT_BYTES];
	size_t begin, end; /* of what was not used yet */
	uint8_t said[EXPECT_BYTES];
	size_t n_said;
	char known[EXPECT_BYTES + 1]; /* lines of the loader's menu, of before the transfer */
};

/* Results beside 0 and -errno. */
enum expect_result {
	EXPECT_OK,
	EXPECT_SILENT, /* nothing that fits came by the deadline */
};

/* Forgets what was heard, here and in the port. */
int expect_forget(struct expect *expect);

/* Takes the next byte. */
int expect_hear(struct expect *expect, uint8_t *ret, uint64_t deadline);

/* Takes in what comes, at least one byte. */
int expect_listen(struct expect *expect, uint64_t deadline);

/* Takes in what comes until nothing has come for so long; stops at the deadline as well. */
int expect_wait_silence(struct expect *expect, uint64_t silence_usec, uint64_t deadline);

/* Sends, and waits until it is on the line. */
int expect_say(struct expect *expect, const void *bytes, size_t n_bytes);

/*
 * Waits for text that fits the pattern, line by line as grep does, and uses it up to its end. NULs
 * are left out, since they stand even inside numbers, and CR ends a line as LF does. Where `to` is
 * not NULL, it becomes what the first group was, or all of it.
 */
int expect_text(
	struct expect *expect, const char *pattern, uint64_t deadline, char *to, size_t size);

/*
 * Plays steps [from, to) of a dialogue, with `within_usec` for each answer. After an answer nothing
 * is sent before the other side is silent: a menu is deaf while it prints, and empties its receiver
 * afterwards (AN3965's does). What was said before is no answer to what is sent now.
 */
int expect_play(struct expect *expect, const struct dialogue *dialogue, size_t from, size_t to,
	uint64_t within_usec);

/*
 * Plays a dialogue up to its first answer, again and again: a menu may have been printed before
 * anybody listened. `ret_next` is the step after that answer; 0 and nothing done where there is
 * none.
 */
int expect_open(struct expect *expect, const struct dialogue *dialogue, uint64_t within_usec,
	size_t *ret_next);

/* `said` begins anew, with what was heard and not used. Each step that sends does it, too. */
void expect_mark(struct expect *expect);

/* All that was said since the mark is unused again. */
void expect_recall(struct expect *expect);

/* The lines that were said since the mark are the loader's menu: known, and no news later. */
void expect_learn(struct expect *expect);

/* Listens until a text that has begun is over. */
int expect_wait_end(struct expect *expect);

/* Listens until the last words of the other side are over: a verdict begins at once or never. */
int expect_wait_last_word(struct expect *expect);

/*
 * The lines that were said since the mark and are not known, as one, fit to be shown: from the
 * first that `complains` (NULL: from the first). "" where there is none.
 */
char *expect_news(
	const struct expect *expect, bool (*complains)(const char *line), char *to, size_t size);

/* All that was said since the mark, without control characters but line ends and tabs. */
char *expect_said(const struct expect *expect, char to[static EXPECT_BYTES + 1]);

/* Whether a line that was heard and not used fits the pattern, and was known before. */
bool expect_repeats(const struct expect *expect, const char *pattern);

/* The begin of what was heard and not used, fit to be shown; "" where there is nothing. */
char *expect_quote(const struct expect *expect, char *to, size_t size);
