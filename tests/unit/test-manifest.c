/* SPDX-License-Identifier: MIT */
/* Manifests: what may stand in one, and that what stands there must hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "image/manifest.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc" */

static const struct {
	const char *name;
	const char *text;
	const char *expected; /* the reason */
} bad[] = {
	{"nothing", "", "gate.hex.ini:1: there is no [image]"},
	{"comments alone", "# later\n", "gate.hex.ini:1: there is no [image]"},
	{"no section", "version = 1.0\n", "gate.hex.ini:1: an entry before the first [heading]"},
	{"another section", "[images]\n", "gate.hex.ini:1: [images] expected [image]"},
	{"a section with a name", "[image gate]\n",
		"gate.hex.ini:1: [image gate] expected [image]"},
	{"two sections", "[image]\n[board]\n", "gate.hex.ini:2: [board] expected [image]"},
	{"the section twice", "[image]\n[image]\n", "gate.hex.ini:2: [image] stands already"},
	{"an unknown key", "[image]\n\ncolour = red\n",
		"gate.hex.ini:3: [image] colour: there is no such key"},
	{"a key twice", "[image]\nversion = 1\nversion = 2\n",
		"gate.hex.ini:3: [image] version: stands already in line 2"},
	{"no version", "[image]\nversion =\n",
		"gate.hex.ini:2: [image] version: expected a version"},
	{"a word for a version", "[image]\nversion = new\n", "expected a version like 1.2.3"},
	{"a version with a blank", "[image]\nversion = 1 0\n", "expected a version like 1.2.3"},
	{"a version with a slash", "[image]\nversion = 1/0\n", "expected a version like 1.2.3"},
	{"a version without end",
		"[image]\nversion = "
		"1.00000000000000000000000000000000000000000000000000000000000000000"
		"\n",
		"expected a version like 1.2.3"},
	{"no board", "[image]\nboard =\n", "expected a list of boards"},
	{"no chip", "[image]\nchip = ,\n", "expected a list of product ids"},
	{"a short digest", "[image]\nsha256 = ba7816\n", "expected 64 hexadecimal digits"},
	{"a long digest", "[image]\nsha256 = " ABC "0\n", "expected 64 hexadecimal digits"},
	{"a digest with a wrong digit",
		"[image]\nsha256 = "
		"xa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
		"expected 64 hexadecimal digits"},
	{"a size in words", "[image]\nsize = some\n", "expected a number of bytes"},
	{"a negative size", "[image]\nsize = -1\n", "expected a number of bytes"},
	{"a size beyond 32 bits", "[image]\nsize = 4294967296\n", "expected a number of bytes"},
	{"an address in words", "[image]\naddress = flash\n", "expected an address"},
	{"an address beyond 32 bits", "[image]\naddress = 0x100000000\n", "expected an address"},
	{"a bad lowest version", "[image]\nrequires = any\n", "requires: expected a version"},
	{"several mistakes", "[image]\na = 1\nb = 2\nc = 3\n", "(and 2 more)"},
	{"CR LF", "[image]\r\nversion = 1\r\n", "gate.hex.ini:1: the line ends in CR LF"},
	{"a byte order mark", "\xEF\xBB\xBF[image]\n", "byte order mark"},
	{"not UTF-8", "[image]\nnotes = \xff\n", "gate.hex.ini:2: [image] the line is not UTF-8"},
};

static void bad_manifests_are_refused_with_file_and_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct manifest manifest = {};
		struct reason reason = {};
		int r = manifest_read(
			"gate.hex.ini", bad[i].text, strlen(bad[i].text), &manifest, &reason);

		if (r != MANIFEST_REFUSED || !strstr(reason.text, bad[i].expected))
			fail_msg("%s: got %d, '%s'", bad[i].name, r, reason.text);
		assert_null(manifest.source);
	}
}

static struct manifest read_good(const char *text)
{
	struct manifest manifest = {};
	struct reason reason = {};

	if (manifest_read("gate.hex.ini", text, strlen(text), &manifest, &reason) != MANIFEST_OK)
		fail_msg("'%s': %s", text, reason.text);
	return manifest;
}

static void all_that_may_stand_there_is_taken(void **state)
{
	struct manifest manifest =
		read_good("[image]\nversion = v1.10-rc2\nboard = gate, door\n"
			  "chip = 0x410 F103xC\nsize = 3\naddress = 0x08004000\n"
			  "sha256 = BA7816BF8F01CFEA414140DE5DAE2223B00361A39617"
			  "7A9CB410FF61F20015AD\n"
			  "requires = 1.0\nnotes = for the cold\n  and the heat\n");
	(void)state;

	assert_string_equal(manifest.version, "v1.10-rc2");
	assert_int_equal(manifest.n_board, 2);
	assert_string_equal(manifest.board[1], "door");
	assert_int_equal(manifest.n_chip, 2);
	assert_string_equal(manifest.chip[0], "0x410");
	assert_true(manifest.has_size && manifest.size == 3);
	assert_true(manifest.has_address && manifest.address == 0x08004000);
	assert_string_equal(manifest.sha256, ABC);
	assert_string_equal(manifest.requires, "1.0");
	assert_string_equal(manifest.notes, "for the cold and the heat");
	manifest_done(&manifest);
}

static void nothing_need_stand_there(void **state)
{
	struct manifest manifest = read_good("[image]\n");
	struct reason reason = {};
	(void)state;

	assert_null(manifest.version);
	assert_false(manifest.has_size || manifest.has_address);
	assert_true(manifest_is_for(&manifest, "anything"));
	assert_int_equal(manifest_check_bytes(&manifest, 7, ABC, &reason), MANIFEST_OK);
	manifest_done(&manifest);
}

static void what_it_says_must_hold(void **state)
{
	struct manifest manifest = read_good("[image]\nboard = gate\nsize = 3\nsha256 = " ABC "\n");
	char other[] = ABC;
	struct reason reason = {};
	(void)state;

	assert_true(manifest_is_for(&manifest, "gate"));
	assert_false(manifest_is_for(&manifest, "gat"));
	assert_false(manifest_is_for(&manifest, "gate2"));
	assert_int_equal(manifest_check_bytes(&manifest, 3, ABC, &reason), MANIFEST_OK);
	assert_int_equal(manifest_check_bytes(&manifest, 2, ABC, &reason), MANIFEST_REFUSED);
	assert_non_null(strstr(reason.text, "gate.hex.ini:3: [image] size: the image has 2 bytes"));
	other[63] = '0';
	assert_int_equal(manifest_check_bytes(&manifest, 3, other, &reason), MANIFEST_REFUSED);
	assert_non_null(strstr(reason.text, "gate.hex.ini:4: [image] sha256: "));
	manifest_done(&manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_manifests_are_refused_with_file_and_line),
		cmocka_unit_test(all_that_may_stand_there_is_taken),
		cmocka_unit_test(nothing_need_stand_there),
		cmocka_unit_test(what_it_says_must_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
