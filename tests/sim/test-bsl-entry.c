/* SPDX-License-Identifier: MIT */
/*
 * test-bsl-entry.c - into the boot loader of TI's chips by the lines, out of it, and what is said
 * where somebody else is there. `ti_check_NN_`: row NN of ti-bsl.md 14.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/bsl-strangers.h"
#include "sim/bsl-stand.h"
#include "sim/stick.h"
#include "tools/ti-make.h"

static uint64_t start_of_job;

/* A probe enters, identifies, and gives the stick back. */
static enum outcome probe(struct bench *bench)
{
	enum outcome outcome;

	start_of_job = bench_msec(bench);
	outcome = bench_run(bench, FLASH_PROBE);
	print_message("# %u entries, %u ms: %s\n", bench->report.entries,
		(unsigned)(bench_msec(bench) - start_of_job), bench->report.reason.text);
	return outcome;
}

/* Z-Stack, which answers at 115200 baud. */
static void install(struct bench *bench, const char *chip)
{
	struct ti_make_image image = ti_make_new(chip, "20240710", 0);

	memcpy(sim_flash(bench->sim), image.flash, image.chip->size);
	ti_make_done(&image);
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
}

static bool runs(const struct bench *bench)
{
	port_sim_pass(BENCH_PORT, 2 * USEC_PER_SEC);
	return sim_ti(bench->sim)->start == SIM_TI_APPLICATION &&
	       sim_ti(bench->sim)->revision == 20240710;
}

static struct bench *bench_on(enum sim_circuit circuit, const char *chip, const char *rule,
	const struct sim_ti *board, const struct sim_ti_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find(chip), .circuit = circuit};
	CLEANUP(freep) char *lines = NULL;
	struct bench *bench;

	if (board)
		options.ti = *board;
	if (faults)
		options.faults.ti = *faults;
	assert_true(
		asprintf(&lines,
			"protocol = bsl\nbackdoor-pin = 15\nretries = 0\nretry-delay = 0\nchip = %s\n%s",
			chip, rule) > 0);
	bench = bench_new_with(&options, lines);
	install(bench, chip);
	assert_true(runs(bench));
	return bench;
}

/* ------------------------------------------------------------------ wirings */

/* Levels change in one request, and both lines are at rest in the end. */
static void the_lines_go_as_the_sticks_need_it(void **state)
{
	static const unsigned expected[] = {0, LINE_RTS, LINE_DTR, 0, LINE_RTS, 0};
	struct bench *bench = bench_on(SIM_CIRCUIT_ESP, "cc2652p", "", NULL, NULL);
	const struct port_sim_record *record;
	size_t n = 0;

	(void)state;
	assert_int_equal(probe(bench), OUTCOME_CURRENT);
	record = port_sim_record(BENCH_PORT);
	for (size_t i = 0; i < record->n_lines; i++) {
		if (record->lines[i].by_kernel)
			continue;
		/* The port is opened, and closed, with the lines at rest. */
		if (n == 0 && record->lines[i].lines == 0 && i + 1 < record->n_lines &&
			record->lines[i + 1].lines == 0)
			continue;
		if (n < ARRAY_SIZE(expected))
			assert_int_equal(record->lines[i].lines, expected[n]);
		n++;
	}
	assert_true(n >= ARRAY_SIZE(expected));
	assert_int_equal(record->lines_at_close, 0);
	bench_free(bench);
}

static void each_wiring_leads_in_and_out(void **state)
{
	static const struct {
		enum sim_circuit circuit;
		const char *rule;
	} rows[] = {
		{SIM_CIRCUIT_ESP, ""},
		{SIM_CIRCUIT_ESP, "wiring = esp\n"},
		{SIM_CIRCUIT_ESP, "wiring = esp direct\n"},
		{SIM_CIRCUIT_ESP, "wiring = direct esp\n"},
		{SIM_CIRCUIT_BSL, "wiring = direct\n"},
		{SIM_CIRCUIT_BSL, "wiring = direct esp\n"},
		{SIM_CIRCUIT_BSL, "wiring = esp direct\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench =
			bench_on(rows[i].circuit, "cc2652p", rows[i].rule, NULL, NULL);

		print_message("# %s", rows[i].rule);
		assert_int_equal(probe(bench), OUTCOME_CURRENT);
		assert_string_equal(bench->report.entered, "lines");
		assert_true(runs(bench));
		bench_free(bench);
	}
}

/* A controller between bridge and chip passes the lines on late (ti-bsl.md 3.3). */
static void a_late_helper_is_waited_for(void **state)
{
	static const uint64_t msec[] = {100, 600, 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(msec); i++) {
		const struct sim_ti board = {.helper_nsec = msec[i] * NSEC_PER_MSEC};
		struct bench *bench = bench_on(SIM_CIRCUIT_ESP, "cc2652p", "", &board, NULL);

		assert_int_equal(probe(bench), OUTCOME_CURRENT);
		assert_true(runs(bench));
		bench_free(bench);
	}
}

/* A person holds the button while the stick is plugged in; RESET starts the application. */
static void without_lines_the_loader_starts_the_application(void **state)
{
	const struct sim_ti board = {.low_pins = 1 << 15};
	struct bench *bench = bench_on(SIM_CIRCUIT_NONE, "cc2652p", "entry = none\n", NULL, NULL);

	(void)state;
	assert_int_equal(probe(bench), OUTCOME_NO_SYNC);
	assert_non_null(strstr(bench->report.reason.text, "it is not in its boot loader"));
	bench_free(bench);
	bench = bsl_bench_new("cc2652p", "cc2652p", &board, NULL, "entry = none\n");
	assert_int_equal(probe(bench), OUTCOME_CURRENT);
	assert_string_equal(bench->report.entered, "direct");
	assert_int_equal(sim_counters(bench->sim)->commands[BSL_RESET], 1);
	bench_free(bench);
}

/* ------------------------------------------------------------------ somebody else */

static struct bench *new_dongle_e(const char *speaks, const char *rule)
{
	struct sim_options options = {.chip = sim_chip_find("f103c8"),
		.resident = SIM_RESIDENT_GECKO,
		.circuit = SIM_CIRCUIT_ESP};
	CLEANUP(freep) char *lines = NULL;
	struct bench *bench;

	assert_true(
		asprintf(&lines,
			"protocol = bsl\nbackdoor-pin = 15\nretries = 1\nretry-delay = 0\nchip = cc2652p\n%s",
			rule) > 0);
	bench = bench_new_with(&options, lines);
	if (speaks)
		stick_install(bench->sim, options.chip, speaks, "7.4.3.0",
			strcmp(speaks, "ezsp") == 0 ? 115200 : 460800);
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	return bench;
}

/* ti-bsl.md 3.4: it looks the same from outside. A `1` in the menu of its loader is an upload. */
static void ti_check_20_an_efr32_is_named_within_three_seconds(void **state)
{
	static const uint8_t upload[] = {'1'};
	static const char *const rules[] = {"", "wiring = direct\n", "wiring = esp direct\n"};
	static const char *const speaks[] = {"ezsp", "cpc", "spinel", NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		for (size_t k = 0; k < ARRAY_SIZE(speaks); k++) {
			/* Lines that do not lead into the loader leave its application to speak,
			 * and one at another rate is not understood. */
			bool is_fast = speaks[k] && strcmp(speaks[k], "ezsp") != 0;
			struct bench *bench;
			enum outcome outcome;

			if (is_fast && strcmp(rules[i], "wiring = direct\n") == 0)
				continue;
			bench = new_dongle_e(speaks[k], rules[i]);
			outcome = probe(bench);

			assert_int_equal(outcome, OUTCOME_WRONG_CHIP);
			assert_true(bench_msec(bench) - start_of_job < 3000);
			assert_non_null(strstr(bench->report.reason.text, "no boot loader of TI"));
			assert_non_null(strstr(bench->report.reason.text, "EFR32"));
			assert_int_equal(bsl_count_sent(upload, 1), 0);
			assert_int_equal(sim_counters(bench->sim)->files, 0);
			assert_int_equal(bench->report.entries, 1);
			bench_free(bench);
		}
}

/* Whose lines are not connected, so that nothing resets it: it is asked, behind all tries. */
static void an_efr32_without_lines_is_named_in_the_end(void **state)
{
	struct sim_options options = {.chip = sim_chip_find("f103c8"),
		.resident = SIM_RESIDENT_GECKO,
		.circuit = SIM_CIRCUIT_NONE};
	struct bench *bench = bench_new_with(
		&options, "protocol = bsl\nbackdoor-pin = 15\nretries = 1\nchip = cc2652p\n");

	(void)state;
	stick_install(bench->sim, options.chip, "ezsp", "7.4.3.0", 115200);
	port_sim_replug(BENCH_PORT);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	assert_int_equal(probe(bench), OUTCOME_WRONG_CHIP);
	assert_non_null(strstr(bench->report.reason.text, "speaks EZSP"));
	bench_free(bench);
}

static void strangers_are_known_by_their_words(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *said; /* NULL: nobody that is known */
	} rows[] = {
		{"\x1A\xC1\x02\x0B\x0A\x52\x7E", 7, "speaks EZSP"},
		{"noise\xC1\x02\x0B\x0A\x52\x7E", 11, "speaks EZSP"},
		/* Bent, cut off, and of another frame. */
		{"\x1A\xC1\x02\x0B\x0A\x53\x7E", 7, NULL},
		{"\x1A\xC1\x02\x0B\x0A\x52", 6, NULL},
		{"\x1A\xC2\x02\x0B\x0A\x52\x7E", 7, NULL},
		{"\r\nGecko Bootloader v1.12.00\r\n1. upload gbl\r\n", 44, "that of an EFR32"},
		{"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13", 60, "ESP"},
		{"\xFE\x06\x41\x80\x00\x02\x01\x02\x07\x01", 10, NULL},
		{"", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *said = bsl_name_stranger((const uint8_t *)rows[i].bytes, rows[i].n);

		print_message("# %zu: %s\n", i, said ? said : "nobody");
		assert_int_equal(said != NULL, rows[i].said != NULL);
		if (said)
			assert_non_null(strstr(said, rows[i].said));
	}
}

static void nobody_at_all_is_told_so(void **state)
{
	const struct sim_ti_faults faults = {.is_deaf = true, .is_mute = true};
	struct bench *bench = bsl_bench_new("cc2652p", "cc2652p", NULL, &faults, "");

	(void)state;
	assert_int_equal(probe(bench), OUTCOME_NO_SYNC);
	assert_non_null(strstr(bench->report.reason.text, "no application answers either"));
	assert_true(bench_msec(bench) - start_of_job < 20000);
	bench_free(bench);
}

/* Nothing was erased, and the words say what there is to do. */
static void ti_check_22_a_wrong_wiring_only_resets_the_stick(void **state)
{
	static const struct {
		enum sim_circuit circuit;
		const char *rule;
	} rows[] = {
		/* Both lines at once are idle there. */
		{SIM_CIRCUIT_ESP, "wiring = direct\n"},
		/* The other way round: reset is let go while the pin is high. */
		{SIM_CIRCUIT_BSL, "wiring = direct\nreset = dtr\nboot = rts\n"},
		{SIM_CIRCUIT_NONE, "wiring = esp\n"},
		{SIM_CIRCUIT_NONE, "wiring = esp direct\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench =
			bench_on(rows[i].circuit, "cc2652p", rows[i].rule, NULL, NULL);

		print_message("# %s", rows[i].rule);
		assert_int_equal(probe(bench), OUTCOME_NO_SYNC);
		assert_non_null(strstr(bench->report.reason.text, "Z-Stack 20240710"));
		assert_non_null(strstr(bench->report.reason.text, "check `wiring`"));
		assert_non_null(strstr(bench->report.reason.text, "DIO15"));
		assert_int_equal(bench_erases(bench), 0);
		assert_true(runs(bench));
		bench_free(bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lines_go_as_the_sticks_need_it),
		cmocka_unit_test(each_wiring_leads_in_and_out),
		cmocka_unit_test(a_late_helper_is_waited_for),
		cmocka_unit_test(without_lines_the_loader_starts_the_application),
		cmocka_unit_test(ti_check_20_an_efr32_is_named_within_three_seconds),
		cmocka_unit_test(an_efr32_without_lines_is_named_in_the_end),
		cmocka_unit_test(strangers_are_known_by_their_words),
		cmocka_unit_test(nobody_at_all_is_told_so),
		cmocka_unit_test(ti_check_22_a_wrong_wiring_only_resets_the_stick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
