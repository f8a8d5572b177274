/* SPDX-License-Identifier: MIT */
/* test-advice.c - the light of a slot and what to do next, by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/advice.h"
#include "unit/rows.h"

static const struct {
	const char *name;
	struct light_facts facts;
	enum light light;
	const char *next; /* a part of it; NULL: there is none */
} rows[] = {
	{"empty", {"empty", "", "", false, false}, LIGHT_IDLE, NULL},
	{"no bridge while paused", {"empty", "", "", true, false}, LIGHT_IDLE, NULL},
	{"settling", {"settling", "one", "", false, false}, LIGHT_WAITING, NULL},
	{"waiting after a failure", {"waiting", "one", "no-sync", false, false}, LIGHT_WAITING,
		NULL},
	{"waiting while paused", {"waiting", "one", "", true, false}, LIGHT_HELD, "resumed"},
	{"settling while paused", {"settling", "one", "", true, false}, LIGHT_HELD, "resumed"},
	{"working while paused", {"working", "one", "", true, false}, LIGHT_WORKING, NULL},
	{"working after a failure", {"working", "one", "no-sync", false, false}, LIGHT_WORKING,
		NULL},
	{"updated", {"done", "one", "updated", false, false}, LIGHT_GOOD, NULL},
	{"current, paused since", {"done", "one", "current", true, false}, LIGHT_GOOD, NULL},
	{"updated by a rule that is gone", {"done", "none", "updated", false, false}, LIGHT_GOOD,
		NULL},
	{"no sync", {"done", "one", "no-sync", false, false}, LIGHT_BAD, "power"},
	{"write failed", {"done", "one", "write-failed", false, false}, LIGHT_BAD,
		"starts no application"},
	{"not started", {"done", "one", "not-started", false, false}, LIGHT_BAD, "put it aside"},
	{"cancelled", {"done", "one", "cancelled", false, false}, LIGHT_HELD, "again"},
	{"wrong chip", {"done", "one", "wrong-chip", false, false}, LIGHT_WRONG_BOARD,
		"the right one"},
	{"no rule", {"done", "none", "", false, false}, LIGHT_WRONG_BOARD, "no rule"},
	{"two rules", {"done", "ambiguous", "", false, false}, LIGHT_WRONG_BOARD, "more than one"},
	{"no rule, by outcome", {"done", "", "no-match", false, false}, LIGHT_WRONG_BOARD,
		"no rule"},
	{"nothing to do", {"done", "one", "", false, false}, LIGHT_IDLE, NULL},
	{"quarantined, by outcome", {"done", "one", "quarantined", false, false}, LIGHT_HELD,
		"aside"},
	{"quarantined, by state", {"held", "one", "quarantined", false, false}, LIGHT_HELD,
		"aside"},
	{"quarantined while paused", {"held", "one", "quarantined", true, false}, LIGHT_HELD,
		"aside"},
	{"held until later", {"held", "one", "no-sync", false, true}, LIGHT_HELD, "by itself"},
	{"held for good", {"held", "one", "no-sync", false, false}, LIGHT_HELD, "power"},
	{"held by a host that sleeps", {"held", "one", "", false, false}, LIGHT_HELD, NULL},
	{"flapping", {"flapping", "one", "", false, true}, LIGHT_HELD, "cable"},
	{"a state of a later version", {"dancing", "one", "", false, false}, LIGHT_IDLE, NULL},
	{"an outcome of a later version", {"done", "one", "melted", false, false}, LIGHT_BAD, NULL},
	{"a match of a later version", {"done", "perhaps", "", false, false}, LIGHT_IDLE, NULL},
};

static void row_is_so(void **state)
{
	size_t i = (size_t)((const char *)*state - (const char *)rows) / sizeof(rows[0]);
	const char *next = light_advice(&rows[i].facts);

	assert_string_equal(
		light_to_string(light_of(&rows[i].facts)), light_to_string(rows[i].light));
	if (!rows[i].next)
		assert_null(next);
	else if (!next || !strstr(next, rows[i].next))
		fail_msg("'%s' is not in '%s'", rows[i].next, next ? next : "(nothing)");
}

/* Which of the wirings it is nobody knows by then: all of them are tried by one command. */
static void after_silence_all_circuits_are_tried(void **state)
{
	const char *next = advice_after(OUTCOME_NO_SYNC, ADVICE_COMMAND);

	(void)state;
	assert_non_null(strstr(next, "plugflash probe --port PORT --wiring auto"));
}

static void each_bad_end_has_advice_on_the_screen(void **state)
{
	(void)state;
	for (enum outcome outcome = 0; outcome < OUTCOME_MAX; outcome++) {
		const char *screen = advice_after(outcome, ADVICE_SCREEN);
		bool is_good = outcome_to_exit_code(outcome) == 0;

		if (is_good == !!screen)
			fail_msg("%s", outcome_to_string(outcome));
		/* At a screen there is no shell. */
		if (screen && (strstr(screen, "plugflash ") || strstr(screen, "command")))
			fail_msg("%s: %s", outcome_to_string(outcome), screen);
		if (is_good)
			assert_null(advice_after(outcome, ADVICE_COMMAND));
	}
}

static void each_light_has_its_own_words_and_sign(void **state)
{
	(void)state;
	for (enum light a = 0; a < LIGHT_MAX; a++) {
		assert_true(light_sign(a) > ' ' && light_sign(a) < 0x7f);
		for (enum light b = 0; b < a; b++) {
			assert_string_not_equal(light_to_string(a), light_to_string(b));
			assert_string_not_equal(light_to_word(a), light_to_word(b));
			assert_int_not_equal(light_sign(a), light_sign(b));
		}
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 8];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, row_is_so);
	ADD_TEST(tests, n_tests, after_silence_all_circuits_are_tried);
	ADD_TEST(tests, n_tests, each_bad_end_has_advice_on_the_screen);
	ADD_TEST(tests, n_tests, each_light_has_its_own_words_and_sign);
	return RUN_TESTS("advice", tests, n_tests);
}
