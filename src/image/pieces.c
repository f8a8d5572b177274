/* SPDX-License-Identifier: MIT */
/* pieces.c - see pieces.h. */
#include "image/pieces.h"

#include <errno.h>
#include <inttypes.h>

void pieces_done(struct pieces *pieces)
{
	free(pieces->items);
	pieces->items = NULL;
}

int pieces_add(
	struct pieces *pieces, size_t place, uint64_t address, const uint8_t *data, uint32_t size)
{
	struct piece *grown;

	if (size == 0)
		return IMAGE_OK;
	if (address > UINT32_MAX || size > UINT32_MAX - address)
		return image_refuse(pieces->reason, pieces->place, place,
			"%u bytes from 0x%08" PRIx64 " on reach the end of the 32-bit addresses",
			size, address);
	if (size > pieces->max_bytes || pieces->n_bytes > pieces->max_bytes - size)
		return image_refuse(pieces->reason, pieces->place, place,
			"more than %u bytes of data: they do not fit the flash", pieces->max_bytes);
	grown = room_for_one(pieces->items, pieces->n_items, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	pieces->items = grown;

	if (pieces->n_items > 0) {
		const struct piece *last = &grown[pieces->n_items - 1];

		if (address < (uint64_t)last->address + last->size)
			pieces->rising = false;
	}
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

int pieces_build(struct pieces *pieces, struct image *ret)
{
	if (!pieces->rising)
		qsort(pieces->items, pieces->n_items, sizeof(*pieces->items), piece_compare);

	for (size_t i = 0; i < pieces->n_items; i++) {
		const struct piece *piece = &pieces->items[i];
		int r;

		if (i > 0 && piece->address - piece[-1].address < piece[-1].size) {
			bool is_later = piece->place > piece[-1].place;

			return image_refuse(pieces->reason, pieces->place,
				is_later ? piece->place : piece[-1].place,
				"address 0x%08x is given twice, the first time in %s %zu",
				piece->address, pieces->place,
				is_later ? piece[-1].place : piece->place);
		}
		r = image_add(ret, piece->address, piece->data, piece->size, pieces->max_bytes,
			pieces->reason);
		if (r != IMAGE_OK)
			return r;
	}
	return IMAGE_OK;
}
