/* SPDX-License-Identifier: MIT */
/*
 * line.h - one boot loader at the end of a simulated line, for tests that speak AN3155 to it.
 *
 * The chip is always in its ROM (BOOT0 tied high). Include after cmocka.h; all inline, since not
 * every program with the simulator in it has port-sim.c too.
 */
#pragma once

#include "base/util.h"
#include "loader/an3155.h"
#include "loader/loader.h"
#include "sim/port-sim.h"

#define LINE_PORT "/dev/ttyUSB0"

struct line {
	struct sim *sim;
	struct port *port;
	struct an3155 bl;
	size_t mark; /* bytes sent before line_mark() */
	char text[3 * 2048];
	uint8_t bytes[256];
	uint32_t word;
};

/* Port open at 115200 8E1, ROM waiting for its first byte. */
static inline void line_begin(struct line *line, const char *chip, const struct sim_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ROM};
	struct reason reason = {""};

	assert_non_null(options.chip);
	if (faults)
		options.faults = *faults;
	*line = (struct line){.sim = sim_new(&options)};
	assert_non_null(line->sim);
	port_sim_attach(LINE_PORT, line->sim, NULL);
	assert_int_equal(port_open(LINE_PORT, 0, 0, &line->port, &reason), 0);
	assert_int_equal(port_configure(line->port, 115200, PORT_PARITY_EVEN, &reason), 0);
	line->bl.port = line->port;
	assert_int_equal(port_wait(line->port, 200 * USEC_PER_MSEC), 0);
}

/* The same with the sync and the first Get done. */
static inline void line_begin_synced(
	struct line *line, const char *chip, const struct sim_faults *faults)
{
	line_begin(line, chip, faults);
	assert_int_equal(an3155_sync(&line->bl), 0);
	assert_int_equal(an3155_get(&line->bl), 0);
}

/* After a command by which the chip resets itself. */
static inline void line_resync_after_reset(struct line *line)
{
	assert_int_equal(port_wait(line->port, 200 * USEC_PER_MSEC), 0);
	assert_int_equal(an3155_sync(&line->bl), 0);
	assert_int_equal(an3155_get(&line->bl), 0);
}

static inline void line_end(struct line *line)
{
	port_close(line->port);
	port_sim_detach_all();
	sim_free(line->sim);
}

static inline void line_mark(struct line *line)
{
	line->mark = port_sim_record(LINE_PORT)->n_sent;
}

/* What was sent since, as "00 FF". */
static inline const char *line_sent(struct line *line)
{
	const struct port_sim_record *record = port_sim_record(LINE_PORT);
	size_t n = 0;

	line->text[0] = '\0';
	for (size_t i = line->mark; i < record->n_sent; i++) {
		assert_true(n + 4 < sizeof(line->text));
		n += (size_t)sprintf(
			line->text + n, i > line->mark ? " %02X" : "%02X", record->sent[i].byte);
	}
	return line->text;
}

/* Says the bytes of such a text, back to back, and waits until the chip has them. */
static inline void line_say(struct line *line, const char *text)
{
	while (*text) {
		char *end;
		uint8_t byte = (uint8_t)strtoul(text, &end, 16);

		assert_int_equal(port_write(line->port, &byte, 1, UINT64_MAX), 0);
		assert_int_equal(port_wait(line->port, 3 * USEC_PER_MSEC), 0);
		text = *end ? end + 1 : end;
	}
}
