/* SPDX-License-Identifier: MIT */
/*
 * test-circuits.c - boards whose circuit nobody has told of: the tries of the command, one after
 * the other on one board, find each by its own name, and leave its application running. The
 * command's objects are in no archive: its files are part of this.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/circuits.c"
#include "cli/finder.c"
#include "unit/rows.h"

#define BANNER "gate 1.0.0 ready\r\n"

/* The longest try in vain: four sequences of an ESP, or all that an application may speak. */
#define TRY_MOST_MSEC 60000

static void take_circuit(struct bench *bench, const struct circuit *circuit)
{
	bool is_application = circuit->application != NULL;
	char keys[200], rule[1600];

	circuit_keys(circuit, "\n", keys, sizeof(keys));
	if (is_application)
		snprintf(rule, sizeof(rule),
			"protocol = xmodem\nmenu = gecko\nentry = none\napplication = %s\nretries = 0",
			circuit->application);
	else
		snprintf(rule, sizeof(rule), "protocol = %s\nchip = %s\nretries = 0\n%s",
			circuit->protocol,
			strcmp(circuit->protocol, "esp") == 0	? "esp32 esp32c3"
			: strcmp(circuit->protocol, "bsl") == 0 ? "cc2652p"
								: "F103x8 F103xC G0x1",
			keys);
	bench_take_rule(bench, rule);
}

/* Plays the tries of the list; the longest of them in virtual time. */
static uint64_t play_tries(struct bench *bench, const char *list, struct finder *finder)
{
	struct circuit_list chosen;
	struct reason reason = {""};
	const struct circuit *circuit;
	uint64_t longest = 0;

	assert_true(circuits_choose(list, &chosen, &reason));
	finder_begin(finder, &chosen);
	bench->is_guess = true;
	while ((circuit = finder_next(finder))) {
		uint64_t began = bench_msec(bench), took;

		take_circuit(bench, circuit);
		bench_run(bench, FLASH_PROBE);
		took = bench_msec(bench) - began;
		printf("# %s: %s, %u ms%s%s\n", circuit->name,
			outcome_to_string(bench->report.outcome), (unsigned)took,
			bench->report.is_still_inside ? ", still inside: " : ": ",
			bench->report.reason.text);
		longest = took > longest ? took : longest;
		finder_take(finder, circuit, &bench->report);
	}
	return longest;
}

static const struct found_row {
	const char *name;
	const char *chip;
	enum sim_circuit circuit;
	const char *chatter; /* "": the application is silent */
	const char *expected;
	bool is_empty; /* no application is in the flash, and the chip stays in its loader for it */
} found_rows[] = {
	{"direct", "f103c8", SIM_CIRCUIT_DIRECT, "", "stm32-direct", false},
	{"plain", "f103c8", SIM_CIRCUIT_PLAIN, "", "stm32-plain", false},
	{"swapped", "f103c8", SIM_CIRCUIT_BSL, "", "stm32-swapped", false},
	{"inverted", "f103c8", SIM_CIRCUIT_INVERTED, "", "stm32-inverted", false},
	{"one-key", "f103c8", SIM_CIRCUIT_ONE_KEY, "", "stm32-one-key", false},
	{"two transistors crossed over", "f103c8", SIM_CIRCUIT_ESP, "", "stm32-esp", false},
	{"direct, it speaks", "f103c8", SIM_CIRCUIT_DIRECT, BANNER, "stm32-direct", false},
	{"plain, it speaks", "f103c8", SIM_CIRCUIT_PLAIN, BANNER, "stm32-plain", false},
	{"swapped, it speaks", "f103c8", SIM_CIRCUIT_BSL, BANNER, "stm32-swapped", false},
	{"inverted, it speaks", "f103c8", SIM_CIRCUIT_INVERTED, BANNER, "stm32-inverted", false},
	{"one-key, it speaks", "f103c8", SIM_CIRCUIT_ONE_KEY, BANNER, "stm32-one-key", false},
	{"crossed over, it speaks", "f103c8", SIM_CIRCUIT_ESP, BANNER, "stm32-esp", false},
	{"one-key, an empty chip in its loader", "g071", SIM_CIRCUIT_ONE_KEY, "", "stm32-one-key",
		true},
	{"inverted, an empty chip in its loader", "g071", SIM_CIRCUIT_INVERTED, "",
		"stm32-inverted", true},
	{"an ESP32", "esp32", SIM_CIRCUIT_ESP, "", "esp", false},
	{"a stick of TI", "cc2652p", SIM_CIRCUIT_ESP, "", "ti", false},
};

static void each_circuit_is_found_by_its_name(void **state)
{
	const struct found_row *row = *state;
	const struct sim_options options = {
		.chip = sim_chip_find(row->chip),
		.circuit = row->circuit,
		.chatter = row->chatter,
		.enters_rom_when_empty = row->is_empty,
	};
	struct bench *bench;
	struct finder finder;
	bool is_stm32 = strncmp(row->expected, "stm32", 5) == 0;

	if (!options.chip)
		fail_msg("no chip '%s'", row->chip);
	bench = bench_new_with(&options, "chip = F103x8");
	if (is_stm32 && !row->is_empty) {
		bench_take_file(bench, FIRMWARE_OLD);
		bench_preload(bench);
	}
	sim_power(bench->sim, 0);
	assert_true(play_tries(bench, NULL, &finder) < TRY_MOST_MSEC);
	assert_non_null(finder_found(&finder));
	printf("# found: %s%s\n", finder_found(&finder)->name,
		finder_is_in_doubt(&finder) ? ", in doubt" : "");
	assert_string_equal(finder_found(&finder)->name, row->expected);
	if (is_stm32)
		assert_int_equal(bench_erases(bench), 0);
	if (is_stm32 && !row->is_empty)
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

static const struct lost_row {
	const char *name;
	enum sim_circuit circuit;
	const char *chatter;
	const char *reason;
} lost_rows[] = {
	{"no lines, it speaks", SIM_CIRCUIT_NONE, BANNER, "whatever the lines do"},
	{"no lines, it is silent", SIM_CIRCUIT_NONE, "", "not one byte came in any try"},
};

static void what_was_heard_says_what_is_wrong(void **state)
{
	const struct lost_row *row = *state;
	const struct sim_options options = {
		.chip = sim_chip_find("f103c8"), .circuit = row->circuit, .chatter = row->chatter};
	struct bench *bench = bench_new_with(&options, "chip = F103x8");
	struct finder finder;
	struct reason reason = {""};

	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	sim_power(bench->sim, 0);
	play_tries(bench, "stm32", &finder);
	assert_null(finder_found(&finder));
	finder_explain(&finder, &reason);
	printf("# %s\n", reason.text);
	assert_non_null(strstr(reason.text, row->reason));
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, found_rows, each_circuit_is_found_by_its_name);
	ADD_ROWS(tests, n, lost_rows, what_was_heard_says_what_is_wrong);
	return RUN_TESTS("circuits", tests, n);
}
