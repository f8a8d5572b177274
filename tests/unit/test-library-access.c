/* SPDX-License-Identifier: MIT */
/* Whether the service's user can read an image, by the mode bits of its files and folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/image-directory.h"

#define OTHER 12345

static const struct row {
	const char *what;
	mode_t directory, folder, image, manifest;
	uid_t uid;
	bool is_of_group;
	const char *refused; /* a part of the reason; NULL: it is taken */
} rows[] = {
	{"all can read", 0755, 0755, 0644, 0644, OTHER, false, NULL},
	{"the file is its owner's", 0755, 0755, 0600, 0644, OTHER, false,
		"the file 'gate-1.0.hex' is not readable for the user other (chmod 644)"},
	{"so is the manifest", 0755, 0755, 0644, 0600, OTHER, false,
		"the file 'gate-1.0.hex.ini' is not readable for the user other (chmod 644)"},
	{"the folder cannot be entered", 0755, 0744, 0644, 0644, OTHER, false,
		"the folder 'gate' is not readable for the user other (chmod 755)"},
	{"a folder that can be entered and not read", 0755, 0711, 0644, 0644, OTHER, false, NULL},
	{"an image directory that cannot be read", 0711, 0755, 0644, 0644, OTHER, false,
		"/images' is not readable for the user other (chmod 755)"},
	{"the group can read", 0750, 0750, 0640, 0640, OTHER, true, NULL},
	{"the others can, the group cannot", 0755, 0755, 0604, 0644, OTHER, true,
		"the file 'gate-1.0.hex' is not readable"},
	{"root can read everything", 0700, 0700, 0600, 0600, 0, false, NULL},
};

static void set_mode(const char *name, mode_t mode)
{
	char path[256];

	assert_int_equal(chmod(path_of(name, path), mode), 0);
}

static void an_image_is_read_by_the_service_or_refused(void **state)
{
	(void)state;
	assert_int_equal(chmod(root, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		const gid_t group = getegid();
		const struct library_reader reader = {"other", row->uid, &group, row->is_of_group};
		const struct library_query query = {.directory = images,
			.glob = "gate/gate-*",
			.board = "gate",
			.reader = &reader};
		CLEANUP(library_choice_done) struct library_choice choice = {};
		struct reason reason = {""};
		int r;

		empty_images();
		put("gate/gate-1.0.hex", "abc");
		put_manifest("gate/gate-1.0.hex", "version = 1.0");
		set_mode("gate/gate-1.0.hex", row->image);
		set_mode("gate/gate-1.0.hex.ini", row->manifest);
		set_mode("gate", row->folder);
		set_mode(".", row->directory);
		r = library_choose(&query, &choice, &reason);
		if (r != (row->refused ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(row->refused && !strstr(reason.text, row->refused)))
			fail_msg("%s: %d '%s'", row->what, r, reason.text);
		set_mode(".", 0755);
		set_mode("gate", 0755);
	}
}

/* As the service does for itself; root cannot be refused by mode bits. */
static void what_this_process_may_not_read_is_a_bad_image(void **state)
{
	const struct library_query query = {.directory = images, .glob = "gate-*", .board = "gate"};
	CLEANUP(library_choice_done) struct library_choice choice = {};
	CLEANUP(library_item_done) struct library_item item = {};
	struct reason reason = {""};

	(void)state;
	assert_int_equal(chmod(root, 0755), 0);
	put("gate-1.0.hex", "abc");
	set_mode("gate-1.0.hex", 0200);
	assert_int_equal(setenv("USER", "gatekeeper", 1), 0);
	if (geteuid() == 0)
		assert_int_equal(setresuid(OTHER, OTHER, 0), 0);
	assert_int_equal(library_choose(&query, &choice, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "not readable for the user gatekeeper (chmod 644)"));
	assert_int_equal(load("gate-1.0.hex", &item, &reason), LIBRARY_REFUSED);
	assert_non_null(strstr(reason.text, "not readable for the user gatekeeper (chmod 644)"));
	if (geteuid() == OTHER)
		assert_int_equal(setresuid(0, 0, 0), 0);
}

static void give(const char *name, uid_t owner)
{
	char path[256];

	assert_int_equal(chown(path_of(name, path), owner, 0), 0);
}

/* Root gave it the folder; where nobody need sign, what lies in there could be anything. */
static void a_fleet_brings_signed_images_into_its_own_folder(void **state)
{
	static const struct {
		const char *what;
		bool require_signature;
		uid_t folder, image;
		const char *refused;
	} cases[] = {
		{"its own", true, OTHER, OTHER, NULL},
		{"root's", true, OTHER, 0, NULL},
		{"somebody else's", true, OTHER, OTHER + 1, "the file belongs to the user"},
		{"in a folder of root", true, 0, OTHER, "the file belongs to the user"},
		{"unsigned", false, OTHER, OTHER, "the folder belongs to the user"},
	};
	(void)state;

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(library_choice_done) struct library_choice choice = {};
		const struct library_query query = {
			.directory = images,
			.glob = "fleet/gate-*.hex",
			.require_signature = cases[i].require_signature,
		};
		struct reason reason = {""};
		int r;

		empty_images();
		put("fleet/gate-1.0.hex", "abc");
		put("fleet/gate-1.0.hex.minisig", "abc");
		give("fleet", cases[i].folder);
		give("fleet/gate-1.0.hex", cases[i].image);
		r = library_choose(&query, &choice, &reason);
		if (r != (cases[i].refused ? LIBRARY_REFUSED : LIBRARY_OK) ||
			(cases[i].refused && !strstr(reason.text, cases[i].refused)))
			fail_msg("%s: %d '%s'", cases[i].what, r, reason.text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_IMAGES(an_image_is_read_by_the_service_or_refused),
		IN_IMAGES(a_fleet_brings_signed_images_into_its_own_folder),
		IN_IMAGES(what_this_process_may_not_read_is_a_bad_image),
	};

	return cmocka_run_group_tests(tests, note_descriptors, NULL);
}
