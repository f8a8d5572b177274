/* SPDX-License-Identifier: MIT */
#include "target/ending.h"

#include <errno.h>
#include <inttypes.h>

#include "base/util.h"
#include "target/application.h"

static bool ended_well(enum outcome outcome)
{
	return outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT;
}

static enum entry_end end_of(const struct run *run, enum outcome outcome)
{
	if (ended_well(outcome))
		return ENTRY_END_WELL;
	/* Which address to start at is only known with the chip. */
	return run->has_erased || (run->protocol->identify && !run->identity.chip)
		       ? ENTRY_END_TORN
		       : ENTRY_END_INTACT;
}

/* Where the vector table is: in the image, by the rule, or where the flash begins. */
static uint32_t vectors_address(const struct run *run)
{
	const struct board *board = run->job->board;

	if (run->job->image && run->job->image->n_segments > 0)
		return run_image_start(run);
	if (board->has_address)
		return board->address;
	return run->identity.chip ? run->identity.chip->flash.start : 0;
}

/* An application that was not disturbed, or only looked at, need not say anything. */
static bool must_confirm(const struct run *run, enum outcome outcome)
{
	return ended_well(outcome) && run->entry.is_inside && run->job->board->confirm.pattern &&
	       run->job->action == FLASH_UPDATE && !run->job->dry_run;
}

static enum outcome confirm(struct run *run, enum outcome outcome)
{
	const struct board_confirm *wanted = &run->job->board->confirm;
	char said[TEXT_MAX], pattern[TEXT_MAX];
	int r;

	run_set_phase(run, PHASE_CONFIRM);
	r = application_confirm(&run->speech, run->job->board);
	/* The one line that it says may have been garbled, or the way it was started lost. */
	if (r == SPEECH_SILENT) {
		r = entry_leave_again(&run->entry, &wanted->line);
		if (r == 0)
			r = application_confirm(&run->speech, run->job->board);
	}
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == SPEECH_OK) {
		if (run->proof == RUN_PROOF_NONE)
			run->proof = RUN_PROOF_CONFIRM;
		return outcome;
	}
	speech_quote(&run->speech, said, sizeof(said));
	return run_fail(run, OUTCOME_NOT_CONFIRMED,
		"the image is in the flash, but within %" PRIu64 " ms the application did not say "
		"what fits '%s'%s%s%s: does it start, and is `confirm-baud` right?%s",
		wanted->within_usec / USEC_PER_MSEC,
		text_escape(wanted->pattern, pattern, sizeof(pattern)),
		said[0] ? "; it said '" : "", said, said[0] ? "'" : "",
		run->job->board->has_lines || wanted->query.n_bytes > 0
			? ""
			: " One that speaks once, right at its start, is missed: see "
			  "`confirm-query`.");
}

/* Written means verified: a loader's own word is enough only where the rule says so. */
static enum outcome weigh(struct run *run, enum outcome outcome)
{
	if (outcome != OUTCOME_UPDATED || !run->has_erased || run->proof != RUN_PROOF_NONE)
		return outcome;
	if (run->job->board->accept_unverified) {
		run->proof = RUN_PROOF_LOADER;
		return outcome;
	}
	return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
		"the boot loader says that it took the image, and it cannot be read back: give the "
		"rule a `confirm`, or `accept-unverified = yes`");
}

/* Gives the chip back to its application, whatever happened before. */
static enum outcome leave(struct run *run, enum outcome outcome)
{
	const struct board *board = run->job->board;
	enum entry_end end = end_of(run, outcome);
	bool confirms = must_confirm(run, outcome);
	uint32_t address = vectors_address(run);
	int r;

	if (end == ENTRY_END_WELL)
		run_set_phase(run, PHASE_LEAVE);
	r = entry_leave(&run->entry, end, address, confirms ? &board->confirm.line : NULL);
	/* What went wrong before is in the report already, with its phase. */
	if (end != ENTRY_END_WELL)
		return outcome;
	/* Some boards take the bridge away with the reset. What was read back stays so; whether
	 * the application starts is asked of nobody without `confirm`. */
	if (r == -ENODEV && run->proof != RUN_PROOF_NONE && !confirms)
		return outcome;
	if (r != 0)
		return run_fail_with(run, r, address);
	return confirms ? confirm(run, outcome) : outcome;
}

enum outcome ending_run(struct run *run, enum outcome outcome)
{
	if (outcome == OUTCOME_PORT_GONE)
		return outcome;
	return weigh(run, leave(run, outcome));
}
