/* SPDX-License-Identifier: MIT */
/* test-application-version.c - versions that applications say, and those of images, by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "application/application-version.h"
#include "base/util.h"

static void texts_are_read(void **state)
{
	static const struct {
		const char *bytes;
		size_t n_bytes;
		char end;
		const char *text; /* NULL: none */
	} rows[] = {
		{"4.4.3\0", 6, '\0', "4.4.3"},
		{"4.4.3", 5, '\0', "4.4.3"},
		{" 4.4.3 \0x", 9, '\0', "4.4.3"},
		{"SL-OPENTHREAD/2.4.4.0; EFR32", 28, ';', "SL-OPENTHREAD/2.4.4.0"},
		{"SL-OPENTHREAD/2.4.4.0 ", 22, ';', "SL-OPENTHREAD/2.4.4.0"},
		{"a;b", 3, '\0', "a;b"},
		{"", 0, '\0', NULL},
		{"\0", 1, '\0', NULL},
		{"   ", 3, '\0', NULL},
		{";", 1, ';', NULL},
		{"4\n4", 3, '\0', NULL},
		{"4\x7f", 2, '\0', NULL},
		{"4\xc3\xa4", 3, '\0', NULL},
		{"4\x1b[31m", 6, '\0', NULL},
		{"123456789012345678901234567890123456789012345678901234567890123", 63, '\0',
			"123456789012345678901234567890123456789012345678901234567890123"},
		{"1234567890123456789012345678901234567890123456789012345678901234", 64, '\0',
			NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[APPLICATION_VERSION_BYTES] = "untouched";
		bool is_read = application_version_read(
			(const uint8_t *)rows[i].bytes, rows[i].n_bytes, rows[i].end, text);

		assert_int_equal(is_read, rows[i].text != NULL);
		assert_string_equal(text, is_read ? rows[i].text : "untouched");
	}
}

static void versions_are_compared(void **state)
{
	static const struct {
		const char *said, *wanted;
		bool is_same;
	} rows[] = {
		/* EZSP: metadata's ezsp_version, and what names of files have. */
		{"7.4.3.0", "7.4.3.0", true},
		{"7.4.3.0", "7.4.3", true},
		{"7.4.3.0", "v7.4.3", true},
		{"7.4.3.0", "7.4.3.0 build 0", true},
		{"7.4.3.0", "7.4.3.1", false},
		{"7.4.3.0", "7.4", false},
		{"7.4.0.0", "7.4", true},
		{"7.4.10.0", "7.4.1.0", false},
		/* Spinel: ot_rcp_version. */
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4",
			true},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "SL-OPENTHREAD/2.4.4.0_GitHub-1fceb225b",
			false},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "2.4.4.0_GitHub-7074a43e4", true},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "2.4.4.0_GitHub-7074a43", true},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "2.4.4.0", true},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "2.4.4", true},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "2.4.5", false},
		/* The digits of a commit are no version. */
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "7074", false},
		{"OPENTHREAD/6ff1ac0-dirty", "OPENTHREAD/6ff1ac0-dirty", true},
		{"OPENTHREAD/6ff1ac0-dirty", "OPENTHREAD/6ff1ac0", false},
		/* CPC. */
		{"4.4.3", "4.4.3", true},
		{"4.4.3", "4.4.2", false},
		/* Z-Wave: the protocol's, or the maker's. */
		{"7.18.1 firmware 1.40", "7.18.1", true},
		{"7.18.1 firmware 1.40", "1.40", true},
		{"7.18.1 firmware 1.40", "1.4", false},
		{"7.18 firmware 7.18", "7.18", true},
		{"7.18 firmware 7.18", "7.18.1", false},
		/* MT. */
		{"20240710", "20240710", true},
		{"20240710", "2024071", false},
		{"2.7.1", "20240710", false},
		/* Nothing is no version. */
		{"", "", false},
		{"", "7.4.3", false},
		{"7.4.3", "", false},
		{"EFR32", "32", false},
		{"EFR32MG21", "EFR32MG21", true},
		/* Numbers without an end. */
		{"11111111111111111111111111111111111111111111111111111111111111111111.1",
			"11111111111111111111111111111111111111111111111111111111111111111111.2",
			false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (application_version_is(rows[i].said, rows[i].wanted) != rows[i].is_same)
			fail_msg("'%s' and '%s'", rows[i].said, rows[i].wanted);
}

static void short_versions_are_confirmed(void **state)
{
	static const struct {
		const char *said, *wanted;
		bool is_confirmed;
	} rows[] = {
		{"7.3.1.0", "7.3", true},
		{"7.3.1.0", "7.3.1", true},
		{"7.3.1.0", "v7.3", true},
		{"7.3.1.0", "7.3.1.0", true},
		{"7.3.1.0", "7.3.2", false},
		{"7.31.1.0", "7.3", false},
		{"7.3.1.0", "7", false},
		{"7.3.1.0", "3.1", false},
		{"7.3.1.0", "", false},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "2.4", true},
		{"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4", "2.4_GitHub-1fceb225b", false},
		{"20240710", "2024", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (application_version_confirms(rows[i].said, rows[i].wanted) !=
			rows[i].is_confirmed)
			fail_msg("'%s' and '%s'", rows[i].said, rows[i].wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read),
		cmocka_unit_test(versions_are_compared),
		cmocka_unit_test(short_versions_are_confirmed),
	};

	return cmocka_run_group_tests_name("application-version", tests, NULL, NULL);
}
