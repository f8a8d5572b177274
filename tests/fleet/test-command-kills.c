/* SPDX-License-Identifier: MIT */
/*
 * test-command-kills.c - agents that are killed at each of their instants (kill-preload.c) while a
 * command waits for them, is done and is answered: whenever that is, the next start answers it, and
 * the service was asked for it once at the most.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fleet/scene.h"

#define AT_ONCE	 4
#define IDENTIFY "{\"verb\": \"identify\", \"slot\": \"S1\", \"status\": \"init\"}"
#define PAUSE	 "{\"verb\": \"pause\", \"status\": \"init\"}"

/* One for which a command waits at the broker. */
static struct agent *make_host(struct scene *scene)
{
	struct agent *agent =
		scene_make(scene, &(struct agent_setup){.n_units = 1,
					  .sections = "[commands]\nallow = identify, pause\n"});

	scene_command(scene, agent, "a", IDENTIFY);
	return agent;
}

struct victim {
	struct scene *scene;
	struct agent *agent;
	unsigned long instant;
};

static bool has_status(const struct victim *victim, const char *status)
{
	CLEANUP(freep) char *topic = agent_topic(victim->agent, "cmd/a");
	const char *payload = watcher_payload(victim->scene->watcher, topic);

	return payload && value_is(payload, "status", status);
}

/* The board shows itself for no longer than until somebody looks. */
static bool is_answered(void *userdata)
{
	const struct victim *victim = userdata;

	gateway_end_attempts(agent_gateway(victim->agent));
	return has_status(victim, "successful") || has_status(victim, "failed");
}

static bool is_over(void *userdata)
{
	const struct victim *victim = userdata;

	return !child_is_running(agent_child(victim->agent)) || is_answered(userdata);
}

static void expect(struct victim *victim, bool (*is_done)(void *userdata), const char *what)
{
	if (farm_wait(victim->scene->farm, FARM_LONG, is_done, victim))
		return;
	scene_tell_of(victim->agent);
	fail_msg("to be killed at %lu: it is not %s", victim->instant, what);
}

/* Instants of an agent that does it undisturbed, from its start to its end. */
static unsigned long count_instants(struct scene *scene)
{
	struct victim victim = {scene, make_host(scene), 0};
	CLEANUP(freep) char *path = farm_path(scene->farm, "count"), *count = NULL;
	unsigned long n = 0;
	FILE *f;

	assert_int_equal(text_format(&count, "KILL_COUNT=%s", path), 0);
	agent_start_killable(victim.agent, count);
	expect(&victim, is_answered, "answered");
	assert_true(has_status(&victim, "successful"));
	scene_stop(scene, victim.agent);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &n), 1);
	fclose(f);
	return n;
}

/* A command behind it is done by then, so that nothing of the first is still to come. */
static void judge(struct victim *victim)
{
	struct scene *scene = victim->scene;
	unsigned n_calls;
	bool is_well;

	expect(victim, is_answered, "answered");
	is_well = has_status(victim, "successful");
	scene_command(scene, victim->agent, "last", PAUSE);
	assert_true(scene_hears(scene, victim->agent, "cmd/last", "status", "successful"));
	n_calls = gateway_count_calls(agent_gateway(victim->agent), "Identify");
	if (n_calls > 1 || (is_well && n_calls == 0) || has_status(victim, "successful") != is_well)
		fail_msg("killed at %lu: %s, and asked for %u times", victim->instant,
			is_well ? "successful" : "failed", n_calls);
	child_end(agent_child(victim->agent), SIGKILL);
}

static unsigned kill_some(struct scene *scene, unsigned long instant, unsigned n)
{
	struct victim victims[AT_ONCE];
	unsigned n_killed = 0;

	for (unsigned i = 0; i < n; i++) {
		char kill_at[48];

		victims[i] = (struct victim){scene, make_host(scene), instant + i};
		snprintf(kill_at, sizeof(kill_at), "KILL_AT=%lu", victims[i].instant);
		agent_start_killable(victims[i].agent, kill_at);
	}
	for (unsigned i = 0; i < n; i++) {
		struct child *child = agent_child(victims[i].agent);

		expect(&victims[i], is_over, "over");
		n_killed += !child_is_running(child);
		child_end(child, SIGKILL);
		agent_start(victims[i].agent, NULL);
	}
	for (unsigned i = 0; i < n; i++)
		judge(&victims[i]);
	return n_killed;
}

static void killed_at_every_instant(void **state)
{
	struct scene *scene = *state;
	unsigned long n_all = count_instants(scene);
	unsigned n_killed = 0;

	for (unsigned long at = 1; at <= n_all; at += AT_ONCE)
		n_killed += kill_some(
			scene, at, n_all - at + 1 < AT_ONCE ? (unsigned)(n_all - at + 1) : AT_ONCE);
	printf("# figure: killed at %u of %lu calls that change something, from the start to the end\n",
		n_killed, n_all);
	/* Those of the end are not reached. */
	assert_true(n_killed >= n_all / 2);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(killed_at_every_instant),
};

SCENE_MAIN(tests)
