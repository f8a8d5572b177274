/* SPDX-License-Identifier: MIT */
/* Bridges as they are, and as somebody with a programming tool makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

/* 126 UTF-16 units: the longest string of a descriptor, here of three bytes each. */
#define EURO_18                                                                                \
	"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC" \
	"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC" \
	"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
#define EURO_126 EURO_18 EURO_18 EURO_18 EURO_18 EURO_18 EURO_18 EURO_18

static const struct {
	const char *name;
	const char *text;
} hostile[] = {
	{"the longest there can be", EURO_126},
	{"format characters", "A%n%n%s%99999d"},
	{"a path", "A/../../../etc/passwd"},
	{"control characters", "A\x01\x1b[2J\x07\x7f"},
	{"a new line and a field", "A1\nPLUGFLASH_OUTCOME=updated\nMESSAGE=all is well"},
	{"quotes", "A'\"`$(reboot)"},
	{"a comment and a section", "A;#[board evil]"},
	{"backslashes", "A\\x41\\n\\"},
	{"bytes that are not UTF-8", "A\xC0\xAF\xFF"},
	{"globs", "A*?[!a-z]"},
};

/* No field may hold what would begin another one, or move the reader's cursor. */
static void expect_clean(const struct journal_entry *entry)
{
	for (size_t i = 0; i < entry->n_fields; i++) {
		if (strncmp(entry->fields[i], "PLUGFLASH_", 10) != 0 &&
			strncmp(entry->fields[i], "MESSAGE=", 8) != 0)
			continue;
		for (const char *at = entry->fields[i]; *at; at++)
			if (iscntrl((unsigned char)*at))
				fail_msg("control character %#x in an entry", (unsigned)*at);
		assert_true(strlen(entry->fields[i]) < 2048);
	}
}

static void expect_all_clean(struct bed *bed)
{
	const struct journal_reader *journal = bed_journal(bed);

	for (size_t i = 0; i < journal_reader_count(journal); i++)
		expect_clean(journal_reader_entry(journal, i));
}

static void fault_65_hostile_descriptors_forge_nothing_where_no_rule_fits(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", "[board gate]\nserial = none\nchip = 0x410\nimage = gate-*\n");
	scene_start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		print_message("# %s\n", hostile[i].name);
		unit = bed_plug(*state, &(struct bed_board){.serial = hostile[i].text,
						.product = hostile[i].text,
						.manufacturer = hostile[i].text});
		expect_outcome(unit, "no-match");
		assert_int_equal(bed_opens(unit), 0);
	}
	expect_all_clean(*state);
	expect_good_stop(*state);
}

static void fault_65_hostile_descriptors_forge_nothing_in_a_job(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "", "[board gate]\npath = *\nchip = 0x410\nimage = gate-*\n");
	scene_start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		print_message("# %s\n", hostile[i].name);
		unit = bed_plug(*state, &(struct bed_board){.serial = hostile[i].text,
						.product = hostile[i].text,
						.manufacturer = hostile[i].text});
		expect_outcome(unit, "updated");
		assert_int_equal(bed_count_outcomes(unit), 1);
	}
	assert_int_equal(bed_count_journal(*state, BED_MATCH("MESSAGE=all is well")), 0);
	expect_all_clean(*state);
	expect_good_stop(*state);
}

static void a_bridge_without_a_serial_is_matched_by_its_place(void **state)
{
	struct bed_unit *unit;

	bed_configure(
		*state, "", "[board gate]\npath = *-usb-0:7:*\nchip = 0x410\nimage = gate-*\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "", .path = "1-7"});
	assert_null(journal_entry_get(expect_outcome(unit, "updated"), FIELD_USB_SERIAL));
}

static void fault_50_bridges_with_the_same_serial_are_told_apart_by_their_place(void **state)
{
	struct bed_unit *left, *right;

	bed_configure(*state, "",
		"[board left]\nserial = 0001\npath = *-usb-0:1.1:*\nchip = 0x410\n"
		"image = gate-1.0.0.hex\n"
		"[board right]\nserial = 0001\npath = *-usb-0:1.2:*\nchip = 0x410\n"
		"image = gate-1.1.0.hex\n");
	bed_put_image(*state, "gate-1.1.0.hex", FIRMWARE_NEW ".hex");
	scene_start(*state);
	left = bed_plug(*state, &(struct bed_board){.path = "1-1.1"});
	right = bed_plug(*state, &(struct bed_board){.path = "1-1.2"});
	expect_field(expect_outcome(left, "updated"), FIELD_BOARD, "left");
	expect_field(expect_outcome(right, "updated"), FIELD_BOARD, "right");
	assert_true(bed_flash_is(left, FIRMWARE_OLD_BIN));
	assert_true(bed_flash_is(right, FIRMWARE_NEW_BIN));
}

static void fault_50_two_rules_for_the_same_serial_demand_a_place(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "",
		"[board left]\nserial = 0001\nchip = 0x410\nimage = gate-*\n"
		"[board right]\nserial = 0001\nchip = 0x410\nimage = gate-*\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = NULL});
	expect_text(expect_outcome(unit, "ambiguous"), "MESSAGE", "path");
	assert_int_equal(bed_opens(unit), 0);
}

static void the_second_interface_of_a_cp2105_is_a_bridge_of_its_own(void **state)
{
	struct bed_unit *enhanced, *standard;

	bed_configure(*state, "",
		"[board gate]\nusb-id = 10c4:ea70\ninterface = 1\nchip = 0x410\n"
		"image = gate-*\n");
	scene_start(*state);
	enhanced = bed_plug(*state, &(struct bed_board){.pid = 0xEA70, .path = "1-4"});
	standard =
		bed_plug(*state, &(struct bed_board){.pid = 0xEA70, .path = "1-4", .interface = 1});
	expect_outcome(standard, "updated");
	expect_outcome(enhanced, "no-match");
	assert_int_equal(bed_opens(enhanced), 0);
	assert_int_equal(bed_requests(enhanced), 0);
}

static void ids_of_other_makers_need_a_rule_that_names_them(void **state)
{
	struct bed_unit *unit;

	bed_configure(*state, "",
		"[board any]\nserial = *\nchip = 0x410\nimage = gate-*\n"
		"[board theirs]\nusb-id = 1d50:6089\nserial = T*\nchip = 0x410\nimage = gate-*\n");
	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "S1", .vid = 0x1D50, .pid = 0x608A});
	expect_outcome(unit, "no-match");
	assert_int_equal(bed_opens(unit), 0);
	unit = bed_plug(*state, &(struct bed_board){.serial = "T1", .vid = 0x1D50, .pid = 0x6089});
	expect_field(expect_outcome(unit, "updated"), FIELD_BOARD, "theirs");
}

/* The same ids, but another driver: not a port of ours. */
static void a_tty_of_another_driver_is_nobody_s_business(void **state)
{
	struct bed_unit *other, *unit;

	scene_start(*state);
	other = bed_plug(*state, &(struct bed_board){.serial = "A1", .driver = "ftdi_sio"});
	unit = bed_plug(*state, &(struct bed_board){.serial = "A2"});
	expect_outcome(unit, "updated");
	assert_int_equal(bed_opens(other), 0);
	assert_int_equal(bed_count_outcomes(other), 0);
}

/* A CDC-ACM device, of which the kernel knows no more: by its id, and by a rule that names it. */
static void a_cp2102c_needs_a_rule_that_names_it(void **state)
{
	const struct bed_board modem = {.serial = "M1", .driver = "cdc_acm", .pid = 0xEA60},
			       bridge = {.serial = "B1", .driver = "cdc_acm", .pid = 0xEA64};
	struct bed_unit *other, *unit;

	bed_configure(*state, "",
		"[board any]\nserial = *\nchip = 0x410\nimage = gate-*\n"
		"[board c]\nusb-id = 10c4:ea64\nserial = B1\nchip = 0x410\nimage = gate-*\n");
	scene_start(*state);
	other = bed_plug(*state, &modem);
	unit = bed_plug(*state, &bridge);
	expect_field(expect_outcome(unit, "updated"), FIELD_BOARD, "c");
	assert_int_equal(bed_opens(other), 0);
	assert_int_equal(bed_count_outcomes(other), 0);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(fault_65_hostile_descriptors_forge_nothing_where_no_rule_fits),
	SCENE_TEST(fault_65_hostile_descriptors_forge_nothing_in_a_job),
	SCENE_TEST(a_bridge_without_a_serial_is_matched_by_its_place),
	SCENE_TEST(fault_50_bridges_with_the_same_serial_are_told_apart_by_their_place),
	SCENE_TEST(fault_50_two_rules_for_the_same_serial_demand_a_place),
	SCENE_TEST(the_second_interface_of_a_cp2105_is_a_bridge_of_its_own),
	SCENE_TEST(ids_of_other_makers_need_a_rule_that_names_them),
	SCENE_TEST(a_tty_of_another_driver_is_nobody_s_business),
	SCENE_TEST(a_cp2102c_needs_a_rule_that_names_it),
};

SCENE_MAIN(tests)
