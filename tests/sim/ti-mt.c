/* SPDX-License-Identifier: MIT */
/*
 * ti-mt.c - see ti-mt.h.
 *
 * A frame is FE, length, two bytes of command, data, and the XOR of all but the FE. A request whose
 * first byte is 2x is answered by 6x, one that nobody knows by an RPC error. Upon its start the
 * stack says SYS_RESET_IND; until then it hears nothing.
 */
#include "sim/ti-mt.h"

#include <string.h>

#include "sim/application.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define START_NSEC   UINT64_C(300000000)
#define ANSWER_NSEC  UINT64_C(2000000)
#define SOF	     0xFE

static void put(struct timt *mt, uint8_t byte)
{
	mt->clock += 10 * NSEC_PER_SEC / APPLICATION_BAUD;
	outgoing_put(mt->outgoing,
		&(struct outgoing_byte){.at = mt->clock, .baud = APPLICATION_BAUD, .byte = byte});
}

static void send(struct timt *mt, uint8_t cmd0, uint8_t cmd1, const uint8_t *data, uint8_t n)
{
	const struct sim_ti_faults *knobs = &mt->fault->knobs.ti;
	uint8_t sum = (uint8_t)(n ^ cmd0 ^ cmd1);

	if (knobs->is_mute)
		return;
	for (size_t i = 0; i < knobs->n_mt_noise; i++)
		put(mt, (uint8_t)knobs->mt_noise[i]);
	put(mt, SOF);
	put(mt, n);
	put(mt, cmd0);
	put(mt, cmd1);
	for (uint8_t i = 0; i < n; i++) {
		put(mt, data[i]);
		sum ^= data[i];
	}
	put(mt, knobs->bad_mt_sums ? sum ^ 0xFF : sum);
}

static void take_request(struct timt *mt)
{
	static const uint8_t capabilities[] = {0x59, 0x06};
	uint8_t cmd0 = mt->frame[1], cmd1 = mt->frame[2];
	const uint8_t unknown[] = {0x02, cmd0, cmd1};

	mt->state->n_mt_frames++;
	if (cmd0 == 0x41 && cmd1 == 0x00)
		mt->resets_at = mt->clock;
	else if (cmd0 == 0x21 && cmd1 == 0x01)
		send(mt, 0x61, 0x01, capabilities, sizeof(capabilities));
	else if (cmd0 == 0x21 && cmd1 == 0x02)
		send(mt, 0x61, 0x02, mt->version, TIMT_VERSION);
	else if (cmd0 >> 5 == 1)
		send(mt, 0x60, 0x00, unknown, sizeof(unknown));
}

void timt_start(struct timt *mt, const uint8_t version[TIMT_VERSION], uint8_t reason, uint64_t now)
{
	uint32_t revision = mt->fault->knobs.ti.revision;
	uint64_t nsec = mt->fault->knobs.ti.start_nsec;

	timt_stop(mt);
	mt->runs = true;
	mt->reason = reason;
	mt->starts_at = now + (nsec ? nsec : START_NSEC);
	memcpy(mt->version, version, TIMT_VERSION);
	for (int i = 0; revision && i < 4; i++)
		mt->version[5 + i] = (uint8_t)(revision >> 8 * i);
	mt->state->revision = mt->version[5] | (uint32_t)mt->version[6] << 8 |
			      (uint32_t)mt->version[7] << 16 | (uint32_t)mt->version[8] << 24;
}

void timt_stop(struct timt *mt)
{
	mt->runs = mt->is_inside = false;
	mt->n_frame = 0;
	mt->starts_at = mt->resets_at = SIM_NEVER;
	mt->state->revision = 0;
}

void timt_receive(struct timt *mt, uint8_t byte, uint64_t now)
{
	uint8_t sum = 0;

	if (!mt->runs || mt->starts_at != SIM_NEVER || mt->fault->knobs.ti.is_deaf)
		return;
	if (!mt->is_inside) {
		mt->is_inside = byte == SOF;
		mt->n_frame = 0;
		return;
	}
	mt->frame[mt->n_frame++] = byte;
	if (mt->n_frame < 4u + mt->frame[0])
		return;
	mt->is_inside = false;
	for (unsigned i = 0; i < mt->n_frame; i++)
		sum ^= mt->frame[i];
	if (mt->clock < now + ANSWER_NSEC)
		mt->clock = now + ANSWER_NSEC;
	if (!sum)
		take_request(mt);
}

uint64_t timt_next(const struct timt *mt)
{
	return mt->runs ? mt->starts_at : SIM_NEVER;
}

void timt_step(struct timt *mt)
{
	const uint8_t data[] = {mt->reason, mt->version[0], mt->version[1], mt->version[2],
		mt->version[3], mt->version[4]};

	mt->clock = mt->starts_at;
	mt->starts_at = SIM_NEVER;
	if (!mt->fault->knobs.ti.no_indication)
		send(mt, 0x41, 0x80, data, sizeof(data));
}
