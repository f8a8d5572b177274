/* SPDX-License-Identifier: MIT */
/*
 * hook.c - one run of the program of `on-outcome`:
 *
 *   waiting ──> running ──> outlived ──> freed
 *
 * It waits where many run already, and runs in a process group of its own. When the program has
 * ended, whatever it left in the background has the rest of its time (outlived), which nothing
 * waits for. When its time is over, all of it is killed: the process group, and by the mark in
 * their environment the processes that left the group (hook-family.c).
 */
#include "service/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/util.h"
#include "service/hook-family.h"

/* Beside the fields: PATH, the mark, and NULL. */
#define ENVIRONMENT_MOST (ARRAY_SIZE(((struct log_fields *)NULL)->items) + 3)
/* A process may start another while the list is read. */
#define KILL_PASSES	    4
#define SEARCH_PATH	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

struct hook {
	TAILQ_ENTRY(hook) link;
	struct hooks *hooks;
	char *program;
	struct log_fields fields;
	char mark[FAMILY_MARK_BYTES];
	bool is_over;		     /* its time is */
	pid_t pid;		     /* 0: it waits, or has ended */
	sd_event_source *end_source; /* owns the process */
	sd_event_source *timer;
};

static void hook_free(struct hook *hook)
{
	sd_event_source_disable_unref(hook->timer);
	sd_event_source_disable_unref(hook->end_source);
	log_fields_done(&hook->fields);
	free(hook->program);
	free(hook);
}

static void start_waiting(struct hooks *hooks);

/* With all that it started, in its process group or out of it. */
static void kill_all(struct hook *hook)
{
	if (hook->pid > 0)
		(void)kill(-hook->pid, SIGKILL);
	for (unsigned i = 0; i < KILL_PASSES && family_signal(hook->mark, SIGKILL) > 0; i++)
		;
}

static void tell_end(const siginfo_t *end)
{
	if (end->si_code == CLD_EXITED && end->si_status != 0)
		log_warning("the program of on-outcome ended with status %d", end->si_status);
	else if (end->si_code != CLD_EXITED)
		log_warning("the program of on-outcome was ended by signal %d (%s)", end->si_status,
			strsignal(end->si_status));
}

/*
 * What it left behind has the rest of its time; nothing waits for that. Whether it left anything is
 * not asked now: a child in the middle of execve(2) has no environment to know it by.
 */
static int on_end(sd_event_source *source, const siginfo_t *end, void *userdata)
{
	struct hook *hook = userdata;
	struct hooks *hooks = hook->hooks;

	(void)source;
	tell_end(end);
	TAILQ_REMOVE(&hooks->running, hook, link);
	hooks->n_running--;
	hook->pid = 0;
	hook->end_source = sd_event_source_disable_unref(hook->end_source);
	if (hook->is_over) {
		kill_all(hook);
		hook_free(hook);
	} else {
		TAILQ_INSERT_TAIL(&hooks->outlived, hook, link);
	}
	start_waiting(hooks);
	hooks->on_change(hooks->userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct hook *hook = userdata;

	(void)source;
	(void)usec;
	kill_all(hook);
	hook->is_over = true;
	if (hook->pid > 0)
		return 0;
	TAILQ_REMOVE(&hook->hooks->outlived, hook, link);
	hook_free(hook);
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
	return sd_event_add_time_relative(event, &hook->timer, CLOCK_MONOTONIC,
		hook->hooks->limit_usec, TIMER_ACCURACY_USEC, on_timer, hook);
}

static int start(struct hook *hook)
{
	char *environment[ENVIRONMENT_MOST] = {(char *)SEARCH_PATH, hook->mark};
	struct hooks *hooks = hook->hooks;
	int r;

	family_mark(hooks->n_started++, hook->mark);
	for (size_t i = 0; i < hook->fields.n_items; i++)
		environment[i + 2] = hook->fields.items[i];
	r = spawn(hook->program, environment, &hook->pid);
	if (r == 0)
		r = watch(hook, hooks->event);
	if (r < 0)
		return r;
	TAILQ_INSERT_TAIL(&hooks->running, hook, link);
	hooks->n_running++;
	return 0;
}

static void start_waiting(struct hooks *hooks)
{
	struct hook *hook;

	while (hooks->n_running < HOOKS_MOST && (hook = TAILQ_FIRST(&hooks->waiting))) {
		int r;

		TAILQ_REMOVE(&hooks->waiting, hook, link);
		hooks->n_waiting--;
		r = start(hook);
		if (r == 0)
			continue;
		log_warning("%s, the program of on-outcome, was not started: %s", hook->program,
			strerror(-r));
		hook_free(hook);
	}
}

static struct hook *hook_new(struct hooks *hooks, const char *program, struct log_fields *fields)
{
	struct hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		return NULL;
	hook->hooks = hooks;
	hook->program = strdup(program);
	if (!hook->program) {
		free(hook);
		return NULL;
	}
	hook->fields = *fields;
	*fields = (struct log_fields){0};
	return hook;
}

int hook_start(struct hooks *hooks, const char *program, struct log_fields *fields)
{
	struct hook *hook;
	int r = 0;

	if (hooks->n_waiting >= HOOKS_MOST_WAITING)
		return -EAGAIN;
	hook = hook_new(hooks, program, fields);
	if (!hook)
		return -ENOMEM;
	if (hooks->n_running < HOOKS_MOST) {
		r = start(hook);
		if (r < 0)
			hook_free(hook);
		return r;
	}
	TAILQ_INSERT_TAIL(&hooks->waiting, hook, link);
	hooks->n_waiting++;
	return 0;
}

void hooks_init(
	struct hooks *hooks, sd_event *event, void (*on_change)(void *userdata), void *userdata)
{
	*hooks = (struct hooks){.event = event, .on_change = on_change, .userdata = userdata};
	hooks->limit_usec = HOOK_USEC;
	TAILQ_INIT(&hooks->running);
	TAILQ_INIT(&hooks->outlived);
	TAILQ_INIT(&hooks->waiting);
}

void hooks_done(struct hooks *hooks)
{
	struct hook *hook;

	while ((hook = TAILQ_FIRST(&hooks->waiting))) {
		TAILQ_REMOVE(&hooks->waiting, hook, link);
		hook_free(hook);
	}
	while ((hook = TAILQ_FIRST(&hooks->running))) {
		TAILQ_REMOVE(&hooks->running, hook, link);
		kill_all(hook);
		hook_free(hook);
	}
	while ((hook = TAILQ_FIRST(&hooks->outlived))) {
		TAILQ_REMOVE(&hooks->outlived, hook, link);
		kill_all(hook);
		hook_free(hook);
	}
	hooks->n_running = hooks->n_waiting = 0;
}

bool hooks_are_idle(const struct hooks *hooks)
{
	return hooks->n_running == 0 && hooks->n_waiting == 0;
}
