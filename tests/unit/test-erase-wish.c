/* SPDX-License-Identifier: MIT */
/* test-erase-wish.c - what `plugflash erase` is told, and which pages of a chip that are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "chip/family.h"
#include "flash/erase-wish.h"

static struct chip f103c8 = {
	.family = &family_stm32,
	.product_id = 0x410,
	.name = (char *)"F103xB",
	.flash = {0x08000000, 128 * 1024},
	.pages = {{{.size = 1024}}, 1},
};

/* Half of an F42x: its second bank counts from 12. */
static struct chip f42x = {
	.family = &family_stm32,
	.product_id = 0x419,
	.name = (char *)"F42x",
	.flash = {0x08000000, 1024 * 1024},
	.pages = {{{16384, 4, 0}, {65536, 1, 0}, {131072, 3, 0}, {16384, 4, 12}, {65536, 1, 0},
			  {131072, 3, 0}},
		6},
};

static struct chip no_pages = {
	.family = &family_stm32,
	.name = (char *)"F999",
	.flash = {0x08000000, 128 * 1024},
};

static struct chip no_mass = {
	.family = &family_stm32,
	.name = (char *)"L0",
	.flash = {0x08000000, 16 * 1024},
	.pages = {{{128, 0, 0}}, 1},
	.no_mass_erase = true,
};

static struct chip ti = {
	.family = &family_cc13xx,
	.name = (char *)"CC26x2",
	.flash = {0, 352 * 1024},
	.pages = {{{8192, 0, 0}}, 1},
	.no_mass_erase = true,
};

static const struct {
	const char *text;
	int expected;
	size_t n;
	struct erase_numbers last;
} lists[] = {
	{"4", 0, 1, {4, 4}},
	{"4,6-9", 0, 2, {6, 9}},
	{"6-9, 4", 0, 2, {4, 4}},
	{"0-0", 0, 1, {0, 0}},
	{"0x10-0x12", 0, 1, {16, 18}},
	{"", -EINVAL, 0, {0}},
	{",", -EINVAL, 0, {0}},
	{"all", -EINVAL, 0, {0}},
	{"4-", -EINVAL, 0, {0}},
	{"-4", -EINVAL, 0, {0}},
	{"4--6", -EINVAL, 0, {0}},
	{"9-6", -ERANGE, 0, {0}},
	{"4294967296", -ERANGE, 0, {0}},
};

static void lists_of_pages_are_numbers_and_ranges(void **state)
{
	char many[ERASE_NUMBERS_MAX * 2 + 3] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct erase_wish wish = {.what = ERASE_NOTHING};

		print_message("# '%s'\n", lists[i].text);
		assert_int_equal(erase_parse_pages(lists[i].text, &wish), lists[i].expected);
		assert_int_equal(wish.n_numbers, lists[i].n);
		assert_int_equal(wish.what, lists[i].expected == 0 ? ERASE_PAGES : ERASE_NOTHING);
		if (lists[i].expected == 0)
			assert_memory_equal(&wish.numbers[wish.n_numbers - 1], &lists[i].last,
				sizeof(lists[i].last));
	}
	for (size_t i = 0; i <= ERASE_NUMBERS_MAX; i++)
		strcat(many, "1,");
	assert_int_equal(erase_parse_pages(many, &(struct erase_wish){0}), -ERANGE);
	many[strlen(many) - 2] = '\0';
	assert_int_equal(erase_parse_pages(many, &(struct erase_wish){0}), 0);
}

static const struct {
	const char *text;
	int expected;
	uint32_t address, size;
} ranges[] = {
	{"0x08004000+16K", 0, 0x08004000, 16384},
	{"0+1", 0, 0, 1},
	{"0xffffff00+256", 0, 0xFFFFFF00, 256},
	{"0xffffff00+257", -ERANGE, 0, 0},
	{"0x08004000+0", -ERANGE, 0, 0},
	{"0x08004000", -EINVAL, 0, 0},
	{"0x08004000+", -EINVAL, 0, 0},
	{"+16K", -EINVAL, 0, 0},
	{"0x08004000-16K", -EINVAL, 0, 0},
	/* Meant as hexadecimal, as elsewhere. */
	{"08004000+16K", -EINVAL, 0, 0},
};

static void ranges_are_an_address_and_a_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		struct erase_wish wish = {.what = ERASE_NOTHING};

		print_message("# '%s'\n", ranges[i].text);
		assert_int_equal(erase_parse_range(ranges[i].text, &wish), ranges[i].expected);
		assert_int_equal(wish.address, ranges[i].address);
		assert_int_equal(wish.size, ranges[i].size);
	}
}

static const struct choice_case {
	const char *name;
	struct chip *chip;
	const char *pages, *range;
	bool whole, kept;
	struct keep_range keep;
	int result;
	bool mass;
	const char *text, *left; /* of the pages; of the reason */
} choices[] = {
	{.name = "all by one command",
		.chip = &f103c8,
		.mass = true,
		.text = "pages 0-63 (0x08000000-0x0800ffff)",
		.left = "no page"},
	{.name = "all but what is kept",
		.chip = &f103c8,
		.keep = {0x0800F801, 8},
		.text = "pages 0-61 (0x08000000-0x0800f7ff), 63 (0x0800fc00-0x0800ffff)",
		.left = "page 62 (0x0800f800-0x0800fbff)"},
	{.name = "all of it",
		.chip = &f103c8,
		.keep = {0x0800F801, 8},
		.kept = true,
		.mass = true,
		.text = "pages 0-63 (0x08000000-0x0800ffff)",
		.left = "no page"},
	{.name = "everything is kept",
		.chip = &f103c8,
		.keep = {0x08000000, 0x10000},
		.result = PLAN_REFUSED,
		.text = "nothing is left to erase"},
	{.name = "no command for all",
		.chip = &no_mass,
		.text = "pages 0-127 (0x08000000-0x08003fff)",
		.left = "no page"},
	{.name = "no layout",
		.chip = &no_pages,
		.mass = true,
		.text = "no page",
		.left = "no page"},
	{.name = "no layout and a keep",
		.chip = &no_pages,
		.keep = {0x08000000, 4},
		.result = PLAN_REFUSED,
		.text = "nothing can be spared"},
	{.name = "no layout and pages",
		.chip = &no_pages,
		.pages = "1",
		.result = PLAN_REFUSED,
		.text = "no page layout"},
	{.name = "no layout and a range",
		.chip = &no_pages,
		.range = "0x08000000+1K",
		.result = PLAN_REFUSED,
		.text = "no page layout"},

	{.name = "pages rise",
		.chip = &f103c8,
		.pages = "9,4-5,4",
		.text = "pages 4-5 (0x08001000-0x080017ff), 9 (0x08002400-0x080027ff)",
		.left = "no page"},
	{.name = "one page",
		.chip = &f103c8,
		.pages = "63",
		.text = "page 63 (0x0800fc00-0x0800ffff)",
		.left = "no page"},
	{.name = "this part has less",
		.chip = &f103c8,
		.pages = "64",
		.result = PLAN_REFUSED,
		.text = "F103xB has no page 64: the last one is 63 (0x0800fc00)"},
	{.name = "a range without an end",
		.chip = &f103c8,
		.pages = "0-4294967295",
		.result = PLAN_REFUSED,
		.text = "has no page 64"},
	{.name = "numbers that are left out",
		.chip = &f42x,
		.pages = "7-12",
		.result = PLAN_REFUSED,
		.text = "F42x has no page 8"},
	{.name = "both banks",
		.chip = &f42x,
		.pages = "7,12",
		.text = "pages 7 (0x08060000-0x0807ffff), 12 (0x08080000-0x08083fff)",
		.left = "no page"},
	{.name = "a page that is kept",
		.chip = &f103c8,
		.pages = "62",
		.keep = {0x0800F801, 8},
		.result = PLAN_REFUSED,
		.text = "page 62 (0x0800f800, 1024 bytes) has a part"},
	{.name = "and is taken",
		.chip = &f103c8,
		.pages = "62",
		.keep = {0x0800F801, 8},
		.kept = true,
		.text = "page 62",
		.left = "no page"},

	{.name = "a range of whole pages",
		.chip = &f103c8,
		.range = "0x08004000+4K",
		.text = "pages 16-19 (0x08004000-0x08004fff)",
		.left = "no page"},
	{.name = "it cuts the last",
		.chip = &f103c8,
		.range = "0x08004000+4097",
		.result = PLAN_REFUSED,
		.text = "0x08004000 (page 16) to 0x080053ff (page 20); nothing was erased; --whole-pages takes all of them, --range 0x08004000+0x1400 is the same"},
	{.name = "it cuts the first",
		.chip = &f103c8,
		.range = "0x08004001+1023",
		.result = PLAN_REFUSED,
		.text = "cuts a page"},
	{.name = "and takes them whole",
		.chip = &f103c8,
		.range = "0x08004001+4K",
		.whole = true,
		.text = "pages 16-20 (0x08004000-0x080053ff)",
		.left = "no page"},
	{.name = "behind the flash",
		.chip = &f103c8,
		.range = "0x08010000+1K",
		.result = PLAN_REFUSED,
		.text = "are not in it"},
	{.name = "before it",
		.chip = &f103c8,
		.range = "0x07fffc00+2K",
		.result = PLAN_REFUSED,
		.text = "are not in it"},
	{.name = "up to the end of all addresses",
		.chip = &f103c8,
		.range = "0xfffffc00+1K",
		.result = PLAN_REFUSED,
		.text = "are not in it"},
	{.name = "a range that is kept",
		.chip = &f103c8,
		.range = "0x0800f400+2K",
		.keep = {0x0800F801, 8},
		.result = PLAN_REFUSED,
		.text = "page 62"},

	{.name = "TI: all but its settings",
		.chip = &ti,
		.text = "pages 0-6 (0x00000000-0x0000dfff)",
		.left = "page 7 (0x0000e000-0x0000ffff)"},
	{.name = "TI: the settings by name",
		.chip = &ti,
		.pages = "7",
		.result = PLAN_REFUSED,
		.text = "the settings by which the chip starts"},
	{.name = "TI: the settings go first",
		.chip = &ti,
		.pages = "5-7",
		.kept = true,
		.text = "pages 7 (0x0000e000-0x0000ffff), 5-6 (0x0000a000-0x0000dfff)",
		.left = "no page"},
};

/* As much flash as the tests' part has. */
#define FLASH_BYTES 65536

static void pages_are_chosen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
		const struct choice_case *row = &choices[i];
		struct keep_range kept = row->keep;
		const struct keep_list keep = {&kept, row->keep.size > 0};
		struct erase_wish wish = {.what = ERASE_ALL};
		struct erase_choice choice = {0};
		uint32_t bytes = row->chip == &f42x	 ? 1024 * 1024
				 : row->chip == &no_mass ? 16 * 1024
							 : FLASH_BYTES;
		struct reason reason = {""};
		char text[400], left[400];

		print_message("# %s\n", row->name);
		if (row->pages)
			assert_int_equal(erase_parse_pages(row->pages, &wish), 0);
		if (row->range)
			assert_int_equal(erase_parse_range(row->range, &wish), 0);
		wish.takes_whole_pages = row->whole;
		wish.takes_kept = row->kept;
		assert_int_equal(erase_choose(&wish, row->chip, bytes, &keep, &choice, &reason),
			row->result);
		if (row->result != 0) {
			if (!strstr(reason.text, row->text))
				fail_msg("%s", reason.text);
			continue;
		}
		assert_int_equal(choice.plan.mass, row->mass);
		erase_pages_text(&choice.plan, text, sizeof(text));
		erase_pages_text(&choice.left, left, sizeof(left));
		if (!strstr(text, row->text))
			fail_msg("%s", text);
		assert_string_equal(left, row->left);
		erase_choice_done(&choice);
	}
}

static void a_wish_that_nobody_set_erases_nothing(void **state)
{
	const struct erase_wish wish = {0};
	struct erase_choice choice = {0};
	struct reason reason = {""};

	(void)state;
	assert_int_equal(
		erase_choose(&wish, &f103c8, FLASH_BYTES, &(struct keep_list){0}, &choice, &reason),
		PLAN_REFUSED);
	assert_string_not_equal(reason.text, "");
}

/* Every second page: more runs than there is room for. */
static void a_long_list_ends_in_dots(void **state)
{
	struct chip_page pages[32];
	const struct plan plan = {.pages = pages, .n_pages = 32};
	char text[120];

	(void)state;
	for (uint32_t i = 0; i < 32; i++)
		pages[i] = (struct chip_page){2 * i, 0x08000000 + 2048 * i, 1024};
	for (size_t size = 8; size <= sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		erase_pages_text(&plan, text, size);
		assert_true(strlen(text) < size);
		assert_string_equal(text + strlen(text) - 3, "...");
	}
	assert_ptr_equal(strstr(text, "pages 0 (0x08000000-0x080003ff), 2 ("), text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_pages_are_numbers_and_ranges),
		cmocka_unit_test(ranges_are_an_address_and_a_size),
		cmocka_unit_test(pages_are_chosen),
		cmocka_unit_test(a_wish_that_nobody_set_erases_nothing),
		cmocka_unit_test(a_long_list_ends_in_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
