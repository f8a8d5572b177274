/* SPDX-License-Identifier: MIT */
/*
 * spoken-line.h - one stick with an application of spoken.h at the end of a simulated line, for
 * tests that talk to it byte by byte. Include after cmocka.h.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "sim/stick.h"

#define PORT "/dev/ttyUSB0"

static struct sim *sim;
static struct port *port;
static char text[2048];

/* A stick that is in its application, and a port at the rate of that. */
static inline void begin(const char *protocol, const char *version, uint32_t baud,
	const struct sim_spoken_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find("f103c8"),
		.resident = SIM_RESIDENT_GECKO,
		.circuit = SIM_CIRCUIT_NONE};
	struct reason reason = {""};

	if (faults)
		options.faults.spoken = *faults;
	sim = sim_new(&options);
	assert_non_null(sim);
	stick_install(sim, options.chip, protocol, version, baud);
	port_sim_attach(PORT, sim, NULL);
	/* What it says at its start is over, with its repeats. */
	port_sim_pass(PORT, 6 * USEC_PER_SEC);
	assert_int_equal(port_open(PORT, 0, 0, &port, &reason), 0);
	assert_int_equal(port_configure(port, baud, PORT_PARITY_NONE, &reason), 0);
}

static inline void end(void)
{
	port_close(port);
	port_sim_detach_all();
	sim_free(sim);
}

static inline void say(const char *bytes)
{
	while (*bytes) {
		char *next;
		uint8_t byte = (uint8_t)strtoul(bytes, &next, 16);

		assert_int_equal(port_write(port, &byte, 1, UINT64_MAX), 0);
		bytes = *next ? next + 1 : next;
	}
}

/* All that comes within this time. */
static inline const char *hear(uint64_t msec)
{
	uint64_t deadline = port_now(port) + msec * USEC_PER_MSEC;
	uint8_t bytes[256];
	size_t n, at = 0;

	text[0] = '\0';
	while (port_read_some(port, bytes, sizeof(bytes), deadline, &n) == 0)
		for (size_t i = 0; i < n; i++)
			at += (size_t)snprintf(
				text + at, sizeof(text) - at, at > 0 ? " %02X" : "%02X", bytes[i]);
	return text;
}

static inline const char *answer(const char *bytes)
{
	say(bytes);
	return hear(1000);
}
