/* SPDX-License-Identifier: MIT */
/*
 * watch.c - whether an update has changed flash that was none of its business.
 *
 * A page is erased by a number, and a number that is computed wrongly takes another page: it is how
 * programs in a chip's RAM have lost other people's data. What was lost nobody can write again, but
 * the unit must not be called updated, and the fault has to be seen at the first unit and not at
 * the hundredth.
 */
#include "flash/watch.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "flash/verify.h"

void watch_done(struct watch *watch)
{
	free(watch->pages);
	free(watch->digests);
	*watch = (struct watch){0};
}

static int list_pages(struct run *run, struct watch *watch)
{
	const struct chip *chip = run->identity.chip;
	uint64_t end = (uint64_t)chip->flash.start + run->identity.flash_bytes;
	struct chip_page page;

	for (uint64_t at = chip->flash.start; at < end; at = (uint64_t)page.address + page.size) {
		struct chip_range *grown;

		if (!chip_page_at(chip, (uint32_t)at, &page))
			break;
		if (image_touches(run->job->image, page.address, page.size) ||
			page.size > end - page.address)
			continue;
		grown = room_for_one(watch->pages, watch->n_pages, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		watch->pages = grown;
		watch->pages[watch->n_pages++] = (struct chip_range){page.address, page.size};
	}
	return 0;
}

enum outcome watch_take(struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;
	struct watch *watch = &run->watch;
	int r = 0;

	/* An earlier pass of this job has, before its erase. */
	if (!ops->finds_pages || watch->digests || run->has_erased)
		return GO_ON;
	r = list_pages(run, watch);
	if (r == 0 && watch->n_pages > 0) {
		watch->digests = calloc(watch->n_pages, sizeof(*watch->digests));
		r = watch->digests ? ops->digests(run->loader, watch->pages, watch->n_pages,
					     watch->digests)
				   : -ENOMEM;
	}
	watch->kind = ops->digest_kind;
	if (r == 0)
		return GO_ON;
	watch_done(watch);
	return run_fail_with(run, r, run->identity.chip->flash.start);
}

/* Puts the first of the pages that has changed into `ret`; the number of pages: none has. */
static int find_changed(struct run *run, size_t *ret)
{
	const struct watch *watch = &run->watch;
	CLEANUP(freep)
	uint8_t(*now)[LOADER_DIGEST_MAX] = calloc(watch->n_pages + 1, sizeof(*now));
	size_t i = 0;
	int r;

	if (!now)
		return -ENOMEM;
	r = run->loader->ops->digests(run->loader, watch->pages, watch->n_pages, now);
	while (i < watch->n_pages && memcmp(now[i], watch->digests[i], sizeof(now[i])) == 0)
		i++;
	if (r == 0)
		*ret = i;
	return r;
}

/* The same by a loader that reads, where the one that knew digests was given up. */
static enum outcome read_for_changed(struct run *run, size_t *ret)
{
	const struct watch *watch = &run->watch;
	uint32_t most = run->loader->ops->block_size;
	uint64_t n_bytes = 0;
	size_t i;

	/* The image may be the smallest part of the flash. */
	for (i = 0; i < watch->n_pages; i++)
		n_bytes += watch->pages[i].size;
	run_add_budget(run, n_bytes);
	for (i = 0; i < watch->n_pages; i++) {
		const struct chip_range *page = &watch->pages[i];
		CLEANUP(freep) uint8_t *bytes = malloc(page->size);
		int r = bytes ? 0 : -ENOMEM;

		for (uint32_t at = 0, n; r == 0 && at < page->size; at += n) {
			enum outcome outcome = run_check_block(run);

			if (outcome != GO_ON)
				return outcome;
			n = page->size - at < most ? page->size - at : most;
			r = verify_read(run, page->start + at, bytes + at, n);
		}
		if (r != 0)
			return run_fail_with(run, r, page->start);
		if (!verify_is_digest(watch->kind, bytes, page->size, watch->digests[i]))
			break;
		run_tell_progress(run, i + 1, watch->n_pages);
	}
	*ret = i;
	return GO_ON;
}

enum outcome watch_check(struct run *run)
{
	struct watch *watch = &run->watch;
	enum outcome outcome = GO_ON;
	size_t changed = watch->n_pages;
	int r = 0;

	if (!watch->digests || (!run->loader->ops->finds_pages && !run->loader->ops->read))
		return GO_ON;
	if (run->loader->ops->finds_pages)
		r = find_changed(run, &changed);
	else
		outcome = read_for_changed(run, &changed);
	if (r != 0)
		return run_fail_with(run, r, run->identity.chip->flash.start);
	watch->is_checked = outcome == GO_ON && changed == watch->n_pages;
	if (outcome != GO_ON || watch->is_checked)
		return outcome;
	run->is_final = true;
	run->report->stub_trial = TRIAL_FAILED;
	run->report->has_address = true;
	run->report->address = watch->pages[changed].start;
	run->proof = PROOF_NONE;
	return run_fail(run, OUTCOME_FAILED,
		"the page at 0x%08x (%u bytes), in which the image has no byte, is not what it was before the erase: what was there is lost, and the unit is not to be used before that is made good; report the chip, and give the rule `stub = no`",
		watch->pages[changed].start, watch->pages[changed].size);
}
