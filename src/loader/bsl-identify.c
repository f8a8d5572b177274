/* SPDX-License-Identifier: MIT */
/*
 * bsl-identify.c - which chip of TI is there, before anything is erased.
 *
 * The CC2538 says its id. All others say what was programmed as their JTAGUSERCODE, and their wafer
 * stands in a register that is at the same place in all of them (ti-bsl.md 4); the command that
 * reads it has a form that the CC2538 refuses, and on the first silicon of the CC26x0 it is one
 * that erases, with a length that is refused. So nothing but these two commands is sent before the
 * row of the chip is known, and nothing else by this file.
 *
 * Parts with other pins and another radio share a wafer. Some say by their JTAGUSERCODE which one
 * they are: such a chip is refused where the rule names another part. Of the rest the word of the
 * rule is all that there is. A flash of another size than that of the row has its CCFG elsewhere,
 * and is refused.
 *
 * The checksum of a packet is a sum: two bent bits may leave it right. So what decides something is
 * read until two answers are equal.
 */
#include "loader/bsl-identify.h"

#include <stdarg.h>
#include <string.h>

#include "base/util.h"
#include "chip/family-cc13xx.h"
#include "device/transcript.h"
#include "loader/steady.h"

/* ti-bsl.md 4. */
#define FAMILY		  "cc13xx"
#define ID_38		  0xB964
#define ID_38_TOO	  0xB965
#define ICEPICK_DEVICE_ID 0x50001318
#define USER_ID		  0x50001294
#define FLASH_SIZE	  0x4003002C
#define IEEE_ADDRESS	  0x500012F0
#define DIECFG0_38	  0x400D3014
#define IEEE_ADDRESS_38	  0x00280028

/* ti-bsl.md 5.1 and 5.5, offsets in the CCFG and the CCA. */
#define BL_CONFIG    0x30
#define BL_CONFIG_38 0
#define ENABLED	     0xC5

/* Of all of them the flash is below this, and with that of the CC2538 nothing else (ti-bsl.md 4).
 */
#define FLASH_END 0x00280000

/* In one reply: 63 words, or 248 bytes where the address is none of a word. */
#define MOST_WORDS 62

struct identifying {
	struct bsl_link *link;
	const struct loader *loader;
	struct chip_identity *identity;
	bool is_38;
	uint32_t user_code; /* JTAGUSERCODE, or the id of the CC2538 */
};

/* Adds to the details what there is room for. */
PRINTF_LIKE(2, 3) static void note(struct identifying *it, const char *format, ...)
{
	char *details = it->identity->details;
	size_t n = strlen(details);
	va_list args;

	if (n > 0 && n + 2 < IDENTITY_DETAILS_MAX)
		n += (size_t)snprintf(details + n, IDENTITY_DETAILS_MAX - n, "; ");
	va_start(args, format);
	(void)vsnprintf(details + n, IDENTITY_DETAILS_MAX - n, format, args);
	va_end(args);
}

/* ------------------------------------------------------------------ reading */

/* ti-bsl.md 2: width 4 and no count, and the word comes with its most significant byte first. */
static int read_word_38(struct bsl_link *link, uint32_t address, uint8_t to[static 4])
{
	uint8_t data[6] = {BSL_MEMORY_READ}, word[4];
	int r;

	bsl_put_word(data + 1, address);
	data[5] = 4;
	r = bsl_link_ask(link, data, sizeof(data), BSL_ANSWER_USEC, word, sizeof(word));
	for (size_t i = 0; r == 0 && i < sizeof(word); i++)
		to[i] = word[sizeof(word) - 1 - i];
	return r;
}

/* Width 1 and a count of words, or width 0 and one of bytes; in the order of the memory. */
static int read_words(struct bsl_link *link, uint32_t address, uint8_t *to, size_t n)
{
	uint8_t data[7] = {BSL_MEMORY_READ};
	bool is_words = address % 4 == 0 && n % 4 == 0;

	bsl_put_word(data + 1, address);
	data[5] = is_words;
	data[6] = (uint8_t)(is_words ? n / 4 : n);
	return bsl_link_ask(link, data, sizeof(data), BSL_ANSWER_USEC, to, n);
}

int bsl_read_memory(struct bsl_link *link, bool is_38, uint32_t address, uint8_t *to, size_t n)
{
	struct transcript *transcript = address < FLASH_END ? port_transcript(link->port) : NULL;
	size_t most = is_38 ? 4 : 4 * MOST_WORDS;
	int r = 0;

	transcript_begin(transcript, TRANSCRIPT_FLASH, address, n);
	for (size_t done = 0, part; r == 0 && done < n; done += part) {
		uint32_t at = address + (uint32_t)done;

		part = n - done < most ? n - done : most;
		r = is_38 ? read_word_38(link, at, to + done)
			  : read_words(link, at, to + done, part);
	}
	transcript_end(transcript);
	return r;
}

struct reading {
	struct identifying *it;
	uint32_t address;
	size_t n;
};

static int read_once(void *userdata, void *to)
{
	const struct reading *reading = userdata;

	return bsl_read_memory(
		reading->it->link, reading->it->is_38, reading->address, to, reading->n);
}

static int read_steady(struct identifying *it, uint32_t address, uint8_t *to, size_t n)
{
	return steady_read(read_once, &(struct reading){it, address, n}, to, n);
}

static int read_register(struct identifying *it, uint32_t address, uint32_t *ret)
{
	uint8_t bytes[4];
	int r = read_steady(it, address, bytes, sizeof(bytes));

	if (r == 0)
		*ret = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 |
		       (uint32_t)bytes[1] << 8 | bytes[0];
	return r;
}

static int read_id(void *userdata, void *to)
{
	struct identifying *it = userdata;
	const uint8_t question = BSL_GET_CHIP_ID;

	return bsl_link_ask(it->link, &question, 1, BSL_ANSWER_USEC, to, 4);
}

/* ------------------------------------------------------------------ the chip */

static int find_wafer(struct identifying *it)
{
	struct chip_identity *identity = it->identity;
	uint8_t id[4];
	uint32_t word = 0;
	int r = steady_read(read_id, it, id, sizeof(id));

	if (r != 0)
		return r;
	it->user_code = bsl_word(id);
	it->is_38 = (uint16_t)it->user_code == ID_38 || (uint16_t)it->user_code == ID_38_TOO;
	if (it->is_38) {
		identity->product_id = ID_38;
		return 0;
	}
	r = read_register(it, ICEPICK_DEVICE_ID, &word);
	if (r != 0)
		return r;
	identity->product_id = (uint16_t)(word >> 12);
	note(it, "user-code 0x%08x", it->user_code);
	note(it, "device-id 0x%08x", word);
	return 0;
}

PRINTF_LIKE(3, 4)
static void refuse(struct identifying *it, enum outcome outcome, const char *format, ...)
{
	struct chip_identity *identity = it->identity;
	va_list args;

	if (*identity->refusal)
		return;
	va_start(args, format);
	(void)vsnprintf(identity->refusal, sizeof(identity->refusal), format, args);
	va_end(args);
	identity->refusal_outcome = outcome;
}

/* A chip that is in the table to be refused is one that nothing more is asked of. */
static int find_row(struct identifying *it)
{
	const struct chip *chip =
		chip_table_find(it->loader->chips, FAMILY, it->identity->product_id);

	/* A wafer with the id of the CC2538 is no CC2538. */
	if (!chip || it->is_38 != (cc13xx_row(chip)->kind == CC13XX_38))
		return LOADER_UNKNOWN_CHIP;
	if (chip->refusal) {
		refuse(it, OUTCOME_WRONG_CHIP, "the chip is a %s, which is not flashed: %s",
			chip->name, chip->refusal);
		return LOADER_UNKNOWN_CHIP;
	}
	it->identity->chip = chip;
	return 0;
}

/*
 * Whether the rule wants this part. A name that stands for the whole row takes each of them. A chip
 * that is none of the rule's at all is another refusal than this.
 */
static bool wants_part(const struct identifying *it, const struct cc13xx_part *part)
{
	const struct board *board = it->loader->board;
	const struct chip *chip = it->identity->chip;
	bool is_named = false;

	for (size_t i = 0; i < board->n_chip; i++) {
		const struct cc13xx_part *wanted;

		if (!chip_is_named(chip, board->chip[i]))
			continue;
		wanted = cc13xx_part_named(cc13xx_row(chip), board->chip[i]);
		if (!wanted || wanted == part)
			return true;
		is_named = true;
	}
	return !is_named;
}

/* A rule that names the whole row does not say that the pin is the UART's: the chip does. */
static void check_pin(struct identifying *it, const struct cc13xx_part *part)
{
	const struct board *board = it->loader->board;
	uint8_t pin = board->backdoor_pin;

	if (!part || !board->has_backdoor_pin || !cc13xx_is_uart_pin(part, pin))
		return;
	refuse(it, OUTCOME_BAD_CONFIG,
		"the chip is a %s by its JTAGUSERCODE 0x%08x, on which DIO%u is a pin of the serial line, and the rule '%s' has it as `backdoor-pin`: an image with that pin would lock the boot loader of the stick out; correct `backdoor-pin` (DIO15 on most such sticks)",
		part->name, it->user_code, pin, board->name);
}

static void check_part(struct identifying *it)
{
	const struct chip *chip = it->identity->chip;
	const struct cc13xx_part *part = cc13xx_part_coded(cc13xx_row(chip), it->user_code);

	if (it->is_38)
		return;
	note(it, "part %s", part ? part->name : "not said");
	if (part && !wants_part(it, part))
		refuse(it, OUTCOME_WRONG_CHIP,
			"the chip is a %s by its JTAGUSERCODE 0x%08x, and the rule '%s' wants %s, with other pins and another radio: is it the right stick? else mend `chip`",
			part->name, it->user_code, it->loader->board->name,
			it->loader->board->chip[0]);
	check_pin(it, part);
}

/* ------------------------------------------------------------------ the flash */

static int find_size(struct identifying *it)
{
	const struct chip *chip = it->identity->chip;
	uint32_t word = 0, size;
	int r = read_register(it, it->is_38 ? DIECFG0_38 : FLASH_SIZE, &word);

	if (r != 0)
		return r;
	if (it->is_38)
		size = (word >> 4 & 7) > 0 ? (word >> 4 & 7) * 128 * 1024 : 64 * 1024;
	else
		size = (word & 0xFF) * chip->pages.runs[0].size;
	it->identity->flash_bytes = size;
	if (size != chip->flash.size)
		refuse(it, OUTCOME_WRONG_CHIP,
			"this %s has %u KiB of flash, and the chip table says %u: what decides about its boot loader is elsewhere then; give it a row of its own in chips.d",
			chip->name, size / 1024, chip->flash.size / 1024);
	return 0;
}

/* Least significant byte first, or two words with the upper one in front (ti-bsl.md 4). */
static int find_unit(struct identifying *it)
{
	struct transcript *transcript = port_transcript(it->link->port);
	char *to = it->identity->unique_id;
	uint8_t bytes[8];
	int r;

	transcript_begin(transcript, TRANSCRIPT_UNIT, 0, 0);
	r = read_steady(it, it->is_38 ? IEEE_ADDRESS_38 : IEEE_ADDRESS, bytes, sizeof(bytes));
	transcript_end(transcript);
	for (size_t i = 0; r == 0 && i < sizeof(bytes); i++) {
		size_t from = it->is_38 ? i / 4 * 4 + 3 - i % 4 : 7 - i;

		snprintf(to + 2 * i, 3, "%02x", bytes[from]);
	}
	return r;
}

/* The pin that the installed firmware has made the way in, for whoever writes a rule. */
static int note_backdoor(struct identifying *it)
{
	const struct chip *chip = it->identity->chip;
	uint32_t end = chip->flash.start + it->identity->flash_bytes;
	uint32_t at = end - cc13xx_row(chip)->ccfg_bytes + (it->is_38 ? BL_CONFIG_38 : BL_CONFIG);
	uint32_t word = 0;
	int r = *it->identity->refusal ? 0 : read_register(it, at, &word);

	if (r != 0 || *it->identity->refusal)
		return r;
	if (it->is_38 && !(word >> 28 & 1))
		note(it, "backdoor off");
	else if (it->is_38)
		note(it, "backdoor PA%u %s", word >> 24 & 7, word >> 27 & 1 ? "high" : "low");
	else if (word >> 24 != ENABLED || (word & 0xFF) != ENABLED)
		note(it, "backdoor off (BL_CONFIG 0x%08x)", word);
	else
		note(it, "backdoor DIO%u %s", word >> 8 & 0xFF, word >> 16 & 1 ? "high" : "low");
	return 0;
}

static int note_package(struct identifying *it)
{
	uint32_t word = 0;
	int r = it->is_38 ? 0 : read_register(it, USER_ID, &word);

	if (r == 0 && !it->is_38)
		note(it, "package %u", word >> 16 & 7);
	return r;
}

int bsl_identify(struct bsl_link *link, const struct loader *loader, struct chip_identity *ret)
{
	struct chip_identity identity = {0};
	struct identifying it = {.link = link, .loader = loader, .identity = &identity};
	int r = find_wafer(&it);

	if (r == 0)
		r = find_row(&it);
	if (r == LOADER_UNKNOWN_CHIP)
		*ret = identity;
	if (r != 0)
		return r;
	identity.pages = IDENTITY_PAGES_SURE;
	check_part(&it);
	r = find_size(&it);
	if (r == 0)
		r = find_unit(&it);
	if (r == 0)
		r = note_package(&it);
	if (r == 0)
		r = note_backdoor(&it);
	if (r == 0)
		*ret = identity;
	return r;
}
