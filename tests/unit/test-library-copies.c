/* SPDX-License-Identifier: MIT */
/*
 * The image directory: who may have written a file, whether a copy is still under way, and when it
 * is another one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <time.h>

#include "image/copy.h"
#include "unit/image-directory.h"
#include "unit/virtual-clock.h"

/* ------------------------------------------------------------------ who may have written it */

static const struct {
	const char *name;
	const char *path; /* below the image directory */
	mode_t mode;
	uid_t owner;
	const char *expected; /* of the reason; NULL: it is taken */
} owners[] = {
	{"fault 33: as it should be", "a/gate.hex", 0644, 0, NULL},
	{"fault 33: readable by the owner alone", "a/gate.hex", 0600, 0, NULL},
	{"fault 33: a file that its group may write", "a/gate.hex", 0664, 0,
		"image 'a/gate.hex': the file can be written by others"},
	{"fault 33: a file that all may write", "a/gate.hex", 0646, 0, "mode 0646"},
	{"fault 33: a folder that its group may write", "a", 0775, 0, "/a': the folder can be"},
	{"fault 33: a folder that all may write", "a", 01777, 0, "mode 1777"},
	{"fault 33: a directory that its group may write", ".", 0775, 0, "images': the folder can"},
	{"fault 33: a manifest that all may write", "a/gate.hex.ini", 0666, 0,
		"manifest 'a/gate.hex.ini': the file can be written by others"},
	{"fault 33: a file of somebody", "a/gate.hex", 0644, 12345,
		"image 'a/gate.hex': the file belongs to the user 12345"},
	{"fault 33: a folder of somebody", "a", 0755, 12345, "belongs to the user 12345"},
	{"fault 33: a directory of somebody", ".", 0755, 12345, "belongs to the user 12345"},
};

/* Chosen, and loaded: what was checked when it was chosen may have changed since. */
static void fault_33_what_others_may_write_is_refused(void **state)
{
	const struct library_query query = {
		.directory = images, .glob = "*/gate.hex", .board = "gate"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct library_choice choice = {};
		struct library_item item = {};
		struct reason chosen = {}, loaded = {};
		char path[256];
		int r;

		/* Only root can give files away. */
		if (owners[i].owner != 0 && geteuid() != 0)
			continue;
		empty_images();
		put("a/gate.hex", "abc");
		put("a/gate.hex.ini", "[image]\n");
		path_of(owners[i].path, path);
		if (owners[i].owner != 0)
			assert_int_equal(chown(path, owners[i].owner, (gid_t)-1), 0);
		assert_int_equal(chmod(path, owners[i].mode), 0);
		r = library_choose(&query, &choice, &chosen);
		if (r != (owners[i].expected ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(r != LIBRARY_OK && !strstr(chosen.text, owners[i].expected)))
			fail_msg("%s, chosen: got %d, '%s'", owners[i].name, r, chosen.text);
		r = load("a/gate.hex", &item, &loaded);
		if (r != (owners[i].expected ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(r != LIBRARY_OK && !strstr(loaded.text, owners[i].expected)))
			fail_msg("%s, loaded: got %d, '%s'", owners[i].name, r, loaded.text);
		library_choice_done(&choice);
		library_item_done(&item);
	}
}

/* ------------------------------------------------------------------ copies under way */

/* As if it had been renamed into place: its bytes are old, that it is there is not. */
static void put_old(const char *name, const char *text)
{
	put(name, text);
	set_age(name, 7200);
}

static int choose_quiet(struct library_choice *choice, struct reason *reason)
{
	const struct library_query query = {
		.directory = images, .glob = "gate-*.hex", .rest_usec = 3600 * USEC_PER_SEC};

	library_choice_done(choice);
	return library_choose(&query, choice, reason);
}

static void fault_27_what_was_just_written_is_awaited(void **state)
{
	struct library_choice choice = {};
	struct reason reason = {};
	char from[256], to[256];
	(void)state;

	put_old("gate-1.0.hex.ini", "[image]\n");
	put("gate-1.0.hex", "abc");
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-1.0.hex' was written just now"));
	assert_in_range(choice.due_usec, 3500 * USEC_PER_SEC, 3600 * USEC_PER_SEC);
	set_age("gate-1.0.hex", 7200);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);

	/* Its manifest counts as well. */
	put("gate-1.0.hex.ini", "[image]\n");
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-1.0.hex.ini' was written just now"));
	set_age("gate-1.0.hex.ini", 7200);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);

	/* A name that says so, then the right one: whole at once. */
	put_old("gate-2.0.hex.ini", "[image]\n");
	put("gate-2.0.hex.part", "abc");
	set_age("gate-2.0.hex.part", 60);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.version, "1.0");
	assert_int_equal(
		rename(path_of("gate-2.0.hex.part", from), path_of("gate-2.0.hex", to)), 0);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);
	assert_string_equal(choice.version, "2.0");
	/* A clock that was wrong when the file was made says nothing. */
	set_age("gate-2.0.hex", -86400);
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_OK);

	put("gate-3.0.hex", "");
	assert_int_equal(choose_quiet(&choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-3.0.hex' is empty yet"));
	assert_in_range(choice.due_usec, 50 * USEC_PER_SEC, 60 * USEC_PER_SEC);
	library_choice_done(&choice);
}

/* Who copies by the alphabet brings the manifest after the image, the signature after both. */
static void fault_27_what_may_follow_an_image_is_awaited(void **state)
{
	struct library_query query = {.directory = images,
		.glob = "gate-*.hex",
		.board = "gate",
		.rest_usec = 300 * USEC_PER_MSEC};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put_old("gate-1.0.hex", "abc");
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-1.0.hex.ini' may follow"));
	assert_in_range(choice.due_usec, 1, 300 * USEC_PER_MSEC);
	clock_move(choice.due_usec + 1);
	library_choice_done(&choice);
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_OK);
	library_choice_done(&choice);

	query.require_signature = true;
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-1.0.hex.minisig' may follow"));
	assert_in_range(choice.due_usec, 1, 2 * USEC_PER_SEC);
	put_old("gate-1.0.hex.ini", "[image]\n");
	library_choice_done(&choice);
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_AWAITED);
	assert_non_null(strstr(reason.text, "'gate-1.0.hex.ini.minisig' may follow"));
	library_choice_done(&choice);

	/* What is wrong already gets no better by waiting. */
	put_old("gate-1.0.hex.ini", "[imag]\n");
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_REFUSED);
	library_choice_done(&choice);
}

static bool is_open(const void *userdata, const char *path, bool is_part)
{
	(void)is_part;
	return strcmp(path, userdata) == 0;
}

static void fault_27_an_open_file_is_awaited_however_old(void **state)
{
	struct library_query query = {.directory = images, .glob = "gate-*.hex"};
	struct library_choice choice = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.0.hex", "abc");
	put("gate-2.0.hex", "abc");
	set_age("gate-2.0.hex", 7200);
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_OK);
	assert_int_equal(
		copy_judge_open(choice.name, NULL, is_open, "gate-2.0.hex", &reason), COPY_AWAITED);
	assert_string_equal(reason.text, "'gate-2.0.hex' is being written");
	assert_int_equal(
		copy_judge_open("a/gate-2.0.hex", NULL, is_open, "a/gate-2.0.hex.ini", &reason),
		COPY_AWAITED);
	assert_string_equal(reason.text, "'gate-2.0.hex.ini' is being written");
	/* nobody's concern */
	assert_int_equal(
		copy_judge_open(choice.name, NULL, is_open, "gate-1.0.hex", &reason), COPY_WHOLE);
	library_choice_done(&choice);
}

static void an_image_is_another_when_any_of_its_files_is(void **state)
{
	static const char *const changes[] = {"gate-1.0.hex", "gate-1.0.hex.ini",
		"gate-1.0.hex.minisig", "gate-1.0.hex.ini.minisig"};
	struct library_choice before = {}, after = {};
	struct reason reason = {};
	(void)state;

	put("gate-1.0.hex", "abc");
	assert_int_equal(choose("gate-*", &before, &reason), LIBRARY_OK);
	put("gate-0.9.hex", "abc");
	put("other", "abc");
	assert_int_equal(choose("gate-*", &after, &reason), LIBRARY_OK);
	assert_string_equal(before.stamp, after.stamp);
	library_choice_done(&after);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		put(changes[i], "[image]\n");
		assert_int_equal(choose("gate-*", &after, &reason), LIBRARY_OK);
		assert_string_not_equal(before.stamp, after.stamp);
		library_choice_done(&before);
		before = after;
		after = (struct library_choice){};
	}
	library_choice_done(&before);
}

/* ------------------------------------------------------------------ between choice and load */

static void cut_short(const char *name)
{
	char path[256];

	assert_int_equal(truncate(path_of(name, path), 1), 0);
}

static void replace(const char *name)
{
	char from[256], to[256];

	put("other.part", "[image]\nboard = another\n");
	assert_int_equal(rename(path_of("other.part", from), path_of(name, to)), 0);
}

static void take_away(const char *name)
{
	char path[256];

	assert_int_equal(unlink(path_of(name, path)), 0);
}

static void swap_folder(const char *name)
{
	char from[256], to[256];

	(void)name;
	assert_int_equal(rename(path_of("now", from), path_of("then", to)), 0);
	assert_int_equal(rename(path_of("next", from), path_of("now", to)), 0);
}

static void leave(const char *name)
{
	put("now/gate-3.0.hex.part", name);
}

/* Else bytes of one moment would be used under what another moment's names and manifest said. */
static void faults_25_and_26_what_is_loaded_is_what_was_chosen(void **state)
{
	static const struct {
		const char *what;
		void (*change)(const char *name);
		const char *name;
		int result;
	} rows[] = {
		{"nothing", leave, "nobody's", LIBRARY_OK},
		{"the image is cut short", cut_short, "now/gate-2.0.hex", -ESTALE},
		{"another image", replace, "now/gate-2.0.hex", -ESTALE},
		{"no image", take_away, "now/gate-2.0.hex", -ESTALE},
		{"another manifest, for another board", replace, "now/gate-2.0.hex.ini", -ESTALE},
		{"an empty manifest", cut_short, "now/gate-2.0.hex.ini", -ESTALE},
		{"no manifest", take_away, "now/gate-2.0.hex.ini", -ESTALE},
		{"a signature", replace, "now/gate-2.0.hex.minisig", -ESTALE},
		{"a manifest's signature", replace, "now/gate-2.0.hex.ini.minisig", -ESTALE},
		{"the whole folder", swap_folder, "", -ESTALE},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct library_query query = {
			.directory = images, .glob = "now/gate-*.hex", .board = "gate"};
		CLEANUP(library_choice_done) struct library_choice choice = {};
		CLEANUP(library_item_done) struct library_item item = {};
		struct reason reason = {};
		int r;

		empty_images();
		put("now/gate-2.0.hex", "abc");
		put("now/gate-2.0.hex.ini", "[image]\nboard = gate\n");
		put("next/gate-2.0.hex", "abd");
		assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_OK);
		rows[i].change(rows[i].name);
		query.stamp = choice.stamp;
		r = library_load(&query, choice.name, 1000, &item, &reason);
		if (r != rows[i].result)
			fail_msg("%s: got %d, '%s'", rows[i].what, r, reason.text);
		if (r == -ESTALE)
			assert_non_null(strstr(reason.text, "changed after it was chosen"));
	}
}

/* The manifest, or its signature, may be of the version before. */
static void fault_27_files_that_contradict_one_another_are_awaited_while_they_are_new(void **state)
{
	struct library_query query = {.directory = images, .glob = "gate-*.hex", .board = "gate"};
	CLEANUP(library_choice_done) struct library_choice choice = {};
	CLEANUP(library_item_done) struct library_item item = {};
	struct reason reason = {};
	(void)state;

	put("gate-2.0.hex", "abc");
	put("gate-2.0.hex.ini",
		"[image]\nsha256 = "
		"0123456789012345678901234567890123456789012345678901234567890123\n");
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_OK);
	assert_int_equal(library_load(&query, choice.name, 1000, &item, &reason), LIBRARY_REFUSED);
	query.stamp = choice.stamp;
	assert_int_equal(library_load(&query, choice.name, 1000, &item, &reason), -ESTALE);
	assert_non_null(strstr(reason.text, "the manifest says 0123456789012345"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_IMAGES(fault_33_what_others_may_write_is_refused),
		IN_IMAGES(fault_27_what_was_just_written_is_awaited),
		IN_IMAGES(fault_27_what_may_follow_an_image_is_awaited),
		IN_IMAGES(fault_27_an_open_file_is_awaited_however_old),
		IN_IMAGES(an_image_is_another_when_any_of_its_files_is),
		IN_IMAGES(faults_25_and_26_what_is_loaded_is_what_was_chosen),
		IN_IMAGES(
			fault_27_files_that_contradict_one_another_are_awaited_while_they_are_new),
		IN_IMAGES(no_descriptor_was_left_open),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
