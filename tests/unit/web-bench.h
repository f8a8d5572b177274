/* SPDX-License-Identifier: MIT */
/*
 * web-bench.h - the real plugflash-web on a bus of the test's own, with a service that says what
 * the test wants (fake-service.h), and browsers that are sockets. All but plugflash-web runs in the
 * test's own loop. Include after cmocka.h.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <jansson.h>

#include "base/clock.h"
#include "unit/fake-service.h"
#include "unit/patience.h"

struct bench {
	struct fake_bus bus;
	struct fake_service service;
	sd_event *event;
	int socket; /* listening; "systemd's" */
	uint16_t port;
	char page[64]; /* directory of the page's files */
	pid_t web;     /* 0: it does not run */
};

/* The bridge that the service of begin() has. */
#define BRIDGE "/org/plugflash1/bridge/1"

/* A connection, and what came over it. */
struct browser {
	struct bench *bench;
	int fd;
	char *text;
	size_t n;
	bool is_closed; /* by the other end */
};

/* ----------------------------------------------------------------------------- the process */

static inline void write_file(const char *folder, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static const struct {
	const char *name, *text;
} page_files[] = {
	{"index.html", "<!DOCTYPE html>\n<title>x</title>\n"},
	{"page.css", "body { color: red }\n"},
	{"page.js", "export const x = 1;\n"},
	{"icon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>\n"},
	{".hidden.js", "secret\n"},
	{"notes.txt", "secret\n"},
};

static inline void bench_listen(struct bench *bench)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bench->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(bench->socket >= 0);
	assert_int_equal(bind(bench->socket, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(bench->socket, 128), 0);
	assert_int_equal(getsockname(bench->socket, (struct sockaddr *)&address, &size), 0);
	bench->port = ntohs(address.sin_port);
}

/* With one option and its value, or NULL. It takes connections, also before it runs. */
static inline void bench_start_web(struct bench *bench, const char *option, const char *value)
{
	const char *build = getenv("BUILD");
	char program[256], number[16];
	pid_t parent = getpid();

	snprintf(program, sizeof(program), "%s/plugflash-web", build ? build : "build");
	bench->web = fork();
	assert_true(bench->web >= 0);
	if (bench->web > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	dup2(bench->socket, 3);
	fcntl(3, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	setenv("LISTEN_FDS", "1", 1);
	execl(program, program, "--page", bench->page, option, value, (char *)NULL);
	_exit(127);
}

/* Waits for its end; the status of waitpid(). */
static inline int bench_await_end(struct bench *bench)
{
	uint64_t begin = monotonic_usec();
	int status = 0;

	while (waitpid(bench->web, &status, WNOHANG) == 0) {
		assert_true(monotonic_usec() - begin < PATIENCE_USEC);
		sd_event_run(bench->event, 10 * USEC_PER_MSEC);
	}
	bench->web = 0;
	return status;
}

static inline int bench_make(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	fake_bus_make(&bench->bus);
	fake_bus_start(&bench->bus);
	assert_true(sd_event_new(&bench->event) >= 0);
	strcpy(bench->page, "/tmp/plugflash-page-XXXXXX");
	assert_non_null(mkdtemp(bench->page));
	for (size_t i = 0; i < ARRAY_SIZE(page_files); i++)
		write_file(bench->page, page_files[i].name, page_files[i].text);
	bench_listen(bench);
	*state = bench;
	return 0;
}

static inline int bench_done(void **state)
{
	struct bench *bench = *state;
	char path[128];

	if (bench->web > 0) {
		kill(bench->web, SIGTERM);
		assert_int_equal(bench_await_end(bench), 0);
	}
	fake_service_end(&bench->service);
	fake_bus_done(&bench->bus);
	sd_event_unref(bench->event);
	for (size_t i = 0; i < ARRAY_SIZE(page_files); i++) {
		snprintf(path, sizeof(path), "%s/%s", bench->page, page_files[i].name);
		unlink(path);
	}
	rmdir(bench->page);
	close(bench->socket);
	free(bench);
	return 0;
}

/* The service with one bridge, and the page. */
static inline void begin(struct bench *bench)
{
	fake_service_begin(&bench->service, &bench->bus, bench->event);
	fake_service_set(&bench->service, BUS_PATH, BUS_MANAGER, "Version", "0.1");
	fake_service_set(&bench->service, BRIDGE, BUS_BRIDGE, "Port", "/dev/ttyUSB0");
	fake_service_set(&bench->service, BRIDGE, BUS_BRIDGE, "State", "done");
	bench_start_web(bench, NULL, NULL);
}

/* ------------------------------------------------------------------------------- browsers */

static inline void browser_open(struct bench *bench, struct browser *browser)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(bench->port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*browser = (struct browser){.bench = bench};
	browser->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(browser->fd >= 0);
	assert_int_equal(connect(browser->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

/* A small window: the other end notices soon that nothing is read. */
static inline void browser_open_narrow(struct bench *bench, struct browser *browser)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(bench->port)};
	int bytes = 32768;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*browser = (struct browser){.bench = bench};
	browser->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(browser->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
	assert_int_equal(connect(browser->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static inline void browser_close(struct browser *browser)
{
	if (browser->fd >= 0)
		close(browser->fd);
	free(browser->text);
	*browser = (struct browser){.fd = -1};
}

static inline void browser_send(struct browser *browser, const char *text)
{
	/* A browser that is refused early may find the other end closed. */
	(void)send(browser->fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Takes what is there. */
static inline void browser_read(struct browser *browser)
{
	char part[65536];
	ssize_t n;

	while (!browser->is_closed) {
		n = recv(browser->fd, part, sizeof(part), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			browser->is_closed = true;
			return;
		}
		browser->text = realloc(browser->text, browser->n + (size_t)n + 1);
		assert_non_null(browser->text);
		memcpy(browser->text + browser->n, part, (size_t)n);
		browser->n += (size_t)n;
		browser->text[browser->n] = '\0';
	}
}

/* One turn of the loop, a moment long at most. */
static inline void bench_turn(struct bench *bench)
{
	assert_true(sd_event_run(bench->event, 2 * USEC_PER_MSEC) >= 0);
}

/* Lets the loop run until the browser has such a text, in all that came. */
static inline void browser_await(struct browser *browser, const char *text)
{
	uint64_t begin = monotonic_usec();

	for (browser_read(browser); !browser->text || !strstr(browser->text, text);
		browser_read(browser)) {
		if (monotonic_usec() - begin > PATIENCE_USEC || browser->is_closed)
			fail_msg("'%s' does not come; there is: %s", text,
				browser->text ? browser->text : "nothing");
		bench_turn(browser->bench);
	}
}

static inline void browser_await_end(struct browser *browser)
{
	uint64_t begin = monotonic_usec();

	for (browser_read(browser); !browser->is_closed; browser_read(browser)) {
		assert_true(monotonic_usec() - begin < PATIENCE_USEC);
		bench_turn(browser->bench);
	}
}

/* --------------------------------------------------------------------------------- answers */

struct answer {
	int status;
	char *text; /* all of it */
	const char *body;
	size_t n_body;
};

static inline void answer_done(struct answer *answer)
{
	free(answer->text);
	*answer = (struct answer){0};
}

/* Sends these bytes, and reads until the other end closes. */
static inline struct answer ask_raw(struct bench *bench, const char *request)
{
	struct browser browser;
	struct answer answer = {0};
	const char *end;

	browser_open(bench, &browser);
	browser_send(&browser, request);
	browser_await_end(&browser);
	answer.text = browser.text ? browser.text : strdup("");
	browser.text = NULL;
	end = strstr(answer.text, "\r\n\r\n");
	if (end && strncmp(answer.text, "HTTP/1.1 ", 9) == 0) {
		answer.status = atoi(answer.text + 9);
		answer.body = end + 4;
		answer.n_body = browser.n - (size_t)(answer.body - answer.text);
	}
	browser_close(&browser);
	return answer;
}

/* `more`: further headers, each with its end of line. */
static inline struct answer ask(
	struct bench *bench, const char *method, const char *address, const char *more)
{
	char request[4096];

	snprintf(request, sizeof(request),
		"%s %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n%s\r\n", method,
		address, bench->port, more);
	return ask_raw(bench, request);
}

/* The whole header line of that name, or "". */
static inline const char *answer_header(
	const struct answer *answer, const char *name, char *to, size_t size)
{
	const char *at = answer->text, *end;
	size_t n = strlen(name);

	to[0] = '\0';
	while ((at = strstr(at, "\r\n")) && at + 4 != answer->body) {
		at += 2;
		if (strncasecmp(at, name, n) != 0 || at[n] != ':')
			continue;
		end = strstr(at, "\r\n");
		snprintf(to, size, "%.*s", (int)(end - at - (ptrdiff_t)n - 2), at + n + 2);
		return to;
	}
	return to;
}

static inline json_t *answer_json(const struct answer *answer)
{
	json_error_t error;
	json_t *json = json_loadb(answer->body, answer->n_body, 0, &error);

	if (!json)
		fail_msg("%s: %s", error.text, answer->text);
	return json;
}

/* --------------------------------------------------------------------------------- streams */

/* In HTTP 1.0, which knows no chunks: the events come, and nothing between them. */
static inline void stream_ask(struct browser *browser)
{
	char request[256];

	snprintf(request, sizeof(request), "GET /api/events HTTP/1.0\r\nHost: localhost:%u\r\n\r\n",
		browser->bench->port);
	browser_send(browser, request);
}

static inline void stream_open(struct bench *bench, struct browser *browser)
{
	browser_open(bench, browser);
	stream_ask(browser);
}

/* How many whole documents came; `ret_last` is the last one, to be given back, or NULL. */
static inline size_t stream_documents(const struct browser *browser, json_t **ret_last)
{
	const char *at = browser->text, *end, *last = NULL;
	json_error_t error;
	size_t n = 0;

	while (at && (at = strstr(at, "\ndata: {")) && (end = strstr(at, "\n\n"))) {
		last = at + strlen("\ndata: ");
		at = end;
		n++;
	}
	if (!ret_last)
		return n;
	*ret_last = NULL;
	if (last) {
		*ret_last = json_loadb(last, (size_t)(strstr(last, "\n\n") - last), 0, &error);
		assert_non_null(*ret_last);
	}
	return n;
}

/* The text at service.KEY of the last document, or "" (also for what is no text). */
static inline void stream_service(
	const struct browser *browser, const char *key, char *to, size_t size)
{
	json_t *last;
	const char *text;

	stream_documents(browser, &last);
	text = json_string_value(json_object_get(json_object_get(last, "service"), key));
	snprintf(to, size, "%s", text ? text : "");
	json_decref(last);
}

/* Lets the loop run until the last document has that text there. */
static inline void stream_await(struct browser *browser, const char *key, const char *expected)
{
	uint64_t begin = monotonic_usec();
	char text[128];

	for (;;) {
		browser_read(browser);
		stream_service(browser, key, text, sizeof(text));
		if (stream_documents(browser, NULL) > 0 && strcmp(text, expected) == 0)
			return;
		if (monotonic_usec() - begin > PATIENCE_USEC || browser->is_closed)
			fail_msg("service.%s does not become '%s'; it is '%s' after %zu documents",
				key, expected, text, stream_documents(browser, NULL));
		bench_turn(browser->bench);
	}
}
