/* SPDX-License-Identifier: MIT */
#include "flash/erase-wish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "chip/family.h"

#define CUT ", ..."

/* ------------------------------------------------------------------ out of text */

/* Each item is "4" or "6-9". */
static int parse_numbers(char *item, struct erase_numbers *ret)
{
	char *dash = strchr(item, '-');
	int r;

	if (dash)
		*dash = '\0';
	r = parse_u32(item, &ret->first);
	ret->last = ret->first;
	if (r == 0 && dash)
		r = parse_u32(dash + 1, &ret->last);
	return r == 0 && ret->last < ret->first ? -ERANGE : r;
}

int erase_parse_pages(const char *text, struct erase_wish *wish)
{
	CLEANUP(parse_list_freep) char **items = NULL;
	size_t n_items = 0;
	int r = parse_list(text, &items, &n_items);

	if (r == 0 && n_items == 0)
		r = -EINVAL;
	if (r == 0 && n_items > ERASE_NUMBERS_MAX)
		r = -ERANGE;
	for (size_t i = 0; r == 0 && i < n_items; i++)
		r = parse_numbers(items[i], &wish->numbers[i]);
	if (r < 0)
		return r;
	wish->what = ERASE_PAGES;
	wish->n_numbers = n_items;
	return 0;
}

int erase_parse_range(const char *text, struct erase_wish *wish)
{
	CLEANUP(freep) char *copy = strdup(text);
	char *plus = copy ? strchr(copy, '+') : NULL;
	uint32_t address = 0, size = 0;
	int r;

	if (!copy)
		return -ENOMEM;
	if (!plus)
		return -EINVAL;
	*plus = '\0';
	r = parse_address(copy, &address);
	if (r == 0)
		r = parse_size(plus + 1, &size);
	if (r < 0)
		return r;
	if (size == 0 || (uint64_t)address + size > UINT64_C(1) << 32)
		return -ERANGE;
	wish->what = ERASE_RANGE;
	wish->address = address;
	wish->size = size;
	return 0;
}

/* ------------------------------------------------------------------ which pages */

struct chooser {
	const struct erase_wish *wish;
	const struct chip *chip;
	uint64_t end; /* of this part's flash */
	const struct keep_list *keep;
	struct erase_choice choice;
	struct reason *reason;
};

static int add(struct plan *plan, const struct chip_page *page)
{
	struct chip_page *pages = room_for_one(plan->pages, plan->n_pages, sizeof(*pages));

	if (!pages)
		return -ENOMEM;
	plan->pages = pages;
	plan->pages[plan->n_pages++] = *page;
	return 0;
}

/* That record is at the end of the flash (ti-bsl.md 5). */
bool erase_takes_record(const struct chip *chip, uint32_t flash_bytes, const struct chip_page *page)
{
	return chip_starts_by_record(chip) &&
	       (uint64_t)page->address + page->size >= (uint64_t)chip->flash.start + flash_bytes;
}

static bool has_record(const struct chooser *chooser, const struct chip_page *page)
{
	return erase_takes_record(
		chooser->chip, (uint32_t)(chooser->end - chooser->chip->flash.start), page);
}

static bool is_kept(const struct chooser *chooser, const struct chip_page *page)
{
	return !chooser->wish->takes_kept &&
	       (plan_keep_has(chooser->keep, page) || has_record(chooser, page));
}

/* A page that was asked for by its number or its address. */
static int add_named(struct chooser *chooser, const struct chip_page *page)
{
	if (is_kept(chooser, page)) {
		reason_set(chooser->reason,
			has_record(chooser, page) && !plan_keep_has(chooser->keep, page)
				? "page %u (0x%08x, %u bytes) has the settings by which the chip starts: nothing was erased; --with-kept takes it as well"
				: "page %u (0x%08x, %u bytes) has a part of what the rule's `keep` names: nothing was erased; --with-kept takes it as well",
			page->number, page->address, page->size);
		return PLAN_REFUSED;
	}
	return add(&chooser->choice.plan, page);
}

static int refuse_layout(const struct chooser *chooser)
{
	reason_set(chooser->reason,
		"the chip table has no page layout for %s, so nothing less than all of it can be erased: add `pages` to the table, or say `plugflash erase all`",
		chooser->chip->name);
	return PLAN_REFUSED;
}

static int choose_all(struct chooser *chooser)
{
	struct erase_choice *choice = &chooser->choice;
	const struct chip *chip = chooser->chip;
	struct chip_page page;
	int r = 0;

	for (uint64_t at = chip->flash.start;
		r == 0 && at < chooser->end && chip_page_at(chip, (uint32_t)at, &page);
		at = (uint64_t)page.address + page.size)
		r = add(is_kept(chooser, &page) ? &choice->left : &choice->plan, &page);
	if (r < 0)
		return r;
	choice->plan.mass = !chip->no_mass_erase && choice->left.n_pages == 0;
	if (choice->plan.n_pages > 0)
		return 0;
	if (choice->left.n_pages > 0) {
		reason_set(chooser->reason,
			"the rule's `keep` has a part of every page: nothing is left to erase; --with-kept takes them as well");
		return PLAN_REFUSED;
	}
	if (chooser->keep->n_items > 0 && !chooser->wish->takes_kept) {
		reason_set(chooser->reason,
			"the chip table has no page layout for %s, so nothing can be spared, and the rule has a `keep`: add `pages` to the table; --with-kept erases all of it",
			chip->name);
		return PLAN_REFUSED;
	}
	return choice->plan.mass ? 0 : refuse_layout(chooser);
}

static bool has_page(const struct plan *plan, uint32_t address)
{
	for (size_t i = 0; i < plan->n_pages; i++)
		if (plan->pages[i].address == address)
			return true;
	return false;
}

/* The first number that the chip has none of ends a range, however long it is. */
static int choose_pages(struct chooser *chooser)
{
	const struct erase_wish *wish = chooser->wish;
	const struct chip *chip = chooser->chip;
	struct chip_page page, last = {0};

	for (size_t i = 0; i < wish->n_numbers; i++)
		for (uint64_t n = wish->numbers[i].first; n <= wish->numbers[i].last; n++) {
			int r = 0;

			if (!chip_page_numbered(chip, (uint32_t)n, &page) ||
				(uint64_t)page.address + page.size > chooser->end) {
				(void)chip_page_at(chip, (uint32_t)(chooser->end - 1), &last);
				reason_set(chooser->reason,
					"%s has no page %u: the last one is %u (0x%08x); nothing was erased",
					chip->name, (uint32_t)n, last.number, last.address);
				return PLAN_REFUSED;
			}
			if (!has_page(&chooser->choice.plan, page.address))
				r = add_named(chooser, &page);
			if (r != 0)
				return r;
		}
	return 0;
}

static int choose_range(struct chooser *chooser)
{
	const struct erase_wish *wish = chooser->wish;
	const struct chip *chip = chooser->chip;
	uint64_t end = (uint64_t)wish->address + wish->size;
	struct chip_page page, last;
	int r = 0;

	if (wish->address < chip->flash.start || end > chooser->end ||
		!chip_page_at(chip, wish->address, &page) ||
		!chip_page_at(chip, (uint32_t)(end - 1), &last)) {
		reason_set(chooser->reason,
			"the flash of this %s is 0x%08x to 0x%08x, and %u bytes from 0x%08x on are not in it: nothing was erased",
			chip->name, chip->flash.start, (uint32_t)(chooser->end - 1), wish->size,
			wish->address);
		return PLAN_REFUSED;
	}
	if (!wish->takes_whole_pages &&
		(page.address != wish->address || (uint64_t)last.address + last.size != end)) {
		reason_set(chooser->reason,
			"the range cuts a page: flash is erased by whole ones, here from 0x%08x (page %u) to 0x%08x (page %u); nothing was erased; --whole-pages takes all of them, --range 0x%08x+0x%x is the same",
			page.address, page.number, (uint32_t)(last.address + (last.size - 1)),
			last.number, page.address,
			(uint32_t)(last.address + (last.size - 1) - page.address + 1));
		return PLAN_REFUSED;
	}
	for (uint64_t at = page.address; r == 0 && at < end;
		at = (uint64_t)page.address + page.size) {
		if (!chip_page_at(chip, (uint32_t)at, &page))
			return refuse_layout(chooser);
		r = add_named(chooser, &page);
	}
	return r;
}

static int by_address(const void *a, const void *b)
{
	const struct chip_page *first = a, *second = b;

	return (first->address > second->address) - (first->address < second->address);
}

/* From the erase of the page on that the chip starts by, no half of an application starts. */
static void put_in_order(struct chooser *chooser)
{
	struct plan *plan = &chooser->choice.plan;
	struct chip_page last;

	if (plan->n_pages < 2)
		return;
	qsort(plan->pages, plan->n_pages, sizeof(*plan->pages), by_address);
	last = plan->pages[plan->n_pages - 1];
	if (!has_record(chooser, &last))
		return;
	memmove(plan->pages + 1, plan->pages, (plan->n_pages - 1) * sizeof(last));
	plan->pages[0] = last;
}

int erase_choose(const struct erase_wish *wish, const struct chip *chip, uint32_t flash_bytes,
	const struct keep_list *keep, struct erase_choice *ret, struct reason *reason)
{
	struct chooser chooser = {
		wish, chip, (uint64_t)chip->flash.start + flash_bytes, keep, .reason = reason};
	int r = PLAN_REFUSED;

	switch (wish->what) {
	case ERASE_NOTHING:
		reason_set(reason, "nobody said what is to be erased: nothing was");
		break;
	case ERASE_ALL:
		r = choose_all(&chooser);
		break;
	case ERASE_PAGES:
		r = chip->pages.n_runs > 0 ? choose_pages(&chooser) : refuse_layout(&chooser);
		break;
	case ERASE_RANGE:
		r = chip->pages.n_runs > 0 ? choose_range(&chooser) : refuse_layout(&chooser);
		break;
	}
	if (r != 0) {
		erase_choice_done(&chooser.choice);
		return r;
	}
	put_in_order(&chooser);
	*ret = chooser.choice;
	return 0;
}

void erase_choice_done(struct erase_choice *choice)
{
	plan_done(&choice->plan);
	plan_done(&choice->left);
}

/* ------------------------------------------------------------------ in words */

char *erase_pages_text(const struct plan *plan, char *to, size_t size)
{
	size_t n = 0;

	snprintf(to, size, "%s", "no page");
	for (size_t i = 0, next; i < plan->n_pages; i = next) {
		const struct chip_page *first = &plan->pages[i], *last = first;
		char numbers[24], run[80];
		int n_run;

		for (next = i + 1; next < plan->n_pages; last = &plan->pages[next++])
			if (plan->pages[next].address != last->address + last->size ||
				plan->pages[next].number != last->number + 1)
				break;
		if (first == last)
			snprintf(numbers, sizeof(numbers), "%u", first->number);
		else
			snprintf(numbers, sizeof(numbers), "%u-%u", first->number, last->number);
		n_run = snprintf(run, sizeof(run), "%s%s (0x%08x-0x%08x)",
			i > 0		    ? ", "
			: plan->n_pages > 1 ? "pages "
					    : "page ",
			numbers, first->address, last->address + (last->size - 1));
		/* There is always room for the mark of a cut behind what was taken. */
		if (n + (size_t)n_run + sizeof(CUT) > size) {
			snprintf(to + n, size - n, "%s", n > 0 ? CUT : "...");
			break;
		}
		memcpy(to + n, run, (size_t)n_run + 1);
		n += (size_t)n_run;
	}
	return to;
}
