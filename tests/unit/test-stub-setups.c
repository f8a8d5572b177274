/* SPDX-License-Identifier: MIT */
/*
 * test-stub-setups.c - every setup list that is shipped, step by step on a model of RCC and flash
 * waits that is written down once more from the reference manuals (RM0008, RM0041, RM0091, RM0316,
 * RM0033, RM0090, RM0385, RM0444, RM0440, RM0351, RM0461, RM0490), and its pins beside AN2606.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "chip/family-stm32.h"
#include "loader/stub-load.h"
#include "unit/shipped-chips.h"

/* ------------------------------------------------------------------ how the series differ */

enum pll { PLL_MUL, PLL_VCO, PLL_R29, PLL_R25, PLL_NONE };

struct series {
	const char *words; /* of the lists, with a space on either side */
	uint32_t rcc, pwr, flash, ports, remap;
	uint32_t hsi_hz;
	uint32_t hsi_ready, hsi_on; /* in CR, at 0 */
	uint32_t cfgr, pllcfgr;	    /* offsets; pllcfgr 0: in CFGR, or none */
	uint32_t sw_mask, sw_hsi, sw_pll;
	unsigned sws_shift;
	enum pll pll;
	uint32_t hz_a_wait;	  /* at the lowest supply; 0: it never waits */
	uint32_t resets[5];	  /* offsets of the reset registers */
	uint32_t secrets[2];	  /* of BDCR and CSR: backup domain, reset flags */
	uint32_t dma_enable, dma; /* register and bits of the DMAs' clocks */
};

#define CSSON  0x00080000u
#define HSEON  0x00010000u
#define PLLON  0x01000000u
#define PLLRDY 0x02000000u

#define K1_FACTS(words_, ports_, remap_, wait)                                                \
	{                                                                                     \
		.words = words_, .rcc = 0x40021000, .flash = 0x40022000, .ports = (ports_),   \
		.remap = (remap_), .hsi_hz = 8000000, .hsi_on = 1, .hsi_ready = 2, .cfgr = 4, \
		.sw_mask = 3, .sw_hsi = 0, .sw_pll = 2, .sws_shift = 2, .pll = PLL_MUL,       \
		.hz_a_wait = (wait), .resets = {0x0C, 0x10, 0x28}, .secrets = {0x20, 0x24},   \
		.dma_enable = 0x14, .dma = 0x3                                                \
	}
#define G4_FACTS(words_, rcc_, pwr_, flash_, pll_, wait)                                         \
	{                                                                                        \
		.words = words_, .rcc = (rcc_), .pwr = (pwr_), .flash = (flash_),                \
		.ports = 0x48000000, .hsi_hz = 16000000, .hsi_on = 0x100, .hsi_ready = 0x400,    \
		.cfgr = 8, .pllcfgr = 0x0C, .sw_mask = 3, .sw_hsi = 1, .sw_pll = 3,              \
		.sws_shift = 2, .pll = (pll_), .hz_a_wait = (wait),                              \
		.resets = {0x28, 0x2C, 0x38, 0x40}, .secrets = {0x90, 0x94}, .dma_enable = 0x48, \
		.dma = 0x7                                                                       \
	}
#define G0_FACTS(words_, hsi, pll_)                                                              \
	{                                                                                        \
		.words = words_, .rcc = 0x40021000, .pwr = 0x40007000, .flash = 0x40022000,      \
		.ports = 0x50000000, .remap = 0x40010000, .hsi_hz = (hsi), .hsi_on = 0x100,      \
		.hsi_ready = 0x400, .cfgr = 8, .pllcfgr = 0x0C, .sw_mask = 7, .sw_hsi = 0,       \
		.sw_pll = 2, .sws_shift = 3, .pll = (pll_), .hz_a_wait = 24000000,               \
		.resets = {0x24, 0x28, 0x2C, 0x30}, .secrets = {0x5C, 0x60}, .dma_enable = 0x38, \
		.dma = 0x3                                                                       \
	}

static const struct series all_series[] = {
	K1_FACTS(" f1 f103 f1-xl f103-xl f105 ", 0x40010800, 0x40010004, 24000000),
	K1_FACTS(" f100 ", 0x40010800, 0x40010004, 0),
	K1_FACTS(" f0 f07 f09 f3 f3-e f3-s ", 0x48000000, 0, 24000000),
	{
		.words = " f2 f4 f42 f412 f401 f410 f7 f76 ",
		.rcc = 0x40023800,
		.flash = 0x40023C00,
		.ports = 0x40020000,
		.hsi_hz = 16000000,
		.hsi_on = 1,
		.hsi_ready = 2,
		.cfgr = 8,
		.pllcfgr = 4,
		.sw_mask = 3,
		.sw_hsi = 0,
		.sw_pll = 2,
		.sws_shift = 2,
		.pll = PLL_VCO,
		.hz_a_wait = 16000000,
		.resets = {0x10, 0x14, 0x20, 0x24},
		.secrets = {0x70, 0x74},
		.dma_enable = 0x30,
		.dma = 0x00600000,
	},
	G0_FACTS(" g0 g07 g0b ", 16000000, PLL_R29),
	G0_FACTS(" c03 c07 ", 48000000, PLL_NONE),
	G4_FACTS(" g4 g47 ", 0x40021000, 0x40007000, 0x40022000, PLL_R25, 20000000),
	G4_FACTS(" l4 l47 l4-plus ", 0x40021000, 0x40007000, 0x40022000, PLL_R25, 16000000),
	G4_FACTS(" wl ", 0x58000000, 0x58000400, 0x58004000, PLL_R29, 18000000),
};

static const struct series *series_of(const struct stub_list *list)
{
	char word[16];

	snprintf(word, sizeof(word), " %s ", list->word);
	for (size_t i = 0; i < ARRAY_SIZE(all_series); i++)
		if (strstr(all_series[i].words, word))
			return &all_series[i];
	fail_msg("%s: no series of the test has this list", list->word);
	return NULL;
}

/* ------------------------------------------------------------------ a chip of registers */

struct chip_model {
	const struct series *series;
	struct {
		uint32_t address, value;
	} registers[64];
	size_t n;
	bool is_hsi; /* the system clock was HSI once: from then on the list alone decides */
	bool waited; /* the last ACR was read back */
};

static uint32_t *reg(struct chip_model *model, uint32_t address)
{
	for (size_t i = 0; i < model->n; i++)
		if (model->registers[i].address == address)
			return &model->registers[i].value;
	assert_true(model->n < ARRAY_SIZE(model->registers));
	model->registers[model->n].address = address;
	return &model->registers[model->n++].value;
}

static uint32_t cr(struct chip_model *model)
{
	return *reg(model, model->series->rcc);
}

static uint32_t sw(struct chip_model *model)
{
	return *reg(model, model->series->rcc + model->series->cfgr) & model->series->sw_mask;
}

static uint32_t pll_hz(struct chip_model *model)
{
	const struct series *series = model->series;
	uint32_t cfgr = *reg(model, series->rcc + series->cfgr);
	uint32_t pllcfgr = *reg(model, series->rcc + series->pllcfgr);

	switch (series->pll) {
	case PLL_MUL:
		assert_int_equal(cfgr >> 15 & 3, 0); /* HSI / 2 */
		return series->hsi_hz / 2 * ((cfgr >> 18 & 15) + 2);
	case PLL_VCO:
		assert_int_equal(pllcfgr >> 22 & 1, 0); /* HSI */
		assert_in_range(series->hsi_hz / (pllcfgr & 63), 950000, 2100000);
		assert_in_range(pllcfgr >> 6 & 511, 192, 432);
		assert_in_range(pllcfgr >> 24 & 15, 2, 15);
		return series->hsi_hz / (pllcfgr & 63) * (pllcfgr >> 6 & 511) /
		       ((pllcfgr >> 16 & 3) * 2 + 2);
	case PLL_R29:
	case PLL_R25: {
		uint32_t vco = series->hsi_hz / ((pllcfgr >> 4 & 7) + 1) * (pllcfgr >> 8 & 127);

		assert_int_equal(pllcfgr & 3, 2); /* HSI16 */
		assert_in_range(vco, 96000000, 344000000);
		if (series->pll == PLL_R29) {
			assert_true(pllcfgr & 1u << 28);
			return vco / ((pllcfgr >> 29) + 1);
		}
		assert_true(pllcfgr & 1u << 24);
		return vco / ((pllcfgr >> 25 & 3) * 2 + 2);
	}
	case PLL_NONE:
		break;
	}
	fail_msg("it has no PLL");
	return 0;
}

static uint32_t clock_hz(struct chip_model *model)
{
	const struct series *series = model->series;

	if (series->pll == PLL_NONE) /* HSI48 / HSIDIV */
		return series->hsi_hz >> (cr(model) >> 11 & 7);
	return sw(model) == series->sw_pll ? pll_hz(model) : series->hsi_hz;
}

/* What hardware does by itself after a write: ready bits follow, SWS follows SW. */
static void settle(struct chip_model *model)
{
	const struct series *series = model->series;
	uint32_t *c = reg(model, series->rcc), *cfgr = reg(model, series->rcc + series->cfgr);

	*c = (*c & ~(series->hsi_ready | PLLRDY | 0x08000000 | 0x20000000 | 0x00020000)) |
	     (*c & series->hsi_on ? series->hsi_ready : 0) | (*c & PLLON ? PLLRDY : 0) |
	     (*c & 0x04000000 ? 0x08000000 : 0) | (*c & 0x10000000 ? 0x20000000 : 0);
	*cfgr = (*cfgr & ~(series->sw_mask << series->sws_shift)) | (*cfgr & series->sw_mask)
									    << series->sws_shift;
}

/* ------------------------------------------------------------------ the rules */

static bool is_port(const struct stub_list *list, const struct series *series, uint32_t address)
{
	static const uint32_t moder[] = {0x00, 0x0C, 0x20, 0x24};
	static const uint32_t crl[] = {0x00, 0x04, 0x10};
	uint32_t offset = (address - series->ports) % 0x400;
	bool is_crl = list->gpio == STUB_GPIO_CRL;
	const uint32_t *allowed = is_crl ? crl : moder;

	if (address < series->ports || address >= series->ports + 4 * 0x400)
		return false;
	for (size_t i = 0; i < (is_crl ? ARRAY_SIZE(crl) : ARRAY_SIZE(moder)); i++)
		if (offset == allowed[i])
			return true;
	return false;
}

/* RCC but for backup domain and reset flags; of the flash controller ACR alone: no keys, neither
 * of flash nor of option bytes; ports; PWR CR1 and SR2; the remap register. */
static void check_address(
	const struct stub_list *list, const struct series *series, uint32_t address)
{
	bool is_rcc = address >= series->rcc && address < series->rcc + 0x10C &&
		      address != series->rcc + series->secrets[0] &&
		      address != series->rcc + series->secrets[1];
	bool is_pwr = series->pwr && (address == series->pwr || address == series->pwr + 0x14);

	if (!is_rcc && !is_pwr && address != series->flash && !is_port(list, series, address) &&
		!(series->remap && address == series->remap))
		fail_msg("%s: 0x%08X is in no allowed block", list->word, address);
}

static void check_clock(struct chip_model *model, const char *word)
{
	uint32_t waits = *reg(model, model->series->flash) & 7;
	uint32_t hz;

	if (sw(model) == model->series->sw_hsi)
		model->is_hsi = true;
	if (!model->is_hsi)
		return;
	hz = clock_hz(model);
	if (model->series->hz_a_wait && hz > model->series->hz_a_wait * (waits + 1))
		fail_msg("%s: %u wait states at %u Hz", word, waits, hz);
	if (model->series->hz_a_wait && hz > model->series->hz_a_wait)
		assert_true(model->waited);
}

/* What a step does to clocks must be allowed before it, with what was true then. */
static void check_order(struct chip_model *model, const char *word, uint32_t address,
	uint32_t before, uint32_t after)
{
	const struct series *series = model->series;
	uint32_t c = cr(model);

	if (address == series->rcc) {
		uint32_t off = before & ~after, on = after & ~before;

		if (off & (PLLON | HSEON) && sw(model) != series->sw_hsi)
			fail_msg("%s: PLL or HSE off before the system clock is HSI", word);
		if (off & HSEON)
			assert_true(c & series->hsi_ready);
		if (on & PLLON)
			assert_true(c & series->hsi_ready);
		if (off & series->hsi_on)
			fail_msg("%s: HSI off", word);
	}
	if (series->pllcfgr && address == series->rcc + series->pllcfgr)
		assert_false(c & (PLLON | PLLRDY));
	if (!series->pllcfgr && address == series->rcc + series->cfgr &&
		(before ^ after) & 0x003D0000)
		assert_false(c & (PLLON | PLLRDY));
	if (address == series->rcc + series->cfgr && (before ^ after) & series->sw_mask) {
		if ((after & series->sw_mask) == series->sw_pll)
			assert_true(c & PLLRDY);
		else
			assert_true(c & series->hsi_ready && !(c & CSSON));
	}
	if (address == series->flash)
		model->waited = false;
}

static void take(
	struct chip_model *model, const struct stub_list *list, const struct stub_step *step)
{
	uint32_t address = step->address & ~3u;
	uint32_t *value = reg(model, address), before = *value;

	check_address(list, model->series, address);
	if ((step->address & 3) == STUB_STEP_CHANGE) {
		assert_int_equal(step->value & ~step->mask, 0);
		check_order(
			model, list->word, address, before, (before & ~step->mask) | step->value);
		*value = (before & ~step->mask) | step->value;
		settle(model);
		check_clock(model, list->word);
		return;
	}
	assert_int_equal(step->address & 3, STUB_STEP_WAIT);
	if ((*value & step->mask) != step->value)
		fail_msg("%s: 0x%08X never gets 0x%X of 0x%X", list->word, address, step->value,
			step->mask);
	if (address == model->series->flash)
		model->waited = true;
}

/* ------------------------------------------------------------------ the lists */

struct state {
	const char *name;
	uint32_t cr_bits;
	bool is_pll;
	uint32_t others; /* in all registers */
};

static const struct state states[] = {
	{"reset", 0, false, 0},
	{"the PLL runs by HSE, and CSS is on", HSEON | CSSON | PLLON, true, 0},
	{"everything is on", UINT32_MAX, true, UINT32_MAX},
};

static void begin(struct chip_model *model, const struct stub_list *list, const struct state *state)
{
	const struct series *series = series_of(list);

	*model = (struct chip_model){.series = series};
	for (size_t i = 0; i < list->n_steps; i++)
		*reg(model, list->steps[i].address & ~3u) = state->others;
	*reg(model, series->rcc) = state->cr_bits;
	*reg(model, series->rcc + series->cfgr) =
		state->is_pll && series->pll != PLL_NONE ? series->sw_pll : 0;
	*reg(model, series->flash) = state->is_pll ? 0x7 : 0;
	if (series->pll == PLL_NONE)
		*reg(model, series->rcc) &= ~0x3800u;
	if (series->pll == PLL_NONE && !state->is_pll)
		*reg(model, series->rcc) |= 0x1000; /* 12 MHz, as after reset */
	if (series->pwr)
		*reg(model, series->pwr + 0x14) = 0;
	model->waited = true;
	settle(model);
}

static void check_end(struct chip_model *model, const struct stub_list *list)
{
	const struct series *series = model->series;

	if (clock_hz(model) != list->clock_hz)
		fail_msg("%s: it ends at %u Hz", list->word, clock_hz(model));
	assert_false(cr(model) & (CSSON | HSEON));
	for (size_t i = 0; i < ARRAY_SIZE(series->resets) && series->resets[i]; i++)
		assert_int_equal(*reg(model, series->rcc + series->resets[i]), 0);
	assert_false(*reg(model, series->rcc + series->dma_enable) & series->dma);
}

static void stub_check_19_steps_are_sound_from_every_state(void **state)
{
	const struct stub_list *list;
	size_t n = 0;

	(void)state;
	for (; (list = stub_list_at(n)); n++)
		for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
			struct chip_model model;

			print_message("# %s: %s\n", list->word, states[i].name);
			begin(&model, list, &states[i]);
			for (size_t k = 0; k < list->n_steps; k++)
				take(&model, list, &list->steps[k]);
			check_end(&model, list);
		}
	assert_int_equal(n, 31);
}

static void stub_check_19_words_are_found_and_are_words(void **state)
{
	const struct stub_list *list;

	(void)state;
	for (size_t i = 0; (list = stub_list_at(i)); i++) {
		assert_ptr_equal(stub_list_find(list->word), list);
		assert_in_range(strlen(list->word), 1, 7);
		assert_int_equal(strspn(list->word, "abcdefghijklmnopqrstuvwxyz0123456789-"),
			strlen(list->word));
		assert_in_range(list->n_pins, 1, STUB_CANDIDATES_MAX);
		/* A bit of the trains is 200 ticks at least (protocol.h). */
		assert_true(list->clock_hz / STUB_TRAIN_BAUD_MAX >= 200);
	}
	assert_null(stub_list_find("f9"));
	assert_null(stub_list_find(""));
}

/* The clock of each USART and of each port that a list names is on in the end. */
static void stub_check_19_clocks_of_all_candidates_are_on(void **state)
{
	const struct stub_list *list;

	(void)state;
	for (size_t i = 0; (list = stub_list_at(i)); i++) {
		const struct series *series = series_of(list);
		bool is_k2 = list->kind == STUB_K2, is_f1 = list->gpio == STUB_GPIO_CRL;
		bool is_g0 = series->ports == 0x50000000, is_k1 = list->kind == STUB_K1;
		uint32_t apb1 = is_k2 ? 0x40 : is_k1 ? 0x1C : is_g0 ? 0x3C : 0x58;
		uint32_t apb2 = is_k2 ? 0x44 : is_k1 ? 0x18 : is_g0 ? 0x40 : 0x60;
		uint32_t ports = is_k2 ? 0x30 : is_f1 ? 0x18 : is_k1 ? 0x14 : is_g0 ? 0x34 : 0x4C;
		unsigned port_a = is_f1 ? 2 : is_k1 ? 17 : 0;
		struct chip_model model;

		begin(&model, list, &states[0]);
		for (size_t k = 0; k < list->n_steps; k++)
			take(&model, list, &list->steps[k]);
		for (size_t k = 0; k < list->n_pins; k++) {
			const struct stub_pins *pins = &list->pins[k];
			unsigned bit = pins->usart == 1 ? (is_k2 ? 4 : 14) : 15u + pins->usart;

			print_message("# %s: USART%u\n", list->word, pins->usart);
			assert_true(*reg(&model, series->rcc + (pins->usart == 1 ? apb2 : apb1)) &
				    1u << bit);
			assert_true(*reg(&model, series->rcc + ports) &
				    1u << (port_a + (unsigned)(pins->port - 'A')));
		}
	}
}

/* ------------------------------------------------------------------ AN2606 */

/*
 * What AN2606 rev. 70 says of each product id in its "configuration in system memory boot mode":
 * USART, TX, RX. Behind a tilde stands where small packages have the pins that are remapped. The
 * alternate function is that of the data sheets.
 */
static const struct {
	uint32_t product_id;
	const char *word, *pins;
} documented[] = {
	{0x410, "f1", "1:A9/A10"},
	{0x412, "f1", "1:A9/A10"},
	{0x414, "f1", "1:A9/A10"},
	{0x418, "f105", "1:A9/A10 2:D5/D6"},
	{0x420, "f100", "1:A9/A10"},
	{0x428, "f100", "1:A9/A10"},
	{0x430, "f1-xl", "1:A9/A10 2:D5/D6"},
	{0x411, "f2", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x422, "f3", "1:A9/A10.7 2:D5/D6.7"},
	{0x432, "f3", "1:A9/A10.7 2:D5/D6.7"},
	{0x438, "f3-s", "1:A9/A10.7 2:A2/A3.7"},
	{0x439, "f3-s", "1:A9/A10.7 2:A2/A3.7"},
	{0x446, "f3-e", "1:A9/A10.7 2:A2/A3.7"},
	{0x413, "f4", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x419, "f42", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x421, "f4", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x423, "f401", "1:A9/A10.7 2:D5/D6.7"},
	{0x431, "f401", "1:A9/A10.7 2:D5/D6.7"},
	{0x433, "f401", "1:A9/A10.7 2:D5/D6.7"},
	{0x434, "f42", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x441, "f412", "1:A9/A10.7 2:D5/D6.7 3:B10/B11.7"},
	{0x463, "f412", "1:A9/A10.7 2:D5/D6.7 3:B10/B11.7"},
	{0x458, "f410", "1:A9/A10.7 2:A2/A3.7"},
	{0x440, "f0", "1:A9/A10.1 2:A14/A15.1"},
	{0x442, "f09", "1:A9/A10.1 2:A2/A3.1 2:A14/A15.1"},
	{0x448, "f07", "1:A9/A10.1 2:A14/A15.1"},
	{0x449, "f7", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x451, "f76", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x452, "f7", "1:A9/A10.7 3:B10/B11.7 3:C10/C11.7"},
	{0x453, "c03", "1:A9/A10.1 1:A9/A10.1~12"},
	{0x493, "c07", "1:A9/A10.1 2:A2/A3.1"},
	{0x456, "g0", "1:A9/A10.1 2:A2/A3.1 1:A9/A10.1~12"},
	{0x466, "g0", "1:A9/A10.1 2:A2/A3.1 1:A9/A10.1~12"},
	{0x460, "g07", "1:A9/A10.1 2:A2/A3.1 3:C10/C11.0"},
	{0x467, "g0b", "1:A9/A10.1 2:A2/A3.1 3:C10/C11.0"},
	{0x468, "g4", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x469, "g47", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x479, "g4", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x415, "l47", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x461, "l47", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x435, "l4", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x462, "l4", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x464, "l4", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x470, "l4-plus", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x471, "l4-plus", "1:A9/A10.7 2:A2/A3.7 3:C10/C11.7"},
	{0x497, "wl", "1:A9/A10.7 2:A2/A3.7"},
};

/* The pins of a list in the words of the table above. */
static void describe(const struct stub_list *list, char *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n_pins; i++) {
		const struct stub_pins *pins = &list->pins[i];

		n += (size_t)snprintf(to + n, size - n, "%s%u:%c%u/%c%u", i ? " " : "", pins->usart,
			pins->port, pins->tx, pins->port, pins->rx);
		if (list->gpio != STUB_GPIO_CRL)
			n += (size_t)snprintf(to + n, size - n, ".%u", pins->function);
		if (pins->listens)
			n += (size_t)snprintf(to + n, size - n, "~%u", pins->listens);
		assert_true(n < size);
	}
}

/* The same but for the clock. */
static bool is_faster_of(const struct stub_list *list, const struct stub_list *of)
{
	char pins[128], pins_of[128];

	if (!of->faster || strcmp(of->faster, list->word) != 0)
		return false;
	describe(list, pins, sizeof(pins));
	describe(of, pins_of, sizeof(pins_of));
	assert_string_equal(pins, pins_of);
	assert_true(list->clock_hz > of->clock_hz);
	assert_int_equal(list->banks, of->banks);
	return true;
}

static void stub_check_19_pins_are_those_of_the_document(void **state)
{
	const struct stub_list *list;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documented); i++) {
		char pins[128];

		list = stub_list_find(documented[i].word);
		assert_non_null(list);
		describe(list, pins, sizeof(pins));
		print_message("# 0x%03X\n", documented[i].product_id);
		assert_string_equal(pins, documented[i].pins);
	}
	/* No list is of no chip. */
	for (size_t i = 0; (list = stub_list_at(i)); i++) {
		bool is_used = false;

		for (size_t k = 0; k < ARRAY_SIZE(documented); k++)
			is_used |= strcmp(documented[k].word, list->word) == 0 ||
				   is_faster_of(list, stub_list_find(documented[k].word));
		assert_true(is_used);
	}
}

/* A row names the list of its id, or none: RAM of 6 KiB is too small on 0x412, 8 on 0x440, and of
 * the C0 the option bytes are not known. */
static void stub_check_19_rows_name_the_lists_of_their_ids(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documented); i++) {
		const char *word =
			stm32_row(shipped_chip((uint16_t)documented[i].product_id))->stub;

		if (!*word)
			continue;
		assert_string_equal(word, documented[i].word);
		n++;
	}
	assert_int_equal(n, ARRAY_SIZE(documented) - 4);
	for (size_t i = 0; i < shipped.n_items; i++)
		n -= strcmp(shipped.items[i].family->rows->name, "stm32") == 0 &&
		     *stm32_row(&shipped.items[i])->stub;
	assert_int_equal(n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_19_steps_are_sound_from_every_state),
		cmocka_unit_test(stub_check_19_words_are_found_and_are_words),
		cmocka_unit_test(stub_check_19_clocks_of_all_candidates_are_on),
		cmocka_unit_test(stub_check_19_pins_are_those_of_the_document),
		cmocka_unit_test(stub_check_19_rows_name_the_lists_of_their_ids),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
