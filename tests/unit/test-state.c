/* SPDX-License-Identifier: MIT */
/* test-state.c - the mirror of the service as the document that command and page share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "api/state.h"
#include "base/util.h"
#include "unit/mirror-made.h"

#define NOW 1795600000000

struct fixture {
	struct mirror mirror;
	json_t *document;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mirror_done(&fixture->mirror);
	json_decref(fixture->document);
	free(fixture);
	return 0;
}

static void make(struct fixture *fixture, enum client_presence presence)
{
	CLEANUP(state_done) struct state state = {0};
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_int_equal(state_make(&fixture->mirror, presence, "it is away", NOW, &state), 0);
	assert_int_equal(json_print_line(state_json(&state), f), 0);
	assert_int_equal(fclose(f), 0);
	assert_null(strchr(text, '\n'));
	fixture->document = json_loads(text, 0, NULL);
	assert_non_null(fixture->document);
	free(text);
}

static json_t *part(struct fixture *fixture, const char *name)
{
	json_t *value = json_object_get(fixture->document, name);

	assert_non_null(value);
	return value;
}

static json_t *slot(struct fixture *fixture, size_t i)
{
	return json_array_get(part(fixture, "slots"), i);
}

static const char *text(json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	if (!value)
		fail_msg("there is no %s", name);
	return json_is_null(value) ? "(null)" : json_string_value(value);
}

static int64_t number(json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	if (!json_is_integer(value))
		fail_msg("%s is no number", name);
	return json_integer_value(value);
}

static void without_a_service_nothing_is_told(void **state)
{
	struct fixture *fixture = *state;

	/* What is left in a mirror of before is none of it. */
	made_manager(&fixture->mirror, "running");
	made_bridge(&fixture->mirror, 1, "done");
	make(fixture, CLIENT_NO_SERVICE);
	assert_int_equal(number(fixture->document, "time_ms"), NOW);
	assert_true(json_is_false(json_object_get(part(fixture, "service"), "there")));
	assert_string_equal(text(part(fixture, "service"), "why"), "it is away");
	assert_true(json_is_null(part(fixture, "counters")));
	assert_true(json_is_null(part(fixture, "batch")));
	assert_int_equal(json_array_size(part(fixture, "slots")), 0);
}

static void slots_come_first_and_bridges_in_none_then(void **state)
{
	struct fixture *fixture = *state;

	made_manager(&fixture->mirror, "running");
	made_bridge(&fixture->mirror, 12, "waiting");
	made_bridge(&fixture->mirror, 3, "done");
	dict_set_text(made_bridge(&fixture->mirror, 2, "settling"), "Slot", "B1");
	made_slot(&fixture->mirror, 10, "A2", "/");
	made_slot(&fixture->mirror, 2, "A1", BUS_PATH_BRIDGE "/3");
	made_slot(&fixture->mirror, 11, "A3", BUS_PATH_BRIDGE "/99");
	make(fixture, CLIENT_THERE);
	assert_int_equal(json_array_size(part(fixture, "slots")), 5);
	assert_string_equal(text(slot(fixture, 0), "slot"), "A1");
	assert_string_equal(text(slot(fixture, 0), "port"), "/dev/ttyUSB2");
	assert_string_equal(text(slot(fixture, 1), "slot"), "A2");
	assert_string_equal(text(slot(fixture, 1), "state"), "empty");
	assert_string_equal(text(slot(fixture, 1), "light"), "idle");
	assert_string_equal(text(slot(fixture, 1), "object"), "(null)");
	/* Its bridge is not in the mirror yet, or not any more. */
	assert_string_equal(text(slot(fixture, 2), "state"), "empty");
	assert_string_equal(text(slot(fixture, 3), "slot"), "B1");
	assert_string_equal(text(slot(fixture, 3), "light"), "waiting");
	assert_string_equal(text(slot(fixture, 4), "slot"), "(null)");
	assert_string_equal(text(slot(fixture, 4), "port"), "/dev/ttyUSB11");
}

static void a_job_is_told_with_its_bridge(void **state)
{
	struct fixture *fixture = *state;
	struct dict *bridge, *properties;
	json_t *job;

	made_manager(&fixture->mirror, "running");
	bridge = made_bridge(&fixture->mirror, 1, "working");
	properties = made_job(&fixture->mirror, bridge, "abc");
	dict_set_text(properties, "Phase", "write");
	dict_set_text(properties, "Unit", "0011");
	dict_set_share(properties, "Progress", 0.42);
	dict_set_long(properties, "Bytes", 1000);
	dict_set_flag(properties, "Cancelable", true);
	dict_set_number(properties, "Attempt", 2);
	make(fixture, CLIENT_THERE);
	assert_string_equal(text(slot(fixture, 0), "unit"), "0011");
	assert_string_equal(text(slot(fixture, 0), "light"), "working");
	job = json_object_get(slot(fixture, 0), "job");
	assert_string_equal(text(job, "id"), "abc");
	assert_string_equal(text(job, "object"), BUS_PATH_JOB "/abc");
	assert_string_equal(text(job, "operation"), "flash");
	assert_string_equal(text(job, "phase"), "write");
	assert_int_equal(number(job, "percent"), 42);
	assert_int_equal(number(job, "attempt"), 2);
	assert_true(json_is_true(json_object_get(job, "cancelable")));
	assert_true(json_is_null(json_object_get(job, "rate")));
	assert_true(json_is_null(json_object_get(job, "expected_end_ms")));
}

static void a_share_that_is_none_is_no_percentage(void **state)
{
	static const struct {
		double share;
		int percent;
	} rows[] = {{NAN, 0}, {-1, 0}, {-INFINITY, 0}, {INFINITY, 100}, {1e300, 100}, {0.999, 99},
		{0.29, 29}, {1, 100}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture *fixture = *state;
		struct dict *job;

		made_manager(&fixture->mirror, "running");
		job = made_job(
			&fixture->mirror, made_bridge(&fixture->mirror, 1, "working"), "abc");
		dict_set_share(job, "Progress", rows[i].share);
		make(fixture, CLIENT_THERE);
		assert_int_equal(number(json_object_get(slot(fixture, 0), "job"), "percent"),
			rows[i].percent);
		json_decref(fixture->document);
		fixture->document = NULL;
	}
}

static void a_bad_end_is_told_with_what_to_do(void **state)
{
	struct fixture *fixture = *state;
	struct dict *bridge;

	made_manager(&fixture->mirror, "running");
	bridge = made_bridge(&fixture->mirror, 1, "done");
	dict_set_text(bridge, "LastOutcome", "no-sync");
	dict_set_text(bridge, "LastReason", "no boot loader answered");
	dict_set_long(bridge, "LastTime", NOW - 5);
	dict_set_long(bridge, "Since", NOW - 4);
	make(fixture, CLIENT_THERE);
	assert_string_equal(text(slot(fixture, 0), "light"), "bad");
	assert_string_equal(text(slot(fixture, 0), "outcome"), "no-sync");
	assert_string_equal(text(slot(fixture, 0), "reason"), "no boot loader answered");
	assert_non_null(strstr(text(slot(fixture, 0), "next"), "plug it in again"));
	assert_int_equal(number(slot(fixture, 0), "last_ms"), NOW - 5);
	assert_int_equal(number(slot(fixture, 0), "since_ms"), NOW - 4);
	assert_true(json_is_null(json_object_get(slot(fixture, 0), "job")));
}

static void the_service_tells_its_counts_and_its_batch(void **state)
{
	struct fixture *fixture = *state;
	CLEANUP(dict_done) struct dict counters = {0};
	struct dict *manager = made_manager(&fixture->mirror, "paused");
	json_t *part_of;

	dict_set_long(&counters, "first-pass", 10);
	dict_set_long(&counters, "retried", 1);
	dict_set_long(&counters, "bad", 2);
	dict_set_long(&counters, "updated", 10);
	dict_set_long(&counters, "no-sync", 2);
	dict_set_counts(manager, "Counters", &counters);
	dict_set_text(manager, "CountersDay", "2026-11-28");
	dict_set_text(manager, "PauseReason", "lunch");
	dict_set_number(manager, "Rules", 3);
	dict_set_text(manager, "BatchBoard", "gate");
	dict_set_number(manager, "BatchCount", 500);
	dict_set_number(manager, "BatchDone", 120);
	make(fixture, CLIENT_THERE);
	part_of = part(fixture, "service");
	assert_true(json_is_true(json_object_get(part_of, "there")));
	assert_string_equal(text(part_of, "state"), "paused");
	assert_string_equal(text(part_of, "pause_reason"), "lunch");
	assert_int_equal(number(part_of, "rules"), 3);
	part_of = part(fixture, "counters");
	assert_string_equal(text(part_of, "day"), "2026-11-28");
	assert_int_equal(number(part_of, "yield_percent"), 76);
	assert_int_equal(json_object_size(json_object_get(part_of, "outcomes")), 2);
	assert_int_equal(number(json_object_get(part_of, "outcomes"), "no-sync"), 2);
	part_of = part(fixture, "batch");
	assert_string_equal(text(part_of, "board"), "gate");
	assert_int_equal(number(part_of, "done"), 120);
	assert_true(json_is_null(json_object_get(part_of, "started_ms")));
}

static void a_yield_is_whole_only_where_all_are_good(void **state)
{
	static const struct {
		uint64_t good, bad;
		int percent; /* -1: null */
	} rows[] = {{0, 0, -1}, {1000, 0, 100}, {1000, 1, 99}, {0, 7, 0}, {1, 1, 50}, {2, 1, 66},
		{UINT64_MAX, 2, 100}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture *fixture = *state;
		CLEANUP(dict_done) struct dict counters = {0};
		json_t *percent;

		dict_set_long(&counters, "first-pass", rows[i].good);
		dict_set_long(&counters, "bad", rows[i].bad);
		dict_set_counts(made_manager(&fixture->mirror, "running"), "Counters", &counters);
		make(fixture, CLIENT_THERE);
		percent = json_object_get(part(fixture, "counters"), "yield_percent");
		if (rows[i].percent < 0)
			assert_true(json_is_null(percent));
		else
			assert_int_equal(json_integer_value(percent), rows[i].percent);
		json_decref(fixture->document);
		fixture->document = NULL;
	}
}

static void a_dict_becomes_an_object(void **state)
{
	CLEANUP(dict_done) struct dict dict = {0}, counts = {0};
	struct json *json = json_new_object();
	char *line = NULL;
	size_t n;
	FILE *f = open_memstream(&line, &n);

	(void)state;
	dict_set_long(&counts, "write", 7);
	dict_set_text(&dict, "unit", "0011");
	dict_set_text(&dict, "version", "");
	dict_set_flag(&dict, "protected", false);
	dict_set_number(&dict, "baud", 115200);
	dict_set_long(&dict, "bytes", UINT64_C(1) << 40);
	dict_set_share(&dict, "share", 0.5);
	dict_set_share(&dict, "none", NAN);
	dict_set_counts(&dict, "phase_ms", &counts);
	dict_set_other(&dict, "later");
	json_add_dict(json, "row", &dict);
	assert_int_equal(json_print_line(json, f), 0);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(line,
		"{\"row\": {\"unit\": \"0011\", \"version\": null, \"protected\": false, "
		"\"baud\": 115200, \"bytes\": 1099511627776, \"share\": 0.5, \"none\": null, "
		"\"phase_ms\": {\"write\": 7}, \"later\": null}}");
	free(line);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_a_service_nothing_is_told),
		TEST(slots_come_first_and_bridges_in_none_then),
		TEST(a_job_is_told_with_its_bridge),
		TEST(a_share_that_is_none_is_no_percentage),
		TEST(a_bad_end_is_told_with_what_to_do),
		TEST(the_service_tells_its_counts_and_its_batch),
		TEST(a_yield_is_whole_only_where_all_are_good),
		cmocka_unit_test(a_dict_becomes_an_object),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
