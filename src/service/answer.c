/* SPDX-License-Identifier: MIT */
/*
 * answer.c - the answers to a worker's questions, by what is kept of the unit.
 *
 *   QUESTION_OPEN    only the bridge is known: a unit that is left alone is not even reset, nor is
 *                    one whose image is below the floor of its board.
 *   QUESTION_TRUST   the chip has said what it is: how fast its kind may be written here.
 *   QUESTION_DECIDE  the unit is known, too: decide() says what is done with it.
 *   QUESTION_ERASE   what the erase leaves goes on the disk, and then the worker is told to go on:
 *                    the unit in progress, under the id that it said, and the value that it is
 *                    given, in one commit.
 *
 * A chip whose read-out is protected does not say its id before it is wiped. It is known by its
 * bridge until then: QUESTION_ERASE comes for the bridge first, and once more when the chip has
 * said who it is.
 */
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "image/version.h"
#include "records/settle.h"
#include "service/provision.h"
#include "service/records.h"

struct asked {
	struct records *records;
	struct attempt *attempt;
	const struct facts *facts;
	const struct report *report; /* so far */
	struct answer *ret;
};

static void leave(const struct asked *asked, enum cause cause)
{
	asked->attempt->note.cause = cause;
	asked->ret->word = ANSWER_LEAVE;
	asked->ret->outcome = OUTCOME_FAILED;
}

static struct decide_input input_of(const struct asked *asked, const struct store_unit *unit)
{
	const struct attempt_policy *policy = &asked->attempt->policy;
	const struct report *report = asked->report;

	return (struct decide_input){
		.unit = unit,
		.is_identified = report_unit_is_told(report->unit),
		.is_protected = report->is_protected,
		.image = report->image,
		.version = report->version,
		.sha256 = report->sha256,
		.requires = policy->requires,
		.rule = policy->rule_mark,
		.is_asked = policy->is_asked,
		.update = policy->update,
		.quarantine_after = policy->quarantine_after,
		.again_after_usec = policy->again_after_usec,
		.now_ms = wall_clock_msec(),
	};
}

/*
 * An image that is older than what the board was proved with may be an old one that somebody plays
 * back, signed as it is. Going back by itself after a failure is another thing: the unit held that.
 */
static bool refuse_below_floor(const struct asked *asked)
{
	const struct attempt *attempt = asked->attempt;
	struct store_floor floor;

	if (!attempt->policy.anti_rollback || attempt_goes_back(attempt))
		return false;
	records_find_floor(asked->records, attempt->board, &floor);
	if (!*floor.version || version_compare(asked->report->version, floor.version) >= 0)
		return false;
	leave(asked, CAUSE_BELOW_FLOOR);
	asked->ret->outcome = OUTCOME_BAD_IMAGE;
	reason_set(&asked->ret->reason,
		"image '%s': its version '%s' is below %s, the floor of board '%s' (anti-rollback): the unit keeps what it holds; `plugflash floor` sets another",
		asked->report->image, asked->report->version, floor.version, attempt->board);
	return true;
}

static void answer_open(const struct asked *asked)
{
	struct attempt *attempt = asked->attempt;
	struct decide_input input;
	struct store_unit unit;
	char key[STORE_KEY_MAX];

	if (refuse_below_floor(asked))
		return;
	attempt_unit_key(asked->facts, asked->report, key);
	if (attempt_goes_back(attempt) || !records_find(asked->records, key, &unit))
		return;
	/* Another board may be plugged in now. The failures of a protected chip say nothing of
	 * that; and a chip that was silent is tried, since that costs only a reset. */
	if (unit.is_protected && unit.failed_outcome != OUTCOME_NO_SYNC)
		return;
	if (unit.failed_outcome == OUTCOME_NO_SYNC && !attempt->has_failed)
		return;
	input = input_of(asked, &unit);
	if (decide_quarantine(&input, asked->ret))
		attempt->note.cause = CAUSE_QUARANTINED;
}

/*
 * The unit's key, by which its value is known and a rollback. A protected chip that does not say
 * its id is the one that is remembered at its bridge, if that was protected here: it stays so until
 * it is wiped.
 */
static void make_key(const struct asked *asked, char key[STORE_KEY_MAX])
{
	const struct report *report = asked->report;
	struct store_unit unit;

	attempt_unit_key(asked->facts, report, key);
	if (report->is_protected && records_find(asked->records, key, &unit) && unit.is_protected &&
		*unit.unit && strcmp(unit.chip, report->chip) == 0)
		attempt_chip_key(report, unit.unit, key);
}

/*
 * The value of its own that the rule wants the unit to have goes with the answer: before the erase,
 * with `rows`, one is given to a unit that has none. Whether the attempt goes on.
 */
static bool add_data(const struct asked *asked, struct store_rows *rows)
{
	struct attempt *attempt = asked->attempt;
	bool is_identified = report_unit_is_told(asked->report->unit), may_go_on;
	char key[STORE_KEY_MAX];

	if (attempt->policy.serialize.form == PROVISION_NONE)
		return true;
	if (!is_identified && !asked->report->is_protected) {
		leave(asked, CAUSE_NONE_LEFT);
		reason_set(&asked->ret->reason,
			"the chip's unique id cannot be read, and `serialize` gives each unit what is its own by that; nothing was erased");
		return false;
	}
	make_key(asked, key);
	may_go_on = provision_add(asked->records, attempt, key, asked->ret);
	/* A protected chip that nobody knows says who it is when it is wiped: there must be
	 * something to give it then. */
	if (may_go_on && rows && asked->ret->n_data == 0)
		may_go_on = provision_give(asked->records, attempt, asked->facts,
			is_identified ? key : NULL, rows, asked->ret);
	if (!may_go_on && attempt->note.cause != CAUSE_TOO_MANY)
		attempt->note.cause = CAUSE_NONE_LEFT;
	return may_go_on;
}

/*
 * A protected chip is wiped before it says who it is: where it was cut off then, its bridge knows.
 * Whether `unit` is torn by that.
 */
static bool take_torn_at_bridge(const struct asked *asked, struct store_unit *unit)
{
	struct store_unit bridge;
	char key[STORE_KEY_MAX];

	attempt_bridge_key(asked->facts, key);
	if (!records_find(asked->records, key, &bridge) || !bridge.has_state ||
		bridge.state == UNIT_WHOLE)
		return false;
	unit->has_state = true;
	unit->state = bridge.state;
	text_copy(unit->image, sizeof(unit->image), bridge.image);
	return true;
}

static void answer_decide(const struct asked *asked)
{
	struct attempt *attempt = asked->attempt;
	struct store_unit *unit = &attempt->note.known;
	struct decide_input input;
	char key[STORE_KEY_MAX];
	bool is_known;

	/* The image before is written, whatever the unit holds; but on no other unit, if the boards
	 * were swapped. */
	if (attempt_goes_back(attempt)) {
		make_key(asked, key);
		attempt->note.cause = CAUSE_ROLLBACK;
		asked->ret->word = ANSWER_WRITE;
		if (strcmp(key, attempt->rollback.key) == 0)
			return;
		leave(asked, CAUSE_ROLLBACK);
		reason_set(&asked->ret->reason,
			"another unit than the one that was to go back to %s answers at this bridge; nothing was erased",
			attempt->rollback.image);
		return;
	}
	if (!add_data(asked, NULL))
		return;
	attempt_unit_key(asked->facts, asked->report, key);
	is_known = records_find(asked->records, key, unit);
	if (report_unit_is_told(asked->report->unit))
		is_known = take_torn_at_bridge(asked, unit) || is_known;
	/* Behind the bridge of a unit that was protected there may be another chip by now. */
	if (asked->report->is_protected && strcmp(unit->chip, asked->report->chip) != 0)
		is_known = false;
	input = input_of(asked, is_known ? unit : NULL);
	input.lacks_data =
		attempt->policy.serialize.form != PROVISION_NONE && asked->ret->n_data == 0;
	attempt->note.cause = decide(&input, asked->ret);
}

static void answer_erase(const struct asked *asked)
{
	struct attempt_note *note = &asked->attempt->note;
	bool is_identified = report_unit_is_told(asked->report->unit), must_be_kept, is_kept,
	     is_known;
	struct store_rows rows = {0};
	struct store_unit unit;
	char key[STORE_KEY_MAX];

	/* A unit that this attempt erased is finished before another one may be touched. */
	if (note->is_marked && *note->erased_unit && is_identified &&
		strcmp(note->erased_unit, asked->report->unit) != 0) {
		leave(asked, note->cause);
		reason_set(&asked->ret->reason,
			"the unit %s was erased in this job, and in its place %s answers now, which is not touched",
			note->erased_unit, asked->report->unit);
		return;
	}
	attempt_unit_key(asked->facts, asked->report, key);
	is_known = records_find(asked->records, key, &unit);
	/* Torn, it does not have it any more, and says so by keeping nothing. */
	if (is_known && unit.has_state && unit.state != UNIT_WHOLE && !*asked->report->kept)
		text_copy(asked->ret->kept, sizeof(asked->ret->kept), unit.kept);
	/* One that does not say its id any more is the one that was erased, and on record. */
	if (note->is_marked && (*note->erased_unit || !is_identified))
		return;
	if (!add_data(asked, &rows))
		return;
	settle_erase(asked->attempt, asked->facts, asked->report, &unit, wall_clock_msec(), &rows);
	must_be_kept = rows.has_serial || (asked->records->is_required && !note->is_marked);
	is_kept = must_be_kept ? records_save_now(asked->records, &rows)
			       : records_save(asked->records, &rows);
	if (must_be_kept && !is_kept && rows.has_serial) {
		leave(asked, CAUSE_NONE_LEFT);
		(void)provision_refuse(asked->records, NULL, asked->ret);
		return;
	}
	if (must_be_kept && !is_kept) {
		leave(asked, note->cause);
		reason_set(&asked->ret->reason,
			"that the unit is being written cannot be kept in %s, and require-store is set; nothing was erased",
			asked->records->directory);
		return;
	}
	note->marked = unit;
	note->is_marked = true;
	text_copy(note->erased_unit, sizeof(note->erased_unit),
		is_identified ? asked->report->unit : "");
	text_copy(note->erased_chip, sizeof(note->erased_chip), asked->report->chip);
}

void records_answer(struct records *records, struct attempt *attempt, const struct facts *facts,
	enum question question, const struct report *so_far, struct answer *ret)
{
	const struct asked asked = {records, attempt, facts, so_far, ret};

	if (question == QUESTION_TRUST) {
		records_answer_trust(records, attempt, so_far, ret);
		return;
	}
	if (question != QUESTION_OPEN)
		attempt_note_unit(attempt, facts, so_far);
	if (!records)
		return;
	switch (question) {
	case QUESTION_OPEN:
		answer_open(&asked);
		break;
	case QUESTION_DECIDE:
		answer_decide(&asked);
		break;
	case QUESTION_ERASE:
		answer_erase(&asked);
		break;
	case QUESTION_TRUST:
	case QUESTION_MAX:
		break;
	}
}
