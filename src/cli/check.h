/* SPDX-License-Identifier: MIT */
/* check.h - a configuration with everything that is to be said of it. */
#pragma once

#include "image/library.h"
#include "rules/config.h"

/* The image that a rule finds now. */
struct check_image {
	char *name; /* NULL: none, and why */
	char *version;
	struct reason reason;
};

struct check {
	struct config config;
	struct ini_problems problems;
	struct ini_problems warnings; /* no mistakes, and worth a thought */
	struct ini_problems notes;    /* as it should be, where somebody wants it so */
	struct check_image *images;   /* one a board */
	struct reason keys;	      /* why no signature can be good; "": they can, or need not */
	bool is_good;
};

/* Reads all of it. 0, also where there are problems; -errno. */
int check_load(const char *configuration, const char *chips, struct check *ret);

/* Adds to the warnings of a good configuration what does nothing, or not what was meant: files that
 * are not read, rules that fit no bridge or always tie, slots without a rule, a program that cannot
 * be run; and to the notes that there are no rules. 0 or -ENOMEM. */
int check_rules(struct check *check, const char *configuration);

void check_done(struct check *check);
