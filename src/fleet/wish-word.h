/* SPDX-License-Identifier: MIT */
/* wish-word.h - what is said in the topic of a wish. Pure; src/doc/fleet/wish.json is its schema.
 */
#pragma once

#include "fleet/decide.h"
#include "fleet/desired.h"
#include "fleet/results.h"

struct wish_word {
	const char *gateway;
	const char *board;
	const struct desired_item *item;
	const struct decision *decision;
	const struct results *results; /* NULL: not known now */
	uint64_t n_bytes;	       /* of the image that are there */
};

/* One line of JSON, to be freed. 0 or -errno. */
int wish_word_make(const struct wish_word *word, char **ret);
