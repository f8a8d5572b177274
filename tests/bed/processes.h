/* SPDX-License-Identifier: MIT */
/*
 * processes.h - what runs below the test program. Workers outlive a service that is killed; the
 * program adopts them (PR_SET_CHILD_SUBREAPER, set by the enclosure), so that none of them holds a
 * port, or its lock file, in the next test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Kills and reaps every child but `spared`, and what these leave behind. */
void processes_end(pid_t spared);

/* The children of a process that have not been reaped, up to `n_max`; how many. */
size_t processes_children(pid_t parent, pid_t *ret_children, size_t n_max);

/* Processor time of a process so far, and of its children that have ended. */
struct processes_time {
	double msec, children_msec;
};

/* False: the process is gone, or /proc cannot be read. */
bool processes_time_of(pid_t pid, struct processes_time *ret);

/* For a test that failed: a line for each child and grandchild, and what it waits for. */
void processes_tell(void);
