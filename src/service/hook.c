/* SPDX-License-Identifier: MIT */
/*
 * hook.c - one run of the program of `on-outcome`:
 *
 *   waiting ──> running ──> outlived ──> freed
 *
 * It waits where many run already, and runs in a process group of its own. When the program has
 * ended, whatever it left in the background has the rest of its time (outlived), which nothing
 * waits for. When its time is over, all of it is killed: the process group, and by the mark in
 * their environment the processes that left the group (hook-family.c). A process in the middle of
 * execve(2) shows no environment then, so that a second look follows a little later.
 */
#include "service/hook.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/util.h"
#include "service/hook-family.h"
#include "service/process.h"

/* Beside the fields: PATH, the mark, and NULL. */
#define ENVIRONMENT_MOST (ARRAY_SIZE(((struct log_fields *)NULL)->items) + 3)
/* A process may start another while the list is read. */
#define KILL_PASSES	    4
#define SEARCH_PATH	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)
/* From the end of its time to the second look: an execve(2) is over by then on a busy host, too. */
#define AGAIN_USEC (2 * USEC_PER_SEC)

struct hook {
	TAILQ_ENTRY(hook) link;
	struct hooks *hooks;
	char *program;
	struct log_fields fields;
	char mark[FAMILY_MARK_BYTES]; /* "": it was not started yet */
	bool is_over;		      /* its time is ... */
	bool is_looked_for;	      /* ... and so is the second look */
	pid_t pid;		      /* 0: it waits, or has ended */
	sd_event_source *end_source;  /* owns the process */
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
 * Processes that it left behind have the rest of its time; nothing waits for that. Whether it left
 * anything is not asked now: a child in the middle of execve(2) has no environment to know it by.
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
	if (hook->is_over)
		kill_all(hook);
	if (hook->is_looked_for)
		hook_free(hook);
	else
		TAILQ_INSERT_TAIL(&hooks->outlived, hook, link);
	start_waiting(hooks);
	hooks->on_change(hooks->userdata);
	return 0;
}

static int restart_timer(sd_event_source *timer)
{
	int r = sd_event_source_set_time_relative(timer, AGAIN_USEC);

	return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct hook *hook = userdata;

	(void)usec;
	kill_all(hook);
	if (!hook->is_over) {
		hook->is_over = true;
		return restart_timer(source);
	}
	hook->is_looked_for = true;
	if (hook->pid > 0)
		return 0;
	TAILQ_REMOVE(&hook->hooks->outlived, hook, link);
	hook_free(hook);
	return 0;
}

static int start(struct hook *hook)
{
	char *environment[ENVIRONMENT_MOST] = {(char *)SEARCH_PATH, hook->mark};
	struct hooks *hooks = hook->hooks;
	int r;

	family_mark(hooks->n_started++, hook->mark);
	for (size_t i = 0; i < hook->fields.n_items; i++)
		environment[i + 2] = hook->fields.items[i];
	/* Its standard output is the service's: systemd takes that for the journal. */
	r = process_spawn(hook->program, NULL, environment, -1, -1, 0, &hook->pid);
	if (r == 0)
		r = process_adopt(hooks->event, hook->pid, on_end, hook, &hook->end_source);
	if (r >= 0)
		r = sd_event_add_time_relative(hooks->event, &hook->timer, CLOCK_MONOTONIC,
			hooks->limit_usec, TIMER_ACCURACY_USEC, on_timer, hook);
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

static void end_all(struct hook_list *list)
{
	struct hook *hook;

	while ((hook = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, hook, link);
		if (*hook->mark)
			kill_all(hook);
		hook_free(hook);
	}
}

void hooks_done(struct hooks *hooks)
{
	end_all(&hooks->waiting);
	end_all(&hooks->running);
	end_all(&hooks->outlived);
	hooks->n_running = hooks->n_waiting = 0;
}

bool hooks_are_idle(const struct hooks *hooks)
{
	return hooks->n_running == 0 && hooks->n_waiting == 0;
}
