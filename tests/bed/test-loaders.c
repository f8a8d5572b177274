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
#include "sim/resident.h"

#define SIZE 9000

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

static bool holds(struct bed_unit *unit, const char *banner)
{
	uint32_t size;
	const uint8_t *flash = bed_flash(unit, &size);

	return memcmp(flash + RESIDENT_BYTES, application(banner), SIZE) == 0;
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
	assert_true(holds(unit, OLD));
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
	assert_true(holds(unit, NEW));
}

static void fault_16_a_file_cut_off_is_sent_again_at_the_next_plug(void **state)
{
	struct bed_board board = *IAP_BOARD;
	struct bed_unit *unit;

	configure_loader(*state, IAP);
	bed_put_bytes(*state, "app-1.0.0.bin", application(OLD), SIZE);
	scene_start(*state);
	board.faults.vanish_received = 5000;
	unit = bed_plug(*state, &board);
	expect_outcome(unit, "port-gone");
	assert_true(bed_wait_unplugged(unit, BED_LONG));
	assert_false(holds(unit, OLD));
	bed_set_faults(unit, &(IAP_BOARD)->faults);
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	assert_true(holds(unit, OLD));
	expect_at_rest(unit);
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

static void a_gbl_goes_by_xmodem_and_the_application_vouches_for_it(void **state)
{
	static uint8_t file[SIZE + 8] = {
		0xEB, 0x17, 0xA6, 0x03, (uint8_t)(SIZE & 0xFF), SIZE >> 8, 0, 0};
	struct bed_unit *unit;

	configure_loader(*state, GECKO);
	memcpy(file + 8, application(OLD), SIZE);
	bed_put_bytes(*state, "app-1.0.0.gbl", file, sizeof(file));
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1",
					.resident = SIM_RESIDENT_GECKO,
					.faults = {.erase_nsec = UINT64_C(200000000)}});
	expect_outcome(unit, "updated");
	assert_true(holds(unit, OLD));
	expect_at_rest(unit);
}

static void a_loaders_word_alone_is_not_enough(void **state)
{
	static uint8_t file[SIZE + 8] = {
		0xEB, 0x17, 0xA6, 0x03, (uint8_t)(SIZE & 0xFF), SIZE >> 8, 0, 0};
	struct bed_unit *unit;

	bed_configure(*state, "", "[board gate]\nserial = A*\nimage = app-*\nretries = 0\n" GECKO);
	memcpy(file + 8, application(OLD), SIZE);
	bed_put_bytes(*state, "app-1.0.0.gbl", file, sizeof(file));
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "A1",
					.resident = SIM_RESIDENT_GECKO,
					.faults = {.erase_nsec = UINT64_C(200000000)}});
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

/* The power goes as well; a chip with an empty check is in its ROM when it is back. */
static void fault_16_a_jump_cut_off_is_repaired_at_the_next_plug(void **state)
{
	const struct bed_board board = {.serial = "A1",
		.command = "BOOT\r",
		.reply = "OK\r\n",
		.enters_rom_when_empty = true,
		.faults = {.vanish_code = WRITE, .vanish_nth = 5}};
	struct bed_unit *unit;

	scene_configure(*state, "", JUMP "reset = dtr\nboot = none\n");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	scene_start(*state);
	unit = plug_running(*state, &board);
	expect_outcome(unit, "port-gone");
	assert_true(bed_wait_unplugged(unit, BED_LONG));
	assert_false(bed_flash_begins(unit, FIRMWARE_NEW_BIN));
	bed_set_faults(unit, &(struct sim_faults){0});
	bed_replug(unit, NULL);
	expect_outcome(unit, "updated");
	assert_true(bed_flash_begins(unit, FIRMWARE_NEW_BIN));
	expect_at_rest(unit);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_file_goes_through_the_menu_is_confirmed_and_then_current),
	SCENE_TEST(fault_16_a_file_cut_off_is_sent_again_at_the_next_plug),
	SCENE_TEST(an_image_linked_elsewhere_is_refused_with_both_addresses),
	SCENE_TEST(a_gbl_goes_by_xmodem_and_the_application_vouches_for_it),
	SCENE_TEST(a_loaders_word_alone_is_not_enough),
	SCENE_TEST(an_application_jumps_and_is_updated),
	SCENE_TEST(fault_16_a_jump_cut_off_is_repaired_at_the_next_plug),
};

SCENE_MAIN(tests)
