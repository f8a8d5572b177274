/* SPDX-License-Identifier: MIT */
/*
 * stub-setups-k1.c - lists of the series F0, F1 and F3, whose flash is written by half-words.
 *
 * Sources. Addresses and bits: ST's headers (cmsis_device_f0 f3174b2, f1 8a76309, f3 5558e64). Pins
 * and peripherals of the ROM: AN2606 rev. 70. Alternate functions, and the RAM of each part: ST's
 * STM32_open_pin_data 3d64b10 (IP/GPIO-*, Die). Wait states: ll_utils of ST's HAL drivers (above 24
 * MHz one, above 48 MHz two).
 *
 * Clock of the F1. The product ids of the F103 are those of the F101 too, which is rated for 36
 * MHz, and is allowed 36 MHz by PLL from HSI / 2. So a part that nobody has named runs at 36 MHz,
 * and follows 460800 baud; one that a rule names as an F103 has 64 MHz, the most by HSI. The F100
 * is rated for 24 MHz; the F105 multiplies by 9 at most. APB1 has half the clock: an F102 is rated
 * for 24 MHz there, an F103 for 36.
 *
 * HSITRIM is written because ROMs of F0 start with 0 there, 8 % off (AN2606, F070xB, F071, F09x).
 */
#include "loader/stub-setups.h"

#include "base/util.h"

#define RCC	    0x40021000u
#define CR	    (RCC + 0x00)
#define CFGR	    (RCC + 0x04)
#define APB2RST	    (RCC + 0x0C)
#define APB1RST	    (RCC + 0x10)
#define AHBEN	    (RCC + 0x14)
#define APB2EN	    (RCC + 0x18)
#define APB1EN	    (RCC + 0x1C)
#define AHBRST	    (RCC + 0x28) /* not on F1, but for the F105 and F107 */
#define CFGR3	    (RCC + 0x30) /* F0, F3 */
#define FLASH	    0x40022000u
#define ACR	    (FLASH + 0x00)
#define MAPR	    0x40010004u /* of AFIO, F1 */

#define HSION_TRIM  0x000000F9u
#define HSIRDY	    0x00000002u
#define CSSON	    0x00080000u
#define HSEON_PLLON 0x01010000u
#define PLLON	    0x01000000u
#define PLLRDY	    0x02000000u

/* Where all three begin: HSI, and nothing else. */
#define TO_HSI                                                               \
	STUB_CHANGE(CR, HSION_TRIM, 0x81), STUB_UNTIL(CR, HSIRDY, HSIRDY),   \
		STUB_CHANGE(CR, CSSON, 0), STUB_CHANGE(CFGR, 0x3, 0x0),      \
		STUB_UNTIL(CFGR, 0xC, 0x0), STUB_CHANGE(CR, HSEON_PLLON, 0), \
		STUB_UNTIL(CR, PLLRDY, 0)

/* The multiplier and the dividers of the buses, SW of which is HSI; then the PLL. */
#define TO_PLL(cfgr)                                                                           \
	STUB_STORE(CFGR, cfgr), STUB_CHANGE(CR, PLLON, PLLON), STUB_UNTIL(CR, PLLRDY, PLLRDY), \
		STUB_CHANGE(CFGR, 0x3, 0x2), STUB_UNTIL(CFGR, 0xC, 0x8)

/* LATENCY 0-2, HLFCYA 3, PRFTBE 4. */
#define WAIT_STATES(n)	       STUB_CHANGE(ACR, 0x1F, 0x10 | (n)), STUB_UNTIL(ACR, 0x7, n)

#define RESET(register_, bits) STUB_STORE(register_, bits), STUB_STORE(register_, 0)

/* No DMA: FLITF and SRAM (for sleep) alone, of which the stub needs none. */
#define AHB_FLITF_SRAM 0x14u

/* ------------------------------------------------------------------ F1 */

#define CFGR_HSI_9  (7u << 18 | 0x400)	/* HSI / 2 * 9 = 36 MHz, APB1 / 2 */
#define CFGR_HSI_16 (14u << 18 | 0x400) /* HSI / 2 * 16 = 64 MHz, APB1 / 2 */
#define CFGR_HSI_6  (4u << 18)		/* HSI / 2 * 6 = 24 MHz */
#define F1_AFIO	    0x00000001u
#define F1_PORT_A   0x00000004u
#define F1_PORT_B   0x00000008u
#define F1_PORT_D   0x00000020u
#define F1_USART_1  0x00004000u
#define F1_USART_2  0x00020000u
#define F1_CAN_1_2  0x06000000u
#define F1_USB_OTG  0x00001000u /* AHBRSTR of F105, F107 */

#define F1_STEPS(waits, cfgr)                                                             \
	TO_HSI, RESET(APB2RST, F1_AFIO | F1_PORT_A | F1_USART_1),                         \
		STUB_STORE(AHBEN, AHB_FLITF_SRAM),                                        \
		STUB_STORE(APB2EN, F1_AFIO | F1_PORT_A | F1_USART_1), WAIT_STATES(waits), \
		TO_PLL(cfgr)

static const struct stub_step f1_steps[] = {F1_STEPS(1, CFGR_HSI_9)};
static const struct stub_step f103_steps[] = {F1_STEPS(2, CFGR_HSI_16)};

/* Its ACR has neither wait states nor a prefetch buffer: HLFCYA is all. */
static const struct stub_step f100_steps[] = {
	TO_HSI,
	RESET(APB2RST, F1_AFIO | F1_PORT_A | F1_USART_1),
	STUB_STORE(AHBEN, AHB_FLITF_SRAM),
	STUB_STORE(APB2EN, F1_AFIO | F1_PORT_A | F1_USART_1),
	STUB_CHANGE(ACR, 0x8, 0x0),
	TO_PLL(CFGR_HSI_6),
};

#define F1_XL_APB2 (F1_AFIO | F1_PORT_A | F1_PORT_D | F1_USART_1)

#define F1_XL_STEPS(waits, cfgr)                                                   \
	TO_HSI, RESET(APB1RST, F1_USART_2), RESET(APB2RST, F1_XL_APB2),            \
		STUB_STORE(AHBEN, AHB_FLITF_SRAM), STUB_STORE(APB2EN, F1_XL_APB2), \
		STUB_STORE(APB1EN, F1_USART_2), WAIT_STATES(waits), TO_PLL(cfgr)

static const struct stub_step f1_xl_steps[] = {F1_XL_STEPS(1, CFGR_HSI_9)};
static const struct stub_step f103_xl_steps[] = {F1_XL_STEPS(2, CFGR_HSI_16)};

/* PLLMUL 7 is * 9 here too, and PLLSRC 0 is HSI / 2. */
static const struct stub_step f105_steps[] = {
	TO_HSI,
	RESET(AHBRST, F1_USB_OTG),
	RESET(APB1RST, F1_USART_2 | F1_CAN_1_2),
	RESET(APB2RST, F1_XL_APB2 | F1_PORT_B),
	STUB_STORE(AHBEN, AHB_FLITF_SRAM),
	STUB_STORE(APB2EN, F1_XL_APB2),
	STUB_STORE(APB1EN, F1_USART_2),
	WAIT_STATES(1),
	TO_PLL(CFGR_HSI_9),
};

/* USART2_REMAP. A store, because SWJ_CFG of this register does not read as it is. */
static const struct stub_step f1_remap_usart_2[] = {STUB_STORE(MAPR, 0x8)};

#define F1_PINS_1                                          \
	{                                                  \
		.usart = 1, .port = 'A', .tx = 9, .rx = 10 \
	}
#define F1_PINS_2                                                                  \
	{                                                                          \
		.usart = 2, .port = 'D', .tx = 5, .rx = 6, .clock_shift = 1,       \
		.steps = f1_remap_usart_2, .n_steps = ARRAY_SIZE(f1_remap_usart_2) \
	}

#define F1_FACTS                                                                                   \
	.kind = STUB_K1, .usart = STUB_USART_V1, .registers = FLASH, .busy = 0x1,                  \
	.dev_id = 0xE0042000, .may_have_no_dev_id = true, .has_vtor = true, .gpio = STUB_GPIO_CRL, \
	.port_a = 0x40010800, .usart_1 = 0x40013800

/* ------------------------------------------------------------------ F0 */

#define CFGR_HSI_12 (10u << 18) /* HSI / 2 * 12 = 48 MHz; PLLSRC 0 is HSI / 2 on all */
#define F0_PORTS    0x000E0000u /* A, B, C */
#define F0_PORT_A   0x00020000u
#define F0_USART_1  0x00004000u
#define F0_SYSCFG   0x00000001u
#define F0_SPI_1    0x00001000u
#define F0_DBGMCU   0x00400000u /* for DEV_ID */
#define F0_USART_2  0x00020000u
#define F0_I2C_1_2  0x00600000u
#define F0_USB	    0x00800000u

#define F0_STEPS(apb1_resets)                                                               \
	TO_HSI, RESET(APB2RST, F0_SYSCFG | F0_USART_1), RESET(APB1RST, (apb1_resets)),      \
		STUB_STORE(AHBEN, AHB_FLITF_SRAM | F0_PORT_A),                              \
		STUB_STORE(APB2EN, F0_USART_1 | F0_DBGMCU), STUB_STORE(APB1EN, F0_USART_2), \
		STUB_STORE(CFGR3, 0), WAIT_STATES(1), TO_PLL(CFGR_HSI_12)

static const struct stub_step f0_steps[] = {F0_STEPS(F0_USART_2 | F0_I2C_1_2)};
static const struct stub_step f07_steps[] = {F0_STEPS(F0_USART_2 | F0_I2C_1_2 | F0_USB)};

#define F0_PINS_1                                                         \
	{                                                                 \
		.usart = 1, .port = 'A', .tx = 9, .rx = 10, .function = 1 \
	}
#define F0_PINS_2_PA14                                                     \
	{                                                                  \
		.usart = 2, .port = 'A', .tx = 14, .rx = 15, .function = 1 \
	}
#define F0_PINS_2_PA2                                                    \
	{                                                                \
		.usart = 2, .port = 'A', .tx = 2, .rx = 3, .function = 1 \
	}

/* No VTOR in a Cortex-M0. */
#define F0_FACTS                                                                           \
	.kind = STUB_K1, .usart = STUB_USART_V2, .clock_hz = 48000000, .registers = FLASH, \
	.busy = 0x1, .dev_id = 0x40015800, .gpio = STUB_GPIO_MODER, .port_a = 0x48000000,  \
	.usart_1 = 0x40013800

/* ------------------------------------------------------------------ F3 */

#define F3_PORTS   0x001E0000u /* A to D */
#define F3_PORT_D  0x00100000u
#define F3_USART_1 0x00004000u
#define F3_SYSCFG  0x00000001u
#define F3_USART_2 0x00020000u
#define F3_I2C_1   0x00200000u
#define F3_USB	   0x00800000u

/* USARTs run by SYSCLK where CFGR3 has a choice. PPRE1 / 2: APB1 is rated for 36 MHz. Two wait
 * states, one more than 48 MHz need. */
#define F3_STEPS(ports, apb1_resets, cfgr3)                                                  \
	TO_HSI, RESET(APB2RST, F3_SYSCFG | F3_USART_1), RESET(APB1RST, (apb1_resets)),       \
		STUB_STORE(AHBEN, AHB_FLITF_SRAM | (ports)), STUB_STORE(APB2EN, F3_USART_1), \
		STUB_STORE(APB1EN, F3_USART_2), STUB_STORE(CFGR3, cfgr3), WAIT_STATES(2),    \
		TO_PLL(CFGR_HSI_12 | 0x400)

#define F3_BOTH_SYSCLK 0x00010001u /* USART2SW, USART1SW */
#define F3_ONE_SYSCLK  0x00000001u

static const struct stub_step f3_steps[] = {
	F3_STEPS(F0_PORT_A | F3_PORT_D, F3_USART_2 | F3_I2C_1 | F3_USB, F3_BOTH_SYSCLK)};
static const struct stub_step f3_e_steps[] = {
	F3_STEPS(F0_PORT_A, F3_USART_2 | F3_I2C_1 | F3_USB, F3_BOTH_SYSCLK)};
static const struct stub_step f3_s_steps[] = {
	F3_STEPS(F0_PORT_A, F3_USART_2 | F3_I2C_1, F3_ONE_SYSCLK)};

#define F3_PINS_1                                                         \
	{                                                                 \
		.usart = 1, .port = 'A', .tx = 9, .rx = 10, .function = 7 \
	}
#define F3_FACTS                                                                           \
	.kind = STUB_K1, .usart = STUB_USART_V2, .clock_hz = 48000000, .registers = FLASH, \
	.busy = 0x1, .dev_id = 0xE0042000, .has_vtor = true, .gpio = STUB_GPIO_MODER,      \
	.port_a = 0x48000000, .usart_1 = 0x40013800

/* ------------------------------------------------------------------ the lists */

const struct stub_list stub_lists_k1[] = {
	{.word = "f1",
		.faster = "f103",
		.faster_for = "F103",
		.max_baud = 460800,
		F1_FACTS,
		.clock_hz = 36000000,
		.pins = {F1_PINS_1},
		.n_pins = 1,
		.steps = f1_steps,
		.n_steps = ARRAY_SIZE(f1_steps)},
	{.word = "f103",
		F1_FACTS,
		.clock_hz = 64000000,
		.pins = {F1_PINS_1},
		.n_pins = 1,
		.steps = f103_steps,
		.n_steps = ARRAY_SIZE(f103_steps)},
	{.word = "f100",
		.max_baud = 460800,
		F1_FACTS,
		.clock_hz = 24000000,
		.pins = {F1_PINS_1},
		.n_pins = 1,
		.steps = f100_steps,
		.n_steps = ARRAY_SIZE(f100_steps)},
	{.word = "f1-xl",
		.faster = "f103-xl",
		.faster_for = "F103",
		.max_baud = 460800,
		.banks = STUB_BANKS_XL,
		F1_FACTS,
		.clock_hz = 36000000,
		.pins = {F1_PINS_1, F1_PINS_2},
		.n_pins = 2,
		.steps = f1_xl_steps,
		.n_steps = ARRAY_SIZE(f1_xl_steps)},
	{.word = "f103-xl",
		.banks = STUB_BANKS_XL,
		F1_FACTS,
		.clock_hz = 64000000,
		.pins = {F1_PINS_1, F1_PINS_2},
		.n_pins = 2,
		.steps = f103_xl_steps,
		.n_steps = ARRAY_SIZE(f103_xl_steps)},
	{.word = "f105",
		.max_baud = 460800,
		F1_FACTS,
		.clock_hz = 36000000,
		.pins = {F1_PINS_1, F1_PINS_2},
		.n_pins = 2,
		.steps = f105_steps,
		.n_steps = ARRAY_SIZE(f105_steps)},
	{.word = "f0",
		F0_FACTS,
		.pins = {F0_PINS_1, F0_PINS_2_PA14},
		.n_pins = 2,
		.steps = f0_steps,
		.n_steps = ARRAY_SIZE(f0_steps)},
	{.word = "f07",
		F0_FACTS,
		.pins = {F0_PINS_1, F0_PINS_2_PA14},
		.n_pins = 2,
		.steps = f07_steps,
		.n_steps = ARRAY_SIZE(f07_steps)},
	{.word = "f09",
		F0_FACTS,
		.pins = {F0_PINS_1, F0_PINS_2_PA2, F0_PINS_2_PA14},
		.n_pins = 3,
		.steps = f0_steps,
		.n_steps = ARRAY_SIZE(f0_steps)},
	{.word = "f3",
		F3_FACTS,
		.pins = {F3_PINS_1, {.usart = 2, .port = 'D', .tx = 5, .rx = 6, .function = 7}},
		.n_pins = 2,
		.steps = f3_steps,
		.n_steps = ARRAY_SIZE(f3_steps)},
	{.word = "f3-e",
		F3_FACTS,
		.pins = {F3_PINS_1, {.usart = 2, .port = 'A', .tx = 2, .rx = 3, .function = 7}},
		.n_pins = 2,
		.steps = f3_e_steps,
		.n_steps = ARRAY_SIZE(f3_e_steps)},
	/* USART2 has no choice of its clock here: PCLK1. */
	{.word = "f3-s",
		F3_FACTS,
		.pins = {F3_PINS_1, {.usart = 2,
					    .port = 'A',
					    .tx = 2,
					    .rx = 3,
					    .function = 7,
					    .clock_shift = 1}},
		.n_pins = 2,
		.steps = f3_s_steps,
		.n_steps = ARRAY_SIZE(f3_s_steps)},
};

const size_t stub_n_lists_k1 = ARRAY_SIZE(stub_lists_k1);
