/* SPDX-License-Identifier: MIT */
#include "target/decision.h"

#include <string.h>

/* Without it nobody can say whether the unit holds what it is to hold. */
static bool lacks_unit_data(const struct run *run)
{
	return run->job->board->serialize.form != SERIALIZE_NONE && !run->has_unit_data;
}

enum outcome decision_make(struct run *run)
{
	bool writes_always = run->job->board->update == BOARD_UPDATE_ALWAYS;
	enum outcome outcome = GO_ON;

	/* What was wiped to take its protection off holds nothing that could be left alone. */
	if (!run->has_decided && run->has_erased)
		run->decision = ANSWER_WRITE;
	else if (!run->has_decided)
		outcome = run_ask(run, QUESTION_DECIDE, &run->decision);
	else if (run->decision != ANSWER_WRITE || !writes_always)
		run->decision = lacks_unit_data(run) ? ANSWER_WRITE : ANSWER_COMPARE;
	if (run->decision == ANSWER_GO)
		run->decision = writes_always ? ANSWER_WRITE : ANSWER_COMPARE;
	run->has_decided = true;
	return outcome;
}

/* The service has it on record already that this unit is being written. */
static bool is_on_record(const struct run *run)
{
	return run->has_erased && strcmp(run->erased_unit, run->identity.unique_id) == 0;
}

/* Where it was erased before, the wish to stop is no answer any more. */
static enum outcome ask_for_erase(struct run *run)
{
	enum answer_word ignored;
	enum outcome outcome;

	if (is_on_record(run))
		return GO_ON;
	outcome = run_ask(run, QUESTION_ERASE, &ignored);
	if (outcome != OUTCOME_CANCELLED || !run->has_erased)
		return outcome;
	run->is_left = false;
	return GO_ON;
}

enum outcome decision_begin_erase(struct run *run)
{
	enum outcome outcome = run_check_cancelled(run);

	if (outcome == GO_ON)
		outcome = ask_for_erase(run);
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
	snprintf(run->erased_unit, sizeof(run->erased_unit), "%s", run->identity.unique_id);
	return GO_ON;
}

enum outcome decision_check_unit(struct run *run)
{
	const char *unit = run->identity.unique_id;
	char other[sizeof(run->erased_unit)];

	if (!run->has_erased || !*run->erased_unit || !*unit || strcmp(run->erased_unit, unit) == 0)
		return GO_ON;
	snprintf(other, sizeof(other), "%s", unit);
	snprintf(run->report->unit, sizeof(run->report->unit), "%s", run->erased_unit);
	run->is_left = true;
	return run_fail(run, OUTCOME_FAILED,
		"the unit %s was erased, and in its place %s answers now, which was not touched: "
		"were boards changed behind the bridge? The first one holds no application",
		run->erased_unit, other);
}
