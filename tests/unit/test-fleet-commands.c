/* SPDX-License-Identifier: MIT */
/*
 * The life of commands, with a broker and a service that are played here: the broker keeps what is
 * published and sends it back when it is told to, the service answers when it is told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "unit/virtual-clock.h"

#include "fleet/commands.h"

#define RETRY "{\"verb\": \"retry\", \"unit\": \"01\", \"status\": \"init\"}"

/* ------------------------------------------------------------------- a service that is played */

struct client {
	enum client_presence presence;
	struct client_object *bridges;
	size_t n_bridges;
	struct called {
		char method[16], argument[64];
		client_reply *reply;
		void *userdata; /* NULL: it was answered or forgotten */
		struct dict options;
	} calls[64];
	size_t n_calls;
};

enum client_presence client_presence(const struct client *client)
{
	return client->presence;
}

const char *client_why(const struct client *client)
{
	return client->presence == CLIENT_THERE ? "" : "plugflashd is not running";
}

const struct client_object *client_next(
	const struct client *client, enum client_kind kind, const struct client_object *before)
{
	size_t next = before ? (size_t)(before - client->bridges) + 1 : 0;

	assert_int_equal(kind, CLIENT_BRIDGE);
	return next < client->n_bridges ? &client->bridges[next] : NULL;
}

/* A job is at the bridge of its name: "job2" at bridge 2. */
const struct client_object *client_find(const struct client *client, const char *path)
{
	static struct client_object job;
	static struct dict_entry bridge = {.name = (char *)"Bridge", .kind = DICT_TEXT};

	if (strncmp(path, "job", 3) == 0) {
		bridge.text = client->bridges[path[3] - '0'].path;
		job.properties = (struct dict){&bridge, 1};
		return &job;
	}
	for (size_t i = 0; i < client->n_bridges; i++)
		if (strcmp(client->bridges[i].path, path) == 0)
			return &client->bridges[i];
	return NULL;
}

int client_call(struct client *client, const struct client_call *call, client_reply *reply,
	void *userdata, const char *types, ...)
{
	struct called *called = &client->calls[client->n_calls];
	va_list values;

	assert_true(client->n_calls < ARRAY_SIZE(client->calls));
	client->n_calls++;
	*called = (struct called){.reply = reply, .userdata = userdata};
	text_copy(called->method, sizeof(called->method), call->method);
	va_start(values, types);
	if (*types)
		text_copy(called->argument, sizeof(called->argument), va_arg(values, const char *));
	va_end(values);
	return call->options ? dict_copy(call->options, &called->options) : 0;
}

void client_forget(struct client *client, const void *userdata)
{
	for (size_t i = 0; i < client->n_calls; i++)
		if (client->calls[i].userdata == userdata)
			client->calls[i].userdata = NULL;
}

/* ------------------------------------------------------------------------------- the bench */

struct bench {
	sd_event *event;
	struct client client;
	struct commands *commands;
	bool is_away; /* the broker */
	size_t most;  /* bytes that it takes */
	/* What was published and not sent back, in order, and the last. */
	struct said {
		char id[COMMAND_ID_SIZE], payload[1024];
	} said[64];
	size_t n_said, n_echoed;
	char paused[64]; /* of pause_wish */
	bool refuses_wish;
	struct client_object bridges[4];
	struct dict_entry properties[4][5];
};

static int publish(void *userdata, const char *id, const char *payload, size_t n)
{
	struct bench *bench = userdata;
	struct said *said = &bench->said[bench->n_said];

	if (bench->is_away)
		return MQTT_AWAY;
	if (n > bench->most)
		return MQTT_TOO_LARGE;
	assert_true(bench->n_said < ARRAY_SIZE(bench->said));
	assert_int_equal(n, strlen(payload));
	text_copy(said->id, sizeof(said->id), id);
	text_copy(said->payload, sizeof(said->payload), payload);
	bench->n_said++;
	return 0;
}

static int pause_wish(void *userdata, const char *board, bool is_paused, struct reason *reason)
{
	struct bench *bench = userdata;

	if (bench->refuses_wish)
		return reason_refuse(1, reason, "%s: there is no wish", board);
	(void)snprintf(bench->paused, sizeof(bench->paused), "%s %s",
		is_paused ? "paused" : "resumed", board);
	return 0;
}

/* Bridges 0 to 2: gate A1, gate A2, gate in no slot; 3 has another rule. */
static int set_up(void **state)
{
	static const struct commands_callbacks callbacks = {publish, pause_wish};
	static const char *const names[] = {"Slot", "Unit", "Board", "Port", "Path"};
	static const char *const values[][5] = {
		{"A1", "01", "gate", "/dev/ttyUSB0", "place-0"},
		{"A2", "02", "gate", "/dev/ttyUSB1", "place-1"},
		{"", "03", "gate", "/dev/ttyUSB2", "place-2"},
		{"A4", "04", "lock", "/dev/ttyUSB3", "place-3"},
	};
	static const char *const paths[] = {"bridge0", "bridge1", "bridge2", "bridge3"};
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			bench->properties[i][k] = (struct dict_entry){.name = (char *)names[k],
				.kind = DICT_TEXT,
				.text = (char *)values[i][k]};
		bench->bridges[i] = (struct client_object){
			CLIENT_BRIDGE, (char *)paths[i], {bench->properties[i], ARRAY_SIZE(names)}};
	}
	bench->most = sizeof(bench->said[0].payload) - 1;
	bench->client = (struct client){.presence = CLIENT_THERE,
		.bridges = bench->bridges,
		.n_bridges = ARRAY_SIZE(bench->bridges)};
	assert_true(sd_event_new(&bench->event) >= 0);
	assert_int_equal(
		commands_new(bench->event, &bench->client, &callbacks, bench, &bench->commands), 0);
	commands_allow(bench->commands, (1U << COMMAND_VERB_MAX) - 1);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	commands_free(bench->commands);
	sd_event_unref(bench->event);
	for (size_t i = 0; i < bench->client.n_calls; i++) {
		assert_null(bench->client.calls[i].userdata);
		dict_done(&bench->client.calls[i].options);
	}
	free(bench);
	return 0;
}

static void take(struct bench *bench, const char *id, const char *payload)
{
	commands_take(bench->commands, id, payload, strlen(payload), false);
}

static void take_retained(struct bench *bench, const char *id, const char *payload)
{
	commands_take(bench->commands, id, payload, strlen(payload), true);
}

/* The broker sends back what it did not yet. */
static void echo(struct bench *bench)
{
	while (bench->n_echoed < bench->n_said) {
		const struct said *said = &bench->said[bench->n_echoed++];

		take(bench, said->id, said->payload);
	}
}

static const char *last(const struct bench *bench)
{
	return bench->n_said > 0 ? bench->said[bench->n_said - 1].payload : "";
}

static void says(const struct bench *bench, const char *part)
{
	if (!strstr(last(bench), part))
		fail_msg("'%s' has no '%s'", last(bench), part);
}

/* The service answers this call. */
static void reply(struct bench *bench, size_t i, struct client_answer answer)
{
	struct called *called = &bench->client.calls[i];
	void *userdata = TAKE_PTR(called->userdata);

	assert_non_null(userdata);
	answer.fd = -1;
	if (answer.text)
		assert_int_equal(text_duplicate(answer.text, &answer.text), 0);
	called->reply(userdata, &answer);
	free(answer.text);
}

static void end_job(struct bench *bench, const char *job, const char *outcome, const char *why)
{
	CLEANUP(dict_done) struct dict report = {0};

	assert_int_equal(dict_set_text(&report, "reason", why), 0);
	commands_job_removed(bench->commands, job, outcome, &report);
}

static void pass_time(struct bench *bench, uint64_t seconds)
{
	clock_move(seconds * USEC_PER_SEC);
	while (sd_event_run(bench->event, 0) > 0)
		;
}

/* ------------------------------------------------------------------------------- the life */

static void one_command(void **state)
{
	struct bench *bench = *state;

	take_retained(bench, "1", RETRY);
	says(bench, "\"status\": \"executing\"");
	/* Not before the broker holds that. */
	assert_int_equal(bench->client.n_calls, 0);
	echo(bench);
	assert_int_equal(bench->client.n_calls, 1);
	assert_string_equal(bench->client.calls[0].method, "Retry");
	assert_string_equal(dict_text(&bench->client.calls[0].options, "unit"), "01");
	assert_int_equal(bench->client.calls[0].options.n_entries, 1);
	assert_int_equal(bench->n_said, 1);
	reply(bench, 0, (struct client_answer){.result = CLIENT_DONE, .number = 1});
	says(bench, "\"unit\": \"01\"");
	says(bench, "\"status\": \"successful\", \"reason\": null, \"units\": 1}");
	echo(bench);
	assert_int_equal(bench->n_said, 2);
	/* The same again is a new one. */
	take(bench, "1", RETRY);
	echo(bench);
	assert_int_equal(bench->client.n_calls, 2);
	reply(bench, 1, (struct client_answer){.result = CLIENT_DONE, .number = 0});
	says(bench, "\"status\": \"failed\", \"reason\": \"nothing that fits failed");
}

/* A broker delivers at least once: the second comes before our answers do. */
static void one_delivered_twice(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", RETRY);
	take(bench, "1", RETRY);
	echo(bench);
	take(bench, "1", RETRY);
	assert_int_equal(bench->client.n_calls, 1);
	reply(bench, 0, (struct client_answer){.result = CLIENT_DONE, .number = 1});
	take(bench, "1", RETRY);
	assert_int_equal(bench->client.n_calls, 1);
	assert_int_equal(bench->n_said, 2);
	says(bench, "successful");
}

static void one_left_by_a_crash(void **state)
{
	struct bench *bench = *state;
	static const char left[] =
		"{\"schema\": 1, \"verb\": \"verify\", \"unit\": null, \"slot\": \"A1\", \"status\": \"executing\"}";

	/* Somebody says so now: it is not ours. */
	take(bench, "1", left);
	assert_int_equal(bench->n_said, 0);
	take_retained(bench, "1", left);
	says(bench, "\"verb\": \"verify\"");
	says(bench, "\"status\": \"failed\"");
	says(bench, "started anew");
	echo(bench);
	/* It ended so, and so did these. */
	take_retained(bench, "1", last(bench));
	take_retained(bench, "2", "{\"status\": \"successful\", \"verb\": \"retry\"}");
	take_retained(bench, "3", "{\"status\": \"scheduled\"}");
	assert_int_equal(bench->n_said, 1);
	assert_int_equal(bench->client.n_calls, 0);
}

/* The broker goes while it runs, and has "executing" still. */
static void a_broker_that_comes_again(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", RETRY);
	echo(bench);
	bench->is_away = true;
	reply(bench, 0, (struct client_answer){.result = CLIENT_DONE, .number = 1});
	assert_int_equal(bench->n_said, 1);
	pass_time(bench, 7200);
	bench->is_away = false;
	commands_connected(bench->commands);
	take_retained(bench, "1", bench->said[0].payload);
	assert_int_equal(bench->n_said, 2);
	says(bench, "successful");
	echo(bench);
	commands_connected(bench->commands);
	assert_int_equal(bench->n_said, 2);
	assert_int_equal(bench->client.n_calls, 1);
}

static void a_broker_that_comes_again_meanwhile(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", RETRY);
	echo(bench);
	commands_connected(bench->commands);
	take_retained(bench, "1", bench->said[0].payload);
	echo(bench);
	assert_int_equal(bench->n_said, 2);
	assert_int_equal(bench->client.n_calls, 1);
	reply(bench, 0, (struct client_answer){.result = CLIENT_DONE, .number = 1});
	says(bench, "successful");
}

/* Before it took "executing": "init" is there, and it is not begun before that is over. */
static void a_broker_that_goes_at_once(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", RETRY);
	bench->n_echoed = bench->n_said; /* lost */
	commands_connected(bench->commands);
	take_retained(bench, "1", RETRY);
	assert_int_equal(bench->n_said, 2);
	assert_int_equal(bench->client.n_calls, 0);
	echo(bench);
	assert_int_equal(bench->client.n_calls, 1);
}

/* One that has no room for an answer gets it later. */
static void a_link_without_room(void **state)
{
	struct bench *bench = *state;

	bench->is_away = true;
	take(bench, "1", RETRY);
	take(bench, "2", "no JSON");
	commands_pump(bench->commands);
	assert_int_equal(bench->n_said, 0);
	bench->is_away = false;
	commands_pump(bench->commands);
	commands_pump(bench->commands);
	assert_int_equal(bench->n_said, 2);
	says(bench, "\"status\": \"failed\"");
}

/* A broker that does not let us write: nothing is ever done, and the wait ends. */
static void a_broker_that_takes_no_answers(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", RETRY);
	for (unsigned i = 0; i < 10; i++)
		pass_time(bench, 60);
	assert_int_equal(bench->n_said, 3);
	assert_int_equal(bench->client.n_calls, 0);
	/* It was forgotten: what comes back now begins nothing. */
	echo(bench);
	assert_int_equal(bench->client.n_calls, 0);
}

static void one_that_is_taken_back(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", RETRY);
	take(bench, "1", "");
	echo(bench);
	assert_int_equal(bench->client.n_calls, 0);
	take(bench, "2", RETRY);
	echo(bench);
	assert_int_equal(bench->client.n_calls, 1);
	take(bench, "2", "");
	/* What it would answer nobody wants. */
	assert_null(bench->client.calls[0].userdata);
	take(bench, "3", "");
	assert_int_equal(bench->n_said, 2);
}

/* ------------------------------------------------------------------------------ what is refused */

static void what_is_refused(void **state)
{
	static const struct {
		const char *payload, *reason;
	} rows[] = {
		{"{\"verb\": \"verify\", \"board\": \"gate\", \"status\": \"init\"}",
			"verify: not allowed on this gateway"},
		{"{\"verb\": \"erase\", \"status\": \"init\"}", "verb: expected retry"},
		{"{\"verb\": \"retry\", \"status\": \"init\"}", "retry: it takes unit"},
		{"[[[[[[[[[[", "no JSON"},
	};
	struct bench *bench = *state;

	commands_allow(bench->commands, 1U << COMMAND_RETRY);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		take(bench, "1", rows[i].payload);
		assert_int_equal(bench->n_said, i + 1);
		says(bench, "\"status\": \"failed\"");
		says(bench, rows[i].reason);
		echo(bench);
		assert_int_equal(bench->n_said, i + 1);
	}
	assert_int_equal(bench->client.n_calls, 0);
}

static void nothing_is_allowed_at_first(void **state)
{
	static const struct commands_callbacks callbacks = {publish, pause_wish};
	struct bench *bench = *state;
	CLEANUP(commands_freep) struct commands *commands = NULL;

	assert_int_equal(
		commands_new(bench->event, &bench->client, &callbacks, bench, &commands), 0);
	for (unsigned verb = 0; verb < COMMAND_VERB_MAX; verb++) {
		char payload[128];

		(void)snprintf(payload, sizeof(payload),
			"{\"verb\": \"%s\"%s, \"status\": \"init\"}",
			command_verb_to_string((enum command_verb)verb),
			verb == COMMAND_PAUSE || verb == COMMAND_RESUME ? ""
									: ", \"slot\": \"A1\"");
		commands_take(commands, "1", payload, strlen(payload), false);
		says(bench, "not allowed on this gateway");
		commands_take(commands, "1", last(bench), strlen(last(bench)), false);
	}
	assert_int_equal(bench->client.n_calls, 0);
}

static void ids_that_are_none(void **state)
{
	static const char *const ids[] = {"", "a/b", "a b", "\xff"};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		take(bench, ids[i], RETRY);
	assert_int_equal(bench->n_said, 0);
}

/* Beyond the bound one is not answered, and has room again once others were. */
static void too_many_at_once(void **state)
{
	struct bench *bench = *state;
	char id[16];

	for (unsigned i = 0; i < COMMANDS_MOST + 5; i++) {
		(void)snprintf(id, sizeof(id), "%u", i);
		take(bench, id, RETRY);
	}
	assert_int_equal(bench->n_said, COMMANDS_MOST);
	echo(bench);
	assert_int_equal(bench->client.n_calls, COMMANDS_MOST);
	reply(bench, 7, (struct client_answer){.result = CLIENT_DONE, .number = 1});
	echo(bench);
	take(bench, "next", RETRY);
	says(bench, "executing");
	assert_string_equal(bench->said[bench->n_said - 1].id, "next");
}

/* ---------------------------------------------------------------------- what the service says */

static void how_the_service_fails(void **state)
{
	static const struct {
		struct client_answer answer;
		const char *reason;
	} rows[] = {
		{{.result = CLIENT_NOT_PERMITTED, .reason = (char *)"no"}, "a rule of polkit"},
		{{.result = CLIENT_BUSY, .reason = (char *)"a job is under way"},
			"\"a job is under way\""},
		{{.result = CLIENT_AWAY}, "plugflashd did not do it"},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		take(bench, "1", RETRY);
		echo(bench);
		reply(bench, i, rows[i].answer);
		says(bench, "\"status\": \"failed\"");
		says(bench, rows[i].reason);
		echo(bench);
	}
	bench->client.presence = CLIENT_NO_SERVICE;
	take(bench, "1", RETRY);
	echo(bench);
	says(bench, "\"reason\": \"plugflashd is not running\"");
}

/* At the start of the process it is not known yet whether the service is there. */
static void a_service_that_is_not_found_yet(void **state)
{
	struct bench *bench = *state;

	bench->client.presence = CLIENT_ASKING;
	take_retained(bench, "1", RETRY);
	take_retained(bench, "2", RETRY);
	echo(bench);
	commands_presence(bench->commands, CLIENT_ASKING);
	assert_int_equal(bench->n_said, 2);
	assert_int_equal(bench->client.n_calls, 0);
	bench->client.presence = CLIENT_THERE;
	commands_presence(bench->commands, CLIENT_THERE);
	assert_int_equal(bench->client.n_calls, 2);
	commands_presence(bench->commands, CLIENT_THERE);
	assert_int_equal(bench->client.n_calls, 2);
	reply(bench, 0, (struct client_answer){.result = CLIENT_DONE, .number = 1});
	says(bench, "successful");
}

static void pauses(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", "{\"verb\": \"pause\", \"why\": \"recall 7\", \"status\": \"init\"}");
	echo(bench);
	assert_string_equal(bench->client.calls[0].method, "Pause");
	assert_string_equal(bench->client.calls[0].argument, "recall 7");
	reply(bench, 0, (struct client_answer){.result = CLIENT_DONE});
	says(bench, "successful");
	echo(bench);
	take(bench, "1", "{\"verb\": \"resume\", \"status\": \"init\"}");
	echo(bench);
	assert_string_equal(bench->client.calls[1].method, "Resume");
	reply(bench, 1, (struct client_answer){.result = CLIENT_DONE});
	says(bench, "successful");
}

/* Of a wish, also where there is no service. */
static void pauses_of_a_wish(void **state)
{
	struct bench *bench = *state;

	bench->client.presence = CLIENT_NO_SERVICE;
	take(bench, "1", "{\"verb\": \"pause\", \"board\": \"gate\", \"status\": \"init\"}");
	echo(bench);
	assert_string_equal(bench->paused, "paused gate");
	says(bench, "successful");
	echo(bench);
	take(bench, "1", "{\"verb\": \"resume\", \"board\": \"gate\", \"status\": \"init\"}");
	echo(bench);
	assert_string_equal(bench->paused, "resumed gate");
	echo(bench);
	bench->refuses_wish = true;
	take(bench, "1", "{\"verb\": \"pause\", \"board\": \"gate\", \"status\": \"init\"}");
	echo(bench);
	says(bench, "\"reason\": \"gate: there is no wish\"");
	assert_int_equal(bench->client.n_calls, 0);
}

/* ------------------------------------------------------------------------------------- jobs */

static void begin(struct bench *bench, const char *verb, const char *method, const char *target)
{
	char payload[128];

	(void)snprintf(payload, sizeof(payload), "{\"verb\": \"%s\", %s, \"status\": \"init\"}",
		verb, target);
	take(bench, "1", payload);
	echo(bench);
	for (size_t i = 0; i < bench->client.n_calls; i++) {
		char job[] = "job0";

		assert_string_equal(bench->client.calls[i].method, method);
		job[3] = bench->client.calls[i].argument[6];
		reply(bench, i, (struct client_answer){.result = CLIENT_DONE, .text = job});
	}
}

static void begin_verify(struct bench *bench, const char *target)
{
	begin(bench, "verify", "Verify", target);
}

static void verifies_all_that_fit(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"board\": \"gate\"");
	assert_int_equal(bench->client.n_calls, 3);
	end_job(bench, "job1", "current", "");
	end_job(bench, "job3", "failed", "another's");
	end_job(bench, "job0", "current", "");
	assert_int_equal(bench->n_said, 1);
	end_job(bench, "job2", "current", "");
	says(bench, "\"status\": \"successful\", \"reason\": null, \"units\": 3");
}

static void verifies_one(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"unit\": \"02\", \"slot\": \"A2\"");
	assert_int_equal(bench->client.n_calls, 1);
	assert_string_equal(bench->client.calls[0].argument, "bridge1");
	end_job(bench, "job1", "verify-differs", "at 0x08000100");
	says(bench, "\"reason\": \"A2: verify-differs: at 0x08000100\", \"units\": 0");
}

static void verifies_by_place(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"slot\": \"place-2\"");
	assert_int_equal(bench->client.n_calls, 1);
	assert_string_equal(bench->client.calls[0].argument, "bridge2");
	end_job(bench, "job2", "current", "");
	says(bench, "\"status\": \"successful\"");
}

static void tells_how_many_differ(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"board\": \"gate\"");
	end_job(bench, "job2", "no-sync", "");
	end_job(bench, "job0", "current", "");
	end_job(bench, "job1", "no-such-word\n", "");
	says(bench,
		"\"reason\": \"2 of 3 boards failed; the first: ttyUSB2: no-sync\", \"units\": 1");
}

static void verifies_nothing_that_is_not_there(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"unit\": \"02\", \"slot\": \"A1\"");
	says(bench, "\"reason\": \"no board that fits is plugged in\"");
}

static void a_verify_that_is_refused(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", "{\"verb\": \"verify\", \"slot\": \"A4\", \"status\": \"init\"}");
	echo(bench);
	reply(bench, 0,
		(struct client_answer){.result = CLIENT_BUSY,
			.reason = (char *)"ttyUSB3: the job 7 (flash) is under way"});
	says(bench, "\"reason\": \"ttyUSB3: the job 7 (flash) is under way\"");
}

static void a_board_that_shows_itself(void **state)
{
	struct bench *bench = *state;

	begin(bench, "identify", "Identify", "\"slot\": \"A2\"");
	assert_int_equal(bench->client.n_calls, 1);
	assert_string_equal(bench->client.calls[0].argument, "bridge1");
	assert_int_equal(bench->n_said, 1);
	end_job(bench, "job1", "current", "");
	says(bench, "\"status\": \"successful\", \"reason\": null, \"units\": 1");
}

/* In the words of the service. */
static void a_board_that_cannot_show_itself(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", "{\"verb\": \"identify\", \"slot\": \"A4\", \"status\": \"init\"}");
	echo(bench);
	reply(bench, 0,
		(struct client_answer){.result = CLIENT_NOT_POSSIBLE,
			.reason = (char *)"the rule 'gate' does not say how"});
	says(bench, "\"status\": \"failed\", \"reason\": \"the rule 'gate' does not say how\"");
}

static void jobs_that_go_with_the_service(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"slot\": \"A1\"");
	commands_presence(bench->commands, CLIENT_THERE);
	assert_int_equal(bench->n_said, 1);
	commands_presence(bench->commands, CLIENT_NO_SERVICE);
	says(bench, "\"reason\": \"plugflashd ended before the job did\"");
	end_job(bench, "job0", "current", "");
	assert_int_equal(bench->n_said, 2);
}

static void jobs_that_do_not_end(void **state)
{
	struct bench *bench = *state;

	begin_verify(bench, "\"slot\": \"A1\"");
	pass_time(bench, 3599);
	assert_int_equal(bench->n_said, 1);
	pass_time(bench, 1);
	says(bench, "within an hour");
}

/* It is forgotten, and those behind it are answered. */
static void an_answer_that_is_too_large(void **state)
{
	struct bench *bench = *state;
	char large[300];

	(void)snprintf(large, sizeof(large),
		"{\"verb\": \"retry\", \"slot\": \"%0100d\", \"status\": \"init\"}", 1);
	bench->most = 200;
	bench->is_away = true;
	take(bench, "1", large);
	take(bench, "2", RETRY);
	bench->is_away = false;
	commands_pump(bench->commands);
	assert_int_equal(bench->n_said, 1);
	assert_string_equal(bench->said[0].id, "2");
	pass_time(bench, 0);
	take(bench, "1", RETRY);
	assert_int_equal(bench->n_said, 2);
	assert_string_equal(bench->said[1].id, "1");
	echo(bench);
	assert_int_equal(bench->client.n_calls, 2);
}

static void *no_memory(size_t size)
{
	(void)size;
	return NULL;
}

/* It ends as it begins, and is forgotten with that. */
static void an_end_without_memory_for_its_answer(void **state)
{
	struct bench *bench = *state;

	take(bench, "1", "{\"verb\": \"pause\", \"board\": \"gate\", \"status\": \"init\"}");
	json_set_alloc_funcs(no_memory, free);
	echo(bench);
	json_set_alloc_funcs(malloc, free);
	assert_string_equal(bench->paused, "paused gate");
	assert_int_equal(bench->n_said, 1);
	take(bench, "1", RETRY);
	says(bench, "\"verb\": \"retry\"");
}

#define LIFE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIFE(one_command),
		LIFE(one_delivered_twice),
		LIFE(one_left_by_a_crash),
		LIFE(a_broker_that_comes_again),
		LIFE(a_broker_that_comes_again_meanwhile),
		LIFE(a_broker_that_goes_at_once),
		LIFE(a_link_without_room),
		LIFE(a_broker_that_takes_no_answers),
		LIFE(one_that_is_taken_back),
		LIFE(what_is_refused),
		LIFE(nothing_is_allowed_at_first),
		LIFE(ids_that_are_none),
		LIFE(too_many_at_once),
		LIFE(how_the_service_fails),
		LIFE(a_service_that_is_not_found_yet),
		LIFE(pauses),
		LIFE(pauses_of_a_wish),
		LIFE(verifies_all_that_fit),
		LIFE(verifies_one),
		LIFE(verifies_by_place),
		LIFE(tells_how_many_differ),
		LIFE(verifies_nothing_that_is_not_there),
		LIFE(a_verify_that_is_refused),
		LIFE(a_board_that_shows_itself),
		LIFE(a_board_that_cannot_show_itself),
		LIFE(jobs_that_go_with_the_service),
		LIFE(jobs_that_do_not_end),
		LIFE(an_answer_that_is_too_large),
		LIFE(an_end_without_memory_for_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
