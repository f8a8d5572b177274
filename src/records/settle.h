/* SPDX-License-Identifier: MIT */
/*
 * settle.h - what an attempt leaves behind: the rows of the store, and what happens next. Pure: the
 * service looks the rows up, writes what comes out in one commit, and does the rest.
 *
 * Two moments change what is kept of a unit. From the grant of its erase on it is in progress:
 * settle_erase(), whose rows are on the disk before the worker hears of the grant. At the end of
 * the attempt settle() says what it is now. A kill between the two leaves it in progress, and it is
 * written again whatever it holds.
 */
#pragma once

#include "records/attempt.h"
#include "rules/facts.h"

/* The row of an attempt that has not ended. */
void settle_attempt_row(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_attempt *ret);

/* The rows that are on the disk before the unit that was looked up as `unit` is erased:
 * the unit in progress, and the attempt. */
void settle_erase(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, const struct store_unit *unit, int64_t now_ms,
	struct store_rows *ret);

/*
 * The report as it is believed and told. The end of an attempt that erased a unit is about that
 * unit, whatever answered later: its id, and a word that does not say that the unit was left alone,
 * or is not to be tried again. The reason of a rollback that is done is why it was made.
 */
void settle_report(const struct attempt *attempt, struct report *report);

/* The unit that the end is about, by that report. */
void settle_key(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, char to[STORE_KEY_MAX]);

struct settle_input {
	const struct attempt *attempt;
	const struct facts *facts;
	const struct report *report; /* of settle_report() */
	struct store_unit unit;	     /* under settle_key(), empty but for its key where unknown */
	struct store_unit bridge;    /* under attempt_bridge_key(), the same */
	const struct store_serial *serial; /* value that the unit was given, NULL: none */
	/* Under trust_row() of the report, empty but for kind and name where nobody knows it; all
	 * empty where the rule does not learn, or the report is of no kind. */
	struct store_trust trusts[TRUST_WAY_MAX];
	bool has_store; /* else the rows are unknown, and not new */
	int64_t now_ms; /* of the wall clock */
};

struct settled {
	struct store_rows rows;	    /* for one commit */
	uint64_t again_usec;	    /* until the service tries the unit by itself; 0: it does not */
	struct rollback rollback;   /* of the attempt from now on */
	unsigned quarantined_after; /* failures; 0: its end put no unit into quarantine */
	unsigned drops;		    /* updates in a row that its port broke off; 0: no news */
	bool turned_off[TRUST_WAY_MAX]; /* now, and not before */
};

void settle(const struct settle_input *input, struct settled *ret);

/*
 * There is no image that the unit could go back to: that counts as tried, in the row that was
 * looked up under the rollback's key. Whether the unit is in quarantine from now on.
 */
bool settle_no_rollback(struct attempt *attempt, struct store_unit *unit);

/* Whether the unit was read back whole before its port went: then it is neither torn nor a drop. */
bool settle_was_verified(const struct attempt *attempt, const struct report *report);

/*
 * Somebody else changes what the unit holds: where it is on record as whole, nobody knows any more
 * what it holds. Whether that changes the row; one that is torn stays so, and is written.
 */
bool settle_distrust(struct store_unit *unit);

/* Whether an attempt that ended so counts towards the quarantine: the unit may be the cause. */
bool settle_is_failure(const struct report *report);

/*
 * Whether a unit that was written, and whose attempt ended so, goes back to the image before: once
 * for an image and a rule, and only from one that does not start or does not confirm.
 */
bool settle_goes_back(const struct store_unit *unit, const struct report *report);

/*
 * How long the service waits before it tries a unit again by itself that has failed so many times,
 * `first_usec` after the first and twice as long each time; 0: it does not.
 */
uint64_t settle_again_usec(const struct report *report, uint32_t failures,
	uint32_t quarantine_after, uint64_t first_usec);

/*
 * The rest of the time that the unit was to wait which was seen last behind a bridge, by the rule
 * as it is now, `rule_mark` its mark and `image` the file's name; 0: nothing, or it failed under
 * another rule, or was to get another image.
 */
uint64_t settle_rest_usec(const struct store_unit *unit, const struct board *board,
	const char *rule_mark, const char *image, int64_t now_ms);
