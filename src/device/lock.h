/* SPDX-License-Identifier: MIT */
/*
 * lock.h - one user for a port at a time, and the name of the other one where there is one.
 *
 * Programs exclude each other from a tty in three ways that do not see one another: flock(), lock
 * files of UUCP (/run/lock/LCK..ttyUSB0), and not at all. All three are asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Where the lock files of UUCP are. */
#define LOCK_DIRECTORY "/run/lock"

struct lock;

/*
 * Whether the port may be opened at all: -EBUSY with the holder in the reason where a lock file, a
 * lock of any user's, or a process that has it open and can be seen from here says so, else 0.
 */
int lock_check(const char *path, struct reason *reason);

/*
 * Takes the port open as `fd`. 0; -EBUSY or another -errno, with the reason. Where lock
 * files cannot be made (a read-only /run/lock) the other means must do.
 */
int lock_acquire(const char *path, int fd, struct lock **ret, struct reason *reason);

/* Gives it back; `fd` is still open. Returns NULL, takes NULL. */
struct lock *lock_release(struct lock *lock);

/*
 * Whether `holder`, "NAME (PID)", is a worker of the service: nobody's intruder, and not to be
 * ended in the middle of an erase. Then the reason says so.
 */
bool lock_is_ours(const char *path, const char *holder, struct reason *reason);

/* Who has the device node open or locked, as "NAME (PID)", for the reason; false where none can be
 * seen. */
bool lock_find_holder(const char *path, char *to, size_t size);
