/* SPDX-License-Identifier: MIT */
#include "records/store-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

#define PATH_ROOM 4096
/* Its owner and its group, which is for people who may read the history. The values that
 * `serialize` gives are in it. */
#define MODE 0640
/* One damaged file a second at most is kept; more of them in one second have numbers. */
#define ASIDE_MOST 100

static void globfreep(glob_t *found)
{
	globfree(found);
}

/* As NAME (PID); the kernel says 0 of a process of another pid namespace. */
static void name_process(pid_t pid, char *to, size_t size)
{
	CLEANUP(fclosep) FILE *from = NULL;
	char path[64], name[64] = "", shown[TEXT_MAX];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	from = pid > 0 ? fopen(path, "re") : NULL;
	if (from && fgets(name, sizeof(name), from))
		name[strcspn(name, "\n")] = '\0';
	if (pid <= 0)
		snprintf(to, size, "a process that cannot be seen from here");
	else
		snprintf(to, size, "%s (process %d)",
			*name ? text_escape(name, shown, sizeof(shown)) : "a process", (int)pid);
}

/*
 * A record lock, because the kernel tells whose it is and lifts it with the process, whatever that
 * died of. No other descriptor of this process may be opened on the file: closing it would lift the
 * lock too.
 */
int store_file_lock(const char *directory, int *ret_fd, struct reason *reason)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	CLEANUP(closep) int fd = -1;
	char path[PATH_ROOM], holder[TEXT_MAX + 32];

	if (snprintf(path, sizeof(path), "%s/" STORE_LOCK_NAME, directory) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
	if (fd < 0) {
		int r = -errno;

		reason_set(reason, "%s cannot be opened: %s", path, strerror(-r));
		return r;
	}
	/* A process that can open the file can lock it. By another owner it stays as it is. */
	(void)fchmod(fd, MODE);
	if (fcntl(fd, F_SETLK, &lock) < 0) {
		if (errno != EACCES && errno != EAGAIN) {
			int r = -errno;

			reason_set(reason, "%s cannot be locked: %s", path, strerror(-r));
			return r;
		}
		if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
			lock.l_pid = 0;
		name_process(lock.l_pid, holder, sizeof(holder));
		reason_set(reason, "the state directory %s is in use by %s", directory, holder);
		return -EBUSY;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

bool store_file_is_locked(const char *directory)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	CLEANUP(closep) int fd = -1;
	char path[PATH_ROOM];

	if (snprintf(path, sizeof(path), "%s/" STORE_LOCK_NAME, directory) >= (int)sizeof(path))
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno != ENOENT;
	return fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
}

static bool is_there(const char *path)
{
	struct stat found;

	return lstat(path, &found) == 0;
}

/* A name in the same folder that nothing has yet. */
static bool find_free_name(const char *path, char *to, size_t size)
{
	time_t now = (time_t)(wall_clock_msec() / 1000);
	struct tm utc;
	char date[32];

	if (!gmtime_r(&now, &utc) || strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc) == 0)
		return false;
	for (unsigned i = 0; i < ASIDE_MOST; i++) {
		int n = i == 0 ? snprintf(to, size, "%s.damaged-%s", path, date)
			       : snprintf(to, size, "%s.damaged-%s-%u", path, date, i);

		if (n >= (int)size)
			return false;
		if (!is_there(to))
			return true;
	}
	return false;
}

/*
 * A log of shared memory that others could open may be held by them for as long as they live: it is
 * removed, and SQLite makes a new one out of the log. Only where this process has the lock of the
 * directory, so that no other service has it in use.
 */
static void close_to_others(const char *path, bool is_shared_memory)
{
	struct stat found;

	if (lstat(path, &found) < 0 || !S_ISREG(found.st_mode))
		return;
	if (is_shared_memory && (found.st_mode & 0007) != 0)
		(void)unlink(path);
	else if ((found.st_mode & 07777) != MODE)
		(void)chmod(path, MODE);
}

/* A pattern that fits the path itself and `ending`. */
static void write_pattern(const char *path, const char *ending, char to[2 * PATH_ROOM + 32])
{
	size_t n = 0;

	for (; *path && n < (size_t)2 * PATH_ROOM; path++) {
		if (strchr("*?[\\", *path))
			to[n++] = '\\';
		to[n++] = *path;
	}
	snprintf(to + n, 32, "%s", ending);
}

void store_file_make_private(const char *path)
{
	CLEANUP(globfreep) glob_t found = {0};
	CLEANUP(closep)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, MODE);
	char pattern[2 * PATH_ROOM + 32];

	write_pattern(path, "*", pattern);
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = found.gl_pathv[i], *dash = strrchr(name, '-');

		close_to_others(name, dash && strcmp(dash, "-shm") == 0);
	}
}

int store_file_set_aside(const char *path, struct reason *reason)
{
	/* Files that SQLite keeps beside it belong to this one and would spoil the next. */
	static const char *const endings[] = {"-wal", "-shm", ""};
	char aside[PATH_ROOM], from[PATH_ROOM + 8], to[PATH_ROOM + 8];

	if (!find_free_name(path, aside, sizeof(aside))) {
		reason_set(reason, "%s could not be set aside: no name is free for it", path);
		return -EEXIST;
	}
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		snprintf(from, sizeof(from), "%s%s", path, endings[i]);
		snprintf(to, sizeof(to), "%s%s", aside, endings[i]);
		if (rename(from, to) < 0 && errno != ENOENT) {
			int r = -errno;

			reason_set(reason, "%s could not be set aside: %s", from, strerror(-r));
			return r;
		}
	}
	reason_set(reason, "it is kept as %s", aside);
	return 0;
}

int64_t store_file_log_size(const char *path)
{
	char log[PATH_ROOM + 8];
	struct stat found;

	snprintf(log, sizeof(log), "%s-wal", path);
	return stat(log, &found) == 0 ? found.st_size : 0;
}

struct store_traces store_file_look(const char *path)
{
	struct store_traces traces = {0};
	char log[PATH_ROOM + 8];
	struct stat found;

	if (stat(path, &found) < 0)
		return traces;
	traces.device = found.st_dev;
	traces.inode = found.st_ino;
	traces.size = found.st_size;
	traces.modified_nsec = (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec;
	snprintf(log, sizeof(log), "%s-wal", path);
	if (stat(log, &found) == 0)
		traces.log_inode = found.st_ino;
	return traces;
}

bool store_file_find_aside(const char *path, char *to, size_t size)
{
	CLEANUP(globfreep) glob_t found = {0};
	char pattern[2 * PATH_ROOM + 32];

	if (strlen(path) >= PATH_ROOM)
		return false;
	write_pattern(path, ".damaged-*", pattern);
	if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc == 0)
		return false;
	snprintf(to, size, "%s", found.gl_pathv[0]);
	return true;
}
