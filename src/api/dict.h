/* SPDX-License-Identifier: MIT */
/*
 * dict.h - named values as plain data: what an `a{sv}` or the properties of an object of the bus
 * hold, for those who know of no bus.
 *
 * A dict owns its names and texts. A zeroed one is empty and ready. Names keep the order in which
 * they were set first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report;

enum dict_kind {
	DICT_TEXT,   /* s on the bus; o is read as text, too */
	DICT_FLAG,   /* b */
	DICT_NUMBER, /* u */
	DICT_LONG,   /* t; times are milliseconds since 1970, 0: none */
	DICT_SHARE,  /* d, 0 to 1 */
	DICT_COUNTS, /* a{st} */
	DICT_OTHER,  /* of another type: the name is known, the value is not */
};

struct dict_entry {
	char *name;
	enum dict_kind kind;
	union {
		char *text;
		bool flag;
		uint32_t number;
		uint64_t number64;
		double share;
		struct dict *counts;
	};
};

struct dict {
	struct dict_entry *entries;
	size_t n_entries;
};

/*
 * All set the value of that name, in place of the one before, of whatever kind that was. 0 or
 * -ENOMEM; the dict is as before then. A NULL text is "". Counts are copied.
 */
int dict_set_text(struct dict *dict, const char *name, const char *value);
int dict_set_flag(struct dict *dict, const char *name, bool value);
int dict_set_number(struct dict *dict, const char *name, uint32_t value);
int dict_set_long(struct dict *dict, const char *name, uint64_t value);
int dict_set_share(struct dict *dict, const char *name, double value);
int dict_set_counts(struct dict *dict, const char *name, const struct dict *counts);
int dict_set_other(struct dict *dict, const char *name);

/* Names of a dict that comes from outside; more are -E2BIG where it is read. */
#define DICT_ENTRIES_MOST 128

/* The entry of that name, or NULL. */
const struct dict_entry *dict_find(const struct dict *dict, const char *name);

/*
 * All give the value, and "", false, 0 or an empty dict where the name is missing or of another
 * kind. dict_long() takes numbers as well. What they give is the dict's, until it is set anew.
 */
const char *dict_text(const struct dict *dict, const char *name);
bool dict_flag(const struct dict *dict, const char *name);
uint32_t dict_number(const struct dict *dict, const char *name);
uint64_t dict_long(const struct dict *dict, const char *name);
double dict_share(const struct dict *dict, const char *name);
const struct dict *dict_counts(const struct dict *dict, const char *name);

/* Whether both hold the same names with the same values; the order does not matter. */
bool dict_is_same(const struct dict *a, const struct dict *b);

/* Sets each value of `from` in `to`, whose other names stay. 0, or -ENOMEM with a part of it set.
 */
int dict_merge(struct dict *to, const struct dict *from);

/* A copy into an empty dict. 0, or -ENOMEM and it stays empty. */
int dict_copy(const struct dict *from, struct dict *ret);

/* Forgets that name. */
void dict_remove(struct dict *dict, const char *name);

/* Frees what it holds, and leaves it empty. Also for CLEANUP(). */
void dict_done(struct dict *dict);

/*
 * The fields of a report that have readers (api/fields.h) and are known, under their names; which
 * kind each becomes stands beside enum field_kind. 0 or -ENOMEM.
 */
int report_to_dict(const struct report *report, struct dict *dict);

/*
 * Back again, with the care that the worker's pipe gets: a number must fit its member, a text its
 * array, and a word must be one of ours. Names that no field has are left out: a later version may
 * tell more. 0, or -EBADMSG and `ret` is untouched. Without an outcome it is OUTCOME_FAILED.
 */
int report_from_dict(const struct dict *dict, struct report *ret);
