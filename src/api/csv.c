/* SPDX-License-Identifier: MIT */
#include "api/csv.h"

#include <string.h>

#include "base/text.h"

/* A spreadsheet takes such a cell for a formula, and a USB descriptor can hold one. Some trim it
 * first. */
static bool is_formula(const char *text)
{
	text += strspn(text, " ");
	return *text && strchr("=+-@", *text);
}

/* Where the comma is the decimal sign, a cell may end here: quotes that begin inside are none. */
static bool may_begin_formula(const char *separator)
{
	return *separator == ';' && is_formula(separator + 1);
}

static void write_cell(const char *cell, FILE *to)
{
	char text[TEXT_ESCAPED_MAX];

	/* Leaves no line breaks. */
	text_show(cell, text, sizeof(text));
	if (!is_formula(text) && !strpbrk(text, ",;\"")) {
		fputs(text, to);
		return;
	}
	fputs(is_formula(text) ? "\"'" : "\"", to);
	for (const char *c = text; *c; c++)
		fprintf(to, *c == '"' ? "\"\"" : may_begin_formula(c) ? "%c'" : "%c", *c);
	fputc('"', to);
}

void csv_write_row(const char *const cells[], size_t n_cells, FILE *to)
{
	for (size_t i = 0; i < n_cells; i++) {
		if (i > 0)
			fputc(',', to);
		write_cell(cells[i], to);
	}
	fputs("\r\n", to);
}
