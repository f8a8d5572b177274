/* SPDX-License-Identifier: MIT */
/* The key `serialize`, and what it makes of a value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "rules/provision.h"

static const struct good_row {
	const char *value;
	struct provision made;
} good_rows[] = {
	{"0x0800FC00+8 decimal 1000", {PROVISION_DECIMAL, 0x0800FC00, 8, 1000, ""}},
	{"  0x0800FC00+16\tbinary  0", {PROVISION_NONE, 0, 0, 0, ""}},
	{"134282240+8 hex 0xff", {PROVISION_HEX, 134282240, 8, 255, ""}},
	{"0x0800FC00+4 binary 0xFFFFFFFF", {PROVISION_BINARY, 0x0800FC00, 4, UINT32_MAX, ""}},
	{"0xFFFFFFC0+64 decimal 9223372036854775807",
		{PROVISION_DECIMAL, 0xFFFFFFC0, 64, INT64_MAX, ""}},
	{"0x0800FC00+32 text /etc/plugflash/keys of gate.csv",
		{PROVISION_TEXT, 0x0800FC00, 32, 0, "/etc/plugflash/keys of gate.csv"}},
	{"0x0800FC00+16 bytes /k", {PROVISION_BYTES, 0x0800FC00, 16, 0, "/k"}},
};

static void a_key_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good_rows); i++) {
		const struct good_row *row = &good_rows[i];
		struct provision made = {0};
		const char *expected;
		int r = parse_provision(row->value, &made, &expected);

		/* Row 2 wants more bytes than a number has. */
		assert_int_equal(r, row->made.form == PROVISION_NONE ? -ERANGE : 0);
		assert_int_equal(made.form, row->made.form);
		assert_int_equal(made.address, row->made.address);
		assert_int_equal(made.size, row->made.size);
		assert_int_equal(made.first, row->made.first);
		assert_string_equal(made.file, row->made.file);
	}
}

static void what_is_no_key_is_refused(void **state)
{
	static const char *const values[] = {"", "0x0800FC00", "0x0800FC00+8",
		"0x0800FC00+8 decimal", "0x0800FC00+8 decimal x", "0x0800FC00+8 decimal -1",
		"0x0800FC00+8 decimal 1 2", "0x0800FC00+8 decimal 0x", "0x0800FC00+8 octal 1",
		"0x0800FC00+8 decimal 9223372036854775808", "0x0800FC00+0 decimal 1",
		"0x0800FC00+65 decimal 1", "0x0800FC00+1K decimal 1", "0xFFFFFFFF+2 decimal 1",
		"+8 decimal 1", "0x0800FC00 +8 decimal 1", "0x0800FC00+8 text",
		"0x0800FC00+8 text keys.csv", "0x0800FC00+8 bytes ../keys.csv",
		"0x0800FC00+8 none /x", "decimal 1 0x0800FC00+8"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct provision made = {.size = 77};
		const char *expected = NULL;

		if (parse_provision(values[i], &made, &expected) == 0)
			fail_msg("'%s' was taken", values[i]);
		assert_int_equal(made.size, 77);
		assert_non_null(expected);
	}
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	char value[400];
	struct provision made = {0};
	const char *expected;
	int n = snprintf(value, sizeof(value), "0x0800FC00+8 text /");

	(void)state;
	memset(value + n, 'x', 300);
	value[n + 254] = '\0';
	assert_int_equal(parse_provision(value, &made, &expected), 0);
	value[n + 254] = 'x';
	value[n + 255] = '\0';
	assert_int_equal(parse_provision(value, &made, &expected), -EINVAL);
}

static const struct render_row {
	const char *name;
	enum provision_form form;
	uint32_t size;
	const char *value;
	const char *bytes; /* NULL: refused */
	const char *reason;
	const char *shown;
} render_rows[] = {
	{"decimal", PROVISION_DECIMAL, 8, "1000", "00001000", "", "00001000"},
	{"decimal, as wide as can be", PROVISION_DECIMAL, 4, "9999", "9999", "", "9999"},
	{"decimal, too wide", PROVISION_DECIMAL, 4, "10000", NULL, "does not fit the 4 bytes", ""},
	{"decimal, no number", PROVISION_DECIMAL, 4, "x", NULL, "is no number", ""},
	{"hex", PROVISION_HEX, 6, "48879", "00BEEF", "", "00BEEF"},
	{"hex, too wide", PROVISION_HEX, 3, "48879", NULL, "does not fit the 3 bytes", ""},
	{"binary", PROVISION_BINARY, 4, "48879", "\xEF\xBE\x00\x00", "", "0xefbe0000"},
	{"binary of 8", PROVISION_BINARY, 8, "1", "\x01\0\0\0\0\0\0\0", "", "0x0100000000000000"},
	{"binary, too wide", PROVISION_BINARY, 1, "256", NULL, "does not fit the 1 bytes", ""},
	{"binary, nothing", PROVISION_BINARY, 2, "0", "\0\0", "", "0x0000"},
	{"text", PROVISION_TEXT, 6, "SN-1", "SN-1\0\0", "", "SN-1"},
	{"text, too long", PROVISION_TEXT, 3, "SN-1", NULL, "does not fit the 3 bytes", ""},
	{"text, not printable", PROVISION_TEXT, 8, "a\tb", NULL, "printable", ""},
	{"text, not ASCII", PROVISION_TEXT, 8, "\xC3\xA4", NULL, "printable", ""},
	{"bytes", PROVISION_BYTES, 3, "00fFa1", "\x00\xFF\xA1", "", "0x00ffa1"},
	{"bytes, too few", PROVISION_BYTES, 3, "00ff", NULL, "4 hexadecimal digits", ""},
	{"bytes, half of one", PROVISION_BYTES, 3, "00ffa", NULL, "5 hexadecimal digits", ""},
	{"bytes, too many", PROVISION_BYTES, 1, "00ff", NULL, "room for 1 bytes", ""},
	{"bytes, no digits", PROVISION_BYTES, 3, "serial", NULL, "not in hexadecimal", ""},
};

static void a_value_becomes_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(render_rows); i++) {
		const struct render_row *row = &render_rows[i];
		const struct provision serialize = {.form = row->form, .size = row->size};
		uint8_t bytes[PROVISION_MOST];
		char shown[PROVISION_SHOWN_MAX];
		struct reason reason = {""};
		int r = provision_render(&serialize, row->value, bytes, &reason);

		if ((r == 0) != (row->bytes != NULL))
			fail_msg("%s: %d: %s", row->name, r, reason.text);
		if (r == 0) {
			assert_memory_equal(bytes, row->bytes, row->size);
			assert_string_equal(provision_show(bytes, row->size, shown), row->shown);
		} else if (!strstr(reason.text, row->reason)) {
			fail_msg("%s: '%s'", row->name, reason.text);
		}
	}
}

static void the_longest_data_is_shown_whole(void **state)
{
	uint8_t bytes[PROVISION_MOST];
	char shown[PROVISION_SHOWN_MAX];

	(void)state;
	memset(bytes, 0xAB, sizeof(bytes));
	assert_int_equal(
		strlen(provision_show(bytes, sizeof(bytes), shown)), 2 + 2 * PROVISION_MOST);
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(strlen(provision_show(bytes, sizeof(bytes), shown)), PROVISION_MOST);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_key_is_read),
	cmocka_unit_test(what_is_no_key_is_refused),
	cmocka_unit_test(a_path_that_is_too_long_is_refused),
	cmocka_unit_test(a_value_becomes_bytes),
	cmocka_unit_test(the_longest_data_is_shown_whole),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
