/* SPDX-License-Identifier: MIT */
/*
 * worker.h - the process of one try of an attempt: started, listened to, asked to stop, ended,
 * reaped.
 *
 * Owns the process, its pipes and its time limits. Knows nothing of why it runs and logs
 * nothing but at debug; what the process says is checked line by line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "api/report.h"
#include "flash/assignment.h"
#include "flash/question.h"

/* Past them the process is killed: the worker has deadlines of its own, these are for one that
 * hangs. */
struct worker_limits {
	uint64_t silence_usec; /* without a line */
	uint64_t total_usec;
};

struct worker_callbacks {
	/* Each line of progress. May be NULL. */
	void (*on_progress)(void *userdata, const struct progress *progress);
	/* It waits for the answer, which is ANSWER_GO before the call. True: that is given now;
	 * false: worker_answer() will give it. NULL: that is the answer. */
	bool (*on_question)(void *userdata, enum question question, const struct report *so_far,
		struct answer *ret);
	/*
	 * Once, when the process is gone. The report is filled whatever happened: a worker that
	 * died, was killed or talked nonsense has the outcome failed and a reason. The worker may
	 * be freed here.
	 */
	void (*on_end)(void *userdata, const struct report *report);
	void *userdata;
};

struct worker;

/* How long an attempt by this rule may take at most. */
struct worker_limits worker_limits_for(const struct board *board);

/*
 * Starts `program` (no shell, a process group of its own, no descriptor but its pipes, standard
 * error and `transcript`, -1 for none, which stays the caller's) and hands it the assignment.
 * -errno when it cannot be started, with the reason.
 */
int worker_new(sd_event *event, const char *program, int transcript,
	const struct assignment *assignment, const struct worker_limits *limits,
	const struct worker_callbacks *callbacks, struct worker **ret, struct reason *reason);

/*
 * Whether it ended at once because it is not of the service's own build: then its report is the
 * service's own, and the attempt is put off. From within on_end().
 */
bool worker_is_of_another_build(const struct worker *worker);

/* Kills and reaps the process if there still is one; no callback is made. NULL is fine. */
struct worker *worker_free(struct worker *worker);

/* Gives the answer that a question still waits for; nothing happens where none does any more. */
void worker_answer(struct worker *worker, const struct answer *answer);

/* Asks it to stop before the erase; after the erase it goes on to its end. */
void worker_cancel(struct worker *worker);

/* Ends it at once; the report has failed, for this reason, which stays the caller's. */
void worker_kill(struct worker *worker, const char *fault);

/* Asks the same, and kills it after `grace_usec`, whatever it does: its bridge is gone. */
void worker_abandon(struct worker *worker, uint64_t grace_usec);
