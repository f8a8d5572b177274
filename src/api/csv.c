/* SPDX-License-Identifier: MIT */
/*
 * csv.c - cells that neither end early nor run.
 *
 * Spreadsheets take a cell that begins with one of = + - @ for a formula, and the product string of
 * a USB device can be one. Such a cell is quoted and begins with an apostrophe, which spreadsheets
 * take as the sign of plain text.
 */
#include "api/csv.h"

#include <string.h>

#include "base/text.h"

/* Some spreadsheets trim blanks before they look. */
static bool is_formula(const char *text)
{
	text += strspn(text, " ");
	return *text && strchr("=+-@", *text);
}

/* In countries with a decimal comma a spreadsheet separates cells by semicolons. */
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
