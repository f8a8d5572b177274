/* SPDX-License-Identifier: MIT */
/*
 * image-cache.h - what each rule finds in the image directory, while it changes: asks the library,
 * and says once what is being waited for and what went away.
 */
#pragma once

#include <stddef.h>

#include "image/library.h"
#include "rules/config.h"
#include "service/watch.h"

/* One rule. */
struct shelf {
	char *board;
	unsigned look; /* number of the look it is of, and when that was */
	uint64_t looked_usec;
	int result; /* of library_choose() */
	struct library_choice choice;
	struct reason reason;
	uint64_t waits_since_usec; /* for a file, whichever; 0: for none */
	char *said; /* file that is being waited for, "" for one that went away; NULL: nothing */
};

struct shelves {
	struct shelf *items;
	size_t n_items;
	unsigned n_looks;
};

void shelves_done(struct shelves *shelves);

/* Begins another look, after a change: what was found before is asked for again. */
void shelves_look_again(struct shelves *shelves);

/*
 * What the rule finds, asked once a look, and again while a change settles and where that was a
 * second ago: not every change is told of (NFS), and to go through thousands of manifests takes a
 * tenth of a second. What changed since is found out when the image is loaded. Without a watch it
 * is asked each time. The shelf is the shelves', and good until the next call; NULL without memory.
 */
const struct shelf *shelves_find(struct shelves *shelves, const struct config *config,
	const struct board *board, struct watch *watch);

/* The same, and nobody in particular waits: said once where an image is not there any more. */
void shelf_tell_loss(struct shelves *shelves, const struct shelf *shelf);
