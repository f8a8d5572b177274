/* SPDX-License-Identifier: MIT */
/*
 * hook-family.c - a group of processes ends at setsid(), and a parent is lost when it ends before
 * its child. A control group of its own would hold all, but the unit's sandbox keeps the service
 * from making one (ProtectControlGroups=). The environment stays with a process: it is read from
 * /proc, where a user may read those of his own processes (proc(5)).
 */
#include "service/hook-family.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/util.h"

/* The mark is among the first that a program of ours gets; one that adds more than this, in front
 * of it, is not found. */
#define ENVIRONMENT_BYTES 65536

void family_mark(uint64_t number, char to[static FAMILY_MARK_BYTES])
{
	snprintf(to, FAMILY_MARK_BYTES, "PLUGFLASH_HOOK=%d-%ju-%ju", (int)getpid(),
		(uintmax_t)number, (uintmax_t)monotonic_usec());
}

static bool has_mark(int process, const char *mark, char *buffer)
{
	CLEANUP(closep) int fd = openat(process, "environ", O_RDONLY | O_CLOEXEC);
	size_t n = 0, n_mark = strlen(mark) + 1;

	if (fd < 0 || read_up_to(fd, buffer, ENVIRONMENT_BYTES, &n) < 0)
		return false;
	for (size_t at = 0; at + n_mark <= n; at += strnlen(buffer + at, n - at) + 1)
		if (memcmp(buffer + at, mark, n_mark) == 0)
			return true;
	return false;
}

/* The process is held by its folder and by a pidfd: its number cannot become another's between. */
static bool signal_one(
	int proc, const char *name, uint32_t pid, const char *mark, int signal, char *buffer)
{
	CLEANUP(closep) int pidfd = pidfd_open((pid_t)pid, 0);
	CLEANUP(closep) int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (pidfd < 0 || process < 0 || !has_mark(process, mark, buffer))
		return false;
	return signal == 0 || pidfd_send_signal(pidfd, signal, NULL, 0) == 0;
}

size_t family_signal(const char *mark, int signal)
{
	CLEANUP(closedirp) DIR *proc = opendir("/proc");
	CLEANUP(freep) char *buffer = malloc(ENVIRONMENT_BYTES);
	struct dirent *entry;
	size_t n = 0;
	uint32_t pid;

	while (proc && buffer && (entry = readdir(proc)))
		if (parse_u32(entry->d_name, &pid) == 0 && pid != (uint32_t)getpid())
			n += signal_one(dirfd(proc), entry->d_name, pid, mark, signal, buffer);
	return n;
}
