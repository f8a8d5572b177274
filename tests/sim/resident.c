/* SPDX-License-Identifier: MIT */
/*
 * resident.c - the machine of a boot loader that takes files: see resident.h.
 */
#include "sim/resident.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define BYTE_NSEC    (10 * NSEC_PER_SEC / RESIDENT_BAUD)

static uint64_t later(uint64_t time, uint64_t nsec)
{
	return nsec > SIM_NEVER - time ? SIM_NEVER : time + nsec;
}

uint32_t resident_application(const struct resident *resident)
{
	return resident->chip->flash_base + RESIDENT_BYTES;
}

void resident_enter(struct resident *resident, uint64_t now)
{
	resident->clock = now + resident->chip->startup_nsec;
	resident->has_held = false;
	resident->work = NULL;
	resident->on_byte = NULL;
	resident->timeout_at = SIM_NEVER;
	resident->wants_start = false;
	resident->counters->resident_entries++;
	switch (resident->kind) {
	case SIM_RESIDENT_NONE:
		break;
	case SIM_RESIDENT_IAP:
		resident_iap_begin(resident);
		break;
	case SIM_RESIDENT_GECKO:
		resident_gecko_begin(resident);
		break;
	}
}

/* ------------------------------------------------------------------ time and bytes */

static bool is_busy(const struct resident *resident, uint64_t now)
{
	return resident->clock > now || resident->work || resident->has_held;
}

void resident_receive(struct resident *resident, uint8_t byte, uint64_t now)
{
	if (is_busy(resident, now)) {
		if (resident->has_held)
			resident->counters->overruns++;
		resident->held = byte;
		resident->has_held = true;
		return;
	}
	resident->clock = now;
	if (resident->on_byte)
		resident->on_byte(resident, byte);
}

uint64_t resident_next(const struct resident *resident)
{
	if (resident->work || resident->has_held)
		return resident->clock;
	return resident->timeout_at;
}

void resident_step(struct resident *resident)
{
	resident_fn work = resident->work;

	if (work) {
		resident->work = NULL;
		work(resident);
	} else if (resident->has_held) {
		resident->has_held = false;
		if (resident->on_byte)
			resident->on_byte(resident, resident->held);
	} else {
		resident->clock = resident->timeout_at;
		resident->timeout_at = SIM_NEVER;
		resident->on_timeout(resident);
	}
}

static void put_now(struct resident *resident, uint8_t byte)
{
	outgoing_put(resident->outgoing, &(struct outgoing_byte){
						 .at = resident->clock,
						 .baud = RESIDENT_BAUD,
						 .byte = byte,
					 });
}

void resident_put(struct resident *resident, uint8_t byte)
{
	resident->clock = later(resident->clock, resident->fault->knobs.slow_sent_nsec + BYTE_NSEC);
	put_now(resident, byte);
}

void resident_put_both(struct resident *resident, uint8_t first, uint8_t second)
{
	resident->clock = later(resident->clock, 2 * BYTE_NSEC);
	put_now(resident, first);
	put_now(resident, second);
}

void resident_print(struct resident *resident, const char *text)
{
	for (; *text; text++)
		resident_put(resident, (uint8_t)*text);
}

void resident_work(struct resident *resident, uint64_t nsec, resident_fn work)
{
	resident->clock = later(resident->clock, nsec);
	resident->timeout_at = SIM_NEVER;
	resident->work = work;
}

void resident_listen(
	struct resident *resident, resident_byte_fn on_byte, uint64_t nsec, resident_fn on_timeout)
{
	resident->on_byte = on_byte;
	resident->on_timeout = on_timeout;
	resident->timeout_at = later(resident->clock, nsec);
}

void resident_flush(struct resident *resident)
{
	resident->has_held = false;
}

/* ------------------------------------------------------------------ frames */

static void collect_byte(struct resident *resident, uint8_t byte)
{
	resident->frame[resident->n_frame++] = byte;
	if (resident->n_frame < resident->n_wanted)
		return;
	resident->timeout_at = SIM_NEVER;
	resident->on_frame(resident);
}

void resident_collect(
	struct resident *resident, uint8_t first, resident_fn on_frame, resident_fn on_timeout)
{
	resident->frame[0] = first;
	resident->n_frame = 1;
	resident->n_wanted = first == MODEM_STX ? 3 + 1024 + 2 : 3 + 128 + 2;
	resident->on_frame = on_frame;
	resident_listen(resident, collect_byte, NSEC_PER_SEC, on_timeout);
}

/* Bit by bit, as the polynomial x^16 + x^12 + x^5 + 1 is divided through by hand. */
uint16_t resident_crc(const uint8_t *bytes, size_t n_bytes)
{
	uint32_t rest = 0;

	for (size_t i = 0; i < n_bytes + 2; i++) {
		uint8_t byte = i < n_bytes ? bytes[i] : 0;

		for (int bit = 7; bit >= 0; bit--) {
			rest = rest << 1 | (byte >> bit & 1);
			if (rest & 0x10000)
				rest ^= 0x11021;
		}
	}
	return (uint16_t)rest;
}

bool resident_frame_is_sound(const struct resident *resident)
{
	const uint8_t *frame = resident->frame;
	size_t n_data = resident->n_frame - 5;
	uint16_t crc = (uint16_t)(frame[3 + n_data] << 8 | frame[3 + n_data + 1]);

	if (frame[1] + frame[2] != 0xFF || crc != resident_crc(frame + 3, n_data)) {
		resident->counters->bad_blocks++;
		return false;
	}
	return true;
}

bool resident_answers_blindly(struct resident *resident)
{
	if (resident->fault->knobs.answer)
		resident_put(resident, (uint8_t)resident->fault->knobs.answer);
	return resident->fault->knobs.answer != 0;
}

bool resident_cancels_here(struct resident *resident)
{
	return ++resident->fault->blocks == resident->fault->knobs.cancel_block;
}

/* ------------------------------------------------------------------ flash */

static unsigned first_page(const struct resident *resident)
{
	return memory_page_at(resident->memory, RESIDENT_BYTES);
}

uint64_t resident_erase_nsec(const struct resident *resident)
{
	uint64_t nsec = 0;

	if (resident->fault->knobs.erase_nsec)
		return resident->fault->knobs.erase_nsec;
	for (unsigned page = first_page(resident); page < memory_page_count(resident->memory);
		page++)
		nsec += memory_page_erase_nsec(resident->memory, page);
	return nsec;
}

void resident_erase(struct resident *resident)
{
	for (unsigned page = first_page(resident); page < memory_page_count(resident->memory);
		page++)
		memory_erase_page(resident->memory, page);
}

uint64_t resident_program_nsec(const struct resident *resident, uint32_t n_data)
{
	return n_data / memory_program_unit(resident->memory) * resident->chip->program_nsec;
}

bool resident_program(
	struct resident *resident, uint32_t offset, const uint8_t *data, uint32_t n_data)
{
	uint32_t unit = memory_program_unit(resident->memory);
	uint32_t address = resident_application(resident) + offset;

	resident->counters->blocks_written++;
	for (uint32_t i = 0; i < n_data; i += unit)
		if (!memory_program(resident->memory, address + i, data + i,
			    unit < n_data - i ? unit : n_data - i))
			return false;
	for (uint32_t i = 0; i < n_data; i++)
		if (resident->memory->flash[RESIDENT_BYTES + offset + i] != data[i])
			return false;
	return true;
}
