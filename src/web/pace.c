/* SPDX-License-Identifier: MIT */
#include "web/pace.h"

#include "base/util.h"

/* Between two, and between the first after a quiet time and the next. */
#define GAP_USEC   (250 * USEC_PER_MSEC)
#define EARLY_USEC (50 * USEC_PER_MSEC)

static uint64_t nth_last(const struct pace *pace, size_t n)
{
	return pace->told_usec[(pace->next + PACE_MOST - n) % PACE_MOST];
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t pace_next(const struct pace *pace)
{
	uint64_t last = nth_last(pace, 1), before = nth_last(pace, 2), next;

	if (last == 0)
		return 0;
	next = last + (before > 0 && last - before < 2 * GAP_USEC ? GAP_USEC : EARLY_USEC);
	/* The oldest of them is a second ago then. */
	if (nth_last(pace, PACE_MOST) > 0)
		next = later(next, nth_last(pace, PACE_MOST) + USEC_PER_SEC);
	return next;
}

void pace_tell(struct pace *pace, uint64_t now_usec)
{
	pace->told_usec[pace->next] = now_usec;
	pace->next = (pace->next + 1) % PACE_MOST;
}
