/* SPDX-License-Identifier: MIT */
/* The question before what cannot be taken back, at a terminal and without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.c"
#include "unit/patience.h"

/* Standard input and standard error as they were, and the ends of a terminal in their place. */
static int input, errors, master, slave;

static int take_terminal(void **state)
{
	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	input = dup(STDIN_FILENO);
	errors = dup(STDERR_FILENO);
	assert_true(input >= 0 && errors >= 0);
	assert_true(dup2(slave, STDIN_FILENO) >= 0 && dup2(slave, STDERR_FILENO) >= 0);
	return 0;
}

static int give_terminal_back(void **state)
{
	(void)state;
	fflush(stderr);
	clearerr(stdin);
	dup2(input, STDIN_FILENO);
	dup2(errors, STDERR_FILENO);
	close(input);
	close(errors);
	close(slave);
	close(master);
	return 0;
}

/* What the terminal has shown, the echo of what was typed with it. */
static char said[4000];
static size_t n_said;

static bool is_shown(const char *text)
{
	struct pollfd events = {.fd = master, .events = POLLIN};

	while (!strstr(said, text) && poll(&events, 1, PATIENCE_MSEC) == 1) {
		ssize_t n = read(master, said + n_said, sizeof(said) - 1 - n_said);

		if (n <= 0)
			return false;
		n_said += (size_t)n;
	}
	return strstr(said, text) != NULL;
}

static const struct {
	const char *typed;
	bool expected;
} answers[] = {
	{"yes\n", true}, {"y\n", false}, {"YES\n", false}, {"yes please\n", false}, {"no\n", false},
	{"\n", false}, {"\x04", false}, /* Ctrl-D */
};

static void only_yes_is_an_answer(void **state)
{
	const struct options options = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		size_t n = strlen(answers[i].typed);
		int code = -1;

		memset(said, 0, sizeof(said));
		n_said = 0;

		assert_int_equal(write(master, answers[i].typed, n), n);
		assert_int_equal(ask_yes(&options, "protect", "the board is lost", &code),
			answers[i].expected);
		assert_int_equal(
			code, answers[i].expected ? -1 : outcome_to_exit_code(OUTCOME_CANCELLED));
		clearerr(stdin);
		assert_true(is_shown("plugflash protect: the board is lost."));
		assert_true(is_shown("Type yes: "));
		if (!answers[i].expected)
			assert_true(is_shown("nothing was done"));
	}
}

static void yes_asks_nobody(void **state)
{
	const struct options options = {.yes = true};
	int code = -1;

	(void)state;
	assert_true(ask_yes(&options, "protect", "the board is lost", &code));
	assert_int_equal(code, -1);
}

static void without_a_terminal_the_way_is_named(void **state)
{
	const struct options options = {0};
	int code = -1, none = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(none >= 0 && dup2(none, STDIN_FILENO) >= 0);
	close(none);
	memset(said, 0, sizeof(said));
	n_said = 0;
	assert_false(ask_yes(&options, "protect", "the board is lost", &code));
	assert_int_equal(code, EXIT_USAGE);
	assert_true(is_shown("say --yes to have it done"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, take_terminal, give_terminal_back)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(only_yes_is_an_answer),
		TEST(yes_asks_nobody),
		TEST(without_a_terminal_the_way_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
