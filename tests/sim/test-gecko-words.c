/* SPDX-License-Identifier: MIT */
/*
 * test-gecko-words.c - whole jobs with a simulated Gecko boot loader that refuses a file, says why
 * in its own ways, and is another one than today's (gecko.md 1 to 3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/loader-bench.h"
#include "sim/stick.h"
#include "tools/gbl-make.h"
#include "unit/rows.h"

#define ACCEPT GECKO "accept-unverified = yes\nretry-delay = 0\n"

static struct bench *new_loader(const struct sim_faults *faults, const char *rule)
{
	const struct sim_options options = {.resident = SIM_RESIDENT_GECKO, .faults = *faults};

	return new_bench(&options, rule);
}

static void run(struct bench *bench, enum outcome wanted)
{
	enum outcome outcome = bench_run(bench, FLASH_UPDATE);

	if (outcome != wanted)
		fail_msg("%s: %s", outcome_to_string(outcome), bench->report.reason.text);
}

/* ------------------------------------------------------------------ errors at the end of a file */

struct refused_row {
	const char *name;
	unsigned error;
	bool prints_whole_code;
	enum outcome outcome;
	const char *words;
	unsigned passes; /* with one retry */
};

static const struct refused_row refused_rows[] = {
	{"refused: wrong key", GBL_KEY, false, OUTCOME_BAD_IMAGE, "(file error 0x50)", 1},
	{"refused: wrong key, whole code", GBL_KEY, true, OUTCOME_BAD_IMAGE, "(file error 0x1004)",
		1},
	{"refused: signature", GBL_SIGNATURE, false, OUTCOME_BAD_IMAGE,
		"the signature of the file is none that this boot loader trusts (file error 0x45)",
		1},
	{"refused: signature, whole code", GBL_SIGNATURE, true, OUTCOME_BAD_IMAGE,
		"(file error 0x1006)", 1},
	{"refused: a downgrade", 0x100C, true, OUTCOME_BAD_IMAGE, "not older than", 1},
	{"refused: verification", 0x0202, true, OUTCOME_BAD_IMAGE, "(file error 0x0202)", 1},
	{"refused: another version", GBL_VERSION, false, OUTCOME_BAD_IMAGE, "(file error 0x41)", 1},
	{"refused: the sum", GBL_CRC, false, OUTCOME_WRITE_FAILED, "(file error 0x43)", 2},
	{"refused: the sum, whole code", GBL_CRC, true, OUTCOME_WRITE_FAILED, "(file error 0x1005)",
		2},
	{"refused: storage", 0x0402, true, OUTCOME_WRITE_FAILED, "(file error 0x0402)", 2},
	{"refused: and not said why", 0x0500, false, OUTCOME_WRITE_FAILED, "did not say why", 2},
};

static void a_refusal_is_told_and_answered_by_its_cause(void **state)
{
	const struct refused_row *row = *state;
	struct bench *bench = new_loader(&(struct sim_faults){.gbl_error = row->error,
						 .prints_whole_code = row->prints_whole_code},
		ACCEPT "retries = 1\n");
	unsigned n_entries = sim_counters(bench->sim)->resident_entries;

	take_gbl(bench, 3000, 4);
	run(bench, row->outcome);
	if (!strstr(bench->report.reason.text, row->words))
		fail_msg("%s", bench->report.reason.text);
	assert_int_equal(bench->report.entries, row->passes);
	assert_true(sim_counters(bench->sim)->resident_entries > n_entries);
	bench_free(bench);
}

/* 09xx: a block came damaged, and the next pass has it. */
static void a_damaged_block_is_no_word_on_the_file(void **state)
{
	struct bench *bench =
		new_loader(&(struct sim_faults){.cancel_block = 5}, ACCEPT "retries = 1\n");

	(void)state;
	take_gbl(bench, 3000, 4);
	run(bench, OUTCOME_UPDATED);
	assert_int_equal(bench->report.entries, 2);
	assert_true(holds_gbl(bench));
	bench_free(bench);
}

/* The words come up to a second behind the CANs. */
static void late_words_are_waited_for(void **state)
{
	struct bench *bench = new_loader(
		&(struct sim_faults){.gbl_error = GBL_SIGNATURE, .reason_nsec = 900000000},
		ACCEPT "retries = 0\n");

	(void)state;
	take_gbl(bench, 3000, 4);
	run(bench, OUTCOME_BAD_IMAGE);
	assert_non_null(strstr(bench->report.reason.text, "(file error 0x45)"));
	bench_free(bench);
}

/* ------------------------------------------------------------------ what is on the line */

static size_t add_nul(void *userdata, uint8_t byte, uint8_t to[PORT_SIM_EDIT])
{
	(void)userdata;
	to[0] = byte;
	to[1] = 0;
	/* Digits and letters of texts; a 'C' may be the call for a block. */
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ? 2 : 1;
}

static void nuls_are_dropped_wherever_they_stand(void **state)
{
	static const struct {
		unsigned error;
		enum outcome outcome;
	} rows[] = {{0, OUTCOME_UPDATED}, {GBL_KEY, OUTCOME_BAD_IMAGE}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = new_loader(
			&(struct sim_faults){.gbl_error = rows[i].error}, ACCEPT "retries = 0\n");

		port_sim_set_options(BENCH_PORT, &(struct port_sim_options){.edit = add_nul});
		take_gbl(bench, 3000, 4);
		run(bench, rows[i].outcome);
		bench_free(bench);
	}
}

/* The last block of the file, which does not fill it. */
static void a_gbl_is_filled_up_with_ff(void **state)
{
	struct bench *bench = new_loader(&(struct sim_faults){0}, ACCEPT);
	const struct port_sim_record *record = port_sim_record(BENCH_PORT);
	size_t rest, eot;

	(void)state;
	take_gbl(bench, 3000, 4);
	rest = 128 - bench->image.segments[0].size % 128;
	assert_true(rest > 0 && rest < 128);
	run(bench, OUTCOME_UPDATED);
	for (eot = record->n_sent; eot > 0 && record->sent[eot - 1].byte != MODEM_EOT;)
		eot--;
	/* EOT, CRC, and what fills the block. */
	assert_true(eot > 3 + rest);
	for (size_t i = 0; i < rest; i++)
		assert_int_equal(record->sent[eot - 4 - i].byte, 0xFF);
	assert_int_not_equal(record->sent[eot - 4 - rest].byte, 0x1A);
	bench_free(bench);
}

struct loader_row {
	const char *name;
	struct sim_faults faults;
};

static const struct loader_row loader_rows[] = {
	{"loader: Gecko, today's", {0}},
	{"loader: an old one, which says nothing before a key", {.loader_is_old = true}},
	{"loader: EM3xx", {.loader_is_old = true, .loader_name = "EM3581 Serial Btl v5.7.0.0 b1"}},
	{"loader: another word", {.loader_name = "Radio Serial Bootloader v1.0"}},
};

static void a_loader_by_another_name_takes_it(void **state)
{
	const struct loader_row *row = *state;
	struct bench *bench = new_loader(&row->faults, ACCEPT "retries = 0\n");

	take_gbl(bench, 3000, 4);
	run(bench, OUTCOME_UPDATED);
	assert_true(holds_gbl(bench));
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	bench_free(bench);
}

/* ------------------------------------------------------------------ a boot loader in the file */

#define BY_KEY ACCEPT "boot-loader-update = yes\nentry = none\nretries = 0\n"

struct update_row {
	const char *name;
	uint32_t version; /* that the file brings; today's is 1.12.01 */
	enum outcome outcome;
	const char *words;
};

static const struct update_row update_rows[] = {
	{"boot loader: a newer one", 0x02000001, OUTCOME_UPDATED, NULL},
	{"boot loader: the same", 0x010C0001, OUTCOME_FAILED, "Failed to boot"},
	{"boot loader: an older one", 0x010B0000, OUTCOME_FAILED, "Failed to boot"},
};

static void take_loader(struct bench *bench, uint32_t version)
{
	const struct image_options options = {.max_bytes = 1000};
	struct gbl_make gbl = gbl_make_begin(0);
	struct reason reason = {""};
	uint8_t bytes[64] = {0};

	gbl_make_put(bytes, version);
	gbl_make_tag(&gbl, GBL_TAG_BOOT_LOADER, bytes, sizeof(bytes));
	gbl_make_end(&gbl);
	image_done(&bench->image);
	assert_int_equal(image_read("l.gbl", gbl.data, gbl.n, &options, &bench->image, &reason), 0);
	gbl_make_done(&gbl);
}

/* It is installed upon the key that starts, and the application behind it is as it was. */
static void a_boot_loader_is_replaced_by_a_newer_one(void **state)
{
	const struct update_row *row = *state;
	const struct sim_options options = {
		.resident = SIM_RESIDENT_GECKO, .circuit = SIM_CIRCUIT_ROM};
	struct bench *bench = new_bench(&options, BY_KEY);

	stick_install(bench->sim, sim_chip_find("f103c8"), NULL, NULL, 1);
	take_loader(bench, row->version);
	run(bench, row->outcome);
	if (row->words && !strstr(bench->report.reason.text, row->words))
		fail_msg("%s", bench->report.reason.text);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(sim_state(bench->sim),
		row->outcome == OUTCOME_UPDATED ? SIM_APPLICATION : SIM_LOADER);
	bench_free(bench);
}

/* Without an application behind it the new one is at its menu, with its own version. */
static void a_new_boot_loader_without_an_application_is_not_started(void **state)
{
	const struct sim_options options = {
		.resident = SIM_RESIDENT_GECKO, .circuit = SIM_CIRCUIT_ROM};
	struct bench *bench = new_bench(&options, BY_KEY);

	(void)state;
	take_loader(bench, 0x02000001);
	run(bench, OUTCOME_FAILED);
	assert_non_null(strstr(bench->report.reason.text, "v2.00.01"));
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, refused_rows, a_refusal_is_told_and_answered_by_its_cause);
	ADD_TEST(tests, n_tests, a_damaged_block_is_no_word_on_the_file);
	ADD_TEST(tests, n_tests, late_words_are_waited_for);
	ADD_TEST(tests, n_tests, nuls_are_dropped_wherever_they_stand);
	ADD_TEST(tests, n_tests, a_gbl_is_filled_up_with_ff);
	ADD_ROWS(tests, n_tests, loader_rows, a_loader_by_another_name_takes_it);
	ADD_ROWS(tests, n_tests, update_rows, a_boot_loader_is_replaced_by_a_newer_one);
	ADD_TEST(tests, n_tests, a_new_boot_loader_without_an_application_is_not_started);
	return RUN_TESTS("words of the Gecko boot loader", tests, n_tests);
}
