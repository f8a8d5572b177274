/* SPDX-License-Identifier: MIT */
/*
 * rom-erase.c - Erase Memory and Extended Erase Memory (AN3155 3.7 and 3.8).
 */
#include "sim/rom-commands.h"

static uint64_t erase_step_nsec(const struct rom *rom)
{
	if (rom->step_nsec)
		return rom->step_nsec;
	return memory_page_erase_nsec(rom->memory, rom->pages[rom->n_done]);
}

static bool is_in_bank_2(const struct rom *rom, unsigned page)
{
	return page >= memory_page_count(rom->memory) / 2;
}

/* Whether the ROM goes on before this page is erased, and with it never comes to the next. */
static bool is_left_early(const struct rom *rom, unsigned page)
{
	const struct sim_chip *chip = rom->chip;

	return chip->erases_early || (chip->erases_early_in_bank_2 && is_in_bank_2(rom, page));
}

/* The first page of the list, or the first one of the second bank, is the last that works. */
static bool is_beyond_the_rom(const struct rom *rom)
{
	const struct sim_chip *chip = rom->chip;
	unsigned n = rom->n_done;

	return n > 0 && (chip->erases_first_only || (chip->erases_first_of_bank_2 &&
							    is_in_bank_2(rom, rom->pages[n - 1]) &&
							    is_in_bank_2(rom, rom->pages[n])));
}

/* The flash is busy with the page while the ROM says that all is done. */
static void leave_early(struct rom *rom, unsigned page)
{
	rom->busy_until = rom->clock + memory_page_erase_nsec(rom->memory, page);
	memory_erase_page(rom->memory, page);
	rom_ack(rom);
}

static void erase_step(struct rom *rom)
{
	if (is_beyond_the_rom(rom)) {
		if (rom->chip->erases_first_of_bank_2)
			rom_nack(rom);
		else
			rom_ack(rom);
		return;
	}
	memory_erase_page(rom->memory, rom->pages[rom->n_done++]);
	if (rom->n_done == rom->n_data)
		rom_ack(rom);
	else if (is_left_early(rom, rom->pages[rom->n_done]))
		leave_early(rom, rom->pages[rom->n_done]);
	else
		rom_work(rom, erase_step_nsec(rom), erase_step);
}

/* The knob that answers an erase with nothing but NACKs. */
static bool is_stormed(struct rom *rom)
{
	for (unsigned i = 0; i < rom->fault->knobs.nack_storm; i++)
		rom_nack(rom);
	return rom->fault->knobs.nack_storm;
}

static void begin_page_erase(struct rom *rom, uint32_t n_pages)
{
	uint64_t whole = rom->fault->knobs.erase_nsec;

	if (rom_is_refused_late(rom) || is_stormed(rom) || rom_trips_over_flash(rom))
		return;
	if (is_left_early(rom, rom->pages[0])) {
		leave_early(rom, rom->pages[0]);
		return;
	}
	rom->n_data = n_pages;
	rom->n_done = 0;
	rom->step_nsec = whole == SIM_NEVER ? SIM_NEVER : whole / n_pages;
	rom->work_end = rom->clock;
	for (uint32_t i = 0; i < n_pages && rom->work_end != SIM_NEVER; i++) {
		rom->n_done = i;
		if (erase_step_nsec(rom) > SIM_NEVER - rom->work_end)
			rom->work_end = SIM_NEVER;
		else
			rom->work_end += erase_step_nsec(rom);
	}
	rom->n_done = 0;
	rom_work(rom, erase_step_nsec(rom), erase_step);
}

static void end_mass_erase(struct rom *rom)
{
	unsigned first = rom->pages[0];
	unsigned end = rom->pages[1];
	unsigned erased = rom->counters->pages_erased;

	for (unsigned page = first; page < end; page++)
		memory_erase_page(rom->memory, page);
	if (rom->counters->pages_erased != erased)
		rom->counters->mass_erases++;
	rom->counters->pages_erased = erased;
	rom_ack(rom);
}

/* All pages from `first` up to `end`, in one go. */
static void begin_mass_erase(struct rom *rom, unsigned first, unsigned end)
{
	uint64_t knob = rom->fault->knobs.erase_nsec;
	uint64_t nsec = knob ? knob : memory_mass_erase_nsec(rom->memory);

	if (rom_is_refused_late(rom) || is_stormed(rom) || rom_trips_over_flash(rom))
		return;
	if (is_left_early(rom, end - 1))
		rom->busy_until = rom->clock + 2 * nsec;
	rom->pages[0] = (uint16_t)first;
	rom->pages[1] = (uint16_t)end;
	rom->work_end = nsec > SIM_NEVER - rom->clock ? SIM_NEVER : rom->clock + nsec;
	rom_work(rom, nsec, end_mass_erase);
}

/* A bad checksum of a page list is answered by two NACKs in V2.2 (stm32-rom.md 8). */
static void on_erase_list(struct rom *rom)
{
	uint32_t n_pages = rom->frame[0] + 1u;

	if (!rom_frame_is_sound(rom)) {
		rom_nack(rom);
		rom_nack(rom);
		return;
	}
	for (uint32_t i = 0; i < n_pages; i++)
		rom->pages[i] = rom->frame[1 + i];
	begin_page_erase(rom, n_pages);
}

/* AN3155 3.7, note: FF with anything but 00 behind is ACKed, and nothing is erased. */
static void on_erase_global(struct rom *rom)
{
	if (rom->frame[1] == 0x00)
		begin_mass_erase(rom, 0, memory_page_count(rom->memory));
	else
		rom_ack(rom);
}

static void on_erase_count(struct rom *rom)
{
	if (rom->frame[0] == 0xFF)
		rom_expect_more(rom, 1, on_erase_global);
	else
		rom_expect_more(rom, rom->frame[0] + 2u, on_erase_list);
}

void rom_begin_erase(struct rom *rom)
{
	rom_expect(rom, 1, on_erase_count);
}

static void on_extended_special(struct rom *rom)
{
	unsigned pages = memory_page_count(rom->memory);
	bool sound = rom_frame_is_sound(rom);

	if (sound && rom->frame[1] == 0xFF && !rom->chip->no_mass_erase)
		begin_mass_erase(rom, 0, pages);
	else if (sound && rom->frame[1] == 0xFE && rom->chip->dual_bank)
		begin_mass_erase(rom, 0, pages / 2);
	else if (sound && rom->frame[1] == 0xFD && rom->chip->dual_bank)
		begin_mass_erase(rom, pages / 2, pages);
	else
		rom_nack(rom);
}

/* A page that the chip has not is refused, before any is erased, so that a test notices. */
static void on_extended_list(struct rom *rom)
{
	uint32_t n_pages = (rom->frame[0] << 8 | rom->frame[1]) + 1u;

	if (!rom_frame_is_sound(rom)) {
		rom_nack(rom);
		return;
	}
	for (uint32_t i = 0; i < n_pages; i++) {
		unsigned page = (unsigned)(rom->frame[2 + 2 * i] << 8 | rom->frame[3 + 2 * i]);

		if (!memory_page_numbered(rom->memory, page, &page)) {
			rom->counters->bad_addresses++;
			rom_nack(rom);
			return;
		}
		rom->pages[i] = (uint16_t)page;
	}
	begin_page_erase(rom, n_pages);
}

static void on_extended_count(struct rom *rom)
{
	unsigned count = (unsigned)(rom->frame[0] << 8 | rom->frame[1]);

	if (count >= 0xFFF0)
		rom_expect_more(rom, 1, on_extended_special);
	else if (count + 1 > rom->chip->max_erase_list)
		rom_nack(rom);
	else
		rom_expect_more(rom, 2 * (count + 1) + 1, on_extended_list);
}

void rom_begin_extended_erase(struct rom *rom)
{
	rom_expect(rom, 2, on_extended_count);
}
