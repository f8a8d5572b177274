/* SPDX-License-Identifier: MIT */
/*
 * linked.h - for which address an image was linked, by its vector table and by the code that its
 * vectors point to.
 */
#pragma once

#include "image/image.h"

#define LINKED_MAX_TARGETS 48

/* The vectors of one table, without those that are empty or reserved. */
struct linked {
	uint32_t table;		  /* where it stands in the image */
	uint32_t n_image;	  /* bytes from there to the end of the image */
	uint32_t n_table;	  /* bytes of the table, as far as it can be told */
	uint32_t lowest, highest; /* addresses of the first and the last handler */
	unsigned n_handlers;	  /* beside the reset vector, as often as they are named */
	unsigned n_elsewhere;	  /* too far from the reset vector to be of this image */
	uint32_t targets[LINKED_MAX_TARGETS]; /* each address once, the reset vector first */
	unsigned counts[LINKED_MAX_TARGETS];  /* how many vectors have it */
	size_t n_targets;
};

/* Reads the table at the address, whose first two words are in the image. */
void linked_read(const struct image *image, uint32_t table, struct linked *ret);

/*
 * Whether the whole table says that the image was linked for another address; then sets
 * `ret_address`. Made so that it is silent in doubt: a table of a few vectors, one that points to
 * several regions, handlers close behind the table, and code that is where the vectors say it is.
 */
bool linked_is_elsewhere(
	const struct image *image, const struct linked *linked, uint32_t *ret_address);

/* For which address it seems to be linked, where it is certain that it is not for this one. */
bool linked_guess(const struct image *image, const struct linked *linked, uint32_t *ret_address);
