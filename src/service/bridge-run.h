/* SPDX-License-Identifier: MIT */
/*
 * bridge-run.h - an attempt at the unit behind a bridge, from its begin to its end.
 */
#pragma once

#include "flash/assignment.h"
#include "service/bridge.h"
#include "service/transcripts.h"

/* An id for a job, as no other has. */
void bridge_make_job_id(char to[static 33]);

/*
 * Starts the worker on the assignment, with the entry that the attempt started where this is not
 * another try of it. A worker that cannot be started ends the attempt; a transcript that cannot be
 * kept does not.
 */
void bridge_run(struct bridge *bridge, const char *program, const struct transcripts *transcripts,
	const struct assignment *assignment);

/* The answer to the first question of its worker, where that was not given at once. */
void bridge_answer(struct bridge *bridge, const struct answer *answer);

/* Ends an attempt for which no worker is needed: there is no image, the environment is broken. */
void bridge_fail(struct bridge *bridge, const struct report *end);

/* The same for a job that somebody asked for, and for which there is no rule any more. */
void bridge_refuse(struct bridge *bridge, const struct report *end);

/* The same where the host is at fault, `error` a -errno; memory or descriptors that it is short of
 * may be there again in a moment, and are waited for. */
void bridge_fail_for(struct bridge *bridge, int error);

/*
 * Somebody asks for the end of its job: of one that waits, at once; of one that runs, as soon as
 * its worker has heard. False, and nothing happens, where the unit may be erased already: it is
 * finished. The answer to that question of the worker is the moment that decides.
 */
bool bridge_cancel(struct bridge *bridge);

/* It is gone: its worker is told, and killed when it does not end soon. */
void bridge_unplug(struct bridge *bridge);

/* The service stops: a worker is asked to end before the erase, everything else ends now. */
void bridge_stop(struct bridge *bridge);
