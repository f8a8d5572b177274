/* SPDX-License-Identifier: MIT */
/*
 * procedure-file.c - a pass with a loader that takes a file.
 *
 * The table at the end of this file is the procedure; the functions before it are its steps. The
 * image is one run of bytes, from the rule's `address` (else its first byte) to its last, with 0xFF
 * in the gaps. Such a loader says nothing of its unit, so the service is asked what is to be done
 * before the loader is met. It erases when it likes: the unit is on record before the loader is
 * told that a file will come. Its flash can be seen only where it sends it back.
 */
#include "flash/procedure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "flash/application.h"
#include "flash/decision.h"
#include "flash/procedure-order.h"
#include "flash/spoken-run.h"
#include "flash/verify.h"
#include "image/version.h"

/* The most bytes of a flash, as for `size`: a loader that sends more is not in order. */
#define MOST_READ (16 * 1024 * 1024)

/* The file on its way to the loader, or from it. */
struct transfer {
	struct run *run;
	uint32_t address; /* of the first byte */
	uint8_t *bytes;
	uint32_t n_bytes;
	uint32_t n_done;
	enum outcome outcome; /* why it was stopped */
	/* Of what is read, the bytes [first, first + n_wanted) alone; 0: all. */
	uint32_t first, n_wanted;
};

static void transfer_done(struct transfer *transfer)
{
	free(transfer->bytes);
}

/* The address of the first byte of a file, as far as it is known. */
static uint32_t file_address(const struct run *run)
{
	const struct board *board = run->job->board;

	if (board->has_address)
		return board->address;
	return run->job->image && run->job->image->n_segments > 0 ? run_image_start(run) : 0;
}

static int make_file(struct run *run, struct transfer *ret)
{
	uint32_t address = file_address(run);
	uint64_t size = run_image_end(run) - address;
	uint8_t *bytes;

	if (size > MOST_READ)
		return -EFBIG;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	image_copy(run->job->image, address, bytes, size);
	*ret = (struct transfer){.run = run,
		.address = address,
		.bytes = bytes,
		.n_bytes = (uint32_t)size,
		.outcome = GO_ON};
	return 0;
}

/* Whether there is time left and, while nothing is erased, the job was not cancelled. */
static bool may_go_on(struct transfer *transfer)
{
	transfer->outcome = run_check_block(transfer->run);
	return transfer->outcome == GO_ON;
}

/*
 * Asks the running application for its version, where the rule says how: that of the image makes
 * the unit current. Silence is no failure.
 */
static enum outcome ask_version(struct run *run)
{
	const struct flash_job *job = run->job;
	char version[APPLICATION_VERSION_BYTES];
	int r;

	if (!job->board->application.version_pattern || run->has_erased ||
		run->decision == ANSWER_WRITE || !run->report->version[0])
		return GO_ON;
	run_set_phase(run, PHASE_IDENTIFY);
	r = application_ask_version(&run->expect, job->board, version, &run->report->reason);
	if (r < 0)
		return run_fail_with(run, r, 0);
	if (r == EXPECT_SILENT || version_compare(version, run->report->version) != 0)
		return GO_ON;
	run->proof = PROOF_VERSION;
	return OUTCOME_CURRENT;
}

/* ------------------------------------------------------------------ sending */

/* Before it takes the first part the loader erases, as far as can be seen. */
static bool on_sent(void *userdata, uint32_t n_sent)
{
	struct transfer *transfer = userdata;
	struct run *run = transfer->run;

	if (n_sent == 0)
		run_set_phase(run, PHASE_ERASE);
	else if (run->report->phase != PHASE_WRITE)
		run_set_phase(run, PHASE_WRITE);
	transfer->n_done = n_sent;
	run_tell_progress(run, n_sent, n_sent == 0 ? 0 : transfer->n_bytes);
	return may_go_on(transfer);
}

static enum outcome send_file(struct run *run)
{
	CLEANUP(transfer_done) struct transfer transfer = {0};
	struct loader_file file = {.on_sent = on_sent, .userdata = &transfer};
	enum outcome outcome;
	int r = make_file(run, &transfer);

	if (r < 0)
		return run_fail_with(run, r, 0);
	/* A loader may erase as soon as it is told that a file will come. */
	outcome = decision_begin_erase(run);
	if (outcome != GO_ON)
		return outcome;
	file.bytes = transfer.bytes;
	file.n_bytes = transfer.n_bytes;
	file.is_package = run->job->image->is_package;
	run->proof = PROOF_NONE;
	run_set_phase(run, PHASE_SYNC);
	r = run->loader->ops->send(run->loader, &file);
	if (r == LOADER_STOPPED)
		return transfer.outcome;
	if (r != 0)
		return run_fail_with(run, r, transfer.address + transfer.n_done);
	run->report->bytes = transfer.n_bytes;
	return GO_ON;
}

/* ------------------------------------------------------------------ comparing and reading */

static bool compare(void *userdata, uint32_t offset, const uint8_t *bytes, uint32_t n_bytes)
{
	struct transfer *transfer = userdata;
	uint32_t left = transfer->n_bytes - offset;
	uint32_t n = n_bytes < left ? n_bytes : left;

	if (memcmp(transfer->bytes + offset, bytes, n) != 0) {
		transfer->outcome = verify_report_difference(transfer->run,
			transfer->address + offset, transfer->bytes + offset, bytes, n);
		return false;
	}
	transfer->n_done = offset + n;
	run_tell_progress(transfer->run, transfer->n_done, transfer->n_bytes);
	return may_go_on(transfer) && transfer->n_done < transfer->n_bytes;
}

/*
 * Compares what the loader sends back, up to the image's end. Where nothing or not all comes,
 * another try brings no more (run->cannot_compare).
 */
static enum outcome compare_file(struct run *run)
{
	CLEANUP(transfer_done) struct transfer transfer = {0};
	const struct loader_sink sink = {.take = compare, .userdata = &transfer};
	int r = LOADER_UNSUPPORTED;

	run->n_sent_back = 0;
	if (run->loader->ops->upload) {
		r = make_file(run, &transfer);
		if (r == 0)
			r = run->loader->ops->upload(run->loader, &sink);
	}
	run->cannot_compare = r == LOADER_UNSUPPORTED;
	if (run->cannot_compare)
		return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
			"this boot loader cannot send back what it holds (`menu-upload`)");
	run->report->bytes = transfer.n_done;
	if (r < 0)
		return run_fail_with(run, r, transfer.address);
	if (transfer.outcome != GO_ON)
		return transfer.outcome;
	if (transfer.n_done == transfer.n_bytes) {
		run->proof = PROOF_UPLOAD;
		return GO_ON;
	}
	if (r != 0)
		return run_fail_with(run, r, transfer.address + transfer.n_done);
	run->cannot_compare = true;
	run->n_sent_back = transfer.n_done;
	return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
		"the boot loader sends back only %u bytes, and the image has %u: the rest cannot be compared",
		transfer.n_done, transfer.n_bytes);
}

static enum outcome decide(struct run *run)
{
	const struct board *board = run->job->board;
	bool may_confirm = board_confirms(board) && board->verify <= PROOF_CONFIRM;
	enum outcome outcome;

	if (run->decision == ANSWER_WRITE)
		return GO_ON;
	run_set_phase(run, PHASE_COMPARE);
	outcome = compare_file(run);
	if (outcome == GO_ON)
		return OUTCOME_CURRENT;
	/* Writing it again would prove no more, unless the rule accepts another proof. */
	if (run->n_sent_back > 0 && !run->has_erased && !may_confirm &&
		board->verify > PROOF_LOADER)
		return run_fail(run, OUTCOME_VERIFY_IMPOSSIBLE,
			"the boot loader sends back only %u bytes of the image, which are right; nobody sees the rest, and nothing was erased: %s",
			run->n_sent_back, run_proof_advice(run));
	if (outcome != OUTCOME_VERIFY_DIFFERS && !run->cannot_compare)
		return outcome;
	run->report->has_address = false;
	run->report->bytes = 0;
	reason_set(&run->report->reason, "%s", "");
	return GO_ON;
}

static enum outcome prove(struct run *run)
{
	uint64_t n_bytes = run->report->bytes;
	enum outcome outcome = compare_file(run);

	run->report->bytes = n_bytes;
	/* Without a way to compare, the application may vouch for it once it is started. */
	return run->cannot_compare ? GO_ON : outcome;
}

/* Keeps the wanted ones of the bytes that come. */
static bool collect(void *userdata, uint32_t offset, const uint8_t *bytes, uint32_t n_bytes)
{
	struct transfer *transfer = userdata;
	uint8_t *longer;

	if (offset + n_bytes <= transfer->first)
		return may_go_on(transfer);
	if (offset < transfer->first) {
		bytes += transfer->first - offset;
		n_bytes -= transfer->first - offset;
	}
	if (transfer->n_wanted > 0 && n_bytes > transfer->n_wanted - transfer->n_bytes)
		n_bytes = transfer->n_wanted - transfer->n_bytes;
	if (n_bytes > MOST_READ - transfer->n_bytes) {
		transfer->outcome = run_fail(transfer->run, OUTCOME_FAILED,
			"the boot loader sends more than %u bytes, which is no flash: is it the loader of the rule?",
			MOST_READ);
		return false;
	}
	longer = realloc(transfer->bytes, transfer->n_bytes + n_bytes);
	if (!longer) {
		transfer->outcome = run_fail_with(transfer->run, -ENOMEM, 0);
		return false;
	}
	memcpy(longer + transfer->n_bytes, bytes, n_bytes);
	transfer->bytes = longer;
	transfer->n_bytes += n_bytes;
	run_tell_progress(transfer->run, transfer->n_bytes, transfer->n_wanted);
	return may_go_on(transfer) && transfer->n_bytes != transfer->n_wanted;
}

static enum outcome read_file(struct run *run)
{
	const struct flash_job *job = run->job;
	uint32_t address = file_address(run);
	CLEANUP(transfer_done)
	struct transfer reading = {.run = run, .outcome = GO_ON, .n_wanted = job->read_size};
	const struct loader_sink sink = {.take = collect, .userdata = &reading};
	int r = LOADER_UNSUPPORTED;

	if (job->read_size > 0 && job->read_address < address)
		return run_fail(run, OUTCOME_FAILED,
			"the loader sends its flash from 0x%08x on: 0x%08x lies before it", address,
			job->read_address);
	if (job->read_size > 0)
		reading.first = job->read_address - address;
	if (run->loader->ops->upload)
		r = run->loader->ops->upload(run->loader, &sink);
	/* More than there may be, or too slow: another try would take as long. */
	run->cannot_compare = reading.outcome != GO_ON;
	if (run->cannot_compare)
		return reading.outcome;
	run->cannot_compare = r == LOADER_UNSUPPORTED;
	if (run->cannot_compare)
		return run_fail(run, OUTCOME_FAILED,
			"this boot loader cannot send back what it holds (`menu-upload`)");
	if (r != 0 && r != LOADER_STOPPED)
		return run_fail_with(run, r, address + reading.n_bytes);
	run->report->bytes = reading.n_bytes;
	/* Another try would not make its flash larger. */
	run->cannot_compare = reading.n_bytes < reading.n_wanted;
	if (run->cannot_compare)
		return run_fail(run, OUTCOME_FAILED,
			"the loader sends its flash from 0x%08x on, and no more than %u of the %u bytes from 0x%08x on",
			address, reading.n_bytes, reading.n_wanted, job->read_address);
	*job->ret_read = TAKE_PTR(reading.bytes);
	*job->ret_read_size = reading.n_bytes;
	return GO_ON;
}

/* An application need not be stopped to learn what no loader of this kind can do. */
static enum outcome check_reading(struct run *run)
{
	run->cannot_compare = !run->loader->ops->upload;
	return run->cannot_compare ? run_fail(run, OUTCOME_FAILED,
					     "this boot loader cannot send back what it holds")
				   : GO_ON;
}

const struct step procedure_file[] = {
	{PHASE_READ, STEP_READ, check_reading},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN, decision_make},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN, ask_version},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN | STEP_VERIFY | STEP_PROBE, spoken_run_ask},
	{PHASE_NONE, STEP_ALWAYS, procedure_enter},
	{PHASE_READ, STEP_READ, read_file},
	{PHASE_COMPARE, STEP_VERIFY, compare_file},
	{PHASE_NONE, STEP_UPDATE | STEP_DRY_RUN, decide},
	{PHASE_NONE, STEP_UPDATE, run_check_cancelled},
	{PHASE_NONE, STEP_UPDATE, send_file},
	{PHASE_VERIFY, STEP_UPDATE, prove},
	{PHASE_NONE, STEP_START, order_start},
	{0},
};
