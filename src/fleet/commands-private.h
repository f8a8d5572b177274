/* SPDX-License-Identifier: MIT */
/*
 * commands-private.h - one command that is held, for the two files that move it: commands.c from
 * what the broker says, commands-run.c from what the service says.
 */
#pragma once

#include "fleet/budget.h"
#include "fleet/commands.h"

enum held_state { HELD_ANNOUNCED, HELD_RUNNING, HELD_ANSWERED };

struct held {
	struct commands *commands;
	char id[COMMAND_ID_SIZE];
	struct command command;
	enum held_state state;

	/* The answer that is to stand at the topic now. */
	char *payload;
	size_t n_payload;
	bool is_handed; /* to the broker's connection */
	bool is_too_large;
	unsigned n_handed;
	uint64_t due_usec; /* when the wait of this state is over; UINT64_MAX: it is not */

	/* While it runs. */
	bool waits_for_service; /* it is not known yet whether that is there */
	unsigned n_calls;	/* without a reply */
	char **jobs;		/* their objects on the bus, until they end */
	size_t n_jobs;
	uint32_t n_well, n_failed;
	struct reason first; /* of the failures */
};

struct commands {
	struct client *client;
	struct commands_callbacks callbacks;
	void *userdata;
	unsigned allowed;
	struct held *helds[COMMANDS_MOST]; /* in the order in which they came */
	size_t n_helds;
	sd_event_source *timer;
	struct budget lines; /* about commands, in the journal */
};

/* Asks the service for what the command wants, and ends it once that is done or cannot be. */
void command_run(struct held *held);

/* Ends one that was begun or is refused, with the reason where it failed (NULL: none): the answer
 * waits for the broker from then on. Nothing of the service reaches the command any more. */
void command_end(struct held *held, bool is_well, const char *reason);
