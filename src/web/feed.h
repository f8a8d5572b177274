/* SPDX-License-Identifier: MIT */
/*
 * feed.h - the streams of server-sent events: each listener has the whole state at once, and
 * again after each change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "web/http.h"

#define FEED_MAX_STREAMS 64

struct feed;

struct feed_callbacks {
	/* The state of now, on one line, for free(). 0 or -errno. */
	int (*document)(void *userdata, char **ret);
	void *userdata;
};

int feed_new(sd_event *event, const struct feed_callbacks *callbacks, struct feed **ret);

/* Its streams must be gone (http_free()). Takes NULL. */
struct feed *feed_free(struct feed *feed);

/* The state is another than before. The document is asked for when its time has come. */
void feed_change(struct feed *feed);

/* Whether there is no room for another stream. */
bool feed_is_full(const struct feed *feed);

/* Answers the request with a stream. 0, or -errno and it is still to be answered. */
int feed_open(struct feed *feed, struct http_request *request);
