/* SPDX-License-Identifier: MIT */
/*
 * ti-mt.h - a Z-Stack application behind its serial port, as far as anybody asks it for its
 * version: frames of the Monitor and Test interface at 115200 8N1 (ti-bsl.md 3.4).
 */
#pragma once

#include "sim/fault.h"
#include "sim/outgoing.h"

#define TIMT_VERSION 9 /* transport, product, major, minor, maintenance, revision */

struct timt {
	struct fault *fault;
	struct sim_ti_state *state;
	struct outgoing *outgoing;
	bool runs;
	uint64_t starts_at; /* it answers from then on; SIM_NEVER: it does */
	uint64_t clock;
	uint8_t version[TIMT_VERSION];
	uint8_t reason; /* of the last reset: 0 power, 1 external, 2 by itself */
	uint8_t frame[3 + 255 + 1];
	unsigned n_frame;
	bool is_inside;
	uint64_t resets_at; /* it was asked to; SIM_NEVER: not */
};

void timt_start(struct timt *mt, const uint8_t version[TIMT_VERSION], uint8_t reason, uint64_t now);
void timt_stop(struct timt *mt);

/* As its receiver understood it. */
void timt_receive(struct timt *mt, uint8_t byte, uint64_t now);

/* When it does something of its own accord; the step does it. A reset is the board's to do. */
uint64_t timt_next(const struct timt *mt);
void timt_step(struct timt *mt);
