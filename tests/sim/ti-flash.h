/* SPDX-License-Identifier: MIT */
/*
 * ti-flash.h - the flash of such a chip: its cells, the CCFG in its last bytes, what an erase and a
 * programming do and how long they last, and what is left where they are cut off. Knows no
 * protocol; whoever uses it keeps the time, by one piece of work at a time.
 */
#pragma once

#include "sim/fault.h"
#include "sim/ti-chips.h"

/* Offsets in the CCFG (ti-bsl.md 5.1), and in the CC2538's CCA (5.5). */
enum {
	TIFLASH_IEEE = 0x20,
	TIFLASH_BL_CONFIG = 0x30,
	TIFLASH_ERASE_CONF = 0x34,
	TIFLASH_TAP_DAP_0 = 0x3C,
	TIFLASH_TAP_DAP_1 = 0x40,
	TIFLASH_IMAGE_VALID = 0x44,
	TIFLASH_PROT = 0x48,
	TIFLASH_CCA_CONFIG = 0x00, /* byte 3 of it: backdoor */
	TIFLASH_CCA_VALID = 0x04,
	TIFLASH_CCA_VECTORS = 0x08,
	TIFLASH_CCA_LOCKS = 0x0C,
};

struct tiflash {
	const struct tichip *chip;
	const struct sim_ti *board;
	struct fault *fault;
	struct sim_counters *counters;
	struct sim_ti_state *state;
	uint8_t *cells;
	/* As the CCFG was at the last reset: what is written later counts from the next one on. */
	uint8_t locks[32];
	bool is_bank_erase_off;
	/* What is under way. */
	uint32_t erasing, n_erasing;
	bool is_delivering; /* the ROM programs the CCFG behind an erase */
	bool is_bank;	    /* which was one of the whole bank */
	uint32_t programming;
	const uint8_t *data;
	uint32_t n_programming, n_programmed;
};

/* False without memory. The flash is as TI delivers it. */
bool tiflash_init(struct tiflash *flash, const struct tichip *chip, const struct sim_ti *board,
	struct fault *fault, struct sim_counters *counters, struct sim_ti_state *state);
void tiflash_done(struct tiflash *flash);

/* Of the CCFG. */
uint32_t tiflash_ccfg_bytes(const struct tichip *chip);
const uint8_t *tiflash_ccfg(const struct tiflash *flash);
uint32_t tiflash_ccfg_word(const struct tiflash *flash, uint32_t offset);

/* The chip leaves reset: its protection is read. */
void tiflash_reset(struct tiflash *flash);

/* Whether the sector of this offset is protected. */
bool tiflash_is_protected(const struct tiflash *flash, uint32_t offset);

/* Begin a piece of work; how long it will last. The offsets are from the start of the flash. */
uint64_t tiflash_begin_erase(struct tiflash *flash, uint32_t offset);
uint64_t tiflash_begin_delivery(struct tiflash *flash, bool is_bank);
uint64_t tiflash_begin_program(
	struct tiflash *flash, uint32_t offset, const uint8_t *data, uint32_t n_data);

/* One word of what is being programmed: how long the next lasts, 0 where all is done. */
uint64_t tiflash_program_word(struct tiflash *flash);

/* What was begun is done, or cut off. Nothing happens where nothing was. */
void tiflash_finish(struct tiflash *flash);
void tiflash_tear(struct tiflash *flash);
