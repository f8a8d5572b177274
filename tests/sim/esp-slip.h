/* SPDX-License-Identifier: MIT */
/* esp-slip.h - SLIP as the ROM has it (esp-rom.md 1.2): C0, body, C0; C0 is DB DC, DB is DB DD. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ESPSLIP_BODY (24 + 0x4000)

struct espslip {
	uint8_t body[ESPSLIP_BODY];
	size_t n_body;
	bool is_inside, is_escaped;
	bool is_spoilt; /* too long, or a wrong escape: dropped at its end */
};

/* Whether a body is complete with this byte; it stays until the next call. */
bool espslip_take(struct espslip *slip, uint8_t byte);

/* Puts the frame in `to`, which has room for 2 * n_body + 2 bytes; how many it takes. */
size_t espslip_frame(const uint8_t *body, size_t n_body, uint8_t *to);
