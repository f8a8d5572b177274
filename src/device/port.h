/* SPDX-License-Identifier: MIT */
/*
 * port.h - the open tty of one bridge: bytes with deadlines, both lines in one request, and the
 * clock that goes with them.
 *
 * Owns the descriptor and the lock. Everything that waits in this folder waits here, so that a test
 * can put a simulated chip with a clock of its own in the place of port.c.
 *
 * Results: 0, or -errno: -ENODEV the bridge is gone (unplugged or taken away), -EBUSY held by
 * somebody else, -ETIMEDOUT the deadline passed, anything else as the kernel said it. Deadlines are
 * µs on the port's clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"
#include "rules/wiring.h"

struct port;
struct transcript;

enum port_parity { PORT_PARITY_NONE, PORT_PARITY_EVEN };

/*
 * Opens and locks the node. Linux raises DTR and RTS here: only for a port that a rule matches.
 * Both lines are set to `rest` in one request before anything else is done. `devnum` is what the
 * node must be (0: not checked): a node that was reused by another bridge is -ENODEV. On failure
 * `reason` says who holds it, or what is missing.
 */
int port_open(
	const char *path, dev_t devnum, unsigned rest, struct port **ret, struct reason *reason);

/*
 * From now on all of it is written into the transcript, which is borrowed and outlives the port.
 * Recorded or not, a call takes the same time: nothing of it waits.
 */
void port_record(struct port *port, struct transcript *transcript);

/* For whoever has to say in it what the bytes are (transcript.h); NULL: nothing is recorded. */
struct transcript *port_transcript(const struct port *port);

/* Sets the lines to `rest`, waits for what was sent, gives back lock and descriptor. NULL is fine.
 */
struct port *port_close(struct port *port);

/*
 * Raw, 8 data bits, one stop bit, no flow control, INPCK off (cp210x.md 5). Reads back what the
 * driver made of it: -ENOTSUP with the reason when parity or speed was not kept (speed within 2.5
 * %).
 */
int port_configure(
	struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason);

/* Sets the lines of `mask` to `lines`, both in one request. */
int port_set_lines(struct port *port, unsigned mask, unsigned lines);

/* Sends all bytes, in one write where the driver takes them. */
int port_write(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline);

/*
 * Reads at least one byte and at most `n_to`; `ret_n` tells how many. -ETIMEDOUT when none came by
 * the deadline.
 */
int port_read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n);

/* Throws away what was received and not read. */
int port_discard_input(struct port *port);

/* Waits until all was sent, at most until the deadline. */
int port_drain(struct port *port, uint64_t deadline);

/* The port's clock, and a wait on it: the reset pulse and the chip's documented waits, no other. */
uint64_t port_now(struct port *port);
int port_wait(struct port *port, uint64_t usec);

/* The rate as configured last; 0: it was not. */
uint32_t port_rate(const struct port *port);

/* The time `n_bytes` take on the line as configured, µs, start, parity and stop bits counted. */
uint64_t port_line_time(const struct port *port, size_t n_bytes);
