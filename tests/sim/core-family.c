/* SPDX-License-Identifier: MIT */
/*
 * core-family.c - see core-family.h.
 */
#include "sim/core-family.h"

#include <stddef.h>

#include "base/util.h"

#define MHZ UINT64_C(1000000)

/* USART 1 to 3 of all but F4 and F7, on the pins that the ROMs listen on (AN2606). */
#define USART1(pins_)                                                                              \
	{                                                                                          \
		.number = 1, .base = 0x40013800, .port = 0, .tx = 9, .rx = 10, .alternate = pins_, \
		.is_on_apb2 = true                                                                 \
	}
#define USART2(pins_, select_)                                                                    \
	{                                                                                         \
		.number = 2, .base = 0x40004400, .port = 0, .tx = 2, .rx = 3, .alternate = pins_, \
		.select = select_                                                                 \
	}
#define USART3(pins_, select_)                                                  \
	{                                                                       \
		.number = 3, .base = 0x40004800, .port = 2, .tx = 10, .rx = 11, \
		.alternate = pins_, .select = select_                           \
	}

/* PA9 and PA10 on the pins of PA11 and PA12, until SYSCFG exchanges them (G0, C0). */
#define USART1_SMALL                                                                           \
	{                                                                                      \
		.number = 1, .base = 0x40013800, .port = 0, .tx = 9, .rx = 10, .alternate = 1, \
		.is_on_apb2 = true, .pad = 12, .remap = 0x18                                   \
	}
#define USART2_PD(pins_, select_)                                                                 \
	{                                                                                         \
		.number = 2, .base = 0x40004400, .port = 3, .tx = 5, .rx = 6, .alternate = pins_, \
		.select = select_                                                                 \
	}
#define F4_USART1                                                                              \
	{                                                                                      \
		.number = 1, .base = 0x40011000, .port = 0, .tx = 9, .rx = 10, .alternate = 7, \
		.is_on_apb2 = true                                                             \
	}
#define F4_USART3(port_, select_)                                                   \
	{                                                                           \
		.number = 3, .base = 0x40004800, .port = port_, .tx = 10, .rx = 11, \
		.alternate = 7, .select = select_                                   \
	}

/* GPIOs A to F, one behind the other, enabled by neighbouring bits. */
#define GPIOS(base_, enable_, bit_)                                                     \
	{base_, enable_, bit_}, {base_ + 0x400, enable_, bit_ + 1},                     \
		{base_ + 0x800, enable_, bit_ + 2}, {base_ + 0xC00, enable_, bit_ + 3}, \
		{base_ + 0x1000, enable_, bit_ + 4},                                    \
	{                                                                               \
		base_ + 0x1400, enable_, bit_ + 5                                       \
	}

#define F4_AND_F7                                                                               \
	.cpu = CPU_M4, .rcc_kind = CORE_RCC_F4, .flash_kind = CORE_FLASH_K2, .rcc = 0x40023800, \
	.flash = 0x40023C00, .gpio = 0x40020000, .dev_id = 0xE0042000,                          \
	.gates = {GPIOS(0x40020000, 0x30, 0), {0x40011000, 0x44, 4}, {0x40013800, 0x44, 14},    \
		{0x40004400, 0x40, 17}, {0x40004800, 0x40, 18}, {0x40007000, 0x40, 28},         \
		{0x40023000, 0x30, 12}},                                                        \
	.hsi_hz = 16 * MHZ, .wait_hz = 20 * MHZ, .pll_lock_nsec = 300000,                       \
	.resets = {{0x00, 0x83}, {0x04, 0x24003010}, {0x30, 0x00100000}},                       \
	.left_by_rom = {{0x00, 0x03000083}, {0x04, 0x24013C10}, {0x08, 0x100A},                 \
		{0x30, 0x00100001}, {0x44, 0x10}}

#define G4_AND_L4                                                                            \
	.cpu = CPU_M4, .rcc_kind = CORE_RCC_G4L4, .flash_kind = CORE_FLASH_K3,               \
	.has_usart_v2 = true, .rcc = 0x40021000, .flash = 0x40022000, .gpio = 0x48000000,    \
	.dev_id = 0xE0042000,                                                                \
	.gates = {GPIOS(0x48000000, 0x4C, 0), {0x40010000, 0x60, 0}, {0x40013800, 0x60, 14}, \
		{0x40004400, 0x58, 17}, {0x40004800, 0x58, 18}, {0x40007000, 0x58, 28},      \
		{0x40022000, 0x48, 8}, {0x40023000, 0x48, 12}},                              \
	.usarts = {USART1(7), USART2(7, 2), USART3(7, 4)}, .select_register = 0x88,          \
	.hsi_hz = 16 * MHZ, .pll_lock_nsec = 40000, .bank_bit = 11

static const struct core_family families[] = {
	{
		.name = "F1",
		.ids = {0x410, 0x412, 0x414, 0x418, 0x420, 0x428, 0x430},
		.cpu = CPU_M3,
		.rcc_kind = CORE_RCC_F0F1,
		.flash_kind = CORE_FLASH_K1,
		.has_gpio_f1 = true,
		.rcc = 0x40021000,
		.flash = 0x40022000,
		.gpio = 0x40010800,
		.dev_id = 0xE0042000,
		.hides_dev_id = true, /* errata of F10x: only with a debugger */
		.gates = {GPIOS(0x40010800, 0x18, 2), {0x40010000, 0x18, 0}, {0x40013800, 0x18, 14},
			{0x40004400, 0x1C, 17}, {0x40004800, 0x1C, 18}, {0x40007000, 0x1C, 28},
			{0x40006C00, 0x1C, 27}, {0x40023000, 0x14, 6}},
		.usarts = {USART1(0), {.number = 2,
					      .base = 0x40004400,
					      .port = 3,
					      .tx = 5,
					      .rx = 6,
					      .remap_register = 4,
					      .remap = 0x8}},
		.hsi_hz = 8 * MHZ,
		.wait_hz = 24 * MHZ,
		.max_hz = 72 * MHZ,
		.max_pclk1_hz = 36 * MHZ,
		.pll_lock_nsec = 200000,
		.flash_reset_acr = 0x30,
		.resets = {{0x00, 0x83}, {0x14, 0x14}, {0x24, 0x0C000000}},
		/* Its code puts HSI back before it jumps (ROM V2.2). */
		.left_by_rom = {{0x18, 0x4005}},
	},
	{
		.name = "F0",
		.ids = {0x440, 0x442, 0x444, 0x448},
		.cpu = CPU_M0,
		.rcc_kind = CORE_RCC_F0F1,
		.flash_kind = CORE_FLASH_K1,
		.has_usart_v2 = true,
		.rcc = 0x40021000,
		.flash = 0x40022000,
		.gpio = 0x48000000,
		.dev_id = 0x40015800,
		.gates = {GPIOS(0x48000000, 0x14, 17), {0x40010000, 0x18, 0},
			{0x40013800, 0x18, 14}, {0x40004400, 0x1C, 17}, {0x40004800, 0x1C, 18},
			{0x40007000, 0x1C, 28}, {0x40023000, 0x14, 6}, {0x40015800, 0x18, 22}},
		.usarts = {USART1(1),
			{.number = 2,
				.base = 0x40004400,
				.port = 0,
				.tx = 14,
				.rx = 15,
				.alternate = 1,
				.select = 16},
			USART2(1, 16)},
		.select_register = 0x30,
		.hsi_hz = 8 * MHZ,
		.wait_hz = 24 * MHZ,
		.max_hz = 48 * MHZ,
		.max_pclk1_hz = 48 * MHZ,
		.pll_lock_nsec = 200000,
		.resets = {{0x00, 0x83}, {0x14, 0x14}, {0x34, 0x80}},
		.left_by_rom = {{0x00, 0x03000083}, {0x04, 0x0028000A}, {0x14, 0x20014},
			{0x18, 0x4001}},
	},
	{
		.name = "F3",
		.ids = {0x422, 0x432, 0x438, 0x439, 0x446},
		.cpu = CPU_M4,
		.rcc_kind = CORE_RCC_F0F1,
		.flash_kind = CORE_FLASH_K1,
		.has_usart_v2 = true,
		.rcc = 0x40021000,
		.flash = 0x40022000,
		.gpio = 0x48000000,
		.dev_id = 0xE0042000,
		.gates = {GPIOS(0x48000000, 0x14, 17), {0x40010000, 0x18, 0},
			{0x40013800, 0x18, 14}, {0x40004400, 0x1C, 17}, {0x40004800, 0x1C, 18},
			{0x40007000, 0x1C, 28}, {0x40023000, 0x14, 6}},
		.usarts = {USART1(7), USART2_PD(7, 16), USART2(7, 16)},
		.select_register = 0x30,
		.hsi_hz = 8 * MHZ,
		.wait_hz = 24 * MHZ,
		.max_hz = 72 * MHZ,
		.max_pclk1_hz = 36 * MHZ,
		.pll_lock_nsec = 200000,
		.flash_reset_acr = 0x30,
		.resets = {{0x00, 0x83}, {0x14, 0x14}},
		.left_by_rom = {{0x00, 0x03000083}, {0x04, 0x0028040A}, {0x14, 0x20014},
			{0x18, 0x4001}},
	},
	{
		.name = "F2, F4",
		.ids = {0x413, 0x419, 0x434, 0x421, 0x411},
		F4_AND_F7,
		.usarts = {F4_USART1, F4_USART3(1, 0), F4_USART3(2, 0)},
		.max_hz = 120 * MHZ, /* F2; the others go further */
		.max_pclk1_hz = 30 * MHZ,
	},
	{
		.name = "F401, F411, F410",
		.ids = {0x423, 0x433, 0x431, 0x458},
		F4_AND_F7,
		.usarts = {F4_USART1, USART2_PD(7, 0), USART2(7, 0)},
		.max_hz = 84 * MHZ,
		.max_pclk1_hz = 42 * MHZ,
	},
	{
		.name = "F412, F413",
		.ids = {0x441, 0x463},
		F4_AND_F7,
		.usarts = {F4_USART1, USART2_PD(7, 0), F4_USART3(1, 0)},
		.max_hz = 100 * MHZ,
		.max_pclk1_hz = 50 * MHZ,
	},
	{
		.name = "F7",
		.ids = {0x449, 0x451, 0x452},
		F4_AND_F7,
		.has_usart_v2 = true,
		.usarts = {F4_USART1, F4_USART3(1, 4), F4_USART3(2, 4)},
		.select_register = 0x90,
		.max_hz = 216 * MHZ,
		.max_pclk1_hz = 54 * MHZ,
	},
	{
		.name = "C0",
		.ids = {0x453, 0x493},
		.cpu = CPU_M0,
		.rcc_kind = CORE_RCC_G0,
		.flash_kind = CORE_FLASH_K3,
		.has_usart_v2 = true,
		.rcc = 0x40021000,
		.flash = 0x40022000,
		.gpio = 0x50000000,
		.dev_id = 0x40015800,
		.gates = {GPIOS(0x50000000, 0x34, 0), {0x40010000, 0x40, 0}, {0x40013800, 0x40, 14},
			{0x40004400, 0x3C, 17}, {0x40007000, 0x3C, 28}, {0x40022000, 0x38, 8},
			{0x40023000, 0x38, 12}},
		.usarts = {USART1(1), USART2(1, 2), USART1_SMALL},
		.select_register = 0x54,
		.hsi_hz = 48 * MHZ,
		.wait_hz = 24 * MHZ,
		.max_hz = 48 * MHZ,
		.max_pclk1_hz = 48 * MHZ,
		.bank_bit = 13,
		.config_busy = UINT32_C(1) << 18,
		.flash_reset_acr = 0x00040600,
		.resets = {{0x00, 0x1540}, {0x38, 0x100}},
		.left_by_rom = {{0x00, 0x0D40}, {0x34, 1}, {0x40, 0x4001}},
	},
	{
		.name = "G0",
		.ids = {0x456, 0x460, 0x466, 0x467},
		.cpu = CPU_M0,
		.rcc_kind = CORE_RCC_G0,
		.flash_kind = CORE_FLASH_K3,
		.has_usart_v2 = true,
		.rcc = 0x40021000,
		.flash = 0x40022000,
		.gpio = 0x50000000,
		.dev_id = 0x40015800,
		.gates = {GPIOS(0x50000000, 0x34, 0), {0x40010000, 0x40, 0}, {0x40013800, 0x40, 14},
			{0x40004400, 0x3C, 17}, {0x40004800, 0x3C, 18}, {0x40007000, 0x3C, 28},
			{0x40022000, 0x38, 8}, {0x40023000, 0x38, 12}, {0x40015800, 0x3C, 27}},
		.usarts = {USART1(1), USART2(1, 2), USART3(0, 4), USART1_SMALL},
		.select_register = 0x54,
		.hsi_hz = 16 * MHZ,
		.wait_hz = 24 * MHZ,
		.max_hz = 64 * MHZ,
		.max_pclk1_hz = 64 * MHZ,
		.pll_lock_nsec = 40000,
		.bank_bit = 13,
		.config_busy = UINT32_C(1) << 18,
		.flash_reset_acr = 0x00040600,
		.resets = {{0x00, 0x500}, {0x0C, 0x1000}, {0x38, 0x100}},
		.left_by_rom = {{0x00, 0x03000500}, {0x08, 0x12}, {0x0C, 0xF0000C02}, {0x34, 1},
			{0x40, 0x4001}},
	},
	{
		.name = "G4",
		.ids = {0x468, 0x469, 0x479},
		G4_AND_L4,
		.wait_hz = 30 * MHZ,
		.max_hz = 150 * MHZ,
		.max_pclk1_hz = 150 * MHZ,
		.flash_reset_acr = 0x00040600,
		.resets = {{0x00, 0x500}, {0x08, 0x05}, {0x0C, 0x1000}, {0x48, 0x100}},
		.left_by_rom = {{0x00, 0x03000500}, {0x08, 0x0F}, {0x0C, 0x01002432}, {0x4C, 1},
			{0x60, 0x4001}},
	},
	{
		.name = "L4",
		.ids = {0x415, 0x435, 0x461, 0x462, 0x464},
		G4_AND_L4,
		.wait_hz = 16 * MHZ,
		.max_hz = 80 * MHZ,
		.max_pclk1_hz = 80 * MHZ,
		.flash_reset_acr = 0x600,
		.resets = {{0x00, 0x63}, {0x0C, 0x1000}, {0x48, 0x100}},
		.left_by_rom = {{0x00, 0x03000563}, {0x08, 0x0F}, {0x0C, 0x01002432}, {0x4C, 1},
			{0x60, 0x4001}},
	},
	{
		.name = "L4+",
		.ids = {0x470, 0x471},
		G4_AND_L4,
		.wait_hz = 20 * MHZ,
		.max_hz = 80 * MHZ,
		.max_pclk1_hz = 80 * MHZ,
		.flash_reset_acr = 0x600,
		.resets = {{0x00, 0x63}, {0x0C, 0x1000}, {0x48, 0x100}},
		.left_by_rom = {{0x00, 0x03000563}, {0x08, 0x0F}, {0x0C, 0x01002432}, {0x4C, 1},
			{0x60, 0x4001}},
	},
	{
		.name = "WL",
		.ids = {0x497},
		.cpu = CPU_M4,
		.rcc_kind = CORE_RCC_WL,
		.flash_kind = CORE_FLASH_K3,
		.has_usart_v2 = true,
		.rcc = 0x58000000,
		.flash = 0x58004000,
		.gpio = 0x48000000,
		.dev_id = 0xE0042000,
		.gates = {GPIOS(0x48000000, 0x4C, 0), {0x40010000, 0x60, 0}, {0x40013800, 0x60, 14},
			{0x40004400, 0x58, 17}, {0x58004000, 0x50, 25}, {0x40023000, 0x48, 12}},
		.usarts = {USART1(7), USART2(7, 2)},
		.select_register = 0x88,
		.hsi_hz = 16 * MHZ,
		.wait_hz = 18 * MHZ,
		.max_hz = 48 * MHZ,
		.max_pclk1_hz = 48 * MHZ,
		.pll_lock_nsec = 40000,
		.bank_bit = 11,
		.config_busy = UINT32_C(1) << 18,
		.flash_reset_acr = 0x600,
		.resets = {{0x00, 0x61}, {0x0C, 0x22040100}, {0x50, 0x02080000}},
		.left_by_rom = {{0x00, 0x03000561}, {0x08, 0x0F}, {0x0C, 0x70000C02}, {0x4C, 1},
			{0x60, 0x4001}},
	},
};

const struct core_family *core_family_of(const struct sim_chip *chip)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(families[i].ids) && families[i].ids[k]; k++)
			if (chip->product_id && families[i].ids[k] == chip->product_id)
				return &families[i];
	}
	return NULL;
}

uint32_t core_family_reset_of(const struct core_family *family, uint32_t enable)
{
	switch (family->rcc_kind) {
	case CORE_RCC_F0F1:
		return enable == 0x14 ? 0x28 : enable == 0x18 ? 0x0C : 0x10;
	case CORE_RCC_G0:
		return enable - 0x10;
	case CORE_RCC_F4:
	case CORE_RCC_G4L4:
	case CORE_RCC_WL:
		break;
	}
	return enable - 0x20;
}
