/* SPDX-License-Identifier: MIT */
/* run.c - what the steps of both procedures use: phases, time, cancelling, the service's answers.
 */
#include "flash/run.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/util.h"
#include "chip/family.h"
#include "flash/recording.h"

/*
 * A job may take this many times what its bytes need on the line, and this much besides: a chip
 * that answers each byte just in time is broken, not slow.
 */
#define BUDGET_FACTOR	 4
#define BUDGET_BASE_USEC (60 * USEC_PER_SEC)

/* How long somebody who cancels in a pause is not heard. */
#define PAUSE_USEC (250 * USEC_PER_MSEC)

/*
 * The driver cdc-acm, by its devices (admin-guide/devices.txt of the kernel). Of the CP210x only
 * the CP2102C has it.
 */
#define ACM_MAJOR 166

void run_set_phase(void *userdata, enum phase phase)
{
	struct run *run = userdata;
	struct report *report = run->report;
	struct progress progress = {.phase = phase, .baud = run->entry.baud};
	uint64_t now = monotonic_usec();

	/* Only a second try is told: most boards answer at the first. */
	if (phase == PHASE_ENTER && run->entry.n_tries > 0) {
		progress.done = run->entry.n_tries + 1;
		progress.total =
			(uint64_t)entry_tries(&run->entry) * (run->job->board->retries + 1);
	}
	report->phase_ms[report->phase] += (now - run->phase_started) / USEC_PER_MSEC;
	run->phase_started = now;
	report->phase = phase;
	recording_phase(run->job, phase);
	if (run->job->on_progress)
		run->job->on_progress(run->job->userdata, &progress);
}

void run_tell_progress(struct run *run, uint64_t done, uint64_t total)
{
	const struct progress progress = {run->report->phase, done, total, run->entry.baud};

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

void run_switch_loader(struct run *run, struct loader *loader)
{
	if (run->loader != run->base)
		loader_close(run->loader);
	run->loader = run->entry.loader = loader;
}

/* For a chip whose table does not say how long its boot loader needs until it listens. */
#define START_USEC (100 * USEC_PER_MSEC)

void run_end_promotion(struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;

	if (run->loader == run->base)
		return;
	/* However it ends: what the loader in ROM says next tells whether the chip is there. */
	if (!run->job->board->has_lines && ops->demote && ops->demote(run->loader) == 0)
		(void)port_wait(run->port, run->identity.chip->startup_usec + START_USEC);
	run_switch_loader(run, run->base);
}

/* The service has stopped the units of the rule by then; a command that works by itself stops none.
 */
static enum outcome fail_busy(struct run *run)
{
	const struct board *board = run->job->board;
	const struct reason why = run->report->reason;

	if (!run->job->ask && board->n_port_owner > 0)
		reason_set(&run->report->reason, "%s; by its rule %s owns it: systemctl stop %s%s",
			why.text, board->port_owner[0], board->port_owner[0],
			board->n_port_owner > 1 ? " (or another of its port-owner)" : "");
	return OUTCOME_PORT_BUSY;
}

enum outcome run_open_port(struct run *run)
{
	const struct flash_job *job = run->job;
	struct report *report = run->report;
	int r;

	run_set_phase(run, PHASE_OPEN);
	run->wiring = job->board->wiring;
	if (major(job->devnum) == ACM_MAJOR)
		wiring_suit_acm(&run->wiring);
	r = port_open(job->port, job->devnum, run->wiring.rest, &run->port, &report->reason);
	if (r < 0) {
		report->error = -r;
		if (r == -EBUSY)
			return fail_busy(run);
		return r == -ENODEV || r == -ENOENT ? OUTCOME_PORT_GONE : OUTCOME_FAILED;
	}
	if (job->transcript)
		port_record(run->port, job->transcript);
	r = job->on_open ? job->on_open(job->userdata) : 0;
	return r < 0 ? run_fail_with(run, r, 0) : GO_ON;
}

enum outcome run_check_cancelled(struct run *run)
{
	if (run->has_erased || run->is_whole || !run->job->is_cancelled ||
		!run->job->is_cancelled(run->job->userdata))
		return GO_ON;
	return run_fail(run, OUTCOME_CANCELLED, "cancelled before anything was erased");
}

int run_wait(struct run *run, uint64_t usec)
{
	while (run_check_cancelled(run) == GO_ON) {
		uint64_t part = usec < PAUSE_USEC ? usec : PAUSE_USEC;
		int r = part > 0 ? port_wait(run->port, part) : 0;

		if (r < 0 || part == 0)
			return r;
		usec -= part;
	}
	return -ECANCELED;
}

enum outcome run_check_block(struct run *run)
{
	if (port_now(run->port) < run->deadline)
		return run_check_cancelled(run);
	return run_fail(run, run_phase_outcome(run->report->phase),
		"%s takes more than %d times as long as the line needs: the board answers too slowly",
		phase_to_string(run->report->phase), BUDGET_FACTOR);
}

/* For a loader that sends its flash and does not say how large it is; few chips have more. */
#define LARGE_FLASH (1024 * 1024)

/* The budget depends on chip and image, so it begins when both are known. */
void run_set_budget(struct run *run)
{
	const struct flash_job *job = run->job;
	const struct chip *chip = run->identity.chip;
	uint64_t n_bytes = job->image ? image_bytes(job->image) : 0;
	uint64_t n_blocks = n_bytes / run->loader->ops->block_size + 1;
	/* The time of the chip itself, as far as it is known. */
	uint64_t work_usec = chip ? n_blocks * (chip->program_max_usec + chip->page_erase_usec) +
					     chip->mass_erase_max_usec
				  : job->board->transfer.erase_usec;

	/* Of each page at least the beginning is looked at. */
	if (job->action == FLASH_ERASE)
		n_bytes = run->identity.flash_bytes;
	if (job->action == FLASH_READ) {
		n_bytes = job->read_size > 0 ? job->read_size : run->identity.flash_bytes;
		if (n_bytes == 0)
			n_bytes = job->board->size > 0 ? job->board->size : LARGE_FLASH;
	}
	/* Compared, written and read back, with a tenth of framing. */
	run->deadline = port_now(run->port) + BUDGET_BASE_USEC +
			BUDGET_FACTOR * (port_line_time(run->port, n_bytes * 33 / 10) + work_usec);
}

void run_add_budget(struct run *run, uint64_t n_bytes)
{
	run->deadline += BUDGET_FACTOR * port_line_time(run->port, n_bytes * 11 / 10);
}

/* Puts the unit's own data in the place of the image's bytes. */
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

/* What an update took that was not finished goes back with this one. */
static void take_kept(struct run *run, const struct answer *answer)
{
	const struct chip *chip = run->identity.chip;
	struct report *report = run->report;
	struct reason remark = {""};

	if (!*answer->kept || *report->kept || !chip || !chip->family->restore)
		return;
	if (chip->family->restore(run->job->board, chip, answer->kept, run->job->image, &remark))
		text_copy(report->remark, sizeof(report->remark), remark.text);
}

enum outcome run_ask(struct run *run, enum question question, enum answer_word *ret)
{
	struct answer answer = {.word = ANSWER_GO, .outcome = OUTCOME_FAILED};

	bool is_for_checks = question == QUESTION_OPEN || question == QUESTION_TRUST;

	/* Nothing is granted to a check but the port, which its owner may have to give up first. */
	if (run->job->ask && (run->job->action == FLASH_UPDATE || is_for_checks)) {
		run->job->ask(run->job->userdata, question, run->report, &answer);
		recording_answer(run->job, question, &answer);
	}
	*ret = answer.word;
	if (answer.has_trusts)
		run->trusts = answer.trusts;
	if (answer.word != ANSWER_LEAVE) {
		take_kept(run, &answer);
		return take_unit_data(run, &answer);
	}
	run->is_left = true;
	return run_fail(run, answer.outcome, "%s", answer.reason.text);
}

const struct image *run_written(const struct run *run)
{
	return run->has_written ? &run->written : run->job->image;
}

void run_forget_written(struct run *run)
{
	free(run->written.segments);
	run->written = (struct image){0};
	run->has_written = false;
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

/*
 * Between the first and the last byte of a block may be a gap, which the block covers as well. Of
 * no more than two pages, none can lie in it that the image does not touch and nobody erased.
 */
bool run_next_block(const struct run *run, const struct image *image, uint64_t *cursor,
	uint64_t end, struct plan_block *ret)
{
	const struct chip *chip = run->identity.chip;
	uint32_t size = run->loader->ops->block_size;
	struct chip_page page;

	if (chip_page_at(chip, run_image_start(run), &page) && size > 2 * page.size)
		size = 2 * page.size;
	return plan_next_block(image, chip->write_align, size, cursor, end, ret);
}

bool run_is_erased(const struct run *run, const uint8_t *bytes, size_t n)
{
	return bytes[0] == chip_erased_byte(run->identity.chip) &&
	       memcmp(bytes, bytes + 1, n - 1) == 0;
}

const char *run_proof_advice(const struct run *run)
{
	return run->job->board->verify > PROOF_CONFIRM
		       ? "`verify` of the rule wants all of it; with `verify = confirm` the application may vouch for it"
		       : "give the rule a `confirm`, or `accept-unverified = yes`";
}
