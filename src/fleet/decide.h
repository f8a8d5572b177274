/* SPDX-License-Identifier: MIT */
/*
 * decide.h - what this gateway makes of a wish at a moment: which state it is in, what is done
 * next, what is said, and when to look again. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fleet/board.h"
#include "fleet/seal.h"
#include "fleet/wish.h"
#include "image/rollout.h"

/* A disk that is full, or cannot be read now: it is tried again. */
#define RETRY_S 300

/* A key that is missing, a file that stands in the way: a person mends that, and tells nobody. */
#define MENDED_S 600

/* September 2020: a clock that shows an earlier time was never set. */
#define CLOCK_LEAST INT64_C(1600000000)

/* The word in the topic of the wish. */
enum wish_state {
	WISH_STATE_REFUSED,  /* it cannot be had as it is: the reason says what to change */
	WISH_STATE_WAITING,  /* for the service, a clock that is set, or the disk */
	WISH_STATE_FETCHING, /* the image comes, or waits for another try */
	WISH_STATE_READY,    /* the image lies there, and no unit is to get it yet */
	WISH_STATE_OFFERED,  /* the units of its percent get it, each at its next turn */
	WISH_STATE_PAUSED,   /* by its owner, or by the command */
	WISH_STATE_HALTED,   /* by this gateway: too many units failed with it */
	WISH_STATE_MAX,
};

/* "refused", "waiting", ... */
const char *wish_state_to_string(enum wish_state state);

/* Why no further unit gets an image. */
enum hold {
	HOLD_NONE,
	HOLD_FAILURES, /* this gateway saw too many */
	HOLD_COMMAND,  /* the command `pause` */
};

enum supply {
	SUPPLY_NONE,	/* nobody fetches it */
	SUPPLY_COMING,	/* a download is under way, or waits */
	SUPPLY_THERE,	/* all bytes are there, not yet in the folder of images */
	SUPPLY_PLACED,	/* it lies in the folder of images, whole, with manifest and signature */
	SUPPLY_UNKNOWN, /* the folder of images cannot be looked at now: `why` */
	SUPPLY_BLOCKED, /* a file of that folder stands in the way: `why` */
	SUPPLY_REFUSED, /* it will never come: `why` */
};

struct decide_input {
	const struct wish *wish;
	const struct board_facts *board; /* as told last; NULL: there is no such rule */
	enum facts_age facts;
	const char *facts_why; /* they are not fresh */
	enum seal_result seal;
	const char *seal_why; /* unless SEAL_OK */
	const char *namesake; /* board whose wish names the same file; NULL: none */
	enum supply supply;
	const char *why;	 /* of supply; "" */
	struct rollout standing; /* beside the image that is PLACED */
	enum hold hold;
	const char *hold_why;
	int64_t now_s; /* of the wall clock */
};

struct decision {
	enum wish_state state;
	struct reason reason;	/* "": the state says it all */
	bool is_wanted;		/* the bytes are to be fetched, and placed when they are there */
	bool waits_for_rules;	/* the reason is no other than facts that are not fresh */
	struct rollout rollout; /* what stands beside the image */
	int64_t again_s;	/* when the answer may be another by time alone; INT64_MAX: never */
};

void decide_wish(const struct decide_input *input, struct decision *ret);

/* Whether the image of the wish, in the fleet's folder, fits the glob of the rule. */
bool decide_fits_rule(const struct board_facts *board, const char *image);

/* Where images of the network lie below the image directory. */
#define FLEET_FOLDER "fleet"
