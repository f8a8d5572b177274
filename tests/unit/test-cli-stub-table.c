/* SPDX-License-Identifier: MIT */
/* test-cli-stub-table.c - what `plugflash stub-test` makes of the reports of its updates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "cli/stub-table.c"

static struct report report_of(enum outcome outcome, enum trial trial, uint64_t write_ms)
{
	struct report report = {
		.outcome = outcome,
		.stub_trial = (uint8_t)trial,
		.stub_version = 1,
		.has_product_id = true,
		.product_id = 0x414,
		.bootloader_version = 0x22,
		.flash_bytes = 256 * 1024,
		.chip = "STM32F10xxx High-density",
		.baud = 460800,
		.bytes = 65536,
		.sha256 = "abc",
		.stub = "used: version 1, at 460800 baud",
	};

	report.phase_ms[PHASE_ERASE] = 100;
	report.phase_ms[PHASE_WRITE] = write_ms;
	report.phase_ms[PHASE_VERIFY] = 1000;
	report.phase_ms[PHASE_ENTER] = 5000;
	return report;
}

static char *print(const struct stub_table *table, uint32_t n_wanted)
{
	char *text = NULL;
	size_t n_text;
	FILE *to = open_memstream(&text, &n_text);

	assert_non_null(to);
	stub_table_print(table, n_wanted, "1.2.3", "6.1.0", to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void an_update_counts_by_its_trial(void **state)
{
	static const struct {
		const char *name;
		enum outcome outcome;
		enum trial trial;
		uint32_t passed, failed, unused;
	} rows[] = {
		{"both proofs agree", OUTCOME_UPDATED, TRIAL_PASSED, 1, 0, 0},
		{"they agree, and the job did not end well", OUTCOME_NOT_STARTED, TRIAL_PASSED, 0,
			1, 0},
		{"given up, and the ROM has written it", OUTCOME_UPDATED, TRIAL_FAILED, 0, 1, 0},
		{"never used", OUTCOME_UPDATED, TRIAL_NONE, 0, 0, 1},
		{"used and not proved twice", OUTCOME_UPDATED, TRIAL_USED, 0, 0, 1},
		{"nobody answered", OUTCOME_NO_SYNC, TRIAL_NONE, 0, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct report report = report_of(rows[i].outcome, rows[i].trial, 500);
		struct stub_table table = {0};
		const struct stub_stage_tally *tally = &table.stages[STUB_STAGE_FAST];

		print_message("# %s\n", rows[i].name);
		stub_table_add(&table, STUB_STAGE_FAST, &report);
		assert_int_equal(tally->n_runs, 1);
		assert_int_equal(tally->n_passed, rows[i].passed);
		assert_int_equal(tally->n_failed, rows[i].failed);
		assert_int_equal(tally->n_unused, rows[i].unused);
		assert_int_equal(*tally->first_failure == '\0', rows[i].passed);
		assert_int_equal(table.stages[STUB_STAGE_SLOW].n_runs, 0);
	}
}

static void it_is_good_when_all_passed(void **state)
{
	const struct report good = report_of(OUTCOME_UPDATED, TRIAL_PASSED, 500);
	const struct report bad = report_of(OUTCOME_UPDATED, TRIAL_FAILED, 500);
	struct stub_table table = {0};

	(void)state;
	assert_false(stub_table_is_good(&table, 2));
	for (unsigned i = 0; i < 2; i++)
		stub_table_add(&table, STUB_STAGE_SLOW, &good);
	/* The second stage is missing. */
	assert_false(stub_table_is_good(&table, 2));
	for (unsigned i = 0; i < 2; i++)
		stub_table_add(&table, STUB_STAGE_FAST, &good);
	assert_true(stub_table_is_good(&table, 2));
	assert_false(stub_table_is_good(&table, 3));
	stub_table_add(&table, STUB_STAGE_FAST, &bad);
	assert_false(stub_table_is_good(&table, 2));
}

static void the_table_has_what_tells_boards_apart(void **state)
{
	const struct report first = report_of(OUTCOME_UPDATED, TRIAL_PASSED, 500);
	const struct report second = report_of(OUTCOME_UPDATED, TRIAL_PASSED, 900);
	struct report bad = report_of(OUTCOME_VERIFY_DIFFERS, TRIAL_FAILED, 0);
	struct stub_table table = {.bridge = "CP2102N USB to UART"};
	CLEANUP(freep) char *text = NULL;

	(void)state;
	reason_set(&bad.reason, "the flash at 0x08000400 holds 0x00, the image 0x01");
	text_copy(bad.stub, sizeof(bad.stub), "given up behind the erase: it lied");
	stub_table_add(&table, STUB_STAGE_SLOW, &first);
	stub_table_add(&table, STUB_STAGE_SLOW, &second);
	stub_table_add(&table, STUB_STAGE_FAST, &bad);
	text = print(&table, 2);
	print_message("%s", text);
	assert_non_null(strstr(text, "plugflash 1.2.3, program 1, Linux 6.1.0\n"));
	assert_non_null(strstr(
		text, "STM32F10xxx High-density, product id 0x414, boot loader V2.2, 256 KiB\n"));
	assert_non_null(strstr(text, "CP2102N USB to UART\n"));
	assert_non_null(strstr(text, "65536 bytes, sha256 abc\n"));
	/* Entering the boot loader is none of the program's time. */
	assert_non_null(strstr(text,
		"115200        2       2       0       0     0.80     1.60     1.80     2.00\n"));
	assert_non_null(strstr(text, "highest       1       0       1       0\n"));
	assert_non_null(strstr(text, "\n115200: used: version 1, at 460800 baud\n"));
	assert_non_null(strstr(text,
		"highest: the first that did not pass: update 1: verify-differs; given up behind the erase: it lied; the flash at 0x08000400 holds 0x00"));
	assert_non_null(strstr(text, "\nnot all passed"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_update_counts_by_its_trial),
	cmocka_unit_test(it_is_good_when_all_passed),
	cmocka_unit_test(the_table_has_what_tells_boards_apart),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
