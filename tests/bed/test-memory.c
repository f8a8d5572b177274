/* SPDX-License-Identifier: MIT */
/* What the service remembers from one plug-in to the next, and from one service to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "records/database.h"
#include "records/store-file.h"
#include "records/store.h"
#include "unit/save.h"

/* A flash in which one bit of the image cannot be written. */
#define STUCK                               \
	{                                   \
		.stuck_address = 0x08000400 \
	}

static const struct sim_faults none;

static void kill_service(struct bed *bed)
{
	bed_signal(bed, SIGKILL);
	while (bed_is_running(bed))
		bed_run(bed, 10);
}

/* ---------------------------------------------------------------------------- known units */

static void fault_47_a_known_unit_is_current_also_after_a_restart(void **state)
{
	struct bed_unit *unit;
	unsigned n_erases;

	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_field(expect_outcome(unit, "updated"), FIELD_PROOF, "read-back");
	n_erases = scene_erases(unit);
	expect_good_stop(*state);
	bed_unplug(unit);
	scene_start(*state);
	bed_replug(unit, NULL);
	/* Ten blocks, the last one of 28 bytes; the image has twice as much. */
	expect_field(expect_outcome(unit, "current"), FIELD_BYTES, "2332");
	assert_int_equal(scene_erases(unit), n_erases);
	assert_int_equal(command_run(*state, "history --csv"), 0);
	assert_int_equal(command_lines(*state, ",unknown,updated,"), 1);
	assert_int_equal(command_lines(*state, ",same,current,"), 1);
	assert_int_equal(command_lines(*state, ",read-back"), 2);
	assert_int_equal(command_run(*state, "history"), 0);
	assert_int_equal(command_lines(*state, " read-back "), 2);
	assert_int_equal(command_run(*state, "history --json"), 0);
	assert_int_equal(command_lines(*state, "\"proof\": \"read-back\""), 2);
	assert_int_equal(command_run(*state, "history --counts --csv"), 0);
	assert_int_equal(command_lines(*state, ",1,0,0,100,updated 1,"), 1);
}

static void fault_46_an_older_image_is_refused_where_newer_ones_are_wanted(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "update = newer\n");
	bed_put_image(*state, "gate-1.1.0.bin", FIRMWARE_NEW_BIN);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_remove_image(*state, "gate-1.1.0.bin");
	bed_replug(unit, NULL);
	expect_text(expect_outcome(unit, "current"), "MESSAGE", "is not newer");
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

/* ---------------------------------------------------------------------------- torn units */

static void fault_18_a_unit_torn_with_its_service_is_repaired(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 5));
	kill_service(*state);
	bed_unplug(unit);
	bed_mark(*state);
	scene_start(*state);
	bed_replug(unit, GATE);
	expect_outcome(unit, "updated");
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_TORN)), 1);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(command_run(*state, "history --csv"), 0);
	assert_int_equal(command_lines(*state, "ended during this job"), 1);
	assert_int_equal(command_lines(*state, ",torn,updated,"), 1);
	assert_int_equal(command_run(*state, "history --units --csv"), 0);
	assert_int_equal(command_lines(*state, ",whole,"), 1);
}

/* Killed when the chip takes the n-th command of its kind: the first, one in the middle, the last.
 */
static void fault_18_killed_at_every_step_it_recovers(void **state)
{
	static const uint8_t codes[] = {0x00 /* GET */, 0x02 /* GET ID */, ERASE, WRITE, READ};
	struct sim_counters before, after;
	struct bed_unit *unit;
	unsigned n_kills = 0;

	scene_configure(*state, "", "update = always\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	before = bed_counters(unit);
	expect_outcome(unit, "updated");
	after = bed_counters(unit);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		unsigned most = after.commands[codes[i]] - before.commands[codes[i]];

		assert_true(most > 0);
		for (unsigned n = 1; n <= most; n += most > 2 ? (most - 1) / 2 : 1) {
			unsigned now;

			bed_unplug(unit);
			now = bed_counters(unit).commands[codes[i]];
			bed_replug(unit, GATE_PACED);
			assert_true(bed_wait_command(unit, BED_LONG, codes[i], now + n));
			kill_service(*state);
			bed_unplug(unit);
			scene_start(*state);
			bed_replug(unit, GATE);
			expect_outcome(unit, "updated");
			assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
			expect_at_rest(unit);
			n_kills++;
		}
	}
	print_message("# figure: service killed at %u steps of an update\n", n_kills);
	assert_true(n_kills >= 11);
	assert_int_equal(command_run(*state, "history --units --csv"), 0);
	assert_int_equal(command_lines(*state, ",whole,"), 1);
}

/* The one attempt there is, told alike before the next service and after. */
static void expect_cut(struct bed *bed)
{
	assert_int_equal(command_run(bed, "history"), 0);
	assert_int_equal(command_lines(bed, " running "), 0);
	assert_int_equal(command_lines(bed, " failed "), 1);
	assert_int_equal(command_run(bed, "history --csv --outcome failed"), 0);
	assert_int_equal(command_lines(bed, ",unknown,failed,"), 1);
	assert_int_equal(command_lines(bed, "ended during this job"), 1);
	assert_int_equal(command_run(bed, "history --json"), 0);
	assert_int_equal(command_lines(bed, "\"outcome\": \"failed\""), 1);
	assert_int_equal(command_lines(bed, "\"ended\": null"), 0);
	assert_int_equal(command_run(bed, "history --counts --csv"), 0);
	assert_int_equal(command_lines(bed, ",0,0,1,"), 1);
}

static void history_tells_a_job_that_runs_from_one_that_was_cut_off(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE_AT_LEISURE);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 3));
	assert_int_equal(command_run(*state, "history"), 0);
	assert_int_equal(command_lines(*state, " running "), 1);
	assert_int_equal(command_run(*state, "history --json"), 0);
	assert_int_equal(command_lines(*state, "\"ended\": null"), 1);
	kill_service(*state);
	expect_cut(*state);
	bed_unplug(unit);
	scene_start(*state);
	expect_cut(*state);
}

/* ------------------------------------------------------------------------- on-outcome */

static void write_script(struct bed *bed, const char *name, const char *text, char path[400])
{
	FILE *to;

	snprintf(path, 400, "%s/%s", bed_directory(bed), name);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static void a_program_is_told_of_each_outcome(void **state)
{
	char path[400], key[500], text[600];
	struct bed_unit *unit;

	snprintf(text, sizeof(text),
		"#!/bin/sh\n[ $# = 0 ] && env >%s/hidden && mv %s/hidden %s/out\n",
		bed_directory(*state), bed_directory(*state), bed_directory(*state));
	write_script(*state, "told", text, path);
	snprintf(key, sizeof(key), "on-outcome = %s\n", path);
	scene_configure(*state, key, "");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1;$(id)", .chip = "f405"});
	expect_outcome(unit, "wrong-chip");
	assert_true(bed_wait_file(*state, BED_LONG, "out"));
	assert_int_equal(command_lines(*state, "PLUGFLASH_OUTCOME=wrong-chip"), 1);
	assert_int_equal(command_lines(*state, "PLUGFLASH_BOARD=gate"), 1);
	assert_int_equal(command_lines(*state, "PLUGFLASH_USB_SERIAL=A1;$(id)"), 1);
	assert_int_equal(command_lines(*state, "PLUGFLASH_REASON=the chip is"), 1);
	/* Of the service's own environment it gets nothing. */
	assert_int_equal(command_lines(*state, "NOTIFY_SOCKET"), 0);
}

/* A light that stays red, or a label that is not printed, for a board that was good. */
static void a_program_is_told_of_what_ended_with_the_service(void **state)
{
	char path[400], key[500], text[600];
	struct bed_unit *unit;

	snprintf(text, sizeof(text), "#!/bin/sh\nsleep 0.3\nenv >%s/out\n", bed_directory(*state));
	write_script(*state, "told", text, path);
	snprintf(key, sizeof(key), "on-outcome = %s\n", path);
	scene_configure(*state, key, "");
	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 5));
	assert_int_equal(bed_stop_service(*state, BED_LONG), 0);
	expect_outcome(unit, "updated");
	assert_int_equal(command_lines(*state, "PLUGFLASH_OUTCOME=updated"), 1);
}

/* No board is flashed any more then, and systemd must not end the service before the programs. */
static void systemd_is_asked_for_the_time_that_programs_take(void **state)
{
	char path[400], key[500], text[600];

	snprintf(text, sizeof(text), "#!/bin/sh\nsleep 2\necho told >%s/out\n",
		bed_directory(*state));
	write_script(*state, "told", text, path);
	snprintf(key, sizeof(key), "on-outcome = %s\n", path);
	scene_configure(*state, key, "");
	scene_start(*state);
	expect_outcome(bed_plug(*state, GATE), "updated");
	assert_int_equal(bed_extensions(*state), 0);
	assert_int_equal(bed_stop_service(*state, BED_LONG), 0);
	assert_true(bed_extensions(*state) > 0);
	assert_int_equal(command_lines(*state, "told"), 1);
}

static void a_program_that_is_not_there_is_told_and_harms_nobody(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "on-outcome = /nowhere/at/all\n", "");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	assert_true(bed_is_running(*state));
}

/* -------------------------------------------------------------------------- failing units */

static void fault_23_a_unit_that_fails_is_left_alone_until_somebody_asks(void **state)
{
	struct bed_unit *unit;
	unsigned n_erases;

	scene_configure(*state, "", "retries = 0\nquarantine-after = 1\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = STUCK});
	expect_outcome(unit, "verify-differs");
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_QUARANTINED)));
	n_erases = scene_erases(unit);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "quarantined");
	assert_int_equal(scene_erases(unit), n_erases);
	assert_true(bed_wait_closed(unit, BED_LONG));

	/* It stays where it is, and is mended. */
	bed_set_faults(unit, &none);
	bed_mark(*state);
	assert_int_equal(command_run(*state, "retry"), 0);
	assert_int_equal(command_lines(*state, "tried again: 1"), 1);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_FORGIVEN)));
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* A unit that has just failed and is mended; the service has ended meanwhile. */
static struct bed_unit *fail_and_stop(struct bed *bed, const char *keys)
{
	struct bed_unit *unit;

	scene_configure(bed, "", keys);
	scene_start(bed);
	unit = bed_plug(bed, &(struct bed_board){.serial = "A1", .faults = STUCK});
	expect_outcome(unit, "verify-differs");
	expect_good_stop(bed);
	bed_set_faults(unit, &none);
	bed_mark(bed);
	return unit;
}

static bool is_updated(struct bed *bed)
{
	return bed_wait_journal(bed, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated"));
}

/* Whatever becomes of other units. */
static bool is_unit_updated(struct bed *bed, struct bed_unit *unit)
{
	char port[64];

	snprintf(port, sizeof(port), FIELD_PORT "=%s", bed_port(unit));
	return bed_wait_journal(bed, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated", port));
}

static void fault_23_a_unit_that_is_to_wait_does_so_after_a_restart(void **state)
{
	struct bed_unit *unit = fail_and_stop(*state, "retries = 0\n");
	unsigned n_opens = bed_opens(unit);

	scene_start(*state);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(unit), n_opens);
	/* Who plugs it in again, or asks, does not wait. */
	bed_unplug(unit);
	bed_replug(unit, NULL);
	bed_set_faults(unit, &none);
	assert_true(is_unit_updated(*state, unit));
}

static void fault_23_it_waits_for_the_rest_only(void **state)
{
	struct bed_unit *unit = fail_and_stop(*state, "retries = 0\nagain-after = 8s\n");
	unsigned n_opens;

	n_opens = bed_opens(unit);
	scene_start(*state);
	bed_run(*state, 1500);
	assert_int_equal(bed_opens(unit), n_opens);
	assert_true(is_updated(*state));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static int take_unit(void *userdata, const struct store_unit *unit)
{
	*(struct store_unit *)userdata = *unit;
	return 0;
}

/* As if it had been a year ago, and the host started since. */
static void set_back_sight(struct bed *bed)
{
	const struct store_filter one = {.limit = 1};
	struct reason reason = {};
	struct store_unit unit = {};
	struct store *store;
	char path[200];

	snprintf(path, sizeof(path), "%s/state", bed_directory(bed));
	assert_int_equal(store_open(path, &store, &reason), 0);
	assert_int_equal(store_list_units(store, &one, take_unit, &unit, &reason), 0);
	assert_true(unit.not_before_ms > wall_clock_msec());
	unit.seen_ms -= INT64_C(365) * 86400 * 1000;
	assert_int_equal(save_rows(store, &unit, NULL, &reason), 0);
	store_close(store);
}

static void fault_23_nothing_waits_that_was_seen_before_the_host_was_started(void **state)
{
	struct bed_unit *unit = fail_and_stop(*state, "retries = 0\n");

	set_back_sight(*state);
	scene_start(*state);
	assert_true(is_updated(*state));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void another_image_or_a_request_ends_the_wait_after_a_restart(void **state)
{
	const struct sim_faults stuck = STUCK;
	struct bed_unit *unit = fail_and_stop(*state, "retries = 0\n");
	unsigned n_opens;

	scene_start(*state);
	bed_run(*state, 300);
	assert_int_equal(command_run(*state, "retry"), 0);
	assert_true(is_updated(*state));
	expect_good_stop(*state);

	bed_set_faults(unit, &stuck);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	bed_mark(*state);
	scene_start(*state);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=verify-differs")));
	expect_good_stop(*state);
	bed_set_faults(unit, &none);
	bed_mark(*state);
	n_opens = bed_opens(unit);
	scene_start(*state);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(unit), n_opens);
	bed_remove_image(*state, "gate-1.1.0.hex");
	assert_true(is_unit_updated(*state, unit));
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
}

static void a_request_for_another_unit_changes_nothing(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "retries = 0\nquarantine-after = 1\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = STUCK});
	expect_outcome(unit, "verify-differs");
	assert_int_equal(command_run(*state, "retry --unit 123456"), 0);
	assert_int_equal(command_lines(*state, "tried again: 0"), 1);
	assert_int_equal(command_run(*state, "retry --board door"), 0);
	/* Nothing is there that could be tried. */
	assert_int_equal(command_run(*state, "retry -p ttyUSB9"), 9);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "quarantined");
	assert_int_equal(command_run(*state, "retry -p ttyUSB0"), 0);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=verify-differs")));
}

/* The slot knows them all: what was there before stays what it is. */
static void by_port_the_unit_that_is_there_is_meant(void **state)
{
	const struct bed_board second = {.serial = "A2", .path = "1-1", .faults = STUCK};
	struct bed_unit *before, *unit;

	scene_configure(*state, "", "retries = 0\nquarantine-after = 1\n");
	scene_start(*state);
	before = bed_plug(
		*state, &(struct bed_board){.serial = "A1", .path = "1-1", .faults = STUCK});
	expect_outcome(before, "verify-differs");
	bed_unplug(before);
	/* Nothing is there, and what was, stays held. */
	assert_int_equal(command_run(*state, "retry -p ttyUSB0 --json"), 9);
	assert_int_equal(command_lines(*state, "\"units\""), 0);
	unit = bed_plug(*state, &second);
	expect_outcome(unit, "verify-differs");
	bed_set_faults(unit, &none);
	bed_set_faults(before, &none);
	bed_mark(*state);
	assert_int_equal(command_run(*state, "retry -p ttyUSB0 --json"), 0);
	assert_int_equal(command_lines(*state, "\"units\": 1"), 1);
	assert_int_equal(command_lines(*state, "\"held\": 0"), 1);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_wait_closed(unit, BED_LONG));
	bed_unplug(unit);
	bed_replug(before, NULL);
	expect_outcome(before, "quarantined");
}

/* Where no chip answered, the bridge has the record. */
static void by_port_a_silent_unit_is_meant_by_its_bridge(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "retries = 0\nquarantine-after = 1\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = {.silent = true}});
	expect_outcome(unit, "no-sync");
	bed_set_faults(unit, &none);
	bed_mark(*state);
	assert_int_equal(command_run(*state, "retry -p ttyUSB0 --json"), 0);
	assert_int_equal(command_lines(*state, "\"units\": 1"), 1);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
}

/* Somebody else holds the file: who asks must not think that it was done. */
static void a_retry_that_the_store_does_not_take_is_no_success(void **state)
{
	struct database *database = NULL;
	struct reason reason = {0};
	struct bed_unit *unit;
	char path[400];

	scene_configure(*state, "", "retries = 0\nquarantine-after = 1\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = STUCK});
	expect_outcome(unit, "verify-differs");
	assert_true(bed_wait_closed(unit, BED_LONG));
	bed_unplug(unit);
	snprintf(path, sizeof(path), "%s/state/" STORE_NAME, bed_directory(*state));
	assert_int_equal(database_open(path, false, &database, &reason), 0);
	assert_int_equal(database_execute(database, "BEGIN IMMEDIATE", &reason), 0);
	for (unsigned i = 0; i < 2; i++) {
		bed_mark(*state);
		assert_int_equal(command_run(*state, "retry"), 1);
		assert_int_equal(command_lines(*state, "tried again"), 0);
		assert_non_null(bed_wait_journal(
			*state, BED_LONG, BED_MATCH("PRIORITY=3", "SYSLOG_IDENTIFIER=plugflashd")));
	}
	assert_int_equal(database_execute(database, "ROLLBACK", &reason), 0);
	database_close(database);
	assert_int_equal(command_run(*state, "retry"), 0);
	assert_int_equal(command_lines(*state, "tried again: 1"), 1);
}

static void a_unit_that_stays_plugged_in_is_tried_again_by_itself(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", "retries = 0\nagain-after = 1s\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1", .faults = STUCK});
	expect_outcome(unit, "verify-differs");
	bed_set_faults(unit, &none);
	bed_mark(*state);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_int_equal(bed_counters(unit).bad_writes, 0);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* --------------------------------------------------------------------------- the store */

static void a_second_service_says_who_holds_the_store_and_ends(void **state)
{
	char script[300];
	int status = -1;
	pid_t pid;

	scene_start(*state);
	command_set_directory(ENV_CONFIGURATION, *state, "config");
	command_set_directory(ENV_STATE, *state, "state");
	command_set_directory(ENV_RUNTIME, *state, "runtime-of-the-second");
	snprintf(script, sizeof(script), "exec %s/plugflashd", enclosure_build());
	pid = bed_spawn(*state, BED_MATCH("/bin/sh", "-c", script));
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	snprintf(script, sizeof(script), "(process %d)", (int)bed_service_pid(*state));
	expect_text(bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_STORE_HELD)),
		"MESSAGE", script);
	assert_true(bed_is_running(*state));
}

static void put_in_state(struct bed *bed, const char *name, const char *text)
{
	char path[400];
	FILE *to;

	snprintf(path, sizeof(path), "%s/state/%s", bed_directory(bed), name);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

static void fault_24_a_damaged_store_is_told_and_the_board_is_updated(void **state)
{
	struct bed_unit *unit;

	put_in_state(*state, "plugflash.db", "not what it was, and longer than nothing");
	scene_start(*state);
	expect_text(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_STORE_DAMAGED)),
		"MESSAGE", "it is kept as");
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
}

static void the_command_says_when_there_is_nothing_to_tell(void **state)
{
	assert_int_equal(command_run(*state, "history"), 1);
	assert_int_equal(command_run(*state, "retry"), 1);
	command_start_service(*state);
	assert_int_equal(command_run(*state, "history"), 0);
	assert_int_equal(command_lines(*state, ""), 0);
	assert_int_equal(command_run(*state, "retry"), 0);
	assert_int_equal(command_run(*state, "history --json"), 0);
	assert_int_equal(command_lines(*state, "\"attempts\""), 1);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(fault_47_a_known_unit_is_current_also_after_a_restart),
	SCENE_TEST(fault_46_an_older_image_is_refused_where_newer_ones_are_wanted),
	SCENE_TEST(fault_18_a_unit_torn_with_its_service_is_repaired),
	SCENE_TEST(fault_18_killed_at_every_step_it_recovers),
	SCENE_TEST(history_tells_a_job_that_runs_from_one_that_was_cut_off),
	SCENE_TEST(a_program_is_told_of_each_outcome),
	SCENE_TEST(a_program_is_told_of_what_ended_with_the_service),
	SCENE_TEST(systemd_is_asked_for_the_time_that_programs_take),
	SCENE_TEST(a_program_that_is_not_there_is_told_and_harms_nobody),
	COMMAND_TEST(fault_23_a_unit_that_fails_is_left_alone_until_somebody_asks),
	SCENE_TEST(fault_23_a_unit_that_is_to_wait_does_so_after_a_restart),
	SCENE_TEST(fault_23_it_waits_for_the_rest_only),
	SCENE_TEST(fault_23_nothing_waits_that_was_seen_before_the_host_was_started),
	COMMAND_TEST(another_image_or_a_request_ends_the_wait_after_a_restart),
	COMMAND_TEST(a_request_for_another_unit_changes_nothing),
	COMMAND_TEST(by_port_the_unit_that_is_there_is_meant),
	COMMAND_TEST(by_port_a_silent_unit_is_meant_by_its_bridge),
	COMMAND_TEST(a_retry_that_the_store_does_not_take_is_no_success),
	SCENE_TEST(a_unit_that_stays_plugged_in_is_tried_again_by_itself),
	SCENE_TEST(a_second_service_says_who_holds_the_store_and_ends),
	SCENE_TEST(fault_24_a_damaged_store_is_told_and_the_board_is_updated),
	COMMAND_TEST(the_command_says_when_there_is_nothing_to_tell),
};

SCENE_MAIN(tests)
