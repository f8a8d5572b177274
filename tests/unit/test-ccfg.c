/* SPDX-License-Identifier: MIT */
/*
 * test-ccfg.c - which images are taken for a stick with a chip of TI, and which are refused before
 * it is reset, for each fault that ti-bsl.md 5.3 and 5.4 name; and the fields of the record that
 * decides it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/ti-stand.h"

/* ------------------------------------------------------------------ good files */

static void usual_images_are_taken(void **state)
{
	static const char *const chips[] = {"cc2652p", "cc1352p", "cc2652r", "cc2652rb", "cc1352r",
		"cc2652p7", "cc1352p7", "cc2650", "cc2640r2", "cc1310", "cc2538"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ti_forms) * ARRAY_SIZE(chips); i++) {
		const char *chip = chips[i / ARRAY_SIZE(ti_forms)];
		struct stand *stand = stand_new(chip, "20240710");
		const struct ti_make_chip *made = stand->made.chip;
		struct chip_range start;

		if (check_as(stand, i % ARRAY_SIZE(ti_forms)) != 0)
			fail_msg("%s: %s", chip, stand->reason.text);
		start = chip_of(stand)->family->find_start(chip_of(stand), &stand->image);
		assert_int_equal(start.start, ti_make_ccfg(made));
		assert_int_equal(start.size, ti_make_ccfg_size(made));
		/* Where Z-Stack keeps its network nothing is touched, by no kind of file. */
		assert_false(image_touches(&stand->image, made->nv, made->nv_end - made->nv));
		for (size_t run = 0; run < stand->made.n_runs; run++)
			for (uint32_t n = 0; n < stand->made.runs[run].n; n++)
				assert_int_equal(image_byte(&stand->image,
							 stand->made.runs[run].address + n),
					*ti_make_at(&stand->made, stand->made.runs[run].address + n,
						1));
		assert_int_equal(image_bytes(&stand->image), stand->image.n_bytes);
		stand_free(stand);
	}
}

/* Filling in records of a HEX file is filling as well. */
static void sectors_of_filling_are_none_of_the_image(void **state)
{
	struct stand *stand = stand_new("cc2652p", "20240710");
	uint32_t nv = stand->made.chip->nv;

	(void)state;
	ti_make_run(&stand->made, nv, stand->made.chip->nv_end - nv);
	assert_int_equal(check(stand, true), 0);
	assert_false(image_touches(&stand->image, nv, stand->made.chip->nv_end - nv));
	/* One byte of a sector makes all of it the image's, and no other one. */
	*ti_make_at(&stand->made, nv + 0x2000 + 17, 1) = 0x00;
	for (int is_hex = 0; is_hex < 2; is_hex++) {
		assert_int_equal(check(stand, is_hex), 0);
		assert_false(image_touches(&stand->image, nv, 0x2000));
		assert_true(image_touches(&stand->image, nv + 0x2000, 1));
		assert_true(image_touches(&stand->image, nv + 0x3FFF, 1));
		assert_false(image_touches(&stand->image, nv + 0x4000, 0x2000));
	}
	stand_free(stand);
}

/* ------------------------------------------------------------------ faults */

/* clang-format off */
static const struct row {
	const char *chip;
	enum ti_make_fault fault;
	const char *says[3];
} rows[] = {
	{"cc2652p", TI_FAULT_LOADER_OFF, {"CCFG BL_CONFIG at 0x57fdb: BOOTLOADER_ENABLE is 0x00, and 0xc5 is wanted", "lock the boot loader"}},
	{"cc2652p", TI_FAULT_BACKDOOR_OFF, {"CCFG BL_CONFIG at 0x57fd8: BL_ENABLE is 0xff, and 0xc5 is wanted"}},
	{"cc2652p", TI_FAULT_STOCK, {"BOOTLOADER_ENABLE is 0x00", "built with its boot loader on"}},
	{"cc2652p", TI_FAULT_PIN, {"CCFG BL_CONFIG (BL_PIN_NUMBER) at 0x57fd8: the backdoor pin is DIO13, and the rule wants DIO15: this image would lock the boot loader of the stick out", "CC1352P2_CC2652P_launchpad"}},
	{"cc2652p", TI_FAULT_UART_PIN, {"the backdoor pin is DIO12, and the rule wants DIO15"}},
	{"cc2652p", TI_FAULT_LEVEL, {"CCFG BL_CONFIG (BL_LEVEL) at 0x57fd8: the backdoor opens while DIO15 is high, and the rule wants low"}},
	{"cc2652p", TI_FAULT_BANK_ERASE_OFF, {"CCFG ERASE_CONF at 0x57fdc: BANK_ERASE_DIS_N is 0, and 1 is wanted"}},
	{"cc2652p", TI_FAULT_CHIP_ERASE_OFF, {"CCFG ERASE_CONF at 0x57fdd: CHIP_ERASE_DIS_N is 0, and 1 is wanted"}},
	{"cc2652p", TI_FAULT_PROTECTED, {"CCFG PROT_31_0 at 0x57ff0: it is 0xfffffffe"}},
	{"cc2652p", TI_FAULT_IMAGE_VALID, {"by CCFG IMAGE_VALID_CONF", "vector table at 0x02000", "no program begins there"}},
	{"cc2652p", TI_FAULT_STACK, {"the initial stack pointer is 0x20015000, and one in the RAM of the chip is wanted, from 0x20000000 up to 0x20014000"}},
	{"cc2652p", TI_FAULT_RESET_EVEN, {"the reset vector is 0x00000400, and an odd address"}},
	{"cc2652p", TI_FAULT_RESET_OUTSIDE, {"the reset vector is 0x00050401"}},
	{"cc2652p", TI_FAULT_NO_CCFG, {"CCFG at 0x57fa8: the image has none there", "take the whole one"}},
	{"cc2652p", TI_FAULT_PART_CCFG, {"CCFG at 0x57fa8: the image has none there, and ends at 0x57ff8"}},
	{"cc2652p", TI_FAULT_BEYOND, {"outside the flash of 360448 bytes"}},
	{"cc2652p7", TI_FAULT_LOADER_OFF, {"CCFG BL_CONFIG at 0xaffdb: BOOTLOADER_ENABLE"}},
	{"cc2652p7", TI_FAULT_PIN, {"CCFG BL_CONFIG (BL_PIN_NUMBER) at 0xaffd8: the backdoor pin is DIO13", "CC1352P7"}},
	{"cc2652p7", TI_FAULT_STACK, {"up to 0x20024000"}},
	{"cc2652p7", TI_FAULT_PART_CCFG, {"CCFG at 0xaffa8"}},
	{"cc2652rb", TI_FAULT_PIN, {"the backdoor pin is DIO15, and the rule wants DIO13", "take the image for CC2652RB"}},
	{"cc1310", TI_FAULT_BACKDOOR_OFF, {"CCFG BL_CONFIG at 0x1ffd8: BL_ENABLE"}},
	{"cc1310", TI_FAULT_IMAGE_VALID, {"CCFG IMAGE_VALID_CONF at 0x1ffec: it is 0x00002000, and 0 is wanted"}},
	{"cc2538", TI_FAULT_BACKDOOR_OFF, {"CCA BOOTLOADER_CONFIG at 0x27ffd7: the byte is 0xe3, and bit 4 is wanted as 1"}},
	{"cc2538", TI_FAULT_PIN, {"CCA BOOTLOADER_CONFIG at 0x27ffd7: the backdoor pin is PA7, and the rule wants PA3"}},
	{"cc2538", TI_FAULT_LEVEL, {"the backdoor opens while PA3 is high"}},
	{"cc2538", TI_FAULT_PROTECTED, {"CCA LOCK_BITS at 0x27ffe0: it is 0xfffffffe"}},
	{"cc2538", TI_FAULT_DEBUG_CLOSED, {"CCA LOCK_BITS at 0x27fffc: it is 0x7fffffff", "debug port"}},
	{"cc2538", TI_FAULT_IMAGE_VALID, {"CCA IMAGE_VALID at 0x27ffd8: it is 0x00010000, and 0 is wanted"}},
	{"cc2538", TI_FAULT_STACK, {"up to 0x20008000"}},
	{"cc2538", TI_FAULT_NO_CCFG, {"CCA at 0x27ffd4: the image has none there"}},
};
/* clang-format on */

static void ti_check_01_02_03_each_fault_is_refused_before_the_reset(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ti_forms) * ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i / ARRAY_SIZE(ti_forms)];
		size_t form = i % ARRAY_SIZE(ti_forms);
		struct stand *stand = stand_new(row->chip, "20240710");

		assert_true(ti_make_fault(&stand->made, row->fault));
		/* A .bin that is longer than the flash is refused by its reader. */
		if (row->fault == TI_FAULT_BEYOND && form == 0) {
			assert_int_not_equal(check(stand, false), 0);
			stand_free(stand);
			continue;
		}
		if (check_as(stand, form) != OUTCOME_BAD_IMAGE)
			fail_msg("%s %s is taken", row->chip, ti_make_fault_names[row->fault]);
		for (size_t j = 0; j < ARRAY_SIZE(row->says) && row->says[j]; j++)
			expect_says(stand, row->says[j]);
		stand_free(stand);
	}
}

/* Options of a command need not say it, and then nobody knows whether an image is the right one. */
static void without_a_pin_no_image_is_taken(void **state)
{
	static const struct {
		const char *chip, *says;
	} sticks[] = {
		{"cc2652p", "the backdoor pin is DIO15, and which one the stick has is not said"},
		{"cc2538", "the backdoor pin is PA3, and which one the stick has is not said"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sticks); i++) {
		struct stand *stand = stand_new(sticks[i].chip, "20240710");

		stand->board.has_backdoor_pin = false;
		stand->board.backdoor_pin = 0;
		assert_int_equal(check(stand, true), OUTCOME_BAD_IMAGE);
		expect_says(stand, sticks[i].says);
		expect_says(stand, "--backdoor-pin");
		stand_free(stand);
	}
}

/* The chip's own debug port is not known before it is read. */
static void what_only_the_stick_can_say_is_not_asked_of_the_file(void **state)
{
	struct stand *stand = stand_new("cc2652p", "20240710");

	(void)state;
	assert_true(ti_make_fault(&stand->made, TI_FAULT_DEBUG_CLOSED));
	assert_int_equal(check(stand, true), 0);
	stand_free(stand);
}

static void ti_check_03_an_image_for_another_flash_is_refused(void **state)
{
	static const struct {
		const char *image, *chip, *says;
	} pairs[] = {
		{"cc2652p7", "cc2652p", "bytes at 0x000affa8, outside the flash of 360448 bytes"},
		{"cc2652p", "cc2652p7",
			"CCFG at 0xaffa8: the image has none there, and ends at 0x58000"},
		{"cc1310", "cc2652p",
			"CCFG at 0x57fa8: the image has none there, and ends at 0x20000"},
		{"cc2538", "cc2652p", "outside the flash"},
		{"cc2652p", "cc2538", "outside the flash"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct stand *stand = stand_new(pairs[i].image, "20240710");

		free(stand->names[0]);
		stand->names[0] = strdup(pairs[i].chip);
		assert_int_equal(check(stand, true), OUTCOME_BAD_IMAGE);
		expect_says(stand, pairs[i].says);
		stand_free(stand);
	}
}

static void the_cap_array_is_compared_where_the_rule_says_it(void **state)
{
	struct stand *stand = stand_new("cc2652p", "20240710");

	(void)state;
	assert_true(ti_make_fault(&stand->made, TI_FAULT_CAP_ARRAY));
	assert_int_equal(check(stand, true), 0);
	stand->board.has_cap_array = true;
	stand->board.cap_array = 0xC1;
	assert_int_equal(check(stand, true), OUTCOME_BAD_IMAGE);
	expect_says(stand,
		"CCFG MODE_CONF at 0x57fb5: XOSC_CAPARRAY_DELTA is 0xfa, and `cap-array` of the rule wants 0xc1");
	stand->board.cap_array = 0xFA;
	assert_int_equal(check(stand, true), 0);
	stand_free(stand);
}

/* A rule may be wrong too: on a part with these pins nobody can ever reach such a backdoor. */
static void a_pin_of_the_serial_line_is_refused_whatever_the_rule_wants(void **state)
{
	static const struct {
		const char *words[2];
		bool is_refused;
	} words[] = {
		{{"cc2652p"}, true}, {{"CC2652P1F"}, true}, {{"cc1352p"}, true},
		{{"cc2652p7"}, false}, /* another flash, see below */
		{{"cc2652r"}, false}, {{"cc2652rb", "cc2652p"}, true},
		{{"0xBB41"}, false}, /* which part it is, is not said */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		bool is_x7 = strcmp(words[i].words[0], "cc2652p7") == 0;
		struct stand *stand = stand_new(is_x7 ? "cc2652p7" : "cc2652p", "20240710");

		free(stand->names[0]);
		for (size_t j = 0; j < 2; j++)
			stand->names[j] = words[i].words[j] ? strdup(words[i].words[j]) : NULL;
		stand->board.n_chip = words[i].words[1] ? 2 : 1;
		stand->board.backdoor_pin = 13;
		assert_true(ti_make_fault(&stand->made, TI_FAULT_PIN));
		if (words[i].is_refused || is_x7) {
			assert_int_equal(check(stand, true), OUTCOME_BAD_IMAGE);
			expect_says(stand, "is a pin of the serial line");
			expect_says(stand, "correct `backdoor-pin` of the rule");
		} else {
			assert_int_equal(check(stand, true), 0);
		}
		stand_free(stand);
	}
}

/* ------------------------------------------------------------------ smaller parts of the CC2538 */

static void a_cc2538_has_its_cca_at_the_end_of_its_own_flash(void **state)
{
	static const struct {
		uint32_t kib;
		const char *word;
		bool is_good;
	} parts[] = {
		{512, "cc2538", true},
		{256, "cc2538", true},
		{128, "cc2538", true},
		{64, "cc2538", false},
		{384, "cc2538", false},
		{512, "cc2538sf53", true},
		{256, "cc2538sf53", false},
		{256, "cc2538nf23", true},
		{512, "cc2538sf23", false},
		{128, "cc2538nf11", true},
		{256, "cc2538nf11", false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(parts); i++) {
		struct stand *stand = stand_38(parts[i / 2].kib * 1024, parts[i / 2].word);
		int r = check(stand, i % 2);
		struct chip_range start;

		if (r != (parts[i / 2].is_good ? 0 : OUTCOME_BAD_IMAGE))
			fail_msg("%u KiB for a %s: %s", parts[i / 2].kib, parts[i / 2].word,
				stand->reason.text);
		start = cc13xx_find_start(chip_of(stand), &stand->image);
		if (r == 0)
			assert_int_equal(start.start, 0x200000 + parts[i / 2].kib * 1024 - 44);
		else
			expect_says(stand, "CCA at 0x");
		stand_free(stand);
	}
}

/* ------------------------------------------------------------------ fields */

static struct ccfg record_of(struct stand *stand)
{
	assert_int_equal(check(stand, true), 0);
	return cc13xx_ccfg(chip_of(stand), &stand->image);
}

static void fields_are_where_the_manual_has_them(void **state)
{
	struct stand *stand = stand_new("cc2652p", "20240710");
	struct ccfg ccfg = record_of(stand);
	char shown[CCFG_PIN_SHOWN];
	uint32_t vectors = 1;
	uint8_t cap;

	(void)state;
	assert_int_equal(ccfg.address, 0x57FA8);
	assert_int_equal(ccfg_pin(&ccfg), 15);
	assert_false(ccfg_is_high(&ccfg));
	assert_string_equal(ccfg_show_pin(ccfg.row, 15, shown), "DIO15");
	assert_true(ccfg_cap_array(&ccfg, &cap));
	assert_int_equal(cap, 0xC1);
	assert_int_equal(ccfg_ieee_address(&ccfg), 0x57FC8);
	assert_int_equal(ccfg_valid_address(&ccfg), 0x57FEC);
	assert_true(ccfg_starts(&ccfg, 0x58000, &vectors));
	assert_int_equal(vectors, 0);
	/* Delivery values, and addresses that are none. */
	memset(ccfg.bytes + TI_CCFG_IMAGE_VALID, 0xFF, 4);
	assert_false(ccfg_starts(&ccfg, 0x58000, &vectors));
	memcpy(ccfg.bytes + TI_CCFG_IMAGE_VALID, (const uint8_t[]){0x00, 0x80, 0x05, 0x00}, 4);
	assert_false(ccfg_starts(&ccfg, 0x58000, &vectors));
	memcpy(ccfg.bytes + TI_CCFG_IMAGE_VALID, (const uint8_t[]){0x10, 0x00, 0x00, 0x00}, 4);
	assert_false(ccfg_starts(&ccfg, 0x58000, &vectors));
	assert_string_equal(ccfg_name(ccfg.row, 0x00), "CCFG EXT_LF_CLK");
	assert_string_equal(ccfg_name(ccfg.row, 0x0D), "CCFG MODE_CONF");
	assert_string_equal(ccfg_name(ccfg.row, 0x27), "CCFG IEEE_MAC_1");
	assert_string_equal(ccfg_name(ccfg.row, 0x33), "CCFG BL_CONFIG");
	assert_string_equal(ccfg_name(ccfg.row, 0x34), "CCFG ERASE_CONF");
	assert_string_equal(ccfg_name(ccfg.row, 0x42), "CCFG TAP_DAP_1");
	assert_string_equal(ccfg_name(ccfg.row, 0x44), "CCFG IMAGE_VALID_CONF");
	assert_string_equal(ccfg_name(ccfg.row, 0x57), "CCFG PROT_127_96");
	stand_free(stand);
	stand = stand_new("cc2538", "20240710");
	ccfg = record_of(stand);
	assert_int_equal(ccfg.address, 0x27FFD4);
	assert_int_equal(ccfg_pin(&ccfg), 3);
	assert_false(ccfg_is_high(&ccfg));
	assert_string_equal(ccfg_show_pin(ccfg.row, 3, shown), "PA3");
	assert_false(ccfg_cap_array(&ccfg, &cap));
	assert_int_equal(ccfg_ieee_address(&ccfg), 0x27FFCC);
	assert_int_equal(ccfg_valid_address(&ccfg), 0x27FFD8);
	assert_true(ccfg_starts(&ccfg, 0x80000, &vectors));
	assert_int_equal(vectors, 0x200000);
	assert_string_equal(ccfg_name(ccfg.row, 0x03), "CCA BOOTLOADER_CONFIG");
	assert_string_equal(ccfg_name(ccfg.row, 0x04), "CCA IMAGE_VALID");
	assert_string_equal(ccfg_name(ccfg.row, 0x08), "CCA VECTOR_TABLE");
	assert_string_equal(ccfg_name(ccfg.row, 0x2B), "CCA LOCK_BITS");
	stand_free(stand);
}

static void a_write_clears_bits_alone(void **state)
{
	struct stand *stand = stand_new("cc2652p", "20240710");
	const struct ccfg wanted = record_of(stand);
	struct ccfg now = wanted;

	(void)state;
	assert_int_equal(ccfg_find_unreachable(&now, &wanted), TI_CCFG_SIZE);
	/* Delivery values: C5FFFFFF, and the debug port open. */
	memset(now.bytes, 0xFF, sizeof(now.bytes));
	now.bytes[0x33] = 0xC5;
	for (size_t i = 0; i < 3; i++)
		now.bytes[0x3C + i] = now.bytes[0x40 + i] = 0xC5;
	assert_int_equal(ccfg_find_unreachable(&now, &wanted), TI_CCFG_SIZE);
	/* ti-bsl.md 5.2: pin 0D, of which no write makes 0F. */
	now.bytes[0x31] = 0x0D;
	assert_int_equal(ccfg_find_unreachable(&now, &wanted), 0x31);
	now.bytes[0x31] = 0xFF;
	now.bytes[0x57] = 0x7F;
	assert_int_equal(ccfg_find_unreachable(&now, &wanted), 0x57);
	stand_free(stand);
}

static void what_is_open_of_the_debug_port_stays_open(void **state)
{
	struct stand *stand = stand_new("cc2652p", "20240710");
	const struct ccfg now = record_of(stand);
	struct ccfg other = now;

	(void)state;
	assert_int_equal(ccfg_check_debug(&other, &now, &stand->reason), 0);
	/* What is closed may be opened. */
	other.bytes[0x3C] = 0xC5;
	assert_int_equal(ccfg_check_debug(&other, &now, &stand->reason), 0);
	other.bytes[0x3E] = 0x00;
	assert_int_equal(ccfg_check_debug(&other, &now, &stand->reason), IMAGE_REFUSED);
	expect_says(stand,
		"CCFG TAP_DAP_0 at 0x57fe6: the byte is 0x00, and 0xc5 is wanted, as the stick has it");
	stand_free(stand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_images_are_taken),
		cmocka_unit_test(sectors_of_filling_are_none_of_the_image),
		cmocka_unit_test(ti_check_01_02_03_each_fault_is_refused_before_the_reset),
		cmocka_unit_test(without_a_pin_no_image_is_taken),
		cmocka_unit_test(what_only_the_stick_can_say_is_not_asked_of_the_file),
		cmocka_unit_test(ti_check_03_an_image_for_another_flash_is_refused),
		cmocka_unit_test(the_cap_array_is_compared_where_the_rule_says_it),
		cmocka_unit_test(a_pin_of_the_serial_line_is_refused_whatever_the_rule_wants),
		cmocka_unit_test(a_cc2538_has_its_cca_at_the_end_of_its_own_flash),
		cmocka_unit_test(fields_are_where_the_manual_has_them),
		cmocka_unit_test(a_write_clears_bits_alone),
		cmocka_unit_test(what_is_open_of_the_debug_port_stays_open),
	};

	return cmocka_run_group_tests(tests, load_shipped, drop_shipped);
}
