/* SPDX-License-Identifier: MIT */
/*
 * job.h - a job of the service, asked for and followed to its end: its progress on standard error,
 * its report as if it had been done here.
 */
#pragma once

#include "cli/service.h"
#include "cli/session.h"

struct job;

/* What the client tells goes to the job. */
extern const struct client_callbacks job_callbacks;

/* NULL without memory. */
struct job *job_new(struct session *session);
struct job *job_free(struct job *job); /* NULL is fine; after the client */

/*
 * Asks the service for what the session is about, and waits for the end. Ctrl-C asks it to cancel;
 * where that is too late a second one leaves the service to it. The report of the session tells how
 * it ended, or why it did not begin.
 */
void job_run(struct job *job, struct service *service);
