/* SPDX-License-Identifier: MIT */
/*
 * hook.h - the program of `on-outcome`: started after each attempt with the report in its
 * environment, never through a shell, and ended when it takes too long, with all that it started.
 * Its output goes to the journal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include <systemd/sd-event.h>

#include "base/log.h"

/* A light or a printer is quick; what takes longer belongs to a service of its own. */
#define HOOK_USEC (30 * USEC_PER_SEC)

/* So many run at once; the others wait for their turn, in the order in which their attempts ended.
 */
#define HOOKS_MOST 32

/* More that wait mean that the program does not end; further ones are not started. */
#define HOOKS_MOST_WAITING 1000

struct hooks {
	sd_event *event; /* borrowed */
	TAILQ_HEAD(hook_list, hook) running;
	struct hook_list waiting;
	struct hook_list outlived; /* ended; what they started may not have */
	size_t n_running, n_waiting;
	uint64_t n_started;
	uint64_t limit_usec;		   /* HOOK_USEC; a test has less time */
	void (*on_change)(void *userdata); /* one has ended */
	void *userdata;
};

void hooks_init(
	struct hooks *hooks, sd_event *event, void (*on_change)(void *userdata), void *userdata);

/* Kills and reaps those that still run, and forgets those that wait. */
void hooks_done(struct hooks *hooks);

/* Whether none runs or waits. */
bool hooks_are_idle(const struct hooks *hooks);

/*
 * Starts the program, or has it wait; the fields, which are taken, are its environment, beside
 * PATH. 0, -EAGAIN when too many wait, or another -errno. One that waited and cannot be started is
 * told of in the journal.
 */
int hook_start(struct hooks *hooks, const char *program, struct log_fields *fields);
