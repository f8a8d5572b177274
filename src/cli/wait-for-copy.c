/* SPDX-License-Identifier: MIT */
#include "cli/wait-for-copy.h"

#include "base/clock.h"
#include "base/util.h"

bool wait_for_copy(uint64_t *left_usec, int result, const struct library_choice *choice)
{
	uint64_t due = choice->due_usec;

	if (result != LIBRARY_AWAITED || due == 0 || due > *left_usec)
		return false;
	clock_sleep(due);
	*left_usec -= due;
	return true;
}
