/* SPDX-License-Identifier: MIT */
/*
 * test-promotion.c - whole jobs in which a program in the RAM of an STM32 does the work: what is
 * written and what is left alone, how long that takes, and when the program is not loaded at all.
 * Its failures are in test-promotion-faults.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "promotion-bench.h"
#include "unit/rows.h"

/* What an update costs, in what the chip saw. */
struct cost {
	uint64_t received, msec;
	unsigned erased, starts;
};

static struct cost cost_now(const struct bench *bench)
{
	const struct sim_counters *counters = sim_counters(bench->sim);

	return (struct cost){counters->received, bench_msec(bench), counters->pages_erased,
		counters->program_starts};
}

static struct cost cost_of(struct bench *bench, enum flash_action action, enum outcome expected)
{
	struct cost before = cost_now(bench), after;

	assert_int_equal(bench_run(bench, action), expected);
	after = cost_now(bench);
	return (struct cost){after.received - before.received, after.msec - before.msec,
		after.erased - before.erased, after.starts - before.starts};
}

static void it_is_written_by_the_program(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, NULL);
	struct report *report = &bench->report;
	struct cost cost;

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	memset(sim_flash(bench->sim), 0x5A, 256 * KIB);
	cost = cost_of(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(report->proof, PROOF_SUMS);
	assert_int_equal(report->stub_trial, TRIAL_USED);
	assert_int_equal(report->entries, 1);
	assert_int_equal(report->pages_erased, 32);
	assert_int_equal(cost.erased, 32);
	assert_int_equal(report->bytes, 64 * KIB);
	assert_true(is_said(bench, "used: version 1, at "));
	for (size_t i = 64 * KIB; i < 256 * KIB; i++)
		assert_int_equal(sim_flash(bench->sim)[i], 0x5A);
	cost = cost_of(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	assert_int_equal(cost.erased, 0);
	assert_int_equal(report->proof, PROOF_SUMS);
	bench_free(bench);
}

static void read_back_is_given_where_the_rule_wants_it(void **state)
{
	struct bench *bench = promotion_new(
		"f103xc", "f1", PROMOTION_RULE "verify = read-back\n", SIM_PROGRAM_PEER, NULL);

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	assert_true(is_said(bench, "used: "));
	bench_free(bench);
}

static void a_range_is_read_by_the_program(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, NULL);

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 256 * KIB, 3);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_CURRENT);
	assert_int_equal(bench->n_read, 256 * KIB);
	assert_memory_equal(bench->read, sim_flash(bench->sim), 256 * KIB);
	assert_int_equal(sim_counters(bench->sim)->program_starts, 1);
	bench_free(bench);
}

/* Its jumper leads into the ROM, and the rule knows no better than that lines reset it. */
static void where_the_lines_are_not_wired_it_ends_by_itself(void **state)
{
	static const enum trust trusts[] = {TRUST_ON_TRIAL, TRUST_FULL};
	const struct sim_options options = {
		.program = SIM_PROGRAM_PEER, .circuit = SIM_CIRCUIT_ROM};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trusts); i++) {
		struct bench *bench = promotion_new_with(&options, "f103xc", "f1", PROMOTION_ONCE);

		bench->trusts.stub = trusts[i];
		bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		assert_true(is_said(bench, "used: version"));
		assert_in_range(bench_msec(bench), 1000, 30000);
		bench_free(bench);
	}
}

/* Nobody would see that it reads something else than is there. */
static void on_trial_it_reads_nothing_for_a_person(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, NULL);

	(void)state;
	bench->trusts.stub = TRUST_ON_TRIAL;
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 3);
	bench_preload(bench);
	bench->read_address = PROMOTION_BASE;
	bench->read_size = 64 * KIB;
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_CURRENT);
	assert_memory_equal(bench->read, sim_flash(bench->sim), 64 * KIB);
	assert_int_equal(sim_counters(bench->sim)->program_starts, 0);
	assert_true(is_said(bench, "not used: it is on trial"));
	bench_free(bench);
}

/* A byte that differs is named as by any other loader. */
static void a_difference_is_named_by_its_address(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, NULL);

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	bench_preload(bench);
	sim_flash(bench->sim)[0x8123] ^= 0x40;
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_true(bench->report.has_address && bench->report.has_got);
	assert_int_equal(bench->report.address, PROMOTION_BASE + 0x8123);
	assert_int_equal(bench->report.got, bench->report.expected ^ 0x40);
	assert_int_equal(bench->report.entries, 1);
	bench_free(bench);
}

/* ------------------------------------------------------------------ blank and equal pages */

static void blank_pages_are_not_erased(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, NULL);
	struct cost cost;

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 64 * KIB, 1);
	sim_flash(bench->sim)[20 * KIB] = 0;
	cost = cost_of(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	/* The first one always, since it is what shows that the erase works. */
	assert_int_equal(cost.erased, 2);
	assert_int_equal(bench->report.pages_erased, 2);
	bench_free(bench);
}

/* The figure: 4 KiB of 256 in at most 2 s of the line at 115200. */
static void a_change_of_4_kib_takes_less_than_2_s(void **state)
{
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_AT_115200, SIM_PROGRAM_PEER, NULL);
	struct cost cost;

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 256 * KIB, 1);
	bench_preload(bench);
	for (size_t i = 0; i < 4 * KIB; i++)
		sim_flash(bench->sim)[100 * KIB + i] ^= 0xFF;
	cost = cost_of(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	/* Those two, and the one with the vector table. */
	assert_int_equal(cost.erased, 3);
	print_message("# figure: 4 of 256 KiB changed, F103xC, 115200: %.2f s, %llu bytes sent\n",
		(double)cost.msec / 1000, (unsigned long long)cost.received);
	assert_in_range(cost.msec, 1, 2000);
	bench_free(bench);
}

static void stub_check_13_a_board_never_seen_is_current_within_1_s(void **state)
{
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_AT_115200, SIM_PROGRAM_PEER, NULL);
	struct cost cost;

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 256 * KIB, 1);
	bench_preload(bench);
	cost = cost_of(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	print_message("# figure: 256 KiB found current, F103xC, 115200: %.2f s\n",
		(double)cost.msec / 1000);
	assert_int_equal(cost.erased, 0);
	assert_int_equal(bench_erases(bench), 0);
	assert_int_equal(bench->report.proof, PROOF_SUMS);
	assert_in_range(cost.msec, 1, 1000);
	bench_free(bench);
}

/* A third of what the first attempt sent, and the page of the vector table. */
static void stub_check_14_a_torn_attempt_is_resumed(void **state)
{
	struct sim_faults faults = {.vanish_received = 0};
	struct bench *bench =
		promotion_new("f103xc", "f1", PROMOTION_AT_115200, SIM_PROGRAM_PEER, NULL);
	struct cost whole, rest;

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 256 * KIB, 1);
	whole = cost_of(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	bench_take_bytes(bench, PROMOTION_BASE, 256 * KIB, 2);
	faults.vanish_received = whole.received * 7 / 10;
	sim_set_faults(bench->sim, &faults);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_PORT_GONE);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(sim_flash(bench->sim)[i], 0xFF);
	port_sim_replug(BENCH_PORT);
	rest = cost_of(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	print_message("# figure: torn at 70 %%, the second attempt sends %.1f %% of the bytes\n",
		100.0 * (double)rest.received / (double)whole.received);
	assert_in_range(rest.received, 1, whole.received * 35 / 100);
	bench_free(bench);
}

/* ------------------------------------------------------------------ on trial */

static void on_trial_the_rom_reads_all_of_it_back(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1", PROMOTION_RULE, SIM_PROGRAM_PEER, NULL);
	const struct sim_counters *counters = sim_counters(bench->sim);
	unsigned reads;

	(void)state;
	bench->trusts.stub = TRUST_ON_TRIAL;
	bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.stub_trial, TRIAL_PASSED);
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	assert_int_equal(bench->report.entries, 2);
	assert_int_equal(counters->program_starts, 1);
	assert_true(counters->commands[0x11] >= 32 * KIB / 256);
	/* What is found current has passed nothing, and the ROM looks at it all the same. */
	reads = counters->commands[0x11];
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(bench->report.stub_trial, TRIAL_NONE);
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	assert_true(counters->commands[0x11] - reads >= 32 * KIB / 256);
	bench_free(bench);
}

/* Its sums call a unit current that is not: on trial the ROM sees it, and writes it. */
static void on_trial_its_word_makes_no_unit_current(void **state)
{
	static const struct {
		enum trust trust;
		enum flash_action action;
		enum outcome outcome;
		enum trial trial;
	} rows[] = {
		{TRUST_ON_TRIAL, FLASH_UPDATE, OUTCOME_UPDATED, TRIAL_FAILED},
		{TRUST_ON_TRIAL, FLASH_VERIFY, OUTCOME_VERIFY_DIFFERS, TRIAL_FAILED},
		{TRUST_FULL, FLASH_UPDATE, OUTCOME_CURRENT, TRIAL_NONE},
	};
	const struct sim_faults faults = {.stub = {.blind_at = PROMOTION_BASE + 0x1234}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench =
			promotion_new("f103xc", "f1", PROMOTION_ONCE, SIM_PROGRAM_PEER, &faults);

		bench->trusts.stub = rows[i].trust;
		bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
		bench_preload(bench);
		sim_flash(bench->sim)[0x1234] ^= 1;
		assert_int_equal(bench_run(bench, rows[i].action), rows[i].outcome);
		assert_int_equal(bench_holds_image(bench), rows[i].outcome == OUTCOME_UPDATED);
		assert_int_equal(bench->report.stub_trial, rows[i].trial);
		if (rows[i].outcome == OUTCOME_UPDATED)
			assert_int_equal(bench->report.proof, PROOF_READ_BACK);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ what the ROM alone can do */

/* A board on a stick: it is in its ROM when its job begins, and no line resets it. The program does
 * that itself, and the ROM goes to the application. */
static void without_a_line_it_resets_the_chip_itself(void **state)
{
	const struct sim_options options = {
		.program = SIM_PROGRAM_PEER, .circuit = SIM_CIRCUIT_ROM};
	struct bench *bench = promotion_new_with(&options, "f103xc", "f1",
		"chip = 0x414\nretries = 0\nentry = none\nstub = yes\nstart = go\n");

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.proof, PROOF_SUMS);
	assert_true(is_said(bench, "used: "));
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

static void the_rom_protects_what_the_program_wrote(void **state)
{
	struct bench *bench = promotion_new("f103xc", "f1",
		PROMOTION_RULE "readout-protection = set\n", SIM_PROGRAM_PEER, NULL);

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_true(is_said(bench, "used: "));
	assert_true(bench->report.is_protected);
	assert_int_equal(sim_counters(bench->sim)->commands[0x82], 1);
	bench_free(bench);
}

/* A virgin chip with an empty check stays in its ROM at a reset: Go starts it. */
static void the_rom_starts_a_chip_that_was_empty(void **state)
{
	const struct sim_options options = {
		.program = SIM_PROGRAM_PEER, .enters_rom_when_empty = true, .latches_empty = true};
	struct bench *bench =
		promotion_new_with(&options, "g0b1", "g0b", "chip = 0x467\nretries = 0\n");

	(void)state;
	bench_take_bytes(bench, PROMOTION_BASE, 32 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_true(is_said(bench, "used: "));
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* ------------------------------------------------------------------ where it is not loaded */

struct idle_row {
	const char *name, *word, *rule;
	uint32_t kib;
	enum trust trust;
	struct sim_faults faults;
	const char *said; /* in the report; "" nothing */
	bool is_loaded;	  /* as far as the ROM lets it */
	bool is_read_only;
};

static const struct idle_row idle_rows[] = {
	{"stub_check_11_a_row_without_a_list", "", PROMOTION_RULE, 32, TRUST_FULL, {0}, "", false,
		false},
	{"stub_check_11_a_list_that_is_not_there", "zz", PROMOTION_RULE, 32, TRUST_FULL, {0},
		"not used: ", false, false},
	{"stub_check_11_a_small_image", "f1", PROMOTION_RULE, 4, TRUST_FULL, {0},
		"not used: it pays from 8192 bytes on", false, false},
	{"stub_check_11_the_rule_says_no", "f1", PROMOTION_RULE "stub = no\n", 32, TRUST_OFF, {0},
		"not used: the rule says `stub = no`", false, false},
	{"stub_check_11_it_was_switched_off", "f1", PROMOTION_RULE, 32, TRUST_OFF, {0},
		"not used: it is turned off for this kind of chip", false, false},
	{"stub_check_11_no_line_resets_the_chip", "f1", "chip = 0x414\nretries = 0\nentry = none\n",
		32, TRUST_FULL, {0}, "not used: no line of the rule resets the chip", false, false},
	{"stub_check_11_nack_on_the_ram", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.nack_stage_code = ROM_WRITE_MEMORY, .nack_stage = 1},
		"not used: the ROM does not let the RAM at 0x20000200 be written", true, true},
	{"stub_check_11_nack_on_go", "f1", PROMOTION_RULE, 32, TRUST_FULL, {.nack_code = ROM_GO},
		"not used: the ROM refuses to start the program in the RAM", true, false},
	{"stub_check_11_it_never_answers", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.silent = true}}, "not used: it does not answer", true, false},
	{"stub_check_11_hello_with_another_mark", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_MAGIC}}, "not used: its hello has the mark", true,
		false},
	{"stub_check_11_hello_with_another_version", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_VERSION}}, "not used: its hello has version", true,
		false},
	{"stub_check_11_hello_with_another_crc", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_SELF_CRC}}, "not used: its hello has a CRC", true,
		false},
	{"stub_check_11_hello_with_another_id", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_DEV_ID}}, "not used: its hello has product id", true,
		false},
	{"stub_check_11_hello_with_another_size", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_FLASH_SIZE}}, "not used: its hello has flash size",
		true, false},
	{"stub_check_11_hello_with_another_kind", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_KIND}}, "not used: its hello has flash kind", true,
		false},
	{"stub_check_11_hello_with_another_ring", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_RING}}, "not used: its hello has ring size", true,
		false},
	{"stub_check_11_hello_with_another_clock", "f1", PROMOTION_RULE, 32, TRUST_FULL,
		{.stub = {.lie = SIM_STUB_LIE_TICKS}}, "not used: its hello has a clock", true,
		false},
};

/* A dry run ends where the first erase would be: none must have been sent by then. */
static void it_is_not_used(void **state)
{
	const struct idle_row *row = *state;
	struct bench *bench =
		promotion_new("f103xc", row->word, row->rule, SIM_PROGRAM_PEER, &row->faults);

	if (strstr(row->rule, "entry = none"))
		sim_set_lines(bench->sim, 0, 0);
	bench->trusts.stub = row->trust;
	bench_take_bytes(bench, PROMOTION_BASE, row->kib * KIB, 1);
	bench->dry_run = true;
	if (!strstr(row->rule, "entry = none"))
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	else
		(void)bench_run(bench, FLASH_UPDATE);
	assert_int_equal(bench_erases(bench), 0);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	if (!strstr(row->rule, "entry = none")) {
		assert_memory_equal(bench->report.stub, row->said, strlen(row->said));
		assert_true(*row->said || !*bench->report.stub);
		assert_int_equal(
			sim_counters(bench->sim)->commands[ROM_WRITE_MEMORY] > 0, row->is_loaded);
	}
	bench->dry_run = false;
	if (!row->is_read_only && !strstr(row->rule, "entry = none")) {
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		assert_int_equal(bench->report.proof, PROOF_READ_BACK);
		assert_int_equal(bench->report.stub_trial, TRIAL_NONE);
		assert_memory_equal(bench->report.stub, row->said, strlen(row->said));
	}
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, it_is_written_by_the_program);
	ADD_TEST(tests, n_tests, read_back_is_given_where_the_rule_wants_it);
	ADD_TEST(tests, n_tests, a_range_is_read_by_the_program);
	ADD_TEST(tests, n_tests, on_trial_it_reads_nothing_for_a_person);
	ADD_TEST(tests, n_tests, where_the_lines_are_not_wired_it_ends_by_itself);
	ADD_TEST(tests, n_tests, a_difference_is_named_by_its_address);
	ADD_TEST(tests, n_tests, blank_pages_are_not_erased);
	ADD_TEST(tests, n_tests, a_change_of_4_kib_takes_less_than_2_s);
	ADD_TEST(tests, n_tests, stub_check_13_a_board_never_seen_is_current_within_1_s);
	ADD_TEST(tests, n_tests, stub_check_14_a_torn_attempt_is_resumed);
	ADD_TEST(tests, n_tests, on_trial_the_rom_reads_all_of_it_back);
	ADD_TEST(tests, n_tests, on_trial_its_word_makes_no_unit_current);
	ADD_TEST(tests, n_tests, without_a_line_it_resets_the_chip_itself);
	ADD_TEST(tests, n_tests, the_rom_protects_what_the_program_wrote);
	ADD_TEST(tests, n_tests, the_rom_starts_a_chip_that_was_empty);
	ADD_ROWS(tests, n_tests, idle_rows, it_is_not_used);
	return RUN_TESTS("promotion", tests, n_tests);
}
