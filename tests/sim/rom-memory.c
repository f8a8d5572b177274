/* SPDX-License-Identifier: MIT */
/*
 * rom-memory.c - Read Memory, Go and Write Memory (AN3155 3.4 to 3.6), and which addresses they
 * take.
 */
#include <string.h>

#include "sim/rom-commands.h"

/* AN2606 table 5. F1 takes a write to its system memory and does nothing (stm32-rom.md 8). */
static bool address_is_valid(const struct rom *rom, uint32_t address)
{
	switch (memory_area(rom->memory, address)) {
	case MEMORY_FLASH:
	case MEMORY_RAM:
		return true;
	case MEMORY_OPTION_BYTES:
		if (rom->code == 0x31 && !rom->chip->silent_bad_address)
			return address == rom->chip->option_bytes;
		return rom->code == 0x11 || rom->code == 0x31;
	case MEMORY_SYSTEM:
		if (rom->chip->unique_id_whole_block && address >> 8 == rom->chip->unique_id >> 8)
			return rom->code == 0x11 && !(address & 0xFF);
		return rom->code == 0x11 || (rom->code == 0x31 && rom->chip->silent_bad_address);
	case MEMORY_VOLTAGE:
		return rom->code == 0x11 || rom->code == 0x31;
	case MEMORY_NONE:
		break;
	}
	return false;
}

/*
 * The frame of five bytes. Before V3.1 the ACK stands for the checksum alone; on an address out of
 * range Read and Write then give up without a word, so that the host's next bytes are taken for a
 * command, and Go sends a NACK behind the ACK (stm32-rom.md 8).
 */
static bool take_address(struct rom *rom)
{
	bool valid;

	if (!rom_frame_is_sound(rom) || fault_at_stage(rom->fault, rom->code, 1)) {
		rom_nack(rom);
		return false;
	}
	rom->address = rom_frame_word(rom);
	valid = address_is_valid(rom, rom->address);
	if (!valid)
		rom->counters->bad_addresses++;
	if (valid || rom->chip->silent_bad_address)
		rom_ack(rom);
	if (!valid && (!rom->chip->silent_bad_address || rom->code == 0x21))
		rom_nack(rom);
	return valid;
}

/* --- Read Memory --- */

static bool holds_unique_id(const struct rom *rom, unsigned n)
{
	uint32_t id = rom->chip->unique_id;

	return id && rom->address <= id && id - rom->address < n;
}

static void on_read_length(struct rom *rom)
{
	unsigned n = rom->frame[0] + 1u;
	bool flipped;

	if ((rom->frame[0] ^ rom->frame[1]) != 0xFF) {
		rom_nack(rom);
		return;
	}
	if (rom_is_refused_late(rom))
		return;
	if (memory_area(rom->memory, rom->address) == MEMORY_FLASH && rom_trips_over_flash(rom))
		return;
	rom->has_read = true;
	rom_ack(rom);
	flipped = holds_unique_id(rom, n) && fault_flips_unique_id(rom->fault);
	for (unsigned i = 0; i < n; i++) {
		uint8_t byte;

		/* Beyond the end of a memory the processor faults. */
		if (!memory_read(rom->memory, rom->address + i, &byte)) {
			rom->state = ROM_HUNG;
			return;
		}
		if (flipped && rom->address + i == rom->chip->unique_id)
			byte ^= 0x10;
		rom_put(rom, byte);
	}
}

static void on_read_address(struct rom *rom)
{
	if (take_address(rom))
		rom_expect(rom, 2, on_read_length);
}

void rom_begin_read(struct rom *rom)
{
	rom_expect(rom, 5, on_read_address);
}

/* --- Go --- */

static void on_go_address(struct rom *rom)
{
	if (!take_address(rom))
		return;
	rom->start_address = rom->address;
	rom->wish = ROM_STARTS;
}

void rom_begin_go(struct rom *rom)
{
	rom_expect(rom, 5, on_go_address);
}

/* --- Write Memory --- */

/* F1 clears PGERR and goes on; the others report it. */
static void end_programming(struct rom *rom)
{
	rom->counters->blocks_written++;
	if (rom->work_failed && !rom->chip->deaf_to_failures)
		rom_nack(rom);
	else
		rom_ack(rom);
}

static void program_step(struct rom *rom)
{
	uint32_t left = rom->n_data - rom->n_done;
	uint32_t unit = memory_program_unit(rom->memory);
	uint32_t n = left < unit ? left : unit;

	if (!rom->loses_unit && !memory_program(rom->memory, rom->address + rom->n_done,
					rom->data + rom->n_done, n))
		rom->work_failed = true;
	rom->loses_unit = false;
	rom->n_done += n;
	if (rom->n_done < rom->n_data)
		rom_work(rom, rom->chip->program_nsec, program_step);
	else
		end_programming(rom);
}

static void begin_programming(struct rom *rom)
{
	uint32_t unit = memory_program_unit(rom->memory);
	uint32_t align = rom->chip->write_align;

	if (rom_trips_over_flash(rom))
		return;
	rom->n_done = 0;
	rom->work_failed = false;
	rom->loses_unit = rom->chip->loses_word_after_read && rom->has_read;
	rom->has_read = false;
	if (rom->address % align) {
		/* AN2606 table 7: the operation fails, and so do all that follow. */
		rom->memory->programming_fails = align > 4;
		rom->counters->bad_writes++;
		rom->work_failed = true;
		end_programming(rom);
		return;
	}
	rom->work_end = rom->clock + (rom->n_data + unit - 1) / unit * rom->chip->program_nsec;
	rom_work(rom, rom->chip->program_nsec, program_step);
}

static void write_data(struct rom *rom)
{
	switch (memory_area(rom->memory, rom->address)) {
	case MEMORY_FLASH:
		begin_programming(rom);
		return;
	case MEMORY_RAM:
		memory_write_ram(rom->memory, rom->address, rom->data, rom->n_data);
		break;
	case MEMORY_OPTION_BYTES:
		if (rom->address == rom->chip->option_bytes) {
			memory_write_options(rom->memory, rom->data, rom->n_data);
			rom->wish = ROM_RESETS;
			if (rom->fault->knobs.mute_options)
				return;
		}
		break;
	case MEMORY_VOLTAGE:
		if (!memory_write_voltage(rom->memory, rom->data, rom->frame[0] + 1u)) {
			rom_nack(rom);
			return;
		}
		break;
	case MEMORY_SYSTEM:
	case MEMORY_NONE:
		break;
	}
	rom_ack(rom);
}

/* N + 1 is rounded up to a multiple of four with what the buffer still holds. */
static void on_write_data(struct rom *rom)
{
	unsigned n = rom->frame[0] + 1u;

	if (!rom_frame_is_sound(rom)) {
		rom_nack(rom);
		return;
	}
	memcpy(rom->data, rom->frame + 1, n);
	rom->n_data = (n + 3) & ~3u;
	if (!rom_is_refused_late(rom))
		write_data(rom);
}

static void on_write_count(struct rom *rom)
{
	rom_expect_more(rom, rom->frame[0] + 2u, on_write_data);
}

static void on_write_address(struct rom *rom)
{
	if (take_address(rom))
		rom_expect(rom, 1, on_write_count);
}

void rom_begin_write(struct rom *rom)
{
	rom_expect(rom, 5, on_write_address);
}
