/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/util.h"

#define WIDTH_UNKNOWN  80

#define HEIGHT_UNKNOWN 24

static const char *const sequences[COLOUR_MAX] = {
	[COLOUR_GOOD] = "\033[32m",
	[COLOUR_BAD] = "\033[31m",
	[COLOUR_WORKING] = "\033[36m",
	[COLOUR_WARNING] = "\033[33m",
	[COLOUR_ODD] = "\033[35m",
	[COLOUR_DIM] = "\033[2m",
	[COLOUR_STRONG] = "\033[1m",
	[COLOUR_BANNER] = "\033[7m",
	[COLOUR_PLAIN] = "\033[0m",
};

bool terminal_is(FILE *stream)
{
	const char *kind = getenv("TERM");

	return isatty(fileno(stream)) && kind && kind[0] && strcmp(kind, "dumb") != 0;
}

unsigned terminal_width(FILE *stream)
{
	struct winsize size;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_UNKNOWN;
	return size.ws_col;
}

unsigned terminal_height(FILE *stream)
{
	struct winsize size;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
		return HEIGHT_UNKNOWN;
	return size.ws_row;
}

/* no-color.org: set and not empty means none, whatever the value. */
bool terminal_has_colours(FILE *stream)
{
	const char *no_colour = getenv("NO_COLOR");

	return terminal_is(stream) && !(no_colour && no_colour[0]);
}

const char *terminal_sequence(enum colour colour)
{
	return sequences[colour];
}

const char *terminal_colour(FILE *stream, enum colour colour)
{
	return terminal_has_colours(stream) ? sequences[colour] : "";
}

const char *terminal_plain(FILE *stream)
{
	return terminal_colour(stream, COLOUR_PLAIN);
}
