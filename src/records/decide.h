/* SPDX-License-Identifier: MIT */
/*
 * decide.h - what is done with a unit, by what is remembered of it, the image and the rule. Pure.
 */
#pragma once

#include "flash/question.h"
#include "records/store.h"
#include "rules/config.h"

/* Why a unit was written, read or left alone: a word that the store keeps with the attempt. */
enum cause {
	CAUSE_NONE,
	CAUSE_UNKNOWN,	   /* nothing is remembered of it */
	CAUSE_SAME,	   /* it holds this image by what is remembered */
	CAUSE_DIFFERENT,   /* it holds another */
	CAUSE_NEWER,	   /* the image is newer than what it holds */
	CAUSE_NOT_NEWER,   /* it is not, and the rule takes newer ones only */
	CAUSE_TOO_OLD,	   /* the image cannot be put on what it holds */
	CAUSE_ALWAYS,	   /* the rule says so */
	CAUSE_PROTECTED,   /* it cannot be read, and is not known to have been protected here */
	CAUSE_NO_DATA,	   /* it has none of its own yet, and the rule wants that it has */
	CAUSE_NONE_LEFT,   /* and there is none that it could be given */
	CAUSE_TORN,	   /* its last update was not finished */
	CAUSE_QUARANTINED, /* it failed too often with this image and rule, or went back from it */
	CAUSE_DROPS,	   /* its port went in the middle of each update, and it waits */
	CAUSE_TWIN,	   /* another bridge that is plugged in has a chip of the same id */
	CAUSE_TOO_MANY,	   /* more units want a value of their own than people can plug in */
	CAUSE_BELOW_FLOOR, /* the image's version is below the board's floor */
	CAUSE_ROLLBACK,	   /* it goes back to what it held before */
	CAUSE_MAX,
};

const char *cause_to_string(enum cause cause);

struct decide_input {
	const struct store_unit *unit; /* NULL: nothing is remembered */
	bool is_identified;	       /* by its chip, not by the bridge it is behind */
	bool is_protected;	       /* its flash cannot be read */
	bool lacks_data;	       /* of its own, which the rule wants */
	bool is_asked;		       /* somebody asked for this attempt: see decide.c */
	const char *image;	       /* name of the file */
	const char *version;
	const char *sha256;
	const char *requires; /* lowest version it may be put on, NULL or "": any */
	const char *rule;     /* digest of the rule */
	enum board_update update;
	uint32_t quarantine_after; /* 0: never */
	uint64_t again_after_usec;
	int64_t now_ms; /* of the wall clock */
};

/* The answer to QUESTION_DECIDE, with outcome and reason where the unit is left alone. */
enum cause decide(const struct decide_input *input, struct answer *ret);

/*
 * Leaves the unit alone where it has failed too often with this image and rule, or has gone back
 * from it under this rule: the answer says so then. Returns whether it did. What somebody asked for
 * is tried all the same, unless something is to be corrected first.
 */
bool decide_quarantine(const struct decide_input *input, struct answer *ret);

/* Whether this -errno, or errno, says that the host is short of something, for a moment as it may
 * be. */
bool decide_is_shortage(int error);

/* A wait that is `first_usec` after the first of so many times, and twice as long after each other,
 * up to an hour: a unit that is torn is not left so for longer. */
uint64_t decide_grow_usec(uint64_t first_usec, uint32_t n_times);

/*
 * How long a unit is left alone whose port went in so many updates, one after the other; 0: it is
 * not. `first_usec` is the time of the rule, 0: none. It holds nothing that runs: there is no end
 * to the attempts.
 */
uint64_t decide_drops_usec(uint32_t drops, uint64_t first_usec);

/* The rest of the time that the unit waits for, by a clock that may have been set: `most_usec`
 * at most. */
uint64_t decide_rest_usec(const struct store_unit *unit, int64_t now_ms, uint64_t most_usec);
