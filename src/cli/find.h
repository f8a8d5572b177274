/* SPDX-License-Identifier: MIT */
/* find.h - what each rule finds in the image directory, and what is to be said of it. */
#pragma once

#include "flash/survey.h"
#include "rules/config.h"

struct finds {
	struct survey *items;
	size_t n_items;
};

/* Looks for each rule, and reads the image that it would get. 0 or -errno. */
int finds_load(
	const struct config *config, const char *chips, const char *chips_dir, struct finds *ret);

void finds_done(struct finds *finds);
