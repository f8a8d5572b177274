/* SPDX-License-Identifier: MIT */
/*
 * server.c - from the sockets to the answers.
 *
 * A request passes the guard, finds its row in the table of addresses, and is answered from the
 * mirror of the service. The process may have been started by this very request, and the mirror be
 * empty still: requests that come before the service was found, or SETTLE_USEC are over, are kept
 * and answered then, so that nobody is told "the service is gone" only because we are new.
 *
 * Nobody connected for a while: the process ends, and the kernel's queue of the listening sockets,
 * which are systemd's, takes the connections of meanwhile; systemd starts it again for them. A page
 * that is open is a connection.
 */
#include "web/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/util.h"
#include "web/server-private.h"

#define SETTLE_USEC	  (3 * USEC_PER_SEC)
#define CONNECTION_IDLE_S 30

/*
 * No script, style, picture or connection of anywhere else, no frame around it, no form. Content
 * types are not guessed, no address is told to other sites, and no other site may load any of it.
 */
static const char *const all_headers[] = {"Content-Security-Policy",
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options", "nosniff", "Referrer-Policy", "no-referrer",
	"Cross-Origin-Resource-Policy", "same-origin", "Cross-Origin-Opener-Policy", "same-origin",
	"X-Frame-Options", "DENY", NULL};

static const char *const deciding_headers[] = {
	"Host", "Origin", "Sec-Fetch-Site", GUARD_TOKEN_HEADER, NULL};

#define RETRY_KEYS   (1U << QUERY_SLOT | 1U << QUERY_PORT | 1U << QUERY_UNIT | 1U << QUERY_BOARD)
#define HISTORY_KEYS (RETRY_KEYS | 1U << QUERY_LIMIT | 1U << QUERY_AFTER | 1U << QUERY_OUTCOME)

static const struct address {
	const char *path;
	bool is_post;
	unsigned keys;
	void (*answer)(
		struct server *server, struct http_request *request, const struct query *query);
} addresses[] = {
	{"/api/state", false, 0, api_state},
	{"/api/events", false, 0, api_events},
	{"/api/history", false, HISTORY_KEYS, api_history},
	{"/api/may", false, 0, api_may},
	{"/api/retry", true, RETRY_KEYS, api_retry},
	{"/api/pause", true, 1U << QUERY_REASON, api_pause},
	{"/api/resume", true, 0, api_resume},
	{"/metrics", false, 0, api_metrics},
};

static const struct address *find_address(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		if (strcmp(addresses[i].path, path) == 0)
			return &addresses[i];
	return NULL;
}

/* ----------------------------------------------------------------------------------- guard */

/*
 * The request waits until it is known whether the service is there, and on_request() sees it again
 * then; false: that is known, or too many wait.
 */
static bool set_aside(struct server *server, struct http_request *request)
{
	if (server->is_settled || server->n_early == ARRAY_SIZE(server->early))
		return false;
	server->early[server->n_early++] = request;
	return true;
}

static bool passes(struct server *server, struct http_request *request, bool is_page)
{
	static const unsigned statuses[GUARD_MAX] = {
		[GUARD_HOST] = 421,
		[GUARD_CROSS] = 403,
	};
	const struct guard_request asked = {
		.is_post = http_method(request) == HTTP_POST,
		.is_page = is_page,
		.host = http_header(request, "Host"),
		.origin = http_header(request, "Origin"),
		.fetch_site = http_header(request, "Sec-Fetch-Site"),
		.token = http_header(request, GUARD_TOKEN_HEADER),
	};
	struct reason reason;
	enum guard_verdict verdict = guard_check(&server->guard, &asked, &reason);

	if (verdict == GUARD_ANSWER)
		return true;
	if (verdict != GUARD_TOKEN)
		api_refuse(request, asked.host ? statuses[verdict] : 400, reason.text);
	else if (!set_aside(server, request))
		api_refuse_token(server, request);
	return false;
}

/* --------------------------------------------------------------------------------- answers */

static void answer_file(struct http_request *request, const struct page_file *file)
{
	const char *known = http_header(request, "If-None-Match");
	const char *const headers[] = {"Cache-Control", "no-cache", "ETag", file->etag, NULL};
	bool is_known = known && strcmp(known, file->etag) == 0;
	const struct http_answer answer = {
		.status = is_known ? 304 : 200,
		.type = file->type,
		.headers = headers,
		.body = is_known ? "" : file->bytes,
		.n = is_known ? 0 : file->n,
	};

	http_answer(request, &answer);
}

static int take_query(const char *name, const char *value, void *userdata)
{
	return query_take(userdata, name, value);
}

static void answer_address(
	struct server *server, struct http_request *request, const struct address *address)
{
	struct query query;

	query_init(&query, address->keys);
	if (http_query(request, take_query, &query) < 0)
		return api_refuse(request, 400, query.reason.text);
	address->answer(server, request, &query);
}

static void on_request(struct http_request *request, void *userdata)
{
	struct server *server = userdata;
	const char *path = http_path(request);
	const struct address *address = find_address(path);
	const struct page_file *file = page_find(&server->page, path);
	bool is_post = http_method(request) == HTTP_POST;

	if (!passes(server, request, file))
		return;
	if (!address && !file)
		return api_refuse(request, 404, "there is nothing at this address");
	if (is_post != (address && address->is_post))
		return api_refuse(request, 405,
			is_post ? "this address is only read (GET)"
				: "this address takes POST alone");
	if (file)
		return answer_file(request, file);
	if (!set_aside(server, request))
		answer_address(server, request, address);
}

static void settle(struct server *server)
{
	if (server->is_settled)
		return;
	server->is_settled = true;
	(void)sd_event_source_set_enabled(server->settle_timer, SD_EVENT_OFF);
	for (size_t i = 0; i < server->n_early; i++)
		on_request(server->early[i], server);
	server->n_early = 0;
}

/* --------------------------------------------------------------------------------- service */

static void on_presence(void *userdata, enum client_presence presence)
{
	struct server *server = userdata;

	if (presence != CLIENT_ASKING)
		settle(server);
	feed_change(server->feed);
}

static void on_change(void *userdata, const struct client_object *object, enum client_change change)
{
	struct server *server = userdata;

	(void)object;
	(void)change;
	feed_change(server->feed);
}

static const struct client_callbacks client_callbacks = {
	.on_presence = on_presence,
	.on_change = on_change,
};

static int on_settle_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	settle(userdata);
	return 0;
}

/* ------------------------------------------------------------------------------------ idle */

static void on_connections(unsigned n, void *userdata)
{
	struct server *server = userdata;

	if (server->options.idle_s == 0)
		return;
	if (n > 0) {
		(void)sd_event_source_set_enabled(server->idle_timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time_relative(
		server->idle_timer, server->options.idle_s * USEC_PER_SEC);
	(void)sd_event_source_set_enabled(server->idle_timer, SD_EVENT_ONESHOT);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct server *server = userdata;

	(void)source;
	(void)usec;
	return sd_event_exit(server->event, 0);
}

/* ------------------------------------------------------------------------------ life cycle */

static int add_sources(struct server *server)
{
	static const int signals[] = {SIGTERM, SIGINT};
	sigset_t mask;
	int r = 0;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	/* Without a handler they end the loop. */
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
		r = sd_event_add_signal(server->event, &server->signals[i], signals[i], NULL, NULL);
	if (r >= 0)
		r = sd_event_add_time_relative(server->event, &server->settle_timer,
			CLOCK_MONOTONIC, SETTLE_USEC, 0, on_settle_time, server);
	if (r >= 0)
		r = sd_event_add_time_relative(server->event, &server->idle_timer, CLOCK_MONOTONIC,
			server->options.idle_s * USEC_PER_SEC, USEC_PER_SEC, on_idle, server);
	if (r >= 0 && server->options.idle_s == 0)
		r = sd_event_source_set_enabled(server->idle_timer, SD_EVENT_OFF);
	return r;
}

static int make_guard(struct server *server, struct reason *reason)
{
	const struct listening *listening = server->options.listening;
	int r = 0;

	for (size_t i = 0; i < listening->n; i++)
		server->guard.ports[server->guard.n_ports++] = listening->ports[i];
	for (const char *const *host = server->options.hosts; r == 0 && host && *host; host++) {
		char shown[TEXT_MAX];

		r = guard_allow_host(&server->guard, *host);
		if (r < 0)
			reason_set(reason,
				"--allow-host '%s': expected at most %d times NAME or NAME:PORT",
				text_escape(*host, shown, sizeof(shown)), GUARD_MAX_HOSTS);
	}
	return r < 0 ? r : guard_make_token(&server->guard);
}

static int start(struct server *server, struct reason *reason)
{
	const struct feed_callbacks feed_callbacks = {
		.document = api_document,
		.userdata = server,
	};
	const struct http_options http_options = {
		.max_connections = SERVER_CONNECTIONS_MOST,
		.idle_s = CONNECTION_IDLE_S,
		.headers = all_headers,
		.once = deciding_headers,
		.callbacks = {on_request, on_connections, server},
	};
	int r = make_guard(server, reason);

	if (r >= 0)
		r = page_load(server->options.page, &server->page, reason);
	if (r < 0)
		return r;
	r = sd_event_new(&server->event);
	if (r >= 0)
		r = add_sources(server);
	if (r >= 0)
		r = feed_new(server->event, &feed_callbacks, &server->feed);
	if (r >= 0)
		r = client_new(server->event, &client_callbacks, server, &server->client);
	if (r >= 0)
		r = http_new(server->event, server->options.listening->sockets,
			server->options.listening->n, &http_options, &server->http);
	if (r < 0)
		reason_set(reason, "it cannot start: %s", strerror(-r));
	return r;
}

/* The client is the first: calls that wait have no request to answer any more. */
static void server_done(struct server *server)
{
	client_free(server->client);
	http_free(server->http);
	feed_free(server->feed);
	page_done(&server->page);
	sd_event_source_disable_unref(server->idle_timer);
	sd_event_source_disable_unref(server->settle_timer);
	for (size_t i = 0; i < ARRAY_SIZE(server->signals); i++)
		sd_event_source_disable_unref(server->signals[i]);
	sd_event_unref(server->event);
}

int server_run(const struct server_options *options, struct reason *reason)
{
	CLEANUP(server_done) struct server server = {.options = *options};
	int r;

	r = start(&server, reason);
	if (r < 0)
		return r;
	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(server.event);
	(void)sd_notify(0, "STOPPING=1");
	if (r < 0)
		reason_set(reason, "the event loop failed: %s", strerror(-r));
	return r < 0 ? r : 0;
}
