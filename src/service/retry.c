/* SPDX-License-Identifier: MIT */
#include "service/retry.h"

#include <string.h>

#include "service/memory-unit.h"

static bool is_wanted(const char *value, const char *wanted)
{
	return !*wanted || strcmp(value ? value : "", wanted) == 0;
}

static bool is_meant(const struct job *job, const struct request *request)
{
	return job->state != JOB_GONE && is_wanted(job->board, request->board) &&
	       is_wanted(job->facts.path, request->path) &&
	       is_wanted(job->facts.port, request->port) &&
	       strncmp(job->attempt.unit, request->unit, strlen(request->unit)) == 0;
}

/* It waits between two attempts, or has come to its end. */
static void try_again(struct job *job)
{
	if (!job->attempt.has_failed || (job->state != JOB_SETTLING && job->state != JOB_DONE))
		return;
	job->attempt.has_failed = false;
	if (job->state == JOB_SETTLING)
		job_enter_state(job, JOB_QUEUED);
	else
		job->again_usec = 1;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/*
 * The store does not know ports, which change: by port the unit is forgiven that is plugged in
 * there. By its slot the store would forgive whatever was plugged in there before, too.
 */
static int forgive(
	struct memory *memory, const struct job *plugged_in, const struct request *request)
{
	const struct store_filter filter = {
		.unit = or_null(request->unit),
		.board = or_null(request->board),
		.path = or_null(request->path),
	};
	const struct report nobody = {0};
	char key[STORE_KEY_MAX];

	if (!*request->port)
		return memory_forgive(memory, &filter);
	if (!plugged_in)
		return 0;
	if (*plugged_in->attempt.key)
		return memory_unit_forgive(memory, plugged_in->attempt.key);
	memory_unit_key(&plugged_in->facts, &nobody, key);
	return memory_unit_forgive(memory, key);
}

int retry_units(struct dispatcher *dispatcher, struct memory *memory, const struct request *request)
{
	const struct job *plugged_in = NULL;
	struct job *job = NULL;

	while ((job = dispatcher_next(dispatcher, job))) {
		if (!is_meant(job, request))
			continue;
		plugged_in = job;
		try_again(job);
	}
	return memory ? forgive(memory, plugged_in, request) : 0;
}
