/* SPDX-License-Identifier: MIT */
/*
 * cobs.h - frames on a line of bytes by Consistent Overhead Byte Stuffing (S. Cheshire, M. Baker,
 * IEEE/ACM Transactions on Networking 7-2, 1999): no byte of an encoded body is 0x00, and 0x00 ends
 * it.
 *
 * Each run of up to 254 bytes without a zero has its length and one in front of it; a shorter run
 * than that stands for a zero behind it, but for the last one. So a body of 1 KiB grows by 5 bytes
 * at most, whatever is in it. After any damage the next 0x00 brings the receiver into step. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that an encoded body has, with the 0x00 behind it. */
#define COBS_ENCODED_MAX(n_body) ((n_body) + (n_body) / 254 + 2)

/* Room for COBS_ENCODED_MAX(n_body) is needed. Returns how many bytes there are. */
size_t cobs_encode(const uint8_t *body, size_t n_body, uint8_t *to);

/* Receives; {0} with `body` and `size` is the state before the first byte. */
struct cobs {
	uint8_t *body; /* borrowed, `size` bytes */
	size_t size;
	size_t n_body; /* so far */
	uint8_t left;  /* bytes of the run that are still to come */
	bool has_zero; /* a zero stands behind the run, unless the body ends there */
	bool has_begun;
	bool is_lost;  /* longer than `size`: dropped up to its end */
	bool is_ended; /* the next byte begins another body */
};

enum cobs_result {
	COBS_MORE,
	COBS_BODY, /* `n_body` bytes, until the next byte is given */
	COBS_LOST, /* what ended here was too long, or ended in the middle of a run */
};

/* Zeros behind an end are no bodies: COBS_MORE. */
enum cobs_result cobs_take(struct cobs *cobs, uint8_t byte);
