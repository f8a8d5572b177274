/* SPDX-License-Identifier: MIT */
/*
 * process.h - starting a program, with a pipe to it and one from it where it is one of our own, and
 * hearing of its end from the event loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <systemd/sd-event.h>

/* Both ends close on exec; ours does not block. 0 or -errno. */
int process_pipe(int *ret_ours, int *ret_theirs, bool we_write);

/*
 * Writes the text into our end of a new pipe, which is given room for all of it: a process that
 * never reads does not hold us up. 0, -E2BIG (more than 1 MiB, above which a pipe needs a
 * privilege) or -errno.
 */
#define PROCESS_SEND_MAX (1024 * 1024)
int process_send(int input, const char *text, size_t n_text);

/*
 * Starts the program: no shell, a process group of its own, no descriptor but the two and standard
 * error. `argument` may be NULL; `environment` too, for that of the service; `input` -1 for none,
 * `output` -1 for the service's own. 0 or -errno.
 */
int process_spawn(const char *program, const char *argument, char *const environment[], int input,
	int output, pid_t *ret);

/*
 * Hands the process to the event loop, which kills and reaps it when the source is freed. It is
 * killed with its group on failure. 0 or -errno.
 */
int process_adopt(sd_event *event, pid_t pid, sd_event_child_handler_t on_end, void *userdata,
	sd_event_source **ret);
