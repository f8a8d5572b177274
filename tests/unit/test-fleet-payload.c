/* SPDX-License-Identifier: MIT */
/* test-fleet-payload.c - what the broker is told, value by value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "api/fields.h"
#include "fleet/home.h"
#include "fleet/payload.h"
#include "records/store-dict.h"
#include "unit/mirror-made.h"
#include "unit/rows.h"

static json_t *parsed(int r, char **made)
{
	char *payload = *made;
	json_error_t error;
	json_t *json;

	assert_int_equal(r, 0);
	assert_null(strchr(payload, '\n'));
	json = json_loads(payload, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("'%s': %s", payload, error.text);
	assert_int_equal(json_integer_value(json_object_get(json, "schema")), PAYLOAD_SCHEMA);
	assert_string_equal(json_string_value(json_object_get(json, "gateway")), "gw");
	free(payload);
	return json;
}

static json_t *value(json_t *json, const char *key)
{
	json_t *found = json_object_get(json, key);

	if (!found)
		fail_msg("there is no '%s'", key);
	return found;
}

static const char *text(json_t *json, const char *key)
{
	json_t *found = value(json, key);

	return json_is_null(found) ? "(null)" : json_string_value(found);
}

/* ----------------------------------------------------------------------------- gateway */

static void a_status_tells_gateway_and_service(void **state)
{
	static char *groups[] = {"hall-3", "all"};
	const struct payload_gateway gateway = {.name = "gw",
		.groups = groups,
		.n_groups = 2,
		.since_ms = 1795600000000,
		.free_bytes = 5 * PAYLOAD_SPACE_STEP - 1};
	struct mirror mirror = {0};
	struct state there = {0}, away = {0};
	char *payload = NULL;
	json_t *json;

	(void)state;
	made_manager(&mirror, "running");
	assert_int_equal(state_make(&mirror, CLIENT_THERE, "", 1, &there), 0);
	json = parsed(payload_status(&gateway, &there, &payload), &payload);
	assert_string_equal(text(json, "status"), "online");
	assert_int_equal(json_integer_value(value(json, "free_bytes")), 4 * PAYLOAD_SPACE_STEP);
	assert_int_equal(json_array_size(value(json, "groups")), 2);
	assert_string_equal(text(value(json, "service"), "state"), "running");
	json_decref(json);
	assert_int_equal(state_make(&mirror, CLIENT_NO_SERVICE, "it is away", 2, &away), 0);
	json = parsed(payload_status(&gateway, &away, &payload), &payload);
	assert_true(json_is_false(value(value(json, "service"), "there")));
	assert_string_equal(text(value(json, "service"), "why"), "it is away");
	json_decref(json);
	state_done(&there);
	state_done(&away);
	mirror_done(&mirror);
}

/* Time goes on, and free space changes by a few bytes: that alone is no news. */
static void equal_things_are_equal_bytes(void **state)
{
	struct payload_gateway gateway = {.name = "gw", .free_bytes = 7 * PAYLOAD_SPACE_STEP};
	struct mirror mirror = {0};
	struct state one = {0}, other = {0};
	char *a = NULL, *b = NULL;

	(void)state;
	made_manager(&mirror, "running");
	assert_int_equal(state_make(&mirror, CLIENT_THERE, "", 1, &one), 0);
	assert_int_equal(state_make(&mirror, CLIENT_THERE, "", 99999, &other), 0);
	assert_int_equal(payload_status(&gateway, &one, &a), 0);
	gateway.free_bytes += 4096;
	assert_int_equal(payload_status(&gateway, &other, &b), 0);
	assert_string_equal(a, b);
	free(a);
	free(b);
	state_done(&one);
	state_done(&other);
	mirror_done(&mirror);
}

static void the_will_says_offline(void **state)
{
	char *payload = NULL;
	json_t *json = parsed(payload_offline("gw", &payload), &payload);

	(void)state;
	assert_string_equal(text(json, "status"), "offline");
	assert_int_equal(json_object_size(json), 3);
	json_decref(json);
}

/* -------------------------------------------------------------------------------- slot */

static const struct percent_row {
	const char *name;
	double share;
	unsigned expected;
} percents[] = {
	{"nothing", 0, 0},
	{"below a tenth", 0.0999, 0},
	{"a tenth", 0.1, 10},
	{"nearly all", 0.999, 90},
	{"all", 1, 100},
};

static void a_job_tells_tenths(void **state)
{
	const struct percent_row *row = *state;
	struct mirror mirror = {0};
	struct state_slot slot;
	struct dict *bridge, *job;
	char *payload = NULL;
	json_t *json;

	bridge = made_bridge(&mirror, 1, "working");
	job = made_job(&mirror, bridge, "abc");
	dict_set_share(job, "Progress", row->share);
	dict_set_long(job, "BytesDone", 12345);
	state_bridge(&mirror, mirror_find(&mirror, BUS_PATH_BRIDGE "/1"), &slot);
	json = parsed(payload_slot("gw", &slot, &payload), &payload);
	assert_int_equal(json_integer_value(value(value(json, "job"), "percent")), row->expected);
	assert_null(json_object_get(value(json, "job"), "bytes_done"));
	json_decref(json);
	mirror_done(&mirror);
}

/* -------------------------------------------------------------------------------- unit */

static json_t *unit_json(struct dict *row, const struct state_slot *slot, const char *latest)
{
	const struct payload_unit unit = {.row = row, .slot = slot, .latest = latest};
	char *payload = NULL;

	return parsed(payload_unit("gw", &unit, &payload), &payload);
}

static void a_unit_that_is_nowhere_keeps_its_record(void **state)
{
	struct dict row = {0};
	json_t *json;

	(void)state;
	dict_set_text(&row, "unit", "aa01");
	dict_set_text(&row, "version", "1.2.0");
	dict_set_number(&row, "failures", 2);
	dict_set_flag(&row, "board", true); /* of a kind that it should not have */
	json = unit_json(&row, NULL, "");
	assert_string_equal(text(json, "unit"), "aa01");
	assert_string_equal(text(json, "latest_version"), "1.2.0");
	assert_string_equal(text(json, "board"), "(null)");
	assert_int_equal(json_integer_value(value(json, "failures")), 2);
	assert_true(json_is_false(value(json, "there")));
	assert_true(json_is_null(value(json, "light")));
	assert_true(json_is_null(value(json, "job")));
	json_decref(json);
	json = unit_json(&row, NULL, "1.3.0");
	assert_string_equal(text(json, "latest_version"), "1.3.0");
	json_decref(json);
	dict_done(&row);
}

/* A field that the store gets is one for the broker as well. */
static void all_that_the_store_tells_of_a_unit_is_told(void **state)
{
	struct dict row = {0};
	json_t *json = unit_json(&row, NULL, "");

	(void)state;
	for (const struct store_field *field = unit_fields; field->name; field++)
		if (!json_object_get(json, field->name))
			fail_msg("'%s' of ListUnits is not told", field->name);
	json_decref(json);
}

static void a_unit_is_known_by_its_id_or_its_place(void **state)
{
	struct dict row = {0};

	(void)state;
	assert_string_equal(payload_unit_name(&row), "");
	dict_set_text(&row, "usb_path", "usb-1.2");
	assert_string_equal(payload_unit_name(&row), "usb-1.2");
	dict_set_text(&row, "unit", "aa01");
	assert_string_equal(payload_unit_name(&row), "aa01");
	dict_done(&row);
}

/* ------------------------------------------------------------------------------ events */

static json_t *attempt_json(struct dict *row, const char *store)
{
	char *payload = NULL;

	return parsed(payload_attempt("gw", store, row, &payload), &payload);
}

static void all_that_the_store_tells_of_an_attempt_is_told(void **state)
{
	struct dict row = {0};
	json_t *json;

	(void)state;
	dict_set_text(&row, "outcome", "updated");
	json = attempt_json(&row, "aa");
	for (const struct store_field *field = attempt_fields; field->name; field++)
		(void)value(json, field->name);
	for (size_t i = 0; i < n_report_fields; i++)
		if (report_fields[i].readers & FOR_STORE)
			(void)value(json, report_fields[i].name);
	json_decref(json);
	dict_done(&row);
}

static void an_attempt_is_told_by_the_table_of_fields(void **state)
{
	struct dict row = {0};
	json_t *json;

	(void)state;
	dict_set_long(&row, "id", 17);
	dict_set_long(&row, "ended", 1795600000000);
	dict_set_text(&row, "job", "0123");
	dict_set_text(&row, "outcome", "verify-differs");
	dict_set_text(&row, "reason", "it \"differs\"");
	dict_set_text(&row, "unit", "aa01");
	json = attempt_json(&row, "");
	assert_string_equal(text(json, "event"), "attempt");
	assert_string_equal(text(json, "store"), "(null)");
	assert_int_equal(json_integer_value(value(json, "id")), 17);
	assert_int_equal(json_integer_value(value(json, "ended")), 1795600000000);
	assert_string_equal(text(json, "outcome"), "verify-differs");
	assert_string_equal(text(json, "reason"), "it \"differs\"");
	assert_string_equal(text(json, "version"), "(null)");
	json_decref(json);
	dict_done(&row);
}

/* Its id is told: an event that is left out would look like one that got lost. */
static void one_that_is_no_report_is_told_by_its_ids(void **state)
{
	struct dict row = {0};
	json_t *json;

	(void)state;
	dict_set_long(&row, "id", 17);
	dict_set_text(&row, "outcome", "a word of a later version");
	json = attempt_json(&row, "aa");
	assert_int_equal(json_integer_value(value(json, "id")), 17);
	assert_string_equal(text(json, "store"), "aa");
	assert_string_equal(text(json, "outcome"), "(null)");
	assert_null(json_object_get(json, "reason"));
	json_decref(json);
	dict_done(&row);
}

static void a_gap_has_an_end_or_none(void **state)
{
	char *payload = NULL;
	json_t *json = parsed(payload_gap("gw", "aa", 5, 9, &payload), &payload);

	(void)state;
	assert_string_equal(text(json, "event"), "gap");
	assert_int_equal(json_integer_value(value(json, "first")), 5);
	assert_int_equal(json_integer_value(value(json, "last")), 9);
	json_decref(json);
	json = parsed(payload_gap("gw", "aa", 5, 0, &payload), &payload);
	assert_true(json_is_null(value(json, "last")));
	json_decref(json);
}

/* ---------------------------------------------------------------------- home assistant */

static const struct id_row {
	const char *name;
	const char *gateway, *unit;
	const char *expected;
} ids[] = {
	{"plain", "gw-1", "aa01", "plugflash_gw-1__aa01"},
	{"a place", "gw", "usb-0:1.2", "plugflash_gw__usb-0_3a1_2e2"},
	{"an underscore is not one of ours", "a_b", "c", "plugflash_a_5fb__c"},
	{"not ASCII", "\xc3\xbc", "c", "plugflash__c3_bc__c"},
};

static void an_id_for_home_assistant(void **state)
{
	const struct id_row *row = *state;
	char *id = home_id(row->gateway, row->unit);

	assert_string_equal(id, row->expected);
	free(id);
}

static json_t *home_json(struct dict *row, const char *command_topic)
{
	const struct home_unit unit = {
		.gateway = "gw",
		.unit = payload_unit_name(row),
		.id = "the_id",
		.row = row,
		.status_topic = "p/status",
		.unit_topic = "p/unit/state",
		.command_topic = command_topic,
	};
	char *payload = NULL;
	json_t *json;

	assert_int_equal(home_payload(&unit, &payload), 0);
	json = json_loads(payload, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	free(payload);
	return json;
}

static void home_assistant_gets_a_button_where_retry_is_allowed(void **state)
{
	struct dict row = {0};
	json_t *json, *command;

	(void)state;
	dict_set_text(&row, "usb_path", "usb-1.2");
	json = home_json(&row, NULL);
	assert_string_equal(text(json, "state_topic"), "p/unit/state");
	assert_string_equal(text(json, "unique_id"), "the_id");
	assert_string_equal(text(json, "default_entity_id"), "update.the_id");
	/* A board that is compared or shows itself is not updated. */
	assert_non_null(strstr(text(json, "value_template"), "in ['flash', 'rollback']"));
	/* Home Assistant warns of it, and later versions ignore it. */
	assert_null(json_object_get(json, "object_id"));
	assert_int_equal(json_array_size(value(json, "availability")), 2);
	assert_null(json_object_get(json, "command_topic"));
	assert_null(json_object_get(value(json, "device"), "model"));
	json_decref(json);
	dict_set_text(&row, "unit", "aa01");
	dict_set_text(&row, "chip", "STM32F103");
	json = home_json(&row, "p/cmd/x");
	assert_string_equal(text(value(json, "device"), "model"), "STM32F103");
	assert_string_equal(text(json, "command_topic"), "p/cmd/x");
	assert_true(json_is_true(value(json, "retain")));
	command = json_loads(text(json, "payload_install"), 0, NULL);
	assert_string_equal(text(command, "verb"), "retry");
	assert_string_equal(text(command, "unit"), "aa01");
	assert_string_equal(text(command, "status"), "init");
	json_decref(command);
	json_decref(json);
	dict_done(&row);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_status_tells_gateway_and_service);
	ADD_TEST(tests, n_tests, equal_things_are_equal_bytes);
	ADD_TEST(tests, n_tests, the_will_says_offline);
	ADD_ROWS(tests, n_tests, percents, a_job_tells_tenths);
	ADD_TEST(tests, n_tests, a_unit_that_is_nowhere_keeps_its_record);
	ADD_TEST(tests, n_tests, all_that_the_store_tells_of_a_unit_is_told);
	ADD_TEST(tests, n_tests, a_unit_is_known_by_its_id_or_its_place);
	ADD_TEST(tests, n_tests, all_that_the_store_tells_of_an_attempt_is_told);
	ADD_TEST(tests, n_tests, an_attempt_is_told_by_the_table_of_fields);
	ADD_TEST(tests, n_tests, one_that_is_no_report_is_told_by_its_ids);
	ADD_TEST(tests, n_tests, a_gap_has_an_end_or_none);
	ADD_ROWS(tests, n_tests, ids, an_id_for_home_assistant);
	ADD_TEST(tests, n_tests, home_assistant_gets_a_button_where_retry_is_allowed);
	return RUN_TESTS("fleet-payload", tests, n_tests);
}
