/* SPDX-License-Identifier: MIT */
/*
 * test-spoken-mt.c - whole jobs on a stick of TI whose rule says that its application speaks mt:
 * after the way out, which its boot loader cannot see, Z-Stack says which version runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "sim/bench.h"
#include "tools/ti-make.h"
#include "unit/rows.h"

#define OLD 20240710
#define NEW 20250321

/* A stick that runs the Z-Stack of 2024, and the image of 2025, whose name has the version. */
static struct bench *begin(const char *rule, const char *version)
{
	const struct sim_options options = {
		.chip = sim_chip_find("cc2652p"), .circuit = SIM_CIRCUIT_ESP};
	struct ti_make_image old = ti_make_new("cc2652p", "20240710", 0);
	struct ti_make_image new = ti_make_new("cc2652p", "20250321", 0);
	struct reason reason = {""};
	char lines[300];
	struct bench *bench;

	snprintf(lines, sizeof(lines),
		"protocol = bsl\nbackdoor-pin = 15\nretries = 0\nretry-delay = 0\nchip = cc2652p\n"
		"application = mt\n%s",
		rule);
	bench = bench_new_with(&options, lines);
	memcpy(sim_flash(bench->sim), old.flash, old.chip->size);
	ti_make_done(&old);
	image_done(&bench->image);
	for (size_t i = 0; i < new.n_runs; i++)
		assert_int_equal(image_add(&bench->image, new.runs[i].address,
					 new.flash + (new.runs[i].address - new.chip->base),
					 new.runs[i].n, 1 << 20, &reason),
			0);
	ti_make_done(&new);
	bench->image.format = "Intel HEX";
	bench->version = version;
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
	return bench;
}

/* From now on, on a stick that runs. */
static void spoil(struct bench *bench, const struct sim_ti_faults *faults)
{
	sim_set_faults(bench->sim, &(struct sim_faults){.ti = *faults});
}

static void must_be(struct bench *bench, enum flash_action action, enum outcome outcome)
{
	if (bench_run(bench, action) != outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
}

static void must_say(const struct bench *bench, const char *words)
{
	if (!strstr(bench->report.reason.text, words))
		fail_msg("'%s' says nothing of '%s'", bench->report.reason.text, words);
}

static void z_stack_says_which_version_runs(void **state)
{
	struct bench *bench = begin("", "20250321");

	(void)state;
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_string_equal(bench->report.entered, "lines");
	assert_string_equal(bench->report.application, "mt");
	assert_string_equal(bench->report.application_version, "20250321");
	assert_int_equal(bench->report.application_baud, 115200);
	/* The flash was compared, which says more than the application's word. */
	assert_int_equal(bench->report.proof, PROOF_DIGEST);
	/* A stick that holds the image already was reset, and is asked as well. */
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	assert_string_equal(bench->report.application_version, "20250321");
	assert_int_equal(bench->report.proof, PROOF_DIGEST);
	bench_free(bench);
}

static void a_probe_tells_chip_and_application(void **state)
{
	struct bench *bench = begin("", "20250321");

	(void)state;
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	assert_string_equal(bench->report.application, "mt");
	assert_string_equal(bench->report.application_version, "20240710");
	assert_int_equal(bench->report.product_id, 0xBB41);
	assert_string_equal(bench->report.entered, "lines");
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	assert_int_equal(sim_ti(bench->sim)->revision, OLD);
	bench_free(bench);
}

static void another_version_than_that_of_the_name_is_told(void **state)
{
	struct bench *bench = begin("", "20250401");

	(void)state;
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_CONFIRMED);
	must_say(bench, "an application runs (mt 20250321 at 115200 baud)");
	must_say(bench, "'20250401'");
	assert_int_equal(bench->report.proof, PROOF_DIGEST);
	bench_free(bench);
}

static void a_z_stack_that_stays_silent_is_told(void **state)
{
	struct bench *bench = begin("confirm-within = 3s\n", "20250321");

	(void)state;
	spoil(bench, &(struct sim_ti_faults){.is_mute = true});
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_CONFIRMED);
	must_say(bench, "no application answered within 3000 ms");
	must_say(bench, "(mt at 115200)");
	bench_free(bench);
}

static void a_slow_start_is_waited_for(void **state)
{
	struct bench *bench = begin("", "20250321");

	(void)state;
	spoil(bench,
		&(struct sim_ti_faults){.start_nsec = UINT64_C(4200000000), .no_indication = true});
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_string_equal(bench->report.application_version, "20250321");
	bench_free(bench);
}

/* The pin is low at the start into the loader anyhow; at the next start it is the fault. */
static void ti_check_19_a_reset_with_the_backdoor_held_low_is_seen_and_mended(void **state)
{
	struct bench *bench = begin("", "20250321");

	(void)state;
	spoil(bench, &(struct sim_ti_faults){.boot_low_resets = 2});
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_string_equal(bench->report.application_version, "20250321");
	assert_int_equal(sim_ti(bench->sim)->start, SIM_TI_APPLICATION);
	assert_int_equal(sim_ti(bench->sim)->revision, NEW);
	bench_free(bench);
}

static void ti_check_19_a_backdoor_that_stays_low_is_named(void **state)
{
	struct bench *bench = begin("", "20250321");

	(void)state;
	spoil(bench, &(struct sim_ti_faults){.boot_low_resets = 100});
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_STARTED);
	must_say(bench, "each reset leads back into the boot loader");
	/* What was proved to be in the flash stays proved. */
	assert_int_equal(bench->report.proof, PROOF_DIGEST);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, z_stack_says_which_version_runs);
	ADD_TEST(tests, n_tests, a_probe_tells_chip_and_application);
	ADD_TEST(tests, n_tests, another_version_than_that_of_the_name_is_told);
	ADD_TEST(tests, n_tests, a_z_stack_that_stays_silent_is_told);
	ADD_TEST(tests, n_tests, a_slow_start_is_waited_for);
	ADD_TEST(tests, n_tests, ti_check_19_a_reset_with_the_backdoor_held_low_is_seen_and_mended);
	ADD_TEST(tests, n_tests, ti_check_19_a_backdoor_that_stays_low_is_named);
	return RUN_TESTS("spoken-mt", tests, n_tests);
}
