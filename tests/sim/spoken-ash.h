/* SPDX-License-Identifier: MIT */
/*
 * spoken-ash.h - ASH, which carries EZSP over a UART, on the side of the stick (Silicon Labs
 * UG101).
 */
#pragma once

#include "sim/spoken.h"

/* The stick has reset: says so, and listens. `code`: UG101, "Reset and Error Codes". */
void spoken_ash_start(struct spoken *spoken, uint8_t code);

void spoken_ash_hear(struct spoken *spoken, uint8_t byte);

/* Sends these bytes in a DATA frame, which acknowledges all that was heard so far. */
void spoken_ash_say(struct spoken *spoken, const uint8_t *data, size_t n_data);

/* For spoken-ezsp.c: what a DATA frame carried, and a reset. */
void spoken_ezsp_take(struct spoken *spoken, const uint8_t *data, size_t n_data);
void spoken_ezsp_reset(struct spoken *spoken);
