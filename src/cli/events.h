/* SPDX-License-Identifier: MIT */
/*
 * events.h - what happens at the service, a line an event: for `monitor` where it has no terminal,
 * and as JSON lines.
 */
#pragma once

#include <stdio.h>

#include "api/client.h"

struct events {
	FILE *to;
	bool is_json;
	/* What was told last: by path of the bridge its state and the time of its last end, by path
	 * of the job its phase. */
	struct dict states, ends, phases;
	/* Bridges whose last end was told, and will come once more. */
	struct dict told;
	char *service; /* the line */
};

/* A zeroed one with `to` and `is_json` is ready. */
void events_done(struct events *events);

/* All write and flush whole lines. 0 or -errno: the reader is gone, or there is no memory. */
int events_presence(struct events *events, const struct client *client);
int events_change(struct events *events, const struct client *client,
	const struct client_object *object, enum client_change change);
int events_job_removed(struct events *events, const struct client *client, const char *path,
	const char *outcome, const struct dict *report);
