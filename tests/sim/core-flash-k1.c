/* SPDX-License-Identifier: MIT */
/*
 * core-flash-k1.c - the controller of F0, F1 and F3 (PM0075; RM0091 3): half-words, pages by their
 * address.
 */
#include "sim/core-private.h"

enum { PG = 1, PER = 2, MER = 4, OPTION = 0x2230, STRT = 0x40 };
enum { PGERR = 4, WRPRTERR = 0x10, EOP = 0x20 };

static void start(struct core *core)
{
	const struct sim_chip *chip = core->place.options->chip;
	uint32_t what = core->flash.cr & (PG | PER | MER);
	uint32_t offset = core->flash.half_address - chip->flash_base;
	bool done;

	if (what != PER && what != MER) {
		core_violation(core, "an erase is started with CR 0x%X", core->flash.cr);
		return;
	}
	if (what == PER && offset >= chip->flash_size) {
		core_violation(core, "a page at 0x%08X is erased", core->flash.half_address);
		return;
	}
	done = what == PER ? core_flash_erase(core, memory_page_at(core->place.memory, offset))
			   : core_flash_erase_all(core);
	if (!done) {
		core->flash.sr |= WRPRTERR;
		return;
	}
	core->flash.pending_sr = EOP;
	core->flash.is_hidden = true;
}

void core_flash_k1_control(struct core *core, uint32_t value)
{
	if (value & OPTION)
		core_violation(core, "CR gets 0x%X, for the option bytes", value);
	core->flash.cr = value & ~(uint32_t)STRT;
	if (value & STRT)
		start(core);
}

void core_flash_k1_store(struct core *core, uint32_t address, unsigned size, uint32_t value)
{
	const uint8_t data[] = {(uint8_t)value, (uint8_t)(value >> 8)};

	if (size != 2 || address % 2 || core->flash.cr != PG) {
		core_violation(core, "%u bytes at 0x%08X are programmed with CR 0x%X", size,
			address, core->flash.cr);
		return;
	}
	if (core_flash_program(core, address, data, 2))
		core->flash.pending_sr = EOP;
	else
		core->flash.sr |= WRPRTERR;
}
