/* SPDX-License-Identifier: MIT */
/* What a payload at cmd/{id} asks for, what is wrong with one, and what answers it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/util.h"
#include "fleet/command.h"

#define OF(verb, rest) "{\"schema\": 1, \"verb\": \"" verb "\", " rest "\"status\": \"init\"}"

static const struct good {
	const char *payload;
	struct command command;
} goods[] = {
	{OF("retry", "\"unit\": \"0123\", "), {.verb = COMMAND_RETRY, .unit = "0123"}},
	{OF("retry", "\"slot\": \"A 1\", \"board\": \"gate\", "),
		{.verb = COMMAND_RETRY, .slot = "A 1", .board = "gate"}},
	{OF("pause", ""), {.verb = COMMAND_PAUSE}},
	{OF("pause", "\"why\": \"recall\", "), {.verb = COMMAND_PAUSE, .why = "recall"}},
	{OF("pause", "\"board\": \"gate\", "), {.verb = COMMAND_PAUSE, .board = "gate"}},
	{OF("resume", ""), {.verb = COMMAND_RESUME}},
	{OF("verify", "\"board\": \"gate\", "), {.verb = COMMAND_VERIFY, .board = "gate"}},
	{OF("identify", "\"slot\": \"A1\", "), {.verb = COMMAND_IDENTIFY, .slot = "A1"}},
	/* The fleet may be newer, and what stands for nothing is nothing. */
	{OF("retry", "\"unit\": \"1\", \"slot\": null, \"by\": {\"who\": [\"me\", 1]}, "),
		{.verb = COMMAND_RETRY, .unit = "1"}},
	{"{\"status\":\"init\",\"verb\":\"pause\"}", {.verb = COMMAND_PAUSE}},
	/* Others write these, or we did. */
	{"{\"status\":\"executing\",\"verb\":\"retry\",\"unit\":\"1\"}",
		{.verb = COMMAND_RETRY, .unit = "1", .status = COMMAND_EXECUTING}},
	{"{\"status\":\"failed\",\"verb\":null,\"reason\":\"verb: missing\"}",
		{.verb = COMMAND_VERB_MAX, .status = COMMAND_FAILED}},
};

static void what_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
		const struct command *expected = &goods[i].command;
		struct command command;
		struct reason reason = {""};
		int r = command_parse(
			goods[i].payload, strlen(goods[i].payload), &command, &reason);

		if (r != COMMAND_OK)
			fail_msg("%s: %d, %s", goods[i].payload, r, reason.text);
		assert_int_equal(command.verb, expected->verb);
		assert_int_equal(command.status, expected->status);
		assert_string_equal(command.unit, expected->unit);
		assert_string_equal(command.slot, expected->slot);
		assert_string_equal(command.board, expected->board);
		assert_string_equal(command.why, expected->why);
	}
}

static const struct bad {
	const char *payload, *reason; /* a part of it */
} bads[] = {
	{"", "no JSON"},
	{"retry", "no JSON"},
	{"{\"verb\":\"retry\",\"unit\":\"1\",\"status\":\"init\"", "no JSON"},
	{"{\"verb\":\"pause\",\"verb\":\"resume\",\"status\":\"init\"}", "no JSON"},
	{"[]", "status: missing"},
	{"[\"retry\", \"init\"]", "status: missing"},
	{"{}", "status: missing"},
	{"{\"verb\":\"retry\",\"unit\":\"1\"}", "status: missing"},
	{"{\"status\":\"init\"}", "verb: missing"},
	{OF("erase", ""), "verb: expected retry"},
	{OF("", ""), "verb: expected retry"},
	{"{\"status\":\"init\",\"verb\":7}", "verb: expected retry"},
	{"{\"status\":\"init\",\"verb\":[\"retry\"],\"unit\":\"1\"}", "verb: expected retry"},
	{OF("retry", ""), "retry: it takes unit, slot or board"},
	{OF("verify", "\"why\": \"x\", "), "verify: it takes unit, slot or board"},
	{OF("identify", "\"board\": \"gate\", "), "identify: it takes unit or slot"},
	{OF("pause", "\"unit\": \"1\", "), "pause: it takes board"},
	{OF("resume", "\"slot\": \"1\", \"board\": \"gate\", "), "resume: it takes board"},
	/* Left out it would be for all units of that board. */
	{OF("retry", "\"unit\": 7, \"board\": \"gate\", "), "unit: expected a text"},
	{OF("retry", "\"unit\": \"\", \"board\": \"gate\", "), "unit: expected a text"},
	{OF("retry", "\"unit\": [\"1\"], \"board\": \"gate\", "), "unit: expected a text"},
	{OF("retry", "\"unit\": {\"id\": \"1\"}, \"board\": \"gate\", "), "unit: expected a text"},
	{OF("retry", "\"unit\": {}, \"board\": \"gate\", "), "unit: expected a text"},
	{OF("retry", "\"unit\": true, \"board\": \"gate\", "), "unit: expected a text"},
	{OF("retry", "\"unit\": "
		     "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\", "),
		"unit: the text is too long"},
	{"{\"schema\":2,\"status\":\"init\",\"verb\":\"pause\"}", "schema: expected 1"},
	{"{\"schema\":\"1\",\"status\":\"init\",\"verb\":\"pause\"}", "schema: expected 1"},
	{OF("pause", "\"a\": {\"b\": {\"c\": {\"d\": {\"e\": {}}}}}, "), "within one another"},
};

static void what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		struct command command;
		struct reason reason = {""};
		int r = command_parse(bads[i].payload, strlen(bads[i].payload), &command, &reason);

		if (r != COMMAND_REFUSED || !strstr(reason.text, bads[i].reason))
			fail_msg("%s: %d, '%s'; expected '%s'", bads[i].payload, r, reason.text,
				bads[i].reason);
	}
}

static void what_is_not_ours(void **state)
{
	static const char *const payloads[] = {
		"{\"status\":\"scheduled\",\"verb\":\"retry\",\"unit\":\"1\"}",
		"{\"status\":null}",
		"{\"status\":1,\"verb\":\"pause\"}",
		"{\"status\":[\"init\"],\"verb\":\"pause\"}",
		"{\"status\":{\"init\":\"init\"},\"verb\":\"pause\"}",
	};
	struct command command;
	struct reason reason;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(payloads); i++)
		assert_int_equal(command_parse(payloads[i], strlen(payloads[i]), &command, &reason),
			COMMAND_NOT_OURS);
}

/* As long as it may be it is read; one byte more is not looked at. */
static void how_long_it_may_be(void **state)
{
	static const char begin[] = "{\"status\":\"init\",\"verb\":\"pause\"";
	char payload[COMMAND_BYTES_MOST + 1];
	struct command command;
	struct reason reason;

	(void)state;
	memset(payload, ' ', sizeof(payload));
	memcpy(payload, begin, sizeof(begin) - 1);
	payload[COMMAND_BYTES_MOST - 1] = '}';
	assert_int_equal(command_parse(payload, COMMAND_BYTES_MOST, &command, &reason), COMMAND_OK);
	assert_int_equal(
		command_parse(payload, COMMAND_BYTES_MOST + 1, &command, &reason), COMMAND_REFUSED);
	assert_non_null(strstr(reason.text, "too long"));
}

static void which_verbs_are_allowed(void **state)
{
	static const struct {
		const char *list;
		unsigned allowed;
	} rows[] = {
		{"", 0},
		{" ", 0},
		{"retry", 1U << COMMAND_RETRY},
		{"retry, verify", 1U << COMMAND_RETRY | 1U << COMMAND_VERIFY},
		{"identify\tpause,,resume ",
			1U << COMMAND_IDENTIFY | 1U << COMMAND_PAUSE | 1U << COMMAND_RESUME},
	};
	static const char *const wrong[] = {"all", "retry; verify", "retr", "retryy", "Retry"};
	struct reason reason;
	unsigned allowed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(command_verbs_parse(rows[i].list, &allowed, &reason), 0);
		assert_int_equal(allowed, rows[i].allowed);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(command_verbs_parse(wrong[i], &allowed, &reason), -EINVAL);
		assert_non_null(strstr(reason.text, "expected retry, pause"));
	}
}

static void which_ids_there_are(void **state)
{
	char longest[COMMAND_ID_SIZE + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[COMMAND_ID_SIZE] = '\0';
	assert_false(command_id_is_valid(longest));
	longest[COMMAND_ID_SIZE - 1] = '\0';
	assert_true(command_id_is_valid(longest));
	assert_true(command_id_is_valid("2026-11-30_retry.1"));
	assert_false(command_id_is_valid(""));
	assert_false(command_id_is_valid("a/b"));
	assert_false(command_id_is_valid("+"));
	assert_false(command_id_is_valid("\xc3\xa4"));
}

static void what_answers_it(void **state)
{
	const struct command command = {.verb = COMMAND_RETRY, .slot = "A \"1\"\n"};
	const struct command unknown = {.verb = COMMAND_VERB_MAX};
	const struct command_answer rows[] = {
		{.status = COMMAND_SUCCESSFUL, .units = 2},
		{.status = COMMAND_FAILED, .reason = "verb: missing"},
	};
	CLEANUP(freep) char *first = NULL;
	CLEANUP(freep) char *second = NULL;
	struct command back;
	struct reason reason;
	size_t n = 0;

	(void)state;
	assert_int_equal(command_answer_to_json(&command, &rows[0], &first, &n), 0);
	assert_string_equal(first,
		"{\"schema\": 1, \"verb\": \"retry\", \"unit\": null, \"slot\": \"A \\\"1\\\"\\n\", \"board\": null, \"why\": null, \"status\": \"successful\", \"reason\": null, \"units\": 2}");
	assert_int_equal(n, strlen(first));
	/* It comes back, and asks for nothing. */
	assert_int_equal(command_parse(first, n, &back, &reason), COMMAND_OK);
	assert_int_equal(back.status, COMMAND_SUCCESSFUL);
	assert_string_equal(back.slot, command.slot);

	assert_int_equal(command_answer_to_json(&unknown, &rows[1], &second, &n), 0);
	assert_non_null(strstr(second, "\"verb\": null"));
	assert_non_null(strstr(second, "\"status\": \"failed\", \"reason\": \"verb: missing\""));
}

/* ------------------------------------------------------------------------- as it is described */

static json_t *describe(json_t *schema, const char *key)
{
	json_t *property = json_object_get(json_object_get(schema, "properties"), key);

	if (!property)
		fail_msg("src/doc/fleet/command.json does not describe '%s'", key);
	return property;
}

static void has_words(json_t *property, const char *(*word_of)(unsigned), unsigned n, size_t extra)
{
	json_t *words = json_object_get(property, "enum");

	assert_int_equal(json_array_size(words), n + extra);
	for (unsigned i = 0; i < n; i++)
		assert_string_equal(json_string_value(json_array_get(words, i)), word_of(i));
}

static const char *verb_word(unsigned i)
{
	return command_verb_to_string((enum command_verb)i);
}

static const char *status_word(unsigned i)
{
	return command_status_to_string((enum command_status)i);
}

/* All that an answer has, and no more; null stands behind the verbs. */
static void what_is_described(void **state)
{
	const struct command command = {.verb = COMMAND_RETRY};
	const struct command_answer answer = {.status = COMMAND_EXECUTING};
	json_t *schema = json_load_file("src/doc/fleet/command.json", JSON_REJECT_DUPLICATES, NULL);
	CLEANUP(freep) char *payload = NULL;
	const char *key;
	json_t *made, *member;

	(void)state;
	assert_non_null(schema);
	assert_int_equal(command_answer_to_json(&command, &answer, &payload, NULL), 0);
	made = json_loads(payload, 0, NULL);
	json_object_foreach(made, key, member)
	{
		(void)describe(schema, key);
	}
	assert_int_equal(
		json_object_size(made), json_object_size(json_object_get(schema, "properties")));
	has_words(describe(schema, "verb"), verb_word, COMMAND_VERB_MAX, 1);
	has_words(describe(schema, "status"), status_word, COMMAND_STATUS_MAX, 0);
	json_decref(made);
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(what_is_not_ours),
		cmocka_unit_test(how_long_it_may_be),
		cmocka_unit_test(which_verbs_are_allowed),
		cmocka_unit_test(which_ids_there_are),
		cmocka_unit_test(what_answers_it),
		cmocka_unit_test(what_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
