/* SPDX-License-Identifier: MIT */
/*
 * Rules out of options, and what options change of a rule. The command's objects are in no archive:
 * its files are part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/rule.c"

static const char rule_text[] = "[board gate]\n"
				"product = gate*\n"
				"chip = 0x410\n"
				"baud = 230400\n"
				"image = gate-*.hex\n"
				"reset = rts\n"
				"boot = dtr\n";

static void read_rule(struct board *ret)
{
	CLEANUP(ini_done) struct ini ini = {0};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};

	assert_int_equal(
		ini_load_text(&ini, "10.conf", rule_text, strlen(rule_text), &problems), 0);
	assert_int_equal(config_read_board(&ini, ret, &problems), 0);
}

static void test_rule_is_kept(void **state)
{
	const struct options none = {0};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board rule = {0}, made = {0};

	(void)state;
	read_rule(&rule);
	assert_int_equal(rule_make(&rule, &none, NULL, &made, &problems), 0);
	assert_string_equal(made.name, "gate");
	assert_string_equal(made.chip[0], "0x410");
	assert_int_equal(made.baud.items[0], 230400);
	assert_memory_equal(&made.wiring, &rule.wiring, sizeof(rule.wiring));
}

static void test_options_change_a_rule(void **state)
{
	const struct options options = {.baud = "57600,9600", .address = "0x08004000"};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board rule = {0}, made = {0};

	(void)state;
	read_rule(&rule);
	assert_int_equal(rule_make(&rule, &options, NULL, &made, &problems), 0);
	assert_int_equal(made.baud.n_items, 2);
	assert_int_equal(made.baud.items[0], 57600);
	assert_true(made.has_address);
	assert_int_equal(made.address, 0x08004000);
	assert_int_equal(rule.baud.items[0], 230400);
}

static void test_address_of_a_range_is_not_the_rules(void **state)
{
	const struct options options = {.address = "0x08004000", .size = "1K"};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board rule = {0}, made = {0};

	(void)state;
	read_rule(&rule);
	assert_int_equal(rule_make(&rule, &options, NULL, &made, &problems), 0);
	assert_false(made.has_address);
}

static void test_options_alone_make_a_rule(void **state)
{
	const struct options options = {
		.chip = "0x414", .wiring = "direct", .reset = "rts", .boot = "dtr"};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board rule = {0}, made = {0};

	(void)state;
	read_rule(&rule);
	assert_int_equal(rule_make(NULL, &options, NULL, &made, &problems), 0);
	assert_string_equal(made.name, RULE_OF_COMMAND);
	assert_int_equal(made.n_chip, 1);
	assert_string_equal(made.chip[0], "0x414");
	assert_memory_equal(&made.wiring, &rule.wiring, sizeof(rule.wiring));
}

static void test_protocol_stands_for_what_it_has_by_itself(void **state)
{
	const struct options options = {.protocol = "esp"};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board made = {0};

	(void)state;
	assert_int_equal(rule_make(NULL, &options, "esp32", &made, &problems), 0);
	assert_int_equal(made.protocol, BOARD_PROTOCOL_ESP);
}

/* To probe, nobody needs to know the pin; to flash, it is said. */
static void test_a_stick_of_ti_needs_its_pin_to_be_flashed_alone(void **state)
{
	const struct options probe = {.protocol = "bsl"};
	const struct options flash = {.protocol = "bsl", .chip = "cc2652p", .backdoor_pin = "15"};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board probed = {0}, flashed = {0};

	(void)state;
	assert_int_equal(rule_make(NULL, &probe, "0xbb41", &probed, &problems), 0);
	assert_false(probed.has_backdoor_pin);
	assert_int_equal(rule_make(NULL, &flash, NULL, &flashed, &problems), 0);
	assert_true(flashed.has_backdoor_pin);
	assert_int_equal(flashed.backdoor_pin, 15);
}

/* Nothing is reset, and RTS lets an application with hardware flow control speak. */
static void test_an_application_is_asked_alone(void **state)
{
	const struct options options = {.application = "ezsp,cpc,spinel,zwave,mt"};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	struct board made CLEANUP(board_done) = {0};

	(void)state;
	assert_string_equal(rule_protocol(&options), "xmodem");
	assert_int_equal(rule_make(NULL, &options, NULL, &made, &problems), 0);
	assert_int_equal(made.entry, BOARD_ENTRY_NONE);
	assert_int_equal(made.applications, (1u << APPLICATION_PROTOCOL_MAX) - 1);
	assert_false(made.has_lines);
	assert_int_equal(made.wiring.rest, LINE_DTR | LINE_RTS);
	assert_true(made.menu.before.n_items > 0);
	/* Beside what describes a board, it is a key as any other. */
	assert_null(rule_protocol(&(struct options){.application = "mt", .wiring = "esp"}));
}

/* No family has a chip of the other's. */
static void test_any_chip_is_one_of_the_protocol(void **state)
{
	static const struct {
		const char *protocol, *has, *lacks;
	} rows[] = {
		{NULL, "0x410 ", "0x8266 "},
		{"stm32", "0x410 ", "0x8266 "},
		{"esp", "0x8266 ", "0x410 "},
		{"bsl", "0xbb41 ", "0x410 "},
		/* It is in the table to be refused. */
		{"bsl", "0xb964 ", "0xbb78 "},
	};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *chips = NULL;

		assert_int_equal(rule_any_chip("config/chips.ini", NULL, rows[i].protocol, &chips,
					 &problems),
			0);
		assert_non_null(strstr(chips, rows[i].has));
		assert_null(strstr(chips, rows[i].lacks));
	}
}

static void test_protocol_without_chips_names_none(void **state)
{
	static const char *const protocols[] = {"xmodem", "ymodem", "smoke"};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	char *chips = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		assert_int_equal(
			rule_any_chip("config/chips.ini", NULL, protocols[i], &chips, &problems),
			0);
		assert_null(chips);
	}
}

static void test_chips_stand_in_where_none_is_named(void **state)
{
	const struct options options = {.wiring = "one-key"};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(board_done) struct board made = {0};

	(void)state;
	assert_int_equal(rule_make(NULL, &options, "0x410 0x414", &made, &problems), 0);
	assert_int_equal(made.n_chip, 2);
}

static const struct {
	const char *name;
	struct options options;
	const char *problem; /* part of it */
} refused[] = {
	{"rate", {.chip = "0x410", .baud = "fast"}, "baud: "},
	{"wiring", {.chip = "0x410", .wiring = "spaghetti"}, "wiring: "},
	{"reset", {.chip = "0x410", .reset = "cts"}, "reset: "},
	{"steps", {.chip = "0x410", .enter = "rts=2 100ms", .leave = "rts=0"}, "enter: "},
	{"address", {.chip = "0x410", .address = "flash"}, "address: "},
	{"no chip", {.wiring = "direct"}, "chip: "},
};

static void test_bad_options_name_their_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		struct board made = {0};
		char line[512];

		print_message("# %s\n", refused[i].name);
		assert_int_equal(rule_make(NULL, &refused[i].options, NULL, &made, &problems),
			OUTCOME_BAD_CONFIG);
		assert_null(made.name);
		assert_int_equal(problems.n_items, 1);
		assert_non_null(strstr(ini_problem_format(&problems.items[0], line, sizeof(line)),
			refused[i].problem));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_is_kept),
		cmocka_unit_test(test_options_change_a_rule),
		cmocka_unit_test(test_address_of_a_range_is_not_the_rules),
		cmocka_unit_test(test_options_alone_make_a_rule),
		cmocka_unit_test(test_protocol_stands_for_what_it_has_by_itself),
		cmocka_unit_test(test_a_stick_of_ti_needs_its_pin_to_be_flashed_alone),
		cmocka_unit_test(test_an_application_is_asked_alone),
		cmocka_unit_test(test_any_chip_is_one_of_the_protocol),
		cmocka_unit_test(test_protocol_without_chips_names_none),
		cmocka_unit_test(test_chips_stand_in_where_none_is_named),
		cmocka_unit_test(test_bad_options_name_their_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
