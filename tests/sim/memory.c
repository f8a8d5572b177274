/* SPDX-License-Identifier: MIT */
/*
 * memory.c - see memory.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sim/memory.h"

static bool is_within(uint32_t address, uint32_t start, uint32_t size)
{
	return address >= start && address - start < size;
}

/* The 256 bytes in which an identification register lies can be read even outside the ROM's area.
 */
static bool is_in_block_of(uint32_t address, uint32_t identification)
{
	return identification && address >> 8 == identification >> 8;
}

enum memory_area memory_area(const struct memory *memory, uint32_t address)
{
	const struct sim_chip *chip = memory->chip;

	if (is_within(address, chip->flash_base, chip->flash_size))
		return MEMORY_FLASH;
	if (is_within(address, chip->ram_start, chip->ram_size))
		return MEMORY_RAM;
	if (is_within(address, chip->option_bytes, chip->option_bytes_size))
		return memory->fault->knobs.hidden_options ? MEMORY_NONE : MEMORY_OPTION_BYTES;
	if (is_within(address, chip->system_memory, chip->system_memory_size) ||
		is_in_block_of(address, chip->unique_id) ||
		is_in_block_of(address, chip->bootloader_id_at) ||
		is_in_block_of(address, chip->flash_size_register))
		return MEMORY_SYSTEM;
	if (chip->voltage_range && is_within(address, MEMORY_VOLTAGE_ADDRESS, 4))
		return MEMORY_VOLTAGE;
	return MEMORY_NONE;
}

static uint8_t read_system(const struct memory *memory, uint32_t address)
{
	const struct sim_chip *chip = memory->chip;
	uint32_t kib = chip->flash_size / 1024;

	if (chip->bootloader_id_at && address == chip->bootloader_id_at)
		return chip->bootloader_id;
	if (is_within(address, chip->flash_size_register, 2))
		return (uint8_t)(kib >> (8 * (address - chip->flash_size_register)));
	if (!chip->unique_id_split && is_within(address, chip->unique_id, 12))
		return memory->unique_id[address - chip->unique_id];
	if (chip->unique_id_split && is_within(address, chip->unique_id, 8))
		return memory->unique_id[address - chip->unique_id];
	if (chip->unique_id_split && is_within(address, chip->unique_id + 0x14, 4))
		return memory->unique_id[8 + address - chip->unique_id - 0x14];
	/* Any bytes do for the ROM's code, as long as they are always the same. */
	return (uint8_t)(address * 37 + (address >> 8));
}

/*
 * F1 and F0: RDP, USER, two data bytes, WRP0 to WRP3, a byte with its complement each (PM0075). A
 * bit of WRP that is 0 protects.
 */
static uint8_t read_option(const struct memory *memory, uint32_t offset)
{
	const struct sim_chip *chip = memory->chip;
	uint8_t value = memory->options[offset & ~UINT32_C(1)];

	if (!chip->option_key)
		return memory->options[offset];
	if (offset >= 16)
		return 0xFF;
	if (offset < 2)
		value = memory->readout_protected ? 0x00 : chip->option_key;
	else if (offset >= 8)
		value = (uint8_t) ~(memory->write_protected >> (8 * ((offset - 8) / 2)));
	return offset % 2 ? (uint8_t)~value : value;
}

bool memory_read(const struct memory *memory, uint32_t address, uint8_t *ret)
{
	const struct sim_chip *chip = memory->chip;

	switch (memory_area(memory, address)) {
	case MEMORY_FLASH:
		*ret = memory->flash[address - chip->flash_base];
		return true;
	case MEMORY_RAM:
		*ret = memory->ram[address - chip->ram_start];
		return true;
	case MEMORY_OPTION_BYTES:
		*ret = read_option(memory, address - chip->option_bytes);
		return true;
	case MEMORY_SYSTEM:
		*ret = read_system(memory, address);
		return true;
	case MEMORY_VOLTAGE:
		*ret = address == MEMORY_VOLTAGE_ADDRESS ? memory->voltage : 0xFF;
		return true;
	case MEMORY_NONE:
		break;
	}
	return false;
}

uint32_t memory_read_word(const struct memory *memory, uint32_t address)
{
	uint32_t word = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint8_t byte = 0;

		memory_read(memory, address + i, &byte);
		word |= (uint32_t)byte << (8 * i);
	}
	return word;
}

struct page {
	uint32_t offset, size;
	uint64_t erase_nsec;
};

static bool find_page(const struct memory *memory, unsigned index, struct page *ret)
{
	const struct sim_chip *chip = memory->chip;
	uint32_t offset = 0;

	for (size_t i = 0; i < ARRAY_SIZE(chip->pages) && chip->pages[i].count; i++) {
		if (index < chip->pages[i].count) {
			ret->offset = offset + index * chip->pages[i].size;
			ret->size = chip->pages[i].size;
			ret->erase_nsec = chip->pages[i].erase_nsec ? chip->pages[i].erase_nsec
								    : chip->page_erase_nsec;
			return true;
		}
		index -= chip->pages[i].count;
		offset += chip->pages[i].count * chip->pages[i].size;
	}
	return false;
}

unsigned memory_page_count(const struct memory *memory)
{
	const struct sim_chip *chip = memory->chip;
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(chip->pages); i++)
		count += chip->pages[i].count;
	return count;
}

bool memory_page_numbered(const struct memory *memory, unsigned number, unsigned *ret)
{
	const struct sim_chip *chip = memory->chip;
	unsigned index = 0, first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(chip->pages) && chip->pages[i].count; i++) {
		if (chip->pages[i].jump)
			first = chip->pages[i].jump;
		if (number >= first && number - first < chip->pages[i].count) {
			*ret = index + number - first;
			return true;
		}
		index += chip->pages[i].count;
		first += chip->pages[i].count;
	}
	return false;
}

unsigned memory_page_at(const struct memory *memory, uint32_t offset)
{
	struct page page;
	unsigned index = 0;

	while (find_page(memory, index, &page) && page.offset + page.size <= offset)
		index++;
	return index;
}

/* Byte by byte a sector takes about twice the time it takes by words (F405 data sheet, table of
 * flash times). */
static unsigned slowness(const struct memory *memory)
{
	return memory->chip->voltage_range && memory->voltage < 3 ? 2 : 1;
}

uint64_t memory_page_erase_nsec(const struct memory *memory, unsigned page)
{
	struct page found;

	return find_page(memory, page, &found) ? found.erase_nsec * slowness(memory) : 0;
}

uint64_t memory_mass_erase_nsec(const struct memory *memory)
{
	return memory->chip->mass_erase_nsec * slowness(memory);
}

bool memory_page_is_protected(const struct memory *memory, unsigned page)
{
	unsigned sector = page / memory->chip->protect_pages;

	if (memory->fault->knobs.write_protected)
		return true;
	return memory->write_protected >> (sector < 31 ? sector : 31) & 1;
}

/* The first change goes to a copy only: the cells' own contents are put aside. */
static void cache_changes(struct memory *memory)
{
	uint32_t size = memory->chip->flash_size;

	if (!memory->fault->knobs.cached || memory->truth)
		return;
	memory->truth = malloc(size);
	if (memory->truth)
		memcpy(memory->truth, memory->flash, size);
}

static void drop_cache(struct memory *memory)
{
	if (memory->truth)
		memcpy(memory->flash, memory->truth, memory->chip->flash_size);
	free(memory->truth);
	memory->truth = NULL;
}

void memory_erase_page(struct memory *memory, unsigned index)
{
	struct page page;

	cache_changes(memory);
	if (memory->chip->banks_swapped) {
		unsigned half = memory_page_count(memory) / 2;

		index = index < half ? index + half : index - half;
	}
	if (!find_page(memory, index, &page) || memory_page_is_protected(memory, index))
		return;
	memset(memory->flash + page.offset, memory->chip->erased_value, page.size);
	memory->counters->pages_erased++;
}

void memory_wipe(struct memory *memory)
{
	memset(memory->flash, memory->chip->erased_value, memory->chip->flash_size);
	memory->programming_fails = false;
}

uint32_t memory_program_unit(const struct memory *memory)
{
	static const uint8_t by_voltage[] = {1, 2, 2, 4, 8};

	if (!memory->chip->voltage_range)
		return memory->chip->program_unit;
	return by_voltage[memory->voltage];
}

/* A cell that does not change: the byte is one bit nearer to an erased one than it should be. */
static void stick_cell(struct memory *memory, uint32_t offset)
{
	uint32_t stuck = memory->fault->knobs.stuck_address;
	uint8_t lacking;

	if (!stuck || offset != stuck - memory->chip->flash_base)
		return;
	lacking = memory->flash[offset] ^ memory->chip->erased_value;
	memory->flash[offset] ^= (uint8_t)(lacking & -lacking);
}

/*
 * What stands in the way of a pulse. F1: PGERR unless the half-word is erased or 0x0000 is written
 * (PM0075). F2, F4, F7 check nothing: the cells are just pulled down. Elsewhere the unit with its
 * error correction must be erased.
 */
static bool unit_can_be_programmed(
	const struct memory *memory, uint32_t begin, uint32_t size, bool only_zero)
{
	const struct sim_chip *chip = memory->chip;

	if (chip->voltage_range || (chip->program_unit == 2 && only_zero))
		return true;
	for (uint32_t i = begin; i < begin + size && i < chip->flash_size; i++) {
		if (memory->flash[i] != chip->erased_value)
			return false;
	}
	return true;
}

static bool is_all_zero(const uint8_t *data, uint32_t n_data)
{
	for (uint32_t i = 0; i < n_data; i++) {
		if (data[i])
			return false;
	}
	return true;
}

bool memory_program(struct memory *memory, uint32_t address, const uint8_t *data, uint32_t n_data)
{
	const struct sim_chip *chip = memory->chip;
	uint32_t unit = memory_program_unit(memory);
	uint32_t offset = address - chip->flash_base;

	cache_changes(memory);
	if (memory_page_is_protected(memory, memory_page_at(memory, offset)))
		return true;
	if (memory->programming_fails || !unit_can_be_programmed(memory, offset - offset % unit,
						 unit, is_all_zero(data, n_data))) {
		memory->counters->bad_writes++;
		return false;
	}
	for (uint32_t i = 0; i < n_data && offset + i < chip->flash_size; i++) {
		if (chip->erased_value)
			memory->flash[offset + i] &= data[i];
		else
			memory->flash[offset + i] |= data[i];
		stick_cell(memory, offset + i);
	}
	return true;
}

void memory_write_ram(struct memory *memory, uint32_t address, const uint8_t *data, uint32_t n_data)
{
	uint32_t offset = address - memory->chip->ram_start;

	for (uint32_t i = 0; i < n_data && offset + i < memory->chip->ram_size; i++)
		memory->ram[offset + i] = data[i];
}

bool memory_write_voltage(struct memory *memory, const uint8_t *data, uint32_t n_data)
{
	if (n_data > 4 || data[0] > 4)
		return false;
	for (uint32_t i = 1; i < n_data; i++) {
		if (data[i] != 0xFF)
			return false;
	}
	memory->voltage = data[0];
	return true;
}

/* What the option bytes say is protected counts from the reset on that the ROM makes. */
static void load_options(struct memory *memory)
{
	const struct sim_chip *chip = memory->chip;
	uint32_t write_protected = 0;
	uint8_t key = chip->option_key ? chip->option_key : 0xAA;
	bool is_off = memory->options[chip->option_protection] == key;

	/* F4: a value whose complement is not that of it is none (RM0090 3.7.1). */
	for (unsigned i = 0; i < 2 && chip->option_unit == 2; i++)
		is_off = is_off && (memory->options[i] ^ memory->options[2 + i]) == 0xFF;
	memory_protect_readout(memory, !is_off);
	if (!chip->option_key)
		return;
	for (uint32_t i = 0; i < 4; i++)
		write_protected |= (uint32_t)(uint8_t)~memory->options[8 + 2 * i] << (8 * i);
	memory->write_protected = write_protected;
}

/* Double words are programmed from registers, of which a short write leaves the others alone; the
 * chip makes their complement (RM0444 3.4.2). */
static void make_complements(struct memory *memory, uint32_t n_data)
{
	for (uint32_t i = 0; i < n_data; i++)
		if (i % 8 >= 4)
			memory->options[i] = (uint8_t)~memory->options[i - 4];
}

void memory_write_options(struct memory *memory, const uint8_t *data, uint32_t n_data)
{
	const struct sim_chip *chip = memory->chip;
	const struct sim_faults *knobs = &memory->fault->knobs;
	uint8_t before = memory->options[knobs->stuck_option_at];
	bool is_by_registers = chip->option_unit == 4;
	uint8_t *stuck = &memory->options[knobs->stuck_option_at];

	if (!is_by_registers)
		memset(memory->options, 0xFF, sizeof(memory->options));
	else
		memset(memory->options, 0xFF, 8);
	if (++memory->option_writes != knobs->torn_options) {
		for (uint32_t i = 0; i < n_data && i < chip->option_bytes_size; i++)
			memory->options[i] = data[i];
		*stuck = (uint8_t)((*stuck & ~knobs->stuck_options) |
				   (before & knobs->stuck_options));
		if (is_by_registers)
			make_complements(memory, n_data);
	}
	if (chip->option_key || chip->option_unit)
		load_options(memory);
}

void memory_protect_readout(struct memory *memory, bool on)
{
	unsigned at = memory->chip->option_protection, unit = memory->chip->option_unit;

	if (memory->readout_protected && !on)
		memory_wipe(memory);
	if (unit > 0 && memory->readout_protected != on) {
		memory->options[at] = on ? 0xBB : 0xAA;
		memory->options[at + unit] = (uint8_t)~memory->options[at];
	}
	memory->readout_protected = on;
}

void memory_protect_sectors(struct memory *memory, const uint8_t *sectors, uint32_t n_sectors)
{
	memory->write_protected = 0;
	for (uint32_t i = 0; i < n_sectors; i++) {
		if (sectors[i] < 32)
			memory->write_protected |= UINT32_C(1) << sectors[i];
	}
}

void memory_unprotect_sectors(struct memory *memory)
{
	memory->write_protected = 0;
}

void memory_clear_ram(struct memory *memory)
{
	memset(memory->ram, 0, memory->chip->ram_size);
}

void memory_lose_ram(struct memory *memory)
{
	for (uint32_t i = 0; i < memory->chip->ram_size; i++)
		memory->ram[i] = (uint8_t)fault_random(memory->fault);
}

void memory_reset(struct memory *memory)
{
	memory->voltage = 0;
	memory->programming_fails = false;
	drop_cache(memory);
}

bool memory_init(struct memory *memory, const struct sim_chip *chip, struct fault *fault,
	struct sim_counters *counters, const uint8_t *unique_id)
{
	memory->chip = chip;
	memory->fault = fault;
	memory->counters = counters;
	memory->ram = malloc(chip->ram_size);
	if (!memory->ram)
		return false;
	if (!chip->esp && !chip->ti) {
		memory->flash = malloc(chip->flash_size);
		if (!memory->flash)
			return false;
		memset(memory->flash, chip->erased_value, chip->flash_size);
	}
	memset(memory->options, 0xFF, sizeof(memory->options));
	for (unsigned i = 0; i < 4; i++)
		memory->options[i] = (uint8_t) ~(chip->option_zeros >> (8 * i));
	for (size_t k = 0; k < ARRAY_SIZE(chip->option_words) && chip->option_words[k].value; k++)
		for (unsigned i = 0; i < 4; i++)
			memory->options[chip->option_words[k].offset + i] =
				(uint8_t)(chip->option_words[k].value >> (8 * i));
	memcpy(memory->unique_id, unique_id, sizeof(memory->unique_id));
	memory->readout_protected = fault->knobs.protect;
	memory_lose_ram(memory);
	memory_reset(memory);
	return true;
}

void memory_done(struct memory *memory)
{
	free(memory->flash);
	free(memory->truth);
	free(memory->ram);
}
