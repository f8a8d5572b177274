/* SPDX-License-Identifier: MIT */
/*
 * Which circuits a list names, what is tried after what was seen, and what all tries together mean.
 * Whole boards are in tests/sim/test-circuits.c. The command's objects are in no archive: its files
 * are part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/circuits.c"
#include "cli/finder.c"

static const struct {
	const char *list;
	size_t n;	   /* 0: refused */
	const char *first; /* or what the refusal names */
} lists[] = {
	{NULL, 9, "stm32-direct"},
	{"stm32", 6, "stm32-direct"},
	{"esp", 1, "esp"},
	{"bsl", 1, "ti"},
	{"stm32-one-key,stm32-direct", 2, "stm32-direct"},
	{" stm32-esp\tti,stm32-esp ", 2, "stm32-esp"},
	{"stm32-onekey", 0, "'stm32-onekey' is no circuit"},
	{"stm32-one-key;reboot", 0, "one-key;reboot'"},
	{"\x1b[31m", 0, "'\\x1b[31m'"},
	{"", 0, "is empty"},
	{", ,", 0, "is empty"},
};

static void a_list_names_circuits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct circuit_list list = {0};
		struct reason reason = {""};
		bool is_good = circuits_choose(lists[i].list, &list, &reason);

		print_message("# %s\n", lists[i].list ? lists[i].list : "all");
		assert_int_equal(is_good, lists[i].n > 0);
		assert_int_equal(list.n_items, lists[i].n);
		if (is_good)
			assert_string_equal(list.items[0]->name, lists[i].first);
		else if (!strstr(reason.text, lists[i].first))
			fail_msg("'%s' has no '%s'", reason.text, lists[i].first);
	}
}

static void a_circuit_is_told_as_keys_and_as_options(void **state)
{
	static const struct {
		const char *list, *keys, *arguments;
	} rows[] = {
		{"stm32-direct", "wiring = direct", " --wiring direct"},
		{"stm32-plain", "boot = !rts", " --boot not-rts"},
		{"stm32-inverted", "reset = !dtr, boot = rts", " --reset not-dtr --boot rts"},
		{"application", "", ""},
	};
	struct circuit_list list;
	struct reason reason;
	char text[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(circuits_choose(rows[i].list, &list, &reason));
		assert_string_equal(
			circuit_keys(list.items[0], ", ", text, sizeof(text)), rows[i].keys);
		assert_string_equal(
			circuit_arguments(list.items[0], text, sizeof(text)), rows[i].arguments);
	}
}

/* A pin that no key moves is a circuit by itself; each circuit has its rule. */
static void each_circuit_has_lines_that_can_be_played(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_circuits; i++) {
		struct wiring wiring = {0};

		if (!circuits[i].boot_pin)
			continue;
		make_wiring(&circuits[i], &wiring);
		assert_int_equal(wiring.n_enters, 1);
		assert_true(wiring.enters[0].n_items > 0 && wiring.leave.n_items > 0);
	}
}

static struct report ended(enum outcome outcome, enum heard_kind heard, const char *reason)
{
	struct report report = {.outcome = outcome, .heard = heard};

	reason_set(&report.reason, "%s", reason);
	return report;
}

static void begin(struct finder *finder, const char *list)
{
	struct circuit_list chosen;
	struct reason reason;

	assert_true(circuits_choose(list, &chosen, &reason));
	finder_begin(finder, &chosen);
}

/* The same report by each try; how many there were. */
static unsigned answer_all(struct finder *finder, const struct report *report)
{
	const struct circuit *circuit;
	unsigned n = 0;

	for (; (circuit = finder_next(finder)) && n < 100; n++)
		finder_take(finder, circuit, report);
	return n;
}

static const struct {
	const char *name;
	const char *list;
	struct {
		enum outcome outcome;
		enum heard_kind heard;
	} ending;
	unsigned n_tries;
	const char *reason;
} vain[] = {
	{"silence", "stm32", {OUTCOME_NO_SYNC, HEARD_NOTHING}, 6, "not one byte came in any try"},
	{"text", "stm32", {OUTCOME_NO_SYNC, HEARD_TEXT}, 6, "whatever the lines do"},
	{"noise", "stm32", {OUTCOME_NO_SYNC, HEARD_BYTES}, 6, "bytes came that are no text"},
	{"the text of an ESP, and ESPs are not tried", "stm32", {OUTCOME_WRONG_CHIP, HEARD_UNKNOWN},
		1, "as it was told"},
	{"the port is held", NULL, {OUTCOME_PORT_BUSY, HEARD_UNKNOWN}, 1, "as it was told"},
	{"Ctrl-C", NULL, {OUTCOME_CANCELLED, HEARD_UNKNOWN}, 1, "as it was told"},
	{"an application that does not answer", "application", {OUTCOME_NO_SYNC, HEARD_UNKNOWN}, 1,
		"as it was told"},
};

static void tries_in_vain_are_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vain); i++) {
		struct report report =
			ended(vain[i].ending.outcome, vain[i].ending.heard, "as it was told");
		struct reason reason = {""};
		struct finder finder;

		print_message("# %s\n", vain[i].name);
		begin(&finder, vain[i].list);
		assert_int_equal(answer_all(&finder, &report), vain[i].n_tries);
		assert_null(finder_found(&finder));
		finder_explain(&finder, &reason);
		if (!strstr(reason.text, vain[i].reason))
			fail_msg("'%s' has no '%s'", reason.text, vain[i].reason);
	}
}

/* The lines of one circuit hold the chip in reset, those of another one let it run. */
static void text_by_some_of_them_names_one(void **state)
{
	const struct report silent = ended(OUTCOME_NO_SYNC, HEARD_NOTHING, "silent"),
			    text = ended(OUTCOME_NO_SYNC, HEARD_TEXT, "text");
	struct reason reason = {""};
	const struct circuit *circuit;
	struct finder finder;

	(void)state;
	begin(&finder, "stm32");
	while ((circuit = finder_next(&finder)))
		finder_take(&finder, circuit,
			strcmp(circuit->name, "stm32-plain") == 0 ? &text : &silent);
	finder_explain(&finder, &reason);
	assert_non_null(strstr(reason.text, "as by stm32-plain"));
}

/* An answer of another kind ends it, and what it is behind is not asked for its pins. */
static void another_kind_is_found_at_its_first_answer(void **state)
{
	struct report report = ended(OUTCOME_WRONG_CHIP, HEARD_UNKNOWN, "the board is an ESP");
	const struct circuit *circuit;
	struct finder finder;

	(void)state;
	begin(&finder, NULL);
	circuit = finder_next(&finder);
	finder_take(&finder, circuit, &report);
	circuit = finder_next(&finder);
	assert_string_equal(circuit->name, "esp");
	report = ended(OUTCOME_CURRENT, HEARD_UNKNOWN, "");
	finder_take(&finder, circuit, &report);
	assert_null(finder_next(&finder));
	assert_string_equal(finder_found(&finder)->name, "esp");
	assert_false(finder_is_in_doubt(&finder));
}

/* Noise, or a capacitor: what was seen fits no circuit, and the one that led in is taken in doubt.
 */
static void what_fits_nothing_is_in_doubt(void **state)
{
	const struct report silent = ended(OUTCOME_NO_SYNC, HEARD_NOTHING, "silent"),
			    met = ended(OUTCOME_CURRENT, HEARD_UNKNOWN, "");
	const struct circuit *circuit;
	struct finder finder;
	unsigned n = 0;

	(void)state;
	begin(&finder, "stm32");
	/* Three of them in a row, of which no board can be all. */
	for (; (circuit = finder_next(&finder)) && n < 20; n++)
		finder_take(&finder, circuit,
			strcmp(circuit->name, "stm32-esp") == 0 ||
					strcmp(circuit->name, "stm32-direct") == 0
				? &met
				: &silent);
	assert_true(n < 20);
	assert_non_null(finder_found(&finder));
	assert_true(finder_is_in_doubt(&finder) ||
		    strcmp(finder_found(&finder)->name, "stm32-direct") == 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_list_names_circuits),
	cmocka_unit_test(a_circuit_is_told_as_keys_and_as_options),
	cmocka_unit_test(each_circuit_has_lines_that_can_be_played),
	cmocka_unit_test(tries_in_vain_are_explained),
	cmocka_unit_test(text_by_some_of_them_names_one),
	cmocka_unit_test(another_kind_is_found_at_its_first_answer),
	cmocka_unit_test(what_fits_nothing_is_in_doubt),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
