/* SPDX-License-Identifier: MIT */
/*
 * commands-bench.h - the life of commands, with a broker and a service that are played here: the
 * broker keeps what is published and sends it back when it is told to, the service answers when it
 * is told to. Takes the place of client.h's functions. Include after cmocka.h.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "fleet/commands.h"
#include "unit/virtual-clock.h"

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

static inline int publish(void *userdata, const char *id, const char *payload, size_t n)
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

static inline int pause_wish(
	void *userdata, const char *board, bool is_paused, struct reason *reason)
{
	struct bench *bench = userdata;

	if (bench->refuses_wish)
		return reason_refuse(1, reason, "%s: there is no wish", board);
	(void)snprintf(bench->paused, sizeof(bench->paused), "%s %s",
		is_paused ? "paused" : "resumed", board);
	return 0;
}

/* Bridges 0 to 2: gate A1, gate A2, gate in no slot; 3 has another rule. */
static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

static inline void take(struct bench *bench, const char *id, const char *payload)
{
	commands_take(bench->commands, id, payload, strlen(payload), false);
}

static inline void take_retained(struct bench *bench, const char *id, const char *payload)
{
	commands_take(bench->commands, id, payload, strlen(payload), true);
}

/* The broker sends back what it did not yet. */
static inline void echo(struct bench *bench)
{
	while (bench->n_echoed < bench->n_said) {
		const struct said *said = &bench->said[bench->n_echoed++];

		take(bench, said->id, said->payload);
	}
}

static inline const char *last(const struct bench *bench)
{
	return bench->n_said > 0 ? bench->said[bench->n_said - 1].payload : "";
}

static inline void says(const struct bench *bench, const char *part)
{
	if (!strstr(last(bench), part))
		fail_msg("'%s' has no '%s'", last(bench), part);
}

/* The service answers this call. */
static inline void reply(struct bench *bench, size_t i, struct client_answer answer)
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

static inline void pass_time(struct bench *bench, uint64_t seconds)
{
	clock_move(seconds * USEC_PER_SEC);
	while (sd_event_run(bench->event, 0) > 0)
		;
}

#define LIFE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
