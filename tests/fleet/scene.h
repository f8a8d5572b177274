/* SPDX-License-Identifier: MIT */
/*
 * scene.h - what a scenario of the fleet begins with, and what it asks: a broker, an owner who
 * hears everything, a web server, a key, and agents that are added one by one. Only tests include
 * it, after cmocka.
 */
#pragma once

#include "fleet/agent.h"
#include "fleet/broker.h"
#include "fleet/farm.h"
#include "fleet/gateway.h"
#include "fleet/signing.h"
#include "fleet/watcher.h"
#include "fleet/web.h"

/* What came over the topic `event` of a gateway. */
struct scene_event {
	char gateway[32];
	int64_t id; /* of an attempt; 0: it is no attempt */
	char *payload;
};

struct scene {
	struct farm *farm;
	struct broker *broker;
	struct signing *signing;
	struct watcher *watcher;
	struct web *web;
	char *certificates;
	struct agent **agents;
	size_t n_agents;
	struct scene_event *events; /* in their order */
	size_t n_events;
};

/* For cmocka: `*state` becomes the scene; broker, watcher and web server run. */
int scene_set_up(void **state);
int scene_tear_down(void **state);
#define SCENE_TEST(f) cmocka_unit_test_setup_teardown(f, scene_set_up, scene_tear_down)

/*
 * One more host, "gw-1" and so on, with a certificate of its own; its agent runs and its status is
 * "online". Of the setup the number of units, what they hold, and further keys count; NULL: one
 * unit, of which nothing is known.
 */
struct agent *scene_add(struct scene *scene, const struct agent_setup *setup);

/* The same with the certificate of BROKER_ANY, without starting it. */
struct agent *scene_make(struct scene *scene, const struct agent_setup *setup);

/* Starts an agent that does not run, and waits until its status is "online". */
void scene_start(struct scene *scene, struct agent *agent);

/* SIGTERM ends it with status 0. */
void scene_stop(struct scene *scene, struct agent *agent);

/* The image is found at the web server from now on. */
void scene_offer(struct scene *scene, const struct made_image *image);

/* Publishes a wish for the group of all, or for one gateway alone; NULL: takes it back. Without a
 * url it is to be had from the scene's web server. */
void scene_wish(struct scene *scene, const struct agent *agent, const struct desired *desired);

/* Publishes a command for the agent, under that id. */
void scene_command(
	struct scene *scene, const struct agent *agent, const char *id, const char *payload);

/* Waits until that key of a topic of the agent has this value. False: not in time. */
bool scene_hears(struct scene *scene, const struct agent *agent, const char *below, const char *key,
	const char *value);
/* The same of the topic of its wish, for this version: a state of before does not count. */
bool scene_hears_wish(struct scene *scene, const struct agent *agent, const char *version,
	const char *key, const char *value);
#define SCENE_WISH "wish/" GATEWAY_BOARD

/* Events of that gateway with that id that came so far. */
unsigned scene_count_events(const struct scene *scene, const struct agent *agent, int64_t id);
/* Waits until each attempt up to its last has come. */
bool scene_hears_attempts(struct scene *scene, const struct agent *agent, int64_t first);
/* Waits until attempts that the store has no more were told as a gap. */
bool scene_hears_gap(struct scene *scene);

/*
 * Demands that each attempt of the agent from `first` on has come in the order of ids, and whole.
 * `may_repeat`: a second copy is the same to the byte, and comes from the first that is repeated on
 * in order again; without it there is none.
 */
void scene_judge_events(
	const struct scene *scene, const struct agent *agent, int64_t first, bool may_repeat);

/* Demands that what is an image in the agent's folder is whole, as its maker made it, with manifest
 * and signature. How many there are. */
unsigned scene_judge_images(const struct agent *agent, const struct made_image *const images[]);

/* Whether the log of the agent has that text. */
bool scene_said(const struct agent *agent, const char *text);

/* For a test that failed: the end of the log of one agent, and of the first ones. */
void scene_tell_of(const struct agent *agent);
void scene_tell(const struct scene *scene);

/* The main() of a test program. */
#define SCENE_MAIN(tests)                                         \
	int main(void)                                            \
	{                                                         \
		farm_enter();                                     \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}
