/* SPDX-License-Identifier: MIT */
/*
 * finish.c - leaves the boot loader, hears the application, and judges the proof.
 *
 * Three questions follow each other. Does the loader start the application (check_start: one that
 * talks in text may say that it does not)? Does the application say what the rule's `confirm` wants
 * (confirm: it is asked a second time, since its one line may have been garbled), or answer in the
 * protocol that it speaks (confirm_spoken)? Is there a proof that the rule accepts (weigh)? A chip
 * whose application cannot be started is left in its loader.
 *
 * A chip that says itself how it starts is listened to (check_words): after a reset without
 * `confirm`, and where the application did not confirm, which its words may explain.
 */
#include "flash/finish.h"

#include <errno.h>
#include <inttypes.h>

#include "base/util.h"
#include "flash/application.h"
#include "flash/procedure.h"
#include "flash/promotion.h"
#include "flash/spoken-run.h"
#include "loader/complaint.h"

/* Where the application begins: with the image, by the rule, or with the flash. */
static uint32_t application_address(const struct run *run)
{
	const struct board *board = run->job->board;

	if (run->job->image && run->job->image->n_segments > 0)
		return run_image_start(run);
	if (board->has_address)
		return board->address;
	return run->identity.chip ? run->identity.chip->flash.start : 0;
}

/* The end of a job whose chip says that it does not start what was proved to be in its flash, or
 * what it was ordered to start. */
static enum outcome fail_start(struct run *run, const struct loader_words *words)
{
	const char *known = run->job->action == FLASH_START ? "the chip was told to start"
							    : "the image is in the flash";
	char said[TEXT_MAX];

	text_escape(words->said, said, sizeof(said));
	if (run->job->action == FLASH_START)
		run->report->remark[0] = '\0';
	if (words->start == LOADER_START_LOADER)
		return run_fail(run, OUTCOME_NOT_STARTED,
			"%s, but each reset leads back into the boot loader ('%s'): is BOOT pressed, a jumper set, or the boot pin held low by DTR?",
			known, said);
	if (words->start == LOADER_START_ODD)
		return run_fail(run, OUTCOME_NOT_STARTED,
			"%s, but the chip starts neither that nor its boot loader ('%s'): check its strapping pins",
			known, said);
	return run_fail(run, OUTCOME_NOT_STARTED,
		"%s, but the chip does not start it: after %u reset%s within a few seconds it said '%s': is the image whole (boot loader, partition table, application), for this chip and its flash, and the supply strong enough?",
		known, words->n_starts, words->n_starts == 1 ? "" : "s", said);
}

/*
 * Where the words lead into the boot loader the lines may not have been as they were meant to be:
 * one more reset tells (esp-rom.md 17, check 23).
 */
static enum outcome check_words(struct run *run, enum outcome outcome, struct loader_words *words)
{
	int r = entry_hear_start(&run->entry, words);

	if (r == 0 && words->start == LOADER_START_LOADER) {
		r = entry_leave_again(&run->entry, NULL);
		if (r == 0)
			r = entry_hear_start(&run->entry, words);
	}
	/* As in leave(): what was proved stays proved. */
	if (r == -ENODEV && outcome != GO_ON && run->proof != PROOF_NONE)
		return outcome;
	if (r != 0)
		return run_fail_with(run, r, 0);
	switch (words->start) {
	case LOADER_START_ODD:
	case LOADER_START_FAILED:
	case LOADER_START_LOADER:
		return fail_start(run, words);
	case LOADER_START_UNHEARD:
	case LOADER_START_OTHER:
	case LOADER_START_FLASH:
		break;
	}
	return outcome;
}

static bool may_speak(const struct run *run)
{
	return run->loader->ops->hear && run->job->board->has_lines && !run->entry.is_by_loader;
}

/*
 * Whether the words of the chip itself explain that its application did not confirm. In `said` the
 * words of the ROM give way to the last ones of the application.
 */
static enum outcome explain_silence(struct run *run, char said[static TEXT_MAX])
{
	struct loader_words words = {0};
	enum outcome outcome;

	if (!may_speak(run) || entry_leave_again(&run->entry, NULL) != 0)
		return GO_ON;
	outcome = check_words(run, GO_ON, &words);
	text_escape(words.last, said, TEXT_MAX);
	return outcome;
}

static enum outcome confirm(struct run *run, enum outcome outcome)
{
	const struct board_confirm *wanted = &run->job->board->confirm;
	char said[TEXT_MAX], pattern[TEXT_MAX], refused[TEXT_MAX];
	enum outcome explained;
	int r;

	run_set_phase(run, PHASE_CONFIRM);
	r = application_confirm(&run->expect, run->job->board);
	/* The boot loader's words on why it does not start the application. */
	refused[0] = '\0';
	if (run->entry.is_by_loader && application_is_loader(&run->expect, run->job->board))
		expect_news(&run->expect, NULL, refused, TEXT_MAX);
	/* Its only line may have been garbled, or the command that starts it lost: once more. */
	if (r == EXPECT_SILENT) {
		r = entry_leave_again(&run->entry, &wanted->line);
		if (r == 0)
			r = application_confirm(&run->expect, run->job->board);
	}
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == EXPECT_OK) {
		if (run->proof == PROOF_NONE)
			run->proof = PROOF_CONFIRM;
		return outcome;
	}
	expect_quote(&run->expect, said, sizeof(said));
	explained = explain_silence(run, said);
	if (explained != GO_ON)
		return explained;
	text_escape(wanted->pattern, pattern, sizeof(pattern));
	if (refused[0])
		return run_fail(run, OUTCOME_NOT_CONFIRMED,
			"the boot loader took the image and did not start it: it said '%s', and the application never said what fits '%s'",
			refused, pattern);
	return run_fail(run, OUTCOME_NOT_CONFIRMED,
		"the image is in the flash, but within %" PRIu64
		" ms the application did not say what fits '%s'%s%s%s: does it start, and is `confirm-baud` right?%s",
		wanted->within_usec / USEC_PER_MSEC, pattern, said[0] ? "; it said '" : "", said,
		said[0] ? "'" : "",
		run->job->board->has_lines || wanted->query.n_bytes > 0
			? ""
			: " One that speaks once, right at its start, is missed: see `confirm-query`.");
}

static enum outcome confirm_spoken(struct run *run, enum outcome outcome)
{
	enum outcome explained = GO_ON;
	char ignored[TEXT_MAX];
	bool is_silent;

	outcome = spoken_run_confirm(run, outcome, &is_silent);
	if (is_silent)
		explained = explain_silence(run, ignored);
	return explained == GO_ON ? outcome : explained;
}

/*
 * A loader of files may check the application only when it is to start it, and refuse then: "Failed
 * to boot", and the menu again. After a reset the menu alone means nothing, since some loaders show
 * it each time and wait for a while.
 */
static enum outcome check_start(struct run *run, enum outcome outcome, uint32_t address)
{
	/* As a rule has it whose application is to say that it runs. */
	enum outcome failed =
		board_confirms(run->job->board) ? OUTCOME_NOT_CONFIRMED : OUTCOME_FAILED;
	const struct board *board = run->job->board;
	char said[TEXT_MAX];
	bool is_back;
	int r = expect_wait_last_word(&run->expect);

	if (r < 0)
		return run_fail_with(run, r, 0);
	is_back = run->entry.is_by_loader && application_is_loader(&run->expect, board);
	/* The choice may have been lost, or this menu be an earlier one: once more. */
	if (is_back) {
		r = run->loader->ops->start(run->loader, address);
		/* A loader with a menu would answer: the application runs. */
		if (r == LOADER_NO_ANSWER)
			return outcome;
		if (r == 0)
			r = expect_wait_last_word(&run->expect);
		if (r != 0)
			return run_fail_with(run, r, address);
		is_back = application_is_loader(&run->expect, board);
	}
	expect_news(&run->expect, is_back ? NULL : complaint_is_about_start, said, sizeof(said));
	if (is_back)
		return run_fail(run, failed,
			"the boot loader did not start the application: upon `menu-start` it said '%s' and shows its menu again: is it an image for this board, and `menu-start` the right choice?",
			said);
	if (said[0])
		return run_fail(run, failed,
			"the image was taken, and then the board said '%s': does the boot loader start such an image? If these are words of the application, give the rule a `confirm`",
			said);
	return outcome;
}

/* An update needs a proof: the loader's own word is enough only where the rule accepts it. */
static enum outcome weigh(struct run *run, enum outcome outcome)
{
	enum proof wanted = run->job->board->verify;

	if (outcome != OUTCOME_UPDATED || !run->has_erased || run->proof >= wanted ||
		run->job->action != FLASH_UPDATE)
		return outcome;
	if (wanted == PROOF_LOADER) {
		run->proof = PROOF_LOADER;
		return outcome;
	}
	if (run->n_sent_back > 0)
		return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
			"the boot loader took the image and sends back only its first %u bytes, which are right; nobody has seen the rest: %s",
			run->n_sent_back, run_proof_advice(run));
	if (run->proof != PROOF_NONE)
		return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
			"the rule wants `verify = %s`, and this boot loader gives no more than '%s'",
			proof_to_string(wanted), proof_to_string(run->proof));
	return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
		"the boot loader says that it took the image, and it cannot be read back: %s",
		run_proof_advice(run));
}

/*
 * Two circuits may have one way in and differ in the way out (wiring.md 3): a loader that goes on
 * with what was agreed before was not reset.
 */
static enum outcome check_guess(struct run *run, enum outcome outcome)
{
	const struct loader_ops *ops = run->loader->ops;
	int r = ops->goes_on ? ops->goes_on(run->loader) : LOADER_NO_ANSWER;

	if (r < 0)
		return run_fail_with(run, r, 0);
	run->report->is_still_inside = r == 0;
	return outcome;
}

/* The loader that can start the application answers behind a reset; a failure that is in the report
 * already stays there. */
static bool meet_again(struct run *run)
{
	const struct report before = *run->report;
	bool is_there = procedure_enter(run) == GO_ON;
	uint32_t entries = run->report->entries;

	*run->report = before;
	run->report->entries = entries;
	return is_there;
}

/* Gives the chip back to its application, after any outcome. */
static enum outcome leave(struct run *run, enum outcome outcome)
{
	const struct flash_job *job = run->job;
	const struct board *board = job->board;
	bool is_well = outcome_to_exit_code(outcome) == 0;
	/* An application that was not stopped, or whose flash was only looked at, is not asked. */
	bool asks = is_well && run->entry.is_inside && job->action == FLASH_UPDATE && !job->dry_run;
	bool confirms = asks && board->confirm.pattern;
	uint32_t address = application_address(run);
	enum entry_end end = ENTRY_END_INTACT;
	int r;

	/* Without the chip it is not known at which address to start. */
	if (run->has_erased || (run->loader->ops->identify && !run->identity.chip))
		end = ENTRY_END_TORN;
	if (is_well) {
		/* An erase that was ordered leaves no application to be started by the loader. */
		if (job->action == FLASH_UPDATE || !run->has_erased)
			end = ENTRY_END_WELL;
		run_set_phase(run, PHASE_LEAVE);
	}
	if (promotion_hides_start(run) && !meet_again(run) && is_well)
		return run_fail(run, OUTCOME_FAILED,
			"the image is in the flash and verified, and no boot loader answers that could start it: take the board off its power and on again");
	r = entry_leave(&run->entry, end, address, confirms ? &board->confirm.line : NULL);
	/* The earlier failure is in the report already, with its phase. */
	if (!is_well || (end == ENTRY_END_TORN && r > 0))
		return outcome;
	/* Some boards disconnect their bridge with the reset. What was proved stays proved, and
	 * without `confirm` the application is not asked whether it starts. */
	if (r == -ENODEV && run->proof != PROOF_NONE && !confirms)
		return outcome;
	if (r != 0)
		return run_fail_with(run, r, address);
	if (job->is_guess)
		return check_guess(run, outcome);
	if (confirms)
		return confirm(run, outcome);
	if (job->action == FLASH_START)
		return may_speak(run) ? check_words(run, outcome, &(struct loader_words){0})
				      : outcome;
	/* A loader that talks in text may say that it does not start the application. */
	if (asks && run->loader->ops->send && board->start != BOARD_START_NONE) {
		enum outcome started = check_start(run, outcome, address);

		if (started != outcome || !board->applications)
			return started;
	}
	if (asks && board->applications)
		return confirm_spoken(run, outcome);
	return asks && board->start != BOARD_START_NONE && may_speak(run)
		       ? check_words(run, outcome, &(struct loader_words){0})
		       : outcome;
}

enum outcome finish_run(struct run *run, enum outcome outcome)
{
	if (outcome == OUTCOME_PORT_GONE)
		return outcome;
	outcome = weigh(run, leave(run, outcome));
	/* What was found stays found, whatever a bridge does that is about to be closed. */
	if (outcome != OUTCOME_PORT_GONE)
		(void)entry_hear_end(&run->entry);
	return outcome;
}
