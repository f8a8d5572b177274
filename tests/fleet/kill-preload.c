/* SPDX-License-Identifier: MIT */
/*
 * kill-preload.c - a process that is killed at its n-th instant. An instant is right before a call
 * that changes something outside of the process (a file, its name, a socket), so that all that a
 * kill can leave behind is tried, and no clock decides which.
 *
 * KILL_AT=N kills before the N-th such call; without it, or with 0, none. KILL_COUNT=FILE gets the
 * number of calls at the end of a process that was not killed.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned long n_instants;

__attribute__((destructor)) static void tell_count(void)
{
	const char *path = getenv("KILL_COUNT");
	FILE *to = path ? fopen(path, "we") : NULL;

	if (!to)
		return;
	fprintf(to, "%lu\n", n_instants);
	fclose(to);
}

static void instant(void)
{
	static long kill_at = -1;

	if (kill_at < 0) {
		const char *text = getenv("KILL_AT");

		kill_at = text ? strtol(text, NULL, 10) : 0;
	}
	if (++n_instants == (unsigned long)kill_at)
		raise(SIGKILL);
}

#define NEXT(name)                                                \
	static __typeof__(&name) next;                            \
                                                                  \
	if (!next)                                                \
		next = (__typeof__(next))dlsym(RTLD_NEXT, #name); \
	instant()

ssize_t write(int fd, const void *from, size_t n)
{
	NEXT(write);
	return next(fd, from, n);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
	NEXT(pwrite);
	return next(fd, from, n, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	NEXT(writev);
	return next(fd, parts, n);
}

ssize_t send(int fd, const void *from, size_t n, int flags)
{
	NEXT(send);
	return next(fd, from, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	NEXT(sendmsg);
	return next(fd, message, flags);
}

ssize_t copy_file_range(
	int from, off64_t *from_at, int to, off64_t *to_at, size_t n, unsigned flags)
{
	NEXT(copy_file_range);
	return next(from, from_at, to, to_at, n, flags);
}

int fsync(int fd)
{
	NEXT(fsync);
	return next(fd);
}

int fdatasync(int fd)
{
	NEXT(fdatasync);
	return next(fd);
}

int ftruncate(int fd, off_t size)
{
	NEXT(ftruncate);
	return next(fd, size);
}

int rename(const char *from, const char *to)
{
	NEXT(rename);
	return next(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
	NEXT(renameat);
	return next(from_at, from, to_at, to);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	NEXT(renameat2);
	return next(from_at, from, to_at, to, flags);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
	NEXT(linkat);
	return next(from_at, from, to_at, to, flags);
}

int unlink(const char *path)
{
	NEXT(unlink);
	return next(path);
}

int unlinkat(int at, const char *path, int flags)
{
	NEXT(unlinkat);
	return next(at, path, flags);
}

int mkdirat(int at, const char *path, mode_t mode)
{
	NEXT(mkdirat);
	return next(at, path, mode);
}

int openat(int at, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & (O_CREAT | __O_TMPFILE))
		mode = va_arg(args, mode_t);
	va_end(args);
	NEXT(openat);
	return next(at, path, flags, mode);
}
