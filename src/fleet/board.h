/* SPDX-License-Identifier: MIT */
/*
 * board.h - what the service says of its rules (ListBoards) and of its units (ListUnits), as far as
 * a wish depends on it. Plain data out of the dicts of the bus.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dict.h"
#include "base/outcome.h"
#include "base/text.h"
#include "fleet/wish.h"

/* One rule. */
struct board_facts {
	char board[WISH_BOARD_MAX];
	char image[TEXT_MAX];	      /* the rule's glob, below the image directory */
	char floor[VERSION_NAME_MAX]; /* "": none */
	bool requires_signature;
	char trusted_keys[TEXT_MAX]; /* folder; "": none */
	bool is_cut;		     /* a text of it has no room here, and is "" */
};

/* How well is known what the service has told to this process. */
enum facts_age {
	FACTS_NONE,	/* nothing yet */
	FACTS_OLD,	/* all, and it is away since, or begins again */
	FACTS_OUTDATED, /* all, and something happened since */
	FACTS_FRESH,
};

struct board_list {
	struct board_facts *items;
	size_t n_items;
};

/* One unit that the service knows. */
struct unit_facts {
	char board[WISH_BOARD_MAX];
	unsigned share; /* rollout.h */
	bool has_id;	/* of its chip */
	bool is_shadow; /* what is on record of its place, and is known by its id since then */
	uint32_t place; /* in the USB tree: a sum of it, 0 not known */
	bool is_whole;	/* it holds the next */
	char sha256[DIGEST_HEX_SIZE];	       /* "" not known */
	char previous_sha256[DIGEST_HEX_SIZE]; /* what it goes back to */
	char failed_sha256[DIGEST_HEX_SIZE];   /* with which it failed at last; "": it did not */
	enum outcome failed_with;
};

struct unit_list {
	struct unit_facts *items;
	size_t n_items;
};

/*
 * Both add the rows of an answer of the bus; a row whose board is missing, too long or of another
 * kind is left out. 0, or -ENOMEM with a part of them added.
 */
int board_list_add(struct board_list *list, const struct dict *rows, size_t n_rows);
void board_list_done(struct board_list *list);
int unit_list_add(struct unit_list *list, const struct dict *rows, size_t n_rows);
void unit_list_done(struct unit_list *list);

/* The rule of that name, or NULL. */
const struct board_facts *board_find(const struct board_list *list, const char *board);
