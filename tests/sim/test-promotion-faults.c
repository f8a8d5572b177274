/* SPDX-License-Identifier: MIT */
/*
 * test-promotion-faults.c - whole jobs in which the program in the RAM of an STM32 fails: it falls
 * silent, lies, erases what it should not; or the power goes. In the end the unit is as it would be
 * without the program, and the report says what became of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "promotion-bench.h"
#include "stub/protocol.h"
#include "unit/rows.h"

static bool starts_nothing(const struct bench *bench)
{
	for (size_t i = 0; i < 8; i++)
		if (sim_flash(bench->sim)[i] != 0xFF)
			return false;
	return true;
}

/* ------------------------------------------------------------------ cut off */

/* The old image, the new one, or nothing that a chip would start. */
static void assert_whole_or_blank(const struct bench *bench, const uint8_t *old, size_t size)
{
	assert_true(memcmp(sim_flash(bench->sim), old, size) == 0 || bench_holds_image(bench) ||
		    starts_nothing(bench));
}

/* Each n-th byte of the line, and each after which the chip has something to do. */
static void cut_anywhere(bool is_power)
{
	enum { SIZE = 12 * KIB, STEP = 61 };
	CLEANUP(freep) uint8_t *old = malloc(SIZE);
	unsigned n_cuts = 0;
	bool is_over = false;

	assert_non_null(old);
	for (uint64_t at = 1; !is_over; at += STEP) {
		struct bench *bench =
			promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, NULL);
		struct sim_faults faults = {0};
		enum outcome outcome;

		bench_take_bytes(bench, PROMOTION_BASE, SIZE, 1);
		bench_preload(bench);
		memcpy(old, sim_flash(bench->sim), SIZE);
		bench_take_bytes(bench, PROMOTION_BASE, SIZE, 2);
		if (is_power)
			faults.power_cut_received = at;
		else
			faults.vanish_received = at;
		sim_set_faults(bench->sim, &faults);
		outcome = bench_run(bench, FLASH_UPDATE);
		is_over = outcome == OUTCOME_UPDATED;
		n_cuts += !is_over;
		assert_whole_or_blank(bench, old, SIZE);
		port_sim_replug(BENCH_PORT);
		sim_set_faults(bench->sim, &(struct sim_faults){0});
		if (is_power)
			sim_power(bench->sim, port_sim_now_nsec(BENCH_PORT));
		outcome = bench_run(bench, FLASH_UPDATE);
		assert_true(outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT);
		assert_true(bench_holds_image(bench));
		bench_free(bench);
	}
	print_message("# figure: %s after %u different bytes, each repaired\n",
		is_power ? "power cut" : "unplugged", n_cuts);
	assert_true(n_cuts > 100);
}

static void stub_check_08_unplugged_anywhere_it_is_repaired(void **state)
{
	(void)state;
	cut_anywhere(false);
}

static void stub_check_08_without_power_anywhere_it_is_repaired(void **state)
{
	(void)state;
	cut_anywhere(true);
}

/* ------------------------------------------------------------------ silence */

struct hang_row {
	const char *name;
	int type;
	unsigned nth;
	bool is_reset; /* in the place of silence, as by a fault */
	const char *said;
};

#define BEFORE "given up before the erase: "
#define BEHIND "given up behind the erase: "

static const struct hang_row hang_rows[] = {
	{"stub_check_09_silent_at_hello", STUB_HELLO, 1, false, "not used: "},
	{"stub_check_09_silent_at_the_second_hello", STUB_HELLO, 2, false, "not used: "},
	{"stub_check_09_silent_at_a_new_rate", STUB_LINK, 1, false, "not used: "},
	{"stub_check_09_silent_at_the_echo", STUB_ECHO, 1, false, "not used: "},
	{"stub_check_09_silent_at_the_first_read", STUB_READ, 1, false, "not used: "},
	{"stub_check_09_silent_at_the_first_sums", STUB_SUM, 1, false, BEFORE},
	{"stub_check_09_silent_at_the_second_sums", STUB_SUM, 2, false, BEFORE},
	{"stub_check_09_silent_at_the_first_erase", STUB_ERASE, 1, false, BEHIND},
	{"stub_check_09_silent_at_a_later_erase", STUB_ERASE, 5, false, BEHIND},
	{"stub_check_09_silent_at_the_first_data", STUB_DATA, 1, false, BEHIND},
	{"stub_check_09_silent_at_later_data", STUB_DATA, 20, false, BEHIND},
	{"stub_check_09_silent_at_the_last_sums", STUB_SUM, 6, false, BEHIND},
	{"stub_check_09_reset_at_the_first_sums", STUB_SUM, 1, true, BEFORE},
	{"stub_check_09_reset_at_the_first_erase", STUB_ERASE, 1, true, BEHIND},
	{"stub_check_09_reset_at_later_data", STUB_DATA, 20, true, BEHIND},
};

static void it_falls_silent(void **state)
{
	const struct hang_row *row = *state;
	const struct sim_faults faults = {.stub = {.hang_type = row->type,
						  .hang_nth = row->nth,
						  .hang_resets = row->is_reset}};
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, &faults);
	struct report *report = &bench->report;
	bool is_behind = strcmp(row->said, BEHIND) == 0;

	memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	for (size_t i = 64 * KIB; i < 256 * KIB; i++)
		assert_int_equal(sim_flash(bench->sim)[i], 0x5A);
	assert_int_equal(report->proof, PROOF_READ_BACK);
	assert_int_equal(report->entries, 2);
	assert_memory_equal(report->stub, row->said, strlen(row->said));
	assert_true(strlen(report->stub) > strlen(row->said));
	assert_int_equal(report->stub_trial, is_behind ? TRIAL_FAILED : TRIAL_NONE);
	assert_int_equal(sim_counters(bench->sim)->program_starts, 1);
	bench_free(bench);
}

/* Sums of flash that is there: a controller that stays busy is what a stub says that of. */
static void refuse_sums(void *userdata, uint8_t *answer, size_t n_answer)
{
	(void)userdata;
	(void)n_answer;
	if (answer[0] == (STUB_SUM | STUB_ANSWER))
		answer[3] = STUB_RANGE;
}

static void sums_that_it_refuses_are_read_by_the_rom(void **state)
{
	const struct sim_faults faults = {.stub = {.bend = refuse_sums}};
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, &faults);

	(void)state;
	memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_true(is_said(bench, BEFORE));
	bench_free(bench);
}

static void answer_late(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	(void)userdata;
	(void)so_far;
	*ret = (struct answer){.word = ANSWER_GO};
	if (question == QUESTION_ERASE)
		port_sim_pass(BENCH_PORT, 20 * USEC_PER_SEC);
}

/* The program resets the chip where it hears nothing for 10 s: that is no fault of it. */
static void an_erase_that_is_granted_late_turns_nothing_off(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, NULL);

	(void)state;
	bench->ask = answer_late;
	memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.entries, 2);
	assert_true(is_said(bench, BEFORE));
	assert_int_equal(bench->report.stub_trial, TRIAL_NONE);
	bench_free(bench);
}

static uint64_t time_of(const char *rule, const struct sim_faults *faults, enum trust trust)
{
	struct bench *bench = promotion_new("f103xc", "f1", rule, SIM_PROGRAM_PEER, faults);
	uint64_t msec;

	bench->trusts.stub = trust;
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	msec = bench_msec(bench);
	bench_free(bench);
	return msec;
}

/* The figure: what a board pays whose RAM takes the program, which never says anything. */
static void one_that_never_answers_costs_little(void **state)
{
	const struct sim_faults faults = {.stub = {.silent = true}};
	uint64_t without = time_of(PROMOTION_RULE "stub = no\n", NULL, TRUST_OFF);
	uint64_t with = time_of(PROMOTION_RULE "stub = yes\n", &faults, TRUST_FULL);

	(void)state;
	print_message("# figure: 64 KiB, F103xC, 115200: by the ROM %.2f s, behind a program that "
		      "never answers %.2f s (%.3f)\n",
		(double)without / 1000, (double)with / 1000, (double)with / (double)without);
	assert_in_range(with, without, without * 115 / 100);
}

/* ------------------------------------------------------------------ what the chip refuses */

static void stub_check_10_a_protected_page_is_named(void **state)
{
	static const struct {
		uint32_t at;
		unsigned n_erased;
	} rows[] = {{0, 0}, {16 * KIB, 1 + 7}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {
			.stub = {.protected_start = PROMOTION_BASE + rows[i].at,
				.protected_size = 2 * KIB}};
		struct bench *bench =
			promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, &faults);
		char named[32];

		memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
		bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
		assert_int_not_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		snprintf(named, sizeof(named), "0x%08x", PROMOTION_BASE + rows[i].at);
		assert_non_null(strstr(bench->report.reason.text, named));
		assert_non_null(strstr(bench->report.reason.text, "write-protected"));
		assert_int_equal(sim_counters(bench->sim)->pages_erased, rows[i].n_erased);
		/* Nobody else would be heard: the ROM would acknowledge, and do nothing. */
		assert_int_equal(bench->report.entries, 1);
		assert_int_equal(bench->report.stub_trial, TRIAL_NONE);
		bench_free(bench);
	}
}

static void stub_check_10_protected_flash_gets_no_program(void **state)
{
	const struct sim_faults faults = {.protect = true};
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, &faults);

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_PROTECTED);
	assert_int_equal(sim_counters(bench->sim)->commands[ROM_WRITE_MEMORY], 0);
	assert_int_equal(sim_counters(bench->sim)->program_starts, 0);
	assert_string_equal(bench->report.stub, "");
	bench_free(bench);
}

/* ------------------------------------------------------------------ what must not change */

static void stub_check_12_a_wrong_page_is_no_update(void **state)
{
	const struct sim_faults faults = {.stub = {.wrong_page = 16}};
	struct bench *bench = promotion_new(
		"f103xc", "f1", PROMOTION_ONCE "keep = 0x08008000+2K\n", SIM_PROGRAM_PEER, &faults);

	(void)state;
	memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
	/* The last of its pages is the sixteenth, and the one behind it is to be kept. */
	bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_non_null(strstr(bench->report.reason.text, "0x08008000"));
	assert_int_equal(bench->report.stub_trial, TRIAL_FAILED);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	/* The program was stopped by a page that is not blank; the ROM has looked. */
	assert_true(is_said(bench, BEHIND));
	bench_free(bench);
}

struct accomplice {
	struct bench *bench;
	unsigned n_erases;
};

/* The erase of the last page takes the one behind it as well, as where pages are twice as long. */
static void take_two_pages(void *userdata, uint8_t *answer, size_t n_answer)
{
	struct accomplice *accomplice = userdata;

	(void)n_answer;
	if (answer[0] == (STUB_ERASE | STUB_ANSWER) && ++accomplice->n_erases == 16)
		memset(sim_flash(accomplice->bench->sim) + 32 * KIB, 0xFF, 2 * KIB);
}

/* The image may all be there as the program falls silent: then it is the ROM that finds it so. */
static void a_page_too_many_is_no_update_whoever_finds_the_image_there(void **state)
{
	struct accomplice accomplice = {0};
	struct sim_faults faults = {.stub = {.hang_type = STUB_SUM,
					    .hang_nth = 2,
					    .bend = take_two_pages,
					    .userdata = &accomplice}};
	unsigned n_lost = 0, n_entries;

	(void)state;
	do {
		struct bench *bench =
			promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, &faults);

		accomplice = (struct accomplice){.bench = bench};
		memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
		bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
		(void)bench_run(bench, FLASH_UPDATE);
		if (accomplice.n_erases >= 16) {
			n_lost++;
			assert_int_equal(bench->report.outcome, OUTCOME_FAILED);
			assert_non_null(strstr(bench->report.reason.text, "0x08008000"));
			assert_int_equal(bench->report.proof, PROOF_NONE);
		}
		/* The last one: it is asked less often than it could fall silent. */
		n_entries = bench->report.entries;
		bench_free(bench);
		faults.stub.hang_nth++;
	} while (n_entries > 1);
	assert_in_range(n_lost, 2, 20);
}

/* What takes long is to see, by the ROM, that the rest of a large flash is as it was. */
static void a_small_image_in_a_large_flash_has_the_time_for_that(void **state)
{
	const struct sim_faults faults = {.stub = {.hang_type = STUB_DATA, .hang_nth = 4}};
	struct bench *bench = promotion_new("g474", "g47",
		"chip = 0x469\nretries = 0\nbaud = 38400\n", SIM_PROGRAM_PEER, &faults);

	(void)state;
	memset(sim_flash(bench->sim), 0x5A, 512 * KIB);
	bench_take_bytes(bench, PROMOTION_BASE, 12 * KIB, 1);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_true(is_said(bench, BEHIND));
	assert_int_equal(bench->report.entries, 2);
	bench_free(bench);
}

/* ------------------------------------------------------------------ two proofs that disagree */

struct lie_row {
	const char *name;
	struct sim_stub_faults faults;
	enum trust trust;
	enum trial trial;
};

static const struct lie_row lie_rows[] = {
	{"a frame that is not programmed", {.unwritten = 9}, TRUST_FULL, TRIAL_FAILED},
	{"the first unit is not programmed", {.unwritten = 1}, TRUST_FULL, TRIAL_FAILED},
};

static void what_it_does_wrong_the_rom_does_right(void **state)
{
	const struct lie_row *row = *state;
	const struct sim_faults faults = {.stub = row->faults};
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, &faults);

	bench->trusts.stub = row->trust;
	memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	assert_int_equal(bench->report.stub_trial, row->trial);
	assert_true(is_said(bench, BEHIND));
	bench_free(bench);
}

/* The flash shows what was written until the next reset, and loses it then: nothing that the
 * program says could show that. */
static void only_the_second_proof_sees_a_flash_that_forgets(void **state)
{
	const struct sim_faults faults = {.cached = true};
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, &faults);

	(void)state;
	bench->trusts.stub = TRUST_ON_TRIAL;
	bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
	(void)bench_run(bench, FLASH_UPDATE);
	assert_int_equal(bench->report.stub_trial, TRIAL_FAILED);
	assert_true(is_said(bench, BEHIND "the flash at 0x08000000 holds 0xff"));
	assert_int_equal(sim_counters(bench->sim)->program_starts, 1);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, stub_check_08_unplugged_anywhere_it_is_repaired);
	ADD_TEST(tests, n_tests, stub_check_08_without_power_anywhere_it_is_repaired);
	ADD_ROWS(tests, n_tests, hang_rows, it_falls_silent);
	ADD_TEST(tests, n_tests, sums_that_it_refuses_are_read_by_the_rom);
	ADD_TEST(tests, n_tests, an_erase_that_is_granted_late_turns_nothing_off);
	ADD_TEST(tests, n_tests, one_that_never_answers_costs_little);
	ADD_TEST(tests, n_tests, stub_check_10_a_protected_page_is_named);
	ADD_TEST(tests, n_tests, stub_check_10_protected_flash_gets_no_program);
	ADD_TEST(tests, n_tests, stub_check_12_a_wrong_page_is_no_update);
	ADD_TEST(tests, n_tests, a_page_too_many_is_no_update_whoever_finds_the_image_there);
	ADD_TEST(tests, n_tests, a_small_image_in_a_large_flash_has_the_time_for_that);
	ADD_ROWS(tests, n_tests, lie_rows, what_it_does_wrong_the_rom_does_right);
	ADD_TEST(tests, n_tests, only_the_second_proof_sees_a_flash_that_forgets);
	return RUN_TESTS("promotion-faults", tests, n_tests);
}
