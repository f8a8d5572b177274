/* SPDX-License-Identifier: MIT */
/*
 * decide.c - what is done with a unit, in the order of the reasons:
 *
 *   1. It failed too often with this image and rule, or went back from it: it is left alone.
 *   2. Its last update was not finished: it is written, or waits if its port keeps going.
 *   3. Its content is known, unknown, or protected: it is compared, written or left.
 *   4. It lacks data of its own that the rule wants: then it is not current, and is written.
 *
 * A quarantine ends a loop: the service is not to wear out a bad unit by itself. A person who asks
 * for this unit to be flashed is no loop. He sees it, may have mended it, and waits for the end: so
 * that attempt is made, as `plugflash retry` would have it made, and as a flash without the service
 * always was. But only that one: the failures stay on record, and where it fails as well, the unit
 * is left alone as before, while `retry` begins the count anew. One reason stands against
 * everybody: pages that are not as the chip table has them. Each attempt erases one page more of
 * what the image does not touch, until the table is corrected.
 */
#include "records/decide.h"

#include <errno.h>
#include <string.h>

#include "image/version.h"

/* However long it takes, a unit that is torn is not left so for longer than this. */
#define AGAIN_MOST_USEC (3600 * USEC_PER_SEC)

/* A person who pulls the cable in mid-update three times wants the unit repaired the fourth. */
#define DROPS_TOLERATED	 3
#define DROPS_FIRST_USEC (60 * USEC_PER_SEC)

/* Two clocks are no reason to wait once more. */
#define REST_LEAST_USEC USEC_PER_SEC

static const char *const causes[CAUSE_MAX] = {
	[CAUSE_NONE] = "",
	[CAUSE_UNKNOWN] = "unknown",
	[CAUSE_SAME] = "same",
	[CAUSE_DIFFERENT] = "different",
	[CAUSE_NEWER] = "newer",
	[CAUSE_NOT_NEWER] = "not-newer",
	[CAUSE_TOO_OLD] = "too-old",
	[CAUSE_ALWAYS] = "always",
	[CAUSE_PROTECTED] = "protected",
	[CAUSE_NO_DATA] = "no-data",
	[CAUSE_NONE_LEFT] = "none-left",
	[CAUSE_TORN] = "torn",
	[CAUSE_QUARANTINED] = "quarantined",
	[CAUSE_DROPS] = "drops",
	[CAUSE_TWIN] = "twin",
	[CAUSE_TOO_MANY] = "too-many",
	[CAUSE_BELOW_FLOOR] = "below-floor",
	[CAUSE_ROLLBACK] = "rollback",
};

const char *cause_to_string(enum cause cause)
{
	return causes[cause];
}

static enum cause answer(struct answer *ret, enum answer_word word, enum cause cause)
{
	ret->word = word;
	return cause;
}

static enum cause leave(struct answer *ret, enum outcome outcome, enum cause cause)
{
	ret->outcome = outcome;
	return answer(ret, ANSWER_LEAVE, cause);
}

static const char *version_of(const char *version)
{
	return *version ? version : "no version";
}

/* Failures and drops count with the image and the rule that they happened with. */
static bool counts(const struct decide_input *input)
{
	const struct store_unit *unit = input->unit;

	return unit && strcmp(unit->failed_sha256, input->sha256) == 0 &&
	       strcmp(unit->failed_rule, input->rule) == 0;
}

bool decide_quarantine(const struct decide_input *input, struct answer *ret)
{
	const struct store_unit *unit = input->unit;

	if (!counts(input) || unit->failures == 0)
		return false;
	if (input->is_asked && unit->failed_outcome != OUTCOME_BAD_CONFIG)
		return false;
	if (unit->rollback == ROLLBACK_DONE && unit->failed_outcome == OUTCOME_BAD_IMAGE)
		reason_set(&ret->reason,
			"the boot loader of this unit has refused this image for good, and the unit went back to %s; it keeps that until there is another image, another rule, or 'plugflash retry'",
			unit->image);
	else if (unit->rollback == ROLLBACK_DONE)
		reason_set(&ret->reason,
			"the unit did not %s this image and went back to %s; it keeps that until there is another image, another rule, or 'plugflash retry'",
			rollback_fault(unit->failed_outcome), unit->image);
	/* Each further try would erase one page more. */
	else if (unit->failed_outcome == OUTCOME_BAD_CONFIG)
		reason_set(&ret->reason,
			"an erase showed that the pages of this unit are not as the chip table has them; it is left alone: correct the chip in chips.d, then run 'plugflash retry'");
	/* Each further try would erase the application, and end in the same words. */
	else if (unit->failed_outcome == OUTCOME_BAD_IMAGE)
		reason_set(&ret->reason,
			"the boot loader of this unit has refused this image for good; it is left alone until there is another image, another rule, or 'plugflash retry'");
	else if (input->quarantine_after > 0 && unit->failures >= input->quarantine_after)
		reason_set(&ret->reason,
			"the unit failed %u %s with this image, at last as '%s'; it is left alone until there is another image, another rule, or 'plugflash retry'",
			unit->failures, unit->failures == 1 ? "time" : "times",
			outcome_to_string(unit->failed_outcome));
	else
		return false;
	leave(ret, OUTCOME_QUARANTINED, CAUSE_QUARANTINED);
	return true;
}

/* A unit whose last update was not finished is written, whatever it holds. */
static enum cause finish_torn(const struct decide_input *input, struct answer *ret)
{
	uint64_t rest = 0;

	/* The next erase most likely ends as the ones before did: not at each plug-in. */
	if (counts(input) && !input->is_asked)
		rest = decide_rest_usec(input->unit, input->now_ms,
			decide_drops_usec(input->unit->drops, input->again_after_usec));
	if (rest <= REST_LEAST_USEC)
		return answer(ret, ANSWER_WRITE, CAUSE_TORN);
	reason_set(&ret->reason,
		"the unit's bridge went in the middle of the last %u updates, one after the other: check cable, hub and supply; it is tried again in %llu s, and at once with another image, another rule, or 'plugflash retry'",
		input->unit->drops, (unsigned long long)(rest / USEC_PER_SEC));
	return leave(ret, OUTCOME_QUARANTINED, CAUSE_DROPS);
}

/* It was whole when it was last seen, with another image than this. */
static enum cause decide_on_other(const struct decide_input *input, struct answer *ret)
{
	const struct store_unit *unit = input->unit;
	const char *holds = version_of(unit->version);

	if (input->update == BOARD_UPDATE_NEWER &&
		version_compare(input->version, unit->version) <= 0) {
		reason_set(&ret->reason, "the unit holds %s (%s), %s (%s) is not newer",
			unit->image, holds, input->image, version_of(input->version));
		return leave(ret, OUTCOME_CURRENT, CAUSE_NOT_NEWER);
	}
	if (input->requires && *input->requires &&
		version_compare(unit->version, input->requires) < 0) {
		reason_set(&ret->reason,
			"%s can be put on %s and later only, and the unit holds %s (%s)",
			input->image, input->requires, unit->image, holds);
		return leave(ret, OUTCOME_BAD_IMAGE, CAUSE_TOO_OLD);
	}
	if (input->update == BOARD_UPDATE_ALWAYS)
		return answer(ret, ANSWER_WRITE, CAUSE_ALWAYS);
	return answer(ret, ANSWER_COMPARE,
		input->update == BOARD_UPDATE_NEWER ? CAUSE_NEWER : CAUSE_DIFFERENT);
}

/* As if every unit had all that it is to have. */
static enum cause decide_by_image(const struct decide_input *input, struct answer *ret)
{
	const struct store_unit *unit = input->unit;
	bool is_known;

	if (decide_quarantine(input, ret))
		return CAUSE_QUARANTINED;
	if (unit && unit->has_state && unit->state != UNIT_WHOLE)
		return finish_torn(input, ret);
	/* A unit that somebody else protected may hold anything; one that is protected no more was
	 * wiped. */
	is_known = unit && unit->has_state && unit->is_protected == input->is_protected;
	if (input->is_protected && !is_known)
		return answer(ret, ANSWER_WRITE, CAUSE_PROTECTED);
	if (is_known && strcmp(unit->sha256, input->sha256) != 0)
		return decide_on_other(input, ret);
	if (input->update == BOARD_UPDATE_ALWAYS)
		return answer(ret, ANSWER_WRITE, CAUSE_ALWAYS);
	if (!is_known)
		return answer(ret, ANSWER_COMPARE, CAUSE_UNKNOWN);
	/* It was verified before it was protected, and only a wipe changes a protected flash: the
	 * record is all that there is to go by. */
	if (input->is_protected) {
		reason_set(&ret->reason,
			"read-out protection is on, so nothing was read: by what is remembered of the unit at this bridge it holds %s (%s), verified before it was protected",
			unit->image, version_of(unit->version));
		return leave(ret, OUTCOME_CURRENT, CAUSE_SAME);
	}
	/* Bridges are swapped, and many have the same serial: only a chip is known for sure. */
	return answer(ret, input->is_identified ? ANSWER_FINGERPRINT : ANSWER_COMPARE, CAUSE_SAME);
}

enum cause decide(const struct decide_input *input, struct answer *ret)
{
	const struct answer before = *ret;
	enum cause cause = decide_by_image(input, ret);

	if (!input->lacks_data || (ret->word != ANSWER_COMPARE && ret->word != ANSWER_FINGERPRINT &&
					  cause != CAUSE_SAME))
		return cause;
	/* It may be current, but lacks the data of its own that the rule wants it to have. */
	*ret = before;
	return answer(ret, ANSWER_WRITE, cause == CAUSE_SAME ? CAUSE_NO_DATA : cause);
}

bool decide_is_shortage(int error)
{
	switch (error < 0 ? -error : error) {
	case EAGAIN: /* of fork(): too many processes */
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return true;
	}
	return false;
}

uint64_t decide_grow_usec(uint64_t first_usec, uint32_t n_times)
{
	uint64_t delay = first_usec;

	for (uint32_t i = 1; i < n_times && delay < AGAIN_MOST_USEC; i++)
		delay *= 2;
	return delay < AGAIN_MOST_USEC ? delay : AGAIN_MOST_USEC;
}

uint64_t decide_drops_usec(uint32_t drops, uint64_t first_usec)
{
	if (drops <= DROPS_TOLERATED)
		return 0;
	return decide_grow_usec(
		first_usec > 0 ? first_usec : DROPS_FIRST_USEC, drops - DROPS_TOLERATED);
}

uint64_t decide_rest_usec(const struct store_unit *unit, int64_t now_ms, uint64_t most_usec)
{
	uint64_t rest_ms;

	if (unit->not_before_ms <= now_ms)
		return 0;
	rest_ms = (uint64_t)unit->not_before_ms - (uint64_t)now_ms;
	return rest_ms < most_usec / USEC_PER_MSEC ? rest_ms * USEC_PER_MSEC : most_usec;
}
