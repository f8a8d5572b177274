/* SPDX-License-Identifier: MIT */
/* What a gateway makes of a wish, of its units' failures, and of commands to hold it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "fleet/decide.h"
#include "fleet/holds.h"
#include "fleet/results.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* 2026-12-04 12:00 UTC */
#define NOON INT64_C(1796385600)
#define HOUR INT64_C(3600)

static struct wish make_wish(void)
{
	struct wish wish = {.board = "gate",
		.image = "gate-1.2.hex",
		.version = "1.2",
		.sha256 = SHA_A,
		.size = 3,
		.percent = 100};

	return wish;
}

static struct board_facts make_board(void)
{
	struct board_facts board = {
		.board = "gate", .image = "fleet/gate-*.hex", .requires_signature = true};

	return board;
}

/* ------------------------------------------------------------------ who gets it */

static const struct {
	const char *name;
	const char *floor;
	const char *glob;
	enum seal_result seal;
	const char *namesake;
	const char *why;
	const char *window;
	int64_t not_before_s;
	int64_t now_s;
	enum supply supply;
	enum hold hold;
	unsigned percent;
	enum facts_age facts; /* 0: fresh */
	struct rollout standing;
	bool is_new; /* process: nothing was told to it */
	bool no_rule, no_signature, is_cut, paused;

	enum wish_state state;
	const char *reason; /* a part of it */
	bool is_wanted;
	unsigned offered;
	int64_t until_s;
	int64_t again_s; /* 0: never */
} rows[] = {
	{"it lies there", .supply = SUPPLY_PLACED, .percent = 100, .state = WISH_STATE_OFFERED,
		.is_wanted = true, .offered = 100},
	{"ten percent", .supply = SUPPLY_PLACED, .percent = 10, .state = WISH_STATE_OFFERED,
		.is_wanted = true, .offered = 10},
	{"nobody yet", .supply = SUPPLY_PLACED, .percent = 0, .state = WISH_STATE_READY,
		.reason = "percent is 0", .is_wanted = true},
	{"nothing is fetched yet", .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_FETCHING, .is_wanted = true},
	{"it comes", .supply = SUPPLY_COMING, .percent = 100, .why = "connection refused",
		.state = WISH_STATE_FETCHING, .reason = "connection refused", .is_wanted = true},
	{"it came", .supply = SUPPLY_THERE, .percent = 100, .state = WISH_STATE_FETCHING,
		.is_wanted = true},
	{"it will never come", .supply = SUPPLY_REFUSED, .percent = 100, .why = "too large",
		.state = WISH_STATE_REFUSED, .reason = "too large"},
	{"no such rule", .no_rule = true, .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "there is no rule [board gate]"},
	{"no such rule any more", .no_rule = true, .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "there is no rule"},
	{"a rule without signatures", .no_signature = true, .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "set require-signature = yes"},
	{"a rule for other names", .glob = "fleet/door-*.hex", .supply = SUPPLY_NONE,
		.percent = 100, .state = WISH_STATE_REFUSED, .reason = "does not fit fleet/gate-"},
	{"a rule for another folder", .glob = "gate-*.hex", .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "does not fit"},
	{"a glob does not go down", .glob = "*", .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "does not fit"},
	{"a glob for any folder", .glob = "*/*.hex", .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_OFFERED, .is_wanted = true, .offered = 100},
	{"below the floor", .floor = "1.10", .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "version 1.2 is below 1.10, the floor"},
	{"at the floor", .floor = "1.2.0", .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_OFFERED, .is_wanted = true, .offered = 100},
	{"a seal that does not hold", .seal = SEAL_REFUSED, .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "no key"},
	{"a key that may come yet", .seal = SEAL_UNKNOWN, .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "no key", .again_s = NOON + 600},
	{"a key that was taken away since", .seal = SEAL_UNKNOWN, .supply = SUPPLY_PLACED,
		.percent = 100, .state = WISH_STATE_REFUSED, .reason = "no key",
		.again_s = NOON + 600},
	{"a file in its way", .supply = SUPPLY_BLOCKED, .percent = 100, .why = "another file",
		.state = WISH_STATE_REFUSED, .reason = "another file", .again_s = NOON + 600},
	{"a file in the way of a wish that is wrong", .seal = SEAL_REFUSED,
		.supply = SUPPLY_BLOCKED, .percent = 100, .state = WISH_STATE_REFUSED,
		.reason = "no key"},
	{"a folder that cannot be read", .supply = SUPPLY_UNKNOWN, .percent = 100,
		.why = "Permission denied", .state = WISH_STATE_WAITING,
		.reason = "Permission denied", .is_wanted = true, .again_s = NOON + 300},
	{"no service yet, nor a folder", .is_new = true, .supply = SUPPLY_UNKNOWN, .percent = 100,
		.state = WISH_STATE_WAITING, .reason = "plugflashd has not told"},
	{"the file of another wish", .namesake = "door", .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "board 'door' names the same file"},
	{"paused", .paused = true, .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_PAUSED, .reason = "by the wish"},
	{"paused before it was fetched", .paused = true, .supply = SUPPLY_COMING, .percent = 100,
		.state = WISH_STATE_PAUSED},
	{"paused and wrong", .paused = true, .floor = "2", .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED},
	{"too many failed", .hold = HOLD_FAILURES, .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_HALTED, .reason = "held"},
	{"a command holds it", .hold = HOLD_COMMAND, .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_PAUSED, .reason = "held"},
	{"its owner and this gateway", .paused = true, .hold = HOLD_FAILURES,
		.supply = SUPPLY_PLACED, .percent = 100, .state = WISH_STATE_PAUSED,
		.reason = "by the wish"},
	{"a rule that has no room", .is_cut = true, .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_REFUSED, .reason = "its image or its trusted-keys"},
	{"no service yet, nothing fetched", .is_new = true, .supply = SUPPLY_NONE, .percent = 100,
		.state = WISH_STATE_WAITING, .reason = "plugflashd has not told"},
	{"no service, nothing fetched", .facts = FACTS_OLD, .supply = SUPPLY_COMING, .percent = 100,
		.state = WISH_STATE_WAITING, .reason = "plugflashd has not told"},
	{"something happened, and it is fetched", .facts = FACTS_OUTDATED, .supply = SUPPLY_COMING,
		.percent = 100, .state = WISH_STATE_FETCHING, .is_wanted = true},
	{"no service yet, it lies there for nobody", .is_new = true, .supply = SUPPLY_PLACED,
		.percent = 100, .state = WISH_STATE_WAITING, .reason = "plugflashd has not told",
		.is_wanted = true},
	{"no service yet, it lies there for some", .is_new = true, .supply = SUPPLY_PLACED,
		.percent = 100, .standing = {.percent = 10}, .state = WISH_STATE_OFFERED,
		.reason = "plugflashd has not told", .is_wanted = true, .offered = 10},
	{"no service yet, it lies there as wished", .is_new = true, .supply = SUPPLY_PLACED,
		.percent = 10, .standing = {.percent = 10}, .state = WISH_STATE_OFFERED,
		.is_wanted = true, .offered = 10},
	{"no service yet, it is for fewer now", .is_new = true, .supply = SUPPLY_PLACED,
		.percent = 10, .standing = {.percent = 100}, .state = WISH_STATE_OFFERED,
		.is_wanted = true, .offered = 10},
	{"no service yet, its file cannot be read", .is_new = true, .supply = SUPPLY_PLACED,
		.percent = 10, .standing = {.percent = UINT_MAX}, .state = WISH_STATE_WAITING,
		.reason = "plugflashd has not told", .is_wanted = true},
	{"no service yet, its window is the next one", .is_new = true, .window = "11:00-14:00",
		.supply = SUPPLY_PLACED, .percent = 10,
		.standing = {.percent = 10, .until_s = NOON - 20 * HOUR},
		.state = WISH_STATE_WAITING, .reason = "plugflashd has not told", .is_wanted = true,
		.again_s = NOON + 2 * HOUR},
	{"no service yet, no window any more", .is_new = true, .supply = SUPPLY_PLACED,
		.percent = 10, .standing = {.percent = 10, .until_s = NOON + HOUR},
		.state = WISH_STATE_OFFERED, .reason = "plugflashd has not told", .is_wanted = true,
		.offered = 10, .until_s = NOON + HOUR},
	{"no service any more, below the floor it told", .facts = FACTS_OLD, .floor = "1.10",
		.supply = SUPPLY_PLACED, .percent = 100, .standing = {.percent = 100},
		.state = WISH_STATE_REFUSED, .reason = "the floor"},
	{"something happened, and it is for more", .facts = FACTS_OUTDATED, .supply = SUPPLY_PLACED,
		.percent = 50, .standing = {.percent = 10}, .state = WISH_STATE_OFFERED,
		.reason = "plugflashd has not told", .is_wanted = true, .offered = 10},
	{"not before", .not_before_s = NOON + HOUR, .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_READY, .reason = "not before 2026-12-04T13:00:00Z",
		.is_wanted = true, .again_s = NOON + HOUR},
	{"fetched before its time", .not_before_s = NOON + HOUR, .supply = SUPPLY_NONE,
		.percent = 100, .state = WISH_STATE_FETCHING, .is_wanted = true},
	{"its second", .not_before_s = NOON, .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_OFFERED, .is_wanted = true, .offered = 100},
	{"outside of the window", .window = "22:00-05:00", .supply = SUPPLY_PLACED, .percent = 100,
		.state = WISH_STATE_READY, .reason = "opens at 2026-12-04T22:00:00Z",
		.is_wanted = true, .again_s = NOON + 10 * HOUR},
	{"within the window", .window = "11:00-14:00", .supply = SUPPLY_PLACED, .percent = 50,
		.state = WISH_STATE_OFFERED, .is_wanted = true, .offered = 50,
		.until_s = NOON + 2 * HOUR, .again_s = NOON + 2 * HOUR},
	{"a clock that was never set", .now_s = 3600, .window = "00:00-24:00",
		.supply = SUPPLY_PLACED, .percent = 100, .state = WISH_STATE_WAITING,
		.reason = "the clock of this gateway is not set", .is_wanted = true,
		.again_s = 1600000000},
	{"fetched by a clock that was never set", .now_s = 3600, .supply = SUPPLY_NONE,
		.percent = 100, .state = WISH_STATE_FETCHING, .is_wanted = true},
};

static void a_wish_is_offered_to_whom_it_is_for(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wish wish = make_wish();
		struct board_facts board = make_board();
		struct decide_input input = {.wish = &wish,
			.board = rows[i].no_rule ? NULL : &board,
			.facts = rows[i].is_new	 ? FACTS_NONE
				 : rows[i].facts ? rows[i].facts
						 : FACTS_FRESH,
			.facts_why = "plugflashd has not told",
			.standing = rows[i].standing,
			.seal = rows[i].seal,
			.seal_why = "no key",
			.namesake = rows[i].namesake,
			.supply = rows[i].supply,
			.why = rows[i].why ? rows[i].why : "",
			.hold = rows[i].hold,
			.hold_why = "held",
			.now_s = rows[i].now_s ? rows[i].now_s : NOON};
		int64_t again_s = rows[i].again_s ? rows[i].again_s : INT64_MAX;
		struct decision got;
		struct reason why;

		wish.percent = rows[i].percent;
		wish.paused = rows[i].paused;
		wish.not_before_s = rows[i].not_before_s;
		if (rows[i].window)
			assert_int_equal(window_parse(rows[i].window, &wish.window, &why), 0);
		board.requires_signature = !rows[i].no_signature;
		board.is_cut = rows[i].is_cut;
		if (rows[i].floor)
			text_copy(board.floor, sizeof(board.floor), rows[i].floor);
		if (rows[i].glob)
			text_copy(board.image, sizeof(board.image), rows[i].glob);
		decide_wish(&input, &got);
		if (got.state != rows[i].state || got.is_wanted != rows[i].is_wanted ||
			got.rollout.percent != rows[i].offered ||
			got.rollout.until_s != rows[i].until_s || got.again_s != again_s ||
			!strstr(got.reason.text, rows[i].reason ? rows[i].reason : ""))
			fail_msg("%s: got %s, '%s', wanted %d, %u %% until %" PRId64
				 ", again at %" PRId64,
				rows[i].name, wish_state_to_string(got.state), got.reason.text,
				got.is_wanted, got.rollout.percent, got.rollout.until_s,
				got.again_s);
	}
	unsetenv("TZ");
	tzset();
}

/* ------------------------------------------------------------------ what became of it */

static struct dict make_unit(const char *unit, const char *place, const char *state,
	const char *sha256, const char *failed_with)
{
	struct dict row = {0};
	int r = dict_set_text(&row, "board", "gate");

	r |= dict_set_text(&row, "unit", unit);
	r |= dict_set_text(&row, "usb_path", place);
	r |= dict_set_text(&row, "state", state);
	r |= dict_set_text(&row, "sha256", sha256);
	if (failed_with) {
		r |= dict_set_number(&row, "failures", 1);
		r |= dict_set_text(&row, "failed_with", failed_with);
		r |= dict_set_text(&row, "failed_sha256", SHA_A);
	}
	assert_int_equal(r, 0);
	return row;
}

static void units_are_counted_once_and_by_what_they_ended_with(void **state)
{
	struct dict unit_rows[] = {
		make_unit("01", "a", "whole", SHA_A, NULL),
		make_unit("02", "b", "whole", SHA_B, "not-confirmed"), /* went back */
		make_unit("03", "c", "failed", SHA_A, "verify-differs"),
		make_unit("04", "d", "whole", SHA_B, "no-sync"), /* a cable */
		make_unit("05", "e", "whole", SHA_B, "port-gone"),
		make_unit("06", "f", "whole", SHA_B, "of another time"),
		make_unit("", "a", "failed", SHA_A, "write-failed"), /* unit 01, before its id */
		make_unit("", "g", "whole", SHA_A, NULL),
		make_unit("07", "h", "whole", SHA_A, "not-confirmed"), /* mended since */
		make_unit("08", "i", "in-progress", SHA_A, NULL),
	};
	struct unit_list units = {};
	struct results got;

	(void)state;
	assert_int_equal(dict_set_text(&unit_rows[5], "board", "door"), 0);
	assert_int_equal(unit_list_add(&units, unit_rows, ARRAY_SIZE(unit_rows)), 0);
	results_count(&units, "gate", SHA_A, 100, &got);
	assert_int_equal(got.n_units, 8);
	assert_int_equal(got.n_chosen, 8);
	assert_int_equal(got.n_have, 3);
	assert_int_equal(got.n_failed, 2);
	results_count(&units, "gate", SHA_A, 0, &got);
	assert_int_equal(got.n_chosen, 0);
	results_count(&units, "gate", SHA_B, 99, &got);
	assert_int_equal(got.n_have, 3);
	assert_int_equal(got.n_failed, 0);
	unit_list_done(&units);
	for (size_t i = 0; i < ARRAY_SIZE(unit_rows); i++)
		dict_done(&unit_rows[i]);
}

/* Rows of another kind, or of none, are no units. */
static void rows_that_are_not_whole_are_left_out(void **state)
{
	struct dict bad_rows[3] = {0};
	struct unit_list units = {};
	struct board_list boards = {};
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(dict_set_text(&bad_rows[1], "board", text), 0);
	assert_int_equal(dict_set_number(&bad_rows[2], "board", 7), 0);
	assert_int_equal(unit_list_add(&units, bad_rows, 3), 0);
	assert_int_equal(board_list_add(&boards, bad_rows, 3), 0);
	assert_int_equal(units.n_items + boards.n_items, 0);
	assert_null(board_find(&boards, "gate"));
	/* A rule that is there is not said to be missing. */
	assert_int_equal(dict_set_text(&bad_rows[0], "board", "gate"), 0);
	assert_int_equal(dict_set_text(&bad_rows[0], "image", text), 0);
	assert_int_equal(board_list_add(&boards, bad_rows, 1), 0);
	assert_true(board_find(&boards, "gate")->is_cut);
	assert_string_equal(board_find(&boards, "gate")->image, "");
	unit_list_done(&units);
	board_list_done(&boards);
	for (size_t i = 0; i < ARRAY_SIZE(bad_rows); i++)
		dict_done(&bad_rows[i]);
}

static const struct {
	const char *name;
	unsigned pause_after, pause_share;
	unsigned chosen, have, failed, tolerated;
	bool is_bad;
} limits[] = {
	{"none failed", 3, 50, 10, 5, 0, 0, false},
	{"the only unit", 3, 50, 1, 0, 1, 0, true},
	{"the first of many", 3, 50, 10, 0, 1, 0, false},
	{"two of two", 3, 50, 10, 0, 2, 0, true},
	{"one of two", 3, 50, 10, 1, 1, 0, true},
	{"one of three", 3, 50, 10, 2, 1, 0, false},
	{"three of a hundred", 3, 50, 100, 97, 3, 0, true},
	{"three, by share alone", 0, 50, 100, 97, 3, 0, false},
	{"half, by share alone", 0, 50, 100, 3, 3, 0, true},
	{"half, by number alone", 3, 0, 100, 2, 2, 0, false},
	{"all, and nobody asks", 0, 0, 10, 0, 10, 0, false},
	{"the owner knows of them", 3, 50, 10, 0, 3, 3, false},
	{"and another one", 3, 50, 10, 1, 4, 3, true},
	{"and another one of many", 3, 50, 10, 5, 4, 3, false},
	{"fewer than were known", 3, 50, 10, 0, 2, 3, false},
	{"very many", 4000000000U, 50, 4000000000U, 2147483648U, 2147483647U, 0, false},
};

static void failures_are_measured_by_their_number_and_share(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct results results = {.n_units = limits[i].chosen,
			.n_chosen = limits[i].chosen,
			.n_have = limits[i].have,
			.n_failed = limits[i].failed};
		struct fleet_rollout limit = {
			.pause_after = limits[i].pause_after, .pause_share = limits[i].pause_share};
		struct reason reason = {""};

		if (results_are_bad(&results, &limit, limits[i].tolerated, &reason) !=
			limits[i].is_bad)
			fail_msg("%s: '%s'", limits[i].name, reason.text);
		assert_int_equal(*reason.text != '\0', limits[i].is_bad);
	}
}

/* ------------------------------------------------------------------ held */

static const struct fleet_rollout usual = {.pause_after = 3, .pause_share = 50};

static struct results failed(unsigned n)
{
	return (struct results){.n_units = 10, .n_chosen = 10, .n_have = 0, .n_failed = n};
}

static void a_rollout_that_fails_stays_held(void **state)
{
	struct hold_record record = {.board = "gate"};
	struct wish wish = make_wish(), other = make_wish();
	struct results bad = failed(3), good = failed(0);

	(void)state;
	text_copy(other.sha256, sizeof(other.sha256), SHA_B);
	/* One that holds nothing is not worth a file. */
	assert_false(hold_review(&record, &wish, &good, &usual));
	assert_int_equal(record.hold, HOLD_NONE);
	assert_true(hold_review(&record, &wish, &bad, &usual));
	assert_int_equal(record.hold, HOLD_FAILURES);
	assert_non_null(strstr(record.why.text, "3 units failed"));
	/* The failures are forgiven, the service is away, the percent is another: it stays. */
	wish.percent = 50;
	assert_false(hold_review(&record, &wish, &good, &usual));
	assert_false(hold_review(&record, &wish, NULL, &usual));
	assert_int_equal(record.hold, HOLD_FAILURES);
	/* Another image is another matter. */
	assert_true(hold_review(&record, &other, &good, &usual));
	assert_int_equal(record.hold, HOLD_NONE);
	assert_string_equal(record.board, "gate");
	assert_string_equal(record.why.text, "");
}

static void its_owner_lets_it_go_on_by_a_pause_that_ends(void **state)
{
	struct hold_record record = {.board = "gate"};
	struct wish wish = make_wish();
	struct results bad = failed(3), worse = failed(5);

	(void)state;
	wish.paused = true; /* before anything failed: that says nothing */
	assert_true(hold_review(&record, &wish, &bad, &usual));
	assert_int_equal(record.hold, HOLD_FAILURES);
	assert_false(record.is_owner_looking);
	wish.paused = false;
	assert_false(hold_review(&record, &wish, &bad, &usual));
	assert_int_equal(record.hold, HOLD_FAILURES);
	wish.paused = true;
	assert_true(hold_review(&record, &wish, &bad, &usual));
	wish.paused = false;
	assert_true(hold_review(&record, &wish, &bad, &usual));
	assert_int_equal(record.hold, HOLD_NONE);
	assert_int_equal(record.n_tolerated, 3);
	assert_false(hold_review(&record, &wish, &bad, &usual));
	/* Two further ones of two that were tried since. */
	assert_true(hold_review(&record, &wish, &worse, &usual));
	assert_int_equal(record.hold, HOLD_FAILURES);
}

static void commands_hold_it_and_let_it_go_on(void **state)
{
	struct hold_record record = {.board = "gate"};
	struct wish wish = make_wish();
	struct results bad = failed(3), none = failed(0);

	(void)state;
	hold_review(&record, &wish, &none, &usual);
	assert_false(hold_resume(&record, &none));
	assert_true(hold_pause(&record));
	assert_false(hold_pause(&record));
	assert_int_equal(record.hold, HOLD_COMMAND);
	assert_false(hold_review(&record, &wish, &bad, &usual));
	assert_true(hold_resume(&record, &bad));
	assert_int_equal(record.hold, HOLD_NONE);
	assert_false(hold_review(&record, &wish, &bad, &usual));
	assert_int_equal(record.hold, HOLD_NONE);
	/* They were mended: as many new ones are new. */
	hold_review(&record, &wish, &none, &usual);
	assert_int_equal(record.n_tolerated, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wish_is_offered_to_whom_it_is_for),
		cmocka_unit_test(units_are_counted_once_and_by_what_they_ended_with),
		cmocka_unit_test(rows_that_are_not_whole_are_left_out),
		cmocka_unit_test(failures_are_measured_by_their_number_and_share),
		cmocka_unit_test(a_rollout_that_fails_stays_held),
		cmocka_unit_test(its_owner_lets_it_go_on_by_a_pause_that_ends),
		cmocka_unit_test(commands_hold_it_and_let_it_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
