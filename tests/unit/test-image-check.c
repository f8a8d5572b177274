/* SPDX-License-Identifier: MIT */
/* test-image-check.c - an image and the place that a rule gives it, with a chip and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/outcome.h"
#include "chip/chips.h"
#include "chip/family.h"
#include "flash/image-check.h"
#include "unit/rows.h"

struct fit_row {
	const char *name;
	const char *rule;
	uint32_t start, size; /* of the image */
	uint32_t reset;	      /* its reset vector */
	int result;
	const char *reason;
	const char *other; /* also in the reason */
};

#define FILE_RULE "protocol = ymodem\naddress = 0x08004000\n"
#define CHIP_RULE "chip = 0x410\naddress = 0x08004000\n"

static const struct fit_row fit_rows[] = {
	{"fit: as it should be", FILE_RULE, 0x08004000, 4096, 0x08004101, 0, NULL, NULL},
	{"fit: a loader in the ROM, an application behind another loader", CHIP_RULE, 0x08004000,
		4096, 0x08004101, 0, NULL, NULL},
	{"fit: linked for the start of the flash", FILE_RULE, 0x08004000, 4096, 0x08000101,
		OUTCOME_BAD_IMAGE, "0x08000101", "0x08004000"},
	{"fit: the same with a chip", CHIP_RULE, 0x08004000, 4096, 0x08000101, OUTCOME_BAD_IMAGE,
		"0x08000101", "0x08004000"},
	{"fit: linked for behind the image", FILE_RULE, 0x08004000, 4096, 0x08005001,
		OUTCOME_BAD_IMAGE, "0x08005001", "0x08004fff"},
	{"fit: linked elsewhere, and wanted so", FILE_RULE "vector-table = ignore", 0x08004000,
		4096, 0x08000101, 0, NULL, NULL},
	{"fit: below the address", FILE_RULE, 0x08003FFC, 4096, 0x08004101, OUTCOME_BAD_IMAGE,
		"0x08003ffc", "0x08004000"},
	{"fit: below the address, with a chip", CHIP_RULE, 0x08000000, 0x5000, 0x08004101,
		OUTCOME_BAD_IMAGE, "0x08000000", "0x08004000"},
	{"fit: just the room", FILE_RULE "size = 4K", 0x08004000, 4096, 0x08004101, 0, NULL, NULL},
	{"fit: a byte more than the room", FILE_RULE "size = 4K", 0x08004000, 4097, 0x08004101,
		OUTCOME_BAD_IMAGE, "4096", "0x08005000"},
	{"fit: a byte more than the room, from the start of the chip's flash on",
		"chip = 0x410\nsize = 4K", 0x08000000, 4097, 0x08000101, OUTCOME_BAD_IMAGE, "4096",
		"0x08000000"},
	{"fit: just the room, from the start of the chip's flash on", "chip = 0x410\nsize = 4K",
		0x08000000, 4096, 0x08000101, 0, NULL, NULL},
	{"fit: a byte more than the room, from the first of the file on",
		"protocol = xmodem\nsize = 4K", 0, 4097, 0x12345678, OUTCOME_BAD_IMAGE, "4096",
		"0x00001000"},
	{"fit: in a range to keep", FILE_RULE "keep = 0x08004800+1K", 0x08004000, 4096, 0x08004101,
		OUTCOME_BAD_IMAGE, "0x08004800", "keep"},
	{"fit: beside a range to keep", FILE_RULE "keep = 0x08005000+1K", 0x08004000, 4096,
		0x08004101, 0, NULL, NULL},
	{"fit: a file with addresses, no vectors where it begins", "protocol = xmodem", 0, 4096,
		0x12345678, OUTCOME_BAD_IMAGE, "0x12345678", "even"},
	{"fit: a file with addresses, and vectors where it begins", "protocol = xmodem", 0x08002000,
		4096, 0x08002101, 0, NULL, NULL},
	{"fit: a file with addresses, linked elsewhere", "protocol = xmodem", 0x08002000, 4096,
		0x08000101, OUTCOME_BAD_IMAGE, "0x08000101", "0x08002000"},
	{"fit: nothing to keep there", "chip = 0x410\nkeep = 0x0801FC00+1K 0x0810000+1K",
		0x08000000, 4096, 0x08000101, OUTCOME_BAD_CONFIG, "0x00810000",
		"nothing would be kept"},
	{"fit: nothing to keep behind the flash", "chip = 0x410\nkeep = 0x08020000+1K", 0x08000000,
		4096, 0x08000101, OUTCOME_BAD_CONFIG, "0x08020000", "nothing would be kept"},
	{"fit: to keep on one of two chips", "chip = 0x410 0x414\nkeep = 0x08020000+1K", 0x08000000,
		4096, 0x08000101, 0, NULL, NULL},
	{"fit: outside of the chip", "chip = 0x410", 0x08000000, 129 * 1024, 0x08000101,
		OUTCOME_BAD_IMAGE, "outside", NULL},
	{"fit: no such chip", "chip = F999", 0x08000000, 4096, 0x08000101, OUTCOME_BAD_CONFIG,
		"the chip table does not know the chip 'F999'", NULL},
	{"fit: a chip of another protocol", "chip = esp32c3", 0x08000000, 4096, 0x08000101,
		OUTCOME_BAD_CONFIG, "the chip 'esp32c3' of rule 'a' is one of protocol = esp",
		"the protocol here is stm32"},
};

static void read_rule(const char *lines, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};
	CLEANUP(freep) char *text = NULL;
	char line[400];

	assert_true(asprintf(&text, "[board a]\nimage = x\n%s\n", lines) > 0);
	assert_int_equal(ini_load_text(&ini, "rule", text, strlen(text), &problems), 0);
	if (config_read_board(&ini, ret, &problems) != 0)
		fail_msg("%s", ini_problem_format(&problems.items[0], line, sizeof(line)));
}

static void an_image_fits_or_not(void **state)
{
	const struct fit_row *row = *state;
	const uint32_t vectors[] = {0x20001000, row->reset};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(freep) uint8_t *bytes = calloc(1, row->size);
	struct segment segment = {row->start, row->size, bytes};
	const struct image image = {.segments = &segment, .n_segments = 1};
	struct chip_table chips = {0};
	struct reason reason = {""};
	struct board board;

	assert_non_null(bytes);
	memcpy(bytes, vectors, sizeof(vectors));
	assert_int_equal(
		chip_table_load(chip_families, "config/chips.ini", NULL, &chips, &problems), 0);
	read_rule(row->rule, &board);
	assert_int_equal(image_check(&board, &chips, &image, &reason), row->result);
	if (row->reason && !strstr(reason.text, row->reason))
		fail_msg("%s", reason.text);
	if (row->other && !strstr(reason.text, row->other))
		fail_msg("%s", reason.text);
	board_done(&board);
	chip_table_done(&chips);
}

/* Raw, so that nothing but the rule says where it belongs; or of a boot loader's own format. */
static const struct {
	const char *rule;
	bool is_package;
	uint32_t reset, nmi;
	int result;
	const char *reason;
} raw_rows[] = {
	{"protocol = xmodem", false, 0x08004101, 0x08004111, 0, NULL},
	{"protocol = ymodem", false, 0x08004101, 0x08004111, 0, NULL},
	{"protocol = ymodem\naddress = 0x08004000", false, 0x08004101, 0, 0, NULL},
	{"protocol = xmodem", false, 0x12345678, 0x9ABCDEF0, OUTCOME_BAD_IMAGE, "set `address`"},
	{"protocol = ymodem", false, 0x12345679, 0x9ABCDEF1, OUTCOME_BAD_IMAGE, "set `address`"},
	{"protocol = ymodem\nvector-table = ignore", false, 0x12345679, 0, 0, NULL},
	{"protocol = ymodem\naddress = 0x08004000", false, 0x12345679, 0, OUTCOME_BAD_IMAGE,
		"0x12345679 as reset vector, which is outside the image"},
	{"protocol = xmodem", true, 0x12345678, 0x9ABCDEF0, 0, NULL},
	{"protocol = xmodem\nmenu = gecko\naddress = 0x08004000", true, 0x12345678, 0, 0, NULL},
	{"protocol = ymodem", true, 0x12345678, 0, OUTCOME_BAD_IMAGE, "protocol = xmodem"},
	{"chip = 0x410", true, 0x08000101, 0, OUTCOME_BAD_IMAGE, "menu = gecko"},
	{"protocol = ymodem\nvector-table = ignore", true, 0x12345678, 0, 0, NULL},
};

static void case_06_a_raw_file_needs_vectors_or_a_rule_that_says_so(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(raw_rows); i++) {
		const uint32_t vectors[] = {0x20001000, raw_rows[i].reset, raw_rows[i].nmi};
		uint8_t bytes[4096] = {0};
		uint32_t start = strstr(raw_rows[i].rule, "address") ? 0x08004000 : 0;
		struct segment segment = {start, sizeof(bytes), bytes};
		struct image image = {.segments = &segment, .n_segments = 1, .format = "GBL"};
		CLEANUP(ini_problems_done) struct ini_problems problems = {0};
		struct chip_table chips = {0};
		struct reason reason = {""};
		struct board board;
		int r;

		image.is_raw = !raw_rows[i].is_package;
		image.is_package = raw_rows[i].is_package;
		memcpy(bytes, vectors, sizeof(vectors));
		assert_int_equal(
			chip_table_load(chip_families, "config/chips.ini", NULL, &chips, &problems),
			0);
		read_rule(raw_rows[i].rule, &board);
		r = image_check(&board, &chips, &image, &reason);
		if (r != raw_rows[i].result)
			fail_msg("row %zu: %d, '%s'", i, r, reason.text);
		if (raw_rows[i].reason && !strstr(reason.text, raw_rows[i].reason))
			fail_msg("row %zu: '%s'", i, reason.text);
		board_done(&board);
		chip_table_done(&chips);
	}
}

/* A file has no gaps: what lies far apart would be sent as megabytes of 0xFF. */
static void fault_43_a_huge_gap_is_no_file(void **state)
{
	uint8_t bytes[16] = {0};
	struct segment segments[] = {{0x08004000, sizeof(bytes), bytes}, {0x0FFFFFF0, 16, bytes}};
	const struct image image = {.segments = segments, .n_segments = 2};
	static const char *const rules[] = {"protocol = xmodem",
		"protocol = ymodem\naddress = 0x08004000\nvector-table = ignore"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct chip_table chips = {0};
		struct reason reason = {""};
		struct board board;

		read_rule(rules[i], &board);
		assert_int_equal(image_check(&board, &chips, &image, &reason), OUTCOME_BAD_IMAGE);
		assert_non_null(strstr(reason.text, "0x0fffffff"));
		assert_non_null(strstr(reason.text, "0x08004000"));
		board_done(&board);
	}
}

/* Faults 29 and 35: a file is bounded before it is read, whether a chip is known or not. */
static void fault_35_there_is_always_a_limit(void **state)
{
	static const struct {
		const char *rule;
		uint32_t address, most;
	} rows[] = {
		{"protocol = ymodem", 0, 16 * 1024 * 1024},
		{"protocol = ymodem\naddress = 0x08004000\nsize = 48K", 0x08004000, 48 * 1024},
		{"chip = 0x410", 0x08000000, 128 * 1024},
	};
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	struct chip_table chips = {0};

	(void)state;
	assert_int_equal(
		chip_table_load(chip_families, "config/chips.ini", NULL, &chips, &problems), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct image_options options = {0};
		struct reason reason = {""};
		struct board board;

		read_rule(rows[i].rule, &board);
		assert_int_equal(image_check_options(&board, &chips, &options, &reason), 0);
		assert_int_equal(options.address, rows[i].address);
		assert_int_equal(options.max_bytes, rows[i].most);
		board_done(&board);
	}
	chip_table_done(&chips);
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, fit_rows, an_image_fits_or_not);
	ADD_TEST(tests, n_tests, case_06_a_raw_file_needs_vectors_or_a_rule_that_says_so);
	ADD_TEST(tests, n_tests, fault_43_a_huge_gap_is_no_file);
	ADD_TEST(tests, n_tests, fault_35_there_is_always_a_limit);
	return RUN_TESTS("fit", tests, n_tests);
}
