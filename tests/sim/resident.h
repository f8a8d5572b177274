/* SPDX-License-Identifier: MIT */
/*
 * resident.h - a boot loader in the first pages of the flash that takes a file over the serial line
 * (115200 8N1): ST's example of in-application programming (AN2557, AN3965, AN4065, STM32Cube) and
 * Silicon Labs' Gecko boot loader, by what is known of them (facts, section 7).
 *
 * One processor that polls: while it prints, erases or programs it does not listen, and the USART
 * keeps one byte for it. resident.c is the machine, resident-iap.c and resident-gecko.c are what
 * each does with a byte. It starts nothing: it has a wish, as the ROM has.
 */
#pragma once

#include "sim/gbl-take.h"
#include "sim/memory.h"
#include "sim/outgoing.h"

#define RESIDENT_BAUD	     115200
#define RESIDENT_FRAME_BYTES (3 + 1024 + 2)

/* Where the application begins behind it, from the start of the flash on. */
#define RESIDENT_BYTES 0x4000

enum {
	MODEM_SOH = 0x01,
	MODEM_STX = 0x02,
	MODEM_EOT = 0x04,
	MODEM_ACK = 0x06,
	MODEM_NAK = 0x15,
	MODEM_CAN = 0x18,
	MODEM_C = 'C',
};

struct resident;
typedef void (*resident_fn)(struct resident *resident);
typedef void (*resident_byte_fn)(struct resident *resident, uint8_t byte);

struct resident {
	const struct sim_chip *chip;
	struct fault *fault;
	struct sim_counters *counters;
	struct memory *memory;
	struct outgoing *outgoing;
	enum sim_resident kind;

	uint64_t clock; /* busy until then */
	bool has_held;
	uint8_t held; /* in the USART's data register */

	resident_fn work; /* when the clock has come */
	resident_byte_fn on_byte;
	resident_fn on_timeout;
	uint64_t timeout_at;

	uint8_t frame[RESIDENT_FRAME_BYTES];
	size_t n_frame, n_wanted;
	resident_fn on_frame;

	/* Of the session. */
	unsigned n_blocks; /* accepted, the header counted */
	unsigned n_errors; /* in a row */
	unsigned n_cancels;
	uint32_t offset; /* of the next byte into the application's flash */
	uint32_t n_data; /* of the block that is being programmed */
	uint32_t size;	 /* by the header */
	bool is_last;	 /* the session ends with the file */
	bool has_begun;	 /* a header was taken */
	bool has_eot;
	struct gbl_take gbl;	 /* Gecko: of the file that comes */
	unsigned error;		 /* what it has found wrong in it */
	uint32_t loader_version; /* Gecko: its own */
	uint32_t sent;		 /* of an upload, from the application's start on */

	bool wants_start;
};

/* Out of reset at `now`; `resident->kind` is set. */
void resident_enter(struct resident *resident, uint64_t now);

void resident_receive(struct resident *resident, uint8_t byte, uint64_t now);

/* When something of its own accord is due; SIM_NEVER: nothing. */
uint64_t resident_next(const struct resident *resident);
void resident_step(struct resident *resident);

uint32_t resident_application(const struct resident *resident);

/* For the two kinds: */

void resident_iap_begin(struct resident *resident);
void resident_gecko_begin(struct resident *resident);

void resident_put(struct resident *resident, uint8_t byte);
void resident_print(struct resident *resident, const char *text);

/* Two bytes that come to the host in one transmission. */
void resident_put_both(struct resident *resident, uint8_t first, uint8_t second);

/* Keeps the processor busy, then calls `work`. */
void resident_work(struct resident *resident, uint64_t nsec, resident_fn work);

/* Listens, once it is no more busy, for at most so long (SIM_NEVER: for ever). */
void resident_listen(
	struct resident *resident, resident_byte_fn on_byte, uint64_t nsec, resident_fn on_timeout);

/* Collects the rest of a frame whose first byte was `first`; a second for all of it. */
void resident_collect(
	struct resident *resident, uint8_t first, resident_fn on_frame, resident_fn on_timeout);

/* What came while nobody listened is gone. */
void resident_flush(struct resident *resident);

/* Number, complement and CRC of the collected frame. */
bool resident_frame_is_sound(const struct resident *resident);
uint16_t resident_crc(const uint8_t *bytes, size_t n_bytes);

/* Whether the knob has it answer every block by one and the same byte; that is sent. */
bool resident_answers_blindly(struct resident *resident);

/* Whether the knob cancels the transfer at this block; counts it. */
bool resident_cancels_here(struct resident *resident);

/* The pages of the application, and the time they take. */
uint64_t resident_erase_nsec(const struct resident *resident);
void resident_erase(struct resident *resident);

/* Programs bytes at an offset into the application's flash; false where it did not take. */
uint64_t resident_program_nsec(const struct resident *resident, uint32_t n_data);
bool resident_program(
	struct resident *resident, uint32_t offset, const uint8_t *data, uint32_t n_data);
