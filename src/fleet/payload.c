/* SPDX-License-Identifier: MIT */
#include "fleet/payload.h"

#include <errno.h>
#include <string.h>

#include "api/fields.h"
#include "base/names.h"
#include "base/util.h"

/* A job of two seconds and one of ten minutes are eleven messages each at the most. */
#define PERCENT_STEP 10

static struct json *begin(const char *gateway)
{
	struct json *json = json_new_object();

	json_add_number(json, "schema", PAYLOAD_SCHEMA);
	json_add_text(json, "gateway", gateway);
	return json;
}

/* ------------------------------------------------------------------------------ gateway */

static void add_groups(struct json *to, const struct payload_gateway *gateway)
{
	struct json *groups = json_new_list();

	for (size_t i = 0; i < gateway->n_groups; i++)
		json_add_text(groups, NULL, gateway->groups[i]);
	json_add(to, "groups", groups);
}

int payload_status(const struct payload_gateway *gateway, const struct state *state, char **ret)
{
	struct json *json = begin(gateway->name);

	json_add_text(json, "status", "online");
	json_add_text(json, "version", PLUGFLASH_VERSION);
	json_add_known_number(json, "since_ms", gateway->since_ms);
	json_add_known_number(
		json, "free_bytes", gateway->free_bytes - gateway->free_bytes % PAYLOAD_SPACE_STEP);
	add_groups(json, gateway);
	state_add_service(json, state);
	return json_to_text(json, ret, NULL);
}

int payload_offline(const char *gateway, char **ret)
{
	struct json *json = begin(gateway);

	json_add_text(json, "status", "offline");
	return json_to_text(json, ret, NULL);
}

/* --------------------------------------------------------------------------------- slot */

static void add_job(struct json *to, const struct state_job *job)
{
	struct json *json;

	if (!job->object) {
		json_add_null(to, "job");
		return;
	}
	json = json_new_object();
	json_add_text(json, "id", job->id);
	json_add_text(json, "operation", job->operation);
	json_add_text(json, "phase", job->phase);
	json_add_number(json, "percent", job->percent - job->percent % PERCENT_STEP);
	json_add_known_number(json, "started_ms", job->started_ms);
	json_add_number(json, "attempt", job->attempt);
	json_add_text(json, "image", job->image);
	json_add_text(json, "version", job->version);
	json_add(to, "job", json);
}

int payload_slot(const char *gateway, const struct state_slot *slot, char **ret)
{
	struct json *json = begin(gateway);

	state_add_slot(json, slot);
	add_job(json, &slot->job);
	return json_to_text(json, ret, NULL);
}

/* --------------------------------------------------------------------------------- unit */

/* The names of a row, in the order in which they are told; closed by NULL. */
static const char *const unit_names[] = {"id", "unit", "board", "chip", "state", "image", "version",
	"sha256", "previous_image", "previous_version", "previous_sha256", "failures",
	"failed_with", "failed_sha256", "rollback", "slot", "usb_path", "usb_serial", "seen",
	"again", NULL};
static const char *const attempt_names[] = {"id", "job", "started", "ended", "operation", "cause",
	"board", "slot", "usb_path", "usb_serial", "port", NULL};

static void add_names(struct json *to, const struct dict *row, const char *const *names)
{
	for (; *names; names++) {
		const struct dict_entry *entry = dict_find(row, *names);

		if (entry && entry->kind == DICT_TEXT)
			json_add_text(to, *names, entry->text);
		else if (entry && (entry->kind == DICT_NUMBER || entry->kind == DICT_LONG))
			json_add_number(to, *names, dict_long(row, *names));
		else
			json_add_null(to, *names);
	}
}

const char *payload_unit_name(const struct dict *row)
{
	const char *unit = dict_text(row, "unit");

	return unit[0] ? unit : dict_text(row, "usb_path");
}

const char *payload_latest(const struct payload_unit *unit)
{
	return unit->latest[0] ? unit->latest : dict_text(unit->row, "version");
}

int payload_unit(const char *gateway, const struct payload_unit *unit, char **ret)
{
	const struct state_slot *slot = unit->slot;
	static const struct state_job no_job;
	struct json *json = begin(gateway);

	add_names(json, unit->row, unit_names);
	json_add_text(json, "latest_version", payload_latest(unit));
	json_add_bool(json, "there", slot != NULL);
	json_add_text(json, "light", slot ? light_to_string(slot->light) : NULL);
	json_add_text(json, "outcome", slot ? slot->outcome : NULL);
	json_add_text(json, "reason", slot ? slot->reason : NULL);
	json_add_text(json, "next", slot ? slot->next : NULL);
	add_job(json, slot ? &slot->job : &no_job);
	return json_to_text(json, ret, NULL);
}

/* ------------------------------------------------------------------------------- events */

static struct json *begin_event(const char *kind, const char *gateway, const char *store)
{
	struct json *json = begin(gateway);

	json_add_text(json, "event", kind);
	json_add_text(json, "store", store);
	return json;
}

int payload_attempt(const char *gateway, const char *store, const struct dict *row, char **ret)
{
	struct json *json = begin_event("attempt", gateway, store);
	struct report report;

	add_names(json, row, attempt_names);
	if (report_from_dict(row, &report) == 0)
		json_add_report(json, &report, FOR_STORE);
	else
		json_add_null(json, "outcome");
	return json_to_text(json, ret, NULL);
}

int payload_gap(const char *gateway, const char *store, uint64_t first, uint64_t last, char **ret)
{
	struct json *json = begin_event("gap", gateway, store);

	json_add_number(json, "first", first);
	json_add_known_number(json, "last", last);
	return json_to_text(json, ret, NULL);
}
