/* SPDX-License-Identifier: MIT */
/*
 * json.c - jansson's values, with the error kept in the document instead of returned by each call.
 *
 * A document that is read is handed out value by value, each with its place, rather than as a tree:
 * a reader then has one list of the places that it understands, and none can be passed over in
 * silence.
 */
#include "api/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "api/fields.h"
#include "base/util.h"

struct json {
	json_t *value;
	bool is_broken; /* a part of it found no memory */
};

static struct json *json_new(json_t *value)
{
	struct json *json = value ? malloc(sizeof(*json)) : NULL;

	if (!json) {
		json_decref(value);
		return NULL;
	}
	*json = (struct json){.value = value};
	return json;
}

struct json *json_new_object(void)
{
	return json_new(json_object());
}

struct json *json_new_list(void)
{
	return json_new(json_array());
}

struct json *json_free(struct json *json)
{
	if (json)
		json_decref(json->value);
	free(json);
	return NULL;
}

/* ------------------------------------------------------------------------------ values */

/* Takes the value; NULL stands for one that found no memory. */
static void add_value(struct json *to, const char *key, json_t *value)
{
	if (!to) {
		json_decref(value);
		return;
	}
	if ((key ? json_object_set_new(to->value, key, value)
		 : json_array_append_new(to->value, value)) < 0)
		to->is_broken = true;
}

void json_add(struct json *to, const char *key, struct json *child)
{
	if (to && (!child || child->is_broken))
		to->is_broken = true;
	add_value(to, key, child ? json_incref(child->value) : NULL);
	json_free(child);
}

static json_t *escaped(const char *from, char *(*escape)(const char *from, char *to, size_t size))
{
	size_t size = 4 * strlen(from) + 1;
	CLEANUP(freep) char *to = malloc(size);

	return to ? json_string(escape(from, to, size)) : NULL;
}

/* JSON carries quotes and controls by itself; only bytes that are not UTF-8 must be escaped. */
static json_t *text(const char *from)
{
	if (!from || !from[0])
		return json_null();
	return text_is_utf8(from, strlen(from)) ? json_string(from) : escaped(from, text_show);
}

void json_add_text(struct json *to, const char *key, const char *from)
{
	add_value(to, key, text(from));
}

/* Text with a backslash is escaped as a whole: "\\x41" must not look like an escaped 'A'. */
void json_add_descriptor(struct json *to, const char *key, const char *from)
{
	bool is_plain = !from || !from[0] || !strchr(from, '\\');

	add_value(to, key,
		is_plain && (!from || text_is_utf8(from, strlen(from))) ? text(from)
									: escaped(from, text_cell));
}

void json_add_number(struct json *to, const char *key, uint64_t value)
{
	add_value(to, key, json_integer((json_int_t)value));
}

void json_add_known_number(struct json *to, const char *key, uint64_t value)
{
	add_value(to, key, value ? json_integer((json_int_t)value) : json_null());
}

void json_add_bool(struct json *to, const char *key, bool value)
{
	add_value(to, key, json_boolean(value));
}

void json_add_null(struct json *to, const char *key)
{
	add_value(to, key, json_null());
}

static void add_entry(struct json *to, const struct dict_entry *entry)
{
	switch (entry->kind) {
	case DICT_TEXT:
		json_add_text(to, entry->name, entry->text);
		return;
	case DICT_FLAG:
		json_add_bool(to, entry->name, entry->flag);
		return;
	case DICT_NUMBER:
		json_add_number(to, entry->name, entry->number);
		return;
	case DICT_LONG:
		json_add_number(to, entry->name, entry->number64);
		return;
	case DICT_SHARE:
		/* JSON has no word for what is no number. */
		add_value(to, entry->name,
			isfinite(entry->share) ? json_real(entry->share) : json_null());
		return;
	case DICT_COUNTS:
		json_add_dict(to, entry->name, entry->counts);
		return;
	case DICT_OTHER:
		json_add_null(to, entry->name);
		return;
	}
}

void json_add_dict(struct json *to, const char *key, const struct dict *dict)
{
	struct json *json = json_new_object();

	for (size_t i = 0; i < dict->n_entries; i++)
		add_entry(json, &dict->entries[i]);
	json_add(to, key, json);
}

/* ------------------------------------------------------------------------------ reports */

static void add_phases(struct json *to, const char *key, const struct report *report)
{
	struct json *phases = json_new_object();

	for (enum phase phase = PHASE_NONE + 1; phase < PHASE_MAX; phase++)
		if (report->phase_ms[phase] > 0)
			json_add_number(phases, phase_to_string(phase), report->phase_ms[phase]);
	json_add(to, key, phases);
}

static void add_field(struct json *to, const struct field *field, const struct report *report)
{
	char shown[FIELD_SHOWN_MAX];

	switch (field->kind) {
	case KIND_NUMBER:
		json_add_number(to, field->name, field_number(field, report));
		return;
	case KIND_BOOL:
		json_add_bool(to, field->name, *(const bool *)field_of(field, report));
		return;
	case KIND_PHASES:
		add_phases(to, field->name, report);
		return;
	case KIND_TEXT:
	case KIND_DIGITS:
	case KIND_HEX:
	case KIND_OUTCOME:
	case KIND_PHASE:
	case KIND_PROOF:
	case KIND_ERROR:
	case KIND_VERSION:
		json_add_text(to, field->name, field_format(field, report, shown));
		return;
	}
}

void json_add_report(struct json *to, const struct report *report, unsigned readers)
{
	for (size_t i = 0; i < n_report_fields; i++) {
		const struct field *field = &report_fields[i];

		if (!(field->readers & readers))
			continue;
		if (field_is_known(field, report))
			add_field(to, field, report);
		else
			json_add_null(to, field->name);
	}
}

/* ----------------------------------------------------------------------------- printing */

/* The library escapes all but ASCII; DEL is ASCII, invisible, and escaped here. */
static int write_ascii(const char *bytes, size_t n_bytes, void *to)
{
	for (size_t i = 0; i < n_bytes; i++)
		if (bytes[i] == 0x7F ? fputs("\\u007f", to) == EOF : fputc(bytes[i], to) == EOF)
			return -1;
	return 0;
}

static void freep_json(struct json **json)
{
	json_free(*json);
}

static int write_json(struct json *from, size_t flags, FILE *to)
{
	CLEANUP(freep_json) struct json *json = from;

	if (!json || json->is_broken)
		return -ENOMEM;
	return json_dump_callback(json->value, write_ascii, to, flags | JSON_ENSURE_ASCII) < 0
		       ? -EIO
		       : 0;
}

int json_print(struct json *json, FILE *to)
{
	int r = write_json(json, JSON_INDENT(2), to);

	if (r == 0 && (fputc('\n', to) == EOF || fflush(to) != 0))
		r = -EIO;
	return r;
}

int json_print_line(struct json *json, FILE *to)
{
	return write_json(json, 0, to);
}

int json_to_text(struct json *json, char **ret, size_t *ret_n)
{
	CLEANUP(freep) char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	int r;

	if (!f) {
		json_free(json);
		return -ENOMEM;
	}
	r = json_print_line(json, f);
	if (fclose(f) != 0 || r < 0)
		return -ENOMEM;
	*ret = TAKE_PTR(text);
	if (ret_n)
		*ret_n = n;
	return 0;
}

/* ----------------------------------------------------------------------------- reading */

struct walk {
	struct json_value at;
	int (*on_value)(void *userdata, const struct json_value *value);
	void *userdata;
	struct reason *reason;
};

static int walk_value(struct walk *walk, json_t *value);

/* One member of an object, or element of a list (`key` is NULL). */
static int walk_member(struct walk *walk, const char *key, json_t *member)
{
	int r;

	if (walk->at.n_keys == JSON_MAX_DEPTH)
		return reason_refuse(JSON_REFUSED, walk->reason,
			"more than %d objects or lists within one another", JSON_MAX_DEPTH);
	walk->at.keys[walk->at.n_keys++] = key;
	r = walk_value(walk, member);
	walk->at.keys[--walk->at.n_keys] = NULL;
	return r;
}

static int tell_value(struct walk *walk, enum json_kind kind, const json_t *value)
{
	walk->at.kind = kind;
	walk->at.text = kind == JSON_KIND_TEXT ? json_string_value(value) : NULL;
	walk->at.flag = json_is_true(value);
	walk->at.is_whole = json_is_integer(value) && json_integer_value(value) >= 0;
	walk->at.number = walk->at.is_whole ? (uint64_t)json_integer_value(value) : 0;
	return walk->on_value(walk->userdata, &walk->at);
}

static int walk_value(struct walk *walk, json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	int r = 0;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		if (json_object_size(value) == 0)
			return tell_value(walk, JSON_KIND_EMPTY, value);
		json_object_foreach(value, key, member)
		{
			r = walk_member(walk, key, member);
			if (r != 0)
				break;
		}
		return r;
	case JSON_ARRAY:
		if (json_array_size(value) == 0)
			return tell_value(walk, JSON_KIND_EMPTY, value);
		for (i = 0; i < json_array_size(value) && r == 0; i++)
			r = walk_member(walk, NULL, json_array_get(value, i));
		return r;
	case JSON_STRING:
		return tell_value(walk, JSON_KIND_TEXT, value);
	case JSON_INTEGER:
	case JSON_REAL:
		return tell_value(walk, JSON_KIND_NUMBER, value);
	case JSON_TRUE:
	case JSON_FALSE:
		return tell_value(walk, JSON_KIND_BOOL, value);
	case JSON_NULL:
		return tell_value(walk, JSON_KIND_NULL, value);
	}
	return 0;
}

static void freep_value(json_t **value)
{
	json_decref(*value);
}

int json_walk(const char *text, size_t n_text,
	int (*on_value)(void *userdata, const struct json_value *value), void *userdata,
	struct reason *reason)
{
	struct walk walk = {.on_value = on_value, .userdata = userdata, .reason = reason};
	char shown[TEXT_MAX];
	json_error_t error;
	CLEANUP(freep_value)
	json_t *value = json_loadb(text, n_text, JSON_REJECT_DUPLICATES, &error);

	if (!value && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	if (!value)
		return reason_refuse(JSON_REFUSED, reason, "line %d: no JSON (%s)",
			error.line > 0 ? error.line : 1,
			text_show(error.text, shown, sizeof(shown)));
	return walk_value(&walk, value);
}
