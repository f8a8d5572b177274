/* SPDX-License-Identifier: MIT */
/*
 * https-peer.c - a small web server that misbehaves where it is asked to:
 * `https-peer FOLDER [CERTIFICATE KEY [PORT [CLIENT-CA]]]`, without a certificate by http. It
 * listens on that port of 127.0.0.1, or on one that is free, and writes its number to FOLDER/port
 * once it does. With the last argument clients must show a certificate of that CA. It sends the
 * files of FOLDER/files, and knows ranges and If-Range; the head of each request is added to
 * FOLDER/heads. Each connection has a process and one request. Ends when its standard input does.
 *
 * How it misbehaves stands in the query of the address, "?cut=1000&tag=none":
 *   status=N     that status, and a page of its own       retry-after=N  that header
 *   cut=N        it closes after N bytes of the body      hold=N         it sends no more after N
 *   slow=N       N bytes each 10 ms                       endless        the file, again and again
 *   length=N     that Content-Length; none: none          ranges=no      Range is ignored
 *   range=TEXT   that Content-Range                       tag=TEXT       that ETag; none: none
 *   other        each byte is another                     packed         Content-Encoding: gzip
 *   junk         no HTTP at all                           to=ADDRESS     a redirect; the last one
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

#define HEAD_MAX 16384
#define BLOCK	 4096

static const char *folder;

struct visit {
	int fd;
	SSL *tls; /* NULL: http */
	char head[HEAD_MAX + 1];
	const char *query; /* of the head */
};

/* ----------------------------------------------------------------------------------- the wire */

static bool put(struct visit *visit, const void *bytes, size_t n)
{
	while (n > 0) {
		ssize_t sent = visit->tls ? SSL_write(visit->tls, bytes, (int)n)
					  : write(visit->fd, bytes, n);

		if (sent <= 0)
			return false;
		bytes = (const char *)bytes + sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool take_head(struct visit *visit)
{
	size_t n = 0;

	while (!strstr(visit->head, "\r\n\r\n")) {
		ssize_t got = visit->tls
				      ? SSL_read(visit->tls, visit->head + n, (int)(HEAD_MAX - n))
				      : read(visit->fd, visit->head + n, HEAD_MAX - n);

		if (got <= 0)
			return false;
		n += (size_t)got;
		visit->head[n] = '\0';
	}
	return true;
}

/* In one piece: several processes write there. */
static void keep_head(const struct visit *visit)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/heads", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, visit->head, strlen(visit->head)) < 0)
		err(1, "%s", path);
	close(fd);
}

/* ----------------------------------------------------------------------------------- the query */

/* The value of that word, "" without one; NULL: it does not stand there. It ends at & or a blank.
 */
static const char *manner(const struct visit *visit, const char *word)
{
	const char *at = visit->query;
	size_t n = strlen(word);

	while (*at == '?' || *at == '&') {
		at++;
		if (strncmp(at, word, n) == 0 && strchr("=& ", at[n]))
			return at + n + (at[n] == '=');
		/* The address that a redirect leads to has a query of its own. */
		if (strncmp(at, "to=", 3) == 0)
			return NULL;
		at += strcspn(at, "& ");
	}
	return NULL;
}

static size_t manner_number(const struct visit *visit, const char *word, size_t otherwise)
{
	const char *value = manner(visit, word);

	return value ? strtoul(value, NULL, 10) : otherwise;
}

static bool manner_is(const struct visit *visit, const char *word, const char *expected)
{
	const char *value = manner(visit, word);

	return value && strncmp(value, expected, strlen(expected)) == 0;
}

/* ----------------------------------------------------------------------------------- the answer */

struct answer {
	char *file;
	size_t n_file;
	size_t from; /* what is sent of it */
	char tag[200];
};

static bool read_file(const struct visit *visit, struct answer *answer)
{
	char path[4096], name[256];
	struct stat status;
	FILE *file;

	if (sscanf(visit->head, "GET /%255[A-Za-z0-9._-]", name) != 1)
		return false;
	snprintf(path, sizeof(path), "%s/files/%s", folder, name);
	file = fopen(path, "re");
	if (!file || fstat(fileno(file), &status) < 0)
		return false;
	answer->n_file = (size_t)status.st_size;
	answer->file = malloc(answer->n_file + 1);
	if (!answer->file || fread(answer->file, 1, answer->n_file, file) != answer->n_file)
		err(1, "%s", path);
	fclose(file);
	snprintf(answer->tag, sizeof(answer->tag), "\"%zx-%llx\"", answer->n_file,
		(unsigned long long)status.st_mtime);
	for (size_t i = 0; manner(visit, "other") && i < answer->n_file; i++)
		answer->file[i] ^= 1;
	return true;
}

static const char *header(const struct visit *visit, const char *name)
{
	const char *line = strcasestr(visit->head, name);

	return line ? line + strlen(name) : NULL;
}

/* Where to begin; false: at the first byte, with 200. */
static bool take_range(const struct visit *visit, struct answer *answer)
{
	const char *range = header(visit, "\r\nRange: bytes="), *condition;

	if (!range || manner_is(visit, "ranges", "no"))
		return false;
	condition = header(visit, "\r\nIf-Range: ");
	if (condition && strncmp(condition, answer->tag, strlen(answer->tag)) != 0)
		return false;
	answer->from = strtoul(range, NULL, 10);
	return true;
}

static void add(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add(char *to, size_t size, const char *format, ...)
{
	size_t n = strlen(to);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(to + n, size - n, format, arguments);
	va_end(arguments);
}

/* A value of the query as it stands there. */
static void add_value(char *to, size_t size, const char *name, const char *value)
{
	add(to, size, "%s: %.*s\r\n", name, (int)strcspn(value, "& "), value);
}

static bool put_head(struct visit *visit, const struct answer *answer, unsigned status)
{
	const char *range = manner(visit, "range"), *tag = manner(visit, "tag");
	char head[4096] = "";

	add(head, sizeof(head), "HTTP/1.1 %u Answer\r\nConnection: close\r\n", status);
	if (!manner(visit, "endless") && !manner_is(visit, "length", "none"))
		add(head, sizeof(head), "Content-Length: %zu\r\n",
			manner_number(visit, "length", answer->n_file - answer->from));
	if (range)
		add_value(head, sizeof(head), "Content-Range", range);
	else if (status == 206)
		add(head, sizeof(head), "Content-Range: bytes %zu-%zu/%zu\r\n", answer->from,
			answer->n_file - 1, answer->n_file);
	if (tag && strncmp(tag, "none", 4) != 0)
		add_value(head, sizeof(head), "ETag", tag);
	else if (!tag)
		add(head, sizeof(head), "ETag: %s\r\n", answer->tag);
	if (manner(visit, "packed"))
		add(head, sizeof(head), "Content-Encoding: gzip\r\n");
	add(head, sizeof(head), "\r\n");
	return put(visit, head, strlen(head));
}

/* Until the client leaves. */
static void hold(const struct visit *visit)
{
	struct pollfd polled = {.fd = visit->fd, .events = POLLRDHUP};

	(void)poll(&polled, 1, -1);
}

static void put_body(struct visit *visit, const struct answer *answer)
{
	size_t n = answer->n_file - answer->from, slow = manner_number(visit, "slow", 0);
	size_t end = manner_number(visit, "cut", manner_number(visit, "hold", SIZE_MAX));
	size_t block = slow ? slow : BLOCK;

	for (size_t i = 0; (i < n || manner(visit, "endless")) && i < end; i += block) {
		size_t at = i % n, left = n - at < end - i ? n - at : end - i;

		block = slow ? slow : BLOCK;
		block = left < block ? left : block;
		if (!put(visit, answer->file + answer->from + at, block))
			return;
		if (slow)
			usleep(10000);
	}
	if (manner(visit, "hold"))
		hold(visit);
}

static void put_status(struct visit *visit, size_t status)
{
	const char *rest = manner(visit, "retry-after");
	static const char page[] = "<h1>No.</h1>\n";
	char head[400] = "";

	add(head, sizeof(head), "HTTP/1.1 %zu Answer\r\nConnection: close\r\n", status);
	if (rest)
		add_value(head, sizeof(head), "Retry-After", rest);
	add(head, sizeof(head), "Content-Length: %zu\r\n\r\n%s", strlen(page), page);
	(void)put(visit, head, strlen(head));
}

static void redirect(struct visit *visit, const char *to)
{
	char head[4096] = "";

	add(head, sizeof(head), "HTTP/1.1 302 Answer\r\nConnection: close\r\n");
	add(head, sizeof(head), "Location: %.*s\r\nContent-Length: 0\r\n\r\n",
		(int)strcspn(to, " "), to);
	(void)put(visit, head, strlen(head));
}

static void answer(struct visit *visit)
{
	const char *to;
	struct answer made = {};
	size_t status;
	bool is_part;

	visit->query = visit->head + strcspn(visit->head, "?\r");
	to = manner(visit, "to");
	status = manner_number(visit, "status", 0);
	if (to) {
		redirect(visit, to);
	} else if (manner(visit, "junk")) {
		(void)put(visit, "220 mail.example ESMTP\r\n", 24);
	} else if (status) {
		put_status(visit, status);
	} else if (!read_file(visit, &made)) {
		put_status(visit, 404);
	} else {
		is_part = take_range(visit, &made);
		if (made.from >= made.n_file)
			put_status(visit, 416);
		else if (put_head(visit, &made, is_part ? 206 : 200))
			put_body(visit, &made);
	}
	free(made.file);
}

/* ----------------------------------------------------------------------------------- the server */

static SSL_CTX *make_tls(const char *certificate, const char *key, const char *client_ca)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (!tls || SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		errx(1, "%s, %s: no certificate and key", certificate, key);
	if (client_ca && SSL_CTX_load_verify_locations(tls, client_ca, NULL) != 1)
		errx(1, "%s: no certificate", client_ca);
	if (client_ca)
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return tls;
}

static void serve(int fd, SSL_CTX *tls)
{
	struct visit visit = {.fd = fd, .tls = tls ? SSL_new(tls) : NULL};

	if (visit.tls && (SSL_set_fd(visit.tls, fd) != 1 || SSL_accept(visit.tls) != 1))
		return;
	if (!take_head(&visit))
		return;
	keep_head(&visit);
	answer(&visit);
	if (visit.tls)
		(void)SSL_shutdown(visit.tls);
	/* What the client still sends would make the kernel throw away what it has not read yet. */
	shutdown(fd, SHUT_WR);
	hold(&visit);
}

static int listen_on(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n_address = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[4096], hidden[4100];
	FILE *file;

	address.sin_port = htons((uint16_t)(port ? strtoul(port, NULL, 10) : 0));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
		bind(fd, (struct sockaddr *)&address, n_address) < 0 || listen(fd, 128) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &n_address) < 0)
		err(1, "socket");
	snprintf(path, sizeof(path), "%s/port", folder);
	snprintf(hidden, sizeof(hidden), "%s.new", path);
	file = fopen(hidden, "we");
	if (!file || fprintf(file, "%u\n", ntohs(address.sin_port)) < 0 || fclose(file) != 0 ||
		rename(hidden, path) < 0)
		err(1, "%s", path);
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd polled[] = {{.events = POLLIN}, {.fd = STDIN_FILENO}};
	SSL_CTX *tls = NULL;

	if (argc < 2 || argc == 3 || argc > 6)
		errx(2, "usage: https-peer FOLDER [CERTIFICATE KEY [PORT [CLIENT-CA]]]");
	folder = argv[1];
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	if (argc > 3)
		tls = make_tls(argv[2], argv[3], argc > 5 ? argv[5] : NULL);
	polled[0].fd = listen_on(argc > 4 ? argv[4] : NULL);
	while (poll(polled, 2, -1) > 0 && !(polled[1].revents & (POLLHUP | POLLERR))) {
		int fd = accept(polled[0].fd, NULL, NULL);

		if (fd >= 0 && fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(fd, tls);
			_exit(0);
		}
		close(fd);
	}
	return 0;
}
