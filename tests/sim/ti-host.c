/* SPDX-License-Identifier: MIT */
#include "sim/ti-host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "rules/wiring.h"

#define NSEC_PER_MSEC UINT64_C(1000000)

static void take(struct tihost *host)
{
	uint8_t byte;

	while (sim_send(host->sim, &byte, host->now)) {
		if (host->n_bytes < sizeof(host->bytes))
			host->bytes[host->n_bytes++] = byte;
	}
}

static void run(struct tihost *host, uint64_t until)
{
	take(host);
	while (sim_next(host->sim) != SIM_NEVER && sim_next(host->sim) <= until) {
		if (sim_next(host->sim) > host->now)
			host->now = sim_next(host->sim);
		take(host);
	}
	if (until != SIM_NEVER && until > host->now)
		host->now = until;
	take(host);
}

void tihost_pass(struct tihost *host, uint64_t msec)
{
	host->n_bytes = 0;
	run(host, host->now + msec * NSEC_PER_MSEC);
}

void tihost_reset(struct tihost *host, bool into_loader)
{
	sim_set_lines(host->sim, LINE_RTS, host->now);
	tihost_pass(host, 100);
	sim_set_lines(host->sim, into_loader ? LINE_DTR : 0, host->now);
	tihost_pass(host, 100);
	sim_set_lines(host->sim, 0, host->now);
}

void tihost_begin(struct tihost *host, const char *chip, const struct sim_ti *board,
	const struct sim_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ESP};

	if (board)
		options.ti = *board;
	if (faults)
		options.faults = *faults;
	*host = (struct tihost){.sim = sim_new(&options), .now = NSEC_PER_MSEC};
	if (!host->sim)
		abort();
	sim_set_lines(host->sim, 0, host->now);
	sim_set_format(host->sim, 500000, false, host->now);
	tihost_pass(host, 100);
	tihost_reset(host, true);
}

void tihost_end(struct tihost *host)
{
	host->sim = sim_free(host->sim);
}

static void say_byte(struct tihost *host, uint8_t byte)
{
	host->now += sim_byte_nsec(host->sim);
	sim_receive(host->sim, byte, host->now);
}

static const char *as_text(struct tihost *host)
{
	host->text[0] = '\0';
	for (size_t i = 0; i < host->n_bytes; i++)
		sprintf(host->text + (i ? 3 * i - 1 : 0), i ? " %02X" : "%02X", host->bytes[i]);
	return host->text;
}

const char *tihost_say(struct tihost *host, const char *text)
{
	host->n_bytes = 0;
	while (*text) {
		char *end;

		say_byte(host, (uint8_t)strtoul(text, &end, 16));
		text = *end ? end + 1 : end;
	}
	run(host, SIM_NEVER);
	return as_text(host);
}

const char *tihost_packet(struct tihost *host, const uint8_t *bytes, size_t n_bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n_bytes; i++)
		sum += bytes[i];
	host->n_bytes = 0;
	say_byte(host, (uint8_t)(n_bytes + 2));
	say_byte(host, sum);
	for (size_t i = 0; i < n_bytes; i++)
		say_byte(host, bytes[i]);
	run(host, SIM_NEVER);
	return as_text(host);
}

void tihost_sync(struct tihost *host)
{
	if (strcmp(tihost_say(host, "55 55"), "00 CC") != 0)
		abort();
}

int tihost_ask(struct tihost *host, const uint8_t *bytes, size_t n_bytes, uint8_t ret[256])
{
	int n;

	tihost_packet(host, bytes, n_bytes);
	if (host->n_bytes < 2 || host->bytes[0] != 0 || host->bytes[1] != 0xCC)
		return -1;
	if (host->n_bytes == 2)
		return 0;
	n = host->bytes[2] - 2;
	if (n < 1 || host->n_bytes != (size_t)n + 4)
		return -1;
	memcpy(ret, host->bytes + 4, (size_t)n);
	tihost_say(host, "00 CC");
	return n;
}

int tihost_status(struct tihost *host)
{
	uint8_t answer[256];

	return tihost_ask(host, (const uint8_t[]){0x23}, 1, answer) == 1 ? answer[0] : -1;
}
