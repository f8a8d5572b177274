/* SPDX-License-Identifier: MIT */
/*
 * slip.h - frames on a line of bytes, as Espressif's ROM has them (esp-rom.md 1.2): END, body, END.
 * In the body END is written as ESC ESC_END, ESC as ESC ESC_ESC.
 *
 * END stands between frames and belongs to none of them: each one ends what came before it. So text
 * and noise in front of a frame are a body of their own, which the caller throws away, and no frame
 * behind it is lost. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slip_byte { SLIP_END = 0xC0, SLIP_ESC = 0xDB, SLIP_ESC_END = 0xDC, SLIP_ESC_ESC = 0xDD };

/* The most bytes that a frame with such a body has. */
#define SLIP_ENCODED_MAX(n_body) (2 * (n_body) + 2)

/* Room for SLIP_ENCODED_MAX(n_body) is needed. Returns how many bytes the frame has. */
size_t slip_encode(const uint8_t *body, size_t n_body, uint8_t *to);

/* Receives; {0} with `body` and `size` is the state before the first byte. */
struct slip {
	uint8_t *body; /* borrowed, `size` bytes */
	size_t size;
	size_t n_body; /* so far */
	bool is_escaped;
	bool is_lost;  /* too long, or an escape of nothing: dropped up to its END */
	bool is_ended; /* the next byte begins another body */
};

enum slip_result {
	SLIP_MORE,
	SLIP_BODY, /* `n_body` bytes, at least 1, until the next byte is given */
	SLIP_LOST, /* a body ended here that was too long, or had an escape of nothing */
};

enum slip_result slip_take(struct slip *slip, uint8_t byte);
