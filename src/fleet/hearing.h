/* SPDX-License-Identifier: MIT */
/*
 * hearing.h - what this gateway hears at the broker: it subscribes to its topics with each
 * connection, and says when all that is retained there has come.
 *
 * A wish that was taken back while this gateway was away makes no message: it is what does not come
 * again. That is concluded with care: once all subscriptions are answered, no wish has come for a
 * minute, and the broker has then answered one more subscription, so that what it sent before is
 * here, however slow the line. A topic that the broker refuses says nothing about its wishes.
 */
#pragma once

#include <systemd/sd-event.h>

#include "fleet/mqtt.h"
#include "fleet/settings.h"
#include "fleet/topics.h"

struct hearing;

struct hearing_callbacks {
	/* All that is retained in the topics of wishes has come. Once for each connection. */
	void (*on_all)(void *userdata);
	/* Wishes of that group cannot be heard, NULL: those of the gateway itself. It was logged.
	 */
	void (*on_deaf)(void *userdata, const char *group);
};

/* All is borrowed and outlives it, but the callbacks, which are copied. 0 or -errno. */
int hearing_new(sd_event *event, struct mqtt *mqtt, const struct fleet_settings *settings,
	const struct hearing_callbacks *callbacks, void *userdata, struct hearing **ret);
struct hearing *hearing_free(struct hearing *hearing);

/* The connection is there, and everything is subscribed to; or it is gone. */
void hearing_connected(struct hearing *hearing, bool is_there);

/* The broker's answer to one of the subscriptions. */
void hearing_subscribed(struct hearing *hearing, const char *filter, bool is_granted);

/* A message came that was retained in a desired topic; one that is published now is none. */
void hearing_message(struct hearing *hearing);
