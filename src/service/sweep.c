/* SPDX-License-Identifier: MIT */
/*
 * sweep.c - when all bridges are looked up again: at once where events were lost; in a second where
 * the host is short of memory or descriptors, and then after twice as long each time, up to 30 s.
 */
#include "service/sweep.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "records/decide.h"

#define FIRST_USEC USEC_PER_SEC
#define MOST_USEC  (30 * USEC_PER_SEC)

/* A storm of events loses some again and again: each is made good, not each gets an entry. */
#define LOST_ENTRY_USEC (60 * USEC_PER_SEC)

static void wait_for(struct sweep *sweep, uint64_t usec)
{
	sweep->usec = usec < MOST_USEC ? usec : MOST_USEC;
	(void)sd_event_source_set_time_relative(sweep->source, sweep->usec);
	(void)sd_event_source_set_enabled(sweep->source, SD_EVENT_ONESHOT);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct sweep *sweep = userdata;

	(void)source;
	(void)usec;
	if (sweep->enumerate(sweep->userdata) < 0) {
		wait_for(sweep, 2 * sweep->usec);
		return 0;
	}
	sweep->usec = 0;
	log_info("the bridges were looked up again: none is missed any more");
	return 0;
}

/* The timer is made now: it needs a descriptor, which may be just what there is none of then. */
int sweep_init(
	struct sweep *sweep, sd_event *event, int (*enumerate)(void *userdata), void *userdata)
{
	int r;

	*sweep = (struct sweep){.enumerate = enumerate, .userdata = userdata};
	r = sd_event_add_time_relative(
		event, &sweep->source, CLOCK_MONOTONIC, FIRST_USEC, 0, on_time, sweep);
	return r < 0 ? r : sd_event_source_set_enabled(sweep->source, SD_EVENT_OFF);
}

void sweep_done(struct sweep *sweep)
{
	sweep->source = sd_event_source_disable_unref(sweep->source);
}

void sweep_soon(struct sweep *sweep, int error)
{
	if (sweep->usec > 0)
		return;
	log_warning(
		"the host is short of memory or descriptors (%s): a bridge that comes now may be missed; all are looked up again once there is room",
		strerror(-error));
	wait_for(sweep, FIRST_USEC);
}

int sweep_for_lost(struct sweep *sweep)
{
	uint64_t now = monotonic_usec();
	int r;

	if (sweep->lost_entry_usec == 0 || now - sweep->lost_entry_usec >= LOST_ENTRY_USEC) {
		sweep->lost_entry_usec = now;
		log_event(LOG_WARNING, MESSAGE_EVENTS_LOST, NULL,
			"more device events came than could be taken and some are lost; all bridges are looked up again");
	}
	r = sweep->enumerate(sweep->userdata);
	if (r < 0 && decide_is_shortage(r)) {
		sweep_soon(sweep, r);
		return 0;
	}
	return r;
}
