/* SPDX-License-Identifier: MIT */
/*
 * dispatcher-owners.c - the units that own ports (`port-owner`), between boards and owners.h: a job
 * that is to open a port takes its owners, a job that ends says how it leaves the board, and each
 * turn tells which of them boards still need down.
 *
 * A job has the owners that its rule named when it began, whatever a reload says in between.
 */
#include "service/dispatcher-private.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "service/bridge-run.h"
#include "service/handover.h"
#include "service/journal.h"
#include "service/steering.h"

static bool is_among(char *const *names, size_t n_names, const char *name)
{
	for (size_t i = 0; i < n_names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* By the rule that the bridge has now, or is to have at its next turn. */
static bool rule_names(
	const struct dispatcher *dispatcher, const struct bridge *bridge, const char *name)
{
	const char *rule = *bridge->ask.board ? bridge->ask.board : bridge->match.board;
	const struct board *board = rule ? config_find_board(&dispatcher->config, rule) : NULL;

	return board && is_among(board->port_owner, board->n_port_owner, name);
}

static bool job_names(const struct bridge *bridge, const char *name)
{
	return bridge->attempt.is_open &&
	       is_among(bridge->owners.names, bridge->owners.n_names, name);
}

/* Somebody who inhibits the bridge has had its owners stopped. */
static bool holder_names(
	const struct dispatcher *dispatcher, const struct bridge *bridge, const char *name)
{
	return bridge->state != BRIDGE_GONE &&
	       holds_have_owners(&dispatcher->holds, bridge->number) &&
	       rule_names(dispatcher, bridge, name);
}

static struct owners_need need(void *userdata, const char *id, const char *name)
{
	const struct dispatcher *dispatcher = userdata;
	struct owners_need found = {0};
	const struct bridge *bridge;
	uint64_t now = monotonic_usec();

	TAILQ_FOREACH(bridge, &dispatcher->bridges, link)
	{
		found.is_used |= job_names(bridge, id) || job_names(bridge, name) ||
				 holder_names(dispatcher, bridge, id) ||
				 holder_names(dispatcher, bridge, name);
		found.is_soon |= handover_is_soon(bridge, now) &&
				 (rule_names(dispatcher, bridge, id) ||
					 rule_names(dispatcher, bridge, name));
	}
	return found;
}

static void on_taken(void *userdata, const struct owners_answer *taken)
{
	struct answer answer = {.word = ANSWER_GO};
	struct bridge *bridge = userdata;

	bridge->owners.is_asking = false;
	if (*taken->stopped && bridge_take_entry(bridge, FLAP_OWNERS))
		journal_owners(bridge, taken->stopped, taken->took_usec);
	if (!taken->is_free) {
		bridge->owners.is_final = taken->is_final;
		answer = (struct answer){.word = ANSWER_LEAVE,
			.outcome = OUTCOME_PORT_BUSY,
			.reason = taken->reason};
	}
	bridge_answer(bridge, &answer);
}

bool dispatcher_take_owners(
	struct dispatcher *dispatcher, struct bridge *bridge, struct answer *ret)
{
	struct bridge_owners *owners = &bridge->owners;

	if (owners->n_names == 0)
		return true;
	/* A try that ended while it waited. */
	owners_forget(dispatcher->owners, bridge);
	if (owners_take(dispatcher->owners, owners->names, owners->n_names, on_taken, bridge) < 0) {
		*ret = (struct answer){.word = ANSWER_LEAVE, .outcome = OUTCOME_PORT_BUSY};
		reason_set(&ret->reason,
			"the units that own the port could not be stopped: out of memory");
		return true;
	}
	owners->is_asking = true;
	dispatcher_wake(dispatcher);
	return false;
}

void dispatcher_return_owners(
	struct dispatcher *dispatcher, struct bridge *bridge, const struct report *report)
{
	const struct attempt *attempt = &bridge->attempt;
	bool is_pulled = report->outcome == OUTCOME_PORT_GONE ||
			 (bridge->state == BRIDGE_GONE && !bridge->is_stopping);
	bool is_torn = attempt->has_begun_erase && report->outcome != OUTCOME_UPDATED;

	if (bridge->owners.n_names == 0)
		return;
	owners_forget(dispatcher->owners, bridge);
	owners_note_end(dispatcher->owners, bridge->owners.names, bridge->owners.n_names,
		is_pulled ? OWNERS_PULLED
		: is_torn ? OWNERS_TORN
			  : OWNERS_WELL,
		bridge->facts.usb_path, attempt->unit);
	dispatcher_wake(dispatcher);
}

int dispatcher_hold_owners(struct dispatcher *dispatcher, unsigned id, uint64_t number,
	owners_callback callback, void *userdata)
{
	const struct bridge *bridge = dispatcher_find_number(dispatcher, number);
	const char *rule = bridge ? bridge->match.board : NULL;
	const struct board *board = rule ? config_find_board(&dispatcher->config, rule) : NULL;

	if (!board || board->n_port_owner == 0)
		return HOLD_OWNERS_NONE;
	holds_note_owners(&dispatcher->holds, id);
	return owners_take(dispatcher->owners, board->port_owner, board->n_port_owner, callback,
		       userdata) < 0
		       ? -ENOMEM
		       : HOLD_OWNERS_ASKED;
}

void dispatcher_forget_owners(struct dispatcher *dispatcher, const void *userdata)
{
	owners_forget(dispatcher->owners, userdata);
}

static bool is_named(void *userdata, const char *name)
{
	const struct dispatcher *dispatcher = userdata;

	for (size_t i = 0; i < dispatcher->config.n_boards; i++) {
		const struct board *board = &dispatcher->config.boards[i];

		if (is_among(board->port_owner, board->n_port_owner, name))
			return true;
	}
	return false;
}

void dispatcher_review_owners(struct dispatcher *dispatcher)
{
	owners_review(dispatcher->owners, is_named, dispatcher);
}

void dispatcher_recall_owners(struct dispatcher *dispatcher)
{
	owners_recall(dispatcher->owners);
	dispatcher_review_owners(dispatcher);
}

const struct owners *dispatcher_owners(const struct dispatcher *dispatcher)
{
	return dispatcher->owners;
}

static void on_change(void *userdata)
{
	dispatcher_wake(userdata);
}

int dispatcher_add_owners(struct dispatcher *dispatcher)
{
	const struct owners_parts parts = {
		.event = dispatcher->parts.event,
		.records = dispatcher->parts.records,
		.need = need,
		.on_change = on_change,
		.userdata = dispatcher,
	};

	return owners_new(&parts, &dispatcher->owners);
}
