/* SPDX-License-Identifier: MIT */
/*
 * ti-rom.h - the serial boot loader in the ROM of such a chip, by SWCU185 and SWCU192 chapter 11,
 * SWCU117 chapter 8 and SWRA466 (ti-bsl.md 1 and 2).
 *
 * One processor: while it erases, programs or sums up it does not listen, and its UART keeps 32
 * bytes for it. ti-rom.c is the machine (rate, packets, answers, time), ti-commands.c what each
 * command does.
 */
#pragma once

#include "sim/outgoing.h"
#include "sim/rom.h"
#include "sim/ti-flash.h"

#define TIROM_FIFO 32

enum tirom_opcode {
	TIROM_PING = 0x20,
	TIROM_DOWNLOAD,
	TIROM_RUN, /* 38 */
	TIROM_GET_STATUS,
	TIROM_SEND_DATA,
	TIROM_RESET,
	TIROM_ERASE,
	TIROM_CRC32,
	TIROM_GET_CHIP_ID,
	TIROM_SET_XOSC, /* 38 */
	TIROM_MEMORY_READ,
	TIROM_MEMORY_WRITE,
	TIROM_BANK_ERASE,
	TIROM_SET_CCFG,
};

enum tirom_status {
	TIROM_SUCCESS = 0x40,
	TIROM_UNKNOWN,
	TIROM_INVALID, /* a wrong length */
	TIROM_INVALID_ADDRESS,
	TIROM_FLASH_FAIL,
};

/* What a byte from the host is. */
enum tirom_state {
	TIROM_DETECTING, /* one of two 55 */
	TIROM_SIZE,
	TIROM_SUM,
	TIROM_DATA,
	TIROM_ANSWER, /* the host's, to a packet of the chip */
};

/* What the ROM does to the rest of the chip when its clock has come. */
enum tirom_wish { TIROM_STAYS, TIROM_RESETS, TIROM_STARTS };

struct tirom;
typedef void (*tirom_fn)(struct tirom *rom);

struct tirom {
	const struct tichip *chip;
	const struct sim_ti *board;
	struct fault *fault;
	struct sim_counters *counters;
	struct sim_ti_state *ti;
	struct outgoing *outgoing;
	struct tiflash *flash;
	uint8_t ieee[8];
	uint8_t *ram;

	bool is_on, is_hung;
	bool has_crystal;  /* 38: SET_XOSC */
	uint64_t ready_at; /* it listens from then on */
	uint64_t clock;	   /* busy until then */
	uint32_t baud;
	enum tirom_state state;
	bool has_first; /* 55 at `baud` */
	uint8_t fifo[TIROM_FIFO];
	size_t n_fifo;

	uint8_t size, sum;
	uint8_t data[256]; /* of the packet: the command first */
	uint32_t n_data;
	uint8_t answer[256]; /* the packet that the host has to acknowledge */
	uint32_t n_answer;
	unsigned n_packets;
	uint8_t status;
	uint32_t at, left; /* DOWNLOAD's */

	tirom_fn work; /* each time the clock has come, until it sets no other */
	uint32_t erase_at, erase_end;
	bool is_bank;
	enum tirom_status failure; /* of a part of the work */
	enum tirom_wish wish;
	uint32_t start_address;
};

/* Out of reset at `now`. A `synced_baud` other than 0: it is synchronised already. */
void tirom_enter(struct tirom *rom, uint64_t now, uint32_t synced_baud);
/* Reset, or the power has gone: what the flash is in the middle of is the caller's to end. */
void tirom_leave(struct tirom *rom);

void tirom_receive(struct tirom *rom, const struct rom_byte *byte);
uint64_t tirom_next(const struct tirom *rom);
void tirom_step(struct tirom *rom);

/* For the commands: */

void tirom_spend(struct tirom *rom, uint64_t nsec);
void tirom_ack(struct tirom *rom);
/* Behind an ACK: the host has to acknowledge it. */
void tirom_send(struct tirom *rom, const uint8_t *data, uint32_t n_data);
/* `work` is called when so much time has passed. */
void tirom_work(struct tirom *rom, uint64_t nsec, tirom_fn work);
/* Most significant byte first, from the packet's data. */
uint32_t tirom_word(const struct tirom *rom, uint32_t offset);

/* The packet in `data`, whose sum was right: does it and answers, or begins to. */
void tirom_command(struct tirom *rom);
