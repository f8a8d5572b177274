/* SPDX-License-Identifier: MIT */
/*
 * screen.c - the service in the first lines, then a block a slot.
 *
 * A block is a row, and below it the reason and the next step of a slot that is not well. Blocks
 * are made first and placed then. Where all rows find room, they stay in the order of the slots.
 * Where they do not, those that somebody must see come first, and the last line says what is left
 * out. Room that is left over is given to reasons, in the same order.
 *
 * State and word stand beside the colour and the sign, so that nothing is told by colour alone. All
 * signs are ASCII: a serial console shows them, too.
 */
#include "cli/screen.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "cli/screen-private.h"

#define STATE_COLUMNS 11 /* WRONG BOARD */
#define BAR_MIN	      6

static const enum colour colours[LIGHT_MAX] = {
	[LIGHT_IDLE] = COLOUR_DIM,
	[LIGHT_WAITING] = COLOUR_PLAIN,
	[LIGHT_WORKING] = COLOUR_WORKING,
	[LIGHT_GOOD] = COLOUR_GOOD,
	[LIGHT_BAD] = COLOUR_BAD,
	[LIGHT_WRONG_BOARD] = COLOUR_ODD,
	[LIGHT_HELD] = COLOUR_WARNING,
};

/* In which order they are shown where there is no room for all. */
static const enum light urgency[LIGHT_MAX] = {LIGHT_BAD, LIGHT_WRONG_BOARD, LIGHT_WORKING,
	LIGHT_HELD, LIGHT_WAITING, LIGHT_GOOD, LIGHT_IDLE};

struct block {
	enum light light;
	char *text;
	size_t n_lines; /* of it, and those that are shown */
	size_t n_shown;
};

/* ----------------------------------------------------------------------------- one slot */

static void cell(FILE *to, const char *text, unsigned columns)
{
	if (columns == 0)
		return;
	screen_cell(to, text[0] ? text : "-", columns);
	fputc(' ', to);
}

/* The name, else the node of the port, else the place. */
static const char *name_of(const struct state_slot *slot)
{
	const char *slash = strrchr(slot->port, '/');

	if (slot->slot[0])
		return slot->slot;
	if (slot->port[0])
		return slash ? slash + 1 : slot->port;
	return slot->path;
}

/* "write 42 % [####----] 3 s left", as much of it as there is room for. */
static void put_progress(
	FILE *to, const struct screen_making *making, const struct state_slot *slot)
{
	const struct state_job *job = &slot->job;
	int64_t left_ms = (int64_t)job->expected_end_ms - making->state->time_ms;
	char head[120], left[48] = "", duration[SCREEN_TIME_COLUMNS + 1];
	unsigned columns = making->columns.detail, used;
	bool is_plain = strcmp(job->operation, "flash") == 0 || !job->operation[0];

	snprintf(head, sizeof(head), "%.20s%s%.20s %u %%%s", is_plain ? "" : job->operation,
		is_plain ? "" : ": ", strcmp(job->phase, "none") == 0 ? "begin" : job->phase,
		job->percent, job->attempt > 1 ? ", retry" : "");
	if (job->expected_end_ms > 0 && left_ms >= 0)
		snprintf(left, sizeof(left), " %s left", screen_duration(left_ms, duration));
	used = screen_columns(head);
	if (used + strlen(left) > columns)
		left[0] = '\0';
	used += (unsigned)strlen(left);
	if (used + BAR_MIN + 3 > columns) {
		char whole[180];

		snprintf(whole, sizeof(whole), "%s%s", head, left);
		screen_cell(to, whole, columns);
		return;
	}
	columns -= used + 3;
	if (columns > SCREEN_BAR_MAX)
		columns = SCREEN_BAR_MAX;
	fprintf(to, "%s ", head);
	screen_bar(to, job->percent, columns);
	fprintf(to, "%s%*s", left, (int)(making->columns.detail - used - 3 - columns), "");
}

static void detail_text(
	const struct screen_making *making, const struct state_slot *slot, char *to, size_t size)
{
	/* The state before it has said that. */
	bool is_word = strcmp(slot->state, light_to_word(slot->light)) == 0;
	char when[SCREEN_TIME_COLUMNS + 1];

	if (slot->job.object && slot->light != LIGHT_WORKING)
		snprintf(to, size, "%s asked for", slot->job.operation);
	else if (slot->light == LIGHT_WORKING)
		to[0] = '\0';
	else if (slot->held_until_ms > 0)
		snprintf(to, size, "%s%suntil %s", slot->outcome, slot->outcome[0] ? ", " : "",
			screen_time((int64_t)slot->held_until_ms, making->state->time_ms, when));
	else if (slot->light == LIGHT_WAITING || slot->light == LIGHT_HELD)
		snprintf(to, size, "%s%s%s", is_word ? "" : slot->state,
			slot->outcome[0] && !is_word ? ", " : "", slot->outcome);
	else if (slot->outcome[0])
		snprintf(to, size, "%s", slot->outcome);
	else if (strcmp(slot->match, "none") == 0)
		snprintf(to, size, "no-match");
	else if (strcmp(slot->match, "ambiguous") == 0)
		snprintf(to, size, "ambiguous");
	else
		snprintf(to, size, "%s", slot->state);
}

static void put_detail(FILE *to, struct screen_making *making, const struct state_slot *slot)
{
	char text[200];

	if (slot->light == LIGHT_WORKING && slot->job.object) {
		put_progress(to, making, slot);
		return;
	}
	detail_text(making, slot, text, sizeof(text));
	screen_cell(to, text, making->columns.detail);
}

/* A job counts its seconds; everything else says since when it is so. */
static void put_time(FILE *to, struct screen_making *making, const struct state_slot *slot)
{
	char text[SCREEN_TIME_COLUMNS + 1];
	int64_t now_ms = making->state->time_ms;
	bool is_counting = slot->light == LIGHT_WORKING && slot->job.started_ms > 0;

	making->counts_seconds |= is_counting;
	if (making->columns.time == 0)
		return;
	if (is_counting)
		screen_duration(now_ms - (int64_t)slot->job.started_ms, text);
	else
		screen_time((int64_t)slot->since_ms, now_ms, text);
	fprintf(to, " %*s", (int)making->columns.time, text);
}

static void put_below(
	FILE *to, const struct screen_making *making, const char *head, const char *text)
{
	fprintf(to, "%*s%s", SCREEN_INDENT, "", head);
	screen_wrap(to, text, SCREEN_INDENT + (unsigned)strlen(head), SCREEN_INDENT,
		making->look->width);
}

/* Also where there was no attempt, or one that this version knows nothing of. */
static bool is_good(const char *word)
{
	int outcome = outcome_from_string(word);

	return outcome < 0 || outcome_to_exit_code((enum outcome)outcome) == 0;
}

static bool is_well(const struct state_slot *slot)
{
	switch (slot->light) {
	case LIGHT_IDLE:
	case LIGHT_WORKING:
	case LIGHT_GOOD:
		return true;
	case LIGHT_WAITING:
		return is_good(slot->outcome);
	case LIGHT_BAD:
	case LIGHT_WRONG_BOARD:
	case LIGHT_HELD:
	case LIGHT_MAX:
		break;
	}
	return false;
}

static void put_slot(FILE *to, struct screen_making *making, const struct state_slot *slot)
{
	bool has_colours = making->look->has_colours;

	screen_colour(to, has_colours, colours[slot->light]);
	fprintf(to, "%c ", light_sign(slot->light));
	screen_colour(to, has_colours, COLOUR_PLAIN);
	cell(to, name_of(slot), making->columns.slot);
	cell(to, slot->board, making->columns.board);
	cell(to, slot->unit, making->columns.unit);
	screen_colour(to, has_colours, colours[slot->light]);
	screen_cell(to, light_to_word(slot->light), STATE_COLUMNS);
	screen_colour(to, has_colours, COLOUR_PLAIN);
	fputc(' ', to);
	put_detail(to, making, slot);
	put_time(to, making, slot);
	fputc('\n', to);
	if (is_well(slot))
		return;
	if (slot->reason[0])
		put_below(to, making, "", slot->reason);
	if (slot->next)
		put_below(to, making, "next: ", slot->next);
}

/* ------------------------------------------------------------------------------ columns */

static unsigned widest(unsigned columns, const char *text, unsigned most)
{
	unsigned own = text[0] ? screen_columns(text) : 1;

	if (own > most)
		own = most;
	return own > columns ? own : columns;
}

static void choose_columns(struct screen_making *making)
{
	const struct state *state = making->state;
	struct columns *columns = &making->columns;
	unsigned width = making->look->width;
	unsigned used = 2 + STATE_COLUMNS + 1;
	bool is_wide = width >= 120;

	*columns = (struct columns){
		.slot = 4, .board = width < 60 ? 0 : 5, .unit = width < 60 ? 0 : 4};
	for (size_t i = 0; i < state->n_slots; i++) {
		const struct state_slot *slot = &state->slots[i];

		columns->slot = widest(columns->slot, name_of(slot),
			is_wide	     ? 24
			: width < 60 ? 9
				     : 12);
		if (width < 60)
			continue;
		columns->board = widest(columns->board, slot->board, is_wide ? 24 : 10);
		columns->unit = widest(columns->unit, slot->unit, is_wide ? 24 : 9);
	}
	if (width >= 60)
		columns->time = SCREEN_TIME_COLUMNS;
	/* Each with a blank behind it, the time with one before. */
	used += columns->slot + 1 + (columns->board ? columns->board + 1 : 0) +
		(columns->unit ? columns->unit + 1 : 0) + (columns->time ? columns->time + 1 : 0);
	columns->detail = width > used ? width - used : 0;
	/* A time at the other side of a wide screen belongs to no row. */
	if (columns->detail > 60)
		columns->detail = 60;
}

static void put_heading(FILE *to, const struct screen_making *making)
{
	const struct columns *columns = &making->columns;

	screen_colour(to, making->look->has_colours, COLOUR_DIM);
	fputs("  ", to);
	cell(to, "slot", columns->slot);
	cell(to, "board", columns->board);
	cell(to, "unit", columns->unit);
	screen_cell(to, "state", STATE_COLUMNS);
	fputc(' ', to);
	screen_cell(to, columns->detail >= 4 ? "last" : "", columns->detail);
	if (columns->time)
		fprintf(to, " %*s", (int)columns->time, "since");
	screen_colour(to, making->look->has_colours, COLOUR_PLAIN);
	fputc('\n', to);
}

/* ------------------------------------------------------------------------------- blocks */

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* What the function writes, as text. 0 or -ENOMEM. */
static int text_of(struct screen_making *making, const struct state_slot *slot,
	void (*put)(FILE *to, struct screen_making *making, const struct state_slot *slot),
	char **ret)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	bool has_failed;

	if (!to)
		return -ENOMEM;
	put(to, making, slot);
	has_failed = ferror(to);
	if (fclose(to) != 0 || has_failed) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

static void put_head(FILE *to, struct screen_making *making, const struct state_slot *slot)
{
	(void)slot;
	screen_put_head(to, making);
	if (making->state->n_slots == 0 || screen_is_small(making))
		return;
	fputc('\n', to);
	put_heading(to, making);
}

struct blocks {
	struct block *items;
	size_t n_items;
};

static void blocks_done(struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->n_items; i++)
		free(blocks->items[i].text);
	free(blocks->items);
}

static int make_blocks(struct screen_making *making, struct blocks *ret)
{
	const struct state *state = making->state;

	ret->items = calloc(state->n_slots ? state->n_slots : 1, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (size_t i = 0; i < state->n_slots; i++) {
		struct block *block = &ret->items[i];

		if (text_of(making, &state->slots[i], put_slot, &block->text) < 0)
			return -ENOMEM;
		ret->n_items++;
		block->light = state->slots[i].light;
		block->n_lines = block->n_shown = lines_of(block->text);
	}
	return 0;
}

/* Shares `room` lines between the blocks; how many of them are left out. */
static size_t place_blocks(struct blocks *blocks, size_t room)
{
	size_t n_needed = 0, n_rows = blocks->n_items, n_left;

	for (size_t i = 0; i < blocks->n_items; i++)
		n_needed += blocks->items[i].n_lines;
	if (n_needed <= room)
		return 0;
	/* The last line counts those that are left out. */
	if (n_rows > room)
		n_rows = room > 0 ? room - 1 : 0;
	n_left = room > n_rows + (n_rows < blocks->n_items) ? room - n_rows : 0;
	if (n_rows < blocks->n_items)
		n_left = 0;
	for (size_t rank = 0; rank < LIGHT_MAX; rank++)
		for (size_t i = 0; i < blocks->n_items; i++) {
			struct block *block = &blocks->items[i];
			size_t more;

			if (block->light != urgency[rank])
				continue;
			more = block->n_lines - 1 < n_left ? block->n_lines - 1 : n_left;
			block->n_shown = n_rows > 0 ? 1 + more : 0;
			n_left -= n_rows > 0 ? more : 0;
			n_rows -= n_rows > 0;
		}
	for (size_t i = 0; i < blocks->n_items; i++)
		n_rows += blocks->items[i].n_shown == 0;
	return n_rows;
}

static void put_lines(FILE *to, const struct block *block)
{
	const char *rest = block->text;

	for (size_t i = 0; i < block->n_shown; i++) {
		size_t n = strcspn(rest, "\n") + 1;

		fwrite(rest, 1, n, to);
		rest += n;
	}
}

/* "12 more: 2 held, 10 good" */
static void put_rest(
	FILE *to, const struct screen_making *making, const struct blocks *blocks, size_t n_hidden)
{
	char text[300];
	int n = snprintf(text, sizeof(text), "%zu more below", n_hidden);

	for (size_t rank = 0; rank < LIGHT_MAX; rank++) {
		size_t n_light = 0;

		for (size_t i = 0; i < blocks->n_items; i++)
			n_light += blocks->items[i].n_shown == 0 &&
				   blocks->items[i].light == urgency[rank];
		if (n_light > 0 && n < (int)sizeof(text))
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s %zu %s",
				strchr(text, ':') ? "," : ":", n_light,
				light_to_word(urgency[rank]));
	}
	screen_colour(to, making->look->has_colours, COLOUR_STRONG);
	screen_cell(to, text, making->look->width);
	screen_colour(to, making->look->has_colours, COLOUR_PLAIN);
	fputc('\n', to);
}

static void put_blocks(
	FILE *to, const struct screen_making *making, const struct blocks *blocks, size_t n_hidden)
{
	if (n_hidden == 0) {
		for (size_t i = 0; i < blocks->n_items; i++)
			put_lines(to, &blocks->items[i]);
		return;
	}
	for (size_t rank = 0; rank < LIGHT_MAX; rank++)
		for (size_t i = 0; i < blocks->n_items; i++)
			if (blocks->items[i].light == urgency[rank])
				put_lines(to, &blocks->items[i]);
	put_rest(to, making, blocks, n_hidden);
}

/* -------------------------------------------------------------------------------- whole */

static int add_line(struct screen *screen, const char *line, size_t n)
{
	char **lines = room_for_one(screen->lines, screen->n_lines, sizeof(*lines));

	if (!lines)
		return -ENOMEM;
	while (n > 0 && line[n - 1] == ' ')
		n--;
	screen->lines = lines;
	lines[screen->n_lines] = strndup(line, n);
	return lines[screen->n_lines++] ? 0 : -ENOMEM;
}

static int split(const char *text, unsigned height, struct screen *ret)
{
	int r = 0;

	while (r == 0 && *text && (height == 0 || ret->n_lines < height)) {
		size_t n = strcspn(text, "\n");

		r = add_line(ret, text, n);
		text += n + (text[n] == '\n');
	}
	return r;
}

static int put_all(
	struct screen_making *making, const char *head, struct blocks *blocks, char **ret)
{
	unsigned height = making->look->height;
	size_t n_head = lines_of(head), n_hidden = 0;
	char *text = NULL;
	size_t n;
	bool has_failed;
	FILE *to;

	if (height > 0)
		n_hidden = place_blocks(blocks, height > n_head ? height - n_head : 0);
	to = open_memstream(&text, &n);
	if (!to)
		return -ENOMEM;
	fputs(head, to);
	put_blocks(to, making, blocks, n_hidden);
	has_failed = ferror(to);
	if (fclose(to) != 0 || has_failed) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

int screen_make(const struct state *state, const struct screen_look *look, struct screen *ret)
{
	CLEANUP(blocks_done) struct blocks blocks = {0};
	CLEANUP(freep) char *head = NULL, *text = NULL;
	struct screen_making making = {.state = state, .look = look};
	struct screen screen = {0};
	int r;

	choose_columns(&making);
	r = text_of(&making, NULL, put_head, &head);
	if (r == 0)
		r = make_blocks(&making, &blocks);
	if (r == 0)
		r = put_all(&making, head, &blocks, &text);
	if (r == 0)
		r = split(text, look->height, &screen);
	if (r < 0) {
		screen_done(&screen);
		return r;
	}
	screen.counts_seconds = making.counts_seconds;
	*ret = screen;
	return 0;
}

void screen_done(struct screen *screen)
{
	for (size_t i = 0; i < screen->n_lines; i++)
		free(screen->lines[i]);
	free(screen->lines);
	*screen = (struct screen){0};
}
