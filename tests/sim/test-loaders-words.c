/* SPDX-License-Identifier: MIT */
/*
 * test-loaders-words.c - what a boot loader says in words decides, whatever it has acknowledged:
 * behind the file, and upon the choice that is to start the application.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/loader-bench.h"
#include "unit/rows.h"

#define ACCEPT "accept-unverified = yes\nretries = 0\n"

/* Menus as users write them, for the simulated loaders. */
#define OWN_X "protocol = xmodem\nmenu = send \"\\r\" expect \"BL >\" send \"1\"\n"
#define OWN_Y \
	"protocol = ymodem\naddress = 0x08004000\nmenu = send \"\\r\" expect \"Execute\" send \"1\"\n"

static struct bench *new_board(enum sim_resident resident, const struct sim_faults *faults,
	const char *rule, const char *more)
{
	const struct sim_options options = {.resident = resident, .faults = *faults};
	CLEANUP(freep) char *text = NULL;
	struct bench *bench;

	assert_true(asprintf(&text, "%s%s", rule, more) > 0);
	bench = new_bench(&options, text);
	if (resident == SIM_RESIDENT_GECKO)
		take_gbl(bench, 3000, 4);
	else
		take_application(bench, 3000, 4);
	return bench;
}

static void expect_reason(const struct bench *bench, const char *wanted, const char *unwanted)
{
	if (wanted && !strstr(bench->report.reason.text, wanted))
		fail_msg("no '%s': %s", wanted, bench->report.reason.text);
	if (unwanted && strstr(bench->report.reason.text, unwanted))
		fail_msg("'%s': %s", unwanted, bench->report.reason.text);
}

/* ------------------------------------------------------------------ behind the file */

struct verdict_row {
	const char *name;
	enum sim_resident resident;
	const char *rule;
	const char *verdict;
	enum outcome outcome;
};

static const struct verdict_row verdict_rows[] = {
	{"verdict: Gecko, complete, and then an error", SIM_RESIDENT_GECKO, GECKO,
		"file error 0x1005\r\n", OUTCOME_WRITE_FAILED},
	{"verdict: Gecko, complete, and then a signature", SIM_RESIDENT_GECKO, GECKO,
		"Invalid signature\r\n", OUTCOME_WRITE_FAILED},
	{"verdict: ST's, and the words stand before its success", SIM_RESIDENT_IAP, IAP,
		"\n\rVerification failed!\n\r", OUTCOME_WRITE_FAILED},
	{"verdict: ST's, aborted", SIM_RESIDENT_IAP, IAP, "\r\n\nAborted by user.\n\r",
		OUTCOME_WRITE_FAILED},
	{"verdict: a menu of the user's, and nothing is expected", SIM_RESIDENT_GECKO, OWN_X,
		"CRC error\r\n", OUTCOME_WRITE_FAILED},
	{"verdict: a menu of the user's, and the success is expected", SIM_RESIDENT_GECKO,
		OWN_X "menu-after = expect \"complete\"\n", "CRC error\r\n", OUTCOME_WRITE_FAILED},
	{"verdict: a menu of the user's, ymodem", SIM_RESIDENT_IAP, OWN_Y, "file error\r\n",
		OUTCOME_WRITE_FAILED},
	{"verdict: no errors", SIM_RESIDENT_GECKO, GECKO, "0 errors\r\n", OUTCOME_UPDATED},
	{"verdict: nothing", SIM_RESIDENT_GECKO, OWN_X, "", OUTCOME_UPDATED},
	{"verdict: a line that stood in the menu before", SIM_RESIDENT_GECKO, OWN_X,
		"3. ebl info\r\n", OUTCOME_UPDATED},
};

static void words_behind_the_file_decide(void **state)
{
	const struct verdict_row *row = *state;
	bool is_good = row->outcome == OUTCOME_UPDATED;
	struct bench *bench = new_board(
		row->resident, &(struct sim_faults){.verdict = row->verdict}, row->rule, ACCEPT);
	char words[40];

	snprintf(words, sizeof(words), "%.*s",
		(int)strcspn(row->verdict + strspn(row->verdict, "\r\n"), "\r\n"),
		row->verdict + strspn(row->verdict, "\r\n"));
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	expect_reason(bench, is_good ? NULL : words, "baud");
	bench_free(bench);
}

/* The old application may still be there, and confirm: that is no word for the new one. */
static void a_confirm_does_not_outweigh_the_loader(void **state)
{
	struct bench *bench = new_board(SIM_RESIDENT_GECKO,
		&(struct sim_faults){.verdict = "Verification failed\r\n"}, OWN_X,
		CONFIRM "retries = 0\n");

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_WRITE_FAILED);
	expect_reason(bench, "Verification failed", NULL);
	bench_free(bench);
}

/* ------------------------------------------------------------------ upon the start */

#define REFUSES "\r\nFailed to boot\r\n"

struct start_row {
	const char *name;
	const char *refuses; /* NULL: it starts it */
	const char *rule;
	enum outcome outcome;
	const char *reason;
};

static const struct start_row start_rows[] = {
	{"case_05_start: refused, and the loader's word was enough", REFUSES, GECKO ACCEPT,
		OUTCOME_FAILED, "Failed to boot"},
	{"case_05_start: refused without a word", "", GECKO ACCEPT, OUTCOME_FAILED, "menu again"},
	{"case_05_start: refused, in a menu of the user's", REFUSES,
		OWN_X "menu-start = send \"\\r\" expect \"BL >\" send \"2\"\n" ACCEPT,
		OUTCOME_FAILED, "Failed to boot"},
	{"case_05_start: refused, nothing is accepted", REFUSES, GECKO "retries = 0\n",
		OUTCOME_FAILED, "Failed to boot"},
	{"case_05_start: refused, and no line that resets", REFUSES,
		GECKO "entry = none\nconfirm = nothing says that\nconfirm-within = 2s\nretries = 0",
		OUTCOME_NOT_CONFIRMED, "Failed to boot"},
	{"start: the loader's banner is no application's", REFUSES,
		GECKO "entry = none\nconfirm = v[0-9]+[.][0-9.]+\nconfirm-within = 2s\nretries = 0",
		OUTCOME_NOT_CONFIRMED, "Failed to boot"},
	{"start: the menu does not answer as `menu-start` expects", "",
		OWN_X "entry = none\nmenu-start = send \"\\r\" expect \"Ready?\"\n" ACCEPT,
		OUTCOME_FAILED, "is that what `menu-start` expects?"},
	{"start: refused, and a reset starts it", REFUSES, GECKO CONFIRM, OUTCOME_UPDATED, NULL},
	{"start: the loader does it", NULL, GECKO ACCEPT, OUTCOME_UPDATED, NULL},
};

static void a_loader_that_does_not_start_it_is_heard(void **state)
{
	const struct start_row *row = *state;
	bool has_lines = !strstr(row->rule, "entry = none");
	const struct sim_options options = {
		.resident = SIM_RESIDENT_GECKO,
		.circuit = has_lines ? SIM_CIRCUIT_DIRECT : SIM_CIRCUIT_ROM,
		.faults = {.refuses_start = row->refuses},
	};
	struct bench *bench = new_bench(&options, row->rule);

	take_gbl(bench, 3000, 4);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	expect_reason(bench, row->reason, NULL);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	bench_free(bench);
}

/* ------------------------------------------------------------------ what there is to do */

/* A file that the loader does not take is no matter of the rate. */
static void advice_goes_by_the_cause(void **state)
{
	static const struct {
		struct sim_faults faults;
		const char *rule;
		bool is_gbl;
		const char *advice;
	} rows[] = {
		{{0}, GECKO, false, "is it the file for this board"},
		{{.cancel_block = 5}, GECKO, true, "(block error 0x25): check cable"},
		{{.answer = 0x15}, GECKO, true, "kind and size of the image"},
		{{.verdict = "file error\r\n"}, GECKO, true, "kind and size of the image"},
		{{.erase_nsec = 8 * NSEC_PER_SEC}, GECKO "erase-within = 1s\n", true,
			"`erase-within`"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench =
			new_board(SIM_RESIDENT_GECKO, &rows[i].faults, rows[i].rule, ACCEPT);

		if (!rows[i].is_gbl)
			take_application(bench, 3000, 4);
		if (bench_run(bench, FLASH_UPDATE) == OUTCOME_UPDATED)
			fail_msg("row %zu", i);
		expect_reason(bench, rows[i].advice, "lower rate");
		bench_free(bench);
	}
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, verdict_rows, words_behind_the_file_decide);
	ADD_TEST(tests, n_tests, a_confirm_does_not_outweigh_the_loader);
	ADD_ROWS(tests, n_tests, start_rows, a_loader_that_does_not_start_it_is_heard);
	ADD_TEST(tests, n_tests, advice_goes_by_the_cause);
	return RUN_TESTS("words of loaders", tests, n_tests);
}
