/* SPDX-License-Identifier: MIT */
/*
 * json.h - a JSON document, built value by value, and one of others gone through in the same way;
 * json.c alone sees the library.
 *
 * Scripts rely on the keys: they are lower case and never renamed, and a value that is not known is
 * null, not missing. Addresses and product ids are strings such as "0x08000000".
 *
 * Callers check no result before json_print(): where a value finds no memory, the document is
 * marked broken, and json_print() returns -ENOMEM. A NULL document is broken from the start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "api/dict.h"
#include "api/report.h"
#include "base/text.h"

/* An object or a list. Its owner adds it to another, prints it or frees it. */
struct json;

struct json *json_new_object(void);
struct json *json_new_list(void);
struct json *json_free(struct json *json);

/*
 * All add one value to an object under the key, or with a NULL key to a list. Text that is NULL or
 * empty is null; bytes that are not UTF-8 are escaped as they are shown elsewhere.
 */
void json_add_text(struct json *to, const char *key, const char *text);

/* Text of a USB descriptor: two that differ never look the same. */
void json_add_descriptor(struct json *to, const char *key, const char *text);
void json_add_number(struct json *to, const char *key, uint64_t value);

/* A number of which 0 means not known: null then. */
void json_add_known_number(struct json *to, const char *key, uint64_t value);
void json_add_bool(struct json *to, const char *key, bool value);
void json_add_null(struct json *to, const char *key);

/* Takes the ownership of `child`. */
void json_add(struct json *to, const char *key, struct json *child);

/* An object of named values; one that is not known is null. */
void json_add_dict(struct json *to, const char *key, const struct dict *dict);

/* The fields of the report for these readers (enum field_reader), each under its own name. */
void json_add_report(struct json *to, const struct report *report, unsigned readers);

/*
 * Prints it over many lines and a newline, or on one line without; ASCII alone. Frees it. 0, -EIO
 * or -ENOMEM.
 */
int json_print(struct json *json, FILE *to);
int json_print_line(struct json *json, FILE *to);

/* The same on one line into text for free(). 0 or -ENOMEM; `ret_n` may be NULL. */
int json_to_text(struct json *json, char **ret, size_t *ret_n);

/* ------------------------------------------------------------------ reading */

/* Objects and lists within one another, the outermost one included. */
#define JSON_MAX_DEPTH 4

enum json_kind {
	JSON_KIND_TEXT,
	JSON_KIND_NUMBER,
	JSON_KIND_BOOL,
	JSON_KIND_NULL,
	JSON_KIND_EMPTY, /* an object or a list with nothing in it */
};

/* One value of a document that somebody else wrote, and where it stands. All is borrowed. */
struct json_value {
	/* The way to it, from the outermost object or list on: the key in an object, NULL in a
	 * list. None for a document that is empty. */
	const char *keys[JSON_MAX_DEPTH];
	size_t n_keys;
	enum json_kind kind;
	const char *text; /* JSON_KIND_TEXT: UTF-8, any characters but NUL */
	bool flag;	  /* JSON_KIND_BOOL */
	bool is_whole;	  /* JSON_KIND_NUMBER: without a sign, a point or an exponent */
	uint64_t number;  /* of such a one; else 0 */
};

enum json_result {
	JSON_OK,
	JSON_REFUSED = 1, /* no JSON, a key twice in one object, or too deep: the reason says it */
};

/*
 * Goes through all values of a text that is one object or list, in the order in which they stand.
 * A result of `on_value` other than 0 ends it. That result; else 0, JSON_REFUSED with the reason,
 * or -ENOMEM.
 */
int json_walk(const char *text, size_t n_text,
	int (*on_value)(void *userdata, const struct json_value *value), void *userdata,
	struct reason *reason);
