/* SPDX-License-Identifier: MIT */
/* terminal.h - the terminal behind a stream: its width, and whether it shows colours. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum colour {
	COLOUR_GOOD,
	COLOUR_BAD,
	COLOUR_WORKING,
	COLOUR_WARNING, /* somebody may have to act, and nothing is wrong yet */
	COLOUR_ODD,	/* not bad, and not what belongs here */
	COLOUR_DIM,
	COLOUR_STRONG,
	COLOUR_BANNER, /* on top of another: letters and ground change places */
	COLOUR_PLAIN,  /* ends any */
	COLOUR_MAX,
};

/* A terminal that can go back to the begin of a line. */
bool terminal_is(FILE *stream);

/* Whether it shows colours, and whether the user wants them (NO_COLOR). */
bool terminal_has_colours(FILE *stream);

/* The sequence of a colour, whoever shows it. */
const char *terminal_sequence(enum colour colour);

/* Columns, 80 where they cannot be told. */
unsigned terminal_width(FILE *stream);

/* Lines, 24 where they cannot be told. */
unsigned terminal_height(FILE *stream);

/* The sequence that begins the colour, and the one that ends any; "" without colours (NO_COLOR). */
const char *terminal_colour(FILE *stream, enum colour colour);
const char *terminal_plain(FILE *stream);
