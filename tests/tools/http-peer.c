/* SPDX-License-Identifier: MIT */
/*
 * http-peer.c - a small HTTP server for scripts: `http-peer FOLDER [PORT]` takes one request after
 * the other on that port of 127.0.0.1, or one that is free, and writes its number to FOLDER/port
 * once it listens. The head of
 * each is added to FOLDER/heads, its body as a line to FOLDER/bodies. FOLDER/answers has the
 * statuses to answer with, a line each, the last for all that follow; "hang" is none at all: the
 * connection stays open until the client closes it. Ends when its standard input does.
 *
 * A GET of a file of FOLDER/files gets that file, of a folder the file "index" in it, from the
 * first byte of its Range on; one of another file is 404, as long as there is that folder. Neither
 * uses up a line of FOLDER/answers. FOLDER/cut has a number: the first file that is longer is cut
 * off behind so many bytes, and FOLDER/cut is gone then.
 */
#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (1 << 20)
#define FILE_MAX    (1 << 20)

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

/* The file that is asked for; NULL: there is none. */
static FILE *find_file(const char *request)
{
	char path[4096], name[256];
	FILE *f;

	if (sscanf(request, "GET /%255[^? ]", name) != 1 || strstr(name, ".."))
		return NULL;
	snprintf(path, sizeof(path), "%s/files/%s/index", folder, name);
	f = fopen(path, "re");
	if (f)
		return f;
	snprintf(path, sizeof(path), "%s/files/%s", folder, name);
	return fopen(path, "re");
}

static bool is_for_files(const char *request)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/files", folder);
	return strncmp(request, "GET ", 4) == 0 && access(path, F_OK) == 0;
}

/* How many of the `n` bytes are sent. */
static size_t cut_bytes(size_t n)
{
	char path[4096];
	size_t most = n;
	FILE *f = open_file("cut", "re");

	if (!f)
		return n;
	if (fscanf(f, "%zu", &most) != 1)
		errx(1, "cut: no number");
	fclose(f);
	if (most >= n)
		return n;
	snprintf(path, sizeof(path), "%s/cut", folder);
	unlink(path);
	return most;
}

/* `f` is closed. */
static void send_file(int fd, FILE *f, const char *request)
{
	static char bytes[FILE_MAX];
	size_t n = fread(bytes, 1, sizeof(bytes), f), from = 0;
	const char *range = strcasestr(request, "\r\nRange: bytes=");
	char head[256];

	fclose(f);
	if (range)
		from = strtoul(range + 15, NULL, 10);
	if (from >= n && range) {
		snprintf(head, sizeof(head),
			"HTTP/1.1 416 Range\r\nContent-Range: bytes */%zu\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			n);
		from = n;
	} else if (range) {
		snprintf(head, sizeof(head),
			"HTTP/1.1 206 Part\r\nContent-Range: bytes %zu-%zu/%zu\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
			from, n - 1, n, n - from);
	} else {
		snprintf(head, sizeof(head),
			"HTTP/1.1 200 File\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", n);
	}
	(void)!write(fd, head, strlen(head));
	(void)!write(fd, bytes + from, cut_bytes(n - from));
}

static void serve(int fd)
{
	static const char not_found[] =
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	static char request[REQUEST_MAX + 1];
	char answer[64], text[200], *body = take_request(fd, request);
	FILE *file;

	if (!body)
		return;
	append("heads", request, (size_t)(body - request));
	file = find_file(request);
	if (file)
		return send_file(fd, file, request);
	if (is_for_files(request)) {
		(void)!write(fd, not_found, strlen(not_found));
		return;
	}
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
