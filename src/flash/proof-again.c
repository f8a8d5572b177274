/* SPDX-License-Identifier: MIT */
/*
 * proof-again.c - the loader in ROM looks at what a promoted one has written and proved.
 *
 * The program in the RAM writes the flash and says what is in it: one mistake of it, or a flash
 * that it reads through a cache, may stand behind both. The ROM shares neither its code nor, after
 * the reset, its state. It reads as it has always done, without bursts, so nothing that is on trial
 * judges itself.
 */
#include "flash/proof-again.h"

#include "flash/decision.h"
#include "flash/procedure.h"
#include "flash/verify.h"

enum outcome proof_read_whole(struct run *run)
{
	enum outcome outcome;
	uint64_t done = 0;

	run->trusts = (struct trusts){TRUST_OFF, TRUST_OFF};
	outcome = procedure_enter(run);
	if (outcome == GO_ON)
		outcome = decision_check_unit(run);
	if (outcome != GO_ON)
		return outcome;
	run_set_phase(run, PHASE_VERIFY);
	return verify_range(run, VERIFY_IMAGE, run_image_start(run), run_image_end(run), &done);
}

enum outcome proof_again(struct run *run)
{
	struct report *report = run->report;
	enum outcome outcome;

	if (run->loader == run->base || run->trusts.stub != TRUST_ON_TRIAL)
		return GO_ON;
	outcome = proof_read_whole(run);
	if (outcome == GO_ON) {
		report->stub_trial = TRIAL_PASSED;
		run->proof = verify_proof(run);
	} else if (outcome == OUTCOME_VERIFY_DIFFERS) {
		report->stub_trial = TRIAL_FAILED;
		run->proof = PROOF_NONE;
	}
	return outcome;
}

enum outcome proof_of_look(struct run *run)
{
	enum outcome outcome;

	if (run->loader == run->base || run->trusts.stub != TRUST_ON_TRIAL ||
		run->decision == ANSWER_FINGERPRINT)
		return GO_ON;
	outcome = proof_read_whole(run);
	if (outcome == GO_ON)
		run->proof = verify_proof(run);
	if (outcome != OUTCOME_VERIFY_DIFFERS)
		return outcome;
	/* Its sums were those of the image: what else it says is worth nothing. */
	run->report->stub_trial = TRIAL_FAILED;
	run->is_promotion_vain = true;
	run->proof = PROOF_NONE;
	run_forget_written(run);
	return outcome;
}
