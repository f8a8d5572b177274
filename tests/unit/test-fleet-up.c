/* SPDX-License-Identifier: MIT */
/*
 * test-fleet-up.c - from a service that is a mirror and a few rows to a broker that is a list, in
 * virtual time: both are functions of this test in the place of client.h's and mqtt.h's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "base/util.h"
#include "fleet/command.h"
#include "fleet/events.h"
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

static void list_attempts(const struct question *question, struct client_answer *answer)
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

static void list_units(struct client_answer *answer)
{
	answer->rows = calloc(ARRAY_SIZE(bench.units), sizeof(*answer->rows));
	for (; answer->n_rows < bench.n_units; answer->n_rows++)
		assert_int_equal(
			dict_copy(&bench.units[answer->n_rows], &answer->rows[answer->n_rows]), 0);
}

static void answer_question(void)
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

static struct retained *find_retained(const char *topic)
{
	for (size_t i = 0; i < bench.n_retained; i++)
		if (strcmp(bench.retained[i].topic, topic) == 0)
			return &bench.retained[i];
	return NULL;
}

static void retain(const char *topic, const char *payload, size_t n)
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
static const char *at_broker(const char *topic)
{
	const struct retained *retained = find_retained(topic);

	return retained && retained->payload ? retained->payload : "";
}

static json_t *document(const char *topic)
{
	json_t *json = json_loads(at_broker(topic), 0, NULL);

	if (!json)
		fail_msg("there is no JSON at '%s'", topic);
	assert_int_equal(json_integer_value(json_object_get(json, "schema")), 1);
	assert_string_equal(json_string_value(json_object_get(json, "gateway")), "gw");
	return json;
}

static void assert_text(const char *topic, const char *key, const char *expected)
{
	json_t *json = document(topic), *value = json_object_get(json, key);

	assert_non_null(value);
	assert_string_equal(json_is_null(value) ? "(null)" : json_string_value(value), expected);
	json_decref(json);
}

/* ------------------------------------------------------------------------------- the bench */

/* All that can happen without time going on. */
static void settle(void)
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

static void pass_time(uint64_t usec)
{
	settle();
	clock_move(usec);
	settle();
}

static void quiet(void)
{
	for (unsigned i = 0; i < 10; i++)
		pass_time(USEC_PER_SEC);
}

static void start_process(void)
{
	const struct up_options options = {
		.settings = &bench.settings, .state = bench.state, .images = "/"};

	assert_int_equal(up_new(bench.event, NULL, NULL, &options, &bench.up), 0);
}

static void set_broker(bool is_there)
{
	bench.is_there = is_there;
	/* What was on its way is lost. */
	bench.acknowledged_id = bench.last_id;
	up_broker(bench.up, is_there);
	settle();
}

static void set_service(bool is_there)
{
	bench.presence = is_there ? CLIENT_THERE : CLIENT_NO_SERVICE;
	up_presence(bench.up, bench.presence);
	settle();
}

/* Without a word, as SIGKILL does it: its memory is freed here, and nothing is kept any more. */
static void kill_process(void)
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

static void changed(const struct dict *properties, enum client_kind kind)
{
	struct client_object object = {.kind = kind};

	assert_int_equal(dict_copy(properties, &object.properties), 0);
	up_change(bench.up, &object);
	dict_done(&object.properties);
}

static struct dict *bridge(unsigned number)
{
	char path[64];

	snprintf(path, sizeof(path), BUS_PATH_BRIDGE "/%u", number);
	return &mirror_find(&bench.mirror, path)->properties;
}

static void set_bridge(unsigned number, const char *key, const char *value)
{
	assert_int_equal(dict_set_text(bridge(number), key, value), 0);
	changed(bridge(number), CLIENT_BRIDGE);
}

static void add_unit(const char *unit, const char *version)
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

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void begin(void)
{
	set_broker(true);
	set_service(true);
	quiet();
}

static void assert_events(uint64_t first, uint64_t last)
{
	assert_int_equal(bench.n_events, last + 1 - first);
	for (size_t i = 0; i < bench.n_events; i++)
		assert_int_equal(bench.events[i], first + i);
}

/* ------------------------------------------------------------------------------- tests */

static void all_that_is_there_is_told(void **state)
{
	(void)state;
	begin();
	assert_text(STATUS, "status", "online");
	assert_text(SLOT_1, "state", "done");
	assert_text(SLOT_1, "unit", "aa01");
	assert_text("plugflash/gw/slot/A2", "state", "empty");
	assert_text(UNIT_1, "version", "1.2.0");
	assert_text(UNIT_1, "latest_version", "1.2.0");
	assert_text(UNIT_1, "light", "good");
	assert_events(1, 3);
	/* Nobody asked for Home Assistant. */
	assert_int_equal(bench.n_retained, 4);
}

/* Nothing is told before it is known: an empty state would be the wrong one for a moment. */
static void nothing_is_told_before_the_service_was_looked_for(void **state)
{
	(void)state;
	set_broker(true);
	quiet();
	assert_int_equal(bench.n_messages, 0);
	set_service(false);
	quiet();
	assert_int_equal(bench.n_messages, 1);
	assert_text(STATUS, "status", "online");
}

static void a_change_is_one_message_and_no_change_is_none(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_messages;
	set_bridge(1, "State", "waiting");
	quiet();
	/* The slot, and the light of its unit. */
	assert_int_equal(bench.n_messages, before + 2);
	assert_text(SLOT_1, "state", "waiting");
	changed(bridge(1), CLIENT_BRIDGE);
	up_job_removed(bench.up);
	quiet();
	assert_int_equal(bench.n_messages, before + 2);
}

/* A job tells its progress four times a second. */
static void progress_is_told_by_tenths(void **state)
{
	struct dict *job;
	unsigned before;

	(void)state;
	begin();
	job = made_job(&bench.mirror, bridge(1), "abc");
	dict_set_share(job, "Progress", 0);
	changed(job, CLIENT_JOB);
	quiet();
	before = find_retained(SLOT_1)->n_sent;
	for (unsigned i = 1; i <= 1000; i++) {
		dict_set_share(job, "Progress", i / 1000.0);
		dict_set_long(job, "BytesDone", i);
		changed(job, CLIENT_JOB);
		pass_time(250 * USEC_PER_MSEC);
	}
	assert_int_equal(find_retained(SLOT_1)->n_sent, before + 10);
}

static void changes_that_come_fast_are_told_four_times_a_second(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_messages;
	for (unsigned i = 0; i < 1000; i++) {
		set_bridge(1, "State", i % 2 ? "waiting" : "working");
		pass_time(USEC_PER_MSEC);
	}
	assert_in_range(bench.n_messages - before, 2, 2 * 5);
	quiet();
	assert_text(SLOT_1, "state", "waiting");
}

/* A host whose processor is slow, or with very many bridges. */
static void a_pass_that_takes_long_comes_less_often(void **state)
{
	uint64_t begin_usec;
	unsigned before;
	char port[32];

	(void)state;
	begin();
	clock_pace = 50 * USEC_PER_MSEC;
	begin_usec = monotonic_usec();
	before = find_retained(SLOT_1)->n_sent;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(port, sizeof(port), "/dev/ttyUSB%u", i);
		set_bridge(1, "Port", port);
		pass_time(USEC_PER_MSEC);
	}
	/* A twentieth of the time, at 50 ms or more each. */
	assert_in_range(find_retained(SLOT_1)->n_sent - before, 2,
		(monotonic_usec() - begin_usec) / (20 * clock_pace) + 1);
	clock_pace = 0;
}

static void a_bridge_that_is_pulled_out_is_taken_back(void **state)
{
	(void)state;
	made_bridge(&bench.mirror, 2, "done");
	dict_set_text(bridge(2), "Path", "usb-9");
	begin();
	assert_text("plugflash/gw/slot/usb-9", "state", "done");
	client_object_free(mirror_remove(&bench.mirror, CLIENT_BRIDGE, BUS_PATH_BRIDGE "/2"));
	changed(bridge(1), CLIENT_BRIDGE);
	quiet();
	assert_string_equal(at_broker("plugflash/gw/slot/usb-9"), "");
}

static void a_service_that_restarts_takes_nothing_back(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_messages;
	set_service(false);
	quiet();
	assert_int_equal(bench.n_messages, before + 1);
	assert_non_null(strstr(at_broker(STATUS), "it is away"));
	set_service(true);
	quiet();
	assert_int_equal(bench.n_messages, before + 2);
}

static void a_broker_that_lost_all_is_told_all(void **state)
{
	(void)state;
	begin();
	set_broker(false);
	for (size_t i = 0; i < bench.n_retained; i++)
		free(TAKE_PTR(bench.retained[i].payload));
	set_broker(true);
	quiet();
	assert_text(STATUS, "status", "online");
	assert_text(SLOT_1, "state", "done");
	assert_text(UNIT_1, "version", "1.2.0");
	assert_events(1, 3);
}

static void an_offline_hour_of_a_thousand_attempts(void **state)
{
	uint64_t begin_usec;
	unsigned asked;

	(void)state;
	begin();
	set_broker(false);
	begin_usec = monotonic_usec();
	asked = bench.n_asked;
	for (unsigned i = 0; i < 1000; i++) {
		bench.last_attempt++;
		up_job_removed(bench.up);
		pass_time(3600 * USEC_PER_MSEC);
	}
	assert_true(monotonic_usec() - begin_usec >= 3600 * USEC_PER_SEC);
	assert_int_equal(bench.n_events, 3);
	/* The store has them: while nobody can be told, one question a job is for its unit. */
	assert_true(bench.n_asked - asked < 1000 + 100);
	set_broker(true);
	quiet();
	assert_events(1, 1003);
}

/* The line takes a few messages a second. */
static void a_line_that_is_slow_holds_up_and_loses_nothing(void **state)
{
	(void)state;
	bench.room = 0;
	bench.last_attempt = 150;
	begin();
	assert_int_equal(bench.n_messages, 0);
	for (unsigned i = 0; i < 80; i++) {
		bench.room = 2;
		up_pump(bench.up);
		settle();
		if (i == 0)
			assert_text(STATUS, "status", "online");
	}
	assert_events(1, 150);
}

static void what_is_too_large_is_not_sent_and_holds_up_nothing(void **state)
{
	(void)state;
	bench.size_most = 60;
	begin();
	assert_int_equal(bench.n_messages, 0);
	bench.size_most = 20000;
	bench.last_attempt++;
	up_job_removed(bench.up);
	quiet();
	assert_events(4, 4);
}

/* "online" behind it would stay there. */
static void nothing_follows_the_good_bye(void **state)
{
	unsigned before;

	(void)state;
	bench.is_deaf = true;
	begin();
	before = bench.n_messages;
	up_stop(bench.up);
	bench.is_deaf = false;
	bench.last_attempt = 40;
	up_job_removed(bench.up);
	set_bridge(1, "State", "waiting");
	quiet();
	assert_int_equal(bench.n_messages, before);
}

/* ------------------------------------------------------------------------------ restart */

static void a_killed_process_goes_on_behind_what_was_acknowledged(void **state)
{
	(void)state;
	begin();
	assert_events(1, 3);
	bench.last_attempt = 5;
	kill_process();
	start_process();
	begin();
	assert_events(1, 5);
}

/* Within the second in which the cursor waits for the disk. */
static void a_killed_process_may_tell_twice_and_never_loses(void **state)
{
	(void)state;
	begin();
	bench.last_attempt = 5;
	up_job_removed(bench.up);
	settle();
	assert_events(1, 5);
	kill_process();
	start_process();
	begin();
	assert_int_equal(bench.n_events, 7);
	assert_int_equal(bench.events[5], 4);
	assert_int_equal(bench.events[6], 5);
}

static void what_went_while_nobody_ran_is_taken_back(void **state)
{
	(void)state;
	assert_int_equal(up_tell_wish(bench.up, "gate", "{\"wish\":1}"), 0);
	assert_int_equal(up_tell_wish(bench.up, "other", "{\"wish\":2}"), 0);
	begin();
	assert_string_equal(at_broker("plugflash/gw/wish/gate"), "{\"wish\":1}");
	kill_process();
	client_object_free(mirror_remove(&bench.mirror, CLIENT_SLOT, BUS_PATH_SLOT "/2"));
	dict_set_text(&bench.units[0], "unit", "aa02");
	start_process();
	set_broker(true);
	quiet();
	assert_string_not_equal(at_broker("plugflash/gw/slot/A2"), "");
	set_service(true);
	quiet();
	assert_string_equal(at_broker("plugflash/gw/slot/A2"), "");
	assert_string_equal(at_broker(UNIT_1), "");
	assert_text("plugflash/gw/unit/aa02/state", "version", "1.2.0");
	/* Whether there still is a wish is known once the broker has told all. */
	assert_string_equal(at_broker("plugflash/gw/wish/other"), "{\"wish\":2}");
	assert_int_equal(up_tell_wish(bench.up, "gate", "{\"wish\":1}"), 0);
	up_wishes_are_told(bench.up);
	assert_string_equal(at_broker("plugflash/gw/wish/other"), "");
	assert_string_equal(at_broker("plugflash/gw/wish/gate"), "{\"wish\":1}");
}

static void a_gateway_with_another_name_leaves_none_of_the_old(void **state)
{
	(void)state;
	begin();
	kill_process();
	bench.settings.topics.gateway = "new";
	start_process();
	begin();
	assert_string_equal(at_broker(STATUS), "");
	assert_string_equal(at_broker(SLOT_1), "");
	assert_string_not_equal(at_broker("plugflash/new/slot/A1"), "");
}

static void without_a_state_directory_all_is_told(void **state)
{
	(void)state;
	kill_process();
	close(bench.state);
	bench.state = -1;
	start_process();
	begin();
	assert_text(SLOT_1, "state", "done");
	assert_events(1, 3);
}

static void files_that_nobody_wrote_are_a_first_start(void **state)
{
	(void)state;
	kill_process();
	put_text("events", "what is this");
	put_text("topics", "and\nthis\n");
	start_process();
	begin();
	assert_events(1, 3);
	assert_text(SLOT_1, "state", "done");
}

/* ------------------------------------------------------------------------------ questions */

static void a_question_that_is_not_answered_is_asked_again(void **state)
{
	(void)state;
	bench.result = CLIENT_NOT_POSSIBLE;
	begin();
	assert_int_equal(bench.n_events, 0);
	assert_string_equal(at_broker(UNIT_1), "");
	assert_text(SLOT_1, "state", "done");
	/* Not all the time. */
	assert_in_range(bench.n_asked, 2, 10);
	bench.result = CLIENT_DONE;
	quiet();
	assert_events(1, 3);
	assert_text(UNIT_1, "version", "1.2.0");
}

static void units_are_asked_for_once_a_second(void **state)
{
	unsigned before;

	(void)state;
	begin();
	before = bench.n_asked;
	for (unsigned i = 0; i < 3000; i++) {
		changed(bridge(1), CLIENT_BRIDGE);
		pass_time(USEC_PER_MSEC);
	}
	assert_in_range(bench.n_asked - before, 2, 4);
}

/* ------------------------------------------------------------------------------ home assistant */

#define HOME_1	   "homeassistant/update/plugflash_gw__aa01/config"
#define HOME_PLACE "homeassistant/update/plugflash_gw__usb-2/config"

static void home_assistant_finds_a_unit(void **state)
{
	(void)state;
	bench.settings.home_assistant = true;
	begin();
	up_set_latest(bench.up, "gate", "1.3.0");
	up_set_latest(bench.up, "another", "9");
	quiet();
	assert_text(UNIT_1, "version", "1.2.0");
	assert_text(UNIT_1, "latest_version", "1.3.0");
	assert_non_null(strstr(at_broker(HOME_1), "\"state_topic\": \"" UNIT_1 "\""));
	assert_null(strstr(at_broker(HOME_1), "command_topic"));
	up_set_latest(bench.up, "gate", "");
	quiet();
	assert_text(UNIT_1, "latest_version", "1.2.0");
	bench.n_units = 0;
	dict_done(&bench.units[0]);
	changed(bridge(1), CLIENT_BRIDGE);
	quiet();
	assert_string_equal(at_broker(HOME_1), "");
	assert_string_equal(at_broker(UNIT_1), "");
}

static void its_button_is_there_where_retry_is_allowed(void **state)
{
	(void)state;
	kill_process();
	bench.settings.home_assistant = true;
	bench.settings.commands = 1U << COMMAND_RETRY;
	start_process();
	begin();
	assert_non_null(
		strstr(at_broker(HOME_1), "\"command_topic\": \"plugflash/gw/cmd/home-aa01\""));
}

/* A command that nobody answers would be a button that does nothing. */
static void a_name_that_is_too_long_for_a_command_has_no_button(void **state)
{
	char place[COMMAND_ID_SIZE + 1] = {0};

	(void)state;
	memset(place, 'a', COMMAND_ID_SIZE);
	kill_process();
	bench.settings.home_assistant = true;
	bench.settings.commands = 1U << COMMAND_RETRY;
	dict_set_text(&bench.units[0], "unit", "");
	dict_set_text(&bench.units[0], "usb_path", place);
	start_process();
	begin();
	for (size_t i = 0; i < bench.n_retained; i++)
		assert_null(strstr(at_broker(bench.retained[i].topic), "command_topic"));
	assert_int_equal(bench.n_retained, 5);
}

/* Left of a bad contact at that place: the board there has an id meanwhile, and an entity. */
static void a_place_of_which_nothing_is_known_is_no_entity(void **state)
{
	(void)state;
	kill_process();
	bench.settings.home_assistant = true;
	dict_set_text(&bench.units[0], "unit", "");
	dict_set_text(&bench.units[0], "usb_path", "usb-2");
	dict_set_text(&bench.units[0], "usb_serial", "A1");
	dict_set_text(&bench.units[0], "state", "");
	dict_set_number(&bench.units[0], "failures", 1);
	start_process();
	begin();
	assert_non_null(strstr(at_broker(HOME_PLACE), "\"unique_id\""));
	dict_set_number(&bench.units[0], "failures", 0);
	changed(bridge(1), CLIENT_BRIDGE);
	quiet();
	assert_string_equal(at_broker(HOME_PLACE), "");
	assert_text(UNIT_PLACE, "usb_serial", "A1");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_there_is_told),
		TEST(nothing_is_told_before_the_service_was_looked_for),
		TEST(a_change_is_one_message_and_no_change_is_none),
		TEST(progress_is_told_by_tenths),
		TEST(changes_that_come_fast_are_told_four_times_a_second),
		TEST(a_pass_that_takes_long_comes_less_often),
		TEST(a_bridge_that_is_pulled_out_is_taken_back),
		TEST(a_service_that_restarts_takes_nothing_back),
		TEST(a_broker_that_lost_all_is_told_all),
		TEST(an_offline_hour_of_a_thousand_attempts),
		TEST(a_line_that_is_slow_holds_up_and_loses_nothing),
		TEST(what_is_too_large_is_not_sent_and_holds_up_nothing),
		TEST(nothing_follows_the_good_bye),
		TEST(a_killed_process_goes_on_behind_what_was_acknowledged),
		TEST(a_killed_process_may_tell_twice_and_never_loses),
		TEST(what_went_while_nobody_ran_is_taken_back),
		TEST(a_gateway_with_another_name_leaves_none_of_the_old),
		TEST(without_a_state_directory_all_is_told),
		TEST(files_that_nobody_wrote_are_a_first_start),
		TEST(a_question_that_is_not_answered_is_asked_again),
		TEST(units_are_asked_for_once_a_second),
		TEST(home_assistant_finds_a_unit),
		TEST(its_button_is_there_where_retry_is_allowed),
		TEST(a_place_of_which_nothing_is_known_is_no_entity),
		TEST(a_name_that_is_too_long_for_a_command_has_no_button),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
