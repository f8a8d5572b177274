/* SPDX-License-Identifier: MIT */
/*
 * dialogue.c - texts with escapes, patterns and steps, and the menus of the common boot loaders.
 */
#include "rules/dialogue.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "rules/pattern.h"

#define MAX_WAIT_USEC (60 * USEC_PER_SEC)

/*
 * Two CAN end a transfer that an earlier job left behind; in a menu they are a wrong choice, upon
 * which both loaders print it anew. Nothing here has an `a` in it: ST's receiver takes that letter
 * for "abort" wherever it waits for a packet (AN3965, AN4065 and the IAP of STM32Cube).
 */
static const struct dialogue_menu menus[] = {
	{
		.name = "st-iap",
		.before = "send \"\\x18\\x18\" expect \"[Ee]xecute\" send \"1\"",
		.after = "expect \"[Ss]uccessful\"",
		.upload = "send \"\\x18\\x18\" expect \"[Ee]xecute\" send \"2\" expect \"Receive\"",
		.start = "send \"\\x18\\x18\" expect \"[Ee]xecute\" send \"3\"",
	},
	{
		.name = "gecko",
		.before = "send \"\\x18\\x18\\n\" expect \"BL >\" send \"1\" expect \"upload\"",
		.after = "expect \"upload complete\"",
		.start = "send \"\\x18\\x18\\n\" expect \"BL >\" send \"2\"",
	},
};

const struct dialogue_menu *dialogue_find_menu(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(menus); i++)
		if (strcmp(menus[i].name, name) == 0)
			return &menus[i];
	return NULL;
}

/* ------------------------------------------------------------------ texts */

void dialogue_text_done(struct dialogue_text *text)
{
	free(text->bytes);
	*text = (struct dialogue_text){0};
}

/* Digits of `base`, at least one and at most `most`; how many were taken, 0: none or too large. */
static size_t take_number(const char *from, size_t n_from, unsigned base, size_t most, char *ret)
{
	unsigned number = 0;
	size_t n = 0;

	while (n < most && n < n_from && digit_value(from[n]) < base)
		number = number * base + digit_value(from[n++]);
	*ret = (char)(unsigned char)number;
	return number > UINT8_MAX ? 0 : n;
}

/* An escape behind its backslash; returns how many characters it has, 0: it is no escape. */
static size_t take_escape(const char *from, size_t n_from, char *ret)
{
	static const char names[] = "rntabfve\\\"'?", values[] = "\r\n\t\a\b\f\v\x1b\\\"'?";
	const char *found;
	size_t n;

	if (n_from == 0 || from[0] == '\0')
		return 0;
	if (from[0] == 'x') {
		n = take_number(from + 1, n_from - 1, 16, 2, ret);
		return n > 0 ? n + 1 : 0;
	}
	if (digit_value(from[0]) < 8)
		return take_number(from, n_from, 8, 3, ret);
	found = strchr(names, from[0]);
	if (!found)
		return 0;
	*ret = values[found - names];
	return 1;
}

int dialogue_unescape(const char *from, size_t n_from, struct dialogue_text *ret)
{
	CLEANUP(freep) char *bytes = malloc(n_from + 1);
	size_t n_bytes = 0;

	if (!bytes)
		return -ENOMEM;
	for (size_t at = 0; at < n_from;) {
		size_t n = 1;

		if (from[at] == '\\') {
			n = take_escape(from + at + 1, n_from - at - 1, &bytes[n_bytes]);
			if (n == 0)
				return -EINVAL;
			n++;
		} else {
			bytes[n_bytes] = from[at];
		}
		n_bytes++;
		at += n;
	}
	if (n_bytes > DIALOGUE_MAX_TEXT)
		return -EINVAL;
	bytes[n_bytes] = '\0';
	ret->bytes = TAKE_PTR(bytes);
	ret->n_bytes = n_bytes;
	return 0;
}

/* ------------------------------------------------------------------ steps */

void dialogue_done(struct dialogue *dialogue)
{
	for (size_t i = 0; i < dialogue->n_items; i++)
		dialogue_text_done(&dialogue->items[i].text);
	free(dialogue->items);
	*dialogue = (struct dialogue){0};
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t;");
}

/* A text in quotes; `*text` goes behind it. */
static int take_quoted(const char **text, struct dialogue_text *ret)
{
	const char *begin = *text + 1, *end = begin;
	int r;

	if (**text != '"')
		return -EINVAL;
	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	if (!*end)
		return -EINVAL;
	r = dialogue_unescape(begin, (size_t)(end - begin), ret);
	if (r == 0)
		*text = end + 1;
	return r;
}

/* As pattern_fault(). */
static const char *expect_fault(const struct dialogue_text *text)
{
	if (strlen(text->bytes) != text->n_bytes)
		return "a pattern without NUL behind expect";
	return pattern_fault(text->bytes);
}

/* One step; `*text` goes behind it. */
static int take_step(const char **text, struct dialogue_step *ret)
{
	size_t n_word = strcspn(*text, " \t;\"");
	const char *word = *text;
	char wait[24];
	int r;

	*text += n_word;
	if (n_word == 4 && strncmp(word, "send", n_word) == 0)
		ret->kind = DIALOGUE_SEND;
	else if (n_word == 6 && strncmp(word, "expect", n_word) == 0)
		ret->kind = DIALOGUE_EXPECT;
	else {
		ret->kind = DIALOGUE_WAIT;
		snprintf(wait, sizeof(wait), "%.*s", (int)n_word, word);
		return n_word < sizeof(wait) && parse_duration_usec(wait, &ret->wait_usec) == 0 &&
				       ret->wait_usec <= MAX_WAIT_USEC
			       ? 0
			       : -EINVAL;
	}
	*text += strspn(*text, " \t");
	r = take_quoted(text, &ret->text);
	if (r < 0)
		return r;
	if (ret->kind == DIALOGUE_EXPECT && expect_fault(&ret->text))
		return -EDOM;
	return ret->text.n_bytes > 0 ? 0 : -EINVAL;
}

int dialogue_parse(const char *text, struct dialogue *ret, const char **ret_expected)
{
	CLEANUP(dialogue_done) struct dialogue made = {0};
	int r = 0;

	made.items = calloc(DIALOGUE_MAX_STEPS, sizeof(*made.items));
	if (!made.items)
		return -ENOMEM;
	for (text = skip_blanks(text); r == 0 && *text; text = skip_blanks(text)) {
		if (made.n_items == DIALOGUE_MAX_STEPS)
			r = -E2BIG;
		else
			r = take_step(&text, &made.items[made.n_items++]);
	}
	if (r == 0 && made.n_items == 0)
		r = -EINVAL;
	if (r == -E2BIG)
		*ret_expected = "at most 16 steps";
	else if (r == -EDOM)
		*ret_expected = expect_fault(&made.items[made.n_items - 1].text);
	else
		*ret_expected =
			"steps like 'expect \"BL >\" send \"1\" 100ms' (texts in double quotes with C escapes, waits of at most 60s)";
	if (r < 0 && r != -ENOMEM)
		return -EINVAL;
	if (r == 0) {
		*ret = made;
		made = (struct dialogue){0};
	}
	return r;
}
