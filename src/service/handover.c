/* SPDX-License-Identifier: MIT */
/*
 * handover.c - two decisions.
 *
 * Before a job: a unit that runs is stopped, and so is one that is about to: it is being started,
 * or a job of systemd to start it is queued. One that is on its way down by somebody's order is not
 * started afterwards, but its end is waited for, since it has the port until then. One that ends
 * without an order has failed, and would come back by itself (Restart=): it counts as one that
 * runs.
 *
 * After a job: the owner must not open the port of a board that is being written, nor of one that
 * is to be tried again in a moment; a torn one has no application that it could talk to. It does
 * not wait for ever: it may own other boards, on which a house depends. From the moment on it runs,
 * and the next job stops it again.
 */
#include "service/handover.h"

#include <string.h>

#include "base/util.h"
#include "service/bridge.h"

static bool is_one_of(const char *word, const char *const words[], size_t n_words)
{
	for (size_t i = 0; i < n_words; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* org.freedesktop.systemd1(5), "JobType": those after which the unit runs. */
static bool begins(const char *job)
{
	static const char *const types[] = {"start", "restart", "reload-or-start"};

	return is_one_of(job, types, ARRAY_SIZE(types));
}

static bool runs(const char *active)
{
	static const char *const states[] = {
		"active", "reloading", "refreshing", "activating", "deactivating"};

	return is_one_of(active, states, ARRAY_SIZE(states));
}

enum handover_way handover_way_of(const struct systemd_unit *unit, bool is_owed)
{
	bool is_loaded = strcmp(unit->load, "loaded") == 0;

	if (!runs(unit->active) && !begins(unit->job))
		return is_owed && is_loaded && strcmp(unit->active, "failed") == 0 ? HANDOVER_TAKE
										   : HANDOVER_LEAVE;
	if (strcmp(unit->job, "stop") == 0)
		return HANDOVER_AWAIT;
	return is_loaded ? HANDOVER_STOP : HANDOVER_REFUSE;
}

bool handover_is_done(const char *result)
{
	/* A unit whose conditions are not met is skipped, as it would be at each start. */
	return strcmp(result, "done") == 0 || strcmp(result, "skipped") == 0;
}

bool handover_is_soon(const struct bridge *bridge, uint64_t now_usec)
{
	switch (bridge->state) {
	case BRIDGE_NEW:
	case BRIDGE_RUNNING:
		return true;
	case BRIDGE_WAITING:
		return bridge->schedule.due_usec <= now_usec + HANDOVER_MOMENT_USEC;
	case BRIDGE_QUEUED:
		/* Nobody knows when a pause or an inhibitor ends. */
		return !bridge->is_held;
	case BRIDGE_DONE:
		return bridge->attempt.rollback.state == ROLLBACK_WANTED;
	case BRIDGE_GONE:
	case BRIDGE_STATE_MAX:
		break;
	}
	return false;
}

uint64_t handover_wait(const struct handover_case *facts, uint64_t now_usec)
{
	uint64_t until = facts->retry_usec;

	if (facts->is_used)
		return HANDOVER_NEVER;
	if (facts->is_stopping)
		return 0;
	if (facts->is_soon)
		return HANDOVER_NEVER;
	if (facts->lingers_usec > until)
		until = facts->lingers_usec;
	return until > now_usec ? until - now_usec : 0;
}
