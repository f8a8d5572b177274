/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* Characters, not bytes: a product string may hold any. */
static size_t columns_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		if (((unsigned char)*text & 0xC0) != 0x80)
			n++;
	return n;
}

int table_add_row(struct table *table, const char *const cells[])
{
	size_t n_cells = table->n_cells + table->n_columns;
	char **grown = reallocarray(table->cells, n_cells, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	table->cells = grown;
	for (size_t i = 0; i < table->n_columns; i++) {
		char shown[TEXT_ESCAPED_MAX];
		char *cell;

		text_show(cells[i], shown, sizeof(shown));
		cell = strdup(shown[0] ? shown : "-");
		if (!cell)
			return -ENOMEM;
		table->cells[table->n_cells++] = cell;
	}
	return 0;
}

void table_print(const struct table *table, FILE *to)
{
	size_t widest[TABLE_COLUMNS_MOST] = {0};

	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns, width = columns_of(table->cells[i]);

		if (width > widest[column])
			widest[column] = width;
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns, width = columns_of(table->cells[i]);

		if (column + 1 == table->n_columns)
			fprintf(to, "%s\n", table->cells[i]);
		else
			fprintf(to, "%s%*s", table->cells[i], (int)(widest[column] - width + 2),
				"");
	}
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}
