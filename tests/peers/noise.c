/* SPDX-License-Identifier: MIT */
#include "peers/noise.h"

static uint32_t next_random(struct noise *noise)
{
	noise->random = noise->random * 1664525 + 1013904223;
	return noise->random >> 8;
}

void noise_begin(struct noise *noise, uint32_t seed, uint32_t one_in)
{
	*noise = (struct noise){.random = seed * UINT32_C(2654435761) + 1, .one_in = one_in};
}

static size_t spoil(struct noise *noise, uint8_t byte, uint8_t *to)
{
	switch (noise->n_events++ % 4) {
	case 0:
		return 0;
	case 1:
		to[0] = byte ^ (uint8_t)(1u << (next_random(noise) & 7));
		return 1;
	case 2:
		to[0] = to[1] = byte;
		return 2;
	}
	to[0] = (uint8_t)next_random(noise);
	to[1] = byte;
	return 2;
}

size_t noise_pass(struct noise *noise, const uint8_t *from, size_t n_from, uint8_t *to)
{
	size_t n = 0;

	for (size_t i = 0; i < n_from; i++) {
		if (noise->one_in > 0 && next_random(noise) % noise->one_in == 0)
			n += spoil(noise, from[i], to + n);
		else
			to[n++] = from[i];
	}
	return n;
}
