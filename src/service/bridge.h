/* SPDX-License-Identifier: MIT */
/*
 * bridge.h - one plugged-in bridge: its facts, its state, the rule it has, when it is looked at
 * next and why, and the attempt at the unit behind it.
 *
 * A bridge begins when it appears and ends when it goes; it stays in DONE while it is plugged in,
 * so that no later event begins it anew. It knows of itself only; whose turn it is, is the
 * dispatcher's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <systemd/sd-event.h>

#include "records/attempt.h"
#include "rules/config.h"
#include "rules/match.h"
#include "service/claim.h"
#include "service/flap.h"
#include "service/pace.h"
#include "service/worker.h"

enum bridge_state {
	BRIDGE_NEW,	/* it appeared */
	BRIDGE_WAITING, /* until its schedule says so */
	BRIDGE_QUEUED,	/* waiting for its turn */
	BRIDGE_RUNNING, /* a worker has it */
	BRIDGE_DONE,	/* nothing is to be done; it is still there */
	BRIDGE_GONE,	/* unplugged, or the service stops; freed once the worker is reaped */
	BRIDGE_STATE_MAX,
};

/* Why a bridge is looked at next. */
enum schedule_reason {
	SCHEDULE_NONE,	   /* it is not */
	SCHEDULE_SETTLE,   /* its port comes to rest after plug-in */
	SCHEDULE_FLAP,	   /* it reconnects all the time: once it has stayed for a while */
	SCHEDULE_RULE,	   /* it has another rule */
	SCHEDULE_IMAGE,	   /* its rule has another image */
	SCHEDULE_TRY,	   /* the attempt ended early and goes on with another try */
	SCHEDULE_ROOM,	   /* the host is short of memory or descriptors */
	SCHEDULE_REST,	   /* the unit failed, and is tried again by itself */
	SCHEDULE_ROLLBACK, /* the unit goes back to the image before */
	SCHEDULE_TWIN,	   /* the bridge whose chip had the same id is gone */
	SCHEDULE_HOST,	   /* the host is about to sleep or shut down: once it is up again */
	SCHEDULE_ASKED,	   /* somebody wants the unit, which failed, tried again */
	SCHEDULE_JOB,	   /* somebody asked for a job of its own */
	SCHEDULE_REASON_MAX,
};

/* No time is known: somebody schedules it anew. */
#define SCHEDULE_NEVER UINT64_MAX

/* Written by bridge.c alone. */
struct schedule {
	enum schedule_reason reason;
	uint64_t since_usec; /* when it was made; the queue is in this order */
	uint64_t due_usec;   /* monotonic, as the other */
	int64_t due_ms;	     /* the same by the wall clock, for people; 0 with SCHEDULE_NEVER */
	sd_event_source *timer;
};

/*
 * Work that somebody asked for, from then until its job has ended. A bridge has one job at most.
 * Verify, probe and identify are checks: they write nothing, and what the service does by itself
 * with the bridge goes on after them as if they had not been.
 */
struct ask {
	char id[33]; /* of its job; "": nothing is asked for */
	enum attempt_operation operation;
	bool force;	     /* OPERATION_FLASH: it is written, whatever the unit holds */
	char board[64];	     /* the rule that was named, where more than one fits; "" none was */
	int64_t asked_ms;    /* by the wall clock */
	unsigned images_seq; /* number of the change of the images when its image was looked for */
};

struct bridge;

struct bridge_callbacks {
	/* After every change of state, and when the worker of a bridge that is GONE was reaped. */
	void (*on_change)(void *userdata, struct bridge *bridge);
	/* An attempt begins, and its entry is next. */
	void (*on_begin)(void *userdata, struct bridge *bridge);
	/* The worker asks; the answer is ANSWER_GO before the call. True: that is given now;
	 * false: bridge_answer() will give it. */
	bool (*on_question)(void *userdata, struct bridge *bridge, enum question question,
		const struct report *so_far, struct answer *ret);
	/*
	 * An attempt has ended, and its entry follows, of the report as it is then. Returns how
	 * long to wait before the unit is tried again, 0: it is not.
	 */
	uint64_t (*on_end)(void *userdata, struct bridge *bridge, struct report *report);
	/* The worker got on. */
	void (*on_progress)(void *userdata, struct bridge *bridge);
};

/* Its rule, and the configuration that this is of. */
struct bridge_match {
	unsigned config_seq; /* 0: it was not matched yet */
	enum match_result result;
	char *board; /* name of the rule, MATCH_ONE */
	char *rule;  /* its text, to tell whether a reload changed it */
};

/* The image that it was looked at with. */
struct bridge_image {
	unsigned seq;	     /* number of the change of the images it was looked at after */
	char *stamp;	     /* NULL: there was none */
	bool has_address;    /* the manifest of that image says where it belongs */
	uint64_t asked_usec; /* when its turn came and its image was not known; 0: it is */
	/* The last attempt ended since its image was not for the unit that answered. */
	bool was_for_another;
	bool was_unusable; /* the last attempt ended for want of a good one */
	/* The next look only notes which image there is: the flash was cancelled before one was
	 * chosen, and the image that it was to get is none to begin anew for. */
	bool is_noted_only;
	/* File that the unit was verified to hold since it was plugged in, "" none. */
	char held_sha256[DIGEST_HEX_SIZE];
};

/* How the last attempt ended that was to bring the unit to an image. */
struct bridge_end {
	int64_t ended_ms; /* of the wall clock; 0: none has */
	enum outcome outcome;
	struct reason reason;
};

/* The units that own its port, by the rule of the job that runs. */
struct bridge_owners {
	char **names; /* NULL: none */
	size_t n_names;
	bool is_asking; /* they are being stopped, and the worker waits for that */
	bool is_final;	/* they could not be, and another try changes nothing */
};

struct bridge {
	TAILQ_ENTRY(bridge) link; /* the dispatcher's, in order of appearance */
	uint64_t number;	  /* the dispatcher's, from 1 on, and never used again; 0: none */
	enum bridge_state state;  /* assigned by bridge_enter_state() only */
	int64_t since_ms;	  /* of that state, by the wall clock */
	sd_event *event;
	const struct bridge_callbacks *callbacks;
	void *userdata;

	struct facts facts;
	char slot[SLOT_NAME_SIZE]; /* name of its socket, by the configuration in force; "" none */
	uint64_t instance; /* inode of the tty below /sys: a re-plug that nobody told us of has
			      another */
	uint64_t appeared_usec;
	unsigned sweep_seq;	  /* number of the last enumeration that found it */
	struct flap_table *flaps; /* of its slot, too; NULL: every entry is made */
	bool is_from_start; /* found when the service began, and no image was chosen for it yet */

	struct bridge_match match;
	struct bridge_image image;
	struct schedule schedule;
	struct bridge_end last;
	bool is_held; /* it is queued, and somebody holds it back; by bridge_note_hold() only */

	struct ask ask;
	struct schedule own; /* of the service, to go on with after a check; it has no timer */

	/* The last one, the one that runs, or the next as far as it is known. */
	struct attempt attempt;
	struct attempt *kept; /* while a check is asked for: the one that is there again after it */
	struct progress progress; /* of the worker that runs, and what follows from it */
	struct pace pace;
	struct worker *worker;
	struct claim claim; /* what that worker asked, and was told */
	struct bridge_owners owners;
	const char *lie;  /* what contradicts it, NULL: nothing so far */
	bool is_stopping; /* the service stops: no more tries */
};

const char *bridge_state_to_string(enum bridge_state state);

/* Whether the state may follow; everything else is a mistake in this program. */
bool bridge_state_may_follow(enum bridge_state from, enum bridge_state to);

/* Takes a copy of the facts; the callbacks are borrowed. 0 or -errno. */
int bridge_new(sd_event *event, const struct facts *facts, const struct bridge_callbacks *callbacks,
	void *userdata, struct bridge **ret);

/* Kills the worker if there is one. NULL is fine. */
struct bridge *bridge_free(struct bridge *bridge);

/* Whether these are facts of this bridge, and not of one in its place. */
bool bridge_is_for(const struct bridge *bridge, const struct facts *facts);

/* The only place that assigns the state; stops the timer of the state before, and signals. */
void bridge_enter_state(struct bridge *bridge, enum bridge_state state);

/*
 * The only place that says when the bridge is looked at next, and why: in `usec`, 0 at once. It
 * waits, or is queued; while it has a worker that is noted only, for bridge_follow_schedule().
 */
void bridge_schedule(struct bridge *bridge, enum schedule_reason reason, uint64_t usec);

/* The worker is gone: to what was scheduled while it ran, DONE where that is nothing. */
void bridge_follow_schedule(struct bridge *bridge);

/* Queues it if its wait has ended by `now`: timers that end together come in any order. */
void bridge_end_wait(struct bridge *bridge, uint64_t now);

/* Whether it waits or is done, and not between two tries of one attempt. */
bool bridge_is_idle(const struct bridge *bridge);

/*
 * Somebody asks for work at a bridge that has no job, and whose unit is not to go back. It takes
 * its turn as soon as its port has come to rest, and one that is queued keeps its place. 0 or
 * -ENOMEM.
 */
int bridge_ask(struct bridge *bridge, const struct ask *ask);

/* Whether a job is asked for, and has not begun. */
bool bridge_is_asked(const struct bridge *bridge);

/* Whether its job is one that writes nothing. */
bool bridge_is_checked(const struct bridge *bridge);

/* Whether its work has to do with an image. */
bool bridge_needs_image(const struct bridge *bridge);

/* The last attempt that was to bring the unit to an image, also while a check takes its place. */
struct attempt *bridge_flash(struct bridge *bridge);

/* The check has ended: the bridge goes on with what the service was about to do. */
void bridge_resume_own(struct bridge *bridge);

/* Whether somebody holds back the bridge, which is queued; where that is news, since now. */
void bridge_note_hold(struct bridge *bridge, bool is_held);

/* The rule as text, in which a change of it shows; the caller's to free. NULL without memory. */
char *bridge_rule_text(const struct board *board);

enum bridge_match_outcome {
	BRIDGE_MATCH_CHANGED = 1, /* the first result, or another than before */
};

/* Notes the name that the configuration gives its socket; neither its rule nor its attempt knows.
 */
void bridge_name_slot(struct bridge *bridge, const struct config *config);

/*
 * Matches it against the rules of the configuration of this number, and notes the result; a reload
 * that did not change its rule is told from one that did by the rule's text. 0,
 * BRIDGE_MATCH_CHANGED or -ENOMEM.
 */
int bridge_match(
	struct bridge *bridge, const struct config *config, unsigned config_seq, struct match *ret);

/*
 * Whether an entry of this kind is made now, and counts it: of a bridge that comes and goes, not
 * each.
 */
bool bridge_take_entry(struct bridge *bridge, unsigned entry);
