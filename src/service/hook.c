/* SPDX-License-Identifier: MIT */
#include "service/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/util.h"

#define ENVIRONMENT_MOST    (ARRAY_SIZE(((struct log_fields *)NULL)->items) + 2)
#define SEARCH_PATH	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

struct hook {
	TAILQ_ENTRY(hook) link;
	struct hooks *hooks;
	pid_t pid;
	sd_event_source *end_source; /* owns the process */
	sd_event_source *timer;
};

static void hook_free(struct hook *hook)
{
	if (hook->hooks) {
		TAILQ_REMOVE(&hook->hooks->items, hook, link);
		hook->hooks->n_items--;
	}
	sd_event_source_disable_unref(hook->timer);
	sd_event_source_disable_unref(hook->end_source);
	free(hook);
}

static int on_end(sd_event_source *source, const siginfo_t *end, void *userdata)
{
	struct hook *hook = userdata;

	(void)source;
	if (end->si_code == CLD_EXITED && end->si_status != 0)
		log_warning("the program of on-outcome ended with status %d", end->si_status);
	else if (end->si_code != CLD_EXITED)
		log_warning("the program of on-outcome was ended by signal %d (%s)", end->si_status,
			strsignal(end->si_status));
	hook_free(hook);
	return 0;
}

/* With all that it started: they are of its process group. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct hook *hook = userdata;

	(void)source;
	(void)usec;
	(void)kill(-hook->pid, SIGKILL);
	return 0;
}

/* Its standard output is the service's: systemd takes that for the journal. */
static int spawn(const char *program, char *const environment[], pid_t *ret)
{
	char *argv[] = {(char *)program, NULL};
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
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	r = posix_spawn(ret, program, &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* SIGCHLD is blocked for the workers' sake already, which sd-event wants to see. */
static int watch(struct hook *hook, sd_event *event)
{
	CLEANUP(closep) int pidfd = pidfd_open(hook->pid, 0);
	sigset_t child;
	int r = pidfd < 0 ? -errno : 0;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (r == 0 && sigprocmask(SIG_BLOCK, &child, NULL) < 0)
		r = -errno;
	if (r == 0)
		r = sd_event_add_child_pidfd(
			event, &hook->end_source, pidfd, WEXITED, on_end, hook);
	if (r < 0) {
		(void)kill(-hook->pid, SIGKILL);
		(void)waitpid(hook->pid, NULL, 0);
		return r;
	}
	(void)sd_event_source_set_child_pidfd_own(hook->end_source, true);
	take_fd(&pidfd);
	(void)sd_event_source_set_child_process_own(hook->end_source, true);
	return sd_event_add_time_relative(event, &hook->timer, CLOCK_MONOTONIC, HOOK_USEC,
		TIMER_ACCURACY_USEC, on_timer, hook);
}

int hook_start(
	struct hooks *hooks, sd_event *event, const char *program, const struct log_fields *fields)
{
	char *environment[ENVIRONMENT_MOST] = {(char *)SEARCH_PATH};
	struct hook *hook;
	int r;

	if (hooks->n_items >= HOOKS_MOST)
		return -EAGAIN;
	for (size_t i = 0; i < fields->n_items; i++)
		environment[i + 1] = fields->items[i];
	hook = calloc(1, sizeof(*hook));
	if (!hook)
		return -ENOMEM;
	r = spawn(program, environment, &hook->pid);
	if (r == 0)
		r = watch(hook, event);
	if (r < 0) {
		hook_free(hook);
		return r;
	}
	hook->hooks = hooks;
	TAILQ_INSERT_TAIL(&hooks->items, hook, link);
	hooks->n_items++;
	return 0;
}

void hooks_init(struct hooks *hooks)
{
	TAILQ_INIT(&hooks->items);
	hooks->n_items = 0;
}

void hooks_done(struct hooks *hooks)
{
	struct hook *hook;

	while ((hook = TAILQ_FIRST(&hooks->items)))
		hook_free(hook);
}
