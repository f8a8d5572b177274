/* SPDX-License-Identifier: MIT */
/*
 * test-store-users.c - the store and four users: its service, a member of the group, a stranger and
 * root. Each is a child process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>

#include "unit/store-bench.h"

/* Numbers that no account of a test machine has. */
#define SERVICE	 54321
#define STRANGER 54322

struct user {
	const char *name;
	uid_t user;
	gid_t group;
	bool may_read;
};

static const struct user service = {"the service", SERVICE, SERVICE, true},
			 member = {"a member of the group", STRANGER, SERVICE, true},
			 stranger = {"a stranger", STRANGER, STRANGER, false},
			 root = {"root", 0, 0, true};

/* The exit status of `what` as that user. */
static int do_as(const struct user *user, int (*what)(const void *data), const void *data)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (user->user != 0 &&
			(setgroups(0, NULL) < 0 ||
				setresgid(user->group, user->group, user->group) < 0 ||
				setresuid(user->user, user->user, user->user) < 0))
			_exit(99);
		_exit(what(data));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int begin(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	/* The folder lets everybody in here: the files must do by themselves. */
	return mkdir(in_folder("state"), 0755) < 0 || chmod(folder, 0755) < 0 ||
			       chmod(in_folder("state"), 0755) < 0 ||
			       chown(in_folder("state"), SERVICE, SERVICE) < 0
		       ? -1
		       : 0;
}

static int end(void **state)
{
	(void)state;
	(void)nftw(in_folder("state"), folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* ----------------------------------------------------------------------- what users do */

/* Leaves it as a service does that was killed: with its log. */
static int write_store(const void *mask)
{
	const struct store_unit unit = make_unit(1, 1, UNIT_WHOLE);
	struct reason reason = {0};
	struct store *store;

	umask(*(const mode_t *)mask);
	if (store_open(in_folder("state"), &store, &reason) != STORE_OK)
		return 1;
	return save_rows(store, &unit, NULL, &reason) == 0 ? 0 : 2;
}

static int count_one(void *userdata, const struct store_unit *unit)
{
	(void)unit;
	++*(unsigned *)userdata;
	return 0;
}

/* 0, EACCES, or another. */
static int read_store(const void *data)
{
	const struct store_filter filter = {0};
	struct reason reason = {0};
	struct store *store;
	unsigned n = 0;
	int r = store_open_to_read(in_folder("state"), &store, &reason);

	(void)data;
	if (r == 0)
		r = store_list_units(store, &filter, count_one, &n, &reason);
	return r < 0 ? -r : n == 1 ? 0 : 1;
}

/* How many of its files can be opened, read or write. */
static int open_files(const void *data)
{
	DIR *open_folder = opendir(in_folder("state"));
	struct dirent *entry;
	int n = 0;

	(void)data;
	while (open_folder && (entry = readdir(open_folder)))
		n += entry->d_name[0] != '.' &&
		     openat(dirfd(open_folder), entry->d_name, O_RDONLY) >= 0;
	return n;
}

static void expect_modes(void)
{
	DIR *open_folder = opendir(in_folder("state"));
	struct dirent *entry;
	struct stat found;
	unsigned n = 0;

	assert_non_null(open_folder);
	while ((entry = readdir(open_folder))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_int_equal(fstatat(dirfd(open_folder), entry->d_name, &found, 0), 0);
		if ((found.st_mode & 07777) != 0640)
			fail_msg("%s: %03o", entry->d_name, (unsigned)found.st_mode & 07777);
		n++;
	}
	closedir(open_folder);
	assert_int_equal(n, 4);
}

/* ------------------------------------------------------------------------------- tests */

static void a_stranger_can_open_nothing_and_a_member_reads(void **state)
{
	static const struct user *const users[] = {&service, &member, &stranger, &root};
	static const mode_t masks[] = {0, 0022, 0077};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		assert_int_equal(do_as(&service, write_store, &masks[i]), 0);
		expect_modes();
		for (size_t j = 0; j < ARRAY_SIZE(users); j++) {
			int r = do_as(users[j], read_store, NULL);
			int n = do_as(users[j], open_files, NULL);

			if (r != (users[j]->may_read ? 0 : EACCES) ||
				n != (users[j]->may_read ? 4 : 0))
				fail_msg("%s: %s, %d files", users[j]->name, strerror(r), n);
		}
		end(state);
		begin(state);
	}
}

/* As an earlier version left it, with a stranger who has it open since. */
static void what_was_open_to_all_is_closed_at_the_start(void **state)
{
	static const char *const names[] = {"plugflash.db", "plugflash.db-wal", "plugflash.db-shm",
		"plugflash.lock", "plugflash.db.damaged-20250101T000000Z"};
	static const mode_t mask = 0022;
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	char path[300];
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(do_as(&service, write_store, &mask), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/state/%s", folder, names[i]);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		assert_int_equal(chown(path, SERVICE, SERVICE), 0);
		assert_int_equal(chmod(path, 0644), 0);
	}
	/* All of the log's shared memory, as a reader may lock it. */
	fd = open(in_folder("state/plugflash.db-shm"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	assert_int_equal(do_as(&service, write_store, &mask), 0);
	assert_int_equal(do_as(&stranger, read_store, NULL), EACCES);
	assert_int_equal(do_as(&stranger, open_files, NULL), 0);
	assert_int_equal(do_as(&member, read_store, NULL), 0);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_stranger_can_open_nothing_and_a_member_reads, begin, end),
		cmocka_unit_test_setup_teardown(
			what_was_open_to_all_is_closed_at_the_start, begin, end),
	};

	umask(0022);
	return cmocka_run_group_tests_name("store-users", tests, folder_make, folder_remove);
}
