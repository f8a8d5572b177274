/* SPDX-License-Identifier: MIT */
/*
 * bus.c - when is what told?
 *
 *   after a turn, and with a new phase    a pass, at a priority behind the turn
 *   with bytes                            a pass, 250 ms after the one before at the soonest
 *   what waits to be sent was sent        the pass that was put off for it
 *   before the answer to a call           a pass at once: the caller finds what he asked for
 *
 * Each signal is a system call that wakes another process, and costs more than all that is computed
 * here. So a pass that follows another within 20 ms waits for that time: more news go with it. A
 * pass makes a view of each bridge, and with many the time grows with them: else 120 boards would
 * pay for 120 views at each pass, and for the more passes the longer all of them take.
 *
 * A pass takes the views of everything and tells the difference (bus-objects.c). While anything
 * waits to be sent, none is made: a bus that does not read costs one difference, however long it
 * sleeps, and not a queue. What is sent without being a difference is bounded: answers, which
 * are short ones beyond ANSWERS_MOST, and ends of attempts, by ENDS_MOST. Beyond QUEUE_MOST the
 * connection is made anew; clients see the name come again, and read everything.
 *
 * The end of an attempt is an event and no state: its bridge may be gone in the same turn. So it is
 * noted, with its report, until the next pass.
 */
#include "service/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/message.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "service/bus-methods.h"
#include "service/bus-objects.h"
#include "service/connection.h"

#define QUEUE_MOST	    1024
#define ANSWERS_MOST	    32
#define ENDS_MOST	    64
#define TIMER_ACCURACY_USEC (5 * USEC_PER_MSEC)

/* Between two passes; with more bridges than this, so much for each so many of them. */
#define PASS_USEC    (20 * USEC_PER_MSEC)
#define PASS_BRIDGES 16

/* An attempt that has ended, to be told in the next pass. */
struct end {
	STAILQ_ENTRY(end) link;
	char id[33];
	struct report report;
};

struct bus {
	struct bus_parts parts;
	struct connection *connection;
	struct objects objects;
	struct methods methods;
	sd_bus_slot *filter;
	STAILQ_HEAD(end_list, end) ends;
	size_t n_ends;
	uint64_t passed_usec;	  /* when the last pass was */
	uint64_t news_usec;	  /* when the next is due for news; UINT64_MAX: there are none */
	sd_event_source *soon;	  /* a pass is due */
	sd_event_source *timer;	  /* one is to be, for news or for bytes */
	sd_event_source *drained; /* after everything else: was it sent? */
};

/* ---------------------------------------------------------------------------------- the pass */

static void emit_job(struct bus *bus, const char *signal, const char *id)
{
	char path[VIEW_PATH_MAX];
	int r;

	view_job_path(id, path);
	r = sd_bus_emit_signal(bus->objects.bus, BUS_PATH, BUS_MANAGER, signal, "o", path);
	if (r < 0 && bus->objects.error == 0)
		bus->objects.error = r;
}

static int emit_end(struct bus *bus, const struct end *end)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	CLEANUP(dict_done) struct dict report = {0};
	char path[VIEW_PATH_MAX];
	int r = report_to_dict(&end->report, &report);

	view_job_path(end->id, path);
	if (r >= 0)
		r = sd_bus_message_new_signal(
			bus->objects.bus, &message, BUS_PATH, BUS_MANAGER, "JobRemoved");
	if (r >= 0)
		r = sd_bus_message_append(
			message, "os", path, outcome_to_string(end->report.outcome));
	if (r >= 0)
		r = message_append_dict(message, &report);
	return r < 0 ? r : sd_bus_send(bus->objects.bus, message, NULL);
}

static void forget_end(struct bus *bus)
{
	struct end *end = STAILQ_FIRST(&bus->ends);

	STAILQ_REMOVE_HEAD(&bus->ends, link);
	bus->n_ends--;
	free(end);
}

static void tell_ends(struct bus *bus)
{
	while (!STAILQ_EMPTY(&bus->ends)) {
		int r = emit_end(bus, STAILQ_FIRST(&bus->ends));

		if (r < 0 && bus->objects.error == 0)
			bus->objects.error = r;
		forget_end(bus);
	}
}

/* Its job goes on until the worker is reaped, whether the bridge is there or not. */
static bool is_seen(const struct bridge *bridge)
{
	return bridge->state != BRIDGE_GONE || bridge->attempt.is_open;
}

static void tell_bridges(struct bus *bus)
{
	const struct bridge *bridge = NULL;
	struct view_bridge seen;
	struct view_job job;
	char path[VIEW_PATH_MAX];

	while ((bridge = dispatcher_next(bus->parts.methods.dispatcher, bridge))) {
		if (!is_seen(bridge))
			continue;
		if (view_job(bridge, &job)) {
			view_job_path(job.id, path);
			if (objects_tell(&bus->objects, OBJECT_JOB, path, &job))
				emit_job(bus, "JobNew", job.id);
		}
		view_bridge(bridge, &seen);
		view_bridge_path(bridge->number, path);
		(void)objects_tell(&bus->objects, OBJECT_BRIDGE, path, &seen);
	}
}

static const struct bridge *bridge_in(const struct bus *bus, const struct slot *slot)
{
	const struct bridge *bridge = NULL;

	while ((bridge = dispatcher_next(bus->parts.methods.dispatcher, bridge)))
		if (is_seen(bridge) && strcmp(bridge->slot, slot->name) == 0)
			break;
	return bridge;
}

static void tell_slots(struct bus *bus)
{
	const struct config *config = dispatcher_config(bus->parts.methods.dispatcher);
	struct view_slot seen;
	char path[VIEW_PATH_MAX];

	for (size_t i = 0; i < config->n_slots; i++) {
		view_slot(&config->slots[i], bridge_in(bus, &config->slots[i]), &seen);
		view_slot_path(i + 1, path);
		(void)objects_tell(&bus->objects, OBJECT_SLOT, path, &seen);
	}
}

static void arm_timer(struct bus *bus)
{
	uint64_t due = bus->objects.owed_usec;

	if (bus->news_usec < due)
		due = bus->news_usec;
	if (due == UINT64_MAX)
		return;
	(void)sd_event_source_set_time(bus->timer, due);
	(void)sd_event_source_set_enabled(bus->timer, SD_EVENT_ONESHOT);
}

static uint64_t count_queued(const struct bus *bus)
{
	uint64_t n = 0;

	(void)sd_bus_get_n_queued_write(bus->objects.bus, &n);
	return n;
}

/* While anything waits to be sent; with too much of it the connection is made anew. */
static void put_off_pass(struct bus *bus, uint64_t n_queued)
{
	if (n_queued > QUEUE_MOST)
		connection_renew(bus->connection,
			"too much waits to be sent: the bus, or one who calls all the time, does not read");
	(void)sd_event_source_set_enabled(bus->drained, SD_EVENT_ON);
}

static void pass(struct bus *bus, bool is_urgent)
{
	struct view_manager manager;
	uint64_t n_queued;

	if (!connection_bus(bus->connection))
		return;
	n_queued = count_queued(bus);
	if (n_queued > 0) {
		put_off_pass(bus, n_queued);
		return;
	}
	(void)sd_event_source_set_enabled(bus->drained, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(bus->timer, SD_EVENT_OFF);
	bus->passed_usec = monotonic_usec();
	bus->news_usec = UINT64_MAX;
	objects_begin(&bus->objects, is_urgent);
	tell_bridges(bus);
	tell_slots(bus);
	bus->parts.on_view(bus->parts.userdata, &manager);
	(void)objects_tell(&bus->objects, OBJECT_MANAGER, BUS_PATH, &manager);
	/* Before its object goes. */
	tell_ends(bus);
	objects_end(&bus->objects);
	arm_timer(bus);
	/* What was told and not sent is a hole in what clients know. */
	if (bus->objects.error < 0)
		connection_renew(bus->connection, strerror(-bus->objects.error));
}

void bus_last_pass(struct bus *bus)
{
	if (bus)
		pass(bus, true);
}

static int on_soon(sd_event_source *source, void *userdata)
{
	struct bus *bus = userdata;

	(void)source;
	methods_turn(&bus->methods);
	pass(bus, false);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)usec;
	return on_soon(source, userdata);
}

static void on_done(void *userdata)
{
	pass(userdata, true);
}

/* ---------------------------------------------------------------------------- what is noted */

static uint64_t pass_pause(const struct bus *bus)
{
	size_t n = bus->objects.tables[OBJECT_BRIDGE].n_objects;

	/* Ends beyond ENDS_MOST would be forgotten. */
	if (n <= PASS_BRIDGES || bus->n_ends >= ENDS_MOST / 2)
		return PASS_USEC;
	return PASS_USEC * n / PASS_BRIDGES;
}

void bus_wake(struct bus *bus)
{
	uint64_t due;

	if (!bus || !connection_bus(bus->connection))
		return;
	due = bus->passed_usec + pass_pause(bus);
	if (due <= monotonic_usec()) {
		(void)sd_event_source_set_enabled(bus->soon, SD_EVENT_ONESHOT);
		return;
	}
	bus->news_usec = due;
	arm_timer(bus);
}

void bus_note_progress(struct bus *bus, const struct bridge *bridge)
{
	const struct object *object;
	const struct view_job *told;
	char path[VIEW_PATH_MAX];

	if (!bus || !connection_bus(bus->connection))
		return;
	view_job_path(bridge->attempt.id, path);
	object = objects_find(&bus->objects, OBJECT_JOB, path);
	told = object ? (const void *)object->told : NULL;
	if (!told || strcmp(told->phase, phase_to_string(bridge->progress.phase)) != 0) {
		bus_wake(bus);
		return;
	}
	if (bus->objects.owed_usec != UINT64_MAX)
		return;
	bus->objects.owed_usec = object->told_usec + OBJECTS_FLOW_USEC;
	arm_timer(bus);
}

void bus_note_end(struct bus *bus, const struct bridge *bridge, const struct report *report)
{
	struct end *end;

	if (!bus || !connection_bus(bus->connection))
		return;
	/* The store has it all the same. */
	end = calloc(1, sizeof(*end));
	if (!end)
		return;
	text_copy(end->id, sizeof(end->id), bridge->attempt.id);
	end->report = *report;
	STAILQ_INSERT_TAIL(&bus->ends, end, link);
	if (++bus->n_ends > ENDS_MOST)
		forget_end(bus);
	bus_wake(bus);
}

/* ----------------------------------------------------------------------------- begin and end */

/*
 * Calls that a bus brings which does not read: each answer would wait here, and one of all objects
 * is large. They get a short one.
 */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	uint64_t n = 0;

	(void)sd_bus_get_n_queued_write(bus->objects.bus, &n);
	if (n <= ANSWERS_MOST || sd_bus_message_is_method_call(message, NULL, NULL) <= 0)
		return 0;
	return sd_bus_error_setf(error, BUS_ERROR_BUSY,
		"answers of before still wait to be sent: read them, then call again");
}

static int on_up(void *userdata, sd_bus *to)
{
	struct bus *bus = userdata;
	int r = objects_put(&bus->objects, to);

	if (r >= 0)
		r = sd_bus_add_filter(to, &bus->filter, on_message, bus);
	methods_put(&bus->methods, to);
	/* The name comes after this, so that nobody finds it without the objects. */
	if (r >= 0)
		pass(bus, true);
	return r;
}

static void on_down(void *userdata)
{
	struct bus *bus = userdata;

	methods_drop(&bus->methods);
	bus->filter = sd_bus_slot_unref(bus->filter);
	objects_drop(&bus->objects);
	bus->news_usec = UINT64_MAX;
	while (!STAILQ_EMPTY(&bus->ends))
		forget_end(bus);
	(void)sd_event_source_set_enabled(bus->soon, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(bus->timer, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(bus->drained, SD_EVENT_OFF);
}

static void on_settled(void *userdata)
{
	struct bus *bus = userdata;

	bus->parts.on_settled(bus->parts.userdata);
}

bool bus_is_coming(const struct bus *bus)
{
	return bus && connection_is_coming(bus->connection);
}

static int add_sources(struct bus *bus)
{
	sd_event *event = bus->parts.methods.event;
	sd_event_source **const sources[] = {&bus->soon, &bus->timer, &bus->drained};
	int r = sd_event_add_defer(event, &bus->soon, on_soon, bus);

	if (r >= 0)
		r = sd_event_add_time(
			event, &bus->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_USEC, on_timer, bus);
	if (r >= 0)
		r = sd_event_add_post(event, &bus->drained, on_soon, bus);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sources); i++) {
		r = sd_event_source_set_enabled(*sources[i], SD_EVENT_OFF);
		if (r >= 0)
			r = sd_event_source_set_priority(*sources[i], CONNECTION_PRIORITY);
	}
	return r;
}

int bus_new(const struct bus_parts *parts, struct bus **ret)
{
	const sd_bus_vtable *const methods[OBJECT_KIND_MAX] = {
		[OBJECT_MANAGER] = methods_of_manager, [OBJECT_JOB] = methods_of_job};
	struct connection_callbacks callbacks = {
		.on_up = on_up, .on_down = on_down, .on_settled = on_settled};
	struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return -ENOMEM;
	bus->parts = *parts;
	bus->parts.methods.on_done = on_done;
	bus->parts.methods.done_userdata = bus;
	bus->news_usec = UINT64_MAX;
	STAILQ_INIT(&bus->ends);
	callbacks.userdata = bus;
	r = methods_init(&bus->methods, &bus->parts.methods);
	if (r >= 0)
		r = objects_init(&bus->objects, methods, &bus->methods);
	if (r >= 0)
		r = add_sources(bus);
	if (r >= 0)
		r = connection_new(parts->methods.event, &callbacks, &bus->connection);
	if (r < 0) {
		bus_free(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	methods_done(&bus->methods);
	sd_bus_slot_unref(bus->filter);
	objects_done(&bus->objects);
	while (!STAILQ_EMPTY(&bus->ends))
		forget_end(bus);
	sd_event_source_disable_unref(bus->soon);
	sd_event_source_disable_unref(bus->timer);
	sd_event_source_disable_unref(bus->drained);
	connection_free(bus->connection);
	free(bus);
	return NULL;
}
