/* SPDX-License-Identifier: MIT */
#include "service/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "service/job.h"
#include "service/journal.h"
#include "service/memory-store.h"
#include "service/memory-unit.h"
#include "service/provision.h"

/* How long a host may be short of memory or descriptors before a unit is tried once more. */
#define SHORTAGE_USEC (60 * USEC_PER_SEC)

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

/* ------------------------------------------------------------------------------- attempts */

void memory_describe_attempt(
	const struct job *job, const struct report *report, struct store_attempt *attempt)
{
	*attempt = (struct store_attempt){
		.started_ms = job->note.started_ms,
		.report = *report,
	};
	copy_text(attempt->job, sizeof(attempt->job), job->id);
	memory_unit_key(job, report, attempt->key);
	copy_text(attempt->board, sizeof(attempt->board), job->board);
	copy_text(attempt->port, sizeof(attempt->port), job->facts.port);
	copy_text(attempt->serial, sizeof(attempt->serial), job->facts.serial);
	copy_text(attempt->path, sizeof(attempt->path), job->facts.path);
	copy_text(attempt->cause, sizeof(attempt->cause), cause_to_string(job->note.cause));
	/* A job that ended before its worker read the image has the library's names. */
	if (!*report->image)
		copy_text(attempt->report.image, sizeof(attempt->report.image), job->image);
	if (!*report->version)
		copy_text(attempt->report.version, sizeof(attempt->report.version), job->version);
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

void memory_begin(struct job *job)
{
	job->note = (struct memory_note){.started_ms = wall_clock_msec()};
}

void memory_keep_begin(struct memory *memory, struct job *job)
{
	const struct report nothing = {0};
	struct store_attempt attempt;

	memory_describe_attempt(job, &nothing, &attempt);
	memory_save_begin(memory, &attempt);
}

/* ----------------------------------------------------------------------------- the end */

/* That there was nothing to give it, or not now, is not the unit's fault. */
static bool is_failure(const struct job *job, const struct report *report)
{
	enum cause cause = job->note.cause;

	return cause != CAUSE_NONE_LEFT && cause != CAUSE_TOO_MANY && cause != CAUSE_TWIN &&
	       decide_is_failure(report);
}

/*
 * Read back whole before its port went, and not erased since: nothing that happens in leaving, or
 * while the read-out protection is set, takes that away again.
 */
bool memory_was_verified(const struct job *job, const struct report *report)
{
	return job->note.is_marked && report->proof >= PROOF_UPLOAD &&
	       report->outcome == OUTCOME_PORT_GONE;
}

/* It was found whole, not only left alone because what it holds is newer. */
static bool holds_image(const struct job *job, const struct report *report)
{
	return memory_was_verified(job, report) || report->outcome == OUTCOME_UPDATED ||
	       (report->outcome == OUTCOME_CURRENT && job->note.cause != CAUSE_NOT_NEWER);
}

/* What is held against the unit is so with one image and rule: that of this job from now on. */
static void charge(const struct job *job, const struct report *report, struct store_unit *unit)
{
	const struct memory_policy *policy = &job->policy;

	if (strcmp(unit->failed_sha256, report->sha256) != 0 ||
		strcmp(unit->failed_rule, policy->rule_mark) != 0)
		memory_unit_clear_failures(unit);
	copy_text(unit->failed_sha256, sizeof(unit->failed_sha256), report->sha256);
	copy_text(unit->failed_rule, sizeof(unit->failed_rule), policy->rule_mark);
}

static void count_failure(
	const struct job *job, const struct report *report, struct store_unit *unit)
{
	charge(job, report, unit);
	unit->failures++;
	unit->failed_outcome = report->outcome;
}

/* The port went while the unit held nothing whole. */
static bool is_drop(const struct job *job, const struct report *report)
{
	return job->note.is_marked && !job->rollback.is_begun &&
	       !memory_was_verified(job, report) && report->outcome == OUTCOME_PORT_GONE;
}

static void count_drop(const struct job *job, const struct report *report, struct store_unit *unit)
{
	charge(job, report, unit);
	unit->drops++;
}

/*
 * What is held against the image that it went back from stays, so that it is not tried again. Who
 * pulled the cable meanwhile has both once more.
 */
static void settle_rollback(const struct report *report, struct store_unit *unit)
{
	if (report->outcome == OUTCOME_UPDATED) {
		unit->rollback = UNIT_ROLLBACK_DONE;
		memory_unit_set_previous(unit, "", "", "");
	} else if (report->outcome != OUTCOME_PORT_GONE && report->outcome != OUTCOME_CANCELLED) {
		unit->rollback = UNIT_ROLLBACK_FAILED;
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
static bool is_left_erased(const struct job *job, const struct report *report)
{
	return job->note.is_marked && !holds_image(job, report) && report->phase < PHASE_PROTECT;
}

/* Who answers, as far as that is the unit that the job was about. */
static void describe_settled(
	const struct job *job, const struct report *report, struct store_unit *unit)
{
	struct report about = *report;

	if (is_left_erased(job, report)) {
		copy_text(about.unit, sizeof(about.unit), job->note.erased_unit);
		copy_text(about.chip, sizeof(about.chip), job->note.erased_chip);
	} else if (is_met(report)) {
		unit->is_protected = report->is_protected;
	}
	/* What ended before the chip answered says nothing of it. */
	if (!job->rollback.is_begun || memory_unit_is_identified(report))
		memory_unit_describe(job, &about, unit);
}

/* What the unit is after this job; `unit` is what it was before its end. */
static void settle_unit(const struct job *job, const struct report *report, struct store_unit *unit)
{
	describe_settled(job, report, unit);
	if (holds_image(job, report)) {
		memory_unit_set_image(unit, UNIT_WHOLE, report);
		if (!job->rollback.is_begun)
			memory_unit_clear_failures(unit);
	} else if (job->note.is_marked || report->has_erased) {
		memory_unit_set_image(
			unit, is_cut_off(report) ? UNIT_IN_PROGRESS : UNIT_FAILED, report);
	}
	/* However it ended, the port was there to the end. */
	if (job->note.is_marked && !is_cut_off(report))
		unit->drops = 0;
	if (job->rollback.is_begun)
		settle_rollback(report, unit);
	else if (is_failure(job, report))
		count_failure(job, report, unit);
	else if (is_drop(job, report))
		count_drop(job, report, unit);
}

/* The unit is to go back: to what, and from what. */
static void plan_rollback(
	const struct store_unit *unit, const struct report *report, struct memory_rollback *ret)
{
	*ret = (struct memory_rollback){0};
	copy_text(ret->key, sizeof(ret->key), unit->key);
	copy_text(ret->image, sizeof(ret->image), unit->previous_image);
	copy_text(ret->version, sizeof(ret->version), unit->previous_version);
	copy_text(ret->sha256, sizeof(ret->sha256), unit->previous_sha256);
	copy_text(ret->failed, sizeof(ret->failed), report->image);
}

/*
 * A protected chip does not say which one it is: at the next plug-in it is known by its bridge
 * alone, so what is known of it is kept there as well.
 */
static void save_at_bridge(
	struct memory *memory, const struct job *job, const struct store_unit *unit)
{
	const struct report nobody = {0};
	struct store_unit at_bridge = *unit;

	memory_unit_key(job, &nobody, at_bridge.key);
	(void)memory_save(memory, &at_bridge, NULL);
}

/* A chip that answered well behind this bridge: what failed there, or was torn, is over. */
static void clear_bridge(struct memory *memory, const struct job *job)
{
	const struct report nobody = {0};
	struct store_unit unit;
	char key[STORE_KEY_MAX];
	bool is_torn;

	memory_unit_key(job, &nobody, key);
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
static bool is_about_unit(const struct job *job, const struct report *report)
{
	if (job->note.is_marked || report->has_erased || job->rollback.is_begun)
		return true;
	/* The row is that of the board at the other bridge, too. */
	if (job->note.cause == CAUSE_TWIN)
		return false;
	return report->phase > PHASE_OPEN &&
	       (holds_image(job, report) || memory_unit_is_identified(report) ||
		       is_failure(job, report));
}

/* A unit that could not go back waits for its image as it would have without trying. */
static uint64_t again_after(
	const struct job *job, const struct report *report, const struct store_unit *unit)
{
	const struct memory_policy *policy = &job->policy;
	uint64_t drops_usec = decide_drops_usec(unit->drops, policy->again_after_usec);
	struct report failure = *report;

	/* It may also stay plugged in, or be the port alone that is gone. */
	if (is_drop(job, report))
		return drops_usec;
	if (job->note.cause == CAUSE_TOO_MANY)
		return job->note.wait_usec;
	if (job->note.cause == CAUSE_DROPS)
		return decide_rest_usec(unit, wall_clock_msec(), drops_usec);
	if (job->rollback.is_begun && unit->rollback != UNIT_ROLLBACK_FAILED)
		return 0;
	if (job->rollback.is_begun)
		failure.outcome = unit->failed_outcome;
	/* It was torn for want of something that will be there again. */
	if (report->outcome == OUTCOME_FAILED && decide_is_shortage(report->error))
		return SHORTAGE_USEC;
	if (!is_failure(job, &failure))
		return 0;
	return decide_again_usec(
		&failure, unit->failures, policy->quarantine_after, policy->again_after_usec);
}

/* One that goes back is not left alone yet. */
static bool is_put_into_quarantine(
	const struct job *job, const struct report *report, const struct store_unit *unit)
{
	uint32_t most = job->policy.quarantine_after;

	if (job->rollback.is_begun)
		return unit->rollback == UNIT_ROLLBACK_FAILED && most > 0 && unit->failures >= most;
	return is_failure(job, report) && unit->failures == most && !*job->rollback.sha256;
}

static bool is_named_otherwise(const struct job *job, const struct report *report)
{
	return *job->note.erased_unit && strcmp(job->note.erased_unit, report->unit) != 0;
}

/* Words that end the matter, or say that nothing was erased. */
static bool denies_erase(const struct report *report)
{
	return report->outcome == OUTCOME_WRONG_CHIP || report->outcome == OUTCOME_PROTECTED ||
	       report->outcome == OUTCOME_CURRENT || report->outcome == OUTCOME_QUARANTINED;
}

void memory_attribute(const struct job *job, struct report *report)
{
	const struct memory_note *note = &job->note;
	bool is_other = note->is_marked && is_named_otherwise(job, report);
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
		copy_text(report->unit, sizeof(report->unit), note->erased_unit);
		copy_text(report->chip, sizeof(report->chip), note->erased_chip);
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
static void make_key_of_end(const struct job *job, const struct report *report, char *key)
{
	const struct memory_note *note = &job->note;

	memory_unit_key(job, report, key);
	if (note->is_marked && (*note->erased_unit || !holds_image(job, report)))
		copy_text(key, STORE_KEY_MAX, note->marked.key);
	else if (job->rollback.is_begun)
		copy_text(key, STORE_KEY_MAX, job->rollback.key);
}

/* What else follows from the end of the unit's row. */
static void follow_up(struct memory *memory, struct job *job, const struct report *report,
	const struct store_unit *unit, uint64_t again)
{
	if (holds_image(job, report) && *report->unit_data)
		provision_confirm(memory, job, unit->key);
	if (report->is_protected && memory_unit_is_identified(report) &&
		!is_left_erased(job, report))
		save_at_bridge(memory, job, unit);
	else if (holds_image(job, report) && memory_unit_is_identified(report))
		clear_bridge(memory, job);
	if (job->policy.rollback && job->note.is_marked && !job->rollback.is_begun &&
		decide_goes_back(unit, report))
		plan_rollback(unit, report, &job->rollback);
	if (is_put_into_quarantine(job, report, unit))
		job->note.quarantined_after = unit->failures;
	if (is_drop(job, report) && again > 0)
		job->note.drops = unit->drops;
}

uint64_t memory_end(struct memory *memory, struct job *job, const struct report *from)
{
	struct report told = *from;
	const struct report *report = &told;
	struct store_attempt attempt;
	struct store_unit unit;
	char key[STORE_KEY_MAX], answered[STORE_KEY_MAX];
	bool is_stranger, has_row;
	uint64_t again;

	if (job->note.started_ms == 0)
		memory_begin(job);
	memory_attribute(job, &told);
	make_key_of_end(job, report, key);
	memory_unit_key(job, report, answered);
	is_stranger = job->rollback.is_begun && !job->note.is_marked &&
		      memory_unit_is_identified(report) && strcmp(answered, key) != 0;
	(void)memory_find(memory, key, &unit);
	if (!is_stranger)
		settle_unit(job, report, &unit);
	again = again_after(job, report, &unit);
	if (again > 0)
		unit.not_before_ms = wall_clock_msec() + (int64_t)(again / USEC_PER_MSEC);
	memory_describe_attempt(job, report, &attempt);
	if (job->note.is_marked)
		copy_text(attempt.key, sizeof(attempt.key), key);
	attempt.ended_ms = wall_clock_msec();
	/* Without a store the row is empty, and would take the place of one that is away. */
	has_row = memory->store || job->note.is_marked || holds_image(job, report);
	(void)memory_save(memory, has_row && is_about_unit(job, report) ? &unit : NULL, &attempt);
	follow_up(memory, job, report, &unit, again);
	return again;
}

bool memory_end_rollback(struct memory *memory, struct job *job, unsigned *ret_failures)
{
	uint32_t most = job->policy.quarantine_after;
	struct store_unit unit;
	bool is_known = memory_find(memory, job->rollback.key, &unit);

	job->rollback = (struct memory_rollback){0};
	if (!is_known)
		return false;
	unit.rollback = UNIT_ROLLBACK_FAILED;
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
