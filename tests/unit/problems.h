/* SPDX-License-Identifier: MIT */
/*
 * problems.h - problems as text, to be compared with what people shall read. Include after
 * cmocka.h.
 */
#pragma once

#include <string.h>

#include "base/ini.h"

/* One problem a line; `prefix`, where given, is taken off the begin of each. */
static inline char *dump_problems(const struct ini_problems *problems, const char *prefix)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	assert_non_null(to);
	for (size_t i = 0; i < problems->n_items; i++) {
		char line[1024];
		const char *from = ini_problem_format(&problems->items[i], line, sizeof(line));

		if (prefix && strncmp(from, prefix, strlen(prefix)) == 0)
			from += strlen(prefix);
		fprintf(to, "%s\n", from);
	}
	assert_int_equal(fclose(to), 0);
	return text;
}
