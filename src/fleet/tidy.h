/* SPDX-License-Identifier: MIT */
/*
 * tidy.h - what becomes of the images that this process brought, at the end of each turn: which are
 * given to no further unit, and which are removed. For wishes.c only.
 */
#pragma once

#include <stdbool.h>

#include "fleet/errand.h"

/*
 * No unit gets an image but by a good wish in force for its board, whatever happened since it was
 * offered: the wish was taken back, its group was taken out of the configuration, the process was
 * killed. `errand` and `wished` are those of the item's board now; NULL: nothing is desired for it.
 * The item may be gone then. False: that could not be done, and is to be tried again.
 */
bool tidy_withdraw(struct household *house, const struct errand *errand,
	const struct desired_item *wished, const struct shelf_item *item);

/* Removes what no wish names, no unit holds or would go back to, and none of tomorrow is to get. */
void tidy_remove(struct household *house);
