/* SPDX-License-Identifier: MIT */
/* test-dialogue.c - texts with escapes, steps, the menus that are built in, and a rule with them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/config.h"
#include "unit/rows.h"

struct text_row {
	const char *name;
	const char *text;
	const char *bytes; /* NULL: refused */
	size_t n_bytes;	   /* 0: strlen() */
};

static const struct text_row text_rows[] = {
	{"text: plain", "BOOT", "BOOT", 0},
	{"text: line end", "BOOT\\r\\n", "BOOT\r\n", 0},
	{"text: every named escape", "\\a\\b\\f\\v\\t\\e\\\\\\\"\\'\\?", "\a\b\f\v\t\x1b\\\"'?", 0},
	{"text: hexadecimal, two digits at most", "\\x1cA\\x7",
		"\x1c"
		"A\x07",
		0},
	{"text: hexadecimal and a digit behind it", "\\x41b", "Ab", 0},
	{"text: octal", "\\101\\0\\60",
		"A\0"
		"0",
		3},
	{"text: Klipper's request", "~ \\x1c Request Serial Bootloader!! ~",
		"~ \x1c Request Serial Bootloader!! ~", 0},
	{"text: empty", "", "", 0},
	{"text: an octal number too large", "\\777", NULL, 0},
	{"text: an escape that is none", "\\q", NULL, 0},
	{"text: no digits", "\\xg", NULL, 0},
	{"text: nothing behind the backslash", "BOOT\\", NULL, 0},
};

static void a_text_becomes_bytes(void **state)
{
	const struct text_row *row = *state;
	struct dialogue_text made = {0};
	int r = dialogue_unescape(row->text, strlen(row->text), &made);

	if (!row->bytes) {
		assert_int_equal(r, -EINVAL);
		assert_null(made.bytes);
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(made.n_bytes, row->n_bytes ? row->n_bytes : strlen(row->bytes));
	assert_memory_equal(made.bytes, row->bytes, made.n_bytes);
	dialogue_text_done(&made);
}

struct steps_row {
	const char *name;
	const char *text;
	const char *steps; /* "s:TEXT e:PATTERN w:MICROSECONDS"; NULL: refused */
};

static const struct steps_row steps_rows[] = {
	{"steps: blanks between", "expect \"BL >\" send \"1\"", "e:BL >|s:1|"},
	{"steps: semicolons between, as one writes them",
		"expect \"1\\\\. upload gbl\"; send \"1\"; expect \"begin upload\"",
		"e:1\\. upload gbl|s:1|e:begin upload|"},
	{"steps: waits", "send \"1\" 100ms expect \"x\" 2s", "s:1|w:100000|e:x|w:2000000|"},
	{"steps: a quote in a text", "send \"a\\\"b\"", "s:a\"b|"},
	{"steps: no blank before the text", "send\"1\"", "s:1|"},
	{"steps: nothing", "", NULL},
	{"steps: no text", "send", NULL},
	{"steps: an empty text", "send \"\"", NULL},
	{"steps: a text without its end", "send \"1", NULL},
	{"steps: a word that is none", "say \"1\"", NULL},
	{"steps: a wait too long", "61s", NULL},
	{"steps: a wait without a unit", "100", NULL},
	{"steps: no pattern", "expect \"[\"", NULL},
	{"steps: seventeen", "1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s", NULL},
};

static void dump(const struct dialogue *dialogue, char *to, size_t size)
{
	to[0] = '\0';
	for (size_t i = 0; i < dialogue->n_items; i++) {
		const struct dialogue_step *step = &dialogue->items[i];
		size_t n = strlen(to);

		if (step->kind == DIALOGUE_WAIT)
			snprintf(to + n, size - n, "w:%u|", (unsigned)step->wait_usec);
		else
			snprintf(to + n, size - n, "%c:%s|",
				step->kind == DIALOGUE_SEND ? 's' : 'e', step->text.bytes);
	}
}

static void a_text_becomes_steps(void **state)
{
	const struct steps_row *row = *state;
	struct dialogue made = {0};
	const char *expected = NULL;
	char shown[400];
	int r = dialogue_parse(row->text, &made, &expected);

	if (!row->steps) {
		assert_int_equal(r, -EINVAL);
		assert_non_null(expected);
		assert_null(made.items);
		return;
	}
	assert_int_equal(r, 0);
	dump(&made, shown, sizeof(shown));
	assert_string_equal(shown, row->steps);
	dialogue_done(&made);
}

/* ST's receiver takes the letter for "abort", wherever it waits. */
static void no_preset_sends_an_a(void **state)
{
	static const char *const names[] = {"st-iap", "gecko"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct dialogue_menu *menu = dialogue_find_menu(names[i]);
		const char *parts[4];

		assert_non_null(menu);
		parts[0] = menu->before;
		parts[1] = menu->after;
		parts[2] = menu->upload;
		parts[3] = menu->start;
		for (size_t j = 0; j < ARRAY_SIZE(parts); j++) {
			struct dialogue made;
			const char *expected;

			if (!parts[j])
				continue;
			assert_int_equal(dialogue_parse(parts[j], &made, &expected), 0);
			for (size_t k = 0; k < made.n_items; k++)
				if (made.items[k].kind == DIALOGUE_SEND)
					assert_null(strpbrk(made.items[k].text.bytes, "aA"));
			dialogue_done(&made);
		}
	}
	assert_null(dialogue_find_menu("none"));
}

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

static void a_preset_leaves_alone_what_the_rule_says(void **state)
{
	static const char *const rules[] = {
		"protocol = ymodem\nmenu = st-iap\nmenu-after = expect \"done\"\n",
		"menu-after = expect \"done\"\nmenu = st-iap\nprotocol = ymodem\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct board board;
		char shown[400];

		read_rule(rules[i], &board);
		dump(&board.menu.after, shown, sizeof(shown));
		assert_string_equal(shown, "e:done|");
		assert_true(board.menu.before.n_items > 0);
		assert_true(board.menu.upload.n_items > 0);
		assert_int_equal(board.start, BOARD_START_GO);
		board_done(&board);
	}
}

static void a_conversation_has_its_defaults(void **state)
{
	struct board board;

	(void)state;
	read_rule("protocol = ymodem", &board);
	assert_int_equal(board.n_chip, 0);
	assert_int_equal(board.transfer.blocks, BOARD_BLOCKS_1024);
	assert_true(board.transfer.closing_header);
	assert_int_equal(board.transfer.erase_usec, 60 * USEC_PER_SEC);
	assert_int_equal(board.transfer.answer_usec, 10 * USEC_PER_SEC);
	assert_int_equal(board.menu.within_usec, 10 * USEC_PER_SEC);
	assert_int_equal(board.menu.before.n_items, 0);
	assert_int_equal(board.verify, PROOF_CONFIRM);
	assert_null(board.confirm.pattern);
	assert_int_equal(board.start, BOARD_START_RESET);
	assert_true(board.has_lines);
	board_done(&board);
	read_rule("protocol = xmodem\nconfirm = ready", &board);
	assert_int_equal(board.transfer.blocks, BOARD_BLOCKS_128);
	assert_string_equal(board.confirm.pattern, "ready");
	assert_int_equal(board.confirm.within_usec, 5 * USEC_PER_SEC);
	assert_int_equal(board.confirm.line.baud, 115200);
	assert_false(board.confirm.line.even_parity);
	board_done(&board);
}

/* Without lines in the rule none is moved, and only the boot loader can start the application. */
static void a_command_leaves_the_lines_alone(void **state)
{
	struct board board;

	(void)state;
	read_rule("chip = 0x410\nentry = command\nentry-command = BOOT\\r", &board);
	assert_int_equal(board.application.command.n_bytes, 5);
	assert_int_equal(board.application.wait_usec, 500 * USEC_PER_MSEC);
	assert_false(board.has_lines);
	assert_int_equal(board.wiring.n_enters, 0);
	assert_int_equal(board.wiring.rest, 0);
	assert_int_equal(board.start, BOARD_START_GO);
	board_done(&board);
	read_rule("chip = 0x410\nentry = command\nentry-command = BOOT\nreset = !dtr\nboot = none\n"
		  "entry-format = 8E1\nentry-baud = 250000\nentry-reply = ^OK$",
		&board);
	assert_true(board.has_lines);
	assert_int_equal(board.wiring.rest, LINE_DTR);
	assert_int_equal(board.start, BOARD_START_RESET);
	assert_true(board.application.line.even_parity);
	assert_int_equal(board.application.line.baud, 250000);
	assert_string_equal(board.application.reply, "^OK$");
	board_done(&board);
}

/* Else an update would end well, and the chip stay in its boot loader. */
static void without_a_line_that_resets_the_boot_loader_starts_the_application(void **state)
{
	static const struct {
		const char *keys;
		enum board_start start;
	} rows[] = {
		{"", BOARD_START_RESET},
		{"reset = !dtr\nboot = none", BOARD_START_RESET},
		{"reset = none\nboot = rts", BOARD_START_GO},
		{"reset = none\nboot = rts\nstart = none", BOARD_START_NONE},
		{"reset = none\nboot = rts\nleave = dtr=0 1ms dtr=1", BOARD_START_RESET},
		{"entry = none", BOARD_START_RESET},
		{"entry = command\nentry-command = BOOT\nreset = none\nboot = rts", BOARD_START_GO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char rule[200];
		struct board board;

		snprintf(rule, sizeof(rule), "chip = 0x410\n%s", rows[i].keys);
		read_rule(rule, &board);
		if (board.start != rows[i].start)
			fail_msg("'%s': %d", rows[i].keys, board.start);
		board_done(&board);
	}
}

int main(void)
{
	struct CMUnitTest tests[60];
	size_t n_tests = 0;

	ADD_ROWS(tests, n_tests, text_rows, a_text_becomes_bytes);
	ADD_ROWS(tests, n_tests, steps_rows, a_text_becomes_steps);
	ADD_TEST(tests, n_tests, no_preset_sends_an_a);
	ADD_TEST(tests, n_tests, a_preset_leaves_alone_what_the_rule_says);
	ADD_TEST(tests, n_tests, a_conversation_has_its_defaults);
	ADD_TEST(tests, n_tests, a_command_leaves_the_lines_alone);
	ADD_TEST(tests, n_tests, without_a_line_that_resets_the_boot_loader_starts_the_application);
	return RUN_TESTS("dialogue", tests, n_tests);
}
