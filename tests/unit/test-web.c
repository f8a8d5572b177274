/* SPDX-License-Identifier: MIT */
/*
 * test-web.c - the real plugflash-web over real sockets, on a bus of the test's own: what each
 * address answers, and who is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/web-bench.h"

/* -------------------------------------------------------------------------------- the page */

static const char *const strict_headers[][2] = {
	{"Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
};

static void the_files_of_the_page_are_served(void **state)
{
	static const struct {
		const char *address, *type, *text;
	} files[] = {
		{"/", "text/html; charset=utf-8", "<!DOCTYPE html>\n<title>x</title>\n"},
		{"/index.html", "text/html; charset=utf-8", "<!DOCTYPE html>\n<title>x</title>\n"},
		{"/page.css", "text/css; charset=utf-8", "body { color: red }\n"},
		{"/page.js", "text/javascript; charset=utf-8", "export const x = 1;\n"},
		{"/icon.svg", "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>\n"},
	};
	struct bench *bench = *state;
	char value[256], etag[64], more[128];

	begin(bench);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct answer answer = ask(bench, "GET", files[i].address, "");

		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.body, files[i].text);
		assert_string_equal(answer_header(&answer, "Content-Type", value, sizeof(value)),
			files[i].type);
		assert_string_equal(
			answer_header(&answer, "Cache-Control", value, sizeof(value)), "no-cache");
		for (size_t h = 0; h < ARRAY_SIZE(strict_headers); h++)
			assert_string_equal(
				answer_header(&answer, strict_headers[h][0], value, sizeof(value)),
				strict_headers[h][1]);
		answer_header(&answer, "ETag", etag, sizeof(etag));
		answer_done(&answer);
		snprintf(more, sizeof(more), "If-None-Match: %s\r\n", etag);
		answer = ask(bench, "GET", files[i].address, more);
		assert_int_equal(answer.status, 304);
		assert_int_equal(answer.n_body, 0);
		answer_done(&answer);
		answer = ask(bench, "HEAD", files[i].address, "");
		assert_int_equal(answer.status, 200);
		assert_int_equal(answer.n_body, 0);
		assert_int_equal(
			atoi(answer_header(&answer, "Content-Length", value, sizeof(value))),
			strlen(files[i].text));
		answer_done(&answer);
	}
}

static void nothing_else_of_the_folder_is_served(void **state)
{
	static const char *const addresses[] = {"/.hidden.js", "/notes.txt", "/../etc/passwd",
		"/%2e%2e/etc/passwd", "//", "/page.js/", "/page.js%00.css", "/api", "/api/",
		"/api/nothing", "http://localhost/"};
	struct bench *bench = *state;
	char value[256];

	begin(bench);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct answer answer = ask(bench, "GET", addresses[i], "");

		if (answer.status != 404 && answer.status != 400)
			fail_msg("%s: %s", addresses[i], answer.text);
		assert_null(strstr(answer.text, "secret"));
		for (size_t h = 0; h < ARRAY_SIZE(strict_headers); h++)
			assert_string_equal(
				answer_header(&answer, strict_headers[h][0], value, sizeof(value)),
				strict_headers[h][1]);
		answer_done(&answer);
	}
}

/* The text "page" of GET /api/may. */
static void ask_version(struct bench *bench, char *to, size_t size)
{
	struct answer answer = ask(bench, "GET", "/api/may", "");
	json_t *json = answer_json(&answer);

	snprintf(to, size, "%s", json_string_value(json_object_get(json, "page")));
	json_decref(json);
	answer_done(&answer);
}

static void a_page_that_is_open_can_tell_that_it_is_old(void **state)
{
	struct bench *bench = *state;
	char before[32], same[32], after[32];

	begin(bench);
	ask_version(bench, before, sizeof(before));
	kill(bench->web, SIGTERM);
	assert_int_equal(bench_await_end(bench), 0);
	bench_start_web(bench, NULL, NULL);
	ask_version(bench, same, sizeof(same));
	assert_string_equal(same, before);
	kill(bench->web, SIGTERM);
	assert_int_equal(bench_await_end(bench), 0);
	write_file(bench->page, "page.js", "export const x = 2;\n");
	bench_start_web(bench, NULL, NULL);
	ask_version(bench, after, sizeof(after));
	assert_string_not_equal(after, before);
}

static void other_methods_are_refused(void **state)
{
	static const struct {
		const char *method, *address;
		int status;
	} requests[] = {
		{"PUT", "/", 405},
		{"DELETE", "/api/state", 405},
		{"OPTIONS", "/api/retry", 405},
		{"TRACE", "/", 405},
		{"get", "/", 405},
		{"POST", "/", 403},
		{"GET", "/api/retry?slot=A1", 405},
		{"HEAD", "/api/retry?slot=A1", 405},
	};
	struct bench *bench = *state;

	begin(bench);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct answer answer = ask(bench, requests[i].method, requests[i].address, "");

		if (answer.status != requests[i].status)
			fail_msg("%s %s: %s", requests[i].method, requests[i].address, answer.text);
		/* No other site is ever let in. */
		assert_null(strcasestr(answer.text, "Access-Control-Allow"));
		answer_done(&answer);
	}
	assert_string_equal(bench->service.called, "");
}

/* ---------------------------------------------------------------------------- who may ask */

static void foreign_pages_are_refused(void **state)
{
	static const struct {
		const char *name, *headers;
		int status;
	} rows[] = {
		{"DNS rebinding", "Host: evil.example\r\n", 421},
		{"no host", "", 400},
		{"two hosts", "Host: localhost:%u\r\nHost: evil.example\r\n", 400},
		{"another origin", "Host: localhost:%u\r\nOrigin: http://evil.example\r\n", 403},
		{"two origins",
			"Host: localhost:%u\r\nOrigin: http://localhost:%u\r\nOrigin: http://evil.example\r\n",
			400},
		{"another site", "Host: localhost:%u\r\nSec-Fetch-Site: cross-site\r\n", 403},
		{"our own", "Host: localhost:%u\r\nOrigin: http://localhost:%u\r\n", 200},
		{"by address", "Host: 127.0.0.1:%u\r\nSec-Fetch-Site: same-origin\r\n", 200},
	};
	static const char *const addresses[] = {"/api/state", "/api/may", "/metrics"};
	struct bench *bench = *state;

	begin(bench);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t a = 0; a < ARRAY_SIZE(addresses); a++) {
			char headers[256], request[512];
			struct answer answer;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
			snprintf(headers, sizeof(headers), rows[i].headers, bench->port,
				bench->port);
#pragma GCC diagnostic pop
			snprintf(request, sizeof(request),
				"GET %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", addresses[a],
				headers);
			answer = ask_raw(bench, request);
			if (answer.status != rows[i].status)
				fail_msg("%s, %s: %s", rows[i].name, addresses[a], answer.text);
			answer_done(&answer);
		}
}

static void a_listed_name_is_served(void **state)
{
	struct bench *bench = *state;
	struct answer answer;

	bench_start_web(bench, "--allow-host", "screen.factory");
	answer = ask_raw(
		bench, "GET / HTTP/1.1\r\nHost: screen.factory\r\nConnection: close\r\n\r\n");
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
}

/* As much of polkit as the page asks: may one who asks about himself? */
struct fake_polkit {
	sd_bus *bus;
	bool may;
	char action[64];
	char asked[64]; /* the name on the bus that is asked about */
	char sender[64];
};

static int on_polkit_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct fake_polkit *polkit = userdata;
	const char *kind, *name, *action;

	(void)error;
	if (sd_bus_message_is_method_call(
		    message, "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization") <= 0)
		return 0;
	assert_true(sd_bus_message_enter_container(message, 'r', "sa{sv}") > 0);
	assert_true(sd_bus_message_read(message, "s", &kind) > 0);
	assert_string_equal(kind, "system-bus-name");
	assert_true(sd_bus_message_read(message, "a{sv}", 1, &kind, "s", &name) > 0);
	assert_true(sd_bus_message_exit_container(message) >= 0);
	assert_true(sd_bus_message_read(message, "s", &action) > 0);
	snprintf(polkit->action, sizeof(polkit->action), "%s", action);
	snprintf(polkit->asked, sizeof(polkit->asked), "%s", name);
	snprintf(polkit->sender, sizeof(polkit->sender), "%s", sd_bus_message_get_sender(message));
	return sd_bus_reply_method_return(message, "(bba{ss})", polkit->may, 0, 0);
}

static void polkit_begin(struct bench *bench, struct fake_polkit *polkit)
{
	polkit->bus = fake_bus_connect(&bench->bus, bench->event);
	assert_true(sd_bus_add_filter(polkit->bus, NULL, on_polkit_message, polkit) >= 0);
	assert_true(sd_bus_request_name(polkit->bus, "org.freedesktop.PolicyKit1", 0) >= 0);
}

/* {"retry", "token"} of GET /api/may: whether, and the token ("" null). */
static bool ask_may(struct bench *bench, char *token, size_t size)
{
	struct answer answer = ask(bench, "GET", "/api/may", "");
	json_t *json;
	bool may;

	assert_int_equal(answer.status, 200);
	json = answer_json(&answer);
	may = json_is_true(json_object_get(json, "retry"));
	snprintf(token, size, "%s",
		json_is_string(json_object_get(json, "token"))
			? json_string_value(json_object_get(json, "token"))
			: "");
	assert_int_equal(json_is_string(json_object_get(json, "why")), !may);
	json_decref(json);
	answer_done(&answer);
	return may;
}

static int answer_retried(struct fake_service *service, sd_bus_message *message)
{
	if (service->error)
		return sd_bus_reply_method_errorf(message, service->error, "slot 'A1' is busy");
	return sd_bus_reply_method_return(message, "u", 3);
}

static void a_retry_needs_polkit_and_the_token(void **state)
{
	static const struct {
		const char *error;
		int status;
	} refusals[] = {
		{BUS_ERROR_DENIED, 403},
		{BUS_ERROR_NOT_FOUND, 404},
		{BUS_ERROR_BUSY, 409},
		{BUS_ERROR_NOT_POSSIBLE, 409},
		{BUS_ERROR_INVALID, 400},
		{"org.example.Other", 502},
	};
	struct bench *bench = *state;
	struct fake_polkit polkit = {0};
	struct answer answer;
	char token[64], headers[128];

	begin(bench);
	assert_false(ask_may(bench, token, sizeof(token)));
	assert_string_equal(token, "");
	polkit_begin(bench, &polkit);
	assert_false(ask_may(bench, token, sizeof(token)));
	assert_string_equal(polkit.action, "org.plugflash1.operate");
	assert_string_equal(polkit.asked, polkit.sender);
	polkit.may = true;
	assert_true(ask_may(bench, token, sizeof(token)));
	assert_int_equal(strlen(token), 32);

	answer = ask(bench, "POST", "/api/retry?slot=A1", "");
	assert_int_equal(answer.status, 403);
	assert_non_null(strstr(answer.body, "X-Plugflash-Token"));
	answer_done(&answer);
	assert_string_equal(bench->service.called, "");

	bench->service.on_call = answer_retried;
	snprintf(headers, sizeof(headers), "X-Plugflash-Token: %s\r\nContent-Length: 0\r\n", token);
	answer = ask(bench, "POST", "/api/retry?slot=A%201&board=gate", headers);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body, "{\"retried\": 3}");
	answer_done(&answer);
	assert_string_equal(bench->service.called, "Retry");
	assert_int_equal(bench->service.options.n_entries, 2);
	assert_string_equal(dict_text(&bench->service.options, "slot"), "A 1");
	assert_string_equal(dict_text(&bench->service.options, "board"), "gate");

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		bench->service.error = refusals[i].error;
		answer = ask(bench, "POST", "/api/retry?slot=A1", headers);
		if (answer.status != refusals[i].status)
			fail_msg("%s: %s", refusals[i].error, answer.text);
		assert_non_null(strstr(answer.body, "is busy"));
		answer_done(&answer);
	}
	/* All of them at once is for a person at the command. */
	answer = ask(bench, "POST", "/api/retry", headers);
	assert_int_equal(answer.status, 400);
	answer_done(&answer);
	fake_bus_disconnect(polkit.bus);
}

static int answer_nothing(struct fake_service *service, sd_bus_message *message)
{
	(void)service;
	return sd_bus_reply_method_return(message, "");
}

static void the_service_is_paused_and_goes_on(void **state)
{
	struct bench *bench = *state;
	struct fake_polkit polkit = {.may = true};
	struct answer answer;
	char token[64], headers[128];

	begin(bench);
	bench->service.on_call = answer_nothing;
	polkit_begin(bench, &polkit);
	assert_true(ask_may(bench, token, sizeof(token)));
	snprintf(headers, sizeof(headers), "X-Plugflash-Token: %s\r\nContent-Length: 0\r\n", token);
	answer = ask(bench, "POST", "/api/pause?reason=lunch", headers);
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
	assert_string_equal(bench->service.called, "Pause");
	assert_string_equal(bench->service.text, "lunch");
	answer = ask(bench, "POST", "/api/resume", headers);
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
	assert_string_equal(bench->service.called, "Resume");
	fake_bus_disconnect(polkit.bus);
}

/* ------------------------------------------------------------------------ state and history */

static void the_state_is_that_of_the_service(void **state)
{
	struct bench *bench = *state;
	struct answer answer;
	char value[64];
	json_t *json, *slot;

	begin(bench);
	answer = ask(bench, "GET", "/api/state", "");
	assert_int_equal(answer.status, 200);
	assert_string_equal(
		answer_header(&answer, "Content-Type", value, sizeof(value)), "application/json");
	assert_string_equal(
		answer_header(&answer, "Cache-Control", value, sizeof(value)), "no-store");
	json = answer_json(&answer);
	assert_true(json_is_true(json_object_get(json_object_get(json, "service"), "there")));
	slot = json_array_get(json_object_get(json, "slots"), 0);
	assert_string_equal(json_string_value(json_object_get(slot, "port")), "/dev/ttyUSB0");
	assert_string_equal(json_string_value(json_object_get(slot, "object")), BRIDGE);
	json_decref(json);
	answer_done(&answer);
}

/* The process is started by a request: nobody is told "it is gone" only because it is new. */
static void a_request_that_comes_first_waits_for_the_service(void **state)
{
	struct bench *bench = *state;
	struct browser early, stream;
	char request[128];

	fake_service_begin(&bench->service, &bench->bus, bench->event);
	bench->service.is_mute = true;
	bench_start_web(bench, NULL, NULL);
	stream_open(bench, &stream);
	browser_open(bench, &early);
	snprintf(request, sizeof(request),
		"GET /api/state HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n",
		bench->port);
	browser_send(&early, request);
	while (bench->service.n_kept < 2)
		bench_turn(bench);
	browser_read(&early);
	assert_int_equal(early.n, 0);
	bench->service.is_mute = false;
	fake_service_answer(&bench->service);
	browser_await(&early, "\"there\": true");
	stream_await(&stream, "state", "running");
	assert_null(strstr(stream.text, "\"there\": false"));
	browser_close(&early);
	browser_close(&stream);
}

static int answer_attempts(struct fake_service *service, sd_bus_message *message)
{
	(void)service;
	return sd_bus_reply_method_return(message, "aa{sv}", 2, 3, "id", "t", (uint64_t)41,
		"outcome", "s", "updated", "mass_erased", "b", 1, 1, "reason", "s",
		"a\"b\n<script>");
}

static void the_history_is_asked_of_the_service(void **state)
{
	static const char *const bad[] = {"limit=1001", "limit=x", "after=-1", "colour=red",
		"slot=", "slot=A1&slot=A2", "slot=%ff", "reason=x", "slot=A%00"};
	struct bench *bench = *state;
	struct answer answer;
	char address[64];
	json_t *json, *row;

	begin(bench);
	bench->service.on_call = answer_attempts;
	answer = ask(bench, "GET", "/api/history?limit=5&after=40&slot=A1&outcome=updated", "");
	assert_int_equal(answer.status, 200);
	json = answer_json(&answer);
	assert_int_equal(json_array_size(json_object_get(json, "attempts")), 2);
	row = json_array_get(json_object_get(json, "attempts"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "id")), 41);
	assert_true(json_is_true(json_object_get(row, "mass_erased")));
	row = json_array_get(json_object_get(json, "attempts"), 1);
	assert_string_equal(json_string_value(json_object_get(row, "reason")), "a\"b\n<script>");
	json_decref(json);
	answer_done(&answer);
	assert_string_equal(bench->service.called, "ListAttempts");
	assert_string_equal(dict_text(&bench->service.options, "slot"), "A1");
	assert_string_equal(dict_text(&bench->service.options, "outcome"), "updated");
	assert_null(dict_find(&bench->service.options, "newest"));
	answer = ask(bench, "GET", "/api/history", "");
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
	assert_true(dict_flag(&bench->service.options, "newest"));
	bench->service.called[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(address, sizeof(address), "/api/history?%s", bad[i]);
		answer = ask(bench, "GET", address, "");
		if (answer.status != 400)
			fail_msg("%s: %s", bad[i], answer.text);
		answer_done(&answer);
	}
	assert_string_equal(bench->service.called, "");
}

static void the_metrics_are_text_of_prometheus(void **state)
{
	struct bench *bench = *state;
	struct answer answer;
	char value[128];

	begin(bench);
	answer = ask(bench, "GET", "/metrics", "");
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_header(&answer, "Content-Type", value, sizeof(value)),
		"text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(strstr(answer.body, "\nplugflash_up 1\n"));
	assert_non_null(strstr(answer.body, "\nplugflash_slots{state=\"done\"} 1\n"));
	answer_done(&answer);
}

/* --------------------------------------------------------------------------- hostile bytes */

static char *long_request(const char *before, size_t n, const char *after)
{
	char *text = malloc(strlen(before) + n + strlen(after) + 1), *at = text;

	assert_non_null(text);
	at = stpcpy(at, before);
	memset(at, 'a', n);
	strcpy(at + n, after);
	return text;
}

static void what_is_too_large_is_refused(void **state)
{
	static const struct {
		const char *before;
		size_t n;
		const char *after;
		int status, or_status;
	} rows[] = {
		{"POST /api/retry?slot=A1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4097\r\n\r\n",
			4097, "", 413, 413},
		{"POST /api/retry?slot=A1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
			1000000, "", 0, 413},
		{"GET /", 20000, " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, 431},
		{"GET / HTTP/1.1\r\nX: ", 20000, "\r\nHost: localhost\r\n\r\n", 431, 431},
		{"GET /api/history?slot=", 300,
			" HTTP/1.1\r\nHost: [HOST]\r\nConnection: close\r\n\r\n", 421, 421},
		{"", 10, "\r\n\r\n", 400, 0},
		{"\x16\x03\x01", 100, "\r\n\r\n", 400, 0},
	};
	struct bench *bench = *state;
	struct answer answer;

	begin(bench);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *request = long_request(rows[i].before, rows[i].n, rows[i].after);

		answer = ask_raw(bench, request);
		if (answer.status != rows[i].status && answer.status != rows[i].or_status)
			fail_msg("row %zu: %.200s", i, answer.text);
		answer_done(&answer);
		free(request);
	}
	answer = ask(bench, "GET", "/api/state", "");
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
	assert_string_equal(bench->service.called, "");
}

/* The rest of it would be the next request for one reader, and its body for another. */
static void a_request_with_two_ends_ends_the_connection(void **state)
{
	static const char *const ends[] = {
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	};
	struct bench *bench = *state;
	struct answer answer;

	begin(bench);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char request[512];

		snprintf(request, sizeof(request),
			"POST /api/pause HTTP/1.1\r\nHost: localhost:%u\r\n%s"
			"GET /api/state HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n",
			bench->port, ends[i], bench->port);
		answer = ask_raw(bench, request);
		if (*answer.text && answer.status != 400)
			fail_msg("row %zu: %.200s", i, answer.text);
		assert_null(strstr(answer.text, "\"service\""));
		answer_done(&answer);
	}
	assert_string_equal(bench->service.called, "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_make, bench_done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_files_of_the_page_are_served),
		TEST(nothing_else_of_the_folder_is_served),
		TEST(a_page_that_is_open_can_tell_that_it_is_old),
		TEST(other_methods_are_refused),
		TEST(foreign_pages_are_refused),
		TEST(a_request_with_two_ends_ends_the_connection),
		TEST(a_listed_name_is_served),
		TEST(a_retry_needs_polkit_and_the_token),
		TEST(the_service_is_paused_and_goes_on),
		TEST(the_state_is_that_of_the_service),
		TEST(a_request_that_comes_first_waits_for_the_service),
		TEST(the_history_is_asked_of_the_service),
		TEST(the_metrics_are_text_of_prometheus),
		TEST(what_is_too_large_is_refused),
	};

	return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
