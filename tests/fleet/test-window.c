/* SPDX-License-Identifier: MIT */
/*
 * test-window.c - a wish that waits for a time: its image is fetched before, no unit has it before,
 * and it is offered by itself once the time has come. The clock of the agent is set ahead
 * (tests/scripts/clock-preload.c), so that its time is near.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "bed/enclosure.h"
#include "fleet/scene.h"

#define DAY_S	 (24 * 60 * 60)
#define LONG_S	 (2 * 60 * 60)
#define MOMENT_S 4 /* a start takes less, where nothing else has the machine */

/* The clock of the agent is so far ahead of the real one. */
static void start_ahead(struct scene *scene, struct agent *agent, int64_t ahead_s)
{
	char preload[4200], ahead[64];
	const char *const environment[] = {preload, ahead, "TZ=UTC", NULL};

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/clock-preload.so", enclosure_build());
	snprintf(ahead, sizeof(ahead), "CLOCK_AHEAD=%" PRId64, ahead_s);
	agent_start(agent, environment);
	assert_true(scene_hears(scene, agent, "status", "status", "online"));
}

static int64_t now_s(void)
{
	return wall_clock_msec() / 1000;
}

static bool has_new(void *userdata)
{
	return gateway_count_version(userdata, "1.1.0") == 1;
}

/* `wanted`: of what time it is, from `opens_s` on. */
static void comes_no_sooner(
	struct scene *scene, struct desired wanted, int64_t opens_s, const char *why)
{
	struct made_image before = signing_make(scene->signing, "1.0.0", "", 4096);
	struct made_image after = signing_make(scene->signing, "1.1.0", "", 4096);
	struct agent *agent =
		scene_make(scene, &(struct agent_setup){.n_units = 1, .holds = &before});
	struct gateway *gateway = agent_gateway(agent);
	int64_t ahead_s = opens_s - LONG_S - now_s();

	wanted.image = &after;
	wanted.percent = 100;
	scene_offer(scene, &after);
	start_ahead(scene, agent, ahead_s);
	scene_wish(scene, NULL, &wanted);
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "ready"));
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "reason", why));
	assert_int_equal(web_requests(scene->web), 1);
	gateway_look(gateway);
	assert_int_equal(gateway_last_id(gateway), 0);

	scene_stop(scene, agent);
	ahead_s = opens_s - MOMENT_S - now_s();
	start_ahead(scene, agent, ahead_s);
	if (!farm_wait(scene->farm, FARM_LONG, has_new, gateway)) {
		scene_tell_of(agent);
		fail_msg("it is not offered once its time has come");
	}
	assert_true(now_s() + ahead_s >= opens_s);
	assert_true(scene_hears_wish(scene, agent, "1.1.0", "state", "offered"));
	assert_int_equal(web_requests(scene->web), 1);
	made_image_done(&before);
	made_image_done(&after);
}

/* 22:00 of tomorrow, by UTC. */
static int64_t tomorrow_night_s(void)
{
	return (now_s() / DAY_S + 1) * DAY_S + INT64_C(22) * 60 * 60;
}

/* As a wish says it. */
static void show(int64_t moment_s, char to[static 32])
{
	time_t moment = (time_t)moment_s;
	struct tm at;

	assert_non_null(gmtime_r(&moment, &at));
	assert_true(strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &at) > 0);
}

static void not_before_its_time(void **state)
{
	int64_t opens_s = tomorrow_night_s();
	char moment[32], why[64];

	show(opens_s, moment);
	snprintf(why, sizeof(why), "not before %s", moment);
	comes_no_sooner(*state, (struct desired){.not_before = moment}, opens_s, why);
}

static void not_before_the_window_opens(void **state)
{
	int64_t opens_s = tomorrow_night_s();
	char moment[32], why[64];

	show(opens_s, moment);
	snprintf(why, sizeof(why), "the window opens at %s", moment);
	comes_no_sooner(*state, (struct desired){.window = "22:00-05:00"}, opens_s, why);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(not_before_its_time),
	SCENE_TEST(not_before_the_window_opens),
};

SCENE_MAIN(tests)
