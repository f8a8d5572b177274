/* SPDX-License-Identifier: MIT */
/*
 * holds.h - why this gateway gives the image of a wish to no further unit, whatever the wish says:
 * units failed with it, or somebody gave the command. It lasts over restarts, until there is
 * another image, the command `resume`, or a wish that was paused and is not any more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "fleet/decide.h"
#include "fleet/results.h"
#include "fleet/wish.h"

/* Boards whose image is held, or was: the list of them stays below what is read again. */
#define HOLDS_MOST 256

struct hold_record {
	char board[WISH_BOARD_MAX];
	char sha256[DIGEST_HEX_SIZE]; /* of the image that it is about */
	enum hold hold;
	struct reason why;
	unsigned n_tolerated;  /* failures that were known when it went on */
	bool is_owner_looking; /* the wish is, or was, paused since then */
};

struct holds {
	int state; /* the open directory, borrowed */
	struct hold_record *items;
	size_t n_items;
};

/* Reads what was kept; what cannot be understood is left out. 0 or -errno. */
int holds_read(struct holds *holds, int state);
void holds_done(struct holds *holds);

/* Why an image is given to nobody where there is no record of its board. */
#define HOLDS_FULL "this gateway holds the images of too many boards: 'resume' lets one go on"

/*
 * The record of the board, made where there is none; until the next call, which may make another
 * board's of it where it holds nothing. NULL: no memory, or HOLDS_MOST boards are held. Then
 * nothing is known of this one, and its image is given to nobody.
 */
struct hold_record *holds_get(struct holds *holds, const char *board);

/*
 * What follows from wish and results (NULL: not known now). Pure; true: the record is another, and
 * is to be kept.
 */
bool hold_review(struct hold_record *record, const struct wish *wish, const struct results *results,
	const struct fleet_rollout *limit);

/* The commands. True: the record is another. */
bool hold_pause(struct hold_record *record);
bool hold_resume(struct hold_record *record, const struct results *results);

/* Keeps all that say something. 0 or -errno. */
int holds_keep(const struct holds *holds);
