/* SPDX-License-Identifier: MIT */
/*
 * pattern.c - counts the parts of a pattern before the C library sees it.
 *
 * The library copies what is repeated (glibc's regcomp.c, parse_dup_op): X{2,5} becomes five copies
 * of X, X+ two, and repetitions inside X are copied each time. Back references make matching take
 * exponential time (regex(7) says so of all implementations).
 */
#include "rules/pattern.h"

#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 16 /* of groups */

static const char not_a_pattern[] = "an extended regular expression, like 'version [0-9.]+'";

struct reader {
	const char *at;
	unsigned depth;
	const char *fault; /* of the first thing that may not be, or NULL */
};

/*
 * Escapes of other dialects, such as \\d for a digit or \\r for a line end, which the C library
 * takes for the letter alone, or inside a set for a backslash and a letter.
 */
static const char not_here[] =
	"a pattern without \\d, \\n and the like, which are letters here: [0-9] is a digit, [[:space:]] a blank or an end of line";

static unsigned count_alternatives(struct reader *reader);

static void find_fault(struct reader *reader, const char *fault)
{
	if (!reader->fault)
		reader->fault = fault;
}

/* Goes behind "[...]": a "]" that comes first is one of the set, and so is one in "[:...:]". */
static void skip_set(struct reader *reader)
{
	const char *at = reader->at + 1;

	at += *at == '^';
	at += *at == ']';
	while (*at && *at != ']') {
		if (at[0] == '[' && (at[1] == ':' || at[1] == '.' || at[1] == '=')) {
			const char end[] = {at[1], ']', '\0'};
			const char *found = strstr(at + 2, end);

			at = found ? found + 1 : at;
		} else if (at[0] == '\\' && at[-1] != '\\' && strchr("dDwWsSnrt", at[1])) {
			find_fault(reader, not_here);
		}
		at++;
	}
	reader->at = *at ? at + 1 : at;
}

static unsigned count_group(struct reader *reader)
{
	unsigned n;

	if (++reader->depth > DEPTH_MOST)
		find_fault(reader, "a pattern with groups at most 16 deep");
	reader->at++;
	n = reader->fault ? 0 : count_alternatives(reader);
	reader->at += *reader->at == ')';
	reader->depth--;
	return n + 1;
}

/* One thing that may be repeated, and how many parts it has. */
static unsigned count_atom(struct reader *reader)
{
	switch (*reader->at) {
	case '(':
		return count_group(reader);
	case '[':
		skip_set(reader);
		return 1;
	case '\\':
		if (isdigit((unsigned char)reader->at[1]))
			find_fault(reader, "a pattern without back references, like \\1");
		else if (isalpha((unsigned char)reader->at[1]) && !strchr("wWsSbB", reader->at[1]))
			find_fault(reader, not_here);
		reader->at += reader->at[1] ? 2 : 1;
		return 1;
	}
	reader->at++;
	return 1;
}

static bool is_repetition(char c)
{
	return c != '\0' && strchr("*+?{", c) != NULL;
}

/* "{2}", "{2,}", "{2,5}": the larger number, one more where there is no end. */
static unsigned take_count(struct reader *reader)
{
	char *end;
	unsigned long least = strtoul(reader->at + 1, &end, 10), most = least;

	if (*end == ',') {
		most = strtoul(end + 1, &end, 10);
		most = most > least ? most : least + 1;
	}
	/* No number, or no end: the C library takes it for letters, or refuses it. */
	if (*end != '}') {
		reader->at++;
		return 1;
	}
	reader->at = end + 1;
	return most > PATTERN_PARTS ? PATTERN_PARTS + 1 : most > 0 ? (unsigned)most : 1;
}

/* Never above the square of the bound: that is met first. */
static unsigned count_piece(struct reader *reader)
{
	unsigned n = count_atom(reader);

	if (!is_repetition(*reader->at) || reader->fault)
		return n;
	if (*reader->at == '{')
		n *= take_count(reader);
	else
		n *= *reader->at++ == '+' ? 2 : 1;
	if (is_repetition(*reader->at))
		find_fault(reader, "a pattern without a repetition right behind another, like a++");
	return n + 1;
}

static unsigned count_alternatives(struct reader *reader)
{
	unsigned n = 0;

	while (*reader->at && !reader->fault && (*reader->at != ')' || reader->depth == 0)) {
		n += count_piece(reader);
		if (n > PATTERN_PARTS)
			find_fault(reader,
				"a pattern with less repetition: written out it has more than 500 parts");
	}
	return n;
}

const char *pattern_fault(const char *text)
{
	struct reader reader = {.at = text};
	regex_t compiled;

	if (strlen(text) > PATTERN_BYTES)
		return "a pattern of at most 255 bytes";
	(void)count_alternatives(&reader);
	if (reader.fault)
		return reader.fault;
	if (!text[0] || regcomp(&compiled, text, REG_EXTENDED) != 0)
		return not_a_pattern;
	regfree(&compiled);
	return NULL;
}
