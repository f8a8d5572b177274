/* SPDX-License-Identifier: MIT */
/*
 * writing.c - the order in which an erased flash is filled.
 *
 * The page that makes the flash startable was erased first, so nothing is started from then on. All
 * of the image but the bytes that the chip starts by (its family names them) is written and
 * verified; then these bytes are written and verified themselves. A flash whose cells do not take
 * the image, or a power cut at any point, leaves them blank: the chip starts nothing, or stays in
 * its boot loader.
 *
 * Where the chip starts by a record of settings, it is written whole, and its page is erased again
 * whenever it is not known to be right: a reset would make it count.
 *
 * A loader that finds pages has what it is to write page by page, each behind the erase of that
 * page.
 *
 * A loader is given blocks that hold bytes of the image, and no block of nothing but erased bytes.
 * One that is told beforehand how much will come (begin) is given runs of whole pages instead, with
 * all that is in them: it may count bytes, and it may erase the pages itself.
 */
#include "flash/writing.h"

#include <assert.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/erase.h"
#include "flash/filling.h"
#include "flash/verify.h"

/*
 * The bytes that the chip starts by; whole pages where the loader has begin(), which names pages
 * and may erase them: a second one in the same page would erase what the first one brought.
 */
static struct span start_of(const struct run *run)
{
	const struct chip *chip = run->identity.chip;
	const struct chip_range start = chip->family->find_start(chip, run_written(run));
	struct span span = {start.start, (uint64_t)start.start + start.size};
	struct chip_page page;

	if (!run->loader->ops->begin)
		return span;
	if (chip_page_at(chip, (uint32_t)(span.end - 1), &page))
		span.end = (uint64_t)page.address + page.size;
	if (chip_page_at(chip, (uint32_t)span.from, &page))
		span.from = page.address;
	return span;
}

static void tell_written(struct run *run, uint32_t n_image, uint64_t *done)
{
	uint64_t total = image_bytes(run_written(run));

	*done += n_image;
	run_tell_progress(run, *done < total ? *done : total, total);
}

static enum outcome write_block(struct run *run, const struct plan_block *block, uint64_t *done)
{
	uint8_t bytes[LOADER_BLOCK_MAX];
	enum outcome outcome = run_check_block(run);
	int r = 0;

	if (outcome != GO_ON)
		return outcome;
	image_copy(run_written(run), block->address, bytes, block->size);
	/* Erased flash reads so already; the verification covers it all the same. */
	if (!run_is_erased(run, bytes, block->size))
		r = run->loader->ops->write(run->loader, block->address, bytes, block->size);
	if (r != 0)
		return run_fail_with(run, r, block->address);
	tell_written(run, block->n_image, done);
	return GO_ON;
}

/* How many bytes of the image lie in [from, end). */
static uint32_t count_image(const struct run *run, uint64_t from, uint64_t end)
{
	struct plan_block block;
	uint32_t n = 0;

	while (run_next_block(run, run->job->image, &from, end, &block))
		n += block.n_image;
	return n;
}

struct tally {
	struct run *run;
	uint64_t before, *done;
	uint32_t from;
};

static void on_written(void *userdata, uint64_t address, uint32_t n)
{
	struct tally *tally = userdata;

	/* A run that begins again has nothing in the flash. */
	if (address == tally->from)
		*tally->done = tally->before;
	tell_written(tally->run, count_image(tally->run, address, address + n), tally->done);
}

static enum outcome write_run(struct run *run, const struct span *span, uint64_t *done)
{
	struct tally tally = {run, *done, done, (uint32_t)span->from};

	return filling_write(run, span, on_written, &tally);
}

/* Block by block, without an end of the last one. */
static enum outcome write_blocks(struct run *run, uint64_t from, uint64_t end, uint64_t *done)
{
	enum outcome outcome = GO_ON;
	struct plan_block block;

	while (outcome == GO_ON && run_next_block(run, run_written(run), &from, end, &block))
		outcome = write_block(run, &block, done);
	return outcome;
}

/* Until all that was written is in the flash. */
static enum outcome flush(struct run *run, uint64_t from)
{
	const struct loader_ops *ops = run->loader->ops;
	int r = ops->flush ? ops->flush(run->loader) : 0;

	return r == 0 ? GO_ON : run_fail_with(run, r, (uint32_t)from);
}

static enum outcome write_span(struct run *run, const struct span *span, uint64_t *done)
{
	const struct loader_ops *ops = run->loader->ops;
	uint64_t cursor = span->from;
	enum outcome outcome = GO_ON;
	struct span pages;

	if (!ops->begin)
		outcome = write_blocks(run, span->from, span->end, done);
	while (ops->begin && outcome == GO_ON &&
		regions_next(run, run_written(run), &cursor, span->end, &pages))
		outcome = write_run(run, &pages, done);
	return outcome == GO_ON ? flush(run, span->from) : outcome;
}

/* All of the span but the bytes to start by, and the unit that was written behind the first erase.
 */
static enum outcome write_around(struct run *run, const struct span *span, uint64_t *done)
{
	const struct chip_range *unit = &run->first_unit;
	const struct span holes[] = {
		start_of(run), {unit->start, (uint64_t)unit->start + unit->size}};
	enum outcome outcome = GO_ON;
	uint64_t at = span->from;

	for (size_t i = 0; outcome == GO_ON && i < ARRAY_SIZE(holes); i++) {
		if (holes[i].from == holes[i].end || holes[i].end <= at ||
			holes[i].from >= span->end)
			continue;
		if (holes[i].from > at)
			outcome = write_blocks(run, at, holes[i].from, done);
		at = holes[i].end;
	}
	if (outcome == GO_ON && at < span->end)
		outcome = write_blocks(run, at, span->end, done);
	return outcome;
}

/* Each page is erased while the line brings what is written to it. */
static enum outcome write_pages(struct run *run, uint64_t *done)
{
	const struct plan *plan = &run->plan;
	const struct chip_range *unit = &run->first_unit;
	enum outcome outcome = GO_ON;

	tell_written(run, count_image(run, unit->start, (uint64_t)unit->start + unit->size), done);
	for (size_t i = 0; outcome == GO_ON && i < plan->n_pages; i++) {
		const struct span page = {plan->pages[i].address,
			(uint64_t)plan->pages[i].address + plan->pages[i].size};

		outcome = erase_up_to(run, i + 1);
		if (outcome == GO_ON)
			outcome = write_around(run, &page, done);
	}
	return outcome == GO_ON ? flush(run, run_image_start(run)) : outcome;
}

/* All of a record in one write(): a part of it would be another one. */
static enum outcome write_record(struct run *run, const struct span *span, uint64_t *done)
{
	const struct plan_block block = {(uint32_t)span->from, (uint32_t)(span->end - span->from),
		count_image(run, span->from, span->end)};

	assert(block.size <= run->loader->ops->block_size);
	return write_block(run, &block, done);
}

/* What lies before the bytes that the chip starts by, and what lies behind them. */
enum outcome writing_write_rest(struct run *run)
{
	const struct span start = start_of(run);
	enum outcome outcome;
	uint64_t done = 0;

	if (run->loader->ops->finds_pages && run->plan.n_pages > 0)
		return write_pages(run, &done);
	outcome = write_span(run, &(struct span){run_image_start(run), start.from}, &done);
	if (outcome == GO_ON)
		outcome = write_span(run, &(struct span){start.end, run_image_end(run)}, &done);
	return outcome;
}

enum outcome writing_verify_rest(struct run *run)
{
	const struct span start = start_of(run);
	enum outcome outcome;
	uint64_t done = 0;

	if (filling_is_proof(run) || run->identity.proves_nothing)
		return GO_ON;
	outcome = verify_range(run, VERIFY_IMAGE, run_image_start(run), start.from, &done);
	if (outcome == GO_ON)
		outcome = verify_range(run, VERIFY_IMAGE, start.end, run_image_end(run), &done);
	return outcome;
}

/* Wrong bytes to start by could be started: rather none. The report stays about them. */
static void blank_start(struct run *run)
{
	const struct report report = *run->report;

	if (run->plan.n_pages > 0)
		(void)loader_erase_pages(run->loader, run->plan.pages, 1);
	else
		(void)run->loader->ops->erase_all(run->loader);
	*run->report = report;
}

/*
 * Whether the bytes that the chip starts by may be in the flash and not as they should be: where a
 * run is proved at once, and where they are a record. That one decides on the boot loader as well
 * (ti-bsl.md 5.3), so it goes also where nobody could read what became of it.
 */
static bool is_in_doubt(const struct run *run, enum outcome outcome, bool is_read)
{
	if (outcome == GO_ON || outcome == OUTCOME_PORT_GONE)
		return false;
	return chip_starts_by_record(run->identity.chip) ||
	       (is_read ? outcome == OUTCOME_VERIFY_DIFFERS : run->loader->ops->proves_runs);
}

/* All else is known to be as it should be. */
enum outcome writing_write_start(struct run *run)
{
	const struct span start = start_of(run);
	uint64_t done = image_bytes(run_written(run));
	enum outcome outcome;

	/* All that was repeated so far is verified. */
	run->was_repeated = false;
	if (chip_starts_by_record(run->identity.chip))
		outcome = write_record(run, &start, &done);
	else
		outcome = write_span(run, &start, &done);
	if (is_in_doubt(run, outcome, false))
		blank_start(run);
	return outcome;
}

/*
 * The command that erases has no checksum (esp-rom.md 1.3). One whose size arrives bent erases on
 * behind its run, through the next sector in any case: so the first one of each run of the image is
 * looked at, also of those that were equal and not written. One whose place arrives bent leaves its
 * run wrong: then it was repeated, and all of the image is looked at.
 */
static enum outcome verify_others(struct run *run, uint64_t from, uint64_t end)
{
	const struct chip *chip = run->identity.chip;
	enum outcome outcome = GO_ON;
	uint64_t cursor = from, done = 0;
	struct chip_page page;
	struct span pages;

	while (outcome == GO_ON && regions_next(run, run->job->image, &cursor, end, &pages)) {
		if (!run->was_repeated && chip_page_at(chip, (uint32_t)pages.from, &page) &&
			(uint64_t)page.address + page.size < pages.end)
			pages.end = (uint64_t)page.address + page.size;
		outcome = verify_range(run, VERIFY_IMAGE, pages.from, pages.end, &done);
	}
	/* It got there once: the next pass may bring it there again. */
	run->has_lost = run->has_lost || outcome == OUTCOME_VERIFY_DIFFERS;
	return outcome;
}

enum outcome writing_verify_start(struct run *run)
{
	const struct span start = start_of(run);
	uint64_t total = image_bytes(run->job->image);
	uint64_t done = total;
	enum outcome outcome = GO_ON;

	if (!filling_is_proof(run) && !run->identity.proves_nothing)
		outcome = verify_range(run, VERIFY_IMAGE, start.from, start.end, &done);
	if (outcome == GO_ON && run->loader->ops->proves_runs && !run->identity.proves_nothing)
		outcome = verify_others(run, run_image_start(run), start.from);
	if (outcome == GO_ON && run->loader->ops->proves_runs && !run->identity.proves_nothing)
		outcome = verify_others(run, start.end, run_image_end(run));
	if (is_in_doubt(run, outcome, true))
		blank_start(run);
	if (outcome != GO_ON)
		return outcome;
	run->report->bytes = total;
	run->proof = run->identity.proves_nothing ? PROOF_LOADER : verify_proof(run);
	return GO_ON;
}
