/* SPDX-License-Identifier: MIT */
/* test-pages.c - chips whose pages an option bit changes, readable or not, and exchanged banks. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/rows.h"

#define KIB 1024u

/* Every byte of the flash holds this before a job. */
#define OLD 0x5A

static struct bench *begin(const char *chip, const char *rule, bool hidden)
{
	const struct sim_options options = {
		.chip = sim_chip_find(chip), .faults = {.hidden_options = hidden}};
	struct bench *bench = bench_new_with(&options, rule);

	memset(sim_flash(bench->sim), OLD, sim_flash_size(bench->sim));
	return bench;
}

static bool is_old(const struct bench *bench, uint32_t offset, uint32_t size)
{
	const uint8_t *flash = sim_flash(bench->sim);

	for (uint32_t i = offset; i < offset + size; i++)
		if (flash[i] != OLD)
			return false;
	return true;
}

static void update(struct bench *bench, enum outcome expected)
{
	if (bench_run(bench, FLASH_UPDATE) != expected)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
}

struct layout_row {
	const char *name;
	const char *chip;
	const char *rule;
	uint32_t address, size; /* of the image */
};

/* The range to keep is right behind the image, where an erase by the other layout would reach. */
static const struct layout_row layout_rows[] = {
	{"F767, one bank", "f767", "chip = 0x451\nkeep = 0x08018000+32K", 0x08000000, 90 * KIB},
	{"F767, two banks", "f767-dual", "chip = 0x451\nkeep = 0x0800C000+16K", 0x08000000,
		40 * KIB},
	{"F767, two banks, across both", "f767-dual", "chip = 0x451\nkeep = 0x08104000+16K",
		0x080E0000, 130 * KIB},
	{"F767ZG, two banks", "f767-1m-dual", "chip = 0x451\nkeep = 0x0800C000+16K", 0x08000000,
		40 * KIB},
	{"F767ZG, two banks, across both", "f767-1m-dual", "chip = 0x451\nkeep = 0x0808C000+16K",
		0x08060000, 150 * KIB},
	{"F429, 2 MB", "f429", "chip = 0x419\nkeep = 0x08104000+16K", 0x080E0000, 130 * KIB},
	{"F429, 1 MB, one bank", "f429-1m", "chip = 0x419\nkeep = 0x080A0000+128K", 0x08060000,
		200 * KIB},
	{"F429, 1 MB, two banks", "f429-1m-dual", "chip = 0x419\nkeep = 0x0808C000+16K", 0x08060000,
		150 * KIB},
	{"F469, 1 MB, two banks", "f469-1m-dual", "chip = 0x434\nkeep = 0x0808C000+16K", 0x08060000,
		150 * KIB},
	{"G474, two banks", "g474", "chip = 0x469\nkeep = 0x08005000+2K", 0x08000000, 20007},
	{"G474, one bank", "g474-single", "chip = 0x469\nkeep = 0x08006000+2K", 0x08000000, 20007},
	{"L4R5, one bank", "l4r5-single", "chip = 0x470\nkeep = 0x08006000+8K", 0x08000000, 20007},
	{"L552, two banks", "l552", "chip = 0x472\nkeep = 0x08005000+2K", 0x08000000, 20007},
	{"L552, one bank", "l552-single", "chip = 0x472\nkeep = 0x08005000+4K", 0x08000000, 20007},
};

static void the_pages_in_force_are_used(void **state)
{
	const struct layout_row *row = *state;
	struct bench *bench = begin(row->chip, row->rule, false);
	const struct keep_range *kept = &bench->board.keep.items[0];

	bench_take_bytes(bench, row->address, row->size, 7);
	update(bench, OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	assert_true(is_old(bench, kept->address - 0x08000000, kept->size));
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(sim_counters(bench->sim)->bad_addresses, 0);
	bench_free(bench);
}

/* In the larger pages of one bank, 0x08004800 is in the same page as 0x08004000. */
static void keep_is_held_against_the_pages_in_force(void **state)
{
	static const struct {
		const char *chip;
		enum outcome outcome;
	} rows[] = {{"l552-single", OUTCOME_BAD_IMAGE}, {"l552", OUTCOME_UPDATED}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench =
			begin(rows[i].chip, "chip = 0x472\nkeep = 0x08004800+2K", false);

		bench_take_bytes(bench, 0x08000000, 0x4000 + 100, 7);
		update(bench, rows[i].outcome);
		assert_true(is_old(bench, 0x4800, 2 * KIB));
		if (rows[i].outcome == OUTCOME_BAD_IMAGE)
			assert_int_equal(bench_erases(bench), 0);
		bench_free(bench);
	}
}

/* The bit cannot be read, and the pages are as the table has them. */
static void hidden_bits_do_no_harm_where_the_table_is_right(void **state)
{
	static const struct {
		const char *chip;
		const char *rule;
	} rows[] = {
		{"l552", "chip = 0x472\nkeep = 0x0800A000+2K"},
		{"h743", "chip = 0x450\nkeep = 0x08040000+128K"},
		{"u575", "chip = 0x482\nkeep = 0x08006000+8K"},
		{"g0b1", "chip = 0x467\nkeep = 0x08005000+2K"},
		{"f767", "chip = 0x451\nkeep = 0x08010000+32K"},
		{"g474", "chip = 0x469\nkeep = 0x0800C000+2K"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin(rows[i].chip, rows[i].rule, true);
		const struct keep_range *kept = &bench->board.keep.items[0];

		print_message("# %s\n", rows[i].chip);
		bench_take_bytes(bench, 0x08000000, 20007, 7);
		update(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		assert_true(is_old(bench, kept->address - 0x08000000, kept->size));
		bench_free(bench);
	}
}

/* Blank all over there is nothing to see, and nothing to lose. */
static void a_blank_chip_with_hidden_bits_is_written(void **state)
{
	static const char *const chips[] = {"l552", "l552-single"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct bench *bench = begin(chips[i], "chip = 0x472", true);

		memset(sim_flash(bench->sim), 0xFF, sim_flash_size(bench->sim));
		bench_take_bytes(bench, 0x08000000, 50007, 7);
		update(bench, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		bench_free(bench);
	}
}

/*
 * What a number means cannot be known beforehand: the job ends after the first page that was erased
 * otherwise, and nothing is lost but that page of the chip's own layout. The next job goes no
 * further than one page either.
 */
static void hidden_bits_that_are_otherwise_cost_one_page(void **state)
{
	static const struct {
		const char *chip;
		const char *rule;
		uint32_t lost, lost_size;
	} rows[] = {
		{"l552-single", "chip = 0x472", 0, 4 * KIB},
		{"g474-single", "chip = 0x469", 0, 4 * KIB},
		{"f767-dual", "chip = 0x451", 0, 16 * KIB},
		{"l552-swapped", "chip = 0x472", 256 * KIB, 2 * KIB},
		{"g0b1-swapped", "chip = 0x467", 256 * KIB, 2 * KIB},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin(rows[i].chip, rows[i].rule, true);
		uint32_t size = sim_flash_size(bench->sim);

		bench_take_bytes(bench, 0x08000000, 200 * KIB, 7);
		for (uint32_t n = 1; n <= 3; n++) {
			uint32_t end = rows[i].lost + n * rows[i].lost_size;

			print_message("# %s, job %u\n", rows[i].chip, n);
			update(bench, OUTCOME_BAD_CONFIG);
			assert_non_null(strstr(bench->report.reason.text, "[chip 0x4"));
			assert_true(is_old(bench, 0, rows[i].lost));
			assert_true(is_old(bench, end, size - end));
		}
		bench_free(bench);
	}
}

/* Of what the rule keeps nothing may be lost, whatever the hidden bit is. */
static void hidden_bits_that_could_cost_what_is_kept_refuse_the_job(void **state)
{
	static const struct {
		const char *chip;
		const char *rule;
	} rows[] = {
		{"l552", "chip = 0x472\nkeep = 0x08005000+2K"},
		{"l552-single", "chip = 0x472\nkeep = 0x08005000+4K"},
		{"l552-swapped", "chip = 0x472\nkeep = 0x08040000+2K"},
		{"g0b1-swapped", "chip = 0x467\nkeep = 0x08040000+2K"},
		{"f767-dual", "chip = 0x451\nkeep = 0x08010000+32K"},
		{"h743", "chip = 0x450\nkeep = 0x08100000+128K"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin(rows[i].chip, rows[i].rule, true);

		print_message("# %s\n", rows[i].chip);
		bench_take_bytes(bench, 0x08000000, i == 4 ? 200 * KIB : 20007, 7);
		update(bench, i == 4 ? OUTCOME_BAD_IMAGE : OUTCOME_BAD_CONFIG);
		assert_int_equal(bench_erases(bench), 0);
		assert_true(is_old(bench, 0, sim_flash_size(bench->sim)));
		bench_free(bench);
	}
}

static void exchanged_banks_are_refused(void **state)
{
	static const char *const chips[][2] = {
		{"g0b1-swapped", "chip = 0x467"}, {"l552-swapped", "chip = 0x472"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct bench *bench = begin(chips[i][0], chips[i][1], false);

		bench_take_bytes(bench, 0x08000000, 20007, 7);
		update(bench, OUTCOME_BAD_CONFIG);
		assert_non_null(strstr(bench->report.reason.text, "exchange"));
		assert_int_equal(bench_erases(bench), 0);
		assert_true(is_old(bench, 0, sim_flash_size(bench->sim)));
		/* What changes nothing needs no pages. */
		assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
		assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
		bench_free(bench);
	}
}

/* A part of a size that the row has no other pages for. */
static void other_pages_that_are_not_known_are_refused(void **state)
{
	struct sim_chip chip = *sim_chip_find("f429-1m-dual");
	const struct sim_options options = {.chip = &chip};
	struct bench *bench;

	(void)state;
	chip.flash_size = 512 * KIB;
	bench = bench_new_with(&options, "chip = 0x419");
	bench_take_bytes(bench, 0x08000000, 20007, 7);
	update(bench, OUTCOME_BAD_CONFIG);
	assert_non_null(strstr(bench->report.reason.text, "[chip 0x419]"));
	assert_int_equal(bench_erases(bench), 0);
	bench_free(bench);
}

/* One bent byte in the looks around an erase is no other layout, which would be a final word. */
static void a_bent_byte_around_an_erase_is_no_other_layout(void **state)
{
	unsigned n_runs = 0;

	(void)state;
	for (uint64_t nth = 1; nth < 1800; nth += 3, n_runs++) {
		const struct sim_options options = {.chip = sim_chip_find("l552"),
			.faults = {.flip_sent = nth, .flip_mask = 0x10, .hidden_options = true}};
		struct bench *bench = bench_new_with(&options, "chip = 0x472");

		memset(sim_flash(bench->sim), 0x5A, sim_flash_size(bench->sim));
		bench_take_bytes(bench, 0x08000000, 700, 7);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("byte %u: %s", (unsigned)nth, bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		bench_free(bench);
	}
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, layout_rows, the_pages_in_force_are_used);
	ADD_TEST(tests, n_tests, a_bent_byte_around_an_erase_is_no_other_layout);
	ADD_TEST(tests, n_tests, keep_is_held_against_the_pages_in_force);
	ADD_TEST(tests, n_tests, hidden_bits_do_no_harm_where_the_table_is_right);
	ADD_TEST(tests, n_tests, a_blank_chip_with_hidden_bits_is_written);
	ADD_TEST(tests, n_tests, hidden_bits_that_are_otherwise_cost_one_page);
	ADD_TEST(tests, n_tests, hidden_bits_that_could_cost_what_is_kept_refuse_the_job);
	ADD_TEST(tests, n_tests, exchanged_banks_are_refused);
	ADD_TEST(tests, n_tests, other_pages_that_are_not_known_are_refused);
	return RUN_TESTS("pages", tests, n_tests);
}
