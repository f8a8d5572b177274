/* SPDX-License-Identifier: MIT */
/*
 * test-orders.c - what a person orders of an STM32: erase, start, protect, unprotect and
 * write-unprotect, and what the chip or the rule refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "orders.h"

/* ------------------------------------------------------------------ erase */

static void all_is_erased_by_one_command_and_seen_to_be(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	wish(bench, NULL, NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 0, sim_flash_size(bench->sim), 0xFF));
	assert_int_equal(counters(bench)->mass_erases, 1);
	assert_true(bench->report.has_erased && bench->report.mass_erased);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	assert_int_equal(bench->report.phase, PHASE_LEAVE);
	remark_is(bench, "erased pages 0-127 (0x08000000-0x0803ffff)");
	/* A block of each page. */
	assert_true(counters(bench)->commands[0x11] >= 128);
	bench_free(bench);
}

static void pages_and_ranges_are_erased_and_nothing_else(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	wish(bench, "9,4-5", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	remark_is(bench, "erased pages 4-5 (0x08002000-0x08002fff), 9 (0x08004800-0x08004fff)");
	assert_int_equal(bench->report.pages_erased, 3);
	assert_int_equal(counters(bench)->pages_erased, 3);
	assert_int_equal(counters(bench)->mass_erases, 0);
	assert_true(holds(bench, 4 * PAGE, 2 * PAGE, 0xFF) && holds(bench, 9 * PAGE, PAGE, 0xFF));
	assert_true(holds(bench, 0, 4 * PAGE, CONTENT) &&
		    holds(bench, 6 * PAGE, 3 * PAGE, CONTENT) &&
		    holds(bench, 10 * PAGE, 118 * PAGE, CONTENT));

	wish(bench, NULL, "0x0803f800+2K");
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 127 * PAGE, PAGE, 0xFF));
	assert_true(holds(bench, 10 * PAGE, 117 * PAGE, CONTENT));

	wish(bench, NULL, "0x08000001+2K");
	must_be(bench, FLASH_ERASE, OUTCOME_BAD_CONFIG);
	reason_has(bench, "the range cuts a page");
	assert_false(bench->report.has_erased);
	bench->erase.takes_whole_pages = true;
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 0, 2 * PAGE, 0xFF) && holds(bench, 2 * PAGE, 2 * PAGE, CONTENT));
	wish(bench, "128", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_BAD_CONFIG);
	reason_has(bench, "has no page 128: the last one is 127");
	bench_free(bench);
}

static void what_the_rule_keeps_stays(void **state)
{
	struct bench *bench = f103(NULL, F103 "keep = 0x0803f000+8\n");

	(void)state;
	wish(bench, NULL, NULL);
	bench->dry_run = true;
	must_be(bench, FLASH_ERASE, OUTCOME_CURRENT);
	assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
	assert_false(bench->report.has_erased);
	remark_is(bench,
		"nothing was erased; it would be pages 0-125 (0x08000000-0x0803efff), 127 (0x0803f800-0x0803ffff); kept page 126 (0x0803f000-0x0803f7ff)");
	bench->dry_run = false;
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 126 * PAGE, PAGE, CONTENT));
	assert_true(holds(bench, 0, 126 * PAGE, 0xFF) && holds(bench, 127 * PAGE, PAGE, 0xFF));
	assert_int_equal(counters(bench)->mass_erases, 0);
	remark_is(bench,
		"erased pages 0-125 (0x08000000-0x0803efff), 127 (0x0803f800-0x0803ffff); kept page 126 (0x0803f000-0x0803f7ff)");
	wish(bench, "126", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_BAD_CONFIG);
	reason_has(bench, "--with-kept");
	assert_true(holds(bench, 126 * PAGE, PAGE, CONTENT));
	bench->erase.takes_kept = true;
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 126 * PAGE, PAGE, 0xFF));
	bench_free(bench);
}

/* Only the service, which keeps it, gives it back. */
static void the_units_own_data_is_named_where_it_goes(void **state)
{
	struct bench *bench = f103(NULL, F103 "serialize = 0x0803f000+8 hex 1\n");

	(void)state;
	wish(bench, "1", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_null(strstr(bench->report.remark, "serialize"));
	wish(bench, "126", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_non_null(strstr(bench->report.remark, "the unit's own data (`serialize`) with it"));
	bench_free(bench);
}

/* Each has its own way: lists of 255, one by one, sectors of two banks, cells that read zero. */
static void chips_of_all_kinds_are_erased(void **state)
{
	static const struct {
		const char *chip, *rule;
		uint8_t erased;
	} rows[] = {
		{"g0b1", "chip = 0x467\nretries = 0", 0xFF},
		{"g071-v11.3", "chip = 0x460\nretries = 0", 0xFF},
		{"h743-v9.1", "chip = 0x450\nretries = 0", 0xFF},
		{"f405", "chip = 0x413\nretries = 0", 0xFF},
		{"l152", "chip = 0x416\nretries = 0", 0x00},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sim_options options = {.chip = sim_chip_find(rows[i].chip)};
		struct bench *bench;

		print_message("# %s\n", rows[i].chip);
		assert_non_null(options.chip);
		bench = filled(&options, rows[i].rule);
		wish(bench, NULL, NULL);
		must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
		assert_true(holds(bench, 0, sim_flash_size(bench->sim), rows[i].erased));
		bench_free(bench);
	}
}

static void an_erase_that_did_nothing_is_found_out(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	/* Pages 8 and 9 are one sector. */
	sim_protect_sectors(bench->sim, 1 << 4);
	wish(bench, "7-10", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_ERASE_FAILED);
	reason_has(bench,
		"0x08004000 still holds 0x5a: the page is write-protected; plugflash write-unprotect lifts that");
	reason_has(bench, "is not known to hold a whole image");
	assert_true(holds(bench, 8 * PAGE, 2 * PAGE, CONTENT));

	must_be(bench, FLASH_WRITE_UNPROTECT, OUTCOME_UPDATED);
	assert_int_equal(counters(bench)->commands[WRITE_UNPROTECT], 1);
	assert_true(strstr(bench->report.remark, "no page is write-protected any more") != NULL);
	assert_false(bench->report.has_erased);
	assert_true(holds(bench, 8 * PAGE, 2 * PAGE, CONTENT));
	wish(bench, "7-10", NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
	assert_true(holds(bench, 7 * PAGE, 4 * PAGE, 0xFF));
	bench_free(bench);
}

static bool stop(void *userdata)
{
	(void)userdata;
	return true;
}

static void an_order_can_be_cancelled_before_it_is_given(void **state)
{
	static const enum flash_action actions[] = {
		FLASH_ERASE, FLASH_PROTECT, FLASH_WRITE_UNPROTECT};

	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		struct bench *bench = f103(NULL, F103);

		wish(bench, NULL, NULL);
		bench->is_cancelled = stop;
		must_be(bench, actions[i], OUTCOME_CANCELLED);
		assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
		bench->is_cancelled = NULL;
		must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
		assert_false(bench->report.is_protected);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ start */

static struct bench *with_application(const struct sim_options *options, const char *rule)
{
	struct bench *bench = bench_new_with(options, rule);

	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	return bench;
}

static void the_application_is_started_as_the_rule_has_it(void **state)
{
	static const struct {
		const char *rule, *remark;
		unsigned goes;
	} rows[] = {
		{F103, "started by a reset, by the lines of the rule", 0},
		{F103 "start = none", "started by a reset, by the lines of the rule", 0},
		{F103 "start = go", "started at 0x08000000, by the boot loader's Go", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bench *bench = with_application(
			&(struct sim_options){.chip = sim_chip_find("f103xc")}, rows[i].rule);

		must_be(bench, FLASH_START, OUTCOME_CURRENT);
		remark_is(bench, rows[i].remark);
		assert_int_equal(counters(bench)->commands[GO], rows[i].goes);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		bench_free(bench);
	}
}

static void without_lines_the_boot_loader_starts_it(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"), .circuit = SIM_CIRCUIT_ROM};
	struct bench *bench = with_application(&options, F103 "entry = none");

	(void)state;
	must_be(bench, FLASH_START, OUTCOME_CURRENT);
	remark_is(bench, "started at 0x08000000, by the boot loader's Go");
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* After an erase without lines the chip waits in its boot loader for what comes next. */
static void without_lines_an_erased_chip_stays_in_its_boot_loader(void **state)
{
	static const char *const rules[] = {F103 "entry = none", F103 "entry = none\nstart = go"};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct sim_options options = {
			.chip = sim_chip_find("f103xc"), .circuit = SIM_CIRCUIT_ROM};
		struct bench *bench = with_application(&options, rules[i]);

		wish(bench, NULL, NULL);
		must_be(bench, FLASH_ERASE, OUTCOME_UPDATED);
		assert_non_null(strstr(bench->report.remark, "the chip stays in its boot loader"));
		assert_int_equal(counters(bench)->commands[GO], 0);
		assert_int_equal(sim_state(bench->sim), SIM_ROM);
		must_be(bench, FLASH_START, OUTCOME_FAILED);
		reason_has(bench, "the flash at 0x08000000 is erased");
		assert_int_equal(counters(bench)->commands[GO], 0);
		bench_free(bench);
	}
}

static void a_start_at_an_address_goes_there_or_nowhere(void **state)
{
	static const struct {
		uint32_t address;
		const char *reason; /* NULL: it goes */
	} rows[] = {
		{0x08000000, NULL},
		{0x08010000, "the flash at 0x08010000 is erased"},
		{0x08000002, "is no place of a vector table"},
		{0x0803FFFC, "is no place of a vector table"},
		{0x20000000, "is no place of a vector table"},
		{0xFFFFFFFC, "is no place of a vector table"},
		{0, "is no place of a vector table"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bench *bench = with_application(
			&(struct sim_options){.chip = sim_chip_find("f103xc")}, F103);

		bench->has_start_address = true;
		bench->start_address = rows[i].address;
		must_be(bench, FLASH_START, rows[i].reason ? OUTCOME_FAILED : OUTCOME_CURRENT);
		if (rows[i].reason)
			reason_has(bench, rows[i].reason);
		assert_int_equal(counters(bench)->commands[GO], rows[i].reason ? 0 : 1);
		assert_int_equal(counters(bench)->bad_addresses, 0);
		/* One that did not go is started by a reset, as after any failure. */
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		bench_free(bench);
	}
}

/* ------------------------------------------------------------------ protection */

static void protection_is_set_and_lifted(void **state)
{
	struct bench *bench = f103(NULL, F103);

	(void)state;
	must_be(bench, FLASH_UNPROTECT, OUTCOME_CURRENT);
	remark_is(bench, "read-out protection was off already; nothing was wiped");
	assert_int_equal(counters(bench)->unprotects, 0);

	must_be(bench, FLASH_PROTECT, OUTCOME_UPDATED);
	remark_is(bench, "read-out protection is on: nobody can read the flash any more");
	assert_true(bench->report.is_protected);
	assert_false(bench->report.has_erased);
	assert_int_equal(strlen(bench->report.unit), 24);
	assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
	must_be(bench, FLASH_PROTECT, OUTCOME_CURRENT);
	remark_is(bench, "read-out protection is on already; nothing was changed");
	assert_int_equal(counters(bench)->commands[PROTECT], 1);

	wish(bench, NULL, NULL);
	must_be(bench, FLASH_ERASE, OUTCOME_PROTECTED);
	reason_has(bench, "plugflash unprotect lifts it, which wipes all of the flash");
	must_be(bench, FLASH_WRITE_UNPROTECT, OUTCOME_PROTECTED);
	bench->has_start_address = true;
	bench->start_address = 0x08000000;
	must_be(bench, FLASH_START, OUTCOME_PROTECTED);
	/* A reset needs no boot loader that obeys. */
	bench->has_start_address = false;
	must_be(bench, FLASH_START, OUTCOME_CURRENT);
	assert_true(holds(bench, 0, 128 * PAGE, CONTENT));

	must_be(bench, FLASH_UNPROTECT, OUTCOME_UPDATED);
	remark_is(bench, "read-out protection is off; all of the flash was wiped");
	assert_true(bench->report.has_erased && bench->report.mass_erased);
	assert_int_equal(counters(bench)->unprotects, 1);
	assert_true(holds(bench, 0, 128 * PAGE, 0xFF));
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	assert_false(bench->report.is_protected);
	bench_free(bench);
}

/* Newer families have no read-out protection that a boot loader could set (AN3155 3.1). */
static void a_chip_without_the_command_says_so(void **state)
{
	struct sim_options options = {.chip = sim_chip_find("u375-v14.1")};
	struct bench *bench;

	(void)state;
	assert_non_null(options.chip);
	assert_true(options.chip->has_no_protection);
	bench = filled(&options, "chip = 0x454\nretries = 3\nretry-delay = 0");
	must_be(bench, FLASH_PROTECT, OUTCOME_FAILED);
	reason_has(bench, "does not list Readout Protect: nothing was changed");
	assert_int_equal(bench->report.entries, 1);
	bench_free(bench);
}

static void a_refused_command_is_not_repeated(void **state)
{
	static const struct {
		enum flash_action action;
		int code;
		const char *rule, *reason;
	} rows[] = {
		{FLASH_PROTECT, PROTECT, F103X2,
			"refused Readout Protect (NACK): nothing was changed"},
		{FLASH_WRITE_UNPROTECT, WRITE_UNPROTECT, F103X2,
			"refused Write Unprotect (NACK): nothing was changed"},
		{FLASH_START, GO, F103X2 "start = go",
			"refused to start what is at 0x08000000 (NACK): nothing was started"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct sim_faults faults = {.nack_code = rows[i].code};
		struct bench *bench = f103(&faults, rows[i].rule);

		must_be(bench, rows[i].action, OUTCOME_FAILED);
		reason_has(bench, rows[i].reason);
		assert_int_equal(bench->report.entries, 1);
		assert_true(holds(bench, 0, 128 * PAGE, CONTENT));
		bench_free(bench);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_erased_by_one_command_and_seen_to_be),
		cmocka_unit_test(pages_and_ranges_are_erased_and_nothing_else),
		cmocka_unit_test(what_the_rule_keeps_stays),
		cmocka_unit_test(the_units_own_data_is_named_where_it_goes),
		cmocka_unit_test(chips_of_all_kinds_are_erased),
		cmocka_unit_test(an_erase_that_did_nothing_is_found_out),
		cmocka_unit_test(an_order_can_be_cancelled_before_it_is_given),
		cmocka_unit_test(the_application_is_started_as_the_rule_has_it),
		cmocka_unit_test(without_lines_the_boot_loader_starts_it),
		cmocka_unit_test(without_lines_an_erased_chip_stays_in_its_boot_loader),
		cmocka_unit_test(a_start_at_an_address_goes_there_or_nowhere),
		cmocka_unit_test(protection_is_set_and_lifted),
		cmocka_unit_test(a_chip_without_the_command_says_so),
		cmocka_unit_test(a_refused_command_is_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
