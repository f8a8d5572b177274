/* SPDX-License-Identifier: MIT */
/*
 * Units of systemd that own a port: stopped before a board is worked on, and started again after
 * it, whatever becomes of the job, the service, the bus, and systemd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/stage.h"
#include "bed/systemd1.h"

#define OWNER "zigbee2mqtt.service"
#define STOP  "stop " OWNER " replace"
#define START "start " OWNER " fail"
#define KEY   "port-owner = " OWNER "\n"

static struct stage *stage;
static struct systemd1_stand *systemd1;

static int set_up(void **state)
{
	char chips[PATH_MAX];

	stage_set_up(state);
	assert_non_null(realpath("config/chips.ini", chips));
	assert_int_equal(setenv(ENV_CHIPS, chips, 1), 0);
	stage = *state;
	systemd1 = systemd1_stand_new(stage->bed, stage->peers);
	systemd1_stand_add(systemd1, OWNER, "active");
	scene_configure(stage->bed, "", KEY);
	return 0;
}

static int tear_down(void **state)
{
	systemd1 = systemd1_stand_free(systemd1);
	return stage_tear_down(state);
}

#define OWNER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void expect_orders(const char *orders)
{
	if (!systemd1_stand_wait_orders(systemd1, BED_LONG, orders))
		fail_msg("'%s', and not '%s'", systemd1_stand_orders(systemd1), orders);
}

static void expect_active(const char *id, const char *active)
{
	if (!systemd1_stand_wait_active(systemd1, BED_LONG, id, active))
		fail_msg("%s is %s", id, systemd1_stand_active(systemd1, id));
}

static void expect_entry(const char *match)
{
	if (!bed_wait_journal(stage->bed, BED_LONG, BED_MATCH(match)))
		fail_msg("nobody was told: %s", match);
}

static void expect_manager(const char *name, const char *value)
{
	expect_property(stage, BUS_PATH, BUS_MANAGER, name, value);
}

static void kill_service(void)
{
	bed_signal(stage->bed, SIGKILL);
	while (bed_is_running(stage->bed))
		bed_run(stage->bed, 10);
}

/* A rule of polkit, a bus, a systemd: the job ends as port-busy, and the board was not touched. */
static const struct journal_entry *expect_busy(struct bed_unit *unit, const char *part)
{
	const struct journal_entry *entry = expect_outcome(unit, "port-busy");

	expect_text(entry, "MESSAGE", part);
	assert_int_equal(bed_counters(unit).received, 0);
	assert_int_equal(bed_requests(unit), 0);
	return entry;
}

static struct bed_unit *plug_and_update(const char *serial)
{
	struct bed_unit *unit = bed_plug(stage->bed, &(struct bed_board){.serial = serial});

	expect_outcome(unit, "updated");
	return unit;
}

/* ------------------------------------------------------------------------------ a good run */

static void an_owner_gives_its_port_up_and_has_it_again(void **state)
{
	struct bed_unit *unit = bed_plug(stage->bed, GATE);

	(void)state;
	/* It really has the port, so that nobody else can open it. */
	systemd1_stand_set_process(systemd1, OWNER, bed_hold_exclusively(unit));
	stage_start(stage);
	expect_outcome(unit, "updated");
	expect_active(OWNER, "active");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	expect_entry("MESSAGE_ID=" MESSAGE_OWNER_STOPPED);
	expect_entry("MESSAGE_ID=" MESSAGE_OWNER_STARTED);
	assert_int_equal(
		bed_count_journal(stage->bed, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED)), 0);
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

static void a_port_is_not_opened_before_its_owner_has_ended(void **state)
{
	char job[1024];
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_WAITS);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_orders(STOP);
	expect_manager("StoppedUnits", OWNER);
	expect_manager("JobsRunning", "1");
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Job", job);
	expect_property(stage, job, BUS_JOB, "Phase", "hand-over");
	assert_int_equal(bed_opens(unit), 0);
	systemd1_stand_end(systemd1, OWNER, "done");
	expect_outcome(unit, "updated");
	expect_orders(STOP "; " START);
	expect_manager("StoppedUnits", "");
}

static void checks_have_the_port_as_well(void **state)
{
	static const char *const verbs[] = {"Verify", "Probe"};
	struct bed_unit *unit;

	(void)state;
	stage_start(stage);
	unit = plug_and_update("A1");
	expect_orders(STOP "; " START);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		bed_mark(stage->bed);
		expect_good(
			peer_call(stage->peer, BUS_PATH, NULL, verbs[i], "oa{sv}", BRIDGE_1, 0));
		expect_entry("MESSAGE_ID=" MESSAGE_CHECKED);
	}
	expect_orders(STOP "; " START "; " STOP "; " START "; " STOP "; " START);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* Who works on the port himself has the service stop its owner for as long. */
static void an_inhibitor_may_have_the_owner_stopped(void **state)
{
	static const char *const orders[] = {STOP "; " START, STOP "; " START "; " STOP};
	sd_bus_message *answer;
	char text[256];

	(void)state;
	stage_start(stage);
	plug_and_update("A1");
	expect_orders(orders[0]);
	answer = peer_call(stage->peer, BUS_PATH, NULL, "Inhibit", "ssa{sv}", "lab", "backup", 2,
		"bridge", "o", BRIDGE_1, "stop-owners", "b", 1);
	assert_false(sd_bus_message_is_method_error(answer, NULL));
	assert_string_equal(systemd1_stand_orders(systemd1), orders[1]);
	expect_manager("StoppedUnits", OWNER);
	/* Its descriptor goes with it. */
	sd_bus_message_unref(answer);
	snprintf(text, sizeof(text), "%s; " START, orders[1]);
	expect_orders(text);
	expect_manager("StoppedUnits", "");
}

static void an_inhibitor_is_told_who_does_not_give_the_port_up(void **state)
{
	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_REFUSES);
	stage_start(stage);
	expect_busy(bed_plug(stage->bed, GATE), "polkit");
	expect_error(peer_call(stage->peer, BUS_PATH, NULL, "Inhibit", "ssa{sv}", "lab", "backup",
			     2, "bridge", "o", BRIDGE_1, "stop-owners", "b", 1),
		BUS_ERROR_BUSY, "polkit does not let plugflashd stop it");
	/* Without that wish the port is left to its owner. */
	expect_good(peer_call(stage->peer, BUS_PATH, NULL, "Inhibit", "ssa{sv}", "lab", "look", 1,
		"bridge", "o", BRIDGE_1));
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " STOP);
}

/* A copy of the flash before the update, with the owner running. */
static void a_command_that_opens_the_port_itself_has_it_as_well(void **state)
{
	static const char *const commands[] = {
		"read - | cat", "probe --direct", "verify --image " FIRMWARE_OLD ".hex", "start"};
	char orders[512] = STOP "; " START;

	(void)state;
	stage_start(stage);
	plug_and_update("A1");
	expect_orders(orders);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		size_t n = strlen(orders);

		if (command_run_all(stage->bed, commands[i]) != 0)
			fail_msg("%s", commands[i]);
		assert_int_equal(command_lines(stage->bed, "leaves this bridge alone"), 1);
		snprintf(orders + n, sizeof(orders) - n, "; " STOP "; " START);
		expect_orders(orders);
	}
}

static void a_command_is_told_that_the_owner_does_not_give_the_port_up(void **state)
{
	(void)state;
	stage_start(stage);
	plug_and_update("A1");
	expect_orders(STOP "; " START);
	systemd1_stand_set_stop(systemd1, OWNER, STAND_REFUSES);
	assert_int_equal(
		command_run_all(stage->bed, "read -"), outcome_to_exit_code(OUTCOME_PORT_BUSY));
	assert_int_equal(command_lines(stage->bed, "polkit does not let plugflashd stop it"), 1);
}

/* Without the service the command stops nobody, and says who would have to be. */
static void a_command_without_the_service_names_the_owner(void **state)
{
	struct bed_unit *unit = bed_plug(stage->bed, GATE);

	(void)state;
	systemd1_stand_set_process(systemd1, OWNER, bed_hold_exclusively(unit));
	assert_int_equal(
		command_run_all(stage->bed, "probe"), outcome_to_exit_code(OUTCOME_PORT_BUSY));
	assert_int_equal(command_lines(stage->bed, "systemctl stop " OWNER), 1);
	assert_string_equal(systemd1_stand_orders(systemd1), "");
}

/* ------------------------------------------------------------------- which units, and when */

static void without_the_key_nobody_talks_to_systemd(void **state)
{
	(void)state;
	scene_configure(stage->bed, "", "");
	stage_start(stage);
	plug_and_update("A1");
	expect_good_stop(stage->bed);
	assert_int_equal(systemd1_stand_calls(systemd1), 0);
}

static void units_that_do_not_run_are_left_alone(void **state)
{
	(void)state;
	systemd1_stand_set_active(systemd1, OWNER, "inactive");
	systemd1_stand_add(systemd1, "zha.service", "failed");
	scene_configure(stage->bed, "", "port-owner = " OWNER " zha.service nobody.service\n");
	stage_start(stage);
	plug_and_update("A1");
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), "");
	assert_string_equal(systemd1_stand_active(systemd1, "zha.service"), "failed");
}

static void a_unit_has_one_name_whatever_the_rule_calls_it(void **state)
{
	(void)state;
	systemd1_stand_set_alias(systemd1, OWNER, "coordinator.service");
	scene_configure(stage->bed, "", "port-owner = coordinator.service " OWNER "\n");
	stage_start(stage);
	plug_and_update("A1");
	expect_orders(STOP "; " START);
}

static void one_that_somebody_stops_is_awaited_and_not_started(void **state)
{
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_WAITS);
	systemd1_stand_order_stop(systemd1, OWNER);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_orders(STOP);
	assert_int_equal(bed_opens(unit), 0);
	systemd1_stand_end(systemd1, OWNER, "done");
	expect_outcome(unit, "updated");
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP);
}

static void two_boards_of_one_owner_stop_it_once_and_start_it_after_the_last(void **state)
{
	struct bed_unit *first, *second;

	(void)state;
	stage_start(stage);
	first = bed_plug(stage->bed, GATE_PACED);
	second = bed_plug(stage->bed, &(struct bed_board){.serial = "A2", .is_paced = true});
	assert_true(bed_wait_command(first, BED_LONG, WRITE, 1));
	bed_unplug(second);
	expect_outcome(first, "updated");
	bed_replug(second, GATE);
	expect_outcome(second, "updated");
	expect_active(OWNER, "active");
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

static void a_rule_that_loses_the_key_in_a_job_gives_the_owner_back_after_it(void **state)
{
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_WAITS);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	expect_orders(STOP);
	scene_configure(stage->bed, "", "");
	bed_signal(stage->bed, SIGHUP);
	expect_entry("MESSAGE_ID=" MESSAGE_CONFIG_LOADED);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP);
	systemd1_stand_end(systemd1, OWNER, "done");
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	assert_string_equal(systemd1_stand_orders(systemd1), STOP);
	expect_outcome(unit, "updated");
	expect_orders(STOP "; " START);
}

/* ------------------------------------------------------------------------- it is not stopped */

static void polkit_that_refuses_is_told_with_its_remedy(void **state)
{
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_REFUSES);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_text(expect_busy(unit, "polkit does not let plugflashd stop it"), "MESSAGE",
		"/usr/share/plugflash/examples/port-owner.rules");
	/* Nobody allows it in the next seconds. */
	assert_int_equal(
		bed_count_journal(stage->bed, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED)), 0);
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP);
	assert_string_equal(systemd1_stand_active(systemd1, OWNER), "active");
}

static void a_unit_that_could_not_be_started_again_is_not_stopped(void **state)
{
	(void)state;
	systemd1_stand_set_load(systemd1, OWNER, "masked");
	stage_start(stage);
	expect_busy(bed_plug(stage->bed, GATE), "could not be started again: it is 'masked'");
	assert_string_equal(systemd1_stand_orders(systemd1), "");
}

/* Those that were stopped before it is seen are started again. */
static void one_that_does_not_end_is_given_up_and_started(void **state)
{
	(void)state;
	systemd1_stand_add(systemd1, "zha.service", "active");
	systemd1_stand_set_stop(systemd1, OWNER, STAND_WAITS);
	scene_configure(stage->bed, "", "port-owner = zha.service " OWNER "\n");
	stage_start(stage);
	expect_busy(bed_plug(stage->bed, GATE), "has not ended in its time");
	expect_active("zha.service", "active");
	expect_active(OWNER, "active");
	/* The stop that hangs is taken back. */
	expect_orders("stop zha.service replace; " STOP "; start zha.service fail; start " OWNER
		      " replace");
}

static void a_stop_that_fails_ends_the_job(void **state)
{
	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_WAITS);
	stage_start(stage);
	struct bed_unit *unit = bed_plug(stage->bed, GATE);

	expect_orders(STOP);
	systemd1_stand_set_stop(systemd1, OWNER, STAND_DOES);
	systemd1_stand_end(systemd1, OWNER, "canceled");
	/* Another try in a moment finds it willing. */
	expect_outcome(unit, "updated");
	assert_int_equal(
		bed_count_journal(stage->bed, BED_MATCH("MESSAGE_ID=" MESSAGE_JOB_RETRIED)), 1);
	expect_active(OWNER, "active");
}

static void without_systemd_on_the_bus_the_port_is_not_opened(void **state)
{
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_go(systemd1);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_busy(unit, "systemd is not reached on the system bus");
	systemd1_stand_come(systemd1);
	expect_good_stop(stage->bed);
}

static void without_a_bus_the_port_is_not_opened(void **state)
{
	(void)state;
	systemd1_stand_go(systemd1);
	stage_end_bus(stage);
	scene_start(stage->bed);
	expect_busy(bed_plug(stage->bed, GATE), "systemd is not reached on the system bus");
	expect_good_stop(stage->bed);
	stage_begin_bus(stage);
	systemd1_stand_come(systemd1);
}

/* A job that is cancelled meanwhile does not wait for the end of the unit. */
static void a_job_that_is_cancelled_takes_the_stop_back(void **state)
{
	char job[1024];
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_WAITS);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_orders(STOP);
	expect_manager("JobsRunning", "1");
	peer_property(stage->peer, BRIDGE_1, BUS_BRIDGE, "Job", job);
	expect_good(peer_call(stage->peer, job, BUS_JOB, "Cancel", "a{sv}", 0));
	expect_outcome(unit, "cancelled");
	expect_orders(STOP "; start " OWNER " replace");
	assert_int_equal(bed_opens(unit), 0);
}

/* ------------------------------------------------------------------------ it is not started */

static void one_that_was_masked_meanwhile_is_told(void **state)
{
	(void)state;
	systemd1_stand_set_start(systemd1, OWNER, STAND_MASKED);
	stage_start(stage);
	plug_and_update("A1");
	expect_entry("MESSAGE_ID=" MESSAGE_OWNER_DOWN);
	expect_good_stop(stage->bed);
	/* It is somebody's will, and not tried again. */
	stage_start(stage);
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

static void one_that_does_not_come_up_is_told(void **state)
{
	(void)state;
	systemd1_stand_set_start(systemd1, OWNER, STAND_FAILS);
	stage_start(stage);
	plug_and_update("A1");
	expect_entry("MESSAGE_ID=" MESSAGE_OWNER_DOWN);
	expect_good_stop(stage->bed);
	/* The service that ends tries it once more. */
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START "; " START);
}

static void a_start_that_is_refused_is_told_once_and_made_by_the_next_service(void **state)
{
	(void)state;
	systemd1_stand_set_start(systemd1, OWNER, STAND_REFUSES);
	stage_start(stage);
	plug_and_update("A1");
	expect_entry("MESSAGE_ID=" MESSAGE_OWNER_DOWN);
	/* Once more at the end, and then it may end. */
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START "; " START);
	assert_int_equal(
		bed_count_journal(stage->bed, BED_MATCH("MESSAGE_ID=" MESSAGE_OWNER_DOWN)), 1);
	systemd1_stand_set_start(systemd1, OWNER, STAND_DOES);
	stage_start(stage);
	expect_active(OWNER, "active");
}

static void a_shutdown_that_forbids_the_start_leaves_it_to_the_next_boot(void **state)
{
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_set_start(systemd1, OWNER, STAND_DESTRUCTIVE);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	expect_good_stop(stage->bed);
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
	bed_unplug(unit);
	systemd1_stand_set_start(systemd1, OWNER, STAND_DOES);
	stage_start(stage);
	expect_active(OWNER, "active");
}

/* The bus is restarted in the middle of a job. */
static void a_bus_that_goes_in_a_job_is_waited_for(void **state)
{
	struct bed_unit *unit;

	(void)state;
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	systemd1_stand_go(systemd1);
	stage_end_bus(stage);
	expect_outcome(unit, "updated");
	expect_entry("MESSAGE_ID=" MESSAGE_OWNER_DOWN);
	stage_begin_bus(stage);
	systemd1_stand_come(systemd1);
	expect_active(OWNER, "active");
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

/* ------------------------------------------------------------------- the board, the service */

static void a_board_that_is_pulled_out_torn_has_its_owner_when_it_is_whole(void **state)
{
	struct bed_unit *unit;

	(void)state;
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 2));
	bed_unplug(unit);
	expect_outcome(unit, "port-gone");
	expect_manager("StoppedUnits", OWNER);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP);
	bed_replug(unit, GATE);
	expect_outcome(unit, "updated");
	expect_active(OWNER, "active");
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

static void an_owner_is_down_between_two_tries_of_a_torn_board(void **state)
{
	struct sim_faults faults = {.nack_code = WRITE};
	struct bed_unit *unit;

	(void)state;
	scene_configure(stage->bed, "", KEY "retries = 0\nagain-after = 3s\n");
	stage_start(stage);
	unit = bed_plug(stage->bed, &(struct bed_board){.serial = "A1", .faults = faults});
	expect_outcome(unit, "write-failed");
	bed_mark(stage->bed);
	bed_set_faults(unit, &(struct sim_faults){0});
	expect_entry("MESSAGE_ID=" MESSAGE_UPDATED);
	expect_active(OWNER, "active");
	/* One that ran between the tries would have been stopped a second time. */
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

static void a_service_that_stops_gives_the_owner_back_first(void **state)
{
	struct bed_unit *unit;

	(void)state;
	systemd1_stand_set_stop(systemd1, OWNER, STAND_WAITS);
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE);
	expect_orders(STOP);
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; start " OWNER " replace");
	assert_int_equal(bed_opens(unit), 0);
}

static void a_service_that_is_killed_starts_the_owner_when_it_begins(void **state)
{
	struct bed_unit *unit;

	(void)state;
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	kill_service();
	bed_unplug(unit);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP);
	/* Its board is not there: nobody needs the owner down. */
	stage_start(stage);
	expect_active(OWNER, "active");
	expect_orders(STOP "; " START);
	expect_good_stop(stage->bed);
	stage_start(stage);
	expect_good_stop(stage->bed);
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

static void a_killed_service_finishes_the_board_before_it_starts_the_owner(void **state)
{
	struct bed_unit *unit;

	(void)state;
	stage_start(stage);
	unit = bed_plug(stage->bed, GATE_PACED);
	assert_true(bed_wait_command(unit, BED_LONG, WRITE, 1));
	kill_service();
	bed_unplug(unit);
	bed_replug(unit, GATE_PACED);
	stage_start(stage);
	assert_true(bed_wait_command(unit, BED_LONG, ERASE, 1));
	assert_string_equal(systemd1_stand_orders(systemd1), STOP);
	expect_outcome(unit, "updated");
	expect_active(OWNER, "active");
	assert_string_equal(systemd1_stand_orders(systemd1), STOP "; " START);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		OWNER_TEST(an_owner_gives_its_port_up_and_has_it_again),
		OWNER_TEST(a_port_is_not_opened_before_its_owner_has_ended),
		OWNER_TEST(checks_have_the_port_as_well),
		OWNER_TEST(a_command_that_opens_the_port_itself_has_it_as_well),
		OWNER_TEST(a_command_is_told_that_the_owner_does_not_give_the_port_up),
		OWNER_TEST(a_command_without_the_service_names_the_owner),
		OWNER_TEST(an_inhibitor_may_have_the_owner_stopped),
		OWNER_TEST(an_inhibitor_is_told_who_does_not_give_the_port_up),
		OWNER_TEST(without_the_key_nobody_talks_to_systemd),
		OWNER_TEST(units_that_do_not_run_are_left_alone),
		OWNER_TEST(a_unit_has_one_name_whatever_the_rule_calls_it),
		OWNER_TEST(one_that_somebody_stops_is_awaited_and_not_started),
		OWNER_TEST(two_boards_of_one_owner_stop_it_once_and_start_it_after_the_last),
		OWNER_TEST(a_rule_that_loses_the_key_in_a_job_gives_the_owner_back_after_it),
		OWNER_TEST(polkit_that_refuses_is_told_with_its_remedy),
		OWNER_TEST(a_unit_that_could_not_be_started_again_is_not_stopped),
		OWNER_TEST(one_that_does_not_end_is_given_up_and_started),
		OWNER_TEST(a_stop_that_fails_ends_the_job),
		OWNER_TEST(without_systemd_on_the_bus_the_port_is_not_opened),
		OWNER_TEST(without_a_bus_the_port_is_not_opened),
		OWNER_TEST(a_job_that_is_cancelled_takes_the_stop_back),
		OWNER_TEST(one_that_was_masked_meanwhile_is_told),
		OWNER_TEST(one_that_does_not_come_up_is_told),
		OWNER_TEST(a_start_that_is_refused_is_told_once_and_made_by_the_next_service),
		OWNER_TEST(a_shutdown_that_forbids_the_start_leaves_it_to_the_next_boot),
		OWNER_TEST(a_bus_that_goes_in_a_job_is_waited_for),
		OWNER_TEST(a_board_that_is_pulled_out_torn_has_its_owner_when_it_is_whole),
		OWNER_TEST(an_owner_is_down_between_two_tries_of_a_torn_board),
		OWNER_TEST(a_service_that_stops_gives_the_owner_back_first),
		OWNER_TEST(a_service_that_is_killed_starts_the_owner_when_it_begins),
		OWNER_TEST(a_killed_service_finishes_the_board_before_it_starts_the_owner),
	};

	enclosure_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
