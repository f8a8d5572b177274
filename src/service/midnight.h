/* SPDX-License-Identifier: MIT */
/*
 * midnight.h - wakes somebody once, when the wall clock gets to a time, or was set in the meantime.
 * Nothing polls, and without a time nothing wakes.
 */
#pragma once

#include <stdint.h>

#include <systemd/sd-event.h>

struct midnight {
	int fd; /* a timer of the kernel, which knows of the setting of the clock */
	sd_event_source *source;
	int64_t due_ms; /* 0: off */
	void (*callback)(void *userdata);
	void *userdata;
};

/* It is off. 0 or -errno. */
int midnight_init(struct midnight *midnight, sd_event *event, void (*callback)(void *userdata),
	void *userdata);

/* The same time once more changes nothing; 0 turns it off. After a call it is off. */
void midnight_set(struct midnight *midnight, int64_t due_ms);

/* Fine for one that is all zero. */
void midnight_done(struct midnight *midnight);
