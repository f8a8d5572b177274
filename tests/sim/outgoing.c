/* SPDX-License-Identifier: MIT */
/*
 * outgoing.c - see outgoing.h.
 */
#include "sim/outgoing.h"

void outgoing_put(struct outgoing *outgoing, const struct outgoing_byte *byte)
{
	if (outgoing->n_items == OUTGOING_BYTES)
		return;
	outgoing->items[(outgoing->first + outgoing->n_items) % OUTGOING_BYTES] = *byte;
	outgoing->n_items++;
}

const struct outgoing_byte *outgoing_peek(const struct outgoing *outgoing)
{
	return outgoing->n_items ? &outgoing->items[outgoing->first] : NULL;
}

void outgoing_pop(struct outgoing *outgoing)
{
	outgoing->first = (outgoing->first + 1) % OUTGOING_BYTES;
	outgoing->n_items--;
}

void outgoing_cut(struct outgoing *outgoing, uint64_t now)
{
	while (outgoing->n_items) {
		size_t last = (outgoing->first + outgoing->n_items - 1) % OUTGOING_BYTES;

		if (outgoing->items[last].at <= now)
			return;
		outgoing->n_items--;
	}
}
