/* SPDX-License-Identifier: MIT */
/*
 * esp-rom.h - the serial boot loader in the ROM of an Espressif chip, by espressif's page on the
 * serial protocol and what is known of the ROMs beyond it (esp-rom.md 1 to 4).
 *
 * One processor: while it erases, programs or sums up, it does not listen, and its UART keeps 128
 * bytes for it. esp-rom.c is the machine (rate, frames, replies, time), esp-commands.c what each
 * command does, esp-write.c what writes the flash.
 */
#pragma once

#include "sim/esp-registers.h"
#include "sim/esp-slip.h"
#include "sim/outgoing.h"
#include "sim/rom.h"

#define ESPROM_FIFO 128

enum esprom_error {
	ESPROM_INVALID = 0x01,
	ESPROM_FORMAT = 0x05, /* also an unknown opcode, and a wrong length */
	ESPROM_FAILED = 0x06,
	ESPROM_CHECKSUM = 0x07,
	ESPROM_WRITE = 0x08,
	ESPROM_INFLATE = 0x0B,
	ESPROM_ADLER = 0x0C,
	ESPROM_DEFLATE_PARAMETER = 0x0D,
	ESPROM_ADDRESS = 0x0F,
};

enum esprom_opcode {
	ESPROM_FLASH_BEGIN = 0x02,
	ESPROM_FLASH_DATA,
	ESPROM_FLASH_END,
	ESPROM_MEM_BEGIN,
	ESPROM_MEM_END,
	ESPROM_MEM_DATA,
	ESPROM_SYNC,
	ESPROM_WRITE_REG,
	ESPROM_READ_REG,
	ESPROM_SPI_SET_PARAMS,
	ESPROM_SPI_ATTACH = 0x0D,
	ESPROM_READ_FLASH,
	ESPROM_CHANGE_BAUD,
	ESPROM_DEFLATE_BEGIN,
	ESPROM_DEFLATE_DATA,
	ESPROM_DEFLATE_END,
	ESPROM_MD5,
	ESPROM_SECURITY_INFO,
};

struct esprom;
typedef void (*esprom_fn)(struct esprom *rom);

/* What FLASH_BEGIN or FLASH_DEFL_BEGIN has opened. */
struct esprom_range {
	bool is_open, is_deflated;
	uint32_t packet_size, n_packets; /* that may still come */
	uint32_t at, end;
	void *inflater; /* z_stream */
	bool is_inflated;
};

/* MEM_BEGIN's. */
struct esprom_memory {
	bool is_open;
	uint32_t address, size, at;
	uint8_t *bytes;
};

struct esprom {
	const struct espchip *chip;
	const struct sim_esp *board;
	struct fault *fault;
	struct sim_counters *counters;
	struct sim_esp_state *state;
	struct outgoing *outgoing;
	struct espflash *flash;
	struct espregisters *registers;

	bool is_on, is_hung;
	bool is_synced;	    /* the rate stands */
	uint64_t ready_at;  /* it listens from then on */
	uint64_t clock;	    /* busy until then */
	uint64_t baud;	    /* its own, as it is in truth */
	bool is_late_frame; /* it began before ready_at */
	unsigned n_replies; /* so far */
	uint32_t value;	    /* remains in the value word */
	uint32_t flash_bytes;

	struct espslip slip;
	uint8_t fifo[ESPROM_FIFO];
	size_t n_fifo;

	uint8_t opcode;
	const uint8_t *data; /* of the request */
	uint32_t n_data, checksum;

	/* Erasing or programming: called each time the clock has come, until it sets no other. */
	esprom_fn work;
	uint64_t work_end; /* the host could notice something */
	uint32_t erase_at, erase_end, head_end;
	uint64_t erase_begun;
	uint8_t *pending; /* bytes to program, from `at` of the range on */
	uint32_t n_pending, n_programmed;

	struct esprom_range range;
	struct esprom_memory memory;
};

/* Out of reset at `now`; listens from `ready_at` on. */
void esprom_enter(struct esprom *rom, uint64_t now, uint64_t ready_at, bool is_stub);
/* Reset, or the power has gone: what the flash is in the middle of is the caller's to end. */
void esprom_leave(struct esprom *rom);

void esprom_receive(struct esprom *rom, const struct rom_byte *byte);
uint64_t esprom_next(const struct esprom *rom);
uint64_t esprom_next_visible(const struct esprom *rom);
void esprom_step(struct esprom *rom);

/* For the commands: */

uint32_t esprom_word(const struct esprom *rom, unsigned nth);
void esprom_spend(struct esprom *rom, uint64_t nsec);
/* Good, with data in front of the status; failed. */
void esprom_reply(struct esprom *rom, const uint8_t *data, size_t n_data);
void esprom_fail(struct esprom *rom, enum esprom_error error);
/* An opcode that the ROM does not know is answered several times (esp-rom.md 1.4). */
void esprom_fail_unknown(struct esprom *rom);
void esprom_reply_sync(struct esprom *rom);

/* The request in `opcode`, `data`: does it and answers, or begins to. */
void esprom_command(struct esprom *rom);

/* esp-write.c */
void esprom_flash_begin(struct esprom *rom);
void esprom_flash_data(struct esprom *rom);
void esprom_close_range(struct esprom *rom);
