/* SPDX-License-Identifier: MIT */
/* station-retry.c - units that somebody wants tried again: those in the store, and those plugged
 * in. */
#include <string.h>

#include "service/memory-unit.h"
#include "service/station.h"

void station_note_unit(struct job *job, const struct report *report)
{
	snprintf(job->unit, sizeof(job->unit), "%s", report->unit);
	if (job->rollback.is_begun)
		snprintf(job->key, sizeof(job->key), "%s", job->rollback.key);
	else
		memory_unit_key(job, report, job->key);
}

static bool is_wanted(const char *value, const char *wanted)
{
	return !*wanted || strcmp(value ? value : "", wanted) == 0;
}

static bool is_meant(const struct job *job, const struct request *request)
{
	return job->state != JOB_GONE && is_wanted(job->board, request->board) &&
	       is_wanted(job->facts.path, request->path) &&
	       is_wanted(job->facts.port, request->port) &&
	       strncmp(job->unit, request->unit, strlen(request->unit)) == 0;
}

/* It waits between two attempts, or has come to its end. */
static void try_again(struct job *job)
{
	if (!job->has_failed)
		return;
	if (job->state == JOB_SETTLING) {
		job->has_failed = false;
		job_enter_state(job, JOB_QUEUED);
	} else if (job->state == JOB_DONE) {
		job->has_failed = false;
		job->again_usec = 1;
	}
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static int forgive(struct memory *memory, const struct request *request)
{
	const struct store_filter filter = {
		.unit = or_null(request->unit),
		.board = or_null(request->board),
		.path = or_null(request->path),
	};

	return memory_forgive(memory, &filter);
}

/*
 * The store does not know ports, which change. By its slot it would forgive whatever was plugged in
 * there before, too.
 */
static int forgive_plugged_in(struct memory *memory, const struct job *job)
{
	const struct report nobody = {0};
	char key[STORE_KEY_MAX];

	if (*job->key)
		return memory_unit_forgive(memory, job->key);
	memory_unit_key(job, &nobody, key);
	return memory_unit_forgive(memory, key);
}

int station_retry(struct station *station, const struct request *request)
{
	const struct job *plugged_in = NULL;
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (!is_meant(job, request))
			continue;
		plugged_in = job;
		try_again(job);
	}
	station->callbacks.on_change(station->callbacks.userdata);
	if (!station->memory)
		return 0;
	if (!*request->port)
		return forgive(station->memory, request);
	return plugged_in ? forgive_plugged_in(station->memory, plugged_in) : 0;
}
