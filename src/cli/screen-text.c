/* SPDX-License-Identifier: MIT */
#include "cli/screen-text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/util.h"

#define MSEC_PER_SEC INT64_C(1000)
/* A reason with every byte escaped. */
#define SENTENCE_MAX 2048

static bool is_begin(char c)
{
	return ((unsigned char)c & 0xC0) != 0x80;
}

static unsigned columns_of(const char *text, size_t n)
{
	unsigned columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += is_begin(text[i]);
	return columns;
}

/* Bytes of the first `columns` characters. */
static size_t bytes_of(const char *text, unsigned columns)
{
	size_t n = 0;

	while (text[n]) {
		if (is_begin(text[n]) && columns-- == 0)
			break;
		n++;
	}
	return n;
}

static void blanks(FILE *to, unsigned columns)
{
	fprintf(to, "%*s", (int)columns, "");
}

unsigned screen_columns(const char *text)
{
	char shown[SENTENCE_MAX];

	text_show(text, shown, sizeof(shown));
	return columns_of(shown, strlen(shown));
}

void screen_cell(FILE *to, const char *text, unsigned columns)
{
	char shown[SENTENCE_MAX];
	unsigned used;

	text_show(text, shown, sizeof(shown));
	used = columns_of(shown, strlen(shown));
	if (used <= columns) {
		fputs(shown, to);
		blanks(to, columns - used);
		return;
	}
	if (columns > 0)
		fprintf(to, "%.*s~", (int)bytes_of(shown, columns - 1), shown);
}

void screen_wrap(FILE *to, const char *text, unsigned used, unsigned indent, unsigned width)
{
	char shown[SENTENCE_MAX];
	const char *rest = text_show(text, shown, sizeof(shown));
	bool is_first = true; /* of its line */

	if (width <= indent)
		width = indent + 1;
	while (*rest) {
		size_t n = strcspn(rest, " ");
		unsigned columns = columns_of(rest, n), room;

		if (used + !is_first + columns > width && !(is_first && used <= indent)) {
			fputc('\n', to);
			blanks(to, indent);
			used = indent;
			is_first = true;
			continue;
		}
		room = width > used + !is_first ? width - used - !is_first : 0;
		/* A word that no line has room for is broken anywhere. */
		if (columns > room)
			n = bytes_of(rest, room);
		if (!is_first)
			fputc(' ', to);
		fwrite(rest, 1, n, to);
		used += !is_first + columns_of(rest, n);
		is_first = false;
		rest += n;
		rest += strspn(rest, " ");
	}
	fputc('\n', to);
}

void screen_colour(FILE *to, bool has_colours, enum colour colour)
{
	if (has_colours)
		fputs(terminal_sequence(colour), to);
}

char *screen_time(int64_t msec, int64_t now_ms, char to[static SCREEN_TIME_COLUMNS + 1])
{
	time_t then = (time_t)(msec / MSEC_PER_SEC), now = (time_t)(now_ms / MSEC_PER_SEC);
	struct tm tm, today;
	bool is_today;

	to[0] = '\0';
	if (msec <= 0 || !localtime_r(&then, &tm) || !localtime_r(&now, &today))
		return to;
	is_today = tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday;
	if (strftime(to, SCREEN_TIME_COLUMNS + 1, is_today ? "%H:%M:%S" : "%m-%d", &tm) == 0)
		to[0] = '\0';
	return to;
}

char *screen_duration(int64_t msec, char to[static SCREEN_TIME_COLUMNS + 1])
{
	int64_t seconds = msec / MSEC_PER_SEC;
	char text[64] = "";

	if (msec >= 0 && seconds < 60)
		snprintf(text, sizeof(text), "%" PRId64 " s", seconds);
	else if (msec >= 0 && seconds < 3600)
		snprintf(text, sizeof(text), "%" PRId64 "m %02" PRId64 "s", seconds / 60,
			seconds % 60);
	else if (msec >= 0)
		snprintf(text, sizeof(text), "%" PRId64 "h %02" PRId64 "m", seconds / 3600,
			seconds / 60 % 60);
	text_copy(to, SCREEN_TIME_COLUMNS + 1, text);
	return to;
}

void screen_bar(FILE *to, unsigned percent, unsigned columns)
{
	unsigned done = columns * (percent > 100 ? 100 : percent) / 100;

	fputc('[', to);
	for (unsigned i = 0; i < columns; i++)
		fputc(i < done ? '#' : '-', to);
	fputc(']', to);
}
