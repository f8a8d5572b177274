/* SPDX-License-Identifier: MIT */
/*
 * stub-setups-k2.c - lists of the series F2, F4 and F7, whose flash has sectors.
 *
 * Sources. Addresses and bits: ST's headers (cmsis_device_f2 49321f1, f4 cdbad76, f7 b01bc43). Pins
 * and peripherals of the ROM: AN2606 rev. 70. Alternate functions: ST's STM32_open_pin_data
 * 3d64b10. Wait states: at the lowest supply, 1.8 V, one is needed for each 16 MHz begun (F2, F401,
 * F410 to F413) or each 20 MHz (the others), so three are enough for 60 MHz, 2 % off, everywhere.
 *
 * 60 MHz is what the ROM takes on most of them. Every voltage scale allows it: scale 3 of the F411
 * goes up to 64 MHz. VCO 240 MHz with PLLM 16 and PLLN 240 is in bounds everywhere (the F401 wants
 * a PLLN of 192 at least). PLLR 2 where it is, and in its reset value where it is not. APB1 has
 * half the clock (F2: 30 MHz at most).
 */
#include "loader/stub-setups.h"

#include "base/util.h"

#define RCC		       0x40023800u
#define CR		       (RCC + 0x00)
#define PLLCFGR		       (RCC + 0x04)
#define CFGR		       (RCC + 0x08)
#define AHB1RST		       (RCC + 0x10)
#define AHB2RST		       (RCC + 0x14)
#define APB1RST		       (RCC + 0x20)
#define APB2RST		       (RCC + 0x24)
#define AHB1EN		       (RCC + 0x30)
#define APB1EN		       (RCC + 0x40)
#define APB2EN		       (RCC + 0x44)
#define DCKCFGR		       (RCC + 0x90) /* F7: DCKCFGR2 */
#define FLASH		       0x40023C00u
#define ACR		       (FLASH + 0x00)

#define HSION_TRIM	       0x000000F9u
#define HSIRDY		       0x00000002u
#define CSSON		       0x00080000u
#define PLLON		       0x01000000u
#define PLLRDY		       0x02000000u
#define HSE_PLLS_ON	       0x15010000u /* HSE, PLL, PLLI2S, PLLSAI, which share PLLM */
#define PLLS_READY	       0x2A000000u

#define PORTS_A_C	       0x00000007u
#define PORT_A		       0x00000001u
#define PORT_B		       0x00000002u
#define PORT_C		       0x00000004u
#define PORT_D		       0x00000008u
#define DMA_1_2		       0x00600000u
#define OTG_FS		       0x00000080u
#define USART_1		       0x00000010u
#define SPI_1		       0x00001000u
#define USART_2		       0x00020000u
#define USART_3		       0x00040000u
#define I2C_1_2		       0x00600000u
#define I2C_3		       0x00800000u
#define SPI_2		       0x00004000u
#define CAN_1_2		       0x06000000u

#define RESET(register_, bits) STUB_STORE(register_, bits), STUB_STORE(register_, 0)

#define TO_HSI                                                               \
	STUB_CHANGE(CR, HSION_TRIM, 0x81), STUB_UNTIL(CR, HSIRDY, HSIRDY),   \
		STUB_CHANGE(CR, CSSON, 0), STUB_CHANGE(CFGR, 0x3, 0x0),      \
		STUB_UNTIL(CFGR, 0xC, 0x0), STUB_CHANGE(CR, HSE_PLLS_ON, 0), \
		STUB_UNTIL(CR, PLLS_READY, 0)

#define RESETS(ports, otg, apb1)                                                    \
	RESET(APB2RST, USART_1 | SPI_1), RESET(APB1RST, apb1), RESET(AHB2RST, otg), \
		RESET(AHB1RST, (ports) | DMA_1_2)

/* The AHB clocks are ports alone: no DMA. */
#define CLOCKS(ports, apb1) \
	STUB_STORE(AHB1EN, ports), STUB_STORE(APB1EN, apb1), STUB_STORE(APB2EN, USART_1)

/* LATENCY 0-3, PRFTEN 8, ICEN 9 (F7: ARTEN), DCEN 10. The caches stay off: nothing runs from
 * flash, and what is read for a proof must come from the cells. */
#define WAIT_STATES(off) STUB_CHANGE(ACR, off, 0x4), STUB_UNTIL(ACR, 0x7, 0x4)
#define F2_F4_OFF	 0x707u
#define F7_OFF		 0x30Fu

#define TO_PLL                                                                    \
	STUB_STORE(PLLCFGR, 2u << 28 | 5u << 24 | 1u << 16 | 240u << 6 | 16u),    \
		STUB_CHANGE(CFGR, 0xFCF0, 0x1000), STUB_CHANGE(CR, PLLON, PLLON), \
		STUB_UNTIL(CR, PLLRDY, PLLRDY), STUB_CHANGE(CFGR, 0x3, 0x2),      \
		STUB_UNTIL(CFGR, 0xC, 0x8)

/* USART1, and USART3 on two pairs of pins. */
static const struct stub_step f4_steps[] = {
	TO_HSI,
	RESETS(PORTS_A_C | PORT_D, OTG_FS, USART_2 | USART_3 | I2C_1_2 | I2C_3 | SPI_2 | CAN_1_2),
	CLOCKS(PORTS_A_C, USART_3),
	WAIT_STATES(F2_F4_OFF),
	TO_PLL,
};

/* F412, F413: USART2, and USART3 on PB10 and PB11 alone. */
static const struct stub_step f412_steps[] = {
	TO_HSI,
	RESETS(PORTS_A_C | PORT_D, OTG_FS, USART_2 | USART_3 | I2C_1_2 | I2C_3 | SPI_2 | CAN_1_2),
	CLOCKS(PORT_A | PORT_B | PORT_D, USART_2 | USART_3),
	WAIT_STATES(F2_F4_OFF),
	TO_PLL,
};

static const struct stub_step f401_steps[] = {
	TO_HSI,
	RESETS(PORTS_A_C | PORT_D, OTG_FS, USART_2 | I2C_1_2 | I2C_3 | SPI_2),
	CLOCKS(PORT_A | PORT_D, USART_2),
	WAIT_STATES(F2_F4_OFF),
	TO_PLL,
};

/* It has neither USB nor a port D. */
static const struct stub_step f410_steps[] = {
	TO_HSI,
	RESET(APB2RST, USART_1 | SPI_1),
	RESET(APB1RST, USART_2 | I2C_1_2 | SPI_2),
	RESET(AHB1RST, PORTS_A_C | DMA_1_2),
	CLOCKS(PORT_A, USART_2),
	WAIT_STATES(F2_F4_OFF),
	TO_PLL,
};

/* Both USARTs by SYSCLK: USART3SEL and USART1SEL are 1. */
static const struct stub_step f7_steps[] = {
	TO_HSI,
	RESETS(PORTS_A_C | PORT_D, OTG_FS, USART_2 | USART_3 | I2C_1_2 | I2C_3 | SPI_2 | CAN_1_2),
	CLOCKS(PORTS_A_C, USART_3),
	STUB_STORE(DCKCFGR, 0x11),
	WAIT_STATES(F7_OFF),
	TO_PLL,
};

#define PINS(usart_, port_, tx_, rx_, shift)                                                 \
	{                                                                                    \
		.usart = (usart_), .port = (port_), .tx = (tx_), .rx = (rx_), .function = 7, \
		.clock_shift = (shift)                                                       \
	}
#define PINS_1_3(shift) \
	PINS(1, 'A', 9, 10, 0), PINS(3, 'B', 10, 11, shift), PINS(3, 'C', 10, 11, shift)

#define FACTS                                                                                  \
	.kind = STUB_K2, .clock_hz = 60000000, .registers = FLASH, .busy = 0x10000,            \
	.dev_id = 0xE0042000, .has_vtor = true, .gpio = STUB_GPIO_MODER, .port_a = 0x40020000, \
	.usart_1 = 0x40011000

#define STEPS(list) .steps = (list), .n_steps = ARRAY_SIZE(list)

/* WWDG_SW is bit 4 of the option word on the F7; F2 and F4 cannot start it by an option byte. */
#define F7_WWDG_SW 0x10u

const struct stub_list stub_lists_k2[] = {
	{.word = "f2",
		FACTS,
		.usart = STUB_USART_V1,
		.pins = {PINS_1_3(1)},
		.n_pins = 3,
		STEPS(f4_steps)},
	{.word = "f4",
		FACTS,
		.usart = STUB_USART_V1,
		.pins = {PINS_1_3(1)},
		.n_pins = 3,
		STEPS(f4_steps)},
	{.word = "f42",
		FACTS,
		.usart = STUB_USART_V1,
		.banks = STUB_BANKS_SNB,
		.pins = {PINS_1_3(1)},
		.n_pins = 3,
		STEPS(f4_steps)},
	{.word = "f412",
		FACTS,
		.usart = STUB_USART_V1,
		.pins = {PINS(1, 'A', 9, 10, 0), PINS(2, 'D', 5, 6, 1), PINS(3, 'B', 10, 11, 1)},
		.n_pins = 3,
		STEPS(f412_steps)},
	{.word = "f401",
		FACTS,
		.usart = STUB_USART_V1,
		.pins = {PINS(1, 'A', 9, 10, 0), PINS(2, 'D', 5, 6, 1)},
		.n_pins = 2,
		STEPS(f401_steps)},
	{.word = "f410",
		FACTS,
		.usart = STUB_USART_V1,
		.pins = {PINS(1, 'A', 9, 10, 0), PINS(2, 'A', 2, 3, 1)},
		.n_pins = 2,
		STEPS(f410_steps)},
	{.word = "f7",
		FACTS,
		.usart = STUB_USART_V2,
		.window_watchdog = F7_WWDG_SW,
		.pins = {PINS_1_3(0)},
		.n_pins = 3,
		STEPS(f7_steps)},
	{.word = "f76",
		FACTS,
		.usart = STUB_USART_V2,
		.window_watchdog = F7_WWDG_SW,
		.banks = STUB_BANKS_SNB,
		.pins = {PINS_1_3(0)},
		.n_pins = 3,
		STEPS(f7_steps)},
};

const size_t stub_n_lists_k2 = ARRAY_SIZE(stub_lists_k2);
