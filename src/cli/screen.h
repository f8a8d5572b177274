/* SPDX-License-Identifier: MIT */
/*
 * screen.h - the state of the service as lines of text, for `status` and `monitor`. Pure: a state
 * and a size go in, lines come out.
 */
#pragma once

#include "api/state.h"

struct screen_look {
	unsigned width;	  /* columns; no line is longer */
	unsigned height;  /* lines, 0: as many as it takes */
	bool has_colours; /* the lines have sequences that show them */
	bool is_live;	  /* it is waited for a service that is not there */
};

struct screen {
	char **lines; /* without line ends */
	size_t n_lines;
	/* Something on it counts seconds, so that it is another one in a second. */
	bool counts_seconds;
};

/*
 * The service first, then a row a slot with the reason and the next step below those that are not
 * well. Where the rows are more than the lines, the bad and the working ones come first, and the
 * last line counts those that are left out. 0 or -ENOMEM.
 */
int screen_make(const struct state *state, const struct screen_look *look, struct screen *ret);

/* For CLEANUP(), too. */
void screen_done(struct screen *screen);
