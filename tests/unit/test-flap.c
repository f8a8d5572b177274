/* SPDX-License-Identifier: MIT */
/* What counts as flapping, fast and slow, what ends it, and which entries are made meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "service/flap.h"
#include "unit/rows.h"

#define MS USEC_PER_MSEC
#define S  USEC_PER_SEC

/* One slot for each test, and what came of the comings in it. */
struct slot_test {
	struct flap_table table;
	uint64_t now;
	unsigned n_flapping;
	unsigned n_delayed;
	unsigned n_entries;
	unsigned n_told; /* comings that they stand for */
};

static struct facts bridge_at(char *path)
{
	return (struct facts){
		.vendor_id = 0x10c4, .product_id = 0xea60, .usb_path = path, .sysfs = "/sys/x"};
}

static int set_up(void **state)
{
	static struct slot_test test;

	test = (struct slot_test){.now = S};
	*state = &test;
	return 0;
}

static void come(struct slot_test *test, char *serial)
{
	struct facts facts = bridge_at("pci-0");
	struct flap_verdict verdict;

	facts.serial = serial;
	verdict = flap_count(&test->table, &facts, test->now);
	assert_true(verdict.is_flapping || verdict.delay_usec == 0);
	assert_true(verdict.is_flapping || !verdict.is_entry_due);
	test->n_flapping += verdict.is_flapping;
	test->n_delayed += verdict.delay_usec > 0;
	test->n_entries += verdict.is_entry_due;
	if (verdict.is_entry_due)
		test->n_told += verdict.n_comings;
}

static void end(struct slot_test *test, const char *unit, enum outcome outcome)
{
	struct facts facts = bridge_at("pci-0");

	flap_note_end(&test->table, &facts, unit, outcome, test->now + MS);
}

static bool tell(struct slot_test *test, unsigned entry)
{
	struct facts facts = bridge_at("pci-0");

	return flap_take_entry(&test->table, &facts, entry, test->now);
}

/* Comes so often, 20 s from one to the next, without anything that a chip said. */
static void come_slowly(struct slot_test *test, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		test->now += 20 * S;
		come(test, "A1");
	}
}

/* ------------------------------------------------------------------------------ the windows */

static void a_person_with_a_cable_is_not_flapping(void **state)
{
	struct slot_test *test = *state;

	for (unsigned i = 0; i < 30; i++) {
		test->now += 151 * S;
		come(test, "A1");
	}
	assert_int_equal(test->n_flapping, 0);
	assert_int_equal(test->n_delayed, 0);
}

static void fault_22_hundred_plugs_a_minute_make_an_entry_a_minute(void **state)
{
	struct slot_test *test = *state;

	for (unsigned i = 0; i < 100; i++) {
		come(test, "A1");
		test->now += 600 * MS;
	}
	assert_int_equal(test->n_flapping, 100 - FLAP_TOLERATED);
	assert_int_equal(test->n_delayed, test->n_flapping);
	assert_int_equal(test->n_entries, 1);
	assert_int_equal(test->n_told, FLAP_TOLERATED + 1);
	test->now += 6 * S;
	come(test, "A1");
	assert_int_equal(test->n_entries, 2);
	assert_int_equal(test->n_told, 101);
}

/* One coming with this id, and the end of its job. */
static void come_as(struct slot_test *test, unsigned number, enum outcome outcome)
{
	char unit[25];

	snprintf(unit, sizeof(unit), "%024x", number);
	come(test, "A1");
	end(test, unit, outcome);
}

/* A board that says another id at each plug-in is no line of boards. */
static void another_chip_at_each_coming_is_slowed_beyond_what_people_plug(void **state)
{
	static const enum outcome outcomes[] = {
		OUTCOME_UPDATED, OUTCOME_CURRENT, OUTCOME_FAILED, OUTCOME_PORT_GONE};

	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
		assert_int_equal(set_up(state), 0);
		for (unsigned n = 0; n < 400; n++) {
			struct slot_test *test = *state;

			come_as(test, n + 1, outcomes[i]);
			test->now += 430 * MS;
		}
		assert_true(((struct slot_test *)*state)->n_delayed > 360);
		assert_in_range(((struct slot_test *)*state)->n_entries, 1, 4);
	}
}

/* One board in six seconds, all day long. */
static void a_fast_line_is_not_slowed(void **state)
{
	struct slot_test *test = *state;

	for (unsigned n = 0; n < 5000; n++) {
		come_as(test, n + 1, n % 7 == 0 ? OUTCOME_VERIFY_DIFFERS : OUTCOME_UPDATED);
		test->now += 6 * S;
	}
	assert_int_equal(test->n_delayed, 0);
	assert_int_equal(test->n_flapping, 0);
}

static void fault_22_the_delay_grows_and_is_forgotten(void **state)
{
	struct slot_test *test = *state;
	struct facts facts = bridge_at("pci-0");
	uint64_t last = 0;

	for (unsigned i = 0; i < 20; i++, test->now += 100 * MS) {
		struct flap_verdict verdict = flap_count(&test->table, &facts, test->now);

		assert_true(verdict.delay_usec >= last);
		last = verdict.delay_usec;
	}
	assert_true(last == FLAP_DELAY_MAX_USEC);
	assert_true(flap_count(&test->table, &facts, test->now + 120 * S).delay_usec == 0);
	assert_false(flap_count(&test->table, &facts, test->now + 1200 * S).is_flapping);
}

static void fault_22_one_slot_does_not_slow_another(void **state)
{
	struct slot_test *test = *state;
	struct facts good = bridge_at("pci-1");

	for (unsigned i = 0; i < 50; i++, test->now += 100 * MS)
		come(test, "A1");
	assert_true(test->n_delayed > 0);
	assert_false(flap_count(&test->table, &good, test->now).is_flapping);
}

static void fault_22_the_table_is_bounded_and_keeps_the_flapping_slot(void **state)
{
	struct slot_test *test = *state;

	for (unsigned i = 0; i < 500; i++) {
		char path[600];
		struct facts other = bridge_at(path);

		snprintf(path, sizeof(path), "%0500d", (int)i);
		flap_count(&test->table, &other, test->now += MS);
		test->now += MS;
		come(test, "A1");
	}
	assert_int_equal(test->n_flapping, 500 - FLAP_TOLERATED);
}

static void fault_22_a_day_of_slow_cycles_is_said_four_times_an_hour(void **state)
{
	struct slot_test *test = *state;

	come_slowly(test, 24 * 180);
	assert_int_equal(test->n_flapping, 24 * 180 - FLAP_TOLERATED);
	assert_int_equal(test->n_delayed, 0);
	assert_in_range(test->n_entries, 24 * 4 - 1, 24 * 4);
	/* The comings after the last entry are told by the next. */
	assert_in_range(test->n_told, 24 * 180 - 45, 24 * 180);
}

static void fault_22_what_gets_faster_is_said_within_a_minute(void **state)
{
	struct slot_test *test = *state;

	come_slowly(test, 12);
	assert_int_equal(test->n_entries, 1);
	for (unsigned i = 0; i < 70; i++, test->now += S)
		come(test, "A1");
	assert_in_range(test->n_entries, 2, 3);
	assert_true(test->n_delayed > 0);
}

/* ---------------------------------------------------------------------------- what ends it */

static void a_unit_that_is_written_ends_the_counting(void **state)
{
	struct slot_test *test = *state;

	come_slowly(test, 7);
	assert_int_equal(test->n_flapping, 1);
	end(test, "u1", OUTCOME_UPDATED);
	come_slowly(test, 6);
	assert_int_equal(test->n_flapping, 1);
	come_slowly(test, 1);
	assert_int_equal(test->n_flapping, 2);
}

static void fault_22_one_that_is_written_at_each_coming_flaps(void **state)
{
	struct slot_test *test = *state;

	for (unsigned i = 0; i < 100; i++) {
		come_slowly(test, 1);
		end(test, "u1", OUTCOME_UPDATED);
	}
	assert_int_equal(test->n_flapping, 99 - FLAP_TOLERATED);
}

/* On a production line: the same bridge as far as it says, another board each time. */
static const struct line_row {
	const char *name;
	enum outcome outcome;
	bool has_unit;
	bool has_serial;
	uint64_t usec;
	unsigned n_flapping;
} lines[] = {
	{"boards_that_are_written_are_no_flapping", OUTCOME_UPDATED, true, false, 20 * S, 0},
	{"boards_that_are_current_are_none", OUTCOME_CURRENT, true, false, 20 * S, 0},
	{"boards_that_fail_are_none", OUTCOME_VERIFY_DIFFERS, true, false, 20 * S, 0},
	{"boards_in_a_fast_jig_are_none", OUTCOME_UPDATED, true, false, 3 * S, 0},
	{"boards_without_an_id_that_are_written_are_none", OUTCOME_UPDATED, false, false, 20 * S,
		0},
	{"boards_without_an_id_that_are_current_are_none", OUTCOME_CURRENT, false, false, 20 * S,
		0},
	{"boards_behind_bridges_with_a_number_each_are_none", OUTCOME_NO_SYNC, false, true, 20 * S,
		0},
	{"fault_22_what_is_silent_flaps", OUTCOME_NO_SYNC, false, false, 20 * S,
		100 - FLAP_TOLERATED},
	{"fault_22_what_says_another_number_each_second_flaps", OUTCOME_NO_SYNC, false, true, S,
		100 - FLAP_TOLERATED},
	{"fault_22_nor_does_it_go_on_for_what_says_no_id", OUTCOME_CURRENT, false, false, S,
		100 - FLAP_TOLERATED},
};

static void line_flaps_as_the_row_says(void **state)
{
	static struct slot_test test;
	const struct line_row *row = *state;

	test = (struct slot_test){.now = S};
	for (unsigned i = 0; i < 100; i++) {
		char unit[16] = "", serial[16] = "0001";

		if (row->has_unit)
			snprintf(unit, sizeof(unit), "u%u", i);
		if (row->has_serial)
			snprintf(serial, sizeof(serial), "S%u", i);
		test.now += row->usec;
		come(&test, serial);
		end(&test, unit, row->outcome);
	}
	assert_int_equal(test.n_flapping, row->n_flapping);
}

static void fault_22_a_number_that_a_bad_contact_loses_is_no_other_bridge(void **state)
{
	struct slot_test *test = *state;

	for (unsigned i = 0; i < 20; i++) {
		test->now += 20 * S;
		come(test, i % 2 ? "" : "A1");
	}
	assert_int_equal(test->n_flapping, 20 - FLAP_TOLERATED);
}

static void fault_22_a_unit_that_is_the_same_each_time_flaps(void **state)
{
	struct slot_test *test = *state;

	for (unsigned i = 0; i < 100; i++) {
		come_slowly(test, 1);
		end(test, "u1", i % 2 ? OUTCOME_CURRENT : OUTCOME_PORT_GONE);
	}
	assert_int_equal(test->n_flapping, 100 - FLAP_TOLERATED);
}

/* -------------------------------------------------------------------------------- entries */

static void every_entry_is_made_of_what_does_not_flap(void **state)
{
	struct slot_test *test = *state;

	assert_true(tell(test, FLAP_STARTED));
	for (unsigned i = 0; i < FLAP_TOLERATED; i++) {
		come_slowly(test, 1);
		assert_true(tell(test, FLAP_STARTED));
		assert_true(tell(test, FLAP_ENDED + OUTCOME_NO_SYNC));
	}
}

static void fault_22_each_kind_is_told_once_a_minute(void **state)
{
	struct slot_test *test = *state;
	unsigned n_started = 0, n_ended = 0;

	come_slowly(test, FLAP_TOLERATED);
	for (unsigned i = 0; i < 180; i++) {
		come_slowly(test, 1);
		n_started += tell(test, FLAP_STARTED);
		n_ended += tell(test, FLAP_ENDED + OUTCOME_NO_SYNC);
	}
	assert_int_equal(n_started, 60);
	assert_int_equal(n_ended, 60);
	/* What is new is told, whatever else was. */
	assert_true(tell(test, FLAP_ENDED + OUTCOME_VERIFY_DIFFERS));
	assert_false(tell(test, FLAP_ENDED + OUTCOME_VERIFY_DIFFERS));
}

static void another_unit_is_told_at_once(void **state)
{
	struct slot_test *test = *state;

	for (unsigned i = 0; i < 20; i++) {
		come_slowly(test, 1);
		end(test, "u1", OUTCOME_CURRENT);
		(void)tell(test, FLAP_ENDED + OUTCOME_CURRENT);
	}
	come_slowly(test, 1);
	end(test, "u2", OUTCOME_CURRENT);
	assert_true(tell(test, FLAP_ENDED + OUTCOME_CURRENT));
	assert_true(tell(test, FLAP_ENDED + OUTCOME_CURRENT));
}

#define TEST(f)                                                    \
	(struct CMUnitTest)                                        \
	{                                                          \
		.name = #f, .test_func = (f), .setup_func = set_up \
	}

int main(void)
{
	struct CMUnitTest tests[40] = {
		TEST(a_person_with_a_cable_is_not_flapping),
		TEST(fault_22_hundred_plugs_a_minute_make_an_entry_a_minute),
		TEST(another_chip_at_each_coming_is_slowed_beyond_what_people_plug),
		TEST(a_fast_line_is_not_slowed),
		TEST(fault_22_the_delay_grows_and_is_forgotten),
		TEST(fault_22_one_slot_does_not_slow_another),
		TEST(fault_22_the_table_is_bounded_and_keeps_the_flapping_slot),
		TEST(fault_22_a_day_of_slow_cycles_is_said_four_times_an_hour),
		TEST(fault_22_what_gets_faster_is_said_within_a_minute),
		TEST(a_unit_that_is_written_ends_the_counting),
		TEST(fault_22_one_that_is_written_at_each_coming_flaps),
		TEST(fault_22_a_number_that_a_bad_contact_loses_is_no_other_bridge),
		TEST(fault_22_a_unit_that_is_the_same_each_time_flaps),
		TEST(every_entry_is_made_of_what_does_not_flap),
		TEST(fault_22_each_kind_is_told_once_a_minute),
		TEST(another_unit_is_told_at_once),
	};
	size_t n = 0;

	while (tests[n].name)
		n++;
	ADD_ROWS(tests, n, lines, line_flaps_as_the_row_says);
	return RUN_TESTS("flap", tests, n);
}
