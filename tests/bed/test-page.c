/* SPDX-License-Identifier: MIT */
/*
 * The real service and the real plugflash-web, started by its socket: what a screen and a program
 * see of boards over HTTP, and of a service that stops and comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/stage.h"

#define ADDRESS "127.0.0.1:8474"

/* The enclosure's network has an interface of its own, which is down. */
static void bring_network_up(void)
{
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static pid_t begin_page(struct bed *bed)
{
	const char *build = getenv("BUILD");
	char program[4096];
	const char *const page[] = {"systemd-socket-activate", "-l", ADDRESS, "-E", ENV_BUS_ADDRESS,
		program, "--page", "src/web/page", NULL};

	snprintf(program, sizeof(program), "%s/plugflash-web", build ? build : "build");
	return bed_spawn(bed, page);
}

static void end(struct bed *bed, pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
}

/* All of that file of the bed's directory; "" where there is none. */
static char *read_all(struct bed *bed, const char *name)
{
	char path[256], *text;
	size_t n = 0;
	CLEANUP(fclosep) FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", bed_directory(bed), name);
	text = calloc(1, 4 * 1024 * 1024);
	assert_non_null(text);
	f = fopen(path, "re");
	if (f)
		n = fread(text, 1, 4 * 1024 * 1024 - 1, f);
	text[n] = '\0';
	return text;
}

/* curl until it is through; what came, for free(). It asks until the socket is there. */
static char *get(struct bed *bed, const char *address, const char *method)
{
	char url[256], file[256];
	const char *const curl[] = {"curl", "--silent", "--retry", "50", "--retry-connrefused",
		"--retry-delay", "1", "--request", method, "--output", file, url, NULL};
	pid_t pid;
	int status;

	snprintf(url, sizeof(url), "http://" ADDRESS "%s", address);
	snprintf(file, sizeof(file), "%s/answer", bed_directory(bed));
	(void)remove(file);
	pid = bed_spawn(bed, curl);
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
	return read_all(bed, "answer");
}

static pid_t begin_events(struct bed *bed)
{
	char file[256];
	const char *const curl[] = {"curl", "--silent", "--no-buffer", "--retry", "50",
		"--retry-connrefused", "--retry-delay", "1", "--output", file,
		"http://" ADDRESS "/api/events", NULL};

	snprintf(file, sizeof(file), "%s/events", bed_directory(bed));
	return bed_spawn(bed, curl);
}

/* Until the last document that came has the text. */
static void await_event(struct bed *bed, const char *text)
{
	uint64_t begin = monotonic_usec();

	for (;;) {
		CLEANUP(freep) char *events = read_all(bed, "events");
		const char *last = NULL;

		for (const char *at = events; (at = strstr(at, "\ndata: {")); at++)
			last = at;
		if (last && strstr(last, text))
			return;
		if (monotonic_usec() - begin > BED_LONG * UINT64_C(1000))
			fail_msg("no event has '%s'; the last: %s", text, last ? last : "none");
		bed_run(bed, 20);
	}
}

static void expect_has(struct bed *bed, const char *address, const char *method, const char *text)
{
	CLEANUP(freep) char *answer = get(bed, address, method);

	if (!strstr(answer, text))
		fail_msg("%s %s has no '%s': %s", method, address, text, answer);
}

static void a_screen_sees_a_board_from_plug_in_to_its_end(void **state)
{
	struct stage *stage = *state;
	struct bed *bed = stage->bed;
	struct bed_unit *unit;
	pid_t page, screen;

	bring_network_up();
	bed_write_config(
		bed, "boards.d/20.conf", "[slot left]\npath = pci-0000:00:14.0-usb-0:2:1.0\n");
	stage_start(stage);
	page = begin_page(bed);
	screen = begin_events(bed);
	await_event(bed, "\"light\": \"idle\"");
	await_event(bed, "\"slot\": \"left\"");
	unit = bed_plug(bed, &(struct bed_board){.serial = "A1", .path = "1-2", .is_paced = true});
	await_event(bed, "\"light\": \"working\"");
	await_event(bed, "\"image\": \"gate-1.0.0.hex\"");
	expect_outcome(unit, "updated");
	await_event(bed, "\"light\": \"good\"");
	await_event(bed, "\"first_pass\": 1");
	bed_unplug(unit);
	await_event(bed, "\"light\": \"idle\"");
	end(bed, screen);
	end(bed, page);
}

static void the_history_is_the_newest_and_the_metrics_count(void **state)
{
	struct stage *stage = *state;
	struct bed *bed = stage->bed;
	CLEANUP(freep) char *answer = NULL;
	struct bed_unit *unit;
	json_t *json, *row;
	json_int_t id;
	pid_t page, screen;

	bring_network_up();
	stage_start(stage);
	page = begin_page(bed);
	screen = begin_events(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	unit = bed_plug(bed, &(struct bed_board){.serial = "A2"});
	expect_outcome(unit, "updated");
	answer = get(bed, "/api/history?limit=1", "GET");
	json = json_loads(answer, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "attempts")), 1);
	row = json_array_get(json_object_get(json, "attempts"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "usb_serial")), "A2");
	assert_string_equal(json_string_value(json_object_get(row, "outcome")), "updated");
	id = json_integer_value(json_object_get(row, "id"));
	assert_true(id > 1);
	json_decref(json);
	/* Behind the first one, by its id. */
	expect_has(bed, "/api/history?after=1&limit=1", "GET", "\"A2\"");
	expect_has(bed, "/api/history?slot=nowhere", "GET", "{\"attempts\": []}");
	/* The store has an outcome before the bus, of which the page has its counts. */
	await_event(bed, "\"first_pass\": 2");
	await_event(bed, "\"light\": \"good\"");
	expect_has(bed, "/metrics", "GET", "\nplugflash_today_boards{result=\"first_pass\"} 2\n");
	expect_has(bed, "/metrics", "GET", "\nplugflash_today_jobs{outcome=\"updated\"} 2\n");
	expect_has(bed, "/metrics", "GET", "\nplugflash_bridges 1\n");
	/* There is no polkit here, and nobody may steer. */
	expect_has(bed, "/api/may", "GET", "\"retry\": false");
	expect_has(bed, "/api/retry?board=gate", "POST", "the page may only look");
	end(bed, screen);
	end(bed, page);
}

static void a_screen_sees_the_service_stop_and_come_back(void **state)
{
	struct stage *stage = *state;
	struct bed *bed = stage->bed;
	pid_t page, screen;

	bring_network_up();
	stage_start(stage);
	page = begin_page(bed);
	screen = begin_events(bed);
	await_event(bed, "\"state\": \"running\"");
	expect_good_stop(bed);
	await_event(bed, "\"there\": false");
	expect_has(bed, "/api/history", "GET", "\"error\"");
	stage_start(stage);
	await_event(bed, "\"state\": \"running\"");
	end(bed, screen);
	end(bed, page);
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(a_screen_sees_a_board_from_plug_in_to_its_end),
	STAGE_TEST(the_history_is_the_newest_and_the_metrics_count),
	STAGE_TEST(a_screen_sees_the_service_stop_and_come_back),
};

SCENE_MAIN(tests)
