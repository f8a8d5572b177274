/* SPDX-License-Identifier: MIT */
/* test-handover.c - which unit is stopped for a board, when it is started, and what is kept of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "service/bridge.h"
#include "service/handover.h"
#include "service/owner-words.h"
#include "service/systemd1.h"

#define MOMENT HANDOVER_MOMENT_USEC

static const struct way_row {
	const char *name, *load, *active, *job;
	bool is_owed;
	enum handover_way way;
} ways[] = {
	{"it runs", "loaded", "active", "", false, HANDOVER_STOP},
	{"it reads its configuration", "loaded", "reloading", "", false, HANDOVER_STOP},
	{"it is being started", "loaded", "activating", "start", false, HANDOVER_STOP},
	{"it waits for its restart", "loaded", "activating", "", false, HANDOVER_STOP},
	{"it is to be restarted", "loaded", "active", "restart", false, HANDOVER_STOP},
	{"in the middle of a restart", "loaded", "deactivating", "restart", false, HANDOVER_STOP},
	{"it has failed, and would come back", "loaded", "deactivating", "", false, HANDOVER_STOP},
	{"a start waits for others", "loaded", "inactive", "start", false, HANDOVER_STOP},
	{"a restart waits for others", "loaded", "failed", "restart", false, HANDOVER_STOP},
	{"a check waits for others", "loaded", "inactive", "verify-active", false, HANDOVER_LEAVE},
	{"a reload waits", "loaded", "active", "reload", false, HANDOVER_STOP},
	{"somebody stops it", "loaded", "deactivating", "stop", false, HANDOVER_AWAIT},
	{"its stop waits for others", "loaded", "active", "stop", false, HANDOVER_AWAIT},
	{"its stop before it ran", "loaded", "activating", "stop", true, HANDOVER_AWAIT},
	{"it does not run", "loaded", "inactive", "", false, HANDOVER_LEAVE},
	{"it has failed", "loaded", "failed", "", false, HANDOVER_LEAVE},
	{"it is being cleaned", "loaded", "maintenance", "", false, HANDOVER_LEAVE},
	{"there is none", "not-found", "inactive", "", false, HANDOVER_LEAVE},
	{"it is masked", "masked", "inactive", "", false, HANDOVER_LEAVE},
	{"it was masked while it ran", "masked", "active", "", false, HANDOVER_REFUSE},
	{"its file was deleted while it ran", "not-found", "active", "", false, HANDOVER_REFUSE},
	{"its file is wrong by now", "bad-setting", "active", "", false, HANDOVER_REFUSE},
	{"masked, and somebody stops it", "masked", "deactivating", "stop", false, HANDOVER_AWAIT},
	{"owed, and it runs", "loaded", "active", "", true, HANDOVER_STOP},
	{"owed, and it has failed", "loaded", "failed", "", true, HANDOVER_TAKE},
	{"owed, and somebody has stopped it", "loaded", "inactive", "", true, HANDOVER_LEAVE},
	{"owed, and masked by now", "masked", "failed", "", true, HANDOVER_LEAVE},
	{"owed, and a start waits", "loaded", "failed", "start", true, HANDOVER_STOP},
};

static void a_unit_is_stopped_where_it_runs_or_is_about_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct systemd_unit unit = {.name = "a.service",
			.id = "a.service",
			.load = ways[i].load,
			.active = ways[i].active,
			.job = ways[i].job};

		if (handover_way_of(&unit, ways[i].is_owed) != ways[i].way)
			fail_msg("%s", ways[i].name);
	}
}

static void a_job_of_systemd_has_done_its_work_or_not(void **state)
{
	static const char *const bad[] = {
		"canceled", "timeout", "failed", "dependency", "assert", "unsupported", ""};

	(void)state;
	assert_true(handover_is_done("done"));
	assert_true(handover_is_done("skipped"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(handover_is_done(bad[i]));
}

static const struct wait_row {
	const char *name;
	struct handover_case facts;
	uint64_t now_usec, wait_usec;
} waits[] = {
	{"nobody needs it", {0}, 5, 0},
	{"a job has it", {.is_used = true}, 5, HANDOVER_NEVER},
	{"a job has it, and the service ends", {.is_used = true, .is_stopping = true}, 5,
		HANDOVER_NEVER},
	{"a board is about to be tried", {.is_soon = true}, 5, HANDOVER_NEVER},
	{"and the service ends", {.is_soon = true, .is_stopping = true}, 5, 0},
	{"its board was pulled out", {.lingers_usec = 100}, 30, 70},
	{"long ago", {.lingers_usec = 100}, 100, 0},
	{"and the service ends", {.lingers_usec = 100, .is_stopping = true}, 30, 0},
	{"its start was refused", {.retry_usec = 60}, 50, 10},
	{"for longer than the board is gone", {.retry_usec = 60, .lingers_usec = 55}, 50, 10},
	{"for less", {.retry_usec = 55, .lingers_usec = 60}, 50, 10},
	{"and once more at the end", {.retry_usec = 60, .is_stopping = true}, 50, 0},
};

static void a_unit_is_started_when_no_board_needs_it_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		if (handover_wait(&waits[i].facts, waits[i].now_usec) != waits[i].wait_usec)
			fail_msg("%s", waits[i].name);
}

static const struct soon_row {
	const char *name;
	enum bridge_state state;
	uint64_t due_usec;
	bool is_held;
	enum rollback_state rollback;
	bool is_soon;
} soons[] = {
	{"it has just come", BRIDGE_NEW, 0, false, ROLLBACK_NONE, true},
	{"its port settles", BRIDGE_WAITING, 1000, false, ROLLBACK_NONE, true},
	{"it rests for a moment", BRIDGE_WAITING, 1000 + MOMENT, false, ROLLBACK_NONE, true},
	{"it rests for longer", BRIDGE_WAITING, 1001 + MOMENT, false, ROLLBACK_NONE, false},
	{"the host goes down", BRIDGE_WAITING, SCHEDULE_NEVER, false, ROLLBACK_NONE, false},
	{"its turn comes", BRIDGE_QUEUED, 0, false, ROLLBACK_NONE, true},
	{"somebody holds it back", BRIDGE_QUEUED, 0, true, ROLLBACK_NONE, false},
	{"it runs", BRIDGE_RUNNING, 0, false, ROLLBACK_NONE, true},
	{"it is done", BRIDGE_DONE, 0, false, ROLLBACK_DONE, false},
	{"it is to go back", BRIDGE_DONE, 0, false, ROLLBACK_WANTED, true},
	{"it is gone", BRIDGE_GONE, 0, false, ROLLBACK_WANTED, false},
};

static void a_board_is_tried_in_a_moment_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(soons); i++) {
		const struct bridge bridge = {.state = soons[i].state,
			.is_held = soons[i].is_held,
			.schedule.due_usec = soons[i].due_usec,
			.attempt.rollback.state = soons[i].rollback};

		if (handover_is_soon(&bridge, 1000) != soons[i].is_soon)
			fail_msg("%s", soons[i].name);
	}
}

/* ------------------------------------------------------------------------------- its words */

static void a_row_is_read_as_it_was_written(void **state)
{
	static const struct owner_row rows[] = {
		{(char *)"a.service", (char *)"alias.service", NULL, 1732880000000, false},
		{(char *)"ha@x\\x2dy.service", (char *)"ha@x\\x2dy.service",
			(char *)"pci-0000:00:14.0-usb-0:1.2:1.0", 1, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct owner_row row CLEANUP(owner_row_done) = {0};
		char text[OWNER_ROW_MAX];

		owner_row_write(&rows[i], text);
		assert_int_equal(owner_row_read(text, &row), 0);
		assert_string_equal(row.id, rows[i].id);
		assert_string_equal(row.name, rows[i].name);
		assert_int_equal(row.stopped_ms, rows[i].stopped_ms);
		assert_int_equal(row.is_owed, rows[i].is_owed);
		if (rows[i].usb_path)
			assert_string_equal(row.usb_path, rows[i].usb_path);
		else
			assert_null(row.usb_path);
	}
}

/* A place with a blank in it is none that could be found again: the unit is, all the same. */
static void a_row_never_becomes_another(void **state)
{
	static const struct owner_row odd = {
		(char *)"a.service", (char *)"a.service", (char *)"a b,c", 7, true};
	static const char *const bad[] = {
		"", "a.service", "a.service a.service 1 down", "a b 1 down - more", " , "};
	struct owner_row row CLEANUP(owner_row_done) = {0};
	char text[OWNER_ROW_MAX];

	(void)state;
	owner_row_write(&odd, text);
	assert_int_equal(owner_row_read(text, &row), 0);
	assert_null(row.usb_path);
	assert_true(row.is_owed);
	owner_row_done(&row);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(owner_row_read(bad[i], &row), -EINVAL);
	/* Of a store that somebody has edited: the unit is started all the same. */
	assert_int_equal(owner_row_read("a.service a.service yesterday gone -", &row), 0);
	assert_int_equal(row.stopped_ms, 0);
	assert_false(row.is_owed);
}

static void the_longest_names_have_room(void **state)
{
	char id[256], text[OWNER_ROW_MAX], path[TEXT_MAX];
	struct owner_row row CLEANUP(owner_row_done) = {0};
	const struct owner_row made = {id, id, path, INT64_MAX - 1, true};

	(void)state;
	memset(id, 'a', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	owner_row_write(&made, text);
	assert_int_equal(owner_row_read(text, &row), 0);
	assert_string_equal(row.id, id);
	assert_string_equal(row.usb_path, path);
	assert_int_equal(row.stopped_ms, INT64_MAX - 1);
}

static void a_refusal_says_who_and_what_to_do(void **state)
{
	static const struct {
		int fault;
		const char *part;
	} rows[] = {
		{SYSTEMD1_AWAY, "systemd is not reached on the system bus (so)"},
		{SYSTEMD1_REFUSED,
			"polkit does not let plugflashd stop it (so): name it in a copy of /usr/share/plugflash/examples/port-owner.rules in /etc/polkit-1/rules.d; plugflashd(8), \"Port owners\""},
		{SYSTEMD1_CONFLICT, "systemd does not stop it now: so"},
		{SYSTEMD1_SLOW, "was told to stop, but so; see 'systemctl status a.service'"},
		{SYSTEMD1_IMPOSSIBLE, "it could not be started again: so"},
	};
	const struct reason said = {.text = "so"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reason reason = {0};

		owner_words_refusal(rows[i].fault, "a.service", &said, &reason);
		if (!strstr(reason.text, rows[i].part) ||
			strncmp(reason.text, "a.service", strlen("a.service")) != 0)
			fail_msg("%s", reason.text);
		assert_true(*owner_words_remedy(rows[i].fault));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_is_stopped_where_it_runs_or_is_about_to),
		cmocka_unit_test(a_job_of_systemd_has_done_its_work_or_not),
		cmocka_unit_test(a_unit_is_started_when_no_board_needs_it_down),
		cmocka_unit_test(a_board_is_tried_in_a_moment_or_not),
		cmocka_unit_test(a_row_is_read_as_it_was_written),
		cmocka_unit_test(a_row_never_becomes_another),
		cmocka_unit_test(the_longest_names_have_room),
		cmocka_unit_test(a_refusal_says_who_and_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
