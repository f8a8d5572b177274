/* SPDX-License-Identifier: MIT */
#include "peers/port-fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"

#define CHUNK 1024

/* What the line is said to run at: it only bounds how long a write may take. */
#define NSEC_BYTE UINT64_C(86806)

struct port {
	int fd;
	struct noise *out, *in;
};

struct port *port_fd_new(int fd, struct noise *out, struct noise *in)
{
	struct port *port = calloc(1, sizeof(*port));

	if (port)
		*port = (struct port){fd, out, in};
	return port;
}

void port_record(struct port *port, struct transcript *transcript)
{
	(void)port;
	(void)transcript;
}

struct transcript *port_transcript(const struct port *port)
{
	(void)port;
	return NULL;
}

struct port *port_close(struct port *port)
{
	free(port);
	return NULL;
}

int port_open(
	const char *path, dev_t devnum, unsigned rest, struct port **ret, struct reason *reason)
{
	(void)devnum;
	(void)rest;
	(void)ret;
	reason_set(reason, "%s: nothing is opened by its name here", path);
	return -ENOENT;
}

int port_configure(struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	(void)port;
	(void)baud;
	(void)parity;
	(void)reason;
	return 0;
}

int port_set_lines(struct port *port, unsigned mask, unsigned lines)
{
	(void)port;
	(void)mask;
	(void)lines;
	return 0;
}

static int wait_for(struct port *port, short events, uint64_t deadline)
{
	struct pollfd pfd = {.fd = port->fd, .events = events};
	uint64_t now = port_now(port);
	uint64_t left = deadline > now ? deadline - now : 0;
	const struct timespec timeout = {
		.tv_sec = (time_t)(left / USEC_PER_SEC),
		.tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC),
	};
	int r = ppoll(&pfd, 1, &timeout, NULL);

	if (r == 0)
		return -ETIMEDOUT;
	return r > 0 && pfd.revents & events ? 0 : -ENODEV;
}

static int write_all(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	while (n_data > 0) {
		ssize_t n = write(port->fd, data, n_data);

		if (n < 0 && errno != EAGAIN)
			return -ENODEV;
		if (n < 0) {
			int r = wait_for(port, POLLOUT, deadline);

			if (r < 0)
				return r;
			continue;
		}
		data += n;
		n_data -= (size_t)n;
	}
	return 0;
}

int port_write(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	uint8_t spoilt[2 * CHUNK];
	int r = 0;

	for (size_t at = 0; r == 0 && at < n_data; at += CHUNK) {
		size_t n = n_data - at < CHUNK ? n_data - at : CHUNK;
		size_t n_out = n;

		if (port->out)
			n_out = noise_pass(port->out, data + at, n, spoilt);
		else
			memcpy(spoilt, data + at, n);
		r = write_all(port, spoilt, n_out, deadline);
	}
	return r;
}

int port_read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	uint8_t bytes[CHUNK];

	for (;;) {
		/* A byte may become two. */
		size_t n_most = n_to / 2 < CHUNK ? n_to / 2 : CHUNK;
		int r = wait_for(port, POLLIN, deadline);
		ssize_t n;

		if (r < 0)
			return r;
		n = read(port->fd, bytes, n_most > 0 ? n_most : 1);
		if (n <= 0)
			return -ENODEV;
		if (port->in && n_to > 1) {
			*ret_n = noise_pass(port->in, bytes, (size_t)n, to);
		} else {
			memcpy(to, bytes, (size_t)n);
			*ret_n = (size_t)n;
		}
		if (*ret_n > 0)
			return 0;
	}
}

int port_discard_input(struct port *port)
{
	uint8_t bytes[CHUNK];

	while (wait_for(port, POLLIN, 0) == 0)
		if (read(port->fd, bytes, sizeof(bytes)) <= 0)
			return -ENODEV;
	return 0;
}

int port_drain(struct port *port, uint64_t deadline)
{
	(void)port;
	(void)deadline;
	return 0;
}

uint64_t port_now(struct port *port)
{
	(void)port;
	return monotonic_usec();
}

int port_wait(struct port *port, uint64_t usec)
{
	(void)port;
	usleep((useconds_t)usec);
	return 0;
}

uint32_t port_rate(const struct port *port)
{
	(void)port;
	return 0;
}

uint64_t port_line_time(const struct port *port, size_t n_bytes)
{
	(void)port;
	return n_bytes * NSEC_BYTE / NSEC_PER_USEC;
}
