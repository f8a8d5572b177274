/* SPDX-License-Identifier: MIT */
/*
 * Files that are there in full or not at all, and what takes them back. The command's objects are
 * in no archive: its file is part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a file system that knows no RENAME_NOREPLACE. */
static bool is_on_a_network;

static int rename_there(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	if (!is_on_a_network)
		return renameat2(from_at, from, to_at, to, flags);
	errno = EINVAL;
	return -1;
}

#define renameat2 rename_there
#include "cli/made.c"

static char folder[] = "/tmp/plugflash-made-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[4][200];
	static unsigned n;
	char *to = path[n++ % 4];

	snprintf(to, sizeof(path[0]), "%s%s%s", folder, *name ? "/" : "", name);
	return to;
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	return lstat(path_of(name), &status) == 0 ? status.st_mode & 07777 : 0;
}

static unsigned n_entries(const char *name)
{
	CLEANUP(closedirp) DIR *directory = opendir(path_of(name));
	unsigned n = 0;

	assert_non_null(directory);
	while (readdir(directory))
		n++;
	return n - 2;
}

static int set_up(void **state)
{
	(void)state;
	umask(077);
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	umask(022);
	return rmdir(folder);
}

static void modes_are_those_of_the_service_whatever_the_umask_is(void **state)
{
	struct made made = {0};

	(void)state;
	assert_int_equal(made_folder(&made, path_of("a/b")), 0);
	assert_int_equal(made_file(&made, path_of("a/b/c"), "text", 4), 0);
	assert_int_equal(mode_of("a"), 0755);
	assert_int_equal(mode_of("a/b"), 0755);
	assert_int_equal(mode_of("a/b/c"), 0644);
	/* And nothing of another name is left beside it. */
	assert_int_equal(n_entries("a/b"), 1);
	made_undo(&made);
	assert_int_equal(n_entries(""), 0);
}

static void what_is_there_is_not_replaced_and_not_taken_back(void **state)
{
	struct made first = {0}, second = {0};

	(void)state;
	assert_int_equal(made_folder(&first, path_of("a")), 0);
	assert_int_equal(made_file(&first, path_of("a/b"), "text", 4), 0);
	assert_int_equal(made_folder(&second, path_of("a")), 0);
	assert_int_equal(made_file(&second, path_of("a/b"), "text", 4), 0);
	assert_int_equal(made_file(&second, path_of("a/b"), "next", 4), MADE_OTHER);
	assert_int_equal(made_file(&second, path_of("a/b"), "texts", 5), MADE_OTHER);
	assert_int_equal(made_copy(&second, path_of("a/c"), path_of(""), "a/b"), 0);
	made_undo(&second);
	assert_int_equal(n_entries("a"), 1);
	assert_int_equal(mode_of("a/b"), 0644);
	made_undo(&first);
	assert_int_equal(n_entries(""), 0);
}

/* A folder in which somebody has put something since stays. */
static void what_others_use_stays(void **state)
{
	struct made made = {0}, other = {0};

	(void)state;
	assert_int_equal(made_folder(&made, path_of("a")), 0);
	assert_int_equal(made_file(&other, path_of("a/b"), "", 0), 0);
	made_undo(&made);
	assert_int_equal(n_entries("a"), 1);
	made_undo(&other);
	assert_int_equal(rmdir(path_of("a")), 0);
}

static void links_and_odd_files_are_no_source_and_no_target(void **state)
{
	struct made made = {0};

	(void)state;
	assert_int_equal(made_file(&made, path_of("real"), "text", 4), 0);
	assert_int_equal(symlink("real", path_of("link")), 0);
	/* A link of the wanted name is somebody's, whatever it leads to. */
	assert_int_equal(made_file(&made, path_of("link"), "text", 4), MADE_OTHER);
	assert_int_equal(made_copy(&made, path_of("copy"), path_of(""), "."), -EINVAL);
	assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
	assert_int_equal(made_copy(&made, path_of("copy"), path_of(""), "pipe"), -EINVAL);
	assert_int_equal(made_copy(&made, path_of("copy"), path_of(""), "nothing"), -ENOENT);
	assert_int_equal(made_file(&made, path_of("no/folder"), "", 0), -ENOENT);
	assert_int_equal(mode_of("copy"), 0);
	made_undo(&made);
	assert_int_equal(unlink(path_of("link")), 0);
	assert_int_equal(unlink(path_of("pipe")), 0);
	assert_int_equal(n_entries(""), 0);
}

/* root copies out of a folder of somebody else, and all may read the copy. */
static void what_lies_elsewhere_is_not_copied(void **state)
{
	struct made made = {0};

	(void)state;
	assert_int_equal(made_folder(&made, path_of("theirs/inner")), 0);
	assert_int_equal(made_file(&made, path_of("secret"), "text", 4), 0);
	assert_int_equal(made_file(&made, path_of("theirs/inner/own"), "text", 4), 0);
	assert_int_equal(symlink("../secret", path_of("theirs/link")), 0);
	assert_int_equal(symlink("..", path_of("theirs/out")), 0);
	assert_int_equal(symlink("inner", path_of("theirs/in")), 0);
	assert_int_equal(made_copy(&made, path_of("copy"), path_of("theirs"), "link"), -ELOOP);
	assert_int_equal(
		made_copy(&made, path_of("copy"), path_of("theirs"), "out/secret"), -EXDEV);
	assert_int_equal(made_copy(&made, path_of("copy"), path_of("theirs"), "../secret"), -EXDEV);
	assert_int_equal(mode_of("copy"), 0);
	assert_int_equal(made_copy(&made, path_of("copy"), path_of("theirs"), "in/own"), 0);
	assert_int_equal(unlink(path_of("theirs/link")), 0);
	assert_int_equal(unlink(path_of("theirs/out")), 0);
	assert_int_equal(unlink(path_of("theirs/in")), 0);
	made_undo(&made);
	assert_int_equal(n_entries(""), 0);
}

static void a_directory_on_a_network_is_good_enough(void **state)
{
	(void)state;
	is_on_a_network = true;
	modes_are_those_of_the_service_whatever_the_umask_is(state);
	what_is_there_is_not_replaced_and_not_taken_back(state);
	is_on_a_network = false;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(modes_are_those_of_the_service_whatever_the_umask_is),
	cmocka_unit_test(what_is_there_is_not_replaced_and_not_taken_back),
	cmocka_unit_test(what_others_use_stays),
	cmocka_unit_test(links_and_odd_files_are_no_source_and_no_target),
	cmocka_unit_test(what_lies_elsewhere_is_not_copied),
	cmocka_unit_test(a_directory_on_a_network_is_good_enough),
};

int main(void)
{
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
