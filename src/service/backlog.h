/* SPDX-License-Identifier: MIT */
/*
 * backlog.h - entries that the journal did not take at once: sent on from the event loop when it
 * takes them again, and said how many were lost.
 */
#pragma once

#include <systemd/sd-event.h>

struct backlog {
	sd_event *event; /* borrowed */
	sd_event_source *post_source;
	sd_event_source *source; /* NULL: no entry waits for the journal */
	int fd;			 /* whose copy the source has: the log may close its own */
};

/* 0 or -errno. */
int backlog_init(struct backlog *backlog, sd_event *event);
void backlog_done(struct backlog *backlog);
