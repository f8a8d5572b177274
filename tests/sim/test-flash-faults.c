/* SPDX-License-Identifier: MIT */
/*
 * test-flash-faults.c - the procedure against a board that misbehaves. Each ends in the design's
 * outcome, in time, with lines and port at rest (bench_run() asserts that), and a board that works
 * again is repaired by the next run.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "device/port.h"
#include "unit/rows.h"

#define F103 "chip = F103xC"

/* Nobody waits longer than this for a small image, whatever the board does. */
#define AT_MOST_MSEC (10 * 60 * 1000)

struct fault_row {
	const char *name;
	struct sim_faults faults;
	enum outcome outcome;
	enum phase phase;      /* PHASE_NONE: any */
	unsigned min_attempts; /* entries into the loader, at least */
	bool nothing_erased;
	bool nothing_written;
	uint64_t at_most_msec; /* 0: AT_MOST_MSEC */
	const char *rule;      /* more lines of it */
	const char *reason;    /* a part of it */
};

static const struct fault_row fault_rows[] = {
	/* ---- before anything is known of the chip */
	{"fault 53: silence", .faults = {.silent = true}, .outcome = OUTCOME_NO_SYNC,
		.phase = PHASE_SYNC, .nothing_erased = true, .at_most_msec = 60000,
		.reason = "timeout"},
	{"fault 54: an endless stream of ACKs", .faults = {.ack_stream = true},
		.outcome = OUTCOME_NO_SYNC, .nothing_erased = true, .nothing_written = true,
		.at_most_msec = 120000},
	{"fault 55: endless random bytes", .faults = {.garbage = true, .seed = 7},
		.outcome = OUTCOME_NO_SYNC, .nothing_erased = true, .nothing_written = true,
		.at_most_msec = 120000},
	{"a 0x00 before the first ACK", .faults = {.leading_zero = true},
		.outcome = OUTCOME_UPDATED, .min_attempts = 1},
	{"the first two baud detections fail", .faults = {.silent_syncs = 2},
		.outcome = OUTCOME_UPDATED, .min_attempts = 3},
	{"the first rate is too high, the ladder goes on", .faults = {.max_baud = 250000},
		.outcome = OUTCOME_UPDATED, .min_attempts = 3, .rule = "\nbaud = 460800 115200"},
	{"fault 58: Get answers with length zero", .faults = {.get_length = -1},
		.outcome = OUTCOME_NO_SYNC, .nothing_erased = true, .nothing_written = true},
	{"fault 58: Get answers with length 255, and as much", .faults = {.get_length = 255},
		.outcome = OUTCOME_UPDATED, .min_attempts = 1},
	{"fault 58: Get answers with a length that does not match", .faults = {.get_length = 5},
		.outcome = OUTCOME_NO_SYNC, .nothing_erased = true, .nothing_written = true},
	{"fault 59: Get ID answers with length zero", .faults = {.get_id_length = -1},
		.outcome = OUTCOME_NO_SYNC, .phase = PHASE_IDENTIFY, .nothing_erased = true},
	{"fault 59: Get ID answers with length 255", .faults = {.get_id_length = 255},
		.outcome = OUTCOME_NO_SYNC, .phase = PHASE_IDENTIFY, .nothing_erased = true},
	{"fault 59: another chip of the table", .faults = {.product_id = 0x413},
		.outcome = OUTCOME_WRONG_CHIP, .nothing_erased = true, .nothing_written = true,
		.at_most_msec = 5000, .reason = "0x413"},
	{"fault 66: a chip nobody knows", .faults = {.product_id = 0xFFF},
		.outcome = OUTCOME_WRONG_CHIP, .nothing_erased = true, .nothing_written = true,
		.at_most_msec = 5000, .reason = "0xfff"},
	{"fault 64: read-out protection", .faults = {.protect = true}, .outcome = OUTCOME_PROTECTED,
		.nothing_erased = true, .nothing_written = true, .at_most_msec = 5000,
		.reason = "readout-protection"},
	{"read-out protection is taken away where the rule says so", .faults = {.protect = true},
		.outcome = OUTCOME_UPDATED, .rule = "\nreadout-protection = clear"},

	/* ---- refusals */
	{"fault 57: the erase is refused twenty times over", .faults = {.nack_storm = 20},
		.outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE, .nothing_written = true,
		.reason = "NACK"},
	{"fault 56: erase refused at the command", .faults = {.nack_code = 0x43},
		.outcome = OUTCOME_ERASE_FAILED, .nothing_erased = true, .nothing_written = true,
		.reason = "NACK"},
	{"fault 56: write refused at the command", .faults = {.nack_code = 0x31},
		.outcome = OUTCOME_WRITE_FAILED, .phase = PHASE_WRITE, .reason = "NACK"},
	{"fault 56: write refused at the address",
		.faults = {.nack_stage_code = 0x31, .nack_stage = 1},
		.outcome = OUTCOME_WRITE_FAILED, .phase = PHASE_WRITE},
	{"fault 56: write refused at the data",
		.faults = {.nack_stage_code = 0x31, .nack_stage = 2},
		.outcome = OUTCOME_WRITE_FAILED, .phase = PHASE_WRITE},
	{"fault 56: read refused at the command is protection", .faults = {.nack_code = 0x11},
		.outcome = OUTCOME_PROTECTED, .nothing_erased = true},
	{"fault 56: read refused at the address is protection",
		.faults = {.nack_stage_code = 0x11, .nack_stage = 1}, .outcome = OUTCOME_PROTECTED,
		.nothing_erased = true},
	{"fault 56: Get ID refused", .faults = {.nack_code = 0x02}, .outcome = OUTCOME_NO_SYNC,
		.phase = PHASE_IDENTIFY, .nothing_erased = true},

	/* ---- things that do not happen */
	{"fault 60: erase and write are acknowledged and do nothing",
		.faults = {.write_protected = true}, .outcome = OUTCOME_ERASE_FAILED,
		.phase = PHASE_ERASE, .nothing_written = true, .reason = "write-protected"},
	{"a bit that cannot be written", .faults = {.stuck_address = 0x08000900},
		.outcome = OUTCOME_VERIFY_DIFFERS, .phase = PHASE_VERIFY, .reason = "0x08000900"},
	{"fault 20: the chip hangs at the first write, at every try",
		.faults = {.hang_code = 0x31, .hang_nth = 1}, .outcome = OUTCOME_UPDATED,
		.min_attempts = 2},
	{"fault 20: power fails in the middle, the bridge stays",
		.faults = {.power_cut_received = 1200}, .outcome = OUTCOME_NO_SYNC,
		.phase = PHASE_SYNC, .min_attempts = 5},
	{"an erase that never ends", .faults = {.erase_nsec = SIM_NEVER},
		.outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE, .nothing_written = true,
		.reason = "timeout"},
	{"fault 63: an erase that ends after we have given up",
		.faults = {.erase_nsec = UINT64_C(3000000000)}, .outcome = OUTCOME_ERASE_FAILED,
		.nothing_written = true},
	{"fault 62: every byte comes just before the deadline",
		.faults = {.slow_sent_nsec = UINT64_C(400000000)}, .outcome = OUTCOME_NO_SYNC,
		.nothing_erased = true},
};

static struct bench *old_board(const struct sim_faults *faults, const char *more_rule)
{
	const struct sim_options options = {.chip = sim_chip_find("f103xc"), .faults = *faults};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, F103 "%s", more_rule ? more_rule : "") > 0);
	bench = bench_new_with(&options, rule);
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	bench_take_file(bench, FIRMWARE_NEW);
	return bench;
}

/* The board as it is after whatever ailed it is over: the next plug-in must mend it. */
static void assert_next_run_repairs(struct bench *bench)
{
	const struct sim_faults none = {0};
	enum outcome outcome;

	sim_set_faults(bench->sim, &none);
	port_sim_replug(BENCH_PORT);
	outcome = bench_run(bench, FLASH_UPDATE);
	assert_true(outcome == OUTCOME_UPDATED || outcome == OUTCOME_CURRENT);
	assert_true(bench_holds_image(bench));
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	assert_true(sim_application_is_sane(bench->sim));
}

static void a_fault_has_its_outcome(void **state)
{
	const struct fault_row *row = *state;
	struct bench *bench = old_board(&row->faults, row->rule);
	uint64_t begin = bench_msec(bench);
	enum outcome outcome = bench_run(bench, FLASH_UPDATE);
	const struct report *report = &bench->report;

	if (outcome != row->outcome)
		fail_msg("%s instead of %s: %s", outcome_to_string(outcome),
			outcome_to_string(row->outcome), report->reason.text);
	if (row->phase != PHASE_NONE)
		assert_int_equal(report->phase, row->phase);
	assert_true(report->entries >= row->min_attempts);
	assert_in_range(
		bench_msec(bench) - begin, 0, row->at_most_msec ? row->at_most_msec : AT_MOST_MSEC);
	if (row->nothing_erased)
		assert_int_equal(bench_erases(bench), 0);
	if (row->nothing_written)
		assert_int_equal(sim_counters(bench->sim)->commands[0x31], 0);
	if (!row->rule || !strstr(row->rule, "clear"))
		assert_int_equal(sim_counters(bench->sim)->unprotects, 0);
	if (row->reason && !strstr(report->reason.text, row->reason))
		fail_msg("'%s' does not say '%s'", report->reason.text, row->reason);
	if (outcome == OUTCOME_UPDATED)
		assert_true(bench_holds_image(bench));
	else if (!row->nothing_erased)
		/* What was begun and not ended must not be started as if it were whole. */
		assert_false(sim_application_is_sane(bench->sim) && bench_erases(bench) > 0 &&
			     sim_counters(bench->sim)->pages_erased > 0 &&
			     !bench_holds_image(bench));
	if (row->outcome != OUTCOME_PROTECTED)
		assert_next_run_repairs(bench);
	bench_free(bench);
}

static uint64_t run_msec(struct bench *bench, enum outcome *ret)
{
	uint64_t begin = bench_msec(bench);

	*ret = bench_run(bench, FLASH_UPDATE);
	return bench_msec(bench) - begin;
}

/* How long it takes with nothing bad. */
static uint64_t clean_msec(void)
{
	const struct sim_faults none = {0};
	struct bench *bench = old_board(&none, NULL);
	enum outcome outcome;
	uint64_t msec = run_msec(bench, &outcome);

	bench_free(bench);
	return msec;
}

/* A byte lost or bent anywhere costs a block read again or a retry, never more. */
static void one_bad_byte(void (*set)(struct sim_faults *faults, uint64_t nth), unsigned step)
{
	unsigned n_runs = 0, n_retried = 0, n_longer = 0;
	uint64_t clean = clean_msec();

	for (uint64_t nth = 1; nth < 9000; nth += step) {
		struct sim_faults faults = {0};
		struct bench *bench;
		enum outcome outcome;

		set(&faults, nth);
		bench = old_board(&faults, NULL);
		n_longer += run_msec(bench, &outcome) > clean;
		/* A flipped id, twice the same by chance it cannot be: but one is enough for a
		 * NACK. */
		if (outcome != OUTCOME_UPDATED)
			fail_msg("byte %u: %s: %s", (unsigned)nth, outcome_to_string(outcome),
				bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		assert_int_equal(sim_counters(bench->sim)->unprotects, 0);
		assert_int_equal(sim_counters(bench->sim)->mass_erases, 0);
		assert_true(sim_application_is_sane(bench->sim));
		n_runs++;
		n_retried += bench->report.entries > 1;
		bench_free(bench);
	}
	assert_true(n_longer > n_runs / 2);
	print_message("# figure: %u runs, %u of them longer, %u with a retry, all updated\n",
		n_runs, n_longer, n_retried);
}

struct swap {
	struct bench *bench;
	unsigned n_entries;
	char unit[25];
	unsigned n_erases;
};

/* Between the first attempt and the second somebody changes the board behind the bridge. */
static void swap_at_second_entry(void *userdata, const struct progress *progress)
{
	struct swap *swap = userdata;

	if (progress->phase != PHASE_ENTER || ++swap->n_entries != 2)
		return;
	snprintf(swap->unit, sizeof(swap->unit), "%s", swap->bench->report.unit);
	swap->n_erases = bench_erases(swap->bench);
	sim_swap_chip(swap->bench->sim);
}

static void another_board_in_the_middle_of_a_job_is_left_alone(void **state)
{
	const struct sim_faults faults = {.hang_code = 0x31, .hang_nth = 5};
	struct bench *bench = old_board(&faults, NULL);
	struct swap swap = {.bench = bench};

	(void)state;
	bench->on_progress = swap_at_second_entry;
	bench->userdata = &swap;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_FAILED);
	assert_int_equal(bench->report.entries, 2);
	assert_int_equal(bench_erases(bench), swap.n_erases);
	assert_non_null(strstr(bench->report.reason.text, "was not touched"));
	/* What became of the first one is what is told. */
	assert_string_equal(bench->report.unit, swap.unit);
	assert_int_equal(bench->report.other_product_id, 0x414);
	assert_string_not_equal(bench->report.other_unit, swap.unit);
	assert_int_equal(strlen(bench->report.other_unit), 24);
	bench_free(bench);
}

static void set_drop_received(struct sim_faults *faults, uint64_t nth)
{
	faults->drop_received = nth;
}

static void set_flip_received(struct sim_faults *faults, uint64_t nth)
{
	faults->flip_received = nth;
}

static void set_drop_sent(struct sim_faults *faults, uint64_t nth)
{
	faults->drop_sent = nth;
}

static void set_flip_sent(struct sim_faults *faults, uint64_t nth)
{
	faults->flip_sent = nth;
}

static void a_byte_to_the_chip_is_lost(void **state)
{
	(void)state;
	one_bad_byte(set_drop_received, 37);
}

static void a_byte_to_the_chip_is_bent(void **state)
{
	(void)state;
	one_bad_byte(set_flip_received, 37);
}

static void a_byte_from_the_chip_is_lost(void **state)
{
	(void)state;
	one_bad_byte(set_drop_sent, 37);
}

static void a_byte_from_the_chip_is_bent(void **state)
{
	(void)state;
	one_bad_byte(set_flip_sent, 37);
}

/* Any one command refused, once: the same command after a reset is not. */
static void fault_56_any_one_command_is_refused(void **state)
{
	unsigned n_commands = 0;

	(void)state;
	for (uint64_t nth = 1; nth < 200; nth++) {
		const struct sim_faults faults = {.nack_command = nth};
		struct bench *bench = old_board(&faults, NULL);
		enum outcome outcome = bench_run(bench, FLASH_UPDATE);

		assert_int_equal(outcome, OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
		n_commands += bench->report.entries > 1;
		bench_free(bench);
	}
	assert_true(n_commands > 20);
}

/* ------------------------------------------------------------------ unplugged */

struct unplug_row {
	const char *name;
	int code;
	unsigned nth;
	enum phase phase;
};

static const struct unplug_row unplug_rows[] = {
	{"fault 15: unplugged at the first command after sync", 0x00, 1, PHASE_SYNC},
	{"unplugged while it says who it is", 0x02, 1, PHASE_IDENTIFY},
	{"fault 16: unplugged during erase", 0x43, 2, PHASE_ERASE},
	{"fault 16: unplugged during write", 0x31, 5, PHASE_WRITE},
	{"fault 16: unplugged during verify", 0x11, 25, PHASE_VERIFY},
};

static void an_unplug_is_told_at_once_and_repaired_at_the_next_plug(void **state)
{
	const struct unplug_row *row = *state;
	const struct sim_faults faults = {.vanish_code = row->code, .vanish_nth = row->nth};
	struct bench *bench = old_board(&faults, NULL);

	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_PORT_GONE);
	assert_int_equal(bench->report.phase, row->phase);
	assert_in_range(bench_msec(bench), 0, 10000);
	if (row->phase > PHASE_COMPARE)
		assert_non_null(strstr(bench->report.reason.text, "plug it in again"));
	assert_next_run_repairs(bench);
	bench_free(bench);
}

/*
 * The bridge goes after each n-th byte of an update, n over the whole of it: no cut leaves an
 * application that starts and is neither the old nor the new one, and the next plug-in repairs all.
 */
static void fault_17_cut_anywhere_is_repaired(void **state)
{
	unsigned n_cuts = 0;
	uint64_t nth = 1;

	(void)state;
	for (enum outcome outcome = OUTCOME_PORT_GONE; outcome == OUTCOME_PORT_GONE; nth += 11) {
		const struct sim_faults faults = {.vanish_received = nth};
		struct bench *bench = old_board(&faults, NULL);

		outcome = bench_run(bench, FLASH_UPDATE);
		assert_true(outcome == OUTCOME_PORT_GONE || outcome == OUTCOME_UPDATED);
		if (sim_counters(bench->sim)->pages_erased > 0)
			assert_true(
				!sim_application_is_sane(bench->sim) || bench_holds_image(bench));
		assert_next_run_repairs(bench);
		n_cuts += outcome == OUTCOME_PORT_GONE;
		bench_free(bench);
	}
	print_message("# figure: cut after %u different bytes, each repaired\n", n_cuts);
	assert_true(n_cuts > 300);
}

/* ------------------------------------------------------------------ images, port, user */

/*
 * The documented limit of reading back: a chip that answers from a cache is believed. The next
 * plug-in begins with a reset, sees the cells, and writes again.
 */
static void fault_61_a_liar_is_found_out_at_the_next_plug(void **state)
{
	const struct sim_faults faults = {.cached = true};
	struct bench *bench = old_board(&faults, NULL);

	(void)state;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_false(bench_holds_image(bench));
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_next_run_repairs(bench);
	bench_free(bench);
}

static void fault_29_an_image_larger_than_this_part_is_refused(void **state)
{
	struct bench *bench = bench_new("f103c8", "chip = 0x410");

	(void)state;
	/* The id covers parts of 128 KiB; this one says 64. */
	bench_take_bytes(bench, 0x08000000, 100 * 1024, 2);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_BAD_IMAGE);
	assert_int_equal(bench_erases(bench), 0);
	assert_int_equal(sim_counters(bench->sim)->commands[0x31], 0);
	bench_free(bench);
}

struct port_row {
	const char *name;
	struct port_sim_options options;
	enum outcome outcome;
	int error;
	const char *reason;
};

static const struct port_row port_rows[] = {
	{"fault 11: the port is held", {.held_by = "picocom (4711)"}, OUTCOME_PORT_BUSY, EBUSY,
		"picocom (4711)"},
	{"permission denied", {.permission_denied = true}, OUTCOME_FAILED, EACCES, ""},
	{"the node is gone", {.gone = true}, OUTCOME_PORT_GONE, 0, ""},
	{"an adapter that drops parity", {.drops_parity = true}, OUTCOME_FAILED, ENOTSUP, "parity"},
	{"a bridge too slow for the rate", {.max_baud = 9600}, OUTCOME_FAILED, ENOTSUP, "baud"},
};

/* The bytes came and were gone before they were read: the bridge is there all the same. */
static void another_reader_of_the_port_is_told_as_what_it_is(void **state)
{
	static const uint64_t bytes[] = {1, 20, 3000};
	const struct sim_faults none = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		const struct port_sim_options options = {.stolen_byte = bytes[i]};
		struct bench *bench = old_board(&none, NULL);

		port_sim_set_options(BENCH_PORT, &options);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_PORT_BUSY);
		assert_int_equal(bench->report.error, EBUSY);
		assert_non_null(strstr(bench->report.reason.text, "fuser -v " BENCH_PORT));
		assert_next_run_repairs(bench);
		bench_free(bench);
	}
}

static void a_port_that_cannot_be_used_sends_nothing(void **state)
{
	const struct port_row *row = *state;
	const struct sim_faults none = {0};
	struct bench *bench = old_board(&none, NULL);

	port_sim_set_options(BENCH_PORT, &row->options);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), row->outcome);
	if (row->error)
		assert_int_equal(bench->report.error, row->error);
	assert_non_null(strstr(bench->report.reason.text, row->reason));
	assert_int_equal(port_sim_record(BENCH_PORT)->n_sent, 0);
	bench_free(bench);
}

static void fault_8_a_node_of_another_device_is_not_used(void **state)
{
	const struct port_sim_options other = {.devnum = 0xBC01};
	struct port *port = NULL;
	struct reason reason = {""};
	const struct sim_faults none = {0};
	struct bench *bench = old_board(&none, NULL);

	(void)state;
	port_sim_set_options(BENCH_PORT, &other);
	assert_int_equal(port_open(BENCH_PORT, 0xBC00, 0, &port, &reason), -ENODEV);
	assert_null(port);
	bench_free(bench);
}

static void the_chatter_of_an_application_does_no_harm(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("f103xc"),
		.chatter = "temperature 21.5\r\n\x79\x1F\x7F",
	};
	struct bench *bench = bench_new_with(&options, F103);

	(void)state;
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	bench_take_file(bench, FIRMWARE_NEW);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

/* Cancels once the phase has come. */
struct cancel {
	enum phase at;
	bool wanted;
};

static void cancel_on_progress(void *userdata, const struct progress *progress)
{
	struct cancel *cancel = userdata;

	if (progress->phase >= cancel->at)
		cancel->wanted = true;
}

static bool cancel_is_wanted(void *userdata)
{
	return ((struct cancel *)userdata)->wanted;
}

static void fault_21_a_stop_before_the_erase_cancels_and_after_it_waits(void **state)
{
	for (enum phase at = PHASE_SYNC; at <= PHASE_VERIFY; at++) {
		struct cancel cancel = {.at = at};
		const struct sim_faults none = {0};
		struct bench *bench = old_board(&none, NULL);
		enum outcome outcome;

		(void)state;
		bench->on_progress = cancel_on_progress;
		bench->is_cancelled = cancel_is_wanted;
		bench->userdata = &cancel;
		outcome = bench_run(bench, FLASH_UPDATE);
		if (at < PHASE_ERASE) {
			assert_int_equal(outcome, OUTCOME_CANCELLED);
			assert_int_equal(bench_erases(bench), 0);
			assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		} else {
			assert_int_equal(outcome, OUTCOME_UPDATED);
			assert_true(bench_holds_image(bench));
		}
		bench_free(bench);
	}
}

/* In the first of all the tries at a board that does not answer, which take 40 s. */
static void a_stop_at_a_silent_board_is_heard_before_the_next_try(void **state)
{
	const struct sim_faults faults = {.silent = true};
	struct bench *bench = old_board(&faults, "retries = 3\n");
	struct cancel cancel = {.at = PHASE_SYNC};
	uint64_t begin = bench_msec(bench);

	(void)state;
	bench->on_progress = cancel_on_progress;
	bench->is_cancelled = cancel_is_wanted;
	bench->userdata = &cancel;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CANCELLED);
	assert_in_range(bench_msec(bench) - begin, 0, 8000);
	assert_int_equal(bench->report.entries, 1);
	assert_non_null(strstr(bench->report.reason.text, "cancelled before anything was erased"));
	bench_free(bench);
}

/* Cancels once that time has come. */
struct cancel_time {
	struct bench *bench;
	uint64_t at_msec;
};

static bool cancel_in_time(void *userdata)
{
	const struct cancel_time *cancel = userdata;

	return bench_msec(cancel->bench) >= cancel->at_msec;
}

/* How long one pass at a board that does not answer takes. */
static uint64_t measure_silent_pass(void)
{
	const struct sim_faults faults = {.silent = true};
	struct bench *bench = old_board(&faults, "retries = 0\n");
	uint64_t begin = bench_msec(bench), passed;

	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_NO_SYNC);
	passed = bench_msec(bench) - begin;
	bench_free(bench);
	return passed;
}

/* Ten seconds into the pause that follows the first pass. */
static void a_stop_in_the_pause_is_heard_in_the_pause(void **state)
{
	const struct sim_faults faults = {.silent = true};
	uint64_t pass_msec = measure_silent_pass();
	struct bench *bench = old_board(&faults, "retries = 3\nretry-delay = 50s\n");
	struct cancel_time cancel = {bench, bench_msec(bench) + pass_msec + 10000};

	(void)state;
	bench->is_cancelled = cancel_in_time;
	bench->userdata = &cancel;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CANCELLED);
	assert_in_range(bench_msec(bench), cancel.at_msec, cancel.at_msec + 1000);
	assert_int_equal(bench_erases(bench), 0);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, fault_rows, a_fault_has_its_outcome);
	ADD_TEST(tests, n_tests, another_board_in_the_middle_of_a_job_is_left_alone);
	ADD_TEST(tests, n_tests, a_byte_to_the_chip_is_lost);
	ADD_TEST(tests, n_tests, a_byte_to_the_chip_is_bent);
	ADD_TEST(tests, n_tests, a_byte_from_the_chip_is_lost);
	ADD_TEST(tests, n_tests, a_byte_from_the_chip_is_bent);
	ADD_TEST(tests, n_tests, fault_56_any_one_command_is_refused);
	ADD_ROWS(tests, n_tests, unplug_rows,
		an_unplug_is_told_at_once_and_repaired_at_the_next_plug);
	ADD_TEST(tests, n_tests, fault_17_cut_anywhere_is_repaired);
	ADD_TEST(tests, n_tests, fault_61_a_liar_is_found_out_at_the_next_plug);
	ADD_TEST(tests, n_tests, fault_29_an_image_larger_than_this_part_is_refused);
	ADD_ROWS(tests, n_tests, port_rows, a_port_that_cannot_be_used_sends_nothing);
	ADD_TEST(tests, n_tests, another_reader_of_the_port_is_told_as_what_it_is);
	ADD_TEST(tests, n_tests, fault_8_a_node_of_another_device_is_not_used);
	ADD_TEST(tests, n_tests, the_chatter_of_an_application_does_no_harm);
	ADD_TEST(tests, n_tests, a_stop_at_a_silent_board_is_heard_before_the_next_try);
	ADD_TEST(tests, n_tests, a_stop_in_the_pause_is_heard_in_the_pause);
	ADD_TEST(tests, n_tests, fault_21_a_stop_before_the_erase_cancels_and_after_it_waits);
	return RUN_TESTS("flash faults", tests, n_tests);
}
