/* SPDX-License-Identifier: MIT */
/*
 * Manifest and signature out of a wish. The first byte says what the rest is: 's', a manifest that
 * is signed here by the trusted key, so that what it says is judged; else a manifest and behind a
 * NUL a signature, of which none may pass that this key did not make.
 */
#include <sodium.h>

#include "fleet/seal.h"
#include "fuzz.h"
#include "image/manifest.h"

#define SHA256	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TEXT_ROOM 1024
#define COMMENT	  "made here"

static uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
static const uint8_t id[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static void base64(const void *bytes, size_t n, char to[static 256])
{
	sodium_bin2base64(to, 256, bytes, n, sodium_base64_VARIANT_ORIGINAL);
}

static void sign(const uint8_t *text, size_t n, char to[static TEXT_ROOM])
{
	uint8_t first[2 + sizeof(id) + crypto_sign_BYTES] = {'E', 'D'}, hash[64];
	uint8_t both[crypto_sign_BYTES + sizeof(COMMENT) - 1], global[crypto_sign_BYTES];
	char first_text[256], global_text[256];

	crypto_generichash(hash, sizeof(hash), text, n, NULL, 0);
	memcpy(first + 2, id, sizeof(id));
	crypto_sign_detached(first + 2 + sizeof(id), NULL, hash, sizeof(hash), secret_key);
	memcpy(both, first + 2 + sizeof(id), crypto_sign_BYTES);
	memcpy(both + crypto_sign_BYTES, COMMENT, sizeof(COMMENT) - 1);
	crypto_sign_detached(global, NULL, both, sizeof(both), secret_key);
	base64(first, sizeof(first), first_text);
	base64(global, sizeof(global), global_text);
	snprintf(to, TEXT_ROOM, "untrusted comment: x\n%s\ntrusted comment: " COMMENT "\n%s\n",
		first_text, global_text);
}

static int judge(const char *manifest, size_t n_manifest, const char *signature, size_t n_signature)
{
	struct signature_key key = {.name = "release"};
	const struct signature_keys keys = {&key, 1};
	const struct seal_ask ask = {"gate", "gate-1.2.0.hex", "1.2.0", SHA256, 4096, manifest,
		n_manifest, signature, n_signature};
	char signer[SEAL_SIGNER_SIZE] = "";
	struct reason reason = {};
	int r;

	memcpy(key.id, id, sizeof(id));
	memcpy(key.key, public_key, sizeof(public_key));
	r = seal_judge(&keys, &ask, false, signer, &reason);
	MUST(r == SEAL_OK || r == SEAL_REFUSED || r == SEAL_UNKNOWN);
	if (r != SEAL_OK)
		fuzz_must_be_sentence(reason.text);
	MUST((r == SEAL_OK) == (strncmp(signer, "release (", 9) == 0));
	return r;
}

/* What was let in says all that binds an image, and says it of this one. */
static void must_bind(const char *text, size_t n)
{
	struct manifest manifest = {};
	struct reason reason = {};

	MUST(manifest_read("gate.ini", text, n, &manifest, &reason) == MANIFEST_OK);
	MUST(strcmp(manifest.version, "1.2.0") == 0 && strcmp(manifest.sha256, SHA256) == 0);
	MUST(manifest.has_size && manifest.size == 4096);
	MUST(manifest.n_board > 0 && manifest_is_for(&manifest, "gate"));
	manifest_done(&manifest);
}

static void make_keys(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = {42};
	static bool are_made;

	if (are_made)
		return;
	MUST(sodium_init() >= 0);
	MUST(crypto_sign_seed_keypair(public_key, secret_key, seed) == 0);
	are_made = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1, *end;
	char signature[TEXT_ROOM];

	if (size < 2)
		return 0;
	make_keys();
	size--;
	if (data[0] == 's') {
		sign(data + 1, size, signature);
		if (judge(text, size, signature, strlen(signature)) == SEAL_OK)
			must_bind(text, size);
		return 0;
	}
	end = memchr(text, '\0', size);
	if (!end)
		return 0;
	sign(data + 1, (size_t)(end - text), signature);
	if (judge(text, (size_t)(end - text), end + 1, size - (size_t)(end + 1 - text)) == SEAL_OK)
		MUST(strstr(end + 1, COMMENT));
	return 0;
}
