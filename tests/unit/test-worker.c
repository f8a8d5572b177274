/* SPDX-License-Identifier: MIT */
/* A worker process that does as it should, and all the ways in which one may not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/names.h"
#include "service/worker.h"
#include "unit/fake-worker.h"
#include "unit/patience.h"
#include "unit/rows.h"
#include "unit/virtual-clock.h"

#define GRACE_USEC (USEC_PER_SEC / 2)

static const char *self;

struct watch {
	struct worker *worker;
	struct report report;
	bool has_ended;
	unsigned n_progress;
};

static void on_progress(void *userdata, const struct progress *progress)
{
	struct watch *watch = userdata;

	assert_int_equal(progress->phase, PHASE_WRITE);
	watch->n_progress++;
}

static void on_end(void *userdata, const struct report *report)
{
	struct watch *watch = userdata;

	assert_false(watch->has_ended);
	watch->has_ended = true;
	watch->report = *report;
	watch->worker = worker_free(watch->worker);
}

/* The rule the assignments carry. */
static const char rule[] = "[board gate]\nchip = 0x414\nimage = *.bin\n";

static void read_rule(struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};

	assert_int_equal(ini_load_text(&ini, "rule", rule, strlen(rule), &problems), 0);
	assert_int_equal(config_read_board(&ini, ret, &problems), 0);
	assert_int_equal(problems.n_items, 0);
}

static int start(sd_event *event, const char *program, const char *image,
	const struct worker_limits *limits, struct watch *watch, struct reason *reason)
{
	const struct worker_callbacks callbacks = {
		.on_progress = on_progress, .on_end = on_end, .userdata = watch};
	struct assignment assignment = {
		.action = FLASH_UPDATE,
		.port = "/dev/ttyUSB0",
		.image_dir = "/nowhere",
		.image = (char *)image,
		.version = "1.0",
		.chips = "/nowhere/chips.ini",
	};
	int r;

	read_rule(&assignment.board);
	r = worker_new(event, program, -1, &assignment, limits, &callbacks, &watch->worker, reason);
	board_done(&assignment.board);
	return r;
}

static void run_once(sd_event *event)
{
	static uint64_t deadline;

	deadline = deadline ? deadline : real_usec() + 3 * PATIENCE_USEC;
	assert_true(real_usec() < deadline);
	assert_true(sd_event_run(event, USEC_PER_SEC) >= 0);
}

static void wait_for_end(sd_event *event, const struct watch *watch)
{
	while (!watch->has_ended)
		run_once(event);
}

/* Time passes at once, or after the worker was heard a few times. */
enum request { NOTHING, CANCEL, ABANDON, PASS, PASS_LATER };

static const struct row {
	const char *name;
	const char *image;
	struct worker_limits limits;
	enum request request;
	enum outcome outcome;
	const char *reason;
} rows[] = {
	{"a report is taken as it is", "update-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, NOTHING,
		OUTCOME_UPDATED, "as asked"},
	{"a failure is a report, too", "chip-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, NOTHING,
		OUTCOME_WRONG_CHIP, "as asked"},
	{"what follows the report is ignored", "linger-1.bin", {PATIENCE_USEC, PATIENCE_USEC},
		NOTHING, OUTCOME_UPDATED, "as asked"},
	{"asked before the erase it stops", "polite-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, CANCEL,
		OUTCOME_CANCELLED, "as asked"},
	{"fault 21: asked after the erase it finishes", "finish-1.bin",
		{PATIENCE_USEC, PATIENCE_USEC}, CANCEL, OUTCOME_UPDATED, "as asked"},
	{"fault 7: pulled out, and it does not end", "silent-1.bin", {PATIENCE_USEC, PATIENCE_USEC},
		ABANDON, OUTCOME_FAILED, "did not end by itself"},
	{"fault 53: a silent worker is killed", "silent-1.bin", {PATIENCE_USEC, 2 * PATIENCE_USEC},
		PASS, OUTCOME_FAILED, "no progress"},
	{"fault 62: a worker that goes on for ever is killed", "chatter-1.bin",
		{2 * PATIENCE_USEC, PATIENCE_USEC}, PASS_LATER, OUTCOME_FAILED,
		"longer than any job"},
	{"nonsense is refused", "nonsense-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, NOTHING,
		OUTCOME_FAILED, "broke the protocol"},
	{"a line without end is refused", "endless-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, NOTHING,
		OUTCOME_FAILED, "broke the protocol"},
	{"a report without end is ended", "report-1.bin", {2 * PATIENCE_USEC, PATIENCE_USEC},
		PASS_LATER, OUTCOME_FAILED, "longer than any job"},
	{"half a report is none", "half-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, NOTHING,
		OUTCOME_FAILED, "without a report"},
	{"a signal is named", "crash-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, NOTHING,
		OUTCOME_FAILED, "signal 15"},
	{"a status is named", "quit-1.bin", {PATIENCE_USEC, PATIENCE_USEC}, NOTHING, OUTCOME_FAILED,
		"status 7"},
};

static void worker_ends_as_the_row_says(void **state)
{
	const struct row *row = *state;
	struct watch watch = {0};
	struct reason reason;
	sd_event *event = NULL;

	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(start(event, self, row->image, &row->limits, &watch, &reason), 0);
	if (row->request == CANCEL)
		worker_cancel(watch.worker);
	else if (row->request == ABANDON)
		worker_abandon(watch.worker, GRACE_USEC);
	for (unsigned i = 0; row->request == PASS_LATER && i < 10; i++)
		run_once(event);
	if (row->request == ABANDON)
		clock_move(GRACE_USEC);
	else if (row->request == PASS || row->request == PASS_LATER)
		clock_move(PATIENCE_USEC);
	wait_for_end(event, &watch);
	assert_int_equal(watch.report.outcome, row->outcome);
	if (!strstr(watch.report.reason.text, row->reason))
		fail_msg("'%s' in '%s'", row->reason, watch.report.reason.text);
	sd_event_unref(event);
	/* Nothing is left to be reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void progress_is_told(void **state)
{
	const struct worker_limits limits = {PATIENCE_USEC, PATIENCE_USEC};
	struct watch watch = {0};
	struct reason reason;
	sd_event *event = NULL;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(start(event, self, "chatter-1.bin", &limits, &watch, &reason), 0);
	while (watch.n_progress <= 3)
		run_once(event);
	clock_move(PATIENCE_USEC);
	wait_for_end(event, &watch);
	assert_int_equal(watch.report.phase, PHASE_WRITE);
	sd_event_unref(event);
}

static void a_missing_program_is_named(void **state)
{
	const struct worker_limits limits = {PATIENCE_USEC, PATIENCE_USEC};
	struct watch watch = {0};
	struct reason reason;
	sd_event *event = NULL;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(
		start(event, "/nowhere/worker", "update-1.bin", &limits, &watch, &reason), -ENOENT);
	assert_non_null(strstr(reason.text, "/nowhere/worker"));
	sd_event_unref(event);
}

static void freeing_kills_and_reaps(void **state)
{
	const struct worker_limits limits = {PATIENCE_USEC, PATIENCE_USEC};
	struct watch watch = {0};
	struct reason reason;
	sd_event *event = NULL;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(start(event, self, "silent-1.bin", &limits, &watch, &reason), 0);
	watch.worker = worker_free(watch.worker);
	assert_false(watch.has_ended);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	sd_event_unref(event);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n = 0;

	self = fake_worker_main();
	ADD_ROWS(tests, n, rows, worker_ends_as_the_row_says);
	ADD_TEST(tests, n, progress_is_told);
	ADD_TEST(tests, n, a_missing_program_is_named);
	ADD_TEST(tests, n, freeing_kills_and_reaps);
	return RUN_TESTS("worker", tests, n);
}
