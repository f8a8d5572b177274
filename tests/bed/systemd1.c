/* SPDX-License-Identifier: MIT */
#include "bed/systemd1.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "base/names.h"
#include "base/util.h"
#include "bed/bed-private.h"

#define NAME	   "org.freedesktop.systemd1"
#define PATH	   "/org/freedesktop/systemd1"
#define MANAGER	   NAME ".Manager"
#define UNITS_MOST 8

struct stand_unit {
	char id[64];
	char alias[64];
	char load[16];
	char active[16];
	char job_type[16]; /* of the job that waits, "" none */
	unsigned job;
	enum stand_way stop, start;
	pid_t pid;
};

struct systemd1_stand {
	struct bed *bed;
	struct peers *peers;
	struct peer *peer; /* NULL: it is away */
	sd_bus *bus;
	sd_bus_slot *manager, *units;
	struct stand_unit items[UNITS_MOST];
	unsigned n_items, n_calls, last_job;
	char orders[2048];
};

static struct stand_unit *find_unit(const struct systemd1_stand *stand, const char *name)
{
	for (unsigned i = 0; i < stand->n_items; i++)
		if (strcmp(stand->items[i].id, name) == 0 ||
			strcmp(stand->items[i].alias, name) == 0)
			return (struct stand_unit *)&stand->items[i];
	return NULL;
}

static void check(const char *what, int r)
{
	if (r < 0)
		bed_die(what, -r);
}

static void job_path(unsigned job, char to[64])
{
	snprintf(to, 64, PATH "/job/%u", job);
}

static void unit_path(
	const struct systemd1_stand *stand, const struct stand_unit *unit, char to[64])
{
	snprintf(to, 64, PATH "/unit/u%d", unit ? (int)(unit - stand->items) : 99);
}

/* ------------------------------------------------------------------------------- its methods */

static int on_subscribe(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct systemd1_stand *stand = userdata;

	(void)error;
	stand->n_calls++;
	return sd_bus_reply_method_return(message, "");
}

/* A name that there is no unit of is "not-found". */
static int append_unit(const struct systemd1_stand *stand, sd_bus_message *reply, const char *name)
{
	const struct stand_unit *unit = find_unit(stand, name);
	char path[64], job[64] = "/";

	unit_path(stand, unit, path);
	if (unit && unit->job > 0)
		job_path(unit->job, job);
	return sd_bus_message_append(reply, "(ssssssouso)", unit ? unit->id : name, "a unit",
		unit ? unit->load : "not-found", unit ? unit->active : "inactive", "dead", "", path,
		unit ? unit->job : 0, unit ? unit->job_type : "", job);
}

static int on_list(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct systemd1_stand *stand = userdata;
	const char *name;
	int r = sd_bus_message_new_method_return(message, &reply);

	(void)error;
	stand->n_calls++;
	if (r >= 0)
		r = sd_bus_message_enter_container(message, 'a', "s");
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
	while (r >= 0 && (r = sd_bus_message_read(message, "s", &name)) > 0)
		r = append_unit(stand, reply, name);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void end_process(struct stand_unit *unit)
{
	if (unit->pid <= 0)
		return;
	kill(unit->pid, SIGTERM);
	waitpid(unit->pid, NULL, 0);
	unit->pid = 0;
}

static void end_job(struct systemd1_stand *stand, struct stand_unit *unit, const char *result)
{
	bool is_stop = strcmp(unit->job_type, "stop") == 0;
	char path[64];
	unsigned job = unit->job;

	if (is_stop && strcmp(result, "done") == 0)
		end_process(unit);
	job_path(job, path);
	unit->job = 0;
	unit->job_type[0] = '\0';
	if (strcmp(result, "done") == 0)
		snprintf(unit->active, sizeof(unit->active), is_stop ? "inactive" : "active");
	else if (strcmp(result, "failed") == 0)
		snprintf(unit->active, sizeof(unit->active), "failed");
	check("JobRemoved", sd_bus_emit_signal(stand->bus, PATH, MANAGER, "JobRemoved", "uoss", job,
				    path, unit->id, result));
	check("JobRemoved", sd_bus_flush(stand->bus));
}

static int refuse(sd_bus_message *message, const char *error, const char *why)
{
	return sd_bus_reply_method_errorf(message, error, "%s", why);
}

/* What another order left waiting is replaced by this one, or refuses it. */
static int begin_job(struct systemd1_stand *stand, struct stand_unit *unit, const char *type,
	sd_bus_message *message, enum stand_way way)
{
	char path[64];
	int r;

	if (unit->job > 0 && strcmp(unit->job_type, type) != 0)
		end_job(stand, unit, "canceled");
	if (unit->job == 0)
		unit->job = ++stand->last_job;
	snprintf(unit->job_type, sizeof(unit->job_type), "%s", type);
	if (strcmp(type, "stop") == 0 && strcmp(unit->active, "active") == 0)
		snprintf(unit->active, sizeof(unit->active), "deactivating");
	job_path(unit->job, path);
	r = sd_bus_reply_method_return(message, "o", path);
	if (r >= 0 && way != STAND_WAITS)
		end_job(stand, unit, way == STAND_FAILS ? "failed" : "done");
	return r;
}

static int take_order(struct systemd1_stand *stand, const char *type, sd_bus_message *message,
	sd_bus_error *error)
{
	size_t n = strlen(stand->orders);
	const char *name, *mode;
	struct stand_unit *unit;
	enum stand_way way;

	(void)error;
	stand->n_calls++;
	if (sd_bus_message_read(message, "ss", &name, &mode) < 0)
		return -EINVAL;
	snprintf(stand->orders + n, sizeof(stand->orders) - n, "%s%s %s %s", n > 0 ? "; " : "",
		type, name, mode);
	unit = find_unit(stand, name);
	if (!unit)
		return refuse(message, NAME ".NoSuchUnit", "Unit not found.");
	way = strcmp(type, "stop") == 0 ? unit->stop : unit->start;
	if (way == STAND_REFUSES)
		return refuse(message, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
			"Interactive authentication required.");
	if (way == STAND_MASKED)
		return refuse(message, NAME ".UnitMasked", "Unit is masked.");
	if (way == STAND_DESTRUCTIVE ||
		(unit->job > 0 && strcmp(unit->job_type, type) != 0 && strcmp(mode, "fail") == 0))
		return refuse(message, NAME ".TransactionIsDestructive",
			"Transaction for it is destructive.");
	return begin_job(stand, unit, type, message, way);
}

static int on_stop(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return take_order(userdata, "stop", message, error);
}

static int on_start(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return take_order(userdata, "start", message, error);
}

static int on_limit(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)userdata;
	(void)error;
	return sd_bus_message_append(reply, "t", (uint64_t)USEC_PER_SEC);
}

static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Subscribe", "", "", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD(
		"ListUnitsByNames", "as", "a(ssssssouso)", on_list, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", on_stop, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StartUnit", "ss", "o", on_start, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("TimeoutStopUSec", "t", on_limit, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END,
};

/* --------------------------------------------------------------------------- start and end */

static int find_object(sd_bus *bus, const char *path, const char *interface, void *userdata,
	void **ret, sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)error;
	*ret = userdata;
	return 1;
}

void systemd1_stand_come(struct systemd1_stand *stand)
{
	stand->peer = peer_new(stand->peers);
	stand->bus = peer_bus(stand->peer);
	check(NAME, sd_bus_add_object_vtable(
			    stand->bus, &stand->manager, PATH, MANAGER, manager_vtable, stand));
	check(NAME, sd_bus_add_fallback_vtable(stand->bus, &stand->units, PATH "/unit",
			    NAME ".Service", unit_vtable, find_object, stand));
	check(NAME, sd_bus_request_name(stand->bus, NAME, 0));
}

void systemd1_stand_go(struct systemd1_stand *stand)
{
	stand->manager = sd_bus_slot_unref(stand->manager);
	stand->units = sd_bus_slot_unref(stand->units);
	stand->peer = peer_free(stand->peer);
	stand->bus = NULL;
}

struct systemd1_stand *systemd1_stand_new(struct bed *bed, struct peers *peers)
{
	struct systemd1_stand *stand = calloc(1, sizeof(*stand));

	if (!stand)
		bed_die("systemd", ENOMEM);
	stand->bed = bed;
	stand->peers = peers;
	systemd1_stand_come(stand);
	return stand;
}

struct systemd1_stand *systemd1_stand_free(struct systemd1_stand *stand)
{
	if (!stand)
		return NULL;
	for (unsigned i = 0; i < stand->n_items; i++)
		end_process(&stand->items[i]);
	systemd1_stand_go(stand);
	free(stand);
	return NULL;
}

/* --------------------------------------------------------------------------------- verbs */

static struct stand_unit *unit_of(const struct systemd1_stand *stand, const char *id)
{
	struct stand_unit *unit = find_unit(stand, id);

	if (!unit)
		bed_die(id, ENOENT);
	return unit;
}

void systemd1_stand_add(struct systemd1_stand *stand, const char *id, const char *active)
{
	struct stand_unit *unit = &stand->items[stand->n_items];

	if (stand->n_items++ == UNITS_MOST)
		bed_die(id, ENOBUFS);
	snprintf(unit->id, sizeof(unit->id), "%s", id);
	snprintf(unit->load, sizeof(unit->load), "loaded");
	snprintf(unit->active, sizeof(unit->active), "%s", active);
}

void systemd1_stand_set_active(struct systemd1_stand *stand, const char *id, const char *active)
{
	struct stand_unit *unit = unit_of(stand, id);

	snprintf(unit->active, sizeof(unit->active), "%s", active);
}

void systemd1_stand_set_load(struct systemd1_stand *stand, const char *id, const char *load)
{
	struct stand_unit *unit = unit_of(stand, id);

	snprintf(unit->load, sizeof(unit->load), "%s", load);
}

void systemd1_stand_set_alias(struct systemd1_stand *stand, const char *id, const char *alias)
{
	struct stand_unit *unit = unit_of(stand, id);

	snprintf(unit->alias, sizeof(unit->alias), "%s", alias);
}

void systemd1_stand_set_stop(struct systemd1_stand *stand, const char *id, enum stand_way way)
{
	unit_of(stand, id)->stop = way;
}

void systemd1_stand_set_start(struct systemd1_stand *stand, const char *id, enum stand_way way)
{
	unit_of(stand, id)->start = way;
}

void systemd1_stand_set_process(struct systemd1_stand *stand, const char *id, pid_t pid)
{
	unit_of(stand, id)->pid = pid;
}

void systemd1_stand_order_stop(struct systemd1_stand *stand, const char *id)
{
	struct stand_unit *unit = unit_of(stand, id);

	unit->job = ++stand->last_job;
	snprintf(unit->job_type, sizeof(unit->job_type), "stop");
	snprintf(unit->active, sizeof(unit->active), "deactivating");
}

void systemd1_stand_end(struct systemd1_stand *stand, const char *id, const char *result)
{
	end_job(stand, unit_of(stand, id), result);
}

const char *systemd1_stand_orders(const struct systemd1_stand *stand)
{
	return stand->orders;
}

unsigned systemd1_stand_calls(const struct systemd1_stand *stand)
{
	return stand->n_calls;
}

const char *systemd1_stand_active(const struct systemd1_stand *stand, const char *id)
{
	return unit_of(stand, id)->active;
}

struct text_wait {
	const char *is, *wanted;
};

static bool is_wanted(void *userdata)
{
	const struct text_wait *wait = userdata;

	return strcmp(wait->is, wait->wanted) == 0;
}

bool systemd1_stand_wait_active(
	struct systemd1_stand *stand, unsigned milliseconds, const char *id, const char *active)
{
	struct text_wait wait = {unit_of(stand, id)->active, active};

	return bed_wait(stand->bed, milliseconds, is_wanted, &wait);
}

bool systemd1_stand_wait_orders(
	struct systemd1_stand *stand, unsigned milliseconds, const char *orders)
{
	struct text_wait wait = {stand->orders, orders};

	return bed_wait(stand->bed, milliseconds, is_wanted, &wait);
}
