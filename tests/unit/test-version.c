/* SPDX-License-Identifier: MIT */
/* Versions, and their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/version.h"

/* Rising; what stands in one row with "=" is equal to the one before. */
static const char *const rising[] = {
	"",
	"nightly",
	"0",
	"=0.0",
	"0.0.1",
	"1.0-dev",
	"1.0-SNAPSHOT",
	"1.0-alpha",
	"=1.0alpha",
	"=1.0-ALPHA0",
	"1.0-alpha2",
	"1.0-beta",
	"1.0-pre",
	"1.0-preview",
	"1.0-preview2",
	"1.0-rc1",
	"=1.0~rc01",
	"1.0-rc2",
	"=1.0_rc2",
	"=1.0_rc_2",
	"=1.0-rc.2",
	"=1.0.0-rc2",
	"1.0-rc10",
	"1.0-rc10-5-gdeadbee",
	"1.0",
	"=1",
	"=v1",
	"=V1.0.0",
	"=01.00",
	"1.0+5",
	"1.0+10",
	"1.0-4-gabc",
	"1.0-10-gabc",
	"1.0a",
	"1.0b",
	"1.0.1",
	"1.9",
	"1.10",
	"1.99",
	"2-rc1",
	"2",
	"2.0.0.0.0.0.0.1",
	"18446744073709551615",
	"18446744073709551616",
	"99999999999999999999999999999999999999998",
	"=099999999999999999999999999999999999999998",
	"99999999999999999999999999999999999999999",
	"99999999999999999999999999999999999999999.1",
};

static void versions_have_the_order_people_expect(void **state)
{
	int rank[ARRAY_SIZE(rising)];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rising); i++)
		rank[i] = i == 0 ? 0 : rank[i - 1] + (rising[i][0] != '=');
	for (size_t i = 0; i < ARRAY_SIZE(rising); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rising); j++) {
			const char *a = rising[i] + (rising[i][0] == '=');
			const char *b = rising[j] + (rising[j][0] == '=');
			int expected = (rank[i] > rank[j]) - (rank[i] < rank[j]);
			int got = version_compare(a, b);

			if ((got > 0) - (got < 0) != expected)
				fail_msg("'%s' and '%s': expected %d, got %d", a, b, expected, got);
		}
}

/* Versions come from whoever may write to the image directory. */
static void random_versions_neither_crash_nor_break_the_order(void **state)
{
	static const char letters[] = "0019.-~vVrcbetaalphadevpre_ \x80\xff";
	unsigned seed = 1;
	char text[3][24];
	(void)state;

	for (unsigned round = 0; round < 200000; round++) {
		int ab, bc, ac;

		for (size_t i = 0; i < 3; i++) {
			size_t n = (size_t)rand_r(&seed) % 12;

			for (size_t j = 0; j < n; j++)
				text[i][j] = letters[(size_t)rand_r(&seed) % (sizeof(letters) - 1)];
			text[i][n] = '\0';
		}
		ab = version_compare(text[0], text[1]);
		bc = version_compare(text[1], text[2]);
		ac = version_compare(text[0], text[2]);
		if (version_compare(text[1], text[0]) * ab > 0 ||
			(ab <= 0 && bc <= 0 && (ac > 0 || (ac == 0 && (ab < 0 || bc < 0)))))
			fail_msg("no order: '%s' '%s' '%s'", text[0], text[1], text[2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_have_the_order_people_expect),
		cmocka_unit_test(random_versions_neither_crash_nor_break_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
