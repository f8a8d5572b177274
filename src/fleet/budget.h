/* SPDX-License-Identifier: MIT */
/*
 * budget.h - how fast messages may go: so many a second over time, and as many at once after a
 * pause of a second. Pure.
 */
#pragma once

#include <stdint.h>

#include "base/util.h"

/* A zeroed one has nothing spent. */
struct budget {
	uint64_t spent_usec; /* until then what was sent is paid for */
};

/* How long the next message has to wait; 0: it may go now. `now` is monotonic_usec(). */
static inline uint64_t budget_wait_usec(const struct budget *budget, uint64_t now)
{
	return budget->spent_usec > now + USEC_PER_SEC ? budget->spent_usec - USEC_PER_SEC - now
						       : 0;
}

/* One goes, of `rate` a second. */
static inline void budget_spend(struct budget *budget, uint32_t rate, uint64_t now)
{
	uint64_t from = budget->spent_usec > now ? budget->spent_usec : now;

	budget->spent_usec = from + USEC_PER_SEC / rate;
}
