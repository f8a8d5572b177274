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
 *
 * The flash of an STM32 is compared page by page, where a program in its RAM says the digests of
 * all of them at once. Its vector table is always among what is written: it is blank from the first
 * erase on until all else is known to be right.
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
	needs_guard = comparison->is_start_equal;
	if (needs_guard && !run->loader->ops->finds_pages) {
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

/* ------------------------------------------------------------------ page by page */

/* Together at first: most of a new version lies far from what is equal, or all of it is equal. */
#define GROUP_BYTES 32768

/* Parts of the image as frames hold them, rising, none in two pages. */
struct parts {
	struct chip_range *items;
	size_t n_items;
	uint32_t n_image; /* their bytes that are the image's own */
};

static void parts_done(struct parts *parts)
{
	free(parts->items);
}

static int add_part(struct parts *parts, uint32_t start, uint32_t size)
{
	struct chip_range *grown = room_for_one(parts->items, parts->n_items, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	parts->items = grown;
	parts->items[parts->n_items++] = (struct chip_range){start, size};
	return 0;
}

/* Adds the block, or makes it part of the last one, which it follows in the same page. */
static int add_block(
	struct parts *parts, const struct chip_page *page, const struct plan_block *block)
{
	struct chip_range *last = parts->n_items > 0 ? &parts->items[parts->n_items - 1] : NULL;

	parts->n_image += block->n_image;
	if (!last || last->start < page->address || last->start + last->size != block->address)
		return add_part(parts, block->address, block->size);
	last->size += block->size;
	return 0;
}

static int list_parts(const struct run *run, struct parts *ret)
{
	const struct image *image = run->job->image;
	const struct chip *chip = run->identity.chip;
	uint64_t end = run_image_end(run), cursor = run_image_start(run);
	struct plan_block block;
	struct chip_page page;
	int r = 0;

	for (size_t i; r == 0 && (i = image_find(image, cursor)) < image->n_segments;) {
		uint64_t page_end;

		if (image->segments[i].address > cursor)
			cursor = image->segments[i].address;
		if (!chip_page_at(chip, (uint32_t)cursor, &page))
			return -EINVAL;
		page_end = (uint64_t)page.address + page.size;
		while (r == 0 && run_next_block(run, image, &cursor,
					 page_end < end ? page_end : end, &block))
			r = add_block(ret, &page, &block);
		cursor = page_end;
	}
	return r;
}

static bool is_right(const struct run *run, const struct chip_range *part, uint8_t *room,
	const uint8_t said[static LOADER_DIGEST_MAX])
{
	image_copy(run->job->image, part->start, room, part->size);
	return verify_is_digest(run->loader->ops->digest_kind, room, part->size, said);
}

/* Keeps those of the parts whose digest is not that of the image. Each answer has a checksum of its
 * own: what differs is not asked for twice. */
static int keep_differing(const struct run *run, struct parts *parts)
{
	CLEANUP(freep) uint8_t(*digests)[LOADER_DIGEST_MAX] = NULL;
	CLEANUP(freep) uint8_t *room = NULL;
	size_t n_kept = 0;
	uint32_t longest = 0;
	int r;

	if (parts->n_items == 0)
		return 0;
	for (size_t i = 0; i < parts->n_items; i++)
		longest = parts->items[i].size > longest ? parts->items[i].size : longest;
	digests = calloc(parts->n_items, sizeof(*digests));
	room = malloc(longest);
	if (!digests || !room)
		return -ENOMEM;
	r = run->loader->ops->digests(run->loader, parts->items, parts->n_items, digests);
	for (size_t i = 0; r == 0 && i < parts->n_items; i++)
		if (!is_right(run, &parts->items[i], room, digests[i]))
			parts->items[n_kept++] = parts->items[i];
	parts->n_items = r == 0 ? n_kept : parts->n_items;
	return r;
}

/* Neighbours together, as far as they reach. */
static int join(const struct parts *parts, struct parts *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->n_items; i++) {
		const struct chip_range *part = &parts->items[i];
		struct chip_range *last = ret->n_items > 0 ? &ret->items[ret->n_items - 1] : NULL;

		if (last && last->start + last->size == part->start &&
			last->size + (uint64_t)part->size <= GROUP_BYTES)
			last->size += part->size;
		else
			r = add_part(ret, part->start, part->size);
	}
	return r;
}

/* Keeps the parts that lie in one of the groups. */
static void keep_within(struct parts *parts, const struct parts *groups)
{
	size_t n_kept = 0;

	for (size_t i = 0, at = 0; i < parts->n_items && at < groups->n_items; i++) {
		uint32_t start = parts->items[i].start;

		while (at < groups->n_items &&
			start >= (uint64_t)groups->items[at].start + groups->items[at].size)
			at++;
		if (at < groups->n_items && start >= groups->items[at].start)
			parts->items[n_kept++] = parts->items[i];
	}
	parts->n_items = n_kept;
}

static int note_pages(const struct run *run, const struct parts *parts, struct comparison *to)
{
	const struct chip_page start = start_page(run, run->job->image);
	struct chip_page page = {0};
	uint64_t noted = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->n_items; i++) {
		struct span span;

		if (parts->items[i].start < noted)
			continue;
		(void)chip_page_at(run->identity.chip, parts->items[i].start, &page);
		span = (struct span){page.address, (uint64_t)page.address + page.size};
		noted = span.end;
		to->is_start_equal = to->is_start_equal && !has_page(&span, &start);
		r = note(to, &span);
	}
	return r;
}

static enum outcome compare_pages(struct run *run, struct comparison *comparison, uint64_t *done)
{
	CLEANUP(parts_done) struct parts parts = {0};
	CLEANUP(parts_done) struct parts groups = {0};
	int r = list_parts(run, &parts);

	if (r == 0)
		r = join(&parts, &groups);
	if (r == 0)
		r = keep_differing(run, &groups);
	if (r == 0)
		keep_within(&parts, &groups);
	if (r == 0)
		r = keep_differing(run, &parts);
	if (r == 0)
		r = note_pages(run, &parts, comparison);
	if (r != 0)
		return run_fail_with(run, r, run_image_start(run));
	*done += parts.n_image;
	run_tell_progress(run, *done, image_bytes(run->job->image));
	return GO_ON;
}

/* ------------------------------------------------------------------ run by run */

static enum outcome compare_runs(struct run *run, struct comparison *comparison, uint64_t *done)
{
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
			comparison->start = span;
			comparison->is_start_equal = outcome == GO_ON;
		}
		if (outcome == OUTCOME_VERIFY_DIFFERS)
			r = note(comparison, &span);
	}
	return r == 0 ? GO_ON : run_fail_with(run, r, 0);
}

enum outcome regions_compare(struct run *run, uint64_t *done)
{
	CLEANUP(comparison_done) struct comparison comparison = {.is_start_equal = true};
	enum outcome outcome = run->loader->ops->finds_pages ? compare_pages(run, &comparison, done)
							     : compare_runs(run, &comparison, done);
	int r;

	if (outcome != GO_ON || comparison.n_differing == 0)
		return outcome;
	r = choose(run, &comparison);
	return r == 0 ? OUTCOME_VERIFY_DIFFERS : run_fail_with(run, r, 0);
}
