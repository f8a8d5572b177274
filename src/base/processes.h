/* SPDX-License-Identifier: MIT */
/* processes.h - the processes that run on this host, by their names. Only looks, ends nobody. */
#pragma once

#include <stdbool.h>

#define PROCESSES_PID_MAX 16

/*
 * Finds a process of this name (the kernel's, 15 letters at most); `root` is put before /proc. Its
 * id as text; those of other users may be hidden from a confined process.
 */
bool processes_find(const char *root, const char *name, char ret_pid[static PROCESSES_PID_MAX]);

/* Whether there is one. */
bool processes_have(const char *root, const char *name);
