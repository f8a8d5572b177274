/* SPDX-License-Identifier: MIT */
/*
 * application.h - what a chip does that starts from its flash: print, at 115200 8N1, and obey a
 * command.
 */
#pragma once

#include "sim/memory.h"

#define APPLICATION_BAUD 115200

struct application {
	const char *text;      /* NULL: mute */
	const char *next_text; /* said after this copy of it; NULL: none */
	size_t n_text, n_sent;
	uint64_t period_nsec; /* from one copy of the text to the next; 0: said once */
	uint64_t begun_at;    /* this copy of the text */
	uint64_t next_at;     /* the next byte is out; SIM_NEVER: none */
	char banner[128];
	const struct sim_options *options; /* what it obeys */
	char heard[64];			   /* the last bytes */
	size_t n_heard;
	uint64_t leaves_at; /* it gives way to the boot loader; SIM_NEVER: it does not */
};

/* Whether a vector table at `address` can be started: stack in RAM, entry in flash that is not
 * erased. */
bool application_can_start(const struct memory *memory, uint32_t address);

/*
 * Starts at `now`; prints `chatter`, or where that is NULL the banner that the flash holds, each
 * second as tests/firmware/main.c does.
 */
void application_start(struct application *application, const struct memory *memory,
	const char *chatter, uint64_t now);
void application_stop(struct application *application);

/* A byte that arrives at `now`, as the application's receiver understood it. */
void application_receive(
	struct application *application, const struct memory *memory, uint8_t byte, uint64_t now);

/* The byte that is out at `next_at`; goes on to the one after it. */
uint8_t application_take(struct application *application);
