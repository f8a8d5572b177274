/* SPDX-License-Identifier: MIT */
/*
 * regions.h - runs of adjacent pages in which an image has bytes, and which of them are written.
 *
 * With most loaders that is all of the image. With one that proves runs (loader.h) it is what the
 * chip's digest says to be otherwise, and the bytes that keep a torn flash from being started.
 */
#pragma once

#include "flash/run.h"

struct span {
	uint64_t from, end;
};

/*
 * The next run within [*cursor, end), without what lies behind the last byte of the image, rounded
 * up to what the chip can write; moves the cursor behind it. False where there is none.
 */
bool regions_next(const struct run *run, const struct image *image, uint64_t *cursor, uint64_t end,
	struct span *ret);

/*
 * Compares run by run. GO_ON where the whole image is in the flash. VERIFY_DIFFERS where it is not:
 * from then on run_written() is what has to be written. Else the outcome of what failed. `done`
 * grows by the bytes that were compared.
 */
enum outcome regions_compare(struct run *run, uint64_t *done);
