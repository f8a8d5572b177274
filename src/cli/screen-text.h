/* SPDX-License-Identifier: MIT */
/* screen-text.h - cells, wrapped sentences and times, as the screen is made of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/terminal.h"

/* The text, escaped, in so many columns: a longer one is cut and ends in "~". */
void screen_cell(FILE *to, const char *text, unsigned columns);

/*
 * The sentence, escaped and broken at blanks into lines of at most `width` columns, each with its
 * newline. `used` columns of the first are taken already; the others begin with so many blanks.
 */
void screen_wrap(FILE *to, const char *text, unsigned used, unsigned indent, unsigned width);

/* The sequence of the colour where colours are wanted. */
void screen_colour(FILE *to, bool has_colours, enum colour colour);

/* Characters of the text once it is escaped. */
unsigned screen_columns(const char *text);

/* "14:03:22", of another day than `now_ms` "11-27"; "" unknown. Returns `to`. */
#define SCREEN_TIME_COLUMNS 8
char *screen_time(int64_t msec, int64_t now_ms, char to[static SCREEN_TIME_COLUMNS + 1]);

/* "12 s", "3m 05s", "2h 07m"; "" where it is below zero. Returns `to`. */
char *screen_duration(int64_t msec, char to[static SCREEN_TIME_COLUMNS + 1]);

/* "[####----]", with the brackets two columns more. */
void screen_bar(FILE *to, unsigned percent, unsigned columns);
