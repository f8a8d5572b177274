/* SPDX-License-Identifier: MIT */
/*
 * spoken-port.h - device/port.h on a clock that moves only while somebody waits: behind it a peer
 * that goes by a script. Each of its lines is what the host must say and what it hears for it.
 *
 * Defines the functions of port.h: for one test program alone. Include after cmocka.h.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application/application-protocol.h"
#include "base/util.h"

#define SPOKEN_BYTES 4096
#define BYTE_USEC    87
#define ENDLESS_USEC (60 * USEC_PER_SEC)

/*
 * Bytes in hexadecimal, words in quotes. `host` is what must be said next, one write or several;
 * NULL: the answer comes without it. `late_ms` is how long the answer takes.
 */
struct spoken_line {
	const char *host, *peer;
	unsigned late_ms;
};

struct port {
	uint64_t now;
	const struct spoken_line *lines;
	size_t n_lines, next;
	uint8_t written[SPOKEN_BYTES]; /* and not yet matched */
	size_t n_written;
	char said[4 * SPOKEN_BYTES]; /* all that the host said, "00 FF " */
	struct {
		uint8_t byte;
		uint64_t at;
	} queue[SPOKEN_BYTES];
	size_t n_queue;
	int endless_byte; /* after the script; -1: none, -2: any */
	uint64_t gone_at; /* unplugged; 0: never */
	uint32_t random;
};

static struct port the_port;

static size_t from_text(const char *text, uint8_t *to)
{
	size_t n = 0;

	while (*text) {
		if (*text == ' ') {
			text++;
		} else if (*text == '\'') {
			for (text++; *text != '\''; text++)
				to[n++] = (uint8_t)*text;
			text++;
		} else {
			char digits[] = {text[0], text[1], '\0'};

			to[n++] = (uint8_t)strtoul(digits, NULL, 16);
			text += 2;
		}
		assert_true(n < SPOKEN_BYTES);
	}
	return n;
}

static void answer(struct port *port, const struct spoken_line *line)
{
	uint8_t bytes[SPOKEN_BYTES];
	size_t n = line->peer ? from_text(line->peer, bytes) : 0;
	uint64_t at = port->now + line->late_ms * USEC_PER_MSEC;

	if (port->n_queue > 0 && port->queue[port->n_queue - 1].at > at)
		at = port->queue[port->n_queue - 1].at;
	for (size_t i = 0; i < n; i++) {
		at += BYTE_USEC;
		assert_true(port->n_queue < SPOKEN_BYTES);
		port->queue[port->n_queue].byte = bytes[i];
		port->queue[port->n_queue++].at = at;
	}
}

/* Takes what was written as the lines' halves of the host, as far as they go. */
static void follow(struct port *port)
{
	while (port->next < port->n_lines) {
		const struct spoken_line *line = &port->lines[port->next];
		uint8_t wanted[SPOKEN_BYTES];
		size_t n = line->host ? from_text(line->host, wanted) : 0;

		if (port->n_written < n || memcmp(port->written, wanted, n) != 0)
			return;
		memmove(port->written, port->written + n, port->n_written - n);
		port->n_written -= n;
		port->next++;
		answer(port, line);
	}
}

static void spoken_begin(const struct spoken_line *lines, size_t n_lines)
{
	the_port = (struct port){
		.now = 1000, .lines = lines, .n_lines = n_lines, .endless_byte = -1, .random = 1};
	follow(&the_port);
}

/* All lines were said, and nothing else. */
static inline void spoken_end(void)
{
	if (the_port.next != the_port.n_lines || the_port.n_written != 0)
		fail_msg("line %zu was not said; all that was: %s", the_port.next, the_port.said);
}

/* ------------------------------------------------------------------ port.h */

static bool is_gone(const struct port *port)
{
	return port->gone_at && port->now >= port->gone_at;
}

int port_write(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	size_t n_said = strlen(port->said);

	(void)deadline;
	if (is_gone(port))
		return -ENODEV;
	port->now += BYTE_USEC * n_data;
	assert_true(port->n_written + n_data < SPOKEN_BYTES);
	memcpy(port->written + port->n_written, data, n_data);
	port->n_written += n_data;
	for (size_t i = 0; i < n_data && n_said + 4 < sizeof(port->said); i++)
		n_said += (size_t)snprintf(port->said + n_said, 4, "%02X ", data[i]);
	follow(port);
	return 0;
}

static uint8_t endless(struct port *port)
{
	if (port->endless_byte >= 0)
		return (uint8_t)port->endless_byte;
	port->random = port->random * 1664525 + 1013904223;
	return (uint8_t)(port->random >> 24);
}

int port_read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	size_t n = 0;

	if (port->n_queue == 0 && port->endless_byte != -1) {
		port->now += BYTE_USEC;
		if (port->now > ENDLESS_USEC)
			fail_msg("it listens without an end");
		*to = endless(port);
		*ret_n = 1;
		return 0;
	}
	if (port->n_queue == 0 || port->queue[0].at > deadline) {
		if (deadline > port->now)
			port->now = deadline;
		return is_gone(port) ? -ENODEV : -ETIMEDOUT;
	}
	if (port->queue[0].at > port->now)
		port->now = port->queue[0].at;
	if (is_gone(port))
		return -ENODEV;
	while (n < n_to && n < port->n_queue && port->queue[n].at <= port->now) {
		to[n] = port->queue[n].byte;
		n++;
	}
	port->n_queue -= n;
	memmove(port->queue, port->queue + n, port->n_queue * sizeof(port->queue[0]));
	*ret_n = n;
	return 0;
}

int port_discard_input(struct port *port)
{
	port->n_queue = 0;
	return 0;
}

int port_drain(struct port *port, uint64_t deadline)
{
	(void)deadline;
	return is_gone(port) ? -ENODEV : 0;
}

uint64_t port_now(struct port *port)
{
	return port->now;
}

int port_wait(struct port *port, uint64_t usec)
{
	port->now += usec;
	return 0;
}

uint32_t port_rate(const struct port *port)
{
	(void)port;
	return 115200;
}

uint64_t port_line_time(const struct port *port, size_t n_bytes)
{
	(void)port;
	return n_bytes * BYTE_USEC;
}

/* ------------------------------------------------------------------ one conversation */

/* A probe's time, and what a late answer may be above it: one write and one byte. */
#define PROBE_USEC    (2 * USEC_PER_SEC)
#define PROBE_AT_MOST (PROBE_USEC + 100 * USEC_PER_MSEC)

struct spoken {
	struct expect expect;
	struct application_link link;
	char version[APPLICATION_VERSION_BYTES];
	uint64_t took_usec;
};

static void spoken_link(struct spoken *spoken)
{
	*spoken = (struct spoken){.expect.port = &the_port};
	spoken->link = (struct application_link){
		.expect = &spoken->expect, .deadline = the_port.now + PROBE_USEC};
}

static inline int spoken_ask(struct spoken *spoken, const struct application_protocol_ops *ops)
{
	uint64_t begin = the_port.now;
	int r;

	spoken_link(spoken);
	r = ops->ask(&spoken->link, spoken->version);
	spoken->took_usec = the_port.now - begin;
	assert_true(spoken->took_usec <= PROBE_AT_MOST);
	return r;
}

static inline int spoken_enter(struct spoken *spoken, const struct application_protocol_ops *ops)
{
	uint64_t begin = the_port.now;
	int r;

	spoken_link(spoken);
	r = ops->enter_loader(&spoken->link);
	spoken->took_usec = the_port.now - begin;
	assert_true(spoken->took_usec <= PROBE_AT_MOST);
	return r;
}
