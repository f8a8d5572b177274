/* SPDX-License-Identifier: MIT */
#include "web/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-daemon.h>

static int take_one(struct listening *listening, int fd, struct reason *reason)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t size = sizeof(address);

	if (sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) <= 0 &&
		sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) <= 0)
		return reason_refuse(-EINVAL, reason,
			"descriptor %d: this is no listening TCP socket; see ListenStream= in plugflash-web.socket",
			fd);
	/* accept() must not wait for a client that left between the news and the call. */
	if (getsockname(fd, &address.any, &size) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		int error = errno;

		return reason_refuse(-error, reason, "descriptor %d: %s", fd, strerror(error));
	}
	listening->ports[listening->n] = ntohs(
		address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
	listening->sockets[listening->n++] = fd;
	return 0;
}

int listen_take(struct listening *ret, struct reason *reason)
{
	int n = sd_listen_fds(1), r = 0;

	*ret = (struct listening){0};
	if (n < 0)
		return reason_refuse(n, reason, "the sockets of systemd: %s", strerror(-n));
	if (n == 0)
		return reason_refuse(-ENOTCONN, reason,
			"no socket was handed over; this is started by 'systemctl start plugflash-web.socket', for a try by systemd-socket-activate(1)");
	if (n > LISTEN_MOST)
		return reason_refuse(-E2BIG, reason,
			"%d sockets were handed over; at most %d lines ListenStream= are served", n,
			LISTEN_MOST);
	for (int i = 0; r == 0 && i < n; i++)
		r = take_one(ret, SD_LISTEN_FDS_START + i, reason);
	return r;
}
