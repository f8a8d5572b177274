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
#include "bed/stub-image.h"

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
	assert_int_equal(
		command_lines(*state, "the board behind ttyUSB0 (gate) is erased and written with "
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

/* ----------------------------------------------------------------------- with the program */

/* A board whose RAM takes it, by a model of it that follows protocol.h. */
#define WITH_PROGRAM                                         \
	&(struct bed_board)                                  \
	{                                                    \
		.serial = "A1", .program = SIM_PROGRAM_PEER, \
	}

static struct bed_unit *start_with_program(struct bed *bed)
{
	stub_image_put(bed);
	return start(bed, WITH_PROGRAM);
}

static void stub_check_20_each_update_is_proved_twice_at_two_rates(void **state)
{
	struct bed_unit *unit = start_with_program(*state);
	unsigned n_reads = bed_counters(unit).commands[READ];

	assert_int_equal(command_run(*state, "stub-test -p ttyUSB0 --yes --json --count 3"), 0);
	assert_int_equal(command_lines(*state, "\"passed\": 3"), 2);
	assert_int_equal(command_lines(*state, "used: version 1, at 115200 baud"), 1);
	assert_int_equal(command_lines(*state, "used: version 1, at 460800 baud"), 1);
	assert_int_equal(command_lines(*state, "\"good\": true"), 1);
	assert_int_equal(command_lines(*state, "\"stub_version\": 1"), 1);
	/* All of the image through the ROM, six times. */
	assert_true(bed_counters(unit).commands[READ] - n_reads >= 6 * STUB_IMAGE_BYTES / 256);
	assert_true(bed_wait_closed(unit, BED_LONG));
	expect_at_rest(unit);
	assert_true(stub_image_is_in(unit));
}

static void stub_check_20_a_program_that_fails_is_counted(void **state)
{
	struct bed_unit *unit = start_with_program(*state);

	/* The third piece of each update never gets into the flash; its sums say so. */
	bed_set_faults(unit, &(struct sim_faults){.stub.unwritten = 3});
	assert_int_equal(command_run(*state, "stub-test -p ttyUSB0 --yes --count 3"), 1);
	assert_int_equal(
		command_lines(*state,
			"the first that did not pass: update 1: updated; given up behind the erase"),
		1);
	assert_int_equal(command_lines(*state, "not all passed"), 1);
	/* The ROM has written it all the same. */
	assert_true(stub_image_is_in(unit));
}

static const struct CMUnitTest tests[] = {
	COMMAND_TEST(it_asks_before_it_erases),
	COMMAND_TEST(one_that_is_never_used_is_told_soon),
	COMMAND_TEST(stub_check_20_each_update_is_proved_twice_at_two_rates),
	COMMAND_TEST(stub_check_20_a_program_that_fails_is_counted),
};

SCENE_MAIN(tests)
