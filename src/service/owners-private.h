/* SPDX-License-Identifier: MIT */
/* owners-private.h - the units that own ports, for the files that this is cut into. */
#pragma once

#include <sys/queue.h>

#include "service/owner-words.h"
#include "service/owners.h"
#include "service/systemd1.h"

/* Units at once; each has a place in the store. */
#define OWNERS_MOST_TRACKED 32

enum owner_state { OWNER_STOPPING, OWNER_AWAITED, OWNER_DOWN, OWNER_STARTING, OWNER_OWED };

struct owner {
	TAILQ_ENTRY(owner) link;
	struct owners *owners;
	enum owner_state state;
	struct owner_row row;  /* what the store has of it */
	char unit[64];	       /* unique id of the board that is torn or gone, "" not known */
	unsigned place;	       /* in the store, from 1; 0: it is not kept */
	bool is_forced;	       /* its stop was ordered here, and has not ended */
	bool has_failed;       /* its start, and that was told */
	bool is_given_up;      /* it is not started before the service ends */
	uint64_t down_usec;    /* since when, monotonic; 0: of an earlier service */
	uint64_t lingers_usec; /* until then it waits for a board that is gone; 0 */
	uint64_t retry_usec;   /* its start is not ordered again before; 0 */
	uint64_t retry_delay_usec;
};

/* A job that waits for its units. */
struct taking {
	TAILQ_ENTRY(taking) link;
	struct owners *owners;
	owners_callback callback;
	void *userdata;
	char **names; /* NULL-terminated */
	size_t n_names;
	bool is_listed;
	uint64_t begun_usec;
	struct owners_answer answer; /* as far as it is known; not free: it has failed */
};

struct owners {
	struct owners_parts parts;
	struct systemd1 *systemd1; /* NULL: nothing was asked of it yet */
	TAILQ_HEAD(owner_list, owner) items;
	TAILQ_HEAD(taking_list, taking) takings;
	sd_event_source *timer;
	bool is_stopping;
};

/* A turn is due. */
void owners_wake(struct owners *owners);

/* Whether one of these names is the unit's, or the one by which a rule has it. */
bool owner_is_named(char *const *names, size_t n_names, const struct owner *owner);

/* Without a row in the store. NULL without memory, or where too many are tracked. */
struct owner *owner_add(struct owners *owners, enum owner_state state, const char *id,
	const char *name, int64_t stopped_ms);

/* Writes its row: before its stop, so that a service that is killed in between knows of it. */
void owner_keep(struct owner *owner);

/* It needs nothing more, and its row goes. */
void owner_forget(struct owner *owner);

/* owners-take.c. Its jobs do not wait any more. */
void owners_drop_takings(struct owners *owners);
