/* SPDX-License-Identifier: MIT */
/*
 * process.h - starting a program, with a pipe to it and one from it where it is one of our own, and
 * hearing of its end from the event loop.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include <systemd/sd-event.h>

/*
 * Starts the program: no shell, a process group of its own, no descriptor but the two and standard
 * error. `argument` may be NULL; `environment` too, for that of the service; `input` -1 for none,
 * `output` -1 for the service's own, `extra` 0 for none, else its descriptor 3. 0 or -errno.
 */
int process_spawn(const char *program, const char *argument, char *const environment[], int input,
	int output, int extra, pid_t *ret);

/*
 * Hands the process to the event loop, which kills and reaps it when the source is freed. It is
 * killed with its group on failure. 0 or -errno.
 */
int process_adopt(sd_event *event, pid_t pid, sd_event_child_handler_t on_end, void *userdata,
	sd_event_source **ret);

/* A program of our own reads what it is to do, and writes what comes of it. */
#define PROCESS_SEND_MAX (1024 * 1024)
struct process_program {
	const char *path;
	const char *argument; /* or NULL */
	int extra;	      /* borrowed, its descriptor 3; 0 none */
	const char *text;     /* what it reads; PROCESS_SEND_MAX at most */
	size_t n_text;
	sd_event_io_handler_t on_output;
	sd_event_child_handler_t on_end;
};

struct process {
	pid_t pid;
	int input, output; /* our ends of its pipes, which do not block; -1: none */
	sd_event_source *output_source;
	sd_event_source *end_source; /* owns the process */
};

#define PROCESS_NONE ((struct process){.input = -1, .output = -1})

/* Starts it as process_spawn() does. 0 or -errno; process_done() is called in both cases. */
int process_start(struct process *process, sd_event *event, const struct process_program *program,
	void *userdata);

/* Kills and reaps it where it has not ended. */
void process_done(struct process *process);

/*
 * Before process_done(), so that this does not wait for its end: for a process that reads files,
 * and may hang in a mount that does not answer, where no signal reaches it. The loop reaps it.
 */
void process_let_go(struct process *process);
