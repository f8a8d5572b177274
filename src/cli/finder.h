/* SPDX-License-Identifier: MIT */
/*
 * finder.h - which circuit is tried next, and what all tries together mean. Pure: it opens nothing.
 *
 *	finder_begin()
 *	while ((circuit = finder_next(&finder)))
 *		finder_take(&finder, circuit, report of a probe by it, with is_guess);
 *	finder_found(), or finder_explain()
 */
#pragma once

#include "api/report.h"
#include "cli/circuits.h"
#include "rules/wiring.h"

/* A board that may be the one: its circuit, and whether the chip stays in its boot loader by
 * itself, empty or with BOOT0 set. */
struct finder_board {
	size_t circuit; /* in the list */
	bool stays;
	bool is_refuted; /* something was seen that it would not have done */
	enum finder_chip {
		FINDER_CHIP_RESET,
		FINDER_CHIP_RUNS, /* its application */
		FINDER_CHIP_WAITS,
		FINDER_CHIP_MET,  /* in its boot loader, and spoken to */
		FINDER_CHIP_DEAF, /* in it, and spoken to in a way that only a reset ends */
	} chip;
};

struct finder {
	struct circuit_list list;
	struct wiring wirings[CIRCUITS_MAX];
	bool was_tried[CIRCUITS_MAX], was_met[CIRCUITS_MAX];
	struct finder_board boards[2 * CIRCUITS_MAX];
	size_t n_boards;

	size_t last_try, found; /* in the list; the second where is_found */
	bool is_found;
	bool is_over;	     /* the port is not to be had, or nobody may go on */
	enum outcome ending; /* why */
	/* What was heard by those that led nowhere. */
	unsigned n_silent, n_text, n_bytes;
	const struct circuit *last_text; /* the last that heard text */
	struct reason last;		 /* of that try, else of the last one; "" none */
	struct reason other;		 /* the text of another kind of chip; "" none was heard */
};

void finder_begin(struct finder *finder, const struct circuit_list *list);

/* The one to be tried now; NULL: that is over. */
const struct circuit *finder_next(struct finder *finder);

/* Takes how the try by this circuit has ended. */
void finder_take(struct finder *finder, const struct circuit *circuit, const struct report *report);

/* The circuit of the board, or NULL. */
const struct circuit *finder_found(const struct finder *finder);

/* Whether other circuits would have answered in the same way: an application in the chip tells. */
bool finder_is_in_doubt(const struct finder *finder);

/* Where none was found: what was heard, what that means, and what to do. */
void finder_explain(const struct finder *finder, struct reason *ret);
