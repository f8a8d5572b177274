/* SPDX-License-Identifier: MIT */
/*
 * test-loaders-manners.c - boot loaders that take files, with the manners that real ones have: ST's
 * own, an answer and a call in one, an upload that is shorter than the image, or has no end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "sim/loader-bench.h"
#include "unit/rows.h"

/* What ST's example sends back, whatever is in the flash (USER_FLASH_SIZE). */
#define ST_BYTES 12288
#define ST	 .st_manners = true, .upload_bytes = ST_BYTES

static void expect_reason(const struct bench *bench, const char *wanted)
{
	if (!strstr(bench->report.reason.text, wanted))
		fail_msg("no '%s': %s", wanted, bench->report.reason.text);
}

static void expect_outcome(const struct bench *bench, enum outcome outcome)
{
	if (bench->report.outcome != outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
}

/* ------------------------------------------------------------------ heard is heard */

/* It calls for the closing header in the transmission of its ACK, and never again. */
static void a_call_in_one_with_the_answer_is_heard(void **state)
{
	const struct sim_options options = {
		.resident = SIM_RESIDENT_IAP,
		.circuit = SIM_CIRCUIT_ROM,
		.faults = {.acks_with_call = true},
	};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct bench *bench = new_bench(&options, IAP "entry = none\n" CONFIRM);

		take_application(bench, 3000 + 1000 * i, i);
		bench_run(bench, FLASH_UPDATE);
		expect_outcome(bench, OUTCOME_UPDATED);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
		assert_int_equal(bench->report.entries, 1);
		bench_free(bench);
	}
}

/* It shows its menu upon the command that was meant for the application, and does not repeat it. */
static void a_menu_shown_to_the_command_is_heard(void **state)
{
	const struct sim_options options = {
		.resident = SIM_RESIDENT_GECKO, .circuit = SIM_CIRCUIT_ROM};
	struct bench *bench = new_bench(&options,
		"protocol = xmodem\nentry = command\nentry-command = BOOT\nentry-reply = OK\n"
		"menu = expect \"BL >\" send \"1\" expect \"upload\"\nstart = none\n"
		"accept-unverified = yes\nretries = 0\n");

	(void)state;
	take_gbl(bench, 3000, 4);
	bench_run(bench, FLASH_UPDATE);
	expect_outcome(bench, OUTCOME_UPDATED);
	assert_true(holds_gbl(bench));
	bench_free(bench);
}

/* ------------------------------------------------------------------ less than the image */

struct short_row {
	const char *name;
	struct sim_faults faults;
	const char *rule;
	enum outcome outcome;
	enum proof proof;
};

static const struct short_row short_rows[] = {
	{"short: ST's own, nothing else vouches for it", {ST}, "", OUTCOME_VERIFY_IMPOSSIBLE,
		PROOF_NONE},
	{"short: ST's own, the application confirms", {ST}, CONFIRM, OUTCOME_UPDATED,
		PROOF_CONFIRM},
	{"short: ST's own, the loader's word is enough", {ST}, "accept-unverified = yes",
		OUTCOME_UPDATED, PROOF_LOADER},
	{"short: nothing else vouches for it", {.upload_bytes = ST_BYTES}, "",
		OUTCOME_VERIFY_IMPOSSIBLE, PROOF_NONE},
	{"short: the application confirms", {.upload_bytes = ST_BYTES}, CONFIRM, OUTCOME_UPDATED,
		PROOF_CONFIRM},
	{"short: an upload of all of it is wanted", {ST}, "verify = upload\n" CONFIRM,
		OUTCOME_VERIFY_IMPOSSIBLE, PROOF_CONFIRM},
	{"short: verify says that the loader's word is enough", {ST}, "verify = loader",
		OUTCOME_UPDATED, PROOF_LOADER},
	{"short: no length in the header", {.upload_bytes = ST_BYTES, .upload_has_no_length = true},
		"", OUTCOME_VERIFY_IMPOSSIBLE, PROOF_NONE},
	{"short: no length in the header, and ST's manners", {ST, .upload_has_no_length = true},
		CONFIRM, OUTCOME_UPDATED, PROOF_CONFIRM},
};

static void what_was_not_sent_back_does_not_differ(void **state)
{
	const struct short_row *row = *state;
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;
	unsigned n_erased;
	uint64_t begin;

	assert_true(asprintf(&rule, IAP "%s\n", row->rule) > 0);
	bench = new_iap(&row->faults, rule);
	take_application(bench, 20001, 3);
	begin = bench_msec(bench);
	bench_run(bench, FLASH_UPDATE);
	expect_outcome(bench, row->outcome);
	assert_int_equal(bench->report.proof, row->proof);
	assert_true(bench_msec(bench) - begin < 20000);
	assert_true(bench_holds_image(bench));
	assert_true(loader_is_whole(bench));
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	if (row->outcome == OUTCOME_VERIFY_IMPOSSIBLE)
		expect_reason(bench, "12288");
	/* All that can be seen is right now, and where nothing else counts it is left alone. */
	n_erased = sim_counters(bench->sim)->pages_erased;
	bench_run(bench, FLASH_UPDATE);
	expect_outcome(bench, row->outcome);
	if (row->outcome == OUTCOME_VERIFY_IMPOSSIBLE) {
		assert_int_equal(sim_counters(bench->sim)->pages_erased, n_erased);
		expect_reason(bench, "12288");
	}
	bench_free(bench);
}

static void a_verify_tells_what_it_saw(void **state)
{
	struct bench *bench = new_iap(&(struct sim_faults){ST}, IAP CONFIRM);

	(void)state;
	take_application(bench, 20001, 3);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_IMPOSSIBLE);
	expect_reason(bench, "12288");
	sim_flash(bench->sim)[RESIDENT_BYTES + 12000] ^= 0x10;
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(bench->report.address, APPLICATION + 12000);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	bench_free(bench);
}

/* As long as what it sends back, or shorter: then ST's loader proves every byte. */
static void st_s_own_loader_proves_what_it_can(void **state)
{
	static const uint32_t sizes[] = {0x240, 1024, 5000, ST_BYTES - 1, ST_BYTES};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct bench *bench = new_iap(&(struct sim_faults){ST}, IAP "retries = 0\n");

		take_application(bench, sizes[i], 3);
		bench_run(bench, FLASH_UPDATE);
		expect_outcome(bench, OUTCOME_UPDATED);
		assert_int_equal(bench->report.proof, PROOF_UPLOAD);
		assert_true(bench_holds_image(bench));
		bench_run(bench, FLASH_UPDATE);
		expect_outcome(bench, OUTCOME_CURRENT);
		assert_int_equal(sim_counters(bench->sim)->files, 1);
		bench_free(bench);
	}
}

/* Over a slow network the first block comes so late that it is asked for, and ST's runs ahead. */
static void a_loader_that_runs_ahead_is_caught_up_with(void **state)
{
	static const int latencies[] = {90000, 120000, 180000, 250000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(latencies); i++) {
		const struct port_sim_options options = {.usb_usec = latencies[i]};
		struct bench *bench = new_iap(&(struct sim_faults){ST}, IAP "retries = 0\n");

		port_sim_set_options(BENCH_PORT, &options);
		take_application(bench, ST_BYTES, 3);
		bench_run(bench, FLASH_UPDATE);
		expect_outcome(bench, OUTCOME_UPDATED);
		assert_int_equal(bench->report.proof, PROOF_UPLOAD);
		assert_true(bench_holds_image(bench));
		bench_free(bench);
	}
}

struct sweep_row {
	const char *name;
	size_t knob; /* of struct sim_faults, a uint64_t */
};

#define KNOB(member) offsetof(struct sim_faults, member)

static const struct sweep_row sweep_rows[] = {
	{"ST's: a byte to the loader is lost", KNOB(drop_received)},
	{"ST's: a byte to the loader is bent", KNOB(flip_received)},
	{"ST's: a byte to the loader is doubled", KNOB(double_received)},
	{"ST's: a byte from the loader is lost", KNOB(drop_sent)},
	{"ST's: a byte from the loader is bent", KNOB(flip_sent)},
	{"ST's: a byte from the loader is doubled", KNOB(double_sent)},
};

static uint64_t next_victim(uint64_t n)
{
	return n < 40 ? n + 1 : n + 173;
}

static void one_byte_that_goes_wrong_at_st_s_is_made_good(void **state)
{
	const struct sweep_row *row = *state;
	bool is_sent = strstr(row->name, "from") != NULL;
	unsigned n_runs = 0, n_retries = 0;

	for (uint64_t n = 1, n_bytes = 1; n <= n_bytes; n = next_victim(n)) {
		struct sim_faults faults = {ST, .seed = 5};
		struct bench *bench;

		*(uint64_t *)((char *)&faults + row->knob) = n;
		bench = new_iap(&faults, IAP CONFIRM);
		take_application(bench, 2100, 8);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("byte %u: %s", (unsigned)n, bench->report.reason.text);
		assert_true(bench_holds_image(bench));
		n_runs++;
		n_retries += bench->report.entries > 1;
		n_bytes = is_sent ? sim_counters(bench->sim)->sent
				  : sim_counters(bench->sim)->received;
		bench_free(bench);
	}
	print_message("# figure: %s: %u runs, %u with a second session, all updated\n", row->name,
		n_runs, n_retries);
}

/* ------------------------------------------------------------------ everything has an end */

struct endless_row {
	const char *name;
	enum sim_resident resident;
	struct sim_faults faults;
	const char *rule;
	enum flash_action action;
	enum outcome outcome;
	const char *reason;
};

static const struct endless_row endless_rows[] = {
	{"endless: one block again and again", SIM_RESIDENT_IAP, {.repeats_upload = true}, IAP,
		FLASH_VERIFY, OUTCOME_FAILED, "without an end"},
	{"endless: one block again and again, read", SIM_RESIDENT_IAP, {.repeats_upload = true},
		IAP, FLASH_READ, OUTCOME_FAILED, "without an end"},
	{"endless: one block again and again, before an update", SIM_RESIDENT_IAP,
		{.repeats_upload = true}, IAP, FLASH_UPDATE, OUTCOME_FAILED, "without an end"},
	{"endless: more blocks than the header said", SIM_RESIDENT_IAP, {.uploads_for_ever = true},
		IAP, FLASH_READ, OUTCOME_FAILED, "without an end"},
	{"endless: blocks, and no length", SIM_RESIDENT_IAP,
		{.uploads_for_ever = true, .upload_has_no_length = true}, IAP "size = 48K\n",
		FLASH_READ, OUTCOME_FAILED, "more than"},
	{"endless: ST's, one block again and again", SIM_RESIDENT_IAP, {ST, .repeats_upload = true},
		IAP, FLASH_VERIFY, OUTCOME_FAILED, "without an end"},
	{"endless: a byte each 0.9 s", SIM_RESIDENT_IAP, {.slow_sent_nsec = 900000000}, IAP,
		FLASH_VERIFY, OUTCOME_NO_SYNC, ""},
	{"endless: NAK, ymodem", SIM_RESIDENT_IAP, {.answer = 0x15}, IAP, FLASH_UPDATE,
		OUTCOME_ERASE_FAILED, "refused"},
	{"endless: 'C', ymodem", SIM_RESIDENT_IAP, {.answer = 'C'}, IAP, FLASH_UPDATE,
		OUTCOME_ERASE_FAILED, ""},
	{"endless: CAN, ymodem", SIM_RESIDENT_IAP, {.answer = 0x18}, IAP, FLASH_UPDATE,
		OUTCOME_ERASE_FAILED, ""},
	{"endless: NAK, xmodem", SIM_RESIDENT_GECKO, {.answer = 0x15}, GECKO, FLASH_UPDATE,
		OUTCOME_ERASE_FAILED, "refused"},
	{"endless: 'C', xmodem", SIM_RESIDENT_GECKO, {.answer = 'C'}, GECKO, FLASH_UPDATE,
		OUTCOME_ERASE_FAILED, ""},
	{"endless: CAN, xmodem", SIM_RESIDENT_GECKO, {.answer = 0x18}, GECKO, FLASH_UPDATE,
		OUTCOME_ERASE_FAILED, ""},
	{"endless: a menu", SIM_RESIDENT_GECKO, {.text_stream = "1. upload gbl\r\nBL > "}, GECKO,
		FLASH_UPDATE, OUTCOME_NO_SYNC, ""},
	{"endless: a menu with a call in each line", SIM_RESIDENT_IAP,
		{.text_stream = "C\r\nExecute 3\r\n"}, IAP, FLASH_UPDATE, OUTCOME_FAILED,
		"`menu-upload`"},
	{"endless: a line that never ends", SIM_RESIDENT_GECKO, {.text_stream = "."}, GECKO,
		FLASH_UPDATE, OUTCOME_NO_SYNC, ""},
};

static void every_conversation_has_an_end(void **state)
{
	const struct endless_row *row = *state;
	const struct sim_options options = {.resident = row->resident, .faults = row->faults};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;
	uint64_t begin;

	assert_true(asprintf(&rule, "%sretries = 1\nerase-within = 20s\n", row->rule) > 0);
	bench = new_bench(&options, rule);
	if (row->resident == SIM_RESIDENT_GECKO)
		take_gbl(bench, 5000, 7);
	else
		take_application(bench, 5000, 7);
	if (row->action == FLASH_VERIFY)
		bench_preload(bench);
	begin = bench_msec(bench);
	alarm(300);
	bench_run(bench, row->action);
	alarm(0);
	expect_outcome(bench, row->outcome);
	expect_reason(bench, row->reason);
	assert_true(bench_msec(bench) - begin < 10 * 60000);
	assert_true(loader_is_whole(bench));
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[50];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, a_call_in_one_with_the_answer_is_heard);
	ADD_TEST(tests, n_tests, a_menu_shown_to_the_command_is_heard);
	ADD_ROWS(tests, n_tests, short_rows, what_was_not_sent_back_does_not_differ);
	ADD_TEST(tests, n_tests, a_verify_tells_what_it_saw);
	ADD_TEST(tests, n_tests, st_s_own_loader_proves_what_it_can);
	ADD_TEST(tests, n_tests, a_loader_that_runs_ahead_is_caught_up_with);
	ADD_ROWS(tests, n_tests, sweep_rows, one_byte_that_goes_wrong_at_st_s_is_made_good);
	ADD_ROWS(tests, n_tests, endless_rows, every_conversation_has_an_end);
	return RUN_TESTS("manners of loaders", tests, n_tests);
}
