/* SPDX-License-Identifier: MIT */
/* test-plan.c - which pages go, when the whole chip goes, and how the image is cut into frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chip/family.h"
#include "flash/plan.h"
#include "rows.h"

static struct chip f103xc = {
	.family = &family_stm32,
	.product_id = 0x414,
	.name = (char *)"F103xC",
	.flash = {0x08000000, 256 * 1024},
	.pages = {{{2048, 0, 0}}, 1},
	.page_erase_usec = 30000,
	.mass_erase_usec = 30000,
};

static struct chip f405 = {
	.family = &family_stm32,
	.product_id = 0x413,
	.name = (char *)"F405",
	.flash = {0x08000000, 1024 * 1024},
	.pages = {{{16 * 1024, 4, 0}, {64 * 1024, 1, 0}, {128 * 1024, 7, 0}}, 3},
	.page_erase_usec = 1000000,
	.mass_erase_usec = 16000000,
};

struct plan_case {
	const char *name;
	struct chip *chip;
	uint32_t flash_bytes;
	struct segment segments[3];
	struct keep_range keep[1];
	size_t n_keep;
	bool no_mass_erase;
	bool no_pages;
	int result;
	bool mass;
	size_t n_pages;
	uint32_t first_page, last_page;
};

static const struct plan_case plan_cases[] = {
	{.name = "a small image takes its pages only",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 5000, NULL}},
		.n_pages = 3,
		.last_page = 2},
	{.name = "an image of the whole flash takes the mass erase",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 256 * 1024, NULL}},
		.mass = true,
		.n_pages = 128,
		.last_page = 127},
	{.name = "one byte in the last page of a smaller part covers it",
		.chip = &f103xc,
		.flash_bytes = 64 * 1024,
		.segments = {{0x08000000, 62 * 1024 + 1, NULL}},
		.mass = true,
		.n_pages = 32,
		.last_page = 31},
	{.name = "a page without image is not lost to a mass erase",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 254 * 1024, NULL}},
		.n_pages = 127,
		.last_page = 126},
	{.name = "keep forbids the mass erase",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 254 * 1024, NULL}},
		.keep = {{0x0803F800, 2048}},
		.n_keep = 1,
		.n_pages = 127,
		.last_page = 126},
	{.name = "keep in a page of the image is refused",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 100, NULL}},
		.keep = {{0x08000700, 16}},
		.n_keep = 1,
		.result = PLAN_REFUSED},
	{.name = "two segments in one page count it once",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 16, NULL}, {0x08000100, 16, NULL}, {0x08000800, 1, NULL}},
		.n_pages = 2,
		.last_page = 1},
	{.name = "the gap between segments stays",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 16, NULL}, {0x08002000, 16, NULL}},
		.n_pages = 2,
		.last_page = 4},
	{.name = "an image behind a boot loader begins at its own page",
		.chip = &f405,
		.flash_bytes = 1024 * 1024,
		.segments = {{0x08010000, 200 * 1024, NULL}},
		.n_pages = 3,
		.first_page = 4,
		.last_page = 6},
	{.name = "twelve sectors at a second each beat sixteen seconds of mass erase",
		.chip = &f405,
		.flash_bytes = 1024 * 1024,
		.segments = {{0x08000000, 1024 * 1024, NULL}},
		.n_pages = 12,
		.last_page = 11},
	{.name = "without mass erase all pages are listed",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 256 * 1024, NULL}},
		.no_mass_erase = true,
		.n_pages = 128,
		.last_page = 127},
	{.name = "unknown pages leave the mass erase",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 100, NULL}},
		.no_pages = true,
		.mass = true},
	{.name = "unknown pages and keep are refused",
		.chip = &f103xc,
		.flash_bytes = 256 * 1024,
		.segments = {{0x08000000, 100, NULL}},
		.keep = {{0x0803F800, 2048}},
		.n_keep = 1,
		.no_pages = true,
		.result = PLAN_REFUSED},
};

static size_t count_segments(const struct segment segments[3])
{
	size_t n = 0;

	while (n < 3 && segments[n].size > 0)
		n++;
	return n;
}

static void erase_plan(void **state)
{
	const struct plan_case *c = *state;
	struct image image = {
		.segments = (struct segment *)c->segments,
		.n_segments = count_segments(c->segments),
	};
	struct keep_list keep = {(struct keep_range *)c->keep, c->n_keep};
	CLEANUP(plan_done) struct plan plan = {0};
	struct chip chip = *c->chip;
	struct reason reason = {""};

	chip.no_mass_erase = c->no_mass_erase;
	if (c->no_pages)
		chip.pages.n_runs = 0;
	assert_int_equal(
		plan_erase(&chip, c->flash_bytes, &image, &keep, &plan, &reason), c->result);
	assert_int_equal(reason.text[0] != '\0', c->result == PLAN_REFUSED);
	assert_int_equal(plan.mass, c->mass);
	assert_int_equal(plan.n_pages, c->n_pages);
	if (plan.n_pages > 0) {
		assert_int_equal(plan.pages[0].number, c->first_page);
		assert_int_equal(plan.pages[plan.n_pages - 1].number, c->last_page);
	}
}

/* A family whose chips start by the last bytes of the image. */
static struct chip_range find_last(const struct chip *chip, const struct image *image)
{
	const struct segment *last = &image->segments[image->n_segments - 1];

	(void)chip;
	return (struct chip_range){last->address + last->size - 4, 4};
}

static void the_page_that_a_chip_starts_by_goes_first(void **state)
{
	static const struct family family = {.find_start = find_last};
	struct segment segments[] = {{0x08000000, 5000, NULL}, {0x08003000, 2100, NULL}};
	const struct image image = {.segments = segments, .n_segments = 2};
	const uint32_t numbers[] = {7, 0, 1, 2, 6};
	const struct keep_list nothing = {NULL, 0};
	CLEANUP(plan_done) struct plan plan = {0};
	struct chip chip = f103xc;
	struct reason reason = {""};

	(void)state;
	chip.family = &family;
	assert_int_equal(
		plan_erase(&chip, chip.flash.size, &image, &nothing, &plan, &reason), PLAN_OK);
	assert_int_equal(plan.n_pages, ARRAY_SIZE(numbers));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(plan.pages[i].number, numbers[i]);
}

struct block_case {
	const char *name;
	uint32_t align;
	struct segment segments[3];
	uint64_t from, end;
	struct {
		uint32_t address, size;
	} blocks[4];
};

static const struct block_case block_cases[] = {
	{"fault 30: a tail that is no multiple of four is padded", 4, {{0x08000000, 259, NULL}}, 0,
		1ull << 32, {{0x08000000, 256}, {0x08000100, 4}}},
	{"families with 16-byte words are padded to 16", 16, {{0x08000004, 10, NULL}}, 0,
		1ull << 32, {{0x08000000, 16}}},
	{"no block crosses a multiple of 256", 4, {{0x080000F0, 32, NULL}}, 0, 1ull << 32,
		{{0x080000F0, 16}, {0x08000100, 16}}},
	{"two segments in one window are one block", 4,
		{{0x08000000, 4, NULL}, {0x08000080, 4, NULL}}, 0, 1ull << 32, {{0x08000000, 132}}},
	{"the range begins in the middle", 4, {{0x08000000, 1024, NULL}}, 0x08000200, 0x08000300,
		{{0x08000200, 256}}},
	{"the last block of the address space", 4, {{0xFFFFFF00, 256, NULL}}, 0, 1ull << 32,
		{{0xFFFFFF00, 256}}},
	{"nothing in the range", 4, {{0x08000000, 16, NULL}}, 0x08000100, 0x08000200, {{0, 0}}},
};

static void blocks(void **state)
{
	const struct block_case *c = *state;
	struct image image = {
		.segments = (struct segment *)c->segments,
		.n_segments = count_segments(c->segments),
	};
	uint64_t cursor = c->from;
	struct plan_block block;
	uint64_t n_image = 0;
	size_t n = 0;

	while (plan_next_block(&image, c->align, 256, &cursor, c->end, &block)) {
		assert_true(n < ARRAY_SIZE(c->blocks));
		assert_int_equal(block.address, c->blocks[n].address);
		assert_int_equal(block.size, c->blocks[n].size);
		n_image += block.n_image;
		n++;
	}
	if (c->from <= image.segments[0].address && c->end > UINT32_MAX)
		assert_int_equal(n_image, image_bytes(&image));
	assert_true(n == ARRAY_SIZE(c->blocks) || c->blocks[n].size == 0);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, plan_cases, erase_plan);
	ADD_TEST(tests, n_tests, the_page_that_a_chip_starts_by_goes_first);
	ADD_ROWS(tests, n_tests, block_cases, blocks);
	return RUN_TESTS("plan", tests, n_tests);
}
