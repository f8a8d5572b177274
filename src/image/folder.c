/* SPDX-License-Identifier: MIT */
/*
 * folder.c - opening and reading below a directory.
 *
 * A user who may write to the directory must not be able to make the service read, or merely open,
 * anything outside of it: no way leads out, and only regular files are opened.
 */
#include "image/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/util.h"

/* More folders above one another than this are a loop. */
#define MAX_DEPTH 64

/* openat2() gives up with EAGAIN where something is renamed at the same moment. */
#define MAX_TRIES 16

bool folder_path_is_beneath(const char *path)
{
	if (*path == '/' || *path == '\0')
		return false;
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return false;
	}
	return true;
}

/* One folder down, and not through a link. The descriptor or -errno. */
static int open_part(int folder, const char *name)
{
	CLEANUP(closep) int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (S_ISLNK(status.st_mode))
		return -ELOOP;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	return take_fd(&fd);
}

/* The work of openat2(), for kernels before 5.6 and sandboxes without it; it follows no links. */
static int open_by_parts(int root, const char *path)
{
	CLEANUP(freep) char *copy = strdup(path);
	CLEANUP(closep) int folder = open_part(root, ".");
	char *rest = NULL;

	if (!copy)
		return -ENOMEM;
	if (folder < 0)
		return folder;
	for (char *part = strtok_r(copy, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
		int fd = open_part(folder, part);

		if (fd < 0)
			return fd;
		close(folder);
		folder = fd;
	}
	return take_fd(&folder);
}

int folder_open(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	if (!*path)
		path = ".";
	if (!folder_path_is_beneath(path))
		return -EXDEV;
	for (unsigned i = 0; i < MAX_TRIES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	if (fd >= 0)
		return (int)fd;
	if (errno == ENOSYS || errno == EPERM) /* EPERM: a system call filter */
		return open_by_parts(root, path);
	return -errno;
}

/* ------------------------------------------------------------------ owners and modes */

bool folder_is_trusted(
	const struct stat *status, struct folder_owners owners, char *why, size_t size)
{
	const char *what = S_ISDIR(status->st_mode) ? "folder" : "file";

	if (owners.any)
		return true;
	if (status->st_uid != 0 && status->st_uid != geteuid() && status->st_uid != owners.also) {
		snprintf(why, size, "the %s belongs to the user %u: expected root (chown root)",
			what, (unsigned)status->st_uid);
		return false;
	}
	if (status->st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(why, size,
			"the %s can be written by others than its owner, mode %04o (chmod go-w)",
			what, (unsigned)status->st_mode & 07777);
		return false;
	}
	return true;
}

int folder_check(int root, int folder, struct folder_owners owners, struct reason *reason)
{
	CLEANUP(closep) int at = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char why[200], link[64], path[TEXT_MAX], shown[TEXT_MAX];
	struct stat top, status;

	if (owners.any)
		return FOLDER_OK;
	if (at < 0 || fstat(root, &top) < 0)
		return -errno;
	for (unsigned depth = 0; depth < MAX_DEPTH; depth++) {
		int above;

		if (fstat(at, &status) < 0)
			return -errno;
		if (!folder_is_trusted(&status, owners, why, sizeof(why))) {
			ssize_t n;

			snprintf(link, sizeof(link), "/proc/self/fd/%d", at);
			n = readlink(link, path, sizeof(path) - 1);
			path[n > 0 ? n : 0] = '\0';
			text_escape(n > 0 ? path : "image directory", shown, sizeof(shown));
			return reason_refuse(FOLDER_REFUSED, reason, "'%s': %s", shown, why);
		}
		if (status.st_dev == top.st_dev && status.st_ino == top.st_ino)
			return FOLDER_OK;
		above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (above < 0)
			return -errno;
		close(at);
		at = above;
	}
	/* The folder was moved away meanwhile. */
	return -ENOENT;
}

/* ------------------------------------------------------------------ reading one file */

static int refuse(const char *label, struct reason *reason, const char *why)
{
	return reason_refuse(FOLDER_REFUSED, reason, "%s: %s", label, why);
}

/* systemd sets USER for a service; a database of users is out of a worker's reach. */
char *folder_user(char to[static FOLDER_USER_MAX])
{
	const char *name = getenv("USER");
	char shown[FOLDER_USER_MAX - 8];

	if (name && *name)
		snprintf(to, FOLDER_USER_MAX, "%s", text_escape(name, shown, sizeof(shown)));
	else
		snprintf(to, FOLDER_USER_MAX, "%u", (unsigned)geteuid());
	return to;
}

static int fail(int error, const char *label, struct reason *reason)
{
	char user[FOLDER_USER_MAX];

	if (error == -ELOOP)
		return refuse(label, reason, "a symbolic link: put the file itself there");
	if (error == -EACCES)
		return reason_refuse(FOLDER_REFUSED, reason,
			"%s: not readable for the user %s (chmod 644)", label, folder_user(user));
	return reason_refuse(error, reason, "%s: %s", label, strerror(-error));
}

static int check_kind(const struct stat *status, const char *label, struct reason *reason)
{
	if (S_ISLNK(status->st_mode))
		return fail(-ELOOP, label, reason);
	return S_ISREG(status->st_mode) ? FOLDER_OK : refuse(label, reason, "not a regular file");
}

/*
 * Looks before it opens: to open a device node is to act on the device (a tty raises DTR and RTS),
 * to open a FIFO wakes who waits at its other end.
 */
static int open_file(int folder, const char *name, const char *label, int *ret,
	struct stat *ret_status, struct reason *reason)
{
	CLEANUP(closep) int fd = -1;
	int r = fstatat(folder, name, ret_status, AT_SYMLINK_NOFOLLOW);

	if (r == 0)
		r = check_kind(ret_status, label, reason);
	if (r > 0)
		return r;
	if (r == 0)
		fd = openat(
			folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	/* The name may be that of another file by now. */
	if (fd < 0 || fstat(fd, ret_status) < 0)
		return errno == ENOENT ? -ENOENT : fail(-errno, label, reason);
	r = check_kind(ret_status, label, reason);
	if (r == FOLDER_OK)
		*ret = take_fd(&fd);
	return r;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A rename over the file changes its links, and with them the inode's time, but not its bytes. */
static bool has_changed(const struct stat *before, const struct stat *after)
{
	return before->st_size != after->st_size || !same_time(&before->st_mtim, &after->st_mtim) ||
	       (before->st_nlink == after->st_nlink &&
		       !same_time(&before->st_ctim, &after->st_ctim));
}

static int refuse_size(
	const char *label, const struct stat *status, size_t max_bytes, struct reason *reason)
{
	return reason_refuse(FOLDER_REFUSED, reason,
		"%s: the file has %lld bytes, at most %zu can be right", label,
		(long long)status->st_size, max_bytes);
}

/* A file that is read from its first byte to its last, once. */
struct reading {
	int fd;
	const struct folder_limit *limit;
	uint8_t *chunk;
	uint8_t *data;
	size_t size;
	struct folder_part parts[FOLDER_MAX_PARTS];
	size_t n_parts;
};

#define CHUNK_BYTES ((size_t)64 * 1024)

static void reading_done(struct reading *reading)
{
	closep(&reading->fd);
	free(reading->chunk);
	free(reading->data);
}

static void keep_parts(struct reading *reading, size_t offset, size_t n)
{
	for (size_t i = 0; i < reading->n_parts; i++) {
		uint64_t begin = reading->parts[i].offset, end = begin + reading->parts[i].size;

		if (begin < offset)
			begin = offset;
		if (end > offset + n)
			end = offset + n;
		if (begin < end)
			memcpy(reading->data + begin, reading->chunk + (begin - offset),
				(size_t)(end - begin));
	}
}

/* 0 with the number of bytes, FOLDER_REFUSED where the file is too large, -errno. */
static int read_chunks(struct reading *reading, size_t *ret_n)
{
	const struct folder_limit *limit = reading->limit;
	size_t at = 0, n = 0;

	reading->parts[0] = (struct folder_part){0, reading->size};
	reading->n_parts = 1;
	do {
		size_t left = reading->size - at;
		int r = read_up_to(
			reading->fd, reading->chunk, left < CHUNK_BYTES ? left : CHUNK_BYTES, &n);

		if (r < 0)
			return r;
		if (at == 0 && reading->size > limit->max_bytes) {
			reading->n_parts = limit->pick(
				reading->chunk, n, reading->size, limit->max_bytes, reading->parts);
			if (reading->n_parts == 0)
				return FOLDER_REFUSED;
		}
		if (limit->take)
			limit->take(limit->userdata, reading->chunk, n);
		keep_parts(reading, at, n);
		at += n;
	} while (n > 0 && at < reading->size);
	*ret_n = at;
	return FOLDER_OK;
}

int folder_read_parts(int folder, const char *name, const char *label,
	const struct folder_limit *limit, struct folder_owners owners, struct folder_file *ret,
	struct reason *reason)
{
	CLEANUP(reading_done) struct reading reading = {.fd = -1, .limit = limit};
	size_t n = 0, max_bytes = limit->pick ? limit->max_large : limit->max_bytes;
	struct stat before, after;
	char why[200];
	int r = open_file(folder, name, label, &reading.fd, &before, reason);

	if (r != FOLDER_OK)
		return r;
	/* Size and owner, before a byte is read or room for it made. */
	if (!folder_is_trusted(&before, owners, why, sizeof(why)))
		return refuse(label, reason, why);
	if (before.st_size <= 0)
		return refuse(label, reason, "the file is empty: was the copy cut off?");
	if ((uint64_t)before.st_size > max_bytes)
		return refuse_size(label, &before, max_bytes, reason);
	reading.size = (size_t)before.st_size;

	/* calloc() takes memory page by page as it is written to, and a large file fills few. */
	reading.chunk = malloc(CHUNK_BYTES);
	reading.data = calloc(1, reading.size);
	r = reading.chunk && reading.data ? read_chunks(&reading, &n) : -ENOMEM;
	if (r < 0)
		return fail(r, label, reason);
	if (r > 0)
		return refuse_size(label, &before, limit->max_bytes, reason);
	if (fstat(reading.fd, &after) < 0)
		return fail(-errno, label, reason);
	if (n != reading.size || has_changed(&before, &after))
		return refuse(label, reason,
			"the file changed while it was read: copy it under another name and rename it when it is whole");
	ret->data = TAKE_PTR(reading.data);
	ret->n_data = n;
	ret->is_whole = n <= limit->max_bytes;
	ret->status = after;
	return FOLDER_OK;
}

int folder_read(int folder, const char *name, const char *label, size_t max_bytes,
	struct folder_owners owners, struct folder_file *ret, struct reason *reason)
{
	const struct folder_limit limit = {.max_bytes = max_bytes};

	return folder_read_parts(folder, name, label, &limit, owners, ret, reason);
}

void folder_file_done(struct folder_file *file)
{
	free(file->data);
	*file = (struct folder_file){};
}

int folder_explain_directory(int error, const char *directory, struct reason *reason)
{
	char shown[TEXT_MAX];

	return reason_refuse(error, reason, "image directory '%s': %s: %s",
		text_escape(directory, shown, sizeof(shown)), strerror(-error),
		error == -EACCES
			? "below /var/lib/plugflash it is for root and the group plugflash: adduser NAME plugflash, then log in again"
			: "create it, or set image-dir to where it is");
}
