/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h - Ctrl-C, SIGTERM and a closed terminal as a question that a job asks now and then.
 *
 * While it is open those signals are blocked and wait in a signalfd. SIGPIPE is blocked too: a
 * closed pipe on standard output must not end the process in the middle of a job.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

struct interrupt {
	int fd;
	bool was_asked;
	sigset_t before;
};

/* 0 or -errno. */
int interrupt_open(struct interrupt *ret);

/* Whether one came, now or before. */
bool interrupt_asked(struct interrupt *interrupt);

/* Lets signals be what they were; those taken meanwhile are not delivered again. */
void interrupt_close(struct interrupt *interrupt);
