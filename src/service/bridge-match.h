/* SPDX-License-Identifier: MIT */
/*
 * bridge-match.h - which rule a bridge has: asked of the configuration in force, and kept with the
 * rule's text, so that a reload that did not change the rule is told from one that did.
 */
#pragma once

#include "rules/config.h"
#include "rules/match.h"

struct job;

/*
 * Matches the bridge against the rules of the configuration of this number and notes the result in
 * the job. 0; BRIDGE_MATCH_CHANGED: the first result, or another than before; -ENOMEM.
 */
enum bridge_match {
	BRIDGE_MATCH_CHANGED = 1,
};

int bridge_match(
	struct job *job, const struct config *config, unsigned config_seq, struct match *ret);
