/* SPDX-License-Identifier: MIT */
/*
 * A ZBDongle-P in the bed, as the owner of its network sees it: updated, current, refused where an
 * image would lock it, pulled in each phase; what the network lives from is as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/image-directory.h"
#include "tools/gbl-make.h"
#include "tools/ti-make.h"

#define OLD "20240710"
#define NEW "20250321"

#define RULE                                                                 \
	"[board coordinator]\nserial = Z*\nprotocol = bsl\nchip = cc2652p\n" \
	"backdoor-pin = 15\nimage = znp-*\napplication = mt\nretries = 0\n"

/* What the loader is asked to change its flash by (ti-bsl.md 2), and for its sum. */
enum {
	GET_STATUS = 0x23,
	SEND_DATA = 0x24,
	SECTOR_ERASE = 0x26,
	CRC32 = 0x27,
	BANK_ERASE = 0x2C,
	SET_CCFG = 0x2D
};

#define FLASH_BYTES 0x58000u
#define NV_AT	    0x50000u
#define NV_BYTES    0x6000u
#define IEEE_AT	    0x57FC8u

/* An address that its owner has set, to take over the network of the stick before. */
static const uint8_t secondary[8] = {0x11, 0x22, 0x33, 0x44, 0x00, 0x4B, 0x12, 0x00};

/* ------------------------------------------------------------------ the stick */

static void fill_nv(uint8_t *to)
{
	for (uint32_t i = 0; i < NV_BYTES; i++)
		to[i] = (uint8_t)(i * 7 + (i >> 8) + 1);
}

/*
 * A stick with this version in it, the settings of its network, and the address of its owner; in
 * `flash`, which the caller frees.
 */
static struct bed_board stick(const char *version, uint8_t **flash)
{
	struct ti_make_image image = ti_make_new("cc2652p", version, 0);
	struct bed_board board = {.chip = "cc2652p", .n_flash = FLASH_BYTES};

	fill_nv(image.flash + NV_AT);
	memcpy(image.flash + IEEE_AT, secondary, sizeof(secondary));
	*flash = image.flash;
	board.flash = image.flash;
	return board;
}

static struct bed_unit *plug(struct bed *bed, const char *version, const char *serial)
{
	uint8_t *flash;
	struct bed_board board = stick(version, &flash);
	struct bed_unit *unit;

	board.serial = serial;
	unit = bed_plug(bed, &board);

	free(flash);
	return unit;
}

static void put_image(struct bed *bed, const char *name, struct ti_make_image *image)
{
	const char *dot = strrchr(name, '.');
	struct ti_make_bytes bytes =
		strcmp(dot, ".bin") == 0 ? ti_make_bin(image) : ti_make_hex(image);

	bed_put_bytes(bed, name, bytes.data, bytes.n);
	ti_make_bytes_done(&bytes);
}

/* znp-VERSION.hex, or with another end. */
static void put_version(struct bed *bed, const char *version, const char *end)
{
	struct ti_make_image image = ti_make_new("cc2652p", version, 0);
	char name[64];

	snprintf(name, sizeof(name), "znp-%s.%s", version, end);
	put_image(bed, name, &image);
	ti_make_done(&image);
}

/* ------------------------------------------------------------------ what is demanded */

static void expect_nv(struct bed_unit *unit)
{
	uint8_t *nv = malloc(NV_BYTES);
	uint32_t size;
	const uint8_t *flash = bed_flash(unit, &size);

	assert_non_null(nv);
	fill_nv(nv);
	assert_memory_equal(flash + NV_AT, nv, NV_BYTES);
	free(nv);
}

/* The whole of this version, the owner's address in its CCFG, and it answers. */
static void expect_version(struct bed_unit *unit, const char *version)
{
	struct ti_make_image image = ti_make_new("cc2652p", version, 0);
	uint32_t size;
	const uint8_t *flash = bed_flash(unit, &size);

	assert_int_equal(size, FLASH_BYTES);
	memcpy(image.flash + IEEE_AT, secondary, sizeof(secondary));
	for (size_t i = 0; i < image.n_runs; i++)
		assert_memory_equal(flash + image.runs[i].address,
			image.flash + image.runs[i].address, image.runs[i].n);
	ti_make_done(&image);
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_int_equal(bed_state(unit), SIM_APPLICATION);
	assert_int_equal(bed_ti(unit).revision, atoi(version));
	assert_int_equal(bed_counters(unit).bad_writes, 0);
	/* The two that no rule of these tests allows. */
	assert_int_equal(bed_counters(unit).commands[BANK_ERASE], 0);
	assert_int_equal(bed_counters(unit).commands[SET_CCFG], 0);
}

static void expect_nothing_changed(struct bed_unit *unit)
{
	struct sim_counters counters = bed_counters(unit);

	assert_int_equal(counters.commands[SECTOR_ERASE], 0);
	assert_int_equal(counters.commands[SEND_DATA], 0);
	assert_int_equal(counters.pages_erased, 0);
	assert_int_equal(counters.mass_erases, 0);
	expect_version(unit, OLD);
	expect_nv(unit);
}

static struct bed_unit *plug_new(struct bed *bed, const char *rule)
{
	struct bed_unit *unit;

	bed_configure(bed, "", rule);
	put_version(bed, NEW, "hex");
	scene_start(bed);
	unit = plug(bed, OLD, "Z1");
	expect_outcome(unit, "updated");
	expect_version(unit, NEW);
	return unit;
}

/* ------------------------------------------------------------------ updated */

static void a_dongle_is_updated_and_its_network_is_as_it_was(void **state)
{
	const struct journal_entry *entry;
	struct bed_unit *unit;
	struct sim_ti_state ti;
	char ieee[17];

	bed_configure(*state, "", RULE);
	put_version(*state, NEW, "hex");
	scene_start(*state);
	unit = plug(*state, OLD, "Z1");
	entry = expect_outcome(unit, "updated");
	expect_version(unit, NEW);
	expect_nv(unit);
	expect_field(entry, FIELD_BOARD, "coordinator");
	expect_field(entry, FIELD_VERSION, NEW);
	expect_field(entry, FIELD_BAUD, "500000");
	expect_text(entry, FIELD_CHIP, "CC26");
	ti = bed_ti(unit);
	for (size_t i = 0; i < sizeof(ti.ieee); i++)
		snprintf(ieee + 2 * i, 3, "%02x", ti.ieee[i]);
	expect_field(entry, FIELD_UNIT, ieee);
	assert_int_equal(command_run(*state, "history --units"), 0);
	assert_int_equal(command_lines(*state, ieee), 1);
}

static void plugged_in_again_it_is_current_by_sums_alone(void **state)
{
	struct bed_unit *unit = plug_new(*state, RULE);
	struct sim_counters before = bed_counters(unit), after;

	bed_unplug(unit);
	bed_replug(unit, NULL);
	expect_outcome(unit, "current");
	after = bed_counters(unit);
	assert_int_equal(after.commands[SECTOR_ERASE], before.commands[SECTOR_ERASE]);
	assert_int_equal(after.commands[SEND_DATA], before.commands[SEND_DATA]);
	assert_true(after.commands[CRC32] > before.commands[CRC32]);
	expect_version(unit, NEW);
	expect_nv(unit);
}

/* A .bin has FF where the network's settings lie: that says nothing of them. */
static void a_bin_of_the_whole_flash_leaves_the_network(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", RULE);
	put_version(*state, NEW, "bin");
	scene_start(*state);
	unit = plug(*state, OLD, "Z1");
	expect_outcome(unit, "updated");
	expect_version(unit, NEW);
	expect_nv(unit);
}

/* As it comes from the factory, with the other wiring. */
static void a_blank_stick_of_the_plain_wiring_is_updated(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", RULE "wiring = direct\n");
	put_version(*state, NEW, "hex");
	scene_start(*state);
	unit = bed_plug(*state,
		&(struct bed_board){.serial = "Z1", .chip = "cc2652p", .circuit = SIM_CIRCUIT_BSL});
	expect_outcome(unit, "updated");
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_int_equal(bed_ti(unit).revision, atoi(NEW));
}

/* ------------------------------------------------------------------ refused before the reset */

static void each_image_that_would_lock_it_is_refused_before_its_reset(void **state)
{
	/* What the message must name, beside the file. */
	static const struct {
		enum ti_make_fault fault;
		const char *word;
	} rows[] = {
		{TI_FAULT_LOADER_OFF, "BOOTLOADER_ENABLE"},
		{TI_FAULT_BACKDOOR_OFF, "BL_ENABLE"},
		{TI_FAULT_STOCK, "BOOTLOADER_ENABLE"},
		{TI_FAULT_PIN, "DIO13"},
		{TI_FAULT_UART_PIN, "DIO12"},
		{TI_FAULT_LEVEL, "is high"},
		{TI_FAULT_BANK_ERASE_OFF, "BANK_ERASE_DIS_N"},
		{TI_FAULT_CHIP_ERASE_OFF, "CHIP_ERASE_DIS_N"},
		{TI_FAULT_PROTECTED, "PROT"},
		{TI_FAULT_IMAGE_VALID, "IMAGE_VALID"},
		{TI_FAULT_STACK, "stack"},
		{TI_FAULT_RESET_EVEN, "reset vector"},
		{TI_FAULT_RESET_OUTSIDE, "reset vector"},
		{TI_FAULT_NO_CCFG, "CCFG"},
		{TI_FAULT_PART_CCFG, "CCFG"},
		{TI_FAULT_BEYOND, "0x00058010"},
	};
	char serials[ARRAY_SIZE(rows)][8];

	bed_configure(*state, "", RULE);
	scene_start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ti_make_image image = ti_make_new("cc2652p", NEW, 0);
		struct bed_unit *unit;

		assert_true(ti_make_fault(&image, rows[i].fault));
		put_image(*state, "znp-" NEW ".hex", &image);
		ti_make_done(&image);
		bed_settle_images(*state);
		/* Another stick each time: one that comes again and again is taken for a loose
		 * cable. */
		snprintf(serials[i], sizeof(serials[i]), "Z%zu", i);
		unit = plug(*state, OLD, serials[i]);
		expect_text(expect_outcome(unit, "bad-image"), "MESSAGE", rows[i].word);
		/* Not opened: the power of the plug-in is the only reset. */
		assert_int_equal(bed_opens(unit), 0);
		assert_int_equal(bed_ti(unit).starts_into_loader, 0);
		expect_nothing_changed(unit);
		bed_unplug(unit);
	}
}

static void an_image_for_a_larger_chip_is_refused(void **state)
{
	struct ti_make_image image = ti_make_new("cc2652p7", NEW, 0);
	struct bed_unit *unit;

	bed_configure(*state, "", RULE);
	put_image(*state, "znp-" NEW ".hex", &image);
	ti_make_done(&image);
	scene_start(*state);
	unit = plug(*state, OLD, "Z1");
	expect_outcome(unit, "bad-image");
	expect_nothing_changed(unit);
}

/* ------------------------------------------------------------------ refused by the chip */

static void another_chip_of_the_family_is_refused(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", RULE);
	put_version(*state, NEW, "hex");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "Z1", .chip = "cc2652p7"});
	expect_outcome(unit, "wrong-chip");
	assert_int_equal(bed_counters(unit).commands[SECTOR_ERASE], 0);
	assert_int_equal(bed_counters(unit).commands[SEND_DATA], 0);
}

/* Outside they look alike: a ZBDongle-E on the rule of a ZBDongle-P. */
static void ti_check_20_a_dongle_with_an_efr32_is_told_and_left_as_it_is(void **state)
{
	struct gbl_make flash = gbl_make_flash(
		&(struct gbl_make_file){.fw_type = "zigbee_ncp", .version = "7.4.3.0"});
	struct bed_unit *unit;

	bed_configure(*state, "", RULE);
	put_version(*state, NEW, "hex");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "Z1",
					.resident = SIM_RESIDENT_GECKO,
					.circuit = SIM_CIRCUIT_ESP,
					.flash = flash.data,
					.n_flash = (uint32_t)flash.n});
	expect_text(expect_outcome(unit, "wrong-chip"), "MESSAGE", "EFR32");
	expect_untouched(unit);
	assert_int_equal(bed_counters(unit).files, 0);
	gbl_make_done(&flash);
}

/* ------------------------------------------------------------------ pulled */

/* What the loader is asked by a whole update. */
static struct sim_counters count_commands(struct bed *bed)
{
	struct sim_counters counters;
	struct bed_unit *unit = plug(bed, OLD, "Z0");

	expect_outcome(unit, "updated");
	counters = bed_counters(unit);
	assert_true(counters.commands[SECTOR_ERASE] >= 3);
	assert_true(counters.commands[SEND_DATA] > 10);
	return counters;
}

/* The cable goes at the n-th command of a code; at the next plug-in nothing is missing. */
static void pull_and_plug(
	struct bed *bed, const char *serial, uint8_t code, unsigned nth, bool is_whole)
{
	uint8_t *flash;
	struct bed_board board = stick(OLD, &flash);
	struct bed_unit *unit;

	board.serial = serial;
	board.faults = (struct sim_faults){.vanish_code = code, .vanish_nth = nth};
	unit = bed_plug(bed, &board);
	free(flash);
	expect_outcome(unit, "port-gone");
	expect_nv(unit);
	bed_set_faults(unit, &(struct sim_faults){0});
	bed_replug(unit, NULL);
	/* By itself it comes up in the loader, or whole. */
	assert_true(bed_wait_opened(unit, BED_LONG));
	assert_int_equal(bed_ti(unit).start, is_whole ? SIM_TI_APPLICATION : SIM_TI_NO_IMAGE);
	expect_outcome(unit, "updated");
	expect_version(unit, NEW);
	expect_nv(unit);
}

static void ti_check_14_pulled_in_each_phase_the_next_plug_in_completes(void **state)
{
	struct sim_counters whole;

	bed_configure(*state, "", RULE);
	put_version(*state, NEW, "hex");
	scene_start(*state);
	whole = count_commands(*state);
	/* Behind the guard, behind one more erase, in the middle of the data, before the CCFG, and
	 * when the CCFG has been written. Each is before the command that it names. */
	pull_and_plug(*state, "Z1", SECTOR_ERASE, 2, false);
	pull_and_plug(*state, "Z2", SECTOR_ERASE, 3, false);
	pull_and_plug(*state, "Z3", SEND_DATA, whole.commands[SEND_DATA] / 2, false);
	pull_and_plug(*state, "Z4", SEND_DATA, whole.commands[SEND_DATA], false);
	pull_and_plug(*state, "Z5", GET_STATUS, whole.commands[GET_STATUS], true);
}

/* ------------------------------------------------------------------ what it says afterwards */

static void an_application_that_says_nothing_is_not_confirmed(void **state)
{
	struct bed_unit *unit;
	uint8_t *flash;
	struct bed_board board = stick(OLD, &flash);

	bed_configure(*state, "", RULE "confirm-within = 2s\n");
	put_version(*state, NEW, "hex");
	scene_start(*state);
	board.serial = "Z1";
	board.faults.ti.is_mute = true;
	unit = bed_plug(*state, &board);
	free(flash);
	expect_outcome(unit, "not-confirmed");
	expect_nv(unit);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(a_dongle_is_updated_and_its_network_is_as_it_was),
	SCENE_TEST(plugged_in_again_it_is_current_by_sums_alone),
	SCENE_TEST(a_bin_of_the_whole_flash_leaves_the_network),
	SCENE_TEST(a_blank_stick_of_the_plain_wiring_is_updated),
	SCENE_TEST(each_image_that_would_lock_it_is_refused_before_its_reset),
	SCENE_TEST(an_image_for_a_larger_chip_is_refused),
	SCENE_TEST(another_chip_of_the_family_is_refused),
	SCENE_TEST(ti_check_20_a_dongle_with_an_efr32_is_told_and_left_as_it_is),
	SCENE_TEST(ti_check_14_pulled_in_each_phase_the_next_plug_in_completes),
	SCENE_TEST(an_application_that_says_nothing_is_not_confirmed),
};

SCENE_MAIN(tests)
