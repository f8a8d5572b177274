/* SPDX-License-Identifier: MIT */
/*
 * seal.h - whether a wish is sealed: its manifest signed by a trusted key, and saying the same as
 * the wish. Judged from texts alone, before a byte of the image is fetched.
 *
 * Broker and web server are not trusted. What passes here is what the service takes of a rule with
 * `require-signature = yes`; the service judges it once more, when the image lies in its directory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "image/signature.h"

/* What a wish says, all of it outside text. Nothing is kept. */
struct seal_ask {
	const char *board;
	const char *image; /* name of the file, without folders */
	const char *version;
	const char *sha256; /* lower case */
	uint64_t size;
	const char *manifest; /* the text of IMAGE.ini */
	size_t n_manifest;
	const char *signature; /* the text of IMAGE.ini.minisig */
	size_t n_signature;
};

enum seal_result {
	SEAL_OK,
	SEAL_REFUSED, /* the reason says why: only another wish mends that */
	SEAL_UNKNOWN, /* the same, and a key that comes, or is mended, may make it good */
};

#define SEAL_SIGNER_SIZE sizeof(((struct signature *)NULL)->signer)

/*
 * Judges by these keys. 0 and the name of the key ("release (KEY ID)"), SEAL_REFUSED or
 * SEAL_UNKNOWN with the reason, -ENOMEM.
 */
int seal_judge(const struct signature_keys *keys, const struct seal_ask *ask, bool accepts_legacy,
	char ret_signer[static SEAL_SIGNER_SIZE], struct reason *reason);

/*
 * The same by the keys that lie in the directory at this moment, so that one that was taken away
 * counts no more. SEAL_UNKNOWN also where they cannot be read, or must not be believed.
 */
int seal_check(const char *trusted_keys, const struct seal_ask *ask, bool accepts_legacy,
	char ret_signer[static SEAL_SIGNER_SIZE], struct reason *reason);
