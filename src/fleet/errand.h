/* SPDX-License-Identifier: MIT */
/* errand.h - what is done for the wish of one board, in one turn: look, decide, act. For wishes.c
 * only, which says when. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "fleet/decide.h"
#include "fleet/desired.h"
#include "fleet/download.h"
#include "fleet/facts.h"
#include "fleet/holds.h"
#include "fleet/shelf.h"

/* What all errands share. */
struct household {
	struct downloads *downloads;
	const char *trusted_keys; /* folder; NULL: that of the service */
	bool accepts_legacy;	  /* signatures */
	struct fleet_rollout limit;
	struct facts_asker *facts;
	struct desired desired;
	struct holds holds;
	struct shelf *shelf;
	struct errand *placing; /* whose image is being placed; NULL: none */
	/* A turn is due: soon, never within the call. */
	void (*want_turn)(void *userdata);
	/* shelf_fill() is to be called until it is done, then errand_placed(). */
	void (*want_steps)(void *userdata);
	void *userdata;
};

struct errand {
	struct household *house;
	char board[WISH_BOARD_MAX];
	struct download *download; /* NULL: nothing is fetched */
	struct reason trouble;	   /* of the last placing; "": none */
	int64_t again_s;	   /* it is not placed again before */
	struct decision decision;  /* the last */
	bool is_offering;	   /* the image of the wish, to the units of the decision */
	struct results results;
	bool has_results;
	uint64_t n_bytes; /* of the image that are there */
	char *told;	  /* wishes.c: the JSON; NULL: nothing yet */
};

/* NULL: no memory. */
struct errand *errand_new(struct household *house, const char *board);

/* A download ends, and what is being placed is given up; the folder stays as it is. */
struct errand *errand_free(struct errand *errand);

/*
 * One turn, with what is desired now. `namesake` is the board whose wish has the same file, NULL:
 * none. Decision, results and n_bytes are those of this turn then. An image that is not offered is
 * left as it is: tidy.h withdraws it.
 */
void errand_turn(struct errand *errand, const struct desired_item *item, const char *namesake);

/* The placing ended: shelf_fill()'s result, with its reason. */
void errand_placed(struct errand *errand, int result, const struct reason *reason);
