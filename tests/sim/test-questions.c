/* SPDX-License-Identifier: MIT */
/* What the procedure asks whoever remembers the unit, and what it does on each answer. */
#include "api/report-lines.h"
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define RULE	   "chip = F103xC"
#define FLASH_BASE UINT32_C(0x08000000)
#define SHA256	   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Somebody who answers, and notes what was asked and how the board stood then. */
struct memory {
	struct bench *bench;
	enum answer_word answers[QUESTION_MAX];
	enum outcome outcome;
	unsigned n_asked[QUESTION_MAX];
	enum question order[32];
	size_t n_order;
	char unit[25];
	unsigned n_erased_before; /* erases when QUESTION_ERASE came first */
};

static void answer(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct memory *memory = userdata;

	if (memory->n_asked[question]++ == 0 && question == QUESTION_ERASE)
		memory->n_erased_before = bench_erases(memory->bench);
	assert_true(memory->n_order < ARRAY_SIZE(memory->order));
	memory->order[memory->n_order++] = question;
	if (question == QUESTION_DECIDE)
		snprintf(memory->unit, sizeof(memory->unit), "%s", so_far->unit);
	ret->word = memory->answers[question];
	ret->outcome = memory->outcome;
	reason_set(&ret->reason, "it was said so");
}

/* A board that holds the old firmware and is to get the new one, with somebody to ask. */
static struct bench *remembered_board(struct memory *memory, const struct sim_faults *faults)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"),
		.faults = faults ? *faults : (struct sim_faults){0},
	};
	struct bench *bench = bench_new_with(&options, RULE);

	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	bench_take_file(bench, FIRMWARE_NEW);
	bench->ask = answer;
	bench->userdata = memory;
	bench->seed = 1;
	memory->bench = bench;
	return bench;
}

static void the_questions_come_in_order_and_each_once(void **state)
{
	static const enum question order[] = {QUESTION_OPEN, QUESTION_DECIDE, QUESTION_ERASE};
	struct memory memory = {0};
	struct bench *bench = remembered_board(&memory, NULL);

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(memory.n_order, ARRAY_SIZE(order));
	assert_memory_equal(memory.order, order, sizeof(order));
	assert_string_equal(memory.unit, bench->report.unit);
	assert_int_equal(strlen(memory.unit), 24);
	assert_int_equal(memory.n_erased_before, 0);
	bench_free(bench);
}

static void a_job_that_changes_nothing_asks_for_the_port_alone(void **state)
{
	struct memory memory = {0};
	struct bench *bench = remembered_board(&memory, NULL);

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(memory.n_order, 1);
	assert_int_equal(memory.order[0], QUESTION_OPEN);
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	assert_int_equal(memory.n_order, 2);
	assert_int_equal(memory.order[1], QUESTION_OPEN);
	bench_free(bench);
}

static const struct leave_row {
	const char *name;
	enum question question;
	enum outcome outcome;
	unsigned rom_entries;
} leave_rows[] = {
	{"before the port is opened", QUESTION_OPEN, OUTCOME_QUARANTINED, 0},
	{"once the unit is known", QUESTION_DECIDE, OUTCOME_QUARANTINED, 1},
	{"once the unit is known, and all is well", QUESTION_DECIDE, OUTCOME_CURRENT, 1},
	{"fault 24: before the erase", QUESTION_ERASE, OUTCOME_FAILED, 1},
};

static void an_answer_can_leave_the_unit_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leave_rows); i++) {
		const struct leave_row *row = &leave_rows[i];
		struct memory memory = {.outcome = row->outcome};
		struct bench *bench = remembered_board(&memory, NULL);

		memory.answers[row->question] = ANSWER_LEAVE;
		if (bench_run(bench, FLASH_UPDATE) != row->outcome)
			fail_msg("%s: %s", row->name, outcome_to_string(bench->report.outcome));
		assert_string_equal(bench->report.reason.text, "it was said so");
		assert_int_equal(memory.n_asked[row->question], 1);
		assert_int_equal(bench_erases(bench), 0);
		assert_int_equal(sim_counters(bench->sim)->rom_entries, row->rom_entries);
		assert_int_equal(port_sim_record(BENCH_PORT)->opens, row->rom_entries);
		bench_free(bench);
	}
}

static void a_unit_that_must_be_written_is_not_read_first(void **state)
{
	struct memory memory = {.answers = {[QUESTION_DECIDE] = ANSWER_WRITE}};
	struct bench *bench = remembered_board(&memory, NULL);

	(void)state;
	/* It would be found whole. */
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_erases(bench) > 0);
	assert_int_equal(bench->report.phase_ms[PHASE_COMPARE], 0);
	bench_free(bench);
}

static void the_decision_holds_for_the_retries(void **state)
{
	const struct sim_faults faults = {.hang_code = 0x31, .hang_nth = 5};
	struct memory memory = {.answers = {[QUESTION_DECIDE] = ANSWER_WRITE}};
	struct bench *bench = remembered_board(&memory, &faults);

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(bench->report.entries, 2);
	assert_int_equal(memory.n_asked[QUESTION_DECIDE], 1);
	/* It was erased, and that is on record: there is nothing left to ask. */
	assert_int_equal(memory.n_asked[QUESTION_ERASE], 1);
	bench_free(bench);
}

/* Taking the protection away wipes the chip, so it is an erase like others. */
static void fault_16_the_question_comes_before_the_protection_is_taken_away(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"), .faults = {.protect = true}};
	struct memory memory = {
		.answers = {[QUESTION_ERASE] = ANSWER_LEAVE}, .outcome = OUTCOME_FAILED};
	struct bench *bench = bench_new_with(&options, RULE "\nreadout-protection = clear");

	(void)state;
	bench_take_file(bench, FIRMWARE_NEW);
	bench->ask = answer;
	bench->userdata = &memory;
	memory.bench = bench;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_int_equal(bench_erases(bench), 0);
	memory.answers[QUESTION_ERASE] = ANSWER_GO;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	bench_free(bench);
}

/* --------------------------------------------------------------------- the fingerprint */

#define LARGE_SIZE (64 * 1024)

/* A board that holds 64 KiB, found so by reading all of it or by its fingerprint. */
static struct bench *large_board(struct memory *memory, enum answer_word word)
{
	struct bench *bench = bench_new("f103xc", RULE);

	memory->answers[QUESTION_DECIDE] = word;
	bench_take_bytes(bench, FLASH_BASE, LARGE_SIZE, 3);
	bench_preload(bench);
	bench->ask = answer;
	bench->userdata = memory;
	bench->seed = 1;
	memory->bench = bench;
	return bench;
}

static uint64_t compare_msec(enum answer_word word, uint64_t *ret_bytes)
{
	struct memory memory = {0};
	struct bench *bench = large_board(&memory, word);
	uint64_t msec;

	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(bench_erases(bench), 0);
	*ret_bytes = bench->report.bytes;
	msec = bench_msec(bench);
	bench_free(bench);
	return msec;
}

static void fault_47_a_known_unit_is_current_by_a_few_blocks(void **state)
{
	uint64_t all_bytes, few_bytes;
	uint64_t all = compare_msec(ANSWER_COMPARE, &all_bytes);
	uint64_t few = compare_msec(ANSWER_FINGERPRINT, &few_bytes);

	(void)state;
	assert_int_equal(all_bytes, LARGE_SIZE);
	assert_int_equal(few_bytes, 10 * 256);
	assert_true(few < all / 4);
	print_message("# figure: 64 KiB found current at 115200 baud: in full %llu ms, by "
		      "fingerprint %llu ms\n",
		(unsigned long long)all, (unsigned long long)few);
}

static bool finds(uint32_t offset, uint64_t seed)
{
	struct memory memory = {0};
	struct bench *bench = large_board(&memory, ANSWER_FINGERPRINT);
	enum outcome outcome;

	bench->seed = seed;
	sim_flash(bench->sim)[offset] ^= 1;
	outcome = bench_run(bench, FLASH_UPDATE);
	assert_int_equal(bench_holds_image(bench), outcome == OUTCOME_UPDATED);
	bench_free(bench);
	return outcome == OUTCOME_UPDATED;
}

static void the_edges_are_always_in_the_fingerprint(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		assert_true(finds(0, seed));
		assert_true(finds(255, seed));
		assert_true(finds(LARGE_SIZE - 1, seed));
	}
}

/* A byte in the middle is in 8 of 254 blocks: found soon, and not each time. */
static void other_seeds_look_at_other_blocks(void **state)
{
	unsigned n_found = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++)
		n_found += finds(LARGE_SIZE / 2, seed * UINT64_C(0x9E3779B97F4A7C15));
	assert_in_range(n_found, 1, 30);
}

static void a_small_image_is_read_whole(void **state)
{
	struct memory memory = {.answers = {[QUESTION_DECIDE] = ANSWER_FINGERPRINT}};
	struct bench *bench = remembered_board(&memory, NULL);

	(void)state;
	bench_take_bytes(bench, FLASH_BASE, 10 * 256, 3);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.bytes, 10 * 256);
	bench_take_bytes(bench, FLASH_BASE, 260, 3);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	bench_free(bench);
}

/* ------------------------------------------------------------------------------- words */

static enum question question_of(char *text)
{
	struct report report = {.outcome = OUTCOME_UPDATED};
	struct progress progress;
	enum question question = QUESTION_MAX;
	char *line;

	while ((line = strsep(&text, "\n")) && !question_read(line, &question))
		assert_int_equal(report_read_line(&report, &progress, line), REPORT_LINE_FIELD);
	assert_string_equal(report.sha256, SHA256);
	assert_int_equal(report.outcome, OUTCOME_FAILED);
	return question;
}

static void questions_are_read_as_they_were_written(void **state)
{
	const struct report report = {.outcome = OUTCOME_UPDATED, .sha256 = SHA256};

	(void)state;
	for (enum question question = 0; question < QUESTION_MAX; question++) {
		CLEANUP(freep) char *text = NULL;
		size_t n_text;
		FILE *to = open_memstream(&text, &n_text);

		assert_int_equal(question_write(question, &report, to), 0);
		fclose(to);
		assert_int_equal(question_of(text), question);
	}
}

static void answers_are_read_as_they_were_written(void **state)
{
	(void)state;
	for (enum answer_word word = 0; word < ANSWER_MAX; word++) {
		struct answer given = {.word = word, .outcome = OUTCOME_QUARANTINED}, taken = {0};
		CLEANUP(freep) char *text = NULL;
		char *rest, *line;
		size_t n_text;
		FILE *to = open_memstream(&text, &n_text);
		int r = ANSWER_LINE_PART;

		reason_set(&given.reason, "first\nanswer go");
		given.n_data = word == ANSWER_GO ? 0 : sizeof(given.data);
		for (size_t i = 0; i < given.n_data; i++)
			given.data[i] = (uint8_t)(3 * i);
		snprintf(given.kept, sizeof(given.kept), "%s", word == ANSWER_GO ? "" : "00ff4b12");
		assert_int_equal(answer_write(&given, to), 0);
		fclose(to);
		for (rest = text; r == ANSWER_LINE_PART && (line = strsep(&rest, "\n"));)
			r = answer_read_line(&taken, line);
		assert_int_equal(r, ANSWER_LINE_END);
		assert_int_equal(taken.word, word);
		assert_int_equal(taken.n_data, given.n_data);
		assert_memory_equal(taken.data, given.data, sizeof(given.data));
		assert_string_equal(taken.kept, given.kept);
		if (word != ANSWER_LEAVE)
			continue;
		assert_int_equal(taken.outcome, OUTCOME_QUARANTINED);
		assert_string_equal(taken.reason.text, given.reason.text);
	}
}

static void what_is_no_question_and_no_answer_is_refused(void **state)
{
	static const char *const lines[] = {"", "ask", "ask ", "ask erase ", "ask Erase", "erase",
		"answer", "answer ", "answer maybe", "cancel", "end", "progress write 1 2",
		"reason \\x0", "data", "data ", "data 0", "data 0g", "data 00 ", "data FF"};
	enum question question;
	struct answer answer_to;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_false(question_read(lines[i], &question));
		answer_to = (struct answer){0};
		assert_int_equal(answer_read_line(&answer_to, lines[i]), ANSWER_LINE_UNKNOWN);
	}
}

static void more_data_than_a_unit_may_have_is_refused(void **state)
{
	struct answer answer_to = {0};
	char line[5 + 2 * PROVISION_MOST + 3];

	(void)state;
	snprintf(line, sizeof(line), "data ");
	memset(line + 5, '0', 2 * PROVISION_MOST + 2);
	line[5 + 2 * PROVISION_MOST + 2] = '\0';
	assert_int_equal(answer_read_line(&answer_to, line), ANSWER_LINE_UNKNOWN);
	line[5 + 2 * PROVISION_MOST] = '\0';
	assert_int_equal(answer_read_line(&answer_to, line), ANSWER_LINE_PART);
	assert_int_equal(answer_to.n_data, PROVISION_MOST);
}

static void what_a_unit_had_is_digits_and_no_longer_than_a_report_has_it(void **state)
{
	char line[sizeof("before ") + REPORT_KEPT_MAX];
	struct answer answer_to = {0};

	(void)state;
	snprintf(line, sizeof(line), "before %0*d", REPORT_KEPT_MAX, 0);
	assert_int_equal(answer_read_line(&answer_to, line), ANSWER_LINE_UNKNOWN);
	snprintf(line, sizeof(line), "before %0*d", REPORT_KEPT_MAX - 1, 0);
	assert_int_equal(answer_read_line(&answer_to, line), ANSWER_LINE_PART);
	assert_int_equal(strlen(answer_to.kept), REPORT_KEPT_MAX - 1);
	assert_int_equal(answer_read_line(&answer_to, "before 0G"), ANSWER_LINE_UNKNOWN);
	assert_int_equal(answer_read_line(&answer_to, "before "), ANSWER_LINE_UNKNOWN);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_a_unit_had_is_digits_and_no_longer_than_a_report_has_it),
	cmocka_unit_test(the_questions_come_in_order_and_each_once),
	cmocka_unit_test(a_job_that_changes_nothing_asks_for_the_port_alone),
	cmocka_unit_test(an_answer_can_leave_the_unit_alone),
	cmocka_unit_test(a_unit_that_must_be_written_is_not_read_first),
	cmocka_unit_test(the_decision_holds_for_the_retries),
	cmocka_unit_test(fault_16_the_question_comes_before_the_protection_is_taken_away),
	cmocka_unit_test(fault_47_a_known_unit_is_current_by_a_few_blocks),
	cmocka_unit_test(the_edges_are_always_in_the_fingerprint),
	cmocka_unit_test(other_seeds_look_at_other_blocks),
	cmocka_unit_test(a_small_image_is_read_whole),
	cmocka_unit_test(questions_are_read_as_they_were_written),
	cmocka_unit_test(answers_are_read_as_they_were_written),
	cmocka_unit_test(more_data_than_a_unit_may_have_is_refused),
	cmocka_unit_test(what_is_no_question_and_no_answer_is_refused),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
