/* SPDX-License-Identifier: MIT */
/*
 * chip.h - what vendors' documents say of one chip, as data: a row of the chip table. Every address
 * and time that the procedure relies on comes from here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	uint32_t size;
	uint16_t count;
	uint16_t jump;
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
	char *refusal; /* why chips of this row are not flashed, a sentence; NULL: they are */
	struct chip_range flash;    /* the largest part of this id; size 0: cannot be flashed */
	struct chip_map pages;	    /* those in force; no runs: not known, mass erase only */
	uint32_t write_align;	    /* bytes */
	bool no_mass_erase;	    /* the whole flash cannot be erased by one command */
	bool proves_nothing;	    /* its loader neither reads back nor computes a digest */
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
