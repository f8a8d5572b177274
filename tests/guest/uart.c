/* SPDX-License-Identifier: MIT */
#include "guest/uart.h"

#include <string.h>

static void tell_format(struct uart *uart, uint64_t now)
{
	if (uart->sim)
		sim_set_format(uart->sim, uart->baud, (uart->line_control & 0xF0) == 0x20, now);
}

void uart_init(struct uart *uart, struct sim *sim, struct record *record, size_t in_size,
	size_t out_size, uint64_t now)
{
	*uart = (struct uart){
		.sim = sim,
		.record = record,
		.in_size = in_size,
		.out_size = out_size,
		.baud = 9600,
		.line_control = 0x0800,
		.out_due = SIM_NEVER,
	};
	tell_format(uart, now);
	if (sim)
		sim_set_lines(sim, 0, now);
}

static uint64_t byte_nsec(const struct uart *uart)
{
	/* With nobody at the other end the bytes take their time all the same. */
	return uart->sim ? sim_byte_nsec(uart->sim) : UINT64_C(10000000000) / uart->baud;
}

static void keep(struct uart *uart, uint8_t byte, uint64_t now)
{
	if (uart->n_in == 0)
		uart->in_since = now;
	if (uart->n_in == uart->in_size) {
		uart->n_overruns++;
		return;
	}
	uart->in[(uart->in_head + uart->n_in++) % UART_BUFFER] = byte;
}

static void on_sent(struct uart *uart, uint8_t byte, uint64_t now)
{
	if (!uart->is_enabled)
		return;
	keep(uart, byte, now);
	/* AN571, EMBED_EVENTS: an escape character that is data is followed by 00. */
	if (uart->escape && byte == uart->escape)
		keep(uart, 0, now);
}

static void send_one(struct uart *uart, uint64_t due)
{
	uint8_t byte = uart->out[uart->out_head];

	uart->out_head = (uart->out_head + 1) % UART_BUFFER;
	uart->n_out--;
	uart->out_due = uart->n_out > 0 ? due + byte_nsec(uart) : SIM_NEVER;
	record_byte(uart->record, byte, uart->sim ? sim_state(uart->sim) : SIM_DEAD, due);
	if (uart->sim)
		sim_receive(uart->sim, byte, due);
}

void uart_advance(struct uart *uart, uint64_t now)
{
	for (;;) {
		uint64_t sent = uart->sim ? sim_next(uart->sim) : SIM_NEVER;
		uint8_t byte;

		if (sent <= uart->out_due) {
			if (sent > now)
				return;
			while (sim_send(uart->sim, &byte, sent))
				on_sent(uart, byte, sent);
		} else {
			if (uart->out_due > now)
				return;
			send_one(uart, uart->out_due);
		}
	}
}

uint64_t uart_next(const struct uart *uart)
{
	uint64_t sent = uart->sim ? sim_next(uart->sim) : SIM_NEVER;

	return sent < uart->out_due ? sent : uart->out_due;
}

void uart_enable(struct uart *uart, bool is_enabled, uint64_t now)
{
	uart_advance(uart, now);
	uart->is_enabled = is_enabled;
	if (!is_enabled) {
		uart->escape = 0;
		uart_purge(uart, true, true, now);
	}
	record_note(uart->record, is_enabled ? RECORD_ENABLE : RECORD_DISABLE, 0, now);
}

void uart_set_lines(struct uart *uart, unsigned lines, uint64_t now)
{
	unsigned resets;

	uart_advance(uart, now);
	uart->lines = lines;
	record_note(uart->record, RECORD_LINES, lines, now);
	if (!uart->sim)
		return;
	resets = sim_counters(uart->sim)->resets;
	sim_set_lines(uart->sim, lines, now);
	if (sim_counters(uart->sim)->resets != resets)
		record_note(uart->record, RECORD_RESET, 0, now);
}

void uart_set_baud(struct uart *uart, uint32_t baud, uint64_t now)
{
	if (baud == 0)
		return;
	uart_advance(uart, now);
	uart->baud = baud;
	record_note(uart->record, RECORD_BAUD, baud, now);
	tell_format(uart, now);
}

void uart_set_line_control(struct uart *uart, uint16_t line_control, uint64_t now)
{
	uart_advance(uart, now);
	uart->line_control = line_control;
	record_note(uart->record, RECORD_FORMAT, line_control, now);
	tell_format(uart, now);
}

void uart_set_escape(struct uart *uart, uint8_t escape, uint64_t now)
{
	uart_advance(uart, now);
	uart->escape = escape;
	record_note(uart->record, RECORD_EVENTS, escape, now);
}

void uart_purge(struct uart *uart, bool in, bool out, uint64_t now)
{
	uart_advance(uart, now);
	if (in)
		uart->n_in = 0;
	if (out) {
		uart->n_out = 0;
		uart->out_due = SIM_NEVER;
	}
	record_note(uart->record, RECORD_PURGE, 0, now);
}

size_t uart_put(struct uart *uart, const uint8_t *data, size_t n_data, uint64_t now)
{
	size_t n = 0;

	uart_advance(uart, now);
	while (n < n_data && uart->n_out < uart->out_size) {
		if (uart->n_out == 0)
			uart->out_due = now + byte_nsec(uart);
		uart->out[(uart->out_head + uart->n_out++) % UART_BUFFER] = data[n++];
	}
	return n;
}

size_t uart_take(struct uart *uart, uint8_t *data, size_t size)
{
	size_t n = 0;

	while (n < size && uart->n_in > 0) {
		data[n++] = uart->in[uart->in_head];
		uart->in_head = (uart->in_head + 1) % UART_BUFFER;
		uart->n_in--;
	}
	return n;
}
