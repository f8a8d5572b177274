/* SPDX-License-Identifier: MIT */
/*
 * test-fleet-mqtt.c - the connection to a broker that is a few lines of this test, in virtual time:
 * how it begins, what is told when it ends, when it is tried again, and how much goes out at once.
 * tests/fleet has the real broker, and TLS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/util.h"
#include "fleet/mqtt.h"
#include "unit/patience.h"
#include "unit/rows.h"
#include "unit/virtual-clock.h"

enum packet {
	CONNECT = 0x10,
	CONNACK = 0x20,
	PUBLISH = 0x30,
	PUBACK = 0x40,
	SUBSCRIBE = 0x80,
	SUBACK = 0x90,
	PINGREQ = 0xc0,
	DISCONNECT = 0xe0,
};

/* What the broker does with a CONNECT. */
enum manner { TAKES, IS_SILENT, CLOSES, REFUSES, SAYS_RUBBISH };

static struct bench {
	sd_event *event;
	struct fleet_broker settings;
	struct mqtt *mqtt;
	/* The broker. */
	enum manner manner;
	bool acknowledges;
	bool refuses_topics;
	int listening, peer; /* -1: none */
	uint8_t got[64 * 1024];
	size_t n_got;
	unsigned n_of[256]; /* packets by the upper half of their first byte */
	unsigned n_connections;
	bool is_clean; /* the last CONNECT ends the session of before */
	bool is_eof;
	uint16_t unacknowledged[64];
	size_t n_unacknowledged;
	/* What was told. */
	bool is_there;
	unsigned n_told;
	char why[400];
	unsigned acknowledged[64];
	size_t n_acknowledged;
	unsigned n_ready;
	char granted[64], refused[64];
	char topic[64], message[64];
	bool is_retained;
} bench;

/* -------------------------------------------------------------------------------- the broker */

static void answer(const void *bytes, size_t n)
{
	assert_int_equal(send(bench.peer, bytes, n, MSG_NOSIGNAL), n);
}

static void hang_up(void)
{
	close(take_fd(&bench.peer));
	bench.n_got = 0;
}

static void take_connect(void)
{
	switch (bench.manner) {
	case TAKES:
		return answer((uint8_t[]){CONNACK, 2, 0, 0}, 4);
	case REFUSES:
		return answer((uint8_t[]){CONNACK, 2, 0, 5}, 4);
	case SAYS_RUBBISH:
		return answer((uint8_t[]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 6);
	case CLOSES:
		return hang_up();
	case IS_SILENT:
		return;
	}
}

static void acknowledge(uint16_t id)
{
	answer((uint8_t[]){PUBACK, 2, (uint8_t)(id >> 8), (uint8_t)id}, 4);
}

/* `body` is what stands behind the fixed header. */
static void take_packet(uint8_t first, const uint8_t *body, size_t n)
{
	uint8_t kind = first & 0xf0;

	bench.n_of[kind]++;
	if (kind == CONNECT) {
		assert_true(n > 7);
		bench.is_clean = body[7] & 2;
		take_connect();
	} else if (kind == SUBSCRIBE)
		answer((uint8_t[]){SUBACK, 3, body[0], body[1], bench.refuses_topics ? 0x80 : 1},
			5);
	else if (kind == PUBLISH && first & 0x06) {
		size_t n_topic = (size_t)body[0] << 8 | body[1];
		uint16_t id = (uint16_t)(body[2 + n_topic] << 8 | body[3 + n_topic]);

		assert_true(4 + n_topic <= n);
		if (bench.acknowledges)
			acknowledge(id);
		else
			bench.unacknowledged[bench.n_unacknowledged++] = id;
	}
}

/* Takes a whole packet off what came; false: there is none. */
static bool take_one(void)
{
	size_t length = 0, shift = 0, at = 1;

	if (bench.peer < 0 || bench.n_got < 2)
		return false;
	do {
		if (at == bench.n_got)
			return false;
		length |= (size_t)(bench.got[at] & 127) << shift;
		shift += 7;
	} while (bench.got[at++] & 128);
	if (bench.n_got < at + length)
		return false;
	take_packet(bench.got[0], bench.got + at, length);
	if (bench.peer < 0)
		return false;
	bench.n_got -= at + length;
	memmove(bench.got, bench.got + at + length, bench.n_got);
	return true;
}

static void serve(void)
{
	ssize_t n;

	if (bench.peer < 0) {
		bench.peer = accept4(bench.listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		bench.n_connections += bench.peer >= 0;
	}
	if (bench.peer < 0)
		return;
	n = read(bench.peer, bench.got + bench.n_got, sizeof(bench.got) - bench.n_got);
	if (n > 0)
		bench.n_got += (size_t)n;
	while (take_one())
		;
	if (n == 0) {
		bench.is_eof = true;
		hang_up();
	}
}

/* --------------------------------------------------------------------------------- the others */

static void on_presence(void *userdata, bool is_there, const char *why)
{
	(void)userdata;
	bench.is_there = is_there;
	bench.n_told++;
	snprintf(bench.why, sizeof(bench.why), "%s", why);
}

static void on_message(
	void *userdata, const char *topic, const void *payload, size_t n, bool is_retained)
{
	(void)userdata;
	snprintf(bench.topic, sizeof(bench.topic), "%s", topic);
	snprintf(bench.message, sizeof(bench.message), "%.*s", (int)n, (const char *)payload);
	bench.is_retained = is_retained;
}

static void on_acknowledged(void *userdata, unsigned id)
{
	(void)userdata;
	bench.acknowledged[bench.n_acknowledged++] = id;
}

static void on_ready(void *userdata)
{
	(void)userdata;
	bench.n_ready++;
}

static void on_subscribed(void *userdata, const char *filter, bool is_granted)
{
	char *to = is_granted ? bench.granted : bench.refused;

	(void)userdata;
	snprintf(to, sizeof(bench.refused), "%s", filter);
}

static const struct mqtt_callbacks callbacks = {
	.on_presence = on_presence,
	.on_message = on_message,
	.on_acknowledged = on_acknowledged,
	.on_ready = on_ready,
	.on_subscribed = on_subscribed,
};

static int set_up(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.peer = -1;
	bench.acknowledges = true;
	bench.listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_return_code(bind(bench.listening, (struct sockaddr *)&address, size), errno);
	assert_return_code(listen(bench.listening, 8), errno);
	assert_return_code(getsockname(bench.listening, (struct sockaddr *)&address, &size), errno);
	bench.settings = (struct fleet_broker){
		.host = "127.0.0.1",
		.port = ntohs(address.sin_port),
		.client_id = "test",
		.keep_alive_usec = 60 * USEC_PER_SEC,
		.retry_usec = 2 * USEC_PER_SEC,
		.rate = 1000,
		.message_most = 1024,
	};
	assert_true(sd_event_new(&bench.event) >= 0);
	assert_int_equal(mqtt_new(bench.event, &bench.settings, "will", "gone", &callbacks, NULL,
				 &bench.mqtt),
		0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mqtt_free(bench.mqtt);
	sd_event_unref(bench.event);
	closep(&bench.peer);
	closep(&bench.listening);
	return 0;
}

/* Loop and broker, in turn, until the question is answered by true. */
static void run_until(bool (*is_done)(void))
{
	uint64_t begin = real_usec();

	while (!is_done()) {
		assert_true(real_usec() - begin < PATIENCE_USEC);
		assert_true(sd_event_run(bench.event, 5000) >= 0);
		serve();
	}
}

static unsigned told_before;

static bool is_told(void)
{
	return bench.n_told > told_before;
}

static bool is_connected(void)
{
	return bench.n_of[CONNECT] > 0;
}

/* The next word about its presence, after so much time. */
static void hear(uint64_t usec)
{
	told_before = bench.n_told;
	clock_move(usec);
	run_until(is_told);
}

/* ---------------------------------------------------------------------------------- beginning */

static const struct beginning {
	const char *name;
	enum manner manner;
	const char *why; /* NULL: it is there */
} beginnings[] = {
	{"a broker that takes the client", TAKES, NULL},
	{"a broker that refuses it", REFUSES,
		"the broker refuses this client: Connection Refused: not authorised."},
	{"a broker that hangs up", CLOSES,
		"the connection was closed at once: does a broker listen at this port, and without TLS?"},
	{"somebody who speaks something else", SAYS_RUBBISH,
		"A network protocol error occurred when communicating with the broker."},
};

static void begins(void **state)
{
	const struct beginning *row = *state;

	set_up(NULL);
	bench.manner = row->manner;
	hear(0);
	assert_int_equal(bench.is_there, !row->why);
	assert_int_equal(mqtt_is_there(bench.mqtt), !row->why);
	assert_string_equal(bench.why, row->why ? row->why : "");
	tear_down(NULL);
}

/* Within some rounds of the loop nothing is left to do. */
static bool comes_to_rest(void)
{
	for (unsigned i = 0; i < 100; i++)
		if (sd_event_run(bench.event, 0) == 0)
			return true;
	return false;
}

static void silence_ends_after_30_s(void **state)
{
	(void)state;
	bench.manner = IS_SILENT;
	clock_move(0);
	run_until(is_connected);
	assert_true(comes_to_rest());
	clock_move(29 * USEC_PER_SEC);
	assert_true(sd_event_run(bench.event, 0) >= 0);
	assert_int_equal(bench.n_told, 0);
	hear(USEC_PER_SEC);
	assert_string_equal(bench.why, "the broker did not answer within 30 s");
}

/* Each wait is between the half and the whole of one that doubles, from `retry` up to 128 s. */
static void tries_become_rare(void **state)
{
	uint64_t most = bench.settings.retry_usec;

	(void)state;
	bench.manner = CLOSES;
	hear(0);
	for (unsigned i = 0; i < 8; i++) {
		unsigned n_before = bench.n_connections;

		clock_move(most / 2 - USEC_PER_SEC);
		assert_true(sd_event_run(bench.event, 0) >= 0);
		serve();
		assert_int_equal(bench.n_connections, n_before);
		hear(most / 2 + USEC_PER_SEC);
		assert_int_equal(bench.n_connections, n_before + 1);
		most = most < 128 * USEC_PER_SEC ? most * 2 : most;
	}
}

/* One that lasted is tried again soon, also after many failures. */
static void a_stable_one_begins_anew(void **state)
{
	(void)state;
	bench.manner = CLOSES;
	hear(0);
	for (unsigned i = 0; i < 7; i++)
		hear(128 * USEC_PER_SEC);
	bench.manner = TAKES;
	hear(128 * USEC_PER_SEC);
	assert_true(bench.is_there);
	clock_move(60 * USEC_PER_SEC);
	hang_up();
	hear(0);
	assert_string_equal(bench.why,
		"the broker closed the connection: it was restarted, or another client has this client-id");
	hear(4 * USEC_PER_SEC);
	assert_true(bench.is_there);
}

/* ------------------------------------------------------------------------------------ traffic */

static int publish(unsigned *ret_id)
{
	return mqtt_publish(bench.mqtt, "t", "x", 1, MQTT_AT_LEAST_ONCE, false, ret_id);
}

static bool is_acknowledged(void)
{
	return bench.n_acknowledged > 0;
}

static bool is_ready(void)
{
	return bench.n_ready > 0;
}

static bool has_20(void)
{
	return bench.n_unacknowledged == 20;
}

static void away_is_said(void **state)
{
	unsigned id;

	(void)state;
	assert_int_equal(publish(&id), MQTT_AWAY);
	assert_int_equal(mqtt_subscribe(bench.mqtt, "t"), MQTT_AWAY);
}

static void what_arrived_is_told(void **state)
{
	unsigned id = 0;

	(void)state;
	hear(0);
	assert_int_equal(publish(&id), 0);
	assert_int_not_equal(id, 0);
	run_until(is_acknowledged);
	assert_int_equal(bench.n_acknowledged, 1);
	assert_int_equal(bench.acknowledged[0], id);
}

static void too_large_is_said(void **state)
{
	static const char large[1025];
	unsigned id;

	(void)state;
	hear(0);
	assert_int_equal(
		mqtt_publish(bench.mqtt, "t", large, 1024, MQTT_AT_LEAST_ONCE, false, &id), 0);
	assert_int_equal(mqtt_publish(bench.mqtt, "t", large, 1025, MQTT_AT_LEAST_ONCE, false, &id),
		MQTT_TOO_LARGE);
}

/* 20 under way are the most; one that arrives makes room for another. */
static void so_many_are_under_way(void **state)
{
	unsigned id = 0, ids[20];

	(void)state;
	bench.acknowledges = false;
	hear(0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(publish(&ids[i]), 0);
	assert_int_equal(publish(&id), MQTT_BUSY);
	run_until(has_20);
	assert_int_equal(bench.n_ready, 0);
	acknowledge(bench.unacknowledged[7]);
	run_until(is_ready);
	assert_int_equal(bench.acknowledged[0], ids[7]);
	assert_int_equal(publish(&id), 0);
	assert_int_equal(publish(&id), MQTT_BUSY);
}

/* With two a second: some at once, and then one each half second. */
static void the_rate_holds(void **state)
{
	unsigned id, n = 0;

	(void)state;
	bench.settings.rate = 2;
	hear(0);
	while (publish(&id) == 0)
		n++;
	assert_in_range(n, 2, 3);
	for (unsigned i = 0; i < 10; i++) {
		bench.n_ready = 0;
		clock_move(USEC_PER_SEC / 2);
		run_until(is_ready);
		assert_int_equal(publish(&id), 0);
		assert_int_equal(publish(&id), MQTT_BUSY);
	}
}

/* What is not acknowledged when the connection goes is nobody's here: room is there again. */
static void a_new_connection_has_room(void **state)
{
	unsigned id;

	(void)state;
	bench.acknowledges = false;
	hear(0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(publish(&id), 0);
	hang_up();
	hear(0);
	assert_false(bench.is_there);
	assert_int_equal(publish(&id), MQTT_AWAY);
	hear(4 * USEC_PER_SEC);
	assert_true(bench.is_there);
	assert_int_equal(publish(&id), 0);
	assert_int_equal(bench.n_acknowledged, 0);
}

/* Other settings, or another process, may have subscribed to more. */
static void the_first_connection_alone_ends_the_session_of_before(void **state)
{
	(void)state;
	bench.manner = REFUSES;
	hear(0);
	assert_true(bench.is_clean);
	bench.manner = TAKES;
	hear(4 * USEC_PER_SEC);
	assert_true(bench.is_there && bench.is_clean);
	hang_up();
	hear(0);
	hear(8 * USEC_PER_SEC);
	assert_true(bench.is_there);
	assert_false(bench.is_clean);
}

static bool is_granted(void)
{
	return bench.granted[0] != '\0';
}

/* As often as somebody asks: an answered one takes no room. */
static void a_granted_topic_is_told(void **state)
{
	char filter[64];

	(void)state;
	hear(0);
	for (unsigned i = 0; i < 200; i++) {
		bench.granted[0] = '\0';
		snprintf(filter, sizeof(filter), "a/%u", i);
		assert_int_equal(mqtt_subscribe(bench.mqtt, filter), 0);
		run_until(is_granted);
		assert_string_equal(bench.granted, filter);
	}
	assert_string_equal(bench.refused, "");
}

static bool is_refused(void)
{
	return bench.refused[0] != '\0';
}

static void a_refused_topic_is_told(void **state)
{
	(void)state;
	hear(0);
	bench.refuses_topics = true;
	assert_int_equal(mqtt_subscribe(bench.mqtt, "a/+"), 0);
	run_until(is_refused);
	assert_string_equal(bench.refused, "a/+");
	assert_true(bench.is_there);
}

static bool has_message(void)
{
	return bench.topic[0] != '\0';
}

static void a_message_is_heard(void **state)
{
	static const uint8_t packet[] = {PUBLISH | 1, 8, 0, 3, 'a', '/', 'b', 'y', 'e', 's'};

	(void)state;
	hear(0);
	answer(packet, sizeof(packet));
	run_until(has_message);
	assert_string_equal(bench.topic, "a/b");
	assert_string_equal(bench.message, "yes");
	assert_true(bench.is_retained);
}

/* ------------------------------------------------------------------------------------- bounds */

#define ROOM (2 * 1024 * 1024)

static unsigned long data_kib(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *from = fopen("/proc/self/status", "re");

	assert_non_null(from);
	while (fgets(line, sizeof(line), from) && sscanf(line, "VmData: %lu", &kib) != 1)
		;
	fclose(from);
	return kib;
}

/* Its acknowledgements are not read. */
static void send_whole(const uint8_t *packet, size_t n)
{
	size_t n_sent = 0;

	while (n_sent < n && bench.is_there) {
		ssize_t r = send(bench.peer, packet + n_sent, n - n_sent, MSG_NOSIGNAL);

		n_sent += r > 0 ? (size_t)r : 0;
		if (n_sent < n)
			assert_true(sd_event_run(bench.event, 5000) >= 0);
	}
}

/*
 * QoS 2: announced and never let go. fleet.c bounds what the process may take: the library finds no
 * memory then, and all that it held goes with the connection.
 */
static void messages_that_never_end_are_bounded(void **state)
{
	static uint8_t packet[8195] = {PUBLISH | 2 << 1, 0x80, 0x40, 0, 1, 'a'};
	struct rlimit before, limit;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	hear(0);
	assert_return_code(getrlimit(RLIMIT_DATA, &before), errno);
	limit = (struct rlimit){data_kib() * 1024 + ROOM, before.rlim_max};
	assert_return_code(setrlimit(RLIMIT_DATA, &limit), errno);
	for (unsigned id = 1; bench.is_there && id < UINT16_MAX; id++) {
		packet[6] = (uint8_t)(id >> 8);
		packet[7] = (uint8_t)id;
		send_whole(packet, sizeof(packet));
	}
	assert_return_code(setrlimit(RLIMIT_DATA, &before), errno);
	assert_false(bench.is_there);
	assert_string_equal(bench.why, "a message of many MiB came, or memory is short");
	hang_up();
	hear(4 * USEC_PER_SEC);
	assert_true(bench.is_there);
}

/* ---------------------------------------------------------------------------------------- end */

static bool is_at_end(void)
{
	return bench.is_eof;
}

static void goodbye_is_said(void **state)
{
	(void)state;
	hear(0);
	mqtt_close(bench.mqtt);
	hear(0);
	assert_false(bench.is_there);
	assert_string_equal(bench.why, "");
	run_until(is_at_end);
	assert_int_equal(bench.n_of[DISCONNECT], 1);
	/* And nothing follows. */
	assert_false(clock_move_to_next());
}

static void without_goodbye_the_will_stays(void **state)
{
	(void)state;
	hear(0);
	bench.mqtt = mqtt_free(bench.mqtt);
	run_until(is_at_end);
	assert_int_equal(bench.n_of[DISCONNECT], 0);
}

/* While it waits for the next try. */
static void goodbye_of_one_that_is_away(void **state)
{
	(void)state;
	bench.manner = CLOSES;
	hear(0);
	mqtt_close(bench.mqtt);
	hear(0);
	assert_string_equal(bench.why, "");
	assert_false(clock_move_to_next());
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	static struct CMUnitTest tests[32];
	static const struct CMUnitTest others[] = {
		TEST(silence_ends_after_30_s),
		TEST(tries_become_rare),
		TEST(a_stable_one_begins_anew),
		TEST(away_is_said),
		TEST(what_arrived_is_told),
		TEST(too_large_is_said),
		TEST(so_many_are_under_way),
		TEST(the_rate_holds),
		TEST(a_new_connection_has_room),
		TEST(the_first_connection_alone_ends_the_session_of_before),
		TEST(a_granted_topic_is_told),
		TEST(a_refused_topic_is_told),
		TEST(a_message_is_heard),
		TEST(messages_that_never_end_are_bounded),
		TEST(goodbye_is_said),
		TEST(without_goodbye_the_will_stays),
		TEST(goodbye_of_one_that_is_away),
	};
	size_t n = 0;

	/* As the main does. */
	signal(SIGPIPE, SIG_IGN);
	ADD_ROWS(tests, n, beginnings, begins);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		tests[n++] = others[i];
	return RUN_TESTS("mqtt", tests, n);
}
