/* SPDX-License-Identifier: MIT */
/*
 * bridge.h - a CP210x that is plugged in: transfers of the kernel come in on a socket, and each
 * ends with a frame of the bus, every millisecond as at full speed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest/cp210x.h"
#include "guest/usbip.h"

struct bridge;

/* What is soldered to each interface. */
struct bridge_line {
	struct sim *sim; /* NULL: nothing */
	struct record *record;
	/* How long bytes of the chip wait for company, 64 make a packet; 0: to the end of the
	 * frame. */
	uint64_t latency_nsec;
};

/*
 * Plugs in at the port of the virtual controller. Everything is borrowed until bridge_free().
 * -errno besides what vhci.h names.
 */
int bridge_new(const struct bridge_identity *identity, const struct bridge_line *lines, int port,
	struct bridge **ret);

/* Pulls it out. */
struct bridge *bridge_free(struct bridge *bridge);

/* To be polled for input; then bridge_on_input(). <0: the kernel let go of it. */
int bridge_fd(const struct bridge *bridge);
int bridge_port(const struct bridge *bridge);
int bridge_on_input(struct bridge *bridge, uint64_t now);

/* The end of a frame: transfers that are due end. <0 as above. */
int bridge_on_frame(struct bridge *bridge, uint64_t now);

/* The next frame at whose end something happens; SIM_NEVER. */
uint64_t bridge_next_frame(const struct bridge *bridge, uint64_t now);

uint64_t bridge_now(void);
