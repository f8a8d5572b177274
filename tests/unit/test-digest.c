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

/* The check values of both (CRC RevEng: CRC-32/ISO-HDLC, CRC-32/ISCSI), and RFC 3720, B.4. */
static void sums_are_those_of_their_documents(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		uint8_t sums[DIGEST_SUMS_SIZE];
	} rows[] = {
		{"123456789", 9, {0x26, 0x39, 0xF4, 0xCB, 0x83, 0x92, 0x06, 0xE3}},
		{"", 0, {0}},
	};
	uint8_t bytes[32] = {0}, sums[DIGEST_SUMS_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		digest_sums((const uint8_t *)rows[i].text, rows[i].n, sums);
		assert_memory_equal(sums, rows[i].sums, sizeof(sums));
	}
	digest_sums(bytes, sizeof(bytes), sums);
	assert_memory_equal(sums + 4, "\xAA\x36\x91\x8A", 4);
	memset(bytes, 0xFF, sizeof(bytes));
	digest_sums(bytes, sizeof(bytes), sums);
	assert_memory_equal(sums + 4, "\x43\xAB\xA8\x62", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_is_that_of_its_document),
		cmocka_unit_test(sums_are_those_of_their_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
