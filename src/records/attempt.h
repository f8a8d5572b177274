/* SPDX-License-Identifier: MIT */
/*
 * attempt.h - one try to bring one unit to one image: plain data, nothing in it points anywhere.
 *
 * Life cycle. The service prepares it: board, policy, image and version, as the rule is when its
 * turn comes. attempt_begin() opens it. Its worker asks, and each answer leaves its note; tries
 * that end early only count as retries. At its end settle.h reads it and the report, and it is
 * closed. The same struct then serves the next attempt at this bridge: the rollback is carried over
 * into that, all else is set anew.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/report.h"
#include "image/rollout.h"
#include "records/batch.h"
#include "records/decide.h"
#include "records/store.h"
#include "records/trust.h"
#include "rules/config.h"
#include "rules/facts.h"
#include "rules/provision.h"

/* Work that an attempt does; only the first and the last of them write. */
enum attempt_operation {
	OPERATION_FLASH,    /* the unit gets the image of its rule, unless it holds that */
	OPERATION_VERIFY,   /* it is compared with that, and nothing is erased */
	OPERATION_PROBE,    /* its chip is asked what it is */
	OPERATION_IDENTIFY, /* its board shows a person which one it is */
	OPERATION_ROLLBACK, /* it gets the image that it held before */
	OPERATION_MAX,
};

/* "flash", "verify", "probe", "identify", "rollback". */
const char *attempt_operation_to_string(enum attempt_operation operation);

/* Whether its end may leave another image in the unit; the others are checks. */
bool attempt_operation_writes(enum attempt_operation operation);

/* Keys of its rule that an attempt keeps: a reload in the meantime is for the next one. */
struct attempt_policy {
	bool is_asked; /* somebody asked for it: it is tried although it failed before */
	enum board_update update;
	uint32_t quarantine_after;
	uint64_t again_after_usec;
	bool rollback;
	bool anti_rollback;
	char rule_mark[17]; /* another for every other text of the rule */
	char requires[64];
	/* The image is for this unit, and those that the span has; zeroed: for all. */
	struct rollout_unit chosen_for;
	struct rollout_span span;
	struct provision serialize;
	uint32_t serialize_limit;
	/* `auto`: its record says how far this way is trusted, and learns from the end. */
	bool learns[TRUST_WAY_MAX];
};

/* Notes that an attempt keeps from its questions to its end. */
struct attempt_note {
	enum cause cause;
	int64_t started_ms;	  /* of the wall clock */
	struct store_unit known;  /* the unit when it was decided what is done with it */
	bool is_marked;		  /* the erase was granted: `marked` is in progress from then on */
	struct store_unit marked; /* and so it stood before that */
	char erased_unit[25];	  /* its unique id when it was erased, "" not known, and chip */
	char erased_chip[96];
	uint64_t wait_usec; /* CAUSE_TOO_MANY: until it may be tried again */
	/* Of its end, for the entries that follow. */
	unsigned quarantined_after;	/* failures; 0: it put no unit into quarantine */
	unsigned drops;			/* updates in a row that the port broke off; 0: no news */
	bool turned_off[TRUST_WAY_MAX]; /* for its kind of chip, by this end */
	struct batch batch;		/* that ran, with this unit */
};

/* The image that a unit goes back to in place of the library's. Empty with ROLLBACK_NONE. */
struct rollback {
	enum rollback_state state;
	char key[STORE_KEY_MAX]; /* of the unit */
	char image[TEXT_MAX];	 /* its name, which may be another by now, and its version */
	char version[64];
	char sha256[DIGEST_HEX_SIZE];
	char failed[TEXT_MAX];	/* image that it goes back from */
	enum outcome failed_as; /* how the attempt with that one ended */
};

struct attempt {
	char id[33];		 /* "": none was begun yet */
	char unit[25];		 /* unique id of the chip that answered last, "" not known */
	char key[STORE_KEY_MAX]; /* of that unit in the store, "": none answered yet */
	enum attempt_operation operation;
	bool is_open;	       /* from the entry that it started to the entry of its outcome */
	uint64_t started_usec; /* of the monotonic clock, 0: none was begun yet */

	int64_t plug; /* tells one plug-in of its bridge from the next; 0: not known */

	char board[64];		   /* name of the rule */
	char slot[SLOT_NAME_SIZE]; /* name of the socket when it began, "" none */
	struct attempt_policy policy;
	char image[PATH_MAX]; /* name of the file, as it is in the directory; "": none */
	char version[64];     /* "": none is known */

	unsigned n_retries;
	struct report last;   /* of the try before, for an end between two tries */
	bool has_begun_erase; /* it was told that it may */
	bool is_cancelled;    /* somebody asked for its end: it is not tried again by itself */
	bool has_failed;      /* the one before this ended badly, and nobody asked for another */
	struct attempt_note note;
	struct rollback rollback;
};

/* Opens it to flash or to go back, with nothing noted yet; for a check the caller sets the
 * operation after that. A rollback that has not begun is over:
 * this attempt is none. */
void attempt_begin(struct attempt *attempt, const char *id);

/* A faster way that failed in a try before has failed in this attempt, whatever the try that this
 * report is of says. */
void attempt_carry_trials(const struct attempt *attempt, struct report *report);

/* Notes the end of a try that another one follows. */
void attempt_note_try(struct attempt *attempt, const struct report *report);

/* The only place that assigns the state of a rollback. ROLLBACK_NONE may follow each, and empties
 * it. */
void rollback_enter(struct rollback *rollback, enum rollback_state state);

/* Whether it is one that goes back. */
bool attempt_goes_back(const struct attempt *attempt);

/* Under which key the store has the unit that answered: of its chip where that says its id, else of
 * the bridge. */
void attempt_unit_key(
	const struct facts *facts, const struct report *report, char to[STORE_KEY_MAX]);

/* That of a chip which says its id: "stm32:0x414 " and the id. */
void attempt_chip_key(const struct report *report, const char *unit, char to[STORE_KEY_MAX]);

/* The key of whatever is behind the bridge, as long as it is not known by its chip. */
void attempt_bridge_key(const struct facts *facts, char to[STORE_KEY_MAX]);

/*
 * The attempt is about the unit that answered: its id and key are noted. One that goes back is
 * about the unit that is to, and the key of a twin stays that of the first bridge with its id.
 */
void attempt_note_unit(
	struct attempt *attempt, const struct facts *facts, const struct report *report);

/* The source of the values that its rule gives: its own numbers, or the file. */
void attempt_serial_source(const struct attempt *attempt, char to[STORE_SOURCE_MAX]);
