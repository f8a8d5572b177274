/* SPDX-License-Identifier: MIT */
/* noise.h - a bad line: bytes that are lost, bent, doubled or made up, the same for the same seed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct noise {
	uint32_t random;
	uint32_t one_in; /* of so many bytes one goes wrong, by turns in each way; 0: none */
	unsigned n_events;
};

void noise_begin(struct noise *noise, uint32_t seed, uint32_t one_in);

/* What becomes of `n_from` bytes; `to` has room for twice as many. Returns how many there are. */
size_t noise_pass(struct noise *noise, const uint8_t *from, size_t n_from, uint8_t *to);
