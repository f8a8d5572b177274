/* SPDX-License-Identifier: MIT */
/*
 * test-loaders-faults.c - the procedure against boot loaders that take a file, where something goes
 * wrong: the loader, a byte on the line, the plug.
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

/* ------------------------------------------------------------------ what goes wrong */

struct failure_row {
	const char *name;
	struct sim_faults faults;
	const char *rule;
	uint32_t size;
	enum outcome outcome;
	enum phase phase;
	uint64_t most_msec;
	bool nothing_erased;
	const char *reason;
};

static const struct failure_row failure_rows[] = {
	{"fault 53: a silent loader", .faults = {.silent = true}, .outcome = OUTCOME_NO_SYNC,
		.phase = PHASE_SYNC, .most_msec = 120000, .nothing_erased = true, .reason = "menu"},
	{"fault 55: endless random bytes", .faults = {.garbage = true, .seed = 3},
		.outcome = OUTCOME_NO_SYNC, .most_msec = 120000, .nothing_erased = true},
	{"fault 54: an endless stream of 0x79", .faults = {.ack_stream = true},
		.outcome = OUTCOME_NO_SYNC, .most_msec = 120000, .nothing_erased = true},
	{"fault 29: larger than the room", .size = 48 * 1024 + 1, .outcome = OUTCOME_ERASE_FAILED,
		.phase = PHASE_ERASE, .nothing_erased = true, .reason = "higher than"},
	{"fault 60: the flash takes nothing", .faults = {.write_protected = true},
		.outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE, .reason = "Verification"},
	{"an erase without end", .faults = {.erase_nsec = SIM_NEVER},
		.outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE, .most_msec = 8 * 60000},
	{"an erase longer than the rule grants", .faults = {.erase_nsec = 8 * NSEC_PER_SEC},
		.rule = "erase-within = 2s", .outcome = OUTCOME_ERASE_FAILED, .phase = PHASE_ERASE},
	{"one bit of the flash is stuck", .faults = {.stuck_address = APPLICATION + 0x500},
		.outcome = OUTCOME_WRITE_FAILED, .phase = PHASE_WRITE, .reason = "Verification"},
};

static void a_failure_has_its_outcome(void **state)
{
	const struct failure_row *row = *state;
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;
	uint64_t begin;

	assert_true(asprintf(&rule, IAP "retries = 1\nretry-delay = 100ms\n%s",
			    row->rule ? row->rule : "") > 0);
	bench = new_iap(&row->faults, rule);
	take_application(bench, row->size ? row->size : 5000, 7);
	begin = bench_msec(bench);
	if (bench_run(bench, FLASH_UPDATE) != row->outcome)
		fail_msg("%s: %s", outcome_to_string(bench->report.outcome),
			bench->report.reason.text);
	if (row->phase)
		assert_int_equal(bench->report.phase, row->phase);
	assert_true(bench_msec(bench) - begin < (row->most_msec ? row->most_msec : 5 * 60000));
	if (row->nothing_erased)
		assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
	if (row->reason && !strstr(bench->report.reason.text, row->reason))
		fail_msg("%s", bench->report.reason.text);
	assert_true(loader_is_whole(bench));
	/* A board that works again is repaired. */
	sim_set_faults(bench->sim, &(struct sim_faults){0});
	if (row->size == 0) {
		take_application(bench, 5000, 7);
		port_sim_replug(BENCH_PORT);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
		assert_true(bench_holds_image(bench));
	}
	bench_free(bench);
}

/* A rule that is not the board's: what the board says for itself is the best explanation. */
struct strange_row {
	const char *name;
	const char *rule;
	enum sim_resident resident;
	enum outcome outcome;
	const char *said, *advice;
};

static const struct strange_row strange_rows[] = {
	{"strange: a Gecko loader, and the rule's menu is ST's", IAP, SIM_RESIDENT_GECKO,
		OUTCOME_NO_SYNC, "answers as `menu` expects, but something said 'Gecko Bootloader",
		"is it another loader"},
	{"strange: ST's loader, and the rule's menu is Gecko's", GECKO, SIM_RESIDENT_IAP,
		OUTCOME_NO_SYNC, "but something said 'Invalid Number !", "is it another loader"},
	{"strange: a menu that answers otherwise",
		"protocol = ymodem\nmenu = expect \"Willkommen\" send \"1\"\n", SIM_RESIDENT_GECKO,
		OUTCOME_NO_SYNC, "but something said 'Gecko Bootloader", "`menu`"},
	{"strange: another word at the end", IAP "menu-after = expect \"Done\"\nmenu-within = 2s\n",
		SIM_RESIDENT_IAP, OUTCOME_WRITE_FAILED,
		"and it said 'Programming Completed Successfully!", "`menu-after`"},
	{"strange: a raw image for a loader that takes GBL files", GECKO, SIM_RESIDENT_GECKO,
		OUTCOME_BAD_IMAGE, "a form that this boot loader does not know",
		"is it the file for this board"},
};

static void a_board_that_is_not_the_rules_speaks_for_itself(void **state)
{
	const struct strange_row *row = *state;
	const struct sim_options options = {.resident = row->resident};
	CLEANUP(freep) char *rule = NULL;
	struct bench *bench;

	assert_true(asprintf(&rule, "%sretries = 0\n", row->rule) > 0);
	bench = new_bench(&options, rule);
	take_application(bench, 3000, 4);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), row->outcome);
	if (!strstr(bench->report.reason.text, row->said) ||
		!strstr(bench->report.reason.text, row->advice))
		fail_msg("%s", bench->report.reason.text);
	assert_true(loader_is_whole(bench));
	bench_free(bench);
}

struct sweep_row {
	const char *name;
	size_t knob; /* of struct sim_faults, a uint64_t */
	enum sim_resident resident;
};

#define KNOB(member) offsetof(struct sim_faults, member)

static const struct sweep_row sweep_rows[] = {
	{"IAP: a byte to the loader is lost", KNOB(drop_received), SIM_RESIDENT_IAP},
	{"IAP: a byte to the loader is bent", KNOB(flip_received), SIM_RESIDENT_IAP},
	{"IAP: a byte to the loader is doubled", KNOB(double_received), SIM_RESIDENT_IAP},
	{"IAP: a byte from the loader is lost", KNOB(drop_sent), SIM_RESIDENT_IAP},
	{"IAP: a byte from the loader is bent", KNOB(flip_sent), SIM_RESIDENT_IAP},
	{"IAP: a byte from the loader is doubled", KNOB(double_sent), SIM_RESIDENT_IAP},
	{"Gecko: a byte to the loader is lost", KNOB(drop_received), SIM_RESIDENT_GECKO},
	{"Gecko: a byte to the loader is bent", KNOB(flip_received), SIM_RESIDENT_GECKO},
	{"Gecko: a byte to the loader is doubled", KNOB(double_received), SIM_RESIDENT_GECKO},
	{"Gecko: a byte from the loader is lost", KNOB(drop_sent), SIM_RESIDENT_GECKO},
	{"Gecko: a byte from the loader is bent", KNOB(flip_sent), SIM_RESIDENT_GECKO},
	{"Gecko: a byte from the loader is doubled", KNOB(double_sent), SIM_RESIDENT_GECKO},
};

/* Every byte near the edges of the conversation, one in some within. */
static uint64_t next_victim(uint64_t n)
{
	return n < 60 ? n + 1 : n + 17;
}

static void one_byte_that_goes_wrong_is_made_good(void **state)
{
	const struct sweep_row *row = *state;
	bool is_iap = row->resident == SIM_RESIDENT_IAP;
	unsigned n_runs = 0, n_retries = 0;

	for (uint64_t n = 1, n_bytes = 1; n <= n_bytes; n = next_victim(n)) {
		struct sim_options options = {.resident = row->resident, .faults = {.seed = 5}};
		struct bench *bench;

		*(uint64_t *)((char *)&options.faults + row->knob) = n;
		bench = new_bench(&options, is_iap ? IAP CONFIRM : GECKO CONFIRM);
		if (is_iap)
			take_application(bench, 2100, 8);
		else
			take_gbl(bench, 2100, 8);
		if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
			fail_msg("byte %u: %s", (unsigned)n, bench->report.reason.text);
		assert_true(is_iap ? bench_holds_image(bench) : holds_gbl(bench));
		n_runs++;
		n_retries += bench->report.entries > 1;
		n_bytes = row->knob >= KNOB(drop_sent) && row->knob <= KNOB(flip_sent)
				  ? sim_counters(bench->sim)->sent
				  : sim_counters(bench->sim)->received;
		if (row->knob == KNOB(double_sent))
			n_bytes = sim_counters(bench->sim)->sent;
		bench_free(bench);
	}
	print_message("# figure: %s: %u runs, %u with a second session, all updated\n", row->name,
		n_runs, n_retries);
}

/* Behind a lost first byte ST's receiver reads the block letter by letter. */
static void the_letter_a_aborts_and_the_next_session_repairs(void **state)
{
	CLEANUP(freep) uint8_t *bytes = make_application(3000, 9);
	struct bench *bench;

	(void)state;
	memset(bytes + 8, 'a', 0x180);
	/* Menu nudge, choice, header: then the first byte of the first data block. */
	bench = new_iap(&(struct sim_faults){.drop_received = 2 + 1 + 133 + 1},
		IAP CONFIRM "update = always");
	take_file(bench, bytes, 3000, APPLICATION);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_counters(bench->sim)->aborts_by_letter, 1);
	assert_int_equal(bench->report.entries, 2);
	assert_true(bench_holds_image(bench));
	bench_free(bench);
}

/* ------------------------------------------------------------------ cut off */

/* Pulls the plug after so many bytes, then plugs in again. */
static void cut_and_repair(struct bench *bench, uint64_t after, bool self_powered)
{
	const struct port_sim_options cut = {
		.unplug_after_sent = after, .self_powered = self_powered};
	enum outcome outcome;

	port_sim_set_options(BENCH_PORT, &cut);
	outcome = bench_run(bench, FLASH_UPDATE);
	if (outcome != OUTCOME_PORT_GONE)
		fail_msg("cut after %u: %s %s", (unsigned)after, outcome_to_string(outcome),
			bench->report.reason.text);
	port_sim_replug(BENCH_PORT);
	if (bench_run(bench, FLASH_UPDATE) != OUTCOME_UPDATED)
		fail_msg("after a cut after %u: %s", (unsigned)after, bench->report.reason.text);
}

static void fault_17_a_file_cut_off_after_each_block_is_sent_again(void **state)
{
	unsigned n_cuts = 0;

	(void)state;
	for (uint64_t after = 4; after < 4 + 133 + 5 * 1029; after += 133) {
		struct bench *bench = new_iap(
			&(struct sim_faults){0}, IAP CONFIRM "update = always\nretries = 1");

		take_application(bench, 4 * 1024 + 100, 10);
		bench_preload(bench);
		take_application(bench, 4 * 1024 + 200, 11);
		cut_and_repair(bench, after, false);
		assert_true(bench_holds_image(bench));
		assert_true(loader_is_whole(bench));
		n_cuts++;
		bench_free(bench);
	}
	print_message(
		"# figure: a file by YMODEM, cut off after %u different bytes, each repaired\n",
		n_cuts);
}

static void fault_17_a_gbl_cut_off_after_each_block_is_sent_again(void **state)
{
	unsigned n_cuts = 0;

	(void)state;
	for (uint64_t after = 4; after < 4 + 20 * 133; after += 133) {
		const struct sim_options options = {.resident = SIM_RESIDENT_GECKO};
		struct bench *bench = new_bench(&options, GECKO CONFIRM "retries = 1");

		take_gbl(bench, 20 * 128, 12);
		cut_and_repair(bench, after, false);
		assert_true(holds_gbl(bench));
		n_cuts++;
		bench_free(bench);
	}
	print_message(
		"# figure: a GBL by XMODEM, cut off after %u different bytes, each repaired\n",
		n_cuts);
}

/* The bytes that the chip had sent when each part of a read was there. */
struct marks {
	struct bench *bench;
	uint64_t at[64];
	size_t n;
};

static void on_part(void *userdata, const struct progress *progress)
{
	struct marks *marks = userdata;

	if (progress->phase == PHASE_READ && progress->done > 0 && marks->n < ARRAY_SIZE(marks->at))
		marks->at[marks->n++] = sim_counters(marks->bench->sim)->sent;
}

/* Of a flash full of the byte that is EOT, but for the application's first words. */
static struct bench *new_read(uint64_t drop_sent)
{
	struct bench *bench = new_iap(
		&(struct sim_faults){.drop_sent = drop_sent}, IAP "retries = 0\nmenu-within = 3s");

	take_application(bench, 600, 5);
	bench_preload(bench);
	memset(sim_flash(bench->sim) + RESIDENT_BYTES + 8, 0x04, 47 * 1024);
	return bench;
}

/*
 * Where the first byte of a block is lost, its number is taken for it, or one of its data, and each
 * of them may be 0x04: that is no EOT, for what was read is not all.
 */
static void a_lost_byte_never_ends_a_read_early(void **state)
{
	struct marks marks = {.bench = new_read(0)};
	unsigned n_runs = 0;

	(void)state;
	marks.bench->on_progress = on_part;
	marks.bench->userdata = &marks;
	assert_int_equal(bench_run(marks.bench, FLASH_READ), OUTCOME_CURRENT);
	bench_free(marks.bench);
	assert_int_equal(marks.n, 48);
	for (size_t i = 0; i < marks.n; i++) {
		struct bench *bench = new_read(marks.at[i] + 1);

		if (bench_run(bench, FLASH_READ) == OUTCOME_CURRENT) {
			if (bench->n_read != 48 * 1024)
				fail_msg("block %zu: %u bytes read", i + 2, bench->n_read);
			assert_memory_equal(
				bench->read, sim_flash(bench->sim) + RESIDENT_BYTES, bench->n_read);
		}
		n_runs++;
		bench_free(bench);
	}
	print_message("# figure: %u reads with the first byte of a block lost\n", n_runs);
}

/* Without a pause between its 'C's nobody knows when it would listen; the job ends all the same. */
static void endless_calls_end_in_time(void **state)
{
	static const char *const rules[] = {"protocol = ymodem\naddress = 0x08004000\n",
		"protocol = xmodem\naddress = 0x08004000\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct sim_options options = {
			.resident = SIM_RESIDENT_IAP, .faults = {.call_stream = true}};
		CLEANUP(freep) char *rule = NULL;
		struct bench *bench;

		assert_true(asprintf(&rule, "%serase-within = 10s\nretries = 0\n", rules[i]) > 0);
		bench = new_bench(&options, rule);
		take_application(bench, 3000, 4);
		alarm(300);
		assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_NO_SYNC);
		alarm(0);
		assert_true(bench_msec(bench) < 60000);
		assert_int_equal(sim_counters(bench->sim)->pages_erased, 0);
		bench_free(bench);
	}
}

int main(void)
{
	struct CMUnitTest tests[40];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, failure_rows, a_failure_has_its_outcome);
	ADD_ROWS(tests, n_tests, strange_rows, a_board_that_is_not_the_rules_speaks_for_itself);
	ADD_ROWS(tests, n_tests, sweep_rows, one_byte_that_goes_wrong_is_made_good);
	ADD_TEST(tests, n_tests, the_letter_a_aborts_and_the_next_session_repairs);
	ADD_TEST(tests, n_tests, a_lost_byte_never_ends_a_read_early);
	ADD_TEST(tests, n_tests, endless_calls_end_in_time);
	ADD_TEST(tests, n_tests, fault_17_a_file_cut_off_after_each_block_is_sent_again);
	ADD_TEST(tests, n_tests, fault_17_a_gbl_cut_off_after_each_block_is_sent_again);
	return RUN_TESTS("faults of loaders", tests, n_tests);
}
