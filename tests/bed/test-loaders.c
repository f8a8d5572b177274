/* SPDX-License-Identifier: MIT */
/*
 * Boards without a line to BOOT0: an application that jumps to the ROM when it is told to, and boot
 * loaders that take a file. Real service, workers and journal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bed/enclosure.h"
#include "bed/scene.h"
#include "sim/gbl.h"
#include "sim/resident.h"

#define SIZE  9000
#define SHORT 2000

/* An application for behind a loader, with its version in its banner. */
static const uint8_t *application(const char *banner)
{
	static uint8_t bytes[SIZE];
	const uint32_t vectors[] = {0x20001000, UINT32_C(0x08000000) + RESIDENT_BYTES + 0x101};
	uint32_t state = (uint32_t)banner[strlen(banner) - 3];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(state >> 16);
	}
	memcpy(bytes, vectors, sizeof(vectors));
	memcpy(bytes + 0x200, banner, strlen(banner) + 1);
	return bytes;
}

#define OLD "plugflash-test 1.0.0\r\n"
#define NEW "plugflash-test 1.1.0\r\n"

static bool holds(struct bed_unit *unit, const char *banner, size_t n_bytes)
{
	uint32_t size;
	const uint8_t *flash = bed_flash(unit, &size);

	return memcmp(flash + RESIDENT_BYTES, application(banner), n_bytes) == 0;
}

static void configure_loader(struct bed *bed, const char *rule)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"[board gate]\nserial = A*\nimage = app-*\nretries = 1\nretry-delay = 100ms\n"
		"confirm-within = 3s\nmenu-within = 4s\nconfirm = plugflash-test [0-9.]+\n%s",
		rule);
	bed_configure(bed, "", text);
}

#define IAP   "protocol = ymodem\nmenu = st-iap\naddress = 0x08004000\n"
#define GECKO "protocol = xmodem\nmenu = gecko\n"

#define IAP_BOARD                                                         \
	&(struct bed_board)                                               \
	{                                                                 \
		.serial = "A1", .resident = SIM_RESIDENT_IAP, .faults = { \
			.erase_nsec = UINT64_C(200000000)                 \
		}                                                         \
	}

static void a_file_goes_through_the_menu_is_confirmed_and_then_current(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;
	unsigned n_files;

	configure_loader(*state, IAP);
	bed_put_bytes(*state, "app-1.0.0.bin", application(OLD), SIZE);
	scene_start(*state);
	unit = bed_plug(*state, IAP_BOARD);
	entry = expect_outcome(unit, "updated");
	expect_field(entry, FIELD_VERSION, "1.0.0");
	expect_field(entry, FIELD_BYTES, "9000");
	assert_true(holds(unit, OLD, SIZE));
	expect_at_rest(unit);
	assert_int_equal(bed_state(unit), SIM_APPLICATION);
	n_files = bed_counters(unit).files;
	assert_int_equal(n_files, 1);
	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	assert_int_equal(bed_counters(unit).files, n_files);
	bed_unplug(unit);
	bed_put_bytes(*state, "app-1.1.0.bin", application(NEW), SIZE);
	bed_replug(unit, NULL);
	expect_field(expect_outcome(unit, "updated"), FIELD_VERSION, "1.1.0");
	assert_true(holds(unit, NEW, SIZE));
}

/* ------------------------------------------------------------------ cut off after each block */

#define MOST_CUTS 24

/* Boards that vanish at one block after the other, all at once, and are plugged in again. */
struct cuts {
	struct bed_unit *units[MOST_CUTS];
	char serials[MOST_CUTS][8];
	unsigned n;
};

/* The board, with the serial number of the next. */
static struct bed_board next_board(struct cuts *cuts, const struct bed_board *board)
{
	struct bed_board made = *board;

	assert_true(cuts->n < MOST_CUTS);
	snprintf(cuts->serials[cuts->n], sizeof(cuts->serials[0]), "A%u", cuts->n);
	made.serial = cuts->serials[cuts->n];
	return made;
}

static void expect_repair(struct cuts *cuts, const struct sim_faults *faults,
	bool (*is_whole)(struct bed_unit *unit), const char *what)
{
	for (unsigned i = 0; i < cuts->n; i++) {
		expect_outcome(cuts->units[i], "port-gone");
		assert_true(bed_wait_unplugged(cuts->units[i], BED_LONG));
	}
	for (unsigned i = 0; i < cuts->n; i++) {
		bed_set_faults(cuts->units[i], faults);
		bed_replug(cuts->units[i], NULL);
	}
	for (unsigned i = 0; i < cuts->n; i++) {
		expect_outcome(cuts->units[i], "updated");
		assert_true(is_whole(cuts->units[i]));
		expect_at_rest(cuts->units[i]);
	}
	/* Their names go with the test, before the bed does. */
	for (unsigned i = 0; i < cuts->n; i++)
		bed_unplug(cuts->units[i]);
	print_message("# figure: %s in the bed, cut off at %u different blocks, each repaired\n",
		what, cuts->n);
}

static bool holds_old(struct bed_unit *unit)
{
	return holds(unit, OLD, SIZE);
}

/* Menu nudge and choice, a header of 133 bytes, blocks of 1029. */
static void fault_16_17_a_file_cut_off_after_each_block_is_sent_again(void **state)
{
	struct cuts cuts = {.n = 0};

	configure_loader(*state, IAP);
	bed_put_bytes(*state, "app-1.0.0.bin", application(OLD), SIZE);
	scene_start(*state);
	for (; cuts.n < 1 + (SIZE + 1023) / 1024; cuts.n++) {
		struct bed_board board = next_board(&cuts, IAP_BOARD);

		board.faults.vanish_received = 4 + 133 + (uint64_t)cuts.n * 1029;
		cuts.units[cuts.n] = bed_plug(*state, &board);
	}
	expect_repair(&cuts, &(IAP_BOARD)->faults, holds_old, "a file by YMODEM");
}

static void an_image_linked_elsewhere_is_refused_with_both_addresses(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;

	configure_loader(*state, IAP);
	bed_put_image(*state, "app-1.0.0.bin", FIRMWARE_OLD_BIN);
	scene_start(*state);
	unit = bed_plug(*state, IAP_BOARD);
	entry = expect_outcome(unit, "bad-image");
	expect_text(entry, "MESSAGE", "0x08004000");
	expect_text(entry, "MESSAGE", "0x080000");
	assert_int_equal(bed_opens(unit), 0);
}

#define GECKO_BOARD                                                         \
	&(struct bed_board)                                                 \
	{                                                                   \
		.serial = "A1", .resident = SIM_RESIDENT_GECKO, .faults = { \
			.erase_nsec = UINT64_C(200000000)                   \
		}                                                           \
	}

/* A GBL of so much of the application. */
static void put_gbl(struct bed *bed, uint32_t n_bytes)
{
	static uint8_t file[GBL_BYTES(SIZE)];

	gbl_make(file, application(OLD), n_bytes);
	bed_put_bytes(bed, "app-1.0.0.gbl", file, GBL_BYTES(n_bytes));
}

/* Case 06: what a "save link as" gave, for a loader that would erase before it looks. */
static void case_06_a_page_of_html_is_refused_before_the_reset(void **state)
{
	static const char page[] = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title>";
	struct bed_unit *unit;

	configure_loader(*state, "protocol = ymodem\nmenu = st-iap\n");
	bed_put_bytes(*state, "app-1.0.0.bin", (const uint8_t *)page, strlen(page));
	scene_start(*state);
	unit = bed_plug(*state, IAP_BOARD);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "this is a page of HTML");
	expect_untouched(unit);
}

/* A file that was cut off, or has a bent bit, would make the loader erase and stop. */
static void case_04_a_damaged_gbl_is_refused_before_the_reset(void **state)
{
	uint8_t file[GBL_BYTES(SHORT)];
	struct bed_unit *unit;

	gbl_make(file, application(OLD), SHORT);
	configure_loader(*state, GECKO);
	bed_put_bytes(*state, "app-1.0.0.gbl", file, SHORT);
	scene_start(*state);
	unit = bed_plug(*state, GECKO_BOARD);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "it was cut off");
	expect_untouched(unit);
	file[1000] ^= 4;
	bed_put_bytes(*state, "app-1.0.1.gbl", file, sizeof(file));
	unit = bed_plug(*state, GECKO_BOARD);
	expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", "bad CRC");
	expect_untouched(unit);
}

static void a_gbl_goes_by_xmodem_and_the_application_vouches_for_it(void **state)
{
	struct bed_unit *unit;

	configure_loader(*state, GECKO);
	put_gbl(*state, SIZE);
	scene_start(*state);
	unit = bed_plug(*state, GECKO_BOARD);
	expect_outcome(unit, "updated");
	assert_true(holds(unit, OLD, SIZE));
	expect_at_rest(unit);
}

static bool holds_short(struct bed_unit *unit)
{
	return holds(unit, OLD, SHORT);
}

/* The choice in the menu, then blocks of 132 or 133. */
static void fault_16_17_a_gbl_cut_off_after_each_block_is_sent_again(void **state)
{
	struct cuts cuts = {.n = 0};

	configure_loader(*state, GECKO);
	put_gbl(*state, SHORT);
	scene_start(*state);
	for (; cuts.n < (GBL_BYTES(SHORT) + 127) / 128; cuts.n++) {
		struct bed_board board = next_board(&cuts, GECKO_BOARD);

		board.faults.vanish_received = 4 + (uint64_t)(cuts.n + 1) * 133;
		cuts.units[cuts.n] = bed_plug(*state, &board);
	}
	expect_repair(&cuts, &(GECKO_BOARD)->faults, holds_short, "a GBL by XMODEM");
}

static void a_loaders_word_alone_is_not_enough(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", "[board gate]\nserial = A*\nimage = app-*\nretries = 0\n" GECKO);
	put_gbl(*state, SIZE);
	scene_start(*state);
	unit = bed_plug(*state, GECKO_BOARD);
	expect_text(expect_outcome(unit, "verify-impossible"), "MESSAGE", "accept-unverified");
}

/* ------------------------------------------------------------------ a jump to the ROM */

#define JUMP                                                                            \
	"entry = command\nentry-command = BOOT\\r\nentry-reply = OK\nentry-wait = 1s\n" \
	"confirm = plugflash-test\nretries = 1\nretry-delay = 100ms\n"

/* A board that runs the old firmware when the service meets it first. */
static struct bed_unit *plug_running(struct bed *bed, const struct bed_board *board)
{
	struct bed_board silent = *board;
	struct bed_unit *unit;

	silent.is_silent = true;
	unit = bed_plug(bed, &silent);
	bed_unplug(unit);
	bed_load_flash(unit, FIRMWARE_OLD_BIN);
	bed_replug(unit, board);
	return unit;
}

static void an_application_jumps_and_is_updated(void **state)
{
	struct bed_unit *unit;

	scene_configure(*state, "", JUMP);
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	scene_start(*state);
	unit = plug_running(*state, &(struct bed_board){.serial = "A1",
					    .circuit = SIM_CIRCUIT_NONE,
					    .command = "BOOT\r",
					    .reply = "OK\r\n"});
	expect_field(expect_outcome(unit, "updated"), FIELD_VERSION, "1.1.0");
	assert_true(bed_flash_begins(unit, FIRMWARE_NEW_BIN));
	assert_int_equal(bed_counters(unit).application_commands, 1);
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_int_equal(bed_state(unit), SIM_APPLICATION);
}

static bool holds_new_firmware(struct bed_unit *unit)
{
	return bed_flash_begins(unit, FIRMWARE_NEW_BIN);
}

/* The power goes as well; a chip with an empty check is in its ROM when it is back. */
static void fault_16_17_a_jump_cut_off_at_each_block_is_repaired_at_the_next_plug(void **state)
{
	const struct bed_board board = {.serial = "A1",
		.command = "BOOT\r",
		.reply = "OK\r\n",
		.enters_rom_when_empty = true};
	struct cuts cuts = {.n = 0};
	struct bed_unit *whole;
	unsigned n_blocks;

	scene_configure(*state, "", JUMP "reset = dtr\nboot = none\n");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	scene_start(*state);
	whole = plug_running(*state, &board);
	expect_outcome(whole, "updated");
	n_blocks = bed_counters(whole).blocks_written;
	assert_in_range(n_blocks, 8, MOST_CUTS);
	bed_unplug(whole);
	for (; cuts.n < n_blocks; cuts.n++) {
		struct bed_board cut = next_board(&cuts, &board);

		cut.faults.vanish_code = WRITE;
		cut.faults.vanish_nth = cuts.n + 1;
		cuts.units[cuts.n] = plug_running(*state, &cut);
	}
	expect_repair(&cuts, &board.faults, holds_new_firmware, "a jump to the ROM");
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_file_goes_through_the_menu_is_confirmed_and_then_current),
	SCENE_TEST(fault_16_17_a_file_cut_off_after_each_block_is_sent_again),
	SCENE_TEST(an_image_linked_elsewhere_is_refused_with_both_addresses),
	SCENE_TEST(case_06_a_page_of_html_is_refused_before_the_reset),
	SCENE_TEST(case_04_a_damaged_gbl_is_refused_before_the_reset),
	SCENE_TEST(a_gbl_goes_by_xmodem_and_the_application_vouches_for_it),
	SCENE_TEST(fault_16_17_a_gbl_cut_off_after_each_block_is_sent_again),
	SCENE_TEST(a_loaders_word_alone_is_not_enough),
	SCENE_TEST(an_application_jumps_and_is_updated),
	SCENE_TEST(fault_16_17_a_jump_cut_off_at_each_block_is_repaired_at_the_next_plug),
};

SCENE_MAIN(tests)
