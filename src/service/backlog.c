/* SPDX-License-Identifier: MIT */
#include "service/backlog.h"

#include <fcntl.h>

#include "base/log.h"
#include "base/names.h"
#include "base/util.h"

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	size_t n_lost;

	(void)source;
	(void)fd;
	(void)events;
	(void)userdata;
	log_flush();
	n_lost = log_waiting_fd() < 0 ? log_take_lost() : 0;
	if (n_lost > 0)
		log_event(LOG_WARNING, MESSAGE_ENTRIES_LOST, NULL,
			"the journal took no entries for a while, and %zu were lost: plugflash history has all attempts",
			n_lost);
	return 0;
}

/* After each round of the loop: any of what ran may have made an entry that has to wait. */
static int on_round(sd_event_source *source, void *userdata)
{
	struct backlog *backlog = userdata;
	CLEANUP(closep) int copy = -1;
	int fd = log_waiting_fd(), r;

	(void)source;
	if (backlog->source && backlog->fd == fd)
		return 0;
	backlog->source = sd_event_source_disable_unref(backlog->source);
	if (fd < 0)
		return 0;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return 0;
	r = sd_event_add_io(backlog->event, &backlog->source, copy, EPOLLOUT, on_writable, NULL);
	if (r < 0)
		return 0;
	backlog->fd = fd;
	take_fd(&copy);
	return sd_event_source_set_io_fd_own(backlog->source, true);
}

int backlog_init(struct backlog *backlog, sd_event *event)
{
	backlog->event = event;
	return sd_event_add_post(event, &backlog->post_source, on_round, backlog);
}

void backlog_done(struct backlog *backlog)
{
	sd_event_source_disable_unref(backlog->source);
	sd_event_source_disable_unref(backlog->post_source);
}
