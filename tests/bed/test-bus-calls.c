/* SPDX-License-Identifier: MIT */
/* What the service is asked over the bus, by whom, and in what words it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/stage.h"

#define NOBODY 65534

static sd_bus_message *call(struct stage *stage, const char *method, const char *types)
{
	return peer_call(stage->peer, BUS_PATH, NULL, method, types, 0);
}

/* ------------------------------------------------------------------------- work at a bridge */

static void read_job(sd_bus_message *answer, char to[1024])
{
	const char *path;

	if (sd_bus_message_is_method_error(answer, NULL))
		fail_msg("%s", sd_bus_message_get_error(answer)->message);
	assert_true(sd_bus_message_read(answer, "o", &path) > 0);
	snprintf(to, 1024, "%s", path);
	sd_bus_message_unref(answer);
}

/* The outcome that JobRemoved told of this job; "" none yet. */
static void outcome_of(struct peer *peer, const char *job, char to[32])
{
	to[0] = '\0';
	for (size_t i = 0; i < peer_signals(peer); i++) {
		sd_bus_message *signal = peer_signal(peer, i);
		const char *path, *outcome;

		if (strcmp(sd_bus_message_get_member(signal), "JobRemoved") == 0 &&
			sd_bus_message_read(signal, "os", &path, &outcome) > 0 &&
			strcmp(path, job) == 0)
			snprintf(to, 32, "%s", outcome);
	}
}

struct end_wait {
	struct peer *peer;
	const char *job;
	char outcome[32];
};

static bool has_ended(void *userdata)
{
	struct end_wait *wait = userdata;

	outcome_of(wait->peer, wait->job, wait->outcome);
	return *wait->outcome;
}

static void expect_end(struct stage *stage, const char *job, const char *outcome)
{
	struct end_wait wait = {.peer = stage->peer, .job = job};

	assert_true(bed_wait(stage->bed, BED_LONG, has_ended, &wait));
	assert_string_equal(wait.outcome, outcome);
}

static void flash_verify_and_probe_are_jobs_like_all_others(void **state)
{
	static const struct {
		const char *method, *operation, *outcome;
	} rows[] = {
		{"Probe", "probe", "current"},
		{"Verify", "verify", "current"},
		{"Flash", "flash", "current"},
	};
	struct stage *stage = *state;
	struct bed_unit *unit;
	char job[1024];

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_outcome(unit, "updated");
	assert_true(peer_wait_count(stage->peer, BED_LONG, "JobRemoved", NULL, 1));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char told[256];

		read_job(peer_call(stage->peer, BUS_PATH, NULL, rows[i].method, "oa{sv}", BRIDGE_1,
				 0),
			job);
		expect_end(stage, job, rows[i].outcome);
		assert_true(peer_count(stage->peer, "JobNew", NULL) >= i + 2);
		assert_true(last_told(stage->peer, BRIDGE_1, "Job", told));
		(void)told;
	}
	/* Written again, whatever it holds. */
	read_job(peer_call(stage->peer, BUS_PATH, NULL, "Flash", "oa{sv}", BRIDGE_1, 1, "force",
			 "b", 1),
		job);
	expect_end(stage, job, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void what_makes_no_sense_is_refused_before_anybody_is_asked(void **state)
{
	struct stage *stage = *state;
	struct polkit *polkit = polkit_new(stage->peers);
	struct peer *peer = stage->peer;

	stage_start(stage);
	expect_error(peer_call(peer, BUS_PATH, NULL, "Flash", "oa{sv}", BRIDGE_1, 0),
		BUS_ERROR_NOT_FOUND, "no such bridge");
	expect_error(peer_call(peer, BUS_PATH, NULL, "Flash", "oa{sv}", "/org/elsewhere", 0),
		BUS_ERROR_INVALID, "is no bridge");
	expect_error(peer_call(peer, BUS_PATH, NULL, "Flash", "oa{sv}", BRIDGE_1 "x", 0),
		BUS_ERROR_INVALID, "is no bridge");
	expect_error(
		peer_call(peer, BUS_PATH, NULL, "Verify", "oa{sv}", BRIDGE_1, 1, "force", "b", 1),
		BUS_ERROR_INVALID, "option 'force'");
	expect_error(peer_call(peer, BUS_PATH, NULL, "Flash", "oa{sv}", BRIDGE_1, 1, "force", "s",
			     "yes"),
		BUS_ERROR_INVALID, "type b is expected");
	expect_error(peer_call(peer, BUS_PATH, NULL, "Resume", "a{sv}", 1, "when", "s", "now"),
		BUS_ERROR_INVALID, "option 'when'");
	expect_error(peer_call(peer, BUS_PATH, NULL, "Inhibit", "ssa{sv}", "me", "test", 1,
			     "bridge", "o", BRIDGE_1),
		BUS_ERROR_NOT_FOUND, "no such bridge");
	expect_error(peer_call(peer, BUS_PATH, NULL, "ListUnits", "tua{sv}", UINT64_C(0), 0, 1,
			     "since", "i", -1),
		BUS_ERROR_INVALID, "below zero");
	expect_error(peer_call(peer, BUS_PATH_JOB "/0123", BUS_JOB, "Cancel", "a{sv}", 0),
		SD_BUS_ERROR_UNKNOWN_OBJECT, "");
	assert_int_equal(polkit_asked(polkit), 0);
	polkit_free(polkit);
}

static void a_job_is_cancelled_before_its_erase_and_not_after(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	char job[1024];

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 1));
	peer_wait_property(stage->peer, BED_LONG, BRIDGE_1, BUS_BRIDGE, "State", "working");
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Job", job);
	expect_property(stage, job, BUS_JOB, "Cancelable", "false");
	expect_error(peer_call(stage->peer, job, BUS_JOB, "Cancel", "a{sv}", 0),
		BUS_ERROR_NOT_POSSIBLE, "");
	expect_end(stage, job, "updated");
	/* While nothing begins, one that waits. */
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "tea", 0));
	read_job(peer_call(stage->peer, BUS_PATH, NULL, "Verify", "oa{sv}", BRIDGE_1, 0), job);
	expect_property(stage, job, BUS_JOB, "Phase", "waiting");
	expect_property(stage, job, BUS_JOB, "Operation", "verify");
	expect_property(stage, job, BUS_JOB, "Cancelable", "true");
	expect_good(peer_call(stage->peer, job, BUS_JOB, "Cancel", "a{sv}", 0));
	expect_end(stage, job, "cancelled");
}

/* ------------------------------------------------------------------------ pause and inhibit */

static void nothing_begins_while_it_is_paused(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;

	stage_start(stage);
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "shift change", 0));
	/* Whoever has the answer need not wait for it. */
	assert_string_equal(
		peer_property(stage->peer, BUS_PATH, BUS_MANAGER, "State", (char[1024]){""}),
		"paused");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "paused");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "PauseReason", "shift change");
	unit = bed_plug(stage->bed, GATE);
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "held");
	expect_stranger_told(stage->bed);
	assert_int_equal(bed_opens(unit), 0);
	expect_good(call(stage, "Resume", "a{sv}"));
	expect_outcome(unit, "updated");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "running");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "PauseReason", "");
}

static int take_descriptor(sd_bus_message *answer)
{
	int fd;

	if (sd_bus_message_is_method_error(answer, NULL))
		fail_msg("%s", sd_bus_message_get_error(answer)->message);
	assert_true(sd_bus_message_read(answer, "h", &fd) > 0);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	assert_true(fd >= 0);
	sd_bus_message_unref(answer);
	return fd;
}

static void an_inhibitor_lasts_as_long_as_its_descriptor(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	int fd;

	stage_start(stage);
	fd = take_descriptor(peer_call(
		stage->peer, BUS_PATH, NULL, "Inhibit", "ssa{sv}", "fleet", "fetches images", 0));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "PauseReason", "fleet: fetches images");
	unit = bed_plug(stage->bed, GATE);
	expect_stranger_told(stage->bed);
	assert_int_equal(bed_opens(unit), 0);
	close(fd);
	expect_outcome(unit, "updated");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "running");
}

/* Whoever has it may open the port. */
static void an_inhibitor_of_a_bridge_comes_once_its_worker_has_ended(void **state)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	struct stage *stage = *state;
	struct bed_unit *unit, *other;
	sd_bus_message *answer;
	int fd;

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 1));
	assert_true(sd_bus_message_new_method_call(peer_bus(stage->peer), &message, BUS_NAME,
			    BUS_PATH, BUS_MANAGER, "Inhibit") >= 0);
	assert_true(sd_bus_message_append(message, "ssa{sv}", "tester", "measures", 1, "bridge",
			    "o", BRIDGE_1) >= 0);
	peer_send(stage->peer, message, &answer);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 3));
	assert_null(answer);
	fd = take_descriptor(peer_wait(stage->peer, &answer));
	assert_true(bed_is_closed(unit));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	/* Others go on. */
	other = bed_plug(stage->bed, &(struct bed_board){.serial = "A2"});
	expect_outcome(other, "updated");
	bed_put_image(stage->bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	expect_property(stage, BRIDGE_1, BUS_BRIDGE, "State", "held");
	close(fd);
	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 2));
}

/* --------------------------------------------------------------------------------- the past */

static unsigned count_rows(sd_bus_message *answer, uint64_t *ret_last)
{
	const char *key;
	unsigned n = 0;

	if (sd_bus_message_is_method_error(answer, NULL))
		fail_msg("%s", sd_bus_message_get_error(answer)->message);
	assert_true(sd_bus_message_enter_container(answer, 'a', "a{sv}") > 0);
	while (sd_bus_message_enter_container(answer, 'a', "{sv}") > 0) {
		while (sd_bus_message_enter_container(answer, 'e', "sv") > 0) {
			assert_true(sd_bus_message_read(answer, "s", &key) > 0);
			if (strcmp(key, "id") == 0)
				assert_true(sd_bus_message_read(answer, "v", "t", ret_last) > 0);
			else
				assert_true(sd_bus_message_skip(answer, "v") > 0);
			assert_true(sd_bus_message_exit_container(answer) > 0);
		}
		n++;
		assert_true(sd_bus_message_exit_container(answer) > 0);
	}
	sd_bus_message_unref(answer);
	return n;
}

static void attempts_and_units_are_listed_from_an_id_on(void **state)
{
	struct stage *stage = *state;
	struct peer *peer = stage->peer;
	struct bed_unit *unit;
	uint64_t last = 0, second;

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	for (unsigned i = 0; i < 3; i++) {
		expect_outcome(unit, i == 0 ? "updated" : "current");
		bed_unplug(unit);
		assert_true(peer_wait_count(peer, BED_LONG, "JobRemoved", NULL, i + 1));
		if (i < 2)
			bed_replug(unit, NULL);
	}
	assert_int_equal(count_rows(peer_call(peer, BUS_PATH, NULL, "ListAttempts", "tua{sv}",
					    UINT64_C(0), 2, 0),
				 &last),
		2);
	second = last;
	assert_int_equal(
		count_rows(peer_call(peer, BUS_PATH, NULL, "ListAttempts", "tua{sv}", last, 0, 0),
			&last),
		1);
	assert_true(last > second);
	assert_int_equal(
		count_rows(peer_call(peer, BUS_PATH, NULL, "ListAttempts", "tua{sv}", last, 0, 0),
			&last),
		0);
	assert_int_equal(count_rows(peer_call(peer, BUS_PATH, NULL, "ListAttempts", "tua{sv}",
					    UINT64_C(0), 0, 1, "outcome", "s", "current"),
				 &last),
		2);
	assert_int_equal(count_rows(peer_call(peer, BUS_PATH, NULL, "ListUnits", "tua{sv}",
					    UINT64_C(0), 0, 1, "board", "s", "gate"),
				 &last),
		1);
	assert_int_equal(count_rows(peer_call(peer, BUS_PATH, NULL, "ListUnits", "tua{sv}",
					    UINT64_C(0), 0, 1, "board", "s", "other"),
				 &last),
		0);
}

/* The text of this key in the first row; the answer is taken. */
static void first_row(sd_bus_message *answer, const char *wanted, char to[256])
{
	const char *key, *type, *text;
	uint32_t number;
	int flag;

	to[0] = '\0';
	if (sd_bus_message_is_method_error(answer, NULL))
		fail_msg("%s", sd_bus_message_get_error(answer)->message);
	assert_true(sd_bus_message_enter_container(answer, 'a', "a{sv}") > 0);
	assert_true(sd_bus_message_enter_container(answer, 'a', "{sv}") > 0);
	while (sd_bus_message_enter_container(answer, 'e', "sv") > 0) {
		assert_true(sd_bus_message_read(answer, "s", &key) > 0);
		assert_true(sd_bus_message_peek_type(answer, NULL, &type) > 0);
		if (strcmp(key, wanted) == 0 && *type == 's') {
			assert_true(sd_bus_message_read(answer, "v", type, &text) > 0);
			snprintf(to, 256, "%s", text);
		} else if (strcmp(key, wanted) == 0 && *type == 'u') {
			assert_true(sd_bus_message_read(answer, "v", type, &number) > 0);
			snprintf(to, 256, "%u", number);
		} else if (strcmp(key, wanted) == 0 && *type == 'b') {
			assert_true(sd_bus_message_read(answer, "v", type, &flag) > 0);
			snprintf(to, 256, "%s", flag ? "true" : "false");
		} else {
			assert_true(sd_bus_message_skip(answer, "v") > 0);
		}
		assert_true(sd_bus_message_exit_container(answer) > 0);
	}
	sd_bus_message_unref(answer);
}

static void images_of_a_rule_are_listed(void **state)
{
	struct stage *stage = *state;
	struct peer *peer = stage->peer;
	char text[256];

	bed_put_image(stage->bed, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	stage_start(stage);
	first_row(
		peer_call(peer, BUS_PATH, NULL, "ListImages", "sa{sv}", "gate", 0), "image", text);
	assert_string_equal(text, "gate-1.1.0.hex");
	first_row(
		peer_call(peer, BUS_PATH, NULL, "ListImages", "sa{sv}", "gate", 0), "state", text);
	assert_string_equal(text, "chosen");
	expect_error(peer_call(peer, BUS_PATH, NULL, "ListImages", "sa{sv}", "gates", 0),
		BUS_ERROR_NOT_FOUND, "no rule 'gates'");
}

static void rules_are_listed(void **state)
{
	struct stage *stage = *state;
	struct peer *peer = stage->peer;
	static const char *const expected[][2] = {{"board", "gate"}, {"image", "gate-*"},
		{"chip", "0x410"}, {"update", ""}, {"require_signature", "false"},
		{"confirms", "false"}};
	char text[256];

	stage_start(stage);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		first_row(peer_call(peer, BUS_PATH, NULL, "ListBoards", "a{sv}", 0), expected[i][0],
			text);
		assert_string_equal(text, expected[i][1]);
	}
	first_row(peer_call(peer, BUS_PATH, NULL, "ListBoards", "a{sv}", 1, "board", "s", "gate"),
		"board", text);
	assert_string_equal(text, "gate");
	expect_error(peer_call(peer, BUS_PATH, NULL, "ListBoards", "a{sv}", 1, "slot", "s", "a"),
		BUS_ERROR_INVALID, "option 'slot'");
}

/* By whoever keeps what ListBoards said. */
static void a_floor_that_is_set_is_told(void **state)
{
	struct stage *stage = *state;
	struct peer *peer = stage->peer;
	char before[1024], now[1024], text[256];

	stage_start(stage);
	peer_property(peer, BUS_PATH, BUS_MANAGER, "FloorTime", before);
	expect_good(peer_call(peer, BUS_PATH, NULL, "SetFloor", "ssa{sv}", "gate", "1.5", 0));
	peer_property(peer, BUS_PATH, BUS_MANAGER, "FloorTime", now);
	assert_true(strtoull(now, NULL, 10) > strtoull(before, NULL, 10));
	expect_told(stage, BUS_PATH, "FloorTime", now);
	first_row(peer_call(peer, BUS_PATH, NULL, "ListBoards", "a{sv}", 0), "floor", text);
	assert_string_equal(text, "1.5");
}

static void units_are_counted(void **state)
{
	struct stage *stage = *state;
	struct peer *peer = stage->peer;
	char text[256];

	stage_start(stage);
	expect_outcome(bed_plug(stage->bed, GATE), "updated");
	assert_true(peer_wait_count(peer, BED_LONG, "JobRemoved", NULL, 1));
	first_row(peer_call(peer, BUS_PATH, NULL, "ListCounts", "a{sv}", 0), "first_pass", text);
	assert_string_equal(text, "1");
	first_row(peer_call(peer, BUS_PATH, NULL, "ListCounts", "a{sv}", 1, "board", "s", "gate"),
		"board", text);
	assert_string_equal(text, "gate");
	expect_error(peer_call(peer, BUS_PATH, NULL, "ListCounts", "a{sv}", 1, "unit", "s", "00"),
		BUS_ERROR_INVALID, "option 'unit'");
	assert_string_not_equal(
		peer_property(peer, BUS_PATH, BUS_MANAGER, "CountersDay", (char[1024]){""}), "");
}

static void a_batch_begins_counts_and_ends_with_a_pause(void **state)
{
	struct stage *stage = *state;
	struct peer *peer = stage->peer;

	stage_start(stage);
	expect_error(peer_call(peer, BUS_PATH, NULL, "StartBatch", "sua{sv}", "gates", 2, 0),
		BUS_ERROR_INVALID, "gates");
	expect_error(
		peer_call(peer, BUS_PATH, NULL, "StopBatch", "a{sv}", 0), BUS_ERROR_NOT_FOUND, "");
	expect_good(peer_call(peer, BUS_PATH, NULL, "StartBatch", "sua{sv}", "gate", 1, 0));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "BatchBoard", "gate");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "BatchCount", "1");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "BatchDone", "0");
	expect_error(peer_call(peer, BUS_PATH, NULL, "StartBatch", "sua{sv}", "gate", 1, 0),
		BUS_ERROR_BUSY, "");
	expect_outcome(bed_plug(stage->bed, GATE), "updated");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "paused");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "BatchBoard", "");
}

static void units_are_retried_as_asked(void **state)
{
	struct stage *stage = *state;
	struct bed_unit *unit;
	uint32_t n;
	sd_bus_message *answer;

	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	bed_set_faults(unit, &(struct sim_faults){.silent = true});
	expect_outcome(unit, "no-sync");
	bed_set_faults(unit, &(struct sim_faults){0});
	bed_mark(stage->bed);
	answer = peer_call(
		stage->peer, BUS_PATH, NULL, "Retry", "a{sv}", 1, "port", "s", bed_port(unit));
	assert_true(sd_bus_message_read(answer, "u", &n) > 0);
	assert_int_equal(n, 1);
	sd_bus_message_unref(answer);
	assert_non_null(
		bed_wait_journal(stage->bed, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* ----------------------------------------------------------------------------- who may what */

/* As nobody, by busctl; what it says, and its exit status. -1: nobody cannot be here. */
static int call_as_nobody(struct stage *stage, const char *const arguments[], char said[1024])
{
	const char *argv[24] = {"busctl", "--system", "call", BUS_NAME};
	char path[400];
	size_t n = 4;
	int status;
	FILE *from;
	pid_t pid;

	while (*arguments && n + 1 < ARRAY_SIZE(argv))
		argv[n++] = *arguments++;
	pid = peers_spawn(stage->peers, NOBODY, "said", argv);
	assert_true(bed_wait_child(stage->bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	snprintf(path, sizeof(path), "%s/said", bed_directory(stage->bed));
	from = fopen(path, "re");
	assert_non_null(from);
	said[fread(said, 1, 1023, from)] = '\0';
	fclose(from);
	return WEXITSTATUS(status) == PEERS_NO_USER ? -1 : WEXITSTATUS(status);
}

/* busctl lets people be asked unless it is told otherwise. */
#define PAUSE                                                                             \
	BED_MATCH("--allow-interactive-authorization=no", BUS_PATH, BUS_MANAGER, "Pause", \
		"sa{sv}", "x", "0")

static void polkit_says_who_may_steer(void **state)
{
	struct stage *stage = *state;
	struct polkit *polkit = polkit_new(stage->peers);
	char said[1024];

	stage_start(stage);
	polkit_say(polkit, POLKIT_NO);
	if (call_as_nobody(stage, PAUSE, said) < 0) {
		polkit_free(polkit);
		print_message("# there is one user here\n");
		skip();
	}
	assert_non_null(strstr(said, "plugflash-operators"));
	assert_string_equal(polkit_last(polkit), BUS_ACTION_OPERATE ":0:system-bus-name");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "running");
	polkit_say(polkit, POLKIT_CHALLENGE);
	assert_int_not_equal(call_as_nobody(stage, PAUSE, said), 0);
	assert_non_null(strstr(said, "password"));
	polkit_say(polkit, POLKIT_YES);
	assert_int_equal(call_as_nobody(stage,
				 BED_MATCH("--allow-interactive-authorization=yes", BUS_PATH,
					 BUS_MANAGER, "Pause", "sa{sv}", "x", "0"),
				 said),
		0);
	assert_string_equal(polkit_last(polkit), BUS_ACTION_OPERATE ":1:system-bus-name");
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "paused");
	assert_int_equal(call_as_nobody(stage,
				 BED_MATCH(BUS_PATH, BUS_MANAGER, "Reload", "a{sv}", "0"), said),
		0);
	assert_non_null(strstr(polkit_last(polkit), BUS_ACTION_CONFIGURE ":"));
	/* What root does is asked of nobody, and so is who reads. */
	assert_int_equal(polkit_asked(polkit), 4);
	expect_good(call(stage, "Resume", "a{sv}"));
	assert_int_equal(
		call_as_nobody(stage,
			BED_MATCH(BUS_PATH, BUS_MANAGER, "ListAttempts", "tua{sv}", "0", "0", "0"),
			said),
		0);
	assert_int_equal(polkit_asked(polkit), 4);
	polkit_free(polkit);
}

static void without_polkit_only_root_steers(void **state)
{
	struct stage *stage = *state;
	char said[1024];

	stage_start(stage);
	if (call_as_nobody(stage, PAUSE, said) < 0) {
		print_message("# there is one user here\n");
		skip();
	}
	assert_non_null(strstr(said, "polkit is not there"));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "running");
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Pause", "sa{sv}", "tea", 0));
	expect_property(stage, BUS_PATH, BUS_MANAGER, "State", "paused");
}

static const struct CMUnitTest tests[] = {
	STAGE_TEST(flash_verify_and_probe_are_jobs_like_all_others),
	STAGE_TEST(what_makes_no_sense_is_refused_before_anybody_is_asked),
	STAGE_TEST(a_job_is_cancelled_before_its_erase_and_not_after),
	STAGE_TEST(nothing_begins_while_it_is_paused),
	STAGE_TEST(an_inhibitor_lasts_as_long_as_its_descriptor),
	STAGE_TEST(an_inhibitor_of_a_bridge_comes_once_its_worker_has_ended),
	STAGE_TEST(attempts_and_units_are_listed_from_an_id_on),
	STAGE_TEST(images_of_a_rule_are_listed),
	STAGE_TEST(rules_are_listed),
	STAGE_TEST(a_floor_that_is_set_is_told),
	STAGE_TEST(units_are_counted),
	STAGE_TEST(a_batch_begins_counts_and_ends_with_a_pause),
	STAGE_TEST(units_are_retried_as_asked),
	STAGE_TEST(polkit_says_who_may_steer),
	STAGE_TEST(without_polkit_only_root_steers),
};

SCENE_MAIN(tests)
