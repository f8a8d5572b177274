/* SPDX-License-Identifier: MIT */
/*
 * fleet.c - what is heard goes to whom it concerns, and what they have to say goes out.
 *
 * Each of the rooms around it owns what it wants to say until the broker has it, so all of them are
 * asked whenever there is room on the line, in the order of pump().
 *
 * A reload is a second life of the same process: all that has read the settings is made anew, as a
 * restart would, but for the event loop. Settings with a mistake change nothing.
 */
#include "fleet/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "api/client.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "fleet/budget.h"
#include "fleet/commands.h"
#include "fleet/download.h"
#include "fleet/hearing.h"
#include "fleet/mqtt.h"
#include "fleet/payload.h"
#include "fleet/topics.h"
#include "fleet/up.h"
#include "fleet/wishes.h"

/* For the broker to take the good-bye. */
#define GOODBYE_USEC (5 * USEC_PER_SEC)
/* The library takes in a message of any size before it shows it, keeps each of QoS 2 until the
 * broker lets it go, and all acknowledgements that the broker does not read; this process needs a
 * third. */
#define MEMORY_MOST (48 * 1024 * 1024)

struct fleet {
	const struct fleet_options *options;
	sd_event *event;
	sd_event_source *signals[3];
	sd_event_source *goodbye; /* set: it ends */
	unsigned goodbye_id;	  /* of the last message */
	int state;		  /* the state directory */

	/* One life, from settings to settings. */
	struct fleet_settings settings;
	struct client *client;
	struct mqtt *mqtt;
	struct up *up;
	struct commands *commands;
	struct downloads *downloads;
	struct wishes *wishes;
	struct hearing *hearing;
	struct reason why;	  /* the broker is not there, as it was told last */
	struct budget complaints; /* about messages that are passed over */
	unsigned n_passed_over;	  /* since the last of them */
};

/* -------------------------------------------------------------------------------- what is heard */

/* Whoever may publish here may fill the journal otherwise. */
static void pass_over(struct fleet *fleet, const char *topic, size_t n, const char *why)
{
	static const struct budget_rate rate = {1, 60 * USEC_PER_SEC};

	fleet->n_passed_over++;
	if (!budget_take(&fleet->complaints, rate, monotonic_usec()))
		return;
	log_warning(
		"broker: a message of %zu bytes at '%s' is passed over: %s (%u since the last such line)",
		n, topic, why, fleet->n_passed_over);
	fleet->n_passed_over = 0;
}

static void on_message(
	void *userdata, const char *topic, const void *payload, size_t n, bool is_retained)
{
	struct fleet *fleet = userdata;
	struct topic_match match;

	if (!topics_match(&fleet->settings.topics, fleet->settings.groups, fleet->settings.n_groups,
		    topic, &match))
		return pass_over(fleet, topic, n, "nobody here asked for it");
	if (match.topic == TOPIC_COMMAND && n > fleet->settings.broker.message_most)
		return pass_over(fleet, topic, n, "`message-size` allows less");
	if (match.topic == TOPIC_COMMAND)
		return commands_take(fleet->commands, match.value, payload, n, is_retained);
	if (is_retained)
		hearing_message(fleet->hearing);
	wishes_take(fleet->wishes,
		match.topic == TOPIC_DESIRED_GROUP ? fleet->settings.groups[match.group] : NULL,
		match.value, payload, n);
}

static void on_heard_all(void *userdata)
{
	struct fleet *fleet = userdata;

	wishes_heard_all(fleet->wishes);
}

static void on_deaf(void *userdata, const char *group)
{
	struct fleet *fleet = userdata;

	wishes_spare(fleet->wishes, group);
}

static const struct hearing_callbacks hearing_callbacks = {
	.on_all = on_heard_all,
	.on_deaf = on_deaf,
};

static void on_subscribed(void *userdata, const char *filter, bool is_granted)
{
	struct fleet *fleet = userdata;

	hearing_subscribed(fleet->hearing, filter, is_granted);
}

/* --------------------------------------------------------------------------------- what is said */

/* Whoever waits for an answer is the first. Nothing follows the good-bye. */
static void pump(struct fleet *fleet)
{
	if (fleet->goodbye)
		return;
	commands_pump(fleet->commands);
	up_pump(fleet->up);
}

static void on_ready(void *userdata)
{
	pump(userdata);
}

static void on_acknowledged(void *userdata, unsigned id)
{
	struct fleet *fleet = userdata;

	if (fleet->goodbye && id == fleet->goodbye_id) {
		mqtt_close(fleet->mqtt);
		return;
	}
	up_acknowledged(fleet->up, id);
	pump(fleet);
}

static int answer_command(void *userdata, const char *id, const char *payload, size_t n)
{
	struct fleet *fleet = userdata;
	const struct topic_values values = {.id = id};
	char topic[TOPIC_SIZE];
	unsigned ignored;

	if (!topics_make(&fleet->settings.topics, TOPIC_COMMAND, &values, topic))
		return MQTT_TOO_LARGE;
	return mqtt_publish(fleet->mqtt, topic, payload, n, MQTT_AT_LEAST_ONCE, true, &ignored);
}

static int pause_wish(void *userdata, const char *board, bool is_paused, struct reason *reason)
{
	struct fleet *fleet = userdata;

	return wishes_pause(fleet->wishes, board, is_paused, reason);
}

static const struct commands_callbacks commands_callbacks = {
	.publish = answer_command,
	.pause_wish = pause_wish,
};

static void tell_wish(void *userdata, const char *board, const char *payload)
{
	struct fleet *fleet = userdata;

	/* Where there is no room for a further topic it is done all the same. */
	(void)up_tell_wish(fleet->up, board, payload);
}

static void tell_version(void *userdata, const char *board, const char *version)
{
	struct fleet *fleet = userdata;

	up_set_latest(fleet->up, board, version);
}

static void told_all_wishes(void *userdata)
{
	struct fleet *fleet = userdata;

	up_wishes_are_told(fleet->up);
}

static const struct wishes_callbacks wishes_callbacks = {
	.tell = tell_wish,
	.tell_version = tell_version,
	.told_all = told_all_wishes,
};

/* ---------------------------------------------------------------------------------- both ends */

static void on_presence(void *userdata, bool is_there, const char *why)
{
	struct fleet *fleet = userdata;
	const struct fleet_broker *broker = &fleet->settings.broker;

	if (fleet->goodbye && !is_there) {
		(void)sd_event_exit(fleet->event, 0);
		return;
	}
	if (is_there)
		log_info("broker: connected to '%s' as '%s'", broker->host, broker->client_id);
	else if (strcmp(fleet->why.text, why) != 0)
		log_warning("broker: '%s', port %u is not there, and is tried again by itself: %s",
			broker->host, broker->port, why);
	reason_set(&fleet->why, "%s", why);
	up_broker(fleet->up, is_there);
	if (is_there)
		wishes_connected(fleet->wishes);
	hearing_connected(fleet->hearing, is_there);
	if (!is_there)
		return;
	commands_connected(fleet->commands);
	downloads_hurry(fleet->downloads);
	pump(fleet);
}

static const struct mqtt_callbacks mqtt_callbacks = {
	.on_presence = on_presence,
	.on_message = on_message,
	.on_acknowledged = on_acknowledged,
	.on_ready = on_ready,
	.on_subscribed = on_subscribed,
};

static void on_service(void *userdata, enum client_presence presence)
{
	struct fleet *fleet = userdata;

	up_presence(fleet->up, presence);
	wishes_presence(fleet->wishes, presence);
	commands_presence(fleet->commands, presence);
}

static void on_change(void *userdata, const struct client_object *object, enum client_change change)
{
	struct fleet *fleet = userdata;

	(void)change;
	up_change(fleet->up, object);
	wishes_changed(fleet->wishes, object);
}

static void on_job_removed(
	void *userdata, const char *path, const char *outcome, const struct dict *report)
{
	struct fleet *fleet = userdata;

	up_job_removed(fleet->up);
	wishes_job_removed(fleet->wishes);
	commands_job_removed(fleet->commands, path, outcome, report);
}

static const struct client_callbacks client_callbacks = {
	.on_presence = on_service,
	.on_change = on_change,
	.on_job_removed = on_job_removed,
};

/* ------------------------------------------------------------------------- a life, and the next */

static int connect_broker(struct fleet *fleet)
{
	char *will CLEANUP(freep) = NULL;
	char topic[TOPIC_SIZE];
	int r = payload_offline(fleet->settings.gateway, &will);

	if (r == 0 && !topics_make(&fleet->settings.topics, TOPIC_STATUS, NULL, topic))
		r = -ENAMETOOLONG;
	return r < 0 ? r
		     : mqtt_new(fleet->event, &fleet->settings.broker, topic, will, &mqtt_callbacks,
			       fleet, &fleet->mqtt);
}

static int begin_wishes(struct fleet *fleet, struct reason *reason)
{
	const struct fleet_settings *settings = &fleet->settings;
	const struct wishes_options options = {
		.gateway = settings->gateway,
		.images = fleet->options->images,
		.state = fleet->state,
		.message_most = settings->broker.message_most,
		.trusted_keys = settings->trusted_keys,
		.accepts_legacy = settings->accepts_legacy,
		.groups = settings->groups,
		.n_groups = settings->n_groups,
		.limit = settings->rollout,
	};
	char *folder CLEANUP(freep) = NULL;
	int r = text_format(&folder, "%s/downloads", fleet->options->state);

	if (r >= 0)
		r = downloads_new(
			fleet->event, &settings->download, folder, &fleet->downloads, reason);
	if (r >= 0)
		r = wishes_new(fleet->event, fleet->client, fleet->downloads, &options,
			&wishes_callbacks, fleet, &fleet->wishes, reason);
	return r;
}

/* The rooms are told by the loop alone, so all of them are there before anything happens. */
static int begin_life(struct fleet *fleet, struct reason *reason)
{
	const struct up_options options = {
		.settings = &fleet->settings,
		.state = fleet->state,
		.images = fleet->options->images,
	};
	int r = client_new(fleet->event, &client_callbacks, fleet, &fleet->client);

	if (r >= 0)
		r = connect_broker(fleet);
	if (r >= 0)
		r = up_new(fleet->event, fleet->client, fleet->mqtt, &options, &fleet->up);
	if (r >= 0)
		r = commands_new(
			fleet->event, fleet->client, &commands_callbacks, fleet, &fleet->commands);
	if (r >= 0)
		r = begin_wishes(fleet, reason);
	if (r >= 0)
		r = hearing_new(fleet->event, fleet->mqtt, &fleet->settings, &hearing_callbacks,
			fleet, &fleet->hearing);
	if (r >= 0)
		commands_allow(fleet->commands, fleet->settings.commands);
	if (r < 0 && !reason->text[0])
		reason_set(reason, "it cannot start: %s", strerror(-r));
	return r;
}

static void end_life(struct fleet *fleet)
{
	fleet->hearing = hearing_free(fleet->hearing);
	fleet->wishes = wishes_free(fleet->wishes);
	fleet->downloads = downloads_free(fleet->downloads);
	fleet->commands = commands_free(fleet->commands);
	fleet->up = up_free(fleet->up);
	fleet->mqtt = mqtt_free(fleet->mqtt);
	fleet->client = client_free(fleet->client);
	fleet_settings_done(&fleet->settings);
	fleet->why = (struct reason){0};
}

static void log_problems(const struct ini_problems *problems)
{
	for (size_t i = 0; i < problems->n_items; i++) {
		char text[1024];

		log_error("%s", ini_problem_format(&problems->items[i], text, sizeof(text)));
	}
}

static int reload(struct fleet *fleet, struct reason *reason)
{
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	struct fleet_settings settings CLEANUP(fleet_settings_done) = {0};
	int r = fleet_settings_load(fleet->options->configuration, &settings, &problems);

	log_problems(&problems);
	if (r != 0) {
		log_error("settings: they stay as they were: mend '%s' and reload again",
			NAME_FLEET_CONFIGURATION);
		return 0;
	}
	end_life(fleet);
	fleet->settings = settings;
	settings = (struct fleet_settings){0};
	r = begin_life(fleet, reason);
	if (r >= 0)
		log_info("settings: read again");
	return r;
}

/* ------------------------------------------------------------------------------------- signals */

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct fleet *fleet = userdata;
	struct reason reason = {0};
	int r;

	(void)source;
	(void)info;
	if (fleet->goodbye)
		return 0;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_usec());
	r = reload(fleet, &reason);
	(void)sd_notify(0, "READY=1");
	if (r < 0)
		log_error("%s", reason.text);
	return r < 0 ? sd_event_exit(fleet->event, r) : 0;
}

static int on_goodbye_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct fleet *fleet = userdata;

	(void)source;
	(void)usec;
	return sd_event_exit(fleet->event, 0);
}

/* "offline", as the will would say it. False: that is left to the will. */
static bool say_goodbye(struct fleet *fleet)
{
	char *text CLEANUP(freep) = NULL;
	char topic[TOPIC_SIZE];

	return payload_offline(fleet->settings.gateway, &text) == 0 &&
	       topics_make(&fleet->settings.topics, TOPIC_STATUS, NULL, topic) &&
	       mqtt_publish(fleet->mqtt, topic, text, strlen(text), MQTT_AT_LEAST_ONCE, true,
		       &fleet->goodbye_id) == 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct fleet *fleet = userdata;
	int r;

	(void)source;
	(void)info;
	if (fleet->goodbye)
		return 0;
	(void)sd_notify(0, "STOPPING=1");
	up_stop(fleet->up);
	r = sd_event_add_time_relative(fleet->event, &fleet->goodbye, CLOCK_MONOTONIC, GOODBYE_USEC,
		0, on_goodbye_time, fleet);
	return r < 0 || !say_goodbye(fleet) ? sd_event_exit(fleet->event, 0) : 0;
}

static int add_signals(struct fleet *fleet)
{
	static const struct {
		int signal;
		sd_event_signal_handler_t handler;
	} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
	sigset_t mask;
	int r = 0;

	/* That of a look-up is waited for by the loop. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i].signal);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
		r = sd_event_add_signal(fleet->event, &fleet->signals[i], signals[i].signal,
			signals[i].handler, fleet);
	return r;
}

/* ---------------------------------------------------------------------------------- life cycle */

int fleet_check_images(const char *images, struct reason *reason)
{
	if (access(images, W_OK | X_OK) == 0)
		return 0;
	return reason_refuse(-errno, reason,
		"images: '%s' cannot be written: %s; install -d -o plugflash-fleet -g plugflash-fleet '%s' makes the folder",
		images, strerror(errno), images);
}

/* A broker that sends a message of 256 MiB loses the connection, and nobody runs out of memory. */
static void bound_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	const struct rlimit limit = {MEMORY_MOST, MEMORY_MOST};

	(void)setrlimit(RLIMIT_DATA, &limit);
#endif
}

static int start(struct fleet *fleet, struct reason *reason)
{
	int r = fleet_check_images(fleet->options->images, reason);

	if (r < 0)
		return r;
	fleet->state = open(fleet->options->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fleet->state < 0)
		return reason_refuse(-errno, reason,
			"state directory: '%s' cannot be opened: %s; systemd makes it, $" ENV_STATE
			" names another",
			fleet->options->state, strerror(errno));
	bound_memory();
	r = sd_event_new(&fleet->event);
	if (r >= 0)
		r = sd_event_set_watchdog(fleet->event, true);
	if (r >= 0)
		r = add_signals(fleet);
	if (r < 0)
		return reason_refuse(r, reason, "it cannot start: %s", strerror(-r));
	return begin_life(fleet, reason);
}

static void fleet_done(struct fleet *fleet)
{
	end_life(fleet);
	sd_event_source_disable_unref(fleet->goodbye);
	for (size_t i = 0; i < ARRAY_SIZE(fleet->signals); i++)
		sd_event_source_disable_unref(fleet->signals[i]);
	sd_event_unref(fleet->event);
	closep(&fleet->state);
}

int fleet_run(
	const struct fleet_options *options, struct fleet_settings *settings, struct reason *reason)
{
	CLEANUP(fleet_done)
	struct fleet fleet = {.options = options, .settings = *settings, .state = -1};
	int r;

	/* Its `topics` borrow the name of the gateway, which moves along. */
	*settings = (struct fleet_settings){0};
	r = start(&fleet, reason);
	if (r < 0)
		return r;
	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(fleet.event);
	if (r < 0)
		reason_set(reason, "it ends: %s", strerror(-r));
	return r < 0 ? r : 0;
}
