/* SPDX-License-Identifier: MIT */
/* screen-head.c - the service in the first lines of the screen: what it does, or why it does not.
 */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/screen-private.h"

static void banner(
	FILE *to, const struct screen_making *making, enum colour colour, const char *word)
{
	screen_colour(to, making->look->has_colours, colour);
	screen_colour(to, making->look->has_colours, COLOUR_BANNER);
	fprintf(to, " %s ", word);
	screen_colour(to, making->look->has_colours, COLOUR_PLAIN);
}

static void upper(const char *from, char *to, size_t size)
{
	size_t i = 0;

	for (; from[i] && i + 1 < size; i++)
		to[i] = from[i] >= 'a' && from[i] <= 'z' ? (char)(from[i] - 'a' + 'A') : from[i];
	to[i] = '\0';
}

/* In one line where lines are few. */
static void sentence(FILE *to, const struct screen_making *making, const char *text, unsigned used)
{
	unsigned width = making->look->width;

	if (!screen_is_small(making)) {
		screen_wrap(to, text, used, SCREEN_INDENT, width);
		return;
	}
	screen_cell(to, text, width > used ? width - used : 0);
	fputc('\n', to);
}

/* The word in the middle of a line of its own: it is seen by whoever passes by. */
static void put_bar_of_word(
	FILE *to, const struct screen_making *making, enum colour colour, const char *word)
{
	bool has_colours = making->look->has_colours;
	unsigned columns = (unsigned)strlen(word) + 2, width = making->look->width;
	unsigned left = width > columns ? (width - columns) / 2 : 0;

	screen_colour(to, has_colours, colour);
	screen_colour(to, has_colours, COLOUR_BANNER);
	for (unsigned i = 0; i < left; i++)
		fputc('=', to);
	fprintf(to, " %s ", word);
	for (unsigned i = left + columns; i < width; i++)
		fputc('=', to);
	screen_colour(to, has_colours, COLOUR_PLAIN);
	fputc('\n', to);
}

/* A sentence behind a word in capitals, or below it. */
static void banner_line(FILE *to, const struct screen_making *making, enum colour colour,
	const char *word, const char *text)
{
	bool is_large = colour != COLOUR_GOOD && !screen_is_small(making);
	char capitals[24], shown[24];

	upper(text_identifier(word, shown, sizeof(shown)), capitals, sizeof(capitals));
	if (is_large) {
		put_bar_of_word(to, making, colour, capitals);
		sentence(to, making, text, 0);
		return;
	}
	banner(to, making, colour, capitals);
	fputc(' ', to);
	sentence(to, making, text, (unsigned)strlen(capitals) + 3);
}

static const char *plural(uint32_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}

static void put_service(FILE *to, const struct screen_making *making)
{
	const struct state *state = making->state;
	bool is_running = strcmp(state->state, "running") == 0;
	char version[64], text[300];

	snprintf(text, sizeof(text),
		"%" PRIu32 " working, %" PRIu32 " waiting; %" PRIu32 " %s, %" PRIu32
		" %s; plugflashd %s",
		state->jobs_running, state->jobs_waiting, state->rules,
		plural(state->rules, "rule", "rules"), state->bridges,
		plural(state->bridges, "bridge", "bridges"),
		text_identifier(state->version, version, sizeof(version)));
	banner_line(to, making, is_running ? COLOUR_GOOD : COLOUR_WARNING, state->state, text);
	/* A pause, or whoever inhibits a bridge while the service runs. */
	if (state->pause_reason[0]) {
		screen_colour(to, making->look->has_colours, COLOUR_STRONG);
		fputs("nothing begins: ", to);
		screen_wrap(to, state->pause_reason, 16, SCREEN_INDENT, making->look->width);
		screen_colour(to, making->look->has_colours, COLOUR_PLAIN);
	}
	if (state->stopped_units[0]) {
		fputs("stopped for boards: ", to);
		screen_wrap(to, state->stopped_units, 20, SCREEN_INDENT, making->look->width);
	}
}

/* What was faster and is not used any more, by its kind of chip. */
static void put_turned_off(FILE *to, const struct screen_making *making)
{
	if (!making->state->turned_off[0])
		return;
	screen_colour(to, making->look->has_colours, COLOUR_WARNING);
	fputs("turned off: ", to);
	sentence(to, making, making->state->turned_off, 12);
	screen_colour(to, making->look->has_colours, COLOUR_PLAIN);
	if (screen_is_small(making))
		return;
	fputs("    next: ", to);
	screen_wrap(to,
		"where one board or its cable was the cause, plugflash retry --trials puts it on trial again",
		10, SCREEN_INDENT, making->look->width);
}

static void put_counters(FILE *to, const struct screen_making *making)
{
	const struct state *state = making->state;
	bool is_small = screen_is_small(making);
	char text[300], yield[48] = "";

	if (!state->day[0])
		return;
	if (state->yield_percent >= 0)
		snprintf(yield, sizeof(yield), "; %syield %d %%", is_small ? "" : "first-pass ",
			state->yield_percent);
	if (is_small)
		snprintf(text, sizeof(text),
			"%" PRIu64 " good, %" PRIu64 " retried, %" PRIu64 " bad%s",
			state->first_pass, state->retried, state->bad, yield);
	else
		snprintf(text, sizeof(text),
			"%.10s: %" PRIu64 " good at once, %" PRIu64 " after a retry, %" PRIu64
			" bad%s",
			state->day, state->first_pass, state->retried, state->bad, yield);
	sentence(to, making, text, 0);
}

static void put_batch(FILE *to, const struct screen_making *making)
{
	const struct state *state = making->state;
	unsigned percent =
		state->batch_count > 0
			? (unsigned)(UINT64_C(100) * state->batch_done / state->batch_count)
			: 0;
	char board[64], text[160];
	unsigned used;

	if (!state->batch_board[0])
		return;
	snprintf(text, sizeof(text), "batch of %s: %" PRIu32 " of %" PRIu32 " good",
		text_identifier(state->batch_board, board, sizeof(board)), state->batch_done,
		state->batch_count);
	used = screen_columns(text);
	if (used + SCREEN_BAR_MAX + 3 > making->look->width) {
		screen_wrap(to, text, 0, SCREEN_INDENT, making->look->width);
		return;
	}
	fprintf(to, "%s ", text);
	screen_bar(to, percent, SCREEN_BAR_MAX);
	fputc('\n', to);
}

static void put_configuration(FILE *to, const struct screen_making *making)
{
	const struct state *state = making->state;
	char text[700];

	if (!state->is_config_stale && !state->config_error[0])
		return;
	snprintf(text, sizeof(text),
		"the configuration on disk is refused, the one before is in force%s%.500s",
		state->config_error[0] ? ": " : "", state->config_error);
	screen_colour(to, making->look->has_colours, COLOUR_BAD);
	screen_wrap(to, text, 0, SCREEN_INDENT, making->look->width);
	screen_colour(to, making->look->has_colours, COLOUR_PLAIN);
}

static void put_absence(FILE *to, const struct screen_making *making)
{
	const struct state *state = making->state;
	char text[500];

	snprintf(text, sizeof(text), "%s%s", state->why,
		making->look->is_live ? "; it is waited for" : "");
	banner_line(to, making, COLOUR_BAD,
		state->presence == CLIENT_NO_SERVICE ? "no service" : "not known", text);
}

void screen_put_head(FILE *to, const struct screen_making *making)
{
	if (making->state->presence != CLIENT_THERE) {
		put_absence(to, making);
		return;
	}
	put_service(to, making);
	put_counters(to, making);
	put_batch(to, making);
	put_turned_off(to, making);
	put_configuration(to, making);
	if (making->state->n_slots > 0)
		return;
	fputc('\n', to);
	screen_wrap(to, "no bridge is plugged in, and the configuration has no slot", 0, 0,
		making->look->width);
}
