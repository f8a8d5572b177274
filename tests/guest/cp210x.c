/* SPDX-License-Identifier: MIT */
#include "guest/cp210x.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "rules/wiring.h"

/* AN571, section 5. */
enum {
	IFC_ENABLE = 0x00,
	SET_BAUDDIV = 0x01,
	GET_BAUDDIV = 0x02,
	SET_LINE_CTL = 0x03,
	GET_LINE_CTL = 0x04,
	SET_BREAK = 0x05,
	SET_MHS = 0x07,
	GET_MDMSTS = 0x08,
	SET_CHAR = 0x0D,
	GET_CHARS = 0x0E,
	GET_COMM_STATUS = 0x10,
	PURGE = 0x12,
	SET_FLOW = 0x13,
	GET_FLOW = 0x14,
	EMBED_EVENTS = 0x15,
	SET_CHARS = 0x19,
	GET_BAUDRATE = 0x1D,
	SET_BAUDRATE = 0x1E,
	VENDOR_SPECIFIC = 0xFF,
};

/* What SET_BAUDDIV divides. */
#define BAUD_CLOCK 3686400u

/* wValue of VENDOR_SPECIFIC. */
enum {
	READ_2NCONFIG = 0x000E,
	GET_PARTNUM = 0x370B,
	GET_PORTCONFIG = 0x370C,
	GET_DEVICEMODE = 0x3711,
};

/* SET_MHS: the lower half is the state, the upper says which of it counts. */
enum { MHS_DTR = 0x0001, MHS_RTS = 0x0002, MHS_SET_DTR = 0x0100, MHS_SET_RTS = 0x0200 };

struct setup {
	uint8_t type, request;
	uint16_t value, index;
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static int give(const void *from, size_t n, uint8_t *data, uint32_t n_data)
{
	if (n > n_data)
		n = n_data;
	memcpy(data, from, n);
	return (int)n;
}

static int standard(
	struct cp210x *device, const struct setup *setup, uint8_t *data, uint32_t n_data)
{
	static const uint8_t status[2];

	switch (setup->request) {
	case 0x00: /* GET_STATUS */
		return give(status, sizeof(status), data, n_data);
	case 0x06: /* GET_DESCRIPTOR */
		return bridge_descriptor(device->identity, setup->value, data, n_data);
	case 0x08: /* GET_CONFIGURATION */
		return give(&device->configuration, 1, data, n_data);
	case 0x09: /* SET_CONFIGURATION */
		device->configuration = (uint8_t)setup->value;
		return 0;
	case 0x01: /* CLEAR_FEATURE: an endpoint that was halted */
	case 0x03: /* SET_FEATURE */
	case 0x05: /* SET_ADDRESS: the virtual controller's own affair */
	case 0x0B: /* SET_INTERFACE */
		return 0;
	}
	return -EPIPE;
}

/* What cannot be changed while the chip runs: part number, firmware version, pins. */
static int vendor(struct cp210x *device, const struct setup *setup, uint8_t *data, uint32_t n_data)
{
	const struct bridge_kind *kind = device->identity->kind;
	uint8_t answer[CP210X_CONTROL_MAX] = {0};

	if (kind->version_request && setup->value == kind->version_request) {
		/* After 1.0.4 and its erratum E104, which would switch flow control off. */
		const uint8_t version[3] = {1, 0, 8};

		return give(version, sizeof(version), data, n_data);
	}
	switch (setup->value) {
	case GET_PARTNUM:
		/* A genuine CP2102 gives two bytes when asked for two; clones give one. */
		answer[0] = kind->part_number;
		return give(answer, 2, data, n_data);
	case READ_2NCONFIG:
		if (kind->part_number != 0x20)
			return -EPIPE;
		answer[2] = 1; /* version of the configuration */
		return give(answer, 0x2A6, data, n_data);
	case GET_DEVICEMODE:
		return give(answer, 2, data, n_data);
	case GET_PORTCONFIG:
		return give(answer, 15, data, n_data);
	}
	return -EPIPE;
}

static void set_modem_lines(struct uart *uart, uint16_t value, uint64_t now)
{
	unsigned lines = uart->lines;

	if (value & MHS_SET_DTR)
		lines = (lines & ~(unsigned)LINE_DTR) | (value & MHS_DTR ? LINE_DTR : 0);
	if (value & MHS_SET_RTS)
		lines = (lines & ~(unsigned)LINE_RTS) | (value & MHS_RTS ? LINE_RTS : 0);
	uart_set_lines(uart, lines, now);
}

/*
 * Word 0, bits 1:0 are DTR's mode, word 1, bits 7:6 RTS's: 0 and 1 set the line, 2 gives it to the
 * bridge. The record shows only what changes: the driver repeats what it has set with SET_MHS.
 */
static void set_flow(
	struct cp210x *device, unsigned interface, const uint8_t flow[16], uint64_t now)
{
	struct uart *uart = &device->uarts[interface];
	unsigned lines = uart->lines;
	uint8_t dtr = flow[0] & 3, rts = flow[4] >> 6 & 3;

	memcpy(device->flow[interface], flow, 16);
	if (dtr < 2)
		lines = (lines & ~(unsigned)LINE_DTR) | (dtr ? LINE_DTR : 0);
	if (rts < 2)
		lines = (lines & ~(unsigned)LINE_RTS) | (rts ? LINE_RTS : 0);
	if (lines != uart->lines)
		uart_set_lines(uart, lines, now);
}

static int comm_status(struct uart *uart, uint8_t *data, uint32_t n_data, uint64_t now)
{
	uint8_t status[0x13] = {0};

	uart_advance(uart, now);
	put32(status + 8, (uint32_t)uart->n_in);
	put32(status + 12, (uint32_t)uart->n_out);
	return give(status, sizeof(status), data, n_data);
}

static int get(struct cp210x *device, const struct setup *setup, uint8_t *data, uint32_t n_data,
	uint64_t now)
{
	struct uart *uart = &device->uarts[setup->index];
	uint8_t answer[4];

	switch (setup->request) {
	case GET_LINE_CTL:
		answer[0] = (uint8_t)uart->line_control;
		answer[1] = (uint8_t)(uart->line_control >> 8);
		return give(answer, 2, data, n_data);
	case GET_BAUDDIV:
		answer[0] = (uint8_t)(BAUD_CLOCK / uart->baud);
		answer[1] = (uint8_t)(BAUD_CLOCK / uart->baud >> 8);
		return give(answer, 2, data, n_data);
	case GET_BAUDRATE:
		put32(answer, uart->baud);
		return give(answer, 4, data, n_data);
	case GET_MDMSTS:
		/* Nobody drives CTS, DSR, RI and DCD. */
		answer[0] = (uint8_t)((uart->lines & LINE_DTR ? 1 : 0) |
				      (uart->lines & LINE_RTS ? 2 : 0));
		return give(answer, 1, data, n_data);
	case GET_CHARS:
		return give(device->chars[setup->index], 6, data, n_data);
	case GET_FLOW:
		return give(device->flow[setup->index], 16, data, n_data);
	case GET_COMM_STATUS:
		return comm_status(uart, data, n_data, now);
	}
	return -EPIPE;
}

static int set_block(struct cp210x *device, const struct setup *setup, const uint8_t *data,
	uint32_t n_data, uint64_t now)
{
	if (setup->request == SET_BAUDRATE && n_data == 4) {
		uint32_t baud = (uint32_t)get16(data) | (uint32_t)get16(data + 2) << 16;

		uart_set_baud(&device->uarts[setup->index], baud, now);
		return 0;
	}
	if (setup->request == SET_FLOW && n_data == 16) {
		set_flow(device, setup->index, data, now);
		return 0;
	}
	if (setup->request == SET_CHARS && n_data == 6) {
		memcpy(device->chars[setup->index], data, 6);
		return 0;
	}
	return -EPIPE;
}

static int set(struct cp210x *device, const struct setup *setup, const uint8_t *data,
	uint32_t n_data, uint64_t now)
{
	struct uart *uart = &device->uarts[setup->index];

	switch (setup->request) {
	case IFC_ENABLE:
		uart_enable(uart, setup->value & 1, now);
		return 0;
	case SET_LINE_CTL:
		uart_set_line_control(uart, setup->value, now);
		return 0;
	case SET_BAUDDIV:
		uart_set_baud(uart, setup->value ? BAUD_CLOCK / setup->value : 0, now);
		return 0;
	case SET_MHS:
		set_modem_lines(uart, setup->value, now);
		return 0;
	case PURGE:
		/* Bits 0 and 2 are the way to the chip, 1 and 3 the way from it. */
		uart_purge(uart, setup->value & 0x0A, setup->value & 0x05, now);
		return 0;
	case EMBED_EVENTS:
		uart_set_escape(uart, (uint8_t)setup->value, now);
		return 0;
	case SET_BREAK:
	case SET_CHAR:
		return 0;
	}
	return set_block(device, setup, data, n_data, now);
}

int cp210x_control(
	struct cp210x *device, const uint8_t raw[8], uint8_t *data, uint32_t n_data, uint64_t now)
{
	const struct setup setup = {raw[0], raw[1], get16(raw + 2), get16(raw + 4)};

	/* Bits 6:5 of the type: standard, class, vendor. */
	if ((setup.type & 0x60) == 0)
		return standard(device, &setup, data, n_data);
	if ((setup.type & 0x60) != 0x40)
		return -EPIPE;
	if (setup.request == VENDOR_SPECIFIC)
		return setup.type & 0x80 ? vendor(device, &setup, data, n_data) : 0;
	if (setup.index >= device->identity->kind->n_interfaces)
		return -EPIPE;
	if (setup.type & 0x80)
		return get(device, &setup, data, n_data, now);
	return set(device, &setup, data, n_data, now);
}
