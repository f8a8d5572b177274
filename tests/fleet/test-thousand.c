/* SPDX-License-Identifier: MIT */
/*
 * test-thousand.c - a thousand agents against one broker, of which each has a wish soon after it
 * was published. On a machine with less memory there are fewer; FLEET_AGENTS says another number.
 *
 * How long it takes is told. What is demanded is processor time: a machine that stands still or
 * does other work meanwhile changes nothing of that. With as many cores as it has, and nothing
 * else to do, all have the wish within ten seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/text.h"
#include "fleet/agent.h"
#include "fleet/watcher.h"
#include "fleet/web.h"

#define AGENTS		1000
#define AGENT_KIB	(6 * 1024) /* an agent, its share of the broker's and of the test's */
#define STARTED_AT_ONCE 40
#define WITHIN_SEC	10
#define LONG		(5 * FARM_LONG) /* against hanging, for a crowd */

struct host {
	struct agent *agent;
	bool is_online, has_wish, has_image;
};

struct crowd {
	struct farm *farm;
	struct broker *broker;
	struct signing *signing;
	struct watcher *watcher;
	struct web *web;
	char *certificates;
	struct host *hosts;
	unsigned n_hosts, n_started, n_online, n_wishes, n_images;
};

static unsigned choose_number(void)
{
	const char *wanted = getenv("FLEET_AGENTS");
	unsigned long kib = 0;
	uint32_t n = AGENTS;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	if (wanted && parse_u32(wanted, &n) == 0 && n > 0) {
		if (f)
			fclose(f);
		return n;
	}
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "MemAvailable: %lu", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib / AGENT_KIB < AGENTS ? (unsigned)(kib / AGENT_KIB) : AGENTS;
}

/* ----------------------------------------------------------------------------- what is heard */

static void note(bool *is_so, unsigned *n)
{
	*n += !*is_so;
	*is_so = true;
}

static void on_heard(void *userdata, const char *topic, const char *payload)
{
	struct crowd *crowd = userdata;
	struct host *host;
	unsigned number;

	if (sscanf(topic, "plugflash/gw-%u/", &number) != 1 || number >= crowd->n_hosts)
		return;
	host = &crowd->hosts[number];
	if (text_ends_with(topic, "/status") && value_is(payload, "status", "online"))
		note(&host->is_online, &crowd->n_online);
	if (!text_ends_with(topic, "/wish/" GATEWAY_BOARD) ||
		!value_is(payload, "version", "1.1.0"))
		return;
	note(&host->has_wish, &crowd->n_wishes);
	if (value_number(payload, "have") == 1)
		note(&host->has_image, &crowd->n_images);
}

static bool has_room(void *userdata)
{
	const struct crowd *crowd = userdata;

	return crowd->n_started - crowd->n_online < STARTED_AT_ONCE;
}

static bool all_online(void *userdata)
{
	const struct crowd *crowd = userdata;

	return crowd->n_online == crowd->n_hosts;
}

static bool all_have_wish(void *userdata)
{
	const struct crowd *crowd = userdata;

	return crowd->n_wishes == crowd->n_hosts;
}

static bool all_have_image(void *userdata)
{
	const struct crowd *crowd = userdata;

	return crowd->n_images == crowd->n_hosts;
}

/* -------------------------------------------------------------------------- begin and end */

static int set_up(void **state)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	crowd->n_hosts = choose_number();
	crowd->hosts = calloc(crowd->n_hosts, sizeof(*crowd->hosts));
	crowd->farm = farm_new();
	crowd->broker = broker_new(crowd->farm);
	crowd->signing = signing_new(crowd->farm);
	crowd->certificates = farm_folder(crowd->farm, "certificates");
	broker_make_certificate(crowd->broker, BROKER_ANY, crowd->certificates);
	broker_start(crowd->broker);
	crowd->watcher = watcher_new(crowd->farm, "owner", on_heard, crowd);
	crowd->web = web_new(crowd->farm);
	*state = crowd;
	return 0;
}

static int tear_down(void **state)
{
	struct crowd *crowd = *state;

	for (unsigned i = 0; i < crowd->n_hosts; i++)
		if (crowd->hosts[i].agent && child_is_running(agent_child(crowd->hosts[i].agent)))
			(void)kill(agent_child(crowd->hosts[i].agent)->pid, SIGKILL);
	for (unsigned i = 0; i < crowd->n_hosts; i++)
		agent_free(crowd->hosts[i].agent);
	web_free(crowd->web);
	watcher_free(crowd->watcher);
	broker_free(crowd->broker);
	signing_free(crowd->signing);
	free(crowd->certificates);
	farm_free(crowd->farm);
	free(crowd->hosts);
	free(crowd);
	return 0;
}

static void start_all(struct crowd *crowd, const struct made_image *before)
{
	for (unsigned i = 0; i < crowd->n_hosts; i++) {
		char name[32];

		snprintf(name, sizeof(name), "gw-%u", i);
		crowd->hosts[i].agent =
			agent_new(crowd->farm, &(struct agent_setup){.name = name,
						       .certificate = BROKER_ANY,
						       .certificates = crowd->certificates,
						       .broker = crowd->broker,
						       .signing = crowd->signing,
						       .n_units = 1,
						       .holds = before});
		if (!farm_wait(crowd->farm, LONG, has_room, crowd))
			fail_msg("%u of %u come online", crowd->n_online, crowd->n_started);
		agent_start(crowd->hosts[i].agent, NULL);
		crowd->n_started++;
	}
	if (!farm_wait(crowd->farm, LONG, all_online, crowd))
		fail_msg("%u of %u come online", crowd->n_online, crowd->n_started);
}

/* ------------------------------------------------------------------------------- figures */

static double agents_msec(const struct crowd *crowd)
{
	double sum = 0;

	for (unsigned i = 0; i < crowd->n_hosts; i++)
		sum += child_cpu_msec(agent_child(crowd->hosts[i].agent));
	return sum;
}

static double own_msec(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (double)usec_of(&now) / (double)USEC_PER_MSEC;
}

/* Of agents, broker, and those who play owner, gateways and web server. */
static double all_msec(const struct crowd *crowd)
{
	return agents_msec(crowd) + child_cpu_msec(broker_child(crowd->broker)) +
	       watcher_cpu_msec(crowd->watcher) + own_msec();
}

static void tell_one(const struct crowd *crowd)
{
	printf("# figure: one agent: %ld KiB of its own, %.1f ms of processor time to come online\n",
		child_private_kib(agent_child(crowd->hosts[crowd->n_hosts / 2].agent)),
		agents_msec(crowd) / crowd->n_hosts);
	printf("# figure: the broker: %ld KiB\n", child_private_kib(broker_child(crowd->broker)));
}

static void all_have_a_wish_soon(void **state)
{
	struct crowd *crowd = *state;
	struct made_image before = signing_make(crowd->signing, "1.0.0", "", 4096);
	struct made_image after = signing_make(crowd->signing, "1.1.0", "", 4096);
	CLEANUP(freep) char *url = web_address(after.name);
	CLEANUP(freep)
	char *payload =
		desired_text(&(struct desired){.image = &after, .url = url, .percent = 100});
	uint64_t begin = farm_now_msec(), wished, heard;
	double spent, agents;

	web_offer(crowd->web, after.name, after.sha256, after.data, after.n_data);
	start_all(crowd, &before);
	printf("# figure: %u agents online within %" PRIu64 " ms\n", crowd->n_hosts,
		farm_now_msec() - begin);
	tell_one(crowd);
	spent = all_msec(crowd);
	agents = agents_msec(crowd);
	wished = farm_now_msec();
	publish(crowd->farm, "plugflash/desired/group/all/" GATEWAY_BOARD, payload, true);
	if (!farm_wait(crowd->farm, LONG, all_have_wish, crowd))
		fail_msg("%u of %u have the wish", crowd->n_wishes, crowd->n_hosts);
	spent = all_msec(crowd) - spent;
	heard = farm_now_msec();
	printf("# figure: %u agents had the wish within %" PRIu64
	       " ms, by %.0f ms of processor time\n",
		crowd->n_hosts, heard - wished, spent);
	assert_true(spent < WITHIN_SEC * 1000.0 * (double)sysconf(_SC_NPROCESSORS_ONLN));
	if (!farm_wait(crowd->farm, LONG, all_have_image, crowd))
		fail_msg("%u of %u units have the image", crowd->n_images, crowd->n_hosts);
	printf("# figure: %u units had the image within %" PRIu64
	       " ms; %.1f ms of processor time of an agent\n",
		crowd->n_hosts, farm_now_msec() - wished,
		(agents_msec(crowd) - agents) / crowd->n_hosts);
	made_image_done(&before);
	made_image_done(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_have_a_wish_soon, set_up, tear_down),
	};

	farm_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
