/* SPDX-License-Identifier: MIT */
#include "fleet/telling.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "fleet/command.h"
#include "fleet/home.h"

/* The worse of two results: without memory something was not said that has a place. */
static int worse(int a, int b)
{
	return a == -ENOMEM || b == 0 ? a : b;
}

/* Takes the payload where `r` says that there is one. */
static int say(const struct telling *telling, enum outbox_owner owner, enum topic topic,
	const struct topic_values *values, int r, char *made)
{
	CLEANUP(freep) char *payload = r < 0 ? NULL : made;
	char text[TOPIC_SIZE];

	if (r < 0 || !topics_make(&telling->settings->topics, topic, values, text))
		return r;
	return outbox_say(telling->outbox, owner, text, payload);
}

int telling_gateway(const struct telling *telling, const struct payload_gateway *gateway,
	const struct state *state)
{
	const struct topic_values none = {0};
	char *payload = NULL;
	int r = payload_status(gateway, state, &payload);

	r = say(telling, OUTBOX_STATUS, TOPIC_STATUS, &none, r, payload);
	/* One of a process before, under another name of the gateway. */
	if (r == 0)
		outbox_sweep(telling->outbox, OUTBOX_STATUS);
	return r;
}

/* ------------------------------------------------------------------------------- slots */

int telling_slots(const struct telling *telling, const struct state *state)
{
	int r = 0;

	for (size_t i = 0; i < state->n_slots; i++) {
		const struct state_slot *slot = &state->slots[i];
		const struct topic_values values = {
			.slot = slot->slot[0] ? slot->slot : slot->path};
		char *payload = NULL;
		int made;

		if (!values.slot[0])
			continue;
		made = payload_slot(telling->settings->gateway, slot, &payload);
		r = worse(r, say(telling, OUTBOX_SLOTS, TOPIC_SLOT, &values, made, payload));
	}
	/* What was not said for want of memory is said with the next change. */
	if (r != -ENOMEM)
		outbox_sweep(telling->outbox, OUTBOX_SLOTS);
	return r;
}

/* ------------------------------------------------------------------------------- units */

/* Where it is plugged in: its id, or else its place, is that of a bridge there. */
static const struct state_slot *slot_of(const struct state *state, const struct dict *row)
{
	const char *unit = dict_text(row, "unit"), *path = dict_text(row, "usb_path");

	for (size_t i = 0; i < state->n_slots; i++) {
		const struct state_slot *slot = &state->slots[i];

		if (!slot->object[0])
			continue;
		if (unit[0] ? strcmp(slot->unit, unit) == 0
			    : path[0] && !slot->unit[0] && strcmp(slot->path, path) == 0)
			return slot;
	}
	return NULL;
}

/* One name stands for the unit that was seen last under it. */
static bool is_seen_again(const struct dict *rows, size_t i)
{
	const char *name = payload_unit_name(&rows[i]);

	for (size_t k = 0; k < i; k++)
		if (strcmp(payload_unit_name(&rows[k]), name) == 0)
			return true;
	return false;
}

static int say_discovery(const struct telling *telling, const char *name, const struct dict *row)
{
	const struct topics *topics = &telling->settings->topics;
	CLEANUP(freep) char *id = home_id(telling->settings->gateway, name);
	CLEANUP(freep) char *command_id = home_command_id(name);
	const struct topic_values of_gateway = {0}, of_unit = {.unit = name}, of_id = {.id = id},
				  of_command = {.id = command_id};
	char status[TOPIC_SIZE], unit[TOPIC_SIZE], command[TOPIC_SIZE], *payload = NULL;
	int r;
	struct home_unit home = {
		.gateway = telling->settings->gateway,
		.unit = name,
		.id = id,
		.row = row,
		.status_topic = topics_make(topics, TOPIC_STATUS, &of_gateway, status),
		.unit_topic = topics_make(topics, TOPIC_UNIT, &of_unit, unit),
	};

	if (!id || !command_id)
		return -ENOMEM;
	/* A place may have a name that is too long for a command: then there is no button. */
	if (telling->may_retry && command_id_is_valid(command_id))
		home.command_topic = topics_make(topics, TOPIC_COMMAND, &of_command, command);
	if (!home.status_topic || !home.unit_topic)
		return 0;
	r = home_payload(&home, &payload);
	return say(telling, OUTBOX_UNITS, TOPIC_DISCOVERY, &of_id, r, payload);
}

/* The record of a place where a chip did not answer for a while: the board there has its own. */
static bool is_nobody(const struct dict *row)
{
	return !dict_text(row, "unit")[0] && !dict_text(row, "state")[0] &&
	       dict_long(row, "failures") == 0;
}

static int say_unit(const struct telling *telling, const struct state *state,
	const struct dict *row, const struct dict *latest)
{
	const struct payload_unit unit = {
		.row = row,
		.slot = slot_of(state, row),
		.latest = dict_text(latest, dict_text(row, "board")),
	};
	const char *name = payload_unit_name(row);
	const struct topic_values values = {.unit = name};
	char *payload = NULL;
	int r = payload_unit(telling->settings->gateway, &unit, &payload);

	r = say(telling, OUTBOX_UNITS, TOPIC_UNIT, &values, r, payload);
	if (telling->settings->home_assistant && !is_nobody(row))
		r = worse(r, say_discovery(telling, name, row));
	return r;
}

int telling_units(const struct telling *telling, const struct state *state, const struct dict *rows,
	size_t n_rows, const struct dict *latest)
{
	int r = 0;

	for (size_t i = 0; i < n_rows; i++)
		if (payload_unit_name(&rows[i])[0] && !is_seen_again(rows, i))
			r = worse(r, say_unit(telling, state, &rows[i], latest));
	if (r != -ENOMEM)
		outbox_sweep(telling->outbox, OUTBOX_UNITS);
	return r;
}
