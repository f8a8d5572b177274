/* SPDX-License-Identifier: MIT */
#include "target/speech.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* Above the USB latency of a bridge; within a text there are no such gaps. */
#define SILENCE_USEC   (30 * USEC_PER_MSEC)
#define MOST_TALK_USEC (2 * USEC_PER_SEC)

/* For a last word: until its begin, and the silence behind it. */
#define LAST_WORD_USEC	  (500 * USEC_PER_MSEC)
#define LAST_SILENCE_USEC (200 * USEC_PER_MSEC)

/* How often a menu that stays silent is asked again. */
#define ASK_AGAIN_USEC USEC_PER_SEC

/* As much as a reason has room for. */
#define QUOTE_BYTES	  80

#define WRITE_MARGIN_USEC (2 * USEC_PER_SEC)

static void drop(struct speech *speech, size_t n)
{
	speech->begin += n;
	if (speech->begin == speech->end)
		speech->begin = speech->end = 0;
}

int speech_forget(struct speech *speech)
{
	speech->begin = speech->end = 0;
	speech->n_said = 0;
	return port_discard_input(speech->port);
}

static void note(struct speech *speech, const uint8_t *bytes, size_t n_bytes)
{
	size_t room = sizeof(speech->said) - n_bytes;

	if (speech->n_said > room) {
		size_t half = sizeof(speech->said) / 2;
		size_t n_kept = room < half ? room : half;

		memmove(speech->said, speech->said + speech->n_said - n_kept, n_kept);
		speech->n_said = n_kept;
	}
	memcpy(speech->said + speech->n_said, bytes, n_bytes);
	speech->n_said += n_bytes;
}

int speech_listen(struct speech *speech, uint64_t deadline)
{
	size_t n;
	int r;

	if (speech->end == sizeof(speech->heard)) {
		if (speech->begin == 0)
			speech->begin = sizeof(speech->heard) / 2;
		speech->end -= speech->begin;
		memmove(speech->heard, speech->heard + speech->begin, speech->end);
		speech->begin = 0;
	}
	r = port_read_some(speech->port, speech->heard + speech->end,
		sizeof(speech->heard) - speech->end, deadline, &n);
	if (r == -ETIMEDOUT)
		return SPEECH_SILENT;
	if (r == 0) {
		note(speech, speech->heard + speech->end, n);
		speech->end += n;
	}
	return r;
}

int speech_hear(struct speech *speech, uint8_t *ret, uint64_t deadline)
{
	int r = speech->begin == speech->end ? speech_listen(speech, deadline) : 0;

	if (r != 0)
		return r;
	*ret = speech->heard[speech->begin];
	drop(speech, 1);
	return 0;
}

int speech_wait_silence(struct speech *speech, uint64_t silence_usec, uint64_t deadline)
{
	uint64_t now;
	int r = 0;

	for (now = port_now(speech->port); r == 0 && now < deadline; now = port_now(speech->port))
		r = speech_listen(speech, now + silence_usec);
	return r < 0 ? r : 0;
}

int speech_wait_end(struct speech *speech)
{
	return speech_wait_silence(speech, SILENCE_USEC, port_now(speech->port) + MOST_TALK_USEC);
}

int speech_say(struct speech *speech, const void *bytes, size_t n_bytes)
{
	struct port *port = speech->port;
	uint64_t deadline = port_now(port) + port_line_time(port, n_bytes) + WRITE_MARGIN_USEC;
	int r = port_write(port, bytes, n_bytes, deadline);

	if (r == 0)
		r = port_drain(port, deadline);
	return r == -ETIMEDOUT ? -EIO : r;
}

/* What a group matched, or the whole. */
static void copy_group(const char *text, const regmatch_t groups[2], char *to, size_t size)
{
	const regmatch_t *group = groups[1].rm_so >= 0 ? &groups[1] : &groups[0];
	size_t n = (size_t)(group->rm_eo - group->rm_so);

	if (n >= size)
		n = size - 1;
	memcpy(to, text + group->rm_so, n);
	to[n] = '\0';
}

/* How much of what was heard is used up by a text that fits; 0: none does. */
static size_t find(const struct speech *speech, const regex_t *pattern, char *to, size_t size)
{
	char text[SPEECH_BYTES + 1];
	size_t n = speech->end - speech->begin;
	regmatch_t groups[2];

	for (size_t i = 0; i < n; i++) {
		text[i] = (char)speech->heard[speech->begin + i];
		if (text[i] == '\0')
			text[i] = ' ';
		else if (text[i] == '\r')
			text[i] = '\n';
	}
	text[n] = '\0';
	if (regexec(pattern, text, ARRAY_SIZE(groups), groups, 0) != 0)
		return 0;
	if (to)
		copy_group(text, groups, to, size);
	return (size_t)groups[0].rm_eo;
}

static int expect(
	struct speech *speech, const regex_t *pattern, uint64_t deadline, char *to, size_t size)
{
	size_t n_used;
	int r;

	while ((n_used = find(speech, pattern, to, size)) == 0) {
		if (port_now(speech->port) >= deadline)
			return SPEECH_SILENT;
		r = speech_listen(speech, deadline);
		if (r != 0)
			return r;
	}
	/* The end of a number may be in the next USB frame. */
	if (to && n_used == speech->end - speech->begin) {
		r = speech_wait_end(speech);
		if (r < 0)
			return r;
		n_used = find(speech, pattern, to, size);
	}
	drop(speech, n_used);
	return 0;
}

int speech_expect(
	struct speech *speech, const char *pattern, uint64_t deadline, char *to, size_t size)
{
	regex_t compiled;
	int r;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
		return -EINVAL;
	r = expect(speech, &compiled, deadline, to, size);
	regfree(&compiled);
	return r;
}

static int play_step(struct speech *speech, const struct dialogue_step *step, bool is_answer,
	uint64_t within_usec)
{
	uint64_t now = port_now(speech->port);
	int r = 0;

	switch (step->kind) {
	case DIALOGUE_SEND:
		if (is_answer)
			r = speech_wait_end(speech);
		speech->begin = speech->end = 0;
		speech->n_said = 0;
		return r < 0 ? r : speech_say(speech, step->text.bytes, step->text.n_bytes);
	case DIALOGUE_EXPECT:
		return speech_expect(speech, step->text.bytes, now + within_usec, NULL, 0);
	case DIALOGUE_WAIT:
		return port_wait(speech->port, step->wait_usec);
	}
	return 0;
}

int speech_play(struct speech *speech, const struct dialogue *dialogue, size_t from, size_t to,
	uint64_t within_usec)
{
	int r = 0;

	for (size_t i = from; r == 0 && i < to; i++)
		r = play_step(speech, &dialogue->items[i],
			i > 0 && dialogue->items[i - 1].kind == DIALOGUE_EXPECT, within_usec);
	return r;
}

int speech_open(struct speech *speech, const struct dialogue *dialogue, uint64_t within_usec,
	size_t *ret_next)
{
	uint64_t deadline = port_now(speech->port) + within_usec;
	size_t next = 0;
	int r;

	while (next < dialogue->n_items && dialogue->items[next].kind != DIALOGUE_EXPECT)
		next++;
	if (next == dialogue->n_items) {
		*ret_next = 0;
		return 0;
	}
	do {
		uint64_t now = port_now(speech->port);
		uint64_t left = deadline > now ? deadline - now : 0;

		r = speech_play(speech, dialogue, 0, next + 1,
			left < ASK_AGAIN_USEC ? left : ASK_AGAIN_USEC);
		/* A slow talker is not interrupted. */
		if (r == SPEECH_SILENT) {
			r = speech_wait_silence(speech, SILENCE_USEC, deadline);
			if (r == 0)
				r = speech_play(speech, dialogue, next, next + 1, 0);
		}
	} while (r == SPEECH_SILENT && port_now(speech->port) < deadline);
	if (r == 0)
		*ret_next = next + 1;
	return r;
}

/* ------------------------------------------------------------------ what was said last */

void speech_mark(struct speech *speech)
{
	speech->n_said = 0;
	note(speech, speech->heard + speech->begin, speech->end - speech->begin);
}

void speech_recall(struct speech *speech)
{
	memcpy(speech->heard, speech->said, speech->n_said);
	speech->begin = 0;
	speech->end = speech->n_said;
}

/* Lines end in LF; NULs stand in odd places of loaders' texts, even inside a number. */
static size_t copy_text(const uint8_t *from, size_t n_from, char to[SPEECH_BYTES + 1])
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

void speech_learn(struct speech *speech)
{
	size_t n_known = strlen(speech->known);
	char text[SPEECH_BYTES + 1];
	size_t n = copy_text(speech->said, speech->n_said, text);

	if (n_known + 1 + n < sizeof(speech->known)) {
		speech->known[n_known] = '\n';
		memcpy(speech->known + n_known + 1, text, n + 1);
	}
}

/* Whether a known line begins with these bytes, or is them. */
static bool is_known(const struct speech *speech, const char *line, size_t n_line, bool is_whole)
{
	const char *at = speech->known;

	while ((at = memmem(at, strlen(at), line, n_line)) != NULL) {
		bool begins = at == speech->known || at[-1] == '\n';
		bool ends = at[n_line] == '\n' || at[n_line] == '\0';

		if (begins && (ends || !is_whole))
			return true;
		at++;
	}
	return false;
}

int speech_wait_last_word(struct speech *speech)
{
	uint64_t now = port_now(speech->port);
	int r = 0;

	if (speech->begin == speech->end)
		r = speech_listen(speech, now + LAST_WORD_USEC);
	if (r == 0)
		r = speech_wait_silence(speech, LAST_SILENCE_USEC, now + MOST_TALK_USEC);
	return r < 0 ? r : 0;
}

char *speech_news(
	const struct speech *speech, bool (*complains)(const char *line), char *to, size_t size)
{
	char text[SPEECH_BYTES + 1], news[QUOTE_BYTES + 1] = "";
	size_t n = copy_text(speech->said, speech->n_said, text), n_line;

	for (const char *at = text; at < text + n; at += n_line + 1) {
		char line[QUOTE_BYTES + 1];

		n_line = strcspn(at, "\n");
		/* A progress bar stands in front of the words. */
		snprintf(line, sizeof(line), "%.*s", QUOTE_BYTES,
			n_line > QUOTE_BYTES ? at + n_line - QUOTE_BYTES : at);
		line[strcspn(line, "\n")] = '\0';
		if (!line[strspn(line, " \t")] || is_known(speech, at, n_line, true))
			continue;
		if (!news[0] && complains && !complains(line))
			continue;
		append_words(news, sizeof(news), line);
	}
	return text_escape(news, to, size);
}

bool speech_repeats(const struct speech *speech, const char *pattern)
{
	char text[SPEECH_BYTES + 1];
	const char *at = text;
	bool is_found = false;
	regmatch_t match;
	regex_t compiled;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
		return false;
	copy_text(speech->heard + speech->begin, speech->end - speech->begin, text);
	while (!is_found && *at &&
		regexec(&compiled, at, 1, &match, at > text ? REG_NOTBOL : 0) == 0) {
		const char *line = at + match.rm_so, *end = at + match.rm_eo;

		while (line > text && line[-1] != '\n')
			line--;
		is_found = end > line && is_known(speech, line, (size_t)(end - line), false);
		at = match.rm_eo > 0 ? end : at + 1;
	}
	regfree(&compiled);
	return is_found;
}

char *speech_quote(const struct speech *speech, char *to, size_t size)
{
	char text[SPEECH_BYTES + 1], quote[QUOTE_BYTES + 1] = "";
	size_t n = speech->end - speech->begin;

	for (size_t i = 0; i < n; i++)
		text[i] = speech->heard[speech->begin + i] ? (char)speech->heard[speech->begin + i]
							   : ' ';
	text[n] = '\0';
	append_words(quote, sizeof(quote), text);
	return text_escape(quote, to, size);
}
