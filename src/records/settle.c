/* SPDX-License-Identifier: MIT */
/*
 * settle.c - the end of an attempt, decided in one place.
 *
 *   1. Which unit is it about? The one that was erased; else the one that answered; for an attempt
 *      that goes back, the one that was to. settle_report(), settle_key().
 *   2. What does the unit hold now? A whole image, something torn, or what it held. settle_unit().
 *   3. What counts against it? A failure, a drop of its port, or nothing; each for one image and
 *      one rule. count_end().
 *   4. When is it tried again? again_after().
 *   5. Does it go back to the image before, or is it left alone? settle().
 *   7. A check (verify, probe, identify) leaves its own row, and nothing of the unit:
 * settle_check().
 *   6. What is kept at its bridge? A chip that is protected does not say its id, and is known by
 *      its bridge alone when it comes again. settle_bridge().
 *
 * struct end holds what all of these ask, worked out once. A unit that answers in place of one that
 * was to go back is a stranger: the end says nothing of either.
 */
#include "records/settle.h"

#include <string.h>

#include "base/util.h"

/* How long a host may be short of memory or descriptors before a unit is tried once more. */
#define SHORTAGE_USEC (60 * USEC_PER_SEC)

/* -------------------------------------------------------------------------------- the rows */

void settle_attempt_row(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, struct store_attempt *ret)
{
	*ret = (struct store_attempt){
		.started_ms = attempt->note.started_ms,
		.report = *report,
	};
	text_copy(ret->job, sizeof(ret->job), attempt->id);
	attempt_unit_key(facts, report, ret->key);
	text_copy(ret->board, sizeof(ret->board), attempt->board);
	text_copy(ret->port, sizeof(ret->port), facts->port);
	text_copy(ret->serial, sizeof(ret->serial), facts->serial);
	text_copy(ret->usb_path, sizeof(ret->usb_path), facts->usb_path);
	text_copy(ret->operation, sizeof(ret->operation),
		attempt_operation_to_string(attempt->operation));
	ret->plug = attempt->plug;
	text_copy(ret->slot, sizeof(ret->slot), attempt->slot);
	text_copy(ret->cause, sizeof(ret->cause), cause_to_string(attempt->note.cause));
	/* An attempt that ended before its worker read the image has the names of the library. */
	if (!*report->image)
		text_copy(ret->report.image, sizeof(ret->report.image), attempt->image);
	if (!*report->version)
		text_copy(ret->report.version, sizeof(ret->report.version), attempt->version);
}

/* Its identity, and the place where it was seen. A chip that did not answer, or is protected and so
 * does not say its id, is the one it was. */
static void describe(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, int64_t now_ms, struct store_unit *unit)
{
	if (*report->unit || (*report->chip && strcmp(unit->chip, report->chip) != 0))
		text_copy(unit->unit, sizeof(unit->unit), report->unit);
	if (*report->chip)
		text_copy(unit->chip, sizeof(unit->chip), report->chip);
	text_copy(unit->serial, sizeof(unit->serial), facts->serial);
	text_copy(unit->usb_path, sizeof(unit->usb_path), facts->usb_path);
	text_copy(unit->slot, sizeof(unit->slot), attempt->slot);
	text_copy(unit->board, sizeof(unit->board), attempt->board);
	unit->seen_ms = now_ms;
}

/* The image that it holds, or was to hold. */
static void set_image(struct store_unit *unit, enum unit_state state, const struct report *report)
{
	unit->has_state = true;
	unit->state = state;
	text_copy(unit->image, sizeof(unit->image), report->image);
	text_copy(unit->version, sizeof(unit->version), report->version);
	text_copy(unit->sha256, sizeof(unit->sha256), report->sha256);
}

/* The image that it can go back to; "" for none. */
static void set_previous(
	struct store_unit *unit, const char *image, const char *version, const char *sha256)
{
	text_copy(unit->previous_image, sizeof(unit->previous_image), image);
	text_copy(unit->previous_version, sizeof(unit->previous_version), version);
	text_copy(unit->previous_sha256, sizeof(unit->previous_sha256), sha256);
}

void settle_erase(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, const struct store_unit *unit, int64_t now_ms,
	struct store_rows *ret)
{
	struct store_unit *marked = &ret->units[ret->n_units++];

	*marked = *unit;
	describe(attempt, facts, report, now_ms, marked);
	/* It can go back to the image that it held whole, unless the same is written once more. */
	if (unit->has_state && unit->state == UNIT_WHOLE) {
		bool is_same = strcmp(unit->sha256, report->sha256) == 0;

		set_previous(marked, is_same ? "" : unit->image, is_same ? "" : unit->version,
			is_same ? "" : unit->sha256);
	}
	set_image(marked, UNIT_IN_PROGRESS, report);
	if (*report->kept)
		text_copy(marked->kept, sizeof(marked->kept), report->kept);
	else if (unit->state == UNIT_WHOLE)
		marked->kept[0] = '\0';
	/*
	 * A protected chip has no id before the erase that frees it, and its bridge was marked
	 * first. Its row is about the chip before it was wiped; the mark is the chip's own
	 * from here on.
	 */
	if (attempt->note.is_marked) {
		ret->units[ret->n_units] = attempt->note.marked;
		ret->units[ret->n_units].is_protected = false;
		ret->units[ret->n_units++].has_state = false;
	}
	settle_attempt_row(attempt, facts, report, &ret->attempt);
	ret->has_attempt = true;
}

/* ---------------------------------------------------------------------------- the report */

/* These end the matter, or say that nothing was erased. */
static bool denies_erase(const struct report *report)
{
	return report->outcome == OUTCOME_WRONG_CHIP || report->outcome == OUTCOME_PROTECTED ||
	       report->outcome == OUTCOME_CURRENT || report->outcome == OUTCOME_QUARANTINED;
}

static void attribute(const struct attempt_note *note, struct report *report)
{
	bool is_other = *note->erased_unit && strcmp(note->erased_unit, report->unit) != 0;
	char text[sizeof(report->reason.text)], other[sizeof(report->unit) + 32] = "";

	/* Another try of this attempt found it whole. */
	if (!is_other && report->outcome == OUTCOME_CURRENT && report->proof != PROOF_NONE)
		report->outcome = OUTCOME_UPDATED;
	if (!is_other && !denies_erase(report))
		return;
	if (is_other && *report->unit)
		snprintf(other, sizeof(other), ", and %s answers now", report->unit);
	if (is_other) {
		text_copy(report->unit, sizeof(report->unit), note->erased_unit);
		text_copy(report->chip, sizeof(report->chip), note->erased_chip);
	}
	/* A cable that was pulled is no riddle, and a failure is told in its own words. */
	if (!denies_erase(report) && report->outcome != OUTCOME_UPDATED && !*other)
		return;
	text_copy(text, sizeof(text), report->reason.text);
	reason_set(&report->reason,
		"%s%s was erased in this job and holds no application%s; it ended as %s%s%s",
		*note->erased_unit ? "the unit " : "the unit at this bridge", note->erased_unit,
		other, outcome_to_string(report->outcome), *text ? ": " : "", text);
	if (denies_erase(report) || report->outcome == OUTCOME_UPDATED)
		report->outcome = OUTCOME_FAILED;
}

void settle_report(const struct attempt *attempt, struct report *report)
{
	attempt_carry_trials(attempt, report);
	if (attempt->note.is_marked)
		attribute(&attempt->note, report);
	if (attempt_goes_back(attempt) && report->outcome == OUTCOME_UPDATED)
		reason_set(&report->reason, "the application of %s did not %s",
			attempt->rollback.failed, rollback_fault(attempt->rollback.failed_as));
}

/* --------------------------------------------------------------- how the attempt has ended */

bool settle_is_failure(const struct report *report)
{
	/* A pulled cable is none; many of them, see decide_drops_usec(). */
	static const bool is_failure[OUTCOME_MAX] = {
		[OUTCOME_NO_SYNC] = true,
		[OUTCOME_WRONG_CHIP] = true,
		[OUTCOME_PROTECTED] = true,
		[OUTCOME_ERASE_FAILED] = true,
		[OUTCOME_WRITE_FAILED] = true,
		[OUTCOME_VERIFY_DIFFERS] = true,
		[OUTCOME_VERIFY_IMPOSSIBLE] = true,
		[OUTCOME_NOT_CONFIRMED] = true,
		[OUTCOME_NOT_STARTED] = true,
	};

	/* A failure before the port was opened is none of the unit, nor is a shortage of the host.
	 */
	if (report->outcome == OUTCOME_FAILED)
		return report->phase > PHASE_OPEN && !decide_is_shortage(report->error);
	/* After an erase these mean that the chip has other pages than the chip table says, and
	 * that its boot loader took the file apart and does not take it. */
	if (report->outcome == OUTCOME_BAD_CONFIG || report->outcome == OUTCOME_BAD_IMAGE)
		return report->has_erased;
	return is_failure[report->outcome];
}

bool settle_was_verified(const struct attempt *attempt, const struct report *report)
{
	/* And not erased since: nothing that happens in leaving, or while the read-out protection
	 * is set, takes that away again. */
	return attempt->note.is_marked && report->proof >= PROOF_UPLOAD &&
	       report->outcome == OUTCOME_PORT_GONE;
}

struct end {
	bool is_marked;	    /* its erase was granted */
	bool goes_back;	    /* it was one to go back */
	bool is_identified; /* the chip that answered says its id */
	bool is_whole;	    /* the unit was found to hold the image */
	bool is_cut_off;    /* it may be anywhere in the middle */
	bool is_erased;	    /* what it holds was not verified; then it would be protected */
	bool is_counted;    /* that there was nothing to give it, or not now, is not the unit's */
	bool is_failure;    /* of the unit, as far as anybody knows */
	bool is_drop;	    /* the port went while the unit held nothing whole */
	bool is_stranger;   /* another unit answered than the one that was to go back */
};

static struct end look_at(const struct settle_input *input)
{
	const struct attempt *attempt = input->attempt;
	const struct report *report = input->report;
	enum outcome outcome = report->outcome;
	enum cause cause = attempt->note.cause;
	char answered[STORE_KEY_MAX];
	struct end end = {
		.is_marked = attempt->note.is_marked,
		.goes_back = attempt_goes_back(attempt),
		.is_identified = report_unit_is_told(report->unit),
	};

	/* A unit that is current for it holds something newer was not looked into. */
	end.is_whole = settle_was_verified(attempt, report) || outcome == OUTCOME_UPDATED ||
		       (outcome == OUTCOME_CURRENT && cause != CAUSE_NOT_NEWER);
	end.is_cut_off = outcome == OUTCOME_CANCELLED || outcome == OUTCOME_PORT_GONE ||
			 outcome == OUTCOME_PORT_BUSY;
	end.is_erased = end.is_marked && !end.is_whole && report->phase < PHASE_PROTECT;
	end.is_counted = cause != CAUSE_NONE_LEFT && cause != CAUSE_TOO_MANY && cause != CAUSE_TWIN;
	end.is_failure = end.is_counted && settle_is_failure(report);
	end.is_drop =
		end.is_marked && !end.goes_back && !end.is_whole && outcome == OUTCOME_PORT_GONE;
	attempt_unit_key(input->facts, report, answered);
	end.is_stranger = end.goes_back && !end.is_marked && end.is_identified &&
			  strcmp(answered, input->unit.key) != 0;
	return end;
}

void settle_key(const struct attempt *attempt, const struct facts *facts,
	const struct report *report, char to[STORE_KEY_MAX])
{
	const struct settle_input input = {.attempt = attempt, .facts = facts, .report = report};
	const struct attempt_note *note = &attempt->note;

	/* A unit that was erased before it said its id may do so as it is verified; one that
	 * answers and fails may be another. */
	if (note->is_marked && (*note->erased_unit || !look_at(&input).is_whole))
		text_copy(to, STORE_KEY_MAX, note->marked.key);
	else if (attempt_goes_back(attempt))
		text_copy(to, STORE_KEY_MAX, attempt->rollback.key);
	else
		attempt_unit_key(facts, report, to);
}

/* --------------------------------------------------------------------------- what becomes of it */

/* Nothing counts against it any more. */
static void clear_failures(struct store_unit *unit)
{
	unit->failures = 0;
	unit->drops = 0;
	unit->rollback = ROLLBACK_NONE;
	unit->not_before_ms = 0;
}

/* Failures and drops count with one image and one rule; these are the attempt's from now on. */
static void count_end(
	const struct settle_input *input, const struct end *end, struct store_unit *unit)
{
	const char *rule = input->attempt->policy.rule_mark;
	const struct report *report = input->report;

	/* However it ended, the port was there to the end. */
	if (end->is_marked && !end->is_cut_off)
		unit->drops = 0;
	/* The failures of the image that it goes back from stay, so that it is not tried again. */
	if (end->goes_back || (!end->is_failure && !end->is_drop))
		return;
	if (strcmp(unit->failed_sha256, report->sha256) != 0 ||
		strcmp(unit->failed_rule, rule) != 0)
		clear_failures(unit);
	text_copy(unit->failed_sha256, sizeof(unit->failed_sha256), report->sha256);
	text_copy(unit->failed_rule, sizeof(unit->failed_rule), rule);
	if (end->is_drop) {
		unit->drops++;
		return;
	}
	unit->failures++;
	unit->failed_outcome = report->outcome;
}

/* The state of the unit after this attempt. */
static void settle_unit(
	const struct settle_input *input, const struct end *end, struct store_unit *unit)
{
	const struct attempt *attempt = input->attempt;
	struct report about = *input->report;

	if (end->is_erased) {
		text_copy(about.unit, sizeof(about.unit), attempt->note.erased_unit);
		text_copy(about.chip, sizeof(about.chip), attempt->note.erased_chip);
	} else if (about.has_product_id) {
		/* The chip said what it is, and by that whether it can be read. */
		unit->is_protected = about.is_protected;
	}
	/* An end before the chip answered says nothing of the unit that was to go back. */
	if (!end->goes_back || end->is_identified)
		describe(attempt, input->facts, &about, input->now_ms, unit);
	if (end->is_whole) {
		set_image(unit, UNIT_WHOLE, &about);
		if (!end->goes_back)
			clear_failures(unit);
	} else if (end->is_marked || about.has_erased) {
		set_image(unit, end->is_cut_off ? UNIT_IN_PROGRESS : UNIT_FAILED, &about);
	}
	count_end(input, end, unit);
}

bool settle_goes_back(const struct store_unit *unit, const struct report *report)
{
	bool does_not_run =
		report->outcome == OUTCOME_NOT_CONFIRMED ||
		report->outcome == OUTCOME_NOT_STARTED ||
		/* Its boot loader has refused it for good, and may have erased before. */
		(report->outcome == OUTCOME_BAD_IMAGE && report->has_erased);

	return does_not_run && unit->rollback == ROLLBACK_NONE && *unit->previous_sha256 &&
	       strcmp(unit->previous_sha256, report->sha256) != 0;
}

/*
 * The state of the rollback after this attempt, which is also what the unit's row keeps of one that
 * was made. A cable that was pulled meanwhile decides nothing, nor does an image directory that
 * could not be read: image and rollback are both tried once more.
 */
static void settle_rollback(const struct settle_input *input, const struct end *end,
	struct store_unit *unit, struct rollback *ret)
{
	const struct attempt *attempt = input->attempt;
	const struct report *report = input->report;
	enum outcome outcome = report->outcome;
	bool is_undecided = outcome == OUTCOME_PORT_GONE || outcome == OUTCOME_CANCELLED ||
			    (outcome == OUTCOME_FAILED && report->phase == PHASE_IMAGE);

	if (end->goes_back && outcome == OUTCOME_UPDATED) {
		rollback_enter(ret, ROLLBACK_DONE);
		set_previous(unit, "", "", "");
	} else if (end->goes_back && !is_undecided) {
		rollback_enter(ret, ROLLBACK_FAILED);
	} else {
		rollback_enter(ret, ROLLBACK_NONE);
	}
	if (ret->state != ROLLBACK_NONE)
		unit->rollback = ret->state;
	if (end->goes_back || !attempt->policy.rollback || !end->is_marked ||
		!settle_goes_back(unit, report))
		return;
	rollback_enter(ret, ROLLBACK_WANTED);
	text_copy(ret->key, sizeof(ret->key), unit->key);
	text_copy(ret->image, sizeof(ret->image), unit->previous_image);
	text_copy(ret->version, sizeof(ret->version), unit->previous_version);
	text_copy(ret->sha256, sizeof(ret->sha256), unit->previous_sha256);
	text_copy(ret->failed, sizeof(ret->failed), input->report->image);
	ret->failed_as = report->outcome;
}

bool settle_no_rollback(struct attempt *attempt, struct store_unit *unit)
{
	uint32_t most = attempt->policy.quarantine_after;

	rollback_enter(&attempt->rollback, ROLLBACK_FAILED);
	unit->rollback = attempt->rollback.state;
	return most > 0 && unit->failures >= most;
}

/* ---------------------------------------------------------------------------------- again */

uint64_t settle_again_usec(const struct report *report, uint32_t failures,
	uint32_t quarantine_after, uint64_t first_usec)
{
	/* The same chip is as wrong, as protected and has the same pages in a minute, and its boot
	 * loader refuses the same file. */
	if (!settle_is_failure(report) || report->outcome == OUTCOME_WRONG_CHIP ||
		report->outcome == OUTCOME_BAD_IMAGE || report->outcome == OUTCOME_PROTECTED ||
		report->outcome == OUTCOME_BAD_CONFIG)
		return 0;
	if (failures == 0 || (quarantine_after > 0 && failures >= quarantine_after))
		return 0;
	return decide_grow_usec(first_usec, failures);
}

static uint64_t again_after(
	const struct settle_input *input, const struct end *end, const struct store_unit *unit)
{
	const struct attempt_policy *policy = &input->attempt->policy;
	const struct attempt_note *note = &input->attempt->note;
	uint64_t drops_usec = decide_drops_usec(unit->drops, policy->again_after_usec);
	struct report failure = *input->report;

	/* The bridge may also stay plugged in, or the port alone be gone. */
	if (end->is_drop)
		return drops_usec;
	if (note->cause == CAUSE_TOO_MANY)
		return note->wait_usec;
	if (note->cause == CAUSE_DROPS)
		return decide_rest_usec(unit, input->now_ms, drops_usec);
	if (end->goes_back && unit->rollback != ROLLBACK_FAILED)
		return 0;
	/* A unit that could not go back waits for its image as it would have without trying. */
	if (end->goes_back)
		failure.outcome = unit->failed_outcome;
	/* It was torn for want of something that will be there again. */
	if (input->report->outcome == OUTCOME_FAILED && decide_is_shortage(input->report->error))
		return SHORTAGE_USEC;
	if (!end->is_counted)
		return 0;
	return settle_again_usec(
		&failure, unit->failures, policy->quarantine_after, policy->again_after_usec);
}

uint64_t settle_rest_usec(const struct store_unit *unit, const struct board *board,
	const char *rule_mark, const char *image, int64_t now_ms)
{
	const struct report last = {.phase = PHASE_LEAVE, .outcome = unit->failed_outcome};
	bool is_torn = unit->has_state && unit->state != UNIT_WHOLE;
	char told[TEXT_MAX];
	uint64_t most;

	text_escape(image, told, sizeof(told));
	if (strcmp(unit->failed_rule, rule_mark) != 0 ||
		(is_torn && strcmp(unit->image, told) != 0))
		return 0;
	most = decide_drops_usec(unit->drops, board->again_after_usec);
	if (most == 0)
		most = settle_again_usec(
			&last, unit->failures, board->quarantine_after, board->again_after_usec);
	return decide_rest_usec(unit, now_ms, most);
}

/* -------------------------------------------------------------------------------- the end */

/* Whether the end is the unit's, and not the port's or the library's. */
static bool is_about_unit(const struct settle_input *input, const struct end *end)
{
	/* Without a store the row is empty, and would take the place of one that is away. */
	if (!input->has_store && !end->is_marked && !end->is_whole)
		return false;
	if (end->is_marked || input->report->has_erased || end->goes_back)
		return true;
	/* The row is that of the board at the other bridge, too. */
	if (input->attempt->note.cause == CAUSE_TWIN)
		return false;
	return input->report->phase > PHASE_OPEN &&
	       (end->is_whole || end->is_identified || end->is_failure);
}

/* The row of the bridge, where it is another than the unit's and something becomes of it. */
static void settle_bridge(const struct settle_input *input, const struct end *end,
	const struct store_unit *unit, struct store_rows *rows)
{
	struct store_unit bridge = input->bridge;
	bool is_torn = bridge.has_state && bridge.state != UNIT_WHOLE;

	if (!end->is_identified)
		return;
	if (input->report->is_protected && !end->is_erased) {
		/* At the next plug-in it is known by its bridge alone. */
		bridge = *unit;
		text_copy(bridge.key, sizeof(bridge.key), input->bridge.key);
	} else if (end->is_whole && (bridge.failures > 0 || is_torn)) {
		/* A chip answered well behind this bridge: what failed there, or was torn, is over.
		 */
		clear_failures(&bridge);
		bridge.has_state = bridge.has_state && !is_torn;
	} else {
		return;
	}
	rows->units[rows->n_units++] = bridge;
}

/*
 * A check decides nothing of the unit, however it ends: nobody wanted it to hold anything. But
 * where the bytes differ that the unit is on record to hold, the record is wrong, and a look at a
 * few blocks would not find that each time: from now on nobody knows what it holds.
 */
static void settle_check(const struct settle_input *input, struct store_rows *rows)
{
	const struct report *report = input->report;
	struct store_unit unit = input->unit;

	if (report->outcome == OUTCOME_VERIFY_DIFFERS && report_unit_is_told(report->unit) &&
		strcmp(unit.sha256, report->sha256) == 0 && settle_distrust(&unit))
		rows->units[rows->n_units++] = unit;
}

bool settle_distrust(struct store_unit *unit)
{
	if (!unit->has_state || unit->state != UNIT_WHOLE)
		return false;
	unit->has_state = false;
	return true;
}

/* However the attempt ended: a faster way that failed did so, whatever came after it. */
static void settle_trusts(const struct settle_input *input, struct settled *ret)
{
	for (enum trust_way way = 0; way < TRUST_WAY_MAX; way++) {
		struct store_trust row = input->trusts[way];
		int news = *row.kind ? trust_learn(&row, way, input->report, input->now_ms)
				     : TRUST_NO_NEWS;

		if (news == TRUST_NO_NEWS)
			continue;
		ret->turned_off[way] = news == TRUST_TURNED_OFF;
		ret->rows.trusts[ret->rows.n_trusts++] = row;
	}
}

/*
 * What a signed image was proved with, and confirmed where the rule asks, is the lowest version
 * from now on. An image without a version says nothing.
 */
static void settle_floor(
	const struct settle_input *input, const struct end *end, struct store_rows *rows)
{
	const struct report *report = input->report;

	if (report->outcome != OUTCOME_UPDATED || end->goes_back || !*report->signer ||
		!*report->version)
		return;
	text_copy(rows->floor.board, sizeof(rows->floor.board), input->attempt->board);
	text_copy(rows->floor.version, sizeof(rows->floor.version), report->version);
	text_copy(rows->floor.image, sizeof(rows->floor.image), report->image);
	rows->floor.raised_ms = input->now_ms;
	rows->has_floor = true;
}

void settle(const struct settle_input *input, struct settled *ret)
{
	const struct attempt *attempt = input->attempt;
	const struct end end = look_at(input);
	struct store_unit unit = input->unit;
	struct store_rows *rows = &ret->rows;
	uint32_t most = attempt->policy.quarantine_after;

	*ret = (struct settled){.rollback = attempt->rollback};
	settle_attempt_row(attempt, input->facts, input->report, &rows->attempt);
	rows->attempt.ended_ms = input->now_ms;
	rows->has_attempt = true;
	if (!attempt_operation_writes(attempt->operation)) {
		settle_check(input, rows);
		return;
	}
	settle_trusts(input, ret);
	if (end.is_marked)
		text_copy(rows->attempt.key, sizeof(rows->attempt.key), unit.key);
	if (end.is_stranger) {
		rollback_enter(&ret->rollback, ROLLBACK_NONE);
		return;
	}
	settle_floor(input, &end, rows);
	settle_unit(input, &end, &unit);
	settle_rollback(input, &end, &unit, &ret->rollback);
	ret->again_usec = attempt->is_cancelled ? 0 : again_after(input, &end, &unit);
	if (ret->again_usec > 0)
		unit.not_before_ms = input->now_ms + (int64_t)(ret->again_usec / USEC_PER_MSEC);
	if (is_about_unit(input, &end)) {
		rows->units[rows->n_units++] = unit;
		settle_bridge(input, &end, &unit, rows);
	}
	/* Its value is in the flash, and verified. */
	if (end.is_whole && *input->report->unit_data && input->serial &&
		input->serial->written_ms == 0) {
		rows->serial = *input->serial;
		rows->serial.written_ms = input->now_ms;
		rows->has_serial = true;
	}
	/* It is left alone from now on; one that is to go back, only if that fails. */
	if (end.goes_back ? unit.rollback == ROLLBACK_FAILED && most > 0 && unit.failures >= most
			  : end.is_failure && unit.failures == most &&
				    ret->rollback.state != ROLLBACK_WANTED)
		ret->quarantined_after = unit.failures;
	if (end.is_drop && ret->again_usec > 0)
		ret->drops = unit.drops;
}
