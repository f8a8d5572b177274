/* SPDX-License-Identifier: MIT */
/*
 * toy.h - a chip, its family and its boot loader that no product has: 4 KiB pages, no vector table,
 * a digest and no way to read, an erase when a range begins, a rate of its own, and a faster loader
 * that may take the place of the first. It shows that the tables of family and loader carry what
 * differs from the STM32.
 *
 * No byte passes over the port: the operations work on the memory of struct toy, and assert what
 * loader.h says of their callers.
 */
#pragma once

#include "chip/chips.h"
#include "chip/family.h"
#include "loader/loader.h"

#define TOY_BASE  UINT32_C(0x00010000)
#define TOY_BYTES UINT32_C(0x00010000)
#define TOY_PAGE  UINT32_C(0x00001000)
#define TOY_ID	  7
#define TOY_MARK  0x7E /* the first byte of an image that such a chip starts */

struct toy_loader {
	struct loader base;
	struct toy *toy;
};

struct toy {
	/* Of the loader in ROM and of the faster one; a test may change the tables. */
	struct loader_ops slow, fast;
	struct toy_loader slow_loader, fast_loader;

	uint8_t flash[TOY_BYTES];
	uint32_t begin, next, end; /* offsets: an open range, and how much of it was brought */
	const uint8_t *announced;  /* what is to come in it */
	size_t n_pending;	   /* bytes in front of `next` that are not in the flash yet */
	uint8_t pending[LOADER_BLOCK_MAX];

	/* Faults; 0: none. */
	unsigned unplug_at_write; /* in the middle of the n-th block, counted from 1 */
	unsigned bend_digest;	  /* the n-th digest has a flipped bit */
	uint32_t max_baud;	  /* above it the chip does not answer */
	uint32_t stuck;		  /* the byte at this address takes no other value than 0x00 */
	int promotion;		  /* result of promote() */

	/* What it says of itself besides; the id, the chip and the unit are always the same. */
	struct chip_identity identity;

	/* Seen so far. */
	unsigned n_writes, n_digests, n_flushes, n_promotions;
	uint32_t n_erased; /* pages */
	size_t n_longest;  /* bytes in the longest block */
};

extern const struct loader_ops toy_ops;

/* A blank chip without faults, which takes no other loader than `slow`. toy-chip.c, as below. */
void toy_init(struct toy *toy);

/* The chip table: one row, whose `own` is not NULL where the chip starts by the last byte of an
 * image, for chip_table_done(). */
void toy_chips(struct chip_table *ret);
