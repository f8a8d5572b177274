/* SPDX-License-Identifier: MIT */
/* test-schema.c - what the real process sends, judged by the schemas of src/doc/fleet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "fleet/scene.h"

#define JUDGE "tests/fleet/judge-schema"

/* A document that came, for the judge. */
static void judge(struct scene *scene, const char *schema, const char *payload)
{
	CLEANUP(freep) char *path = farm_path(scene->farm, "document.json");
	CLEANUP(freep) char *description = NULL;

	assert_non_null(payload);
	assert_string_not_equal(payload, "");
	farm_write(path, payload, strlen(payload));
	assert_int_equal(text_format(&description, "src/doc/fleet/%s.json", schema), 0);
	farm_run(scene->farm, (const char *const[]){JUDGE, description, path, NULL});
}

static void judge_topic(
	struct scene *scene, struct agent *agent, const char *schema, const char *below)
{
	CLEANUP(freep) char *topic = agent_topic(agent, "%s", below);

	judge(scene, schema, watcher_payload(scene->watcher, topic));
}

static void judge_units(struct scene *scene, struct agent *agent)
{
	struct gateway *gateway = agent_gateway(agent);
	CLEANUP(freep) char *unit = NULL;

	assert_int_equal(text_format(&unit, "unit/%s/state", gateway_unit(gateway, 0)->unit), 0);
	assert_true(scene_hears(scene, agent, unit, "schema", "1"));
	judge_topic(scene, agent, "unit", unit);
}

static void a_gateway_is_told_as_described(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, &(struct agent_setup){.n_units = 2});
	struct gateway *gateway = agent_gateway(agent);

	judge_topic(scene, agent, "status", "status");
	assert_true(scene_hears(scene, agent, "slot/S1", "state", "done"));
	judge_topic(scene, agent, "slot", "slot/S1");
	judge_units(scene, agent);
	gateway_hold_attempts(gateway);
	gateway_attempt(gateway, 0, OUTCOME_NO_SYNC);
	assert_true(scene_hears(scene, agent, "slot/S1", "state", "working"));
	judge_topic(scene, agent, "slot", "slot/S1");
	judge_units(scene, agent);
	gateway_end_attempts(gateway);
	assert_true(scene_hears(scene, agent, "slot/S1", "outcome", "no-sync"));
	judge_topic(scene, agent, "slot", "slot/S1");
	judge_units(scene, agent);
	gateway_unplug(gateway, 1);
	assert_true(scene_hears(scene, agent, "slot/S2", "state", "empty"));
	judge_topic(scene, agent, "slot", "slot/S2");
}

static void a_status_without_a_service_or_a_gateway_is_as_described(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, NULL);
	CLEANUP(freep) char *topic = agent_topic(agent, "status");
	CLEANUP(freep) char *before = strdup(watcher_payload(scene->watcher, topic));

	gateway_stop_service(agent_gateway(agent));
	while (strcmp(watcher_payload(scene->watcher, topic), before) == 0)
		assert_true(sd_event_run(farm_event(scene->farm), UINT64_MAX) >= 0);
	judge(scene, "status", watcher_payload(scene->watcher, topic));
	child_end(agent_child(agent), SIGKILL);
	assert_true(scene_hears(scene, agent, "status", "status", "offline"));
	judge(scene, "status", watcher_payload(scene->watcher, topic));
}

static void events_are_told_as_described(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, NULL);
	struct gateway *gateway = agent_gateway(agent);

	gateway_attempt(gateway, 0, OUTCOME_CURRENT);
	gateway_attempt(gateway, 0, OUTCOME_VERIFY_DIFFERS);
	assert_true(scene_hears_attempts(scene, agent, 1));
	child_end(agent_child(agent), SIGTERM);
	for (unsigned i = 0; i < 5; i++)
		gateway_attempt(gateway, 0, OUTCOME_UPDATED);
	gateway_forget_attempts(gateway, 5);
	scene_start(scene, agent);
	assert_true(scene_hears_gap(scene));
	assert_true(scene_hears_attempts(scene, agent, 5));
	for (size_t i = 0; i < scene->n_events; i++)
		judge(scene, "event", scene->events[i].payload);
}

static void a_wish_and_what_is_made_of_it_are_as_described(void **state)
{
	struct scene *scene = *state;
	struct made_image image = signing_make(scene->signing, "1.1.0", "", 4096);
	const struct desired desired = {
		.image = &image, .url = "https://localhost/x", .percent = 50};
	struct agent *agent = scene_add(scene, &(struct agent_setup){.n_units = 2});
	CLEANUP(freep) char *text = desired_text(&desired);
	CLEANUP(freep) char *topic = NULL;

	judge(scene, "desired", text);
	scene_offer(scene, &image);
	scene_wish(scene, NULL, &(struct desired){.image = &image, .percent = 100});
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "offered"));
	judge_topic(scene, agent, "wish", SCENE_WISH);
	assert_int_equal(text_format(&topic, "plugflash/desired/gateway/%s/" GATEWAY_BOARD,
				 agent_name(agent)),
		0);
	publish(scene->farm, topic, "{\"board\": 7}", true);
	assert_true(scene_hears(scene, agent, SCENE_WISH, "state", "refused"));
	judge_topic(scene, agent, "wish", SCENE_WISH);
	made_image_done(&image);
}

static void a_command_is_answered_as_described(void **state)
{
	static const char command[] =
		"{\"verb\": \"pause\", \"why\": \"stocktaking\", \"status\": \"init\"}";
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene,
		&(struct agent_setup){.n_units = 1, .sections = "[commands]\nallow = pause\n"});
	CLEANUP(freep) char *topic = agent_topic(agent, "cmd/1");

	judge(scene, "command", command);
	publish(scene->farm, topic, command, true);
	assert_true(scene_hears(scene, agent, "cmd/1", "status", "successful"));
	judge_topic(scene, agent, "command", "cmd/1");
	publish(scene->farm, topic, "{\"verb\": \"erase\", \"status\": \"init\"}", true);
	assert_true(scene_hears(scene, agent, "cmd/1", "status", "failed"));
	judge_topic(scene, agent, "command", "cmd/1");
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_gateway_is_told_as_described),
	SCENE_TEST(a_status_without_a_service_or_a_gateway_is_as_described),
	SCENE_TEST(events_are_told_as_described),
	SCENE_TEST(a_wish_and_what_is_made_of_it_are_as_described),
	SCENE_TEST(a_command_is_answered_as_described),
};

SCENE_MAIN(tests)
