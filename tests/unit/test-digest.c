/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "image/digest.h"

/* RFC 1321, A.5. */
static void md5_is_that_of_its_document(void **state)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t md5[DIGEST_MD5_SIZE];
		char hex[2 * sizeof(md5) + 1];

		digest_md5((const uint8_t *)rows[i].text, strlen(rows[i].text), md5);
		for (size_t j = 0; j < sizeof(md5); j++)
			snprintf(hex + 2 * j, 3, "%02x", md5[j]);
		assert_string_equal(hex, rows[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_is_that_of_its_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
