/* SPDX-License-Identifier: MIT */
/*
 * sealed.h - keys and signatures as minisign makes them, of a test's own. Include after cmocka.h.
 * test-signature has files that minisign itself made: what is read here is the same.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define SEALED_TEXT_MAX 1024

struct sealed_key {
	uint8_t id[8];
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
};

static inline struct sealed_key sealed_key_make(uint8_t id)
{
	struct sealed_key key = {.id = {id, 1, 2, 3, 4, 5, 6, 7}};

	assert_true(sodium_init() >= 0);
	assert_int_equal(crypto_sign_keypair(key.public_key, key.secret_key), 0);
	return key;
}

static inline void sealed_base64(const void *bytes, size_t n, char to[static 256])
{
	sodium_bin2base64(to, 256, bytes, n, sodium_base64_VARIANT_ORIGINAL);
}

/* The file of the public key. */
static inline void sealed_key_text(const struct sealed_key *key, char to[static SEALED_TEXT_MAX])
{
	uint8_t bytes[2 + 8 + crypto_sign_PUBLICKEYBYTES] = {'E', 'd'};
	char text[256];

	memcpy(bytes + 2, key->id, 8);
	memcpy(bytes + 10, key->public_key, sizeof(key->public_key));
	sealed_base64(bytes, sizeof(bytes), text);
	snprintf(to, SEALED_TEXT_MAX, "untrusted comment: a key\n%s\n", text);
}

/* The signature file over the text, over its hash unless `is_legacy`. */
static inline void sealed_sign(const struct sealed_key *key, const char *text, size_t n_text,
	bool is_legacy, char to[static SEALED_TEXT_MAX])
{
	static const char comment[] = "made by a test";
	uint8_t first[2 + 8 + crypto_sign_BYTES] = {'E', is_legacy ? 'd' : 'D'};
	uint8_t both[crypto_sign_BYTES + sizeof(comment) - 1], global[crypto_sign_BYTES], hash[64];
	char first_text[256], global_text[256];

	assert_int_equal(
		crypto_generichash(hash, sizeof(hash), (const uint8_t *)text, n_text, NULL, 0), 0);
	memcpy(first + 2, key->id, 8);
	crypto_sign_detached(first + 10, NULL, is_legacy ? (const uint8_t *)text : hash,
		is_legacy ? n_text : sizeof(hash), key->secret_key);
	memcpy(both, first + 10, crypto_sign_BYTES);
	memcpy(both + crypto_sign_BYTES, comment, sizeof(comment) - 1);
	crypto_sign_detached(global, NULL, both, sizeof(both), key->secret_key);
	sealed_base64(first, sizeof(first), first_text);
	sealed_base64(global, sizeof(global), global_text);
	snprintf(to, SEALED_TEXT_MAX,
		"untrusted comment: a signature\n%s\ntrusted comment: %s\n%s\n", first_text,
		comment, global_text);
}
