/* SPDX-License-Identifier: MIT */
/* dispatcher-private.h - the dispatcher, for the files that it is cut into. */
#pragma once

#include <sys/queue.h>

#include "service/choice.h"
#include "service/dispatcher.h"
#include "service/owners.h"

struct dispatcher {
	struct dispatcher_parts parts;
	struct config config;
	unsigned config_seq; /* goes up with each configuration */
	struct chooser chooser;
	TAILQ_HEAD(bridge_list, bridge) bridges; /* in order of appearance */
	struct holds holds;
	struct owners *owners;
	uint64_t last_number; /* of the bridge that appeared last */
	unsigned sweep_seq;
	bool is_first_look; /* at what was plugged in before the service began */
	bool is_stopping;
};

/* Whether the host is about to sleep or shut down. */
bool dispatcher_host_goes_down(const struct dispatcher *dispatcher);

/* dispatcher-owners.c. The owners of ports; 0 or -ENOMEM. */
int dispatcher_add_owners(struct dispatcher *dispatcher);
/* The worker may open its port once they are stopped. True: the answer is given now; false:
 * bridge_answer() will. */
bool dispatcher_take_owners(
	struct dispatcher *dispatcher, struct bridge *bridge, struct answer *ret);
/* The job has ended so. */
void dispatcher_return_owners(
	struct dispatcher *dispatcher, struct bridge *bridge, const struct report *report);
/* The rules are others. */
void dispatcher_review_owners(struct dispatcher *dispatcher);

/* The two of struct bridge_callbacks, of an attempt that runs: dispatcher-answers.c. */
bool dispatcher_answer(void *userdata, struct bridge *bridge, enum question question,
	const struct report *so_far, struct answer *ret);
uint64_t dispatcher_end(void *userdata, struct bridge *bridge, struct report *report);

/* Ends a job that was asked for by a rule that is none any more: a reload came between. */
void dispatcher_refuse(struct bridge *bridge);
