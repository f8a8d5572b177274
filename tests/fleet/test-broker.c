/* SPDX-License-Identifier: MIT */
/*
 * test-broker.c - the farm itself: that its broker keeps what it saved, lets a certificate say what
 * is its own and nothing else, and that its web server knows ranges. Clients are mosquitto's and
 * curl.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "fleet/broker.h"
#include "fleet/watcher.h"
#include "fleet/web.h"

struct fixture {
	struct farm *farm;
	struct broker *broker;
	struct watcher *watcher;
	struct web *web;
	char *certificates;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->farm = farm_new();
	fixture->broker = broker_new(fixture->farm);
	fixture->certificates = farm_folder(fixture->farm, "certificates");
	broker_start(fixture->broker);
	fixture->watcher = watcher_new(fixture->farm, "watcher", NULL, NULL);
	fixture->web = web_new(fixture->farm);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	web_free(fixture->web);
	watcher_free(fixture->watcher);
	broker_free(fixture->broker);
	free(fixture->certificates);
	farm_free(fixture->farm);
	free(fixture);
	return 0;
}

struct awaited {
	struct fixture *fixture;
	const char *topic, *payload;
};

static bool has_payload(void *userdata)
{
	const struct awaited *awaited = userdata;
	const char *payload = watcher_payload(awaited->fixture->watcher, awaited->topic);

	return payload && strcmp(payload, awaited->payload) == 0;
}

static bool hears(struct fixture *fixture, const char *topic, const char *payload)
{
	struct awaited awaited = {fixture, topic, payload};

	return farm_wait(fixture->farm, FARM_LONG, has_payload, &awaited);
}

/* What was published before is here, or will not come: the broker keeps the order. */
static void wait_for_all(struct fixture *fixture)
{
	static unsigned n;
	char text[16];

	snprintf(text, sizeof(text), "%u", ++n);
	publish(fixture->farm, "last", text, false);
	assert_true(hears(fixture, "last", text));
}

static void what_was_saved_outlives_a_kill(void **state)
{
	struct fixture *fixture = *state;

	publish(fixture->farm, "a/b", "{\"n\":1}", true);
	broker_save(fixture->broker);
	broker_kill(fixture->broker);
	broker_start(fixture->broker);
	fixture->watcher = watcher_free(fixture->watcher);
	fixture->watcher = watcher_new(fixture->farm, "another", NULL, NULL);
	assert_true(hears(fixture, "a/b", "{\"n\":1}"));
}

/* Its session waits at the broker for the watcher, which comes back by itself. */
static void a_watcher_misses_nothing_over_a_restart(void **state)
{
	struct fixture *fixture = *state;

	broker_save(fixture->broker);
	broker_kill(fixture->broker);
	broker_start(fixture->broker);
	publish(fixture->farm, "a/b", "{\"n\":2}", false);
	assert_true(hears(fixture, "a/b", "{\"n\":2}"));
}

static void say_as(struct fixture *fixture, const char *name, const char *topic)
{
	CLEANUP(freep) char *certificate = farm_path(fixture->farm, "certificates/%s.crt", name);
	CLEANUP(freep) char *key = farm_path(fixture->farm, "certificates/%s.key", name);

	farm_run(fixture->farm,
		(const char *const[]){"mosquitto_pub", "-h", "127.0.0.1", "-p", "8883", "--cafile",
			broker_ca(fixture->broker), "--cert", certificate, "--key", key, "-q", "1",
			"-t", topic, "-m", "{}", NULL});
}

static void a_certificate_says_what_is_its_own(void **state)
{
	struct fixture *fixture = *state;

	broker_make_certificate(fixture->broker, "gw-1", fixture->certificates);
	broker_make_certificate(fixture->broker, BROKER_ANY, fixture->certificates);
	say_as(fixture, "gw-1", "plugflash/gw-2/status");
	say_as(fixture, "gw-1", "plugflash/desired/group/all/gate");
	say_as(fixture, "gw-1", "plugflash/gw-1/status");
	say_as(fixture, BROKER_ANY, "plugflash/gw-3/status");
	wait_for_all(fixture);
	assert_non_null(watcher_payload(fixture->watcher, "plugflash/gw-1/status"));
	assert_non_null(watcher_payload(fixture->watcher, "plugflash/gw-3/status"));
	assert_null(watcher_payload(fixture->watcher, "plugflash/gw-2/status"));
	assert_null(watcher_payload(fixture->watcher, "plugflash/desired/group/all/gate"));
}

static void the_web_server_goes_on_where_it_was_cut(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(freep) char *file = farm_path(fixture->farm, "file");
	CLEANUP(freep) char *address = web_address("data");
	CLEANUP(closep) int fd = -1;
	char data[50000], got[50001] = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 256);
	web_offer(fixture->web, "data", "one", data, sizeof(data));
	web_cut(fixture->web, 20000);
	/* curl's own retries begin anew; each call of it with -C - goes on. */
	for (unsigned i = 0; i < 3; i++) {
		struct child child;

		child_start(fixture->farm, &child,
			&(struct child_setup){.input = -1, .output = -1, .error = -1},
			(const char *const[]){"curl", "-s", "-C", "-", "-o", file, address, NULL});
		assert_true(child_wait(fixture->farm, &child, FARM_LONG));
		assert_int_equal(child.status == 0, i == 2);
	}
	fd = open(file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read_up_to(fd, got, sizeof(got), &n), 0);
	assert_int_equal(n, sizeof(data));
	assert_memory_equal(got, data, sizeof(data));
	assert_int_equal(web_resumed(fixture->web), 2);
	assert_int_equal(web_bytes(fixture->web), sizeof(data));
}

static void values_are_those_of_the_outermost_object(void **state)
{
	static const char payload[] =
		"{\"a\":{\"b\":\"deep\"},\"b\":\"text\",\"n\":12,\"t\":true,\"z\":null}";
	char value[VALUE_MAX];

	(void)state;
	assert_string_equal(value_of(payload, "b", value), "text");
	assert_int_equal(value_number(payload, "n"), 12);
	assert_true(value_is(payload, "t", "true"));
	assert_true(value_is(payload, "z", "null"));
	assert_true(value_is(payload, "c", ""));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_saved_outlives_a_kill),
		TEST(a_watcher_misses_nothing_over_a_restart),
		TEST(a_certificate_says_what_is_its_own),
		TEST(the_web_server_goes_on_where_it_was_cut),
		cmocka_unit_test(values_are_those_of_the_outermost_object),
	};

	farm_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
