/* SPDX-License-Identifier: MIT */
/* Bars and lines of progress. The command's objects are in no archive: its files are part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/progress.c"
#include "cli/terminal.c"
#include "cli/units.c"

#define SECOND USEC_PER_SEC

static const struct {
	const char *name;
	struct progress progress;
	uint64_t usec;
	unsigned width;
	const char *expected;
} bars[] = {
	{"wide", {PHASE_WRITE, 131072, 262144, 0}, 10 * SECOND, 100,
		"ttyUSB0 write    [###########------------]  50 %  128.0 KiB of 256.0 KiB"
		"  12.8 KiB/s"},
	{"no room for the rate", {PHASE_WRITE, 131072, 262144, 0}, 10 * SECOND, 80,
		"ttyUSB0 write    [########---------]  50 %  128.0 KiB of 256.0 KiB"},
	{"nor for the amount, but for the rate", {PHASE_WRITE, 131072, 262144, 0}, 10 * SECOND, 70,
		"ttyUSB0 write    [#########----------]  50 %  12.8 KiB/s"},
	{"no room for the amount", {PHASE_WRITE, 131072, 262144, 0}, 10 * SECOND, 40,
		"ttyUSB0 write    [#######--------]  50 %"},
	{"no room for the bar", {PHASE_WRITE, 131072, 262144, 0}, 10 * SECOND, 30,
		"ttyUSB0 write     50 %"},
	{"narrower than anything", {PHASE_WRITE, 131072, 262144, 0}, 10 * SECOND, 9, "ttyUSB0 w"},
	{"pages have no rate", {PHASE_ERASE, 12, 128, 0}, 10 * SECOND, 80,
		"ttyUSB0 erase    [#----------------]   9 %  12 of 128 pages"},
	{"a try after the first", {PHASE_ENTER, 2, 8, 0}, SECOND, 80,
		"ttyUSB0 enter    try 2 of 8"},
	{"total not known", {PHASE_SYNC, 0, 0, 0}, SECOND, 80, "ttyUSB0 sync    "},
	{"more than all", {PHASE_VERIFY, 300, 256, 0}, 0, 80,
		"ttyUSB0 verify   [#################] 100 %  300 bytes of 256 bytes"},
};

static void test_bar(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bars); i++) {
		char bar[200];

		print_message("# %s\n", bars[i].name);
		progress_bar(&bars[i].progress, "ttyUSB0",
			(struct progress_pace){
				.bytes = bars[i].progress.done, .usec = bars[i].usec},
			bars[i].width, bar, sizeof(bar));
		assert_string_equal(bar, bars[i].expected);
		assert_true(strlen(bar) <= bars[i].width);
	}
}

static void test_bar_fits_every_width(void **state)
{
	struct progress progress = {PHASE_VERIFY, 1234567, 2345678, 0};

	(void)state;
	for (unsigned width = 1; width < 200; width++) {
		char bar[200];

		progress_bar(&progress, "ttyUSB0",
			(struct progress_pace){.bytes = 1234567, .usec = 3 * SECOND}, width, bar,
			sizeof(bar));
		assert_true(strlen(bar) <= width);
	}
}

/* Whatever stands behind it: a bar that jumps draws the eye for nothing. */
static void test_bar_stays_as_wide(void **state)
{
	static const struct progress steps[] = {{PHASE_ERASE, 1, 64, 0},
		{PHASE_WRITE, 256, 262144, 0}, {PHASE_WRITE, 262144, 262144, 0},
		{PHASE_VERIFY, 9, 2345678, 0}, {PHASE_VERIFY, 2345678, 2345678, 0}};
	const unsigned widths[] = {50, 80, 100, 132};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		size_t columns = 0;

		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			char bar[200];
			size_t n;

			progress_bar(&steps[j], "ttyUSB0",
				(struct progress_pace){
					.bytes = steps[j].done, .usec = (j + 1) * SECOND},
				widths[i], bar, sizeof(bar));
			assert_non_null(strchr(bar, '['));
			n = (size_t)(strchr(bar, ']') - strchr(bar, '['));
			assert_true(j == 0 || n == columns);
			columns = n;
		}
	}
}

static void test_time_left(void **state)
{
	static const struct {
		uint64_t left_msec;
		unsigned width;
		const char *expected;
	} rows[] = {
		{0, 80, "ttyUSB0 write    [########---------]  50 %  128.0 KiB of 256.0 KiB"},
		{7000, 80,
			"ttyUSB0 write    [########---------]  50 %  0:07 left  128.0 KiB of 256.0 KiB"},
		{61001, 50, "ttyUSB0 write    [######-------]  50 %  1:02 left"},
		{61001, 40, "ttyUSB0 write    [#######--------]  50 %"},
	};
	const struct progress progress = {PHASE_WRITE, 131072, 262144, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char bar[200];

		progress_bar(&progress, "ttyUSB0",
			(struct progress_pace){
				131072, 10 * SECOND, rows[i].left_msec, PROGRESS_PART_MAIN},
			rows[i].width, bar, sizeof(bar));
		assert_string_equal(bar, rows[i].expected);
	}
}

/* What a log sees of a whole job. */
static char *show_on_a_pipe(const struct progress *steps, size_t n_steps, uint64_t usec_a_step)
{
	struct progress_view view;
	char *text = NULL;
	size_t n_text = 0;
	FILE *pipe = tmpfile();

	assert_non_null(pipe);
	progress_view_begin(&view, pipe, "/dev/ttyUSB0", false);
	for (size_t i = 0; i < n_steps; i++)
		progress_view_show(&view, &steps[i], SECOND + i * usec_a_step);
	progress_view_end(&view);
	n_text = (size_t)ftell(pipe);
	text = calloc(1, n_text + 1);
	assert_non_null(text);
	rewind(pipe);
	assert_int_equal(fread(text, 1, n_text, pipe), n_text);
	fclose(pipe);
	return text;
}

static void test_whole_lines_at_steps_of_ten_per_cent(void **state)
{
	struct progress steps[257];
	CLEANUP(freep) char *text = NULL;
	size_t n_lines = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		steps[i] = (struct progress){PHASE_WRITE, i * 1024, 256 * 1024, 0};
	text = show_on_a_pipe(steps, ARRAY_SIZE(steps), SECOND / 10);
	for (const char *at = text; *at; at++)
		n_lines += *at == '\n';
	assert_int_equal(n_lines, 10);
	assert_null(strchr(text, '\r'));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(
		text, "ttyUSB0: write 50 %, 128.0 KiB of 256.0 KiB, 10.0 KiB/s, 0:39 left\n"));
	assert_non_null(strstr(text, "ttyUSB0: write 100 %, "));
}

static void test_a_phase_without_a_total_is_told_once(void **state)
{
	const struct progress steps[] = {{PHASE_SYNC, 0, 0, 0}, {PHASE_SYNC, 0, 0, 0},
		{PHASE_ERASE, 0, 4, 0}, {PHASE_ERASE, 4, 4, 0}};
	CLEANUP(freep) char *text = show_on_a_pipe(steps, ARRAY_SIZE(steps), SECOND);

	(void)state;
	assert_string_equal(text, "ttyUSB0: sync\nttyUSB0: erase 100 %, 4 of 4 pages\n");
}

/* The page of the vector table is written last: the phase comes a second time, half done. */
static void test_rate_of_a_phase_taken_up_again(void **state)
{
	const struct progress steps[] = {{PHASE_WRITE, 0, 8192, 0}, {PHASE_WRITE, 4096, 8192, 0},
		{PHASE_VERIFY, 4096, 8192, 0}, {PHASE_WRITE, 4096, 8192, 0},
		{PHASE_WRITE, 5120, 8192, 0}};
	CLEANUP(freep) char *text = show_on_a_pipe(steps, ARRAY_SIZE(steps), SECOND);

	(void)state;
	assert_non_null(strstr(text, "write 50 %, 4.0 KiB of 8.0 KiB, 4.0 KiB/s, 0:03 left\n"));
	assert_non_null(strstr(text, "write 62 %, 5.0 KiB of 8.0 KiB, 1.0 KiB/s\n"));
}

/* What the chip starts by comes last; a chip of Espressif has all of it looked at once more. */
static void test_what_comes_twice_says_why(void **state)
{
	const struct progress steps[] = {{PHASE_WRITE, 0, 0, 0}, {PHASE_WRITE, 0, 8192, 0},
		{PHASE_WRITE, 4096, 8192, 0}, {PHASE_VERIFY, 0, 0, 0}, {PHASE_VERIFY, 0, 8192, 0},
		{PHASE_VERIFY, 8190, 8192, 0}, {PHASE_WRITE, 0, 0, 0}, {PHASE_WRITE, 8192, 8192, 0},
		{PHASE_VERIFY, 0, 0, 0}, {PHASE_VERIFY, 8192, 8192, 0},
		{PHASE_VERIFY, 4096, 8192, 0}, {PHASE_LEAVE, 0, 0, 0}, {PHASE_LEAVE, 0, 0, 0}};
	CLEANUP(freep) char *text = show_on_a_pipe(steps, ARRAY_SIZE(steps), SECOND);

	(void)state;
	assert_string_equal(text, "ttyUSB0: write\n"
				  "ttyUSB0: write 50 %, 4.0 KiB of 8.0 KiB, 4.0 KiB/s, 0:06 left\n"
				  "ttyUSB0: verify\n"
				  "ttyUSB0: verify 99 %, 8.0 KiB of 8.0 KiB, 8.0 KiB/s\n"
				  "ttyUSB0: write last part\n"
				  "ttyUSB0: verify last part\n"
				  "ttyUSB0: recheck 50 %, 4.0 KiB of 8.0 KiB\n"
				  "ttyUSB0: leave\n");
}

/* A job of a second fills no log. */
static void test_a_quick_phase_tells_its_end(void **state)
{
	struct progress steps[101];
	CLEANUP(freep) char *text = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		steps[i] = (struct progress){PHASE_VERIFY, i, 100, 0};
	text = show_on_a_pipe(steps, ARRAY_SIZE(steps), USEC_PER_MSEC);
	assert_non_null(strstr(text, "ttyUSB0: verify 100 %, "));
	assert_null(strstr(text, "verify 50 %"));
}

static const struct {
	const char *name;
	uint64_t bytes, usec;
	const char *expected;
} rates[] = {
	{"of the closing line", 5120, 1900000, "2.6 KiB/s"},
	{"too short to tell", 5120, 1000, ""},
	{"nothing done", 0, SECOND, "0.0 KiB/s"},
	{"absurd", UINT64_MAX, SECOND, ""},
};

static void test_rate(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		char rate[32];

		print_message("# %s\n", rates[i].name);
		assert_string_equal(units_rate(rates[i].bytes, rates[i].usec, rate, sizeof(rate)),
			rates[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bar),
		cmocka_unit_test(test_bar_fits_every_width),
		cmocka_unit_test(test_bar_stays_as_wide),
		cmocka_unit_test(test_whole_lines_at_steps_of_ten_per_cent),
		cmocka_unit_test(test_a_phase_without_a_total_is_told_once),
		cmocka_unit_test(test_rate_of_a_phase_taken_up_again),
		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_what_comes_twice_says_why),
		cmocka_unit_test(test_a_quick_phase_tells_its_end),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
