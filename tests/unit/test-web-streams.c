/* SPDX-License-Identifier: MIT */
/*
 * test-web-streams.c - streams of the real plugflash-web: changes that come fast, browsers that
 * read slowly or leave, a service and a bus that go and come back, and the end when nobody is
 * connected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/web-bench.h"

/* --------------------------------------------------------------------------------- streams */

static void a_stream_begins_with_the_state_and_follows_it(void **state)
{
	struct bench *bench = *state;
	struct browser chunked, stream;
	char request[128];

	begin(bench);
	stream_open(bench, &stream);
	stream_await(&stream, "state", "running");
	browser_await(&stream, "Content-Type: text/event-stream\r\n");
	browser_await(&stream, "\r\n\r\nretry: 1000\ndata: {");
	fake_service_change(&bench->service, BUS_PATH, "State", "paused");
	stream_await(&stream, "state", "paused");
	/* So do browsers ask. */
	browser_open(bench, &chunked);
	snprintf(request, sizeof(request),
		"GET /api/events HTTP/1.1\r\nHost: localhost:%u\r\nLast-Event-ID: 7\r\n\r\n",
		bench->port);
	browser_send(&chunked, request);
	browser_await(&chunked, "\"paused\"");
	browser_await(&chunked, "Transfer-Encoding: chunked\r\n");
	browser_close(&chunked);
	browser_close(&stream);
}

static size_t count_slots(const struct browser *stream)
{
	json_t *last;
	size_t n;

	stream_documents(stream, &last);
	n = json_array_size(json_object_get(last, "slots"));
	json_decref(last);
	return n;
}

static void await_slots(struct browser *stream, size_t n)
{
	uint64_t begin_usec = monotonic_usec();

	for (browser_read(stream); count_slots(stream) != n; browser_read(stream)) {
		assert_true(monotonic_usec() - begin_usec < PATIENCE_USEC);
		bench_turn(stream->bench);
	}
}

static void a_board_is_plugged_in_and_pulled_out(void **state)
{
	struct bench *bench = *state;
	struct browser stream;

	begin(bench);
	stream_open(bench, &stream);
	await_slots(&stream, 1);
	fake_service_add(&bench->service, BUS_PATH_BRIDGE "/2", BUS_BRIDGE, "State", "settling");
	await_slots(&stream, 2);
	fake_service_remove(&bench->service, BRIDGE);
	await_slots(&stream, 1);
	assert_non_null(strstr(stream.text, "\"settling\""));
	browser_close(&stream);
}

static void many_changes_are_few_events_and_the_last_is_the_newest(void **state)
{
	struct bench *bench = *state;
	struct browser stream;
	uint64_t begin_usec;
	size_t n;
	char text[32];

	begin(bench);
	stream_open(bench, &stream);
	stream_await(&stream, "state", "running");
	begin_usec = monotonic_usec();
	for (unsigned i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "reason %u", i);
		fake_service_change(&bench->service, BUS_PATH, "PauseReason", text);
		bench_turn(bench);
		browser_read(&stream);
	}
	stream_await(&stream, "pause_reason", "reason 499");
	n = stream_documents(&stream, NULL);
	/* Five: the first, and four that a second may begin with. */
	assert_true(n <= 5 + 4 * (monotonic_usec() - begin_usec) / USEC_PER_SEC);
	assert_true(n >= 2);
	browser_close(&stream);
}

/* 300 bridges make a document that no socket takes at once. */
static void make_it_large(struct bench *bench)
{
	char path[64], product[128];

	memset(product, 'x', sizeof(product) - 1);
	product[sizeof(product) - 1] = '\0';
	for (unsigned i = 2; i < 300; i++) {
		snprintf(path, sizeof(path), BUS_PATH_BRIDGE "/%u", i);
		fake_service_set(&bench->service, path, BUS_BRIDGE, "State", "done");
		fake_service_set(&bench->service, path, BUS_BRIDGE, "Product", product);
	}
}

static void who_reads_slowly_gets_the_newest_and_holds_up_nobody(void **state)
{
	struct bench *bench = *state;
	struct browser slow, quick;
	char text[32];

	fake_service_begin(&bench->service, &bench->bus, bench->event);
	make_it_large(bench);
	bench_start_web(bench, NULL, NULL);
	/* Before the service has told all, a document is small, and another follows. */
	stream_open(bench, &quick);
	stream_await(&quick, "state", "running");
	browser_open_narrow(bench, &slow);
	stream_ask(&slow);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "reason %u", i);
		fake_service_change(&bench->service, BUS_PATH, "PauseReason", text);
		stream_await(&quick, "pause_reason", text);
	}
	assert_true(stream_documents(&quick, NULL) >= 7);
	/* Now it reads: the one that it had begun with, then the newest. */
	stream_await(&slow, "pause_reason", "reason 5");
	assert_int_equal(stream_documents(&slow, NULL), 2);
	browser_close(&slow);
	browser_close(&quick);
}

static void await_counts(struct bench *bench, struct browser *streams, size_t n, const char *state)
{
	(void)bench;
	for (size_t i = 0; i < n; i++)
		stream_await(&streams[i], "state", state);
}

static void sixty_four_watch_and_one_more_is_told_so(void **state)
{
	struct bench *bench = *state;
	struct browser streams[64], late;
	struct answer answer;

	begin(bench);
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		stream_open(bench, &streams[i]);
	await_counts(bench, streams, ARRAY_SIZE(streams), "running");
	answer = ask(bench, "GET", "/api/events", "");
	assert_int_equal(answer.status, 503);
	answer_done(&answer);
	answer = ask(bench, "GET", "/api/state", "");
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
	fake_service_change(&bench->service, BUS_PATH, "State", "paused");
	await_counts(bench, streams, ARRAY_SIZE(streams), "paused");
	/* One leaves without a word, and its place is free. */
	browser_close(&streams[7]);
	for (;;) {
		stream_open(bench, &late);
		browser_await(&late, "\r\n\r\n");
		if (strstr(late.text, "HTTP/1.1 200") || strstr(late.text, "HTTP/1.0 200"))
			break;
		browser_close(&late);
	}
	stream_await(&late, "state", "paused");
	browser_close(&late);
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
		if (i != 7)
			browser_close(&streams[i]);
}

static void more_connections_than_there_are_places_are_closed(void **state)
{
	struct bench *bench = *state;
	struct browser browsers[100];
	struct answer answer;
	size_t n_closed = 0;

	begin(bench);
	answer = ask(bench, "GET", "/api/state", "");
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
	for (size_t i = 0; i < ARRAY_SIZE(browsers); i++)
		browser_open(bench, &browsers[i]);
	browser_await_end(&browsers[99]);
	for (size_t i = 0; i < ARRAY_SIZE(browsers); i++) {
		browser_read(&browsers[i]);
		n_closed += browsers[i].is_closed;
		browser_close(&browsers[i]);
	}
	assert_true(n_closed >= 20);
	for (answer = ask(bench, "GET", "/api/state", ""); answer.status != 200;
		answer = ask(bench, "GET", "/api/state", ""))
		answer_done(&answer);
	answer_done(&answer);
}

/* ------------------------------------------------------------------------- gone and back */

static void await_there(struct browser *stream, bool is_there)
{
	uint64_t begin_usec = monotonic_usec();
	bool so = !is_there;

	while (so != is_there) {
		json_t *last;

		assert_true(monotonic_usec() - begin_usec < PATIENCE_USEC);
		bench_turn(stream->bench);
		browser_read(stream);
		assert_false(stream->is_closed);
		if (stream_documents(stream, &last) > 0)
			so = json_is_true(
				json_object_get(json_object_get(last, "service"), "there"));
		json_decref(last);
	}
}

static void a_service_goes_and_comes_back(void **state)
{
	struct bench *bench = *state;
	struct browser stream;
	struct answer answer;

	begin(bench);
	stream_open(bench, &stream);
	await_there(&stream, true);
	fake_service_end(&bench->service);
	await_there(&stream, false);
	answer = ask(bench, "GET", "/api/history", "");
	assert_int_equal(answer.status, 503);
	answer_done(&answer);
	answer = ask(bench, "GET", "/metrics", "");
	assert_non_null(strstr(answer.body, "\nplugflash_up 0\n"));
	answer_done(&answer);
	fake_service_begin(&bench->service, &bench->bus, bench->event);
	await_there(&stream, true);
	browser_close(&stream);
}

static void a_bus_goes_and_comes_back(void **state)
{
	struct bench *bench = *state;
	struct browser stream;

	begin(bench);
	stream_open(bench, &stream);
	await_there(&stream, true);
	fake_bus_stop(&bench->bus);
	await_there(&stream, false);
	fake_service_end(&bench->service);
	fake_bus_start(&bench->bus);
	fake_service_begin(&bench->service, &bench->bus, bench->event);
	await_there(&stream, true);
	browser_close(&stream);
}

static void without_a_bus_there_is_a_page_all_the_same(void **state)
{
	struct bench *bench = *state;
	struct answer answer;

	fake_bus_stop(&bench->bus);
	bench_start_web(bench, NULL, NULL);
	answer = ask(bench, "GET", "/", "");
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
	answer = ask(bench, "GET", "/api/state", "");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\"there\": false"));
	answer_done(&answer);
}

/* --------------------------------------------------------------------------------- the end */

static void it_ends_when_nobody_is_connected_and_starts_again(void **state)
{
	struct bench *bench = *state;
	struct browser stream;
	struct answer answer;

	fake_service_begin(&bench->service, &bench->bus, bench->event);
	bench_start_web(bench, "--exit-idle", "1");
	stream_open(bench, &stream);
	stream_await(&stream, "state", "running");
	/* Longer than the limit: a page that is open keeps it. */
	for (uint64_t until = monotonic_usec() + 1500 * USEC_PER_MSEC; monotonic_usec() < until;)
		bench_turn(bench);
	assert_int_equal(waitpid(bench->web, NULL, WNOHANG), 0);
	browser_close(&stream);
	assert_int_equal(bench_await_end(bench), 0);
	/* A browser that comes now waits in the queue of the socket, and the next process answers.
	 */
	stream_open(bench, &stream);
	bench_start_web(bench, "--exit-idle", "0");
	stream_await(&stream, "state", "running");
	browser_close(&stream);
	answer = ask(bench, "GET", "/", "");
	assert_int_equal(answer.status, 200);
	answer_done(&answer);
}

static void a_stop_ends_it_with_all_that_is_open(void **state)
{
	struct bench *bench = *state;
	struct browser stream, waiting;
	char request[128];

	begin(bench);
	stream_open(bench, &stream);
	stream_await(&stream, "state", "running");
	/* The service never answers this one. */
	browser_open(bench, &waiting);
	snprintf(request, sizeof(request),
		"GET /api/history HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", bench->port);
	browser_send(&waiting, request);
	while (strcmp(bench->service.called, "ListAttempts") != 0)
		bench_turn(bench);
	kill(bench->web, SIGTERM);
	assert_int_equal(bench_await_end(bench), 0);
	browser_await_end(&stream);
	browser_await_end(&waiting);
	browser_close(&stream);
	browser_close(&waiting);
}

static void a_page_that_is_not_there_is_said_at_the_start(void **state)
{
	struct bench *bench = *state;
	char path[128];
	int status;

	snprintf(path, sizeof(path), "%s/index.html", bench->page);
	assert_int_equal(unlink(path), 0);
	bench_start_web(bench, NULL, NULL);
	status = bench_await_end(bench);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_make, bench_done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_begins_with_the_state_and_follows_it),
		TEST(a_board_is_plugged_in_and_pulled_out),
		TEST(many_changes_are_few_events_and_the_last_is_the_newest),
		TEST(who_reads_slowly_gets_the_newest_and_holds_up_nobody),
		TEST(sixty_four_watch_and_one_more_is_told_so),
		TEST(more_connections_than_there_are_places_are_closed),
		TEST(a_service_goes_and_comes_back),
		TEST(a_bus_goes_and_comes_back),
		TEST(without_a_bus_there_is_a_page_all_the_same),
		TEST(it_ends_when_nobody_is_connected_and_starts_again),
		TEST(a_stop_ends_it_with_all_that_is_open),
		TEST(a_page_that_is_not_there_is_said_at_the_start),
	};

	return cmocka_run_group_tests_name("web streams", tests, NULL, NULL);
}
