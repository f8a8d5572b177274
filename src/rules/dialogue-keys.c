/* SPDX-License-Identifier: MIT */
/*
 * dialogue-keys.c - the keys about applications, menus and transfers, in two steps.
 *
 * The parse functions read each value alone. dialogue_keys_settle() then looks at all keys of a
 * rule together: it refuses a key that has no effect beside the others (a table of needs, since a
 * setting that is ignored in silence is worse than none), and fills in what follows from them:
 * whether the wiring counts, how the application is started, and the size of blocks.
 */
#include "rules/dialogue-keys.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "rules/pattern.h"
#include "rules/protocol-words.h"

/* Quotes of other formats: an application that says them would be rare. */
static bool is_quoted(const char *value)
{
	size_t n = strlen(value);

	return n > 2 && strchr("\"'", value[0]) && value[n - 1] == value[0] &&
	       !memchr(value + 1, value[0], n - 2);
}

int parse_text(const char *value, void *field, const char **ret_expected)
{
	struct dialogue_text made;
	int r;

	*ret_expected =
		"no quotes around it: they would be sent (\\x22 and \\x27 are quotes that are meant)";
	if (is_quoted(value))
		return -EINVAL;
	r = dialogue_unescape(value, strlen(value), &made);
	*ret_expected = "a text of 1 to 256 bytes with C escapes, like BOOT\\r\\n";
	if (r < 0)
		return r;
	if (made.n_bytes == 0) {
		dialogue_text_done(&made);
		return -EINVAL;
	}
	dialogue_text_done(field);
	*(struct dialogue_text *)field = made;
	return 0;
}

int parse_pattern(const char *value, void *field, const char **ret_expected)
{
	*ret_expected =
		is_quoted(value)
			? "no quotes around it: they would be a part of it (write [\"] or ['] for one that is meant)"
			: pattern_fault(value);
	if (*ret_expected)
		return -EINVAL;
	return ini_parse_string(value, field, ret_expected);
}

int parse_steps(const char *value, void *field, const char **ret_expected)
{
	struct dialogue made;
	int r = dialogue_parse(value, &made, ret_expected);

	if (r < 0)
		return r;
	dialogue_done(field);
	*(struct dialogue *)field = made;
	return 0;
}

/* A preset fills what no key of its own has filled, whichever of them comes first. */
static int take_part(const char *text, struct dialogue *to)
{
	const char *expected;

	return text && to->n_items == 0 ? dialogue_parse(text, to, &expected) : 0;
}

int parse_menu(const char *value, void *field, const char **ret_expected)
{
	const struct dialogue_menu *preset = dialogue_find_menu(value);
	struct board_menu *menu = field;
	int r;

	if (preset) {
		dialogue_done(&menu->before);
		r = take_part(preset->before, &menu->before);
		if (r == 0)
			r = take_part(preset->after, &menu->after);
		if (r == 0)
			r = take_part(preset->upload, &menu->upload);
		if (r == 0)
			r = take_part(preset->start, &menu->start);
		return r;
	}
	r = parse_steps(value, &menu->before, ret_expected);
	if (r == -EINVAL && !strpbrk(value, " \t\""))
		*ret_expected = "st-iap, gecko, or steps like 'expect \"BL >\" send \"1\"'";
	return r;
}

int parse_format(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "8n1 or 8e1";
	if (strcasecmp(value, "8n1") != 0 && strcasecmp(value, "8e1") != 0)
		return -EINVAL;
	*(bool *)field = value[1] == 'e' || value[1] == 'E';
	return 0;
}

void dialogue_keys_set_defaults(struct board *board)
{
	const struct board_line line = {.baud = 115200};

	board->application.line = line;
	board->application.wait_usec = 500 * USEC_PER_MSEC;
	board->menu.within_usec = 10 * USEC_PER_SEC;
	board->transfer.closing_header = true;
	board->transfer.erase_usec = 60 * USEC_PER_SEC;
	board->transfer.answer_usec = 10 * USEC_PER_SEC;
	board->confirm.line = line;
	board->confirm.within_usec = 5 * USEC_PER_SEC;
}

/* ------------------------------------------------------------------ together */

static bool has(const struct ini_section *section, const char *key)
{
	return ini_section_find(section, key) != NULL;
}

/* A key that says nothing unless another one is there, or takes a certain value. */
struct need {
	const char *key;
	bool is_met;
	const char *expected;
};

#define ONLY_FILES   "nothing: only protocol = ymodem or xmodem has a use for it"
#define ONLY_COMMAND "nothing without entry = command"

static int check_needs(
	const struct ini_section *section, const struct board *board, struct ini_problems *problems)
{
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	bool takes_file = protocol->takes_file;
	bool commands = board->entry == BOARD_ENTRY_COMMAND;
	bool asks = has(section, "version-pattern");
	bool speaks = board->applications != 0;
	bool confirms = has(section, "confirm");
	const struct need needs[] = {
		{"entry-command", commands, ONLY_COMMAND},
		{"entry-reply", commands, ONLY_COMMAND},
		{"entry-wait", commands || asks, ONLY_COMMAND},
		{"entry-baud", commands || asks || speaks, ONLY_COMMAND},
		{"entry-format", commands || asks, ONLY_COMMAND},
		{"chip", !takes_file,
			"nothing: take the key out, as a loader that takes files does not say its chip"},
		{"stub", !takes_file, "nothing: only protocol = stm32 has such a program"},
		{"bursts", !takes_file,
			"nothing: only protocol = stm32 has blocks that could be sent so"},
		{"readout-protection", !takes_file,
			"nothing: a loader that takes files cannot tell or change it"},
		{"serialize", !takes_file,
			"nothing: a loader that takes files does not say which unit it is on"},
		{"keep", !takes_file || board->has_address,
			"nothing without address: where the loader puts the image is not known"},
		{"menu", takes_file, ONLY_FILES},
		{"menu-after", takes_file, ONLY_FILES},
		{"menu-upload", protocol->sends_back,
			"nothing: only protocol = ymodem can receive the flash again"},
		{"menu-start", takes_file, ONLY_FILES},
		{"menu-within", takes_file, ONLY_FILES},
		{"block-size", takes_file, ONLY_FILES},
		{"closing-header", protocol->has_headers,
			"nothing: only protocol = ymodem has headers"},
		{"erase-within", takes_file, ONLY_FILES},
		{"answer-within", takes_file, ONLY_FILES},
		{"accept-unverified", protocol->has_unverified,
			"nothing: only what protocol = ymodem or xmodem wrote cannot be read back"},
		{"version-pattern", takes_file,
			protocol->page_bytes > 0
				? "nothing: with protocol = esp the chip computes a digest of what it holds"
			: protocol->has_ccfg
				? "nothing: with protocol = bsl the chip computes a CRC of what it holds"
				: "nothing: protocol = stm32 reads back what the chip holds"},
		{"version-query", asks, "nothing without version-pattern"},
		{"confirm", board->start != BOARD_START_NONE,
			"nothing: start = none starts no application that could say something"},
		{"confirm-query", confirms, "nothing without confirm"},
		{"confirm-within", confirms || speaks, "nothing without confirm"},
		{"confirm-baud", confirms || speaks, "nothing without confirm"},
		{"confirm-format", confirms, "nothing without confirm"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (!needs[i].is_met && has(section, needs[i].key) &&
			ini_section_expect(section, needs[i].key, needs[i].expected, problems) < 0)
			return -ENOMEM;
	return 0;
}

int dialogue_keys_settle(
	const struct ini_section *section, struct board *board, struct ini_problems *problems)
{
	static const char *const lines[] = {"wiring", "reset", "boot", "enter", "leave"};
	const struct ini_entry *reset = ini_section_find(section, "reset");
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	bool is_told =
		board->entry == BOARD_ENTRY_COMMAND || board->entry == BOARD_ENTRY_APPLICATION;
	bool resets, is_named = false;
	int r = 0;

	if (board->entry == BOARD_ENTRY_COMMAND && !has(section, "entry-command"))
		r = ini_section_expect(
			section, "entry-command", "what to send to the application", problems);
	if (r == 0)
		r = check_needs(section, board, problems);
	if (r < 0)
		return r;
	/*
	 * Where the application is told, lines are there only where the rule says so: else they
	 * stay at rest.
	 */
	board->has_lines = board->entry == BOARD_ENTRY_LINES;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		is_named = is_named || has(section, lines[i]);
		if (is_told && has(section, lines[i]))
			board->has_lines = true;
	}
	if (is_told && !board->has_lines)
		board->wiring = (struct wiring){0};
	/*
	 * A stick whose application has hardware flow control sends only while RTS is asserted, as
	 * it is with every program that uses one: so both are left as the kernel raises them.
	 */
	if (board->applications != 0 && board->entry != BOARD_ENTRY_LINES && !is_named)
		board->wiring.rest = LINE_DTR | LINE_RTS;
	/*
	 * Without a line that resets, only the boot loader itself can start the application. A hand
	 * that leads into the boot loader resets, too, and is needed where that loader starts none.
	 */
	resets = board->entry == BOARD_ENTRY_NONE ||
		 (board->has_lines &&
			 (!reset || strcmp(reset->value, "none") != 0 || has(section, "leave")));
	/* The ROM of a stick whose button was held starts the application upon its RESET. */
	if (board->entry == BOARD_ENTRY_NONE && protocol->has_ccfg)
		resets = false;
	if (!has(section, "start"))
		board->start =
			(resets && board->menu.start.n_items == 0) || protocol->page_bytes > 0
				? BOARD_START_RESET
				: BOARD_START_GO;
	if (!has(section, "block-size"))
		board->transfer.blocks = protocol->blocks;
	return 0;
}
