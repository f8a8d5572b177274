/* SPDX-License-Identifier: MIT */
/*
 * core-flash.c - the flash of memory.c behind its registers: what the three kinds of controller
 * share. An operation changes the cells at its start and keeps them from everybody until its end.
 *
 * What only costs time or sets a flag on a chip is a violation here wherever a sound program never
 * does it: a look at busy flash, a unit programmed twice, keys in a wrong order.
 */
#include "base/util.h"
#include "sim/core-private.h"

#define KEY_1 UINT32_C(0x45670123)
#define KEY_2 UINT32_C(0xCDEF89AB)

struct layout {
	uint32_t keys, option_keys, sr, cr;
	uint32_t busy, end, clears; /* bits of SR; those that a 1 clears */
	uint32_t lock;
	void (*control)(struct core *core, uint32_t value);
	void (*store)(struct core *core, uint32_t address, unsigned size, uint32_t value);
};

static const struct layout layouts[] = {
	[CORE_FLASH_K1] = {0x04, 0x08, 0x0C, 0x10, 1u << 0, 1u << 5, 0x34, 1u << 7,
		core_flash_k1_control, core_flash_k1_store},
	[CORE_FLASH_K2] = {0x04, 0x08, 0x0C, 0x10, 1u << 16, 1u << 0, 0xF3, 1u << 31,
		core_flash_k2_control, core_flash_k2_store},
	[CORE_FLASH_K3] = {0x08, 0x0C, 0x10, 0x14, 1u << 16, 1u << 0, 0xC3FB, 1u << 31,
		core_flash_k3_control, core_flash_k3_store},
};

static const struct layout *layout_of(const struct core *core)
{
	return &layouts[core->family->flash_kind];
}

bool core_flash_is_busy(const struct core *core)
{
	return core->clock < core->flash.busy_until;
}

void core_flash_begin(struct core *core, uint64_t nsec, uint32_t sr_at_end)
{
	core->flash.busy_until =
		nsec == SIM_NEVER ? CORE_NEVER - 1 : core->clock + nsec * CORE_FS_PER_NSEC;
	core->flash.pending_sr = sr_at_end;
	core->flash.is_changed = true;
}

static void end_operation(struct core *core)
{
	if (core_flash_is_busy(core))
		return;
	core->flash.sr |= core->flash.pending_sr;
	core->flash.pending_sr = 0;
}

static void take_key(struct core *core, uint32_t value)
{
	struct core_flash *flash = &core->flash;

	if (flash->is_locked_for_ever) {
		core_violation(core, "keys for a flash that is locked until the next reset");
	} else if (!flash->is_locked) {
		/* F1 does not mind: its ROM does it before each operation. */
		if (core->family->flash_kind != CORE_FLASH_K1)
			core_violation(core, "keys for a flash that is not locked");
	} else if (value == KEY_1 && !flash->key) {
		flash->key = value;
	} else if (value == KEY_2 && flash->key == KEY_1) {
		flash->key = 0;
		flash->is_locked = false;
		core->flash.cr &= ~layout_of(core)->lock;
	} else {
		flash->is_locked_for_ever = true;
		core_violation(core, "the key 0x%08X is out of order", value);
	}
}

/* Not before one cycle has passed since STRT (embassy: seen on F1 and F3). */
static uint32_t read_status(struct core *core)
{
	bool is_hidden = core->flash.is_hidden;
	uint32_t value;

	end_operation(core);
	core->flash.is_hidden = false;
	value = core->flash.sr;
	if (core_flash_is_busy(core) && !is_hidden)
		value |= layout_of(core)->busy | core->family->config_busy;
	if (core->flash.has_half)
		value |= core->family->config_busy;
	return value;
}

static uint32_t option_word(struct core *core)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value |= (uint32_t)core->place.memory->options[i] << (8 * i);
	return value;
}

uint32_t core_flash_read(struct core *core, uint32_t offset)
{
	const struct layout *layout = layout_of(core);

	if (offset == layout->sr)
		return read_status(core);
	core->flash.is_hidden = false;
	if (offset == layout->cr)
		return core->flash.cr;
	if (offset == 0)
		return core->rcc.acr;
	if (core->family->flash_kind == CORE_FLASH_K1 && offset == 0x14)
		return 0; /* write only */
	if (core->family->flash_kind == CORE_FLASH_K2 && offset == 0x14)
		return 0x0FFFAAED;
	if (core->family->flash_kind != CORE_FLASH_K2 && offset >= 0x18 && offset <= 0x34)
		return offset == 0x20 ? option_word(core) : 0;
	core_violation(core, "the flash's register 0x%X is read", offset);
	return 0;
}

static void write_acr(struct core *core, uint32_t value)
{
	/* DCRST works while the cache is off. */
	if (value & 1u << 12 && !(value & 1u << 10))
		core->flash.is_changed = false;
	core_rcc_set_acr(core, value & ~(3u << 11));
}

static void write_control(struct core *core, uint32_t value)
{
	const struct layout *layout = layout_of(core);

	if (core_flash_is_busy(core)) {
		core_violation(core, "CR gets 0x%08X while the flash is busy", value);
		return;
	}
	if (core->flash.is_locked && !(value & layout->lock)) {
		core_violation(core, "CR gets 0x%08X while the flash is locked", value);
		return;
	}
	end_operation(core);
	if (value & layout->lock) {
		core->flash.is_locked = true;
		core->flash.cr |= layout->lock;
		return;
	}
	layout->control(core, value);
}

void core_flash_write(struct core *core, uint32_t offset, unsigned size, uint32_t value)
{
	const struct layout *layout = layout_of(core);

	(void)size;
	core->flash.is_hidden = false;
	if (offset == layout->keys) {
		take_key(core, value);
	} else if (offset == layout->cr) {
		write_control(core, value);
	} else if (offset == layout->sr) {
		end_operation(core);
		core->flash.sr &= ~(value & layout->clears);
	} else if (offset == 0) {
		write_acr(core, value);
	} else if (core->family->flash_kind == CORE_FLASH_K1 && offset == 0x14) {
		core->flash.half_address = value; /* AR */
	} else if (offset == layout->option_keys) {
		core_violation(core, "OPTKEYR gets 0x%08X", value);
	} else {
		core_violation(core, "the flash's register 0x%X is written", offset);
	}
}

/* Whether a data cache stands before the flash. */
static bool is_cached(const struct core *core)
{
	bool is_f4 = core->family->flash_kind == CORE_FLASH_K2 && !core->family->has_usart_v2;
	bool is_l4 = core->family->flash_kind == CORE_FLASH_K3 && core->family->cpu == CPU_M4;

	return (is_f4 || is_l4) && core->rcc.acr & 1u << 10;
}

uint32_t core_flash_load(struct core *core, uint32_t address, unsigned size)
{
	const struct sim_chip *chip = core->place.options->chip;
	uint32_t value = 0, offset = address - chip->flash_base;

	if (offset > chip->flash_size - size) {
		core_violation(core, "0x%08X is read, behind the flash", address);
		return 0;
	}
	if (core_flash_is_busy(core)) {
		core->state.stalls++;
		core_violation(core, "0x%08X is read while the flash is busy", address);
	}
	if (core->flash.is_changed && is_cached(core))
		core_violation(
			core, "0x%08X is read by a cache that knows the flash of before", address);
	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)core->place.memory->flash[offset + i] << (8 * i);
	return value;
}

void core_flash_store(struct core *core, uint32_t address, unsigned size, uint32_t value)
{
	const struct sim_chip *chip = core->place.options->chip;

	if (address - chip->flash_base > chip->flash_size - size) {
		core_violation(core, "0x%08X is written, behind the flash", address);
		return;
	}
	if (core_flash_is_busy(core)) {
		core->state.stalls++;
		core_violation(core, "0x%08X is written while the flash is busy", address);
		return;
	}
	end_operation(core);
	if (core->flash.is_locked || !(core->flash.cr & 1)) {
		core_violation(core, "0x%08X is written with CR 0x%08X", address, core->flash.cr);
		return;
	}
	layout_of(core)->store(core, address, size, value);
}

/* One unit. False where its page is protected; else the cells have it. */
bool core_flash_program(struct core *core, uint32_t address, const uint8_t *data, uint32_t n)
{
	struct memory *memory = core->place.memory;
	uint32_t offset = address - memory->chip->flash_base;

	for (uint32_t i = 0; i < n; i++) {
		if (memory->flash[offset + i] == memory->chip->erased_value)
			continue;
		core->state.twice++;
		core_violation(core, "the unit at 0x%08X is programmed again", address);
		break;
	}
	if (memory_page_is_protected(memory, memory_page_at(memory, offset)))
		return false;
	memory_program(memory, address, data, n);
	core_flash_begin(core, memory->chip->program_nsec, 0);
	return true;
}

static uint64_t erase_nsec(const struct core *core, uint64_t nsec)
{
	uint64_t instead = core->place.fault->knobs.erase_nsec;

	return instead ? instead : nsec;
}

bool core_flash_erase(struct core *core, unsigned page)
{
	struct memory *memory = core->place.memory;

	if (page >= memory_page_count(memory)) {
		core_violation(core, "page %u is erased, which is not there", page);
		return false;
	}
	if (memory_page_is_protected(memory, page))
		return false;
	memory_erase_page(memory, page);
	core_flash_begin(core, erase_nsec(core, memory_page_erase_nsec(memory, page)), 0);
	return true;
}

bool core_flash_erase_all(struct core *core)
{
	struct memory *memory = core->place.memory;

	for (unsigned i = 0; i < memory_page_count(memory); i++)
		if (memory_page_is_protected(memory, i))
			return false;
	memory_wipe(memory);
	core->place.counters->mass_erases++;
	core_flash_begin(core, erase_nsec(core, memory_mass_erase_nsec(memory)), 0);
	return true;
}

void core_flash_reset(struct core *core)
{
	core->flash = (struct core_flash){
		.is_locked = true,
		.cr = layout_of(core)->lock,
	};
	/* What an earlier operation of the ROM left: it must be cleared before the next one. */
	if (core->knobs->go == SIM_CORE_GO_LEFT && core->family->flash_kind == CORE_FLASH_K3)
		core->flash.sr = 1u << 15 | 1u << 7;
	if (core->knobs->go == SIM_CORE_GO_LEFT) {
		core->flash.is_locked = false;
		core->flash.cr = 0;
	}
}
