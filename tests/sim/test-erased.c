/* SPDX-License-Identifier: MIT */
/*
 * test-erased.c - a unit that a job has erased is finished, whatever answers in the meantime, and a
 * unit that was verified is whole, whatever happens behind it.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "chip/family-stm32.h"
#include "chip/family.h"
#include "unit/rows.h"

#define F103 "chip = F103xC"

static struct bench *old_board(const struct sim_faults *faults, const char *rule)
{
	const struct sim_options options = {.chip = sim_chip_find("f103xc"), .faults = *faults};
	struct bench *bench = bench_new_with(&options, rule);

	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	bench_take_file(bench, FIRMWARE_NEW);
	return bench;
}

static void unit_of(const struct bench *bench, char to[25])
{
	for (unsigned i = 0; i < 12; i++)
		snprintf(to + 2 * i, 3, "%02x", sim_unique_id(bench->sim)[i]);
}

/* The fifth write hangs, so that a second attempt meets the chip anew. */
#define TORN .hang_code = 0x31, .hang_nth = 5

static const struct meanwhile_row {
	const char *name;
	struct sim_faults faults; /* for a while */
	struct sim_faults always; /* the same for ever */
	uint16_t other;
	const char *reason;
} meanwhile_rows[] = {
	{"another chip answers", {TORN, .id_once_erased = 0x413, .n_once_erased = 2},
		{.id_once_erased = 0x413, .n_once_erased = 1000}, 0x413, "0x413"},
	{"a chip that nobody knows answers", {TORN, .id_once_erased = 0x7FF, .n_once_erased = 2},
		{.id_once_erased = 0x7FF, .n_once_erased = 1000}, 0x7FF, "0x7ff"},
	/* The first of them is the look whether the erase was one. */
	{"its flash refuses to be read", {.nack_reads_once_erased = 3},
		{.nack_reads_once_erased = 1000}, 0, "refuses to have its flash read"},
};

static void what_answers_meanwhile_is_not_the_last_word(void **state)
{
	const struct meanwhile_row *row = *state;
	struct bench *bench = old_board(&row->faults, F103);
	char unit[25];

	unit_of(bench, unit);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_true(bench->report.entries >= 2);
	assert_true(bench->report.has_erased);
	assert_false(bench->report.has_other);
	assert_string_equal(bench->report.unit, unit);
	assert_int_equal(sim_counters(bench->sim)->unprotects, 0);
	bench_free(bench);
}

static void the_unit_that_was_erased_is_the_one_that_is_told_of(void **state)
{
	const struct meanwhile_row *row = *state;
	struct sim_faults faults = row->always;
	struct bench *bench;
	char unit[25];

	faults.hang_code = 0x31;
	faults.hang_nth = 5;
	bench = old_board(&faults, F103);
	unit_of(bench, unit);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_true(bench->report.has_erased);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	assert_int_equal(bench->report.product_id, 0x414);
	assert_string_equal(bench->report.unit, unit);
	assert_int_equal(bench->report.has_other, row->other != 0);
	assert_int_equal(bench->report.other_product_id, row->other);
	assert_null(strstr(bench->report.reason.text, "nothing"));
	assert_non_null(strstr(bench->report.reason.text, row->reason));
	assert_non_null(strstr(bench->report.reason.text, unit));
	assert_int_equal(sim_counters(bench->sim)->commands[0x43], 2);
	bench_free(bench);
}

/* Where the table does not know where the id is, the chip is told of by its product id. */
static void a_chip_without_an_id_that_was_erased_is_told_of_too(void **state)
{
	const struct sim_faults faults = {TORN, .id_once_erased = 0x413, .n_once_erased = 1000};
	struct bench *bench = old_board(&faults, F103);
	struct chip_table *chips = bench_own_chips(bench);

	(void)state;
	for (size_t i = 0; i < chips->n_items; i++)
		if (chips->items[i].family == &family_stm32)
			((struct stm32_row *)chips->items[i].own)->unique_id = 0;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_true(bench->report.has_erased);
	assert_int_equal(bench->report.product_id, 0x414);
	assert_string_equal(bench->report.unit, "");
	assert_int_equal(bench->report.other_product_id, 0x413);
	assert_non_null(strstr(bench->report.reason.text, "the unit was erased"));
	bench_free(bench);
}

static void nothing_of_this_is_said_where_nothing_was_erased(void **state)
{
	const struct sim_faults other = {.product_id = 0x413};
	struct bench *bench = old_board(&other, F103);

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_WRONG_CHIP);
	assert_false(bench->report.has_erased);
	assert_false(bench->report.has_other);
	assert_non_null(strstr(bench->report.reason.text, "nothing of it was erased"));
	bench_free(bench);
}

/* The whole id is read as another one, once; then twice, which is believed. */
static void an_id_that_flips_once_is_not_another_unit(void **state)
{
	char unit[25];

	(void)state;
	for (unsigned nth = 1; nth <= 5; nth++) {
		const struct sim_faults faults = {TORN, .flip_unique_id = nth};
		struct bench *bench = old_board(&faults, F103);

		unit_of(bench, unit);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_string_equal(bench->report.unit, unit);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ between two attempts */

struct swap {
	struct bench *bench;
	unsigned n_entries;
};

static void swap_at_second_entry(void *userdata, const struct progress *progress)
{
	struct swap *swap = userdata;

	if (progress->phase == PHASE_ENTER && ++swap->n_entries == 2)
		sim_swap_chip(swap->bench->sim);
}

/* What was decided, and given, is of the first one. */
static void another_board_before_the_erase_is_not_written_by_the_decision(void **state)
{
	/* The tenth read is in the comparison. */
	const struct sim_faults faults = {.hang_code = 0x11, .hang_nth = 10};
	struct bench *bench = old_board(&faults, F103);
	struct swap swap = {.bench = bench};

	(void)state;
	/* Equal up to its last bytes, so that the comparison is long. */
	bench_preload(bench);
	sim_flash(bench->sim)[image_bytes(&bench->image) - 1] ^= 1;
	bench->on_progress = swap_at_second_entry;
	bench->userdata = &swap;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_int_equal(bench->report.entries, 2);
	assert_int_equal(bench_erases(bench), 0);
	assert_false(bench->report.has_erased);
	assert_non_null(strstr(bench->report.reason.text, "was not touched"));
	bench_free(bench);
}

/* ------------------------------------------------------------------ leaving */

/* How many changes of the lines a whole update makes, and how many of them are the way back. */
static size_t count_changes(const char *rule, size_t *ret_leaving)
{
	const struct sim_faults none = {0};
	struct bench *bench = old_board(&none, rule);
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	size_t n, n_entered = 0;

	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	n = record->n_lines;
	while (n_entered < n &&
		record->lines[n_entered].at_nsec < record->sent[record->n_sent - 1].at_nsec)
		n_entered++;
	*ret_leaving = n - n_entered;
	bench_free(bench);
	return n;
}

static void a_bridge_that_goes_while_leaving_takes_no_proof_with_it(void **state)
{
	static const struct {
		const char *rule;
		enum outcome outcome;
	} rows[] = {
		{F103, OUTCOME_UPDATED},
		/* Somebody was to be heard, and was not. */
		{F103 "\nconfirm = plugflash", OUTCOME_PORT_GONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n_leaving, n = count_changes(rows[i].rule, &n_leaving);

		assert_true(n_leaving >= 2);
		/* The last is port_close(). */
		for (size_t nth = n - n_leaving + 1; nth < n; nth++) {
			const struct sim_faults none = {0};
			const struct port_sim_options options = {
				.unplug_after_lines = (unsigned)nth};
			struct bench *bench = old_board(&none, rows[i].rule);

			port_sim_set_options(BENCH_PORT, &options);
			bench->goes_away = true;
			if (bench_run(bench, FLASH_UPDATE) != rows[i].outcome)
				fail_msg("%zu of %zu: %s: %s", nth, n,
					outcome_to_string(bench->report.outcome),
					bench->report.reason.text);
			assert_int_equal(bench->report.proof, PROOF_READ_BACK);
			assert_true(bench->report.has_erased);
			assert_true(bench_holds_image(bench));
			assert_null(strstr(bench->report.reason.text, "erased"));
			bench_free(bench);
		}
	}
}

/* What was proved before says nothing of what an erase has taken since. */
static void an_erase_takes_the_proof(void **state)
{
	const struct sim_faults faults = {.vanish_code = 0x31, .vanish_nth = 1};
	struct bench *bench = old_board(&faults, F103);

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_PORT_GONE);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	assert_true(bench->report.has_erased);
	assert_non_null(strstr(bench->report.reason.text, "is not known to hold a whole image"));
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[30];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, meanwhile_rows, what_answers_meanwhile_is_not_the_last_word);
	ADD_ROWS(tests, n_tests, meanwhile_rows,
		the_unit_that_was_erased_is_the_one_that_is_told_of);
	ADD_TEST(tests, n_tests, a_chip_without_an_id_that_was_erased_is_told_of_too);
	ADD_TEST(tests, n_tests, nothing_of_this_is_said_where_nothing_was_erased);
	ADD_TEST(tests, n_tests, an_id_that_flips_once_is_not_another_unit);
	ADD_TEST(tests, n_tests, another_board_before_the_erase_is_not_written_by_the_decision);
	ADD_TEST(tests, n_tests, a_bridge_that_goes_while_leaving_takes_no_proof_with_it);
	ADD_TEST(tests, n_tests, an_erase_takes_the_proof);
	return RUN_TESTS("erased", tests, n_tests);
}
