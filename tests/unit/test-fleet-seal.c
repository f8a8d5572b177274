/* SPDX-License-Identifier: MIT */
/*
 * The seal of a wish: who signed its manifest, and whether that says the same as the wish. Each row
 * is one thing that is wrong with a wish that is good otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "fleet/seal.h"
#include "image/manifest.h"
#include "unit/sealed.h"

#define SHA256	 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OTHER	 "0000000000000000000000000000000000000000000000000000000000000000"
#define VERSION	 "version = 1.2.0\n"
#define BOARD	 "board = gate, door\n"
#define DIGEST	 "sha256 = " SHA256 "\n"
#define SIZE	 "size = 4096\n"
#define MANIFEST "[image]\n" VERSION BOARD DIGEST SIZE

static struct sealed_key release, stranger;

static struct signature_keys trusted(void)
{
	struct signature_keys keys = {.items = calloc(1, sizeof(*keys.items)), .n_items = 1};

	assert_non_null(keys.items);
	snprintf(keys.items->name, sizeof(keys.items->name), "release");
	memcpy(keys.items->id, release.id, sizeof(keys.items->id));
	memcpy(keys.items->key, release.public_key, sizeof(keys.items->key));
	return keys;
}

struct row {
	const char *name;
	const char *manifest; /* NULL: MANIFEST */
	bool by_stranger;     /* whose key may come yet */
	bool is_legacy, accepts_legacy;
	const char *version, *board, *sha256; /* of the wish; NULL: those of MANIFEST */
	uint64_t size;			      /* 0: 4096 */
	const char *expected;		      /* in the reason; NULL: sealed */
};

static int judge(const struct row *row, char signer[static SEAL_SIGNER_SIZE], struct reason *reason)
{
	CLEANUP(signature_keys_done) struct signature_keys keys = trusted();
	const char *manifest = row->manifest ? row->manifest : MANIFEST;
	char signature[SEALED_TEXT_MAX];
	struct seal_ask ask = {
		.board = row->board ? row->board : "gate",
		.image = "gate-1.2.0.hex",
		.version = row->version ? row->version : "1.2.0",
		.sha256 = row->sha256 ? row->sha256 : SHA256,
		.size = row->size ? row->size : 4096,
		.manifest = manifest,
		.n_manifest = strlen(manifest),
		.signature = signature,
	};

	sealed_sign(row->by_stranger ? &stranger : &release, manifest, strlen(manifest),
		row->is_legacy, signature);
	ask.n_signature = strlen(signature);
	return seal_judge(&keys, &ask, row->accepts_legacy, signer, reason);
}

static void a_wish_is_judged_by_its_manifest(void **state)
{
	static const struct row rows[] = {
		{.name = "good"},
		{.name = "for the other board of the list", .board = "door"},
		{.name = "signed by a stranger",
			.by_stranger = true,
			.expected = "which is not trusted, or no more (trusted: release)"},
		{.name = "legacy", .is_legacy = true, .expected = "a legacy signature ('Ed')"},
		{.name = "legacy, accepted", .is_legacy = true, .accepts_legacy = true},
		{.name = "no version",
			.manifest = "[image]\n" BOARD DIGEST SIZE,
			.expected = "gate-1.2.0.hex.ini:1: [image] version: the key is missing"},
		{.name = "no board",
			.manifest = "[image]\n" VERSION DIGEST SIZE,
			.expected = "[image] board: the key is missing"},
		{.name = "no digest",
			.manifest = "[image]\n" VERSION BOARD SIZE,
			.expected = "[image] sha256: the key is missing"},
		{.name = "no size",
			.manifest = "[image]\n" VERSION BOARD DIGEST,
			.expected = "[image] size: the key is missing"},
		{.name = "another version",
			.version = "1.3.0",
			.expected =
				"gate-1.2.0.hex.ini:2: [image] version: signed as '1.2.0', and the wish says '1.3.0'"},
		{.name = "the same version, written otherwise",
			.version = "v1.2",
			.expected = "signed as '1.2.0'"},
		{.name = "another board",
			.board = "lift",
			.expected = "[image] board: the image is not for board 'lift'"},
		{.name = "a part of a board's name",
			.board = "gat",
			.expected = "not for board 'gat'"},
		{.name = "another digest",
			.sha256 = OTHER,
			.expected = "[image] sha256: signed with the digest e3b0c44298fc1c14"},
		{.name = "another size",
			.size = 4097,
			.expected = "[image] size: signed with 4096 bytes, and the wish says 4097"},
		{.name = "the size modulo 32 bits",
			.size = 4096 + (UINT64_C(1) << 32),
			.expected = "and the wish says 4294971392"},
		{.name = "no manifest at all",
			.manifest = "hello",
			.expected = "gate-1.2.0.hex.ini:1:"},
		{.name = "an unknown key",
			.manifest = MANIFEST "colour = red\n",
			.expected = "colour"},
		{.name = "an empty one", .manifest = "", .expected = "manifest: the wish has none"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char signer[SEAL_SIGNER_SIZE] = "";
		struct reason reason = {};
		int r = judge(&rows[i], signer, &reason);
		int refused = rows[i].by_stranger ? SEAL_UNKNOWN : SEAL_REFUSED;
		bool fits = rows[i].expected ? r == refused && !signer[0] &&
						       strstr(reason.text, rows[i].expected)
					     : r == SEAL_OK && strncmp(signer, "release (", 9) == 0;

		if (!fits)
			fail_msg("%s: %d, signer '%s', reason '%s'", rows[i].name, r, signer,
				reason.text);
	}
}

/* What is wrong with the texts themselves is said before anything is looked into. */
static void texts_are_bounded(void **state)
{
	CLEANUP(signature_keys_done) struct signature_keys keys = trusted();
	CLEANUP(freep) char *large = calloc(1, MANIFEST_MAX_BYTES + 2);
	char signature[SEALED_TEXT_MAX], signer[SEAL_SIGNER_SIZE];
	const struct seal_ask good = {"gate", "gate-1.2.0.hex", "1.2.0", SHA256, 4096, MANIFEST,
		strlen(MANIFEST), signature, 0};
	struct reason reason = {};
	struct seal_ask ask = good;
	(void)state;

	assert_non_null(large);
	memset(large, 'x', MANIFEST_MAX_BYTES + 1);
	sealed_sign(&release, MANIFEST, strlen(MANIFEST), false, signature);
	assert_int_equal(seal_judge(&keys, &ask, false, signer, &reason), SEAL_REFUSED);
	assert_non_null(strstr(reason.text, "signature: the wish has none"));
	ask.n_signature = SIGNATURE_MAX_BYTES + 1;
	assert_int_equal(seal_judge(&keys, &ask, false, signer, &reason), SEAL_REFUSED);
	assert_non_null(strstr(reason.text, "signature: 16385 bytes"));
	ask = good;
	ask.manifest = large;
	ask.n_manifest = MANIFEST_MAX_BYTES + 1;
	ask.n_signature = strlen(signature);
	assert_int_equal(seal_judge(&keys, &ask, false, signer, &reason), SEAL_REFUSED);
	assert_non_null(strstr(reason.text, "manifest: 65537 bytes"));
}

/* Each bit of the signed text and of both signatures counts. */
static void no_byte_may_differ(void **state)
{
	CLEANUP(signature_keys_done) struct signature_keys keys = trusted();
	char signature[SEALED_TEXT_MAX], manifest[] = MANIFEST, signer[SEAL_SIGNER_SIZE];
	struct seal_ask ask = {"gate", "gate-1.2.0.hex", "1.2.0", SHA256, 4096, manifest,
		strlen(manifest), signature, 0};
	struct reason reason = {};
	(void)state;

	sealed_sign(&release, manifest, strlen(manifest), false, signature);
	ask.n_signature = strlen(signature);
	assert_int_equal(seal_judge(&keys, &ask, false, signer, &reason), SEAL_OK);
	for (size_t i = 0; i < strlen(MANIFEST); i++) {
		manifest[i] ^= 1;
		assert_int_equal(seal_judge(&keys, &ask, false, signer, &reason), SEAL_REFUSED);
		manifest[i] ^= 1;
	}
	/* The first line is nobody's, and the last ends in an end of line. */
	for (size_t i = strcspn(signature, "\n") + 1; i < ask.n_signature - 1; i++) {
		signature[i] ^= 1;
		if (seal_judge(&keys, &ask, false, signer, &reason) <= SEAL_OK)
			fail_msg("byte %zu of the signature counts for nothing", i);
		signature[i] ^= 1;
	}
	/* What was cut off, too. */
	for (size_t n = 0; n < ask.n_signature - 1; n++) {
		struct seal_ask cut = ask;

		cut.n_signature = n;
		assert_int_equal(seal_judge(&keys, &cut, false, signer, &reason), SEAL_REFUSED);
	}
}

/* A key that was taken away counts no more, without a restart; nor does one that anybody may write.
 */
static void keys_are_those_of_this_moment(void **state)
{
	char directory[] = "/tmp/test-fleet-seal-XXXXXX", path[64], text[SEALED_TEXT_MAX];
	char signature[SEALED_TEXT_MAX], signer[SEAL_SIGNER_SIZE];
	struct seal_ask ask = {"gate", "gate-1.2.0.hex", "1.2.0", SHA256, 4096, MANIFEST,
		strlen(MANIFEST), signature, 0};
	struct reason reason = {};
	FILE *file;
	(void)state;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/release.pub", directory);
	sealed_sign(&release, MANIFEST, strlen(MANIFEST), false, signature);
	ask.n_signature = strlen(signature);
	assert_int_equal(seal_check(directory, &ask, false, signer, &reason), SEAL_UNKNOWN);
	assert_non_null(strstr(reason.text, "there is no key (*.pub)"));
	sealed_key_text(&release, text);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(seal_check(directory, &ask, false, signer, &reason), SEAL_OK);
	/* What is wrong with the wish itself no key mends. */
	ask.version = "1.3.0";
	assert_int_equal(seal_check(directory, &ask, false, signer, &reason), SEAL_REFUSED);
	ask.version = "1.2.0";
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(seal_check(directory, &ask, false, signer, &reason), SEAL_UNKNOWN);
	assert_non_null(strstr(reason.text, "can be written by others"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(seal_check(directory, &ask, false, signer, &reason), SEAL_UNKNOWN);
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(seal_check(directory, &ask, false, signer, &reason), SEAL_UNKNOWN);
	assert_non_null(strstr(reason.text, "the trusted keys cannot be read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wish_is_judged_by_its_manifest),
		cmocka_unit_test(texts_are_bounded),
		cmocka_unit_test(no_byte_may_differ),
		cmocka_unit_test(keys_are_those_of_this_moment),
	};

	release = sealed_key_make(1);
	stranger = sealed_key_make(2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
