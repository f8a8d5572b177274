/* SPDX-License-Identifier: MIT */
/*
 * text.h - text that came from outside (USB descriptors, file names, the chip, a configuration)
 * made fit to be shown, and the one sentence that explains a failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

/*
 * One sentence for the person who must act: the device or file, what was expected and what was
 * seen, and what to try. A longer one is cut and ends in "...".
 */
struct reason {
	char text[400];
};

static inline bool text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Whether the text ends in the ending, or is it. */
bool text_ends_with(const char *text, const char *ending);

/* A copy in `*ret`, or NULL for NULL. 0 or -ENOMEM. */
int text_duplicate(const char *from, char **ret);

/* The same as asprintf(), but `*ret` is NULL where there is no memory. 0 or -ENOMEM. */
int text_format(char **ret, const char *format, ...) PRINTF_LIKE(2, 3);

/* Replaces the sentence. Outside text must be an argument, never the format. */
void reason_set(struct reason *reason, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same as the last step of a function, which returns `result`. */
#define reason_refuse(result, reason, ...) (reason_set(reason, __VA_ARGS__), (result))

/*
 * Writes `from` into `to`, at most `size` bytes with the NUL, for a place between quotes. Quotes,
 * backslashes, bytes that are not UTF-8, and characters that are invisible or look like another
 * become \xNN, byte by byte. A text that is too long is cut at a whole character and ends in "...".
 * NULL is written as "". Returns `to`, so that the call can be an argument.
 */
char *text_escape(const char *from, char *to, size_t size);

/* The same for a cell of a table, where no quotes are around it: quotes stay. */
char *text_cell(const char *from, char *to, size_t size);

/*
 * The same for a name that tells one thing from another, such as a serial number: two that differ
 * never look the same. Only ASCII stays, and no blank at an end or beside another.
 */
char *text_identifier(const char *from, char *to, size_t size);

/*
 * The same for a whole sentence of ours, or what was escaped already: quotes and backslashes stay.
 */
char *text_show(const char *from, char *to, size_t size);

/* Bytes of the first character if each of these leaves it as it is (but for quotes and such), else
 * 0. */
size_t text_plain_first(const char *text);

/*
 * How many letters of ASCII, in any case, are to be put in, left out, changed or swapped with the
 * next to make the one word of the other; TEXT_FAR where either is too long for a slip of the
 * finger.
 */
size_t text_distance(const char *a, const char *b);
#define TEXT_FAR 1000

/* Copies the text, cut to the room there is; NULL as "". */
void text_copy(char *to, size_t size, const char *from);

/* Whether the `n` bytes are well-formed UTF-8 (no surrogates, no overlong forms) without NUL. */
bool text_is_utf8(const char *text, size_t n);

/* Room for a name from outside once it is escaped: 126 UTF-16 units of a USB string, and \xNN. */
#define TEXT_MAX 256

/* Room for all of it: each unit may be three bytes of UTF-8, and each byte be escaped. */
#define TEXT_ESCAPED_MAX (126 * 3 * 4 + 1)

/* Room for a SHA-256 in hexadecimal. */
#define DIGEST_HEX_SIZE 65

/* Bytes that one unit may have for itself, and room for them as they are shown (rules/provision.h).
 */
#define PROVISION_MOST	    64
#define PROVISION_SHOWN_MAX (2 * PROVISION_MOST + 3)
