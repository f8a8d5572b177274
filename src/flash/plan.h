/* SPDX-License-Identifier: MIT */
/*
 * plan.h - which pages an image needs erased, and in which blocks it is written. Pure.
 */
#pragma once

#include "chip/chips.h"
#include "image/image.h"
#include "rules/config.h"

/*
 * `pages` are those that the image touches, rising, but for the page that makes the flash startable
 * (family.h), which stands in front. With `mass` the whole flash goes in one command, after the
 * first page.
 */
struct plan {
	struct chip_page *pages;
	size_t n_pages;
	bool mass;
	bool *is_blank;	 /* one for each page, where that was looked for; NULL: it was not */
	size_t n_erased; /* from the first on, those that are blank by now or were told to be */
};

enum plan_result {
	PLAN_OK,
	PLAN_REFUSED, /* the reason says why: a page is shared with a range to keep, no page data */
};

/*
 * Mass erase is chosen where it is faster by the chip's times and loses nothing: no `keep`, and the
 * image covers every page of the `flash_bytes` the chip has. Where pages are not known it is the
 * only way.
 */
int plan_erase(const struct chip *chip, uint32_t flash_bytes, const struct image *image,
	const struct keep_list *keep, struct plan *ret, struct reason *reason);

void plan_done(struct plan *plan);

/* Whether a part of the page is in a range to keep. */
bool plan_keep_has(const struct keep_list *keep, const struct chip_page *page);

/* One frame's worth: never across a multiple of `block_size`, both ends aligned for the chip. */
struct plan_block {
	uint32_t address;
	uint32_t size;
	uint32_t n_image; /* of them are the image's own: what aligns a block is no part of it */
};

/*
 * The next block that holds bytes of the image in [*cursor, end); moves the cursor behind it. False
 * when there is none. Gaps between the bytes of one block are to be filled with 0xFF.
 */
bool plan_next_block(const struct image *image, uint32_t align, uint32_t block_size,
	uint64_t *cursor, uint64_t end, struct plan_block *ret);
