/* SPDX-License-Identifier: MIT */
/*
 * The image directory: which file a glob gets, by names and manifests, and what a list tells of the
 * others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "unit/image-directory.h"

/* ------------------------------------------------------------------ choosing */

static const char *const tree[] = {
	"gate-1.9.hex",
	"gate-1.10.hex",
	"gate-1.10-rc1.hex",
	"gate-1.11.hex.part",
	"gate-1.11.hex~",
	".gate-1.12.hex",
	"gate-1.13.hex.tmp",
	"gate-1.14.hex.minisig",
	"gate-1.15.ini",
	"door-2.0.bin",
	"door-2.0.hex",
	"door-v2.hex",
	"plain-b.hex",
	"plain-a.hex",
	"build-1.2-4-gabc.hex",
	"build-1.2-10-gabc.hex",
	"a/gate-3.0.hex",
	"b/gate-4.0.hex",
	"b/c/gate-5.0.hex",
	".hidden/gate-6.0.hex",
	"9.9/lock-1.0.hex",
	"0.1/lock-2.0.hex",
	"with space-1.0.hex",
	"[x]-1.0.hex",
	"empty-1.0.hex/x",
};

static const struct {
	const char *glob;
	int result;
	const char *expected; /* name, or part of the reason */
	const char *version;
} choices[] = {
	{"gate-*.hex", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"gate-1.9.hex", LIBRARY_OK, "gate-1.9.hex", "1.9"},
	{"./gate-1.9.hex", LIBRARY_OK, "gate-1.9.hex", "1.9"},
	{"gate-1.?.hex", LIBRARY_OK, "gate-1.9.hex", "1.9"},
	{"gate-1.[0-9][0-9]*.hex", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"gate-*", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"*-1.1?.*", LIBRARY_OK, "gate-1.10.hex", "1.10"},
	{"gate-1.15.ini", LIBRARY_OK, "gate-1.15.ini", "1.15"},
	{"gate-1.11.hex.part", LIBRARY_OK, "gate-1.11.hex.part", "1.11"},
	{".gate-1.12.hex", LIBRARY_OK, ".gate-1.12.hex", "1.12"},
	{".gate*", LIBRARY_NONE, "fits the rule's image '.gate*'", NULL},
	{".hidden/*.hex", LIBRARY_OK, ".hidden/gate-6.0.hex", "6.0"},
	{"door-*", LIBRARY_OK, "door-v2.hex", "2"},
	{"door-2*", LIBRARY_OK, "door-2.0.hex", "2.0"},
	{"plain-*.hex", LIBRARY_OK, "plain-b.hex", ""},
	{"build-*", LIBRARY_OK, "build-1.2-10-gabc.hex", "1.2"},
	{"*/gate-*.hex", LIBRARY_OK, "b/gate-4.0.hex", "4.0"},
	{"[ab]/gate-*.hex", LIBRARY_OK, "b/gate-4.0.hex", "4.0"},
	{"a/gate-*.hex", LIBRARY_OK, "a/gate-3.0.hex", "3.0"},
	{"b//c/./gate-*.hex", LIBRARY_OK, "b/c/gate-5.0.hex", "5.0"},
	{"*/*/*", LIBRARY_OK, "b/c/gate-5.0.hex", "5.0"},
	{"*/lock-*.hex", LIBRARY_OK, "0.1/lock-2.0.hex", "2.0"},
	{"with space-*.hex", LIBRARY_OK, "with space-1.0.hex", "1.0"},
	{"\\[x\\]-*.hex", LIBRARY_OK, "[x]-1.0.hex", "1.0"},
	{"gate-9*.hex", LIBRARY_NONE,
		"fits the rule's image 'gate-9*.hex': 'with space-1.0.hex' and 11 more there do "
		"not",
		NULL},
	{"c/*.hex", LIBRARY_NONE, "fits the rule's image 'c/*.hex': there is no folder 'c' in it",
		NULL},
	{"b/d/*.hex", LIBRARY_NONE, "'b/d/*.hex': there is no folder 'b/d' in it", NULL},
	{"a/door*", LIBRARY_NONE, "'a/door*': 'gate-3.0.hex' there does not", NULL},
	{"gate-1.9.hex/x", LIBRARY_NONE, "fits the rule's image", NULL},
	{"GATE-*.hex", LIBRARY_NONE, "fits the rule's image", NULL},
	{"x[", LIBRARY_NONE, "fits the rule's image", NULL},
	{"empty-*.hex", LIBRARY_REFUSED, "image 'empty-1.0.hex': not a regular file", NULL},
	{"a/", LIBRARY_REFUSED, "expected the name of a file", NULL},
	{".", LIBRARY_REFUSED, "expected the name of a file", NULL},
	{"", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"/etc/passwd", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"../secret", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"..", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"a/../../secret", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"a/..", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"*/../*", LIBRARY_REFUSED, "expected a name or glob below", NULL},
	{"[.][.]/secret", LIBRARY_NONE, "fits the rule's image", NULL},
	{"?./secret", LIBRARY_NONE, "fits the rule's image", NULL},
	{"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", LIBRARY_REFUSED, "more than 16 folders deep",
		NULL},
};

static void fault_31_a_glob_gets_the_highest_version_below_the_directory(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tree); i++)
		put(tree[i], "bytes");

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		struct library_choice choice = {};
		struct reason reason = {};
		int r = choose(choices[i].glob, &choice, &reason);

		if (r != choices[i].result)
			fail_msg("'%s': got %d, '%s'", choices[i].glob, r, reason.text);
		if (r == LIBRARY_OK) {
			assert_string_equal(choice.name, choices[i].expected);
			assert_string_equal(choice.version, choices[i].version);
		} else {
			assert_null(choice.name);
			if (!strstr(reason.text, choices[i].expected))
				fail_msg("'%s': expected '%s', got '%s'", choices[i].glob,
					choices[i].expected, reason.text);
		}
		library_choice_done(&choice);
	}
}

static void a_missing_directory_is_named(void **state)
{
	struct library_choice choice = {};
	struct library_file file = {};
	struct reason reason = {};
	char path[256];
	(void)state;

	path_of("missing", path);
	assert_int_equal(choose_in(path, "*", &choice, &reason), -ENOENT);
	assert_non_null(strstr(reason.text, path));
	reason = (struct reason){};
	assert_int_equal(library_read(path, "x", 100, &file, &reason), -ENOENT);
	assert_non_null(strstr(reason.text, path));

	put("plain", "a file");
	assert_int_equal(choose_in(path_of("plain", path), "*", &choice, &reason), -ENOTDIR);
	assert_non_null(strstr(reason.text, path));
}

static void names_that_are_no_plain_text_are_passed_over(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.0\nboard=x.hex", "bytes");
	put("gate-1.1\xff.hex", "bytes");
	assert_int_equal(choose("gate*", &choice, &reason), LIBRARY_REFUSED);
	assert_null(strchr(reason.text, '\n'));
	assert_null(strchr(reason.text, '\xff'));
	put("gate-0.9.hex", "bytes");
	assert_int_equal(choose("gate*", &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.name, "gate-0.9.hex");
	library_choice_done(&choice);
}

static void ten_thousand_files_are_chosen_from_at_once(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	char name[64];
	clock_t begin;
	double seconds;
	(void)state;

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "gate-1.%u.hex", i * 7919 % 10000);
		put(name, "");
	}
	begin = clock();
	assert_int_equal(choose("gate-*.hex", &choice, &reason), LIBRARY_OK);
	seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
	print_message("# figure: the highest of 10000 versions: %.0f ms\n", seconds * 1000);
	assert_string_equal(choice.name, "gate-1.9999.hex");
#ifndef __SANITIZE_ADDRESS__
	assert_true(seconds < 0.1);
#endif
	library_choice_done(&choice);
}

static void a_search_without_end_is_refused(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	char name[64], first[256], path[256];
	(void)state;

	put("x-0", "");
	path_of("x-0", first);
	for (unsigned i = 1; i <= 65536; i++) {
		snprintf(name, sizeof(name), "x-%u", i);
		/* A file may have fewer links than this: then another one takes over. */
		if (link(first, path_of(name, path)) < 0) {
			put(name, "");
			strcpy(first, path);
		}
	}
	assert_int_equal(choose("y*", &choice, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "more than 65536 entries"));
	assert_int_equal(choose("x-9", &choice, &reason), LIBRARY_OK);
	library_choice_done(&choice);
}

/* ------------------------------------------------------------------ manifests */

static const struct {
	const char *name;
	const char *manifests[3][2]; /* of files that are all "abc" */
	int result;
	const char *expected; /* name, or part of the reason */
	const char *version;
} manifest_rows[] = {
	{"its version wins over the name", {{"gate-1.0.hex", "version = 3.0"}}, LIBRARY_OK,
		"gate-1.0.hex", "3.0"},
	{"a lower one, too", {{"gate-2.0.hex", "version = 0.5"}}, LIBRARY_OK, "gate-1.0.hex",
		"1.0"},
	{"without a version the name's is taken", {{"gate-2.0.hex", "size = 3"}}, LIBRARY_OK,
		"gate-2.0.hex", "2.0"},
	{"for this board", {{"gate-2.0.hex", "board = gate"}}, LIBRARY_OK, "gate-2.0.hex", "2.0"},
	{"for this board and another", {{"gate-2.0.hex", "board = door, gate"}}, LIBRARY_OK,
		"gate-2.0.hex", "2.0"},
	{"for another board it is passed over", {{"gate-2.0.hex", "board = door"}}, LIBRARY_OK,
		"gate-1.0.hex", "1.0"},
	{"all for other boards", {{"gate-1.0.hex", "board = x"}, {"gate-2.0.hex", "board = door"}},
		LIBRARY_REFUSED, "by its manifest, not for 'gate'", NULL},
	{"a wrong one refuses the highest", {{"gate-2.0.hex", "colour = red"}}, LIBRARY_REFUSED,
		"image 'gate-2.0.hex': gate-2.0.hex.ini:2: [image] colour: there is no such key",
		"2.0"},
	{"a wrong one of an older image does no harm", {{"gate-1.0.hex", "colour = red"}},
		LIBRARY_OK, "gate-2.0.hex", "2.0"},
	{"fault 27: fewer bytes than it says are awaited", {{"gate-2.0.hex", "size = 4"}},
		LIBRARY_AWAITED, "it has 3 bytes, its manifest says 4", "2.0"},
	{"fault 27: more bytes than it says are awaited", {{"gate-2.0.hex", "size = 2"}},
		LIBRARY_AWAITED, "it has 3 bytes, its manifest says 2", "2.0"},
	{"a manifest without an image is nothing", {{"gate-3.0.hex", NULL}}, LIBRARY_OK,
		"gate-2.0.hex", "2.0"},
};

static void manifests_decide_with_the_names(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "gate-*.hex", .board = "gate"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(manifest_rows); i++) {
		struct library_choice choice = {};
		struct reason reason = {};
		const char *got;
		int r;

		empty_images();
		put("gate-1.0.hex", "abc");
		put("gate-2.0.hex", "abc");
		for (size_t j = 0; j < 3 && manifest_rows[i].manifests[j][0]; j++)
			put_manifest(
				manifest_rows[i].manifests[j][0], manifest_rows[i].manifests[j][1]);
		r = library_choose(&query, &choice, &reason);
		got = r == LIBRARY_OK ? choice.name : reason.text;
		if (r != manifest_rows[i].result || !strstr(got, manifest_rows[i].expected))
			fail_msg("%s: got %d, '%s'", manifest_rows[i].name, r, got);
		if (manifest_rows[i].version)
			assert_string_equal(choice.version, manifest_rows[i].version);
		library_choice_done(&choice);
	}
}

/* The version stood in it alone, and may have been the highest: an older file is none to take. */
static void a_wrong_manifest_that_hides_a_version_is_no_reason_to_go_back(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *reason;
	} rows[] = {
		{"", 0644, "gate-b.hex"},
		{"[image]\nversion = 2.0\nbaord = gate\n", 0644, "gate-b.hex.ini:3: [image] baord"},
		{"[image]\nversion = 2.0\n", 0664, "gate-b.hex"},
	};
	const struct library_query query = {
		.directory = images, .glob = "gate-*.hex", .board = "gate"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(library_choice_done) struct library_choice choice = {};
		struct reason reason = {};
		char path[300];

		empty_images();
		put("gate-a.hex", "abc");
		put_manifest("gate-a.hex", "version = 1.0");
		put("gate-b.hex", "abc");
		put("gate-b.hex.ini", rows[i].text);
		snprintf(path, sizeof(path), "%s/gate-b.hex.ini", images);
		assert_int_equal(chmod(path, rows[i].mode), 0);
		if (library_choose(&query, &choice, &reason) != LIBRARY_REFUSED ||
			!strstr(reason.text, rows[i].reason))
			fail_msg("row %zu: chosen '%s', '%s'", i, choice.name, reason.text);
		assert_string_equal(choice.name, "gate-b.hex");
	}
}

/* It was put there as that version: the one before is not what is meant. */
static void a_link_with_a_version_in_its_name_is_no_reason_to_go_back(void **state)
{
	const struct library_query for_gate = {
		.directory = images, .glob = "gate-*", .board = "gate"};
	struct library_choice choice = {};
	struct reason reason = {};
	char path[256];

	(void)state;
	put("gate-1.0.hex", "abc");
	put("elsewhere", "abc");
	put("gate-3.0/file", "abc"); /* an archive, unpacked */
	link_to("elsewhere", "gate-latest.hex");
	put("gate-1.1.hex.sha256", "1234  gate-1.1.hex\n");
	put("gate-1.1.map", "");
	assert_int_equal(choose("gate-*", &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.name, "gate-1.0.hex");
	library_choice_done(&choice);

	link_to("elsewhere", "gate-2.0.hex");
	assert_int_equal(choose("gate-*", &choice, &reason), LIBRARY_REFUSED);
	assert_string_equal(choice.name, "gate-2.0.hex");
	assert_non_null(strstr(reason.text, "a symbolic link: put the file itself there"));
	library_choice_done(&choice);
	put_manifest("gate-2.0.hex", "board = door");
	assert_int_equal(library_choose(&for_gate, &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.name, "gate-1.0.hex");
	library_choice_done(&choice);

	assert_int_equal(mkfifo(path_of("gate-4.0.hex", path), 0644), 0);
	assert_int_equal(choose("gate-*", &choice, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "'gate-4.0.hex': not a regular file"));
	library_choice_done(&choice);
}

static void what_a_manifest_says_must_hold_for_the_bytes(void **state)
{
	static const struct {
		const char *line;
		const char *expected; /* of the reason; NULL: it is taken */
	} rows[] = {
		{"size = 3", NULL},
		{"size = 4", "gate-1.0.hex.ini:2: [image] size: the image has 3 bytes"},
		{"sha256 = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL},
		{"sha256 = aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"gate-1.0.hex.ini:2: [image] sha256: "},
		{"board = door", "gate-1.0.hex.ini:2: [image] board: the image is not for board"},
		{"color = 1", "gate-1.0.hex.ini:2: [image] color: there is no such key"},
	};
	(void)state;

	put("gate-1.0.hex", "abc");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct library_item item = {};
		struct reason reason = {};
		int r;

		put_manifest("gate-1.0.hex", rows[i].line);
		r = load("gate-1.0.hex", &item, &reason);
		if (r != (rows[i].expected ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(rows[i].expected && !strstr(reason.text, rows[i].expected)))
			fail_msg("%s: got %d, '%s'", rows[i].line, r, reason.text);
		library_item_done(&item);
	}
}

#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static int load_abc(
	const struct library_query *query, const char *name, char **ret_name, struct reason *reason)
{
	CLEANUP(library_item_done) struct library_item item = {};
	int r = library_load_digest(query, name, SHA256_OF_ABC, 1000, &item, ret_name, reason);

	assert_int_equal(r == LIBRARY_OK, *ret_name != NULL);
	if (r == LIBRARY_OK)
		assert_string_equal(item.sha256, SHA256_OF_ABC);
	else
		assert_null(item.data);
	return r;
}

static void an_image_is_found_by_what_is_in_it(void **state)
{
	static const struct {
		const char *hint, *expected; /* name; NULL: it is not found */
	} rows[] = {
		{"back-1.0.hex", "back-1.0.hex"},
		{"back-2.0.hex", "back-1.0.hex"},
		{"back-9.0.hex", "back-1.0.hex"},
		{"../back-1.0.hex", "back-1.0.hex"},
	};
	struct library_query query = {.directory = images, .board = "gate", .glob = "back-*.hex"};
	struct reason reason = {};

	(void)state;
	put("back-1.0.hex", "abc");
	put("back-2.0.hex", "abd");
	put("front-1.0.hex", "abc");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *name = NULL;

		assert_int_equal(load_abc(&query, rows[i].hint, &name, &reason), LIBRARY_OK);
		assert_string_equal(name, rows[i].expected);
	}
	put("back-1.0.hex", "abe");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *name = NULL;

		assert_int_equal(load_abc(&query, rows[i].hint, &name, &reason), LIBRARY_NONE);
		assert_non_null(strstr(reason.text, SHA256_OF_ABC));
	}
}

/* All that is asked of the highest is asked of the one before. */
static void fault_45_one_found_so_must_be_signed_as_well(void **state)
{
	struct library_query query = {.directory = images,
		.board = "gate",
		.glob = "bare-*.hex",
		.require_signature = true,
		.trusted_keys = "/nowhere"};
	CLEANUP(freep) char *name = NULL;
	struct reason reason = {};

	(void)state;
	put("bare-1.0.hex", "abc");
	assert_int_equal(load_abc(&query, "bare-1.0.hex", &name, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "is not signed"));
	query.require_signature = false;
	put_manifest("bare-1.0.hex", "board = door");
	assert_int_equal(load_abc(&query, "bare-1.0.hex", &name, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "not for board"));
}

static void a_list_tells_of_every_file_that_fits(void **state)
{
	const struct library_query query = {.directory = images, .glob = "gate-*", .board = "gate"};
	static const struct {
		const char *name, *version, *why;
		enum library_state state;
	} expected[] = {
		{"gate-4.hex", "4", "for board 'door'", LIBRARY_CANDIDATE_PASSED_OVER},
		{"gate-1.10.hex", "1.10", NULL, LIBRARY_CANDIDATE_MEANT},
		{"gate-1.9.hex", "1.9", NULL, LIBRARY_CANDIDATE_OLDER},
		{"gate-latest", "", "a symbolic link", LIBRARY_CANDIDATE_PASSED_OVER},
	};
	struct library_list list = {};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.9.hex", "abc");
	put("gate-1.10.hex", "abcd");
	put("gate-1.10.hex.minisig", "no image");
	put("gate-4.hex", "abc");
	put_manifest("gate-4.hex", "board = door");
	link_to("gate-1.10.hex", "gate-latest");
	assert_int_equal(library_list(&query, &list, &choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.name, "gate-1.10.hex");
	assert_int_equal(list.n_items, ARRAY_SIZE(expected));
	for (size_t i = 0; i < list.n_items; i++) {
		assert_string_equal(list.items[i].name, expected[i].name);
		assert_string_equal(list.items[i].version, expected[i].version);
		assert_int_equal(list.items[i].state, expected[i].state);
		assert_true(!list.items[i].why == !expected[i].why);
		if (expected[i].why)
			assert_non_null(strstr(list.items[i].why, expected[i].why));
	}
	assert_int_equal(list.items[1].size, 4);
	assert_null(list.items[1].remark);
	library_list_done(&list);
	library_choice_done(&choice);
}

/* Harmless, and a constraint that somebody believes in counts for nothing. */
static void a_manifest_of_the_wrong_name_is_remarked(void **state)
{
	const struct library_query query = {.directory = images, .glob = "gate-*", .board = "gate"};
	static const struct {
		const char *name; /* of the manifest */
		bool is_stray;
	} rows[] = {{"gate-1.0.ini", true}, {"gate-1.0.hex.ini", false}, {"gate-1.ini", false},
		{"gate.ini", false}, {"door-1.0.ini", false}};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct library_list list = {};
		struct library_choice choice = {};
		struct reason reason = {};

		empty_images();
		put("gate-1.0.hex", "abc");
		put(rows[i].name, "[image]\n");
		assert_int_equal(library_list(&query, &list, &choice, &reason), LIBRARY_OK);
		assert_string_equal(choice.name, "gate-1.0.hex");
		assert_int_equal(list.n_items, 1);
		if (rows[i].is_stray)
			assert_string_equal(list.items[0].remark,
				"'gate-1.0.ini' beside it is not its manifest: that would be "
				"'gate-1.0.hex.ini'");
		else
			assert_null(list.items[0].remark);
		library_list_done(&list);
		library_choice_done(&choice);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_IMAGES(fault_31_a_glob_gets_the_highest_version_below_the_directory),
		IN_IMAGES(a_missing_directory_is_named),
		IN_IMAGES(names_that_are_no_plain_text_are_passed_over),
		IN_IMAGES(ten_thousand_files_are_chosen_from_at_once),
		IN_IMAGES(a_search_without_end_is_refused),
		IN_IMAGES(manifests_decide_with_the_names),
		IN_IMAGES(a_wrong_manifest_that_hides_a_version_is_no_reason_to_go_back),
		IN_IMAGES(a_link_with_a_version_in_its_name_is_no_reason_to_go_back),
		IN_IMAGES(what_a_manifest_says_must_hold_for_the_bytes),
		IN_IMAGES(an_image_is_found_by_what_is_in_it),
		IN_IMAGES(fault_45_one_found_so_must_be_signed_as_well),
		IN_IMAGES(a_list_tells_of_every_file_that_fits),
		IN_IMAGES(a_manifest_of_the_wrong_name_is_remarked),
		IN_IMAGES(no_descriptor_was_left_open),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
