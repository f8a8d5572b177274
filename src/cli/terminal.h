/* SPDX-License-Identifier: MIT */
/* terminal.h - the terminal behind a stream: its width, and whether it shows colours. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_GOOD, COLOUR_BAD };

/* A terminal that can go back to the begin of a line. */
bool terminal_is(FILE *stream);

/* Columns, 80 where they cannot be told. */
unsigned terminal_width(FILE *stream);

/* The sequence that begins the colour, and the one that ends any; "" without colours (NO_COLOR). */
const char *terminal_colour(FILE *stream, enum colour colour);
const char *terminal_plain(FILE *stream);
