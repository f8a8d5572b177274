/* SPDX-License-Identifier: MIT */
/*
 * esp-chips.c - see esp-chips.h. Ids, registers and eFuses by esp-rom.md 3, 7 and 8; the revision
 * of the later chips by espressif/esptool targets; the texts as reported by users: ESF#79,
 * esphome/issues#632 (ESP32), esp-idf#7734 (C3), esp-idf#14081 and YD-ESP32-S3#2 (S3).
 */
#include "sim/esp-chips.h"

#include <string.h>

#include "base/util.h"

#define KIB UINT32_C(1024)
#define MHZ UINT32_C(1000000)

/* Of all later chips: SPI registers, revision in block 1 of the eFuses. */
#define LATER                                                                         \
	.kind = ESPCHIP_LATER, .spi_usr = 0x18, .spi_dlen = 0x24, .spi_words = 0x58,  \
	.sync_value = 0x55551207, .crystal_hz = 40 * MHZ, .rom_crystal_hz = 40 * MHZ, \
	.boot_word = 0x0C, .boot_pin = 0x08, .second_pin = 0x04

#define LATER_TEXT(head_, loader_)                                                      \
	.head = head_, .power_on = "0x1 (POWERON)", .watchdog = "0x7 (TG0WDT_SYS_RST)", \
	.loader = loader_, .baud = 115200

static const struct espchip chips[] = {
	{
		.name = "esp32",
		.clock_divider = 0x3FF40014,
		.kind = ESPCHIP_32,
		.magic = 0x00F01D83,
		.id = 0,
		.boot_offset = 0x1000,
		.mac = 0x3FF5A004,
		.spi = 0x3FF42000,
		.spi_usr = 0x1C,
		.spi_dlen = 0x28,
		.spi_words = 0x80,
		.crypt_count = {0x3FF5A000, 20, 7},
		.secure_boot_v1 = {0x3FF5A018, 4, 1},
		.secure_boot = {0x3FF5A018, 5, 1},
		.minor = {{0x3FF5A014, 24, 2}},
		.revision = 301,
		.sync_value = 0x20120707,
		.crystal_hz = 40 * MHZ,
		.ram = 0x3FFB0000,
		.ram_size = 0xF0000,
		.mapped = {0x3F400000, 0x400D0000},
		.mapped_end = {0x3F800000, 0x40400000},
		.boot_word = 0x13,
		.boot_pin = 0x10,
		.text = {.head = "ets Jul 29 2019 12:21:46\r\n\r\n",
			.old_head = "ets Jun  8 2016 00:22:57\r\n\r\n",
			.power_on = "0x1 (POWERON_RESET)",
			.watchdog = "0x10 (RTCWDT_RTC_RESET)",
			.loader = "DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2)",
			.baud = 115200},
	},
	{
		LATER,
		.name = "esp32s2",
		.clock_divider = 0x3F400014,
		.magic = 0x000007C6,
		.id = 2,
		.security_bytes = 12,
		.boot_offset = 0x1000,
		.mac = 0x3F41A044,
		.spi = 0x3F402000,
		.crypt_count = {0x3F41A034, 18, 3},
		.secure_boot = {0x3F41A038, 20, 1},
		.major = {{0x3F41A050, 18, 2}},
		.minor = {{0x3F41A054, 4, 3}, {0x3F41A050, 20, 1}},
		.revision = 100,
		.ram = 0x3FFB0000,
		.ram_size = 0xC0000,
		.mapped = {0x3F000000, 0x40080000},
		.mapped_end = {0x3FF80000, 0x40800000},
		.text = {LATER_TEXT("ESP-ROM:esp32s2-rc4-20191025\r\nBuild:Oct 25 2019\r\n",
			"DOWNLOAD(USB/UART0/1)")},
	},
	{
		LATER,
		.name = "esp32s3",
		.clock_divider = 0x60000014,
		.security_bytes = 20,
		.magic = 0x00000009,
		.id = 9,
		.mac = 0x60007044,
		.spi = 0x60002000,
		.crypt_count = {0x60007034, 18, 3},
		.secure_boot = {0x60007038, 20, 1},
		.major = {{0x60007058, 24, 2}},
		.minor = {{0x60007050, 18, 3}, {0x60007058, 23, 1}},
		.force_download = {0x6000812C, 0, 1},
		.revision = 2,
		.ram = 0x3FC88000,
		.ram_size = 0x78000,
		.mapped = {0x3C000000, 0x42000000},
		.mapped_end = {0x3E000000, 0x44000000},
		.text = {LATER_TEXT("ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n",
			"DOWNLOAD(USB/UART0)")},
	},
	{
		LATER,
		.name = "esp32c3",
		.clock_divider = 0x60000014,
		.security_bytes = 20,
		.magic = 0x1B31506F,
		.id = 5,
		.mac = 0x60008844,
		.spi = 0x60002000,
		.crypt_count = {0x60008834, 18, 3},
		.secure_boot = {0x60008838, 20, 1},
		.major = {{0x60008858, 24, 2}},
		.minor = {{0x60008850, 18, 3}, {0x60008858, 23, 1}},
		.revision = 4,
		.ram = 0x3FC80000,
		.ram_size = 0x60000,
		.mapped = {0x3C000000, 0x42000000},
		.mapped_end = {0x3C800000, 0x42800000},
		.needs_second_pin = true,
		.text = {LATER_TEXT("ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n",
			"DOWNLOAD(USB/UART0/1)")},
	},
	{
		LATER,
		.name = "esp32c2",
		.clock_divider = 0x60000014,
		.security_bytes = 20,
		.magic = 0x6F51306F,
		.id = 12,
		.mac = 0x60008840,
		.spi = 0x60002000,
		.crypt_count = {0x60008830, 7, 3},
		.secure_boot = {0x60008830, 21, 1},
		.major = {{0x60008844, 20, 2}},
		.minor = {{0x60008844, 16, 4}},
		.revision = 101,
		.ram = 0x3FCA0000,
		.ram_size = 0x40000,
		.mapped = {0x3C000000, 0x42000000},
		.mapped_end = {0x3C400000, 0x42400000},
		.needs_second_pin = true,
		.text = {LATER_TEXT("ESP-ROM:esp8684-api2-20220127\r\nBuild:Jan 27 2022\r\n",
			"DOWNLOAD(UART0)")},
	},
	{
		LATER,
		.name = "esp32c6",
		.clock_divider = 0x60000014,
		.security_bytes = 20,
		.magic = 0x2CE0806F,
		.id = 13,
		.mac = 0x600B0844,
		.spi = 0x60003000,
		.crypt_count = {0x600B0834, 18, 3},
		.secure_boot = {0x600B0838, 20, 1},
		.major = {{0x600B0850, 22, 2}},
		.minor = {{0x600B0850, 18, 4}},
		.revision = 1,
		.ram = 0x40800000,
		.ram_size = 0x80000,
		.mapped = {0x42000000, 0},
		.mapped_end = {0x43000000, 0},
		.needs_second_pin = true,
		.text = {LATER_TEXT("ESP-ROM:esp32c6-20220919\r\nBuild:Sep 19 2022\r\n",
			"DOWNLOAD(USB/UART0/SDIO_REI_FEO)")},
	},
	{
		LATER,
		.name = "esp32h2",
		.clock_divider = 0x60000014,
		.security_bytes = 20,
		.magic = 0xD7B73E80,
		.id = 16,
		.mac = 0x600B0844,
		.spi = 0x60003000,
		.crypt_count = {0x600B0834, 18, 3},
		.secure_boot = {0x600B0838, 20, 1},
		.major = {{0x600B0850, 21, 2}},
		.minor = {{0x600B0850, 18, 3}},
		.revision = 2,
		.ram = 0x40800000,
		.ram_size = 0x50000,
		.mapped = {0x42000000, 0},
		.mapped_end = {0x43000000, 0},
		.needs_second_pin = true,
		.text = {LATER_TEXT("ESP-ROM:esp32h2-20221101\r\nBuild:Nov  1 2022\r\n",
			"DOWNLOAD(USB/UART0)")},
	},
	{
		.name = "esp8266",
		.clock_divider = 0x60000014,
		.kind = ESPCHIP_8266,
		.magic = 0xFFF0C101,
		.id = 0xFFFF,
		.spi = 0x60000200,
		.spi_usr = 0x1C,
		.spi_words = 0x40,
		.sync_value = 0x20120707,
		.crystal_hz = 26 * MHZ,
		.rom_crystal_hz = 26 * MHZ,
		.ram = 0x3FFE8000,
		.ram_size = 0x20000,
		.mapped = {0x40200000, 0},
		.mapped_end = {0x40300000, 0},
		.boot_word = 0x3,
		.boot_pin = 0x2,
		.text = {.head = "\r\n ets Jan  8 2013",
			.power_on = "2",
			.watchdog = "4",
			.baud = 74880},
	},
};

/* What an Espressif chip is to those that know STM32s alone. */
#define AS_BOARD(i)                                                               \
	{                                                                         \
		.erased_value = 0xFF, .flash_size = 4096 * KIB, .write_align = 4, \
		.startup_nsec = UINT64_C(5000000), .esp = &chips[i], .pages = {   \
			{1024, 4 * KIB, 0, 0}                                     \
		}                                                                 \
	}

static struct sim_chip boards[ARRAY_SIZE(chips)] = {
	AS_BOARD(0),
	AS_BOARD(1),
	AS_BOARD(2),
	AS_BOARD(3),
	AS_BOARD(4),
	AS_BOARD(5),
	AS_BOARD(6),
	AS_BOARD(7),
};

const struct espchip *espchip_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (!strcmp(chips[i].name, name))
			return &chips[i];
	}
	return NULL;
}

const struct sim_chip *espchip_at(size_t i)
{
	if (i >= ARRAY_SIZE(chips))
		return NULL;
	boards[i].name = chips[i].name;
	boards[i].product_id = (uint16_t)chips[i].id;
	return &boards[i];
}

const struct sim_chip *espchip_sim(const char *name)
{
	const struct espchip *chip = espchip_find(name);

	return chip ? espchip_at((size_t)(chip - chips)) : NULL;
}
