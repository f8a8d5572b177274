/* SPDX-License-Identifier: MIT */
/* The watch of the image directory, in virtual time: what is told at once, and what is looked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/copy.h"
#include "service/watch.h"
#include "unit/folder.h"
#include "unit/virtual-clock.h"

static sd_event *event;
static struct watch *watch;
static unsigned n_told;

static void on_change(void *userdata)
{
	(void)userdata;
	n_told++;
}

/* Everything that is due, and what the kernel has told of, which it has when a call returns. */
static void run(void)
{
	int r;

	while ((r = sd_event_run(event, 0)) > 0)
		;
	assert_int_equal(r, 0);
}

/* How often a change was told since the last call, in the time that passes now. */
static unsigned told_in(uint64_t usec)
{
	unsigned before;

	run();
	clock_move(usec);
	run();
	before = n_told;
	n_told = 0;
	return before;
}

static int set_up(void **state)
{
	const struct watch_callbacks callbacks = {.on_change = on_change};

	(void)state;
	assert_int_equal(mkdir(in_folder("images"), 0755), 0);
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(watch_new(event, &callbacks, &watch), 0);
	assert_int_equal(watch_set_directory(watch, in_folder("images")), 0);
	n_told = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	watch = watch_free(watch);
	event = sd_event_unref(event);
	return nftw(folder, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0 ? mkdir(folder, 0755)
									       : -1;
}

static void a_file_is_told_of_once_it_is_calm(void **state)
{
	(void)state;

	assert_true(watch_last_change_usec(watch) < monotonic_usec());
	put_text("images/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC - 1), 0);
	assert_int_equal(watch_last_change_usec(watch), monotonic_usec() - (COPY_CALM_USEC - 1));
	assert_int_equal(told_in(1), 1);
	assert_int_equal(told_in(60 * USEC_PER_SEC), 0);
}

static void changes_without_end_are_told_of_after_three_seconds(void **state)
{
	unsigned n = 0;
	(void)state;

	for (unsigned i = 0; i < 31; i++) {
		put_text("images/gate.hex", "abc");
		n += told_in(100 * USEC_PER_MSEC);
	}
	assert_int_equal(n, 1);
}

static void a_wait_ends_with_a_look(void **state)
{
	(void)state;

	watch_look_again(watch, 2 * USEC_PER_SEC);
	watch_look_again(watch, USEC_PER_SEC);
	assert_int_equal(told_in(USEC_PER_SEC - 1), 0);
	assert_int_equal(told_in(1), 1);
	assert_int_equal(told_in(2 * USEC_PER_SEC), 0);
}

/* rsync writes '.gate.bin.x7Kq2f', a browser 'gate.bin.part'. */
static void a_file_is_being_replaced_under_the_name_of_a_copy_under_way(void **state)
{
	static const struct {
		const char *written;
		bool is_of_gate;
	} rows[] = {
		{".gate.bin.x7Kq2f", true},
		{"gate.bin.part", true},
		{"gate.bin", false},
		{"gate.bin.old", false},
		{".door.bin.x7Kq2f", false},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[64];
		int fd;

		snprintf(name, sizeof(name), "images/%s", rows[i].written);
		fd = open(in_folder(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		/* rsync keeps the first bytes to itself. */
		run();
		assert_int_equal(watch_is_being_replaced(watch, "gate.bin"), rows[i].is_of_gate);
		clock_move(COPY_EMPTY_USEC);
		assert_false(watch_is_being_replaced(watch, "gate.bin"));
		assert_int_equal(write(fd, "a", 1), 1);
		run();
		assert_int_equal(watch_is_being_replaced(watch, "gate.bin"), rows[i].is_of_gate);
		clock_move(COPY_EMPTY_USEC);
		assert_int_equal(watch_is_being_replaced(watch, "gate.bin"), rows[i].is_of_gate);
		/* Of that name in a folder that is not watched nothing is known. */
		assert_false(watch_is_being_replaced(watch, "a/gate.bin"));
		close(fd);
		run();
		assert_false(watch_is_being_replaced(watch, "gate.bin"));
	}
}

/* As a link is put in the place of another: it is made, and never written to. */
static void a_link_that_is_renamed_is_not_being_written(void **state)
{
	char from[300];
	(void)state;

	snprintf(from, sizeof(from), "%s", in_folder("images/.current"));
	assert_int_equal(symlink("gate.bin", from), 0);
	run();
	assert_true(watch_is_being_replaced(watch, "current"));
	assert_int_equal(rename(from, in_folder("images/current")), 0);
	run();
	assert_false(watch_is_being_replaced(watch, "current"));
	assert_false(watch_is_being_written(watch, "current"));
}

static void a_file_counts_as_being_written_until_it_is_closed(void **state)
{
	char path[300];
	int fd;
	(void)state;

	snprintf(path, sizeof(path), "%s", in_folder("images/gate.hex"));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a", 1), 1);
	run();
	assert_true(watch_is_being_written(watch, "gate.hex"));
	assert_false(watch_is_being_written(watch, "door.hex"));
	assert_int_equal(rename(path, in_folder("images/gate-2.hex")), 0);
	run();
	assert_false(watch_is_being_written(watch, "gate.hex"));
	assert_true(watch_is_being_written(watch, "gate-2.hex"));
	close(fd);
	run();
	assert_false(watch_is_being_written(watch, "gate-2.hex"));
}

static void a_directory_that_goes_and_comes_is_told_of(void **state)
{
	char images[300];
	(void)state;

	snprintf(images, sizeof(images), "%s", in_folder("images"));
	assert_int_equal(watch_error(watch), 0);
	assert_int_equal(rename(images, in_folder("away")), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	assert_int_equal(watch_error(watch), -ENOENT);
	assert_int_equal(told_in(60 * USEC_PER_SEC), 0);
	/* No inotify tells of that. */
	assert_int_equal(rename(in_folder("away"), images), 0);
	assert_int_equal(told_in(COPY_RESCAN_USEC), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	assert_int_equal(watch_error(watch), 0);
	put_text("images/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
}

static void a_link_that_leads_elsewhere_is_told_of(void **state)
{
	(void)state;

	assert_int_equal(mkdir(in_folder("one"), 0755), 0);
	assert_int_equal(mkdir(in_folder("two"), 0755), 0);
	assert_int_equal(symlink("one", in_folder("link")), 0);
	assert_int_equal(watch_set_directory(watch, in_folder("link")), 0);
	assert_int_equal(unlink(in_folder("link")), 0);
	assert_int_equal(symlink("two", in_folder("link")), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	put_text("one/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 0);
	put_text("two/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
}

static void a_parent_that_is_replaced_is_told_of(void **state)
{
	char parent[300];
	(void)state;

	snprintf(parent, sizeof(parent), "%s", in_folder("parent"));
	assert_int_equal(mkdir(parent, 0755), 0);
	assert_int_equal(mkdir(in_folder("parent/images"), 0755), 0);
	assert_int_equal(mkdir(in_folder("new"), 0755), 0);
	assert_int_equal(mkdir(in_folder("new/images"), 0755), 0);
	assert_int_equal(watch_set_directory(watch, in_folder("parent/images")), 0);
	assert_int_equal(rename(parent, in_folder("old")), 0);
	assert_int_equal(rename(in_folder("new"), parent), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	put_text("old/images/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 0);
	put_text("parent/images/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
}

static void a_link_on_the_way_that_is_replaced_is_told_of(void **state)
{
	char link[300], target[300];
	(void)state;

	assert_int_equal(mkdir(in_folder("one"), 0755), 0);
	assert_int_equal(mkdir(in_folder("one/images"), 0755), 0);
	assert_int_equal(mkdir(in_folder("two"), 0755), 0);
	assert_int_equal(mkdir(in_folder("two/images"), 0755), 0);
	snprintf(link, sizeof(link), "%s", in_folder("link"));
	snprintf(target, sizeof(target), "%s", in_folder("two"));
	/* An absolute one over a relative one. */
	assert_int_equal(symlink(in_folder("first"), link), 0);
	assert_int_equal(symlink("one", in_folder("first")), 0);
	assert_int_equal(watch_set_directory(watch, in_folder("link/images")), 0);
	assert_int_equal(watch_error(watch), 0);
	assert_int_equal(symlink(target, in_folder("next")), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 0);
	assert_int_equal(rename(in_folder("next"), in_folder("first")), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	put_text("two/images/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
}

static void a_folder_below_another_that_is_replaced_is_told_of(void **state)
{
	char middle[300];
	(void)state;

	assert_int_equal(mkdir(in_folder("images/a"), 0755), 0);
	assert_int_equal(mkdir(in_folder("images/a/b"), 0755), 0);
	snprintf(middle, sizeof(middle), "%s", in_folder("images/a/b"));
	assert_int_equal(mkdir(in_folder("images/a/b/c"), 0755), 0);
	watch_add_folder(watch, "a/b/c");
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	assert_int_equal(rename(middle, in_folder("images/a/x")), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
}

/* In a namespace of its own, in a child: whether that was possible here. */
static bool mounts_are_told_of(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	/* The list of mounts is that of the namespace in which it was opened. */
	(void)tear_down(NULL);
	assert_int_equal(set_up(NULL), 0);
	assert_int_equal(mount("none", in_folder("images"), "tmpfs", 0, "size=64k"), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	put_text("images/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	assert_int_equal(umount2(in_folder("images"), MNT_DETACH), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	return true;
}

static void a_mount_is_told_of(void **state)
{
	int status;
	pid_t child = fork();
	(void)state;

	assert_true(child >= 0);
	if (child == 0)
		_exit(mounts_are_told_of() ? 0 : 77);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* How often something of the watch runs in that time. */
static unsigned woken_in(uint64_t usec)
{
	unsigned n = 0;
	int r;

	run();
	clock_move(usec);
	while ((r = sd_event_run(event, 0)) > 0)
		n++;
	assert_int_equal(r, 0);
	return n;
}

static void only_a_missing_directory_is_looked_for_by_time(void **state)
{
	(void)state;

	assert_int_equal(woken_in(3600 * USEC_PER_SEC), 0);
	assert_int_equal(rmdir(in_folder("images")), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	assert_true(woken_in(2 * COPY_RESCAN_USEC) > 0);
	assert_true(woken_in(2 * COPY_RESCAN_USEC) > 0);
	assert_int_equal(mkdir(in_folder("images"), 0755), 0);
	(void)woken_in(2 * COPY_RESCAN_USEC);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	assert_int_equal(woken_in(3600 * USEC_PER_SEC), 0);
}

static void folders_are_watched_that_a_choice_looked_into(void **state)
{
	(void)state;

	assert_int_equal(mkdir(in_folder("images/a"), 0755), 0);
	assert_int_equal(mkdir(in_folder("images/b"), 0755), 0);
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	watch_add_folder(watch, "a");
	watch_add_folder(watch, "../b"); /* which no choice can have said */
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
	watch_add_folder(watch, "a");
	assert_int_equal(told_in(COPY_CALM_USEC), 0);
	put_text("images/b/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 0);
	put_text("images/a/gate.hex", "abc");
	assert_int_equal(told_in(COPY_CALM_USEC), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
		TEST(a_file_is_told_of_once_it_is_calm),
		TEST(changes_without_end_are_told_of_after_three_seconds),
		TEST(a_wait_ends_with_a_look),
		TEST(a_file_is_being_replaced_under_the_name_of_a_copy_under_way),
		TEST(a_link_that_is_renamed_is_not_being_written),
		TEST(a_file_counts_as_being_written_until_it_is_closed),
		TEST(a_directory_that_goes_and_comes_is_told_of),
		TEST(a_link_that_leads_elsewhere_is_told_of),
		TEST(a_parent_that_is_replaced_is_told_of),
		TEST(a_link_on_the_way_that_is_replaced_is_told_of),
		TEST(a_folder_below_another_that_is_replaced_is_told_of),
		TEST(a_mount_is_told_of),
		TEST(only_a_missing_directory_is_looked_for_by_time),
		TEST(folders_are_watched_that_a_choice_looked_into),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
