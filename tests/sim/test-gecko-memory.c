/* SPDX-License-Identifier: MIT */
/*
 * test-gecko-memory.c - what the service makes of a file that a Gecko boot loader has refused for
 * good: not tried with that unit again, by itself, until there is another file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sim/gbl.h"
#include "sim/loader-bench.h"
#include "sim/place.h"

#define RULE GECKO "accept-unverified = yes\nretries = 3\nretry-delay = 0\n"

static struct place *new_stick(unsigned error)
{
	const struct sim_options options = {.chip = sim_chip_find("f103xc"),
		.resident = SIM_RESIDENT_GECKO,
		.faults = {.gbl_error = error, .prints_whole_code = true}};
	struct place *place = new_place_with(&options, RULE);

	take_gbl(place->bench, 3000, 4);
	take_image(place, "ncp.gbl", "1.0.0");
	return place;
}

static void a_file_that_is_refused_for_good_is_not_tried_again(void **state)
{
	struct place *place = new_stick(GBL_SIGNATURE);
	unsigned n_entries;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_BAD_IMAGE);
	assert_int_equal(place->again_usec, 0);
	assert_int_equal(unit_of(place).failures, 1);
	assert_int_equal(unit_of(place).state, UNIT_FAILED);
	n_entries = sim_counters(place->bench->sim)->resident_entries;
	for (int i = 0; i < 2; i++) {
		port_sim_replug(BENCH_PORT);
		assert_int_equal(plug(place), OUTCOME_QUARANTINED);
		assert_non_null(strstr(
			place->bench->report.reason.text, "has refused this image for good"));
	}
	/* But for the power, nobody was at its lines. */
	assert_int_equal(sim_counters(place->bench->sim)->files, 0);
	assert_int_equal(sim_counters(place->bench->sim)->resident_entries, n_entries + 2);
	free_place(place);
}

static void another_file_is_tried_at_once(void **state)
{
	struct place *place = new_stick(GBL_SIGNATURE);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_BAD_IMAGE);
	clear_faults(place);
	take_gbl(place->bench, 3000, 5);
	take_image(place, "ncp-signed.gbl", "1.0.1");
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(unit_of(place).failures, 0);
	free_place(place);
}

/* A person who asks may try it. */
static void a_person_may_try_it(void **state)
{
	struct place *place = new_stick(GBL_SIGNATURE);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_BAD_IMAGE);
	clear_faults(place);
	place->attempt.policy.is_asked = true;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	free_place(place);
}

/* A sum that was wrong there is the line's, and counts as any failure. */
static void a_damaged_file_is_tried_again(void **state)
{
	struct place *place = new_stick(GBL_CRC);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_WRITE_FAILED);
	assert_true(place->again_usec > 0);
	clear_faults(place);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	free_place(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_refused_for_good_is_not_tried_again),
		cmocka_unit_test(another_file_is_tried_at_once),
		cmocka_unit_test(a_person_may_try_it),
		cmocka_unit_test(a_damaged_file_is_tried_again),
	};

	return cmocka_run_group_tests_name(
		"memory of refused files", tests, folder_make, folder_remove);
}
