/* SPDX-License-Identifier: MIT */
/*
 * chips.h - the chip table: what vendors' documents say of each chip, as data.
 *
 * Read from chips.ini and the user's chips.d; a section that names a chip again replaces the row,
 * so that a user corrects or adds a chip without a release. Every address and time that the
 * procedure relies on comes from here.
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

/* A whole layout; no runs: none is known. */
struct chip_map {
	struct chip_pages runs[CHIP_MAX_PAGE_RUNS];
	size_t n_runs;
};

struct family;

/* What the procedure needs of any chip. What only its own loader needs is in `own`. */
struct chip {
	const struct family *family; /* never NULL */
	uint32_t product_id;	     /* tells it from all others of its family */
	char *name;
	char **aliases; /* NULL-terminated or NULL; a small x is any letter or digit */
	size_t n_aliases;
	struct chip_range flash;    /* the largest part of this id; size 0: cannot be flashed */
	struct chip_map pages;	    /* those in force; no runs: not known, mass erase only */
	uint32_t write_align;	    /* bytes */
	bool no_mass_erase;	    /* the whole flash cannot be erased by one command */
	bool no_parity;		    /* its loader speaks without, whatever others of its kind do */
	uint64_t startup_usec;	    /* from reset until the loader listens, at most */
	uint64_t startup_slow_usec; /* where a crystal or VBUS makes it longer */
	uint64_t page_erase_usec;   /* typical, the largest page */
	uint64_t page_erase_max_usec;
	uint64_t mass_erase_usec;
	uint64_t mass_erase_max_usec;
	uint64_t program_max_usec; /* a block of 256 bytes */
	void *own; /* what the rows of its family have besides (family.h), or NULL */
};

struct chip_table {
	struct chip *items; /* rising product id; of two families an id may be the same */
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

/* The chip with that id, of the family of that name. */
const struct chip *chip_table_find(
	const struct chip_table *table, const char *family, uint32_t product_id);

/*
 * Whether one entry of a rule's `chip` list ("0x414", "F103xC", "stm32f103rct6") names this chip:
 * its id, its name, or one of its aliases, more letters and digits behind that allowed; all without
 * regard to case and to the family's prefix.
 */
bool chip_is_named(const struct chip *chip, const char *text);

/* The first row of the family that the text names, or NULL; `family` NULL: of any. */
const struct chip *chip_table_find_named(
	const struct chip_table *table, const char *family, const char *text);

/* The same for a chip that a rule names: its `protocol` says of which family. */
struct board;
const struct chip *chip_table_find_for(
	const struct chip_table *table, const struct board *board, const char *text);

/* Room for what chip_table_refuse_name() writes. */
#define CHIP_REFUSAL_MAX 400

/*
 * For a text that names no row: what was expected, what was got, and which rows may be meant
 * ("STM32F103" begins four names; "410" lacks its 0x). Returns `to`.
 */
const char *chip_table_refuse_name(const struct chip_table *table, const char *family,
	const char *text, char to[CHIP_REFUSAL_MAX]);

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
