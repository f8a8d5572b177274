/* SPDX-License-Identifier: MIT */
/* Option bytes: by the key of a rule, from one plug-in to the next, and by the command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

static void a_rule_sets_them_and_keeps_to_them(void **state)
{
	struct bed_unit *unit;
	unsigned n_writes;

	scene_configure(*state, "", "option-bytes = Data0=0x5A nRST_STDBY=0\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_text(expect_outcome(unit, "updated"), "MESSAGE",
		"option bytes: nRST_STDBY 1 -> 0, Data0 255 -> 90");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_at_rest(unit);
	n_writes = bed_counters(unit).commands[WRITE];
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	assert_int_equal(bed_counters(unit).commands[WRITE], n_writes);
	bed_unplug(unit);

	/* Another value in the rule: the flash stays as it is. */
	expect_good_stop(*state);
	scene_configure(*state, "", "option-bytes = Data0=1\n");
	scene_start(*state);
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "updated"), "MESSAGE", "option bytes: Data0 90 -> 1");
	assert_int_equal(bed_counters(unit).commands[WRITE], n_writes + 1);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_at_rest(unit);
}

static void the_command_shows_and_sets_them(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit;

	scene_configure(bed, "", "");
	command_start_service(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	assert_int_equal(command_run(bed, "option-bytes"), 0);
	assert_int_equal(command_lines(bed, "RDP                  0xa5"), 1);
	assert_int_equal(command_lines(bed, "Data0                0xff"), 1);
	/* There is no terminal to ask at. */
	assert_int_equal(command_run_all(bed, "option-bytes set Data0=7"), 2);
	assert_int_equal(command_lines(bed, "--yes"), 1);
	assert_int_equal(command_lines(bed, "the board behind ttyUSB0 (gate)"), 1);
	assert_int_equal(command_run_all(bed, "option-bytes set Data0=7 --yes"), 0);
	assert_int_equal(command_lines(bed, "option bytes: Data0 255 -> 7"), 1);
	assert_int_equal(command_run_all(bed, "option-bytes set Data0=7 --yes"), 0);
	assert_int_equal(command_lines(bed, "so already, and nothing was written"), 1);
	assert_int_equal(command_run_all(bed, "option-bytes set Data0 = 7 --yes"), 2);
	assert_int_equal(command_lines(bed, "got 'Data0 = 7'"), 1);
	assert_int_equal(command_run(bed, "option-bytes --json"), 0);
	assert_int_equal(command_lines(bed, "\"Data0\": 7"), 1);
	assert_int_equal(command_run_all(bed, "option-bytes set WDG_SW=0 --yes"), 3);
	assert_int_equal(command_lines(bed, "i-know-the-risk"), 1);
	assert_int_equal(command_run_all(bed, "option-bytes show"), 2);
	assert_int_equal(command_run_all(bed, "option-bytes set --yes"), 2);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* Of a board that nobody can get into any more by its BOOT0 pin the command says why. */
static void the_command_says_what_a_value_means_for_the_way_in(void **state)
{
	struct bed *bed = *state;

	bed_plug(bed, &(struct bed_board){.chip = "g071", .serial = "X1"});
	assert_int_equal(
		command_run(bed, "option-bytes -p ttyUSB0 --chip G071 --wiring direct"), 0);
	assert_int_equal(
		command_lines(bed, "nBOOT_SEL            1  (the boot mode is that of nBOOT0 then"),
		1);
	assert_int_equal(command_lines(bed, "NRST_MODE            3"), 1);
	assert_int_equal(command_lines(bed, "BOOT_LOCK            1  (shown, not written)"), 1);
	/* And a probe which ROM it has, by which AN2606 tells its limitations. */
	assert_int_equal(command_run(bed, "probe -p ttyUSB0 --wiring direct --json"), 0);
	assert_int_equal(command_lines(bed, "\"details\": \"bootloader-id 0xb4\""), 1);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_rule_sets_them_and_keeps_to_them),
	COMMAND_TEST(the_command_shows_and_sets_them),
	COMMAND_TEST(the_command_says_what_a_value_means_for_the_way_in),
};

SCENE_MAIN(tests)
