/* SPDX-License-Identifier: MIT */
/*
 * test-heard.c - no boot loader answers: what was heard in its place tells the faults of wiring
 * apart as far as it can.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/rows.h"

#define BANNER "gate 1.0.0 ready\r\n"

/* An application prints this at 115200 baud while it runs; "": it is silent. */
static const struct wiring_row {
	const char *name;
	enum sim_circuit circuit;
	const char *chatter;
	const char *rule;
	const char *reason;
} wiring_rows[] = {
	{"lines swapped: held in reset", SIM_CIRCUIT_DIRECT, BANNER, "reset = rts\nboot = dtr\n",
		"nothing at all was heard"},
	{"BOOT0 the wrong way round", SIM_CIRCUIT_DIRECT, BANNER, "boot = !rts\n",
		"an application speaks after the reset ('"},
	{"reset the wrong way round: held in reset", SIM_CIRCUIT_DIRECT, BANNER, "reset = !dtr\n",
		"nothing at all was heard"},
	{"another circuit", SIM_CIRCUIT_ONE_KEY, BANNER, "", "nothing at all was heard"},
	{"lines not connected", SIM_CIRCUIT_NONE, BANNER, "",
		"an application speaks after the reset ('"},
	{"lines not connected, an application that is silent", SIM_CIRCUIT_NONE, "", "",
		"nothing at all was heard"},
	{"lines not connected, an application at another rate", SIM_CIRCUIT_NONE, BANNER,
		"baud = 9600\n", "bytes that are no text ('"},
};

static void a_fault_of_wiring_is_told_by_what_was_heard(void **state)
{
	const struct wiring_row *row = *state;
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"), .circuit = row->circuit, .chatter = row->chatter};
	char rule[256];
	struct bench *bench;

	snprintf(rule, sizeof(rule), "chip = F103x8\nretries = 0\n%s", row->rule);
	bench = bench_new_with(&options, rule);
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	sim_power(bench->sim, 0);
	bench_run(bench, FLASH_PROBE);
	printf("# %s\n", bench->report.reason.text);
	assert_int_equal(bench->report.outcome, OUTCOME_NO_SYNC);
	if (!strstr(bench->report.reason.text, row->reason))
		fail_msg("'%s' has no '%s'", bench->report.reason.text, row->reason);
	bench_free(bench);
}

/* The lines of an ESP lead it into its own boot loader. */
static void the_menu_of_another_boot_loader_says_whose_it_is(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"), .resident = SIM_RESIDENT_GECKO};
	struct bench *bench = bench_new_with(&options, "chip = F103x8\nretries = 2\n");

	(void)state;
	bench_run(bench, FLASH_PROBE);
	printf("# %s\n", bench->report.reason.text);
	assert_int_equal(bench->report.outcome, OUTCOME_WRONG_CHIP);
	assert_non_null(strstr(bench->report.reason.text, "`menu = gecko`"));
	bench_free(bench);
}

/* Of several tries, each after the first says which it is. */
struct tries {
	uint64_t last, total;
	unsigned n;
};

static void count_try(void *userdata, const struct progress *progress)
{
	struct tries *tries = userdata;

	if (progress->phase != PHASE_ENTER)
		return;
	tries->n++;
	assert_int_equal(progress->done, tries->n == 1 ? 0 : tries->n);
	tries->last = progress->done;
	tries->total = progress->total;
}

static void each_try_is_counted(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"), .faults = {.silent = true}};
	struct bench *bench =
		bench_new_with(&options, "chip = F103x8\nretries = 1\nbaud = 115200 57600\n");
	struct tries tries = {0};

	(void)state;
	bench->on_progress = count_try;
	bench->userdata = &tries;
	bench_run(bench, FLASH_PROBE);
	assert_int_equal(tries.last, 8);
	assert_int_equal(tries.total, 8);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(wiring_rows) + 2];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, wiring_rows, a_fault_of_wiring_is_told_by_what_was_heard);
	ADD_TEST(tests, n_tests, the_menu_of_another_boot_loader_says_whose_it_is);
	ADD_TEST(tests, n_tests, each_try_is_counted);
	return RUN_TESTS("heard", tests, n_tests);
}
