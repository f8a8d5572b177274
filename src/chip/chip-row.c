/* SPDX-License-Identifier: MIT */
/*
 * chip-row.c - the keys of a chip, what they mean, and what must be true of them together.
 */
#include "chip/chip-row.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* What a row that does not say gets: no chip known is slower, and waiting longer harms nothing. */
#define DEFAULT_STARTUP_USEC	    (100 * USEC_PER_MSEC)
#define DEFAULT_PAGE_ERASE_USEC	    (1 * USEC_PER_SEC)
#define DEFAULT_PAGE_ERASE_MAX_USEC (10 * USEC_PER_SEC)
#define DEFAULT_MASS_ERASE_USEC	    (10 * USEC_PER_SEC)
#define DEFAULT_MASS_ERASE_MAX_USEC (120 * USEC_PER_SEC)
#define DEFAULT_PROGRAM_MAX_USEC    (500 * USEC_PER_MSEC)
/* Longer lists make some ROMs fail, F103 XL with V3.0 among them; users saw ST's tool send 100. */
#define DEFAULT_ERASE_PAGES 100
/* 0xFFF0 and above are special codes of Extended Erase (AN3155 3.8). */
#define MAX_PAGES	0xFFF0
#define MAX_WRITE_ALIGN 256

static const struct {
	const char *name;
	uint32_t flag;
} flag_names[] = {
	{"no-mass-erase", CHIP_NO_MASS_ERASE},
	{"no-ram-access", CHIP_NO_RAM_ACCESS},
	{"dual-bank", CHIP_DUAL_BANK},
	{"voltage-range", CHIP_VOLTAGE_RANGE},
	{"uid-whole-block", CHIP_UID_WHOLE_BLOCK},
	{"uid-split", CHIP_UID_SPLIT},
	{"erased-zero", CHIP_ERASED_ZERO},
	{"two-acks-on-sync", CHIP_TWO_ACKS_ON_SYNC},
	{"empty-check-obl", CHIP_EMPTY_CHECK_OBL},
	{"empty-check-pempty", CHIP_EMPTY_CHECK_PEMPTY},
	{"trustzone", CHIP_TRUSTZONE},
	{"no-parity", CHIP_NO_PARITY},
	{"silent-bad-address", CHIP_SILENT_BAD_ADDRESS},
};

static const struct {
	const char *name;
	uint32_t flag;
} limit_names[] = {
	{"erase-singly", CHIP_ERASE_SINGLY},
	{"erase-singly-bank-2", CHIP_ERASE_SINGLY_BANK_2},
	{"erase-early", CHIP_ERASE_EARLY},
	{"erase-early-bank-2", CHIP_ERASE_EARLY_BANK_2},
	{"word-lost-after-read", CHIP_WORD_LOST_AFTER_READ},
	{"empty-flag-cleared", CHIP_EMPTY_FLAG_CLEARED},
};

static void free_listp(char ***list)
{
	parse_list_free(*list);
}

/* "0x08000000+512K"; the end may be 2^32 but not beyond. */
static int parse_range(const char *value, struct chip_range *ret)
{
	CLEANUP(freep) char *start_text = strdup(value);
	struct chip_range range;
	char *plus;
	int r;

	if (!start_text)
		return -ENOMEM;
	plus = strchr(start_text, '+');
	if (!plus)
		return -EINVAL;
	*plus = '\0';
	r = parse_u32(start_text, &range.start);
	if (r < 0)
		return r;
	r = parse_size(plus + 1, &range.size);
	if (r < 0)
		return r;
	if (range.size == 0)
		return -EINVAL;
	if ((uint64_t)range.start + range.size > UINT64_C(1) << 32)
		return -ERANGE;
	*ret = range;
	return 0;
}

static int parse_range_key(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "ADDRESS+SIZE like 0x08000000+512K, below 4G";
	return parse_range(value, field);
}

static int parse_stack(const char *value, void *field, const char **ret_expected)
{
	struct chip *chip = field;
	CLEANUP(free_listp) char **words = NULL;
	struct chip_range stack[CHIP_MAX_STACK];
	size_t n_words;
	int r;

	*ret_expected = "at most 6 times ADDRESS+SIZE";
	r = parse_list(value, &words, &n_words);
	if (r < 0)
		return r;
	if (n_words == 0 || n_words > CHIP_MAX_STACK)
		return -ERANGE;
	for (size_t i = 0; i < n_words; i++) {
		r = parse_range(words[i], &stack[i]);
		if (r < 0)
			return r;
	}
	memcpy(chip->stack, stack, n_words * sizeof(*stack));
	chip->n_stack = n_words;
	return 0;
}

/* "4x16K", or "2K" for as many as there is room for. */
static int parse_run(char *word, struct chip_pages *ret)
{
	char *times = strchr(word, 'x');
	struct chip_pages run = {0};
	int r;

	/* In "0x800" the x belongs to the number. */
	if (times == word + 1 && word[0] == '0')
		times = strchr(times + 1, 'x');
	if (times) {
		*times = '\0';
		r = parse_u32(word, &run.count);
		if (r < 0)
			return r;
		if (run.count == 0)
			return -EINVAL;
		word = times + 1;
	}
	r = parse_size(word, &run.size);
	if (r < 0)
		return r;
	if (run.size == 0)
		return -EINVAL;
	*ret = run;
	return 0;
}

/* "@12": the numbers go on from 12. Before the first run they begin at 0 anyway. */
static int parse_jump(const char *word, const struct chip_map *map, uint32_t *ret)
{
	int r;

	if (map->n_runs == 0 || *ret != 0)
		return -EINVAL;
	r = parse_u32(word + 1, ret);
	if (r < 0)
		return r;
	return *ret == 0 || *ret >= MAX_PAGES ? -ERANGE : 0;
}

static int parse_map(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(free_listp) char **words = NULL;
	struct chip_map map = {0};
	uint32_t jump = 0;
	size_t n_words;
	int r;

	*ret_expected = "at most 12 times COUNTxSIZE, the last one may be a SIZE alone";
	r = parse_list(value, &words, &n_words);
	for (size_t i = 0; r == 0 && i < n_words; i++) {
		struct chip_pages *run = &map.runs[map.n_runs];

		if (words[i][0] == '@') {
			r = parse_jump(words[i], &map, &jump);
			continue;
		}
		if (map.n_runs == CHIP_MAX_PAGE_RUNS)
			return -ERANGE;
		/* Only the last run is open. */
		if (map.n_runs > 0 && run[-1].count == 0)
			return -EINVAL;
		r = parse_run(words[i], run);
		run->jump = jump;
		jump = 0;
		map.n_runs++;
	}
	if (r < 0)
		return r;
	if (map.n_runs == 0 || jump != 0)
		return -EINVAL;
	*(struct chip_map *)field = map;
	return 0;
}

static int parse_pages(const char *value, void *field, const char **ret_expected)
{
	struct chip *chip = field;
	struct chip_map map;
	int r = parse_map(value, &map, ret_expected);

	if (r < 0)
		return r;
	memcpy(chip->pages, map.runs, sizeof(chip->pages));
	chip->n_pages = map.n_runs;
	chip->pages_known = true;
	return 0;
}

/* "22=1", or "any" */
static int parse_bit(const char *word, struct chip_bit *ret)
{
	CLEANUP(freep) char *number_text = strdup(word);
	uint32_t number;
	char *equals;
	int r;

	if (!number_text)
		return -ENOMEM;
	if (strcmp(word, "any") == 0) {
		*ret = (struct chip_bit){.is_any = true};
		return 0;
	}
	equals = strchr(number_text, '=');
	if (!equals || (strcmp(equals, "=0") != 0 && strcmp(equals, "=1") != 0))
		return -EINVAL;
	*equals = '\0';
	r = parse_u32(number_text, &number);
	if (r < 0)
		return r;
	if (number > 31)
		return -ERANGE;
	*ret = (struct chip_bit){.number = (uint8_t)number, .is_set = equals[1] == '1'};
	return 0;
}

static int parse_layout(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(free_listp) char **words = NULL;
	struct chip_layout layout;
	size_t n_words;
	int r;

	*ret_expected =
		"ADDRESS BIT=VALUE, like 0x1FFF7800 22=1, and another one for smaller parts";
	r = parse_list(value, &words, &n_words);
	if (r < 0)
		return r;
	if (n_words < 2 || n_words > 3)
		return -EINVAL;
	r = parse_u32(words[0], &layout.address);
	if (r == 0 && (layout.address == 0 || layout.address % 4 != 0))
		r = -EINVAL;
	if (r == 0)
		r = parse_bit(words[1], &layout.largest);
	if (r == 0)
		r = parse_bit(words[n_words - 1], &layout.smaller);
	if (r == 0)
		*(struct chip_layout *)field = layout;
	return r;
}

static int parse_aliases(const char *value, void *field, const char **ret_expected)
{
	struct chip *chip = field;
	char **words;
	size_t n_words;
	int r;

	*ret_expected = "a list of names";
	r = parse_list(value, &words, &n_words);
	if (r < 0)
		return r;
	parse_list_free(chip->aliases);
	chip->aliases = words;
	chip->n_aliases = n_words;
	return 0;
}

static int parse_flags(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(free_listp) char **words = NULL;
	uint32_t flags = 0;
	size_t n_words;
	int r;

	*ret_expected = "words of: no-mass-erase no-ram-access dual-bank voltage-range "
			"uid-whole-block uid-split erased-zero two-acks-on-sync empty-check-obl "
			"empty-check-pempty trustzone no-parity silent-bad-address";
	r = parse_list(value, &words, &n_words);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_words; i++) {
		uint32_t flag = 0;

		for (size_t k = 0; k < ARRAY_SIZE(flag_names); k++)
			if (strcmp(words[i], flag_names[k].name) == 0)
				flag = flag_names[k].flag;
		if (flag == 0)
			return -EINVAL;
		flags |= flag;
	}
	*(uint32_t *)field = flags;
	return 0;
}

/* "0x91:erase-early-bank-2", or without an id for every ROM of the product id. */
static int parse_limit(const char *word, struct chip_limit *ret)
{
	CLEANUP(freep) char *id_text = strdup(word);
	const char *colon = strchr(word, ':');
	struct chip_limit limit = {.is_of_all = !colon};
	uint32_t id;
	int r;

	if (!id_text)
		return -ENOMEM;
	if (colon) {
		id_text[colon - word] = '\0';
		r = parse_u32(id_text, &id);
		if (r < 0)
			return r;
		if (id > UINT8_MAX)
			return -ERANGE;
		limit.id = (uint8_t)id;
		word = colon + 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++)
		if (strcmp(word, limit_names[i].name) == 0)
			limit.flag = limit_names[i].flag;
	*ret = limit;
	return limit.flag == 0 ? -EINVAL : 0;
}

static int parse_limits(const char *value, void *field, const char **ret_expected)
{
	struct chip *chip = field;
	CLEANUP(free_listp) char **words = NULL;
	struct chip_limit limits[CHIP_MAX_LIMITS] = {0};
	size_t n_words;
	int r;

	*ret_expected =
		"at most 4 times LIMIT or ID:LIMIT, of erase-singly erase-singly-bank-2 erase-early erase-early-bank-2 word-lost-after-read empty-flag-cleared";
	r = parse_list(value, &words, &n_words);
	if (r == 0 && n_words > CHIP_MAX_LIMITS)
		r = -ERANGE;
	for (size_t i = 0; r == 0 && i < n_words; i++)
		r = parse_limit(words[i], &limits[i]);
	if (r < 0)
		return r;
	memcpy(chip->limits, limits, sizeof(limits));
	chip->n_limits = n_words;
	return 0;
}

static const struct ini_key chip_keys[] = {
	{"name", offsetof(struct chip, name), ini_parse_string},
	{"aliases", 0, parse_aliases},
	{"series", offsetof(struct chip, series), ini_parse_string},
	{"flash", offsetof(struct chip, flash), parse_range_key},
	{"pages", 0, parse_pages},
	{"pages-if", offsetof(struct chip, layout), parse_layout},
	{"pages-else", offsetof(struct chip, other), parse_map},
	{"pages-else-smaller", offsetof(struct chip, other_smaller), parse_map},
	{"swapped-if", offsetof(struct chip, swap), parse_layout},
	{"ram", offsetof(struct chip, ram), parse_range_key},
	{"stack", 0, parse_stack},
	{"option-bytes", offsetof(struct chip, option_bytes), parse_range_key},
	{"system-memory", offsetof(struct chip, system_memory), parse_range_key},
	{"write-align", offsetof(struct chip, write_align), ini_parse_u32},
	{"flash-size-register", offsetof(struct chip, flash_size_register), ini_parse_u32},
	{"unique-id", offsetof(struct chip, unique_id), ini_parse_u32},
	{"max-erase-pages", offsetof(struct chip, max_erase_pages), ini_parse_u32},
	{"flags", offsetof(struct chip, flags), parse_flags},
	{"startup", offsetof(struct chip, startup_usec), ini_parse_duration},
	{"startup-slow", offsetof(struct chip, startup_slow_usec), ini_parse_duration},
	{"page-erase", offsetof(struct chip, page_erase_usec), ini_parse_duration},
	{"page-erase-max", offsetof(struct chip, page_erase_max_usec), ini_parse_duration},
	{"mass-erase", offsetof(struct chip, mass_erase_usec), ini_parse_duration},
	{"mass-erase-max", offsetof(struct chip, mass_erase_max_usec), ini_parse_duration},
	{"program-max", offsetof(struct chip, program_max_usec), ini_parse_duration},
	{"bootloader-id", offsetof(struct chip, bootloader_ids), ini_parse_string},
	{"bootloader-id-at", offsetof(struct chip, bootloader_id_at), ini_parse_u32},
	{"rom-limits", 0, parse_limits},
	{"write-protect-pages", offsetof(struct chip, write_protect_pages), ini_parse_u32},
};

/* ------------------------------------------------------------------ one row */

void chip_done(struct chip *chip)
{
	free(chip->name);
	parse_list_free(chip->aliases);
	free(chip->series);
	free(chip->bootloader_ids);
}

/* A problem of a section, at the line of the key, or of the heading where the key is not there. */
static int chip_problem(struct ini_problems *problems, const struct ini_section *section,
	const char *key, const char *message)
{
	const struct ini_entry *entry = ini_section_find(section, key);
	char title[INI_LINE_BYTES + 1];

	return ini_problem_add(problems, section->file, entry ? entry->line : section->line,
		ini_section_title(section, title, sizeof(title)), key, "%s", message);
}

/* What is wrong with the page runs, or NULL. `ret_covered` is what they take together. */
static const char *runs_complaint(const struct chip *chip, const struct chip_pages *runs,
	size_t n_runs, uint64_t *ret_covered)
{
	uint64_t covered = 0;
	uint64_t next = 0;

	if (chip->flash.size == 0)
		return "pages need a flash to lie in: give 'flash' too";
	for (size_t i = 0; i < n_runs; i++) {
		uint64_t left = chip->flash.size > covered ? chip->flash.size - covered : 0;
		uint64_t count = runs[i].count ? runs[i].count : left / runs[i].size;

		if (runs[i].size % chip->write_align != 0)
			return "a page must be a multiple of 'write-align'";
		if (runs[i].jump != 0 && runs[i].jump < next)
			return "the numbers of the pages must rise";
		covered += count * runs[i].size;
		next = (runs[i].jump ? runs[i].jump : next) + count;
		if (covered > chip->flash.size)
			return "the pages are larger than the flash together";
	}
	if (next > MAX_PAGES)
		return "there are more pages than the boot loader can number";
	*ret_covered = covered;
	return NULL;
}

static const char *pages_complaint(const struct chip *chip)
{
	uint64_t covered = 0;
	const char *complaint;

	if (!chip->pages_known)
		return NULL;
	complaint = runs_complaint(chip, chip->pages, chip->n_pages, &covered);
	if (!complaint && covered != chip->flash.size)
		complaint = "the pages do not fill the flash";
	return complaint;
}

/* Of what the pages are when the bit is otherwise; on smaller parts they fill less. */
static const char *map_complaint(
	const struct chip *chip, const struct chip_map *map, bool is_smaller)
{
	uint64_t covered = 0;
	const char *complaint;

	if (map->n_runs == 0)
		return NULL;
	if (!chip->pages_known || chip->layout.address == 0)
		return "other pages need 'pages' and 'pages-if'";
	complaint = runs_complaint(chip, map->runs, map->n_runs, &covered);
	if (!complaint && !is_smaller && covered != chip->flash.size)
		complaint = "the pages do not fill the flash";
	if (!complaint && is_smaller && covered >= chip->flash.size)
		complaint = "these are the pages of a part with less flash than the row says";
	return complaint;
}

/* Everything a value alone does not show. */
static int chip_check(
	const struct chip *chip, const struct ini_section *section, struct ini_problems *problems)
{
	bool align_is_power = chip->write_align > 0 && chip->write_align <= MAX_WRITE_ALIGN &&
			      (chip->write_align & (chip->write_align - 1)) == 0;
	const char *complaint = align_is_power ? pages_complaint(chip) : NULL;
	const char *other = align_is_power ? map_complaint(chip, &chip->other, false) : NULL;
	const char *smaller =
		align_is_power ? map_complaint(chip, &chip->other_smaller, true) : NULL;
	const struct {
		bool is_wrong;
		const char *key;
		const char *message;
	} checks[] = {
		{!chip->name || !*chip->name, "name", "every chip needs a name"},
		{!align_is_power, "write-align", "expected a power of two from 1 to 256"},
		{complaint != NULL, "pages", complaint},
		{other != NULL, "pages-else", other},
		{smaller != NULL, "pages-else-smaller", smaller},
		{chip->max_erase_pages == 0 || chip->max_erase_pages >= MAX_PAGES,
			"max-erase-pages", "expected 1 to 65519"},
		{chip->startup_slow_usec < chip->startup_usec, "startup-slow",
			"is less than 'startup'"},
		{chip->page_erase_max_usec < chip->page_erase_usec, "page-erase-max",
			"is less than 'page-erase'"},
		{chip->mass_erase_max_usec < chip->mass_erase_usec, "mass-erase-max",
			"is less than 'mass-erase'"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++)
		if (checks[i].is_wrong)
			r = chip_problem(problems, section, checks[i].key, checks[i].message);
	return r;
}

int chip_section_id(const struct ini_section *section, struct ini_problems *problems, uint16_t *ret)
{
	char title[INI_LINE_BYTES + 1];
	uint32_t id;

	ini_section_title(section, title, sizeof(title));
	if (strcmp(section->kind, "chip") == 0 && parse_u32(section->name, &id) == 0 && id > 0 &&
		id <= UINT16_MAX) {
		*ret = (uint16_t)id;
		return 0;
	}
	ini_problem_add(problems, section->file, section->line, title, NULL,
		"expected a heading like [chip 0x414], the product id that Get ID answers");
	return -EINVAL;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

int chip_read(const struct ini_section *section, const struct family *family, uint16_t product_id,
	struct ini_problems *problems, struct chip *ret)
{
	struct chip chip = {
		.family = family,
		.product_id = product_id,
		.max_erase_pages = DEFAULT_ERASE_PAGES,
		.startup_usec = DEFAULT_STARTUP_USEC,
		.page_erase_usec = DEFAULT_PAGE_ERASE_USEC,
		.mass_erase_usec = DEFAULT_MASS_ERASE_USEC,
		.program_max_usec = DEFAULT_PROGRAM_MAX_USEC,
	};
	int r;

	r = ini_section_apply(section, chip_keys, ARRAY_SIZE(chip_keys), &chip, problems);
	if (r == 0) {
		if (!ini_section_find(section, "startup-slow"))
			chip.startup_slow_usec = chip.startup_usec;
		if (!ini_section_find(section, "page-erase-max"))
			chip.page_erase_max_usec =
				larger(DEFAULT_PAGE_ERASE_MAX_USEC, 2 * chip.page_erase_usec);
		if (!ini_section_find(section, "mass-erase-max"))
			chip.mass_erase_max_usec =
				larger(DEFAULT_MASS_ERASE_MAX_USEC, 2 * chip.mass_erase_usec);
		r = chip_check(&chip, section, problems);
	}
	if (r < 0) {
		chip_done(&chip);
		return r;
	}
	*ret = chip;
	return 0;
}
