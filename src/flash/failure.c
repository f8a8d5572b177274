/* SPDX-License-Identifier: MIT */
/*
 * failure.c - what the failure of an operation means to the person who must act.
 *
 * The phase decides the outcome; phase, result and kind of loader choose the advice, the first row
 * of the table that fits. A loader that talks in text may have said itself what is wrong: its words
 * stand in the reason then, and they count for the advice.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "flash/run.h"
#include "loader/complaint.h"
#include "rules/protocol-words.h"

#define ON(phase)    (1u << PHASE_##phase)
#define WITH(result) (1u << LOADER_##result)
#define ANY	     (~0u)
#define RANGES	     (1u << 0)
#define FILES	     (1u << 1)

/* The phases in which no boot loader has said yet which chip it is. */
#define ENTRY (ON(ENTER) | ON(SYNC) | ON(IDENTIFY))

/* In these a loader of files receives the image, or sends it back. */
#define RECEIVING (ON(ERASE) | ON(WRITE))
#define SENDING	  (ON(COMPARE) | ON(VERIFY) | ON(READ))

/* All protocols of a rule, with their rates. */
#define NAMED_MAX     160

#define CABLE_OR_RATE ": check cable and power, or put a lower rate into `baud`"

static const enum outcome outcomes[PHASE_MAX] = {
	[PHASE_NONE] = OUTCOME_FAILED,
	[PHASE_IMAGE] = OUTCOME_FAILED,
	[PHASE_OPEN] = OUTCOME_FAILED,
	[PHASE_ENTER] = OUTCOME_NO_SYNC,
	[PHASE_SYNC] = OUTCOME_NO_SYNC,
	[PHASE_IDENTIFY] = OUTCOME_NO_SYNC,
	[PHASE_COMPARE] = OUTCOME_FAILED,
	[PHASE_ERASE] = OUTCOME_ERASE_FAILED,
	[PHASE_WRITE] = OUTCOME_WRITE_FAILED,
	[PHASE_VERIFY] = OUTCOME_VERIFY_IMPOSSIBLE,
	[PHASE_PROTECT] = OUTCOME_FAILED,
	[PHASE_LEAVE] = OUTCOME_FAILED,
	[PHASE_CONFIRM] = OUTCOME_NOT_CONFIRMED,
	[PHASE_READ] = OUTCOME_FAILED,
};

/* What must be so besides, for a row to fit. */
enum circumstance {
	ANYHOW,
	BY_COMMAND,	  /* the rule has `entry-command` */
	BY_TAKEN_COMMAND, /* and the application has answered to it */
	SPOKEN,		  /* the loader has said something */
	BY_RUNS,	  /* the loader proves what it wrote, run by run */
};

/* Advice that is made, not written down. */
static const char of_heard[] = "by what was heard", of_loader[] = "by the loader";

static const struct advice {
	unsigned phases, results, loaders;
	enum circumstance circumstance;
	const char *text;
} advices[] = {
	{ENTRY, WITH(UNSTEADY), ANY, ANYHOW, CABLE_OR_RATE},
	{ENTRY, ANY, ANY, BY_TAKEN_COMMAND,
		": the application took `entry-command`, and after it none was there: check `baud` and `entry-wait`"},
	{ENTRY, ANY, ANY, BY_COMMAND,
		": neither by `entry-command` nor directly: check power, `entry-baud` and `baud`, and that TX and RX are crossed"},
	{ENTRY, ANY, FILES, ANYHOW,
		": check power, `menu`, `baud` and how the loader is entered, and that TX and RX are crossed"},
	{ON(SYNC), ANY, RANGES, ANYHOW, of_heard},
	{ON(IDENTIFY), ANY, RANGES, ANYHOW, of_loader},

	{RECEIVING, WITH(REFUSED), FILES, ANYHOW,
		": does the loader take such a file (`protocol`, `block-size`, kind and size of the image, its signature), and is its flash not write-protected?"},
	{SENDING, WITH(REFUSED), FILES, ANYHOW,
		": does the loader take part in `menu-upload` as the rule has it?"},
	{ANY, WITH(ENDLESS), FILES, ANYHOW, ": is it the boot loader of the rule, and in order?"},
	{RECEIVING, ANY, FILES, SPOKEN,
		": is that what `menu-after` expects? else check cable and power"},
	{SENDING, ANY, FILES, SPOKEN,
		": is that what `menu-upload` expects? else check cable and power"},
	{ON(LEAVE), ANY, FILES, SPOKEN,
		": is that what `menu-start` expects? else check cable and power"},
	{ON(ERASE), WITH(NO_ANSWER), FILES, ANYHOW,
		": does the loader need longer than `erase-within` for its erase? else check cable and power"},

	{ON(COMPARE) | ON(READ) | ON(VERIFY), WITH(REFUSED), RANGES, ANYHOW,
		": is that address in the flash of this chip, and not protected? else check cable and power"},
	{ON(WRITE), WITH(REFUSED), RANGES, ANYHOW,
		": is the flash there write-protected? else check cable and power, or put a lower rate into `baud`"},

	{ON(ERASE), WITH(NO_ANSWER) | WITH(GARBLED) | WITH(UNSTEADY), RANGES, BY_RUNS,
		CABLE_OR_RATE},
	{ON(ERASE), ANY, ANY, ANYHOW, ": is the flash write-protected?"},
	{ON(COMPARE) | ON(WRITE) | ON(VERIFY) | ON(READ), ANY, ANY, ANYHOW, CABLE_OR_RATE},
	{ON(PROTECT), ANY, ANY, ANYHOW,
		": the image is in the flash and verified, but the flash may still be readable"},
};

static const char *const results[] = {
	[LOADER_OK] = "succeeded",
	[LOADER_NO_ANSWER] = "timeout, no answer",
	[LOADER_REFUSED] = "NACK, refused",
	[LOADER_GARBLED] = "garbled answer",
	[LOADER_UNKNOWN_CHIP] = "unknown chip",
	[LOADER_UNSUPPORTED] = "the boot loader does not have the command",
	[LOADER_STOPPED] = "stopped",
	[LOADER_ENDLESS] = "it sends without an end",
	[LOADER_UNSTEADY] = "a different answer at each reading",
	[LOADER_FOREIGN] = "a boot loader of another kind",
	[LOADER_FAULT] = "the chip reports a failure",
};

enum outcome run_phase_outcome(enum phase phase)
{
	return outcomes[phase];
}

static bool fits(const struct run *run, const struct advice *advice, int r, bool has_spoken)
{
	const struct loader_ops *ops = run->loader->ops;
	bool is_by_command = run->job->board->entry == BOARD_ENTRY_COMMAND;

	if (!(advice->phases & 1u << run->report->phase) || !(advice->results & 1u << r) ||
		!(advice->loaders & (ops->send ? FILES : RANGES)))
		return false;
	switch (advice->circumstance) {
	case ANYHOW:
		return true;
	case BY_COMMAND:
		return is_by_command;
	case BY_TAKEN_COMMAND:
		return is_by_command && run->entry.has_answered;
	case SPOKEN:
		return has_spoken;
	case BY_RUNS:
		return ops->proves_runs;
	}
	return false;
}

/* Returns a text of the table, or `to`. */
static const char *advise(
	const struct run *run, int r, bool has_spoken, char to[static HEARD_ADVICE_MAX])
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		const char *text = advices[i].text;

		if (!fits(run, &advices[i], r, has_spoken))
			continue;
		if (text == of_heard && *run->entry.advice.text)
			return run->entry.advice.text;
		if (text == of_heard && run->loader->ops->explain)
			return run->loader->ops->explain(&run->entry.words,
				run->job->board->has_lines, r == LOADER_GARBLED, to);
		if (text == of_heard)
			return heard_advice(&run->entry.heard, run->job->board->has_lines,
				r == LOADER_GARBLED, to);
		if (text == of_loader)
			return run->loader->ops->unanswered ? run->loader->ops->unanswered : "";
		return text;
	}
	return "";
}

/*
 * The loader's own words for a failure, from there on; else all that it said and nobody understood.
 */
static void last_words(const struct run *run, char to[TEXT_MAX])
{
	to[0] = '\0';
	if (!run->loader->ops->send)
		return;
	if (run->report->phase > PHASE_IDENTIFY)
		expect_news(&run->expect, complaint_is_in, to, TEXT_MAX);
	if (!to[0])
		expect_quote(&run->expect, to, TEXT_MAX);
}

/* The bridge or the port failed, not the board. */
static enum outcome fail_by_port(struct run *run, int r)
{
	const char *phase = phase_to_string(run->report->phase);

	run->report->error = -r;
	if (r == -ENODEV || r == -ENOENT)
		return run_fail(run, OUTCOME_PORT_GONE,
			"the bridge went away during %s: unplugged?%s", phase,
			run->has_erased && run->proof == PROOF_NONE ? " plug it in again" : "");
	if (r == -EBUSY)
		return run_fail(run, OUTCOME_PORT_BUSY,
			"another program reads this port and took bytes during %s (as root: fuser -v %s): end that program%s",
			phase, run->job->port,
			run->has_erased ? ". The board holds no application now" : "");
	return run_fail(run, OUTCOME_FAILED, "%s during %s", strerror(-r), phase);
}

/* Nobody answered, or the application did not lead into its loader. */
static enum outcome fail_application(struct run *run, int r)
{
	const struct entry *entry = &run->entry;
	const struct board *board = entry->board;
	char spoken[NAMED_MAX], heard[64] = "no byte came at all";

	spoken_format(&entry->spoken, spoken, sizeof(spoken));
	if (r == LOADER_REFUSED)
		return run_fail(run, OUTCOME_NO_SYNC,
			"the application (%s) does not start its boot loader: %s", spoken,
			entry->spoken.refusal.text);
	if (entry->has_answered)
		return run_fail(run, OUTCOME_NO_SYNC,
			"the application (%s) was told to start its boot loader, and no menu came within %" PRIu64
			" ms: is it the boot loader of `menu`, and `baud` its rate?",
			spoken, board->menu.within_usec / USEC_PER_MSEC);
	if (entry->unheard.n_bytes > 0)
		snprintf(heard, sizeof(heard), "%zu bytes came that are no answer",
			entry->unheard.n_bytes);
	spoken_list(board, spoken, sizeof(spoken));
	return run_fail(run, OUTCOME_NO_SYNC,
		"neither the boot loader (at %u) nor an application (%s) answers, %s: does it speak another protocol (`entry`), another rate (`entry-baud`), or does another program hold the port?%s",
		board->baud.items[0], spoken, heard,
		board->has_lines
			? " One with hardware flow control needs RTS asserted, which this rule has another use for."
			: "");
}

static enum outcome fail_entry(struct run *run, int r, const char *said)
{
	bool has_menu = run->job->board->menu.before.n_items > 0;
	char made[HEARD_ADVICE_MAX], spoken[NAMED_MAX];

	/* Words of a chip explain themselves. */
	if (!run->loader->ops->send && !run->loader->ops->hear)
		run->report->heard = heard_kind(&run->entry.heard);
	if (run->job->board->entry == BOARD_ENTRY_APPLICATION)
		return fail_application(run, r);
	/* It was asked before its reset: a stick without such lines, or a wrong circuit. */
	if (protocol_word_of(run->job->board->protocol)->takes_packages &&
		run->entry.spoken.baud > 0 && !*said)
		return run_fail(run, OUTCOME_NO_SYNC,
			"no boot loader, but the application answers (%s): check `wiring`; where no line of the stick leads into its boot loader, name what it speaks in `entry`, not in `application`",
			spoken_format(&run->entry.spoken, spoken, sizeof(spoken)));
	/* Something talks, and not as the rule expects the boot loader to. */
	if (*said)
		return run_fail(run, OUTCOME_NO_SYNC,
			"no boot loader that %s, but something said '%s': %s",
			has_menu ? "answers as `menu` expects" : "asks for a file", said,
			has_menu ? "is it another loader, the application, or another `baud`?"
				 : "does it have a menu (`menu`), or another `baud`?");
	if (r == LOADER_UNSTEADY)
		return run_fail(run, OUTCOME_NO_SYNC,
			"bad line: the boot loader answers the same question differently each time%s",
			advise(run, r, false, made));
	return run_fail(run, OUTCOME_NO_SYNC, "no boot loader: %s%s", results[r],
		advise(run, r, false, made));
}

/* A file that the loader will never take is a bad one, whatever the phase. */
static enum outcome refused_outcome(const struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;

	return ops->is_final && ops->is_final(run->loader) ? OUTCOME_BAD_IMAGE
							   : outcomes[run->report->phase];
}

enum outcome run_fail_with(struct run *run, int r, uint32_t address)
{
	struct report *report = run->report;
	char said[TEXT_MAX], made[HEARD_ADVICE_MAX];
	const char *refusal = "";

	run->has_lost = r == LOADER_NO_ANSWER || r == LOADER_GARBLED || r == LOADER_UNSTEADY;
	run->is_refused = r == LOADER_REFUSED;
	if (r < 0)
		return fail_by_port(run, r);
	last_words(run, said);
	if (r == LOADER_FOREIGN)
		return run_fail(run, OUTCOME_WRONG_CHIP, "%s%s",
			run->entry.foreign ? run->entry.foreign : run->loader->ops->foreign,
			run->has_erased ? "" : ". Nothing of it was erased");
	if (report->phase <= PHASE_IDENTIFY)
		return fail_entry(run, r, said);
	report->has_address = true;
	report->address = address;
	if ((r == LOADER_REFUSED || r == LOADER_FAULT) && run->loader->ops->refusal)
		refusal = run->loader->ops->refusal(run->loader);
	if (*refusal && r == LOADER_FAULT)
		return run_fail(run, outcomes[report->phase], "%s at 0x%08x: %s, %s",
			phase_to_string(report->phase), address, results[r], refusal);
	if (*refusal)
		return run_fail(run, refused_outcome(run), "%s at 0x%08x: refused, %s%s",
			phase_to_string(report->phase), address, refusal,
			run->loader->ops->send ? "" : advise(run, r, false, made));
	return run_fail(run, outcomes[report->phase], "%s at 0x%08x: %s%s%s%s%s",
		phase_to_string(report->phase), address, results[r], *said ? ", and it said '" : "",
		said, *said ? "'" : "", advise(run, r, *said, made));
}
