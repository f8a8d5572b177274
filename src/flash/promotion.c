/* SPDX-License-Identifier: MIT */
/*
 * promotion.c - whether a faster loader takes the place of the one that was met, and what becomes
 * of the job where that was a mistake.
 *
 * A program of ours in the chip's RAM is a guest: before the first erase any doubt of it costs a
 * reset and nothing else, and behind it a torn flash, which the loader in ROM fills as it does
 * behind any other interruption. So each failure of a pass in which it spoke is followed by a pass
 * without it, in the same job, which counts as no retry: the unit is not to have less than it would
 * have had without the attempt to be faster. Excepted is what the chip itself refuses, since it
 * refuses that to everybody.
 *
 * The way back is a reset. Where the rule has lines that are not wired, the program is still there
 * behind it, and ends by itself: that is waited for once. Where no line makes one by the rule, a
 * program that hangs costs a person who takes the board off its power: it is not loaded there,
 * unless the rule wants it in so many words.
 */
#include "flash/promotion.h"

#include <stdarg.h>

#include "base/util.h"
#include "flash/decision.h"
#include "flash/procedure.h"

static void PRINTF_LIKE(2, 3) tell(struct run *run, const char *format, ...)
{
	char text[sizeof(run->report->reason.text)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_copy(run->report->stub, sizeof(run->report->stub), text);
}

/* How many bytes of flash the job is about. */
static uint64_t count_bytes(const struct run *run)
{
	const struct flash_job *job = run->job;

	if (job->action != FLASH_READ)
		return image_bytes(job->image);
	return job->read_size > 0 ? job->read_size : run->identity.flash_bytes;
}

/* Whether this job may load it; else why not. */
static bool is_wanted(const struct run *run, struct reason *why)
{
	const struct board *board = run->job->board;
	const struct loader_ops *ops = run->base->ops;

	if (run->trusts.stub == TRUST_OFF && board->stub == BOARD_USE_NO)
		return reason_refuse(false, why, "the rule says `stub = no`");
	if (run->trusts.stub == TRUST_OFF)
		return reason_refuse(false, why,
			"it is turned off for this kind of chip on this host (plugflash status says why)");
	/* What it writes on trial the ROM looks at, and what it reads there nobody does. */
	if (run->job->action == FLASH_READ && run->trusts.stub != TRUST_FULL)
		return reason_refuse(false, why,
			"it is on trial, and nobody would prove what it reads; `stub = yes` uses it all the same");
	if (count_bytes(run) < ops->promote_from)
		return reason_refuse(false, why, "it pays from %u bytes on", ops->promote_from);
	if (!board->has_lines && board->stub != BOARD_USE_YES)
		return reason_refuse(false, why,
			"no line of the rule resets the chip, so one that hangs would need its power off and on; `stub = yes` uses it all the same");
	return true;
}

/* The chip was reset: the one in ROM answers, and the unit is the one that was decided on. */
static enum outcome return_to_base(struct run *run)
{
	enum outcome outcome = procedure_enter(run);

	if (outcome == GO_ON)
		outcome = procedure_check_chip(run);
	return outcome == GO_ON ? decision_check_unit(run) : outcome;
}

enum outcome promotion_try(struct run *run)
{
	struct loader *base = run->base, *faster;
	struct reason why = {""};
	int r;

	if (!base->ops->promote || !run->identity.can_promote || run->is_promotion_vain)
		return GO_ON;
	if (!is_wanted(run, &why)) {
		/* Behind the proof of a trial nothing but the ROM is trusted: that is no news. */
		if (*run->report->stub)
			return GO_ON;
		tell(run, "not used: %s", why.text);
		return GO_ON;
	}
	r = base->ops->promote(base, &run->identity, &why, &faster);
	if (r < 0)
		return run_fail_with(run, r, 0);
	run->may_outlast = !loader_is_refusal(r);
	tell(run, r == 0 ? "used: %s" : "not used: %s", why.text);
	if (r == 0)
		run_switch_loader(run, faster);
	if (r == 0 || loader_is_refusal(r))
		return GO_ON;
	run->is_promotion_vain = true;
	return return_to_base(run);
}

enum outcome promotion_begin_erase(struct run *run)
{
	uint32_t start = run->identity.chip->flash.start;
	uint8_t ignored[8];
	int r = 0;

	if (run->loader == run->base)
		return GO_ON;
	if (run->loader->ops->read)
		r = run->loader->ops->read(run->loader, start, ignored, sizeof(ignored));
	if (r != 0)
		return run_fail_with(run, r, start);
	run->has_promoted_erased = true;
	return GO_ON;
}

bool promotion_give_up(struct run *run)
{
	bool is_disproved = run->report->stub_trial == TRIAL_FAILED;

	if (run->is_promotion_vain || (run->loader == run->base && !is_disproved) ||
		run->is_refused)
		return false;
	run->is_promotion_vain = true;
	if (run->has_promoted_erased)
		run->report->stub_trial = TRIAL_FAILED;
	tell(run, "given up %s the erase: %s", run->has_promoted_erased ? "behind" : "before",
		run->report->reason.text);
	return true;
}

/* The program resets the chip by itself after 10 s without a word (stub-load.c). */
#define OUTLASTS_USEC (11 * USEC_PER_SEC)

uint64_t promotion_outlasts(struct run *run, enum outcome outcome)
{
	if (outcome != OUTCOME_NO_SYNC || !run->may_outlast || run->loader != run->base)
		return 0;
	run->may_outlast = false;
	return OUTLASTS_USEC;
}

enum outcome promotion_note_use(struct run *run)
{
	if (run->loader != run->base && run->report->stub_trial == TRIAL_NONE)
		run->report->stub_trial = TRIAL_USED;
	return GO_ON;
}

bool promotion_hides_start(const struct run *run)
{
	const struct board *board = run->job->board;

	if (run->loader == run->base || run->loader->ops->start || !run->base->ops->start ||
		!run->entry.is_inside || board->start == BOARD_START_NONE)
		return false;
	return board->start == BOARD_START_GO || run->entry.stays_inside || !board->has_lines;
}
