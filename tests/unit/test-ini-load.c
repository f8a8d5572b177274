/* SPDX-License-Identifier: MIT */
/*
 * test-ini-load.c - files and directories of them: in order, bounded, and named where they cannot
 * be read.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ini.h"
#include "unit/folder.h"
#include "unit/problems.h"
#include "unit/rows.h"

static void files_of_a_directory_are_read_in_name_order(void **state)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};

	(void)state;
	make_directory("order");
	put_text("order/20-b.conf", "[b]\n");
	put_text("order/10-a.conf", "[a]\n");
	put_text("order/9.conf", "[c]\n");
	put_text("order/30.conf~", "junk\n");
	put_text("order/.30.conf", "junk\n");
	put_text("order/.conf", "junk\n");
	put_text("order/README", "junk\n");
	assert_int_equal(ini_load_directory(&ini, in_folder("order"), &problems), 0);
	assert_int_equal(problems.n_items, 0);
	assert_int_equal(ini.n_sections, 3);
	assert_string_equal(ini.sections[0].kind, "a");
	assert_string_equal(ini.sections[1].kind, "b");
	assert_string_equal(ini.sections[2].kind, "c");
}

static void a_missing_directory_is_none(void **state)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};

	(void)state;
	assert_int_equal(ini_load_directory(&ini, in_folder("missing"), &problems), 0);
	assert_int_equal(problems.n_items, 0);
}

static void a_file_in_the_place_of_a_directory_is_named(void **state)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};

	(void)state;
	put_text("file", "");
	assert_int_equal(ini_load_directory(&ini, in_folder("file"), &problems), -ENOTDIR);
	assert_int_equal(problems.n_items, 1);
	assert_string_equal(problems.items[0].file, in_folder("file"));
}

/* Root may read everything: names that lead nowhere fail for everybody. */
static void what_cannot_be_read_is_named_and_the_rest_is_read(void **state)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;
	const char *path;
	char want[1500];

	(void)state;
	make_directory("broken");
	assert_int_equal(symlink("10.conf", in_folder("broken/10.conf")), 0);
	make_directory("broken/20.conf");
	assert_int_equal(mkfifo(in_folder("broken/30.conf"), 0600), 0);
	assert_int_equal(symlink("nowhere", in_folder("broken/40.conf")), 0);
	put_text("broken/50.conf", "[a]\n");
	path = in_folder("broken");
	assert_int_equal(ini_load_directory(&ini, path, &problems), -ELOOP);
	assert_int_equal(ini.n_sections, 1);
	refused = dump_problems(&problems, NULL);
	snprintf(want, sizeof(want),
		"%s/10.conf: cannot be read: %s\n%s/20.conf: is not a regular file\n"
		"%s/30.conf: is not a regular file\n%s/40.conf: cannot be read: %s\n",
		path, strerror(ELOOP), path, path, path, strerror(ENOENT));
	assert_string_equal(refused, want);
}

static void a_file_without_permission_is_named(void **state)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	const uid_t nobody = 65534;
	uid_t me = geteuid();
	const char *path = in_folder("secret.conf");
	int r;

	(void)state;
	put_text("secret.conf", "[a]\n");
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	if (me == 0)
		assert_int_equal(seteuid(nobody), 0);
	r = ini_load_file(&ini, path, &problems);
	if (me == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EACCES);
	assert_int_equal(problems.n_items, 1);
	assert_string_equal(problems.items[0].file, path);
	assert_string_equal(problems.items[0].message, "cannot be read: Permission denied");
}

static void fault_48_a_file_too_large_is_refused_where_it_is(void **state)
{
	char *text CLEANUP(freep) = malloc(INI_FILE_BYTES + 100);
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	const char *path = in_folder("large.conf");

	(void)state;
	memset(text, '\n', INI_FILE_BYTES + 100);
	put_bytes("large.conf", text, INI_FILE_BYTES);
	assert_int_equal(ini_load_file(&ini, path, &problems), 0);
	assert_int_equal(problems.n_items, 0);
	memset(text + 10, '#', INI_FILE_BYTES);
	put_bytes("large.conf", text, INI_FILE_BYTES + 1);
	assert_int_equal(ini_load_file(&ini, path, &problems), 0);
	assert_int_equal(problems.n_items, 1);
	assert_int_equal(problems.items[0].line, 11);
	assert_string_equal(
		problems.items[0].message, "the file is larger than 1048576 bytes here");
}

int main(void)
{
	struct CMUnitTest tests[16];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, files_of_a_directory_are_read_in_name_order);
	ADD_TEST(tests, n_tests, a_missing_directory_is_none);
	ADD_TEST(tests, n_tests, a_file_in_the_place_of_a_directory_is_named);
	ADD_TEST(tests, n_tests, what_cannot_be_read_is_named_and_the_rest_is_read);
	ADD_TEST(tests, n_tests, a_file_without_permission_is_named);
	ADD_TEST(tests, n_tests, fault_48_a_file_too_large_is_refused_where_it_is);
	return _cmocka_run_group_tests("ini-load", tests, n_tests, folder_make, folder_remove);
}
