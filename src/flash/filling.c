/* SPDX-License-Identifier: MIT */
/*
 * filling.c - a run of pages, from its begin() to its end(), and what is done where that fails.
 *
 * Nobody knows whether a boot loader has counted a block whose answer was lost, so no block is sent
 * twice from here: the run begins again, with its erase (esp-rom.md 4). After the last block the
 * chip's digest of the whole run is compared, and a run that is not as it should be begins again
 * too. A line that loses answers at this rate gets no better by that: after RUN_TRIES the pass
 * ends, and the next one takes the next rate. A chip that does not answer to begin() at all is not
 * asked again, since its erase may take minutes.
 */
#include "flash/filling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "flash/verify.h"

/* esp-rom.md 15: a region twice more. */
#define RUN_TRIES 3

/* Two wrong digests may be two answers that were bent on their way: then they are not equal. */
#define DIGEST_TRIES 2

struct filling {
	struct run *run;
	struct span span;
	uint8_t *bytes; /* all that lies in it, also what is erased bytes alone */
	uint32_t size, at;
	filling_progress on_written;
	void *userdata;
	uint8_t said[RUN_TRIES][LOADER_DIGEST_MAX]; /* wrong digests of the run, one for a try */
	unsigned n_said;
};

static void filling_done(struct filling *filling)
{
	free(filling->bytes);
}

/* All blocks and the end. `ret_r` is what the loader said, where the outcome is GO_ON. */
static enum outcome bring(struct filling *filling, int *ret_r)
{
	struct run *run = filling->run;
	const struct loader_ops *ops = run->loader->ops;
	int r = 0;

	for (filling->at = 0; filling->at < filling->size;) {
		uint32_t left = filling->size - filling->at;
		uint32_t n = left < ops->block_size ? left : ops->block_size;
		uint32_t address = (uint32_t)filling->span.from + filling->at;
		enum outcome outcome = run_check_block(run);

		if (outcome != GO_ON)
			return outcome;
		r = ops->write(run->loader, address, filling->bytes + filling->at, n);
		if (r != 0)
			break;
		filling->on_written(filling->userdata, address, n);
		filling->at += n;
	}
	*ret_r = r == 0 ? ops->end(run->loader) : r;
	return GO_ON;
}

/* GO_ON; OUTCOME_VERIFY_DIFFERS where the run is otherwise; else what failed. */
static enum outcome prove(struct filling *filling)
{
	struct run *run = filling->run;
	uint32_t from = (uint32_t)filling->span.from;
	uint8_t *said = filling->said[filling->n_said];
	bool is_equal = false;
	int r = 0;

	if (!run->loader->ops->proves_runs || run->identity.proves_nothing)
		return GO_ON;
	for (int i = 0; r == 0 && !is_equal && i < DIGEST_TRIES; i++)
		r = verify_digest(run, from, filling->bytes, filling->size, said, &is_equal);
	if (r != 0)
		return run_fail_with(run, r, from);
	filling->n_said += !is_equal;
	return is_equal ? GO_ON : OUTCOME_VERIFY_DIFFERS;
}

/*
 * The same wrong digest each time is that of a flash that does not take the bytes, another one each
 * time that of bytes which change on their way (esp-rom.md 4).
 */
static enum outcome fail_proof(struct filling *filling)
{
	struct run *run = filling->run;
	const uint8_t *last = filling->said[filling->n_said - 1];
	bool is_same = filling->n_said > 1 &&
		       memcmp(last, filling->said[filling->n_said - 2], LOADER_DIGEST_MAX) == 0;
	enum outcome outcome = verify_range(
		run, VERIFY_IMAGE, filling->span.from, filling->span.end, &(uint64_t){0});

	if (outcome != OUTCOME_VERIFY_DIFFERS)
		return outcome;
	run->has_lost = !is_same;
	if (is_same)
		return run_fail(run, outcome,
			"the flash at 0x%08x does not take the image: it was written %u times, and the chip's digest was wrong in the same way each time; the flash is defect, write-protected, or smaller than it says",
			run->report->address, filling->n_said);
	return run_fail(run, outcome,
		"the flash at 0x%08x is not as the image has it: it was written %u times, and the chip's digest was wrong in another way each time; check power and cable, or put a lower rate into `baud`",
		run->report->address, filling->n_said);
}

/* One try. `ret_again`: another one may mend it. */
static enum outcome fill(struct filling *filling, bool *ret_again)
{
	struct run *run = filling->run;
	const struct loader_ops *ops = run->loader->ops;
	uint32_t from = (uint32_t)filling->span.from;
	int r = ops->begin(run->loader, from, filling->size, filling->bytes);
	enum outcome outcome;

	/* A command that arrived bent may be refused as well as one that was bent on its way back.
	 */
	*ret_again = ops->proves_runs && (r == LOADER_GARBLED || r == LOADER_REFUSED);
	if (r != 0)
		return run_fail_with(run, r, from);
	outcome = bring(filling, &r);
	if (outcome != GO_ON)
		return outcome;
	*ret_again = ops->proves_runs &&
		     (r == LOADER_NO_ANSWER || r == LOADER_GARBLED || r == LOADER_REFUSED);
	if (r != 0)
		return run_fail_with(run, r, from + filling->at);
	outcome = prove(filling);
	*ret_again = outcome == OUTCOME_VERIFY_DIFFERS;
	return outcome;
}

enum outcome filling_write(
	struct run *run, const struct span *span, filling_progress on_written, void *userdata)
{
	CLEANUP(filling_done)
	struct filling filling = {.run = run,
		.span = *span,
		.size = (uint32_t)(span->end - span->from),
		.on_written = on_written,
		.userdata = userdata};
	enum outcome outcome = GO_ON;
	bool again = true;

	filling.bytes = malloc(filling.size);
	if (!filling.bytes)
		return run_fail_with(run, -ENOMEM, (uint32_t)span->from);
	image_copy(run_written(run), (uint32_t)span->from, filling.bytes, filling.size);
	for (unsigned n = 0; again && n < RUN_TRIES; n++) {
		if (n > 0) {
			run->was_repeated = true;
			run->report->has_address = false;
			reason_set(&run->report->reason, "%s", "");
		}
		outcome = fill(&filling, &again);
	}
	return outcome == OUTCOME_VERIFY_DIFFERS ? fail_proof(&filling) : outcome;
}

bool filling_is_proof(const struct run *run)
{
	return run->loader->ops->proves_runs && !run->was_repeated &&
	       verify_proof(run) == PROOF_DIGEST;
}
