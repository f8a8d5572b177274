/* SPDX-License-Identifier: MIT */
/*
 * Whom a download believes: certificates, names, versions of TLS, and http that goes to nobody but
 * this machine. And what is told where the broker's certificate is not accepted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/parse.h"
#include "fleet/mqtt.h"
#include "unit/fetch-bench.h"

/* `known` shows a certificate for 127.0.0.1, `other` one for another host, `choosy` wants one. */
static struct server known, other, choosy, plain;

static char path_known[300], path_other[300], path_client[300], path_client_key[300];

static void offer(const struct server *server, const struct bench *bench)
{
	server_offer(server, bench->image, IMAGE_BYTES, 0);
}

struct row {
	const char *name;
	const struct server *server;
	char *ca, *certificate, *key;
	const char *expected; /* in the reason; NULL: it comes whole */
};

static void a_certificate_is_asked_for_and_judged(void **state)
{
	struct row rows[] = {
		{"known", &known, path_known, NULL, NULL, NULL},
		{"known, and a client's beside it", &known, path_known, path_client,
			path_client_key, NULL},
		{"signed by somebody else", &known, path_other, NULL, NULL,
			"the server's certificate is not accepted"},
		{"signed by nobody whom the system knows", &known, NULL, NULL, NULL,
			"look at ca of [download], and at the clock of this gateway"},
		{"of another host", &other, path_other, NULL, NULL,
			"the server's certificate is not accepted"},
		{"no client's", &choosy, path_known, NULL, NULL, "after 0 of 200000 bytes"},
		{"a client's", &choosy, path_known, path_client, path_client_key, NULL},
		{"a stranger's", &choosy, path_known, path_known, NULL, "after 0 of 200000 bytes"},
		{"a ca that is none", &known, path_client_key, NULL, NULL,
			"ca, certificate or key of [download]"},
		{"a key that is none", &choosy, path_known, path_client, path_known,
			"ca, certificate or key of [download]"},
	};
	char key[300];
	(void)state;

	snprintf(key, sizeof(key), "%s/known.key", folder);
	rows[7].key = key;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = bench_new();
		struct download *download;
		struct download_view view;

		offer(rows[i].server, bench);
		bench->settings.plain_http = false;
		bench->settings.ca = rows[i].ca;
		bench->settings.certificate = rows[i].certificate;
		bench->settings.key = rows[i].key;
		download = bench_ask(bench, rows[i].server, "");
		view = run_try(bench, download);
		if (rows[i].expected
				? view.n_bytes > 0 || !strstr(view.reason->text, rows[i].expected)
				: view.state != DOWNLOAD_WHOLE)
			fail_msg("%s: '%s'", rows[i].name, view.reason->text);
		if (!rows[i].expected)
			assert_whole(bench, download);
		download_forget(download);
		bench_free(bench);
	}
}

/* Goes on over TLS as well, in pieces that end without the farewell of TLS. */
static void a_cut_download_goes_on_over_tls(void **state)
{
	struct bench *bench = bench_new();
	struct download *download;
	(void)state;

	offer(&known, bench);
	bench->settings.ca = path_known;
	download = bench_ask(bench, &known, "cut=90000");
	assert_int_equal(run_try(bench, download).n_bytes, 90000);
	assert_int_equal(run_try(bench, download).n_bytes, 180000);
	assert_int_equal(run_try(bench, download).state, DOWNLOAD_WHOLE);
	assert_whole(bench, download);
	download_forget(download);
	bench_free(bench);
}

/* By a redirect, too, no byte is asked for by http. */
static void https_does_not_lead_to_http(void **state)
{
	struct bench *bench = bench_new();
	struct download *download;
	struct download_view view;
	char manner[200];
	CLEANUP(freep) char *heads = NULL;
	(void)state;

	offer(&plain, bench);
	bench->settings.plain_http = false;
	bench->settings.ca = path_known;
	snprintf(manner, sizeof(manner), "to=%s/" IMAGE, plain.address);
	download = bench_ask(bench, &known, manner);
	view = run_try(bench, download);
	assert_non_null(strstr(view.reason->text, "leads to another address that is not https"));
	download_forget(download);
	download = bench_ask(bench, &plain, "");
	assert_int_equal(look(download).state, DOWNLOAD_REFUSED);
	download_forget(download);
	heads = server_heads(&plain);
	assert_string_equal(heads, "");
	bench_free(bench);
}

/* ------------------------------------------------------------------ http */

/* A socket that listens on an address of this machine that others may have, too; -1: it has none.
 */
static int listen_outside(struct sockaddr_in *ret_address)
{
	struct ifaddrs *list;
	int fd = -1;

	assert_int_equal(getifaddrs(&list), 0);
	for (const struct ifaddrs *i = list; i && fd < 0; i = i->ifa_next) {
		socklen_t n = sizeof(*ret_address);

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
			(i->ifa_flags & IFF_LOOPBACK))
			continue;
		memcpy(ret_address, i->ifa_addr, n);
		ret_address->sin_port = 0;
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		assert_true(fd >= 0);
		assert_int_equal(bind(fd, (struct sockaddr *)ret_address, n), 0);
		assert_int_equal(listen(fd, 4), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &n), 0);
	}
	freeifaddrs(list);
	return fd;
}

/* It is connected to, and nothing is said: neither directly nor where a server leads there. */
static void http_goes_to_this_machine_alone(void **state)
{
	struct sockaddr_in address;
	int listener = listen_outside(&address);
	char outside[64], host[INET_ADDRSTRLEN], manner[3][200];
	const struct server *servers[] = {NULL, &plain, &known};
	(void)state;

	if (listener < 0)
		skip();
	inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host));
	snprintf(outside, sizeof(outside), "http://%s:%u", host, ntohs(address.sin_port));
	manner[0][0] = '\0';
	snprintf(manner[1], sizeof(manner[1]), "to=%s/" IMAGE, outside);
	snprintf(manner[2], sizeof(manner[2]), "to=%s/" IMAGE, outside);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		struct bench *bench = bench_new();
		struct download *download;
		struct download_view view;
		char byte;
		int fd;

		bench->settings.ca = path_known;
		download = bench_ask_for(
			bench, servers[i] ? servers[i]->address : outside, manner[i], IMAGE_BYTES);
		view = run_try(bench, download);
		if (!strstr(view.reason->text, "http is taken from a loopback address alone"))
			fail_msg("%zu: '%s'", i, view.reason->text);
		fd = accept(listener, NULL, NULL);
		assert_true(fd >= 0);
		assert_int_equal(read(fd, &byte, 1), 0);
		close(fd);
		download_forget(download);
		bench_free(bench);
	}
	close(listener);
}

/* ------------------------------------------------------------------ the broker */

static void on_presence(void *userdata, bool is_there, const char *why)
{
	assert_false(is_there);
	text_copy(userdata, TEXT_MAX, why);
}

/* Of a web server: it does not come as far as MQTT. */
static void a_broker_that_is_not_accepted_is_told_with_what_to_look_at(void **state)
{
	static const struct mqtt_callbacks callbacks = {.on_presence = on_presence};
	const struct {
		const struct server *server;
		char *ca;
	} rows[] = {{&known, path_other}, {&other, path_other}};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fleet_broker settings = {.host = (char *)"127.0.0.1",
			.is_tls = true,
			.ca = rows[i].ca,
			.client_id = (char *)"gw",
			.keep_alive_usec = 60 * USEC_PER_SEC,
			.retry_usec = 4 * USEC_PER_SEC,
			.message_most = 1024};
		const char *port = strrchr(rows[i].server->address, ':') + 1;
		char told[TEXT_MAX] = "";
		struct mqtt *mqtt = NULL;
		sd_event *event = NULL;
		uint64_t number;

		assert_int_equal(parse_digits(&port, 10, &number), 0);
		settings.port = (uint16_t)number;
		assert_true(sd_event_new(&event) >= 0);
		assert_int_equal(
			mqtt_new(event, &settings, "will", "gone", &callbacks, told, &mqtt), 0);
		while (!told[0]) {
			assert_true(sd_event_run(event, ROUND_USEC) >= 0);
			clock_move(USEC_PER_MSEC);
		}
		assert_string_equal(told,
			"TLS: certificate verify failed: look at ca of [broker], at the name in uri, and at the clock of this gateway");
		mqtt_free(mqtt);
		sd_event_unref(event);
	}
}

static void set_path(char to[static 300], const char *name)
{
	snprintf(to, 300, "%s/%s", folder, name);
}

static int set_up(void **state)
{
	int r = folder_make(state);

	signal(SIGPIPE, SIG_IGN);
	if (r != 0)
		return r;
	make_certificate("known", "IP:127.0.0.1");
	make_certificate("other", "DNS:other.example");
	make_certificate("client", "DNS:gateway");
	set_path(path_known, "known.pem");
	set_path(path_other, "other.pem");
	set_path(path_client, "client.pem");
	set_path(path_client_key, "client.key");
	known = server_start("tls", "known", NULL);
	other = server_start("strange", "other", NULL);
	choosy = server_start("mutual", "known", "client");
	plain = server_start("plain", NULL, NULL);
	return 0;
}

static int tear_down(void **state)
{
	server_stop(&known);
	server_stop(&other);
	server_stop(&choosy);
	server_stop(&plain);
	return folder_remove(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_asked_for_and_judged),
		cmocka_unit_test(a_cut_download_goes_on_over_tls),
		cmocka_unit_test(https_does_not_lead_to_http),
		cmocka_unit_test(http_goes_to_this_machine_alone),
		cmocka_unit_test(a_broker_that_is_not_accepted_is_told_with_what_to_look_at),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
