/* SPDX-License-Identifier: MIT */
#include "service/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "service/journal.h"
#include "service/memory-store.h"
#include "service/memory-unit.h"
#include "service/provision.h"

/* How long a host may be short of memory or descriptors before a unit is tried once more. */
#define SHORTAGE_USEC (60 * USEC_PER_SEC)

/* ------------------------------------------------------------------------------- attempts */

void memory_describe_attempt(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_attempt *row)
{
	*row = (struct store_attempt){
		.started_ms = attempt->note.started_ms,
		.report = *report,
	};
	text_copy(row->job, sizeof(row->job), attempt->id);
	memory_unit_key(facts, report, row->key);
	text_copy(row->board, sizeof(row->board), attempt->board);
	text_copy(row->port, sizeof(row->port), facts->port);
	text_copy(row->serial, sizeof(row->serial), facts->serial);
	text_copy(row->path, sizeof(row->path), facts->path);
	text_copy(row->cause, sizeof(row->cause), cause_to_string(attempt->note.cause));
	/* A job that ended before its worker read the image has the library's names. */
	if (!*report->image)
		text_copy(row->report.image, sizeof(row->report.image), attempt->image);
	if (!*report->version)
		text_copy(row->report.version, sizeof(row->report.version), attempt->version);
}

/*
 * FNV-1a, 64 bits: nobody gains by two rules that are alike. A library for digests would be a
 * twentieth of what the service holds in memory.
 */
void memory_mark_rule(const char *rule, char to[17])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *rule; rule++)
		hash = (hash ^ (unsigned char)*rule) * 0x100000001b3;
	snprintf(to, 17, "%016" PRIx64, hash);
}

void memory_keep_begin(struct memory *memory, struct attempt *attempt, const struct facts *facts)
{
	const struct report nothing = {0};
	struct store_attempt row;

	memory_describe_attempt(attempt, facts, &nothing, &row);
	memory_save_begin(memory, &row);
}

/* ----------------------------------------------------------------------------- the end */

/* That there was nothing to give it, or not now, is not the unit's fault. */
static bool is_failure(const struct attempt *attempt, const struct report *report)
{
	enum cause cause = attempt->note.cause;

	return cause != CAUSE_NONE_LEFT && cause != CAUSE_TOO_MANY && cause != CAUSE_TWIN &&
	       decide_is_failure(report);
}

/*
 * Read back whole before its port went, and not erased since: nothing that happens in leaving, or
 * while the read-out protection is set, takes that away again.
 */
bool memory_was_verified(const struct attempt *attempt, const struct report *report)
{
	return attempt->note.is_marked && report->proof >= PROOF_UPLOAD &&
	       report->outcome == OUTCOME_PORT_GONE;
}

/* It was found whole, not only left alone because what it holds is newer. */
static bool holds_image(const struct attempt *attempt, const struct report *report)
{
	return memory_was_verified(attempt, report) || report->outcome == OUTCOME_UPDATED ||
	       (report->outcome == OUTCOME_CURRENT && attempt->note.cause != CAUSE_NOT_NEWER);
}

/* What is held against the unit is so with one image and rule: that of this job from now on. */
static void charge(
	const struct attempt *attempt, const struct report *report, struct store_unit *unit)
{
	const struct attempt_policy *policy = &attempt->policy;

	if (strcmp(unit->failed_sha256, report->sha256) != 0 ||
		strcmp(unit->failed_rule, policy->rule_mark) != 0)
		memory_unit_clear_failures(unit);
	text_copy(unit->failed_sha256, sizeof(unit->failed_sha256), report->sha256);
	text_copy(unit->failed_rule, sizeof(unit->failed_rule), policy->rule_mark);
}

static void count_failure(
	const struct attempt *attempt, const struct report *report, struct store_unit *unit)
{
	charge(attempt, report, unit);
	unit->failures++;
	unit->failed_outcome = report->outcome;
}

/* The port went while the unit held nothing whole. */
static bool is_drop(const struct attempt *attempt, const struct report *report)
{
	return attempt->note.is_marked && !attempt_goes_back(attempt) &&
	       !memory_was_verified(attempt, report) && report->outcome == OUTCOME_PORT_GONE;
}

static void count_drop(
	const struct attempt *attempt, const struct report *report, struct store_unit *unit)
{
	charge(attempt, report, unit);
	unit->drops++;
}

/*
 * What is held against the image that it went back from stays, so that it is not tried again. Who
 * pulled the cable meanwhile has both once more.
 */
static void settle_rollback(const struct report *report, struct store_unit *unit)
{
	if (report->outcome == OUTCOME_UPDATED) {
		unit->rollback = ROLLBACK_DONE;
		memory_unit_set_previous(unit, "", "", "");
	} else if (report->outcome != OUTCOME_PORT_GONE && report->outcome != OUTCOME_CANCELLED) {
		unit->rollback = ROLLBACK_FAILED;
	}
}

/* The chip said what it is, and by that whether it can be read. */
static bool is_met(const struct report *report)
{
	return report->has_product_id;
}

/* It may be anywhere in the middle. */
static bool is_cut_off(const struct report *report)
{
	return report->outcome == OUTCOME_CANCELLED || report->outcome == OUTCOME_PORT_GONE ||
	       report->outcome == OUTCOME_PORT_BUSY;
}

/* Of what was erased nobody knows more than that until it was verified; then it is protected. */
static bool is_left_erased(const struct attempt *attempt, const struct report *report)
{
	return attempt->note.is_marked && !holds_image(attempt, report) &&
	       report->phase < PHASE_PROTECT;
}

/* Who answers, as far as that is the unit that the job was about. */
static void describe_settled(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_unit *unit)
{
	struct report about = *report;

	if (is_left_erased(attempt, report)) {
		text_copy(about.unit, sizeof(about.unit), attempt->note.erased_unit);
		text_copy(about.chip, sizeof(about.chip), attempt->note.erased_chip);
	} else if (is_met(report)) {
		unit->is_protected = report->is_protected;
	}
	/* What ended before the chip answered says nothing of it. */
	if (!attempt_goes_back(attempt) || memory_unit_is_identified(report))
		memory_unit_describe(attempt, facts, &about, unit);
}

/* What the unit is after this job; `unit` is what it was before its end. */
static void settle_unit(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_unit *unit)
{
	describe_settled(attempt, facts, report, unit);
	if (holds_image(attempt, report)) {
		memory_unit_set_image(unit, UNIT_WHOLE, report);
		if (!attempt_goes_back(attempt))
			memory_unit_clear_failures(unit);
	} else if (attempt->note.is_marked || report->has_erased) {
		memory_unit_set_image(
			unit, is_cut_off(report) ? UNIT_IN_PROGRESS : UNIT_FAILED, report);
	}
	/* However it ended, the port was there to the end. */
	if (attempt->note.is_marked && !is_cut_off(report))
		unit->drops = 0;
	if (attempt_goes_back(attempt))
		settle_rollback(report, unit);
	else if (is_failure(attempt, report))
		count_failure(attempt, report, unit);
	else if (is_drop(attempt, report))
		count_drop(attempt, report, unit);
}

/* The unit is to go back: to what, and from what. */
static void plan_rollback(
	const struct store_unit *unit, const struct report *report, struct rollback *ret)
{
	*ret = (struct rollback){.state = ROLLBACK_WANTED};
	text_copy(ret->key, sizeof(ret->key), unit->key);
	text_copy(ret->image, sizeof(ret->image), unit->previous_image);
	text_copy(ret->version, sizeof(ret->version), unit->previous_version);
	text_copy(ret->sha256, sizeof(ret->sha256), unit->previous_sha256);
	text_copy(ret->failed, sizeof(ret->failed), report->image);
}

/*
 * A protected chip does not say which one it is: at the next plug-in it is known by its bridge
 * alone, so what is known of it is kept there as well.
 */
static void save_at_bridge(
	struct memory *memory, const struct facts *facts, const struct store_unit *unit)
{
	const struct report nobody = {0};
	struct store_unit at_bridge = *unit;

	memory_unit_key(facts, &nobody, at_bridge.key);
	(void)memory_save(memory, &at_bridge, NULL);
}

/* A chip that answered well behind this bridge: what failed there, or was torn, is over. */
static void clear_bridge(struct memory *memory, const struct facts *facts)
{
	const struct report nobody = {0};
	struct store_unit unit;
	char key[STORE_KEY_MAX];
	bool is_torn;

	memory_unit_key(facts, &nobody, key);
	if (!memory_find(memory, key, &unit))
		return;
	is_torn = unit.has_state && unit.state != UNIT_WHOLE;
	if (unit.failures == 0 && !is_torn)
		return;
	memory_unit_clear_failures(&unit);
	unit.has_state = unit.has_state && !is_torn;
	(void)memory_save(memory, &unit, NULL);
}

/* Whether what became of the job is the unit's, and not the port's or the library's. */
static bool is_about_unit(const struct attempt *attempt, const struct report *report)
{
	if (attempt->note.is_marked || report->has_erased || attempt_goes_back(attempt))
		return true;
	/* The row is that of the board at the other bridge, too. */
	if (attempt->note.cause == CAUSE_TWIN)
		return false;
	return report->phase > PHASE_OPEN &&
	       (holds_image(attempt, report) || memory_unit_is_identified(report) ||
		       is_failure(attempt, report));
}

/* A unit that could not go back waits for its image as it would have without trying. */
static uint64_t again_after(
	const struct attempt *attempt, const struct report *report, const struct store_unit *unit)
{
	const struct attempt_policy *policy = &attempt->policy;
	uint64_t drops_usec = decide_drops_usec(unit->drops, policy->again_after_usec);
	struct report failure = *report;

	/* It may also stay plugged in, or be the port alone that is gone. */
	if (is_drop(attempt, report))
		return drops_usec;
	if (attempt->note.cause == CAUSE_TOO_MANY)
		return attempt->note.wait_usec;
	if (attempt->note.cause == CAUSE_DROPS)
		return decide_rest_usec(unit, wall_clock_msec(), drops_usec);
	if (attempt_goes_back(attempt) && unit->rollback != ROLLBACK_FAILED)
		return 0;
	if (attempt_goes_back(attempt))
		failure.outcome = unit->failed_outcome;
	/* It was torn for want of something that will be there again. */
	if (report->outcome == OUTCOME_FAILED && decide_is_shortage(report->error))
		return SHORTAGE_USEC;
	if (!is_failure(attempt, &failure))
		return 0;
	return decide_again_usec(
		&failure, unit->failures, policy->quarantine_after, policy->again_after_usec);
}

/* One that goes back is not left alone yet. */
static bool is_put_into_quarantine(
	const struct attempt *attempt, const struct report *report, const struct store_unit *unit)
{
	uint32_t most = attempt->policy.quarantine_after;

	if (attempt_goes_back(attempt))
		return unit->rollback == ROLLBACK_FAILED && most > 0 && unit->failures >= most;
	return is_failure(attempt, report) && unit->failures == most &&
	       attempt->rollback.state != ROLLBACK_WANTED;
}

static bool is_named_otherwise(const struct attempt *attempt, const struct report *report)
{
	return *attempt->note.erased_unit && strcmp(attempt->note.erased_unit, report->unit) != 0;
}

/* Words that end the matter, or say that nothing was erased. */
static bool denies_erase(const struct report *report)
{
	return report->outcome == OUTCOME_WRONG_CHIP || report->outcome == OUTCOME_PROTECTED ||
	       report->outcome == OUTCOME_CURRENT || report->outcome == OUTCOME_QUARANTINED;
}

void memory_attribute(const struct attempt *attempt, struct report *report)
{
	const struct attempt_note *note = &attempt->note;
	bool is_other = note->is_marked && is_named_otherwise(attempt, report);
	char text[sizeof(report->reason.text)], other[sizeof(report->unit) + 32] = "";

	/* Another try of this job found it whole. */
	if (note->is_marked && !is_other && report->outcome == OUTCOME_CURRENT &&
		report->proof != PROOF_NONE)
		report->outcome = OUTCOME_UPDATED;
	if (!note->is_marked || (!is_other && !denies_erase(report)))
		return;
	if (is_other && *report->unit)
		snprintf(other, sizeof(other), ", and %s answers now", report->unit);
	if (is_other) {
		text_copy(report->unit, sizeof(report->unit), note->erased_unit);
		text_copy(report->chip, sizeof(report->chip), note->erased_chip);
	}
	/* A cable that was pulled is no riddle, and what failed is told in its own words. */
	if (!denies_erase(report) && report->outcome != OUTCOME_UPDATED && !*other)
		return;
	snprintf(text, sizeof(text), "%s", report->reason.text);
	reason_set(&report->reason,
		"%s%s was erased in this job and holds no application%s; it ended as %s%s%s",
		*note->erased_unit ? "the unit " : "the unit at this bridge", note->erased_unit,
		other, outcome_to_string(report->outcome), *text ? ": " : "", text);
	if (denies_erase(report) || report->outcome == OUTCOME_UPDATED)
		report->outcome = OUTCOME_FAILED;
}

/*
 * The unit that the end is about: the one that was erased, else the one that answered. One that was
 * erased before it said its id may do so as it is verified; what answered and failed may be
 * another.
 */
static void make_key_of_end(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, char *key)
{
	const struct attempt_note *note = &attempt->note;

	memory_unit_key(facts, report, key);
	if (note->is_marked && (*note->erased_unit || !holds_image(attempt, report)))
		text_copy(key, STORE_KEY_MAX, note->marked.key);
	else if (attempt_goes_back(attempt))
		text_copy(key, STORE_KEY_MAX, attempt->rollback.key);
}

/* What else follows from the end of the unit's row. */
static void follow_up(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *report, const struct store_unit *unit, uint64_t again)
{
	if (holds_image(attempt, report) && *report->unit_data)
		provision_confirm(memory, attempt, unit->key);
	if (report->is_protected && memory_unit_is_identified(report) &&
		!is_left_erased(attempt, report))
		save_at_bridge(memory, facts, unit);
	else if (holds_image(attempt, report) && memory_unit_is_identified(report))
		clear_bridge(memory, facts);
	if (attempt->policy.rollback && attempt->note.is_marked && !attempt_goes_back(attempt) &&
		decide_goes_back(unit, report))
		plan_rollback(unit, report, &attempt->rollback);
	if (is_put_into_quarantine(attempt, report, unit))
		attempt->note.quarantined_after = unit->failures;
	if (is_drop(attempt, report) && again > 0)
		attempt->note.drops = unit->drops;
}

uint64_t memory_end(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *from)
{
	struct report told = *from;
	const struct report *report = &told;
	struct store_attempt row;
	struct store_unit unit;
	char key[STORE_KEY_MAX], answered[STORE_KEY_MAX];
	bool is_stranger, has_row;
	uint64_t again;

	memory_attribute(attempt, &told);
	make_key_of_end(attempt, facts, report, key);
	memory_unit_key(facts, report, answered);
	is_stranger = attempt_goes_back(attempt) && !attempt->note.is_marked &&
		      memory_unit_is_identified(report) && strcmp(answered, key) != 0;
	(void)memory_find(memory, key, &unit);
	if (!is_stranger)
		settle_unit(attempt, facts, report, &unit);
	again = again_after(attempt, report, &unit);
	if (again > 0)
		unit.not_before_ms = wall_clock_msec() + (int64_t)(again / USEC_PER_MSEC);
	memory_describe_attempt(attempt, facts, report, &row);
	if (attempt->note.is_marked)
		text_copy(row.key, sizeof(row.key), key);
	row.ended_ms = wall_clock_msec();
	/* Without a store the row is empty, and would take the place of one that is away. */
	has_row = memory->store || attempt->note.is_marked || holds_image(attempt, report);
	(void)memory_save(memory, has_row && is_about_unit(attempt, report) ? &unit : NULL, &row);
	follow_up(memory, attempt, facts, report, &unit, again);
	return again;
}

bool memory_end_rollback(struct memory *memory, struct attempt *attempt, unsigned *ret_failures)
{
	uint32_t most = attempt->policy.quarantine_after;
	struct store_unit unit;
	bool is_known = memory_find(memory, attempt->rollback.key, &unit);

	attempt_drop_rollback(attempt);
	if (!is_known)
		return false;
	unit.rollback = ROLLBACK_FAILED;
	(void)memory_save(memory, &unit, NULL);
	*ret_failures = unit.failures;
	return most > 0 && unit.failures >= most;
}

int memory_forgive(struct memory *memory, const struct store_filter *filter)
{
	struct reason reason = {0};
	uint32_t n_units;
	int r;

	if (!memory_has_store(memory))
		return -ENODEV;
	r = store_forgive(memory->store, filter, &n_units, &reason);
	if (r < 0)
		memory_tell_trouble(memory, &reason);
	return r < 0 ? r : (int)n_units;
}
