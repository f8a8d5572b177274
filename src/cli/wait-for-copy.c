/* SPDX-License-Identifier: MIT */
#include "cli/wait-for-copy.h"

#include <errno.h>
#include <time.h>

#include "base/util.h"

bool patience_wait(uint64_t *left_usec, int result, const struct library_choice *choice)
{
	uint64_t due = choice->due_usec;
	struct timespec left = {
		.tv_sec = (time_t)(due / USEC_PER_SEC),
		.tv_nsec = (long)(due % USEC_PER_SEC * NSEC_PER_USEC),
	};

	if (result != LIBRARY_AWAITED || due == 0 || due > *left_usec)
		return false;
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
	*left_usec -= due;
	return true;
}
