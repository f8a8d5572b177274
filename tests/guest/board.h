/* SPDX-License-Identifier: MIT */
/*
 * board.h - a board with a name: its simulated chip, which outlives being unplugged, and the bridge
 * it is plugged in with.
 */
#pragma once

#include "guest/bridge.h"
#include "guest/record.h"
#include "sim/sim.h"

#define BOARD_NAME 32

struct board {
	struct board *next;
	char name[BOARD_NAME];
	struct sim_options options;
	struct bridge_identity identity;
	unsigned interface; /* that the chip is soldered to */
	uint64_t latency_nsec;
	int port;	 /* of the virtual controller, its own; -1: any */
	bool is_watched; /* by the event loop, which is told in board_plug() */

	struct sim *sim;
	struct record record;
	struct record nothing[BRIDGE_INTERFACES]; /* of the interfaces without a chip */
	struct bridge_line lines[BRIDGE_INTERFACES];
	struct bridge *bridge; /* NULL: not plugged in */
};

/* With the defaults: an F103C8 behind a CP2102. NULL without memory. */
struct board *board_new(const char *name);
struct board *board_free(struct board *board);

/* What vhci.h names, and -EISCONN: it is plugged in already. Power comes on. */
int board_plug(struct board *board, int port);
void board_unplug(struct board *board);

/* 0 or -errno; a file that is larger than the flash is -EFBIG. The rest of the flash is erased. */
int board_load(struct board *board, const char *file);
int board_dump(struct board *board, const char *file);
