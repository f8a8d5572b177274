/* SPDX-License-Identifier: MIT */
/*
 * speech.h - a conversation over the port as a person would have it at a terminal: say something,
 * wait until the other side has said what fits a pattern.
 *
 * One buffer for all that was heard and not yet used, so that nothing is lost between a menu, a
 * transfer and an application's greeting. It is bounded: of a talker without end the oldest goes.
 */
#pragma once

#include "rules/dialogue.h"
#include "target/port.h"

#define SPEECH_BYTES 2048

/*
 * `said` is beside that: all that came since speech_mark(), used or not. What a loader says last
 * decides, so whoever used it up as noise between two answers must not take it away from him who
 * judges (of more than there is room for the oldest half goes).
 */
struct speech {
	struct port *port; /* borrowed */
	uint8_t heard[SPEECH_BYTES];
	size_t begin, end; /* of what was not used yet */
	uint8_t said[SPEECH_BYTES];
	size_t n_said;
	char known[SPEECH_BYTES + 1]; /* lines of the loader's menu, of before the transfer */
};

/* Results beside 0 and -errno. */
enum speech_result {
	SPEECH_OK,
	SPEECH_SILENT, /* nothing that fits came by the deadline */
};

/* Forgets what was heard, here and in the port. */
int speech_forget(struct speech *speech);

/* Takes the next byte. */
int speech_hear(struct speech *speech, uint8_t *ret, uint64_t deadline);

/* Takes in what comes, at least one byte. */
int speech_listen(struct speech *speech, uint64_t deadline);

/* Takes in what comes until nothing has come for so long; stops at the deadline as well. */
int speech_wait_silence(struct speech *speech, uint64_t silence_usec, uint64_t deadline);

/* Sends, and waits until it is on the line. */
int speech_say(struct speech *speech, const void *bytes, size_t n_bytes);

/*
 * Waits for text that fits the pattern, line by line as grep does, and uses it up to its end. NUL
 * is no part of a text and read as a blank, CR ends a line as LF does. Where `to` is not NULL, it
 * becomes what the first group was, or all of it.
 */
int speech_expect(
	struct speech *speech, const char *pattern, uint64_t deadline, char *to, size_t size);

/*
 * Plays steps [from, to) of a dialogue, with `within_usec` for each answer. After an answer nothing
 * is sent before the other side is silent: a menu is deaf while it prints, and empties its receiver
 * afterwards (AN3965's does). What was said before is no answer to what is sent now.
 */
int speech_play(struct speech *speech, const struct dialogue *dialogue, size_t from, size_t to,
	uint64_t within_usec);

/*
 * Plays a dialogue up to its first answer, again and again: a menu may have been printed before
 * anybody listened. `ret_next` is the step after that answer; 0 and nothing done where there is
 * none.
 */
int speech_open(struct speech *speech, const struct dialogue *dialogue, uint64_t within_usec,
	size_t *ret_next);

/* `said` begins anew, with what was heard and not used. Each step that sends does it, too. */
void speech_mark(struct speech *speech);

/* All that was said since the mark is unused again. */
void speech_recall(struct speech *speech);

/* The lines that were said since the mark are the loader's menu: known, and no news later. */
void speech_learn(struct speech *speech);

/* Listens until a text that has begun is over. */
int speech_wait_end(struct speech *speech);

/* Listens until the other side has said its last word: what it says, it says at once. */
int speech_wait_last_word(struct speech *speech);

/*
 * The lines that were said since the mark and are not known, as one, fit to be shown: from the
 * first that `complains` (NULL: from the first). "" where there is none.
 */
char *speech_news(
	const struct speech *speech, bool (*complains)(const char *line), char *to, size_t size);

/* Whether a line that was heard and not used fits the pattern, and was known before. */
bool speech_repeats(const struct speech *speech, const char *pattern);

/* The begin of what was heard and not used, fit to be shown; "" where there is nothing. */
char *speech_quote(const struct speech *speech, char *to, size_t size);
