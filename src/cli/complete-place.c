/* SPDX-License-Identifier: MIT */
/*
 * complete-place.c - which verb, option or value the last word is going to be. Pure.
 *
 * Reads the words as getopt_long() does, as far as what is half typed can be read: options may
 * stand behind other words, a value in the word of its option ("--port=tty") or in the next one,
 * and behind "--" is no option.
 */
#include <string.h>

#include "cli/complete.h"

static const struct option_row *option_named(const struct verb *verb, const char *word)
{
	bool is_long = word[0] == '-' && word[1] == '-';
	size_t n = strcspn(word, "=");
	const struct option_row *row = NULL;

	while ((row = options_next(verb, row)))
		if (is_long ? n == strlen(row->name) + 2 && strncmp(word + 2, row->name, n - 2) == 0
			    : row->letter != 0 && word[1] == row->letter)
			return row;
	return NULL;
}

/* The value in the word of its option; NULL: it is in the next one. */
static const char *value_within(const char *word)
{
	const char *equals = strchr(word, '=');

	if (word[1] == '-')
		return equals ? equals + 1 : NULL;
	return word[2] ? word + 2 : NULL;
}

static void keep(struct options *options, const struct option_row *row, const char *value)
{
	char *field = (char *)options + row->offset;

	if (row->value)
		*(const char **)field = value;
	else
		*(bool *)field = true;
}

static void find_value(
	struct complete_place *place, const struct option_row *option, const char *value)
{
	const char *comma = strcmp(option->value, "LIST") == 0 ? strrchr(value, ',') : NULL;

	place->kind = COMPLETE_VALUE;
	place->option = option;
	place->n_stays = (size_t)((comma ? comma + 1 : value) - place->typed);
}

static void find_last(struct complete_place *place, bool has_options)
{
	const char *typed = place->typed, *value;
	const struct option_row *option;

	if (!has_options || typed[0] != '-' || typed[1] == '\0') {
		/* A dash alone is a file to `read`, and the begin of an option. */
		place->kind = has_options && typed[0] == '-' ? COMPLETE_OPTION : COMPLETE_WORD;
		return;
	}
	value = value_within(typed);
	if (!value) {
		place->kind = COMPLETE_OPTION;
		return;
	}
	option = option_named(place->verb, typed);
	if (option && option->value)
		find_value(place, option, value);
}

void complete_find_place(const struct verb *table, size_t n_table, const char *const *words,
	size_t n_words, struct complete_place *ret)
{
	bool has_options = true;

	*ret = (struct complete_place){.typed = n_words > 0 ? words[n_words - 1] : ""};
	if (n_words <= 1) {
		ret->kind = COMPLETE_VERB;
		return;
	}
	ret->verb = verb_find(table, n_table, words[0]);
	if (!ret->verb || ret->verb->options & OPTIONS_HIDDEN)
		return;
	for (size_t i = 1; i + 1 < n_words; i++) {
		const struct option_row *option;
		const char *value;

		if (!has_options || words[i][0] != '-' || !words[i][1]) {
			ret->n_words++;
			continue;
		}
		has_options = strcmp(words[i], "--") != 0;
		option = has_options ? option_named(ret->verb, words[i]) : NULL;
		if (!option)
			continue;
		value = option->value ? value_within(words[i]) : NULL;
		if (option->value && !value) {
			if (i + 2 == n_words) {
				find_value(ret, option, ret->typed);
				return;
			}
			value = words[++i];
		}
		keep(&ret->before, option, value);
	}
	find_last(ret, has_options);
}
