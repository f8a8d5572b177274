/* SPDX-License-Identifier: MIT */
#include "records/decide.h"

#include <errno.h>
#include <string.h>

#include "image/version.h"

/* However long it takes, a unit that is torn is not left so for longer than this. */
#define AGAIN_MOST_USEC (3600 * USEC_PER_SEC)

/* Who pulls the cable in mid-update three times wants it repaired the fourth. */
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
	[CAUSE_ROLLBACK] = "rollback",
};

const char *cause_to_string(enum cause cause)
{
	return causes[cause];
}

static void leave(struct answer *answer, enum outcome outcome)
{
	answer->word = ANSWER_LEAVE;
	answer->outcome = outcome;
}

/* What is held against the unit is so with this image and rule. */
static bool is_held_against(const struct decide_input *input)
{
	const struct store_unit *unit = input->unit;

	return unit && strcmp(unit->failed_sha256, input->sha256) == 0 &&
	       strcmp(unit->failed_rule, input->rule) == 0;
}

static bool has_failed(const struct decide_input *input)
{
	return is_held_against(input) && input->unit->failures > 0;
}

bool decide_is_quarantined(const struct decide_input *input, struct answer *ret)
{
	const struct store_unit *unit = input->unit;

	if (!has_failed(input))
		return false;
	if (unit->rollback == ROLLBACK_DONE) {
		leave(ret, OUTCOME_QUARANTINED);
		reason_set(&ret->reason,
			"the unit did not confirm this image and went back to %s; it keeps that "
			"until there is another image, another rule, or 'plugflash retry'",
			unit->image);
		return true;
	}
	/* Each further try would erase one page more. */
	if (unit->failed_outcome == OUTCOME_BAD_CONFIG) {
		leave(ret, OUTCOME_QUARANTINED);
		reason_set(&ret->reason,
			"an erase showed that the pages of this unit are not as the chip table has them; it is left alone: correct the chip in chips.d, then run 'plugflash retry'");
		return true;
	}
	if (input->quarantine_after == 0 || unit->failures < input->quarantine_after)
		return false;
	leave(ret, OUTCOME_QUARANTINED);
	reason_set(&ret->reason,
		"the unit failed %u %s with this image, at last as '%s'; it is left alone until "
		"there is another image, another rule, or 'plugflash retry'",
		unit->failures, unit->failures == 1 ? "time" : "times",
		outcome_to_string(unit->failed_outcome));
	return true;
}

/* Its erase ends as the ones before did, most likely: it is not made at each coming. */
static bool is_dropping(const struct decide_input *input, struct answer *ret)
{
	uint64_t rest;

	if (!is_held_against(input))
		return false;
	rest = decide_rest_usec(input->unit, input->now_ms,
		decide_drops_usec(input->unit->drops, input->again_after_usec));
	if (rest <= REST_LEAST_USEC)
		return false;
	leave(ret, OUTCOME_QUARANTINED);
	reason_set(&ret->reason,
		"the unit's bridge went in the middle of the last %u updates, one after the other: "
		"check cable, hub and supply; it is tried again in %llu s, and at once with "
		"another image, another rule, or 'plugflash retry'",
		input->unit->drops, (unsigned long long)(rest / USEC_PER_SEC));
	return true;
}

static const char *version_of(const char *version)
{
	return *version ? version : "no version";
}

/* The image is not newer, and the rule takes newer ones only. */
static enum cause keep_newer(const struct decide_input *input, struct answer *ret)
{
	leave(ret, OUTCOME_CURRENT);
	reason_set(&ret->reason, "the unit holds %s (%s), %s (%s) is not newer", input->unit->image,
		version_of(input->unit->version), input->image, version_of(input->version));
	return CAUSE_NOT_NEWER;
}

static bool is_too_old(const struct decide_input *input, struct answer *ret)
{
	if (!input->requires || !*input->requires ||
		version_compare(input->unit->version, input->requires) >= 0)
		return false;
	leave(ret, OUTCOME_BAD_IMAGE);
	reason_set(&ret->reason, "%s can be put on %s and later only, and the unit holds %s (%s)",
		input->image, input->requires, input->unit->image,
		version_of(input->unit->version));
	return true;
}

/* It was whole when it was last seen, with another image than this. */
static enum cause decide_on_other(const struct decide_input *input, struct answer *ret)
{
	if (input->update == BOARD_UPDATE_NEWER &&
		version_compare(input->version, input->unit->version) <= 0)
		return keep_newer(input, ret);
	if (is_too_old(input, ret))
		return CAUSE_TOO_OLD;
	switch (input->update) {
	case BOARD_UPDATE_ALWAYS:
		ret->word = ANSWER_WRITE;
		return CAUSE_ALWAYS;
	case BOARD_UPDATE_NEWER:
		ret->word = ANSWER_COMPARE;
		return CAUSE_NEWER;
	case BOARD_UPDATE_DIFFERENT:
		break;
	}
	ret->word = ANSWER_COMPARE;
	return CAUSE_DIFFERENT;
}

/*
 * It was verified before it was protected, and a protected flash cannot be changed but by a wipe:
 * what is remembered is all that there is to go by.
 */
static enum cause trust(const struct decide_input *input, struct answer *ret)
{
	leave(ret, OUTCOME_CURRENT);
	reason_set(&ret->reason,
		"read-out protection is on, so nothing was read: by what is remembered of the unit "
		"at this bridge it holds %s (%s), verified before it was protected",
		input->unit->image, version_of(input->unit->version));
	return CAUSE_SAME;
}

/* As if every unit had all that it is to have. */
static enum cause decide_by_image(const struct decide_input *input, struct answer *ret)
{
	const struct store_unit *unit = input->unit;
	bool is_known;

	if (decide_is_quarantined(input, ret))
		return CAUSE_QUARANTINED;
	if (unit && unit->has_state && unit->state != UNIT_WHOLE) {
		if (is_dropping(input, ret))
			return CAUSE_DROPS;
		ret->word = ANSWER_WRITE;
		return CAUSE_TORN;
	}
	/* Protected by somebody else, it may hold anything; no more so, it was wiped. */
	is_known = unit && unit->has_state && unit->is_protected == input->is_protected;
	if (input->is_protected && !is_known) {
		ret->word = ANSWER_WRITE;
		return CAUSE_PROTECTED;
	}
	if (is_known && strcmp(unit->sha256, input->sha256) != 0)
		return decide_on_other(input, ret);
	if (input->update == BOARD_UPDATE_ALWAYS) {
		ret->word = ANSWER_WRITE;
		return CAUSE_ALWAYS;
	}
	if (!is_known) {
		ret->word = ANSWER_COMPARE;
		return CAUSE_UNKNOWN;
	}
	if (input->is_protected)
		return trust(input, ret);
	/* Bridges are swapped, and many have the same serial: only a chip is known for sure. */
	ret->word = input->is_identified ? ANSWER_FINGERPRINT : ANSWER_COMPARE;
	return CAUSE_SAME;
}

enum cause decide(const struct decide_input *input, struct answer *ret)
{
	const struct answer before = *ret;
	enum cause cause = decide_by_image(input, ret);
	bool may_be_current = ret->word == ANSWER_COMPARE || ret->word == ANSWER_FINGERPRINT ||
			      cause == CAUSE_SAME;

	if (!input->lacks_data || !may_be_current)
		return cause;
	*ret = before;
	ret->word = ANSWER_WRITE;
	return cause == CAUSE_SAME ? CAUSE_NO_DATA : cause;
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
