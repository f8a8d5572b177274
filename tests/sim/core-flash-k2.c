/* SPDX-License-Identifier: MIT */
/*
 * core-flash-k2.c - the controller of F2, F4 and F7 (RM0090 3, RM0410 3): sectors by number, and as
 * many bytes at once as PSIZE says and the supply allows.
 */
#include "sim/core-private.h"

enum { PG = 1, SER = 2, MER = 4, MER2 = 0x8000, STRT = 0x10000 };
enum { WRPERR = 0x10, PGAERR = 0x20, PGPERR = 0x40 };

static unsigned psize(const struct core *core)
{
	return core->flash.cr >> 8 & 3;
}

/* memory.c counts by the codes of the ROM's voltage ranges (AN2606 table 4). */
static void set_voltage(struct core *core)
{
	static const uint8_t voltages[] = {0, 1, 3, 4};

	core->place.memory->voltage = voltages[psize(core)];
}

/* PSIZE by the supply (RM0090 table 8); 64 bits need Vpp at a pin. */
static bool is_strong_enough(const struct core *core)
{
	static const unsigned millivolts[] = {1700, 2100, 2700, 99999};

	return (core->knobs->millivolts ? core->knobs->millivolts : 3300) >=
	       millivolts[psize(core)];
}

/* Sectors of the second bank have numbers from 16 on in CR, from 12 on in the ROM's commands. */
static bool find_sector(struct core *core, unsigned *ret)
{
	unsigned number = core->flash.cr >> 3 & 0x1F;

	return memory_page_numbered(core->place.memory, number < 16 ? number : number - 4, ret);
}

static void start(struct core *core)
{
	uint32_t what = core->flash.cr & (PG | SER | MER | MER2);
	bool has_two = core->place.options->chip->dual_bank;
	unsigned sector = 0;
	bool done;

	if (!is_strong_enough(core)) {
		core->flash.sr |= PGPERR;
		core_violation(core, "PSIZE %u at this supply", psize(core));
		return;
	}
	set_voltage(core);
	if (what == SER && find_sector(core, &sector)) {
		done = core_flash_erase(core, sector);
	} else if (what == (has_two ? (uint32_t)(MER | MER2) : (uint32_t)MER)) {
		done = core_flash_erase_all(core);
	} else {
		core_violation(core, "an erase is started with CR 0x%X", core->flash.cr);
		return;
	}
	if (!done)
		core->flash.sr |= WRPERR;
}

void core_flash_k2_control(struct core *core, uint32_t value)
{
	core->flash.cr = value & ~(uint32_t)STRT;
	if (value & STRT)
		start(core);
}

void core_flash_k2_store(struct core *core, uint32_t address, unsigned size, uint32_t value)
{
	const uint8_t data[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
		(uint8_t)(value >> 24)};

	if (size != 1u << psize(core) || address % size || !is_strong_enough(core) ||
		core->flash.cr & (SER | MER | MER2)) {
		core->flash.sr |= address % size ? PGAERR : PGPERR;
		core_violation(core, "%u bytes at 0x%08X are programmed with CR 0x%X", size,
			address, core->flash.cr);
		return;
	}
	set_voltage(core);
	if (!core_flash_program(core, address, data, size))
		core->flash.sr |= WRPERR;
}
