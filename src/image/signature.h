/* SPDX-License-Identifier: MIT */
/*
 * signature.h - minisign's signatures, checked against the trusted keys; and what a signature says
 * of the image it is for.
 *
 * Nothing is ever signed here. It knows bytes and texts; which file is checked is library.h's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define SIGNATURE_SUFFIX    ".minisig"
#define SIGNATURE_MAX_BYTES (16 * 1024)

struct signature_key {
	char name[64]; /* of its file, without .pub */
	uint8_t id[8];
	uint8_t key[32];
};

struct signature_keys {
	struct signature_key *items;
	size_t n_items;
};

enum signature_result {
	SIGNATURE_OK,
	SIGNATURE_REFUSED, /* the reason says why */
	SIGNATURE_UNKNOWN, /* by a key that is none of those, which the reason says */
};

/*
 * Reads the *.pub of the directory. Directory and files must belong to root or to the user this
 * process runs as, and be written by none else. 0, SIGNATURE_REFUSED with the reason (one of them
 * is no key, or not to be trusted, or cannot be read; there is none at all), -ENOMEM.
 */
int signature_keys_load(const char *directory, struct signature_keys *ret, struct reason *reason);
void signature_keys_done(struct signature_keys *keys);

/* A signature that is good. */
struct signature {
	char signer[96]; /* "release (KEY ID)" */
	char *comment;	 /* the trusted one */
};

/* The bytes of a file, as signed. */
struct signed_bytes {
	const uint8_t *data; /* NULL: not all of them are kept */
	size_t n_data;
	const uint8_t *blake2b; /* of all of them */
	bool accepts_legacy;
};

/*
 * Checks the text of a signature file, over the hash of the bytes ("ED") and over its trusted
 * comment. `name` is its file in the reason. 0, SIGNATURE_REFUSED, SIGNATURE_UNKNOWN, -ENOMEM.
 *
 * The word of two letters that tells minisign's form is not signed. So a legacy signature ("Ed",
 * over the bytes themselves) is refused unless `accepts_legacy`: a good prehashed one with its word
 * changed is a good legacy one over a file that holds nothing but the hash. Of that length no file
 * passes by a legacy signature at all.
 */
int signature_check(const struct signature_keys *keys, const char *name, const char *text,
	size_t n_text, const struct signed_bytes *bytes, struct signature *ret,
	struct reason *reason);

void signature_done(struct signature *signature);

/* What an image is taken for. */
struct signature_claims {
	const char *image;   /* name of the file, without folders */
	const char *version; /* "": none in its name */
	const char *board;   /* name of the rule; NULL: there is none */
	const char *sha256;
};

/*
 * Whether a trusted comment of the form
 *	plugflash version=1.2.3 board=gate,door [image=gate-1.2.3.hex] [sha256=...]
 * says the same. `version` and `board` must be there, no other word may. 0 and the signed version,
 * SIGNATURE_REFUSED, -ENOMEM.
 */
int signature_check_claims(const char *name, const char *comment,
	const struct signature_claims *claims, char ret_version[64], struct reason *reason);
