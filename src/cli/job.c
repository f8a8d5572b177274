/* SPDX-License-Identifier: MIT */
/*
 * job.c - one request to the service, and what it tells of the job until that ends.
 *
 * The answer to the request names the job. It comes before all signals about that job, since one
 * connection keeps its order; a job that ends at once is told to have ended right behind it. From
 * there on the properties of the job are progress, and the signal of its end has the report.
 *
 * Ctrl-C is a request too: only the service knows whether the erase has begun. Where it has, this
 * command goes on watching, and a second Ctrl-C leaves; the service finishes the board either way.
 */
#include "cli/job.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/outcome.h"
#include "cli/progress.h"

/* A wait that people notice is told. */
#define NOTICE_MSEC 1000

struct job {
	struct session *session;
	struct service *service;
	struct interrupt interrupt;
	struct progress_view view;
	char *path;	  /* NULL: the request was not answered yet */
	bool was_refused; /* the report says why */
	bool has_ended;	  /* the report is there */
	bool is_waiting;  /* for its turn, and whether that was told */
	bool is_told_to_wait;
	bool is_left; /* a second Ctrl-C */
	unsigned n_interrupts;
};

struct job *job_new(struct session *session)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job)
		job->session = session;
	return job;
}

struct job *job_free(struct job *job)
{
	if (job)
		free(job->path);
	free(job);
	return NULL;
}

/* ------------------------------------------------------------------------- what is told */

/* Once: that it does not begin, and why, as far as the service says. */
static void tell_waiting(struct job *job)
{
	const char *why = dict_text(client_manager(job->service->client), "PauseReason");
	char shown[TEXT_MAX], text[TEXT_MAX + 64];

	if (!job->is_waiting || job->is_told_to_wait)
		return;
	job->is_told_to_wait = true;
	snprintf(text, sizeof(text), "waiting for its turn%s%s", *why ? ": " : "",
		text_show(why, shown, sizeof(shown)));
	progress_view_say(&job->view, text);
}

static void show(struct job *job, const struct dict *properties)
{
	const char *word = dict_text(properties, "Phase");
	int phase = phase_from_string(word);
	const struct progress progress = {
		.phase = phase < 0 ? PHASE_NONE : (enum phase)phase,
		.done = dict_long(properties, "BytesDone"),
		.total = dict_long(properties, "Bytes"),
	};

	job->is_waiting = strcmp(word, "waiting") == 0;
	/* A turn that comes at once is none to be told of. */
	if (*dict_text(client_manager(job->service->client), "PauseReason"))
		tell_waiting(job);
	if (phase > PHASE_NONE)
		progress_view_show(&job->view, &progress, monotonic_usec());
}

static void on_change(void *userdata, const struct client_object *object, enum client_change change)
{
	struct job *job = userdata;

	if (job->path && change != CLIENT_OBJECT_GONE && strcmp(object->path, job->path) == 0)
		show(job, &object->properties);
}

static void on_job_removed(
	void *userdata, const char *path, const char *outcome, const struct dict *report)
{
	struct job *job = userdata;
	struct report *own = &job->session->report;

	(void)outcome;
	if (!job->path || strcmp(path, job->path) != 0)
		return;
	if (report_from_dict(report, own) < 0) {
		own->outcome = OUTCOME_FAILED;
		reason_set(&own->reason,
			"what the service says of the end cannot be read: is it of another version? plugflash history tells how it ended");
	}
	job->has_ended = true;
}

const struct client_callbacks job_callbacks = {
	.on_change = on_change, .on_job_removed = on_job_removed};

/* --------------------------------------------------------------------------- the Ctrl-C */

static void on_cancel(void *userdata, struct client_answer *answer)
{
	struct job *job = userdata;
	struct reason reason = {0};

	if (job->has_ended)
		return;
	if (answer->result == CLIENT_DONE) {
		progress_view_say(&job->view, "cancelling");
		return;
	}
	if (answer->result == CLIENT_NOT_POSSIBLE) {
		progress_view_say(&job->view,
			"too late to cancel: the flash is being changed, and the service finishes it; once more to leave it alone with that");
		return;
	}
	service_refusal(answer, &reason);
	progress_view_say(&job->view, reason.text);
}

static void cancel(struct job *job)
{
	const struct client_call call = {.kind = CLIENT_JOB, .path = job->path, .method = "Cancel"};

	if (client_call(job->service->client, &call, on_cancel, job, "") < 0)
		job->is_left = true;
}

/* --------------------------------------------------------------------------- the request */

static enum outcome outcome_of(enum client_result result)
{
	switch (result) {
	case CLIENT_BUSY:
		return OUTCOME_PORT_BUSY;
	case CLIENT_NOT_FOUND:
		return OUTCOME_PORT_GONE;
	case CLIENT_DONE:
	case CLIENT_NOT_PERMITTED:
	case CLIENT_NOT_POSSIBLE:
	case CLIENT_INVALID_ARGUMENT:
	case CLIENT_AWAY:
	case CLIENT_SILENT:
	case CLIENT_FAILED:
	case CLIENT_RESULT_MAX:
		break;
	}
	return OUTCOME_FAILED;
}

static void refuse(struct job *job, enum outcome outcome)
{
	job->was_refused = true;
	job->session->report.outcome = outcome;
}

static void on_answer(void *userdata, struct client_answer *answer)
{
	struct job *job = userdata;
	struct reason *reason = &job->session->report.reason;
	const struct client_object *object;

	if (answer->result == CLIENT_DONE && answer->text) {
		job->path = TAKE_PTR(answer->text);
		object = client_find(job->service->client, job->path);
		if (object)
			show(job, &object->properties);
		if (job->n_interrupts > 0)
			cancel(job);
		return;
	}
	service_refusal(answer, reason);
	if (answer->result == CLIENT_NOT_PERMITTED)
		reason_set(reason,
			"this user may not ask the running service: be a member of the group " GROUP_OPERATORS
			", or say --direct to work without it");
	refuse(job, outcome_of(answer->result));
}

static const char *method_of(enum flash_action action)
{
	switch (action) {
	case FLASH_UPDATE:
		return "Flash";
	case FLASH_VERIFY:
		return "Verify";
	case FLASH_PROBE:
		return "Probe";
	case FLASH_IDENTIFY:
		return "Identify";
	case FLASH_READ:
	case FLASH_ERASE:
	case FLASH_START:
	case FLASH_PROTECT:
	case FLASH_UNPROTECT:
	case FLASH_WRITE_UNPROTECT:
	case FLASH_OPTIONS:
	case FLASH_ACTION_MAX:
		break;
	}
	return "";
}

static int ask(struct job *job, const struct client_object *bridge)
{
	const struct session *session = job->session;
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {
		.method = method_of(session->assignment.action),
		.options = &options,
		.may_ask = service_may_ask(),
	};
	int r = 0;

	if (session->options->board)
		r = dict_set_text(&options, "board", session->options->board);
	return r < 0 ? r
		     : client_call(job->service->client, &call, on_answer, job, "o", bridge->path);
}

/* The first asks to cancel: at once, or as soon as it is known what. */
static void on_interrupt(struct job *job)
{
	(void)interrupt_asked(&job->interrupt);
	if (++job->n_interrupts > 1)
		job->is_left = true;
	else if (job->path)
		cancel(job);
}

/* ------------------------------------------------------------------------------- the end */

static bool is_over(void *userdata)
{
	const struct job *job = userdata;

	return job->has_ended || job->was_refused ||
	       client_presence(job->service->client) != CLIENT_THERE;
}

static int follow(struct job *job)
{
	uint64_t limit_ms = NOTICE_MSEC;
	int r;

	do {
		r = client_wait(job->service->client, limit_ms, job->interrupt.fd, is_over, job);
		if (r == CLIENT_WAIT_TIMEOUT) {
			tell_waiting(job);
			limit_ms = UINT64_MAX;
		}
		if (r == CLIENT_WAIT_INTERRUPTED)
			on_interrupt(job);
	} while (r > 0 && !job->is_left);
	return r;
}

/* Without a report: why this command knows no end. */
static void tell_unknown_end(struct job *job, int r)
{
	struct reason *reason = &job->session->report.reason;

	refuse(job, OUTCOME_FAILED);
	if (job->is_left)
		reason_set(reason,
			"left, as asked, while the service goes on; plugflash history tells how it ends");
	else if (r < 0)
		reason_set(reason, "the service cannot be followed: %s", strerror(-r));
	else
		reason_set(reason,
			"the service went away while it had the board: systemctl status plugflashd; once it is back, plugflash history tells how it ended");
}

static void run(struct job *job, const struct client_object *bridge)
{
	struct session *session = job->session;
	int r;

	progress_view_begin(&job->view, stderr, session->assignment.port,
		session->assignment.action != FLASH_UPDATE);
	r = ask(job, bridge);
	if (r == 0)
		r = follow(job);
	progress_view_end(&job->view);
	if (!job->has_ended && !job->was_refused)
		tell_unknown_end(job, r);
}

void job_run(struct job *job, struct service *service)
{
	struct session *session = job->session;
	struct report *report = &session->report;
	const struct client_object *bridge;
	int r;

	job->service = service;
	bridge = service_find_bridge(service, session->bridge.port);
	if (!bridge) {
		reason_set(&report->reason,
			"the running service does not know this bridge; --direct works without the service");
		refuse(job, OUTCOME_PORT_GONE);
		return;
	}
	r = interrupt_open(&job->interrupt);
	if (r < 0) {
		report->error = -r;
		reason_set(&report->reason, "signals cannot be waited for: %s", strerror(-r));
		refuse(job, OUTCOME_FAILED);
		return;
	}
	run(job, bridge);
	interrupt_close(&job->interrupt);
	if (!report->bridge[0])
		text_escape(session->bridge.product, report->bridge, sizeof(report->bridge));
}
