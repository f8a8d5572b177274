/* SPDX-License-Identifier: MIT */
/*
 * chip-row.h - one section of the chip table into one row: for chips.c, and for the families, whose
 * own keys are parsed and checked in the same way.
 */
#pragma once

#include "chip/family.h"

/*
 * Reads and checks the section [chip ID], which is of the first family of the list, or [chip FAMILY
 * ID]; a value that it does not give gets a careful default. 0, also when problems were added;
 * -EINVAL with a problem where the heading is none of these; -ENOMEM.
 */
int chip_read(const struct ini_section *section, const struct family *const *families,
	struct ini_problems *problems, struct chip *ret);

void chip_done(struct chip *chip);

/* ------------------------------------------------------------------ for the families */

/* As in struct ini_key: "0x08000000+512K", "4x16K 1x64K", and a key whose value is for people. */
int chip_parse_range(const char *value, void *field, const char **ret_expected);
int chip_parse_map(const char *value, void *field, const char **ret_expected);
int chip_parse_text(const char *value, void *field, const char **ret_expected);

/* A range alone. 0, -EINVAL, -ERANGE, -ENOMEM. */
int chip_range_parse(const char *value, struct chip_range *ret);

/* A word and the bits it stands for. */
struct chip_word {
	const char *name;
	uint32_t bits;
};

/* The bits of one word; -EINVAL where the list does not have it. */
int chip_word_parse(const char *word, const struct chip_word *words, size_t n_words, uint32_t *ret);

/* The complaint about these pages, which must fill the chip's flash or a part of it, or NULL. */
const char *chip_map_complaint(
	const struct chip *chip, const struct chip_map *map, bool is_of_smaller_part);

/* A key, and what is wrong with its value beside those of the others; NULL: nothing is. */
struct chip_complaint {
	const char *key, *message;
};

/* Adds a problem for each, at the key, or at the heading where the key is not there. 0, -ENOMEM. */
int chip_complain(const struct ini_section *section, const struct chip_complaint *complaints,
	size_t n_complaints, struct ini_problems *problems);
