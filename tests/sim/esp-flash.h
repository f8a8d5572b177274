/* SPDX-License-Identifier: MIT */
/*
 * esp-flash.h - a serial NOR flash: its cells, what an erase and a program pulse do to them and how
 * long they last, and what a loss of power in their middle leaves. Knows no protocol; whoever uses
 * it keeps the time, by one piece of work at a time.
 */
#pragma once

#include "sim/fault.h"

#define ESPFLASH_SECTOR 4096u
#define ESPFLASH_BLOCK	65536u
#define ESPFLASH_PAGE	256u

/* W25Q32JV, typical: tSE, tBE2, tPP (data sheet, AC characteristics). */
#define ESPFLASH_SECTOR_NSEC  UINT64_C(45000000)
#define ESPFLASH_BLOCK_NSEC   UINT64_C(150000000)
#define ESPFLASH_PROGRAM_NSEC UINT64_C(400000)

struct espflash {
	uint8_t *cells;
	uint32_t n_cells;
	uint32_t id; /* byte 0 maker, 1 type, 2 size, as RDID sends them from the low end */
	struct fault *fault;
	struct sim_counters *counters;
	/* What is under way. */
	uint32_t erasing, n_erasing;
	uint32_t programming, n_programming;
	const uint8_t *data;
};

/* False without memory. The flash is erased. */
bool espflash_init(struct espflash *flash, uint32_t n_cells, struct fault *fault,
	struct sim_counters *counters);
void espflash_done(struct espflash *flash);

uint8_t espflash_read(const struct espflash *flash, uint32_t address);

/* As many of `n_most` bytes from `address` on as lie one behind the other; at least one. */
const uint8_t *espflash_run(
	const struct espflash *flash, uint32_t address, uint32_t n_most, uint32_t *ret_n);

/* Begins to erase a sector or a block, or to program within one page; how long that will last.
 * `data` must stay until espflash_finish(). */
uint64_t espflash_begin_erase(struct espflash *flash, uint32_t address, uint32_t size);
uint64_t espflash_begin_program(
	struct espflash *flash, uint32_t address, const uint8_t *data, uint32_t n_data);

/* What was begun is done, or the power went in its middle. Nothing happens where nothing was. */
void espflash_finish(struct espflash *flash);
void espflash_tear(struct espflash *flash);
