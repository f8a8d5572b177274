/* SPDX-License-Identifier: MIT */
/*
 * rule.h - the rule a command runs by: one of the configuration with what the options change, or
 * one that the options make up alone.
 *
 * Both go through the parser of the configuration, so that an option means what the key of its name
 * means and is refused with the same words.
 */
#pragma once

#include "cli/options.h"
#include "flash/assignment.h"
#include "rules/config.h"

/* How a rule out of options alone is called. */
#define RULE_OF_COMMAND ASSIGNMENT_NO_RULE

/* The protocol that the options name, or that follows from them; NULL: the usual one. */
const char *rule_protocol(const struct options *options);

/*
 * `rule` NULL: out of the options alone, with `chips` (a list as the key takes it) where they do
 * not name a chip. 0; OUTCOME_BAD_CONFIG with problems that name the options' keys; -errno. Free
 * `ret` with board_done().
 */
int rule_make(const struct board *rule, const struct options *options, const char *chips,
	struct board *ret, struct ini_problems *problems);

/*
 * Every product id of the chip table as one list, for a probe that does not know the chip yet:
 * those of the family that `protocol` leads to, NULL being the usual one. 0, and `ret` is left
 * alone where the protocol has no chips; OUTCOME_BAD_CONFIG with problems; -errno.
 */
int rule_any_chip(const char *chips, const char *chips_dir, const char *protocol, char **ret,
	struct ini_problems *problems);
