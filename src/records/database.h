/* SPDX-License-Identifier: MIT */
/*
 * database.h - one SQLite file: opened, set up to be durable, and its rows as structs by tables of
 * columns. The only file that knows the library; what the rows mean is store.h's.
 *
 * Every function returns 0 or -errno and says why in the reason: -ENOSPC for a full disk, -EROFS
 * where nothing may be written, -EBADMSG for a damaged file, -EBUSY where another program holds it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum column_kind {
	COLUMN_TEXT,	  /* an array of characters; longer text is cut */
	COLUMN_NUMBER,	  /* bool, 32 or 64 bits */
	COLUMN_ID,	  /* the same, read only: SQLite gives it to a new row */
	COLUMN_CONVERTED, /* text that `write` and `read` make of the field */
};

#define COLUMN_TEXT_MAX 512
#define COLUMN_ALWAYS	SIZE_MAX

struct column {
	const char *name;
	enum column_kind kind;
	size_t offset; /* of the field in the struct */
	size_t size;
	size_t presence; /* offset of a number that is 0 where the column is NULL; or ALWAYS */
	size_t presence_size;
	void (*write)(const void *field, char to[static COLUMN_TEXT_MAX]);
	void (*read)(const char *text, void *field);
};

/* The first column tells one row from another. */
struct database_table {
	const char *name;
	const struct column *columns;
	size_t n_columns;
};

/* For a "?" of a condition: text, or a number where that is NULL. */
struct database_value {
	const char *text;
	int64_t number;
};

struct database;

/*
 * To write: the file is made where there is none, and nothing in it is changed yet. To read: beside
 * a writer or, where nobody writes, on a file system that cannot be written.
 */
int database_open(const char *path, bool to_read, struct database **ret, struct reason *reason);

/* NULL is fine. */
struct database *database_close(struct database *database);

/* The same, and nothing is written: the file may be another one by now. */
struct database *database_abandon(struct database *database);

/* From here on a change that has returned is on the disk. */
int database_make_durable(struct database *database, struct reason *reason);

/*
 * Moves the log into the file and cuts it off. -EBUSY at once where somebody still reads what lies
 * in it; another -errno.
 */
int database_empty_log(struct database *database, struct reason *reason);

/* Whether all pages fit together; -EBADMSG where not. */
int database_check(struct database *database, struct reason *reason);

/* Statements without values and without rows. */
int database_execute(struct database *database, const char *sql, struct reason *reason);

/* The first number of the first row. */
int database_number(
	struct database *database, const char *sql, int64_t *ret, struct reason *reason);

/* One statement with values; the number of rows that it changed. */
int database_change(struct database *database, const char *sql, const struct database_value *values,
	size_t n_values, uint32_t *ret_rows, struct reason *reason);

/* Inserts the struct as a row, or puts it in the place of the one that is there. */
int database_put(struct database *database, const struct database_table *table, const void *object,
	struct reason *reason);

/* Fills `object` with the first row that fits; -ENOENT where none does, and it is left alone. */
int database_find(struct database *database, const struct database_table *table,
	const char *condition, const struct database_value *values, size_t n_values, void *object,
	struct reason *reason);

/*
 * Fills `object` with each row that fits and calls back; `condition` begins with WHERE or ORDER, or
 * is "". A callback that returns something else than 0 ends the list with that.
 */
int database_list(struct database *database, const struct database_table *table,
	const char *condition, const struct database_value *values, size_t n_values, void *object,
	int (*callback)(void *userdata, const void *object), void *userdata, struct reason *reason);
