/* SPDX-License-Identifier: MIT */
/*
 * rom.h - the USART boot loader in the system memory of an STM32, by AN3155 and, for V2.2, by what
 * its code is known to do.
 *
 * One processor: while it sends, programs or erases it does not listen, and the USART keeps one
 * byte for it. rom.c is the machine (baud detection, frames, time), rom-commands.c what each
 * command does.
 */
#pragma once

#include "sim/memory.h"
#include "sim/outgoing.h"

enum { ROM_ACK = 0x79, ROM_NACK = 0x1F };

enum rom_state {
	ROM_DETECTING, /* waits for 0x7F */
	ROM_LISTENING,
	ROM_HUNG, /* until a reset */
};

/* What the ROM does to the rest of the chip when its clock has come. */
enum rom_wish { ROM_STAYS, ROM_RESETS, ROM_STARTS };

/* Longest frame: Extended Erase of 512 pages, or 1024 bytes of Extended Special. */
#define ROM_FRAME_BYTES 1056

struct rom;
typedef void (*rom_fn)(struct rom *rom);

struct rom {
	const struct sim_chip *chip;
	struct fault *fault;
	struct sim_counters *counters;
	struct memory *memory;
	struct outgoing *outgoing;

	enum rom_state state;
	uint64_t ready_at; /* the start-up is over */
	uint64_t clock;	   /* busy until then */
	uint32_t baud;	   /* as detected */
	bool spoiled;	   /* this entry's detection fails */
	bool zero_pending; /* the glitch before the first ACK */

	bool has_held;
	uint8_t held; /* in the USART's data register */

	uint8_t code; /* of the command */
	uint8_t frame[ROM_FRAME_BYTES];
	size_t n_frame, n_wanted;
	rom_fn on_frame;

	/* Programming or erasing: what is done each time the clock has come. */
	rom_fn work;
	uint64_t work_end;
	uint32_t address;
	uint8_t data[256 + 4]; /* keeps what was there before, as the ROM's buffer does */
	uint32_t n_data, n_done;
	uint16_t pages[513];
	bool work_failed;
	bool has_read;	     /* Read Memory came later than Write Memory */
	bool loses_unit;     /* the first one of the block under way */
	uint64_t busy_until; /* the flash, behind the back of a ROM that does not wait for it */
	uint64_t step_nsec;  /* of an erase whose time a knob sets; 0: the chip's */

	enum rom_wish wish;
	uint32_t start_address;
	uint32_t checksum_words;
	uint32_t checksum_polynomial;
};

/* Out of reset at `now` into the ROM. */
void rom_enter(struct rom *rom, uint64_t now);

/* A byte as the chip's pin saw it: how long it lasted and in which format it was sent. */
struct rom_byte {
	uint8_t byte;
	uint32_t baud;
	bool even_parity;
	uint64_t begin, end;
};

/* rom_next() is not before `byte->end`. */
void rom_receive(struct rom *rom, const struct rom_byte *byte);

/* When something of its own accord is due (SIM_NEVER: nothing), and when the host could notice. */
uint64_t rom_next(const struct rom *rom);
uint64_t rom_next_visible(const struct rom *rom);

/* Does what is due at rom_next(). */
void rom_step(struct rom *rom);

/* For the commands: */

/* Sends one byte; the clock goes on by its time. */
void rom_put(struct rom *rom, uint8_t byte);

/* The next `n` bytes are a frame, or belong to the one just received. */
void rom_expect(struct rom *rom, size_t n, rom_fn on_frame);
void rom_expect_more(struct rom *rom, size_t n, rom_fn on_frame);

/* XOR of the whole frame is zero. */
bool rom_frame_is_sound(const struct rom *rom);

/* Keeps the processor busy; `work` is called when the time has passed and may go on working. */
void rom_work(struct rom *rom, uint64_t nsec, rom_fn work);

/* Whether the flash still works on what the ROM did not wait for: then the ROM hangs. */
bool rom_trips_over_flash(struct rom *rom);

/* The command just received with a good complement: looks it up and begins it. */
void rom_begin_command(struct rom *rom);
