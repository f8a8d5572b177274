/* SPDX-License-Identifier: MIT */
/*
 * cp210x.h - the control requests of a CP210x: standard ones of USB 2.0 chapter 9, vendor ones of
 * AN571.
 *
 * What the kernel's driver never asks is stalled, as a part does with what it does not know.
 */
#pragma once

#include <stdint.h>

#include "guest/bridge-kind.h"
#include "guest/uart.h"

struct cp210x {
	const struct bridge_identity *identity;
	struct uart uarts[BRIDGE_INTERFACES];
	uint8_t flow[BRIDGE_INTERFACES][16]; /* SET_FLOW, as it was written */
	uint8_t chars[BRIDGE_INTERFACES][6];
	uint8_t configuration;
};

#define CP210X_CONTROL_MAX 0x2A6

/*
 * Does what one control transfer asks. For an IN `data` is filled and the number of bytes returned,
 * at most `n_data`; for an OUT `data` is what came with it, and 0 is returned. -EPIPE: a stall.
 */
int cp210x_control(struct cp210x *device, const uint8_t setup[8], uint8_t *data, uint32_t n_data,
	uint64_t now);
