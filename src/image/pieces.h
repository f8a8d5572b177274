/* SPDX-License-Identifier: MIT */
/*
 * pieces.h - bytes at addresses in the order of a file, then in that of the flash.
 *
 * Readers whose files hold many pieces in any order collect them here, so that no order costs more
 * than sorting. Keeps no bytes, only where they are. For the readers alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

struct piece {
	uint32_t address;
	uint32_t size;
	const uint8_t *data;
	size_t place;
};

struct pieces {
	const char *place; /* what is counted in messages: "line", "element at offset" */
	uint32_t max_bytes;
	struct reason *reason;

	struct piece *items;
	size_t n_items;
	uint32_t n_bytes;
	bool rising; /* in order and without overlap so far: the usual file */
};

#define PIECES_INIT(place_, options_, reason_)                                              \
	{                                                                                   \
		.place = (place_), .max_bytes = (options_)->max_bytes, .reason = (reason_), \
		.rising = true                                                              \
	}

void pieces_done(struct pieces *pieces);

/*
 * Notes a piece; `data` must stay until pieces_build(). Nothing is done for one of no bytes.
 * IMAGE_REFUSED on a wrap at 2^32 or when all pieces together exceed the bound; -ENOMEM.
 */
int pieces_add(
	struct pieces *pieces, size_t place, uint64_t address, const uint8_t *data, uint32_t size);

/* All pieces into an empty image. IMAGE_REFUSED where two overlap, with both places; -ENOMEM. */
int pieces_build(struct pieces *pieces, struct image *ret);
