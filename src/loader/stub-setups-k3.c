/* SPDX-License-Identifier: MIT */
/*
 * stub-setups-k3.c - lists of the series G0, G4, L4, L4+, WL and C0, whose flash is written by
 * eight bytes.
 *
 * Sources. Addresses and bits: ST's headers (cmsis_device_g0 6988fd4, g4 f4ee399, l4 a253075, wl
 * f005e57, c0 fb56b1b). Sources of SYSCLK and wait states: ll_rcc and ll_utils of ST's HAL drivers
 * (g0 9595728, g4 c8820e3, l4 a9f8b8a, wl 0e14832, c0 41253e2). Pins and peripherals of
 * the ROM: AN2606 rev. 70. Alternate functions: ST's STM32_open_pin_data 3d64b10. Banks: OpenOCD's
 * stm32l4x and the option bits of the headers. Without a list are the C051 and C09x,
 * which those headers do not have, the U0, whose option bytes are not known, and the WB, whose
 * second processor keeps a part of the flash that faults when it is read.
 *
 * 64 MHz by PLL from HSI16 in voltage range 1, which is set: 3 wait states are enough on G4 and 4
 * on L4; the WL goes to 48 MHz, the C0 to 48 MHz without a PLL. CSSON cannot be cleared by
 * software on some of them; without HSE it has no effect.
 *
 * Of ACR the wait states, prefetch and caches are changed, and nothing else: it has the flag of
 * an empty flash too (AN2606, G07x V11.3). Reset bits of peripherals that a smaller part lacks do
 * nothing (ST's HAL writes 0xFFFFFFFF to these registers).
 */
#include "loader/stub-setups.h"

#include "base/util.h"

#define RESET(register_, bits) STUB_STORE(register_, bits), STUB_STORE(register_, 0)

#define HSION		       0x00000100u
#define HSIRDY		       0x00000400u
#define CSSON		       0x00080000u
#define PLLON		       0x01000000u
#define PLLRDY		       0x02000000u

#define PORT_A		       0x00000001u
#define PORTS_AC	       0x00000005u
#define PORTS_AD	       0x0000000Fu
#define USART_1		       0x00004000u
#define SPI_1		       0x00001000u
#define SYSCFG		       0x00000001u
#define USART_2		       0x00020000u
#define USART_3		       0x00040000u
#define SPI_2		       0x00004000u
#define I2C_1_2		       0x00600000u
#define PWR_ON		       0x10000000u

/* LATENCY 0-3 (or 0-2), PRFTEN 8, ICEN 9, DCEN 10 (not on G0 and C0). */
#define WAIT_STATES(acr, off, n) STUB_CHANGE(acr, off, n), STUB_UNTIL(acr, 0x7, n)

/* VOS 9-10 is 1: range 1; VOSF of SR2 ends. */
#define RANGE_1(pwr) STUB_CHANGE((pwr) + 0x00, 0x600, 0x200), STUB_UNTIL((pwr) + 0x14, 0x400, 0)

#define PWR	     0x40007000u
#define ACR	     0x40022000u
#define STEPS(list)  .steps = (list), .n_steps = ARRAY_SIZE(list)

#define PINS(usart_, port_, tx_, rx_, function_)                              \
	{                                                                     \
		.usart = (usart_), .port = (port_), .tx = (tx_), .rx = (rx_), \
		.function = (function_)                                       \
	}

/* WWDG_SW of the option word. */
#define WWDG_SW 0x00080000u

/* ------------------------------------------------------------------ G0, C0 */

#define RCC	0x40021000u
#define CR	(RCC + 0x00)
#define ICSCR	(RCC + 0x04)
#define CFGR	(RCC + 0x08)
#define PLLCFGR (RCC + 0x0C)
#define IOPRST	(RCC + 0x24)
#define AHBRST	(RCC + 0x28)
#define APBRST1 (RCC + 0x2C)
#define APBRST2 (RCC + 0x30)
#define IOPEN	(RCC + 0x34)
#define AHBEN	(RCC + 0x38)
#define APBEN1	(RCC + 0x3C)
#define APBEN2	(RCC + 0x40)
#define CCIPR	(RCC + 0x54)
#define CFGR1	0x40010000u /* of SYSCFG */
#define DMA_1	0x00000001u
#define DMA_1_2 0x00000003u
#define FLASHEN 0x00000100u
#define DBG	0x08000000u /* for DEV_ID */
#define USB	0x00002000u
#define FDCAN	0x00001000u

/* HSITRIM 64: some ROMs leave another value (AN2606, G07x V11.2). */
#define G0_TO_HSI                                                                   \
	STUB_CHANGE(CR, HSION | 0x3800, HSION), STUB_CHANGE(ICSCR, 0x7F00, 0x4000), \
		STUB_UNTIL(CR, HSIRDY, HSIRDY), STUB_CHANGE(CR, CSSON, 0),          \
		STUB_CHANGE(CFGR, 0x7, 0x0), STUB_UNTIL(CFGR, 0x38, 0x0),           \
		STUB_CHANGE(CR, 0x01010000, 0), STUB_UNTIL(CR, PLLRDY, 0)

#define G0_CLOCKS(dma, apb1_resets, ports, apb1)                                                   \
	RESET(APBRST2, USART_1 | SPI_1 | SYSCFG), RESET(APBRST1, apb1_resets), RESET(AHBRST, dma), \
		RESET(IOPRST, PORTS_AD), STUB_STORE(IOPEN, ports), STUB_STORE(AHBEN, FLASHEN),     \
		STUB_STORE(APBEN1, PWR_ON | DBG | (apb1)), STUB_STORE(APBEN2, USART_1 | SYSCFG),   \
		STUB_STORE(CCIPR, 0)

/* HSI16 / 2 * 16 / 2; HPRE and PPRE 1. */
#define G0_TO_PLL                                                                   \
	RANGE_1(PWR), WAIT_STATES(ACR, 0x307, 0x2),                                 \
		STUB_STORE(PLLCFGR, 1u << 29 | 1u << 28 | 16u << 8 | 1u << 4 | 2u), \
		STUB_CHANGE(CFGR, 0x7F00, 0), STUB_CHANGE(CR, PLLON, PLLON),        \
		STUB_UNTIL(CR, PLLRDY, PLLRDY), STUB_CHANGE(CFGR, 0x7, 0x2),        \
		STUB_UNTIL(CFGR, 0x38, 0x10)

static const struct stub_step g0_steps[] = {
	G0_TO_HSI,
	G0_CLOCKS(DMA_1, USART_2 | I2C_1_2 | SPI_2, PORT_A, USART_2),
	G0_TO_PLL,
};

static const struct stub_step g07_steps[] = {
	G0_TO_HSI,
	G0_CLOCKS(DMA_1, USART_2 | USART_3 | I2C_1_2 | SPI_2, PORTS_AC, USART_2 | USART_3),
	G0_TO_PLL,
};

static const struct stub_step g0b_steps[] = {
	G0_TO_HSI,
	G0_CLOCKS(DMA_1_2, USART_2 | USART_3 | I2C_1_2 | SPI_2 | USB | FDCAN, PORTS_AC,
		USART_2 | USART_3),
	G0_TO_PLL,
};

/* HSI48 / 4, as after reset, and undivided only once the flash waits. PPRE and HPRE 1. */
#define C0_STEPS(apb1_resets)                                                                   \
	STUB_CHANGE(CR, HSION | 0x3800, HSION | 0x1000), STUB_CHANGE(ICSCR, 0x7F00, 0x4000),    \
		STUB_UNTIL(CR, HSIRDY, HSIRDY), STUB_CHANGE(CR, CSSON, 0),                      \
		STUB_CHANGE(CFGR, 0x7, 0x0), STUB_UNTIL(CFGR, 0x38, 0x0),                       \
		STUB_CHANGE(CR, 0x00010000, 0), G0_CLOCKS(DMA_1, apb1_resets, PORT_A, USART_2), \
		WAIT_STATES(ACR, 0x307, 0x1), STUB_CHANGE(CFGR, 0x7F00, 0),                     \
		STUB_CHANGE(CR, 0x3800, 0)

static const struct stub_step c0_steps[] = {C0_STEPS(USART_2 | 0x00200000)};
static const struct stub_step c07_steps[] = {C0_STEPS(USART_2 | I2C_1_2 | SPI_2 | USB)};

/* Small packages have PA9 and PA10 where others have PA11 and PA12: the ROM exchanges them there
 * (AN2606), and so does the stub, if the line is heard at PA12. PA11_RMP, PA12_RMP. */
static const struct stub_step remap_pa9_pa10[] = {STUB_CHANGE(CFGR1, 0x18, 0x18)};

#define G0_PINS_REMAPPED                                                                  \
	{                                                                                 \
		.usart = 1, .port = 'A', .tx = 9, .rx = 10, .function = 1, .listens = 12, \
		.steps = remap_pa9_pa10, .n_steps = ARRAY_SIZE(remap_pa9_pa10)            \
	}
#define G0_PINS_1 PINS(1, 'A', 9, 10, 1)
#define G0_PINS_2 PINS(2, 'A', 2, 3, 1)
#define G0_PINS_3 PINS(3, 'C', 10, 11, 0)

/* busy: BSY1, CFGBSY. */
#define G0_FACTS                                                            \
	.kind = STUB_K3, .usart = STUB_USART_V2, .registers = 0x40022000,   \
	.window_watchdog = WWDG_SW, .dev_id = 0x40015800, .has_vtor = true, \
	.gpio = STUB_GPIO_MODER, .port_a = 0x50000000, .usart_1 = 0x40013800

/* ------------------------------------------------------------------ G4, L4, L4+, WL */

/* Offsets are those of all four; the WL has RCC and PWR elsewhere. */
#define X_CR(rcc)      ((rcc) + 0x00)
#define X_ICSCR(rcc)   ((rcc) + 0x04)
#define X_CFGR(rcc)    ((rcc) + 0x08)
#define X_PLLCFGR(rcc) ((rcc) + 0x0C)
#define X_AHB1RST(rcc) ((rcc) + 0x28)
#define X_AHB2RST(rcc) ((rcc) + 0x2C)
#define X_APB1RST(rcc) ((rcc) + 0x38)
#define X_APB2RST(rcc) ((rcc) + 0x40)
#define X_AHB1EN(rcc)  ((rcc) + 0x48)
#define X_AHB2EN(rcc)  ((rcc) + 0x4C)
#define X_AHB3EN(rcc)  ((rcc) + 0x50)
#define X_APB1EN(rcc)  ((rcc) + 0x58)
#define X_APB2EN(rcc)  ((rcc) + 0x60)
#define X_CCIPR(rcc)   ((rcc) + 0x88)

#define WL_RCC	       0x58000000u
#define WL_PWR	       0x58000400u
#define WL_ACR	       0x58004000u
#define EXTCFGR	       (WL_RCC + 0x108)
#define DMA_MUX	       0x00000007u /* DMA1, DMA2, DMAMUX1 */
#define I2C_3	       0x00800000u
#define G4_I2C_3       0x40000000u
#define G4_USB	       0x00800000u
#define CAN_1	       0x02000000u
#define USB_FS	       0x04000000u
#define OTG_FS	       0x00001000u
#define SPI_3	       0x00008000u
#define WL_FLASH       0x02000000u /* AHB3ENR */

/* SW 1 is HSI16. HSE, PLL and the PLLSAIs, which share PLLM, go off. */
#define X_TO_HSI(rcc)                                                                     \
	STUB_CHANGE(X_CR(rcc), HSION, HSION), STUB_UNTIL(X_CR(rcc), HSIRDY, HSIRDY),      \
		STUB_CHANGE(X_CR(rcc), CSSON, 0), STUB_CHANGE(X_CFGR(rcc), 0x3, 0x1),     \
		STUB_UNTIL(X_CFGR(rcc), 0xC, 0x4), STUB_CHANGE(X_CR(rcc), 0x15010000, 0), \
		STUB_UNTIL(X_CR(rcc), 0x2A000000, 0)

/* SW 3 is the PLL. HPRE, PPRE1 and PPRE2 1. */
#define X_TO_PLL(rcc, pllcfgr)                                                               \
	STUB_STORE(X_PLLCFGR(rcc), pllcfgr), STUB_CHANGE(X_CFGR(rcc), 0x3FF0, 0),            \
		STUB_CHANGE(X_CR(rcc), PLLON, PLLON), STUB_UNTIL(X_CR(rcc), PLLRDY, PLLRDY), \
		STUB_CHANGE(X_CFGR(rcc), 0x3, 0x3), STUB_UNTIL(X_CFGR(rcc), 0xC, 0xC)

#define X_RESETS(rcc, ahb2, apb1)                                            \
	RESET(X_APB2RST(rcc), USART_1 | SPI_1), RESET(X_APB1RST(rcc), apb1), \
		RESET(X_AHB1RST(rcc), DMA_MUX), RESET(X_AHB2RST(rcc), PORTS_AD | (ahb2))

#define PLLCFGR_64    (1u << 24 | 32u << 8 | 3u << 4 | 2u)	      /* HSI16 / 4 * 32 / 2 */
#define WL_PLLCFGR_48 (1u << 29 | 1u << 28 | 12u << 8 | 1u << 4 | 2u) /* HSI16 / 2 * 12 / 2 */

static const struct stub_step g4_steps[] = {
	X_TO_HSI(RCC),
	STUB_CHANGE(X_ICSCR(RCC), 0x7F000000, 0x40000000), /* HSITRIM */
	X_RESETS(RCC, 0, USART_2 | USART_3 | I2C_1_2 | G4_I2C_3 | SPI_2 | G4_USB | CAN_1),
	STUB_STORE(X_AHB1EN(RCC), FLASHEN),
	STUB_STORE(X_AHB2EN(RCC), PORTS_AC),
	STUB_STORE(X_APB1EN(RCC), PWR_ON | USART_2 | USART_3),
	STUB_STORE(X_APB2EN(RCC), USART_1),
	STUB_STORE(X_CCIPR(RCC), 0),
	RANGE_1(PWR),
	WAIT_STATES(ACR, 0x70F, 0x3),
	X_TO_PLL(RCC, PLLCFGR_64),
};

/* HSITRIM has other bits on other parts: it stays. */
#define L4_STEPS(off)                                                                          \
	X_TO_HSI(RCC),                                                                         \
		X_RESETS(RCC, OTG_FS,                                                          \
			USART_2 | USART_3 | I2C_1_2 | I2C_3 | SPI_2 | CAN_1 | USB_FS),         \
		STUB_STORE(X_AHB1EN(RCC), FLASHEN), STUB_STORE(X_AHB2EN(RCC), PORTS_AC),       \
		STUB_STORE(X_APB1EN(RCC), PWR_ON | USART_2 | USART_3),                         \
		STUB_STORE(X_APB2EN(RCC), USART_1), STUB_STORE(X_CCIPR(RCC), 0), RANGE_1(PWR), \
		WAIT_STATES(ACR, off, 0x4), X_TO_PLL(RCC, PLLCFGR_64)

static const struct stub_step l4_steps[] = {L4_STEPS(0x707)};
static const struct stub_step l4_plus_steps[] = {L4_STEPS(0x70F)};

/* AHB3 has what both processors share: a change, not a store. SHDHPRE 1: the flash runs by it. */
static const struct stub_step wl_steps[] = {
	X_TO_HSI(WL_RCC),
	STUB_CHANGE(X_ICSCR(WL_RCC), 0x7F000000, 0x40000000),
	X_RESETS(WL_RCC, 0, USART_2 | SPI_2),
	STUB_STORE(X_AHB1EN(WL_RCC), 0),
	STUB_STORE(X_AHB2EN(WL_RCC), PORT_A),
	STUB_CHANGE(X_AHB3EN(WL_RCC), WL_FLASH, WL_FLASH),
	STUB_STORE(X_APB1EN(WL_RCC), USART_2),
	STUB_STORE(X_APB2EN(WL_RCC), USART_1),
	STUB_STORE(X_CCIPR(WL_RCC), 0),
	RANGE_1(WL_PWR),
	WAIT_STATES(WL_ACR, 0x707, 0x2),
	STUB_CHANGE(EXTCFGR, 0xF, 0),
	X_TO_PLL(WL_RCC, WL_PLLCFGR_48),
};

#define X_PINS_1 PINS(1, 'A', 9, 10, 7)
#define X_PINS_2 PINS(2, 'A', 2, 3, 7)
#define X_PINS_3 PINS(3, 'C', 10, 11, 7)

#define X_FACTS                                                                                    \
	.kind = STUB_K3, .usart = STUB_USART_V2, .window_watchdog = WWDG_SW, .dev_id = 0xE0042000, \
	.has_vtor = true, .gpio = STUB_GPIO_MODER, .port_a = 0x48000000, .usart_1 = 0x40013800

/* ------------------------------------------------------------------ the lists */

const struct stub_list stub_lists_k3[] = {
	{.word = "g0",
		G0_FACTS,
		.clock_hz = 64000000,
		.busy = 0x50000,
		.pins = {G0_PINS_1, G0_PINS_2, G0_PINS_REMAPPED},
		.n_pins = 3,
		STEPS(g0_steps)},
	{.word = "g07",
		G0_FACTS,
		.clock_hz = 64000000,
		.busy = 0x50000,
		.pins = {G0_PINS_1, G0_PINS_2, G0_PINS_3},
		.n_pins = 3,
		STEPS(g07_steps)},
	{.word = "g0b",
		G0_FACTS,
		.clock_hz = 64000000,
		.busy = 0x70000, /* BSY2 */
		.bank_2 = 0x2000,
		.banks = STUB_BANKS_OPTION,
		.pins = {G0_PINS_1, G0_PINS_2, G0_PINS_3},
		.n_pins = 3,
		STEPS(g0b_steps)},
	/* Its ROM listens to USART1 alone. */
	{.word = "c03",
		G0_FACTS,
		.clock_hz = 48000000,
		.busy = 0x50000,
		.pins = {G0_PINS_1, G0_PINS_REMAPPED},
		.n_pins = 2,
		STEPS(c0_steps)},
	/* PA11 and PA12 are USB here, and never exchanged (AN2606). */
	{.word = "c07",
		G0_FACTS,
		.clock_hz = 48000000,
		.busy = 0x50000,
		.pins = {G0_PINS_1, G0_PINS_2},
		.n_pins = 2,
		STEPS(c07_steps)},
	{.word = "g4",
		X_FACTS,
		.clock_hz = 64000000,
		.registers = 0x40022000,
		.busy = 0x10000,
		.pins = {X_PINS_1, X_PINS_2, X_PINS_3},
		.n_pins = 3,
		STEPS(g4_steps)},
	{.word = "g47",
		X_FACTS,
		.clock_hz = 64000000,
		.registers = 0x40022000,
		.busy = 0x10000,
		.bank_2 = 0x800,
		.banks = STUB_BANKS_PAGE_SIZE_GAP,
		.two_bank_page = 2048,
		.pins = {X_PINS_1, X_PINS_2, X_PINS_3},
		.n_pins = 3,
		STEPS(g4_steps)},
	{.word = "l4",
		X_FACTS,
		.clock_hz = 64000000,
		.registers = 0x40022000,
		.busy = 0x10000,
		.pins = {X_PINS_1, X_PINS_2, X_PINS_3},
		.n_pins = 3,
		STEPS(l4_steps)},
	{.word = "l47",
		X_FACTS,
		.clock_hz = 64000000,
		.registers = 0x40022000,
		.busy = 0x10000,
		.bank_2 = 0x800,
		.banks = STUB_BANKS_LARGEST,
		.pins = {X_PINS_1, X_PINS_2, X_PINS_3},
		.n_pins = 3,
		STEPS(l4_steps)},
	{.word = "l4-plus",
		X_FACTS,
		.clock_hz = 64000000,
		.registers = 0x40022000,
		.busy = 0x10000,
		.bank_2 = 0x800,
		.banks = STUB_BANKS_PAGE_SIZE,
		.two_bank_page = 4096,
		.pins = {X_PINS_1, X_PINS_2, X_PINS_3},
		.n_pins = 3,
		STEPS(l4_plus_steps)},
	{.word = "wl",
		X_FACTS,
		.clock_hz = 48000000,
		.registers = 0x58004000,
		.busy = 0x50000,
		.pins = {X_PINS_1, X_PINS_2},
		.n_pins = 2,
		STEPS(wl_steps)},
};

const size_t stub_n_lists_k3 = ARRAY_SIZE(stub_lists_k3);
