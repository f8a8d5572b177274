/* SPDX-License-Identifier: MIT */
/* test-chip-tables.c - tables that users write: what replaces a row, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/outcome.h"
#include "base/util.h"
#include "chip/chips.h"
#include "chip/family-stm32.h"
#include "chip/family.h"

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void)status;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_tree(char *const *directory)
{
	nftw(*directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* Loads a table of these texts; NULL for none. */
static int load_of(const struct family *const *families, const char *table, const char *first,
	const char *second, struct chip_table *ret, struct ini_problems *problems)
{
	char buffer[] = "/tmp/test-chips-XXXXXX";
	CLEANUP(remove_tree) char *directory = mkdtemp(buffer);
	char file[64];
	char local[64];

	assert_non_null(directory);
	snprintf(file, sizeof(file), "%s/chips.ini", directory);
	snprintf(local, sizeof(local), "%s/chips.d", directory);
	if (table)
		write_file(directory, "chips.ini", table);
	if (first || second)
		assert_int_equal(mkdir(local, 0755), 0);
	if (first)
		write_file(local, "10-first.conf", first);
	if (second)
		write_file(local, "20-second.conf", second);
	return chip_table_load(families, file, local, ret, problems);
}

static int load(const char *table, const char *first, const char *second, struct chip_table *ret,
	struct ini_problems *problems)
{
	return load_of(chip_families, table, first, second, ret, problems);
}

#define GATE                                                                                \
	"[chip 0x414]\nname = gate\naliases = G1 G2\nflash = 0x08000000+256K\npages = 2K\n" \
	"write-align = 4\nstartup = 2ms\n"

static void rows_of_chips_d_replace_and_add(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table table = {0};
	const struct chip *chip;

	(void)state;
	assert_int_equal(
		load(GATE "[chip 0x410]\nname = other\nwrite-align = 4\n",
			"[chip 0x0414]\nname = mine\nwrite-align = 8\nram = 0x20000000+1K\n",
			"[chip 0x7FF]\nname = new\nwrite-align = 16\nflash = 0x08000000+8K\n"
			"pages = 2x1K 6K\nflags = no-parity, uid-split\nstub = l4-plus\n",
			&table, &problems),
		0);
	assert_int_equal(table.n_items, 3);
	chip = chip_table_find(&table, "stm32", 0x414);
	assert_non_null(chip);
	assert_string_equal(chip->name, "mine");
	assert_int_equal(chip->write_align, 8);
	assert_int_equal(chip->flash.size, 0);
	assert_int_equal(chip->pages.n_runs, 0);
	assert_int_equal(chip->n_aliases, 0);
	assert_null(chip_table_find_named(&table, "stm32", "G1"));
	assert_string_equal(chip_table_find(&table, "stm32", 0x410)->name, "other");
	chip = chip_table_find_named(&table, "stm32", "NEW");
	assert_non_null(chip);
	assert_int_equal(chip->product_id, 0x7FF);
	assert_int_equal(stm32_row(chip)->flags, STM32_NO_PARITY | STM32_UID_SPLIT);
	assert_true(chip->no_parity);
	assert_int_equal(chip->pages.n_runs, 2);
	assert_string_equal(stm32_row(chip)->stub, "l4-plus");
}

/* A family of a test: no keys of its own, and ids of 32 bits. */
static const struct family_rows toy_rows = {.name = "toy", .max_id = UINT32_MAX};
static const struct family toy = {.rows = &toy_rows};
static const struct family *const both[] = {&family_stm32, &toy, NULL};

static void ids_are_unique_within_a_family(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table table = {0};
	const struct board board = {.protocol = BOARD_PROTOCOL_STM32};
	const struct chip *chip;

	(void)state;
	assert_int_equal(load_of(both,
				 GATE "[chip toy 0x414]\nname = toy\nwrite-align = 4\n"
				      "[chip toy 0xFFF0C101]\nname = large\nwrite-align = 4\n",
				 "[chip stm32 0x414]\nname = mine\nwrite-align = 8\n", NULL, &table,
				 &problems),
		0);
	assert_int_equal(table.n_items, 3);
	chip = chip_table_find(&table, "stm32", 0x414);
	assert_ptr_equal(chip->family, &family_stm32);
	assert_string_equal(chip->name, "mine");
	chip = chip_table_find(&table, "toy", 0x414);
	assert_ptr_equal(chip->family, &toy);
	assert_string_equal(chip->name, "toy");
	assert_null(chip->own);
	assert_ptr_equal(chip_table_find_named(&table, "toy", "1044"), chip);
	assert_ptr_equal(chip_table_find_named(&table, NULL, "TOY"), chip);
	assert_string_equal(chip_table_find(&table, "toy", 0xFFF0C101)->name, "large");
	assert_null(chip_table_find(&table, "stm32", 0xFFF0C101));
	/* A rule names chips of its protocol's family alone. */
	assert_string_equal(chip_table_find_for(&table, &board, "0x414")->name, "mine");
	assert_null(chip_table_find_for(&table, &board, "toy"));
}

static void a_family_has_its_own_keys_alone(void **state)
{
	static const char *const tables[] = {
		"[chip toy 1]\nname = a\nwrite-align = 4\nram = 0x20000000+1K\n",
		"[chip toy 1]\nname = a\nwrite-align = 4\nflags = no-parity\n",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		struct chip_table table = {0};

		assert_int_equal(load_of(both, tables[i], NULL, NULL, &table, &problems),
			OUTCOME_BAD_CONFIG);
		assert_int_equal(problems.n_items, 1);
		assert_int_equal(problems.items[0].line, 4);
	}
}

/* Rows that people have copied from earlier versions stay good. */
static void flags_of_before_are_taken_and_change_nothing(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table table = {0};

	(void)state;
	assert_int_equal(load(GATE "flags = dual-bank trustzone two-acks-on-sync uid-split\n", NULL,
				 NULL, &table, &problems),
		0);
	assert_int_equal(stm32_row(&table.items[0])->flags, STM32_UID_SPLIT);
}

/* What is not said is waited for longer, never shorter, than any chip known needs. */
static void a_short_row_gets_careful_defaults(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(chip_table_done) struct chip_table table = {0};
	const struct chip *chip;

	(void)state;
	assert_int_equal(
		load("[chip 0x414]\nname = a\nwrite-align = 4\n", NULL, NULL, &table, &problems),
		0);
	chip = &table.items[0];
	assert_int_equal(stm32_row(chip)->max_erase_pages, 100);
	assert_int_equal(chip->startup_usec, 100 * USEC_PER_MSEC);
	assert_int_equal(chip->startup_slow_usec, chip->startup_usec);
	assert_true(chip->page_erase_max_usec >= 10 * USEC_PER_SEC);
	assert_true(chip->mass_erase_max_usec >= 60 * USEC_PER_SEC);
	assert_true(chip->program_max_usec >= 100 * USEC_PER_MSEC);
	assert_int_equal(stm32_row(chip)->n_stack, 0);
	assert_string_equal(stm32_row(chip)->stub, "");
}

static void bad_tables_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *name;
		const char *table;
		const char *local;
		const char *said; /* part of the problem, line included */
	} rows[] = {
		{"no section", "# nothing\n", NULL, "chips.ini: holds no chip"},
		{"no product id", "[chip]\nname = a\n", NULL, "chips.ini:1: "},
		{"id is a name", "[chip F103]\nname = a\n", NULL, "expected a heading like"},
		{"id too large", "[chip 0x10414]\nname = a\n", NULL, "expected a heading like"},
		{"id 0", "[chip 0]\nname = a\n", NULL, "expected a heading like"},
		{"another kind", GATE "[board x]\nname = a\n", NULL, "chips.ini:8: "},
		{"no such family", "[chip x86 0x414]\nname = a\n", NULL,
			"there is no such family of chips; families are: stm32"},
		{"the beginning of a family", "[chip stm 0x414]\nname = a\n", NULL,
			"no such family of chips"},
		{"a family without an id", "[chip stm32]\nname = a\n", NULL,
			"expected a heading like"},
		{"an id too large for its family", "[chip stm32 0x10414]\nname = a\n", NULL,
			"expected a heading like"},
		{"more behind the id", "[chip stm32 0x414 2]\nname = a\n", NULL,
			"expected a heading like"},
		{"the same id twice, once with its family",
			GATE "[chip stm32 0x414]\nname = a\nwrite-align = 4\n", NULL,
			"0x414 has a section already"},
		{"the same id twice, spelt otherwise",
			GATE "[chip 1044]\nname = a\nwrite-align = 4\n", NULL,
			"0x414 has a section already"},
		{"the same id twice in chips.d", GATE,
			"[chip 0x414]\nname = a\nwrite-align = 4\n"
			"[chip 0x0414]\nname = b\nwrite-align = 4\n",
			"10-first.conf:4: "},
		{"new id twice in chips.d", GATE,
			"[chip 0x500]\nname = a\nwrite-align = 4\n"
			"[chip 0x0500]\nname = b\nwrite-align = 4\n",
			"0x500 has a section already"},
		{"unknown key", GATE "flsh = 0x08000000+1K\n", NULL,
			"chips.ini:8: [chip 0x414] flsh"},
		{"no name", "[chip 0x414]\nwrite-align = 4\n", NULL, "every chip needs a name"},
		{"no alignment", "[chip 0x414]\nname = a\n", NULL, "power of two from 1 to 256"},
		{"alignment 3", "[chip 0x414]\nname = a\nwrite-align = 3\n", NULL,
			"chips.ini:3: [chip 0x414] write-align"},
		{"alignment 512", "[chip 0x414]\nname = a\nwrite-align = 512\n", NULL,
			"power of two from 1 to 256"},
		{"alignment 0", "[chip 0x414]\nname = a\nwrite-align = 0\n", NULL,
			"power of two from 1 to 256"},
		{"flash without size", GATE "ram = 0x20000000\n", NULL, "ADDRESS+SIZE"},
		{"flash of size 0", GATE "ram = 0x20000000+0\n", NULL, "ADDRESS+SIZE"},
		{"range wraps", GATE "ram = 0xFFFFFFFF+2\n", NULL, "chips.ini:8: [chip 0x414] ram"},
		{"range wraps far", GATE "ram = 0x20000000+4095M\n", NULL, "below 4G"},
		{"range of words", GATE "ram = here+there\n", NULL, "got 'here+there'"},
		{"negative", GATE "ram = -1+4\n", NULL, "ADDRESS+SIZE"},
		{"seven stacks", GATE "stack = 1+1 1+1 1+1 1+1 1+1 1+1 1+1\n", NULL, "at most 6"},
		{"no stack", GATE "stack =\n", NULL, "at most 6"},
		{"pages without flash", "[chip 0x414]\nname = a\nwrite-align = 4\npages = 2K\n",
			NULL, "give 'flash' too"},
		{"pages too small",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 31x2K\n",
			NULL, "chips.ini:5: [chip 0x414] pages: the pages do not fill the flash"},
		{"pages too large",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 33x2K\n",
			NULL, "larger than the flash"},
		{"pages far too large",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 4294967295x4095M 4294967295x4095M\n",
			NULL, "larger than the flash"},
		{"pages leave a rest",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+63K\n"
			"pages = 2K\n",
			NULL, "do not fill"},
		{"pages not aligned",
			"[chip 0x414]\nname = a\nwrite-align = 16\nflash = 0x08000000+40\n"
			"pages = 8\n",
			NULL, "multiple of 'write-align'"},
		{"more pages than numbers",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+1M\n"
			"pages = 16\n",
			NULL, "more pages than"},
		{"open run in the middle",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 2K 1x2K\n",
			NULL, "may be a SIZE alone"},
		{"no pages of a size",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 4x\n",
			NULL, "COUNTxSIZE"},
		{"thirteen runs",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+13K\n"
			"pages = 1x1K 1x1K 1x1K 1x1K 1x1K 1x1K 1x1K 1x1K 1x1K 1x1K 1x1K 1x1K "
			"1x1K\n",
			NULL, "at most 12"},
		{"bit without a value", GATE "pages-if = 0x1FFF7800 22\n", NULL, "BIT=VALUE"},
		{"bit of 33", GATE "pages-if = 0x1FFF7800 32=1\n", NULL, "BIT=VALUE"},
		{"bit of 2", GATE "pages-if = 0x1FFF7800 22=2\n", NULL, "BIT=VALUE"},
		{"bit of no word", GATE "pages-if = 22=1\n", NULL, "BIT=VALUE"},
		{"three bits", GATE "pages-if = 0x1FFF7800 22=1 21=1 20=1\n", NULL, "BIT=VALUE"},
		{"word not aligned", GATE "pages-if = 0x1FFF7802 22=1\n", NULL, "BIT=VALUE"},
		{"jump before the first run",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = @12 2K\n",
			NULL, "COUNTxSIZE"},
		{"jump behind the last run",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 32x2K @12\n",
			NULL, "COUNTxSIZE"},
		{"jump back",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 16x2K @15 16x2K\n",
			NULL, "must rise"},
		{"jump too far",
			"[chip 0x414]\nname = a\nwrite-align = 4\nflash = 0x08000000+64K\n"
			"pages = 16x2K @65500 100x64 @65515 2K\n",
			NULL, "the numbers of the pages must rise"},
		{"other pages without a bit", GATE "pages-else = 4K\n", NULL, "'pages-if'"},
		{"other pages that do not fill",
			GATE "pages-if = 0x1FFF7800 22=1\npages-else = 2x4K\n", NULL,
			"pages-else: the pages do not fill"},
		{"pages of a smaller part that fill",
			GATE "pages-if = 0x1FFF7800 22=1\npages-else-smaller = 4K\n", NULL,
			"less flash than the row says"},
		{"unknown limitation", GATE "rom-limits = slow\n", NULL, "erase-singly"},
		{"limitation of a ROM with a large id", GATE "rom-limits = 0x121:erase-early\n",
			NULL, "ID:LIMIT"},
		{"limitation of a ROM with a name", GATE "rom-limits = V9:erase-early\n", NULL,
			"ID:LIMIT"},
		{"five limitations",
			GATE "rom-limits = 1:erase-early 2:erase-early 3:erase-early "
			     "4:erase-early 5:erase-early\n",
			NULL, "at most 4"},
		{"list of the stub in capitals", GATE "stub = G0\n", NULL, "like g0"},
		{"list of the stub of eight letters", GATE "stub = stm32f10\n", NULL, "at most 7"},
		{"swap without a bit", GATE "swapped-if = 0x1FFF7800\n", NULL, "BIT=VALUE"},
		{"unknown flag", GATE "flags = no-mass-erase fast\n", NULL, "silent-bad-address"},
		{"empty lists", GATE "max-erase-pages = 0\n", NULL, "1 to 65519"},
		{"lists too long", GATE "max-erase-pages = 65520\n", NULL, "1 to 65519"},
		{"slow is faster", GATE "startup-slow = 1ms\n", NULL, "is less than 'startup'"},
		{"time without unit", GATE "page-erase = 20\n", NULL, "a duration"},
		{"limit below the usual", GATE "page-erase = 2s\npage-erase-max = 1s\n", NULL,
			"is less than 'page-erase'"},
		{"limit below the usual, all", GATE "mass-erase = 2s\nmass-erase-max = 1s\n", NULL,
			"is less than 'mass-erase'"},
		{"bad chips.d", GATE, "[chip 0x414]\nname = a\nwrite-align = 7\n",
			"10-first.conf:3: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		struct chip_table table = {0};
		bool said = false;
		char line[1024] = "";

		print_message("# %s\n", rows[i].name);
		assert_int_equal(load(rows[i].table, rows[i].local, NULL, &table, &problems),
			OUTCOME_BAD_CONFIG);
		assert_null(table.items);
		for (size_t k = 0; k < problems.n_items && !said; k++) {
			ini_problem_format(&problems.items[k], line, sizeof(line));
			said = strstr(line, rows[i].said) != NULL;
		}
		if (!said)
			fail_msg("expected '%s' in '%s'", rows[i].said, line);
	}
}

static void a_missing_table_is_an_error_of_the_environment(void **state)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	struct chip_table table = {0};

	(void)state;
	assert_int_equal(load(NULL, NULL, NULL, &table, &problems), -ENOENT);
	assert_int_equal(problems.n_items, 1);
	assert_null(table.items);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_chips_d_replace_and_add),
		cmocka_unit_test(ids_are_unique_within_a_family),
		cmocka_unit_test(a_family_has_its_own_keys_alone),
		cmocka_unit_test(flags_of_before_are_taken_and_change_nothing),
		cmocka_unit_test(a_short_row_gets_careful_defaults),
		cmocka_unit_test(bad_tables_are_refused_with_their_line),
		cmocka_unit_test(a_missing_table_is_an_error_of_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
