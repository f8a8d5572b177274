/* SPDX-License-Identifier: MIT */
#include "api/state.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* ---------------------------------------------------------------------------- one slot */

static const struct client_object *find(const struct mirror *mirror, const char *path)
{
	/* "/" stands for none on the bus. */
	return path[0] && strcmp(path, "/") != 0 ? mirror_find(mirror, path) : NULL;
}

/* A share that is none, or out of its bounds, must not become a number of anything. */
static unsigned percent_of(double share)
{
	if (!(share > 0))
		return 0;
	return share >= 1 ? 100 : (unsigned)(share * 100 + 1e-9);
}

static void take_job(const struct client_object *job, struct state_job *ret)
{
	const struct dict *from = &job->properties;

	*ret = (struct state_job){
		.object = job->path,
		.properties = from,
		.id = dict_text(from, "Id"),
		.operation = dict_text(from, "Operation"),
		.phase = dict_text(from, "Phase"),
		.image = dict_text(from, "Image"),
		.version = dict_text(from, "Version"),
		.percent = percent_of(dict_share(from, "Progress")),
		.bytes = dict_long(from, "Bytes"),
		.bytes_done = dict_long(from, "BytesDone"),
		.rate = dict_long(from, "Rate"),
		.started_ms = dict_long(from, "StartTime"),
		.expected_end_ms = dict_long(from, "ExpectedEndTime"),
		.baud = dict_number(from, "Baud"),
		.attempt = dict_number(from, "Attempt"),
		.is_cancelable = dict_flag(from, "Cancelable"),
	};
}

static void take_bridge(const struct mirror *mirror, const struct client_object *bridge,
	bool is_held, struct state_slot *slot)
{
	const struct dict *from = &bridge->properties;
	const struct client_object *job = find(mirror, dict_text(from, "Job"));
	struct light_facts facts;

	slot->object = bridge->path;
	if (!slot->slot[0])
		slot->slot = dict_text(from, "Slot");
	slot->path = dict_text(from, "Path");
	slot->port = dict_text(from, "Port");
	slot->usb_id = dict_text(from, "UsbId");
	slot->serial = dict_text(from, "Serial");
	slot->product = dict_text(from, "Product");
	slot->board = dict_text(from, "Board");
	slot->match = dict_text(from, "Match");
	slot->state = dict_text(from, "State");
	slot->unit = dict_text(from, "Unit");
	slot->outcome = dict_text(from, "LastOutcome");
	slot->reason = dict_text(from, "LastReason");
	slot->since_ms = dict_long(from, "Since");
	slot->last_ms = dict_long(from, "LastTime");
	slot->held_until_ms = dict_long(from, "HeldUntil");
	if (job)
		take_job(job, &slot->job);
	if (job && !slot->unit[0])
		slot->unit = dict_text(&job->properties, "Unit");
	if (job && !slot->board[0])
		slot->board = dict_text(&job->properties, "Board");
	facts = (struct light_facts){
		.state = slot->state,
		.match = slot->match,
		.outcome = slot->outcome,
		.is_paused = is_held,
		.has_held_until = slot->held_until_ms > 0,
	};
	slot->light = light_of(&facts);
	slot->next = light_advice(&facts);
}

static const struct state_slot nothing = {
	.slot = "",
	.object = "",
	.path = "",
	.port = "",
	.usb_id = "",
	.serial = "",
	.product = "",
	.board = "",
	.match = "",
	.state = "empty",
	.unit = "",
	.outcome = "",
	.reason = "",
};

static bool is_paused(const struct mirror *mirror)
{
	const struct mirror_list *managers = &mirror->lists[CLIENT_MANAGER];

	return managers->n_items > 0 &&
	       strcmp(dict_text(&managers->items[0]->properties, "State"), "paused") == 0;
}

void state_bridge(
	const struct mirror *mirror, const struct client_object *bridge, struct state_slot *ret)
{
	*ret = nothing;
	take_bridge(mirror, bridge, is_paused(mirror), ret);
}

/* ----------------------------------------------------------------------------- all slots */

/* Whether a slot before has that bridge already. */
static bool is_shown(const struct state *state, const struct client_object *bridge)
{
	for (size_t i = 0; i < state->n_slots; i++)
		if (strcmp(state->slots[i].object, bridge->path) == 0)
			return true;
	return false;
}

static int take_slots(const struct mirror *mirror, struct state *state)
{
	const struct mirror_list *slots = &mirror->lists[CLIENT_SLOT];
	const struct mirror_list *bridges = &mirror->lists[CLIENT_BRIDGE];
	bool is_held = is_paused(mirror);

	if (slots->n_items + bridges->n_items == 0)
		return 0;
	state->slots = calloc(slots->n_items + bridges->n_items, sizeof(*state->slots));
	if (!state->slots)
		return -ENOMEM;
	for (size_t i = 0; i < slots->n_items; i++) {
		const struct dict *from = &slots->items[i]->properties;
		const struct client_object *bridge = find(mirror, dict_text(from, "Bridge"));
		struct state_slot *slot = &state->slots[state->n_slots++];

		*slot = nothing;
		slot->slot = dict_text(from, "Name");
		slot->path = dict_text(from, "Path");
		if (bridge && bridge->kind == CLIENT_BRIDGE)
			take_bridge(mirror, bridge, is_held, slot);
	}
	for (size_t i = 0; i < bridges->n_items; i++) {
		struct state_slot *slot = &state->slots[state->n_slots];

		if (is_shown(state, bridges->items[i]))
			continue;
		*slot = nothing;
		take_bridge(mirror, bridges->items[i], is_held, slot);
		state->n_slots++;
	}
	return 0;
}

/* Rounded down, as in `history --counts`: 100 means all. -1 of nothing. Counts of another process
 * may be of any size, and their sum larger than its type. */
static int yield_of(uint64_t first_pass, uint64_t retried, uint64_t bad)
{
	double all = (double)first_pass + (double)retried + (double)bad;

	return all > 0 ? (int)(100.0 * (double)first_pass / all) : -1;
}

static void take_manager(const struct dict *from, struct state *state)
{
	const struct dict *counters = dict_counts(from, "Counters");

	state->state = dict_text(from, "State");
	state->pause_reason = dict_text(from, "PauseReason");
	state->stopped_units = dict_text(from, "StoppedUnits");
	state->turned_off = dict_text(from, "TurnedOff");
	state->version = dict_text(from, "Version");
	state->config_error = dict_text(from, "ConfigError");
	state->image_dir = dict_text(from, "ImageDirectory");
	state->jobs_running = dict_number(from, "JobsRunning");
	state->jobs_waiting = dict_number(from, "JobsWaiting");
	state->rules = dict_number(from, "Rules");
	state->bridges = dict_number(from, "Bridges");
	state->is_config_stale = dict_flag(from, "ConfigStale");

	state->counters = counters;
	state->day = dict_text(from, "CountersDay");
	state->first_pass = dict_long(counters, "first-pass");
	state->retried = dict_long(counters, "retried");
	state->bad = dict_long(counters, "bad");
	state->yield_percent = yield_of(state->first_pass, state->retried, state->bad);

	state->batch_board = dict_text(from, "BatchBoard");
	state->batch_count = dict_number(from, "BatchCount");
	state->batch_done = dict_number(from, "BatchDone");
	state->batch_started_ms = dict_long(from, "BatchStartTime");
}

int state_make(const struct mirror *mirror, enum client_presence presence, const char *why,
	int64_t now_ms, struct state *ret)
{
	static const struct dict none;
	static const struct mirror empty;
	bool is_there = presence == CLIENT_THERE;
	const struct mirror_list *managers = &mirror->lists[CLIENT_MANAGER];
	struct state state = {.time_ms = now_ms, .presence = presence, .why = why};
	int r;

	take_manager(is_there && managers->n_items > 0 ? &managers->items[0]->properties : &none,
		&state);
	r = take_slots(is_there ? mirror : &empty, &state);
	if (r == 0)
		*ret = state;
	return r;
}

int state_of(const struct client *client, int64_t now_ms, struct state *ret)
{
	return state_make(
		client_mirror(client), client_presence(client), client_why(client), now_ms, ret);
}

void state_done(struct state *state)
{
	free(state->slots);
	*state = (struct state){0};
}

/* --------------------------------------------------------------------------------- JSON */

static struct json *service_json(const struct state *state)
{
	struct json *json = json_new_object();

	json_add_bool(json, "there", state->presence == CLIENT_THERE);
	if (state->presence != CLIENT_THERE) {
		json_add_text(json, "why", state->why);
		return json;
	}
	json_add_text(json, "state", state->state);
	json_add_text(json, "pause_reason", state->pause_reason);
	json_add_text(json, "stopped_units", state->stopped_units);
	json_add_text(json, "turned_off", state->turned_off);
	json_add_text(json, "version", state->version);
	json_add_number(json, "jobs_running", state->jobs_running);
	json_add_number(json, "jobs_waiting", state->jobs_waiting);
	json_add_number(json, "rules", state->rules);
	json_add_number(json, "bridges", state->bridges);
	json_add_bool(json, "config_stale", state->is_config_stale);
	json_add_text(json, "config_error", state->config_error);
	json_add_text(json, "image_dir", state->image_dir);
	return json;
}

static void add_counters(struct json *to, const struct state *state)
{
	struct json *json, *outcomes;

	if (state->presence != CLIENT_THERE) {
		json_add_null(to, "counters");
		return;
	}
	json = json_new_object();
	outcomes = json_new_object();
	json_add_text(json, "day", state->day);
	json_add_number(json, "first_pass", state->first_pass);
	json_add_number(json, "retried", state->retried);
	json_add_number(json, "bad", state->bad);
	if (state->yield_percent < 0)
		json_add_null(json, "yield_percent");
	else
		json_add_number(json, "yield_percent", (uint64_t)state->yield_percent);
	for (size_t i = 0; i < state->counters->n_entries; i++) {
		const char *word = state->counters->entries[i].name;

		if (outcome_from_string(word) >= 0)
			json_add_number(outcomes, word, dict_long(state->counters, word));
	}
	json_add(json, "outcomes", outcomes);
	json_add(to, "counters", json);
}

static void add_batch(struct json *to, const struct state *state)
{
	struct json *json;

	if (!state->batch_board[0]) {
		json_add_null(to, "batch");
		return;
	}
	json = json_new_object();
	json_add_text(json, "board", state->batch_board);
	json_add_number(json, "count", state->batch_count);
	json_add_number(json, "done", state->batch_done);
	json_add_known_number(json, "started_ms", state->batch_started_ms);
	json_add(to, "batch", json);
}

static void add_job(struct json *to, const struct state_job *job)
{
	struct json *json;

	if (!job->object) {
		json_add_null(to, "job");
		return;
	}
	json = json_new_object();
	json_add_text(json, "id", job->id);
	json_add_text(json, "object", job->object);
	json_add_text(json, "operation", job->operation);
	json_add_text(json, "phase", job->phase);
	json_add_number(json, "percent", job->percent);
	json_add_number(json, "bytes", job->bytes);
	json_add_number(json, "bytes_done", job->bytes_done);
	json_add_known_number(json, "rate", job->rate);
	json_add_known_number(json, "baud", job->baud);
	json_add_known_number(json, "started_ms", job->started_ms);
	json_add_known_number(json, "expected_end_ms", job->expected_end_ms);
	json_add_number(json, "attempt", job->attempt);
	json_add_text(json, "image", job->image);
	json_add_text(json, "version", job->version);
	json_add_bool(json, "cancelable", job->is_cancelable);
	json_add(to, "job", json);
}

void state_add_slot(struct json *to, const struct state_slot *slot)
{
	json_add_text(to, "slot", slot->slot);
	json_add_text(to, "path", slot->path);
	json_add_text(to, "object", slot->object);
	json_add_text(to, "port", slot->port);
	json_add_text(to, "usb_id", slot->usb_id);
	json_add_text(to, "serial", slot->serial);
	json_add_text(to, "product", slot->product);
	json_add_text(to, "board", slot->board);
	json_add_text(to, "match", slot->match);
	json_add_text(to, "light", light_to_string(slot->light));
	json_add_text(to, "state", slot->state);
	json_add_known_number(to, "since_ms", slot->since_ms);
	json_add_text(to, "unit", slot->unit);
	json_add_text(to, "outcome", slot->outcome);
	json_add_text(to, "reason", slot->reason);
	json_add_text(to, "next", slot->next);
	json_add_known_number(to, "last_ms", slot->last_ms);
	json_add_known_number(to, "held_until_ms", slot->held_until_ms);
}

struct json *state_slot_json(const struct state_slot *slot)
{
	struct json *json = json_new_object();

	state_add_slot(json, slot);
	add_job(json, &slot->job);
	return json;
}

void state_add_service(struct json *to, const struct state *state)
{
	json_add(to, "service", service_json(state));
	add_counters(to, state);
	add_batch(to, state);
}

struct json *state_json(const struct state *state)
{
	struct json *json = json_new_object(), *slots = json_new_list();

	json_add_number(json, "time_ms", (uint64_t)state->time_ms);
	state_add_service(json, state);
	for (size_t i = 0; i < state->n_slots; i++)
		json_add(slots, NULL, state_slot_json(&state->slots[i]));
	json_add(json, "slots", slots);
	return json;
}

struct json *state_to_json(const struct client *client, int64_t now_ms)
{
	CLEANUP(state_done) struct state state = {0};

	return state_of(client, now_ms, &state) < 0 ? NULL : state_json(&state);
}
