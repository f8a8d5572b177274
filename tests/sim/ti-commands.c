/* SPDX-License-Identifier: MIT */
/*
 * ti-commands.c - what each command of the boot loader does: see ti-rom.h.
 *
 * The ACK of a command says that its packet was whole, and with ERASE, BANK_ERASE, SEND_DATA, CRC32
 * and SET_CCFG that the work is over; whether it was done is in the status alone. A command of a
 * wrong length or address is acknowledged too, and has no packet behind its ACK. A DOWNLOAD is good
 * for the SEND_DATA behind it: any other command but GET_STATUS ends it, which is the strictest
 * reading of "must only follow" (SWCU185 COMMAND_SEND_DATA).
 */
#include <string.h>
#include <zlib.h>

#include "base/util.h"
#include "sim/ti-rom.h"

#define RAM	      UINT32_C(0x20000000)
#define CRC_BYTE_NSEC UINT64_C(200)

static bool is_38(const struct tirom *rom)
{
	return rom->chip->kind == TICHIP_38;
}

static void end(struct tirom *rom, enum tirom_status status)
{
	rom->status = (uint8_t)status;
	tirom_ack(rom);
}

static bool is_in_flash(const struct tirom *rom, uint32_t address, uint32_t size)
{
	uint32_t offset = address - rom->chip->base;

	return address >= rom->chip->base && offset <= rom->chip->flash_bytes &&
	       size <= rom->chip->flash_bytes - offset;
}

/* --- Memory --- */

static uint32_t read_register_38(const struct tirom *rom, uint32_t address, bool *ret_is_there)
{
	const uint8_t *ieee = rom->ieee;

	switch (address) {
	case 0x400D3014: /* DIECFG0: flash, 32 KB of RAM */
		return 4 << 7 | rom->chip->flash_bytes / 0x20000 << 4;
	case 0x400D301C: /* DIECFG2: PG2.0 */
		return 0x2000;
	case 0x280028:
		return (uint32_t)ieee[0] << 24 | (uint32_t)ieee[1] << 16 | (uint32_t)ieee[2] << 8 |
		       ieee[3];
	case 0x28002C:
		return (uint32_t)ieee[4] << 24 | (uint32_t)ieee[5] << 16 | (uint32_t)ieee[6] << 8 |
		       ieee[7];
	default:
		*ret_is_there = false;
		return 0;
	}
}

static uint32_t read_register_26(const struct tirom *rom, uint32_t address, bool *ret_is_there)
{
	const struct sim_ti *board = rom->board;
	const struct tichip *chip = rom->chip;
	const uint8_t *ieee = rom->ieee;

	switch (address) {
	case 0x50001318: /* ICEPICK_DEVICE_ID */
		return chip->revision << 28 |
		       (board->wafer_id ? board->wafer_id : chip->wafer_id) << 12 | 0x2F;
	case 0x50001294: /* USER_ID */
		return chip->user_id;
	case 0x500010A0: /* MISC_CONF_1: minor revision */
		return 0xFFFFFF00;
	case 0x4003002C: /* flash size in sectors, and a byte that is not ours to read */
		return 0x00010000 | (board->flash_sectors ? board->flash_sectors
							  : chip->flash_bytes / chip->sector);
	case 0x40082250: /* RAMHWOPT */
		return 3;
	case 0x500012F0: /* least significant byte first */
		return ieee[7] | (uint32_t)ieee[6] << 8 | (uint32_t)ieee[5] << 16 |
		       (uint32_t)ieee[4] << 24;
	case 0x500012F4:
		return ieee[3] | (uint32_t)ieee[2] << 8 | (uint32_t)ieee[1] << 16 |
		       (uint32_t)ieee[0] << 24;
	default:
		*ret_is_there = false;
		return 0;
	}
}

static bool read_byte(const struct tirom *rom, uint32_t address, uint8_t *ret)
{
	uint32_t word = address & ~UINT32_C(3), value;
	bool is_there = true;

	if (is_in_flash(rom, address, 1)) {
		*ret = rom->flash->cells[address - rom->chip->base];
		return true;
	}
	if (address >= RAM && address - RAM < rom->chip->ram_bytes) {
		*ret = rom->ram[address - RAM];
		return true;
	}
	value = is_38(rom) ? read_register_38(rom, word, &is_there)
			   : read_register_26(rom, word, &is_there);
	*ret = (uint8_t)(value >> 8 * (address & 3));
	return is_there;
}

static void send_memory(struct tirom *rom, uint32_t address, uint32_t n)
{
	uint8_t bytes[253];

	for (uint32_t i = 0; i < n; i++) {
		if (!read_byte(rom, address + i, &bytes[i])) {
			rom->counters->bad_addresses++;
			end(rom, TIROM_INVALID_ADDRESS);
			return;
		}
	}
	if (is_38(rom) && n == 4) {
		const uint8_t reversed[] = {bytes[3], bytes[2], bytes[1], bytes[0]};

		memcpy(bytes, reversed, 4);
	}
	end(rom, TIROM_SUCCESS);
	tirom_send(rom, bytes, n);
}

static void read_memory(struct tirom *rom)
{
	uint8_t width = rom->data[5], n = rom->data[6];
	uint32_t address = tirom_word(rom, 1);

	if (is_38(rom)) {
		if (width != 1 && width != 4)
			end(rom, TIROM_INVALID);
		else
			send_memory(rom, address, width);
	} else if (width > 1 || n < 1 || n > (width ? 63 : 253)) {
		end(rom, TIROM_INVALID);
	} else if (width && address % 4) {
		end(rom, TIROM_INVALID_ADDRESS);
	} else {
		send_memory(rom, address, width ? 4u * n : n);
	}
}

/* Flash is not written so, and registers have nothing to do with an update. */
static void write_memory(struct tirom *rom)
{
	uint32_t address = tirom_word(rom, 1), from = is_38(rom) ? 5 : 6;
	uint32_t n = rom->n_data - from;

	if (address < RAM || address - RAM > rom->chip->ram_bytes - n) {
		end(rom, TIROM_INVALID_ADDRESS);
		return;
	}
	memcpy(rom->ram + (address - RAM), rom->data + from, n);
	end(rom, TIROM_SUCCESS);
}

static void send_word(struct tirom *rom, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value};

	tirom_send(rom, bytes, sizeof(bytes));
}

static void get_chip_id(struct tirom *rom)
{
	end(rom, TIROM_SUCCESS);
	send_word(rom, rom->board->user_code ? rom->board->user_code : rom->chip->user_code);
}

static void sum_up(struct tirom *rom)
{
	uint32_t address = tirom_word(rom, 1), size = tirom_word(rom, 5), crc = UINT32_MAX;
	bool is_there = is_in_flash(rom, address, size);

	if (is_there && size > 8)
		crc = (uint32_t)crc32(
			0, rom->flash->cells + (address - rom->chip->base), (uInt)size);
	if (++rom->fault->ti_crcs == rom->fault->knobs.ti.crc_wrong_nth)
		crc ^= 0x00010000;
	end(rom, is_there ? TIROM_SUCCESS : TIROM_INVALID_ADDRESS);
	send_word(rom, crc);
}

static void crc_32(struct tirom *rom)
{
	uint32_t size = tirom_word(rom, 5);

	tirom_work(rom, size <= rom->chip->flash_bytes ? size * CRC_BYTE_NSEC : 0, sum_up);
}

/* --- Erasing --- */

static bool refuses_erase(struct tirom *rom, uint32_t offset)
{
	const struct sim_ti_faults *knobs = &rom->fault->knobs.ti;
	uint32_t sector = rom->chip->sector;

	if (!knobs->stubborn_times ||
		(knobs->stubborn - rom->chip->base) / sector != offset / sector)
		return false;
	return rom->fault->ti_stubborn++ < knobs->stubborn_times;
}

static void end_erase(struct tirom *rom)
{
	tiflash_finish(rom->flash);
	end(rom, rom->failure);
}

static void erase_on(struct tirom *rom);

/* A sector that is protected or worn is left as it is. */
static void erase_next(struct tirom *rom)
{
	const struct sim_ti_faults *knobs = &rom->fault->knobs.ti;
	uint32_t offset = rom->erase_at;

	rom->erase_at += rom->chip->sector;
	if (tiflash_is_protected(rom->flash, offset)) {
		if (!rom->is_bank)
			rom->failure = TIROM_FLASH_FAIL;
	} else if (refuses_erase(rom, offset)) {
		if (!knobs->is_stubborn_silent)
			rom->failure = TIROM_FLASH_FAIL;
	} else {
		tirom_work(rom, tiflash_begin_erase(rom->flash, offset), erase_on);
		return;
	}
	tirom_work(rom, 0, erase_on);
}

static void erase_on(struct tirom *rom)
{
	uint32_t top = rom->chip->flash_bytes - rom->chip->sector;
	bool has_erased_top = rom->flash->n_erasing && rom->flash->erasing == top;

	tiflash_finish(rom->flash);
	if (rom->erase_at < rom->erase_end)
		erase_next(rom);
	else if (has_erased_top)
		tirom_work(rom, tiflash_begin_delivery(rom->flash, rom->is_bank), end_erase);
	else
		end_erase(rom);
}

static void begin_erase(struct tirom *rom, uint32_t from, uint32_t to, bool is_bank)
{
	rom->erase_at = from;
	rom->erase_end = to;
	rom->is_bank = is_bank;
	rom->failure = TIROM_SUCCESS;
	erase_next(rom);
}

static void erase(struct tirom *rom)
{
	uint32_t address = tirom_word(rom, 1), offset = address - rom->chip->base;
	uint32_t sector = rom->chip->sector, size = is_38(rom) ? tirom_word(rom, 5) : sector;

	if (!size || !is_in_flash(rom, address, size) || (!is_38(rom) && offset % sector)) {
		end(rom, TIROM_INVALID_ADDRESS);
		return;
	}
	begin_erase(rom, offset - offset % sector, offset + size, false);
}

static void bank_erase(struct tirom *rom)
{
	if (rom->flash->is_bank_erase_off)
		end(rom, TIROM_FLASH_FAIL);
	else
		begin_erase(rom, 0, rom->chip->flash_bytes, true);
}

/* --- Writing --- */

static void download(struct tirom *rom)
{
	uint32_t address = tirom_word(rom, 1), size = tirom_word(rom, 5);

	if (!size || size % 4 || address % 4 || !is_in_flash(rom, address, size)) {
		end(rom, TIROM_INVALID_ADDRESS);
		return;
	}
	rom->at = address - rom->chip->base;
	rom->left = size;
	end(rom, TIROM_SUCCESS);
}

static void program_on(struct tirom *rom)
{
	uint64_t nsec = tiflash_program_word(rom->flash);

	if (nsec) {
		tirom_work(rom, nsec, program_on);
		return;
	}
	rom->at += rom->n_data - 1;
	rom->left -= rom->n_data - 1;
	rom->counters->blocks_written++;
	end(rom, TIROM_SUCCESS);
}

static bool touches_protected(const struct tirom *rom, uint32_t n)
{
	return tiflash_is_protected(rom->flash, rom->at) ||
	       tiflash_is_protected(rom->flash, rom->at + n - 1);
}

/* On an error the pointer stays where it is (SWRA466 4.3.5). */
static void send_data(struct tirom *rom)
{
	uint32_t n = rom->n_data - 1;

	if (n > rom->left)
		end(rom, TIROM_INVALID_ADDRESS);
	else if (touches_protected(rom, n))
		end(rom, TIROM_FLASH_FAIL);
	else
		tirom_work(rom, tiflash_begin_program(rom->flash, rom->at, rom->data + 1, n),
			program_on);
}

/* Where in the CCFG a field of SET_CCFG is: those that a loader may set (SWCU185). */
static bool find_field(uint32_t id, uint32_t *ret_offset)
{
	static const uint8_t offsets[] = {[1] = TIFLASH_IMAGE_VALID,
		[11] = TIFLASH_BL_CONFIG,
		[12] = TIFLASH_BL_CONFIG + 1,
		[13] = TIFLASH_BL_CONFIG + 2,
		[14] = TIFLASH_BL_CONFIG + 3};

	if (id >= ARRAY_SIZE(offsets) || !offsets[id])
		return false;
	*ret_offset = offsets[id];
	return true;
}

static void set_ccfg(struct tirom *rom)
{
	uint32_t offset, id = tirom_word(rom, 1), value = tirom_word(rom, 5);
	uint32_t ccfg = rom->chip->flash_bytes - SIM_TI_CCFG_MAX;

	if (!find_field(id, &offset)) {
		end(rom, TIROM_INVALID);
		return;
	}
	for (uint32_t i = 0; i < (id == 1 ? 4 : 1); i++)
		rom->flash->cells[ccfg + offset + i] &= (uint8_t)(value >> 8 * i);
	end(rom, TIROM_SUCCESS);
}

/* --- The rest --- */

static void ping(struct tirom *rom)
{
	end(rom, TIROM_SUCCESS);
}

static void get_status(struct tirom *rom)
{
	tirom_ack(rom);
	tirom_send(rom, &rom->status, 1);
}

static void reset(struct tirom *rom)
{
	end(rom, TIROM_SUCCESS);
	if (!rom->fault->knobs.ti.no_reset)
		rom->wish = TIROM_RESETS;
}

static void run(struct tirom *rom)
{
	end(rom, TIROM_SUCCESS);
	rom->wish = TIROM_STARTS;
	rom->start_address = tirom_word(rom, 1);
}

static void set_xosc(struct tirom *rom)
{
	end(rom, TIROM_SUCCESS);
	rom->has_crystal = true;
	rom->state = TIROM_DETECTING;
	rom->has_first = false;
}

enum { ON_26 = 1, ON_38 = 2, ON_ALL = 3 };

struct command {
	uint8_t opcode;
	unsigned kinds;
	uint32_t least, most; /* bytes of the packet without size and sum */
	tirom_fn run;
};

/* Lengths by the tables of commands (ti-bsl.md 2). */
static const struct command commands[] = {
	{TIROM_PING, ON_ALL, 1, 1, ping},
	{TIROM_DOWNLOAD, ON_ALL, 9, 9, download},
	{TIROM_RUN, ON_38, 5, 5, run},
	{TIROM_GET_STATUS, ON_ALL, 1, 1, get_status},
	{TIROM_SEND_DATA, ON_ALL, 2, 253, send_data},
	{TIROM_RESET, ON_ALL, 1, 1, reset},
	{TIROM_ERASE, ON_26, 5, 5, erase},
	{TIROM_ERASE, ON_38, 9, 9, erase},
	{TIROM_CRC32, ON_26, 13, 13, crc_32},
	{TIROM_CRC32, ON_38, 9, 9, crc_32},
	{TIROM_GET_CHIP_ID, ON_ALL, 1, 1, get_chip_id},
	{TIROM_SET_XOSC, ON_38, 1, 1, set_xosc},
	{TIROM_MEMORY_READ, ON_26, 7, 7, read_memory},
	{TIROM_MEMORY_READ, ON_38, 6, 6, read_memory},
	{TIROM_MEMORY_WRITE, ON_26, 7, 253, write_memory},
	{TIROM_MEMORY_WRITE, ON_38, 9, 9, write_memory},
	{TIROM_BANK_ERASE, ON_26, 1, 1, bank_erase},
	{TIROM_SET_CCFG, ON_26, 9, 9, set_ccfg},
};

void tirom_command(struct tirom *rom)
{
	unsigned kind = is_38(rom) ? ON_38 : ON_26;

	if (rom->data[0] != TIROM_SEND_DATA && rom->data[0] != TIROM_GET_STATUS)
		rom->left = 0;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];

		if (command->opcode != rom->data[0] || !(command->kinds & kind))
			continue;
		if (rom->n_data < command->least || rom->n_data > command->most)
			end(rom, TIROM_INVALID);
		else
			command->run(rom);
		return;
	}
	end(rom, TIROM_UNKNOWN);
}
