/* SPDX-License-Identifier: MIT */
/*
 * ti-board.h - a board with such a chip: power, the reset pin and the backdoor's, what the ROM
 * makes of the CCFG when it starts, and which of loader and application has the serial line. sim.c
 * drives it.
 */
#pragma once

#include "sim/application.h"
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

/* NULL without memory. */
struct tiboard *tiboard_new(const struct sim_options *options, struct fault *fault,
	struct sim_counters *counters, struct outgoing *outgoing, struct application *application);
struct tiboard *tiboard_free(struct tiboard *board);

/* Power comes, after it was gone; it goes. */
void tiboard_power(struct tiboard *board, uint64_t now);
void tiboard_lose_power(struct tiboard *board, uint64_t now);

void tiboard_set_pins(struct tiboard *board, bool is_reset, bool is_boot_low, uint64_t now);
void tiboard_receive(struct tiboard *board, const struct rom_byte *byte);

/* When something of its own accord is due; the step does it. */
uint64_t tiboard_next(const struct tiboard *board);
void tiboard_step(struct tiboard *board);

/* Whether what the CCFG calls valid would run. */
bool tiboard_is_sane(const struct tiboard *board);
