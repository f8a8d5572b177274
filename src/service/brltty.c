/* SPDX-License-Identifier: MIT */
#include "service/brltty.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static bool is_named(const char *pid, const char *name)
{
	CLEANUP(fclosep) FILE *file = NULL;
	char path[64], comm[32];

	if (*pid < '1' || *pid > '9' ||
		snprintf(path, sizeof(path), "/proc/%s/comm", pid) >= (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (!file || !fgets(comm, sizeof(comm), file))
		return false;
	comm[strcspn(comm, "\n")] = '\0';
	return strcmp(comm, name) == 0;
}

static bool is_running(const char *name)
{
	CLEANUP(closedirp) DIR *processes = opendir("/proc");
	const struct dirent *entry;

	while (processes && (entry = readdir(processes)))
		if (is_named(entry->d_name, name))
			return true;
	return false;
}

const char *brltty_suspect(void)
{
	static const char *const programs[] = {"/usr/bin/brltty", "/bin/brltty", "/sbin/brltty"};

	if (is_running("brltty"))
		return "brltty is running and takes such bridges for braille displays: remove it, or mask its udev rule";
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], F_OK) == 0)
			return "brltty is installed and may take such bridges for braille displays: remove it, or mask its udev rule";
	return NULL;
}
