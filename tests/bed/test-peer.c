/* SPDX-License-Identifier: MIT */
/*
 * stm32flash, which nobody here wrote, on the same simulated board: it judges the simulator, and
 * the two programs judge each other's work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "bed/enclosure.h"
#include "bed/scene.h"

/*
 * DTR is reset, RTS selects the boot loader; a comma is 100 ms. The last one of the entry gives the
 * ROM its start-up time: stm32flash sends 0x7F at once, and takes the ACK to a second one for a
 * failure.
 */
#define ENTER_AND_LEAVE "rts,dtr,-dtr,:-rts,dtr,-dtr"

/* Runs it on the unit's port with these options; it must succeed. */
static void run_stm32flash(struct bed *bed, struct bed_unit *unit, const char *const options[])
{
	const char *argv[16] = {"stm32flash", "-b", "115200", "-i", ENTER_AND_LEAVE};
	size_t n = 5;
	int status = -1;
	pid_t pid;

	for (; *options; options++)
		argv[n++] = *options;
	argv[n] = bed_port(unit);
	pid = bed_spawn(bed, argv);
	assert_true(bed_wait_child(bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void stm32flash_writes_and_verifies_and_plugflash_finds_it_current(void **state)
{
	struct bed_unit *unit = bed_plug(*state, GATE);
	unsigned n_erases;

	run_stm32flash(*state, unit, BED_MATCH("-v", "-w", FIRMWARE_OLD_BIN));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
	assert_int_equal(bed_counters(unit).bad_writes, 0);
	n_erases = scene_erases(unit);
	scene_start(*state);
	expect_outcome(unit, "current");
	assert_int_equal(scene_erases(unit), n_erases);
}

static void stm32flash_reads_what_plugflash_wrote(void **state)
{
	struct bed_unit *unit;
	char file[128];

	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	assert_true(bed_wait_closed(unit, BED_LONG));
	snprintf(file, sizeof(file), "%s/read.bin", bed_directory(*state));
	run_stm32flash(*state, unit, BED_MATCH("-S", "0x08000000:0x10000", "-r", file));
	assert_true(bed_flash_begins(unit, file));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void stm32flash_speaks_to_a_boot_loader_with_extended_erase(void **state)
{
	struct bed_unit *unit =
		bed_plug(*state, &(struct bed_board){.serial = "X", .chip = "f405"});

	run_stm32flash(*state, unit, BED_MATCH("-v", "-w", FIRMWARE_NEW_BIN));
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

static void stm32flash_at_the_real_rate_of_the_line(void **state)
{
	struct bed_unit *unit = bed_plug(*state, GATE_PACED);

	run_stm32flash(*state, unit, BED_MATCH("-v", "-w", FIRMWARE_NEW_BIN));
	assert_true(bed_flash_is(unit, FIRMWARE_NEW_BIN));
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(stm32flash_writes_and_verifies_and_plugflash_finds_it_current),
	SCENE_TEST(stm32flash_reads_what_plugflash_wrote),
	SCENE_TEST(stm32flash_speaks_to_a_boot_loader_with_extended_erase),
	SCENE_TEST(stm32flash_at_the_real_rate_of_the_line),
};

SCENE_MAIN(tests)
