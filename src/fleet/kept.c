/* SPDX-License-Identifier: MIT */
#include "fleet/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"

#define LIST_MOST (1024 * 1024)

#define SUFFIX	  ".new"

static int sync_folder(int folder)
{
	return fsync(folder) < 0 ? -errno : 0;
}

int kept_name(int folder, int fd, const char *hidden, const char *name)
{
	int r = fsync(fd) < 0 || renameat(folder, hidden, folder, name) < 0 ? -errno : 0;

	if (r == 0)
		return sync_folder(folder);
	(void)unlinkat(folder, hidden, 0);
	return r;
}

int kept_write(int folder, const char *name, const char *text, size_t n)
{
	CLEANUP(closep) int fd = -1;
	char hidden[KEPT_NAME_MAX + sizeof(SUFFIX)];
	int r;

	if ((size_t)snprintf(hidden, sizeof(hidden), "%s" SUFFIX, name) >= sizeof(hidden))
		return -ENAMETOOLONG;
	/* One of before may lie there: of a process that was killed here. */
	fd = openat(folder, hidden, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : write_whole(fd, text, n);
	if (r == 0)
		return kept_name(folder, fd, hidden, name);
	(void)unlinkat(folder, hidden, 0);
	return r;
}

int kept_read(int folder, const char *name, size_t most, char **ret, size_t *ret_n)
{
	/* A pipe in its place must not keep us waiting. */
	CLEANUP(closep)
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	CLEANUP(freep) char *text = NULL;
	struct stat st;
	size_t n = 0;
	int r;

	if (fd < 0)
		return errno == ELOOP ? -ENXIO : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	if ((uint64_t)st.st_size > most)
		return -EFBIG;
	text = malloc(most + 2);
	if (!text)
		return -ENOMEM;
	/* It may grow meanwhile: one byte more than allowed tells. */
	r = read_up_to(fd, text, most + 1, &n);
	if (r < 0)
		return r;
	if (n > most)
		return -EFBIG;
	text[n] = '\0';
	*ret = TAKE_PTR(text);
	*ret_n = n;
	return 0;
}

int kept_remove(int folder, const char *name)
{
	if (unlinkat(folder, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return sync_folder(folder);
}

int kept_cut(int folder, const char *name, size_t n)
{
	CLEANUP(closep)
	int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 || ftruncate(fd, (off_t)n) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int kept_read_list(int folder, const char *name,
	int (*on_value)(void *userdata, const struct json_value *value), void *userdata)
{
	CLEANUP(freep) char *text = NULL;
	struct reason why;
	size_t n = 0;
	int r = kept_read(folder, name, LIST_MOST, &text, &n);

	if (r == 0)
		r = json_walk(text, n, on_value, userdata, &why);
	return r == JSON_REFUSED || r == -ENOENT || r == -EFBIG || r == -ENXIO ? 0 : r;
}

int kept_write_list(int folder, const char *name, struct json *list)
{
	CLEANUP(freep) char *text = NULL;
	size_t n;
	int r = json_to_text(list, &text, &n);

	return r < 0 ? r : kept_write(folder, name, text, n);
}
