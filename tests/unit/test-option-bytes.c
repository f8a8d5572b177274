/* SPDX-License-Identifier: MIT */
/* Option bytes as data: against the values that reference manuals give for a new chip, and what a
 * rule may and may not set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "chip/chips.h"
#include "chip/family-stm32.h"
#include "chip/family.h"
#include "chip/option-bytes.h"

/* ------------------------------------------------------------------ what a new chip has */

#define PAIRS(...)          \
	{                   \
		__VA_ARGS__ \
	}

/* A new chip's bytes as its boot loader sends them, by its reference manual or by dumps of it. */
static const struct {
	const char *layout;
	uint8_t bytes[16];
	struct {
		const char *name;
		uint32_t value;
	} values[18];
} new_chips[] = {
	/* PM0075 2.5: RDP 0xA5, all else 0xFF. */
	{"f1",
		PAIRS(0xA5, 0x5A, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF,
			0x00, 0xFF, 0x00),
		{{"RDP", 0xA5}, {"WDG_SW", 1}, {"nRST_STOP", 1}, {"nRST_STDBY", 1}, {"Data0", 0xFF},
			{"Data1", 0xFF}, {"WRP0", 0xFF}, {"WRP1", 0xFF}, {"WRP2", 0xFF},
			{"WRP3", 0xFF}}},
	/* RM0091: RDP 0xAA. */
	{"f0-boot",
		PAIRS(0xAA, 0x55, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF, 0x00, 0xFF,
			0x00, 0xFF, 0x00),
		{{"RDP", 0xAA}, {"nBOOT0", 1}, {"nBOOT1", 1}, {"VDDA_MONITOR", 1},
			{"RAM_PARITY_CHECK", 1}, {"BOOT_SEL", 1}}},
	/* RM0090, FLASH_OPTCR 0x0FFFAAED: its lock bits are no option bytes. */
	{"f2",
		PAIRS(0xEF, 0xAA, 0x10, 0x55, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF,
			0xFF, 0xFF, 0xFF),
		{{"RDP", 0xAA}, {"BOR_LEV", 3}, {"WDG_SW", 1}, {"nRST_STOP", 1}, {"nRST_STDBY", 1},
			{"nWRP", 0xFFF}}},
	/* RM0444, FLASH_OPTR 0xDFFFE1AA. */
	{"g0", PAIRS(0xAA, 0xE1, 0xFF, 0xDF, 0x55, 0x1E, 0x00, 0x20),
		{{"RDP", 0xAA}, {"BOR_EN", 1}, {"BORR_LEV", 0}, {"BORF_LEV", 0}, {"nRST_STOP", 1},
			{"nRST_STDBY", 1}, {"nRST_SHDW", 1}, {"IWDG_SW", 1}, {"IWDG_STOP", 1},
			{"IWDG_STDBY", 1}, {"WWDG_SW", 1}, {"RAM_PARITY_CHECK", 1},
			{"nBOOT_SEL", 1}, {"nBOOT1", 1}, {"nBOOT0", 1}, {"NRST_MODE", 3},
			{"IRHEN", 0}}},
	/* RM0440, FLASH_OPTR 0xFFEFF8AA. */
	{"g47", PAIRS(0xAA, 0xF8, 0xEF, 0xFF, 0x55, 0x07, 0x10, 0x00),
		{{"RDP", 0xAA}, {"BOR_LEV", 0}, {"nRST_STOP", 1}, {"nRST_STDBY", 1},
			{"nRST_SHDW", 1}, {"IWDG_SW", 1}, {"WWDG_SW", 1}, {"BFB2", 0}, {"DBANK", 1},
			{"nBOOT1", 1}, {"SRAM_PE", 1}, {"CCMSRAM_RST", 1}, {"nSWBOOT0", 1},
			{"nBOOT0", 1}, {"NRST_MODE", 3}, {"IRHEN", 1}}},
	/* RM0351, FLASH_OPTR 0xFFEFF8AA. */
	{"l47", PAIRS(0xAA, 0xF8, 0xEF, 0xFF, 0x55, 0x07, 0x10, 0x00),
		{{"RDP", 0xAA}, {"BOR_LEV", 0}, {"BFB2", 0}, {"DUALBANK", 1}, {"nBOOT1", 1},
			{"SRAM2_PE", 1}, {"SRAM2_RST", 1}}},
};

static const struct option_layout *layout_of(const char *word)
{
	const struct option_layout *layout = option_layout_named(word);

	assert_non_null(layout);
	return layout;
}

static void a_new_chip_has_the_values_of_its_manual(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(new_chips); i++) {
		const struct option_layout *layout = layout_of(new_chips[i].layout);

		for (size_t k = 0; new_chips[i].values[k].name; k++) {
			const char *name = new_chips[i].values[k].name;
			const struct option_field *field = option_field_named(layout, name);
			uint32_t value = new_chips[i].values[k].value;

			print_message("# %s %s\n", new_chips[i].layout, name);
			assert_non_null(field);
			assert_true(option_is_within(layout, field, 16));
			assert_int_equal(option_get(layout, field, new_chips[i].bytes), value);
		}
	}
}

/* Each bit of an area belongs to one name, and a write changes that and its complement alone. */
static void a_write_changes_one_value_and_its_complement(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(new_chips); i++) {
		const struct option_layout *layout = layout_of(new_chips[i].layout);

		for (size_t k = 0; k < layout->n_fields; k++) {
			const struct option_field *field = &layout->fields[k];
			uint8_t bytes[OPTION_BYTES_MAX] = {0};
			unsigned n_changed = 0;
			uint32_t value;

			if (!option_is_within(layout, field, 16) || field->offset >= 8)
				continue;
			memcpy(bytes, new_chips[i].bytes, 16);
			value = option_get(layout, field, bytes);
			option_put(layout, field, ~value, bytes);
			for (size_t at = 0; at < 16; at++)
				n_changed += (unsigned)__builtin_popcount(
					bytes[at] ^ new_chips[i].bytes[at]);
			assert_int_equal(n_changed, 2 * field->n_bits);
			option_put(layout, field, value, bytes);
			assert_memory_equal(bytes, new_chips[i].bytes, 16);
		}
	}
}

/* An F2 or F4 whose ROM shows no complement is written as it shows them. */
static void half_words_without_a_complement_stay_without(void **state)
{
	const struct option_layout *layout = layout_of("f2");
	const struct option_field *field = option_field_named(layout, "BOR_LEV");
	uint8_t bytes[16] = {0xEF, 0xAA, 0xFF, 0xFF};

	(void)state;
	option_put(layout, field, 0, bytes);
	assert_memory_equal(bytes, "\xE3\xAA\xFF\xFF", 4);
}

/* ------------------------------------------------------------------ the tables themselves */

static const char *const words[] = {"f0", "f0-boot", "f1", "f1-xl", "f3", "f37", "f2", "f4", "f413",
	"f42", "f7", "f76", "l0", "l07", "g0", "g0b", "g4", "g47", "g49", "l4", "l47", "l49", "l4r",
	"l1", "l1-banks", "c0", "wb"};

static void no_two_names_share_a_bit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct option_layout *layout = layout_of(words[i]);
		uint8_t used[OPTION_BYTES_MAX] = {0};

		for (size_t k = 0; k < layout->n_fields; k++) {
			const struct option_field *field = &layout->fields[k];

			print_message("# %s %s\n", words[i], field->name);
			assert_true(strlen(field->name) < OPTION_NAME_SIZE);
			assert_ptr_equal(option_field_named(layout, field->name), field);
			for (unsigned bit = field->first; bit < field->first + field->n_bits;
				bit++) {
				size_t at = field->offset + bit / 8u;

				assert_false(used[at] & 1u << bit % 8);
				used[at] |= (uint8_t)(1u << bit % 8);
			}
		}
	}
}

/* Read-out protection is nowhere a setting, and what cannot be undone is nowhere written. */
static void nothing_that_is_for_ever_can_be_set(void **state)
{
	static const char *const for_ever[] = {"RDP", "RDPROT", "BOOT_LOCK", "SEC_SIZE",
		"SEC_SIZE1", "PCROP_RDP", "PCROP1A_STRT", "PCROP1_STRT", "SPRMOD", "WPRMOD"};
	struct reason why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (size_t k = 0; k < ARRAY_SIZE(for_ever); k++) {
			const struct option_layout *layout = layout_of(words[i]);
			struct option_setting setting = {.value = 0};

			if (!option_field_named(layout, for_ever[k]))
				continue;
			text_copy(setting.name, sizeof(setting.name), for_ever[k]);
			assert_int_equal(option_judge(layout, &setting, OPTION_FOR_EVER, &why),
				OPTION_NOT_SET);
		}
}

/* ------------------------------------------------------------------ what a rule may set */

static const struct {
	const char *layout, *name;
	uint32_t value;
	enum option_danger accepted;
	enum option_verdict verdict;
	const char *why; /* a part of it; NULL: nothing is said */
} judged[] = {
	{"g0", "nBOOT_SEL", 0, OPTION_SAFE, OPTION_GOOD, NULL},
	{"g0", "nboot_sel", 0, OPTION_SAFE, OPTION_GOOD, NULL},
	{"g0", "nBOOT_SEL", 1, OPTION_SAFE, OPTION_DANGEROUS, "BOOT0 pin"},
	{"g0", "nBOOT_SEL", 1, OPTION_RISK, OPTION_GOOD, NULL},
	{"g0", "nBOOT_SEL", 1, OPTION_FOR_EVER, OPTION_GOOD, NULL},
	{"g0", "nBOOT_SEL", 2, OPTION_FOR_EVER, OPTION_TOO_LARGE, "from 0 to 1"},
	{"g0", "nBOOT_SELL", 0, OPTION_SAFE, OPTION_NO_SUCH, "nearest is 'nBOOT_SEL'"},
	{"g0", "BFB2", 0, OPTION_SAFE, OPTION_NO_SUCH, "no option 'BFB2'"},
	{"g0", "RDP", 0xCC, OPTION_FOR_EVER, OPTION_NOT_SET, "level 2"},
	{"g0", "RDP", 0xAA, OPTION_SAFE, OPTION_NOT_SET, "readout-protection"},
	{"g0", "NRST_MODE", 2, OPTION_SAFE, OPTION_DANGEROUS, "NRST"},
	{"g0", "NRST_MODE", 1, OPTION_SAFE, OPTION_GOOD, NULL},
	{"g0", "WWDG_SW", 0, OPTION_SAFE, OPTION_DANGEROUS, OPTION_WORD_RISK},
	{"g0", "WRP1A_STRT", 0, OPTION_FOR_EVER, OPTION_NOT_SET, "never written"},
	{"g47", "DBANK", 1, OPTION_SAFE, OPTION_DANGEROUS, "pages"},
	{"l4", "nSWBOOT0", 0, OPTION_SAFE, OPTION_DANGEROUS, "BOOT0 pin"},
	{"l4", "BOR_LEV", 0, OPTION_SAFE, OPTION_GOOD, NULL},
	{"l4", "BOR_LEV", 4, OPTION_SAFE, OPTION_DANGEROUS, "supply"},
	{"f2", "BOR_LEV", 3, OPTION_SAFE, OPTION_GOOD, NULL},
	{"f2", "BOR_LEV", 0, OPTION_SAFE, OPTION_DANGEROUS, "supply"},
	{"f2", "nWRP", 0xFFF, OPTION_SAFE, OPTION_GOOD, NULL},
	{"f2", "nWRP", 0xFFE, OPTION_SAFE, OPTION_DANGEROUS, "next update"},
	{"f4", "nWRP", 0xFFF, OPTION_FOR_EVER, OPTION_NOT_SET, "never written"},
	{"f1", "WRP0", 0xFF, OPTION_SAFE, OPTION_GOOD, NULL},
	{"f1", "WRP0", 0x00, OPTION_SAFE, OPTION_DANGEROUS, "next update"},
	{"f1", "Data0", 0x5A, OPTION_SAFE, OPTION_GOOD, NULL},
	{"f1", "WDG_SW", 0, OPTION_SAFE, OPTION_DANGEROUS, "watchdog"},
	{"f42", "BOR_LEV", 3, OPTION_FOR_EVER, OPTION_NOT_SET, "never written"},
	{"c0", "nBOOT_SEL", 0, OPTION_FOR_EVER, OPTION_NOT_SET, "never written"},
	{"wb", "nBOOT0", 1, OPTION_FOR_EVER, OPTION_NOT_SET, "never written"},
};

static void what_is_dangerous_needs_the_word_for_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(judged); i++) {
		struct option_setting setting = {.value = judged[i].value};
		struct reason why = {""};

		print_message("# %s %s=%u\n", judged[i].layout, judged[i].name, judged[i].value);
		text_copy(setting.name, sizeof(setting.name), judged[i].name);
		assert_int_equal(option_judge(layout_of(judged[i].layout), &setting,
					 judged[i].accepted, &why),
			judged[i].verdict);
		if (judged[i].why)
			assert_non_null(strstr(why.text, judged[i].why));
		else
			assert_string_equal(why.text, "");
	}
}

/* ------------------------------------------------------------------ the words of a rule */

static const struct {
	const char *text;
	int result;
	size_t n_items;
	enum option_danger accepted;
} texts[] = {
	{"nBOOT_SEL=0", 0, 1, OPTION_SAFE},
	{"nBOOT_SEL=0 BOR_LEV=3, Data0=0x5A", 0, 3, OPTION_SAFE},
	{"nBOOT_SEL=1 i-know-the-risk", 0, 1, OPTION_RISK},
	{"i-know-it-is-for-ever nBOOT_SEL=1 i-know-the-risk", 0, 1, OPTION_FOR_EVER},
	{"", -EINVAL, 0, OPTION_SAFE},
	{"i-know-the-risk", -EINVAL, 0, OPTION_SAFE},
	{"nBOOT_SEL", -EINVAL, 0, OPTION_SAFE},
	{"nBOOT_SEL=", -EINVAL, 0, OPTION_SAFE},
	{"=0", -EINVAL, 0, OPTION_SAFE},
	{"nBOOT_SEL=yes", -EINVAL, 0, OPTION_SAFE},
	{"nBOOT_SEL=-1", -EINVAL, 0, OPTION_SAFE},
	{"nBOOT_SEL=4294967296", -ERANGE, 0, OPTION_SAFE},
	{"nBOOT_SEL=0 nboot_sel=1", -EINVAL, 0, OPTION_SAFE},
	{"0x4=1", -EINVAL, 0, OPTION_SAFE},
	{"a-b=1", -EINVAL, 0, OPTION_SAFE},
	{"A234567890123456789012345=1", -EINVAL, 0, OPTION_SAFE},
};

static void the_words_of_a_rule_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(option_list_done) struct option_list list = {0};
		const char *expected = NULL;

		print_message("# '%s'\n", texts[i].text);
		assert_int_equal(
			parse_option_list(texts[i].text, &list, &expected), texts[i].result);
		assert_non_null(expected);
		assert_int_equal(list.n_items, texts[i].n_items);
		assert_int_equal(list.accepted, texts[i].accepted);
	}
}

/* ------------------------------------------------------------------ the chip table */

/* What one Write Memory brings lies in what the row says the boot loader has. */
static void the_rows_have_room_for_what_is_written(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table table = {0};
	unsigned n_named = 0, n_written = 0;

	(void)state;
	assert_int_equal(
		chip_table_load(chip_families, "config/chips.ini", NULL, &table, &problems), 0);
	for (uint32_t id = 1; id <= UINT16_MAX; id++) {
		const struct chip *chip = chip_table_find(&table, "stm32", id);
		const struct stm32_row *row = chip ? stm32_row(chip) : NULL;

		if (!row || !row->options)
			continue;
		n_named++;
		n_written += row->options->n_written > 0;
		assert_true(row->options->n_written <= row->option_bytes.size);
		assert_true(row->option_bytes.size <= OPTION_BYTES_MAX);
	}
	assert_int_equal(n_named, 57);
	assert_int_equal(n_written, 38);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_chip_has_the_values_of_its_manual),
		cmocka_unit_test(a_write_changes_one_value_and_its_complement),
		cmocka_unit_test(half_words_without_a_complement_stay_without),
		cmocka_unit_test(no_two_names_share_a_bit),
		cmocka_unit_test(nothing_that_is_for_ever_can_be_set),
		cmocka_unit_test(what_is_dangerous_needs_the_word_for_it),
		cmocka_unit_test(the_words_of_a_rule_are_taken_or_refused),
		cmocka_unit_test(the_rows_have_room_for_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
