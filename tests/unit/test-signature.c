/* SPDX-License-Identifier: MIT */
/*
 * Signatures: two files that Debian's minisign made, what damage does to them, and what a trusted
 * comment must say. tests/scripts/test-signatures asks minisign itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "image/digest.h"
#include "image/signature.h"

static const char message[] = "What is flashed is what was signed.\n";

/* minisign -G -W; minisign -S [-l] -t 'plugflash version=1.2.3 board=gate' over the message */
static const char public_key[] = "untrusted comment: minisign public key 673D3F1F259DEA31\n"
				 "RWQx6p0lHz89Z9DeM5R5AejK1js0BREJsJq91nOuVGgeMaFRQ7rno9pW\n";

static const struct {
	const char *name;
	const char *text;
} signatures[] = {
	{"ED, over the hash",
		"untrusted comment: signature from minisign secret key\n"
		"RUQx6p0lHz89Z282ipu5ZMZqcbIDpW3r8yEcBOqJGOu008Cxun9h7HmglzAcc3QMZj/"
		"s0Y457oR0RXhMC9SQ5siEXDzI+P3tuQI=\n"
		"trusted comment: plugflash version=1.2.3 board=gate\n"
		"T8Q7k7rvKUpiTVe1/"
		"MRoB36CqC85bHmzHEYOWmskHJP44nGssm4oDKzqfouxFhEzOUl5NmwWsiU8OcRNZ3ANDA==\n"},
	{"Ed, over the bytes", "untrusted comment: signature from minisign secret key\n"
			       "RWQx6p0lHz89ZxFt6dXGNKO4enfT6JXJH417nooKzV/fSrse2iVAXUgIHn11/"
			       "OuNg+eQpy2iuvHdwqZSHi24L7QVEIj+RDW43Q4=\n"
			       "trusted comment: plugflash version=1.2.3 board=gate\n"
			       "NGAL3XF1OoXNL15dcQtOsMbMSUxjQmxGgiHBdHrKcVmr3H0JH+ubCk0UkBglp+"
			       "8pXRCr5ZchPZTqBcEAgejdDQ==\n"},
};

static struct signature_keys load_keys(const char *text)
{
	char directory[] = "/tmp/test-signature-XXXXXX", path[64];
	struct signature_keys keys = {};
	struct reason reason = {};
	FILE *file;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/release.pub", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0644), 0);
	if (signature_keys_load(directory, &keys, &reason) != SIGNATURE_OK)
		fail_msg("%s", reason.text);
	assert_int_equal(keys.n_items, 1);
	unlink(path);
	rmdir(directory);
	return keys;
}

/* In two parts, as a file is read. */
static const uint8_t *digest_of(const void *bytes, size_t n, struct digests *to)
{
	struct digest_stream *stream = digest_stream_new();

	assert_non_null(stream);
	digest_stream_take(stream, bytes, n / 3);
	digest_stream_take(stream, (const uint8_t *)bytes + n / 3, n - n / 3);
	digest_stream_end(stream, to);
	digest_stream_free(stream);
	return to->blake2b;
}

static int check(const struct signature_keys *keys, const char *text, size_t n_text,
	const char *bytes, struct reason *reason)
{
	struct digests digests;
	const struct signed_bytes signed_bytes = {.data = (const uint8_t *)bytes,
		.n_data = strlen(bytes),
		.blake2b = digest_of(bytes, strlen(bytes), &digests),
		.accepts_legacy = true};
	struct signature signature = {};
	int r = signature_check(
		keys, "gate.hex.minisig", text, n_text, &signed_bytes, &signature, reason);

	if (r == SIGNATURE_OK) {
		assert_string_equal(signature.comment, "plugflash version=1.2.3 board=gate");
		assert_memory_equal(signature.signer, "release (", strlen("release ("));
	}
	signature_done(&signature);
	return r;
}

/* H8: the same 64 bytes of signature, called one over bytes, and the hash in the place of a file.
 */
static void a_relabelled_signature_is_refused(void **state)
{
	struct signature_keys keys = load_keys(public_key);
	uint8_t hash[64];
	char text[512];
	(void)state;

	snprintf(text, sizeof(text), "%s", signatures[0].text);
	memcpy(strstr(text, "RUQ"), "RWQ", 3);
	assert_int_equal(crypto_generichash(hash, sizeof(hash), (const uint8_t *)message,
				 strlen(message), NULL, 0),
		0);
	for (int accepts = 0; accepts < 2; accepts++) {
		struct digests digests;
		const struct signed_bytes bytes = {.data = hash,
			.n_data = sizeof(hash),
			.blake2b = digest_of(hash, sizeof(hash), &digests),
			.accepts_legacy = accepts};
		struct signature signature = {};
		struct reason reason = {};

		assert_int_equal(signature_check(&keys, "gate.hex.minisig", text, strlen(text),
					 &bytes, &signature, &reason),
			SIGNATURE_REFUSED);
		assert_non_null(strstr(reason.text, "relabelled: sign again with minisign -S"));
	}
	signature_keys_done(&keys);
}

static void the_legacy_form_is_taken_where_the_configuration_says_so(void **state)
{
	struct digests digests;
	const struct signed_bytes bytes = {.data = (const uint8_t *)message,
		.n_data = strlen(message),
		.blake2b = digest_of(message, strlen(message), &digests)};
	struct signature_keys keys = load_keys(public_key);
	struct signature signature = {};
	struct reason reason = {};
	(void)state;

	assert_int_equal(signature_check(&keys, "gate.hex.minisig", signatures[1].text,
				 strlen(signatures[1].text), &bytes, &signature, &reason),
		SIGNATURE_REFUSED);
	assert_non_null(strstr(reason.text, "accept-legacy-signatures = yes"));
	assert_int_equal(signature_check(&keys, "gate.hex.minisig", signatures[0].text,
				 strlen(signatures[0].text), &bytes, &signature, &reason),
		SIGNATURE_OK);
	signature_done(&signature);
	signature_keys_done(&keys);
}

/* Case 10: what pasting and version control make of the files, and minisign takes. */
static void case_10_empty_lines_at_the_end_are_fine(void **state)
{
	static const char *const ends[] = {"\n", "\r\n", "\n\n", "\n\r\n\r\n", "\n \t\n", ""};
	static const char *const bad_ends[] = {"\nx", "\n\nx\n", "x\n"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char text[1024], key[512];
		struct signature_keys keys;
		struct reason reason = {};

		snprintf(key, sizeof(key), "%.*s%s", (int)strlen(public_key) - 1, public_key,
			ends[i]);
		keys = load_keys(key);
		snprintf(text, sizeof(text), "%.*s%s", (int)strlen(signatures[0].text) - 1,
			signatures[0].text, ends[i]);
		if (check(&keys, text, strlen(text), message, &reason) != SIGNATURE_OK)
			fail_msg("end %zu: %s", i, reason.text);
		signature_keys_done(&keys);
		keys = load_keys(strchr(key, '\n') + 1);
		assert_int_equal(check(&keys, text, strlen(text), message, &reason), SIGNATURE_OK);
		for (size_t j = 0; j < ARRAY_SIZE(bad_ends); j++) {
			snprintf(text, sizeof(text), "%.*s%s", (int)strlen(signatures[0].text) - 1,
				signatures[0].text, bad_ends[j]);
			assert_int_equal(check(&keys, text, strlen(text), message, &reason),
				SIGNATURE_REFUSED);
		}
		signature_keys_done(&keys);
	}
}

static void both_forms_of_minisign_are_good(void **state)
{
	struct signature_keys keys = load_keys(public_key);
	struct reason reason = {};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		if (check(&keys, signatures[i].text, strlen(signatures[i].text), message,
			    &reason) != SIGNATURE_OK)
			fail_msg("%s: %s", signatures[i].name, reason.text);
	signature_keys_done(&keys);
}

/* But for the untrusted comment, which is that, every bit counts. */
static void fault_45_no_changed_bit_passes(void **state)
{
	struct signature_keys keys = load_keys(public_key);
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		const char *whole = signatures[i].text;
		size_t first = (size_t)(strchr(whole, '\n') - whole);
		char text[512];

		snprintf(text, sizeof(text), "%s", whole);
		/* The last byte is a line feed, which nothing depends on. */
		for (size_t at = first; at + 1 < strlen(whole); at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				struct reason reason = {};

				text[at] = (char)(whole[at] ^ 1 << bit);
				if (check(&keys, text, strlen(whole), message, &reason) <=
					SIGNATURE_OK)
					fail_msg("%s: bit %u of byte %zu", signatures[i].name, bit,
						at);
				assert_non_null(strstr(reason.text, "'gate.hex.minisig': "));
				text[at] = whole[at];
			}
	}
	signature_keys_done(&keys);
}

static void fault_45_no_cut_signature_passes(void **state)
{
	struct signature_keys keys = load_keys(public_key);
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
		for (size_t n = 0; n + 1 < strlen(signatures[i].text); n++) {
			struct reason reason = {};

			assert_int_equal(check(&keys, signatures[i].text, n, message, &reason),
				SIGNATURE_REFUSED);
		}
	signature_keys_done(&keys);
}

static void fault_45_no_changed_message_passes(void **state)
{
	struct signature_keys keys = load_keys(public_key);
	char bytes[sizeof(message)];
	(void)state;

	memcpy(bytes, message, sizeof(message));
	for (size_t at = 0; at < strlen(message); at++) {
		struct reason reason = {};

		bytes[at] ^= 1;
		assert_int_equal(check(&keys, signatures[at % 2].text,
					 strlen(signatures[at % 2].text), bytes, &reason),
			SIGNATURE_REFUSED);
		assert_non_null(strstr(reason.text, "does not fit"));
		bytes[at] ^= 1;
	}
	signature_keys_done(&keys);
}

static void line_ends_of_other_systems_are_fine(void **state)
{
	struct signature_keys keys = load_keys(public_key);
	struct reason reason = {};
	char text[512];
	size_t n = 0;
	(void)state;

	for (const char *c = signatures[0].text; *c; c++) {
		if (*c == '\n')
			text[n++] = '\r';
		text[n++] = *c;
	}
	assert_int_equal(check(&keys, text, n, message, &reason), SIGNATURE_OK);
	signature_keys_done(&keys);
}

static const struct {
	const char *comment;
	const char *expected; /* the signed version, or part of the reason */
	int result;
} comments[] = {
	{"plugflash version=1.2.3 board=gate", "1.2.3", SIGNATURE_OK},
	{"plugflash board=gate version=v1.2.3.0", "v1.2.3.0", SIGNATURE_OK},
	{"plugflash version=1.2.3 board=door,gate", "1.2.3", SIGNATURE_OK},
	{"plugflash  version=1.2.3  board=gate ", "1.2.3", SIGNATURE_OK},
	{"plugflash version=1.2.3 board=gate image=gate-1.2.3.hex sha256=AB", "1.2.3",
		SIGNATURE_OK},
	{"", "at ''", SIGNATURE_REFUSED},
	{"plugflash", "has no version", SIGNATURE_REFUSED},
	{"version=1.2.3 board=gate", "at 'version=1.2.3'", SIGNATURE_REFUSED},
	{"plugflash2 version=1.2.3 board=gate", "at 'plugflash2'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.4 board=gate", "signed as version 1.2.4", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3-rc1 board=gate", "signed as version", SIGNATURE_REFUSED},
	{"plugflash version=1.2 board=gate", "signed as version 1.2,", SIGNATURE_REFUSED},
	{"plugflash version= board=gate", "has no version", SIGNATURE_REFUSED},
	{"plugflash version=new board=gate", "has no version", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3", "has no board", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=", "has no board", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=GATE", "signed for board 'GATE'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gate2", "signed for board", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gat", "signed for board", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gat,e", "signed for board", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=*", "signed for board", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board", "at 'board'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gate board=door", "at 'board=door'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gate boards=door", "at 'boards=door'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gate v=1", "at 'v=1'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gate \x1b[2J", "at '\\x1b[2J'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gate image=gate", "signed as 'gate'", SIGNATURE_REFUSED},
	{"plugflash version=1.2.3 board=gate sha256=ac", "signed with the digest",
		SIGNATURE_REFUSED},
};

static void fault_45_the_comment_binds_version_and_board(void **state)
{
	const struct signature_claims claims = {
		.image = "gate-1.2.3.hex", .version = "1.2.3", .board = "gate", .sha256 = "ab"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(comments); i++) {
		struct reason reason = {};
		char version[64] = "";
		int r = signature_check_claims(
			"gate.minisig", comments[i].comment, &claims, version, &reason);
		const char *got = r == SIGNATURE_OK ? version : reason.text;

		if (r != comments[i].result || !strstr(got, comments[i].expected))
			fail_msg("'%s': got %d, '%s'", comments[i].comment, r, got);
	}
}

static void without_a_version_or_a_rule_nothing_is_compared(void **state)
{
	const struct signature_claims claims = {
		.image = "gate.hex", .version = "", .board = NULL, .sha256 = "ab"};
	struct reason reason = {};
	char version[64] = "";
	(void)state;

	assert_int_equal(signature_check_claims("gate.minisig", "plugflash version=7 board=door",
				 &claims, version, &reason),
		SIGNATURE_OK);
	assert_string_equal(version, "7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_relabelled_signature_is_refused),
		cmocka_unit_test(the_legacy_form_is_taken_where_the_configuration_says_so),
		cmocka_unit_test(case_10_empty_lines_at_the_end_are_fine),
		cmocka_unit_test(both_forms_of_minisign_are_good),
		cmocka_unit_test(fault_45_no_changed_bit_passes),
		cmocka_unit_test(fault_45_no_cut_signature_passes),
		cmocka_unit_test(fault_45_no_changed_message_passes),
		cmocka_unit_test(line_ends_of_other_systems_are_fine),
		cmocka_unit_test(fault_45_the_comment_binds_version_and_board),
		cmocka_unit_test(without_a_version_or_a_rule_nothing_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
