/* SPDX-License-Identifier: MIT */
/*
 * landlock.h - the kernel's Landlock, by its system calls: Debian 12's C library has no functions
 * for them.
 */
#pragma once

#include <stdbool.h>

/* Whether this kernel has Landlock, and it is switched on. */
bool landlock_is_there(void);

/*
 * From now on the process opens, makes, renames and executes no file, and traces no process. Only
 * below `directory` it may remove files. What is open stays open. Needs PR_SET_NO_NEW_PRIVS. 0, or
 * -errno where nothing changed: -ENOSYS or -EOPNOTSUPP on a kernel without Landlock.
 */
int landlock_close_files(const char *directory);
