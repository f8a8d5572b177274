/* SPDX-License-Identifier: MIT */
#include "fleet/hearing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"

/* Brokers of several nodes send what is retained behind the answer to the subscription. */
#define QUIET_USEC	    (60 * USEC_PER_SEC)
#define TIMER_ACCURACY_USEC USEC_PER_SEC

enum hearing_state {
	HEARING_NOTHING, /* there is no broker, or all was heard */
	HEARING_ANSWERS, /* of the subscriptions */
	HEARING_WISHES,	 /* until none comes any more */
	HEARING_ECHO,	 /* the answer to one more subscription */
};

struct hearing {
	struct mqtt *mqtt;
	const struct fleet_settings *settings;
	struct hearing_callbacks callbacks;
	void *userdata;
	sd_event_source *timer;
	enum hearing_state state;
	unsigned n_unanswered; /* subscriptions */
};

/* ------------------------------------------------------------------ subscriptions */

/* What is too long was refused with the settings. */
static bool filter_of(
	const struct hearing *hearing, enum topic topic, const char *group, char to[TOPIC_SIZE])
{
	return topics_filter(&hearing->settings->topics, topic, group, to) != NULL;
}

/* A loss of the broker comes to hearing_connected(). False: no memory. */
static bool subscribe(struct hearing *hearing, enum topic topic, const char *group)
{
	char filter[TOPIC_SIZE];
	int r = filter_of(hearing, topic, group, filter) ? mqtt_subscribe(hearing->mqtt, filter)
							 : -ENAMETOOLONG;

	hearing->n_unanswered += r == 0;
	if (r < 0)
		log_error(
			"broker: '%s' cannot be subscribed to: %s", topic_key(topic), strerror(-r));
	return r >= 0;
}

static void subscribe_all(struct hearing *hearing)
{
	const struct fleet_settings *settings = hearing->settings;

	if (!subscribe(hearing, TOPIC_DESIRED_GATEWAY, NULL))
		hearing->callbacks.on_deaf(hearing->userdata, NULL);
	for (size_t i = 0; i < settings->n_groups; i++)
		if (!subscribe(hearing, TOPIC_DESIRED_GROUP, settings->groups[i]))
			hearing->callbacks.on_deaf(hearing->userdata, settings->groups[i]);
	(void)subscribe(hearing, TOPIC_COMMAND, NULL);
}

/* Whose wishes the filter is for; a filter of commands is nobody's. */
static void tell_deaf(struct hearing *hearing, const char *filter)
{
	const struct fleet_settings *settings = hearing->settings;
	char own[TOPIC_SIZE];

	if (filter_of(hearing, TOPIC_DESIRED_GATEWAY, NULL, own) && strcmp(own, filter) == 0)
		hearing->callbacks.on_deaf(hearing->userdata, NULL);
	for (size_t i = 0; i < settings->n_groups; i++)
		if (filter_of(hearing, TOPIC_DESIRED_GROUP, settings->groups[i], own) &&
			strcmp(own, filter) == 0)
			hearing->callbacks.on_deaf(hearing->userdata, settings->groups[i]);
}

/* ------------------------------------------------------------------ what has come */

static void set_timer(struct hearing *hearing, bool is_on)
{
	if (is_on)
		(void)sd_event_source_set_time(hearing->timer, monotonic_usec() + QUIET_USEC);
	(void)sd_event_source_set_enabled(hearing->timer, is_on ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void wait_for_wishes(struct hearing *hearing)
{
	hearing->state = HEARING_WISHES;
	set_timer(hearing, true);
}

/* Commands that are retained come once more with it, which is no harm, and wishes do not. */
static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct hearing *hearing = userdata;

	(void)source;
	(void)usec;
	hearing->state = HEARING_ECHO;
	if (!subscribe(hearing, TOPIC_COMMAND, NULL))
		wait_for_wishes(hearing);
	return 0;
}

void hearing_connected(struct hearing *hearing, bool is_there)
{
	set_timer(hearing, false);
	hearing->n_unanswered = 0;
	hearing->state = is_there ? HEARING_ANSWERS : HEARING_NOTHING;
	if (is_there)
		subscribe_all(hearing);
}

void hearing_subscribed(struct hearing *hearing, const char *filter, bool is_granted)
{
	hearing->n_unanswered -= hearing->n_unanswered > 0;
	if (!is_granted && hearing->state == HEARING_ANSWERS) {
		log_warning(
			"broker: it does not let this gateway hear '%s': look at its access rules",
			filter);
		tell_deaf(hearing, filter);
	}
	if (hearing->n_unanswered > 0)
		return;
	if (hearing->state == HEARING_ANSWERS) {
		wait_for_wishes(hearing);
	} else if (hearing->state == HEARING_ECHO) {
		hearing->state = HEARING_NOTHING;
		hearing->callbacks.on_all(hearing->userdata);
	}
}

void hearing_message(struct hearing *hearing)
{
	if (hearing->state == HEARING_WISHES || hearing->state == HEARING_ECHO)
		wait_for_wishes(hearing);
}

/* ------------------------------------------------------------------ life */

int hearing_new(sd_event *event, struct mqtt *mqtt, const struct fleet_settings *settings,
	const struct hearing_callbacks *callbacks, void *userdata, struct hearing **ret)
{
	struct hearing *hearing = calloc(1, sizeof(*hearing));
	int r;

	if (!hearing)
		return -ENOMEM;
	*hearing = (struct hearing){
		.mqtt = mqtt, .settings = settings, .callbacks = *callbacks, .userdata = userdata};
	r = sd_event_add_time(event, &hearing->timer, CLOCK_MONOTONIC, UINT64_MAX,
		TIMER_ACCURACY_USEC, on_quiet, hearing);
	if (r >= 0)
		r = sd_event_source_set_enabled(hearing->timer, SD_EVENT_OFF);
	if (r < 0) {
		hearing_free(hearing);
		return r;
	}
	*ret = hearing;
	return 0;
}

struct hearing *hearing_free(struct hearing *hearing)
{
	if (!hearing)
		return NULL;
	sd_event_source_disable_unref(hearing->timer);
	free(hearing);
	return NULL;
}
