/* SPDX-License-Identifier: MIT */
/*
 * stub-test.c - the verb: tries the program in the RAM on one board, again and again, and prints
 * what came of it as a table to send in.
 *
 * Each update writes the whole image, whatever the chip holds, and is proved twice: by the
 * program's sums, and after a reset by a complete read-back through the ROM. One half is done at
 * 115200, where the ROM is at home, the other at the highest rate that chip, bridge and program
 * find. It goes on after a failure, since how often is what matters, but not after several in a
 * row: then something else is wrong.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/names.h"
#include "base/outcome.h"
#include "base/parse.h"
#include "base/util.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/stub-table.h"
#include "cli/summary.h"
#include "cli/units.h"
#include "cli/work.h"
#include "loader/loader.h"

#define STUB_TRAIN_BAUD 115200
#define COUNT_USUAL	20
#define COUNT_MOST	1000
#define FAILURES_MOST	3

static const char verb[] = "stub-test";

static bool read_count(const struct options *options, uint32_t *ret)
{
	*ret = COUNT_USUAL;
	if (!options->count ||
		(parse_u32(options->count, ret) == 0 && *ret > 0 && *ret <= COUNT_MOST))
		return true;
	fprintf(stderr, "plugflash %s: --count: expected a number from 1 to %u\n", verb,
		COUNT_MOST);
	return false;
}

/* 0, or the exit code after a sentence. */
static int ask(const struct session *session, const struct options *options, uint32_t n_wanted)
{
	const struct assignment *assignment = &session->assignment;
	char port[64], rule[TEXT_MAX], image[TEXT_MAX], sentence[3 * TEXT_MAX];
	int code;

	units_port(assignment->port, port, sizeof(port));
	if (!loader_of(assignment->board.protocol)->has_trials) {
		fprintf(stderr,
			"plugflash %s: %s: the rule is for another boot loader than that of an STM32, and only that one has such a program\n",
			verb, port);
		return EXIT_USAGE;
	}
	snprintf(sentence, sizeof(sentence),
		"the board behind %s (%s) is erased and written with '%s' %" PRIu32
		" times, and what it holds is lost",
		port, text_escape(assignment->board.name, rule, sizeof(rule)),
		text_escape(assignment->image, image, sizeof(image)), STUB_STAGE_MAX * n_wanted);
	return ask_yes(options, verb, sentence, &code) ? 0 : code;
}

/* ------------------------------------------------------------------------------- the updates */

/* In front of what became of the program, which says itself where it was not used. */
static const char *result_of(const struct report *report)
{
	if (report->outcome == OUTCOME_UPDATED && report->stub_trial == TRIAL_PASSED)
		return "passed: ";
	if (report->stub_trial != TRIAL_NONE)
		return "failed: ";
	return *report->stub ? "" : "the program was not tried";
}

/* Whether another update is worth its time. */
static bool run_once(
	struct work *work, struct stub_table *table, enum stub_stage stage, unsigned *failures)
{
	struct session *session = &work->session;
	const struct report *report = &session->report;
	const struct stub_stage_tally *tally = &table->stages[stage];
	char port[64], seconds[32], stub[TEXT_MAX];
	uint32_t n_passed = tally->n_passed;

	session_run(session);
	stub_table_add(table, stage, report);
	fprintf(stderr, "%s: update %" PRIu32 ": %s%s%s%s, in %s\n",
		units_port(session->assignment.port, port, sizeof(port)), tally->n_runs,
		result_of(report), text_escape(report->stub, stub, sizeof(stub)),
		*report->reason.text ? "; " : "", report->reason.text,
		units_seconds(report->duration_ms, seconds, sizeof(seconds)));
	*failures = tally->n_passed > n_passed ? 0 : *failures + 1;
	return *failures < FAILURES_MOST && !session->was_asked_to_end;
}

static void run_stages(struct work *work, uint32_t n_wanted, struct stub_table *table)
{
	const struct options *options = work->session.options;
	struct board *board = &work->session.assignment.board;
	const struct baud_list own = board->baud;
	uint32_t slow = STUB_TRAIN_BAUD;
	unsigned failures = 0;
	bool goes_on = true;

	board->update = BOARD_UPDATE_ALWAYS;
	for (enum stub_stage stage = 0; goes_on && stage < STUB_STAGE_MAX; stage++) {
		/* The rule's rates are for the ROM; those of --baud are meant. */
		bool is_bounded = stage == STUB_STAGE_FAST && options->baud;

		board->baud = is_bounded ? own : (struct baud_list){&slow, 1};
		board->says_baud = is_bounded || stage == STUB_STAGE_SLOW;
		for (uint32_t i = 0; goes_on && i < n_wanted; i++)
			goes_on = run_once(work, table, stage, &failures);
	}
	board->baud = own;
}

static int tell(const struct work *work, const struct stub_table *table, uint32_t n_wanted)
{
	struct utsname host = {0};

	(void)uname(&host);
	if (work->session.options->json) {
		if (json_print(stub_table_json(table, n_wanted, PLUGFLASH_VERSION, host.release),
			    stdout) < 0)
			return outcome_to_exit_code(OUTCOME_FAILED);
	} else {
		stub_table_print(table, n_wanted, PLUGFLASH_VERSION, host.release, stdout);
	}
	return outcome_to_exit_code(
		stub_table_is_good(table, n_wanted) ? OUTCOME_UPDATED : OUTCOME_FAILED);
}

static int test(const struct options *options, uint32_t n_wanted)
{
	struct options here = *options;
	CLEANUP(work_done) struct work work;
	struct stub_table table = {0};
	int code;

	/* The service does what its rules say, and no trials by hand. */
	here.direct = true;
	if (!work_open(verb, &here, FLASH_UPDATE, &work))
		return summary_tell(&work.session, stdout);
	code = ask(&work.session, options, n_wanted);
	if (code != 0)
		return code;
	if (!work_take(&work))
		return summary_tell(&work.session, stdout);
	work.session.assignment.is_trial = true;
	text_escape(work.session.bridge.product, table.bridge, sizeof(table.bridge));
	run_stages(&work, n_wanted, &table);
	return tell(&work, &table, n_wanted);
}

int verb_stub_test(const struct options *options)
{
	uint32_t n_wanted;

	return read_count(options, &n_wanted) ? test(options, n_wanted) : EXIT_USAGE;
}
