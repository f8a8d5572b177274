/* SPDX-License-Identifier: MIT */
/* test-assignment.c - what the service writes is what the worker reads, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/outcome.h"
#include "flash/assignment.h"
#include "rows.h"

#define RULE \
	"[board gate]\nchip = 0x414\nimage = gate-*.hex\nwiring = one-key\nbaud = 230400 115200\n"

static void rule_from(const char *text, struct board *ret)
{
	CLEANUP(ini_problems_done) struct ini_problems problems = {0};
	CLEANUP(ini_done) struct ini ini = {0};

	assert_int_equal(ini_load_text(&ini, "test", text, strlen(text), &problems), 0);
	assert_int_equal(config_read_board(&ini, ret, &problems), 0);
}

static void what_is_written_is_read(void **state)
{
	char long_name[1500];
	struct assignment given = {
		.action = FLASH_READ,
		.dry_run = true,
		.port = (char *)"/dev/ttyUSB7",
		.devnum = 0xBC07,
		.accept_legacy_signatures = true,
		.image_dir = (char *)"/images with ; and = # [signs]",
		.image = long_name,
		.version = (char *)"1.2.3",
		.stamp = (char *)"gate 1.2.3.hex 0:1:2:3",
		.sha256 =
			(char *)"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		.chips = (char *)"/usr/share/plugflash/chips.ini",
		.has_unit = true,
		.unit = {4321, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"1.0"},
		.read_address = 0x08001000,
		.read_size = 4096,
	};
	CLEANUP(assignment_done) struct assignment read = {0};
	CLEANUP(freep) char *text = NULL;
	struct reason reason = {""};
	size_t n_text = 0;
	FILE *f = open_memstream(&text, &n_text);

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	rule_from(RULE, &given.board);
	assert_int_equal(assignment_write(&given, f), 0);
	fputs("cancel\n", f);
	fclose(f);

	f = fmemopen(text, n_text, "r");
	assert_int_equal(assignment_read(f, &read, &reason), 0);
	assert_int_equal(read.action, FLASH_READ);
	assert_true(read.dry_run);
	assert_string_equal(read.port, given.port);
	assert_int_equal(read.devnum, given.devnum);
	assert_true(read.accept_legacy_signatures);
	assert_false(read.require_signature);
	assert_string_equal(read.image_dir, given.image_dir);
	assert_string_equal(read.image, given.image);
	assert_string_equal(read.version, given.version);
	assert_string_equal(read.stamp, given.stamp);
	assert_string_equal(read.sha256, given.sha256);
	assert_true(read.has_unit);
	assert_int_equal(read.unit.share, 4321);
	assert_string_equal(read.unit.sha256, given.unit.sha256);
	assert_string_equal(read.unit.version, "1.0");
	assert_string_equal(read.chips, given.chips);
	assert_null(read.chips_dir);
	assert_int_equal(read.read_address, given.read_address);
	assert_int_equal(read.read_size, given.read_size);
	assert_string_equal(read.board.name, "gate");
	assert_int_equal(read.board.baud.n_items, 2);
	assert_int_equal(read.board.baud.items[0], 230400);
	assert_memory_equal(
		read.board.wiring.enters, given.board.wiring.enters, sizeof(struct wiring_steps));
	/* The stream goes on behind the assignment. */
	assert_int_equal(fgetc(f), 'c');
	fclose(f);
	board_done(&given.board);
}

static void a_line_break_in_a_name_is_refused(void **state)
{
	struct assignment given = {
		.port = (char *)"/dev/ttyUSB0",
		.image = (char *)"a\nport /dev/sda",
		.chips = (char *)"chips.ini",
	};
	CLEANUP(freep) char *text = NULL;
	size_t n_text = 0;
	FILE *f = open_memstream(&text, &n_text);

	(void)state;
	rule_from(RULE, &given.board);
	assert_int_equal(assignment_write(&given, f), -EINVAL);
	fclose(f);
	board_done(&given.board);
}

struct bad_text {
	const char *name;
	const char *text;
	int result;
	const char *fragment;
};

static const struct bad_text bad_texts[] = {
	{"nothing at all", "", -EPIPE, ""},
	{"cut off in the head", "action update\nport /dev/ttyUSB0\n", -EPIPE, ""},
	{"cut off in the rule", "port p\nchips c\n\n" RULE, -EPIPE, ""},
	{"an unknown key", "colour blue\n\n" RULE "[end]\n", OUTCOME_BAD_CONFIG, "'colour'"},
	{"a key without value", "port\n\n" RULE "[end]\n", OUTCOME_BAD_CONFIG, "'port'"},
	{"an unknown action", "action explode\n\n" RULE "[end]\n", OUTCOME_BAD_CONFIG, "an action"},
	{"a number that is none", "devnum 12x\n\n" RULE "[end]\n", OUTCOME_BAD_CONFIG,
		"a device number"},
	{"a digest without end",
		"held-sha256 0123456789012345678901234567890123456789012345678901234567890123456789"
		"\n\n" RULE "[end]\n",
		OUTCOME_BAD_CONFIG, "a digest"},
	{"no port", "chips c\n\n" RULE "[end]\n", OUTCOME_BAD_CONFIG, "no port"},
	{"a rule with an unknown key", "port p\nchips c\n\n" RULE "colour = blue\n[end]\n",
		OUTCOME_BAD_CONFIG, "colour"},
};

static void a_bad_text_is_refused(void **state)
{
	const struct bad_text *row = *state;
	CLEANUP(assignment_done) struct assignment read = {0};
	CLEANUP(fclosep) FILE *f = tmpfile();
	struct reason reason = {""};

	fputs(row->text, f);
	rewind(f);
	assert_int_equal(assignment_read(f, &read, &reason), row->result);
	assert_non_null(strstr(reason.text, row->fragment));
	assert_null(read.port);
}

int main(void)
{
	struct CMUnitTest tests[20];
	size_t n_tests = 0;

	ADD_TEST(tests, n_tests, what_is_written_is_read);
	ADD_TEST(tests, n_tests, a_line_break_in_a_name_is_refused);
	ADD_ROWS(tests, n_tests, bad_texts, a_bad_text_is_refused);
	return RUN_TESTS("assignment", tests, n_tests);
}
