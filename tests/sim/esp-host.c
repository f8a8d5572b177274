/* SPDX-License-Identifier: MIT */
#include "sim/esp-host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "rules/wiring.h"
#include "sim/esp-rom.h"

#define NSEC_PER_MSEC UINT64_C(1000000)

static void take(struct esphost *host)
{
	uint8_t byte;

	while (sim_send(host->sim, &byte, host->now)) {
		if (host->n_bytes < sizeof(host->bytes))
			host->bytes[host->n_bytes++] = byte;
	}
}

static void run(struct esphost *host, uint64_t until)
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

void esphost_pass(struct esphost *host, uint64_t msec)
{
	host->n_bytes = 0;
	run(host, host->now + msec * NSEC_PER_MSEC);
}

void esphost_reset(struct esphost *host, bool into_loader, uint64_t delay_msec)
{
	sim_set_lines(host->sim, LINE_RTS, host->now);
	esphost_pass(host, 100);
	sim_set_lines(host->sim, into_loader ? LINE_DTR : 0, host->now);
	esphost_pass(host, delay_msec);
	sim_set_lines(host->sim, 0, host->now);
}

void esphost_begin(struct esphost *host, const char *chip, const struct sim_esp *board,
	const struct sim_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = SIM_CIRCUIT_ESP};

	if (board)
		options.esp = *board;
	if (faults)
		options.faults = *faults;
	*host = (struct esphost){.sim = sim_new(&options), .now = NSEC_PER_MSEC};
	if (!host->sim)
		abort();
	sim_set_lines(host->sim, 0, host->now);
	sim_set_format(host->sim, 115200, false, host->now);
	esphost_pass(host, 100);
	esphost_reset(host, true, 50);
	esphost_pass(host, 1000);
}

void esphost_end(struct esphost *host)
{
	host->sim = sim_free(host->sim);
}

static void say_byte(struct esphost *host, uint8_t byte)
{
	host->now += sim_byte_nsec(host->sim);
	sim_receive(host->sim, byte, host->now);
}

static const char *as_text(struct esphost *host)
{
	host->text[0] = '\0';
	for (size_t i = 0; i < host->n_bytes; i++)
		sprintf(host->text + (i ? 3 * i - 1 : 0), i ? " %02X" : "%02X", host->bytes[i]);
	return host->text;
}

const char *esphost_say(struct esphost *host, const char *text)
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

/* The last frame of the answer. */
static int read_answer(struct esphost *host, uint8_t opcode, struct esphost_answer *ret)
{
	size_t n_status =
		sim_esp(host->sim)->is_stub || sim_esp(host->sim)->has_short_status ? 2 : 4;
	struct espslip slip = {0};
	int status = -1;

	for (size_t i = 0; i < host->n_bytes; i++) {
		if (!espslip_take(&slip, host->bytes[i]) || slip.n_body < 8 + n_status ||
			slip.body[0] != 1 || slip.body[1] != opcode)
			continue;
		ret->n_data = slip.n_body - 8 - n_status;
		memcpy(ret->data, slip.body + 8, ret->n_data);
		memcpy(&ret->value, slip.body + 4, 4);
		status = slip.body[8 + ret->n_data] ? slip.body[8 + ret->n_data + 1] : 0;
	}
	return status;
}

static uint8_t sum(const uint8_t *bytes, size_t n_bytes)
{
	uint8_t xor = 0xEF;

	for (size_t i = 0; i < n_bytes; i++)
		xor ^= bytes[i];
	return xor;
}

int esphost_command(struct esphost *host, uint8_t opcode, const uint32_t *words, size_t n_words,
	const uint8_t *bytes, size_t n_bytes, struct esphost_answer *ret)
{
	static uint8_t body[ESPSLIP_BODY], frame[2 * ESPSLIP_BODY + 2];
	struct esphost_answer unused;
	size_t n_data = 4 * n_words + n_bytes, n;

	memset(body, 0, 8);
	body[1] = opcode;
	body[2] = (uint8_t)n_data;
	body[3] = (uint8_t)(n_data >> 8);
	if (n_bytes)
		body[4] = sum(bytes, n_bytes);
	if (n_words)
		memcpy(body + 8, words, 4 * n_words);
	if (n_bytes)
		memcpy(body + 8 + 4 * n_words, bytes, n_bytes);
	n = espslip_frame(body, 8 + n_data, frame);
	host->n_bytes = 0;
	for (size_t i = 0; i < n; i++)
		say_byte(host, frame[i]);
	run(host, SIM_NEVER);
	return read_answer(host, opcode, ret ? ret : &unused);
}

void esphost_sync(struct esphost *host)
{
	esphost_say(host, ESPHOST_SYNC);
	if (sim_esp(host->sim)->has_short_status)
		return;
	esphost_words(host, ESPROM_SPI_ATTACH, NULL, 0, 0);
	esphost_words(host, ESPROM_SPI_SET_PARAMS, NULL, 0, sim_flash_size(host->sim), 0x10000,
		0x1000, 0x100, 0xFFFF);
}
