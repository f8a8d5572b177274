/* SPDX-License-Identifier: MIT */
/*
 * erase-wish.h - what somebody wants erased, apart from any image, and which pages of a chip that
 * are. Pure.
 */
#pragma once

#include "flash/plan.h"

/* Items of a list of page numbers. */
#define ERASE_NUMBERS_MAX 64

enum erase_what {
	ERASE_NOTHING, /* a wish that nobody has set erases nothing */
	ERASE_ALL,
	ERASE_PAGES,
	ERASE_RANGE,
};

struct erase_numbers {
	uint32_t first, last;
};

struct erase_wish {
	enum erase_what what;
	struct erase_numbers numbers[ERASE_NUMBERS_MAX]; /* ERASE_PAGES */
	size_t n_numbers;
	uint32_t address, size; /* ERASE_RANGE */
	bool takes_whole_pages; /* also what a page has outside of the range */
	/* Also pages of `keep`, and the one of the settings that the chip starts by. */
	bool takes_kept;
};

/* "4,6-9": numbers and ranges, in any order. 0, -EINVAL, -ERANGE: too large, falling, too many. */
int erase_parse_pages(const char *text, struct erase_wish *wish);

/* "0x08004000+16K". 0, -EINVAL, -ERANGE: no bytes, or more than 32 bits can name. */
int erase_parse_range(const char *text, struct erase_wish *wish);

struct erase_choice {
	struct plan
		plan; /* rising; the page of the settings that the chip starts by is the first */
	struct plan left; /* pages of ERASE_ALL that are kept */
};

/*
 * Chooses the pages. `plan.mass`: nothing is left out, and one command may erase it all; without
 * pages in the chip table that is the only way. PLAN_OK, PLAN_REFUSED with the reason (no such
 * page, outside of the flash, a page is cut, one that is kept was asked for by name), -ENOMEM.
 */
int erase_choose(const struct erase_wish *wish, const struct chip *chip, uint32_t flash_bytes,
	const struct keep_list *keep, struct erase_choice *ret, struct reason *reason);

void erase_choice_done(struct erase_choice *choice);

/* Whether the page has the record of settings that a chip with so much flash starts by. */
bool erase_takes_record(
	const struct chip *chip, uint32_t flash_bytes, const struct chip_page *page);

/*
 * The pages in words, runs of neighbours in one: "pages 0-3 (0x08000000-0x08000fff), 7
 * (0x08001c00-0x08001fff)". A text without room ends in "...". Returns `to`.
 */
char *erase_pages_text(const struct plan *plan, char *to, size_t size);
