/* SPDX-License-Identifier: MIT */
/*
 * job.h - one plugged-in bridge and what becomes of it: states, time, the worker and the retries.
 *
 * A job begins when a bridge appears and ends when it goes; it stays in DONE while the bridge
 * stays, so that no later event begins it anew. It decides about itself only; which rule it gets,
 * and when it may run, is the manager's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <systemd/sd-event.h>

#include "rules/match.h"
#include "service/claim.h"
#include "service/flap.h"
#include "service/memory.h"
#include "service/worker.h"

enum job_state {
	JOB_NEW,      /* a bridge appeared */
	JOB_SETTLING, /* a rule fits; waiting for the port to come to rest, or for the time of
			 another attempt on a unit that failed */
	JOB_QUEUED,   /* waiting for its turn */
	JOB_RUNNING,  /* a worker has it */
	JOB_WAITING,  /* for another try: the port could not be opened */
	JOB_DONE,     /* ended, or nothing to do; the bridge is still there */
	JOB_GONE, /* the bridge is gone, or the service stops; freed once the worker is reaped */
	JOB_STATE_MAX,
};

struct job;

struct job_callbacks {
	/* After every change of state, and when the worker of a job that is GONE was reaped. */
	void (*on_change)(void *userdata, struct job *job);
	/* An attempt begins, and its entry is next. May be NULL. */
	void (*on_begin)(void *userdata, struct job *job);
	/* The worker asks. NULL: each answer is ANSWER_GO. */
	void (*on_question)(void *userdata, struct job *job, enum question question,
		const struct report *so_far, struct answer *ret);
	/* An attempt has ended and its entry is made; the state follows. May be NULL. */
	void (*on_end)(void *userdata, struct job *job, const struct report *report);
	/* The worker got on. May be NULL. */
	void (*on_progress)(void *userdata, struct job *job);
	void *userdata;
};

struct job {
	TAILQ_ENTRY(job) link; /* manager::jobs, in order of appearance */
	enum job_state state;  /* assigned by job_enter_state() only */
	sd_event *event;
	struct job_callbacks callbacks;

	struct facts facts;
	uint64_t instance; /* inode of the tty below /sys: a re-plug that nobody told us of has
			      another */
	uint64_t appeared_usec;

	/* The manager's notes. */
	unsigned seen;		  /* number of the last enumeration that found it */
	unsigned matched;	  /* number of the configuration it was last matched against */
	enum match_result result; /* of that match */
	char *board;		  /* name of the rule, MATCH_ONE */
	char *rule;		  /* its text, to tell whether a reload changed it */
	uint64_t turn;		  /* place in the queue */
	uint64_t again_usec;	  /* DONE: another attempt after so long; 0: none */
	bool is_put_off;	  /* its erase, until the host is up again */
	bool is_delayed;	  /* it flaps, and is expected to go again */
	struct flap_table *flaps; /* of its slot, too; NULL: every entry is made */
	unsigned library;	  /* number of the change of the images it was looked at after */
	char *identity;		  /* of the image it was looked at with, NULL: there was none */
	bool has_no_image;	  /* the last attempt ended for want of a good one */
	bool has_address;	  /* the manifest of that image says where it belongs */

	/* File that the unit was verified to hold since it was plugged in, "" none. */
	char held_sha256[DIGEST_HEX_SIZE];

	struct attempt attempt; /* the last one, the one that runs, or the next as far as it is
				   known */

	struct worker *worker;
	struct claim claim; /* what that worker asked, and was told */
	const char *lie;    /* what contradicts it, NULL: nothing so far */
	sd_event_source *timer;
	uint64_t due_usec; /* when it ends */
	bool is_stopping;  /* the service stops: no retries */
};

const char *job_state_to_string(enum job_state state);

/* Whether the state may follow; everything else is a mistake in this program. */
bool job_state_may_follow(enum job_state from, enum job_state to);

/* Takes a copy of the facts. 0 or -errno. */
int job_new(sd_event *event, const struct facts *facts, const struct job_callbacks *callbacks,
	struct job **ret);

/* Kills the worker if there is one. NULL is fine. */
struct job *job_free(struct job *job);

/* The only place that assigns the state; stops the timer of the state before, and signals. */
void job_enter_state(struct job *job, enum job_state state);

/* Waits, then enters JOB_QUEUED. */
void job_settle(struct job *job, uint64_t usec);

/* Enters JOB_QUEUED if the wait has ended by `now`: timers that end together come in any order. */
void job_end_wait(struct job *job, uint64_t now);

/*
 * Starts the worker on the assignment, with the entry that the job started where this is no retry.
 * A worker that cannot be started ends the job.
 */
void job_run(struct job *job, const char *program, const struct assignment *assignment);

/* Ends a job for which no worker is needed: nothing in the library, a broken environment. */
void job_fail(struct job *job, enum outcome outcome, enum phase phase, const struct reason *reason);

/* The same where the service's own environment is to blame, `error` a -errno. */
void job_fail_for(struct job *job, int error);

/* The bridge is gone: the worker is told, and killed when it does not end soon. */
void job_unplug(struct job *job);

/* The service stops: the worker is asked to end before the erase, everything else ends now. */
void job_stop(struct job *job);

/* Whether an entry of this kind is made: of a bridge that comes and goes, not each. */
bool job_may_tell(const struct job *job, unsigned entry);

/* Whether these are facts of the bridge the job was made for, and not of one in its place. */
bool job_is_for(const struct job *job, const struct facts *facts);

/*
 * How long to wait before another try after this report, 0: the job has ended. `n_retries` tries
 * were repeated before, `elapsed_usec` passed since the first began.
 */
uint64_t job_retry_delay(const struct report *report, unsigned n_retries, uint64_t elapsed_usec);
