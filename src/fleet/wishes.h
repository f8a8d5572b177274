/* SPDX-License-Identifier: MIT */
/*
 * wishes.h - the wishes of this gateway and what becomes of them: kept over restarts, judged,
 * fetched, placed, offered, held, and told.
 *
 * One object for the glue. It asks the service for rules and units itself (ListBoards, ListUnits),
 * fetches by download.h and places by shelf.h; what is done with a wish is decided by decide.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "api/client.h"
#include "base/text.h"
#include "fleet/download.h"
#include "fleet/results.h"

struct wishes_options {
	const char *gateway;	  /* its name */
	const char *images;	  /* the fleet's folder */
	int state;		  /* the open state directory */
	size_t message_most;	  /* bytes of a message that are taken */
	const char *trusted_keys; /* folder of keys */
	bool accepts_legacy;	  /* signatures */
	char *const *groups;	  /* the first that has a wish for a board wins */
	size_t n_groups;
	struct fleet_rollout limit;
};

struct wishes_callbacks {
	/*
	 * The JSON to be retained in the topic of the wish for that board; NULL: nothing is there
	 * any more. Called for each that differs from the last, from the event loop alone.
	 */
	void (*tell)(void *userdata, const char *board, const char *payload);
	/* The version that units of the board are to have; "": none is wished. */
	void (*tell_version)(void *userdata, const char *board, const char *version);
	/* All that was kept over a restart is told: once, soon after wishes_new(). */
	void (*told_all)(void *userdata);
};

struct wishes;

/*
 * Reads the wishes that were kept and goes on with them, broker or not. All is borrowed and
 * outlives it. 0, -errno with the reason.
 */
int wishes_new(sd_event *event, struct client *client, struct downloads *downloads,
	const struct wishes_options *options, const struct wishes_callbacks *callbacks,
	void *userdata, struct wishes **ret, struct reason *reason);
struct wishes *wishes_free(struct wishes *wishes);

/*
 * A message of a desired topic: `group` is one of the options' groups, NULL for the gateway's own;
 * `board` as the topic says it, NULL where it does not. No bytes take the wish back: no further
 * unit gets the image. What cannot be understood does so as well, and is told as refused. Where too
 * many came it waits for its turn, see inbox.h.
 */
void wishes_take(struct wishes *wishes, const char *group, const char *board, const void *payload,
	size_t n_payload);

/*
 * All topics are subscribed to, so that all retained messages come once more; and, some time later,
 * all of them came: wishes that were not among them were taken back meanwhile. But for those of a
 * group, NULL: the gateway's own, that are spared between the two: nothing can be heard of them.
 */
void wishes_connected(struct wishes *wishes);
void wishes_spare(struct wishes *wishes, const char *group);
void wishes_heard_all(struct wishes *wishes);

/* From the callbacks of the client: presence, changes of its objects, a job that ended. */
void wishes_presence(struct wishes *wishes, enum client_presence presence);
void wishes_changed(struct wishes *wishes, const struct client_object *object);
void wishes_job_removed(struct wishes *wishes);

/*
 * The commands pause and resume, for the wish of a board. 0; 1 with the reason: there is no wish
 * for it, or it is not held.
 */
int wishes_pause(struct wishes *wishes, const char *board, bool pause, struct reason *reason);
