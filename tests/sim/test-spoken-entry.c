/* SPDX-License-Identifier: MIT */
/*
 * test-spoken-entry.c - whole jobs on sticks that are entered, and asked for their version, by the
 * protocol that their application speaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/stick-bench.h"
#include "tools/gbl-make.h"
#include "unit/rows.h"

static const struct sim_options no_lines = {.circuit = SIM_CIRCUIT_NONE};

static void must_be(struct bench *bench, enum flash_action action, enum outcome outcome)
{
	if (bench_run(bench, action) != outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
}

static void must_say(const struct bench *bench, const char *words)
{
	if (!strstr(bench->report.reason.text, words))
		fail_msg("'%s' says nothing of '%s'", bench->report.reason.text, words);
}

/* ------------------------------------------------------------------ an update */

struct update_row {
	const char *name, *rule;
	const char *protocol, *version; /* that run */
	uint32_t baud;
	uint32_t new_baud; /* of the new application; 0: the same */
	const char *entered;
	const char *says; /* the new application */
};

#define SAME "8.0.2.0"

static const struct update_row update_rows[] = {
	{"update: ezsp", "entry = ezsp", "ezsp", "7.4.3.0", 115200, 0, "ezsp", SAME},
	{"update: ezsp, one of several", "entry = ezsp cpc spinel", "ezsp", "6.10.3.0", 115200, 0,
		"ezsp", SAME},
	{"update: ezsp at another rate", "entry = ezsp cpc spinel", "ezsp", "7.4.3.0", 460800, 0,
		"ezsp", SAME},
	{"update: cpc", "entry = ezsp cpc spinel", "cpc", "4.4.0.0", 460800, 0, "cpc", "8.0.2"},
	{"update: cpc at another rate", "entry = cpc", "cpc", "4.4.0.0", 115200, 0, "cpc", "8.0.2"},
	{"update: spinel", "entry = ezsp cpc spinel", "spinel", "2.4.4.0", 460800, 0, "spinel",
		"SL-OPENTHREAD/8.0.2.0_GitHub-7074a43e4"},
	{"update: zwave", "entry = zwave", "zwave", "7.18.1", 115200, 0, "zwave",
		"8.0.2 firmware 0.0"},
	{"update: zwave, one of all", "entry = ezsp cpc spinel zwave", "zwave", "7.18.1", 115200, 0,
		"zwave", "8.0.2 firmware 0.0"},
	{"update: ezsp, and the new one at another rate", "entry = ezsp", "ezsp", "7.4.3.0", 115200,
		230400, "ezsp", SAME},
	{"update: ezsp, and the rule says the new rate", "entry = ezsp\nconfirm-baud = 57600",
		"ezsp", "7.4.3.0", 115200, 57600, "ezsp", SAME},
	{"update: ezsp at a rate of the rule", "entry = ezsp\nentry-baud = 57600", "ezsp",
		"7.4.3.0", 57600, 0, "ezsp", SAME},
};

static void an_application_leads_into_its_loader_and_confirms(void **state)
{
	const struct update_row *row = *state;
	uint32_t new_baud = row->new_baud > 0 ? row->new_baud : row->baud;
	char rule[200];
	struct bench *bench;

	snprintf(rule, sizeof(rule), STICK_RULE "%s", row->rule);
	bench = stick_bench(&no_lines, rule, row->protocol, row->version, row->baud);
	stick_take(bench, row->protocol, "8.0.2.0", new_baud, "8.0.2");
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_int_equal(bench->report.proof, PROOF_CONFIRM);
	assert_string_equal(bench->report.entered, row->entered);
	assert_string_equal(bench->report.application, row->protocol);
	assert_string_equal(bench->report.application_version, row->says);
	assert_int_equal(bench->report.application_baud, new_baud);
	assert_int_equal(bench->report.baud, 115200);
	assert_int_equal(bench->report.entries, 1);
	assert_true(holds_gbl(bench));
	/* And nothing more is to be done: no reset, no entry. */
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_VERSION);
	assert_int_equal(bench->report.entries, 0);
	assert_int_equal(sim_counters(bench->sim)->application_commands, 1);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* ------------------------------------------------------------------ nothing is to be done */

static void what_runs_is_asked_before_anything_is_disturbed(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.4.3.0", 115200);

	(void)state;
	stick_take(bench, "ezsp", "7.4.3.0", 115200, "7.4.3");
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_VERSION);
	assert_string_equal(bench->report.application, "ezsp");
	assert_string_equal(bench->report.application_version, "7.4.3.0");
	assert_string_equal(bench->report.entered, "");
	/* The same by what only looks. */
	bench->dry_run = true;
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	bench->dry_run = false;
	must_be(bench, FLASH_VERIFY, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_VERSION);
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_NONE);
	assert_string_equal(bench->report.application, "ezsp");
	assert_int_equal(bench->report.application_baud, 115200);
	assert_int_equal(bench->report.entries, 0);
	assert_int_equal(sim_counters(bench->sim)->application_commands, 0);
	assert_int_equal(sim_counters(bench->sim)->resident_entries, 1);
	bench_free(bench);
}

static void another_version_is_told_without_an_entry(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.4.3.0", 115200);

	(void)state;
	stick_take(bench, "ezsp", "8.0.2.0", 115200, "8.0.2");
	must_be(bench, FLASH_VERIFY, OUTCOME_VERIFY_DIFFERS);
	must_say(bench, "(ezsp 7.4.3.0 at 115200 baud)");
	must_say(bench, "'8.0.2'");
	bench->dry_run = true;
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	bench->dry_run = false;
	bench->version = NULL;
	must_be(bench, FLASH_VERIFY, OUTCOME_VERIFY_IMPOSSIBLE);
	must_say(bench, "the version of the image is not known");
	assert_int_equal(sim_counters(bench->sim)->application_commands, 0);
	assert_int_equal(sim_counters(bench->sim)->resident_entries, 1);
	bench_free(bench);
}

static void what_cannot_be_read_back_stops_no_application(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.4.3.0", 115200);

	(void)state;
	must_be(bench, FLASH_READ, OUTCOME_FAILED);
	must_say(bench, "this boot loader cannot send back what it holds");
	assert_int_equal(sim_counters(bench->sim)->application_commands, 0);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* The rule wants the flash to be compared: the version alone is not enough. */
static void a_version_is_not_enough_where_all_is_to_be_sent_back(void **state)
{
	const struct sim_options iap = {
		.circuit = SIM_CIRCUIT_DIRECT, .resident = SIM_RESIDENT_IAP};
	CLEANUP(freep)
	uint8_t *application =
		stick_application(sim_chip_find("f103c8"), "ezsp", "8.0.2.0", 115200);
	struct bench *bench = stick_bench(&iap,
		IAP "retries = 0\nverify = upload\napplication = ezsp\nreset = dtr\nboot = rts\n",
		"ezsp", "8.0.2.0", 115200);

	(void)state;
	take_file(bench, application, STICK_APPLICATION_BYTES, APPLICATION);
	bench->version = "8.0.2";
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_UPLOAD);
	assert_string_equal(bench->report.entered, "lines");
	bench_free(bench);
}

/* The service keeps that the unit holds this very image. */
static void know_the_image(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	(void)userdata;
	(void)so_far;
	*ret = (struct answer){
		.word = question == QUESTION_DECIDE ? ANSWER_FINGERPRINT : ANSWER_GO};
}

static void the_first_numbers_of_a_version_are_enough_for_a_unit_on_record(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.3.1.0", 115200);

	(void)state;
	stick_take(bench, "ezsp", "7.3.2.0", 115200, "7.3");
	bench->ask = know_the_image;
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_VERSION);
	must_be(bench, FLASH_VERIFY, OUTCOME_CURRENT);
	/* Any other may hold an older one of the same numbers. */
	bench->ask = NULL;
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_string_equal(bench->report.application_version, "7.3.2.0");
	bench_free(bench);
}

/* ------------------------------------------------------------------ the loader is there already */

static void break_application(struct bench *bench)
{
	memset(sim_flash(bench->sim) + RESIDENT_BYTES, 0xFF, 512);
	start_anew();
}

static void a_loader_at_first_contact_is_used_at_once(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp cpc", "ezsp", "7.4.3.0", 115200);

	(void)state;
	break_application(bench);
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	assert_string_equal(bench->report.entered, "direct");
	assert_string_equal(bench->report.application, "");
	stick_take(bench, "ezsp", "8.0.2.0", 115200, "8.0.2");
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_string_equal(bench->report.entered, "direct");
	assert_string_equal(bench->report.application_version, "8.0.2.0");
	assert_int_equal(sim_counters(bench->sim)->application_commands, 0);
	assert_true(holds_gbl(bench));
	bench_free(bench);
}

/* Wherever the cable is pulled, the next plug-in completes what was begun. */
static void a_stick_that_was_cut_off_is_completed(void **state)
{
	unsigned n_cuts = 0, n_direct = 0;

	(void)state;
	for (uint64_t after = 10;; after += 173) {
		struct bench *bench = stick_bench(
			&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.4.3.0", 115200);
		enum outcome outcome;

		stick_take(bench, "ezsp", "8.0.2.0", 115200, "8.0.2");
		port_sim_set_options(
			BENCH_PORT, &(struct port_sim_options){.unplug_after_sent = after});
		outcome = bench_run(bench, FLASH_UPDATE);
		if (outcome == OUTCOME_UPDATED) {
			bench_free(bench);
			break;
		}
		assert_int_equal(outcome, OUTCOME_PORT_GONE);
		start_anew();
		outcome = bench_run(bench, FLASH_UPDATE);
		if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
			fail_msg("after a cut after %u: %s", (unsigned)after,
				bench->report.reason.text);
		assert_string_equal(bench->report.application_version, "8.0.2.0");
		assert_true(holds_gbl(bench));
		n_direct += strcmp(bench->report.entered, "direct") == 0;
		n_cuts++;
		bench_free(bench);
	}
	assert_true(n_cuts > 20);
	assert_true(n_direct > 10);
	print_message("# figure: cut off after %u different bytes, %u found in the loader\n",
		n_cuts, n_direct);
}

/* ------------------------------------------------------------------ faults of the application */

struct fault_row {
	const char *name, *rule;
	struct sim_spoken_faults faults;
	enum outcome outcome;
	const char *says[3];
};

static const struct fault_row fault_rows[] = {
	{"fault: nobody answers", "entry = ezsp cpc spinel zwave\nretries = 3", {.is_mute = true},
		OUTCOME_NO_SYNC,
		{"neither the boot loader (at 115200) nor an application (cpc at 460800, 115200, 230400; ezsp at 115200, 230400, 460800; spinel at 460800, 115200; zwave at 115200) answers, no byte came at all",
			"`entry-baud`"}},
	{"fault: another rate than that of the rule", "entry = ezsp\nentry-baud = 57600", {0},
		OUTCOME_NO_SYNC, {"(ezsp at 57600)"}},
	{"fault: it refuses to leave", "entry = ezsp", {.launch_error = 0x70}, OUTCOME_NO_SYNC,
		{"the application (ezsp 7.4.3.0 at 115200 baud) does not start its boot loader: ",
			"0x70"}},
	{"fault: it does not know the command", "entry = ezsp", {.has_no_command = true},
		OUTCOME_NO_SYNC, {"does not start its boot loader"}},
	{"fault: it says that it leaves, and stays", "entry = ezsp", {.launch_is_lost = true},
		OUTCOME_NO_SYNC,
		{"(ezsp 7.4.3.0 at 115200 baud) was told to start its boot loader, and no menu came within 10000 ms"}},
	{"fault: it has hardware flow control", "entry = ezsp", {.needs_rts = true},
		OUTCOME_UPDATED, {NULL}},
	{"fault: it has hardware flow control, and the rule has another use for RTS",
		"entry = ezsp\nreset = rts\nboot = none", {.needs_rts = true}, OUTCOME_NO_SYNC,
		{"no byte came at all", "needs RTS asserted"}},
	{"fault: it leaves without a word", "entry = ezsp", {.launch_is_silent = true},
		OUTCOME_UPDATED, {NULL}},
	{"fault: it takes four seconds to leave", "entry = ezsp", {.launch_nsec = 4000000000},
		OUTCOME_UPDATED, {NULL}},
	{"fault: a frame of the first question is lost", "entry = ezsp\nretries = 1",
		{.drop_heard = 1}, OUTCOME_UPDATED, {NULL}},
	{"fault: an answer is spoilt", "entry = ezsp\nretries = 1", {.spoil_said = 2},
		OUTCOME_UPDATED, {NULL}},
	{"fault: it is locked until it is reset", "entry = ezsp", {.is_locked = true},
		OUTCOME_UPDATED, {NULL}},
};

static void faults_of_an_application_are_told_or_mended(void **state)
{
	const struct fault_row *row = *state;
	struct sim_options options = no_lines;
	char rule[200];
	struct bench *bench;

	options.faults.spoken = row->faults;
	snprintf(rule, sizeof(rule), STICK_RULE "%s", row->rule);
	if (strstr(row->rule, "retries"))
		snprintf(rule, sizeof(rule), "protocol = xmodem\n%s", row->rule);
	bench = stick_bench(&options, rule, "ezsp", "7.4.3.0", 115200);
	stick_take(bench, "ezsp", "8.0.2.0", 115200, "8.0.2");
	must_be(bench, FLASH_UPDATE, row->outcome);
	for (size_t i = 0; i < ARRAY_SIZE(row->says) && row->says[i]; i++)
		must_say(bench, row->says[i]);
	assert_int_equal(holds_gbl(bench), row->outcome == OUTCOME_UPDATED);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* ------------------------------------------------------------------ the new application */

static void another_version_than_that_of_the_image_is_not_confirmed(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.4.3.0", 115200);

	(void)state;
	stick_take(bench, "ezsp", "8.0.2.0", 115200, "8.1.0");
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_CONFIRMED);
	must_say(bench, "an application runs (ezsp 8.0.2.0 at 115200 baud)");
	must_say(bench, "not that of the image, '8.1.0'");
	assert_string_equal(bench->report.application_version, "8.0.2.0");
	assert_int_equal(bench->report.proof, PROOF_NONE);
	bench_free(bench);
}

static void an_application_that_stays_silent_is_not_confirmed(void **state)
{
	struct bench *bench = stick_bench(&no_lines,
		STICK_RULE "entry = ezsp spinel\nconfirm-within = 3s", "ezsp", "7.4.3.0", 115200);

	(void)state;
	stick_take(bench, NULL, NULL, 0, "8.0.2");
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_CONFIRMED);
	must_say(bench, "no application answered within 3000 ms");
	must_say(bench, "(ezsp at 115200, 230400, 460800; spinel at 460800, 115200)");
	bench_free(bench);
}

static void an_image_without_a_version_needs_an_answer_alone(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.4.3.0", 115200);

	(void)state;
	stick_take(bench, "ezsp", "8.0.2.0", 115200, NULL);
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_int_equal(bench->report.proof, PROOF_CONFIRM);
	assert_string_equal(bench->report.application_version, "8.0.2.0");
	bench_free(bench);
}

/* A GBL with such an application, and what its maker says of it. */
static void take_made(
	struct bench *bench, const char *protocol, uint32_t baud, const char *metadata)
{
	struct gbl_make gbl = gbl_make_begin(0);
	uint8_t *application =
		stick_application(sim_chip_find("f103c8"), protocol, "2.4.4.0", baud);
	const struct image_options options = {.max_bytes = 65536};
	struct reason reason = {""};

	gbl_make_tag(&gbl, GBL_TAG_METADATA, metadata, strlen(metadata));
	gbl_make_application(&gbl, application, STICK_APPLICATION_BYTES);
	gbl_make_end(&gbl);
	image_done(&bench->image);
	assert_int_equal(image_read("x.gbl", gbl.data, gbl.n, &options, &bench->image, &reason), 0);
	gbl_make_done(&gbl);
	free(application);
}

static void take_rcp(struct bench *bench, const char *metadata)
{
	take_made(bench, "spinel", 460800, metadata);
}

static void what_the_image_says_of_its_application_counts(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp spinel", "ezsp", "7.4.3.0", 115200);

	(void)state;
	take_rcp(bench,
		"{\"metadata_version\": 2, \"fw_type\": \"openthread_rcp\", \"baudrate\": 460800, "
		"\"ot_rcp_version\": \"SL-OPENTHREAD/2.4.4.0_GitHub-7074a43e4\"}");
	/* The name of the file has a number of another kind. */
	bench->version = "2025.1";
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_string_equal(bench->report.entered, "ezsp");
	assert_string_equal(bench->report.application, "spinel");
	assert_int_equal(bench->report.application_baud, 460800);
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	must_be(bench, FLASH_VERIFY, OUTCOME_CURRENT);
	assert_int_equal(sim_counters(bench->sim)->files, 1);
	bench_free(bench);
}

static void another_version_than_that_of_the_maker_is_not_confirmed(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp spinel", "ezsp", "7.4.3.0", 115200);

	(void)state;
	take_rcp(bench, "{\"metadata_version\": 2, \"fw_type\": \"openthread_rcp\", "
			"\"ot_rcp_version\": \"SL-OPENTHREAD/2.4.5.0_GitHub-7074a43e4\"}");
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_CONFIRMED);
	must_say(bench, "SL-OPENTHREAD/2.4.4.0");
	must_say(bench, "SL-OPENTHREAD/2.4.5.0");
	bench_free(bench);
}

/* Zigbee runs, and the image is for Thread; then what it brings is Zigbee all the same. */
static void an_application_of_another_kind_is_none_of_the_image(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp spinel", "ezsp", "2.4.4.0", 115200);

	(void)state;
	take_made(bench, "ezsp", 115200,
		"{\"metadata_version\": 2, \"fw_type\": \"openthread_rcp\", "
		"\"ot_rcp_version\": \"2.4.4.0\"}");
	must_be(bench, FLASH_VERIFY, OUTCOME_VERIFY_DIFFERS);
	must_say(bench, "which is of the kind 'openthread_rcp'");
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_CONFIRMED);
	must_say(bench, "(ezsp 2.4.4.0 at 115200 baud)");
	must_say(bench, "the image is of the kind 'openthread_rcp'");
	bench_free(bench);
}

/* The loader takes the file and shows its menu again. */
static void an_application_that_cannot_be_started_is_not_confirmed(void **state)
{
	struct bench *bench =
		stick_bench(&no_lines, STICK_RULE "entry = ezsp", "ezsp", "7.4.3.0", 115200);

	CLEANUP(freep)
	uint8_t *application =
		stick_application(sim_chip_find("f103c8"), "ezsp", "8.0.2.0", 115200);

	(void)state;
	memset(application, 0xFF, 8); /* its vectors */
	stick_take_bytes(bench, application, "8.0.2");
	must_be(bench, FLASH_UPDATE, OUTCOME_NOT_CONFIRMED);
	must_say(bench, "the boot loader did not start the application");
	bench_free(bench);
}

/* ------------------------------------------------------------------ by lines */

#define LINES STICK_RULE "menu = gecko\nreset = dtr\nboot = rts\napplication = ezsp\n"

static void lines_lead_into_the_loader_and_the_application_confirms(void **state)
{
	const struct sim_options wired = {.circuit = SIM_CIRCUIT_DIRECT};
	struct bench *bench = stick_bench(&wired, LINES, "ezsp", "7.4.3.0", 115200);

	(void)state;
	stick_take(bench, "ezsp", "8.0.2.0", 230400, "8.0.2");
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_string_equal(bench->report.entered, "lines");
	assert_string_equal(bench->report.application_version, "8.0.2.0");
	assert_int_equal(bench->report.application_baud, 230400);
	must_be(bench, FLASH_UPDATE, OUTCOME_CURRENT);
	assert_int_equal(bench->report.proof, PROOF_VERSION);
	assert_string_equal(bench->report.entered, "");
	must_be(bench, FLASH_PROBE, OUTCOME_CURRENT);
	assert_string_equal(bench->report.entered, "lines");
	assert_string_equal(bench->report.application_version, "8.0.2.0");
	/* The loader is met by lines whatever the application does. */
	break_application(bench);
	must_be(bench, FLASH_UPDATE, OUTCOME_UPDATED);
	assert_true(holds_gbl(bench));
	bench_free(bench);
}

/* `application` in place of `entry`, for a stick without lines. */
static void without_lines_the_answer_of_the_application_leads_to_entry(void **state)
{
	const struct sim_options plain = {.circuit = SIM_CIRCUIT_NONE};
	struct bench *bench = stick_bench(&plain, LINES, "ezsp", "7.4.3.0", 115200);

	(void)state;
	stick_take(bench, "ezsp", "8.0.2.0", 115200, "8.0.2");
	must_be(bench, FLASH_UPDATE, OUTCOME_NO_SYNC);
	must_say(bench, "the application answers (ezsp 7.4.3.0 at 115200 baud)");
	must_say(bench, "in `entry`, not in `application`");
	bench_free(bench);
}

int main(void)
{
	struct CMUnitTest tests[80];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, update_rows, an_application_leads_into_its_loader_and_confirms);
	ADD_TEST(tests, n_tests, what_runs_is_asked_before_anything_is_disturbed);
	ADD_TEST(tests, n_tests, another_version_is_told_without_an_entry);
	ADD_TEST(tests, n_tests, what_cannot_be_read_back_stops_no_application);
	ADD_TEST(tests, n_tests, a_version_is_not_enough_where_all_is_to_be_sent_back);
	ADD_TEST(tests, n_tests, the_first_numbers_of_a_version_are_enough_for_a_unit_on_record);
	ADD_TEST(tests, n_tests, a_loader_at_first_contact_is_used_at_once);
	ADD_TEST(tests, n_tests, a_stick_that_was_cut_off_is_completed);
	ADD_ROWS(tests, n_tests, fault_rows, faults_of_an_application_are_told_or_mended);
	ADD_TEST(tests, n_tests, another_version_than_that_of_the_image_is_not_confirmed);
	ADD_TEST(tests, n_tests, an_application_that_stays_silent_is_not_confirmed);
	ADD_TEST(tests, n_tests, an_image_without_a_version_needs_an_answer_alone);
	ADD_TEST(tests, n_tests, what_the_image_says_of_its_application_counts);
	ADD_TEST(tests, n_tests, another_version_than_that_of_the_maker_is_not_confirmed);
	ADD_TEST(tests, n_tests, an_application_of_another_kind_is_none_of_the_image);
	ADD_TEST(tests, n_tests, an_application_that_cannot_be_started_is_not_confirmed);
	ADD_TEST(tests, n_tests, lines_lead_into_the_loader_and_the_application_confirms);
	ADD_TEST(tests, n_tests, without_lines_the_answer_of_the_application_leads_to_entry);
	return RUN_TESTS("spoken-entry", tests, n_tests);
}
