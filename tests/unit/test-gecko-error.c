/* SPDX-License-Identifier: MIT */
/* test-gecko-error.c - the codes of Silicon Labs' boot loaders, in words (gecko.md 2 and 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "loader/gecko-error.h"
#include "unit/rows.h"

struct error_row {
	const char *name;
	const char *text;
	enum gecko_cause cause;
	bool is_final;
	const char *words, *also; /* NULL: none at all */
};

#define ABORTED "\n\nSerial upload aborted\n\n"
#define MENU	"\n\nGecko Bootloader v1.12.01\n1. upload gbl\n2. run\n3. ebl info\nBL > "

static const struct error_row error_rows[] = {
	{"error: nothing", "", GECKO_CAUSE_UNKNOWN, false, NULL, NULL},
	{"error: a menu", MENU, GECKO_CAUSE_UNKNOWN, false, NULL, NULL},
	{"error: no digits", ABORTED "file error 0x\n" MENU, GECKO_CAUSE_UNKNOWN, false, NULL,
		NULL},
	{"error: too many digits", "file error 0x123456789", GECKO_CAUSE_UNKNOWN, false, NULL,
		NULL},
	{"error: zero", "error code 0x00\n", GECKO_CAUSE_UNKNOWN, false, NULL, NULL},
	{"error: an unknown base", "file error 0x7777", GECKO_CAUSE_UNKNOWN, false, NULL, NULL},

	{"error: the sum, two digits", ABORTED "file error 0x43\n" MENU, GECKO_CAUSE_DAMAGED, false,
		"sum over the file", "(file error 0x43)"},
	{"error: the sum, four digits", ABORTED "file error 0x1005\n" MENU, GECKO_CAUSE_DAMAGED,
		false, "sum over the file", "(file error 0x1005)"},
	{"error: the sum, low byte alone", ABORTED "file error 0x05\n", GECKO_CAUSE_DAMAGED, false,
		"sum over the file", "(file error 0x05)"},
	{"error: the sum, one digit", "file error 0x5\n", GECKO_CAUSE_DAMAGED, false,
		"sum over the file", "(file error 0x5)"},
	{"error: signature, two digits", "file error 0x45", GECKO_CAUSE_KEY, true, "signature",
		"no further try would help"},
	{"error: signature, four digits", "FILE ERROR 0x1006", GECKO_CAUSE_KEY, true, "signature",
		"signed for it"},
	{"error: signature, low byte alone", "file error 0x06", GECKO_CAUSE_KEY, true, "signature",
		NULL},
	{"error: key, two digits", "file error 0x50", GECKO_CAUSE_KEY, true, "key", NULL},
	{"error: key, four digits", "file error 0x1004", GECKO_CAUSE_KEY, true, "key", NULL},
	{"error: security", "file error 0x0603", GECKO_CAUSE_KEY, true, "security", NULL},
	{"error: rejected", "file error 0x100C", GECKO_CAUSE_DEVICE, true, "rejected",
		"not older than"},
	{"error: rejected, low byte alone", "file error 0x0c", GECKO_CAUSE_DEVICE, true, "rejected",
		NULL},
	{"error: parse", "file error 0x0202", GECKO_CAUSE_DEVICE, true, "verified and refused",
		"is it the file for this board"},
	{"error: parse, another offset", "file error 0x0201", GECKO_CAUSE_DEVICE, true, "parse",
		NULL},
	{"error: a tag, two digits", "file error 0x44", GECKO_CAUSE_FORMAT, true, "unknown tag",
		"newer boot loader"},
	{"error: version, two digits", "file error 0x41", GECKO_CAUSE_FORMAT, true, "version",
		NULL},
	{"error: tag, type or end, two digits", "file error 0x4F", GECKO_CAUSE_FORMAT, true,
		"its end", NULL},
	{"error: parser, another offset", "file error 0x10FF", GECKO_CAUSE_FORMAT, true,
		"take the file apart", NULL},
	{"error: storage", "file error 0x0401", GECKO_CAUSE_FLASH, false, "storage", "power"},
	{"error: a block, two digits", "block error 0x23", GECKO_CAUSE_LINE, false, "block",
		"(block error 0x23): check cable"},
	{"error: a block, four digits", "block error 0x0905", GECKO_CAUSE_LINE, false, "block",
		NULL},
	{"error: a block, low byte alone", "block error 0x05", GECKO_CAUSE_LINE, false, "block",
		"(block error 0x05)"},
	{"error: XModem, as older ones say", "XModem block error 0x21", GECKO_CAUSE_LINE, false,
		"block", NULL},
	{"error: given up", "block error 0x18", GECKO_CAUSE_UNKNOWN, false, "did not say why",
		NULL},
	{"error: the last one counts", "file error 0x45\n" MENU ABORTED "file error 0x43",
		GECKO_CAUSE_DAMAGED, false, "sum over the file", NULL},
};

static void a_code_has_words(void **state)
{
	const struct error_row *row = *state;
	char words[TEXT_MAX];
	enum gecko_cause cause = gecko_error_read(row->text, words, sizeof(words));

	assert_int_equal(cause, row->cause);
	assert_int_equal(gecko_cause_is_final(cause), row->is_final);
	if (!row->words)
		assert_string_equal(words, "");
	else if (!strstr(words, row->words) || (row->also && !strstr(words, row->also)))
		fail_msg("%s", words);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, error_rows, a_code_has_words);
	return RUN_TESTS("gecko error", tests, n_tests);
}
