/* SPDX-License-Identifier: MIT */
/* verb.c - finding a verb by its name, or by what was nearly its name. */
#include "cli/cli.h"

#include <stdint.h>
#include <string.h>

#include "base/util.h"

/* A longer word is no slip of the fingers, and bounds the rows of the distance. */
#define TYPED_MAX 24
#define NEAR	  2

const struct verb *verb_find(const struct verb *verbs, size_t n_verbs, const char *name)
{
	for (size_t i = 0; i < n_verbs; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Letters to change, add or leave out to get from one word to the other. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[TYPED_MAX + 1];
	size_t n_b = strlen(b);

	for (unsigned j = 0; j <= n_b; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n_b; j++) {
			unsigned above = row[j];

			row[j] =
				least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n_b];
}

const struct verb *verb_nearest(const struct verb *verbs, size_t n_verbs, const char *typed)
{
	const struct verb *nearest = NULL;
	unsigned nearest_distance = NEAR + 1;
	size_t n_typed = strlen(typed);

	if (n_typed == 0 || n_typed > TYPED_MAX)
		return NULL;
	for (size_t i = 0; i < n_verbs; i++) {
		unsigned letters = distance(verbs[i].name, typed);

		if (n_typed >= 2 && strncmp(verbs[i].name, typed, n_typed) == 0)
			letters = 0;
		if (letters < nearest_distance) {
			nearest = &verbs[i];
			nearest_distance = letters;
		}
	}
	return nearest;
}
