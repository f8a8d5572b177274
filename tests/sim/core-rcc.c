/* SPDX-License-Identifier: MIT */
/*
 * core-rcc.c - reset and clock control: which clock the program has made itself, and what no chip
 * would stand on the way there.
 *
 * A source is used only once it is ready; the one that is used cannot be switched off, as on the
 * chip: who waits for that waits for ever. The flash's wait states must be there before the clock
 * is faster than they allow, by the lowest supply of the data sheet's table.
 */
#include "base/util.h"
#include "sim/core-private.h"

#define CR	 0x00
#define HSE_HZ	 UINT64_C(8000000)
#define HSI48_HZ UINT64_C(48000000)
#define MSI_HZ	 UINT64_C(4000000)
#define PLL_ON	 (UINT32_C(1) << 24)
#define HSE_ON	 (UINT32_C(1) << 16)
#define CSS_ON	 (UINT32_C(1) << 19)
#define READY	 (UINT32_C(1) << 25 | UINT32_C(1) << 17)

enum source { SOURCE_HSI, SOURCE_HSE, SOURCE_PLL, SOURCE_MSI, SOURCE_NONE };

static uint32_t get(const struct core *core, uint32_t offset)
{
	return core->rcc.registers[offset / 4];
}

static uint32_t bits(uint32_t value, unsigned lowest, unsigned n)
{
	return value >> lowest & ((UINT32_C(1) << n) - 1);
}

static bool is_old(const struct core *core)
{
	return core->family->rcc_kind == CORE_RCC_F0F1 || core->family->rcc_kind == CORE_RCC_F4;
}

static uint32_t cfgr_offset(const struct core *core)
{
	return core->family->rcc_kind == CORE_RCC_F0F1 ? 0x04 : 0x08;
}

static uint32_t pllcfgr_offset(const struct core *core)
{
	return core->family->rcc_kind == CORE_RCC_F4 ? 0x04 : 0x0C;
}

static uint32_t hsi_on(const struct core *core)
{
	return is_old(core) ? 1u : 1u << 8;
}

static uint32_t hsi_ready(const struct core *core)
{
	return is_old(core) ? 2u : 1u << 10;
}

static bool has_msi(const struct core *core)
{
	return core->family->resets[0].value & 1 && !is_old(core);
}

/* --- Frequencies, as the manuals' clock trees have them --- */

static enum source source_of(const struct core *core, uint32_t sw)
{
	static const enum source old[] = {SOURCE_HSI, SOURCE_HSE, SOURCE_PLL, SOURCE_NONE};
	static const enum source young[] = {SOURCE_MSI, SOURCE_HSI, SOURCE_HSE, SOURCE_PLL};

	if (core->family->rcc_kind == CORE_RCC_G0 || is_old(core))
		return sw < 3 ? old[sw] : SOURCE_NONE;
	return young[sw & 3];
}

static uint32_t chosen(const struct core *core)
{
	uint32_t cfgr = get(core, cfgr_offset(core));

	return core->family->rcc_kind == CORE_RCC_G0 ? bits(cfgr, 0, 3) : bits(cfgr, 0, 2);
}

static uint64_t pll_f0f1(const struct core *core)
{
	uint32_t cfgr = get(core, 0x04);
	uint64_t factor = bits(cfgr, 18, 4) + 2, divider = 1 + bits(get(core, 0x2C), 0, 4);

	if (factor > 16)
		factor = 16;
	if (core->family->has_gpio_f1)
		return (cfgr >> 16 & 1 ? HSE_HZ : core->family->hsi_hz / 2) * factor;
	switch (bits(cfgr, 15, 2)) {
	case 0:
		return core->family->hsi_hz / 2 * factor;
	case 1:
		return core->family->hsi_hz / divider * factor;
	case 2:
		return HSE_HZ / divider * factor;
	default:
		return HSI48_HZ / divider * factor;
	}
}

static uint64_t pll_input(const struct core *core, uint32_t pllcfgr)
{
	if (core->family->rcc_kind == CORE_RCC_F4)
		return pllcfgr >> 22 & 1 ? HSE_HZ : core->family->hsi_hz;
	switch (bits(pllcfgr, 0, 2)) {
	case 1:
		return has_msi(core) ? MSI_HZ : 0;
	case 2:
		return core->family->hsi_hz;
	case 3:
		return HSE_HZ;
	default:
		return 0;
	}
}

/* 0: its output is off. Outside of what the manual allows is a violation. */
static uint64_t pll_mn(struct core *core)
{
	uint32_t pllcfgr = get(core, pllcfgr_offset(core));
	bool is_f4 = core->family->rcc_kind == CORE_RCC_F4;
	bool is_wide =
		core->family->rcc_kind == CORE_RCC_G0 || core->family->rcc_kind == CORE_RCC_WL;
	uint64_t m = is_f4 ? bits(pllcfgr, 0, 6) : 1 + bits(pllcfgr, 4, is_wide ? 3 : 4);
	uint64_t n = is_f4 ? bits(pllcfgr, 6, 9) : bits(pllcfgr, 8, 7);
	uint64_t vco = m ? pll_input(core, pllcfgr) / m * n : 0;
	uint64_t input = m ? pll_input(core, pllcfgr) / m : 0;

	if (is_f4) {
		if (input < 950000 || input > 2100000 || vco < 100000000 || vco > 432000000)
			core_violation(core, "the PLL is set to %u Hz in, %u Hz of its oscillator",
				(unsigned)input, (unsigned)vco);
		return vco / (2 * (bits(pllcfgr, 16, 2) + 1));
	}
	if (input < 2660000 || input > 16000000 || vco < 64000000 || vco > 344000000)
		core_violation(core, "the PLL is set to %u Hz in, %u Hz of its oscillator",
			(unsigned)input, (unsigned)vco);
	if (is_wide)
		return pllcfgr >> 28 & 1 ? vco / (bits(pllcfgr, 29, 3) + 1) : 0;
	return pllcfgr >> 24 & 1 ? vco / (2 * (bits(pllcfgr, 25, 2) + 1)) : 0;
}

static uint64_t source_hz(struct core *core, enum source source)
{
	switch (source) {
	case SOURCE_HSI:
		return core->family->rcc_kind == CORE_RCC_G0
			       ? core->family->hsi_hz >> bits(get(core, CR), 11, 3)
			       : core->family->hsi_hz;
	case SOURCE_HSE:
		return HSE_HZ;
	case SOURCE_MSI:
		return has_msi(core) ? MSI_HZ : 0;
	case SOURCE_PLL:
		return core->family->rcc_kind == CORE_RCC_F0F1 ? pll_f0f1(core) : pll_mn(core);
	case SOURCE_NONE:
		break;
	}
	return 0;
}

static bool is_ready(const struct core *core, enum source source)
{
	uint32_t cr = get(core, CR);

	switch (source) {
	case SOURCE_HSI:
		return cr & hsi_on(core);
	case SOURCE_HSE:
		return cr & HSE_ON && core->knobs->go == SIM_CORE_GO_CSS;
	case SOURCE_MSI:
		return has_msi(core) && cr & 1;
	case SOURCE_PLL:
		return cr & PLL_ON && core->clock >= core->rcc.pll_ready_at;
	case SOURCE_NONE:
		break;
	}
	return false;
}

static uint64_t ahb_divider(uint32_t hpre)
{
	static const uint16_t dividers[] = {2, 4, 8, 16, 64, 128, 256, 512};

	return hpre < 8 ? 1 : dividers[hpre - 8];
}

static uint64_t apb_divider(uint32_t ppre)
{
	return ppre < 4 ? 1 : UINT64_C(2) << (ppre - 4);
}

static void check_speed(struct core *core)
{
	const struct core_rcc *rcc = &core->rcc;
	uint64_t allowed = (bits(rcc->acr, 0, 4) + 1) * core->family->wait_hz;

	if (rcc->hclk_hz > allowed)
		core_violation(core, "the flash has %u wait states at %u MHz",
			(unsigned)bits(rcc->acr, 0, 4), (unsigned)(rcc->hclk_hz / 1000000));
	if (rcc->sysclk_hz > core->family->max_hz || rcc->pclk1_hz > core->family->max_pclk1_hz)
		core_violation(core, "the clocks are %u and %u MHz on APB1, above the limit",
			(unsigned)(rcc->sysclk_hz / 1000000), (unsigned)(rcc->pclk1_hz / 1000000));
}

void core_rcc_update(struct core *core)
{
	uint32_t cfgr = get(core, cfgr_offset(core));
	struct core_rcc *rcc = &core->rcc;
	uint64_t hz = source_hz(core, source_of(core, chosen(core)));

	if (!hz) {
		core_violation(core, "the clock that is chosen does not run");
		return;
	}
	rcc->sysclk_hz = hz;
	switch (core->family->rcc_kind) {
	case CORE_RCC_F0F1:
	case CORE_RCC_G4L4:
	case CORE_RCC_WL:
		rcc->hclk_hz = hz / ahb_divider(bits(cfgr, 4, 4));
		rcc->pclk1_hz = rcc->hclk_hz / apb_divider(bits(cfgr, 8, 3));
		rcc->pclk2_hz = rcc->hclk_hz / apb_divider(bits(cfgr, 11, 3));
		if (core->family->cpu == CPU_M0)
			rcc->pclk2_hz = rcc->pclk1_hz;
		break;
	case CORE_RCC_F4:
		rcc->hclk_hz = hz / ahb_divider(bits(cfgr, 4, 4));
		rcc->pclk1_hz = rcc->hclk_hz / apb_divider(bits(cfgr, 10, 3));
		rcc->pclk2_hz = rcc->hclk_hz / apb_divider(bits(cfgr, 13, 3));
		break;
	case CORE_RCC_G0:
		rcc->hclk_hz = hz / ahb_divider(bits(cfgr, 8, 4));
		rcc->pclk1_hz = rcc->pclk2_hz = rcc->hclk_hz / apb_divider(bits(cfgr, 12, 3));
		break;
	}
	check_speed(core);
	core_set_speed(core);
}

uint64_t core_rcc_usart_hz(const struct core *core, const struct core_usart_facts *facts)
{
	const struct core_rcc *rcc = &core->rcc;
	uint64_t bus = facts->is_on_apb2 ? rcc->pclk2_hz : rcc->pclk1_hz;
	bool is_f0 = core->family->rcc_kind == CORE_RCC_F0F1;

	if (!core->family->select_register)
		return bus;
	switch (bits(get(core, core->family->select_register), facts->select, 2)) {
	case 0:
		return bus;
	case 1:
		return rcc->sysclk_hz;
	case 2:
		return is_f0 ? 32768 : core->family->hsi_hz;
	default:
		return is_f0 ? core->family->hsi_hz : 32768;
	}
}

uint64_t core_rcc_next(const struct core *core)
{
	return core->rcc.pll_ready_at > core->clock ? core->rcc.pll_ready_at : CORE_NEVER;
}

/* --- Registers --- */

uint32_t core_rcc_read(struct core *core, uint32_t offset)
{
	uint32_t value;

	if (offset / 4 >= ARRAY_SIZE(core->rcc.registers)) {
		core_violation(core, "the RCC has no register at 0x%X", offset);
		return 0;
	}
	value = get(core, offset);
	if (offset == CR) {
		value &= ~(READY | hsi_ready(core));
		value |= is_ready(core, SOURCE_HSI) ? hsi_ready(core) : 0;
		value |= is_ready(core, SOURCE_HSE) ? UINT32_C(1) << 17 : 0;
		value |= is_ready(core, SOURCE_PLL) ? UINT32_C(1) << 25 : 0;
		if (has_msi(core))
			value = (value & ~2u) | (value & 1) << 1;
	} else if (offset == 0x34 && core->family->rcc_kind == CORE_RCC_F0F1) {
		value = (value & ~0x20002u) | (value & 0x10001) << 1;
	} else if (offset == cfgr_offset(core)) {
		if (core->family->rcc_kind == CORE_RCC_G0)
			value = (value & ~0x38u) | bits(value, 0, 3) << 3;
		else
			value = (value & ~0x0Cu) | bits(value, 0, 2) << 2;
	}
	return value;
}

/* Bits that the chip does not let go, since its clock hangs on them. */
static uint32_t held(struct core *core)
{
	enum source source = source_of(core, chosen(core));
	uint32_t pllcfgr = get(core, pllcfgr_offset(core)), held = 0;

	if (source == SOURCE_HSE)
		held = HSE_ON;
	else if (source == SOURCE_HSI)
		held = hsi_on(core);
	else if (source == SOURCE_MSI)
		held = 1;
	else if (source == SOURCE_PLL && core->family->rcc_kind == CORE_RCC_F0F1)
		held = PLL_ON | (get(core, 0x04) >> 16 & 1 ? HSE_ON : hsi_on(core));
	else if (source == SOURCE_PLL)
		held = PLL_ON | (pll_input(core, pllcfgr) == HSE_HZ ? HSE_ON : hsi_on(core));
	return held & get(core, CR);
}

static void write_cr(struct core *core, uint32_t value)
{
	uint32_t before = get(core, CR);

	value |= held(core);
	if (before & CSS_ON && before & HSE_ON && !(value & HSE_ON) && value & CSS_ON)
		core_violation(core, "HSE is switched off while the CSS guards it: NMI");
	if (value & ~before & PLL_ON)
		core->rcc.pll_ready_at =
			core->clock + core->family->pll_lock_nsec * CORE_FS_PER_NSEC;
	core->rcc.registers[CR / 4] = value & ~READY;
}

/* Factor and source of the PLL stand while it runs. */
static void check_pll(struct core *core, uint32_t offset, uint32_t value)
{
	uint32_t mask = 0, changed = get(core, offset) ^ value;

	if (!(get(core, CR) & PLL_ON))
		return;
	if (core->family->rcc_kind == CORE_RCC_F0F1)
		mask = offset == 0x04 ? 0x003F8000 : offset == 0x2C ? 0x0F : 0;
	else if (offset == pllcfgr_offset(core))
		mask = core->family->rcc_kind == CORE_RCC_F4 ? 0x00437FFF : 0x00007FF3;
	if (changed & mask)
		core_violation(core, "the PLL is changed while it runs");
}

static void take_reset(struct core *core, uint32_t offset, uint32_t rising)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->family->gates); i++) {
		const struct core_gate *gate = &core->family->gates[i];

		if (!gate->base || !(rising >> gate->bit & 1) ||
			core_family_reset_of(core->family, gate->enable) != offset)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(core->usarts) && core->usarts[k].facts; k++)
			if (core->usarts[k].facts->base == gate->base)
				core_usart_reset(&core->usarts[k]);
	}
}

static bool resets_others(const struct core *core, uint32_t offset)
{
	for (size_t i = 0; i < ARRAY_SIZE(core->family->gates); i++)
		if (core->family->gates[i].base &&
			core_family_reset_of(core->family, core->family->gates[i].enable) == offset)
			return true;
	return false;
}

void core_rcc_write(struct core *core, uint32_t offset, uint32_t value)
{
	uint32_t before, sw = chosen(core);

	if (offset / 4 >= ARRAY_SIZE(core->rcc.registers)) {
		core_violation(core, "the RCC has no register at 0x%X", offset);
		return;
	}
	before = get(core, offset);
	if (offset == CR) {
		write_cr(core, value);
		core_rcc_update(core);
		return;
	}
	check_pll(core, offset, value);
	core->rcc.registers[offset / 4] = value;
	if (resets_others(core, offset))
		take_reset(core, offset, value & ~before);
	if (offset == cfgr_offset(core) && chosen(core) != sw &&
		!is_ready(core, source_of(core, chosen(core))))
		core_violation(core, "the clock is switched to a source that is not ready");
	core_rcc_update(core);
}

void core_rcc_set_acr(struct core *core, uint32_t value)
{
	core->rcc.acr = value;
	check_speed(core);
}

void core_rcc_reset(struct core *core)
{
	core->rcc = (struct core_rcc){.acr = core->family->flash_reset_acr};
	for (size_t i = 0; i < ARRAY_SIZE(core->family->resets); i++)
		if (core->family->resets[i].value)
			core->rcc.registers[core->family->resets[i].address / 4] =
				core->family->resets[i].value;
	core_rcc_update(core);
}

/* Its PLL or HSE, whose wait states are there. */
static void leave_clock(struct core *core)
{
	if (core->family->has_gpio_f1) { /* HSI/2 by 6: 24 MHz */
		core->rcc.registers[0] = 0x03000083;
		core->rcc.registers[1] = UINT32_C(4) << 18 | 2;
	}
	if (core->knobs->go == SIM_CORE_GO_CSS) {
		core->rcc.registers[0] |= HSE_ON | CSS_ON;
		core->rcc.registers[cfgr_offset(core) / 4] =
			core->family->rcc_kind == CORE_RCC_G4L4 ||
					core->family->rcc_kind == CORE_RCC_WL
				? 2
				: 1;
	}
}

void core_rcc_leave(struct core *core)
{
	if (core->knobs->go == SIM_CORE_GO_RESET)
		return;
	core->rcc.acr |= 7;
	for (size_t i = 0; i < ARRAY_SIZE(core->family->left_by_rom); i++)
		if (core->family->left_by_rom[i].value)
			core->rcc.registers[core->family->left_by_rom[i].address / 4] =
				core->family->left_by_rom[i].value;
	if (core->knobs->go == SIM_CORE_GO_PLL || core->knobs->go == SIM_CORE_GO_CSS)
		leave_clock(core);
	core_rcc_update(core);
	core->rcc.acr =
		(core->rcc.acr & ~7u) | (uint32_t)((core->rcc.hclk_hz - 1) / core->family->wait_hz);
}
