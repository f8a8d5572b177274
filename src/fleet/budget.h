/* SPDX-License-Identifier: MIT */
/*
 * budget.h - so many at once, and one more each so often: how much is done at the word of others,
 * or sent to them. Pure; `now` is monotonic_usec().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct budget_rate {
	unsigned at_once; /* 1 or more: after a pause of as many times `each_usec` */
	uint64_t each_usec;
};

/* A zeroed one has nothing spent. */
struct budget {
	uint64_t spent_usec; /* until then what was done is paid for */
};

/* How long the next one has to wait; 0: it may be now. */
static inline uint64_t budget_wait_usec(
	const struct budget *budget, struct budget_rate rate, uint64_t now)
{
	uint64_t most = now + (rate.at_once - 1) * rate.each_usec;

	return budget->spent_usec > most ? budget->spent_usec - most : 0;
}

/* One is done, whether it may be or not. */
static inline void budget_spend(struct budget *budget, struct budget_rate rate, uint64_t now)
{
	uint64_t from = budget->spent_usec > now ? budget->spent_usec : now;

	budget->spent_usec = from + rate.each_usec;
}

/* Whether one may be done now, which counts as done then. */
static inline bool budget_take(struct budget *budget, struct budget_rate rate, uint64_t now)
{
	if (budget_wait_usec(budget, rate, now) > 0)
		return false;
	budget_spend(budget, rate, now);
	return true;
}
