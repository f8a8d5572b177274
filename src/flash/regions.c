/* SPDX-License-Identifier: MIT */
/*
 * regions.c - what of an image is written where parts of it are in the flash already.
 *
 * The flash of an ESP32 holds a boot loader, a table, applications and data, and a new version has
 * mostly a new application alone: only what differs is erased. What makes the flash startable is
 * among it all the same (esp-rom.md 6): while a boot loader is equal and two other parts are not,
 * the chip would start halves of two versions that do not belong together. The page that the whole
 * image is started by is written then too, first blanked and last filled, as ever. Where one part
 * alone differs that has such a page of its own, an application, that one is enough: half of it
 * does not start.
 */
#include "flash/regions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/verify.h"

bool regions_next(const struct run *run, const struct image *image, uint64_t *cursor, uint64_t end,
	struct span *ret)
{
	const struct chip *chip = run->identity.chip;
	size_t i = image_find(image, *cursor);
	uint64_t start, last;
	struct chip_page page;

	if (i == image->n_segments)
		return false;
	start = image->segments[i].address > *cursor ? image->segments[i].address : *cursor;
	if (start >= end || !chip_page_at(chip, (uint32_t)start, &page))
		return false;
	*ret = (struct span){page.address, page.address};
	do {
		ret->end = (uint64_t)page.address + page.size;
		*cursor = ret->end;
	} while (ret->end < end && chip_page_at(chip, (uint32_t)ret->end, &page) &&
		 image_touches(image, page.address, page.size));
	last = segment_end(&image->segments[image->n_segments - 1]);
	if (ret->end > end)
		ret->end = end;
	if (ret->end > last)
		ret->end = last;
	ret->end = (ret->end + chip->write_align - 1) / chip->write_align * chip->write_align;
	return true;
}

/* The first page of what the chip starts by. */
static struct chip_page start_page(const struct run *run, const struct image *image)
{
	const struct chip *chip = run->identity.chip;
	struct chip_page page = {0};

	(void)chip_page_at(chip, chip->family->find_start(chip, image).start, &page);
	return page;
}

static bool has_page(const struct span *span, const struct chip_page *page)
{
	return page->address >= span->from && page->address < span->end;
}

/* Takes those segments, or parts of them, that lie in the span; the bytes stay those of `image`. */
static int add_span(const struct image *image, const struct span *span, struct image *to)
{
	for (size_t i = image_find(image, span->from); i < image->n_segments; i++) {
		const struct segment *segment = &image->segments[i];
		uint64_t from = segment->address > span->from ? segment->address : span->from;
		uint64_t end = segment_end(segment) < span->end ? segment_end(segment) : span->end;
		struct segment *grown;

		if (from >= end)
			break;
		grown = room_for_one(to->segments, to->n_segments, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		to->segments = grown;
		to->segments[to->n_segments++] = (struct segment){.address = (uint32_t)from,
			.size = (uint32_t)(end - from),
			.data = segment->data + (from - segment->address)};
	}
	return 0;
}

/* All of the image but this span. */
static int copy_without(const struct image *image, const struct span *span, struct image *to)
{
	const struct span before = {0, span->from}, behind = {span->end, UINT64_MAX};
	int r = add_span(image, &before, to);

	return r == 0 ? add_span(image, &behind, to) : r;
}

struct comparison {
	struct span *differing;
	size_t n_differing;
	struct span start; /* the run with the page that the whole image is started by */
	bool is_start_equal;
};

static void comparison_done(struct comparison *comparison)
{
	free(comparison->differing);
}

/*
 * Whether the one run that differs begins with a page by which it would be started. What lies in
 * front of such a page, as a table does, belongs to more than that one application.
 */
static int is_guarded(const struct run *run, const struct comparison *comparison, bool *ret)
{
	struct image rest = {0};
	struct chip_page page;
	int r;

	*ret = false;
	if (comparison->n_differing != 1)
		return 0;
	r = copy_without(run->job->image, &comparison->start, &rest);
	if (r == 0 && rest.n_segments > 0) {
		page = start_page(run, &rest);
		*ret = page.address == comparison->differing[0].from;
	}
	free(rest.segments);
	return r;
}

static int choose(struct run *run, const struct comparison *comparison)
{
	const struct chip_page page = start_page(run, run->job->image);
	const struct span guard = {page.address, (uint64_t)page.address + page.size};
	bool needs_guard = false, is_placed = false, has_own = false;
	int r = 0;

	run_forget_written(run);
	if (comparison->is_start_equal) {
		r = is_guarded(run, comparison, &has_own);
		needs_guard = !has_own;
	}
	/* Rising, as the segments of any image. */
	for (size_t i = 0; r == 0 && i <= comparison->n_differing; i++) {
		bool is_last = i == comparison->n_differing;

		if (needs_guard && !is_placed &&
			(is_last || comparison->differing[i].from > guard.from)) {
			r = add_span(run->job->image, &guard, &run->written);
			is_placed = true;
		}
		if (r == 0 && !is_last)
			r = add_span(run->job->image, &comparison->differing[i], &run->written);
	}
	run->has_written = r == 0;
	return r;
}

static int note(struct comparison *comparison, const struct span *span)
{
	struct span *grown =
		room_for_one(comparison->differing, comparison->n_differing, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	comparison->differing = grown;
	comparison->differing[comparison->n_differing++] = *span;
	return 0;
}

enum outcome regions_compare(struct run *run, uint64_t *done)
{
	CLEANUP(comparison_done) struct comparison comparison = {.is_start_equal = true};
	const struct image *image = run->job->image;
	const struct chip_page page = start_page(run, image);
	uint64_t cursor = run_image_start(run), end = run_image_end(run);
	struct span span;
	int r = 0;

	while (r == 0 && regions_next(run, image, &cursor, end, &span)) {
		enum outcome outcome = verify_range(run, VERIFY_QUICK, span.from, span.end, done);

		if (outcome != GO_ON && outcome != OUTCOME_VERIFY_DIFFERS)
			return outcome;
		if (has_page(&span, &page)) {
			comparison.start = span;
			comparison.is_start_equal = outcome == GO_ON;
		}
		if (outcome == OUTCOME_VERIFY_DIFFERS)
			r = note(&comparison, &span);
	}
	if (r == 0 && comparison.n_differing == 0)
		return GO_ON;
	if (r == 0)
		r = choose(run, &comparison);
	return r == 0 ? OUTCOME_VERIFY_DIFFERS : run_fail_with(run, r, 0);
}
