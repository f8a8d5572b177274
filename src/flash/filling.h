/* SPDX-License-Identifier: MIT */
/* filling.h - one run of pages into the flash, by a loader that is told beforehand what comes. */
#pragma once

#include "flash/regions.h"

/* The next `n` bytes at the address are in the flash. */
typedef void (*filling_progress)(void *userdata, uint64_t address, uint32_t n);

/*
 * Writes a run of run_written(), and proves it where the loader proves runs, each as often as that
 * may help. GO_ON, or the outcome that ends the pass. Progress begins anew with each try.
 */
enum outcome filling_write(
	struct run *run, const struct span *span, filling_progress on_written, void *userdata);

/* Whether all of the image is known to be in the flash by the proofs of its runs. */
bool filling_is_proof(const struct run *run);
