/* SPDX-License-Identifier: MIT */
/*
 * inhibitor.h - logind is asked to wait with sleep and shutdown while boards are flashed, and says
 * when the host is about to go down.
 *
 * A delay, not a block: the host waits, and no longer than its InhibitDelayMaxSec. Connected to the
 * bus only while there is something to flash. Nothing here waits: without a bus, without a logind,
 * or with one that does not answer, that is said once, and boards are flashed all the same.
 */
#pragma once

#include <stdbool.h>

#include <systemd/sd-event.h>

struct inhibitor;

enum inhibitor_need {
	INHIBITOR_IDLE,	 /* there is nothing to flash */
	INHIBITOR_READY, /* there is, but not now */
	INHIBITOR_HOLD,	 /* a board is flashed, or about to be: the host is to wait */
};

enum inhibitor_word {
	INHIBITOR_GO,	      /* the host waits, or nobody can ask it to */
	INHIBITOR_ASKING,     /* the answer is under way; no longer than a second */
	INHIBITOR_GOING_DOWN, /* it is about to sleep or shut down: nothing new is begun */
};

struct inhibitor_callbacks {
	void (*on_change)(void *userdata); /* inhibitor_word() may be another */
	void *userdata;
};

/* 0 or -ENOMEM. */
int inhibitor_new(
	sd_event *event, const struct inhibitor_callbacks *callbacks, struct inhibitor **ret);

/* The host need not wait any more. NULL is fine. */
struct inhibitor *inhibitor_free(struct inhibitor *inhibitor);

/* Takes or gives back what the need asks for; NULL is fine. Makes no callback. */
void inhibitor_set_need(struct inhibitor *inhibitor, enum inhibitor_need need);

/* NULL: INHIBITOR_GO. */
enum inhibitor_word inhibitor_word(const struct inhibitor *inhibitor);
