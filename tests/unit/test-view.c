/* SPDX-License-Identifier: MIT */
/* What the outside sees of service, bridge and attempt, and which of it is news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/names.h"
#include "base/util.h"
#include "service/view.h"
#include "unit/rows.h"

/* ----------------------------------------------------------------------------- one bridge */

static const struct state_row {
	const char *name;
	enum bridge_state state;
	enum schedule_reason reason;
	int64_t due_ms;
	int has_ended; /* with this outcome, -1: none has */
	const char *word;
	uint64_t held_until;
} states[] = {
	{"its port comes to rest", BRIDGE_WAITING, SCHEDULE_SETTLE, 7, -1, "settling", 0},
	{"it reconnects all the time", BRIDGE_WAITING, SCHEDULE_FLAP, 7, -1, "flapping", 0},
	{"it waits for its turn", BRIDGE_QUEUED, SCHEDULE_FLAP, 7, -1, "waiting", 0},
	{"its port is held by a program", BRIDGE_WAITING, SCHEDULE_TRY, 7, -1, "waiting", 0},
	{"a worker has it", BRIDGE_RUNNING, SCHEDULE_NONE, 7, -1, "working", 0},
	{"its unit failed and is tried again", BRIDGE_WAITING, SCHEDULE_REST, 77000,
		OUTCOME_NO_SYNC, "held", 77000},
	{"the host goes down", BRIDGE_WAITING, SCHEDULE_HOST, 0, OUTCOME_CANCELLED, "held", 0},
	{"its unit is left alone", BRIDGE_DONE, SCHEDULE_NONE, 7, OUTCOME_QUARANTINED, "held", 0},
	{"its unit is up to date", BRIDGE_DONE, SCHEDULE_NONE, 7, OUTCOME_CURRENT, "done", 0},
	{"no rule fits", BRIDGE_DONE, SCHEDULE_NONE, 0, -1, "done", 0},
};

static void state_is_told_in_a_word(void **state)
{
	const struct state_row *row = *state;
	struct bridge bridge = {
		.state = row->state, .schedule = {.reason = row->reason, .due_ms = row->due_ms}};
	struct view_bridge view;

	if (row->has_ended >= 0)
		bridge.last =
			(struct bridge_end){5, (enum outcome)row->has_ended, {"as it was told"}};
	view_bridge(&bridge, &view);
	assert_string_equal(view.state, row->word);
	assert_int_equal(view.held_until, row->held_until);
	assert_int_equal(view.last_time, row->has_ended >= 0 ? 5 : 0);
	assert_string_equal(view.last_outcome,
		row->has_ended >= 0 ? outcome_to_string((enum outcome)row->has_ended) : "");
	assert_string_equal(view.last_reason, row->has_ended >= 0 ? "as it was told" : "");
}

/* With a rule and without an attempt: the image is not there yet, or not whole. */
static void a_bridge_that_nothing_was_tried_with_waits(void **state)
{
	struct bridge bridge = {
		.state = BRIDGE_DONE, .match = {.result = MATCH_ONE, .board = (char *)"gate"}};
	struct view_bridge view;

	(void)state;
	view_bridge(&bridge, &view);
	assert_string_equal(view.state, "waiting");
	bridge.last.ended_ms = 5;
	view_bridge(&bridge, &view);
	assert_string_equal(view.state, "done");
	bridge.last.ended_ms = 0;
	bridge.match.result = MATCH_AMBIGUOUS;
	view_bridge(&bridge, &view);
	assert_string_equal(view.state, "done");
}

static const struct match_row {
	const char *name;
	enum match_result result;
	const char *board;
	const char *word;
} matches[] = {
	{"one rule fits", MATCH_ONE, "gate", "one"},
	{"no rule does", MATCH_NONE, NULL, "none"},
	{"two do", MATCH_AMBIGUOUS, NULL, "ambiguous"},
};

static void match_is_told_in_a_word(void **state)
{
	const struct match_row *row = *state;
	const struct bridge bridge = {
		.match = {.result = row->result, .board = (char *)row->board}};
	struct view_bridge view;

	view_bridge(&bridge, &view);
	assert_string_equal(view.match, row->word);
	assert_string_equal(view.board, row->board ? row->board : "");
}

static struct facts some_facts(void)
{
	return (struct facts){
		.port = (char *)"/dev/ttyUSB0",
		.vendor_id = 0x10c4,
		.product_id = 0xea60,
		.serial = (char *)"G1",
		.product = (char *)"CP2102N",
		.usb_path = (char *)"pci-1",
		.interface = 1,
	};
}

static void facts_are_told_as_they_are(void **state)
{
	struct bridge bridge = {.facts = some_facts()};
	struct view_bridge view;

	(void)state;
	view_bridge(&bridge, &view);
	assert_string_equal(view.port, "/dev/ttyUSB0");
	assert_string_equal(view.usb_id, "10c4:ea60");
	assert_string_equal(view.serial, "G1");
	assert_string_equal(view.manufacturer, "");
	assert_string_equal(view.interface, "01");
	bridge.facts.interface = -1;
	view_bridge(&bridge, &view);
	assert_string_equal(view.interface, "");
}

static void what_is_too_long_is_cut_and_ends(void **state)
{
	char *serial = calloc(1, 2000);
	struct bridge bridge = {.facts = {.serial = serial}};
	struct view_bridge view;

	(void)state;
	assert_non_null(serial);
	memset(serial, 'x', 1999);
	view_bridge(&bridge, &view);
	assert_int_equal(strlen(view.serial), sizeof(view.serial) - 1);
	free(serial);
}

/* ---------------------------------------------------------------------------- one attempt */

static struct bridge running_bridge(void)
{
	return (struct bridge){
		.state = BRIDGE_RUNNING,
		.number = 7,
		.facts = some_facts(),
		.progress = {PHASE_WRITE, 512, 2048, 115200},
		.pace = {.progress = 0.25, .rate = 11000, .expected_end_ms = 123456},
		.attempt = {.id = "0123",
			.is_open = true,
			.board = "gate",
			.image = "gate-1.2.bin",
			.version = "1.2",
			.n_retries = 1,
			.note = {.started_ms = 99000}},
	};
}

static void an_attempt_is_a_job_until_it_has_ended(void **state)
{
	struct bridge bridge = running_bridge();
	struct view_bridge of_bridge;
	struct view_job view;

	(void)state;
	assert_true(view_job(&bridge, &view));
	view_bridge(&bridge, &of_bridge);
	assert_string_equal(view.id, "0123");
	assert_string_equal(of_bridge.job, BUS_PATH "/job/0123");
	assert_string_equal(view.bridge, BUS_PATH "/bridge/7");
	assert_string_equal(view.operation, "flash");
	assert_string_equal(view.phase, phase_to_string(PHASE_WRITE));
	assert_true(view.progress == 0.25);
	assert_int_equal(view.bytes, 2048);
	assert_int_equal(view.bytes_done, 512);
	assert_int_equal(view.baud, 115200);
	assert_int_equal(view.start_time, 99000);
	/* Between two tries nothing moves. */
	assert_int_equal(view.rate, 0);
	assert_int_equal(view.expected_end_time, 0);
	bridge.worker = (struct worker *)&bridge;
	assert_true(view_job(&bridge, &view));
	assert_int_equal(view.rate, 11000);
	assert_int_equal(view.expected_end_time, 123456);
	assert_int_equal(view.attempt, 2);
	assert_string_equal(view.image, "gate-1.2.bin");
	bridge.attempt.is_open = false;
	view_bridge(&bridge, &of_bridge);
	assert_false(view_job(&bridge, &view));
	assert_string_equal(of_bridge.job, "");
}

static void a_job_can_be_cancelled_until_the_erase(void **state)
{
	struct bridge bridge = running_bridge();
	struct view_job view;

	(void)state;
	assert_true(view_job(&bridge, &view));
	assert_true(view.cancelable);
	bridge.attempt.has_begun_erase = true;
	assert_true(view_job(&bridge, &view));
	assert_false(view.cancelable);
}

static void what_is_asked_for_is_a_job_that_waits(void **state)
{
	struct bridge bridge = running_bridge();
	struct view_bridge of_bridge;
	struct view_job view;

	(void)state;
	bridge.state = BRIDGE_DONE;
	bridge.attempt.is_open = false;
	assert_false(view_job(&bridge, &view));
	bridge.ask = (struct ask){"4567", .operation = OPERATION_VERIFY, .asked_ms = 98000};
	assert_true(view_job(&bridge, &view));
	view_bridge(&bridge, &of_bridge);
	assert_string_equal(view.id, "4567");
	assert_string_equal(view.operation, "verify");
	assert_string_equal(view.phase, "waiting");
	assert_string_equal(view.image, "");
	assert_int_equal(view.start_time, 98000);
	assert_int_equal(view.attempt, 1);
	assert_true(view.progress == 0);
	assert_true(view.cancelable);
	assert_non_null(strstr(of_bridge.job, "4567"));
	assert_string_equal(of_bridge.state, "waiting");
	bridge.ask.operation = OPERATION_IDENTIFY;
	assert_true(view_job(&bridge, &view));
	assert_string_equal(view.operation, "identify");
	/* By the rule that was named. */
	text_copy(bridge.ask.board, sizeof(bridge.ask.board), "door");
	assert_true(view_job(&bridge, &view));
	assert_string_equal(view.board, "door");
	/* From its begin on it is the attempt. */
	bridge.attempt.is_open = true;
	assert_true(view_job(&bridge, &view));
	assert_string_equal(view.id, "0123");
}

static void a_bridge_that_is_held_back_is_held(void **state)
{
	struct bridge bridge = {.facts = some_facts(), .state = BRIDGE_QUEUED};
	struct view_bridge view;

	(void)state;
	view_bridge(&bridge, &view);
	assert_string_equal(view.state, "waiting");
	bridge.is_held = true;
	view_bridge(&bridge, &view);
	assert_string_equal(view.state, "held");
	assert_int_equal(view.held_until, 0);
}

static void one_that_goes_back_is_a_rollback(void **state)
{
	struct bridge bridge = running_bridge();
	struct view_job view;

	(void)state;
	bridge.attempt.operation = OPERATION_ROLLBACK;
	assert_true(view_job(&bridge, &view));
	assert_string_equal(view.operation, "rollback");
}

/* It stands still until the units have ended that own its port. */
static void one_whose_owner_is_being_stopped_says_so(void **state)
{
	struct bridge bridge = running_bridge();
	struct view_job view;

	(void)state;
	bridge.owners.is_asking = true;
	assert_true(view_job(&bridge, &view));
	assert_string_equal(view.phase, "hand-over");
	bridge.owners.is_asking = false;
	assert_true(view_job(&bridge, &view));
	assert_string_not_equal(view.phase, "hand-over");
}

/* ---------------------------------------------------------------------------- the service */

static const struct status_row {
	const char *name;
	struct view_manager view;
	const char *text;
} statuses[] = {
	{"nothing to do", {.state = "running", .rules = 1}, "0 boards flashing, 0 waiting; 1 rule"},
	{"one board", {.state = "running", .jobs_running = 1, .jobs_waiting = 2, .rules = 3},
		"1 board flashing, 2 waiting; 3 rules"},
	{"it is paused", {.state = "paused", .pause_reason = "shift change", .jobs_waiting = 2},
		"paused, 'shift change'; 0 boards flashing, 2 waiting; 0 rules"},
	{"by a text that would end the line", {.state = "paused", .pause_reason = "a\nMAINPID=1"},
		"paused, 'a\\x0aMAINPID=1'; 0 boards flashing, 0 waiting; 0 rules"},
	{"it stops", {.state = "stopping", .jobs_running = 2, .jobs_waiting = 1},
		"stopping; 2 boards flashing"},
	{"an owner of a port is down",
		{.state = "running", .jobs_running = 1, .stopped_units = "zigbee2mqtt.service"},
		"1 board flashing, 0 waiting; 0 rules; stopped meanwhile: zigbee2mqtt.service"},
	{"a reload was refused",
		{.state = "running", .config_stale = true, .config_time = 86400000},
		"0 boards flashing, 0 waiting; 0 rules; configuration on disk refused, the one of "
		"1970-01-02 00:00 in force"},
};

static void status_is_one_line(void **state)
{
	const struct status_row *row = *state;
	char text[256];

	view_status(&row->view, text, sizeof(text));
	assert_string_equal(text, row->text);
}

static void the_service_is_told_with_its_counts(void **state)
{
	const struct view_service service = {
		.is_stopping = true, .config_loaded_ms = 5, .store = "0123abcd"};
	const struct config config = {.n_boards = 4, .service = {.image_dir = (char *)"/images"}};
	const struct dispatcher_counts counts = {.bridges = 3, .running = 1, .waiting = 2};
	struct view_manager view;

	(void)state;
	view_manager(&service, &config, &counts, &view);
	assert_string_equal(view.state, "stopping");
	assert_string_equal(view.store, "0123abcd");
	assert_int_equal(view.jobs_running, 1);
	assert_int_equal(view.jobs_waiting, 2);
	assert_int_equal(view.rules, 4);
	assert_int_equal(view.bridges, 3);
	assert_string_equal(view.image_directory, "/images");
	assert_false(view.config_stale);
}

static void the_counts_of_the_day_are_told_by_their_names(void **state)
{
	const struct day_counts today = {.day = "2026-11-28",
		.first_pass = 10,
		.retried = 1,
		.bad = 2,
		.outcomes = {[OUTCOME_UPDATED] = 11, [OUTCOME_NO_SYNC] = 2}};
	const struct view_service service = {.today = &today};
	const struct config config = {.service = {.image_dir = (char *)"/images"}};
	const struct dispatcher_counts counts = {0};
	static const struct view_count expected[] = {
		{"first-pass", 10}, {"retried", 1}, {"bad", 2}, {"updated", 11}, {"no-sync", 2}};
	struct view_manager view;

	(void)state;
	view_manager(&service, &config, &counts, &view);
	assert_string_equal(view.counters_day, "2026-11-28");
	assert_int_equal(view.counters.n_items, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(view.counters.items[i].name, expected[i].name);
		assert_int_equal(view.counters.items[i].value, expected[i].value);
	}
}

static void the_service_is_told_with_why_its_configuration_was_refused(void **state)
{
	const struct view_service service = {.is_config_refused = true,
		.config_error = "boards.d/10.conf:3: no 1\nconf:9: no 2"};
	const struct config config = {.service = {.image_dir = (char *)"/images"}};
	const struct dispatcher_counts counts = {0};
	struct view_manager view;

	(void)state;
	view_manager(&service, &config, &counts, &view);
	assert_true(view.config_stale);
	assert_string_equal(view.config_error, "boards.d/10.conf:3: no 1\nconf:9: no 2");
	assert_string_equal(view.version, PLUGFLASH_VERSION);
	assert_int_equal(view.api_version, BUS_API_VERSION);
}

static void what_holds_boards_back_is_told_as_a_pause(void **state)
{
	const struct config config = {.service = {.image_dir = (char *)"/images"}};
	const struct dispatcher_counts counts = {0};
	struct holds holds = {0};
	struct view_service service = {.holds = &holds};
	struct view_manager view;
	unsigned id;

	(void)state;
	view_manager(&service, &config, &counts, &view);
	assert_string_equal(view.state, "running");
	assert_string_equal(view.pause_reason, "");
	/* One bridge alone is that bridge's affair. */
	assert_int_equal(holds_inhibit(&holds, 3, "tester", "measures", &id), 0);
	view_manager(&service, &config, &counts, &view);
	assert_string_equal(view.state, "running");
	assert_int_equal(holds_inhibit(&holds, 0, "fleet", "fetches images", &id), 0);
	assert_int_equal(holds_pause(&holds, "shift change"), 0);
	view_manager(&service, &config, &counts, &view);
	assert_string_equal(view.state, "paused");
	assert_string_equal(view.pause_reason, "shift change; fleet: fetches images");
	service.is_stopping = true;
	view_manager(&service, &config, &counts, &view);
	assert_string_equal(view.state, "stopping");
}

static void a_slot_is_told_with_the_bridge_in_it(void **state)
{
	const struct slot slot = {.name = (char *)"A1", .path = (char *)"pci-1"};
	const struct bridge bridge = {.number = 12};
	struct view_slot view;

	(void)state;
	view_slot(&slot, NULL, &view);
	assert_string_equal(view.name, "A1");
	assert_string_equal(view.usb_path, "pci-1");
	assert_string_equal(view.bridge, "");
	view_slot(&slot, &bridge, &view);
	assert_string_equal(view.bridge, BUS_PATH "/bridge/12");
}

/* ------------------------------------------------------------------------------ differences */

static const struct table_row {
	const char *name;
	const struct view_property *properties;
	size_t size;
} tables[] = {
	{"of the service", view_manager_properties, sizeof(struct view_manager)},
	{"of a bridge", view_bridge_properties, sizeof(struct view_bridge)},
	{"of a slot", view_slot_properties, sizeof(struct view_slot)},
	{"of a job", view_job_properties, sizeof(struct view_job)},
};

static void each_property_that_differs_is_named_alone(void **state)
{
	const struct table_row *row = *state;
	char *a = calloc(1, row->size), *b = calloc(1, row->size);

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(view_diff(row->properties, a, b), 0);
	for (unsigned i = 0; row->properties[i].name; i++) {
		assert_true(i < 32 && row->properties[i].offset < row->size);
		b[row->properties[i].offset] = 1;
		assert_int_equal(view_diff(row->properties, a, b), UINT32_C(1) << i);
		b[row->properties[i].offset] = 0;
	}
	free(a);
	free(b);
}

static void what_stands_behind_the_end_of_a_text_is_no_news(void **state)
{
	struct view_bridge a = {.serial = "G1"}, b = {.serial = "G1\0rest"};

	(void)state;
	assert_int_equal(view_diff(view_bridge_properties, &a, &b), 0);
}

static void counts_differ_in_names_and_values(void **state)
{
	static const struct view_manager one = {.counters = {2, {{"bad", 1}, {"updated", 4}}}};
	static const struct view_manager others[] = {
		{.counters = {2, {{"bad", 1}, {"updated", 5}}}},
		{.counters = {2, {{"bad", 1}, {"current", 4}}}},
		{.counters = {1, {{"bad", 1}}}},
	};
	/* What stands behind the last of them is no news. */
	static const struct view_manager same = {
		.counters = {2, {{"bad\0x", 1}, {"updated", 4}, {"failed", 9}}}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_not_equal(view_diff(view_manager_properties, &one, &others[i]), 0);
	assert_int_equal(view_diff(view_manager_properties, &one, &same), 0);
}

static void each_property_has_one_pace(void **state)
{
	const struct table_row *row = *state;
	uint32_t all = 0;
	unsigned n = 0;

	while (row->properties[n].name)
		n++;
	for (int pace = VIEW_CONSTANT; pace <= VIEW_FLOW; pace++) {
		assert_int_equal(all & view_mask(row->properties, (enum view_pace)pace), 0);
		all |= view_mask(row->properties, (enum view_pace)pace);
	}
	assert_int_equal(all, (UINT32_C(1) << n) - 1);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n = 0;

	/* The status shows a time of the place. */
	setenv("TZ", "UTC", 1);
	ADD_ROWS(tests, n, states, state_is_told_in_a_word);
	ADD_TEST(tests, n, a_bridge_that_nothing_was_tried_with_waits);
	ADD_ROWS(tests, n, matches, match_is_told_in_a_word);
	ADD_TEST(tests, n, facts_are_told_as_they_are);
	ADD_TEST(tests, n, what_is_too_long_is_cut_and_ends);
	ADD_TEST(tests, n, an_attempt_is_a_job_until_it_has_ended);
	ADD_TEST(tests, n, a_job_can_be_cancelled_until_the_erase);
	ADD_TEST(tests, n, what_is_asked_for_is_a_job_that_waits);
	ADD_TEST(tests, n, a_bridge_that_is_held_back_is_held);
	ADD_TEST(tests, n, one_that_goes_back_is_a_rollback);
	ADD_TEST(tests, n, one_whose_owner_is_being_stopped_says_so);
	ADD_ROWS(tests, n, statuses, status_is_one_line);
	ADD_TEST(tests, n, the_service_is_told_with_its_counts);
	ADD_ROWS(tests, n, tables, each_property_that_differs_is_named_alone);
	ADD_ROWS(tests, n, tables, each_property_has_one_pace);
	ADD_TEST(tests, n, the_counts_of_the_day_are_told_by_their_names);
	ADD_TEST(tests, n, the_service_is_told_with_why_its_configuration_was_refused);
	ADD_TEST(tests, n, what_holds_boards_back_is_told_as_a_pause);
	ADD_TEST(tests, n, a_slot_is_told_with_the_bridge_in_it);
	ADD_TEST(tests, n, counts_differ_in_names_and_values);
	ADD_TEST(tests, n, what_stands_behind_the_end_of_a_text_is_no_news);
	return RUN_TESTS("view", tests, n);
}
