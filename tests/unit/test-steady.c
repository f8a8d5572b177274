/* SPDX-License-Identifier: MIT */
/* What two answers in a row agree on is believed, whatever was heard before; else nothing is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "loader/loader.h"
#include "loader/steady.h"
#include "unit/rows.h"

/* One answer a letter: N a NACK, U not in the list, G garbled, - gone, others are the fact. */
struct talker {
	const char *answers;
	unsigned n_asked;
};

static int ask(void *userdata, void *to)
{
	struct talker *talker = userdata;
	char answer = talker->answers[talker->n_asked];

	assert_true(answer != '\0');
	talker->n_asked++;
	switch (answer) {
	case 'N':
		return LOADER_REFUSED;
	case 'U':
		return LOADER_UNSUPPORTED;
	case 'G':
		return LOADER_GARBLED;
	case '-':
		return -ENODEV;
	}
	*(char *)to = answer;
	return 0;
}

static const struct row {
	const char *name;
	const char *answers; /* more than these must not be asked for */
	int result;
	char fact;
} rows[] = {
	{"twice the same", "aa", 0, 'a'},
	{"the first was bent", "xaa", 0, 'a'},
	{"the second was bent", "axaa", 0, 'a'},
	{"one NACK is a bent byte", "aNaa", 0, 'a'},
	{"one NACK first", "Naa", 0, 'a'},
	{"two NACKs are a refusal", "NN", LOADER_REFUSED, 0},
	{"a NACK each second time is none", "NaNaNa", LOADER_UNSTEADY, 0},
	{"a command that is not there", "UU", LOADER_UNSUPPORTED, 0},
	{"never twice the same", "abcdef", LOADER_UNSTEADY, 0},
	{"two that alternate", "ababab", LOADER_UNSTEADY, 0},
	{"the last two", "abcdaa", 0, 'a'},
	{"out of step", "aG", LOADER_GARBLED, 0},
	{"unplugged", "a-", -ENODEV, 0},
};

static void two_answers_in_a_row_are_believed(void **state)
{
	const struct row *row = *state;
	struct talker talker = {.answers = row->answers};
	char fact = 0;

	assert_int_equal(steady_read(ask, &talker, &fact, 1), row->result);
	assert_int_equal(talker.n_asked, strlen(row->answers));
	assert_int_equal(fact, row->fact);
}

static void more_than_there_is_room_for_is_not_asked(void **state)
{
	struct talker talker = {.answers = ""};
	char fact[LOADER_BLOCK_MAX + 1];

	(void)state;
	assert_int_equal(steady_read(ask, &talker, fact, sizeof(fact)), -EINVAL);
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, two_answers_in_a_row_are_believed);
	ADD_TEST(tests, n_tests, more_than_there_is_room_for_is_not_asked);
	return RUN_TESTS("steady", tests, n_tests);
}
