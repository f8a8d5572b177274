/* SPDX-License-Identifier: MIT */
/*
 * spoilt-port.h - device/port.h on a clock that moves only while somebody waits: behind it a loader
 * that knows no more than what a F103 is asked, and a hand that spoils what it says.
 *
 * Defines the functions of port.h: for one test program alone. Include after cmocka.h.
 */
#pragma once

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "loader/an3155.h"

#define FLASH	   UINT32_C(0x08000000)
#define FLASH_SIZE 4096
#define QUEUE	   4096
#define BYTE_USEC  96

struct port {
	uint64_t now;
	uint32_t random;
	unsigned spoil_one_in; /* replies; 0: none */
	struct {
		uint8_t byte;
		uint64_t at;
	} queue[QUEUE];
	size_t n_queue;
	uint64_t line_free;
	bool is_endless;
	int endless_byte; /* -1: random ones */
	bool is_gone;
	unsigned n_reads, n_unprotects;

	/* the loader */
	bool is_synced;
	uint8_t half; /* of a pair that waits for its other half */
	bool has_half;
	uint8_t command;
	unsigned stage; /* frames after the command */
	uint32_t address;
	uint8_t flash[FLASH_SIZE];
};

static struct port the_port;

static uint32_t next_random(struct port *port)
{
	port->random ^= port->random << 13;
	port->random ^= port->random >> 17;
	port->random ^= port->random << 5;
	return port->random;
}

static uint32_t pick(struct port *port, uint32_t n)
{
	return next_random(port) % n;
}

static void start_port(uint32_t seed, unsigned spoil_one_in)
{
	struct port *port = &the_port;

	*port = (struct port){
		.random = seed * UINT32_C(2654435761) + 1, .spoil_one_in = spoil_one_in};
	if (port->random == 0)
		port->random = 1;
	memset(port->flash, 0x5A, sizeof(port->flash));
}

/* ------------------------------------------------------------------ the hand that spoils */

struct reply {
	uint8_t bytes[1200];
	size_t n;
	uint64_t late_usec;
};

static void put(struct reply *reply, uint8_t byte)
{
	if (reply->n < sizeof(reply->bytes))
		reply->bytes[reply->n++] = byte;
}

static void put_ack(struct reply *reply)
{
	put(reply, 0x79);
}

static void insert(struct reply *reply, size_t at, uint8_t byte)
{
	if (reply->n == sizeof(reply->bytes))
		return;
	memmove(reply->bytes + at + 1, reply->bytes + at, reply->n - at);
	reply->bytes[at] = byte;
	reply->n++;
}

static void spoil(struct port *port, struct reply *reply)
{
	static const uint8_t likely[] = {0x79, 0x1F, 0x00, 0xFF, 0x01, 0x7F, 0x80};
	size_t at = reply->n ? pick(port, (uint32_t)reply->n) : 0;
	uint8_t byte = likely[pick(port, ARRAY_SIZE(likely))];

	switch (pick(port, 12)) {
	case 0: /* a byte is lost */
		if (reply->n) {
			memmove(reply->bytes + at, reply->bytes + at + 1, reply->n - at - 1);
			reply->n--;
		}
		break;
	case 1: /* a bit flips */
		reply->bytes[at] ^= (uint8_t)(1u << pick(port, 8));
		break;
	case 2: /* another byte, a likely one */
		reply->bytes[at] = byte;
		break;
	case 3: /* another byte, any */
		reply->bytes[at] = (uint8_t)next_random(port);
		break;
	case 4: /* one too many */
		insert(reply, at, pick(port, 2) ? byte : (uint8_t)next_random(port));
		break;
	case 5: /* doubled */
		insert(reply, at, reply->n ? reply->bytes[at] : byte);
		break;
	case 6: /* cut off */
		reply->n = at;
		break;
	case 7: /* refused, once or as a storm */
		reply->n = 0;
		for (uint32_t n = 1 + pick(port, 2) * pick(port, 40); n > 0; n--)
			put(reply, 0x1F);
		break;
	case 8: /* noise instead, of any length */
		reply->n = pick(port, sizeof(reply->bytes));
		for (size_t i = 0; i < reply->n; i++)
			reply->bytes[i] = (uint8_t)next_random(port);
		break;
	case 9: /* late: before or after the deadline */
		reply->late_usec = pick(port, 1200) * USEC_PER_MSEC;
		break;
	case 10: /* from now on for ever */
		port->is_endless = pick(port, 4) == 0;
		port->endless_byte = pick(port, 2) ? byte : -1;
		break;
	case 11: /* unplugged */
		port->is_gone = pick(port, 8) == 0;
		break;
	}
}

static void send_reply(struct port *port, struct reply *reply)
{
	if (port->spoil_one_in && pick(port, port->spoil_one_in) == 0)
		spoil(port, reply);
	if (port->line_free < port->now + reply->late_usec)
		port->line_free = port->now + reply->late_usec;
	for (size_t i = 0; i < reply->n && port->n_queue < QUEUE; i++) {
		port->line_free += BYTE_USEC;
		port->queue[port->n_queue].byte = reply->bytes[i];
		port->queue[port->n_queue++].at = port->line_free;
	}
}

/* ------------------------------------------------------------------ the loader */

static void put_command_answer(struct port *port, struct reply *reply)
{
	static const uint8_t codes[] = {
		0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x43, 0x50, 0x51, 0x63, 0x73, 0x82, 0x92, 0xA1};

	put_ack(reply);
	switch (port->command) {
	case AN3155_GET:
		put(reply, sizeof(codes));
		put(reply, 0x22);
		for (size_t i = 0; i < sizeof(codes); i++)
			put(reply, codes[i]);
		put_ack(reply);
		break;
	case AN3155_GET_VERSION:
		put(reply, 0x22);
		put(reply, 0);
		put(reply, 0);
		put_ack(reply);
		break;
	case AN3155_GET_ID:
		put(reply, 1);
		put(reply, 0x04);
		put(reply, 0x14);
		put_ack(reply);
		break;
	case AN3155_READOUT_UNPROTECT:
		port->n_unprotects++;
		put_ack(reply);
		break;
	case AN3155_WRITE_UNPROTECT:
	case AN3155_READOUT_PROTECT:
		put_ack(reply);
		break;
	}
}

/* How many frames follow the command. */
static unsigned frames_of(uint8_t command)
{
	switch (command) {
	case AN3155_READ_MEMORY:
	case AN3155_WRITE_MEMORY:
	case AN3155_SPECIAL:
		return 2;
	case AN3155_EXTENDED_SPECIAL:
		return 3;
	case AN3155_GET_CHECKSUM:
		return 4;
	case AN3155_GO:
	case AN3155_ERASE:
	case AN3155_WRITE_PROTECT:
		return 1;
	}
	return 0;
}

static uint8_t *flash_at(struct port *port, uint32_t offset)
{
	uint32_t at = port->address + offset - FLASH;

	return at < FLASH_SIZE ? &port->flash[at] : NULL;
}

static void put_memory(struct port *port, struct reply *reply, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *byte = flash_at(port, i);

		put(reply, byte ? *byte : (uint8_t)(i * 3));
	}
}

static void on_last_frame(struct port *port, const uint8_t *frame, size_t n, struct reply *reply)
{
	switch (port->command) {
	case AN3155_READ_MEMORY:
		put_memory(port, reply, frame[0] + 1u);
		break;
	case AN3155_WRITE_MEMORY:
		for (uint32_t i = 0; i + 2 < n; i++)
			if (flash_at(port, i))
				*flash_at(port, i) = frame[1 + i];
		break;
	case AN3155_ERASE:
		memset(port->flash, 0xFF, sizeof(port->flash));
		break;
	case AN3155_GET_CHECKSUM:
		put_ack(reply);
		put(reply, 1);
		put(reply, 2);
		put(reply, 4);
		put(reply, 8);
		put(reply, 15);
		break;
	case AN3155_SPECIAL:
		put(reply, 0);
		put(reply, 3);
		put(reply, 'a');
		put(reply, 'b');
		put(reply, 'c');
		/* fall through */
	case AN3155_EXTENDED_SPECIAL:
		put(reply, 0);
		put(reply, 1);
		put(reply, 0);
		put_ack(reply);
		break;
	}
}

static void on_frame(struct port *port, const uint8_t *frame, size_t n, struct reply *reply)
{
	if (port->stage++ == 0 && n == 5)
		port->address = (uint32_t)frame[0] << 24 | (uint32_t)frame[1] << 16 |
				(uint32_t)frame[2] << 8 | frame[3];
	put_ack(reply);
	/* The code of Special is a frame more than its data. */
	if (port->stage == frames_of(port->command))
		on_last_frame(port, frame, n, reply);
}

static bool wants_frame(const struct port *port)
{
	return port->stage < frames_of(port->command);
}

/* Ours come one frame a write, so no counting of bytes is needed but where halves of pairs are. */
static void on_write(struct port *port, const uint8_t *data, size_t n, struct reply *reply)
{
	if (n == 1 && !port->is_synced) {
		port->is_synced = data[0] == 0x7F;
		if (port->is_synced)
			put_ack(reply);
	} else if (n == 1) {
		if (port->has_half)
			put(reply, 0x1F);
		port->has_half = !port->has_half;
	} else if (wants_frame(port)) {
		on_frame(port, data, n, reply);
	} else if (n == 2 && (data[0] ^ data[1]) == 0xFF) {
		port->command = data[0];
		port->stage = 0;
		put_command_answer(port, reply);
	} else {
		put(reply, 0x1F);
	}
}

/* ------------------------------------------------------------------ port.h */

int port_open(
	const char *path, dev_t devnum, unsigned rest, struct port **ret, struct reason *reason)
{
	(void)path;
	(void)devnum;
	(void)rest;
	(void)reason;
	*ret = &the_port;
	return 0;
}

void port_record(struct port *port, struct transcript *transcript)
{
	(void)port;
	(void)transcript;
}

struct transcript *port_transcript(const struct port *port)
{
	(void)port;
	return NULL;
}

struct port *port_close(struct port *port)
{
	(void)port;
	return NULL;
}

int port_configure(struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	(void)baud;
	(void)parity;
	(void)reason;
	return port->is_gone ? -ENODEV : 0;
}

int port_set_lines(struct port *port, unsigned mask, unsigned lines)
{
	/* DTR resets. */
	if (mask & lines & LINE_DTR) {
		port->is_synced = port->has_half = false;
		port->command = AN3155_GET;
		port->stage = 0;
		/* Some noise ends with a reset, some does not. */
		if (pick(port, 2))
			port->is_endless = false;
	}
	return port->is_gone ? -ENODEV : 0;
}

int port_write(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	struct reply reply = {0};

	(void)deadline;
	if (port->is_gone)
		return -ENODEV;
	port->now += BYTE_USEC * n_data;
	on_write(port, data, n_data, &reply);
	send_reply(port, &reply);
	return 0;
}

static size_t take(struct port *port, uint8_t *to, size_t n_to)
{
	size_t n = 0;

	while (n < n_to && n < port->n_queue && port->queue[n].at <= port->now) {
		to[n] = port->queue[n].byte;
		n++;
	}
	port->n_queue -= n;
	memmove(port->queue, port->queue + n, port->n_queue * sizeof(port->queue[0]));
	return n;
}

int port_read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	port->n_reads++;
	if (n_to == 0)
		fail_msg("a read of no bytes");
	if (port->n_queue == 0 && port->is_endless && port->now + BYTE_USEC <= deadline) {
		port->now += BYTE_USEC;
		to[0] = port->endless_byte < 0 ? (uint8_t)next_random(port)
					       : (uint8_t)port->endless_byte;
		*ret_n = 1;
		return 0;
	}
	if (port->is_gone)
		return -ENODEV;
	if (port->n_queue == 0 || port->queue[0].at > deadline) {
		if (deadline > port->now)
			port->now = deadline;
		return -ETIMEDOUT;
	}
	if (port->queue[0].at > port->now)
		port->now = port->queue[0].at;
	*ret_n = take(port, to, n_to);
	return 0;
}

int port_discard_input(struct port *port)
{
	uint8_t byte;

	while (take(port, &byte, 1) > 0)
		;
	return port->is_gone ? -ENODEV : 0;
}

int port_drain(struct port *port, uint64_t deadline)
{
	(void)deadline;
	return port->is_gone ? -ENODEV : 0;
}

uint64_t port_now(struct port *port)
{
	return ++port->now;
}

int port_wait(struct port *port, uint64_t usec)
{
	port->now += usec;
	return port->is_gone ? -ENODEV : 0;
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
