/* SPDX-License-Identifier: MIT */
/* test-loaders.c - the procedure against boot loaders that take a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/loader-bench.h"
#include "unit/rows.h"

/* ------------------------------------------------------------------ what must work */

static void iap_is_updated_confirmed_and_then_current(void **state)
{
	struct bench *bench = new_iap(&(struct sim_faults){0}, IAP CONFIRM);

	(void)state;
	take_application(bench, 20001, 1);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_true(loader_is_whole(bench));
	assert_int_equal(bench->report.proof, PROOF_UPLOAD);
	assert_string_equal(bench->report.entered, "lines");
	assert_int_equal(bench->report.bytes, 20001);
	assert_int_equal(bench->report.entries, 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(sim_counters(bench->sim)->bad_blocks, 0);
	assert_int_equal(sim_counters(bench->sim)->aborts_by_letter, 0);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

struct iap_row {
	const char *name;
	struct sim_faults faults;
	const char *rule; /* more lines of it */
	uint32_t size;
	unsigned most_attempts;
};

static const struct iap_row iap_rows[] = {
	{"IAP: blocks of 128", .rule = "block-size = 128"},
	{"IAP: blocks of 1024", .rule = "block-size = 1024"},
	{"IAP: mixed blocks", .rule = "block-size = mixed"},
	{"IAP: mixed blocks, a rest of 128", .rule = "block-size = mixed", .size = 5 * 1024 + 128},
	{"IAP: mixed blocks, a rest of 1023", .rule = "block-size = mixed",
		.size = 5 * 1024 + 1023},
	{"IAP: one block exactly", .size = 1024},
	{"IAP: the shortest", .size = 0x240},
	{"IAP: all the room there is", .size = 48 * 1024},
	{"IAP: the first EOT is answered by NAK", .faults = {.naks_eot = true}},
	{"IAP: the loader ends at EOT", .faults = {.ends_at_eot = true}},
	{"IAP: the loader ends at EOT, and the rule says so", .faults = {.ends_at_eot = true},
		.rule = "closing-header = no"},
	{"IAP: it erases before the first C, for 25 s",
		.faults = {.erases_before_call = true, .erase_nsec = 25 * NSEC_PER_SEC}},
	{"IAP: it erases after the header, for 25 s", .faults = {.erase_nsec = 25 * NSEC_PER_SEC}},
	{"IAP: it was there before anybody listened", .rule = "entry = none"},
	{"IAP: always written", .rule = "update = always"},
	{"IAP: the second block is cancelled", .faults = {.cancel_block = 2}, .most_attempts = 2},
	{"IAP: the third block is cancelled", .faults = {.cancel_block = 3}, .most_attempts = 2},
};

static void iap_takes_it(void **state)
{
	const struct iap_row *row = *state;
	CLEANUP(freep) char *rule = NULL;
	bool is_there = row->rule && strstr(row->rule, "none");
	const struct sim_options options = {
		.resident = SIM_RESIDENT_IAP,
		.circuit = is_there ? SIM_CIRCUIT_ROM : SIM_CIRCUIT_DIRECT,
		.faults = row->faults,
	};
	struct bench *bench;

	assert_true(asprintf(&rule, IAP CONFIRM "%s\n", row->rule ? row->rule : "") > 0);
	bench = new_bench(&options, rule);
	take_application(bench, row->size ? row->size : 7777, 3);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("%s", bench->report.reason.text);
	assert_true(bench_holds_image(bench));
	assert_true(loader_is_whole(bench));
	assert_in_range(bench->report.entries, 1, row->most_attempts ? row->most_attempts : 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	assert_int_equal(sim_counters(bench->sim)->aborts_by_letter, 0);
	bench_free(bench);
}

struct gecko_row {
	const char *name;
	const char *rule; /* more lines of it */
	enum outcome outcome;
	enum proof proof;
	const char *reason;
};

static const struct gecko_row gecko_rows[] = {
	{"Gecko: the application confirms", CONFIRM, OUTCOME_UPDATED, PROOF_CONFIRM, NULL},
	{"Gecko: nothing vouches for it", "", OUTCOME_VERIFY_IMPOSSIBLE, PROOF_NONE,
		"accept-unverified"},
	{"Gecko: the loader's word is enough", "accept-unverified = yes", OUTCOME_UPDATED,
		PROOF_LOADER, NULL},
	{"Gecko: verify says that the loader's word is enough", "verify = loader", OUTCOME_UPDATED,
		PROOF_LOADER, NULL},
	{"Gecko: the loader's word is enough, and the application's is better",
		"verify = loader\n" CONFIRM, OUTCOME_UPDATED, PROOF_CONFIRM, NULL},
	{"Gecko: the application says something else", "confirm = version 9\nconfirm-within = 1s",
		OUTCOME_NOT_CONFIRMED, PROOF_NONE, "plugflash-test 1.2.3"},
	{"Gecko: the menu does not start it, a reset does", "menu-start = send \"3\"\n" CONFIRM,
		OUTCOME_UPDATED, PROOF_CONFIRM, NULL},
	{"Gecko: by reset instead of the menu", "start = reset\n" CONFIRM, OUTCOME_UPDATED,
		PROOF_CONFIRM, NULL},
};

static void gecko_takes_it(void **state)
{
	const struct gecko_row *row = *state;
	const struct sim_options options = {.resident = SIM_RESIDENT_GECKO};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, GECKO "%s\n", row->rule) > 0);
	bench = new_bench(&options, rule);
	take_gbl(bench, 6001, 4);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	assert_true(holds_gbl(bench));
	assert_true(loader_is_whole(bench));
	assert_int_equal(bench->report.proof, row->proof);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(bench->report.entries, 1);
	if (row->reason && !strstr(bench->report.reason.text, row->reason))
		fail_msg("%s", bench->report.reason.text);
	bench_free(bench);
}

/* ------------------------------------------------------------------ what such a loader cannot do
 */

static void verify_and_read_go_by_the_upload(void **state)
{
	struct bench *bench = new_iap(&(struct sim_faults){0}, IAP "retries = 0");

	(void)state;
	take_application(bench, 9000, 5);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_UPLOAD);
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_CURRENT);
	assert_int_equal(bench->n_read, 48 * 1024);
	assert_memory_equal(bench->read, sim_flash(bench->sim) + RESIDENT_BYTES, bench->n_read);
	sim_flash(bench->sim)[RESIDENT_BYTES + 5000] ^= 0x10;
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(bench->report.address, APPLICATION + 5000);
	assert_int_equal(sim_counters(bench->sim)->files, 0);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* The loader sends up to the end of its flash, whatever somebody asks for. */
static void a_read_beyond_what_the_loader_sends_has_failed(void **state)
{
	static const struct {
		uint32_t offset, size;
		enum outcome outcome;
	} rows[] = {
		{0x1000, 0x200, OUTCOME_CURRENT},
		{48 * 1024 - 0x100, 0x100, OUTCOME_CURRENT},
		{48 * 1024 - 0x100, 0x101, OUTCOME_FAILED},
		{48 * 1024, 0x10, OUTCOME_FAILED},
	};
	struct bench *bench = new_iap(&(struct sim_faults){0}, IAP "retries = 0");

	(void)state;
	take_application(bench, 9000, 5);
	bench_preload(bench);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bench->read_address = APPLICATION + rows[i].offset;
		bench->read_size = rows[i].size;
		assert_int_equal(bench_run(bench, FLASH_READ), rows[i].outcome);
		if (rows[i].outcome == OUTCOME_CURRENT) {
			assert_int_equal(bench->n_read, rows[i].size);
			assert_memory_equal(bench->read,
				sim_flash(bench->sim) + RESIDENT_BYTES + rows[i].offset,
				rows[i].size);
		} else {
			assert_non_null(strstr(bench->report.reason.text, "no more than"));
		}
	}
	bench_free(bench);
}

static void without_an_upload_nothing_can_be_verified_or_read(void **state)
{
	const struct sim_options options = {.resident = SIM_RESIDENT_GECKO};
	struct bench *bench = new_bench(&options, GECKO);
	uint64_t begin;

	(void)state;
	take_gbl(bench, 3000, 4);
	begin = bench_msec(bench);
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_VERIFY_IMPOSSIBLE);
	assert_int_equal(bench_run(bench, FLASH_READ), OUTCOME_FAILED);
	/* It cannot become better by another try. */
	assert_true(bench_msec(bench) - begin < 5000);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	bench_free(bench);
}

static void probe_goes_up_to_the_menu_and_no_further(void **state)
{
	struct bench *bench =
		new_iap(&(struct sim_faults){.erases_before_call = true}, IAP "retries = 0");

	(void)state;
	take_application(bench, 9000, 5);
	bench_preload(bench);
	assert_int_equal(bench_run(bench, FLASH_PROBE), OUTCOME_CURRENT);
	port_sim_pass(BENCH_PORT, USEC_PER_SEC);
	assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

static bool is_cancelled(void *userdata)
{
	(void)userdata;
	return true;
}

static bool is_cancelled_later(void *userdata)
{
	unsigned *n_left = userdata;

	return *n_left == 0 || --*n_left == 0;
}

static void a_stop_before_the_menu_choice_erases_nothing(void **state)
{
	struct bench *bench = new_iap(&(struct sim_faults){0}, IAP "retries = 0");

	(void)state;
	take_application(bench, 9000, 5);
	bench_preload(bench);
	take_application(bench, 9000, 6);
	bench->is_cancelled = is_cancelled;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_CANCELLED);
	for (unsigned n = 1; n <= 4; n++) {
		unsigned n_left = n;

		bench->is_cancelled = is_cancelled_later;
		bench->userdata = &n_left;
		if (bench_run(bench, FLASH_UPDATE) == OUTCOME_UPDATED)
			break;
		assert_int_equal(bench->report.outcome, OUTCOME_CANCELLED);
		port_sim_pass(BENCH_PORT, USEC_PER_SEC);
		assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
		assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	}
	bench_free(bench);
}

struct version_row {
	const char *name;
	const char *version; /* of the image */
	const char *rule;
	const char *query; /* that the application answers */
	const char *chatter;
	enum outcome outcome;
	unsigned entries; /* into the loader */
};

#define ASKS "version-query = V\\r\nversion-pattern = plugflash-test ([0-9.]+)\n"

static const struct version_row version_rows[] = {
	{"version: the same, nothing is touched", "1.2.3", ASKS, "V\r", NULL, OUTCOME_CURRENT, 0},
	{"version: the same in other words", "v1.2.3.0", ASKS, "V\r", NULL, OUTCOME_CURRENT, 0},
	{"version: another", "1.3.0", ASKS, "V\r", NULL, OUTCOME_UPDATED, 1},
	{"version: a longer one", "1.2.30", ASKS, "V\r", NULL, OUTCOME_UPDATED, 1},
	{"version: the application does not know the question", "1.2.3",
		ASKS "entry = command\nentry-command = BOOT", "W\r", NULL, OUTCOME_UPDATED, 1},
	{"version: it says it by itself", "1.2.3", "version-pattern = plugflash-test ([0-9.]+)",
		NULL, "status ok plugflash-test 1.2.3\r\n", OUTCOME_CURRENT, 0},
	{"version: the image has none", NULL, ASKS, "V\r", NULL, OUTCOME_UPDATED, 1},
	{"version: always written", "1.2.3", ASKS "update = always", "V\r", NULL, OUTCOME_UPDATED,
		1},
};

static void a_version_decides(void **state)
{
	const struct version_row *row = *state;
	const struct sim_options options = {
		.circuit = strstr(row->rule, "command") ? SIM_CIRCUIT_NONE : SIM_CIRCUIT_DIRECT,
		.resident = SIM_RESIDENT_GECKO,
		.command = "BOOT",
		.query = row->query,
		.says_once = true,
		.chatter = row->chatter,
	};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;
	unsigned n_entries;

	assert_true(asprintf(&rule, GECKO "accept-unverified = yes\n%s", row->rule) > 0);
	bench = new_bench(&options, rule);
	take_application(bench, 3000, 6);
	bench_preload(bench);
	take_gbl(bench, 3000, 6);
	bench->version = row->version;
	start_anew();
	n_entries = sim_counters(bench->sim)->resident_entries;
	assert_int_equal(bench_run(bench, FLASH_UPDATE), row->outcome);
	assert_int_equal(sim_counters(bench->sim)->resident_entries - n_entries, row->entries);
	assert_int_equal(bench->report.proof,
		row->outcome == OUTCOME_CURRENT ? PROOF_VERSION : PROOF_LOADER);
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, iap_is_updated_confirmed_and_then_current);
	ADD_ROWS(tests, n_tests, iap_rows, iap_takes_it);
	ADD_ROWS(tests, n_tests, gecko_rows, gecko_takes_it);
	ADD_TEST(tests, n_tests, verify_and_read_go_by_the_upload);
	ADD_TEST(tests, n_tests, a_read_beyond_what_the_loader_sends_has_failed);
	ADD_TEST(tests, n_tests, without_an_upload_nothing_can_be_verified_or_read);
	ADD_TEST(tests, n_tests, probe_goes_up_to_the_menu_and_no_further);
	ADD_TEST(tests, n_tests, a_stop_before_the_menu_choice_erases_nothing);
	ADD_ROWS(tests, n_tests, version_rows, a_version_decides);
	return RUN_TESTS("loaders", tests, n_tests);
}
