/* SPDX-License-Identifier: MIT */
/*
 * readout-protection = set: the chip is protected after a good verify, and what becomes of it when
 * it is plugged in again and neither its flash nor its unique id can be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place.h"
#include "unit/save.h"

#define SET	  F103 "\nreadout-protection = set"
#define AT_BRIDGE "usb 10c4:ea60 '0001' at pci-1"
#define READ	  0x11
#define PROTECT	  0x82

static const struct sim_counters *counters(const struct place *place)
{
	return sim_counters(place->bench->sim);
}

/* Asked of the chip itself, by a job that changes nothing. */
static bool is_protected(struct place *place)
{
	const struct report before = place->bench->report;
	bool answer;

	assert_int_equal(check_by_hand(place, FLASH_PROBE), OUTCOME_CURRENT);
	answer = place->bench->report.is_protected;
	place->bench->report = before;
	return answer;
}

static struct store_unit at_bridge(struct place *place)
{
	struct store_unit unit = {0};
	struct reason reason;

	assert_int_equal(store_find_unit(place->records.store, AT_BRIDGE, &unit, &reason), 0);
	return unit;
}

static void assert_well(struct place *place)
{
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(sim_state(place->bench->sim), SIM_APPLICATION);
	assert_true(sim_application_is_sane(place->bench->sim));
	assert_true(is_protected(place));
}

static void a_unit_is_protected_once_it_is_verified(void **state)
{
	struct place *place = new_place(NULL, SET);
	const struct report *report = &place->bench->report;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(counters(place)->commands[PROTECT], 1);
	assert_int_equal(counters(place)->unprotects, 0);
	assert_true(report->is_protected);
	assert_int_equal(report->proof, PROOF_READ_BACK);
	assert_int_equal(strlen(report->unit), 24);
	assert_true(unit_of(place).is_protected);
	assert_string_equal(at_bridge(place).unit, report->unit);
	assert_string_equal(at_bridge(place).sha256, report->sha256);
	assert_well(place);
	free_place(place);
}

static void what_is_remembered_of_a_protected_unit_is_believed_and_said_so(void **state)
{
	struct place *place = new_place(NULL, SET);
	unsigned n_reads;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	n_reads = counters(place)->commands[READ];
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_int_equal(counters(place)->commands[READ], n_reads);
	assert_int_equal(counters(place)->unprotects, 0);
	assert_non_null(strstr(place->bench->report.reason.text, "nothing was read"));
	assert_int_equal(place->bench->report.proof, PROOF_NONE);
	assert_string_equal(place->bench->report.unit, "");
	assert_string_equal(last_attempt(place).cause, "same");
	assert_true(at_bridge(place).is_protected);
	/* And again: being found so has not changed what is remembered. */
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_well(place);
	free_place(place);
}

static void a_new_image_goes_onto_a_protected_unit_by_a_wipe(void **state)
{
	struct place *place = new_place(NULL, SET);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "different");
	assert_int_equal(counters(place)->unprotects, 1);
	assert_int_equal(counters(place)->commands[PROTECT], 2);
	assert_string_equal(at_bridge(place).version, "1.0.0");
	assert_well(place);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	free_place(place);
}

static void an_older_image_is_not_put_on_a_protected_unit_that_takes_newer_ones(void **state)
{
	struct place *place = new_place(NULL, SET "\nupdate = newer");

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(last_attempt(place).cause, "not-newer");
	assert_int_equal(counters(place)->unprotects, 0);
	free_place(place);
}

static void a_protected_unit_that_nobody_knows_is_written_anew(void **state)
{
	const struct sim_faults faults = {.protect = true};
	struct place *place = new_place(&faults, SET);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "protected");
	assert_int_equal(counters(place)->unprotects, 1);
	assert_well(place);
	free_place(place);
}

/* Nor is one that the memory knows, if it was not protected from here. */
static void one_that_somebody_else_protected_is_written_anew(void **state)
{
	struct place *place = new_place(NULL, SET);
	struct store_unit unit;
	struct reason reason;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	unit = at_bridge(place);
	unit.is_protected = false;
	assert_int_equal(save_rows(place->records.store, &unit, NULL, &reason), 0);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "protected");
	/* Another kind of chip in its place is another unit, too. */
	unit = at_bridge(place);
	snprintf(unit.chip, sizeof(unit.chip), "another");
	assert_int_equal(save_rows(place->records.store, &unit, NULL, &reason), 0);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "protected");
	assert_int_equal(counters(place)->unprotects, 2);
	free_place(place);
}

static void a_unit_that_holds_the_image_is_read_in_full_and_protected(void **state)
{
	struct place *place = new_place(NULL, F103);
	uint32_t size;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	size = (uint32_t)place->bench->report.bytes;
	/* The rule has changed; the unit is known, and a few blocks would do else. */
	place->bench->board.readout_protection = BOARD_PROTECTION_SET;
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_true(place->bench->report.bytes >= size);
	assert_true(place->bench->report.is_protected);
	assert_int_equal(place->bench->report.proof, PROOF_READ_BACK);
	assert_int_equal(counters(place)->unprotects, 0);
	assert_well(place);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_non_null(strstr(place->bench->report.reason.text, "nothing was read"));
	free_place(place);
}

/* Another, new board behind the bridge of a protected one is looked at for itself. */
static void a_readable_chip_is_not_taken_for_the_protected_one(void **state)
{
	struct place *place = new_place(NULL, SET);
	const struct sim_options options = {.chip = sim_chip_find("f103xc"), .faults = {.seed = 5}};

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	sim_free(place->bench->sim);
	place->bench->sim = sim_new(&options);
	port_sim_attach(BENCH_PORT, place->bench->sim, NULL);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "unknown");
	assert_well(place);
	free_place(place);
}

/* ------------------------------------------------------------------------------ faults */

static const struct fault_row {
	const char *name;
	struct sim_faults faults;
	const char *rule;
	enum outcome outcome;
	unsigned attempts; /* entries until then; 0: any */
	const char *reason;
} fault_rows[] = {
	{"the protection is refused", {.nack_code = PROTECT}, "", OUTCOME_FAILED, 1, "NACK"},
	{"and refused at every retry", {.nack_code = PROTECT}, "\nretries = 2", OUTCOME_FAILED, 3,
		"may still be readable"},
	{"the chip hangs once in it", {.hang_code = PROTECT, .hang_nth = 1}, "\nretries = 1",
		OUTCOME_UPDATED, 3, ""},
	{"the bridge goes before it", {.vanish_code = PROTECT, .vanish_nth = 1}, "",
		OUTCOME_PORT_GONE, 1, "went away during protect"},
};

static void what_goes_wrong_while_protecting_is_told_and_mended(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fault_rows); i++) {
		const struct fault_row *row = &fault_rows[i];
		CLEANUP(freep) char *rule = NULL;
		struct place *place;

		assert_true(asprintf(&rule, "chip = F103xC\nreadout-protection = set\n%s",
				    *row->rule ? row->rule : "retries = 0") > 0);
		place = new_place(&row->faults, rule);
		if (plug(place) != row->outcome)
			fail_msg("%s: %s: %s", row->name,
				outcome_to_string(place->bench->report.outcome),
				place->bench->report.reason.text);
		assert_non_null(strstr(place->bench->report.reason.text, row->reason));
		assert_int_equal(place->bench->report.entries, row->attempts);
		/* All of it was written and read back by then. */
		assert_true(bench_holds_image(place->bench));
		if (row->outcome != OUTCOME_UPDATED)
			assert_false(place->bench->report.is_protected);
		clear_faults(place);
		restart_service(place);
		assert_true(plug(place) == OUTCOME_UPDATED ||
			    place->bench->report.outcome == OUTCOME_CURRENT);
		assert_well(place);
		free_place(place);
	}
}

static void a_loader_that_cannot_protect_is_found_out_before_the_erase(void **state)
{
	struct sim_chip chip = *sim_chip_find("f103xc");
	const struct sim_options options = {.chip = &chip};
	struct bench *bench;

	(void)state;
	chip.has_no_protection = true;
	bench = bench_new_with(&options, SET);
	bench_take_file(bench, FIRMWARE_OLD);
	bench_preload(bench);
	bench_take_file(bench, FIRMWARE_NEW);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_BAD_CONFIG);
	assert_non_null(strstr(bench->report.reason.text, "Readout Protect"));
	assert_int_equal(bench_erases(bench), 0);
	assert_int_equal(sim_state(bench->sim), SIM_APPLICATION);
	bench_free(bench);
}

/* Newer ROMs answer Read under protection with two NACKs (stm32-rom.md 9). */
static void a_chip_that_refuses_twice_is_protected_and_met_again(void **state)
{
	struct bench *bench = bench_new("f405", "chip = F405\nreadout-protection = set");

	(void)state;
	bench_take_bytes(bench, UINT32_C(0x08000000), 4096, 3);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_true(bench->report.is_protected);
	bench_take_bytes(bench, UINT32_C(0x08000000), 8192, 4);
	/* By hand, nobody remembers what it holds. */
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_UPDATED);
	assert_int_equal(sim_counters(bench->sim)->unprotects, 1);
	assert_true(bench_holds_image(bench));
	assert_int_equal(bench_run(bench, FLASH_VERIFY), OUTCOME_PROTECTED);
	assert_int_equal(sim_counters(bench->sim)->unprotects, 1);
	bench_free(bench);
}

/* A byte that is bent on its way earns one NACK: that is no protection, and no reason to wipe. */
static void one_nack_is_no_protection(void **state)
{
	unsigned n_runs = 0;

	(void)state;
	for (uint64_t nth = 1; nth <= 60; nth++) {
		const struct sim_faults faults = {.flip_received = nth};
		struct place *place = new_place(&faults, SET "\nretries = 3");

		place->bench->board.retries = 3;
		bench_preload(place->bench);
		if (plug(place) != OUTCOME_CURRENT)
			fail_msg("byte %u: %s: %s", (unsigned)nth,
				outcome_to_string(place->bench->report.outcome),
				place->bench->report.reason.text);
		assert_int_equal(counters(place)->unprotects, 0);
		free_place(place);
		n_runs++;
	}
	print_message("# figure: %u runs with a bent byte, none wiped\n", n_runs);
}

/* Bytes to the chip in an update that goes well, the last command of which is the protection. */
static uint64_t n_bytes_of(const char *rule)
{
	struct place *place = new_place(NULL, rule);
	uint64_t n;

	assert_int_equal(plug(place), OUTCOME_UPDATED);
	n = counters(place)->received;
	free_place(place);
	return n;
}

/*
 * The power goes after each byte, from the last blocks of the verification through the protection
 * to the job's end, and the service with it. The next plug-in makes it good whatever was reached.
 */
static void fault_18_cut_around_the_protection(void **state)
{
	uint64_t n_bytes = n_bytes_of(SET);
	unsigned n_cuts = 0;

	(void)state;
	for (uint64_t nth = n_bytes - 80; nth <= n_bytes; nth++) {
		const struct sim_faults faults = {.power_cut_received = nth};
		struct place *place = new_place(&faults, SET);
		enum outcome outcome;

		place->is_host_cut = nth % 2;
		outcome = plug(place);
		assert_int_not_equal(outcome, OUTCOME_CURRENT);
		clear_faults(place);
		restart_service(place);
		outcome = plug(place);
		if (outcome != OUTCOME_UPDATED && outcome != OUTCOME_CURRENT)
			fail_msg("byte %u: %s: %s", (unsigned)nth, outcome_to_string(outcome),
				place->bench->report.reason.text);
		assert_well(place);
		free_place(place);
		n_cuts++;
	}
	assert_int_equal(n_cuts, 81);
	print_message("# figure: %u cuts around the protection, all made good\n", n_cuts);
}

/* Never a loop: what an application does not confirm is counted, though the unit has no name. */
static void fault_23_a_protected_unit_that_fails_is_left_alone(void **state)
{
	struct place *place =
		new_place(NULL, SET "\nconfirm = nobody says this\nconfirm-within = 100ms\n"
				    "quarantine-after = 2");
	unsigned n_erases;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_NOT_CONFIRMED);
	assert_int_equal(plug(place), OUTCOME_NOT_CONFIRMED);
	n_erases = bench_erases(place->bench);
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_QUARANTINED);
	assert_int_equal(plug(place), OUTCOME_QUARANTINED);
	assert_int_equal(bench_erases(place->bench), n_erases);
	free_place(place);
}

/* The chip does not say that it is the one that is to go back: what stands at its bridge does. */
static void a_protected_unit_can_go_back(void **state)
{
	struct place *place = new_place(
		NULL, SET "\nconfirm = 1\\.0\\.0\nconfirm-within = 100ms\nrollback = yes");
	struct rollback back;

	(void)state;
	place->attempt.policy.rollback = true;
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	take_firmware(place, FIRMWARE_NEW);
	assert_int_equal(plug(place), OUTCOME_NOT_CONFIRMED);
	assert_string_equal(place->attempt.rollback.image, FIRMWARE_OLD);
	rollback_enter(&place->attempt.rollback, ROLLBACK_BEGUN);
	back = place->attempt.rollback;
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "rollback");
	assert_well(place);
	/* Another chip in its place is left alone. */
	place->attempt.rollback = back;
	place->facts.usb_path = (char *)"pci-2";
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "another unit"));
	assert_int_equal(counters(place)->unprotects, 2);
	free_place(place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_unit_is_protected_once_it_is_verified),
	cmocka_unit_test(what_is_remembered_of_a_protected_unit_is_believed_and_said_so),
	cmocka_unit_test(a_new_image_goes_onto_a_protected_unit_by_a_wipe),
	cmocka_unit_test(an_older_image_is_not_put_on_a_protected_unit_that_takes_newer_ones),
	cmocka_unit_test(a_protected_unit_that_nobody_knows_is_written_anew),
	cmocka_unit_test(one_that_somebody_else_protected_is_written_anew),
	cmocka_unit_test(a_unit_that_holds_the_image_is_read_in_full_and_protected),
	cmocka_unit_test(a_readable_chip_is_not_taken_for_the_protected_one),
	cmocka_unit_test(what_goes_wrong_while_protecting_is_told_and_mended),
	cmocka_unit_test(a_loader_that_cannot_protect_is_found_out_before_the_erase),
	cmocka_unit_test(a_chip_that_refuses_twice_is_protected_and_met_again),
	cmocka_unit_test(one_nack_is_no_protection),
	cmocka_unit_test(fault_18_cut_around_the_protection),
	cmocka_unit_test(a_protected_unit_can_go_back),
	cmocka_unit_test(fault_23_a_protected_unit_that_fails_is_left_alone),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
