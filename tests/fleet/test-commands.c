/* SPDX-License-Identifier: MIT */
/*
 * test-commands.c - commands through a real broker: answered in their place, refused, done once
 * over a restart, and failed where the process ended before them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "fleet/scene.h"

#define RETRY	 "{\"verb\": \"retry\", \"board\": \"gate\", \"status\": \"init\"}"
#define PAUSE	 "{\"verb\": \"pause\", \"status\": \"init\"}"
#define IDENTIFY "{\"verb\": \"identify\", \"slot\": \"S2\", \"status\": \"init\"}"
#define ALLOWED                                                                           \
	&(struct agent_setup)                                                             \
	{                                                                                 \
		.n_units = 2, .sections = "[commands]\nallow = pause, resume, identify\n" \
	}

static void is_answered(
	struct scene *scene, struct agent *agent, const char *below, const char *status)
{
	if (!scene_hears(scene, agent, below, "status", status)) {
		scene_tell_of(agent);
		fail_msg("%s: not %s", below, status);
	}
}

/* The reason of the answer that stands there has this in it. */
static void has_reason(
	struct scene *scene, struct agent *agent, const char *below, const char *part)
{
	CLEANUP(freep) char *topic = agent_topic(agent, "%s", below);
	char reason[VALUE_MAX];

	value_of(watcher_payload(scene->watcher, topic), "reason", reason);
	if (!strstr(reason, part))
		fail_msg("%s: '%s' has no '%s'", below, reason, part);
}

static void a_command_is_answered_in_its_place(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, ALLOWED);

	scene_command(scene, agent, "a", PAUSE);
	is_answered(scene, agent, "cmd/a", "successful");
	/* The same id once more. */
	scene_command(scene, agent, "a", "{\"verb\": \"resume\", \"status\": \"init\"}");
	assert_true(scene_hears(scene, agent, "cmd/a", "verb", "resume"));
	is_answered(scene, agent, "cmd/a", "successful");
	assert_true(scene_said(agent, "command 'a': pause begins"));
	assert_true(scene_said(agent, "command 'a': resume begins"));
}

static void a_command_is_refused(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, ALLOWED);

	scene_command(scene, agent, "a", RETRY);
	is_answered(scene, agent, "cmd/a", "failed");
	has_reason(scene, agent, "cmd/a", "retry: not allowed on this gateway");
	scene_command(
		scene, agent, "b", "{\"verb\": \"pause\", \"unit\": \"1\", \"status\": \"init\"}");
	is_answered(scene, agent, "cmd/b", "failed");
	has_reason(scene, agent, "cmd/b", "pause: it takes board");
	scene_command(scene, agent, "c", "{}");
	is_answered(scene, agent, "cmd/c", "failed");
	/* Refused it is not begun, and the next one is. */
	scene_command(scene, agent, "d", PAUSE);
	is_answered(scene, agent, "cmd/d", "successful");
	assert_false(scene_said(agent, "retry begins"));
}

static bool is_under_way(void *userdata)
{
	return gateway_count_running(userdata) == 1;
}

/* The service has the port for as long as the board shows itself. */
static void a_board_shows_itself(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, ALLOWED);
	struct gateway *gateway = agent_gateway(agent);

	scene_command(scene, agent, "a", IDENTIFY);
	assert_true(farm_wait(scene->farm, FARM_LONG, is_under_way, gateway));
	is_answered(scene, agent, "cmd/a", "executing");
	gateway_end_attempts(gateway);
	is_answered(scene, agent, "cmd/a", "successful");
	assert_int_equal(gateway_count_calls(gateway, "Identify"), 1);
	scene_command(scene, agent, "b",
		"{\"verb\": \"identify\", \"slot\": \"S3\", \"status\": \"init\"}");
	is_answered(scene, agent, "cmd/b", "failed");
	has_reason(scene, agent, "cmd/b", "no board that fits is plugged in");
	scene_command(scene, agent, "c",
		"{\"verb\": \"identify\", \"board\": \"gate\", \"status\": \"init\"}");
	is_answered(scene, agent, "cmd/c", "failed");
	has_reason(scene, agent, "cmd/c", "identify: it takes unit or slot");
	assert_int_equal(gateway_count_calls(gateway, "Identify"), 1);
}

/* One that waits at the broker is done when the process comes; one that it has begun before is not
 * begun again. */
static void a_restart_does_none_twice(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, ALLOWED);

	child_end(agent_child(agent), SIGKILL);
	scene_command(scene, agent, "waits", PAUSE);
	scene_command(scene, agent, "begun",
		"{\"schema\": 1, \"verb\": \"resume\", \"status\": \"executing\", \"units\": 0}");
	scene_command(scene, agent, "ended",
		"{\"schema\": 1, \"verb\": \"resume\", \"status\": \"successful\", \"units\": 0}");
	scene_command(scene, agent, "others", "{\"verb\": \"resume\", \"status\": \"scheduled\"}");
	scene_start(scene, agent);
	is_answered(scene, agent, "cmd/waits", "successful");
	is_answered(scene, agent, "cmd/begun", "failed");
	has_reason(scene, agent, "cmd/begun", "started anew");
	assert_true(scene_hears(scene, agent, "cmd/ended", "status", "successful"));
	assert_true(scene_hears(scene, agent, "cmd/others", "status", "scheduled"));
	assert_false(scene_said(agent, "resume begins"));
}

/* Up to here everything is done that could be: the broker keeps the order. */
static void settle(struct scene *scene, struct agent *agent)
{
	scene_command(scene, agent, "last", PAUSE);
	is_answered(scene, agent, "cmd/last", "successful");
}

/* It is answered by the next process, which does not begin it again. */
static void a_kill_in_the_midst_of_one_is_told(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, ALLOWED);
	struct gateway *gateway = agent_gateway(agent);

	scene_command(scene, agent, "a", IDENTIFY);
	assert_true(farm_wait(scene->farm, FARM_LONG, is_under_way, gateway));
	is_answered(scene, agent, "cmd/a", "executing");
	child_end(agent_child(agent), SIGKILL);
	scene_start(scene, agent);
	is_answered(scene, agent, "cmd/a", "failed");
	has_reason(scene, agent, "cmd/a", "started anew");
	gateway_end_attempts(gateway);
	settle(scene, agent);
	is_answered(scene, agent, "cmd/a", "failed");
	assert_int_equal(gateway_count_calls(gateway, "Identify"), 1);
}

/* It waits at the broker for who is down, and no later start does it again. */
static void one_that_waited_is_done_once(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, ALLOWED);
	struct gateway *gateway = agent_gateway(agent);

	child_end(agent_child(agent), SIGKILL);
	scene_command(scene, agent, "a", IDENTIFY);
	scene_start(scene, agent);
	assert_true(farm_wait(scene->farm, FARM_LONG, is_under_way, gateway));
	gateway_end_attempts(gateway);
	is_answered(scene, agent, "cmd/a", "successful");
	child_end(agent_child(agent), SIGKILL);
	scene_start(scene, agent);
	settle(scene, agent);
	is_answered(scene, agent, "cmd/a", "successful");
	assert_int_equal(gateway_count_calls(gateway, "Identify"), 1);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_command_is_answered_in_its_place),
	SCENE_TEST(a_command_is_refused),
	SCENE_TEST(a_board_shows_itself),
	SCENE_TEST(a_restart_does_none_twice),
	SCENE_TEST(a_kill_in_the_midst_of_one_is_told),
	SCENE_TEST(one_that_waited_is_done_once),
};

SCENE_MAIN(tests)
