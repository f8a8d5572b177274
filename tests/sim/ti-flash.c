/* SPDX-License-Identifier: MIT */
/*
 * ti-flash.c - see ti-flash.h.
 *
 * Programming only makes bits 0, and where one would have to become 1 the ROM says nothing: the
 * result is the AND of both (ti-bsl.md 6). Behind an erase of the top sector the ROM programs the
 * CCFG to the values of delivery, by which the loader is on and the image invalid (SWCU185 sector
 * erase). Between the two the CCFG is empty, and the loader off: no order of commands avoids that
 * moment, and a cut in it is what it is in the chip. A piece that is cut off has done a part of its
 * work, in cells that lie anywhere in its range.
 */
#include "sim/ti-flash.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* An erase lasts 8 to 20 ms in a new part (ti-bsl.md 6), a word some 8 us. */
#define ERASE_NSEC    UINT64_C(10000000)
#define WORD_NSEC     UINT64_C(8000)
#define WORD_BYTES    4u
#define DELIVERY_NSEC UINT64_C(100000)

bool tiflash_init(struct tiflash *flash, const struct tichip *chip, const struct sim_ti *board,
	struct fault *fault, struct sim_counters *counters, struct sim_ti_state *state)
{
	*flash = (struct tiflash){.chip = chip,
		.board = board,
		.fault = fault,
		.counters = counters,
		.state = state,
		.cells = malloc(chip->flash_bytes)};
	if (!flash->cells)
		return false;
	memset(flash->cells, 0xFF, chip->flash_bytes);
	flash->is_delivering = true;
	flash->is_bank = true;
	tiflash_finish(flash);
	tiflash_reset(flash);
	return true;
}

void tiflash_done(struct tiflash *flash)
{
	free(flash->cells);
	flash->cells = NULL;
}

/* --- CCFG --- */

uint32_t tiflash_ccfg_bytes(const struct tichip *chip)
{
	return chip->kind == TICHIP_38 ? 44 : 88;
}

const uint8_t *tiflash_ccfg(const struct tiflash *flash)
{
	return flash->cells + flash->chip->flash_bytes - tiflash_ccfg_bytes(flash->chip);
}

uint32_t tiflash_ccfg_word(const struct tiflash *flash, uint32_t offset)
{
	const uint8_t *at = tiflash_ccfg(flash) + offset;

	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void tiflash_reset(struct tiflash *flash)
{
	bool is_38 = flash->chip->kind == TICHIP_38;
	uint32_t from = is_38 ? TIFLASH_CCA_LOCKS : TIFLASH_PROT;

	memset(flash->locks, 0xFF, sizeof(flash->locks));
	memcpy(flash->locks, tiflash_ccfg(flash) + from, tiflash_ccfg_bytes(flash->chip) - from);
	flash->is_bank_erase_off = !is_38 && !(tiflash_ccfg_word(flash, TIFLASH_ERASE_CONF) & 1);
}

bool tiflash_is_protected(const struct tiflash *flash, uint32_t offset)
{
	uint32_t sector = offset / flash->chip->sector;

	if (flash->fault->knobs.write_protected)
		return true;
	/* The last lock bit of a CC2538 is that of the debug port (ti-bsl.md 5.5). */
	if (sector / 8 >= sizeof(flash->locks) || sector == 8 * sizeof(flash->locks) - 1)
		return false;
	return !(flash->locks[sector / 8] >> sector % 8 & 1);
}

/* --- Work --- */

uint64_t tiflash_begin_erase(struct tiflash *flash, uint32_t offset)
{
	flash->erasing = offset - offset % flash->chip->sector;
	flash->n_erasing = flash->chip->sector;
	return flash->fault->knobs.erase_nsec ? flash->fault->knobs.erase_nsec : ERASE_NSEC;
}

uint64_t tiflash_begin_delivery(struct tiflash *flash, bool is_bank)
{
	flash->is_delivering = true;
	flash->is_bank = is_bank;
	return DELIVERY_NSEC;
}

uint64_t tiflash_begin_program(
	struct tiflash *flash, uint32_t offset, const uint8_t *data, uint32_t n_data)
{
	flash->programming = offset;
	flash->data = data;
	flash->n_programming = n_data;
	flash->n_programmed = 0;
	return WORD_NSEC;
}

static uint8_t spoil(const struct tiflash *flash, uint32_t offset, uint8_t byte)
{
	const struct sim_ti_byte *spoils = &flash->fault->knobs.ti.spoils;
	uint32_t ccfg = flash->chip->flash_bytes - tiflash_ccfg_bytes(flash->chip);
	uint32_t stuck = flash->fault->knobs.stuck_address;

	if (stuck && flash->chip->base + offset == stuck)
		byte ^= 1;
	if (spoils->is_set && offset == ccfg + spoils->offset)
		byte &= spoils->value;
	return byte;
}

static uint32_t word_left(const struct tiflash *flash)
{
	uint32_t left = flash->n_programming - flash->n_programmed;
	uint32_t most = WORD_BYTES - (flash->programming + flash->n_programmed) % WORD_BYTES;

	return left < most ? left : most;
}

uint64_t tiflash_program_word(struct tiflash *flash)
{
	uint32_t n = word_left(flash);

	for (uint32_t i = 0; i < n; i++, flash->n_programmed++) {
		uint32_t offset = flash->programming + flash->n_programmed;
		uint8_t byte = flash->data[flash->n_programmed];

		flash->counters->bad_writes += (flash->cells[offset] & byte) != byte;
		flash->cells[offset] &= spoil(flash, offset, byte);
	}
	if (flash->n_programmed < flash->n_programming)
		return WORD_NSEC;
	flash->n_programming = flash->n_programmed = 0;
	return 0;
}

static void make_delivery(const struct tiflash *flash, uint8_t ccfg[SIM_TI_CCFG_MAX])
{
	static const uint8_t taps[] = {0xC5, 0xC5, 0xC5, 0xFF, 0xC5, 0xC5, 0xC5, 0xFF};
	const struct sim_ti *board = flash->board;
	uint32_t loader = 0xC5FFFFFF;

	memset(ccfg, 0xFF, SIM_TI_CCFG_MAX);
	if (!flash->is_bank && board->delivery_bl_config)
		loader = board->delivery_bl_config;
	for (int i = 0; i < 4; i++)
		ccfg[TIFLASH_BL_CONFIG + i] = (uint8_t)(loader >> 8 * i);
	memcpy(ccfg + TIFLASH_TAP_DAP_0, taps, sizeof(taps));
	if (!flash->is_bank && board->delivery.is_set)
		ccfg[board->delivery.offset] &= board->delivery.value;
}

void tiflash_finish(struct tiflash *flash)
{
	uint8_t ccfg[SIM_TI_CCFG_MAX];

	if (flash->n_erasing) {
		memset(flash->cells + flash->erasing, 0xFF, flash->n_erasing);
		flash->counters->pages_erased++;
	}
	if (flash->is_delivering && flash->chip->kind != TICHIP_38) {
		make_delivery(flash, ccfg);
		for (uint32_t i = 0; i < SIM_TI_CCFG_MAX; i++)
			flash->cells[flash->chip->flash_bytes - SIM_TI_CCFG_MAX + i] &= ccfg[i];
	}
	flash->n_erasing = 0;
	flash->is_delivering = flash->is_bank = false;
}

static bool is_top(const struct tiflash *flash, uint32_t offset)
{
	return offset >= flash->chip->flash_bytes - flash->chip->sector;
}

static void tear_delivery(struct tiflash *flash, uint32_t done)
{
	uint8_t ccfg[SIM_TI_CCFG_MAX];

	make_delivery(flash, ccfg);
	for (uint32_t i = 0; i < SIM_TI_CCFG_MAX; i++) {
		if (fault_random(flash->fault) % 256 < done)
			flash->cells[flash->chip->flash_bytes - SIM_TI_CCFG_MAX + i] &=
				ccfg[i] | (uint8_t)fault_random(flash->fault);
	}
}

/* How far it has got is one draw, and each cell's share of it another. */
void tiflash_tear(struct tiflash *flash)
{
	uint32_t done = fault_random(flash->fault) % 256, n = 0;

	for (uint32_t i = 0; i < flash->n_erasing; i++) {
		uint8_t *cell = &flash->cells[flash->erasing + i];

		if (fault_random(flash->fault) % 256 < done)
			*cell |= done > 128 ? 0xFF : (uint8_t)fault_random(flash->fault);
	}
	if (flash->is_delivering && flash->chip->kind != TICHIP_38)
		tear_delivery(flash, done);
	if (flash->n_programming)
		n = word_left(flash);
	for (uint32_t i = 0; i < n; i++)
		flash->cells[flash->programming + flash->n_programmed + i] &=
			flash->data[flash->n_programmed + i] | (uint8_t)fault_random(flash->fault);
	flash->state->n_torn += flash->n_erasing || flash->is_delivering || n;
	flash->state->n_top_torn +=
		flash->is_delivering || (flash->n_erasing && is_top(flash, flash->erasing));
	flash->n_erasing = flash->n_programming = flash->n_programmed = 0;
	flash->is_delivering = flash->is_bank = false;
}
