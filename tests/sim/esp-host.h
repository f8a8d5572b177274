/* SPDX-License-Identifier: MIT */
/*
 * esp-host.h - the other end of a simulated Espressif board, for tests of the simulator itself and
 * for peers: says frames and gives back what comes. It knows no more than how a frame is made.
 */
#pragma once

#include "sim/sim.h"

#define ESPHOST_SYNC                                                                        \
	"C0 00 08 24 00 00 00 00 00 07 07 12 20 55 55 55 55 55 55 55 55 55 55 55 55 55 55 " \
	"55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 55 C0"

struct esphost {
	struct sim *sim;
	uint64_t now;
	uint8_t bytes[8192]; /* what came last */
	size_t n_bytes;
	char text[3 * 8192];
};

/* In the loader, 1 s after it was entered by the lines, at 115200, and what it said forgotten.
 * NULL: a plain board without faults. */
void esphost_begin(struct esphost *host, const char *chip, const struct sim_esp *board,
	const struct sim_faults *faults);
void esphost_end(struct esphost *host);

/* The two transistors: EN low 100 ms, then the boot pin low, or high, so long. */
void esphost_reset(struct esphost *host, bool into_loader, uint64_t delay_msec);

/* Lets time pass; what came meanwhile is in `bytes`. */
void esphost_pass(struct esphost *host, uint64_t msec);

/* Bytes back to back, as hexadecimal text; what came until nothing more is due, in the same form.
 */
const char *esphost_say(struct esphost *host, const char *text);

/* A whole command of words and bytes; the second status byte where it failed, else 0; -1: no
 * answer. What stood before the status is in `data`. */
struct esphost_answer {
	uint32_t value;
	uint8_t data[64];
	size_t n_data;
};
int esphost_command(struct esphost *host, uint8_t opcode, const uint32_t *words, size_t n_words,
	const uint8_t *bytes, size_t n_bytes, struct esphost_answer *ret);

#define esphost_words(host, opcode, ret, ...)                          \
	esphost_command(host, opcode, (const uint32_t[]){__VA_ARGS__}, \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), NULL, 0, ret)

/* SYNC, and where there is one ATTACH and SET_PARAMS. */
void esphost_sync(struct esphost *host);
