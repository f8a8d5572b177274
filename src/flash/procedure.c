/* SPDX-License-Identifier: MIT */
/*
 * procedure.c - takes the steps of a pass one after the other, and the first step of both
 * procedures: into the boot loader.
 */
#include "flash/procedure.h"

#include <errno.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/silicon.h"

static void report_identity(struct run *run)
{
	struct report *report = run->report;
	const struct chip_identity *identity = &run->identity;

	report->baud = run->entry.baud;
	snprintf(report->entered, sizeof(report->entered), "%s", entry_entered(&run->entry));
	if (!run->loader->ops->identify)
		return;
	report->is_protected = identity->is_protected;
	/* A chip that was just protected does not say again which one it is. */
	if (run->has_protected && identity->is_protected)
		return;
	report->has_product_id = true;
	report->stub_version = identity->can_promote ? run->base->ops->promote_version : 0;
	report->product_id = identity->product_id;
	report->bootloader_version = identity->bootloader_version;
	silicon_report(identity, report);
	if (!identity->chip)
		return;
	snprintf(report->family, sizeof(report->family), "%s", identity->chip->family->rows->name);
	snprintf(report->chip, sizeof(report->chip), "%s", identity->chip->name);
	snprintf(report->unit, sizeof(report->unit), "%s", identity->unique_id);
	report->flash_bytes = identity->flash_bytes;
}

/* Whether the try may begin: somebody who cancels need not wait for all of them. */
static bool on_phase(void *userdata, enum phase phase)
{
	struct run *run = userdata;

	run_set_phase(run, phase);
	return phase != PHASE_ENTER || run_check_cancelled(run) == GO_ON;
}

enum outcome procedure_enter(struct run *run)
{
	struct chip_identity *identity = &run->identity;
	int r;

	/* A promoted loader is a program in RAM, and ends with the reset. */
	run_end_promotion(run);
	*identity = (struct chip_identity){0};
	/* Torn, there is no application any more that a command could be for. */
	run->entry.has_no_application = run->has_erased && !run->has_protected && !run->is_whole;
	r = entry_enter(&run->entry, identity, on_phase, run, &run->report->reason);
	run->report->entries = run->entry.n_tries;
	if (r == -ECANCELED)
		return OUTCOME_CANCELLED; /* with the reason of run_check_cancelled() */
	if (r == 0 || r == LOADER_UNKNOWN_CHIP)
		report_identity(run);
	if (r == LOADER_UNKNOWN_CHIP && *identity->refusal && run->job->action != FLASH_PROBE)
		return run_fail(run, OUTCOME_WRONG_CHIP, "%s%s", identity->refusal,
			run->has_erased ? "" : "; nothing of it was erased");
	if (r == LOADER_UNKNOWN_CHIP && run->job->action != FLASH_PROBE)
		return run_fail(run, OUTCOME_WRONG_CHIP,
			"the chip says product id 0x%03x, which the chip table does not know%s: is it the right board? else add it to chips.d",
			identity->product_id, run->has_erased ? "" : "; nothing of it was erased");
	if (r == LOADER_UNKNOWN_CHIP)
		return GO_ON;
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

enum outcome procedure_run(struct run *run)
{
	const struct step *step = run->loader->ops->send ? procedure_file : procedure_range;
	static const enum step_jobs jobs[FLASH_ACTION_MAX] = {
		[FLASH_UPDATE] = STEP_UPDATE,
		[FLASH_VERIFY] = STEP_VERIFY,
		[FLASH_READ] = STEP_READ,
		[FLASH_PROBE] = STEP_PROBE,
		[FLASH_ERASE] = STEP_ERASE,
		[FLASH_START] = STEP_START,
		[FLASH_PROTECT] = STEP_PROTECT,
		[FLASH_UNPROTECT] = STEP_UNPROTECT,
		[FLASH_WRITE_UNPROTECT] = STEP_WRITE_UNPROTECT,
		[FLASH_OPTIONS] = STEP_OPTIONS,
	};
	bool is_update = run->job->action == FLASH_UPDATE;
	unsigned job = is_update && run->job->dry_run ? STEP_DRY_RUN : jobs[run->job->action];
	enum outcome outcome = run_check_cancelled(run);

	for (; outcome == GO_ON && step->run; step++) {
		if (!(step->jobs & job))
			continue;
		if (step->phase != PHASE_NONE)
			run_set_phase(run, step->phase);
		outcome = step->run(run);
	}
	if (outcome == GO_ON)
		return is_update || run->has_changed ? OUTCOME_UPDATED : OUTCOME_CURRENT;
	/* Final words on a unit that was not touched; one that this job erased is to be finished.
	 */
	if (run->has_erased && (outcome == OUTCOME_WRONG_CHIP || outcome == OUTCOME_PROTECTED))
		return OUTCOME_FAILED;
	return outcome;
}
