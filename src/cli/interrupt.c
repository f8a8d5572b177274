/* SPDX-License-Identifier: MIT */
/*
 * interrupt.c - signals held back while a job runs, and given back in the right order.
 *
 * Before the old signal mask is restored, a waiting SIGPIPE is taken: once unblocked, it would end
 * the process before the outcome is printed. SIGINT, SIGTERM and SIGHUP that were read from the
 * signalfd are spent, so that they do not strike after the job either.
 */
#include "cli/interrupt.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/util.h"

int interrupt_open(struct interrupt *ret)
{
	struct interrupt interrupt = {.fd = -1};
	sigset_t asked, blocked;

	sigemptyset(&asked);
	sigaddset(&asked, SIGINT);
	sigaddset(&asked, SIGTERM);
	sigaddset(&asked, SIGHUP);
	blocked = asked;
	sigaddset(&blocked, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &blocked, &interrupt.before) < 0)
		return -errno;
	interrupt.fd = signalfd(-1, &asked, SFD_CLOEXEC | SFD_NONBLOCK);
	if (interrupt.fd < 0) {
		int r = -errno;

		sigprocmask(SIG_SETMASK, &interrupt.before, NULL);
		return r;
	}
	*ret = interrupt;
	return 0;
}

bool interrupt_asked(struct interrupt *interrupt)
{
	struct signalfd_siginfo info;

	while (read(interrupt->fd, &info, sizeof(info)) == sizeof(info))
		interrupt->was_asked = true;
	return interrupt->was_asked;
}

void interrupt_close(struct interrupt *interrupt)
{
	sigset_t broken_pipe;

	if (interrupt->fd < 0)
		return;
	closep(&interrupt->fd);
	interrupt->fd = -1;
	/* One that waits would end the process before it has told the outcome. */
	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	while (sigtimedwait(&broken_pipe, NULL, &(struct timespec){0}) == SIGPIPE)
		;
	sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
}
