/* SPDX-License-Identifier: MIT */
/*
 * test-web-stuck.c - connections on which nothing moves are closed by plugflash-web, and others go
 * on.
 *
 * Slow: it waits for the limit of half a minute.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/patience.h"
#include "unit/web-bench.h"

/* A document that neither the socket's buffers nor the library's hold. */
static void make_it_large(struct bench *bench)
{
	char path[64], product[251];

	memset(product, 'x', sizeof(product) - 1);
	product[sizeof(product) - 1] = '\0';
	for (unsigned i = 2; i < 900; i++) {
		snprintf(path, sizeof(path), BUS_PATH_BRIDGE "/%u", i);
		fake_service_set(&bench->service, path, BUS_BRIDGE, "State", "done");
		fake_service_set(&bench->service, path, BUS_BRIDGE, "Product", product);
	}
}

/*
 * Descriptors of the process. The end of a connection does not reach a client whose window is full.
 */
static size_t count_descriptors(pid_t pid)
{
	char path[32];
	size_t n = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	assert_non_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

static void who_does_nothing_is_cut_off_and_others_go_on(void **state)
{
	struct bench *bench = *state;
	struct browser never_reads, says_nothing, stops_halfway, watches;
	uint64_t begin_usec = monotonic_usec();
	size_t n_with_one;
	char text[32];
	unsigned n = 0;

	fake_service_begin(&bench->service, &bench->bus, bench->event);
	make_it_large(bench);
	bench_start_web(bench, NULL, NULL);
	stream_open(bench, &watches);
	stream_await(&watches, "state", "running");
	n_with_one = count_descriptors(bench->web);
	browser_open_narrow(bench, &never_reads);
	stream_ask(&never_reads);
	browser_open(bench, &says_nothing);
	browser_open(bench, &stops_halfway);
	browser_send(&stops_halfway, "GET /api/state HTTP/1.1\r\nHost: local");
	do {
		assert_true(monotonic_usec() - begin_usec < PATIENCE_USEC);
		snprintf(text, sizeof(text), "reason %u", n++);
		fake_service_change(&bench->service, BUS_PATH, "PauseReason", text);
		stream_await(&watches, "pause_reason", text);
		watches.n = 0;
		watches.text[0] = '\0';
	} while (count_descriptors(bench->web) > n_with_one);
	/* So it had them all, and what it sent is cut off. */
	assert_true(n > 4);
	browser_await_end(&says_nothing);
	browser_await_end(&stops_halfway);
	browser_await_end(&never_reads);
	assert_int_equal(stream_documents(&never_reads, NULL), 0);
	browser_close(&never_reads);
	browser_close(&says_nothing);
	browser_close(&stops_halfway);
	browser_close(&watches);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			who_does_nothing_is_cut_off_and_others_go_on, bench_make, bench_done),
	};

	return cmocka_run_group_tests_name("web stuck", tests, NULL, NULL);
}
