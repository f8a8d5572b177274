/* SPDX-License-Identifier: MIT */
/*
 * expect.c - waits for texts, by patterns, and remembers what was said.
 *
 * Bytes are read into `heard` and used from its begin: by a text that fits, or byte by byte. A text
 * ends where nothing came for 30 ms, which is above the latency of USB. A menu may have been
 * printed before anybody listened, so it is asked again each second until it answers. At the end of
 * a transfer a loader says how it went. Its lines are compared with those of its menu: a line that
 * stood there before is no news.
 */
#include "device/expect.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* Above the USB latency of a bridge; within a text there are no such gaps. */
#define SILENCE_USEC   (30 * USEC_PER_MSEC)
#define MOST_TALK_USEC (2 * USEC_PER_SEC)

/* For the last words: until they begin, and the silence behind them. */
#define LAST_WORD_USEC	  (500 * USEC_PER_MSEC)
#define LAST_SILENCE_USEC (200 * USEC_PER_MSEC)

/* How often a menu that stays silent is asked again. */
#define ASK_AGAIN_USEC USEC_PER_SEC

/* As much as a reason has room for. */
#define QUOTE_BYTES	  80

#define WRITE_MARGIN_USEC (2 * USEC_PER_SEC)

static void drop(struct expect *expect, size_t n)
{
	expect->begin += n;
	if (expect->begin == expect->end)
		expect->begin = expect->end = 0;
}

int expect_forget(struct expect *expect)
{
	expect->begin = expect->end = 0;
	expect->n_said = 0;
	return port_discard_input(expect->port);
}

static void note(struct expect *expect, const uint8_t *bytes, size_t n_bytes)
{
	size_t room = sizeof(expect->said) - n_bytes;

	if (expect->n_said > room) {
		size_t half = sizeof(expect->said) / 2;
		size_t n_kept = room < half ? room : half;

		memmove(expect->said, expect->said + expect->n_said - n_kept, n_kept);
		expect->n_said = n_kept;
	}
	memcpy(expect->said + expect->n_said, bytes, n_bytes);
	expect->n_said += n_bytes;
}

int expect_listen(struct expect *expect, uint64_t deadline)
{
	size_t n;
	int r;

	if (expect->end == sizeof(expect->heard)) {
		if (expect->begin == 0)
			expect->begin = sizeof(expect->heard) / 2;
		expect->end -= expect->begin;
		memmove(expect->heard, expect->heard + expect->begin, expect->end);
		expect->begin = 0;
	}
	r = port_read_some(expect->port, expect->heard + expect->end,
		sizeof(expect->heard) - expect->end, deadline, &n);
	if (r == -ETIMEDOUT)
		return EXPECT_SILENT;
	if (r == 0) {
		note(expect, expect->heard + expect->end, n);
		expect->end += n;
	}
	return r;
}

int expect_hear(struct expect *expect, uint8_t *ret, uint64_t deadline)
{
	int r = expect->begin == expect->end ? expect_listen(expect, deadline) : 0;

	if (r != 0)
		return r;
	*ret = expect->heard[expect->begin];
	drop(expect, 1);
	return 0;
}

int expect_wait_silence(struct expect *expect, uint64_t silence_usec, uint64_t deadline)
{
	uint64_t now;
	int r = 0;

	for (now = port_now(expect->port); r == 0 && now < deadline; now = port_now(expect->port))
		r = expect_listen(expect, now + silence_usec);
	return r < 0 ? r : 0;
}

int expect_wait_end(struct expect *expect)
{
	return expect_wait_silence(expect, SILENCE_USEC, port_now(expect->port) + MOST_TALK_USEC);
}

int expect_say(struct expect *expect, const void *bytes, size_t n_bytes)
{
	struct port *port = expect->port;
	uint64_t deadline = port_now(port) + port_line_time(port, n_bytes) + WRITE_MARGIN_USEC;
	int r = port_write(port, bytes, n_bytes, deadline);

	if (r == 0)
		r = port_drain(port, deadline);
	return r == -ETIMEDOUT ? -EIO : r;
}

/* How much of what was heard is used up by a text that fits; 0: none does. */
static size_t find(const struct expect *expect, const regex_t *pattern, char *to, size_t size)
{
	char text[EXPECT_BYTES + 1];
	size_t behind[EXPECT_BYTES]; /* how much is used up to and with that letter */
	size_t n = 0;
	regmatch_t groups[2];

	/* NULs stand in odd places of loaders' texts, even inside a number (gecko.md 1). */
	for (size_t i = expect->begin; i < expect->end; i++) {
		if (expect->heard[i] == '\0')
			continue;
		text[n] = expect->heard[i] == '\r' ? '\n' : (char)expect->heard[i];
		behind[n++] = i + 1 - expect->begin;
	}
	text[n] = '\0';
	if (regexec(pattern, text, ARRAY_SIZE(groups), groups, 0) != 0)
		return 0;
	if (to) { /* what a group matched, or the whole */
		const regmatch_t *group = groups[1].rm_so >= 0 ? &groups[1] : &groups[0];

		snprintf(to, size, "%.*s", (int)(group->rm_eo - group->rm_so), text + group->rm_so);
	}
	return groups[0].rm_eo > 0 ? behind[groups[0].rm_eo - 1] : 0;
}

static int wait_for(
	struct expect *expect, const regex_t *pattern, uint64_t deadline, char *to, size_t size)
{
	size_t n_used;
	int r;

	while ((n_used = find(expect, pattern, to, size)) == 0) {
		if (port_now(expect->port) >= deadline)
			return EXPECT_SILENT;
		r = expect_listen(expect, deadline);
		if (r != 0)
			return r;
	}
	/* The end of a number may be in the next USB frame. */
	if (to && n_used == expect->end - expect->begin) {
		r = expect_wait_end(expect);
		if (r < 0)
			return r;
		n_used = find(expect, pattern, to, size);
	}
	drop(expect, n_used);
	return 0;
}

int expect_text(
	struct expect *expect, const char *pattern, uint64_t deadline, char *to, size_t size)
{
	regex_t compiled;
	int r;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
		return -EINVAL;
	r = wait_for(expect, &compiled, deadline, to, size);
	regfree(&compiled);
	return r;
}

int expect_play(struct expect *expect, const struct dialogue *dialogue, size_t from, size_t to,
	uint64_t within_usec)
{
	int r = 0;

	for (size_t i = from; r == 0 && i < to; i++) {
		const struct dialogue_step *step = &dialogue->items[i];

		switch (step->kind) {
		case DIALOGUE_SEND: /* behind all of an answer */
			if (i > 0 && step[-1].kind == DIALOGUE_EXPECT)
				r = expect_wait_end(expect);
			expect->begin = expect->end = 0;
			expect->n_said = 0;
			if (r == 0)
				r = expect_say(expect, step->text.bytes, step->text.n_bytes);
			break;
		case DIALOGUE_EXPECT:
			r = expect_text(expect, step->text.bytes,
				port_now(expect->port) + within_usec, NULL, 0);
			break;
		case DIALOGUE_WAIT:
			r = port_wait(expect->port, step->wait_usec);
			break;
		}
	}
	return r;
}

int expect_open(struct expect *expect, const struct dialogue *dialogue, uint64_t within_usec,
	size_t *ret_next)
{
	uint64_t deadline = port_now(expect->port) + within_usec;
	size_t next = 0;
	int r;

	while (next < dialogue->n_items && dialogue->items[next].kind != DIALOGUE_EXPECT)
		next++;
	if (next == dialogue->n_items) {
		*ret_next = 0;
		return 0;
	}
	do {
		uint64_t now = port_now(expect->port);
		uint64_t left = deadline > now ? deadline - now : 0;

		r = expect_play(expect, dialogue, 0, next + 1,
			left < ASK_AGAIN_USEC ? left : ASK_AGAIN_USEC);
		/* A slow talker is not interrupted. */
		if (r == EXPECT_SILENT) {
			r = expect_wait_silence(expect, SILENCE_USEC, deadline);
			if (r == 0)
				r = expect_play(expect, dialogue, next, next + 1, 0);
		}
	} while (r == EXPECT_SILENT && port_now(expect->port) < deadline);
	if (r == 0)
		*ret_next = next + 1;
	return r;
}

/* ------------------------------------------------------------------ what was said last */

void expect_mark(struct expect *expect)
{
	expect->n_said = 0;
	note(expect, expect->heard + expect->begin, expect->end - expect->begin);
}

void expect_recall(struct expect *expect)
{
	memcpy(expect->heard, expect->said, expect->n_said);
	expect->begin = 0;
	expect->end = expect->n_said;
}

/* Lines end in LF; NULs and other bytes that are no text are left out. */
static size_t copy_text(const uint8_t *from, size_t n_from, char to[EXPECT_BYTES + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < n_from; i++) {
		uint8_t byte = from[i];

		if (byte == '\r')
			to[n++] = '\n';
		else if (byte >= ' ' || byte == '\n' || byte == '\t')
			to[n++] = (char)byte;
	}
	to[n] = '\0';
	return n;
}

/* Lines become one: only what is no blank, or the first of several, is shown. */
static void append_words(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);

	for (bool is_apart = n > 0; *text && n + 1 < size; text++) {
		bool is_blank = strchr(" \r\n\t", *text) != NULL;

		if (!is_blank && is_apart && n > 0 && n + 2 < size)
			to[n++] = ' ';
		if (!is_blank)
			to[n++] = *text;
		is_apart = is_blank;
	}
	to[n] = '\0';
}

void expect_learn(struct expect *expect)
{
	size_t n_known = strlen(expect->known);
	char text[EXPECT_BYTES + 1];
	size_t n = copy_text(expect->said, expect->n_said, text);

	if (n_known + 1 + n < sizeof(expect->known)) {
		expect->known[n_known] = '\n';
		memcpy(expect->known + n_known + 1, text, n + 1);
	}
}

/* Whether a known line begins with these bytes, or is them. */
static bool is_known(const struct expect *expect, const char *line, size_t n_line, bool is_whole)
{
	const char *at = expect->known;

	while ((at = memmem(at, strlen(at), line, n_line)) != NULL) {
		bool begins = at == expect->known || at[-1] == '\n';
		bool ends = at[n_line] == '\n' || at[n_line] == '\0';

		if (begins && (ends || !is_whole))
			return true;
		at++;
	}
	return false;
}

int expect_wait_last_word(struct expect *expect)
{
	uint64_t now = port_now(expect->port);
	int r = 0;

	if (expect->begin == expect->end)
		r = expect_listen(expect, now + LAST_WORD_USEC);
	if (r == 0)
		r = expect_wait_silence(expect, LAST_SILENCE_USEC, now + MOST_TALK_USEC);
	return r < 0 ? r : 0;
}

char *expect_news(
	const struct expect *expect, bool (*complains)(const char *line), char *to, size_t size)
{
	char text[EXPECT_BYTES + 1], news[QUOTE_BYTES + 1] = "";
	size_t n = copy_text(expect->said, expect->n_said, text), n_line;

	for (const char *at = text; at < text + n; at += n_line + 1) {
		char line[QUOTE_BYTES + 1];

		n_line = strcspn(at, "\n");
		/* A progress bar stands in front of the words. */
		snprintf(line, sizeof(line), "%.*s", QUOTE_BYTES,
			n_line > QUOTE_BYTES ? at + n_line - QUOTE_BYTES : at);
		line[strcspn(line, "\n")] = '\0';
		if (!line[strspn(line, " \t")] || is_known(expect, at, n_line, true))
			continue;
		if (!news[0] && complains && !complains(line))
			continue;
		append_words(news, sizeof(news), line);
	}
	return text_escape(news, to, size);
}

bool expect_repeats(const struct expect *expect, const char *pattern)
{
	char text[EXPECT_BYTES + 1];
	const char *at = text;
	bool is_found = false;
	regmatch_t match;
	regex_t compiled;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
		return false;
	copy_text(expect->heard + expect->begin, expect->end - expect->begin, text);
	while (!is_found && *at &&
		regexec(&compiled, at, 1, &match, at > text ? REG_NOTBOL : 0) == 0) {
		const char *line = at + match.rm_so, *end = at + match.rm_eo;

		while (line > text && line[-1] != '\n')
			line--;
		is_found = end > line && is_known(expect, line, (size_t)(end - line), false);
		at = match.rm_eo > 0 ? end : at + 1;
	}
	regfree(&compiled);
	return is_found;
}

char *expect_said(const struct expect *expect, char to[static EXPECT_BYTES + 1])
{
	copy_text(expect->said, expect->n_said, to);
	return to;
}

char *expect_quote(const struct expect *expect, char *to, size_t size)
{
	char text[EXPECT_BYTES + 1], quote[QUOTE_BYTES + 1] = "";
	size_t n = 0;

	for (size_t i = expect->begin; i < expect->end; i++)
		if (expect->heard[i])
			text[n++] = (char)expect->heard[i];
	text[n] = '\0';
	append_words(quote, sizeof(quote), text);
	return text_escape(quote, to, size);
}
