/* SPDX-License-Identifier: MIT */
/*
 * procedure-range.c - a pass with a loader that reads, erases and writes at addresses.
 *
 * The table at the end of this file is the procedure; the functions before it are its steps. The
 * order is one of safety: nothing is erased before chip, unit, protection, pages and image were
 * checked and the service has the unit on record; the range that makes the flash startable is
 * erased first and written last, after all else was verified. Wherever the power fails, the chip
 * starts the old application, the new one, or none.
 */
#include "flash/procedure.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/decision.h"
#include "flash/erase.h"
#include "flash/image-check.h"
#include "flash/look.h"
#include "flash/options.h"
#include "flash/procedure-order.h"
#include "flash/promotion.h"
#include "flash/proof-again.h"
#include "flash/regions.h"
#include "flash/silicon.h"
#include "flash/spoken-run.h"
#include "flash/trial.h"
#include "flash/verify.h"
#include "flash/watch.h"
#include "flash/writing.h"

enum outcome procedure_check_chip(struct run *run)
{
	const struct board *board = run->job->board;
	const struct chip *chip = run->identity.chip;

	if (chip_is_one_of(chip, board->chip, board->n_chip))
		return GO_ON;
	return run_fail(run, OUTCOME_WRONG_CHIP,
		"the chip is a 0x%03x (%s), the rule '%s' wants %s%s%s", chip->product_id,
		chip->name, board->name, board->chip[0], board->n_chip > 1 ? " or others" : "",
		run->has_erased ? "" : ": nothing of it was erased");
}

/* What nobody can prove is done only where the rule is content with the loader's word. */
static enum outcome check_proof(struct run *run)
{
	const char *chip = run->identity.chip->name;
	enum flash_action action = run->job->action;

	if (!run->identity.proves_nothing ||
		(action == FLASH_UPDATE && run->job->board->verify <= PROOF_LOADER))
		return GO_ON;
	run->cannot_compare = true;
	if (action == FLASH_READ)
		return run_fail(run, OUTCOME_FAILED,
			"the boot loader of this %s does not let its flash be read", chip);
	if (action == FLASH_VERIFY)
		return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
			"the boot loader of this %s neither lets its flash be read nor computes a digest of it, so nothing can be compared",
			chip);
	return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
		"the boot loader of this %s neither lets its flash be read nor computes a digest of it, so nothing would prove what it wrote%s: give the rule `accept-unverified = yes` where its word is enough",
		chip, run->has_erased ? "" : "; nothing was erased");
}

/* The chip is the right one, and says itself why it is not to be touched. */
static enum outcome check_refusal(struct run *run)
{
	const struct chip_identity *identity = &run->identity;

	if (!*identity->refusal)
		return check_proof(run);
	return run_fail(run, identity->refusal_outcome, "%s%s", identity->refusal,
		run->has_erased ? "" : "; nothing of it was erased");
}

/* A probe tells what would stand against an update, and how it came in, and goes on. */
static enum outcome tell_more(struct run *run)
{
	const struct chip_identity *identity = &run->identity;
	const struct loader_ops *ops = run->base->ops;
	struct report *report = run->report;
	int r = 0;

	if (ops->describe && identity->chip && !identity->is_protected)
		r = ops->describe(run->base, run->identity.details);
	if (r < 0)
		return run_fail_with(run, r, 0);
	silicon_report(identity, report);
	if (*identity->refusal)
		text_copy(report->refusal, sizeof(report->refusal), identity->refusal);
	else if (identity->proves_nothing && run->job->board->verify > PROOF_LOADER)
		text_copy(report->refusal, sizeof(report->refusal),
			"its boot loader proves nothing of what it writes: a rule for it needs `accept-unverified = yes`");
	silicon_report_entry(&run->entry, report);
	return GO_ON;
}

static bool is_to_be_protected(const struct run *run)
{
	return run->job->board->readout_protection == BOARD_PROTECTION_SET &&
	       run->job->action == FLASH_UPDATE;
}

/* Newer families have no read-out protection that a boot loader could set (H5, AN3155 3.1). */
static enum outcome check_protection(struct run *run)
{
	if (!is_to_be_protected(run) || (run->base->ops->protect && run->identity.can_protect))
		return GO_ON;
	return run_fail(run, OUTCOME_BAD_CONFIG,
		"the boot loader of this %s does not list Readout Protect, and the rule '%s' says `readout-protection = set`: nothing was erased",
		run->identity.chip->name, run->job->board->name);
}

/* GO_ON where the protection is to be taken away. */
static enum outcome decide_on_protected(struct run *run)
{
	const struct flash_job *job = run->job;
	enum outcome outcome;

	/* By an earlier pass of this job, after it had verified the image. */
	if (run->has_protected)
		return OUTCOME_CURRENT;
	/* A protected flash cannot be compared: the unit is written, unless the service has on
	 * record what it holds. */
	if (is_to_be_protected(run)) {
		outcome = decision_make(run);
		return outcome == GO_ON && job->dry_run ? OUTCOME_UPDATED : outcome;
	}
	if (job->board->readout_protection == BOARD_PROTECTION_CLEAR &&
		job->action == FLASH_UPDATE && !job->dry_run && run->loader->ops->unprotect)
		return GO_ON;
	if (run->has_erased)
		return run_fail(run, OUTCOME_PROTECTED,
			"the chip refuses to have its flash read, which it did not before: check cable and power");
	return run_fail(run, OUTCOME_PROTECTED,
		"read-out protection is on, so the flash cannot be read; an update with `readout-protection = clear` would take it away, and all that the chip holds with it");
}

/* Removing the protection wipes the flash and resets the chip, so the loader is entered again. */
enum outcome procedure_lift_protection(struct run *run)
{
	enum outcome outcome;
	int r = run->loader->ops->unprotect(run->loader);

	if (r != 0)
		return run_fail_with(run, r, run->identity.chip->flash.start);
	/* Some ROMs acknowledge before they erase (stm32-rom.md 9). */
	r = port_wait(run->port, run->identity.chip->mass_erase_usec);
	if (r < 0)
		return run_fail_with(run, r, 0);
	outcome = procedure_enter(run);
	if (outcome == GO_ON)
		outcome = procedure_check_chip(run);
	if (outcome == OUTCOME_PORT_GONE || outcome == OUTCOME_WRONG_CHIP)
		return outcome;
	if (outcome != GO_ON)
		return run_fail(run, OUTCOME_ERASE_FAILED,
			"no boot loader answered after the read-out protection was taken away");
	if (run->identity.is_protected)
		return run_fail(run, OUTCOME_PROTECTED,
			"read-out protection is still on after it was taken away: take the board off its power and on again, which some chips need (STM32WB55)");
	run->entry.stays_inside = run->identity.stays_inside;
	return GO_ON;
}

static enum outcome unprotect(struct run *run)
{
	enum outcome outcome;

	if (!run->identity.is_protected)
		return GO_ON;
	outcome = decide_on_protected(run);
	if (outcome == GO_ON)
		outcome = decision_begin_erase(run);
	return outcome == GO_ON ? procedure_lift_protection(run) : outcome;
}

/* The chip itself may have less flash than the largest of its id. */
static enum outcome check_image(struct run *run)
{
	int r = image_check_chip(run->job->board, run->identity.chip, run->identity.flash_bytes,
		run->job->image, &run->report->reason);

	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == OUTCOME_BAD_IMAGE)
		report_name_image(run->report);
	return r == 0 ? GO_ON : (enum outcome)r;
}

/* A digest of what lies behind the end of a flash is right, and what is at its start is gone. */
static enum outcome check_end(struct run *run, bool is_written)
{
	const struct chip *chip = run->identity.chip;
	struct reason why = {""};
	struct look look;
	int r;

	if (!chip->family->check_end)
		return GO_ON;
	look_begin(run, &look);
	r = chip->family->check_end(chip, &look.flash, run->job->image, is_written, &why);
	if (look.outcome != GO_ON)
		return look.outcome;
	if (r < 0)
		return run_fail_with(run, r, 0);
	return r == IMAGE_OK ? GO_ON
			     : run_fail(run, OUTCOME_FAILED, "%s%s", why.text,
				       run->has_erased ? "" : "; nothing of it was erased");
}

static enum outcome check_end_again(struct run *run)
{
	return check_end(run, true);
}

/* What a chip had is known before the first erase alone. */
static void take_notes(struct run *run, const struct family_notes *notes)
{
	struct report *report = run->report;

	if (run->has_erased)
		return;
	text_copy(report->remark, sizeof(report->remark), notes->remark.text);
	text_copy(report->kept, sizeof(report->kept), notes->kept);
}

/*
 * The layout of some chips is in their own flash: it says where an image belongs, and whether it
 * would be started at all. The image is checked once more at the place that it has then.
 */
static enum outcome fit(struct run *run)
{
	const struct chip *chip = run->identity.chip;
	struct family_notes notes = {0};
	enum outcome outcome;
	struct look look;
	int r;

	if (!chip->family->fit)
		return GO_ON;
	run_set_phase(run, PHASE_COMPARE);
	look_begin(run, &look);
	look.flash.notes = &notes;
	r = chip->family->fit(
		run->job->board, chip, &look.flash, run->job->image, &run->report->reason);
	if (look.outcome != GO_ON)
		return look.outcome;
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == FAMILY_FIT_OK) {
		take_notes(run, &notes);
		outcome = check_image(run);
		return outcome == GO_ON ? check_end(run, false) : outcome;
	}
	report_name_image(run->report);
	/* Behind an erase that outcome means that the pages are not those of the chip table. */
	if (r == FAMILY_FIT_RULE)
		return run->has_erased ? OUTCOME_FAILED : OUTCOME_BAD_CONFIG;
	return OUTCOME_BAD_IMAGE;
}

/*
 * By a sample where the service has on record that it may be one. Before the flash is protected or
 * option bytes are written it is compared in full: nobody may be able to later.
 */
static enum outcome compare(struct run *run)
{
	bool in_full = run->decision != ANSWER_FINGERPRINT || is_to_be_protected(run) ||
		       run->options.differ;
	const struct loader_ops *ops = run->loader->ops;
	enum proof proof = verify_proof(run);
	bool by_runs = run->job->action == FLASH_UPDATE &&
		       (ops->finds_pages || (ops->proves_runs && proof == PROOF_DIGEST));
	/* What differs is known by digests, and the rule wants every byte to be seen. */
	bool reads_too = by_runs && proof == PROOF_READ_BACK;
	const struct provision *serialize = &run->job->board->serialize;
	uint64_t done = 0;
	enum outcome outcome;

	run_set_phase(run, PHASE_COMPARE);
	if (by_runs)
		outcome = regions_compare(run, &done);
	if (by_runs && outcome == GO_ON && reads_too)
		done = 0;
	if (!by_runs || (outcome == GO_ON && reads_too))
		outcome = verify_range(run, in_full ? VERIFY_IMAGE : VERIFY_SAMPLE,
			run_image_start(run), run_image_end(run), &done);
	if (outcome == GO_ON && !in_full && !by_runs && run->has_unit_data)
		outcome = verify_range(run, VERIFY_IMAGE, serialize->address,
			(uint64_t)serialize->address + serialize->size, &done);
	run->report->bytes = done;
	if (outcome == GO_ON)
		run->proof = proof;
	else if (outcome == OUTCOME_VERIFY_DIFFERS)
		run->proof = PROOF_NONE;
	return outcome;
}

/*
 * Protects the flash, after every byte of it was verified. The chip resets (AN3155 3.11); entered
 * once more, it must refuse to be read.
 */
static enum outcome protect(struct run *run)
{
	const struct chip *chip = run->identity.chip;
	enum outcome entered;
	int r;

	if (!is_to_be_protected(run) || run->job->dry_run)
		return GO_ON;
	if (!run->loader->ops->protect) {
		/* A promoted loader is content with less; the one below it can do it. */
		entered = procedure_enter(run);
		if (entered == GO_ON)
			entered = decision_check_unit(run);
		if (entered != GO_ON)
			return entered;
	}
	run_set_phase(run, PHASE_PROTECT);
	run->has_protected = true;
	r = run->loader->ops->protect(run->loader);
	/* Without lines this reset, which the chip makes by itself, is the only way back. */
	if (r == 0)
		r = port_wait(run->port, chip->startup_usec);
	if (r != 0)
		return run_fail_with(run, r, chip->flash.start);
	entered = procedure_enter(run);
	if (entered == OUTCOME_PORT_GONE)
		return entered;
	run_set_phase(run, PHASE_PROTECT);
	if (entered != GO_ON)
		return run_fail(run, OUTCOME_FAILED,
			"the image is in the flash and verified; the chip took the read-out protection, and no boot loader answered after the reset that follows");
	if (!run->identity.is_protected)
		return run_fail(run, OUTCOME_FAILED,
			"the image is in the flash and verified; the chip acknowledged the read-out protection, and its flash can still be read");
	return GO_ON;
}

/* The flash was as it should be: nothing of it was written. */
static enum outcome end_with_options(struct run *run)
{
	run->report->bytes = 0;
	return OUTCOME_UPDATED;
}

/*
 * To write without a look saves one that takes half as long as to write. Where a look costs little
 * it spares most of a unit that was torn, unless all of it is wanted anew, or what the unit is to
 * have for itself is not known yet.
 */
static bool is_written_unseen(const struct run *run)
{
	const struct board *board = run->job->board;

	return run->decision == ANSWER_WRITE &&
	       (!run->loader->ops->finds_pages || board->update == BOARD_UPDATE_ALWAYS ||
		       (board->serialize.form != PROVISION_NONE && !run->has_unit_data));
}

/* GO_ON where the image is to be written: a difference is the reason for it, not a failure. */
static enum outcome decide(struct run *run)
{
	enum outcome outcome = decision_make(run);

	run_forget_written(run);
	if (outcome != GO_ON || is_written_unseen(run) || run->identity.proves_nothing)
		return outcome;
	outcome = compare(run);
	/* An earlier pass may have erased, and have been given up behind the last write. */
	if (outcome == GO_ON && run->has_erased && !run->watch.is_checked)
		outcome = watch_check(run);
	if (outcome == GO_ON)
		outcome = proof_of_look(run);
	if (outcome == GO_ON)
		outcome = options_settle(run);
	if (outcome == GO_ON)
		outcome = protect(run);
	if (outcome == GO_ON)
		return run->has_changed ? end_with_options(run) : OUTCOME_CURRENT;
	if (outcome != OUTCOME_VERIFY_DIFFERS)
		return outcome;
	run->report->has_address = false;
	run->report->bytes = 0;
	reason_set(&run->report->reason, "%s", "");
	return GO_ON;
}

/* ------------------------------------------------------------------ writing */

/* Erases the plan; the page that makes the flash startable goes first. */
static enum outcome erase(struct run *run)
{
	const struct chip *chip = run->identity.chip;
	struct plan *plan = &run->plan;
	enum outcome outcome;
	int r;

	plan_done(plan);
	run->first_unit = (struct chip_range){0};
	run->was_repeated = false;
	r = plan_erase(chip, run->identity.flash_bytes, run_written(run), &run->job->board->keep,
		plan, &run->report->reason);
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r > 0) {
		report_name_image(run->report);
		return OUTCOME_BAD_IMAGE;
	}
	outcome = erase_choose_way(run, plan);
	if (outcome == GO_ON)
		outcome = erase_check_keep(run);
	if (outcome == GO_ON)
		outcome = erase_find_blank(run);
	if (outcome == GO_ON)
		outcome = watch_take(run);
	if (outcome == GO_ON)
		outcome = decision_begin_erase(run);
	if (outcome == GO_ON)
		outcome = promotion_begin_erase(run);
	if (outcome != GO_ON)
		return outcome;
	run_tell_progress(run, 0, plan->n_pages);
	outcome = erase_planned(run);
	if (outcome != GO_ON)
		return outcome;
	run->report->mass_erased = run->report->mass_erased || plan->mass;
	run->report->pages_erased = erase_count(run);
	run_tell_progress(run, plan->n_pages, plan->n_pages);
	return erase_check_blank(run);
}

static enum outcome read_flash(struct run *run)
{
	const struct flash_job *job = run->job;
	const struct chip *chip = run->identity.chip;
	uint32_t address = job->read_size ? job->read_address : chip->flash.start;
	uint32_t size = job->read_size ? job->read_size : run->identity.flash_bytes;
	CLEANUP(freep) uint8_t *bytes = malloc(size > 0 ? size : 1);
	enum outcome outcome;

	if (size == 0)
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the chip table does not say how much flash %s has: add `flash` in chips.d",
			chip->name);
	if (image_check_read_chip(
		    chip, run->identity.flash_bytes, address, size, &run->report->reason) != 0)
		return OUTCOME_BAD_CONFIG;
	if (!bytes)
		return run_fail_with(run, -ENOMEM, address);
	run->cannot_compare = !run->loader->ops->read;
	if (run->cannot_compare)
		return run_fail(run, OUTCOME_FAILED,
			"this boot loader computes digests of its flash and does not let it be read");
	for (uint32_t done = 0, n; done < size; done += n) {
		uint32_t most = run->loader->ops->block_size;
		int r;

		n = size - done < most ? size - done : most;
		outcome = run_check_block(run);
		if (outcome != GO_ON)
			return outcome;
		r = run->loader->ops->read(run->loader, address + done, bytes + done, n);
		if (r != 0)
			return run_fail_with(run, r, address + done);
		run_tell_progress(run, done + n, size);
	}
	run->report->bytes = size;
	*job->ret_read = TAKE_PTR(bytes);
	*job->ret_read_size = size;
	return GO_ON;
}

const struct step procedure_range[] = {
	{PHASE_NONE, STEP_PROBE, spoken_run_ask},
	{PHASE_NONE, STEP_ALWAYS, procedure_enter},
	{PHASE_NONE, STEP_BUT_PROBE | STEP_ORDER, procedure_check_chip},
	{PHASE_NONE, STEP_PROBE, tell_more},
	{PHASE_NONE, STEP_BUT_PROBE, check_refusal},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN | STEP_ORDER, decision_check_unit},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN, check_protection},
	{PHASE_NONE, STEP_BUT_PROBE, unprotect},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN, erase_check_pages},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN | STEP_VERIFY, check_image},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN | STEP_VERIFY | STEP_OPTIONS, options_look},
	{PHASE_NONE, STEP_OPTIONS, options_settle},
	{PHASE_NONE, STEP_OPTIONS, options_show},
	{PHASE_NONE, STEP_UPDATE | STEP_VERIFY, trial_ask},
	{PHASE_NONE, STEP_BUT_PROBE, promotion_try},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN | STEP_VERIFY, fit},
	{PHASE_READ, STEP_READ, read_flash},
	{PHASE_NONE, STEP_VERIFY, compare},
	{PHASE_NONE, STEP_VERIFY, proof_of_look},
	{PHASE_NONE, STEP_VERIFY, options_compare},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN, decide},
	{PHASE_NONE, STEP_UPDATE, run_check_cancelled},
	{PHASE_NONE, STEP_UPDATE, erase},
	{PHASE_WRITE, STEP_UPDATE, writing_write_rest},
	{PHASE_VERIFY, STEP_UPDATE, writing_verify_rest},
	{PHASE_VERIFY, STEP_UPDATE, check_end_again},
	{PHASE_WRITE, STEP_UPDATE, writing_write_start},
	{PHASE_VERIFY, STEP_UPDATE, writing_verify_start},
	{PHASE_NONE, STEP_UPDATE, promotion_note_use},
	{PHASE_NONE, STEP_UPDATE, watch_check},
	{PHASE_NONE, STEP_UPDATE, trial_note_bursts},
	{PHASE_NONE, STEP_UPDATE, proof_again},
	{PHASE_NONE, STEP_UPDATE, options_settle},
	{PHASE_NONE, STEP_UPDATE, protect},
	{PHASE_NONE, STEP_ERASE, order_erase},
	{PHASE_NONE, STEP_START, order_start},
	{PHASE_NONE, STEP_PROTECT, order_protect},
	{PHASE_NONE, STEP_UNPROTECT, order_unprotect},
	{PHASE_NONE, STEP_WRITE_UNPROTECT, order_write_unprotect},
	{0},
};
