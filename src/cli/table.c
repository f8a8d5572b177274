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

static size_t width_of_column(const struct table *table, size_t column)
{
	size_t widest = 0;

	for (size_t i = column; i < table->n_cells; i += table->n_columns) {
		size_t columns = columns_of(table->cells[i]);

		if (columns > widest)
			widest = columns;
	}
	return widest;
}

void table_print(const struct table *table, FILE *to)
{
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;

		fputs(table->cells[i], to);
		if (column + 1 == table->n_columns) {
			fputc('\n', to);
			continue;
		}
		fprintf(to, "%*s",
			(int)(width_of_column(table, column) - columns_of(table->cells[i]) + 2),
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
