/* SPDX-License-Identifier: MIT */
/*
 * mqtt.h - the connection to the broker: it is made, made again, and what is said and heard over
 * it. mqtt.c alone sees the library.
 *
 * Nothing is queued here. What is published goes out or is refused at once, and what the broker has
 * not acknowledged when the connection goes is lost to this file: whoever published it knows what
 * is to be said again. A test that defines mqtt_publish() itself is a broker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/text.h"
#include "fleet/settings.h"

struct mqtt;

/*
 * None of them may free the connection; all may publish, subscribe and close. on_message may come
 * before on_presence says that the broker is there: of what a session kept.
 */
struct mqtt_callbacks {
	/*
	 * It is there, or gone; what was subscribed to is to be subscribed again. `why` says what
	 * happened in a sentence; "" where it is there, or was closed by us.
	 */
	void (*on_presence)(void *userdata, bool is_there, const char *why);
	/* Bytes from outside: any number, no NUL behind them. */
	void (*on_message)(
		void *userdata, const char *topic, const void *payload, size_t n, bool is_retained);
	/* The broker has what mqtt_publish() gave this id. */
	void (*on_acknowledged)(void *userdata, unsigned id);
	/* There is room again after MQTT_BUSY. */
	void (*on_ready)(void *userdata);
	/* The broker answered mqtt_subscribe(): it lets this client hear that, or not. */
	void (*on_subscribed)(void *userdata, const char *filter, bool is_granted);
};

/*
 * The first connection begins with the event loop. `settings` are borrowed; the will is a retained
 * message that the broker publishes once this process is gone without a word. 0, or -errno.
 */
int mqtt_new(sd_event *event, const struct fleet_broker *settings, const char *will_topic,
	const char *will, const struct mqtt_callbacks *callbacks, void *userdata,
	struct mqtt **ret);

/* NULL is fine. The connection is dropped as it is, so that the broker publishes the will. */
struct mqtt *mqtt_free(struct mqtt *mqtt);

bool mqtt_is_there(const struct mqtt *mqtt);

enum mqtt_result {
	MQTT_AWAY = 1,	/* there is no broker; on_presence comes */
	MQTT_BUSY,	/* too fast, or too much is under way; on_ready comes */
	MQTT_TOO_LARGE, /* it will never go out */
};

/* QoS 0 and QoS 1. */
enum mqtt_quality { MQTT_ONCE_OR_NOT, MQTT_AT_LEAST_ONCE };

/* 0 and the id with which on_acknowledged comes (never 0), enum mqtt_result, or -ENOMEM. */
int mqtt_publish(struct mqtt *mqtt, const char *topic, const char *payload, size_t n,
	enum mqtt_quality quality, bool is_retained, unsigned *ret_id);

/* With QoS 1. 0: on_subscribed comes, or the broker goes; MQTT_AWAY or -ENOMEM. */
int mqtt_subscribe(struct mqtt *mqtt, const char *filter);

/* Says good-bye, so that the broker forgets the will; on_presence comes, and nothing after it. */
void mqtt_close(struct mqtt *mqtt);
