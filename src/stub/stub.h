/* SPDX-License-Identifier: MIT */
/*
 * stub.h - the parts of the stub, and its state.
 *
 * The stub has no data of its own at a fixed address: all state is in struct stub, which lies in
 * the work area that the host has chosen, behind the vectors. So the program runs at every address.
 * Rules that all parts keep:
 *
 * - stub_poll() is called at least every 200 instructions, for the USART holds one byte. The same
 *   call keeps the clock and the watchdog going.
 * - Nothing reads flash memory, and nothing writes it, while the flash is busy: the processor would
 * stand still, and bytes would be lost.
 * - No division and no switch that becomes a table: both would pull in libgcc.
 */
#pragma once

#include "stub/protocol.h"
#include "stub/seam.h"

#define STUB_VECTORS 16 /* no more of them are looked at */

/* What is known of a pin that may be the line; all 0 at the beginning. */
struct stub_pin {
	uint32_t level;
	uint32_t fell, began; /* when: the last edge, and the first of the train */
	uint32_t n_periods;
};

/* A received frame lies so that its data are where those of the answer will be. */
union stub_buffer {
	struct {
		struct stub_answer header;
		uint8_t data[STUB_DATA_MAX + STUB_CRC_SIZE];
	} answer;
	struct {
		uint8_t before[sizeof(struct stub_answer) - sizeof(struct stub_frame)];
		struct stub_frame header;
		uint8_t data[STUB_DATA_MAX + STUB_CRC_SIZE];
	} frame;
	uint8_t bytes[STUB_ANSWER_MAX];
	struct stub_pin pins[STUB_CANDIDATES_MAX];
};

/* No gap is open. */
#define STUB_NO_GAP 0xFF

struct stub {
	/* Bytes first: a Thumb instruction reaches 32 of them, and 32 words. */
	uint8_t is_open, is_linking;
	uint8_t has_keys; /* K1 has written them */
	uint8_t gap, candidate;
	uint8_t next_is_whole;

	/* The state of the session, as each answer begins. */
	struct stub_answer answer;

	/* Registers of the USART in use; `clear` is 0 for those without ICR. */
	uint32_t usart_status, usart_receive, usart_transmit, usart_brr, usart_cr1, usart_clear;

	/* The clock in ticks, and SysTick as it was read last. */
	uint32_t now, tick;

	/* The ring: indices grow without an end. */
	uint8_t *ring;
	uint32_t ring_mask, head, tail;

	const struct stub_setup *setup;

	/* The frame in work, and the one that is taken out of the ring meanwhile. */
	union stub_buffer *buffer, *next;
	uint32_t next_n, next_left, next_code,
		next_crc; /* what is decoded, and where in COBS that is */

	uint32_t heard; /* when the last sound frame came */

	uint32_t train_ticks;

	/* The rate in force, and the one before a LINK that is not confirmed. */
	struct stub_rate rate, rate_before;
	uint32_t link_at;

	union stub_buffer buffers[2];

	/* What four bits add to the one CRC, and to the other. */
	uint32_t tables[32];
};

_Static_assert(4 * STUB_VECTORS + sizeof(struct stub) + 256 <= STUB_WORK_SIZE || sizeof(void *) > 4,
	"the stack has 256 bytes");

/* main.c */
void stub_reset(void) __attribute__((noreturn, used));
/* Runs until the chip is reset. `setup` as the host has made it. */
void stub_main(const struct stub_setup *setup) __attribute__((noreturn, used));
/* There is no C library: of whole words. */
void stub_clear(void *words, uint32_t size);
void stub_copy(void *words, const void *from, uint32_t size);
/* Takes `n` steps; returns what is behind them, or NULL where one of them fails. */
const struct stub_step *stub_steps(struct stub *stub, const struct stub_step *step, uint32_t n);
const struct stub_candidate *stub_candidate(const struct stub *stub, uint32_t i);

/* train.c: waits for the train, and returns the number of the candidate that has it. */
uint32_t stub_train(struct stub *stub);

/* line.c */
void stub_clock(struct stub *stub);
void stub_poll(struct stub *stub);
/* Resets the chip where nothing sound was heard for too long. */
void stub_check_silence(struct stub *stub);
void stub_set_rate(struct stub *stub, const struct stub_rate *rate);
void stub_open_line(struct stub *stub, const struct stub_candidate *candidate);
/* Waits until the last bit of what was sent is out. */
void stub_drain(struct stub *stub);
/* Takes one byte out of the ring into the next frame, if there is one. Called while the flash is
 * busy: so the line is as good as free beside it. */
void stub_take(struct stub *stub);
/* Waits for the next frame, which then is `buffer`; 0 where it is damaged. */
int stub_receive(struct stub *stub);
/* Sends `buffer->answer`, whose header is filled in. */
void stub_send(struct stub *stub);

/* frames.c: takes one frame, does it and answers it. */
void stub_serve(struct stub *stub);

/* sums.c */
/* The CRC behind `n` bytes (1 to 4) that are added to it already; complemented by the caller. */
uint32_t stub_crc_bytes(const uint32_t *table, uint32_t crc, uint32_t n);
void stub_make_tables(struct stub *stub);
uint32_t stub_crc(struct stub *stub, const uint8_t *bytes, uint32_t n);
void stub_sum(struct stub *stub, uint32_t address, uint32_t size, struct stub_sums *ret);

/* flash.c; `answer.address` and `answer.flash_status` are set, and are of a failure if there is
 * one. */
/* Whether `size` bytes from `address` on are in the `all` ones from `first` on. */
int stub_in(uint32_t address, uint32_t size, uint32_t first, uint32_t all);
int stub_in_flash(const struct stub *stub, uint32_t address, uint32_t size);
/* Whether it can be read now: all of it is in flash, and the flash is not busy. */
int stub_is_readable(const struct stub *stub, uint32_t address, uint32_t size);
/* Writes a unit of 1, 2, 4 or 8 bytes: by one instruction, or by two of a word. */
void stub_store(uint32_t address, uint32_t from, uint32_t unit);
enum stub_status stub_flash_erase(
	struct stub *stub, uint32_t address, const struct stub_erase *page);
enum stub_status stub_flash_erase_all(struct stub *stub);
/* Programs `n` bytes of `buffer->frame.data`. */
enum stub_status stub_flash_write(struct stub *stub, uint32_t address, uint32_t n);
