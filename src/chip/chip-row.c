/* SPDX-License-Identifier: MIT */
/*
 * chip-row.c - the keys that every chip has, their values, and what must be true of them together.
 *
 * A section is read in one pass by two tables of keys: this one, and that of the chip's family,
 * which fills the part of the row that is the family's own. Then what the section leaves out gets
 * its default, and both are checked.
 */
#include "chip/chip-row.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* Defaults: no chip known is slower, and waiting longer harms nothing. */
#define DEFAULT_STARTUP_USEC	    (100 * USEC_PER_MSEC)
#define DEFAULT_PAGE_ERASE_USEC	    (1 * USEC_PER_SEC)
#define DEFAULT_PAGE_ERASE_MAX_USEC (10 * USEC_PER_SEC)
#define DEFAULT_MASS_ERASE_USEC	    (10 * USEC_PER_SEC)
#define DEFAULT_MASS_ERASE_MAX_USEC (120 * USEC_PER_SEC)
#define DEFAULT_PROGRAM_MAX_USEC    (500 * USEC_PER_MSEC)
/* 0xFFF0 and above are special codes of Extended Erase (AN3155 3.8); no other loader counts so far.
 */
#define MAX_PAGES	0xFFF0
#define MAX_WRITE_ALIGN 256

/* ------------------------------------------------------------------ values */

int chip_parse_text(const char *value, void *field, const char **ret_expected)
{
	(void)value;
	(void)field;
	(void)ret_expected;
	return 0;
}

/* The end may be 2^32 but not beyond. */
int chip_range_parse(const char *value, struct chip_range *ret)
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
	if (r == 0)
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

int chip_parse_range(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "ADDRESS+SIZE like 0x08000000+512K, below 4G";
	return chip_range_parse(value, field);
}

int chip_word_parse(const char *word, const struct chip_word *words, size_t n_words, uint32_t *ret)
{
	for (size_t i = 0; i < n_words; i++)
		if (strcmp(word, words[i].name) == 0) {
			*ret = words[i].bits;
			return 0;
		}
	return -EINVAL;
}

/* "4x16K", or "2K" for as many as there is room for. */
static int parse_run(char *word, struct chip_pages *ret)
{
	char *times = strchr(word, 'x');
	struct chip_pages run = {0};
	uint32_t count = 0;
	int r;

	/* In "0x800" the x belongs to the number. */
	if (times == word + 1 && word[0] == '0')
		times = strchr(times + 1, 'x');
	if (times) {
		*times = '\0';
		r = parse_u32(word, &count);
		if (r < 0)
			return r;
		if (count == 0)
			return -EINVAL;
		/* As many are too many too (MAX_PAGES), and chip_map_complaint() says so. */
		if (count > UINT16_MAX)
			count = UINT16_MAX;
		word = times + 1;
	}
	r = parse_size(word, &run.size);
	if (r < 0)
		return r;
	if (run.size == 0)
		return -EINVAL;
	run.count = (uint16_t)count;
	*ret = run;
	return 0;
}

int chip_parse_map(const char *value, void *field, const char **ret_expected)
{
	CLEANUP(parse_list_freep) char **words = NULL;
	struct chip_map map = {0};
	uint32_t jump = 0;
	size_t n_words;
	int r;

	*ret_expected = "at most 12 times COUNTxSIZE, the last one may be a SIZE alone";
	r = parse_list(value, &words, &n_words);
	for (size_t i = 0; r == 0 && i < n_words; i++) {
		struct chip_pages *run = &map.runs[map.n_runs];

		/* "@12": the numbers go on from 12. Before the first run they begin at 0 anyway. */
		if (words[i][0] == '@') {
			if (map.n_runs == 0 || jump != 0)
				return -EINVAL;
			r = parse_u32(words[i] + 1, &jump);
			if (r == 0 && (jump == 0 || jump >= MAX_PAGES))
				return -ERANGE;
			continue;
		}
		if (map.n_runs == CHIP_MAX_PAGE_RUNS)
			return -ERANGE;
		/* Only the last run is open. */
		if (map.n_runs > 0 && run[-1].count == 0)
			return -EINVAL;
		r = parse_run(words[i], run);
		run->jump = (uint16_t)jump;
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

static const struct ini_key chip_keys[] = {
	{"name", offsetof(struct chip, name), ini_parse_string},
	{"aliases", 0, parse_aliases},
	{"series", 0, chip_parse_text},
	{"refused", offsetof(struct chip, refusal), ini_parse_string},
	{"flash", offsetof(struct chip, flash), chip_parse_range},
	{"pages", offsetof(struct chip, pages), chip_parse_map},
	{"write-align", offsetof(struct chip, write_align), ini_parse_u32},
	{"startup", offsetof(struct chip, startup_usec), ini_parse_duration},
	{"startup-slow", offsetof(struct chip, startup_slow_usec), ini_parse_duration},
	{"page-erase", offsetof(struct chip, page_erase_usec), ini_parse_duration},
	{"page-erase-max", offsetof(struct chip, page_erase_max_usec), ini_parse_duration},
	{"mass-erase", offsetof(struct chip, mass_erase_usec), ini_parse_duration},
	{"mass-erase-max", offsetof(struct chip, mass_erase_max_usec), ini_parse_duration},
	{"program-max", offsetof(struct chip, program_max_usec), ini_parse_duration},
};

/* ------------------------------------------------------------------ one row */

void chip_done(struct chip *chip)
{
	free(chip->name);
	parse_list_free(chip->aliases);
	free(chip->refusal);
	free(chip->own);
}

int chip_complain(const struct ini_section *section, const struct chip_complaint *complaints,
	size_t n_complaints, struct ini_problems *problems)
{
	char title[INI_LINE_BYTES + 1];
	int r = 0;

	ini_section_title(section, title, sizeof(title));
	for (size_t i = 0; i < n_complaints && r == 0; i++) {
		const struct ini_entry *entry = ini_section_find(section, complaints[i].key);

		if (complaints[i].message)
			r = ini_problem_add(problems, section->file,
				entry ? entry->line : section->line, title, complaints[i].key, "%s",
				complaints[i].message);
	}
	return r;
}

static bool align_is_power(const struct chip *chip)
{
	return chip->write_align > 0 && chip->write_align <= MAX_WRITE_ALIGN &&
	       (chip->write_align & (chip->write_align - 1)) == 0;
}

const char *chip_map_complaint(
	const struct chip *chip, const struct chip_map *map, bool is_of_smaller_part)
{
	uint64_t covered = 0, next = 0;

	/* Without an alignment nothing can be said, and that is a complaint already. */
	if (map->n_runs == 0 || !align_is_power(chip))
		return NULL;
	if (chip->flash.size == 0)
		return "pages need a flash to lie in: give 'flash' too";
	for (size_t i = 0; i < map->n_runs; i++) {
		const struct chip_pages *run = &map->runs[i];
		uint64_t left = chip->flash.size - covered;
		uint64_t count = run->count ? run->count : left / run->size;

		if (run->size % chip->write_align != 0)
			return "a page must be a multiple of 'write-align'";
		if (run->jump != 0 && run->jump < next)
			return "the numbers of the pages must rise";
		covered += count * run->size;
		next = (run->jump ? run->jump : next) + count;
		if (covered > chip->flash.size)
			return "the pages are larger than the flash together";
	}
	if (next > MAX_PAGES)
		return "there are more pages than the boot loader can number";
	if (!is_of_smaller_part && covered != chip->flash.size)
		return "the pages do not fill the flash";
	if (is_of_smaller_part && covered >= chip->flash.size)
		return "these are the pages of a part with less flash than the row says";
	return NULL;
}

/* The family and the id of the heading. 0, or -EINVAL and a problem. */
static int read_heading(const struct ini_section *section, const struct family *const *families,
	struct ini_problems *problems, struct chip *chip)
{
	const char *name = strcmp(section->kind, "chip") == 0 ? section->name : "";
	size_t n = strcspn(name, " \t"), i = 0;
	const char *id = name + n + strspn(name + n, " \t"), *complaint;
	char title[INI_LINE_BYTES + 1], known[100] = "";

	if (*id)
		while (families[i] && (strlen(families[i]->rows->name) != n ||
					      strncmp(families[i]->rows->name, name, n) != 0))
			i++;
	chip->family = families[i];
	if (!chip->family)
		complaint = "there is no such family of chips";
	else if (parse_u32(*id ? id : name, &chip->product_id) < 0 ||
		 chip->product_id < chip->family->rows->min_id ||
		 chip->product_id > chip->family->rows->max_id)
		complaint =
			"expected a heading like [chip 0x414], the product id that Get ID answers, or [chip FAMILY ID]";
	else
		return 0;
	for (n = 0, i = 0; families[i] && n < sizeof(known); i++)
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n > 0 ? ", " : "",
			families[i]->rows->name);
	ini_problem_add(problems, section->file, section->line,
		ini_section_title(section, title, sizeof(title)), NULL, "%s; families are: %s",
		complaint, known);
	return -EINVAL;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Everything a value alone does not show. */
static int check(
	const struct chip *chip, const struct ini_section *section, struct ini_problems *problems)
{
	const struct chip_complaint complaints[] = {
		{"name", chip->name && *chip->name ? NULL : "every chip needs a name"},
		{"write-align",
			align_is_power(chip) ? NULL : "expected a power of two from 1 to 256"},
		{"pages", chip_map_complaint(chip, &chip->pages, false)},
		{"startup-slow", chip->startup_slow_usec < chip->startup_usec
					 ? "is less than 'startup'"
					 : NULL},
		{"page-erase-max", chip->page_erase_max_usec < chip->page_erase_usec
					   ? "is less than 'page-erase'"
					   : NULL},
		{"mass-erase-max", chip->mass_erase_max_usec < chip->mass_erase_usec
					   ? "is less than 'mass-erase'"
					   : NULL},
	};

	return chip_complain(section, complaints, ARRAY_SIZE(complaints), problems);
}

/* The keys of the section, the defaults for those it leaves out, and all checks. */
static int read_keys(
	const struct ini_section *section, struct ini_problems *problems, struct chip *chip)
{
	const struct family_rows *rows = chip->family->rows;
	struct ini_part parts[] = {
		{chip_keys, ARRAY_SIZE(chip_keys), chip, NULL},
		{rows->keys, rows->n_keys, NULL, NULL},
	};
	int r;

	if (rows->own_size > 0) {
		chip->own = parts[1].object = malloc(rows->own_size);
		if (!chip->own)
			return -ENOMEM;
		memcpy(chip->own, rows->own_default, rows->own_size);
	}
	r = ini_section_apply_parts(section, parts, ARRAY_SIZE(parts), problems);
	if (r < 0)
		return r;
	if (!ini_section_find(section, "startup-slow"))
		chip->startup_slow_usec = chip->startup_usec;
	if (!ini_section_find(section, "page-erase-max"))
		chip->page_erase_max_usec =
			larger(DEFAULT_PAGE_ERASE_MAX_USEC, 2 * chip->page_erase_usec);
	if (!ini_section_find(section, "mass-erase-max"))
		chip->mass_erase_max_usec =
			larger(DEFAULT_MASS_ERASE_MAX_USEC, 2 * chip->mass_erase_usec);
	r = check(chip, section, problems);
	return r == 0 && rows->complete ? rows->complete(chip, section, problems) : r;
}

int chip_read(const struct ini_section *section, const struct family *const *families,
	struct ini_problems *problems, struct chip *ret)
{
	struct chip chip = {
		.startup_usec = DEFAULT_STARTUP_USEC,
		.page_erase_usec = DEFAULT_PAGE_ERASE_USEC,
		.mass_erase_usec = DEFAULT_MASS_ERASE_USEC,
		.program_max_usec = DEFAULT_PROGRAM_MAX_USEC,
	};
	int r = read_heading(section, families, problems, &chip);

	if (r == 0)
		r = read_keys(section, problems, &chip);
	if (r < 0) {
		chip_done(&chip);
		return r;
	}
	*ret = chip;
	return 0;
}
