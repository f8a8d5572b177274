/* SPDX-License-Identifier: MIT */
/*
 * match.h - facts and rules to one rule, none, or a tie. Pure: no device, no file.
 */
#pragma once

#include "base/text.h"
#include "rules/config.h"
#include "rules/facts.h"

enum match_result {
	MATCH_ONE,
	MATCH_NONE,
	MATCH_AMBIGUOUS,
};

struct match {
	const struct board *board; /* MATCH_ONE: the rule; MATCH_AMBIGUOUS: one of the tie */
	const struct board *other; /* MATCH_AMBIGUOUS: the other */
};

/*
 * The rule with the most keys that fit wins (usb-id as given by the rule counts as one key, each
 * glob as one, and a list of slots as one); two with as many are ambiguous, whatever their order.
 * `ret` points into `config`. Bridges whose ids are in none of the known CP210x ids match only
 * rules that name their usb-id.
 */
enum match_result match_board(
	const struct config *config, const struct facts *facts, struct match *ret);

/* A rule that does not fit, and the first of its keys that do not. */
struct match_miss {
	const struct board *board; /* points into the configuration */
	const char *key;
	char wanted[TEXT_MAX],
		found[TEXT_MAX]; /* escaped; the second "" where the bridge has none */
};

/* The rule of which the fewest keys do not fit, the first of these. False: there is no rule. */
bool match_nearest(const struct config *config, const struct facts *facts, struct match_miss *ret);

/* Whether the ids are of a bridge the cp210x driver binds by Silicon Labs' own ids. */
bool match_is_known_bridge(uint16_t vendor, uint16_t product);
