/* SPDX-License-Identifier: MIT */
/* test-chips-cc13xx.c - the shipped rows of TI's chips, and what a row must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "chip/chip-row.h"
#include "chip/family-cc13xx.h"
#include "unit/problems.h"
#include "unit/shipped-chips.h"

/* ------------------------------------------------------------------ the shipped rows */

/*
 * As in ti-bsl.md 4 and 5: written down from there, not from the chip table. `ccfg` is where the
 * CCFG begins, `top` the last page.
 */
static const struct expected {
	uint32_t id;
	const char *name;
	enum cc13xx_kind kind;
	uint32_t start, size, page, ccfg, top, ram;
	bool has_zero_valid;
} expected[] = {
	{0xB964, "CC2538", CC13XX_38, 0x200000, 512 << 10, 2048, 0x27FFD4, 0x27F800, 32 << 10,
		true},
	{0xB99A, "CC26x0", CC13XX_X0, 0, 128 << 10, 4096, 0x1FFA8, 0x1F000, 20 << 10, true},
	{0xB9BE, "CC13x0", CC13XX_X0, 0, 128 << 10, 4096, 0x1FFA8, 0x1F000, 20 << 10, true},
	{0xBB41, "CC26x2", CC13XX_X2, 0, 352 << 10, 8192, 0x57FA8, 0x56000, 80 << 10, false},
	{0xBB77, "CC26x2x7", CC13XX_X7, 0, 704 << 10, 8192, 0xAFFA8, 0xAE000, 144 << 10, false},
	{0xBB7A, "CC26x1", CC13XX_X1, 0, 352 << 10, 8192, 0x57FA8, 0x56000, 32 << 10, false},
};

static const struct chip *find(uint32_t id)
{
	const struct chip *chip = chip_table_find(&shipped, "cc13xx", id);

	assert_non_null(chip);
	return chip;
}

static void every_known_chip_is_there(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++)
		n += shipped.items[i].family == &family_cc13xx;
	/* And the one that is refused. */
	assert_int_equal(n, ARRAY_SIZE(expected) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct expected *want = &expected[i];
		const struct chip *chip = find(want->id);
		const struct cc13xx_row *row = cc13xx_row(chip);
		struct chip_page page;

		print_message("# %s\n", want->name);
		assert_string_equal(chip->name, want->name);
		assert_null(chip->refusal);
		assert_int_equal(row->kind, want->kind);
		assert_int_equal(chip->flash.start, want->start);
		assert_int_equal(chip->flash.size, want->size);
		assert_int_equal(want->start + want->size - row->ccfg_bytes, want->ccfg);
		assert_true(chip_page_at(chip, want->ccfg, &page));
		assert_int_equal(page.address, want->top);
		assert_int_equal(page.size, want->page);
		assert_int_equal(row->ram.start, 0x20000000);
		assert_int_equal(row->ram.size, want->ram);
		assert_int_equal(row->has_zero_valid, want->has_zero_valid);
		assert_true(chip->no_parity && chip->no_mass_erase && !chip->proves_nothing);
		/* The CCFG goes out alone, and so it begins where a write may. */
		assert_int_equal(want->ccfg % chip->write_align, 0);
		assert_int_equal(row->ccfg_bytes % chip->write_align, 0);
		/* ti-bsl.md 13. */
		assert_int_equal(chip->page_erase_max_usec, 5 * USEC_PER_SEC);
		assert_int_equal(chip->startup_usec, 100 * USEC_PER_MSEC);
	}
}

/* As people write them: of catalogues, of firmware files, of sticks. */
static void names_lead_to_their_rows(void **state)
{
	static const struct {
		const char *text;
		uint32_t id; /* 0: none */
		const char *part;
	} rows[] = {
		{"cc2652p", 0xBB41, "CC2652P"},
		{"CC2652P", 0xBB41, "CC2652P"},
		{"CC2652P1F", 0xBB41, "CC2652P"},
		{"CC2652P1FRGZR", 0xBB41, "CC2652P"},
		{"CC2652RB", 0xBB41, "CC2652RB"},
		{"cc2652rb1f", 0xBB41, "CC2652RB"},
		{"CC2652R", 0xBB41, "CC2652R"},
		{"CC2652R1F", 0xBB41, "CC2652R"},
		{"CC1352P", 0xBB41, "CC1352P"},
		{"CC1352P2", 0xBB41, "CC1352P"},
		{"CC1352P-2", 0xBB41, "CC1352P"},
		{"CC1352R", 0xBB41, "CC1352R"},
		{"CC26x2", 0xBB41, NULL},
		{"0xBB41", 0xBB41, NULL},
		{"CC2652P7", 0xBB77, "CC2652P7"},
		{"cc2652p74t0rgz", 0xBB77, "CC2652P7"},
		{"CC1352P7", 0xBB77, "CC1352P7"},
		{"CC2650", 0xB99A, "CC2650"},
		{"CC2640R2F", 0xB99A, "CC2640"},
		{"CC1310", 0xB9BE, "CC1310"},
		{"CC2651P3", 0xBB7A, "CC2651P3"},
		{"CC2538", 0xB964, "CC2538"},
		{"CC2538SF53", 0xB964, "CC2538"},
		{"CC2538NF11", 0xB964, "CC2538"},
		{"CC1310F64", 0, NULL},
		/* An 8051 with another boot loader. */
		{"CC2530", 0, NULL},
		{"CC2531", 0, NULL},
		{"CC2340", 0, NULL},
		{"2652", 0, NULL},
		{"CC26", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct chip *chip = chip_table_find_named(&shipped, "cc13xx", rows[i].text);
		const struct cc13xx_part *part;

		print_message("# %s\n", rows[i].text);
		assert_int_equal(chip ? chip->product_id : 0, rows[i].id);
		if (!chip)
			continue;
		part = cc13xx_part_named(cc13xx_row(chip), rows[i].text);
		assert_int_equal(part != NULL, rows[i].part != NULL);
		if (part)
			assert_string_equal(part->name, rows[i].part);
	}
}

/* A part without a name in the table could be named by no rule, and its code would refuse it. */
static void every_part_can_be_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct chip *chip = find(expected[i].id);
		const struct cc13xx_row *row = cc13xx_row(chip);

		assert_true(row->n_parts > 0);
		for (size_t n = 0; n < row->n_parts; n++) {
			assert_true(chip_is_named(chip, row->parts[n].name));
			assert_ptr_equal(
				cc13xx_part_named(row, row->parts[n].name), &row->parts[n]);
		}
	}
}

/* ti-bsl.md 4: by the upper half of JTAGUSERCODE, where it is known. */
static void codes_are_those_of_the_facts(void **state)
{
	static const struct {
		uint32_t id, code;
		const char *part;
	} rows[] = {
		{0xBB41, 0x32020000, "CC2652P"},
		{0xBB41, 0x3202FFFF, "CC2652P"},
		{0xBB41, 0x31021234, "CC2652RB"},
		{0xBB41, 0x12020000, NULL},
		{0xBB41, 0, NULL},
		{0xBB41, UINT32_MAX, NULL},
		{0xBB77, 0x12020000, "CC2652P7"},
		{0xBB77, 0x12820000, "CC1352P7"},
		{0xBB77, 0x32020000, NULL},
		{0xB99A, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cc13xx_part *part =
			cc13xx_part_coded(cc13xx_row(find(rows[i].id)), rows[i].code);

		print_message("# 0x%08X\n", rows[i].code);
		assert_int_equal(part != NULL, rows[i].part != NULL);
		if (part)
			assert_string_equal(part->name, rows[i].part);
	}
}

/* The ROM's UART of P parts is where other chips have their backdoor (ti-bsl.md 1, 5.3). */
static void power_parts_have_their_uart_at_12_and_13(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct cc13xx_row *row = cc13xx_row(find(expected[i].id));

		for (size_t n = 0; n < row->n_parts; n++) {
			const struct cc13xx_part *part = &row->parts[n];
			bool is_power = (row->kind == CC13XX_X2 || row->kind == CC13XX_X7) &&
					part->name[6] == 'P';

			print_message("# %s\n", part->name);
			assert_int_equal(part->has_uart, is_power);
			if (!is_power)
				continue;
			assert_int_equal(part->uart_pins[0], 12);
			assert_int_equal(part->uart_pins[1], 13);
		}
	}
}

static void the_x4_is_there_to_be_refused(void **state)
{
	static const char *const names[] = {"CC1354P10", "cc2674p10", "CC2674R10", "CC13x4"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct chip *chip = chip_table_find_named(&shipped, "cc13xx", names[i]);

		assert_non_null(chip);
		assert_non_null(strstr(chip->refusal, "0x50000000"));
		assert_int_equal(chip->flash.size, 0);
	}
}

/* ------------------------------------------------------------------ rows of users */

#define GOOD                                                                           \
	"[chip cc13xx 77]\nname = CC77\nwrite-align = 8\nflash = 0+256K\npages = 8K\n" \
	"rom = x2\nram = 0x20000000+64K\n"

static int read_text(const char *text, struct chip *ret, struct ini_problems *problems)
{
	CLEANUP(ini_done) struct ini ini = {0};
	int r = ini_load_text(&ini, "x", text, strlen(text), problems);

	if (r < 0)
		return r;
	assert_int_equal(ini.n_sections, 1);
	return chip_read(&ini.sections[0], chip_families, problems, ret);
}

static void a_whole_row_is_read(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	const struct cc13xx_row *row;
	struct chip chip;

	(void)state;
	assert_int_equal(read_text(GOOD "parts = A=0xFFFF@0-31 BB@1-2 C=0\n", &chip, &problems), 0);
	assert_int_equal(problems.n_items, 0);
	row = cc13xx_row(&chip);
	assert_int_equal(row->kind, CC13XX_X2);
	assert_int_equal(row->ccfg_bytes, 88);
	assert_int_equal(row->n_parts, 3);
	assert_string_equal(row->parts[0].name, "A");
	assert_true(row->parts[0].has_code && row->parts[0].has_uart);
	assert_int_equal(row->parts[0].code, 0xFFFF);
	assert_int_equal(row->parts[0].uart_pins[1], 31);
	assert_true(!row->parts[1].has_code && row->parts[1].has_uart);
	assert_true(row->parts[2].has_code && !row->parts[2].has_uart);
	assert_ptr_equal(cc13xx_part_coded(row, 0x0000ABCD), &row->parts[2]);
	chip_done(&chip);
}

static void bad_rows_are_refused_with_their_key(void **state)
{
	static const struct {
		const char *name, *text, *said;
	} rows[] = {
		{"a key of the STM32", GOOD "flags = no-parity\n", "flags: "},
		{"a key of the ESP32", GOOD "mac = 4\n", "mac: "},
		{"an id too large", "[chip cc13xx 0x10000]\nname = a\n", "families are: "},
		{"id 0", "[chip cc13xx 0]\nname = a\n", "families are: "},
		{"no rom", "[chip cc13xx 77]\nname = a\n", "rom: expected which ROM"},
		{"the x4", "[chip cc13xx 77]\nname = a\nrom = x4\n", "rom: expected cc2538, x0"},
		{"no RAM", "[chip cc13xx 77]\nname = a\nrom = x2\n", "ram: expected the RAM"},
		{"no flash", "[chip cc13xx 77]\nname = a\nrom = x2\n", "flash: expected the whole"},
		{"a flash elsewhere",
			"[chip cc13xx 77]\nname = a\nrom = x2\nflash = 0x2000+256K\npages = 8K\n",
			"flash: expected the whole flash"},
		{"no pages", "[chip cc13xx 77]\nname = a\nrom = x2\nflash = 0+256K\n",
			"pages: expected what this ROM erases"},
		{"pages of the x0",
			"[chip cc13xx 77]\nname = a\nrom = x2\nflash = 0+256K\npages = 4K\n",
			"pages: expected what this ROM erases"},
		{"pages that are counted",
			"[chip cc13xx 77]\nname = a\nrom = x2\nflash = 0+16K\npages = 2x8K\n",
			"pages: expected what this ROM erases"},
		{"a CC2538 at 0",
			"[chip cc13xx 77]\nname = a\nrom = cc2538\nflash = 0+512K\npages = 2K\n",
			"flash: expected the whole flash"},
		{"no part", GOOD "parts =\n", "parts: expected at most 12"},
		{"a part in small letters", GOOD "parts = cc77\n", "parts: expected"},
		{"a part without a name", GOOD "parts = =0x3202\n", "parts: expected"},
		{"a name too long", GOOD "parts = CC26521FRGZRGZRG\n", "parts: "},
		{"a code too large", GOOD "parts = CC77=0x10000\n", "parts: "},
		{"no code", GOOD "parts = CC77=\n", "parts: expected"},
		{"one pin", GOOD "parts = CC77@12\n", "parts: expected"},
		{"pin 32", GOOD "parts = CC77@12-32\n", "parts: "},
		{"pins before the code", GOOD "parts = CC77@12-13=0x3202\n", "parts: expected"},
		{"thirteen parts", GOOD "parts = A B C D E F G H I J K L M\n", "parts: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		CLEANUP(freep) char *said = NULL;
		struct chip chip = {0};

		print_message("# %s\n", rows[i].name);
		if (read_text(rows[i].text, &chip, &problems) == 0)
			chip_done(&chip);
		said = dump_problems(&problems, NULL);
		if (!strstr(said, rows[i].said))
			fail_msg("expected '%s' in '%s'", rows[i].said, said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_chip_is_there),
		cmocka_unit_test(names_lead_to_their_rows),
		cmocka_unit_test(every_part_can_be_named),
		cmocka_unit_test(codes_are_those_of_the_facts),
		cmocka_unit_test(power_parts_have_their_uart_at_12_and_13),
		cmocka_unit_test(the_x4_is_there_to_be_refused),
		cmocka_unit_test(a_whole_row_is_read),
		cmocka_unit_test(bad_rows_are_refused_with_their_key),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
