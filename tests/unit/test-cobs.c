/* SPDX-License-Identifier: MIT */
/* test-cobs.c - bodies by tables: what goes out, and what comes of bytes that come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "loader/cobs.h"

#define MOST 1100

/* "00 11..1F" as bytes: two dots stand for the numbers between. */
static size_t from_text(const char *text, uint8_t *to)
{
	bool is_range = false;
	size_t n = 0;

	while (*text) {
		char *end;
		unsigned value = (unsigned)strtoul(text, &end, 16);

		for (unsigned next = is_range ? to[n - 1] + 1u : value; next <= value; next++)
			to[n++] = (uint8_t)next;
		is_range = strncmp(end, "..", 2) == 0;
		text = is_range ? end + 2 : *end ? end + 1 : end;
	}
	return n;
}

static const struct {
	const char *body, *encoded;
} rows[] = {
	{"", "01 00"},
	{"00", "01 01 00"},
	{"00 00", "01 01 01 00"},
	{"00 11 00", "01 02 11 01 00"},
	{"11 22 00 33", "03 11 22 02 33 00"},
	{"11 22 33 44", "05 11 22 33 44 00"},
	{"11 00 00 00", "02 11 01 01 01 00"},
	{"01..FE", "FF 01..FE 00"},
	{"00 01..FE", "01 FF 01..FE 00"},
	{"01..FF", "FF 01..FE 02 FF 00"},
	{"02..FF 00", "FF 02..FF 01 01 00"},
	{"03..FF 00 01", "FE 03..FF 02 01 00"},
};

static void bodies_are_encoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t body[MOST], expected[MOST], got[COBS_ENCODED_MAX(MOST)];
		size_t n_body = from_text(rows[i].body, body);
		size_t n_expected = from_text(rows[i].encoded, expected);

		assert_int_equal(cobs_encode(body, n_body, got), n_expected);
		assert_memory_equal(got, expected, n_expected);
		assert_true(n_expected <= COBS_ENCODED_MAX(n_body));
	}
}

/* All of a stream that came to an end, "lost" for a body that is; bodies as long as 4 bytes. */
static void take_all(const char *stream, char *text)
{
	uint8_t bytes[MOST], body[4];
	struct cobs cobs = {.body = body, .size = sizeof(body)};
	size_t n = from_text(stream, bytes), n_text = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		enum cobs_result result = cobs_take(&cobs, bytes[i]);

		if (result == COBS_LOST)
			n_text += (size_t)sprintf(text + n_text, "lost|");
		if (result != COBS_BODY)
			continue;
		for (size_t j = 0; j < cobs.n_body; j++)
			n_text += (size_t)sprintf(text + n_text, "%02X ", body[j]);
		n_text += (size_t)sprintf(text + n_text, "|");
	}
}

static void bodies_are_found(void **state)
{
	static const struct {
		const char *name, *stream, *expected;
	} streams[] = {
		{"one", "02 11 00", "11 |"},
		{"an empty one", "01 00", "|"},
		{"two", "02 11 00 02 22 00", "11 |22 |"},
		{"zeros between", "00 00 02 11 00 00 00 02 22 00", "11 |22 |"},
		{"none ended", "02 11", ""},
		{"cut short", "05 11 22 00 02 33 00", "lost|33 |"},
		{"the longest", "05 11 22 33 44 00", "11 22 33 44 |"},
		{"too long", "06 11 22 33 44 55 00 02 11 00", "lost|11 |"},
		{"a zero too many", "05 11 22 33 44 01 00", "lost|"},
		{"noise in front", "37 12 00 02 11 00", "lost|11 |"},
		{"a lost end", "02 11 02 22 00 02 33 00", "11 00 22 |33 |"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		char text[400];

		take_all(streams[i].stream, text);
		if (strcmp(text, streams[i].expected) != 0)
			fail_msg("%s: '%s'", streams[i].name, text);
	}
}

/* Every length with few zeros, with many and with none comes back, and no zero is on the line. */
static void every_length_comes_back(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (size_t n = 0; n <= MOST - 10; n++) {
		uint8_t body[MOST], encoded[COBS_ENCODED_MAX(MOST)], got[MOST];
		struct cobs cobs = {.body = got, .size = n};
		enum cobs_result result = COBS_MORE;
		size_t n_encoded;

		for (size_t i = 0; i < n; i++) {
			random = random * 1664525 + 1013904223;
			body[i] = (uint8_t)(random >> 24);
			if (n % 3 == 0)
				body[i] |= 1;
			else if (n % 3 == 1)
				body[i] &= 1;
		}
		n_encoded = cobs_encode(body, n, encoded);
		assert_true(n_encoded <= COBS_ENCODED_MAX(n));
		for (size_t i = 0; i < n_encoded; i++) {
			assert_int_equal(result, COBS_MORE);
			assert_int_equal(encoded[i] == 0, i + 1 == n_encoded);
			result = cobs_take(&cobs, encoded[i]);
		}
		assert_int_equal(result, COBS_BODY);
		assert_int_equal(cobs.n_body, n);
		assert_memory_equal(got, body, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_encoded),
		cmocka_unit_test(bodies_are_found),
		cmocka_unit_test(every_length_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
