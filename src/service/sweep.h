/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - looks at all bridges again, once the host has room: one that came while memory or
 * descriptors were short may have been missed, and no event tells of it a second time.
 */
#pragma once

#include <stdint.h>

#include <systemd/sd-event.h>

struct sweep {
	sd_event_source *source;
	uint64_t usec; /* of the wait that runs, 0: none does */
	uint64_t lost_entry_usec;
	int (*enumerate)(void *userdata); /* 0, or -errno: it is tried again */
	void *userdata;
};

/* 0 or -errno. */
int sweep_init(
	struct sweep *sweep, sd_event *event, int (*enumerate)(void *userdata), void *userdata);
void sweep_done(struct sweep *sweep);

/* In a second, and after each failure in twice as long, 30 s at most. Said once. */
void sweep_soon(struct sweep *sweep, int error);

/* At once, since events are lost; that is said once a minute at most. 0 or -errno. */
int sweep_for_lost(struct sweep *sweep);
