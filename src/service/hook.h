/* SPDX-License-Identifier: MIT */
/*
 * hook.h - the program of `on-outcome`: started after each job with the report in its environment,
 * never through a shell, and ended when it takes too long. What it prints goes to the journal.
 */
#pragma once

#include <stddef.h>
#include <sys/queue.h>

#include <systemd/sd-event.h>

#include "base/log.h"

/* A light or a printer is quick; what takes longer belongs to a service of its own. */
#define HOOK_USEC (30 * USEC_PER_SEC)

/* More at once mean that the program does not end; further ones are not started. */
#define HOOKS_MOST 32

struct hooks {
	TAILQ_HEAD(hook_list, hook) items;
	size_t n_items;
};

void hooks_init(struct hooks *hooks);

/* Kills and reaps those that still run. */
void hooks_done(struct hooks *hooks);

/*
 * Starts the program; the fields are its environment, beside PATH. 0, -EAGAIN when too many run, or
 * another -errno.
 */
int hook_start(
	struct hooks *hooks, sd_event *event, const char *program, const struct log_fields *fields);
