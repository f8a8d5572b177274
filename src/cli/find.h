/* SPDX-License-Identifier: MIT */
/* find.h - what each rule finds in the image directory, and what is to be said of it. */
#pragma once

#include "api/report.h"
#include "image/library.h"
#include "rules/config.h"

/* One rule. */
struct find {
	const struct board *board; /* borrowed */
	struct library_list list;
	struct library_choice choice;
	int result;	      /* of library_list() */
	enum outcome outcome; /* OUTCOME_MAX: the image that was chosen is good */
	struct report report; /* of that image; the reason where there is none to be had */
};

struct finds {
	struct find *items;
	size_t n_items;
};

/* Looks for each rule, and reads the image that it would get. 0 or -errno. */
int finds_load(
	const struct config *config, const char *chips, const char *chips_dir, struct finds *ret);

void finds_done(struct finds *finds);

/* "chosen", "refused", "awaited", "older", "equal", "unsure", "passed over". */
const char *find_state(const struct find *find, const struct library_candidate *candidate);

/* Why the candidate is not to be had, or NULL. */
const char *find_why(const struct find *find, const struct library_candidate *candidate);
