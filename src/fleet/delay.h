/* SPDX-License-Identifier: MIT */
/*
 * delay.h - how long a gateway waits before it tries again what failed, so that a thousand of them
 * do not come back at the same moment.
 */
#pragma once

#include <stdint.h>

/* What is waited first, and at the most. */
struct delay {
	uint64_t first_usec;
	uint64_t most_usec;
};

/*
 * After so many failures in a row (1: the first): doubled each time, and a random part of it, at
 * least the half. `random` is any number.
 */
uint64_t delay_usec(const struct delay *delay, unsigned n_failures, uint64_t random);

/* Any time from 0 up to, and without, `usec`; 0 for 0. */
uint64_t delay_within(uint64_t usec, uint64_t random);

/* A number that the next gateway does not have. */
uint64_t delay_random(void);
