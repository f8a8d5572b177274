/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/util.h"

#define WIDTH_UNKNOWN 80

static const char *const sequences[] = {
	[COLOUR_GOOD] = "\033[32m",
	[COLOUR_BAD] = "\033[31m",
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

/* no-color.org: set and not empty means none, whatever the value. */
static bool wants_colour(FILE *stream)
{
	const char *no_colour = getenv("NO_COLOR");

	return terminal_is(stream) && !(no_colour && no_colour[0]);
}

const char *terminal_colour(FILE *stream, enum colour colour)
{
	return wants_colour(stream) ? sequences[colour] : "";
}

const char *terminal_plain(FILE *stream)
{
	return wants_colour(stream) ? "\033[0m" : "";
}
