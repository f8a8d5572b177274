/* SPDX-License-Identifier: MIT */
#include "image/digest.h"

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
