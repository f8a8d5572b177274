/* SPDX-License-Identifier: MIT */
/*
 * fake-worker.h - a test program that is its own worker: started by the code under test it takes an
 * assignment and behaves as the first word of the image's name says.
 *
 * Include after cmocka.h. main() calls fake_worker_main() first.
 */
#pragma once

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "api/report-lines.h"
#include "base/util.h"
#include "flash/assignment.h"
#include "flash/finding.h"
#include "flash/question.h"

/* Set by a test before it starts workers, inherited by them. */
#define FAKE_WORKER_ENV "PLUGFLASH_TEST_FAKE_WORKER"

/* The same: what failed after its erase ends well now. */
#define FAKE_WORKER_MENDED "PLUGFLASH_TEST_MENDED"

/* Of the assignment: what the report has to repeat. */
static struct report fake_report = {
	.bytes = 5120,
	.baud = 115200,
	.duration_ms = 1900,
	.sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};

static inline enum answer_word fake_worker_ask(enum question question)
{
	struct answer answer;

	question_ask(STDIN_FILENO, stdout, question, &fake_report, 10 * USEC_PER_SEC, &answer);
	if (answer.word != ANSWER_LEAVE || answer.outcome == OUTCOME_CANCELLED)
		return answer.word;
	fake_report.outcome = answer.outcome;
	fake_report.phase = PHASE_IDENTIFY;
	fake_report.reason = answer.reason;
	report_write(&fake_report, stdout);
	exit(0);
}

static inline void fake_worker_report(enum outcome outcome, enum phase phase, int error)
{
	fake_report.outcome = outcome;
	fake_report.phase = phase;
	fake_report.error = error;
	if ((outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT) && *fake_report.sha256)
		fake_report.proof = PROOF_READ_BACK;
	/* Current for a reason is what was left alone. */
	if (outcome != OUTCOME_CURRENT)
		reason_set(&fake_report.reason, "as asked");
	report_write(&fake_report, stdout);
}

/* Until the service asks, or is gone. */
static inline void fake_worker_wait_for_cancel(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	poll(&input, 1, -1);
}

static inline void fake_worker_hang(void)
{
	for (;;)
		pause();
}

static inline void do_update(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_ask(QUESTION_DECIDE);
	fake_worker_ask(QUESTION_ERASE);
	fake_worker_report(OUTCOME_UPDATED, PHASE_LEAVE, 0);
}

/* A chip that says its id, which all of these share. */
static inline void fake_worker_name_chip(void)
{
	fake_report.has_product_id = true;
	snprintf(fake_report.family, sizeof(fake_report.family), "stm32");
	fake_report.product_id = 0x414;
	snprintf(fake_report.chip, sizeof(fake_report.chip), "STM32F103xE");
	snprintf(fake_report.unit, sizeof(fake_report.unit), "0123456789abcdef01234567");
}

static inline void do_named(void)
{
	fake_worker_name_chip();
	do_update();
}

/* The image of the assignment, in the directory of the assignment. */
static char fake_image[2 * PATH_MAX];

/* One that finds its image, whose name it is given whole. */
static inline void do_there(void)
{
	if (access(fake_image, F_OK) != 0)
		fake_worker_report(OUTCOME_NO_IMAGE, PHASE_IMAGE, 0);
	else
		do_update();
}

static inline void do_current(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_ask(QUESTION_DECIDE);
	fake_worker_report(OUTCOME_CURRENT, PHASE_LEAVE, 0);
}

static inline void do_busy(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_report(OUTCOME_PORT_BUSY, PHASE_OPEN, EBUSY);
}

static inline void do_denied(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_report(OUTCOME_FAILED, PHASE_OPEN, EACCES);
}

static inline void do_gone(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_report(OUTCOME_PORT_GONE, PHASE_SYNC, ENODEV);
}

static inline void do_chip(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_report(OUTCOME_WRONG_CHIP, PHASE_IDENTIFY, 0);
}

/* Whether the assignment names a file that the unit is known to hold. */
static bool fake_is_known;

/* One that leaves the port alone then, as that file is the image. */
static inline void do_trusts(void)
{
	if (fake_is_known)
		fake_worker_report(OUTCOME_CURRENT, PHASE_IMAGE, 0);
	else
		do_update();
}

/* One that compares unless it is told to write, and finds no difference. */
static inline void do_obeys(void)
{
	fake_worker_ask(QUESTION_OPEN);
	if (fake_worker_ask(QUESTION_DECIDE) != ANSWER_WRITE) {
		fake_worker_report(OUTCOME_CURRENT, PHASE_LEAVE, 0);
		return;
	}
	fake_worker_ask(QUESTION_ERASE);
	fake_worker_report(OUTCOME_UPDATED, PHASE_LEAVE, 0);
}

/* The test decides when it goes on, by a file beside the image. */
static inline void fake_worker_wait_for_go(void)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	char path[sizeof(fake_image) + 4];

	snprintf(path, sizeof(path), "%s", fake_image);
	snprintf(strrchr(path, '/'), 4, "/go");
	while (access(path, F_OK) != 0)
		nanosleep(&moment, NULL);
}

/* One that hears of a cancel in place of the answer. */
static inline void end_heeding(void)
{
	if (fake_worker_ask(QUESTION_ERASE) == ANSWER_LEAVE) {
		fake_worker_report(OUTCOME_CANCELLED, PHASE_COMPARE, 0);
		return;
	}
	fake_report.has_erased = true;
	fake_worker_report(OUTCOME_UPDATED, PHASE_LEAVE, 0);
}

static inline void do_heeds(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_ask(QUESTION_DECIDE);
	end_heeding();
}

static inline void do_gated(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_ask(QUESTION_DECIDE);
	fake_worker_wait_for_go();
	end_heeding();
}

/* One whose port goes after the erase. */
static inline void do_lost(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_ask(QUESTION_DECIDE);
	fake_worker_ask(QUESTION_ERASE);
	fake_report.has_erased = true;
	fake_worker_report(OUTCOME_PORT_GONE, PHASE_WRITE, ENODEV);
}

/* A job before its erase. */
static inline void do_polite(void)
{
	/* Or before that, in place of the answer. */
	if (fake_worker_ask(QUESTION_OPEN) == ANSWER_LEAVE) {
		fake_worker_report(OUTCOME_CANCELLED, PHASE_IMAGE, 0);
		return;
	}
	fake_worker_wait_for_cancel();
	fake_worker_report(OUTCOME_CANCELLED, PHASE_COMPARE, 0);
}

/* A job after its erase: it is asked to stop, and finishes. */
static inline void do_finish(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_ask(QUESTION_DECIDE);
	fake_worker_ask(QUESTION_ERASE);
	fake_worker_wait_for_cancel();
	fake_worker_report(OUTCOME_UPDATED, PHASE_LEAVE, 0);
}

/* A job that fails after its erase. */
static inline void do_torn(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_ask(QUESTION_DECIDE);
	fake_worker_ask(QUESTION_ERASE);
	fake_report.has_erased = true;
	if (getenv(FAKE_WORKER_MENDED))
		fake_worker_report(OUTCOME_UPDATED, PHASE_LEAVE, 0);
	else
		fake_worker_report(OUTCOME_WRITE_FAILED, PHASE_WRITE, 0);
}

/* A job that fails before it, and is no fault of the port. */
static inline void do_dumb(void)
{
	fake_worker_ask(QUESTION_OPEN);
	fake_worker_report(OUTCOME_NO_SYNC, PHASE_SYNC, 0);
}

static inline void do_nonsense(void)
{
	puts("hello");
	fflush(stdout);
	fake_worker_hang();
}

static inline void do_endless(void)
{
	for (;;)
		putchar('x');
}

static inline void do_endless_report(void)
{
	for (;;)
		puts("bytes 1");
}

static inline void do_chatter(void)
{
	const struct progress progress = {.phase = PHASE_WRITE, .done = 1, .total = 2};

	for (;;) {
		struct pollfd output = {.fd = STDOUT_FILENO, .events = 0};

		progress_write(&progress, stdout);
		poll(&output, 1, 5);
	}
}

static inline void do_half(void)
{
	puts("outcome updated\nbytes 5120");
}

static inline void do_crash(void)
{
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
}

static inline void do_quit(void)
{
	exit(7);
}

/* One that was taken over: its end does not follow from its questions. */
static inline void do_liar(void)
{
	fake_worker_report(OUTCOME_UPDATED, PHASE_LEAVE, 0);
}

static inline void do_burner(void)
{
	fake_worker_ask(QUESTION_OPEN);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(fake_report.unit, sizeof(fake_report.unit), "%024x", i + 1);
		fake_worker_ask(QUESTION_DECIDE);
		fake_worker_ask(QUESTION_ERASE);
	}
	fake_worker_hang();
}

static inline void do_linger(void)
{
	do_update();
	fflush(stdout);
	puts("and then it says more");
}

static const struct {
	const char *name;
	void (*run)(void);
} fake_behaviours[] = {
	{"update", do_update},
	{"named", do_named},
	{"there", do_there},
	{"current", do_current},
	{"busy", do_busy},
	{"denied", do_denied},
	{"gone", do_gone},
	{"chip", do_chip},
	{"polite", do_polite},
	{"finish", do_finish},
	{"torn", do_torn},
	{"dumb", do_dumb},
	{"trusts", do_trusts},
	{"obeys", do_obeys},
	{"heeds", do_heeds},
	{"gated", do_gated},
	{"lost", do_lost},
	{"differs", do_update},
	{"denies", do_named},
	{"silent", fake_worker_hang},
	{"nonsense", do_nonsense},
	{"endless", do_endless},
	{"report", do_endless_report},
	{"chatter", do_chatter},
	{"half", do_half},
	{"crash", do_crash},
	{"quit", do_quit},
	{"liar", do_liar},
	{"burner", do_burner},
	{"linger", do_linger},
};

/* A check: it asks for the port alone, and finds what the name of its image says, or of its rule.
 */
static inline void do_check(const struct assignment *assignment)
{
	const char *name = assignment->image ? assignment->image : assignment->board.name;

	if (assignment->action == FLASH_PROBE && strncmp(name, "dumb", 4) != 0) {
		fake_worker_name_chip();
		fake_report.sha256[0] = '\0';
	}
	if (assignment->action == FLASH_IDENTIFY)
		fake_report.sha256[0] = '\0';
	if (fake_worker_ask(QUESTION_OPEN) == ANSWER_LEAVE) {
		fake_worker_report(OUTCOME_CANCELLED, PHASE_IMAGE, 0);
	} else if (strncmp(name, "polite", 6) == 0) {
		fake_worker_wait_for_cancel();
		fake_worker_report(OUTCOME_CANCELLED, PHASE_SYNC, 0);
	} else if (strncmp(name, "busy", 4) == 0) {
		fake_worker_report(OUTCOME_PORT_BUSY, PHASE_OPEN, EBUSY);
	} else if (strncmp(name, "silent", 6) == 0) {
		fake_worker_hang();
	} else if (strncmp(name, "denies", 6) == 0) {
		fake_worker_name_chip();
		fake_worker_report(OUTCOME_VERIFY_DIFFERS, PHASE_COMPARE, 0);
	} else if (strncmp(name, "differs", 7) == 0) {
		fake_worker_report(OUTCOME_VERIFY_DIFFERS, PHASE_COMPARE, 0);
	} else if (strncmp(name, "dumb", 4) == 0) {
		fake_worker_report(OUTCOME_NO_SYNC, PHASE_SYNC, 0);
	} else if (strncmp(name, "liar", 4) == 0) {
		fake_worker_ask(QUESTION_ERASE);
	} else {
		fake_worker_report(OUTCOME_CURRENT, PHASE_LEAVE, 0);
		return;
	}
}

/* Whether it was started to choose images, as the program's second word says. */
static inline bool fake_worker_is_to_choose(void)
{
	CLEANUP(fclosep) FILE *f = fopen("/proc/self/cmdline", "re");
	char words[4200] = "";

	return f && fread(words, 1, sizeof(words) - 1, f) > 0 &&
	       strcmp(words + strlen(words) + 1, FINDING_ARGUMENT) == 0;
}

/* Chooses images; it never comes back from the rule "stuck", and ends badly at "broken". Returns
 * its exit status. */
static inline int fake_worker_choose(void)
{
	static char text[1 << 20];
	size_t n = fread(text, 1, sizeof(text) - 1, stdin);
	const char *stuck = strstr(text, "[board stuck]");
	CLEANUP(fclosep) FILE *from = fmemopen(text, stuck ? (size_t)(stuck - text) : n, "r");
	int r = from ? finding_run(from, stdout) : -errno;

	while (stuck)
		pause();
	return r == 0 ? 0 : 97;
}

/* In the test itself: says how workers are to be started. In a worker: runs it, and does not
 * return. */
static inline const char *fake_worker_main(void)
{
	CLEANUP(assignment_done) struct assignment assignment = {0};
	static char self[4096];
	struct reason reason;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		abort();
	self[n] = '\0';
	if (!getenv(FAKE_WORKER_ENV)) {
		setenv(FAKE_WORKER_ENV, "1", 1);
		signal(SIGPIPE, SIG_IGN);
		return self;
	}
	if (fake_worker_is_to_choose())
		exit(fake_worker_choose());
	setvbuf(stdin, NULL, _IONBF, 0);
	if (assignment_read(stdin, &assignment, &reason) != 0)
		exit(99);
	if (assignment.image)
		text_escape(assignment.image, fake_report.image, sizeof(fake_report.image));
	snprintf(fake_image, sizeof(fake_image), "%s/%s",
		assignment.image_dir ? assignment.image_dir : "", assignment.image);
	snprintf(fake_report.version, sizeof(fake_report.version), "%s",
		assignment.version ? assignment.version : "");
	fake_is_known = assignment.known_sha256 != NULL;
	if (assignment.action != FLASH_UPDATE) {
		do_check(&assignment);
		fflush(stdout);
		exit(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fake_behaviours); i++) {
		size_t n_name = strlen(fake_behaviours[i].name);

		if (strncmp(assignment.image, fake_behaviours[i].name, n_name) == 0 &&
			assignment.image[n_name] == '-') {
			fake_behaviours[i].run();
			fflush(stdout);
			exit(0);
		}
	}
	exit(98);
}
