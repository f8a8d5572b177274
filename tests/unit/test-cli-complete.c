/* SPDX-License-Identifier: MIT */
/* What a shell is told of a command line that is half typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/outcome.h"
#include "cli/circuits.h"
#include "cli/complete.h"
#include "cli/rule.h"
#include "cli/when.h"

static const struct {
	const char *name;
	const char *words[8]; /* up to NULL; the last is half typed */
	enum complete_kind kind;
	const char *option; /* NULL: none */
	size_t n_words;
	size_t n_stays;
} places[] = {
	{"nothing", {NULL}, COMPLETE_VERB, NULL, 0, 0},
	{"a verb", {"fl"}, COMPLETE_VERB, NULL, 0, 0},
	{"behind a verb", {"flash", ""}, COMPLETE_WORD, NULL, 0, 0},
	{"behind no verb", {"program", ""}, COMPLETE_NOTHING, NULL, 0, 0},
	{"behind one that no list has", {"complete", ""}, COMPLETE_NOTHING, NULL, 0, 0},
	{"an option", {"flash", "--po"}, COMPLETE_OPTION, NULL, 0, 0},
	{"an option that is whole", {"flash", "--port"}, COMPLETE_OPTION, NULL, 0, 0},
	{"a dash", {"read", "-"}, COMPLETE_OPTION, NULL, 0, 0},
	{"a value", {"flash", "--port", "tty"}, COMPLETE_VALUE, "port", 0, 0},
	{"a value by a letter", {"flash", "-p", ""}, COMPLETE_VALUE, "port", 0, 0},
	{"a value in the word", {"flash", "--port=tty"}, COMPLETE_VALUE, "port", 0, 7},
	{"a value in the word of a letter", {"flash", "-ptty"}, COMPLETE_VALUE, "port", 0, 2},
	{"a value that looks like an option", {"flash", "--image", "--p"}, COMPLETE_VALUE, "image",
		0, 0},
	{"the first of a list", {"flash", "--chip", "0x4"}, COMPLETE_VALUE, "chip", 0, 0},
	{"one more of a list", {"flash", "--chip", "0x410,0"}, COMPLETE_VALUE, "chip", 0, 6},
	{"one more in the word", {"flash", "--chip=0x410,0"}, COMPLETE_VALUE, "chip", 0, 13},
	{"a comma of no list", {"flash", "--image", "a,b"}, COMPLETE_VALUE, "image", 0, 0},
	{"a switch has no value", {"flash", "--json", ""}, COMPLETE_WORD, NULL, 0, 0},
	{"a switch with a value", {"flash", "--json=a"}, COMPLETE_NOTHING, NULL, 0, 0},
	{"of another verb", {"list", "--port", "tty"}, COMPLETE_WORD, NULL, 0, 0},
	{"of another verb, in the word", {"list", "--port=tty"}, COMPLETE_NOTHING, NULL, 0, 0},
	{"no option", {"flash", "--", "--port"}, COMPLETE_WORD, NULL, 0, 0},
	{"the second word", {"batch", "start", ""}, COMPLETE_WORD, NULL, 1, 0},
	{"behind options", {"batch", "--count", "3", "start", "ga"}, COMPLETE_WORD, NULL, 1, 0},
	{"behind a value in a word", {"batch", "--count=3", "st"}, COMPLETE_WORD, NULL, 0, 0},
	{"standard output is a word", {"read", "-", ""}, COMPLETE_WORD, NULL, 1, 0},
	{"an empty word that is whole", {"pause", "", ""}, COMPLETE_WORD, NULL, 1, 0},
};

static size_t count(const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	return n;
}

static void test_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct complete_place place;

		print_message("# %s\n", places[i].name);
		complete_find_place(
			verbs, n_verbs, places[i].words, count(places[i].words), &place);
		assert_int_equal(place.kind, places[i].kind);
		if (places[i].option)
			assert_string_equal(place.option->name, places[i].option);
		else
			assert_null(place.option);
		assert_int_equal(place.n_words, places[i].n_words);
		assert_int_equal(place.n_stays, places[i].n_stays);
	}
}

/* Values that depend on others know these, also where they stand in another form. */
static void test_options_before(void **state)
{
	const char *const words[] = {
		"flash", "--config=/a", "-p", "ttyUSB3", "--json", "--image", ""};
	struct complete_place place;

	(void)state;
	complete_find_place(verbs, n_verbs, words, ARRAY_SIZE(words), &place);
	assert_string_equal(place.before.config, "/a");
	assert_string_equal(place.before.port, "ttyUSB3");
	assert_true(place.before.json);
	assert_null(place.before.image);
}

static void test_what_is_added(void **state)
{
	struct complete_place place = {.typed = "--chip=0x410,0x4", .n_stays = 13};
	CLEANUP(complete_answers_done) struct complete_answers answers = {.place = &place};

	(void)state;
	complete_add(&answers, "0x414", "STM32F10xxx");
	complete_add(&answers, "0x414", "once");
	complete_add(&answers, "0x510", "another beginning");
	complete_add(&answers, "0x4\n", "not to be typed");
	complete_add(&answers, "0x4\x1b[2J", "nor this");
	complete_add(&answers, "0x4\xff", "nor this");
	complete_add(&answers, "0x415", "a\tb\x1b[2J");
	complete_add(&answers, COMPLETE_FILES, NULL);
	assert_int_equal(answers.n_items, 3);
	assert_string_equal(answers.items[0].word, "--chip=0x410,0x414");
	assert_string_equal(answers.items[0].what, "STM32F10xxx");
	assert_null(strpbrk(answers.items[1].what, "\t\x1b"));
	assert_string_equal(answers.items[2].word, COMPLETE_FILES);
}

/* A probe alone has a word more. */
static void test_wirings(void **state)
{
	static const char *const verbs_and_last[][2] = {{"flash", "esp"}, {"probe", "auto"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(verbs_and_last); i++) {
		const char *const words[] = {verbs_and_last[i][0], "--wiring", ""};
		struct complete_place place;
		CLEANUP(complete_answers_done) struct complete_answers answers = {.place = &place};

		complete_find_place(verbs, n_verbs, words, ARRAY_SIZE(words), &place);
		assert_true(complete_add_values(&answers));
		assert_string_equal(answers.items[answers.n_items - 1].word, verbs_and_last[i][1]);
	}
}

/* Words that are always the same, for what reads them. */
static bool is_taken(const char *option, const char *value)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board board = {0};
	struct options options = {0};
	struct circuit_list list;
	struct reason reason;
	int64_t at;

	if (strcmp(option, "outcome") == 0)
		return outcome_from_string(value) >= 0;
	if (strcmp(option, "try") == 0)
		return circuits_choose(value, &list, &reason);
	if (strcmp(option, "since") == 0 || strcmp(option, "until") == 0)
		return when_parse(value, 0, &at) == 0;
	if (strcmp(option, "protocol") == 0)
		options.protocol = value;
	else if (strcmp(option, "application") == 0)
		options.application = value;
	else if (strcmp(option, "wiring") == 0)
		options.wiring = value;
	else if (strcmp(option, "reset") == 0 || strcmp(option, "boot") == 0)
		options.reset = options.boot = strstr(value, "rts") ? "dtr" : "rts";
	else if (strcmp(option, "baud") == 0)
		options.baud = value;
	else
		fail_msg("nobody reads a --%s here", option);
	if (strcmp(option, "reset") == 0)
		options.reset = value;
	if (strcmp(option, "boot") == 0)
		options.boot = value;
	rule_make(NULL, &options, "0x410", &board, &problems);
	for (size_t i = 0; i < problems.n_items; i++)
		if (strcmp(problems.items[i].key, option) == 0)
			return false;
	return true;
}

static void test_words_are_taken(void **state)
{
	static const char *const lines[][2] = {{"flash", "protocol"}, {"flash", "wiring"},
		{"probe", "application"}, {"flash", "reset"}, {"flash", "boot"}, {"flash", "baud"},
		{"setup", "try"}, {"history", "outcome"}, {"history", "since"},
		{"history", "until"}};

	(void)state;
	assert_false(is_taken("wiring", "crossed"));
	assert_false(is_taken("protocol", "telnet"));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char option[32];
		const char *const words[] = {lines[i][0], option, ""};
		struct complete_place place;
		CLEANUP(complete_answers_done) struct complete_answers answers = {.place = &place};

		print_message("# %s\n", lines[i][1]);
		snprintf(option, sizeof(option), "--%s", lines[i][1]);
		complete_find_place(verbs, n_verbs, words, ARRAY_SIZE(words), &place);
		assert_int_equal(place.kind, COMPLETE_VALUE);
		assert_true(complete_add_values(&answers));
		assert_true(answers.n_items > 1);
		for (size_t j = 0; j < answers.n_items; j++)
			assert_true(is_taken(lines[i][1], answers.items[j].word));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_options_before),
		cmocka_unit_test(test_what_is_added),
		cmocka_unit_test(test_wirings),
		cmocka_unit_test(test_words_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
