/* SPDX-License-Identifier: MIT */
/*
 * seal.c - the order: bounds, keys, the signature over the manifest, and only then what the
 * manifest says. A wish carries both as texts, so that all is judged before a byte is fetched.
 */
#include "fleet/seal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "image/digest.h"
#include "image/manifest.h"

/* Names of the files as which the texts are going to lie beside the image, for messages. */
struct names {
	char *manifest;
	char *signature;
};

static void names_done(struct names *names)
{
	free(names->manifest);
	free(names->signature);
}

static int make_names(const char *image, struct names *ret)
{
	return text_format(&ret->manifest, "%s" MANIFEST_SUFFIX, image) < 0 ||
			       text_format(&ret->signature, "%s" MANIFEST_SUFFIX SIGNATURE_SUFFIX,
				       image) < 0
		       ? -ENOMEM
		       : 0;
}

/* The same limits as for files of the image directory. */
static int check_bounds(const struct seal_ask *ask, struct reason *reason)
{
	if (ask->n_manifest == 0)
		return reason_refuse(SEAL_REFUSED, reason,
			"manifest: the wish has none: publish the text of IMAGE" MANIFEST_SUFFIX
			" with it");
	if (ask->n_manifest > MANIFEST_MAX_BYTES)
		return reason_refuse(SEAL_REFUSED, reason,
			"manifest: %zu bytes: expected at most %d", ask->n_manifest,
			MANIFEST_MAX_BYTES);
	if (ask->n_signature == 0)
		return reason_refuse(SEAL_REFUSED, reason,
			"signature: the wish has none, and no image is fetched without: publish the text of IMAGE" MANIFEST_SUFFIX
				SIGNATURE_SUFFIX " with it");
	if (ask->n_signature > SIGNATURE_MAX_BYTES)
		return reason_refuse(SEAL_REFUSED, reason,
			"signature: %zu bytes: expected at most %d", ask->n_signature,
			SIGNATURE_MAX_BYTES);
	return SEAL_OK;
}

static int check_signature(const struct signature_keys *keys, const struct seal_ask *ask,
	const char *name, bool accepts_legacy, char ret_signer[static SEAL_SIGNER_SIZE],
	struct reason *reason)
{
	CLEANUP(signature_done) struct signature signature = {};
	struct digests digests;
	const struct signed_bytes bytes = {
		.data = (const uint8_t *)ask->manifest,
		.n_data = ask->n_manifest,
		.blake2b = digests.blake2b,
		.accepts_legacy = accepts_legacy,
	};
	int r = digest_all(bytes.data, bytes.n_data, &digests);

	if (r == 0)
		r = signature_check(
			keys, name, ask->signature, ask->n_signature, &bytes, &signature, reason);
	if (r == SIGNATURE_OK)
		memcpy(ret_signer, signature.signer, SEAL_SIGNER_SIZE);
	return r == SIGNATURE_UNKNOWN ? SEAL_UNKNOWN : r > 0 ? SEAL_REFUSED : r;
}

/* A signed manifest binds by these keys; without one of them an image of another might pass. */
static int check_keys(const struct manifest *manifest, struct reason *reason)
{
	const char *missing = !manifest->version       ? "version"
			      : manifest->n_board == 0 ? "board"
			      : !manifest->sha256      ? "sha256"
			      : !manifest->has_size    ? "size"
						       : NULL;

	if (!missing)
		return SEAL_OK;
	(void)manifest_refuse(manifest, missing, reason,
		"the key is missing: the manifest of a wish says version, board, sha256 and size");
	return SEAL_REFUSED;
}

static int check_same(
	const struct manifest *manifest, const struct seal_ask *ask, struct reason *reason)
{
	char said[TEXT_MAX / 2], wished[TEXT_MAX / 2];
	int r = MANIFEST_OK;

	if (strcmp(manifest->version, ask->version) != 0)
		r = manifest_refuse(manifest, "version", reason,
			"signed as '%s', and the wish says '%s'",
			text_escape(manifest->version, said, sizeof(said)),
			text_escape(ask->version, wished, sizeof(wished)));
	else if (!manifest_is_for(manifest, ask->board))
		r = manifest_refuse(manifest, "board", reason,
			"the image is not for board '%s', for which the wish is",
			text_escape(ask->board, wished, sizeof(wished)));
	else if (strcmp(manifest->sha256, ask->sha256) != 0)
		r = manifest_refuse(manifest, "sha256", reason,
			"signed with the digest %.16s..., and the wish says '%.16s...'",
			manifest->sha256, text_escape(ask->sha256, wished, sizeof(wished)));
	else if (manifest->size != ask->size)
		r = manifest_refuse(manifest, "size", reason,
			"signed with %u bytes, and the wish says %" PRIu64, manifest->size,
			ask->size);
	return r == MANIFEST_OK ? SEAL_OK : SEAL_REFUSED;
}

int seal_judge(const struct signature_keys *keys, const struct seal_ask *ask, bool accepts_legacy,
	char ret_signer[static SEAL_SIGNER_SIZE], struct reason *reason)
{
	CLEANUP(manifest_done) struct manifest manifest = {};
	CLEANUP(names_done) struct names names = {};
	char signer[SEAL_SIGNER_SIZE];
	int r = check_bounds(ask, reason);

	if (r == SEAL_OK)
		r = make_names(ask->image, &names);
	if (r == SEAL_OK)
		r = check_signature(keys, ask, names.signature, accepts_legacy, signer, reason);
	if (r != SEAL_OK)
		return r;
	r = manifest_read(names.manifest, ask->manifest, ask->n_manifest, &manifest, reason);
	if (r != MANIFEST_OK)
		return r < 0 ? r : SEAL_REFUSED;
	r = check_keys(&manifest, reason);
	if (r == SEAL_OK)
		r = check_same(&manifest, ask, reason);
	if (r == SEAL_OK)
		memcpy(ret_signer, signer, sizeof(signer));
	return r;
}

int seal_check(const char *trusted_keys, const struct seal_ask *ask, bool accepts_legacy,
	char ret_signer[static SEAL_SIGNER_SIZE], struct reason *reason)
{
	CLEANUP(signature_keys_done) struct signature_keys keys = {};
	int r = signature_keys_load(trusted_keys, &keys, reason);

	if (r != SIGNATURE_OK)
		return r < 0 ? r : SEAL_UNKNOWN;
	return seal_judge(&keys, ask, accepts_legacy, ret_signer, reason);
}
