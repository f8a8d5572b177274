/* SPDX-License-Identifier: MIT */
/*
 * test-ti-guard.c - what an update may do to a stick with a chip of TI, and what it leaves behind
 * however it ends: a way back into the boot loader, the network, and the stick's own address. The
 * checks of ti-bsl.md 14 that are about the guard, on the simulated ROM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ti-guard.h"

static const char *const chips[] = {"cc2652p", "cc2652rb", "cc2652p7", "cc1310", "cc2538"};

static const uint8_t ieee[8] = {0x88, 0x77, 0x66, 0x55, 0x00, 0x4B, 0x12, 0x00};

/* Its power goes and comes back. */
static enum sim_ti_start start_of(struct bench *bench)
{
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
	return sim_ti(bench->sim)->start;
}

static bool is_after_all_in_the_loader_or_new(struct bench *bench)
{
	enum sim_ti_start start = start_of(bench);

	return start == SIM_TI_NO_IMAGE || start == SIM_TI_BACKDOOR ||
	       (start == SIM_TI_APPLICATION && sim_ti(bench->sim)->revision == 20240710);
}

/* ------------------------------------------------------------------ what goes well */

static void an_update_leaves_what_belongs_to_the_stick(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(chips); i++) {
		const char *chip = chips[i / 2];
		struct bench *bench = ti_guard_new(chip, NULL, NULL, "");
		struct ti_make_image made = ti_make_new(chip, TI_NEW, 0);

		ti_guard_install_old(bench, chip);
		memcpy(ti_guard_at(bench, ti_make_ieee(made.chip)), ieee, sizeof(ieee));
		ti_guard_take(bench, &made, i % 2);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("%s: %s", chip, bench->report.reason.text);
		assert_int_equal(bench->report.proof, PROOF_DIGEST);
		assert_true(ti_guard_has_network(bench, chip));
		/* ti_check_16, in short: the address is written with the image. */
		assert_memory_equal(
			ti_guard_at(bench, ti_make_ieee(made.chip)), ieee, sizeof(ieee));
		assert_non_null(strstr(bench->report.remark,
			"its secondary IEEE address 00124b0055667788 is kept"));
		assert_true(strlen(bench->report.kept) ==
			    (strcmp(chip, "cc2538") == 0 ? 2 * 52 : 2 * 88));
		assert_true(bench_holds_image(bench));
		assert_int_equal(ti_guard_sent(bench, TI_BANK_ERASE), 0);
		assert_int_equal(ti_guard_sent(bench, TI_SET_CCFG), 0);
		/* And no erase of a sector that the image does not fill. */
		assert_true(ti_guard_sent(bench, TI_ERASE) <= 40);
		assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
		ti_make_done(&made);
		bench_free(bench);
	}
}

static void ti_check_18_a_stick_that_has_the_file_is_only_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		struct bench *bench = ti_guard_new(chips[i], NULL, NULL, "");
		struct ti_make_image made = ti_make_new(chips[i], TI_NEW, 0);

		ti_guard_install(bench, &made);
		/* With an address of its own, which the file does not have. */
		memcpy(ti_guard_at(bench, ti_make_ieee(made.chip)), ieee, sizeof(ieee));
		ti_guard_take(bench, &made, true);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_CURRENT)
			fail_msg("%s: %s", chips[i], bench->report.reason.text);
		assert_int_equal(ti_guard_sent(bench, TI_ERASE), 0);
		assert_int_equal(ti_guard_sent(bench, 0x21), 0);
		assert_int_equal(ti_guard_sent(bench, TI_SEND_DATA), 0);
		assert_true(ti_guard_sent(bench, 0x27) > 0);
		assert_true(ti_guard_sent(bench, 0x2A) > 0);
		ti_make_done(&made);
		bench_free(bench);
	}
}

static void the_pin_that_is_another_one_from_now_on_is_told(void **state)
{
	struct bench *bench = ti_guard_new("cc2652p", &(struct sim_ti){.pin = 13}, NULL, "");
	struct ti_make_image old = ti_make_new("cc2652p", TI_OLD, 0);

	(void)state;
	assert_true(ti_make_fault(&old, TI_FAULT_PIN));
	assert_true(ti_make_fault(&old, TI_FAULT_CAP_ARRAY));
	ti_guard_install(bench, &old);
	ti_guard_take_new(bench, "cc2652p", TI_NEW);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_string_equal(bench->report.remark,
		"the backdoor of its boot loader: DIO13 (low) before, DIO15 (low) with this image; its XOSC_CAPARRAY_DELTA: 0xfa before, 0xc1 with this image: if the radio is deaf then, the image is one for another board");
	/* What it had: offset 0x31 is the pin. */
	assert_memory_equal(bench->report.kept + 2 * 0x30, "c50dfec5", 8);
	ti_make_done(&old);
	bench_free(bench);
}

/* ------------------------------------------------------------------ refused */

static void ti_check_01_02_03_a_bad_image_changes_nothing(void **state)
{
	static const enum ti_make_fault faults[] = {TI_FAULT_LOADER_OFF, TI_FAULT_BACKDOOR_OFF,
		TI_FAULT_STOCK, TI_FAULT_PIN, TI_FAULT_UART_PIN, TI_FAULT_LEVEL,
		TI_FAULT_BANK_ERASE_OFF, TI_FAULT_CHIP_ERASE_OFF, TI_FAULT_PROTECTED,
		TI_FAULT_DEBUG_CLOSED, TI_FAULT_IMAGE_VALID, TI_FAULT_STACK, TI_FAULT_NO_CCFG,
		TI_FAULT_PART_CCFG, TI_FAULT_BEYOND};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct bench *bench = ti_guard_new("cc2652p", NULL, NULL, "");
		struct ti_make_image made = ti_make_new("cc2652p", TI_NEW, 0);

		assert_true(ti_make_fault(&made, faults[i]));
		ti_guard_install_old(bench, "cc2652p");
		ti_guard_take(bench, &made, true);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_BAD_IMAGE)
			fail_msg("%s is taken", ti_make_fault_names[faults[i]]);
		assert_false(bench->report.has_erased);
		assert_int_equal(ti_guard_sent(bench, TI_ERASE), 0);
		assert_int_equal(ti_guard_sent(bench, TI_SEND_DATA), 0);
		assert_int_equal(ti_guard_sent(bench, TI_BANK_ERASE), 0);
		if (faults[i] == TI_FAULT_DEBUG_CLOSED)
			ti_guard_says(bench,
				"CCFG TAP_DAP_0 at 0x57fe5: the byte is 0x00, and 0xc5 is wanted, as the stick has it");
		ti_make_done(&made);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the erase of the top sector */

static void ti_check_15_what_the_rom_puts_into_the_ccfg_is_told_by_its_field(void **state)
{
	static const struct {
		const char *name;
		struct sim_ti board;
		struct sim_ti_byte spoils;
		enum outcome outcome;
		const char *says;
	} cases[] = {
		{"after the erase", {.delivery = {true, 0x3B, 0xC5}}, {0}, OUTCOME_ERASE_FAILED,
			"CCFG TI_OPTIONS at 0x57fe3: the chip itself has put 0xc5 there with the erase of its sector, and the image wants 0xff"},
		{"another pin", {.delivery_bl_config = 0xC5FE0DC5}, {0}, OUTCOME_ERASE_FAILED,
			"CCFG BL_CONFIG at 0x57fd9: the chip itself has put 0x0d there"},
		{"with the write", {0}, {true, 0x3B, 0xC5}, OUTCOME_VERIFY_DIFFERS,
			"CCFG TI_OPTIONS at 0x00057fe3: the chip has 0xc5, and the image 0xff"},
		{"a locked loader", {0}, {true, 0x33, 0xC1}, OUTCOME_VERIFY_DIFFERS,
			"CCFG BL_CONFIG at 0x00057fdb: the chip has 0xc1, and the image 0xc5"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sim_ti_faults faults = {.spoils = cases[i].spoils};
		struct bench *bench = ti_guard_new("cc2652p", &cases[i].board, &faults, "");

		ti_guard_install_old(bench, "cc2652p");
		ti_guard_take_new(bench, "cc2652p", TI_NEW);
		if (bench_run(bench, FLASH_UPDATE) != cases[i].outcome)
			fail_msg("%s: %s: %s", cases[i].name,
				outcome_to_string(bench->report.outcome),
				bench->report.reason.text);
		ti_guard_says(bench, cases[i].says);
		assert_int_equal(bench->report.proof, PROOF_NONE);
		/* The safe state: no image, and the loader on. */
		assert_memory_equal(sim_ti(bench->sim)->ccfg + 0x44, "\xFF\xFF\xFF\xFF", 4);
		assert_int_equal(start_of(bench), SIM_TI_NO_IMAGE);
		assert_true(ti_guard_has_network(bench, "cc2652p"));
		if (cases[i].outcome == OUTCOME_ERASE_FAILED) {
			/* The sector of the CCFG alone was erased. */
			assert_int_equal(ti_guard_sent(bench, TI_ERASE), 1);
			assert_int_equal(ti_guard_sent(bench, TI_SEND_DATA), 0);
			ti_guard_says(bench, "stays in its boot loader at every reset");
		}
		bench_free(bench);
	}
}

static void all_is_erased_under_the_key_that_says_so_alone(void **state)
{
	const struct sim_ti pin_13 = {.delivery_bl_config = 0xC5FE0DC5};
	struct bench *bench =
		ti_guard_new("cc2652p", &pin_13, NULL, "bank-erase = loses-network\n");

	(void)state;
	ti_guard_install_old(bench, "cc2652p");
	ti_guard_take_new(bench, "cc2652p", TI_NEW);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_int_equal(ti_guard_sent(bench, TI_BANK_ERASE), 1);
	assert_true(bench->report.mass_erased);
	assert_false(ti_guard_has_network(bench, "cc2652p"));
	assert_true(bench_holds_image(bench));
	bench_free(bench);
	/* Where the erase of the sector is enough it is not used. */
	bench = ti_guard_new("cc2652p", NULL, NULL, "bank-erase = loses-network\n");
	ti_guard_install_old(bench, "cc2652p");
	ti_guard_take_new(bench, "cc2652p", TI_NEW);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(ti_guard_sent(bench, TI_BANK_ERASE), 0);
	assert_true(ti_guard_has_network(bench, "cc2652p"));
	bench_free(bench);
	/* Nor where something is to be kept. */
	bench = ti_guard_new("cc2652p", &pin_13, NULL, "keep = 0x50000+0x6000\n");
	bench->board.bank_erase = BOARD_BANK_ERASE_LOSES_NETWORK;
	ti_guard_install_old(bench, "cc2652p");
	ti_guard_take_new(bench, "cc2652p", TI_NEW);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
	assert_int_equal(ti_guard_sent(bench, TI_BANK_ERASE), 0);
	assert_true(ti_guard_has_network(bench, "cc2652p"));
	ti_guard_says(bench, "all of it is not erased, since the rule has a `keep`");
	bench_free(bench);
}

static void ti_check_13_a_sector_that_is_not_erased_ends_the_job_before_a_byte_is_written(
	void **state)
{
	static const uint32_t sectors[] = {0, 0x2000, 0x56000};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(sectors); i++) {
		const struct sim_ti_faults faults = {.stubborn = sectors[i / 2],
			.stubborn_times = UINT32_MAX,
			.is_stubborn_silent = i % 2};
		struct bench *bench = ti_guard_new("cc2652p", NULL, &faults, "");

		ti_guard_install_old(bench, "cc2652p");
		ti_guard_take_new(bench, "cc2652p", TI_NEW);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_ERASE_FAILED);
		assert_int_equal(ti_guard_sent(bench, TI_SEND_DATA), 0);
		assert_true(ti_guard_has_network(bench, "cc2652p"));
		/* Where the top sector did not go, nothing else did, and the stick runs as before.
		 */
		if (sectors[i / 2] == 0x56000)
			assert_int_equal(start_of(bench), SIM_TI_APPLICATION);
		else
			assert_int_equal(start_of(bench), SIM_TI_NO_IMAGE);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the address of the stick */

static void ti_check_16_an_address_that_the_user_has_set_is_never_lost_in_silence(void **state)
{
	static const uint8_t none[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
	static const uint8_t of_file[8] = {1, 2, 3, 4, 0, 0x4B, 0x12, 0};
	static const struct {
		const char *rule;
		bool has_own, file_has;
		const uint8_t *after;
		const char *remark;
	} cases[] = {
		{"", true, false, ieee, "00124b0055667788 is kept"},
		{"", true, true, ieee, "00124b0055667788 is kept"},
		{"", false, true, none, "00124b0004030201 of the image is not taken"},
		{"", false, false, none, ""},
		{"secondary-ieee = image\n", true, false, none, "00124b0055667788 is given up"},
		{"secondary-ieee = image\n", true, true, of_file, "00124b0055667788 is given up"},
		{"secondary-ieee = image\n", false, true, of_file, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(chips); i++) {
		const char *chip = chips[i % ARRAY_SIZE(chips)];
		size_t row = i / ARRAY_SIZE(chips);
		struct bench *bench = ti_guard_new(chip, NULL, NULL, cases[row].rule);
		struct ti_make_image made = ti_make_new(chip, TI_NEW, 0);
		uint32_t at = ti_make_ieee(made.chip);

		ti_guard_install_old(bench, chip);
		if (cases[row].has_own)
			memcpy(ti_guard_at(bench, at), ieee, 8);
		if (cases[row].file_has) {
			memcpy(ti_make_at(&made, at, 8), of_file, 8);
			if (ti_make_is_2538(made.chip))
				ti_make_run(&made, at, 8);
		}
		ti_guard_take(bench, &made, true);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("%s %zu: %s", chip, row, bench->report.reason.text);
		assert_memory_equal(ti_guard_at(bench, at), cases[row].after, 8);
		assert_non_null(strstr(bench->report.remark, cases[row].remark));
		if (!*cases[row].remark)
			assert_string_equal(bench->report.remark, "");
		ti_make_done(&made);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ the network */

/* A file of the whole flash, and the chip that it is for is not the first one of the rule. */
static void ti_check_17_the_network_stays_whichever_chip_of_the_rule_it_is(void **state)
{
	static const struct {
		const char *chip, *rule;
	} cases[] = {
		{"cc2652p7", "cc2652p cc2652p7"},
		{"cc2652p", "cc2652p7 cc2652p"},
		{"cc2538", "cc2652p cc2538"},
		{"cc1310", "cc2652p7 cc1310"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_options options = {
			.chip = sim_chip_find(cases[i].chip), .circuit = SIM_CIRCUIT_ESP};
		struct ti_make_image made = ti_make_new(cases[i].chip, TI_NEW, 0);
		struct bench *bench;
		char rule[128];

		snprintf(rule, sizeof(rule), TI_RULE "chip = %s\nbackdoor-pin = %u\n",
			cases[i].rule, made.chip->pin);
		bench = bench_new_with(&options, rule);
		ti_guard_install_old(bench, cases[i].chip);
		ti_guard_take(bench, &made, false);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("%s: %s", cases[i].rule, bench->report.reason.text);
		if (!ti_guard_has_network(bench, cases[i].chip))
			fail_msg("%s: the network of a %s is gone", cases[i].rule, cases[i].chip);
		ti_make_done(&made);
		bench_free(bench);
	}
}

static void ti_check_17_the_network_is_there_after_every_failure(void **state)
{
	static const struct {
		const char *name;
		struct sim_faults faults;
	} cases[] = {
		{"an erase fails", {.ti = {.status_code = 0x26, .status_nth = 3, .status = 0x44}}},
		{"every erase fails",
			{.ti = {.status_code = 0x26, .status_nth = UINT32_MAX, .status = 0x44}}},
		{"a packet fails", {.ti = {.status_code = 0x24, .status_nth = 5, .status = 0x44}}},
		{"every packet fails",
			{.ti = {.status_code = 0x24, .status_nth = UINT32_MAX, .status = 0x44}}},
		{"every packet is refused", {.ti = {.nack_code = 0x24, .nack_nth = UINT32_MAX}}},
		{"no CRC", {.ti = {.nack_code = 0x27, .nack_nth = UINT32_MAX}}},
		{"a wrong CRC", {.ti = {.crc_wrong_nth = 12}}},
		{"no address", {.ti = {.nack_code = 0x21, .nack_nth = UINT32_MAX}}},
		{"bytes are lost", {.drop_received = 3000}},
		{"bytes are bent", {.flip_received = 5000}},
		{"an erase never ends", {.erase_nsec = SIM_NEVER}},
		{"a stuck byte", {.stuck_address = 0x1234}},
		{"a stuck byte of the CCFG", {.stuck_address = 0x57FB0}},
		{"the debug port", {.ti = {.spoils = {true, 0x3D, 0xC0}}}},
	};
	unsigned n_failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_options options = {.chip = sim_chip_find("cc2652p"),
			.circuit = SIM_CIRCUIT_ESP,
			.faults = cases[i].faults};
		struct bench *bench =
			bench_new_with(&options, TI_RULE "chip = cc2652p\nbackdoor-pin = 15\n");

		ti_guard_install_old(bench, "cc2652p");
		ti_guard_take_new(bench, "cc2652p", TI_NEW);
		n_failed += bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED;
		if (!ti_guard_has_network(bench, "cc2652p"))
			fail_msg("%s: the network is gone (%s)", cases[i].name,
				bench->report.reason.text);
		assert_int_equal(ti_guard_sent(bench, TI_BANK_ERASE), 0);
		assert_int_equal(ti_guard_sent(bench, TI_SET_CCFG), 0);
		if (!is_after_all_in_the_loader_or_new(bench) && bench->report.has_erased &&
			ti_guard_sent(bench, TI_ERASE) > 0 &&
			sim_ti(bench->sim)->revision != 20230507)
			fail_msg("%s: the stick is neither in its loader nor new (%s)",
				cases[i].name, bench->report.reason.text);
		bench_free(bench);
	}
	assert_true(n_failed >= 6);
	print_message("    %u of %zu jobs failed, with the network as before\n", n_failed,
		ARRAY_SIZE(cases));
}

/* ------------------------------------------------------------------ short runs */

/* A digest of 8 bytes and less is FFFFFFFF, which is no difference and no proof. */
static void ti_check_21_a_run_that_is_too_short_for_a_crc_is_read(void **state)
{
	static const uint32_t lengths[] = {1, 4, 7, 8, 9};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct bench *bench = ti_guard_new("cc2652p", NULL, NULL, "");
		struct ti_make_image made = ti_make_new("cc2652p", TI_NEW, 0);
		uint32_t at = 0x20000 + 0x800;

		ti_make_code(&made, at, lengths[i], 9);
		ti_guard_install_old(bench, "cc2652p");
		ti_guard_take(bench, &made, true);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("%u bytes: %s", lengths[i], bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
		*ti_guard_at(bench, at) ^= 0x01;
		assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
		assert_int_equal(bench->report.address, at);
		ti_make_done(&made);
		bench_free(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_leaves_what_belongs_to_the_stick),
		cmocka_unit_test(ti_check_18_a_stick_that_has_the_file_is_only_asked),
		cmocka_unit_test(the_pin_that_is_another_one_from_now_on_is_told),
		cmocka_unit_test(ti_check_01_02_03_a_bad_image_changes_nothing),
		cmocka_unit_test(ti_check_15_what_the_rom_puts_into_the_ccfg_is_told_by_its_field),
		cmocka_unit_test(all_is_erased_under_the_key_that_says_so_alone),
		cmocka_unit_test(
			ti_check_13_a_sector_that_is_not_erased_ends_the_job_before_a_byte_is_written),
		cmocka_unit_test(
			ti_check_16_an_address_that_the_user_has_set_is_never_lost_in_silence),
		cmocka_unit_test(ti_check_17_the_network_stays_whichever_chip_of_the_rule_it_is),
		cmocka_unit_test(ti_check_17_the_network_is_there_after_every_failure),
		cmocka_unit_test(ti_check_21_a_run_that_is_too_short_for_a_crc_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
