/* SPDX-License-Identifier: MIT */
/*
 * ini-keys.c - a table of keys applied to a section, and the field parsers more than one table
 * needs.
 */
#include <errno.h>
#include <string.h>

#include "base/ini.h"
#include "base/parse.h"
#include "base/text.h"

/* As much of a value as a message quotes. */
#define QUOTE_BYTES 80

static const struct ini_key *find_in(const struct ini_part *part, const char *name)
{
	for (size_t i = 0; i < part->n_keys; i++)
		if (strcmp(part->keys[i].name, name) == 0)
			return &part->keys[i];
	return NULL;
}

/* NULL: none of this section. */
static const struct ini_key *find_key(const struct ini_part *part, const char *name)
{
	return part->elsewhere ? NULL : find_in(part, name);
}

/* The section whose key it is; NULL: none that is known here. */
static const char *find_elsewhere(const struct ini_part *parts, size_t n_parts, const char *name)
{
	for (size_t i = 0; i < n_parts; i++)
		if (parts[i].elsewhere && find_in(&parts[i], name))
			return parts[i].elsewhere;
	return NULL;
}

/* The key that was meant, as far as a slip of the finger leads to it; NULL: none. */
static const char *guess_key(const struct ini_part *parts, size_t n_parts, const char *name)
{
	const char *guess = NULL;
	size_t least = strlen(name) < 5 ? 1 : 2;

	if (strlen(name) < 3)
		return NULL;
	for (size_t i = 0; i < n_parts; i++)
		for (size_t k = 0; !parts[i].elsewhere && k < parts[i].n_keys; k++) {
			size_t far = text_distance(name, parts[i].keys[k].name);

			if (far > least || (guess && far == least))
				continue;
			guess = parts[i].keys[k].name;
			least = far;
		}
	return guess;
}

static int refuse_key(const struct ini_section *section, const struct ini_entry *entry,
	const struct ini_part *parts, size_t n_parts, struct ini_problems *problems)
{
	const char *elsewhere = find_elsewhere(parts, n_parts, entry->key);
	const char *guess = guess_key(parts, n_parts, entry->key);

	if (elsewhere)
		return ini_section_problem(section, entry->key, problems,
			"there is no such key here: it is one of %s", elsewhere);
	return ini_section_problem(section, entry->key, problems, "there is no such key%s%s%s",
		guess ? "; is it '" : "", guess ? guess : "", guess ? "'?" : "");
}

int ini_section_expect(const struct ini_section *section, const char *key, const char *expected,
	struct ini_problems *problems)
{
	const struct ini_entry *entry = key ? ini_section_find(section, key) : NULL;
	char quoted[QUOTE_BYTES];

	if (entry)
		return ini_section_problem(section, key, problems, "expected %s, got '%s'",
			expected, text_escape(entry->value, quoted, sizeof(quoted)));
	return ini_section_problem(section, key, problems, "expected %s%s", expected,
		key ? ", but the key is missing" : "");
}

static int entry_apply(const struct ini_section *section, const struct ini_entry *entry,
	const struct ini_key *key, void *object, struct ini_problems *problems)
{
	const char *expected = "another value";
	int r = key->parse(entry->value, (char *)object + key->offset, &expected);

	if (r == 0 || r == -ENOMEM)
		return r;
	if (r == -ENOTSUP)
		return ini_section_problem(section, entry->key, problems, "%s", expected);
	return ini_section_expect(section, entry->key, expected, problems);
}

int ini_section_apply_parts(const struct ini_section *section, const struct ini_part *parts,
	size_t n_parts, struct ini_problems *problems)
{
	for (size_t i = 0; i < section->n_entries; i++) {
		const struct ini_entry *entry = &section->entries[i];
		const struct ini_key *key = NULL;
		size_t part = 0;
		int r;

		while (part < n_parts && !(key = find_key(&parts[part], entry->key)))
			part++;
		r = key ? entry_apply(section, entry, key, parts[part].object, problems)
			: refuse_key(section, entry, parts, n_parts, problems);
		if (r < 0)
			return r;
	}
	return 0;
}

int ini_section_apply(const struct ini_section *section, const struct ini_key *keys, size_t n_keys,
	void *object, struct ini_problems *problems)
{
	const struct ini_part part = {keys, n_keys, object, NULL};

	return ini_section_apply_parts(section, &part, 1, problems);
}

int ini_parse_string(const char *value, void *field, const char **ret_expected)
{
	char *copy = strdup(value);

	(void)ret_expected;
	if (!copy)
		return -ENOMEM;
	free(*(char **)field);
	*(char **)field = copy;
	return 0;
}

int ini_parse_bool(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "yes or no";
	return parse_bool(value, field);
}

int ini_parse_u32(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a number like 20 or 0x08000000";
	return parse_u32(value, field);
}

int ini_parse_size(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a size like 512, 0x400, 64K or 1M";
	return parse_size(value, field);
}

int ini_parse_duration(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "a duration like 500ms or 2s";
	return parse_duration_usec(value, field);
}
