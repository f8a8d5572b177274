/* SPDX-License-Identifier: MIT */
/* pieces.c - see pieces.h. */
#include "image/pieces.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

void pieces_done(struct pieces *pieces)
{
	free(pieces->items);
	pieces->items = NULL;
}

static int pieces_grow(struct pieces *pieces)
{
	size_t room = pieces->room_items ? 2 * pieces->room_items : 256;
	struct piece *grown;

	if (pieces->n_items < pieces->room_items)
		return 0;
	grown = reallocarray(pieces->items, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	pieces->items = grown;
	pieces->room_items = room;
	return 0;
}

int pieces_add(
	struct pieces *pieces, size_t place, uint64_t address, const uint8_t *data, uint32_t size)
{
	const struct piece *last;
	int r;

	if (size == 0)
		return IMAGE_OK;
	if (address > UINT32_MAX || size > UINT32_MAX - address)
		return image_refuse(pieces->reason, pieces->place, place,
			"%" PRIu32 " bytes from 0x%08" PRIx64
			" on reach the end of the 32-bit addresses",
			size, address);
	if (size > pieces->max_bytes || pieces->n_bytes > pieces->max_bytes - size)
		return image_refuse(pieces->reason, pieces->place, place,
			"more than %" PRIu32 " bytes of data: they do not fit the flash",
			pieces->max_bytes);
	r = pieces_grow(pieces);
	if (r < 0)
		return r;

	last = pieces->n_items > 0 ? &pieces->items[pieces->n_items - 1] : NULL;
	if (last && address < (uint64_t)last->address + last->size)
		pieces->rising = false;
	pieces->items[pieces->n_items++] = (struct piece){
		.address = (uint32_t)address,
		.size = size,
		.data = data,
		.place = place,
	};
	pieces->n_bytes += size;
	return IMAGE_OK;
}

static int piece_compare(const void *a, const void *b)
{
	const struct piece *one = a, *other = b;

	if (one->address != other->address)
		return one->address < other->address ? -1 : 1;
	return one->place < other->place ? -1 : one->place > other->place;
}

static int refuse_overlap(const struct pieces *pieces, size_t one, size_t other, uint32_t address)
{
	return image_refuse(pieces->reason, pieces->place, one > other ? one : other,
		"address 0x%08" PRIx32 " is given twice, the first time in %s %zu", address,
		pieces->place, one > other ? other : one);
}

int pieces_build(struct pieces *pieces, struct image *ret)
{
	if (!pieces->rising)
		qsort(pieces->items, pieces->n_items, sizeof(*pieces->items), piece_compare);

	for (size_t i = 0; i < pieces->n_items; i++) {
		const struct piece *piece = &pieces->items[i];
		int r;

		if (i > 0 && piece->address - piece[-1].address < piece[-1].size)
			return refuse_overlap(
				pieces, piece->place, piece[-1].place, piece->address);
		r = image_add(ret, piece->address, piece->data, piece->size, pieces->max_bytes,
			pieces->reason);
		if (r != IMAGE_OK)
			return r;
	}
	return IMAGE_OK;
}
