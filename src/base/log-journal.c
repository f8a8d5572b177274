/* SPDX-License-Identifier: MIT */
/*
 * log-journal.c - a datagram for each entry, to the socket that systemd holds for journald.
 *
 * sd_journal_send() blocks in sendmsg() while the queue of that socket is full, and so does the
 * service with it while journald stands still. Here the socket does not block, and it is connected,
 * because only a connected one can be waited for until the other side takes more.
 */
#include "base/log-journal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/util.h"

struct entry {
	STAILQ_ENTRY(entry) link; /* of outbox.waiting */
	size_t n_bytes;
	char bytes[];
};

/* One a process, as the choice in log.c is. */
static struct {
	int fd; /* -1: not connected */
	STAILQ_HEAD(, entry) waiting;
	size_t n_bytes; /* of what waits */
	size_t n_lost;
} outbox = {.fd = -1, .waiting = STAILQ_HEAD_INITIALIZER(outbox.waiting)};

/* The new one is made before the old one is closed, so that it has another number. */
static int connect_journal(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0
			? -errno
			: 0;

	closep(&outbox.fd);
	outbox.fd = r == 0 ? take_fd(&fd) : -1;
	return r;
}

/* Tries once more on a new socket: journald's socket unit may have been started again. */
static int send_bytes(const void *bytes, size_t n_bytes)
{
	int r = outbox.fd < 0 ? connect_journal() : 0;

	for (unsigned i = 0; i < 2 && r == 0; i++) {
		if (send(outbox.fd, bytes, n_bytes, MSG_NOSIGNAL) >= 0)
			return 0;
		r = -errno;
		if (i == 0 && (r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET))
			r = connect_journal();
	}
	return r;
}

static void drop_first(void)
{
	struct entry *entry = STAILQ_FIRST(&outbox.waiting);

	STAILQ_REMOVE_HEAD(&outbox.waiting, link);
	outbox.n_bytes -= entry->n_bytes;
	free(entry);
}

void log_journal_flush(void)
{
	struct entry *entry;

	while ((entry = STAILQ_FIRST(&outbox.waiting))) {
		int r = send_bytes(entry->bytes, entry->n_bytes);

		if (r == -EAGAIN || r == -ENOBUFS)
			return;
		outbox.n_lost += r < 0;
		drop_first();
	}
}

static struct entry *entry_new(const struct iovec *items, size_t n_items)
{
	size_t n_bytes = 0;
	struct entry *entry;
	char *to;

	for (size_t i = 0; i < n_items; i++)
		n_bytes += items[i].iov_len + 1;
	entry = malloc(sizeof(*entry) + n_bytes);
	if (!entry)
		return NULL;
	entry->n_bytes = n_bytes;
	to = entry->bytes;
	for (size_t i = 0; i < n_items; i++) {
		to = mempcpy(to, items[i].iov_base, items[i].iov_len);
		*to++ = '\n';
	}
	return entry;
}

int log_journal_send(const struct iovec *items, size_t n_items)
{
	CLEANUP(freep) struct entry *entry = entry_new(items, n_items);
	int r;

	if (!entry)
		return -ENOMEM;
	log_journal_flush();
	r = STAILQ_EMPTY(&outbox.waiting) ? send_bytes(entry->bytes, entry->n_bytes) : -EAGAIN;
	if (r != -EAGAIN && r != -ENOBUFS)
		return r;
	/* Without room the new entry is lost: the oldest ones say how it began. */
	if (outbox.n_bytes + entry->n_bytes > LOG_QUEUE_BYTES) {
		outbox.n_lost++;
		return 0;
	}
	outbox.n_bytes += entry->n_bytes;
	STAILQ_INSERT_TAIL(&outbox.waiting, entry, link);
	entry = NULL;
	return 0;
}

int log_journal_waiting_fd(void)
{
	return STAILQ_EMPTY(&outbox.waiting) ? -1 : outbox.fd;
}

size_t log_journal_take_lost(void)
{
	size_t n = outbox.n_lost;

	outbox.n_lost = 0;
	return n;
}

void log_journal_close(uint64_t wait_usec)
{
	uint64_t deadline = monotonic_usec() + wait_usec, now;

	log_journal_flush();
	while (log_journal_waiting_fd() >= 0 && (now = monotonic_usec()) < deadline) {
		struct pollfd ready = {.fd = outbox.fd, .events = POLLOUT};

		if (poll(&ready, 1, (int)((deadline - now) / USEC_PER_MSEC) + 1) <= 0)
			break;
		log_journal_flush();
	}
	while (!STAILQ_EMPTY(&outbox.waiting))
		drop_first();
	closep(&outbox.fd);
	outbox.fd = -1;
}
