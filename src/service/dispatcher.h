/* SPDX-License-Identifier: MIT */
/*
 * dispatcher.h - all bridges that are plugged in: which rule each has, whose turn it is, and
 * what a reload, an unplugging or the end of the service means for them.
 *
 * Owns bridges and configuration. Attempts start, and bridges are freed, in dispatcher_turn() only,
 * which the manager calls soon after a change and never from within one.
 */
#pragma once

#include <stddef.h>

#include <systemd/sd-event.h>

#include "rules/config.h"
#include "service/bridge.h"
#include "service/flap.h"
#include "service/holds.h"
#include "service/hook.h"
#include "service/inhibitor.h"
#include "service/records.h"

struct dispatcher;

/* Parts that it works with: all of them are the caller's, and outlive the dispatcher. */
struct dispatcher_parts {
	sd_event *event;
	const char *chips; /* the chip table, and the folder of what is laid over it */
	const char *chips_dir;
	const char *worker;	     /* the program */
	const char *state;	     /* directory of transcripts; NULL: none are kept */
	struct records *records;     /* NULL: nothing is kept */
	struct inhibitor *inhibitor; /* NULL: the host is not asked to wait */
	struct watch *watch;	     /* NULL: changes are noticed at the next plug-in only */
	struct flap_table *flaps;
	struct hooks *hooks;
	void (*on_change)(void *userdata); /* a turn is due */
	void (*on_progress)(void *userdata, const struct bridge *bridge);
	/* An attempt has ended, of whatever kind, and this is its report. NULL: nobody asks. */
	void (*on_end)(void *userdata, const struct bridge *bridge, const struct report *report);
	/* A bridge was missed, for want of memory: the caller looks for bridges again. */
	void (*on_missed)(void *userdata);
	void *userdata;
};

struct dispatcher_counts {
	size_t bridges;
	size_t running;
	size_t waiting;
};

/* With no rules. 0 or -ENOMEM. */
int dispatcher_new(const struct dispatcher_parts *parts, struct dispatcher **ret);

/* Kills workers that still run. NULL is fine. */
struct dispatcher *dispatcher_free(struct dispatcher *dispatcher);

/* Takes the configuration over. Boards whose rule is another now are looked at again in the next
 * turn. */
void dispatcher_set_config(struct dispatcher *dispatcher, struct config *config);

/* The one in force. */
const struct config *dispatcher_config(const struct dispatcher *dispatcher);

/* A bridge is there: a new one is added, a known one left alone, one in place of another both ends
 * that and is added. */
void dispatcher_add_bridge(struct dispatcher *dispatcher, const struct facts *facts);

/* No bridge is at this path any more. */
void dispatcher_remove_bridge(struct dispatcher *dispatcher, const char *sysfs);

/* Around an enumeration: bridges not added between the two are gone. Those of the first one, which
 * were there before the service, are matched at its end: its caller says first that it is ready. */
void dispatcher_begin_sweep(struct dispatcher *dispatcher);
void dispatcher_end_sweep(struct dispatcher *dispatcher);

/* Something changed in the image directory. Boards whose image is another now are looked at again
 * in the next turn. */
void dispatcher_images_changed(struct dispatcher *dispatcher);

/* What holds bridges back: steering.h changes it, and asks for a turn then. */
struct holds *dispatcher_holds(struct dispatcher *dispatcher);

/* NULL: nothing is kept. */
struct records *dispatcher_records(const struct dispatcher *dispatcher);

struct owners;
const struct owners *dispatcher_owners(const struct dispatcher *dispatcher);

/* Units that an earlier service stopped for a board and did not start again are started, once no
 * board needs their ports. */
void dispatcher_recall_owners(struct dispatcher *dispatcher);

bool dispatcher_is_stopping(const struct dispatcher *dispatcher);

/* Something changed that the next turn is to see. */
void dispatcher_wake(struct dispatcher *dispatcher);

/* Nothing starts any more, and all attempts end as soon as they may. */
void dispatcher_stop(struct dispatcher *dispatcher);

/* Starts what may start, ends what must end, frees what is over. */
void dispatcher_turn(struct dispatcher *dispatcher);

/* The bridge after this one in order of appearance, NULL: the first. NULL where there is no other.
 */
struct bridge *dispatcher_next(const struct dispatcher *dispatcher, const struct bridge *previous);

struct dispatcher_counts dispatcher_count(const struct dispatcher *dispatcher);
