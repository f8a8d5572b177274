/* SPDX-License-Identifier: MIT */
/*
 * stub-rate.h - the rate of the line between host and stub: up by a ladder, each rung with a proof,
 * and down where the line turns out to be bad. For the loader `stub` alone.
 */
#pragma once

#include "loader/stub-link.h"

struct stub_rate_state {
	uint32_t start; /* that of the train */
	uint32_t baud;	/* now */
	uint32_t brr;	/* as the stub has it now */
	uint32_t cr1;
	uint32_t train_ticks; /* of STUB_TRAIN_BITS bits at `start` */
	unsigned clock_shift; /* the USART's clock is the processor's, shifted by so much */
	char why_not_faster[120];
};

/*
 * What HELLO said, at `baud`. False where its BRR does not belong to its ticks: nothing can be
 * computed from them.
 */
bool stub_rate_init(struct stub_rate_state *rate, const struct stub_hello *hello, uint32_t baud);

/*
 * Raises the rate to the first one of the ladder, at most `max_baud`, that chip, bridge and line
 * are good for. 0, also where it stays; NO_ANSWER: the stub is not heard any more; -errno.
 */
int stub_rate_raise(struct stub_rate_state *rate, struct stub_link *link, uint32_t max_baud);

/* One step down, with nothing at the stub; 0 also at the last one. */
int stub_rate_lower(struct stub_rate_state *rate, struct stub_link *link);
