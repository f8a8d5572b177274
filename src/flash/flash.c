/* SPDX-License-Identifier: MIT */
/*
 * flash.c - one job from its first question to the closed port.
 *
 * A pass takes the steps of a procedure once (procedure.h). A failure that a fresh reset may mend
 * is followed by another pass, at most `retries` of them, each after twice the pause of the one
 * before, and at the next rate of the rule where bytes were lost. Then the chip is left, whatever
 * happened, and the report is closed: finish.c, decision.c.
 */
#include "flash/flash.h"

#include <errno.h>

#include "base/clock.h"
#include "base/util.h"
#include "flash/decision.h"
#include "flash/finish.h"
#include "flash/identify.h"
#include "flash/image-check.h"
#include "flash/procedure-order.h"
#include "flash/procedure.h"
#include "flash/promotion.h"
#include "flash/recording.h"
#include "flash/trial.h"
#include "flash/watch.h"

/* Whether a fresh reset may help. */
static bool is_worth_a_retry(const struct run *run, enum outcome outcome)
{
	if (run->is_left || run->is_final)
		return false;
	switch (outcome) {
	case OUTCOME_NO_SYNC:
		return !run->entry.is_vain;
	case OUTCOME_ERASE_FAILED:
	case OUTCOME_WRITE_FAILED:
		return true;
	case OUTCOME_VERIFY_IMPOSSIBLE:
		return !run->cannot_compare;
	case OUTCOME_VERIFY_DIFFERS:
		return run->job->action == FLASH_UPDATE;
	case OUTCOME_FAILED:
		return run->report->error == 0 && !run->cannot_compare;
	case OUTCOME_UPDATED:
	case OUTCOME_CURRENT:
	case OUTCOME_BAD_CONFIG:
	case OUTCOME_NO_MATCH:
	case OUTCOME_AMBIGUOUS:
	case OUTCOME_NO_IMAGE:
	case OUTCOME_BAD_IMAGE:
	case OUTCOME_PORT_BUSY:
	case OUTCOME_PORT_GONE:
	case OUTCOME_WRONG_CHIP:
	case OUTCOME_PROTECTED:
	case OUTCOME_NOT_CONFIRMED:
	case OUTCOME_NOT_STARTED:
	case OUTCOME_CANCELLED:
	case OUTCOME_QUARANTINED:
	case OUTCOME_MAX:
		return false;
	}
	return false;
}

/*
 * An ESP is held in reset by the lines of a rule for another chip, and says nothing there: where
 * nobody answered the first pass, it may say what it is before the next one begins.
 */
static enum outcome look_for_others(struct run *run, enum outcome outcome)
{
	int r;

	if (outcome != OUTCOME_NO_SYNC || run->is_left || run->has_erased)
		return outcome;
	r = entry_look_for_others(&run->entry);
	return r == 0 ? outcome : run_fail_with(run, r, 0);
}

static enum outcome run_pass(struct run *run)
{
	enum outcome outcome = procedure_run(run);

	trial_note_end(run, outcome);
	return outcome;
}

static enum outcome run_passes(struct run *run)
{
	const struct board *board = run->job->board;
	uint64_t delay = board->retry_delay_usec;
	enum outcome outcome = look_for_others(run, run_pass(run));
	int r;

	for (uint32_t retry = 0; is_worth_a_retry(run, outcome);) {
		/* Neither was what a faster loader did. */
		bool is_given_up = promotion_give_up(run);
		uint64_t outlasts = promotion_outlasts(run, outcome);
		bool is_other = is_given_up || outlasts > 0;
		/* A rate that lost bytes once does so again: the next one, where the rule has it.
		 */
		bool is_slower =
			!is_other && outcome != OUTCOME_NO_SYNC && entry_step_down(&run->entry);
		/* One that the chip was brought to was a guess of ours, and no failed attempt. */
		bool is_free = is_other || (is_slower && run->has_lost && run->base->ops->set_baud);

		if (!is_free && retry++ >= board->retries)
			break;
		r = run_wait(run, is_other ? outlasts : delay);
		if (r < 0)
			return r == -ECANCELED ? OUTCOME_CANCELLED : outcome;
		if (!is_free)
			delay *= 2;
		run->report->has_address = false;
		run->has_lost = run->is_refused = false;
		reason_set(&run->report->reason, "%s", "");
		outcome = run_pass(run);
	}
	/* An earlier pass has written the image, and the last one found it whole. */
	return outcome == OUTCOME_CURRENT && run->has_erased ? OUTCOME_UPDATED : outcome;
}

static enum outcome open_and_run(struct run *run)
{
	const struct flash_job *job = run->job;
	const struct loader_ops *ops = job->loader ? job->loader : loader_of(job->board->protocol);
	bool is_identify = job->action == FLASH_IDENTIFY;
	enum answer_word ignored;
	enum outcome outcome;
	int r;

	if (is_identify && !board_can_identify(job->board, &run->report->reason))
		return OUTCOME_BAD_CONFIG;
	outcome = run_ask(run, QUESTION_OPEN, &ignored);
	if (outcome != GO_ON || is_identify)
		return outcome == GO_ON ? identify_run(run) : outcome;
	/* A unit's number is given once: only the service, which is asked, keeps which were given.
	 */
	if (job->board->serialize.form != PROVISION_NONE && !job->ask &&
		job->action == FLASH_UPDATE && !job->dry_run)
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the rule '%s' has `serialize`, and only the service keeps which unit has which data: let plugflashd flash it, or use a rule without that key",
			job->board->name);
	if (job->action == FLASH_READ && image_check_read(job->board, job->chips, job->read_address,
						 job->read_size, &run->report->reason) != 0)
		return OUTCOME_BAD_CONFIG;
	outcome = order_check_loader(run, ops);
	if (outcome == GO_ON)
		outcome = run_open_port(run);
	if (outcome != GO_ON)
		return outcome;
	run->expect.port = run->port;
	r = loader_open(
		&(struct loader){
			.ops = ops,
			.port = run->port,
			.expect = &run->expect,
			.board = job->board,
			.chips = job->chips,
			.trusts = &run->trusts,
		},
		&run->base);
	if (r < 0)
		return run_fail_with(run, r, 0);
	run->entry = (struct entry){
		.board = job->board,
		.wiring = &run->wiring,
		.chips = job->chips,
		.port = run->port,
		.expect = &run->expect,
		.is_guess = job->is_guess,
	};
	run->loader = run->entry.loader = run->base;
	return finish_run(run, run_passes(run));
}

enum outcome flash_run(const struct flash_job *job, struct report *report)
{
	struct run run = {
		.job = job,
		.report = report,
		.started = monotonic_usec(),
		.phase_started = monotonic_usec(),
		.trusts = job->trusts,
	};

	recording_begin(job, report);
	report->outcome = open_and_run(&run);
	decision_tell_erased(&run);
	run_set_phase(&run, report->phase);
	report->duration_ms = (monotonic_usec() - run.started) / USEC_PER_MSEC;
	run_switch_loader(&run, run.base);
	loader_close(run.base);
	port_close(run.port);
	plan_done(&run.plan);
	watch_done(&run.watch);
	run_forget_written(&run);
	report->proof = run.proof;
	if (outcome_to_exit_code(report->outcome) == 0 && !run.is_left)
		reason_set(&report->reason, "%s", "");
	recording_end(job, report);
	return report->outcome;
}
