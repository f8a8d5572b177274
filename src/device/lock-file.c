/* SPDX-License-Identifier: MIT */
/*
 * lock-file.c - whether a lock file is to be believed.
 *
 * Everybody may write to /run/lock (mode 1777 on Debian), so that a file there proves nothing: a
 * user without any right to the port would keep it from the service with a file for each, which
 * names process 1. A file is believed where its maker may use the port, and where the process that
 * it names is the maker's and is older than the file. Who that process is, /proc tells.
 */
#include "device/lock-file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/util.h"

/* The clock of files is slewed and stepped by less than this while a host runs; at its boot by
 * years. */
#define CLOCK_STEP_USEC ((int64_t)(60 * USEC_PER_SEC))

bool lock_file_read(const char *file, struct lock_file *ret)
{
	CLEANUP(closep) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[16];
	ssize_t n;
	char *begin = text;

	if (fd < 0 || fstat(fd, &ret->made) < 0 || !S_ISREG(ret->made.st_mode))
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	begin += strspn(begin, " ");
	begin[strcspn(begin, " \n")] = '\0';
	return parse_u32(begin, &ret->pid) == 0 && ret->pid > 0 && ret->pid <= INT32_MAX &&
	       ret->pid != (uint32_t)getpid();
}

/* What /proc says of a process to everybody. */
struct process {
	uint32_t user, group; /* effective */
	bool has_group;	      /* that of the port, among those it has besides */
	bool is_known;
};

/* The n-th number behind the name of the line, from 0; false where there are not so many. */
static bool number_of_line(const char *line, unsigned n, uint32_t *ret)
{
	char word[16];
	size_t length;

	line += strcspn(line, "\t") + 1;
	for (;;) {
		line += strspn(line, "\t ");
		length = strcspn(line, "\t \n");
		if (length == 0 || length >= sizeof(word))
			return false;
		if (n-- == 0)
			break;
		line += length;
	}
	snprintf(word, sizeof(word), "%.*s", (int)length, line);
	return parse_u32(word, ret) == 0;
}

static struct process look_at(uint32_t pid, gid_t port_group)
{
	CLEANUP(freep) char *line = NULL;
	CLEANUP(fclosep) FILE *status = NULL;
	struct process found = {0};
	bool has_user = false, has_own_group = false;
	size_t size = 0;
	uint32_t group;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	status = fopen(path, "re");
	while (status && getline(&line, &size, status) > 0) {
		if (strncmp(line, "Uid:\t", 5) == 0)
			has_user = number_of_line(line, 1, &found.user);
		else if (strncmp(line, "Gid:\t", 5) == 0)
			has_own_group = number_of_line(line, 1, &found.group);
		else if (strncmp(line, "Groups:\t", 8) == 0)
			for (unsigned i = 0; number_of_line(line, i, &group); i++)
				found.has_group |= group == port_group;
	}
	found.is_known = has_user && has_own_group;
	return found;
}

/* Whether that process could have opened the port. */
static bool may_open(const struct process *process, const struct stat *port)
{
	return process->user == 0 || process->user == port->st_uid ||
	       ((process->group == port->st_gid || process->has_group) &&
		       (port->st_mode & S_IWGRP)) ||
	       (port->st_mode & S_IWOTH);
}

/*
 * When it began, since the boot: the 22nd word, in ticks of the clock (proc(5)). The second word is
 * its name in brackets, which may have anything in it. The ticks are more than 32 bits after 497
 * days at 100 a second.
 */
static bool start_of(uint32_t pid, uint64_t *ret_usec)
{
	CLEANUP(fclosep) FILE *from = NULL;
	char path[64], text[1024], *word = NULL, *words, *rest = NULL;
	const char *digits;
	uint64_t ticks;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	from = fopen(path, "re");
	n = from ? fread(text, 1, sizeof(text) - 1, from) : 0;
	text[n] = '\0';
	words = strrchr(text, ')');
	if (!words)
		return false;
	for (unsigned i = 3; i <= 22; i++)
		word = strtok_r(i == 3 ? words + 1 : NULL, " ", &rest);
	digits = word;
	if (!digits || parse_digits(&digits, 10, &ticks) < 0 || *digits ||
		ticks > UINT64_MAX / USEC_PER_SEC)
		return false;
	*ret_usec = ticks * USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	return true;
}

/*
 * Whether the process is younger than the file, which another one with its number made then. The
 * clock of files may have been set since: a file from before the boot tells of that, and a minute
 * is allowed for less.
 */
static bool is_younger(const struct lock_file *file)
{
	int64_t booted, made = usec_of(&file->made.st_mtim);
	uint64_t started;

	if (!start_of(file->pid, &started))
		return false;
	booted = realtime_usec() - (int64_t)uptime_usec();
	return made >= booted && booted + (int64_t)started > made + CLOCK_STEP_USEC;
}

/* A filter may forbid to send signals, and a mount option hides processes in /proc: either is asked
 * where the other cannot tell. */
static bool is_gone(uint32_t pid)
{
	char path[64];

	if (kill((pid_t)pid, 0) == 0)
		return false;
	if (errno == ESRCH)
		return true;
	snprintf(path, sizeof(path), "/proc/%u", pid);
	return access(path, F_OK) < 0 && access("/proc/1", F_OK) == 0;
}

bool lock_file_is_plausible(const struct lock_file *file, const struct stat *port)
{
	struct process process;

	if (is_gone(file->pid) || is_younger(file))
		return false;
	if (file->made.st_uid == 0)
		return true;
	process = look_at(file->pid, port->st_gid);
	return process.is_known && process.user == file->made.st_uid && may_open(&process, port);
}
