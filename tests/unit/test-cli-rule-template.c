/* SPDX-License-Identifier: MIT */
/*
 * What `list` prints to paste is read by the configuration's own parser and fits the bridge it was
 * made of, whatever the descriptors hold. The command's objects are in no archive: its files are
 * part of this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/circuits.c"
#include "cli/rule-template.c"
#include "cli/units.c"
#include "rules/match.h"

static const struct {
	const char *name;
	const char *product, *serial, *path;
	bool has_own_serial;
} bridges_to_paste[] = {
	{"plain", "CP2102 USB to UART Bridge Controller", "0001", "pci-0000:00:14.0-usb-0:1:1.0",
		false},
	{"own serial", "gate controller", "A1-0042", "pci-0000:00:14.0-usb-0:1:1.0", true},
	{"no strings", NULL, NULL, NULL, false},
	{"a place alone", NULL, NULL, "pci-0000:00:14.0-usb-0:1:1.0", false},
	{"glob characters", "a*b?c[d]e\\f", "[!x]", "p", true},
	{"comment characters", "left ; right # more", "# 1", "; p", true},
	{"blanks at the ends", " gate ", "  ", "p ", true},
	{"only a blank", " ", "1", "p", true},
	{"fault 65: control characters", "a\nb\r\tc\x7f\x01", "\n[board x]", "p", true},
	{"fault 65: format and quotes", "%n%s\"'`$(reboot)", "../../etc", "p", true},
	{"fault 65: not UTF-8", "\xff\xfe gate \xc3", "\x80", "p", true},
	{"fault 65: invisible and turned around", "A\xE2\x80\x8B\xE2\x80\xAE", "\xF3\xA0\x81\x81",
		"p", true},
	{"UTF-8", "Türsteuerung 門", "ü", "p", true},
	{"heading and equals", "[board x]", "a = b", "p", true},
	{"fault 65: longer than a line may be",
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789012345678901234567890123456789012345678901234567890123456789",
		"1", "p", true},
};

/* Takes the comments in that narrow the rule. */
static void uncomment(char *text)
{
	char *at;

	while ((at = strstr(text, "# serial = ")) || (at = strstr(text, "# path = ")) ||
		(at = strstr(text, "# slot = ")))
		memmove(at, at + 2, strlen(at + 2) + 1);
}

static int write_new(const struct facts *facts, const char *slot, bool has_own_serial, FILE *to)
{
	return rule_template_write(&(struct rule_template){.facts = facts,
					   .slot = slot,
					   .name = "new-1",
					   .has_own_serial = has_own_serial},
		to);
}

static void paste_and_read(const struct facts *facts, const char *slot, bool has_own_serial,
	bool is_narrow, struct board *ret)
{
	CLEANUP(ini_done) struct ini ini = {0};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *to = open_memstream(&text, &n_text);

	assert_non_null(to);
	assert_int_equal(write_new(facts, slot, has_own_serial, to), 0);
	fclose(to);
	assert_non_null(strstr(text, "#     plugflash probe -p ttyUSB7 --wiring auto\n"));
	assert_non_null(strstr(text, "`plugflash setup -p ttyUSB7`"));
	if (is_narrow) {
		uncomment(text);
		n_text = strlen(text);
	}
	print_message("%s", text_is_utf8(text, n_text) ? "" : "# not UTF-8\n");
	assert_int_equal(ini_load_text(&ini, "pasted", text, n_text, &problems), 0);
	assert_int_equal(config_read_board(&ini, ret, &problems), 0);
	assert_int_equal(problems.n_items, 0);
}

/* What stands there for other chips is a rule once it is taken in, in the place of the lines above
 * it. */
static void the_lines_for_other_chips_make_a_rule(void **state)
{
	static const struct {
		const char *begin, *chip, *image;
		enum board_protocol protocol;
	} rows[] = {
		{"# protocol = esp\n", "esp32", "firmware-*/flasher_args.json", BOARD_PROTOCOL_ESP},
		{"# protocol = bsl\n", "cc2652p", "firmware-*.hex", BOARD_PROTOCOL_BSL},
	};
	const struct facts facts = {.port = (char *)"/dev/ttyUSB7", .product = (char *)"CP2102N"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(ini_done) struct ini ini = {0};
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		CLEANUP(board_done) struct board board = {0};
		CLEANUP(freep) char *text = NULL;
		size_t n_text = 0;
		FILE *to = open_memstream(&text, &n_text);
		char *old, *new, *end;

		assert_non_null(to);
		assert_int_equal(write_new(&facts, "", false, to), 0);
		fclose(to);
		old = strstr(text, "chip = ");
		new = strstr(text, rows[i].begin);
		assert_true(old && new &&old < new);
		end = strstr(new, "# For ");
		if (end)
			*end = '\0';
		memmove(old, new, strlen(new) + 1);
		for (char *at; (at = strstr(old, "# "));)
			memmove(at, at + 2, strlen(at + 2) + 1);
		assert_int_equal(ini_load_text(&ini, "pasted", text, strlen(text), &problems), 0);
		assert_int_equal(config_read_board(&ini, &board, &problems), 0);
		assert_int_equal(problems.n_items, 0);
		assert_int_equal(board.protocol, rows[i].protocol);
		assert_string_equal(board.chip[0], rows[i].chip);
		assert_string_equal(board.image, rows[i].image);
	}
}

static void paste_all(bool is_narrow)
{
	for (size_t i = 0; i < ARRAY_SIZE(bridges_to_paste); i++) {
		CLEANUP(board_done) struct board board = {0};
		const struct facts facts = {
			.port = (char *)"/dev/ttyUSB7",
			.vendor_id = 0x10C4,
			.product_id = 0xEA60,
			.product = (char *)bridges_to_paste[i].product,
			.serial = (char *)bridges_to_paste[i].serial,
			.usb_path = (char *)bridges_to_paste[i].path,
			.interface = (int)i % 3,
		};
		struct match match;

		print_message("# %s\n", bridges_to_paste[i].name);
		paste_and_read(&facts, "", bridges_to_paste[i].has_own_serial, is_narrow, &board);
		assert_int_equal(match_board(&(struct config){.boards = &board, .n_boards = 1},
					 &facts, &match),
			MATCH_ONE);
		assert_int_equal(board.product != NULL, facts.product != NULL);
		assert_int_equal(board.serial != NULL,
			is_narrow && facts.serial && bridges_to_paste[i].has_own_serial);
		assert_int_equal(
			board.path != NULL, facts.usb_path && (is_narrow || !facts.product));
	}
}

static void test_pasted_rule_fits_all_bridges_of_its_kind(void **state)
{
	(void)state;
	paste_all(false);
}

static void test_its_comments_narrow_it(void **state)
{
	(void)state;
	paste_all(true);
}

/* A socket that has a name is named by it. */
static void test_pasted_rule_names_its_slot(void **state)
{
	static const struct slot slots[] = {{.name = (char *)"A-1.x_9", .path = (char *)"pci-1"}};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool has_product = i & 1, is_narrow = i & 2;
		CLEANUP(board_done) struct board board = {0};
		const struct facts facts = {.port = (char *)"/dev/ttyUSB7",
			.vendor_id = 0x10C4,
			.product_id = 0xEA60,
			.product = has_product ? (char *)"gate" : NULL,
			.usb_path = (char *)"pci-1"};
		struct match match;

		paste_and_read(&facts, "A-1.x_9", false, is_narrow, &board);
		assert_null(board.path);
		assert_int_equal(board.n_slot, is_narrow || !has_product);
		if (board.slot)
			assert_string_equal(board.slot[0], "A-1.x_9");
		assert_int_equal(match_board(&(struct config){.boards = &board,
						     .n_boards = 1,
						     .slots = (struct slot *)slots,
						     .n_slots = 1},
					 &facts, &match),
			MATCH_ONE);
	}
}

/* Globs in a product string do not fit another product. */
static void test_pasted_rule_fits_no_other(void **state)
{
	CLEANUP(board_done) struct board board = {0};
	struct facts facts = {.port = (char *)"/dev/ttyUSB7",
		.vendor_id = 0x10C4,
		.product_id = 0xEA60,
		.product = (char *)"*",
		.interface = 0};
	struct match match;

	(void)state;
	paste_and_read(&facts, "", true, false, &board);
	facts.product = (char *)"anything";
	assert_int_equal(
		match_board(&(struct config){.boards = &board, .n_boards = 1}, &facts, &match),
		MATCH_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pasted_rule_fits_all_bridges_of_its_kind),
		cmocka_unit_test(the_lines_for_other_chips_make_a_rule),
		cmocka_unit_test(test_its_comments_narrow_it),
		cmocka_unit_test(test_pasted_rule_names_its_slot),
		cmocka_unit_test(test_pasted_rule_fits_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
