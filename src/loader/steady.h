/* SPDX-License-Identifier: MIT */
/*
 * steady.h - a fact of the chip, read until two answers in a row are equal.
 *
 * AN3155's answers have no checksum: one flipped bit makes another unit, another size or other
 * pages of them. Every fact that decides an erase, a number or a record is read by steady_read().
 */
#pragma once

#include <stddef.h>

#include "loader/loader.h"

/* Asks the chip once and puts the answer at `to`, whole. Returns as an operation of loader.h. */
typedef int (*steady_fn)(void *userdata, void *to);

/*
 * At most LOADER_BLOCK_MAX bytes. A refusal is an answer as well, since one bent byte earns a NACK:
 * two in a row are believed, and returned. Returns 0 with `size` bytes in `ret`, LOADER_REFUSED or
 * LOADER_UNSUPPORTED; any other result of `ask` at once, since the link is out of step then;
 * LOADER_UNSTEADY where no two of a few answers in a row are equal.
 */
int steady_read(steady_fn ask, void *userdata, void *ret, size_t size);
