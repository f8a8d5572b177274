/* SPDX-License-Identifier: MIT */
/* test-chip-names.c - what a rule may call a chip of the shipped table, and what is said of a name
 * that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "unit/shipped-chips.h"

static void names_find_their_chip(void **state)
{
	static const struct {
		const char *text;
		uint16_t product_id; /* 0: none */
	} rows[] = {
		{"0x414", 0x414},
		{"1044", 0x414},
		{"STM32F103xC", 0x414},
		{"F103xC", 0x414},
		{"f103xc", 0x414},
		{"STM32F103RC", 0x414},
		{"stm32f103rct6", 0x414},
		{"STM32F103C8T6", 0x410},
		{"F103CB", 0x410},
		{"F103ZG", 0x430},
		{"F100RB", 0x420},
		{"STM32F405", 0x413},
		{"STM32F407VGT6", 0x413},
		{"STM32F405/407/415/417", 0x413},
		{"F030F4P6", 0x444},
		{"F030C8", 0x440},
		{"F030RC", 0x442},
		{"F070F6", 0x445},
		{"F070RB", 0x448},
		{"L151C8", 0x416},
		{"L151C8-A", 0x429},
		{"G031J6M6", 0x466},
		{"H743ZI", 0x450},
		{"WB55RG", 0x495},
		{"L4R5ZI", 0x470},
		{"U5A9NJH6Q", 0x481},
		{"F103", 0},
		{"F103x", 0},
		{"F1", 0},
		{"STM32", 0},
		{"", 0},
		{"0x999", 0},
		{"0x10414", 0},
		{"esp32", 0},
		{"F405!", 0},
		{"F405 F407", 0},
		{"XSTM32F405", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct chip *chip = chip_table_find_named(&shipped, "stm32", rows[i].text);

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(chip ? chip->product_id : 0, rows[i].product_id);
	}
}

static void names_of_espressif_are_whole(void **state)
{
	static const struct {
		const char *text;
		int product_id; /* -1: none */
	} rows[] = {
		{"ESP32", 0},
		{"esp32", 0},
		{"0", 0},
		{"0x000", 0},
		{"ESP32-S2", 2},
		{"esp32s2", 2},
		{"esp32-c3", 5},
		{"ESP32C3", 5},
		{"esp32_c3", 5},
		{"5", 5},
		{"esp32s3", 9},
		{"esp32c2", 12},
		{"ESP8684", 12},
		{"esp32c6", 13},
		{"esp32h2", 16},
		{"esp32p4", 18},
		{"esp32c61", 20},
		{"ESP32-C61", 20},
		{"esp32c5", 23},
		{"esp8266", 0x8266},
		{"ESP8285", 0x8266},
		{"0x8266", 0x8266},
		{"esp", -1},
		{"esp32c", -1},
		{"esp32c7", -1},
		{"esp32c3x", -1},
		{"ESP32-WROOM-32E", -1},
		{"8266", -1},
		{"3", -1},
		{"-", -1},
		{"", -1},
		{"F103xC", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct chip *chip = chip_table_find_named(&shipped, "esp", rows[i].text);

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(chip ? (int)chip->product_id : -1, rows[i].product_id);
	}
}

/* The rule of an ESP32-C6 is not one of an ESP32-C61, nor of an ESP32. */
static void no_name_of_espressif_names_two_chips(void **state)
{
	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++)
		for (size_t k = 0; k < shipped.n_items; k++)
			if (i != k && shipped.items[i].family == &family_esp)
				assert_false(
					chip_is_named(&shipped.items[k], shipped.items[i].name));
}

/* Two rows with one alias would let a rule take either chip. Only what follows an alias may
 * overlap. */
static void every_alias_names_one_chip(void **state)
{
	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++) {
		const struct chip *chip = &shipped.items[i];

		for (size_t k = 0; k < chip->n_aliases; k++) {
			const char *alias = chip->aliases[k];

			print_message("# %s\n", alias);
			assert_true(chip_is_named(chip, alias));
			for (size_t other = 0; other < shipped.n_items; other++)
				for (size_t n = 0; other != i && n < shipped.items[other].n_aliases;
					n++)
					assert_string_not_equal(
						alias, shipped.items[other].aliases[n]);
		}
	}
}

static void a_name_that_is_none_is_told_what_may_be_meant(void **state)
{
	static const struct {
		const char *text, *end;
	} rows[] = {
		{"STM32F103",
			"got 'STM32F103': is it 0x410 (F103x8), 0x412 (F103x4), 0x414 (F103xC), "
			"0x430 (F103xF)?"},
		{"f103xx", "got 'f103xx': is it 0x410 (F103x8), 0x412 (F103x4), 0x414 (F103xC), "
			   "0x430 (F103xF)?"},
		{"STM32F103R", "is it 0x410 (F103x8), 0x412 (F103x4), 0x414 (F103xC), 0x430 "
			       "(F103xF)?"},
		{"F40", "is it 0x413 (F405), 0x423 (F401xB), 0x433 (F401xD)?"},
		{"F401", "is it 0x423 (F401xB), 0x433 (F401xD)?"},
		{"410", "got '410': is it 0x410 (F101x8)?"},
		{"0x999", "got '0x999'; `plugflash probe` tells the id of a chip"},
		{"Cortex-M3", "got 'Cortex-M3'; `plugflash probe` tells the id of a chip"},
		{"F", "got 'F'; `plugflash probe` tells the id of a chip"},
		{"", "got ''; `plugflash probe` tells the id of a chip"},
		{"x%n\n", "got 'x%n\\x0a'; `plugflash probe` tells the id of a chip"},
		{"esp32c3",
			"got 'esp32c3', which is one of protocol = esp: say so in the rule, or mend the chip"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char said[CHIP_REFUSAL_MAX];
		size_t n_end = strlen(rows[i].end), n;

		assert_null(chip_table_find_named(&shipped, "stm32", rows[i].text));
		n = strlen(chip_table_refuse_name(&shipped, "stm32", rows[i].text, said));
		assert_true(strncmp(said, "expected a product id", 21) == 0);
		if (n < n_end || strcmp(said + n - n_end, rows[i].end) != 0)
			fail_msg("'%s'", said);
	}
}

/* However many rows fit, and however long the text. */
static void what_is_said_of_a_name_is_bounded(void **state)
{
	char text[2000], said[CHIP_REFUSAL_MAX];

	(void)state;
	memset(text, '\1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(strlen(chip_table_refuse_name(&shipped, "stm32", text, said)) < sizeof(said));
	assert_true(strlen(chip_table_refuse_name(&shipped, "stm32", "L1", said)) < sizeof(said));
	assert_non_null(strstr(said, "0x416 (L100x6)"));
}

static void a_name_of_espressif_that_is_none_is_told_what_may_be_meant(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"ESP32-WROOM-32E", "got 'ESP32-WROOM-32E': is it 0x000 (ESP32)?"},
		{"esp32-c3-mini-1", "got 'esp32-c3-mini-1': is it 0x005 (ESP32-C3)?"},
		{"esp32c61wroom", "got 'esp32c61wroom': is it 0x014 (ESP32-C61)?"},
		{"esp32c", "is it 0x005 (ESP32-C3), 0x00c (ESP32-C2), 0x00d (ESP32-C6), 0x014 "
			   "(ESP32-C61), 0x017 (ESP32-C5)?"},
		{"8266", "got '8266': is it 0x8266 (ESP8266)?"},
		{"esp32c7", "got 'esp32c7'; `plugflash probe` tells the id of a chip"},
		{"", "got ''; `plugflash probe` tells the id of a chip"},
		{"STM32F103C8T6",
			"got 'STM32F103C8T6', which is one of protocol = stm32: say so in the rule, or mend the chip"},
		{"0x410", "got '0x410'; `plugflash probe` tells the id of a chip"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char said[CHIP_REFUSAL_MAX];

		chip_table_refuse_name(&shipped, "esp", rows[i].text, said);
		assert_non_null(strstr(said,
			"expected a product id like 5, or a name of the chip table like esp32c3, "));
		if (!strstr(said, rows[i].said))
			fail_msg("'%s' is not in '%s'", rows[i].said, said);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_find_their_chip),
		cmocka_unit_test(names_of_espressif_are_whole),
		cmocka_unit_test(no_name_of_espressif_names_two_chips),
		cmocka_unit_test(every_alias_names_one_chip),
		cmocka_unit_test(a_name_of_espressif_that_is_none_is_told_what_may_be_meant),
		cmocka_unit_test(a_name_that_is_none_is_told_what_may_be_meant),
		cmocka_unit_test(what_is_said_of_a_name_is_bounded),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
