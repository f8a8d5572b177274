/* SPDX-License-Identifier: MIT */
#include "service/retry.h"

#include <string.h>

static bool is_wanted(const char *value, const char *wanted)
{
	return !*wanted || strcmp(value ? value : "", wanted) == 0;
}

static bool is_meant(const struct bridge *bridge, const struct request *request)
{
	return bridge->state != BRIDGE_GONE && is_wanted(bridge->match.board, request->board) &&
	       (is_wanted(bridge->facts.usb_path, request->usb_path) ||
		       is_wanted(bridge->slot, request->usb_path)) &&
	       is_wanted(bridge->facts.port, request->port) &&
	       strncmp(bridge->attempt.unit, request->unit, strlen(request->unit)) == 0;
}

/* It waits between two attempts, or has come to its end. */
static void try_again(struct bridge *bridge)
{
	if (!bridge->attempt.has_failed || !bridge_is_idle(bridge))
		return;
	bridge->attempt.has_failed = false;
	bridge_schedule(bridge, SCHEDULE_ASKED, 0);
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/*
 * The store does not know ports, which change: by port the unit is forgiven that is plugged in
 * there. By its slot the store would forgive whatever was plugged in there before, too.
 */
static int forgive(struct records *records, const struct slot *slot,
	const struct bridge *plugged_in, const struct request *request)
{
	struct store_filter filter = {
		.unit = or_null(request->unit),
		.board = or_null(request->board),
		.usb_path = slot ? slot->path : or_null(request->usb_path),
	};
	char key[STORE_KEY_MAX];

	if (*request->port && !plugged_in)
		return 0;
	if (*request->port) {
		attempt_bridge_key(&plugged_in->facts, key);
		filter = (struct store_filter){
			.key = *plugged_in->attempt.key ? plugged_in->attempt.key : key};
	}
	return records_forgive(records, &filter);
}

int retry_units(
	struct dispatcher *dispatcher, struct records *records, const struct request *request)
{
	const struct bridge *plugged_in = NULL;
	struct bridge *bridge = NULL;

	while ((bridge = dispatcher_next(dispatcher, bridge))) {
		if (!is_meant(bridge, request))
			continue;
		plugged_in = bridge;
		try_again(bridge);
	}
	return records ? forgive(records,
				 config_find_slot(dispatcher_config(dispatcher), request->usb_path),
				 plugged_in, request)
		       : 0;
}
