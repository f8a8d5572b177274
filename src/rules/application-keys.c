/* SPDX-License-Identifier: MIT */
#include "rules/application-keys.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "rules/dialogue-keys.h"
#include "rules/protocol-words.h"

static const char *const names[APPLICATION_PROTOCOL_MAX] = {
	[APPLICATION_CPC] = "cpc",
	[APPLICATION_EZSP] = "ezsp",
	[APPLICATION_SPINEL] = "spinel",
	[APPLICATION_ZWAVE] = "zwave",
	[APPLICATION_MT] = "mt",
};

const char *application_protocol_to_string(enum application_protocol protocol)
{
	return names[protocol];
}

char *application_protocols_list(unsigned applications, char *to, size_t size)
{
	size_t used = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < APPLICATION_PROTOCOL_MAX && used < size; i++) {
		unsigned rest = applications >> i;
		int n;

		if (!(rest & 1))
			continue;
		n = snprintf(to + used, size - used, "%s%s",
			used == 0   ? ""
			: rest == 1 ? " or "
				    : ", ",
			names[i]);
		used += n > 0 ? (size_t)n : 0;
	}
	return to;
}

/* The bit of the word, 0: it is none. */
static unsigned bit_of(const char *word)
{
	for (unsigned i = 0; i < APPLICATION_PROTOCOL_MAX; i++)
		if (strcmp(names[i], word) == 0)
			return 1u << i;
	return 0;
}

/* TI's has no command for it. */
#define LEADS_NOWHERE (1u << APPLICATION_MT)

bool application_protocol_leads(const char *word)
{
	return bit_of(word) & ~LEADS_NOWHERE;
}

/* 0, -ENOMEM, or -EINVAL: a word is none of them, or there is none. */
static int take_protocols(const char *value, unsigned *ret)
{
	char **words CLEANUP(parse_list_freep) = NULL;
	unsigned found = 0;
	size_t n;

	if (parse_list(value, &words, &n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		unsigned bit = bit_of(words[i]);

		if (bit == 0)
			return -EINVAL;
		found |= bit;
	}
	if (found == 0)
		return -EINVAL;
	*ret = found;
	return 0;
}

int parse_entry(const char *value, void *field, const char **ret_expected)
{
	static const char *const ways[] = {
		[BOARD_ENTRY_LINES] = "lines",
		[BOARD_ENTRY_COMMAND] = "command",
		[BOARD_ENTRY_NONE] = "none",
	};
	struct board *board = field;
	unsigned applications = 0;
	int r;

	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(ways[i], value) == 0) {
			board->entry = (enum board_entry)i;
			return 0;
		}
	*ret_expected =
		"lines, command, none, or one or more of ezsp, cpc, spinel and zwave, which the application speaks";
	r = take_protocols(value, &applications);
	if (r < 0)
		return r;
	if (applications & LEADS_NOWHERE) {
		*ret_expected =
			"lines, and application = mt beside it: an application that speaks mt has no command that leads into the boot loader";
		return -EINVAL;
	}
	board->entry = BOARD_ENTRY_APPLICATION;
	board->applications = applications;
	return 0;
}

int parse_applications(const char *value, void *field, const char **ret_expected)
{
	*ret_expected = "one or more of ezsp, cpc, spinel, zwave and mt";
	return take_protocols(value, field);
}

static bool has(const struct ini_section *section, const char *key)
{
	return ini_section_find(section, key) != NULL;
}

#define RUNS_ON_TI (1u << APPLICATION_MT | 1u << APPLICATION_SPINEL)

#define SAYS_IT	   "nothing beside `application`, or an `entry` by one: its own protocol says that"

static int check_together(
	const struct ini_section *section, const struct board *board, struct ini_problems *problems)
{
	const struct protocol_word *protocol = protocol_word_of(board->protocol);
	bool is_entry = board->entry == BOARD_ENTRY_APPLICATION, speaks = board->applications != 0;
	const struct {
		bool is_wrong;
		const char *key, *expected;
	} rows[] = {
		{is_entry && has(section, "application"), "application",
			"nothing beside such an `entry`, which says it already"},
		{is_entry && !protocol->takes_packages, "entry",
			"lines or none, or protocol = xmodem beside it: these applications lead into the Gecko boot loader, which takes a file by XMODEM"},
		{protocol->has_ccfg && board->applications & ~RUNS_ON_TI, "application",
			"mt, or spinel of a Thread radio: a chip of TI, which protocol = bsl is for, speaks nothing else"},
		{speaks && board->entry == BOARD_ENTRY_COMMAND, "application",
			"nothing beside entry = command: an application takes commands as text or in a protocol"},
		{speaks, "version-pattern", SAYS_IT},
		{speaks, "confirm", SAYS_IT},
		{speaks && board->start == BOARD_START_NONE, "start",
			"reset or go: the application is asked once it was started"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++)
		if (rows[i].is_wrong && has(section, rows[i].key))
			r = ini_section_expect(section, rows[i].key, rows[i].expected, problems);
	return r;
}

int application_keys_settle(
	const struct ini_section *section, struct board *board, struct ini_problems *problems)
{
	const char *ignored;

	board->application.has_baud = has(section, "entry-baud");
	board->confirm.has_baud = has(section, "confirm-baud");
	/* The only boot loader that such an application leads into, or lives beside. */
	if (protocol_word_of(board->protocol)->takes_packages &&
		board->applications & ~LEADS_NOWHERE && !has(section, "menu")) {
		int r = parse_menu("gecko", &board->menu, &ignored);

		if (r < 0)
			return r;
	}
	return check_together(section, board, problems);
}
