/* SPDX-License-Identifier: MIT */
/*
 * writing.c - the order in which an erased flash is filled.
 *
 * The page of the vector table was erased first, so nothing is started from then on. All of the
 * image but its first words is written and read back; then the first words are written, as one
 * small frame, and read back themselves. A flash whose cells do not take the image, or a power cut
 * at any point, leaves these words blank: the chip starts nothing, or stays in its boot loader.
 */
#include "flash/writing.h"

#include "chip/family.h"
#include "flash/transfer.h"

/* While these bytes are missing nothing is started, wherever the power fails. */
static uint64_t start_end(const struct run *run)
{
	const struct chip *chip = run->identity.chip;
	struct chip_range start = chip->family->find_start(chip, run->job->image);

	return (uint64_t)start.start + start.size;
}

enum outcome writing_write_rest(struct run *run)
{
	run_set_phase(run, PHASE_WRITE);
	return transfer_write(run, start_end(run), run_image_end(run), 0);
}

enum outcome writing_verify_rest(struct run *run)
{
	uint64_t done = 0;

	run_set_phase(run, PHASE_VERIFY);
	return transfer_compare(run, start_end(run), run_image_end(run), &done);
}

/* All else is known to be as it should be. */
enum outcome writing_write_start(struct run *run)
{
	run_set_phase(run, PHASE_WRITE);
	return transfer_write(
		run, run_image_start(run), start_end(run), image_bytes(run->job->image));
}

/* A wrong stack pointer or reset vector could be started: rather none. */
static void unmake_start(struct run *run)
{
	if (run->plan.n_pages > 0)
		(void)run->loader->ops->erase_pages(run->loader, run->plan.pages, 1);
	else
		(void)run->loader->ops->erase_all(run->loader);
}

enum outcome writing_verify_start(struct run *run)
{
	uint64_t total = image_bytes(run->job->image);
	uint64_t done = total;
	enum outcome outcome;

	run_set_phase(run, PHASE_VERIFY);
	outcome = transfer_compare(run, run_image_start(run), start_end(run), &done);
	if (outcome == OUTCOME_VERIFY_DIFFERS)
		unmake_start(run);
	if (outcome != GO_ON)
		return outcome;
	run->report->bytes = total;
	run->proof = PROOF_READ_BACK;
	return GO_ON;
}
