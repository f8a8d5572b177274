/* SPDX-License-Identifier: MIT */
/*
 * vectors.h - the vector table at the start of an application: whether it can be one, and whether
 * it was linked for the place it goes to.
 */
#pragma once

#include "chip/chip.h"
#include "image/image.h"

/* Bytes of initial stack pointer and reset vector, with which every vector table begins. */
#define VECTORS_HEAD 8

/* Where an application goes to. */
struct vector_space {
	bool has_address; /* it begins at `address`, else with the first segment */
	uint32_t address;
	struct chip_range flash; /* of no size: no chip is known */
	const struct chip_range *stack;
	size_t n_stack; /* 0: not known, any memory that a Cortex-M may have as RAM */
};

/*
 * Refuses an image that does not begin with a vector table which can be one: initial stack pointer,
 * its two low bits cleared, outside (0, end] of each stack memory; reset vector even or outside the
 * image; or handlers which all say that the image was linked for another address. Behind MCUboot's
 * header the same, see mcuboot.h. 0 or IMAGE_REFUSED with the reason, a sentence that goes on after
 * the name of the image; -ENOMEM.
 */
int vectors_check(
	const struct image *image, const struct vector_space *space, struct reason *reason);

/*
 * The same for a raw image whose place nobody knows: its reset vector and its first handlers must
 * agree with one another on some place.
 */
int vectors_check_anywhere(const struct image *image, struct reason *reason);
