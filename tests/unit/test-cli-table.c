/* SPDX-License-Identifier: MIT */
/* A table in lines of any length, and on a terminal that has no room for its rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "cli/table.h"

static const char *const cells[][4] = {
	{"PORT", "PRODUCT", "PATH", "REASON"},
	{"ttyUSB0", "CP2102 USB to UART", "usb-0:1:1.0", NULL},
	{"ttyUSB12", "Gate", "usb-0:12:1.0", "no boot loader: no answer: check power and wiring"},
};

static const struct {
	const char *name;
	unsigned room;
	const char *expected;
} rows[] = {
	{"no terminal", 0,
		"PORT      PRODUCT             PATH          REASON\n"
		"ttyUSB0   CP2102 USB to UART  usb-0:1:1.0   -\n"
		"ttyUSB12  Gate                usb-0:12:1.0  no boot loader: no answer: check power and wiring\n"},
	{"a wide one", 200,
		"PORT      PRODUCT             PATH          REASON\n"
		"ttyUSB0   CP2102 USB to UART  usb-0:1:1.0   -\n"
		"ttyUSB12  Gate                usb-0:12:1.0  no boot loader: no answer: check power and wiring\n"},
	{"one with room for three columns", 60,
		"PORT      PRODUCT             PATH\n    REASON\n"
		"ttyUSB0   CP2102 USB to UART  usb-0:1:1.0\n    -\n"
		"ttyUSB12  Gate                usb-0:12:1.0\n"
		"    no boot loader: no answer: check power and wiring\n"},
	{"one with room for two", 32,
		"PORT      PRODUCT\n    PATH\n    REASON\n"
		"ttyUSB0   CP2102 USB to UART\n    usb-0:1:1.0\n    -\n"
		"ttyUSB12  Gate\n    usb-0:12:1.0\n"
		"    no boot loader: no answer:\n    check power and wiring\n"},
};

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(table_done) struct table table = {.n_columns = 4};
		CLEANUP(freep) char *text = NULL;
		size_t n_text = 0;
		FILE *to = open_memstream(&text, &n_text);

		print_message("# %s\n", rows[i].name);
		assert_non_null(to);
		for (size_t j = 0; j < ARRAY_SIZE(cells); j++)
			assert_int_equal(table_add_row(&table, cells[j]), 0);
		table_print(&table, rows[i].room, to);
		fclose(to);
		assert_string_equal(text, rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
