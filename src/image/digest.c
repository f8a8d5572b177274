/* SPDX-License-Identifier: MIT */
#include "image/digest.h"

#include <string.h>

#include <sodium.h>

/* SHA-256 is one of the parts of libsodium that need no sodium_init(): no choice, no random bytes.
 */
void digest_sha256(const uint8_t *data, size_t n_data, char ret[DIGEST_HEX_SIZE])
{
	uint8_t hash[DIGEST_SIZE];

	_Static_assert(DIGEST_SIZE == crypto_hash_sha256_BYTES, "SHA-256 has 32 bytes");
	crypto_hash_sha256(hash, data, n_data);
	sodium_bin2hex(ret, DIGEST_HEX_SIZE, hash, sizeof(hash));
}

bool digest_is(const char *hex, const uint8_t bytes[DIGEST_SIZE])
{
	char expected[DIGEST_HEX_SIZE];

	sodium_bin2hex(expected, sizeof(expected), bytes, DIGEST_SIZE);
	return strcmp(hex, expected) == 0;
}

uint32_t digest_crc32(const uint8_t *data, size_t n_data)
{
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < n_data; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
	}
	return ~crc;
}
