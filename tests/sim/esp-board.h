/* SPDX-License-Identifier: MIT */
/*
 * esp-board.h - a board with an Espressif chip: power, the capacitor at EN, the straps, and which
 * of ROM and application has the serial line. sim.c drives it.
 */
#pragma once

#include "sim/application.h"
#include "sim/board-ops.h"
#include "sim/esp-boot.h"
#include "sim/esp-rom.h"

enum espboard_phase {
	ESPBOARD_OFF,
	ESPBOARD_HELD,	   /* EN is low */
	ESPBOARD_RISING,   /* and is let go */
	ESPBOARD_LOADER,   /* of the ROM, or a stub */
	ESPBOARD_STARTING, /* the boot loader speaks */
	ESPBOARD_RUNS,	   /* an application */
	ESPBOARD_FAILS,	   /* nothing starts; the watchdog will bite */
	ESPBOARD_HANGS,	   /* for ever */
};

struct espboard {
	const struct sim_options *options;
	const struct espchip *chip;
	struct fault *fault;
	struct sim_counters *counters;
	struct outgoing *outgoing;
	struct application *application;
	struct espflash flash;
	struct espregisters registers;
	struct esprom rom;
	struct sim_esp_state state;
	uint8_t mac[6];
	enum espboard_phase phase;
	bool is_reset, is_boot_low; /* as the lines have it */
	bool is_pulse_lost;	    /* the one under way does not reach the chip */
	unsigned n_lost_pulses;
	uint64_t due; /* of the phase; SIM_NEVER: it stays */
	struct espboot boot;
	/* What the application's own code sees of the flash: where it lies, and how much. */
	struct sim_chip view_chip;
	struct memory view;
};

/* NULL without memory; to be freed by its table. */
struct espboard *espboard_new(const struct sim_options *options, struct fault *fault,
	struct sim_counters *counters, struct outgoing *outgoing, struct application *application);
extern const struct board_ops espboard_ops;

/* What a test may ask, as it is now. */
const struct sim_esp_state *espboard_tell(struct espboard *board);
