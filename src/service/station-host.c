/* SPDX-License-Identifier: MIT */
/* station-host.c - what boards and the host have to do with one another: it waits while they are
 * flashed, and while it goes down none is begun. */
#include "service/station.h"

static bool has_job_in(const struct station *station, enum job_state state)
{
	const struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->state == state)
			return true;
	}
	return false;
}

static bool is_going_down(const struct station *station)
{
	return inhibitor_word(station->inhibitor) == INHIBITOR_GOING_DOWN;
}

void station_hold_host(struct station *station)
{
	struct station_counts counts = station_count(station);
	bool is_one_next = has_job_in(station, JOB_QUEUED) && !is_going_down(station);

	if (counts.running > 0 || is_one_next)
		inhibitor_set_need(station->inhibitor, INHIBITOR_HOLD);
	else if (counts.waiting > 0 || station->has_put_off)
		inhibitor_set_need(station->inhibitor, INHIBITOR_READY);
	else
		inhibitor_set_need(station->inhibitor, INHIBITOR_IDLE);
}

bool station_may_begin(const struct station *station)
{
	return inhibitor_word(station->inhibitor) == INHIBITOR_GO;
}

bool station_puts_off(
	struct station *station, struct job *job, enum question question, struct answer *ret)
{
	if (question != QUESTION_ERASE || job->has_begun_erase || !is_going_down(station))
		return false;
	job->is_put_off = station->has_put_off = true;
	*ret = (struct answer){.word = ANSWER_LEAVE, .outcome = OUTCOME_CANCELLED};
	reason_set(&ret->reason,
		"the host is about to sleep or shut down, and nothing was erased; it is tried "
		"again when the host is up");
	return true;
}

void station_resume(struct station *station)
{
	struct job *job;

	if (!station->has_put_off || is_going_down(station))
		return;
	station->has_put_off = false;
	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->is_put_off && job->state == JOB_DONE)
			job->again_usec = 1;
		else if (job->is_put_off && job->worker)
			station->has_put_off = true;
		if (!job->worker)
			job->is_put_off = false;
	}
}
