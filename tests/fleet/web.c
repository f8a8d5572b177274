/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/web.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/text.h"

#define HEAD_MAX 4096

struct offer {
	char name[64], tag[80];
	const char *data;
	size_t n_data;
};

/* One connection, from its first byte to its last. */
struct visit {
	LIST_ENTRY(visit) link;
	struct web *web;
	int fd;
	sd_event_source *io;
	char head[HEAD_MAX];
	size_t n_head;
	bool is_answered;
	char answer[512]; /* the head of the answer, then the body */
	const char *body;
	size_t n_answer, n_body, n_sent;
};

struct web {
	struct farm *farm;
	int listener;
	sd_event_source *accept;
	LIST_HEAD(, visit) visits;
	struct offer offers[16];
	size_t n_offers, cut;
	unsigned n_requests, n_resumed;
	uint64_t n_bytes;
};

static void end_visit(struct visit *visit)
{
	LIST_REMOVE(visit, link);
	sd_event_source_disable_unref(visit->io);
	close(visit->fd);
	free(visit);
}

/* ----------------------------------------------------------------------------- answers */

static const struct offer *find_offer(const struct web *web, const char *head)
{
	char name[64];

	if (sscanf(head, "GET /%63s HTTP/1.", name) != 1)
		return NULL;
	for (size_t i = 0; i < web->n_offers; i++)
		if (strcmp(web->offers[i].name, name) == 0)
			return &web->offers[i];
	return NULL;
}

/* The value of a header, with its line's end; NULL: it is not there. */
static const char *header(const char *head, const char *name)
{
	const char *line = strcasestr(head, name);

	return line ? line + strlen(name) : NULL;
}

/* Where the body begins; 0: from its beginning, as without a range. */
static size_t range_begin(const char *head, const struct offer *offer)
{
	const char *range = header(head, "\r\nRange: bytes=");
	const char *condition = header(head, "\r\nIf-Range: ");
	unsigned long long from = 0;

	if (!range || sscanf(range, "%llu-", &from) != 1 || from >= offer->n_data)
		return 0;
	if (condition && strncmp(condition, offer->tag, strlen(offer->tag)) != 0)
		return 0;
	return (size_t)from;
}

static void answer(struct visit *visit)
{
	struct web *web = visit->web;
	const struct offer *offer = find_offer(web, visit->head);
	char range[96] = "";
	size_t from;

	visit->is_answered = true;
	web->n_requests++;
	if (!offer) {
		visit->n_answer = (size_t)snprintf(visit->answer, sizeof(visit->answer),
			"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
		return;
	}
	from = range_begin(visit->head, offer);
	web->n_resumed += from > 0;
	if (from > 0)
		snprintf(range, sizeof(range), "Content-Range: bytes %zu-%zu/%zu\r\n", from,
			offer->n_data - 1, offer->n_data);
	visit->body = offer->data + from;
	visit->n_body = offer->n_data - from;
	visit->n_answer = (size_t)snprintf(visit->answer, sizeof(visit->answer),
		"HTTP/1.1 %s\r\nContent-Length: %zu\r\n%sETag: %s\r\nAccept-Ranges: bytes\r\n"
		"Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n",
		from > 0 ? "206 Partial Content" : "200 OK", visit->n_body, range, offer->tag);
	if (visit->n_body > web->cut)
		visit->n_body = web->cut;
}

/* ---------------------------------------------------------------------------- sockets */

/* False: the visit ended. */
static bool take_head(struct visit *visit)
{
	ssize_t n = recv(
		visit->fd, visit->head + visit->n_head, sizeof(visit->head) - 1 - visit->n_head, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		end_visit(visit);
		return false;
	}
	visit->n_head += (size_t)n;
	visit->head[visit->n_head] = '\0';
	if (strstr(visit->head, "\r\n\r\n"))
		answer(visit);
	return true;
}

static void send_answer(struct visit *visit)
{
	bool is_body = visit->n_sent >= visit->n_answer;
	size_t done = is_body ? visit->n_sent - visit->n_answer : visit->n_sent;
	size_t left = (is_body ? visit->n_body : visit->n_answer) - done;
	const char *from = is_body ? visit->body : visit->answer;
	ssize_t n = left > 0 ? send(visit->fd, from + done, left, MSG_NOSIGNAL) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		visit->n_sent += (size_t)n;
		visit->web->n_bytes += is_body ? (uint64_t)n : 0;
	}
	if (n <= 0 || visit->n_sent == visit->n_answer + visit->n_body)
		end_visit(visit);
}

static int on_visit(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct visit *visit = userdata;

	(void)fd;
	(void)events;
	if (visit->is_answered) {
		send_answer(visit);
		return 0;
	}
	if (take_head(visit) && visit->is_answered)
		assert_true(sd_event_source_set_io_events(source, EPOLLOUT) >= 0);
	return 0;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct web *web = userdata;
	int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visit *visit;

	(void)source;
	(void)events;
	if (connection < 0)
		return 0;
	visit = calloc(1, sizeof(*visit));
	assert_non_null(visit);
	visit->web = web;
	visit->fd = connection;
	LIST_INSERT_HEAD(&web->visits, visit, link);
	assert_true(sd_event_add_io(farm_event(web->farm), &visit->io, connection, EPOLLIN,
			    on_visit, visit) >= 0);
	return 0;
}

struct web *web_new(struct farm *farm)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(FARM_WEB_PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct web *web = calloc(1, sizeof(*web));
	const int yes = 1;

	assert_non_null(web);
	web->farm = farm;
	web->cut = SIZE_MAX;
	LIST_INIT(&web->visits);
	web->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(web->listener >= 0);
	setsockopt(web->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(
		bind(web->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(web->listener, SOMAXCONN), 0);
	assert_true(sd_event_add_io(farm_event(farm), &web->accept, web->listener, EPOLLIN,
			    on_accept, web) >= 0);
	return web;
}

struct web *web_free(struct web *web)
{
	if (!web)
		return NULL;
	while (!LIST_EMPTY(&web->visits))
		end_visit(LIST_FIRST(&web->visits));
	sd_event_source_disable_unref(web->accept);
	close(web->listener);
	free(web);
	return NULL;
}

void web_offer(struct web *web, const char *name, const char *tag, const void *data, size_t n_data)
{
	struct offer *offer = &web->offers[web->n_offers++];

	assert_true(web->n_offers <= ARRAY_SIZE(web->offers));
	text_copy(offer->name, sizeof(offer->name), name);
	snprintf(offer->tag, sizeof(offer->tag), "\"%s\"", tag);
	offer->data = data;
	offer->n_data = n_data;
}

char *web_address(const char *name)
{
	char *address;

	assert_int_equal(text_format(&address, "http://127.0.0.1:%d/%s", FARM_WEB_PORT, name), 0);
	return address;
}

void web_cut(struct web *web, size_t n_bytes)
{
	web->cut = n_bytes;
}

unsigned web_requests(const struct web *web)
{
	return web->n_requests;
}

unsigned web_resumed(const struct web *web)
{
	return web->n_resumed;
}

uint64_t web_bytes(const struct web *web)
{
	return web->n_bytes;
}
