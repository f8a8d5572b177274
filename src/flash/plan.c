/* SPDX-License-Identifier: MIT */
#include "flash/plan.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "chip/family.h"

bool plan_keep_has(const struct keep_list *keep, const struct chip_page *page)
{
	for (size_t i = 0; i < keep->n_items; i++) {
		const struct keep_range *range = &keep->items[i];

		if (range->address < (uint64_t)page->address + page->size &&
			page->address < (uint64_t)range->address + range->size)
			return true;
	}
	return false;
}

/* The pages of one segment behind those already there; a page shared with the last is not doubled.
 */
static int add_pages(const struct chip *chip, const struct segment *segment,
	const struct keep_list *keep, struct plan *plan, struct reason *reason)
{
	uint64_t end = (uint64_t)segment->address + segment->size;

	for (uint64_t address = segment->address; address < end;) {
		struct chip_page page, *pages;

		if (!chip_page_at(chip, (uint32_t)address, &page)) {
			reason_set(reason, "no page of %s holds 0x%08x", chip->name,
				(unsigned)address);
			return PLAN_REFUSED;
		}
		address = (uint64_t)page.address + page.size;
		if (plan->n_pages > 0 && plan->pages[plan->n_pages - 1].number == page.number)
			continue;
		if (plan_keep_has(keep, &page)) {
			reason_set(reason,
				"it needs the page at 0x%08x (%u bytes) erased, and `keep` has a part of it: move the one or the other",
				page.address, page.size);
			return PLAN_REFUSED;
		}
		pages = room_for_one(plan->pages, plan->n_pages, sizeof(*pages));
		if (!pages)
			return -ENOMEM;
		plan->pages = pages;
		plan->pages[plan->n_pages++] = page;
	}
	return 0;
}

/* Puts the page in front that makes the flash startable: from its erase on nothing starts. */
static void put_start_first(const struct chip *chip, const struct image *image, struct plan *plan)
{
	uint32_t start = chip->family->find_start(chip, image).start;
	size_t at = 0;

	while (at < plan->n_pages && start - plan->pages[at].address >= plan->pages[at].size)
		at++;
	if (at < plan->n_pages) {
		const struct chip_page page = plan->pages[at];

		memmove(plan->pages + 1, plan->pages, at * sizeof(page));
		plan->pages[0] = page;
	}
}

int plan_erase(const struct chip *chip, uint32_t flash_bytes, const struct image *image,
	const struct keep_list *keep, struct plan *ret, struct reason *reason)
{
	CLEANUP(plan_done) struct plan plan = {0};
	bool can_mass = !chip->no_mass_erase && keep->n_items == 0;
	uint64_t covered = 0;

	if (chip->pages.n_runs == 0) {
		if (!can_mass) {
			reason_set(reason,
				"the chip table has no page layout for %s, and the whole chip cannot be erased with `keep`: add `pages` to the table",
				chip->name);
			return PLAN_REFUSED;
		}
		plan.mass = true;
	}
	for (size_t i = 0; chip->pages.n_runs > 0 && i < image->n_segments; i++) {
		int r = add_pages(chip, &image->segments[i], keep, &plan, reason);

		if (r != 0)
			return r;
	}
	put_start_first(chip, image, &plan);
	for (size_t i = 0; i < plan.n_pages; i++)
		covered += plan.pages[i].size;
	/* The first page goes by itself in both cases. */
	if (chip->pages.n_runs > 0)
		plan.mass = can_mass && covered >= flash_bytes &&
			    (plan.n_pages - 1) * chip->page_erase_usec > chip->mass_erase_usec;
	*ret = plan;
	plan = (struct plan){0};
	return 0;
}

void plan_done(struct plan *plan)
{
	free(plan->pages);
	free(plan->is_blank);
	*plan = (struct plan){0};
}

bool plan_next_block(const struct image *image, uint32_t align, uint32_t block_size,
	uint64_t *cursor, uint64_t end, struct plan_block *ret)
{
	size_t i = image_find(image, *cursor);
	uint64_t begin, first, window_end, last = 0;

	if (i == image->n_segments)
		return false;
	begin = image->segments[i].address > *cursor ? image->segments[i].address : *cursor;
	if (begin >= end)
		return false;
	first = begin / align * align;
	window_end = begin / block_size * block_size + block_size;
	if (window_end > end)
		window_end = end;
	ret->n_image = 0;
	for (; i < image->n_segments && image->segments[i].address < window_end; i++) {
		uint64_t from = image->segments[i].address;

		last = segment_end(&image->segments[i]);
		ret->n_image += (uint32_t)((last < window_end ? last : window_end) -
					   (from > begin ? from : begin));
	}
	if (last > window_end)
		last = window_end;
	ret->address = (uint32_t)first;
	ret->size = (uint32_t)((last + align - 1) / align * align - first);
	*cursor = window_end;
	return true;
}
