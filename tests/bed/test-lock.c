/* SPDX-License-Identifier: MIT */
/*
 * test-lock.c - one user for a port at a time, whichever of the three ways the other one has. Needs
 * of the bed no more than its own /run/lock: a pseudo-terminal is locked as any tty is.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "device/lock.h"
#include "unit/rows.h"

struct tty {
	int master, fd;
	char path[64];
	char file[64]; /* of the lock, by the manner of UUCP */
};

static int set_up(void **state)
{
	static struct tty tty;
	const char *name;

	tty.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty.master < 0 || grantpt(tty.master) < 0 || unlockpt(tty.master) < 0 ||
		ptsname_r(tty.master, tty.path, sizeof(tty.path)) != 0)
		return -1;
	tty.fd = open(tty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	name = strrchr(tty.path, '/') + 1;
	snprintf(tty.file, sizeof(tty.file), "/run/lock/LCK..%s", name);
	*state = &tty;
	return tty.fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct tty *tty = *state;

	(void)unlink(tty->file);
	close(tty->fd);
	close(tty->master);
	return 0;
}

static void write_lock_file(const struct tty *tty, const void *text, size_t n)
{
	CLEANUP(closep) int fd = open(tty->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, n), n);
}

static void assert_own_lock_file(const struct tty *tty)
{
	CLEANUP(closep) int fd = open(tty->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[32] = "", expected[32];

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	snprintf(expected, sizeof(expected), "%10d\n", (int)getpid());
	assert_string_equal(text, expected);
}

static void assert_acquired(const struct tty *tty)
{
	struct reason reason = {""};
	struct lock *lock = NULL;
	int is_exclusive = 0;

	assert_int_equal(lock_check(tty->path, &reason), 0);
	assert_int_equal(lock_acquire(tty->path, tty->fd, &lock, &reason), 0);
	assert_string_equal(reason.text, "");
	assert_own_lock_file(tty);
	assert_int_equal(ioctl(tty->fd, TIOCGEXCL, &is_exclusive), 0);
	assert_true(is_exclusive);
	assert_null(lock_release(lock));
	assert_int_equal(access(tty->file, F_OK), -1);
	assert_int_equal(ioctl(tty->fd, TIOCGEXCL, &is_exclusive), 0);
	assert_false(is_exclusive);
}

/* Busy, and the sentence names the path and has this in it. */
static void assert_busy(const struct tty *tty, const char *part)
{
	struct reason reason = {""};
	struct lock *lock = NULL;

	assert_int_equal(lock_acquire(tty->path, tty->fd, &lock, &reason), -EBUSY);
	assert_null(lock);
	assert_non_null(strstr(reason.text, tty->path));
	if (!strstr(reason.text, part))
		fail_msg("'%s' has no '%s' in it", reason.text, part);
}

/* ------------------------------------------------------------------ other users */

enum {
	HOLDS_OPEN,
	HOLDS_FLOCK = 1,
	HOLDS_EXCLUSIVELY = 2,
	HOLDS_NOTHING = 4,
	HOLDS_HIDDEN = 8, /* its descriptors cannot be seen, as another user's */
};

static _Noreturn void hold(const struct tty *tty, unsigned how, const char *name, int ready)
{
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	/* What was inherited is not the holder's own. */
	close(tty->fd);
	if (!(how & HOLDS_NOTHING))
		fd = open(tty->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (how & HOLDS_FLOCK && flock(fd, LOCK_EX) < 0)
		_exit(1);
	if (how & HOLDS_EXCLUSIVELY && ioctl(fd, TIOCEXCL) < 0)
		_exit(1);
	if (how & HOLDS_HIDDEN && prctl(PR_SET_DUMPABLE, 0) < 0)
		_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static pid_t start_holder(const struct tty *tty, unsigned how, const char *name)
{
	char byte;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		hold(tty, how, name, ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

static void end_holder(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void fault_11_a_program_that_has_it_open_is_named(void **state)
{
	const struct tty *tty = *state;
	pid_t child = start_holder(tty, HOLDS_OPEN, "picocom");
	struct reason reason = {""};
	char expected[64], holder[TEXT_MAX];

	snprintf(expected, sizeof(expected), "picocom (%d) has it open", (int)child);
	assert_busy(tty, expected);
	assert_int_equal(lock_check(tty->path, &reason), -EBUSY);
	assert_non_null(strstr(reason.text, expected));
	assert_true(lock_find_holder(tty->path, holder, sizeof(holder)));
	*strchr(expected, ')') = '\0';
	assert_memory_equal(holder, expected, strlen(expected));
	assert_int_equal(access(tty->file, F_OK), -1);
	end_holder(child);
	assert_false(lock_find_holder(tty->path, holder, sizeof(holder)));
	assert_acquired(tty);
}

static void fault_11_a_program_that_locked_it_is_named(void **state)
{
	const struct tty *tty = *state;
	pid_t child = start_holder(tty, HOLDS_FLOCK, "ModemManager");
	char expected[64];

	snprintf(expected, sizeof(expected), "ModemManager (%d) holds its lock", (int)child);
	assert_busy(tty, expected);
	end_holder(child);
	assert_acquired(tty);
}

/* What lets root see the descriptors of all. */
static void set_ptrace(bool is_allowed)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	assert_int_equal(syscall(SYS_capget, &header, sets), 0);
	if (is_allowed)
		sets[0].effective |= sets[0].permitted & 1u << CAP_SYS_PTRACE;
	else
		sets[0].effective &= ~(1u << CAP_SYS_PTRACE);
	assert_int_equal(syscall(SYS_capset, &header, sets), 0);
}

static void fault_11_another_users_program_is_named_by_its_lock(void **state)
{
	const struct tty *tty = *state;
	pid_t child = start_holder(tty, HOLDS_FLOCK | HOLDS_HIDDEN, "picocom");
	pid_t other = start_holder(tty, HOLDS_OPEN | HOLDS_HIDDEN, "cat");
	struct reason reason = {""};
	char expected[64], holder[TEXT_MAX];

	set_ptrace(false);
	snprintf(expected, sizeof(expected), "picocom (%d) holds its lock", (int)child);
	assert_busy(tty, expected);
	assert_int_equal(lock_check(tty->path, &reason), -EBUSY);
	assert_non_null(strstr(reason.text, "picocom"));
	end_holder(child);
	/* Who neither locks nor lets himself be seen is not seen. */
	assert_false(lock_find_holder(tty->path, holder, sizeof(holder)));
	end_holder(other);
	set_ptrace(true);
	assert_acquired(tty);
}

static void a_lock_that_is_refused_leaves_the_other_one_s_alone(void **state)
{
	const struct tty *tty = *state;
	pid_t child = start_holder(tty, HOLDS_EXCLUSIVELY | HOLDS_FLOCK, "getty");
	int is_exclusive = 0;

	assert_busy(tty, "getty");
	assert_int_equal(ioctl(tty->fd, TIOCGEXCL, &is_exclusive), 0);
	assert_true(is_exclusive);
	end_holder(child);
	/* A UART forgets it with its last user, a pseudo-terminal does not. */
	ioctl(tty->fd, TIOCNXCL);
}

static void fault_11_a_lock_file_of_a_live_process_is_respected(void **state)
{
	const struct tty *tty = *state;
	pid_t child = start_holder(tty, HOLDS_NOTHING, "minicom");
	struct reason reason = {""};
	char text[32], expected[128];
	int is_exclusive = 1;

	snprintf(expected, sizeof(expected), "minicom (%d) through %s", (int)child, tty->file);
	for (unsigned i = 0; i < 3; i++) {
		/* With blanks, without, and with a name behind, as some write it. */
		snprintf(text, sizeof(text),
			i == 0	 ? "%10d\n"
			: i == 1 ? "%d"
				 : "%10d minicom root\n",
			(int)child);
		write_lock_file(tty, text, strlen(text));
		assert_busy(tty, expected);
		assert_int_equal(lock_check(tty->path, &reason), -EBUSY);
		assert_int_equal(access(tty->file, F_OK), 0);
	}
	/* Nothing of the attempt stays. */
	assert_int_equal(ioctl(tty->fd, TIOCGEXCL, &is_exclusive), 0);
	assert_false(is_exclusive);
	end_holder(child);
	assert_acquired(tty);
}

static void a_name_that_would_spoil_a_terminal_is_escaped(void **state)
{
	const struct tty *tty = *state;
	pid_t child = start_holder(tty, HOLDS_OPEN, "%n\033[2J'");

	assert_busy(tty, "%n\\x1b[2J\\x27 (");
	end_holder(child);
}

/* ------------------------------------------------------------------ what is left behind */

static pid_t pid_of_the_past(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return child;
}

static void a_stale_lock_file_is_replaced(void **state)
{
	const struct tty *tty = *state;
	char text[32];

	write_lock_file(
		tty, text, (size_t)snprintf(text, sizeof(text), "%10d\n", (int)pid_of_the_past()));
	assert_acquired(tty);
	/* Of an earlier process with our number. */
	write_lock_file(tty, text, (size_t)snprintf(text, sizeof(text), "%10d\n", (int)getpid()));
	assert_acquired(tty);
}

static const struct junk_row {
	const char *name;
	const char *text;
} junk_rows[] = {
	{"an empty lock file", ""},
	{"a lock file with no number", "minicom\n"},
	{"a lock file with number 0", "         0\n"},
	{"a lock file with a negative number", "-1\n"},
	{"a lock file with a number beyond all", "99999999999999999999\n"},
	{"a lock file with the number of a group", "4294967295\n"},
};

static void a_lock_file_that_names_nobody_is_replaced(void **state)
{
	const struct junk_row *row = *state;
	void *tty = NULL;

	assert_int_equal(set_up(&tty), 0);
	write_lock_file(tty, row->text, strlen(row->text));
	assert_acquired(tty);
	tear_down(&tty);
}

static void a_link_in_the_place_of_a_lock_file_is_not_followed(void **state)
{
	const struct tty *tty = *state;
	const char *victim = "/run/victim";
	struct stat st;

	close(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	assert_int_equal(symlink(victim, tty->file), 0);
	assert_acquired(tty);
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)unlink(victim);
}

/* ---------------------------------------------------------------- files of several users */

/* Numbers that no account of a test machine has. PORT is the group that may open the port. */
enum { SERVICE = 54321, USER = 54322, PORT = 54323 };

enum named { NAMES_INIT, NAMES_A_PROCESS, NAMES_ONE_WITH_THE_PORT, NAMES_A_YOUNGER_ONE };

static const struct claim_row {
	const char *name;
	uid_t maker;
	enum named named;
	bool has_group; /* that of the port: the process that is named, which is the maker's */
	bool is_busy;
} claim_rows[] = {
	{"root's, and the process lives", 0, NAMES_INIT, false, true},
	{"root's, and the process is younger than the file", 0, NAMES_A_YOUNGER_ONE, false, false},
	{"a stranger's that names process 1", USER, NAMES_INIT, false, false},
	{"a stranger's that names a process of his", USER, NAMES_A_PROCESS, false, false},
	{"a user's of the port's group", USER, NAMES_A_PROCESS, true, true},
	{"a user's of the port's group, and the process is younger", USER, NAMES_A_YOUNGER_ONE,
		true, false},
	{"a killed worker's, and its number is another process's", SERVICE, NAMES_A_PROCESS, true,
		false},
	{"a worker's that has the port", SERVICE, NAMES_ONE_WITH_THE_PORT, true, true},
};

static int become(uid_t user, bool has_group)
{
	const gid_t group = PORT;

	return setgroups(has_group ? 1 : 0, &group) < 0 || setresgid(user, user, user) < 0 ||
			       setresuid(user, user, user) < 0
		       ? -1
		       : 0;
}

/* A process of that user that waits; with the port open where that is asked for. */
static pid_t start_process(const struct tty *tty, const struct claim_row *row)
{
	char byte;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(tty->fd);
		if (become(row->maker, row->has_group) < 0 ||
			(row->named == NAMES_ONE_WITH_THE_PORT &&
				flock(open(tty->path, O_RDWR | O_NOCTTY | O_CLOEXEC), LOCK_EX) <
					0) ||
			write(ends[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

/* The service's user takes the port: 0, EBUSY, or another. */
static int take_as_service(const struct tty *tty)
{
	struct reason reason = {""};
	struct lock *lock = NULL;
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		int fd, r;

		close(tty->fd);
		if (become(SERVICE, true) < 0)
			_exit(99);
		r = lock_check(tty->path, &reason);
		fd = open(tty->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		/* Both say the same. */
		_exit(fd < 0 || lock_acquire(tty->path, fd, &lock, &reason) != r ? 98 : -r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_lock_file_counts_by_its_maker(void **state)
{
	const struct claim_row *row = *state;
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct tty *tty = NULL;
	pid_t child = 1;
	char text[32];

	assert_int_equal(set_up((void **)&tty), 0);
	assert_int_equal(chmod("/run/lock", 01777), 0);
	assert_int_equal(fchown(tty->fd, 0, PORT), 0);
	assert_int_equal(fchmod(tty->fd, 0660), 0);
	if (row->named != NAMES_INIT)
		child = start_process(tty, row);
	write_lock_file(tty, text, (size_t)snprintf(text, sizeof(text), "%10d\n", (int)child));
	assert_int_equal(chown(tty->file, row->maker, row->maker), 0);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &times[1]), 0);
	if (row->named == NAMES_A_YOUNGER_ONE) {
		times[1].tv_sec -= 90;
		assert_int_equal(utimensat(AT_FDCWD, tty->file, times, 0), 0);
	}
	assert_int_equal(take_as_service(tty), row->is_busy ? EBUSY : 0);
	if (child != 1)
		end_holder(child);
	tear_down((void **)&tty);
}

/* Last: it covers the folder for good. */
static void without_lock_files_the_other_means_must_do(void **state)
{
	const struct tty *tty = *state;
	struct reason reason = {""};
	struct lock *lock = NULL;
	pid_t child;

	assert_int_equal(mount("tmpfs", "/run/lock", "tmpfs", MS_RDONLY, NULL), 0);
	assert_int_equal(lock_acquire(tty->path, tty->fd, &lock, &reason), 0);
	assert_int_equal(access(tty->file, F_OK), -1);
	assert_null(lock_release(lock));
	child = start_holder(tty, HOLDS_FLOCK, "picocom");
	assert_busy(tty, "picocom");
	end_holder(child);
}

static void releasing_nothing_is_fine(void **state)
{
	(void)state;
	assert_null(lock_release(NULL));
}

#define LOCK_TEST(f)                                                                         \
	(struct CMUnitTest)                                                                  \
	{                                                                                    \
		.name = #f, .test_func = f, .setup_func = set_up, .teardown_func = tear_down \
	}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(junk_rows) + ARRAY_SIZE(claim_rows) + 11];
	size_t n_tests = 0;

	enclosure_enter();
	tests[n_tests++] = LOCK_TEST(fault_11_a_program_that_has_it_open_is_named);
	tests[n_tests++] = LOCK_TEST(fault_11_a_program_that_locked_it_is_named);
	tests[n_tests++] = LOCK_TEST(fault_11_another_users_program_is_named_by_its_lock);
	tests[n_tests++] = LOCK_TEST(a_lock_that_is_refused_leaves_the_other_one_s_alone);
	tests[n_tests++] = LOCK_TEST(fault_11_a_lock_file_of_a_live_process_is_respected);
	tests[n_tests++] = LOCK_TEST(a_name_that_would_spoil_a_terminal_is_escaped);
	tests[n_tests++] = LOCK_TEST(a_stale_lock_file_is_replaced);
	ADD_ROWS(tests, n_tests, junk_rows, a_lock_file_that_names_nobody_is_replaced);
	ADD_ROWS(tests, n_tests, claim_rows, a_lock_file_counts_by_its_maker);
	tests[n_tests++] = LOCK_TEST(a_link_in_the_place_of_a_lock_file_is_not_followed);
	tests[n_tests++] = LOCK_TEST(without_lock_files_the_other_means_must_do);
	ADD_TEST(tests, n_tests, releasing_nothing_is_fine);
	return RUN_TESTS("lock", tests, n_tests);
}
