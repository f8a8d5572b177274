/* SPDX-License-Identifier: MIT */
/* test-fleet-hearing.c - when all that is retained at the broker has come, in virtual time; the
 * broker is this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "fleet/hearing.h"

#include "virtual-clock.h"

#define OWN	"plugflash/desired/gateway/gw1/+"
#define GROUP_A "plugflash/desired/group/a/+"
#define GROUP_B "plugflash/desired/group/b/+"
#define COMMAND "plugflash/gw1/cmd/+"

static char gateway[] = "gw1", group_a[] = "a", group_b[] = "b";
static char *groups[] = {group_a, group_b, NULL};

static sd_event *event;
static struct fleet_settings settings;
static struct hearing *hearing;
static char subscribed[400]; /* since the last look, with a blank behind each */
static char deaf[64];
static unsigned n_all;
static int subscribe_result;

int mqtt_subscribe(struct mqtt *mqtt, const char *filter)
{
	size_t n = strlen(subscribed);

	(void)mqtt;
	if (subscribe_result != 0)
		return subscribe_result;
	snprintf(subscribed + n, sizeof(subscribed) - n, "%s ", filter);
	return 0;
}

static void on_all(void *userdata)
{
	(void)userdata;
	n_all++;
}

static void on_deaf(void *userdata, const char *group)
{
	size_t n = strlen(deaf);

	(void)userdata;
	snprintf(deaf + n, sizeof(deaf) - n, "%s ", group ? group : "own");
}

static int set_up(void **state)
{
	const struct hearing_callbacks callbacks = {on_all, on_deaf};

	(void)state;
	settings = (struct fleet_settings){.gateway = gateway, .groups = groups, .n_groups = 2};
	assert_int_equal(topics_set_defaults(&settings.topics), 0);
	settings.topics.gateway = gateway;
	subscribed[0] = deaf[0] = '\0';
	n_all = 0;
	subscribe_result = 0;
	assert_true(sd_event_new(&event) >= 0);
	return hearing_new(event, NULL, &settings, &callbacks, NULL, &hearing);
}

static int tear_down(void **state)
{
	(void)state;
	hearing = hearing_free(hearing);
	topics_done(&settings.topics);
	event = sd_event_unref(event);
	return 0;
}

static void pass(uint64_t seconds)
{
	clock_move(seconds * USEC_PER_SEC);
	while (sd_event_run(event, 0) > 0)
		;
}

static void must_subscribe(const char *filters)
{
	assert_string_equal(subscribed, filters);
	subscribed[0] = '\0';
}

static void connect_and_answer(void)
{
	hearing_connected(hearing, true);
	must_subscribe(OWN " " GROUP_A " " GROUP_B " " COMMAND " ");
	hearing_subscribed(hearing, OWN, true);
	hearing_subscribed(hearing, GROUP_A, true);
	hearing_subscribed(hearing, GROUP_B, true);
	hearing_subscribed(hearing, COMMAND, true);
}

/* ------------------------------------------------------------------ scenes */

static void all_is_heard_once_it_is_quiet_and_the_broker_answered_after_that(void **state)
{
	(void)state;
	connect_and_answer();
	pass(59);
	must_subscribe("");
	pass(1);
	must_subscribe(COMMAND " ");
	pass(1000);
	assert_int_equal(n_all, 0);
	hearing_subscribed(hearing, COMMAND, true);
	assert_int_equal(n_all, 1);
	/* No second time without another connection. */
	hearing_message(hearing);
	pass(1000);
	must_subscribe("");
	assert_int_equal(n_all, 1);
	assert_string_equal(deaf, "");
	hearing_connected(hearing, false);
	connect_and_answer();
	pass(60);
	hearing_subscribed(hearing, COMMAND, true);
	assert_int_equal(n_all, 2);
}

/* A line so slow that the answer to the last subscription waits behind all that comes. */
static void nothing_is_concluded_before_the_broker_answered(void **state)
{
	(void)state;
	hearing_connected(hearing, true);
	must_subscribe(OWN " " GROUP_A " " GROUP_B " " COMMAND " ");
	hearing_subscribed(hearing, OWN, true);
	hearing_message(hearing);
	hearing_subscribed(hearing, GROUP_A, true);
	hearing_subscribed(hearing, GROUP_B, true);
	pass(10000);
	must_subscribe("");
	hearing_subscribed(hearing, COMMAND, true);
	pass(60);
	must_subscribe(COMMAND " ");
}

static void each_wish_that_comes_is_waited_for_another(void **state)
{
	(void)state;
	connect_and_answer();
	for (unsigned i = 0; i < 5; i++) {
		pass(50);
		hearing_message(hearing);
	}
	must_subscribe("");
	pass(60);
	must_subscribe(COMMAND " ");
	/* It stood still: one comes after all, before the answer does. */
	hearing_message(hearing);
	hearing_subscribed(hearing, COMMAND, true);
	assert_int_equal(n_all, 0);
	pass(60);
	must_subscribe(COMMAND " ");
	hearing_subscribed(hearing, COMMAND, true);
	assert_int_equal(n_all, 1);
}

/* The first answer says nothing of what was sent before the second. */
static void an_answer_to_the_question_before_is_none(void **state)
{
	(void)state;
	connect_and_answer();
	pass(60);
	hearing_message(hearing);
	pass(60);
	must_subscribe(COMMAND " " COMMAND " ");
	hearing_subscribed(hearing, COMMAND, true);
	assert_int_equal(n_all, 0);
	hearing_subscribed(hearing, COMMAND, true);
	assert_int_equal(n_all, 1);
}

static void a_lost_connection_says_nothing(void **state)
{
	(void)state;
	connect_and_answer();
	pass(30);
	hearing_connected(hearing, false);
	pass(1000);
	must_subscribe("");
	connect_and_answer();
	pass(60);
	must_subscribe(COMMAND " ");
	hearing_connected(hearing, false);
	hearing_subscribed(hearing, COMMAND, true);
	assert_int_equal(n_all, 0);
}

/* A broker whose rules have no commands, or not all groups: the other wishes are heard. */
static void a_refused_topic_says_nothing_of_its_own_wishes_alone(void **state)
{
	(void)state;
	hearing_connected(hearing, true);
	hearing_subscribed(hearing, OWN, true);
	hearing_subscribed(hearing, GROUP_A, true);
	hearing_subscribed(hearing, GROUP_B, false);
	hearing_subscribed(hearing, COMMAND, false);
	assert_string_equal(deaf, "b ");
	subscribed[0] = '\0';
	pass(60);
	must_subscribe(COMMAND " ");
	hearing_subscribed(hearing, COMMAND, false);
	assert_int_equal(n_all, 1);
	hearing_connected(hearing, true);
	hearing_subscribed(hearing, OWN, false);
	assert_string_equal(deaf, "b own ");
}

static void without_memory_nothing_is_concluded(void **state)
{
	(void)state;
	subscribe_result = -ENOMEM;
	hearing_connected(hearing, true);
	assert_string_equal(deaf, "own a b ");
	subscribe_result = 0;
	hearing_connected(hearing, false);
	connect_and_answer();
	subscribe_result = -ENOMEM;
	pass(60);
	assert_int_equal(n_all, 0);
	subscribe_result = 0;
	pass(60);
	must_subscribe(COMMAND " ");
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(all_is_heard_once_it_is_quiet_and_the_broker_answered_after_that),
		SCENE(nothing_is_concluded_before_the_broker_answered),
		SCENE(each_wish_that_comes_is_waited_for_another),
		SCENE(an_answer_to_the_question_before_is_none),
		SCENE(a_lost_connection_says_nothing),
		SCENE(a_refused_topic_says_nothing_of_its_own_wishes_alone),
		SCENE(without_memory_nothing_is_concluded),
	};

	log_open("test", LOG_TARGET_STDERR, LOG_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
