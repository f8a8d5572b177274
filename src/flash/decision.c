/* SPDX-License-Identifier: MIT */
/*
 * decision.c - what a job does with its unit, and how it may come to an erase.
 *
 * The service is asked twice: what to do with the unit, once a job, and whether it may be erased,
 * once for each unit that is. Between the passes of a job somebody may put another board behind
 * the bridge: each pass compares who answers with the unit that was decided on or erased, and
 * leaves another one alone. At the end the report names the unit that was erased, and says so where
 * no proof came after the erase.
 */
#include "flash/decision.h"

#include <string.h>

#include "flash/silicon.h"

/* Without its own data nobody can say whether the unit holds what it is to hold. */
static bool lacks_unit_data(const struct run *run)
{
	return run->job->board->serialize.form != PROVISION_NONE && !run->has_unit_data;
}

enum outcome decision_make(struct run *run)
{
	bool writes_always = run->job->board->update == BOARD_UPDATE_ALWAYS;
	enum outcome outcome = GO_ON;

	/* A chip that was wiped to lift its protection holds nothing that could be left alone. */
	if (!run->has_decided && run->has_erased)
		run->decision = ANSWER_WRITE;
	else if (!run->has_decided)
		outcome = run_ask(run, QUESTION_DECIDE, &run->decision);
	else if (run->decision != ANSWER_WRITE || !writes_always)
		run->decision = lacks_unit_data(run) ? ANSWER_WRITE : ANSWER_COMPARE;
	if (run->decision == ANSWER_GO)
		run->decision = writes_always ? ANSWER_WRITE : ANSWER_COMPARE;
	run->has_decided = true;
	run->decided = run->identity;
	return outcome;
}

enum outcome decision_begin_erase(struct run *run)
{
	/* The service has it on record already that this unit is being written. */
	bool is_on_record =
		run->has_erased && strcmp(run->erased.unique_id, run->identity.unique_id) == 0;
	enum outcome outcome = run_check_cancelled(run);
	enum answer_word ignored;

	if (outcome == GO_ON && !is_on_record)
		outcome = run_ask(run, QUESTION_ERASE, &ignored);
	/* What this job has erased it finishes, whoever wants it to stop. */
	if (outcome == OUTCOME_CANCELLED && run->has_erased) {
		run->is_left = false;
		outcome = GO_ON;
	}
	if (outcome != GO_ON)
		return outcome;
	/* A protected chip says which one it is when it is wiped, and then this is asked again. */
	if (lacks_unit_data(run) && !run->identity.is_protected)
		return run_fail(run, OUTCOME_FAILED,
			"nobody has given the unit what `serialize` of the rule '%s' wants for it",
			run->job->board->name);
	run_set_phase(run, PHASE_ERASE);
	run->has_erased = true;
	run->has_protected = false;
	run->proof = PROOF_NONE;
	run->erased = run->identity;
	run->report->has_erased = true;
	return GO_ON;
}

static const char *name_of(const struct chip_identity *identity)
{
	return *identity->unique_id ? identity->unique_id : "without an id";
}

enum outcome decision_check_unit(struct run *run)
{
	const struct chip_identity *known = run->has_erased ? &run->erased : &run->decided;
	const struct chip_identity *now = &run->identity;

	if (!run->has_decided && !run->has_erased)
		return GO_ON;
	/* Without an id of both of them the product id is all there is to compare. */
	if (known->product_id != now->product_id ||
		(*known->unique_id && *now->unique_id &&
			strcmp(known->unique_id, now->unique_id) != 0)) {
		run->is_left = true;
		return run_fail(run, OUTCOME_FAILED,
			"%s answers now in the place of the unit %s, and was not touched: were boards changed behind the bridge?",
			name_of(now), name_of(known));
	}
	/* Without its id nobody could say which unit is on record, nor whose flash a rule that
	 * clears or sets the protection would wipe. */
	if (*known->unique_id && !*now->unique_id && !run->has_protected)
		return run_fail(run, OUTCOME_FAILED,
			now->is_protected
				? "the unit %s refuses to have its flash read, which it did not before: check cable and power"
				: "the unit %s does not say its unique id any more: check cable and power",
			known->unique_id);
	return GO_ON;
}

/* The report is about the unit that was erased, also where another one answered after it. */
static void name_erased(struct run *run)
{
	const struct chip_identity *erased = &run->erased;
	struct report *report = run->report;
	bool is_other = report->product_id != erased->product_id ||
			(*report->unit && *erased->unique_id &&
				strcmp(report->unit, erased->unique_id) != 0);

	if (!erased->chip || (!is_other && (*report->unit || !*erased->unique_id)))
		return;
	if (is_other) {
		report->has_other = true;
		report->other_product_id = report->product_id;
		snprintf(report->other_unit, sizeof(report->other_unit), "%s", report->unit);
	}
	report->product_id = erased->product_id;
	report->is_protected = erased->is_protected;
	report->flash_bytes = erased->flash_bytes;
	silicon_report(erased, report);
	snprintf(report->chip, sizeof(report->chip), "%s", erased->chip->name);
	snprintf(report->unit, sizeof(report->unit), "%s", erased->unique_id);
}

void decision_tell_erased(struct run *run)
{
	const struct reason why = run->report->reason;

	if (!run->has_erased)
		return;
	name_erased(run);
	if (run->proof != PROOF_NONE || !*why.text)
		return;
	reason_set(&run->report->reason,
		"%s; the unit%s%s was erased and is not known to hold a whole image", why.text,
		*run->erased.unique_id ? " " : "", run->erased.unique_id);
}
