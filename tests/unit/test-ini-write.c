/* SPDX-License-Identifier: MIT */
/*
 * test-ini-write.c - entries written so that they read the same, problems as lines, tables of keys.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ini.h"
#include "unit/problems.h"
#include "unit/rows.h"

#define TEN	  "0123456789"
#define HUNDRED	  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG_WORD HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN

struct write_row {
	const char *name;
	const char *value;
	int result;
	const char *text;
};

static const struct write_row writes[] = {
	{"write: plain", "a b", 0, "key=a b\n"},
	{"write: nothing", "", 0, "key=\n"},
	{"write: a semicolon first", ";a", 0, "key=;a\n"},
	{"write: a long one is continued", LONG_WORD " b c", 0, "key=" LONG_WORD " b\n c\n"},
	{"write: a long word below its key", LONG_WORD "0123", 0, "key=\n " LONG_WORD "0123\n"},
	{"write: never where a comment would begin", LONG_WORD "01 #b", 0,
		"key=\n " LONG_WORD "01 #b\n"},
	{"write: never at two blanks", HUNDRED " " TEN TEN TEN TEN TEN TEN TEN TEN TEN "  b", 0,
		"key=" HUNDRED "\n " TEN TEN TEN TEN TEN TEN TEN TEN TEN "  b\n"},
	{"fault 52: write refuses a newline", "a\n[board x]", -EINVAL, ""},
	{"fault 52: write refuses a control character", "a\x1b", -EINVAL, ""},
	{"write: refuses invalid UTF-8", "\xFF", -EINVAL, ""},
	{"write: refuses what would be a comment", "a ;b", -EINVAL, ""},
	{"write: refuses a blank at the begin", " a", -EINVAL, ""},
	{"write: refuses a blank at the end", "a\t", -EINVAL, ""},
	{"write: refuses a word longer than a line", LONG_WORD TEN, -EINVAL, ""},
};

static void write_row_holds(void **state)
{
	const struct write_row *row = *state;
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *text CLEANUP(freep) = NULL;
	size_t n_text = 0;
	char whole[1024];
	FILE *to = open_memstream(&text, &n_text);
	int r = ini_write_entry("key", row->value, to);

	assert_int_equal(fclose(to), 0);
	assert_int_equal(r, row->result);
	assert_string_equal(text, row->text);
	if (r < 0)
		return;
	assert_true(snprintf(whole, sizeof(whole), "[a]\n%s", text) < (int)sizeof(whole));
	assert_int_equal(ini_load_text(&ini, "f", whole, strlen(whole), &problems), 0);
	assert_int_equal(problems.n_items, 0);
	assert_string_equal(ini.sections[0].entries[0].value, row->value);
}

struct format_row {
	const char *name;
	struct ini_problem problem;
	const char *line;
};

static const struct format_row formats[] = {
	{"problem: all of it",
		{"boards.d/10.conf", 7, "board gate", "baud", "expected a speed, got 'x'"},
		"boards.d/10.conf:7: [board gate] baud: expected a speed, got 'x'"},
	{"problem: of a file", {"a.conf", 0, NULL, NULL, "cannot be read"},
		"a.conf: cannot be read"},
	{"problem: of nothing at all", {NULL, 0, NULL, NULL, "no board"}, "no board"},
	{"problem: of a key only", {NULL, 0, NULL, "image", "missing"}, "image: missing"},
	{"fault 52: problem with a newline in each part", {"a\nb", 1, "c\nd", "e\nf", "g\nh%n"},
		"a\\x0ab:1: [c\\x0ad] e\\x0af: g?h%n"},
};

static void format_row_holds(void **state)
{
	const struct format_row *row = *state;
	char line[200];

	assert_string_equal(ini_problem_format(&row->problem, line, sizeof(line)), row->line);
	for (size_t size = 1; size < strlen(row->line); size++) {
		char *small CLEANUP(freep) = malloc(size);

		ini_problem_format(&row->problem, small, size);
		assert_int_equal(strlen(small), size - 1);
	}
}

struct thing {
	bool flag;
	uint32_t number;
	uint64_t usec;
	char *text;
};

static int parse_unsupported(const char *value, void *field, const char **ret_expected)
{
	(void)value;
	(void)field;
	*ret_expected = "comes later";
	return -ENOTSUP;
}

static const struct ini_key thing_keys[] = {
	{"flag", offsetof(struct thing, flag), ini_parse_bool},
	{"number", offsetof(struct thing, number), ini_parse_u32},
	{"size", offsetof(struct thing, number), ini_parse_size},
	{"wait", offsetof(struct thing, usec), ini_parse_duration},
	{"text", offsetof(struct thing, text), ini_parse_string},
	{"later", 0, parse_unsupported},
};

static void keys_are_applied_and_every_problem_is_named(void **state)
{
	static const char text[] = "[a b]\nflag=yes\nnumber=0x10\nwait=2s\ntext=hi\nlater=1\n"
				   "size=x\nFlag=1\nother=%n\n";
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	struct thing thing = {.text = strdup("old")};
	char *refused CLEANUP(freep) = NULL;

	(void)state;
	assert_int_equal(ini_load_text(&ini, "f", text, strlen(text), &problems), 0);
	assert_int_equal(ini_section_apply(&ini.sections[0], thing_keys, ARRAY_SIZE(thing_keys),
				 &thing, &problems),
		0);
	refused = dump_problems(&problems, NULL);
	assert_string_equal(refused,
		"f:6: [a b] later: comes later\n"
		"f:7: [a b] size: expected a size like 512, 0x400, 64K or 1M, got 'x'\n"
		"f:8: [a b] Flag: there is no such key; is it 'flag'?\n"
		"f:9: [a b] other: there is no such key\n");
	assert_true(thing.flag);
	assert_int_equal(thing.number, 16);
	assert_int_equal(thing.usec, 2000000);
	assert_string_equal(thing.text, "hi");
	free(thing.text);
}

int main(void)
{
	struct CMUnitTest tests[48];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, writes, write_row_holds);
	ADD_ROWS(tests, n_tests, formats, format_row_holds);
	ADD_TEST(tests, n_tests, keys_are_applied_and_every_problem_is_named);
	return RUN_TESTS("ini-write", tests, n_tests);
}
