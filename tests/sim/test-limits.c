/* SPDX-License-Identifier: MIT */
/*
 * test-limits.c - ROMs with a known limitation of AN2606: the remedy, and none where it is not; and
 * a loader that is none of ST's.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/rows.h"

#define KIB  1024u
#define MANY 64u /* erase commands: more than there are without a limitation */

struct limit_row {
	const char *name;
	const char *chip;
	const char *rule;
	uint32_t address, size; /* of the image */
	bool is_singly;		/* one erase command for each page, or for many of them */
};

static const struct limit_row rows[] = {
	{"H723 loses the first word behind a read", "h723", "chip = 0x483", 0x08000000, 20007,
		false},
	{"H723, more than a sector", "h723", "chip = 0x483", 0x08000000, 140001, false},
	{"H723 without bursts", "h723", "chip = 0x483\nbursts = no", 0x08000000, 5000, false},
	{"G0B1, pages of the second bank one by one", "g0b1", "chip = 0x467", 0x08000000, 400 * KIB,
		true},
	{"G0B1, the first bank at once", "g0b1", "chip = 0x467", 0x08000000, 200 * KIB, false},
	{"G071 with ROM V11.3 says too early that it has erased", "g071-v11.3", "chip = 0x460",
		0x08000000, 128 * KIB, true},
	{"G071 with ROM V11.4", "g071-v11.4", "chip = 0x460", 0x08000000, 120 * KIB, false},
	{"U375 with ROM V14.1 erases the first page only", "u375-v14.1", "chip = 0x454", 0x08000000,
		300 * KIB, true},
	{"H743 with ROM V9.1, first bank", "h743-v9.1", "chip = 0x450", 0x08000000, 300 * KIB,
		false},
	{"H743 with ROM V9.1, both banks", "h743-v9.1", "chip = 0x450", 0x080C0000, 600 * KIB,
		false},
	{"H743 with ROM V9.2, both banks", "h743", "chip = 0x450", 0x080C0000, 600 * KIB, false},
};

static void an_image_gets_into_the_flash_at_the_first_try(void **state)
{
	const struct limit_row *row = *state;
	struct bench *bench = bench_new(row->chip, row->rule);

	/* Something to erase everywhere. */
	memset(sim_flash(bench->sim), 0x5A, sim_flash_size(bench->sim));
	bench_take_bytes(bench, row->address, row->size, 7);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(sim_counters(bench->sim)->bad_writes, 0);
	assert_int_equal(sim_counters(bench->sim)->bad_addresses, 0);
	if (row->is_singly)
		assert_true(bench_erases(bench) >= MANY);
	else
		assert_true(bench_erases(bench) < MANY);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	bench_free(bench);
}

/* A ROM that does not say which one it is may have any of the limitations. */
static void a_rom_without_an_id_is_taken_to_be_limited(void **state)
{
	struct sim_chip chip = *sim_chip_find("u375-v14.1");
	const struct sim_options options = {.chip = &chip};
	struct bench *bench;

	(void)state;
	chip.bootloader_id_at = 0;
	chip.system_memory_size = 0x1000;
	bench = bench_new_with(&options, "chip = 0x454");
	memset(sim_flash(bench->sim), 0x5A, sim_flash_size(bench->sim));
	bench_take_bytes(bench, 0x08000000, 300 * KIB, 7);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_true(bench_erases(bench) >= MANY);
	bench_free(bench);
}

/*
 * The flag of an empty flash: where the ROM clears it as it starts, a reset leads into the
 * application that was written meanwhile, and no Go is needed; where it does not, only Go does.
 */
static void an_empty_flag_that_the_rom_clears_is_no_reason_for_go(void **state)
{
	static const struct {
		const char *chip;
		const char *rule;
		bool has_no_id;
		unsigned starts; /* by Go */
	} flags[] = {
		{"g0b1", "chip = 0x467", false, 0},
		{"g071-v11.3", "chip = 0x460", false, 0},
		{"g071-v11.4", "chip = 0x460", false, 1},
		{"g071-v11.4", "chip = 0x460", true, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct sim_chip chip = *sim_chip_find(flags[i].chip);
		const struct sim_options options = {
			.chip = &chip, .enters_rom_when_empty = true, .latches_empty = true};
		struct bench *bench;

		if (flags[i].has_no_id) {
			chip.bootloader_id_at = 0;
			chip.system_memory_size = 0x1000;
		}
		bench = bench_new_with(&options, flags[i].rule);
		print_message("# %s%s\n", flags[i].chip, flags[i].has_no_id ? " without id" : "");
		port_sim_replug(BENCH_PORT);
		bench_take_bytes(bench, 0x08000000, 5000, 7);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		assert_int_equal(sim_counters(bench->sim)->commands[0x21], flags[i].starts);
		bench_free(bench);
	}
}

/* It is told as what it is, at once: no reset, rate or wire makes it another. */
static void a_loader_without_get_id_is_none_of_sts(void **state)
{
	static const enum flash_action actions[] = {FLASH_PROBE, FLASH_UPDATE, FLASH_VERIFY};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		struct bench *bench = bench_new("gd32vw553", "chip = *\nbaud = 115200 57600");

		bench_take_bytes(bench, 0x08000000, 5000, 7);
		assert_int_equal(bench_run(bench, actions[i]), OUTCOME_WRONG_CHIP);
		assert_int_equal(bench->report.entries, 1);
		assert_int_equal(sim_counters(bench->sim)->commands[0x02], 0);
		assert_int_equal(sim_counters(bench->sim)->commands[0x11], 0);
		assert_int_equal(bench_erases(bench), 0);
		assert_non_null(strstr(bench->report.reason.text, "does not list Get ID"));
		assert_non_null(strstr(bench->report.reason.text, "Nothing of it was erased"));
		assert_null(strstr(bench->report.reason.text, "wiring"));
		bench_free(bench);
	}
}

/* The seventh byte that the ROM sends is the third code of its list. */
static void a_get_id_that_is_bent_in_the_list_is_asked_again(void **state)
{
	const struct sim_faults faults = {.flip_sent = 7, .flip_mask = 0x40};
	const struct sim_options options = {.chip = sim_chip_find("f103xc"), .faults = faults};
	struct bench *bench = bench_new_with(&options, "chip = 0x414");

	(void)state;
	bench_take_bytes(bench, 0x08000000, 5000, 7);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(bench->report.entries, 1);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[30];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, an_image_gets_into_the_flash_at_the_first_try);
	ADD_TEST(tests, n_tests, a_rom_without_an_id_is_taken_to_be_limited);
	ADD_TEST(tests, n_tests, an_empty_flag_that_the_rom_clears_is_no_reason_for_go);
	ADD_TEST(tests, n_tests, a_loader_without_get_id_is_none_of_sts);
	ADD_TEST(tests, n_tests, a_get_id_that_is_bent_in_the_list_is_asked_again);
	return RUN_TESTS("limits", tests, n_tests);
}
