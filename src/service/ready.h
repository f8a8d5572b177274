/* SPDX-License-Identifier: MIT */
/*
 * ready.h - systemd is told that the service is ready: once whoever calls next finds it on the bus,
 * and after half a second in any case. Boards do not wait for this.
 */
#pragma once

#include <stdbool.h>

#include <systemd/sd-event.h>

/* Begins as all zero. */
struct ready {
	sd_event_source *timer;
	bool is_told;
};

/* `is_waiting`: for ready_tell(); else it is told now. */
void ready_begin(struct ready *ready, sd_event *event, bool is_waiting);

/* Nothing is waited for any more. Once; the second changes nothing. */
void ready_tell(struct ready *ready);

void ready_done(struct ready *ready);
