/* SPDX-License-Identifier: MIT */
/*
 * store-file.h - the store as files of a directory: one service at a time, and where a damaged one
 * goes. Knows nothing of what is in them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define STORE_NAME	"plugflash.db"
#define STORE_LOCK_NAME "plugflash.lock"

/*
 * Takes the directory for this process; `ret_fd` holds it until it is closed. 0, -EBUSY with the
 * holder in the reason, another -errno with the reason.
 */
int store_file_lock(const char *directory, int *ret_fd, struct reason *reason);

/*
 * Whether a process has it, as far as that can be told: where it cannot, one has. Not for the one
 * that has it: what is opened here to ask would lift its lock.
 */
bool store_file_is_locked(const char *directory);

/*
 * Makes the file where it is not there, and takes all that belongs to it from everybody but its
 * owner and its group: also what an earlier version left open. Before it is opened, and by the
 * process that has the directory. A failure is told when the file is opened.
 */
void store_file_make_private(const char *path);

/*
 * Renames the file and what belongs to it, with the date in the name. 0 and a sentence that says
 * where it is now, or -errno with the reason.
 */
int store_file_set_aside(const char *path, struct reason *reason);

/* By what a file in the place of another one, or one that somebody wrote to, is told. */
struct store_traces {
	uint64_t device, inode, log_inode; /* the last one 0: there is no log */
	int64_t size, modified_nsec;
};

/* Bytes of the log that SQLite keeps beside it, 0 without one. */
int64_t store_file_log_size(const char *path);

/* All zero where the file is not there. */
struct store_traces store_file_look(const char *path);

/* Whether one that was set aside lies beside it; its path. */
bool store_file_find_aside(const char *path, char *to, size_t size);
