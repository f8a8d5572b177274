/* SPDX-License-Identifier: MIT */
/*
 * test-promotion-chips.c - whole jobs by a program in the RAM, on chips of each kind of flash: by
 * the simulated program, and by the one that is shipped on an emulated processor, where there is
 * one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "promotion-bench.h"
#include "sim/core-cpu.h"
#include "unit/rows.h"

struct chip_row {
	const char *name, *chip, *word, *rule;
	enum sim_program program;
};

#define ONCE "retries = 0\nretry-delay = 0\nchip = "
#define BOTH(name, ...)                                                    \
	{name, __VA_ARGS__, SIM_PROGRAM_PEER},                             \
	{                                                                  \
		name " on an emulated core", __VA_ARGS__, SIM_PROGRAM_CORE \
	}

static const struct chip_row chip_rows[] = {
	BOTH("F103xC", "f103xc", "f1", ONCE "0x414\n"),
	BOTH("F103x8", "f103c8", "f1", ONCE "0x410\n"),
	BOTH("F405", "f405", "f4", ONCE "0x413\n"),
	BOTH("F072", "f072", "f07", ONCE "0x448\n"),
	BOTH("G0B1", "g0b1", "g0b", ONCE "0x467\n"),
	BOTH("G474", "g474", "g47", ONCE "0x469\n"),
	BOTH("L412", "l412", "l4", ONCE "0x464\n"),
};

static void fill(struct bench *bench)
{
	for (uint32_t i = 0; i < sim_flash_size(bench->sim); i++)
		sim_flash(bench->sim)[i] = (uint8_t)(i * 7 + i / 1024);
}

static void assert_rest_is_filled(const struct bench *bench, uint32_t from)
{
	for (uint32_t i = from; i < sim_flash_size(bench->sim); i++)
		assert_int_equal(sim_flash(bench->sim)[i], (uint8_t)(i * 7 + i / 1024));
}

static struct bench *row_bench(const struct chip_row *row, const struct sim_faults *faults)
{
	if (row->program == SIM_PROGRAM_CORE && !cpu_is_there())
		skip();
	return promotion_new(row->chip, row->word, row->rule, row->program, faults);
}

/* What no chip would stand, on an emulated one. */
static void assert_no_violation(const struct chip_row *row, const struct bench *bench)
{
	if (row->program != SIM_PROGRAM_CORE)
		return;
	assert_string_equal(sim_core(bench->sim)->violation, "");
	assert_int_equal(sim_core(bench->sim)->overruns, 0);
	assert_int_equal(sim_core(bench->sim)->stalls, 0);
	assert_int_equal(sim_core(bench->sim)->twice, 0);
}

/* The end of the page that holds the last byte. */
static uint32_t pages_end(const struct bench *bench, uint32_t size)
{
	const struct chip *chip = chip_table_find(bench->chips, "stm32", bench->report.product_id);
	struct chip_page page;

	assert_non_null(chip);
	assert_true(chip_page_at(chip, PROMOTION_BASE + size - 1, &page));
	return page.address + page.size - PROMOTION_BASE;
}

static void it_is_written_changed_and_found_current(void **state)
{
	const struct chip_row *row = *state;
	struct bench *bench = row_bench(row, NULL);
	struct report *report = &bench->report;
	uint32_t size = 40 * KIB + 2;

	fill(bench);
	bench_take_bytes(bench, PROMOTION_BASE, size, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(is_said(bench, "used: version 1, at "));
	assert_true(bench_holds_image(bench));
	assert_int_equal(report->proof, PROOF_SUMS);
	assert_rest_is_filled(bench, pages_end(bench, size));
	assert_no_violation(row, bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(report->proof, PROOF_SUMS);
	sim_flash(bench->sim)[size - 100] ^= 1;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_in_range(report->pages_erased, 1, 2);
	assert_no_violation(row, bench);
	bench_free(bench);
}

static void on_trial_both_proofs_agree(void **state)
{
	const struct chip_row *row = *state;
	struct bench *bench = row_bench(row, NULL);

	bench->trusts.stub = TRUST_ON_TRIAL;
	bench_take_bytes(bench, PROMOTION_BASE, 16 * KIB, 1);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(bench->report.stub_trial, TRIAL_PASSED);
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	assert_no_violation(row, bench);
	bench_free(bench);
}

/* ------------------------------------------------------------------ the shipped program alone */

/* Behind its n-th byte it loops for ever, or jumps into nowhere: the first bytes are the train. */
static void stub_check_09_hung_or_faulty_the_rom_goes_on(void **state)
{
	static const struct {
		uint64_t at;
		bool is_fault;
	} rows[] = {{1, false}, {70, false}, {90, false}, {200, false}, {400, false}, {600, false},
		{2000, false}, {12000, false}, {1, true}, {70, true}, {90, true}, {200, true},
		{400, true}, {600, true}, {2000, true}, {12000, true}, {12001, true},
		{13000, true}};

	(void)state;
	if (!cpu_is_there())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_options options = {.program = SIM_PROGRAM_CORE,
			.core = {.stub_hang_received = rows[i].at,
				.hang_is_fault = rows[i].is_fault}};
		struct bench *bench = promotion_new_with(&options, "f103xc", "f1", ONCE "0x414\n");

		fill(bench);
		bench_take_bytes(bench, PROMOTION_BASE, 20 * KIB, 1);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		assert_int_equal(bench->report.entries, 2);
		assert_int_equal(bench->report.proof, PROOF_READ_BACK);
		assert_false(is_said(bench, "used: version"));
		assert_true(strlen(bench->report.stub) > 20);
		assert_rest_is_filled(bench, 20 * KIB);
		bench_free(bench);
	}
}

static void stub_check_13_current_within_1_s(void **state)
{
	struct bench *bench;

	(void)state;
	if (!cpu_is_there())
		skip();
	bench = promotion_new("f103xc", "f1", PROMOTION_AT_115200, SIM_PROGRAM_CORE, NULL);
	bench_take_bytes(bench, PROMOTION_BASE, 256 * KIB, 1);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	print_message(
		"# figure: 256 KiB found current by the program itself, F103xC, 115200: %.2f s, with the reset %.2f s\n",
		(double)promotion_msec(bench) / 1000, (double)bench_msec(bench) / 1000);
	assert_int_equal(bench_erases(bench), 0);
	assert_in_range(promotion_msec(bench), 1, 1000);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, chip_rows, it_is_written_changed_and_found_current);
	ADD_ROWS(tests, n_tests, chip_rows, on_trial_both_proofs_agree);
	ADD_TEST(tests, n_tests, stub_check_09_hung_or_faulty_the_rom_goes_on);
	ADD_TEST(tests, n_tests, stub_check_13_current_within_1_s);
	return RUN_TESTS("promotion-chips", tests, n_tests);
}
