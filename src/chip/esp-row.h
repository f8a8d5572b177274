/* SPDX-License-Identifier: MIT */
/*
 * esp-row.h - what the row of an ESP32 or one of its relatives has beside that of any chip:
 * where its ROM starts from, what that ROM can do, and where the eFuses keep what decides whether a
 * chip may be written at all (esp-rom.md 8). For the family, its loader and its identification.
 */
#pragma once

#include "chip/chip.h"

/* `count` bits of the word at `address`, from bit `first` on; count 0: the chip has none. */
struct esp_bits {
	uint32_t address;
	uint8_t first, count;
};

/* Where the registers of the SPI controller lie behind its base (esp-rom.md 3). */
enum esp_spi_layout { ESP_SPI_8266, ESP_SPI_32, ESP_SPI_LATER };

/* What to ask for so that the ROM's rate comes out right (esp-rom.md 4). */
enum esp_crystal {
	ESP_CRYSTAL_KNOWN, /* the ROM knows its crystal: the rate itself */
	ESP_CRYSTAL_ESP32, /* the ROM measures it, and not well */
	ESP_CRYSTAL_C2,	   /* the ROM takes 40 MHz for granted, it may be 26 */
	ESP_CRYSTAL_C5,	   /* the same, it may be 48 */
};

/* What the ROM of the chip can do, and what it does wrong. */
enum esp_rom_flags {
	ESP_ROM_SECURITY_INFO = 1 << 0, /* GET_SECURITY_INFO */
	ESP_ROM_ATTACH = 1 << 1,	/* SPI_ATTACH and SPI_SET_PARAMS */
	ESP_ROM_MD5 = 1 << 2,
	ESP_ROM_READ_SLOW = 1 << 3,
	ESP_ROM_CHANGE_BAUD = 1 << 4,
	ESP_ROM_DEFLATE = 1 << 5,      /* and nothing is erased beyond what was announced */
	ESP_ROM_ENCRYPT_WORD = 1 << 6, /* FLASH_BEGIN has a fifth word */
	ESP_ROM_SHORT_STATUS = 1 << 7, /* two bytes of status behind a reply, not four */
	ESP_ROM_ERASE_BUG = 1 << 8,    /* FLASH_BEGIN erases more than it is told */
};

#define ESP_MAX_MAGICS 6
#define ESP_MAX_MAJOR  3
#define ESP_MAX_MINOR  2
#define ESP_MAX_SECURE 2
#define ESP_MAX_MAPPED 2

struct esp_row {
	uint32_t magics[ESP_MAX_MAGICS]; /* of the word at ESP_MAGIC_ADDRESS */
	size_t n_magics;		 /* 0: known by its chip id only */
	uint32_t bootloader;		 /* offset of the boot loader in the flash */
	uint32_t mac;			 /* eFuse word with its low half; the high one behind it */
	uint32_t spi;			 /* base of the SPI controller that has the flash */
	enum esp_spi_layout spi_layout;
	enum esp_crystal crystal;
	/* Flash encryption is on while an odd number of these are set. */
	struct esp_bits crypt_count;
	/* Secure boot is on where one of these is set and the revision at least that behind it. */
	struct esp_bits secure_boot[ESP_MAX_SECURE];
	uint32_t secure_boot_from[ESP_MAX_SECURE];
	/* The parts of both numbers of the revision, the least significant one first. */
	struct esp_bits major[ESP_MAX_MAJOR];
	struct esp_bits minor[ESP_MAX_MINOR];
	/* The major number is how many of its bits are set in a row, from the first (ESP32). */
	bool is_major_counted;
	/* A bit that leads every reset into the loader as long as it is set. */
	struct esp_bits force_download;
	/* CPU addresses through which an application sees its flash. */
	struct chip_range mapped[ESP_MAX_MAPPED];
	size_t n_mapped;
	uint32_t flags; /* enum esp_rom_flags */
};

/* That of a chip of this family. */
static inline const struct esp_row *esp_row(const struct chip *chip)
{
	return chip->own;
}

/* The word by which chips are told apart that do not say their id (esp-rom.md 3). */
#define ESP_MAGIC_ADDRESS 0x40001000
