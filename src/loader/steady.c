/* SPDX-License-Identifier: MIT */
/* steady.c - asks until two answers in a row are equal, and gives up after MOST_ANSWERS. */
#include "loader/steady.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A line that bends two answers of three in a row is not fit for flashing. */
#define MOST_ANSWERS 6

int steady_read(steady_fn ask, void *userdata, void *ret, size_t size)
{
	uint8_t answer[LOADER_BLOCK_MAX], before[LOADER_BLOCK_MAX];
	int r, r_before = LOADER_UNSTEADY;

	if (size > sizeof(answer))
		return -EINVAL;
	for (unsigned n = 0; n < MOST_ANSWERS; n++) {
		r = ask(userdata, answer);
		if (r != 0 && !loader_is_refusal(r))
			return r;
		if (r == r_before && r != 0)
			return r;
		if (r == r_before && memcmp(answer, before, size) == 0) {
			memcpy(ret, answer, size);
			return 0;
		}
		r_before = r;
		if (r == 0)
			memcpy(before, answer, size);
	}
	return LOADER_UNSTEADY;
}
