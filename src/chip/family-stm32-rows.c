/* SPDX-License-Identifier: MIT */
/* family-stm32-rows.c - the keys that only the rows of an STM32 have. */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "chip/chip-row.h"
#include "chip/family-stm32.h"
#include "chip/family.h"

/* Longer lists make some ROMs fail, F103 XL with V3.0 among them; users saw ST's tool send 100. */
#define DEFAULT_ERASE_PAGES 100
/* 0xFFF0 and above are special codes of Extended Erase (AN3155 3.8). */
#define MOST_ERASE_PAGES 0xFFEF

/* The last three are words of older rows, by which nothing was ever decided. */
static const struct chip_word flag_words[] = {
	{"no-mass-erase", STM32_NO_MASS_ERASE},
	{"no-ram-access", STM32_NO_RAM_ACCESS},
	{"voltage-range", STM32_VOLTAGE_RANGE},
	{"uid-whole-block", STM32_UID_WHOLE_BLOCK},
	{"uid-split", STM32_UID_SPLIT},
	{"erased-zero", STM32_ERASED_ZERO},
	{"empty-check-obl", STM32_EMPTY_CHECK},
	{"empty-check-pempty", STM32_EMPTY_CHECK},
	{"no-parity", STM32_NO_PARITY},
	{"silent-bad-address", STM32_SILENT_BAD_ADDRESS},
	{"dual-bank", 0},
	{"trustzone", 0},
	{"two-acks-on-sync", 0},
};

static const struct chip_word limit_words[] = {
	{"erase-singly", STM32_ERASE_SINGLY},
	{"erase-singly-bank-2", STM32_ERASE_SINGLY_BANK_2},
	{"erase-early", STM32_ERASE_EARLY},
	{"erase-early-bank-2", STM32_ERASE_EARLY_BANK_2},
	{"word-lost-after-read", STM32_WORD_LOST_AFTER_READ},
	{"empty-flag-cleared", STM32_EMPTY_FLAG_CLEARED},
};

/* ------------------------------------------------------------------ values */

static int parse_stack(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct stm32_row *row = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected = "at most 6 times ADDRESS+SIZE";
	if (r == 0 && (n_words == 0 || n_words > STM32_MAX_STACK))
		r = n_words == 0 ? -EINVAL : -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++)
		r = chip_range_parse(words[i], &row->stack[row->n_stack++]);
	return r;
}

static int parse_flags(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct stm32_row *row = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected =
		"words of: no-mass-erase no-ram-access voltage-range uid-whole-block uid-split erased-zero empty-check-obl empty-check-pempty no-parity silent-bad-address";
	for (size_t i = 0; r == 0 && i < n_words; i++) {
		uint32_t bits = 0;

		r = chip_word_parse(words[i], flag_words, ARRAY_SIZE(flag_words), &bits);
		row->flags |= bits;
	}
	return r;
}

/* "0x91:erase-early-bank-2", or without an id for every ROM of the product id. */
static int parse_limits(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct stm32_row *row = field;
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected =
		"at most 4 times LIMIT or ID:LIMIT, of erase-singly erase-singly-bank-2 erase-early erase-early-bank-2 word-lost-after-read empty-flag-cleared";
	if (r == 0 && n_words > STM32_MAX_LIMITS)
		r = -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++) {
		struct stm32_limit *limit = &row->limits[row->n_limits++];
		char *word = words[i], *colon = strchr(word, ':');
		uint32_t id = 0;

		if (colon) {
			*colon = '\0';
			word = colon + 1;
			r = parse_u32(words[i], &id);
			if (r == 0 && id > UINT8_MAX)
				r = -ERANGE;
		}
		*limit = (struct stm32_limit){.id = (uint8_t)id, .is_of_all = !colon};
		if (r == 0)
			r = chip_word_parse(
				word, limit_words, ARRAY_SIZE(limit_words), &limit->flag);
	}
	return r;
}

/* "22=1", or "any" */
static int parse_bit(char *word, struct stm32_bit *ret)
{
	uint32_t number;
	char *equals;
	int r;

	if (strcmp(word, "any") == 0) {
		*ret = (struct stm32_bit){.is_any = true};
		return 0;
	}
	equals = strchr(word, '=');
	if (!equals || (strcmp(equals, "=0") != 0 && strcmp(equals, "=1") != 0))
		return -EINVAL;
	*equals = '\0';
	r = parse_u32(word, &number);
	if (r < 0 || number > 31)
		return r < 0 ? r : -ERANGE;
	*ret = (struct stm32_bit){.number = (uint8_t)number, .is_set = equals[1] == '1'};
	return 0;
}

static int parse_layout(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct stm32_layout layout = {0};
	size_t n_words;
	int r = parse_list(value, &words, &n_words);

	*ret_expected =
		"ADDRESS BIT=VALUE, like 0x1FFF7800 22=1, and another one for smaller parts";
	if (r == 0)
		r = n_words < 2 || n_words > 3 ? -EINVAL : parse_u32(words[0], &layout.address);
	if (r == 0 && (layout.address == 0 || layout.address % 4 != 0))
		r = -EINVAL;
	if (r == 0)
		r = parse_bit(words[1], &layout.largest);
	layout.smaller = layout.largest;
	if (r == 0 && n_words == 3)
		r = parse_bit(words[2], &layout.smaller);
	if (r == 0)
		*(struct stm32_layout *)field = layout;
	return r;
}

/* Which lists there are is for the loader to know: the service, which reads this table, has none of
 * them. */
static int parse_stub(const char *value, void *field, const char **ret_expected)
{
	size_t n = strlen(value);

	*ret_expected = "a word of at most 7 small letters, digits and dashes, like g0";
	if (n == 0 || strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
		return -EINVAL;
	if (n >= STM32_STUB_WORD)
		return -ERANGE;
	memcpy(field, value, n + 1);
	return 0;
}

static int parse_options(const char *value, void *field, const char **ret_expected)
{
	const struct option_layout *layout = option_layout_named(value);

	*ret_expected = "a word like f1, g0 or l4, by which option bytes have names";
	if (!layout)
		return -EINVAL;
	*(const struct option_layout **)field = layout;
	return 0;
}

static const struct ini_key keys[] = {
	{"pages-if", offsetof(struct stm32_row, layout), parse_layout},
	{"pages-else", offsetof(struct stm32_row, other), chip_parse_map},
	{"pages-else-smaller", offsetof(struct stm32_row, other_smaller), chip_parse_map},
	{"swapped-if", offsetof(struct stm32_row, swap), parse_layout},
	{"ram", offsetof(struct stm32_row, ram), chip_parse_range},
	{"stack", 0, parse_stack},
	{"option-bytes", offsetof(struct stm32_row, option_bytes), chip_parse_range},
	{"option-names", offsetof(struct stm32_row, options), parse_options},
	{"system-memory", offsetof(struct stm32_row, system_memory), chip_parse_range},
	{"flash-size-register", offsetof(struct stm32_row, flash_size_register), ini_parse_u32},
	{"unique-id", offsetof(struct stm32_row, unique_id), ini_parse_u32},
	{"max-erase-pages", offsetof(struct stm32_row, max_erase_pages), ini_parse_u32},
	{"flags", 0, parse_flags},
	{"bootloader-id", 0, chip_parse_text},
	{"bootloader-id-at", offsetof(struct stm32_row, bootloader_id_at), ini_parse_u32},
	{"rom-limits", 0, parse_limits},
	{"stub", offsetof(struct stm32_row, stub), parse_stub},
	{"write-protect-pages", 0, chip_parse_text},
};

/* ------------------------------------------------------------------ the row */

/* Of what the pages are when the bit is otherwise; on smaller parts they fill less. */
static const char *other_complaint(
	const struct chip *chip, const struct chip_map *map, bool is_of_smaller_part)
{
	if (map->n_runs > 0 && (chip->pages.n_runs == 0 || stm32_row(chip)->layout.address == 0))
		return "other pages need 'pages' and 'pages-if'";
	return chip_map_complaint(chip, map, is_of_smaller_part);
}

static int complete(
	struct chip *chip, const struct ini_section *section, struct ini_problems *problems)
{
	const struct stm32_row *row = chip->own;
	bool has_lists = row->max_erase_pages > 0 && row->max_erase_pages <= MOST_ERASE_PAGES;
	const struct chip_complaint complaints[] = {
		{"pages-else", other_complaint(chip, &row->other, false)},
		{"pages-else-smaller", other_complaint(chip, &row->other_smaller, true)},
		{"max-erase-pages", has_lists ? NULL : "expected 1 to 65519"},
	};

	chip->no_mass_erase = row->flags & STM32_NO_MASS_ERASE;
	chip->no_parity = row->flags & STM32_NO_PARITY;
	return chip_complain(section, complaints, ARRAY_SIZE(complaints), problems);
}

static const struct stm32_row default_row = {.max_erase_pages = DEFAULT_ERASE_PAGES};

const struct family_rows family_stm32_rows = {
	.name = "stm32",
	.prefix = "STM32",
	.min_id = 1,
	.max_id = UINT16_MAX,
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
	.own_size = sizeof(struct stm32_row),
	.own_default = &default_row,
	.complete = complete,
};
