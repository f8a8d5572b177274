/* SPDX-License-Identifier: MIT */
#include "bed/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

static void read_text(pid_t pid, const char *name, char *to, size_t size)
{
	char path[64];
	CLEANUP(closep) int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, to, size - 1);
	to[n > 0 ? n : 0] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

/* 0: it is gone, or nobody's. */
static pid_t parent_of(pid_t pid)
{
	char text[512];
	const char *after;
	int parent;

	read_text(pid, "stat", text, sizeof(text));
	/* Its name, in brackets, may hold anything. */
	after = strrchr(text, ')');
	return after && sscanf(after, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* 0: that was the last one. */
static pid_t next_process(DIR *proc)
{
	const struct dirent *entry;

	while ((entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			return pid;
	}
	return 0;
}

static bool end_children(pid_t spared)
{
	DIR *proc = opendir("/proc");
	bool found = false;
	pid_t pid;

	while (proc && (pid = next_process(proc)) > 0) {
		if (pid == spared || parent_of(pid) != getpid())
			continue;
		kill(pid, SIGKILL);
		kill(pid, SIGCONT);
		found |= waitpid(pid, NULL, 0) == pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

void processes_end(pid_t spared)
{
	while (end_children(spared))
		;
}

size_t processes_children(pid_t parent, pid_t *ret_children, size_t n_max)
{
	DIR *proc = opendir("/proc");
	size_t n = 0;
	pid_t pid;

	while (proc && n < n_max && (pid = next_process(proc)) > 0)
		if (parent_of(pid) == parent)
			ret_children[n++] = pid;
	if (proc)
		closedir(proc);
	return n;
}

static void tell(pid_t pid)
{
	char name[64], stat[512], wait[64], call[256];
	const char *state;

	read_text(pid, "comm", name, sizeof(name));
	read_text(pid, "stat", stat, sizeof(stat));
	read_text(pid, "wchan", wait, sizeof(wait));
	read_text(pid, "syscall", call, sizeof(call));
	state = strrchr(stat, ')');
	printf("# process %d of %d, %s, %.1s, in %s, system call %s\n", (int)pid,
		(int)parent_of(pid), name, state ? state + 2 : "?", wait, call);
}

void processes_tell(void)
{
	DIR *proc = opendir("/proc");
	pid_t pid, parent;

	while (proc && (pid = next_process(proc)) > 0) {
		parent = parent_of(pid);
		if (parent > 1 && (parent == getpid() || parent_of(parent) == getpid()))
			tell(pid);
	}
	if (proc)
		closedir(proc);
}

/* proc(5): schedstat has nanoseconds, but not of children; theirs are ticks in stat, 14 and 15
 * behind the name. */
bool processes_time_of(pid_t pid, struct processes_time *ret)
{
	unsigned long long nsec;
	long user_ticks, system_ticks;
	char text[1024];
	const char *behind_name;

	read_text(pid, "schedstat", text, sizeof(text));
	if (sscanf(text, "%llu", &nsec) != 1)
		return false;
	read_text(pid, "stat", text, sizeof(text));
	behind_name = strrchr(text, ')');
	if (!behind_name || sscanf(behind_name + 1,
				    " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld",
				    &user_ticks, &system_ticks) != 2)
		return false;
	ret->msec = (double)nsec / 1e6;
	ret->children_msec =
		(double)(user_ticks + system_ticks) * 1000 / (double)sysconf(_SC_CLK_TCK);
	return true;
}
