/* SPDX-License-Identifier: MIT */
/*
 * ti-board.h - a board with such a chip: power, the reset pin and the backdoor's, what the ROM
 * makes of the CCFG when it starts, and which of loader and application has the serial line. sim.c
 * drives it.
 */
#pragma once

#include "sim/application.h"
#include "sim/board-ops.h"
#include "sim/ti-mt.h"
#include "sim/ti-rom.h"

enum tiboard_phase {
	TIBOARD_OFF,
	TIBOARD_HELD,	/* in reset */
	TIBOARD_RISING, /* and let go */
	TIBOARD_LOADER,
	TIBOARD_RUNS,  /* an application */
	TIBOARD_HANGS, /* until a reset */
};

/* Changes of the lines that a controller on the board has not passed on yet. */
#define TIBOARD_DELAYED 16

struct tiboard_change {
	bool is_reset, is_boot_low;
	uint64_t at;
};

struct tiboard {
	const struct sim_options *options;
	const struct tichip *chip;
	struct fault *fault;
	struct sim_counters *counters;
	struct outgoing *outgoing;
	struct application *application;
	struct tiflash flash;
	struct tirom rom;
	struct timt mt;
	struct sim_ti_state state;
	uint8_t ieee[8];
	enum tiboard_phase phase;
	bool is_reset, is_boot_low; /* at the chip */
	uint8_t reason;		    /* of the start that comes */
	uint64_t due;		    /* it leaves reset; SIM_NEVER */
	struct tiboard_change delayed[TIBOARD_DELAYED];
	unsigned n_delayed;
	/* What an application that prints text sees of the flash. */
	struct memory view;
};

/* NULL without memory; to be freed by its table. */
struct tiboard *tiboard_new(const struct sim_options *options, struct fault *fault,
	struct sim_counters *counters, struct outgoing *outgoing, struct application *application);
extern const struct board_ops tiboard_ops;

/* What a test may ask, as it is now. */
const struct sim_ti_state *tiboard_tell(struct tiboard *board);
