/* SPDX-License-Identifier: MIT */
/*
 * tty.h - the port of one plugged-in bridge: a pseudo-terminal that keeps what a UART keeps, with a
 * simulated board at its other end.
 *
 * Nothing here waits. The bed's loop calls tty_advance() when the master end is readable or time is
 * up; umockdev's thread calls tty_on_open() and tty_on_ioctl(). One mutex of the bed is held in all
 * of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

#define TTY_LOG_MAX 4096

enum tty_cause { TTY_OPENED, TTY_SET, TTY_CLOSED };

/* A change of the modem lines; both lines of one request are one entry. */
struct tty_change {
	enum tty_cause cause;
	unsigned lines; /* LINE_DTR | LINE_RTS, 1 asserted */
	uint64_t nsec;	/* of the monotonic clock */
};

/* Bytes on their way to the chip; a power of two, more than a pseudo-terminal holds. */
#define TTY_QUEUE 16384

struct tty {
	int master;	/* -1: pulled */
	unsigned index; /* N of /dev/pts/N */
	struct sim *sim;
	bool is_paced; /* at the rate of the line; else time is put forward where nothing happens */
	bool is_open;
	unsigned lines;
	uint32_t baud;
	bool parity;
	bool hangs_up; /* HUPCL */
	uint8_t termios[64];

	uint64_t skipped; /* ns the board's clock is ahead of the monotonic one */
	struct {
		uint8_t byte;
		uint64_t due;
	} queue[TTY_QUEUE];
	unsigned head, tail;
	uint64_t line_free; /* when the last byte has arrived */

	struct tty_change changes[TTY_LOG_MAX];
	size_t n_changes;
	unsigned n_opens;    /* seen by the preload */
	unsigned n_requests; /* ioctls for the lines or the format */
	uint64_t n_lost;     /* bytes of the chip that nobody read */
};

/* Makes the pseudo-terminal; `sim` is borrowed. 0 or -errno. */
int tty_init(struct tty *tty, struct sim *sim, bool is_paced);

/* Pulls the plug: whoever has the port open is hung up. */
void tty_pull(struct tty *tty);

/* The node was opened: Linux raises both lines. */
void tty_on_open(struct tty *tty, uint64_t now);

/*
 * One request of a process that has the port open. `arg` is a copy of the `n_arg` bytes its
 * argument points to, written back by the caller. 0, or -errno; TTY_PASS: the pseudo-terminal is
 * to answer.
 */
#define TTY_PASS 1
int tty_on_ioctl(struct tty *tty, unsigned long request, void *arg, uint64_t now);

/* How many bytes the argument of the request points to; 0: not one of tty_on_ioctl(). */
size_t tty_ioctl_size(unsigned long request);

/* Moves bytes both ways as far as time allows. Returns when to be called again, or SIM_NEVER. */
uint64_t tty_advance(struct tty *tty, uint64_t now);
