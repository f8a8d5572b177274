/* SPDX-License-Identifier: MIT */
/*
 * test-fleet-topics.c - templates that are refused, topics that are made of the rest, and what is
 * understood of a topic that came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/topics.h"
#include "unit/problems.h"
#include "unit/rows.h"

/* The topics of a section with these lines; its problems are the caller's to free. */
static char *read_topics(const char *lines, struct topics *ret)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char text[2048];
	int n = snprintf(text, sizeof(text), "[topics]\n%s", lines);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	assert_int_equal(ini_load_text(&ini, "f", text, (size_t)n, &problems), 0);
	*ret = (struct topics){.gateway = "gw-1"};
	assert_int_equal(topics_set_defaults(ret), 0);
	assert_int_equal(topics_read(&ini.sections[0], ret, &problems), 0);
	return dump_problems(&problems, NULL);
}

static void set_up(const char *lines, struct topics *ret)
{
	char *problems CLEANUP(freep) = read_topics(lines, ret);

	assert_string_equal(problems, "");
}

/* --------------------------------------------------------------------------------- templates */

static const struct refused {
	const char *name;
	const char *lines;
	const char *expected;
} refused[] = {
	{"a place that nobody knows", "status=a/{gateway}/{house}",
		"f:2: [topics] status: expected no braces but these, each at most once: {prefix} {gateway}, got 'a/{gateway}/{house}'\n"},
	{"a place without a meaning there", "status=a/{gateway}/{unit}",
		"f:2: [topics] status: expected no braces but these, each at most once: {prefix} {gateway}, got 'a/{gateway}/{unit}'\n"},
	{"a place twice", "status={gateway}/{gateway}",
		"f:2: [topics] status: expected no braces but these, each at most once: {prefix} {gateway}, got '{gateway}/{gateway}'\n"},
	{"a brace alone", "status={gateway}/x}",
		"f:2: [topics] status: expected no braces but these, each at most once: {prefix} {gateway}, got '{gateway}/x}'\n"},
	{"all gateways in one topic", "status=all/status",
		"f:2: [topics] status: expected {gateway} in it: without that, several would share one topic, got 'all/status'\n"},
	{"all units in one topic", "unit={prefix}/{gateway}/units",
		"f:2: [topics] unit: expected {unit} in it: without that, several would share one topic, got '{prefix}/{gateway}/units'\n"},
	{"a wildcard", "event={gateway}/+",
		"f:2: [topics] event: expected a topic of 1 to 256 visible signs of ASCII, without + # \" and \\, got '{gateway}/+'\n"},
	{"a blank", "event={gateway}/a b",
		"f:2: [topics] event: expected a topic of 1 to 256 visible signs of ASCII, without + # \" and \\, got '{gateway}/a b'\n"},
	{"what is heard beside a text", "command={gateway}/cmd-{id}",
		"f:2: [topics] command: expected {id} as a level of its own, between two '/', got '{gateway}/cmd-{id}'\n"},
	{"a board beside a text", "desired-gateway={gateway}/{board}-x",
		"f:2: [topics] desired-gateway: expected {board} as a level of its own, between two '/', got '{gateway}/{board}-x'\n"},
	{"two with one topic", "status={gateway}/x\nevent={gateway}/x",
		"f:3: [topics] event: has the topic of `status`: each needs its own\n"},
	{"a prefix with an empty level", "prefix=/acme",
		"f:2: [topics] prefix: expected one or more levels like 'acme/site7', without / at an end, + # { } \" and \\, got '/acme'\n"},
	{"a prefix with a place", "prefix={gateway}",
		"f:2: [topics] prefix: expected one or more levels like 'acme/site7', without / at an end, + # { } \" and \\, got '{gateway}'\n"},
	{"a key that nobody knows", "state={gateway}",
		"f:2: [topics] state: there is no such key; is it 'status'?\n"},
};

static void template_is_refused(void **state)
{
	const struct refused *row = *state;
	struct topics topics CLEANUP(topics_done) = {0};
	char *problems CLEANUP(freep) = read_topics(row->lines, &topics);

	assert_string_equal(problems, row->expected);
}

/* ------------------------------------------------------------------------------------ making */

static const struct made {
	const char *name;
	const char *lines;
	enum topic topic;
	struct topic_values values;
	const char *expected; /* NULL: it cannot be made */
} made[] = {
	{"status", "", TOPIC_STATUS, {0}, "plugflash/gw-1/status"},
	{"slot by its name", "", TOPIC_SLOT, {.slot = "A1"}, "plugflash/gw-1/slot/A1"},
	{"slot by its place", "", TOPIC_SLOT, {.slot = "pci-0000:00:14.0-usb-0:1:1.0"},
		"plugflash/gw-1/slot/pci-0000:00:14.0-usb-0:1:1.0"},
	{"unit", "", TOPIC_UNIT, {.unit = "3a1f"}, "plugflash/gw-1/unit/3a1f/state"},
	{"signs that mean something to a broker", "", TOPIC_SLOT, {.slot = "a/b+c#d$e f%g"},
		"plugflash/gw-1/slot/a%2Fb%2Bc%23d%24e%20f%25g"},
	{"bytes that are no ASCII", "", TOPIC_SLOT, {.slot = "\xc3\xbc\x01"},
		"plugflash/gw-1/slot/%C3%BC%01"},
	{"an empty value", "", TOPIC_SLOT, {.slot = ""}, NULL},
	{"no value", "", TOPIC_SLOT, {0}, NULL},
	{"wish", "prefix=acme/site7", TOPIC_WISH, {.board = "gate"}, "acme/site7/gw-1/wish/gate"},
	{"AWS IoT", "event=$aws/rules/plugflash/{gateway}", TOPIC_EVENT, {0},
		"$aws/rules/plugflash/gw-1"},
	{"Azure", "event=devices/{gateway}/messages/events/", TOPIC_EVENT, {0},
		"devices/gw-1/messages/events/"},
	{"thin-edge", "command=te/device/{gateway}///cmd/firmware_update/{id}", TOPIC_COMMAND,
		{.id = "7"}, "te/device/gw-1///cmd/firmware_update/7"},
	{"discovery", "", TOPIC_DISCOVERY, {.id = "plugflash_3a1f"},
		"homeassistant/update/plugflash_3a1f/config"},
};

static void topic_is_made(void **state)
{
	const struct made *row = *state;
	struct topics topics CLEANUP(topics_done) = {0};
	char text[TOPIC_SIZE];

	set_up(row->lines, &topics);
	if (row->expected)
		assert_string_equal(
			topics_make(&topics, row->topic, &row->values, text), row->expected);
	else
		assert_null(topics_make(&topics, row->topic, &row->values, text));
}

/* 256 bytes are a topic, and 257 are none; also where they are made of escapes. */
static void too_long_is_no_topic(void **state)
{
	struct topics topics CLEANUP(topics_done) = {0};
	char value[TOPIC_SIZE] = "";
	char text[TOPIC_SIZE];
	size_t n_fixed = strlen("plugflash/gw-1/slot/");
	const struct topic_values values = {.slot = value};

	(void)state;
	set_up("", &topics);
	memset(value, 'x', TOPIC_SIZE - 1 - n_fixed);
	assert_non_null(topics_make(&topics, TOPIC_SLOT, &values, text));
	assert_int_equal(strlen(text), TOPIC_SIZE - 1);
	value[0] = '/';
	assert_null(topics_make(&topics, TOPIC_SLOT, &values, text));
	value[0] = 'x';
	value[TOPIC_SIZE - 1 - n_fixed] = 'x';
	assert_null(topics_make(&topics, TOPIC_SLOT, &values, text));
}

/* --------------------------------------------------------------------------------- listening */

static char *groups[] = {"north", "all", NULL};

static void filters_have_one_wildcard(void **state)
{
	struct topics topics CLEANUP(topics_done) = {0};
	char text[TOPIC_SIZE];

	(void)state;
	set_up("", &topics);
	assert_string_equal(
		topics_filter(&topics, TOPIC_COMMAND, NULL, text), "plugflash/gw-1/cmd/+");
	assert_string_equal(topics_filter(&topics, TOPIC_DESIRED_GROUP, "north", text),
		"plugflash/desired/group/north/+");
	assert_string_equal(topics_filter(&topics, TOPIC_DESIRED_GATEWAY, NULL, text),
		"plugflash/desired/gateway/gw-1/+");
}

static const struct heard {
	const char *name;
	const char *lines;
	const char *text;
	enum topic topic; /* TOPIC_MAX: nobody asked for it */
	size_t group;
	const char *value;
} heard[] = {
	{"command", "", "plugflash/gw-1/cmd/42", TOPIC_COMMAND, 0, "42"},
	{"wish of the gateway", "", "plugflash/desired/gateway/gw-1/gate", TOPIC_DESIRED_GATEWAY, 0,
		"gate"},
	{"wish of the first group", "", "plugflash/desired/group/north/gate", TOPIC_DESIRED_GROUP,
		0, "gate"},
	{"wish of the second group", "", "plugflash/desired/group/all/gate", TOPIC_DESIRED_GROUP, 1,
		"gate"},
	{"a board with a blank", "", "plugflash/desired/group/all/a%20b", TOPIC_DESIRED_GROUP, 1,
		"a b"},
	{"wish of another group", "", "plugflash/desired/group/south/gate", TOPIC_MAX, 0, NULL},
	{"wish of another gateway", "", "plugflash/desired/gateway/gw-2/gate", TOPIC_MAX, 0, NULL},
	{"a level more", "", "plugflash/gw-1/cmd/42/x", TOPIC_MAX, 0, NULL},
	{"a level less", "", "plugflash/gw-1/cmd", TOPIC_MAX, 0, NULL},
	{"an empty level", "", "plugflash/gw-1/cmd/", TOPIC_MAX, 0, NULL},
	{"an escape of what needs none", "", "plugflash/gw-1/cmd/%34", TOPIC_MAX, 0, NULL},
	{"an escape in small letters", "", "plugflash/gw-1/cmd/a%5bo", TOPIC_MAX, 0, NULL},
	{"half an escape", "", "plugflash/gw-1/cmd/a%2", TOPIC_MAX, 0, NULL},
	{"an escaped NUL", "", "plugflash/gw-1/cmd/a%00", TOPIC_MAX, 0, NULL},
	{"a sign that should be escaped", "", "plugflash/gw-1/cmd/a b", TOPIC_MAX, 0, NULL},
	{"our own state", "", "plugflash/gw-1/status", TOPIC_MAX, 0, NULL},
	{"the wildcard itself", "", "plugflash/gw-1/cmd/+", TOPIC_MAX, 0, NULL},
	{"a wildcard in the middle", "desired-gateway=x/{board}/for/{gateway}", "x/gate/for/gw-1",
		TOPIC_DESIRED_GATEWAY, 0, "gate"},
	{"another end behind it", "desired-gateway=x/{board}/for/{gateway}", "x/gate/for/gw-12",
		TOPIC_MAX, 0, NULL},
};

static void topic_is_understood(void **state)
{
	const struct heard *row = *state;
	struct topics topics CLEANUP(topics_done) = {0};
	struct topic_match match = {0};

	set_up(row->lines, &topics);
	assert_int_equal(
		topics_match(&topics, groups, 2, row->text, &match), row->topic != TOPIC_MAX);
	if (row->topic == TOPIC_MAX)
		return;
	assert_int_equal(match.topic, row->topic);
	assert_int_equal(match.group, row->group);
	assert_string_equal(match.value, row->value);
}

static void too_long_is_not_understood(void **state)
{
	struct topics topics CLEANUP(topics_done) = {0};
	struct topic_match match = {0};
	char text[TOPIC_SIZE + 1] = "plugflash/gw-1/cmd/";

	(void)state;
	set_up("", &topics);
	memset(text + strlen(text), 'x', TOPIC_SIZE - 1 - strlen(text));
	assert_true(topics_match(&topics, groups, 2, text, &match));
	text[TOPIC_SIZE - 1] = 'x';
	assert_false(topics_match(&topics, groups, 2, text, &match));
}

/* Whatever a board is called, its topic leads back to it; one that is too long leads nowhere. */
static void what_is_made_is_understood(void **state)
{
	struct topics topics CLEANUP(topics_done) = {0};
	char text[TOPIC_SIZE];

	(void)state;
	set_up("", &topics);
	for (unsigned byte = 1; byte < 256; byte++) {
		const char board[] = {'a', (char)byte, 'b', '\0'};
		const struct topic_values values = {.board = board};
		struct topic_match match = {0};

		assert_non_null(topics_make(&topics, TOPIC_DESIRED_GATEWAY, &values, text));
		assert_null(strpbrk(text, "+#"));
		assert_true(topics_match(&topics, groups, 2, text, &match));
		assert_string_equal(match.value, board);
	}
}

int main(void)
{
	static struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, refused, template_is_refused);
	ADD_ROWS(tests, n, made, topic_is_made);
	ADD_TEST(tests, n, too_long_is_no_topic);
	ADD_TEST(tests, n, filters_have_one_wildcard);
	ADD_ROWS(tests, n, heard, topic_is_understood);
	ADD_TEST(tests, n, too_long_is_not_understood);
	ADD_TEST(tests, n, what_is_made_is_understood);
	return RUN_TESTS("topics", tests, n);
}
