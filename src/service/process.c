/* SPDX-License-Identifier: MIT */
#include "service/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/names.h"
#include "base/util.h"

/* Both ends close on exec; ours does not block. */
static int make_pipe(int *ret_ours, int *ret_theirs, bool we_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_ours = ends[we_write ? 1 : 0];
	*ret_theirs = ends[we_write ? 0 : 1];
	return fcntl(*ret_ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/*
 * The new pipe is given room for all of it: a process that never reads does not hold us up.
 * -E2BIG: more than a pipe may have without a privilege.
 */
static int send(int input, const char *text, size_t n_text)
{
	ssize_t n;

	if (n_text > PROCESS_SEND_MAX)
		return -E2BIG;
	if (n_text > (size_t)fcntl(input, F_GETPIPE_SZ) &&
		fcntl(input, F_SETPIPE_SZ, (int)n_text) < 0)
		return -errno;
	n = write(input, text, n_text);
	if (n < 0)
		return -errno;
	return (size_t)n == n_text ? 0 : -E2BIG;
}

int process_spawn(const char *program, const char *argument, char *const environment[], int input,
	int output, int extra, pid_t *ret)
{
	char *argv[] = {(char *)program, (char *)argument, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	if (input < 0)
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (output >= 0)
		posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	/* Last: the others may have had that number. */
	if (extra > 0)
		posix_spawn_file_actions_adddup2(&actions, extra, WORKER_TRANSCRIPT);
	/* Ctrl-C at a terminal is for the service, which asks its workers. */
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	r = posix_spawn(
		ret, program, &actions, &attributes, argv, environment ? environment : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int process_adopt(sd_event *event, pid_t pid, sd_event_child_handler_t on_end, void *userdata,
	sd_event_source **ret)
{
	CLEANUP(closep) int pidfd = pidfd_open(pid, 0);
	int r = pidfd < 0 ? -errno : 0;
	sigset_t child;

	/* sd_event_add_child_pidfd() refuses to work with the signal open, though it needs none. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (r == 0 && sigprocmask(SIG_BLOCK, &child, NULL) < 0)
		r = -errno;
	if (r == 0)
		r = sd_event_add_child_pidfd(event, ret, pidfd, WEXITED, on_end, userdata);
	if (r < 0) {
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	(void)sd_event_source_set_child_pidfd_own(*ret, true);
	take_fd(&pidfd);
	return sd_event_source_set_child_process_own(*ret, true);
}

int process_start(struct process *process, sd_event *event, const struct process_program *program,
	void *userdata)
{
	CLEANUP(closep) int their_input = -1, their_output = -1;
	int r = make_pipe(&process->input, &their_input, true);

	if (r == 0)
		r = make_pipe(&process->output, &their_output, false);
	if (r == 0)
		r = send(process->input, program->text, program->n_text);
	if (r == 0)
		r = process_spawn(program->path, program->argument, NULL, their_input, their_output,
			program->extra, &process->pid);
	if (r == 0)
		r = process_adopt(
			event, process->pid, program->on_end, userdata, &process->end_source);
	if (r >= 0)
		r = sd_event_add_io(event, &process->output_source, process->output, EPOLLIN,
			program->on_output, userdata);
	return r < 0 ? r : 0;
}

void process_done(struct process *process)
{
	sd_event_source_disable_unref(process->output_source);
	sd_event_source_disable_unref(process->end_source);
	closep(&process->input);
	closep(&process->output);
}

/* The process is reaped when its source goes, with the last of its references. */
static int on_late_end(sd_event_source *source, const siginfo_t *end, void *userdata)
{
	(void)end;
	(void)userdata;
	(void)sd_event_source_set_child_process_own(source, true);
	(void)sd_event_source_set_floating(source, false);
	return 0;
}

void process_let_go(struct process *process)
{
	sd_event_source *late = NULL;
	sd_event *event;

	if (!process->end_source)
		return;
	event = sd_event_source_get_event(process->end_source);
	(void)kill(-process->pid, SIGKILL);
	(void)sd_event_source_set_child_process_own(process->end_source, false);
	process->end_source = sd_event_source_disable_unref(process->end_source);
	if (process_adopt(event, process->pid, on_late_end, NULL, &late) < 0)
		return;
	(void)sd_event_source_set_child_process_own(late, false);
	(void)sd_event_source_set_floating(late, true);
	sd_event_source_unref(late);
}
