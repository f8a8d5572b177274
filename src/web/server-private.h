/* SPDX-License-Identifier: MIT */
/* server-private.h - what server.c and the answers of api.c share. */
#pragma once

#include "api/client.h"
#include "web/feed.h"
#include "web/guard.h"
#include "web/http.h"
#include "web/page.h"
#include "web/query.h"
#include "web/server.h"

#define SERVER_CONNECTIONS_MOST (FEED_MAX_STREAMS + 16)

struct server {
	struct server_options options;
	sd_event *event;
	sd_event_source *signals[2];
	sd_event_source *idle_timer;
	sd_event_source *settle_timer;
	struct guard guard;
	struct page page;
	struct client *client;
	struct feed *feed;
	struct http *http;
	bool is_settled; /* whether the service is there is known, or was waited for long enough */
	struct http_request *early[SERVER_CONNECTIONS_MOST]; /* they came before that */
	size_t n_early;
};

/* The answers below /api and that of /metrics. The query was taken. */
void api_state(struct server *server, struct http_request *request, const struct query *query);
void api_events(struct server *server, struct http_request *request, const struct query *query);
void api_history(struct server *server, struct http_request *request, const struct query *query);
void api_may(struct server *server, struct http_request *request, const struct query *query);
void api_retry(struct server *server, struct http_request *request, const struct query *query);
void api_pause(struct server *server, struct http_request *request, const struct query *query);
void api_resume(struct server *server, struct http_request *request, const struct query *query);
void api_metrics(struct server *server, struct http_request *request, const struct query *query);

/* {"error": the sentence} with that status. */
void api_refuse(struct http_request *request, unsigned status, const char *reason);

/* A POST without the token: why nobody may steer, or else that the token is not the page's. */
void api_refuse_token(struct server *server, struct http_request *request);

/* The state of now on one line, for feed.h. */
int api_document(void *userdata, char **ret);
