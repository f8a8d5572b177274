/* SPDX-License-Identifier: MIT */
#include "service/brltty.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static bool is_running(const char *name)
{
	CLEANUP(closedirp) DIR *processes = opendir("/proc");
	const struct dirent *entry;

	while (processes && (entry = readdir(processes))) {
		CLEANUP(fclosep) FILE *file = NULL;
		char path[NAME_MAX + 32], comm[32] = "";

		if (*entry->d_name < '1' || *entry->d_name > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file || !fgets(comm, sizeof(comm), file))
			continue;
		comm[strcspn(comm, "\n")] = '\0';
		if (strcmp(comm, name) == 0)
			return true;
	}
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
