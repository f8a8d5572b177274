/* SPDX-License-Identifier: MIT */
/*
 * program.h - what sim.c needs of a program that the ROM has started in the chip's RAM (Go). It has
 * the serial line then, up to the next reset.
 */
#pragma once

#include "sim/rom.h"

/* Everything that it may touch; all of it is the board's. */
struct program_place {
	const struct sim_options *options;
	struct fault *fault;
	struct sim_counters *counters;
	struct memory *memory;
	struct outgoing *outgoing;
};

enum program_wish { PROGRAM_STAYS, PROGRAM_RESETS };

struct program_ops {
	/* Once for each board; NULL: no memory. */
	void *(*new)(const struct program_place *place);
	void *(*free)(void *program); /* NULL comes back */

	/* Go: the stack pointer is at `address`, the entry in the word behind it. */
	void (*start)(void *program, uint32_t address, uint64_t now);
	/* A reset, or the power goes: it stops in the middle of whatever it does. */
	void (*stop)(void *program, uint64_t now);

	/* A byte as the chip's pins saw it; next() is not before its end. */
	void (*receive)(void *program, const struct rom_byte *byte);
	/* When something of its own accord is due, SIM_NEVER: nothing; the step does it. */
	uint64_t (*next)(const void *program);
	void (*step)(void *program);
	/* What it has done to the rest of the chip by the last step. */
	enum program_wish (*wish)(const void *program);
};

/* The table for that word; NULL where there is no such program. */
const struct program_ops *program_of(enum sim_program program);
