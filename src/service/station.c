/* SPDX-License-Identifier: MIT */
#include "service/station.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/outcome.h"
#include "base/util.h"
#include "device/monitor.h"
#include "service/journal.h"
#include "service/memory-unit.h"

/* -------------------------------------------------------------------------------- matching */

/* The rule as text, which is what a change of it shows in. */
static char *rule_text(const struct board *board)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *memory = open_memstream(&text, &n_text);
	int r;

	if (!memory)
		return NULL;
	r = config_write_board(board, memory);
	if (fclose(memory) != 0 || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static bool is_same_rule(const struct job *job, enum match_result result, const char *rule)
{
	return job->result == result && strcmp(job->rule ? job->rule : "", rule ? rule : "") == 0;
}

/*
 * Matches the bridge against the rules in force and notes it in the job. Returns whether the result
 * is another than before, or -ENOMEM.
 */
static int match_job(struct station *station, struct job *job, struct match *ret)
{
	CLEANUP(freep) char *rule = NULL;
	CLEANUP(freep) char *board = NULL;
	struct match match = {0};
	enum match_result result = match_board(&station->config, &job->facts, &match);
	bool is_new;

	if (result == MATCH_ONE) {
		rule = rule_text(match.board);
		board = strdup(match.board->name);
		if (!rule || !board)
			return -ENOMEM;
	}
	is_new = job->matched == 0 || !is_same_rule(job, result, rule);
	job->matched = station->n_config;
	job->result = result;
	free(job->rule);
	job->rule = TAKE_PTR(rule);
	free(job->board);
	job->board = TAKE_PTR(board);
	if (is_new) {
		job->held_sha256[0] = '\0';
		job->rollback = (struct memory_rollback){0};
	}
	*ret = match;
	return is_new;
}

/* No rule, or two. */
static void leave_alone(struct job *job, const struct match *match)
{
	if (job->result == MATCH_AMBIGUOUS && job_may_tell(job, FLAP_AMBIGUOUS))
		journal_ambiguous(&job->facts, match);
	else if (job->result == MATCH_NONE && job_may_tell(job, FLAP_NO_MATCH))
		journal_no_match(&job->facts);
	job_enter_state(job, JOB_DONE);
}

/* What a bridge gets that appeared, or whose rules were read anew. */
static void consider(struct station *station, struct job *job, uint64_t delay)
{
	struct match match;
	int r = match_job(station, job, &match);
	uint64_t rest = 0;

	if (r >= 0 && job->result == MATCH_ONE && station->is_first_look)
		rest = station_rest(station, job, match.board);
	if (r < 0)
		job_fail_for(job, r);
	else if (r == 0 && job->state == JOB_DONE)
		return;
	else if (job->result == MATCH_ONE)
		job_settle(job, delay > rest ? delay : rest);
	else
		leave_alone(job, &match);
}

/* -------------------------------------------------------------------------- bridges come and go */

static void on_job_change(void *userdata, struct job *job)
{
	struct station *station = userdata;

	/* By appearance; who comes back goes to the end. */
	if (job->state == JOB_SETTLING || job->state == JOB_WAITING)
		job->turn = ++station->n_turns;
	station->callbacks.on_change(station->callbacks.userdata);
}

static void on_job_progress(void *userdata, struct job *job)
{
	struct station *station = userdata;

	(void)job;
	station->callbacks.on_progress(station->callbacks.userdata);
}

static void on_job_begin(void *userdata, struct job *job)
{
	struct station *station = userdata;

	if (station->memory)
		memory_keep_begin(station->memory, job);
}

/* Another bridge that is plugged in, and whose chip said the same id. */
static const struct job *find_twin(
	const struct station *station, const struct job *job, const char *key)
{
	const struct job *other;

	TAILQ_FOREACH(other, &station->jobs, link)
	{
		if (other != job && other->state != JOB_GONE && strcmp(other->key, key) == 0)
			return other;
	}
	return NULL;
}

/*
 * An id is one chip's: where two bridges name it at once, one of them has a copy, or says what it
 * likes. The second gets nothing, and the number that the first has least of all.
 */
static bool refuse_twin(
	struct station *station, struct job *job, const struct report *so_far, struct answer *ret)
{
	const struct job *twin;
	char key[STORE_KEY_MAX];

	if (!memory_unit_is_identified(so_far))
		return false;
	memory_unit_key(job, so_far, key);
	twin = find_twin(station, job, key);
	if (!twin)
		return false;
	job->note.cause = CAUSE_TWIN;
	*ret = (struct answer){.word = ANSWER_LEAVE, .outcome = OUTCOME_FAILED};
	reason_set(&ret->reason,
		"the chip at %s has the unique id %s, and so has the one at %s, which was there first: nothing was erased; unplug one of them, and find out which is the copy",
		job->facts.port, so_far->unit, twin->facts.port);
	return true;
}

/* The one that was refused for it is alone now. */
static void free_twins(struct station *station, const struct job *gone)
{
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->state == JOB_DONE && job->note.cause == CAUSE_TWIN && *gone->unit &&
			strcmp(job->unit, gone->unit) == 0)
			job->again_usec = 1;
	}
}

static void on_job_question(void *userdata, struct job *job, enum question question,
	const struct report *so_far, struct answer *ret)
{
	struct station *station = userdata;

	if (station_puts_off(station, job, question, ret))
		return;
	if (question != QUESTION_OPEN && refuse_twin(station, job, so_far, ret))
		return;
	if (question != QUESTION_OPEN)
		station_note_unit(job, so_far);
	if (station->memory)
		memory_answer(station->memory, job, question, so_far, ret);
	if (question == QUESTION_ERASE && ret->word != ANSWER_LEAVE)
		job->has_begun_erase = true;
}

static void run_hook(struct station *station, const struct job *job, const struct report *report)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	const char *program = station->config.service.on_outcome;
	int r;

	if (!program)
		return;
	journal_end_fields(job, report, &fields);
	r = hook_start(&station->hooks, program, &fields);
	if (r < 0)
		log_warning("%s, the program of on-outcome, was not started: %s", program,
			r == -EAGAIN ? "too many of it run and wait" : strerror(-r));
}

static void on_job_end(void *userdata, struct job *job, const struct report *report)
{
	struct station *station = userdata;

	if (job->note.cause == CAUSE_TWIN)
		snprintf(job->unit, sizeof(job->unit), "%s", report->unit);
	else
		station_note_unit(job, report);
	flap_note_end(&station->flaps, &job->facts,
		memory_unit_is_identified(report) ? report->unit : "", report->outcome,
		monotonic_usec());
	job->has_failed = job->rollback.is_begun || (report->outcome != OUTCOME_UPDATED &&
							    report->outcome != OUTCOME_CURRENT);
	if (station->memory)
		job->again_usec = memory_end(station->memory, job, report);
	run_hook(station, job, report);
}

static struct job *find_job(struct station *station, const char *sysfs)
{
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->state != JOB_GONE && strcmp(job->facts.sysfs, sysfs) == 0)
			return job;
	}
	return NULL;
}

static void add_job(struct station *station, const struct facts *facts)
{
	const struct job_callbacks callbacks = {
		.on_change = on_job_change,
		.on_begin = on_job_begin,
		.on_question = on_job_question,
		.on_end = on_job_end,
		.on_progress = on_job_progress,
		.userdata = station,
	};
	struct flap_verdict flap = flap_count(&station->flaps, facts, monotonic_usec());
	struct job *job;

	if (flap.is_entry_due)
		journal_flapping(facts, &flap);
	if (job_new(station->event, facts, &callbacks, &job) < 0) {
		station->has_missed = true;
		station->callbacks.on_change(station->callbacks.userdata);
		return;
	}
	job->is_delayed = flap.delay_usec > 0;
	job->flaps = &station->flaps;
	job->seen = station->n_sweeps;
	TAILQ_INSERT_TAIL(&station->jobs, job, link);
	consider(station, job, station->config.service.settle_usec + flap.delay_usec);
}

void station_add_bridge(struct station *station, const struct facts *facts)
{
	struct job *job = find_job(station, facts->sysfs);

	/* Most events are about a bridge that is known. */
	if (job && job_is_for(job, facts)) {
		job->seen = station->n_sweeps;
		return;
	}
	if (job)
		job_unplug(job);
	if (!station->is_stopping)
		add_job(station, facts);
}

void station_remove_bridge(struct station *station, const char *sysfs)
{
	struct job *job = find_job(station, sysfs);

	if (!job)
		return;
	job_unplug(job);
	free_twins(station, job);
}

void station_begin_sweep(struct station *station)
{
	station->n_sweeps++;
	station->is_first_look = station->n_sweeps == 1;
}

void station_end_sweep(struct station *station)
{
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->state != JOB_GONE && job->seen != station->n_sweeps)
			job_unplug(job);
	}
	station->is_first_look = false;
}

/* -------------------------------------------------------------------------------- the queue */

/* The worker of a bridge that was pulled out may still hold the node that the next one has now. */
static bool is_port_held(const struct station *station, const struct job *by)
{
	const struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job != by && job->worker && strcmp(job->facts.port, by->facts.port) == 0)
			return true;
	}
	return false;
}

/* The one that has waited longest among those that may run now. */
static struct job *next_job(struct station *station)
{
	uint32_t limit = station->config.service.max_jobs;
	struct job *job, *next = NULL;

	if (limit > 0 && station_count(station).running >= limit)
		return NULL;
	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->state == JOB_QUEUED && (!next || job->turn < next->turn) &&
			!is_port_held(station, job))
			next = job;
	}
	return next;
}

/*
 * Between its event and its turn the bridge may have gone, and another have its node: who is there
 * is asked again, and what was found is what is matched and flashed.
 */
static void start_job(struct station *station, struct job *job)
{
	CLEANUP(facts_done) struct facts found = {0}, before = {0};
	struct match match;
	int r = bridge_find(job->facts.port, &found);

	if (r == -ENODEV || (r == 0 && !job_is_for(job, &found))) {
		if (job_may_tell(job, FLAP_MISSED))
			log_info("%s: the bridge is another than the one that was announced, or "
				 "gone",
				job->facts.port);
		job_unplug(job);
		if (r == 0)
			station_add_bridge(station, &found);
		return;
	}
	if (r == 0) {
		before = job->facts;
		job->facts = found;
		found = (struct facts){0};
		r = match_job(station, job, &match);
	}
	if (r < 0)
		job_fail_for(job, r);
	else if (job->result == MATCH_ONE)
		station_assign(station, job, match.board);
	else
		leave_alone(job, &match);
}

static void free_gone(struct station *station)
{
	struct job *job = TAILQ_FIRST(&station->jobs);

	while (job) {
		struct job *next = TAILQ_NEXT(job, link);

		if (job->state == JOB_GONE && !job->worker) {
			TAILQ_REMOVE(&station->jobs, job, link);
			job_free(job);
		}
		job = next;
	}
}

/*
 * A board that was looked at, after a change of the images: worked on again if it is about its own,
 * also where it waits because it failed.
 */
static void review_image(struct station *station, struct job *job)
{
	const struct board *board = config_find_board(&station->config, job->board);
	const struct shelf *shelf = NULL;

	if (board)
		shelf = shelves_find(&station->shelves, &station->config, board, station->watch);
	if (shelf && shelf->result < 0 && decide_is_shortage(shelf->result)) {
		shelves_look_again(&station->shelves);
		return;
	}
	job->library = station->n_library;
	if (!shelf || shelf->result == LIBRARY_AWAITED)
		return;
	if (!shelf->choice.identity) {
		if (job->identity)
			shelf_tell_loss(&station->shelves, shelf);
		return;
	}
	if (job->identity && strcmp(shelf->choice.identity, job->identity) == 0)
		return;
	if (job->state == JOB_DONE)
		job_settle(job, 0);
	else if (job->identity)
		job_enter_state(job, JOB_QUEUED);
}

static bool is_reviewed(const struct station *station, const struct job *job)
{
	return (job->state == JOB_DONE || job->state == JOB_SETTLING) && job->result == MATCH_ONE &&
	       job->library != station->n_library;
}

/* A board that waits because it failed is not kept waiting by the rule that it failed with. */
static void review_rule(struct station *station, struct job *job)
{
	struct match match;

	if (match_job(station, job, &match) > 0)
		job_enter_state(job, JOB_QUEUED);
}

/*
 * Boards that were finished under other rules, or with other images; those that run or wait are
 * matched in their turn.
 */
static void review_done(struct station *station)
{
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->state == JOB_DONE && job->matched != station->n_config)
			consider(station, job, 0);
		if (job->state == JOB_SETTLING && job->has_failed &&
			job->matched != station->n_config)
			review_rule(station, job);
		if (is_reviewed(station, job))
			review_image(station, job);
	}
}

/* Units that failed, and are tried again without being plugged in again. */
static void start_again(struct station *station)
{
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (job->state == JOB_DONE && *job->rollback.sha256)
			station_begin_rollback(station, job);
		if (job->state == JOB_DONE && job->again_usec > 0)
			job_settle(job, job->again_usec);
		job->again_usec = 0;
	}
}

/* All end at once but those with a worker, which are asked to. */
static void stop_jobs(struct station *station)
{
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		job_stop(job);
	}
}

static void end_waits(struct station *station)
{
	uint64_t now = monotonic_usec();
	struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		job_end_wait(job, now);
	}
}

void station_turn(struct station *station)
{
	struct job *job;

	if (station->memory)
		memory_retry(station->memory);
	if (station->is_stopping) {
		stop_jobs(station);
	} else {
		review_done(station);
		station_resume(station);
		start_again(station);
		end_waits(station);
		station_hold_host(station);
		while (station_may_begin(station) && (job = next_job(station)))
			start_job(station, job);
	}
	station_hold_host(station);
	free_gone(station);
}

/* ---------------------------------------------------------------------------- start and end */

void station_init(
	struct station *station, sd_event *event, const struct station_callbacks *callbacks)
{
	*station = (struct station){.event = event, .callbacks = *callbacks};
	TAILQ_INIT(&station->jobs);
	hooks_init(&station->hooks, event, callbacks->on_change, callbacks->userdata);
}

void station_done(struct station *station)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&station->jobs))) {
		TAILQ_REMOVE(&station->jobs, job, link);
		job_free(job);
	}
	hooks_done(&station->hooks);
	shelves_done(&station->shelves);
	config_done(&station->config);
}

void station_library_changed(struct station *station)
{
	shelves_look_again(&station->shelves);
	station->n_library++;
	station->callbacks.on_change(station->callbacks.userdata);
}

/* Another directory, or another word on signatures; a key may have come with it. */
static void forget_bad_images(struct station *station)
{
	struct job *job;

	station->n_library++;
	TAILQ_FOREACH(job, &station->jobs, link)
	{
		if (!job->has_no_image)
			continue;
		free(job->identity);
		job->identity = NULL;
	}
}

void station_set_config(struct station *station, struct config *config)
{
	shelves_done(&station->shelves);
	config_done(&station->config);
	station->config = *config;
	*config = (struct config){0};
	station->n_config++;
	forget_bad_images(station);
	if (station->memory)
		station->memory->is_required = station->config.service.require_store;
}

struct station_counts station_count(const struct station *station)
{
	struct station_counts counts = {.rules = station->config.n_boards};
	const struct job *job;

	TAILQ_FOREACH(job, &station->jobs, link)
	{
		counts.bridges += job->state != JOB_GONE;
		counts.running += job->worker != NULL;
		counts.waiting += job->state == JOB_SETTLING || job->state == JOB_QUEUED ||
				  job->state == JOB_WAITING;
	}
	return counts;
}
