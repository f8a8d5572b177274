/* SPDX-License-Identifier: MIT */
/*
 * progress.c - one view of a job for people, one for logs.
 *
 * On a terminal a bar is redrawn in the last line, at most each 80 ms, so that a slow connection
 * keeps up. Elsewhere a whole line is written when a phase begins without a known total, and at
 * each ten per cent of one that has a total: a log collector shows no carriage returns. The rate is
 * that of the phase since it first told its total; a phase that is resumed after a retry does not
 * count the bytes of before. The time left is what the service expects of the same lines.
 */
#include "cli/progress.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "cli/terminal.h"
#include "cli/units.h"

/* Quicker than anyone reads, slower than a terminal over a network chokes on. */
#define REDRAW_USEC (80 * USEC_PER_MSEC)
/* Of a job that is over in a second, the ends of its phases are enough. */
#define LINE_USEC (250 * USEC_PER_MSEC)
#define BAR_MIN	  10
#define BAR_MAX	  40
/* With the two blanks before them: "  59:59 left", "  1023.9 KiB of 1023.9 KiB",
 * "  1023.9 KiB/s". */
#define LEFT_ROOM   12
#define AMOUNT_ROOM 26
#define RATE_ROOM   14
#define TEXT_LINE   200

/* People's words where the phase's own says too little: written and verified twice, but why? */
static const char *const part_words[PHASE_MAX][PROGRESS_PART_MAX] = {
	[PHASE_WRITE][PROGRESS_PART_LAST] = "write last part",
	[PHASE_VERIFY][PROGRESS_PART_LAST] = "verify last part",
	[PHASE_VERIFY][PROGRESS_PART_AGAIN] = "recheck",
};

static const char *phase_word(const struct progress *progress, enum progress_part part)
{
	const char *word = part_words[progress->phase][part];

	return word ? word : phase_to_string(progress->phase);
}

/* Of a few bytes nobody asks how many; they count as done from their beginning. */
static bool is_counted(const struct progress *progress, enum progress_part part)
{
	return progress->total > 0 && part != PROGRESS_PART_LAST;
}

/* An erase counts pages, everything else bytes. */
static void amount_text(const struct progress *progress, char *to, size_t size)
{
	char done[32], total[32];

	if (progress->phase == PHASE_ERASE)
		snprintf(to, size, "%" PRIu64 " of %" PRIu64 " pages", progress->done,
			progress->total);
	else
		snprintf(to, size, "%s of %s", units_bytes(progress->done, done, sizeof(done)),
			units_bytes(progress->total, total, sizeof(total)));
}

static void rate_text(
	const struct progress *progress, struct progress_pace pace, char *to, size_t size)
{
	to[0] = '\0';
	if (progress->phase != PHASE_ERASE)
		units_rate(pace.bytes, pace.usec, to, size);
}

/* "0:07 left"; "" where it is not known. */
static void left_text(uint64_t left_msec, char *to, size_t size)
{
	uint64_t seconds = left_msec / 1000 + (left_msec % 1000 > 0);

	to[0] = '\0';
	if (seconds > 0)
		snprintf(to, size, "%" PRIu64 ":%02" PRIu64 " left", seconds / 60, seconds % 60);
}

/* The room for what stands behind the bar, while there is some beside the least bar. */
static bool reserve(size_t *used, size_t room, unsigned width)
{
	if (*used + room + BAR_MIN + 3 > width)
		return false;
	*used += room;
	return true;
}

char *progress_bar(const struct progress *progress, const char *name, struct progress_pace pace,
	unsigned width, char *to, size_t size)
{
	char head[96], left[32] = "", amount[80] = "", rate[32] = "", bar[BAR_MAX + 1] = "";
	size_t used;

	if (progress->phase == PHASE_ENTER && progress->total > 0) {
		snprintf(head, sizeof(head), "%s %-8s try %" PRIu64 " of %" PRIu64, name,
			phase_to_string(progress->phase), progress->done, progress->total);
		snprintf(to, size, "%.*s", (int)width, head);
		return to;
	}
	snprintf(head, sizeof(head), "%s %-8s", name, phase_word(progress, pace.part));
	if (!is_counted(progress, pace.part)) {
		snprintf(to, size, "%.*s", (int)width, head);
		return to;
	}
	left_text(pace.left_msec, left, sizeof(left));
	amount_text(progress, amount, sizeof(amount));
	rate_text(progress, pace, rate, sizeof(rate));

	/* "HEAD  45 %" always; then, where there is room, the bar, and what stands behind it. Room
	 * is kept for the longest of these, so that the bar stays as wide while they change. */
	used = strlen(head) + strlen(" 100 %");
	if (!reserve(&used, LEFT_ROOM, width))
		left[0] = '\0';
	if (!reserve(&used, AMOUNT_ROOM, width))
		amount[0] = '\0';
	if (!reserve(&used, RATE_ROOM, width))
		rate[0] = '\0';
	if (used + BAR_MIN + 3 <= width) {
		unsigned columns = width - (unsigned)used - 3;

		if (columns > BAR_MAX)
			columns = BAR_MAX;
		memset(bar, '-', columns);
		memset(bar, '#', columns * progress_percent(progress) / 100);
	}
	snprintf(to, size, "%s%s%s%s %3u %%%s%s%s%s%s%s", head, bar[0] ? " [" : "", bar,
		bar[0] ? "]" : "", progress_percent(progress), left[0] ? "  " : "", left,
		amount[0] ? "  " : "", amount, rate[0] ? "  " : "", rate);
	if (strlen(to) > width)
		to[width] = '\0';
	return to;
}

char *progress_line(const struct progress *progress, const char *name, struct progress_pace pace,
	char *to, size_t size)
{
	char amount[80], rate[32], left[32];

	if (!is_counted(progress, pace.part)) {
		snprintf(to, size, "%s: %s", name, phase_word(progress, pace.part));
		return to;
	}
	if (progress->phase == PHASE_ENTER) {
		snprintf(to, size, "%s: %s, try %" PRIu64 " of %" PRIu64, name,
			phase_to_string(progress->phase), progress->done, progress->total);
		return to;
	}
	amount_text(progress, amount, sizeof(amount));
	rate_text(progress, pace, rate, sizeof(rate));
	left_text(pace.left_msec, left, sizeof(left));
	snprintf(to, size, "%s: %s %u %%, %s%s%s%s%s", name, phase_word(progress, pace.part),
		progress_percent(progress), amount, rate[0] ? ", " : "", rate, left[0] ? ", " : "",
		left);
	return to;
}

void progress_view_begin(struct progress_view *view, FILE *to, const char *port, bool is_check)
{
	*view = (struct progress_view){
		.to = to, .is_terminal = terminal_is(to), .pace.is_check = is_check};
	units_port(port, view->name, sizeof(view->name));
}

/* Behind the first verify of a pass comes the last part, which tells no less than all as done. */
static enum progress_part part_of(const struct pace *pace, const struct progress *progress)
{
	if (!pace->has_verified)
		return PROGRESS_PART_MAIN;
	return progress->done < progress->total ? PROGRESS_PART_AGAIN : PROGRESS_PART_LAST;
}

static struct progress_pace pace_of(
	const struct progress_view *view, const struct progress *progress, uint64_t now)
{
	struct progress_pace pace = {.part = part_of(&view->pace, progress)};
	uint64_t end = (uint64_t)view->pace.expected_end_ms * USEC_PER_MSEC;

	if (end > now)
		pace.left_msec = (end - now) / USEC_PER_MSEC;
	if (progress->done < view->began_done)
		return pace;
	pace.bytes = progress->done - view->began_done;
	pace.usec = now - view->began;
	return pace;
}

static void draw_bar(struct progress_view *view, const struct progress *progress, uint64_t now,
	bool is_new_phase)
{
	char bar[TEXT_LINE];

	if (!is_new_phase && now - view->drawn < REDRAW_USEC &&
		!(progress->total && progress->done >= progress->total))
		return;
	progress_bar(progress, view->name, pace_of(view, progress, now),
		/* The last column would wrap on some terminals. */
		terminal_width(view->to) - 1, bar, sizeof(bar));
	fprintf(view->to, "\r%s\033[K", bar);
	fflush(view->to);
	view->drawn = now;
	view->is_drawn = true;
}

static void print_step(struct progress_view *view, const struct progress *progress, uint64_t now,
	bool is_new_phase)
{
	char line[TEXT_LINE];
	/* Tries are few, and each is told. */
	bool has_steps = is_counted(progress, part_of(&view->pace, progress)) &&
			 progress->phase != PHASE_ENTER;
	unsigned step = has_steps ? progress_percent(progress) / 10 : 0;

	if (!is_new_phase && step <= view->step)
		return;
	/* That a phase begins is told once; of one with a total the first step will do. */
	if (has_steps && step == 0)
		return;
	if (has_steps && progress->done < progress->total && now - view->drawn < LINE_USEC)
		return;
	view->step = step;
	view->drawn = now;
	fprintf(view->to, "%s\n",
		progress_line(
			progress, view->name, pace_of(view, progress, now), line, sizeof(line)));
	fflush(view->to);
}

void progress_view_show(struct progress_view *view, const struct progress *progress, uint64_t now)
{
	bool is_new_phase = progress->phase != view->phase;

	pace_take(&view->pace, progress, now, (int64_t)(now / USEC_PER_MSEC));
	if (is_new_phase) {
		view->phase = progress->phase;
		view->step = 0;
		view->is_counting = false;
	}
	if (!view->is_counting) {
		view->is_counting = progress->total > 0;
		view->began = now;
		view->began_done = progress->done;
	}
	if (view->is_terminal)
		draw_bar(view, progress, now, is_new_phase);
	else
		print_step(view, progress, now, is_new_phase);
}

void progress_view_say(struct progress_view *view, const char *text)
{
	progress_view_end(view);
	fprintf(view->to, "%s: %s\n", view->name, text);
	fflush(view->to);
}

void progress_view_end(struct progress_view *view)
{
	if (view->is_drawn)
		fputs("\r\033[K", view->to);
	view->is_drawn = false;
	fflush(view->to);
}
