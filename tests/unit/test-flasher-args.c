/* SPDX-License-Identifier: MIT */
/*
 * ESP-IDF's flasher_args.json: the shapes that its versions write, all that is refused since it is
 * not done, and the image that it makes with its parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/flasher-args.h"
#include "unit/reading.h"

/* ------------------------------------------------------------------ what is understood */

/* Bits of the texts below. */
#define UNDERSCORES                                                                  \
	"\"write_flash_args\" : [ \"--flash_mode\", \"dio\",\n"                      \
	"                         \"--flash_size\", \"4MB\",\n"                      \
	"                         \"--flash_freq\", \"40m\" ],\n"                    \
	"\"flash_settings\" : { \"flash_mode\": \"dio\", \"flash_size\": \"4MB\",\n" \
	"                       \"flash_freq\": \"40m\" },\n"
#define DASHES                                                                                \
	"\"write_flash_args\" : [ \"--flash-mode\", \"dio\", \"--flash-size\", \"detect\",\n" \
	"                         \"--flash-freq\", \"80m\" ],\n"                             \
	"\"flash_settings\" : { \"flash_mode\": \"dio\", \"flash_size\": \"detect\",\n"       \
	"                       \"flash_freq\": \"80m\" },\n"
#define FILES                                               \
	"\"flash_files\" : {\n"                             \
	"    \"0x10000\" : \"gate.bin\",\n"                 \
	"    \"0x1000\" : \"bootloader/bootloader.bin\",\n" \
	"    \"0x8000\" : \"partition_table/partition-table.bin\"\n}"
#define ENTRIES                                                                           \
	",\n\"bootloader\" : { \"offset\" : \"0x1000\", \"file\" : "                      \
	"\"bootloader/bootloader.bin\", \"encrypted\" : \"false\" },\n"                   \
	"\"app\" : { \"offset\" : \"0x10000\", \"file\" : \"gate.bin\", \"encrypted\" : " \
	"\"false\" },\n"                                                                  \
	"\"partition-table\" : { \"offset\" : \"0x8000\", \"file\" : "                    \
	"\"partition_table/partition-table.bin\", \"encrypted\" : \"false\" }"
#define OLD_ENTRIES ",\n\"app\" : { \"offset\" : \"0x10000\", \"file\" : \"gate.bin\" }"
#define OLD_EXTRA                                                                 \
	",\n\"extra_esptool_args\" : { \"after\" : \"hard_reset\", \"before\" : " \
	"\"default_reset\" }"
#define EXTRA                                                                      \
	",\n\"extra_esptool_args\" : { \"after\"  : \"hard_reset\", \"before\" : " \
	"\"default_reset\", \"stub\" : true, \"chip\" : \"esp32\" }"
#define BEFORE "{\n"
#define AFTER  "\n}\n"

static const struct {
	const char *name, *text;
	const char *chip; /* NULL: not said */
} good[] = {
	{"an old version: no encryption, no chip",
		BEFORE UNDERSCORES FILES OLD_ENTRIES OLD_EXTRA AFTER, NULL},
	{"the usual", BEFORE UNDERSCORES FILES ENTRIES EXTRA AFTER, "esp32"},
	{"options as esptool 5 has them", BEFORE DASHES FILES ENTRIES EXTRA AFTER, "esp32"},
	{"nothing but the files", BEFORE FILES AFTER, NULL},
	{"a part that is not flashed with the others",
		BEFORE FILES ENTRIES
		",\"storage\" : { \"offset\" : \"0x110000\", \"file\" : \"storage.bin\" }" AFTER,
		NULL},
	{"truth in place of text",
		BEFORE FILES ",\"app\" : { \"offset\" : \"0x10000\", \"file\" : \"gate.bin\", "
			     "\"encrypted\" : false }" AFTER,
		NULL},
	{"no options at all", BEFORE "\"write_flash_args\" : [], " FILES AFTER, NULL},
	{"the short names of options",
		BEFORE "\"write_flash_args\" : [\"-fm\", \"qio\", \"-ff\", \"80m\", \"-fs\", "
		       "\"keep\"], " FILES AFTER,
		NULL},
};

static void what_esp_idf_writes_is_read(void **state)
{
	static const struct image_part parts[] = {
		{0x1000, 0, (char *)"bootloader/bootloader.bin"},
		{0x8000, 0, (char *)"partition_table/partition-table.bin"},
		{0x10000, 0, (char *)"gate.bin"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct flasher_args args = {};
		struct reason reason = {};
		int r = flasher_args_read(good[i].text, strlen(good[i].text), &args, &reason);

		if (r != IMAGE_OK || args.n_parts != ARRAY_SIZE(parts))
			fail_msg("%s: got %d, %zu parts, '%s'", good[i].name, r, args.n_parts,
				reason.text);
		for (size_t j = 0; j < ARRAY_SIZE(parts); j++) {
			assert_int_equal(args.parts[j].address, parts[j].address);
			assert_int_equal(args.parts[j].size, 0);
			assert_string_equal(args.parts[j].name, parts[j].name);
		}
		if (good[i].chip)
			assert_string_equal(args.chip, good[i].chip);
		else
			assert_null(args.chip);
		flasher_args_done(&args);
	}
}

/* ------------------------------------------------------------------ what is refused */

#define ONE_FILE(offset, name) "{\"flash_files\" : {\"" offset "\" : \"" name "\"}}"
#define WITH(more)	       "{" FILES ", " more "}"

static const struct {
	const char *name, *text, *expected;
} bad[] = {
	/* the text */
	{"empty", "", "line 1: no JSON"},
	{"cut off", "{\"flash_files\" : {\n\"0x1000\" : \"boot", "line 2: no JSON"},
	{"more behind it", "{" FILES "} {}", "no JSON"},
	{"not UTF-8", "{\"flash_files\" : {\"0x1000\" : \"\xff\"}}", "no JSON"},
	{"a key twice", "{" FILES ", " FILES "}",
		"no JSON (duplicate object key near '\"flash_files\"')"},
	{"an offset twice", "{\"flash_files\" : {\"0x1000\" : \"a.bin\", \"0x1000\" : \"b.bin\"}}",
		"no JSON (duplicate"},
	{"a NUL in a name", ONE_FILE("0x1000", "a\\u0000b"), "no JSON"},
	{"a list", "[\"flash_files\"]", "it is not what ESP-IDF writes"},
	{"an empty list", "[]", "it is not what ESP-IDF writes"},
	{"an empty object", "{}", "it is not what ESP-IDF writes"},
	{"deep", "{\"flash_files\" : [[[[1]]]]}", "more than 4 objects or lists"},
	{"no files", "{\"flash_settings\" : {\"flash_mode\" : \"dio\"}}",
		"it names no files in 'flash_files'"},
	{"an empty list of files", "{\"flash_files\" : {}}", "it names no files"},
	{"files in a list", "{\"flash_files\" : [\"a.bin\"]}", "'flash_files' is not the list"},
	{"a number for a file", "{\"flash_files\" : {\"0x1000\" : 7}}",
		"'flash_files.0x1000' is not the list"},
	{"another description of the same build",
		"{\"project_name\" : \"gate\", \"flash_files\" : {\"0x1000\" : \"a.bin\"}}",
		"'project_name' is not understood"},

	/* what is asked of esptool */
	{"encryption of all", WITH("\"write_flash_args\" : [\"--encrypt\"]"),
		"'write_flash_args' has '--encrypt', which is not done here"},
	{"force", WITH("\"write_flash_args\" : [\"--flash_mode\", \"dio\", \"--force\"]"),
		"'write_flash_args' has '--force'"},
	{"an option without its value", WITH("\"write_flash_args\" : [\"--flash_mode\"]"),
		"the last of 'write_flash_args' lacks its value"},
	{"options in an object", WITH("\"write_flash_args\" : {\"a\" : \"b\"}"),
		"'write_flash_args.a' is not the list of texts"},
	{"an option that is no text", WITH("\"write_flash_args\" : [3]"),
		"'write_flash_args' is not the list of texts"},
	{"another setting", WITH("\"flash_settings\" : {\"compress\" : \"no\"}"),
		"'flash_settings.compress' is not understood"},
	{"another argument of esptool", WITH("\"extra_esptool_args\" : {\"spi\" : \"1,2,3\"}"),
		"'extra_esptool_args.spi' is not understood"},
	{"a chip that is no text", WITH("\"extra_esptool_args\" : {\"chip\" : 32}"),
		"'extra_esptool_args.chip' should be the name of a chip"},
	{"a part that is encrypted",
		WITH("\"app\" : {\"offset\" : \"0x10000\", \"file\" : \"gate.bin\", \"encrypted\" : "
		     "\"true\"}"),
		"'app.encrypted' is not false"},
	{"a part that is encrypted, by a truth",
		WITH("\"app\" : {\"offset\" : \"0x10000\", \"file\" : \"gate.bin\", \"encrypted\" : "
		     "true}"),
		"'app.encrypted' is not false"},
	{"an encryption of another word",
		WITH("\"app\" : {\"offset\" : \"0x10000\", \"file\" : \"gate.bin\", \"encrypted\" : "
		     "\"no\"}"),
		"'app.encrypted' is not false"},
	{"a key of a part that is not known",
		WITH("\"app\" : {\"offset\" : \"0x10000\", \"file\" : \"gate.bin\", \"pad\" : "
		     "\"4\"}"),
		"'app.pad' is not understood"},
	{"a key that is not known", WITH("\"security\" : {\"secure_boot\" : true}"),
		"'security.secure_boot' is not understood"},
	{"a key without anything", WITH("\"security\" : {}"), "'security' is not understood"},
	{"a part without a file", WITH("\"app\" : {\"offset\" : \"0x10000\"}"),
		"'app' is not understood here: expected an offset and a file"},
	{"a part without an offset", WITH("\"app\" : {\"file\" : \"gate.bin\"}"),
		"'app' is not understood here: expected an offset and a file"},
	{"a part of another file",
		WITH("\"app\" : {\"offset\" : \"0x10000\", \"file\" : \"door.bin\"}"),
		"at 0x10000 'app' has the file 'door.bin', and flash_files 'gate.bin'"},

	/* places */
	{"no number", ONE_FILE("here", "a.bin"), "'flash_files': the offset 'here' is no number"},
	{"a negative one", ONE_FILE("-0x1000", "a.bin"), "the offset '-0x1000' is no number"},
	{"beyond 32 bits", ONE_FILE("0x100000000", "a.bin"), "is no number"},
	{"check 24: not that of a sector", ONE_FILE("0x10010", "a.bin"),
		"'flash_files': the offset 0x10010 is not that of a sector, a multiple of 0x1000"},
	{"two at one place, by two spellings",
		"{\"flash_files\" : {\"0x1000\" : \"a.bin\", \"4096\" : \"b.bin\"}}",
		"both belong to 0x1000"},

	/* names */
	{"an absolute path", ONE_FILE("0x1000", "/etc/shadow"),
		"the part '/etc/shadow' is not beside"},
	{"out of the folder", ONE_FILE("0x1000", "../a.bin"), "the part '../a.bin' is not beside"},
	{"out of the folder, from below", ONE_FILE("0x1000", "a/../../b.bin"),
		"is not beside or below"},
	{"to the end of it", ONE_FILE("0x1000", "a/.."), "is not beside or below"},
	{"the folder", ONE_FILE("0x1000", "."), "is not beside or below"},
	{"a folder", ONE_FILE("0x1000", "a/"), "is not beside or below"},
	{"two slashes", ONE_FILE("0x1000", "a//b"), "is not beside or below"},
	{"no name", ONE_FILE("0x1000", ""), "the part '' is not beside or below"},
	{"a line break in it", ONE_FILE("0x1000", "a\\nstamp x"),
		"the part 'a\\x0astamp x' is not"},
};

static void what_is_half_understood_is_refused(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct flasher_args args = {.n_parts = 77};
		struct reason reason = {};
		size_t n = strlen(bad[i].text);
		CLEANUP(freep) char *exact = malloc(n + 1);
		int r;

		assert_non_null(exact);
		memcpy(exact, bad[i].text, n);
		r = flasher_args_read(exact, n, &args, &reason);
		if (r != IMAGE_REFUSED || args.n_parts != 77 ||
			!strstr(reason.text, bad[i].expected))
			fail_msg("%s: expected '%s', got %d, '%s'", bad[i].name, bad[i].expected, r,
				reason.text);
	}
}

static void too_many_parts_are_refused(void **state)
{
	char text[4096] = "{\"flash_files\" : {", *at = text + strlen(text);
	struct flasher_args args = {};
	struct reason reason = {};
	(void)state;

	for (unsigned n = 1; n <= FLASHER_ARGS_MAX_PARTS + 1; n++) {
		at += sprintf(at, "%s\"0x%x\" : \"%u.bin\"", n > 1 ? "," : "", n * 0x1000, n);
		strcpy(at, "}}");
		assert_int_equal(flasher_args_read(text, strlen(text), &args, &reason),
			n <= FLASHER_ARGS_MAX_PARTS ? IMAGE_OK : IMAGE_REFUSED);
		flasher_args_done(&args);
	}
	assert_string_equal(reason.text, "more than 32 parts");
}

/* As many parts as there may be, each with an entry of its own. */
static void each_part_may_have_an_entry(void **state)
{
	char text[8192] = "{\"flash_files\" : {", *at = text + strlen(text);
	struct flasher_args args = {};
	struct reason reason = {};
	(void)state;

	for (unsigned n = 1; n <= FLASHER_ARGS_MAX_PARTS; n++)
		at += sprintf(at, "%s\"0x%x\" : \"%u.bin\"", n > 1 ? "," : "", n * 0x1000, n);
	at += sprintf(at, "}");
	for (unsigned n = 1; n <= FLASHER_ARGS_MAX_PARTS; n++)
		at += sprintf(
			at, ",\"p%u\":{\"offset\":\"0x%x\",\"file\":\"%u.bin\"}", n, n * 0x1000, n);
	strcpy(at, "}");
	if (flasher_args_read(text, strlen(text), &args, &reason) != IMAGE_OK)
		fail_msg("%s", reason.text);
	assert_int_equal(args.n_parts, FLASHER_ARGS_MAX_PARTS);
	flasher_args_done(&args);
	strcpy(at, ",\"more\":{\"offset\":\"0x1000\",\"file\":\"1.bin\"}}");
	assert_int_equal(flasher_args_read(text, strlen(text), &args, &reason), IMAGE_REFUSED);
	assert_string_equal(reason.text, "more than 32 parts");
}

/* ------------------------------------------------------------------ sizes */

static void each_part_has_sectors_of_its_own(void **state)
{
	static const struct {
		const char *name;
		uint32_t first, second; /* sizes, at 0x1000 and 0x3000 */
		const char *expected;	/* NULL: good */
	} rows[] = {
		{"apart", 1, 1, NULL},
		{"touching", 0x2000, 1, NULL},
		{"check 24: two files that share a sector", 0x2001, 1,
			"the part 'a' ends at 0x3001, in or behind the first sector of 'b' at 0x3000"},
		{"one within the other", 0x9000, 1, "the part 'a' ends at 0xa000"},
		{"nothing in the first", 0, 1, "the part 'a' is empty"},
		{"nothing in the last", 1, 0, "the part 'b' is empty"},
		{"to the end of the addresses", 1, 0xFFFFCFFF, NULL},
		{"beyond it", 1, 0xFFFFD000, "the part 'b' reaches the end"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image_part parts[] = {{0x1000, rows[i].first, (char *)"a"},
			{0x3000, rows[i].second, (char *)"b"}};
		const struct flasher_args args = {.parts = parts, .n_parts = 2};
		struct reason reason = {};
		int r = flasher_args_check_sizes(&args, &reason);

		if (r != (rows[i].expected ? IMAGE_REFUSED : IMAGE_OK) ||
			(rows[i].expected && !strstr(reason.text, rows[i].expected)))
			fail_msg("%s: got %d, '%s'", rows[i].name, r, reason.text);
	}
}

/* ------------------------------------------------------------------ the image */

static void the_parts_make_one_image(void **state)
{
	static const char text[] = "{\"flash_files\" : {}}";
	struct image_part parts[] = {{0x1000, 0x1000, (char *)"a/boot.bin"},
		{0x2000, 3, (char *)"t"}, {0x10000, 2, (char *)"app.bin"}};
	const struct flasher_args args = {
		.parts = parts, .n_parts = ARRAY_SIZE(parts), .chip = (char *)"esp32c3"};
	struct image_options options = {.max_bytes = 0x1005, .args = &args};
	size_t n_text = strlen(text), n = n_text + 0x1005;
	CLEANUP(freep) uint8_t *data = malloc(n);
	struct image image = {};
	struct reason reason = {};
	(void)state;

	assert_non_null(data);
	memcpy(data, text, n_text);
	memset(data + n_text, 'b', 0x1000);
	memcpy(data + n_text + 0x1000, "tabap", 5);
	assert_int_equal(image_read("x/gate.json", data, n, &options, &image, &reason), IMAGE_OK);
	assert_string_equal(image.chip, "esp32c3");
	assert_int_equal(image.n_parts, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(image.parts[i].address, parts[i].address);
		assert_int_equal(image.parts[i].size, parts[i].size);
		assert_string_equal(image.parts[i].name, parts[i].name);
	}
	/* The first two touch. */
	assert_int_equal(image.n_segments, 2);
	assert_int_equal(image.segments[0].address, 0x1000);
	assert_int_equal(image.segments[0].size, 0x1003);
	assert_memory_equal(image.segments[0].data + 0x0FFF, "btab", 4);
	assert_int_equal(image.segments[1].address, 0x10000);
	assert_memory_equal(image.segments[1].data, "ap", 2);
	assert_false(image.is_raw || image.is_package);
	image_done(&image);

	options.max_bytes = 0x1004;
	assert_int_equal(
		image_read("x/gate.json", data, n, &options, &image, &reason), IMAGE_REFUSED);
	assert_non_null(strstr(reason.text, "at most 4100 fit the flash"));
}

/* Where somebody reads the text alone, or by another name. */
static void the_text_alone_is_no_image(void **state)
{
	static const char text[] = "\n {\"flash_files\" : {\"0x1000\" : \"a.bin\"}}";
	(void)state;

	assert_refused("gate.json", text, strlen(text), 1000,
		"offset 0: it names other files, which were not read with it");
	assert_refused("gate.bin", text, strlen(text), 1000,
		"the name says raw binary, but the content looks like files of an ESP-IDF build");
	assert_refused("gate.json", "{\"a\" : 1}", 9, 1000,
		"the name says files of an ESP-IDF build, but the content looks like a text");
}

static void a_folder_has_the_version_of_its_build(void **state)
{
	static const struct {
		const char *path, *expected;
	} rows[] = {
		{"gate-1.2.0/flasher_args.json", "gate-1.2.0"},
		{"a/b-7/flasher_args.json", "a/b-7"},
		{"gate-1.2.0/gate-1.3.0.json", "gate-1.2.0/gate-1.3.0.json"},
		{"flasher_args.json", "flasher_args.json"},
		{"gate-1.2.0/flasher_args.bin", "gate-1.2.0/flasher_args.bin"},
	};
	char to[32];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			flasher_args_version_path(rows[i].path, to, sizeof(to)), rows[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_esp_idf_writes_is_read),
		cmocka_unit_test(what_is_half_understood_is_refused),
		cmocka_unit_test(too_many_parts_are_refused),
		cmocka_unit_test(each_part_may_have_an_entry),
		cmocka_unit_test(each_part_has_sectors_of_its_own),
		cmocka_unit_test(the_parts_make_one_image),
		cmocka_unit_test(the_text_alone_is_no_image),
		cmocka_unit_test(a_folder_has_the_version_of_its_build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
