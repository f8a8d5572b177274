/* SPDX-License-Identifier: MIT */
#include "service/look.h"

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

static void wait_for(struct look *look, uint64_t usec)
{
	look->usec = usec < MOST_USEC ? usec : MOST_USEC;
	(void)sd_event_source_set_time_relative(look->source, look->usec);
	(void)sd_event_source_set_enabled(look->source, SD_EVENT_ONESHOT);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct look *look = userdata;

	(void)source;
	(void)usec;
	if (look->enumerate(look->userdata) < 0) {
		wait_for(look, 2 * look->usec);
		return 0;
	}
	look->usec = 0;
	log_info("the bridges were looked up again: none is missed any more");
	return 0;
}

/* The timer is made now: it needs a descriptor, which may be just what there is none of then. */
int look_init(struct look *look, sd_event *event, int (*enumerate)(void *userdata), void *userdata)
{
	int r;

	*look = (struct look){.enumerate = enumerate, .userdata = userdata};
	r = sd_event_add_time_relative(
		event, &look->source, CLOCK_MONOTONIC, FIRST_USEC, 0, on_time, look);
	return r < 0 ? r : sd_event_source_set_enabled(look->source, SD_EVENT_OFF);
}

void look_done(struct look *look)
{
	look->source = sd_event_source_disable_unref(look->source);
}

void look_soon(struct look *look, int error)
{
	if (look->usec > 0)
		return;
	log_warning(
		"the host is short of memory or descriptors (%s): a bridge that comes now may be missed; all are looked up again once there is room",
		strerror(-error));
	wait_for(look, FIRST_USEC);
}

int look_for_lost(struct look *look)
{
	uint64_t now = monotonic_usec();
	int r;

	if (look->lost_entry_usec == 0 || now - look->lost_entry_usec >= LOST_ENTRY_USEC) {
		look->lost_entry_usec = now;
		log_event(LOG_WARNING, MESSAGE_EVENTS_LOST, NULL,
			"more device events came than could be taken and some are lost; all bridges are looked up again");
	}
	r = look->enumerate(look->userdata);
	if (r < 0 && decide_is_shortage(r)) {
		look_soon(look, r);
		return 0;
	}
	return r;
}
