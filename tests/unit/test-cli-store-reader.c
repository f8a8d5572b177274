/* SPDX-License-Identifier: MIT */
/* Times as people write them, and cells as spreadsheets take them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <time.h>

#include "api/csv.h"
#include "base/util.h"
#include "cli/when.c"

/* 2025-06-15 12:00:00 UTC, a Sunday. */
#define NOW INT64_C(1749988800000)

static const struct when_row {
	const char *text;
	int64_t msec; /* 0: refused */
} when_rows[] = {
	{"90s", NOW - 90000},
	{"30min", NOW - 1800000},
	{"2h", NOW - 7200000},
	{"3d", NOW - 259200000},
	{"0s", NOW},
	{"today", NOW - 12 * 3600000},
	{"yesterday", NOW - 36 * 3600000},
	{"2025-06-01", INT64_C(1748736000000)},
	{"2025-06-01 14:30", INT64_C(1748788200000)},
	{"2025-06-01 14:30:07", INT64_C(1748788207000)},
	{"2025-06-01T14:30", INT64_C(1748788200000)},
	{"2025-06-01T14:30:07", INT64_C(1748788207000)},
	{"2024-02-29", INT64_C(1709164800000)},
	{"2025-02-29", 0},
	{"2025-06-31", 0},
	{"2025-13-01", 0},
	{"2025-06-01 25:00", 0},
	{"2025-06-01 14:30x", 0},
	{"", 0},
	{"h", 0},
	{"2", 0},
	{"2w", 0},
	{"-2h", 0},
	{"99999999999999999999s", 0},
	{"9223372036854775807d", 0},
	{"tomorrow", 0},
};

static void times_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(when_rows); i++) {
		const struct when_row *row = &when_rows[i];
		int64_t msec = 0;
		int r = when_parse(row->text, NOW, &msec);

		if (r != (row->msec ? 0 : -EINVAL) || msec != row->msec)
			fail_msg("'%s': %d, %lld", row->text, r, (long long)msec);
	}
}

static void times_are_written(void **state)
{
	char text[64];

	(void)state;
	assert_string_equal(when_format(NOW, text, sizeof(text)), "2025-06-15 12:00:00");
	assert_string_equal(
		when_format_exact(NOW, text, sizeof(text)), "2025-06-15T12:00:00+00:00");
	assert_int_equal(setenv("TZ", "XXX+3:30", 1), 0);
	tzset();
	assert_string_equal(
		when_format_exact(NOW, text, sizeof(text)), "2025-06-15T08:30:00-03:30");
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	assert_string_equal(when_format(0, text, sizeof(text)), "");
	assert_string_equal(when_format_exact(-1, text, sizeof(text)), "");
}

static const struct csv_row {
	const char *name;
	const char *cells[3];
	const char *line;
} csv_rows[] = {
	{"plain", {"a", "b c", "1"}, "a,b c,1\r\n"},
	{"nothing", {"", NULL, "x"}, ",,x\r\n"},
	{"comma and quotes", {"a,b", "say \"c\"", "d"}, "\"a,b\",\"say \"\"c\"\"\",d\r\n"},
	{"fault 65: a line break", {"a\nb", "c", "d"}, "a\\x0ab,c,d\r\n"},
	{"fault 65: what a spreadsheet would compute", {"=1+1", "@x", "-1"},
		"\"'=1+1\",\"'@x\",\"'-1\"\r\n"},
	{"what it would compute once it is trimmed",
		{" =1", "\t=1",
			"\xEF\xBC\x9D"
			"1"},
		"\"' =1\",\\x09=1,\\xef\\xbc\\x9d1\r\n"},
	{"what it would compute where semicolons part cells", {"a;=1", "a; b", "a; @b"},
		"\"a;'=1\",\"a; b\",\"a;' @b\"\r\n"},
};

static void cells_stay_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(csv_rows); i++) {
		const struct csv_row *row = &csv_rows[i];
		CLEANUP(freep) char *text = NULL;
		size_t n_text;
		FILE *to = open_memstream(&text, &n_text);

		csv_write_row(row->cells, ARRAY_SIZE(row->cells), to);
		fclose(to);
		if (strcmp(text, row->line) != 0)
			fail_msg("%s: '%s'", row->name, text);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(times_are_read_or_refused),
	cmocka_unit_test(times_are_written),
	cmocka_unit_test(cells_stay_cells),
};

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
