/* SPDX-License-Identifier: MIT */
/* screen-private.h - what the files of the screen share. */
#pragma once

#include "cli/screen-text.h"
#include "cli/screen.h"

/* Of what stands below a line that it belongs to. */
#define SCREEN_INDENT  4
#define SCREEN_BAR_MAX 24

/* Columns of each cell of a row; 0: there is none. */
struct columns {
	unsigned slot, board, unit, detail, time;
};

struct screen_making {
	const struct state *state;
	const struct screen_look *look;
	struct columns columns;
	bool counts_seconds;
};

/* Its lines are needed for the slots. */
static inline bool screen_is_small(const struct screen_making *making)
{
	return making->state->n_slots > 0 && making->look->height > 0 && making->look->height < 16;
}

/* The lines about the service itself. */
void screen_put_head(FILE *to, const struct screen_making *making);
