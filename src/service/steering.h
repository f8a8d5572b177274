/* SPDX-License-Identifier: MIT */
/*
 * steering.h - what somebody may ask of the service while it runs: work at a bridge, the end of a
 * job, that nothing begins for a while. It knows of no bus: whoever speaks for the outside calls it
 * from the event loop, and puts results into his own words.
 *
 * Nothing starts, and no bridge is freed in here: what was asked for is done in the next turn.
 */
#pragma once

#include "service/dispatcher.h"
#include "service/owners.h"

/* The bridge of this number; NULL: there is none, or it went. */
struct bridge *dispatcher_find_number(struct dispatcher *dispatcher, uint64_t number);

enum ask_result {
	ASK_SAME = 1,	/* the job that is under way does this; its id is given */
	ASK_BUSY,	/* something else is under way */
	ASK_IMPOSSIBLE, /* no rule, two rules, or the service stops */
};

/*
 * Asks for flash, verify, probe or identify of the bridge, by operation, force and board of `ask`.
 * Its job has an id from now on and is seen as waiting; it takes its turn as all others do, and
 * ends exactly once, also where its bridge goes, its rule goes, or the service stops before it
 * began. 0, or ASK_SAME, and the id; ASK_BUSY and ASK_IMPOSSIBLE with the reason; -ENOMEM.
 */
int dispatcher_ask(struct dispatcher *dispatcher, struct bridge *bridge, const struct ask *ask,
	char ret_id[static 33], struct reason *reason);

enum cancel_result {
	CANCEL_NO_JOB = 1, /* there is none of this id, or it has ended */
	CANCEL_TOO_LATE,   /* its unit may be erased already, and is finished; with the reason */
};

/*
 * Ends the job, before the first erase: one that waits at once, one that runs as soon as its worker
 * has heard. The service does not try it again by itself. 0 or an enum cancel_result.
 */
int dispatcher_cancel(struct dispatcher *dispatcher, const char *id, struct reason *reason);

/*
 * Nothing begins until dispatcher_resume(), also after a restart of the service; what runs goes on.
 * 0, HOLDS_TOO_LONG with the reason.
 */
int dispatcher_pause(struct dispatcher *dispatcher, const char *why, struct reason *reason);

/* Whether it was paused. Boards that have waited take their turns in the order in which they came.
 */
bool dispatcher_resume(struct dispatcher *dispatcher);

/* The pause of before a restart, if there was one. */
void dispatcher_recall_pause(struct dispatcher *dispatcher);

/*
 * No worker begins at this bridge, 0: at any, until the inhibitor is released. 0 and its id, or an
 * enum holds_result with the reason.
 */
int dispatcher_inhibit(struct dispatcher *dispatcher, uint64_t number, const char *who,
	const char *why, unsigned *ret_id, struct reason *reason);

/*
 * Whoever inhibits this bridge is about to change what the flash behind it holds: what is on record
 * of it is not believed any more, and the next look at it reads all of it.
 */
void dispatcher_distrust(struct dispatcher *dispatcher, uint64_t number);

void dispatcher_release(struct dispatcher *dispatcher, unsigned id);

enum hold_owners {
	HOLD_OWNERS_NONE,  /* nobody owns the port by the bridge's rule */
	HOLD_OWNERS_ASKED, /* the callback tells once the port is free, or why it is not */
};

/*
 * Has the units stopped that own the port of this bridge, as long as the inhibitor of this id is
 * there. An enum hold_owners, or -ENOMEM. dispatcher_forget_owners() gives up the wait.
 */
int dispatcher_hold_owners(struct dispatcher *dispatcher, unsigned id, uint64_t number,
	owners_callback callback, void *userdata);
void dispatcher_forget_owners(struct dispatcher *dispatcher, const void *userdata);

/* Whether a worker has this bridge, 0: any, whose port somebody waits for who inhibits it. */
bool dispatcher_has_worker(struct dispatcher *dispatcher, uint64_t number);
