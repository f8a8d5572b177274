/* SPDX-License-Identifier: MIT */
/*
 * json.h - a JSON document, built value by value; json.c alone sees the library.
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
