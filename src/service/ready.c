/* SPDX-License-Identifier: MIT */
#include "service/ready.h"

#include <systemd/sd-daemon.h>

#include "base/util.h"

#define WAIT_USEC	    (500 * USEC_PER_MSEC)
#define TIMER_ACCURACY_USEC (20 * USEC_PER_MSEC)

void ready_done(struct ready *ready)
{
	ready->timer = sd_event_source_disable_unref(ready->timer);
}

void ready_tell(struct ready *ready)
{
	ready_done(ready);
	if (!ready->is_told)
		(void)sd_notify(0, "READY=1");
	ready->is_told = true;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	ready_tell(userdata);
	return 0;
}

void ready_begin(struct ready *ready, sd_event *event, bool is_waiting)
{
	if (!is_waiting || sd_event_add_time_relative(event, &ready->timer, CLOCK_MONOTONIC,
				   WAIT_USEC, TIMER_ACCURACY_USEC, on_timer, ready) < 0)
		ready_tell(ready);
}
