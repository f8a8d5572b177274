/* SPDX-License-Identifier: MIT */
/*
 * systemd1.c - org.freedesktop.systemd1(5) over sd-bus: ListUnitsByNames, StopUnit, StartUnit,
 * JobRemoved.
 *
 *   an order    a call                     answered at once where it is refused
 *               its reply names a job      on_queued()
 *               JobRemoved of that job     answered with the job's result
 *
 * A list ends with its reply. Each order has a time limit, since a stop may never end
 * (TimeoutStopSec=infinity). systemd sends the reply before the signal, in the order of one
 * connection, so that no JobRemoved is missed.
 *
 * A connection that was lost answers all orders: whether they were carried out is not known, and
 * the caller asks again. It is made for the first order and closed when the caller has none, so
 * that a service without owners of ports never talks to systemd.
 */
#include "service/systemd1.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>

#include <systemd/sd-bus.h>

#include "base/parse.h"
#include "base/util.h"

#define SYSTEMD_NAME	  "org.freedesktop.systemd1"
#define SYSTEMD_PATH	  "/org/freedesktop/systemd1"
#define SYSTEMD_INTERFACE "org.freedesktop.systemd1.Manager"

/* polkit may have to be started first. */
#define CALL_USEC (25 * USEC_PER_SEC)

/* A worker waits for a bit longer: plugflash-worker.c. */
#define STOP_MOST_USEC (180 * USEC_PER_SEC)
/* What systemd itself needs beside the time-outs of the unit. */
#define STOP_SLACK_USEC	    (5 * USEC_PER_SEC)
#define START_MOST_USEC	    (180 * USEC_PER_SEC)
#define TIMER_ACCURACY_USEC (50 * USEC_PER_MSEC)

struct order {
	TAILQ_ENTRY(order) link;
	struct systemd1 *systemd1;
	systemd1_callback callback;
	void (*on_queued)(void *userdata);
	void *userdata;
	struct systemd1_answer answer; /* of one that failed at once */
	char **names;		       /* of a list */
	size_t n_names;
	char *job; /* its object, once systemd has taken the order; NULL */
	sd_bus_slot *call;
	sd_bus_slot *limit_call; /* asks for the unit's time limit */
	sd_event_source *timer;
};

struct systemd1 {
	sd_event *event;
	sd_bus *bus; /* NULL: not connected */
	TAILQ_HEAD(order_list, order) orders;
	sd_event_source *failures; /* answers those that failed at once */
};

static void order_free(struct order *order)
{
	TAILQ_REMOVE(&order->systemd1->orders, order, link);
	sd_bus_slot_unref(order->call);
	sd_bus_slot_unref(order->limit_call);
	sd_event_source_disable_unref(order->timer);
	parse_list_free(order->names);
	free(order->job);
	free(order);
}

/* The order is gone when its callback is called, which may make others. */
static void end_order(struct order *order, const struct systemd1_answer *answer)
{
	systemd1_callback callback = order->callback;
	void *userdata = order->userdata;

	order_free(order);
	callback(userdata, answer);
}

static void fail(struct order *order, int fault, const char *why)
{
	struct systemd1_answer answer = {.fault = fault};

	reason_set(&answer.reason, "%s", why);
	end_order(order, &answer);
}

static bool has_name(const sd_bus_error *said, const char *const names[], size_t n_names)
{
	for (size_t i = 0; i < n_names; i++)
		if (said->name && strcmp(said->name, names[i]) == 0)
			return true;
	return false;
}

static enum systemd1_fault fault_of(const sd_bus_error *said)
{
	static const char *const refusals[] = {SD_BUS_ERROR_ACCESS_DENIED,
		SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, SD_BUS_ERROR_AUTH_FAILED};
	static const char *const absences[] = {SD_BUS_ERROR_SERVICE_UNKNOWN,
		SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
		SD_BUS_ERROR_DISCONNECTED};
	static const char *const masks[] = {SYSTEMD_NAME ".UnitMasked"};
	static const char *const conflicts[] = {SYSTEMD_NAME ".TransactionIsDestructive",
		SYSTEMD_NAME ".TransactionJobsConflicting", SYSTEMD_NAME ".ShuttingDown"};

	if (has_name(said, refusals, ARRAY_SIZE(refusals)))
		return SYSTEMD1_REFUSED;
	if (has_name(said, absences, ARRAY_SIZE(absences)))
		return SYSTEMD1_AWAY;
	if (has_name(said, conflicts, ARRAY_SIZE(conflicts)))
		return SYSTEMD1_CONFLICT;
	if (has_name(said, masks, ARRAY_SIZE(masks)))
		return SYSTEMD1_MASKED;
	return SYSTEMD1_IMPOSSIBLE;
}

static void fail_as_said(struct order *order, const sd_bus_error *said)
{
	char why[TEXT_MAX];

	fail(order, fault_of(said),
		text_escape(said->message ? said->message : said->name, why, sizeof(why)));
}

/* ------------------------------------------------------------------------ failures at once */

static int on_failures(sd_event_source *source, void *userdata)
{
	struct systemd1 *systemd1 = userdata;
	struct order *order;

	(void)source;
	for (;;) {
		struct systemd1_answer answer;

		TAILQ_FOREACH(order, &systemd1->orders, link)
		{
			if (order->answer.fault)
				break;
		}
		if (!order)
			return 0;
		answer = order->answer;
		end_order(order, &answer);
	}
}

static int fail_later(struct order *order, int error)
{
	order->answer.fault = SYSTEMD1_AWAY;
	reason_set(&order->answer.reason, "%s", strerror(-error));
	return sd_event_source_set_enabled(order->systemd1->failures, SD_EVENT_ONESHOT);
}

/* --------------------------------------------------------------------------- the connection */

static void disconnect(struct systemd1 *systemd1)
{
	systemd1->bus = sd_bus_close_unref(systemd1->bus);
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct systemd1 *systemd1 = userdata;
	struct order *order;

	(void)message;
	(void)error;
	disconnect(systemd1);
	TAILQ_FOREACH(order, &systemd1->orders, link)
	{
		order->call = sd_bus_slot_unref(order->call);
		order->limit_call = sd_bus_slot_unref(order->limit_call);
		if (!order->answer.fault)
			(void)fail_later(order, -ECONNRESET);
	}
	return 0;
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct systemd1 *systemd1 = userdata;
	const char *job, *unit, *result;
	struct order *order;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0)
		return 0;
	TAILQ_FOREACH(order, &systemd1->orders, link)
	{
		if (order->job && strcmp(order->job, job) == 0)
			break;
	}
	if (order)
		end_order(order, &(struct systemd1_answer){.result = result});
	return 0;
}

/* Does not wait: the bus takes what is sent to it once it is there. */
static int be_connected(struct systemd1 *systemd1)
{
	int r;

	if (systemd1->bus)
		return 0;
	r = sd_bus_open_system(&systemd1->bus);
	if (r >= 0)
		r = sd_bus_attach_event(systemd1->bus, systemd1->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_match_signal_async(systemd1->bus, NULL, NULL,
			"/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local", "Disconnected",
			on_disconnected, NULL, systemd1);
	if (r >= 0)
		r = sd_bus_match_signal_async(systemd1->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
			SYSTEMD_INTERFACE, "JobRemoved", on_job_removed, NULL, systemd1);
	/* It sends its signals to nobody who has not asked for them. */
	if (r >= 0)
		r = sd_bus_call_method_async(systemd1->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
			SYSTEMD_INTERFACE, "Subscribe", NULL, NULL, "");
	if (r < 0)
		disconnect(systemd1);
	return r;
}

/* -------------------------------------------------------------------------------- an order */

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	fail(userdata, SYSTEMD1_SLOW, "it has not ended in its time");
	return 0;
}

static int limit(struct order *order, uint64_t usec)
{
	order->timer = sd_event_source_disable_unref(order->timer);
	return sd_event_add_time_relative(order->systemd1->event, &order->timer, CLOCK_MONOTONIC,
		usec, TIMER_ACCURACY_USEC, on_time, order);
}

static struct order *order_new(
	struct systemd1 *systemd1, systemd1_callback callback, void *userdata)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order)
		return NULL;
	order->systemd1 = systemd1;
	order->callback = callback;
	order->userdata = userdata;
	TAILQ_INSERT_TAIL(&systemd1->orders, order, link);
	return order;
}

static int new_call(struct systemd1 *systemd1, const char *member, sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_call(
		systemd1->bus, ret, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_INTERFACE, member);

	/* A host without it need not start one for this. */
	return r < 0 ? r : sd_bus_message_set_auto_start(*ret, false);
}

/* Where it could not be made the order is answered later, and that is no error of the function. */
static int settle(struct order *order, int error)
{
	return error >= 0 ? 0 : fail_later(order, error);
}

/* -------------------------------------------------------------------------------- the list */

/* Texts are the message's. Returns whether there was one. */
static int read_unit(sd_bus_message *message, struct systemd_unit *ret)
{
	return sd_bus_message_read(message, "(ssssssouso)", &ret->id, NULL, &ret->load,
		&ret->active, NULL, NULL, &ret->path, NULL, &ret->job, NULL);
}

static int read_units(sd_bus_message *message, struct order *order, struct systemd_unit *units)
{
	size_t n = 0;
	int r = sd_bus_message_enter_container(message, 'a', "(ssssssouso)");

	while (r >= 0 && n < order->n_names && (r = read_unit(message, &units[n])) > 0) {
		units[n].name = order->names[n];
		n++;
	}
	/* One row for each name, in their order (dbus-manager.c of systemd). */
	if (r >= 0 && n != order->n_names)
		r = -EBADMSG;
	return r < 0 ? r : 0;
}

static int on_list(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct systemd_unit units[SYSTEMD1_UNITS_MOST] = {0};
	struct systemd1_answer answer = {.units = units};
	const sd_bus_error *said = sd_bus_message_get_error(message);
	struct order *order = userdata;
	char **names CLEANUP(parse_list_freep) = NULL;
	int r;

	(void)error;
	if (said) {
		fail_as_said(order, said);
		return 0;
	}
	r = read_units(message, order, units);
	if (r < 0) {
		fail(order, SYSTEMD1_AWAY, "its answer is not understood");
		return 0;
	}
	/* The names go after the callback. */
	answer.n_units = order->n_names;
	names = TAKE_PTR(order->names);
	end_order(order, &answer);
	return 0;
}

static int call_list(struct order *order)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	int r = be_connected(order->systemd1);

	if (r >= 0)
		r = new_call(order->systemd1, "ListUnitsByNames", &message);
	if (r >= 0)
		r = sd_bus_message_append_strv(message, order->names);
	if (r >= 0)
		r = sd_bus_call_async(
			order->systemd1->bus, &order->call, message, on_list, order, CALL_USEC);
	return r;
}

int systemd1_list(struct systemd1 *systemd1, char *const *names, size_t n_names,
	systemd1_callback callback, void *userdata)
{
	struct order *order = order_new(systemd1, callback, userdata);

	if (!order)
		return -ENOMEM;
	order->n_names = n_names < SYSTEMD1_UNITS_MOST ? n_names : SYSTEMD1_UNITS_MOST;
	if (parse_list_copy(names, order->n_names, &order->names) < 0) {
		order_free(order);
		return -ENOMEM;
	}
	return settle(order, call_list(order));
}

/* --------------------------------------------------------------------------- stop and start */

static int on_order(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *said = sd_bus_message_get_error(message);
	struct order *order = userdata;
	const char *job;

	(void)error;
	order->call = sd_bus_slot_unref(order->call);
	if (said) {
		fail_as_said(order, said);
		return 0;
	}
	if (sd_bus_message_read(message, "o", &job) < 0 || !(order->job = strdup(job))) {
		fail(order, SYSTEMD1_AWAY, "its answer is not understood");
		return 0;
	}
	if (order->on_queued)
		order->on_queued(order->userdata);
	return 0;
}

static int call_order(struct order *order, const char *member, const char *id, const char *mode)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	int r = be_connected(order->systemd1);

	if (r >= 0)
		r = new_call(order->systemd1, member, &message);
	if (r >= 0)
		r = sd_bus_message_append(message, "ss", id, mode);
	if (r >= 0)
		r = sd_bus_call_async(
			order->systemd1->bus, &order->call, message, on_order, order, CALL_USEC);
	return r;
}

static int on_limit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct order *order = userdata;
	uint64_t usec;

	(void)error;
	order->limit_call = sd_bus_slot_unref(order->limit_call);
	/* UINT64_MAX is infinity. Without an answer the limit of before stands. */
	if (!sd_bus_message_is_method_error(message, NULL) &&
		sd_bus_message_read(message, "v", "t", &usec) >= 0 &&
		usec < (STOP_MOST_USEC - STOP_SLACK_USEC) / 2)
		(void)limit(order, 2 * usec + STOP_SLACK_USEC);
	return 0;
}

/* Units of other types have no such property. */
static void ask_limit(struct order *order, const struct systemd_unit *unit)
{
	const char *suffix = strrchr(unit->id, '.');

	if (suffix && strcmp(suffix, ".service") == 0)
		(void)sd_bus_call_method_async(order->systemd1->bus, &order->limit_call,
			SYSTEMD_NAME, unit->path, "org.freedesktop.DBus.Properties", "Get",
			on_limit, order, "ss", SYSTEMD_NAME ".Service", "TimeoutStopUSec");
}

int systemd1_stop(struct systemd1 *systemd1, const struct systemd_unit *unit,
	systemd1_callback callback, void *userdata)
{
	struct order *order = order_new(systemd1, callback, userdata);
	int r;

	if (!order)
		return -ENOMEM;
	r = limit(order, STOP_MOST_USEC);
	if (r >= 0)
		r = call_order(order, "StopUnit", unit->id, "replace");
	if (r >= 0)
		ask_limit(order, unit);
	return settle(order, r);
}

int systemd1_start(struct systemd1 *systemd1, const char *id, bool is_forced,
	void (*on_queued)(void *userdata), systemd1_callback callback, void *userdata)
{
	struct order *order = order_new(systemd1, callback, userdata);
	int r;

	if (!order)
		return -ENOMEM;
	order->on_queued = on_queued;
	r = limit(order, START_MOST_USEC);
	if (r >= 0)
		r = call_order(order, "StartUnit", id, is_forced ? "replace" : "fail");
	return settle(order, r);
}

/* --------------------------------------------------------------------------- start and end */

void systemd1_forget(struct systemd1 *systemd1, const void *userdata)
{
	struct order *order = TAILQ_FIRST(&systemd1->orders), *next;

	for (; order; order = next) {
		next = TAILQ_NEXT(order, link);
		if (order->userdata == userdata)
			order_free(order);
	}
}

void systemd1_rest(struct systemd1 *systemd1)
{
	if (TAILQ_EMPTY(&systemd1->orders))
		disconnect(systemd1);
}

int systemd1_new(sd_event *event, struct systemd1 **ret)
{
	struct systemd1 *systemd1 = calloc(1, sizeof(*systemd1));
	int r;

	if (!systemd1)
		return -ENOMEM;
	TAILQ_INIT(&systemd1->orders);
	systemd1->event = sd_event_ref(event);
	r = sd_event_add_defer(event, &systemd1->failures, on_failures, systemd1);
	if (r >= 0)
		r = sd_event_source_set_enabled(systemd1->failures, SD_EVENT_OFF);
	if (r < 0) {
		systemd1_free(systemd1);
		return r;
	}
	*ret = systemd1;
	return 0;
}

struct systemd1 *systemd1_free(struct systemd1 *systemd1)
{
	struct order *order;

	if (!systemd1)
		return NULL;
	while ((order = TAILQ_FIRST(&systemd1->orders)))
		order_free(order);
	disconnect(systemd1);
	sd_event_source_disable_unref(systemd1->failures);
	sd_event_unref(systemd1->event);
	free(systemd1);
	return NULL;
}
