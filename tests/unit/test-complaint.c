/* SPDX-License-Identifier: MIT */
/* test-complaint.c - whether a line of a boot loader says that something failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/complaint.h"
#include "unit/rows.h"

struct complaint_row {
	const char *name; /* the line */
	bool is_complaint, is_about_start;
};

static const struct complaint_row rows[] = {
	{"Serial upload aborted", true, false},
	{"file error 0x1005", true, false},
	{"error code 0x18", true, false},
	{"CRC error", true, false},
	{"ERROR 12", true, false},
	{"Verification failed!", true, false},
	{"Aborted by user.", true, false},
	{"Failed to receive the file!", true, false},
	{"The image size is higher than the allowed space memory!", true, true},
	{"Failed to boot", true, true},
	{"Boot failed", true, true},
	{"No valid application", true, true},
	{"no application", true, true},
	{"Invalid image signature", true, true},
	{"Programming unsuccessful", true, true},
	{"checksum mismatch", true, false},
	{"wrong CRC", true, false},
	{"Firmware rejected", true, true},
	{"flash timeout", true, false},
	{"Error: no space", true, false},
	{"errors: 3", true, false},
	{"error 0x00000010", true, false},
	{"Error: 0 bytes were received", true, false},
	{"10 errors", true, false},
	{"", false, false},
	{"Serial upload complete", false, false},
	{"Programming Completed Successfully!", false, false},
	{"Start program execution......", false, false},
	{"plugflash-test 1.2.3", false, false},
	{"0 errors", false, false},
	{"0 CRC errors", false, false},
	{"no error", false, false},
	{"done without errors.", false, false},
	{"no CRC error", false, false},
	{"errors: 0", false, false},
	{"errors: 0, retries: 2", false, false},
	{"error code 0x0000", false, false},
	{"failures = none", false, false},
	{"Error count: 0", false, false},
	{"verify failed pages: 0", false, false},
	{"bad blocks: 0", false, false},
	{"error(s): 0", false, false},
	{"CRC errors detected = 0, retries: 2", false, false},
	{"Failed bytes total: 0x0", false, false},
	{"errors: 0, 3 retries", false, false},
	{"verify failed pages: 3", true, false},
	{"Failed sectors: 0, 3", true, false},
	{"Failed at address: 0", true, false},
	{"Failed page: 0", true, false},
	{"bad blocks: 10", true, false},
	{"error detected at 0", true, false},
	{"Press a to abort", false, false},
	{"(press 'a' to abort)", false, false},
	{"terror and bailiff", false, false},
	{"BL > ", false, false},
};

static void a_line_is_taken_for_what_it_says(void **state)
{
	const struct complaint_row *row = *state;

	assert_int_equal(complaint_is_in(row->name), row->is_complaint);
	assert_int_equal(complaint_is_about_start(row->name), row->is_about_start);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, rows, a_line_is_taken_for_what_it_says);
	return RUN_TESTS("complaint", tests, n_tests);
}
