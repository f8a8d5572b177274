/* SPDX-License-Identifier: MIT */
/*
 * test-application.c - applications that give way to the ROM when they are told to, and that say
 * afterwards whether they run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/loader-bench.h"
#include "unit/rows.h"

/* ------------------------------------------------------------------ entry by a command */

#define F103 "chip = 0x410\nentry = command\nentry-command = BOOT\\r\n"

#define OLD  FIRMWARE_OLD
#define NEW  FIRMWARE_NEW

struct command_row {
	const char *name;
	const char *rule;
	struct sim_options options;
	bool has_application;
	enum outcome outcome;
	const char *entered;
	unsigned commands; /* that the application obeyed */
};

static const struct command_row command_rows[] = {
	{"command: with a reply", F103 "entry-reply = ^OK",
		{.command = "BOOT\r", .reply = "OK\r\n"}, true, OUTCOME_UPDATED, "command", 1},
	{"command: without a reply", F103, {.command = "BOOT\r"}, true, OUTCOME_UPDATED, "command",
		1},
	{"command: the reply does not come, but the boot loader does", F103 "entry-reply = ^YES",
		{.command = "BOOT\r", .reply = "OK\r\n"}, true, OUTCOME_UPDATED, "direct", 1},
	{"command: an empty chip in its boot loader, which the command spoils up to a reset",
		F103 "entry-reply = OK\nreset = dtr\nboot = none",
		{.circuit = SIM_CIRCUIT_DIRECT, .enters_rom_when_empty = true}, false,
		OUTCOME_UPDATED, "direct", 0},
	{"command: the application does not listen", F103 "retries = 0", {.command = NULL}, true,
		OUTCOME_NO_SYNC, "", 0},
	{"command: at another rate than the application's", F103 "entry-baud = 9600\nretries = 0",
		{.command = "BOOT\r"}, true, OUTCOME_NO_SYNC, "", 0},
	{"command: another chip, and the application runs again",
		"chip = 0x414\nentry = command\nentry-command = BOOT\\r\n", {.command = "BOOT\r"},
		true, OUTCOME_WRONG_CHIP, "command", 1},
	{"command: confirmed", F103 "confirm = plugflash-test 1\\.1", {.command = "BOOT\r"}, true,
		OUTCOME_UPDATED, "command", 1},
	{"command: confirmed after a reset", F103 "reset = dtr\nboot = none\nconfirm = test 1\\.1",
		{.circuit = SIM_CIRCUIT_DIRECT, .command = "BOOT\r"}, true, OUTCOME_UPDATED,
		"command", 1},
};

static void a_command_leads_into_the_rom(void **state)
{
	const struct command_row *row = *state;
	struct sim_options options = row->options;
	struct bench *bench;

	if (!strstr(row->rule, "reset = "))
		options.circuit = SIM_CIRCUIT_NONE;
	bench = new_bench(&options, row->rule);
	bench_take_file(bench, OLD);
	if (row->has_application)
		bench_preload(bench);
	bench_take_file(bench, NEW);
	start_anew();
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_string_equal(bench->report.entered, row->entered);
	assert_int_equal(sim_counters(bench->sim)->application_commands, row->commands);
	assert_int_equal(bench_holds_image(bench), row->outcome == OUTCOME_UPDATED);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* The board has its own power: what it holds in the ROM is not lost with the plug. */
static void fault_17_a_jump_cut_off_after_each_block_is_repaired_directly(void **state)
{
	unsigned n_cuts = 0, n_whole = 0;

	(void)state;
	for (uint64_t after = 60;; after += 61) {
		const struct sim_options options = {
			.circuit = SIM_CIRCUIT_NONE, .command = "BOOT\r", .reply = "OK\r\n"};
		struct bench *bench = new_bench(&options, F103 "entry-reply = OK\nretries = 1");
		const struct port_sim_options cut = {
			.unplug_after_sent = after, .self_powered = true};
		enum outcome outcome;

		bench_take_file(bench, OLD);
		bench_preload(bench);
		bench_take_file(bench, NEW);
		start_anew();
		port_sim_set_options(BENCH_PORT, &cut);
		outcome = bench_run(bench, FLASH_UPDATE);
		if (outcome == OUTCOME_UPDATED) {
			bench_free(bench);
			break;
		}
		assert_int_equal(outcome, OUTCOME_PORT_GONE);
		port_sim_set_options(BENCH_PORT, &(struct port_sim_options){.self_powered = true});
		port_sim_plug(BENCH_PORT);
		outcome = bench_run(bench, FLASH_UPDATE);
		/* Cut in the last of the verify, it is whole already. */
		if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
			fail_msg("after a cut after %u: %s", (unsigned)after,
				bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		n_cuts++;
		n_whole += outcome == OUTCOME_CURRENT;
		bench_free(bench);
	}
	assert_true(n_whole <= n_cuts / 20);
	print_message("# figure: a jump to the ROM, cut off after %u different bytes, %u repaired, "
		      "%u whole already\n",
		n_cuts, n_cuts - n_whole, n_whole);
}

/* ------------------------------------------------------------------ confirmed or not */

struct confirm_row {
	const char *name;
	const char *rule;
	struct sim_options options;
	enum outcome outcome;
	int usb_usec; /* of each request to the bridge; 0: one frame */
};

/* The port is still being changed to 8N1 when the application begins to speak. */
#define SLOW_USB	 9000

#define NO_LINES_OPTIONS .circuit = SIM_CIRCUIT_NONE, .command = "BOOT\r"
#define NO_LINES                 \
	{                        \
		NO_LINES_OPTIONS \
	}
#define GO "entry = command\nentry-command = BOOT\\r\n"

static const struct confirm_row confirm_rows[] = {
	{"confirm: after a reset", "confirm = plugflash-test 1\\.1\\.0", {.says_once = true},
		OUTCOME_UPDATED, 0},
	{"confirm: after Go", "confirm = plugflash-test 1\\.1\\.0\nstart = go", {.says_once = true},
		OUTCOME_UPDATED, 0},
	{"confirm: another text", "confirm = plugflash-test 1\\.2\nconfirm-within = 200ms", {0},
		OUTCOME_NOT_CONFIRMED, 0},
	{"confirm: at another rate", "confirm = plugflash-test\nconfirm-baud = 9600", {0},
		OUTCOME_NOT_CONFIRMED, 0},
	{"confirm: with another format", "confirm = plugflash-test\nconfirm-format = 8e1", {0},
		OUTCOME_NOT_CONFIRMED, 0},
	{"confirm: an application that talks without end",
		"confirm = no such text\nconfirm-within = 2s",
		{.chatter = "all is well all is well\r\n"}, OUTCOME_NOT_CONFIRMED, 0},
	{"confirm: in the middle of much talk", "confirm = well *all",
		{.chatter = "all is well all is well "}, OUTCOME_UPDATED, 0},
	{"confirm: the first words after Go are over, the next ones are heard",
		GO "confirm = plugflash-test 1\\.1", NO_LINES, OUTCOME_UPDATED, SLOW_USB},
	{"confirm: the first words after Go are over, and there are no others",
		GO "confirm = plugflash-test 1\\.1", {NO_LINES_OPTIONS, .says_once = true},
		OUTCOME_NOT_CONFIRMED, SLOW_USB},
	{"confirm: the first words after Go are over, and it is asked for others",
		GO "confirm = plugflash-test 1\\.1\nconfirm-query = VERSION\\r",
		{NO_LINES_OPTIONS, .says_once = true, .query = "VERSION\r"}, OUTCOME_UPDATED,
		SLOW_USB},
	{"confirm: asked, and there is no answer",
		"confirm = plugflash-test 1\\.2\nconfirm-query = VERSION\\r", {.says_once = true},
		OUTCOME_NOT_CONFIRMED, 0},
};

static void the_application_confirms_or_not(void **state)
{
	const struct confirm_row *row = *state;
	const struct port_sim_options port = {.usb_usec = row->usb_usec};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, "chip = 0x410\n%s", row->rule) > 0);
	bench = new_bench(&row->options, rule);
	bench_take_file(bench, OLD);
	bench_preload(bench);
	bench_take_file(bench, NEW);
	start_anew();
	port_sim_set_options(BENCH_PORT, &port);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench->report.proof, PROOF_READ_BACK);
	/* A unit that holds the image already is asked as well: it was reset. */
	assert_int_equal(bench_run(bench, FLASH_UPDATE),
		row->outcome == OUTCOME_UPDATED ? OUTCOME_CURRENT : OUTCOME_NOT_CONFIRMED);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, command_rows, a_command_leads_into_the_rom);
	ADD_TEST(tests, n_tests, fault_17_a_jump_cut_off_after_each_block_is_repaired_directly);
	ADD_ROWS(tests, n_tests, confirm_rows, the_application_confirms_or_not);
	return RUN_TESTS("application", tests, n_tests);
}
