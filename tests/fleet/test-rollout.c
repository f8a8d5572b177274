/* SPDX-License-Identifier: MIT */
/*
 * test-rollout.c - a version goes to a part of a fleet, then to more of it, and to no further unit
 * where it does harm. Who takes part is computed here a second time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "fleet/scene.h"

#define GATEWAYS 6
#define UNITS	 20

/* ------------------------------------------------------------------------- who takes part */

/* FNV-1a and the last steps of MurmurHash3, as their makers publish them. */
static unsigned share_of(const char *unit)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *unit; unit++)
		hash = (hash ^ (unsigned char)*unit) * UINT64_C(1099511628211);
	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (unsigned)((hash ^ hash >> 33) % 10000);
}

static bool takes_part(const struct gateway *gateway, unsigned number, unsigned percent)
{
	return share_of(gateway_unit(gateway, number)->unit) < percent * 100;
}

/* Whether each unit of the fleet that is to have the new version has it, and no other. */
struct spread {
	const struct scene *scene;
	const char *before, *after;
	unsigned percent;
};

static bool is_spread(void *userdata)
{
	const struct spread *spread = userdata;

	for (size_t i = 0; i < spread->scene->n_agents; i++) {
		const struct gateway *gateway = agent_gateway(spread->scene->agents[i]);

		for (unsigned k = 0; k < gateway_count_units(gateway); k++) {
			bool is_meant = takes_part(gateway, k, spread->percent);

			if (strcmp(gateway_unit(gateway, k)->version,
				    is_meant ? spread->after : spread->before) != 0)
				return false;
		}
	}
	return true;
}

static unsigned count_meant(const struct scene *scene, unsigned percent)
{
	unsigned n = 0;

	for (size_t i = 0; i < scene->n_agents; i++)
		for (unsigned k = 0; k < gateway_count_units(agent_gateway(scene->agents[i])); k++)
			n += takes_part(agent_gateway(scene->agents[i]), k, percent);
	return n;
}

/* The fleet's owner wishes it for so many percent; each agent says so, and each unit follows. */
static void spread(struct scene *scene, const struct made_image *before,
	const struct made_image *after, unsigned percent)
{
	const struct spread wanted = {scene, before->version, after->version, percent};
	char text[16];

	snprintf(text, sizeof(text), "%u", percent);
	scene_wish(scene, NULL, &(struct desired){.image = after, .percent = (int)percent});
	for (size_t i = 0; i < scene->n_agents; i++) {
		assert_true(
			scene_hears_wish(scene, scene->agents[i], after->version, "percent", text));
		assert_true(scene_hears_wish(
			scene, scene->agents[i], after->version, "state", "offered"));
	}
	if (!farm_wait(scene->farm, FARM_LONG, is_spread, (void *)(uintptr_t)&wanted)) {
		scene_tell(scene);
		fail_msg("not the units of %u percent have it", percent);
	}
}

/* ---------------------------------------------------------------------------- scenarios */

static void a_version_goes_to_10_then_50_then_100_percent(void **state)
{
	struct scene *scene = *state;
	struct made_image before = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image after = signing_make(scene->signing, "1.1.0", "", 50000);
	static const unsigned steps[] = {10, 50, 100};

	for (unsigned i = 0; i < GATEWAYS; i++)
		scene_add(scene, &(struct agent_setup){.n_units = UNITS, .holds = &before});
	scene_offer(scene, &after);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		unsigned n = count_meant(scene, steps[i]);

		/* Some and not all, else the step shows nothing. */
		assert_true(n > 0 && (steps[i] == 100 || n < GATEWAYS * UNITS));
		spread(scene, &before, &after, steps[i]);
		printf("# figure: %u %% of %u units: %u\n", steps[i], GATEWAYS * UNITS, n);
	}
	for (size_t i = 0; i < scene->n_agents; i++) {
		struct agent *agent = scene->agents[i];

		/* Each unit was updated once. */
		assert_int_equal(gateway_last_id(agent_gateway(agent)), UNITS);
		assert_true(scene_hears_attempts(scene, agent, 1));
		scene_judge_events(scene, agent, 1, false);
	}
	assert_int_equal(web_requests(scene->web), GATEWAYS);
	made_image_done(&before);
	made_image_done(&after);
}

/* One unit after the other fails; behind the third no further one is begun. */
static void a_bad_image_pauses_at_the_threshold(void **state)
{
	struct scene *scene = *state;
	struct made_image good = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image bad = signing_make(scene->signing, "1.1.0", GATEWAY_BAD, 4096);
	struct made_image next = signing_make(scene->signing, "1.2.0", "", 4096);
	struct agent *agent = scene_add(
		scene, &(struct agent_setup){.n_units = UNITS,
			       .holds = &good,
			       .sections = "[rollout]\npause-after = 3\npause-share = 0\n"});
	struct gateway *gateway = agent_gateway(agent);

	scene_offer(scene, &bad);
	scene_offer(scene, &next);
	gateway_hold_attempts(gateway);
	gateway_limit_attempts(gateway, 1);
	scene_wish(scene, NULL, &(struct desired){.image = &bad, .percent = 100});
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "offered"));
	for (unsigned i = 1; i <= 3; i++) {
		char failed[16];

		snprintf(failed, sizeof(failed), "%u", i);
		gateway_look(gateway);
		assert_int_equal(gateway_count_running(gateway), 1);
		gateway_end_attempts(gateway);
		assert_true(scene_hears_wish(scene, agent, "1.1.0", "failed", failed));
	}
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "halted"));
	gateway_look(gateway);
	assert_int_equal(gateway_count_running(gateway), 0);
	assert_true(scene_said(agent, "1.1.0"));

	/* It stays so over a restart, and no word of the broker begins it again. */
	child_end(agent_child(agent), SIGKILL);
	scene_start(scene, agent);
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "halted"));
	gateway_look(gateway);
	assert_int_equal(gateway_count_attempts(gateway, OUTCOME_NOT_CONFIRMED), 3);
	assert_int_equal(gateway_count_version(gateway, "1.0.0"), UNITS);

	/* The next version is another matter. */
	gateway_release_attempts(gateway);
	gateway_limit_attempts(gateway, 0);
	scene_wish(scene, NULL, &(struct desired){.image = &next, .percent = 100});
	spread(scene, &good, &next, 100);
	made_image_done(&good);
	made_image_done(&bad);
	made_image_done(&next);
}

static void the_first_failure_of_an_only_unit_counts(void **state)
{
	struct scene *scene = *state;
	struct made_image good = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image bad = signing_make(scene->signing, "1.1.0", GATEWAY_BAD, 4096);
	struct agent *agent = scene_add(scene, &(struct agent_setup){.n_units = 1, .holds = &good});

	scene_offer(scene, &bad);
	scene_wish(scene, NULL, &(struct desired){.image = &bad, .percent = 100});
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "halted"));
	assert_int_equal(gateway_count_version(agent_gateway(agent), "1.0.0"), 1);
	made_image_done(&good);
	made_image_done(&bad);
}

static bool all_are(const struct scene *scene, const char *version)
{
	for (size_t i = 0; i < scene->n_agents; i++) {
		const struct gateway *gateway = agent_gateway(scene->agents[i]);

		if (gateway_count_version(gateway, version) != gateway_count_units(gateway))
			return false;
	}
	return true;
}

static bool all_have_new(void *userdata)
{
	return all_are(userdata, "1.1.0");
}

static void paused_stops_everywhere(void **state)
{
	struct scene *scene = *state;
	struct made_image before = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image after = signing_make(scene->signing, "1.1.0", "", 4096);

	for (unsigned i = 0; i < 3; i++)
		scene_add(scene, &(struct agent_setup){.n_units = 2, .holds = &before});
	scene_offer(scene, &after);
	/* It lies there, and no unit had its turn yet. */
	for (size_t i = 0; i < scene->n_agents; i++)
		gateway_stop_service(agent_gateway(scene->agents[i]));
	for (size_t i = 0; i < scene->n_agents; i++)
		gateway_start_service(agent_gateway(scene->agents[i]));
	scene_wish(
		scene, NULL, &(struct desired){.image = &after, .percent = 100, .is_paused = true});
	for (size_t i = 0; i < scene->n_agents; i++)
		assert_true(scene_hears_wish(scene, scene->agents[i], "1.1.0", "state", "paused"));
	for (size_t i = 0; i < scene->n_agents; i++)
		gateway_look(agent_gateway(scene->agents[i]));
	assert_true(all_are(scene, "1.0.0"));
	scene_wish(scene, NULL, &(struct desired){.image = &after, .percent = 100});
	assert_true(farm_wait(scene->farm, FARM_LONG, all_have_new, scene));
	made_image_done(&before);
	made_image_done(&after);
}

/* The gateway's own wins over the group's, and the group's comes again when that is taken back. */
static void a_wish_for_one_gateway_wins(void **state)
{
	struct scene *scene = *state;
	struct made_image before = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image all = signing_make(scene->signing, "1.1.0", "", 4096);
	struct made_image one = signing_make(scene->signing, "1.2.0", "", 4096);
	struct agent *first =
		scene_add(scene, &(struct agent_setup){.n_units = 1, .holds = &before});
	struct agent *second =
		scene_add(scene, &(struct agent_setup){.n_units = 1, .holds = &before});

	scene_offer(scene, &all);
	scene_offer(scene, &one);
	scene_wish(scene, first, &(struct desired){.image = &one, .percent = 100});
	assert_true(scene_hears_wish(scene, first, "1.2.0", "have", "1"));
	scene_wish(scene, NULL, &(struct desired){.image = &all, .percent = 100});
	assert_true(scene_hears_wish(scene, second, "1.1.0", "have", "1"));
	assert_true(scene_hears_wish(scene, first, "1.2.0", "group", "null"));
	scene_wish(scene, first, NULL);
	assert_true(scene_hears(scene, first, SCENE_WISH, "version", "1.1.0"));
	made_image_done(&before);
	made_image_done(&all);
	made_image_done(&one);
}

/* Nothing is fetched for a wish whose signature is another's. */
static void a_wish_that_nobody_signed_fetches_nothing(void **state)
{
	struct scene *scene = *state;
	struct made_image before = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image after = signing_make(scene->signing, "1.1.0", "", 4096);
	struct agent *agent =
		scene_add(scene, &(struct agent_setup){.n_units = 1, .holds = &before});

	scene_offer(scene, &after);
	free(after.signature);
	after.signature = strdup(before.signature);
	scene_wish(scene, NULL, &(struct desired){.image = &after, .percent = 100});
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "refused"));
	assert_int_equal(web_requests(scene->web), 0);
	made_image_done(&before);
	made_image_done(&after);
}

/* A server that cuts each connection: the rest is asked for, not all of it again. */
static void a_download_goes_on_where_it_was_cut(void **state)
{
	struct scene *scene = *state;
	struct made_image after = signing_make(scene->signing, "1.1.0", "", 100000);
	struct agent *agent = scene_add(scene, NULL);

	scene_offer(scene, &after);
	web_cut(scene->web, 60000);
	scene_wish(scene, NULL, &(struct desired){.image = &after, .percent = 100});
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "have", "1"));
	assert_int_equal(web_resumed(scene->web), 1);
	assert_int_equal(web_bytes(scene->web), 100000);
	made_image_done(&after);
}

/* What the broker sends is in the order in which it was published. */
static void a_group_that_is_none_any_more_is_not_heard(void **state)
{
	struct scene *scene = *state;
	struct agent *agent = scene_add(scene, NULL);
	CLEANUP(freep) char *command = agent_topic(agent, "cmd/last");
	CLEANUP(freep)
	char *file = farm_path(scene->farm, "%s/config/fleet.conf", agent_name(agent));

	farm_run(scene->farm,
		(const char *const[]){"sed", "-i", "s/^groups = all/groups = few/", file, NULL});
	assert_return_code(kill(agent_child(agent)->pid, SIGHUP), 0);
	publish(scene->farm, "plugflash/desired/group/few/" GATEWAY_BOARD, "{", true);
	assert_true(scene_hears(scene, agent, SCENE_WISH, "state", "refused"));
	publish(scene->farm, "plugflash/desired/group/all/" GATEWAY_BOARD, "{", false);
	publish(scene->farm, command, "{\"verb\": \"resume\", \"status\": \"init\"}", true);
	assert_true(scene_hears(scene, agent, "cmd/last", "status", "failed"));
	assert_false(scene_said(agent, "is passed over"));
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_version_goes_to_10_then_50_then_100_percent),
	SCENE_TEST(a_bad_image_pauses_at_the_threshold),
	SCENE_TEST(the_first_failure_of_an_only_unit_counts),
	SCENE_TEST(paused_stops_everywhere),
	SCENE_TEST(a_wish_for_one_gateway_wins),
	SCENE_TEST(a_wish_that_nobody_signed_fetches_nothing),
	SCENE_TEST(a_download_goes_on_where_it_was_cut),
	SCENE_TEST(a_group_that_is_none_any_more_is_not_heard),
};

SCENE_MAIN(tests)
