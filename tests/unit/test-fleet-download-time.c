/* SPDX-License-Identifier: MIT */
/*
 * How long downloads go on, rest and wait for one another, with a server that stalls or is slow,
 * over http on loopback.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netdb.h>

#include "unit/plain-server.h"

static void a_silent_server_is_given_up(void **state)
{
	struct bench *bench = begin();
	struct download *download = bench_ask(bench, &server, "hold=70000");
	struct download_view view;
	uint64_t begun;
	(void)state;

	run_to(bench, download, 70000);
	begun = monotonic_usec();
	while (look(download).state == DOWNLOAD_RUNNING) {
		assert_true(monotonic_usec() - begun < 70 * USEC_PER_SEC);
		clock_move(USEC_PER_SEC);
		bench_round(bench);
	}
	assert_true(monotonic_usec() - begun >= 60 * USEC_PER_SEC);
	view = look(download);
	assert_non_null(strstr(view.reason->text,
		"nothing more came, or next to nothing, after 70000 of 200000 bytes"));
	download_forget(download);
	bench_free(bench);
}

/* A byte now and then keeps nobody waiting for ever, and what goes on slowly is left alone, also
 * where it is our own rate that makes it slow. */
static void next_to_nothing_is_nothing(void **state)
{
	static const struct {
		const char *manner;
		uint32_t rate;
		uint64_t n_step; /* bytes that come in ten seconds, which is less than `idle` */
		bool goes_on;
	} rows[] = {
		{"slow=1", 0, 1, false},
		{"slow=1", 1000, 1, false},
		{"slow=40", 0, 400, true},
		{"", 100, 100, true},
		{"", 10, 0, true},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, rows[i].manner);
		uint64_t begun, real_begun = real_usec();

		bench->settings.rate = rows[i].rate;
		run_to(bench, download, 1);
		begun = monotonic_usec();
		while (look(download).n_failures == 0 &&
			monotonic_usec() - begun < 180 * USEC_PER_SEC) {
			uint64_t n = look(download).n_bytes;

			clock_move(10 * USEC_PER_SEC);
			do
				bench_round_of(bench, real_begun);
			while (look(download).n_failures == 0 &&
				look(download).n_bytes < n + rows[i].n_step);
		}
		if ((look(download).n_failures == 0) != rows[i].goes_on)
			fail_msg("%s, rate %u: '%s'", rows[i].manner, rows[i].rate,
				look(download).reason->text);
		download_forget(download);
		bench_free(bench);
	}
}

/* No more bytes than the rate gives, and one block that comes at a time. */
static void the_rate_is_kept(void **state)
{
	static const uint32_t rates[] = {500, 10000, 100000};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, "");
		uint64_t begun = real_usec(), first;

		bench->settings.rate = rates[i];
		run_to(bench, download, 1);
		first = monotonic_usec();
		while (look(download).state == DOWNLOAD_RUNNING) {
			double passed = (double)(monotonic_usec() - first) / USEC_PER_SEC;

			assert_true(
				(double)look(download).n_bytes <= passed * rates[i] + 2 * 16384);
			clock_move(USEC_PER_SEC);
			bench_round_of(bench, begun);
		}
		assert_int_equal(look(download).state, DOWNLOAD_WHOLE);
		assert_true(monotonic_usec() - first >=
			    (IMAGE_BYTES - 2 * 16384) * USEC_PER_SEC / rates[i]);
		assert_whole(bench, download);
		download_forget(download);
		bench_free(bench);
	}
}

static void pauses_grow_up_to_half_an_hour(void **state)
{
	struct bench *bench = begin();
	struct download *download = bench_ask(bench, &server, "status=404");
	uint64_t expected = 5 * USEC_PER_SEC;
	(void)state;

	for (unsigned i = 1; i <= 12; i++) {
		struct download_view view = run_try(bench, download);
		uint64_t pause = view.next_usec - monotonic_usec();

		assert_int_equal(view.n_failures, i);
		assert_in_range(pause, expected / 2 - USEC_PER_SEC, expected);
		expected = expected * 2 < 1800 * USEC_PER_SEC ? expected * 2 : 1800 * USEC_PER_SEC;
	}
	/* The network is back, as others know. */
	downloads_hurry(bench->downloads);
	assert_in_range(
		look(download).next_usec, monotonic_usec(), monotonic_usec() + 10 * USEC_PER_SEC);
	download_forget(download);
	bench_free(bench);
}

static void a_server_may_ask_for_a_rest(void **state)
{
	static const struct {
		const char *manner;
		unsigned seconds;
	} rows[] = {
		{"status=503&retry-after=100", 100},
		{"status=429&retry-after=999999999", 3600},
		{"status=503&retry-after=never", 0},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, rows[i].manner);
		uint64_t least = rows[i].seconds * USEC_PER_SEC, pause;

		pause = run_try(bench, download).next_usec - monotonic_usec();
		assert_in_range(pause, least + USEC_PER_SEC, least + 5 * USEC_PER_SEC);
		/* Nobody hurries against that. */
		downloads_hurry(bench->downloads);
		pause = look(download).next_usec - monotonic_usec();
		assert_in_range(pause, least, least + 10 * USEC_PER_SEC);
		download_forget(download);
		bench_free(bench);
	}
}

/* At a time of its own: five that come at once in a spread of a thousand seconds are no accident.
 */
static void the_first_try_comes_within_the_spread(void **state)
{
	struct bench *bench = begin();
	unsigned n_waited = 0;
	(void)state;

	bench->settings.spread_usec = 1000 * USEC_PER_SEC;
	for (unsigned i = 0; i < 5; i++) {
		struct download *download = bench_ask(bench, &server, "");
		uint64_t begun = monotonic_usec();

		while (look(download).state == DOWNLOAD_WAITING) {
			clock_move(20 * USEC_PER_SEC);
			bench_round(bench);
			assert_true(monotonic_usec() - begun < 1050 * USEC_PER_SEC);
		}
		n_waited += monotonic_usec() - begun > 30 * USEC_PER_SEC;
		assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
		download_forget(download);
	}
	assert_int_not_equal(n_waited, 0);
	bench_free(bench);
}

/* A resolver of which no answer comes until the test lets it go: libcurl's thread asks it. */
static int held_names[2] = {-1, -1};

int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	char byte;

	if (node && strcmp(node, "nobody.example") == 0)
		return read(held_names[0], &byte, 1) < 0 ? EAI_SYSTEM : EAI_NONAME;
	return REAL(getaddrinfo)(node, service, hints, ret);
}

/* Whoever gives up does not wait for it: it would hang here. */
static void a_name_is_not_waited_for(void **state)
{
	size_t n_before = count_entries("/proc/self/fd");
	struct bench *bench = begin();
	struct download *download = bench_ask_for(bench, "https://nobody.example", "", IMAGE_BYTES);
	uint64_t begun = real_usec();
	(void)state;

	assert_int_equal(pipe2(held_names, O_CLOEXEC), 0);
	while (look(download).n_failures == 0) {
		bench_round_of(bench, begun);
		clock_move(USEC_PER_SEC);
	}
	assert_non_null(strstr(look(download).reason->text, "nothing more came"));
	download_free(download);
	bench_free(bench);
	close(held_names[1]);
	/* The thread that asked ends by itself, and closes what was its own. */
	while (count_entries("/proc/self/fd") > n_before + 1) {
		assert_true(real_usec() - begun < PATIENCE_USEC);
		poll(NULL, 0, 10);
	}
	close(held_names[0]);
}

/* What is done is forgotten by the loop: nothing wakes it for months. */
static void nothing_happens_afterwards(void **state)
{
	static const char *const manners[] = {"", "hold=1000"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(manners); i++) {
		size_t n_before = count_entries("/proc/self/fd");
		struct bench *bench = begin();
		struct download *download = bench_ask(bench, &server, manners[i]);

		run_to(bench, download, 1000);
		if (i == 0)
			assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
		download_forget(download);
		bench_round(bench);
		for (unsigned hour = 0; hour < 24; hour++) {
			clock_move(3600 * USEC_PER_SEC);
			assert_int_equal(sd_event_run(bench->event, 0), 0);
		}
		bench_free(bench);
		assert_int_equal(count_entries("/proc/self/fd"), n_before);
	}
}

/* ------------------------------------------------------------------ several */

/* One that hangs in its pauses holds up nobody, and two are never fetched at the same time. */
static void each_has_its_turn(void **state)
{
	struct bench *bench = begin();
	struct download *first = bench_ask(bench, &server, "hold=1000");
	struct download *second = bench_ask(bench, &server, "status=404");
	struct download *third = bench_ask(bench, &server, "");
	uint64_t begun = real_usec();
	(void)state;

	run_to(bench, first, 1000);
	assert_int_equal(look(second).state, DOWNLOAD_WAITING);
	assert_int_equal(look(third).state, DOWNLOAD_WAITING);
	clock_move(61 * USEC_PER_SEC);
	while (look(third).state != DOWNLOAD_WHOLE) {
		bench_round_of(bench, begun);
		assert_true((look(first).state == DOWNLOAD_RUNNING) +
				    (look(second).state == DOWNLOAD_RUNNING) +
				    (look(third).state == DOWNLOAD_RUNNING) <=
			    1);
		if (look(first).state == DOWNLOAD_RUNNING)
			clock_move(USEC_PER_SEC);
	}
	assert_true(look(second).n_failures > 0);
	/* All three were for the same bytes: they stay as long as one wants them. */
	download_forget(second);
	download_forget(third);
	assert_int_not_equal(count_entries(in_folder("parts")), 0);
	download_forget(first);
	assert_int_equal(count_entries(in_folder("parts")), 0);
	bench_free(bench);
}

/* One that comes by single bytes gives its turn away. */
static void one_that_trickles_lets_others_through(void **state)
{
	struct bench *bench = begin();
	struct download *slow = bench_ask(bench, &server, "slow=1"), *other;
	uint64_t begun = real_usec(), n_bytes;
	(void)state;

	bench->settings.idle_usec = 24 * 3600 * USEC_PER_SEC;
	run_to(bench, slow, 1);
	clock_move(700 * USEC_PER_SEC);
	n_bytes = look(slow).n_bytes;
	while (look(slow).n_bytes < n_bytes + 10)
		bench_round_of(bench, begun);
	/* Nobody waits. */
	assert_int_equal(look(slow).state, DOWNLOAD_RUNNING);
	other = bench_ask(bench, &server, "");
	clock_move(6 * USEC_PER_SEC);
	while (look(other).state != DOWNLOAD_WHOLE)
		bench_round_of(bench, begun);
	assert_int_equal(look(slow).n_failures, 0);
	download_forget(other);
	download_forget(slow);
	bench_free(bench);
}

/* Another wish comes at any moment of a download, and the handler itself may be who frees it. */
struct freeing {
	struct bench *bench;
	struct download *download;
	unsigned n_left;
};

static void free_it(struct download *download, void *userdata)
{
	struct freeing *freeing = userdata;

	if (freeing->n_left-- > 0)
		return;
	freeing->download = NULL;
	download_free(download);
}

static void it_may_be_freed_at_any_moment(void **state)
{
	static const char *const manners[] = {"", "status=404", "cut=70000", "junk", "hold=1"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(manners); i++) {
		struct bench *bench = begin();
		char url[256];
		const struct download_ask ask = {url, bench->sha256, IMAGE_BYTES};
		uint64_t begun = real_usec();

		snprintf(url, sizeof(url), "%s/" IMAGE "?%s", server.address, manners[i]);
		for (unsigned n = 0; n < 2; n++) {
			struct freeing freeing = {.bench = bench, .n_left = n};

			assert_int_equal(download_new(bench->downloads, &ask, free_it, &freeing,
						 &freeing.download),
				0);
			while (freeing.download) {
				clock_move(USEC_PER_SEC);
				bench_round_of(bench, begun);
			}
		}
		for (unsigned rounds = 0; rounds < 12; rounds++) {
			struct download *download = bench_ask(bench, &server, manners[i]);

			for (unsigned round = 0; round < rounds; round++)
				bench_round(bench);
			download_free(download);
		}
		bench_free(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_server_is_given_up),
		cmocka_unit_test(next_to_nothing_is_nothing),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(pauses_grow_up_to_half_an_hour),
		cmocka_unit_test(a_server_may_ask_for_a_rest),
		cmocka_unit_test(the_first_try_comes_within_the_spread),
		cmocka_unit_test(a_name_is_not_waited_for),
		cmocka_unit_test(nothing_happens_afterwards),
		cmocka_unit_test(each_has_its_turn),
		cmocka_unit_test(one_that_trickles_lets_others_through),
		cmocka_unit_test(it_may_be_freed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
