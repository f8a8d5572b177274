/* SPDX-License-Identifier: MIT */
/*
 * test-mute.c - a broker that stands still, with its connections open: it reads no more, takes new
 * ones, which the kernel does for it, and answers none of them. The gateway does its work, asks
 * with patience, keeps nothing in memory that waits, and has lost no event when it goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "fleet/scene.h"

#define UNITS	 8
#define ATTEMPTS 3000
/* A part of the events of so many attempts, each of some 700 bytes. */
#define GROWTH_KIB 1024
/* Of the processor, while it waits for half a minute. */
#define IDLE_MSEC 1000

struct said {
	const struct agent *agent;
	const char *text;
};

static bool is_said(void *userdata)
{
	const struct said *said = userdata;

	return scene_said(said->agent, said->text);
}

static void expect_said(struct scene *scene, const struct agent *agent, const char *text)
{
	struct said said = {agent, text};

	if (farm_wait(scene->farm, FARM_LONG, is_said, &said))
		return;
	scene_tell_of(agent);
	fail_msg("it does not say '%s'", text);
}

/* One whose broker has to show soon that it is there. */
static struct agent *start_agent(struct scene *scene, const struct made_image *holds)
{
	struct agent *agent = scene_make(
		scene, &(struct agent_setup){.n_units = UNITS,
			       .holds = holds,
			       .sections = "[rollout]\npause-after = 3\npause-share = 0\n"});
	CLEANUP(freep)
	char *file = farm_path(scene->farm, "%s/config/fleet.conf", agent_name(agent));

	farm_run(scene->farm, (const char *const[]){"sed", "-i",
				      "s/^retry = .*/&\\nkeep-alive = 5s/", file, NULL});
	scene_start(scene, agent);
	return agent;
}

/* Three units fail, and no further one is begun: for that nobody needs the broker. */
static void halt_by_itself(struct scene *scene, struct agent *agent)
{
	struct gateway *gateway = agent_gateway(agent);

	for (unsigned i = 0; i < 3; i++) {
		gateway_look(gateway);
		assert_int_equal(gateway_count_running(gateway), 1);
		gateway_end_attempts(gateway);
	}
	expect_said(scene, agent, "halted");
	gateway_look(gateway);
	assert_int_equal(gateway_count_running(gateway), 0);
	gateway_release_attempts(gateway);
}

static void happen(struct scene *scene, struct gateway *gateway)
{
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		gateway_attempt(gateway, i % UNITS, OUTCOME_NO_SYNC);
		farm_settle(scene->farm);
	}
}

static void the_gateway_goes_on(void **state)
{
	struct scene *scene = *state;
	struct made_image good = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image bad = signing_make(scene->signing, "1.1.0", GATEWAY_BAD, 4096);
	struct agent *agent = start_agent(scene, &good);
	struct gateway *gateway = agent_gateway(agent);
	const struct child *child = agent_child(agent);
	long before_kib, growth_kib;
	double cpu_msec;

	scene_offer(scene, &bad);
	gateway_hold_attempts(gateway);
	gateway_limit_attempts(gateway, 1);
	scene_wish(scene, NULL, &(struct desired){.image = &bad, .percent = 100});
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "offered"));
	broker_save(scene->broker);
	before_kib = child_private_kib(child);
	assert_int_equal(kill(broker_child(scene->broker)->pid, SIGSTOP), 0);

	halt_by_itself(scene, agent);
	happen(scene, gateway);
	expect_said(scene, agent, "the broker does not answer any more");
	cpu_msec = child_cpu_msec(child);
	expect_said(scene, agent, "the broker did not answer within 30 s");
	cpu_msec = child_cpu_msec(child) - cpu_msec;
	growth_kib = child_private_kib(child) - before_kib;
	printf("# figure: %d attempts while the broker was mute: %ld KiB more, %.0f ms of the processor in half a minute\n",
		ATTEMPTS, growth_kib, cpu_msec);
	assert_true(growth_kib < GROWTH_KIB);
	assert_true(cpu_msec < IDLE_MSEC);

	assert_int_equal(kill(broker_child(scene->broker)->pid, SIGCONT), 0);
	assert_true(scene_hears_attempts(scene, agent, 1));
	scene_judge_events(scene, agent, 1, true);
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "halted"));
	assert_true(scene_hears(scene, agent, "status", "status", "online"));
	made_image_done(&good);
	made_image_done(&bad);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(the_gateway_goes_on),
};

SCENE_MAIN(tests)
