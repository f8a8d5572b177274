/* SPDX-License-Identifier: MIT */
/*
 * procedure-order.c - erase, start and protection by order.
 *
 * These jobs have no image, and nobody decides whether the unit needs them: a person does. What
 * keeps an update safe keeps them safe as well: the chip is one of the rule, the same chip in each
 * pass, not one that says why it is to be left alone; its pages are those of the chip table; and
 * what the rule keeps stays where nobody says otherwise. A step may be taken again after a lost
 * answer: each looks first whether the chip is already as it is to be.
 *
 * An erase is proved by reading: a ROM acknowledges the erase of a write-protected page, and does
 * nothing (AN3155 3.7, 3.8). A chip that computes digests is asked about all of each page, another
 * one about the beginning of each, since write protection knows no smaller unit than a page.
 */
#include "flash/procedure-order.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/application.h"
#include "flash/erase.h"
#include "flash/procedure.h"
#include "flash/verify.h"

/* Pages in one command: progress is told after each, and the ROM of an ESP erases 256 KiB in about
 * a second. */
#define PAGES_AT_ONCE 64

static enum outcome fail_for_good(struct run *run, enum outcome outcome, const char *text)
{
	run->is_final = true;
	return run_fail(run, outcome, "%s", text);
}

/* ------------------------------------------------------------------ what a loader lacks */

/* What the loader of this kind lacks for the job, as a sentence; NULL: nothing. */
static const char *lacks(const struct flash_job *job, const struct loader_ops *ops)
{
	switch (job->action) {
	case FLASH_ERASE:
		return ops->send
			       ? "it erases as it takes a file, and has no command for that alone: plugflash flash replaces what the board holds"
			       : NULL;
	case FLASH_START:
		if (job->has_start_address && !(ops->start && ops->starts_anywhere))
			return "it has no command that starts a program at an address: without --address the chip is started as its rule has it";
		return ops->start || job->board->has_lines
			       ? NULL
			       : "it has no command that starts the application, and by the rule no line resets the chip: take the board off its power and on again";
	case FLASH_PROTECT:
		return ops->protect ? NULL : "it has no command that sets a read-out protection";
	case FLASH_UNPROTECT:
		return ops->unprotect ? NULL : "it has no command that lifts a read-out protection";
	case FLASH_WRITE_UNPROTECT:
		return ops->write_unprotect ? NULL
					    : "it has no command that lifts a write protection";
	case FLASH_OPTIONS:
		return ops->write_options ? NULL : "its chips have no option bytes";
	case FLASH_UPDATE:
	case FLASH_VERIFY:
	case FLASH_READ:
	case FLASH_PROBE:
	case FLASH_IDENTIFY:
	case FLASH_ACTION_MAX:
		break;
	}
	return NULL;
}

enum outcome order_check_loader(struct run *run, const struct loader_ops *ops)
{
	const char *text = lacks(run->job, ops);

	if (!text)
		return GO_ON;
	return run_fail(run, OUTCOME_FAILED,
		"the boot loader of `protocol = %s` cannot do it: %s; the port was not opened",
		ops->name, text);
}

/* ------------------------------------------------------------------ erase */

static enum outcome check_erasable(struct run *run)
{
	const struct chip_identity *identity = &run->identity;

	if (*identity->refusal)
		return run_fail(run, identity->refusal_outcome, "%s%s", identity->refusal,
			run->has_erased ? "" : "; nothing of it was erased");
	if (identity->is_protected)
		return run_fail(run, OUTCOME_PROTECTED,
			"read-out protection is on, and the boot loader erases no page then: nothing was erased; plugflash unprotect lifts it, which wipes all of the flash");
	return GO_ON;
}

/* A number of a page may stand for another one there: all of them by one command is still right. */
static enum outcome check_numbers(struct run *run, const struct plan *plan)
{
	const struct chip *chip = run->identity.chip;
	enum outcome outcome;

	if (plan->mass)
		return GO_ON;
	outcome = erase_check_pages(run);
	if (outcome == GO_ON && run->identity.pages == IDENTITY_PAGES_UNSURE)
		outcome = run_fail(run, OUTCOME_BAD_CONFIG,
			"the boot loader of this %s does not let the option bit be read that decides what a page number means: nothing was erased; plugflash erase all takes all of it, or give chips.d a [chip 0x%03x] with its `pages` and without `pages-if` and `swapped-if`",
			chip->name, chip->product_id);
	return outcome;
}

/* The same as before the erase of an update, but that nobody is asked: no service has this job. */
static void begin_erase(struct run *run)
{
	run_set_phase(run, PHASE_ERASE);
	run->has_erased = run->has_changed = true;
	run->proof = PROOF_NONE;
	run->erased = run->identity;
	run->report->has_erased = true;
}

static enum outcome erase_pages(struct run *run, const struct plan *plan)
{
	struct loader *loader = run->loader;
	int r = plan->mass ? loader->ops->erase_all(loader) : 0;

	run_tell_progress(run, 0, plan->n_pages);
	for (size_t i = 0, n; r == 0 && !plan->mass && i < plan->n_pages; i += n) {
		n = plan->n_pages - i < PAGES_AT_ONCE ? plan->n_pages - i : PAGES_AT_ONCE;
		r = loader_erase_pages(loader, plan->pages + i, n);
		if (r != 0)
			return run_fail_with(run, r, plan->pages[i].address);
		run_tell_progress(run, i + n, plan->n_pages);
	}
	return r == 0 ? GO_ON : run_fail_with(run, r, run->identity.chip->flash.start);
}

static enum outcome check_blank(struct run *run, const struct plan *plan)
{
	const struct loader_ops *ops = run->loader->ops;
	enum outcome outcome = GO_ON;

	if (run->identity.proves_nothing)
		return GO_ON;
	/* The time of the erase itself is not the line's. */
	run_set_budget(run);
	if (plan->n_pages == 0) {
		uint64_t start = run->identity.chip->flash.start;

		outcome = verify_blank(run, start, start + ops->block_size);
	}
	for (size_t i = 0; outcome == GO_ON && i < plan->n_pages; i++) {
		const struct chip_page *page = &plan->pages[i];
		uint32_t size =
			ops->digest || page->size < ops->block_size ? page->size : ops->block_size;

		/* The chip itself puts its delivery values into the record (ti-bsl.md 5.2). */
		if (!erase_takes_record(run->identity.chip, run->identity.flash_bytes, page))
			outcome = verify_blank(run, page->address, (uint64_t)page->address + size);
	}
	if (outcome == OUTCOME_ERASE_FAILED && run->report->has_got && ops->write_unprotect)
		return run_fail(run, outcome,
			"the chip acknowledged the erase, and 0x%08x still holds 0x%02x: the page is write-protected; plugflash write-unprotect lifts that",
			run->report->address, run->report->got);
	return outcome;
}

/* What goes with the pages beside the application, for the end of a sentence; "" nothing known. */
static const char *loss_of(const struct run *run, const struct plan *plan)
{
	const struct provision *serialize = &run->job->board->serialize;
	const struct keep_range own = {serialize->address, serialize->size};
	const struct keep_list list = {(struct keep_range *)&own, 1};

	for (size_t i = 0; serialize->form != PROVISION_NONE && i < plan->n_pages; i++)
		if (plan_keep_has(&list, &plan->pages[i]))
			return "; the unit's own data (`serialize`) with it, which the service gives it again when it flashes it";
	if (chip_starts_by_record(run->identity.chip) && run->job->erase->what == ERASE_ALL)
		return "; what the firmware had kept, such as its network, with it";
	return "";
}

/* What was erased, or would be, what was left, and how far that was seen. */
static void tell_erased(struct run *run, const struct erase_choice *choice)
{
	struct report *report = run->report;
	bool is_dry = run->job->dry_run;
	char erased[160], left[80] = "", text[600];

	erase_pages_text(&choice->plan, erased, sizeof(erased));
	if (choice->left.n_pages > 0)
		erase_pages_text(&choice->left, left, sizeof(left));
	report->mass_erased = choice->plan.mass && !is_dry;
	report->pages_erased = is_dry ? 0 : (uint32_t)choice->plan.n_pages;
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s",
		is_dry ? "nothing was erased; it would be " : "erased ",
		choice->plan.n_pages == 0 ? "all of the flash" : erased,
		loss_of(run, &choice->plan), *left ? "; kept " : "", left,
		!is_dry && run->identity.proves_nothing
			? "; nobody has seen it, by the boot loader's word"
			: "",
		is_dry || run->entry.board->has_lines ? "" : "; the chip stays in its boot loader");
	text_copy(report->remark, sizeof(report->remark), text);
}

enum outcome order_erase(struct run *run)
{
	static const struct erase_wish nothing = {.what = ERASE_NOTHING};
	const struct erase_wish *wish = run->job->erase ? run->job->erase : &nothing;
	CLEANUP(erase_choice_done) struct erase_choice choice = {0};
	const struct chip_identity *identity = &run->identity;
	enum outcome outcome = check_erasable(run);
	int r;

	if (outcome != GO_ON)
		return outcome;
	r = erase_choose(wish, identity->chip, identity->flash_bytes, &run->job->board->keep,
		&choice, &run->report->reason);
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == PLAN_REFUSED)
		return OUTCOME_BAD_CONFIG;
	outcome = erase_choose_way(run, &choice.plan);
	if (outcome == GO_ON)
		outcome = check_numbers(run, &choice.plan);
	if (outcome == GO_ON)
		outcome = run_check_cancelled(run);
	if (outcome != GO_ON)
		return outcome;
	if (run->job->dry_run) {
		tell_erased(run, &choice);
		return GO_ON;
	}
	begin_erase(run);
	outcome = erase_pages(run, &choice.plan);
	if (outcome == GO_ON)
		outcome = check_blank(run, &choice.plan);
	if (outcome == GO_ON)
		tell_erased(run, &choice);
	return outcome;
}

/* ------------------------------------------------------------------ start */

/* Where nothing was ever programmed the processor would run into a fault, and stay there. */
static enum outcome check_address(struct run *run, uint32_t address)
{
	const struct chip *chip = run->identity.chip;
	uint32_t size = run->identity.flash_bytes;
	uint8_t vectors[8];
	int r;

	if (!chip || !run->loader->ops->starts_anywhere)
		return GO_ON;
	if (run->identity.is_protected)
		return fail_for_good(run, OUTCOME_PROTECTED,
			"read-out protection is on, and the boot loader starts nothing then: a reset by the lines does, which a rule with lines has (`start = reset`)");
	if (address < chip->flash.start || address % 4 != 0 || size < sizeof(vectors) ||
		address - chip->flash.start > size - sizeof(vectors)) {
		run->is_final = true;
		return run_fail(run, OUTCOME_FAILED,
			"0x%08x is no place of a vector table in the flash of this %s (0x%08x to 0x%08x, a multiple of 4): nothing was started",
			address, chip->name, chip->flash.start, chip->flash.start + (size - 1));
	}
	r = verify_read(run, address, vectors, sizeof(vectors));
	if (r != 0)
		return run_fail_with(run, r, address);
	if (!run_is_erased(run, vectors, sizeof(vectors)))
		return GO_ON;
	run->is_final = true;
	/* Without lines the loader would be told to start it as the job ends, as after any failure.
	 */
	if (!run->job->has_start_address && !run->entry.board->has_lines)
		run->entry.is_inside = false;
	return run_fail(run, OUTCOME_FAILED,
		"the flash at 0x%08x is erased, and holds nothing that could start: plugflash flash writes an application, --address names the place of another",
		address);
}

static enum outcome start_by_lines(struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;
	int r = 0;

	if (ops->prepare_leave && run->entry.is_identified)
		r = ops->prepare_leave(run->loader);
	if (r != -ENODEV)
		r = entry_leave_again(&run->entry, NULL);
	if (r != 0)
		return run_fail_with(run, r, 0);
	run->entry.is_inside = false;
	snprintf(run->report->remark, sizeof(run->report->remark), "%s",
		"started by a reset, by the lines of the rule");
	return GO_ON;
}

/* A loader with a menu may check the application only now, and show the menu again. */
static enum outcome check_menu(struct run *run)
{
	char said[TEXT_MAX];
	int r = expect_wait_last_word(&run->expect);

	if (r < 0)
		return run_fail_with(run, r, 0);
	if (!application_is_loader(&run->expect, run->job->board))
		return GO_ON;
	expect_news(&run->expect, NULL, said, sizeof(said));
	run->is_final = true;
	return run_fail(run, OUTCOME_FAILED,
		"the boot loader did not start the application: upon `menu-start` it said '%s' and shows its menu again: does the flash hold an image for this board?",
		said);
}

static enum outcome start_by_loader(struct run *run, uint32_t address)
{
	struct report *report = run->report;
	enum outcome outcome;
	int r = run->loader->ops->start(run->loader, address);

	run->is_final = loader_is_refusal(r);
	if (r == LOADER_UNSUPPORTED && run->loader->ops->send)
		return run_fail(run, OUTCOME_FAILED,
			"the rule has no `menu-start`, by which its boot loader would start the application");
	if (r == LOADER_REFUSED && run->loader->ops->starts_anywhere)
		return run_fail(run, OUTCOME_FAILED,
			"the boot loader refused to start what is at 0x%08x (NACK): nothing was started%s",
			address,
			run->job->board->has_lines
				? "; without --address and `start = go` a reset by the lines does"
				: "");
	if (r != 0)
		return run_fail_with(run, r, address);
	run->entry.is_inside = false;
	run->entry.is_by_loader = true;
	outcome = run->loader->ops->send ? check_menu(run) : GO_ON;
	if (outcome != GO_ON)
		return outcome;
	if (run->loader->ops->starts_anywhere)
		snprintf(report->remark, sizeof(report->remark),
			"started at 0x%08x, by the boot loader's Go", address);
	else
		snprintf(report->remark, sizeof(report->remark), "%s",
			"started by the boot loader's own command");
	return GO_ON;
}

enum outcome order_start(struct run *run)
{
	const struct flash_job *job = run->job;
	const struct board *board = job->board;
	const struct chip *chip = run->identity.chip;
	uint32_t address = job->has_start_address ? job->start_address
			   : board->has_address	  ? board->address
			   : chip		  ? chip->flash.start
						  : 0;
	/* A reset would lead back into the boot loader of a chip that was empty as it began. */
	bool by_lines = board->has_lines && !job->has_start_address &&
			board->start != BOARD_START_GO && !run->entry.stays_inside;
	enum outcome outcome;

	run_set_phase(run, PHASE_LEAVE);
	if (by_lines || !run->loader->ops->start)
		return start_by_lines(run);
	outcome = check_address(run, address);
	return outcome == GO_ON ? start_by_loader(run, address) : outcome;
}

/* ------------------------------------------------------------------ protection */

/* The chip did not take the command; a lost answer may have been taken, and is looked at again. */
static enum outcome fail_command(struct run *run, int r, const char *command)
{
	const char *chip = run->identity.chip->name;

	if (r < 0)
		return run_fail_with(run, r, 0);
	run->is_final = loader_is_refusal(r);
	if (r == LOADER_UNSUPPORTED)
		return run_fail(run, OUTCOME_FAILED,
			"the boot loader of this %s does not list %s: nothing was changed", chip,
			command);
	if (r == LOADER_REFUSED)
		return run_fail(run, OUTCOME_FAILED,
			"the boot loader of this %s refused %s (NACK): nothing was changed", chip,
			command);
	return run_fail(run, OUTCOME_FAILED,
		"no answer to %s that could be understood: it may have been done; check cable and power, then plugflash probe tells",
		command);
}

/* Enters once more, after the reset that the chip makes by itself: without lines it is the only
 * way back. */
static enum outcome enter_again(struct run *run, const char *command)
{
	int r = port_wait(run->port, run->identity.chip->startup_usec);
	enum outcome outcome;

	if (r < 0)
		return run_fail_with(run, r, 0);
	outcome = procedure_enter(run);
	if (outcome == GO_ON && !run->has_protected)
		outcome = procedure_check_chip(run);
	if (outcome == GO_ON)
		run_set_phase(run, PHASE_PROTECT);
	if (outcome == GO_ON || outcome == OUTCOME_PORT_GONE)
		return outcome;
	run->is_final = true;
	return run_fail(run, OUTCOME_FAILED,
		"the chip acknowledged %s, and no boot loader answered after the reset that follows: take the board off its power and on again, then plugflash probe tells what became of it",
		command);
}

static enum outcome tell(struct run *run, const char *text)
{
	text_copy(run->report->remark, sizeof(run->report->remark), text);
	return GO_ON;
}

enum outcome order_protect(struct run *run)
{
	enum outcome outcome;
	int r;

	if (run->identity.is_protected)
		return tell(run,
			run->has_changed
				? "read-out protection is on: nobody can read the flash any more"
				: "read-out protection is on already; nothing was changed");
	if (!run->identity.can_protect)
		return fail_command(run, LOADER_UNSUPPORTED, "Readout Protect");
	outcome = run_check_cancelled(run);
	if (outcome != GO_ON)
		return outcome;
	run_set_phase(run, PHASE_PROTECT);
	run->has_changed = run->has_protected = true;
	r = run->loader->ops->protect(run->loader);
	if (r != 0) {
		run->has_changed = run->has_protected = !loader_is_refusal(r);
		return fail_command(run, r, "Readout Protect");
	}
	outcome = enter_again(run, "Readout Protect");
	if (outcome != GO_ON)
		return outcome;
	if (run->identity.is_protected)
		return tell(run, "read-out protection is on: nobody can read the flash any more");
	return fail_for_good(run, OUTCOME_FAILED,
		"the chip acknowledged the read-out protection, and its flash can still be read: take the board off its power and on again, which some chips need, then plugflash probe tells");
}

enum outcome order_unprotect(struct run *run)
{
	enum outcome outcome;

	if (!run->identity.is_protected && run->has_erased)
		return tell(run, "read-out protection is off; all of the flash was wiped");
	if (!run->identity.is_protected)
		return tell(run, "read-out protection was off already; nothing was wiped");
	outcome = run_check_cancelled(run);
	if (outcome != GO_ON)
		return outcome;
	begin_erase(run);
	outcome = procedure_lift_protection(run);
	if (outcome != GO_ON)
		return outcome;
	run->report->mass_erased = true;
	return tell(run, "read-out protection is off; all of the flash was wiped");
}

enum outcome order_write_unprotect(struct run *run)
{
	enum outcome outcome;
	int r;

	if (run->identity.is_protected)
		return fail_for_good(run, OUTCOME_PROTECTED,
			"read-out protection is on, and the boot loader takes no other command then: nothing was changed; plugflash unprotect lifts both, and wipes all of the flash");
	outcome = run_check_cancelled(run);
	if (outcome != GO_ON)
		return outcome;
	run_set_phase(run, PHASE_PROTECT);
	run->has_changed = true;
	r = run->loader->ops->write_unprotect(run->loader);
	if (r != 0)
		return fail_command(run, r, "Write Unprotect");
	outcome = enter_again(run, "Write Unprotect");
	if (outcome != GO_ON)
		return outcome;
	return tell(run,
		"no page is write-protected any more, by the boot loader's word; the chip was reset, and its other option bytes may be those of a new chip again");
}
