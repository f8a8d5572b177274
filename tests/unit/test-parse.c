/* SPDX-License-Identifier: MIT */
/*
 * test-parse.c - numbers, sizes, durations and lists, and what is none of them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"
#include "unit/rows.h"

/* What a failed call must leave alone. */
#define UNTOUCHED 0xA5A5A5A5u

struct number_row {
	const char *name;
	const char *text;
	int result;
	uint64_t value;
};

static const struct number_row u32s[] = {
	{"number: zero", "0", 0, 0},
	{"number: decimal", "1234", 0, 1234},
	{"number: hexadecimal", "0x08000000", 0, 0x08000000},
	{"number: hexadecimal, any case", "0XfFfF", 0, 0xFFFF},
	{"number: a leading zero is not octal", "010", 0, 10},
	{"number: the largest", "4294967295", 0, UINT32_MAX},
	{"number: the largest in hexadecimal", "0xFFFFFFFF", 0, UINT32_MAX},
	{"number: one too many", "4294967296", -ERANGE, 0},
	{"number: far too many", "99999999999999999999999999", -ERANGE, 0},
	{"number: far too many, then rubbish", "99999999999999999999999999x", -EINVAL, 0},
	{"number: nothing", "", -EINVAL, 0},
	{"number: prefix only", "0x", -EINVAL, 0},
	{"number: minus", "-1", -EINVAL, 0},
	{"number: plus", "+1", -EINVAL, 0},
	{"number: blank before", " 1", -EINVAL, 0},
	{"number: blank behind", "1 ", -EINVAL, 0},
	{"number: letters", "12ab", -EINVAL, 0},
	{"number: a unit", "2K", -EINVAL, 0},
	{"number: a fraction", "1.5", -EINVAL, 0},
};

static const struct number_row sizes[] = {
	{"size: bytes", "512", 0, 512},
	{"size: hexadecimal", "0x400", 0, 1024},
	{"size: K", "2K", 0, 2048},
	{"size: hexadecimal K", "0x10K", 0, 16384},
	{"size: M", "1M", 0, 1048576},
	{"size: the largest in M", "4095M", 0, UINT64_C(4095) << 20},
	{"size: 4 GiB", "4096M", -ERANGE, 0},
	{"size: a product beyond 64 bits", "18446744073709551615M", -ERANGE, 0},
	{"size: small k", "2k", -EINVAL, 0},
	{"size: unit only", "K", -EINVAL, 0},
	{"size: two units", "1KM", -EINVAL, 0},
	{"size: G", "1G", -EINVAL, 0},
	{"size: nothing", "", -EINVAL, 0},
};

static const struct number_row durations[] = {
	{"duration: ms", "500ms", 0, 500000},
	{"duration: s", "2s", 0, 2000000},
	{"duration: us", "40us", 0, 40},
	{"duration: min", "1min", 0, 60000000},
	{"duration: a fraction", "1.227ms", 0, 1227},
	{"duration: a fraction of a minute", "0.5min", 0, 30000000},
	{"duration: a bare zero", "0", 0, 0},
	{"duration: zero with a unit", "0s", 0, 0},
	{"duration: a bare number", "5", -EINVAL, 0},
	{"duration: a bare fraction", "0.0", -EINVAL, 0},
	{"duration: finer than a microsecond", "1.2275us", -EINVAL, 0},
	{"duration: trailing zeros are no finer", "1.500000000s", 0, 1500000},
	{"duration: too many digits", "1.0000000000s", -EINVAL, 0},
	{"duration: no digits behind the point", "1.s", -EINVAL, 0},
	{"duration: no digits before the point", ".5s", -EINVAL, 0},
	{"duration: a blank", "2 s", -EINVAL, 0},
	{"duration: another unit", "2h", -EINVAL, 0},
	{"duration: unit only", "ms", -EINVAL, 0},
	{"duration: minus", "-2s", -EINVAL, 0},
	{"duration: nothing", "", -EINVAL, 0},
	{"duration: the largest", "18446744073709551615us", 0, UINT64_MAX},
	{"duration: beyond 64 bits", "18446744073709551616us", -ERANGE, 0},
	{"duration: a product beyond 64 bits", "18446744073709551615s", -ERANGE, 0},
};

static const struct number_row bools[] = {
	{"bool: yes", "yes", 0, true},
	{"bool: no", "no", 0, false},
	{"bool: true", "true", 0, true},
	{"bool: false", "false", 0, false},
	{"bool: 1", "1", 0, true},
	{"bool: 0", "0", 0, false},
	{"bool: on", "on", 0, true},
	{"bool: off", "off", 0, false},
	{"bool: Yes", "Yes", -EINVAL, 0},
	{"bool: 2", "2", -EINVAL, 0},
	{"bool: nothing", "", -EINVAL, 0},
};

static void u32_row_holds(void **state)
{
	const struct number_row *row = *state;
	uint32_t value = UNTOUCHED;

	assert_int_equal(parse_u32(row->text, &value), row->result);
	assert_int_equal(value, row->result < 0 ? UNTOUCHED : row->value);
}

static void size_row_holds(void **state)
{
	const struct number_row *row = *state;
	uint32_t value = UNTOUCHED;

	assert_int_equal(parse_size(row->text, &value), row->result);
	assert_int_equal(value, row->result < 0 ? UNTOUCHED : row->value);
}

static void duration_row_holds(void **state)
{
	const struct number_row *row = *state;
	uint64_t value = UNTOUCHED;

	assert_int_equal(parse_duration_usec(row->text, &value), row->result);
	assert_int_equal(value, row->result < 0 ? UNTOUCHED : row->value);
}

static void bool_row_holds(void **state)
{
	const struct number_row *row = *state;

	for (int before = 0; before < 2; before++) {
		bool value = before;

		assert_int_equal(parse_bool(row->text, &value), row->result);
		assert_int_equal(value, row->result < 0 ? (bool)before : (bool)row->value);
	}
}

struct list_row {
	const char *name;
	const char *text;
	const char *items[5];
};

static const struct list_row lists[] = {
	{"list: nothing", "", {NULL}},
	{"list: separators only", " ,\t, ", {NULL}},
	{"list: one", "a", {"a"}},
	{"list: single letters", "a b,c", {"a", "b", "c"}},
	{"list: blanks, tabs and commas", " 0x410,\tF103xC ,, 0x414 ",
		{"0x410", "F103xC", "0x414"}},
};

static void list_row_holds(void **state)
{
	const struct list_row *row = *state;
	char **items = NULL;
	size_t n = 0;

	assert_int_equal(parse_list(row->text, &items, &n), 0);
	assert_non_null(items);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(items[i], row->items[i]);
	assert_null(items[n]);
	assert_null(row->items[n]);
	parse_list_free(items);
}

static void freeing_no_list_is_fine(void **state)
{
	(void)state;
	parse_list_free(NULL);
}

int main(void)
{
	struct CMUnitTest tests[128];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, u32s, u32_row_holds);
	ADD_ROWS(tests, n_tests, sizes, size_row_holds);
	ADD_ROWS(tests, n_tests, durations, duration_row_holds);
	ADD_ROWS(tests, n_tests, bools, bool_row_holds);
	ADD_ROWS(tests, n_tests, lists, list_row_holds);
	ADD_TEST(tests, n_tests, freeing_no_list_is_fine);
	return RUN_TESTS("parse", tests, n_tests);
}
