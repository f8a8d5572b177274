/* SPDX-License-Identifier: MIT */
/* The rollout beside an image: who takes part, and what may stand in the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "image/rollout.h"

/* Reckoned by another program, from the manual page. */
static const struct {
	const char *unit;
	unsigned share;
} shares[] = {
	{"066cff575251717867123456", 429},
	{"066cff575251717867123457", 5114},
	{"abc", 1837},
	{"", ROLLOUT_SHARE_UNKNOWN},
};

static void a_share_is_as_the_manual_page_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
		if (rollout_share(shares[i].unit) != shares[i].share)
			fail_msg("'%s': got %u", shares[i].unit, rollout_share(shares[i].unit));
}

/* Nobody takes part at 0 and all do at 100; at one percent about one of a hundred. */
static void shares_are_spread_over_all_units(void **state)
{
	unsigned n_each[10] = {0};
	char unit[25];
	(void)state;

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(unit, sizeof(unit), "%024x", i);
		assert_in_range(rollout_share(unit), 0, ROLLOUT_SHARES - 1);
		n_each[rollout_share(unit) / (ROLLOUT_SHARES / 10)]++;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(n_each); i++)
		assert_in_range(n_each[i], 850, 1150); /* five times the spread of chance */
}

static const struct {
	struct rollout rollout;
	int64_t now_s;
	unsigned below;
} times[] = {
	{{.percent = 0}, 1000, 0},
	{{.percent = 1}, 1000, 100},
	{{.percent = 99}, 1000, 9900}, /* not yet a unit that is unknown */
	{{.percent = 100}, 1000, 10000},
	{{.percent = 100, .until_s = 1000}, 999, 10000},
	{{.percent = 100, .until_s = 1000}, 1000, 0},
	{{.percent = 50, .until_s = 1000}, 5000, 0},
};

static void no_unit_takes_part_after_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		assert_int_equal(rollout_below(&times[i].rollout, times[i].now_s), times[i].below);
}

static const struct {
	const char *name;
	const char *text;
	const char *expected; /* the reason */
} bad[] = {
	{"nothing", "", "gate.hex.rollout:1: there is no [rollout]"},
	{"no percent", "[rollout]\n", "gate.hex.rollout:1: [rollout] percent: the key is missing"},
	{"an end alone", "[rollout]\nuntil = 5\n", "percent: the key is missing"},
	{"another section", "[image]\n", "gate.hex.rollout:1: [image] expected [rollout]"},
	{"a section with a name", "[rollout gate]\n", "expected [rollout]"},
	{"an unknown key", "[rollout]\npercent = 5\nshare = 1\n", "share: there is no such key"},
	{"more than all", "[rollout]\npercent = 101\n", "expected a whole number from 0 to 100"},
	{"less than none", "[rollout]\npercent = -1\n", "expected a whole number from 0 to 100"},
	{"a part", "[rollout]\npercent = 0.5\n", "expected a whole number from 0 to 100"},
	{"a sign", "[rollout]\npercent = 10 %\n", "expected a whole number from 0 to 100"},
	{"a number that wraps", "[rollout]\npercent = 18446744073709551617\n", "expected a whole"},
	{"no time", "[rollout]\npercent = 5\nuntil = 0\n", "expected a time in seconds since 1970"},
	{"milliseconds", "[rollout]\npercent = 5\nuntil = 1700000000000\n", "expected a time in"},
	{"a date", "[rollout]\npercent = 5\nuntil = 2026-11-30\n", "expected a time in seconds"},
};

static void bad_files_are_refused_with_file_and_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct rollout rollout = {.percent = 7};
		struct reason reason = {};
		int r = rollout_read(
			"gate.hex.rollout", bad[i].text, strlen(bad[i].text), &rollout, &reason);

		if (r != ROLLOUT_REFUSED || !strstr(reason.text, bad[i].expected))
			fail_msg("%s: got %d, '%s'", bad[i].name, r, reason.text);
		assert_int_equal(rollout.percent, 7);
	}
}

static void what_is_written_is_read(void **state)
{
	const struct rollout all[] = {
		{0, 0}, {10, 0}, {100, 0}, {100, 1}, {100, 99999999999}, {50, 1796000000}};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct rollout read = {0};
		struct reason reason = {0};
		char text[ROLLOUT_TEXT_MAX];

		rollout_write(&all[i], text);
		assert_int_equal(rollout_read("x", text, strlen(text), &read, &reason), 0);
		assert_int_equal(read.percent, all[i].percent);
		assert_int_equal(read.until_s, all[i].until_s);
		for (size_t j = 0; j < ARRAY_SIZE(all); j++)
			assert_int_equal(rollout_equals(&read, &all[j]), i == j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_as_the_manual_page_says),
		cmocka_unit_test(shares_are_spread_over_all_units),
		cmocka_unit_test(no_unit_takes_part_after_the_end),
		cmocka_unit_test(bad_files_are_refused_with_file_and_line),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
