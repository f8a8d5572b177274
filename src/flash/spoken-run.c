/* SPDX-License-Identifier: MIT */
/*
 * spoken-run.c - the application's version before the job, and its word behind it.
 *
 * Before: a stick that says the version of the image is current, without a reset. A loader that can
 * be read or asked for a digest says that better, so only files are compared so. Behind: the rate
 * and protocol of the new application are those of the image where it says them, else those of
 * before, and this one is asked until `confirm-within` is over, since it may be starting still.
 * Then every other combination that the rule allows is asked once: an application that answers at
 * another rate runs as well. Where nobody answers, the boot loader may: the line that leads into it
 * was held at the reset (ti-bsl.md 8), and one more reset mends that.
 */
#include "flash/spoken-run.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "application/application-version.h"
#include "base/util.h"
#include "flash/package-check.h"

/* Names of protocols and rates, and a version. */
#define NAMED_MAX 160

static void tell(struct run *run)
{
	const struct spoken *spoken = &run->entry.spoken;
	struct report *report = run->report;

	snprintf(report->application, sizeof(report->application), "%s",
		application_protocol_to_string(spoken->protocol));
	report->application_baud = spoken->baud;
	text_copy(
		report->application_version, sizeof(report->application_version), spoken->version);
}

/* What the maker of the image says of its application; empty for most files. */
static const struct image_maker *maker_of(const struct run *run)
{
	static const struct image_maker nobody;

	return run->job->image ? &run->job->image->maker : &nobody;
}

/*
 * The version that the application of the image says, "" where nobody knows. Its maker knows better
 * than whoever gave the file its name.
 */
static const char *wanted_version(const struct run *run)
{
	const struct image_maker *maker = maker_of(run);

	return maker->version[0] ? maker->version : run->report->version;
}

/* Whether the application that answers is of another kind than that of the image, by its maker. */
static bool is_other_kind(const struct run *run)
{
	unsigned made = package_applications(maker_of(run)->fw_type);

	return made != 0 && !(made >> run->entry.spoken.protocol & 1);
}

/* ------------------------------------------------------------------ before */

static bool on_phase(void *userdata, enum phase phase)
{
	struct run *run = userdata;

	run_set_phase(run, phase);
	return run_check_cancelled(run) == GO_ON;
}

/* Whether a look at the application is of use before the loader is entered, which looks itself. */
static bool is_of_use(const struct run *run)
{
	const struct flash_job *job = run->job;
	bool takes_file = run->loader->ops->send != NULL;

	if (job->board->applications == 0 || run->has_erased)
		return false;
	switch (job->action) {
	case FLASH_PROBE:
		return true;
	case FLASH_VERIFY:
		return takes_file && !run->loader->ops->upload;
	case FLASH_UPDATE:
		if (job->dry_run && job->board->entry == BOARD_ENTRY_APPLICATION)
			return true;
		/* A version shows nothing of the flash, where that is what the rule wants. */
		return takes_file && run->decision != ANSWER_WRITE && wanted_version(run)[0] &&
		       job->board->verify != PROOF_UPLOAD;
	case FLASH_READ:
	case FLASH_IDENTIFY:
	case FLASH_ERASE:
	case FLASH_START:
	case FLASH_PROTECT:
	case FLASH_UNPROTECT:
	case FLASH_WRITE_UNPROTECT:
	case FLASH_OPTIONS:
	case FLASH_ACTION_MAX:
		break;
	}
	return false;
}

/* By the version alone: the loader shows nothing of its flash. */
static enum outcome judge_version(struct run *run)
{
	const char *wanted = wanted_version(run), *said = run->entry.spoken.version;
	char quoted[TEXT_MAX], shown[NAMED_MAX];

	spoken_format(&run->entry.spoken, shown, sizeof(shown));
	run_set_phase(run, PHASE_COMPARE);
	/* Another try would bring no other answer. */
	run->cannot_compare = true;
	if (is_other_kind(run))
		return run_fail(run, OUTCOME_VERIFY_DIFFERS,
			"the application that runs (%s) is not that of the image, which is of the kind '%s'",
			shown, maker_of(run)->fw_type);
	if (!wanted[0] || !said[0])
		return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
			"this boot loader cannot send back what it holds, and %s: the application runs (%s)",
			wanted[0] ? "the application says no version"
				  : "the version of the image is not known",
			shown);
	return run_fail(run, OUTCOME_VERIFY_DIFFERS,
		"the application that runs (%s) is not that of the image, whose version is '%s'",
		shown, text_escape(wanted, quoted, sizeof(quoted)));
}

/*
 * Whether what the application says is the version of the image. The name of a file may have its
 * first numbers alone, "7.3": that is enough where nothing was to be written anyhow, and for a unit
 * that is on record as holding this very image, but no other unit is passed over by it.
 */
static bool is_version(const struct run *run)
{
	const char *said = run->entry.spoken.version, *wanted = wanted_version(run);

	if (!said[0] || !wanted[0] || is_other_kind(run))
		return false;
	return run->job->action == FLASH_VERIFY || run->decision == ANSWER_FINGERPRINT
		       ? application_version_confirms(said, wanted)
		       : application_version_is(said, wanted);
}

static enum outcome judge_found(struct run *run)
{
	const struct flash_job *job = run->job;
	bool is_entry = job->board->entry == BOARD_ENTRY_APPLICATION;

	tell(run);
	/* Lines alone lead on from here without disturbing more than they would anyhow. */
	if (job->action == FLASH_PROBE)
		return job->board->entry == BOARD_ENTRY_LINES ? GO_ON : OUTCOME_CURRENT;
	if (run->decision != ANSWER_WRITE && is_version(run)) {
		run->proof = PROOF_VERSION;
		return OUTCOME_CURRENT;
	}
	if (job->action == FLASH_VERIFY)
		return judge_version(run);
	/* What may be known of the flash is known: a loader that is entered for no more than that
	 * would stop the application in vain. */
	return job->dry_run && is_entry && !run->loader->ops->upload ? OUTCOME_UPDATED : GO_ON;
}

enum outcome spoken_run_ask(struct run *run)
{
	struct entry *entry = &run->entry;
	bool is_entry = run->job->board->entry == BOARD_ENTRY_APPLICATION;
	int r;

	if (!is_of_use(run))
		return GO_ON;
	run_set_phase(run, PHASE_ENTER);
	r = entry_find(entry, on_phase, run, &run->report->reason);
	if (r == -ECANCELED)
		return OUTCOME_CANCELLED;
	if (r < 0)
		return run_fail_with(run, r, 0);
	switch (entry->found) {
	case ENTRY_FOUND_APPLICATION:
		return judge_found(run);
	case ENTRY_FOUND_LOADER:
		return GO_ON;
	case ENTRY_FOUND_NOBODY:
		break;
	}
	/* A rule with lines has other means than to ask. */
	return is_entry && !run->job->board->has_lines ? run_fail_with(run, LOADER_NO_ANSWER, 0)
						       : GO_ON;
}

/* ------------------------------------------------------------------ behind */

/*
 * Protocol and rate of the application that was started, as far as somebody says them: the maker of
 * the image, the rule, and the application that was met before. The rate is 0 where nobody does.
 */
static bool likely(const struct run *run, struct spoken *ret)
{
	const struct image_maker *maker = maker_of(run);
	const struct board *board = run->job->board;
	const struct spoken *met = &run->entry.spoken;
	unsigned made = package_applications(maker->fw_type) & board->applications;
	unsigned protocol = 0;

	while (made != 0 && !(made >> protocol & 1))
		protocol++;
	*ret = (struct spoken){.protocol = made != 0 ? protocol : met->protocol};
	if (maker->baud > 0)
		ret->baud = maker->baud;
	else if (board->confirm.has_baud)
		ret->baud = board->confirm.line.baud;
	else if (met->baud > 0 && ret->protocol == met->protocol)
		ret->baud = met->baud;
	return (made != 0 || met->baud > 0) && ret->baud > 0;
}

static int ask(struct run *run, struct spoken *spoken, uint64_t usec)
{
	int r = spoken_ask(spoken, &run->expect, usec, &run->entry.unheard);

	/* That it refuses to say its version says that it runs. */
	if (r == APPLICATION_OK || r == APPLICATION_REFUSED)
		run->entry.spoken = *spoken;
	return r == APPLICATION_REFUSED ? APPLICATION_OK : r;
}

/* Each combination once. */
static int ask_all(struct run *run)
{
	struct spoken spoken;
	int r = APPLICATION_SILENT;

	for (size_t i = 0; r == APPLICATION_SILENT && spoken_candidate(run->job->board, i, &spoken);
		i++)
		r = ask(run, &spoken, SPOKEN_ASK_USEC);
	return r;
}

/* 0 with entry.spoken, APPLICATION_SILENT, or -errno. */
static int ask_until(struct run *run)
{
	const struct board *board = run->job->board;
	uint64_t now = port_now(run->port), deadline = now + board->confirm.within_usec;
	struct spoken spoken;
	int r = APPLICATION_SILENT;

	run->entry.unheard = (struct spoken_heard){0};
	while (r == APPLICATION_SILENT && likely(run, &spoken) && now < deadline) {
		uint64_t left = deadline - now;

		r = ask(run, &spoken, left < SPOKEN_ASK_USEC ? left : SPOKEN_ASK_USEC);
		now = port_now(run->port);
	}
	if (r == APPLICATION_SILENT)
		r = ask_all(run);
	while (r == APPLICATION_SILENT && port_now(run->port) < deadline)
		r = ask_all(run);
	return r;
}

/* Whether the boot loader answers in place of the application. 0 it does, LOADER_..., -errno. */
static int ask_loader(struct run *run)
{
	const struct loader_ops *ops = run->base->ops;
	struct reason ignored;
	int r;

	/* A loader of files says so itself, and an ESP's ROM speaks up. */
	if (ops->send || ops->hear)
		return LOADER_NO_ANSWER;
	r = port_configure(run->port, run->entry.baud, ops->parity, &ignored);
	if (r == 0)
		r = expect_forget(&run->expect);
	return r == 0 ? ops->sync(run->base, false) : r;
}

static enum outcome fail_silent(struct run *run)
{
	const struct board *board = run->job->board;
	char asked[NAMED_MAX], heard[64] = "";

	if (run->entry.unheard.n_bytes > 0)
		snprintf(heard, sizeof(heard), "; %zu bytes came that are no answer",
			run->entry.unheard.n_bytes);
	return run_fail(run, OUTCOME_NOT_CONFIRMED,
		"the image is in the flash, but no application answered within %" PRIu64
		" ms and longer (%s)%s: is it an image for this board, and does it speak another protocol, or at another rate (`confirm-baud`)?",
		board->confirm.within_usec / USEC_PER_MSEC,
		spoken_list(board, asked, sizeof(asked)), heard);
}

static enum outcome judge_running(struct run *run, enum outcome outcome)
{
	const char *wanted = wanted_version(run), *said = run->entry.spoken.version;
	bool is_as_before = run->report->application_version[0] &&
			    strcmp(run->report->application_version, said) == 0;
	char quoted[TEXT_MAX], shown[NAMED_MAX];

	tell(run);
	spoken_format(&run->entry.spoken, shown, sizeof(shown));
	if (is_other_kind(run))
		return run_fail(run, OUTCOME_NOT_CONFIRMED,
			"an application runs (%s), and the image is of the kind '%s': does the boot loader keep the one of before?",
			shown, maker_of(run)->fw_type);
	if (!wanted[0] || !said[0] || application_version_confirms(said, wanted)) {
		if (run->proof == PROOF_NONE)
			run->proof = PROOF_CONFIRM;
		return outcome;
	}
	return run_fail(run, OUTCOME_NOT_CONFIRMED,
		"an application runs (%s), and its version is not that of the image, '%s': %s",
		shown, text_escape(wanted, quoted, sizeof(quoted)),
		is_as_before
			? "it is the version of before; does the boot loader keep it, or does the name of the image say another version than its application does (`version-in-name`, or a manifest)?"
			: "does the name of the image say another version than its application does (`version-in-name`, or a manifest)?");
}

enum outcome spoken_run_confirm(struct run *run, enum outcome outcome, bool *ret_is_silent)
{
	bool was_loader = false;
	int r;

	*ret_is_silent = false;
	run_set_phase(run, PHASE_CONFIRM);
	r = ask_until(run);
	/* The reset may have been lost, or have led back into the loader: once more. */
	if (r == APPLICATION_SILENT) {
		int loader = ask_loader(run);

		was_loader = loader == 0;
		r = loader < 0 ? loader : entry_leave_again(&run->entry, NULL);
		if (r == 0)
			r = ask_until(run);
		else if (r > 0)
			r = APPLICATION_SILENT;
	}
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == APPLICATION_OK)
		return judge_running(run, outcome);
	if (was_loader && ask_loader(run) == 0)
		return run_fail(run, OUTCOME_NOT_STARTED,
			"the image is in the flash, but each reset leads back into the boot loader: is its button pressed, or its pin held low by the line of another wiring?");
	*ret_is_silent = true;
	return fail_silent(run);
}
