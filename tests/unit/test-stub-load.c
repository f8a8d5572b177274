/* SPDX-License-Identifier: MIT */
/* test-stub-load.c - the load image of the stub: where its parts lie, what the setup says of the
 * chip, which page is selected how, and which chips get none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "chip/family-stm32.h"
#include "image/digest.h"
#include "loader/stub-load.h"
#include "loader/stub-program.h"
#include "unit/shipped-chips.h"

#define OPTIONS_FACTORY 0xFFFFFFFF

/* As large as stub.bin is, or a little more. */
static const uint8_t largest_program[2560] = {1, 2, 3, 4};

/* A chip of the table, on which a list is put. */
struct stand {
	struct stm32_row row;
	struct chip chip;
	struct stub_load_question question;
};

static void stand_make(struct stand *stand, uint16_t product_id, const char *word, uint32_t kib)
{
	stand->chip = *shipped_chip(product_id);
	stand->row = *stm32_row(&stand->chip);
	stand->chip.own = &stand->row;
	snprintf(stand->row.stub, sizeof(stand->row.stub), "%s", word);
	stand->question = (struct stub_load_question){
		.chip = &stand->chip,
		.flash_bytes = kib * 1024,
		.option_word = OPTIONS_FACTORY,
		.train_baud = 115200,
		.program = largest_program,
		.n_program = sizeof(largest_program),
	};
}

static uint32_t u32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static struct stub_setup setup_of(const struct stub_load *load, size_t n_program)
{
	struct stub_setup setup;

	memcpy(&setup, load->bytes + 8 + n_program, sizeof(setup));
	return setup;
}

/* ------------------------------------------------------------------ places */

/* RAM of the smallest part with that much flash, by the data sheets. */
static const struct place {
	uint16_t product_id;
	const char *word;
	uint32_t flash_kib, ram_kib, least_ring;
} places[] = {
	{0x410, "f1", 64, 10, 2048},   /* F101x8 */
	{0x410, "f1", 128, 16, 8192},  /* F101xB */
	{0x414, "f1", 256, 32, 16384}, /* F101xC */
	{0x414, "f1", 512, 48, 32768},
	{0x418, "f105", 256, 64, 32768},
	{0x420, "f100", 128, 8, 1024},
	{0x428, "f100", 512, 32, 16384},
	{0x430, "f1-xl", 1024, 80, 32768},
	{0x440, "f0", 64, 8, 1024},
	{0x442, "f09", 256, 32, 16384},
	{0x448, "f07", 128, 16, 4096},
	{0x411, "f2", 1024, 128, 32768},
	{0x422, "f3", 128, 32, 16384},
	{0x422, "f3", 256, 40, 16384},
	{0x432, "f3", 64, 16, 4096},
	{0x438, "f3-s", 64, 12, 4096},
	{0x439, "f3-s", 64, 16, 4096},
	{0x446, "f3-e", 512, 64, 32768},
	{0x413, "f4", 1024, 128, 32768},
	{0x458, "f410", 128, 32, 8192},
	{0x452, "f7", 512, 192, 32768},
	{0x466, "g0", 64, 8, 1024},
	{0x456, "g0", 64, 8, 1024}, /* 18, of which the ROM lets 4 be written */
	{0x460, "g07", 128, 36, 16384},
	{0x467, "g0b", 512, 144, 32768},
	{0x468, "g4", 128, 22, 8192},
	{0x469, "g47", 512, 96, 32768},
	{0x415, "l47", 1024, 96, 32768},
	{0x435, "l4", 256, 48, 16384},
	{0x464, "l4", 128, 32, 16384},
	{0x470, "l4-plus", 2048, 640, 32768},
	{0x497, "wl", 64, 20, 8192},
	{0x497, "wl", 256, 64, 32768},
};

static bool is_apart(uint32_t a, uint32_t n_a, uint32_t b, uint32_t n_b)
{
	return a + n_a <= b || b + n_b <= a;
}

static void everything_has_a_place_of_its_own_in_the_ram_of_the_smallest_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct place *row = &places[i];
		uint32_t end = 0x20000000 + row->ram_kib * 1024;
		struct reason reason = {""};
		struct stub_load load;
		struct stub_setup setup;
		struct stand stand;

		stand_make(&stand, row->product_id, row->word, row->flash_kib);
		if (stub_load_make(&stand.question, &load, &reason) != 0)
			fail_msg("0x%03X: %s", row->product_id, reason.text);
		setup = setup_of(&load, sizeof(largest_program));
		print_message(
			"# 0x%03X %4u KiB: image %zu at 0x%08X, work 0x%08X, ring %5u at 0x%08X\n",
			row->product_id, row->flash_kib, load.n_bytes, load.address, setup.work,
			setup.ring_size, setup.ring);
		assert_true(load.address >= stand.row.ram.start);
		assert_true(
			load.address + load.n_bytes <= stand.row.ram.start + stand.row.ram.size);
		assert_true(load.address + load.n_bytes <= end);
		assert_in_range(setup.work, 0x20000000, end - STUB_WORK_SIZE);
		assert_in_range(setup.ring, 0x20000000, end - setup.ring_size);
		assert_true(
			is_apart(load.address, (uint32_t)load.n_bytes, setup.work, STUB_WORK_SIZE));
		assert_true(is_apart(
			load.address, (uint32_t)load.n_bytes, setup.ring, setup.ring_size));
		assert_true(is_apart(setup.work, STUB_WORK_SIZE, setup.ring, setup.ring_size));
		assert_true(setup.ring_size >= row->least_ring);
		assert_int_equal(setup.ring_size, load.ring_size);
	}
}

static void the_image_is_as_the_protocol_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct reason reason = {""};
		const struct stub_candidate *candidates;
		struct stub_load load;
		struct stub_setup setup;
		struct stand stand;
		size_t n_steps, at = 8 + sizeof(largest_program);

		stand_make(&stand, places[i].product_id, places[i].word, places[i].flash_kib);
		assert_int_equal(stub_load_make(&stand.question, &load, &reason), 0);
		setup = setup_of(&load, sizeof(largest_program));
		assert_int_equal(load.address % 16, 0);
		assert_int_equal(load.n_bytes % 4, 0);
		assert_int_equal(u32(load.bytes), setup.work + STUB_WORK_SIZE);
		assert_int_equal(u32(load.bytes + 4), (load.address + 8) | 1);
		assert_memory_equal(load.bytes + 8, largest_program, sizeof(largest_program));
		assert_int_equal(load.self_crc, digest_crc32(load.bytes + 8, load.n_bytes - 8));
		assert_int_equal(setup.magic, STUB_MAGIC);
		assert_int_equal(setup.protocol, STUB_PROTOCOL);
		assert_int_equal(setup.size, load.n_bytes - at);
		assert_int_equal(setup.kind, load.kind);
		assert_int_equal(setup.work % STUB_WORK_ALIGN, 0);
		assert_int_equal(setup.ring % 4, 0);
		assert_int_equal(setup.ring_size & (setup.ring_size - 1), 0);
		assert_in_range(setup.candidates, 1, STUB_CANDIDATES_MAX);
		assert_in_range(setup.period, 2 * 200, 2 * load.clock_hz / 115200);
		candidates = (const void *)(load.bytes + at + sizeof(setup));
		n_steps = setup.steps;
		for (size_t k = 0; k < setup.candidates; k++) {
			n_steps += candidates[k].steps;
			assert_int_equal(candidates[k].mask & (candidates[k].mask - 1), 0);
			assert_true(candidates[k].steps > 0);
			assert_int_equal(candidates[k].zero, 0);
		}
		assert_int_equal(setup.size,
			sizeof(setup) + setup.candidates * sizeof(struct stub_candidate) +
				n_steps * sizeof(struct stub_step));
		assert_int_equal(setup.flash, 0x08000000);
		assert_int_equal(setup.flash_size, places[i].flash_kib * 1024);
		assert_true(setup.program_limit > load.clock_hz / 10000);
		assert_true(setup.erase_limit > load.clock_hz / 50);
		assert_true(setup.erase_all_limit >= setup.erase_limit);
		assert_int_equal(setup.iwdg, 0x40003000);
		/* Ids, flash size and option bytes may be read. */
		assert_true(stand.row.unique_id >= setup.window &&
			    stand.row.unique_id + 12 <= setup.window + setup.window_size);
		assert_true(stand.row.option_bytes.start >= setup.window &&
			    stand.row.option_bytes.start + 4 <= setup.window + setup.window_size);
	}
}

static void limits_do_not_overflow(void **state)
{
	struct reason reason = {""};
	struct stub_load load;
	struct stand stand;

	(void)state;
	stand_make(&stand, 0x413, "f4", 1024);
	stand.chip.mass_erase_max_usec = UINT64_MAX;
	assert_int_equal(stub_load_make(&stand.question, &load, &reason), 0);
	assert_int_equal(setup_of(&load, sizeof(largest_program)).erase_all_limit, UINT32_MAX);
}

/* Words of the smallest list, F1 at 115200, by the manual (RM0008 9.2, 7.3, 3.3.3). */
static void an_f103_gets_these_steps(void **state)
{
	static const struct stub_step expected[] = {
		{0x40021000, 0xF9, 0x81},			  /* HSION, HSITRIM 16 */
		{0x40021001, 0x2, 0x2}, {0x40021000, 0x80000, 0}, /* CSSON */
		{0x40021004, 0x3, 0},				  /* SW HSI */
		{0x40021005, 0xC, 0}, {0x40021000, 0x1010000, 0}, /* PLLON, HSEON */
		{0x40021001, 0x2000000, 0},
		{0x4002100C, UINT32_MAX, 0x4005}, /* resets of AFIO, port A, USART1 */
		{0x4002100C, UINT32_MAX, 0},
		{0x40021014, UINT32_MAX, 0x14},	  /* AHBENR: SRAM, FLITF */
		{0x40021018, UINT32_MAX, 0x4005}, /* APB2ENR */
		{0x40022000, 0x1F, 0x11},	  /* ACR: one wait state, prefetch */
		{0x40022001, 0x7, 0x1},
		{0x40021004, UINT32_MAX, 0x1C0400}, /* HSI / 2 * 9, APB1 / 2 */
		{0x40021000, 0x1000000, 0x1000000}, {0x40021001, 0x2000000, 0x2000000},
		{0x40021004, 0x3, 0x2},					 /* SW PLL */
		{0x40021005, 0xC, 0x8}, {0x40010810, UINT32_MAX, 0x400}, /* BSRR: pull-up of PA10 */
		{0x40010804, 0xF00, 0x800},				 /* CRH: input with pull */
		{0x40010804, 0xF0, 0x90}, /* PA9: output of the USART */
	};
	const struct stub_candidate candidate = {
		.idr = 0x40010808, .mask = 0x400, .usart = 0x40013800, .steps = 1};
	struct reason reason = {""};
	struct stub_load load;
	struct stub_setup setup;
	struct stand stand;
	size_t at = 8 + sizeof(largest_program) + sizeof(setup);

	(void)state;
	stand_make(&stand, 0x410, "f1", 128);
	assert_int_equal(stub_load_make(&stand.question, &load, &reason), 0);
	setup = setup_of(&load, sizeof(largest_program));
	assert_memory_equal(load.bytes + at, &candidate, sizeof(candidate));
	assert_memory_equal(load.bytes + at + sizeof(candidate), expected, sizeof(expected));
	assert_int_equal(load.n_bytes, at + sizeof(candidate) + sizeof(expected));
	assert_int_equal(setup.steps, ARRAY_SIZE(expected) - 1);
	assert_int_equal(setup.usart, STUB_USART_V1);
	assert_int_equal(setup.cr1, 0x200C);
	assert_int_equal(setup.unit, 2);
	assert_int_equal(setup.period, 625); /* 2 * 36 MHz / 115200 */
	assert_int_equal(setup.vtor, 0xE000ED08);
	assert_true(load.may_have_no_dev_id);
	assert_int_equal(load.max_baud, 460800);
}

/* ------------------------------------------------------------------ pages and banks */

static const struct selection {
	const char *name;
	uint16_t product_id;
	const char *word;
	uint32_t flash_kib, option_word, page_size; /* 0: as in the table */
	uint32_t number, select;
	uint32_t bank2, erase_all; /* of the setup */
} selections[] = {
	{"K1: the address", 0x414, "f1", 512, 0, 0, 255, 0x0807F800, 0, 0x4},
	{"K1 XL: the address, with bank 2", 0x430, "f1-xl", 1024, 0, 0, 256, 0x08080000, 0x08080000,
		0x4},
	{"F405, sector 11", 0x413, "f4", 1024, 0, 0, 11, 11 << 3, 0, 0x4},
	{"F413, sector 12, one bank", 0x463, "f412", 1536, 0, 0, 12, 12 << 3, 0, 0x4},
	{"F427, last sector of bank 1", 0x419, "f42", 2048, 0, 0, 11, 11 << 3, 0x08100000, 0x8004},
	{"F427, first sector of bank 2", 0x419, "f42", 2048, 0, 0, 12, 16 << 3, 0x08100000, 0x8004},
	{"F427, last sector", 0x419, "f42", 2048, 0, 0, 23, 27 << 3, 0x08100000, 0x8004},
	{"F427 of 1 MB, one bank", 0x419, "f42", 1024, 0, 0, 11, 11 << 3, 0, 0x4},
	{"F767, one bank", 0x451, "f76", 2048, OPTIONS_FACTORY, 0, 11, 11 << 3, 0, 0x4},
	{"G031, last page", 0x466, "g0", 64, OPTIONS_FACTORY, 0, 31, 31 << 3, 0, 0x4},
	{"G0B1, last page of bank 1", 0x467, "g0b", 512, OPTIONS_FACTORY, 0, 127, 127 << 3,
		0x08040000, 0x8004},
	{"G0B1, first page of bank 2", 0x467, "g0b", 512, OPTIONS_FACTORY, 0, 128, 0x2000,
		0x08040000, 0x8004},
	{"G0B1, one bank by its option bit", 0x467, "g0b", 512, ~0x00200000u, 0, 128, 128 << 3, 0,
		0x4},
	{"G0B1 of 256 KB, first page of bank 2", 0x467, "g0b", 256, OPTIONS_FACTORY, 0, 64, 0x2000,
		0x08020000, 0x8004},
	{"L476, last page of bank 1", 0x415, "l47", 1024, ~0x00200000u, 0, 255, 255 << 3,
		0x08080000, 0x8004},
	{"L476, page 5 of bank 2", 0x415, "l47", 1024, ~0x00200000u, 0, 261, 0x800 | 5 << 3,
		0x08080000, 0x8004},
	{"L476 of 512 KB with two banks", 0x415, "l47", 512, OPTIONS_FACTORY, 0, 128, 0x800,
		0x08040000, 0x8004},
	{"L476 of 512 KB with one", 0x415, "l47", 512, ~0x00200000u, 0, 128, 128 << 3, 0, 0x4},
	{"L452, page 255", 0x462, "l4", 512, OPTIONS_FACTORY, 0, 255, 255 << 3, 0, 0x4},
	{"G474 with two banks", 0x469, "g47", 512, OPTIONS_FACTORY, 0, 129, 0x800 | 1 << 3,
		0x08040000, 0x8004},
	{"G474 with one", 0x469, "g47", 512, OPTIONS_FACTORY, 4096, 127, 127 << 3, 0, 0x4},
	{"G474 of 256 KB with one", 0x469, "g47", 256, OPTIONS_FACTORY, 4096, 63, 63 << 3, 0, 0x4},
	{"L4R5 with two banks", 0x470, "l4-plus", 2048, OPTIONS_FACTORY, 0, 256, 0x800, 0x08100000,
		0x8004},
	{"L4R5 of 1 MB with two banks", 0x470, "l4-plus", 1024, OPTIONS_FACTORY, 0, 128, 0x800,
		0x08080000, 0x8004},
	{"L4R5 with one", 0x470, "l4-plus", 2048, OPTIONS_FACTORY, 8192, 255, 255 << 3, 0, 0x4},
	{"C031", 0x453, "c03", 32, OPTIONS_FACTORY, 0, 15, 15 << 3, 0, 0x4},
};

static void pages_are_selected_by_the_bits_of_their_bank(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(selections); i++) {
		const struct selection *row = &selections[i];
		struct reason reason = {""};
		struct chip_page page;
		struct stub_load load;
		struct stub_setup setup;
		struct stand stand;

		print_message("# %s\n", row->name);
		stand_make(&stand, row->product_id, row->word, row->flash_kib);
		stand.question.option_word = row->option_word;
		if (row->option_word == 0)
			stand.question.option_word = OPTIONS_FACTORY;
		if (row->page_size)
			stand.chip.pages.runs[0].size = row->page_size;
		if (row->product_id == 0x453)
			stand.row.option_bytes = (struct chip_range){0x1FFF7800, 128};
		if (stub_load_make(&stand.question, &load, &reason) != 0)
			fail_msg("%s", reason.text);
		setup = setup_of(&load, sizeof(largest_program));
		assert_true(chip_page_numbered(&stand.chip, row->number, &page));
		assert_int_equal(stub_select(&load.banks, &page), row->select);
		assert_int_equal(setup.bank2, row->bank2);
		assert_int_equal(setup.erase_all, row->erase_all);
		assert_int_equal(setup.bank2_registers - setup.registers,
			row->product_id == 0x430 ? 0x40 : 0);
	}
}

/* ------------------------------------------------------------------ none */

static const struct refusal {
	const char *name;
	uint16_t product_id;
	const char *word;
	uint32_t flash_kib, option_word;
	const char *said;
} refusals[] = {
	{"no such list", 0x414, "f11", 512, OPTIONS_FACTORY, "there is no setup list 'f11'"},
	{"no RAM access", 0x445, "f0", 32, OPTIONS_FACTORY, "does not let the RAM be written"},
	{"a RAM that is too small", 0x444, "f0", 32, OPTIONS_FACTORY, "2048 bytes from 0x20000800"},
	{"F103x4, 4 KiB", 0x412, "f1", 16, OPTIONS_FACTORY, "is too small"},
	{"F100x4, 4 KiB", 0x420, "f100", 16, OPTIONS_FACTORY, "is too small"},
	{"window watchdog, G4", 0x468, "g4", 128, ~0x00080000u, "WWDG_SW"},
	{"window watchdog, F7", 0x452, "f7", 512, ~0x10u, "WWDG_SW"},
	{"option bytes that are not known", 0x493, "c07", 128, OPTIONS_FACTORY,
		"option bytes are not known"},
	{"a gap between banks", 0x469, "g47", 256, OPTIONS_FACTORY, "a gap"},
};

static void some_chips_get_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *row = &refusals[i];
		struct reason reason = {""};
		struct stub_load load = {.n_bytes = 7};
		struct stand stand;

		print_message("# %s\n", row->name);
		stand_make(&stand, row->product_id, row->word, row->flash_kib);
		if (row->product_id == 0x493)
			stand.row.option_bytes = (struct chip_range){0};
		stand.question.option_word = row->option_word;
		assert_int_equal(stub_load_make(&stand.question, &load, &reason), STUB_LOAD_NONE);
		if (!strstr(reason.text, row->said))
			fail_msg("expected '%s' in '%s'", row->said, reason.text);
		assert_int_equal(load.n_bytes, 7);
	}
}

/* The ids of an F103 are those of an F101 too. */
static void a_part_that_a_rule_names_may_run_faster(void **state)
{
	static const struct {
		const char *names[3];
		uint32_t clock_hz;
	} rows[] = {
		{{NULL}, 36000000},
		{{"0x410"}, 36000000},
		{{"F103C8"}, 64000000},
		{{"STM32F103CBT6"}, 64000000},
		{{"f103cb", "G031"}, 64000000}, /* the other is no name of this chip */
		{{"F101C8"}, 36000000},
		{{"F103C8", "F101C8"}, 36000000},
		{{"F103C8", "0x410"}, 36000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reason reason = {""};
		struct stub_load load;
		struct stand stand;

		stand_make(&stand, 0x410, "f1", 128);
		stand.question.names = (char *const *)rows[i].names;
		assert_int_equal(stub_load_make(&stand.question, &load, &reason), 0);
		assert_int_equal(load.clock_hz, rows[i].clock_hz);
		assert_int_equal(load.max_baud, rows[i].clock_hz == 36000000 ? 460800 : 0);
	}
}

static void the_option_word_is_asked_for_where_it_decides(void **state)
{
	struct stand stand;

	(void)state;
	stand_make(&stand, 0x414, "f1", 512);
	assert_int_equal(stub_load_option_word(&stand.chip), 0);
	stand_make(&stand, 0x413, "f4", 1024);
	assert_int_equal(stub_load_option_word(&stand.chip), 0);
	stand_make(&stand, 0x452, "f7", 512);
	assert_int_equal(stub_load_option_word(&stand.chip), 0x1FFF0000);
	stand_make(&stand, 0x467, "g0b", 512);
	assert_int_equal(stub_load_option_word(&stand.chip), 0x1FFF7800);
	stand_make(&stand, 0x467, "", 512);
	assert_int_equal(stub_load_option_word(&stand.chip), 0);
}

/* Each row of the table that names a list names one there is, and gets an image with the stub that
 * is shipped. */
static void shipped_rows_name_lists_that_fit_them(void **state)
{
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++) {
		const struct chip *chip = &shipped.items[i];
		struct reason reason = {""};
		struct stub_load load;

		if (strcmp(chip->family->rows->name, "stm32") != 0 || !*stm32_row(chip)->stub)
			continue;
		assert_non_null(stub_list_find(stm32_row(chip)->stub));
		if (stub_load_make(&(struct stub_load_question){.chip = chip,
					   .flash_bytes = chip->flash.size,
					   .option_word = OPTIONS_FACTORY,
					   .train_baud = 115200,
					   .program = stub_program,
					   .n_program = stub_program_size},
			    &load, &reason) != 0)
			fail_msg("0x%03X: %s", chip->product_id, reason.text);
		n++;
	}
	assert_int_equal(n, 42);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_has_a_place_of_its_own_in_the_ram_of_the_smallest_part),
		cmocka_unit_test(the_image_is_as_the_protocol_says),
		cmocka_unit_test(limits_do_not_overflow),
		cmocka_unit_test(an_f103_gets_these_steps),
		cmocka_unit_test(pages_are_selected_by_the_bits_of_their_bank),
		cmocka_unit_test(some_chips_get_none),
		cmocka_unit_test(a_part_that_a_rule_names_may_run_faster),
		cmocka_unit_test(the_option_word_is_asked_for_where_it_decides),
		cmocka_unit_test(shipped_rows_name_lists_that_fit_them),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
