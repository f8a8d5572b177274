/* SPDX-License-Identifier: MIT */
/* station-retry.c - units that somebody wants tried again: those in the store, and those plugged
 * in. */
#include <string.h>

#include "service/station.h"

static bool is_wanted(const char *value, const char *wanted)
{
	return !*wanted || strcmp(value ? value : "", wanted) == 0;
}

/* A job waits between two attempts, or has come to its end. */
static bool is_asked_for(const struct job *job, const struct request *request)
{
	return (job->state == JOB_DONE || job->state == JOB_SETTLING) && job->has_failed &&
	       is_wanted(job->board, request->board) && is_wanted(job->facts.path, request->path) &&
	       is_wanted(job->facts.port, request->port) &&
	       strncmp(job->unit, request->unit, strlen(request->unit)) == 0;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

int station_retry(struct station *station, const struct request *request)
{
	struct store_filter filter = {
		.unit = or_null(request->unit),
		.board = or_null(request->board),
		.path = or_null(request->path),
	};
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		/* The store does not know ports, which change; it knows the places behind them. */
		if (*request->port && is_wanted(job->facts.port, request->port))
			filter.path = job->facts.path;
		if (!is_asked_for(job, request))
			continue;
		job->has_failed = false;
		if (job->state == JOB_SETTLING)
			job_enter_state(job, JOB_QUEUED);
		else
			job->again_usec = 1;
	}
	if (*request->port && !filter.path)
		return 0;
	station->callbacks.on_change(station->callbacks.userdata);
	return station->memory ? memory_forgive(station->memory, &filter) : 0;
}
