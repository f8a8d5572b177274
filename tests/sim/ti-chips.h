/* SPDX-License-Identifier: MIT */
/* ti-chips.h - the chips of TI that can be simulated, as rows of data (ti-bsl.md 4 and 5). */
#pragma once

#include "sim/sim.h"

enum tichip_kind {
	TICHIP_38, /* CC2538: commands of its own form, CCA of 44 bytes */
	TICHIP_X0, /* CC13x0, CC26x0: IMAGE_VALID is 0 */
	TICHIP_X2, /* CC13x2, CC26x2 and those after: IMAGE_VALID is the vector table's address */
};

struct tichip {
	const char *name;
	enum tichip_kind kind;
	uint32_t wafer_id;
	uint32_t revision;  /* bits 31 to 28 of the device id */
	uint32_t user_code; /* JTAGUSERCODE, or the CC2538's chip id */
	uint32_t user_id;   /* FCFG1: package and protocols */
	uint32_t base, flash_bytes, sector;
	uint32_t ram_bytes;
	uint32_t max_baud;
	uint8_t pin;	      /* that the boot line of its usual board pulls low */
	uint8_t uart_pins[2]; /* RX, TX */
};

/* NULL: there is no such. */
const struct tichip *tichip_find(const char *name);

/* The same as what sim_chip_find() gives. */
const struct sim_chip *tichip_sim(const char *name);

/* All of them in turn; NULL behind the last. */
const struct sim_chip *tichip_at(size_t i);
