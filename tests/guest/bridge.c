/* SPDX-License-Identifier: MIT */
#include "guest/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/util.h"
#include "guest/vhci.h"

#define FRAME_NSEC UINT64_C(1000000)

/* The driver has two reads and a write under way at each interface, and one control transfer. */
#define TRANSFERS 64

struct transfer {
	struct usbip_request request;
	uint64_t submitted;
	uint8_t *data;	 /* of an OUT */
	uint32_t n_done; /* bytes that the buffer of the bridge has taken */
};

struct bridge {
	int fd, port;
	struct cp210x device;
	const struct bridge_line *lines;

	/* What is read of the request that comes. */
	uint8_t header[USBIP_HEADER];
	struct transfer coming;
	size_t n_header, n_data;

	/* Waiting for their frame, in the order they came. */
	struct transfer transfers[TRANSFERS];
	size_t n_transfers;
};

uint64_t bridge_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int bridge_fd(const struct bridge *bridge)
{
	return bridge->fd;
}

int bridge_port(const struct bridge *bridge)
{
	return bridge->port;
}

static int attach(struct bridge *bridge, int port)
{
	CLEANUP(closep) int kernel = -1;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	bridge->fd = pair[0];
	kernel = pair[1];
	r = vhci_attach(port, kernel);
	if (r < 0)
		return r;
	bridge->port = port;
	return 0;
}

int bridge_new(const struct bridge_identity *identity, const struct bridge_line *lines, int port,
	struct bridge **ret)
{
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	const struct bridge_kind *kind = identity->kind;
	uint64_t now = bridge_now();
	int r;

	if (!bridge)
		return -ENOMEM;
	bridge->fd = bridge->port = -1;
	bridge->device.identity = identity;
	bridge->lines = lines;
	for (unsigned i = 0; i < kind->n_interfaces; i++)
		uart_init(&bridge->device.uarts[i], lines[i].sim, lines[i].record, kind->in_size,
			kind->out_size, now);
	r = attach(bridge, port);
	if (r < 0) {
		bridge_free(bridge);
		return r;
	}
	*ret = bridge;
	return 0;
}

struct bridge *bridge_free(struct bridge *bridge)
{
	if (!bridge)
		return NULL;
	if (bridge->port >= 0)
		(void)vhci_detach(bridge->port);
	if (bridge->fd >= 0)
		close(bridge->fd);
	for (size_t i = 0; i < bridge->n_transfers; i++)
		free(bridge->transfers[i].data);
	free(bridge->coming.data);
	free(bridge);
	return NULL;
}

/* ------------------------------------------------------------------ answers */

static int send_all(struct bridge *bridge, struct iovec *parts, size_t n_parts)
{
	while (n_parts > 0) {
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = n_parts};
		ssize_t n = sendmsg(bridge->fd, &message, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		while (n_parts > 0 && (size_t)n >= parts->iov_len) {
			n -= (ssize_t)parts->iov_len;
			parts++;
			n_parts--;
		}
		if (n_parts > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static int answer(struct bridge *bridge, const struct transfer *transfer, int status, uint8_t *data,
	uint32_t n_data)
{
	uint8_t header[USBIP_HEADER];
	struct iovec parts[2] = {{header, sizeof(header)}, {data, n_data}};
	bool has_data = transfer->request.is_in && n_data > 0;

	usbip_format_done(header, transfer->request.sequence, status, n_data);
	return send_all(bridge, parts, has_data ? 2 : 1);
}

/* ------------------------------------------------------------------ frames */

/* Each returns 1 where the transfer has ended, 0 where it goes on waiting. */
static int end_control(struct bridge *bridge, struct transfer *transfer, uint64_t now)
{
	const struct usbip_request *request = &transfer->request;
	uint8_t data[CP210X_CONTROL_MAX] = {0};
	uint32_t n_data = request->length < sizeof(data) ? request->length : sizeof(data);
	int r;

	if (!request->is_in && transfer->data)
		memcpy(data, transfer->data, n_data);
	r = cp210x_control(&bridge->device, request->setup, data, n_data, now);
	if (r < 0)
		r = answer(bridge, transfer, r, NULL, 0);
	else
		r = answer(
			bridge, transfer, 0, data, request->is_in ? (uint32_t)r : request->length);
	return r < 0 ? r : 1;
}

static int end_out(
	struct bridge *bridge, struct transfer *transfer, struct uart *uart, uint64_t now)
{
	uint32_t left = transfer->request.length - transfer->n_done;
	int r;

	if (left > 0)
		transfer->n_done +=
			(uint32_t)uart_put(uart, transfer->data + transfer->n_done, left, now);
	if (transfer->n_done < transfer->request.length)
		return 0;
	r = answer(bridge, transfer, 0, NULL, transfer->n_done);
	return r < 0 ? r : 1;
}

#define PACKET 64

/* Full packets go at once, fewer bytes when they have waited long enough. */
static uint64_t in_due(const struct bridge *bridge, unsigned interface)
{
	const struct uart *uart = &bridge->device.uarts[interface];

	if (uart->n_in == 0)
		return SIM_NEVER;
	return uart->n_in >= PACKET ? 0 : uart->in_since + bridge->lines[interface].latency_nsec;
}

static int end_in(
	struct bridge *bridge, struct transfer *transfer, unsigned interface, uint64_t now)
{
	struct uart *uart = &bridge->device.uarts[interface];
	uint8_t data[UART_BUFFER];
	size_t n =
		transfer->request.length < sizeof(data) ? transfer->request.length : sizeof(data);
	int r;

	uart_advance(uart, now);
	if (in_due(bridge, interface) > now)
		return 0;
	n = uart_take(uart, data, n);
	r = answer(bridge, transfer, 0, data, (uint32_t)n);
	return r < 0 ? r : 1;
}

static int end_transfer(struct bridge *bridge, struct transfer *transfer, uint64_t now)
{
	uint8_t endpoint = transfer->request.endpoint;

	if (endpoint == 0)
		return end_control(bridge, transfer, now);
	if (endpoint > bridge->device.identity->kind->n_interfaces)
		return answer(bridge, transfer, -EPIPE, NULL, 0) < 0 ? -EPIPE : 1;
	if (transfer->request.is_in)
		return end_in(bridge, transfer, endpoint - 1u, now);
	return end_out(bridge, transfer, &bridge->device.uarts[endpoint - 1], now);
}

static void drop(struct bridge *bridge, size_t i)
{
	free(bridge->transfers[i].data);
	bridge->n_transfers--;
	memmove(&bridge->transfers[i], &bridge->transfers[i + 1],
		(bridge->n_transfers - i) * sizeof(bridge->transfers[0]));
}

/* An endpoint serves its transfers one after the other: only the first one gets a turn. */
static bool is_first(const struct bridge *bridge, size_t i)
{
	const struct usbip_request *request = &bridge->transfers[i].request;

	for (size_t k = 0; k < i; k++)
		if (bridge->transfers[k].request.endpoint == request->endpoint &&
			(request->endpoint == 0 ||
				bridge->transfers[k].request.is_in == request->is_in))
			return false;
	return true;
}

int bridge_on_frame(struct bridge *bridge, uint64_t now)
{
	uint64_t end = now / FRAME_NSEC * FRAME_NSEC;

	for (unsigned i = 0; i < bridge->device.identity->kind->n_interfaces; i++)
		uart_advance(&bridge->device.uarts[i], end);
	for (size_t i = 0; i < bridge->n_transfers;) {
		int r = 0;

		if (bridge->transfers[i].submitted < end && is_first(bridge, i))
			r = end_transfer(bridge, &bridge->transfers[i], end);
		if (r < 0)
			return r;
		if (r > 0)
			drop(bridge, i);
		else
			i++;
	}
	return 0;
}

static uint64_t frame_after(uint64_t when)
{
	return (when + FRAME_NSEC - 1) / FRAME_NSEC * FRAME_NSEC;
}

uint64_t bridge_next_frame(const struct bridge *bridge, uint64_t now)
{
	uint64_t next = SIM_NEVER, frame = (now / FRAME_NSEC + 1) * FRAME_NSEC;

	for (size_t i = 0; i < bridge->n_transfers; i++) {
		const struct usbip_request *request = &bridge->transfers[i].request;
		uint64_t due = 0;

		if (request->is_in && request->endpoint > 0)
			due = in_due(bridge, (request->endpoint - 1u) % BRIDGE_INTERFACES);
		if (due <= frame)
			return frame;
		next = due < next ? due : next;
	}
	for (unsigned i = 0; i < bridge->device.identity->kind->n_interfaces; i++) {
		uint64_t when = uart_next(&bridge->device.uarts[i]);

		next = when < next ? when : next;
	}
	if (next == SIM_NEVER)
		return SIM_NEVER;
	next = frame_after(next);
	return next < frame ? frame : next;
}

/* ------------------------------------------------------------------ requests */

static int unlink_transfer(struct bridge *bridge, const struct usbip_request *request)
{
	uint8_t header[USBIP_HEADER];
	struct iovec part = {header, sizeof(header)};
	int status = 0;

	for (size_t i = 0; i < bridge->n_transfers; i++) {
		if (bridge->transfers[i].request.sequence != request->unlinked)
			continue;
		drop(bridge, i);
		status = -ECONNRESET;
		break;
	}
	usbip_format_unlinked(header, request->sequence, status);
	return send_all(bridge, &part, 1);
}

static int take_request(struct bridge *bridge, uint64_t now)
{
	struct transfer *coming = &bridge->coming;

	bridge->n_header = 0;
	if (coming->request.is_unlink)
		return unlink_transfer(bridge, &coming->request);
	if (bridge->n_transfers == TRANSFERS)
		return -ENOBUFS;
	coming->submitted = now;
	bridge->transfers[bridge->n_transfers++] = *coming;
	*coming = (struct transfer){0};
	return 0;
}

/* The header is complete: 1 where data follows. */
static int take_header(struct bridge *bridge)
{
	struct transfer *coming = &bridge->coming;
	int r = usbip_parse(bridge->header, &coming->request);

	if (r < 0)
		return r;
	bridge->n_data = 0;
	coming->n_done = 0;
	if (coming->request.is_unlink || coming->request.is_in || coming->request.length == 0)
		return 0;
	coming->data = malloc(coming->request.length);
	return coming->data ? 1 : -ENOMEM;
}

int bridge_on_input(struct bridge *bridge, uint64_t now)
{
	for (;;) {
		struct transfer *coming = &bridge->coming;
		bool is_header = bridge->n_header < USBIP_HEADER;
		uint8_t *at = is_header ? bridge->header + bridge->n_header
					: coming->data + bridge->n_data;
		size_t left = is_header ? USBIP_HEADER - bridge->n_header
					: coming->request.length - bridge->n_data;
		ssize_t n = recv(bridge->fd, at, left, MSG_DONTWAIT);
		int r = 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		if (is_header)
			bridge->n_header += (size_t)n;
		else
			bridge->n_data += (size_t)n;
		if ((size_t)n < left)
			continue;
		if (is_header)
			r = take_header(bridge);
		if (r == 0)
			r = take_request(bridge, now);
		if (r < 0)
			return r;
	}
}
