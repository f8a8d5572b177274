/* SPDX-License-Identifier: MIT */
/*
 * test-trials.c - bursts on trial, as whole updates: who is asked, when they are used, what is read
 * turn by turn, and what the report says of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flash/trial.h"
#include "sim/bench.h"
#include "unit/rows.h"

#define FLASH	 UINT32_C(0x08000000)
#define N_BLOCKS 50

/* What went over the line in one phase, of the time when that was most. */
struct seen {
	unsigned writes, blocks;
};

struct watched {
	struct bench *bench;
	bool answers;
	struct trusts answer;
	unsigned n_asked;
	bool was_erased; /* when it was asked */
	struct report so_far;
	enum phase phase;
	struct seen before, in[PHASE_MAX];
};

static struct seen look(const struct watched *watched)
{
	const struct sim_counters *counters = sim_counters(watched->bench->sim);

	return (struct seen){
		port_sim_record(BENCH_PORT)->writes,
		counters->commands[0x11] + counters->commands[0x31],
	};
}

static void on_progress(void *userdata, const struct progress *progress)
{
	struct watched *watched = userdata;
	struct seen now = look(watched);

	if (progress->phase != watched->phase)
		watched->before = now;
	watched->phase = progress->phase;
	now.writes -= watched->before.writes;
	now.blocks -= watched->before.blocks;
	if (now.blocks >= watched->in[progress->phase].blocks)
		watched->in[progress->phase] = now;
}

static void answer(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct watched *watched = userdata;

	if (question != QUESTION_TRUST)
		return;
	watched->n_asked++;
	watched->was_erased = bench_erases(watched->bench) > 0;
	watched->so_far = *so_far;
	ret->has_trusts = watched->answers;
	ret->trusts = watched->answer;
}

/* Some blocks go turn by turn in any case, since they hold a command. */
static bool went_in_bursts(const struct seen *seen)
{
	assert_true(seen->blocks > N_BLOCKS / 2);
	return seen->writes < 2 * seen->blocks;
}

struct row {
	const char *name;
	enum board_use use;
	bool answers;
	enum trust answer;
	struct sim_faults faults;
	unsigned n_asked;
	bool writes_bursts, reads_bursts;
	uint8_t trial;
	unsigned entries;
};

static const struct row rows[] = {
	{"nobody answers: on trial", BOARD_USE_AUTO, false, TRUST_OFF, {0}, 1, true, false,
		TRIAL_PASSED, 1},
	{"on trial", BOARD_USE_AUTO, true, TRUST_ON_TRIAL, {0}, 1, true, false, TRIAL_PASSED, 1},
	{"trusted", BOARD_USE_AUTO, true, TRUST_FULL, {0}, 1, true, true, TRIAL_USED, 1},
	{"off for this kind", BOARD_USE_AUTO, true, TRUST_OFF, {0}, 1, false, false, TRIAL_NONE, 1},
	{"the rule says yes: the record does not count", BOARD_USE_YES, true, TRUST_OFF, {0}, 0,
		true, true, TRIAL_USED, 1},
	{"the rule says no", BOARD_USE_NO, true, TRUST_FULL, {0}, 0, false, false, TRIAL_NONE, 1},
	{"a chip that takes none", BOARD_USE_AUTO, true, TRUST_ON_TRIAL, {.slow_sent_nsec = 300000},
		1, false, false, TRIAL_NONE, 1},
	{"one that is lost behind the erase", BOARD_USE_AUTO, true, TRUST_ON_TRIAL,
		{.drop_received = 700}, 1, false, false, TRIAL_FAILED, 2},
	{"one that is lost, of a trusted kind", BOARD_USE_AUTO, true, TRUST_FULL,
		{.drop_received = 700}, 1, false, false, TRIAL_FAILED, 2},
};

static void bursts_are_used_as_far_as_they_are_trusted(void **state)
{
	static const char *const words[] = {"auto", "yes", "no"};
	const struct row *row = *state;
	const struct sim_options options = {.chip = sim_chip_find("f103xc"), .faults = row->faults};
	struct watched watched = {.answers = row->answers, .answer = {.bursts = row->answer}};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, "chip = F103xC\nbursts = %s\nstub = no", words[row->use]) > 0);
	bench = bench_new_with(&options, rule);
	watched.bench = bench;
	bench->trusts = (struct trusts){.bursts = trial_of_rule(row->use)};
	bench->asks_trust = row->use == BOARD_USE_AUTO;
	bench->ask = answer;
	bench->on_progress = on_progress;
	bench->userdata = &watched;
	bench_take_bytes(bench, FLASH, N_BLOCKS * 256, 3);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.entries, row->entries);
	assert_int_equal(watched.n_asked, row->n_asked);
	if (row->n_asked > 0) {
		assert_false(watched.was_erased);
		assert_int_equal(watched.so_far.product_id, 0x414);
		assert_int_equal(watched.so_far.bootloader_version, 0x22);
	}
	assert_int_equal(went_in_bursts(&watched.in[PHASE_WRITE]), row->writes_bursts);
	assert_int_equal(went_in_bursts(&watched.in[PHASE_VERIFY]), row->reads_bursts);
	assert_int_equal(bench->report.bursts_trial, row->trial);
	assert_int_equal(bench->report.stub_trial, TRIAL_NONE);
	bench_free(bench);
}

/* Cells that do not take a byte: bursts are not the cause, and nobody can tell that here. */
static void flash_that_differs_behind_bursts_counts_against_them(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"),
		.faults = {.stuck_address = FLASH + 0x1234},
	};
	struct bench *bench = bench_new_with(&options, "chip = F103xC\nretries = 1");
	struct watched watched = {.bench = bench};

	(void)state;
	bench->trusts = (struct trusts){.bursts = TRUST_ON_TRIAL};
	bench->on_progress = on_progress;
	bench->userdata = &watched;
	bench_take_bytes(bench, FLASH, N_BLOCKS * 256, 3);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(bench->report.entries, 2);
	assert_int_equal(bench->report.bursts_trial, TRIAL_FAILED);
	/* The second pass went without. */
	assert_false(went_in_bursts(&watched.in[PHASE_WRITE]));
	bench_free(bench);
}

/* A unit that is current was read alone: that proves nothing of a write. */
static void a_unit_that_is_current_is_no_trial(void **state)
{
	struct bench *bench = bench_new("f103xc", "chip = F103xC");
	struct watched watched = {.bench = bench};

	(void)state;
	bench->trusts = (struct trusts){.bursts = TRUST_ON_TRIAL};
	bench->on_progress = on_progress;
	bench->userdata = &watched;
	bench_take_bytes(bench, FLASH, N_BLOCKS * 256, 3);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.bursts_trial, TRIAL_NONE);
	assert_true(went_in_bursts(&watched.in[PHASE_COMPARE]));
	bench_free(bench);
}

/* A check asks as well, so that what is off stays off. */
static void a_verify_asks_how_fast_it_may_read(void **state)
{
	struct bench *bench = bench_new("f103xc", "chip = F103xC");
	struct watched watched = {
		.bench = bench, .answers = true, .answer = {TRUST_OFF, TRUST_OFF}};

	(void)state;
	bench->trusts = (struct trusts){.bursts = TRUST_ON_TRIAL};
	bench->asks_trust = true;
	bench->ask = answer;
	bench->on_progress = on_progress;
	bench->userdata = &watched;
	bench_take_bytes(bench, FLASH, N_BLOCKS * 256, 3);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
	assert_int_equal(watched.n_asked, 1);
	assert_false(went_in_bursts(&watched.in[PHASE_COMPARE]));
	bench_free(bench);
}

/* ---------------------------------------------------------------------------- on the pipe */

static void the_answer_crosses_the_pipe(void **state)
{
	static const char *const bad[] = {"trust", "trust ", "trust full", "trust full ",
		"trust full maybe", "trust  full", "trust full off off",
		"trust offffffffffffffff off"};
	struct answer to = {0};

	(void)state;
	for (enum trust stub = 0; stub < TRUST_MAX; stub++)
		for (enum trust bursts = 0; bursts < TRUST_MAX; bursts++) {
			const struct answer given = {
				.word = ANSWER_GO, .has_trusts = true, .trusts = {stub, bursts}};
			CLEANUP(freep) char *text = NULL;
			size_t n_text;
			FILE *pipe = open_memstream(&text, &n_text);
			char *line, *rest;

			assert_non_null(pipe);
			assert_int_equal(answer_write(&given, pipe), 0);
			assert_int_equal(fclose(pipe), 0);
			to = (struct answer){0};
			rest = text;
			line = strsep(&rest, "\n");
			assert_int_equal(answer_read_line(&to, line), ANSWER_LINE_PART);
			assert_int_equal(
				answer_read_line(&to, strsep(&rest, "\n")), ANSWER_LINE_END);
			assert_true(to.has_trusts);
			assert_int_equal(to.trusts.stub, stub);
			assert_int_equal(to.trusts.bursts, bursts);
		}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		to = (struct answer){0};
		assert_int_equal(answer_read_line(&to, bad[i]), ANSWER_LINE_UNKNOWN);
		assert_false(to.has_trusts);
	}
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, bursts_are_used_as_far_as_they_are_trusted);
	ADD_TEST(tests, n_tests, flash_that_differs_behind_bursts_counts_against_them);
	ADD_TEST(tests, n_tests, a_unit_that_is_current_is_no_trial);
	ADD_TEST(tests, n_tests, a_verify_asks_how_fast_it_may_read);
	ADD_TEST(tests, n_tests, the_answer_crosses_the_pipe);
	return RUN_TESTS("trials", tests, n_tests);
}
