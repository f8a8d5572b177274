/* SPDX-License-Identifier: MIT */
/*
 * outgoing.h - bytes on their way from the chip to the bridge, with the time their last bit is out
 * and the format they are sent in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outgoing_byte {
	uint64_t at;
	uint32_t baud;
	bool even_parity;
	uint8_t byte;
};

/* More than any one reply; when nobody takes them, later bytes are lost as in a bridge. */
#define OUTGOING_BYTES 4096

struct outgoing {
	struct outgoing_byte items[OUTGOING_BYTES];
	size_t first, n_items;
};

/* `at` never goes back. */
void outgoing_put(struct outgoing *outgoing, const struct outgoing_byte *byte);

/* NULL where there is none. */
const struct outgoing_byte *outgoing_peek(const struct outgoing *outgoing);
void outgoing_pop(struct outgoing *outgoing);

/* The sender stops at `now`: what was not out by then never comes. */
void outgoing_cut(struct outgoing *outgoing, uint64_t now);
