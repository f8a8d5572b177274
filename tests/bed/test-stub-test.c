/* SPDX-License-Identifier: MIT */
/*
 * `plugflash stub-test` beside the service: that it asks, what it writes, and what its table says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

static struct bed_unit *start(struct bed *bed, const struct bed_board *board)
{
	struct bed_unit *unit;

	command_start_service(bed);
	unit = bed_plug(bed, board);
	expect_outcome(unit, "updated");
	return unit;
}

static void it_asks_before_it_erases(void **state)
{
	struct bed_unit *unit = start(*state, GATE);
	unsigned n_erases = scene_erases(unit);

	assert_int_equal(command_run_all(*state, "stub-test -p ttyUSB0"), 2);
	assert_int_equal(command_lines(*state, "the chip at ttyUSB0 is erased and written with "
					       "'gate-1.0.0.hex' 40 times"),
		1);
	assert_int_equal(command_lines(*state, "say --yes"), 1);
	assert_int_equal(command_run_all(*state, "stub-test -p ttyUSB0 --count 1001 --yes"), 2);
	assert_int_equal(scene_erases(unit), n_erases);
}

/* The image of the scene is smaller than what the program pays for: three updates are enough. */
static void one_that_is_never_used_is_told_soon(void **state)
{
	struct bed_unit *unit = start(*state, GATE);

	assert_int_equal(command_run(*state, "stub-test -p ttyUSB0 --yes"), 1);
	assert_int_equal(command_lines(*state, "115200"), 2);
	assert_int_equal(command_lines(*state, "boot loader V2.2"), 1);
	assert_int_equal(command_lines(*state, "not all passed"), 1);
	assert_int_equal(command_run(*state, "stub-test -p ttyUSB0 --yes --json --count 2"), 1);
	assert_int_equal(command_lines(*state, "\"unused\": 2"), 1);
	assert_int_equal(command_lines(*state, "\"passed\": 0"), 2);
	assert_int_equal(command_lines(*state, "\"good\": false"), 1);
	assert_true(bed_wait_closed(unit, BED_LONG));
	expect_at_rest(unit);
}

static const struct CMUnitTest tests[] = {
	COMMAND_TEST(it_asks_before_it_erases),
	COMMAND_TEST(one_that_is_never_used_is_told_soon),
};

SCENE_MAIN(tests)
