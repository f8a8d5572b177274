/* SPDX-License-Identifier: MIT */
/*
 * trial.c - how far faster ways of writing are trusted on the chip that answers.
 *
 * The kind of the chip is known once it was identified, so the question comes then. Bursts are
 * harmless up to the first erase (an3155-memory.c): what is tried before the answer costs nothing.
 * A loader that has written in bursts on trial reads turn by turn from then on, so that the usual
 * verification is the second proof.
 *
 * One block that was not taken, or flash that differs behind bursts, may be the fault of cable or
 * flash as well. Nobody can tell here, and to do without costs a tenth of the time alone: it counts
 * against the bursts.
 */
#include "flash/trial.h"

enum trust trial_of_rule(enum board_use use)
{
	switch (use) {
	case BOARD_USE_AUTO:
		return TRUST_ON_TRIAL;
	case BOARD_USE_YES:
		return TRUST_FULL;
	case BOARD_USE_NO:
		break;
	}
	return TRUST_OFF;
}

/* What the record says of a way counts where the rule leaves it open. */
static enum trust settle_trust(enum board_use use, enum trust now)
{
	return use == BOARD_USE_AUTO ? now : trial_of_rule(use);
}

enum outcome trial_ask(struct run *run)
{
	const struct flash_job *job = run->job;
	enum answer_word ignored;
	enum outcome outcome;

	if (!job->asks_trust || run->has_asked_trust || !run->base->ops->has_trials)
		return GO_ON;
	run->has_asked_trust = true;
	/* A kind is told by it, too, whether the program is used in the end or not. */
	if (run->identity.can_promote)
		run->report->stub_version = run->base->ops->promote_version;
	outcome = run_ask(run, QUESTION_TRUST, &ignored);
	run->trusts.stub = settle_trust(job->board->stub, run->trusts.stub);
	run->trusts.bursts = settle_trust(job->board->bursts, run->trusts.bursts);
	return outcome;
}

enum outcome trial_note_bursts(struct run *run)
{
	struct report *report = run->report;
	bool is_proof = run->trusts.bursts == TRUST_ON_TRIAL && run->loader == run->base &&
			run->proof == PROOF_READ_BACK;

	if (run->base->has_burst && report->bursts_trial != TRIAL_FAILED)
		report->bursts_trial = is_proof ? TRIAL_PASSED : TRIAL_USED;
	return GO_ON;
}

void trial_note_end(struct run *run, enum outcome outcome)
{
	const struct loader *base = run->base;
	bool differs = outcome == OUTCOME_VERIFY_DIFFERS && base && base->has_burst;

	if (!base || !run->has_erased || (!differs && !base->has_lost_burst))
		return;
	run->report->bursts_trial = TRIAL_FAILED;
	run->trusts.bursts = TRUST_OFF;
}
