/* SPDX-License-Identifier: MIT */
/*
 * rule-check.h - what of a configuration can only be checked beside the chip table: a chip that no
 * row names is a typing mistake, and better found when the file is read than when a board is
 * plugged in.
 */
#pragma once

#include "rules/config.h"

/*
 * Adds a problem, with file and line, for each entry of a rule's `chip` that the table does not
 * have. The table is read for this and freed again. 0, OUTCOME_BAD_CONFIG where there are problems
 * (those of the table itself as well), or -errno.
 *
 * `warnings`, which may be NULL, gets what is no mistake and will be regretted: a rule whose jobs
 * cannot succeed.
 */
int config_check_chips(const struct config *config, const char *chips, const char *chips_dir,
	struct ini_problems *problems, struct ini_problems *warnings);
