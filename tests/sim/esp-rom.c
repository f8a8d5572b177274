/* SPDX-License-Identifier: MIT */
/*
 * esp-rom.c - the machine of the boot loader: see esp-rom.h.
 *
 * The rate is measured in the first frame: until a SYNC was understood, each frame is heard at the
 * rate it comes with. A frame that began before the ROM listened is lost (esp-rom.md 2.5).
 */
#include "sim/esp-rom.h"

#include <stdlib.h>
#include <string.h>

#define NSEC_PER_SEC UINT64_C(1000000000)
#define PARSE_NSEC   UINT64_C(100000) /* between a frame and what it makes the ROM do */

static uint64_t later(uint64_t time, uint64_t nsec)
{
	return nsec > SIM_NEVER - time ? SIM_NEVER : time + nsec;
}

void esprom_spend(struct esprom *rom, uint64_t nsec)
{
	rom->clock = later(rom->clock, nsec);
}

uint32_t esprom_word(const struct esprom *rom, unsigned nth)
{
	const uint8_t *at = rom->data + 4 * nth;

	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* --- Replies --- */

static void put(struct esprom *rom, uint8_t byte)
{
	esprom_spend(rom, rom->fault->knobs.slow_sent_nsec + 10 * NSEC_PER_SEC / rom->baud);
	outgoing_put(rom->outgoing,
		&(struct outgoing_byte){
			.at = rom->clock, .baud = (uint32_t)rom->baud, .byte = byte});
}

static void put_noise(struct esprom *rom)
{
	const struct sim_esp_faults *knobs = &rom->fault->knobs.esp;

	rom->n_replies++;
	if (knobs->noise_nth && knobs->noise_nth != rom->n_replies)
		return;
	for (size_t i = 0; i < knobs->n_noise; i++)
		put(rom, (uint8_t)knobs->noise[i]);
}

static void send(struct esprom *rom, const uint8_t *data, size_t n_data, const uint8_t *status,
	size_t n_status)
{
	uint8_t body[8 + 64 + 4] = {1, rom->opcode, (uint8_t)(n_data + n_status)};
	uint8_t frame[2 * sizeof(body) + 2];
	uint32_t value = rom->state->is_stub && rom->opcode == ESPROM_SYNC ? 0 : rom->value;
	size_t n;

	for (int i = 0; i < 4; i++)
		body[4 + i] = (uint8_t)(value >> 8 * i);
	if (n_data)
		memcpy(body + 8, data, n_data);
	memcpy(body + 8 + n_data, status, n_status);
	n = espslip_frame(body, 8 + n_data + n_status, frame);
	put_noise(rom);
	for (size_t i = 0; i < n; i++)
		put(rom, frame[i]);
}

static size_t status_bytes(const struct esprom *rom)
{
	return rom->chip->kind == ESPCHIP_8266 || rom->state->is_stub ? 2 : 4;
}

void esprom_reply(struct esprom *rom, const uint8_t *data, size_t n_data)
{
	const struct sim_esp_faults *knobs = &rom->fault->knobs.esp;
	const uint8_t status[4] = {0, knobs->stale_error ? ESPROM_FORMAT : 0};

	if (knobs->lose_nth && knobs->lose_code == rom->opcode &&
		++rom->fault->esp_loses == knobs->lose_nth)
		return;
	send(rom, data, n_data, status, status_bytes(rom));
}

void esprom_fail(struct esprom *rom, enum esprom_error error)
{
	const uint8_t status[4] = {1, (uint8_t)error};

	send(rom, NULL, 0, status, status_bytes(rom));
}

void esprom_fail_unknown(struct esprom *rom)
{
	const struct sim_esp_faults *knobs = &rom->fault->knobs.esp;
	unsigned n = knobs->unknown_replies ? knobs->unknown_replies : 8;

	if (knobs->unknown_opcode)
		rom->opcode = knobs->unknown_opcode;
	for (unsigned i = 0; i < n; i++) {
		esprom_fail(rom, ESPROM_FORMAT);
		esprom_spend(rom, knobs->unknown_gap_nsec);
	}
}

void esprom_reply_sync(struct esprom *rom)
{
	rom->value = rom->chip->sync_value;
	for (int i = 0; i < 8; i++) {
		esprom_reply(rom, NULL, 0);
		esprom_spend(rom, rom->fault->knobs.esp.sync_gap_nsec);
	}
}

/* --- Requests --- */

static bool fails_by_knob(struct esprom *rom)
{
	const struct sim_esp_faults *knobs = &rom->fault->knobs.esp;

	if (!knobs->fail_nth || knobs->fail_code != rom->opcode)
		return false;
	return ++rom->fault->esp_fails == knobs->fail_nth || knobs->fail_nth == UINT32_MAX;
}

static void take_request(struct esprom *rom)
{
	if (rom->opcode != ESPROM_SYNC && !rom->is_synced)
		return;
	switch (fault_at_pair(rom->fault, rom->opcode)) {
	case FAULT_PAIR_FINE:
		break;
	case FAULT_PAIR_NACK:
		esprom_fail(rom, ESPROM_FAILED);
		return;
	case FAULT_PAIR_HANG:
		rom->is_hung = true;
		return;
	case FAULT_PAIR_VANISH:
		rom->fault->vanished = true;
		return;
	}
	if (fails_by_knob(rom)) {
		esprom_fail(rom, rom->fault->knobs.esp.fail_error);
		return;
	}
	esprom_command(rom);
}

static void take_frame(struct esprom *rom)
{
	const uint8_t *body = rom->slip.body;
	uint32_t n_data;

	if (rom->slip.n_body < 8 || body[0] != 0)
		return;
	n_data = body[2] | (uint32_t)body[3] << 8;
	if (n_data != rom->slip.n_body - 8)
		return;
	rom->opcode = body[1];
	rom->data = body + 4;
	rom->checksum = esprom_word(rom, 0);
	rom->data = body + 8;
	rom->n_data = n_data;
	esprom_spend(rom, PARSE_NSEC);
	take_request(rom);
}

static void take(struct esprom *rom, uint8_t byte)
{
	if (espslip_take(&rom->slip, byte))
		take_frame(rom);
}

/* A UART takes a byte that is 2.5 % off. */
static bool hears(const struct esprom *rom, const struct rom_byte *byte)
{
	uint64_t difference =
		byte->baud > rom->baud ? byte->baud - rom->baud : rom->baud - byte->baud;
	uint32_t most = rom->fault->knobs.esp.garbles_above;

	return !byte->even_parity && difference * 1000 <= rom->baud * 25 &&
	       !(most && byte->baud > most);
}

static bool is_busy(const struct esprom *rom, uint64_t now)
{
	return rom->clock > now || rom->work || rom->n_fifo > 0;
}

/* Whether the byte can be understood at all; the first frame sets the rate. */
static bool listens(struct esprom *rom, const struct rom_byte *byte)
{
	uint32_t most = rom->fault->knobs.max_baud;

	if (!rom->is_on || rom->is_hung || rom->fault->knobs.esp.is_deaf)
		return false;
	if (byte->begin < rom->ready_at) {
		rom->counters->sync_bytes_early++;
		rom->is_late_frame = true;
		return false;
	}
	if (rom->is_late_frame && byte->byte == 0xC0)
		rom->is_late_frame = false;
	if (rom->is_late_frame)
		return false;
	if (!rom->is_synced && !rom->slip.is_inside)
		rom->baud = most && byte->baud > most ? byte->baud / 2 : byte->baud;
	return true;
}

void esprom_receive(struct esprom *rom, const struct rom_byte *byte)
{
	uint8_t seen = byte->byte;

	if (!listens(rom, byte))
		return;
	if (!hears(rom, byte))
		seen = fault_garble(rom->fault, seen);
	if (!is_busy(rom, byte->end)) {
		rom->clock = byte->end;
		take(rom, seen);
	} else if (rom->n_fifo < sizeof(rom->fifo)) {
		rom->fifo[rom->n_fifo++] = seen;
	} else {
		rom->counters->overruns++;
	}
}

void esprom_enter(struct esprom *rom, uint64_t now, uint64_t ready_at, bool is_stub)
{
	rom->is_on = true;
	rom->is_hung = rom->is_synced = rom->is_late_frame = false;
	rom->clock = now;
	rom->ready_at = ready_at;
	rom->baud = rom->chip->text.baud;
	rom->n_replies = 0;
	rom->value = 0;
	rom->n_fifo = 0;
	rom->slip.is_inside = false;
	rom->state->is_stub = is_stub;
	rom->is_synced = is_stub;
	/* Without SPI_SET_PARAMS it believes 2 MB (esp-rom.md 4.1). */
	rom->flash_bytes = 2 * 1024 * 1024;
	rom->counters->rom_entries++;
	if (fault_spoils_entry(rom->fault))
		rom->is_hung = true;
}

void esprom_leave(struct esprom *rom)
{
	esprom_close_range(rom);
	free(rom->memory.bytes);
	free(rom->pending);
	rom->memory = (struct esprom_memory){0};
	rom->pending = NULL;
	rom->work = NULL;
	rom->is_on = false;
	rom->n_fifo = 0;
}

uint64_t esprom_next(const struct esprom *rom)
{
	if (!rom->is_on || rom->is_hung)
		return SIM_NEVER;
	return rom->work || rom->n_fifo ? rom->clock : SIM_NEVER;
}

uint64_t esprom_next_visible(const struct esprom *rom)
{
	return esprom_next(rom);
}

void esprom_step(struct esprom *rom)
{
	esprom_fn work = rom->work;

	if (work) {
		rom->work = NULL;
		work(rom);
		return;
	}
	/* A frame may make it busy; the rest waits. */
	for (size_t i = 0; i < rom->n_fifo; i++) {
		uint64_t before = rom->clock;

		take(rom, rom->fifo[i]);
		if (rom->clock == before && !rom->work)
			continue;
		rom->n_fifo -= i + 1;
		memmove(rom->fifo, rom->fifo + i + 1, rom->n_fifo);
		return;
	}
	rom->n_fifo = 0;
}
