/* SPDX-License-Identifier: MIT */
/*
 * The procedure with the service's memory in the loop: what is on the disk when the cable is
 * pulled, the host loses its power or the disk is full, and what becomes of the unit at the next
 * plug-in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "place.h"

#define FLASH_BASE UINT32_C(0x08000000)
#define WRITE	   0x31

/* ---------------------------------------------------------------------------- as it should */

static void fault_47_a_known_unit_is_current_by_its_fingerprint(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	bench_take_bytes(place->bench, FLASH_BASE, 32 * 1024, 5);
	take_image(place, "large.bin", "1.0");
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "unknown");
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_string_equal(unit_of(place).unit, place->bench->report.unit);

	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(last_attempt(place).cause, "same");
	assert_int_equal(place->bench->report.bytes, 10 * 256);
	assert_int_equal(last_attempt(place).report.outcome, OUTCOME_CURRENT);

	/* Somebody else wrote to it: the store is not believed. */
	sim_flash(place->bench->sim)[4] ^= 1;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_true(bench_holds_image(place->bench));
	free_place(place);
}

static void fault_46_an_older_image_is_not_written_where_newer_ones_are_wanted(void **state)
{
	struct place *place = new_place(NULL, F103 "\nupdate = newer");
	unsigned erases;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	erases = bench_erases(place->bench);
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_non_null(strstr(place->bench->report.reason.text, "is not newer"));
	assert_int_equal(bench_erases(place->bench), erases);
	assert_string_equal(last_attempt(place).cause, "not-newer");
	/* The store still knows what it really holds. */
	assert_string_equal(unit_of(place).version, "1.1.0");
	take_firmware(place, FIRMWARE_NEW);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(last_attempt(place).cause, "same");
	free_place(place);
}

/* ----------------------------------------------------------------------------- cut off */

/*
 * The bridge goes at the n-th frame that is written. Returns whether the update got that far; where
 * `is_host_cut` the service does not hear of it either.
 */
static bool cut_at_write(unsigned n, uint32_t size, bool is_host_cut)
{
	const struct sim_faults faults = {.vanish_code = WRITE, .vanish_nth = n};
	struct place *place = new_place(&faults, F103);
	bool is_cut;

	if (size > 0) {
		bench_take_bytes(place->bench, FLASH_BASE, size, 9);
		take_image(place, "large.bin", "2.0");
	}
	place->is_host_cut = is_host_cut;
	is_cut = plug(place) == OUTCOME_PORT_GONE;
	if (is_cut) {
		assert_false(sim_application_is_sane(place->bench->sim));
		if (is_host_cut)
			restart_service(place);
		assert_int_equal(unit_of(place).state, UNIT_IN_PROGRESS);
		clear_faults(place);
		assert_int_equal(plug(place), OUTCOME_UPDATED);
		assert_int_equal(entries(MESSAGE_TORN), 1);
		assert_string_equal(last_attempt(place).cause, "torn");
		assert_int_equal(place->bench->report.phase_ms[PHASE_COMPARE], 0);
	}
	place->is_host_cut = false;
	assert_true(bench_holds_image(place->bench));
	assert_true(sim_application_is_sane(place->bench->sim));
	if (is_cut || !is_host_cut)
		assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	free_place(place);
	return is_cut;
}

static void fault_16_17_18_cut_at_every_write_is_on_record_and_repaired(void **state)
{
	static const struct {
		const char *name;
		uint32_t size; /* 0: the firmware of the tests */
	} images[] = {{"firmware 1.1.0", 0}, {"64 KiB", 64 * 1024}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		unsigned n_cuts = 0;

		while (cut_at_write(n_cuts + 1, images[i].size, n_cuts % 2 == 0))
			n_cuts++;
		print_message("# figure: %s: cut at each of %u writes, half of them with the "
			      "service, all on record and repaired\n",
			images[i].name, n_cuts);
		assert_true(n_cuts > 15);
	}
}

static void fault_16_a_mark_is_on_the_disk_before_the_erase(void **state)
{
	const struct sim_faults faults = {.vanish_code = 0x43, .vanish_nth = 1};
	struct place *place = new_place(&faults, F103);

	(void)state;
	place->is_host_cut = true;
	assert_int_equal(plug(place), OUTCOME_PORT_GONE);
	restart_service(place);
	assert_int_equal(unit_of(place).state, UNIT_IN_PROGRESS);
	assert_int_equal(last_attempt(place).report.outcome, OUTCOME_FAILED);
	assert_non_null(strstr(last_attempt(place).report.reason.text, "ended during this job"));
	free_place(place);
}

/*
 * A unit that was erased does not answer a read for a moment, under a rule that wipes protected
 * chips: nothing says that it is still the same one, and the service would not believe a second
 * erase.
 */
static void a_unit_that_refuses_reads_for_a_moment_is_not_wiped(void **state)
{
	static const char *const rules[] = {"chip = F103xC\nreadout-protection = clear",
		"chip = F103xC\nreadout-protection = set"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		for (unsigned n = 2; n <= 4; n++) {
			const struct sim_faults faults = {.nack_reads_once_erased = n};
			struct place *place = new_place(&faults, rules[i]);

			assert_int_equal(plug(place), OUTCOME_UPDATED);
			assert_true(bench_holds_image(place->bench));
			assert_true(place->bench->report.entries >= 2);
			assert_int_equal(sim_counters(place->bench->sim)->unprotects, 0);
			assert_int_equal(unit_of(place).state, UNIT_WHOLE);
			free_place(place);
		}
}

static bool is_asked_to_stop(void *userdata)
{
	(void)userdata;
	return true;
}

static void what_was_cancelled_before_the_erase_is_no_torn_update(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	place->bench->is_cancelled = is_asked_to_stop;
	assert_int_equal(plug(place), OUTCOME_CANCELLED);
	assert_false(unit_of(place).has_state && unit_of(place).state != UNIT_WHOLE);
	assert_int_equal(unit_of(place).failures, 0);
	free_place(place);
}

/* From the grant of an erase on the board answers otherwise. */
static struct sim_faults after_erase;

static void answer_and_turn(
	void *userdata, enum question question, const struct report *so_far, struct answer *ret)
{
	struct place *place = userdata;

	answer(userdata, question, so_far, ret);
	if (question == QUESTION_ERASE)
		sim_set_faults(place->bench->sim, &after_erase);
}

/* Whatever answers once a unit was erased: it is torn, told so, and tried again. */
static void expect_torn(const char *keys, struct sim_faults faults)
{
	char rule[200];
	struct place *place;
	struct report ended;
	unsigned erases;

	snprintf(rule, sizeof(rule), "chip = F103xC\nretries = 1\n%s", keys);
	place = new_place(NULL, rule);
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	take_firmware(place, FIRMWARE_NEW);
	after_erase = faults;
	place->bench->ask = answer_and_turn;
	(void)plug(place);
	ended = last_attempt(place).report;
	assert_int_not_equal(ended.outcome, OUTCOME_WRONG_CHIP);
	assert_int_not_equal(ended.outcome, OUTCOME_PROTECTED);
	assert_int_not_equal(ended.outcome, OUTCOME_CURRENT);
	assert_non_null(strstr(ended.reason.text, "was erased"));
	assert_string_equal(ended.unit, unit_of(place).unit);
	assert_string_equal(last_attempt(place).key, unit_of(place).key);
	assert_int_not_equal(unit_of(place).state, UNIT_WHOLE);
	assert_string_equal(unit_of(place).version, "1.1.0");
	assert_true(place->again_usec > 0);

	/* The new image is withdrawn: what is blank does not keep what it holds. */
	take_firmware(place, FIRMWARE_OLD);
	place->bench->ask = answer;
	clear_faults(place);
	restart_service(place);
	erases = bench_erases(place->bench);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "torn");
	assert_true(bench_erases(place->bench) > erases);
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	free_place(place);
}

static void a_unit_that_was_erased_stays_torn_whatever_answers_later(void **state)
{
	static const char *const keys[] = {"", "update = newer"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		/* Another chip by its Get ID; one that cannot be read. */
		expect_torn(keys[i], (struct sim_faults){.product_id = 0x413, .nack_code = WRITE});
		expect_torn(keys[i], (struct sim_faults){.product_id = 0x499, .nack_code = WRITE});
		expect_torn(keys[i], (struct sim_faults){.nack_code = 0x11});
	}
}

/* The end of a plug-in as the worker would tell it, had this happened in its last phase. */
static void end_as(struct place *place, enum outcome outcome, enum phase phase, int error)
{
	struct report *report = &place->bench->report;

	report->outcome = outcome;
	report->phase = phase;
	report->error = error;
	reason_set(&report->reason, "as asked");
	place->again_usec = records_end(&place->records, &place->attempt, &place->facts, report);
}

/* Its bridge goes as the reset is released: the unit was read back whole before that. */
static void verified_is_verified_whatever_the_bridge_does_then(void **state)
{
	struct place *place = new_place(NULL, F103 "\nupdate = always");
	unsigned erases;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		place->is_host_cut = true;
		assert_int_equal(plug(place), OUTCOME_UPDATED);
		end_as(place, OUTCOME_PORT_GONE, i % 2 ? PHASE_LEAVE : PHASE_CONFIRM, ENODEV);
		assert_int_equal(unit_of(place).state, UNIT_WHOLE);
		assert_int_equal(unit_of(place).drops, 0);
		assert_int_equal(unit_of(place).failures, 0);
		assert_int_equal(place->attempt.note.drops, 0);
	}
	place->is_host_cut = false;
	place->attempt.policy.update = place->bench->board.update = BOARD_UPDATE_DIFFERENT;
	erases = bench_erases(place->bench);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(last_attempt(place).cause, "same");
	assert_int_equal(bench_erases(place->bench), erases);
	free_place(place);
}

/* The chip resets when it takes the protection, and some boards take the bridge with it. */
static void verified_is_verified_before_the_protection(void **state)
{
	const struct sim_faults gone = {.vanish_code = 0x82, .vanish_nth = 1};
	struct place *place = new_place(&gone, F103 "\nreadout-protection = set");
	unsigned erases;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_PORT_GONE);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_int_equal(unit_of(place).drops, 0);
	erases = bench_erases(place->bench);
	clear_faults(place);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_int_equal(bench_erases(place->bench), erases);
	assert_true(place->bench->report.is_protected);
	free_place(place);
}

/* What nobody read back is not verified, however far it got. */
static void one_that_was_not_read_back_is_torn(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	place->is_host_cut = true;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	place->bench->report.proof = PROOF_NONE;
	end_as(place, OUTCOME_PORT_GONE, PHASE_LEAVE, ENODEV);
	assert_int_equal(unit_of(place).state, UNIT_IN_PROGRESS);
	assert_int_equal(unit_of(place).drops, 1);
	free_place(place);
}

/* The host's fault is not the unit's, and what it tore is mended once there is room. */
static void what_the_host_is_short_of_is_not_held_against_the_unit(void **state)
{
	static const int errors[] = {ENOMEM, EMFILE, ENFILE, EAGAIN};
	struct place *place = new_place(NULL, F103 "\nupdate = always");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		place->is_host_cut = true;
		assert_int_equal(plug(place), OUTCOME_UPDATED);
		place->bench->report.proof = PROOF_NONE;
		end_as(place, OUTCOME_FAILED, PHASE_WRITE, errors[i]);
		assert_int_equal(unit_of(place).state, UNIT_FAILED);
		assert_int_equal(unit_of(place).failures, 0);
		assert_true(place->again_usec > 0);
		assert_int_equal(place->attempt.note.quarantined_after, 0);
	}
	place->is_host_cut = false;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "torn");
	free_place(place);
}

/* A protected chip does not say its id; the erase that frees it is marked at its bridge. */
static void a_protected_unit_is_marked_by_its_bridge_until_it_has_a_name(void **state)
{
	const struct sim_faults faults = {.protect = true};
	struct place *place = new_place(&faults, F103 "\nreadout-protection = clear");
	struct store_unit unit;
	struct reason reason;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(unit_of(place).unit, place->bench->report.unit);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_int_equal(store_find_unit(place->records.store, "usb 10c4:ea60 '0001' at pci-1",
				 &unit, &reason),
		0);
	assert_false(unit.has_state);
	free_place(place);
}

/* ---------------------------------------------------------------------------- failures */

static void fault_23_a_unit_that_always_fails_is_left_alone(void **state)
{
	const struct sim_faults faults = {.stuck_address = FLASH_BASE + 0x400};
	struct place *place = new_place(&faults, F103);
	unsigned erases;

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(plug(place), OUTCOME_VERIFY_DIFFERS);
		assert_int_equal(unit_of(place).failures, i);
		assert_int_equal(place->again_usec, i < 3 ? i * 60 * USEC_PER_SEC : 0);
		assert_int_equal(unit_of(place).state, UNIT_FAILED);
	}
	assert_int_equal(place->attempt.note.quarantined_after, 3);
	erases = bench_erases(place->bench);
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_QUARANTINED);
	assert_int_equal(bench_erases(place->bench), erases);
	assert_int_equal(place->again_usec, 0);
	assert_non_null(strstr(place->bench->report.reason.text, "verify-differs"));

	/* Another image, another rule, or somebody who asks for it. */
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(unit_of(place).failures, 1);
	place->attempt.policy.rule_mark[0] = 'x';
	assert_int_equal(plug(place), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(unit_of(place).failures, 1);
	assert_int_equal(plug(place), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(plug(place), OUTCOME_VERIFY_DIFFERS);
	assert_int_equal(plug(place), OUTCOME_QUARANTINED);
	assert_int_equal(records_forgive(&place->records, &(struct store_filter){0}), 1);
	clear_faults(place);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(unit_of(place).failures, 0);
	free_place(place);
}

/* The option bytes cannot be read, and the pages are not as the table has them: each further try
 * would cost one page more. */
static void a_unit_with_other_pages_is_erased_once(void **state)
{
	const struct sim_options options = {
		.chip = sim_chip_find("l552-single"), .faults = {.hidden_options = true}};
	struct place *place = new_place_with(&options, "chip = 0x472\nquarantine-after = 0");
	uint8_t *flash = sim_flash(place->bench->sim);
	unsigned erases;

	(void)state;
	memset(flash, 0x5A, sim_flash_size(place->bench->sim));
	bench_take_bytes(place->bench, FLASH_BASE, 200 * 1024, 7);
	take_image(place, "large.bin", "2.0");
	assert_int_equal(plug(place), OUTCOME_BAD_CONFIG);
	assert_int_equal(place->again_usec, 0);
	assert_int_equal(unit_of(place).state, UNIT_FAILED);
	erases = bench_erases(place->bench);
	assert_true(erases > 0);
	assert_int_equal(plug(place), OUTCOME_QUARANTINED);
	assert_non_null(strstr(place->bench->report.reason.text, "chips.d"));
	assert_int_equal(bench_erases(place->bench), erases);
	assert_int_equal(records_forgive(&place->records, &(struct store_filter){0}), 1);
	assert_int_equal(plug(place), OUTCOME_BAD_CONFIG);
	free_place(place);
}

static void fault_23_behind_a_silent_bridge_the_port_is_left_shut(void **state)
{
	const struct sim_faults faults = {.silent = true};
	struct place *place = new_place(&faults, F103);
	unsigned opens;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(plug(place), OUTCOME_NO_SYNC);
	opens = port_sim_record(BENCH_PORT)->opens;
	place->attempt.has_failed = true;
	assert_int_equal(plug(place), OUTCOME_QUARANTINED);
	assert_int_equal(port_sim_record(BENCH_PORT)->opens, opens);
	/* What is plugged in anew may be another board. */
	place->attempt.has_failed = false;
	assert_int_equal(plug(place), OUTCOME_NO_SYNC);
	assert_int_equal(port_sim_record(BENCH_PORT)->opens, opens + 1);
	assert_int_equal(
		records_forgive(&place->records, &(struct store_filter){.usb_path = "pci-1"}), 1);
	clear_faults(place);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	free_place(place);
}

/* Two failures, then a chip answers well there: the next failures begin at one. */
static void a_chip_that_answers_clears_what_its_bridge_was_blamed_for(void **state)
{
	const struct sim_faults faults = {.silent = true};
	struct place *place = new_place(&faults, F103);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_NO_SYNC);
	assert_int_equal(plug(place), OUTCOME_NO_SYNC);
	clear_faults(place);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	sim_set_faults(place->bench->sim, &faults);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(plug(place), OUTCOME_NO_SYNC);
	place->attempt.has_failed = true;
	assert_int_equal(plug(place), OUTCOME_QUARANTINED);
	free_place(place);
}

/* The board behind a bridge that stays plugged in was swapped between the two jobs. */
static void another_unit_in_the_middle_of_a_rollback_is_left_alone(void **state)
{
	struct place *place = new_place(
		NULL, F103 "\nconfirm = 1\\.0\\.0\nconfirm-within = 100ms\nrollback = yes");
	struct store_unit before;
	struct rollback back;
	unsigned n_erases;

	(void)state;
	place->attempt.policy.rollback = true;
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	take_firmware(place, FIRMWARE_NEW);
	assert_int_equal(plug(place), OUTCOME_NOT_CONFIRMED);
	before = unit_of(place);
	n_erases = bench_erases(place->bench);
	rollback_enter(&place->attempt.rollback, ROLLBACK_BEGUN);
	back = place->attempt.rollback;
	take_firmware(place, FIRMWARE_OLD);

	sim_swap_chip(place->bench->sim);
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "another unit"));
	assert_int_equal(bench_erases(place->bench), n_erases);
	/* Nor is it held against the one that was meant, which goes back when it is there again. */
	assert_string_equal(unit_of(place).key, before.key);
	assert_int_equal(unit_of(place).rollback, ROLLBACK_NONE);
	assert_int_equal(unit_of(place).failures, before.failures);
	assert_int_equal(place->attempt.rollback.state, ROLLBACK_NONE);
	sim_swap_chip(place->bench->sim);
	place->attempt.rollback = back;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(place->attempt.rollback.state, ROLLBACK_DONE);
	assert_int_equal(unit_of(place).rollback, ROLLBACK_DONE);
	free_place(place);
}

/* ------------------------------------------------------------------------ no store to write */

static void lose_directory(struct place *place)
{
	records_close(&place->records);
	assert_int_equal(nftw(place->directory, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(records_open(&place->records, place->directory), 0);
}

static void fault_24_without_a_store_the_chip_is_asked_and_that_is_said_once(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	lose_directory(place);
	assert_int_equal(entries(MESSAGE_STORE_UNUSABLE), 1);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_true(place->bench->report.bytes > 10 * 256);
	assert_int_equal(entries(MESSAGE_STORE_UNUSABLE), 1);

	/* The disk is there again. */
	assert_int_equal(mkdir(place->directory, 0700), 0);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_int_equal(entries(MESSAGE_STORE_USABLE), 1);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(last_attempt(place).cause, "same");
	free_place(place);
}

static void fault_24_where_a_store_is_required_nothing_is_erased_without(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	lose_directory(place);
	place->records.is_required = true;
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_int_equal(bench_erases(place->bench), 0);
	assert_non_null(strstr(place->bench->report.reason.text, "require-store"));
	assert_int_equal(mkdir(place->directory, 0700), 0);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	free_place(place);
}

static void fault_24_a_store_that_is_damaged_is_begun_anew(void **state)
{
	struct place *place = new_place(NULL, F103);
	char path[400];
	FILE *to;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	records_close(&place->records);
	snprintf(path, sizeof(path), "%s/plugflash.db", place->directory);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_true(fputs("this is no database, and was one", to) >= 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(records_open(&place->records, place->directory), 0);
	assert_int_equal(entries(MESSAGE_STORE_DAMAGED), 1);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(last_attempt(place).cause, "unknown");
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	free_place(place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(fault_47_a_known_unit_is_current_by_its_fingerprint),
	cmocka_unit_test(fault_46_an_older_image_is_not_written_where_newer_ones_are_wanted),
	cmocka_unit_test(fault_16_17_18_cut_at_every_write_is_on_record_and_repaired),
	cmocka_unit_test(fault_16_a_mark_is_on_the_disk_before_the_erase),
	cmocka_unit_test(what_was_cancelled_before_the_erase_is_no_torn_update),
	cmocka_unit_test(a_unit_that_was_erased_stays_torn_whatever_answers_later),
	cmocka_unit_test(a_unit_that_refuses_reads_for_a_moment_is_not_wiped),
	cmocka_unit_test(verified_is_verified_whatever_the_bridge_does_then),
	cmocka_unit_test(verified_is_verified_before_the_protection),
	cmocka_unit_test(one_that_was_not_read_back_is_torn),
	cmocka_unit_test(what_the_host_is_short_of_is_not_held_against_the_unit),
	cmocka_unit_test(a_protected_unit_is_marked_by_its_bridge_until_it_has_a_name),
	cmocka_unit_test(fault_23_a_unit_that_always_fails_is_left_alone),
	cmocka_unit_test(a_unit_with_other_pages_is_erased_once),
	cmocka_unit_test(fault_23_behind_a_silent_bridge_the_port_is_left_shut),
	cmocka_unit_test(a_chip_that_answers_clears_what_its_bridge_was_blamed_for),
	cmocka_unit_test(another_unit_in_the_middle_of_a_rollback_is_left_alone),
	cmocka_unit_test(fault_24_without_a_store_the_chip_is_asked_and_that_is_said_once),
	cmocka_unit_test(fault_24_where_a_store_is_required_nothing_is_erased_without),
	cmocka_unit_test(fault_24_a_store_that_is_damaged_is_begun_anew),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
