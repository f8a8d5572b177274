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
 *
 * A loader that begins small has its first page proved: that it is blank, and that a unit which was
 * written there can be read back. Nothing else is lost then where its erase or its writing does
 * something else. One that finds pages has each page erased right before that is written, so that
 * the chip erases while the line brings what comes next, and pages that are blank already not at
 * all.
 *
 * Where the chip starts by a record of settings, that is looked at as soon as its page is gone:
 * what the chip has put there by itself decides whether the image can be made startable at all.
 */
#include "flash/erase.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "chip/family.h"
#include "flash/look.h"
#include "flash/verify.h"

/* Pages that are erased one by one while the layout is in doubt. */
#define PAGES_IN_DOUBT 8
#define LOOK_BYTES     32
#define LOOKS_A_PLACE  4

/* The first unit that is written: what each kind of flash can program, or more of the smaller. */
#define UNIT_BYTES 8
#define UNIT_MAX   64

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

/* ------------------------------------------------------------------ the record */

/* What the rule could say for all of the flash to be erased, for the end of a sentence. */
static const char *bank_erase_advice(const struct run *run)
{
	const struct board *board = run->job->board;

	if (!run->loader->ops->bank_erase || run->report->mass_erased)
		return "";
	if (board->bank_erase == BOARD_BANK_ERASE_NEVER)
		return ": `bank-erase = loses-network` in the rule erases all of it, which may help, and the network is lost";
	return ": all of it is not erased, since the rule has a `keep`";
}

/* Without the record nothing starts, so this is where a job can still end without a loss. */
static enum outcome fail_guard(struct run *run, int found, const char *why)
{
	if (found == FAMILY_GUARD_AS_BEFORE)
		return run_fail(run, OUTCOME_ERASE_FAILED, "%s; nothing else was erased", why);
	return run_fail(run, OUTCOME_ERASE_FAILED,
		"%s; %s, and the chip stays in its boot loader at every reset%s", why,
		run->report->mass_erased ? "all of the flash was erased, and nothing written"
					 : "nothing else was erased",
		bank_erase_advice(run));
}

static enum outcome check_guard(struct run *run, int *ret_found, struct reason *why)
{
	const struct chip *chip = run->identity.chip;
	struct look look;
	int r;

	look_begin(run, &look);
	r = chip->family->check_guard(chip, &look.flash, run->job->image, why);
	if (look.outcome != GO_ON)
		return look.outcome;
	*ret_found = r;
	return r < 0 ? run_fail_with(run, r, 0) : GO_ON;
}

/*
 * The chip itself puts values into the record as soon as its page was erased (ti-bsl.md 5.2). Where
 * the image's cannot be made of them, another erase may bring others; but that one takes all that
 * belongs to the unit alone, and what `keep` has.
 */
static enum outcome guard(struct run *run, bool *ret_is_all_erased)
{
	const struct board *board = run->job->board;
	int found = FAMILY_GUARD_OK, r;
	struct reason why = {""};
	enum outcome outcome;

	*ret_is_all_erased = false;
	if (!chip_starts_by_record(run->identity.chip))
		return GO_ON;
	outcome = check_guard(run, &found, &why);
	if (outcome != GO_ON)
		return outcome;
	if (found == FAMILY_GUARD_UNREACHABLE && run->loader->ops->bank_erase &&
		board->bank_erase == BOARD_BANK_ERASE_LOSES_NETWORK && board->keep.n_items == 0) {
		r = run->loader->ops->bank_erase(run->loader);
		if (r != 0)
			return run_fail_with(run, r, run->identity.chip->flash.start);
		*ret_is_all_erased = run->report->mass_erased = true;
		outcome = check_guard(run, &found, &why);
		if (outcome != GO_ON)
			return outcome;
	}
	return found == FAMILY_GUARD_OK ? GO_ON : fail_guard(run, found, why.text);
}

/* ------------------------------------------------------------------ the plan */

/*
 * The first aligned unit behind the bytes that the chip starts by, which are written last, in which
 * the image has something; size 0 where the page has none.
 */
static struct chip_range find_unit(
	const struct run *run, const struct chip_page *page, uint8_t to[static UNIT_MAX])
{
	const struct chip *chip = run->identity.chip;
	const struct chip_range start = chip->family->find_start(chip, run_written(run));
	uint32_t size = chip->write_align > UNIT_BYTES ? chip->write_align : UNIT_BYTES;
	uint64_t end = (uint64_t)page->address + page->size;
	uint64_t at = ((uint64_t)start.start + start.size + size - 1) / size * size;

	for (; size <= UNIT_MAX && at + size <= end; at += size) {
		if (!image_touches(run->job->image, (uint32_t)at, size))
			continue;
		image_copy(run->job->image, (uint32_t)at, to, size);
		if (!run_is_erased(run, to, size))
			return (struct chip_range){(uint32_t)at, size};
	}
	return (struct chip_range){0};
}

/* Of a loader that begins small: its first page was erased. */
static enum outcome prove_first(struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;
	const struct chip_page *page = &run->plan.pages[0];
	uint8_t bytes[UNIT_MAX];
	struct chip_range unit;
	bool is_equal = true;
	enum outcome outcome;
	/* A failed erase that was posted shows here, and not as a page that is not blank. */
	int r = ops->flush ? ops->flush(run->loader) : 0;

	if (r != 0)
		return run_fail_with(run, r, page->address);
	outcome = verify_blank(run, page->address, (uint64_t)page->address + page->size);
	if (outcome != GO_ON)
		return outcome;
	unit = find_unit(run, page, bytes);
	if (unit.size > 0)
		r = ops->write(run->loader, unit.start, bytes, unit.size);
	if (r == 0 && ops->flush)
		r = ops->flush(run->loader);
	if (r == 0 && unit.size > 0)
		r = verify_bytes(run, unit.start, bytes, unit.size, &is_equal);
	if (r != 0)
		return run_fail_with(run, r, unit.start);
	if (!is_equal)
		return run_fail(run, OUTCOME_WRITE_FAILED,
			"the first %u bytes that were written, at 0x%08x, are not there", unit.size,
			unit.start);
	run->first_unit = unit;
	return GO_ON;
}

/* What is left of the plan behind its first pages. */
static int erase_rest(struct run *run, size_t n_done)
{
	const struct loader_ops *ops = run->loader->ops;
	const struct plan *plan = &run->plan;

	if (plan->mass) {
		run->first_unit.size = 0;
		return ops->erase_all(run->loader);
	}
	if (n_done == plan->n_pages || ops->begin_erases || ops->finds_pages)
		return 0;
	return ops->erase_pages(run->loader, plan->pages + n_done, plan->n_pages - n_done);
}

enum outcome erase_choose_way(struct run *run, struct plan *plan)
{
	bool can_mass = run->loader->ops->erase_all != NULL;

	plan->mass = plan->mass && can_mass;
	if (can_mass || plan->n_pages > 0)
		return GO_ON;
	return run_fail(run, OUTCOME_BAD_CONFIG,
		"the chip table has no page layout for %s, and its boot loader erases no other way: add `pages` to the table",
		run->identity.chip->name);
}

enum outcome erase_find_blank(struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;
	struct plan *plan = &run->plan;
	CLEANUP(freep) uint8_t(*digests)[LOADER_DIGEST_MAX] = NULL;
	CLEANUP(freep) struct chip_range *ranges = NULL;
	CLEANUP(freep) uint8_t *blank = NULL;
	uint32_t longest = 0;
	int r;

	if (!ops->finds_pages || plan->mass || plan->n_pages == 0)
		return GO_ON;
	ranges = calloc(plan->n_pages, sizeof(*ranges));
	digests = calloc(plan->n_pages, sizeof(*digests));
	plan->is_blank = calloc(plan->n_pages, sizeof(*plan->is_blank));
	for (size_t i = 0; ranges && i < plan->n_pages; i++) {
		ranges[i] = (struct chip_range){plan->pages[i].address, plan->pages[i].size};
		longest = plan->pages[i].size > longest ? plan->pages[i].size : longest;
	}
	blank = malloc(longest);
	if (!ranges || !digests || !plan->is_blank || !blank)
		return run_fail_with(run, -ENOMEM, 0);
	memset(blank, chip_erased_byte(run->identity.chip), longest);
	r = ops->digests(run->loader, ranges, plan->n_pages, digests);
	if (r != 0)
		return run_fail_with(run, r, ranges[0].start);
	/* The first one is always erased: it is what shows that the erase works. */
	for (size_t i = 1; i < plan->n_pages; i++)
		plan->is_blank[i] =
			verify_is_digest(ops->digest_kind, blank, ranges[i].size, digests[i]);
	return GO_ON;
}

enum outcome erase_up_to(struct run *run, size_t n_pages)
{
	struct plan *plan = &run->plan;
	int r = 0;

	for (; r == 0 && plan->n_erased < n_pages; plan->n_erased++)
		if (!plan->is_blank || !plan->is_blank[plan->n_erased])
			r = run->loader->ops->erase_pages(
				run->loader, &plan->pages[plan->n_erased], 1);
	return r == 0 ? GO_ON : run_fail_with(run, r, plan->pages[n_pages - 1].address);
}

uint32_t erase_count(const struct run *run)
{
	const struct plan *plan = &run->plan;
	uint32_t n = 0;

	for (size_t i = 0; i < plan->n_pages; i++)
		n += !plan->is_blank || !plan->is_blank[i];
	return n;
}

enum outcome erase_planned(struct run *run)
{
	const struct plan *plan = &run->plan;
	bool is_sure = run->identity.pages == IDENTITY_PAGES_SURE || plan->mass;
	bool is_all_erased = false;
	enum outcome outcome;
	size_t n_done = 0;
	int r = 0;

	while (!is_sure && n_done < plan->n_pages && n_done < PAGES_IN_DOUBT) {
		outcome = erase_in_doubt(run, &plan->pages[n_done], &is_sure);
		if (outcome != GO_ON)
			return outcome;
		n_done++;
	}
	if (n_done == 0 && plan->n_pages > 0) {
		r = loader_erase_pages(run->loader, plan->pages, 1);
		n_done = 1;
	}
	outcome = r == 0 ? guard(run, &is_all_erased) : GO_ON;
	if (r == 0 && outcome == GO_ON && run->loader->ops->begins_small && n_done > 0)
		outcome = prove_first(run);
	if (outcome != GO_ON)
		return outcome;
	run->plan.n_erased = run->loader->ops->finds_pages && !plan->mass ? n_done : plan->n_pages;
	if (r == 0 && !is_all_erased)
		r = erase_rest(run, n_done);
	return r == 0 ? GO_ON : run_fail_with(run, r, run->identity.chip->flash.start);
}

/* Write-protected flash acknowledges an erase that does nothing (AN3155 3.7, 3.8): seen now, it
 * costs one block; seen by the verification, the whole transfer. */
enum outcome erase_check_blank(struct run *run)
{
	const struct loader_ops *ops = run->loader->ops;
	const struct chip *chip = run->identity.chip;
	const struct plan *plan = &run->plan;
	const struct chip_page *first = plan->pages;
	/* Where begin() erases, no other page is erased yet. */
	bool is_cheap = ops->digest && !ops->begin_erases;
	uint64_t from = run_image_start(run), end = run_image_end(run);
	enum outcome outcome;

	if (run->identity.proves_nothing || ops->begins_small)
		return GO_ON;
	if (plan->n_pages > 0) {
		from = first->address;
		end = from + first->size;
	}
	if (chip_starts_by_record(chip) && plan->n_pages > 0) {
		const struct chip_range record = chip->family->find_start(chip, run_written(run));

		outcome = verify_blank(run, from, record.start);
		if (outcome == GO_ON)
			outcome = verify_blank(run, (uint64_t)record.start + record.size, end);
	} else {
		outcome = verify_range(run, VERIFY_ERASED, from, end, &(uint64_t){0});
	}
	for (size_t i = 1; is_cheap && outcome == GO_ON && i < plan->n_pages; i++)
		outcome = verify_blank(run, plan->pages[i].address,
			(uint64_t)plan->pages[i].address + plan->pages[i].size);
	return outcome;
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
