/* SPDX-License-Identifier: MIT */
/*
 * up.c - when what is said: the timers and questions around telling.h, outbox.h and events.h.
 *
 * A change only marks what is told as old. It is said anew by a pass over all there is, at once
 * after a quiet time and then each PASS_GAP_USEC at the most, or less often where there is much;
 * the outbox finds what is another than before. Units are asked for when something ended or a
 * bridge changed, and attempts when one ended.
 *
 * Two files are kept: the cursor of events, at most once in CURSOR_GAP_USEC (a process that is
 * killed meanwhile sends a second's events twice, under the same ids), and the list of topics,
 * before a new one is sent.
 */
#include "fleet/up.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "api/state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/command.h"
#include "fleet/events.h"
#include "fleet/kept.h"
#include "fleet/outbox.h"
#include "fleet/telling.h"

#define PASS_GAP_USEC (250 * USEC_PER_MSEC)
/* Of one processor, whatever there is to be told: a pass over 120 bridges takes a small one 60 ms.
 */
#define PASS_SHARE	20
#define UNITS_GAP_USEC	USEC_PER_SEC
#define CURSOR_GAP_USEC USEC_PER_SEC
/* After a question that was not answered well. */
#define AGAIN_USEC (5 * USEC_PER_SEC)

/* Those that were seen last: as many as one answer has. */
#define UNITS_MOST  200

#define NAME_CURSOR "events"
#define NAME_TOPICS "topics"

struct up {
	sd_event *event;
	struct client *client;
	struct mqtt *mqtt;
	struct up_options options;
	struct telling telling;
	struct outbox outbox;
	struct events events;
	struct dict latest; /* by board */
	struct dict *units; /* rows of ListUnits */
	size_t n_units;
	bool are_units_known, are_units_old, is_asking_units;
	bool is_stopped;
	uint64_t since_ms;
	uint64_t next_pass_usec, asked_usec; /* not before it; the last question for units */
	sd_event_source *pass_timer, *units_timer, *again_timer, *cursor_timer;
	bool is_list_refused, is_cursor_refused, is_full_told; /* said in the journal already */
};

static void start_timer(sd_event_source *timer, uint64_t usec)
{
	int enabled = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(timer, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	(void)sd_event_source_set_time(timer, usec);
	(void)sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* ------------------------------------------------------------------------ what is kept */

static void keep_cursor(struct up *up)
{
	char text[EVENTS_CURSOR_MAX];
	int r;

	if (!up->events.is_cursor_new)
		return;
	event_cursor_write(&up->events.cursor, text);
	r = kept_write(up->options.state, NAME_CURSOR, text, strlen(text));
	if (r < 0 && !up->is_cursor_refused)
		log_error(
			"state directory: '" NAME_CURSOR
			"' cannot be written: %s; after a restart events are sent again, make room there",
			strerror(-r));
	up->is_cursor_refused = r < 0;
	up->events.is_cursor_new = r < 0;
}

static int on_cursor_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	keep_cursor(userdata);
	return 0;
}

/* Where it cannot be kept, topics are sent all the same: what is told counts for more. */
static void keep_list(struct up *up)
{
	CLEANUP(freep) char *list = NULL;
	size_t n = 0;
	int r;

	if (!outbox_waits_for_list(&up->outbox))
		return;
	r = outbox_write(&up->outbox, &list, &n);
	if (r == 0)
		r = kept_write(up->options.state, NAME_TOPICS, list, n);
	if (r < 0 && !up->is_list_refused)
		log_error(
			"state directory: '" NAME_TOPICS
			"' cannot be written: %s; what goes while plugflash-fleet is down stays at the broker, make room there",
			strerror(-r));
	up->is_list_refused = r < 0;
	outbox_kept(&up->outbox);
}

/* A file that was not there, or that nobody wrote, is as if this were the first start. */
static void read_kept(struct up *up)
{
	CLEANUP(freep) char *cursor = NULL, *list = NULL;
	struct event_cursor read;
	size_t n;
	int r = kept_read(up->options.state, NAME_CURSOR, EVENTS_CURSOR_MAX, &cursor, &n);
	bool is_cursor = r == 0 && event_cursor_read(cursor, &read);

	if (!is_cursor && r != -ENOENT)
		log_warning(
			"state directory: '" NAME_CURSOR
			"' is not as it was written: %s; events begin with the last %d attempts",
			r < 0 ? strerror(-r) : "no cursor", EVENTS_FIRST);
	events_init(&up->events, up->options.settings->gateway, is_cursor ? &read : NULL);
	r = kept_read(up->options.state, NAME_TOPICS, OUTBOX_LIST_MOST, &list, &n);
	if (r == 0)
		r = outbox_read(&up->outbox, list);
	if (r < 0 && r != -ENOENT)
		log_warning("state directory: '" NAME_TOPICS
			    "' cannot be read: %s; what is gone meanwhile stays at the broker",
			strerror(-r));
}

/* ---------------------------------------------------------------------- to the broker */

static int publish(
	struct up *up, const char *topic, const char *payload, bool is_retained, unsigned *ret_id)
{
	int r = mqtt_publish(
		up->mqtt, topic, payload, strlen(payload), MQTT_AT_LEAST_ONCE, is_retained, ret_id);

	if (r == MQTT_TOO_LARGE)
		log_error(
			"'%s': %zu bytes are more than message-size takes, and are not sent; raise it",
			topic, strlen(payload));
	return r;
}

/* Whether there is room for more. */
static bool send_item(struct up *up, const struct outbox_item *item)
{
	unsigned id;
	int r = publish(up, item->topic, item->payload ? item->payload : "", true, &id);

	if (r == 0)
		outbox_sent(&up->outbox, item, id);
	else if (r == MQTT_TOO_LARGE)
		outbox_pass_over(&up->outbox, item);
	return r == 0 || r == MQTT_TOO_LARGE;
}

static bool send_event(struct up *up, const struct event *event)
{
	const struct topic_values none = {0};
	char topic[TOPIC_SIZE];
	unsigned id;
	int r;

	if (!topics_make(&up->options.settings->topics, TOPIC_EVENT, &none, topic))
		return false;
	r = publish(up, topic, event->payload, false, &id);
	if (r == 0)
		events_sent(&up->events, event, id);
	else if (r == MQTT_TOO_LARGE)
		events_pass_over(&up->events, event);
	return r == 0 || r == MQTT_TOO_LARGE;
}

static void ask_events(struct up *up);

void up_pump(struct up *up)
{
	const struct outbox_item *item;
	const struct event *event;

	if (up->is_stopped || !mqtt_is_there(up->mqtt))
		return;
	keep_list(up);
	while ((item = outbox_next(&up->outbox)))
		if (!send_item(up, item))
			return;
	while ((event = events_next(&up->events)))
		if (!send_event(up, event))
			return;
	/* Some may have been passed over, so that there is room to read on. */
	ask_events(up);
}

void up_stop(struct up *up)
{
	up->is_stopped = true;
}

void up_broker(struct up *up, bool is_there)
{
	if (is_there) {
		outbox_connected(&up->outbox);
		up_pump(up);
	} else {
		outbox_disconnected(&up->outbox);
		events_disconnected(&up->events);
	}
}

void up_acknowledged(struct up *up, unsigned id)
{
	if (!outbox_acknowledged(&up->outbox, id) && !events_acknowledged(&up->events, id))
		return;
	if (up->events.is_cursor_new)
		start_timer(up->cursor_timer, monotonic_usec() + CURSOR_GAP_USEC);
	up_pump(up);
}

/* ------------------------------------------------------------------------ what is said */

static uint64_t free_bytes(const char *path)
{
	struct statvfs space;

	if (!path || statvfs(path, &space) < 0)
		return 0;
	return (uint64_t)space.f_bavail * space.f_frsize;
}

static int say_all(struct up *up)
{
	const struct fleet_settings *settings = up->options.settings;
	const struct payload_gateway gateway = {
		.name = settings->gateway,
		.groups = settings->groups,
		.n_groups = settings->n_groups,
		.since_ms = up->since_ms,
		.free_bytes = free_bytes(up->options.images),
	};
	CLEANUP(state_done) struct state state = {0};
	int r = state_of(up->client, wall_clock_msec(), &state);

	if (r == 0)
		r = telling_gateway(&up->telling, &gateway, &state);
	/* Of a service that is away nothing is known, and what was said stays. */
	if (r == 0 && state.presence == CLIENT_THERE)
		r = telling_slots(&up->telling, &state);
	if (r == 0 && state.presence == CLIENT_THERE && up->are_units_known)
		r = telling_units(&up->telling, &state, up->units, up->n_units, &up->latest);
	return r;
}

static void mark(struct up *up)
{
	uint64_t now = monotonic_usec();

	/* By the timer also where it is due: all that changes in this round goes out at once. */
	start_timer(up->pass_timer, up->next_pass_usec > now ? up->next_pass_usec : now);
}

static int on_pass_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct up *up = userdata;
	uint64_t begin_usec = monotonic_usec(), took_usec;
	int r;

	(void)source;
	(void)usec;
	if (client_presence(up->client) == CLIENT_ASKING)
		return 0;
	r = say_all(up);
	took_usec = monotonic_usec() - begin_usec;
	up->next_pass_usec =
		begin_usec +
		(took_usec * PASS_SHARE > PASS_GAP_USEC ? took_usec * PASS_SHARE : PASS_GAP_USEC);
	if (r == -E2BIG && !up->is_full_told)
		log_warning(
			"more than %d topics are not told: some slots or units are missing at the broker",
			OUTBOX_TOPICS_MOST);
	up->is_full_told |= r == -E2BIG;
	if (r == -ENOMEM)
		mark(up);
	up_pump(up);
	return 0;
}

/* --------------------------------------------------------------------------- questions */

static void free_units(struct up *up)
{
	for (size_t i = 0; i < up->n_units; i++)
		dict_done(&up->units[i]);
	free(TAKE_PTR(up->units));
	up->n_units = 0;
}

static void on_units(void *userdata, struct client_answer *answer)
{
	struct up *up = userdata;

	up->is_asking_units = false;
	if (answer->result != CLIENT_DONE) {
		up->are_units_old = true;
		start_timer(up->again_timer, monotonic_usec() + AGAIN_USEC);
		return;
	}
	free_units(up);
	up->units = TAKE_PTR(answer->rows);
	up->n_units = answer->n_rows;
	answer->n_rows = 0;
	up->are_units_known = true;
	mark(up);
}

static int on_units_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct up *up = userdata;
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {.method = "ListUnits", .options = &options};

	(void)source;
	(void)usec;
	if (up->is_asking_units || !up->are_units_old ||
		client_presence(up->client) != CLIENT_THERE)
		return 0;
	up->asked_usec = monotonic_usec();
	if (dict_set_flag(&options, "newest", true) == 0 &&
		client_call(up->client, &call, on_units, up, "tu", (uint64_t)0,
			(uint32_t)UNITS_MOST) == 0) {
		up->is_asking_units = true;
		up->are_units_old = false;
	}
	return 0;
}

static void ask_units(struct up *up)
{
	uint64_t now = monotonic_usec(), next = up->asked_usec + UNITS_GAP_USEC;

	up->are_units_old = true;
	start_timer(up->units_timer, next > now ? next : now);
}

static void on_attempts(void *userdata, struct client_answer *answer)
{
	struct up *up = userdata;
	int r = -EIO;

	if (answer->result == CLIENT_DONE)
		r = events_take(&up->events, answer->rows, answer->n_rows);
	else
		events_failed(&up->events);
	if (r < 0)
		start_timer(up->again_timer, monotonic_usec() + AGAIN_USEC);
	if (up->events.is_cursor_new)
		start_timer(up->cursor_timer, monotonic_usec() + CURSOR_GAP_USEC);
	/* Without a broker too: what is read ahead is ready when it comes. */
	ask_events(up);
	up_pump(up);
}

static void ask_events(struct up *up)
{
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {.method = "ListAttempts", .options = &options};
	struct events_question question;

	if (!events_question(&up->events, &question))
		return;
	if (question.newest && dict_set_flag(&options, "newest", true) < 0)
		return;
	if (client_call(
		    up->client, &call, on_attempts, up, "tu", question.after_id, question.max) == 0)
		events_asked(&up->events);
}

static int on_again_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct up *up = userdata;

	(void)source;
	(void)usec;
	events_wake(&up->events);
	ask_events(up);
	if (up->are_units_old)
		ask_units(up);
	return 0;
}

/* -------------------------------------------------------------------- from the service */

void up_presence(struct up *up, enum client_presence presence)
{
	bool is_there = presence == CLIENT_THERE;

	events_service(&up->events, is_there, dict_text(client_manager(up->client), "Store"));
	up->are_units_known = false;
	if (is_there) {
		ask_units(up);
		ask_events(up);
	}
	mark(up);
}

void up_change(struct up *up, const struct client_object *object)
{
	const char *store = dict_text(&object->properties, "Store");

	mark(up);
	if (object->kind == CLIENT_BRIDGE) {
		ask_units(up);
		/* The attempt that held back the others may be one whose end nobody told. */
		if (up->events.is_held)
			up_job_removed(up);
	}
	if (object->kind == CLIENT_MANAGER && strcmp(store, up->events.store) != 0) {
		events_service(&up->events, true, store);
		ask_events(up);
	}
}

void up_job_removed(struct up *up)
{
	events_wake(&up->events);
	ask_events(up);
	ask_units(up);
}

/* ------------------------------------------------------------------------------ wishes */

int up_tell_wish(struct up *up, const char *board, const char *payload)
{
	const struct topic_values values = {.board = board};
	char topic[TOPIC_SIZE];
	int r;

	if (!topics_make(&up->options.settings->topics, TOPIC_WISH, &values, topic))
		return 0;
	r = outbox_say(&up->outbox, OUTBOX_WISHES, topic, payload);
	up_pump(up);
	return r;
}

void up_wishes_are_told(struct up *up)
{
	outbox_end_before(&up->outbox, OUTBOX_WISHES);
	up_pump(up);
}

void up_set_latest(struct up *up, const char *board, const char *version)
{
	if (strcmp(dict_text(&up->latest, board), version) == 0)
		return;
	if (version[0])
		(void)dict_set_text(&up->latest, board, version);
	else
		dict_remove(&up->latest, board);
	mark(up);
}

/* ------------------------------------------------------------------------- begin and end */

static int add_timer(struct up *up, sd_event_time_handler_t handler, sd_event_source **ret)
{
	int r = sd_event_add_time(up->event, ret, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, handler, up);

	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static void up_freep(struct up **up)
{
	up_free(*up);
}

int up_new(sd_event *event, struct client *client, struct mqtt *mqtt,
	const struct up_options *options, struct up **ret)
{
	CLEANUP(up_freep) struct up *up = calloc(1, sizeof(*up));
	int r;

	if (!up)
		return -ENOMEM;
	up->event = sd_event_ref(event);
	up->client = client;
	up->mqtt = mqtt;
	up->options = *options;
	up->telling = (struct telling){
		.settings = options->settings,
		.may_retry = options->settings->commands & 1U << COMMAND_RETRY,
		.outbox = &up->outbox,
	};
	up->since_ms = (uint64_t)wall_clock_msec();
	r = add_timer(up, on_pass_time, &up->pass_timer);
	if (r >= 0)
		r = add_timer(up, on_units_time, &up->units_timer);
	if (r >= 0)
		r = add_timer(up, on_again_time, &up->again_timer);
	if (r >= 0)
		r = add_timer(up, on_cursor_time, &up->cursor_timer);
	if (r < 0)
		return r;
	read_kept(up);
	*ret = TAKE_PTR(up);
	return 0;
}

struct up *up_free(struct up *up)
{
	if (!up)
		return NULL;
	client_forget(up->client, up);
	keep_cursor(up);
	sd_event_source_disable_unref(up->pass_timer);
	sd_event_source_disable_unref(up->units_timer);
	sd_event_source_disable_unref(up->again_timer);
	sd_event_source_disable_unref(up->cursor_timer);
	sd_event_unref(up->event);
	events_done(&up->events);
	outbox_done(&up->outbox);
	dict_done(&up->latest);
	free_units(up);
	free(up);
	return NULL;
}
