/* SPDX-License-Identifier: MIT */
/*
 * test-gateway.c - the gateways that are not there, judged by the client that page, command and
 * agent share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "api/client.h"
#include "base/names.h"
#include "fleet/farm.h"
#include "fleet/gateway.h"
#include "fleet/signing.h"

struct fixture {
	struct farm *farm;
	struct signing *signing;
	struct gateway *gateway;
	struct client *client;
	unsigned n_ended;
	char outcome[32], version[64];
	struct client_answer answer;
	bool has_answer;
};

static void on_job_removed(
	void *userdata, const char *path, const char *outcome, const struct dict *report)
{
	struct fixture *fixture = userdata;

	(void)path;
	fixture->n_ended++;
	snprintf(fixture->outcome, sizeof(fixture->outcome), "%s", outcome);
	snprintf(fixture->version, sizeof(fixture->version), "%s", dict_text(report, "version"));
}

static const struct client_callbacks callbacks = {.on_job_removed = on_job_removed};

static bool is_there(void *userdata)
{
	const struct fixture *fixture = userdata;

	return client_presence(fixture->client) == CLIENT_THERE;
}

static bool is_away(void *userdata)
{
	const struct fixture *fixture = userdata;

	return client_presence(fixture->client) == CLIENT_NO_SERVICE;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	CLEANUP(freep) char *folder = NULL;

	fixture->answer.fd = -1;
	fixture->farm = farm_new();
	fixture->signing = signing_new(fixture->farm);
	folder = farm_folder(fixture->farm, "gw");
	fixture->gateway = gateway_new(
		farm_event(fixture->farm), &(struct gateway_setup){.name = "gw",
						   .folder = folder,
						   .trusted_keys = signing_keys(fixture->signing),
						   .n_units = 2});
	assert_int_equal(setenv(ENV_BUS_ADDRESS, gateway_address(fixture->gateway), 1), 0);
	assert_int_equal(
		client_new(farm_event(fixture->farm), &callbacks, fixture, &fixture->client), 0);
	assert_true(farm_wait(fixture->farm, FARM_LONG, is_there, fixture));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	client_answer_done(&fixture->answer);
	client_free(fixture->client);
	gateway_free(fixture->gateway);
	signing_free(fixture->signing);
	farm_free(fixture->farm);
	free(fixture);
	return 0;
}

static bool has_answer(void *userdata)
{
	const struct fixture *fixture = userdata;

	return fixture->has_answer;
}

static void on_reply(void *userdata, struct client_answer *answer)
{
	struct fixture *fixture = userdata;

	client_answer_done(&fixture->answer);
	fixture->answer = *answer;
	*answer = (struct client_answer){.fd = -1};
	fixture->has_answer = true;
}

static const struct client_answer *ask(
	struct fixture *fixture, const char *method, uint64_t after, uint32_t most)
{
	const struct client_call call = {.kind = CLIENT_MANAGER, .method = method};

	fixture->has_answer = false;
	assert_int_equal(
		client_call(fixture->client, &call, on_reply, fixture, "tu", after, most), 0);
	assert_true(farm_wait(fixture->farm, FARM_LONG, has_answer, fixture));
	return &fixture->answer;
}

static const struct client_answer *ask_newest(struct fixture *fixture)
{
	CLEANUP(dict_done) struct dict options = {0};
	const struct client_call call = {
		.kind = CLIENT_MANAGER, .method = "ListAttempts", .options = &options};

	assert_int_equal(dict_set_flag(&options, "newest", true), 0);
	fixture->has_answer = false;
	assert_int_equal(client_call(fixture->client, &call, on_reply, fixture, "tu", UINT64_C(0),
				 (uint32_t)1),
		0);
	assert_true(farm_wait(fixture->farm, FARM_LONG, has_answer, fixture));
	return &fixture->answer;
}

static const char *bridge_text(struct fixture *fixture, unsigned number, const char *name)
{
	const struct client_object *bridge = NULL;

	do
		bridge = client_next(fixture->client, CLIENT_BRIDGE, bridge);
	while (bridge && number-- > 0);
	assert_non_null(bridge);
	return dict_text(&bridge->properties, name);
}

static void the_mirror_has_what_is_plugged_in(void **state)
{
	struct fixture *fixture = *state;
	const struct client_object *slot = client_next(fixture->client, CLIENT_SLOT, NULL);

	assert_string_equal(dict_text(client_manager(fixture->client), "State"), "running");
	assert_int_equal(dict_number(client_manager(fixture->client), "Bridges"), 2);
	assert_string_equal(
		bridge_text(fixture, 1, "Unit"), gateway_unit(fixture->gateway, 1)->unit);
	assert_string_equal(dict_text(&slot->properties, "Name"), "S1");
	assert_null(client_next(fixture->client, CLIENT_JOB, NULL));
}

static bool has_three(void *userdata)
{
	const struct fixture *fixture = userdata;
	const struct client_object *bridge = NULL;
	unsigned n = 0;

	while ((bridge = client_next(fixture->client, CLIENT_BRIDGE, bridge)))
		n++;
	return n == 3;
}

static bool has_two(void *userdata)
{
	return !has_three(userdata);
}

static void a_unit_comes_and_goes(void **state)
{
	struct fixture *fixture = *state;
	unsigned number = gateway_plug(fixture->gateway);

	assert_true(farm_wait(fixture->farm, FARM_LONG, has_three, fixture));
	gateway_unplug(fixture->gateway, number);
	assert_true(farm_wait(fixture->farm, FARM_LONG, has_two, fixture));
}

static bool has_ended(void *userdata)
{
	const struct fixture *fixture = userdata;

	return fixture->n_ended > 0;
}

static bool has_job(void *userdata)
{
	const struct fixture *fixture = userdata;

	return client_next(fixture->client, CLIENT_JOB, NULL) != NULL;
}

static void an_attempt_is_told_and_listed(void **state)
{
	struct fixture *fixture = *state;
	const struct client_answer *answer;

	gateway_hold_attempts(fixture->gateway);
	assert_int_equal(gateway_attempt(fixture->gateway, 0, OUTCOME_NO_SYNC), 1);
	assert_true(farm_wait(fixture->farm, FARM_LONG, has_job, fixture));
	answer = ask(fixture, "ListAttempts", 0, 0);
	assert_int_equal(answer->n_rows, 1);
	assert_null(dict_find(&answer->rows[0], "ended"));
	gateway_end_attempts(fixture->gateway);
	assert_true(farm_wait(fixture->farm, FARM_LONG, has_ended, fixture));
	assert_string_equal(fixture->outcome, "no-sync");
	assert_string_equal(bridge_text(fixture, 0, "LastOutcome"), "no-sync");
	answer = ask(fixture, "ListAttempts", 0, 0);
	assert_int_equal(dict_long(&answer->rows[0], "id"), 1);
	assert_string_equal(dict_text(&answer->rows[0], "outcome"), "no-sync");
}

static void attempts_come_by_pages(void **state)
{
	struct fixture *fixture = *state;
	const struct client_answer *answer;

	for (unsigned i = 0; i < 300; i++)
		gateway_attempt(fixture->gateway, i % 2, OUTCOME_CURRENT);
	gateway_forget_attempts(fixture->gateway, 50);
	answer = ask(fixture, "ListAttempts", 0, 0);
	assert_int_equal(answer->n_rows, 200);
	assert_int_equal(dict_long(&answer->rows[0], "id"), 50);
	answer = ask(fixture, "ListAttempts", 249, 0);
	assert_int_equal(answer->n_rows, 51);
	answer = ask_newest(fixture);
	assert_int_equal(answer->n_rows, 1);
	assert_int_equal(dict_long(&answer->rows[0], "id"), 300);
	answer = ask(fixture, "ListUnits", 1, 0);
	assert_int_equal(answer->n_rows, 1);
	assert_string_equal(
		dict_text(&answer->rows[0], "unit"), gateway_unit(fixture->gateway, 1)->unit);
}

static void the_service_restarts(void **state)
{
	struct fixture *fixture = *state;

	gateway_stop_service(fixture->gateway);
	assert_true(farm_wait(fixture->farm, FARM_LONG, is_away, fixture));
	gateway_start_service(fixture->gateway);
	assert_true(farm_wait(fixture->farm, FARM_LONG, is_there, fixture));
}

static bool hold_it(void *userdata)
{
	const struct fixture *fixture = userdata;

	return gateway_count_version(fixture->gateway, "2.0.0") == 2 &&
	       strcmp(bridge_text((struct fixture *)userdata, 1, "LastOutcome"), "updated") == 0;
}

static void an_image_that_is_placed_reaches_all_units(void **state)
{
	struct fixture *fixture = *state;
	struct made_image image = signing_make(fixture->signing, "2.0.0", "", 4096);

	signing_place(&image, gateway_images(fixture->gateway));
	assert_true(farm_wait(fixture->farm, FARM_LONG, hold_it, fixture));
	assert_string_equal(gateway_unit(fixture->gateway, 0)->sha256, image.sha256);
	assert_int_equal(gateway_count_attempts(fixture->gateway, OUTCOME_UPDATED), 2);
	made_image_done(&image);
}

static bool have_failed(void *userdata)
{
	const struct fixture *fixture = userdata;

	return gateway_count_attempts(fixture->gateway, OUTCOME_NOT_CONFIRMED) == 2;
}

static void a_bad_image_is_left_again(void **state)
{
	struct fixture *fixture = *state;
	struct made_image good = signing_make(fixture->signing, "2.0.0", "", 4096);
	struct made_image bad = signing_make(fixture->signing, "2.1.0", GATEWAY_BAD, 4096);
	const struct store_unit *unit = gateway_unit(fixture->gateway, 0);

	signing_place(&good, gateway_images(fixture->gateway));
	assert_true(farm_wait(fixture->farm, FARM_LONG, hold_it, fixture));
	signing_place(&bad, gateway_images(fixture->gateway));
	assert_true(farm_wait(fixture->farm, FARM_LONG, have_failed, fixture));
	assert_string_equal(unit->version, "2.0.0");
	assert_string_equal(unit->failed_sha256, bad.sha256);
	assert_int_equal(unit->failures, 1);
	assert_int_equal(unit->rollback, ROLLBACK_DONE);
	/* One attempt each, and one back, behind that to the good one. */
	assert_int_equal(gateway_last_id(fixture->gateway), 6);
	made_image_done(&good);
	made_image_done(&bad);
}

static void an_image_without_a_signature_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct made_image first = signing_make(fixture->signing, "2.0.0", "", 4096);
	struct made_image other = signing_make(fixture->signing, "2.2.0", "", 4096);

	other.signature[strlen(other.signature) / 2] ^= 1;
	signing_place(&other, gateway_images(fixture->gateway));
	farm_settle(fixture->farm);
	assert_int_equal(gateway_last_id(fixture->gateway), 0);
	other.signature[strlen(other.signature) / 2] ^= 1;
	signing_place(&other, gateway_images(fixture->gateway));
	signing_place(&first, gateway_images(fixture->gateway));
	farm_settle(fixture->farm);
	assert_int_equal(gateway_count_version(fixture->gateway, "2.2.0"), 2);
	made_image_done(&first);
	made_image_done(&other);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_mirror_has_what_is_plugged_in),
		TEST(a_unit_comes_and_goes),
		TEST(an_attempt_is_told_and_listed),
		TEST(attempts_come_by_pages),
		TEST(the_service_restarts),
		TEST(an_image_that_is_placed_reaches_all_units),
		TEST(a_bad_image_is_left_again),
		TEST(an_image_without_a_signature_is_left_alone),
	};

	farm_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
