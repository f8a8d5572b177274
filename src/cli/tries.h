/* SPDX-License-Identifier: MIT */
/*
 * tries.h - finds out by which circuit the boot loader of a board is reached: a probe for each, one
 * after the other, told on standard error before it is made. Nothing is erased.
 */
#pragma once

#include "cli/finder.h"
#include "cli/work.h"

struct tries {
	struct options options; /* of the last probe */
	struct finder finder;
	struct work work; /* its session tells of the board that was found, or why none was */
};

/*
 * Takes the bridge of --port or --slot from the service, and tries until one circuit is left, or
 * none. The report of the session tells how it ended; the circuit is finder_found(). Free with
 * tries_done(), which gives the bridge back, either way.
 */
void tries_run(const char *verb, const struct options *options, const struct circuit_list *list,
	struct tries *ret);

void tries_done(struct tries *tries);
