/* SPDX-License-Identifier: MIT */
#include "flash/flash.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "flash/decision.h"
#include "flash/erase.h"
#include "flash/finish.h"
#include "flash/image-check.h"
#include "flash/procedure-file.h"
#include "flash/run.h"
#include "flash/transfer.h"
#include "flash/writing.h"

/* ------------------------------------------------------------------ who is there */

static bool chip_is_expected(const struct board *board, const struct chip *chip)
{
	for (size_t i = 0; i < board->n_chip; i++)
		if (chip_is_named(chip, board->chip[i]))
			return true;
	return false;
}

static enum outcome refuse_chip(struct run *run)
{
	const struct identity *identity = &run->identity;

	if (!identity->chip)
		return run_fail(run, OUTCOME_WRONG_CHIP,
			"the chip says product id 0x%03x, which the chip table does not know%s: is "
			"it the right board? else add it to chips.d",
			identity->product_id, run->has_erased ? "" : "; nothing of it was erased");
	return run_fail(run, OUTCOME_WRONG_CHIP,
		"the chip is a 0x%03x (%s), the rule '%s' wants %s%s%s", identity->product_id,
		identity->chip->name, run->job->board->name, run->job->board->chip[0],
		run->job->board->n_chip > 1 ? " or others" : "",
		run->has_erased ? "" : ": nothing of it was erased");
}

static void report_identity(struct run *run)
{
	struct report *report = run->report;
	const struct identity *identity = &run->identity;

	report->baud = run->entry.baud;
	snprintf(report->entered, sizeof(report->entered), "%s",
		entry_way_to_string(run->entry.way));
	if (!run->loader->ops->identify)
		return;
	report->is_protected = identity->is_protected;
	/* A chip that was just protected does not say again which one it is. */
	if (run->has_protected && identity->is_protected)
		return;
	report->has_product_id = true;
	report->product_id = identity->product_id;
	report->bootloader_version = identity->bootloader_version;
	if (!identity->chip)
		return;
	snprintf(report->chip, sizeof(report->chip), "%s", identity->chip->name);
	snprintf(report->unit, sizeof(report->unit), "%s", identity->unique_id);
	report->flash_bytes = identity->flash_bytes;
}

static enum outcome step_enter(struct run *run)
{
	struct identity *identity = &run->identity;
	int r;

	*identity = (struct identity){0};
	/* Torn, there is no application any more that a command could be for. */
	run->entry.has_no_application = run->has_erased && !run->has_protected;
	r = entry_enter(&run->entry, identity, run_set_phase, run, &run->report->reason);
	run->report->attempts = run->entry.n_resets;
	if (r == 0 || r == LOADER_UNKNOWN_CHIP)
		report_identity(run);
	if (r == LOADER_UNKNOWN_CHIP)
		return run->job->action == FLASH_PROBE ? GO_ON : refuse_chip(run);
	if (r < 0 && run->report->reason.text[0] && r != -ENODEV) {
		run->report->error = -r;
		return OUTCOME_FAILED; /* with the reason of port_configure() */
	}
	if (r != 0)
		return run_fail_with(run, r, 0);
	/* What this job erased itself says nothing of the flag. */
	if (!run->has_erased)
		run->entry.stays_inside = identity->stays_inside;
	run_set_budget(run);
	return GO_ON;
}

static enum outcome step_check_chip(struct run *run)
{
	return chip_is_expected(run->job->board, run->identity.chip) ? GO_ON : refuse_chip(run);
}

static bool is_to_be_protected(const struct run *run)
{
	return run->job->board->readout_protection == BOARD_PROTECTION_SET &&
	       run->job->action == FLASH_UPDATE;
}

/* Newer families have no read-out protection that a boot loader could set (H5, AN3155 3.1). */
static enum outcome step_check_protection(struct run *run)
{
	if (!is_to_be_protected(run) || (run->loader->ops->protect && run->identity.can_protect))
		return GO_ON;
	return run_fail(run, OUTCOME_BAD_CONFIG,
		"the boot loader of this %s does not list Readout Protect, and the rule '%s' says "
		"`readout-protection = set`: nothing was erased",
		run->identity.chip->name, run->job->board->name);
}

/*
 * What cannot be read cannot be compared: a protected unit is written, unless it is remembered what
 * it holds.
 */
static enum outcome decide_unread(struct run *run)
{
	enum outcome outcome = decision_make(run);

	return outcome == GO_ON && run->job->dry_run ? OUTCOME_UPDATED : outcome;
}

/* GO_ON where the protection is to be taken away. */
static enum outcome decide_on_protected(struct run *run)
{
	/* By an earlier attempt of this job, after it had verified the image. */
	if (run->has_protected)
		return OUTCOME_CURRENT;
	if (is_to_be_protected(run))
		return decide_unread(run);
	if (run->job->board->readout_protection == BOARD_PROTECTION_CLEAR &&
		run->job->action == FLASH_UPDATE && !run->job->dry_run &&
		run->loader->ops->unprotect)
		return GO_ON;
	if (run->has_erased)
		return run_fail(run, OUTCOME_PROTECTED,
			"the chip refuses to have its flash read, which it did not before: check "
			"cable and power");
	return run_fail(run, OUTCOME_PROTECTED,
		"read-out protection is on, so the flash cannot be read; an update with "
		"`readout-protection = clear` would take it away, and all that the chip holds with "
		"it");
}

/* Taking the protection away wipes the flash and resets the chip, so the way in begins again. */
static enum outcome step_unprotect(struct run *run)
{
	enum outcome outcome;
	int r;

	if (!run->identity.is_protected)
		return GO_ON;
	outcome = decide_on_protected(run);
	if (outcome == GO_ON)
		outcome = decision_begin_erase(run);
	if (outcome != GO_ON)
		return outcome;
	r = run->loader->ops->unprotect(run->loader);
	if (r != 0)
		return run_fail_with(run, r, run->identity.chip->flash.start);
	/* Some ROMs acknowledge before they erase (stm32-rom.md 9). */
	r = port_wait(run->port, run->identity.chip->mass_erase_usec);
	if (r < 0)
		return run_fail_with(run, r, 0);
	outcome = step_enter(run);
	if (outcome == GO_ON)
		outcome = step_check_chip(run);
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

/* The chip itself may have less flash than the largest of its id. */
static enum outcome step_check_image(struct run *run)
{
	int r = fit_image_to_chip(run->job->board, run->identity.chip, run->identity.flash_bytes,
		run->job->image, &run->report->reason);

	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == OUTCOME_BAD_IMAGE)
		report_name_image(run->report);
	return r == 0 ? GO_ON : (enum outcome)r;
}

static enum outcome compare(struct run *run, bool in_full)
{
	const struct provision *serialize = &run->job->board->serialize;
	uint64_t done = 0;
	enum outcome outcome;

	run_set_phase(run, PHASE_COMPARE);
	outcome = in_full ? transfer_compare(run, run_image_start(run), run_image_end(run), &done)
			  : transfer_fingerprint(run, run->job->seed, &done);
	if (outcome == GO_ON && !in_full && run->has_unit_data)
		outcome = transfer_compare(run, serialize->address,
			(uint64_t)serialize->address + serialize->size, &done);
	run->report->bytes = done;
	if (outcome == GO_ON)
		run->proof = PROOF_READ_BACK;
	else if (outcome == OUTCOME_VERIFY_DIFFERS)
		run->proof = PROOF_NONE;
	return outcome == GO_ON ? OUTCOME_CURRENT : outcome;
}

static enum outcome step_compare(struct run *run)
{
	return compare(run, true);
}

/*
 * The last thing that is done to a flash whose every byte was read back. The chip resets (AN3155
 * 3.11), and met once more it must refuse to be read. `outcome` is that of the job.
 */
static enum outcome protect(struct run *run, enum outcome outcome)
{
	const struct chip *chip = run->identity.chip;
	enum outcome entered;
	int r;

	if (!is_to_be_protected(run) || run->job->dry_run)
		return outcome;
	run_set_phase(run, PHASE_PROTECT);
	run->has_protected = true;
	r = run->loader->ops->protect(run->loader);
	/* Without a line for it, the reset that it makes by itself is all that leads back. */
	if (r == 0)
		r = port_wait(run->port, chip->startup_usec);
	if (r != 0)
		return run_fail_with(run, r, chip->flash.start);
	entered = step_enter(run);
	if (entered == OUTCOME_PORT_GONE)
		return entered;
	run_set_phase(run, PHASE_PROTECT);
	if (entered != GO_ON)
		return run_fail(run, OUTCOME_FAILED,
			"the image is in the flash and verified; the chip took the read-out "
			"protection, and no boot loader answered after the reset that follows");
	if (!run->identity.is_protected)
		return run_fail(run, OUTCOME_FAILED,
			"the image is in the flash and verified; the chip acknowledged the "
			"read-out protection, and its flash can still be read");
	return outcome;
}

/* The first difference is not a failure here but the reason to write. */
static enum outcome step_decide(struct run *run)
{
	enum outcome outcome = decision_make(run);

	if (outcome != GO_ON)
		return outcome;
	if (run->decision != ANSWER_WRITE) {
		/* Once it is protected, nobody looks again. */
		outcome = compare(
			run, run->decision != ANSWER_FINGERPRINT || is_to_be_protected(run));
		if (outcome == OUTCOME_CURRENT)
			return protect(run, outcome);
		if (outcome != OUTCOME_VERIFY_DIFFERS)
			return outcome;
		run->report->has_address = false;
		run->report->bytes = 0;
		reason_set(&run->report->reason, "%s", "");
	}
	if (run->job->dry_run)
		return OUTCOME_UPDATED;
	return run_check_cancelled(run);
}

/* ------------------------------------------------------------------ writing */

/* The page of the vector table first: from here on the chip starts no half image. */
static enum outcome step_erase(struct run *run)
{
	const struct chip *chip = run->identity.chip;
	struct plan *plan = &run->plan;
	enum outcome outcome;
	int r;

	plan_done(plan);
	r = plan_erase(chip, run->identity.flash_bytes, run->job->image, &run->job->board->keep,
		plan, &run->report->reason);
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r > 0) {
		report_name_image(run->report);
		return OUTCOME_BAD_IMAGE;
	}
	outcome = erase_check_keep(run);
	if (outcome == GO_ON)
		outcome = decision_begin_erase(run);
	if (outcome != GO_ON)
		return outcome;
	run_tell_progress(run, 0, plan->n_pages);
	outcome = erase_planned(run);
	if (outcome != GO_ON)
		return outcome;
	run->report->mass_erased = plan->mass;
	run->report->pages_erased = (uint32_t)plan->n_pages;
	run_tell_progress(run, plan->n_pages, plan->n_pages);
	return transfer_check_blank(run);
}

static enum outcome step_protect(struct run *run)
{
	return protect(run, OUTCOME_UPDATED);
}

static enum outcome step_read(struct run *run)
{
	const struct flash_job *job = run->job;
	const struct chip *chip = run->identity.chip;
	uint32_t address = job->read_size ? job->read_address : chip->flash.start;
	uint32_t size = job->read_size ? job->read_size : run->identity.flash_bytes;
	CLEANUP(freep) uint8_t *bytes = malloc(size > 0 ? size : 1);
	enum outcome outcome;

	run_set_phase(run, PHASE_READ);
	if (size == 0)
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the chip table does not say how much flash %s has: add `flash` in chips.d",
			chip->name);
	if (fit_read_of_chip(
		    chip, run->identity.flash_bytes, address, size, &run->report->reason) != 0)
		return OUTCOME_BAD_CONFIG;
	if (!bytes)
		return run_fail_with(run, -ENOMEM, address);
	outcome = transfer_read(run, address, bytes, size);
	if (outcome != GO_ON)
		return outcome;
	run->report->bytes = size;
	*job->ret_read = TAKE_PTR(bytes);
	*job->ret_read_size = size;
	return OUTCOME_CURRENT;
}

static enum outcome step_done(struct run *run)
{
	(void)run;
	return OUTCOME_CURRENT;
}

/* ------------------------------------------------------------------ the procedure */

typedef enum outcome (*step_fn)(struct run *run);

static const step_fn page_steps[FLASH_ACTION_MAX][14] = {
	[FLASH_UPDATE] = {step_enter, step_check_chip, decision_check_unit, step_check_protection,
		step_unprotect, erase_check_pages, step_check_image, step_decide, step_erase,
		writing_write_rest, writing_verify_rest, writing_write_start, writing_verify_start,
		step_protect},
	[FLASH_VERIFY] = {step_enter, step_check_chip, step_unprotect, step_check_image,
		step_compare},
	[FLASH_READ] = {step_enter, step_check_chip, step_unprotect, step_read},
	[FLASH_PROBE] = {step_enter, step_done},
};

/* A loader that takes files says nothing of its unit: what is to be done is asked before it is met.
 */
static const step_fn file_steps[FLASH_ACTION_MAX][8] = {
	[FLASH_UPDATE] = {decision_make, delivery_ask_version, step_enter, delivery_decide,
		delivery_send, delivery_prove},
	[FLASH_VERIFY] = {step_enter, delivery_verify},
	[FLASH_READ] = {step_enter, delivery_read},
	[FLASH_PROBE] = {step_enter, step_done},
};

static enum outcome run_steps(struct run *run)
{
	enum outcome outcome = run_check_cancelled(run);
	const step_fn *step = run->loader->ops->send ? file_steps[run->job->action]
						     : page_steps[run->job->action];

	for (; outcome == GO_ON; step++)
		outcome = (*step)(run);
	/* Final words on a unit that was not touched; one that this job erased is to be finished.
	 */
	if (run->has_erased && (outcome == OUTCOME_WRONG_CHIP || outcome == OUTCOME_PROTECTED))
		return OUTCOME_FAILED;
	return outcome;
}

/* What a fresh reset may mend. */
static bool is_worth_a_retry(const struct run *run, enum outcome outcome)
{
	if (run->is_left)
		return false;
	switch (outcome) {
	case OUTCOME_NO_SYNC:
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
	case OUTCOME_CANCELLED:
	case OUTCOME_QUARANTINED:
	case OUTCOME_MAX:
		return false;
	}
	return false;
}

static enum outcome run_attempts(struct run *run)
{
	const struct board *board = run->job->board;
	uint64_t delay = board->retry_delay_usec;
	enum outcome outcome = run_steps(run), cancelled;

	for (uint32_t retry = 0; retry < board->retries && is_worth_a_retry(run, outcome);
		retry++, delay *= 2) {
		/* Bytes that were lost once will be lost again: slower, if the rule knows how. */
		if (outcome != OUTCOME_NO_SYNC)
			entry_step_down(&run->entry);
		cancelled = run_check_cancelled(run);
		if (cancelled != GO_ON)
			return cancelled;
		if (port_wait(run->port, delay) < 0)
			return outcome;
		run->report->has_address = false;
		reason_set(&run->report->reason, "%s", "");
		outcome = run_steps(run);
	}
	/* Written by an earlier attempt, and found whole by the last. */
	return outcome == OUTCOME_CURRENT && run->has_erased ? OUTCOME_UPDATED : outcome;
}

static bool ended_well(enum outcome outcome)
{
	return outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT;
}

/* Numbers are given once, and that is kept by whoever is asked. */
static bool has_giver(const struct run *run)
{
	const struct flash_job *job = run->job;

	return job->board->serialize.form == PROVISION_NONE || job->ask ||
	       job->action != FLASH_UPDATE || job->dry_run;
}

static enum outcome open_and_run(struct run *run)
{
	const struct flash_job *job = run->job;
	enum answer_word ignored;
	enum outcome outcome = run_ask(run, QUESTION_OPEN, &ignored);
	int r;

	if (outcome != GO_ON)
		return outcome;
	if (!has_giver(run))
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the rule '%s' has `serialize`, and only the service keeps which unit has "
			"which data: let plugflashd flash it, or use a rule without that key",
			job->board->name);
	if (job->action == FLASH_READ && fit_read(job->board, job->chips, job->read_address,
						 job->read_size, &run->report->reason) != 0)
		return OUTCOME_BAD_CONFIG;
	outcome = run_open_port(run);
	if (outcome != GO_ON)
		return outcome;
	run->expect.port = run->port;
	r = loader_open(
		&(struct loader){
			.ops = loader_of(job->board->protocol),
			.port = run->port,
			.expect = &run->expect,
			.board = job->board,
			.chips = job->chips,
		},
		&run->loader);
	if (r < 0)
		return run_fail_with(run, r, 0);
	run->entry = (struct entry){
		.board = job->board,
		.chips = job->chips,
		.port = run->port,
		.loader = run->loader,
		.expect = &run->expect,
	};
	return ending_run(run, run_attempts(run));
}

enum outcome flash_run(const struct flash_job *job, struct report *report)
{
	struct run run = {
		.job = job,
		.report = report,
		.started = monotonic_usec(),
		.phase_started = monotonic_usec(),
	};

	report->outcome = open_and_run(&run);
	decision_tell_erased(&run);
	run_set_phase(&run, report->phase);
	report->duration_ms = (monotonic_usec() - run.started) / USEC_PER_MSEC;
	loader_close(run.loader);
	port_close(run.port);
	plan_done(&run.plan);
	report->proof = run.proof;
	if (ended_well(report->outcome) && !run.is_left)
		reason_set(&report->reason, "%s", "");
	return report->outcome;
}
