/* SPDX-License-Identifier: MIT */
/*
 * rule.c - a rule out of a configuration and options, by way of INI text.
 *
 * The rule is written as the section it was read from, options replace or add entries of the keys
 * of their names, and the parser of the configuration reads the result. So an option is refused
 * with the same words as its key, and there is one place that knows the values.
 */
#include "cli/rule.h"

#include <errno.h>
#include <string.h>

#include "base/outcome.h"
#include "chip/chips.h"
#include "chip/family.h"
#include "rules/protocol-words.h"

#define FILE_OF_COMMAND "command line"

/* Puts an entry in place of the one of that key, or adds it. A NULL value changes nothing. */
static int set_entry(struct ini_section *section, const char *key, const char *value)
{
	CLEANUP(freep) char *new_key = NULL, *new_value = NULL;
	struct ini_entry *grown;

	if (!value)
		return 0;
	new_value = strdup(value);
	if (!new_value)
		return -ENOMEM;
	for (size_t i = 0; i < section->n_entries; i++) {
		if (strcmp(section->entries[i].key, key) != 0)
			continue;
		free(section->entries[i].value);
		section->entries[i].value = TAKE_PTR(new_value);
		return 0;
	}
	new_key = strdup(key);
	grown = room_for_one(section->entries, section->n_entries, sizeof(*grown));
	if (grown)
		section->entries = grown;
	if (!grown || !new_key)
		return -ENOMEM;
	grown[section->n_entries++] =
		(struct ini_entry){.key = TAKE_PTR(new_key), .value = TAKE_PTR(new_value)};
	return 0;
}

/* The rule as INI text, or the heading of one that is still to be made. */
static int write_text(const struct board *rule, char **ret, size_t *ret_n)
{
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);
	int r = 0;

	if (!to)
		return -errno;
	if (rule)
		r = config_write_board(rule, to);
	else
		/* Options name the image itself; the key is required all the same. */
		fputs("[board " RULE_OF_COMMAND "]\nimage = *\n", to);
	if (fclose(to) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	*ret_n = n_text;
	return 0;
}

/* An application alone: nothing leads into a boot loader, and one that is there has a menu. */
static bool asks_alone(const struct options *options)
{
	return options->application && !options->protocol && !options->wiring && !options->reset &&
	       !options->boot && !options->enter && !options->chip;
}

const char *rule_protocol(const struct options *options)
{
	return asks_alone(options) ? protocol_word_of_sticks() : options->protocol;
}

static int apply_options(struct ini_section *section, const struct options *options, bool has_rule,
	const char *chips)
{
	bool is_alone = !has_rule && asks_alone(options);
	const struct {
		const char *key, *value;
	} entries[] = {
		{"chip", options->chip ? options->chip
			 : has_rule    ? NULL
				       : chips},
		{"protocol", has_rule ? options->protocol : rule_protocol(options)},
		{"application", options->application},
		{"menu", is_alone ? "gecko" : NULL},
		{"entry", is_alone ? "none" : NULL},
		{"wiring", options->wiring},
		{"reset", options->reset},
		{"boot", options->boot},
		{"enter", options->enter},
		{"leave", options->leave},
		{"baud", options->baud},
		{"backdoor-pin", options->backdoor_pin},
		/* With --size it is the begin of a range to read, not the place of an image. */
		{"address", options->size ? NULL : options->address},
	};

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		int r = set_entry(section, entries[i].key, entries[i].value);

		if (r < 0)
			return r;
	}
	return 0;
}

int rule_make(const struct board *rule, const struct options *options, const char *chips,
	struct board *ret, struct ini_problems *problems)
{
	CLEANUP(ini_done) struct ini ini = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	int r = write_text(rule, &text, &n_text);

	if (r < 0)
		return r;
	r = ini_load_text(&ini, FILE_OF_COMMAND, text, n_text, problems);
	if (r < 0)
		return r;
	if (ini.n_sections != 1)
		return OUTCOME_BAD_CONFIG;
	r = apply_options(&ini.sections[0], options, rule != NULL, chips);
	if (r < 0)
		return r;
	return config_read_board(&ini, ret, problems);
}

/* NULL: its loaders name no chip, or there is no such protocol, as the rule's own check says. */
static const char *family_of(const char *protocol)
{
	struct board usual = {0}; /* as a rule that does not say it */
	const char *expected;

	if (protocol && parse_protocol(protocol, &usual.protocol, &expected) < 0)
		return NULL;
	return protocol_word_of(usual.protocol)->family;
}

int rule_any_chip(const char *chips, const char *chips_dir, const char *protocol, char **ret,
	struct ini_problems *problems)
{
	const char *family = family_of(protocol);
	CLEANUP(chip_table_done) struct chip_table table = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *to;
	int r = family ? chip_table_load(chip_families, chips, chips_dir, &table, problems) : 0;

	if (r != 0 || !family)
		return r;
	to = open_memstream(&text, &n_text);
	if (!to)
		return -errno;
	for (size_t i = 0; i < table.n_items; i++)
		if (strcmp(table.items[i].family->rows->name, family) == 0 &&
			!table.items[i].refusal)
			fprintf(to, "0x%03x ", table.items[i].product_id);
	if (fclose(to) != 0)
		return -errno;
	*ret = TAKE_PTR(text);
	return 0;
}
