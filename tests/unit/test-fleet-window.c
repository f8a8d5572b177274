/* SPDX-License-Identifier: MIT */
/* Maintenance windows and moments: what may stand there, and when a window opens and closes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "fleet/moment.h"
#include "fleet/window.h"

static struct window window_of(const char *text)
{
	struct window window = {};
	struct reason reason = {};

	if (window_parse(text, &window, &reason) != WINDOW_OK)
		fail_msg("'%s': %s", text, reason.text);
	return window;
}

static int64_t moment_of(const char *text)
{
	int64_t moment = 0;

	if (moment_parse(text, &moment) < 0)
		fail_msg("'%s' is no moment", text);
	return moment;
}

static const char *const bad_windows[] = {"", "22:00", "22:00-", "22:00-5:00", "2200-0500",
	"22:00-24:01", "24:00-05:00", "22:60-23:00", "22:00-05:00 ", " 22:00-05:00",
	"22:00 - 05:00", "Sat22:00-05:00", "Sat, Sun 22:00-05:00", "Sam 22:00-05:00",
	"Sat- 22:00-05:00", "Sat, 22:00-05:00", "Sat", "Sat ", "-Sat 22:00-05:00",
	"22:00-05:00,01:00-02:00", "22:00-22:00", "\xff:00-05:00"};

static void windows_that_may_be_read_in_two_ways_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_windows); i++) {
		struct window window = {};
		struct reason reason = {};

		if (window_parse(bad_windows[i], &window, &reason) != WINDOW_REFUSED)
			fail_msg("'%s' is taken", bad_windows[i]);
		assert_true(*reason.text != '\0');
		assert_false(window.is_given);
	}
}

static const struct {
	const char *text;
	unsigned days;
} days[] = {
	{"22:00-05:00", 0x7F},
	{"Sun 22:00-05:00", 1 << 0},
	{"sat,SUN 22:00-05:00", 1 << 6 | 1 << 0},
	{"Mon-Fri 22:00-05:00", 0x3E},
	{"Fri-Mon 22:00-05:00", 1 << 5 | 1 << 6 | 1 << 0 | 1 << 1},
	{"Mon-Tue,Thu 22:00-05:00", 1 << 1 | 1 << 2 | 1 << 4},
};

static void days_are_those_on_which_it_opens(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		struct window window = window_of(days[i].text);

		if (window.days != days[i].days)
			fail_msg("'%s': got 0x%02x", days[i].text, window.days);
		assert_int_equal(window.opens_min, 22 * 60);
		assert_int_equal(window.closes_min, 5 * 60);
	}
}

/* 2026-12-04 is a Friday. NULL: never. */
static const struct {
	const char *name;
	const char *zone;
	const char *window;
	const char *now;
	bool is_open;
	const char *until;
} rows[] = {
	{"before", "UTC", "09:00-17:00", "2026-12-04T08:59:59Z", false, "2026-12-04T09:00:00Z"},
	{"its first second", "UTC", "09:00-17:00", "2026-12-04T09:00:00Z", true,
		"2026-12-04T17:00:00Z"},
	{"its last second", "UTC", "09:00-17:00", "2026-12-04T16:59:59Z", true,
		"2026-12-04T17:00:00Z"},
	{"behind", "UTC", "09:00-17:00", "2026-12-04T17:00:00Z", false, "2026-12-05T09:00:00Z"},
	{"overnight, in the evening", "UTC", "22:00-05:00", "2026-12-04T23:00:00Z", true,
		"2026-12-05T05:00:00Z"},
	{"overnight, in the morning", "UTC", "22:00-05:00", "2026-12-04T04:59:59Z", true,
		"2026-12-04T05:00:00Z"},
	{"overnight, by day", "UTC", "22:00-05:00", "2026-12-04T12:00:00Z", false,
		"2026-12-04T22:00:00Z"},
	{"overnight over the end of a year", "UTC", "22:00-05:00", "2026-12-31T23:00:00Z", true,
		"2027-01-01T05:00:00Z"},
	{"the night from Saturday, on Sunday", "UTC", "Sat 22:00-05:00", "2026-12-06T04:00:00Z",
		true, "2026-12-06T05:00:00Z"},
	{"the night from Saturday, on Saturday morning", "UTC", "Sat 22:00-05:00",
		"2026-12-05T04:00:00Z", false, "2026-12-05T22:00:00Z"},
	{"once a week, right behind it", "UTC", "Fri 09:00-17:00", "2026-12-04T17:00:00Z", false,
		"2026-12-11T09:00:00Z"},
	{"two whole days that touch", "UTC", "Sat,Sun 00:00-24:00", "2026-12-05T12:00:00Z", true,
		"2026-12-07T00:00:00Z"},
	{"in the zone of the gateway", "EST5", "22:00-05:00", "2026-12-05T03:00:00Z", true,
		"2026-12-05T10:00:00Z"},
	{"the hour that is leapt over ends it", "CET-1CEST,M3.5.0,M10.5.0/3", "00:00-02:30",
		"2026-03-29T00:30:00Z", true, "2026-03-29T01:30:00Z"},
	{"the night on which the clocks go back is longer", "CET-1CEST,M3.5.0,M10.5.0/3",
		"22:00-05:00", "2026-10-25T03:30:00Z", true, "2026-10-25T04:00:00Z"},
};

static void it_opens_and_closes_by_local_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct window window = window_of(rows[i].window);
		struct window_state got;

		setenv("TZ", rows[i].zone, 1);
		tzset();
		window_at(&window, moment_of(rows[i].now), &got);
		if (got.is_open != rows[i].is_open || got.until_s != moment_of(rows[i].until))
			fail_msg("%s: got %s until %" PRId64 ", not %" PRId64, rows[i].name,
				got.is_open ? "open" : "closed", got.until_s,
				moment_of(rows[i].until));
	}
	unsetenv("TZ");
	tzset();
}

/* Whatever the window, it is what it says it is until the second that it names, and then is not. */
static void what_it_says_of_the_next_change_holds(void **state)
{
	static const char *const windows[] = {"22:00-05:00", "Sat,Sun 00:00-24:00",
		"Mon-Fri 02:10-02:50", "Sun 01:00-03:00", "00:00-23:59"};
	int64_t now = moment_of("2026-10-20T00:00:00Z"), end = now + 14 * 86400;

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		struct window window = window_of(windows[i]);

		for (int64_t at = now; at < end;) {
			struct window_state here, last, next;

			window_at(&window, at, &here);
			assert_true(here.until_s > at);
			window_at(&window, here.until_s - 1, &last);
			window_at(&window, here.until_s, &next);
			if (last.is_open != here.is_open || next.is_open == here.is_open)
				fail_msg("%s: at %" PRId64, windows[i], at);
			at = here.until_s;
		}
	}
	unsetenv("TZ");
	tzset();
}

static void without_one_it_is_always_open(void **state)
{
	struct window window = {};
	struct window_state got;

	(void)state;
	window_at(&window, 0, &got);
	assert_true(got.is_open);
	assert_true(got.until_s == INT64_MAX);
}

static const struct {
	const char *text;
	int64_t expected; /* -1: refused */
} moments[] = {
	{"1970-01-01T00:00:00Z", 0},
	{"2026-12-01T22:00:00Z", 1796162400},
	{"2026-12-01t22:00:00z", 1796162400},
	{"2026-12-01 22:00:00.999Z", 1796162400},
	{"2026-12-01T23:00:00+01:00", 1796162400},
	{"2026-12-01T19:30:00-02:30", 1796162400},
	{"2028-02-29T00:00:00Z", 1835395200},
	{"2026-02-29T00:00:00Z", -1},
	{"2026-13-01T00:00:00Z", -1},
	{"2026-00-01T00:00:00Z", -1},
	{"2026-12-01T24:00:00Z", -1},
	{"2026-12-01T22:60:00Z", -1},
	{"2026-12-01T22:00:61Z", -1},
	{"2026-12-01T22:00:00", -1}, /* of which zone? */
	{"2026-12-01T22:00:00+01", -1},
	{"2026-12-01T22:00:00+24:00", -1},
	{"2026-12-01T22:00:00Z ", -1},
	{"2026-12-01", -1},
	{"2026-1-01T22:00:00Z", -1},
	{"1969-12-31T23:59:59Z", -1},
	{"1970-01-01T00:00:00+00:01", -1},
	{"9999-12-31T23:59:59Z", -1},
	{"", -1},
	{"now", -1},
};

static void moments_are_read_as_rfc_3339_writes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		int64_t got = -1;
		int r = moment_parse(moments[i].text, &got);

		if (got != moments[i].expected || (r < 0) != (moments[i].expected < 0))
			fail_msg("'%s': got %d, %" PRId64, moments[i].text, r, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_that_may_be_read_in_two_ways_are_refused),
		cmocka_unit_test(days_are_those_on_which_it_opens),
		cmocka_unit_test(it_opens_and_closes_by_local_time),
		cmocka_unit_test(what_it_says_of_the_next_change_holds),
		cmocka_unit_test(without_one_it_is_always_open),
		cmocka_unit_test(moments_are_read_as_rfc_3339_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
