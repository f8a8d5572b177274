/* SPDX-License-Identifier: MIT */
/*
 * midnight.c - a timer of the wall clock.
 *
 * The event loop's own timers follow a clock that is set forward, and say nothing of one that is
 * set back. This one is cancelled by the kernel whenever the clock is set (timerfd_create(2),
 * TFD_TIMER_CANCEL_ON_SET), and its reading fails then: both are told alike, since whoever is
 * called asks the clock.
 */
#include "service/midnight.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

#define MSEC_PER_SEC  1000
#define NSEC_PER_MSEC 1000000

static int on_timer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct midnight *midnight = userdata;
	uint64_t n;

	(void)source;
	(void)events;
	/* Eight bytes, or -ECANCELED; with neither it was not due after all. */
	if (read(fd, &n, sizeof(n)) < 0 && errno != ECANCELED)
		return 0;
	midnight_set(midnight, 0);
	midnight->callback(midnight->userdata);
	return 0;
}

int midnight_init(struct midnight *midnight, sd_event *event, void (*callback)(void *userdata),
	void *userdata)
{
	CLEANUP(closep) int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	*midnight = (struct midnight){.fd = fd, .callback = callback, .userdata = userdata};
	r = sd_event_add_io(event, &midnight->source, fd, EPOLLIN, on_timer, midnight);
	if (r < 0) {
		*midnight = (struct midnight){.fd = -1};
		return r;
	}
	(void)take_fd(&fd);
	return 0;
}

void midnight_set(struct midnight *midnight, int64_t due_ms)
{
	const struct itimerspec due = {
		.it_value = {.tv_sec = (time_t)(due_ms / MSEC_PER_SEC),
			.tv_nsec = (long)(due_ms % MSEC_PER_SEC * NSEC_PER_MSEC)},
	};

	if (due_ms == midnight->due_ms)
		return;
	midnight->due_ms = due_ms;
	if (timerfd_settime(midnight->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &due, NULL) <
		0)
		log_debug("the timer of the day cannot be set");
}

void midnight_done(struct midnight *midnight)
{
	if (!midnight->source)
		return;
	sd_event_source_disable_unref(midnight->source);
	close(midnight->fd);
	*midnight = (struct midnight){.fd = -1};
}
