/* SPDX-License-Identifier: MIT */
/*
 * progress.c - one view of a job for people, one for logs.
 *
 * On a terminal a bar is redrawn in the last line, at most each 80 ms, so that a slow connection
 * keeps up. Elsewhere a whole line is written when a phase begins without a known total, and at
 * each ten per cent of one that has a total: a log collector shows no carriage returns. The rate is
 * that of the phase since it first told its total; a phase that is resumed after a retry does not
 * count the bytes of before.
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
#define TEXT_LINE 200

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

char *progress_bar(const struct progress *progress, const char *name, struct progress_pace pace,
	unsigned width, char *to, size_t size)
{
	char head[96], amount[80] = "", rate[32] = "", bar[BAR_MAX + 1] = "";
	size_t used;

	if (progress->phase == PHASE_ENTER && progress->total > 0) {
		snprintf(head, sizeof(head), "%s %-8s try %" PRIu64 " of %" PRIu64, name,
			phase_to_string(progress->phase), progress->done, progress->total);
		snprintf(to, size, "%.*s", (int)width, head);
		return to;
	}
	snprintf(head, sizeof(head), "%s %-8s", name, phase_to_string(progress->phase));
	if (progress->total == 0) {
		snprintf(to, size, "%.*s", (int)width, head);
		return to;
	}
	amount_text(progress, amount, sizeof(amount));
	rate_text(progress, pace, rate, sizeof(rate));

	/* "HEAD  45 %" always; then, where there is room, the bar, the amount, the rate. */
	used = strlen(head) + strlen(" 100 %");
	if (used + strlen("  ") + strlen(amount) + strlen("  ") + strlen(rate) + BAR_MIN + 3 >
		width)
		rate[0] = '\0';
	if (used + strlen("  ") + strlen(amount) + BAR_MIN + 3 > width)
		amount[0] = '\0';
	used += strlen(amount) + strlen(rate) + (amount[0] ? 2 : 0) + (rate[0] ? 2 : 0);
	if (used + BAR_MIN + 3 <= width) {
		unsigned columns = width - (unsigned)used - 3;

		if (columns > BAR_MAX)
			columns = BAR_MAX;
		memset(bar, '-', columns);
		memset(bar, '#', columns * progress_percent(progress) / 100);
	}
	snprintf(to, size, "%s%s%s%s %3u %%%s%s%s%s", head, bar[0] ? " [" : "", bar,
		bar[0] ? "]" : "", progress_percent(progress), amount[0] ? "  " : "", amount,
		rate[0] ? "  " : "", rate);
	if (strlen(to) > width)
		to[width] = '\0';
	return to;
}

char *progress_line(const struct progress *progress, const char *name, struct progress_pace pace,
	char *to, size_t size)
{
	char amount[80], rate[32];

	if (progress->total == 0) {
		snprintf(to, size, "%s: %s", name, phase_to_string(progress->phase));
		return to;
	}
	if (progress->phase == PHASE_ENTER) {
		snprintf(to, size, "%s: %s, try %" PRIu64 " of %" PRIu64, name,
			phase_to_string(progress->phase), progress->done, progress->total);
		return to;
	}
	amount_text(progress, amount, sizeof(amount));
	rate_text(progress, pace, rate, sizeof(rate));
	snprintf(to, size, "%s: %s %u %%, %s%s%s", name, phase_to_string(progress->phase),
		progress_percent(progress), amount, rate[0] ? ", " : "", rate);
	return to;
}

void progress_view_begin(struct progress_view *view, FILE *to, const char *port)
{
	*view = (struct progress_view){.to = to, .is_terminal = terminal_is(to)};
	units_port(port, view->name, sizeof(view->name));
}

static struct progress_pace pace_of(
	const struct progress_view *view, const struct progress *progress, uint64_t now)
{
	if (progress->done < view->began_done)
		return (struct progress_pace){0};
	return (struct progress_pace){progress->done - view->began_done, now - view->began};
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
	bool is_counted = progress->total > 0 && progress->phase != PHASE_ENTER;
	unsigned step = is_counted ? progress_percent(progress) / 10 : 0;

	if (!is_new_phase && step <= view->step)
		return;
	/* That a phase begins is told once; of one with a total the first step will do. */
	if (is_counted && step == 0)
		return;
	if (is_counted && progress->done < progress->total && now - view->drawn < LINE_USEC)
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
