/* SPDX-License-Identifier: MIT */
/*
 * http.c - libmicrohttpd in sd-event's loop.
 *
 * The library runs without a thread and without a listening socket of its own. Its epoll descriptor
 * is watched by the loop, MHD_get_timeout() becomes a timer, and MHD_run() follows either.
 * Connections are accepted here, since the library takes one such socket and there are two, one for
 * each family of addresses.
 *
 * A request without an answer yet, and a stream with nothing to send, are suspended: the library
 * forgets them until they are resumed, and no timeout runs. It does not notice then that the client
 * left (microhttpd.h, MHD_suspend_connection()), so a stream's socket is watched for that here, by
 * a copy of its descriptor. All that is suspended must be resumed before MHD_stop_daemon().
 *
 * The library's callback comes at least twice for a request: with its headers, then with each part
 * of its body, then without any. Only the last may answer.
 */
#include "web/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/util.h"

/* The kernel holds no more than this for one client: a slow one then gets news, not a queue. */
#define SEND_BUFFER_BYTES (32 * 1024)
#define STREAM_BLOCK	  (4 * 1024)
#define VALUES_MOST	  64

struct listener {
	struct http *http;
	sd_event_source *source;
};

struct http {
	struct http_options options;
	sd_event *event;
	struct MHD_Daemon *daemon;
	sd_event_source *io_source, *timer;
	struct listener *listeners;
	size_t n_listeners;
	unsigned n_connections;
	bool has_resumed; /* since the last run began */
	bool is_ending;
	struct http_request *requests;
};

struct http_request {
	struct http *http;
	struct http_request *next, *previous;
	struct MHD_Connection *connection;
	enum http_method method;
	const char *path;
	size_t body_bytes;
	bool is_suspended;
	bool is_answered;
	bool is_stream;
	struct http_stream stream;
	bool is_gone; /* the client of a stream */
	sd_event_source *gone_source;
};

/* ------------------------------------------------------------------- suspended and resumed */

static void run_soon(struct http *http)
{
	(void)sd_event_source_set_time(http->timer, 0);
	(void)sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
}

static void suspend(struct http_request *request)
{
	request->is_suspended = true;
	MHD_suspend_connection(request->connection);
}

static void resume(struct http_request *request)
{
	if (!request->is_suspended)
		return;
	request->is_suspended = false;
	MHD_resume_connection(request->connection);
	/* The library looks at it in its next run, and without a thread nothing else wakes it;
	 * MHD_get_timeout() of 0.9.75 does not tell of it either. */
	request->http->has_resumed = true;
	run_soon(request->http);
}

/* --------------------------------------------------------------------------------- answers */

static void add_headers(struct MHD_Response *response, const char *const *headers)
{
	for (; headers && headers[0]; headers += 2)
		(void)MHD_add_response_header(response, headers[0], headers[1]);
}

/* 0 or -ENOMEM. */
static int queue(struct http_request *request, unsigned status, const char *type,
	const char *const *headers, struct MHD_Response *response)
{
	enum MHD_Result done;

	add_headers(response, request->http->options.headers);
	add_headers(response, headers);
	if (type)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	done = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return done == MHD_YES ? 0 : -ENOMEM;
}

void http_answer(struct http_request *request, const struct http_answer *answer)
{
	struct MHD_Response *response;

	if (request->is_answered)
		return;
	request->is_answered = true;
	response = MHD_create_response_from_buffer(
		answer->n, (void *)answer->body, MHD_RESPMEM_MUST_COPY);
	/* Without memory the library closes a connection that got no answer. */
	if (response)
		(void)queue(request, answer->status, answer->type, answer->headers, response);
	resume(request);
}

/* --------------------------------------------------------------------------------- streams */

static ssize_t read_stream(void *userdata, uint64_t position, char *to, size_t max)
{
	struct http_request *request = userdata;
	size_t n;

	(void)position;
	if (request->is_gone || request->http->is_ending)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = request->stream.read(request->stream.userdata, to, max);
	if (n == 0)
		suspend(request);
	return (ssize_t)n;
}

static int on_client_gone(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct http_request *request = userdata;

	(void)fd;
	(void)events;
	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	request->is_gone = true;
	resume(request);
	return 0;
}

/* The library closes the socket whenever it likes: the copy is the loop's own. */
static int watch_client(struct http_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int copy, r;

	if (!info)
		return -EIO;
	copy = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	r = sd_event_add_io(request->http->event, &request->gone_source, copy, EPOLLRDHUP,
		on_client_gone, request);
	if (r < 0) {
		close(copy);
		return r;
	}
	return sd_event_source_set_io_fd_own(request->gone_source, true);
}

int http_answer_stream(struct http_request *request, const char *type, const char *const *headers,
	const struct http_stream *stream)
{
	struct MHD_Response *response;
	int r = watch_client(request);

	if (r < 0)
		return r;
	response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, request, NULL);
	if (!response)
		return -ENOMEM;
	request->stream = *stream;
	r = queue(request, MHD_HTTP_OK, type, headers, response);
	if (r < 0)
		return r;
	request->is_stream = true;
	request->is_answered = true;
	resume(request);
	return 0;
}

void http_wake(struct http_request *request)
{
	resume(request);
}

/* -------------------------------------------------------------------------------- requests */

enum http_method http_method(const struct http_request *request)
{
	return request->method;
}

void *http_userdata(const struct http_request *request)
{
	return request->http->options.callbacks.userdata;
}

const char *http_path(const struct http_request *request)
{
	return request->path;
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct visit {
	int (*visit)(const char *name, const char *value, void *userdata);
	void *userdata;
	int result;
};

static enum MHD_Result visit_argument(
	void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct visit *visit = userdata;

	(void)kind;
	visit->result = visit->visit(name, value ? value : "", visit->userdata);
	return visit->result == 0 ? MHD_YES : MHD_NO;
}

int http_query(const struct http_request *request,
	int (*visit)(const char *name, const char *value, void *userdata), void *userdata)
{
	struct visit all = {.visit = visit, .userdata = userdata};

	(void)MHD_get_connection_values(
		request->connection, MHD_GET_ARGUMENT_KIND, visit_argument, &all);
	return all.result;
}

struct names {
	const char *const *once; /* those that must not be twice; NULL: no name at all */
	const char *names[VALUES_MOST];
	size_t n_names;
	bool is_bad;
};

static bool may_be_twice(const struct names *names, const char *name)
{
	for (const char *const *once = names->once; once && *once; once++)
		if (strcasecmp(*once, name) == 0)
			return false;
	return names->once;
}

/* One reader takes the first of two values, another the second: a header that decides is there
 * once. */
static enum MHD_Result note_name(void *userdata, enum MHD_ValueKind kind, const char *name,
	size_t name_size, const char *value, size_t value_size)
{
	struct names *names = userdata;

	(void)kind;
	if (names->n_names == VALUES_MOST || strlen(name) != name_size ||
		(value && strlen(value) != value_size))
		names->is_bad = true;
	for (size_t i = 0; i < names->n_names && !may_be_twice(names, name); i++)
		if (strcasecmp(names->names[i], name) == 0)
			names->is_bad = true;
	if (names->is_bad)
		return MHD_NO;
	names->names[names->n_names++] = name;
	return MHD_YES;
}

static bool is_well_formed(const struct http_request *request)
{
	struct names headers = {.once = request->http->options.once}, arguments = {0};

	(void)MHD_get_connection_values_n(
		request->connection, MHD_HEADER_KIND, note_name, &headers);
	(void)MHD_get_connection_values_n(
		request->connection, MHD_GET_ARGUMENT_KIND, note_name, &arguments);
	return !headers.is_bad && !arguments.is_bad;
}

static void refuse(
	struct http_request *request, unsigned status, const char *text, const char *const *headers)
{
	const struct http_answer answer = {
		.status = status,
		.type = "text/plain; charset=utf-8",
		.headers = headers,
		.body = text,
		.n = strlen(text),
	};

	http_answer(request, &answer);
}

static bool method_of(const char *name, enum http_method *ret)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET",
		[HTTP_HEAD] = "HEAD",
		[HTTP_POST] = "POST",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0) {
			*ret = (enum http_method)i;
			return true;
		}
	return false;
}

/* The request is whole: it is refused, or somebody else's to answer. */
static void hand_on(struct http_request *request, const char *method)
{
	static const char *const allow[] = {"Allow", "GET, HEAD, POST", NULL};

	if (!method_of(method, &request->method))
		return refuse(request, 405, "Only GET, HEAD and POST are served.\n", allow);
	if (request->body_bytes > HTTP_BODY_MOST)
		return refuse(request, 413, "The body is larger than 4096 bytes.\n", NULL);
	if (!is_well_formed(request))
		return refuse(request, 400,
			"A header or a name of the query is there twice, or there are too many.\n",
			NULL);
	request->http->options.callbacks.on_request(
		request, request->http->options.callbacks.userdata);
}

static struct http_request *request_new(
	struct http *http, struct MHD_Connection *connection, const char *path)
{
	struct http_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->http = http;
	request->connection = connection;
	request->path = path;
	request->next = http->requests;
	if (request->next)
		request->next->previous = request;
	http->requests = request;
	return request;
}

/* A path with a NUL in it would be another one than it looks: it is made one that nobody has. */
static size_t decode(void *userdata, struct MHD_Connection *connection, char *text)
{
	size_t n = MHD_http_unescape(text);

	(void)userdata;
	(void)connection;
	if (strlen(text) != n)
		text[0] = '\0';
	return n;
}

static enum MHD_Result count_end(
	void *userdata, enum MHD_ValueKind kind, const char *name, const char *value)
{
	unsigned *n_ends = userdata;

	(void)kind;
	(void)value;
	*n_ends += strcasecmp(name, "Content-Length") == 0 ||
		   strcasecmp(name, "Transfer-Encoding") == 0;
	return MHD_YES;
}

/* A request that says twice where it ends, ends elsewhere for another reader, and the rest of it is
 * the next request for one of them (RFC 9112 6.3): the connection ends, and nothing is answered. */
static bool has_two_ends(struct MHD_Connection *connection)
{
	unsigned n_ends = 0;

	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_end, &n_ends);
	return n_ends > 1;
}

static enum MHD_Result on_access(void *userdata, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *body, size_t *size,
	void **context)
{
	struct http *http = userdata;
	struct http_request *request = *context;

	(void)version;
	(void)body;
	if (!request && has_two_ends(connection))
		return MHD_NO;
	if (!request) {
		*context = request = request_new(http, connection, path);
		return request ? MHD_YES : MHD_NO;
	}
	if (*size > 0) {
		/* So much is read that most clients get to read the answer; then it is enough. */
		if (request->body_bytes > 16 * HTTP_BODY_MOST)
			return MHD_NO;
		request->body_bytes += *size;
		*size = 0;
		return MHD_YES;
	}
	/* It was resumed for the end, without an answer. */
	if (http->is_ending)
		return MHD_NO;
	hand_on(request, method);
	if (!request->is_answered)
		suspend(request);
	return MHD_YES;
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode how)
{
	struct http *http = userdata;
	struct http_request *request = *context;

	(void)connection;
	(void)how;
	if (!request)
		return;
	*context = NULL;
	sd_event_source_disable_unref(request->gone_source);
	if (request->is_stream)
		request->stream.gone(request->stream.userdata);
	if (request->next)
		request->next->previous = request->previous;
	if (request->previous)
		request->previous->next = request->next;
	else
		http->requests = request->next;
	free(request);
}

/* ------------------------------------------------------------------------------ connections */

static void on_connection(void *userdata, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct http *http = userdata;

	(void)connection;
	(void)context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		http->n_connections++;
	else
		http->n_connections--;
	if (!http->is_ending)
		http->options.callbacks.on_connections(
			http->n_connections, http->options.callbacks.userdata);
}

static void run(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	http->has_resumed = false;
	(void)MHD_run(http->daemon);
	if (http->has_resumed)
		return;
	if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES) {
		(void)sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time_relative(http->timer, timeout_ms * USEC_PER_MSEC);
	(void)sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	run(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	run(userdata);
	return 0;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	const struct listener *listener = userdata;
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int bytes = SEND_BUFFER_BYTES;
	int client = accept4(fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	/* It went away again, or there is no descriptor left: the next round asks anew. */
	if (client < 0)
		return 0;
	(void)setsockopt(client, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	/* The library closes the socket also where it has no room for it. */
	(void)MHD_add_connection(listener->http->daemon, client, (struct sockaddr *)&address, size);
	run(listener->http);
	return 0;
}

/* ------------------------------------------------------------------------------ life cycle */

static int start_daemon(struct http *http)
{
	const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
	const union MHD_DaemonInfo *info;
	int r;

	http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_access, http,
		MHD_OPTION_CONNECTION_LIMIT, http->options.max_connections,
		MHD_OPTION_CONNECTION_TIMEOUT, http->options.idle_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, decode, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, http, MHD_OPTION_END);
	if (!http->daemon)
		return errno > 0 ? -errno : -EIO;
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info || info->epoll_fd < 0)
		return -EIO;
	r = sd_event_add_io(http->event, &http->io_source, info->epoll_fd, EPOLLIN, on_io, http);
	if (r < 0)
		return r;
	/* Exactly: an accuracy of 0 stands for a quarter of a second, sd_event_add_time(3). */
	r = sd_event_add_time_relative(
		http->event, &http->timer, CLOCK_MONOTONIC, 0, 1, on_timer, http);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
}

static int listen_on(struct http *http, int fd)
{
	struct listener *listener = &http->listeners[http->n_listeners];
	int r;

	listener->http = http;
	r = sd_event_add_io(http->event, &listener->source, fd, EPOLLIN, on_client, listener);
	if (r < 0)
		return r;
	http->n_listeners++;
	return 0;
}

static void http_freep(struct http **http)
{
	http_free(*http);
}

int http_new(sd_event *event, const int *sockets, size_t n_sockets,
	const struct http_options *options, struct http **ret)
{
	CLEANUP(http_freep) struct http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return -ENOMEM;
	http->options = *options;
	http->event = sd_event_ref(event);
	http->listeners = calloc(n_sockets, sizeof(*http->listeners));
	if (!http->listeners)
		return -ENOMEM;
	r = start_daemon(http);
	for (size_t i = 0; r >= 0 && i < n_sockets; i++)
		r = listen_on(http, sockets[i]);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(http);
	return 0;
}

struct http *http_free(struct http *http)
{
	if (!http)
		return NULL;
	http->is_ending = true;
	for (size_t i = 0; i < http->n_listeners; i++)
		sd_event_source_disable_unref(http->listeners[i].source);
	if (http->daemon) {
		for (struct http_request *r = http->requests; r; r = r->next)
			resume(r);
		/* The library takes the resumed ones back into its own lists. */
		(void)MHD_run(http->daemon);
		sd_event_source_disable_unref(http->io_source);
		MHD_stop_daemon(http->daemon);
	}
	sd_event_source_disable_unref(http->timer);
	sd_event_unref(http->event);
	free(http->listeners);
	free(http);
	return NULL;
}
