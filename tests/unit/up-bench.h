/* SPDX-License-Identifier: MIT */
/*
 * up-bench.h - from a service that is a mirror and a few rows to a broker that is a list, in
 * virtual time: both are functions of this bench in the place of client.h's and mqtt.h's. Include
 * after cmocka.h.
 */
#pragma once

#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "base/util.h"
#include "fleet/up.h"
#include "unit/folder.h"
#include "unit/mirror-made.h"
#include "unit/virtual-clock.h"

#define STORE "0123456789abcdef0123456789abcdef"

struct question {
	char method[32];
	uint64_t after;
	uint32_t max;
	bool is_newest;
	client_reply *reply;
	void *userdata;
};

struct retained {
	char topic[TOPIC_SIZE];
	char *payload;
	unsigned n_sent;
};

static struct bench {
	sd_event *event;
	struct fleet_settings settings;
	int state;
	struct up *up;
	/* The service. */
	struct mirror mirror;
	enum client_presence presence;
	uint64_t last_attempt;
	struct dict units[4];
	size_t n_units;
	struct question questions[8];
	size_t n_questions;
	unsigned n_asked;
	enum client_result result;
	/* The broker. */
	bool is_there, is_deaf;
	unsigned room; /* messages that it takes before it is busy */
	size_t size_most;
	unsigned last_id, acknowledged_id;
	struct retained retained[64];
	size_t n_retained;
	unsigned n_messages;
	uint64_t events[3000]; /* their ids, in order of coming */
	size_t n_events;
} bench;

/* ---------------------------------------------------------------------- in place of client.h */

enum client_presence client_presence(const struct client *client)
{
	(void)client;
	return bench.presence;
}

const char *client_why(const struct client *client)
{
	(void)client;
	return "it is away";
}

const struct mirror *client_mirror(const struct client *client)
{
	static const struct mirror none;

	(void)client;
	return bench.presence == CLIENT_THERE ? &bench.mirror : &none;
}

const struct dict *client_manager(const struct client *client)
{
	static const struct dict none;
	const struct mirror_list *list = &client_mirror(client)->lists[CLIENT_MANAGER];

	return list->n_items > 0 ? &list->items[0]->properties : &none;
}

void client_forget(struct client *client, const void *userdata)
{
	(void)client;
	for (size_t i = 0; i < bench.n_questions; i++)
		if (bench.questions[i].userdata == userdata)
			bench.questions[i].reply = NULL;
}

int client_call(struct client *client, const struct client_call *call, client_reply *reply,
	void *userdata, const char *types, ...)
{
	struct question *question = &bench.questions[bench.n_questions];
	va_list values;

	(void)client;
	assert_true(bench.n_questions++ < ARRAY_SIZE(bench.questions));
	assert_string_equal(types, "tu");
	bench.n_asked++;
	*question = (struct question){.reply = reply, .userdata = userdata};
	snprintf(question->method, sizeof(question->method), "%s", call->method);
	question->is_newest = dict_flag(call->options, "newest");
	va_start(values, types);
	question->after = va_arg(values, uint64_t);
	question->max = va_arg(values, uint32_t);
	va_end(values);
	return 0;
}

static inline void list_attempts(const struct question *question, struct client_answer *answer)
{
	uint64_t id = question->is_newest ? bench.last_attempt : question->after + 1;

	answer->rows = calloc(question->max, sizeof(*answer->rows));
	for (; id > 0 && id <= bench.last_attempt && answer->n_rows < question->max; id++) {
		struct dict *row = &answer->rows[answer->n_rows++];

		dict_set_long(row, "id", id);
		dict_set_long(row, "ended", id);
		dict_set_text(row, "outcome", "updated");
	}
}

static inline void list_units(struct client_answer *answer)
{
	answer->rows = calloc(ARRAY_SIZE(bench.units), sizeof(*answer->rows));
	for (; answer->n_rows < bench.n_units; answer->n_rows++)
		assert_int_equal(
			dict_copy(&bench.units[answer->n_rows], &answer->rows[answer->n_rows]), 0);
}

static inline void answer_question(void)
{
	struct question question = bench.questions[0];
	struct client_answer answer = {.result = bench.result, .fd = -1};

	bench.n_questions--;
	memmove(bench.questions, bench.questions + 1, bench.n_questions * sizeof(question));
	if (bench.presence != CLIENT_THERE)
		answer.result = CLIENT_AWAY;
	else if (answer.result == CLIENT_DONE && strcmp(question.method, "ListUnits") == 0)
		list_units(&answer);
	else if (answer.result == CLIENT_DONE)
		list_attempts(&question, &answer);
	if (question.reply)
		question.reply(question.userdata, &answer);
	for (size_t i = 0; i < answer.n_rows; i++)
		dict_done(&answer.rows[i]);
	free(answer.rows);
}

/* ------------------------------------------------------------------------ in place of mqtt.h */

bool mqtt_is_there(const struct mqtt *mqtt)
{
	(void)mqtt;
	return bench.is_there;
}

static inline struct retained *find_retained(const char *topic)
{
	for (size_t i = 0; i < bench.n_retained; i++)
		if (strcmp(bench.retained[i].topic, topic) == 0)
			return &bench.retained[i];
	return NULL;
}

static inline void retain(const char *topic, const char *payload, size_t n)
{
	struct retained *retained = find_retained(topic);

	if (!retained) {
		assert_true(bench.n_retained < ARRAY_SIZE(bench.retained));
		retained = &bench.retained[bench.n_retained++];
		snprintf(retained->topic, sizeof(retained->topic), "%s", topic);
	}
	free(TAKE_PTR(retained->payload));
	if (n > 0)
		retained->payload = strndup(payload, n);
	retained->n_sent++;
}

int mqtt_publish(struct mqtt *mqtt, const char *topic, const char *payload, size_t n,
	enum mqtt_quality quality, bool is_retained, unsigned *ret_id)
{
	(void)mqtt;
	assert_int_equal(quality, MQTT_AT_LEAST_ONCE);
	if (!bench.is_there)
		return MQTT_AWAY;
	if (bench.room == 0)
		return MQTT_BUSY;
	if (n > bench.size_most)
		return MQTT_TOO_LARGE;
	bench.room--;
	bench.n_messages++;
	*ret_id = ++bench.last_id;
	if (is_retained) {
		retain(topic, payload, n);
	} else {
		json_t *json = json_loadb(payload, n, 0, NULL);

		assert_string_equal(topic, "plugflash/gw/event");
		assert_true(bench.n_events < ARRAY_SIZE(bench.events));
		bench.events[bench.n_events++] =
			(uint64_t)json_integer_value(json_object_get(json, "id"));
		json_decref(json);
	}
	return 0;
}

/* What the broker has under the topic, or "" nothing. */
static inline const char *at_broker(const char *topic)
{
	const struct retained *retained = find_retained(topic);

	return retained && retained->payload ? retained->payload : "";
}

static inline json_t *document(const char *topic)
{
	json_t *json = json_loads(at_broker(topic), 0, NULL);

	if (!json)
		fail_msg("there is no JSON at '%s'", topic);
	assert_int_equal(json_integer_value(json_object_get(json, "schema")), 1);
	assert_string_equal(json_string_value(json_object_get(json, "gateway")), "gw");
	return json;
}

static inline void assert_text(const char *topic, const char *key, const char *expected)
{
	json_t *json = document(topic), *value = json_object_get(json, key);

	assert_non_null(value);
	assert_string_equal(json_is_null(value) ? "(null)" : json_string_value(value), expected);
	json_decref(json);
}

/* ------------------------------------------------------------------------------- the bench */

/* All that can happen without time going on. */
static inline void settle(void)
{
	bool goes_on;

	do {
		goes_on = sd_event_run(bench.event, 0) > 0;
		while (bench.n_questions > 0) {
			answer_question();
			goes_on = true;
		}
		while (!bench.is_deaf && bench.acknowledged_id < bench.last_id) {
			up_acknowledged(bench.up, ++bench.acknowledged_id);
			goes_on = true;
		}
	} while (goes_on);
}

static inline void pass_time(uint64_t usec)
{
	settle();
	clock_move(usec);
	settle();
}

static inline void quiet(void)
{
	for (unsigned i = 0; i < 10; i++)
		pass_time(USEC_PER_SEC);
}

static inline void start_process(void)
{
	const struct up_options options = {
		.settings = &bench.settings, .state = bench.state, .images = "/"};

	assert_int_equal(up_new(bench.event, NULL, NULL, &options, &bench.up), 0);
}

static inline void set_broker(bool is_there)
{
	bench.is_there = is_there;
	/* What was on its way is lost. */
	bench.acknowledged_id = bench.last_id;
	up_broker(bench.up, is_there);
	settle();
}

static inline void set_service(bool is_there)
{
	bench.presence = is_there ? CLIENT_THERE : CLIENT_NO_SERVICE;
	up_presence(bench.up, bench.presence);
	settle();
}

/* Without a word, as SIGKILL does it: its memory is freed here, and nothing is kept any more. */
static inline void kill_process(void)
{
	int state = bench.state;

	bench.acknowledged_id = bench.last_id;
	close(bench.state);
	bench.up = up_free(bench.up);
	bench.state = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bench.state, state);
	bench.presence = CLIENT_ASKING;
	bench.is_there = false;
}

static inline void changed(const struct dict *properties, enum client_kind kind)
{
	struct client_object object = {.kind = kind};

	assert_int_equal(dict_copy(properties, &object.properties), 0);
	up_change(bench.up, &object);
	dict_done(&object.properties);
}

static inline struct dict *bridge(unsigned number)
{
	char path[64];

	snprintf(path, sizeof(path), BUS_PATH_BRIDGE "/%u", number);
	return &mirror_find(&bench.mirror, path)->properties;
}

static inline void set_bridge(unsigned number, const char *key, const char *value)
{
	assert_int_equal(dict_set_text(bridge(number), key, value), 0);
	changed(bridge(number), CLIENT_BRIDGE);
}

static inline void add_unit(const char *unit, const char *version)
{
	struct dict *row = &bench.units[bench.n_units++];

	dict_set_long(row, "id", bench.n_units);
	dict_set_text(row, "unit", unit);
	dict_set_text(row, "board", "gate");
	dict_set_text(row, "chip", "STM32F103");
	dict_set_text(row, "state", "whole");
	dict_set_text(row, "version", version);
	dict_set_number(row, "failures", 0);
}

#define STATUS	   "plugflash/gw/status"
#define SLOT_1	   "plugflash/gw/slot/A1"
#define UNIT_1	   "plugflash/gw/unit/aa01/state"
#define UNIT_PLACE "plugflash/gw/unit/usb-2/state"

static inline int set_up(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	bench = (struct bench){.presence = CLIENT_ASKING, .room = UINT32_MAX, .size_most = 20000};
	bench.state = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(sd_event_new(&bench.event) >= 0);
	bench.settings.gateway = "gw";
	assert_int_equal(topics_set_defaults(&bench.settings.topics), 0);
	bench.settings.topics.gateway = bench.settings.gateway;
	dict_set_text(made_manager(&bench.mirror, "running"), "Store", STORE);
	made_bridge(&bench.mirror, 1, "done");
	dict_set_text(bridge(1), "Unit", "aa01");
	dict_set_text(bridge(1), "LastOutcome", "updated");
	made_slot(&bench.mirror, 1, "A1", BUS_PATH_BRIDGE "/1");
	made_slot(&bench.mirror, 2, "A2", "/");
	add_unit("aa01", "1.2.0");
	bench.last_attempt = 3;
	start_process();
	return 0;
}

static inline int tear_down(void **state)
{
	up_free(bench.up);
	mirror_done(&bench.mirror);
	for (size_t i = 0; i < bench.n_units; i++)
		dict_done(&bench.units[i]);
	for (size_t i = 0; i < bench.n_retained; i++)
		free(bench.retained[i].payload);
	topics_done(&bench.settings.topics);
	sd_event_unref(bench.event);
	close(bench.state);
	if (folder_remove(state) < 0)
		return -1;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return 0;
}

static inline void begin(void)
{
	set_broker(true);
	set_service(true);
	quiet();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
