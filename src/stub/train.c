/* SPDX-License-Identifier: MIT */
/*
 * train.c - on which pin the host is, and how long its bit is.
 *
 * It is not known which USART the ROM used, and often not what clock its own oscillator gives: HSI
 * is off by up to 2.5 % (DS5319, table 24). So the stub looks at the pins themselves. 0x55 at 8N1
 * is a square wave of two bits a period; a pin with STUB_TRAIN_PERIODS such periods in sequence is
 * the line, and their length is the host's rate by the clock of the chip. One turn of the loop is
 * the error of it: some 60 ticks in 100000. A pin that moves by itself does not keep the period so
 * long.
 */
#include "stub/stub.h"

/* A falling edge now: is it the last one of a whole train? */
static int falls(struct stub_pin *pin, uint32_t now, uint32_t period)
{
	uint32_t length = now - pin->fell, all = now - pin->began, least = period * 43 >> 6;

	pin->fell = now;
	if (length - least <= least) {
		if (++pin->n_periods < STUB_TRAIN_PERIODS)
			return 0;
		if (all - period * (STUB_TRAIN_PERIODS * 15 / 16) <=
			period * (STUB_TRAIN_PERIODS / 8))
			return 1;
	}
	pin->n_periods = 0;
	pin->began = now;
	return 0;
}

uint32_t stub_train(struct stub *stub)
{
	for (;;) {
		struct stub_pin *pin = stub->buffer->pins;
		uint32_t n = stub->setup->candidates;

		stub_clock(stub);
		stub_check_silence(stub);
		for (uint32_t i = 0; i < n; i++, pin++) {
			const struct stub_candidate *candidate = stub_candidate(stub, i);
			uint32_t level = seam_read(candidate->idr) & candidate->mask;

			if (level == pin->level)
				continue;
			pin->level = level;
			if (level || !falls(pin, stub->now, stub->setup->period))
				continue;
			stub->train_ticks = pin->fell - pin->began;
			return i;
		}
	}
}
