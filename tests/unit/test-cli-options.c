/* SPDX-License-Identifier: MIT */
/* The options table and the verbs. The command's objects are in no archive: its files are part of
 * this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/options.c"
#include "cli/verb.c"

static const struct verb some_verbs[] = {
	{.name = "list", .options = OPTIONS_COMMON},
	{.name = "flash",
		.options = OPTIONS_COMMON | OPTIONS_BRIDGE | OPTIONS_IMAGE | OPTIONS_DRY_RUN},
	{.name = "read",
		.argument = "FILE",
		.options = OPTIONS_COMMON | OPTIONS_BRIDGE | OPTIONS_RANGE},
	{.name = "check-config", .options = OPTIONS_COMMON},
	{.name = "option-bytes",
		.argument = "[set NAME=VALUE...]",
		.options = OPTIONS_COMMON | OPTIONS_BRIDGE | OPTIONS_YES},
	{.name = "erase",
		.argument = "[all]",
		.options = OPTIONS_COMMON | OPTIONS_BRIDGE | OPTIONS_ERASE},
	{.name = "start", .options = OPTIONS_COMMON | OPTIONS_BRIDGE | OPTIONS_START},
	{.name = "protect", .options = OPTIONS_COMMON | OPTIONS_BRIDGE | OPTIONS_YES},
};

static const struct {
	const char *name;
	const char *words[10]; /* the verb and what stands behind it */
	int expected;
} lines[] = {
	{"nothing", {"flash"}, OPTIONS_RUN},
	{"short ones", {"flash", "-p", "ttyUSB0", "-b", "115200,57600"}, OPTIONS_RUN},
	{"long ones", {"flash", "--port=ttyUSB0", "--image", "a.hex", "--dry-run"}, OPTIONS_RUN},
	{"help", {"flash", "--help"}, OPTIONS_HELP},
	{"help of a verb with an argument", {"read", "-h"}, OPTIONS_HELP},
	{"unknown long", {"flash", "--fast"}, OPTIONS_WRONG},
	{"unknown short", {"flash", "-x"}, OPTIONS_WRONG},
	{"of another verb", {"list", "--port", "ttyUSB0"}, OPTIONS_WRONG},
	{"no value", {"flash", "--image"}, OPTIONS_WRONG},
	{"-v is neither verify nor verbose", {"flash", "-v"}, OPTIONS_WRONG},
	{"-v on a verb without options", {"list", "-v"}, OPTIONS_WRONG},
	{"unexpected word", {"flash", "/dev/ttyUSB0"}, OPTIONS_WRONG},
	{"argument", {"read", "out.bin"}, OPTIONS_RUN},
	{"standard output", {"read", "-"}, OPTIONS_RUN},
	{"argument before options", {"read", "out.bin", "--force"}, OPTIONS_RUN},
	{"argument missing", {"read", "--force"}, OPTIONS_WRONG},
	{"two arguments", {"read", "a", "b"}, OPTIONS_WRONG},
	{"address without size", {"read", "a", "--address", "0x08000000"}, OPTIONS_WRONG},
	{"address and size", {"read", "a", "--address", "0x08000000", "--size", "1K"}, OPTIONS_RUN},
	{"address of an image", {"flash", "--address", "0x08000000"}, OPTIONS_RUN},
	{"no words of any number", {"option-bytes"}, OPTIONS_RUN},
	{"chip and board", {"flash", "--chip", "0x410", "--board", "gate"}, OPTIONS_WRONG},
	{"erase nothing", {"erase"}, OPTIONS_WRONG},
	{"erase all", {"erase", "all"}, OPTIONS_RUN},
	{"erase pages", {"erase", "--pages", "4,6-9"}, OPTIONS_RUN},
	{"erase a range", {"erase", "--range", "0x08000000+1K", "--whole-pages"}, OPTIONS_RUN},
	{"erase all and pages", {"erase", "all", "--pages", "4"}, OPTIONS_WRONG},
	{"erase pages and a range", {"erase", "--pages", "4", "--range", "0+1"}, OPTIONS_WRONG},
	{"erase all and more", {"erase", "all", "4"}, OPTIONS_WRONG},
	{"whole pages of no range", {"erase", "--pages", "4", "--whole-pages"}, OPTIONS_WRONG},
	{"erase what is kept", {"erase", "all", "--with-kept"}, OPTIONS_RUN},
	{"erase without a question needs no yes", {"erase", "all", "--yes"}, OPTIONS_WRONG},
	{"start", {"start"}, OPTIONS_RUN},
	{"start at an address, without a size", {"start", "--address", "0x08004000"}, OPTIONS_RUN},
	{"protect", {"protect", "--yes"}, OPTIONS_RUN},
	{"yes of another verb", {"flash", "--yes"}, OPTIONS_WRONG},
	{"wiring and board", {"flash", "--wiring", "esp", "--board", "gate"}, OPTIONS_WRONG},
};

static int parse(const char *const words[], struct options *ret)
{
	const struct verb *verb = verb_find(some_verbs, ARRAY_SIZE(some_verbs), words[0]);
	char *argv[11] = {0};
	int argc = 0;

	assert_non_null(verb);
	for (; words[argc]; argc++)
		argv[argc] = (char *)words[argc];
	return options_parse(verb, argc, argv, ret);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct options options;

		print_message("# %s\n", lines[i].name);
		assert_int_equal(parse(lines[i].words, &options), lines[i].expected);
	}
}

static void test_values(void **state)
{
	const char *const words[] = {
		"read", "--port", "ttyUSB3", "-b", "9600", "out.bin", "--json", "--force", NULL};
	struct options options;

	(void)state;
	assert_int_equal(parse(words, &options), OPTIONS_RUN);
	assert_string_equal(options.port, "ttyUSB3");
	assert_string_equal(options.baud, "9600");
	assert_string_equal(options.argument, "out.bin");
	assert_true(options.json && options.force);
	assert_null(options.board);
}

/* Options may stand between them. */
static void test_words_of_any_number(void **state)
{
	const char *const words[] = {"option-bytes", "set", "A=1", "--yes", "B=2", "C=3", NULL};
	struct options options;

	(void)state;
	assert_int_equal(parse(words, &options), OPTIONS_RUN);
	assert_true(options.yes);
	assert_int_equal(options.n_arguments, 4);
	assert_string_equal(options.arguments[0], "set");
	assert_string_equal(options.arguments[3], "C=3");
}

static void test_environment(void **state)
{
	const char *const without[] = {"flash", NULL}, *const with[] = {
							       "flash", "-p", "ttyUSB1", NULL};
	struct options options;

	(void)state;
	setenv(ENV_PORT, "/dev/ttyUSB7", 1);
	setenv(ENV_BAUD, "", 1);
	assert_int_equal(parse(without, &options), OPTIONS_RUN);
	assert_string_equal(options.port, "/dev/ttyUSB7");
	assert_null(options.baud);
	assert_int_equal(parse(with, &options), OPTIONS_RUN);
	assert_string_equal(options.port, "ttyUSB1");
	unsetenv(ENV_PORT);
	unsetenv(ENV_BAUD);
}

/* Every row can be given to a verb that takes its group, and is in that verb's help. */
static void test_every_row_is_taken_and_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct verb verb = {
			.name = "any", .summary = "Any.", .options = rows[i].sets};
		struct options options = {0};
		char *help = NULL;
		size_t n_help = 0;
		FILE *to = open_memstream(&help, &n_help);

		take(ROW_FIRST + (int)i, "x", &options);
		assert_memory_not_equal(&options, &(struct options){0}, sizeof(options));
		assert_non_null(to);
		options_print_help(&verb, to);
		fclose(to);
		assert_non_null(strstr(help, rows[i].name));
		free(help);
	}
}

static const struct {
	const char *typed, *nearest; /* NULL: none */
} slips[] = {
	{"flsh", "flash"},
	{"falsh", "flash"},
	{"lst", "list"},
	{"check", "check-config"},
	{"chekc-config", "check-config"},
	{"reed", "read"},
	{"program", NULL},
	{"", NULL},
	{"a-word-that-is-longer-than-any-slip", NULL},
};

static void test_nearest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slips); i++) {
		const struct verb *nearest =
			verb_nearest(some_verbs, ARRAY_SIZE(some_verbs), slips[i].typed);

		print_message("# %s\n", slips[i].typed);
		if (slips[i].nearest) {
			assert_non_null(nearest);
			assert_string_equal(nearest->name, slips[i].nearest);
		} else {
			assert_null(nearest);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_words_of_any_number),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_every_row_is_taken_and_explained),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
