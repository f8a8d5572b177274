/* SPDX-License-Identifier: MIT */
/*
 * The jobs of all bridges, with worker processes of the test's own, bridges of paper and a journal
 * that is a list: what is plugged, pulled and reloaded, and what comes of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/dispatcher-bench.h"

static const char rule_update[] = "[board gate]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n";

static void fault_04_a_board_is_handled_exactly_once(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	/* Found by enumeration, and then by the event that was in the socket already. */
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 1);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	assert_says(find_entry(MESSAGE_UPDATED, 0),
		"ttyUSB0: board 'gate' updated to update-1.2.bin (1.2): 5120 bytes in 1.9 s at "
		"115200 baud");
	assert_string_equal(find_entry(MESSAGE_UPDATED, 0)->port, "/dev/ttyUSB0");
	assert_int_equal(strlen(find_entry(MESSAGE_UPDATED, 0)->job), 32);
	assert_string_equal(
		find_entry(MESSAGE_UPDATED, 0)->job, find_entry(MESSAGE_JOB_STARTED, 0)->job);
}

static void a_bridge_has_a_number_that_is_never_used_again(void **state)
{
	struct bench *bench = *state;
	uint64_t before = 0;

	for (unsigned i = 0; i < 5; i++) {
		const struct bridge *bridge;

		dispatcher_add_bridge(bench->dispatcher, plug(i % 2, "G1"));
		run_until_idle(bench);
		bridge = dispatcher_next(bench->dispatcher, NULL);
		assert_true(bridge->number > before);
		before = bridge->number;
		dispatcher_remove_bridge(bench->dispatcher, pull(i % 2));
		run_until_idle(bench);
	}
}

static void fault_03_events_of_a_known_board_start_nothing(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	for (unsigned i = 0; i < 1000; i++) {
		dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
		if (i % 100 == 0)
			run_until_idle(bench);
	}
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 1);
	assert_int_equal(count_entries(MESSAGE_FLAPPING), 0);
}

static void fault_06_a_change_while_it_runs_is_no_new_attach(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = polite-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_stop(bench->dispatcher);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 1);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 1);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "cancelled");
}

static void fault_07_a_board_plugged_again_waits_for_the_old_worker(void **state)
{
	struct bench *bench = *state;
	size_t n;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = silent-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	/* The old worker is deaf: it is killed, and only then the new one starts. */
	set_config(bench, rule_update);
	run_once(bench, false);
	clock_move(USEC_PER_SEC);
	run_until_entries(bench, MESSAGE_UPDATED, 1);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 1);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "port-gone");
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "ms after it appeared");
	for (n = 0; strcmp(entries[n].message_id, MESSAGE_JOB_FAILED) != 0; n++)
		assert_string_not_equal(entries[n].text, find_entry(MESSAGE_JOB_STARTED, 1)->text);
	assert_int_equal(bench->most_running, 1);
}

static void fault_08_another_board_on_the_same_node_is_matched_anew(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	/* Another one has its place before its turn came, and no event told so yet. */
	plug(0, "X9");
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 0);
	assert_int_equal(count_entries(MESSAGE_NO_MATCH), 1);
	assert_says(find_entry(MESSAGE_NO_MATCH, 0), "X9");
}

static void fault_08_a_board_that_went_before_its_turn_is_dropped(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	pull(0);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 0);
	assert_int_equal(dispatcher_count(bench->dispatcher).bridges, 0);
}

static void fault_01_a_replug_nobody_told_of_is_found(void **state)
{
	struct bench *bench = *state;
	const char *sysfs = plug(0, "G1")->sysfs;

	assert_int_equal(mkdir(in_folder("tty"), 0755), 0);
	assert_int_equal(mkdir(sysfs, 0755), 0);
	assert_int_equal(mkdir(in_folder("tty/next"), 0755), 0);
	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	/* The same board in the same slot: only the kernel's object is another. */
	assert_int_equal(rmdir(sysfs), 0);
	assert_int_equal(rename(in_folder("tty/next"), sysfs), 0);
	dispatcher_begin_sweep(bench->dispatcher);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_end_sweep(bench->dispatcher);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
}

static void fault_01_a_sweep_misses_none_and_repeats_none(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	for (unsigned i = 0; i < 3; i++)
		dispatcher_add_bridge(bench->dispatcher, plug(i, "G1"));
	run_until_idle(bench);
	pull(1);
	dispatcher_begin_sweep(bench->dispatcher);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(2, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(3, "G1"));
	dispatcher_end_sweep(bench->dispatcher);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 4);
	assert_string_equal(find_entry(MESSAGE_JOB_STARTED, 3)->port, "/dev/ttyUSB3");
	assert_int_equal(dispatcher_count(bench->dispatcher).bridges, 3);
}

static void what_was_there_before_is_matched_at_the_end_of_the_first_sweep(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_begin_sweep(bench->dispatcher);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "X9"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G1"));
	assert_int_equal(dispatcher_count(bench->dispatcher).bridges, 2);
	assert_int_equal(count_entries(MESSAGE_NO_MATCH), 0);
	dispatcher_end_sweep(bench->dispatcher);
	assert_int_equal(count_entries(MESSAGE_NO_MATCH), 1);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	/* Later ones find what no event told of, and say so at once. */
	dispatcher_begin_sweep(bench->dispatcher);
	dispatcher_add_bridge(bench->dispatcher, plug(2, "X8"));
	assert_int_equal(count_entries(MESSAGE_NO_MATCH), 2);
}

static void fault_09_a_port_without_permission_is_tried_again(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = denied-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_RETRIED, 1);
	set_config(bench, rule_update);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 1);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	assert_string_equal(
		find_entry(MESSAGE_UPDATED, 0)->job, find_entry(MESSAGE_JOB_STARTED, 0)->job);
}

static void fault_09_and_given_up_after_five_seconds(void **state)
{
	struct bench *bench = *state;
	uint64_t begin = monotonic_usec();

	set_config(bench, "[board gate]\nchip = 0x414\nimage = denied-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
	assert_true(monotonic_usec() - begin < 7 * USEC_PER_SEC);
	assert_true(monotonic_usec() - begin > 3 * USEC_PER_SEC);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 1);
}

static void a_board_pulled_between_two_tries_ends_once(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = busy-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_RETRIED, 1);
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 1);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "port-gone");
	assert_int_equal(dispatcher_count(bench->dispatcher).bridges, 0);
}

/* A tty can be hung up with the cable in. */
static void a_lost_port_whose_bridge_is_plugged_in_is_tried_again(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = gone-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_RETRIED, 1);
	assert_says(find_entry(MESSAGE_JOB_RETRIED, 0), "but the bridge is plugged in");
	set_config(bench, rule_update);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 1);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 0);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
}

static void fault_10_a_lost_port_says_how_soon_and_is_tried_when_it_returns(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = gone-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	pull(0);
	run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "port-gone: as asked; the port was lost ");
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), " ms after it appeared");
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
}

static void fault_12_sixteen_boards_take_turns_in_order(void **state)
{
	struct bench *bench = *state;
	char config[300];

	snprintf(config, sizeof(config), "max-jobs = 3\n%s", rule_update);
	set_config(bench, config);
	for (unsigned i = 0; i < N_SLOTS; i++)
		dispatcher_add_bridge(bench->dispatcher, plug(i, "G1"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), N_SLOTS);
	assert_true(bench->most_running <= 3);
	for (unsigned i = 0; i < N_SLOTS; i++)
		assert_string_equal(find_entry(MESSAGE_JOB_STARTED, i)->port, sockets[i].port);
}

/* At once, also while it is worked on; its rule, whose text is the same, flashes nothing anew. */
static void a_slot_that_gets_another_name_flashes_nothing(void **state)
{
	static const char rule[] = "[board gate]\nchip = 0x414\nimage = update-*.bin\n"
				   "slot = A1 A2 B1 B2\n";
	struct bench *bench = *state;
	const struct bridge *bridge;
	char config[400];

	for (unsigned round = 0; round < 2; round++) {
		snprintf(config, sizeof(config),
			"%s[slot %c1]\npath = pci-0\n[slot %c2]\npath = pci-1\n"
			"[slot %c1]\npath = pci-2\n[slot %c2]\npath = pci-3\n",
			rule, "AB"[round], "AB"[round], "BA"[round], "BA"[round]);
		set_config(bench, config);
		bridge = dispatcher_next(bench->dispatcher, NULL);
		if (round == 0) {
			assert_null(bridge);
			dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
			dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
			run_until_entries(bench, MESSAGE_UPDATED, 2);
			bridge = dispatcher_next(bench->dispatcher, NULL);
		}
		assert_string_equal(bridge->slot, round ? "B1" : "A1");
		assert_string_equal(bridge->attempt.slot, "A1");
		bridge = dispatcher_next(bench->dispatcher, bridge);
		assert_string_equal(bridge->slot, round ? "B2" : "A2");
		run_until_idle(bench);
	}
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 2);
}

static void without_a_limit_all_run_at_once(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = polite-*.bin\n");
	for (unsigned i = 0; i < N_SLOTS; i++)
		dispatcher_add_bridge(bench->dispatcher, plug(i, "G1"));
	run_until_entries(bench, MESSAGE_JOB_STARTED, N_SLOTS);
	assert_int_equal(dispatcher_count(bench->dispatcher).running, N_SLOTS);
}

/* The first job may erase: its worker goes on to its end. */
static void run_until_erase(struct bench *bench)
{
	uint64_t deadline = real_usec() + PATIENCE_USEC;

	run_until_entries(bench, MESSAGE_JOB_STARTED, 1);
	while (!dispatcher_next(bench->dispatcher, NULL)->claim.may_erase) {
		assert_true(real_usec() < deadline);
		run_once(bench, true);
	}
}

static void fault_21_stopping_lets_an_erased_board_be_finished(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "max-jobs = 1\n[board gate]\nchip = 0x414\nimage = finish-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_until_erase(bench);
	dispatcher_stop(bench->dispatcher);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 1);
	assert_null(dispatcher_next(bench->dispatcher, NULL));
}

static void stopping_ends_a_job_between_two_tries_once(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = busy-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_RETRIED, 1);
	dispatcher_stop(bench->dispatcher);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 1);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "cancelled");
	assert_null(dispatcher_next(bench->dispatcher, NULL));
}

static void fault_22_a_flapping_board_fills_no_journal_and_is_not_flashed(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	for (unsigned i = 0; i < 100; i++) {
		dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
		run_once(bench, false);
		dispatcher_remove_bridge(bench->dispatcher, pull(0));
		run_once(bench, false);
	}
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	/* Every worker that is still to end ends. */
	while (dispatcher_count(bench->dispatcher).running > 0)
		run_once(bench, true);
	assert_int_equal(count_entries(MESSAGE_FLAPPING), 1);
	assert_true(n_entries < 20);
	assert_int_equal(dispatcher_count(bench->dispatcher).waiting, 1);
}

static void fault_22_an_unknown_flapping_bridge_fills_none_either(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < 100; i++) {
		dispatcher_add_bridge(bench->dispatcher, plug(0, "X1"));
		run_once(bench, false);
		dispatcher_remove_bridge(bench->dispatcher, pull(0));
		run_once(bench, false);
	}
	assert_int_equal(count_entries(MESSAGE_FLAPPING), 1);
	assert_int_equal(count_entries(MESSAGE_NO_MATCH), FLAP_TOLERATED);
}

/* Plugs it in so often, every 20 s; each job has ended before the next. */
static void flap_slowly(struct bench *bench, const char *serial, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		dispatcher_add_bridge(bench->dispatcher, plug(0, serial));
		run_until_idle(bench);
		dispatcher_remove_bridge(bench->dispatcher, pull(0));
		run_until_idle(bench);
		clock_move(20 * USEC_PER_SEC);
	}
}

/* A program for each job: what is not in the journal is told to it all the same. */
static void fault_22_a_board_that_flaps_slowly_is_worked_on_and_fills_no_journal(void **state)
{
	struct bench *bench = *state;
	char config[400], program[200];
	struct stat written;

	snprintf(program, sizeof(program), "#!/bin/sh\nprintf x >>%s/told\n", folder);
	put_text("program", program);
	assert_int_equal(chmod(in_folder("program"), 0755), 0);
	snprintf(config, sizeof(config),
		"on-outcome = %s\n[board gate]\nserial = G*\nchip = 0x414\nimage = chip-*.bin\n",
		in_folder("program"));
	set_config(bench, config);
	flap_slowly(bench, "G1", 60);
	while (!hooks_are_idle(&bench->hooks))
		run_once(bench, true);
	assert_int_equal(stat(in_folder("told"), &written), 0);
	assert_int_equal(written.st_size, 60);
	/* 20 minutes: each until it is known to flap, and then one a minute. */
	assert_in_range(
		count_entries(MESSAGE_JOB_STARTED), FLAP_TOLERATED + 17, FLAP_TOLERATED + 18);
	assert_in_range(
		count_entries(MESSAGE_WRONG_CHIP), FLAP_TOLERATED + 17, FLAP_TOLERATED + 18);
	assert_int_equal(count_entries(MESSAGE_FLAPPING), 2);
	assert_says(find_entry(MESSAGE_FLAPPING, 0), "7 times since");
	assert_says(find_entry(MESSAGE_FLAPPING, 1), "45 times since");
}

static void fault_22_a_bridge_without_a_rule_that_flaps_slowly_fills_none_either(void **state)
{
	struct bench *bench = *state;

	flap_slowly(bench, "X1", 60);
	assert_in_range(count_entries(MESSAGE_NO_MATCH), FLAP_TOLERATED + 17, FLAP_TOLERATED + 18);
	assert_int_equal(count_entries(MESSAGE_FLAPPING), 2);
}

/* As on a production line: no chip here says its id, and the bridges are all the same. */
static void boards_that_are_written_one_after_the_other_are_all_told(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	flap_slowly(bench, "G1", 30);
	assert_int_equal(count_entries(MESSAGE_JOB_STARTED), 30);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 30);
	assert_int_equal(count_entries(MESSAGE_FLAPPING), 0);
}

static void no_rule_is_said_once_and_nothing_is_started(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	for (unsigned i = 0; i < 3; i++)
		dispatcher_add_bridge(bench->dispatcher, plug(0, "X1"));
	run_until_idle(bench);
	assert_int_equal(n_entries, 1);
	assert_int_equal(count_entries(MESSAGE_NO_MATCH), 1);
}

static void fault_49_a_tie_names_both_rules_and_starts_nothing(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board a]\nserial = G*\nchip = 0x414\nimage = update-*.bin\n"
			  "[board b]\nserial = *1\nchip = 0x414\nimage = update-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(n_entries, 1);
	assert_says(find_entry(MESSAGE_AMBIGUOUS, 0), "plugflash.conf:4)");
	assert_says(find_entry(MESSAGE_AMBIGUOUS, 0), "plugflash.conf:8)");
}

static void an_empty_library_is_an_outcome(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = none-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(n_entries, 1);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "board 'gate' no-image: ");
}

/* No answer about the image directory is used at a turn that began after it was asked for. */
static void an_image_put_just_before_a_plug_in_is_taken(void **state)
{
	struct bench *bench = *state;

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	put_text("images/update-1.3.bin", "image");
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_until_idle(bench);
	assert_int_equal(unlink(in_folder("images/update-1.3.bin")), 0);
	assert_says(find_entry(MESSAGE_JOB_STARTED, 0), "update-1.2.bin");
	assert_says(find_entry(MESSAGE_JOB_STARTED, 1), "update-1.3.bin");
}

/* Longer than what is shown of it in a sentence. */
static void an_image_with_a_long_name_is_found_by_the_worker(void **state)
{
	struct bench *bench = *state;
	char name[600];

	snprintf(name, sizeof(name), "images/there-%0200d", 0);
	assert_int_equal(mkdir(in_folder(name), 0755), 0);
	snprintf(name, sizeof(name), "images/there-%0200d/gate-%0200d-1.2.bin", 0, 0);
	put_text(name, "image");
	set_config(bench, "[board gate]\nchip = 0x414\nimage = there-*/gate-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
}

static void a_wrong_chip_has_its_own_entry(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nchip = 0x414\nimage = chip-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_says(find_entry(MESSAGE_WRONG_CHIP, 0), "board 'gate' wrong-chip: as asked");
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 0);
}

static void a_missing_worker_is_an_outcome(void **state)
{
	struct bench *bench = *state;

	bench->parts.worker = "/nowhere/worker";
	renew_dispatcher(bench);
	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_idle(bench);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "failed: the worker '/nowhere/worker'");
}

/* Nor is it asked for again and again, however many boards wait for what it would say. */
static void a_missing_worker_is_not_asked_in_a_circle(void **state)
{
	struct bench *bench = *state;

	bench->parts.worker = "/nonexistent/plugflash-worker";
	renew_dispatcher(bench);
	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_until_entries(bench, MESSAGE_JOB_FAILED, 2);
	for (unsigned i = 0; i < 100; i++)
		run_once(bench, false);
	assert_false(bench->is_turn_due);
	dispatcher_images_changed(bench->dispatcher);
	for (unsigned i = 0; i < 100; i++)
		run_once(bench, false);
	assert_false(bench->is_turn_due);
}

static void a_folder_that_hangs_keeps_no_other_rule_from_its_image(void **state)
{
	struct bench *bench = *state;
	char config[600];

	snprintf(config, sizeof(config),
		"[board stuck]\nserial = S*\nchip = 0x414\nimage = update-*.bin\n%s", rule_update);
	set_config(bench, config);
	for (unsigned i = 0; i < 2; i++) {
		dispatcher_add_bridge(bench->dispatcher, plug(2 * i, "S1"));
		dispatcher_add_bridge(bench->dispatcher, plug(2 * i + 1, "G1"));
		while (!has_child())
			run_once(bench, true);
		/* The run that hangs is given up. */
		clock_move(61 * USEC_PER_SEC);
		run_until_entries(bench, MESSAGE_UPDATED, i + 1);
	}
	run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
	for (size_t i = 0; i < count_entries(MESSAGE_JOB_FAILED); i++) {
		assert_says(find_entry(MESSAGE_JOB_FAILED, i), "board 'stuck' failed: ");
		assert_says(find_entry(MESSAGE_JOB_FAILED, i), strerror(ETIMEDOUT));
	}
}

static void a_reload_looks_again_only_where_the_rule_changed(void **state)
{
	struct bench *bench = *state;
	char config[600];

	set_config(bench, rule_update);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "X1"));
	run_until_idle(bench);
	assert_int_equal(n_entries, 3);
	set_config(bench, rule_update);
	run_until_idle(bench);
	assert_int_equal(n_entries, 3);
	/* The second gets a rule, the first keeps its own. */
	snprintf(config, sizeof(config), "%s[board late]\nserial = X*\nchip = 0x414\n%s",
		rule_update, "image = current-*.bin\n");
	set_config(bench, config);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_CURRENT), 1);
	assert_string_equal(find_entry(MESSAGE_CURRENT, 0)->port, "/dev/ttyUSB1");
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	/* The first has its rule changed, the second loses it. */
	snprintf(config, sizeof(config), "%sbaud = 57600\n", rule_update);
	set_config(bench, config);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
	assert_int_equal(count_entries(MESSAGE_NO_MATCH), 2);
}

static void a_running_job_keeps_its_rule_and_is_looked_at_afterwards(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "[board gate]\nserial = G*\nchip = 0x414\nimage = finish-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_erase(bench);
	set_config(bench, rule_update);
	run_once(bench, false);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 0);
	worker_cancel(dispatcher_next(bench->dispatcher, NULL)->worker);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
	assert_says(find_entry(MESSAGE_UPDATED, 0), "finish-");
	assert_says(find_entry(MESSAGE_UPDATED, 1), "update-");
}

static int take_last(void *userdata, const struct store_attempt *attempt)
{
	*(struct store_attempt *)userdata = *attempt;
	return 1;
}

static int count_unit(void *userdata, const struct store_unit *unit)
{
	(void)unit;
	(*(unsigned *)userdata)++;
	return 0;
}

/* Runs one such worker with a store; the end of the attempt in it, and how many units it knows. */
static void run_liar(struct bench *bench, const char *kind, struct store_attempt *ret_attempt,
	unsigned *ret_units)
{
	struct records records = {0};
	struct reason reason;
	char config[200];

	snprintf(config, sizeof(config), "[board gate]\nchip = 0x414\nimage = %s-*.bin\n", kind);
	assert_int_equal(mkdir(in_folder(kind), 0700), 0);
	assert_int_equal(records_open(&records, in_folder(kind)), 0);
	bench->parts.records = &records;
	renew_dispatcher(bench);
	set_config(bench, config);
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	run_until_entries(bench, MESSAGE_JOB_FAILED, 1);
	assert_true(store_list_attempts(records.store, &(struct store_filter){0}, take_last,
			    ret_attempt, &reason) > 0);
	assert_int_equal(store_list_units(records.store, &(struct store_filter){0}, count_unit,
				 ret_units, &reason),
		0);
	bench->parts.records = NULL;
	renew_dispatcher(bench);
	records_close(&records);
}

static void a_worker_that_never_asked_to_erase_did_not_update(void **state)
{
	struct store_attempt attempt = {0};
	unsigned n_units = 0;

	run_liar(*state, "liar", &attempt, &n_units);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 0);
	assert_int_equal(count_entries(MESSAGE_DISBELIEVED), 1);
	assert_says(find_entry(MESSAGE_DISBELIEVED, 0), "it did not ask");
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "failed: the worker said 'updated'");
	assert_int_equal(attempt.report.outcome, OUTCOME_FAILED);
	assert_non_null(strstr(attempt.report.reason.text, "its word is not taken"));
	assert_int_equal(n_units, 0);
}

/* Each unit that it names would be marked, and be given a number of its own. */
static void a_worker_that_names_many_units_is_ended_at_the_second(void **state)
{
	struct store_attempt attempt = {0};
	unsigned n_units = 0;

	run_liar(*state, "burner", &attempt, &n_units);
	assert_int_equal(count_entries(MESSAGE_DISBELIEVED), 1);
	assert_int_equal(attempt.report.outcome, OUTCOME_FAILED);
	assert_string_equal(attempt.report.unit, "000000000000000000000001");
	assert_int_equal(n_units, 1);
}

static void two_bridges_that_name_one_chip_are_told_apart_before_the_erase(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "max-jobs = 1\n[board gate]\nchip = 0x414\nimage = named-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	assert_int_equal(count_entries(MESSAGE_JOB_FAILED), 1);
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "/dev/ttyUSB0");
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "/dev/ttyUSB1");
	assert_says(find_entry(MESSAGE_JOB_FAILED, 0), "nothing was erased");
	/* Alone, it is one of its id. */
	dispatcher_remove_bridge(bench->dispatcher, pull(0));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
	assert_string_equal(find_entry(MESSAGE_UPDATED, 1)->port, "/dev/ttyUSB1");
}

static void a_bridge_is_alone_with_its_id_also_where_nobody_told_that_the_other_went(void **state)
{
	struct bench *bench = *state;

	set_config(bench, "max-jobs = 1\n[board gate]\nchip = 0x414\nimage = named-*.bin\n");
	dispatcher_add_bridge(bench->dispatcher, plug(0, "G1"));
	dispatcher_add_bridge(bench->dispatcher, plug(1, "G2"));
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 1);
	pull(0);
	dispatcher_begin_sweep(bench->dispatcher);
	dispatcher_add_bridge(bench->dispatcher, &sockets[1].facts);
	dispatcher_end_sweep(bench->dispatcher);
	run_until_idle(bench);
	assert_int_equal(count_entries(MESSAGE_UPDATED), 2);
	assert_string_equal(find_entry(MESSAGE_UPDATED, 1)->port, "/dev/ttyUSB1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fault_04_a_board_is_handled_exactly_once),
		TEST(a_bridge_has_a_number_that_is_never_used_again),
		TEST(fault_03_events_of_a_known_board_start_nothing),
		TEST(fault_06_a_change_while_it_runs_is_no_new_attach),
		TEST(fault_07_a_board_plugged_again_waits_for_the_old_worker),
		TEST(fault_08_another_board_on_the_same_node_is_matched_anew),
		TEST(fault_08_a_board_that_went_before_its_turn_is_dropped),
		TEST(fault_01_a_replug_nobody_told_of_is_found),
		TEST(fault_01_a_sweep_misses_none_and_repeats_none),
		TEST(what_was_there_before_is_matched_at_the_end_of_the_first_sweep),
		TEST(fault_09_a_port_without_permission_is_tried_again),
		TEST(fault_09_and_given_up_after_five_seconds),
		TEST(a_board_pulled_between_two_tries_ends_once),
		TEST(a_lost_port_whose_bridge_is_plugged_in_is_tried_again),
		TEST(fault_10_a_lost_port_says_how_soon_and_is_tried_when_it_returns),
		TEST(fault_12_sixteen_boards_take_turns_in_order),
		TEST(a_slot_that_gets_another_name_flashes_nothing),
		TEST(without_a_limit_all_run_at_once),
		TEST(fault_21_stopping_lets_an_erased_board_be_finished),
		TEST(stopping_ends_a_job_between_two_tries_once),
		TEST(fault_22_a_flapping_board_fills_no_journal_and_is_not_flashed),
		TEST(fault_22_an_unknown_flapping_bridge_fills_none_either),
		TEST(fault_22_a_board_that_flaps_slowly_is_worked_on_and_fills_no_journal),
		TEST(fault_22_a_bridge_without_a_rule_that_flaps_slowly_fills_none_either),
		TEST(boards_that_are_written_one_after_the_other_are_all_told),
		TEST(no_rule_is_said_once_and_nothing_is_started),
		TEST(fault_49_a_tie_names_both_rules_and_starts_nothing),
		TEST(an_empty_library_is_an_outcome),
		TEST(an_image_put_just_before_a_plug_in_is_taken),
		TEST(an_image_with_a_long_name_is_found_by_the_worker),
		TEST(a_wrong_chip_has_its_own_entry),
		TEST(a_missing_worker_is_an_outcome),
		TEST(a_missing_worker_is_not_asked_in_a_circle),
		TEST(a_folder_that_hangs_keeps_no_other_rule_from_its_image),
		TEST(a_reload_looks_again_only_where_the_rule_changed),
		TEST(a_running_job_keeps_its_rule_and_is_looked_at_afterwards),
		TEST(two_bridges_that_name_one_chip_are_told_apart_before_the_erase),
		TEST(a_bridge_is_alone_with_its_id_also_where_nobody_told_that_the_other_went),
		TEST(a_worker_that_never_asked_to_erase_did_not_update),
		TEST(a_worker_that_names_many_units_is_ended_at_the_second),
	};

	self = fake_worker_main();
	return cmocka_run_group_tests_name("dispatcher", tests, bench_make_images, folder_remove);
}
