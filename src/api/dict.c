/* SPDX-License-Identifier: MIT */
#include "api/dict.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

static void done_value(struct dict_entry *entry)
{
	switch (entry->kind) {
	case DICT_TEXT:
		free(entry->text);
		return;
	case DICT_COUNTS:
		dict_done(entry->counts);
		free(entry->counts);
		return;
	case DICT_FLAG:
	case DICT_NUMBER:
	case DICT_LONG:
	case DICT_SHARE:
	case DICT_OTHER:
		return;
	}
}

static struct dict_entry *find(const struct dict *dict, const char *name)
{
	for (size_t i = 0; i < dict->n_entries; i++)
		if (strcmp(dict->entries[i].name, name) == 0)
			return &dict->entries[i];
	return NULL;
}

/* The value is the dict's from now on; its name is not. Frees the value where there is no memory.
 */
static int set(struct dict *dict, const char *name, struct dict_entry value)
{
	struct dict_entry *entry = find(dict, name), *entries;

	if (entry) {
		value.name = entry->name;
		done_value(entry);
		*entry = value;
		return 0;
	}
	entries = room_for_one(dict->entries, dict->n_entries, sizeof(*entries));
	if (entries)
		dict->entries = entries;
	value.name = entries ? strdup(name) : NULL;
	if (!value.name) {
		done_value(&value);
		return -ENOMEM;
	}
	dict->entries[dict->n_entries++] = value;
	return 0;
}

int dict_set_text(struct dict *dict, const char *name, const char *value)
{
	char *copy = strdup(value ? value : "");

	return copy ? set(dict, name, (struct dict_entry){.kind = DICT_TEXT, .text = copy})
		    : -ENOMEM;
}

int dict_set_flag(struct dict *dict, const char *name, bool value)
{
	return set(dict, name, (struct dict_entry){.kind = DICT_FLAG, .flag = value});
}

int dict_set_number(struct dict *dict, const char *name, uint32_t value)
{
	return set(dict, name, (struct dict_entry){.kind = DICT_NUMBER, .number = value});
}

int dict_set_long(struct dict *dict, const char *name, uint64_t value)
{
	return set(dict, name, (struct dict_entry){.kind = DICT_LONG, .number64 = value});
}

int dict_set_share(struct dict *dict, const char *name, double value)
{
	return set(dict, name, (struct dict_entry){.kind = DICT_SHARE, .share = value});
}

int dict_set_other(struct dict *dict, const char *name)
{
	return set(dict, name, (struct dict_entry){.kind = DICT_OTHER});
}

int dict_set_counts(struct dict *dict, const char *name, const struct dict *counts)
{
	struct dict *copy = calloc(1, sizeof(*copy));
	int r = copy ? dict_copy(counts, copy) : -ENOMEM;

	if (r < 0) {
		free(copy);
		return r;
	}
	return set(dict, name, (struct dict_entry){.kind = DICT_COUNTS, .counts = copy});
}

/* ------------------------------------------------------------------------------ reading */

const struct dict_entry *dict_find(const struct dict *dict, const char *name)
{
	return find(dict, name);
}

static const struct dict_entry *find_kind(
	const struct dict *dict, const char *name, enum dict_kind kind)
{
	const struct dict_entry *entry = find(dict, name);

	return entry && entry->kind == kind ? entry : NULL;
}

const char *dict_text(const struct dict *dict, const char *name)
{
	const struct dict_entry *entry = find_kind(dict, name, DICT_TEXT);

	return entry ? entry->text : "";
}

bool dict_flag(const struct dict *dict, const char *name)
{
	const struct dict_entry *entry = find_kind(dict, name, DICT_FLAG);

	return entry && entry->flag;
}

uint32_t dict_number(const struct dict *dict, const char *name)
{
	const struct dict_entry *entry = find_kind(dict, name, DICT_NUMBER);

	return entry ? entry->number : 0;
}

uint64_t dict_long(const struct dict *dict, const char *name)
{
	const struct dict_entry *entry = find_kind(dict, name, DICT_LONG);

	return entry ? entry->number64 : dict_number(dict, name);
}

double dict_share(const struct dict *dict, const char *name)
{
	const struct dict_entry *entry = find_kind(dict, name, DICT_SHARE);

	return entry ? entry->share : 0;
}

const struct dict *dict_counts(const struct dict *dict, const char *name)
{
	static const struct dict none;
	const struct dict_entry *entry = find_kind(dict, name, DICT_COUNTS);

	return entry ? entry->counts : &none;
}

/* ------------------------------------------------------------------------------- wholes */

static bool is_same_value(const struct dict_entry *a, const struct dict_entry *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case DICT_TEXT:
		return strcmp(a->text, b->text) == 0;
	case DICT_FLAG:
		return a->flag == b->flag;
	case DICT_NUMBER:
		return a->number == b->number;
	case DICT_LONG:
		return a->number64 == b->number64;
	case DICT_SHARE:
		return memcmp(&a->share, &b->share, sizeof(a->share)) == 0;
	case DICT_COUNTS:
		return dict_is_same(a->counts, b->counts);
	case DICT_OTHER:
		return true;
	}
	return false;
}

bool dict_is_same(const struct dict *a, const struct dict *b)
{
	if (a->n_entries != b->n_entries)
		return false;
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct dict_entry *other = find(b, a->entries[i].name);

		if (!other || !is_same_value(&a->entries[i], other))
			return false;
	}
	return true;
}

static int set_copy(struct dict *to, const struct dict_entry *from)
{
	switch (from->kind) {
	case DICT_TEXT:
		return dict_set_text(to, from->name, from->text);
	case DICT_COUNTS:
		return dict_set_counts(to, from->name, from->counts);
	case DICT_FLAG:
	case DICT_NUMBER:
	case DICT_LONG:
	case DICT_SHARE:
	case DICT_OTHER:
		break;
	}
	return set(to, from->name, *from);
}

int dict_merge(struct dict *to, const struct dict *from)
{
	for (size_t i = 0; i < from->n_entries; i++) {
		int r = set_copy(to, &from->entries[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

int dict_copy(const struct dict *from, struct dict *ret)
{
	struct dict copy = {0};
	int r = dict_merge(&copy, from);

	if (r < 0) {
		dict_done(&copy);
		return r;
	}
	*ret = copy;
	return 0;
}

void dict_remove(struct dict *dict, const char *name)
{
	struct dict_entry *entry = find(dict, name);

	if (!entry)
		return;
	free(entry->name);
	done_value(entry);
	dict->n_entries--;
	memmove(entry, entry + 1,
		(size_t)(dict->entries + dict->n_entries - entry) * sizeof(*entry));
}

void dict_done(struct dict *dict)
{
	for (size_t i = 0; i < dict->n_entries; i++) {
		free(dict->entries[i].name);
		done_value(&dict->entries[i]);
	}
	free(dict->entries);
	*dict = (struct dict){0};
}
