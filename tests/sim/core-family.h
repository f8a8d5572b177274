/* SPDX-License-Identifier: MIT */
/*
 * core-family.h - where the registers of a family of STM32 are, and which clock feeds what: data of
 * the reference manuals (RM0008 F1, RM0091 F0, RM0090 and RM0410 F4 and F7, RM0444 G0, RM0440 G4,
 * RM0394 and RM0432 L4, RM0453 WL). Nothing here was taken from the program that is judged.
 */
#pragma once

#include "sim/core-cpu.h"
#include "sim/sim.h"

/* Which layout the reset and clock controller has. */
enum core_rcc_kind {
	CORE_RCC_F0F1, /* CR, CFGR with the PLL's factor in it */
	CORE_RCC_F4,   /* PLLCFGR with M, N, P */
	CORE_RCC_G0,   /* PLLCFGR with M, N, R; R from 2 to 8 */
	CORE_RCC_G4L4, /* PLLCFGR with M, N, R; R is 2, 4, 6 or 8 */
	CORE_RCC_WL,   /* as L4, with the R of G0 */
};

enum core_flash_kind { CORE_FLASH_K1, CORE_FLASH_K2, CORE_FLASH_K3 };

/* A block of 1 KiB of registers that answers only while its clock is on. */
struct core_gate {
	uint32_t base;
	uint16_t enable; /* offset of the register in the RCC */
	uint8_t bit;
};

struct core_usart_facts {
	unsigned number;
	uint32_t base;
	unsigned port; /* 0 is A */
	unsigned tx, rx;
	unsigned alternate; /* function of the pins; not on F1 */
	bool is_on_apb2;
	unsigned select; /* lowest bit of its kernel clock's choice */
	uint8_t pad;	 /* small packages: RX is at this pin until it is exchanged; 0: no such */
	uint8_t remap_register; /* of AFIO or SYSCFG */
	uint32_t remap;		/* its bits that lead the USART to these pins; 0: it is there */
};

struct core_store {
	uint32_t address, value;
};

struct core_family {
	const char *name;
	uint16_t ids[8]; /* 0 ends */
	enum cpu_model cpu;
	enum core_rcc_kind rcc_kind;
	enum core_flash_kind flash_kind;
	bool has_usart_v2, has_gpio_f1;
	uint32_t rcc, flash, gpio, dev_id;
	bool hides_dev_id; /* reads 0 where no debugger is attached */
	struct core_gate gates[24];
	struct core_usart_facts usarts[5];
	uint32_t select_register; /* offset in the RCC; 0: the bus clock alone */
	uint64_t hsi_hz;
	uint64_t wait_hz; /* a wait state more for each of these */
	uint64_t max_hz, max_pclk1_hz;
	uint64_t pll_lock_nsec;
	unsigned bank_bit;		   /* K3: BKER */
	uint32_t config_busy;		   /* K3: CFGBSY, or 0 */
	uint32_t flash_reset_acr;	   /* its reset value */
	struct core_store resets[10];	   /* reset values that are not 0; address 0 ends */
	struct core_store left_by_rom[12]; /* beside those: the clocks as its ROM runs */
};

/* NULL: none of the families that are known here. */
const struct core_family *core_family_of(const struct sim_chip *chip);

/* The register that resets what this one enables. */
uint32_t core_family_reset_of(const struct core_family *family, uint32_t enable);
