/* SPDX-License-Identifier: MIT */
/*
 * esp-commands.c - what each command of the boot loader does, but for those that write the flash
 * (esp-write.c): see esp-rom.h. Lengths and who knows which opcode: esp-rom.md 1.5.
 */
#include "sim/esp-rom.h"

#include <md5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* The tools allow 8 s/MB for the MD5; it is said to take below one (esp-rom.md 11). */
#define MD5_BYTE_NSEC  UINT64_C(900)
#define READ_BYTE_NSEC UINT64_C(400)

static void on_sync(struct esprom *rom)
{
	static const uint8_t head[] = {0x07, 0x07, 0x12, 0x20};

	if (memcmp(rom->data, head, sizeof(head)) != 0)
		return;
	rom->counters->syncs++;
	rom->is_synced = true;
	esprom_reply_sync(rom);
}

static void on_write_register(struct esprom *rom)
{
	for (unsigned at = 0; at + 4 <= rom->n_data / 4; at += 4) {
		espregisters_write(rom->registers, esprom_word(rom, at), esprom_word(rom, at + 1),
			esprom_word(rom, at + 2));
		esprom_spend(rom, esprom_word(rom, at + 3) * UINT64_C(1000));
	}
	esprom_reply(rom, NULL, 0);
}

static bool is_brought(const struct esprom *rom, uint32_t address)
{
	return rom->memory.bytes && address >= rom->memory.address &&
	       address - rom->memory.address + 4 <= rom->memory.at;
}

/* By which a host tells the crystal: the rate is its own, as measured or as set. */
static uint32_t clock_divider(const struct esprom *rom)
{
	uint32_t crystal_hz = espregisters_crystal(rom->registers);

	return (uint32_t)((rom->chip->kind == ESPCHIP_8266 ? 2 : 1) * (uint64_t)crystal_hz /
			  rom->baud);
}

static void on_read_register(struct esprom *rom)
{
	uint32_t address = esprom_word(rom, 0);

	if (address == rom->chip->clock_divider)
		rom->value = clock_divider(rom);
	else if (is_brought(rom, address))
		memcpy(&rom->value, rom->memory.bytes + (address - rom->memory.address), 4);
	else
		rom->value = espregisters_read(rom->registers, address);
	esprom_reply(rom, NULL, 0);
}

static void on_set_params(struct esprom *rom)
{
	rom->flash_bytes = esprom_word(rom, 1);
	esprom_reply(rom, NULL, 0);
}

static void on_attach(struct esprom *rom)
{
	rom->registers->is_attached = true;
	esprom_reply(rom, NULL, 0);
}

static bool reaches_flash(const struct esprom *rom, uint32_t address, uint32_t size)
{
	return rom->registers->is_attached && address <= rom->flash_bytes &&
	       size <= rom->flash_bytes - address;
}

/* Always 64 bytes, whatever was asked for. */
static void on_read_flash(struct esprom *rom)
{
	uint32_t address = esprom_word(rom, 0), size = esprom_word(rom, 1);
	uint8_t bytes[64];

	if (size > sizeof(bytes) || !reaches_flash(rom, address, size)) {
		esprom_fail(rom, ESPROM_FAILED);
		return;
	}
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = espflash_read(rom->flash, address + i);
	esprom_spend(rom, sizeof(bytes) * READ_BYTE_NSEC);
	esprom_reply(rom, bytes, sizeof(bytes));
}

/* The divider is right for the crystal that the ROM believes in (esp-rom.md 4.6). */
static void on_change_baud(struct esprom *rom)
{
	uint64_t baud = esprom_word(rom, 0);

	esprom_reply(rom, NULL, 0);
	if (!baud || rom->fault->knobs.esp.keeps_baud)
		return;
	rom->baud = baud * espregisters_crystal(rom->registers) /
		    espregisters_rom_crystal(rom->registers);
	if (!rom->baud)
		rom->baud = 1;
}

static void spoil_md5(struct esprom *rom, uint8_t *digest)
{
	const struct sim_esp_faults *knobs = &rom->fault->knobs.esp;

	rom->fault->esp_md5s++;
	if (knobs->md5_wrong_nth == rom->fault->esp_md5s)
		digest[0] ^= 0x55;
	if (knobs->md5_always_other)
		digest[rom->fault->esp_md5s % 16] ^= (uint8_t)(1 + fault_random(rom->fault) % 255);
}

static void on_md5(struct esprom *rom)
{
	uint32_t address = esprom_word(rom, 0), size = esprom_word(rom, 1);
	enum sim_esp_md5 form = rom->fault->knobs.esp.md5_form;
	uint8_t digest[16];
	char text[33];
	MD5_CTX md5;

	if (!reaches_flash(rom, address, size)) {
		esprom_fail(rom, ESPROM_FAILED);
		return;
	}
	MD5Init(&md5);
	for (uint32_t i = 0, n; i < size; i += n) {
		const uint8_t *bytes = espflash_run(rom->flash, address + i, size - i, &n);

		MD5Update(&md5, bytes, n);
	}
	MD5Final(digest, &md5);
	spoil_md5(rom, digest);
	esprom_spend(rom, size * MD5_BYTE_NSEC);
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, form == SIM_ESP_MD5_UPPER ? "%02X" : "%02x", digest[i]);
	if (form == SIM_ESP_MD5_RAW || rom->state->is_stub)
		esprom_reply(rom, digest, sizeof(digest));
	else
		esprom_reply(rom, (uint8_t *)text, form == SIM_ESP_MD5_TRUNCATED ? 20 : 32);
}

static void on_security_info(struct esprom *rom)
{
	const struct sim_esp *board = rom->board;
	uint8_t info[20] = {0};

	info[0] = (uint8_t)((board->secure_boot ? 1 : 0) | (board->secure_download ? 4 : 0));
	info[4] = (uint8_t)board->crypt_count;
	info[12] = (uint8_t)rom->chip->id;
	esprom_reply(rom, info, rom->chip->security_bytes);
}

/* --- RAM --- */

static void on_mem_begin(struct esprom *rom)
{
	uint32_t size = esprom_word(rom, 0), address = esprom_word(rom, 3);
	bool is_other_bus = rom->chip->kind != ESPCHIP_8266 && address >= 0x40000000;

	if (!is_other_bus &&
		(address < rom->chip->ram || address - rom->chip->ram > rom->chip->ram_size)) {
		esprom_fail(rom, ESPROM_ADDRESS);
		return;
	}
	if (!size || size > 512 * 1024) {
		esprom_fail(rom, ESPROM_INVALID);
		return;
	}
	free(rom->memory.bytes);
	rom->memory = (struct esprom_memory){
		.is_open = true, .address = address, .size = size, .bytes = calloc(1, size)};
	if (!rom->memory.bytes)
		abort();
	esprom_reply(rom, NULL, 0);
}

static uint32_t sum(const uint8_t *bytes, uint32_t n_bytes)
{
	uint32_t xor = 0xEF;

	for (uint32_t i = 0; i < n_bytes; i++)
		xor ^= bytes[i];
	return xor;
}

static void on_mem_data(struct esprom *rom)
{
	struct esprom_memory *memory = &rom->memory;
	uint32_t n = rom->n_data - 16;

	if (!memory->is_open || n > memory->size - memory->at) {
		esprom_fail(rom, ESPROM_FAILED);
	} else if (esprom_word(rom, 0) != n) {
		esprom_fail(rom, ESPROM_FORMAT);
	} else if (rom->checksum != sum(rom->data + 16, n)) {
		esprom_fail(rom, ESPROM_CHECKSUM);
	} else {
		memcpy(memory->bytes + memory->at, rom->data + 16, n);
		memory->at += n;
		rom->state->memory_address = memory->address;
		rom->state->n_memory = memory->at;
		esprom_reply(rom, NULL, 0);
	}
}

/* What was brought runs now; nobody here knows what that would say. */
static void on_mem_end(struct esprom *rom)
{
	uint32_t entry = esprom_word(rom, 1);

	if (!rom->memory.is_open) {
		esprom_fail(rom, ESPROM_FAILED);
		return;
	}
	rom->memory.is_open = false;
	esprom_reply(rom, NULL, 0);
	if (esprom_word(rom, 0))
		return;
	rom->state->entry = entry;
	rom->is_hung = true;
}

/* It leaves the loader whatever it was told, and is not to be counted on to answer. */
static void on_flash_end(struct esprom *rom)
{
	rom->state->n_flash_end++;
	rom->is_hung = true;
}

/* --- The table --- */

/* `kinds`: which ROMs know it; `is_safe`: also in secure download mode. */
enum { OF_8266 = 1, OF_32 = 2, OF_LATER = 4, OF_ALL = 7, OF_NEWER = 6 };

static const struct command {
	uint8_t opcode, kinds;
	bool is_safe;
	uint32_t n_data, n_later; /* of later chips, 0: the same */
	bool takes_more;
	esprom_fn run;
} commands[] = {
	{ESPROM_FLASH_BEGIN, OF_ALL, true, 16, 20, false, esprom_flash_begin},
	{ESPROM_FLASH_DATA, OF_ALL, true, 17, 0, true, esprom_flash_data},
	{ESPROM_FLASH_END, OF_ALL, true, 4, 0, false, on_flash_end},
	{ESPROM_MEM_BEGIN, OF_ALL, false, 16, 0, false, on_mem_begin},
	{ESPROM_MEM_DATA, OF_ALL, false, 17, 0, true, on_mem_data},
	{ESPROM_MEM_END, OF_ALL, false, 8, 0, false, on_mem_end},
	{ESPROM_SYNC, OF_ALL, true, 36, 0, false, on_sync},
	{ESPROM_WRITE_REG, OF_ALL, false, 16, 0, true, on_write_register},
	{ESPROM_READ_REG, OF_ALL, false, 4, 0, false, on_read_register},
	{ESPROM_SPI_SET_PARAMS, OF_NEWER, true, 24, 0, false, on_set_params},
	{ESPROM_SPI_ATTACH, OF_NEWER, true, 8, 0, false, on_attach},
	{ESPROM_READ_FLASH, OF_NEWER, false, 8, 0, false, on_read_flash},
	{ESPROM_CHANGE_BAUD, OF_NEWER, true, 8, 0, false, on_change_baud},
	{ESPROM_DEFLATE_BEGIN, OF_NEWER, false, 16, 20, false, esprom_flash_begin},
	{ESPROM_DEFLATE_DATA, OF_NEWER, false, 17, 0, true, esprom_flash_data},
	{ESPROM_DEFLATE_END, OF_NEWER, false, 4, 0, false, on_flash_end},
	{ESPROM_MD5, OF_NEWER, false, 16, 0, false, on_md5},
	{ESPROM_SECURITY_INFO, OF_LATER, true, 0, 0, false, on_security_info},
};

static const struct command *find(const struct esprom *rom)
{
	static const uint8_t kinds[] = {
		[ESPCHIP_8266] = OF_8266, [ESPCHIP_32] = OF_32, [ESPCHIP_LATER] = OF_LATER};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].opcode == rom->opcode && commands[i].kinds & kinds[rom->chip->kind])
			return &commands[i];
	}
	return NULL;
}

void esprom_command(struct esprom *rom)
{
	const struct command *command = find(rom);
	uint32_t n_data;

	if (!command || (rom->board->secure_download && !command->is_safe)) {
		esprom_fail_unknown(rom);
		return;
	}
	n_data = command->n_later && rom->chip->kind == ESPCHIP_LATER ? command->n_later
								      : command->n_data;
	if (command->takes_more ? rom->n_data < n_data : rom->n_data != n_data) {
		esprom_fail(rom, ESPROM_FORMAT);
		return;
	}
	rom->counters->commands[rom->opcode]++;
	command->run(rom);
}
