/* SPDX-License-Identifier: MIT */
/* test-slip.c - frames by tables: what goes out, and what comes of bytes that come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "loader/slip.h"

/* "C0 01" as bytes. */
static size_t from_text(const char *text, uint8_t *to)
{
	size_t n = 0;

	while (*text) {
		char *end;

		to[n++] = (uint8_t)strtoul(text, &end, 16);
		text = *end ? end + 1 : end;
	}
	return n;
}

static void bodies_are_escaped(void **state)
{
	static const struct {
		const char *body, *frame;
	} rows[] = {
		{"", "C0 C0"},
		{"00", "C0 00 C0"},
		{"C0", "C0 DB DC C0"},
		{"DB", "C0 DB DD C0"},
		{"DB DC", "C0 DB DD DC C0"},
		{"01 C0 DB C0 02", "C0 01 DB DC DB DD DB DC 02 C0"},
		/* READ_REG of 0x40001000 (esp-rom.md 1.5). */
		{"00 0A 04 00 00 00 00 00 00 10 00 40",
			"C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t body[32], expected[64], got[SLIP_ENCODED_MAX(32)];
		size_t n_body = from_text(rows[i].body, body);
		size_t n_expected = from_text(rows[i].frame, expected);

		assert_int_equal(slip_encode(body, n_body, got), n_expected);
		assert_memory_equal(got, expected, n_expected);
	}
}

/* What slip_take() says of the bytes: bodies in hexadecimal, "lost" for one that is. */
static void bodies_are_found(void **state)
{
	static const struct {
		const char *bytes, *said;
	} rows[] = {
		{"", ""},
		{"01 02 03", ""},
		{"C0 01 02 C0", "0102;"},
		{"C0 C0 C0 01 02 C0 C0", "0102;"},
		{"C0 DB DC DB DD C0", "C0DB;"},
		/* Text and noise in front are a body of their own, and cost no frame. */
		{"65 74 73 0A C0 01 02 C0", "6574730A;0102;"},
		{"55 C0 AA C0 01 02 C0", "55;AA;0102;"},
		{"DB C0 01 02 C0", "lost;0102;"},
		{"C0 DB C0 01 02 C0", "lost;0102;"},
		{"C0 01 DB 00 02 C0 03 C0", "lost;03;"},
		{"C0 01 DB DB DC C0 03 C0", "lost;03;"},
		{"C0 01 02 C0 62 6F C0 03 C0", "0102;626F;03;"},
		/* Eight bytes have room. */
		{"C0 01 02 03 04 05 06 07 08 C0", "0102030405060708;"},
		{"C0 01 02 03 04 05 06 07 08 09 C0 0A C0", "lost;0A;"},
		{"C0 01 02 03 04 05 06 07 08 DB DC C0 0A C0", "lost;0A;"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[64], body[8];
		struct slip slip = {.body = body, .size = sizeof(body)};
		size_t n = from_text(rows[i].bytes, bytes), n_said = 0;
		char said[200] = "";

		for (size_t j = 0; j < n; j++) {
			enum slip_result result = slip_take(&slip, bytes[j]);

			if (result == SLIP_LOST)
				n_said += (size_t)sprintf(said + n_said, "lost;");
			for (size_t k = 0; result == SLIP_BODY && k < slip.n_body; k++)
				n_said += (size_t)sprintf(said + n_said, "%02X%s", slip.body[k],
					k + 1 == slip.n_body ? ";" : "");
		}
		assert_string_equal(said, rows[i].said);
	}
}

/* Behind any bytes whatsoever the next whole frame is found. */
static void it_is_in_step_behind_noise(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t body[8], frame[] = {SLIP_END, 0x01, SLIP_ESC, SLIP_ESC_END, 0x7E, SLIP_END};
		struct slip slip = {.body = body, .size = sizeof(body)};
		enum slip_result result = SLIP_MORE;

		for (int i = 0; i < 12; i++) {
			static const uint8_t some[] = {0xC0, 0xDB, 0xDC, 0xDD, 0x01, 0xFF};

			random = random * 1664525 + 1013904223;
			(void)slip_take(&slip, some[(random >> 16) % sizeof(some)]);
		}
		for (size_t i = 0; i < sizeof(frame); i++)
			result = slip_take(&slip, frame[i]);
		assert_int_equal(result, SLIP_BODY);
		assert_int_equal(slip.n_body, 3);
		assert_memory_equal(slip.body, "\x01\xC0\x7E", 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_escaped),
		cmocka_unit_test(bodies_are_found),
		cmocka_unit_test(it_is_in_step_behind_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
