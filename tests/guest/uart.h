/* SPDX-License-Identifier: MIT */
/*
 * uart.h - one serial line of a bridge: its buffers, its pace, its modem lines, and the simulated
 * chip at its other end.
 *
 * Sans-I/O: what the host wants comes in by calls with a time (nanoseconds of the monotonic clock),
 * what the chip sends is taken out by uart_take(). It keeps a record of all that an oscilloscope
 * would show.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/record.h"
#include "sim/sim.h"

#define UART_BUFFER 1024

struct uart {
	struct sim *sim; /* NULL: nothing is connected */
	struct record *record;
	size_t in_size, out_size;

	bool is_enabled;
	unsigned lines; /* LINE_DTR | LINE_RTS */
	uint32_t baud;
	uint16_t line_control; /* as SET_LINE_CTL has it: 0x0820 is 8E1 */
	uint8_t escape;	       /* of embedded events; 0: off */

	/* To the chip. */
	uint8_t out[UART_BUFFER];
	size_t out_head, n_out;
	uint64_t out_due; /* when the first of them has gone out */

	/* From the chip. */
	uint8_t in[UART_BUFFER];
	size_t in_head, n_in;
	uint64_t in_since; /* when the first of them came */
	uint64_t n_overruns;
};

/* As after plug-in: disabled, 9600 8N1, lines not asserted. */
void uart_init(struct uart *uart, struct sim *sim, struct record *record, size_t in_size,
	size_t out_size, uint64_t now);

/* Lets bytes pass both ways up to `now`. */
void uart_advance(struct uart *uart, uint64_t now);

/* When something happens next unless the host does something; SIM_NEVER. */
uint64_t uart_next(const struct uart *uart);

void uart_enable(struct uart *uart, bool is_enabled, uint64_t now);
void uart_set_lines(struct uart *uart, unsigned lines, uint64_t now);
void uart_set_baud(struct uart *uart, uint32_t baud, uint64_t now);
void uart_set_line_control(struct uart *uart, uint16_t line_control, uint64_t now);
void uart_set_escape(struct uart *uart, uint8_t escape, uint64_t now);
void uart_purge(struct uart *uart, bool in, bool out, uint64_t now);

/* How many of the bytes found room. */
size_t uart_put(struct uart *uart, const uint8_t *data, size_t n_data, uint64_t now);
size_t uart_take(struct uart *uart, uint8_t *data, size_t size);
