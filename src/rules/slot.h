/* SPDX-License-Identifier: MIT */
/*
 * slot.h - the name of a socket: one [slot NAME] as plain data, which config.h reads.
 *
 * A slot is one place, so that its name tells one socket from all others wherever it is shown; a
 * rule for several sockets names several slots, or a glob as `path`.
 */
#pragma once

#include <stddef.h>

#include "base/ini.h"

#define SLOT_NAME_SIZE 64 /* 63 characters and the NUL */

struct slot {
	char *name;
	char *path; /* ID_PATH, as text: never a glob */
	char *file; /* with `line`: the place of the section, for messages */
	unsigned line;
};

void slot_done(struct slot *slot);

/* One slot out of its section, whose name was checked. 0 or -ENOMEM; problems are added, and `path`
 * stays NULL where it is not known. */
int slot_read(const struct ini_section *section, struct slot *ret, struct ini_problems *problems);
