/* SPDX-License-Identifier: MIT */
/*
 * work.h - a verb that works on a board: by the service where that runs, else in this process.
 *
 * The service does what its rules say: with its queue, its store and its limits. What only this
 * process can do (a file or a board that the options describe, a dry run, a read) is done here,
 * with the bridge taken from the service for as long as it takes.
 */
#pragma once

#include "cli/service.h"
#include "cli/session.h"

struct work {
	struct session session;
	struct service service;
	struct job *job; /* what the service does for it; NULL: it is done here */
};

/* As session_open(), and says who does it. Free with work_done() either way. */
bool work_open(const char *verb, const struct options *options, enum flash_action action,
	struct work *ret);

/* For a verb that has nothing done by the service: takes the bridge from it, where it runs. False:
 * the session's report says why it was not to be had. */
bool work_take(struct work *work);

/* Does it: the session's report tells how it ended. */
void work_run(struct work *work);

void work_done(struct work *work);

/*
 * Has the service read its configuration anew, where that is the one of this command. 0, also where
 * none runs, which is told on standard error with what is to be done then; else the exit code after
 * a sentence: the service has refused it.
 */
int work_reload(const char *verb, const struct options *options);
