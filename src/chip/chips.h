/* SPDX-License-Identifier: MIT */
/*
 * chips.h - the chip table: read from chips.ini and the user's chips.d. A section that names a chip
 * again replaces the row, so that a user corrects or adds a chip without a release.
 */
#pragma once

#include "base/ini.h"
#include "chip/chip.h"

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

/* Whether one of these names is the chip's. */
bool chip_is_one_of(const struct chip *chip, char *const *names, size_t n_names);

/* The first row of the family that the text names, or NULL; `family` NULL: of any. */
const struct chip *chip_table_find_named(
	const struct chip_table *table, const char *family, const char *text);

/* The same for a chip that a rule names: its `protocol` says of which family. */
struct board;
const struct chip *chip_table_find_for(
	const struct chip_table *table, const struct board *board, const char *text);

/*
 * For a text that names no chip of the family: the protocol whose chips are of another one and have
 * it for a name, or NULL.
 */
const char *chip_table_other_protocol(
	const struct chip_table *table, const char *family, const char *text);

/* Room for what chip_table_refuse_name() writes. */
#define CHIP_REFUSAL_MAX 400

/*
 * For a text that names no row: what was expected, what was got, and which rows may be meant
 * ("STM32F103" begins four names; "410" lacks its 0x). Returns `to`.
 */
const char *chip_table_refuse_name(const struct chip_table *table, const char *family,
	const char *text, char to[CHIP_REFUSAL_MAX]);
