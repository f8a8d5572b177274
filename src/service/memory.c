/* SPDX-License-Identifier: MIT */
#include "service/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "service/job.h"
#include "service/journal.h"
#include "service/memory-store.h"
#include "service/memory-unit.h"
#include "service/serial.h"

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

/* ------------------------------------------------------------------------------- attempts */

static void describe_attempt(
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

/* ------------------------------------------------------------------------------- questions */

static struct decide_input input_of(
	const struct job *job, const struct store_unit *unit, const struct report *report)
{
	return (struct decide_input){
		.unit = unit,
		.is_identified = memory_unit_is_identified(report),
		.is_protected = report->is_protected,
		.image = report->image,
		.version = report->version,
		.sha256 = report->sha256,
		.requires = job->policy.requires,
		.rule = job->policy.rule_mark,
		.update = job->policy.update,
		.quarantine_after = job->policy.quarantine_after,
		.again_after_usec = job->policy.again_after_usec,
		.now_ms = wall_clock_msec(),
	};
}

/* Of the unit only the bridge is known: where no chip ever answered behind it, it is left alone. */
static void answer_open(
	struct memory *memory, struct job *job, const struct report *report, struct answer *ret)
{
	struct decide_input input;
	struct store_unit unit;
	char key[STORE_KEY_MAX];

	memory_unit_key(job, report, key);
	if (job->rollback.is_begun || !memory_find(memory, key, &unit))
		return;
	/* What a protected chip did says nothing of another one in its place. */
	if (unit.is_protected && unit.failed_outcome != OUTCOME_NO_SYNC)
		return;
	/* Nor what was silent of what is plugged in now, and to try costs a reset. */
	if (unit.failed_outcome == OUTCOME_NO_SYNC && !job->has_failed)
		return;
	input = input_of(job, &unit, report);
	if (decide_is_quarantined(&input, ret))
		job->note.cause = CAUSE_QUARANTINED;
}

/*
 * A protected chip does not say its id: the one that is remembered at its bridge was protected
 * here, and stays so until it is wiped.
 */
static void make_key_of_protected(
	struct memory *memory, const struct job *job, const struct report *report, char *key)
{
	struct store_unit unit;

	memory_unit_key(job, report, key);
	if (report->is_protected && memory_find(memory, key, &unit) && unit.is_protected &&
		*unit.unit && strcmp(unit.chip, report->chip) == 0)
		snprintf(key, STORE_KEY_MAX, "0x%03x %s", report->product_id, unit.unit);
}

/* What it held before is written, whatever it holds; but on no other unit, if they were swapped. */
static void answer_rollback(struct job *job, const char *key, struct answer *ret)
{
	job->note.cause = CAUSE_ROLLBACK;
	ret->word = ANSWER_WRITE;
	if (strcmp(key, job->rollback.key) == 0)
		return;
	ret->word = ANSWER_LEAVE;
	ret->outcome = OUTCOME_FAILED;
	reason_set(&ret->reason,
		"another unit than the one that was to go back to %s answers at this bridge; "
		"nothing was erased",
		job->rollback.image);
}

/* Without an id there is nobody to give a number to. Whether the job goes on. */
static bool check_identity(struct job *job, const struct report *report, struct answer *ret)
{
	if (memory_unit_is_identified(report) || report->is_protected)
		return true;
	job->note.cause = CAUSE_NONE_LEFT;
	ret->word = ANSWER_LEAVE;
	ret->outcome = OUTCOME_FAILED;
	reason_set(&ret->reason,
		"the chip's unique id cannot be read, and `serialize` gives each unit what is its "
		"own by that; nothing was erased");
	return false;
}

/* What the unit was given before goes with the answer. Whether the job goes on. */
static bool answer_with_data(
	struct memory *memory, struct job *job, const struct report *report, struct answer *ret)
{
	char key[STORE_KEY_MAX];

	if (job->policy.serialize.form == SERIALIZE_NONE)
		return true;
	make_key_of_protected(memory, job, report, key);
	if (check_identity(job, report, ret) && serial_find(memory, job, key, ret))
		return true;
	job->note.cause = CAUSE_NONE_LEFT;
	return false;
}

/* Before anything is erased: what it has already, or the next. Whether the job goes on. */
static bool give_data(
	struct memory *memory, struct job *job, const struct report *report, struct answer *ret)
{
	char key[STORE_KEY_MAX];
	bool may_go_on;

	if (job->policy.serialize.form == SERIALIZE_NONE)
		return true;
	make_key_of_protected(memory, job, report, key);
	may_go_on = check_identity(job, report, ret);
	/* A protected chip that nobody knows says who it is when it is wiped. */
	if (may_go_on && !memory_unit_is_identified(report))
		may_go_on = serial_find(memory, job, key, ret) &&
			    (ret->n_data > 0 || serial_give(memory, job, NULL, ret));
	else if (may_go_on)
		may_go_on = serial_give(memory, job, key, ret);
	if (!may_go_on)
		job->note.cause = CAUSE_NONE_LEFT;
	return may_go_on;
}

/*
 * A protected chip is wiped before it says who it is: where it was cut off then, its bridge knows.
 * Whether `unit` is told to be torn by that.
 */
static bool take_torn_at_bridge(
	struct memory *memory, const struct job *job, struct store_unit *unit)
{
	const struct report nobody = {0};
	struct store_unit at_bridge;
	char key[STORE_KEY_MAX];

	memory_unit_key(job, &nobody, key);
	if (!memory_find(memory, key, &at_bridge) || !at_bridge.has_state ||
		at_bridge.state == UNIT_WHOLE)
		return false;
	unit->has_state = true;
	unit->state = at_bridge.state;
	copy_text(unit->image, sizeof(unit->image), at_bridge.image);
	return true;
}

static void answer_decide(
	struct memory *memory, struct job *job, const struct report *report, struct answer *ret)
{
	struct decide_input input;
	struct store_unit unit;
	char key[STORE_KEY_MAX];
	bool is_known;

	memory_unit_key(job, report, key);
	if (job->rollback.is_begun) {
		make_key_of_protected(memory, job, report, key);
		answer_rollback(job, key, ret);
		return;
	}
	if (!answer_with_data(memory, job, report, ret))
		return;
	is_known = memory_find(memory, key, &unit);
	if (memory_unit_is_identified(report))
		is_known = take_torn_at_bridge(memory, job, &unit) || is_known;
	/* Behind the bridge of a unit that was protected there may be another chip by now. */
	if (report->is_protected && strcmp(unit.chip, report->chip) != 0)
		is_known = false;
	input = input_of(job, is_known ? &unit : NULL, report);
	input.lacks_data = job->policy.serialize.form != SERIALIZE_NONE && ret->n_data == 0;
	job->note.cause = decide(&input, ret);
	if (job->note.cause == CAUSE_TORN && job_may_tell(job, FLAP_TORN))
		journal_torn(job, report, &unit);
}

/* A protected chip has no id before the erase that frees it: then its bridge was marked first. */
static void unmark(struct memory *memory, struct job *job)
{
	struct store_unit *unit = &job->note.marked;

	job->note.is_marked = false;
	/* What stood there was of the chip as it was before it was wiped. */
	if (unit->is_protected) {
		unit->is_protected = false;
		unit->has_state = false;
	}
	(void)memory_save(memory, unit, NULL);
}

static void answer_erase(
	struct memory *memory, struct job *job, const struct report *report, struct answer *ret)
{
	struct store_attempt attempt;
	struct store_unit unit;
	char key[STORE_KEY_MAX];
	bool is_saved;

	if (!give_data(memory, job, report, ret))
		return;
	memory_unit_key(job, report, key);
	if (job->note.is_marked && strcmp(job->note.marked.key, key) != 0)
		unmark(memory, job);
	(void)memory_find(memory, key, &unit);
	if (!job->note.is_marked)
		job->note.marked = unit;
	memory_unit_describe(job, report, &unit);
	memory_unit_keep_previous(&unit, report);
	memory_unit_set_image(&unit, UNIT_IN_PROGRESS, report);
	describe_attempt(job, report, &attempt);
	is_saved = memory_save(memory, &unit, &attempt);
	job->note.is_marked = is_saved || job->note.is_marked;
	if (job->note.is_marked || !memory->is_required)
		return;
	ret->word = ANSWER_LEAVE;
	ret->outcome = OUTCOME_FAILED;
	reason_set(&ret->reason,
		"that the unit is being written cannot be kept in %s, and require-store is set; "
		"nothing was erased",
		memory->directory);
}

void memory_answer(struct memory *memory, struct job *job, enum question question,
	const struct report *so_far, struct answer *ret)
{
	switch (question) {
	case QUESTION_OPEN:
		answer_open(memory, job, so_far, ret);
		break;
	case QUESTION_DECIDE:
		answer_decide(memory, job, so_far, ret);
		break;
	case QUESTION_ERASE:
		answer_erase(memory, job, so_far, ret);
		break;
	case QUESTION_MAX:
		break;
	}
}

/* ----------------------------------------------------------------------------- the end */

/* That there was nothing to give it is not the unit's fault. */
static bool is_failure(const struct job *job, const struct report *report)
{
	return job->note.cause != CAUSE_NONE_LEFT && decide_is_failure(report);
}

/* It was found whole, not only left alone because what it holds is newer. */
static bool holds_image(const struct job *job, const struct report *report)
{
	return report->outcome == OUTCOME_UPDATED ||
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
	       report->outcome == OUTCOME_PORT_GONE;
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
	return report->outcome == OUTCOME_CANCELLED || report->outcome == OUTCOME_PORT_GONE;
}

/* What the unit is after this job; `unit` is what it was before its end. */
static void settle_unit(const struct job *job, const struct report *report, struct store_unit *unit)
{
	/* What ended before the chip answered says nothing of it. */
	if (!job->rollback.is_begun || memory_unit_is_identified(report))
		memory_unit_describe(job, report, unit);
	if (is_met(report))
		unit->is_protected = report->is_protected;
	if (holds_image(job, report)) {
		memory_unit_set_image(unit, UNIT_WHOLE, report);
		if (!job->rollback.is_begun)
			memory_unit_clear_failures(unit);
	} else if (job->note.is_marked) {
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
	if (job->note.is_marked || job->rollback.is_begun)
		return true;
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
	if (job->note.cause == CAUSE_DROPS)
		return decide_rest_usec(unit, wall_clock_msec(), drops_usec);
	if (job->rollback.is_begun && unit->rollback != UNIT_ROLLBACK_FAILED)
		return 0;
	if (job->rollback.is_begun)
		failure.outcome = unit->failed_outcome;
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

uint64_t memory_end(struct memory *memory, struct job *job, const struct report *report)
{
	struct store_attempt attempt;
	struct store_unit unit;
	char key[STORE_KEY_MAX];
	bool is_stranger;
	uint64_t again;

	if (job->note.started_ms == 0)
		memory_begin(job);
	/* The end of a worker that died does not say again which chip it was at. */
	memory_unit_key(job, report, key);
	is_stranger = job->rollback.is_begun && memory_unit_is_identified(report) &&
		      strcmp(key, job->rollback.key) != 0;
	if (job->rollback.is_begun)
		copy_text(key, sizeof(key), job->rollback.key);
	(void)memory_find(memory, key, &unit);
	if (!is_stranger)
		settle_unit(job, report, &unit);
	again = again_after(job, report, &unit);
	if (again > 0)
		unit.not_before_ms = wall_clock_msec() + (int64_t)(again / USEC_PER_MSEC);
	describe_attempt(job, report, &attempt);
	attempt.ended_ms = wall_clock_msec();
	if (!memory_save(memory, is_about_unit(job, report) ? &unit : NULL, &attempt))
		return 0;
	if (holds_image(job, report) && *report->unit_data)
		serial_confirm(memory, job, key);
	if (report->is_protected && memory_unit_is_identified(report))
		save_at_bridge(memory, job, &unit);
	else if (holds_image(job, report) && memory_unit_is_identified(report))
		clear_bridge(memory, job);
	if (job->policy.rollback && job->note.is_marked && !job->rollback.is_begun &&
		decide_goes_back(&unit, report))
		plan_rollback(&unit, report, &job->rollback);
	if (is_put_into_quarantine(job, report, &unit))
		job->note.quarantined_after = unit.failures;
	if (is_drop(job, report) && again > 0)
		job->note.drops = unit.drops;
	/* Wiped, it said who it is: what became of it is kept there from now on. */
	if (job->note.is_marked && strcmp(job->note.marked.key, key) != 0)
		unmark(memory, job);
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
