/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h - Ctrl-C, SIGTERM and a closed terminal as something to ask for, not to be struck by.
 *
 * While it is open those signals are blocked and wait in a signalfd; SIGPIPE is blocked too, so
 * that a reader who goes away does not end a write half way.
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
