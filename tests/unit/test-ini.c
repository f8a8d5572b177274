/* SPDX-License-Identifier: MIT */
/*
 * test-ini.c - what is read, what is refused with which sentence, and that no text brings it down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ini.h"
#include "base/text.h"
#include "unit/problems.h"
#include "unit/rows.h"

/* Sections as "[kind|name]", entries as "key=<value>", each with its line. */
static char *dump(const struct ini *ini)
{
	char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	assert_non_null(to);
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *section = &ini->sections[i];

		fprintf(to, "%u[%s|%s]\n", section->line, section->kind, section->name);
		for (size_t k = 0; k < section->n_entries; k++)
			fprintf(to, "%u %s=<%s>\n", section->entries[k].line,
				section->entries[k].key, section->entries[k].value);
	}
	assert_int_equal(fclose(to), 0);
	return text;
}

struct text_row {
	const char *name;
	const char *text;
	size_t n_text; /* 0: up to the NUL */
	const char *problems;
	const char *sections;
};

#define TEN	  "0123456789"
#define HUNDRED	  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG_WORD HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct text_row texts[] = {
	{"ini: nothing", "", 0, "", ""},
	{"ini: comments and blank lines", "# a\n; b\n\n  # c\n\t; d\n", 0, "", ""},
	{"ini: sections and entries", "[service]\na=1\n[board gate]\n b-2 = x y\n", 0,
		"f:4: [board gate] an indented line continues the value above, but there is none: "
		"' b-2 = x y'\n",
		"1[service|]\n2 a=<1>\n3[board|gate]\n"},
	{"ini: blanks around all of it", "[  board \t kiosk gate  ]  # x\na  =  1 2  \nb:c=d\n", 0,
		"", "1[board|kiosk gate]\n2 a=<1 2>\n3 b=<c=d>\n"},
	{"ini: the last line needs no end", "[a]\nb=c", 0, "", "1[a|]\n2 b=<c>\n"},
	{"ini: continued lines", "[a]\nb = 1\n  2 ; two\n\n\t# no\n\t3\nc =\n 4\nd=\n", 0, "",
		"1[a|]\n2 b=<1 2 3>\n7 c=<4>\n9 d=<>\n"},
	{"ini: a heading is no continuation when it is not indented", "[a]\nb=1\n[c]\nd=2\n", 0, "",
		"1[a|]\n2 b=<1>\n3[c|]\n4 d=<2>\n"},
	{"ini: an indented heading is a value", "[a]\nb=1\n [c]\n", 0, "", "1[a|]\n2 b=<1 [c]>\n"},
	{"ini: comments behind a value", "[a]\nb = x;y #z ; w\nc=;x\nd = ;x\n", 0, "",
		"1[a|]\n2 b=<x;y #z>\n3 c=<;x>\n4 d=<>\n"},
	{"ini: an empty section is there", "[a]\n[b]\n", 0, "", "1[a|]\n2[b|]\n"},
	{"ini: entry before the first section", "a=1\nb=2\n[c]\nd=1\n", 0,
		"f:1: an entry before the first [heading]\n", "3[c|]\n4 d=<1>\n"},
	{"ini: continuation before the first section", "  a\n", 0,
		"f:1: an indented line continues the value above, but there is none: '  a'\n", ""},
	{"ini: a line that is neither", "[a]\nhello there\nb=1\n", 0,
		"f:2: [a] expected 'key = value', a [heading] or a comment, got 'hello there'\n",
		"1[a|]\n3 b=<1>\n"},
	{"ini: the last line is neither", "[a]\nhello", 0,
		"f:2: [a] expected 'key = value', a [heading] or a comment, got 'hello'\n",
		"1[a|]\n"},
	{"ini: what continues a refused line is not added elsewhere",
		"[a]\nb=1\nhello\n  2\nc d=3\n  4\n", 0,
		"f:3: [a] expected 'key = value', a [heading] or a comment, got 'hello'\n"
		"f:5: [a] expected a key of at most 49 letters, digits, '-', '_', '.', got 'c d'\n",
		"1[a|]\n2 b=<1>\n"},
	{"ini: no key", "[a]\n=1\n", 0,
		"f:2: [a] expected a key of at most 49 letters, digits, '-', '_', '.', got ''\n",
		"1[a|]\n"},
	{"ini: an unfinished heading, and what stood in it",
		"[a]\nb=1\n[board gate\nc=1\n 2\n[d]\ne=1\n", 0,
		"f:3: expected a heading like [service] or [board gate], got '[board gate'\n",
		"1[a|]\n2 b=<1>\n6[d|]\n7 e=<1>\n"},
	{"ini: text behind a heading", "[a] b\n", 0,
		"f:1: expected a heading like [service] or [board gate], got '[a] b'\n", ""},
	{"ini: an empty heading", "[ ]\n[]\n", 0,
		"f:1: expected a heading like [service] or [board gate], got '[ ]'\n"
		"f:2: expected a heading like [service] or [board gate], got '[]'\n",
		""},
	{"fault 48: duplicate section", "[a b]\nc=1\n[a  b]\nc=2\n[a]\n[A b]\n", 0,
		"f:3: [a b] stands already in f, line 1\n", "1[a|b]\n2 c=<1>\n5[a|]\n6[A|b]\n"},
	{"fault 48: duplicate key", "[a]\nb=1\nc=1\nb=2\n 3\nd=4\n", 0,
		"f:4: [a] b: stands already in line 2\n", "1[a|]\n2 b=<1>\n3 c=<1>\n6 d=<4>\n"},
	{"fault 48: NUL in a value", "[a]\nb=1\0zzz\nc=2\n", 16,
		"f:2: [a] NUL byte 0x00 at byte 4 of the line\n", "1[a|]\n3 c=<2>\n"},
	{"fault 48: NUL in a heading", "[a\0]\nb=1\n", 9,
		"f:1: NUL byte 0x00 at byte 3 of the line\n", ""},
	{"fault 48: NUL in a comment", "#\0\n", 3, "f:1: NUL byte 0x00 at byte 2 of the line\n",
		""},
	{"fault 48: invalid UTF-8", "[a]\nb=\xC3\xA9\nc=\xE9\nd=\xC0\x80\n", 0,
		"f:3: [a] the line is not UTF-8\nf:4: [a] the line is not UTF-8\n",
		"1[a|]\n2 b=<\xC3\xA9>\n"},
	{"fault 48: byte order mark", "\xEF\xBB\xBF[a]\nb=1\nx\n", 0,
		"f:1: the file begins with a byte order mark; save it as UTF-8 without one\n"
		"f:3: [a] expected 'key = value', a [heading] or a comment, got 'x'\n",
		"1[a|]\n2 b=<1>\n"},
	{"fault 48: CR LF", "# x\r\n[a]\r\nb=1\r\nx\r\n", 0,
		"f:1: the line ends in CR LF; save the file with Unix line ends\n"
		"f:4: [a] expected 'key = value', a [heading] or a comment, got 'x'\n",
		"2[a|]\n3 b=<1>\n"},
	{"fault 48: CR LF at the very end", "[a]\nb=1\r", 0,
		"f:2: [a] the line ends in CR LF; save the file with Unix line ends\n",
		"1[a|]\n2 b=<1>\n"},
	{"fault 52: control characters", "[a]\nb=1\x1b[2J\nc=x\rPRIORITY=0\n", 0,
		"f:2: [a] control character 0x1b at byte 4 of the line\n"
		"f:3: [a] control character 0x0d at byte 4 of the line\n",
		"1[a|]\n"},
	{"fault 52: format characters and quotes", "[a %n]\nb=%n%s\n%n%n%n%s'\"\n", 0,
		"f:3: [a %n] expected 'key = value', a [heading] or a comment, got "
		"'%n%n%n%s\\x27\\x22'\n",
		"1[a|%n]\n2 b=<%n%s>\n"},
	{"ini: the longest line", "[a]\nb=" HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234\n",
		0, "", "1[a|]\n2 b=<" HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234>\n"},
	{"fault 48: one byte more",
		"[a]\nb=" HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "012345\n", 0,
		"f:2: [a] the line has 198 bytes, the limit is 197; continue it on an indented "
		"line\n",
		"1[a|]\n"},
	{"ini: the longest line of a continuation",
		"[a]\nb=1\n " HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "012345\n", 0, "",
		"1[a|]\n2 b=<1 " HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "012345>\n"},
	{"ini: a name longer than the library keeps", "[board " HUNDRED "]\na=1\n", 0, "",
		"1[board|" HUNDRED "]\n2 a=<1>\n"},
	{"ini: the longest key", "[a]\n" TEN TEN TEN TEN "012345678=1\n", 0, "",
		"1[a|]\n2 " TEN TEN TEN TEN "012345678=<1>\n"},
	{"fault 48: a key longer than the library keeps", "[a]\n" TEN TEN TEN TEN TEN "=1\n", 0,
		"f:2: [a] expected a key of at most 49 letters, digits, '-', '_', '.', got '" TEN
			TEN TEN TEN TEN "'\n",
		"1[a|]\n"},
};

/* A copy of exactly that size, so that reading past its end is seen. */
static int load_exact(
	struct ini *ini, const char *text, size_t n_text, struct ini_problems *problems)
{
	char *copy CLEANUP(freep) = malloc(n_text ? n_text : 1);

	memcpy(copy, text, n_text);
	return ini_load_text(ini, "f", copy, n_text, problems);
}

static void text_row_holds(void **state)
{
	const struct text_row *row = *state;
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *sections CLEANUP(freep) = NULL;
	char *refused CLEANUP(freep) = NULL;

	assert_int_equal(load_exact(&ini, row->text, row->n_text ? row->n_text : strlen(row->text),
				 &problems),
		0);
	sections = dump(&ini);
	refused = dump_problems(&problems, NULL);
	assert_string_equal(refused, row->problems);
	assert_string_equal(sections, row->sections);
}

static void fault_48_duplicate_section_in_another_file(void **state)
{
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;

	(void)state;
	ini_load_text(&ini, "boards.d/10.conf", "[x]\n[board gate]\n", 17, &problems);
	ini_load_text(&ini, "boards.d/20.conf", "[board gate]\n", 13, &problems);
	refused = dump_problems(&problems, NULL);
	assert_string_equal(refused,
		"boards.d/20.conf:1: [board gate] stands already in boards.d/10.conf, line 2\n");
	assert_int_equal(ini.n_sections, 2);
}

static void fault_48_a_line_of_a_megabyte(void **state)
{
	const size_t n = 1000000;
	char *text CLEANUP(freep) = malloc(n + 32);
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *refused CLEANUP(freep) = NULL;
	char *sections CLEANUP(freep) = NULL;

	(void)state;
	strcpy(text, "[a]\nb=");
	memset(text + 6, 'x', n);
	strcpy(text + 6 + n, "\nc=1\n");
	assert_int_equal(load_exact(&ini, text, strlen(text), &problems), 0);
	refused = dump_problems(&problems, NULL);
	sections = dump(&ini);
	assert_string_equal(refused,
		"f:2: [a] the line has 1000002 bytes, the limit is 197; continue it on an "
		"indented line\n");
	assert_string_equal(sections, "1[a|]\n3 c=<1>\n");
}

static void problems_are_bounded_in_number(void **state)
{
	char text[4000];
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "x\n", 2);
	memcpy(text, "[a]\n", 4);
	assert_int_equal(load_exact(&ini, text, sizeof(text), &problems), 0);
	assert_int_equal(problems.n_items, INI_MAX_PROBLEMS + 1);
	assert_string_equal(problems.items[INI_MAX_PROBLEMS].message,
		"there are more problems than these; mend these first");
}

static void values_are_bounded(void **state)
{
	char *text CLEANUP(freep) = malloc(INI_FILE_BYTES);
	size_t n = 0;
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};

	(void)state;
	n += (size_t)sprintf(text, "[a]\nb=1\n");
	for (size_t i = 0; i < 9000; i++)
		n += (size_t)sprintf(text + n, " 1\n");
	assert_int_equal(load_exact(&ini, text, n, &problems), 0);
	assert_int_equal(problems.n_items, 1);
	assert_string_equal(problems.items[0].message, "the value is longer than 16384 bytes");
	assert_string_equal(problems.items[0].key, "b");
	assert_true(strlen(ini.sections[0].entries[0].value) <= INI_VALUE_BYTES);
}

static void sections_and_keys_are_bounded(void **state)
{
	char *text CLEANUP(freep) = malloc(INI_FILE_BYTES);
	size_t n = 0;
	struct ini ini CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};

	(void)state;
	n += (size_t)sprintf(text, "[a]\n");
	for (size_t i = 0; i < 257; i++)
		n += (size_t)sprintf(text + n, "k%zu=1\n", i);
	for (size_t i = 0; i < 1024; i++)
		n += (size_t)sprintf(text + n, "[b %zu]\n", i);
	assert_int_equal(load_exact(&ini, text, n, &problems), 0);
	assert_int_equal(problems.n_items, 2);
	assert_string_equal(problems.items[0].message, "more than 256 keys in a section");
	assert_string_equal(problems.items[1].message,
		"more than 1024 sections in all files together: let a rule fit more bridges, or take some away");
}

/* Lines are not compared: writing joins and breaks them. */
static void assert_same_sections(const struct ini *a, const struct ini *b)
{
	assert_int_equal(a->n_sections, b->n_sections);
	for (size_t i = 0; i < a->n_sections; i++) {
		const struct ini_section *x = &a->sections[i];
		const struct ini_section *y = &b->sections[i];

		assert_string_equal(x->kind, y->kind);
		assert_string_equal(x->name, y->name);
		assert_int_equal(x->n_entries, y->n_entries);
		for (size_t k = 0; k < x->n_entries; k++) {
			assert_string_equal(x->entries[k].key, y->entries[k].key);
			assert_string_equal(x->entries[k].value, y->entries[k].value);
		}
	}
}

static void assert_writes_the_same(const struct ini *ini)
{
	struct ini again CLEANUP(ini_done) = {0};
	struct ini_problems problems CLEANUP(ini_problems_done) = {0};
	char *text CLEANUP(freep) = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	for (size_t i = 0; i < ini->n_sections; i++) {
		struct ini_section *copy;

		assert_int_equal(ini_section_copy(&ini->sections[i], &copy), 0);
		assert_int_equal(ini_section_write(copy, to), 0);
		ini_section_free(copy);
	}
	assert_int_equal(fclose(to), 0);
	assert_int_equal(load_exact(&again, text, n_text, &problems), 0);
	assert_int_equal(problems.n_items, 0);
	assert_same_sections(ini, &again);
}

static uint32_t random_next(uint32_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random;
}

static size_t mutate(char *text, size_t n, size_t room, uint32_t *random)
{
	static const char *const pieces[] = {"\n", " ", "\t", ";", " ;", "#", "[", "]", "=", ":",
		"\r\n", "\xEF\xBB\xBF", "\xC3\xA9", "\xFF", "  x", "\n ", "\n[board b]\n", "k=v\n",
		LONG_WORD, " " LONG_WORD " ", "%n", "\\", "'", "\x1b"};
	const char *piece = pieces[random_next(random) % ARRAY_SIZE(pieces)];
	size_t at = random_next(random) % (n + 1);
	size_t length = strlen(piece);

	switch (random_next(random) % 4) {
	case 0:
		if (at < n)
			text[at] = (char)random_next(random);
		return n;
	case 1:
		length = random_next(random) % 20;
		if (at + length > n)
			length = n - at;
		memmove(text + at, text + at + length, n - at - length);
		return n - length;
	default:
		if (n + length > room)
			return n;
		memmove(text + at + length, text + at, n - at);
		memcpy(text + at, piece, length);
		return n + length;
	}
}

static void fault_48_52_mutated_text_is_read_or_refused(void **state)
{
	static const char seed[] =
		"# boards\n[service]\nimage-dir = /srv/images ; here\nmax-jobs=4\n\n"
		"[board gate-1]\nserial = 0001*\nchip = 0x410,\n  0x414 ; high density\n\t0x418\n"
		"enter = rts=1,dtr=1 100ms dtr=0 50ms\n[board b]\nimage : b/*.hex\nnote =;x #y\n";
	uint32_t random = 88172645u;
	size_t n_clean = 0;
	size_t n_refused = 0;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		char text[2048];
		size_t n = strlen(seed);
		struct ini ini CLEANUP(ini_done) = {0};
		struct ini_problems problems CLEANUP(ini_problems_done) = {0};

		memcpy(text, seed, n);
		for (size_t k = random_next(&random) % 6 + 1; k > 0; k--)
			n = mutate(text, n, sizeof(text), &random);
		assert_int_equal(load_exact(&ini, text, n, &problems), 0);
		assert_writes_the_same(&ini);
		n_clean += problems.n_items == 0;
		n_refused += problems.n_items > 0;
		for (size_t i = 0; i < problems.n_items; i++) {
			char line[1024];

			assert_true(problems.items[i].line > 0);
			ini_problem_format(&problems.items[i], line, sizeof(line));
			assert_true(text_is_utf8(line, strlen(line)));
			assert_null(strpbrk(line, "\n\r\033"));
		}
	}
	/* Both ways were gone often. */
	assert_true(n_clean > 2000);
	assert_true(n_refused > 2000);
}

int main(void)
{
	struct CMUnitTest tests[128];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, texts, text_row_holds);
	ADD_TEST(tests, n_tests, fault_48_duplicate_section_in_another_file);
	ADD_TEST(tests, n_tests, fault_48_a_line_of_a_megabyte);
	ADD_TEST(tests, n_tests, fault_48_52_mutated_text_is_read_or_refused);
	ADD_TEST(tests, n_tests, problems_are_bounded_in_number);
	ADD_TEST(tests, n_tests, values_are_bounded);
	ADD_TEST(tests, n_tests, sections_and_keys_are_bounded);
	return RUN_TESTS("ini", tests, n_tests);
}
