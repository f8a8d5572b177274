/* SPDX-License-Identifier: MIT */
/*
 * The life of commands over brokers and services that come and go: what is refused, and what is
 * answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "unit/commands-bench.h"

/* ------------------------------------------------------------------ the life */

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

/* ------------------------------------------------------------------ no room for an answer */

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
		LIFE(an_answer_that_is_too_large),
		LIFE(an_end_without_memory_for_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
