/* SPDX-License-Identifier: MIT */
/*
 * board-ops.h - all that sim.c needs of a board whose chip is no STM32: what is behind the two
 * lines of the bridge. `board` is the one that the table belongs to.
 */
#pragma once

#include "sim/rom.h"

struct board_ops {
	/* Power comes, after it was gone; it goes. */
	void (*power)(void *board, uint64_t now);
	void (*lose_power)(void *board, uint64_t now);
	/* The lines as they are at the chip; before power comes too. */
	void (*set_pins)(void *board, bool is_reset, bool is_boot_low, uint64_t now);
	void (*receive)(void *board, const struct rom_byte *byte);
	/* When something of its own accord is due, SIM_NEVER: nothing; the step does it. */
	uint64_t (*next)(const void *board);
	void (*step)(void *board);
	enum sim_state (*state)(const void *board);
	/* Whether what lies in the flash would run. */
	bool (*is_sane)(const void *board);
	uint8_t *(*flash)(void *board, uint32_t *ret_size);
	/* Another chip of the same kind. */
	void (*swap_chip)(void *board);
	void *(*free)(void *board); /* NULL comes back */
};
