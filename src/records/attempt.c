/* SPDX-License-Identifier: MIT */
#include "records/attempt.h"

#include "base/clock.h"

void attempt_begin(struct attempt *attempt, const char *id)
{
	snprintf(attempt->id, sizeof(attempt->id), "%s", id);
	attempt->is_open = true;
	attempt->started_usec = monotonic_usec();
	attempt->n_retries = 0;
	attempt->last = (struct report){0};
	attempt->has_begun_erase = false;
	attempt->note = (struct attempt_note){.started_ms = wall_clock_msec()};
	if (!attempt_goes_back(attempt))
		attempt_drop_rollback(attempt);
}

void attempt_begin_rollback(struct attempt *attempt)
{
	attempt->rollback.state = ROLLBACK_BEGUN;
}

void attempt_drop_rollback(struct attempt *attempt)
{
	attempt->rollback = (struct rollback){0};
}

bool attempt_goes_back(const struct attempt *attempt)
{
	return attempt->rollback.state == ROLLBACK_BEGUN;
}
