/* SPDX-License-Identifier: MIT */
#include "service/job.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-id128.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "records/decide.h"
#include "service/brltty.h"
#include "service/journal.h"

/* A worker whose bridge is gone has nothing left to save. */
#define UNPLUGGED_GRACE_USEC USEC_PER_SEC

/* Whoever takes bridges from their driver does it soon after plug-in; 0.5 to 21 s were reported. */
#define THEFT_USEC	    (30 * USEC_PER_SEC)

#define TIMER_ACCURACY_USEC (5 * USEC_PER_MSEC)

struct retry_rule {
	uint64_t first_usec; /* doubles with each retry ... */
	uint64_t most_usec;  /* ... up to this */
	uint64_t all_usec;   /* then the job has failed */
};

/* ModemManager lets go of a port it probed and found no modem at after some 10 to 20 s. */
static const struct retry_rule busy_rule = {
	.first_usec = 500 * USEC_PER_MSEC,
	.most_usec = 4 * USEC_PER_SEC,
	.all_usec = 20 * USEC_PER_SEC,
};

/* The node may come, and its group and mode be set, a moment after the event. */
static const struct retry_rule node_rule = {
	.first_usec = 250 * USEC_PER_MSEC,
	.most_usec = USEC_PER_SEC,
	.all_usec = 5 * USEC_PER_SEC,
};

/* Who changes files that were just chosen is copying: the next look waits for the copy's end. */
static const struct retry_rule changed_rule = {
	.first_usec = USEC_PER_SEC,
	.most_usec = USEC_PER_SEC,
	.all_usec = 5 * USEC_PER_SEC,
};

/* An unplugged bridge is known as such within milliseconds, and ends the wait. Where it stays, the
 * tty was hung up by something else: vhangup(), a driver that was bound anew, a fault of the bus.
 */
static const struct retry_rule gone_rule = {
	.first_usec = 500 * USEC_PER_MSEC,
	.most_usec = 4 * USEC_PER_SEC,
	.all_usec = 10 * USEC_PER_SEC,
};

/* The host is short of memory, descriptors or processes: a board waits until there is room. */
static const struct retry_rule shortage_rule = {
	.first_usec = USEC_PER_SEC,
	.most_usec = 60 * USEC_PER_SEC,
	.all_usec = UINT64_MAX / 2,
};

static const char *const states[JOB_STATE_MAX] = {
	[JOB_NEW] = "new",
	[JOB_SETTLING] = "settling",
	[JOB_QUEUED] = "queued",
	[JOB_RUNNING] = "running",
	[JOB_WAITING] = "waiting",
	[JOB_DONE] = "done",
	[JOB_GONE] = "gone",
};

#define STATE(s) (1u << (s))

static const unsigned followers[JOB_STATE_MAX] = {
	[JOB_NEW] = STATE(JOB_SETTLING) | STATE(JOB_DONE) | STATE(JOB_GONE),
	[JOB_SETTLING] = STATE(JOB_QUEUED) | STATE(JOB_GONE),
	[JOB_QUEUED] = STATE(JOB_RUNNING) | STATE(JOB_WAITING) | STATE(JOB_DONE) | STATE(JOB_GONE),
	[JOB_RUNNING] = STATE(JOB_WAITING) | STATE(JOB_DONE) | STATE(JOB_GONE),
	[JOB_WAITING] = STATE(JOB_QUEUED) | STATE(JOB_GONE),
	/* A reload may have given the board another rule, or none. */
	[JOB_DONE] = STATE(JOB_SETTLING) | STATE(JOB_DONE) | STATE(JOB_GONE),
	[JOB_GONE] = 0,
};

const char *job_state_to_string(enum job_state state)
{
	return states[state];
}

bool job_state_may_follow(enum job_state from, enum job_state to)
{
	return followers[from] & STATE(to);
}

void job_enter_state(struct job *job, enum job_state state)
{
	assert(job_state_may_follow(job->state, state));
	log_debug("%s: %s, was %s", job->facts.port, states[state], states[job->state]);
	job->timer = sd_event_source_disable_unref(job->timer);
	job->state = state;
	job->callbacks.on_change(job->callbacks.userdata, job);
}

/* 0 where there is none to be had; then it tells nothing. */
static uint64_t instance_of(const char *sysfs)
{
	struct stat found;

	return stat(sysfs, &found) == 0 ? found.st_ino : 0;
}

int job_new(sd_event *event, const struct facts *facts, const struct job_callbacks *callbacks,
	struct job **ret)
{
	struct job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	r = facts_copy(facts, &job->facts);
	if (r < 0) {
		free(job);
		return r;
	}
	job->event = sd_event_ref(event);
	job->callbacks = *callbacks;
	job->instance = instance_of(facts->sysfs);
	job->appeared_usec = monotonic_usec();
	*ret = job;
	return 0;
}

struct job *job_free(struct job *job)
{
	if (!job)
		return NULL;
	worker_free(job->worker);
	sd_event_source_disable_unref(job->timer);
	sd_event_unref(job->event);
	facts_done(&job->facts);
	free(job->board);
	free(job->rule);
	free(job->identity);
	free(job);
	return NULL;
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool job_is_for(const struct job *job, const struct facts *facts)
{
	uint64_t instance = instance_of(facts->sysfs);

	return job->facts.devnum == facts->devnum && job->facts.vendor_id == facts->vendor_id &&
	       job->facts.product_id == facts->product_id &&
	       is_same_text(job->facts.sysfs, facts->sysfs) &&
	       is_same_text(job->facts.serial, facts->serial) &&
	       is_same_text(job->facts.product, facts->product) &&
	       is_same_text(job->facts.manufacturer, facts->manufacturer) &&
	       (instance == job->instance || instance == 0 || job->instance == 0);
}

/* -------------------------------------------------------------------------------- waiting */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	job_enter_state(userdata, JOB_QUEUED);
	return 0;
}

/* Enters a state that JOB_QUEUED follows by itself after a while. */
static void enter_for(struct job *job, enum job_state state, uint64_t usec)
{
	job_enter_state(job, state);
	job->due_usec = monotonic_usec() + usec;
	if (sd_event_add_time_relative(job->event, &job->timer, CLOCK_MONOTONIC, usec,
		    TIMER_ACCURACY_USEC, on_timer, job) < 0)
		job_enter_state(job, JOB_QUEUED);
}

void job_settle(struct job *job, uint64_t usec)
{
	enter_for(job, JOB_SETTLING, usec);
}

void job_end_wait(struct job *job, uint64_t now)
{
	if ((job->state == JOB_SETTLING || job->state == JOB_WAITING) && job->due_usec <= now)
		job_enter_state(job, JOB_QUEUED);
}

/* Else the node has not come yet, which is not the same. */
static bool has_lost_port(const struct report *report)
{
	return report->outcome == OUTCOME_PORT_GONE &&
	       !(report->phase == PHASE_OPEN && report->error == ENOENT);
}

uint64_t job_retry_delay(const struct report *report, unsigned n_retries, uint64_t elapsed_usec)
{
	const struct retry_rule *rule = NULL;
	uint64_t delay;

	if (report->outcome == OUTCOME_PORT_BUSY)
		rule = &busy_rule;
	else if (report->phase == PHASE_OPEN &&
		 (report->error == EACCES || report->error == EPERM || report->error == ENOENT))
		rule = &node_rule;
	else if (has_lost_port(report))
		rule = &gone_rule;
	else if (report->phase == PHASE_IMAGE && report->error == ESTALE)
		rule = &changed_rule;
	else if (report->outcome == OUTCOME_FAILED && report->phase <= PHASE_OPEN &&
		 decide_is_shortage(report->error))
		rule = &shortage_rule;
	if (!rule)
		return 0;
	delay = rule->first_usec;
	for (unsigned i = 0; i < n_retries && delay < rule->most_usec; i++)
		delay *= 2;
	if (delay > rule->most_usec)
		delay = rule->most_usec;
	return elapsed_usec + delay <= rule->all_usec ? delay : 0;
}

/* ------------------------------------------------------------------------------ the entries */

bool job_may_tell(const struct job *job, unsigned entry)
{
	return !job->flaps || flap_may_tell(job->flaps, &job->facts, entry, monotonic_usec());
}

static void open_story(struct job *job)
{
	char text[SD_ID128_STRING_MAX];
	sd_id128_t id;

	if (sd_id128_randomize(&id) < 0)
		id = SD_ID128_NULL;
	attempt_begin(&job->attempt, sd_id128_to_string(id, text));
}

/* The attempt was one to go back, and did. */
static bool is_back(const struct job *job, const struct report *report)
{
	return attempt_goes_back(&job->attempt) && report->outcome == OUTCOME_UPDATED;
}

/* Kept before it is told: what the journal says of an attempt, the store says as well. */
static void close_story(struct job *job, const struct report *report)
{
	struct report told = *report;

	memory_attribute(&job->attempt, &told);
	report = &told;
	job->attempt.is_open = false;
	job->has_no_image =
		report->outcome == OUTCOME_BAD_IMAGE || report->outcome == OUTCOME_NO_IMAGE;
	if (is_back(job, report))
		reason_set(&told.reason, "the application of %s did not confirm",
			job->attempt.rollback.failed);
	if (job->callbacks.on_end)
		job->callbacks.on_end(job->callbacks.userdata, job, &told);
	if (job_may_tell(job, FLAP_ENDED + told.outcome))
		journal_ended(&job->attempt, &job->facts, &told);
	if (is_back(job, report))
		journal_rolled_back(&job->attempt, &job->facts, &told);
	if (job->attempt.note.quarantined_after > 0)
		journal_quarantined(
			&job->attempt, &job->facts, &told, job->attempt.note.quarantined_after);
	if (job->attempt.note.drops > 0)
		journal_drops(&job->attempt, &job->facts, &told, job->attempt.note.drops);
	if (attempt_goes_back(&job->attempt))
		attempt_drop_rollback(&job->attempt);
}

/* A bridge that went: how soon, and who is known to do that. */
static void explain_loss(const struct job *job, struct report *report)
{
	uint64_t after = monotonic_usec() - job->appeared_usec;
	const char *suspect = after <= THEFT_USEC ? brltty_suspect() : NULL;
	struct reason why = report->reason;

	reason_set(&report->reason, "%s%sthe port was lost %llu ms after it appeared%s%s", why.text,
		*why.text ? "; " : "", (unsigned long long)(after / USEC_PER_MSEC),
		suspect ? "; " : "", suspect ? suspect : "");
}

/* Ends a story between two tries: by unplugging, or with the service. */
static void close_early(struct job *job, enum outcome outcome)
{
	struct report report = job->attempt.last;

	if (!job->attempt.is_open)
		return;
	report.outcome = outcome;
	report.duration_ms = (monotonic_usec() - job->attempt.started_usec) / USEC_PER_MSEC;
	if (outcome == OUTCOME_PORT_GONE)
		explain_loss(job, &report);
	close_story(job, &report);
}

/* ------------------------------------------------------------------------------- the worker */

static void on_worker_progress(void *userdata, const struct progress *progress)
{
	struct job *job = userdata;

	(void)progress;
	if (job->callbacks.on_progress)
		job->callbacks.on_progress(job->callbacks.userdata, job);
}

/* What was not touched, for whatever reason, holds what it held. */
static void note_held(struct job *job, const struct report *report)
{
	/* Current with a reason is one that holds something newer, and keeps it. */
	bool is_good = report->outcome == OUTCOME_UPDATED ||
		       (report->outcome == OUTCOME_CURRENT && !*report->reason.text);

	if (is_good && !job->has_address)
		memcpy(job->held_sha256, report->sha256, sizeof(job->held_sha256));
	else if (report->phase > PHASE_IMAGE)
		job->held_sha256[0] = '\0';
}

static void on_worker_question(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct job *job = userdata;

	job->lie = claim_check_question(&job->claim, question, so_far);
	if (job->lie) {
		ret->word = ANSWER_LEAVE;
		worker_kill(job->worker, job->lie);
		return;
	}
	if (job->callbacks.on_question)
		job->callbacks.on_question(job->callbacks.userdata, job, question, so_far, ret);
	claim_note(&job->claim, question, so_far, ret);
}

/* The image of an attempt to go back is found by its digest, and has another name by now. */
static const char *find_lie(const struct job *job, const struct report *report)
{
	char image[TEXT_MAX], version[TEXT_MAX];
	bool goes_back = attempt_goes_back(&job->attempt);
	const struct claim_bounds bounds = {
		.image = goes_back ? NULL : text_escape(job->attempt.image, image, sizeof(image)),
		.version = goes_back ? NULL
				     : text_escape(job->attempt.version, version, sizeof(version)),
		.sha256 = goes_back ? job->attempt.rollback.sha256 : NULL,
		.held_sha256 = job->held_sha256,
		.is_stopped = job->state == JOB_GONE || job->is_stopping ||
			      (job->worker && worker_is_of_another_build(job->worker)),
	};

	return job->lie ? job->lie : claim_check_report(&job->claim, &bounds, report);
}

/*
 * All that is left of a report that is not believed: of which unit it was, by the questions. It is
 * held against the unit only where that was erased, and then it is tried again.
 */
static void disbelieve(struct job *job, const char *lie, struct report *report)
{
	const struct claim *claim = &job->claim;
	struct report believed = {
		.outcome = OUTCOME_FAILED,
		.phase = claim->may_erase ? PHASE_ERASE : PHASE_NONE,
		.has_product_id = *claim->unit,
		.product_id = claim->product_id,
		.has_erased = report->has_erased,
	};

	snprintf(believed.unit, sizeof(believed.unit), "%s", claim->unit);
	reason_set(&believed.reason,
		"the worker said '%s', and its word is not taken: %s; is the board one of yours? "
		"Else report this as a fault of plugflash",
		outcome_to_string(report->outcome), lie);
	journal_disbelieved(&job->attempt, &job->facts, report, lie);
	*report = believed;
}

/* The name may hold none, and the signature one. */
static void note_version(struct job *job, const struct report *report)
{
	if (!*job->attempt.version)
		text_copy(job->attempt.version, sizeof(job->attempt.version), report->version);
}

/* Said each time where it ends soon, else ever more seldom. */
static bool is_retry_told(const struct job *job, const struct report *report)
{
	unsigned n = job->attempt.n_retries;

	/* A bridge that went is told when it went; one that did not, by job_run(). */
	return !has_lost_port(report) && job_may_tell(job, FLAP_RETRIED) &&
	       (!decide_is_shortage(report->error) || (n & (n + 1)) == 0);
}

/* Whether the attempt goes on with another try, in a while. */
static bool retry(struct job *job, const struct report *report)
{
	uint64_t elapsed = monotonic_usec() - job->attempt.started_usec;
	uint64_t delay = job_retry_delay(report, job->attempt.n_retries, elapsed);

	/* What holds its image is not written once more because its port went after that. */
	if (delay == 0 || memory_was_verified(&job->attempt, report))
		return false;
	if (is_retry_told(job, report))
		journal_retried(&job->attempt, &job->facts, report, delay);
	job->attempt.last = *report;
	job->attempt.n_retries++;
	enter_for(job, JOB_WAITING, delay);
	return true;
}

static void on_worker_end(void *userdata, const struct report *from)
{
	struct job *job = userdata;
	struct report report = *from;
	bool is_unplugged = job->state == JOB_GONE;
	const char *lie = find_lie(job, &report);

	job->worker = worker_free(job->worker);
	if (lie)
		disbelieve(job, lie, &report);
	note_held(job, &report);
	note_version(job, &report);
	/* It stopped, or had to be stopped, because its bridge went. */
	if (is_unplugged && !lie &&
		(report.outcome == OUTCOME_CANCELLED || report.outcome == OUTCOME_FAILED))
		report.outcome = OUTCOME_PORT_GONE;
	if (!is_unplugged && !job->is_stopping && retry(job, &report))
		return;
	if (report.outcome == OUTCOME_PORT_GONE)
		explain_loss(job, &report);
	if (report.duration_ms == 0)
		report.duration_ms = (monotonic_usec() - job->attempt.started_usec) / USEC_PER_MSEC;
	close_story(job, &report);
	if (is_unplugged)
		job->callbacks.on_change(job->callbacks.userdata, job);
	else
		job_enter_state(job, JOB_DONE);
}

void job_run(struct job *job, const char *program, const struct assignment *assignment)
{
	const struct worker_limits limits = worker_limits_for(&assignment->board);
	const struct worker_callbacks callbacks = {
		.on_progress = on_worker_progress,
		.on_question = on_worker_question,
		.on_end = on_worker_end,
		.userdata = job,
	};
	struct report report = {.outcome = OUTCOME_FAILED};
	int r;

	if (!job->attempt.is_open) {
		open_story(job);
		if (job->callbacks.on_begin)
			job->callbacks.on_begin(job->callbacks.userdata, job);
		if (job_may_tell(job, FLAP_STARTED))
			journal_started(&job->attempt, &job->facts);
	} else if (has_lost_port(&job->attempt.last) && job_may_tell(job, FLAP_RETRIED)) {
		journal_retried(&job->attempt, &job->facts, &job->attempt.last, 0);
	}
	job->claim = (struct claim){0};
	job->lie = NULL;
	r = worker_new(
		job->event, program, assignment, &limits, &callbacks, &job->worker, &report.reason);
	report.error = -r;
	if (r >= 0)
		job_enter_state(job, JOB_RUNNING);
	else if (!retry(job, &report))
		job_fail(job, OUTCOME_FAILED, PHASE_NONE, &report.reason);
}

void job_fail(struct job *job, enum outcome outcome, enum phase phase, const struct reason *reason)
{
	struct report report = {.outcome = outcome, .phase = phase, .reason = *reason};

	if (!job->attempt.is_open)
		open_story(job);
	close_story(job, &report);
	job_enter_state(job, JOB_DONE);
}

/* Before an attempt begins there is nothing to keep open: it is looked at again as if it had come.
 */
static void wait_for_room(struct job *job, int error)
{
	struct report report = {.outcome = OUTCOME_FAILED, .error = -error};
	uint64_t delay = job_retry_delay(&report, job->attempt.n_retries, 0);

	if (is_retry_told(job, &report))
		log_warning(
			"%s: the host is short of memory or descriptors (%s), which is no fault of the board; it is looked at again in %llu s",
			job->facts.port, strerror(-error),
			(unsigned long long)(delay / USEC_PER_SEC));
	job->attempt.n_retries++;
	enter_for(job, job->state == JOB_QUEUED ? JOB_WAITING : JOB_SETTLING, delay);
}

void job_fail_for(struct job *job, int error)
{
	struct reason reason;

	if (decide_is_shortage(error)) {
		wait_for_room(job, error);
		return;
	}
	reason_set(&reason, "the service could not prepare the job: %s", strerror(-error));
	job_fail(job, OUTCOME_FAILED, PHASE_NONE, &reason);
}

/*
 * A bridge that went before its first attempt began is no news, unless somebody is known who takes
 * them: then nobody would learn why the board stays as it is.
 */
static bool is_stolen_unseen(const struct job *job)
{
	return job->attempt.started_usec == 0 && job->result == MATCH_ONE && !job->is_delayed &&
	       (job->state == JOB_SETTLING || job->state == JOB_QUEUED) && brltty_suspect();
}

void job_unplug(struct job *job)
{
	if (is_stolen_unseen(job))
		open_story(job);
	if (job->worker)
		worker_abandon(job->worker, UNPLUGGED_GRACE_USEC);
	else
		close_early(job, OUTCOME_PORT_GONE);
	job_enter_state(job, JOB_GONE);
}

void job_stop(struct job *job)
{
	job->is_stopping = true;
	if (job->state == JOB_GONE)
		return;
	if (job->worker) {
		worker_cancel(job->worker);
		return;
	}
	close_early(job, OUTCOME_CANCELLED);
	job_enter_state(job, JOB_GONE);
}
