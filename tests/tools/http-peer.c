/* SPDX-License-Identifier: MIT */
/*
 * http-peer.c - a small HTTP server for scripts: `http-peer FOLDER [PORT]` takes one request after
 * the other on that port of 127.0.0.1, or one that is free, and writes its number to FOLDER/port
 * once it listens. The head of
 * each is added to FOLDER/heads, its body as a line to FOLDER/bodies. FOLDER/answers has the
 * statuses to answer with, a line each, the last for all that follow; "hang" is none at all: the
 * connection stays open until the client closes it. Ends when its standard input does.
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (1 << 20)

static const char *folder;
static unsigned n_requests;

static FILE *open_file(const char *name, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, mode);
	if (!f && mode[0] != 'r')
		err(1, "%s", path);
	return f;
}

static void append(const char *name, const char *text, size_t n)
{
	FILE *f = open_file(name, "ae");

	if (fwrite(text, 1, n, f) != n || fputc('\n', f) == EOF || fclose(f) != 0)
		err(1, "%s", name);
}

/* The line of this request, else the last. */
static void next_answer(char *to, size_t size)
{
	FILE *f = open_file("answers", "re");

	snprintf(to, size, "200");
	for (unsigned i = 0; f && i <= n_requests && fgets(to, (int)size, f); i++)
		to[strcspn(to, "\n")] = '\0';
	if (f)
		fclose(f);
	n_requests++;
}

/* Returns where the body begins, or NULL: the client went away, or sends too much. */
static char *take_request(int fd, char *request)
{
	size_t n = 0, n_body;
	char *body = NULL, *length;

	for (;;) {
		ssize_t got = n < REQUEST_MAX ? read(fd, request + n, REQUEST_MAX - n) : 0;

		if (got <= 0)
			return NULL;
		n += (size_t)got;
		request[n] = '\0';
		body = strstr(request, "\r\n\r\n");
		if (!body)
			continue;
		length = strcasestr(request, "\r\nContent-Length:");
		n_body = length && length < body ? strtoul(length + 17, NULL, 10) : 0;
		if ((size_t)(request + n - (body + 4)) >= n_body)
			return body + 4;
	}
}

static void serve(int fd)
{
	static char request[REQUEST_MAX + 1];
	char answer[64], text[200], *body = take_request(fd, request);

	if (!body)
		return;
	append("heads", request, (size_t)(body - request));
	append("bodies", body, strlen(body));
	next_answer(answer, sizeof(answer));
	if (strcmp(answer, "hang") == 0) {
		(void)!read(fd, request, 1);
		return;
	}
	snprintf(text, sizeof(text),
		"HTTP/1.1 %s Answer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", answer);
	(void)!write(fd, text, strlen(text));
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n_address = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd polled[] = {{.fd = listener, .events = POLLIN}, {.fd = STDIN_FILENO}};
	FILE *f;

	if (argc < 2 || argc > 3)
		errx(2, "usage: http-peer FOLDER [PORT]");
	folder = argv[1];
	address.sin_port = htons((uint16_t)(argc > 2 ? atoi(argv[2]) : 0));
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, n_address) < 0 ||
		listen(listener, 16) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &n_address) < 0)
		err(1, "socket");
	f = open_file("port", "we");
	fprintf(f, "%u\n", ntohs(address.sin_port));
	if (fclose(f) != 0)
		err(1, "port");
	while (poll(polled, 2, -1) > 0 && !(polled[1].revents & (POLLHUP | POLLERR))) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		serve(fd);
		close(fd);
	}
	return 0;
}
