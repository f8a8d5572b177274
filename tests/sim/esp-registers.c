/* SPDX-License-Identifier: MIT */
/*
 * esp-registers.c - see esp-registers.h.
 *
 * The SPI controller does a user command as esp-rom.md 3.5 has it: USR says which phases there are,
 * USR2 the command, MISO_DLEN the bits that come back into W0 and the words behind it, CMD bit 18
 * starts and clears itself. Where the pins are not attached, the data line floats high.
 */
#include "sim/esp-registers.h"

#include <string.h>

#define MAGIC_ADDRESS 0x40001000
#define CLOCK_ADDRESS 0x3FF5F06C /* RTCCALICFG1 */
#define CLOCK_FUSES   0x3FF5A010
#define MAJOR_BIT_0   0x3FF5A00C /* bit 15 */
#define MAJOR_BIT_1   0x3FF5A014 /* bit 20 */
#define MAJOR_BIT_2   0x3FF6607C /* bit 31 */
#define MAC_8266_0    0x3FF00050
#define MAC_8266_1    0x3FF00054
#define MAC_8266_OUI  0x3FF0005C
#define CALIBRATION   792 /* 1 % below the 800 of a clock of exactly 8 MHz with FUSE_FACTOR */
#define FUSE_FACTOR   128

enum { CMD = 0x00, ADDR = 0x04 };
#define CMD_USR	    (UINT32_C(1) << 18)
#define USR_COMMAND (UINT32_C(1) << 31)
#define USR_ADDRESS (UINT32_C(1) << 30)
#define USR_MISO    (UINT32_C(1) << 28)

static uint32_t *find(struct espregisters *registers, uint32_t address)
{
	for (size_t i = 0; i < registers->n_words; i++) {
		if (registers->words[i].address == address)
			return &registers->words[i].value;
	}
	if (registers->n_words == ESPREGISTERS_MAX)
		return &registers->words[0].value;
	registers->words[registers->n_words].address = address;
	registers->words[registers->n_words].value = 0;
	return &registers->words[registers->n_words++].value;
}

static void burn(struct espregisters *registers, const struct espchip_bits *bits, uint32_t value)
{
	if (bits->count)
		*find(registers, bits->address) |= (value & ((UINT32_C(1) << bits->count) - 1))
						   << bits->first;
}

static void burn_parts(
	struct espregisters *registers, const struct espchip_bits parts[2], uint32_t value)
{
	burn(registers, &parts[0], value);
	burn(registers, &parts[1], value >> parts[0].count);
}

/* The ESP32 counts in unary: 0, 1, 3, 7 (esp-rom.md 7). */
static void burn_esp32_major(struct espregisters *registers, uint32_t major)
{
	uint32_t odd = registers->board->odd_major;
	uint32_t bits = odd ? odd : (UINT32_C(1) << major) - 1;

	*find(registers, MAJOR_BIT_0) |= (bits & 1) << 15;
	*find(registers, MAJOR_BIT_1) |= (bits >> 1 & 1) << 20;
	*find(registers, MAJOR_BIT_2) |= (bits >> 2 & 1) << 31;
}

static void burn_mac(struct espregisters *registers, const uint8_t *mac)
{
	uint32_t low =
		(uint32_t)mac[2] << 24 | (uint32_t)mac[3] << 16 | (uint32_t)mac[4] << 8 | mac[5];
	uint32_t high = (uint32_t)mac[0] << 8 | mac[1];

	if (registers->chip->kind == ESPCHIP_8266) {
		*find(registers, MAC_8266_0) = (uint32_t)mac[5] << 24 | 0x000C00;
		*find(registers, MAC_8266_1) = (uint32_t)mac[3] << 8 | mac[4];
		*find(registers, MAC_8266_OUI) =
			(uint32_t)mac[0] << 16 | (uint32_t)mac[1] << 8 | mac[2];
		return;
	}
	*find(registers, registers->chip->mac) = low;
	/* The ESP32 keeps a check value above it. */
	*find(registers, registers->chip->mac + 4) |=
		high | (registers->chip->kind == ESPCHIP_32 ? UINT32_C(0x005A0000) : 0);
}

uint32_t espregisters_revision(const struct espregisters *registers)
{
	return registers->board->revision ? registers->board->revision : registers->chip->revision;
}

void espregisters_init(struct espregisters *registers, const uint8_t *mac)
{
	const struct espchip *chip = registers->chip;
	const struct sim_esp *board = registers->board;
	uint32_t revision = espregisters_revision(registers);

	registers->n_words = 0;
	memset(registers->spi, 0, sizeof(registers->spi));
	registers->is_attached = chip->kind == ESPCHIP_8266;
	*find(registers, MAGIC_ADDRESS) = chip->magic;
	burn_mac(registers, mac);
	burn(registers, &chip->crypt_count, board->crypt_count);
	burn(registers, &chip->secure_boot_v1, board->secure_boot == 1);
	burn(registers, &chip->secure_boot, board->secure_boot == 2);
	burn(registers, &chip->force_download, board->forces_download);
	burn_parts(registers, chip->minor, revision % 100);
	burn_parts(registers, chip->major, revision / 100);
	if (chip->kind != ESPCHIP_32)
		return;
	burn_esp32_major(registers, revision / 100);
	*find(registers, CLOCK_FUSES) = FUSE_FACTOR;
	*find(registers, CLOCK_ADDRESS) = (board->calibration ? board->calibration : CALIBRATION)
					  << 7;
}

void espregisters_reset(struct espregisters *registers)
{
	memset(registers->spi, 0, sizeof(registers->spi));
	registers->is_attached = registers->chip->kind == ESPCHIP_8266;
	registers->busy = 0;
}

uint32_t espregisters_crystal(const struct espregisters *registers)
{
	return registers->board->crystal_hz ? registers->board->crystal_hz
					    : registers->chip->crystal_hz;
}

/* f = cal * 15625 * (factor) / 40 (esp-rom.md 4.6). */
uint64_t espregisters_rom_crystal(const struct espregisters *registers)
{
	uint32_t calibration = registers->board->calibration;

	if (registers->chip->kind != ESPCHIP_32)
		return registers->chip->rom_crystal_hz;
	return UINT64_C(15625) * (calibration ? calibration : CALIBRATION) * FUSE_FACTOR / 40;
}

/* --- The SPI controller --- */

/* RDID of a flash that answers three bytes; from then on the line floats. */
static uint8_t flash_says(
	const struct espregisters *registers, uint8_t command, uint32_t address, uint32_t nth)
{
	uint32_t knob = registers->fault->knobs.esp.rdid;
	uint32_t id = knob ? knob & 0xFFFFFF : registers->flash->id;

	if (!registers->is_attached)
		return 0xFF;
	switch (command) {
	case 0x9F:
		return nth < 3 ? (uint8_t)(id >> 8 * nth) : 0xFF;
	case 0x03:
		return espflash_read(registers->flash, address + nth);
	case 0x05: /* status register: not busy, nothing protected */
		return 0x00;
	default:
		return 0xFF;
	}
}

static uint32_t miso_bits(const struct espregisters *registers)
{
	const struct espchip *chip = registers->chip;
	uint32_t word = chip->spi_dlen ? registers->spi[(chip->spi_dlen + 4) / 4]
				       : registers->spi[(chip->spi_usr + 4) / 4] >> 8;

	return (word & 0x1FF) + 1;
}

static void run_command(struct espregisters *registers)
{
	const struct espchip *chip = registers->chip;
	uint32_t usr = registers->spi[chip->spi_usr / 4];
	uint8_t command = (uint8_t)registers->spi[(chip->spi_usr + 8) / 4];
	uint32_t address = usr & USR_ADDRESS ? registers->spi[ADDR / 4] >> 8 : 0;
	uint32_t *words = &registers->spi[chip->spi_words / 4];

	registers->busy = registers->board->spi_busy;
	if (!(usr & USR_COMMAND) || !(usr & USR_MISO))
		return;
	for (uint32_t i = 0; i < (miso_bits(registers) + 7) / 8; i++) {
		uint32_t byte = flash_says(registers, command, address, i);

		words[i / 4] &= ~(UINT32_C(0xFF) << i % 4 * 8);
		words[i / 4] |= byte << i % 4 * 8;
	}
}

static bool is_spi(const struct espregisters *registers, uint32_t address)
{
	return address - registers->chip->spi < sizeof(registers->spi);
}

static uint32_t read_spi(struct espregisters *registers, uint32_t offset)
{
	if (offset == CMD)
		return registers->busy && registers->busy-- ? CMD_USR : 0;
	return registers->spi[offset / 4];
}

/* --- All of them --- */

uint32_t espregisters_read(struct espregisters *registers, uint32_t address)
{
	if (is_spi(registers, address))
		return read_spi(registers, (address - registers->chip->spi) & ~UINT32_C(3));
	for (size_t i = 0; i < registers->n_words; i++) {
		if (registers->words[i].address == address)
			return registers->words[i].value;
	}
	return 0;
}

void espregisters_write(
	struct espregisters *registers, uint32_t address, uint32_t value, uint32_t mask)
{
	uint32_t *word = is_spi(registers, address)
				 ? &registers->spi[(address - registers->chip->spi) / 4]
				 : find(registers, address);

	*word = (*word & ~mask) | (value & mask);
	if (is_spi(registers, address) && address - registers->chip->spi == CMD && *word & CMD_USR)
		run_command(registers);
}
