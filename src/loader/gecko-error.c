/* SPDX-License-Identifier: MIT */
/*
 * gecko-error.c - see gecko-error.h.
 *
 * Three kinds of numbers stand behind "error 0x". Those of btl_errorcode have a base in the high
 * byte. The loader's published source prints two digits in their place, codes of the older Ember
 * loaders, of which 0x18 stands for all that have none of their own. Some builds print the low byte
 * of btl_errorcode alone; these offsets are below all codes of Ember but 01, whose meaning
 * ("general error") says less. The word before tells the base then: "block error" is XMODEM's,
 * "file error" the parser's.
 */
#include "loader/gecko-error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

#define BASE_XMODEM 0x0900
#define BASE_PARSER 0x1000
#define CANCELLED   0x18

struct meaning {
	unsigned code;
	enum gecko_cause cause;
	const char *text;
};

#define CRC_OF_FILE  "the sum over the file was wrong there"
#define OTHER_KEY    "the file is signed or encrypted with a key that this boot loader does not have"
#define OTHER_FORMAT "the file has a form that this boot loader does not know"
#define LOST	     "a block came in pieces or damaged"

static const struct meaning meanings[] = {
	{0x0202, GECKO_CAUSE_DEVICE, "the file was verified and refused"},
	{0x1001, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (a tag where none is expected)"},
	{0x1002, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (a tag that is too long)"},
	{0x1004, GECKO_CAUSE_KEY, OTHER_KEY},
	{0x1005, GECKO_CAUSE_DAMAGED, CRC_OF_FILE},
	{0x1006, GECKO_CAUSE_KEY, "the signature of the file is none that this boot loader trusts"},
	{0x1007, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (its end comes too early)"},
	{0x1008, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (an unknown tag)"},
	{0x1009, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (another version)"},
	{0x100A, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (signed or encrypted otherwise than it wants)"},
	{0x100C, GECKO_CAUSE_DEVICE, "the boot loader rejected the application in the file"},
};

/* Of all other offsets. */
static const struct meaning bases[] = {
	{0x0100, GECKO_CAUSE_UNKNOWN, "the boot loader could not begin"},
	{0x0200, GECKO_CAUSE_DEVICE, "the boot loader could not parse the file"},
	{0x0400, GECKO_CAUSE_FLASH, "the boot loader could not write its storage"},
	{0x0500, GECKO_CAUSE_UNKNOWN, "the boot loader could not install the file"},
	{0x0600, GECKO_CAUSE_KEY, "the security of the file did not hold there"},
	{0x0700, GECKO_CAUSE_LINE, "the conversation broke off"},
	{BASE_XMODEM, GECKO_CAUSE_LINE, LOST},
	{BASE_PARSER, GECKO_CAUSE_FORMAT, "the boot loader could not take the file apart"},
	{0x1200, GECKO_CAUSE_LINE, LOST},
	{0x1300, GECKO_CAUSE_FORMAT, "the boot loader could not unpack the file"},
};

/* The codes of two digits. */
static const struct meaning old_codes[] = {
	{0x16, GECKO_CAUSE_LINE, "the boot loader waited in vain for a block"},
	{CANCELLED, GECKO_CAUSE_UNKNOWN, "the boot loader gave up and did not say why"},
	{0x1C, GECKO_CAUSE_LINE, "the boot loader waited in vain for a block"},
	{0x21, GECKO_CAUSE_LINE, LOST},
	{0x22, GECKO_CAUSE_LINE, LOST},
	{0x23, GECKO_CAUSE_LINE, LOST},
	{0x24, GECKO_CAUSE_LINE, LOST},
	{0x25, GECKO_CAUSE_LINE, LOST},
	{0x26, GECKO_CAUSE_LINE, LOST},
	{0x27, GECKO_CAUSE_LINE, LOST},
	{0x41, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (no header, or another version)"},
	{0x42, GECKO_CAUSE_FLASH, "the boot loader could not write the flash"},
	{0x43, GECKO_CAUSE_DAMAGED, CRC_OF_FILE},
	{0x44, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (an unknown tag)"},
	{0x45, GECKO_CAUSE_KEY, "the signature of the file is none that this boot loader trusts"},
	{0x48, GECKO_CAUSE_DEVICE, "the file would overwrite the boot loader"},
	{0x49, GECKO_CAUSE_DEVICE, "the file would overwrite the settings of the chip"},
	{0x4A, GECKO_CAUSE_FLASH, "the boot loader could not erase the flash"},
	{0x4B, GECKO_CAUSE_FLASH, "the boot loader could not write the flash"},
	{0x4C, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (a wrong length)"},
	{0x4E, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (a wrong length)"},
	{0x4F, GECKO_CAUSE_FORMAT, OTHER_FORMAT " (its kind, a tag, or its end)"},
	{0x50, GECKO_CAUSE_KEY, OTHER_KEY},
	{0x53, GECKO_CAUSE_KEY, OTHER_KEY},
};

static const char *const remedies[] = {
	[GECKO_CAUSE_UNKNOWN] = "check power and cable, and that the file is for this board",
	[GECKO_CAUSE_LINE] = "check cable and power",
	[GECKO_CAUSE_FLASH] = "check the power; if it comes again, the flash is worn",
	[GECKO_CAUSE_DAMAGED] =
		"the file was whole when it was read here, so check cable and power",
	[GECKO_CAUSE_KEY] =
		"no further try would help: get the file that the maker of this board has signed for it",
	[GECKO_CAUSE_DEVICE] =
		"no further try would help: is it the file for this board, and not older than what the boot loader allows?",
	[GECKO_CAUSE_FORMAT] =
		"no further try would help: is it the file for this board, or does it need a newer boot loader?",
};

static const struct meaning *find(const struct meaning *list, size_t n, unsigned code)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].code == code)
			return &list[i];
	return NULL;
}

static const struct meaning *find_whole(unsigned code)
{
	const struct meaning *found = find(meanings, ARRAY_SIZE(meanings), code);

	return found ? found : find(bases, ARRAY_SIZE(bases), code & ~0xFFu);
}

/* The last place behind "error 0x"; NULL: there is none with a digit. */
static const char *last_code(const char *text)
{
	static const char mark[] = "error 0x";
	const char *found = NULL;

	for (const char *at = text; *at; at++)
		if (strncasecmp(at, mark, strlen(mark)) == 0 &&
			strspn(at + strlen(mark), "0123456789abcdefABCDEF") > 0)
			found = at + strlen(mark);
	return found;
}

static bool is_block_error(const char *text, const char *code)
{
	static const char word[] = "block error 0x";

	return code - text >= (long)strlen(word) &&
	       strncasecmp(code - strlen(word), word, strlen(word)) == 0;
}

enum gecko_cause gecko_error_read(const char *text, char *ret_words, size_t size)
{
	const char *at = last_code(text);
	const struct meaning *meaning = NULL;
	bool is_block;
	size_t n_digits;
	unsigned code;

	ret_words[0] = '\0';
	if (!at)
		return GECKO_CAUSE_UNKNOWN;
	is_block = is_block_error(text, at);
	n_digits = strspn(at, "0123456789abcdefABCDEF");
	if (n_digits > 8)
		return GECKO_CAUSE_UNKNOWN;
	code = (unsigned)strtoul(at, NULL, 16);
	if (code > 0xFF)
		meaning = find_whole(code);
	else if (code > 0 && code <= 0x0C)
		meaning = find_whole((is_block ? BASE_XMODEM : BASE_PARSER) | code);
	else
		meaning = find(old_codes, ARRAY_SIZE(old_codes), code);
	if (!meaning)
		return GECKO_CAUSE_UNKNOWN;
	snprintf(ret_words, size, "%s (%s error 0x%.*s): %s", meaning->text,
		is_block ? "block" : "file", (int)n_digits, at, remedies[meaning->cause]);
	return meaning->cause;
}

bool gecko_cause_is_final(enum gecko_cause cause)
{
	return cause == GECKO_CAUSE_KEY || cause == GECKO_CAUSE_DEVICE ||
	       cause == GECKO_CAUSE_FORMAT;
}
