/* SPDX-License-Identifier: MIT */
/*
 * table.h - rows of text in columns as wide as their widest cell. Where a terminal has no room for
 * a row, it goes on below, at the same column in all rows: nothing is cut, and what is copied from
 * it is whole.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MOST 16

struct table {
	size_t n_columns; /* at most TABLE_COLUMNS_MOST */
	char **cells;
	size_t n_cells;
};

/* Adds `n_columns` cells; each is escaped, NULL and "" become "-". 0 or -ENOMEM. */
int table_add_row(struct table *table, const char *const cells[]);

/* Columns of the terminal that a table is printed to; 0: it is none, and a row is a line. */
unsigned table_room(FILE *stream);

/* In lines of at most `room` columns, 0: of any length; a cell with more is broken at blanks. */
void table_print(const struct table *table, unsigned room, FILE *to);

void table_done(struct table *table);
