/* SPDX-License-Identifier: MIT */
/*
 * test-text.c - text from outside, made fit to be shown; sentences that are bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "unit/rows.h"

struct escape_row {
	const char *name;
	const char *from;
	size_t size;
	const char *to;
};

static const struct escape_row escapes[] = {
	{"escape: nothing for NULL", NULL, 16, ""},
	{"escape: plain text stays", "CP2102 UART 100%", 64, "CP2102 UART 100%"},
	{"escape: other scripts stay", "Schl\xC3\xBCssel \xE6\x9D\xBF \xF0\x9F\x94\x8C", 64,
		"Schl\xC3\xBCssel \xE6\x9D\xBF \xF0\x9F\x94\x8C"},
	{"fault 65: a newline cannot begin a line of its own", "a\nPRIORITY=0", 64,
		"a\\x0aPRIORITY=0"},
	{"fault 65: quotes and backslashes", "'\"\\", 64, "\\x27\\x22\\x5c"},
	{"fault 65: control characters", "\x1b[2J\x07\x7f\t", 64, "\\x1b[2J\\x07\\x7f\\x09"},
	{"fault 65: control characters beyond ASCII", "\xC2\x9B", 64, "\\xc2\\x9b"},
	{"fault 65: format characters are only text", "%n%s%9999999d", 64, "%n%s%9999999d"},
	{"fault 65: a path is only text", "../../etc/passwd", 64, "../../etc/passwd"},
	{"fault 65: what turns the line around",
		"a\xE2\x80\xAE"
		"b",
		64, "a\\xe2\\x80\\xaeb"},
	{"escape: a stray continuation byte", "a\x80z", 64, "a\\x80z"},
	{"escape: an overlong slash", "\xC0\xAF", 64, "\\xc0\\xaf"},
	{"escape: a surrogate", "\xED\xA0\x80", 64, "\\xed\\xa0\\x80"},
	{"escape: a character cut off", "a\xE6\x9D", 64, "a\\xe6\\x9d"},
	{"escape: exactly as large as the room", "abcdefg", 8, "abcdefg"},
	{"escape: cut with dots", "abcdefgh", 8, "abcd..."},
	{"escape: never cut inside an escape", "ab\n\nefgh", 12, "ab\\x0a..."},
	{"escape: never cut inside a character", "ab\xE6\x9D\xBF\xE6\x9D\xBF", 8, "ab..."},
	{"escape: hardly any room", "abcdefgh", 3, ".."},
	{"escape: room for the NUL only", "abc", 1, ""},
};

static void escape_row_holds(void **state)
{
	const struct escape_row *row = *state;
	char *to CLEANUP(freep) = malloc(row->size);

	assert_ptr_equal(text_escape(row->from, to, row->size), to);
	assert_string_equal(to, row->to);
}

struct looks_row {
	const char *name;
	const char *bytes;
};

/* What a terminal, a spreadsheet or an eye takes for something else: an example of each form. */
static const struct looks_row misleading[] = {
	{"C1 control CSI", "\xC2\x9B"},
	{"DEL", "\x7F"},
	{"no-break space", "\xC2\xA0"},
	{"soft hyphen", "\xC2\xAD"},
	{"combining acute accent", "\xCC\x81"},
	{"combining grapheme joiner", "\xCD\x8F"},
	{"Greek capital alpha", "\xCE\x91"},
	{"Cyrillic capital A", "\xD0\x90"},
	{"Hebrew alef", "\xD7\x90"},
	{"Arabic letter mark", "\xD8\x9C"},
	{"Hangul choseong filler", "\xE1\x85\x9F"},
	{"Hangul jungseong filler", "\xE1\x85\xA0"},
	{"Khmer inherent vowel", "\xE1\x9E\xB4"},
	{"Mongolian vowel separator", "\xE1\xA0\x8E"},
	{"combining mark above", "\xE1\xAA\xB0"},
	{"em space", "\xE2\x80\x83"},
	{"zero width space", "\xE2\x80\x8B"},
	{"zero width joiner", "\xE2\x80\x8D"},
	{"line separator", "\xE2\x80\xA8"},
	{"right-to-left override", "\xE2\x80\xAE"},
	{"narrow no-break space", "\xE2\x80\xAF"},
	{"word joiner", "\xE2\x81\xA0"},
	{"first strong isolate", "\xE2\x81\xA8"},
	{"fraction slash", "\xE2\x81\x84"},
	{"combining enclosing circle", "\xE2\x83\x9D"},
	{"Kelvin sign", "\xE2\x84\xAA"},
	{"Braille blank", "\xE2\xA0\x80"},
	{"ideographic space", "\xE3\x80\x80"},
	{"combining dakuten", "\xE3\x82\x99"},
	{"Hangul filler", "\xE3\x85\xA4"},
	{"private use", "\xEE\x80\x80"},
	{"compatibility ideograph", "\xEF\xA4\x80"},
	{"Latin ligature fi", "\xEF\xAC\x81"},
	{"variation selector", "\xEF\xB8\x8F"},
	{"byte order mark", "\xEF\xBB\xBF"},
	{"full width equals sign", "\xEF\xBC\x9D"},
	{"full width A", "\xEF\xBC\xA1"},
	{"half width Hangul filler", "\xEF\xBE\xA0"},
	{"interlinear annotation", "\xEF\xBF\xB9"},
	{"replacement character", "\xEF\xBF\xBD"},
	{"no character", "\xEF\xBF\xBF"},
	{"mathematical bold A", "\xF0\x9D\x90\x80"},
	{"musical invisible begin beam", "\xF0\x9D\x85\xB3"},
	{"skin tone", "\xF0\x9F\x8F\xBB"},
	{"tag letter A", "\xF3\xA0\x81\x81"},
	{"variation selector 17", "\xF3\xA0\x84\x80"},
};

static void what_misleads_is_escaped_everywhere(void **state)
{
	char *(*const escapes_of[])(const char *, char *, size_t) = {
		text_escape, text_cell, text_identifier, text_show};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(misleading); i++)
		for (size_t k = 0; k < ARRAY_SIZE(escapes_of); k++) {
			char from[32], to[128], expected[128] = "A1";

			snprintf(from, sizeof(from), "A1%sB", misleading[i].bytes);
			for (const char *c = misleading[i].bytes; *c; c++)
				snprintf(expected + strlen(expected), 8, "\\x%02x",
					(unsigned char)*c);
			strncat(expected, "B", 2);
			print_message("# %s\n", misleading[i].name);
			assert_string_equal(escapes_of[k](from, to, sizeof(to)), expected);
		}
	assert_int_equal(text_plain_first("\xE2\x80\x8B"), 0);
	assert_int_equal(text_plain_first("\xE6\x9D\xBF"), 3);
}

/* ASCII without blanks that are not seen; a backslash begins an escape and nothing else. */
static void two_serial_numbers_never_look_the_same(void **state)
{
	static const struct escape_row rows[] = {
		{"plain", "GATE-0001", 64, "GATE-0001"},
		{"a blank behind", "A1 ", 64, "A1\\x20"},
		{"a blank before", " A1", 64, "\\x20A1"},
		{"one blank inside", "A 1", 64, "A 1"},
		{"two blanks inside", "A  1", 64, "A\\x20 1"},
		{"a blank alone", " ", 64, "\\x20"},
		{"a letter with a mark", "\xC3\x9C", 64, "\\xc3\\x9c"},
		{"that looks like an escape", "A\\x20", 64, "A\\x5cx20"},
		{"not UTF-8", "A\x9B", 64, "A\\x9b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char to[64];

		print_message("# %s\n", rows[i].name);
		assert_string_equal(text_identifier(rows[i].from, to, sizeof(to)), rows[i].to);
	}
}

/* The longest serial number a descriptor can hold, in two that differ at the end. */
static void the_longest_serial_number_is_shown_whole(void **state)
{
	char from[126 * 3 + 1], one[TEXT_ESCAPED_MAX], other[TEXT_ESCAPED_MAX];

	(void)state;
	for (size_t i = 0; i < 126; i++)
		memcpy(from + 3 * i, "\xE6\x9D\xBF", 3);
	from[sizeof(from) - 1] = '\0';
	text_identifier(from, one, sizeof(one));
	assert_int_equal(strlen(one), TEXT_ESCAPED_MAX - 1);
	from[sizeof(from) - 2]--;
	text_identifier(from, other, sizeof(other));
	assert_string_not_equal(one, other);
}

static void what_stands_in_no_quotes_keeps_its_own(void **state)
{
	char to[64];

	(void)state;
	assert_string_equal(text_show("it said 'a\\x0a\"'", to, sizeof(to)), "it said 'a\\x0a\"'");
	assert_string_equal(text_show("a\n\033[2J\xFF", to, sizeof(to)), "a\\x0a\\x1b[2J\\xff");
	assert_string_equal(text_show(NULL, to, sizeof(to)), "");
	assert_string_equal(text_show("abcdefgh", to, 8), "abcd...");
}

static void fault_65_a_string_of_126_units_is_bounded(void **state)
{
	char from[126 * 3 + 1];
	char to[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 126; i++)
		memcpy(from + 3 * i, "\xE2\x80\xAE", 3);
	from[sizeof(from) - 1] = '\0';
	text_escape(from, to, sizeof(to));
	assert_in_range(strlen(to), TEXT_MAX - 20, TEXT_MAX - 1);
	assert_string_equal(to + strlen(to) - 3, "...");
}

/* Whatever goes in, what comes out is one line of UTF-8 within its room. */
static void fault_65_random_bytes_come_out_as_one_line(void **state)
{
	uint32_t random = 2463534242u;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		char from[40];
		size_t size = round % 48 + 1;
		char *to CLEANUP(freep) = malloc(size);

		for (size_t i = 0; i + 1 < sizeof(from); i++) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			from[i] = (char)(random >> 11 | 1);
		}
		from[sizeof(from) - 1] = '\0';
		text_escape(from, to, size);
		assert_true(strlen(to) < size);
		assert_true(text_is_utf8(to, strlen(to)));
		assert_null(strpbrk(to, "\n\r\033'\""));
	}
}

static void words_are_as_far_as_the_slips_between_them(void **state)
{
	static const struct {
		const char *a, *b;
		size_t far;
	} words[] = {{"chip", "chip", 0}, {"chpi", "chip", 1}, {"Chip", "cHIP", 0}, {"", "abc", 3},
		{"prodct", "product", 1}, {"verison", "version", 1}, {"boot", "root", 1},
		{"abcdefghijklmnopqrstuvwxyz0123456", "a", TEXT_FAR}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(text_distance(words[i].a, words[i].b), words[i].far);
		assert_int_equal(text_distance(words[i].b, words[i].a), words[i].far);
	}
}

struct utf8_row {
	const char *name;
	const char *text;
	size_t n;
	bool good;
};

static const struct utf8_row utf8s[] = {
	{"UTF-8: empty", "", 0, true},
	{"UTF-8: ASCII", "abc", 3, true},
	{"UTF-8: the last of each length", "\x7F\xDF\xBF\xEF\xBF\xBF\xF4\x8F\xBF\xBF", 10, true},
	{"UTF-8: no NUL", "a\0b", 3, false},
	{"UTF-8: no overlong forms of two", "\xC1\xBF", 2, false},
	{"UTF-8: no overlong forms of three", "\xE0\x9F\xBF", 3, false},
	{"UTF-8: no overlong forms of four", "\xF0\x8F\xBF\xBF", 4, false},
	{"UTF-8: no surrogates", "\xED\xBF\xBF", 3, false},
	{"UTF-8: nothing above U+10FFFF", "\xF4\x90\x80\x80", 4, false},
	{"UTF-8: no lead bytes of five", "\xF8\x88\x80\x80\x80", 5, false},
	{"UTF-8: the end of the bytes is the end", "\xC3\xA9", 1, false},
};

static void utf8_row_holds(void **state)
{
	const struct utf8_row *row = *state;

	assert_int_equal(text_is_utf8(row->text, row->n), row->good);
}

static void reason_is_bounded_and_cut_at_a_character(void **state)
{
	struct reason reason;
	char text[600];

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xE6\x9D\xBF", 3);
	text[597] = '\0';
	for (int shift = 0; shift < 4; shift++) {
		size_t n;

		reason_set(&reason, "%.*s%s", shift, "abc", text);
		n = strlen(reason.text);
		assert_in_range(n, sizeof(reason.text) - 6, sizeof(reason.text) - 1);
		assert_string_equal(reason.text + n - 3, "...");
		assert_true(text_is_utf8(reason.text, n));
	}
}

static void reason_may_hold_the_reason_before(void **state)
{
	struct reason reason;

	(void)state;
	reason_set(&reason, "the port is busy");
	reason_set(&reason, "/dev/ttyUSB0: %s, held by %d", reason.text, 42);
	assert_string_equal(reason.text, "/dev/ttyUSB0: the port is busy, held by 42");
}

int main(void)
{
	struct CMUnitTest tests[64];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, escapes, escape_row_holds);
	ADD_ROWS(tests, n_tests, utf8s, utf8_row_holds);
	ADD_TEST(tests, n_tests, words_are_as_far_as_the_slips_between_them);
	ADD_TEST(tests, n_tests, the_longest_serial_number_is_shown_whole);
	ADD_TEST(tests, n_tests, what_stands_in_no_quotes_keeps_its_own);
	ADD_TEST(tests, n_tests, what_misleads_is_escaped_everywhere);
	ADD_TEST(tests, n_tests, two_serial_numbers_never_look_the_same);
	ADD_TEST(tests, n_tests, fault_65_a_string_of_126_units_is_bounded);
	ADD_TEST(tests, n_tests, fault_65_random_bytes_come_out_as_one_line);
	ADD_TEST(tests, n_tests, reason_is_bounded_and_cut_at_a_character);
	ADD_TEST(tests, n_tests, reason_may_hold_the_reason_before);
	return RUN_TESTS("text", tests, n_tests);
}
