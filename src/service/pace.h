/* SPDX-License-Identifier: MIT */
/*
 * pace.h - how far a try of an attempt has got, how fast it is, and when it may be expected to end,
 * by the lines of progress of its worker. Pure: time is an argument.
 *
 * What is not known is 0, and not guessed: a flash that is being compared may be current in a
 * moment, or have all its work before it. The numbers come from a process that nobody vouches for,
 * and may be any.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/report.h"

/* Begins as all zero but for `is_check`, with each try. */
struct pace {
	bool is_check; /* it compares or identifies, and writes nothing */

	enum phase phase;
	uint64_t began_usec; /* first line of the phase, and where it stood then */
	uint64_t began_done;
	uint64_t rate;		 /* bytes a second in this phase, 0 not known */
	uint64_t read_rate;	 /* the same, of the phase that read last */
	bool has_verified;	 /* what follows in this pass is short */
	double progress;	 /* 0 to 1, of all of it; never less than before in one pass */
	int64_t expected_end_ms; /* by the clock of `now_ms`, 0 not known */
};

/* Takes a line of progress that came now, by the monotonic clock, and by the one that the end is to
 * be told by: of the service that of the wall. */
void pace_take(
	struct pace *pace, const struct progress *progress, uint64_t now_usec, int64_t now_ms);
