/* SPDX-License-Identifier: MIT */
/* test-config-options.c - rules with `option-bytes`: what is refused before a board is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/config-rows.h"

#define RULE(chip) "[board a]\nchip=" chip "\nimage=a\n"

static void the_settings_of_a_rule_are_kept(void **state)
{
	struct config config CLEANUP(config_done) = {0};
	const struct option_list *list;

	(void)state;
	load(RULE("G071") "option-bytes = nBOOT_SEL=0\n  NRST_MODE=1 i-know-the-risk\n", &config);
	list = &config.boards[0].options;
	assert_int_equal(list->n_items, 2);
	assert_string_equal(list->items[1].name, "NRST_MODE");
	assert_int_equal(list->items[1].value, 1);
	assert_int_equal(list->accepted, OPTION_RISK);
}

static const struct config_row bad_rows[] = {
	{"no setting", RULE("G071") "option-bytes = i-know-the-risk\n",
		AT("4", "option-bytes") "expected settings like nBOOT_SEL=0 BORR_LEV=0, each once, by the names of the chip's reference manual, got 'i-know-the-risk'\n"},
	{"blanks", RULE("G071") "option-bytes = nBOOT_SEL = 0\n",
		AT("4", "option-bytes") "expected NAME=VALUE without blanks around the =, or behind such settings i-know-the-risk or i-know-it-is-for-ever, got 'nBOOT_SEL = 0'\n"},
	{"a word that is nearly one", RULE("G071") "option-bytes = IWDG_SW=0 i-know-the-risks\n",
		AT("4", "option-bytes") "expected NAME=VALUE without blanks around the =, or behind such settings i-know-the-risk or i-know-it-is-for-ever, got 'IWDG_SW=0 i-know-the-risks'\n"},
	{"no number", RULE("G071") "option-bytes = nBOOT_SEL=off\n",
		AT("4", "option-bytes") "expected a number behind each =, such as 5 or 0x5A, got 'nBOOT_SEL=off'\n"},
	{"twice", RULE("G071") "option-bytes = nBOOT_SEL=0 nboot_sel=1\n",
		AT("4", "option-bytes") "expected each setting once, got 'nBOOT_SEL=0 nboot_sel=1'\n"},
	{"of a chip without", "[board a]\nprotocol=esp\nchip=esp32\nimage=a\noption-bytes = A=0\n",
		AT("5", "option-bytes") "expected nothing: only protocol = stm32 has a use for it, got 'A=0'\n"},
	{"and then protected", RULE("F103xC") "option-bytes = Data0=1\nreadout-protection = set\n",
		AT("4", "option-bytes") "expected nothing beside readout-protection = set: the boot loader of a protected chip lets nobody compare them, got 'Data0=1'\n"},
};

static const struct config_row chip_rows[] = {
	{"good", RULE("G071") "option-bytes = nBOOT_SEL=0\n", ""},
	{"good for both", RULE("F103xC F030x8") "option-bytes = Data0=1\n", ""},
	{"of one of two", RULE("F103xC F030x8") "option-bytes = nBOOT1=1\n",
		AT("4", "option-bytes") "STM32F10xxx high-density: it has no option 'nBOOT1'; plugflash option-bytes shows those that it has\n"},
	{"the pin", RULE("G071") "option-bytes = nBOOT_SEL=1\n",
		AT("4", "option-bytes") "STM32G07xxx/08xxx: nBOOT_SEL=1: the boot mode is that of nBOOT0 then, and no longer that of the BOOT0 pin, so that no line leads into the boot loader; the word i-know-the-risk behind it accepts that\n"},
	{"the pin, and told", RULE("G071") "option-bytes = nBOOT_SEL=1 i-know-the-risk\n", ""},
	{"read-out protection", RULE("F103xC") "option-bytes = RDP=0xA5 i-know-it-is-for-ever\n",
		AT("4", "option-bytes") "STM32F10xxx high-density: RDP is its read-out protection, which is `readout-protection` of a rule, plugflash protect and unprotect; level 2 is for ever, and plugflash never sets it\n"},
	{"shown alone", RULE("G071") "option-bytes = BOOT_LOCK=1 i-know-it-is-for-ever\n",
		AT("4", "option-bytes") "STM32G07xxx/08xxx: BOOT_LOCK is shown and never written: it may hide flash or shut the boot loader out, and no update undoes that\n"},
	{"of a chip with none to write", RULE("F429") "option-bytes = BOR_LEV=3\n",
		AT("4", "option-bytes") "STM32F42xxx/43xxx: BOR_LEV is shown and never written: no document says how the boot loader of this chip takes its option bytes\n"},
	{"not by name", RULE("U575") "option-bytes = BOR_LEV=0\n",
		AT("4", "option-bytes") "nobody here knows the option bytes of the STM32U575xx/585xx by their names, so that none is written\n"},
};

/* A power cut while they are written protects the flash. */
static void a_rule_that_could_not_repair_a_torn_set_is_warned_of(void **state)
{
	static const struct {
		const char *keys;
		size_t n_warnings;
	} rows[] = {
		{"option-bytes = Data0=1\n", 1},
		{"option-bytes = Data0=1\nreadout-protection = clear\n", 0},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ini_problems problems CLEANUP(ini_problems_done) = {0};
		struct ini_problems warnings CLEANUP(ini_problems_done) = {0};
		struct config config CLEANUP(config_done) = {0};
		char text[200];

		snprintf(text, sizeof(text), RULE("F103xC") "%s", rows[i].keys);
		load(text, &config);
		assert_int_equal(
			config_check_chips(&config, CHIPS_INI, NULL, &problems, &warnings), 0);
		assert_int_equal(problems.n_items, 0);
		assert_int_equal(warnings.n_items, rows[i].n_warnings);
		if (warnings.n_items > 0)
			assert_non_null(
				strstr(warnings.items[0].message, "`readout-protection = clear`"));
	}
}

/* A key that has no effect. */
static void a_rule_that_wants_a_program_where_there_is_none_is_warned_of(void **state)
{
	static const struct {
		const char *rule;
		size_t n_warnings;
	} rows[] = {
		{RULE("U575") "stub = yes\n", 1},
		{RULE("F103xC U575") "stub = yes\n", 1},
		{RULE("U575") "stub = auto\n", 0},
		{RULE("F103xC") "stub = yes\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ini_problems problems CLEANUP(ini_problems_done) = {0};
		struct ini_problems warnings CLEANUP(ini_problems_done) = {0};
		struct config config CLEANUP(config_done) = {0};

		load(rows[i].rule, &config);
		assert_int_equal(
			config_check_chips(&config, CHIPS_INI, NULL, &problems, &warnings), 0);
		assert_int_equal(problems.n_items, 0);
		assert_int_equal(warnings.n_items, rows[i].n_warnings);
		if (warnings.n_items > 0)
			assert_non_null(strstr(
				warnings.items[0].message, "no program for the STM32U575xx/585xx"));
	}
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, the_settings_of_a_rule_are_kept);
	ADD_TEST(tests, n_tests, a_rule_that_could_not_repair_a_torn_set_is_warned_of);
	ADD_TEST(tests, n_tests, a_rule_that_wants_a_program_where_there_is_none_is_warned_of);
	ADD_ROWS(tests, n_tests, bad_rows, bad_row_holds);
	ADD_ROWS(tests, n_tests, chip_rows, chip_row_holds);
	return _cmocka_run_group_tests(
		"config-options", tests, n_tests, folder_make, folder_remove);
}
