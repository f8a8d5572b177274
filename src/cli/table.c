/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/screen-text.h"
#include "cli/terminal.h"

#define GAP    2 /* between two columns */
#define INDENT 4 /* of what goes on below */

/* Characters, not bytes: a product string may hold any. */
static unsigned columns_of(const char *text)
{
	unsigned n = 0;

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

unsigned table_room(FILE *stream)
{
	return terminal_is(stream) ? terminal_width(stream) : 0;
}

/* How wide each column is, and which of them begin a line. */
struct layout {
	unsigned widest[TABLE_COLUMNS_MOST];
	bool begins[TABLE_COLUMNS_MOST];
	unsigned room; /* 0: any */
};

static void lay_out(const struct table *table, unsigned room, struct layout *ret)
{
	struct layout layout = {.room = room};
	unsigned used = 0;

	for (size_t i = 0; i < table->n_cells; i++) {
		unsigned *widest = &layout.widest[i % table->n_columns];
		unsigned width = columns_of(table->cells[i]);

		if (width > *widest)
			*widest = width;
	}
	for (size_t column = 0; column < table->n_columns; column++) {
		layout.begins[column] = column > 0 && room > 0 && used > INDENT &&
					used + layout.widest[column] > room;
		used = (layout.begins[column] ? INDENT : used) + layout.widest[column] + GAP;
	}
	*ret = layout;
}

static void print_row(char *const cells[], size_t n_columns, const struct layout *layout, FILE *to)
{
	unsigned used = 0, gap = 0;

	for (size_t column = 0; column < n_columns; column++) {
		unsigned width = columns_of(cells[column]);

		if (layout->begins[column]) {
			fputc('\n', to);
			used = 0;
			gap = INDENT;
		}
		fprintf(to, "%*s", (int)gap, "");
		used += gap;
		if (column + 1 == n_columns && layout->room > 0) {
			screen_wrap(to, cells[column], used, INDENT, layout->room);
			return;
		}
		fputs(cells[column], to);
		used += width;
		gap = layout->widest[column] - width + GAP;
	}
	fputc('\n', to);
}

void table_print(const struct table *table, unsigned room, FILE *to)
{
	struct layout layout;

	lay_out(table, room, &layout);
	for (size_t i = 0; i < table->n_cells; i += table->n_columns)
		print_row(table->cells + i, table->n_columns, &layout, to);
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){0};
}
