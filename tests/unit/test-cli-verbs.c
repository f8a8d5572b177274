/* SPDX-License-Identifier: MIT */
/* The verbs as the command has them: what their help shows can be typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <wordexp.h>

#include "base/util.h"
#include "cli/cli.h"

/* As a shell takes it apart, but for commands in it and for where its output goes. */
static void split(const char *line, wordexp_t *ret)
{
	size_t n = strcspn(line, ">");
	char words[256];

	assert_true(n < sizeof(words));
	snprintf(words, sizeof(words), "%.*s", (int)n, line);
	assert_int_equal(wordexp(words, ret, WRDE_NOCMD | WRDE_UNDEF), 0);
}

static void test_examples_can_be_typed(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_verbs; i++)
		for (size_t j = 0; j < VERB_EXAMPLES; j++) {
			const struct verb_example *example = &verbs[i].examples[j];
			struct options options;
			wordexp_t words;

			print_message("# %s\n", verbs[i].name);
			assert_non_null(example->line);
			split(example->line, &words);
			assert_true(words.we_wordc >= 2);
			assert_string_equal(words.we_wordv[0], "plugflash");
			assert_string_equal(words.we_wordv[1], verbs[i].name);
			assert_int_equal(options_parse(&verbs[i], (int)words.we_wordc - 1,
						 words.we_wordv + 1, &options),
				OPTIONS_RUN);
			wordfree(&words);
		}
}

/* What it does stands above the line, on a terminal of 80 columns. */
static void test_examples_are_in_the_help(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_verbs; i++) {
		CLEANUP(freep) char *help = NULL;
		size_t n_help = 0;
		FILE *to = open_memstream(&help, &n_help);

		print_message("# %s\n", verbs[i].name);
		assert_non_null(to);
		options_print_help(&verbs[i], to);
		fclose(to);
		for (size_t j = 0; j < VERB_EXAMPLES; j++) {
			const struct verb_example *example = &verbs[i].examples[j];
			char expected[256];

			snprintf(expected, sizeof(expected), "\n%s:\n  %s\n", example->what,
				example->line);
			assert_non_null(strstr(help, expected));
			assert_true(strlen(example->what) < 79);
			assert_true(strlen(example->line) < 79);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples_can_be_typed),
		cmocka_unit_test(test_examples_are_in_the_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
