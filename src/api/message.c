/* SPDX-License-Identifier: MIT */
#include "api/message.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* sd-bus tells by a positive number that something was read, or entered. */
static int at_most_zero(int r)
{
	return r < 0 ? r : 0;
}

int message_append_text(sd_bus_message *message, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	CLEANUP(freep) char *escaped = NULL;

	if (n == 0 || text_is_utf8(text, n))
		return at_most_zero(sd_bus_message_append_basic(message, 's', n ? text : ""));
	escaped = malloc(4 * n + 1);
	if (!escaped)
		return -ENOMEM;
	text_cell(text, escaped, 4 * n + 1);
	return at_most_zero(sd_bus_message_append_basic(message, 's', escaped));
}

int message_append_counts(sd_bus_message *message, const struct dict *counts)
{
	int r = sd_bus_message_open_container(message, 'a', "{st}");

	for (size_t i = 0; r >= 0 && i < counts->n_entries; i++) {
		const char *name = counts->entries[i].name;

		r = sd_bus_message_append(message, "{st}", name, dict_long(counts, name));
	}
	return r < 0 ? r : at_most_zero(sd_bus_message_close_container(message));
}

static int append_in_variant(
	sd_bus_message *message, const char *type, const struct dict_entry *entry)
{
	int r = sd_bus_message_open_container(message, 'v', type);

	if (r >= 0)
		r = entry->kind == DICT_COUNTS ? message_append_counts(message, entry->counts)
					       : message_append_text(message, entry->text);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_value(sd_bus_message *message, const struct dict_entry *entry)
{
	switch (entry->kind) {
	case DICT_TEXT:
		return append_in_variant(message, "s", entry);
	case DICT_COUNTS:
		return append_in_variant(message, "a{st}", entry);
	case DICT_FLAG:
		return sd_bus_message_append(message, "v", "b", (int)entry->flag);
	case DICT_NUMBER:
		return sd_bus_message_append(message, "v", "u", entry->number);
	case DICT_LONG:
		return sd_bus_message_append(message, "v", "t", entry->number64);
	case DICT_SHARE:
		return sd_bus_message_append(message, "v", "d", entry->share);
	case DICT_OTHER:
		break;
	}
	return 0;
}

static int append_entry(sd_bus_message *message, const struct dict_entry *entry)
{
	int r;

	if (entry->kind == DICT_OTHER)
		return 0;
	r = sd_bus_message_open_container(message, 'e', "sv");
	if (r >= 0)
		r = message_append_text(message, entry->name);
	if (r >= 0)
		r = append_value(message, entry);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

int message_append_dict(sd_bus_message *message, const struct dict *dict)
{
	int r = sd_bus_message_open_container(message, 'a', "{sv}");

	for (size_t i = 0; r >= 0 && dict && i < dict->n_entries; i++)
		r = append_entry(message, &dict->entries[i]);
	return r < 0 ? r : at_most_zero(sd_bus_message_close_container(message));
}

/* ------------------------------------------------------------------------------ reading */

static int set_number(struct dict *dict, const char *name, int64_t value)
{
	return value < 0 ? dict_set_other(dict, name)
			 : dict_set_number(dict, name, (uint32_t)value);
}

/* The basic value that comes next, of that type. 0 or -errno. */
static int read_basic(sd_bus_message *message, char type, const char *name, struct dict *dict)
{
	union {
		const char *text;
		int flag;
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
	} value;
	int r = sd_bus_message_read_basic(message, type, &value);

	if (r < 0)
		return r;
	switch (type) {
	case 's':
	case 'o':
		return strlen(value.text) > DICT_TEXT_MOST ? dict_set_other(dict, name)
							   : dict_set_text(dict, name, value.text);
	case 'b':
		return dict_set_flag(dict, name, value.flag);
	case 'y':
		return set_number(dict, name, value.y);
	case 'n':
		return set_number(dict, name, value.n);
	case 'q':
		return set_number(dict, name, value.q);
	case 'i':
		return set_number(dict, name, value.i);
	case 'u':
		return set_number(dict, name, value.u);
	case 'x':
		return value.x < 0 ? dict_set_other(dict, name)
				   : dict_set_long(dict, name, (uint64_t)value.x);
	case 't':
		return dict_set_long(dict, name, value.t);
	case 'd':
		return dict_set_share(dict, name, value.d);
	}
	return -EBADMSG;
}

static int read_counts_value(sd_bus_message *message, const char *name, struct dict *dict)
{
	struct dict counts = {0};
	int r = message_read_counts(message, &counts);

	if (r == 0)
		r = dict_set_counts(dict, name, &counts);
	dict_done(&counts);
	return r;
}

static int read_variant(sd_bus_message *message, const char *name, struct dict *dict)
{
	const char *type;
	char kind;
	int r = sd_bus_message_peek_type(message, &kind, &type);

	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	if (kind != 'v')
		return -EBADMSG;
	if (strcmp(type, "a{st}") != 0 && (strlen(type) != 1 || !strchr("sobynqiuxtd", type[0]))) {
		r = sd_bus_message_skip(message, "v");
		return r < 0 ? r : dict_set_other(dict, name);
	}
	r = sd_bus_message_enter_container(message, 'v', type);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	r = type[0] == 'a' ? read_counts_value(message, name, dict)
			   : read_basic(message, type[0], name, dict);
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_count(sd_bus_message *message, const char *name, struct dict *dict)
{
	return read_basic(message, 't', name, dict);
}

typedef int read_value(sd_bus_message *message, const char *name, struct dict *dict);

/* The array of such entries; what is read so far stays in the dict. */
static int read_entries(
	sd_bus_message *message, const char *types, read_value *read, struct dict *dict)
{
	char array[8];
	int r;

	snprintf(array, sizeof(array), "{%s}", types);
	r = sd_bus_message_enter_container(message, 'a', array);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	while ((r = sd_bus_message_enter_container(message, 'e', types)) > 0) {
		const char *name;

		r = sd_bus_message_read_basic(message, 's', &name);
		if (r >= 0 && dict->n_entries >= DICT_ENTRIES_MOST)
			r = -E2BIG;
		if (r >= 0)
			r = read(message, name, dict);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : at_most_zero(sd_bus_message_exit_container(message));
}

static int read_whole(
	sd_bus_message *message, const char *types, read_value *read, struct dict *ret)
{
	struct dict dict = {0};
	int r = read_entries(message, types, read, &dict);

	if (r < 0)
		dict_done(&dict);
	else
		*ret = dict;
	return r;
}

int message_read_dict(sd_bus_message *message, struct dict *ret)
{
	return read_whole(message, "sv", read_variant, ret);
}

int message_read_counts(sd_bus_message *message, struct dict *ret)
{
	return read_whole(message, "st", read_count, ret);
}
