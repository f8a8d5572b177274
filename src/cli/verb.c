/* SPDX-License-Identifier: MIT */
/* verb.c - finding a verb by its name, or by what was nearly its name. */
#include "cli/cli.h"

#include <string.h>

#include "base/text.h"

/* A longer word is no slip of the fingers, and bounds the rows of the distance. */
#define TYPED_MAX 24
#define NEAR	  2

const struct verb *verb_find(const struct verb *table, size_t n_table, const char *name)
{
	for (size_t i = 0; i < n_table; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

const struct verb *verb_nearest(const struct verb *table, size_t n_table, const char *typed)
{
	const struct verb *nearest = NULL;
	size_t nearest_distance = NEAR + 1;
	size_t n_typed = strlen(typed);

	if (n_typed == 0 || n_typed > TYPED_MAX)
		return NULL;
	for (size_t i = 0; i < n_table; i++) {
		size_t letters = text_distance(table[i].name, typed);

		if (table[i].options & OPTIONS_HIDDEN)
			continue;
		if (n_typed >= 2 && strncmp(table[i].name, typed, n_typed) == 0)
			letters = 0;
		if (letters < nearest_distance) {
			nearest = &table[i];
			nearest_distance = letters;
		}
	}
	return nearest;
}
