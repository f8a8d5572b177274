/* SPDX-License-Identifier: MIT */
#include "flash/run.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "loader/complaint.h"

/*
 * A job may take this many times what its bytes need on the line, and this much besides: a chip
 * that answers each byte just in time is broken, not slow.
 */
#define BUDGET_FACTOR	 4
#define BUDGET_BASE_USEC (60 * USEC_PER_SEC)

void run_set_phase(void *userdata, enum phase phase)
{
	struct run *run = userdata;
	struct report *report = run->report;
	struct progress progress = {.phase = phase};
	uint64_t now = monotonic_usec();

	/* The first try is the usual case, and no news. */
	if (phase == PHASE_ENTER && run->entry.n_resets > 0) {
		progress.done = run->entry.n_resets + 1;
		progress.total =
			(uint64_t)entry_tries(run->job->board) * (run->job->board->retries + 1);
	}
	report->phase_ms[report->phase] += (now - run->phase_started) / USEC_PER_MSEC;
	run->phase_started = now;
	report->phase = phase;
	if (run->job->on_progress)
		run->job->on_progress(run->job->userdata, &progress);
}

void run_tell_progress(struct run *run, uint64_t done, uint64_t total)
{
	const struct progress progress = {run->report->phase, done, total};

	if (run->job->on_progress)
		run->job->on_progress(run->job->userdata, &progress);
}

enum outcome run_fail(struct run *run, enum outcome outcome, const char *format, ...)
{
	char text[sizeof(run->report->reason.text)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	reason_set(&run->report->reason, "%s", text);
	return outcome;
}

#define CABLE_OR_RATE ": check cable and power, or put a lower rate into `baud`"

/* What a phase that did not succeed comes to, and what there is to try. */
static const struct {
	enum outcome outcome;
	const char *advice;
} phase_failures[PHASE_MAX] = {
	[PHASE_NONE] = {OUTCOME_FAILED, ""},
	[PHASE_IMAGE] = {OUTCOME_FAILED, ""},
	[PHASE_OPEN] = {OUTCOME_FAILED, ""},
	[PHASE_ENTER] = {OUTCOME_NO_SYNC, ""},
	[PHASE_SYNC] = {OUTCOME_NO_SYNC, ""},
	[PHASE_IDENTIFY] = {OUTCOME_NO_SYNC,
		": it answered 0x7F but no command: a rate too high (put a lower one into `baud`), "
		"or an adapter that drops parity"},
	[PHASE_COMPARE] = {OUTCOME_FAILED, CABLE_OR_RATE},
	[PHASE_ERASE] = {OUTCOME_ERASE_FAILED, ": is the flash write-protected?"},
	[PHASE_WRITE] = {OUTCOME_WRITE_FAILED, CABLE_OR_RATE},
	[PHASE_VERIFY] = {OUTCOME_VERIFY_IMPOSSIBLE, CABLE_OR_RATE},
	[PHASE_PROTECT] = {OUTCOME_FAILED,
		": the image is in the flash and verified, but the flash may still be readable"},
	[PHASE_LEAVE] = {OUTCOME_FAILED, ""},
	[PHASE_CONFIRM] = {OUTCOME_NOT_CONFIRMED, ""},
	[PHASE_READ] = {OUTCOME_FAILED, CABLE_OR_RATE},
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
};

static const char *entry_advice(const struct run *run, int r, char to[static HEARD_ADVICE_MAX])
{
	const struct board *board = run->job->board;

	if (board->entry == BOARD_ENTRY_COMMAND && run->entry.has_answered)
		return ": the application took `entry-command`, and after it none was there: check "
		       "`baud` and `entry-wait`";
	if (board->entry == BOARD_ENTRY_COMMAND)
		return ": neither by `entry-command` nor directly: check power, `entry-baud` and "
		       "`baud`, and that TX and RX are crossed";
	if (run->loader->ops->send)
		return ": check power, `menu`, `baud` and how the loader is entered, and that TX "
		       "and RX are crossed";
	if (run->report->phase == PHASE_SYNC)
		return heard_advice(&run->entry.heard, board->has_lines, r == LOADER_GARBLED, to);
	return phase_failures[run->report->phase].advice;
}

/*
 * The best explanation is what a loader that talks in text has said itself: where it says that
 * something failed, from there on, else what nobody has understood.
 */
static const char *last_words(const struct run *run, char to[TEXT_MAX])
{
	to[0] = '\0';
	if (!run->loader->ops->send)
		return to;
	if (run->report->phase > PHASE_IDENTIFY)
		expect_news(&run->expect, complaint_is_in, to, TEXT_MAX);
	return to[0] ? to : expect_quote(&run->expect, to, TEXT_MAX);
}

/* Somebody is there, and says other things than the rule expects of the boot loader. */
static enum outcome fail_misunderstood(struct run *run, const char *said)
{
	bool has_menu = run->job->board->menu.before.n_items > 0;

	return run_fail(run, OUTCOME_NO_SYNC, "no boot loader that %s, but something said '%s': %s",
		has_menu ? "answers as `menu` expects" : "asks for a file", said,
		has_menu ? "is it another loader, the application, or another `baud`?"
			 : "does it have a menu (`menu`), or another `baud`?");
}

/* Of a loader that takes files. A lower rate helps where bytes were lost, and nowhere else. */
static const char *file_advice(const struct run *run, int r, bool has_spoken)
{
	bool is_comparing = run->report->phase != PHASE_ERASE && run->report->phase != PHASE_WRITE;

	if (r == LOADER_REFUSED && is_comparing)
		return ": does the loader take part in `menu-upload` as the rule has it?";
	if (r == LOADER_REFUSED)
		return ": does the loader take such a file (`protocol`, `block-size`, kind and size of the image, its signature), and is its flash not write-protected?";
	if (r == LOADER_ENDLESS)
		return ": is it the boot loader of the rule, and in order?";
	if (has_spoken)
		return is_comparing
			       ? ": is that what `menu-upload` expects? else check cable and power"
			       : ": is that what `menu-after` expects? else check cable and power";
	if (r == LOADER_NO_ANSWER && run->report->phase == PHASE_ERASE)
		return ": does the loader need longer than `erase-within` for its erase? else check cable and power";
	return phase_failures[run->report->phase].advice;
}

static const char *transfer_advice(const struct run *run, int r, bool has_spoken)
{
	enum phase phase = run->report->phase;

	if (run->loader->ops->send)
		return file_advice(run, r, has_spoken);
	if (r == LOADER_REFUSED &&
		(phase == PHASE_COMPARE || phase == PHASE_READ || phase == PHASE_VERIFY))
		return ": is that address in the flash of this chip, and not protected? else check cable and power";
	if (r == LOADER_REFUSED && phase == PHASE_WRITE)
		return ": is the flash there write-protected? else check cable and power, or put a lower rate into `baud`";
	return phase_failures[phase].advice;
}

enum outcome run_fail_with(struct run *run, int r, uint32_t address)
{
	struct report *report = run->report;
	const char *phase = phase_to_string(report->phase);
	char said[TEXT_MAX], advice[HEARD_ADVICE_MAX];

	if (r == -ENODEV || r == -ENOENT) {
		report->error = -r;
		return run_fail(run, OUTCOME_PORT_GONE,
			"the bridge went away during %s: unplugged?%s", phase,
			run->has_erased && run->proof == PROOF_NONE ? " plug it in again" : "");
	}
	if (r == -EBUSY) {
		report->error = -r;
		return run_fail(run, OUTCOME_PORT_BUSY,
			"another program reads this port and took bytes during %s (as root: fuser -v %s): end that program%s",
			phase, run->job->port,
			run->has_erased ? ". The board holds no application now" : "");
	}
	if (r < 0) {
		report->error = -r;
		return run_fail(run, OUTCOME_FAILED, "%s during %s", strerror(-r), phase);
	}
	(void)last_words(run, said);
	if (report->phase <= PHASE_IDENTIFY && *said)
		return fail_misunderstood(run, said);
	if (report->phase <= PHASE_IDENTIFY && r == LOADER_UNSTEADY)
		return run_fail(run, OUTCOME_NO_SYNC,
			"bad line: the boot loader answers the same question differently each "
			"time%s",
			phase_failures[PHASE_COMPARE].advice);
	if (r == LOADER_FOREIGN)
		return run_fail(run, OUTCOME_WRONG_CHIP,
			"the boot loader does not list Get ID (0x02), which every one of ST's does: it is another maker's, like that of the GD32VW553, and does not say which chip this is; choose another way to flash it%s",
			run->has_erased ? "" : ". Nothing of it was erased");
	if (report->phase <= PHASE_IDENTIFY)
		return run_fail(run, OUTCOME_NO_SYNC, "no boot loader: %s%s", results[r],
			entry_advice(run, r, advice));
	report->has_address = true;
	report->address = address;
	return run_fail(run, phase_failures[report->phase].outcome, "%s at 0x%08x: %s%s%s%s%s",
		phase, address, results[r], *said ? ", and it said '" : "", said, *said ? "'" : "",
		transfer_advice(run, r, *said));
}

enum outcome run_open_port(struct run *run)
{
	const struct flash_job *job = run->job;
	struct report *report = run->report;
	int r;

	run_set_phase(run, PHASE_OPEN);
	r = port_open(job->port, job->devnum, job->board->wiring.rest, &run->port, &report->reason);
	if (r < 0) {
		report->error = -r;
		if (r == -EBUSY)
			return OUTCOME_PORT_BUSY;
		return r == -ENODEV || r == -ENOENT ? OUTCOME_PORT_GONE : OUTCOME_FAILED;
	}
	r = job->on_open ? job->on_open(job->userdata) : 0;
	return r < 0 ? run_fail_with(run, r, 0) : GO_ON;
}

enum outcome run_check_budget(struct run *run)
{
	if (port_now(run->port) < run->deadline)
		return GO_ON;
	return run_fail(run, phase_failures[run->report->phase].outcome,
		"%s takes more than %d times as long as the line needs: the board answers too "
		"slowly",
		phase_to_string(run->report->phase), BUDGET_FACTOR);
}

enum outcome run_check_cancelled(struct run *run)
{
	if (run->has_erased || !run->job->is_cancelled ||
		!run->job->is_cancelled(run->job->userdata))
		return GO_ON;
	return run_fail(run, OUTCOME_CANCELLED, "cancelled before anything was erased");
}

/* The chip's own times, as far as they are known, or what the rule grants its loader. */
static uint64_t work_usec(const struct run *run, uint64_t n_blocks)
{
	const struct chip *chip = run->identity.chip;

	if (!chip)
		return run->job->board->transfer.erase_usec;
	return n_blocks * (chip->program_max_usec + chip->page_erase_usec) +
	       chip->mass_erase_max_usec;
}

/* Of a loader that sends what it has, nobody knows how much that is; few chips have more. */
#define LARGE_FLASH (1024 * 1024)

static uint64_t most_to_read(const struct run *run)
{
	if (run->job->read_size > 0)
		return run->job->read_size;
	if (run->identity.flash_bytes > 0)
		return run->identity.flash_bytes;
	return run->job->board->size > 0 ? run->job->board->size : LARGE_FLASH;
}

/* The budget is of this chip and this image, so it begins when both are known. */
void run_set_budget(struct run *run)
{
	uint64_t n_bytes = run->job->image ? image_bytes(run->job->image) : 0;
	uint64_t n_blocks = n_bytes / run->loader->ops->block_size + 1;

	if (run->job->action == FLASH_READ)
		n_bytes = most_to_read(run);
	/* Compared, written and read back, with a tenth of framing. */
	run->deadline = port_now(run->port) + BUDGET_BASE_USEC +
			BUDGET_FACTOR * (port_line_time(run->port, n_bytes * 33 / 10) +
						work_usec(run, n_blocks));
}

/* What the unit has for itself takes the place of the image's bytes. */
static enum outcome take_unit_data(struct run *run, const struct answer *answer)
{
	const struct provision *serialize = &run->job->board->serialize;

	if (answer->n_data == 0)
		return GO_ON;
	if (answer->n_data != serialize->size)
		return run_fail(run, OUTCOME_FAILED,
			"the service gives the unit %zu bytes of its own, and `serialize` wants %u",
			answer->n_data, serialize->size);
	image_put(run->job->image, serialize->address, answer->data, answer->n_data);
	provision_show(answer->data, answer->n_data, run->report->unit_data);
	run->has_unit_data = true;
	return GO_ON;
}

enum outcome run_ask(struct run *run, enum question question, enum answer_word *ret)
{
	struct answer answer = {.word = ANSWER_GO, .outcome = OUTCOME_FAILED};

	if (run->job->ask && run->job->action == FLASH_UPDATE)
		run->job->ask(run->job->userdata, question, run->report, &answer);
	*ret = answer.word;
	if (answer.word != ANSWER_LEAVE)
		return take_unit_data(run, &answer);
	run->is_left = true;
	return run_fail(run, answer.outcome, "%s", answer.reason.text);
}

uint32_t run_image_start(const struct run *run)
{
	return run->job->image->segments[0].address;
}

uint64_t run_image_end(const struct run *run)
{
	const struct image *image = run->job->image;
	const struct segment *last = &image->segments[image->n_segments - 1];

	return (uint64_t)last->address + last->size;
}
