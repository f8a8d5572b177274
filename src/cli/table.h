/* SPDX-License-Identifier: MIT */
/* table.h - rows of text in columns as wide as their widest cell. */
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

void table_print(const struct table *table, FILE *to);

void table_done(struct table *table);
