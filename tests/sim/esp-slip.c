/* SPDX-License-Identifier: MIT */
#include "sim/esp-slip.h"

enum { END = 0xC0, ESCAPE = 0xDB, ESCAPED_END = 0xDC, ESCAPED_ESCAPE = 0xDD };

static void begin(struct espslip *slip)
{
	slip->n_body = 0;
	slip->is_inside = true;
	slip->is_escaped = slip->is_spoilt = false;
}

/* An END that follows an END begins a frame: there are no empty ones. */
static bool end(struct espslip *slip)
{
	bool is_whole =
		slip->is_inside && slip->n_body > 0 && !slip->is_spoilt && !slip->is_escaped;

	if (slip->is_inside && slip->n_body > 0)
		slip->is_inside = false;
	else
		begin(slip);
	return is_whole;
}

bool espslip_take(struct espslip *slip, uint8_t byte)
{
	if (byte == END)
		return end(slip);
	if (!slip->is_inside)
		return false;
	if (!slip->is_escaped && byte == ESCAPE) {
		slip->is_escaped = true;
		return false;
	}
	if (slip->is_escaped) {
		if (byte != ESCAPED_END && byte != ESCAPED_ESCAPE)
			slip->is_spoilt = true;
		byte = byte == ESCAPED_END ? END : ESCAPE;
		slip->is_escaped = false;
	}
	if (slip->n_body == sizeof(slip->body))
		slip->is_spoilt = true;
	else
		slip->body[slip->n_body++] = byte;
	return false;
}

size_t espslip_frame(const uint8_t *body, size_t n_body, uint8_t *to)
{
	size_t n = 0;

	to[n++] = END;
	for (size_t i = 0; i < n_body; i++) {
		if (body[i] != END && body[i] != ESCAPE) {
			to[n++] = body[i];
			continue;
		}
		to[n++] = ESCAPE;
		to[n++] = body[i] == END ? ESCAPED_END : ESCAPED_ESCAPE;
	}
	to[n++] = END;
	return n;
}
