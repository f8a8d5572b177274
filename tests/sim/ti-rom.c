/* SPDX-License-Identifier: MIT */
/*
 * ti-rom.c - the machine of the boot loader: see ti-rom.h.
 *
 * The rate is measured in two 55, and stands until the next reset; a measurement that fails is
 * begun again, and nothing is said (SWCU185 11.2.2). In front of an answer and of a packet either
 * side may send zeros, which are skipped. Behind a packet of the chip the host says 00 CC, or 00 33
 * to have it once more; whatever else it says ends the wait, so a host that forgets its answer has
 * the first byte of its next packet eaten.
 */
#include "sim/ti-rom.h"

#include <string.h>

#define NSEC_PER_SEC UINT64_C(1000000000)
#define PARSE_NSEC   UINT64_C(20000) /* between a packet and what it makes the ROM do */
#define CRYSTAL_BAUD 1000000	     /* what cc2538-bsl goes on with behind SET_XOSC */
#define SYNC	     0x55
#define ACK	     0xCC
#define NACK	     0x33

void tirom_spend(struct tirom *rom, uint64_t nsec)
{
	rom->clock = nsec > SIM_NEVER - rom->clock ? SIM_NEVER : rom->clock + nsec;
}

void tirom_work(struct tirom *rom, uint64_t nsec, tirom_fn work)
{
	tirom_spend(rom, nsec);
	rom->work = work;
}

uint32_t tirom_word(const struct tirom *rom, uint32_t offset)
{
	const uint8_t *at = rom->data + offset;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* --- To the host --- */

static void put(struct tirom *rom, uint8_t byte)
{
	tirom_spend(rom, rom->fault->knobs.slow_sent_nsec + 10 * NSEC_PER_SEC / rom->baud);
	outgoing_put(rom->outgoing,
		&(struct outgoing_byte){.at = rom->clock, .baud = rom->baud, .byte = byte});
}

static void put_zeros(struct tirom *rom)
{
	for (unsigned i = 0; i < rom->fault->knobs.ti.zeros; i++)
		put(rom, 0);
}

static void answer(struct tirom *rom, uint8_t byte)
{
	tirom_spend(rom, rom->fault->knobs.slow_ack_nsec);
	put_zeros(rom);
	if (!rom->fault->knobs.ti.bare_acks)
		put(rom, 0);
	put(rom, byte);
}

void tirom_ack(struct tirom *rom)
{
	const struct sim_ti_faults *knobs = &rom->fault->knobs.ti;

	if (knobs->lose_nth && rom->n_data && knobs->lose_code == rom->data[0] &&
		++rom->fault->ti_loses == knobs->lose_nth)
		return;
	answer(rom, ACK);
}

static void send_packet(struct tirom *rom, bool is_first)
{
	const struct sim_ti_faults *knobs = &rom->fault->knobs.ti;
	uint8_t sum = 0;

	for (uint32_t i = 0; i < rom->n_answer; i++)
		sum += rom->answer[i];
	if (is_first && ++rom->fault->ti_packets == knobs->bad_sum_nth)
		sum ^= 0x5A;
	if (knobs->bad_sums)
		sum ^= 0x5A;
	put_zeros(rom);
	put(rom, (uint8_t)(rom->n_answer + 2));
	put(rom, sum);
	for (uint32_t i = 0; i < rom->n_answer; i++)
		put(rom, rom->answer[i]);
	rom->state = TIROM_ANSWER;
}

void tirom_send(struct tirom *rom, const uint8_t *data, uint32_t n_data)
{
	memcpy(rom->answer, data, n_data);
	rom->n_answer = n_data;
	send_packet(rom, true);
}

static void take_answer(struct tirom *rom, uint8_t byte)
{
	if (byte == 0)
		return;
	rom->state = TIROM_SIZE;
	if (byte == NACK) {
		rom->ti->n_repeated++;
		tirom_spend(rom, PARSE_NSEC);
		send_packet(rom, false);
	} else if (byte != ACK) {
		rom->ti->n_unanswered++;
	}
}

/* --- From the host --- */

static bool nacks_by_knob(struct tirom *rom)
{
	const struct sim_ti_faults *knobs = &rom->fault->knobs.ti;

	if (!knobs->nack_nth || knobs->nack_code != rom->data[0])
		return false;
	return ++rom->fault->ti_nacks == knobs->nack_nth || knobs->nack_nth == UINT32_MAX;
}

static bool fails_by_knob(struct tirom *rom)
{
	const struct sim_ti_faults *knobs = &rom->fault->knobs.ti;

	if (!knobs->status_nth || knobs->status_code != rom->data[0])
		return false;
	return ++rom->fault->ti_statuses == knobs->status_nth || knobs->status_nth == UINT32_MAX;
}

static void take_packet(struct tirom *rom)
{
	uint8_t sum = 0;

	rom->state = TIROM_SIZE;
	tirom_spend(rom, PARSE_NSEC);
	for (uint32_t i = 0; i < rom->n_data; i++)
		sum += rom->data[i];
	if (sum != rom->sum || !rom->n_data || nacks_by_knob(rom)) {
		answer(rom, NACK);
		return;
	}
	switch (fault_at_pair(rom->fault, rom->data[0])) {
	case FAULT_PAIR_FINE:
		break;
	case FAULT_PAIR_NACK:
		answer(rom, NACK);
		return;
	case FAULT_PAIR_HANG:
		rom->is_hung = true;
		return;
	case FAULT_PAIR_VANISH:
		rom->fault->vanished = true;
		return;
	}
	rom->counters->commands[rom->data[0]]++;
	if (fails_by_knob(rom)) {
		rom->status = rom->fault->knobs.ti.status;
		tirom_ack(rom);
		return;
	}
	tirom_command(rom);
}

static void take(struct tirom *rom, uint8_t byte)
{
	switch (rom->state) {
	case TIROM_DETECTING:
		break;
	case TIROM_SIZE:
		rom->size = byte;
		rom->n_data = 0;
		if (byte)
			rom->state = TIROM_SUM;
		break;
	case TIROM_SUM:
		rom->sum = byte;
		rom->state = TIROM_DATA;
		if (rom->size <= 2)
			take_packet(rom);
		break;
	case TIROM_DATA:
		rom->data[rom->n_data++] = byte;
		if (rom->n_data + 2 == rom->size)
			take_packet(rom);
		break;
	case TIROM_ANSWER:
		take_answer(rom, byte);
		break;
	}
}

static uint32_t max_baud(const struct tirom *rom)
{
	uint32_t most = rom->fault->knobs.max_baud;
	uint32_t own = rom->has_crystal ? CRYSTAL_BAUD : rom->chip->max_baud;

	return most && most < own ? most : own;
}

/* Two 55 in a row, in one rate and without parity. */
static void detect(struct tirom *rom, const struct rom_byte *byte)
{
	bool is_good = byte->byte == SYNC && !byte->even_parity && byte->baud <= max_baud(rom);

	rom->counters->sync_bytes_bad += byte->byte != SYNC;
	if (!is_good || !rom->has_first || rom->baud != byte->baud) {
		rom->has_first = is_good;
		rom->baud = byte->baud;
		return;
	}
	rom->has_first = false;
	rom->counters->syncs++;
	rom->state = TIROM_SIZE;
	rom->clock = byte->end;
	rom->n_data = 0;
	tirom_spend(rom, PARSE_NSEC);
	tirom_ack(rom);
}

/* A UART takes a byte that is 2.5 % off. */
static bool hears(const struct tirom *rom, const struct rom_byte *byte)
{
	return !byte->even_parity && sim_rates_fit(rom->baud, byte->baud);
}

void tirom_receive(struct tirom *rom, const struct rom_byte *byte)
{
	uint8_t seen = byte->byte;

	if (!rom->is_on || rom->is_hung || rom->fault->knobs.ti.is_deaf)
		return;
	if (byte->begin < rom->ready_at) {
		rom->counters->sync_bytes_early++;
		return;
	}
	if (rom->state == TIROM_DETECTING) {
		detect(rom, byte);
		return;
	}
	if (!hears(rom, byte))
		seen = fault_garble(rom->fault, seen);
	if (rom->clock <= byte->end && !rom->work && !rom->n_fifo && rom->wish == TIROM_STAYS) {
		rom->clock = byte->end;
		take(rom, seen);
	} else if (rom->n_fifo < sizeof(rom->fifo)) {
		rom->fifo[rom->n_fifo++] = seen;
	} else {
		rom->counters->overruns++;
	}
}

void tirom_enter(struct tirom *rom, uint64_t now, uint32_t synced_baud)
{
	rom->is_on = true;
	rom->is_hung = fault_spoils_entry(rom->fault);
	rom->clock = rom->ready_at = now;
	rom->baud = synced_baud;
	rom->state = synced_baud ? TIROM_SIZE : TIROM_DETECTING;
	rom->has_first = rom->has_crystal = false;
	rom->n_fifo = rom->n_data = 0;
	rom->status = TIROM_SUCCESS;
	rom->at = rom->left = 0;
	rom->work = NULL;
	rom->wish = TIROM_STAYS;
	rom->counters->rom_entries++;
}

void tirom_leave(struct tirom *rom)
{
	rom->is_on = false;
	rom->work = NULL;
	rom->wish = TIROM_STAYS;
	rom->n_fifo = 0;
}

uint64_t tirom_next(const struct tirom *rom)
{
	if (!rom->is_on || rom->is_hung)
		return SIM_NEVER;
	return rom->work || rom->n_fifo || rom->wish != TIROM_STAYS ? rom->clock : SIM_NEVER;
}

void tirom_step(struct tirom *rom)
{
	tirom_fn work = rom->work;

	if (work) {
		rom->work = NULL;
		work(rom);
		return;
	}
	/* A packet may make it busy; the rest waits. */
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
