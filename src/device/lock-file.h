/* SPDX-License-Identifier: MIT */
/* lock-file.h - lock files by the manner of UUCP, as others leave them: what they say, and whether
 * that is to be believed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Who made a lock file, when, and the process that it names. */
struct lock_file {
	struct stat made;
	uint32_t pid;
};

/* False where there is no file, or one that names nobody, or us. */
bool lock_file_read(const char *file, struct lock_file *ret);

/*
 * Whether the process lives, and can have made the file: root made it, or a user whose process it
 * is and who may open the port; and it is older than the file.
 */
bool lock_file_is_plausible(const struct lock_file *file, const struct stat *port);
