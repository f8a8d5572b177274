/* SPDX-License-Identifier: MIT */
#include "service/brltty.h"

#include "base/processes.h"
#include "base/util.h"

const char *brltty_suspect(void)
{
	static const char *const programs[] = {"/usr/bin/brltty", "/bin/brltty", "/sbin/brltty"};

	if (processes_have("", "brltty"))
		return "brltty is running and takes such bridges for braille displays: remove it, or mask its udev rule";
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], F_OK) == 0)
			return "brltty is installed and may take such bridges for braille displays: remove it, or mask its udev rule";
	return NULL;
}
