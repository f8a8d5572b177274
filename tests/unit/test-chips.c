/* SPDX-License-Identifier: MIT */
/* test-chips.c - the shipped rows of the STM32 against AN2606, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "chip/family-stm32.h"
#include "unit/shipped-chips.h"

/* ------------------------------------------------------------------ the shipped table */

/*
 * Product id, KiB of flash and RAM window as in AN2606 table 226 and the data sheets, write
 * alignment as in its table 7, or the double word that the flash of a G0 programs (RM0444,
 * programming). Erase layout as in the reference manuals; "" is a layout not known.
 */
static const struct expected {
	uint16_t product_id;
	uint32_t flash_kib;
	uint32_t ram_start;
	uint32_t ram_size;
	uint32_t write_align;
	const char *pages;
} expected[] = {
	{0x410, 128, 0x20000200, 0x4E00, 4, "1K"},
	{0x411, 1024, 0x20002000, 0x1E000, 4, "4x16K 1x64K 7x128K"},
	{0x412, 32, 0x20000200, 0x2600, 4, "1K"},
	{0x413, 1024, 0x20003000, 0x1D000, 4, "4x16K 1x64K 7x128K"},
	{0x414, 512, 0x20000200, 0xFE00, 4, "2K"},
	{0x415, 1024, 0x20003100, 0x14F00, 8, "2K"},
	{0x416, 128, 0x20000800, 0x3800, 8, "256"},
	{0x417, 64, 0x20001000, 0x1000, 8, "128"},
	{0x418, 256, 0x20001000, 0xF000, 4, "2K"},
	{0x419, 2048, 0x20003000, 0x2D000, 4, "4x16K 1x64K 7x128K 4x16K 1x64K 7x128K"},
	{0x420, 128, 0x20000200, 0x1E00, 4, "1K"},
	{0x421, 512, 0x20003000, 0x1D000, 4, "4x16K 1x64K 3x128K"},
	{0x422, 256, 0x20001400, 0x8C00, 4, "2K"},
	{0x423, 256, 0x20003000, 0xD000, 4, "4x16K 1x64K 1x128K"},
	{0x425, 32, 0x20001000, 0x1000, 8, "128"},
	{0x427, 256, 0x20001000, 0x7000, 8, "256"},
	{0x428, 512, 0x20000200, 0x7E00, 4, "2K"},
	{0x429, 128, 0x20001000, 0x7000, 8, "256"},
	{0x42A, 2048, 0x20004000, 0x9C000, 8, "4K"},
	{0x430, 1024, 0x20000800, 0x17800, 4, "2K"},
	{0x431, 512, 0x20003000, 0x1D000, 4, "4x16K 1x64K 3x128K"},
	{0x432, 256, 0x20001400, 0x6C00, 4, "2K"},
	{0x433, 512, 0x20003000, 0x15000, 4, "4x16K 1x64K 3x128K"},
	{0x434, 2048, 0x20003000, 0x5D000, 4, "4x16K 1x64K 7x128K 4x16K 1x64K 7x128K"},
	{0x435, 256, 0x20003100, 0x8F00, 8, "2K"},
	{0x436, 384, 0x20001000, 0xB000, 8, "256"},
	{0x437, 512, 0x20001000, 0x13000, 8, "256"},
	{0x438, 64, 0x20001800, 0x1800, 4, "2K"},
	{0x439, 64, 0x20001800, 0x2800, 4, "2K"},
	{0x440, 64, 0x20000800, 0x1800, 4, "1K"},
	{0x441, 1024, 0x20003000, 0x3D000, 4, "4x16K 1x64K 7x128K"},
	{0x442, 256, 0x20001800, 0x6800, 4, "2K"},
	{0x443, 32, 0x20001000, 0x800, 8, "2K"},
	{0x444, 32, 0x20000800, 0x800, 4, "1K"},
	{0x445, 32, 0, 0, 4, "1K"},
	{0x446, 512, 0x20001800, 0xE800, 4, "2K"},
	{0x447, 192, 0x20001400, 0x3C00, 8, "128"},
	{0x448, 128, 0x20001800, 0x2800, 4, "2K"},
	{0x449, 1024, 0x20004000, 0x4C000, 8, "4x32K 1x128K 3x256K"},
	{0x44C, 64, 0x20001400, 0x1C00, 8, "2K"},
	{0x44D, 256, 0x20002400, 0x5400, 8, "2K"},
	{0x44E, 0, 0x20003C40, 0x1C3C0, 16, ""},
	{0x44F, 0, 0x20003C00, 0xC400, 16, ""},
	{0x450, 2048, 0x20004100, 0x1BF00, 32, "128K"},
	{0x451, 2048, 0x20004000, 0x7C000, 8, "4x32K 1x128K 7x256K"},
	{0x452, 512, 0x20004000, 0x3C000, 8, "4x16K 1x64K 3x128K"},
	{0x453, 32, 0x20001000, 0x2000, 8, "2K"},
	{0x454, 1024, 0x20004000, 0x3C000, 8, "4K"},
	{0x455, 512, 0x20004000, 0x3C000, 16, "8K"},
	{0x456, 64, 0x20001000, 0x1000, 8, "2K"},
	{0x457, 16, 0, 0, 8, "128"},
	{0x458, 128, 0x20003000, 0x5000, 4, "4x16K 1x64K"},
	{0x459, 64, 0x20001500, 0x1B00, 8, "2K"},
	{0x45A, 0, 0x20003C00, 0x3C400, 16, ""},
	{0x460, 128, 0x20002700, 0x6900, 8, "2K"},
	{0x461, 1024, 0x20003100, 0x3CF00, 8, "2K"},
	{0x462, 512, 0x20003100, 0x1CF00, 8, "2K"},
	{0x463, 1536, 0x20003000, 0x4D000, 4, "4x16K 1x64K 11x128K"},
	{0x464, 128, 0x20002100, 0x5F00, 8, "2K"},
	{0x466, 64, 0x20001000, 0x1000, 8, "2K"},
	{0x467, 512, 0x20004000, 0x1C000, 8, "2K"},
	{0x468, 128, 0x20004000, 0x1800, 8, "2K"},
	{0x469, 512, 0x20004000, 0x14000, 8, "2K"},
	{0x470, 2048, 0x20003200, 0x9CE00, 8, "4K"},
	{0x471, 1024, 0x20004000, 0x4C000, 8, "4K"},
	{0x472, 512, 0x20004000, 0x3C000, 16, "2K"},
	{0x474, 128, 0x20004000, 0x4000, 16, "8K"},
	{0x476, 4096, 0x20004000, 0x2EC000, 16, "8K"},
	{0x478, 512, 0x20004000, 0x40000, 16, "8K"},
	{0x479, 512, 0x20004000, 0x18000, 8, "2K"},
	{0x47A, 0, 0x20004000, 0x17C000, 16, ""},
	{0x480, 2048, 0x20004100, 0x1BF00, 16, "8K"},
	{0x481, 4096, 0x20004000, 0x26C000, 16, "8K"},
	{0x482, 2048, 0x20004000, 0xBC000, 16, "8K"},
	{0x483, 1024, 0x20004100, 0x1BF00, 32, "128K"},
	{0x484, 2048, 0x20004000, 0x9C000, 16, "8K"},
	{0x485, 64, 0x20000000, 0x30000, 16, "8K"},
	{0x489, 256, 0x20002170, 0x7E90, 8, "2K"},
	{0x492, 1024, 0x20001800, 0x800, 16, "8K"},
	{0x493, 128, 0x20002300, 0x3D00, 8, "2K"},
	{0x494, 320, 0x20005000, 0x3B000, 8, "2K"},
	{0x495, 1024, 0x20004000, 0x8000, 8, "4K"},
	{0x496, 512, 0, 0, 8, "4K"},
	{0x497, 256, 0x20002000, 0xE000, 8, "2K"},
	{0x4B0, 2048, 0x20003000, 0x7D000, 16, "8K"},
	{0x4B2, 512, 0x20003000, 0x15000, 16, ""},
	{0x641, 128, 0x20000200, 0x4E00, 4, "1K"},
	{0x9A8, 128, 0x20000200, 0x1E00, 4, "1K"},
	{0x9B0, 256, 0x20000200, 0x3E00, 4, "2K"},
};

static char *format_pages(const struct chip *chip, char *to, size_t size)
{
	size_t n = 0;

	to[0] = '\0';
	for (size_t i = 0; i < chip->pages.n_runs && n < size; i++) {
		const struct chip_pages *run = &chip->pages.runs[i];
		bool in_kib = run->size % 1024 == 0;

		if (i > 0)
			n += (size_t)snprintf(to + n, size - n, " ");
		if (run->count)
			n += (size_t)snprintf(to + n, size - n, "%ux", run->count);
		n += (size_t)snprintf(to + n, size - n, "%u%s",
			in_kib ? run->size / 1024 : run->size, in_kib ? "K" : "");
	}
	return to;
}

static bool is_stm32(size_t i)
{
	return shipped.items[i].family == &family_stm32;
}

static size_t n_stm32(void)
{
	size_t n = 0;

	for (size_t i = 0; i < shipped.n_items; i++)
		n += is_stm32(i);
	return n;
}

static void every_known_chip_is_there(void **state)
{
	(void)state;
	assert_int_equal(n_stm32(), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct expected *row = &expected[i];
		const struct chip *chip = shipped_chip(row->product_id);
		char pages[128];

		print_message("# 0x%03X %s\n", row->product_id, chip->name);
		assert_int_equal(chip->flash.size, row->flash_kib * 1024);
		assert_int_equal(chip->flash.start, row->flash_kib ? 0x08000000 : 0);
		assert_int_equal(stm32_row(chip)->ram.start, row->ram_start);
		assert_int_equal(stm32_row(chip)->ram.size, row->ram_size);
		assert_int_equal(chip->write_align, row->write_align);
		assert_string_equal(format_pages(chip, pages, sizeof(pages)), row->pages);
		assert_int_equal(chip->pages.n_runs > 0, *row->pages != '\0');
	}
}

/* What a job relies on whatever the chip: a stack is known, lists of pages stay short, times are
 * sane. */
static void every_row_can_be_worked_with(void **state)
{
	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++) {
		const struct chip *chip = &shipped.items[i];

		if (!is_stm32(i))
			continue;
		print_message("# 0x%03X %s\n", chip->product_id, chip->name);
		assert_true(stm32_row(chip)->n_stack > 0);
		assert_int_equal(stm32_row(chip)->stack[0].start, 0x20000000);
		assert_in_range(stm32_row(chip)->max_erase_pages, 1, 100);
		assert_in_range(chip->startup_usec, 100, 600 * USEC_PER_MSEC);
		assert_true(chip->startup_slow_usec >= chip->startup_usec);
		assert_in_range(chip->page_erase_max_usec, 20 * USEC_PER_MSEC, 20 * USEC_PER_SEC);
		assert_in_range(chip->mass_erase_max_usec, 200 * USEC_PER_MSEC, 128 * USEC_PER_SEC);
		assert_in_range(chip->program_max_usec, 10 * USEC_PER_MSEC, USEC_PER_SEC);
		assert_true(256 % chip->write_align == 0);
	}
}

/*
 * Pages that are others with one bank or two: DB1M (RM0090, RM0386), nDBANK (RM0410), DBANK and
 * DB1M (RM0440, RM0432, RM0438). No other row may have such a bit without a line here.
 */
static void pages_that_an_option_bit_changes_name_it(void **state)
{
	static const struct {
		uint16_t product_id;
		uint32_t address;
		struct stm32_bit largest, smaller;
		bool has_other, has_smaller;
	} rows[] = {
		{0x419, 0x1FFFC008, {.is_any = true}, {14, false, false}, false, true},
		{0x434, 0x1FFFC008, {.is_any = true}, {14, false, false}, false, true},
		{0x451, 0x1FFF0008, {13, true, false}, {13, true, false}, true, true},
		{0x469, 0x1FFF7800, {22, true, false}, {22, true, false}, true, false},
		{0x470, 0x1FF00000, {22, true, false}, {21, true, false}, true, false},
		{0x471, 0x1FF00000, {22, true, false}, {21, true, false}, true, false},
		{0x472, 0x40022040, {22, true, false}, {22, true, false}, true, false},
	};
	size_t n_layouts = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct chip *chip = shipped_chip(rows[i].product_id);
		const struct stm32_layout *layout = &stm32_row(chip)->layout;

		print_message("# 0x%03X\n", rows[i].product_id);
		assert_int_equal(layout->address, rows[i].address);
		assert_int_equal(layout->largest.number, rows[i].largest.number);
		assert_int_equal(layout->largest.is_set, rows[i].largest.is_set);
		assert_int_equal(layout->largest.is_any, rows[i].largest.is_any);
		assert_int_equal(layout->smaller.number, rows[i].smaller.number);
		assert_int_equal(layout->smaller.is_set, rows[i].smaller.is_set);
		assert_int_equal(layout->smaller.is_any, rows[i].smaller.is_any);
		assert_int_equal(stm32_row(chip)->other.n_runs > 0, rows[i].has_other);
		assert_int_equal(stm32_row(chip)->other_smaller.n_runs > 0, rows[i].has_smaller);
	}
	for (size_t i = 0; i < shipped.n_items; i++)
		n_layouts += is_stm32(i) && stm32_row(&shipped.items[i])->layout.address != 0;
	assert_int_equal(n_layouts, ARRAY_SIZE(rows));
}

/* Banks that an option bit exchanges: SWAP_BANK of H5, H7, L5, U3, U5, WBA6, nSWAP_BANK of G0B. */
static void banks_that_an_option_bit_exchanges_name_it(void **state)
{
	static const struct {
		uint16_t product_id;
		uint32_t address;
		uint8_t number;
		bool is_set;
	} rows[] = {
		{0x42A, 0x40022040, 20, true},
		{0x450, 0x5200201C, 31, true},
		{0x454, 0x40022040, 20, true},
		{0x455, 0x40022040, 20, true},
		{0x467, 0x1FFF7800, 20, false},
		{0x472, 0x40022040, 20, true},
		{0x474, 0x40022050, 31, true},
		{0x476, 0x40022040, 20, true},
		{0x478, 0x40022050, 31, true},
		{0x480, 0x5200201C, 31, true},
		{0x481, 0x40022040, 20, true},
		{0x482, 0x40022040, 20, true},
		{0x484, 0x40022050, 31, true},
		{0x4B0, 0x40022040, 20, true},
	};
	size_t n_swaps = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct stm32_layout *swap =
			&stm32_row(shipped_chip(rows[i].product_id))->swap;

		assert_int_equal(swap->address, rows[i].address);
		assert_int_equal(swap->largest.number, rows[i].number);
		assert_int_equal(swap->largest.is_set, rows[i].is_set);
		assert_int_equal(swap->smaller.number, rows[i].number);
		assert_int_equal(swap->smaller.is_set, rows[i].is_set);
	}
	for (size_t i = 0; i < shipped.n_items; i++)
		n_swaps += is_stm32(i) && stm32_row(&shipped.items[i])->swap.address != 0;
	assert_int_equal(n_swaps, ARRAY_SIZE(rows));
}

static void the_other_pages_are_those_of_the_part(void **state)
{
	static const struct {
		const char *name;
		uint16_t product_id;
		uint32_t flash_kib;
		bool is_known;
		struct chip_page page;
	} rows[] = {
		{"F767, 2 MB, second sector", 0x451, 2048, true, {1, 0x08004000, 16384}},
		{"F767, 2 MB, second bank", 0x451, 2048, true, {12, 0x08100000, 16384}},
		{"F767, 1 MB, last of the first bank", 0x451, 1024, true, {7, 0x08060000, 131072}},
		{"F767, 1 MB, second bank", 0x451, 1024, true, {12, 0x08080000, 16384}},
		{"F767, 1 MB, last", 0x451, 1024, true, {19, 0x080E0000, 131072}},
		{"F767, a size it does not come in", 0x451, 512, false, {0}},
		{"F429, 1 MB, second bank", 0x419, 1024, true, {12, 0x08080000, 16384}},
		{"F429, 2 MB has no other pages", 0x419, 2048, false, {0}},
		{"G474, one bank", 0x469, 512, true, {127, 0x0807F000, 4096}},
		{"G474 with half of it", 0x469, 256, true, {63, 0x0803F000, 4096}},
		{"L4R5, one bank", 0x470, 2048, true, {255, 0x081FE000, 8192}},
		{"L552, one bank", 0x472, 512, true, {1, 0x08001000, 4096}},
		{"F103, which has but one layout", 0x414, 512, false, {0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct chip chip = *shipped_chip(rows[i].product_id);
		struct chip_page page = {0};

		print_message("# %s\n", rows[i].name);
		assert_int_equal(
			chip_use_other_pages(&chip, rows[i].flash_kib * 1024), rows[i].is_known);
		if (!rows[i].is_known)
			continue;
		assert_true(chip_page_numbered(&chip, rows[i].page.number, &page));
		assert_memory_equal(&page, &rows[i].page, sizeof(page));
		assert_true(chip_page_at(&chip, rows[i].page.address + page.size - 1, &page));
		assert_memory_equal(&page, &rows[i].page, sizeof(page));
	}
	assert_false(chip_page_numbered(shipped_chip(0x414), 256, &(struct chip_page){0}));
}

/* an2606-limitations.md 1. No other row may have any. */
static void limitations_of_the_roms_are_listed(void **state)
{
	static const struct {
		uint16_t product_id;
		uint32_t id_at;
		struct stm32_limit limits[STM32_MAX_LIMITS];
	} rows[] = {
		{0x44C, 0x1FFF2FFE, {{0, true, STM32_EMPTY_FLAG_CLEARED}}},
		{0x44D, 0, {{0, true, STM32_EMPTY_FLAG_CLEARED}}},
		{0x450, 0x1FF1E7FE, {{0x91, false, STM32_ERASE_EARLY_BANK_2}}},
		{0x454, 0x0BF98FFE, {{0xE1, false, STM32_ERASE_SINGLY}}},
		{0x460, 0x1FFF6FFE,
			{{0xB3, false, STM32_ERASE_EARLY},
				{0xB3, false, STM32_EMPTY_FLAG_CLEARED}}},
		{0x467, 0x1FFF9FFE,
			{{0, true, STM32_ERASE_SINGLY_BANK_2},
				{0, true, STM32_EMPTY_FLAG_CLEARED}}},
		{0x483, 0x1FF1E7FE, {{0, true, STM32_WORD_LOST_AFTER_READ}}},
		{0x493, 0x1FFF67FE, {{0, true, STM32_EMPTY_FLAG_CLEARED}}},
	};
	size_t n_limited = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct chip *chip = shipped_chip(rows[i].product_id);

		print_message("# 0x%03X\n", rows[i].product_id);
		assert_int_equal(stm32_row(chip)->bootloader_id_at, rows[i].id_at);
		for (size_t k = 0; k < STM32_MAX_LIMITS; k++) {
			assert_int_equal(stm32_row(chip)->limits[k].id, rows[i].limits[k].id);
			assert_int_equal(
				stm32_row(chip)->limits[k].is_of_all, rows[i].limits[k].is_of_all);
			assert_int_equal(stm32_row(chip)->limits[k].flag, rows[i].limits[k].flag);
		}
	}
	for (size_t i = 0; i < shipped.n_items; i++)
		n_limited += is_stm32(i) && stm32_row(&shipped.items[i])->n_limits > 0;
	assert_int_equal(n_limited, ARRAY_SIZE(rows));
}

static bool overlap(const struct chip_range *a, const struct chip_range *b)
{
	return a->size > 0 && b->size > 0 && a->start < (uint64_t)b->start + b->size &&
	       b->start < (uint64_t)a->start + a->size;
}

/*
 * A range that takes in its neighbours makes the client read them as if they were option bytes: the
 * unique id of F42x in pieces, which the ROM refuses.
 */
static void ranges_of_a_row_lie_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++) {
		const struct chip *chip = &shipped.items[i];
		struct chip_range id;

		if (!is_stm32(i))
			continue;
		id = (struct chip_range){
			stm32_row(chip)->unique_id, stm32_row(chip)->unique_id ? 12 : 0};
		print_message("# 0x%03X\n", chip->product_id);
		assert_false(overlap(&stm32_row(chip)->option_bytes, &id));
		assert_false(overlap(&stm32_row(chip)->option_bytes, &chip->flash));
		assert_false(overlap(&stm32_row(chip)->option_bytes, &stm32_row(chip)->ram));
		assert_false(overlap(&stm32_row(chip)->ram, &chip->flash));
		assert_false(overlap(&stm32_row(chip)->system_memory, &stm32_row(chip)->ram));
	}
}

static void traps_of_the_roms_are_flagged(void **state)
{
	static const struct {
		const char *name;
		uint16_t product_id;
		uint32_t set;
		uint32_t clear;
	} rows[] = {
		{"F103 medium: no second NACK", 0x410, STM32_SILENT_BAD_ADDRESS,
			STM32_NO_MASS_ERASE},
		{"F103 high: no second NACK", 0x414, STM32_SILENT_BAD_ADDRESS, STM32_NO_MASS_ERASE},
		{"F105: no second NACK", 0x418, STM32_SILENT_BAD_ADDRESS, 0},
		{"F100: no second NACK", 0x420, STM32_SILENT_BAD_ADDRESS, 0},
		{"F103 XL: no second NACK", 0x430, STM32_SILENT_BAD_ADDRESS, 0},
		{"F2: no second NACK, voltage range", 0x411,
			STM32_SILENT_BAD_ADDRESS | STM32_VOLTAGE_RANGE, 0},
		{"F405: voltage range, second NACK", 0x413,
			STM32_VOLTAGE_RANGE | STM32_UID_WHOLE_BLOCK, STM32_SILENT_BAD_ADDRESS},
		{"L1 category 1: no second NACK, no mass erase", 0x416,
			STM32_SILENT_BAD_ADDRESS | STM32_NO_MASS_ERASE | STM32_UID_SPLIT, 0},
		{"L1 category 3: no mass erase", 0x427, STM32_NO_MASS_ERASE | STM32_UID_SPLIT,
			STM32_SILENT_BAD_ADDRESS},
		{"L05x: no mass erase, whole block", 0x417,
			STM32_NO_MASS_ERASE | STM32_UID_WHOLE_BLOCK | STM32_UID_SPLIT, 0},
		{"L01x: no RAM", 0x457, STM32_NO_RAM_ACCESS | STM32_NO_MASS_ERASE, 0},
		{"F04x: no RAM", 0x445, STM32_NO_RAM_ACCESS, STM32_NO_MASS_ERASE},
		{"F09x: OBL_LAUNCH", 0x442, STM32_EMPTY_CHECK, 0},
		{"L45x: PEMPTY", 0x462, STM32_EMPTY_CHECK, 0},
		{"STM32W: 8N1", 0x9A8, STM32_NO_PARITY, 0},
		{"F446: even parity", 0x421, STM32_VOLTAGE_RANGE, STM32_NO_PARITY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct chip *chip = shipped_chip(rows[i].product_id);

		print_message("# %s\n", rows[i].name);
		assert_int_equal(stm32_row(chip)->flags & rows[i].set, rows[i].set);
		assert_int_equal(stm32_row(chip)->flags & rows[i].clear, 0);
	}
}

static void start_up_times_cover_crystal_and_vbus(void **state)
{
	(void)state;
	assert_int_equal(shipped_chip(0x414)->startup_usec, 1227);
	assert_int_equal(shipped_chip(0x414)->startup_slow_usec, 1227);
	assert_true(shipped_chip(0x418)->startup_slow_usec >= 524 * USEC_PER_MSEC);
	assert_true(shipped_chip(0x415)->startup_slow_usec >= 2560 * USEC_PER_MSEC);
	assert_true(shipped_chip(0x439)->startup_slow_usec >= 560 * USEC_PER_MSEC);
	assert_true(shipped_chip(0x480)->startup_usec >= 545 * USEC_PER_MSEC);
	assert_true(shipped_chip(0x411)->startup_usec >= 134 * USEC_PER_MSEC);
}

static void registers_are_where_the_series_has_them(void **state)
{
	(void)state;
	assert_int_equal(stm32_row(shipped_chip(0x414))->flash_size_register, 0x1FFFF7E0);
	assert_int_equal(stm32_row(shipped_chip(0x414))->unique_id, 0x1FFFF7E8);
	assert_int_equal(stm32_row(shipped_chip(0x414))->option_bytes.start, 0x1FFFF800);
	assert_int_equal(stm32_row(shipped_chip(0x414))->option_bytes.size, 16);
	assert_int_equal(stm32_row(shipped_chip(0x414))->system_memory.start, 0x1FFFF000);
	assert_int_equal(stm32_row(shipped_chip(0x413))->flash_size_register, 0x1FFF7A22);
	assert_int_equal(stm32_row(shipped_chip(0x427))->unique_id, 0x1FF800D0);
	assert_int_equal(stm32_row(shipped_chip(0x416))->unique_id, 0x1FF80050);
	assert_int_equal(stm32_row(shipped_chip(0x460))->flash_size_register, 0x1FFF75E0);
	assert_int_equal(stm32_row(shipped_chip(0x44E))->unique_id, 0);
}

/* ------------------------------------------------------------------ pages */

static void pages_are_counted_as_the_erase_commands_do(void **state)
{
	static const struct {
		const char *name;
		uint16_t product_id;
		uint32_t address;
		struct chip_page page; /* size 0: none there */
	} rows[] = {
		{"F103xC first byte", 0x414, 0x08000000, {0, 0x08000000, 2048}},
		{"F103xC last byte of a page", 0x414, 0x080007FF, {0, 0x08000000, 2048}},
		{"F103xC second page", 0x414, 0x08000800, {1, 0x08000800, 2048}},
		{"F103xE last page", 0x414, 0x0807FFFF, {255, 0x0807F800, 2048}},
		{"beyond the flash", 0x414, 0x08080000, {0}},
		{"below the flash", 0x414, 0x07FFFFFF, {0}},
		{"address 0", 0x414, 0, {0}},
		{"F405 sector 3", 0x413, 0x0800C000, {3, 0x0800C000, 16384}},
		{"F405 sector 4", 0x413, 0x0801FFFF, {4, 0x08010000, 65536}},
		{"F405 sector 5", 0x413, 0x08020000, {5, 0x08020000, 131072}},
		{"F405 sector 11", 0x413, 0x080FFFFF, {11, 0x080E0000, 131072}},
		{"F429 sector 12, second bank", 0x419, 0x08100000, {12, 0x08100000, 16384}},
		{"F429 sector 23", 0x419, 0x081FFFFF, {23, 0x081E0000, 131072}},
		{"F413 sector 15", 0x463, 0x0817FFFF, {15, 0x08160000, 131072}},
		{"F767 sector 4, one bank", 0x451, 0x08020000, {4, 0x08020000, 131072}},
		{"F767 sector 11", 0x451, 0x081C0000, {11, 0x081C0000, 262144}},
		{"L152 page 511", 0x427, 0x0801FF80, {511, 0x0801FF00, 256}},
		{"G0B1 last page", 0x467, 0x0807FFFF, {255, 0x0807F800, 2048}},
		{"U375 last page", 0x454, 0x080FFFFF, {255, 0x080FF000, 4096}},
		{"WBA2 has no page data", 0x4B2, 0x08000000, {0}},
		{"C5 has no flash data", 0x44E, 0x08000000, {0}},
		{"C5 at 0", 0x44E, 0, {0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct chip_page page = {0};
		bool found = chip_page_at(shipped_chip(rows[i].product_id), rows[i].address, &page);

		print_message("# %s\n", rows[i].name);
		assert_int_equal(found, rows[i].page.size != 0);
		assert_int_equal(page.number, rows[i].page.number);
		assert_int_equal(page.address, rows[i].page.address);
		assert_int_equal(page.size, rows[i].page.size);
	}
}

/* Walking from page to page reaches exactly the end of the flash, numbers without a gap. */
static void pages_tile_every_flash(void **state)
{
	(void)state;
	for (size_t i = 0; i < shipped.n_items; i++) {
		const struct chip *chip = &shipped.items[i];
		uint32_t address = chip->flash.start;
		uint32_t number = 0;
		struct chip_page page;

		while (chip_page_at(chip, address, &page)) {
			assert_int_equal(page.number, number);
			assert_int_equal(page.address, address);
			address += page.size;
			number++;
		}
		if (chip->pages.n_runs > 0)
			assert_int_equal(address, chip->flash.start + chip->flash.size);
		else
			assert_int_equal(number, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_chip_is_there),
		cmocka_unit_test(every_row_can_be_worked_with),
		cmocka_unit_test(pages_that_an_option_bit_changes_name_it),
		cmocka_unit_test(ranges_of_a_row_lie_apart),
		cmocka_unit_test(limitations_of_the_roms_are_listed),
		cmocka_unit_test(banks_that_an_option_bit_exchanges_name_it),
		cmocka_unit_test(the_other_pages_are_those_of_the_part),
		cmocka_unit_test(traps_of_the_roms_are_flagged),
		cmocka_unit_test(start_up_times_cover_crystal_and_vbus),
		cmocka_unit_test(registers_are_where_the_series_has_them),
		cmocka_unit_test(pages_are_counted_as_the_erase_commands_do),
		cmocka_unit_test(pages_tile_every_flash),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
