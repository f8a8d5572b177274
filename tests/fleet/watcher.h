/* SPDX-License-Identifier: MIT */
/*
 * watcher.h - the fleet's owner at his desk: mosquitto_sub, which hears everything, and
 * mosquitto_pub, by which wishes and commands are published.
 */
#pragma once

#include "fleet/farm.h"

struct watcher;

/* What came; NUL-terminated, and the watcher's. */
typedef void watcher_heard(void *userdata, const char *topic, const char *payload);

/*
 * Subscribes to all with QoS 1 and a session that the broker keeps. `on_heard` may be NULL. Comes
 * back when it is subscribed: nothing that is published from then on is missed.
 */
struct watcher *watcher_new(
	struct farm *farm, const char *id, watcher_heard *on_heard, void *userdata);
struct watcher *watcher_free(struct watcher *watcher);

/* The last payload of that topic; "" where it was taken away, NULL: nothing ever came. */
const char *watcher_payload(const struct watcher *watcher, const char *topic);

/* Messages so far, and their bytes. */
size_t watcher_count(const struct watcher *watcher);
size_t watcher_bytes(const struct watcher *watcher);
double watcher_cpu_msec(const struct watcher *watcher);

/* ----------------------------------------------------------------------------- values */

/* The text of that key of the outermost object, or of a number its digits, or "true", "false",
 * "null"; "" where there is none. A payload that is no JSON of ours ends the test. */
#define VALUE_MAX 512
const char *value_of(const char *payload, const char *key, char to[VALUE_MAX]);
bool value_is(const char *payload, const char *key, const char *text);
int64_t value_number(const char *payload, const char *key);

/* -------------------------------------------------------------------------- publishing */

/* Comes back when the broker has it. NULL payload: what is retained there is taken away. */
void publish(struct farm *farm, const char *topic, const char *payload, bool is_retained);
