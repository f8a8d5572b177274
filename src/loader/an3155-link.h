/* SPDX-License-Identifier: MIT */
/*
 * an3155-link.h - bytes, frames and ACKs, of which the commands of an3155.h are made. For those
 * files alone.
 *
 * Results are 0, -errno, or of enum loader_result NO_ANSWER, REFUSED, GARBLED, UNSUPPORTED.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/port.h"

/* Bytes in one Read Memory or Write Memory (AN3155 3.4, 3.6). */
#define AN3155_BLOCK 256

/*
 * The longest time for an answer beyond the time on the line. A ROM answers in under a millisecond;
 * the rest is for USB and for a host that serves a hundred boards.
 */
#define AN3155_ANSWER_USEC (1500 * USEC_PER_MSEC)

enum an3155_command {
	AN3155_GET = 0x00,
	AN3155_GET_VERSION = 0x01,
	AN3155_GET_ID = 0x02,
	AN3155_READ_MEMORY = 0x11,
	AN3155_GO = 0x21,
	AN3155_WRITE_MEMORY = 0x31,
	AN3155_ERASE = 0x43,
	AN3155_EXTENDED_ERASE = 0x44,
	AN3155_SPECIAL = 0x50,
	AN3155_EXTENDED_SPECIAL = 0x51,
	AN3155_WRITE_PROTECT = 0x63,
	AN3155_WRITE_UNPROTECT = 0x73,
	AN3155_READOUT_PROTECT = 0x82,
	AN3155_READOUT_UNPROTECT = 0x92,
	AN3155_GET_CHECKSUM = 0xA1,
};

/* Whether the loader takes a whole block in one go: see an3155-memory.c. */
enum an3155_bursts { AN3155_BURSTS_UNTRIED, AN3155_BURSTS_WORK, AN3155_BURSTS_FAIL };

/* One boot loader. `has` is what Get listed; before Get only Get itself may be sent. */
struct an3155 {
	struct port *port; /* borrowed */
	/* Where the flash is, of which no byte stands in a transcript; a size of 0: not known. */
	uint32_t flash_start, flash_size;
	uint8_t version; /* 0x22 is V2.2 */
	bool has[256];
	/* An erase command was accepted and its end not seen: nothing is sent but an3155_sync(). */
	bool erase_may_be_pending;
	enum an3155_bursts bursts; /* FAIL from the start: not tried */
	bool in_turns;		   /* none is sent for now, whatever the loader takes */
	bool was_burst;		   /* the last Write Memory went in one */
	bool has_read;		   /* and no Write Memory has worked since */
	/* The end of all waiting, on the port's clock; 0: none. Each answer has a deadline of its
	 * own, and a device that just keeps every one of them would never end. */
	uint64_t deadline;
};

enum an3155_answer { AN3155_ACK = 0x79, AN3155_NACK = 0x1F };

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
