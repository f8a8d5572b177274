/* SPDX-License-Identifier: MIT */
/*
 * test-orders.c - what a person orders of a chip by the command: erase, start, protect, unprotect
 * and write-unprotect, without the service and beside it, and what its records say afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define TAKEN "the service leaves this bridge alone until the command ends"

static void says(struct bed *bed, const char *text)
{
	if (command_lines(bed, text) != 1)
		fail_msg("the command does not say '%s' once", text);
}

static void a_chip_is_erased_protected_and_opened_again(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit = bed_plug(bed, GATE);

	assert_int_equal(command_run_all(bed, "flash"), 0);
	assert_int_equal(command_run_all(bed, "start"), 0);
	says(bed, "ttyUSB0: started by a reset, by the lines of the rule, in ");
	assert_int_equal(command_run_all(bed, "start --address 0x08000000"), 0);
	says(bed, "ttyUSB0: started at 0x08000000, by the boot loader's Go, in ");
	assert_int_equal(command_run_all(bed, "start --address 0x0800f000"), 1);
	says(bed, "the flash at 0x0800f000 is erased");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));

	assert_int_equal(command_run_all(bed, "erase --range 0x08000400+1000"), 3);
	says(bed, "--range 0x08000400+0x400 is the same");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(command_run_all(bed, "erase --range 0x08000400+0x400"), 0);
	says(bed, "ttyUSB0: erased page 1 (0x08000400-0x080007ff), in ");
	says(bed, "plugflash verify");
	assert_false(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(command_run_all(bed, "flash"), 0);
	says(bed, "updated: gate-1.0.0.hex");

	assert_int_equal(command_run_all(bed, "protect < /dev/null"), 2);
	says(bed, "say --yes to have it done");
	assert_int_equal(command_run_all(bed, "protect --yes"), 0);
	says(bed, "ttyUSB0: read-out protection is on: nobody can read the flash any more, in ");
	assert_int_equal(command_run_all(bed, "erase all"), 12);
	says(bed, "plugflash unprotect lifts it, which wipes all of the flash");
	assert_int_equal(command_lines(bed, "next: "), 0);
	assert_int_equal(command_run_all(bed, "verify"), 12);
	says(bed, "next: plugflash unprotect lifts it");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(command_run_all(bed, "unprotect < /dev/null"), 2);
	says(bed, "the board behind ttyUSB0 (gate) loses all that its flash holds");
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(command_run_all(bed, "unprotect --yes"), 0);
	says(bed, "ttyUSB0: read-out protection is off; all of the flash was wiped, in ");
	assert_int_equal(command_run_all(bed, "write-unprotect < /dev/null"), 2);
	says(bed, "the board behind ttyUSB0 (gate) loses the write protection of all its pages");
	assert_int_equal(command_run_all(bed, "write-unprotect --yes"), 0);
	says(bed, "no page is write-protected any more");
	assert_int_equal(command_run_all(bed, "erase all --json"), 0);
	says(bed, "\"outcome\": \"updated\"");
	says(bed, "\"erased\": true");
	says(bed, "\"mass_erased\": true");
	says(bed, "\"remark\": \"erased pages 0-63 (0x08000000-0x0800ffff)\"");
}

static void no_rule_is_needed_for_an_order(void **state)
{
	struct bed *bed = *state;

	bed_plug(bed, &(struct bed_board){.serial = "X1"});
	assert_int_equal(command_run_all(bed, "erase all"), 4);
	says(bed, "without one say --port and --wiring");
	assert_int_equal(command_run_all(bed, "erase all --wiring direct"), 2);
	says(bed, "choose with --port");
	assert_int_equal(command_run_all(bed, "erase all --wiring direct -p ttyUSB0"), 0);
	says(bed, "ttyUSB0: erased pages 0-63 (0x08000000-0x0800ffff), in ");
	assert_int_equal(command_run_all(bed, "protect --yes --wiring direct -p ttyUSB0"), 0);
	assert_int_equal(command_run_all(bed, "erase"), 2);
	says(bed, "all, --pages LIST or --range ADDRESS+SIZE");
	assert_int_equal(command_run_all(bed, "erase everything"), 2);
	assert_int_equal(command_run_all(bed, "erase --pages 9-4"), 2);
	assert_int_equal(command_run_all(bed, "erase --range 0x08000000"), 2);
	assert_int_equal(command_run_all(bed, "start --address here"), 2);
}

/* Its row in the store, not believed any more; and no file that it is known to hold. */
static void the_service_does_not_believe_what_an_erase_has_changed(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit;

	command_start_service(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_int_equal(command_run_all(bed, "erase --pages 2"), 0);
	says(bed, TAKEN);
	says(bed, "ttyUSB0: erased page 2 (0x08000800-0x08000bff), in ");
	assert_int_equal(command_lines(bed, "plugflash verify"), 0);
	assert_int_equal(command_run(bed, "history --units --json"), 0);
	says(bed, "\"state\": null");
	assert_non_null(bed_wait_journal(bed, BED_LONG,
		BED_MATCH(
			"MESSAGE='plugflash' inhibits one bridge: plugflash erase works on the board")));
	/* The same file by another name: what the unit is known to hold is not looked at. */
	bed_put_image(bed, "gate-1.0.1.hex", FIRMWARE_OLD ".hex");
	assert_non_null(bed_wait_journal(
		bed, BED_LONG, BED_MATCH(FIELD_VERSION "=1.0.1", FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(command_run(bed, "history --json --limit 1"), 0);
	says(bed, "\"cause\": \"unknown\"");
}

/* An order that changes nothing leaves the record as it is. */
static void a_start_is_no_reason_to_doubt(void **state)
{
	struct bed *bed = *state;
	struct bed_unit *unit;

	command_start_service(bed);
	unit = bed_plug(bed, GATE);
	expect_outcome(unit, "updated");
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_int_equal(command_run_all(bed, "start"), 0);
	says(bed, TAKEN);
	assert_int_equal(command_run(bed, "history --units --json"), 0);
	says(bed, "\"state\": \"whole\"");
}

static const struct CMUnitTest tests[] = {
	COMMAND_TEST(a_chip_is_erased_protected_and_opened_again),
	COMMAND_TEST(no_rule_is_needed_for_an_order),
	COMMAND_TEST(the_service_does_not_believe_what_an_erase_has_changed),
	COMMAND_TEST(a_start_is_no_reason_to_doubt),
};

SCENE_MAIN(tests)
