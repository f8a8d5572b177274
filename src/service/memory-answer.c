/* SPDX-License-Identifier: MIT */
/*
 * memory-answer.c - the answers to a worker's questions, by what is remembered of the unit.
 *
 * What an answer allows is on record before it is given: the unit is in progress from the grant of
 * its erase on, under the id that it said then.
 */
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "service/memory-store.h"
#include "service/memory-unit.h"
#include "service/provision.h"

static struct decide_input input_of(
	const struct attempt *attempt, const struct store_unit *unit, const struct report *report)
{
	return (struct decide_input){
		.unit = unit,
		.is_identified = memory_unit_is_identified(report),
		.is_protected = report->is_protected,
		.image = report->image,
		.version = report->version,
		.sha256 = report->sha256,
		.requires = attempt->policy.requires,
		.rule = attempt->policy.rule_mark,
		.update = attempt->policy.update,
		.quarantine_after = attempt->policy.quarantine_after,
		.again_after_usec = attempt->policy.again_after_usec,
		.now_ms = wall_clock_msec(),
	};
}

/* Of the unit only the bridge is known: where no chip ever answered behind it, it is left alone. */
static void answer_open(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct answer *ret)
{
	struct decide_input input;
	struct store_unit unit;
	char key[STORE_KEY_MAX];

	memory_unit_key(facts, report, key);
	if (attempt_goes_back(attempt) || !memory_find(memory, key, &unit))
		return;
	/* What a protected chip did says nothing of another one in its place. */
	if (unit.is_protected && unit.failed_outcome != OUTCOME_NO_SYNC)
		return;
	/* Nor what was silent of what is plugged in now, and to try costs a reset. */
	if (unit.failed_outcome == OUTCOME_NO_SYNC && !attempt->has_failed)
		return;
	input = input_of(attempt, &unit, report);
	if (decide_is_quarantined(&input, ret))
		attempt->note.cause = CAUSE_QUARANTINED;
}

/*
 * A protected chip does not say its id: the one that is remembered at its bridge was protected
 * here, and stays so until it is wiped.
 */
static void make_key_of_protected(
	struct memory *memory, const struct facts *facts, const struct report *report, char *key)
{
	struct store_unit unit;

	memory_unit_key(facts, report, key);
	if (report->is_protected && memory_find(memory, key, &unit) && unit.is_protected &&
		*unit.unit && strcmp(unit.chip, report->chip) == 0)
		memory_unit_key_of_chip(report, unit.unit, key);
}

/* What it held before is written, whatever it holds; but on no other unit, if they were swapped. */
static void answer_rollback(struct attempt *attempt, const char *key, struct answer *ret)
{
	attempt->note.cause = CAUSE_ROLLBACK;
	ret->word = ANSWER_WRITE;
	if (strcmp(key, attempt->rollback.key) == 0)
		return;
	ret->word = ANSWER_LEAVE;
	ret->outcome = OUTCOME_FAILED;
	reason_set(&ret->reason,
		"another unit than the one that was to go back to %s answers at this bridge; "
		"nothing was erased",
		attempt->rollback.image);
}

/* Without an id there is nobody to give a number to. Whether the job goes on. */
static bool check_identity(struct attempt *attempt, const struct report *report, struct answer *ret)
{
	if (memory_unit_is_identified(report) || report->is_protected)
		return true;
	attempt->note.cause = CAUSE_NONE_LEFT;
	ret->word = ANSWER_LEAVE;
	ret->outcome = OUTCOME_FAILED;
	reason_set(&ret->reason,
		"the chip's unique id cannot be read, and `serialize` gives each unit what is its "
		"own by that; nothing was erased");
	return false;
}

/* What the unit was given before goes with the answer. Whether the job goes on. */
static bool answer_with_data(struct memory *memory, struct attempt *attempt,
	const struct facts *facts, const struct report *report, struct answer *ret)
{
	char key[STORE_KEY_MAX];

	if (attempt->policy.serialize.form == PROVISION_NONE)
		return true;
	make_key_of_protected(memory, facts, report, key);
	if (check_identity(attempt, report, ret) && serial_find(memory, attempt, key, ret))
		return true;
	attempt->note.cause = CAUSE_NONE_LEFT;
	return false;
}

/* Before anything is erased: what it has already, or the next. Whether the job goes on. */
static bool give_data(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct answer *ret)
{
	char key[STORE_KEY_MAX];
	bool may_go_on;

	if (attempt->policy.serialize.form == PROVISION_NONE)
		return true;
	make_key_of_protected(memory, facts, report, key);
	may_go_on = check_identity(attempt, report, ret);
	/* A protected chip that nobody knows says who it is when it is wiped. */
	if (may_go_on && !memory_unit_is_identified(report))
		may_go_on = serial_find(memory, attempt, key, ret) &&
			    (ret->n_data > 0 || provision_give(memory, attempt, facts, NULL, ret));
	else if (may_go_on)
		may_go_on = provision_give(memory, attempt, facts, key, ret);
	if (!may_go_on && attempt->note.cause != CAUSE_TOO_MANY)
		attempt->note.cause = CAUSE_NONE_LEFT;
	return may_go_on;
}

/*
 * A protected chip is wiped before it says who it is: where it was cut off then, its bridge knows.
 * Whether `unit` is told to be torn by that.
 */
static bool take_torn_at_bridge(
	struct memory *memory, const struct facts *facts, struct store_unit *unit)
{
	const struct report nobody = {0};
	struct store_unit at_bridge;
	char key[STORE_KEY_MAX];

	memory_unit_key(facts, &nobody, key);
	if (!memory_find(memory, key, &at_bridge) || !at_bridge.has_state ||
		at_bridge.state == UNIT_WHOLE)
		return false;
	unit->has_state = true;
	unit->state = at_bridge.state;
	text_copy(unit->image, sizeof(unit->image), at_bridge.image);
	return true;
}

static void answer_decide(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct answer *ret)
{
	struct decide_input input;
	struct store_unit unit;
	char key[STORE_KEY_MAX];
	bool is_known;

	memory_unit_key(facts, report, key);
	if (attempt_goes_back(attempt)) {
		make_key_of_protected(memory, facts, report, key);
		answer_rollback(attempt, key, ret);
		return;
	}
	if (!answer_with_data(memory, attempt, facts, report, ret))
		return;
	is_known = memory_find(memory, key, &unit);
	if (memory_unit_is_identified(report))
		is_known = take_torn_at_bridge(memory, facts, &unit) || is_known;
	/* Behind the bridge of a unit that was protected there may be another chip by now. */
	if (report->is_protected && strcmp(unit.chip, report->chip) != 0)
		is_known = false;
	input = input_of(attempt, is_known ? &unit : NULL, report);
	input.lacks_data = attempt->policy.serialize.form != PROVISION_NONE && ret->n_data == 0;
	attempt->note.cause = decide(&input, ret);
	attempt->note.known = unit;
}

/*
 * A protected chip has no id before the erase that frees it: its bridge was marked first, and what
 * stood there was of the chip as it was before it was wiped. Its own row has the mark by now.
 */
static void unmark_bridge(struct memory *memory, struct store_unit *unit)
{
	unit->is_protected = false;
	unit->has_state = false;
	(void)memory_save(memory, unit, NULL);
}

/* A unit that this job erased is finished before another one may be touched. */
static bool is_other_than_erased(const struct attempt *attempt, const struct report *report)
{
	return attempt->note.is_marked && *attempt->note.erased_unit &&
	       memory_unit_is_identified(report) &&
	       strcmp(attempt->note.erased_unit, report->unit) != 0;
}

/* That the unit is in progress, on the disk where that is required. */
static bool mark(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_unit *unit)
{
	struct store_attempt row;

	memory_unit_describe(attempt, facts, report, unit);
	memory_unit_keep_previous(unit, report);
	memory_unit_set_image(unit, UNIT_IN_PROGRESS, report);
	memory_describe_attempt(attempt, facts, report, &row);
	if (memory->is_required && !attempt->note.is_marked)
		return memory_save_now(memory, unit, &row);
	(void)memory_save(memory, unit, &row);
	return true;
}

static void answer_erase(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct answer *ret)
{
	struct attempt_note *note = &attempt->note;
	struct store_unit unit, bridge = note->marked;
	char key[STORE_KEY_MAX];
	bool was_marked = note->is_marked;

	if (is_other_than_erased(attempt, report)) {
		ret->word = ANSWER_LEAVE;
		ret->outcome = OUTCOME_FAILED;
		reason_set(&ret->reason,
			"the unit %s was erased in this job, and in its place %s answers now, "
			"which is not touched",
			note->erased_unit, report->unit);
		return;
	}
	/* One that does not say its id any more is the one that was erased, and on record. */
	if (was_marked && (*note->erased_unit || !memory_unit_is_identified(report)))
		return;
	if (!give_data(memory, attempt, facts, report, ret))
		return;
	memory_unit_key(facts, report, key);
	(void)memory_find(memory, key, &unit);
	note->marked = unit;
	if (mark(memory, attempt, facts, report, &unit)) {
		note->is_marked = true;
		text_copy(note->erased_unit, sizeof(note->erased_unit),
			memory_unit_is_identified(report) ? report->unit : "");
		text_copy(note->erased_chip, sizeof(note->erased_chip), report->chip);
		if (was_marked)
			unmark_bridge(memory, &bridge);
		return;
	}
	ret->word = ANSWER_LEAVE;
	ret->outcome = OUTCOME_FAILED;
	reason_set(&ret->reason,
		"that the unit is being written cannot be kept in %s, and require-store is set; "
		"nothing was erased",
		memory->directory);
}

void memory_answer(struct memory *memory, struct attempt *attempt, const struct facts *facts,
	enum question question, const struct report *so_far, struct answer *ret)
{
	switch (question) {
	case QUESTION_OPEN:
		answer_open(memory, attempt, facts, so_far, ret);
		break;
	case QUESTION_DECIDE:
		answer_decide(memory, attempt, facts, so_far, ret);
		break;
	case QUESTION_ERASE:
		answer_erase(memory, attempt, facts, so_far, ret);
		break;
	case QUESTION_MAX:
		break;
	}
}
