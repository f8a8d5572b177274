/* SPDX-License-Identifier: MIT */
/*
 * esp-flash.c - see esp-flash.h.
 *
 * Programming only makes bits 0. A pulse that the power cuts off has done a part of its work, in
 * cells that lie anywhere in its range: an erase that was cut leaves bytes that are still old,
 * bytes that are erased and bytes with some bits of each.
 */
#include "sim/esp-flash.h"

#include <stdlib.h>
#include <string.h>

bool espflash_init(struct espflash *flash, uint32_t n_cells, struct fault *fault,
	struct sim_counters *counters)
{
	uint8_t code = 0;

	while (code < 31 && (UINT32_C(1) << code) < n_cells)
		code++;
	*flash = (struct espflash){.cells = malloc(n_cells),
		.n_cells = n_cells,
		.id = 0xEF | 0x40 << 8 | (uint32_t)code << 16,
		.fault = fault,
		.counters = counters};
	if (!flash->cells)
		return false;
	memset(flash->cells, 0xFF, n_cells);
	return true;
}

void espflash_done(struct espflash *flash)
{
	free(flash->cells);
	flash->cells = NULL;
}

/* Address lines that a smaller part does not have are ignored by it. */
static uint32_t cell_of(const struct espflash *flash, uint32_t address)
{
	uint32_t real_bytes = flash->fault->knobs.esp.real_bytes;

	return address % (real_bytes ? real_bytes : flash->n_cells);
}

uint8_t espflash_read(const struct espflash *flash, uint32_t address)
{
	return flash->cells[cell_of(flash, address)];
}

const uint8_t *espflash_run(
	const struct espflash *flash, uint32_t address, uint32_t n_most, uint32_t *ret_n)
{
	uint32_t left = flash->n_cells - cell_of(flash, address);

	if (flash->fault->knobs.esp.real_bytes)
		left = 1;
	*ret_n = n_most < left ? n_most : left;
	return flash->cells + cell_of(flash, address);
}

uint64_t espflash_begin_erase(struct espflash *flash, uint32_t address, uint32_t size)
{
	flash->erasing = address;
	flash->n_erasing = size;
	if (flash->fault->knobs.erase_nsec)
		return flash->fault->knobs.erase_nsec;
	return size == ESPFLASH_BLOCK ? ESPFLASH_BLOCK_NSEC : ESPFLASH_SECTOR_NSEC;
}

uint64_t espflash_begin_program(
	struct espflash *flash, uint32_t address, const uint8_t *data, uint32_t n_data)
{
	flash->programming = address;
	flash->data = data;
	flash->n_programming = n_data;
	return ESPFLASH_PROGRAM_NSEC;
}

static void program(struct espflash *flash, uint32_t address, uint8_t byte)
{
	const struct sim_faults *knobs = &flash->fault->knobs;
	uint8_t *cell = &flash->cells[cell_of(flash, address)];

	if (knobs->stuck_address && address == knobs->stuck_address)
		byte ^= 1;
	*cell &= byte;
}

static bool is_blank(const struct espflash *flash, uint32_t address, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++) {
		if (espflash_read(flash, address + i) != 0xFF)
			return false;
	}
	return true;
}

void espflash_finish(struct espflash *flash)
{
	bool is_protected = flash->fault->knobs.write_protected;

	if (flash->n_erasing && !is_protected) {
		for (uint32_t i = 0; i < flash->n_erasing; i++)
			flash->cells[cell_of(flash, flash->erasing + i)] = 0xFF;
		flash->counters->pages_erased += flash->n_erasing / ESPFLASH_SECTOR;
	}
	if (flash->n_programming && !is_protected) {
		if (!is_blank(flash, flash->programming, flash->n_programming))
			flash->counters->bad_writes++;
		for (uint32_t i = 0; i < flash->n_programming; i++)
			program(flash, flash->programming + i, flash->data[i]);
	}
	flash->n_erasing = flash->n_programming = 0;
}

void espflash_tear(struct espflash *flash)
{
	/* How far it has got is one draw, and each cell's share of it another. */
	uint32_t done = fault_random(flash->fault) % 256;

	for (uint32_t i = 0; i < flash->n_erasing; i++) {
		uint8_t *cell = &flash->cells[cell_of(flash, flash->erasing + i)];

		if (fault_random(flash->fault) % 256 < done)
			*cell |= done > 128 ? 0xFF : (uint8_t)fault_random(flash->fault);
	}
	for (uint32_t i = 0; i < flash->n_programming; i++) {
		if (fault_random(flash->fault) % 256 < done)
			program(flash, flash->programming + i,
				flash->data[i] | (uint8_t)fault_random(flash->fault));
	}
	flash->n_erasing = flash->n_programming = 0;
}
