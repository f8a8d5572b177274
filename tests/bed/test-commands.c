/* SPDX-License-Identifier: MIT */
/*
 * The command beside the service: what it has the service do, what it does itself with a bridge
 * that it takes from the service, and what becomes of both where one of them is interrupted.
 */
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
#include <unistd.h>

#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define IDENTIFY "identify = rts=1 1s rts=0 1s\n"
#define TAKEN	 "the service leaves this bridge alone until the command ends"

static struct bed_unit *start_with(struct bed *bed, const struct bed_board *board)
{
	struct bed_unit *unit;

	command_start_service(bed);
	unit = bed_plug(bed, board);
	return unit;
}

static struct bed_unit *start_with_updated(struct bed *bed)
{
	struct bed_unit *unit = start_with(bed, GATE);

	expect_outcome(unit, "updated");
	assert_true(bed_wait_closed(unit, BED_LONG));
	return unit;
}

/* How many attempts the store has. */
static unsigned attempts(struct bed *bed)
{
	assert_int_equal(command_run(bed, "history --csv --limit 0"), 0);
	return command_lines(bed, "") - 1;
}

/* A line with this text is on standard error, which the command was sent to. */
struct line {
	struct bed *bed;
	const char *text;
};

static bool is_said(void *userdata)
{
	const struct line *line = userdata;

	return command_lines(line->bed, line->text) > 0;
}

static void wait_line(struct bed *bed, const char *text)
{
	struct line line = {bed, text};

	if (!bed_wait(bed, BED_LONG, is_said, &line))
		fail_msg("the command does not say '%s'", text);
}

/* ------------------------------------------------------------------------ by the service */

static void each_verb_is_done_by_the_service(void **state)
{
	struct bed_unit *unit = start_with_updated(*state);
	unsigned n_erases = scene_erases(unit);

	assert_int_equal(command_run_all(*state, "flash -p ttyUSB0"), 0);
	assert_int_equal(command_lines(*state, "current: holds gate-1.0.0.hex"), 1);
	assert_int_equal(command_lines(*state, TAKEN), 0);
	assert_int_equal(command_run(*state, "verify"), 0);
	assert_int_equal(command_lines(*state, "current: holds gate-1.0.0.hex"), 1);
	assert_int_equal(command_run(*state, "probe"), 0);
	assert_int_equal(
		command_lines(*state, "0x410 (in a rule: protocol = stm32, chip = 0x410)"), 1);
	assert_int_equal(command_lines(*state, "flash        64 KiB"), 1);
	assert_int_equal(command_run(*state, "flash --json"), 0);
	assert_int_equal(command_lines(*state, "\"outcome\": \"current\""), 1);
	assert_int_equal(command_lines(*state, "\"exit_code\": 0"), 1);
	assert_int_equal(command_lines(*state, "\"board\": \"gate\""), 1);
	assert_int_equal(scene_erases(unit), n_erases);
	/* The service has done it: what came of it is in its store. */
	assert_int_equal(attempts(*state), 5);
}

static void a_board_shows_itself_by_the_service_or_here(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", IDENTIFY);
	unit = start_with_updated(*state);
	assert_int_equal(command_run_all(*state, "identify"), 0);
	assert_int_equal(command_lines(*state, "ttyUSB0: showed itself in 10."), 1);
	assert_int_equal(command_lines(*state, TAKEN), 0);
	assert_int_equal(attempts(*state), 2);
	assert_int_equal(command_run_all(*state, "identify --direct"), 0);
	assert_int_equal(command_lines(*state, "ttyUSB0: " TAKEN), 1);
	assert_int_equal(command_lines(*state, "ttyUSB0: showed itself in 10."), 1);
	expect_at_rest(unit);
}

static void a_board_without_a_way_to_show_itself_is_left_alone(void **state)
{
	struct bed_unit *unit = start_with_updated(*state);
	unsigned n_opens = bed_opens(unit);

	assert_int_equal(command_run_all(*state, "identify"), 1);
	assert_int_equal(command_lines(*state, "the rule 'gate' does not say how its board"), 1);
	assert_int_equal(command_run_all(*state, "identify --direct"), 3);
	assert_int_equal(command_lines(*state, "the rule 'gate' does not say how its board"), 1);
	assert_int_equal(bed_opens(unit), n_opens);
	assert_int_equal(attempts(*state), 1);
}

static void a_board_that_failed_is_flashed_by_the_service(void **state)
{
	const struct sim_faults none = {0};
	struct bed_unit *unit;

	scene_configure(*state, "", "retries = 0\nagain-after = 0\n");
	unit = start_with(*state,
		&(struct bed_board){.serial = "A1", .faults = {.stuck_address = 0x08000400}});
	expect_outcome(unit, "verify-differs");
	assert_int_equal(command_run_all(*state, "flash"), 15);
	assert_int_equal(command_lines(*state, "verify-differs (verify)"), 1);
	assert_int_equal(command_lines(*state, "next: plugflash flash writes the image again"), 1);
	bed_set_faults(unit, &none);
	assert_int_equal(command_run_all(*state, "flash"), 0);
	assert_int_equal(command_lines(*state, "updated: gate-1.0.0.hex"), 1);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void a_job_that_runs_is_followed(void **state)
{
	struct bed_unit *unit = start_with(*state, GATE_AT_LEISURE);

	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	assert_int_equal(command_run_all(*state, "flash"), 0);
	assert_int_equal(command_lines(*state, "updated: gate-1.0.0.hex"), 1);
	assert_true(command_lines(*state, "ttyUSB0: write") > 0);
	expect_outcome(unit, "updated");
	assert_int_equal(bed_opens(unit), 1);
	assert_int_equal(attempts(*state), 1);
}

static void two_commands_at_once_are_one_job(void **state)
{
	struct bed_unit *unit = start_with_updated(*state);
	unsigned n_opens = bed_opens(unit);
	pid_t first, second;
	int status;

	assert_int_equal(command_run(*state, "pause both"), 0);
	first = command_start(*state, "flash", "first");
	second = command_start(*state, "flash", "second");
	assert_true(bed_wait_file(*state, BED_LONG, "first"));
	assert_true(bed_wait_file(*state, BED_LONG, "second"));
	assert_int_equal(command_run(*state, "resume"), 0);
	assert_true(bed_wait_child(*state, BED_LONG, first, &status));
	assert_int_equal(status, 0);
	assert_true(bed_wait_child(*state, BED_LONG, second, &status));
	assert_int_equal(status, 0);
	/* The second may have come after the end of the first. */
	assert_true(bed_opens(unit) <= n_opens + 2);
	expect_at_rest(unit);
}

static void without_a_service_it_is_done_here(void **state)
{
	struct bed_unit *unit = bed_plug(*state, GATE);

	assert_int_equal(command_run_all(*state, "flash"), 0);
	assert_int_equal(command_lines(*state, "updated: gate-1.0.0.hex"), 1);
	/* Here nothing is told more seldom than it happens, as over the bus. */
	assert_int_equal(command_lines(*state, "ttyUSB0: write last part"), 1);
	assert_int_equal(command_lines(*state, "ttyUSB0: verify last part"), 1);
	assert_int_equal(command_lines(*state, "ttyUSB0: leave"), 1);
	assert_int_equal(command_lines(*state, TAKEN), 0);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	/* Without a bus, too. */
	command_end_bus();
	assert_int_equal(command_run_all(*state, "verify"), 0);
	assert_int_equal(command_lines(*state, "current: holds"), 1);
}

/* ----------------------------------------------------------------- in the command itself */

static void what_the_service_does_not_know_is_done_here(void **state)
{
	static const char *const commands[] = {"flash --direct", "verify --direct",
		"probe --direct", "flash --dry-run", "probe --baud 57600", "read - | cat"};
	struct bed_unit *unit = start_with_updated(*state);

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		print_message("# %s\n", commands[i]);
		assert_int_equal(command_run_all(*state, commands[i]), 0);
		assert_int_equal(command_lines(*state, "ttyUSB0: " TAKEN), 1);
	}
	assert_int_equal(
		command_run_all(*state, "flash --image " FIRMWARE_NEW_BIN " --address 0x08000000"),
		0);
	assert_int_equal(command_lines(*state, "updated: firmware-1.1.0.bin"), 1);
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(attempts(*state), 1);
	/* And back to what the rule says: the service has the bridge again. */
	assert_int_equal(command_run(*state, "flash"), 0);
	assert_true(bed_flash_begins(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(attempts(*state), 2);
}

static void the_end_of_a_job_is_waited_for(void **state)
{
	struct bed_unit *unit = start_with(*state, GATE_AT_LEISURE);

	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	assert_int_equal(command_run_all(*state, "flash --direct"), 0);
	assert_int_equal(
		command_lines(*state, "ttyUSB0: the service works on the board: waiting"), 1);
	assert_int_equal(command_lines(*state, TAKEN), 1);
	assert_int_equal(command_lines(*state, "current: holds gate-1.0.0.hex"), 1);
	expect_outcome(unit, "updated");
}

static void the_wait_for_a_bridge_can_be_interrupted(void **state)
{
	struct bed_unit *unit = start_with(*state, GATE_AT_LEISURE);
	pid_t pid;
	int status;

	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	pid = command_start(*state, "flash --direct", "out");
	wait_line(*state, "waiting for its end");
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_int_equal(WEXITSTATUS(status), 18);
	expect_outcome(unit, "updated");
	assert_int_equal(bed_opens(unit), 1);
}

/* The service begins with no board that a command has. */
static void a_bridge_that_was_taken_is_left_alone(void **state)
{
	struct bed_unit *unit = start_with_updated(*state);
	unsigned n_opens;
	int status;
	pid_t pid;

	n_opens = bed_opens(unit);
	pid = command_start(*state, "read - | cat", "out");
	assert_true(bed_wait_opened(unit, BED_LONG));
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
	/* It was not busy for anybody: the next job comes when the command has ended. */
	assert_non_null(bed_wait_journal(
		*state, BED_LONG, BED_MATCH(FIELD_VERSION "=1.1.0", FIELD_OUTCOME "=updated")));
	assert_int_equal(bed_count_journal(*state, BED_MATCH(FIELD_OUTCOME "=port-busy")), 0);
	assert_int_equal(bed_opens(unit), n_opens + 2);
}

/* ------------------------------------------------------------------------------- Ctrl-C */

static void ctrl_c_before_the_erase_cancels(void **state)
{
	struct bed_unit *unit = start_with_updated(*state);
	unsigned n_opens = bed_opens(unit);
	int status;
	pid_t pid;

	assert_int_equal(command_run(*state, "pause lunch"), 0);
	pid = command_start(*state, "flash", "out");
	wait_line(*state, "ttyUSB0: waiting for its turn: lunch");
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_int_equal(WEXITSTATUS(status), 18);
	assert_int_equal(command_lines(*state, "ttyUSB0: cancelled"), 1);
	assert_int_equal(command_run(*state, "resume"), 0);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(unit), n_opens);
}

static void ctrl_c_after_the_erase_is_too_late(void **state)
{
	struct bed_unit *unit = start_with(*state, GATE_AT_LEISURE);
	int status;
	pid_t pid;

	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	pid = command_start(*state, "flash", "out");
	wait_line(*state, "ttyUSB0: write");
	assert_int_equal(kill(pid, SIGINT), 0);
	wait_line(*state, "too late to cancel");
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
	assert_int_equal(command_lines(*state, "updated: gate-1.0.0.hex"), 1);
	expect_outcome(unit, "updated");
}

static void a_second_ctrl_c_leaves_the_service_to_it(void **state)
{
	struct bed_unit *unit = start_with(*state, GATE_AT_LEISURE);
	int status;
	pid_t pid;

	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	pid = command_start(*state, "flash", "out");
	wait_line(*state, "ttyUSB0: write");
	assert_int_equal(kill(pid, SIGINT), 0);
	wait_line(*state, "too late to cancel");
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(command_lines(*state, "left, as asked, while the service goes on"), 1);
	expect_outcome(unit, "updated");
}

/* --------------------------------------------------------------------- the service ends */

static void a_service_that_stops_finishes_the_board_first(void **state)
{
	struct bed_unit *unit = start_with(*state, GATE_AT_LEISURE);
	int status;
	pid_t pid;

	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	pid = command_start(*state, "flash", "out");
	wait_line(*state, "ttyUSB0: write");
	assert_int_equal(bed_stop_service(*state, BED_LONG), 0);
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_int_equal(status, 0);
	assert_int_equal(command_lines(*state, "updated: gate-1.0.0.hex"), 1);
	expect_outcome(unit, "updated");
}

static void a_service_that_is_killed_is_told(void **state)
{
	struct bed_unit *unit = start_with(*state, GATE_AT_LEISURE);
	int status;
	pid_t pid;

	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	pid = command_start(*state, "flash", "out");
	wait_line(*state, "ttyUSB0: write");
	bed_signal(*state, SIGKILL);
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(command_lines(*state, "the service went away while it had the board"), 1);
}

/* ----------------------------------------------------------------------- not permitted */

/* Without polkit nobody but root may. */
static void who_may_not_ask_is_told_who_may(void **state)
{
	static const struct {
		const char *command, *says;
		int code;
	} rows[] = {
		{"flash", "plugflash-operators, or say --direct", 1},
		{"flash --dry-run", "plugflash-operators, or say --direct", 1},
		{"identify", "plugflash-operators, or say --direct", 1},
		{"pause", "plugflash pause: this user may not", 1},
		{"resume", "member of the group plugflash-operators", 1},
		{"retry", "member of the group plugflash-operators", 1},
		{"batch stop", "member of the group plugflash-operators", 1},
		/* To look is open to all. */
		{"batch", "no batch runs", 0},
	};
	struct bed_unit *unit;
	unsigned n_opens;

	scene_configure(*state, "", IDENTIFY);
	unit = start_with_updated(*state);
	n_opens = bed_opens(unit);
	/* The command must reach its files, whoever it is, and leave what it says. */
	assert_int_equal(chmod(bed_directory(*state), 0755), 0);
	assert_int_equal(chmod(getenv("UMOCKDEV_DIR"), 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int code = command_run_as_nobody(*state, rows[i].command);

		if (code == BED_NO_USERS)
			skip();
		print_message("# %s\n", rows[i].command);
		assert_int_equal(code, rows[i].code);
		assert_int_equal(command_lines(*state, rows[i].says), 1);
	}
	assert_int_equal(bed_opens(unit), n_opens);
	/* By the lock alone. */
	(void)command_run_as_nobody(*state, "probe --direct");
	assert_int_equal(command_lines(*state, "the lock of the port alone"), 1);
}

/* ------------------------------------------------------------------------ pause, resume */

static void a_pause_holds_boards_back(void **state)
{
	struct bed_unit *unit;

	command_start_service(*state);
	assert_int_equal(command_run(*state, "pause 'lunch break'"), 0);
	assert_int_equal(command_lines(*state, "paused: lunch break"), 1);
	unit = bed_plug(*state, GATE);
	expect_stranger_told(*state);
	assert_int_equal(bed_opens(unit), 0);
	assert_int_equal(command_run(*state, "pause --json"), 0);
	assert_int_equal(command_lines(*state, "\"state\": \"paused\""), 1);
	assert_int_equal(command_lines(*state, "\"pause_reason\": \"by "), 1);
	assert_int_equal(command_lines(*state, "\"jobs_waiting\": 1"), 1);
	assert_int_equal(command_run(*state, "resume"), 0);
	assert_int_equal(command_lines(*state, "the service goes on"), 1);
	expect_outcome(unit, "updated");
	assert_int_equal(command_run(*state, "resume --json"), 0);
	assert_int_equal(command_lines(*state, "\"state\": \"running\""), 1);
	assert_int_equal(command_lines(*state, "\"pause_reason\": null"), 1);
}

/* ------------------------------------------------------------------------------- batch */

static void a_batch_ends_with_a_pause(void **state)
{
	struct bed_unit *first, *second, *third;

	command_start_service(*state);
	assert_int_equal(command_run(*state, "batch"), 0);
	assert_int_equal(command_lines(*state, "no batch runs"), 1);
	assert_int_equal(command_run_all(*state, "batch start door --count 2"), 2);
	assert_int_equal(command_lines(*state, "plugflash batch: "), 1);
	assert_int_equal(command_run_all(*state, "retry --board gaet"), 0);
	assert_int_equal(command_lines(*state, "no [board gaet]; the nearest name is 'gate'"), 1);
	assert_int_equal(command_lines(*state, "tried again: 0"), 1);
	assert_int_equal(command_run(*state, "batch start gate --count 2"), 0);
	assert_int_equal(command_lines(*state, "batch of 'gate': 0 of 2 done, since 20"), 1);
	assert_int_equal(command_run_all(*state, "batch start gate --count 3"), 1);
	first = bed_plug(*state, GATE);
	expect_outcome(first, "updated");
	command_wait_manager("BatchDone", "1");
	assert_int_equal(command_run(*state, "batch --json"), 0);
	assert_int_equal(command_lines(*state, "\"done\": 1"), 1);
	assert_int_equal(command_lines(*state, "\"count\": 2"), 1);
	second = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	expect_outcome(second, "updated");
	third = bed_plug(*state, &(struct bed_board){.serial = "A3"});
	expect_stranger_told(*state);
	assert_int_equal(bed_opens(third), 0);
	assert_int_equal(command_run(*state, "resume"), 0);
	expect_outcome(third, "updated");
	assert_int_equal(command_run_all(*state, "batch stop"), 1);
	assert_int_equal(command_run(*state, "batch --json"), 0);
	assert_int_equal(command_lines(*state, "\"batch\": null"), 1);
}

static void a_batch_is_stopped(void **state)
{
	command_start_service(*state);
	assert_int_equal(command_run(*state, "pause first"), 0);
	assert_int_equal(command_run_all(*state, "batch start gate --count 2"), 0);
	assert_int_equal(command_lines(*state, "the service is paused"), 1);
	assert_int_equal(command_run(*state, "batch stop"), 0);
	assert_int_equal(command_lines(*state, "batch of 'gate' stopped: 0 of 2 done"), 1);
	assert_int_equal(command_run(*state, "batch"), 0);
	assert_int_equal(command_lines(*state, "no batch runs"), 1);
}

static const struct CMUnitTest tests[] = {
	COMMAND_TEST(each_verb_is_done_by_the_service),
	COMMAND_TEST(a_board_shows_itself_by_the_service_or_here),
	COMMAND_TEST(a_board_without_a_way_to_show_itself_is_left_alone),
	COMMAND_TEST(a_board_that_failed_is_flashed_by_the_service),
	COMMAND_TEST(a_job_that_runs_is_followed),
	COMMAND_TEST(two_commands_at_once_are_one_job),
	COMMAND_TEST(without_a_service_it_is_done_here),
	COMMAND_TEST(what_the_service_does_not_know_is_done_here),
	COMMAND_TEST(the_end_of_a_job_is_waited_for),
	COMMAND_TEST(the_wait_for_a_bridge_can_be_interrupted),
	COMMAND_TEST(a_bridge_that_was_taken_is_left_alone),
	COMMAND_TEST(ctrl_c_before_the_erase_cancels),
	COMMAND_TEST(ctrl_c_after_the_erase_is_too_late),
	COMMAND_TEST(a_second_ctrl_c_leaves_the_service_to_it),
	COMMAND_TEST(a_service_that_stops_finishes_the_board_first),
	COMMAND_TEST(a_service_that_is_killed_is_told),
	COMMAND_TEST(who_may_not_ask_is_told_who_may),
	COMMAND_TEST(a_pause_holds_boards_back),
	COMMAND_TEST(a_batch_ends_with_a_pause),
	COMMAND_TEST(a_batch_is_stopped),
};

SCENE_MAIN(tests)
