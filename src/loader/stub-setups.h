/* SPDX-License-Identifier: MIT */
/*
 * stub-setups.h - what the stub (src/stub) must be told of a series of STM32s: clock, pins, flash
 * controller, as data. The row of a chip names its list by a word (`stub` of the chip table).
 *
 * A list makes no use of a register's reset value where the ROM may have left another one. Its
 * steps come in this order: HSI on and trimmed, the system clock to HSI, the clock security system,
 * PLL and HSE off, resets of the peripherals that the ROM has used (they might still write to the
 * RAM), USARTs before their ports, clocks of flash, ports and USARTs, wait states of the flash,
 * PLL, bus dividers, PLL as system clock. stub-load.c adds the pins. Sources stand in
 * stub-setups-k1.c to -k3.c.
 */
#pragma once

#include "chip/chip.h"
#include "stub/protocol.h"

/* How the pins of a port are set up. */
enum stub_gpio {
	STUB_GPIO_MODER, /* MODER 00, PUPDR 0C, IDR 10, AFRL 20; ports 0x400 apart */
	STUB_GPIO_CRL,	 /* F1: CRL 00, IDR 08, BSRR 10; ports 0x400 apart */
};

/* One place where the ROM listens (AN2606, "configuration in system memory boot mode"). */
struct stub_pins {
	uint8_t usart; /* 1 to 3 */
	char port;
	uint8_t tx, rx;
	uint8_t function;	       /* alternate function of both; F1: 0 */
	uint8_t listens;	       /* pin of the port where the train is looked for; 0: `rx` */
	uint8_t clock_shift;	       /* clock of the USART = clock of the processor >> this */
	const struct stub_step *steps; /* taken once it is picked, before its pins are set up */
	size_t n_steps;
};

/* Which pages are in which bank, and by which bits of CR. */
enum stub_bank_rule {
	STUB_BANKS_ONE,
	STUB_BANKS_XL,		  /* K1: bank 2 from 0x08080000 on, with registers of its own */
	STUB_BANKS_SNB,		  /* K2: sector 12, where there is one, is SNB 16 */
	STUB_BANKS_OPTION,	  /* K3: two where bit 21 of the option word is set */
	STUB_BANKS_LARGEST,	  /* the same, and where the part has all the flash of the row */
	STUB_BANKS_PAGE_SIZE,	  /* K3: two where pages have `two_bank_page` bytes */
	STUB_BANKS_PAGE_SIZE_GAP, /* the same; parts with less flash have a gap between them */
};

struct stub_list {
	const char *word;
	/* A list with a faster clock, for parts that a rule names so ("F103"); NULL: none. */
	const char *faster, *faster_for;
	enum stub_kind kind;
	enum stub_usart usart;
	uint32_t clock_hz; /* of the processor once the steps are taken */
	uint32_t max_baud; /* the processor cannot follow a faster line; 0: it follows any */

	uint32_t registers; /* of the flash controller */
	uint32_t busy;	    /* bits of its SR */
	uint32_t bank_2;    /* bit of CR that selects bank 2 (BKER), K3 */
	enum stub_bank_rule banks;
	uint32_t two_bank_page;
	uint32_t window_watchdog; /* bit of the option word that is 0 where it runs from reset */
	uint32_t dev_id;	  /* address of DBGMCU_IDCODE */
	bool may_have_no_dev_id;  /* F1: without a debugger it reads 0 (errata) */
	bool has_vtor;

	enum stub_gpio gpio;
	uint32_t port_a;
	uint32_t usart_1; /* USART2 is 0x40004400, USART3 0x40004800 in all series */
	struct stub_pins pins[STUB_CANDIDATES_MAX];
	size_t n_pins;
	const struct stub_step *steps;
	size_t n_steps;
};

/* The list with that word, or NULL. */
const struct stub_list *stub_list_find(const char *word);

/* The lists in turn; NULL behind the last. */
const struct stub_list *stub_list_at(size_t i);

/* Kilobytes of RAM from 0x20000000 on that the smallest part with that much flash has; UINT32_MAX:
 * as many as the row of the chip says. 0 for `flash_kib`: not known. */
uint32_t stub_smallest_ram(uint32_t product_id, uint32_t flash_kib);

/* How a step is written down; it may stand in a const array. */
#define STUB_CHANGE(register_, mask_, value_)                                         \
	{                                                                             \
		.address = (uint32_t)(register_) | STUB_STEP_CHANGE, .mask = (mask_), \
		.value = (value_)                                                     \
	}
#define STUB_STORE(register_, value_) STUB_CHANGE(register_, UINT32_MAX, value_)
#define STUB_UNTIL(register_, mask_, value_)                                        \
	{                                                                           \
		.address = (uint32_t)(register_) | STUB_STEP_WAIT, .mask = (mask_), \
		.value = (value_)                                                   \
	}

/* For stub-setups.c alone. */
extern const struct stub_list stub_lists_k1[], stub_lists_k2[], stub_lists_k3[];
extern const size_t stub_n_lists_k1, stub_n_lists_k2, stub_n_lists_k3;
