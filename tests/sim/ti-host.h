/* SPDX-License-Identifier: MIT */
/*
 * ti-host.h - the other end of a simulated board with a chip of TI, for tests of the simulator
 * itself: says bytes and packets and gives back what comes. It knows no more than how a packet is
 * made.
 */
#pragma once

#include "sim/sim.h"

struct tihost {
	struct sim *sim;
	uint64_t now;
	uint8_t bytes[4096]; /* what came last */
	size_t n_bytes;
	char text[3 * 4096];
};

/* In the loader, entered by the lines, at 500000, nothing said yet. NULL: a plain board without
 * faults. */
void tihost_begin(struct tihost *host, const char *chip, const struct sim_ti *board,
	const struct sim_faults *faults);
void tihost_end(struct tihost *host);

/* The two transistors: reset 100 ms, then the boot line low, or high, 100 ms. */
void tihost_reset(struct tihost *host, bool into_loader);

/* Lets time pass; what came meanwhile is in `bytes`. */
void tihost_pass(struct tihost *host, uint64_t msec);

/* Bytes back to back, as hexadecimal text; what came until nothing more is due, in the same form.
 */
const char *tihost_say(struct tihost *host, const char *text);

/* The same of a packet with these bytes, whose size and sum are put in front. */
const char *tihost_packet(struct tihost *host, const uint8_t *bytes, size_t n_bytes);
#define tihost_send(host, ...) \
	tihost_packet(host, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* 55 55; GET_STATUS with its answer acknowledged: the status, or -1. */
void tihost_sync(struct tihost *host);
int tihost_status(struct tihost *host);

/* A packet, its ACK, and the packet behind that, which is acknowledged; bytes of it, or -1 where no
 * ACK came. */
int tihost_ask(struct tihost *host, const uint8_t *bytes, size_t n_bytes, uint8_t ret[256]);
