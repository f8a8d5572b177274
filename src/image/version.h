/* SPDX-License-Identifier: MIT */
/*
 * version.h - versions, and their order.
 *
 * A version is [v]DIGITS[.DIGITS]... and may end in a mark of an early release: dev, alpha, beta,
 * pre or rc, with or without a number, after "-", "~", ".", "_" or nothing:
 * 1.2.3, v7, 1.0-rc2, 1.0-beta, 2.0rc.1. version-name.h finds it in the name of a file.
 */
#pragma once

#include <ctype.h>
#include <stdbool.h>

/*
 * Whether it may stand where somebody gives a version: begins as one, and has at most 63 letters,
 * digits, '.', '-', '+', '~' and '_'.
 */
bool version_is_fit(const char *text);

/*
 * Runs of digits of any length compare as numbers, and a missing one counts as 0: 1.10 is
 * above 1.9, 2 above 1.99, 1.0.0 equals v1.0. An early release is below its version, in the order
 * dev, alpha, beta, pre, rc and then by number: 1.0-rc2 is below 1.0-rc10, and that below 1.0.
 * Whatever else follows ("1.0-5-gdeadbee") is above the bare version, digits in it as numbers. Text
 * without a version is below all versions. Returns <0, 0, >0.
 */
int version_compare(const char *a, const char *b);

/* For what scans names and versions: ASCII digits, letters and digits, and runs of them. */
static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_word(char c)
{
	return isalnum((unsigned char)c) != 0;
}

static inline const char *skip_digits(const char *text)
{
	while (is_digit(*text))
		text++;
	return text;
}

/* "1.2.3" */
static inline const char *skip_dotted(const char *text)
{
	text = skip_digits(text);
	while (text[0] == '.' && is_digit(text[1]))
		text = skip_digits(text + 1);
	return text;
}

/* Where the mark of an early release ends that stands here, with its separator; NULL: none. */
const char *version_mark_end(const char *text);
