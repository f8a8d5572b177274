/* SPDX-License-Identifier: MIT */
/* Somebody else has the port: told by name where it can be seen, waited for, never disturbed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

static void end_child(struct bed *bed, pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
}

/* Whatever happens meanwhile: no byte reaches the chip, and the job is tried again. */
static const struct journal_entry *expect_busy(struct bed *bed, struct bed_unit *unit)
{
	const struct journal_entry *entry = bed_wait_journal(bed, BED_LONG,
		BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED, FIELD_OUTCOME "=port-busy"));

	assert_non_null(entry);
	expect_field(entry, FIELD_PORT, bed_port(unit));
	assert_int_equal(bed_counters(unit).received, 0);
	return entry;
}

/* A shell that opens the port as descriptor 3, does `what` with it, and stays there. */
static void hold_with_shell(struct bed *bed, const char *what)
{
	struct bed_unit *unit =
		bed_plug(bed, &(struct bed_board){.serial = "A1", .is_silent = true});
	char script[256], pid_text[32];
	pid_t holder;

	snprintf(script, sizeof(script), "exec 3<>%s && %s mkdir %s/held && exec sleep 60",
		bed_port(unit), what, bed_directory(bed));
	holder = bed_spawn(bed, BED_MATCH("sh", "-c", script));
	assert_true(bed_wait_file(bed, BED_LONG, "held"));
	bed_event(unit, "add", UEVENT_WAIT);
	snprintf(pid_text, sizeof(pid_text), "(%d)", (int)holder);
	expect_text(expect_busy(bed, unit), "MESSAGE", pid_text);
	end_child(bed, holder);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void fault_11_a_port_that_somebody_locked_is_left_alone_and_its_holder_named(void **state)
{
	scene_start(*state);
	hold_with_shell(*state, "flock -n 3 &&");
}

static void fault_11_a_port_that_somebody_only_has_open_is_left_alone_and_its_holder_named(
	void **state)
{
	scene_start(*state);
	hold_with_shell(*state, "");
}

static void fault_11_a_port_that_somebody_excludes_others_from_is_waited_for(void **state)
{
	struct bed_unit *unit = bed_plug(*state, GATE);
	pid_t holder = bed_hold_exclusively(unit);

	scene_start(*state);
	expect_text(expect_busy(*state, unit), "MESSAGE", "busy");
	end_child(*state, holder);
	expect_outcome(unit, "updated");
}

static void fault_11_a_port_that_stays_busy_ends_as_port_busy(void **state)
{
	struct bed_unit *unit = bed_plug(*state, GATE);
	struct bed_unit *other;
	pid_t holder = bed_hold_exclusively(unit);

	scene_start(*state);
	other = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	expect_outcome(other, "updated");
	expect_outcome(unit, "port-busy");
	assert_int_equal(bed_counters(unit).received, 0);
	end_child(*state, holder);
}

static void a_running_job_keeps_others_out(void **state)
{
	struct bed_unit *unit;
	int status = 0;
	pid_t pid;

	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	pid = bed_spawn(*state, BED_MATCH("stm32flash", "-m", "8n1", bed_port(unit)));
	assert_true(bed_wait_child(*state, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* It is not to be ended in the middle of an erase, whoever asks meanwhile. */
static void a_worker_of_the_service_is_no_intruder(void **state)
{
	static const char *const verbs[] = {"probe", "verify", "flash", "read -"};
	CLEANUP(freep) char *chips = realpath("config/chips.ini", NULL);
	struct bed_unit *unit;
	pid_t worker;

	assert_int_equal(setenv(ENV_CHIPS, chips, 1), 0);
	scene_start(*state);
	unit = bed_plug(*state, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	/* Four commands take longer on a busy machine than the rest of the write. */
	worker = scene_worker();
	assert_int_equal(kill(worker, SIGSTOP), 0);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		char line[300];

		snprintf(line, sizeof(line), "%s --port %s 2>>%s/out", verbs[i], bed_port(unit),
			bed_directory(*state));
		assert_int_equal(
			command_run(*state, line), outcome_to_exit_code(OUTCOME_PORT_BUSY));
		assert_int_equal(
			command_lines(*state, "the service is flashing this board now"), 1);
		assert_int_equal(command_lines(*state, "journalctl -t plugflashd -f"), 1);
		assert_int_equal(command_lines(*state, "end that program"), 0);
	}
	assert_int_equal(kill(worker, SIGCONT), 0);
	expect_outcome(unit, "updated");
}

/* The kernel keeps 15 letters of a name. */
static void a_holder_s_name_is_not_cut(void **state)
{
	struct bed_unit *unit =
		bed_plug(*state, &(struct bed_board){.serial = "A1", .is_silent = true});
	char script[512];
	pid_t holder;

	scene_start(*state);
	snprintf(script, sizeof(script),
		"cp /bin/sleep %s/the-terminal-of-the-bench && exec 3<>%s && mkdir %s/held && exec %s/the-terminal-of-the-bench 60",
		bed_directory(*state), bed_port(unit), bed_directory(*state),
		bed_directory(*state));
	holder = bed_spawn(*state, BED_MATCH("sh", "-c", script));
	assert_true(bed_wait_file(*state, BED_LONG, "held"));
	bed_event(unit, "add", UEVENT_WAIT);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED)));
	bed_mark(*state);
	expect_text(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED)),
		"MESSAGE", ": the-terminal-of-the-bench (");
	end_child(*state, holder);
	expect_outcome(unit, "updated");
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_worker_of_the_service_is_no_intruder),
	SCENE_TEST(a_holder_s_name_is_not_cut),
	SCENE_TEST(fault_11_a_port_that_somebody_locked_is_left_alone_and_its_holder_named),
	SCENE_TEST(fault_11_a_port_that_somebody_only_has_open_is_left_alone_and_its_holder_named),
	SCENE_TEST(fault_11_a_port_that_somebody_excludes_others_from_is_waited_for),
	SCENE_TEST(fault_11_a_port_that_stays_busy_ends_as_port_busy),
	SCENE_TEST(a_running_job_keeps_others_out),
};

SCENE_MAIN(tests)
