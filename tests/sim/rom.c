/* SPDX-License-Identifier: MIT */
/*
 * rom.c - the machine of the boot loader: see rom.h.
 */
#include "sim/rom.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

/* Start, eight bits, parity, stop. */
static uint64_t byte_nsec(const struct rom *rom)
{
	return 11 * NSEC_PER_SEC / rom->baud;
}

static uint64_t later(uint64_t time, uint64_t nsec)
{
	return nsec > SIM_NEVER - time ? SIM_NEVER : time + nsec;
}

void rom_put(struct rom *rom, uint8_t byte)
{
	rom->clock = later(rom->clock, rom->fault->knobs.slow_sent_nsec + byte_nsec(rom));
	outgoing_put(rom->outgoing, &(struct outgoing_byte){
					    .at = rom->clock,
					    .baud = rom->baud,
					    .even_parity = true,
					    .byte = byte,
				    });
}

void rom_expect(struct rom *rom, size_t n, rom_fn on_frame)
{
	rom->n_frame = 0;
	rom->n_wanted = n;
	rom->on_frame = on_frame;
}

void rom_expect_more(struct rom *rom, size_t n, rom_fn on_frame)
{
	rom->n_wanted = rom->n_frame + n;
	rom->on_frame = on_frame;
}

bool rom_frame_is_sound(const struct rom *rom)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < rom->n_frame; i++)
		sum ^= rom->frame[i];
	return !sum;
}

void rom_work(struct rom *rom, uint64_t nsec, rom_fn work)
{
	rom->clock = later(rom->clock, nsec);
	rom->work = work;
}

bool rom_trips_over_flash(struct rom *rom)
{
	if (rom->clock >= rom->busy_until)
		return false;
	rom->state = ROM_HUNG;
	return true;
}

static void on_pair(struct rom *rom)
{
	rom->code = rom->frame[0];
	if ((rom->frame[0] ^ rom->frame[1]) != 0xFF) {
		rom_put(rom, ROM_NACK);
		return;
	}
	switch (fault_at_pair(rom->fault, rom->code)) {
	case FAULT_PAIR_FINE:
		rom_begin_command(rom);
		break;
	case FAULT_PAIR_NACK:
		rom_put(rom, ROM_NACK);
		break;
	case FAULT_PAIR_HANG:
		rom->state = ROM_HUNG;
		break;
	case FAULT_PAIR_VANISH:
		rom->fault->vanished = true;
		break;
	}
}

/* Whoever handles a frame either wants more bytes or the next thing is a command again. */
static void take(struct rom *rom, uint8_t byte)
{
	rom_fn on_frame = rom->on_frame;

	rom->frame[rom->n_frame++] = byte;
	if (rom->n_frame < rom->n_wanted)
		return;
	rom->on_frame = NULL;
	on_frame(rom);
	if (!rom->on_frame)
		rom_expect(rom, 2, on_pair);
}

void rom_enter(struct rom *rom, uint64_t now)
{
	rom->state = ROM_DETECTING;
	rom->ready_at = now + rom->chip->startup_nsec;
	rom->clock = now;
	rom->spoiled = fault_spoils_entry(rom->fault);
	rom->zero_pending = rom->fault->knobs.leading_zero;
	rom->has_held = false;
	rom->work = NULL;
	rom->wish = ROM_STAYS;
	rom->has_read = false;
	rom->busy_until = 0;
	rom_expect(rom, 2, on_pair);
	rom->counters->rom_entries++;
}

/* Whether the rate that is measured is the one that was sent. */
static bool measures_well(struct rom *rom, const struct rom_byte *byte)
{
	uint32_t max_baud = rom->fault->knobs.max_baud;

	if (byte->byte != 0x7F) {
		rom->counters->sync_bytes_bad++;
		return false;
	}
	if (byte->begin < rom->ready_at) {
		rom->counters->sync_bytes_early++;
		return false;
	}
	return byte->even_parity && !rom->spoiled && !(max_baud && byte->baud > max_baud);
}

/*
 * One chance: whatever comes first is measured, and the rate stands until the next reset. The ACK
 * starts at the falling edge of bit 7, while the host still sends bit 7, parity and stop
 * (stm32-rom.md 1).
 */
static void detect(struct rom *rom, const struct rom_byte *byte)
{
	if (byte->end <= rom->ready_at) {
		rom->counters->sync_bytes_early++;
		return;
	}
	rom->baud = byte->baud;
	if (measures_well(rom, byte))
		rom->counters->syncs++;
	else
		rom->baud -= byte->baud / 4;
	rom->state = ROM_LISTENING;
	rom->clock = byte->end - 3 * (NSEC_PER_SEC / byte->baud);
	if (rom->zero_pending)
		rom_put(rom, 0x00);
	rom->zero_pending = false;
	rom_put(rom, ROM_ACK);
	if (rom->chip->two_acks_on_sync)
		rom_put(rom, ROM_ACK);
}

/* AN3155 section 2: above 2.5 % the frame is misread. */
static bool hears(const struct rom *rom, const struct rom_byte *byte)
{
	uint64_t difference =
		byte->baud > rom->baud ? byte->baud - rom->baud : rom->baud - byte->baud;

	return byte->even_parity && difference * 1000 <= (uint64_t)rom->baud * 25;
}

static bool is_busy(const struct rom *rom, uint64_t now)
{
	return rom->clock > now || rom->work || rom->wish != ROM_STAYS || rom->has_held;
}

void rom_receive(struct rom *rom, const struct rom_byte *byte)
{
	uint8_t seen = byte->byte;

	if (rom->state == ROM_HUNG)
		return;
	if (rom->state == ROM_DETECTING) {
		detect(rom, byte);
		return;
	}
	if (!hears(rom, byte))
		seen = fault_garble(rom->fault, seen);
	if (!is_busy(rom, byte->end)) {
		rom->clock = byte->end;
		take(rom, seen);
	} else if (!rom->has_held) {
		rom->held = seen;
		rom->has_held = true;
	} else {
		rom->counters->overruns++;
	}
}

uint64_t rom_next(const struct rom *rom)
{
	if (rom->state != ROM_LISTENING)
		return SIM_NEVER;
	if (rom->work || rom->wish != ROM_STAYS || rom->has_held)
		return rom->clock;
	return SIM_NEVER;
}

uint64_t rom_next_visible(const struct rom *rom)
{
	uint64_t next = rom_next(rom);

	return next != SIM_NEVER && rom->work && rom->work_end > next ? rom->work_end : next;
}

void rom_step(struct rom *rom)
{
	rom_fn work = rom->work;

	if (work) {
		rom->work = NULL;
		work(rom);
	} else if (rom->wish == ROM_STAYS && rom->has_held) {
		rom->has_held = false;
		take(rom, rom->held);
	}
}
