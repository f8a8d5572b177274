/* SPDX-License-Identifier: MIT */
#include "base/processes.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

bool processes_find(const char *root, const char *name, char ret_pid[static PROCESSES_PID_MAX])
{
	char path[PATH_MAX];
	CLEANUP(closedirp) DIR *processes = NULL;
	const struct dirent *entry;

	snprintf(path, sizeof(path), "%s/proc", root);
	processes = opendir(path);
	while (processes && (entry = readdir(processes))) {
		CLEANUP(fclosep) FILE *file = NULL;
		char comm[32] = "";

		if (*entry->d_name < '1' || *entry->d_name > '9' ||
			snprintf(path, sizeof(path), "%s/proc/%s/comm", root, entry->d_name) >=
				(int)sizeof(path))
			continue;
		file = fopen(path, "re");
		if (!file || !fgets(comm, sizeof(comm), file))
			continue;
		comm[strcspn(comm, "\n")] = '\0';
		if (strcmp(comm, name) != 0 || strlen(entry->d_name) >= PROCESSES_PID_MAX)
			continue;
		snprintf(ret_pid, PROCESSES_PID_MAX, "%.*s", PROCESSES_PID_MAX - 1, entry->d_name);
		return true;
	}
	return false;
}

bool processes_have(const char *root, const char *name)
{
	char pid[PROCESSES_PID_MAX];

	return processes_find(root, name, pid);
}
