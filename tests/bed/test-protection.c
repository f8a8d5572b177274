/* SPDX-License-Identifier: MIT */
/* readout-protection = set: from one plug-in to the next, and from one service to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bed/enclosure.h"
#include "bed/scene.h"

#define PROTECT 0x82

static void a_protected_unit_is_current_unread_and_gets_a_new_image(void **state)
{
	struct bed_unit *unit;
	unsigned n_reads;

	scene_configure(*state, "", "readout-protection = set\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_field(expect_outcome(unit, "updated"), FIELD_PROTECTION, "on");
	assert_int_equal(bed_counters(unit).commands[PROTECT], 1);
	n_reads = bed_counters(unit).commands[READ];
	expect_at_rest(unit);
	expect_good_stop(*state);
	bed_unplug(unit);

	scene_start(*state);
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "current"), "MESSAGE", "nothing was read");
	assert_int_equal(bed_counters(unit).commands[READ], n_reads);
	assert_int_equal(bed_counters(unit).unprotects, 0);
	bed_unplug(unit);

	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	assert_int_equal(bed_counters(unit).unprotects, 1);
	assert_int_equal(bed_counters(unit).commands[PROTECT], 2);
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "current"), "MESSAGE", "nothing was read");
	expect_at_rest(unit);
}

/* In another place nobody knows it: all that can be done is to write it. */
static void elsewhere_a_protected_unit_is_written_anew(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "readout-protection = set\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .path = "1-3"});
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_replug(unit, &(struct bed_board){.serial = "A1", .path = "1-4"});
	expect_outcome(unit, "updated");
	assert_int_equal(bed_counters(unit).unprotects, 1);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void fault_18_a_unit_cut_off_before_its_protection_is_repaired(void **state)
{
	const struct bed_board board = {
		.serial = "A1", .faults = {.vanish_code = PROTECT, .vanish_nth = 1}};
	struct bed_unit *unit;
	unsigned n_erases;

	scene_configure(*state, "", "readout-protection = set\n");
	scene_start(*state);
	unit = bed_plug(*state, &board);
	expect_outcome(unit, "port-gone");
	assert_int_equal(bed_counters(unit).commands[PROTECT], 0);
	bed_unplug(unit);
	n_erases = scene_erases(unit);
	bed_replug(unit, GATE);
	/* It was verified before the protection was set: it is compared, and then protected. */
	expect_field(expect_outcome(unit, "current"), FIELD_PROTECTION, "on");
	assert_int_equal(bed_counters(unit).commands[PROTECT], 1);
	assert_int_equal(scene_erases(unit), n_erases);
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_TORN)), 0);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_at_rest(unit);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_protected_unit_is_current_unread_and_gets_a_new_image),
	SCENE_TEST(elsewhere_a_protected_unit_is_written_anew),
	SCENE_TEST(fault_18_a_unit_cut_off_before_its_protection_is_repaired),
};

SCENE_MAIN(tests)
