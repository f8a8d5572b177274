/* SPDX-License-Identifier: MIT */
/*
 * provision-file.h - the file that `serialize` takes values from: one a line, in its first column.
 *
 * A value is in a unit for life, so a file is read whole before one of it is given, and refused
 * with its line where it can be understood in two ways. Fields may be quoted as RFC 4180 says.
 */
#pragma once

#include <stddef.h>

#include "base/text.h"
#include "rules/provision.h"

/* A hundred thousand lines of 40 characters; longer lists belong into several rules. */
#define SERIAL_FILE_BYTES  (4 * 1024 * 1024)
#define SERIAL_FILE_VALUES 100000

struct provision_line {
	const char *value; /* in the text */
	unsigned line;	   /* from 1 */
};

struct provision_file {
	char *text;
	struct provision_line *lines; /* in the order of the file */
	size_t n_lines;
};

/*
 * Reads the file of the key, all of it. Empty lines, lines of nothing but separators and lines that
 * begin with # are no values; a byte order mark of UTF-8 is passed over. -EINVAL with the reason
 * ("FILE:LINE: ..."): the file cannot be read, is too large or no text, a value is
 * none of the key's form or does not fit its place, stands twice, or cannot be told from what is
 * around it. -ENOMEM.
 */
int provision_file_load(
	const struct provision *serialize, struct provision_file *ret, struct reason *reason);

/* The same from memory. Takes `text`, which has a NUL behind its `n_text` bytes. */
int provision_file_parse(const struct provision *serialize, char *text, size_t n_text,
	struct provision_file *ret, struct reason *reason);

void provision_file_done(struct provision_file *file);

/* Whether two values are the same bytes in the flash. As strcmp(). */
int provision_file_compare(const struct provision *serialize, const char *a, const char *b);
