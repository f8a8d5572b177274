/* SPDX-License-Identifier: MIT */
/* test-fleet-kept.c - small files of the state directory: whole, or as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "base/util.h"
#include "fleet/kept.h"
#include "unit/folder.h"
#include "unit/rows.h"

static int state_fd = -1;

static int set_up(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	state_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return state_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	close(take_fd(&state_fd));
	return folder_remove(state);
}

static void assert_kept(const char *name, const char *expected)
{
	CLEANUP(freep) char *text = NULL;
	size_t n = 0;

	assert_int_equal(kept_read(state_fd, name, 100, &text, &n), 0);
	assert_int_equal(n, strlen(expected));
	assert_string_equal(text, expected);
}

static void what_is_written_is_read(void **state)
{
	char *text = NULL;
	size_t n;

	(void)state;
	assert_int_equal(kept_read(state_fd, "a", 100, &text, &n), -ENOENT);
	assert_int_equal(kept_write(state_fd, "a", "one", 3), 0);
	assert_kept("a", "one");
	assert_int_equal(kept_write(state_fd, "a", "", 0), 0);
	assert_kept("a", "");
	assert_int_equal(kept_remove(state_fd, "a"), 0);
	assert_int_equal(kept_remove(state_fd, "a"), 0);
	assert_int_equal(kept_read(state_fd, "a", 100, &text, &n), -ENOENT);
}

/* As a process that is killed leaves it. */
static void one_that_was_not_finished_is_no_file(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(kept_write(state_fd, "b", "before", 6), 0);
	fd = openat(state_fd, "b.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write_whole(fd, "a longer one than all", 21), 0);
	close(fd);
	assert_kept("b", "before");
	assert_int_equal(kept_write(state_fd, "b", "after", 5), 0);
	assert_kept("b", "after");
	assert_int_equal(faccessat(state_fd, "b.new", F_OK, 0), -1);
}

static void a_write_that_fails_leaves_the_one_before(void **state)
{
	(void)state;
	assert_int_equal(kept_write(state_fd, "c", "before", 6), 0);
	/* A folder in the place of the temporary name. */
	assert_int_equal(mkdirat(state_fd, "c.new", 0700), 0);
	assert_int_equal(kept_write(state_fd, "c", "after", 5), -EISDIR);
	assert_kept("c", "before");
	assert_int_equal(kept_write(-1, "c", "after", 5), -EBADF);
}

static void one_too_large_or_no_file_is_refused(void **state)
{
	char *text = NULL;
	size_t n;

	(void)state;
	assert_int_equal(kept_write(state_fd, "d", "123456", 6), 0);
	assert_int_equal(kept_read(state_fd, "d", 5, &text, &n), -EFBIG);
	assert_int_equal(kept_read(state_fd, "d", 6, &text, &n), 0);
	free(TAKE_PTR(text));
	assert_int_equal(symlinkat("d", state_fd, "link"), 0);
	assert_int_equal(kept_read(state_fd, "link", 100, &text, &n), -ENXIO);
	assert_int_equal(mkfifoat(state_fd, "pipe", 0600), 0);
	assert_int_equal(kept_read(state_fd, "pipe", 100, &text, &n), -ENXIO);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(one_that_was_not_finished_is_no_file),
		cmocka_unit_test(a_write_that_fails_leaves_the_one_before),
		cmocka_unit_test(one_too_large_or_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
