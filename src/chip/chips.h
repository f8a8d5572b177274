/* SPDX-License-Identifier: MIT */
/*
 * chips.h - the chip table: what AN2606 and the data sheets say of each product id, as data.
 *
 * Read from chips.ini and the user's chips.d; a section that names an id again replaces the row, so
 * that a user corrects or adds a chip without a release. Every address and time that the boot
 * loader procedure relies on comes from here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ini.h"

/* Inclusive start, `size` bytes; size 0 means that the chip has none or that it is not known. */
struct chip_range {
	uint32_t start;
	uint32_t size;
};

/*
 * `count` pages of `size` bytes; count 0: to the end of the flash. Their numbers go on from the run
 * before, or begin at `jump` where that is not 0: half of an F42x counts its second bank from 12.
 */
struct chip_pages {
	uint32_t count;
	uint32_t size;
	uint32_t jump;
};

#define CHIP_MAX_PAGE_RUNS 12
#define CHIP_MAX_STACK	   6

/* A whole layout; no runs: none is known. */
struct chip_map {
	struct chip_pages runs[CHIP_MAX_PAGE_RUNS];
	size_t n_runs;
};

/* One bit of a word. */
struct chip_bit {
	uint8_t number;
	bool is_set;
	bool is_any; /* it does not matter on these parts */
};

/* An option bit that has to be so for the pages to be as the table says. */
struct chip_layout {
	uint32_t address;	 /* of the word, 32 bits; 0: no such bit */
	struct chip_bit largest; /* on parts with all the flash of the row */
	struct chip_bit smaller; /* on the others */
};

enum chip_flags {
	CHIP_NO_MASS_ERASE = 1 << 0,	  /* Extended Erase refuses 0xFFFF */
	CHIP_NO_RAM_ACCESS = 1 << 1,	  /* Read and Write of RAM are refused */
	CHIP_DUAL_BANK = 1 << 2,	  /* layout may depend on an option bit */
	CHIP_VOLTAGE_RANGE = 1 << 3,	  /* virtual address 0xFFFF0000 takes the supply range */
	CHIP_UID_WHOLE_BLOCK = 1 << 4,	  /* short reads of the unique id fail: read 256 bytes */
	CHIP_TWO_ACKS_ON_SYNC = 1 << 5,	  /* 79 79 after 7F (AN2606, L412/422) */
	CHIP_EMPTY_CHECK_OBL = 1 << 6,	  /* virgin chip stays in ROM: OBL_LAUNCH */
	CHIP_EMPTY_CHECK_PEMPTY = 1 << 7, /* the same: PEMPTY */
	CHIP_TRUSTZONE = 1 << 8,
	CHIP_NO_PARITY = 1 << 9,	   /* 8N1 instead of 8E1 */
	CHIP_SILENT_BAD_ADDRESS = 1 << 10, /* ROM before V3.1: no second NACK (stm32-rom.md 8) */
	CHIP_UID_SPLIT = 1 << 11,   /* third word of the unique id at +0x14, not +8 (L0, L1) */
	CHIP_ERASED_ZERO = 1 << 12, /* erased flash reads 0x00, not 0xFF (L0, L1) */
};

/* Known limitations of a ROM (an2606-limitations.md 1). */
enum chip_limit_flags {
	/* Of a list of pages only the first one is erased, everywhere or in the second bank. */
	CHIP_ERASE_SINGLY = 1 << 0,
	CHIP_ERASE_SINGLY_BANK_2 = 1 << 1,
	/* The same, and the ACK comes before the page is erased: whatever follows may hang it. */
	CHIP_ERASE_EARLY = 1 << 2,
	CHIP_ERASE_EARLY_BANK_2 = 1 << 3,
	/* A Write Memory after a Read Memory is ACKed, and its first flash word not written. */
	CHIP_WORD_LOST_AFTER_READ = 1 << 4,
	/* The ROM clears the flag of an empty flash as it starts: a reset leads into the flash. */
	CHIP_EMPTY_FLAG_CLEARED = 1 << 5,
};

#define CHIP_MAX_LIMITS 4

/* A limitation of the ROM with this boot loader id, or of all ROMs of the product id. */
struct chip_limit {
	uint8_t id;
	bool is_of_all;
	uint32_t flag; /* enum chip_limit_flags */
};

struct family;

struct chip {
	const struct family *family; /* never NULL */
	uint16_t product_id;
	char *name;
	char **aliases; /* NULL-terminated or NULL; a small x is any letter or digit */
	size_t n_aliases;
	char *series;		 /* "F1" */
	struct chip_range flash; /* the largest part of this id; size 0: cannot be flashed */
	struct chip_pages pages[CHIP_MAX_PAGE_RUNS];
	size_t n_pages;
	bool pages_known;			 /* false: mass erase only */
	struct chip_layout layout;		 /* when `pages` are so */
	struct chip_map other;			 /* what they are when the bit is otherwise */
	struct chip_map other_smaller;		 /* the same, on parts with less flash */
	struct chip_layout swap;		 /* when the two banks are exchanged */
	struct chip_range ram;			 /* the window the ROM lets be read and written */
	struct chip_range stack[CHIP_MAX_STACK]; /* memories a stack may be in */
	size_t n_stack;
	struct chip_range option_bytes;
	struct chip_range system_memory;
	uint32_t write_align;	      /* bytes, AN2606 table 7 */
	uint32_t flash_size_register; /* 16 bits, KiB; 0 not known */
	uint32_t unique_id;	      /* 12 bytes; 0 not known */
	uint32_t max_erase_pages;     /* in one Extended Erase list */
	uint32_t flags;		      /* enum chip_flags */
	uint64_t startup_usec;	      /* from reset to the first 0x7F, AN2606 "minimum" */
	uint64_t startup_slow_usec;   /* where a crystal or VBUS makes it longer */
	uint64_t page_erase_usec;     /* typical, the largest page */
	uint64_t page_erase_max_usec;
	uint64_t mass_erase_usec;
	uint64_t mass_erase_max_usec;
	uint64_t program_max_usec; /* a block of 256 bytes */
	char *bootloader_ids;	   /* ids of the ROMs seen, for people; NULL not known */
	uint32_t bootloader_id_at; /* address of the id (AN2606 table 3); 0 not known */
	struct chip_limit limits[CHIP_MAX_LIMITS];
	size_t n_limits;
	uint32_t write_protect_pages; /* that one protection bit covers, 0 not known */
};

struct chip_table {
	struct chip *items; /* rising product id */
	size_t n_items;
};

/*
 * Reads the table, then DIRECTORY/(asterisk).conf over it (`directory` may be NULL or missing).
 * `families` are those that it may have chips of, NULL-terminated (family.h), and outlive it.
 * Problems are collected; where there are any the result is OUTCOME_BAD_CONFIG and `ret` is left
 * alone. -errno when a file cannot be read.
 */
int chip_table_load(const struct family *const *families, const char *file, const char *directory,
	struct chip_table *ret, struct ini_problems *problems);

void chip_table_done(struct chip_table *table);

const struct chip *chip_table_find(const struct chip_table *table, uint16_t product_id);

/*
 * Whether one entry of a rule's `chip` list ("0x414", "F103xC", "stm32f103rct6") names this chip:
 * its product id, its name, or one of its aliases, more letters and digits behind that allowed; all
 * without regard to case and to a leading STM32.
 */
bool chip_is_named(const struct chip *chip, const char *text);

/* The first row that the text names, or NULL. */
const struct chip *chip_table_find_named(const struct chip_table *table, const char *text);

/* Room for what chip_table_refuse_name() writes. */
#define CHIP_REFUSAL_MAX 400

/*
 * For a text that names no row: what was expected, what was got, and which rows may be meant
 * ("STM32F103" begins four names; "410" lacks its 0x). Returns `to`.
 */
const char *chip_table_refuse_name(
	const struct chip_table *table, const char *text, char to[CHIP_REFUSAL_MAX]);

/* A page: where it begins, its bytes, and its number as the erase commands count. */
struct chip_page {
	uint32_t number;
	uint32_t address;
	uint32_t size;
};

/* The page that holds the address; false outside of the flash or where pages are not known. */
bool chip_page_at(const struct chip *chip, uint32_t address, struct chip_page *ret);

/* The page with that number; false where there is none. */
bool chip_page_numbered(const struct chip *chip, uint32_t number, struct chip_page *ret);

/*
 * Puts the other layout of the row in the place of `pages`, for a part with that much flash. False
 * where the row has none for it; the chip is left alone then.
 */
bool chip_use_other_pages(struct chip *chip, uint32_t flash_bytes);
