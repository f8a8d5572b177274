/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/names.h"
#include "bed/command.h"
#include "bed/enclosure.h"

void command_set_directory(const char *variable, struct bed *bed, const char *below)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", bed_directory(bed), below);
	setenv(variable, path, 1);
}

/* The shell keeps what it says in `out`. */
int command_run(struct bed *bed, const char *arguments)
{
	char script[600];
	int status = -1;
	pid_t pid;

	command_set_directory(ENV_CONFIGURATION, bed, "config");
	command_set_directory(ENV_STATE, bed, "state");
	command_set_directory(ENV_RUNTIME, bed, "runtime");
	snprintf(script, sizeof(script), "exec %s/plugflash %s >%s/out", enclosure_build(),
		arguments, bed_directory(bed));
	pid = bed_spawn(bed, BED_MATCH("/bin/sh", "-c", script));
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

unsigned command_lines(struct bed *bed, const char *part)
{
	char path[400], line[4096];
	unsigned n = 0;
	FILE *from;

	snprintf(path, sizeof(path), "%s/out", bed_directory(bed));
	from = fopen(path, "r");
	assert_non_null(from);
	while (fgets(line, sizeof(line), from))
		n += strstr(line, part) != NULL;
	fclose(from);
	return n;
}
