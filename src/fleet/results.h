/* SPDX-License-Identifier: MIT */
/*
 * results.h - what became of an image on the units of this gateway, and whether that is reason to
 * give it to no further one. Pure: all of it follows from what the service knows of its units.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "fleet/board.h"
#include "fleet/settings.h"

/* Units of one board, each counted once. */
struct results {
	unsigned n_units;  /* that the service knows */
	unsigned n_chosen; /* whose share is below the percent of the wish */
	unsigned n_have;   /* hold the image whole */
	unsigned n_failed; /* failed with it at last, in a way that may be the image's doing */
};

void results_count(const struct unit_list *units, const char *board, const char *sha256,
	unsigned percent, struct results *ret);

/*
 * Whether the failures reach a limit. `n_tolerated` of them are known to the owner, who let the
 * rollout go on. One failure alone is no share where other units are to follow. The reason says
 * which limit, and what to do.
 */
bool results_are_bad(const struct results *results, const struct fleet_rollout *limit,
	unsigned n_tolerated, struct reason *reason);
