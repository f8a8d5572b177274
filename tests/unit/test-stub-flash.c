/* SPDX-License-Identifier: MIT */
/*
 * test-stub-flash.c - the sources of the stub on this machine: three kinds of flash controller, and
 * what fails in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stub/stub-talk.h"

static void stub_check_18_bounds(void **state)
{
	(void)state;
	static const struct {
		uint32_t address;
		size_t n;
	} rows[] = {
		{STUB_CHIP_FLASH - 8, 8},
		{STUB_CHIP_FLASH - 8, 16},
		{STUB_CHIP_FLASH + STUB_CHIP_FLASH_SIZE, 8},
		{STUB_CHIP_FLASH + STUB_CHIP_FLASH_SIZE - 8, 16},
		{0xFFFFFFF8, 8},
		{0xFFFFFFF8, 16},
		{0, 8},
		{STUB_CHIP_RAM, 8},
		{STUB_CHIP_FLASH + 4, 8},
		{STUB_CHIP_FLASH + 1, 8},
		{STUB_CHIP_FLASH, 4},
		{STUB_CHIP_FLASH, 1023},
	};
	uint8_t bytes[STUB_DATA_MAX];

	fill(bytes, sizeof(bytes), 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reply r;

		begin(STUB_K1);
		r = ask(STUB_DATA, 0, rows[i].address, bytes, rows[i].n);
		assert_int_equal(r.answer.status, STUB_RANGE);
		assert_int_equal(r.answer.failure, STUB_RANGE);
		assert_int_equal(r.answer.address, rows[i].address);
		assert_int_equal(chip.n_programmed, 0);
	}
}

static const enum stub_kind kinds[] = {STUB_K1, STUB_K2, STUB_K3};

static void test_each_kind_erases_and_writes(void **state)
{
	(void)state;
	uint8_t bytes[STUB_CHIP_FLASH_SIZE];

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint32_t page = kinds[k] == STUB_K2 ? 0x4000 : 0x400;
		uint8_t sequence = 0;

		begin(kinds[k]);
		memset(chip.flash, 0x5A, sizeof(chip.flash));
		fill(bytes, sizeof(bytes), (unsigned)k);
		memset(bytes + 100, 0xFF, 100);
		for (uint32_t at = 0; at < sizeof(bytes); at += page) {
			struct reply r = erase(sequence++, kinds[k], STUB_CHIP_FLASH + at);

			assert_int_equal(r.answer.status, STUB_OK);
			assert_int_equal(r.answer.expected, sequence);
			assert_int_equal(r.answer.address, 0);
			assert_int_equal(r.answer.flash_status, 0);
			assert_int_equal(chip.last_erased, STUB_CHIP_FLASH + at);
		}
		for (uint32_t at = 0; at < sizeof(bytes); at += STUB_DATA_MAX) {
			struct reply r = ask(STUB_DATA, sequence++, STUB_CHIP_FLASH + at,
				bytes + at, STUB_DATA_MAX);

			assert_int_equal(r.answer.status, STUB_OK);
			assert_int_equal(r.answer.expected, sequence);
			chip.n_in = chip.n_taken = 0;
		}
		assert_memory_equal(chip.flash, bytes, sizeof(bytes));
		/* The controller is left as it was, but for LOCK. */
		assert_int_equal(chip.cr, chip.setup->control);
		assert_true(chip.n_programmed <= (sizeof(bytes) - 96) / chip.setup->unit);
	}
}

static void test_each_unit_of_k2(void **state)
{
	(void)state;
	uint8_t bytes[64];

	fill(bytes, sizeof(bytes), 7);
	for (unsigned shift = 0; shift < 3; shift++) {
		begin(STUB_K2);
		chip.setup->unit = (uint8_t)(1 << shift);
		chip.setup->control = shift << 8;
		assert_int_equal(
			ask(STUB_DATA, 0, PAGE, bytes, sizeof(bytes)).answer.status, STUB_OK);
		assert_memory_equal(chip.flash, bytes, sizeof(bytes));
		assert_int_equal(chip.cr, shift << 8);
	}
}

static void test_mass_erase(void **state)
{
	(void)state;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		uint8_t blank[STUB_CHIP_FLASH_SIZE];

		begin(kinds[k]);
		chip.erase_ticks = 150000; /* above the limit of a page, below that of all */
		chip.flash[5] = 0;
		memset(blank, 0xFF, sizeof(blank));
		assert_int_equal(ask(STUB_ERASE_ALL, 0, 0, NULL, 0).answer.status, STUB_OK);
		assert_memory_equal(chip.flash, blank, sizeof(blank));
	}
}

static void test_wrong_page_is_refused(void **state)
{
	(void)state;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct stub_erase pages[] = {
			{.size = 0x400, .select = select_of(kinds[k], PAGE + 0x400) | 1},
			{.size = 0x400, .select = 1 << 2},  /* MER */
			{.size = 0x400, .select = 1 << 16}, /* STRT */
			{.size = 0x400, .select = select_of(kinds[k], PAGE + 0x4000)},
			{.size = 0x800, .select = 0x9 << 3},
			{.size = STUB_CHIP_FLASH_SIZE + 0x400, .select = select_of(kinds[k], PAGE)},
		};

		for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
			struct reply r;

			/* Sectors differ in size: the stub of K2 takes each number. */
			if (kinds[k] == STUB_K2 && (i == 3 || i == 4))
				continue;
			begin(kinds[k]);
			r = ask(STUB_ERASE, 0, PAGE + 0x400, &pages[i], sizeof(pages[i]));
			assert_int_equal(r.answer.status, STUB_RANGE);
			assert_int_equal(chip.n_erased, 0);
		}
		begin(kinds[k]);
		assert_int_equal(ask(STUB_ERASE, 0, PAGE, pages, 4).answer.status, STUB_RANGE);
	}
}

static void test_second_bank_of_k3(void **state)
{
	(void)state;
	static const struct {
		uint32_t bank2_select, bank2_page, address, select;
		enum stub_status status;
	} rows[] = {
		{1 << 11, 0, PAGE + 0x8400, 1 << 11 | 1 << 3, STUB_OK},
		{1 << 11, 0, PAGE + 0x8400, 1 << 3, STUB_RANGE},
		{1 << 11, 0, PAGE + 0x8400, 1 << 11 | 2 << 3, STUB_RANGE},
		{1 << 11, 0, PAGE + 0x400, 1 << 11 | 1 << 3, STUB_RANGE},
		{1 << 11, 0, PAGE + 0x400, 1 << 3, STUB_OK},
		{0, 64, PAGE + 0x8400, 65 << 3, STUB_OK},
		{0, 64, PAGE + 0x8400, 1 << 3, STUB_RANGE},
		{1 << 13, 64, PAGE + 0x8400, 1 << 13 | 65 << 3, STUB_OK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stub_erase page = {.size = 0x400, .select = rows[i].select};

		begin(STUB_K3);
		chip.setup->bank2 = PAGE + 0x8000;
		chip.setup->bank2_select = rows[i].bank2_select;
		chip.setup->bank2_page = rows[i].bank2_page;
		if (rows[i].status == STUB_OK)
			chip.hangs =
				true; /* the model has one bank: only what is asked for counts */
		assert_int_equal(
			ask(STUB_ERASE, 0, rows[i].address, &page, sizeof(page)).answer.status,
			rows[i].status == STUB_OK ? STUB_TIMEOUT : STUB_RANGE);
	}
}

static void test_failure_stays(void **state)
{
	(void)state;
	uint8_t bytes[32];
	struct reply r;

	memset(bytes, 0x11, sizeof(bytes));
	begin(STUB_K1);
	chip.flash[18] = 0x7F;
	r = ask(STUB_DATA, 0, PAGE, bytes, sizeof(bytes));
	assert_int_equal(r.answer.status, STUB_NOT_BLANK);
	assert_int_equal(r.answer.failure, STUB_NOT_BLANK);
	assert_int_equal(r.answer.address, PAGE + 16);
	assert_int_equal(r.answer.expected, 1);
	assert_int_equal(chip.n_programmed, 8);
	r = erase(1, STUB_K1, PAGE);
	assert_int_equal(r.answer.status, STUB_NOT_BLANK);
	assert_int_equal(r.answer.expected, 2);
	assert_int_equal(chip.n_erased, 0);
	r = ask(STUB_ECHO, 9, 0, bytes, 4);
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.failure, STUB_NOT_BLANK);
	assert_int_equal(r.answer.address, PAGE + 16);
	hello();
	r = erase(0, STUB_K1, PAGE);
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.failure, STUB_OK);
	assert_int_equal(r.answer.address, 0);
	assert_int_equal(chip.n_erased, 1);
}

static void test_protected_page(void **state)
{
	(void)state;
	uint8_t bytes[8] = {0};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct reply r;

		begin(kinds[k]);
		chip.protected_from = PAGE;
		chip.protected_to = PAGE + 0x4000;
		r = erase(0, kinds[k], PAGE);
		assert_int_equal(r.answer.status, STUB_WRITE_PROTECTED);
		assert_int_equal(r.answer.address, PAGE);
		assert_int_equal(r.answer.flash_status & 0x10, 0x10);
		hello();
		r = ask(STUB_DATA, 0, PAGE, bytes, 8);
		assert_int_equal(r.answer.status, STUB_WRITE_PROTECTED);
		/* A flag that was left does not fail the next operation. */
		hello();
		assert_int_equal(erase(0, kinds[k], PAGE + 0x4000).answer.status, STUB_OK);
	}
}

static void test_flash_that_hangs(void **state)
{
	(void)state;
	struct reply r;
	uint32_t size = 0x400;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		begin(kinds[k]);
		chip.hangs = true;
		r = erase(0, kinds[k], PAGE);
		assert_int_equal(r.answer.status, STUB_TIMEOUT);
		assert_int_equal(r.answer.flash_status & chip.setup->busy, chip.setup->busy);
		/* Nothing looks into flash that is busy; seam_memory() would end the program. */
		assert_int_not_equal(ask(STUB_SUM, 0, PAGE, &size, 4).answer.status, STUB_OK);
		assert_int_not_equal(ask(STUB_READ, 0, PAGE, &size, 4).answer.status, STUB_OK);
		hello();
		assert_int_equal(erase(0, kinds[k], PAGE).answer.status, STUB_TIMEOUT);
	}
}

static void test_limit_counts_while_it_is_busy_alone(void **state)
{
	(void)state;
	uint8_t bytes[64] = {0};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		begin(kinds[k]);
		/* One look at the flash lasts longer than the limit, and the flash is ready by
		 * then. */
		chip.program_ticks = 20;
		chip.setup->program_limit = 20;
		assert_int_equal(
			ask(STUB_DATA, 0, PAGE, bytes, sizeof(bytes)).answer.status, STUB_OK);
	}
}

static void test_sums(void **state)
{
	(void)state;
	uint32_t sizes[STUB_PAGES_MAX];
	struct stub_sums sums[STUB_PAGES_MAX];
	uint32_t at = 0;
	struct reply r;

	begin(STUB_K1);
	fill(chip.flash, sizeof(chip.flash), 3);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		sizes[i] = (uint32_t)(i % 5 * 64 + 4 * (i % 3));
	r = ask(STUB_SUM, 3, PAGE + 4, sizes, sizeof(sizes));
	assert_int_equal(r.answer.status, STUB_OK);
	assert_int_equal(r.answer.size, sizeof(sums));
	memcpy(sums, r.data, sizeof(sums));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(sums[i].ieee, stub_chip_crc(IEEE, chip.flash + 4 + at, sizes[i]));
		assert_int_equal(sums[i].castagnoli,
			stub_chip_crc(CASTAGNOLI, chip.flash + 4 + at, sizes[i]));
		at += sizes[i];
	}
	/* All of the flash, and the last word. */
	sizes[0] = STUB_CHIP_FLASH_SIZE - 4;
	sizes[1] = 4;
	r = ask(STUB_SUM, 3, PAGE, sizes, 8);
	assert_int_equal(r.answer.status, STUB_OK);
	sizes[1] = 8;
	assert_int_equal(ask(STUB_SUM, 3, PAGE, sizes, 8).answer.status, STUB_RANGE);
	sizes[0] = 6;
	assert_int_equal(ask(STUB_SUM, 3, PAGE, sizes, 4).answer.status, STUB_RANGE);
	sizes[0] = 0xFFFFFFFC;
	assert_int_equal(ask(STUB_SUM, 3, PAGE, sizes, 4).answer.status, STUB_RANGE);
	sizes[0] = 4;
	assert_int_equal(ask(STUB_SUM, 3, PAGE + 2, sizes, 4).answer.status, STUB_RANGE);
	assert_int_equal(ask(STUB_SUM, 3, PAGE - 4, sizes, 4).answer.status, STUB_RANGE);
	assert_int_equal(
		ask(STUB_SUM, 3, PAGE, chip.flash, STUB_DATA_MAX).answer.status, STUB_RANGE);
}

static void test_lost_bytes_are_counted(void **state)
{
	(void)state;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct reply r;

		begin(kinds[k]);
		chip.overruns = true;
		r = ask(STUB_ECHO, 1, 0, "abc", 3);
		assert_int_equal(r.answer.status, STUB_OK);
		assert_int_equal(r.answer.lost, 1);
		hello();
		/* A frame is taken beside the work; then the ring is full while the flash is busy;
		 * the bytes behind are lost. */
		chip.setup->erase_limit = 0xFFFFFFF;
		chip.erase_ticks = 300000;
		stub_chip_send_frame(&chip, STUB_ERASE, 0, PAGE,
			&(struct stub_erase){.size = kinds[k] == STUB_K2 ? 0x4000 : 0x400,
				.select = select_of(kinds[k], PAGE)},
			8);
		stub_chip_send_frame(&chip, STUB_ECHO, 9, 0, NULL, 0);
		for (unsigned i = 0; i < 5000; i++)
			stub_chip_send(&chip, "\1", 1);
		stub_chip_send(&chip, "\0", 1);
		assert_int_equal(stub_chip_run(&chip), STUB_CHIP_IDLE);
		assert_true(stub_chip_answer(&chip, &r.answer, r.data));
		assert_int_equal(r.answer.status, STUB_OK);
		assert_int_equal(r.answer.lost, (5001 - 4095) % 256);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stub_check_18_bounds),
		cmocka_unit_test(test_each_kind_erases_and_writes),
		cmocka_unit_test(test_each_unit_of_k2),
		cmocka_unit_test(test_mass_erase),
		cmocka_unit_test(test_wrong_page_is_refused),
		cmocka_unit_test(test_second_bank_of_k3),
		cmocka_unit_test(test_failure_stays),
		cmocka_unit_test(test_protected_page),
		cmocka_unit_test(test_flash_that_hangs),
		cmocka_unit_test(test_limit_counts_while_it_is_busy_alone),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_lost_bytes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
