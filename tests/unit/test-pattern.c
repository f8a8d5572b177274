/* SPDX-License-Identifier: MIT */
/* Patterns of rules have a bound, which is met before the C library sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/util.h"
#include "rules/dialogue.h"
#include "rules/pattern.h"

static const struct row {
	const char *pattern;
	const char *expected; /* NULL: it is taken */
} rows[] = {
	{"BL >", NULL},
	{"version ([0-9]+(\\.[0-9]+)*)", NULL},
	{"_([0-9]+\\.[0-9]+)-", NULL},
	{"^(OK|READY)[[:space:]]*$", NULL},
	{"[]a-z+*]+", NULL},
	{"[^]{]{2}", NULL},
	{"a\\+\\+\\+", NULL},
	{"\\(\\)\\{", NULL},
	{"(([0-9]+)+)+", NULL},
	{"[0-9a-f]{8}(-[0-9a-f]{4}){3}", NULL},
	{"a{250}b?", NULL},
	{"(a{20}){20}", NULL},
	{"x.*y", NULL},

	{"", "an extended regular expression"},
	{"(", "an extended regular expression"},
	{"a{3,2}", "an extended regular expression"},
	{"[a", "an extended regular expression"},
	{"a\\", "an extended regular expression"},
	{"a++", "without a repetition right behind another"},
	{"a++++++++++++++++++++++++", "without a repetition right behind another"},
	{"a*+", "without a repetition right behind another"},
	{"a?{9}", "without a repetition right behind another"},
	{"a{255}{255}", "without a repetition right behind another"},
	{"a{2}*", "without a repetition right behind another"},
	{"(a{255}){255}", "more than 500 parts"},
	{"((a{16}){16}){16}", "more than 500 parts"},
	{"a{300}b{300}", "more than 500 parts"},
	{"a{32767}", "more than 500 parts"},
	{"a{99999999999999999999}", "more than 500 parts"},
	{"(a{1,200}){1,3}", "more than 500 parts"},
	{"((((((((((a+)+)+)+)+)+)+)+)+)+)+", "more than 500 parts"},
	{"((((((((((((((((((a))))))))))))))))))", "16 deep"},
	{"\\w+\\s\\bx\\.", NULL},
	{"[\\.]", NULL},
	{"[\\\\d]", NULL},
	{"version \\d+", "without \\d, \\n and the like"},
	{"ready\\r\\n", "without \\d, \\n and the like"},
	{"v([\\d.]+)", "[0-9] is a digit"},
	{"[^\\w]", "[0-9] is a digit"},
	{"\\x41", "without \\d"},
	{"(a)\\1", "without back references"},
	{"(a)(b)\\2", "without back references"},
};

static void a_pattern_is_taken_or_refused_with_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *fault = pattern_fault(rows[i].pattern);

		if (!fault != !rows[i].expected || (fault && !strstr(fault, rows[i].expected)))
			fail_msg("'%s': %s", rows[i].pattern, fault);
	}
}

static void the_length_has_a_bound(void **state)
{
	char text[PATTERN_BYTES + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[PATTERN_BYTES] = '\0';
	assert_null(pattern_fault(text));
	text[PATTERN_BYTES] = 'a';
	text[PATTERN_BYTES + 1] = '\0';
	assert_string_equal(pattern_fault(text), "a pattern of at most 255 bytes");
}

static void steps_have_the_same_bound(void **state)
{
	struct dialogue dialogue = {0};
	const char *expected = "";

	(void)state;
	assert_int_equal(
		dialogue_parse("expect \"OK\" expect \"a++++\"", &dialogue, &expected), -EINVAL);
	assert_non_null(strstr(expected, "without a repetition right behind another"));
	assert_int_equal(dialogue_parse("expect \"a\\x00b\"", &dialogue, &expected), -EINVAL);
	assert_non_null(strstr(expected, "without NUL"));
}

/* Of patterns that are taken: in a process of 64 MiB, by the C library that is here. */
static void random_patterns_that_are_taken_cost_little(void **state)
{
	static const char *const pieces[] = {"a", "b", "[ab]", ".", "(", ")", "|", "*", "+", "?",
		"{9}", "{2,}", "{1,30}", "{99}", "^", "$", "\\.", "(a?)", "(.*)", "[^a]"};
	struct rlimit before, limit;
	unsigned seed = 1, n_taken = 0;
	char text[300], heard[256];

	(void)state;
	memset(heard, 'a', sizeof(heard) - 1);
	heard[sizeof(heard) - 1] = '\0';
	assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
	limit = before;
/* AddressSanitizer has mapped terabytes already, and bounds nothing. */
#ifndef __SANITIZE_ADDRESS__
	limit.rlim_cur = UINT64_C(64) << 20;
#endif
	for (unsigned round = 0; round < 20000; round++) {
		unsigned n = 1 + (unsigned)rand_r(&seed) % 16;
		regmatch_t groups[2];
		regex_t compiled;

		text[0] = '\0';
		for (unsigned i = 0; i < n; i++)
			strcat(text, pieces[(size_t)rand_r(&seed) % ARRAY_SIZE(pieces)]);
		if (pattern_fault(text))
			continue;
		n_taken++;
		assert_int_equal(setrlimit(RLIMIT_DATA, &limit), 0);
		if (regcomp(&compiled, text, REG_EXTENDED) != 0 ||
			regexec(&compiled, heard, ARRAY_SIZE(groups), groups, 0) == REG_ESPACE)
			fail_msg("'%s' takes more than 64 MiB", text);
		regfree(&compiled);
		assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
	}
	assert_true(n_taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_is_taken_or_refused_with_its_reason),
		cmocka_unit_test(the_length_has_a_bound),
		cmocka_unit_test(steps_have_the_same_bound),
		cmocka_unit_test(random_patterns_that_are_taken_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
