/* SPDX-License-Identifier: MIT */
/*
 * family-stm32.h - what the row of an STM32 has beside that of any chip: what AN2606 and AN3155 say
 * of its boot loader, and where ST keeps facts of the part. For the family and its loader.
 */
#pragma once

#include "chip/chip.h"
#include "chip/option-bytes.h"

/* One bit of a word. */
struct stm32_bit {
	uint8_t number;
	bool is_set;
	bool is_any; /* it does not matter on these parts */
};

/* An option bit that has to be so for the pages to be as the table says. */
struct stm32_layout {
	uint32_t address;	  /* of the word, 32 bits; 0: no such bit */
	struct stm32_bit largest; /* on parts with all the flash of the row */
	struct stm32_bit smaller; /* on the others */
};

enum stm32_flags {
	STM32_NO_MASS_ERASE = 1 << 0,	   /* Extended Erase refuses 0xFFFF */
	STM32_NO_RAM_ACCESS = 1 << 1,	   /* Read and Write of RAM are refused */
	STM32_VOLTAGE_RANGE = 1 << 2,	   /* virtual address 0xFFFF0000 takes the supply range */
	STM32_UID_WHOLE_BLOCK = 1 << 3,	   /* short reads of the unique id fail: read 256 bytes */
	STM32_UID_SPLIT = 1 << 4,	   /* its third word at +0x14, not +8 (L0, L1) */
	STM32_EMPTY_CHECK = 1 << 5,	   /* virgin chip stays in ROM, by OBL_LAUNCH or PEMPTY */
	STM32_NO_PARITY = 1 << 6,	   /* 8N1 instead of 8E1 */
	STM32_SILENT_BAD_ADDRESS = 1 << 7, /* ROM before V3.1: no second NACK (stm32-rom.md 8) */
	STM32_ERASED_ZERO = 1 << 8,	   /* erased flash reads 0x00, not 0xFF (L0, L1) */
};

/* Known limitations of a ROM (an2606-limitations.md 1). */
enum stm32_limit_flags {
	/* Of a list of pages only the first one is erased, everywhere or in the second bank. */
	STM32_ERASE_SINGLY = 1 << 0,
	STM32_ERASE_SINGLY_BANK_2 = 1 << 1,
	/* The same, and the ACK comes before the page is erased: whatever follows may hang it. */
	STM32_ERASE_EARLY = 1 << 2,
	STM32_ERASE_EARLY_BANK_2 = 1 << 3,
	/* A Write Memory after a Read Memory is ACKed, and its first flash word not written. */
	STM32_WORD_LOST_AFTER_READ = 1 << 4,
	/* The ROM clears the flag of an empty flash as it starts: a reset leads into the flash. */
	STM32_EMPTY_FLAG_CLEARED = 1 << 5,
};

/* A limitation of the ROM with this boot loader id, or of all ROMs of the product id. */
struct stm32_limit {
	uint8_t id;
	bool is_of_all;
	uint32_t flag; /* enum stm32_limit_flags */
};

#define STM32_MAX_STACK	 6
#define STM32_MAX_LIMITS 4

/* The word of a setup list, with its NUL. */
#define STM32_STUB_WORD 8

struct stm32_row {
	struct stm32_layout layout;		  /* when the chip's `pages` are so */
	struct chip_map other;			  /* what they are when the bit is otherwise */
	struct chip_map other_smaller;		  /* the same, on parts with less flash */
	struct stm32_layout swap;		  /* when the two banks are exchanged */
	struct chip_range ram;			  /* the window the ROM lets be read and written */
	struct chip_range stack[STM32_MAX_STACK]; /* memories a stack may be in */
	size_t n_stack;
	struct chip_range option_bytes;
	const struct option_layout *options; /* how settings lie in them; NULL: not known */
	struct chip_range system_memory;
	uint32_t flash_size_register; /* 16 bits, KiB; 0 not known */
	uint32_t unique_id;	      /* 12 bytes; 0 not known */
	uint32_t max_erase_pages;     /* in one Extended Erase list */
	uint32_t flags;		      /* enum stm32_flags */
	uint32_t bootloader_id_at;    /* address of the id (AN2606 table 3); 0 not known */
	struct stm32_limit limits[STM32_MAX_LIMITS];
	size_t n_limits;
	/* The setup list (loader/stub-setups.h) of the program that is put into the RAM; "": none
	 * is put there. */
	char stub[STM32_STUB_WORD];
};

/* That of a chip of this family. */
static inline const struct stm32_row *stm32_row(const struct chip *chip)
{
	return chip->own;
}
