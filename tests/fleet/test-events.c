/* SPDX-License-Identifier: MIT */
/*
 * test-events.c - what a gateway tells of itself, and each attempt once: over a broker that is
 * killed, an hour without network, and a service that restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "fleet/scene.h"

#define HOUR_MSEC (60 * 60 * 1000)

static void what_is_there_is_told(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, &(struct agent_setup){.n_units = 2});
	struct gateway *gateway = agent_gateway(agent);
	CLEANUP(freep) char *unit = NULL;

	assert_int_equal(text_format(&unit, "unit/%s/state", gateway_unit(gateway, 0)->unit), 0);
	assert_true(scene_hears(scene, agent, "slot/S1", "schema", "1"));
	assert_true(scene_hears(scene, agent, "slot/S2", "schema", "1"));
	assert_true(scene_hears(scene, agent, unit, "board", GATEWAY_BOARD));
	gateway_attempt(gateway, 0, OUTCOME_NO_SYNC);
	assert_true(scene_hears_attempts(scene, agent, 1));
	assert_true(scene_hears(scene, agent, unit, "outcome", "no-sync"));
	scene_judge_events(scene, agent, 1, false);
}

/* By the broker, from the will; and by the agent itself, with good-bye. */
static void one_that_goes_is_told_offline(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, NULL);

	child_end(agent_child(agent), SIGKILL);
	assert_true(scene_hears(scene, agent, "status", "status", "offline"));
	scene_start(scene, agent);
	scene_stop(scene, agent);
	assert_true(scene_hears(scene, agent, "status", "status", "offline"));
}

/* Events that are on their way when it is killed may come twice, with the same id and bytes. */
static void a_broker_that_is_killed_loses_no_event(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, &(struct agent_setup){.n_units = 4});
	struct gateway *gateway = agent_gateway(agent);

	broker_save(scene->broker);
	for (unsigned i = 0; i < 5; i++) {
		for (unsigned k = 0; k < 20; k++)
			gateway_attempt(gateway, k % 4, OUTCOME_CURRENT);
		/* Somewhere in the middle of them. */
		for (unsigned k = 0; k < 3 * i; k++)
			assert_true(sd_event_run(farm_event(scene->farm), USEC_PER_SEC) >= 0);
		broker_kill(scene->broker);
		for (unsigned k = 0; k < 20; k++)
			gateway_attempt(gateway, k % 4, OUTCOME_NO_SYNC);
		broker_start(scene->broker);
		assert_true(scene_hears_attempts(scene, agent, 1));
	}
	assert_int_equal(gateway_last_id(gateway), 200);
	scene_judge_events(scene, agent, 1, true);
	assert_true(scene_hears(scene, agent, "status", "status", "online"));
}

static void an_hour_without_network_loses_no_event(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, &(struct agent_setup){.n_units = 8});
	struct gateway *gateway = agent_gateway(agent);
	uint64_t begin;

	broker_save(scene->broker);
	broker_kill(scene->broker);
	for (unsigned i = 0; i < 1000; i++) {
		gateway_pass(gateway, HOUR_MSEC / 1000);
		gateway_attempt(gateway, i % 8, i % 10 ? OUTCOME_CURRENT : OUTCOME_PORT_GONE);
		farm_settle(scene->farm);
	}
	broker_start(scene->broker);
	begin = farm_now_msec();
	assert_true(scene_hears_attempts(scene, agent, 1));
	printf("# figure: 1000 attempts of an hour without network came within %" PRIu64 " ms\n",
		farm_now_msec() - begin);
	scene_judge_events(scene, agent, 1, false);
}

static void an_attempt_that_runs_holds_back_those_behind_it(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, &(struct agent_setup){.n_units = 2});
	struct gateway *gateway = agent_gateway(agent);

	gateway_attempt(gateway, 0, OUTCOME_CURRENT);
	gateway_hold_attempts(gateway);
	gateway_attempt(gateway, 1, OUTCOME_CURRENT);
	gateway_release_attempts(gateway);
	gateway_attempt(gateway, 0, OUTCOME_NO_SYNC);
	/* Everything that was told before this is told by then. */
	assert_true(scene_hears(scene, agent, "slot/S1", "outcome", "no-sync"));
	assert_int_equal(scene_count_events(scene, agent, 1), 1);
	assert_int_equal(scene_count_events(scene, agent, 3), 0);
	gateway_end_attempts(gateway);
	assert_true(scene_hears_attempts(scene, agent, 1));
	scene_judge_events(scene, agent, 1, false);
}

static void attempts_that_the_store_dropped_are_told_as_a_gap(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, NULL);
	struct gateway *gateway = agent_gateway(agent);

	gateway_attempt(gateway, 0, OUTCOME_CURRENT);
	assert_true(scene_hears_attempts(scene, agent, 1));
	scene_stop(scene, agent);
	for (unsigned i = 0; i < 20; i++)
		gateway_attempt(gateway, 0, OUTCOME_CURRENT);
	gateway_forget_attempts(gateway, 12);
	scene_start(scene, agent);
	assert_true(scene_hears_gap(scene));
	for (size_t i = 0; i < scene->n_events; i++) {
		const char *payload = scene->events[i].payload;

		if (!value_is(payload, "event", "gap"))
			continue;
		assert_int_equal(value_number(payload, "first"), 2);
		assert_int_equal(value_number(payload, "last"), 11);
	}
	assert_true(scene_hears_attempts(scene, agent, 12));
	assert_int_equal(scene_count_events(scene, agent, 1), 1);
}

static void a_restart_of_the_service_sends_nothing_twice(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, NULL);
	struct gateway *gateway = agent_gateway(agent);

	gateway_attempt(gateway, 0, OUTCOME_CURRENT);
	assert_true(scene_hears_attempts(scene, agent, 1));
	gateway_stop_service(gateway);
	farm_settle(scene->farm);
	gateway_start_service(gateway);
	gateway_attempt(gateway, 0, OUTCOME_NO_SYNC);
	assert_true(scene_hears_attempts(scene, agent, 1));
	/* And one of the agent, with a good end. */
	scene_stop(scene, agent);
	scene_start(scene, agent);
	gateway_attempt(gateway, 0, OUTCOME_CURRENT);
	assert_true(scene_hears_attempts(scene, agent, 1));
	scene_judge_events(scene, agent, 1, false);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(what_is_there_is_told),
	SCENE_TEST(one_that_goes_is_told_offline),
	SCENE_TEST(a_broker_that_is_killed_loses_no_event),
	SCENE_TEST(an_hour_without_network_loses_no_event),
	SCENE_TEST(an_attempt_that_runs_holds_back_those_behind_it),
	SCENE_TEST(attempts_that_the_store_dropped_are_told_as_a_gap),
	SCENE_TEST(a_restart_of_the_service_sends_nothing_twice),
};

SCENE_MAIN(tests)
