/* SPDX-License-Identifier: MIT */
#include "loader/slip.h"

size_t slip_encode(const uint8_t *body, size_t n_body, uint8_t *to)
{
	size_t n = 0;

	to[n++] = SLIP_END;
	for (size_t i = 0; i < n_body; i++) {
		bool is_end = body[i] == SLIP_END;

		if (!is_end && body[i] != SLIP_ESC) {
			to[n++] = body[i];
			continue;
		}
		to[n++] = SLIP_ESC;
		to[n++] = is_end ? SLIP_ESC_END : SLIP_ESC_ESC;
	}
	to[n++] = SLIP_END;
	return n;
}

static void start(struct slip *slip)
{
	slip->n_body = 0;
	slip->is_escaped = false;
	slip->is_lost = false;
	slip->is_ended = false;
}

static void add(struct slip *slip, uint8_t byte)
{
	if (slip->n_body == slip->size)
		slip->is_lost = true;
	else
		slip->body[slip->n_body++] = byte;
}

enum slip_result slip_take(struct slip *slip, uint8_t byte)
{
	if (slip->is_ended)
		start(slip);
	if (byte == SLIP_END) {
		bool is_lost = slip->is_lost || slip->is_escaped;

		/* Between two frames, and after a change of the rate, empty ones come. */
		slip->is_ended = true;
		if (is_lost)
			return SLIP_LOST;
		return slip->n_body > 0 ? SLIP_BODY : SLIP_MORE;
	}
	if (!slip->is_escaped && byte == SLIP_ESC) {
		slip->is_escaped = true;
		return SLIP_MORE;
	}
	if (slip->is_escaped && byte != SLIP_ESC_END && byte != SLIP_ESC_ESC)
		slip->is_lost = true;
	else if (slip->is_escaped)
		byte = byte == SLIP_ESC_END ? SLIP_END : SLIP_ESC;
	slip->is_escaped = false;
	if (!slip->is_lost)
		add(slip, byte);
	return SLIP_MORE;
}
