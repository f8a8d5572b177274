/* SPDX-License-Identifier: MIT */
/*
 * host.h - the other end of a simulated board, for tests of the simulator itself: says bytes, one
 * turn after the other, and gives back the answers as text. It knows no protocol but how frames are
 * summed.
 */
#pragma once

#include "sim/sim.h"

struct host {
	struct sim *sim;
	uint64_t now;
	char answer[4096];
};

/* A board with its lines at rest, at 115200 8E1, 200 ms after power-up. */
void host_begin(struct host *host, const struct sim_options *options);
void host_end(struct host *host);

/* The same with this chip in its ROM (BOOT0 tied high), and the sync done. */
void host_begin_synced(struct host *host, const char *chip, const struct sim_faults *faults);

/*
 * Says what the hexadecimal text has, bytes back to back; at each `|` it waits until the chip is
 * done. The answers, in the same form: "79|79 00". An answer without end is cut after 64 bytes.
 */
const char *host_say(struct host *host, const char *text);

/* Bytes back to back, and their answer. */
const char *host_send(struct host *host, const uint8_t *bytes, size_t n_bytes);

/* The whole of Write Memory and Read Memory, as answers in one text without `|`. */
const char *host_write(struct host *host, uint32_t address, const uint8_t *data, size_t n_data);
const char *host_read(struct host *host, uint32_t address, size_t n_data);

/* Waits until the chip is done, or this long. */
void host_pass(struct host *host, uint64_t nsec);

/* A reset by the lines of SIM_CIRCUIT_DIRECT into the ROM or the application, and 200 ms. */
void host_reset(struct host *host, bool into_rom);
