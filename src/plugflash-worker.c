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
#include "base/clock.h"
#include "base/confine.h"
#include "base/util.h"
#include "device/lock.h"
#include "flash/assignment.h"
#include "flash/survey.h"

/* At most four lines a second, for people; at least one in five seconds, as a sign of life. */
#define PROGRESS_LEAST_USEC (250 * USEC_PER_MSEC)
#define PROGRESS_MOST_USEC  (5 * USEC_PER_SEC)

/* The end of a unit that owns the port may take minutes: src/service/systemd1.c. */
#define ANSWER_USEC (240 * USEC_PER_SEC)

struct session {
	struct progress last;
	uint64_t last_usec;
	unsigned last_percent;
};

static void on_progress(void *userdata, const struct progress *progress)
{
	struct session *session = userdata;
	uint64_t now = monotonic_usec(), since = now - session->last_usec;
	unsigned percent = progress_percent(progress);
	bool is_news = percent != session->last_percent && since >= PROGRESS_LEAST_USEC;
	bool is_end = percent == 100 && session->last_percent != 100;

	if (progress->phase == session->last.phase && !is_news && !is_end &&
		since < PROGRESS_MOST_USEC)
		return;
	session->last = *progress;
	session->last_usec = now;
	session->last_percent = percent;
	/* Where the service is gone, the board is finished all the same. */
	(void)progress_write(progress, stdout);
	(void)fflush(stdout);
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

static enum outcome run(struct report *report)
{
	CLEANUP(assignment_done) struct assignment assignment = {0};
	struct session session = {.last_percent = 100};
	const struct assignment_callbacks callbacks = {
		.on_open = on_open,
		.on_progress = on_progress,
		.is_cancelled = is_cancelled,
		.ask = ask,
		.userdata = &session,
	};
	int r = confine_begin();

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
	struct report report = {0};

	if (argc == 2 && survey_is_asked(argv[1]))
		return survey_process(argv[1]);
	if (argc > 1) {
		fputs("plugflashd starts this program; by hand: plugflash flash\n", stderr);
		return EXIT_USAGE;
	}
	if (build_is_other(PLUGFLASH_BUILD))
		return EXIT_OTHER_BUILD;
	/* Where the service ends during a write, the worker goes on without telling. */
	signal(SIGPIPE, SIG_IGN);
	/* is_cancelled() polls for the bytes behind the assignment: none may lie in a buffer. */
	setvbuf(stdin, NULL, _IONBF, 0);
	run(&report);
	(void)report_write(&report, stdout);
	(void)fflush(stdout);
	return outcome_to_exit_code(report.outcome);
}
