/* SPDX-License-Identifier: MIT */
/*
 * family-cc13xx-rows.c - the keys that only the rows of a CC2538, CC13xx or CC26xx have.
 *
 * A row says which ROM the chip has, and from that follows where its CCFG is. A row whose CCFG
 * would be sought in the wrong place would let a file through that locks the chip for ever, so that
 * the flash must be that of the largest part exactly, and its pages those of the ROM.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "chip/chip-row.h"
#include "chip/family-cc13xx.h"
#include "chip/family.h"

/* ti-bsl.md 5. */
#define CCFG_BYTES 88
#define CCA_BYTES  44

static const struct chip_word rom_words[] = {
	{"cc2538", CC13XX_38},
	{"x0", CC13XX_X0},
	{"x1", CC13XX_X1},
	{"x2", CC13XX_X2},
	{"x7", CC13XX_X7},
};

/* ------------------------------------------------------------------ parts */

/* How many letters and digits of `text` the name begins, all of its own; 0: it does not. */
static size_t begins(const char *text, const char *name)
{
	size_t n = 0;

	for (; *name; text++) {
		if (*text == '-' || *text == '_')
			continue;
		if (toupper((unsigned char)*text) != *name)
			return 0;
		name++;
		n++;
	}
	return n;
}

const struct cc13xx_part *cc13xx_part_named(const struct cc13xx_row *row, const char *text)
{
	const struct cc13xx_part *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < row->n_parts; i++) {
		size_t n = begins(text, row->parts[i].name);

		if (n > longest) {
			longest = n;
			best = &row->parts[i];
		}
	}
	return best;
}

const struct cc13xx_part *cc13xx_part_coded(const struct cc13xx_row *row, uint32_t user_code)
{
	for (size_t i = 0; i < row->n_parts; i++)
		if (row->parts[i].has_code && row->parts[i].code == user_code >> 16)
			return &row->parts[i];
	return NULL;
}

/* ------------------------------------------------------------------ values */

static int parse_kind(const char *value, void *field, const char **ret_expected)
{
	struct cc13xx_row *row = field;
	uint32_t word = 0;
	int r = chip_word_parse(value, rom_words, ARRAY_SIZE(rom_words), &word);

	*ret_expected = "cc2538, x0, x1, x2 or x7";
	row->kind = (enum cc13xx_kind)word;
	return r;
}

static int parse_pin(const char *text, uint8_t *ret)
{
	uint32_t pin;
	int r = parse_u32(text, &pin);

	if (r < 0)
		return r;
	if (pin > 31)
		return -ERANGE;
	*ret = (uint8_t)pin;
	return 0;
}

/* "CC2652P=0x3202@12-13": the code and the pins of the UART may be left out. */
static int parse_part(char *word, struct cc13xx_part *ret)
{
	char *at = strchr(word, '@'), *code = strchr(word, '='),
	     *dash = at ? strchr(at, '-') : NULL;
	struct cc13xx_part part = {.has_code = code, .has_uart = at};
	uint32_t number = 0;
	int r = 0;

	if ((at && !dash) || (at && code > at))
		return -EINVAL;
	if (at) {
		*at = *dash = '\0';
		r = parse_pin(at + 1, &part.uart_pins[0]);
		if (r == 0)
			r = parse_pin(dash + 1, &part.uart_pins[1]);
	}
	if (r == 0 && code) {
		*code = '\0';
		r = parse_u32(code + 1, &number);
	}
	if (r < 0)
		return r;
	if (number > UINT16_MAX || strlen(word) >= sizeof(part.name))
		return -ERANGE;
	if (*word == '\0')
		return -EINVAL;
	for (size_t i = 0; word[i]; i++) {
		if (!isdigit((unsigned char)word[i]) && !isupper((unsigned char)word[i]))
			return -EINVAL;
		part.name[i] = word[i];
	}
	part.code = (uint16_t)number;
	*ret = part;
	return 0;
}

static int parse_parts(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct cc13xx_row *row = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected =
		"at most 12 names in capitals, each with =CODE, the upper half of its JTAGUSERCODE, and @PIN-PIN of the ROM's UART, or without: CC2652P=0x3202@12-13";
	if (r == 0 && (n_words == 0 || n_words > CC13XX_MAX_PARTS))
		r = n_words == 0 ? -EINVAL : -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++)
		r = parse_part(words[i], &row->parts[row->n_parts++]);
	return r;
}

static const struct ini_key keys[] = {
	{"rom", 0, parse_kind},
	{"ram", offsetof(struct cc13xx_row, ram), chip_parse_range},
	{"parts", 0, parse_parts},
};

/* ------------------------------------------------------------------ the row */

static uint32_t sector_of(enum cc13xx_kind kind)
{
	switch (kind) {
	case CC13XX_38:
		return 2048;
	case CC13XX_X0:
		return 4096;
	case CC13XX_X1:
	case CC13XX_X2:
	case CC13XX_X7:
		break;
	}
	return 8192;
}

static int complete(
	struct chip *chip, const struct ini_section *section, struct ini_problems *problems)
{
	struct cc13xx_row *row = chip->own;
	uint32_t sector = sector_of(row->kind);
	uint32_t start = row->kind == CC13XX_38 ? 0x00200000 : 0;
	bool has_pages = chip->pages.n_runs == 1 && chip->pages.runs[0].size == sector &&
			 chip->pages.runs[0].count == 0;
	const struct chip_complaint complaints[] = {
		{"rom", ini_section_find(section, "rom")
				? NULL
				: "expected which ROM the chip has: its commands and its CCFG follow from that"},
		{"ram", row->ram.size > 0
				? NULL
				: "expected the RAM: the stack of an image must lie in it"},
		{"flash",
			chip->flash.size > 0 && chip->flash.start == start &&
					chip->flash.size % sector == 0
				? NULL
				: "expected the whole flash of this part, from 0, or from 0x200000 on a CC2538: the CCFG is at its end"},
		{"pages",
			has_pages
				? NULL
				: "expected what this ROM erases at once: 2K (cc2538), 4K (x0) or 8K"},
	};

	row->ccfg_bytes = row->kind == CC13XX_38 ? CCA_BYTES : CCFG_BYTES;
	row->has_zero_valid = row->kind == CC13XX_38 || row->kind == CC13XX_X0;
	chip->no_mass_erase = true;
	chip->no_parity = true;
	/* A chip that nobody may flash needs nothing of what flashing needs. */
	if (chip->refusal)
		return 0;
	return chip_complain(section, complaints, ARRAY_SIZE(complaints), problems);
}

static const struct cc13xx_row default_row = {.kind = CC13XX_X2};

const struct family_rows family_cc13xx_rows = {
	.name = "cc13xx",
	.has_whole_names = true,
	.example_id = "0xBB41",
	.example_name = "cc2652p",
	.min_id = 1,
	.max_id = UINT16_MAX,
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.own_size = sizeof(struct cc13xx_row),
	.own_default = &default_row,
	.complete = complete,
};
