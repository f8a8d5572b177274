/* SPDX-License-Identifier: MIT */
/*
 * look.h - looks at all bridges again, once the host has room: one that came while memory or
 * descriptors were short may have been missed, and no event tells of it a second time.
 */
#pragma once

#include <stdint.h>

#include <systemd/sd-event.h>

struct look {
	sd_event_source *source;
	uint64_t usec; /* of the wait that runs, 0: none does */
	uint64_t lost_entry_usec;
	int (*enumerate)(void *userdata); /* 0, or -errno: it is tried again */
	void *userdata;
};

/* 0 or -errno. */
int look_init(struct look *look, sd_event *event, int (*enumerate)(void *userdata), void *userdata);
void look_done(struct look *look);

/* In a second, and after each failure in twice as long, 30 s at most. Said once. */
void look_soon(struct look *look, int error);

/* At once, since events are lost; that is said once a minute at most. 0 or -errno. */
int look_for_lost(struct look *look);
