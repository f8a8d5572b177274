/* SPDX-License-Identifier: MIT */
/*
 * hdlc.h - HDLC-lite frames, as OpenThread has them below Spinel (application-protocols.md 5):
 * flag, body and its CRC, flag. In them five byte values are written as escape and the byte with
 * bit 5 flipped. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hdlc_byte {
	HDLC_XON = 0x11,
	HDLC_XOFF = 0x13,
	HDLC_ESCAPE = 0x7D,
	HDLC_FLAG = 0x7E,
	HDLC_VENDOR = 0xF8,
};

#define HDLC_ENCODED_MAX(n_body) (2 * ((n_body) + 2) + 2)

/* Longer bodies are lost: all that is asked for here is short. */
#define HDLC_BODY_MAX 256

/* Room for HDLC_ENCODED_MAX(n_body) is needed. Returns how many bytes the frame has. */
size_t hdlc_make(uint8_t *to, const uint8_t *body, size_t n_body);

/* Receives; {0} is the state before the first byte. */
struct hdlc_receiver {
	uint8_t body[HDLC_BODY_MAX + 2];
	size_t n_body;
	bool is_escaped;
	bool is_lost;  /* up to its flag */
	bool is_ended; /* the next byte begins another body */
};

/*
 * True: the first `*ret_n` bytes of `body` are a whole and sound body, until the next byte is
 * given. What is none, noise in front of a flag too, is passed over.
 */
bool hdlc_take(struct hdlc_receiver *receiver, uint8_t byte, size_t *ret_n);
