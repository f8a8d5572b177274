/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far a job is: a bar on a terminal, whole lines at steps of ten per cent
 * elsewhere.
 *
 * Log collectors and other programs read the second kind: no carriage returns in it, ever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "api/report.h"
#include "service/pace.h"

/* Of a write or a verify, which come more than once in a job. */
enum progress_part {
	PROGRESS_PART_MAIN,
	PROGRESS_PART_LAST,  /* what the chip starts by, held back until all else was verified */
	PROGRESS_PART_AGAIN, /* all of it, once more behind that */
	PROGRESS_PART_MAX,
};

/* The bytes and the time that the rate is made of; a resumed phase does not begin at 0. */
struct progress_pace {
	uint64_t bytes;
	uint64_t usec;
	uint64_t left_msec; /* until the end of the job, 0 not known */
	enum progress_part part;
};

/*
 * The bar, at most `width` columns: name, phase, bar, per cent, time left, amount and rate; what
 * has no room is left out. Returns `to`.
 */
char *progress_bar(const struct progress *progress, const char *name, struct progress_pace pace,
	unsigned width, char *to, size_t size);

/* The line: "ttyUSB0: write 30 %, 76.8 KiB of 256.0 KiB, 9.4 KiB/s". Returns `to`. */
char *progress_line(const struct progress *progress, const char *name, struct progress_pace pace,
	char *to, size_t size);

struct progress_view {
	FILE *to;
	bool is_terminal;
	bool is_drawn; /* a bar stands on the terminal's last line */
	char name[64];
	enum phase phase;
	bool is_counting;    /* the phase has told its total */
	uint64_t began;	     /* µs, monotonic, when it first did */
	uint64_t began_done; /* and how much was done then */
	uint64_t drawn;	     /* when the bar or the last line was */
	unsigned step;	     /* tens of per cent of the last line of this phase */
	struct pace pace;    /* of the whole job, by the monotonic clock alone */
};

/* `is_check`: nothing is written, so that the end of a comparison is the end. */
void progress_view_begin(struct progress_view *view, FILE *to, const char *port, bool is_check);

/* Shows it where there is something new to show. */
void progress_view_show(struct progress_view *view, const struct progress *progress, uint64_t now);

/* A line of text of its own, with the port's name before it; a bar is drawn again below it. */
void progress_view_say(struct progress_view *view, const char *text);

/* Takes the bar away, so that what follows begins a line. */
void progress_view_end(struct progress_view *view);
