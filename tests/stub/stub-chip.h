/* SPDX-License-Identifier: MIT */
/*
 * stub-chip.h - the sources of the stub on this machine: registers and memory of a small STM32.
 *
 * It shows what the stub does with frames and with the flash controller, under sanitizers. How
 * the built program behaves in time on a core is for tests/sim/core.h.
 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stub/protocol.h"

#define STUB_CHIP_FLASH	     0x08000000u
#define STUB_CHIP_FLASH_SIZE 0x10000u
#define STUB_CHIP_RAM	     0x20000000u
#define STUB_CHIP_RAM_SIZE   0x8000u
#define STUB_CHIP_IDS	     0x1FFFF000u
#define STUB_CHIP_IDS_SIZE   0x100u
#define STUB_CHIP_LINE_SIZE  65536u

/* Why the program came back. */
enum stub_chip_end {
	STUB_CHIP_IDLE = 1, /* it waits for bytes, and there are none */
	STUB_CHIP_RESET,    /* it has reset the chip */
};

struct stub_chip {
	uint8_t flash[STUB_CHIP_FLASH_SIZE];
	_Alignas(8) uint8_t ram[STUB_CHIP_RAM_SIZE];
	uint8_t ids[STUB_CHIP_IDS_SIZE];
	struct stub_setup *setup; /* in RAM */

	/* The line: bytes that the host has sent, and what the stub has sent. */
	uint8_t in[STUB_CHIP_LINE_SIZE], out[STUB_CHIP_LINE_SIZE];
	size_t n_in, n_taken, n_out;
	bool overruns; /* the next byte that is taken has an overrun behind it */
	uint32_t brr, cr1;

	/* The pins: who has the train, and how long a bit is in ticks. */
	unsigned train_pin;
	uint32_t bit_ticks;

	uint64_t now, idle_since;
	uint64_t idle_limit; /* ticks without a byte, after which the program is left */

	/* The flash controller. */
	uint32_t cr, sr, ar, keys;
	bool is_locked;
	uint64_t busy_until;
	uint32_t program_ticks, erase_ticks;
	uint32_t protected_from, protected_to; /* writes and erases here give WRPERR */
	uint32_t first_word;		       /* of a double word of K3 */
	bool has_first_word;
	bool hangs; /* busy for ever from the next operation on */
	unsigned n_erased, n_programmed;
	uint32_t last_erased;

	unsigned n_kicks;
	bool vtor_written;
	jmp_buf back;
	bool is_started;
};

/* A chip of this kind, blank, with the stub loaded and nothing run. There is one at a time. */
void stub_chip_init(struct stub_chip *chip, enum stub_kind kind);
/* Runs the stub from its entry, or goes on with it. */
enum stub_chip_end stub_chip_run(struct stub_chip *chip);

/* Bytes of the host. */
void stub_chip_send(struct stub_chip *chip, const void *bytes, size_t n);
/* A frame of it: COBS, CRC and 0x00. */
void stub_chip_send_frame(struct stub_chip *chip, uint8_t type, uint8_t sequence, uint32_t address,
	const void *data, size_t n);
/* The next answer of the stub, its data at `ret_data` (STUB_DATA_MAX), out of `out`; false: no
 * whole one is there, or its CRC is wrong. */
bool stub_chip_answer(struct stub_chip *chip, struct stub_answer *ret, uint8_t *ret_data);

uint32_t stub_chip_crc(uint32_t polynomial, const void *bytes, size_t n);
size_t stub_chip_cobs(const uint8_t *bytes, size_t n, uint8_t *ret);
