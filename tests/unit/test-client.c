/* SPDX-License-Identifier: MIT */
/*
 * test-client.c - the mirror of the service and calls of its methods, over a real dbus-daemon, with
 * services that restart, lie, say nothing, or are somebody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/client-private.h"
#include "base/clock.h"
#include "unit/fake-service.h"
#include "unit/patience.h"

#define BRIDGE_1  "/org/plugflash1/bridge/1"
#define BRIDGE_2  "/org/plugflash1/bridge/2"
#define BRIDGE_9  "/org/plugflash1/bridge/9"
#define BRIDGE_10 "/org/plugflash1/bridge/10"
#define JOB	  "/org/plugflash1/job/0123456789abcdef"

struct fixture {
	struct fake_bus bus;
	struct fake_service service;
	sd_event *event;
	struct client *client;
	unsigned n_presences, n_new, n_changed, n_gone, n_ended;
	enum client_presence presences[16];
	char gone[96], ended[96], outcome[32], ended_unit[32];
	unsigned n_replies;
	struct client_answer answer;
};

static void on_presence(void *userdata, enum client_presence presence)
{
	struct fixture *fixture = userdata;

	assert_true(fixture->n_presences < ARRAY_SIZE(fixture->presences));
	fixture->presences[fixture->n_presences++] = presence;
}

static void on_change(void *userdata, const struct client_object *object, enum client_change change)
{
	struct fixture *fixture = userdata;

	fixture->n_new += change == CLIENT_OBJECT_NEW;
	fixture->n_changed += change == CLIENT_OBJECT_CHANGED;
	fixture->n_gone += change == CLIENT_OBJECT_GONE;
	if (change == CLIENT_OBJECT_GONE)
		snprintf(fixture->gone, sizeof(fixture->gone), "%s", object->path);
}

static void on_job_removed(
	void *userdata, const char *path, const char *outcome, const struct dict *report)
{
	struct fixture *fixture = userdata;

	fixture->n_ended++;
	snprintf(fixture->ended, sizeof(fixture->ended), "%s", path);
	snprintf(fixture->outcome, sizeof(fixture->outcome), "%s", outcome);
	snprintf(fixture->ended_unit, sizeof(fixture->ended_unit), "%s", dict_text(report, "unit"));
}

static const struct client_callbacks callbacks = {
	.on_presence = on_presence,
	.on_change = on_change,
	.on_job_removed = on_job_removed,
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->answer.fd = -1;
	fake_bus_make(&fixture->bus);
	assert_true(sd_event_new(&fixture->event) >= 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	client_free(fixture->client);
	client_answer_done(&fixture->answer);
	fake_service_end(&fixture->service);
	sd_event_unref(fixture->event);
	fake_bus_done(&fixture->bus);
	free(fixture);
	return 0;
}

typedef bool question(struct fixture *fixture);

static void wait_until(struct fixture *fixture, question *is_so)
{
	uint64_t deadline = monotonic_usec() + PATIENCE_USEC;

	while (!is_so(fixture)) {
		assert_true(monotonic_usec() < deadline);
		assert_true(sd_event_run(fixture->event, PATIENCE_USEC) >= 0);
	}
}

static bool is_there(struct fixture *fixture)
{
	return client_presence(fixture->client) == CLIENT_THERE;
}

static bool is_without_service(struct fixture *fixture)
{
	return client_presence(fixture->client) == CLIENT_NO_SERVICE;
}

static bool is_without_bus(struct fixture *fixture)
{
	return client_presence(fixture->client) == CLIENT_NO_BUS;
}

static bool is_refused(struct fixture *fixture)
{
	return client_presence(fixture->client) == CLIENT_REFUSED;
}

static bool has_changed(struct fixture *fixture)
{
	return fixture->n_changed > 0;
}

static bool has_gone(struct fixture *fixture)
{
	return fixture->n_gone > 0;
}

static bool has_new(struct fixture *fixture)
{
	return fixture->n_new > 0;
}

static bool has_ended(struct fixture *fixture)
{
	return fixture->n_ended > 0;
}

static bool has_reply(struct fixture *fixture)
{
	return fixture->n_replies > 0;
}

static bool has_both_questions(struct fixture *fixture)
{
	return fixture->service.n_kept == 2;
}

static void begin_client(struct fixture *fixture)
{
	assert_int_equal(client_new(fixture->event, &callbacks, fixture, &fixture->client), 0);
	assert_int_equal(client_presence(fixture->client), CLIENT_ASKING);
	assert_string_not_equal(client_why(fixture->client), "");
}

/* Bus, a service with bridges, and a client that has seen them. */
static void begin(struct fixture *fixture)
{
	fake_bus_start(&fixture->bus);
	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	fake_service_set(&fixture->service, BRIDGE_10, BUS_BRIDGE, "State", "waiting");
	fake_service_set(&fixture->service, BRIDGE_9, BUS_BRIDGE, "State", "done");
	fake_service_set(&fixture->service, JOB, BUS_JOB, "Phase", "write");
	begin_client(fixture);
	wait_until(fixture, is_there);
}

static const char *property(struct fixture *fixture, const char *path, const char *name)
{
	const struct client_object *object = client_find(fixture->client, path);

	assert_non_null(object);
	return dict_text(&object->properties, name);
}

/* ------------------------------------------------------------------------------ mirror */

static void the_mirror_is_whole_when_it_is_there(void **state)
{
	struct fixture *fixture = *state;
	const struct client_object *object;

	begin(fixture);
	assert_string_equal(client_why(fixture->client), "");
	assert_string_equal(dict_text(client_manager(fixture->client), "State"), "running");
	object = client_next(fixture->client, CLIENT_BRIDGE, NULL);
	assert_string_equal(object->path, BRIDGE_9);
	object = client_next(fixture->client, CLIENT_BRIDGE, object);
	assert_string_equal(object->path, BRIDGE_10);
	assert_null(client_next(fixture->client, CLIENT_BRIDGE, object));
	object = client_next(fixture->client, CLIENT_JOB, NULL);
	assert_string_equal(dict_text(&object->properties, "Phase"), "write");
	assert_null(client_next(fixture->client, CLIENT_SLOT, NULL));
	assert_int_equal(fixture->n_new + fixture->n_changed + fixture->n_gone, 0);
}

static void changes_are_told(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	fake_service_change(&fixture->service, BRIDGE_9, "State", "working");
	wait_until(fixture, has_changed);
	assert_string_equal(property(fixture, BRIDGE_9, "State"), "working");

	fake_service_add(&fixture->service, BRIDGE_2, BUS_BRIDGE, "State", "settling");
	wait_until(fixture, has_new);
	assert_string_equal(client_next(fixture->client, CLIENT_BRIDGE, NULL)->path, BRIDGE_2);

	fake_service_remove(&fixture->service, BRIDGE_9);
	wait_until(fixture, has_gone);
	assert_string_equal(fixture->gone, BRIDGE_9);
	assert_null(client_find(fixture->client, BRIDGE_9));

	fixture->n_changed = 0;
	fake_service_change(&fixture->service, BUS_PATH, "State", "paused");
	wait_until(fixture, has_changed);
	assert_string_equal(dict_text(client_manager(fixture->client), "State"), "paused");
}

static void the_end_of_a_job_is_told_with_its_report(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	assert_true(sd_bus_emit_signal(fixture->service.bus, BUS_PATH, BUS_MANAGER, "JobRemoved",
			    "osa{sv}", JOB, "updated", 1, "unit", "s", "0011") >= 0);
	wait_until(fixture, has_ended);
	assert_string_equal(fixture->ended, JOB);
	assert_string_equal(fixture->outcome, "updated");
	assert_string_equal(fixture->ended_unit, "0011");
}

/* Names without values are asked for. */
static void a_property_that_is_only_named_is_read_anew(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	fake_service_set(&fixture->service, BRIDGE_9, BUS_BRIDGE, "State", "held");
	fake_signal_change(fixture->service.bus, BRIDGE_9, BUS_BRIDGE, "State", NULL);
	wait_until(fixture, has_changed);
	assert_int_equal(fixture->service.n_questions, 2);
	while (strcmp(property(fixture, BRIDGE_9, "State"), "held") != 0)
		assert_true(sd_event_run(fixture->event, PATIENCE_USEC) > 0);
	assert_int_equal(fixture->n_new, 0);
}

/*
 * The answer is of a moment: a signal before it is older, and one behind it is newer, whatever
 * they say.
 */
static void signals_around_the_answer_are_told_apart(void **state)
{
	struct fixture *fixture = *state;

	fake_bus_start(&fixture->bus);
	fixture->service.is_mute = true;
	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	fake_service_set(&fixture->service, BRIDGE_9, BUS_BRIDGE, "State", "done");
	begin_client(fixture);
	wait_until(fixture, has_both_questions);
	fake_signal_change(fixture->service.bus, BRIDGE_9, BUS_BRIDGE, "State", "old");
	fake_signal_change(fixture->service.bus, BUS_PATH, BUS_MANAGER, "State", "old");
	fake_service_answer(&fixture->service);
	fake_signal_change(fixture->service.bus, BRIDGE_9, BUS_BRIDGE, "State", "new");
	wait_until(fixture, has_changed);
	assert_int_equal(fixture->n_changed, 1);
	assert_string_equal(property(fixture, BRIDGE_9, "State"), "new");
	assert_string_equal(dict_text(client_manager(fixture->client), "State"), "running");
}

static void nobody_else_is_believed(void **state)
{
	struct fixture *fixture = *state;
	sd_bus *stranger;

	begin(fixture);
	stranger = fake_bus_connect(&fixture->bus, fixture->event);
	fake_signal_change(stranger, BRIDGE_9, BUS_BRIDGE, "State", "stolen");
	assert_true(sd_bus_emit_signal(stranger, BUS_PATH, BUS_MANAGER, "JobRemoved", "osa{sv}",
			    JOB, "updated", 0) >= 0);
	/* Once the bus has answered this, the signals before it are on their way. */
	assert_true(sd_bus_request_name(stranger, "org.stranger", 0) >= 0);
	fake_service_change(&fixture->service, BRIDGE_10, "State", "done");
	wait_until(fixture, has_changed);
	assert_string_equal(property(fixture, BRIDGE_9, "State"), "done");
	assert_int_equal(fixture->n_ended, 0);
	fake_bus_disconnect(stranger);
}

static void objects_above_the_most_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	const struct client_object *object = NULL;
	char path[64];
	size_t n = 0;

	fake_bus_start(&fixture->bus);
	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	for (unsigned i = 1; i <= CLIENT_OBJECTS_MOST + 50; i++) {
		snprintf(path, sizeof(path), "/org/plugflash1/bridge/%u", i);
		fake_service_set(&fixture->service, path, BUS_BRIDGE, "State", "done");
	}
	begin_client(fixture);
	wait_until(fixture, is_there);
	while ((object = client_next(fixture->client, CLIENT_BRIDGE, object)))
		n++;
	assert_int_equal(n, CLIENT_OBJECTS_MOST);
}

static bool has_last(struct fixture *fixture)
{
	return strcmp(property(fixture, BRIDGE_10, "State"), "last") == 0;
}

/* A message may bring as many, and there may be any number of messages. */
static void names_above_the_most_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	char name[32];

	begin(fixture);
	for (unsigned i = 0; i < 2 * DICT_ENTRIES_MOST; i++) {
		snprintf(name, sizeof(name), "Made%u", i);
		fake_signal_change(fixture->service.bus, BRIDGE_9, BUS_BRIDGE, name, "x");
	}
	fake_signal_change(fixture->service.bus, BRIDGE_9, BUS_BRIDGE, "State", "held");
	fake_signal_change(fixture->service.bus, BRIDGE_10, BUS_BRIDGE, "State", "last");
	wait_until(fixture, has_last);
	assert_string_equal(property(fixture, BRIDGE_9, "Made0"), "x");
	assert_string_equal(property(fixture, BRIDGE_9, "State"), "held");
	assert_int_equal(
		client_find(fixture->client, BRIDGE_9)->properties.n_entries, DICT_ENTRIES_MOST);
}

/* ---------------------------------------------------------------------- coming and going */

static void a_service_that_restarts_is_taken_again(void **state)
{
	struct fixture *fixture = *state;
	static const enum client_presence order[] = {CLIENT_THERE, CLIENT_NO_SERVICE, CLIENT_THERE};

	begin(fixture);
	fake_service_end(&fixture->service);
	wait_until(fixture, is_without_service);
	assert_non_null(strstr(client_why(fixture->client), "systemctl start"));
	assert_null(client_find(fixture->client, BRIDGE_9));
	assert_null(client_next(fixture->client, CLIENT_BRIDGE, NULL));
	assert_int_equal(client_manager(fixture->client)->n_entries, 0);

	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	fake_service_set(&fixture->service, BRIDGE_1, BUS_BRIDGE, "State", "settling");
	wait_until(fixture, is_there);
	assert_non_null(client_find(fixture->client, BRIDGE_1));
	assert_null(client_find(fixture->client, BRIDGE_9));
	assert_int_equal(fixture->n_presences, ARRAY_SIZE(order));
	assert_memory_equal(fixture->presences, order, sizeof(order));
}

static void a_client_that_is_first_waits_for_the_service(void **state)
{
	struct fixture *fixture = *state;

	fake_bus_start(&fixture->bus);
	begin_client(fixture);
	wait_until(fixture, is_without_service);
	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	wait_until(fixture, is_there);
}

static void a_client_that_is_first_waits_for_the_bus(void **state)
{
	struct fixture *fixture = *state;

	begin_client(fixture);
	wait_until(fixture, is_without_bus);
	assert_non_null(strstr(client_why(fixture->client), "no system bus"));
	fake_bus_start(&fixture->bus);
	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	wait_until(fixture, is_there);
}

static void a_bus_that_restarts_is_taken_again(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	fake_bus_stop(&fixture->bus);
	wait_until(fixture, is_without_bus);
	assert_null(client_find(fixture->client, BRIDGE_9));
	fake_service_end(&fixture->service);
	fake_bus_start(&fixture->bus);
	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	wait_until(fixture, is_there);
	assert_non_null(client_manager(fixture->client));
}

/* While the service is away, nothing is asked and no time is waited for. What the bus still has to
 * say comes to an end. */
static void waiting_costs_no_wake_ups(void **state)
{
	struct fixture *fixture = *state;
	unsigned n_wake_ups = 0;

	fake_bus_start(&fixture->bus);
	begin_client(fixture);
	wait_until(fixture, is_without_service);
	while (sd_event_run(fixture->event, USEC_PER_SEC) > 0)
		assert_true(++n_wake_ups < 10);
}

static void a_service_that_refuses_is_told(void **state)
{
	struct fixture *fixture = *state;

	fake_bus_start(&fixture->bus);
	fixture->service.error = SD_BUS_ERROR_ACCESS_DENIED;
	fake_service_begin(&fixture->service, &fixture->bus, fixture->event);
	begin_client(fixture);
	wait_until(fixture, is_refused);
	assert_non_null(strstr(client_why(fixture->client), "not now"));
	/* It is asked again by and by. */
	fixture->service.error = NULL;
	wait_until(fixture, is_there);
}

/* ------------------------------------------------------------------------------- calls */

static void on_reply(void *userdata, struct client_answer *answer)
{
	struct fixture *fixture = userdata;

	fixture->n_replies++;
	client_answer_done(&fixture->answer);
	fixture->answer = *answer;
	*answer = (struct client_answer){.fd = -1};
}

static void call_and_wait(struct fixture *fixture, const struct client_call *call)
{
	fixture->n_replies = 0;
	assert_int_equal(
		client_call(fixture->client, call, on_reply, fixture, "so", "text\xff", BRIDGE_9),
		0);
	assert_int_equal(fixture->n_replies, 0);
	wait_until(fixture, has_reply);
	assert_int_equal(fixture->n_replies, 1);
}

static int answer_all(struct fake_service *service, sd_bus_message *message)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), r;

	(void)service;
	r = sd_bus_reply_method_return(message, "ouhaa{sv}", JOB, 7, fd, 2, 1, "unit", "s", "0011",
		1, "unit", "s", "0022");
	close(fd);
	return r;
}

static void a_call_is_answered(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict options = {0};

	begin(fixture);
	fixture->service.on_call = answer_all;
	assert_int_equal(dict_set_flag(&options, "force", true), 0);
	call_and_wait(fixture, &(struct client_call){.kind = CLIENT_BRIDGE,
				       .path = BRIDGE_9,
				       .method = "Flash",
				       .options = &options});
	assert_int_equal(fixture->answer.result, CLIENT_DONE);
	assert_string_equal(fixture->answer.text, JOB);
	assert_int_equal(fixture->answer.number, 7);
	assert_true(fixture->answer.fd >= 0 && fcntl(fixture->answer.fd, F_GETFD) >= 0);
	assert_int_equal(fixture->answer.n_rows, 2);
	assert_string_equal(dict_text(&fixture->answer.rows[1], "unit"), "0022");
	assert_string_equal(fixture->service.called, "Flash");
	assert_string_equal(fixture->service.text, "text\\xff");
	assert_true(dict_flag(&fixture->service.options, "force"));
}

static const char *error_to_give;

static int answer_error(struct fake_service *service, sd_bus_message *message)
{
	(void)service;
	return sd_bus_reply_method_errorf(message, error_to_give, "the reason");
}

static void errors_have_their_results(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *error;
		enum client_result result;
	} rows[] = {
		{BUS_ERROR_NOT_FOUND, CLIENT_NOT_FOUND},
		{BUS_ERROR_BUSY, CLIENT_BUSY},
		{BUS_ERROR_DENIED, CLIENT_NOT_PERMITTED},
		{SD_BUS_ERROR_ACCESS_DENIED, CLIENT_NOT_PERMITTED},
		{BUS_ERROR_NOT_POSSIBLE, CLIENT_NOT_POSSIBLE},
		{BUS_ERROR_INVALID, CLIENT_INVALID_ARGUMENT},
		{SD_BUS_ERROR_UNKNOWN_OBJECT, CLIENT_NOT_FOUND},
		{SD_BUS_ERROR_FAILED, CLIENT_FAILED},
	};

	begin(fixture);
	fixture->service.on_call = answer_error;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		error_to_give = rows[i].error;
		call_and_wait(fixture, &(struct client_call){.method = "Pause"});
		assert_int_equal(fixture->answer.result, rows[i].result);
		assert_string_equal(fixture->answer.reason, "the reason");
	}
}

static void a_call_without_a_service_is_answered_too(void **state)
{
	struct fixture *fixture = *state;

	begin_client(fixture);
	call_and_wait(fixture, &(struct client_call){.method = "Pause"});
	assert_int_equal(fixture->answer.result, CLIENT_AWAY);
	wait_until(fixture, is_without_bus);
	call_and_wait(fixture, &(struct client_call){.method = "Pause"});
	assert_int_equal(fixture->answer.result, CLIENT_AWAY);
	assert_non_null(strstr(fixture->answer.reason, "no system bus"));
}

static bool is_called(struct fixture *fixture)
{
	return fixture->service.called[0];
}

static void a_service_that_goes_leaves_no_call_behind(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	assert_int_equal(client_call(fixture->client, &(struct client_call){.method = "Reload"},
				 on_reply, fixture, ""),
		0);
	wait_until(fixture, is_called);
	fake_service_end(&fixture->service);
	wait_until(fixture, has_reply);
	assert_int_equal(fixture->answer.result, CLIENT_AWAY);
	assert_int_equal(fixture->n_replies, 1);
}

static void a_bus_that_goes_leaves_no_call_behind(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	assert_int_equal(client_call(fixture->client, &(struct client_call){.method = "Reload"},
				 on_reply, fixture, ""),
		0);
	wait_until(fixture, is_called);
	fake_bus_stop(&fixture->bus);
	wait_until(fixture, has_reply);
	assert_int_equal(fixture->answer.result, CLIENT_AWAY);
	wait_until(fixture, is_without_bus);
	assert_int_equal(fixture->n_replies, 1);
}

static void a_service_that_says_nothing_is_not_waited_for(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	call_and_wait(fixture, &(struct client_call){.method = "Reload", .timeout_ms = 50});
	assert_int_equal(fixture->answer.result, CLIENT_SILENT);
}

/* How long the call that was sent last may take, in seconds. */
static uint64_t time_of_call(struct fixture *fixture, bool may_ask)
{
	const struct client_call call = {.method = "Reload", .may_ask = may_ask};

	assert_int_equal(client_call(fixture->client, &call, on_reply, fixture, ""), 0);
	return (LIST_FIRST(&fixture->client->calls)->deadline_usec - monotonic_usec()) /
	       USEC_PER_SEC;
}

/* The service waits for polkit for 300 s: whoever gives up before is told of a service that hangs,
 * and what he asked for is done behind his back. */
static void who_types_a_password_is_waited_for(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	assert_true(time_of_call(fixture, false) < 30);
	assert_in_range(time_of_call(fixture, true), 301, 400);
}

static void who_does_not_wait_any_more_gets_no_reply(void **state)
{
	struct fixture *fixture = *state;
	int other = 0;

	begin(fixture);
	fixture->service.on_call = answer_all;
	assert_int_equal(client_call(fixture->client, &(struct client_call){.method = "Resume"},
				 on_reply, &other, ""),
		0);
	client_forget(fixture->client, &other);
	/* Answered in order: behind this one the other would have come. */
	call_and_wait(fixture, &(struct client_call){.method = "Pause"});
	assert_int_equal(fixture->n_replies, 1);
}

static void a_call_that_is_none_is_refused_at_once(void **state)
{
	struct fixture *fixture = *state;
	const struct client_call call = {.method = "Flash"};

	begin(fixture);
	assert_true(client_call(fixture->client, &call, on_reply, fixture, "o", "no path") < 0);
	assert_true(client_call(fixture->client, &call, on_reply, fixture, "x", INT64_C(1)) < 0);
	assert_int_equal(fixture->n_replies, 0);
}

static void without_polkit_nothing_is_permitted(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	assert_int_equal(client_may(fixture->client, BUS_ACTION_OPERATE, on_reply, fixture), 0);
	wait_until(fixture, has_reply);
	assert_int_equal(fixture->answer.result, CLIENT_NOT_PERMITTED);
}

/* --------------------------------------------------------------- for a command alone */

static void a_command_learns_what_is_not_there(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(client_open(&callbacks, fixture, PATIENCE_MSEC, &fixture->client), 0);
	assert_int_equal(client_presence(fixture->client), CLIENT_NO_BUS);
	assert_int_equal(fixture->n_presences, 1);
	fixture->client = client_free(fixture->client);
	fake_bus_start(&fixture->bus);
	assert_int_equal(client_open(NULL, NULL, PATIENCE_MSEC, &fixture->client), 0);
	assert_int_equal(client_presence(fixture->client), CLIENT_NO_SERVICE);
}

static bool is_never(void *userdata)
{
	(void)userdata;
	return false;
}

static void a_wait_ends_by_time_and_by_a_descriptor(void **state)
{
	struct fixture *fixture = *state;
	int ends[2];

	fake_bus_start(&fixture->bus);
	assert_int_equal(client_open(NULL, NULL, PATIENCE_MSEC, &fixture->client), 0);
	assert_int_equal(client_wait(fixture->client, 20, -1, is_never, NULL), CLIENT_WAIT_TIMEOUT);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(client_wait(fixture->client, UINT64_MAX, ends[0], is_never, NULL),
		CLIENT_WAIT_INTERRUPTED);
	close(ends[0]);
	close(ends[1]);
}

static void a_command_is_told_that_nobody_is_there_to_ask(void **state)
{
	struct fixture *fixture = *state;

	fake_bus_start(&fixture->bus);
	assert_int_equal(client_open(NULL, NULL, PATIENCE_MSEC, &fixture->client), 0);
	assert_int_equal(client_call_wait(fixture->client, &(struct client_call){.method = "Pause"},
				 &fixture->answer, "s", "lunch"),
		0);
	assert_int_equal(fixture->answer.result, CLIENT_AWAY);
	assert_non_null(strstr(fixture->answer.reason, "systemctl start plugflashd"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_mirror_is_whole_when_it_is_there),
		TEST(changes_are_told),
		TEST(the_end_of_a_job_is_told_with_its_report),
		TEST(a_property_that_is_only_named_is_read_anew),
		TEST(signals_around_the_answer_are_told_apart),
		TEST(nobody_else_is_believed),
		TEST(objects_above_the_most_are_left_out),
		TEST(names_above_the_most_are_left_out),
		TEST(a_service_that_restarts_is_taken_again),
		TEST(a_client_that_is_first_waits_for_the_service),
		TEST(a_client_that_is_first_waits_for_the_bus),
		TEST(a_bus_that_restarts_is_taken_again),
		TEST(waiting_costs_no_wake_ups),
		TEST(a_service_that_refuses_is_told),
		TEST(a_call_is_answered),
		TEST(errors_have_their_results),
		TEST(a_call_without_a_service_is_answered_too),
		TEST(a_service_that_goes_leaves_no_call_behind),
		TEST(a_bus_that_goes_leaves_no_call_behind),
		TEST(a_service_that_says_nothing_is_not_waited_for),
		TEST(who_types_a_password_is_waited_for),
		TEST(who_does_not_wait_any_more_gets_no_reply),
		TEST(a_call_that_is_none_is_refused_at_once),
		TEST(without_polkit_nothing_is_permitted),
		TEST(a_command_learns_what_is_not_there),
		TEST(a_wait_ends_by_time_and_by_a_descriptor),
		TEST(a_command_is_told_that_nobody_is_there_to_ask),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
