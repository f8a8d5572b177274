/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
#include <sys/timex.h>
#include <time.h>

#include "base/util.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return usec_of(&now);
}

uint64_t monotonic_usec(void)
{
	return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

uint64_t uptime_usec(void)
{
	return (uint64_t)read_clock(CLOCK_BOOTTIME);
}

int64_t realtime_usec(void)
{
	return read_clock(CLOCK_REALTIME);
}

bool realtime_is_synchronized(void)
{
	struct timex state = {0};

	return adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
}

void clock_sleep(uint64_t usec)
{
	struct timespec left = {
		.tv_sec = (time_t)(usec / USEC_PER_SEC),
		.tv_nsec = (long)(usec % USEC_PER_SEC * NSEC_PER_USEC),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}
