/* SPDX-License-Identifier: MIT */
/*
 * What each unit has for itself: no two the same, each its own for ever, whatever goes wrong on the
 * way, and nothing erased where there is none to give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "flash/image-check.h"
#include "place.h"
#include "unit/save.h"

#define FLASH_BASE UINT32_C(0x08000000)
/* Behind the firmware, and within it. */
#define BEHIND	  UINT32_C(0x08020000)
#define WITHIN	  UINT32_C(0x08000800)
#define NUMBERS	  F103 "\nserialize = 0x08020000+8 decimal 1000"
#define FILE_RULE F103 "\nserialize = 0x08020000+4 text "

static const char *at(struct place *place, uint32_t address)
{
	return (const char *)sim_flash(place->bench->sim) + (address - FLASH_BASE);
}

static void assert_number(struct place *place, const char *number)
{
	assert_memory_equal(at(place, BEHIND), number, strlen(number));
	assert_string_equal(place->bench->report.unit_data, number);
	assert_true(bench_holds_image(place->bench));
}

/* Another board at the same bridge, with the old firmware on it. */
static void swap_board(struct place *place, unsigned seed, const struct sim_faults *faults)
{
	struct sim_options options = {.chip = sim_chip_find("f103xc")};

	if (faults)
		options.faults = *faults;
	options.faults.seed = seed;
	sim_free(place->bench->sim);
	place->bench->sim = sim_new(&options);
	port_sim_attach(BENCH_PORT, place->bench->sim, NULL);
}

static struct store_serial given_to(struct place *place, const char *source, const char *unit)
{
	struct store_serial given = {0};
	struct reason reason;
	char key[STORE_KEY_MAX];

	snprintf(key, sizeof(key), "stm32:0x414 %s", unit);
	(void)store_find_serial(place->records.store, source, key, &given, &reason);
	return given;
}

static void a_unit_gets_a_number_and_keeps_it(void **state)
{
	struct place *place = new_place(NULL, NUMBERS);
	struct store_serial given;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001000");
	given = given_to(place, "numbers of bench", place->bench->report.unit);
	assert_string_equal(given.value, "1000");
	assert_true(given.written_ms > 0);
	assert_string_equal(last_attempt(place).report.unit_data, "00001000");
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_number(place, "00001000");
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001000");
	assert_int_equal(given_to(place, "numbers of bench", place->bench->report.unit).written_ms,
		given.written_ms);
	free_place(place);
}

static void each_unit_gets_another(void **state)
{
	struct place *place = new_place(NULL, NUMBERS);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001000");
	swap_board(place, 2, NULL);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001001");
	swap_board(place, 3, NULL);
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001002");
	/* The first one is there again, wiped. */
	swap_board(place, 0, NULL);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001000");
	free_place(place);
}

/* It is a part of what the unit must hold, also where only a few blocks are looked at. */
static void a_unit_with_another_number_is_not_current(void **state)
{
	struct place *place = new_place(NULL, NUMBERS);

	(void)state;
	bench_take_bytes(place->bench, FLASH_BASE, 64 * 1024, 3);
	take_image(place, "large.bin", "1.0");
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	for (unsigned seed = 0; seed < 20; seed++) {
		place->bench->seed = seed;
		sim_flash(place->bench->sim)[BEHIND + 7 - FLASH_BASE] = '9';
		assert_int_equal(plug(place), OUTCOME_UPDATED);
		assert_number(place, "00001000");
		assert_int_equal(plug(place), OUTCOME_CURRENT);
		assert_true(place->bench->report.bytes < 4096);
	}
	free_place(place);
}

static void a_number_may_lie_within_the_image(void **state)
{
	struct place *place = new_place(NULL, F103 "\nserialize = 0x08000800+4 binary 0xBEEF");

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_memory_equal(at(place, WITHIN), "\xEF\xBE\0\0", 4);
	assert_string_equal(place->bench->report.unit_data, "0xefbe0000");
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	free_place(place);
}

static void a_unit_that_was_whole_before_the_rule_had_numbers_is_written(void **state)
{
	struct place *place = new_place(NULL, F103);
	const char *expected;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(parse_provision("0x08020000+8 decimal 5", &place->bench->board.serialize,
				 &expected),
		0);
	place->attempt.policy.serialize = place->bench->board.serialize;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "no-data");
	assert_number(place, "00000005");
	/* Another form of the same number: the number stays. */
	assert_int_equal(
		parse_provision("0x08020000+8 hex 5", &place->bench->board.serialize, &expected),
		0);
	place->attempt.policy.serialize = place->bench->board.serialize;
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	free_place(place);
}

/* -------------------------------------------------------------------------- failures */

static void a_unit_that_fails_keeps_its_number(void **state)
{
	const struct sim_faults stuck = {.stuck_address = FLASH_BASE + 0x400};
	struct place *place = new_place(&stuck, NUMBERS);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_VERIFY_DIFFERS);
	assert_string_equal(place->bench->report.unit_data, "00001000");
	assert_int_equal(plug(place), OUTCOME_VERIFY_DIFFERS);
	assert_string_equal(place->bench->report.unit_data, "00001000");
	assert_int_equal(
		given_to(place, "numbers of bench", place->bench->report.unit).written_ms, 0);
	clear_faults(place);
	swap_board(place, 2, NULL);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001001");
	swap_board(place, 0, NULL);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001000");
	free_place(place);
}

static void fault_17_18_cut_at_each_write_the_number_stays(void **state)
{
	unsigned n_cuts = 0;

	(void)state;
	for (unsigned nth = 1;; nth++, n_cuts++) {
		const struct sim_faults faults = {.vanish_code = 0x31, .vanish_nth = nth};
		struct place *place = new_place(&faults, NUMBERS);
		enum outcome outcome;

		place->is_host_cut = nth % 2;
		outcome = plug(place);
		if (outcome == OUTCOME_PORT_GONE) {
			clear_faults(place);
			restart_service(place);
			assert_int_equal(plug(place), OUTCOME_UPDATED);
		}
		assert_number(place, "00001000");
		free_place(place);
		if (outcome == OUTCOME_UPDATED)
			break;
	}
	assert_true(n_cuts >= 20);
	print_message("# figure: cut at each of %u writes, the number stays\n", n_cuts);
}

static void a_unit_with_no_id_gets_nothing(void **state)
{
	struct sim_options options = {.chip = sim_chip_find("f103xc")};
	struct place *place = new_place(NULL, NUMBERS);

	(void)state;
	memset(options.unique_id, 0xFF, sizeof(options.unique_id));
	sim_free(place->bench->sim);
	place->bench->sim = sim_new(&options);
	port_sim_attach(BENCH_PORT, place->bench->sim, NULL);
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "unique id cannot be read"));
	assert_int_equal(bench_erases(place->bench), 0);
	free_place(place);
}

/* Nobody could tell that the number is taken: this is no matter of require-store. */
static void fault_24_without_a_store_nothing_is_given(void **state)
{
	struct place *place = new_place(NULL, NUMBERS);

	(void)state;
	records_close(&place->records);
	assert_int_equal(records_open(&place->records, "/nowhere/at/all"), 0);
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "/nowhere/at/all"));
	assert_int_equal(bench_erases(place->bench), 0);
	free_place(place);
}

static void numbers_come_to_an_end_before_the_erase(void **state)
{
	struct place *place = new_place(NULL, F103 "\nserialize = 0x08020000+1 decimal 9");
	unsigned n_erases;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "9");
	swap_board(place, 2, NULL);
	n_erases = bench_erases(place->bench);
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "'10' does not fit the 1 bytes"));
	assert_int_equal(bench_erases(place->bench), n_erases);
	free_place(place);
}

/* ----------------------------------------------------------------------------- files */

/* A place whose rule takes lines from a file with this text; the file's name in `path`. */
static struct place *place_with_file(const char *text, const char *more, char path[400])
{
	CLEANUP(freep) char *rule = NULL;
	static unsigned number;
	char name[32];

	snprintf(name, sizeof(name), "lines-%u.csv", number++);
	put_text(name, text);
	snprintf(path, 400, "%s/%s", folder, name);
	assert_true(asprintf(&rule, FILE_RULE "%s%s", path, more) > 0);
	return new_place(NULL, rule);
}

static void each_unit_gets_a_line_until_they_are_given(void **state)
{
	char path[400], source[420];
	struct place *place = place_with_file("# serial\nAA1,x\n\nBB2\n", "", path);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "AA1");
	snprintf(source, sizeof(source), "file %s", path);
	assert_string_equal(given_to(place, source, place->bench->report.unit).value, "AA1");
	swap_board(place, 2, NULL);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "BB2");

	swap_board(place, 3, NULL);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(plug(place), OUTCOME_FAILED);
		assert_non_null(strstr(place->bench->report.reason.text, "every line of"));
		assert_non_null(strstr(place->bench->report.reason.text, "nothing was erased"));
		assert_string_equal(last_attempt(place).cause, "none-left");
	}
	assert_int_equal(bench_erases(place->bench), 0);
	/* That there was no line is held against nobody, and the units before keep what they have.
	 */
	put_text(strrchr(path, '/') + 1, "CC3\n");
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "CC3");
	swap_board(place, 0, NULL);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "AA1");
	free_place(place);
}

static void a_file_that_is_no_good_is_told_before_the_erase(void **state)
{
	char path[400];
	struct place *place = place_with_file("too long for it\n", "", path);

	(void)state;
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(
		strstr(place->bench->report.reason.text, ":1: 'too long for it' does not fit"));
	put_text(strrchr(path, '/') + 1, "AA1\nAA2\nAA1\n");
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, ":3: 'AA1' stands already in"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "No such file"));
	assert_int_equal(bench_erases(place->bench), 0);
	free_place(place);
}

/* ------------------------------------------------------------------- with protection */

static void a_protected_unit_keeps_its_number(void **state)
{
	struct place *place = new_place(NULL, NUMBERS "\nreadout-protection = set");

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(place->bench->report.unit_data, "");
	take_firmware(place, FIRMWARE_OLD);
	restart_service(place);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "00001000");
	free_place(place);
}

static void a_protected_unit_is_not_wiped_where_there_is_nothing_to_give_it(void **state)
{
	char path[400];
	struct place *place = place_with_file("AA1\n", "\nreadout-protection = set", path);
	const struct sim_faults protected = {.protect = true};

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	/* One that nobody knows, in another place. */
	place->facts.usb_path = (char *)"pci-2";
	swap_board(place, 2, &protected);
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_non_null(strstr(place->bench->report.reason.text, "every line of"));
	assert_int_equal(bench_erases(place->bench), 0);
	put_text(strrchr(path, '/') + 1, "AA1\nBB2\n");
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "BB2");
	/* The file is at its end again; a new image for a unit that has its line needs none. */
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_number(place, "BB2");
	free_place(place);
}

/* --------------------------------------------------------------------------- by hand */

static void by_hand_nothing_is_given(void **state)
{
	struct bench *bench = bench_new("f103xc", NUMBERS);

	(void)state;
	bench_take_file(bench, FIRMWARE_NEW);
	assert_int_equal(bench_run(bench, FLASH_UPDATE), OUTCOME_BAD_CONFIG);
	assert_non_null(strstr(bench->report.reason.text, "plugflashd"));
	assert_int_equal(port_sim_record(BENCH_PORT)->opens, 0);
	bench_free(bench);
}

static void by_hand_all_but_the_number_is_verified(void **state)
{
	struct place *place = new_place(NULL, NUMBERS);
	struct bench *bench = place->bench;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	bench_take_file(bench, FIRMWARE_NEW);
	assert_int_equal(check_by_hand(place, FLASH_VERIFY), OUTCOME_CURRENT);
	assert_string_equal(bench->report.unit_data, "");
	sim_flash(bench->sim)[16] ^= 1;
	assert_int_equal(check_by_hand(place, FLASH_VERIFY), OUTCOME_VERIFY_DIFFERS);
	free_place(place);
}

static void a_place_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *rule;
		int result;
	} rows[] = {
		{F103 "\nserialize = 0x08000008+8 decimal 1", 0},
		{F103 "\nserialize = 0x08000004+8 decimal 1", OUTCOME_BAD_CONFIG},
		{F103 "\nserialize = 0x07FFFFF0+8 decimal 1", OUTCOME_BAD_CONFIG},
		{F103, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *bench = bench_new("f103xc", rows[i].rule);
		struct reason reason = {""};

		bench_take_file(bench, FIRMWARE_NEW);
		assert_int_equal(
			image_check_make_room(&bench->board, UINT32_MAX, &bench->image, &reason),
			rows[i].result);
		bench_free(bench);
	}
}

/* Room for it is a part of the image, and must fit where that must. */
static void what_the_place_makes_of_the_image_must_fit(void **state)
{
	static const char *const rules[] = {
		F103 "\nserialize = 0x08100000+8 decimal 1",
		F103 "\nserialize = 0x20000000+8 decimal 1",
		F103 "\nserialize = 0x08020000+8 decimal 1\nkeep = 0x08020000+2K",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct bench *bench = bench_new("f103xc", rules[i]);
		struct reason reason = {""};

		bench_take_file(bench, FIRMWARE_NEW);
		assert_int_equal(
			image_check_make_room(&bench->board, UINT32_MAX, &bench->image, &reason),
			0);
		assert_int_equal(image_check(&bench->board, bench->chips, &bench->image, &reason),
			OUTCOME_BAD_IMAGE);
		bench_free(bench);
	}
}

/* ---------------------------------------------------------------------- how many, how soon */

/* Another id at each plug-in, as a stranger's board says; how many of so many got a number. */
static unsigned plug_strangers(struct place *place, unsigned n, const struct sim_faults *faults)
{
	unsigned n_given = 0;

	for (unsigned i = 0; i < n; i++) {
		enum outcome outcome;

		swap_board(place, 100 + i, faults);
		outcome = plug(place);
		if (outcome != OUTCOME_FAILED) {
			n_given++;
			continue;
		}
		assert_non_null(strstr(place->bench->report.reason.text, "serialize-limit"));
		assert_non_null(strstr(place->bench->report.reason.text, "nothing was erased"));
		assert_int_equal(bench_erases(place->bench), 0);
		assert_string_equal(last_attempt(place).cause, "too-many");
		assert_true(place->again_usec >= 60 * USEC_PER_SEC);
		assert_int_equal(unit_of(place).failures, 0);
	}
	return n_given;
}

static void a_stranger_does_not_use_up_the_values(void **state)
{
	static const struct sim_faults cut = {.vanish_code = 0x31, .vanish_nth = 1};
	const struct sim_faults *const faults[] = {NULL, &cut};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct place *place = new_place(NULL, NUMBERS);
		char known[25];

		assert_int_equal(plug(place), OUTCOME_UPDATED);
		snprintf(known, sizeof(known), "%s", place->bench->report.unit);
		assert_int_equal(plug_strangers(place, 24, faults[i]), 9);
		assert_in_range(entries(MESSAGE_SERIAL_RATE), 1, 2);
		/* One that has its number is updated all the same. */
		swap_board(place, 0, NULL);
		assert_int_equal(plug(place), OUTCOME_UPDATED);
		assert_string_equal(place->bench->report.unit, known);
		assert_number(place, "00001000");
		/* Nor are those in another slot kept waiting. */
		place->facts.usb_path = (char *)"pci-2";
		swap_board(place, 99, NULL);
		assert_int_equal(plug(place), OUTCOME_UPDATED);
		free_place(place);
	}
}

/* Values that were given every `every_ms` until now, and verified or not. */
static void have_given(struct place *place, unsigned n, int64_t every_ms, bool is_verified)
{
	int64_t now = wall_clock_msec();
	struct reason reason;

	for (unsigned i = 0; i < n; i++) {
		struct store_serial given = {.source = "numbers of bench",
			.usb_path = "pci-1",
			.given_ms = now - (int64_t)(n - i) * every_ms};

		snprintf(given.value, sizeof(given.value), "%u", 5000 + i);
		snprintf(given.key, sizeof(given.key), "stm32:0x414 %024x", i + 1);
		given.written_ms = is_verified ? given.given_ms + 3000 : 0;
		assert_int_equal(save_serial(place->records.store, &given, &reason), 0);
	}
}

static void a_line_at_full_speed_is_not_stopped(void **state)
{
	static const struct {
		const char *keys;
		unsigned n;
		int64_t every_ms;
		bool is_verified;
		enum outcome outcome;
	} rows[] = {
		/* One board in 10 s, for hours. */
		{"", 720, 10000, true, OUTCOME_UPDATED},
		/* Faster than any hand, for an hour. */
		{"", 450, 7000, true, OUTCOME_FAILED},
		{"\nserialize-limit = 600", 450, 7000, true, OUTCOME_UPDATED},
		/* Ten in a row that nobody could verify. */
		{"", 10, 20000, false, OUTCOME_FAILED},
		{"", 9, 20000, false, OUTCOME_UPDATED},
		{"\nserialize-limit = 0", 300, 100, false, OUTCOME_UPDATED},
		/* It was more than an hour ago. */
		{"", 10, 1000000, false, OUTCOME_UPDATED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct place *place;
		char rule[200];

		snprintf(rule, sizeof(rule), NUMBERS "%s", rows[i].keys);
		place = new_place(NULL, rule);
		have_given(place, rows[i].n, rows[i].every_ms, rows[i].is_verified);
		if (plug(place) != rows[i].outcome)
			fail_msg("row %zu: %s", i, place->bench->report.reason.text);
		free_place(place);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_unit_gets_a_number_and_keeps_it),
	cmocka_unit_test(each_unit_gets_another),
	cmocka_unit_test(a_unit_with_another_number_is_not_current),
	cmocka_unit_test(a_number_may_lie_within_the_image),
	cmocka_unit_test(a_unit_that_was_whole_before_the_rule_had_numbers_is_written),
	cmocka_unit_test(a_unit_that_fails_keeps_its_number),
	cmocka_unit_test(fault_17_18_cut_at_each_write_the_number_stays),
	cmocka_unit_test(a_unit_with_no_id_gets_nothing),
	cmocka_unit_test(fault_24_without_a_store_nothing_is_given),
	cmocka_unit_test(numbers_come_to_an_end_before_the_erase),
	cmocka_unit_test(each_unit_gets_a_line_until_they_are_given),
	cmocka_unit_test(a_file_that_is_no_good_is_told_before_the_erase),
	cmocka_unit_test(a_protected_unit_keeps_its_number),
	cmocka_unit_test(a_protected_unit_is_not_wiped_where_there_is_nothing_to_give_it),
	cmocka_unit_test(by_hand_nothing_is_given),
	cmocka_unit_test(by_hand_all_but_the_number_is_verified),
	cmocka_unit_test(a_stranger_does_not_use_up_the_values),
	cmocka_unit_test(a_line_at_full_speed_is_not_stopped),
	cmocka_unit_test(a_place_that_is_none_is_refused),
	cmocka_unit_test(what_the_place_makes_of_the_image_must_fit),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
