/* SPDX-License-Identifier: MIT */
/* Units whose new application does not say that it runs, and what they hold afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* Of the two versions of the firmware one says this. */
#define RULE "rollback = yes\nconfirm = plugflash-test 1\\.0\nconfirm-within = 500ms\n"

/* A bit of the image that cannot be written. */
static const struct sim_faults stuck = {.stuck_address = 0x08000400};
static const struct sim_faults none;

static void wait_for(struct bed *bed, const char *message, const char *text)
{
	const struct journal_entry *entry = bed_wait_journal(bed, BED_LONG, BED_MATCH(message));

	if (!entry)
		fail_msg("no entry with %s, '%s' was expected", message, text);
	expect_text(entry, "MESSAGE", text);
}

/* A unit that holds the version that confirms, and then there is one that does not. */
static struct bed_unit *hold_the_good_one(struct bed *bed, const char *keys)
{
	struct bed_unit *unit;

	scene_configure(bed, "", keys);
	scene_start(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	return unit;
}

/*
 * Plugs the board in again, with the new version waiting for it, up to the erase of the way back.
 * By the chip's own count: the journal may be told of it when it is over.
 */
static void begin_to_go_back(struct bed *bed, struct bed_unit *unit)
{
	/* An update is as many commands as the one before. */
	unsigned n_erases = bed_counters(unit).commands[ERASE];

	bed_unplug(unit);
	bed_put_image(bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	bed_mark(bed);
	bed_replug(unit, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 2 * n_erases + 1));
}

static void expect_back(struct bed *bed, struct bed_unit *unit)
{
	wait_for(bed, "MESSAGE_ID=" MESSAGE_ROLLED_BACK, "is back at gate-1.0.0.hex");
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
}

static void an_image_that_does_not_confirm_is_taken_back_and_left(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state, RULE);
	unsigned n_erases;

	bed_mark(*state);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_back(*state, unit);
	wait_for(*state, FIELD_OUTCOME "=not-confirmed", "it said 'plugflash-test 1.1.0");
	wait_for(*state, "MESSAGE_ID=" MESSAGE_ROLLBACK,
		"goes back to gate-1.0.0.hex, which it held before: the application of "
		"gate-1.1.0.hex did not confirm");
	assert_int_equal(bed_count_journal(*state, BED_MATCH(FIELD_OUTCOME "=updated")), 1);
	assert_int_equal(command_run(*state, "history --csv"), 0);
	assert_int_equal(command_lines(*state, ",different,not-confirmed,"), 1);
	assert_int_equal(command_lines(*state, ",rollback,updated,"), 1);
	assert_int_equal(command_run(*state, "history --units --csv"), 0);
	assert_int_equal(command_lines(*state, ",whole,gate-1.0.0.hex,"), 1);
	assert_int_equal(command_lines(*state, ",1,not-confirmed,done"), 1);
	assert_int_equal(command_run(*state, "history --units"), 0);
	assert_int_equal(command_lines(*state, "1 not-confirmed, went back"), 1);
	assert_int_equal(command_run(*state, "history --outcome not-confirmed"), 0);
	assert_int_equal(command_lines(*state, "; it said 'plugflash-test 1.1.0"), 1);

	/* Neither at the next plug-in nor after a restart. */
	n_erases = scene_erases(unit);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "quarantined"), "MESSAGE",
		"did not confirm this image and went back to gate-1.0.0.hex");
	bed_unplug(unit);
	expect_good_stop(*state);
	scene_start(*state);
	bed_replug(unit, NULL);
	expect_outcome(unit, "quarantined");
	assert_int_equal(scene_erases(unit), n_erases);
}

static void another_image_is_tried_and_so_is_the_same_when_somebody_asks(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state, RULE);

	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_back(*state, unit);
	bed_mark(*state);
	assert_int_equal(command_run(*state, "retry"), 0);
	assert_int_equal(command_lines(*state, "tried again: 1"), 1);
	expect_back(*state, unit);
	assert_int_equal(bed_count_journal(*state, BED_MATCH(FIELD_OUTCOME "=not-confirmed")), 1);
	bed_mark(*state);
	bed_put_image(*state, "gate-1.2.0.bin", FIRMWARE_NEW_BIN);
	expect_back(*state, unit);
	assert_int_equal(bed_count_journal(*state, BED_MATCH(FIELD_OUTCOME "=not-confirmed")), 1);
	assert_int_equal(bed_count_journal(*state, BED_MATCH(FIELD_OUTCOME "=quarantined")), 0);
}

static void a_changed_rule_is_a_reason_to_try_it(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state, RULE);

	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_back(*state, unit);
	bed_mark(*state);
	scene_configure(*state, "", "rollback = yes\nconfirm = plugflash-test 1\n");
	bed_signal(*state, SIGHUP);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

static void by_default_it_keeps_what_it_got(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state,
		"confirm = plugflash-test 1\\.0\nconfirm-within = 500ms\nquarantine-after = 1\n");

	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	wait_for(*state, "MESSAGE_ID=" MESSAGE_QUARANTINED, "gate-1.1.0.hex");
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_ROLLBACK)), 0);
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

static void the_image_before_is_known_by_what_is_in_it(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state, RULE);

	/* Its name is another one's now, and another name its. */
	bed_put_image(*state, "gate-0.9.0.hex", FIRMWARE_OLD ".hex");
	bed_put_image(*state, "gate-1.0.0.hex", FIRMWARE_NEW ".hex");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	wait_for(*state, "MESSAGE_ID=" MESSAGE_ROLLED_BACK, "is back at gate-0.9.0.hex");
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
}

static void where_none_is_left_it_says_so_and_goes_on_as_ever(void **state)
{
	struct bed_unit *unit =
		hold_the_good_one(*state, RULE "again-after = 100ms\nquarantine-after = 2\n");

	bed_remove_image(*state, "gate-1.0.0.hex");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	wait_for(*state, "MESSAGE_ID=" MESSAGE_NO_ROLLBACK,
		"cannot go back to gate-1.0.0.hex: the image directory has no other image");
	wait_for(*state, "MESSAGE_ID=" MESSAGE_QUARANTINED, "failed 2 times");
	assert_int_equal(bed_count_journal(*state, BED_MATCH(FIELD_OUTCOME "=not-confirmed")), 2);
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

static void one_that_fails_to_go_back_tries_it_once(void **state)
{
	struct bed_unit *unit = hold_the_good_one(
		*state, RULE "retries = 0\nagain-after = 2s\nquarantine-after = 3\n");

	begin_to_go_back(*state, unit);
	bed_set_faults(unit, &stuck);
	wait_for(*state, FIELD_OUTCOME "=verify-differs", "gate");
	bed_set_faults(unit, &none);
	wait_for(*state, "MESSAGE_ID=" MESSAGE_QUARANTINED, "failed 3 times");
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_ROLLBACK)), 1);
	assert_int_equal(
		bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_ROLLED_BACK)), 0);
}

static void one_that_finds_another_image_under_the_name_keeps_what_it_has(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state, RULE "quarantine-after = 1\n");

	bed_put_image(*state, "gate-1.0.0.hex", FIRMWARE_NEW ".hex");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	wait_for(*state, FIELD_OUTCOME "=no-image", "is the one that the unit held before");
	wait_for(*state, "MESSAGE_ID=" MESSAGE_QUARANTINED, "failed 1 time");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

/* Its chip says neither what it holds nor which one it is, until it is wiped. */
static void a_unit_that_was_protected_goes_back_as_well(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state, RULE "readout-protection = set\n");

	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_back(*state, unit);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "quarantined");
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
}

static void fault_16_a_unit_pulled_while_it_goes_back_does_so_the_next_time(void **state)
{
	struct bed_unit *unit = hold_the_good_one(*state, RULE);

	begin_to_go_back(*state, unit);
	assert_true(
		bed_wait_command(unit, BED_LONG, WRITE, bed_counters(unit).commands[WRITE] + 3));
	bed_unplug(unit);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=port-gone")));
	bed_mark(*state);
	bed_replug(unit, GATE);
	expect_back(*state, unit);
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_TORN)), 1);
}

/* Each image has it in its place, the one before as well. */
static void a_unit_that_goes_back_keeps_its_own_number(void **state)
{
	struct bed_unit *unit, *other;
	uint32_t size;

	scene_configure(*state, "", RULE "serialize = 0x08008000+8 decimal 41\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_field(expect_outcome(unit, "updated"), FIELD_UNIT_DATA, "00000041");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_back(*state, unit);
	assert_memory_equal(bed_flash(unit, &size) + 0x8000, "00000041", 8);
	assert_int_equal(command_run(*state, "history --csv"), 0);
	assert_int_equal(command_lines(*state, ",00000041,"), 3);
	/* And none was used up on the way. */
	other = bed_plug(*state, &(struct bed_board){.serial = "A2", .faults = {.seed = 2}});
	assert_non_null(bed_wait_journal(*state, BED_LONG,
		BED_MATCH(FIELD_UNIT_DATA "=00000042", FIELD_OUTCOME "=not-confirmed")));
	assert_memory_equal(bed_flash(other, &size) + 0x8000, "00000042", 8);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(an_image_that_does_not_confirm_is_taken_back_and_left),
	COMMAND_TEST(another_image_is_tried_and_so_is_the_same_when_somebody_asks),
	SCENE_TEST(a_changed_rule_is_a_reason_to_try_it),
	SCENE_TEST(by_default_it_keeps_what_it_got),
	SCENE_TEST(the_image_before_is_known_by_what_is_in_it),
	SCENE_TEST(where_none_is_left_it_says_so_and_goes_on_as_ever),
	SCENE_TEST(one_that_fails_to_go_back_tries_it_once),
	SCENE_TEST(one_that_finds_another_image_under_the_name_keeps_what_it_has),
	SCENE_TEST(a_unit_that_was_protected_goes_back_as_well),
	SCENE_TEST(a_unit_that_goes_back_keeps_its_own_number),
	SCENE_TEST(fault_16_a_unit_pulled_while_it_goes_back_does_so_the_next_time),
};

SCENE_MAIN(tests)
