/* SPDX-License-Identifier: MIT */
#include "target/decision.h"

/* Without it nobody can say whether the unit holds what it is to hold. */
static bool lacks_unit_data(const struct run *run)
{
	return run->job->board->serialize.form != SERIALIZE_NONE && !run->has_unit_data;
}

enum outcome decision_make(struct run *run)
{
	bool writes_always = run->job->board->update == BOARD_UPDATE_ALWAYS;
	enum outcome outcome = GO_ON;

	if (!run->has_decided)
		outcome = run_ask(run, QUESTION_DECIDE, &run->decision);
	else if (run->decision != ANSWER_WRITE || !writes_always)
		run->decision = lacks_unit_data(run) ? ANSWER_WRITE : ANSWER_COMPARE;
	if (run->decision == ANSWER_GO)
		run->decision = writes_always ? ANSWER_WRITE : ANSWER_COMPARE;
	run->has_decided = true;
	return outcome;
}

enum outcome decision_begin_erase(struct run *run)
{
	enum answer_word ignored;
	enum outcome outcome = run_check_cancelled(run);

	if (outcome == GO_ON)
		outcome = run_ask(run, QUESTION_ERASE, &ignored);
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
	return GO_ON;
}
