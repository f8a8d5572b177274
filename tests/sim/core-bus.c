/* SPDX-License-Identifier: MIT */
/*
 * core-bus.c - which register an address is, whether its clock is on, and the few registers that
 * are nobody's: those of the processor (SysTick, SCB, NVIC), watchdog, identification, PWR, SYSCFG.
 * Whatever else the program touches is a violation.
 */
#include "base/util.h"
#include "sim/core-private.h"

#define IWDG		UINT32_C(0x40003000)
#define SYSTICK_CONTROL UINT32_C(0xE000E010)
#define SYSTICK_RELOAD	UINT32_C(0xE000E014)
#define SYSTICK_VALUE	UINT32_C(0xE000E018)
#define NVIC		UINT32_C(0xE000E100)
#define NVIC_END	UINT32_C(0xE000E500)
#define SCB_CPUID	UINT32_C(0xE000ED00)
#define SCB_ICSR	UINT32_C(0xE000ED04)
#define SCB_VTOR	UINT32_C(0xE000ED08)
#define SCB_AIRCR	UINT32_C(0xE000ED0C)
#define SCB_SCR		UINT32_C(0xE000ED10)
#define SCB_CCR		UINT32_C(0xE000ED14)
#define SCB_SHCSR	UINT32_C(0xE000ED24)
#define RESET_KEY	UINT32_C(0x05FA0004)

static const struct core_gate *find_gate(const struct core *core, uint32_t base)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->family->gates); i++)
		if (core->family->gates[i].base == base)
			return &core->family->gates[i];
	return NULL;
}

bool core_has_clock(const struct core *core, uint32_t base)
{
	const struct core_gate *gate = find_gate(core, base);
	uint32_t reset;

	if (!gate)
		return true;
	reset = core_family_reset_of(core->family, gate->enable);
	return core->rcc.registers[gate->enable / 4] >> gate->bit & 1 &&
	       !(core->rcc.registers[reset / 4] >> gate->bit & 1);
}

static bool answers(struct core *core, uint32_t address)
{
	uint32_t base = address & ~UINT32_C(0x3FF);

	if (core_has_clock(core, base))
		return true;
	core_violation(core, "0x%08X is touched while its clock is off", address);
	return false;
}

static struct core_usart *find_usart(struct core *core, uint32_t address)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->usarts) && core->usarts[i].facts; i++)
		if (core->usarts[i].facts->base == (address & ~UINT32_C(0x3FF)))
			return &core->usarts[i];
	return NULL;
}

/* --- SysTick: counts down at the processor's clock, 24 bits --- */

static uint32_t read_systick(struct core *core)
{
	uint64_t passed = (core->cycles - core->systick_base) / 100;

	if (!(core->systick_control & 1))
		return 0;
	if (!(core->systick_control & 4))
		passed /= 8;
	return core->systick_reload - (uint32_t)(passed % ((uint64_t)core->systick_reload + 1));
}

static void write_systick(struct core *core, uint32_t address, uint32_t value)
{
	if (address == SYSTICK_CONTROL) {
		if (value & 1 & ~core->systick_control)
			core->systick_base = core->cycles;
		core->systick_control = value & 7;
	} else if (address == SYSTICK_RELOAD) {
		core->systick_reload = value & 0xFFFFFF;
	} else {
		core->systick_base = core->cycles;
	}
}

/* --- The processor's own --- */

static uint32_t read_own(struct core *core, uint32_t address)
{
	static const uint32_t ids[] = {0x410CC200, 0x412FC231, 0x410FC241};

	switch (address) {
	case SYSTICK_CONTROL:
		return core->systick_control;
	case SYSTICK_RELOAD:
		return core->systick_reload;
	case SYSTICK_VALUE:
		return read_systick(core);
	case SCB_CPUID:
		return ids[core->family->cpu];
	case SCB_VTOR:
		return core->vtor;
	case SCB_AIRCR:
		return 0xFA050000;
	case SCB_ICSR:
	case SCB_SCR:
	case SCB_CCR:
	case SCB_SHCSR:
		return 0;
	default:
		break;
	}
	if (address >= NVIC && address < NVIC_END)
		return 0;
	if (address == core->family->dev_id)
		return core->family->hides_dev_id
			       ? 0
			       : UINT32_C(0x10000000) | core->place.options->chip->product_id;
	core_violation(core, "0x%08X is read, which is no register", address);
	return 0;
}

static void write_own(struct core *core, uint32_t address, uint32_t value)
{
	switch (address) {
	case SYSTICK_CONTROL:
	case SYSTICK_RELOAD:
	case SYSTICK_VALUE:
		write_systick(core, address, value);
		return;
	case SCB_VTOR:
		/* The Cortex-M0 of F0 has none: the write is lost. */
		if (core->family->cpu == CPU_M0 && core->family->rcc_kind == CORE_RCC_F0F1)
			return;
		if (value & 0x7F)
			core_violation(core, "VTOR gets 0x%08X, which is not on 128", value);
		core->vtor = value;
		return;
	case SCB_AIRCR:
		if (value == RESET_KEY)
			core->wants_reset = true;
		else
			core_violation(core, "AIRCR gets 0x%08X", value);
		return;
	case SCB_ICSR:
	case SCB_SHCSR:
		return;
	default:
		break;
	}
	if (address >= NVIC && address < NVIC_END)
		return;
	core_violation(core, "0x%08X is written, which is no register to write", address);
}

/* --- Watchdog, PWR, SYSCFG --- */

static void write_watchdog(struct core *core, uint32_t address, uint32_t value)
{
	if (address != IWDG || (value != 0xAAAA && value != 0x5555)) {
		core_violation(core, "the watchdog gets 0x%X at 0x%08X", value, address);
		return;
	}
	if (value != 0xAAAA)
		return;
	core->kicked_at = core->clock;
	core->state.kicks++;
	core->round.kicks = true;
}

static uint32_t *find_plain(struct core *core, uint32_t address)
{
	uint32_t offset = address & 0x3FF, base = address - offset;
	bool is_f4 = core->family->rcc_kind == CORE_RCC_F4;

	if (base == (core->family->rcc_kind == CORE_RCC_WL ? 0x58000400 : 0x40007000) &&
		offset / 4 < ARRAY_SIZE(core->pwr))
		return &core->pwr[offset / 4];
	if (base == (is_f4 ? 0x40013800 : 0x40010000) && offset / 4 < ARRAY_SIZE(core->syscfg))
		return &core->syscfg[offset / 4];
	return NULL;
}

/* --- Memory that is no flash: ids, option bytes, the ROM --- */

static uint32_t load_other(struct core *core, uint32_t address, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = 0;

		if (!memory_read(core->place.memory, address + i, &byte)) {
			core_violation(core, "0x%08X is read, where there is no memory", address);
			return 0;
		}
		value |= (uint32_t)byte << (8 * i);
	}
	return value;
}

static bool is_memory(uint32_t address)
{
	return address >> 20 == 0x1FF;
}

static bool is_flash(const struct core *core, uint32_t address)
{
	return address - core->place.options->chip->flash_base < UINT32_C(0x00400000);
}

static bool is_gpio(const struct core *core, uint32_t address)
{
	return address - core->family->gpio < 6 * UINT32_C(0x400);
}

static uint32_t read_peripheral(struct core *core, uint32_t address)
{
	uint32_t offset = address & 0x3FF, base = address - offset;
	struct core_usart *usart = find_usart(core, address);
	uint32_t *plain;

	if (!answers(core, address))
		return 0;
	if (usart)
		return core_usart_read(core, usart, offset);
	if (base == core->family->flash)
		return core_flash_read(core, offset);
	if (is_gpio(core, address))
		return core_gpio_read(core, (address - core->family->gpio) / 0x400, offset);
	if (base == core->family->rcc)
		return core_rcc_read(core, offset);
	if (base == IWDG)
		return offset == 0x0C ? 1 : 0; /* PVU may stay 1 (AN2606 4.9) */
	plain = find_plain(core, address);
	return plain ? *plain : read_own(core, address);
}

uint32_t core_bus_read(void *userdata, uint32_t address, unsigned size)
{
	struct core *core = userdata;
	uint32_t value;

	if (address == SYSTICK_VALUE)
		return read_systick(core);
	if (is_flash(core, address)) {
		core->round.hash = (core->round.hash ^ address) * 31;
		return core_flash_load(core, address, size);
	}
	if (is_memory(address))
		return load_other(core, address, size);
	if (size != 4 && !find_usart(core, address))
		core_violation(core, "0x%08X is read by %u bytes", address, size);
	value = read_peripheral(core, address);
	core_note_read(core, address, value);
	return value;
}

static void write_peripheral(struct core *core, uint32_t address, unsigned size, uint32_t value)
{
	uint32_t offset = address & 0x3FF, base = address - offset;
	struct core_usart *usart = find_usart(core, address);
	uint32_t *plain;

	if (!answers(core, address))
		return;
	plain = find_plain(core, address);
	if (usart)
		core_usart_write(core, usart, offset, value);
	else if (base == core->family->flash)
		core_flash_write(core, offset, size, value);
	else if (is_gpio(core, address))
		core_gpio_write(core, (address - core->family->gpio) / 0x400, offset, value);
	else if (base == core->family->rcc)
		core_rcc_write(core, offset, value);
	else if (plain)
		*plain = value;
	else
		write_own(core, address, value);
}

void core_bus_write(void *userdata, uint32_t address, unsigned size, uint32_t value)
{
	struct core *core = userdata;

	if (is_flash(core, address)) {
		core_flash_store(core, address, size, value);
		core_note_write(core, address, value);
		return;
	}
	if (is_memory(address)) {
		core_violation(core, "0x%08X is written, in the system memory", address);
		return;
	}
	if ((address & ~UINT32_C(0x3FF)) == IWDG) {
		write_watchdog(core, address, value);
		return;
	}
	if (size != 4 && !find_usart(core, address))
		core_violation(core, "0x%08X is written by %u bytes", address, size);
	core_note_write(core, address, value);
	write_peripheral(core, address, size, value);
}
