/* SPDX-License-Identifier: MIT */
/*
 * host.c - see host.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/wiring.h"
#include "sim/host.h"

#define SETTLE_NSEC  UINT64_C(200000000)
#define ANSWER_BYTES 64

/* Longer than a Read's answer, which ends by itself. */
#define ANSWER_END 300

static void add_text(struct host *host, const char *text)
{
	strncat(host->answer, text, sizeof(host->answer) - strlen(host->answer) - 1);
}

static void add_byte(struct host *host, uint8_t byte)
{
	size_t length = strlen(host->answer);
	char text[4];

	snprintf(text, sizeof(text), "%s%02X", length && host->answer[length - 1] != '|' ? " " : "",
		byte);
	add_text(host, text);
}

/* Takes what the chip sends until it has nothing left to do. */
static void hear(struct host *host)
{
	unsigned n_bytes = 0;
	uint8_t byte;

	while (sim_next(host->sim) != SIM_NEVER && n_bytes < ANSWER_END) {
		if (sim_next(host->sim) > host->now)
			host->now = sim_next(host->sim);
		while (n_bytes < ANSWER_END && sim_send(host->sim, &byte, host->now)) {
			add_byte(host, byte);
			n_bytes++;
		}
	}
	if (n_bytes == ANSWER_END)
		host->answer[3 * ANSWER_BYTES - 1] = '\0';
}

static void say(struct host *host, uint8_t byte)
{
	host->now += sim_byte_nsec(host->sim);
	sim_receive(host->sim, byte, host->now);
}

static void say_all(struct host *host, const uint8_t *bytes, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++)
		say(host, bytes[i]);
	hear(host);
}

const char *host_send(struct host *host, const uint8_t *bytes, size_t n_bytes)
{
	host->answer[0] = '\0';
	say_all(host, bytes, n_bytes);
	return host->answer;
}

const char *host_say(struct host *host, const char *text)
{
	host->answer[0] = '\0';
	for (const char *at = text; *at;) {
		char *end;

		if (*at == '|') {
			hear(host);
			add_text(host, "|");
			at++;
		} else if (*at == ' ') {
			at++;
		} else {
			say(host, (uint8_t)strtoul(at, &end, 16));
			at = end;
		}
	}
	hear(host);
	return host->answer;
}

static void say_address(struct host *host, uint32_t address)
{
	uint8_t frame[5] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
		(uint8_t)(address >> 8), (uint8_t)address};

	frame[4] = frame[0] ^ frame[1] ^ frame[2] ^ frame[3];
	say_all(host, frame, sizeof(frame));
}

const char *host_write(struct host *host, uint32_t address, const uint8_t *data, size_t n_data)
{
	uint8_t frame[1 + 256 + 1] = {(uint8_t)(n_data - 1)};
	uint8_t sum = frame[0];

	for (size_t i = 0; i < n_data; i++) {
		frame[1 + i] = data[i];
		sum ^= data[i];
	}
	frame[1 + n_data] = sum;
	host->answer[0] = '\0';
	say_all(host, (uint8_t[]){0x31, 0xCE}, 2);
	say_address(host, address);
	say_all(host, frame, n_data + 2);
	return host->answer;
}

const char *host_read(struct host *host, uint32_t address, size_t n_data)
{
	uint8_t n = (uint8_t)(n_data - 1);

	host->answer[0] = '\0';
	say_all(host, (uint8_t[]){0x11, 0xEE}, 2);
	say_address(host, address);
	say_all(host, (uint8_t[]){n, (uint8_t)~n}, 2);
	return host->answer;
}

void host_pass(struct host *host, uint64_t nsec)
{
	uint64_t until = host->now + nsec;
	uint8_t byte;

	host->answer[0] = '\0';
	while (sim_next(host->sim) <= until) {
		if (sim_next(host->sim) > host->now)
			host->now = sim_next(host->sim);
		while (sim_send(host->sim, &byte, host->now))
			add_byte(host, byte);
	}
	host->now = until;
	while (sim_send(host->sim, &byte, host->now))
		add_byte(host, byte);
}

void host_reset(struct host *host, bool into_rom)
{
	unsigned boot = into_rom ? LINE_RTS : 0;

	sim_set_lines(host->sim, LINE_DTR | boot, host->now);
	host_pass(host, SETTLE_NSEC);
	sim_set_lines(host->sim, boot, host->now);
	host_pass(host, SETTLE_NSEC);
}

void host_begin(struct host *host, const struct sim_options *options)
{
	*host = (struct host){.sim = sim_new(options), .now = SETTLE_NSEC};
	if (!host->sim)
		abort();
	sim_set_lines(host->sim, 0, host->now);
	sim_set_format(host->sim, 115200, true, host->now);
	host_pass(host, SETTLE_NSEC);
}

void host_begin_synced(struct host *host, const char *chip, const struct sim_faults *faults)
{
	struct sim_options options = {
		.chip = sim_chip_find(chip),
		.circuit = SIM_CIRCUIT_ROM,
	};

	if (faults)
		options.faults = *faults;
	host_begin(host, &options);
	host_say(host, "7F");
}

void host_end(struct host *host)
{
	host->sim = sim_free(host->sim);
}
