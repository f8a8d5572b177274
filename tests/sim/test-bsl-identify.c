/* SPDX-License-Identifier: MIT */
/*
 * test-bsl-identify.c - which chip of TI is there, and which is refused, against the simulated ROM;
 * and the forms of commands that a chip has. `ti_check_NN_`: row NN of ti-bsl.md 14.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "image/digest.h"
#include "sim/bsl-stand.h"

/* Nothing but GET_CHIP_ID and MEMORY_READ was sent behind 55 55. */
static void assert_only_asked(const struct bsl_stand *stand)
{
	const struct sim_counters *counters = sim_counters(stand->bench->sim);

	for (unsigned code = 0; code < 256; code++)
		if (code != BSL_GET_CHIP_ID && code != BSL_MEMORY_READ)
			assert_int_equal(counters->commands[code], 0);
	assert_true(counters->commands[BSL_GET_CHIP_ID] > 0);
	assert_int_equal(counters->pages_erased + counters->mass_erases, 0);
}

static void begin(struct bsl_stand *stand, const char *sim_chip, const char *rule_chip,
	const struct sim_ti *board)
{
	bsl_begin(stand, sim_chip, rule_chip, board, NULL);
	assert_int_equal(stand->loader->ops->sync(stand->loader, true), 0);
}

static void every_chip_is_known(void **state)
{
	static const struct {
		const char *chip;
		uint32_t id, bytes;
		const char *details[3];
	} rows[] = {
		{"cc2652p", 0xBB41, 352 << 10, {"part CC2652P", "user-code 0x3202", "package 2"}},
		{"cc2652rb", 0xBB41, 352 << 10, {"part CC2652RB", "user-code 0x3102", ""}},
		{"cc1352p", 0xBB41, 352 << 10, {"part not said", "", ""}},
		{"cc2652p7", 0xBB77, 704 << 10, {"part CC2652P7", "", ""}},
		{"cc1352p7", 0xBB77, 704 << 10, {"part CC1352P7", "", ""}},
		{"cc1310", 0xB9BE, 128 << 10, {"", "", ""}},
		{"cc2538", 0xB964, 512 << 10, {"", "", ""}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_ti board = {
			.ieee = {0x00, 0x12, 0x4B, 0x00, 0x22, 0x98, 0x88, 0x7F}};
		struct bsl_stand stand;

		print_message("# %s\n", rows[i].chip);
		begin(&stand, rows[i].chip, rows[i].chip, &board);
		assert_int_equal(bsl_find(&stand), 0);
		print_message("# %s\n", stand.identity.details);
		assert_int_equal(stand.identity.product_id, rows[i].id);
		assert_non_null(stand.identity.chip);
		assert_int_equal(stand.identity.flash_bytes, rows[i].bytes);
		assert_string_equal(stand.identity.unique_id, "00124b002298887f");
		assert_string_equal(stand.identity.refusal, "");
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].details); k++)
			assert_non_null(strstr(stand.identity.details, rows[i].details[k]));
		assert_only_asked(&stand);
		bsl_end(&stand);
	}
}

/* ti-bsl.md 5.1 and 5.5: what a rule's `backdoor-pin` has to be. */
static void the_installed_backdoor_is_told(void **state)
{
	static const struct {
		const char *chip;
		uint32_t offset, word;
		const char *said;
	} rows[] = {
		{"cc2652p", 0x57FD8, 0xC5FE0FC5, "backdoor DIO15 low"},
		{"cc2652p", 0x57FD8, 0xC5FE0DC5, "backdoor DIO13 low"},
		{"cc2652p", 0x57FD8, 0xC5FF0FC5, "backdoor DIO15 high"},
		{"cc2652p", 0x57FD8, 0xC5FFFFFF, "backdoor off (BL_CONFIG 0xc5ffffff)"},
		{"cc2652p", 0x57FD8, 0x00FFFF00, "backdoor off (BL_CONFIG 0x00ffff00)"},
		{"cc2652p7", 0xAFFD8, 0xC5FE0FC5, "backdoor DIO15 low"},
		{"cc1310", 0x1FFD8, 0xC5FE0BC5, "backdoor DIO11 low"},
		{"cc2538", 0x7FFD4, 0xF3FFFFFF, "backdoor PA3 low"},
		{"cc2538", 0x7FFD4, 0xFEFFFFFF, "backdoor PA6 high"},
		{"cc2538", 0x7FFD4, 0xEFFFFFFF, "backdoor off"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bsl_stand stand;

		print_message("# %s: %s\n", rows[i].chip, rows[i].said);
		begin(&stand, rows[i].chip, rows[i].chip, NULL);
		for (unsigned k = 0; k < 4; k++)
			sim_flash(stand.bench->sim)[rows[i].offset + k] =
				(uint8_t)(rows[i].word >> 8 * k);
		assert_int_equal(bsl_find(&stand), 0);
		print_message("# %s\n", stand.identity.details);
		assert_non_null(strstr(stand.identity.details, rows[i].said));
		bsl_end(&stand);
	}
}

/* A wafer of another row is left to the procedure, which compares rows with the rule. */
static void ti_check_04_another_wafer_is_another_row(void **state)
{
	struct bsl_stand stand;

	(void)state;
	begin(&stand, "cc2652p7", "cc2652p", NULL);
	assert_int_equal(bsl_find(&stand), 0);
	assert_string_equal(stand.identity.chip->name, "CC26x2x7");
	assert_false(chip_is_one_of(
		stand.identity.chip, stand.bench->board.chip, stand.bench->board.n_chip));
	assert_only_asked(&stand);
	bsl_end(&stand);
}

static void ti_check_04_another_size_is_refused(void **state)
{
	const struct sim_ti board = {.flash_sectors = 22};
	struct bsl_stand stand;

	(void)state;
	begin(&stand, "cc2652p", "cc2652p", &board);
	assert_int_equal(bsl_find(&stand), 0);
	print_message("# %s\n", stand.identity.refusal);
	assert_int_equal(stand.identity.refusal_outcome, OUTCOME_WRONG_CHIP);
	assert_non_null(strstr(stand.identity.refusal, "176 KiB"));
	assert_non_null(strstr(stand.identity.refusal, "352"));
	assert_only_asked(&stand);
	bsl_end(&stand);
}

/* P and R share a wafer: only JTAGUSERCODE tells them apart, where it is known (ti-bsl.md 4). */
static void ti_check_04_another_part_of_the_same_wafer_is_refused(void **state)
{
	static const struct {
		const char *chip, *rule;
		uint32_t user_code;
		bool is_refused;
	} rows[] = {
		{"cc2652p", "cc2652p", 0, false},
		{"cc2652p", "CC2652P1FRGZ", 0, false},
		{"cc2652rb", "cc2652p", 0, true},
		{"cc2652rb", "cc2652rb", 0, false},
		{"cc2652rb", "cc2652r", 0, true},
		{"cc2652p", "cc2652rb", 0, true},
		{"cc2652rb", "cc2652p cc2652rb", 0, false},
		/* It does not say which it is: the word of the rule is all that there is. */
		{"cc1352p", "cc2652p", 0, false},
		{"cc2652rb", "cc2652p", 0x12345678, false},
		{"cc2652rb", "cc2652p", UINT32_MAX, false},
		/* The rule takes every part of the wafer. */
		{"cc2652rb", "0xBB41", 0, false},
		{"cc2652rb", "CC26x2", 0, false},
		{"cc1352p7", "cc2652p7", 0, true},
		{"cc1352p7", "cc1352p7", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_ti board = {.user_code = rows[i].user_code};
		struct bsl_stand stand;

		print_message("# %s under a rule for %s\n", rows[i].chip, rows[i].rule);
		begin(&stand, rows[i].chip, rows[i].rule, &board);
		assert_int_equal(bsl_find(&stand), 0);
		print_message("# %s\n", stand.identity.refusal);
		assert_int_equal(*stand.identity.refusal != '\0', rows[i].is_refused);
		assert_only_asked(&stand);
		if (rows[i].is_refused)
			assert_int_equal(stand.identity.refusal_outcome, OUTCOME_WRONG_CHIP);
		bsl_end(&stand);
	}
}

/* A rule for the whole row says nothing of pins, and the chip does (ti-bsl.md 5.4, no. 4). */
static void a_pin_of_the_serial_line_is_no_backdoor_on_the_chip_that_answers(void **state)
{
	static const struct {
		const char *chip, *rule;
		uint8_t pin;
		bool is_refused;
	} rows[] = {
		{"cc2652p", "CC26x2", 15, false},
		{"cc2652p", "CC26x2", 13, true},
		{"cc2652p", "0xBB41", 12, true},
		{"cc2652rb", "CC26x2", 13, false},
		{"cc2652p7", "0xBB77", 13, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bsl_stand stand;

		begin(&stand, rows[i].chip, rows[i].rule, NULL);
		stand.bench->board.backdoor_pin = rows[i].pin;
		assert_int_equal(bsl_find(&stand), 0);
		print_message("# %s\n", stand.identity.refusal);
		assert_int_equal(*stand.identity.refusal != '\0', rows[i].is_refused);
		if (rows[i].is_refused)
			assert_int_equal(stand.identity.refusal_outcome, OUTCOME_BAD_CONFIG);
		assert_only_asked(&stand);
		bsl_end(&stand);
	}
}

static void ti_check_05_what_is_not_known_is_only_asked(void **state)
{
	static const struct {
		const char *chip;
		uint32_t wafer_id;
	} rows[] = {
		{"cc2652p", 0x1234},
		/* The x4, by the id that it is said to have, and one that says that of the CC2538.
		 */
		{"cc2652p", 0xBB78},
		{"cc2652p", 0xB964},
		{"cc1354p10", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_ti board = {.wafer_id = rows[i].wafer_id};
		struct bsl_stand stand;

		begin(&stand, rows[i].chip, "cc2652p", &board);
		assert_int_equal(bsl_find(&stand), LOADER_UNKNOWN_CHIP);
		print_message("# 0x%04x: %s\n", stand.identity.product_id, stand.identity.refusal);
		assert_null(stand.identity.chip);
		/* The x4 with the reason. */
		assert_int_equal(strstr(stand.identity.refusal, "0x50000000") != NULL,
			stand.identity.product_id == 0xBB78);
		if (rows[i].wafer_id)
			assert_int_equal(stand.identity.product_id, rows[i].wafer_id);
		assert_only_asked(&stand);
		bsl_end(&stand);
	}
}

/* ------------------------------------------------------------------ forms of commands */

/* All that is done to a chip, in the forms that its ROM takes: nothing is answered by 0x42. */
static void ti_check_23_each_rom_gets_the_forms_that_it_takes(void **state)
{
	static const char *const chips[] = {"cc2538", "cc1310", "cc2652p", "cc2652p7"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct bsl_stand stand;
		uint8_t bytes[248], got[248], said[LOADER_DIGEST_MAX];
		struct chip_page page;
		uint32_t start, at;

		print_message("# %s\n", chips[i]);
		bsl_begin_inside(&stand, chips[i], NULL, NULL);
		start = stand.identity.chip->flash.start;
		at = start + 0x4000;
		bsl_fill(bytes, sizeof(bytes), 5);
		memset(sim_flash(stand.bench->sim), 0, 0x10000);
		assert_true(chip_page_at(stand.identity.chip, at, &page));
		assert_int_equal(bsl_erase_at(&stand, at), 0);
		/* That page alone. */
		for (uint32_t k = 0; k < 0x8000; k++)
			assert_int_equal(sim_flash(stand.bench->sim)[k],
				start + k >= page.address && start + k < page.address + page.size
					? 0xFF
					: 0);
		assert_int_equal(
			stand.loader->ops->write(stand.loader, at, bytes, sizeof(bytes)), 0);
		assert_int_equal(stand.loader->ops->read(stand.loader, at, got, sizeof(got)), 0);
		assert_memory_equal(got, bytes, sizeof(bytes));
		assert_int_equal(
			stand.loader->ops->digest(stand.loader, at, sizeof(bytes), said), 0);
		assert_int_equal(bsl_word(said), digest_crc32(bytes, sizeof(bytes)));
		assert_int_equal(sim_ti(stand.bench->sim)->status, BSL_STATUS_SUCCESS);
		bsl_end(&stand);
	}
}

static void ti_check_23_a_form_that_is_refused_ends_the_job(void **state)
{
	static const uint8_t codes[] = {BSL_SECTOR_ERASE, BSL_DOWNLOAD};
	static const uint8_t statuses[] = {
		BSL_STATUS_UNKNOWN_COMMAND, BSL_STATUS_INVALID_COMMAND, BSL_STATUS_INVALID_ADDRESS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		for (size_t k = 0; k < ARRAY_SIZE(statuses); k++) {
			const struct sim_ti_faults faults = {.status_code = codes[i],
				.status_nth = UINT32_MAX,
				.status = statuses[k]};
			uint8_t bytes[248] = {1};
			struct bsl_stand stand;
			int r;

			bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
			r = codes[i] == BSL_SECTOR_ERASE ? bsl_erase_at(&stand, 0x2000)
							 : stand.loader->ops->write(stand.loader,
								   0x2000, bytes, sizeof(bytes));
			assert_int_equal(r, LOADER_REFUSED);
			/* Once: it would be refused again. */
			assert_int_equal(bsl_count(&stand, codes[i]), 1);
			assert_int_equal(bsl_count(&stand, BSL_SEND_DATA), 0);
			print_message("# %s\n", stand.loader->ops->refusal(stand.loader));
			bsl_end(&stand);
		}
}

/* ------------------------------------------------------------------ erases that take long */

static void ti_check_12_a_worn_sector_may_take_four_seconds(void **state)
{
	static const struct {
		uint64_t nsec;
		int result;
	} rows[] = {{4000 * NSEC_PER_MSEC, LOADER_OK}, {SIM_NEVER, LOADER_NO_ANSWER}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_faults faults = {.erase_nsec = rows[i].nsec};
		struct bsl_stand stand;
		uint64_t began;

		bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
		sim_set_faults(stand.bench->sim, &faults);
		began = port_now(stand.port);
		assert_int_equal(bsl_erase_at(&stand, 0x2000), rows[i].result);
		assert_true(port_now(stand.port) - began < 5500 * USEC_PER_MSEC);
		assert_int_equal(bsl_count(&stand, BSL_SECTOR_ERASE), 1);
		bsl_end(&stand);
	}
}

/* Once more where the sector refuses, and then it is its last word (ti-bsl.md 2.1). */
static void a_sector_that_refuses_is_erased_once_more(void **state)
{
	static const struct {
		unsigned times;
		int result;
	} rows[] = {{1, LOADER_OK}, {UINT32_MAX, LOADER_REFUSED}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sim_ti_faults faults = {
			.stubborn = 0x2000, .stubborn_times = rows[i].times};
		struct bsl_stand stand;

		bsl_begin_inside(&stand, "cc2652p", NULL, &faults);
		assert_int_equal(bsl_erase_at(&stand, 0x2000), rows[i].result);
		assert_int_equal(bsl_count(&stand, BSL_SECTOR_ERASE), 2);
		if (rows[i].result != LOADER_OK)
			assert_non_null(strstr(
				stand.loader->ops->refusal(stand.loader), "write-protected"));
		bsl_end(&stand);
	}
}

/* It takes the network as well, and the ROM of the CC2538 has it not. */
static void a_bank_erase_takes_all_of_it(void **state)
{
	struct bsl_stand stand;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	memset(sim_flash(stand.bench->sim), 0x5A, 0x56000);
	assert_int_equal(stand.loader->ops->bank_erase(stand.loader), 0);
	for (uint32_t at = 0; at < 0x56000; at++)
		assert_int_equal(sim_flash(stand.bench->sim)[at], 0xFF);
	bsl_end(&stand);
	bsl_begin_inside(&stand, "cc2538", NULL, NULL);
	assert_int_equal(stand.loader->ops->bank_erase(stand.loader), LOADER_UNSUPPORTED);
	assert_int_equal(bsl_count(&stand, BSL_BANK_ERASE), 0);
	bsl_end(&stand);
}

static void ti_check_24_a_bank_erase_ends_in_its_limit(void **state)
{
	const struct sim_faults slow = {.erase_nsec = SIM_NEVER};
	struct bsl_stand stand;
	uint64_t began;

	(void)state;
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	sim_set_faults(stand.bench->sim, &slow);
	began = port_now(stand.port);
	assert_int_equal(stand.loader->ops->bank_erase(stand.loader), LOADER_NO_ANSWER);
	assert_true(port_now(stand.port) - began < 16 * USEC_PER_SEC);
	bsl_end(&stand);
	/* The cable is pulled after two seconds of it. */
	bsl_begin_inside(&stand, "cc2652p", NULL, NULL);
	sim_set_faults(stand.bench->sim, &slow);
	began = port_now(stand.port);
	port_sim_set_options(
		BENCH_PORT, &(struct port_sim_options){.unplug_at_usec = began + 2 * USEC_PER_SEC});
	assert_int_equal(stand.loader->ops->bank_erase(stand.loader), -ENODEV);
	assert_true(port_now(stand.port) - began < 3 * USEC_PER_SEC);
	bsl_end(&stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_chip_is_known),
		cmocka_unit_test(the_installed_backdoor_is_told),
		cmocka_unit_test(ti_check_04_another_wafer_is_another_row),
		cmocka_unit_test(ti_check_04_another_size_is_refused),
		cmocka_unit_test(ti_check_04_another_part_of_the_same_wafer_is_refused),
		cmocka_unit_test(a_pin_of_the_serial_line_is_no_backdoor_on_the_chip_that_answers),
		cmocka_unit_test(ti_check_05_what_is_not_known_is_only_asked),
		cmocka_unit_test(ti_check_23_each_rom_gets_the_forms_that_it_takes),
		cmocka_unit_test(ti_check_23_a_form_that_is_refused_ends_the_job),
		cmocka_unit_test(ti_check_12_a_worn_sector_may_take_four_seconds),
		cmocka_unit_test(a_sector_that_refuses_is_erased_once_more),
		cmocka_unit_test(a_bank_erase_takes_all_of_it),
		cmocka_unit_test(ti_check_24_a_bank_erase_ends_in_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
