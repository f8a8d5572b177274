/* SPDX-License-Identifier: MIT */
/*
 * api.c - what each address answers.
 *
 * State and metrics come out of the mirror at once. History, retry, pause and resume are calls of
 * the service, and the request waits for its reply: the caller of a reply is the request, which
 * http.c keeps until it is answered.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/state.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/util.h"
#include "web/metrics.h"
#include "web/server-private.h"

#define CALL_TIMEOUT_MS 10000

/* --------------------------------------------------------------------------------- answers */

static const char *const not_stored[] = {"Cache-Control", "no-store", NULL};

static void answer_text(
	struct http_request *request, unsigned status, const char *type, const char *text, size_t n)
{
	const struct http_answer answer = {
		.status = status,
		.type = type,
		.headers = not_stored,
		.body = text,
		.n = n,
	};

	http_answer(request, &answer);
}

/* Takes the document. */
static void answer_json(struct http_request *request, unsigned status, struct json *json)
{
	static const char failed[] = "{\"error\":\"plugflash-web has no memory\"}";
	CLEANUP(freep) char *text = NULL;
	size_t n = 0;

	if (json_to_text(json, &text, &n) < 0)
		answer_text(request, 500, "application/json", failed, strlen(failed));
	else
		answer_text(request, status, "application/json", text, n);
}

void api_refuse(struct http_request *request, unsigned status, const char *reason)
{
	struct json *json = json_new_object();

	json_add_text(json, "error", reason);
	answer_json(request, status, json);
}

/* Whether the call failed: then the request is answered. */
static bool refuse_failed(struct http_request *request, const struct client_answer *answer)
{
	static const unsigned statuses[CLIENT_RESULT_MAX] = {
		[CLIENT_NOT_FOUND] = 404,
		[CLIENT_BUSY] = 409,
		[CLIENT_NOT_PERMITTED] = 403,
		[CLIENT_NOT_POSSIBLE] = 409,
		[CLIENT_INVALID_ARGUMENT] = 400,
		[CLIENT_AWAY] = 503,
		[CLIENT_SILENT] = 504,
		[CLIENT_FAILED] = 502,
	};

	if (answer->result == CLIENT_DONE)
		return false;
	api_refuse(request, statuses[answer->result], answer->reason);
	return true;
}

/* ----------------------------------------------------------------------- state and metrics */

int api_document(void *userdata, char **ret)
{
	const struct server *server = userdata;

	return json_to_text(state_to_json(server->client, wall_clock_msec()), ret, NULL);
}

void api_state(struct server *server, struct http_request *request, const struct query *query)
{
	(void)query;
	answer_json(request, 200, state_to_json(server->client, wall_clock_msec()));
}

void api_events(struct server *server, struct http_request *request, const struct query *query)
{
	(void)query;
	if (http_method(request) == HTTP_HEAD)
		answer_text(request, 200, "text/event-stream", "", 0);
	else if (feed_is_full(server->feed))
		api_refuse(request, 503, "too many pages are open; close some");
	else if (feed_open(server->feed, request) < 0)
		api_refuse(request, 500, "plugflash-web has no memory");
}

void api_metrics(struct server *server, struct http_request *request, const struct query *query)
{
	CLEANUP(state_done) struct state state = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	int r = state_of(server->client, wall_clock_msec(), &state);

	(void)query;
	if (to && r == 0)
		metrics_write(&state, to);
	if (!to || fclose(to) != 0 || r < 0)
		api_refuse(request, 500, "plugflash-web has no memory");
	else
		answer_text(request, 200, METRICS_TYPE, text, n);
}

/* ------------------------------------------------------------------------------- questions */

static struct json *row_to_json(const struct dict *row)
{
	struct json *json = json_new_object();

	for (size_t i = 0; i < row->n_entries; i++) {
		const struct dict_entry *entry = &row->entries[i];

		if (entry->kind == DICT_TEXT)
			json_add_text(json, entry->name, entry->text);
		else if (entry->kind == DICT_FLAG)
			json_add_bool(json, entry->name, entry->flag);
		else if (entry->kind == DICT_NUMBER || entry->kind == DICT_LONG)
			json_add_number(json, entry->name, dict_long(row, entry->name));
	}
	return json;
}

static void on_history(void *userdata, struct client_answer *answer)
{
	struct json *json, *rows;

	if (refuse_failed(userdata, answer))
		return;
	json = json_new_object();
	rows = json_new_list();
	for (size_t i = 0; i < answer->n_rows; i++)
		json_add(rows, NULL, row_to_json(&answer->rows[i]));
	json_add(json, "attempts", rows);
	answer_json(userdata, 200, json);
}

void api_history(struct server *server, struct http_request *request, const struct query *query)
{
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {
		.method = "ListAttempts",
		.options = &options,
		.timeout_ms = CALL_TIMEOUT_MS,
	};
	int r = query_to_options(query, &options);

	/* A reader who names no attempt to go on from gets the last ones. */
	if (r == 0 && query->after == 0)
		r = dict_set_flag(&options, "newest", true);
	if (r == 0)
		r = client_call(server->client, &call, on_history, request, "tu", query->after,
			query->limit);
	if (r < 0)
		api_refuse(request, 500, strerror(-r));
}

static void on_retried(void *userdata, struct client_answer *answer)
{
	struct json *json;

	if (refuse_failed(userdata, answer))
		return;
	json = json_new_object();
	json_add_number(json, "retried", answer->number);
	answer_json(userdata, 200, json);
}

void api_retry(struct server *server, struct http_request *request, const struct query *query)
{
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {
		.method = "Retry",
		.options = &options,
		.timeout_ms = CALL_TIMEOUT_MS,
	};
	int r = query_to_options(query, &options);

	/* Without any of them the service would retry all there are: a page does not ask for that.
	 */
	if (r == 0 && options.n_entries == 0)
		return api_refuse(
			request, 400, "say what is to be retried: slot, port, unit or board");
	if (r == 0)
		r = client_call(server->client, &call, on_retried, request, "");
	if (r < 0)
		api_refuse(request, 500, strerror(-r));
}

static void on_steered(void *userdata, struct client_answer *answer)
{
	if (!refuse_failed(userdata, answer))
		answer_json(userdata, 200, json_new_object());
}

void api_pause(struct server *server, struct http_request *request, const struct query *query)
{
	const struct client_call call = {.method = "Pause", .timeout_ms = CALL_TIMEOUT_MS};
	const char *reason = query->texts[QUERY_REASON];
	int r = client_call(server->client, &call, on_steered, request, "s",
		reason ? reason : "paused on the page");

	if (r < 0)
		api_refuse(request, 500, strerror(-r));
}

void api_resume(struct server *server, struct http_request *request, const struct query *query)
{
	const struct client_call call = {.method = "Resume", .timeout_ms = CALL_TIMEOUT_MS};
	int r = client_call(server->client, &call, on_steered, request, "");

	(void)query;
	if (r < 0)
		api_refuse(request, 500, strerror(-r));
}

/* ------------------------------------------------------------------------------------- may */

/* `why`: why not; NULL: it may. */
static void answer_may(struct http_request *request, const char *why)
{
	const struct server *server = http_userdata(request);
	struct json *json = json_new_object();

	json_add_bool(json, "retry", !why);
	json_add_bool(json, "pause", !why);
	json_add_text(json, "token", why ? NULL : server->guard.token);
	json_add_text(json, "why", why);
	json_add_text(json, "page", server->page.version);
	answer_json(request, 200, json);
}

/* NULL: it may. */
static const char *why_not(const struct client_answer *answer)
{
	if (answer->result == CLIENT_DONE)
		return NULL;
	if (answer->result == CLIENT_NOT_PERMITTED || !answer->reason)
		return "the page may only look; the administrator can let it steer (plugflash-web(8), STEERING)";
	return answer->reason;
}

static void on_may(void *userdata, struct client_answer *answer)
{
	answer_may(userdata, why_not(answer));
}

/* The token is no secret of the button: it is shown where there is a button to press. */
void api_may(struct server *server, struct http_request *request, const struct query *query)
{
	(void)query;
	if (client_may(server->client, BUS_ACTION_OPERATE, on_may, request) < 0)
		answer_may(request, "plugflash-web has no memory");
}

/* ----------------------------------------------------------------------------------- token */

static void on_may_with_token(void *userdata, struct client_answer *answer)
{
	const char *why = why_not(answer);

	api_refuse(userdata, 403, why ? why : GUARD_NO_TOKEN);
}

/* Where nobody may steer there is no token either, and to load the page again does not help. */
void api_refuse_token(struct server *server, struct http_request *request)
{
	if (client_may(server->client, BUS_ACTION_OPERATE, on_may_with_token, request) < 0)
		api_refuse(request, 403, GUARD_NO_TOKEN);
}
