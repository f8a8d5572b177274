/* SPDX-License-Identifier: MIT */
/*
 * events.c - lines of text or JSON out of what the mirror is told.
 *
 * A change names an object and not what changed in it, so what was told last is remembered by path.
 * The end of an attempt comes twice, in any order: by the properties of its bridge, and by the
 * signal of its job. The former comes also where the attempt was over before its job was seen, the
 * latter where its bridge was unplugged meanwhile. The first of them is told, as text. `verify`,
 * `probe` and `identify` leave the bridge's properties alone, and have the signal only.
 *
 * Progress within a phase is not told: a log of it helps nobody.
 */
#include "cli/events.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "api/state.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/units.h"
#include "cli/when.h"

#define LINE_MAX_BYTES 1600

/* By whom an end was told. */
enum { BY_BRIDGE = 1, BY_JOB };

void events_done(struct events *events)
{
	dict_done(&events->states);
	dict_done(&events->ends);
	dict_done(&events->phases);
	dict_done(&events->told);
	free(TAKE_PTR(events->service));
}

/* ------------------------------------------------------------------------------- lines */

static int finish(struct events *events)
{
	errno = 0;
	if (fflush(events->to) != 0 || ferror(events->to))
		return errno > 0 ? -errno : -EIO;
	return 0;
}

static int PRINTF_LIKE(2, 3) say(struct events *events, const char *format, ...)
{
	char when[32], line[LINE_MAX_BYTES], shown[LINE_MAX_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	fprintf(events->to, "%s %s\n", when_format(wall_clock_msec(), when, sizeof(when)),
		text_show(line, shown, sizeof(shown)));
	return finish(events);
}

static struct json *begin_event(const char *word)
{
	struct json *json = json_new_object();

	json_add_text(json, "event", word);
	json_add_number(json, "time_ms", (uint64_t)wall_clock_msec());
	return json;
}

static int end_event(struct events *events, struct json *json)
{
	int r = json_print_line(json, events->to);

	fputc('\n', events->to);
	return r < 0 ? r : finish(events);
}

static const char *name_of(const struct state_slot *slot, char *to, size_t size)
{
	char port[64];

	units_port(slot->port, port, sizeof(port));
	if (slot->slot[0] && port[0])
		snprintf(to, size, "%s (%s)", slot->slot, port);
	else
		snprintf(to, size, "%s", slot->slot[0] ? slot->slot : port);
	return to;
}

static int tell_slot(struct events *events, const char *word, const struct state_slot *slot)
{
	struct json *json = begin_event(word);

	json_add(json, "slot", state_slot_json(slot));
	return end_event(events, json);
}

/* "A1 (ttyUSB0): no-sync: reason; next: what to do" */
static int say_end(struct events *events, const struct state_slot *slot, const char *operation,
	const char *outcome, const char *reason, const char *next)
{
	char name[TEXT_MAX];
	bool is_flash = !operation[0] || strcmp(operation, "flash") == 0;

	return say(events, "%s: %s%s%s%s%s%s%s", name_of(slot, name, sizeof(name)),
		is_flash ? "" : operation, is_flash ? "" : ": ", outcome, reason[0] ? ": " : "",
		reason, next ? "; next: " : "", next ? next : "");
}

static const char *advice_of(const char *outcome)
{
	int found = outcome_from_string(outcome);

	return found < 0 ? NULL : advice_after((enum outcome)found, ADVICE_SCREEN);
}

/* ------------------------------------------------------------------------------ service */

/* The line about the service, where it is another than before. */
static int tell_service(struct events *events, const struct state *state)
{
	char line[LINE_MAX_BYTES];

	if (state->presence != CLIENT_THERE)
		snprintf(line, sizeof(line), "%s; it is waited for", state->why);
	else
		snprintf(line, sizeof(line), "service %s%s%s%s%s", state->state,
			state->pause_reason[0] ? ": " : "", state->pause_reason,
			state->is_config_stale ? "; configuration on disk refused: " : "",
			state->is_config_stale ? state->config_error : "");
	if (events->service && strcmp(events->service, line) == 0)
		return 0;
	free(events->service);
	if (text_duplicate(line, &events->service) < 0)
		return -ENOMEM;
	return say(events, "%s", line);
}

static int say_state(struct events *events, const struct state_slot *slot)
{
	char name[TEXT_MAX];

	/* Its job says so. */
	if (strcmp(slot->state, "working") == 0 && slot->job.object)
		return 0;
	name_of(slot, name, sizeof(name));
	if (strcmp(slot->state, "done") != 0)
		return say(events, "%s: %s", name, slot->state);
	if (!slot->outcome[0] && strcmp(slot->match, "one") != 0)
		return say(events, "%s: %s%s%s", name, light_to_word(slot->light),
			slot->next ? "; next: " : "", slot->next ? slot->next : "");
	/* Its last end is told by itself. */
	return 0;
}

/* As if it had just been told. */
static int remember(struct events *events, const struct client *client)
{
	const struct client_object *object = NULL;
	int r = 0;

	while (r == 0 && (object = client_next(client, CLIENT_BRIDGE, object))) {
		r = dict_set_text(
			&events->states, object->path, dict_text(&object->properties, "State"));
		if (r == 0)
			r = dict_set_long(&events->ends, object->path,
				dict_long(&object->properties, "LastTime"));
	}
	while (r == 0 && (object = client_next(client, CLIENT_JOB, object)))
		r = dict_set_text(
			&events->phases, object->path, dict_text(&object->properties, "Phase"));
	return r;
}

/* Everything that is plugged in, as it is. */
static int say_all(struct events *events, const struct state *state)
{
	int r = tell_service(events, state);

	for (size_t i = 0; r == 0 && i < state->n_slots; i++) {
		const struct state_slot *slot = &state->slots[i];

		if (!slot->object[0])
			continue;
		r = say_state(events, slot);
		if (r == 0 && slot->outcome[0] && strcmp(slot->state, "done") == 0)
			r = say_end(events, slot, "", slot->outcome, slot->reason, slot->next);
	}
	return r;
}

int events_presence(struct events *events, const struct client *client)
{
	CLEANUP(state_done) struct state state = {0};
	int r = state_of(client, wall_clock_msec(), &state);

	if (r < 0 || state.presence == CLIENT_ASKING)
		return r;
	dict_done(&events->states);
	dict_done(&events->ends);
	dict_done(&events->phases);
	dict_done(&events->told);
	r = remember(events, client);
	if (r < 0)
		return r;
	if (events->is_json) {
		struct json *json = begin_event("state");

		json_add(json, "state", state_json(&state));
		return end_event(events, json);
	}
	return say_all(events, &state);
}

static int change_service(struct events *events, const struct client *client)
{
	CLEANUP(state_done) struct state state = {0};
	int r = state_of(client, wall_clock_msec(), &state);

	if (r < 0)
		return r;
	if (events->is_json) {
		struct json *json = begin_event("service");

		state_add_service(json, &state);
		return end_event(events, json);
	}
	return tell_service(events, &state);
}

/* ------------------------------------------------------------------------------ bridges */

/* A service that stops takes its objects away; that is told with the service. */
static bool is_stopping(const struct client *client)
{
	return strcmp(dict_text(client_manager(client), "State"), "stopping") == 0;
}

static int gone_bridge(struct events *events, const struct client *client,
	const struct client_object *bridge, struct state_slot *slot)
{
	char name[TEXT_MAX];

	dict_remove(&events->states, bridge->path);
	dict_remove(&events->ends, bridge->path);
	dict_remove(&events->told, bridge->path);
	if (is_stopping(client))
		return 0;
	slot->state = "gone";
	slot->light = LIGHT_IDLE;
	slot->next = NULL;
	if (events->is_json)
		return tell_slot(events, "bridge", slot);
	return say(events, "%s: unplugged", name_of(slot, name, sizeof(name)));
}

/* False: the other of the two has told that end. Once both have come, it is forgotten. */
static bool claim_end(struct events *events, const char *bridge, uint32_t by)
{
	uint32_t told = dict_number(&events->told, bridge);

	if (told != 0 && told != by) {
		dict_remove(&events->told, bridge);
		return false;
	}
	/* Without memory it is told twice. */
	(void)dict_set_number(&events->told, bridge, by);
	return true;
}

static int change_bridge(struct events *events, const struct client *client,
	const struct client_object *bridge, enum client_change change)
{
	struct state_slot slot;
	bool has_other_state, has_ended;
	int r = 0;

	state_bridge(client_mirror(client), bridge, &slot);
	if (change == CLIENT_OBJECT_GONE)
		return gone_bridge(events, client, bridge, &slot);
	has_other_state = strcmp(dict_text(&events->states, bridge->path), slot.state) != 0;
	has_ended = slot.last_ms > 0 && slot.last_ms != dict_long(&events->ends, bridge->path);
	if (!has_other_state && !has_ended)
		return 0;
	if (dict_set_text(&events->states, bridge->path, slot.state) < 0 ||
		dict_set_long(&events->ends, bridge->path, slot.last_ms) < 0)
		return -ENOMEM;
	if (events->is_json)
		return tell_slot(events, "bridge", &slot);
	if (has_ended && slot.outcome[0] && claim_end(events, bridge->path, BY_BRIDGE))
		r = say_end(events, &slot, "", slot.outcome, slot.reason, advice_of(slot.outcome));
	return r == 0 && has_other_state ? say_state(events, &slot) : r;
}

/* --------------------------------------------------------------------------------- jobs */

/* The bridge of a job as a slot; false: it is not in the mirror. */
static bool slot_of(
	const struct client *client, const struct client_object *job, struct state_slot *ret)
{
	const struct client_object *bridge =
		job ? client_find(client, dict_text(&job->properties, "Bridge")) : NULL;

	if (bridge)
		state_bridge(client_mirror(client), bridge, ret);
	return bridge;
}

static int change_job(struct events *events, const struct client *client,
	const struct client_object *job, enum client_change change)
{
	const char *phase = dict_text(&job->properties, "Phase");
	const char *operation = dict_text(&job->properties, "Operation");
	struct state_slot slot;
	char name[TEXT_MAX];

	if (change == CLIENT_OBJECT_GONE) {
		dict_remove(&events->phases, job->path);
		return 0;
	}
	if (change == CLIENT_OBJECT_CHANGED &&
		strcmp(dict_text(&events->phases, job->path), phase) == 0)
		return 0;
	if (dict_set_text(&events->phases, job->path, phase) < 0)
		return -ENOMEM;
	if (!slot_of(client, job, &slot))
		return 0;
	if (events->is_json) {
		/* The bridge may not name its job yet. */
		struct json *json = begin_event(change == CLIENT_OBJECT_NEW ? "job-new" : "phase");

		json_add_text(json, "job", job->path);
		json_add_text(json, "operation", operation);
		json_add_text(json, "phase", phase);
		json_add(json, "slot", state_slot_json(&slot));
		return end_event(events, json);
	}
	name_of(&slot, name, sizeof(name));
	if (change == CLIENT_OBJECT_NEW)
		return say(events, "%s: %s begins%s%s", name, operation,
			dict_text(&job->properties, "Board")[0] ? ": " : "",
			dict_text(&job->properties, "Board"));
	return strcmp(phase, "none") == 0 ? 0 : say(events, "%s: %s", name, phase);
}

int events_job_removed(struct events *events, const struct client *client, const char *path,
	const char *outcome, const struct dict *report)
{
	const struct client_object *job = client_find(client, path);
	const char *operation = job ? dict_text(&job->properties, "Operation") : "";
	struct state_slot slot;
	bool has_slot = slot_of(client, job, &slot);
	bool is_of_bridge = strcmp(operation, "verify") != 0 && strcmp(operation, "probe") != 0 &&
			    strcmp(operation, "identify") != 0;
	struct json *json;

	if (!events->is_json) {
		if (!has_slot || (is_of_bridge && !claim_end(events, slot.object, BY_JOB)))
			return 0;
		return say_end(events, &slot, operation, outcome, dict_text(report, "reason"),
			advice_of(outcome));
	}
	json = begin_event("job-removed");
	json_add_text(json, "job", path);
	json_add_text(json, "outcome", outcome);
	json_add_text(json, "next", advice_of(outcome));
	json_add_dict(json, "report", report);
	if (has_slot)
		json_add(json, "slot", state_slot_json(&slot));
	else
		json_add_null(json, "slot");
	return end_event(events, json);
}

int events_change(struct events *events, const struct client *client,
	const struct client_object *object, enum client_change change)
{
	switch (object->kind) {
	case CLIENT_MANAGER:
		return change_service(events, client);
	case CLIENT_BRIDGE:
		return change_bridge(events, client, object, change);
	case CLIENT_JOB:
		return change_job(events, client, object, change);
	case CLIENT_SLOT:
	case CLIENT_KIND_MAX:
		break;
	}
	return 0;
}
