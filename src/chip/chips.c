/* SPDX-License-Identifier: MIT */
/*
 * chips.c - the chip table: the shipped rows with the user's laid over them, and the names by which
 * people find a row. Knows no chip by itself; config/chips.ini does.
 */
#include "chip/chips.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/outcome.h"
#include "base/parse.h"
#include "base/text.h"
#include "chip/chip-row.h"
#include "chip/family.h"
#include "rules/protocol-words.h"

#define MOST_LIKELY 6 /* rows named to somebody whose text names none */

/* The row of the same chip. */
static struct chip *find_same(const struct chip_table *table, const struct chip *chip)
{
	for (size_t i = 0; i < table->n_items; i++)
		if (table->items[i].family == chip->family &&
			table->items[i].product_id == chip->product_id)
			return &table->items[i];
	return NULL;
}

static int table_add(struct chip_table *table, const struct chip *chip)
{
	struct chip *items = room_for_one(table->items, table->n_items, sizeof(*items));

	if (!items)
		return -ENOMEM;
	table->items = items;
	table->items[table->n_items++] = *chip;
	return 0;
}

/* Takes every section of one set of files, in which a chip may have one. */
static int table_take(struct chip_table *table, const struct family *const *families,
	const struct ini *ini, struct ini_problems *problems)
{
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];
		char title[INI_LINE_BYTES + 1];
		struct chip chip;
		bool is_double;
		int r = chip_read(section, families, problems, &chip);

		if (r == -EINVAL)
			continue;
		if (r < 0)
			return r;
		is_double = find_same(table, &chip);
		r = is_double ? ini_problem_add(problems, section->file, section->line,
					ini_section_title(section, title, sizeof(title)), NULL,
					"the product id 0x%03X has a section already",
					chip.product_id)
			      : table_add(table, &chip);
		if (is_double || r < 0)
			chip_done(&chip);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Puts the rows of `local` in the place of those of the same chips, or beside the others. */
static int table_lay_over(struct chip_table *table, struct chip_table *local)
{
	while (local->n_items > 0) {
		const struct chip *chip = &local->items[local->n_items - 1];
		struct chip *old = find_same(table, chip);

		if (old) {
			chip_done(old);
			*old = *chip;
		} else if (table_add(table, chip) < 0) {
			return -ENOMEM;
		}
		local->n_items--;
	}
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	const struct chip *left = a;
	const struct chip *right = b;

	return (left->product_id > right->product_id) - (left->product_id < right->product_id);
}

int chip_table_load(const struct family *const *families, const char *file, const char *directory,
	struct chip_table *ret, struct ini_problems *problems)
{
	CLEANUP(chip_table_done) struct chip_table table = {0};
	CLEANUP(chip_table_done) struct chip_table own = {0};
	CLEANUP(ini_done) struct ini shipped = {0};
	CLEANUP(ini_done) struct ini local = {0};
	size_t n_before = problems->n_items;
	int r = ini_load_file(&shipped, file, problems);

	if (r == 0)
		r = table_take(&table, families, &shipped, problems);
	if (r == 0 && table.n_items == 0)
		r = ini_problem_add(problems, file, 0, NULL, NULL,
			"holds no chip: expected sections like [chip 0x414]");
	if (r == 0 && directory)
		r = ini_load_directory(&local, directory, problems);
	if (r == 0)
		r = table_take(&own, families, &local, problems);
	if (r == 0)
		r = table_lay_over(&table, &own);
	if (r == 0 && problems->n_items > n_before)
		r = OUTCOME_BAD_CONFIG;
	if (r != 0)
		return r;
	if (table.n_items > 0)
		qsort(table.items, table.n_items, sizeof(*table.items), compare_ids);
	*ret = table;
	table = (struct chip_table){0};
	return 0;
}

void chip_table_done(struct chip_table *table)
{
	for (size_t i = 0; i < table->n_items; i++)
		chip_done(&table->items[i]);
	free(table->items);
	*table = (struct chip_table){0};
}

static bool is_of_family(const struct chip *chip, const char *family)
{
	return !family || strcmp(chip->family->rows->name, family) == 0;
}

const struct chip *chip_table_find(
	const struct chip_table *table, const char *family, uint32_t product_id)
{
	for (size_t i = 0; i < table->n_items; i++)
		if (table->items[i].product_id == product_id &&
			is_of_family(&table->items[i], family))
			return &table->items[i];
	return NULL;
}

/* ------------------------------------------------------------------ names */

static const char *skip_prefix(const char *prefix, const char *text)
{
	size_t n = prefix ? strlen(prefix) : 0;

	return n > 0 && strncasecmp(text, prefix, n) == 0 ? text + n : text;
}

/* A small x of an alias is any letter or digit. */
static bool letter_fits(char alias, char text)
{
	return tolower((unsigned char)alias) == tolower((unsigned char)text) ||
	       (alias == 'x' && isalnum((unsigned char)text));
}

static bool is_dash(char c)
{
	return c == '-' || c == '_';
}

/* How many letters and digits of the whole text the name begins with; `ret_n` are those of it. */
static size_t whole_begins(const char *name, const char *text, size_t *ret_n)
{
	size_t n = 0;

	*ret_n = 0;
	for (; *name; name++) {
		if (is_dash(*name))
			continue;
		while (is_dash(*text))
			text++;
		if (tolower((unsigned char)*name) != tolower((unsigned char)*text))
			break;
		text++;
		n++;
	}
	for (; *name; name++)
		*ret_n += !is_dash(*name);
	*ret_n += n;
	return n;
}

static size_t whole_length(const char *text)
{
	size_t n;

	(void)whole_begins(text, "", &n);
	return n;
}

static bool whole_fits(const char *name, const char *text)
{
	size_t n_name, n = whole_begins(name, text, &n_name);

	return n > 0 && n == n_name && n == whole_length(text);
}

/* "F103xC" fits "F103RCT6": more letters and digits may follow. */
static bool alias_fits(const char *prefix, const char *alias, const char *text)
{
	alias = skip_prefix(prefix, alias);
	text = skip_prefix(prefix, text);
	if (!*alias)
		return false;
	for (; *alias; alias++, text++)
		if (!letter_fits(*alias, *text))
			return false;
	while (isalnum((unsigned char)*text))
		text++;
	return *text == '\0';
}

bool chip_is_named(const struct chip *chip, const char *text)
{
	const char *prefix = chip->family->rows->prefix;
	uint32_t id;

	if (parse_u32(text, &id) == 0)
		return id == chip->product_id;
	if (chip->family->rows->has_whole_names) {
		for (size_t i = 0; i < chip->n_aliases; i++)
			if (whole_fits(chip->aliases[i], text))
				return true;
		return whole_fits(chip->name, text);
	}
	if (strcasecmp(skip_prefix(prefix, chip->name), skip_prefix(prefix, text)) == 0)
		return true;
	for (size_t i = 0; i < chip->n_aliases; i++)
		if (alias_fits(prefix, chip->aliases[i], text))
			return true;
	return false;
}

bool chip_is_one_of(const struct chip *chip, char *const *names, size_t n_names)
{
	for (size_t i = 0; i < n_names; i++)
		if (chip_is_named(chip, names[i]))
			return true;
	return false;
}

const struct chip *chip_table_find_named(
	const struct chip_table *table, const char *family, const char *text)
{
	for (size_t i = 0; i < table->n_items; i++)
		if (is_of_family(&table->items[i], family) && chip_is_named(&table->items[i], text))
			return &table->items[i];
	return NULL;
}

const struct chip *chip_table_find_for(
	const struct chip_table *table, const struct board *board, const char *text)
{
	return chip_table_find_named(table, protocol_word_of(board->protocol)->family, text);
}

/* Letters and digits at least behind the name of a chip in that of a module: ESP32-WROOM-32E. */
#define MODULE_MIN 3

/*
 * Whether the text is the beginning of the chip's name, or the name of a module of it: no other
 * chip of the family has a longer name that the text begins with.
 */
static bool is_likely_whole(
	const struct chip_table *table, const struct chip *chip, const char *text)
{
	size_t n_text = whole_length(text), n_name, n = whole_begins(chip->name, text, &n_name);

	if (n_text >= 2 && n == n_text)
		return true;
	if (n < n_name || n_text < n + MODULE_MIN)
		return false;
	for (size_t i = 0; i < table->n_items; i++) {
		const struct chip *other = &table->items[i];
		size_t n_longer = whole_begins(other->name, text, &n_name);

		if (other->family == chip->family && n_longer == n_name && n_longer > n)
			return false;
	}
	return true;
}

const char *chip_table_other_protocol(
	const struct chip_table *table, const char *family, const char *text)
{
	const struct chip *chip = chip_table_find_named(table, NULL, text);
	uint32_t id;

	return family && chip && parse_u32(text, &id) < 0
		       ? protocol_word_of_family(chip->family->rows->name)
		       : NULL;
}

static const struct family_rows *rows_of(const struct chip_table *table, const char *family)
{
	for (size_t i = 0; i < table->n_items; i++)
		if (is_of_family(&table->items[i], family))
			return table->items[i].family->rows;
	return NULL;
}

/*
 * A name of the row that may be meant, or NULL: the text is its id without the 0x, or more letters
 * would make an alias of it. Small x at the end of the text stand for what was left out.
 */
static const char *likely_name(
	const struct chip_table *table, const struct chip *chip, const char *text)
{
	const char *prefix = chip->family->rows->prefix, *rest = skip_prefix(prefix, text);
	size_t n = strlen(rest);
	char id[12];

	snprintf(id, sizeof(id), "%03x", chip->product_id);
	if (chip->family->rows->has_whole_names)
		return strcasecmp(id, text) == 0 || is_likely_whole(table, chip, text) ? chip->name
										       : NULL;
	if (strcasecmp(id, text) == 0)
		return chip->n_aliases > 0 ? chip->aliases[0] : chip->name;
	while (n > 0 && rest[n - 1] == 'x')
		n--;
	for (size_t i = 0; n >= 2 && i < chip->n_aliases; i++) {
		const char *alias = skip_prefix(prefix, chip->aliases[i]);
		size_t n_same = 0;

		while (n_same < n && letter_fits(alias[n_same], rest[n_same]))
			n_same++;
		if (n_same == n)
			return chip->aliases[i];
	}
	return NULL;
}

const char *chip_table_refuse_name(const struct chip_table *table, const char *family,
	const char *text, char to[CHIP_REFUSAL_MAX])
{
	char shown[80];
	const struct family_rows *rows = rows_of(table, family);
	const char *other = chip_table_other_protocol(table, family, text);
	bool has_example = rows && rows->example_id && rows->example_name;
	size_t n_likely = 0;
	size_t n = (size_t)snprintf(to, CHIP_REFUSAL_MAX,
		"expected a product id like %s, or a name of the chip table like %s, got '%s'",
		has_example ? rows->example_id : "0x414",
		has_example ? rows->example_name : "F103xC",
		text_escape(text, shown, sizeof(shown)));

	if (other) {
		if (n < CHIP_REFUSAL_MAX)
			snprintf(to + n, CHIP_REFUSAL_MAX - n,
				", which is one of protocol = %s: say so in the rule, or mend the chip",
				other);
		return to;
	}

	for (size_t i = 0; i < table->n_items && n_likely < MOST_LIKELY; i++) {
		const char *name = is_of_family(&table->items[i], family)
					   ? likely_name(table, &table->items[i], text)
					   : NULL;

		if (!name || n >= CHIP_REFUSAL_MAX)
			continue;
		n += (size_t)snprintf(to + n, CHIP_REFUSAL_MAX - n, "%s0x%03x (%s)",
			n_likely++ == 0 ? ": is it " : ", ", table->items[i].product_id, name);
	}
	if (n < CHIP_REFUSAL_MAX)
		snprintf(to + n, CHIP_REFUSAL_MAX - n, "%s",
			n_likely > 0 ? "?" : "; `plugflash probe` tells the id of a chip");
	return to;
}
