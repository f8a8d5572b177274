/* SPDX-License-Identifier: MIT */
/*
 * sim-chips.c - the chips that can be simulated. Addresses by AN2606 and the headers of each
 * family, typical times by the data sheets.
 */
#include <string.h>

#include "base/util.h"
#include "sim/esp-chips.h"
#include "sim/ti-chips.h"

#define KIB  UINT32_C(1024)
#define USEC UINT64_C(1000)
#define MSEC UINT64_C(1000000)

/* One bank of F42x or F7: the first of its sectors has that number, 0 where they go on. */
#define SECTORS(n_large, number)                                         \
	{4, 16 * KIB, 250 * MSEC, number}, {1, 64 * KIB, 550 * MSEC, 0}, \
	{                                                                \
		n_large, 128 * KIB, 1000 * MSEC, 0                       \
	}

/* What the chips of F4 and F7 that have two banks, by an option bit or always, have in common. */
#define TWO_BANKS_OF_SECTORS                                                                     \
	.version = 0x31, .extended_erase = true, .dual_bank = true, .voltage_range = true,       \
	.erased_value = 0xFF, .flash_base = 0x08000000, .ram_size = 0x2D000,                     \
	.max_erase_list = 512, .protect_pages = 1, .program_unit = 1, .program_nsec = 16 * USEC, \
	.page_erase_nsec = 1000 * MSEC, .mass_erase_nsec = 8000 * MSEC

/*
 * The second option word is a value with its complement above it. Its bit 14 is DB1M (RM0090,
 * RM0386), bit 13 nDBANK (RM0410).
 */
#define F42(name_, id, kib, word, ...)                                                            \
	{                                                                                         \
		TWO_BANKS_OF_SECTORS, .name = name_, .product_id = id,                            \
				      .unique_id_whole_block = true, .flash_size = kib * KIB,     \
				      .ram_start = 0x20003000, .system_memory = 0x1FFF0000,       \
				      .system_memory_size = 0x7800, .option_bytes = 0x1FFFC000,   \
				      .option_bytes_size = 0x10, .option_words = {{8, word}},     \
				      .flash_size_register = 0x1FFF7A22, .unique_id = 0x1FFF7A10, \
				      .write_align = 4, .startup_nsec = 82000 * USEC,             \
				      .pages = {__VA_ARGS__},                                     \
	}
#define F76(name_, kib, word, ...)                                                                 \
	{                                                                                          \
		TWO_BANKS_OF_SECTORS, .name = name_, .product_id = 0x451, .flash_size = kib * KIB, \
				      .ram_start = 0x20004000, .system_memory = 0x1FF00000,        \
				      .system_memory_size = 0xEDC0, .option_bytes = 0x1FFF0000,    \
				      .option_bytes_size = 0x20, .option_words = {{8, word}},      \
				      .flash_size_register = 0x1FF0F442, .unique_id = 0x1FF0F420,  \
				      .write_align = 8, .startup_nsec = 17930 * USEC,              \
				      .pages = {__VA_ARGS__},                                      \
	}

/* FLASH_OPTR: bit 22 is DBANK, bit 20 SWAP_BANK (RM0438). */
#define L55(name_, swapped, word, ...)                                                          \
	{                                                                                       \
		.name = name_, .product_id = 0x472, .version = 0x31, .extended_erase = true,    \
		.dual_bank = true, .banks_swapped = swapped, .erased_value = 0xFF,              \
		.flash_base = 0x08000000, .flash_size = 512 * KIB, .ram_start = 0x20004000,     \
		.ram_size = 0x3C000, .system_memory = 0x0BF90000, .system_memory_size = 0x8000, \
		.option_bytes = 0x40022040, .option_bytes_size = 0x30,                          \
		.option_words = {{0, word}}, .flash_size_register = 0x0BFA05E0,                 \
		.unique_id = 0x0BFA0590, .max_erase_list = 512, .protect_pages = 1,             \
		.write_align = 16, .program_unit = 16, .program_nsec = 83 * USEC,               \
		.page_erase_nsec = 22 * MSEC, .mass_erase_nsec = 22 * MSEC,                     \
		.startup_nsec = 390 * USEC, .pages = {__VA_ARGS__},                             \
	}

/* G07x: one bank. The traits are those of the ROM with that id (AN2606 table 108). */
#define G07(name_, id, ...)                                                                    \
	{                                                                                      \
		.name = name_, .product_id = 0x460, .version = 0x31, .extended_erase = true,   \
		.bootloader_id = id, .bootloader_id_at = 0x1FFF6FFE, .erased_value = 0xFF,     \
		.flash_base = 0x08000000, .flash_size = 128 * KIB, .ram_start = 0x20002700,    \
		.ram_size = 0x6900, .system_memory = 0x1FFF0000, .system_memory_size = 0x7000, \
		.option_bytes = 0x1FFF7800, .option_bytes_size = 0x80,                         \
		.flash_size_register = 0x1FFF75E0, .unique_id = 0x1FFF7590,                    \
		.pages = {{64, 2 * KIB, 0, 0}}, .max_erase_list = 512, .protect_pages = 1,     \
		.write_align = 4, .program_unit = 8, .program_nsec = 85 * USEC,                \
		.page_erase_nsec = 40 * MSEC, .mass_erase_nsec = 40 * MSEC,                    \
		.startup_nsec = 390 * USEC, __VA_ARGS__                                        \
	}

/* H7 with sectors of 128 KB; the ROM's id is where it is on all of them. */
#define H7(name_, id, kib, ...)                                                                 \
	{                                                                                       \
		.name = name_, .version = 0x31, .extended_erase = true, .bootloader_id = id,    \
		.bootloader_id_at = 0x1FF1E7FE, .erased_value = 0xFF, .flash_base = 0x08000000, \
		.flash_size = kib * KIB, .ram_start = 0x20004100, .ram_size = 0x1BF00,          \
		.system_memory = 0x1FF00000, .system_memory_size = 0x1E800,                     \
		.flash_size_register = 0x1FF1E880, .unique_id = 0x1FF1E800,                     \
		.pages = {{kib / 128, 128 * KIB, 0, 0}}, .max_erase_list = 512,                 \
		.protect_pages = 1, .write_align = 8, .program_unit = 32,                       \
		.program_nsec = 130 * USEC, .page_erase_nsec = 1100 * MSEC,                     \
		.mass_erase_nsec = 8000 * MSEC, .startup_nsec = 53980 * USEC, __VA_ARGS__       \
	}

static const struct sim_chip chips[] = {
	{
		.name = "f103xc",
		.product_id = 0x414,
		.version = 0x22,
		.silent_bad_address = true,
		.deaf_to_failures = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 256 * KIB,
		.ram_start = 0x20000200,
		.ram_size = 0xBE00,
		.system_memory = 0x1FFFF000,
		.system_memory_size = 0x800,
		.option_bytes = 0x1FFFF800,
		.option_bytes_size = 0x200,
		.option_key = 0xA5,
		.flash_size_register = 0x1FFFF7E0,
		.unique_id = 0x1FFFF7E8,
		.pages = {{128, 2 * KIB, 0, 0}},
		.protect_pages = 2,
		.write_align = 4,
		.program_unit = 2,
		.program_nsec = 52500,
		.page_erase_nsec = 30 * MSEC,
		.mass_erase_nsec = 30 * MSEC,
		.startup_nsec = 1227 * USEC,
	},
	{
		.name = "f103c8",
		.product_id = 0x410,
		.version = 0x22,
		.silent_bad_address = true,
		.deaf_to_failures = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 64 * KIB,
		.ram_start = 0x20000200,
		.ram_size = 0x4E00,
		.system_memory = 0x1FFFF000,
		.system_memory_size = 0x800,
		.option_bytes = 0x1FFFF800,
		.option_bytes_size = 0x200,
		.option_key = 0xA5,
		.flash_size_register = 0x1FFFF7E0,
		.unique_id = 0x1FFFF7E8,
		.pages = {{64, KIB, 0, 0}},
		.protect_pages = 4,
		.write_align = 4,
		.program_unit = 2,
		.program_nsec = 52500,
		.page_erase_nsec = 30 * MSEC,
		.mass_erase_nsec = 30 * MSEC,
		.startup_nsec = 1227 * USEC,
	},
	/* Speaks AN3155 and lists no Get ID, as GigaDevice's does; the rest is made up. */
	{
		.name = "gd32vw553",
		.has_no_id = true,
		.version = 0x31,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 64 * KIB,
		.ram_start = 0x20000200,
		.ram_size = 0x4E00,
		.system_memory = 0x1FFFF000,
		.system_memory_size = 0x800,
		.option_bytes = 0x1FFFF800,
		.option_bytes_size = 0x200,
		.option_key = 0xA5,
		.flash_size_register = 0x1FFFF7E0,
		.unique_id = 0x1FFFF7E8,
		.pages = {{64, KIB, 0, 0}},
		.protect_pages = 4,
		.write_align = 4,
		.program_unit = 2,
		.program_nsec = 52500,
		.page_erase_nsec = 30 * MSEC,
		.mass_erase_nsec = 30 * MSEC,
		.startup_nsec = 1227 * USEC,
	},
	{
		/* Times by words (2.7 to 3.6 V); by bytes an erase takes twice as long. */
		.name = "f405",
		.product_id = 0x413,
		.version = 0x31,
		.extended_erase = true,
		.double_nack_protected = true, /* ROM V9.0 */
		.voltage_range = true,
		.unique_id_whole_block = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 1024 * KIB,
		.ram_start = 0x20003000,
		.ram_size = 0x1D000,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x7800,
		.option_bytes = 0x1FFFC000,
		.option_bytes_size = 0x10,
		.option_unit = 2,
		.option_protection = 1,
		.option_words = {{0, 0x5510AAEF}, {8, 0x0000FFFF}},
		.flash_size_register = 0x1FFF7A22,
		.unique_id = 0x1FFF7A10,
		.pages = {{4, 16 * KIB, 250 * MSEC}, {1, 64 * KIB, 550 * MSEC},
			{7, 128 * KIB, 1000 * MSEC}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 4,
		.program_unit = 1,
		.program_nsec = 16 * USEC,
		.page_erase_nsec = 1000 * MSEC,
		.mass_erase_nsec = 8000 * MSEC,
		.startup_nsec = 74000 * USEC,
	},
	{
		.name = "f072",
		.product_id = 0x448,
		.version = 0x31,
		.extended_erase = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 128 * KIB,
		.ram_start = 0x20001800,
		.ram_size = 0x2800,
		.system_memory = 0x1FFFC800,
		.system_memory_size = 0x3000,
		.option_bytes = 0x1FFFF800,
		.option_bytes_size = 0x10,
		.option_key = 0xAA,
		.flash_size_register = 0x1FFFF7CC,
		.unique_id = 0x1FFFF7AC,
		.pages = {{64, 2 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 2,
		.write_align = 4,
		.program_unit = 2,
		.program_nsec = 53500,
		.page_erase_nsec = 30 * MSEC,
		.mass_erase_nsec = 30 * MSEC,
		.startup_nsec = 58 * USEC,
	},
	{
		/* Category 1. Its ROM is V3.0, before the missing NACK was mended in V3.1. */
		.name = "l152",
		.product_id = 0x416,
		.version = 0x30,
		.extended_erase = true,
		.silent_bad_address = true,
		.no_mass_erase = true,
		.unique_id_split = true,
		.erased_value = 0x00, /* RM0038: erased program memory reads as zero */
		.flash_base = 0x08000000,
		.flash_size = 128 * KIB,
		.ram_start = 0x20000800,
		.ram_size = 0x3800,
		.system_memory = 0x1FF00000,
		.system_memory_size = 0x2000,
		.option_bytes = 0x1FF80000,
		.option_bytes_size = 0x20,
		.flash_size_register = 0x1FF8004C,
		.unique_id = 0x1FF80050,
		.pages = {{512, 256, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 16,
		.write_align = 8,
		.program_unit = 4,
		.program_nsec = 3280 * USEC,
		.page_erase_nsec = 3280 * USEC,
		.mass_erase_nsec = 3280 * USEC, /* only as a part of Readout Unprotect */
		.startup_nsec = 542 * USEC,
	},
	{
		.name = "l412",
		.product_id = 0x464,
		.version = 0x31,
		.extended_erase = true,
		.two_acks_on_sync = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 128 * KIB,
		.ram_start = 0x20002100,
		.ram_size = 0x5F00,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x7000,
		.option_bytes = 0x1FFF7800,
		.option_bytes_size = 0x10,
		.flash_size_register = 0x1FFF75E0,
		.unique_id = 0x1FFF7590,
		.pages = {{64, 2 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 8,
		.program_unit = 8,
		.program_nsec = 81700,
		.page_erase_nsec = 22 * MSEC,
		.mass_erase_nsec = 22 * MSEC,
		.startup_nsec = 860 * USEC,
	},
	H7("h743", 0x92, 2048, .product_id = 0x450, .dual_bank = true, .option_bytes = 0x5200201C,
		.option_bytes_size = 0x80,
		.option_words = {{0, 0x1BC6AAF0}}), /* no SWAP_BANK_OPT (RM0433) */
	H7("h743-v9.1", 0x91, 2048, .product_id = 0x450, .dual_bank = true,
		.option_bytes = 0x5200201C, .option_bytes_size = 0x40,
		.option_words = {{0, 0x1BC6AAF0}}, .erases_early_in_bank_2 = true),
	H7("h723", 0x93, 1024, .product_id = 0x483, .loses_word_after_read = true),
	G07("g071-v11.3", 0xB3, .erases_early = true, .clears_empty_flag = true),
	G07("g071-v11.4", 0xB4, .dual_bank = false),
	/* With the option bytes of a new one (RM0444, FLASH_OPTR): its BOOT0 pin does nothing. */
	G07("g071", 0xB4, .option_unit = 4, .option_words = {{0, 0xDFFFE1AA}, {4, 0x20001E55}}),
	{
		/* U375 with the ROM V14.1 (AN2606 table 210). */
		.name = "u375-v14.1",
		.product_id = 0x454,
		.version = 0x40,
		.extended_erase = true,
		.dual_bank = true,
		.has_no_protection = true,
		.bootloader_id = 0xE1,
		.bootloader_id_at = 0x0BF98FFE,
		.erases_first_only = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 1024 * KIB,
		.ram_start = 0x20004000,
		.ram_size = 0x3C000,
		.system_memory = 0x0BF8F000,
		.system_memory_size = 0x11000,
		.option_bytes = 0x40022040,
		.option_bytes_size = 0x40,
		.option_words = {{0, 0x1FEFF8AA}}, /* no SWAP_BANK */
		.flash_size_register = 0x0BFA07A0,
		.unique_id = 0x0BFA0700,
		.pages = {{256, 4 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 8,
		.program_unit = 8,
		.program_nsec = 118 * USEC,
		.page_erase_nsec = 1500 * USEC,
		.mass_erase_nsec = 195 * MSEC,
		.startup_nsec = 4400 * USEC,
	},
	{
		.name = "g0b1",
		.product_id = 0x467,
		.bootloader_id = 0x92,
		.bootloader_id_at = 0x1FFF9FFE,
		.erases_first_of_bank_2 = true,
		.clears_empty_flag = true,
		.version = 0x31,
		.extended_erase = true,
		.dual_bank = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 512 * KIB,
		.ram_start = 0x20004000,
		.ram_size = 0x1C000,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x7000,
		.option_bytes = 0x1FFF7800,
		.option_bytes_size = 0x80,
		.flash_size_register = 0x1FFF75E0,
		.unique_id = 0x1FFF7590,
		.pages = {{256, 2 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 4,
		.program_unit = 8,
		.program_nsec = 85 * USEC,
		.page_erase_nsec = 22 * MSEC,
		.mass_erase_nsec = 22 * MSEC,
		.startup_nsec = 390 * USEC,
	},
	/* The same with its banks exchanged: nSWAP_BANK = 0 (RM0444). */
	{
		.name = "g0b1-swapped",
		.product_id = 0x467,
		.version = 0x31,
		.extended_erase = true,
		.dual_bank = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 512 * KIB,
		.ram_start = 0x20004000,
		.ram_size = 0x1C000,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x7000,
		.option_bytes = 0x1FFF7800,
		.option_bytes_size = 0x80,
		.option_zeros = UINT32_C(1) << 20, /* nSWAP_BANK (RM0444) */
		.banks_swapped = true,
		.flash_size_register = 0x1FFF75E0,
		.unique_id = 0x1FFF7590,
		.pages = {{256, 2 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 4,
		.program_unit = 8,
		.program_nsec = 85 * USEC,
		.page_erase_nsec = 22 * MSEC,
		.mass_erase_nsec = 22 * MSEC,
		.startup_nsec = 390 * USEC,
	},
	{
		.name = "g474",
		.product_id = 0x469,
		.version = 0x31,
		.extended_erase = true,
		.dual_bank = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 512 * KIB,
		.ram_start = 0x20004000,
		.ram_size = 0x14000,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x7000,
		.option_bytes = 0x1FFF7800,
		.option_bytes_size = 0x30,
		.flash_size_register = 0x1FFF75E0,
		.unique_id = 0x1FFF7590,
		.pages = {{256, 2 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 8,
		.program_unit = 8,
		.program_nsec = 83 * USEC,
		.page_erase_nsec = 22 * MSEC,
		.mass_erase_nsec = 22 * MSEC,
		.startup_nsec = 390 * USEC,
	},
	/* The same chip, told to be one bank: a page is twice as large, and half as many. */
	{
		.name = "g474-single",
		.product_id = 0x469,
		.version = 0x31,
		.extended_erase = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 512 * KIB,
		.ram_start = 0x20004000,
		.ram_size = 0x14000,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x7000,
		.option_bytes = 0x1FFF7800,
		.option_bytes_size = 0x30,
		.option_zeros = UINT32_C(1) << 22, /* DBANK (RM0440, option bytes) */
		.flash_size_register = 0x1FFF75E0,
		.unique_id = 0x1FFF7590,
		.pages = {{128, 4 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 8,
		.program_unit = 8,
		.program_nsec = 83 * USEC,
		.page_erase_nsec = 22 * MSEC,
		.mass_erase_nsec = 22 * MSEC,
		.startup_nsec = 390 * USEC,
	},
	F42("f429", 0x419, 2048, 0xF0000FFF, SECTORS(7, 0), SECTORS(7, 0)),
	F42("f429-1m", 0x419, 1024, 0xF0000FFF, SECTORS(7, 0)),
	F42("f429-1m-dual", 0x419, 1024, 0xB0004FFF, SECTORS(3, 0), SECTORS(3, 12)),
	F42("f469-1m-dual", 0x434, 1024, 0xB0004FFF, SECTORS(3, 0), SECTORS(3, 12)),
	F76("f767", 2048, 0x0000FFFF, {4, 32 * KIB, 250 * MSEC, 0}, {1, 128 * KIB, 550 * MSEC, 0},
		{7, 256 * KIB, 1000 * MSEC, 0}),
	F76("f767-dual", 2048, 0x2000DFFF, SECTORS(7, 0), SECTORS(7, 0)),
	F76("f767-1m-dual", 1024, 0x2000DFFF, SECTORS(3, 0), SECTORS(3, 12)),
	L55("l552", false, 0xFFEFFFAA, {256, 2 * KIB, 0, 0}),
	L55("l552-single", false, 0xFFAFFFAA, {128, 4 * KIB, 0, 0}),
	L55("l552-swapped", true, 0xFFFFFFAA, {256, 2 * KIB, 0, 0}),
	{
		/* FLASH_OPTR: bit 22 is DBANK (RM0432). */
		.name = "l4r5-single",
		.product_id = 0x470,
		.version = 0x31,
		.extended_erase = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 2048 * KIB,
		.ram_start = 0x20003200,
		.ram_size = 0x9CE00,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x7000,
		.option_bytes = 0x1FF00000,
		.option_bytes_size = 0x10,
		.option_words = {{0, 0xFFAFF8AA}},
		.flash_size_register = 0x1FFF75E0,
		.unique_id = 0x1FFF7590,
		.pages = {{256, 8 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 8,
		.program_unit = 8,
		.program_nsec = 83 * USEC,
		.page_erase_nsec = 22 * MSEC,
		.mass_erase_nsec = 22 * MSEC,
		.startup_nsec = 10100 * USEC,
	},
	{
		.name = "u575",
		.product_id = 0x482,
		.version = 0x31,
		.extended_erase = true,
		.dual_bank = true,
		.has_special = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 2048 * KIB,
		.ram_start = 0x20004000,
		.ram_size = 0xBC000,
		.system_memory = 0x0BF90000,
		.system_memory_size = 0x10000,
		.option_bytes = 0x40022040,
		.option_bytes_size = 0x40,
		.option_words = {{0, 0x1FEFF8AA}}, /* no SWAP_BANK (RM0456) */
		.flash_size_register = 0x0BFA07A0,
		.unique_id = 0x0BFA0700,
		.pages = {{256, 8 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 16,
		.program_unit = 16,
		.program_nsec = 118 * USEC,
		.page_erase_nsec = 1500 * USEC,
		.mass_erase_nsec = 195 * MSEC,
		.startup_nsec = 390 * USEC,
	},
	{
		/* AN2606 table 3 lists no USART boot loader of V3.3: the WLE5 with that protocol,
		 * made up so that something has Get Checksum. */
		.name = "wle5-v33",
		.product_id = 0x497,
		.version = 0x33,
		.extended_erase = true,
		.has_checksum = true,
		.erased_value = 0xFF,
		.flash_base = 0x08000000,
		.flash_size = 256 * KIB,
		.ram_start = 0x20002000,
		.ram_size = 0xE000,
		.system_memory = 0x1FFF0000,
		.system_memory_size = 0x4000,
		.option_bytes = 0x1FFF7800,
		.option_bytes_size = 0x80,
		.flash_size_register = 0x1FFF75E0,
		.unique_id = 0x1FFF7590,
		.pages = {{128, 2 * KIB, 0, 0}},
		.max_erase_list = 512,
		.protect_pages = 1,
		.write_align = 8,
		.program_unit = 8,
		.program_nsec = 82 * USEC,
		.page_erase_nsec = 22 * MSEC,
		.mass_erase_nsec = 25 * MSEC,
		.startup_nsec = 390 * USEC,
	},
};

const struct sim_chip *sim_chip_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		if (!strcmp(chips[i].name, name))
			return &chips[i];
	}
	return tichip_find(name) ? tichip_sim(name) : espchip_sim(name);
}

const struct sim_chip *sim_chip_at(size_t i)
{
	return i < ARRAY_SIZE(chips) ? &chips[i] : NULL;
}
