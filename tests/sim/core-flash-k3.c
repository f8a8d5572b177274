/* SPDX-License-Identifier: MIT */
/*
 * core-flash-k3.c - the controller of G0, G4, L4 and those like them (RM0444 3, RM0440 3, RM0394 3,
 * RM0453 4): double words with ECC, each programmed once, low word first; pages by number and bank.
 */
#include <string.h>

#include "sim/core-private.h"

enum { PG = 1, PER = 2, MER = 4, MER2 = 0x8000, STRT = 0x10000 };
enum { WRPERR = 0x10, PGAERR = 0x20, SIZERR = 0x40, PGSERR = 0x80 };

#define ERRORS UINT32_C(0xC3FA)
#define OTHERS UINT32_C(0x4E060000) /* options, fast programming, interrupts */

/* In a bank the numbers begin anew, or go on at 256 (G0B1: ST's own code does the one, the manual
 * says the other). */
static bool find_page(struct core *core, unsigned *ret)
{
	const struct sim_chip *chip = core->place.options->chip;
	unsigned bank_bit = core->family->bank_bit;
	uint32_t number = core->flash.cr >> 3 & ((UINT32_C(1) << (bank_bit - 3)) - 1);
	unsigned pages = memory_page_count(core->place.memory);
	bool second = core->flash.cr >> bank_bit & 1;

	if (!chip->dual_bank) {
		*ret = number;
		return !second && number < pages;
	}
	if (second && number >= 256)
		number -= 256;
	*ret = number + (second ? pages / 2 : 0);
	return number < pages / 2;
}

static bool is_refused(struct core *core)
{
	if (!(core->flash.sr & ERRORS))
		return false;
	core_violation(
		core, "an operation begins with the flags 0x%X of an earlier one", core->flash.sr);
	core->flash.sr |= PGSERR;
	return true;
}

static void start(struct core *core)
{
	uint32_t what = core->flash.cr & (PG | PER | MER | MER2);
	bool has_two = core->place.options->chip->dual_bank;
	unsigned page;
	bool done;

	if (is_refused(core))
		return;
	if (what == PER && find_page(core, &page)) {
		done = core_flash_erase(core, page);
	} else if (what == (has_two ? (uint32_t)(MER | MER2) : (uint32_t)MER) ||
		   (!has_two && what == (MER | MER2))) {
		done = core_flash_erase_all(core);
	} else {
		core_violation(core, "an erase is started with CR 0x%X", core->flash.cr);
		return;
	}
	if (!done)
		core->flash.sr |= WRPERR;
}

void core_flash_k3_control(struct core *core, uint32_t value)
{
	if (value & OTHERS)
		core_violation(core, "CR gets 0x%08X", value);
	if (core->flash.has_half)
		core_violation(core, "CR gets 0x%08X in the middle of a double word", value);
	core->flash.cr = value & ~(uint32_t)STRT;
	if (value & STRT)
		start(core);
}

void core_flash_k3_store(struct core *core, uint32_t address, unsigned size, uint32_t value)
{
	struct core_flash *flash = &core->flash;
	uint32_t words[2];
	uint8_t data[8];

	if (size != 4 || address % 4 || is_refused(core)) {
		flash->sr |= size != 4 ? SIZERR : PGAERR;
		core_violation(core, "%u bytes at 0x%08X are programmed", size, address);
		return;
	}
	if (!flash->has_half && address % 8 == 0) {
		flash->has_half = true;
		flash->half_address = address;
		flash->half = value;
		return;
	}
	if (!flash->has_half || address != flash->half_address + 4) {
		flash->sr |= PGAERR;
		core_violation(
			core, "0x%08X is written, which does not end a double word", address);
		return;
	}
	flash->has_half = false;
	words[0] = flash->half;
	words[1] = value;
	memcpy(data, words, sizeof(data));
	if (!core_flash_program(core, flash->half_address, data, sizeof(data)))
		flash->sr |= WRPERR;
}
