/* SPDX-License-Identifier: MIT */
/* test-json.c - documents of others, gone through value by value, and ours as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/json.h"
#include "unit/rows.h"

struct number_row {
	const char *name;
	const char *text;
	bool is_whole;
	uint64_t number;
};

static const struct number_row numbers[] = {
	{"a whole number", "[10]", true, 10},
	{"zero", "[0]", true, 0},
	{"the largest", "[9223372036854775807]", true, INT64_MAX},
	{"one with a sign is none", "[-5]", false, 0},
	{"one with a point is none", "[10.5]", false, 0},
	{"one with a point is none, also where nothing is behind it", "[10.0]", false, 0},
	{"one with an exponent is none", "[1e2]", false, 0},
	{"a text is none", "[\"10\"]", false, 0},
	{"a word is none", "[true]", false, 0},
};

static int take(void *userdata, const struct json_value *value)
{
	*(struct json_value *)userdata = *value;
	return 0;
}

static void a_number_is_whole(void **state)
{
	const struct number_row *row = *state;
	struct json_value value;
	struct reason reason;

	memset(&value, 0xff, sizeof(value));
	assert_int_equal(json_walk(row->text, strlen(row->text), take, &value, &reason), 0);
	assert_int_equal(value.is_whole, row->is_whole);
	assert_int_equal(value.number, row->number);
}

static const struct refusal_row {
	const char *name;
	const char *text;
	const char *expected;
} refusals[] = {
	{"nothing", "", "line 1: no JSON"},
	{"a key twice", "{\"a\":1,\"a\":2}", "duplicate"},
	{"bytes behind it", "{\"a\":1} x", "no JSON"},
	{"a NUL in a text", "{\"a\":\"x\\u0000\"}", "no JSON"},
	{"bytes that are not UTF-8", "{\"a\":\"\xff\"}", "no JSON"},
	{"a number too large", "{\"a\":18446744073709551616}", "no JSON"},
	{"too deep for a reader", "[[[[[1]]]]]", "more than 4"},
};

static void a_document_is_refused(void **state)
{
	const struct refusal_row *row = *state;
	struct json_value value;
	struct reason reason = {0};

	assert_int_equal(
		json_walk(row->text, strlen(row->text), take, &value, &reason), JSON_REFUSED);
	if (!strstr(reason.text, row->expected))
		fail_msg("expected '%s' in '%s'", row->expected, reason.text);
}

/* Ten thousand brackets are no reason to end. */
static void one_that_is_deep_costs_a_reason(void **state)
{
	static char text[20000];
	struct json_value value;
	struct reason reason = {0};

	(void)state;
	memset(text, '[', sizeof(text) / 2);
	memset(text + sizeof(text) / 2, ']', sizeof(text) / 2);
	assert_int_equal(json_walk(text, sizeof(text), take, &value, &reason), JSON_REFUSED);
	assert_non_null(strstr(reason.text, "no JSON"));
}

static void a_document_becomes_text(void **state)
{
	struct json *json = json_new_object();
	char *text = NULL;
	size_t n = 0;

	(void)state;
	json_add_text(json, "a", "x\ty");
	assert_int_equal(json_to_text(json, &text, &n), 0);
	assert_string_equal(text, "{\"a\": \"x\\ty\"}");
	assert_int_equal(n, strlen(text));
	free(text);
	text = (char *)1;
	assert_int_equal(json_to_text(NULL, &text, NULL), -ENOMEM);
	assert_ptr_equal(text, (char *)1);
}

int main(void)
{
	struct CMUnitTest tests[32];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, numbers, a_number_is_whole);
	ADD_ROWS(tests, n_tests, refusals, a_document_is_refused);
	ADD_TEST(tests, n_tests, one_that_is_deep_costs_a_reason);
	ADD_TEST(tests, n_tests, a_document_becomes_text);
	return RUN_TESTS("json", tests, n_tests);
}
