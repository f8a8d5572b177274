/* SPDX-License-Identifier: MIT */
/*
 * plugflash-worker.c - one try of an attempt: assignment and answers in; progress, questions, and
 * report out. "cancel" or end of input stops it before the erase. With "choose" or "list": images,
 * no port.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "api/report-lines.h"
#include "base/build.h"
#include "base/confine.h"
#include "base/util.h"
#include "device/lock.h"
#include "device/transcript.h"
#include "flash/assignment.h"
#include "flash/progress-lines.h"
#include "flash/survey.h"

/* The end of a unit that owns the port may take minutes: src/service/systemd1.c. */
#define ANSWER_USEC (240 * USEC_PER_SEC)

/* A job that has come to more is a strange one; the bound of its file is for several tries. */
#define TRANSCRIPT_BYTES (1024 * 1024)
#define FILE_BYTES	 (4 * TRANSCRIPT_BYTES)

static void on_progress(void *userdata, const struct progress *progress)
{
	progress_lines_tell(userdata, progress, stdout);
}

static bool is_cancelled(void *userdata)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	(void)userdata;
	return poll(&input, 1, 0) > 0;
}

static void ask(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	(void)userdata;
	question_ask(STDIN_FILENO, stdout, question, so_far, ANSWER_USEC, ret);
}

/* From here on a board may be hostile. */
static int on_open(void *userdata)
{
	(void)userdata;
	return confine_to_open_files(LOCK_DIRECTORY);
}

static enum outcome run(struct transcript *transcript, struct report *report)
{
	CLEANUP(assignment_done) struct assignment assignment = {0};
	struct progress_lines lines = PROGRESS_LINES_NONE;
	const struct assignment_callbacks callbacks = {
		.on_open = on_open,
		.on_progress = on_progress,
		.is_cancelled = is_cancelled,
		.ask = ask,
		.userdata = &lines,
		.transcript = transcript,
	};
	int r = transcript ? confine_begin(WORKER_TRANSCRIPT, FILE_BYTES)
			   : confine_begin(STDERR_FILENO, CONFINE_FILE_BYTES);

	if (r == 0)
		r = assignment_read(stdin, &assignment, &report->reason);
	if (r == 0)
		return assignment_run(&assignment, &callbacks, report);
	if (r < 0)
		reason_set(&report->reason,
			"the job cannot be read from the service, or the worker not be confined: %s",
			strerror(-r));
	report->error = r < 0 ? -r : 0;
	report->outcome = r < 0 ? OUTCOME_FAILED : OUTCOME_BAD_CONFIG;
	return report->outcome;
}

int main(int argc, char **argv)
{
	bool records = argc == 2 && strcmp(argv[1], WORKER_RECORDS) == 0;
	struct transcript *transcript = NULL;
	struct report report = {0};

	if (argc == 2 && survey_is_asked(argv[1]))
		return survey_process(argv[1]);
	if (argc > 1 && !records) {
		fputs("plugflashd starts this program; by hand: plugflash flash\n", stderr);
		return EXIT_USAGE;
	}
	if (build_is_other(PLUGFLASH_BUILD))
		return EXIT_OTHER_BUILD;
	/* Where the service ends during a write, the worker goes on without telling. */
	signal(SIGPIPE, SIG_IGN);
	/* Of a transcript that is too long there is as much as fits. */
	signal(SIGXFSZ, SIG_IGN);
	/* is_cancelled() polls for the bytes behind the assignment: none may lie in a buffer. */
	setvbuf(stdin, NULL, _IONBF, 0);
	if (records)
		(void)transcript_new(TRANSCRIPT_BYTES, false, &transcript);
	run(transcript, &report);
	(void)report_write(&report, stdout);
	(void)fflush(stdout);
	/* Behind the report: a disk that is slow delays no answer, and the service waits a while.
	 */
	if (transcript && !transcript_is_empty(transcript))
		(void)transcript_write(transcript, WORKER_TRANSCRIPT);
	transcript_free(transcript);
	return outcome_to_exit_code(report.outcome);
}
