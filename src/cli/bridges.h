/* SPDX-License-Identifier: MIT */
/* bridges.h - the bridges that are plugged in, and what the rules say of each. Opens no port. */
#pragma once

#include "rules/match.h"

struct bridge {
	const struct facts *facts;
	const char *slot; /* name of its socket, "" none; of the configuration */
	enum match_result result;
	struct match match;
};

struct bridges {
	struct facts *facts;
	struct bridge *items;
	size_t n_items;
};

/* In order of their ports. 0 or -errno. */
int bridges_load(const struct config *config, struct bridges *ret);

void bridges_done(struct bridges *bridges);

/* "gate", "no rule", "ambiguous: gate, door"; the names escaped. Returns `to`. */
char *bridge_rule_text(const struct bridge *bridge, char *to, size_t size);

/* "ttyUSB0 (gate), ttyUSB1 (no rule)", or "none". Returns `to`. */
char *bridges_text(const struct bridges *bridges, char *to, size_t size);

/* Whether no other bridge has the same serial, and it is not the one they leave the factory with.
 */
bool bridge_has_own_serial(const struct bridges *bridges, const struct facts *facts);
