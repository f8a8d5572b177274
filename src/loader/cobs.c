/* SPDX-License-Identifier: MIT */
#include "loader/cobs.h"

#define RUN_MAX 254

size_t cobs_encode(const uint8_t *body, size_t n_body, uint8_t *to)
{
	size_t length_at = 0, n = 1;

	for (size_t i = 0; i < n_body; i++) {
		if (body[i] != 0)
			to[n++] = body[i];
		/* A full run has no zero behind it, and none is begun behind the last byte. */
		if (body[i] == 0 || (n - length_at > RUN_MAX && i + 1 < n_body)) {
			to[length_at] = (uint8_t)(n - length_at);
			length_at = n++;
		}
	}
	to[length_at] = (uint8_t)(n - length_at);
	to[n++] = 0;
	return n;
}

static void add(struct cobs *cobs, uint8_t byte)
{
	if (cobs->n_body == cobs->size)
		cobs->is_lost = true;
	else
		cobs->body[cobs->n_body++] = byte;
}

static void start(struct cobs *cobs)
{
	cobs->n_body = 0;
	cobs->left = 0;
	cobs->has_zero = false;
	cobs->has_begun = false;
	cobs->is_lost = false;
	cobs->is_ended = false;
}

enum cobs_result cobs_take(struct cobs *cobs, uint8_t byte)
{
	if (cobs->is_ended)
		start(cobs);
	if (byte == 0) {
		cobs->is_ended = true;
		if (!cobs->has_begun)
			return COBS_MORE;
		return cobs->is_lost || cobs->left > 0 ? COBS_LOST : COBS_BODY;
	}
	if (cobs->left > 0) {
		cobs->left--;
		add(cobs, byte);
		return COBS_MORE;
	}
	if (cobs->has_zero)
		add(cobs, 0);
	cobs->has_begun = true;
	cobs->left = byte - 1;
	cobs->has_zero = byte <= RUN_MAX;
	return COBS_MORE;
}
