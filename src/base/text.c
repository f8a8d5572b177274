/* SPDX-License-Identifier: MIT */
/*
 * text.c - UTF-8 checked by hand, so that what is shown does not depend on the locale.
 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/*
 * The bytes of the first character, 0 when they are not well-formed: lead bytes, ranges of the
 * second byte and the surrogate gap are those of the Unicode standard, table 3-7.
 */
static size_t utf8_first(const unsigned char *text, size_t n, uint32_t *ret)
{
	static const struct {
		unsigned char first, last, low, high;
		size_t n_bytes;
	} forms[] = {
		{0x00, 0x7F, 0x00, 0x00, 1},
		{0xC2, 0xDF, 0x80, 0xBF, 2},
		{0xE0, 0xE0, 0xA0, 0xBF, 3},
		{0xE1, 0xEC, 0x80, 0xBF, 3},
		{0xED, 0xED, 0x80, 0x9F, 3},
		{0xEE, 0xEF, 0x80, 0xBF, 3},
		{0xF0, 0xF0, 0x90, 0xBF, 4},
		{0xF1, 0xF3, 0x80, 0xBF, 4},
		{0xF4, 0xF4, 0x80, 0x8F, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t n_bytes = forms[i].n_bytes;
		uint32_t c;

		if (text[0] < forms[i].first || text[0] > forms[i].last)
			continue;
		if (n_bytes > n)
			return 0;
		c = n_bytes == 1 ? text[0] : text[0] & (0x7Fu >> n_bytes);
		for (size_t k = 1; k < n_bytes; k++) {
			unsigned char low = k == 1 ? forms[i].low : 0x80;
			unsigned char high = k == 1 ? forms[i].high : 0xBF;

			if (text[k] < low || text[k] > high)
				return 0;
			c = c << 6 | (text[k] & 0x3Fu);
		}
		*ret = c;
		return n_bytes;
	}
	return 0;
}

/* The place where the text is shown; it decides which characters would be misread there. */
enum place {
	PLACE_QUOTED,	  /* between quotes of ours */
	PLACE_CELL,	  /* alone: of what was escaped, no backslash may be the text's own */
	PLACE_IDENTIFIER, /* it tells one thing from another */
	PLACE_SENTENCE,	  /* made of what was escaped already */
};

/*
 * A list of what is allowed, since the list of what misleads has no end. Not on it, and escaped:
 * invisible characters (fillers, zero width, tags, blanks of other widths, variation selectors),
 * those that join the character before (combining marks, skin tones), letters written from right
 * to left, which reorder the line, look-alikes of ASCII (Greek, Cyrillic, full width, mathematical
 * letters, the ligatures of U+0132), and characters that no font has.
 */
static bool is_plain(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} plain[] = {
		{0x0020, 0x007E},
		{0x00C0, 0x00D6}, /* Latin-1's letters, without the signs of multiplication ... */
		{0x00D8, 0x00F6}, /* ... and of division */
		{0x00F8, 0x010F},
		{0x0111, 0x0130}, /* U+0110 looks like U+00D0 */
		{0x0134, 0x0137},
		{0x0139, 0x013E},
		{0x0141, 0x0148},
		{0x014A, 0x017E},
		{0x3041, 0x3096}, /* Hiragana and Katakana */
		{0x30A1, 0x30FA},
		{0x4E00, 0x9FFC}, /* CJK ideographs as of Unicode 13 */
		{0xAC00, 0xD7A3}, /* Hangul syllables */
		{0x1F300, 0x1F3FA},
		{0x1F400, 0x1F64F},
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (c >= plain[i].first && c <= plain[i].last)
			return true;
	return false;
}

/* A blank at either end, or behind another blank, cannot be seen. */
static bool is_hidden_blank(const unsigned char *text, size_t n, bool is_first)
{
	return text[0] == ' ' && (is_first || n == 1 || text[1] == ' ');
}

static bool must_escape(
	const unsigned char *text, size_t n, uint32_t c, enum place place, bool is_first)
{
	if (!is_plain(c))
		return true;
	switch (place) {
	case PLACE_QUOTED:
		return c == '\\' || c == '\'' || c == '"';
	case PLACE_CELL:
		return c == '\\';
	case PLACE_IDENTIFIER:
		return c == '\\' || c == '\'' || c == '"' || c > 0x7E ||
		       is_hidden_blank(text, n, is_first);
	case PLACE_SENTENCE:
		return false;
	}
	return true;
}

/* One character as it is to be shown; returns the bytes taken from `from`. */
static size_t escape_first(const unsigned char *from, size_t n, enum place place, bool is_first,
	char to[20], size_t *ret_n)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t c = 0;
	size_t n_bytes = utf8_first(from, n, &c);

	if (n_bytes > 0 && !must_escape(from, n, c, place, is_first)) {
		memcpy(to, from, n_bytes);
		*ret_n = n_bytes;
		return n_bytes;
	}
	if (n_bytes == 0)
		n_bytes = 1;
	for (size_t i = 0; i < n_bytes; i++) {
		to[4 * i] = '\\';
		to[4 * i + 1] = 'x';
		to[4 * i + 2] = digits[from[i] >> 4];
		to[4 * i + 3] = digits[from[i] & 0xF];
	}
	*ret_n = 4 * n_bytes;
	return n_bytes;
}

static char *escape(const char *from, enum place place, char *to, size_t size)
{
	const unsigned char *begin = (const unsigned char *)(from ? from : ""), *at = begin;
	size_t n = strlen((const char *)at);
	size_t n_to = 0;
	size_t cut = 0; /* the last place with room for "..." behind it */

	if (size == 0)
		return to;
	while (n > 0) {
		char shown[20];
		size_t n_shown;
		size_t taken = escape_first(at, n, place, at == begin, shown, &n_shown);

		if (n_to + 3 < size)
			cut = n_to;
		if (n_to + n_shown >= size) {
			n_to = cut;
			for (size_t i = 0; i < 3 && n_to + 1 < size; i++)
				to[n_to++] = '.';
			break;
		}
		memcpy(to + n_to, shown, n_shown);
		n_to += n_shown;
		at += taken;
		n -= taken;
	}
	to[n_to] = '\0';
	return to;
}

char *text_escape(const char *from, char *to, size_t size)
{
	return escape(from, PLACE_QUOTED, to, size);
}

char *text_show(const char *from, char *to, size_t size)
{
	return escape(from, PLACE_SENTENCE, to, size);
}

char *text_cell(const char *from, char *to, size_t size)
{
	return escape(from, PLACE_CELL, to, size);
}

char *text_identifier(const char *from, char *to, size_t size)
{
	return escape(from, PLACE_IDENTIFIER, to, size);
}

size_t text_plain_first(const char *text)
{
	uint32_t c;
	size_t n = utf8_first((const unsigned char *)text, strnlen(text, 4), &c);

	return n > 0 && is_plain(c) ? n : 0;
}

bool text_is_utf8(const char *text, size_t n)
{
	const unsigned char *at = (const unsigned char *)text;

	while (n > 0) {
		uint32_t c = *at;
		size_t n_bytes = c < 0x80 ? 1 : utf8_first(at, n, &c);

		if (n_bytes == 0 || c == 0)
			return false;
		at += n_bytes;
		n -= n_bytes;
	}
	return true;
}

#define LONGEST_WORD 32

static bool is_same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST_WORD + 1], n_a = strlen(a), n_b = strlen(b);

	if (n_a > LONGEST_WORD || n_b > LONGEST_WORD)
		return TEXT_FAR;
	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			row[j] = above[j - 1] + !is_same_letter(a[i - 1], b[j - 1]);
			row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && is_same_letter(a[i - 1], b[j - 2]) &&
				is_same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[n_a % 3][n_b];
}

bool text_ends_with(const char *text, const char *ending)
{
	size_t n = strlen(text), n_ending = strlen(ending);

	return n >= n_ending && strcmp(text + n - n_ending, ending) == 0;
}

int text_duplicate(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

int text_format(char **ret, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(ret, format, arguments);
	va_end(arguments);
	if (n < 0)
		*ret = NULL;
	return n < 0 ? -ENOMEM : 0;
}

void reason_set(struct reason *reason, const char *format, ...)
{
	struct reason made; /* the old sentence may be one of the arguments */
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(made.text, sizeof(made.text), format, arguments);
	va_end(arguments);
	if (n < 0)
		made.text[0] = '\0';
	if (n >= (int)sizeof(made.text)) {
		size_t cut = sizeof(made.text) - sizeof("...");

		while (cut > 0 && ((unsigned char)made.text[cut] & 0xC0) == 0x80)
			cut--;
		memcpy(made.text + cut, "...", sizeof("..."));
	}
	*reason = made;
}

void text_copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}
