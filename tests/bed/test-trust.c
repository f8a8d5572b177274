/* SPDX-License-Identifier: MIT */
/*
 * Bursts on trial in the real service: what its store learns of a kind of chip by updates, and how
 * it tells what it turned off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "bed/stub-image.h"
#include "records/trust.h"

#define BURSTS "bursts stm32:0x410 2.2"
#define STUB   "stub stm32:0x410 2.2 1"

/* A byte of the third block that is written: the ROM refuses what is left of the burst. */
static const struct sim_faults lost = {.drop_received = 1000};
static const struct sim_faults none;

/* The row of the kind, beside the service; an empty one is of a kind that nobody knows. */
static struct store_trust look_up_kind(struct bed *bed, const char *kind)
{
	struct store_trust row = {0};
	struct store *store = NULL;
	struct reason reason = {0};
	char path[300];

	snprintf(path, sizeof(path), "%s/state", bed_directory(bed));
	if (store_open_to_read(path, &store, &reason) != 0)
		fail_msg("%s", reason.text);
	(void)store_find_trust(store, kind, &row, &reason);
	store_close(store);
	return row;
}

static struct store_trust look_up(struct bed *bed)
{
	return look_up_kind(bed, BURSTS);
}

static struct bed_unit *begin(struct bed *bed, const char *keys)
{
	char more[200];

	snprintf(more, sizeof(more), "update = always\nretry-delay = 0\n%s", keys);
	scene_configure(bed, "", more);
	command_start_service(bed);
	return bed_plug(bed, GATE);
}

static const struct journal_entry *update_again(struct bed_unit *unit)
{
	bed_unplug(unit);
	bed_replug(unit, NULL);
	return expect_outcome(unit, "updated");
}

static size_t count_turned_off(struct bed *bed)
{
	return bed_count_journal(bed, BED_MATCH("MESSAGE_ID=" MESSAGE_TURNED_OFF));
}

static void five_updates_make_a_kind_trusted(void **state)
{
	struct bed_unit *unit = begin(*state, "");

	expect_outcome(unit, "updated");
	for (uint32_t i = 1; i <= TRUST_PROOFS; i++) {
		struct store_trust row = look_up(*state);

		assert_int_equal(row.proved, i);
		assert_int_equal(trust_of(&row), i < TRUST_PROOFS ? TRUST_ON_TRIAL : TRUST_FULL);
		assert_non_null(strstr(row.name, "boot loader 2.2"));
		update_again(unit);
	}
	/* The sixth was written in bursts and read in bursts: no trial. */
	assert_int_equal(look_up(*state).proved, TRUST_PROOFS);
	assert_int_equal(count_turned_off(*state), 0);
	command_wait_manager("TurnedOff", "");
}

static void a_failure_turns_bursts_off_and_says_so_once(void **state)
{
	const struct journal_entry *entry;
	struct store_trust row;
	struct bed_unit *unit = begin(*state, "");

	expect_outcome(unit, "updated");
	bed_set_faults(unit, &lost);
	bed_mark(*state);
	/* The job goes on without them. */
	update_again(unit);
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_TURNED_OFF));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "bursts of ");
	expect_text(entry, "MESSAGE", "(0x410), boot loader 2.2 is turned off on this host");
	expect_text(entry, "MESSAGE", "plugflash retry --trials");
	expect_field(entry, "PRIORITY", "3");
	row = look_up(*state);
	assert_int_equal(trust_of(&row), TRUST_OFF);
	assert_true(row.off_ms > 0);

	assert_int_equal(command_run(*state, "status"), 0);
	assert_int_equal(command_lines(*state, "turned off: bursts of "), 1);
	assert_int_equal(command_run(*state, "status --json"), 0);
	assert_int_equal(command_lines(*state, "\"turned_off\": \"bursts of "), 1);

	/* Off, no burst is there to be lost; a restart remembers it. */
	update_again(unit);
	expect_good_stop(*state);
	command_start_service(*state);
	bed_set_faults(unit, &none);
	update_again(unit);
	assert_int_equal(count_turned_off(*state), 1);
	assert_int_equal(look_up(*state).proved, 0);
	assert_int_equal(command_run(*state, "status"), 0);
	assert_int_equal(command_lines(*state, "turned off: bursts of "), 1);
}

static void somebody_may_allow_it_again(void **state)
{
	struct bed_unit *unit = begin(*state, "");

	expect_outcome(unit, "updated");
	bed_set_faults(unit, &lost);
	update_again(unit);
	assert_int_equal(command_run_all(*state, "retry --trials --board gate"), 2);
	assert_int_equal(command_run(*state, "retry --trials"), 0);
	assert_int_equal(command_lines(*state, "on trial again: 1"), 1);
	command_wait_manager("TurnedOff", "");
	bed_set_faults(unit, &none);
	update_again(unit);
	assert_int_equal(look_up(*state).proved, 1);
	assert_int_equal(command_run(*state, "retry --trials"), 0);
	assert_int_equal(command_lines(*state, "on trial again: 0"), 1);
	assert_int_equal(command_run(*state, "retry --trials --json"), 0);
	assert_int_equal(command_lines(*state, "\"kinds\": 0"), 1);
	/* What was proved is not forgotten for it. */
	assert_int_equal(look_up(*state).proved, 1);
}

static void a_rule_that_says_yes_learns_nothing(void **state)
{
	struct bed_unit *unit = begin(*state, "bursts = yes\n");

	expect_outcome(unit, "updated");
	bed_set_faults(unit, &lost);
	update_again(unit);
	assert_int_equal(count_turned_off(*state), 0);
	assert_int_equal(look_up(*state).seen_ms, 0);
}

static void a_check_learns_nothing(void **state)
{
	struct bed_unit *unit = begin(*state, "");

	expect_outcome(unit, "updated");
	bed_mark(*state);
	assert_int_equal(command_run(*state, "verify"), 0);
	assert_int_equal(look_up(*state).proved, 1);
}

/* ------------------------------------------------------------------- the program in the RAM */

static struct bed_unit *begin_with_program(struct bed *bed)
{
	scene_configure(bed, "", "update = always\nretry-delay = 0\n");
	stub_image_put(bed);
	command_start_service(bed);
	return bed_plug(bed, &(struct bed_board){.serial = "A1", .program = SIM_PROGRAM_PEER});
}

/* How many bytes of the image go through the ROM: what it reads is the second proof. */
static unsigned blocks_read(struct bed_unit *unit, unsigned before)
{
	return bed_counters(unit).commands[READ] - before;
}

static void five_updates_make_the_program_trusted(void **state)
{
	struct bed_unit *unit = begin_with_program(*state);
	unsigned before;

	for (uint32_t i = 1; i <= TRUST_PROOFS; i++) {
		const struct journal_entry *entry;

		before = bed_counters(unit).commands[READ];
		entry = i == 1 ? expect_outcome(unit, "updated") : update_again(unit);
		expect_text(entry, FIELD_STUB, "used: ");
		expect_field(entry, FIELD_PROOF, "read-back");
		assert_true(blocks_read(unit, before) >= STUB_IMAGE_BYTES / 256);
		assert_int_equal(look_up_kind(*state, STUB).proved, i);
	}
	before = bed_counters(unit).commands[READ];
	expect_field(update_again(unit), FIELD_PROOF, "sums");
	assert_true(blocks_read(unit, before) < STUB_IMAGE_BYTES / 256);
	assert_true(stub_image_is_in(unit));
	/* The RAM is loaded by the ROM: that is no trial of bursts. */
	assert_int_equal(look_up(*state).proved, 0);
}

static void a_program_that_hangs_behind_the_erase_is_turned_off(void **state)
{
	struct bed_unit *unit = begin_with_program(*state);
	const struct journal_entry *entry;

	expect_outcome(unit, "updated");
	bed_set_faults(unit, &(struct sim_faults){.stub = {.unwritten = 3}});
	bed_mark(*state);
	update_again(unit);
	assert_true(stub_image_is_in(unit));
	entry = bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_TURNED_OFF));
	assert_non_null(entry);
	expect_text(entry, "MESSAGE", "stub of ");
	expect_text(entry, "MESSAGE", "program 1 is turned off on this host");
	expect_text(entry, "MESSAGE", "given up behind the erase");
	bed_set_faults(unit, &none);
	bed_mark(*state);
	entry = update_again(unit);
	expect_text(entry, FIELD_STUB, "not used: it is turned off");
	expect_field(entry, FIELD_PROOF, "read-back");
	assert_int_equal(command_run(*state, "status"), 0);
	assert_int_equal(command_lines(*state, "turned off: stub of "), 1);
	assert_int_equal(command_lines(*state, "plugflash retry --trials"), 1);
	assert_int_equal(count_turned_off(*state), 0);
}

static const struct CMUnitTest tests[] = {
	COMMAND_TEST(five_updates_make_a_kind_trusted),
	COMMAND_TEST(a_failure_turns_bursts_off_and_says_so_once),
	COMMAND_TEST(somebody_may_allow_it_again),
	COMMAND_TEST(a_rule_that_says_yes_learns_nothing),
	COMMAND_TEST(a_check_learns_nothing),
	COMMAND_TEST(five_updates_make_the_program_trusted),
	COMMAND_TEST(a_program_that_hangs_behind_the_erase_is_turned_off),
};

SCENE_MAIN(tests)
