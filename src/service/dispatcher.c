/* SPDX-License-Identifier: MIT */
/*
 * dispatcher.c - the way of a bridge through the service:
 *
 *   a bridge appears (udev, or an enumeration)  dispatcher_add_bridge()
 *   it is matched against the rules             consider()
 *   its port comes to rest                      JOB_SETTLING, JOB_QUEUED
 *   its turn comes                              dispatcher_turn(), next_job()
 *   who is there now? it gets image and rule    start_job(), chooser_choose()
 *   a worker runs, and asks                     on_question()
 *   the attempt ends: it is kept, then told     on_end()
 *   and what next: nothing, or another attempt  start_again()
 *
 * A callback of a job never starts, ends or frees a job: it notes what is to be done and asks for a
 * turn. All that follows is done in dispatcher_turn(), in one order, so that no job is freed below
 * somebody who still uses it, and boards take their turns by appearance and not by which event of
 * one round of the loop came first.
 */
#include "service/dispatcher.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/outcome.h"
#include "base/util.h"
#include "device/monitor.h"
#include "service/bridge-match.h"
#include "service/choice.h"
#include "service/journal.h"
#include "service/memory-unit.h"

struct dispatcher {
	struct dispatcher_parts parts;
	struct config config;
	unsigned n_config; /* goes up with each configuration */
	struct chooser chooser;
	TAILQ_HEAD(job_list, job) jobs; /* in order of appearance */
	uint64_t n_turns;		/* places in the queue given out */
	unsigned n_sweeps;
	bool is_first_look; /* at what was plugged in before the service began */
	bool has_put_off;   /* jobs, until the host is up again */
	bool is_stopping;
};

static void ask_for_turn(struct dispatcher *dispatcher)
{
	dispatcher->parts.on_change(dispatcher->parts.userdata);
}

/* -------------------------------------------------------------------------------- matching */

/* No rule, or two. */
static void leave_alone(struct job *job, const struct match *match)
{
	if (job->result == MATCH_AMBIGUOUS && job_may_tell(job, FLAP_AMBIGUOUS))
		journal_ambiguous(&job->facts, match);
	else if (job->result == MATCH_NONE && job_may_tell(job, FLAP_NO_MATCH))
		journal_no_match(&job->facts);
	job_enter_state(job, JOB_DONE);
}

/* A bridge has appeared, or the rules were read anew. */
static void consider(struct dispatcher *dispatcher, struct job *job, uint64_t delay)
{
	struct match match;
	int r = bridge_match(job, &dispatcher->config, dispatcher->n_config, &match);
	uint64_t rest = 0;

	if (r >= 0 && job->result == MATCH_ONE && dispatcher->is_first_look)
		rest = chooser_resume_rest(
			&dispatcher->chooser, dispatcher->parts.memory, job, match.board);
	if (r < 0)
		job_fail_for(job, r);
	else if (r == 0 && job->state == JOB_DONE)
		return;
	else if (job->result == MATCH_ONE)
		job_settle(job, delay > rest ? delay : rest);
	else
		leave_alone(job, &match);
}

/* ----------------------------------------------------------------------------- what a job tells */

static void on_change(void *userdata, struct job *job)
{
	struct dispatcher *dispatcher = userdata;

	/* By appearance; who comes back goes to the end. */
	if (job->state == JOB_SETTLING || job->state == JOB_WAITING)
		job->turn = ++dispatcher->n_turns;
	ask_for_turn(dispatcher);
}

static void on_progress(void *userdata, struct job *job)
{
	struct dispatcher *dispatcher = userdata;

	(void)job;
	dispatcher->parts.on_progress(dispatcher->parts.userdata);
}

static void on_begin(void *userdata, struct job *job)
{
	struct dispatcher *dispatcher = userdata;

	if (dispatcher->parts.memory)
		memory_keep_begin(dispatcher->parts.memory, &job->attempt, &job->facts);
}

/* Another bridge that is plugged in, and whose chip said the same id. */
static const struct job *find_twin(
	const struct dispatcher *dispatcher, const struct job *job, const char *key)
{
	const struct job *other;

	TAILQ_FOREACH(other, &dispatcher->jobs, link)
	{
		if (other != job && other->state != JOB_GONE &&
			strcmp(other->attempt.key, key) == 0)
			return other;
	}
	return NULL;
}

static bool is_going_down(const struct dispatcher *dispatcher)
{
	return inhibitor_word(dispatcher->parts.inhibitor) == INHIBITOR_GOING_DOWN;
}

/*
 * The worker asks. Two things are the dispatcher's to refuse, since they are about more than this
 * one unit; the records know the rest.
 */
static void on_question(void *userdata, struct job *job, enum question question,
	const struct report *so_far, struct answer *ret)
{
	struct dispatcher *dispatcher = userdata;
	const struct job *twin = NULL;
	char key[STORE_KEY_MAX];

	/* The host waits for seconds only: an erase that begins now may not end. One that was
	 * begun is not left in the middle. */
	if (question == QUESTION_ERASE && !job->attempt.has_begun_erase &&
		is_going_down(dispatcher)) {
		job->is_put_off = dispatcher->has_put_off = true;
		*ret = (struct answer){.word = ANSWER_LEAVE, .outcome = OUTCOME_CANCELLED};
		reason_set(&ret->reason,
			"the host is about to sleep or shut down, and nothing was erased; it is tried again when the host is up");
		return;
	}
	/* An id is one chip's: where two bridges name it at once, one of them has a copy, or says
	 * what it likes. The second gets nothing, least of all the number that the first has. */
	if (question != QUESTION_OPEN && memory_unit_is_identified(so_far)) {
		memory_unit_key(&job->facts, so_far, key);
		twin = find_twin(dispatcher, job, key);
	}
	if (twin) {
		job->attempt.note.cause = CAUSE_TWIN;
		*ret = (struct answer){.word = ANSWER_LEAVE, .outcome = OUTCOME_FAILED};
		reason_set(&ret->reason,
			"the chip at %s has the unique id %s, and so has the one at %s, which was there first: nothing was erased; unplug one of them, and find out which is the copy",
			job->facts.port, so_far->unit, twin->facts.port);
		return;
	}
	if (question != QUESTION_OPEN)
		memory_unit_note(&job->attempt, &job->facts, so_far);
	if (dispatcher->parts.memory)
		memory_answer(dispatcher->parts.memory, &job->attempt, &job->facts, question,
			so_far, ret);
	if (question == QUESTION_DECIDE && job->attempt.note.cause == CAUSE_TORN &&
		job_may_tell(job, FLAP_TORN))
		journal_torn(&job->attempt, &job->facts, so_far, &job->attempt.note.known);
	if (question == QUESTION_ERASE && ret->word != ANSWER_LEAVE)
		job->attempt.has_begun_erase = true;
}

static void run_hook(
	struct dispatcher *dispatcher, const struct job *job, const struct report *report)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	const char *program = dispatcher->config.service.on_outcome;
	int r;

	if (!program)
		return;
	journal_end_fields(&job->attempt, &job->facts, report, &fields);
	r = hook_start(dispatcher->parts.hooks, program, &fields);
	if (r < 0)
		log_warning("%s, the program of on-outcome, was not started: %s", program,
			r == -EAGAIN ? "too many of it run and wait" : strerror(-r));
}

static void on_end(void *userdata, struct job *job, const struct report *report)
{
	struct dispatcher *dispatcher = userdata;

	/* The key stays the first bridge's. */
	if (job->attempt.note.cause == CAUSE_TWIN)
		snprintf(job->attempt.unit, sizeof(job->attempt.unit), "%s", report->unit);
	else
		memory_unit_note(&job->attempt, &job->facts, report);
	flap_note_end(dispatcher->parts.flaps, &job->facts,
		memory_unit_is_identified(report) ? report->unit : "", report->outcome,
		monotonic_usec());
	job->attempt.has_failed =
		attempt_goes_back(&job->attempt) ||
		(report->outcome != OUTCOME_UPDATED && report->outcome != OUTCOME_CURRENT);
	if (dispatcher->parts.memory)
		job->again_usec =
			memory_end(dispatcher->parts.memory, &job->attempt, &job->facts, report);
	run_hook(dispatcher, job, report);
}

/* -------------------------------------------------------------------------- bridges come and go */

static struct job *find_job(struct dispatcher *dispatcher, const char *sysfs)
{
	struct job *job;

	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		if (job->state != JOB_GONE && strcmp(job->facts.sysfs, sysfs) == 0)
			return job;
	}
	return NULL;
}

static void add_job(struct dispatcher *dispatcher, const struct facts *facts)
{
	const struct job_callbacks callbacks = {
		.on_change = on_change,
		.on_begin = on_begin,
		.on_question = on_question,
		.on_end = on_end,
		.on_progress = on_progress,
		.userdata = dispatcher,
	};
	struct flap_verdict flap = flap_count(dispatcher->parts.flaps, facts, monotonic_usec());
	struct job *job;

	if (flap.is_entry_due)
		journal_flapping(facts, &flap);
	if (job_new(dispatcher->parts.event, facts, &callbacks, &job) < 0) {
		dispatcher->parts.on_missed(dispatcher->parts.userdata);
		return;
	}
	job->is_delayed = flap.delay_usec > 0;
	job->flaps = dispatcher->parts.flaps;
	job->seen = dispatcher->n_sweeps;
	TAILQ_INSERT_TAIL(&dispatcher->jobs, job, link);
	consider(dispatcher, job, dispatcher->config.service.settle_usec + flap.delay_usec);
}

void dispatcher_add_bridge(struct dispatcher *dispatcher, const struct facts *facts)
{
	struct job *job = find_job(dispatcher, facts->sysfs);

	/* Most events are about a bridge that is known. */
	if (job && job_is_for(job, facts))
		job->seen = dispatcher->n_sweeps;
	else if (job)
		job_unplug(job);
	if ((!job || job->state == JOB_GONE) && !dispatcher->is_stopping)
		add_job(dispatcher, facts);
}

void dispatcher_remove_bridge(struct dispatcher *dispatcher, const char *sysfs)
{
	struct job *gone = find_job(dispatcher, sysfs), *job;

	if (!gone)
		return;
	job_unplug(gone);
	/* A bridge that was refused for the same id is alone with it now. */
	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		if (job->state == JOB_DONE && job->attempt.note.cause == CAUSE_TWIN &&
			*gone->attempt.unit && strcmp(job->attempt.unit, gone->attempt.unit) == 0)
			job->again_usec = 1;
	}
}

void dispatcher_begin_sweep(struct dispatcher *dispatcher)
{
	dispatcher->n_sweeps++;
	dispatcher->is_first_look = dispatcher->n_sweeps == 1;
}

void dispatcher_end_sweep(struct dispatcher *dispatcher)
{
	struct job *job;

	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		if (job->state != JOB_GONE && job->seen != dispatcher->n_sweeps)
			job_unplug(job);
	}
	dispatcher->is_first_look = false;
}

/* ---------------------------------------------------------------- what there is to do again */

/*
 * Boards whose rule or image may be another since they were looked at; those that run or wait for
 * their turn are matched when it comes.
 */
static void review(struct dispatcher *dispatcher, struct job *job)
{
	const struct board *board;
	struct match match;

	if (job->state == JOB_DONE && job->matched != dispatcher->n_config)
		consider(dispatcher, job, 0);
	/* A board that waits because it failed is not kept waiting by the rule it failed with. */
	if (job->state == JOB_SETTLING && job->attempt.has_failed &&
		job->matched != dispatcher->n_config &&
		bridge_match(job, &dispatcher->config, dispatcher->n_config, &match) > 0)
		job_enter_state(job, JOB_QUEUED);
	if ((job->state != JOB_DONE && job->state != JOB_SETTLING) || job->result != MATCH_ONE ||
		job->library == dispatcher->chooser.images_seq)
		return;
	board = config_find_board(&dispatcher->config, job->board);
	if (!board)
		job->library = dispatcher->chooser.images_seq;
	else if (!chooser_finds_other(&dispatcher->chooser, job, board))
		return;
	else if (job->state == JOB_DONE)
		job_settle(job, 0);
	else if (job->identity)
		job_enter_state(job, JOB_QUEUED);
}

/* A shutdown that was called off, or a sleep that is over: what was put off is due. */
static void resume(struct dispatcher *dispatcher)
{
	struct job *job;

	if (!dispatcher->has_put_off || is_going_down(dispatcher))
		return;
	dispatcher->has_put_off = false;
	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		if (job->is_put_off && job->state == JOB_DONE)
			job->again_usec = 1;
		else if (job->is_put_off && job->worker)
			dispatcher->has_put_off = true;
		if (!job->worker)
			job->is_put_off = false;
	}
}

/* Units that failed, and are tried again without being plugged in again. */
static void start_again(struct dispatcher *dispatcher, struct job *job)
{
	if (job->state == JOB_DONE && job->attempt.rollback.state == ROLLBACK_WANTED)
		chooser_begin_rollback(&dispatcher->chooser, dispatcher->parts.memory, job);
	if (job->state == JOB_DONE && job->again_usec > 0)
		job_settle(job, job->again_usec);
	job->again_usec = 0;
}

/* -------------------------------------------------------------------------------- the turn */

/*
 * The job that has waited longest among those that may run now: within the limit of the
 * configuration, and where no worker of a bridge that was pulled out still holds the node that the
 * next bridge has now. NULL: none.
 */
static struct job *next_job(struct dispatcher *dispatcher)
{
	uint32_t limit = dispatcher->config.service.max_jobs;
	struct job *job, *next = NULL;
	const struct job *holder;

	if (limit > 0 && dispatcher_count(dispatcher).running >= limit)
		return NULL;
	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		if (job->state != JOB_QUEUED || (next && job->turn > next->turn))
			continue;
		TAILQ_FOREACH(holder, &dispatcher->jobs, link)
		{
			if (holder != job && holder->worker &&
				strcmp(holder->facts.port, job->facts.port) == 0)
				break;
		}
		if (!holder)
			next = job;
	}
	return next;
}

static void start_worker(struct dispatcher *dispatcher, struct job *job, const struct board *board)
{
	struct assignment assignment;
	struct report end;
	int r = chooser_choose(&dispatcher->chooser, job, board, &assignment, &end);

	if (r < 0)
		job_fail_for(job, r);
	else if (r == CHOICE_WAIT)
		/* The chooser has said so, once for all boards that wait. */
		job_enter_state(job, JOB_DONE);
	else if (r == CHOICE_NONE)
		job_fail(job, end.outcome, end.phase, &end.reason);
	else
		job_run(job, dispatcher->parts.worker, &assignment);
}

/*
 * Between its event and its turn the bridge may have gone, and another have its node: who is there
 * is asked again, and what was found is what is matched and flashed.
 */
static void start_job(struct dispatcher *dispatcher, struct job *job)
{
	CLEANUP(facts_done) struct facts found = {0}, before = {0};
	struct match match;
	int r = bridge_find(job->facts.port, &found);

	if (r == -ENODEV || (r == 0 && !job_is_for(job, &found))) {
		if (job_may_tell(job, FLAP_MISSED))
			log_info(
				"%s: the bridge is another than the one that was announced, or gone",
				job->facts.port);
		job_unplug(job);
		if (r == 0)
			dispatcher_add_bridge(dispatcher, &found);
		return;
	}
	if (r == 0) {
		before = job->facts;
		job->facts = found;
		found = (struct facts){0};
		r = bridge_match(job, &dispatcher->config, dispatcher->n_config, &match);
	}
	if (r < 0)
		job_fail_for(job, r);
	else if (job->result == MATCH_ONE)
		start_worker(dispatcher, job, match.board);
	else
		leave_alone(job, &match);
}

/* The host waits while boards are flashed or about to be; one that goes down is not asked to wait
 * for a board that does not get its turn before. */
static void hold_host(struct dispatcher *dispatcher)
{
	struct dispatcher_counts counts = dispatcher_count(dispatcher);
	const struct job *job;
	bool has_queued = false;

	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		has_queued |= job->state == JOB_QUEUED;
	}
	inhibitor_set_need(dispatcher->parts.inhibitor,
		counts.running > 0 || (has_queued && !is_going_down(dispatcher)) ? INHIBITOR_HOLD
		: counts.waiting > 0 || dispatcher->has_put_off			 ? INHIBITOR_READY
										 : INHIBITOR_IDLE);
}

static void free_gone(struct dispatcher *dispatcher)
{
	struct job *job = TAILQ_FIRST(&dispatcher->jobs);

	while (job) {
		struct job *next = TAILQ_NEXT(job, link);

		if (job->state == JOB_GONE && !job->worker) {
			TAILQ_REMOVE(&dispatcher->jobs, job, link);
			job_free(job);
		}
		job = next;
	}
}

void dispatcher_turn(struct dispatcher *dispatcher)
{
	struct job *job;

	if (dispatcher->parts.memory)
		memory_retry(dispatcher->parts.memory);
	if (!dispatcher->is_stopping)
		resume(dispatcher);
	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		if (dispatcher->is_stopping) {
			job_stop(job);
			continue;
		}
		review(dispatcher, job);
		start_again(dispatcher, job);
		job_end_wait(job, monotonic_usec());
	}
	hold_host(dispatcher);
	while (!dispatcher->is_stopping &&
		inhibitor_word(dispatcher->parts.inhibitor) == INHIBITOR_GO &&
		(job = next_job(dispatcher)))
		start_job(dispatcher, job);
	hold_host(dispatcher);
	free_gone(dispatcher);
}

/* ---------------------------------------------------------------------------- start and end */

int dispatcher_new(const struct dispatcher_parts *parts, struct dispatcher **ret)
{
	struct dispatcher *dispatcher = calloc(1, sizeof(*dispatcher));

	if (!dispatcher)
		return -ENOMEM;
	dispatcher->parts = *parts;
	dispatcher->chooser = (struct chooser){
		.config = &dispatcher->config,
		.chips = parts->chips,
		.chips_dir = parts->chips_dir,
		.watch = parts->watch,
	};
	TAILQ_INIT(&dispatcher->jobs);
	*ret = dispatcher;
	return 0;
}

struct dispatcher *dispatcher_free(struct dispatcher *dispatcher)
{
	struct job *job;

	if (!dispatcher)
		return NULL;
	while ((job = TAILQ_FIRST(&dispatcher->jobs))) {
		TAILQ_REMOVE(&dispatcher->jobs, job, link);
		job_free(job);
	}
	chooser_done(&dispatcher->chooser);
	config_done(&dispatcher->config);
	free(dispatcher);
	return NULL;
}

void dispatcher_images_changed(struct dispatcher *dispatcher)
{
	chooser_images_changed(&dispatcher->chooser);
	ask_for_turn(dispatcher);
}

void dispatcher_set_config(struct dispatcher *dispatcher, struct config *config)
{
	struct job *job;

	config_done(&dispatcher->config);
	dispatcher->config = *config;
	*config = (struct config){0};
	dispatcher->n_config++;
	chooser_config_changed(&dispatcher->chooser);
	/* Another directory, or another word on signatures; a key may have come with it. */
	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		if (!job->has_no_image)
			continue;
		free(job->identity);
		job->identity = NULL;
	}
	if (dispatcher->parts.memory)
		dispatcher->parts.memory->is_required = dispatcher->config.service.require_store;
}

const struct config *dispatcher_config(const struct dispatcher *dispatcher)
{
	return &dispatcher->config;
}

void dispatcher_stop(struct dispatcher *dispatcher)
{
	dispatcher->is_stopping = true;
	ask_for_turn(dispatcher);
}

struct job *dispatcher_next(const struct dispatcher *dispatcher, const struct job *previous)
{
	return previous ? TAILQ_NEXT(previous, link) : TAILQ_FIRST(&dispatcher->jobs);
}

struct dispatcher_counts dispatcher_count(const struct dispatcher *dispatcher)
{
	struct dispatcher_counts counts = {0};
	const struct job *job;

	TAILQ_FOREACH(job, &dispatcher->jobs, link)
	{
		counts.bridges += job->state != JOB_GONE;
		counts.running += job->worker != NULL;
		counts.waiting += job->state == JOB_SETTLING || job->state == JOB_QUEUED ||
				  job->state == JOB_WAITING;
	}
	return counts;
}
