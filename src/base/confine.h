/* SPDX-License-Identifier: MIT */
/*
 * confine.h - a worker gives up the rights it does not need, in two steps. A board may be hostile,
 * an image damaged, and the worker runs as the same user as the service: code that takes the worker
 * over must reach neither the service's memory nor its store, the bus, the network or other
 * programs.
 *
 * On a kernel without seccomp or Landlock (an old one, some containers) a worker keeps the rights
 * that these take away; the service says so once, when it starts.
 */
#pragma once

#include <stdint.h>

/* For `most_bytes`: the lock file has eleven, and pipes and ttys have no size. */
#define CONFINE_FILE_BYTES 4096

/*
 * First, before the image is read. Descriptors behind `last` are closed, and no file gets longer
 * than `most_bytes`; other processes cannot
 * be traced or signalled nor trace this one; no program, process, thread or socket can be started
 * or opened, no memory be made executable. Files are still opened: chip table, image, port, lock.
 * 0, or -errno where not even what every kernel has could be done.
 */
int confine_begin(unsigned last, uint64_t most_bytes);

/*
 * Before the first byte of the port is read. Still allowed: reading, writing and waiting on open
 * files, requests of a tty, memory, time, exit; and, where the kernel has Landlock, removing a file
 * below `lock_directory`.
 */
int confine_to_open_files(const char *lock_directory);
