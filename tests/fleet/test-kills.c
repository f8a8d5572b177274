/* SPDX-License-Identifier: MIT */
/*
 * test-kills.c - agents that are killed at 200 instants, while events go up and an image comes
 * down: whenever that is, no image in the folder is half, the next start finishes what was begun,
 * and no event is lost or half.
 *
 * Instants are counted in calls that change something outside of the process (kill-preload.c), so
 * that the same are tried on a slow machine as on a fast one.
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

#include "base/text.h"
#include "fleet/scene.h"

#define INSTANTS 200 /* at least */
#define AT_ONCE	 4
#define UNITS	 2
#define ATTEMPTS 40
#define IMAGE	 250000

/* An agent on a host where something has happened already, and before it ever ran. */
static struct agent *make_host(struct scene *scene, const struct made_image *before)
{
	struct agent *agent =
		scene_make(scene, &(struct agent_setup){.n_units = UNITS, .holds = before});

	for (unsigned i = 0; i < ATTEMPTS; i++)
		gateway_attempt(agent_gateway(agent), i % UNITS, OUTCOME_NO_SYNC);
	return agent;
}

static void expect_done(struct scene *scene, struct agent *agent, unsigned long instant)
{
	char have[16];

	snprintf(have, sizeof(have), "%d", UNITS);
	if (!scene_hears_wish(scene, agent, "1.1.0", "have", have) ||
		!scene_hears_attempts(scene, agent, 1))
		fail_msg("killed at %lu: it does not go on", instant);
}

/* Calls of an agent that does all of it undisturbed. */
static unsigned long count_instants(struct scene *scene, const struct made_image *before)
{
	struct agent *agent = make_host(scene, before);
	CLEANUP(freep) char *path = farm_path(scene->farm, "count"), *count = NULL;
	unsigned long n = 0;
	FILE *f;

	assert_int_equal(text_format(&count, "KILL_COUNT=%s", path), 0);
	agent_start_killable(agent, count);
	expect_done(scene, agent, 0);
	assert_int_equal(kill(agent_child(agent)->pid, SIGTERM), 0);
	assert_true(child_wait(scene->farm, agent_child(agent), FARM_LONG));
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &n), 1);
	fclose(f);
	return n;
}

struct victim {
	struct agent *agent;
	unsigned long instant;
};

static void begin(struct victim *victim)
{
	char kill_at[48];

	snprintf(kill_at, sizeof(kill_at), "KILL_AT=%lu", victim->instant);
	agent_start_killable(victim->agent, kill_at);
}

struct reckoning {
	struct scene *scene;
	struct victim *victim;
};

/* It is killed, or has less to do than the one that was counted. */
static bool has_met_its_instant(void *userdata)
{
	const struct reckoning *reckoning = userdata;
	const struct agent *agent = reckoning->victim->agent;
	CLEANUP(freep) char *topic = NULL;
	const char *payload;

	if (!child_is_running(agent_child(reckoning->victim->agent)))
		return true;
	topic = agent_topic(agent, SCENE_WISH);
	payload = watcher_payload(reckoning->scene->watcher, topic);
	return payload && value_number(payload, "have") == UNITS &&
	       scene_count_events(reckoning->scene, agent, gateway_last_id(agent_gateway(agent))) >
		       0;
}

/* Whether it was killed. */
static bool meet(struct scene *scene, struct victim *victim)
{
	struct reckoning reckoning = {scene, victim};
	struct child *child = agent_child(victim->agent);

	if (!farm_wait(scene->farm, FARM_LONG, has_met_its_instant, &reckoning)) {
		scene_tell_of(victim->agent);
		fail_msg("to be killed at %lu: it neither dies nor gets on", victim->instant);
	}
	if (!child_is_running(child)) {
		assert_int_equal(child->status, SIGKILL);
		return true;
	}
	child_end(child, SIGKILL);
	return false;
}

/* Some agents at once, at this instant and the next ones. How many of them were killed. */
static unsigned kill_some(struct scene *scene, const struct made_image *before,
	const struct made_image *after, unsigned long instant, unsigned n)
{
	const struct made_image *const images[] = {after, NULL};
	struct victim victims[AT_ONCE];
	unsigned n_killed = 0;

	for (unsigned i = 0; i < n; i++) {
		victims[i] = (struct victim){make_host(scene, before), instant + i};
		begin(&victims[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		n_killed += meet(scene, &victims[i]);
		(void)scene_judge_images(victims[i].agent, images);
		agent_start(victims[i].agent, NULL);
	}
	for (unsigned i = 0; i < n; i++) {
		expect_done(scene, victims[i].agent, victims[i].instant);
		scene_judge_events(scene, victims[i].agent, 1, true);
		assert_int_equal(scene_judge_images(victims[i].agent, images), 1);
		child_end(agent_child(victims[i].agent), SIGKILL);
	}
	return n_killed;
}

static void killed_at_every_instant(void **state)
{
	struct scene *scene = *state;
	struct made_image before = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image after = signing_make(scene->signing, "1.1.0", "", IMAGE);
	unsigned long n_all;
	unsigned n_killed = 0;

	scene_offer(scene, &after);
	scene_wish(scene, NULL, &(struct desired){.image = &after, .percent = 100});
	n_all = count_instants(scene, &before);
	assert_true(n_all >= INSTANTS);
	for (unsigned long at = 1; at <= n_all; at += AT_ONCE)
		n_killed += kill_some(scene, &before, &after, at,
			n_all - at + 1 < AT_ONCE ? (unsigned)(n_all - at + 1) : AT_ONCE);
	printf("# figure: killed at %u of %lu calls that change something, from the start to the image\n",
		n_killed, n_all);
	/* How much is to be done differs a little, by what comes together and what does not. */
	assert_true(n_killed >= INSTANTS * 9 / 10);
	made_image_done(&before);
	made_image_done(&after);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(killed_at_every_instant),
};

SCENE_MAIN(tests)
