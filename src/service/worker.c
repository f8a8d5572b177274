/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one process of the worker program, from its start to its end:
 *
 *   started ──> says lines, asks questions ──> end of the report ──> exit
 *
 * Three time limits end it: so long without a line, so long in all, and after it was asked to stop
 * for a bridge that is gone. It is killed as well for a line that is not of the protocol, and for
 * an answer that it does not take. Once killed it is not listened to any more, and the report is
 * the service's own. It is over when the process is reaped: the output that is still in its pipe
 * then is read first.
 */
#include "service/worker.h"
#include "api/report-lines.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "base/util.h"
#include "records/decide.h"
#include "service/process.h"

/*
 * The longest that a healthy worker is silent is one erase: 30 s and more for the mass erase of the
 * largest chips by their data sheets. The rest is room for a host that is busy with other things.
 */
#define SILENCE_USEC (300 * USEC_PER_SEC)

/*
 * 2 MiB compared, written and verified at 115200 baud take 11 min; erase, retries and a slow USB
 * stack make it 30. Slower lines have as much more.
 */
#define TOTAL_USEC (1800 * USEC_PER_SEC)
#define TOTAL_BAUD 115200

/* A day, whatever a rule says. */
#define TOTAL_MAX_USEC	(24 * 3600 * USEC_PER_SEC)
#define DELAYS_MAX_USEC (24 * 3600 * USEC_PER_SEC)

/* From the end of the report to the end of the process, which has nothing left to do but to exit.
 */
#define FAREWELL_USEC	    (5 * USEC_PER_SEC)

#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

struct worker {
	struct worker_callbacks callbacks;
	struct worker_limits limits;
	struct process process; /* its input is -1 once it was asked to stop */
	sd_event_source *silence_source;
	sd_event_source *total_source;
	sd_event_source *grace_source;
	char line[REPORT_LINE_BYTES];
	size_t n_line;
	struct report report;
	bool is_asking;	   /* it waits for an answer */
	bool is_complete;  /* the report is */
	const char *fault; /* why we killed it, NULL: we did not */
	bool is_other_build;
};

static uint64_t at_most(uint64_t usec, uint64_t limit)
{
	return usec < limit ? usec : limit;
}

struct worker_limits worker_limits_for(const struct board *board)
{
	uint64_t total = TOTAL_USEC, delay = at_most(board->retry_delay_usec, DELAYS_MAX_USEC);
	uint32_t slowest = TOTAL_BAUD;

	for (size_t i = 0; i < board->baud.n_items; i++)
		if (board->baud.items[i] > 0 && board->baud.items[i] < slowest)
			slowest = board->baud.items[i];
	total = total / slowest * TOTAL_BAUD;

	/* The delay between retries doubles, and the worker is silent while it lasts. */
	for (uint32_t i = 0; i < board->retries && delay < DELAYS_MAX_USEC; i++)
		delay = at_most(2 * delay, DELAYS_MAX_USEC);
	return (struct worker_limits){
		.silence_usec = SILENCE_USEC + delay,
		.total_usec = at_most(total, TOTAL_MAX_USEC) + delay,
	};
}

static void kill_for(struct worker *worker, const char *fault)
{
	if (!worker->fault)
		worker->fault = fault;
	(void)sd_event_source_send_child_signal(worker->process.end_source, SIGKILL, NULL, 0);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct worker *worker = userdata;

	(void)usec;
	kill_for(worker, source == worker->silence_source
				 ? "the worker made no progress for too long and was killed"
			 : source == worker->total_source
				 ? "the job took longer than any job may, and the worker was killed"
				 : "the worker did not end by itself and was killed");
	return 0;
}

/* -------------------------------------------------------------------------- what it says */

void worker_answer(struct worker *worker, const struct answer *given)
{
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *memory;
	int r;

	if (!worker->is_asking || worker->process.input < 0)
		return;
	worker->is_asking = false;
	memory = open_memstream(&text, &n_text);
	r = memory ? answer_write(given, memory) : -ENOMEM;
	if (memory && fclose(memory) != 0)
		r = -ENOMEM;
	if (r < 0 || write(worker->process.input, text, n_text) != (ssize_t)n_text)
		kill_for(worker, "the worker could not be answered and was killed");
}

static void take_question(struct worker *worker, enum question question)
{
	struct answer given = {.word = ANSWER_GO, .outcome = OUTCOME_FAILED};

	/* Asked to stop in the meantime it reads that in place of an answer, and ended it reads
	 * nothing: then nothing is to be remembered of an erase either. */
	if (worker->process.input < 0)
		return;
	worker->is_asking = true;
	if (!worker->callbacks.on_question ||
		worker->callbacks.on_question(
			worker->callbacks.userdata, question, &worker->report, &given))
		worker_answer(worker, &given);
}

static void take_line(struct worker *worker, const char *line)
{
	struct progress progress;
	enum question question;

	/* A worker that waits for an answer says nothing more, and its report stays as it is. */
	if (worker->is_asking) {
		kill_for(worker, "the worker broke the protocol and was killed");
		return;
	}
	if (question_read(line, &question)) {
		take_question(worker, question);
		return;
	}
	switch (report_read_line(&worker->report, &progress, line)) {
	case REPORT_LINE_FIELD:
		break;
	case REPORT_LINE_PROGRESS:
		worker->report.phase = progress.phase;
		if (worker->callbacks.on_progress)
			worker->callbacks.on_progress(worker->callbacks.userdata, &progress);
		break;
	case REPORT_LINE_END:
		worker->is_complete = true;
		(void)sd_event_source_set_time_relative(worker->silence_source, FAREWELL_USEC);
		break;
	case REPORT_LINE_UNKNOWN:
		kill_for(worker, "the worker broke the protocol and was killed");
		break;
	}
}

/* Everything after the end of the report is ignored, nothing is waited for after a fault. */
static void take_lines(struct worker *worker, const char *data, size_t n_data)
{
	for (size_t i = 0; i < n_data && !worker->is_complete && !worker->fault; i++) {
		if (data[i] == '\n') {
			worker->line[worker->n_line] = '\0';
			worker->n_line = 0;
			take_line(worker, worker->line);
		} else if (data[i] == '\0' || worker->n_line + 1 == sizeof(worker->line)) {
			kill_for(worker, "the worker broke the protocol and was killed");
		} else {
			worker->line[worker->n_line++] = data[i];
		}
	}
}

/* Takes what is there, a bounded amount at once. Returns whether more may come. */
static bool take_output(struct worker *worker)
{
	char data[4096];

	for (unsigned i = 0; i < 16; i++) {
		ssize_t n = read(worker->process.output, data, sizeof(data));

		if (n > 0)
			take_lines(worker, data, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return false;
		else if (errno == EAGAIN)
			return true;
	}
	return true;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct worker *worker = userdata;

	(void)fd;
	(void)events;
	if (!worker->is_complete)
		(void)sd_event_source_set_time_relative(
			worker->silence_source, worker->limits.silence_usec);
	if (!take_output(worker))
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

/* ------------------------------------------------------------------------------- its end */

static void explain_end(struct worker *worker, const siginfo_t *end)
{
	struct report *report = &worker->report;

	report->outcome = OUTCOME_FAILED;
	if (worker->is_other_build) {
		report->outcome = OUTCOME_CANCELLED;
		reason_set(&report->reason,
			"plugflash was upgraded, and this service is still the one before; nothing was erased: systemctl restart plugflashd");
	} else if (worker->fault)
		reason_set(&report->reason, "%s", worker->fault);
	else if (end->si_code == CLD_EXITED)
		reason_set(&report->reason,
			"the worker ended with status %d and without a report; its messages stand above",
			end->si_status);
	else if (end->si_status == SIGKILL) {
		/* Nobody here did it. */
		report->error = ENOMEM;
		reason_set(&report->reason,
			"the worker was killed from outside, by the kernel for want of memory or by somebody");
	} else
		reason_set(&report->reason, "the worker was killed by signal %d (%s)",
			end->si_status, strsignal(end->si_status));
}

static int on_end(sd_event_source *source, const siginfo_t *end, void *userdata)
{
	struct worker *worker = userdata;
	struct worker_callbacks callbacks = worker->callbacks;
	struct report report;

	(void)source;
	closep(&worker->process.input);
	worker->process.input = -1;
	(void)take_output(worker);
	log_debug("worker %d ended, code %d, status %d", (int)worker->process.pid, end->si_code,
		end->si_status);
	worker->is_other_build = !worker->is_complete && !worker->fault &&
				 end->si_code == CLD_EXITED && end->si_status == EXIT_OTHER_BUILD;
	if (!worker->is_complete)
		explain_end(worker, end);
	report = worker->report;
	callbacks.on_end(callbacks.userdata, &report);
	return 0;
}

/* ----------------------------------------------------------------------------- its start */

static int start(struct worker *worker, sd_event *event, const char *program, int transcript,
	const struct assignment *assignment)
{
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *memory = open_memstream(&text, &n_text);
	int r = memory ? assignment_write(assignment, memory) : -ENOMEM;

	if (memory && fclose(memory) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = process_start(&worker->process, event,
			&(struct process_program){
				.path = program,
				.argument = transcript >= 0 ? WORKER_RECORDS : NULL,
				.extra = transcript >= 0 ? transcript : 0,
				.text = text,
				.n_text = n_text,
				.on_output = on_output,
				.on_end = on_end,
			},
			worker);
	if (r == 0)
		r = sd_event_add_time_relative(event, &worker->silence_source, CLOCK_MONOTONIC,
			worker->limits.silence_usec, TIMER_ACCURACY_USEC, on_time, worker);
	if (r < 0)
		return r;
	return sd_event_add_time_relative(event, &worker->total_source, CLOCK_MONOTONIC,
		worker->limits.total_usec, TIMER_ACCURACY_USEC, on_time, worker);
}

int worker_new(sd_event *event, const char *program, int transcript,
	const struct assignment *assignment, const struct worker_limits *limits,
	const struct worker_callbacks *callbacks, struct worker **ret, struct reason *reason)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r = -ENOMEM;

	if (worker) {
		worker->callbacks = *callbacks;
		worker->limits = *limits;
		worker->process = PROCESS_NONE;
		worker->report.outcome = OUTCOME_FAILED;
		r = start(worker, event, program, transcript, assignment);
	}
	if (r < 0) {
		reason_set(reason, "the worker '%s' could not be started: %s%s", program,
			strerror(-r),
			decide_is_shortage(r)
				? ": the host is short of it, which is no fault of the board"
				: "");
		worker_free(worker);
		return r;
	}
	log_debug("worker %d started for %s", (int)worker->process.pid, assignment->port);
	*ret = worker;
	return 0;
}

struct worker *worker_free(struct worker *worker)
{
	if (!worker)
		return NULL;
	sd_event_source_disable_unref(worker->grace_source);
	sd_event_source_disable_unref(worker->total_source);
	sd_event_source_disable_unref(worker->silence_source);
	process_done(&worker->process);
	free(worker);
	return NULL;
}

void worker_cancel(struct worker *worker)
{
	static const char request[] = CANCEL_LINE "\n";

	if (worker->process.input < 0)
		return;
	/* A worker that is gone already (EPIPE) needs no asking; closing says the same. */
	if (write(worker->process.input, request, sizeof(request) - 1) < 0)
		log_debug("worker %d: %s", (int)worker->process.pid, strerror(errno));
	worker->is_asking = false;
	closep(&worker->process.input);
	worker->process.input = -1;
}

void worker_kill(struct worker *worker, const char *fault)
{
	kill_for(worker, fault);
}

void worker_abandon(struct worker *worker, uint64_t grace_usec)
{
	worker_cancel(worker);
	if (worker->grace_source)
		return;
	if (sd_event_add_time_relative(sd_event_source_get_event(worker->process.end_source),
		    &worker->grace_source, CLOCK_MONOTONIC, grace_usec, 10 * USEC_PER_MSEC, on_time,
		    worker) < 0)
		kill_for(worker, "the worker was killed");
}

bool worker_is_of_another_build(const struct worker *worker)
{
	return worker->is_other_build;
}
