/* SPDX-License-Identifier: MIT */
#include "service/retry.h"

#include <string.h>

static bool is_wanted(const char *value, const char *wanted)
{
	return !*wanted || strcmp(value ? value : "", wanted) == 0;
}

static bool is_meant(const struct bridge *bridge, const struct retry_filter *wanted)
{
	return bridge->state != BRIDGE_GONE && is_wanted(bridge->match.board, wanted->board) &&
	       (is_wanted(bridge->facts.usb_path, wanted->slot) ||
		       is_wanted(bridge->slot, wanted->slot)) &&
	       is_wanted(bridge->facts.port, wanted->port) &&
	       strncmp(bridge->attempt.unit, wanted->unit, strlen(wanted->unit)) == 0;
}

/* It waits between two attempts, or has come to its end; after a check, if there is one. */
static void try_again(struct bridge *bridge)
{
	struct attempt *flash = bridge_flash(bridge);

	if (!flash->has_failed || (!bridge_is_idle(bridge) && !bridge_is_checked(bridge)))
		return;
	flash->has_failed = false;
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
	const struct bridge *plugged_in, const struct retry_filter *wanted)
{
	struct store_filter filter = {
		.unit = or_null(wanted->unit),
		.board = or_null(wanted->board),
		.usb_path = slot ? slot->path : or_null(wanted->slot),
	};
	char key[STORE_KEY_MAX];

	if (*wanted->port && !plugged_in)
		return 0;
	if (*wanted->port) {
		attempt_bridge_key(&plugged_in->facts, key);
		filter = (struct store_filter){
			.key = *plugged_in->attempt.key ? plugged_in->attempt.key : key};
	}
	return records_forgive(records, &filter);
}

int retry_units(
	struct dispatcher *dispatcher, struct records *records, const struct retry_filter *wanted)
{
	const struct bridge *plugged_in = NULL;
	struct bridge *bridge = NULL;

	if (wanted->trials)
		return records ? records_allow_again(records) : 0;
	while ((bridge = dispatcher_next(dispatcher, bridge))) {
		if (!is_meant(bridge, wanted))
			continue;
		plugged_in = bridge;
		try_again(bridge);
	}
	return records ? forgive(records,
				 config_find_slot(dispatcher_config(dispatcher), wanted->slot),
				 plugged_in, wanted)
		       : 0;
}
