/* SPDX-License-Identifier: MIT */
/*
 * clock.h - what time it is, asked here and nowhere else, and the wait for a time.
 *
 * It is a seam: a test defines these functions itself, and the linker takes its clock instead of
 * this one (tests/unit/virtual-clock.h, on which sd-event's timers run too). No test need wait.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Since some moment before the program began. It is never set: for deadlines and durations. */
uint64_t monotonic_usec(void);

/* Since the kernel was started, with the time that the machine was suspended. */
uint64_t uptime_usec(void);

/* Since 1970, the clock of files' times: it may be set, also back. Never for durations. */
int64_t realtime_usec(void);

/* Whether the kernel was told by somebody (NTP, a radio clock) that this clock is right. */
bool realtime_is_synchronized(void);

/* Comes back after so long, whatever signals arrive. */
void clock_sleep(uint64_t usec);

/* Milliseconds since 1970, for what is kept and shown. */
static inline int64_t wall_clock_msec(void)
{
	return realtime_usec() / 1000;
}
