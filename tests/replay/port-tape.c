/* SPDX-License-Identifier: MIT */
#include "replay/port-tape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/util.h"
#include "device/transcript.h"

/* What was said and not read yet; a client that never reads loses the rest. */
#define QUEUE 65536

struct port {
	struct tape *tape;
	struct transcript *transcript; /* of this conversation; it knows which bytes are flash */
	size_t next;		       /* event */
	size_t n_used;		       /* bytes of it */
	uint64_t now;
	int64_t shift; /* from a time of the transcript to one of ours */
	unsigned rest, lines;
	uint32_t baud;
	bool has_even_parity;
	uint64_t line_free; /* when all that was sent is on the line */
	bool is_gone;
	struct {
		uint8_t byte;
		uint64_t at;
	} queue[QUEUE];
	size_t n_queue;
	const struct tape_event *begun; /* of bytes of the flash, on the transcript */
	uint64_t n_flash;		/* bytes of it that were read */
	bool is_unclosed;
	char difference[400];
};

static struct port the_port;

void port_tape_insert(struct tape *tape)
{
	the_port = (struct port){.tape = tape};
}

/* ------------------------------------------------------------------ differences */

static const struct tape_event *event_at(const struct port *port, size_t at)
{
	return at < port->tape->n_events ? &port->tape->events[at] : NULL;
}

static const char *hex(const uint8_t *bytes, size_t n, char to[static 64])
{
	size_t most = n < 16 ? n : 16, used = 0;

	to[0] = '\0';
	for (size_t i = 0; i < most; i++)
		used += (size_t)snprintf(to + used, 64 - used, "%s%02x", i ? " " : "", bytes[i]);
	if (n > most)
		snprintf(to + used, 64 - used, " ...");
	return to;
}

/* What the transcript has, in words. */
static const char *describe(const struct port *port, const struct tape_event *event, char to[100])
{
	char bytes[64];

	if (!event) {
		snprintf(to, 100, "the transcript ends");
		return to;
	}
	switch (event->kind) {
	case TAPE_LINES:
		snprintf(to, 100, "the transcript has lines dtr=%d,rts=%d",
			(event->lines & LINE_DTR) != 0, (event->lines & LINE_RTS) != 0);
		break;
	case TAPE_RATE:
		snprintf(to, 100, "the transcript has rate %" PRIu32 " 8%c1", event->baud,
			event->has_even_parity ? 'E' : 'N');
		break;
	case TAPE_SENT:
		if (event->n_cut > 0)
			snprintf(to, 100, "the transcript has bytes of the flash");
		else
			snprintf(to, 100, "the transcript has > %s",
				hex(event->bytes + port->n_used, event->n_bytes - port->n_used,
					bytes));
		break;
	case TAPE_HEARD:
	case TAPE_FAILED:
	case TAPE_BEGIN:
	case TAPE_END:
	case TAPE_OTHER:
	case TAPE_KIND_MAX:
		snprintf(to, 100, "the transcript does not");
		break;
	}
	return to;
}

/* The first one stays. */
static int differ(struct port *port, const struct tape_event *event, const char *format, ...)
	PRINTF_LIKE(3, 4);

static int differ(struct port *port, const struct tape_event *event, const char *format, ...)
{
	const struct tape_event *last = event_at(port, port->tape->n_events - 1);
	char what[200], has[100];
	va_list ap;

	port->is_gone = true;
	if (*port->difference)
		return -ENODEV;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	snprintf(port->difference, sizeof(port->difference), "line %u: plugflash %s, and %s",
		event  ? event->line
		: last ? last->line + 1
		       : 1,
		what, describe(port, event, has));
	return -ENODEV;
}

const char *port_tape_difference(void)
{
	struct port *port = &the_port;

	for (; !*port->difference && port->is_unclosed && port->next < port->tape->n_events;
		port->next++) {
		const struct tape_event *event = event_at(port, port->next);

		if (event->kind == TAPE_SENT || event->kind == TAPE_LINES ||
			event->kind == TAPE_RATE)
			(void)differ(port, event, "has ended");
	}
	return *port->difference ? port->difference : NULL;
}

/* ------------------------------------------------------------------ what the board says */

static uint64_t time_of(const struct port *port, const struct tape_event *event)
{
	int64_t at = (int64_t)event->usec + port->shift;

	return at > (int64_t)port->now ? (uint64_t)at : port->now;
}

static const struct tape_event *end_of_flash(const struct port *port)
{
	for (size_t i = port->next; i < port->tape->n_events; i++)
		if (port->tape->events[i].kind == TAPE_END)
			return &port->tape->events[i];
	return NULL;
}

/* The next byte of flash that was cut out. False: nobody knows it. */
static bool make_flash(struct port *port, uint8_t *ret)
{
	const struct tape_event *end = end_of_flash(port);
	uint32_t address;

	if (!port->begun || !end || end->likeness == TAPE_UNTOLD)
		return false;
	address = port->begun->address + (uint32_t)port->n_flash++;
	*ret = image_byte(&port->tape->image, address);
	if (end->likeness == TAPE_FILLED)
		*ret = end->filler;
	if (end->likeness == TAPE_DIFFERS && address >= end->address)
		*ret = (uint8_t) ~*ret;
	return true;
}

static void put(struct port *port, uint8_t byte, uint64_t at)
{
	if (port->n_queue == QUEUE)
		return;
	port->queue[port->n_queue].byte = byte;
	port->queue[port->n_queue++].at = at;
}

/* The bytes of one event come at once. */
static void say(struct port *port, const struct tape_event *event)
{
	uint64_t at = time_of(port, event);
	uint8_t byte;

	for (size_t i = 0; i < event->n_bytes; i++)
		put(port, event->bytes[i], at);
	for (size_t i = 0; i < event->n_cut; i++) {
		if (!make_flash(port, &byte)) {
			(void)differ(port, event,
				"reads bytes that were cut out: make the transcript with --transcript-image");
			return;
		}
		put(port, byte, at);
	}
}

static void pass_mark(struct port *port, const struct tape_event *event)
{
	port->begun = event->kind == TAPE_BEGIN && event->is_flash ? event : NULL;
	port->n_flash = 0;
}

/*
 * Lets the board say all that it said before the next thing that the host did. Returns that, NULL
 * at the end.
 */
static const struct tape_event *listen(struct port *port)
{
	const struct tape_event *event;

	for (; (event = event_at(port, port->next)) && !port->is_gone; port->next++) {
		switch (event->kind) {
		case TAPE_HEARD:
			say(port, event);
			break;
		case TAPE_BEGIN:
		case TAPE_END:
			pass_mark(port, event);
			break;
		case TAPE_OTHER:
			break;
		case TAPE_LINES:
		case TAPE_RATE:
		case TAPE_SENT:
		case TAPE_FAILED:
		case TAPE_KIND_MAX:
			return event;
		}
	}
	return NULL;
}

/* The host has done what the event says: what follows comes as long after it as then. */
static void take_event(struct port *port, const struct tape_event *event)
{
	port->shift = (int64_t)port->now - (int64_t)event->usec;
	port->next++;
	port->n_used = 0;
}

/* Whether the call fails here, as it did then; whichever is made finds a bridge gone. */
static bool fails(struct port *port, enum tape_kind call, int *ret)
{
	const struct tape_event *event = event_at(port, port->next);

	if (!event || event->kind != TAPE_FAILED ||
		(event->failed != call && event->error != ENODEV))
		return false;
	*ret = -event->error;
	port->is_gone = event->error == ENODEV;
	take_event(port, event);
	return true;
}

/* What a call begins with. */
static int enter(struct port *port)
{
	port->now++;
	return port->is_gone ? -ENODEV : 0;
}

/* ------------------------------------------------------------------ port.h */

int port_open(
	const char *path, dev_t devnum, unsigned rest, struct port **ret, struct reason *reason)
{
	(void)path;
	(void)devnum;
	(void)reason;
	the_port.rest = the_port.lines = rest;
	*ret = &the_port;
	return 0;
}

/* Both lines, as they were set then. */
static int match_lines(struct port *port, unsigned lines)
{
	const struct tape_event *event = listen(port);
	int r = 0;

	if (port->is_gone || fails(port, TAPE_LINES, &r))
		return port->is_gone ? -ENODEV : r;
	if (!event || event->kind != TAPE_LINES || event->lines != lines)
		return differ(port, event, "sets lines dtr=%d,rts=%d", (lines & LINE_DTR) != 0,
			(lines & LINE_RTS) != 0);
	take_event(port, event);
	return 0;
}

void port_record(struct port *port, struct transcript *transcript)
{
	port->transcript = transcript;
	port->is_unclosed = true;
	transcript_lines(transcript, port->now, port->rest, 0);
	(void)match_lines(port, port->rest);
}

struct transcript *port_transcript(const struct port *port)
{
	return port->transcript;
}

struct port *port_close(struct port *port)
{
	if (!port)
		return NULL;
	if (!port->is_gone)
		(void)match_lines(port, port->rest);
	return NULL;
}

int port_configure(struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	bool is_even = parity == PORT_PARITY_EVEN;
	const struct tape_event *event = listen(port);
	int r = enter(port);

	if (r < 0)
		return r;
	if (fails(port, TAPE_RATE, &r))
		return reason_refuse(r, reason, "as the transcript has it");
	if (!event || event->kind != TAPE_RATE || event->baud != baud ||
		event->has_even_parity != is_even)
		return differ(
			port, event, "sets the rate %" PRIu32 " 8%c1", baud, is_even ? 'E' : 'N');
	take_event(port, event);
	port->baud = baud;
	port->has_even_parity = is_even;
	transcript_rate(port->transcript, port->now, baud, is_even, 0);
	return 0;
}

int port_set_lines(struct port *port, unsigned mask, unsigned lines)
{
	int r = enter(port);

	if (r < 0)
		return r;
	port->lines = (port->lines & ~mask) | (lines & mask);
	r = match_lines(port, port->lines);
	transcript_lines(port->transcript, port->now, port->lines, r);
	return r;
}

/* All events of bytes that were cut out up to the end of that flash. */
static int match_flash(struct port *port, const struct tape_event *event, size_t n_data)
{
	const struct tape_event *begun = port->begun;
	uint32_t address;
	size_t n;

	if (!transcript_is_in_flash(port->transcript, &address, &n))
		return differ(port, event, "sends %zu bytes that are not of the flash", n_data);
	if (!begun || begun->address != address || begun->n_flash != n)
		return differ(
			port, event, "sends %zu bytes of the flash at 0x%08" PRIx32, n, address);
	while (event && event->kind == TAPE_SENT && event->n_cut > 0) {
		take_event(port, event);
		event = event_at(port, port->next);
	}
	return 0;
}

static int match_bytes(struct port *port, const uint8_t *data, size_t n_data)
{
	char bytes[64];

	for (size_t i = 0; i < n_data; i++) {
		const struct tape_event *event = listen(port);

		if (port->is_gone)
			return -ENODEV;
		if (event && event->kind == TAPE_SENT && event->n_cut > 0 && i == 0)
			return match_flash(port, event, n_data);
		if (!event || event->kind != TAPE_SENT || event->n_cut > 0 ||
			event->bytes[port->n_used] != data[i])
			return differ(port, event, "sends %s", hex(data + i, n_data - i, bytes));
		if (++port->n_used == event->n_bytes)
			take_event(port, event);
	}
	return 0;
}

int port_write(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	int r = enter(port);

	(void)deadline;
	if (r == 0) {
		(void)listen(port);
		if (!fails(port, TAPE_SENT, &r))
			r = match_bytes(port, data, n_data);
	}
	if (port->line_free < port->now)
		port->line_free = port->now;
	port->line_free += port_line_time(port, n_data);
	transcript_sent(port->transcript, port->now, data, n_data, r);
	return r;
}

static size_t take_queued(struct port *port, uint8_t *to, size_t n_to)
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

static int read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	const struct tape_event *event;
	int r = enter(port);

	if (r < 0)
		return r;
	event = listen(port);
	if (port->n_queue > 0 && port->queue[0].at <= deadline) {
		if (port->queue[0].at > port->now)
			port->now = port->queue[0].at;
		*ret_n = take_queued(port, to, n_to);
		return 0;
	}
	if (port->is_gone)
		return -ENODEV;
	if (port->n_queue == 0 && event && time_of(port, event) <= deadline &&
		fails(port, TAPE_HEARD, &r))
		return r;
	if (deadline > port->now && deadline != UINT64_MAX)
		port->now = deadline;
	return -ETIMEDOUT;
}

int port_read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	int r = read_some(port, to, n_to, deadline, ret_n);

	transcript_heard(port->transcript, port->now, to, r == 0 ? *ret_n : 0, r);
	return r;
}

int port_discard_input(struct port *port)
{
	uint8_t bytes[256];
	int r = enter(port);

	if (r == 0) {
		(void)listen(port);
		(void)fails(port, TAPE_OTHER, &r);
	}
	while (r == 0 && take_queued(port, bytes, sizeof(bytes)) > 0)
		;
	return r;
}

int port_drain(struct port *port, uint64_t deadline)
{
	uint64_t until = port->line_free < deadline ? port->line_free : deadline;
	int r = enter(port);

	if (r == 0 && until > port->now)
		port->now = until;
	return r == 0 && port->line_free > deadline ? -ETIMEDOUT : r;
}

uint64_t port_now(struct port *port)
{
	return ++port->now;
}

int port_wait(struct port *port, uint64_t usec)
{
	port->now += usec;
	return enter(port);
}

uint32_t port_rate(const struct port *port)
{
	return port->baud;
}

uint64_t port_line_time(const struct port *port, size_t n_bytes)
{
	uint64_t bits = port->has_even_parity ? 11 : 10;

	return port->baud > 0 ? (n_bytes * bits * USEC_PER_SEC + port->baud - 1) / port->baud : 0;
}
