/* SPDX-License-Identifier: MIT */
/*
 * an3155-link.h - bytes, frames and ACKs, of which the commands of an3155.h are made. For those
 * files alone.
 *
 * Results are 0, those of loader.h, or -errno.
 */
#pragma once

#include "loader/an3155.h"

enum { AN3155_ACK = 0x79, AN3155_NACK = 0x1F };

/* Most bytes of a frame in front of its XOR: the list of an Extended Erase (AN3155 3.8). */
#define AN3155_FRAME_MAX (2 + 2 * 255)

/*
 * Some loaders send a second NACK (AN2606, known limitations under read protection), one seen in
 * the field sends twenty: what follows a NACK within this silence belongs to it. 20 ms is well
 * above the USB latency of a bridge.
 */
#define AN3155_NACK_SILENCE_USEC (20 * USEC_PER_MSEC)

/* By when so many bytes, either way, and the work they ask of the chip are over. */
uint64_t an3155_deadline(struct an3155 *bl, size_t n_bytes, uint64_t work_usec);

int an3155_send(struct an3155 *bl, const uint8_t *data, size_t n_data);

/* Sends the bytes and the XOR of them all as one frame and waits for its ACK (AN3155 section 3). */
int an3155_send_frame(struct an3155 *bl, const uint8_t *data, size_t n_data, uint64_t work_usec);

/* The same with the four bytes of an address. */
int an3155_send_word(struct an3155 *bl, uint32_t word);

/*
 * Whether the command may be sent: UNSUPPORTED where Get did not list it, NO_ANSWER where it could
 * end up in a list of pages. Answers that are still on their way from something earlier are thrown
 * away, so that no late byte passes for this command's.
 */
int an3155_begin(struct an3155 *bl, enum an3155_command command);

/* an3155_begin(), the command with its complement, and its ACK. */
int an3155_send_command(struct an3155 *bl, enum an3155_command command);

/* Waits for the ACK of what was sent, `n_sent` bytes and the work they ask of the chip ago. */
int an3155_wait_ack(struct an3155 *bl, size_t n_sent, uint64_t work_usec);

int an3155_receive(struct an3155 *bl, uint8_t *to, size_t n_to);
int an3155_receive_until(struct an3155 *bl, uint8_t *to, size_t n_to, uint64_t deadline);

/* Reads and forgets until the line was silent for so long; GARBLED where it never is. */
int an3155_drain(struct an3155 *bl, uint64_t silence_usec);
