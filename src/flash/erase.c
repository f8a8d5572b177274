/* SPDX-License-Identifier: MIT */
/*
 * erase.c - the erase, and the look at the flash around it where the layout of pages is in doubt.
 *
 * The look at the flash needs something to see: a place that was not blank before. So three places
 * are chosen around a page, each the first one of a few that holds data: in its second half, which
 * a smaller page would leave; behind it, which the same number would take where pages are larger;
 * and at the same place of the other half of the flash, which exchanged banks would take instead.
 * Once a page was erased with the first two of them seen, and for exchangeable banks the third, the
 * layout is known. Where all is blank nothing can be lost, and nothing can be learnt: after a few
 * pages the rest goes at once.
 */
#include "flash/erase.h"

#include <string.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/verify.h"

/* Pages that are erased one by one while the layout is in doubt. */
#define PAGES_IN_DOUBT 8
#define LOOK_BYTES     32
#define LOOKS_A_PLACE  4

/* What is expected of a place after the erase. */
struct place {
	bool is_seen; /* it was not blank before */
	bool is_blank_after;
	uint32_t address;
	uint8_t bytes[LOOK_BYTES];
};

enum place_at { PLACE_INSIDE, PLACE_BEHIND, PLACE_OPPOSITE, PLACE_MAX };

/* Finds the first place that is not blank among a few in [offset, offset + size) of the flash. */
static int see(struct run *run, uint32_t offset, uint32_t size, struct place *ret)
{
	uint32_t flash_bytes = run->identity.flash_bytes;
	uint32_t step = size / LOOKS_A_PLACE / LOOK_BYTES * LOOK_BYTES;

	for (uint32_t i = 0; i < LOOKS_A_PLACE && !ret->is_seen; i++) {
		uint32_t at = offset + i * step;
		int r;

		if (at > flash_bytes || LOOK_BYTES > flash_bytes - at)
			return 0;
		ret->address = run->identity.chip->flash.start + at;
		/* A bent byte would be a layout that is not so. */
		r = verify_read(run, ret->address, ret->bytes, LOOK_BYTES);
		if (r != 0)
			return r;
		ret->is_seen = !run_is_erased(run, ret->bytes, LOOK_BYTES);
	}
	return 0;
}

/* Where the erase of this page would reach beyond it, by the layout that the table has besides. */
static struct chip_page page_behind(const struct run *run, const struct chip_page *page)
{
	struct chip other = *run->identity.chip;
	struct chip_page behind = {page->number, page->address + page->size, page->size};
	struct chip_page same;

	if (!chip_use_other_pages(&other, run->identity.flash_bytes) ||
		!chip_page_numbered(&other, page->number, &same) ||
		same.address + same.size <= behind.address)
		return behind;
	if (same.address > page->address)
		return same;
	behind.size = same.address + same.size - behind.address;
	return behind;
}

static int see_all(
	struct run *run, const struct chip_page *page, struct place places[static PLACE_MAX])
{
	const struct chip_page behind = page_behind(run, page);
	uint32_t start = run->identity.chip->flash.start;
	uint32_t offset = page->address - start;
	uint32_t half = run->identity.flash_bytes / 2;
	int r;

	memset(places, 0, PLACE_MAX * sizeof(*places));
	places[PLACE_INSIDE].is_blank_after = true;
	r = see(run, offset + page->size / 2, page->size / 2, &places[PLACE_INSIDE]);
	if (r == 0)
		r = see(run, behind.address - start, behind.size, &places[PLACE_BEHIND]);
	if (r == 0 && chip_can_swap_banks(run->identity.chip))
		r = see(run, (offset + half) % (2 * half), page->size, &places[PLACE_OPPOSITE]);
	return r;
}

/* GO_ON where the page is gone and the rest is as it was. */
static enum outcome look_again(
	struct run *run, const struct chip_page *page, const struct place places[static PLACE_MAX])
{
	const struct chip *chip = run->identity.chip;
	uint8_t blank[LOOK_BYTES];

	memset(blank, chip_erased_byte(chip), sizeof(blank));
	for (size_t i = 0; i < PLACE_MAX; i++) {
		const struct place *place = &places[i];
		bool is_good;
		int r;

		if (!place->is_seen)
			continue;
		r = verify_bytes(run, place->address, place->is_blank_after ? blank : place->bytes,
			LOOK_BYTES, &is_good);
		if (r != 0)
			return run_fail_with(run, r, place->address);
		if (!is_good)
			return run_fail(run, OUTCOME_BAD_CONFIG,
				"the erase of the page at 0x%08x (%u bytes) did something else at 0x%08x: the pages of this %s are not as the chip table has them, and nothing more was erased; give chips.d a [chip 0x%03x] with its `pages`",
				page->address, page->size, place->address, chip->name,
				chip->product_id);
	}
	return GO_ON;
}

/* Erases one page and looks whether it was that one. */
static enum outcome erase_in_doubt(struct run *run, const struct chip_page *page, bool *ret_is_sure)
{
	struct place places[PLACE_MAX];
	enum outcome outcome;
	int r = see_all(run, page, places);

	if (r == 0)
		r = loader_erase_pages(run->loader, page, 1);
	if (r != 0)
		return run_fail_with(run, r, page->address);
	outcome = look_again(run, page, places);
	*ret_is_sure = places[PLACE_INSIDE].is_seen && places[PLACE_BEHIND].is_seen &&
		       (places[PLACE_OPPOSITE].is_seen || !chip_can_swap_banks(run->identity.chip));
	return outcome;
}

enum outcome erase_planned(struct run *run)
{
	const struct plan *plan = &run->plan;
	bool is_sure = run->identity.pages == IDENTITY_PAGES_SURE || plan->mass;
	size_t n_done = 0;
	int r = 0;

	while (!is_sure && n_done < plan->n_pages && n_done < PAGES_IN_DOUBT) {
		enum outcome outcome = erase_in_doubt(run, &plan->pages[n_done], &is_sure);

		if (outcome != GO_ON)
			return outcome;
		n_done++;
	}
	if (n_done == 0 && plan->n_pages > 0) {
		r = loader_erase_pages(run->loader, plan->pages, 1);
		n_done = 1;
	}
	if (r == 0 && plan->mass)
		r = run->loader->ops->erase_all(run->loader);
	else if (r == 0 && n_done < plan->n_pages && !run->loader->ops->begin_erases)
		r = run->loader->ops->erase_pages(
			run->loader, plan->pages + n_done, plan->n_pages - n_done);
	return r == 0 ? GO_ON : run_fail_with(run, r, run->identity.chip->flash.start);
}

/* The same numbers would name other pages: nothing that the rule keeps would be safe. */
enum outcome erase_check_pages(struct run *run)
{
	const struct chip *chip = run->identity.chip;

	if (run->identity.pages == IDENTITY_PAGES_UNKNOWN)
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the option bytes of this %s say that its pages are not as the chip table has them (`pages-if`: one bank instead of two?): nothing was erased; give chips.d a [chip 0x%03x] with its `pages`",
			chip->name, chip->product_id);
	if (run->identity.pages == IDENTITY_PAGES_SWAPPED)
		return run_fail(run, OUTCOME_BAD_CONFIG,
			"the option bytes of this %s exchange its two banks (`swapped-if`), and which of them its boot loader would erase is not known: nothing was erased; put the banks back by a debugger or by the application",
			chip->name);
	return GO_ON;
}

static bool may_take_kept(struct run *run, const struct chip *other, const struct chip_page *page)
{
	const struct keep_list *keep = &run->job->board->keep;
	uint32_t start = run->identity.chip->flash.start;
	uint32_t half = run->identity.flash_bytes / 2;
	struct chip_page likely;

	if (other && chip_page_numbered(other, page->number, &likely) &&
		plan_keep_has(keep, &likely))
		return true;
	if (!chip_can_swap_banks(run->identity.chip))
		return false;
	likely = *page;
	likely.address = start + (page->address - start + half) % (2 * half);
	return plan_keep_has(keep, &likely);
}

enum outcome erase_check_keep(struct run *run)
{
	const struct chip *chip = run->identity.chip;
	struct chip other = *chip;
	bool has_other = chip_has_other_pages(chip) &&
			 chip_use_other_pages(&other, run->identity.flash_bytes);
	const struct plan *plan = &run->plan;

	if (run->identity.pages != IDENTITY_PAGES_UNSURE || run->job->board->keep.n_items == 0)
		return GO_ON;
	for (size_t i = 0; i < plan->n_pages; i++)
		if ((chip_has_other_pages(chip) && !has_other) ||
			may_take_kept(run, has_other ? &other : NULL, &plan->pages[i]))
			return run_fail(run, OUTCOME_BAD_CONFIG,
				"the boot loader of this %s does not let the option bit be read that decides what its page number %u is, and that may be one that `keep` has a part of: nothing was erased; give chips.d a [chip 0x%03x] with its `pages` and without `pages-if` and `swapped-if`",
				chip->name, plan->pages[i].number, chip->product_id);
	return GO_ON;
}
